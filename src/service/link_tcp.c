#include "service/link_tcp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/secret.h"
#include "wire/tls.h"

#define READS_AT_ONCE 32
#define WRITES_AT_ONCE 32
#define IDLE_CAPACITY 65536 /* a larger empty queue is given back */
#define CONTROL_ROOM 4096   /* kept free for frames other than DATA */
/* A path that swallows everything shows in this time, so that a resumption
 * is still possible. */
#define DEAD_AFTER_MS 20000
#define PROBE_IDLE_S 10
#define PROBE_INTERVAL_S 5

struct link_tcp {
	uv_poll_t poll;
	uv_timer_t timer; /* limit of the beginning, later of the lingering */
	int fd;
	SSL *ssl;
	struct link_tcp_events events;
	enum frame_direction incoming;
	enum link_tcp_phase phase;
	bool agent;
	bool wants_write; /* TLS cannot go on before the socket takes more */
	bool deaf;        /* what comes is read and dropped */
	bool closing;     /* by its owner */
	bool shut;        /* our half is closed */
	bool dead;        /* handles are being closed */
	int handles;
	struct buffer out;
	size_t out_sent;
	size_t in_length;
	uint8_t in[FRAME_SIZE_MAXIMUM];
};

static void freed(uv_handle_t *handle)
{
	struct link_tcp *tcp = handle->data;

	if (--tcp->handles > 0)
		return;
	SSL_free(tcp->ssl);
	close(tcp->fd);
	buffer_free(&tcp->out);
	secret_wipe(tcp->in, sizeof(tcp->in));
	tcp->events.on_freed(tcp->events.user);
	free(tcp);
}

static void bury(struct link_tcp *tcp)
{
	if (tcp->dead)
		return;
	tcp->dead = true;
	uv_close((uv_handle_t *)&tcp->poll, freed);
	uv_close((uv_handle_t *)&tcp->timer, freed);
}

static void down(struct link_tcp *tcp, int error, const char *detail)
{
	if (tcp->dead)
		return;
	if (!tcp->closing)
		tcp->events.on_down(tcp->events.user, error, detail);
	bury(tcp);
}

static bool has_output(const struct link_tcp *tcp)
{
	return tcp->out_sent < tcp->out.length;
}

static void polled(uv_poll_t *poll, int status, int events);

static void watch(struct link_tcp *tcp)
{
	int events = UV_READABLE;

	if (tcp->dead)
		return;
	if (tcp->phase == LINK_TCP_CONNECTING)
		events = UV_WRITABLE;
	else if (tcp->wants_write || (tcp->phase == LINK_TCP_UP && has_output(tcp)))
		events |= UV_WRITABLE;
	uv_poll_start(&tcp->poll, events, polled);
}

/* What to do after a TLS call that did not succeed; false: it is over. */
static bool goes_on(struct link_tcp *tcp, int returned)
{
	char fault[TLS_FAULT_SIZE];
	char detail[TLS_FAULT_SIZE + 64];
	int saved = errno;
	int what = SSL_get_error(tcp->ssl, returned);

	switch (what) {
	case SSL_ERROR_WANT_READ:
		return true;
	case SSL_ERROR_WANT_WRITE:
		tcp->wants_write = true;
		return true;
	case SSL_ERROR_ZERO_RETURN:
		down(tcp, ERROR_CLOSED, "the other end closed the connection");
		return false;
	default:
		break;
	}
	if (tcp->phase == LINK_TCP_UP) {
		snprintf(detail, sizeof(detail), "the connection was lost%s%s",
			what == SSL_ERROR_SYSCALL && saved != 0 ? ": " : "",
			what == SSL_ERROR_SYSCALL && saved != 0 ? uv_strerror(-saved) : "");
		down(tcp, ERROR_CLOSED, detail);
	} else {
		if (ERR_peek_error() == 0)
			snprintf(detail, sizeof(detail),
				"the other end closed the connection during TLS");
		else
			snprintf(detail, sizeof(detail), "TLS failed: %s", tls_error(fault));
		down(tcp, ERROR_TLS, detail);
	}
	ERR_clear_error();
	return false;
}

static void shake_hands(struct link_tcp *tcp)
{
	int returned;

	ERR_clear_error();
	errno = 0;
	returned = SSL_do_handshake(tcp->ssl);
	if (returned != 1) {
		goes_on(tcp, returned);
		return;
	}
	tcp->phase = LINK_TCP_UP;
	tcp->events.on_up(tcp->events.user);
}

static void parse(struct link_tcp *tcp)
{
	size_t at = 0;

	while (!tcp->deaf && !tcp->closing && !tcp->dead) {
		struct frame frame;
		size_t used;

		if (frame_read(tcp->in + at, tcp->in_length - at, tcp->incoming, &frame, &used) !=
			0) {
			tcp->deaf = true;
			tcp->events.on_frame(tcp->events.user, NULL);
			break;
		}
		if (used == 0)
			break;
		at += used;
		tcp->events.on_frame(tcp->events.user, &frame);
	}
	tcp->in_length -= at;
	memmove(tcp->in, tcp->in + at, tcp->in_length);
}

static void read_some(struct link_tcp *tcp)
{
	/* The rest of a record that was read in part shows on no socket. */
	for (int i = 0; i < READS_AT_ONCE || SSL_pending(tcp->ssl) > 0; i++) {
		size_t got;
		int returned;

		if (tcp->deaf || tcp->closing)
			tcp->in_length = 0;
		ERR_clear_error();
		errno = 0;
		returned = SSL_read_ex(
			tcp->ssl, tcp->in + tcp->in_length, sizeof(tcp->in) - tcp->in_length, &got);
		if (returned != 1) {
			goes_on(tcp, returned);
			return;
		}
		tcp->in_length += got;
		parse(tcp);
		if (tcp->dead)
			return;
	}
}

static void write_some(struct link_tcp *tcp)
{
	for (int i = 0; i < WRITES_AT_ONCE && has_output(tcp); i++) {
		size_t sent;
		int returned;

		ERR_clear_error();
		errno = 0;
		returned = SSL_write_ex(tcp->ssl, tcp->out.bytes + tcp->out_sent,
			tcp->out.length - tcp->out_sent, &sent);
		if (returned != 1) {
			goes_on(tcp, returned);
			return;
		}
		tcp->out_sent += sent;
	}
	/* Moved only now and then, so that a long queue is not copied for each record. */
	if (tcp->out_sent == tcp->out.length || tcp->out_sent > LINK_TCP_QUEUE_MAXIMUM / 4) {
		buffer_consume(&tcp->out, tcp->out_sent);
		tcp->out_sent = 0;
	}
	if (tcp->out.length == 0 && tcp->out.capacity > IDLE_CAPACITY)
		buffer_free(&tcp->out);
}

static void shut_if_done(struct link_tcp *tcp)
{
	if (!tcp->closing || tcp->shut || has_output(tcp))
		return;
	tcp->shut = true;
	ERR_clear_error();
	SSL_shutdown(tcp->ssl);
	ERR_clear_error();
	shutdown(tcp->fd, SHUT_WR);
}

static void connected(struct link_tcp *tcp)
{
	socklen_t length = sizeof(int);
	char detail[128];
	int error = 0;

	if (getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		error = errno;
	if (error != 0) {
		snprintf(detail, sizeof(detail), "no TCP connection: %s", uv_strerror(-error));
		down(tcp, ERROR_UNREACHABLE, detail);
		return;
	}
	tcp->phase = LINK_TCP_HANDSHAKE;
	shake_hands(tcp);
}

static void polled(uv_poll_t *poll, int status, int events)
{
	struct link_tcp *tcp = poll->data;

	(void)status;
	(void)events;
	tcp->wants_write = false;
	if (tcp->phase == LINK_TCP_CONNECTING)
		connected(tcp);
	else if (tcp->phase == LINK_TCP_HANDSHAKE)
		shake_hands(tcp);
	if (!tcp->dead && tcp->phase == LINK_TCP_UP)
		read_some(tcp);
	if (!tcp->dead && tcp->phase == LINK_TCP_UP && !tcp->shut)
		write_some(tcp);
	if (!tcp->dead)
		shut_if_done(tcp);
	watch(tcp);
}

static void late(uv_timer_t *timer)
{
	struct link_tcp *tcp = timer->data;

	down(tcp, ERROR_TIMEOUT, "the other end took too long");
}

static void set_up_socket(int fd)
{
	int on = 1;
	int idle = PROBE_IDLE_S;
	int interval = PROBE_INTERVAL_S;
	unsigned dead = DEAD_AFTER_MS;

	/* None of them is needed for the session to work. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof(dead));
}

int link_tcp_new(uv_loop_t *loop, int fd, SSL *ssl, bool agent, uint64_t limit_ms,
	const struct link_tcp_events *events, struct link_tcp **ret_tcp)
{
	struct link_tcp *tcp = calloc(1, sizeof(*tcp));
	int error = ERROR_MEMORY;

	if (!tcp)
		goto out;
	tcp->fd = fd;
	tcp->ssl = ssl;
	tcp->events = *events;
	tcp->agent = agent;
	tcp->incoming = agent ? FRAME_TO_AGENT : FRAME_TO_CLIENT;
	tcp->phase = agent ? LINK_TCP_HANDSHAKE : LINK_TCP_CONNECTING;
	buffer_init(&tcp->out, LINK_TCP_QUEUE_MAXIMUM + LINK_TCP_QUEUE_MAXIMUM / 2);
	set_up_socket(fd);
	SSL_set_mode(ssl,
		SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			SSL_MODE_RELEASE_BUFFERS);
	/* read_some relies on SSL_pending. */
	SSL_set_read_ahead(ssl, 0);
	if (SSL_set_fd(ssl, fd) != 1)
		goto out;
	if (agent)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	error = ERROR_SYSTEM;
	if (uv_poll_init(loop, &tcp->poll, fd) != 0)
		goto out;
	uv_timer_init(loop, &tcp->timer);
	tcp->poll.data = tcp;
	tcp->timer.data = tcp;
	tcp->handles = 2;
	if (limit_ms > 0)
		uv_timer_start(&tcp->timer, late, limit_ms, 0);
	watch(tcp);
	*ret_tcp = tcp;
	return 0;
out:
	SSL_free(ssl);
	close(fd);
	free(tcp);
	return error;
}

SSL *link_tcp_ssl(struct link_tcp *tcp)
{
	return tcp->ssl;
}

enum link_tcp_phase link_tcp_phase(const struct link_tcp *tcp)
{
	return tcp->phase;
}

void link_tcp_admit(struct link_tcp *tcp)
{
	uv_timer_stop(&tcp->timer);
}

int link_tcp_send(struct link_tcp *tcp, const struct frame *frame)
{
	size_t waiting = tcp->out.length - tcp->out_sent;
	size_t most = LINK_TCP_QUEUE_MAXIMUM + (frame->type == FRAME_DATA ? 0 : CONTROL_ROOM);
	size_t length;
	char *room;
	int error;

	assert(!tcp->closing && !tcp->dead);
	if (waiting + FRAME_HEADER_SIZE + frame->data.length > most)
		return ERROR_LIMIT;
	room = buffer_reserve(&tcp->out, FRAME_SIZE_MAXIMUM);
	if (!room) {
		tcp->out.failed = false;
		return ERROR_LIMIT;
	}
	error = frame_write(frame, room, FRAME_SIZE_MAXIMUM, &length);
	if (error != 0)
		return error;
	buffer_added(&tcp->out, length);
	watch(tcp);
	return 0;
}

void link_tcp_abort(struct link_tcp *tcp)
{
	tcp->closing = true;
	bury(tcp);
}

void link_tcp_close(struct link_tcp *tcp)
{
	if (tcp->closing || tcp->dead)
		return;
	if (tcp->phase != LINK_TCP_UP) {
		link_tcp_abort(tcp);
		return;
	}
	tcp->closing = true;
	uv_timer_start(&tcp->timer, late, LINK_TCP_LINGER_MS, 0);
	tcp->wants_write = true; /* a turn of the loop, even with nothing queued */
	watch(tcp);
}
