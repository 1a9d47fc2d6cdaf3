#include "health/xml_lines.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "health/encoding.h"

#define REFERENCE_MAXIMUM 10 /* "&#x10FFFF;" without "&" */

/* What an excerpt that begins below the root may begin with. */
static const char *const requests[] = {"hello", "authenticate", "get-resource-list",
	"allocate-resource", "bye", "launch-session", "session-status", "checkout-license",
	"renew-license", "return-license"};

static const char *const roots[] = {
	"pcoip-client", "pcoip-broker", "pcoip-agent", "fairlead-license"};

struct taker {
	struct xml_lines *lines;
	xml_lines_seen *seen;
	void *context;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool listed(const char *const *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i], name) == 0)
			return true;
	}
	return false;
}

static bool is_root(const char *name)
{
	return listed(roots, sizeof(roots) / sizeof(roots[0]), name);
}

static bool is_message(const char *name)
{
	size_t length = strlen(name);

	if (length > 5 && strcmp(name + length - 5, "-resp") == 0)
		return true;
	return listed(requests, sizeof(requests) / sizeof(requests[0]), name);
}

/* A character of a reference; 0: it names none. */
static uint32_t reference(const char *name, size_t length)
{
	static const struct {
		char name[5];
		char character;
	} entities[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
	uint32_t value = 0, base = 10;

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		if (strlen(entities[i].name) == length &&
			memcmp(entities[i].name, name, length) == 0)
			return (unsigned char)entities[i].character;
	}
	if (length < 2 || name[0] != '#')
		return 0;
	size_t at = 1;
	if (name[1] == 'x') {
		base = 16;
		at = 2;
	}
	if (at == length)
		return 0;
	for (; at < length; at++) {
		uint32_t digit;
		if (name[at] >= '0' && name[at] <= '9')
			digit = (uint32_t)(name[at] - '0');
		else if (base == 16 && (name[at] | 0x20) >= 'a' && (name[at] | 0x20) <= 'f')
			digit = (uint32_t)((name[at] | 0x20) - 'a') + 10;
		else
			return 0;
		value = value * base + digit;
		if (value > 0x10ffff)
			return 0;
	}
	return value;
}

/* Writes a character of a reference as UTF-8, which is never longer than the reference. 0: no
 * character of XML. */
static size_t put_reference(uint32_t value, char *out)
{
	char units[4];
	size_t length = 2, taken;

	if (value == 0 || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	if (value >= 0x10000) {
		uint32_t high = 0xd800 + ((value - 0x10000) >> 10);
		uint32_t low = 0xdc00 + ((value - 0x10000) & 0x3ff);
		units[2] = (char)(low >> 8);
		units[3] = (char)low;
		value = high;
		length = 4;
	}
	units[0] = (char)(value >> 8);
	units[1] = (char)value;
	return encoding_from_utf16(units, length, true, out, 4, &taken);
}

/* Resolves references in place; what is none stays. */
static size_t resolve(char *text, size_t length)
{
	size_t used = 0;

	for (size_t at = 0; at < length;) {
		size_t window = length - at - 1, put = 0;
		if (text[at] == '&') {
			if (window > REFERENCE_MAXIMUM)
				window = REFERENCE_MAXIMUM;
			const char *end = memchr(text + at + 1, ';', window);
			char character[4];
			if (end != NULL) {
				size_t name = (size_t)(end - text) - at - 1;
				put = put_reference(reference(text + at + 1, name), character);
				assert(put <= name + 2);
				memcpy(text + used, character, put);
				at += put > 0 ? name + 2 : 0;
			}
		}
		if (put > 0)
			used += put;
		else
			text[used++] = text[at++];
	}
	return used;
}

/* The open element's text has come to its end. */
static void finish_element(struct taker *taker)
{
	struct xml_lines *lines = taker->lines;
	char clean[XML_LINES_TEXT];
	size_t length = lines->text_length;
	char *text = lines->text;

	lines->text_length = 0;
	while (length > 0 && is_space(text[length - 1]))
		length--;
	if (lines->element[0] != '\0' && !is_root(lines->element) && length > 0) {
		length = resolve(text, length);
		encoding_clean(text, length, clean, sizeof(clean));
		taker->seen(taker->context, lines->message, lines->element, clean);
	}
	lines->element[0] = '\0';
}

static void add_text(struct xml_lines *lines, const char *bytes, size_t length)
{
	size_t room = sizeof(lines->text) - lines->text_length;

	if (lines->element[0] == '\0')
		return;
	while (length > 0 && lines->text_length == 0 && is_space(*bytes)) {
		bytes++;
		length--;
	}
	if (length <= room) {
		memcpy(lines->text + lines->text_length, bytes, length);
		lines->text_length += length;
		return;
	}
	/* cut, but not within a character; the blanks leave no room for what follows */
	length = room;
	while (length > 0 && ((unsigned char)bytes[length] & 0xc0) == 0x80)
		length--;
	memcpy(lines->text + lines->text_length, bytes, length);
	memset(lines->text + lines->text_length + length, ' ', room - length);
	lines->text_length = sizeof(lines->text);
}

static void begin_element(struct taker *taker, const char *name, bool empty)
{
	struct xml_lines *lines = taker->lines;
	bool below_root = is_root(lines->element);

	finish_element(taker);
	if (is_root(name)) {
		lines->message[0] = '\0';
	} else if (below_root || is_message(name)) {
		strcpy(lines->message, name);
		taker->seen(taker->context, lines->message, lines->message, "");
		if (empty)
			lines->message[0] = '\0';
		return;
	}
	if (!empty)
		strcpy(lines->element, name);
}

static void end_element(struct taker *taker, const char *name)
{
	struct xml_lines *lines = taker->lines;

	finish_element(taker);
	if (is_root(name) || strcmp(name, lines->message) == 0)
		lines->message[0] = '\0';
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '-' || c == '_' || c == '.' || c == ':';
}

static size_t name_length(const char *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && is_name(bytes[at]))
		at++;
	return at;
}

/* Bytes to the end of a tag, with its '>'. One inside quotes is part of a value, unless the quote
 * stays open. */
static size_t tag_length(const char *bytes, size_t length)
{
	char quote = '\0';

	for (size_t at = 0; at < length; at++) {
		if (quote != '\0')
			quote = bytes[at] == quote ? '\0' : quote;
		else if (bytes[at] == '"' || bytes[at] == '\'')
			quote = bytes[at];
		else if (bytes[at] == '>')
			return at + 1;
	}
	const char *end = quote != '\0' ? memchr(bytes, '>', length) : NULL;
	return end != NULL ? (size_t)(end - bytes) + 1 : length;
}

/* Bytes up to and with a mark; all of them when there is none. */
static size_t length_to(const char *bytes, size_t length, const char *mark)
{
	const char *at = memmem(bytes, length, mark, strlen(mark));

	return at != NULL ? (size_t)(at - bytes) + strlen(mark) : length;
}

static bool begins(const char *bytes, size_t length, const char *with)
{
	return length >= strlen(with) && memcmp(bytes, with, strlen(with)) == 0;
}

/* What begins with '<'; returns its length. */
static size_t take_tag(struct taker *taker, const char *bytes, size_t length)
{
	char name[XML_LINES_NAME];

	if (begins(bytes, length, "<![CDATA[")) {
		size_t whole = length_to(bytes, length, "]]>");
		size_t end = whole >= 12 && memcmp(bytes + whole - 3, "]]>", 3) == 0 ? 3 : 0;
		add_text(taker->lines, bytes + 9, whole - 9 - end);
		return whole;
	}
	if (begins(bytes, length, "<!--"))
		return length_to(bytes, length, "-->");
	size_t whole = tag_length(bytes, length);
	if (length < 2 || bytes[1] == '!' || bytes[1] == '?')
		return whole;
	bool closing = bytes[1] == '/';
	const char *at = bytes + (closing ? 2 : 1);
	size_t chars = name_length(at, whole - (closing ? 2 : 1));
	const char *colon = memrchr(at, ':', chars);
	if (colon != NULL) { /* the prefix of a name space, which any sender may choose */
		chars -= (size_t)(colon + 1 - at);
		at = colon + 1;
	}
	if (chars == 0)
		return whole;
	if (chars >= sizeof(name))
		chars = sizeof(name) - 1;
	memcpy(name, at, chars);
	name[chars] = '\0';
	if (closing)
		end_element(taker, name);
	else
		begin_element(taker, name, whole >= 2 && memcmp(bytes + whole - 2, "/>", 2) == 0);
	return whole;
}

void xml_lines_take(struct xml_lines *lines, const char *bytes, size_t length, xml_lines_seen *seen,
	void *context)
{
	struct taker taker = {lines, seen, context};
	size_t at = 0;

	while (at < length) {
		if (bytes[at] == '<') {
			at += take_tag(&taker, bytes + at, length - at);
			continue;
		}
		const char *tag = memchr(bytes + at, '<', length - at);
		size_t text = tag != NULL ? (size_t)(tag - bytes) - at : length - at;
		add_text(lines, bytes + at, text);
		at += text;
	}
	/* the line's end separates words */
	if (lines->text_length > 0)
		add_text(lines, " ", 1);
}
