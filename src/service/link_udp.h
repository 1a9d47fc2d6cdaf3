/*
 * link_udp.h - a UDP socket on a loop that answers from the address that was reached.
 */
#ifndef FAIRLEAD_SERVICE_LINK_UDP_H
#define FAIRLEAD_SERVICE_LINK_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "service/link_address.h"

/* Where a datagram came from, and at which of our addresses it arrived. */
struct link_udp_path {
	union link_address peer;
	union link_address local; /* with the socket's port */
	unsigned interface;       /* IPv6; 0: any */
};

typedef void link_udp_receive(
	void *user, const void *bytes, size_t length, const struct link_udp_path *path);

struct link_udp {
	uv_poll_t poll;
	int fd;
	bool connected;
	union link_address bound;
	link_udp_receive *receive;
	void (*closed)(void *user);
	void *user;
};

/* Binds to `local` (an agent's end), or connects to `remote` (a client's),
 * the other one NULL. `udp` stays where it is until `closed` was called.
 * 0 or ERROR_SYSTEM (errno tells). */
int link_udp_open(struct link_udp *udp, uv_loop_t *loop, const union link_address *local,
	const union link_address *remote, link_udp_receive *receive, void *user);

/* Best effort, as UDP is. `path` is NULL for a connected socket. */
void link_udp_send(
	struct link_udp *udp, const struct link_udp_path *path, const void *bytes, size_t length);

void link_udp_close(struct link_udp *udp, void (*closed)(void *user));

#endif
