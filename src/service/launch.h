/*
 * launch.h - preparing a host: launch-session to its agent.
 *
 * Done by the manager, or by a broker that stands alone. The agent's answer, or its silence,
 * becomes the result of the client's allocate-resource, and a target the client can connect to.
 */
#ifndef FAIRLEAD_SERVICE_LAUNCH_H
#define FAIRLEAD_SERVICE_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

#include "service/endpoint.h"

struct launch_host {
	const char *address;                     /* where the agent is reached, without port */
	const char *hostname;                    /* the host's own name; NULL or "": the address */
	uint16_t port;                           /* launch API; 0: 60443 */
	const struct certificate_policy *policy; /* outlives the call */
	unsigned timeout_ms;                     /* 0: PEER_TIMEOUT_MS */
};

struct launch_user {
	const char *user, *domain,
		*password; /* the password is copied into the request and wiped with it */
};

/* Sends launch-session for the transaction's allocate-resource request and fills its reply, which
 * has neither yet: result, target, resource-id and protocol. `done` follows once on the loop; the
 * reply then has its result. The password is used before launch_start returns. 0 or ERROR_MEMORY,
 * ERROR_LIMIT (no `done`). */
int launch_start(struct transaction *transaction, const struct launch_host *host,
	const struct launch_user *user, const char *license_path,
	void (*done)(struct transaction *));

/* What an agent's result means to the client: an id of the ALLOC group. */
enum result_id launch_meaning(enum result_id agent);

/* Whether the agent has a session: `done` gets 1 yes, 0 no, -1 it did not tell. */
int launch_status(struct transaction *transaction, const struct launch_host *host,
	void (*done)(struct transaction *, int active));

#endif
