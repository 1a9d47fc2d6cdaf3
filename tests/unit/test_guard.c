/*
 * What the guard counts, and for how long.
 */
#include "guard_bed.h"

/* --- each limit --- */

static void user_has_three(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(wrong("alice", far_address(i), number("p", i)), GUARD_NONE);
	assert_int_equal(wrong("alice", far_address(3), "p3"), GUARD_USER);
	assert_int_equal(answer.wait_seconds, 1800);
	assert_true(answer.first);
	assert_int_equal(wrong("alice", far_address(3), "p3"), GUARD_USER);
	assert_false(answer.first);
	assert_int_equal(wrong("bob", far_address(3), "p3"), GUARD_NONE);
	/* Whoever waits as long as he was told is not refused again. */
	clock_fake_advance(&fake, CLOCK_SECOND / 2);
	assert_int_equal(wrong("alice", far_address(3), "p3"), GUARD_USER);
	assert_int_equal(answer.wait_seconds, 1800);
	clock_fake_advance(&fake, WINDOW - CLOCK_SECOND / 2 - 1);
	assert_int_equal(wrong("alice", far_address(3), "p3"), GUARD_USER);
	assert_int_equal(answer.wait_seconds, 1);
	clock_fake_advance(&fake, 1);
	assert_int_equal(wrong("alice", far_address(3), "p3"), GUARD_NONE);
}

/* A directory forgets bad passwords together, a window after the last: three failures ten minutes
 * apart and then one each ten minutes would lock the account there. */
static void failures_of_a_user_end_together(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(wrong("alice", far_address(i), number("p", i)), GUARD_NONE);
		clock_fake_advance(&fake, WINDOW / 3);
	}
	assert_int_equal(begin("alice", far_address(9), "p9"), GUARD_USER);
	assert_int_equal(answer.wait_seconds, 1200);
	clock_fake_advance(&fake, WINDOW * 2 / 3 - 1);
	assert_int_equal(begin("alice", far_address(9), "p9"), GUARD_USER);
	clock_fake_advance(&fake, 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(wrong("alice", far_address(i), number("p", i)), GUARD_NONE);
	assert_int_equal(begin("alice", far_address(9), "p9"), GUARD_USER);
}

/* A try takes time, and the directory counts it before it ends. */
static void window_begins_when_a_try_ends(void **state)
{
	struct guard_try slow;

	(void)state;
	assert_int_equal(wrong("alice", far_address(0), "p0"), GUARD_NONE);
	assert_int_equal(wrong("alice", far_address(1), "p1"), GUARD_NONE);
	clock_fake_advance(&fake, WINDOW - CLOCK_SECOND);
	assert_int_equal(begin("alice", far_address(2), "p2"), GUARD_NONE);
	slow = try;
	clock_fake_advance(&fake, 4 * CLOCK_SECOND);
	/* The first two had their time, but the third may have begun it again. */
	assert_int_equal(begin("alice", far_address(3), "p3"), GUARD_USER);
	assert_int_equal(answer.wait_seconds, GUARD_OPEN_SECONDS);
	guard_end(guard, &slow, REASON_COUNTS_WRONG);
	assert_int_equal(begin("alice", far_address(3), "p3"), GUARD_USER);
	assert_int_equal(answer.wait_seconds, 1800);
}

static void given_back_tries_leave_nothing_behind(void **state)
{
	struct guard_try slow;

	(void)state;
	assert_int_equal(wrong("alice", far_address(0), "p0"), GUARD_NONE);
	assert_int_equal(begin("alice", far_address(1), "p1"), GUARD_NONE);
	slow = try;
	clock_fake_advance(&fake, WINDOW);
	guard_end(guard, &slow, REASON_COUNTS_NONE);
	expect_counters(0);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(
			attempt("alice", HOME, number("p", i), REASON_COUNTS_NONE), GUARD_NONE);
	expect_counters(0);
}

static void address_has_twelve(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(wrong(number("u", i), HOME, number("p", i)), GUARD_NONE);
		clock_fake_advance(&fake, CLOCK_SECOND);
	}
	assert_int_equal(wrong("u12", HOME, "p12"), GUARD_ADDRESS);
	assert_int_equal(answer.wait_seconds, 1800 - 12);
	assert_int_equal(wrong("u12", "203.0.113.8", "p12"), GUARD_NONE);
	/* Each failure for its own window: one more a second. */
	clock_fake_advance(&fake, WINDOW - 12 * CLOCK_SECOND - 1);
	assert_int_equal(wrong("u13", HOME, "p13"), GUARD_ADDRESS);
	clock_fake_advance(&fake, 1);
	assert_int_equal(wrong("u13", HOME, "p13"), GUARD_NONE);
	assert_int_equal(wrong("u14", HOME, "p14"), GUARD_ADDRESS);
	assert_int_equal(answer.wait_seconds, 1);
}

static void prefix_has_sixty(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(
			wrong(number("u", i), number("203.0.113.", i), number("p", i)), GUARD_NONE);
	assert_int_equal(wrong("u60", "203.0.113.60", "p60"), GUARD_PREFIX);
	assert_int_equal(wrong("u60", "203.0.112.60", "p60"), GUARD_NONE);
	clock_fake_advance(&fake, WINDOW);
	assert_int_equal(wrong("u60", "203.0.113.60", "p60"), GUARD_NONE);
}

static void password_has_six_users(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		/* A user who repeats it is still one. */
		assert_int_equal(wrong(number("u", i), far_address(i), "Winter1"), GUARD_NONE);
		assert_int_equal(wrong(number("u", i), far_address(i), "Winter1"), GUARD_NONE);
		clock_fake_advance(&fake, CLOCK_SECOND);
	}
	assert_int_equal(wrong("u6", far_address(6), "Winter1"), GUARD_PASSWORD);
	assert_int_equal(answer.wait_seconds, 1800 - 6);
	assert_true(answer.first);
	assert_int_equal(wrong("u7", far_address(7), "Winter1"), GUARD_PASSWORD);
	assert_false(answer.first);
	assert_int_equal(wrong("u7", far_address(7), "winter1"), GUARD_NONE);
	/* One of the six adds nobody to them, and begins his window again. */
	assert_int_equal(wrong("u0", far_address(0), "Winter1"), GUARD_NONE);
	assert_int_equal(wrong("u6", far_address(6), "Winter1"), GUARD_PASSWORD);
	assert_int_equal(answer.wait_seconds, 1800 - 5);
	clock_fake_advance(&fake, WINDOW - 5 * CLOCK_SECOND);
	assert_int_equal(wrong("u6", far_address(6), "Winter1"), GUARD_NONE);
	assert_int_equal(wrong("u8", far_address(8), "Winter1"), GUARD_PASSWORD);
}

static void codes_and_empty_passwords_are_nobodys(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(wrong(number("u", i), far_address(i), NULL), GUARD_NONE);
		assert_int_equal(wrong(number("u", i), far_address(i), ""), GUARD_NONE);
	}
}

static void all_have_three_thousand(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		assert_int_equal(wrong(number("u", i), far_address(i), number("p", i)), GUARD_NONE);
	assert_int_equal(wrong("x", far_address(3000), "x"), GUARD_ALL);
	assert_int_equal(answer.wait_seconds, 1800);
	assert_true(answer.first);
	assert_int_equal(wrong("y", far_address(3001), "y"), GUARD_ALL);
	assert_false(answer.first);
	clock_fake_advance(&fake, WINDOW);
	expect_counters(0);
	assert_int_equal(wrong("x", far_address(3000), "x"), GUARD_NONE);
}

/* The one with the longest to go is told: after that the next try is admitted. */
static void longest_wait_is_told(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		(void)wrong("alice", far_address(i), number("p", i));
	clock_fake_advance(&fake, 100 * CLOCK_SECOND);
	for (unsigned i = 0; i < 12; i++)
		(void)wrong(number("u", i), HOME, number("q", i));
	assert_int_equal(begin("alice", HOME, "p"), GUARD_ADDRESS);
	assert_int_equal(answer.wait_seconds, 1800);
	assert_int_equal(begin("alice", far_address(9), "p"), GUARD_USER);
	assert_int_equal(answer.wait_seconds, 1700);
	clock_fake_advance(&fake, WINDOW);
	assert_int_equal(begin("alice", HOME, "p"), GUARD_NONE);
	guard_end(guard, &try, REASON_COUNTS_NONE);
}

/* An attack that goes on is told once a window, not at each try, nor never again. */
static void a_line_for_each_window(void **state)
{
	unsigned lines = 0;

	(void)state;
	for (unsigned i = 0; i < 3 * 1800; i++) {
		(void)wrong(number("u", i), HOME, number("p", i));
		lines += answer.first ? 1 : 0;
		clock_fake_advance(&fake, CLOCK_SECOND);
	}
	assert_int_equal(lines, 3);
}

/* --- how a try ends --- */

static void right_forgives_the_user(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		assert_int_equal(wrong("alice", HOME, number("a", round)), GUARD_NONE);
		assert_int_equal(wrong("alice", HOME, number("b", round)), GUARD_NONE);
		assert_int_equal(attempt("Alice", far_address(round), "good", REASON_COUNTS_RIGHT),
			GUARD_NONE);
	}
	/* The address keeps its own: somebody with one account would have no limit. */
	assert_int_equal(wrong("x", HOME, "x"), GUARD_NONE);
	assert_int_equal(wrong("y", HOME, "y"), GUARD_NONE);
	assert_int_equal(wrong("z", HOME, "z"), GUARD_ADDRESS);
}

static void right_leaves_open_tries_open(void **state)
{
	struct guard_try open[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(begin("alice", far_address(i), number("p", i)), GUARD_NONE);
		open[i] = try;
	}
	guard_end(guard, &open[0], REASON_COUNTS_RIGHT);
	assert_int_equal(begin("alice", far_address(4), "p4"), GUARD_NONE);
	guard_end(guard, &try, REASON_COUNTS_WRONG);
	assert_int_equal(begin("alice", far_address(5), "p5"), GUARD_USER);
	guard_end(guard, &open[1], REASON_COUNTS_NONE);
	guard_end(guard, &open[2], REASON_COUNTS_NONE);
	assert_int_equal(wrong("alice", far_address(5), "p5"), GUARD_NONE);
	assert_int_equal(wrong("alice", far_address(5), "p5"), GUARD_NONE);
	assert_int_equal(wrong("alice", far_address(5), "p5"), GUARD_USER);
}

static void lost_stays_with_the_user(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(attempt("alice", HOME, "p", REASON_COUNTS_LOST), GUARD_NONE);
	assert_int_equal(begin("alice", HOME, "p"), GUARD_USER);
	assert_int_equal(answer.wait_seconds, 1800);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(
			attempt(number("u", i), HOME, "p", REASON_COUNTS_LOST), GUARD_NONE);
	assert_int_equal(begin("u5", HOME, "p"), GUARD_PASSWORD);
	/* A silent directory does not shut out an office. */
	for (unsigned i = 0; i < 4000; i++)
		assert_int_equal(attempt(number("v", i), HOME, number("q", i), REASON_COUNTS_LOST),
			GUARD_NONE);
}

static void ending_twice_is_ending_once(void **state)
{
	(void)state;
	assert_int_equal(begin("alice", HOME, "p"), GUARD_NONE);
	guard_end(guard, &try, REASON_COUNTS_WRONG);
	guard_end(guard, &try, REASON_COUNTS_RIGHT);
	guard_end(guard, &try, REASON_COUNTS_NONE);
	(void)wrong("alice", HOME, "p");
	(void)wrong("alice", HOME, "p");
	assert_int_equal(begin("alice", HOME, "p"), GUARD_USER);
	guard_end(guard, &try, REASON_COUNTS_RIGHT);
	assert_int_equal(begin("alice", HOME, "p"), GUARD_USER);
}

static void thousand_at_once_get_no_further(void **state)
{
	static struct guard_try open[1000];
	unsigned admitted = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		if (begin("alice", far_address(i), number("p", i)) == GUARD_NONE)
			admitted++;
		else { /* nothing is decided yet, and nothing worth a line in the log */
			assert_int_equal(answer.wait_seconds, GUARD_OPEN_SECONDS);
			assert_true(answer.busy && !answer.first);
		}
		open[i] = try;
	}
	assert_int_equal(admitted, 3);
	for (unsigned i = 0; i < 1000; i++)
		guard_end(guard, &open[i], REASON_COUNTS_WRONG);
	assert_int_equal(begin("alice", HOME, "p"), GUARD_USER);
	assert_int_equal(answer.wait_seconds, 1800);
	assert_true(answer.first && !answer.busy);
	/* Behind one address there may be many people, who are not failures before they failed; ...
	 */
	admitted = 0;
	for (unsigned i = 0; i < 1000; i++) {
		admitted += begin(number("u", i), HOME, number("q", i)) == GUARD_NONE ? 1 : 0;
		open[i] = try;
	}
	assert_int_equal(admitted, 12 + 256);
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(answer.wait_seconds, GUARD_OPEN_SECONDS);
		guard_end(guard, &open[i], REASON_COUNTS_WRONG);
	}
	/* ... and when so many have, nobody is tried any more. */
	assert_int_equal(begin("somebody", HOME, "r"), GUARD_ADDRESS);
	assert_int_equal(answer.wait_seconds, 1800);
	for (unsigned i = 12; i < 1000; i++)
		guard_end(guard, &open[i], REASON_COUNTS_NONE);
	/* One password for many users is another thing. */
	admitted = 0;
	for (unsigned i = 0; i < 1000; i++) {
		admitted += begin(number("u", i), far_address(i), "Winter1") == GUARD_NONE ? 1 : 0;
		open[i] = try;
	}
	assert_int_equal(admitted, 6);
	for (unsigned i = 0; i < 1000; i++)
		guard_end(guard, &open[i], REASON_COUNTS_NONE);
}

/* --- delays --- */

static void delay_doubles(void **state)
{
	static const int64_t expected[] = {1000, 2000, 4000};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(begin("alice", far_address(i), number("p", i)), GUARD_NONE);
		assert_true(guard_delay(guard, &try) == expected[i] * CLOCK_MILLISECOND);
		guard_end(guard, &try, REASON_COUNTS_WRONG);
		assert_true(guard_delay(guard, &try) == expected[i] * CLOCK_MILLISECOND);
	}
	/* Of the address as well; never above the most. */
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(begin(number("u", i), HOME, number("q", i)), GUARD_NONE);
		assert_true(
			guard_delay(guard, &try) == expected[i < 2 ? i : 2] * CLOCK_MILLISECOND);
		guard_end(guard, &try, REASON_COUNTS_WRONG);
	}
	assert_int_equal(begin("bob", far_address(50), "r"), GUARD_NONE);
	guard_end(guard, &try, REASON_COUNTS_NONE);
	assert_true(guard_delay(guard, &try) == 1000 * CLOCK_MILLISECOND);
	assert_int_equal(begin("alice", far_address(50), "r"), GUARD_USER);
	assert_true(guard_delay(guard, &try) == 4000 * CLOCK_MILLISECOND);
	change(&(struct guard_limits){.delay_ms = 50, .delay_most_ms = 70});
	assert_true(guard_delay(guard, &try) == 70 * CLOCK_MILLISECOND);
	change(&(struct guard_limits){.delay_ms = 500, .delay_most_ms = 70});
	assert_true(guard_delay(guard, &(struct guard_try){0}) == 70 * CLOCK_MILLISECOND);
}

/* --- limits change --- */

static void limits_change_while_it_counts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		(void)wrong("alice", far_address(i), number("p", i));
		clock_fake_advance(&fake, 10 * CLOCK_SECOND);
	}
	for (unsigned i = 0; i < 10; i++) {
		(void)wrong(number("u", i), HOME, number("q", i));
		clock_fake_advance(&fake, 10 * CLOCK_SECOND);
	}
	assert_int_equal(begin("alice", far_address(9), "p"), GUARD_USER);
	change(&(struct guard_limits){.user = 5});
	assert_int_equal(wrong("alice", far_address(9), "p"), GUARD_NONE);
	/* Four of the ten fit: the seventh has to go. */
	change(&(struct guard_limits){.address = 4});
	assert_int_equal(begin("x", HOME, "x"), GUARD_ADDRESS);
	assert_int_equal(answer.wait_seconds, 1800 - 100 + 60);
	change(&(struct guard_limits){.address = 4, .window_seconds = 50});
	assert_int_equal(begin("x", HOME, "x"), GUARD_ADDRESS);
	assert_int_equal(answer.wait_seconds, 10);
	clock_fake_advance(&fake, 10 * CLOCK_SECOND);
	assert_int_equal(wrong("x", HOME, "x"), GUARD_NONE);
	clock_fake_advance(&fake, 50 * CLOCK_SECOND);
	expect_counters(0);
	/* What is absurd is cut, and nothing flows over. */
	change(&(struct guard_limits){.window_seconds = UINT32_MAX,
		.user = UINT32_MAX,
		.known = UINT32_MAX,
		.address = UINT32_MAX,
		.prefix = UINT32_MAX,
		.password = UINT32_MAX,
		.all = UINT32_MAX,
		.delay_ms = UINT32_MAX,
		.delay_most_ms = UINT32_MAX});
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(wrong("alice", HOME, "p"), GUARD_NONE);
	assert_int_equal(wrong("alice", HOME, "p"), GUARD_USER);
	assert_int_equal(answer.wait_seconds, GUARD_WINDOW_MOST);
	assert_true(guard_delay(guard, &try) == GUARD_DELAY_MOST * CLOCK_MILLISECOND);
}

static void off_is_off(void **state)
{
	struct guard_try before;
	struct guard_state figures;

	(void)state;
	assert_int_equal(begin("bob", HOME, "p"), GUARD_NONE);
	before = try;
	change(&(struct guard_limits){.off = true});
	for (unsigned i = 0; i < 100; i++) {
		guard_begin(guard, "alice", "", HOME, "p", &try, &answer);
		assert_int_equal(answer.limit, GUARD_NONE);
		assert_true(guard_account(guard, &try, "CN=Alice", &answer));
		assert_true(guard_delay(guard, &try) == 0);
		guard_end(guard, &try, REASON_COUNTS_WRONG);
	}
	guard_end(guard, &before, REASON_COUNTS_NONE);
	expect_counters(0);
	change(&(struct guard_limits){0});
	assert_int_equal(wrong("alice", HOME, "p"), GUARD_NONE);
	guard_state(guard, &figures);
	for (unsigned i = 0; i < GUARD_LIMIT_COUNT; i++)
		assert_int_equal(figures.refused[i], 0);
}

static void figures_tell_what_was_refused(void **state)
{
	struct guard_state figures;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		(void)wrong("alice", far_address(i), number("p", i));
	guard_state(guard, &figures);
	assert_int_equal(figures.refused[GUARD_USER], 7);
	assert_int_equal(figures.refused[GUARD_ALL], 0);
	assert_string_equal(guard_limit_name(GUARD_USER), "user");
	assert_string_equal(guard_limit_name(GUARD_ADDRESS), "address");
	assert_string_equal(guard_limit_name(GUARD_PREFIX), "prefix");
	assert_string_equal(guard_limit_name(GUARD_PASSWORD), "password");
	assert_string_equal(guard_limit_name(GUARD_ALL), "all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(user_has_three),
		GUARD_TEST(failures_of_a_user_end_together),
		GUARD_TEST(window_begins_when_a_try_ends),
		GUARD_TEST(given_back_tries_leave_nothing_behind),
		GUARD_TEST(address_has_twelve),
		GUARD_TEST(prefix_has_sixty),
		GUARD_TEST(password_has_six_users),
		GUARD_TEST(codes_and_empty_passwords_are_nobodys),
		GUARD_TEST(all_have_three_thousand),
		GUARD_TEST(longest_wait_is_told),
		GUARD_TEST(a_line_for_each_window),
		GUARD_TEST(right_forgives_the_user),
		GUARD_TEST(right_leaves_open_tries_open),
		GUARD_TEST(lost_stays_with_the_user),
		GUARD_TEST(ending_twice_is_ending_once),
		GUARD_TEST(thousand_at_once_get_no_further),
		GUARD_TEST(delay_doubles),
		GUARD_TEST(limits_change_while_it_counts),
		GUARD_TEST(off_is_off),
		GUARD_TEST(figures_tell_what_was_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
