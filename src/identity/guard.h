/*
 * guard.h - one guard for every place where a password or a code can be tried.
 *
 * It counts failures per user, per account (what a source made of the name: two spellings of one
 * user are one account), per address and prefix, per fingerprint of the password, and in all, and
 * refuses tries before a directory would lock the account. All in memory, nothing written; a
 * fingerprint is an HMAC under a key that the process draws at its start and never tells.
 *
 * What a try costs a user, an account or a password is taken when it begins and given back when it
 * turns out right: a thousand tries at once get no further than a thousand one after the other. Of
 * one address, prefix and in all a number of tries may be open at once beside the failures: many
 * people may be behind one address. A user who logged on from an address before (a known pair)
 * keeps a few tries of his own there, and is not shut out by what strangers do: neither by failures
 * against his name, nor by one password being sprayed, nor by a flood.
 *
 * Names that do not exist are counted as those that do. Thread-safe. Bounded: a fixed number of
 * counters; the limit in all keeps strangers from filling them within a window, and of what that
 * limit does not count (tries of known users, lost ones) the oldest gives way. The reasons for all
 * this are in guard.c.
 */
#ifndef FAIRLEAD_IDENTITY_GUARD_H
#define FAIRLEAD_IDENTITY_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "identity/reason.h"

struct guard;

/* What the limits may be at most; what is above is cut. */
#define GUARD_WINDOW_MOST 2592000 /* seconds: 30 days */
#define GUARD_USER_MOST 1000      /* user, known and password */
#define GUARD_ALL_MOST 10000      /* address, prefix and all */
#define GUARD_DELAY_MOST 60000    /* milliseconds */
/* Defaults that a configuration is checked against. */
#define GUARD_DELAY_MS 1000
#define GUARD_DELAY_LONGEST_MS 4000

/* 0 takes the default. Active Directory forgets bad passwords when none has come for 10 to 30
 * minutes and commonly locks at 5 to 10 of them: the window must be as long as the directory's, and
 * user + known must stay below its threshold. */
struct guard_limits {
	unsigned window_seconds; /* 1800: failures count for so long; those of a user or an account
				  * until so long after the last of them, as in directories */
	unsigned user;           /* 3 failures of a user or an account, from anywhere */
	unsigned known;          /* 1 more from addresses where he logged on before */
	unsigned address;        /* 12 failures of an IPv4 address, or an IPv6 /64 */
	unsigned prefix;         /* 60 failures of an IPv4 /24, or an IPv6 /48; also those of known
				  * users of one address */
	unsigned password;       /* 6 users failing with one and the same password */
	unsigned all;            /* 3000 failures in all, of strangers */
	unsigned delay_ms;       /* 1000: a failed answer comes this long after the question at the
				  * earliest, and doubles with each failure of its user or address */
	unsigned delay_most_ms;  /* 4000 */
	bool off;                /* counts nothing, refuses nothing, delays nothing */
};

/* The key is drawn from `entropy`. 0, ERROR_MEMORY, ERROR_SYSTEM. */
int guard_new(const struct guard_limits *limits, const struct clock *clock,
	const struct entropy *entropy, struct guard **ret_guard);
void guard_free(struct guard *guard); /* NULL is allowed */
/* New limits from now on; counts stay. */
void guard_set_limits(struct guard *guard, const struct guard_limits *limits);

/* Which limit speaks. */
enum guard_limit {
	GUARD_NONE,
	GUARD_USER,
	GUARD_ADDRESS,
	GUARD_PREFIX,
	GUARD_PASSWORD,
	GUARD_ALL,
	GUARD_LIMIT_COUNT
};
/* "user", "address", "prefix", "password", "all" for the log; static. */
const char *guard_limit_name(enum guard_limit limit);

#define GUARD_MARKS 6
/* One try, from begin to end; a plain value, to be kept by who began it. A try that is open has to
 * be ended: until then it counts as a failure, however long that takes. */
struct guard_try {
	uint64_t user; /* keys; 0: none */
	uint64_t address;
	uint64_t place;              /* where the user is known after a success */
	uint32_t marks[GUARD_MARKS]; /* what was taken, in the guard's book; 0: nothing */
	bool open;                   /* begun, not ended: costs are taken */
	bool known;                  /* user and address logged on before */
	bool denied;                 /* by guard_account */
};

/* Where tries that are open stand in the way of others, those are told to wait for so long. */
#define GUARD_OPEN_SECONDS 5

struct guard_answer {
	enum guard_limit limit; /* GUARD_NONE: go ahead */
	unsigned wait_seconds;  /* until another try is admitted; at least 1 when refused */
	bool busy;  /* only tries that are open stand in the way: it may be asked again soon; never
		     * `first` */
	bool first; /* worth a line in the log: within a window, the first refusal by
		     * this limit of this user, address, ... */
};

/* Before a password is looked at. `user` as typed and `domain` (may be ""): compared without
 * regard to case, DOMAIN\user and user@domain as one with user and domain. `address` numeric.
 * `password` NULL or "": none is tried (a code), no password's count is touched. What is no numeric
 * address counts as one address, at which nobody is known. Refused, the try is not open and costs
 * nothing. */
void guard_begin(struct guard *guard, const char *user, const char *domain, const char *address,
	const char *password, struct guard_try *ret_try, struct guard_answer *ret_answer);

/* Once the source knows the account (before it tries the password): false when that account has
 * had its failures, and the answer, untouched otherwise, says which limit and how long. That is for
 * the log: only the account of a user who exists can be refused, so whoever has not proven his
 * password is to be told what a wrong password is told. For the same reason guard_end counts a try
 * that was denied as WRONG, whatever it is told, but not against the account. On any thread. */
bool guard_account(struct guard *guard, struct guard_try *try, const char *account,
	struct guard_answer *ret_answer);

/* How long after its beginning a failed answer is to be given: at least the delay of guard_limits,
 * the same whether the user exists or not. Microseconds. Before or after guard_end. */
int64_t guard_delay(struct guard *guard, const struct guard_try *try);

/* What came of it. RIGHT: everything is given back, the failures of user and account are forgotten
 * (a directory does the same; other tries of theirs that are open go on), user and address are
 * known from now on: to be told once all that was asked for is proven, not after a part of it.
 * WRONG: the costs stay, their window begins. LOST: user, account and password keep theirs (the
 * directory may have counted), address, prefix and all are given back. NONE: all given back.
 * Idempotent: a try that is not open is left alone. */
void guard_end(struct guard *guard, struct guard_try *try, enum reason_count count);

/* Figures for tests. */
struct guard_state {
	size_t counters;      /* in use */
	size_t counters_most; /* there is room for */
	uint64_t refused[GUARD_LIMIT_COUNT];
};
void guard_state(struct guard *guard, struct guard_state *ret_state);

#endif
