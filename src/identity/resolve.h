/*
 * resolve.h - a server's name, resolved without ever holding a logon longer than it may wait.
 *
 * Looking up a name may take as long as the resolver likes, so a thread of its own does it, one for
 * all who ask; who waits goes on without it when his time is over. An answer is kept for a minute
 * from when it was asked for, and while a newer one is looked up, and when none can be had. A
 * numeric address needs no look-up. Thread-safe.
 */
#ifndef FAIRLEAD_IDENTITY_RESOLVE_H
#define FAIRLEAD_IDENTITY_RESOLVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/clock.h"

#define RESOLVE_ADDRESSES_MAXIMUM 8 /* of one name; further ones are left out */

struct resolve;

/* A name or a numeric address, copied; a port; SOCK_STREAM or SOCK_DGRAM. NULL: memory. */
struct resolve *resolve_new(const char *host, uint16_t port, int socket_type);
/* Does not wait: a look-up that is under way ends by itself. NULL is allowed. */
void resolve_free(struct resolve *resolve);

struct resolve_addresses {
	struct sockaddr_storage list[RESOLVE_ADDRESSES_MAXIMUM]; /* with the port */
	socklen_t lengths[RESOLVE_ADDRESSES_MAXIMUM];
	size_t count;
};

/* Waits until then (steady). 0, ERROR_NOT_FOUND (no such name, or no name server that knows),
 * ERROR_TIMEOUT (no answer until then), ERROR_MEMORY. */
int resolve_get(struct resolve *resolve, const struct clock *clock, int64_t until,
	struct resolve_addresses *ret_addresses);

/* The same for those who must not wait: ERROR_TIMEOUT means to ask again later, with the same
 * `number`, which is 0 the first time and then says which look-up is waited for. */
int resolve_poll(struct resolve *resolve, const struct clock *clock, unsigned long *number,
	struct resolve_addresses *ret_addresses);

/* Why the last look-up brought nothing, for the log; static. */
const char *resolve_trouble(struct resolve *resolve);

#endif
