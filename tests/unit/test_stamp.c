#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "health/stamp.h"

#define SECOND INT64_C(1000000)
#define NOON_2022 (INT64_C(1646136000) * SECOND) /* 2022-03-01T12:00:00Z */

static void every_form_is_read(void **state)
{
	static const struct {
		const char *text;
		size_t length; /* that the stamp takes */
		enum stamp_kind kind;
		int64_t time;
	} forms[] = {
		{"2022-03-01T12:00:00.250Z 5", 24, STAMP_KIND_UTC, NOON_2022 + 250000},
		{"2022-03-01T12:00:00Z> LVL:2", 20, STAMP_KIND_UTC, NOON_2022},
		{"2022-03-01T12:00:00.7Z", 22, STAMP_KIND_UTC, NOON_2022 + 700000},
		{"2022-03-01T12:00:00.76Z", 23, STAMP_KIND_UTC, NOON_2022 + 760000},
		{"2022-03-01T12:00:00.688879Z", 27, STAMP_KIND_UTC, NOON_2022 + 688879},
		{"2022-03-01T12:00:00.5265841Z>", 28, STAMP_KIND_UTC, NOON_2022 + 526584},
		{"2022-03-01T12:00:00.123456789Z", 30, STAMP_KIND_UTC, NOON_2022 + 123456},
		{"2022-03-01T17:30:00.196+05:30>", 29, STAMP_KIND_OFFSET, NOON_2022 + 196000},
		{"2022-03-01T04:00:00-0800>", 24, STAMP_KIND_OFFSET, NOON_2022},
		{"2022-03-01T00:30:00+12:30>", 25, STAMP_KIND_OFFSET, NOON_2022 - 86400 * SECOND},
		{"2022-03-01T12:00:00.5", 21, STAMP_KIND_LOCAL, NOON_2022 + 500000},
		{"2022-03-01 12:00:00", 19, STAMP_KIND_LOCAL, NOON_2022},
		{"03/01/2022, 12:00:00.375> LVL:2", 24, STAMP_KIND_LOCAL, NOON_2022 + 375000},
		{"03/01/2022, 12:00:00> LVL:2", 20, STAMP_KIND_LOCAL, NOON_2022},
		{"03/01/22 12:00:00 server", 17, STAMP_KIND_LOCAL, NOON_2022},
		{"2022/03/01 12:00:00.606 1", 23, STAMP_KIND_LOCAL, NOON_2022 + 606000},
		{"37d,05:43:43.474> LVL:1", 16, STAMP_KIND_UPTIME,
			(INT64_C(37) * 86400 + 5 * 3600 + 43 * 60 + 43) * SECOND + 474000},
		{"0d,00:00:01", 11, STAMP_KIND_UPTIME, SECOND},
		{"1970-01-01T00:00:00Z", 20, STAMP_KIND_UTC, 0},
		{"1969-12-31T23:59:59.999Z", 24, STAMP_KIND_UTC, -1000},
		{"2000-02-29T00:00:00Z", 20, STAMP_KIND_UTC, INT64_C(951782400) * SECOND},
		{"2016-12-31T23:59:60Z", 20, STAMP_KIND_UTC, INT64_C(1483228799) * SECOND},
		/* what stands after it is the caller's */
		{"2022-03-01T12:00:00.Z", 19, STAMP_KIND_LOCAL, NOON_2022},
		{"2022-03-01T12:00:00Zulu", 20, STAMP_KIND_UTC, NOON_2022},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct stamp stamp;

		assert_int_equal(
			stamp_read(forms[i].text, strlen(forms[i].text), &stamp), forms[i].length);
		assert_int_equal(stamp.kind, forms[i].kind);
		assert_int_equal(stamp.time, forms[i].time);
		/* a line that ends with its stamp */
		assert_int_equal(
			stamp_read(forms[i].text, forms[i].length, &stamp), forms[i].length);
		assert_int_equal(stamp.time, forms[i].time);
	}
}

static void what_names_no_moment_is_no_stamp(void **state)
{
	static const char *const bad[] = {
		"",
		"2",
		"2022-03-01",
		"2022-03-01T12:00",
		"2022-03-01T12:00:0",
		"2022-13-01T12:00:00Z",
		"2022-00-01T12:00:00Z",
		"2022-04-31T12:00:00Z",
		"2022-02-29T12:00:00Z",
		"1900-02-29T12:00:00Z",
		"0000-01-01T12:00:00Z",
		"2022-03-00T12:00:00Z",
		"2022-03-01T24:00:00Z",
		"2022-03-01T12:60:00Z",
		"2022-03-01T12:00:61Z",
		"2022-03-01T12:00:00.1234567890Z",
		"2022-03-01T12:00:00+24:00",
		"2022-03-01T12:00:00+5:30",
		"2022-03-01X12:00:00Z",
		"2022-3-01T12:00:00Z",
		"13/01/2022, 12:00:00",
		"03/01/2022; 12:00:00",
		"03/01/2 12:00:00 ",
		"2022/03-01 12:00:00",
		"37d05:43:43.474",
		"d,05:43:43.474 ",
		"12345678d,05:43:43",
		" 2022-03-01T12:00:00Z",
		"LVL:2 RC:   0 AGENT :x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct stamp stamp = {STAMP_KIND_UPTIME, 7};

		assert_int_equal(stamp_read(bad[i], strlen(bad[i]), &stamp), 0);
		assert_int_equal(stamp.kind, STAMP_KIND_UPTIME);
		assert_int_equal(stamp.time, 7);
	}
}

static void printing_cuts_to_milliseconds(void **state)
{
	static const struct {
		int64_t time;
		enum stamp_kind kind;
		const char *text;
	} prints[] = {
		{NOON_2022 + 601999, STAMP_KIND_UTC, "2022-03-01T12:00:00.601Z"},
		{NOON_2022, STAMP_KIND_OFFSET, "2022-03-01T12:00:00.000Z"},
		{NOON_2022, STAMP_KIND_LOCAL, "2022-03-01T12:00:00.000"},
		{-1, STAMP_KIND_UTC, "1969-12-31T23:59:59.999Z"},
		{(INT64_C(37) * 86400 + 5 * 3600 + 43 * 60 + 43) * SECOND + 474000,
			STAMP_KIND_UPTIME, "37d 05:43:43.474"},
		{STAMP_NONE, STAMP_KIND_UTC, "-"},
		{INT64_MAX, STAMP_KIND_UTC, "294247-01-10T04:00:54.775Z"},
		{INT64_MIN + 1, STAMP_KIND_UTC, "-290308-12-21T19:59:05.224Z"},
		{INT64_MAX, STAMP_KIND_UPTIME, "106751991d 04:00:54.775"},
	};
	char text[STAMP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(prints) / sizeof(prints[0]); i++) {
		stamp_print(prints[i].time, prints[i].kind, text);
		assert_string_equal(text, prints[i].text);
	}
}

/* Every day of four centuries, printed and read again. */
static void the_calendar_has_no_hole(void **state)
{
	char text[STAMP_TEXT_SIZE];

	(void)state;
	for (int64_t day = -INT64_C(719162); day < 200000; day++) {
		struct stamp stamp;
		int64_t time = (day * 86400 + 86399) * SECOND + 999000;

		stamp_print(time, STAMP_KIND_UTC, text);
		assert_int_equal(stamp_read(text, strlen(text), &stamp), strlen(text));
		assert_int_equal(stamp.time, time);
	}
}

static void options_take_every_form_and_a_date_alone(void **state)
{
	static const char *const bad[] = {"", "yesterday", "2022-03-01T", "2022-03-01T12:00:00Z ",
		"2022-02-30", "2022-03-01T12:00:00Zulu", "12:00"};
	int64_t time = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(stamp_option(bad[i], &time), ERROR_INPUT);
		assert_int_equal(time, 7);
	}
	assert_int_equal(stamp_option("2022-03-01", &time), 0);
	assert_int_equal(time, NOON_2022 - INT64_C(12) * 3600 * SECOND);
	assert_int_equal(stamp_option("2022-03-01T14:00:00+02:00", &time), 0);
	assert_int_equal(time, NOON_2022);
	assert_int_equal(stamp_option("03/01/2022, 12:00:00", &time), 0);
	assert_int_equal(time, NOON_2022);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(what_names_no_moment_is_no_stamp),
		cmocka_unit_test(printing_cuts_to_milliseconds),
		cmocka_unit_test(the_calendar_has_no_hole),
		cmocka_unit_test(options_take_every_form_and_a_date_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
