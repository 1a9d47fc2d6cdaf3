/*
 * read_collect_private.h - a line that a pattern knows becomes a sighting.
 */
#ifndef FAIRLEAD_HEALTH_READ_COLLECT_PRIVATE_H
#define FAIRLEAD_HEALTH_READ_COLLECT_PRIVATE_H

#include "health/read_collect.h"
#include "health/xml_lines.h"

struct message { /* a broker message in the making */
	bool used;
	uint64_t touched;
	struct session_id id;
	struct xml_lines lines;
};

struct read_collector {
	const struct rule_book *book;
	const struct matcher *matcher;
	struct store *store;
	struct scanner *scanner; /* for lines that were left for later */
	struct scan_result later;
	uint64_t all_lines;
	uint32_t *
		sessions; /* by track of the block: its session, STORE_HOST when there is no room */
	size_t session_capacity;
	/* of the source */
	uint32_t source;
	uint64_t lines;
	int64_t end; /* the last time */
	bool has_ids;
	uint32_t families[FAMILY_COUNT];
	struct scan_before before;
	struct message messages[READ_MESSAGES];
	uint64_t touches;
	/* of the line */
	const char *line; /* the one in `text`; NULL: none */
	bool plain;       /* text is the line, byte by byte */
	size_t text_length;
	char text[STORE_TEXT_MAXIMUM];
};

/* read_hit.c: adds a hit of the line at `line`. `track_session`: the session of the hit's track;
 * STORE_HOST when there was no room for it. 0 or ERROR_MEMORY. */
int read_hit_add(struct read_collector *collector, const char *line, const struct scan_hit *hit,
	const struct scan_track *track, uint32_t track_session, uint32_t number);

/* True when lines of this family, without an id but with a time, are those of one session. */
bool read_hit_stands_for_session(const struct read_collector *collector, enum family family);

#endif
