/*
 * link_listen.h - opening the session's two server sockets on one port.
 */
#ifndef FAIRLEAD_SERVICE_LINK_LISTEN_H
#define FAIRLEAD_SERVICE_LINK_LISTEN_H

#include "service/link_address.h"
#include "service/link_udp.h"

/* Opens a listening TCP socket and `udp` on the same address and port; with
 * port 0 one that is free for both. 0, ERROR_INPUT (address), ERROR_SYSTEM (errno tells). */
int link_listen(const char *address, uv_loop_t *loop, struct link_udp *udp,
	link_udp_receive *receive, void *user, int *ret_fd, union link_address *ret_bound);

#endif
