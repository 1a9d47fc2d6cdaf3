/*
 * store.h - what was read of the logs and is kept: sources, sessions, sightings, series.
 *
 * Bounded: most lines of a log say nothing to any rule and are only counted. What the limits
 * stop is counted, and said in the report.
 */
#ifndef FAIRLEAD_HEALTH_STORE_H
#define FAIRLEAD_HEALTH_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "health/bundle.h"
#include "health/encoding.h"
#include "health/head.h"
#include "health/rule.h"

#define STORE_SESSIONS_MAXIMUM 16384
#define STORE_SOURCES_MAXIMUM 100000
#define STORE_BYTES_MAXIMUM (112 * 1024 * 1024) /* of everything below */
#define STORE_SESSION_SIGHTINGS 8192            /* of one session, all patterns */
#define STORE_REPEATS_MAXIMUM 512               /* of one pattern in one session */
#define STORE_HOST_REPEATS_MAXIMUM 49152 /* the same, of STORE_HOST: three for each session */
#define STORE_TEXT_MAXIMUM 1024          /* bytes of a line that is quoted */
#define STORE_SKIPPED_MAXIMUM 1000       /* kept with their texts; more are counted */
#define STORE_PLOT_POINTS 96

#define STORE_HOST 0 /* the session number of lines that belong to none (yet) */

struct skipped { /* something that was not read */
	char *path;
	char *reason;
	uint64_t count; /* the same again */
	bool lost;      /* not BUNDLE_PASSED_OVER */
};

struct source { /* one log file */
	char *path;
	char *group;  /* see bundle_member */
	char *folder; /* the group without its last part: logs beside each other come from one
			 machine */
	uint64_t order;
	enum family family; /* of most of its first lines; FAMILY_TOOL when no line has a head */
	enum encoding encoding;
	enum stamp_kind kind; /* of its stamps */
	uint64_t lines;
	uint64_t lines_long; /* longer than the scanner takes; their rest was not read */
	uint64_t zeros;      /* NUL bytes that were passed over */
	uint64_t bytes;
	uint64_t check;      /* CRC-64 of the bytes as they lie in the bundle once unpacked */
	int64_t first, last; /* times; STAMP_NONE when no line has one */
	int64_t gap,
		gap_from;  /* largest step between two lines that follow each other, and where; 0 */
	uint32_t gap_line; /* the line after the gap */
	char sha256[65];   /* of the bytes as they lie in the bundle once unpacked; "" unless asked
			      for */
	char *reason;      /* NULL, or why its rest was not read */
	const char *twin;  /* NULL, or "same log as PATH": its lines were left out */
};

struct session { /* number 0 (STORE_HOST) is not a session */
	bool has_id;
	struct session_id id;
	uint32_t source;     /* without id: the source (first of its group) it stands for */
	int64_t first, last; /* times of its lines; STAMP_NONE */
	int64_t host_first;  /* first line of family A with a time; STAMP_NONE. For the clock
				difference */
	uint32_t host_source, host_line; /* where */
	uint64_t lines;
	uint32_t sightings; /* kept */
	uint32_t dropped;   /* sightings beyond the limits */
	bool kept;          /* a line of it that a pattern knows was within since and until */
	bool filtered;      /* the filter leaves it out (another id; after store_sort also: no line
			       within since and until): its lines say whose the all-zero ones are
			       not, reports do not name it */
};

struct sighting {         /* a line that a pattern knows */
	int64_t time;     /* STAMP_NONE */
	uint32_t session; /* STORE_HOST for all-zero ids, and for files without ids whose lines have
			     no time */
	uint32_t source;
	uint32_t line; /* from 1 */
	uint16_t pattern;
	uint16_t repeats;    /* equal lines dropped directly after it */
	const char *text;    /* the line, clean UTF-8; evidence */
	const char *matched; /* what the captures are offsets of: a part of `text`, or an element's
				text */
	struct capture captures[TEMPLATE_CAPTURES];
};

struct plot_point {
	int64_t time; /* of the first value in it */
	float mean, highest;
	uint32_t count;
};

struct series { /* the numbers of one measure in one session and source */
	const struct rule_measure *measure;
	uint32_t session, source;
	uint64_t count, warnings,
		fails; /* values; those beyond the limits (a fail is not a warning) */
	double sum, lowest, highest;
	int64_t first, last;   /* times */
	int64_t gap, gap_from; /* largest time between two values */
	uint32_t gap_line;
	int64_t worst_time; /* of the most extreme value in the limits' direction */
	uint32_t worst_line;
	char *worst_text; /* its line */
	struct plot_point
		*points; /* neighbours are joined when there would be more than STORE_PLOT_POINTS */
	size_t point_count, point_capacity;
	uint32_t point_values; /* values in a full point */
};

struct store {
	const struct rule_book *book;
	struct source *sources;
	size_t source_count, source_capacity;
	struct session *sessions;
	size_t session_count, session_capacity; /* with number 0 */
	struct sighting *sightings;             /* in the order of reading until store_sort */
	size_t sighting_count, sighting_capacity;
	struct series *series;
	size_t series_count, series_capacity;
	struct skipped *skipped;
	size_t skipped_count, skipped_capacity;
	uint64_t skipped_more;     /* beyond STORE_SKIPPED_MAXIMUM */
	bool rest_lost;            /* there was a BUNDLE_LOST_REST: more may be missing */
	uint64_t lost_more;        /* the lost ones of these */
	uint64_t sessions_dropped; /* lines of sessions beyond the limit */
	uint64_t
		sessions_lost; /* how many sessions they are of; with sessions_lost_more at least */
	bool sessions_lost_more;
	uint64_t sightings_dropped;
	uint64_t others_dropped; /* lines of sessions that the filter leaves out, beyond their
				    limits */
	bool one_session;        /* the filter names a session */
	int64_t until; /* of the filter: later lines were only counted; STAMP_NONE: no limit */
	struct store_private *private;
};

/* What the reader passes on. Defaults: STAMP_NONE, STAMP_NONE, NULL. */
struct store_filter {
	int64_t since, until; /* lines with a time outside are only counted; STAMP_NONE: no limit */
	const char *session;  /* NULL, or the start of an id (at least 4 characters): lines of other
				 sessions are the first to be dropped: half of the room and of the
				 sessions is left to the wanted ones; all-zero ids stay */
};

/* The book outlives the store. NULL: memory is short. */
struct store *store_new(const struct rule_book *book, const struct store_filter *filter);
void store_free(struct store *store);

/* A new source; its number, or ERROR_LIMIT (told to the skipped ones) or ERROR_MEMORY. */
int store_source(struct store *store, const struct bundle_member *member, uint32_t *ret_number);
int store_skip(struct store *store, const char *path, const char *reason, enum bundle_why why);

/* The session's number for an id (all-zero: STORE_HOST), made when new. STORE_HOST also when the
 * limit is reached. A session whose lines are all outside of since and until makes room for a new
 * one: then its number is another session's, so compare the id when others were made meanwhile. */
uint32_t store_session(struct store *store, const struct session_id *id);
/* The session that stands for a source whose lines carry no ids, one for each group. */
uint32_t store_session_of_source(struct store *store, uint32_t source);
/* Counts lines of a session that there was no room for: its id or source, lines and times. */
void store_session_lost(struct store *store, const struct session *lost);

/* Adds a line that a pattern knows: to sightings, series or both, as the pattern says. `matched`
 * and `text` are copied. 0 (also when a limit dropped it) or ERROR_MEMORY. */
int store_add(struct store *store, const struct sighting *sighting, size_t matched_length);

/* Leaves out what logs say that are there twice: those with times whose bytes are the same (by
 * length and CRC-64), lines, times and sightings too; the first one read stays. Then sorts the
 * sightings: by time, then group, order, line; those without time last, by source and line. Numbers
 * the parts of groups from 0, the oldest. Call once, after reading. 0 or ERROR_MEMORY. */
int store_sort(struct store *store);

/* Bytes held, for tests of the bound. */
size_t store_used(const struct store *store);

#endif
