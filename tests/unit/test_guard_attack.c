/*
 * What the guard leaves of attacks.
 */
#include <pthread.h>

#include "guard_bed.h"

/* --- attacks --- */

/* How many reach the directory. */
static unsigned spray(unsigned users, unsigned passwords, unsigned per_prefix, bool one_address)
{
	unsigned reached = 0, tries = users > passwords ? users : passwords;

	for (unsigned i = 0; i < tries; i++) {
		char address[32];

		snprintf(address, sizeof(address), "198.%u.%u.%u",
			one_address ? 51 : i / per_prefix / 250,
			one_address ? 100 : i / per_prefix % 250, one_address ? 7 : i % per_prefix);
		reached += wrong(number("user", i % users), address, number("pw", i % passwords)) ==
				GUARD_NONE
			? 1
			: 0;
		clock_fake_advance(&fake, CLOCK_MILLISECOND);
	}
	return reached;
}

static void sprays_get_nowhere(void **state)
{
	(void)state;
	assert_int_equal(spray(1000, 1, 1, true), 6);
	clock_fake_advance(&fake, WINDOW);
	assert_int_equal(spray(1000, 1, 5, false), 6);
	clock_fake_advance(&fake, WINDOW);
	/* Another password for each user. */
	assert_int_equal(spray(1000, 1000, 1, true), 12);
	clock_fake_advance(&fake, WINDOW);
	assert_int_equal(spray(1000, 1000, 200, false), 5 * 60);
	clock_fake_advance(&fake, WINDOW);
	/* One user, from thousands of addresses. */
	assert_int_equal(spray(1, 3000, 1, false), 3);
	clock_fake_advance(&fake, WINDOW);
	/* Everything different: as many as in all. */
	assert_int_equal(spray(5000, 5000, 1, false), 3000);
}

/* A directory that counts as Active Directory does, with a threshold of 5 in half an hour. */
struct account {
	unsigned bad;
	int64_t last;
	unsigned worst;
};

static void directory_counts(struct account *account)
{
	if (account->bad > 0 && fake.steady_now - account->last >= WINDOW)
		account->bad = 0;
	account->bad++;
	account->last = fake.steady_now;
	if (account->bad > account->worst)
		account->worst = account->bad;
}

/* A day of spraying, patient and not, with the user mistyping in between. */
static void nobody_is_locked_out(void **state)
{
	static struct account accounts[100];
	unsigned seed = 1;

	(void)state;
	memset(accounts, 0, sizeof(accounts));
	for (unsigned i = 0; i < 50; i++)
		(void)attempt(number("user", i), number("10.0.0.", i), "good", REASON_COUNTS_RIGHT);
	for (unsigned i = 0; i < 60000; i++) {
		unsigned who, how;

		seed = seed * 1103515245 + 12345;
		who = (seed >> 16) % 100;
		how = (seed >> 8) % 8;
		/* The second half only as many as one every few minutes for each user. */
		clock_fake_advance(&fake, (i < 30000 ? 500 : 3000) * CLOCK_MILLISECOND);
		if (begin(number("user", who), how == 0 ? number("10.0.0.", who) : far_address(i),
			    number("pw", i)) != GUARD_NONE)
			continue;
		directory_counts(&accounts[who]);
		clock_fake_advance(&fake, (seed >> 4) % 3000 * CLOCK_MILLISECOND);
		guard_end(guard, &try, how == 1 ? REASON_COUNTS_LOST : REASON_COUNTS_WRONG);
	}
	for (unsigned i = 0; i < 100; i++)
		assert_in_range(accounts[i].worst, 3, 4);
}

/* Memory is bounded, and who is known is let in. */
static void floods_drown_nobody(void **state)
{
	struct guard_state figures = {0};
	size_t most = 0;

	(void)state;
	assert_int_equal(attempt("alice", HOME, "good", REASON_COUNTS_RIGHT), GUARD_NONE);
	for (unsigned i = 0; i < 1000000; i++) {
		(void)wrong(number("u", i), far_address(i), number("p", i));
		if (i % 1000 == 0) {
			guard_state(guard, &figures);
			most = figures.counters > most ? figures.counters : most;
			clock_fake_advance(&fake, 60 * CLOCK_SECOND);
		}
	}
	assert_in_range(most, 3000, 5 * 3000);
	assert_true(most <= figures.counters_most);
	assert_true(figures.refused[GUARD_ALL] > 800000);
	assert_int_equal(attempt("alice", HOME, "good", REASON_COUNTS_RIGHT), GUARD_NONE);
	assert_true(is_known("alice", HOME));
}

/* What the limit in all does not count gives way, but not what strangers have failed. */
static void lost_tries_give_way(void **state)
{
	struct guard_state figures;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(wrong("alice", far_address(i), number("p", i)), GUARD_NONE);
	/* One that is lost does not take the others with it. */
	assert_int_equal(attempt("alice", far_address(2), "p2", REASON_COUNTS_LOST), GUARD_NONE);
	assert_int_equal(attempt("bob", HOME, "p", REASON_COUNTS_LOST), GUARD_NONE);
	for (unsigned i = 0; i < 80000; i++) {
		assert_int_equal(begin(number("u", i), far_address(i), NULL), GUARD_NONE);
		assert_true(guard_account(guard, &try, number("CN=u", i), &answer));
		guard_end(guard, &try, REASON_COUNTS_LOST);
	}
	guard_state(guard, &figures);
	assert_in_range(figures.counters, 100000, figures.counters_most);
	assert_int_equal(begin("alice", far_address(4), "p4"), GUARD_USER);
	/* The latest are still there, the oldest are not. */
	for (unsigned i = 0; i < 2; i++) {
		(void)wrong("bob", far_address(i), NULL);
		(void)wrong("u79999", far_address(i), NULL);
	}
	assert_int_equal(begin("u79999", far_address(4), NULL), GUARD_USER);
	assert_int_equal(begin("bob", far_address(4), NULL), GUARD_NONE);
	guard_end(guard, &try, REASON_COUNTS_NONE);
	clock_fake_advance(&fake, WINDOW);
	expect_counters(0);
}

/* So do failures of known users: they fill no room that others need. */
static void known_users_give_way(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(wrong("alice", far_address(i), number("p", i)), GUARD_NONE);
	for (unsigned i = 0; i < 45000; i++) {
		const char *home = far_address(i);
		const char *user = number("u", i);

		assert_int_equal(attempt(user, home, "good", REASON_COUNTS_RIGHT), GUARD_NONE);
		assert_int_equal(attempt(user, home, "bad", REASON_COUNTS_WRONG), GUARD_NONE);
	}
	assert_int_equal(begin("alice", far_address(4), "p4"), GUARD_USER);
}

/* Nothing but open tries in the book: refused, and in order again when they end. */
static void a_full_book_admits_nobody(void **state)
{
	static struct guard_try open[60000];
	unsigned admitted = 0;

	(void)state;
	change(&(struct guard_limits){.user = 1000, .known = 1000, .prefix = 10000, .all = 10000});
	for (unsigned i = 0; i < 60; i++)
		(void)attempt("alice", far_address(i % 8), "good", REASON_COUNTS_RIGHT);
	for (unsigned i = 0; i < 32768; i++)
		(void)attempt(number("u", i), far_address(i), "good", REASON_COUNTS_RIGHT);
	for (unsigned i = 0; i < 60000; i++) {
		unsigned who = i % 30000 + 2000;

		if (begin(number("u", who), far_address(who), number("p", i)) == GUARD_NONE)
			admitted++;
		else
			assert_int_equal(answer.limit, GUARD_ALL);
		open[i] = try;
	}
	assert_in_range(admitted, 131072 / 4, 59999);
	for (unsigned i = 0; i < 60000; i++)
		guard_end(guard, &open[i], REASON_COUNTS_NONE);
	expect_counters(0);
	assert_int_equal(begin("u5000", far_address(5000), "p"), GUARD_NONE);
	guard_end(guard, &try, REASON_COUNTS_NONE);
}

/* --- threads --- */

#define THREADS 4

static pthread_barrier_t barrier;

static void *hammer(void *user)
{
	struct guard_try own[50];
	struct guard_answer said;
	intptr_t reached = 0;

	(void)user;
	pthread_barrier_wait(&barrier);
	for (unsigned round = 0; round < 200; round++) {
		char name[32];

		/* All threads at the same users; what is admitted stays open a while. */
		for (unsigned i = 0; i < 50; i++) {
			snprintf(name, sizeof(name), "user%u", (round * 50 + i) % 1000);
			guard_begin(guard, name, "", HOME, NULL, &own[i], &said);
			if (own[i].open && !guard_account(guard, &own[i], name, &said))
				abort();
		}
		for (unsigned i = 0; i < 50; i++) {
			reached += own[i].open ? 1 : 0;
			(void)guard_delay(guard, &own[i]);
			guard_end(guard, &own[i], REASON_COUNTS_WRONG);
		}
	}
	return (void *)reached;
}

static void totals_are_exact_with_threads(void **state)
{
	pthread_t threads[THREADS];
	struct guard_state figures;
	intptr_t reached = 0;

	(void)state;
	change(&(struct guard_limits){.address = 10000, .prefix = 10000, .all = 10000});
	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		void *result;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		reached += (intptr_t)result;
	}
	pthread_barrier_destroy(&barrier);
	assert_int_equal(reached, 3 * 1000);
	guard_state(guard, &figures);
	assert_int_equal(figures.refused[GUARD_USER], THREADS * 200 * 50 - 3 * 1000);
	/* 1000 users, 1000 accounts, an address, a prefix, and all. */
	assert_int_equal(figures.counters, 2003);
	clock_fake_advance(&fake, WINDOW);
	expect_counters(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(sprays_get_nowhere),
		GUARD_TEST(nobody_is_locked_out),
		GUARD_TEST(floods_drown_nobody),
		GUARD_TEST(lost_tries_give_way),
		GUARD_TEST(known_users_give_way),
		GUARD_TEST(a_full_book_admits_nobody),
		GUARD_TEST(totals_are_exact_with_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
