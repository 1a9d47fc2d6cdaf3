/*
 * link_sockets.h - both ends of a session over real sockets and real TLS on loopback. For
 * test_link_sockets.c and test_link_hostile.c.
 */
#ifndef FAIRLEAD_TESTS_LINK_SOCKETS_H
#define FAIRLEAD_TESTS_LINK_SOCKETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/error.h"
#include "base/secret.h"
#include "protocol/frame.h"
#include "service/link.h"

#define NAME "ws-7.example"
#define MS CLOCK_MILLISECOND
#define GUARD_MS 30000 /* a test that hangs fails instead */
#define STEPS 16

struct end {
	enum link_step steps[STEPS];
	size_t count;
	bool reached[STEPS];
	char peer[64], local[64];
	int closed;
	int error;
	unsigned cause, refusal;
	char detail[512];
	size_t frames, bytes;
	uint8_t sum;
	struct link_quality quality;
	size_t qualities;
	size_t licenses;
	struct link_license license;
	size_t busy;
};

struct world {
	uv_loop_t loop;
	uv_timer_t guard;
	SSL_CTX *context;
	char fingerprint[65];
	struct link_server_options options;
	struct link_server *server;
	bool stopped;
	uint64_t session;
	char tag[LINK_TAG_SIZE];
	struct link_client *client;
	struct certificate_policy policy;
	struct certificate_report report;
	struct end agent_end, client_end;
	bool free_at_step;
};

/* ---- a server certificate ---- */

static inline SSL_CTX *make_context(char fingerprint[65])
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	unsigned char digest[32];
	unsigned size = sizeof(digest);

	assert_non_null(context);
	assert_non_null(key);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_UTF8, (const unsigned char *)NAME, -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_int_equal(X509_digest(certificate, EVP_sha256(), digest, &size), 1);
	secret_hex(digest, sizeof(digest), fingerprint);
	assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
	SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}

/* ---- what the programs are told ---- */

static inline void note_step(struct end *end, enum link_step step)
{
	assert_true(end->count < STEPS);
	assert_int_equal(end->closed, 0);
	end->steps[end->count++] = step;
	end->reached[step] = true;
}

static inline void note_frame(struct end *end, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	end->frames++;
	end->bytes += length;
	for (size_t i = 0; i < length; i++)
		end->sum = (uint8_t)(end->sum * 31 + at[i]);
}

static inline void server_step(
	void *user, uint64_t session, enum link_step step, const char *peer, const char *local)
{
	struct world *world = user;

	assert_true(session == world->session);
	note_step(&world->agent_end, step);
	snprintf(world->agent_end.peer, sizeof(world->agent_end.peer), "%s", peer);
	snprintf(world->agent_end.local, sizeof(world->agent_end.local), "%s", local);
}

static inline void server_refused(
	void *user, uint64_t session, enum link_refusal refusal, const char *peer)
{
	struct world *world = user;

	assert_non_null(strchr(peer, ':'));
	if (refusal == LINK_REFUSED_BUSY) {
		assert_int_equal(session, 0);
		world->agent_end.busy++;
	} else {
		assert_true(session == world->session);
		world->agent_end.refusal = refusal;
	}
}

static inline void server_frame(void *user, uint64_t session, const void *bytes, size_t length)
{
	struct world *world = user;

	assert_true(session == world->session);
	note_frame(&world->agent_end, bytes, length);
}

static inline void server_closed(
	void *user, uint64_t session, unsigned cause, const struct link_quality *quality)
{
	struct world *world = user;

	assert_true(session == world->session);
	world->agent_end.closed++;
	world->agent_end.cause = cause;
	world->agent_end.quality = *quality;
}

static inline void client_step(void *user, enum link_step step)
{
	struct world *world = user;

	note_step(&world->client_end, step);
	if (world->free_at_step) {
		link_client_free(world->client);
		world->client = NULL;
	}
}

static inline void client_license(void *user, const struct link_license *license)
{
	struct world *world = user;

	world->client_end.licenses++;
	world->client_end.license = *license;
}

static inline void client_frame(void *user, const void *bytes, size_t length)
{
	struct world *world = user;

	note_frame(&world->client_end, bytes, length);
}

static inline void client_quality(void *user, const struct link_quality *quality)
{
	struct world *world = user;

	world->client_end.qualities++;
	world->client_end.quality = *quality;
}

static inline void client_closed(
	void *user, int error, unsigned cause, unsigned refusal, const char *detail)
{
	struct world *world = user;
	struct end *end = &world->client_end;

	end->closed++;
	end->error = error;
	end->cause = cause;
	end->refusal = refusal;
	snprintf(end->detail, sizeof(end->detail), "%s", detail);
}

/* ---- the world ---- */

static inline void hangs(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("nothing happens any more");
}

#define RUN_UNTIL(world, condition)                                                                \
	while (!(condition))                                                                       \
	uv_run(&(world)->loop, UV_RUN_ONCE)

static inline struct world *make_world(void)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	assert_int_equal(uv_loop_init(&world->loop), 0);
	uv_timer_init(&world->loop, &world->guard);
	uv_timer_start(&world->guard, hangs, GUARD_MS, 0);
	world->context = make_context(world->fingerprint);
	world->policy = (struct certificate_policy){
		.verify = CERTIFICATE_VERIFY_FULL,
		.name = NAME,
		.fingerprint = world->fingerprint,
	};
	world->options = (struct link_server_options){
		.loop = &world->loop,
		.address = "127.0.0.1:0",
		.context = world->context,
		.clock = clock_system(),
		.entropy = entropy_system(),
		.keepalive_interval = 5 * MS,
		.events =
			{
				.on_step = server_step,
				.on_refused = server_refused,
				.on_frame = server_frame,
				.on_closed = server_closed,
				.user = world,
			},
	};
	return world;
}

static inline void serve(struct world *world)
{
	assert_int_equal(link_server_start(&world->options, &world->server), 0);
	assert_true(link_server_port(world->server) > 0);
	assert_int_equal(link_server_expect(world->server, NAME, &world->session, world->tag), 0);
}

static inline struct link_client_options client_options(struct world *world)
{
	return (struct link_client_options){
		.loop = &world->loop,
		.address = "127.0.0.1",
		.port = world->server ? link_server_port(world->server) : 1,
		.sni = NAME,
		.session = world->session,
		.tag = world->tag,
		.report = &world->report,
		.clock = clock_system(),
		.entropy = entropy_system(),
		.keepalive_interval = 5 * MS,
		.events =
			{
				.on_step = client_step,
				.on_license = client_license,
				.on_frame = client_frame,
				.on_quality = client_quality,
				.on_closed = client_closed,
				.user = world,
			},
	};
}

static inline int start_client(struct world *world, struct link_client_options *options)
{
	if (!options->policy)
		options->policy = &world->policy;
	return link_client_start(options, &world->client);
}

static inline void come(struct world *world)
{
	struct link_client_options options = client_options(world);

	assert_int_equal(start_client(world, &options), 0);
}

static inline struct world *connect_both(void)
{
	struct world *world = make_world();

	serve(world);
	come(world);
	RUN_UNTIL(world,
		world->agent_end.reached[LINK_STEP_CONNECTED] &&
			world->client_end.reached[LINK_STEP_CONNECTED]);
	return world;
}

static inline void server_stopped(void *user)
{
	struct world *world = user;

	world->stopped = true;
}

/* The loop has to become empty: nothing is left behind. */
static inline void end_world(struct world *world)
{
	link_client_free(world->client);
	if (world->server) {
		link_server_stop(world->server, LINK_CAUSE_GENERIC, server_stopped, world);
		RUN_UNTIL(world, world->stopped);
	}
	uv_close((uv_handle_t *)&world->guard, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	SSL_CTX_free(world->context);
	free(world);
}

/* Cuts the client's TCP connection behind its back. */
static inline void cut(struct world *world)
{
	int cuts = 0;

	for (int fd = 3; fd < 256; fd++) {
		struct sockaddr_in peer = {0};
		socklen_t length = sizeof(peer);
		int type = 0;
		socklen_t type_length = sizeof(type);

		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) != 0 ||
			type != SOCK_STREAM ||
			getpeername(fd, (struct sockaddr *)&peer, &length) != 0 ||
			ntohs(peer.sin_port) != link_server_port(world->server))
			continue;
		shutdown(fd, SHUT_RDWR);
		cuts++;
	}
	assert_int_equal(cuts, 1);
}

#endif
