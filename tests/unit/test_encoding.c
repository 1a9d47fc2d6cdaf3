#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "health/encoding.h"

#define FIRST_LINE "LVL:2 RC:   0           AGENT :Received hello command!\r\n"

struct bytes {
	char bytes[4096];
	size_t length;
};

static void add(struct bytes *to, const char *bytes, size_t length)
{
	assert_true(to->length + length <= sizeof(to->bytes));
	memcpy(to->bytes + to->length, bytes, length);
	to->length += length;
}

/* ASCII as UTF-16. */
static void add_wide(struct bytes *to, const char *text, bool big_endian)
{
	for (; *text != '\0'; text++) {
		char pair[2] = {*text, '\0'};
		if (big_endian) {
			pair[0] = '\0';
			pair[1] = *text;
		}
		add(to, pair, 2);
	}
}

static void marks_decide(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		enum encoding encoding;
		size_t mark;
	} files[] = {
		{"", 0, ENCODING_UNKNOWN, 0},
		{"\xef\xbb\xbf", 3, ENCODING_UTF8_BOM, 3},
		{"\xef\xbb\xbfLVL:2", 8, ENCODING_UTF8_BOM, 3},
		{"\xff\xfe", 2, ENCODING_UTF16_LE, 2},
		{"\xff\xfeL\0", 4, ENCODING_UTF16_LE, 2},
		{"\xfe\xff\0L", 4, ENCODING_UTF16_BE, 2},
		{"\xff\xfe\0\0L\0\0\0", 8, ENCODING_BINARY, 0},
		{"\xff", 1, ENCODING_LATIN1, 0},
		{"\xef\xbb", 2, ENCODING_UTF8, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t mark = 99;

		assert_int_equal(
			encoding_detect(files[i].bytes, files[i].length, &mark), files[i].encoding);
		assert_int_equal(mark, files[i].mark);
	}
}

static enum encoding detect(const struct bytes *bytes)
{
	size_t mark;

	return encoding_detect(bytes->bytes, bytes->length, &mark);
}

static void zeros_tell_utf16_from_what_is_no_log(void **state)
{
	struct bytes wide = {.length = 0}, zeros = {.length = 512};

	(void)state;
	for (int big = 0; big < 2; big++) {
		wide.length = 0;
		add_wide(&wide, FIRST_LINE FIRST_LINE, big != 0);
		assert_int_equal(detect(&wide), big ? ENCODING_UTF16_BE : ENCODING_UTF16_LE);
		add(&wide, "\x4e\x2d\x65\x87", 4); /* a name in another script */
		assert_int_equal(detect(&wide), big ? ENCODING_UTF16_BE : ENCODING_UTF16_LE);
		wide.length--; /* an odd length */
		assert_int_equal(detect(&wide), big ? ENCODING_UTF16_BE : ENCODING_UTF16_LE);
	}
	assert_int_equal(detect(&zeros), ENCODING_BINARY);
	wide = (struct bytes){.length = 0};
	add(&wide,
		"\x7f"
		"ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0\x3e\0\1\0\0\0",
		24);
	add(&wide, "\x40\x10\x40\x01\0\x02\x40\x10", 8);
	assert_int_equal(detect(&wide), ENCODING_BINARY);
}

static void zeros_around_a_log_are_forgiven(void **state)
{
	struct bytes file = {.length = 0};

	(void)state;
	add(&file, FIRST_LINE, strlen(FIRST_LINE));
	file.length += 300; /* the machine lost its power */
	assert_int_equal(detect(&file), ENCODING_ASCII);
	file = (struct bytes){.length = 300}; /* rotated by copying */
	add(&file, FIRST_LINE, strlen(FIRST_LINE));
	assert_int_equal(detect(&file), ENCODING_ASCII);
	add(&file, "\0x", 2); /* torn */
	assert_int_equal(detect(&file), ENCODING_ASCII);
}

#define STAMPED "2031-03-24T21:10:59.601Z LVL:2 RC:   0           AGENT :Received hello command!\n"

static void zeros_within_a_log_are_forgiven(void **state)
{
	struct bytes file = {.length = 0};

	(void)state;
	add(&file, STAMPED STAMPED, 100);
	file.length += 512;
	add(&file, "\n" STAMPED, strlen(STAMPED) + 1);
	assert_int_equal(detect(&file), ENCODING_ASCII);
	add(&file, "j\xc3\xbcrgen\n", 8);
	assert_int_equal(detect(&file), ENCODING_UTF8);
	add(&file, "\xfc\n", 2);
	assert_int_equal(detect(&file), ENCODING_LATIN1);
	for (unsigned i = 0; i < 10; i++)
		add(&file, STAMPED, strlen(STAMPED));
	for (unsigned i = 0; i < 256; i++) /* not all that lands in a log is text */
		add(&file, (char[]){(char)i}, 1);
	assert_int_equal(detect(&file), ENCODING_LATIN1);
	/* without a stamp it must be text altogether */
	file = (struct bytes){.length = 0};
	add(&file, FIRST_LINE "plain\0text\n", strlen(FIRST_LINE) + 11);
	assert_int_equal(detect(&file), ENCODING_ASCII);
	add(&file, "\1\2\3\4", 4);
	assert_int_equal(detect(&file), ENCODING_BINARY);
}

static void add_noise(struct bytes *to, size_t count)
{
	uint32_t value = 1;

	while (count-- > 0) {
		value = value * 1664525u + 1013904223u;
		add(to, (char[]){(char)(value >> 24)}, 1);
	}
}

/* A row of a database: numbers of a few bytes before each text. */
static void add_row(struct bytes *to, char number)
{
	char header[] = {number, 0x55, number, 0x04, 0x23, 0x01, 0x17, 0x00, 0x09};

	add(to, header, sizeof(header));
	add(to, "a text\n" STAMPED, strlen(STAMPED) + 7);
}

static void other_files_with_zeros_are_no_logs(void **state)
{
	struct bytes file = {.length = 0};

	(void)state;
	add(&file, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\x80\0\0\1\xe0\x08\2\0\0\0", 29);
	add_noise(&file, 3000);
	assert_int_equal(detect(&file), ENCODING_BINARY);
	file = (struct bytes){.length = 0};
	add(&file, "\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
	add_noise(&file, 3000);
	assert_int_equal(detect(&file), ENCODING_BINARY);
	/* even with a stamp somewhere in it */
	add(&file, "\n" STAMPED, strlen(STAMPED) + 1);
	assert_int_equal(detect(&file), ENCODING_BINARY);
	file = (struct bytes){.length = 0};
	add(&file, "SQLite format 3\0\x10\0\1\1\0\x40\x20\x20\0\0\0\2\0\0\0\2", 32);
	file.length += 1000;
	for (char i = 1; i < 25; i++)
		add_row(&file, i);
	assert_int_equal(detect(&file), ENCODING_BINARY);
	file = (struct bytes){.length = 0};
	add(&file,
		"\x7f"
		"ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0\x3e\0\1\0\0\0",
		24);
	for (char i = 1; i < 60; i++) {
		add(&file, (char[]){i, 0, 0, 0, 0x12, 0, 0x0b, 0, (char)(i * 7), 0x11, 0, 0}, 12);
		add(&file, "stamp_read\0head_read\0", 21);
	}
	add_noise(&file, 200);
	assert_int_equal(detect(&file), ENCODING_BINARY);
}

static void zeros_become_blanks(void **state)
{
	static const struct {
		const char *from, *to; /* '#' for a zero */
		size_t count;
	} texts[] = {
		{"", "", 0},
		{"no zero\nat all\n", "no zero\nat all\n", 0},
		{"one# and\n#\n###two\n##", "one  and\n \n   two\n  ", 7},
		{"a\nb#01:02\n", "a\nb 01:02\n", 1},
		/* a line that was torn, and the next one */
		{"a\ntorn##2031-03-24T21:10:59Z x#y\nb\n", "a\n      2031-03-24T21:10:59Z x y\nb\n",
			3},
		{"torn#2031-03-24T21:10:59Z torn#2031-03-24T21:11:00Z x\n",
			"                               2031-03-24T21:11:00Z x\n", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t length = strlen(texts[i].from);
		char bytes[128];

		memcpy(bytes, texts[i].from, length + 1);
		for (size_t at = 0; at < length; at++)
			bytes[at] = bytes[at] == '#' ? '\0' : bytes[at];
		assert_int_equal(encoding_blank_zeros(bytes, length), texts[i].count);
		assert_string_equal(bytes, texts[i].to);
	}
}

static void bytes_beyond_ascii_are_utf8_or_not(void **state)
{
	static const struct {
		const char *text;
		enum encoding encoding, refined; /* as whole lines: nothing can be cut */
	} texts[] = {
		{FIRST_LINE, ENCODING_ASCII, ENCODING_ASCII},
		{FIRST_LINE "user 'j\xc3\xbcrgen'\n", ENCODING_UTF8, ENCODING_UTF8},
		{FIRST_LINE "user '\xe4\xb8\xad\xf0\x9f\x98\x80'\n", ENCODING_UTF8, ENCODING_UTF8},
		{FIRST_LINE "user 'j\xfcrgen'\n", ENCODING_LATIN1, ENCODING_LATIN1},
		{FIRST_LINE "user 'j\xc3", ENCODING_UTF8, ENCODING_LATIN1},
		{FIRST_LINE "user '\xf0\x9f\x98", ENCODING_UTF8, ENCODING_LATIN1},
		{FIRST_LINE "\xc0\x80\n", ENCODING_LATIN1, ENCODING_LATIN1},
		{FIRST_LINE "\xe0\x9f\xbf\n", ENCODING_LATIN1, ENCODING_LATIN1},
		{FIRST_LINE "\xed\xa0\x80\n", ENCODING_LATIN1, ENCODING_LATIN1},
		{FIRST_LINE "\xf0\x8f\xbf\xbf\n", ENCODING_LATIN1, ENCODING_LATIN1},
		{FIRST_LINE "\xf4\x90\x80\x80\n", ENCODING_LATIN1, ENCODING_LATIN1},
		{FIRST_LINE "\xf5\n", ENCODING_LATIN1, ENCODING_LATIN1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t mark, length = strlen(texts[i].text);

		assert_int_equal(encoding_detect(texts[i].text, length, &mark), texts[i].encoding);
		assert_int_equal(
			encoding_refine(ENCODING_ASCII, texts[i].text, length), texts[i].refined);
		assert_int_equal(
			encoding_refine(ENCODING_UNKNOWN, texts[i].text, length), texts[i].refined);
	}
}

static void refining_goes_one_way(void **state)
{
	static const enum encoding fixed[] = {ENCODING_UTF8_BOM, ENCODING_UTF16_LE,
		ENCODING_UTF16_BE, ENCODING_LATIN1, ENCODING_BINARY};

	(void)state;
	assert_int_equal(encoding_refine(ENCODING_UTF8, "plain\n", 6), ENCODING_UTF8);
	assert_int_equal(encoding_refine(ENCODING_UTF8, "\xff\n", 2), ENCODING_LATIN1);
	assert_int_equal(encoding_refine(ENCODING_UNKNOWN, "", 0), ENCODING_UNKNOWN);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		assert_int_equal(encoding_refine(fixed[i], "plain\n", 6), fixed[i]);
		assert_int_equal(encoding_refine(fixed[i], "\xc3\xbc\n", 3), fixed[i]);
	}
}

/* One byte beyond ASCII, at every place of a block. */
static void no_byte_is_overlooked(void **state)
{
	char block[160];

	(void)state;
	for (size_t at = 0; at < sizeof(block); at++) {
		memset(block, 'x', sizeof(block));
		block[at] = (char)0x80;
		for (size_t from = 0; from < 9 && from <= at; from++)
			assert_int_equal(
				encoding_refine(ENCODING_ASCII, block + from, sizeof(block) - from),
				ENCODING_LATIN1);
	}
}

static void every_encoding_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(encoding_name(ENCODING_UNKNOWN), "unknown");
	assert_string_equal(encoding_name(ENCODING_UTF8_BOM), "utf-8-bom");
	assert_string_equal(encoding_name(ENCODING_UTF16_LE), "utf-16le");
	assert_string_equal(encoding_name(ENCODING_BINARY), "binary");
}

static void utf16_becomes_utf8(void **state)
{
	static const char little[] = "a\0\xfc\0\x2d\x4e\x3d\xd8\x00\xde\n\0";
	static const char big[] = "\0a\0\xfc\x4e\x2d\xd8\x3d\xde\x00\0\n";
	char out[64];
	size_t taken;

	(void)state;
	for (int is_big = 0; is_big < 2; is_big++) {
		size_t length = encoding_from_utf16(
			is_big ? big : little, 12, is_big != 0, out, sizeof(out), &taken);
		assert_int_equal(taken, 12);
		assert_int_equal(length, 11);
		assert_memory_equal(out, "a\xc3\xbc\xe4\xb8\xad\xf0\x9f\x98\x80\n", 11);
	}
}

static void utf16_in_pieces_is_the_same(void **state)
{
	static const char wide[] = "a\0\x3d\xd8\x00\xde\x3d\xd8z\0\x00\xde\xfc\0\n\0";
	static const char expected[] = "a\xf0\x9f\x98\x80\xef\xbf\xbdz\xef\xbf\xbd\xc3\xbc\n";

	(void)state;
	for (size_t piece = 4; piece <= 16; piece++) {
		for (size_t room = 4; room <= 20; room++) {
			char out[64];
			size_t at = 0, used = 0;

			while (at < 16) {
				size_t taken, length = 16 - at < piece ? 16 - at : piece;
				size_t put = encoding_from_utf16(
					wide + at, length, false, out + used, room, &taken);
				assert_true(put <= room);
				assert_true(taken > 0);
				used += put;
				at += taken;
			}
			assert_int_equal(used, sizeof(expected) - 1);
			assert_memory_equal(out, expected, used);
		}
	}
}

static void half_a_character_stays(void **state)
{
	char out[16];
	size_t taken = 99;

	(void)state;
	assert_int_equal(encoding_from_utf16("a", 1, false, out, sizeof(out), &taken), 0);
	assert_int_equal(taken, 0);
	assert_int_equal(encoding_from_utf16("a\0\x3d\xd8\x00", 5, false, out, 16, &taken), 1);
	assert_int_equal(taken, 2);
	assert_int_equal(encoding_from_utf16("\x3d\xd8\x00\xde", 4, false, out, 3, &taken), 0);
	assert_int_equal(taken, 0);
}

static void what_is_quoted_is_clean(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *text;
	} lines[] = {
		{"plain\ttext\r\n", 12, "plain\ttext"},
		{"two\nlines\n\r\n", 12, "two\xef\xbf\xbdlines"},
		{"j\xc3\xbcrgen", 7, "j\xc3\xbcrgen"},
		{"j\xfcrgen \x80 \x92", 10, "j\xc3\xbcrgen \xe2\x82\xac \xe2\x80\x99"},
		{"\x81\x8d", 2, "\xef\xbf\xbd\xef\xbf\xbd"},
		{"a\0b\x1b[31m\x7f", 9,
			"a\xef\xbf\xbd"
			"b\xef\xbf\xbd[31m\xef\xbf\xbd"},
		{"\xc2\x85", 2, "\xef\xbf\xbd"}, /* a control character of Latin-1 */
		{"\xc2\xa0", 2, "\xc2\xa0"},
		{"\xe4\xb8", 2, "\xc3\xa4\xc2\xb8"}, /* cut: two characters of Latin-1 */
		{"\xed\xa0\x80", 3, "\xc3\xad\xc2\xa0\xe2\x82\xac"},
		{"\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80"},
		{"", 0, ""},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(encoding_clean(lines[i].bytes, lines[i].length, out, sizeof(out)),
			strlen(lines[i].text));
		assert_string_equal(out, lines[i].text);
	}
}

static void a_quote_is_cut_at_a_character(void **state)
{
	static const size_t lengths[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
	char out[16];

	(void)state;
	for (size_t room = 0; room < sizeof(lengths) / sizeof(lengths[0]); room++) {
		memset(out, 'x', sizeof(out));
		assert_int_equal(
			encoding_clean("a\xc3\xbc\xe4\xb8\xad\xf0\x9f\x98\x80", 10, out, room + 1),
			lengths[room]);
		assert_int_equal(out[lengths[room]], '\0');
		assert_int_equal(out[room + 1], 'x');
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_decide),
		cmocka_unit_test(zeros_tell_utf16_from_what_is_no_log),
		cmocka_unit_test(zeros_around_a_log_are_forgiven),
		cmocka_unit_test(zeros_within_a_log_are_forgiven),
		cmocka_unit_test(other_files_with_zeros_are_no_logs),
		cmocka_unit_test(zeros_become_blanks),
		cmocka_unit_test(bytes_beyond_ascii_are_utf8_or_not),
		cmocka_unit_test(refining_goes_one_way),
		cmocka_unit_test(no_byte_is_overlooked),
		cmocka_unit_test(every_encoding_has_a_name),
		cmocka_unit_test(utf16_becomes_utf8),
		cmocka_unit_test(utf16_in_pieces_is_the_same),
		cmocka_unit_test(half_a_character_stays),
		cmocka_unit_test(what_is_quoted_is_clean),
		cmocka_unit_test(a_quote_is_cut_at_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
