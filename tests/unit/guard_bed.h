/*
 * guard_bed.h - a guard with its defaults, a clock and tries in one line; for tests.
 */
#ifndef FAIRLEAD_TESTS_GUARD_BED_H
#define FAIRLEAD_TESTS_GUARD_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "identity/guard.h"

#define WINDOW (1800 * CLOCK_SECOND)
#define HOME "203.0.113.7"
#define GUARD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static struct clock_fake fake;
static struct entropy_fake entropy;
static struct guard *guard;
static struct guard_try try;
static struct guard_answer answer;

static inline int set_up(void **state)
{
	const struct guard_limits limits = {0};

	(void)state;
	clock_fake_init(&fake, 1000 * CLOCK_SECOND);
	entropy_fake_init(&entropy, 1);
	return guard_new(&limits, &fake.clock, &entropy.entropy, &guard);
}

static inline int tear_down(void **state)
{
	(void)state;
	guard_free(guard);
	return 0;
}

/* --- tries --- */

static inline enum guard_limit begin(const char *user, const char *address, const char *password)
{
	guard_begin(guard, user, "", address, password, &try, &answer);
	assert_int_equal(try.open, answer.limit == GUARD_NONE);
	assert_int_equal(answer.wait_seconds > 0, answer.limit != GUARD_NONE);
	return answer.limit;
}

/* Begun, and ended as told if it was admitted. */
static inline enum guard_limit attempt(
	const char *user, const char *address, const char *password, enum reason_count count)
{
	enum guard_limit limit = begin(user, address, password);

	guard_end(guard, &try, count);
	assert_false(try.open);
	return limit;
}

static inline enum guard_limit wrong(const char *user, const char *address, const char *password)
{
	return attempt(user, address, password, REASON_COUNTS_WRONG);
}

static inline const char *number(const char *form, unsigned value)
{
	static char texts[8][32];
	static unsigned next;
	char *text = texts[next++ % 8];

	snprintf(text, sizeof(texts[0]), "%s%u", form, value);
	return text;
}

/* Every one in a /24 of its own. */
static inline const char *far_address(unsigned value)
{
	static char texts[8][32];
	static unsigned next;
	char *text = texts[next++ % 8];

	snprintf(text, sizeof(texts[0]), "%u.%u.%u.9", 10 + (value >> 16), value >> 8 & 255,
		value & 255);
	return text;
}

static inline void expect_counters(size_t count)
{
	struct guard_state figures;

	guard_state(guard, &figures);
	assert_int_equal(figures.counters, count);
}

static inline void change(const struct guard_limits *limits)
{
	guard_set_limits(guard, limits);
}

static inline bool is_known(const char *user, const char *address)
{
	assert_int_equal(begin(user, address, NULL), GUARD_NONE);
	guard_end(guard, &try, REASON_COUNTS_NONE);
	return try.known;
}

#endif
