/*
 * http_parse.h - bytes of a connection into one struct http_request.
 *
 * Drives llhttp (strict) and keeps what it finds in an arena, within the limits of
 * http_server.h. Knows no sockets and no time, so that it can be fed by a test or a fuzzer.
 *
 * Refused although llhttp would take it: Content-Length beside Transfer-Encoding, any transfer
 * coding but a single "chunked", more than one Host or Content-Length, an HTTP version
 * other than 1.0 and 1.1. (RFC 9112, 6.1 and 6.3: what two programs could read in two ways is
 * how requests are smuggled.) A missing or empty Host is accepted: the specification
 * page's own examples send it empty and nothing here depends on it. "Upgrade" is ignored.
 */
#ifndef FAIRLEAD_WIRE_HTTP_PARSE_H
#define FAIRLEAD_WIRE_HTTP_PARSE_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "wire/http_server.h"

enum http_parse_result {
	HTTP_PARSE_MORE,   /* everything was taken, the request is not complete */
	HTTP_PARSE_DONE,   /* the request is complete */
	HTTP_PARSE_FAILED, /* status and reason say why; the connection cannot go on */
};

/* Everything but the first four groups is private. */
struct http_parse {
	struct http_request request; /* complete after HTTP_PARSE_DONE, except the addresses */

	int status;         /* after HTTP_PARSE_FAILED: 400, 413, 431, 500 (memory) */
	const char *reason; /* static text */

	bool head_done;        /* the head is complete, the body may not be */
	bool expects_continue; /* the client waits for "100 Continue" before it sends the body */

	bool keep_alive; /* after HTTP_PARSE_DONE: the client allows another request */
	bool http10;     /* asked with HTTP/1.0 */

	llhttp_t llhttp;
	struct arena *arena;
	bool done;
	char *head; /* target and headers, each followed by a NUL; while it grows, by offset */
	size_t head_length;
	size_t head_capacity;
	size_t head_bytes; /* read so far, white space and all */
	size_t body_bytes; /* the same for the body with its chunk framing and trailers */
	char *body;
	size_t body_length;
	size_t body_capacity;
	size_t count;
	uint16_t names[HTTP_HEADERS_MAXIMUM]; /* offsets in head */
	uint16_t values[HTTP_HEADERS_MAXIMUM];
};

/* Prepares for one request. What it finds lives in the arena. */
void http_parse_begin(struct http_parse *parse, struct arena *arena);

/* Takes the next bytes; they may be forgotten afterwards. ret_used: how many belong to this
 * request; after HTTP_PARSE_DONE the rest is the start of the next one. Not to
 * be called again after DONE or FAILED. */
enum http_parse_result http_parse_feed(
	struct http_parse *parse, const char *bytes, size_t length, size_t *ret_used);

#endif
