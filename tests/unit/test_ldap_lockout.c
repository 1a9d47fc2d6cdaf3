#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "identity/ldap_lockout.h"

#define MINUTE (60 * CLOCK_SECOND)
#define WINDOW (30 * MINUTE)
#define NOW (INT64_C(1600000000) * CLOCK_SECOND)
#define HEAD "DC=studio,DC=example"

static struct clock_fake now;
static struct ldap_lockout *lockout;

static int set_up(void **state)
{
	(void)state;
	clock_fake_init(&now, NOW);
	lockout = ldap_lockout_new(5 * MINUTE, &now.clock);
	assert_non_null(lockout);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ldap_lockout_free(lockout);
	return 0;
}

/* --- numbers --- */

static int64_t number(const char *text)
{
	return ldap_lockout_number(text, strlen(text));
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(number("0"), 0);
	assert_int_equal(number("5"), 5);
	assert_int_equal(number("-18000000000"), INT64_C(-18000000000));
	assert_int_equal(number("9223372036854775807"), INT64_MAX);
	assert_int_equal(number("-9223372036854775808"), INT64_MIN);
	assert_int_equal(number("9223372036854775808"), 0);
	assert_int_equal(number("-9223372036854775809"), 0);
	assert_int_equal(number("99999999999999999999"), 0);
	assert_int_equal(number(""), 0);
	assert_int_equal(number("-"), 0);
	assert_int_equal(number("5 "), 0);
	assert_int_equal(number("+5"), 0);
	assert_int_equal(ldap_lockout_number("57", 1), 5);
	assert_int_equal(ldap_lockout_number("5\0", 2), 0);
}

static void test_times(void **state)
{
	(void)state;
	/* 2020-01-01T00:00:00Z */
	assert_int_equal(ldap_lockout_moment(INT64_C(132223104000000000)),
		INT64_C(1577836800) * CLOCK_SECOND);
	assert_int_equal(ldap_lockout_moment(0), 0);
	assert_int_equal(ldap_lockout_moment(-1), 0);
	assert_int_equal(ldap_lockout_while(-18000000000), WINDOW);
	assert_int_equal(ldap_lockout_while(0), 0);
	assert_int_equal(ldap_lockout_while(18000000000), 0);
	/* What "never" is written as. */
	assert_int_equal(ldap_lockout_while(INT64_MIN), 0);
}

/* --- what is left --- */

static int64_t left(int64_t threshold, int64_t bad)
{
	return ldap_lockout_left(
		&(struct ldap_lockout_policy){.threshold = threshold, .window = WINDOW},
		&(struct ldap_lockout_count){.bad = bad, .last = NOW}, NOW);
}

static void test_one_is_left_for_others(void **state)
{
	(void)state;
	assert_int_equal(left(5, 0), 4);
	assert_int_equal(left(5, 3), 1);
	assert_int_equal(left(5, 4), 0);
	assert_int_equal(left(5, 5), 0);
	assert_int_equal(left(5, 1000), 0);
	assert_int_equal(left(2, 0), 1);
	assert_int_equal(left(2, 1), 0);
	/* The first one locks. */
	assert_int_equal(left(1, 0), 1);
	assert_int_equal(left(1, 1), 0);
	assert_int_equal(left(5, -1), 4);
	assert_int_equal(left(5, INT64_MIN), 4);
}

static void test_nothing_known(void **state)
{
	const struct ldap_lockout_policy policy = {.threshold = 5, .window = WINDOW};
	const struct ldap_lockout_count none = {.bad = 0};

	(void)state;
	assert_int_equal(left(0, 1000), INT64_MAX);
	assert_int_equal(left(-1, 1000), INT64_MAX);
	assert_int_equal(ldap_lockout_left(&policy, &none, NOW), 4);
}

/* It says so itself, and counts no further. */
static void test_locked(void **state)
{
	const struct ldap_lockout_policy policy = {.threshold = 5, .window = WINDOW};
	const struct ldap_lockout_count count = {.bad = 5, .last = NOW, .locked = true};

	(void)state;
	assert_int_equal(ldap_lockout_left(&policy, &count, NOW), INT64_MAX);
}

static int64_t left_after(int64_t window, int64_t age)
{
	return ldap_lockout_left(&(struct ldap_lockout_policy){.threshold = 5, .window = window},
		&(struct ldap_lockout_count){.bad = 4, .last = NOW - age}, NOW);
}

static void test_window(void **state)
{
	(void)state;
	assert_int_equal(left_after(WINDOW, 0), 0);
	assert_int_equal(left_after(WINDOW, WINDOW), 0);
	assert_int_equal(left_after(WINDOW, WINDOW + LDAP_LOCKOUT_SKEW - 1), 0);
	assert_int_equal(left_after(WINDOW, WINDOW + LDAP_LOCKOUT_SKEW), 4);
	/* A clock ahead of ours. */
	assert_int_equal(left_after(WINDOW, -MINUTE), 0);
	assert_int_equal(left_after(WINDOW, -1000 * WINDOW), 0);
	/* Never forgotten. */
	assert_int_equal(left_after(0, NOW), 0);
	assert_int_equal(left_after(INT64_MAX, NOW), 0);
}

/* --- the domain --- */

static void test_head(void **state)
{
	(void)state;
	assert_string_equal(ldap_lockout_head("CN=Alice,CN=Users," HEAD), HEAD);
	assert_string_equal(
		ldap_lockout_head("cn=alice,dc=studio,dc=example"), "dc=studio,dc=example");
	assert_string_equal(ldap_lockout_head(HEAD), HEAD);
	/* A name is no domain, whatever it looks like. */
	assert_string_equal(ldap_lockout_head("CN=a\\,DC=x\\\\,OU=b," HEAD), HEAD);
	assert_string_equal(ldap_lockout_head("DC=a,OU=b," HEAD), HEAD);
	assert_null(ldap_lockout_head("uid=alice,o=studio"));
	assert_null(ldap_lockout_head(HEAD ",o=studio"));
	assert_null(ldap_lockout_head(""));
	assert_null(ldap_lockout_head("\\"));
}

static void test_policy_is_kept(void **state)
{
	const struct ldap_lockout_policy policy = {.threshold = 5, .window = WINDOW};
	const struct ldap_lockout_policy other = {.threshold = 9, .window = 0};
	struct ldap_lockout_policy read = {.threshold = 77};

	(void)state;
	assert_false(ldap_lockout_get_policy(lockout, HEAD, &read));
	assert_int_equal(read.threshold, 77);
	ldap_lockout_put_policy(lockout, HEAD, &policy);
	ldap_lockout_put_policy(lockout, "DC=other", &other);
	assert_true(ldap_lockout_get_policy(lockout, "dc=STUDIO,dc=example", &read));
	assert_int_equal(read.threshold, 5);
	assert_int_equal(read.window, WINDOW);
	assert_true(ldap_lockout_get_policy(lockout, "DC=other", &read));
	assert_int_equal(read.threshold, 9);
	clock_fake_advance(&now, 5 * MINUTE - 1);
	assert_true(ldap_lockout_get_policy(lockout, HEAD, &read));
	clock_fake_advance(&now, 1);
	assert_false(ldap_lockout_get_policy(lockout, HEAD, &read));
	ldap_lockout_put_policy(lockout, HEAD, &other);
	assert_true(ldap_lockout_get_policy(lockout, HEAD, &read));
	assert_int_equal(read.threshold, 9);
}

static void test_many_domains(void **state)
{
	const struct ldap_lockout_policy policy = {.threshold = 5};
	struct ldap_lockout_policy read;
	char head[] = "DC=a";

	(void)state;
	for (; head[3] <= 'z'; head[3]++) {
		ldap_lockout_put_policy(lockout, head, &policy);
		assert_true(ldap_lockout_get_policy(lockout, head, &read));
	}
	assert_false(ldap_lockout_get_policy(lockout, "DC=a", &read));
	assert_true(ldap_lockout_get_policy(lockout, "DC=y", &read));
}

/* --- tries at once --- */

static enum ldap_lockout_verdict begin(uint64_t mark, int64_t tries)
{
	/* Its time is over: nobody is waited for. */
	return ldap_lockout_begin(lockout, "alice", mark, tries, clock_steady(&now.clock));
}

static void test_tries_under_way(void **state)
{
	uint64_t mark = ldap_lockout_mark(lockout);

	(void)state;
	assert_int_equal(begin(mark, 0), LDAP_LOCKOUT_FULL);
	assert_int_equal(begin(mark, 2), LDAP_LOCKOUT_GO);
	assert_int_equal(begin(mark, 1), LDAP_LOCKOUT_LATE);
	assert_int_equal(begin(mark, 2), LDAP_LOCKOUT_GO);
	assert_int_equal(begin(mark, 2), LDAP_LOCKOUT_LATE);
	/* A right password is not counted. */
	ldap_lockout_end(lockout, "alice", true);
	assert_int_equal(begin(mark, 2), LDAP_LOCKOUT_GO);
	ldap_lockout_end(lockout, "alice", false);
	assert_int_equal(begin(mark, 2), LDAP_LOCKOUT_AGAIN);
	assert_int_equal(begin(mark, INT64_MAX), LDAP_LOCKOUT_GO);
	ldap_lockout_end(lockout, "alice", true);
	mark = ldap_lockout_mark(lockout);
	assert_int_equal(begin(mark, 1), LDAP_LOCKOUT_LATE);
	assert_int_equal(begin(mark, 2), LDAP_LOCKOUT_GO);
	ldap_lockout_end(lockout, "alice", true);
	ldap_lockout_end(lockout, "alice", true);
}

#define THREADS 8
#define THRESHOLD 100

/* The directory, and who tries at it until none is left. */
static atomic_int counted;

static void *guess(void *context)
{
	const struct ldap_lockout_policy policy = {.threshold = THRESHOLD};
	struct ldap_lockout *shared = context;
	enum ldap_lockout_verdict verdict;

	do {
		uint64_t mark = ldap_lockout_mark(shared);
		struct ldap_lockout_count count = {.bad = atomic_load(&counted)};

		verdict = ldap_lockout_begin(
			shared, "alice", mark, ldap_lockout_left(&policy, &count, NOW), INT64_MAX);
		if (verdict == LDAP_LOCKOUT_GO) {
			sched_yield();
			atomic_fetch_add(&counted, 1);
			ldap_lockout_end(shared, "alice", false);
		}
	} while (verdict != LDAP_LOCKOUT_FULL);
	return NULL;
}

static void test_never_locked_by_many_at_once(void **state)
{
	struct ldap_lockout *shared = ldap_lockout_new(MINUTE, clock_system());
	pthread_t threads[THREADS];

	(void)state;
	assert_non_null(shared);
	atomic_store(&counted, 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, guess, shared), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&counted), THRESHOLD - 1);
	ldap_lockout_free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_one_is_left_for_others),
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_head),
		cmocka_unit_test_setup_teardown(test_policy_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_domains, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tries_under_way, set_up, tear_down),
		cmocka_unit_test(test_never_locked_by_many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
