/*
 * render_page.h - lines on a terminal: clean, coloured, cut and wrapped to its width.
 *
 * Every text that is drawn here is masked and made clean first, so that nothing in a log moves
 * the cursor. Errors stay in the stream: ask ferror() at the end.
 */
#ifndef FAIRLEAD_HEALTH_RENDER_PAGE_H
#define FAIRLEAD_HEALTH_RENDER_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "health/mask.h"
#include "health/render.h"
#include "health/rule.h"

#define RENDER_PAGE_LEAST 40  /* columns */
#define RENDER_PAGE_SPARE 8   /* bytes at a clean text's end that only an ellipsis uses */
#define RENDER_PAGE_TEXT 4096 /* bytes of a clean text; what is longer is cut */
#define RENDER_PAGE_PROSE 110 /* columns of a paragraph on a wider terminal */

struct render_page {
	FILE *stream;
	const struct mask *mask; /* or NULL */
	size_t columns;
	bool colour, utf8;
};

enum render_paint {
	RENDER_PLAIN,
	RENDER_RED,
	RENDER_YELLOW,
	RENDER_GREEN,
	RENDER_DIM,
	RENDER_BOLD,
};

void render_page_init(struct render_page *page, const struct render_text *how,
	const struct mask *mask, FILE *stream);

/* The text, masked and fit for the terminal. */
void render_page_clean(
	const struct render_page *page, const char *text, char clean[RENDER_PAGE_TEXT]);

/* What turns a colour on; "" where none is wanted. */
const char *render_page_paint(const struct render_page *page, enum render_paint paint);

/* The sign of a verdict, one column, and its colour. */
const char *render_page_mark(const struct render_page *page, enum verdict verdict);
enum render_paint render_page_colour(enum verdict verdict);

/* Cuts a clean text to so many columns; what is cut shows as an ellipsis at the end, or (middle) in
 * the last third: what decides often stands at the end of a line. */
void render_page_cut(const struct render_page *page, char clean[RENDER_PAGE_TEXT], size_t columns);
void render_page_cut_middle(
	const struct render_page *page, char clean[RENDER_PAGE_TEXT], size_t columns);

/* A clean text, padded with blanks to the columns. */
void render_page_padded(const struct render_page *page, const char *clean, size_t columns);

/* Prints a clean text broken between words. The first line continues what stands before it on the
 * line (`used` columns), the others are indented; at most `lines` lines (0: any number), the last
 * of them cut in its middle. Lines are at most `width` columns. Ends the last line. Each line is
 * painted by itself, as pagers want it. */
void render_page_wrapped(const struct render_page *page, enum render_paint paint, const char *clean,
	size_t used, size_t indent, size_t width, size_t lines);

/* A row of texts with two blanks between them. */
struct render_words {
	char text[RENDER_PAGE_TEXT];
	size_t length;
};

/* Adds a clean text, after two blanks or directly; what is too long is cut at a character. */
void render_words_add(struct render_words *words, const char *clean);
void render_words_append(struct render_words *words, const char *clean);

#endif
