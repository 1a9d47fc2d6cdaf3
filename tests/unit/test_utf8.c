#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"

#define UNTOUCHED 0xfeed

static void characters_have_a_length_and_a_value(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		uint32_t value;
	} good[] = {
		{"a", 1, 'a'},
		{"\x01z", 1, 1},
		{"\x7f", 1, 0x7f},
		{"\xc2\x80", 2, 0x80},
		{"\xdf\xbf", 2, 0x7ff},
		{"\xe0\xa0\x80", 3, 0x800},
		{"\xed\x9f\xbf", 3, 0xd7ff},
		{"\xee\x80\x80", 3, 0xe000},
		{"\xef\xbf\xbf", 3, 0xffff},
		{"\xf0\x90\x80\x80", 4, 0x10000},
		{"\xf4\x8f\xbf\xbf" /* and more */ "\x80", 4, 0x10ffff},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint32_t value = UNTOUCHED;

		assert_int_equal(utf8_character(good[i].text, &value), good[i].length);
		assert_int_equal(value, good[i].value);
	}
}

static void anything_else_is_none(void **state)
{
	static const char *const bad[] = {
		"",                 /* nothing */
		"\x80",             /* begins in the middle */
		"\xbf\x80",         /* likewise */
		"\xc3",             /* ends too early */
		"\xe2\x82",         /* likewise */
		"\xf0\x9f\x98",     /* likewise */
		"\xe2\x82z",        /* goes on as something else */
		"\xc0\x80",         /* overlong */
		"\xc1\xbf",         /* likewise */
		"\xe0\x9f\xbf",     /* likewise */
		"\xf0\x8f\xbf\xbf", /* likewise */
		"\xed\xa0\x80",     /* surrogate */
		"\xed\xbf\xbf",     /* likewise */
		"\xf4\x90\x80\x80", /* above U+10FFFF */
		"\xf5\x80\x80\x80", /* likewise */
		"\xff",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint32_t value = UNTOUCHED;

		assert_int_equal(utf8_character(bad[i], &value), 0);
		assert_int_equal(value, UNTOUCHED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_have_a_length_and_a_value),
		cmocka_unit_test(anything_else_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
