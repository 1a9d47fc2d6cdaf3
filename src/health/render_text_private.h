/*
 * render_text_private.h - the parts of the text form.
 */
#ifndef FAIRLEAD_HEALTH_RENDER_TEXT_PRIVATE_H
#define FAIRLEAD_HEALTH_RENDER_TEXT_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

#include "health/render_page.h"
#include "health/report.h"

#define RENDER_TEXT_NARROW 64 /* below: no result and no detail in tables */
#define RENDER_TEXT_MOMENT 48

/* The day and the time of day of a moment, without what kind does not tell; "" for STAMP_NONE. */
void render_text_day(int64_t time, enum stamp_kind kind, char text[RENDER_TEXT_MOMENT]);
void render_text_clock(int64_t time, enum stamp_kind kind, char text[RENDER_TEXT_MOMENT]);

/* render_text_session.c: one line about a session; and the heading of one that is told in full. */
void render_text_line(const struct render_page *page, const struct report_session *session);
void render_text_heading(const struct render_page *page, const struct report_session *session);

/* render_text_alike.c: of each finding, by its number, those of the same rule that say the same. A
 * bundle may have many thousands of them. */
#define RENDER_ALIKE_NONE SIZE_MAX
struct render_alike {
	size_t first;     /* of them; perhaps the finding itself */
	size_t next;      /* or RENDER_ALIKE_NONE */
	size_t count;     /* of all of them */
	int64_t duration; /* the longest */
};
/* Free with free(); NULL: memory is short. */
struct render_alike *render_text_alike(const struct report_session *session);

/* render_text_table.c: a line for each diagnostic, worst first; those that passed again and again
 * in one, those without evidence folded. */
void render_text_table(const struct render_page *page, const struct report_session *session,
	const struct render_alike *alike);

/* render_text_detail.c: what a line of the table says behind its time; nothing when there are no
 * words for it. */
void render_text_detail(
	const struct render_page *page, const struct finding *finding, struct render_words *words);

/* render_text_cause.c: a block for each failure and warning: cause, who should do what, evidence.
 */
void render_text_causes(const struct render_page *page, const struct store *store,
	const struct report_session *session, const struct render_alike *alike);

#endif
