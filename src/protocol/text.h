/*
 * text.h - every text a user reads, by key, in his language.
 *
 * Keys are the results of results.def and the rows of texts.def; both hold the English text. The
 * other languages are gettext catalogues in po/, compiled into the program: no file is read and no
 * locale needs to be installed. A text that lacks a translation is told in English. Result ids are
 * for programs and never change with the language.
 */
#ifndef FAIRLEAD_PROTOCOL_TEXT_H
#define FAIRLEAD_PROTOCOL_TEXT_H

#include <stddef.h>

#include "protocol/result.h"

enum text_key {
	TEXT_RESULT = 0, /* none of its own: that of the result */
#define TEXT(name, text, note) TEXT_##name,
#include "protocol/texts.def"
#undef TEXT
#define RESULT(name, group, outcome, origin, text) TEXT_RESULT_##name,
#include "protocol/results.def"
#undef RESULT
	TEXT_COUNT
};

#define TEXT_MAXIMUM 1024 /* bytes of a filled text, as fields.def has it for result-str */

/* A language the program speaks; static. Compare by pointer. */
struct text_language;

/* For a client's locale ("de_AT", "de-AT.UTF-8", "ja"): the language it names, else English. NULL
 * and "" are English. */
const struct text_language *text_language(const char *locale);
const struct text_language *text_english(void);
/* Of all languages, English first; NULL after the last. */
const struct text_language *text_language_at(size_t index);
/* The same number back; below TEXT_LANGUAGES_MAXIMUM, for tables that have a place per language. */
#define TEXT_LANGUAGES_MAXIMUM 16
size_t text_language_index(const struct text_language *language);
/* "en_US", "de_DE", ... as the protocol writes locales; static. */
const char *text_language_locale(const struct text_language *language);

/* The key of a result's own text. */
enum text_key text_of_result(enum result_id result);
/* The key whose English text is exactly this and has no placeholders: another program's text that
 * can be told in any language. Where several have it, the first. TEXT_RESULT: none. */
enum text_key text_known(const char *english);
/* With its placeholders, which are names in braces; static. */
const char *text_template(const struct text_language *language, enum text_key key);

/* What stands for a placeholder. */
struct text_value {
	const char *name; /* without braces */
	const char *text; /* valid UTF-8 */
};

/* Puts values for placeholders; one without a value stays as it is. Cuts at a whole character.
 * Never fails. `text` holds TEXT_MAXIMUM bytes with the NUL. */
void text_fill(const struct text_language *language, enum text_key key,
	const struct text_value *values, size_t count, char text[TEXT_MAXIMUM]);

/* A time to wait, as it stands for {wait}: "40 s", "12 min". Minutes are rounded up. */
void text_wait(const struct text_language *language, unsigned seconds, char text[TEXT_MAXIMUM]);

#endif
