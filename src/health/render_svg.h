/*
 * render_svg.h - the drawings of the HTML report: stages over time, measures over time.
 *
 * Drawings are as wide as their place: positions are percentages, so that texts keep their size
 * on a phone. Colours and strokes are in render_style.css.
 */
#ifndef FAIRLEAD_HEALTH_RENDER_SVG_H
#define FAIRLEAD_HEALTH_RENDER_SVG_H

#include "health/html.h"
#include "health/report.h"

/* Signs and hatchings that all drawings and badges of a page refer to; once, first in its body. */
void render_svg_definitions(const struct html *html);

/* The six stages as a <figure>, or a sentence when the log tells of none. `number` makes ids
 * unique. */
void render_svg_stages(
	const struct html *html, const struct report_session *session, unsigned number);

/* One measure as a <figure>; nothing when the series has no points. `source` NULL, or the log that
 * the numbers are from. */
void render_svg_plot(const struct html *html, const struct report_plot *plot, enum stamp_kind kind,
	const char *source, unsigned number, unsigned part);

#endif
