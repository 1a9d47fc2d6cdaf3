/*
 * render_private.h - what the renderers share: names, durations, what was not read.
 */
#ifndef FAIRLEAD_HEALTH_RENDER_PRIVATE_H
#define FAIRLEAD_HEALTH_RENDER_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "health/report.h"

#define RENDER_DURATION_SIZE 48
#define RENDER_NUMBER_SIZE 32

/* "direct", "brokered", "unknown"; "pre-session", "session", "host"; "utc", "local", "uptime",
 * "none". */
const char *render_path_name(enum report_path path);
const char *render_phase_name(enum rule_phase phase);
const char *render_clock_name(enum stamp_kind kind);

/* "412 ms", "2.7 s", "4 min 3 s", "2 h 5 min", "3 d 4 h"; "" for a negative one. */
void render_duration(int64_t microseconds, char text[RENDER_DURATION_SIZE]);

/* A number with commas: "12,345"; returns the text. */
const char *render_number(uint64_t number, char text[RENDER_NUMBER_SIZE]);

/* Something that was not read, of a source or of a path that gave none. */
struct render_skip {
	const char *path;
	const char *reason;
	uint64_t count;
};

/* All of them in the order of the store: what was skipped, then sources that were cut short and
 * their lines that were too long, NUL bytes, and logs that are there twice; the same path and
 * reason only once. Free with free(). NULL with a count of 0: nothing, or *ret_error is
 * ERROR_MEMORY. */
struct render_skip *render_skips(const struct store *store, size_t *ret_count, int *ret_error);

/* The skips are sorted by path: those of this path, NULL and 0 when there are none. */
const struct render_skip *render_skips_of(
	const struct render_skip *skips, size_t count, const char *path, size_t *ret_count);

#endif
