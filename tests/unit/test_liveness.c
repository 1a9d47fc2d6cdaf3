#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "protocol/liveness.h"

#define MS CLOCK_MILLISECOND
#define TIMEOUT (3 * CLOCK_SECOND)

static void nothing_is_known_at_first(void **state)
{
	struct liveness liveness;

	(void)state;
	liveness_init(&liveness, TIMEOUT);
	assert_int_equal(liveness_rtt_last(&liveness), -1);
	assert_int_equal(liveness_rtt_mean(&liveness), -1);
	assert_int_equal(liveness_rtt_maximum(&liveness), -1);
	assert_int_equal(liveness_jitter(&liveness), -1);
	assert_true(liveness_loss(&liveness) == 0);
	assert_int_equal(liveness_sent(&liveness, 0), 1);
	assert_int_equal(liveness_answered(&liveness, 1, 7 * MS), 0);
	assert_int_equal(liveness_rtt_last(&liveness), 7 * MS);
	assert_int_equal(liveness_jitter(&liveness), -1);
}

static void round_trips(void **state)
{
	static const int64_t trips[] = {10 * MS, 30 * MS, 20 * MS, 20 * MS};
	struct liveness liveness;
	int64_t now = 5 * CLOCK_SECOND;
	int64_t scaled = 0;

	(void)state;
	liveness_init(&liveness, TIMEOUT);
	for (size_t i = 0; i < 4; i++) {
		uint64_t number = liveness_sent(&liveness, now);

		assert_int_equal(liveness_answered(&liveness, number, now + trips[i]), 0);
		now += CLOCK_SECOND;
	}
	assert_int_equal(liveness_rtt_last(&liveness), 20 * MS);
	assert_int_equal(liveness_rtt_mean(&liveness), 20 * MS);
	assert_int_equal(liveness_rtt_maximum(&liveness), 30 * MS);
	/* RFC 3550, A.8: differences 20, 10 and 0 ms. */
	scaled += 20000 - ((scaled + 8) >> 4);
	scaled += 10000 - ((scaled + 8) >> 4);
	scaled += 0 - ((scaled + 8) >> 4);
	assert_int_equal(liveness_jitter(&liveness), scaled >> 4);
	assert_int_equal(liveness_jitter(&liveness), 1684);
}

static void loss_counts_what_is_decided(void **state)
{
	struct liveness liveness;
	uint64_t first;
	uint64_t second;

	(void)state;
	liveness_init(&liveness, TIMEOUT);
	first = liveness_sent(&liveness, 0);
	second = liveness_sent(&liveness, CLOCK_SECOND);
	assert_int_equal(liveness_age(&liveness, TIMEOUT - 1), 0);
	assert_true(liveness_loss(&liveness) == 0);
	assert_int_equal(liveness_age(&liveness, TIMEOUT), 1);
	assert_int_equal(liveness_age(&liveness, TIMEOUT), 0); /* counted once */
	assert_true(liveness_loss(&liveness) == 1);
	/* Too late is lost, also if nobody aged it. */
	assert_int_equal(liveness_answered(&liveness, first, TIMEOUT), ERROR_NOT_FOUND);
	assert_int_equal(
		liveness_answered(&liveness, second, CLOCK_SECOND + TIMEOUT), ERROR_NOT_FOUND);
	second = liveness_sent(&liveness, 2 * CLOCK_SECOND);
	assert_int_equal(liveness_answered(&liveness, second, 2 * CLOCK_SECOND + MS), 0);
	/* A second answer to the same, and one to what was never sent. */
	assert_int_equal(
		liveness_answered(&liveness, second, 2 * CLOCK_SECOND + MS), ERROR_NOT_FOUND);
	assert_int_equal(liveness_answered(&liveness, 0, 2 * CLOCK_SECOND), ERROR_NOT_FOUND);
	assert_int_equal(liveness_answered(&liveness, 99, 2 * CLOCK_SECOND), ERROR_NOT_FOUND);
	assert_true(liveness_loss(&liveness) == 0.5);
	assert_int_equal(liveness.sent, 3);
	assert_int_equal(liveness.answered, 1);
}

static void more_than_the_window_is_lost(void **state)
{
	struct liveness liveness;

	(void)state;
	liveness_init(&liveness, TIMEOUT);
	for (int i = 0; i < LIVENESS_WINDOW + 3; i++)
		liveness_sent(&liveness, 0);
	assert_int_equal(liveness.lost, 3);
	assert_int_equal(liveness_answered(&liveness, 3, 1), ERROR_NOT_FOUND);
	assert_int_equal(liveness_answered(&liveness, 4, 1), 0);
}

static void forgotten_ones_are_not_lost(void **state)
{
	struct liveness liveness;
	uint64_t number;

	(void)state;
	liveness_init(&liveness, TIMEOUT);
	number = liveness_sent(&liveness, 0);
	liveness_forget(&liveness);
	assert_int_equal(liveness.sent, 0);
	assert_int_equal(liveness_answered(&liveness, number, 1), ERROR_NOT_FOUND);
	assert_int_equal(liveness_age(&liveness, 2 * TIMEOUT), 0);
	assert_true(liveness_loss(&liveness) == 0);
	assert_int_not_equal(liveness_sent(&liveness, 0), number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_at_first),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(loss_counts_what_is_decided),
		cmocka_unit_test(more_than_the_window_is_lost),
		cmocka_unit_test(forgotten_ones_are_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
