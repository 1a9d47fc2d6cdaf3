/*
 * guard_private.h - the parts of the guard; nobody else's.
 *
 * guard.c       what is admitted, and what a try costs
 * guard_key.c   from names, addresses and passwords to keys
 * guard_book.c  who has failed how often, and until when that counts
 * guard_known.c who has logged on from where
 *
 * Only guard_key.c is called without the guard's lock.
 */
#ifndef FAIRLEAD_IDENTITY_GUARD_PRIVATE_H
#define FAIRLEAD_IDENTITY_GUARD_PRIVATE_H

#include <locale.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/entropy.h"

/* --- keys --- */

#define GUARD_SECRET_BYTES 32

/* Reading it is thread-safe. */
struct guard_ring {
	EVP_MAC *mac;
	locale_t locale; /* 0: there is none, only ASCII letters lose their case */
	unsigned char secret[GUARD_SECRET_BYTES];
};

/* Nobody without the secret can choose what has a given key. */
struct guard_keys {
	uint64_t user;
	uint64_t address;
	uint64_t prefix;
	uint64_t password; /* 0: none */
	bool placed;       /* the address is one */
};

/* 0, ERROR_MEMORY, ERROR_SYSTEM. */
int guard_key_open(struct guard_ring *ring, const struct entropy *entropy);
/* Zeros are allowed. */
void guard_key_close(struct guard_ring *ring);
/* 0 or ERROR_MEMORY. */
int guard_key_try(const struct guard_ring *ring, const char *user, const char *domain,
	const char *address, const char *password, struct guard_keys *ret_keys);
int guard_key_account(const struct guard_ring *ring, const char *account, uint64_t *ret_key);
/* A key for two things together; `of` in `with` is not `with` in `of`. Never 0. */
uint64_t guard_key_pair(uint64_t of, uint64_t with);

/* --- the book --- */

/* Every mark belongs to one counter, so there are never more counters than marks. */
#define GUARD_MARKS_MOST 131072
#define GUARD_BUCKETS 131072 /* a power of two */

/* What a counter counts. */
enum guard_kind {
	GUARD_TOTAL,    /* failures, all of which count until a window after the last */
	GUARD_DISTINCT, /* those who failed, each until a window after his last failure */
	GUARD_EACH      /* failures, each for a window */
};

/* Failed marks stand in a row, oldest first. */
enum guard_row {
	GUARD_ROW_NONE,
	GUARD_ROW_HELD,  /* has its window */
	GUARD_ROW_SPARE, /* gives way before its time when room is short */
	GUARD_ROW_COUNT
};

/* One or several failures, or tries that are open and may become some. Indexes; 0: none. */
struct guard_mark {
	int64_t time; /* of the last failure */
	uint64_t who; /* GUARD_DISTINCT only */
	uint32_t counter;
	uint32_t before, after; /* of the same counter; failed ones in the order of time */
	uint32_t older, newer;  /* in its row */
	uint32_t failed;
	uint32_t open;
	enum guard_row row;
};

struct guard_counter {
	uint64_t key;
	int64_t told; /* when a refusal was last said to be the first */
	enum guard_kind kind;
	bool has_told;
	uint32_t next; /* in its bucket, or free */
	uint32_t first, last;
	uint32_t cost; /* what it counts */
	uint32_t sure; /* the part of it that tries which are open cannot give back */
};

struct guard_line {
	uint32_t oldest, newest;
};

struct guard_book {
	struct guard_mark *marks;
	struct guard_counter *counters;
	uint32_t *buckets;
	uint32_t marks_used, marks_fresh, marks_free; /* fresh ones were never used */
	uint32_t counters_used, counters_fresh, counters_free;
	struct guard_line rows[GUARD_ROW_COUNT];
};

/* 0 or ERROR_MEMORY. */
int guard_book_open(struct guard_book *book);
void guard_book_close(struct guard_book *book);
/* Forgets what has had its time: before anything is looked up. Times and windows in microseconds.
 */
void guard_book_age(struct guard_book *book, int64_t now, int64_t window);
/* Makes room for so many marks, if need be at the cost of spare ones. */
bool guard_book_room(struct guard_book *book, uint32_t count);
/* NULL: it has nothing to count. Stays until something is settled, forgotten, aged or made room
 * for. */
struct guard_counter *guard_book_find(const struct guard_book *book, uint64_t key);
/* Whether GUARD_DISTINCT counts him. */
bool guard_book_has(
	const struct guard_book *book, const struct guard_counter *counter, uint64_t who);
/* Counts a try that is open. There must be room. Returns its mark, which stays until it is settled.
 */
uint32_t guard_book_take(struct guard_book *book, uint64_t key, enum guard_kind kind, uint64_t who);
/* A try has ended. `row` NONE: it is given back; else it has failed. */
void guard_book_settle(struct guard_book *book, uint32_t mark, enum guard_row row, int64_t now);
/* Forgets the failures of a GUARD_TOTAL counter, not its tries that are open. `mark` is one of it,
 * and open. */
void guard_book_forget(struct guard_book *book, uint32_t mark);
/* How long until the counter, which is at its limit or above, is below it. 0: as soon as tries that
 * are open are given back. */
int64_t guard_book_wait(const struct guard_book *book, const struct guard_counter *counter,
	unsigned limit, int64_t now, int64_t window);

/* --- who is known --- */

#define GUARD_KNOWN_USERS 32768
#define GUARD_KNOWN_PLACES 8 /* of one user: nobody with one account fills the table */
#define GUARD_KNOWN_DAYS 30

struct guard_place {
	uint64_t key; /* 0: none */
	int64_t time; /* of the last success */
};

/* Indexes; 0: none. */
struct guard_friend {
	uint64_t key;
	uint32_t next; /* in its bucket */
	uint32_t older, newer;
	struct guard_place places[GUARD_KNOWN_PLACES];
};

struct guard_known {
	struct guard_friend *friends;
	uint32_t *buckets;
	uint32_t used;
	uint32_t oldest, newest;
};

/* 0 or ERROR_MEMORY. */
int guard_known_open(struct guard_known *known);
void guard_known_close(struct guard_known *known);
bool guard_known_has(const struct guard_known *known, uint64_t user, uint64_t place, int64_t now);
/* The user least recently seen gives way to another one, and so does the place of a user. */
void guard_known_add(struct guard_known *known, uint64_t user, uint64_t place, int64_t now);

#endif
