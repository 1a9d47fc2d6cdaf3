/*
 * stamp.h - the time at the start of a log line.
 *
 * All times of the health check are microseconds since 1970 in an int64_t. Stamps with Z
 * or an offset are UTC. Unmarked ones are the machine's local time: they are read as if
 * they were UTC and compare only with others of the same folder, which stands for a machine. An
 * uptime counts from zero, and compares only within one log with its rotated parts.
 */
#ifndef FAIRLEAD_HEALTH_STAMP_H
#define FAIRLEAD_HEALTH_STAMP_H

#include <stddef.h>
#include <stdint.h>

#define STAMP_NONE INT64_MIN /* a line without time */
#define STAMP_TEXT_SIZE 32

enum stamp_kind {
	STAMP_KIND_NONE,
	STAMP_KIND_UTC,
	STAMP_KIND_OFFSET, /* UTC already, written with an offset */
	STAMP_KIND_LOCAL,
	STAMP_KIND_UPTIME,
};

struct stamp {
	enum stamp_kind kind;
	int64_t time;
};

/* Reads a stamp at the start of the bytes (0 to 9 fraction digits; blanks before it are the
 * caller's). Returns the bytes it takes; 0 and *ret_stamp untouched when there is none or it
 * names no possible moment (month 13, hour 25; second 60 is taken as 59). Forms: ISO 8601 with
 * Z, an offset or nothing (unmarked: local); "12/02/2011, 09:42:21.375" and "01/10/10 19:48:54"
 * (month first); "2011/04/16 10:20:52.606"; "37d,05:43:43.474". */
size_t stamp_read(const char *bytes, size_t length, struct stamp *ret_stamp);

/* "2021-03-24T21:10:59.601Z", an uptime as "37d 05:43:43.474"; "-" for STAMP_NONE. Milliseconds,
 * cut. Without the Z for local times. */
void stamp_print(int64_t time, enum stamp_kind kind, char text[STAMP_TEXT_SIZE]);

/* What people type after --since and --until: any form above, a date alone (its midnight, UTC).
 * 0 or ERROR_INPUT. */
int stamp_option(const char *text, int64_t *ret_time);

#endif
