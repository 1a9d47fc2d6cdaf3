/*
 * radius_bed.h - RADIUS servers in the test itself, and a group of them to ask.
 *
 * A server counts and keeps what it is asked, checks the signature, and answers by its `serve`. The
 * clock stands still; the loop's own timers run, so that what is not waited for is given LONG_MS.
 */
#ifndef FAIRLEAD_UNIT_RADIUS_BED_H
#define FAIRLEAD_UNIT_RADIUS_BED_H

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "identity/radius_private.h"
#include "radius_bytes.h"

#define SECRET "a shared secret"
#define SERVERS 3
#define KEPT 64 /* requests that a server remembers */
/* Milliseconds: waits that a test does not get to the end of, however slow the machine. */
#define LONG_MS 600000
#define LONG_SECONDS 600

struct server {
	uv_udp_t udp;
	struct sockaddr_in address;
	const char *secret; /* NULL: SECRET */
	/* What to do with a request; NULL: be silent. */
	void (*serve)(struct server *server, const uint8_t *request, size_t length,
		const struct sockaddr *from);
	unsigned silent; /* so many requests, before it serves */
	unsigned requests;
	unsigned questions; /* without repeated ones, which a slow machine may send more of */
	struct radius_bytes kept[KEPT];
	struct sockaddr_in from[KEPT];
	char room[65536];
};

struct bed {
	uv_loop_t loop;
	struct server servers[SERVERS];
	size_t server_count;
	struct clock_fake clock;
	struct entropy_fake entropy;
	struct arena *arena;
	struct radius *radius;
	struct radius_request request;
	struct radius_answer answer;
	unsigned done;
};

static inline void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct server *server = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(server->room, sizeof(server->room));
}

/* By its Request Authenticator. */
static inline bool is_new(const struct server *server, const uint8_t *request)
{
	for (unsigned i = 0; i < server->requests && i < KEPT; i++) {
		if (memcmp(server->kept[i].bytes + 4, request + 4, 16) == 0)
			return false;
	}
	return true;
}

static inline void on_request(uv_udp_t *udp, ssize_t length, const uv_buf_t *buffer,
	const struct sockaddr *from, unsigned flags)
{
	struct server *server = udp->data;

	(void)flags;
	if (length <= 0 || !from)
		return;
	server->questions += is_new(server, (uint8_t *)buffer->base);
	if (server->requests < KEPT) {
		memcpy(server->kept[server->requests].bytes, buffer->base, (size_t)length);
		server->kept[server->requests].length = (size_t)length;
		memcpy(&server->from[server->requests], from, sizeof(struct sockaddr_in));
	}
	server->requests++;
	assert_true(radius_bytes_signed((uint8_t *)buffer->base, (size_t)length, SECRET));
	if (server->serve && server->requests > server->silent)
		server->serve(server, (uint8_t *)buffer->base, (size_t)length, from);
}

static inline void send_bytes(
	struct server *server, const void *bytes, size_t length, const struct sockaddr *to)
{
	uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)length);

	assert_int_equal(uv_udp_try_send(&server->udp, &buffer, 1, to), length);
}

static inline void answer_with(struct server *server, uint8_t code,
	const struct radius_bytes *attributes, bool sign, const uint8_t *request,
	const struct sockaddr *from)
{
	struct radius_bytes answer;

	radius_bytes_answer(
		&answer, code, request, attributes, server->secret ? server->secret : SECRET, sign);
	send_bytes(server, answer.bytes, answer.length, from);
}

static inline void accept_it(
	struct server *server, const uint8_t *request, size_t length, const struct sockaddr *from)
{
	(void)length;
	answer_with(server, CODE_ACCEPT, NULL, true, request, from);
}

static inline void reject_it(
	struct server *server, const uint8_t *request, size_t length, const struct sockaddr *from)
{
	struct radius_bytes attributes = {.length = 0};

	(void)length;
	radius_bytes_text(&attributes, TYPE_REPLY_MESSAGE, "No such\r\ntoken");
	radius_bytes_text(&attributes, TYPE_REPLY_MESSAGE, "\033[2J\xff");
	answer_with(server, CODE_REJECT, &attributes, true, request, from);
}

static inline struct server *add_server_at(struct bed *bed, const char *address, uint16_t port)
{
	struct server *server = &bed->servers[bed->server_count++];
	int length = sizeof(server->address);

	assert_int_equal(uv_udp_init(&bed->loop, &server->udp), 0);
	assert_int_equal(uv_ip4_addr(address, port, &server->address), 0);
	assert_int_equal(
		uv_udp_bind(&server->udp, (const struct sockaddr *)&server->address, 0), 0);
	assert_int_equal(
		uv_udp_getsockname(&server->udp, (struct sockaddr *)&server->address, &length), 0);
	server->udp.data = server;
	assert_int_equal(uv_udp_recv_start(&server->udp, give_room, on_request), 0);
	uv_unref((uv_handle_t *)&server->udp);
	return server;
}

static inline struct server *add_server(struct bed *bed)
{
	return add_server_at(bed, "127.0.0.1", 0);
}

static inline uint16_t port_of(const struct server *server)
{
	return ntohs(server->address.sin_port);
}

/* A port that nothing listens at: taken by a socket that hears nobody but its own peer. */
static inline int take_closed_port(uint16_t *ret_port)
{
	struct sockaddr_in address;
	struct sockaddr_in peer;
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &address), 0);
	assert_int_equal(uv_ip4_addr("127.0.0.1", 9, &peer), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&peer, sizeof(peer)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static inline int set_up(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	assert_int_equal(uv_loop_init(&bed->loop), 0);
	clock_fake_init(&bed->clock, 0);
	entropy_fake_init(&bed->entropy, 7);
	bed->arena = arena_new(65536);
	assert_non_null(bed->arena);
	bed->request = (struct radius_request){.user = "alice",
		.password = "p\xc3\xa4ssword of more than sixteen bytes",
		.client = "192.0.2.7",
		.arena = bed->arena,
		.loop = &bed->loop,
		.clock = &bed->clock.clock,
		.entropy = &bed->entropy.entropy};
	*state = bed;
	return 0;
}

static inline int tear_down(void **state)
{
	struct bed *bed = *state;

	for (size_t i = 0; i < bed->server_count; i++)
		uv_close((uv_handle_t *)&bed->servers[i].udp, NULL);
	uv_run(&bed->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&bed->loop), 0);
	radius_free(bed->radius);
	arena_free(bed->arena);
	free(bed);
	return 0;
}

static inline void make(struct bed *bed, const struct radius_options *given)
{
	struct radius_server list[SERVERS];
	struct radius_options options = *given;

	for (size_t i = 0; i < bed->server_count; i++)
		list[i] = (struct radius_server){.address = "127.0.0.1",
			.port = port_of(&bed->servers[i]),
			.secret = SECRET};
	if (given->servers == NULL) {
		options.servers = list;
		options.server_count = bed->server_count;
	}
	assert_int_equal(radius_new(&options, &bed->radius), 0);
}

static inline void on_done(void *context, const struct radius_answer *answer)
{
	struct bed *bed = context;

	bed->answer = *answer;
	bed->done++;
	assert_non_null(answer->message);
	assert_non_null(answer->server);
	assert_non_null(answer->detail);
}

static inline void ask(struct bed *bed)
{
	unsigned before = bed->done;

	assert_int_equal(radius_ask(bed->radius, &bed->request, on_done, bed), 0);
	assert_int_equal(bed->done, before); /* later */
	assert_int_equal(uv_run(&bed->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(bed->done, before + 1);
}

static const struct radius_options patient = {
	.retry_ms = LONG_MS, .tries = 1, .wait_seconds = LONG_SECONDS};
static const struct radius_options quick = {
	.retry_ms = 20, .tries = 2, .wait_seconds = LONG_SECONDS};

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
