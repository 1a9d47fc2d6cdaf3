/*
 * text.c - languages, and texts with their placeholders filled.
 */
#include "protocol/text.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "protocol/text_private.h"

#define WAIT_IN_MINUTES 120 /* seconds; whoever waits longer does not count them */

static const struct text_language english = {
	"en_US",
	{
#define TEXT(name, text, note) [TEXT_##name] = (text),
#include "protocol/texts.def"
#undef TEXT
#define RESULT(name, group, outcome, origin, text) [TEXT_RESULT_##name] = (text),
#include "protocol/results.def"
#undef RESULT
	},
};

const struct text_language *text_english(void)
{
	return &english;
}

const struct text_language *text_language_at(size_t index)
{
	if (index == 0)
		return &english;
	return index <= text_catalogue_count ? &text_catalogues[index - 1] : NULL;
}

size_t text_language_index(const struct text_language *language)
{
	return language == &english ? 0 : (size_t)(language - text_catalogues) + 1;
}

/* Whether a locale begins with the language of another: "de-AT.UTF-8" with that of "de_DE". */
static bool speaks(const char *locale, const char *other)
{
	size_t length = strcspn(other, "_");

	return strncasecmp(locale, other, length) == 0 && strcspn(locale, "_-.@") == length;
}

const struct text_language *text_language(const char *locale)
{
	const struct text_language *language;

	if (locale == NULL)
		return &english;
	for (size_t i = 0; (language = text_language_at(i)) != NULL; i++)
		if (speaks(locale, language->locale))
			return language;
	return &english;
}

const char *text_language_locale(const struct text_language *language)
{
	return language->locale;
}

enum text_key text_of_result(enum result_id result)
{
	assert(result > RESULT_NONE && result < RESULT_COUNT);
	/* Both enumerations have the results in the order of results.def. */
	return (enum text_key)(TEXT_COUNT - (int)RESULT_COUNT + (int)result);
}

enum text_key text_known(const char *text)
{
	for (int key = TEXT_RESULT + 1; key < TEXT_COUNT; key++)
		if (strcmp(english.templates[key], text) == 0 && strchr(text, '{') == NULL)
			return (enum text_key)key;
	return TEXT_RESULT;
}

const char *text_template(const struct text_language *language, enum text_key key)
{
	const char *text;

	assert(key > TEXT_RESULT && key < TEXT_COUNT);
	text = language->templates[key];
	return text != NULL ? text : english.templates[key];
}

/* A text that grows until it is full. */
struct filling {
	char *text;
	size_t length;
	bool full;
};

static void put(struct filling *filling, const char *text, size_t length)
{
	size_t room = TEXT_MAXIMUM - 1 - filling->length;

	if (filling->full)
		return;
	if (length > room) {
		filling->full = true;
		length = room;
		while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	memcpy(filling->text + filling->length, text, length);
	filling->length += length;
}

/* The value for a placeholder of so many bytes without its braces; NULL: none. */
static const char *value_of(
	const char *name, size_t length, const struct text_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(values[i].name, name, length) == 0 && values[i].name[length] == '\0')
			return values[i].text;
	return NULL;
}

void text_fill(const struct text_language *language, enum text_key key,
	const struct text_value *values, size_t count, char text[TEXT_MAXIMUM])
{
	struct filling filling = {.text = text};
	const char *rest = text_template(language, key);

	while (*rest != '\0') {
		size_t plain = strcspn(rest, "{"), name;
		const char *value;

		put(&filling, rest, plain);
		rest += plain;
		if (*rest == '\0')
			break;
		name = strcspn(rest + 1, "{}");
		value = rest[1 + name] == '}' ? value_of(rest + 1, name, values, count) : NULL;
		if (value != NULL) {
			put(&filling, value, strlen(value));
			rest += name + 2;
		} else {
			put(&filling, rest, 1 + name);
			rest += 1 + name;
		}
	}
	text[filling.length] = '\0';
}

void text_wait(const struct text_language *language, unsigned seconds, char text[TEXT_MAXIMUM])
{
	bool minutes = seconds >= WAIT_IN_MINUTES;
	char number[16];
	const struct text_value value = {"number", number};

	snprintf(number, sizeof(number), "%u",
		minutes ? seconds / 60 + (seconds % 60 != 0) : seconds);
	text_fill(language, minutes ? TEXT_MINUTES : TEXT_SECONDS, &value, 1, text);
}
