#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "service/launch.h"

/* tests/scenario/broker_hosts.c and manager_launch.c play whole launches; here is the table. */

static void test_meaning(void **state)
{
	static const struct {
		enum result_id agent, client;
	} cases[] = {
		{RESULT_SUCCESSFUL, RESULT_ALLOC_SUCCESSFUL},
		{RESULT_FAILED_USER_AUTH, RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT},
		{RESULT_FAILED_ANOTHER_SESSION_STARTED, RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT},
		{RESULT_FAILED_NO_LICENSE, RESULT_ALLOC_FAILED_NO_LICENSE},
		{RESULT_FAILED_SERVICE_BUSY, RESULT_ALLOC_PENDING_TRY_AGAIN},
		{RESULT_FAILED_INTERNAL, RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT},
		{RESULT_NONE, RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(launch_meaning(cases[i].agent), cases[i].client);
}

/* Every id there is becomes one of the client's kind, and only one is a success. */
static void test_every_result(void **state)
{
	(void)state;
	for (int i = RESULT_NONE; i < RESULT_COUNT; i++) {
		enum result_id meaning = launch_meaning((enum result_id)i);

		assert_int_equal(result_info(meaning)->group, GROUP_ALLOC);
		assert_int_equal(
			result_info(meaning)->outcome == OUTCOME_OK, i == RESULT_SUCCESSFUL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_every_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
