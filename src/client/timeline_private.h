/*
 * timeline_private.h - shared by timeline.c and timeline_report.c only.
 */
#ifndef FAIRLEAD_CLIENT_TIMELINE_PRIVATE_H
#define FAIRLEAD_CLIENT_TIMELINE_PRIVATE_H

#include "client/timeline.h"

enum paint { PLAIN, GREEN, RED, YELLOW, DIM, BOLD };

/* What turns a colour on; "" where none is wanted. */
const char *timeline_paint(const struct timeline_style *style, enum paint paint);

/* Breaks a clean text between words, each line indented. */
void timeline_wrapped(
	FILE *stream, const struct timeline_style *style, size_t indent, const char *text);

#endif
