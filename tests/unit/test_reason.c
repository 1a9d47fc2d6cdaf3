#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "identity/reason.h"

static const struct reason_info *info(unsigned reason)
{
	return reason_info((enum reason)reason);
}

static void every_result_is_one_of_authenticate(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		assert_int_equal(result_info(info(i)->result)->group, GROUP_AUTH);
		assert_true(info(i)->text >= TEXT_RESULT && info(i)->text < TEXT_COUNT);
	}
}

static void phrases_are_told_apart(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		assert_true(strlen(info(i)->phrase) > 0);
		for (unsigned j = 0; j < i; j++) {
			assert_string_not_equal(info(i)->phrase, info(j)->phrase);
		}
	}
}

/* The guard forgets a user's failures for this one only. */
static void only_right_counts_as_right(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REASON_COUNT; i++)
		assert_int_equal(
			info(i)->count == REASON_COUNTS_RIGHT, i == (unsigned)REASON_RIGHT);
}

/* No failure is told as a success, and the other way round. */
static void only_right_is_complete(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REASON_COUNT; i++)
		assert_int_equal(info(i)->result == RESULT_AUTH_SUCCESSFUL_AND_COMPLETE,
			i == (unsigned)REASON_RIGHT);
}

/* Whoever has not proven a password reads the same for all of these, which he could otherwise tell
 * users from names by. */
static void strangers_read_one_text(void **state)
{
	static const enum reason alike[] = {REASON_UNKNOWN_USER, REASON_WRONG_PASSWORD,
		REASON_EMPTY_PASSWORD, REASON_AMBIGUOUS_USER, REASON_UNKNOWN_DOMAIN,
		REASON_RADIUS_REJECTED};
	static const enum reason denied[] = {REASON_ACCOUNT_DISABLED, REASON_ACCOUNT_LOCKED,
		REASON_ACCOUNT_EXPIRED, REASON_OUTSIDE_HOURS, REASON_WORKSTATION_DENIED,
		REASON_LOGON_DENIED};
	const enum result_id failed = RESULT_AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD;

	(void)state;
	for (size_t i = 0; i < sizeof(alike) / sizeof(*alike); i++) {
		assert_int_equal(info(alike[i])->result, failed);
		assert_int_equal(info(alike[i])->text, TEXT_RESULT);
		assert_int_equal(info(alike[i])->count, REASON_COUNTS_WRONG);
	}
	for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++) {
		assert_int_equal(info(denied[i])->result, RESULT_AUTH_FAILED_ACCESS_DENIED);
		assert_int_equal(info(denied[i])->text, TEXT_RESULT);
	}
	assert_string_equal(
		result_info(failed)->text, result_info(RESULT_AUTH_FAILED_ACCESS_DENIED)->text);
	/* A row that is added has to have the common text as well. */
	for (unsigned i = 0; i < REASON_COUNT; i++)
		if (info(i)->result == failed)
			assert_int_equal(info(i)->text, TEXT_RESULT);
}

/* Wherever nobody answered, the user's secret may have been counted; where nobody could be asked,
 * it was not. */
static void silence_is_lost(void **state)
{
	static const enum reason unasked[] = {REASON_DIRECTORY_UNREACHABLE,
		REASON_DIRECTORY_UNTRUSTED, REASON_DIRECTORY_REFUSED, REASON_DIRECTORY_BUSY,
		REASON_RADIUS_FAILED, REASON_PAM_FAILED, REASON_SERVICE_BUSY, REASON_GUARDED};

	(void)state;
	for (size_t i = 0; i < sizeof(unasked) / sizeof(*unasked); i++)
		assert_int_equal(info(unasked[i])->count, REASON_COUNTS_NONE);
	assert_int_equal(info(REASON_DIRECTORY_SILENT)->count, REASON_COUNTS_LOST);
	assert_int_equal(info(REASON_RADIUS_SILENT)->count, REASON_COUNTS_LOST);
	assert_int_equal(info(REASON_PAM_SILENT)->count, REASON_COUNTS_LOST);
	assert_string_equal(
		info(REASON_RADIUS_SILENT)->phrase, "Timeout: No Response from RADIUS Server.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_result_is_one_of_authenticate),
		cmocka_unit_test(phrases_are_told_apart),
		cmocka_unit_test(only_right_counts_as_right),
		cmocka_unit_test(only_right_is_complete),
		cmocka_unit_test(strangers_read_one_text),
		cmocka_unit_test(silence_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
