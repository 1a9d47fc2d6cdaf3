#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "service/license_grace.h"

#define NOW (INT64_C(1800000000) * CLOCK_SECOND)
#define DAY (INT64_C(86400) * CLOCK_SECOND)

struct fixture {
	char folder[64], state_file[96];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	strcpy(fixture->folder, "/tmp/test-license-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	(void)snprintf(
		fixture->state_file, sizeof(fixture->state_file), "%s/state", fixture->folder);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	(void)unlink(fixture->state_file);
	assert_int_equal(rmdir(fixture->folder), 0);
	free(fixture);
	return 0;
}

static void write_state(struct fixture *fixture, const char *text)
{
	FILE *stream = fopen(fixture->state_file, "w");

	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
}

static void test_state_files_that_do_not_count(void **state)
{
	static const char *const bad[] = {"", "nonsense", "fairlead-license-grace 1\n",
		"fairlead-license-grace 1\nhost host-2\nsuccess 1799999999\n", /* copied from
										  another */
		"fairlead-license-grace 2\nhost host-1\nsuccess 1799999999\n",
		"fairlead-license-grace 1\nhost host-1\nsuccess 1799999999\nmore\n",
		"fairlead-license-grace 1\nhost host-1\nsuccess -5\n",
		"fairlead-license-grace 1\nhost host-1\nsuccess 01799999999\n",
		"fairlead-license-grace 1\nhost host-1\nsuccess 99999999999999999999\n"};
	struct fixture *fixture = *state;
	struct license_grace grace = {fixture->state_file, "host-1", 7};
	int64_t until = 12;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_state(fixture, bad[i]);
		if (license_grace_until(&grace, NOW, &until) != ERROR_NOT_FOUND)
			fail_msg("counted: %s", bad[i]);
		assert_true(until == 12);
	}
	write_state(fixture, "fairlead-license-grace 1\nhost host-1\nsuccess 1799999999\n");
	assert_int_equal(license_grace_until(&grace, NOW, &until), 0);
	assert_true(until == NOW - CLOCK_SECOND + 7 * DAY);
	assert_int_equal(license_grace_days(until, NOW), 6);
}

static void test_a_success_in_the_future_counts_from_now(void **state)
{
	struct fixture *fixture = *state;
	struct license_grace grace = {fixture->state_file, "host-1", 7};
	int64_t until;

	write_state(fixture, "fairlead-license-grace 1\nhost host-1\nsuccess 1900000000\n");
	assert_int_equal(license_grace_until(&grace, NOW, &until), 0);
	assert_true(until == NOW + 7 * DAY);
	/* And it goes on counting: the file was corrected. */
	assert_int_equal(license_grace_until(&grace, NOW + 6 * DAY, &until), 0);
	assert_true(until == NOW + 7 * DAY);
	assert_int_equal(license_grace_until(&grace, NOW + 7 * DAY, &until), ERROR_EXPIRED);
	/* A real success corrects it too. */
	write_state(fixture, "fairlead-license-grace 1\nhost host-1\nsuccess 1900000000\n");
	assert_int_equal(license_grace_remember(&grace, NOW), 0);
	assert_int_equal(license_grace_until(&grace, NOW + DAY, &until), 0);
	assert_true(until == NOW + 7 * DAY);
}

static void test_a_success_is_noted_once_an_hour(void **state)
{
	struct fixture *fixture = *state;
	struct license_grace grace = {fixture->state_file, "host-1", 7};
	int64_t until;

	assert_int_equal(license_grace_remember(&grace, NOW), 0);
	assert_int_equal(license_grace_remember(&grace, NOW + 3599 * CLOCK_SECOND), 0);
	assert_int_equal(license_grace_until(&grace, NOW + DAY, &until), 0);
	assert_true(until == NOW + 7 * DAY);
	assert_int_equal(license_grace_remember(&grace, NOW + 3600 * CLOCK_SECOND), 0);
	assert_int_equal(license_grace_until(&grace, NOW + DAY, &until), 0);
	assert_true(until == NOW + 3600 * CLOCK_SECOND + 7 * DAY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_state_files_that_do_not_count),
		TEST(test_a_success_in_the_future_counts_from_now),
		TEST(test_a_success_is_noted_once_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
