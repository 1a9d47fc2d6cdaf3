/*
 * template_private.h - a compiled template. Part of template.h: template.c makes it,
 * template_match.c matches.
 */
#ifndef FAIRLEAD_HEALTH_TEMPLATE_PRIVATE_H
#define FAIRLEAD_HEALTH_TEMPLATE_PRIVATE_H

#include "health/template.h"

#define TEMPLATE_ITEMS 48 /* literals, tolerant blanks and captures of one template */

enum template_item_kind {
	TEMPLATE_ITEM_LITERAL,
	TEMPLATE_ITEM_BLANKS, /* any run of blanks */
	TEMPLATE_ITEM_CAPTURE,
};

struct template_item {
	enum template_item_kind kind;
	enum template_type type; /* of a capture */
	bool whole_only;         /* a number, and the literal after it begins with a point */
	int name;                /* index of a capture; -1: not kept */
	uint16_t at, length;     /* of a literal, in literals[] */
};

struct template
{
	bool anywhere;
	size_t item_count;
	size_t name_count;
	char names[TEMPLATE_CAPTURES][TEMPLATE_NAME_SIZE];
	enum template_type types[TEMPLATE_CAPTURES];
	struct template_item items[TEMPLATE_ITEMS];
	size_t literals_length;
	char literals[TEMPLATE_TEXT_MAXIMUM]; /* all of them, one after the other */
	char longest[TEMPLATE_TEXT_MAXIMUM + 1];
};

/* A type that ends where what follows it begins. */
bool template_item_is_text(const struct template_item *item);

#endif
