/*
 * license_store.h - seats and leases in SQLite.
 *
 * The seats come from the configuration; what is stored is who holds a lease until when, so
 * that a restart of the service forgets nothing. Calls block (a commit reaches the disk): use the
 * work queue. Thread-safe. Times are wall microseconds, because they must survive a restart.
 * Several processes may share a file: what is taken is counted in the same transaction that takes.
 */
#ifndef FAIRLEAD_SERVICE_LICENSE_STORE_H
#define FAIRLEAD_SERVICE_LICENSE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/entropy.h"
#include "protocol/result.h"

#define LICENSE_LEASE_SIZE 33 /* 128 random bits as hexadecimal, with NUL */
#define LICENSE_TEXT_SIZE 257 /* of feature, host id, host name, session; with NUL */
#define LICENSE_FAULT_SIZE 512

struct license_seats {       /* one line of the configuration */
	const char *feature; /* "standard" */
	unsigned seats;
	int64_t expires; /* wall; INT64_MAX: never */
};

struct license_request { /* texts must fit LICENSE_TEXT_SIZE (asserted); the message tables see to
			    it */
	const char *feature;
	const char *host;    /* id of the agent's machine: what a lease is bound to */
	const char *name;    /* its host name, for people */
	const char *session; /* log id of the session; "" if none */
};

struct license_lease {
	char id[LICENSE_LEASE_SIZE];
	char feature[LICENSE_TEXT_SIZE];
	char host[LICENSE_TEXT_SIZE], name[LICENSE_TEXT_SIZE], session[LICENSE_TEXT_SIZE];
	int64_t until;   /* wall; never beyond `expires` */
	int64_t expires; /* of the licence; INT64_MAX: never */
	unsigned seats_total, seats_free;
};

struct license_store;

/* Opens or creates (mode 0600) the database file. ERROR_STORE: damaged, another program's, newer
 * than this program, not readable; ERROR_MEMORY. `fault` says why. Nothing is configured then. */
int license_store_open(const char *file, const struct entropy *entropy,
	struct license_store **ret_store, char fault[LICENSE_FAULT_SIZE]);
/* NULL is allowed. No call may be running. */
void license_store_close(struct license_store *store);

/* New seats (start, SIGHUP); copied. When a feature has fewer than are taken, the oldest leases
 * stay and the others are refused at their next renewal. 0 or ERROR_MEMORY (the old seats stay). */
int license_store_configure(
	struct license_store *store, const struct license_seats *seats, size_t count);

/* Takes a seat for a host until now + lease. A host that already holds one of that feature gets the
 * same lease again (an agent that restarted), now for this session. RESULT_LICENSE_GRANTED, or
 * _DENIED_NO_SEATS, _DENIED_NOT_CONFIGURED, _DENIED_EXPIRED, or RESULT_LICENSE_SERVICE_BUSY when
 * the store fails: see license_store_fault. The lease is untouched unless granted. */
enum result_id license_store_checkout(struct license_store *store,
	const struct license_request *request, int64_t now, int64_t lease,
	struct license_lease *ret_lease);

/* The lease ends now + lease, but is never made longer than it was given for.
 * RESULT_LICENSE_RENEWED, _UNKNOWN_LEASE (ended, another host's) or as above. */
enum result_id license_store_renew(struct license_store *store, const char *id, const char *host,
	int64_t now, int64_t lease, struct license_lease *ret_lease);

/* RESULT_LICENSE_RETURNED, _UNKNOWN_LEASE or _SERVICE_BUSY. ret_lease: what was returned. */
enum result_id license_store_return(struct license_store *store, const char *id, const char *host,
	int64_t now, struct license_lease *ret_lease);

/* Removes leases that ran out; `ended` is called for each, with the store locked: it must not call
 * the store. Seats are not filled in. Returns how many or ERROR_STORE. */
int license_store_expire(struct license_store *store, int64_t now,
	void (*ended)(void *user, const struct license_lease *lease), void *user);

/* How many leases there are now, ended ones not counted; ERROR_STORE. */
int license_store_count(struct license_store *store, int64_t now);

/* Why the last call of any thread failed; "" when none did. */
void license_store_fault(struct license_store *store, char fault[LICENSE_FAULT_SIZE]);

#endif
