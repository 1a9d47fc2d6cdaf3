#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "service/occupancy.h"

#define HOUR (3600 * CLOCK_SECOND)
#define THREADS 4

static struct clock_fake fake;
static struct occupancy *occupancy;
static struct occupant who;

static int set_up(void **state)
{
	(void)state;
	clock_fake_init(&fake, 1000 * CLOCK_SECOND);
	assert_int_equal(occupancy_new(&fake.clock, &occupancy), 0);
	memset(&who, 0, sizeof(who));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	occupancy_free(occupancy);
	return 0;
}

static void test_take_and_leave(void **state)
{
	struct occupant alice;

	(void)state;
	assert_int_equal(occupancy_who(occupancy, "ws-1", &who), ERROR_NOT_FOUND);
	assert_int_equal(occupancy_take(occupancy, "ws-1", "alice", "corp", HOUR, &alice), 0);
	assert_string_equal(alice.user, "alice");
	assert_string_equal(alice.domain, "corp");
	assert_true(alice.since == 1000 * CLOCK_SECOND && alice.until == alice.since + HOUR);
	assert_int_equal(occupancy_take(occupancy, "WS-1", "bob", "", HOUR, &who), ERROR_BUSY);
	assert_string_equal(who.user, "alice");
	assert_true(who.until == alice.until);
	assert_int_equal(occupancy_take(occupancy, "ws-2", "bob", "", HOUR, &who), 0);
	/* The same name in another domain is another user. */
	assert_int_equal(occupancy_take(occupancy, "ws-1", "alice", "", HOUR, &who), ERROR_BUSY);
	occupancy_leave(occupancy, "ws-1", &alice);
	assert_int_equal(occupancy_take(occupancy, "ws-1", "bob", "", HOUR, &who), 0);
	assert_int_equal(occupancy_who(occupancy, "Ws-1", &who), 0);
	assert_string_equal(who.user, "bob");
}

static void test_hold_ends(void **state)
{
	(void)state;
	assert_int_equal(occupancy_take(occupancy, "ws-1", "alice", "", HOUR, &who), 0);
	clock_fake_advance(&fake, HOUR - 1);
	assert_int_equal(occupancy_take(occupancy, "ws-1", "bob", "", HOUR, &who), ERROR_BUSY);
	clock_fake_advance(&fake, 1);
	assert_int_equal(occupancy_who(occupancy, "ws-1", &who), ERROR_NOT_FOUND);
	assert_int_equal(occupancy_take(occupancy, "ws-1", "bob", "", HOUR, &who), 0);
	assert_string_equal(who.user, "bob");
}

/* Whoever leaves late must not free the hold that came after his. */
static void test_late_leave(void **state)
{
	struct occupant first, second;

	(void)state;
	assert_int_equal(occupancy_take(occupancy, "ws-1", "alice", "", HOUR, &first), 0);
	assert_int_equal(occupancy_take(occupancy, "ws-1", "ALICE", "", 2 * HOUR, &second), 0);
	assert_true(second.until == second.since + 2 * HOUR);
	occupancy_leave(occupancy, "ws-1", &first);
	assert_int_equal(occupancy_take(occupancy, "ws-1", "bob", "", HOUR, &who), ERROR_BUSY);
	occupancy_leave(occupancy, "ws-2", &second);
	assert_int_equal(occupancy_take(occupancy, "ws-1", "bob", "", HOUR, &who), ERROR_BUSY);
	occupancy_leave(occupancy, "ws-1", &second);
	assert_int_equal(occupancy_take(occupancy, "ws-1", "bob", "", HOUR, &who), 0);
	occupancy_leave(occupancy, "ws-1", &second);
	assert_int_equal(occupancy_who(occupancy, "ws-1", &who), 0);
}

static void test_long_names(void **state)
{
	char longest[IDENTITY_NAME_MAXIMUM + 2];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(occupancy_take(occupancy, "ws-1", longest, "", HOUR, &who), ERROR_INPUT);
	assert_int_equal(occupancy_take(occupancy, "ws-1", "a", longest, HOUR, &who), ERROR_INPUT);
	longest[IDENTITY_NAME_MAXIMUM] = '\0';
	assert_int_equal(occupancy_take(occupancy, "ws-1", longest, longest, HOUR, &who), 0);
	assert_string_equal(who.domain, longest);
}

static void test_limit(void **state)
{
	char host[32];

	(void)state;
	for (int i = 0; i < OCCUPANCY_HOSTS_MAXIMUM; i++) {
		snprintf(host, sizeof(host), "host-%d", i);
		assert_int_equal(occupancy_take(occupancy, host, "a", "", HOUR, &who), 0);
	}
	assert_int_equal(occupancy_take(occupancy, "one more", "a", "", HOUR, &who), ERROR_LIMIT);
	assert_int_equal(occupancy_take(occupancy, "host-7", "a", "", HOUR, &who), 0);
	/* Ended holds make room. */
	clock_fake_advance(&fake, HOUR);
	assert_int_equal(occupancy_take(occupancy, "one more", "a", "", HOUR, &who), 0);
	assert_int_equal(occupancy_who(occupancy, "one more", &who), 0);
}

static void *try_take(void *user)
{
	struct occupant occupant;
	char name[16];
	intptr_t won = 0;

	snprintf(name, sizeof(name), "user-%d", *(int *)user);
	for (int i = 0; i < 1000; i++) {
		char host[16];

		snprintf(host, sizeof(host), "h-%d", i);
		won += occupancy_take(occupancy, host, name, "", HOUR, &occupant) == 0;
	}
	return (void *)won;
}

static void test_threads(void **state)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];
	intptr_t won = 0;

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, try_take, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		won += (intptr_t)result;
	}
	assert_int_equal(won, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_take_and_leave),
		TEST(test_hold_ends),
		TEST(test_late_leave),
		TEST(test_long_names),
		TEST(test_limit),
		TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
