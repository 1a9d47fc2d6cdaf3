/*
 * http_guard.h - connections per address and in all: the server's side of
 * struct http_guard (http_server.h). Thread-safe.
 */
#ifndef FAIRLEAD_WIRE_HTTP_GUARD_H
#define FAIRLEAD_WIRE_HTTP_GUARD_H

#include <sys/socket.h>

#include "wire/http_server.h"

/* What counts as one address: an IPv4 address (mapped ones too), or the first 64 bits of an IPv6
 * address, because that is what one customer gets. */
struct http_guard_key {
	unsigned char bytes[16];
};
void http_guard_key(const struct sockaddr *address, struct http_guard_key *ret_key);

/* Counts a connection. 0, ERROR_LIMIT (too many of this address, unless it is `trusted`),
 * ERROR_BUSY (too many in all). */
int http_guard_enter(struct http_guard *guard, const struct http_guard_key *key, bool trusted);

/* Ends what http_guard_enter counted. */
void http_guard_leave(struct http_guard *guard, const struct http_guard_key *key);

/* The limits with their defaults in place of zeros. */
struct http_limits http_guard_limits(const struct http_limits *limits);

#endif
