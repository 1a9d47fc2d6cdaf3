/*
 * http_server.h - HTTP/1.1 over TLS on a libuv loop.
 *
 * llhttp reads, OpenSSL encrypts directly on the socket (uv_poll, no copy
 * through memory BIOs), one write sends head and body. Everything of a
 * connection happens on its own loop. Knows nothing of brokers.
 *
 * What it answers by itself: 400 not HTTP, 408 slow, 413 body too large, 431
 * head too large, 503 when as many requests are being worked on as there may be connections;
 * each with a line of text, and closes the connection. Pipelined requests are answered
 * one after the other. HTTP/1.0 works. "Expect: 100-continue" is answered.
 *
 * Starting a server makes the process ignore SIGPIPE, unless it does something else with it
 * already: OpenSSL cannot write to a socket without the risk of it.
 */
#ifndef FAIRLEAD_WIRE_HTTP_SERVER_H
#define FAIRLEAD_WIRE_HTTP_SERVER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/arena.h"

#define HTTP_BODY_MAXIMUM (64 * 1024)
#define HTTP_HEAD_MAXIMUM (16 * 1024)
#define HTTP_HEADERS_MAXIMUM 64

struct http_header {
	const char *name;  /* as sent */
	const char *value; /* without surrounding white space */
};

/* One request; everything lives in the exchange's arena. */
struct http_request {
	const char *method;
	const char *path;  /* without query */
	const char *query; /* NULL: none */
	const struct http_header *headers;
	size_t header_count;
	const char *body; /* NUL-terminated, though it may contain NUL */
	size_t body_length;
	const char *peer;  /* numeric address without port */
	const char *local; /* numeric address the client reached */
	uint16_t peer_port;
};

/* First header of that name, any case; NULL if absent. */
const char *http_request_header(const struct http_request *request, const char *name);

struct http_response {
	int status;               /* 200 ... */
	const char *content_type; /* NULL: no body type header */
	const char *body;
	size_t body_length;
	const struct http_header *headers; /* further ones, written with this spelling */
	size_t header_count;
	bool chunked; /* body as one chunk (real clients want it) instead of Content-Length */
	bool close;   /* close the connection after the answer */
};

/* A request waiting for its answer. */
struct http_exchange;

const struct http_request *http_exchange_request(const struct http_exchange *exchange);

/* Lives until the answer is written; at most 512 KiB. */
struct arena *http_exchange_arena(struct http_exchange *exchange);

/* True when the client has gone, or has closed its side: the answer is still owed, but most
 * likely nobody reads it. */
bool http_exchange_gone(const struct http_exchange *exchange);

/* Answers, exactly once per exchange, at once or later, on the loop that got the
 * request. The exchange is invalid afterwards; the response is copied. Head and body together have
 * at most 1 MiB, else the answer is a 500. "Date", "Connection", "Content-Length" and
 * "Transfer-Encoding" are written here. A header with a control character is left out. The body is
 * not sent for HEAD, 204 and 304; `chunked` is ignored for HTTP/1.0. */
void http_exchange_reply(struct http_exchange *exchange, const struct http_response *response);

struct http_limits {
	unsigned connections;             /* in all, on this server object (0: 4096) */
	unsigned connections_per_address; /* 0: 256 */
	unsigned head_seconds; /* from first byte (or accept) to end of head, as much again
				* for the body, and for the client to take any part of
				* the answer (0: 10) */
	unsigned idle_seconds; /* between requests (0: 60) */
};

/* What happened, for the program's log and counters. */
enum http_event {
	HTTP_EVENT_TLS_FAILED,  /* text: why */
	HTTP_EVENT_REFUSED,     /* a limit on connections; text: which */
	HTTP_EVENT_BAD_REQUEST, /* 400, 408, 413, 431; text: status and why */
};

struct http_server_options {
	uv_loop_t *loop;
	SSL_CTX *context;                 /* a reference is taken */
	const struct http_limits *limits; /* NULL: defaults; copied */
	/* Counts connections per address across all loops of a program; NULL: own. */
	struct http_guard *guard;
	/* Must answer every exchange exactly once. */
	void (*handle)(void *user, struct http_exchange *exchange);
	void (*event)(void *user, enum http_event event, const char *peer, const char *text);
	/* Whether a numeric address may have any number of connections: a proxy or a manager,
	 * behind whom many people are. NULL: nobody may. */
	bool (*trusted)(void *user, const char *address);
	void *user;
};

/* Connections per address and in all, shared by the servers of several loops; thread-safe. An IPv6
 * address counts by its first 64 bits. When full, a new connection first displaces the connection
 * that has been idle between requests longest on its own server (of its own address, if
 * that limit is reached), so that idle ones cannot keep others out; else it is closed. With a
 * shared guard, http_server_options.limits still bounds its server. Free it after the servers. */
struct http_guard;
struct http_guard *http_guard_new(const struct http_limits *limits);
void http_guard_free(struct http_guard *guard);

/* Opens a listening TCP socket (SO_REUSEPORT, SO_REUSEADDR, non-blocking,
 * close-on-exec). "0.0.0.0:443", "[::]:443", "host:0". On port 0 the kernel
 * chooses; the first socket's choice is reported in ret_port and later loops
 * bind that. An IPv6 address takes IPv6 only, "[::]" too. 0, ERROR_INPUT (not an address),
 * ERROR_SYSTEM (errno). */
int http_listen(const char *address, int *ret_socket, uint16_t *ret_port);

/* "host:port" or "[v6]:port" into its parts; 0 or ERROR_INPUT. */
int http_split_address(const char *address, char *host, size_t host_size, uint16_t *ret_port);

struct http_server;

/* Serves one listening socket (owned by the server from now on). A program
 * makes one per listener and loop. 0, ERROR_MEMORY, ERROR_SYSTEM; the socket is then
 * still the caller's. */
int http_server_start(
	const struct http_server_options *options, int socket, struct http_server **ret_server);

/* New connections use this context from now on (SIGHUP). Call on the loop. */
void http_server_set_context(struct http_server *server, SSL_CTX *context);

/* Stops accepting, closes idle connections, lets open exchanges be answered
 * (each with "Connection: close"), then calls `stopped` once and frees itself; never from within
 * http_server_stop or http_exchange_reply. Requests half received may still be completed. */
void http_server_stop(struct http_server *server, void (*stopped)(void *user), void *user);

unsigned http_server_connections(const struct http_server *server);

#endif
