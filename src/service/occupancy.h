/*
 * occupancy.h - who occupies which single-user host. Thread-safe; by host name.
 *
 * A hold has an end: a user who never came to his session, or whose agent
 * died, does not keep the host for ever. It survives a reload of the inventory, not a
 * restart of the program.
 */
#ifndef FAIRLEAD_SERVICE_OCCUPANCY_H
#define FAIRLEAD_SERVICE_OCCUPANCY_H

#include <stdint.h>

#include "base/clock.h"
#include "identity/identity.h"

#define OCCUPANCY_HOSTS_MAXIMUM 65536

struct occupancy;

int occupancy_new(const struct clock *clock, struct occupancy **ret_occupancy);
void occupancy_free(struct occupancy *occupancy);

struct occupant {
	char user[IDENTITY_NAME_MAXIMUM + 1];
	char domain[IDENTITY_NAME_MAXIMUM + 1];
	int64_t since; /* wall */
	int64_t until; /* wall; the hold ends here at the latest */
	uint64_t hold; /* which hold this is: a later one of the same user has another number */
};

/* Takes the host (any case) for this user for `hold` microseconds at the longest; the
 * same user may take it again, which begins a new hold. In both cases ret_occupant tells who
 * has it now. 0, ERROR_BUSY (another user has it), ERROR_MEMORY, ERROR_LIMIT (too many hosts),
 * ERROR_INPUT (a name is too long). */
int occupancy_take(struct occupancy *occupancy, const char *host, const char *user,
	const char *domain, int64_t hold, struct occupant *ret_occupant);

/* Frees the host if this very hold is still in force. */
void occupancy_leave(
	struct occupancy *occupancy, const char *host, const struct occupant *occupant);

/* Who has the host now: 0, ERROR_NOT_FOUND. */
int occupancy_who(struct occupancy *occupancy, const char *host, struct occupant *ret_occupant);

#endif
