/*
 * store_private.h - what the parts of the store share.
 */
#ifndef FAIRLEAD_HEALTH_STORE_PRIVATE_H
#define FAIRLEAD_HEALTH_STORE_PRIVATE_H

#include "base/arena.h"
#include "health/store.h"

/* How full the store may be for each kind of thing to be taken, so that none of them starves the
 * others: a million members, or a host log full of all-zero ids, leave room for the sessions, and
 * what was skipped can always be said. */
#define STORE_MARK_SOURCES (STORE_BYTES_MAXIMUM / 2)
#define STORE_MARK_OTHERS (STORE_BYTES_MAXIMUM / 2) /* sessions that are not asked for */
#define STORE_MARK_HOST (STORE_BYTES_MAXIMUM / 4 * 3)
#define STORE_MARK_SIGHTINGS (STORE_BYTES_MAXIMUM - 6 * 1024 * 1024)
#define STORE_MARK_ALL STORE_BYTES_MAXIMUM

#define STORE_OTHERS_MAXIMUM (STORE_SESSIONS_MAXIMUM / 2) /* sessions that are not asked for */
#define STORE_LOST_MAXIMUM 65536 /* sessions without room that are told apart; a power of two */

struct store_group {      /* of each source */
	uint32_t first;   /* the first source of the same group */
	uint32_t session; /* of that source: the session that stands for it; STORE_HOST: none */
};

struct store_count { /* of a pattern's sightings in a session */
	uint32_t session;
	uint16_t pattern;
	uint16_t count; /* 0: the slot is empty */
};

struct store_measure {
	const struct rule_measure *measure;
	uint32_t next; /* the next measure of the same pattern, from 1; 0: none */
	uint32_t last; /* the series that was added to last, from 1 */
};

struct store_private {
	int64_t since, until;
	char session[SESSION_ID_TEXT + 1]; /* "": every session */
	struct arena *texts;
	size_t used; /* bytes outside of `texts` */
	uint64_t seed;
	uint32_t *session_slots; /* session numbers; 0: empty */
	uint32_t hand;           /* sessions before it do not make room, see store_session.c */
	size_t others;           /* sessions that are not asked for */
	uint64_t *lost;          /* hashes of sessions without room; 0: empty. NULL: none yet */
	uint32_t *group_slots;   /* source numbers, from 1 */
	size_t group_slot_count;
	struct store_group *groups; /* by source */
	size_t group_capacity;
	struct store_count *counts;
	size_t count_slots, count_used;
	uint32_t *series_slots; /* series, from 1 */
	size_t series_slot_count;
	struct store_measure *measures;
	uint32_t *pattern_measures; /* by pattern: the first measure, from 1; 0: none */
};

/* Takes bytes out of what is left below the mark; false: nothing taken. */
bool store_take(struct store *store, size_t bytes, size_t mark);

/* Room for one more element; returns the array, moved perhaps. NULL and *ret_error ERROR_LIMIT or
 * ERROR_MEMORY: the array is as it was. */
void *store_grow(struct store *store, void *array, size_t count, size_t *capacity, size_t size,
	size_t mark, int *ret_error);

/* An empty table of `count` elements instead of one of `before`, which the caller frees; NULL as
 * above. */
void *store_table(
	struct store *store, size_t before, size_t count, size_t size, size_t mark, int *ret_error);

/* A text in the arena; NULL as above. */
char *store_text(
	struct store *store, const char *bytes, size_t length, size_t mark, int *ret_error);

/* Spreads a key over a table whose size is a power of two; the seed differs from run to run, so
 * that a log cannot be written to make one slot long. */
uint64_t store_hash(const struct store *store, uint64_t key);

/* How full the store may be for lines of this session to be kept. */
size_t store_mark(const struct store *store, uint32_t session);

/* Counts a line that a limit dropped. */
void store_dropped(struct store *store, uint32_t session);

/* True when the times are known, and not within since and until. */
bool store_outside(const struct store *store, int64_t first, int64_t last);

/* store_session.c: not 0: memory is short. */
int store_sessions_prepare(struct store *store);

/* store_twin.c: leaves out what logs say that are there twice. 0 or ERROR_MEMORY. */
int store_twins(struct store *store);

/* store_series.c: finds the measures of each pattern; 0 or ERROR_MEMORY. */
int store_series_prepare(struct store *store);
void store_series_free(struct store *store);
/* Adds the numbers of a line to the series of its pattern's measures; 0 or ERROR_MEMORY. */
int store_series_add(struct store *store, const struct sighting *sighting, size_t matched_length);

/* store_sighting.c: 0 or ERROR_MEMORY. */
int store_sighting_add(struct store *store, const struct sighting *sighting, size_t matched_length);

#endif
