/*
 * radius_private.h - a group of RADIUS servers, for radius.c and radius_exchange.c.
 */
#ifndef FAIRLEAD_IDENTITY_RADIUS_PRIVATE_H
#define FAIRLEAD_IDENTITY_RADIUS_PRIVATE_H

#include <pthread.h>

#include "identity/radius.h"
#include "identity/resolve.h"

struct radius_peer {
	char *secret;
	char *label; /* "address:port" */
	struct resolve *address;
	int64_t held_until; /* steady; under the group's lock. 0: not held down */
};

struct radius {
	char *nas_identifier;
	struct radius_peer peers[RADIUS_SERVERS_MAXIMUM];
	size_t peer_count;
	enum radius_password password;
	uint64_t retry_ms;
	unsigned tries;
	uint64_t wait_ms;
	int64_t hold_down; /* microseconds */
	bool allow_unsigned;
	pthread_mutex_t lock; /* over all held_until */
};

/* In which order to ask: as configured, those held down last. */
void radius_order(struct radius *radius, int64_t now, size_t order[RADIUS_SERVERS_MAXIMUM]);
/* A peer was silent, or has answered. */
void radius_hold(struct radius *radius, size_t peer, int64_t now);
void radius_release(struct radius *radius, size_t peer);

#endif
