/*
 * link_tcp.h - frames over one TLS connection of the session, either end.
 *
 * Created with a socket that is connected, or connecting. Nothing is called back from
 * inside a call. After on_down, link_tcp_close or link_tcp_abort the only
 * callback left is on_freed; `user` lives until then, the pointer to the connection
 * is not used any more.
 */
#ifndef FAIRLEAD_SERVICE_LINK_TCP_H
#define FAIRLEAD_SERVICE_LINK_TCP_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "protocol/frame.h"

#define LINK_TCP_QUEUE_MAXIMUM (1024 * 1024) /* bytes of frames not yet sent */
#define LINK_TCP_LINGER_MS 2000

enum link_tcp_phase { LINK_TCP_CONNECTING, LINK_TCP_HANDSHAKE, LINK_TCP_UP };

struct link_tcp;

struct link_tcp_events {
	void (*on_up)(void *user); /* TLS stands */
	/* NULL: the peer sent what is no frame; nothing more is read. */
	void (*on_frame)(void *user, const struct frame *frame);
	/* ERROR_UNREACHABLE (no TCP), ERROR_TLS, ERROR_CLOSED, ERROR_TIMEOUT (the
	 * limit given to link_tcp_new). `detail` is a line for people. */
	void (*on_down)(void *user, int error, const char *detail);
	void (*on_freed)(void *user);
	void *user;
};

/* Takes socket and `ssl`, also on failure. `agent`: this is the accepting end.
 * `limit_ms`: link_tcp_admit must come within it; 0: no limit.
 * 0, ERROR_MEMORY, ERROR_SYSTEM. */
int link_tcp_new(uv_loop_t *loop, int fd, SSL *ssl, bool agent, uint64_t limit_ms,
	const struct link_tcp_events *events, struct link_tcp **ret_tcp);

SSL *link_tcp_ssl(struct link_tcp *tcp);
enum link_tcp_phase link_tcp_phase(const struct link_tcp *tcp);
void link_tcp_admit(struct link_tcp *tcp);

/* Queues one frame. 0 or ERROR_LIMIT: the queue is full (frames other than
 * DATA always have a little room left). */
int link_tcp_send(struct link_tcp *tcp, const struct frame *frame);

/* Closes once the queue is sent, or after LINK_TCP_LINGER_MS; or at once. */
void link_tcp_close(struct link_tcp *tcp);
void link_tcp_abort(struct link_tcp *tcp);

#endif
