/*
 * text.h - texts of other programs, made fit for a terminal.
 *
 * What a server says is printed for people, so nothing in it may move the
 * cursor, change a colour, or reorder the line: control characters, bidirectional overrides and
 * bytes that are not UTF-8 come out as '?'.
 */
#ifndef FAIRLEAD_BASE_TEXT_H
#define FAIRLEAD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Copies with what is not printable replaced; cut at a character's boundary. `utf8` false:
 * everything beyond ASCII is replaced as well. */
void text_clean(const char *text, bool utf8, char *out, size_t size);

/* Columns that a clean text takes on a terminal. */
size_t text_columns(const char *text);

/* Bytes of the longest start of a clean text that takes at most `columns`. */
size_t text_fit(const char *text, size_t columns);

/* As text_fit, but ends where a word ends if it can, and never before the first character; for
 * breaking lines. */
size_t text_fit_words(const char *text, size_t columns);

#endif
