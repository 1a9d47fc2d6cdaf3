/*
 * progress.h - how far a long reading has come, on standard error of a terminal.
 *
 * Nothing is shown before PROGRESS_AFTER, so that a short check stays quiet.
 */
#ifndef FAIRLEAD_CHECK_PROGRESS_H
#define FAIRLEAD_CHECK_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "health/read.h"

#define PROGRESS_AFTER (CLOCK_SECOND / 2)

struct progress {
	FILE *stream; /* NULL: nothing is shown */
	const struct clock *clock;
	int64_t begun;
	bool shown;
};

/* Shows only if the stream is a terminal. */
void progress_begin(struct progress *progress, FILE *stream, const struct clock *clock);

/* For read_options.progress, the context being the struct progress. */
void progress_step(void *context, const struct read_progress *read);

/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
