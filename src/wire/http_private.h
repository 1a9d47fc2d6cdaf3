/*
 * http_private.h - what http_server.c (listening, limits, time), http_connection.c (sockets, TLS),
 * http_transfer.c (bytes) and http_exchange.c (requests and answers) share. Nobody else includes
 * it, except tests.
 *
 * Everything here belongs to one loop.
 */
#ifndef FAIRLEAD_WIRE_HTTP_PRIVATE_H
#define FAIRLEAD_WIRE_HTTP_PRIVATE_H

#include <netinet/in.h>

#include "base/buffer.h"
#include "wire/http_answer.h"
#include "wire/http_guard.h"
#include "wire/http_parse.h"
#include "wire/http_server.h"

/* One TLS record: the most that one SSL_read gives. */
#define HTTP_SCRATCH_SIZE (16 * 1024)

/* Requests from one connection that are answered before others get their turn. */
#define HTTP_TURN_MAXIMUM 16

/* After an answer that the client may not expect yet: how long, and how much, is read and
 * thrown away, so that the kernel does not answer unread bytes with a reset, which would
 * take the answer from the client. */
#define HTTP_LINGER_SECONDS 2
#define HTTP_LINGER_BYTES (512 * 1024)

/* A request that follows the last answer sooner makes a connection a busy one: it keeps OpenSSL's
 * buffers (33 KiB), which otherwise are wiped, freed and made again for every request. After as
 * long without one they are given back. */
#define HTTP_BUSY_MILLISECONDS 1000

/* Exchanges kept for the next request, with their arena's first block. */
#define HTTP_SPARE_MAXIMUM 32

#define HTTP_EXCHANGE_MAXIMUM (512 * 1024)

struct http_link {
	struct http_link *previous;
	struct http_link *next;
};

/* Connections with the same time limit, the one whose time is up first at the front. In the order
 * in which they are swept: where an expired connection may be moved comes before where it was. */
enum http_class {
	HTTP_CLASS_LINGER,
	HTTP_CLASS_WRITE,
	HTTP_CLASS_IDLE,
	HTTP_CLASS_BODY,
	HTTP_CLASS_HEAD,
	HTTP_CLASS_OPEN, /* no limit: the handler's business */
	HTTP_CLASS_COUNT,
};

enum http_state {
	HTTP_STATE_HANDSHAKE,
	HTTP_STATE_FRESH,  /* TLS stands, no byte of the first request */
	HTTP_STATE_HEAD,   /* in the middle of a head */
	HTTP_STATE_BODY,   /* in the middle of a body */
	HTTP_STATE_OPEN,   /* a handler owes the answer */
	HTTP_STATE_WRITE,  /* part of the answer waits for the client */
	HTTP_STATE_IDLE,   /* between requests */
	HTTP_STATE_LINGER, /* answered and shut, reading what is still to come */
	HTTP_STATE_CLOSED, /* waits for libuv to let go */
};

/* What follows when everything has been written. */
enum http_next { HTTP_NEXT_BODY, HTTP_NEXT_IDLE, HTTP_NEXT_CLOSE };

struct http_connection {
	struct http_link link; /* first, so that a link is a connection */
	uv_poll_t poll;
	struct http_server *server;
	SSL *ssl;
	struct http_exchange *exchange; /* NULL: no byte of a request */
	uint64_t deadline;              /* uv_now milliseconds */
	char *rest;                     /* read behind the end of a request; NULL: nothing */
	size_t rest_at;
	size_t rest_length;
	struct buffer out; /* what is still to be written */
	size_t out_at;
	size_t drained;
	int fd;
	int events; /* armed in `poll` */
	enum http_state state;
	enum http_next next;
	bool advancing; /* http_connection_advance is at work below us */
	bool linger;    /* close slowly */
	bool gone;      /* the client has closed its side */
	bool busy;      /* OpenSSL keeps its buffers */
	bool settled;   /* idle, and no longer busy */
	struct http_guard_key key;
	uint16_t peer_port;
	char peer[INET6_ADDRSTRLEN];
	char local[INET6_ADDRSTRLEN];
};

struct http_exchange {
	struct http_exchange *next; /* among the spare ones */
	struct http_server *server;
	struct http_connection *connection; /* NULL: closed meanwhile */
	struct arena *arena;
	bool open; /* handed to the handler, not yet answered */
	struct http_parse parse;
};

struct http_server {
	struct http_server_options options;
	struct http_limits limits;
	SSL_CTX *context;
	struct http_guard *guard;
	bool own_guard;
	int socket;
	uv_poll_t listener;
	uv_timer_t sweeper;
	bool sweeping;
	bool listening;
	bool waiting; /* out of file descriptors: listens again at the next sweep */
	bool ending;
	unsigned connections; /* counted by the guard */
	unsigned handles;     /* connections and listener that libuv still holds */
	unsigned open;        /* exchanges that wait for their answer */
	struct http_link lists[HTTP_CLASS_COUNT];
	struct http_exchange *spare;
	unsigned spare_count;
	int64_t date_second;
	char date[HTTP_DATE_SIZE];
	struct buffer out; /* the answer being written; empty between calls */
	bool stopping;
	void (*stopped)(void *user);
	void *stopped_user;
	char scratch[HTTP_SCRATCH_SIZE];
};

/* --- http_server.c --- */

void http_server_event(
	struct http_server *server, enum http_event event, const char *peer, const char *text);

/* Puts the connection into a state and starts that state's time, unless it is already under the
 * same limit: a handshake, then the head of the first request share one. */
void http_server_move(struct http_connection *connection, enum http_state state);

/* A request begins on an idle connection. */
void http_server_wake(struct http_connection *connection);

/* Starts the time of its state anew. */
void http_server_renew(struct http_connection *connection);

/* Takes the connection from its list and out of the counts. */
void http_server_leave(struct http_connection *connection);

/* Ends a server that has been stopped once nothing is left of it. */
void http_server_settle(struct http_server *server);

const char *http_server_date(struct http_server *server);

/* Closes whoever has passed his time at `now`; the timer calls it twice a second. */
void http_server_sweep(struct http_server *server, uint64_t now);

/* --- http_connection.c --- */

/* Takes over an accepted socket and its count in the guard; on failure both are the caller's. */
int http_connection_start(struct http_server *server, int fd, const struct sockaddr *peer,
	const struct http_guard_key *key);

/* Says good-bye in TLS if it can be said at once, and closes. */
void http_connection_end(struct http_connection *connection);

/* Closes now. The memory lives until the loop's next turn. */
void http_connection_close(struct http_connection *connection);

/* Asks libuv for these events; nothing is said to the kernel unless they change. */
void http_connection_arm(struct http_connection *connection, int events);

/* Waits for what OpenSSL wants after `result`; false: nothing will help. */
bool http_connection_await(struct http_connection *connection, int result);

/* Lets go of the request; one that a handler holds lives until it is answered. */
void http_connection_drop_exchange(struct http_connection *connection);

/* --- http_transfer.c --- */

/* Reads and answers until there is nothing to read, an answer is owed or waits, or
 * others shall have their turn. `readable`: the socket may have something. */
void http_transfer_advance(struct http_connection *connection, bool readable);

/* Writes what is in server->out, then does connection->next. */
void http_transfer_send(struct http_connection *connection);

/* Goes on writing what http_transfer_send could not. */
void http_transfer_flush(struct http_connection *connection);

/* Answers a request that is not worth a handler and closes. */
void http_transfer_refuse(struct http_connection *connection, int status, const char *reason);

/* Reads what nobody wants, until the client closes. */
void http_transfer_drain(struct http_connection *connection);

/* Wipes and frees what was read ahead. */
void http_transfer_drop_rest(struct http_connection *connection);

/* --- http_exchange.c --- */

/* An exchange ready to parse; NULL: memory is short. */
struct http_exchange *http_exchange_take(struct http_connection *connection);

/* Wipes it and keeps it for the next request, or frees it. */
void http_exchange_release(struct http_exchange *exchange);

/* Hands a complete request to the handler. */
void http_exchange_open(struct http_exchange *exchange);

/* Frees the spare ones. */
void http_exchange_clear(struct http_server *server);

#endif
