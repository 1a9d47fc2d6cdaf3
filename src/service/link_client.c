#include "service/link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "service/link_address.h"
#include "service/link_session.h"
#include "service/link_tcp.h"
#include "service/link_udp.h"

#define DETAIL_SIZE 512
#define FINGERPRINT_SIZE 128 /* hexadecimal with ':' between */
#define PATH_SIZE 4096

/* One attempt at TCP and what it became; lives until its handles are closed. */
struct attempt {
	struct link_client *client;
	struct link_tcp *tcp; /* NULL once it is being closed */
	struct link_udp udp;
	bool has_udp;
	int open; /* of the two, those still open */
};

struct link_client {
	struct link_session session;
	struct link_client_options options;
	struct certificate_policy policy;
	char name[LINK_SESSION_NAME_SIZE];
	char fingerprint[FINGERPRINT_SIZE];
	char ca_file[PATH_SIZE];
	char sni[LINK_SESSION_NAME_SIZE];
	union link_address remote;
	char where[LINK_ADDRESS_SIZE];
	SSL_CTX *context;
	uv_timer_t timer;
	struct attempt *attempt; /* the one that counts, or NULL */
	bool freed;
	int handles;                 /* the timer and all attempts */
	enum link_tcp_phase reached; /* by any attempt */
	char detail[DETAIL_SIZE];    /* of the newest loss */
};

static int64_t now(const struct link_client *client)
{
	return clock_steady(client->options.clock);
}

/* ---- the end ---- */

static void handle_closed(struct link_client *client)
{
	if (--client->handles > 0)
		return;
	SSL_CTX_free(client->context);
	link_session_clear(&client->session);
	free(client);
}

static void attempt_closed(struct attempt *attempt)
{
	struct link_client *client = attempt->client;

	if (--attempt->open > 0)
		return;
	free(attempt);
	handle_closed(client);
}

static void tcp_freed(void *user)
{
	attempt_closed(user);
}

static void udp_closed(void *user)
{
	attempt_closed(user);
}

static void timer_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

static void note_phase(struct link_client *client, const struct attempt *attempt)
{
	if (link_tcp_phase(attempt->tcp) > client->reached)
		client->reached = link_tcp_phase(attempt->tcp);
}

/* What waits to be sent on TCP still leaves. */
static void hang_up(struct link_client *client)
{
	struct attempt *attempt = client->attempt;

	client->attempt = NULL;
	if (!attempt)
		return;
	if (attempt->tcp) {
		note_phase(client, attempt);
		link_tcp_close(attempt->tcp);
	}
	attempt->tcp = NULL;
	if (attempt->has_udp)
		link_udp_close(&attempt->udp, udp_closed);
	attempt->has_udp = false;
}

/* ---- what the session wants done ---- */

static int dial(struct link_client *client);

static void run_wire(struct link_client *client)
{
	struct link_session_action action;
	uint8_t packet[LINK_PACKET_MAXIMUM];
	size_t length;

	while (link_session_wire(&client->session, &action)) {
		struct attempt *attempt = client->attempt;

		switch (action.what) {
		case LINK_SESSION_DO_FRAME:
			/* With a full queue the silence limit will end the session. */
			if (attempt && attempt->tcp)
				(void)link_tcp_send(attempt->tcp, &action.frame);
			break;
		case LINK_SESSION_DO_PACKET:
			if (attempt && attempt->has_udp &&
				link_session_seal(
					&client->session, &action.frame, packet, &length) == 0)
				link_udp_send(&attempt->udp, NULL, packet, length);
			break;
		case LINK_SESSION_DO_DIAL:
			hang_up(client);
			/* No socket to be had is like nobody answering. */
			if (dial(client) != 0)
				link_session_tcp_down(
					&client->session, ERROR_UNREACHABLE, now(client));
			break;
		default:
			assert(action.what == LINK_SESSION_DO_HANG_UP);
			hang_up(client);
			break;
		}
	}
}

static long milliseconds(int64_t microseconds)
{
	return (long)(microseconds / CLOCK_MILLISECOND);
}

/* Why it ended, when a time limit of this end was passed. */
static void describe_timeout(
	const struct link_client *client, unsigned cause, char text[DETAIL_SIZE])
{
	const struct link_session_limits *limits = &client->session.limits;

	if (cause == LINK_CAUSE_PCOIP_OPEN_TIMEOUT) {
		snprintf(text, DETAIL_SIZE,
			"UDP to %s did not open within %ld ms, although TCP did; is UDP blocked?",
			client->where, milliseconds(limits->udp_open));
	} else if (client->session.connected_before) {
		snprintf(text, DETAIL_SIZE, "nothing was heard from %s for %ld ms%s%.300s",
			client->where, milliseconds(limits->silence),
			client->detail[0] != '\0' ? "; last: " : "", client->detail);
	} else if (client->reached == LINK_TCP_CONNECTING) {
		snprintf(text, DETAIL_SIZE,
			"TCP to %s was not answered within %ld ms; is it blocked?", client->where,
			milliseconds(limits->connect));
	} else {
		snprintf(text, DETAIL_SIZE, "%s was reached, but %s was not answered within %ld ms",
			client->where,
			client->reached == LINK_TCP_UP ? "the connect tag" : "the TLS hello",
			milliseconds(limits->connect));
	}
}

static void tell_closed(struct link_client *client, const struct link_session_action *action)
{
	const struct link_client_events *events = &client->options.events;
	char text[DETAIL_SIZE];

	hang_up(client);
	if (action->error == 0)
		snprintf(text, sizeof(text), "%s", link_cause_meaning(action->cause));
	else if (action->error == ERROR_REFUSED)
		snprintf(text, sizeof(text), "%s", link_refusal_text(action->refusal));
	else if (action->error == ERROR_TIMEOUT)
		describe_timeout(client, action->cause, text);
	else if (client->detail[0] != '\0')
		snprintf(text, sizeof(text), "%s: %.440s", client->where, client->detail);
	else
		snprintf(text, sizeof(text), "%s: %s", client->where,
			action->error == ERROR_INPUT ? "the agent does not keep to the protocol"
						     : error_text(action->error));
	if (events->on_closed)
		events->on_closed(
			events->user, action->error, action->cause, action->refusal, text);
}

static void run_events(struct link_client *client)
{
	const struct link_client_events *events = &client->options.events;
	struct link_session_action action;
	struct link_quality quality;

	while (!client->freed && link_session_event(&client->session, &action)) {
		switch (action.what) {
		case LINK_SESSION_DO_STEP:
			if (events->on_step)
				events->on_step(events->user, action.step);
			break;
		case LINK_SESSION_DO_LICENSE:
			if (events->on_license)
				events->on_license(events->user, &client->session.license);
			break;
		case LINK_SESSION_DO_DATA:
			if (events->on_frame)
				events->on_frame(events->user, action.frame.data.bytes,
					action.frame.data.length);
			break;
		case LINK_SESSION_DO_QUALITY:
			link_session_quality(&client->session, &quality);
			if (events->on_quality)
				events->on_quality(events->user, &quality);
			break;
		default:
			assert(action.what == LINK_SESSION_DO_CLOSED);
			tell_closed(client, &action);
			break;
		}
	}
}

static void due(uv_timer_t *timer);

static void arm(struct link_client *client)
{
	int64_t at = link_session_due(&client->session);
	int64_t wait;

	if (client->freed)
		return;
	if (client->session.events.count > 0) {
		uv_timer_start(&client->timer, due, 0, 0);
	} else if (at == INT64_MAX) {
		uv_timer_stop(&client->timer);
	} else {
		wait = at - now(client);
		wait = wait > 0 ? (wait + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND : 0;
		uv_timer_start(&client->timer, due, (uint64_t)wait, 0);
	}
}

/* After each input from the loop. */
static void settle(struct link_client *client)
{
	run_wire(client);
	run_events(client);
	arm(client);
}

static void due(uv_timer_t *timer)
{
	struct link_client *client = timer->data;

	link_session_tick(&client->session, now(client));
	settle(client);
}

/* ---- the connection ---- */

static void tcp_up(void *user)
{
	struct attempt *attempt = user;
	struct link_client *client = attempt->client;
	struct link_packet_keys keys;

	if (link_packet_export(link_tcp_ssl(attempt->tcp), &keys) == 0) {
		link_session_tcp_up(&client->session, &keys, now(client));
	} else {
		hang_up(client);
		link_session_tcp_down(&client->session, ERROR_TLS, now(client));
	}
	secret_wipe(&keys, sizeof(keys));
	settle(client);
}

static void tcp_frame(void *user, const struct frame *frame)
{
	struct attempt *attempt = user;
	struct link_client *client = attempt->client;

	if (frame)
		link_session_frame(&client->session, frame, now(client));
	else
		link_session_broken(&client->session, now(client));
	settle(client);
}

/* TLS that failed because the certificate was not good is told apart. */
static bool was_untrusted(const struct link_client *client, int error)
{
	return error == ERROR_TLS && client->policy.verify == CERTIFICATE_VERIFY_FULL &&
		client->options.report->troubles != CERTIFICATE_GOOD;
}

static void tcp_down(void *user, int error, const char *detail)
{
	struct attempt *attempt = user;
	struct link_client *client = attempt->client;
	bool untrusted = was_untrusted(client, error);

	note_phase(client, attempt);
	attempt->tcp = NULL;
	snprintf(client->detail, sizeof(client->detail), "%s",
		untrusted ? client->options.report->text : detail);
	link_session_tcp_down(&client->session, untrusted ? ERROR_UNTRUSTED : error, now(client));
	settle(client);
}

static void datagram(void *user, const void *bytes, size_t length, const struct link_udp_path *path)
{
	struct attempt *attempt = user;
	struct link_client *client = attempt->client;
	bool newest;

	(void)path; /* the socket is connected: it is the agent's */
	if (link_session_packet(&client->session, bytes, length, now(client), &newest) == 0)
		settle(client);
}

static int make_ssl(struct link_client *client, SSL **ret_ssl)
{
	SSL *ssl = SSL_new(client->context);
	int error;

	if (!ssl)
		return ERROR_MEMORY;
	error = certificate_watch(ssl, &client->policy, client->options.report);
	/* The agent wants the name of the target, whatever name the certificate is judged by. */
	if (error == 0 && client->sni[0] != '\0' && SSL_set_tlsext_host_name(ssl, client->sni) != 1)
		error = ERROR_TLS;
	if (error != 0) {
		SSL_free(ssl);
		return error;
	}
	*ret_ssl = ssl;
	return 0;
}

/* Negative: there is no way there; errno tells. */
static int connect_socket(const union link_address *remote)
{
	int fd = socket(remote->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved;

	if (fd < 0 || connect(fd, &remote->any, link_address_length(remote)) == 0 ||
		errno == EINPROGRESS)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* UDP is opened with each attempt, because after a change of networks the
 * old socket's own address may be gone. */
static int dial(struct link_client *client)
{
	const struct link_tcp_events events = {
		.on_up = tcp_up,
		.on_frame = tcp_frame,
		.on_down = tcp_down,
		.on_freed = tcp_freed,
	};
	struct link_tcp_events mine = events;
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	SSL *ssl = NULL;
	int error = ERROR_MEMORY;
	int fd;

	if (!attempt)
		return error;
	attempt->client = client;
	mine.user = attempt;
	error = make_ssl(client, &ssl);
	if (error != 0)
		goto out;
	error = ERROR_SYSTEM;
	fd = connect_socket(&client->remote);
	if (fd < 0) {
		snprintf(client->detail, sizeof(client->detail), "no TCP connection: %s",
			uv_strerror(-errno));
		SSL_free(ssl);
		goto out;
	}
	error = link_tcp_new(client->options.loop, fd, ssl, false, 0, &mine, &attempt->tcp);
	if (error != 0)
		goto out;
	attempt->open = 1;
	client->handles++;
	client->attempt = attempt;
	if (link_udp_open(&attempt->udp, client->options.loop, NULL, &client->remote, datagram,
		    attempt) == 0) {
		attempt->has_udp = true;
		attempt->open++;
	}
	return 0;
out:
	free(attempt);
	return error;
}

/* ---- the interface ---- */

/* NULL stays NULL. */
static int keep(char *to, size_t size, const char *from, const char **ret_kept)
{
	if (!from)
		return 0;
	if (strlen(from) >= size)
		return ERROR_INPUT;
	memcpy(to, from, strlen(from) + 1);
	if (ret_kept)
		*ret_kept = to;
	return 0;
}

static int copy_options(struct link_client *client, const struct link_client_options *options)
{
	const struct certificate_policy *policy = options->policy;
	int error;

	client->options = *options;
	/* Only the copies count; the caller's texts may go away. */
	client->options.tag = NULL;
	client->options.sni = NULL;
	client->options.address = NULL;
	client->options.policy = &client->policy;
	client->policy.verify = policy->verify;
	error = keep(client->name, sizeof(client->name), policy->name, &client->policy.name);
	if (error == 0)
		error = keep(client->ca_file, sizeof(client->ca_file), policy->ca_file,
			&client->policy.ca_file);
	if (error == 0)
		error = keep(client->fingerprint, sizeof(client->fingerprint), policy->fingerprint,
			&client->policy.fingerprint);
	if (error == 0)
		error = keep(client->sni, sizeof(client->sni), options->sni, NULL);
	if (error == 0)
		error = link_address_make(options->address, options->port, &client->remote);
	return error;
}

static int make_context(struct link_client *client)
{
	int error;

	client->context = SSL_CTX_new(TLS_client_method());
	if (!client->context)
		return ERROR_MEMORY;
	error = certificate_prepare(client->context, &client->policy);
	if (error != 0)
		return error;
	if (SSL_CTX_set_min_proto_version(client->context, TLS1_3_VERSION) != 1)
		return ERROR_TLS;
	/* Each connection proves the certificate anew. */
	SSL_CTX_set_session_cache_mode(client->context, SSL_SESS_CACHE_OFF);
	return 0;
}

int link_client_start(const struct link_client_options *options, struct link_client **ret_client)
{
	const struct link_session_limits limits = {
		.silence = options->silence_limit,
		.udp_open = options->udp_open_limit,
		.keepalive = options->keepalive_interval,
		.connect = options->connect_limit,
	};
	struct link_client *client = calloc(1, sizeof(*client));
	int error = ERROR_MEMORY;

	assert(options->policy && options->report);
	if (!client)
		return error;
	error = copy_options(client, options);
	if (error != 0)
		goto out;
	link_address_text(&client->remote, client->where);
	error = make_context(client);
	if (error != 0)
		goto out;
	error = link_session_dial(
		&client->session, options->session, options->tag, &limits, now(client));
	if (error != 0)
		goto out;
	uv_timer_init(options->loop, &client->timer);
	client->timer.data = client;
	client->handles = 1;
	run_wire(client);
	arm(client);
	*ret_client = client;
	return 0;
out:
	SSL_CTX_free(client->context);
	link_session_clear(&client->session);
	free(client);
	return error;
}

int link_client_send(struct link_client *client, const void *bytes, size_t length)
{
	struct frame frame = {.type = FRAME_DATA, .data = {bytes, length}};
	int error;

	if (length == 0 || length > LINK_FRAME_MAXIMUM)
		return ERROR_INPUT;
	error = link_session_may_send(&client->session);
	if (error != 0)
		return error;
	if (!client->attempt || !client->attempt->tcp)
		return ERROR_STATE;
	error = link_tcp_send(client->attempt->tcp, &frame);
	if (error == 0)
		link_session_sent(&client->session, length);
	return error;
}

void link_client_close(struct link_client *client, unsigned cause)
{
	link_session_close(&client->session, cause);
	run_wire(client);
	arm(client);
}

void link_client_free(struct link_client *client)
{
	if (!client || client->freed)
		return;
	link_session_close(&client->session, LINK_CAUSE_BYE);
	run_wire(client);
	hang_up(client);
	client->freed = true;
	uv_close((uv_handle_t *)&client->timer, timer_closed);
}
