/*
 * ldap_lockout.h - how near an account of Active Directory is to being locked, whoever counted.
 *
 * Every program has a guard of its own; what all of them share is the directory, which counts bad
 * passwords in `badPwdCount`, locks the account at `lockoutThreshold`, and begins anew when none
 * has come for `lockOutObservationWindow` ([MS-ADA1]; the policy is at the head of the domain). One
 * try is left for others, so none of ours is the one that locks.
 *
 * A number that was read is as old as the search for the user. Tries of this program that were
 * under way meanwhile are taken into account; those of other programs in the same moment are not.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_LOCKOUT_H
#define FAIRLEAD_IDENTITY_LDAP_LOCKOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* What clocks of a domain may differ by, as in Kerberos. */
#define LDAP_LOCKOUT_SKEW (300 * CLOCK_SECOND)
#define LDAP_LOCKOUT_HEAD_MAXIMUM 512 /* bytes of the DN of a domain */

/* Of a domain. */
struct ldap_lockout_policy {
	int64_t threshold; /* 0: nothing is locked, or it could not be read */
	int64_t window;    /* microseconds; 0: forever */
};

/* Of a user. What could not be read is 0. */
struct ldap_lockout_count {
	int64_t bad;
	int64_t last; /* the last bad password; wall */
	bool locked;  /* is by now; no password is counted any more */
};

/* Values as Active Directory writes them: numbers in digits, times in steps of 100 ns, a moment
 * since 1601, a while negative. What is no number is 0. */
int64_t ldap_lockout_number(const char *text, size_t length);
int64_t ldap_lockout_moment(int64_t steps);
int64_t ldap_lockout_while(int64_t steps);

/* Bad passwords that may still be tried; INT64_MAX: any number. */
int64_t ldap_lockout_left(const struct ldap_lockout_policy *policy,
	const struct ldap_lockout_count *count, int64_t wall);

/* The domain's part of a user's DN; NULL: it has none. */
const char *ldap_lockout_head(const char *dn);

/* --- what checks of one directory share; thread-safe --- */

struct ldap_lockout;

/* `keep`: how long a policy is good. NULL: memory. */
struct ldap_lockout *ldap_lockout_new(int64_t keep, const struct clock *clock);
void ldap_lockout_free(struct ldap_lockout *lockout); /* NULL is allowed; no try is under way */

/* False: not known, or too old. */
bool ldap_lockout_get_policy(
	struct ldap_lockout *lockout, const char *head, struct ldap_lockout_policy *ret_policy);
void ldap_lockout_put_policy(
	struct ldap_lockout *lockout, const char *head, const struct ldap_lockout_policy *policy);

/* To be taken before a user's count is read. */
uint64_t ldap_lockout_mark(struct ldap_lockout *lockout);

enum ldap_lockout_verdict {
	LDAP_LOCKOUT_GO,    /* a try has begun: ldap_lockout_end must follow */
	LDAP_LOCKOUT_FULL,  /* none is left */
	LDAP_LOCKOUT_AGAIN, /* a try has failed since the mark: the count is to be read again */
	LDAP_LOCKOUT_LATE   /* other tries were under way until `until` */
};
/* `left` as read since `mark`. Waits while those under way could use up what is left. */
enum ldap_lockout_verdict ldap_lockout_begin(struct ldap_lockout *lockout, const char *account,
	uint64_t mark, int64_t left, int64_t until);
/* `right`: the directory has counted nothing. */
void ldap_lockout_end(struct ldap_lockout *lockout, const char *account, bool right);

#endif
