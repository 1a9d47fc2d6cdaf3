/*
 * render.h - a report as text, JSON and HTML.
 *
 * Each renderer writes to a stream as it goes, so that a report of ten thousand sessions needs no
 * memory of its size. 0 or ERROR_SYSTEM (write failed) or ERROR_MEMORY.
 */
#ifndef FAIRLEAD_HEALTH_RENDER_H
#define FAIRLEAD_HEALTH_RENDER_H

#include <stdbool.h>
#include <stdio.h>

#include "health/report.h"

struct mask;

struct render_text {
	unsigned columns; /* of the terminal; at least 40 are used */
	bool colour;
	bool utf8; /* signs beyond ASCII may be used */
};

/* `mask` NULL: texts as they are (see mask.h). */
int render_text(const struct report *report, const struct mask *mask, const struct render_text *how,
	FILE *stream);
int render_json(const struct report *report, const struct mask *mask, FILE *stream);
int render_html(const struct report *report, const struct mask *mask, FILE *stream);

#endif
