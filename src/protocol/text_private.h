/*
 * text_private.h - what a language is made of.
 */
#ifndef FAIRLEAD_PROTOCOL_TEXT_PRIVATE_H
#define FAIRLEAD_PROTOCOL_TEXT_PRIVATE_H

#include "protocol/text.h"

struct text_language {
	const char *locale;
	const char *templates[TEXT_COUNT]; /* NULL where there is no translation */
};

/* All but English; written by tools/embed-catalogues from po/. */
extern const struct text_language text_catalogues[];
extern const size_t text_catalogue_count;

#endif
