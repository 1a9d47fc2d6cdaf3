/*
 * license_client.h - the agent's side of the licence exchange (docs/licence-exchange.md, 4).
 *
 * Checks a seat out for a session, renews it at half its lease, returns it at the end. When the
 * service cannot be reached the grace period counts: so many days from the last success, remembered
 * in a state file, so that a restart does not begin it anew. One client per agent; one lease at a
 * time. Runs on one loop. Logs the vendor's lines.
 */
#ifndef FAIRLEAD_SERVICE_LICENSE_CLIENT_H
#define FAIRLEAD_SERVICE_LICENSE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/result.h"
#include "service/license_path.h"
#include "service/loop.h"
#include "wire/certificate.h"

enum license_state {
	LICENSE_NONE, /* nothing checked out */
	LICENSE_ACQUIRED,
	LICENSE_GRACE,                 /* unreachable; still allowed for grace_days */
	LICENSE_DENIED_NOT_CONFIGURED, /* no service address anywhere */
	LICENSE_DENIED_NO_SEATS,       /* all taken, or none of this feature; see detail */
	LICENSE_DENIED_EXPIRED,
	LICENSE_DENIED_UNREACHABLE, /* unreachable and no grace left */
};

struct license_status {
	enum license_state state;
	char source[LICENSE_PATH_HOST_SIZE +
		64];        /* "https://host:7070/fairlead-license/xml"; "" if not configured */
	int remaining_days; /* of the licence, -1: it never expires; in grace: of the grace period
			     */
	unsigned seats_free, seats_total;
	int64_t took_us;  /* of the last checkout */
	char detail[256]; /* why, for people; "" when acquired */
};

/* Texts and policy are copied. */
struct license_client_options {
	struct loop *loop; /* its uv may be NULL: then what is due is told by license_client_tick */
	const char *address; /* configured, as license_path_read takes it; NULL or "": none */
	bool restrict_path;  /* a launch request's path is ignored unless it names `address` */
	struct certificate_policy
		policy;       /* name NULL: the host that is called; it counts for `address` only */
	const char *feature;  /* "standard" */
	const char *host_id;  /* stable id of this host; at most 128 bytes */
	const char *hostname; /* its name, for the service's log */
	const char *state_file; /* remembers the last success; NULL: no grace */
	unsigned grace_days;    /* 0: none */
	/* Told when a running session's licence changes: back from grace, into grace, denied. After
	 * a denial nothing is tried any more. */
	void (*changed)(void *user, const struct license_status *status);
	void *user;
};

struct license_client;

/* 0, ERROR_INPUT (the address is none), ERROR_MEMORY. */
int license_client_new(
	const struct license_client_options *options, struct license_client **ret_client);
/* Returns nothing to the service: call license_client_return first. No callback is called any more.
 * Not from inside a callback. The loop must still run until its handles are closed. NULL is
 * allowed. */
void license_client_free(struct license_client *client);

/* Asks for a seat for the session `log_id`; `path` is the launch request's license-path (NULL or
 * "": none). May be called while a lease is held: a session that is taken over. `done` once, on the
 * loop, never from inside; with state NONE when the licence was returned meanwhile. 0, ERROR_BUSY
 * (a checkout is under way), ERROR_MEMORY: then no `done`. */
int license_client_checkout(struct license_client *client, const char *log_id, const char *path,
	void (*done)(void *user, const struct license_status *status), void *user);
/* Ends the lease; the state is NONE at once. `done` (may be NULL) follows once on the loop, when
 * the service has answered or has not; never from inside, unless memory is short. */
void license_client_return(struct license_client *client, void (*done)(void *user), void *user);
const struct license_status *license_client_status(const struct license_client *client);
/* About once a second. */
void license_client_tick(struct license_client *client);

/* Whether a session may run. */
bool license_client_allowed(const struct license_client *client);

#endif
