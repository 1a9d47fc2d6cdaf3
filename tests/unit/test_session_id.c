#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "health/session_id.h"

/* made for 2022-03-01T12:00:00Z */
#define NOON "0b51e000-7b85-103a-b0c1-020000c0ffee"
#define NOON_TIME (INT64_C(1646136000) * 1000000)

static struct session_id read_id(const char *text)
{
	struct session_id id;

	assert_true(session_id_read(text, strlen(text), &id));
	return id;
}

static void either_case_is_read_and_lower_case_printed(void **state)
{
	struct session_id id = read_id("ABCDEF01-2345-1678-9ABC-DEF012345678 > LVL:2");
	struct session_id same = read_id("abcdef01-2345-1678-9abc-def012345678");
	struct session_id other = read_id("abcdef01-2345-1678-9abc-def012345679");
	char text[SESSION_ID_TEXT + 1];

	(void)state;
	assert_true(session_id_equal(&id, &same));
	assert_false(session_id_equal(&id, &other));
	session_id_print(&id, text);
	assert_string_equal(text, "abcdef01-2345-1678-9abc-def012345678");
}

static void what_is_no_id_leaves_the_output_untouched(void **state)
{
	static const char *const bad[] = {
		"",
		"abcdef01-2345-1678-9abc-def01234567",
		"abcdef01-2345-1678-9abc-def01234567g",
		"abcdef01 2345-1678-9abc-def012345678",
		"abcdef01-2345x1678-9abc-def012345678",
		"abcdef01-2345-1678+9abc-def012345678",
		"abcdef01-2345-1678-9abcxdef012345678",
		"-bcdef01-2345-1678-9abc-def012345678",
		"abcdef0\0-2345-1678-9abc-def012345678",
		"\303\244cdef01-2345-1678-9abc-def012345678",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct session_id id = {{7, 7}};

		assert_false(session_id_read(bad[i], i == 8 ? 36 : strlen(bad[i]), &id));
		assert_int_equal(id.bytes[0], 7);
		assert_int_equal(id.bytes[15], 0);
	}
	struct session_id id;
	assert_false(session_id_read(NOON, SESSION_ID_TEXT - 1, &id));
}

static void zero_is_zero_and_nothing_else(void **state)
{
	struct session_id id = read_id("00000000-0000-0000-0000-000000000000");

	(void)state;
	assert_true(session_id_is_zero(&id));
	id = read_id("00000000-0000-0000-0000-000000000001");
	assert_false(session_id_is_zero(&id));
}

static void the_id_tells_when_it_was_made(void **state)
{
	static const char *const bad[] = {
		"00000000-0000-0000-0000-000000000000",
		"0b51e000-7b85-403a-b0c1-020000c0ffee", /* version 4 */
		"0b51e001-7b85-103a-b0c1-020000c0ffee", /* a fraction of a second */
		"0b51e000-7b85-1fff-b0c1-020000c0ffee",
		"00989680-0000-1000-b0c1-020000c0ffee", /* one second after 1970 */
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8", /* as RFC 4122 has it: epoch 1582 */
	};
	struct session_id id = read_id(NOON);
	int64_t time = 7;

	(void)state;
	assert_true(session_id_time(&id, &time));
	assert_int_equal(time, NOON_TIME);
	time = 7;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		id = read_id(bad[i]);
		assert_false(session_id_time(&id, &time));
		assert_int_equal(time, 7);
	}
}

/* The layout, spelt out: tick counts put into the field, at both ends of what is believed. */
static void the_years_2000_to_2099_are_believed(void **state)
{
	static const struct {
		int64_t seconds;
		bool believed;
	} times[] = {{946684799, false}, {946684800, true}, {1646136000, true}, {4102444799, true},
		{4102444800, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		uint64_t ticks = (uint64_t)times[i].seconds * 10000000u;
		struct session_id id = {{0}};
		int64_t time;

		for (unsigned byte = 0; byte < 4; byte++)
			id.bytes[byte] = (uint8_t)(ticks >> (24 - 8 * byte));
		id.bytes[4] = (uint8_t)(ticks >> 40);
		id.bytes[5] = (uint8_t)(ticks >> 32);
		id.bytes[6] = (uint8_t)(0x10 | (ticks >> 56));
		id.bytes[7] = (uint8_t)(ticks >> 48);
		assert_int_equal(session_id_time(&id, &time), times[i].believed);
		if (times[i].believed)
			assert_int_equal(time, times[i].seconds * 1000000);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(either_case_is_read_and_lower_case_printed),
		cmocka_unit_test(what_is_no_id_leaves_the_output_untouched),
		cmocka_unit_test(zero_is_zero_and_nothing_else),
		cmocka_unit_test(the_id_tells_when_it_was_made),
		cmocka_unit_test(the_years_2000_to_2099_are_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
