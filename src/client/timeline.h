/*
 * timeline.h - a connection's six stages, as people watch them.
 *
 * On a terminal the stages stand in a block that is redrawn in place; elsewhere each finished
 * stage is one line. Nothing of the terminal is changed but colours, and those are reset in
 * the same line, so there is nothing to restore when the program is killed.
 */
#ifndef FAIRLEAD_CLIENT_TIMELINE_H
#define FAIRLEAD_CLIENT_TIMELINE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "client/record.h"

struct timeline_style {
	bool live; /* redraw in place */
	bool colour;
	bool utf8;
	unsigned columns; /* of a live block; 0: not limited */
};

/* For this stream and environment: a terminal that TERM calls able, wide and high enough is live;
 * NO_COLOR (https://no-color.org) and the locale are respected. setlocale must have been called. */
struct timeline_style timeline_style_of(FILE *stream);

struct timeline;

/* The stream is not owned. NULL: memory. */
struct timeline *timeline_new(
	FILE *stream, const struct timeline_style *style, const struct clock *clock);
void timeline_free(struct timeline *timeline);

/* Something changed; hands over to struct connect_events.changed. */
void timeline_changed(struct timeline *timeline, const struct record *record,
	enum record_change change, enum record_stage_number stage);

/* Redraws a live block: call about ten times a second. */
void timeline_tick(struct timeline *timeline, const struct record *record);

/* Before something else writes to the terminal: a prompt, a list. The block is taken away and
 * drawn again below. */
void timeline_pause(struct timeline *timeline);

/* Prints the failure of a record, if it has one, and its log id: what it means, and the next step.
 */
void timeline_failure(
	FILE *stream, const struct timeline_style *style, const struct record *record);

/* Prints what another program wrote for people: cleaned, its lines kept, and broken where they are
 * too long. Nothing for "". */
void timeline_text(
	FILE *stream, const struct timeline_style *style, size_t indent, const char *text);
/* The same above such a text. */
void timeline_heading(FILE *stream, const struct timeline_style *style, const char *text);

/* Prints the list of resources. */
void timeline_resources(
	FILE *stream, const struct timeline_style *style, const struct record *record);

#endif
