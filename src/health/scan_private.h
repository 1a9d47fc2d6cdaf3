/*
 * scan_private.h - following lines: whose they are, and when.
 */
#ifndef FAIRLEAD_HEALTH_SCAN_PRIVATE_H
#define FAIRLEAD_HEALTH_SCAN_PRIVATE_H

#include "health/scan.h"

#define SCAN_RECENT 64 /* a power of two */
#define SCAN_PREFIX 32

struct scan_recent { /* an id as it is written, and its track */
	char text[SESSION_ID_TEXT];
	uint32_t track; /* SCAN_TRACK_NONE: empty */
};

/* The form of the last stamp: "2021-03-24T21:10:" then seconds, ".", digits, "Z". As long as lines
 * keep to it, and most do, only the seconds are read. */
struct scan_shape {
	size_t prefix; /* bytes up to the seconds; 0: no shape */
	size_t digits; /* of the fraction */
	size_t length; /* of the whole stamp */
	char bytes[SCAN_PREFIX];
	char next;      /* the byte after the stamp */
	bool has_id;    /* an id follows after one blank */
	bool is_pcoip;  /* the line was of family A or B, with an id */
	int64_t minute; /* the time without seconds */
	enum stamp_kind kind;
};

struct scan_tracker {
	struct scan_result *result;
	struct scan_shape shape;
	struct scan_recent recent[SCAN_RECENT];
	const char *head; /* the last line with a head */
	size_t head_length;
	uint32_t head_track; /* its track */
	int64_t head_time;
	bool head_short; /* it was like the one before, and not looked at closely */
	uint32_t votes;  /* lines whose family was counted */
};

/* Empties the result. 0 or ERROR_MEMORY. */
int scan_track_begin(struct scan_tracker *tracker, struct scan_result *result);

/* Takes the next line. 0 or ERROR_MEMORY. */
int scan_track_line(struct scan_tracker *tracker, const char *line, size_t length, uint32_t number);

/* Reads the head of the line that was taken last: as head_read does, but without reading again what
 * the tracker knows. */
bool scan_track_head(
	const struct scan_tracker *tracker, const char *line, size_t length, struct head *ret_head);

/* The track of an id, made when new. 0 or ERROR_MEMORY. */
int scan_track_find(struct scan_result *result, const struct session_id *id, uint32_t *ret_track);

/* What the lines after one with this head inherit. */
void scan_track_before(const struct head *head, struct scan_before *ret_before);

#endif
