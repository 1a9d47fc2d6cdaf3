/*
 * fuzz_log_line.c - bytes of a log: its encoding, its lines' heads, XML in them.
 *
 * The first byte chooses how the rest is cut for the conversion from UTF-16.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "health/encoding.h"
#include "health/head.h"
#include "health/xml_lines.h"

#define QUOTE_SIZE 96

static void check_clean(const char *text, size_t length)
{
	assert(text[length] == '\0');
	assert(memchr(text, '\0', length) == NULL);
	enum encoding encoding = encoding_refine(ENCODING_ASCII, text, length);
	assert(encoding == ENCODING_ASCII || encoding == ENCODING_UTF8);
	for (size_t i = 0; i < length; i++)
		assert((unsigned char)text[i] >= 0x20 || text[i] == '\t');
}

static void xml_seen(void *context, const char *message, const char *element, const char *text)
{
	size_t *limit = context;

	assert(strlen(message) < XML_LINES_NAME && strlen(element) < XML_LINES_NAME);
	assert(element[0] != '\0');
	assert(strlen(text) < XML_LINES_TEXT);
	check_clean(text, strlen(text));
	/* a call needs a tag, of three bytes at least ("<b>", "<a" at the end of a line) */
	assert((*limit)-- > 0);
}

static void check_stamp(const char *line, size_t length)
{
	struct stamp stamp = {STAMP_KIND_NONE, 7}, again;
	char text[STAMP_TEXT_SIZE];
	size_t taken = stamp_read(line, length, &stamp);

	assert(taken <= length);
	if (taken == 0) {
		assert(stamp.kind == STAMP_KIND_NONE && stamp.time == 7);
		return;
	}
	assert(stamp.kind != STAMP_KIND_NONE && stamp.time != STAMP_NONE);
	stamp_print(stamp.time, stamp.kind, text);
	if (stamp.kind != STAMP_KIND_UPTIME && strlen(text) <= 24 && text[0] != '-') {
		assert(stamp_read(text, strlen(text), &again) == strlen(text));
		/* milliseconds are printed, cut; before 1970 towards the past */
		assert(stamp.time - again.time >= 0 && stamp.time - again.time < 1000);
	}
}

static void check_inside(const char *line, size_t length, const char *part, size_t part_length)
{
	assert(part >= line && part <= line + length);
	assert(part_length <= (size_t)(line + length - part));
}

static void check_head(const char *line, size_t length)
{
	struct head head;
	char text[SESSION_ID_TEXT + 1];
	struct session_id again;
	int64_t time;

	bool found = head_read(line, length, &head);
	assert(found == (head.family != FAMILY_NONE));
	assert(head.family < FAMILY_COUNT);
	assert((head.stamp.kind == STAMP_KIND_NONE) == (head.stamp.time == STAMP_NONE));
	assert(head.level == HEAD_NO_LEVEL || (head.level >= 0 && head.level <= 9));
	check_inside(line, length, head.message, head.message_length);
	if (head.component_length > 0)
		check_inside(line, length, head.component, head.component_length);
	if (head.message_length > 0) {
		assert(head.message[0] != ' ' && head.message[0] != '\t');
		assert(head.message[head.message_length - 1] != ' ');
	}
	if (!found)
		assert(!head.has_id && head.component_length == 0);
	if (head.has_id) {
		session_id_print(&head.id, text);
		assert(session_id_read(text, SESSION_ID_TEXT, &again));
		assert(session_id_equal(&head.id, &again));
		if (session_id_time(&head.id, &time))
			assert(time % 1000000 == 0);
	}
}

static void check_quote(const char *line, size_t length)
{
	char quote[QUOTE_SIZE];
	size_t quoted = encoding_clean(line, length, quote, sizeof(quote));

	assert(quoted < sizeof(quote));
	check_clean(quote, quoted);
	/* clean text stays as it is */
	char again[QUOTE_SIZE];
	assert(encoding_clean(quote, quoted, again, sizeof(again)) == quoted);
	assert(memcmp(quote, again, quoted) == 0);
}

static void check_lines(const char *bytes, size_t size)
{
	struct xml_lines xml = {.text_length = 0};

	for (size_t at = 0; at < size;) {
		const char *line = bytes + at;
		const char *end = memchr(line, '\n', size - at);
		size_t length = end != NULL ? (size_t)(end - line) : size - at;
		size_t calls = length + 1; /* a tag ends an element and begins a message */
		check_stamp(line, length);
		check_head(line, length);
		check_quote(line, length);
		xml_lines_take(&xml, line, length, xml_seen, &calls);
		assert(xml.text_length <= sizeof(xml.text));
		at += length + 1;
	}
}

/* In pieces, the way a reader does it; all at once gives the same. */
static void check_utf16(const char *bytes, size_t size, bool big_endian, size_t piece)
{
	size_t room = size * 2 + 4, taken, used = 0, at = 0;
	char *whole = malloc(room), *parts = malloc(room);

	assert(whole != NULL && parts != NULL);
	size_t length = encoding_from_utf16(bytes, size, big_endian, whole, room, &taken);
	assert(taken <= size && size - taken < 4);
	assert(length <= taken / 2 * 3);
	assert(encoding_refine(ENCODING_UTF8, whole, length) == ENCODING_UTF8);
	for (;;) {
		size_t rest = size - at, step;
		used += encoding_from_utf16(bytes + at, rest < piece ? rest : piece, big_endian,
			parts + used, room - used, &step);
		at += step;
		if (step == 0)
			break;
	}
	assert(at == taken && used == length);
	assert(memcmp(whole, parts, length) == 0);
	free(whole);
	free(parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t mark = 99;

	if (size == 0)
		return 0;
	const char *bytes = (const char *)data + 1;
	size_t piece = 4 + data[0] % 61;
	size--;
	enum encoding encoding = encoding_detect(bytes, size, &mark);
	assert(mark <= size && mark <= 3);
	assert((encoding == ENCODING_UNKNOWN) == (size == 0));
	assert(encoding_name(encoding)[0] != '\0');
	if (encoding == ENCODING_ASCII && memchr(bytes, '\0', size) == NULL)
		assert(encoding_refine(encoding, bytes, size) ==
			(size > 0 ? ENCODING_ASCII : encoding));
	check_lines(bytes, size);
	check_utf16(bytes, size, false, piece);
	check_utf16(bytes, size, true, piece);
	return 0;
}
