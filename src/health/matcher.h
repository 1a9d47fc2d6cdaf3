/*
 * matcher.h - finds the literals of all patterns of a book in a block of bytes, at once.
 *
 * Equal literals are searched once. ":XML:" is searched too when a pattern asks for an element of a
 * logged broker message. A matcher is constant and may be shared; each thread has a finder of its
 * own.
 */
#ifndef FAIRLEAD_HEALTH_MATCHER_H
#define FAIRLEAD_HEALTH_MATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "health/rule.h"

/* Compiling the literals takes longer than searching this many bytes one literal after the other.
 */
#define MATCHER_SMALL (256 * 1024)

struct matcher;
struct finder;

struct match {
	uint32_t end; /* offset after the literal */
	uint16_t literal;
};

/* Compiles for a search of many bytes; `small`: of at most MATCHER_SMALL in a call, made without
 * compiling. 0, ERROR_MEMORY, or ERROR_INPUT: a literal cannot be searched. */
int matcher_new(const struct rule_book *book, bool small, struct matcher **ret_matcher);
void matcher_free(struct matcher *matcher);

/* The literals are numbered from 0. */
size_t matcher_literals(const struct matcher *matcher);

/* The numbers of the patterns that have this literal, ascending; *ret_count may be 0 (":XML:"). */
const uint16_t *matcher_patterns(
	const struct matcher *matcher, uint16_t literal, size_t *ret_count);

/* The number of ":XML:"; matcher_literals() when it is not searched. */
uint16_t matcher_xml(const struct matcher *matcher);

/* The numbers of the patterns with an xml_element, ascending. */
const uint16_t *matcher_xml_patterns(const struct matcher *matcher, size_t *ret_count);

/* NULL: memory is short. */
struct finder *matcher_finder_new(const struct matcher *matcher);
void matcher_finder_free(struct finder *finder);

/* All matches in the bytes, by their ends; of a literal that stands in a line several times, one at
 * least. *ret_matches belongs to the finder until its next call. *ret_searched: so many bytes were
 * searched, at least one line; fewer than `length` when there are too many matches: then it is the
 * start of a line, and the rest needs another call. 0 or ERROR_MEMORY. */
int matcher_find(struct finder *finder, const char *bytes, size_t length,
	const struct match **ret_matches, size_t *ret_count, size_t *ret_searched);

#endif
