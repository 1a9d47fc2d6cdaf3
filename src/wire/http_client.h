/*
 * http_client.h - HTTPS requests from a libuv loop (libcurl's multi interface).
 *
 * Connections are kept and used again. Verification is never off unless the
 * policy says so. One client belongs to one loop.
 */
#ifndef FAIRLEAD_WIRE_HTTP_CLIENT_H
#define FAIRLEAD_WIRE_HTTP_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "wire/certificate.h"
#include "wire/http_server.h"

struct http_client;

int http_client_new(uv_loop_t *loop, struct http_client **ret_client);

/* Ends running calls (each `done` is called with ERROR_CLOSED, from inside), frees; the
 * loop must still run until its handles are closed. May be called from a `done`. */
void http_client_free(struct http_client *client);

struct http_call {
	const char *url; /* https://host:port/path */
	/* copied; never NULL. Where its name is a host name it is the one sent (SNI and Host),
	 * whatever host the URL has; so a host may be reached by its address. */
	const struct certificate_policy *policy;
	const char *user_agent;
	const char *content_type;
	const struct http_header *headers; /* further ones */
	size_t header_count;
	const char *body;
	size_t body_length;
	unsigned timeout_ms;   /* for all of it: connect, TLS, answer (0: 5000) */
	unsigned connect_ms;   /* of it, for connect and TLS (0: all) */
	size_t answer_maximum; /* bytes of the answer's body (0: HTTP_BODY_MAXIMUM) */
};

struct http_answer {
	int error;          /* 0; ERROR_UNREACHABLE (refused, no route, name), ERROR_TIMEOUT,
			     * ERROR_UNTRUSTED (see report), ERROR_TLS, ERROR_LIMIT (body, or head over
			     * HTTP_HEAD_MAXIMUM), ERROR_CLOSED, ERROR_INPUT (not an https URL; an answer
			     * that	  is not HTTP; a policy whose CA file or fingerprint is none),
			     * ERROR_SYSTEM	  (its CA	  file cannot be read), ERROR_MEMORY */
	const char *detail; /* one line for people; never NULL, "" when error is 0 */
	int status;         /* HTTP status, 0 when there was none */
	const char *body;   /* NUL-terminated, never NULL; lives during `done` only, like all texts
			       here */
	size_t body_length;
	const char *cookie; /* value of JSESSIONID in a Set-Cookie header, NULL: none */
	const struct certificate_report *report; /* of this connection's handshake; for a
						  * reused connection as it was then */
	int64_t name_us, connect_us, tls_us,
		total_us; /* times, microseconds from the start; 0: not reached or reused */
};

/* Posts (or GETs when body is NULL). Everything given is copied. `done` is called exactly once, on
 * the loop, never from inside this call. Redirections are answers like others; the environment's
 * proxies are not used; the policy's CA file is read at the next handshake after it has changed.
 * Connections accepted by one policy are not used for another. A kept connection that turns out to
 * be closed before any byte of the answer is replaced once: a server may see such a request twice.
 * 0; or, and then no `done`: ERROR_MEMORY, ERROR_INPUT (a header, user agent or content type with
 * control characters), ERROR_CLOSED (the client is being freed). */
int http_client_post(struct http_client *client, const struct http_call *call,
	void (*done)(void *user, const struct http_answer *answer), void *user);

#endif
