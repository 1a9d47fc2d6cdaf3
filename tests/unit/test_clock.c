#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static void check_stamp(int64_t wall, const char *expected)
{
	char stamp[CLOCK_STAMP_SIZE];

	clock_stamp(wall, stamp);
	assert_string_equal(stamp, expected);
}

static void stamps(void **state)
{
	(void)state;
	check_stamp(0, "1970-01-01T00:00:00.000Z");
	check_stamp(INT64_C(1616620259601999), "2021-03-24T21:10:59.601Z");
	check_stamp(INT64_C(951782400) * CLOCK_SECOND, "2000-02-29T00:00:00.000Z");
	check_stamp(-1, "1969-12-31T23:59:59.999Z");
	check_stamp(-CLOCK_SECOND, "1969-12-31T23:59:59.000Z");
}

static void stamps_keep_their_length(void **state)
{
	(void)state;
	check_stamp(INT64_MAX, "9999-12-31T23:59:59.999Z");
	check_stamp(INT64_MIN, "0000-01-01T00:00:00.000Z");
}

static void fake_clock_stands_still(void **state)
{
	struct clock_fake fake;

	(void)state;
	clock_fake_init(&fake, 1000);
	assert_int_equal(clock_wall(&fake.clock), 1000);
	assert_int_equal(clock_steady(&fake.clock), 0);
	clock_fake_advance(&fake, 5 * CLOCK_SECOND);
	assert_int_equal(clock_wall(&fake.clock), 5001000);
	assert_int_equal(clock_steady(&fake.clock), 5000000);
	fake.wall_now = 7;
	assert_int_equal(clock_wall(&fake.clock), 7);
	assert_int_equal(clock_steady(&fake.clock), 5000000);
}

static void system_clock_agrees_with_time(void **state)
{
	const struct clock *clock = clock_system();
	int64_t before = (int64_t)time(NULL);
	int64_t wall = clock_wall(clock);
	int64_t steady = clock_steady(clock);

	(void)state;
	/* time() may lag behind by a tick. */
	assert_true(wall >= before * CLOCK_SECOND);
	assert_true(wall / CLOCK_SECOND <= (int64_t)time(NULL) + 1);
	assert_true(clock_steady(clock) >= steady);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps),
		cmocka_unit_test(stamps_keep_their_length),
		cmocka_unit_test(fake_clock_stands_still),
		cmocka_unit_test(system_clock_agrees_with_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
