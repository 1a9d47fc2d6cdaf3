/*
 * scan.h - one block of whole lines: which lines a pattern knows, whose lines there are, and when.
 *
 * Most lines are only counted: their time and id are compared with those of the line before. A line
 * with a literal of a pattern is taken apart and given to the patterns that have it.
 */
#ifndef FAIRLEAD_HEALTH_SCAN_H
#define FAIRLEAD_HEALTH_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "health/encoding.h"
#include "health/head.h"
#include "health/matcher.h"
#include "health/rule.h"

#define SCAN_BLOCK_MAXIMUM (512 * 1024) /* bytes of a block */
#define SCAN_HITS_MAXIMUM 16384         /* of a block; more are counted */
#define SCAN_COMPONENT 48

#define SCAN_TRACK_NONE 0 /* lines without id */
#define SCAN_TRACK_ZERO 1 /* lines with the all-zero id */

enum scan_kind {
	SCAN_LINE,  /* a pattern knows the line */
	SCAN_XML,   /* the line has a part of a logged broker message */
	SCAN_LATER, /* it has a literal, but continues a line before the block, which was not known
		     */
};

/* The last head before a line: what a continuation inherits. All zero but time STAMP_NONE: there
 * was none. */
struct scan_before {
	enum family family; /* FAMILY_NONE: no head yet */
	int64_t time;       /* STAMP_NONE */
	bool has_id;
	struct session_id id;
	size_t component_length;
	char component[SCAN_COMPONENT];
};

struct scan_hit {
	enum scan_kind kind;
	enum family family; /* of its head, or of the head before */
	int64_t time;
	uint32_t at, length; /* in the block; without the line end */
	uint32_t line;       /* in the block, from 0 */
	uint32_t track;      /* whose line, of result.tracks */
	uint32_t message_at; /* offset in the line: what captures are offsets of */
	uint32_t message_length;
	uint16_t pattern; /* SCAN_LINE */
	struct capture captures[TEMPLATE_CAPTURES];
};

struct scan_track {           /* the lines of one id, those with a head */
	struct session_id id; /* all zero for SCAN_TRACK_NONE, too */
	enum family family;   /* of the first one */
	uint32_t lines;
	int64_t first, last; /* times; STAMP_NONE */
	int64_t host_first;  /* the first line of family A with a time; STAMP_NONE */
	uint32_t host_line;  /* from 0 */
};

/* Belongs to the caller; made by scan_result_init, used again and again. Lines count from 0. */
struct scan_result {
	struct scan_hit *hits; /* by line, then pattern */
	size_t hit_count, hit_capacity;
	uint64_t hits_dropped;
	struct scan_track *tracks; /* the first two always */
	size_t track_count, track_capacity;
	uint32_t *slots; /* of tracks, from 1 */
	size_t slot_count;
	uint32_t lines, lines_long;
	int64_t first, last; /* the smallest and the largest time; STAMP_NONE */
	int64_t begin, end;  /* the first and the last time, as they stand */
	uint32_t begin_line;
	int64_t gap,
		gap_from; /* the largest step between lines that follow each other, and where */
	uint32_t gap_line;
	enum stamp_kind kind;            /* of the first stamp */
	uint32_t families[FAMILY_COUNT]; /* of some lines, the first ones among them */
	enum encoding encoding;          /* of these bytes */
	struct scan_before before;       /* the last head of the block; FAMILY_NONE: it has none */
};

struct scanner;

/* `longest`: bytes of a line that are looked at; the rest is passed over, and the line counted.
 * NULL: memory is short. One for each thread; book and matcher are shared. */
struct scanner *scan_new(
	const struct rule_book *book, const struct matcher *matcher, size_t longest);
void scan_free(struct scanner *scanner);

void scan_result_init(struct scan_result *result);
void scan_result_free(struct scan_result *result);

/* Searches whole lines (the last one may lack its line end). `before`: the last head before the
 * block, or NULL: not known (yet). 0 or ERROR_MEMORY. */
int scan_block(struct scanner *scanner, const char *bytes, size_t length,
	const struct scan_before *before, struct scan_result *result);

/* True when the pattern takes lines of this component. */
bool scan_component_fits(const struct rule_pattern *pattern, const char *component, size_t length);

#endif
