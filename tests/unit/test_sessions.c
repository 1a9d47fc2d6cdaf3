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
#include "service/sessions.h"

#define MINUTE (60 * CLOCK_SECOND)
#define THREADS 4
#define ROUNDS 2000

static struct clock_fake fake;
static struct entropy_fake entropy;
static struct sessions *sessions;
static unsigned roles_freed;

static void make_table(size_t maximum)
{
	struct sessions_options options = {
		.maximum = maximum,
		.clock = &fake.clock,
		.entropy = &entropy.entropy,
	};

	assert_int_equal(sessions_new(&options, &sessions), 0);
}

static int set_up(void **state)
{
	(void)state;
	clock_fake_init(&fake, 1000 * CLOCK_SECOND);
	entropy_fake_init(&entropy, 3);
	roles_freed = 0;
	make_table(0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sessions_free(sessions);
	return 0;
}

static void role_free(void *role)
{
	assert_non_null(role);
	free(role);
	roles_freed++;
}

/* Makes a session in that state and lets it go. */
static void make(enum state wanted, char cookie[SESSIONS_COOKIE_SIZE])
{
	struct session *session;

	assert_int_equal(sessions_create(sessions, cookie, &session), 0);
	session->state = wanted;
	session->role = malloc(1);
	session->role_free = role_free;
	if (wanted == STATE_AUTHENTICATED)
		assert_int_equal(
			seal_close(&session->password, &entropy.entropy, cookie, "secret"), 0);
	sessions_release(sessions, session);
}

/* What it is in; ENDED when there is none of that cookie. */
static enum state state_of(const char *cookie)
{
	struct session *session;
	enum state found;
	int error = sessions_take(sessions, cookie, &session);

	if (error != 0) {
		assert_int_equal(error, ERROR_NOT_FOUND);
		return STATE_ENDED;
	}
	found = session->state;
	sessions_release(sessions, session);
	return found;
}

static void test_create_take_release(void **state)
{
	char cookie[SESSIONS_COOKIE_SIZE], other[SESSIONS_COOKIE_SIZE];
	struct session *session, *again, *second;

	(void)state;
	assert_int_equal(sessions_create(sessions, cookie, &session), 0);
	assert_int_equal(strlen(cookie), 32);
	assert_int_equal(strspn(cookie, "0123456789abcdef"), 32);
	assert_int_equal(session->state, STATE_NONE);
	assert_int_equal(sessions_count(sessions), 1);
	assert_int_equal(sessions_take(sessions, cookie, &again), ERROR_BUSY);
	session->state = STATE_CREATED;
	assert_int_equal(sessions_set_text(&session->user, "alice"), 0);
	assert_int_equal(sessions_set_text(&session->user, "bob"), 0);
	sessions_release(sessions, session);
	assert_int_equal(sessions_take(sessions, cookie, &again), 0);
	assert_ptr_equal(again, session);
	assert_string_equal(again->user, "bob");
	sessions_release(sessions, again);
	assert_int_equal(sessions_create(sessions, other, &second), 0);
	assert_string_not_equal(cookie, other);
	/* Never came to life. */
	sessions_release(sessions, second);
	assert_int_equal(sessions_count(sessions), 1);
	assert_int_equal(state_of(other), STATE_ENDED);
}

/* The table itself knows no cookie. */
static void test_cookie_is_not_stored(void **state)
{
	char cookie[SESSIONS_COOKIE_SIZE];
	struct session *session;

	(void)state;
	assert_int_equal(sessions_create(sessions, cookie, &session), 0);
	assert_null(memmem(session, sizeof(*session), cookie, 16));
	for (int i = 0; i < 16; i++) {
		const char digits[] = {cookie[i * 2], cookie[i * 2 + 1], '\0'};

		((unsigned char *)cookie)[i] = (unsigned char)strtoul(digits, NULL, 16);
	}
	assert_null(memmem(session, sizeof(*session), cookie, 16));
	sessions_release(sessions, session);
}

static void test_ended(void **state)
{
	char cookie[SESSIONS_COOKIE_SIZE];
	struct session *session;

	(void)state;
	make(STATE_AUTHENTICATED, cookie);
	assert_int_equal(sessions_take(sessions, cookie, &session), 0);
	session->state = STATE_ENDED;
	sessions_release(sessions, session);
	assert_int_equal(roles_freed, 1);
	assert_int_equal(sessions_count(sessions), 0);
	assert_int_equal(state_of(cookie), STATE_ENDED);
}

static void test_times(void **state)
{
	char cookie[SESSIONS_COOKIE_SIZE];

	(void)state;
	make(STATE_CREATED, cookie);
	clock_fake_advance(&fake, 5 * MINUTE - 1);
	assert_int_equal(state_of(cookie), STATE_CREATED);
	clock_fake_advance(&fake, 5 * MINUTE);
	assert_int_equal(state_of(cookie), STATE_ENDED);
	assert_int_equal(roles_freed, 1);

	make(STATE_ALLOCATED, cookie);
	for (int i = 0; i < 29; i++) {
		clock_fake_advance(&fake, MINUTE);
		assert_int_equal(state_of(cookie), STATE_ALLOCATED);
	}
	clock_fake_advance(&fake, MINUTE - 1);
	assert_int_equal(state_of(cookie), STATE_ALLOCATED);
	clock_fake_advance(&fake, 1);
	assert_int_equal(state_of(cookie), STATE_ENDED);
	assert_int_equal(sessions_count(sessions), 0);

	sessions_set_times(sessions, 2 * MINUTE, MINUTE);
	make(STATE_CREATED, cookie);
	clock_fake_advance(&fake, MINUTE);
	assert_int_equal(state_of(cookie), STATE_ENDED);
	sessions_set_times(sessions, 0, 0);
	make(STATE_CREATED, cookie);
	clock_fake_advance(&fake, MINUTE);
	assert_int_equal(state_of(cookie), STATE_CREATED);
}

static void count_ended(void *user, const struct session *session)
{
	unsigned *ended = user;

	assert_true(session->state == STATE_CREATED || session->state == STATE_ALLOCATED);
	(*ended)++;
}

static void test_sweep(void **state)
{
	char guest[SESSIONS_COOKIE_SIZE], member[SESSIONS_COOKIE_SIZE];
	char kept[SESSIONS_COOKIE_SIZE], held_cookie[SESSIONS_COOKIE_SIZE];
	struct session *held;
	unsigned ended = 0;

	(void)state;
	make(STATE_CREATED, guest);
	make(STATE_ALLOCATED, member);
	assert_int_equal(sessions_create(sessions, held_cookie, &held), 0);
	clock_fake_advance(&fake, 4 * MINUTE);
	make(STATE_CREATED, kept);
	sessions_sweep(sessions, count_ended, &ended);
	assert_int_equal(ended, 0);
	clock_fake_advance(&fake, MINUTE);
	sessions_sweep(sessions, count_ended, &ended);
	assert_int_equal(ended, 2);
	assert_int_equal(roles_freed, 2);
	/* One that is held is not swept, however old. */
	assert_int_equal(sessions_count(sessions), 2);
	clock_fake_advance(&fake, 60 * MINUTE);
	sessions_sweep(sessions, NULL, NULL);
	assert_int_equal(sessions_count(sessions), 1);
	held->state = STATE_CREATED;
	sessions_release(sessions, held);
	assert_int_equal(state_of(held_cookie), STATE_ENDED);
}

/* The password goes with the state that needs it. */
static void test_password(void **state)
{
	static const enum state without[] = {STATE_CREATED, STATE_ALLOCATED, STATE_ERRORED};
	char cookie[SESSIONS_COOKIE_SIZE];
	struct session *session;

	(void)state;
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		make(STATE_AUTHENTICATED, cookie);
		assert_int_equal(sessions_take(sessions, cookie, &session), 0);
		assert_non_null(session->password.bytes);
		session->state = without[i];
		sessions_release(sessions, session);
		assert_int_equal(sessions_take(sessions, cookie, &session), 0);
		assert_null(session->password.bytes);
		sessions_release(sessions, session);
	}
}

static void test_fault(void **state)
{
	char cookie[SESSIONS_COOKIE_SIZE];
	struct session *session;

	(void)state;
	sessions_fault(sessions, "nobody's");
	make(STATE_AUTHENTICATED, cookie);
	sessions_fault(sessions, cookie);
	assert_int_equal(sessions_take(sessions, cookie, &session), 0);
	assert_int_equal(session->state, STATE_ERRORED);
	assert_null(session->password.bytes);
	sessions_release(sessions, session);

	/* While busy: at its end, whatever it comes to. */
	make(STATE_CREATED, cookie);
	assert_int_equal(sessions_take(sessions, cookie, &session), 0);
	sessions_fault(sessions, cookie);
	assert_int_equal(session->state, STATE_CREATED);
	session->state = STATE_AUTHENTICATED;
	assert_int_equal(seal_close(&session->password, &entropy.entropy, cookie, "secret"), 0);
	sessions_release(sessions, session);
	assert_int_equal(sessions_take(sessions, cookie, &session), 0);
	assert_int_equal(session->state, STATE_ERRORED);
	assert_null(session->password.bytes);
	/* Once. */
	session->state = STATE_CREATED;
	sessions_release(sessions, session);
	assert_int_equal(state_of(cookie), STATE_CREATED);
	/* One that ends stays ended. */
	assert_int_equal(sessions_take(sessions, cookie, &session), 0);
	sessions_fault(sessions, cookie);
	session->state = STATE_ENDED;
	sessions_release(sessions, session);
	assert_int_equal(state_of(cookie), STATE_ENDED);
}

static void test_full(void **state)
{
	char first[SESSIONS_COOKIE_SIZE], second[SESSIONS_COOKIE_SIZE], third[SESSIONS_COOKIE_SIZE];
	char errored[SESSIONS_COOKIE_SIZE], cookie[SESSIONS_COOKIE_SIZE] = "untouched";
	struct session *session = NULL, *held;

	(void)state;
	sessions_free(sessions);
	make_table(3);
	make(STATE_CREATED, first);
	make(STATE_AUTHENTICATED, second);
	make(STATE_CREATED, third);
	assert_int_equal(state_of(first), STATE_CREATED); /* touched: third is the oldest now */
	make(STATE_ERRORED, errored);
	assert_int_equal(roles_freed, 1);
	assert_int_equal(state_of(third), STATE_ENDED);
	assert_int_equal(state_of(first), STATE_CREATED);
	/* first was touched after errored came. */
	make(STATE_ALLOCATED, third);
	assert_int_equal(state_of(errored), STATE_ENDED);
	/* One that is held cannot go. */
	assert_int_equal(sessions_take(sessions, first, &held), 0);
	assert_int_equal(sessions_create(sessions, cookie, &session), ERROR_LIMIT);
	assert_null(session);
	assert_string_equal(cookie, "untouched");
	sessions_release(sessions, held);
	make(STATE_AUTHENTICATED, cookie);
	assert_int_equal(state_of(first), STATE_ENDED);
	assert_int_equal(sessions_create(sessions, first, &session), ERROR_LIMIT);
	assert_int_equal(state_of(second), STATE_AUTHENTICATED);
	assert_int_equal(state_of(third), STATE_ALLOCATED);
	assert_int_equal(sessions_count(sessions), 3);
	/* A bye makes room. */
	assert_int_equal(sessions_take(sessions, second, &session), 0);
	session->state = STATE_ENDED;
	sessions_release(sessions, session);
	make(STATE_AUTHENTICATED, first);
}

/* A large table is striped: a flood fills every part of it and goes no further. */
static void test_flood(void **state)
{
	char cookie[SESSIONS_COOKIE_SIZE], member[SESSIONS_COOKIE_SIZE];

	(void)state;
	sessions_free(sessions);
	make_table(2048);
	make(STATE_AUTHENTICATED, member);
	for (int i = 0; i < 10000; i++)
		make(STATE_CREATED, cookie);
	assert_int_equal(sessions_count(sessions), 2048);
	assert_int_equal(state_of(member), STATE_AUTHENTICATED);
	assert_int_equal(state_of(cookie), STATE_CREATED);
}

static int no_entropy(void *user, void *bytes, size_t length)
{
	(void)user;
	(void)bytes;
	(void)length;
	return ERROR_SYSTEM;
}

static void test_no_entropy(void **state)
{
	struct session *session = NULL;
	char cookie[SESSIONS_COOKIE_SIZE];

	(void)state;
	entropy.entropy.fill = no_entropy;
	assert_int_equal(sessions_create(sessions, cookie, &session), ERROR_SYSTEM);
	assert_null(session);
	assert_int_equal(sessions_count(sessions), 0);
}

struct worker {
	const char *shared;
	unsigned taken, busy, wrong;
};

static void *work(void *user)
{
	struct worker *worker = user;
	struct session *session;

	for (int i = 0; i < ROUNDS; i++) {
		int error = sessions_take(sessions, worker->shared, &session);

		if (error == ERROR_BUSY) {
			worker->busy++;
			continue;
		}
		if (error != 0) {
			worker->wrong++;
			continue;
		}
		/* Nobody else is in here. */
		if (session->capabilities != 0)
			worker->wrong++;
		session->capabilities = 1;
		worker->taken++;
		session->capabilities = 0;
		sessions_release(sessions, session);
		sessions_sweep(sessions, NULL, NULL);
	}
	return NULL;
}

/* One transaction at a time, from however many loops. */
static void test_threads(void **state)
{
	struct worker workers[THREADS];
	char cookie[SESSIONS_COOKIE_SIZE];
	pthread_t threads[THREADS];
	unsigned all = 0;

	(void)state;
	make(STATE_CREATED, cookie);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.shared = cookie};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(workers[i].wrong, 0);
		all += workers[i].taken + workers[i].busy;
	}
	assert_int_equal(all, THREADS * ROUNDS);
	assert_int_equal(state_of(cookie), STATE_CREATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_create_take_release, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cookie_is_not_stored, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_times, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sweep, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fault, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flood, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_entropy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
