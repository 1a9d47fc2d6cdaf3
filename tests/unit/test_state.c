#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "protocol/state.h"

static enum state step(enum state from, enum message_id message, enum result_outcome outcome)
{
	enum state next = STATE_COUNT;

	assert_int_equal(state_next(from, message, outcome, &next), 0);
	return next;
}

static void goes_the_whole_way(void **state)
{
	enum state at = STATE_NONE;

	(void)state;
	at = step(at, MESSAGE_HELLO, OUTCOME_OK);
	assert_int_equal(at, STATE_CREATED);
	at = step(at, MESSAGE_HELLO, OUTCOME_OK); /* the probe, then the real one */
	assert_int_equal(at, STATE_CREATED);
	at = step(at, MESSAGE_AUTHENTICATE, OUTCOME_FAILED); /* may be tried again */
	assert_int_equal(at, STATE_CREATED);
	at = step(at, MESSAGE_AUTHENTICATE, OUTCOME_INCOMPLETE);
	assert_int_equal(at, STATE_CREATED);
	at = step(at, MESSAGE_AUTHENTICATE, OUTCOME_OK);
	assert_int_equal(at, STATE_AUTHENTICATED);
	at = step(at, MESSAGE_GET_RESOURCE_LIST, OUTCOME_FAILED);
	assert_int_equal(at, STATE_AUTHENTICATED);
	at = step(at, MESSAGE_GET_RESOURCE_LIST, OUTCOME_OK);
	assert_int_equal(at, STATE_AUTHENTICATED);
	at = step(at, MESSAGE_ALLOCATE_RESOURCE, OUTCOME_PENDING);
	assert_int_equal(at, STATE_AUTHENTICATED);
	at = step(at, MESSAGE_ALLOCATE_RESOURCE, OUTCOME_FAILED);
	assert_int_equal(at, STATE_AUTHENTICATED);
	at = step(at, MESSAGE_ALLOCATE_RESOURCE, OUTCOME_OK);
	assert_int_equal(at, STATE_ALLOCATED);
	at = step(at, MESSAGE_BYE, OUTCOME_OK);
	assert_int_equal(at, STATE_ENDED);
}

/* Which message may come in which state, all pairs. */
static void refuses_what_is_not_listed(void **state)
{
	static const struct {
		enum state state;
		enum message_id message;
	} allowed[] = {
		{STATE_NONE, MESSAGE_HELLO},
		{STATE_CREATED, MESSAGE_HELLO},
		{STATE_CREATED, MESSAGE_AUTHENTICATE},
		{STATE_CREATED, MESSAGE_BYE},
		{STATE_AUTHENTICATED, MESSAGE_GET_RESOURCE_LIST},
		{STATE_AUTHENTICATED, MESSAGE_ALLOCATE_RESOURCE},
		{STATE_AUTHENTICATED, MESSAGE_BYE},
		{STATE_ALLOCATED, MESSAGE_BYE},
		{STATE_ERRORED, MESSAGE_BYE},
	};

	(void)state;
	for (unsigned s = 0; s < STATE_COUNT; s++) {
		for (unsigned m = MESSAGE_NONE + 1; m < MESSAGE_COUNT; m++) {
			enum state next = STATE_COUNT;
			bool expected = false;

			for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
				expected |= allowed[i].state == s && allowed[i].message == m;
			assert_int_equal(state_may((enum state)s, (enum message_id)m), expected);
			if (!expected) {
				assert_int_equal(state_next((enum state)s, (enum message_id)m,
							 OUTCOME_OK, &next),
					ERROR_STATE);
				assert_int_equal(next, STATE_COUNT);
			}
		}
	}
}

static void refuses_an_outcome_not_listed(void **state)
{
	enum state next = STATE_COUNT;

	(void)state;
	assert_int_equal(state_next(STATE_CREATED, MESSAGE_AUTHENTICATE, OUTCOME_PENDING, &next),
		ERROR_STATE);
	assert_int_equal(state_next(STATE_NONE, MESSAGE_HELLO, OUTCOME_FAILED, &next), ERROR_STATE);
	assert_int_equal(next, STATE_COUNT);
}

static void errs(void **state)
{
	(void)state;
	assert_int_equal(state_errored(STATE_NONE), STATE_NONE);
	assert_int_equal(state_errored(STATE_CREATED), STATE_ERRORED);
	assert_int_equal(state_errored(STATE_AUTHENTICATED), STATE_ERRORED);
	assert_int_equal(state_errored(STATE_ALLOCATED), STATE_ERRORED);
	assert_int_equal(state_errored(STATE_ERRORED), STATE_ERRORED);
	assert_int_equal(state_errored(STATE_ENDED), STATE_ENDED);
}

static void has_names(void **state)
{
	(void)state;
	assert_string_equal(state_name(STATE_NONE), "NONE");
	assert_string_equal(state_name(STATE_CREATED), "CREATED");
	assert_string_equal(state_name(STATE_AUTHENTICATED), "AUTHENTICATED");
	assert_string_equal(state_name(STATE_ALLOCATED), "ALLOCATED");
	assert_string_equal(state_name(STATE_ERRORED), "ERRORED");
	assert_string_equal(state_name(STATE_ENDED), "ENDED");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_the_whole_way),
		cmocka_unit_test(refuses_what_is_not_listed),
		cmocka_unit_test(refuses_an_outcome_not_listed),
		cmocka_unit_test(errs),
		cmocka_unit_test(has_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
