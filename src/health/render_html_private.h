/*
 * render_html_private.h - the parts of the HTML report: page, session, finding.
 *
 * Sessions are numbered in the order in which the page shows them, from 1; the host is 0. The
 * numbers make the anchors: names and ids of a log never become ids of the page.
 */
#ifndef FAIRLEAD_HEALTH_RENDER_HTML_PRIVATE_H
#define FAIRLEAD_HEALTH_RENDER_HTML_PRIVATE_H

#include "health/html.h"
#include "health/render_private.h"
#include "health/report.h"

/* The style sheet, line by line, then NULL. */
extern const char *const render_html_style[];

/* The session's id, or the log it stands for. */
void render_html_name(const struct html *html, const struct report_session *session);

/* A session in full. */
void render_html_session(const struct html *html, const struct report *report,
	const struct report_session *session, unsigned number);

/* Everything in it that was judged, worst first, then what has no evidence. */
void render_html_findings(
	const struct html *html, const struct report *report, const struct report_session *session);

/* Files that were read, and what was not. */
void render_html_inputs(const struct html *html, const struct store *store);
void render_html_skipped(const struct html *html, const struct report *report,
	const struct render_skip *skips, size_t count);

#endif
