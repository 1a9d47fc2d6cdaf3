#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "protocol/result.h"

static void finds_every_id(void **state)
{
	(void)state;
	for (unsigned i = RESULT_NONE + 1; i < RESULT_COUNT; i++)
		assert_int_equal(result_find(result_info((enum result_id)i)->id), i);
}

static void compares_without_case(void **state)
{
	(void)state;
	assert_int_equal(result_find("successful"), RESULT_SUCCESSFUL);
	assert_int_equal(result_find("Failed_User_Auth"), RESULT_FAILED_USER_AUTH);
	assert_int_equal(
		result_find("auth_successful_and_complete"), RESULT_AUTH_SUCCESSFUL_AND_COMPLETE);
}

static void understands_the_misspelling(void **state)
{
	(void)state;
	assert_int_equal(result_find("FAILED_ANOTHER_SESION_STARTED"),
		RESULT_FAILED_ANOTHER_SESSION_STARTED);
	assert_int_equal(result_find("failed_another_sesion_started"),
		RESULT_FAILED_ANOTHER_SESSION_STARTED);
	assert_string_equal(result_info(RESULT_FAILED_ANOTHER_SESSION_STARTED)->id,
		"FAILED_ANOTHER_SESSION_STARTED");
}

static void does_not_find_others(void **state)
{
	(void)state;
	assert_int_equal(result_find(NULL), RESULT_NONE);
	assert_int_equal(result_find(""), RESULT_NONE);
	assert_int_equal(result_find("SUCCESSFUL "), RESULT_NONE);
	assert_int_equal(result_find("SUCCESS"), RESULT_NONE);
	assert_int_equal(result_find("NONE"), RESULT_NONE);
}

/* What real programs were seen to send. */
static void knows_the_real_ones(void **state)
{
	static const struct {
		const char *id;
		enum result_group group;
		enum result_outcome outcome;
		const char *text; /* NULL: no real text is known */
	} seen[] = {
		{"AUTH_SUCCESSFUL_AND_COMPLETE", GROUP_AUTH, OUTCOME_OK,
			"Authentication completed successfully"},
		{"AUTH_SUCCESSFUL_AND_INCOMPLETE", GROUP_AUTH, OUTCOME_INCOMPLETE, NULL},
		{"AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD", GROUP_AUTH, OUTCOME_FAILED,
			"User authentication failed. Please re-enter username, password, and/or "
			"domain."},
		{"AUTH_FAILED_ACCESS_DENIED", GROUP_AUTH, OUTCOME_FAILED,
			"User authentication failed. Please re-enter username, password, and/or "
			"domain."},
		{"AUTH_FAILED_USER_HAS_NO_RESOURCE", GROUP_AUTH, OUTCOME_FAILED, NULL},
		{"AUTH_FAILED_DIALOG_INVALID_USER_ENTRY", GROUP_AUTH, OUTCOME_FAILED, NULL},
		{"AUTH_FAILED_EXPIRED_PASSWORD", GROUP_AUTH, OUTCOME_FAILED, NULL},
		{"LIST_SUCCESSFUL", GROUP_LIST, OUTCOME_OK,
			"Successfully retrieved the list of resources"},
		{"LIST_FAILED_NO_ENTITLEMENT", GROUP_LIST, OUTCOME_FAILED,
			"User has not been assigned any remote workstations"},
		{"ALLOC_SUCCESSFUL", GROUP_ALLOC, OUTCOME_OK,
			"Successfully allocated remote workstation"},
		{"ALLOC_PENDING_TRY_AGAIN", GROUP_ALLOC, OUTCOME_PENDING, NULL},
		{"ALLOC_FAILED_TO_ALLOCATE_BROKER", GROUP_ALLOC, OUTCOME_FAILED, NULL},
		{"ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE", GROUP_ALLOC, OUTCOME_FAILED,
			"Broker failed to reach resource on port 60443."},
		{"ALLOC_FAILED_TO_ALLOCATE_AGENT", GROUP_ALLOC, OUTCOME_FAILED, NULL},
		{"ALLOC_FAILED_NO_LICENSE", GROUP_ALLOC, OUTCOME_FAILED, NULL},
		{"ERR_INVALID_MSG_FORMAT", GROUP_ERR, OUTCOME_FAILED, "Invalid XML message format"},
		{"SUCCESSFUL", GROUP_AGENT, OUTCOME_OK, NULL},
		{"FAILED_USER_AUTH", GROUP_AGENT, OUTCOME_FAILED,
			"Failed to start the session due to user authentication failing."},
		{"FAILED_ANOTHER_SESSION_STARTED", GROUP_AGENT, OUTCOME_FAILED, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(seen) / sizeof(*seen); i++) {
		enum result_id result = result_find(seen[i].id);

		assert_int_not_equal(result, RESULT_NONE);
		assert_string_equal(result_info(result)->id, seen[i].id);
		assert_int_equal(result_info(result)->group, seen[i].group);
		assert_int_equal(result_info(result)->outcome, seen[i].outcome);
		assert_int_not_equal(result_info(result)->origin, ORIGIN_OWN);
		if (seen[i].text != NULL)
			assert_string_equal(result_info(result)->text, seen[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_every_id),
		cmocka_unit_test(compares_without_case),
		cmocka_unit_test(understands_the_misspelling),
		cmocka_unit_test(does_not_find_others),
		cmocka_unit_test(knows_the_real_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
