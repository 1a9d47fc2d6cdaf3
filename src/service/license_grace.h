/*
 * license_grace.h - how long a host may do without its licence service.
 *
 * The moment of the last success is kept in a small text file, so that a restart does not begin the
 * grace period anew. The file is replaced as a whole. docs/licence-exchange.md, 4.1, says what a
 * missing, foreign or future one means. Times are wall microseconds. Calls read and write that
 * file, which is short and seldom.
 */
#ifndef FAIRLEAD_SERVICE_LICENSE_GRACE_H
#define FAIRLEAD_SERVICE_LICENSE_GRACE_H

#include <stdint.h>

struct license_grace {
	const char *file; /* NULL: nothing is remembered, no grace */
	const char *host; /* id of this machine; one line of text */
	unsigned days;    /* 0: no grace */
};

/* Notes a success, unless one of the last hour is noted. 0 or ERROR_SYSTEM (errno). */
int license_grace_remember(const struct license_grace *grace, int64_t now);

/* When the period that is running ends. 0; ERROR_NOT_FOUND: no success is known, or there is no
 * grace at all; ERROR_EXPIRED: it is over; ERROR_SYSTEM (errno): a success in the future could not
 * be corrected. */
int license_grace_until(const struct license_grace *grace, int64_t now, int64_t *ret_until);

/* Whole days until then. */
int license_grace_days(int64_t until, int64_t now);

#endif
