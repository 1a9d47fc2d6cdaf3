/*
 * html.h - writing HTML that foreign text cannot break out of.
 *
 * Every text that was read from a log goes through html_log, every other one through html_text;
 * html_raw and html_print are for markup of our own. The markup is well-formed XML too, so that a
 * tool can check it. Errors stay in the stream: ask ferror() at the end.
 */
#ifndef FAIRLEAD_HEALTH_HTML_H
#define FAIRLEAD_HEALTH_HTML_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "health/mask.h"
#include "health/rule.h"
#include "health/stamp.h"

struct html {
	FILE *stream;
	const struct mask *mask; /* or NULL */
};

/* As it stands. */
void html_raw(const struct html *html, const char *markup);
void html_print(const struct html *html, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Escaped, for text and for values of attributes. What would reorder or hide text (controls,
 * bidirectional overrides) is written out as its number; bytes that are not UTF-8 become U+FFFD. */
void html_text(const struct html *html, const char *text);

/* The same for the first `length` bytes of it, or all when it is shorter. */
void html_part(const struct html *html, const char *text, size_t length);

/* Masked, then escaped. */
void html_log(const struct html *html, const char *text);

/* html_log in a <code> whose direction its neighbours do not share. */
void html_code(const struct html *html, const char *text);

/* "12,345"; "1 session", "12,345 sessions". */
void html_number(const struct html *html, uint64_t number);
void html_count(const struct html *html, uint64_t number, const char *one, const char *many);

/* <time>: date and time of day to the second, or the time of day alone to the millisecond. A dash
 * for STAMP_NONE. */
void html_moment(const struct html *html, int64_t time, enum stamp_kind kind);
void html_clock(const struct html *html, int64_t time, enum stamp_kind kind);

/* The moment where something ends: without the date when that is the start's. */
void html_end(const struct html *html, int64_t start, int64_t end, enum stamp_kind kind);

/* Hours and minutes, without any element: for texts in drawings. */
void html_minute(const struct html *html, int64_t time, enum stamp_kind kind);

/* What the times of this kind are counted in: "UTC". */
const char *html_zone(enum stamp_kind kind);

/* The verdict's sign (its form differs, not only its colour), alone or with its title. */
void html_sign(const struct html *html, enum verdict verdict);
void html_badge(const struct html *html, enum verdict verdict);

#endif
