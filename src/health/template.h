/*
 * template.h - what a line must say, with names for its variable parts.
 *
 *     "License acquired; source: {source}; time: {time:number} s; origin: {origin};"
 *
 * Everything outside braces is literal, letter for letter, except that a blank directly before or
 * after a capture stands for any run of blanks, none too (logs pad numbers, web pages collapse
 * them); only between a text and what follows it, one blank must stand. A capture takes as little
 * as it can up to the next literal; a text at the end of a template takes the rest of the line. The
 * template matches the start of a message (or, asked for, any place in it); what follows the
 * template's end is free. "{{" and "}}" are braces.
 *
 * Types: {x} any text; {x:number} sign, digits, decimals (40 bytes at most); {x:hex} hexadecimal
 * digits, 0x before them or not (40 bytes); {x:word} no blanks (512 bytes); {x:user}, {x:host},
 * {x:address} as text, and masked as what they are by --mask. {} is skipped over, and not named;
 * {:word} likewise. {x} may be empty, the others not. A text is followed by a literal, a word by a
 * literal or a blank, or either ends the template.
 */
#ifndef FAIRLEAD_HEALTH_TEMPLATE_H
#define FAIRLEAD_HEALTH_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEMPLATE_CAPTURES 10
#define TEMPLATE_NAME_SIZE 24
#define TEMPLATE_REASON_SIZE 160
#define TEMPLATE_TEXT_MAXIMUM 1024 /* bytes of a template */

enum template_type {
	TEMPLATE_TEXT,
	TEMPLATE_NUMBER,
	TEMPLATE_HEX,
	TEMPLATE_WORD,
	TEMPLATE_USER,
	TEMPLATE_HOST,
	TEMPLATE_ADDRESS,
};

struct capture {
	uint16_t at; /* offset in the matched bytes */
	uint16_t length;
};

struct template;

/* Compiles; 0, ERROR_MEMORY, or ERROR_INPUT with a reason for people. */
int template_new(const char *text, bool anywhere, struct template **ret_template,
	char reason[TEMPLATE_REASON_SIZE]);
void template_free(struct template *template);

/* The longest literal run, without blanks at its ends and without the tolerant blanks: what a
 * search looks for first. "" when there is none. A rule's pattern for lines has at least
 * TEMPLATE_LITERAL_LEAST bytes of it (one for the text of an XML element may have none). */
#define TEMPLATE_LITERAL_LEAST 4
const char *template_literal(const struct template *template);

/* 0 for NULL: an element without template captures nothing. */
size_t template_captures(const struct template *template);
const char *template_name(const struct template *template, size_t index);
/* The index of the capture with this name; -1: there is none, or no template. */
int template_find(const struct template *template, const char *name);
enum template_type template_type(const struct template *template, size_t index);

/* True when it matches; captures[] (as many as template_captures) are set, offsets from `bytes`;
 * false: they may have been written to. Bytes beyond 65,535 are not looked at. Time is bounded by
 * length times template. */
bool template_match(const struct template *template, const char *bytes, size_t length,
	struct capture captures[TEMPLATE_CAPTURES]);

#endif
