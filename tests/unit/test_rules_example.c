/*
 * The example of an own rule does what the documentation says of it.
 */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "health/judge.h"
#include "health/read.h"
#include "health/rule_lint.h"

#define HEAD(time) "2024-05-14T" time "Z 0db55300-f3fa-103c-9a10-000000000000 > LVL:2 RC:   0 "
#define STARTED HEAD("08:30:03.100") "          AGENT :Starting session...\n"
#define LAUNCHER(time, text)                                                                       \
	HEAD(time) "       LAUNCHER :project-share: //files.studio.example/projects " text "\n"

static int load(void **state)
{
	struct rule_book *book;
	struct rule_fault fault;
	char folder[4096];
	int error;

	snprintf(folder, sizeof(folder), "%s/rules/example", getenv("FAIRLEAD_SOURCE"));
	error = rule_book_load(folder, &book, &fault);
	if (error != 0)
		print_error("%s\n", fault.text);
	*state = book;
	return error;
}

static int unload(void **state)
{
	rule_book_free(*state);
	return 0;
}

static void tell(void *context, const char *text)
{
	(void)context;
	print_error("%s\n", text);
}

static void test_lints_clean(void **state)
{
	assert_int_equal(rule_lint(*state, tell, NULL), 0);
}

static void judged(
	const struct rule_book *book, const char *log, enum verdict verdict, const char *cause)
{
	const struct finding *found = NULL;
	struct report *report;
	struct store *store;

	assert_int_equal(read_bytes(book, "launcher.log", log, strlen(log), NULL, &store), 0);
	assert_int_equal(judge(store, &report), 0);
	assert_int_equal(report->session_count, 1);
	for (size_t i = 0; i < report->sessions[0].finding_count; i++)
		if (strcmp(report->sessions[0].findings[i].rule->id, "project-share") == 0 &&
			(!found || report->sessions[0].findings[i].verdict < found->verdict))
			found = &report->sessions[0].findings[i];
	assert_non_null(found);
	assert(found != NULL);
	assert_string_equal(verdict_name(found->verdict), verdict_name(verdict));
	assert_string_equal(found->cause ? found->cause->id : "", cause);
	judge_free(report);
	store_free(store);
}

static void test_judges(void **state)
{
	judged(*state, STARTED LAUNCHER("08:30:06.000", "mounted in 2.1 s"), VERDICT_PASS, "");
	judged(*state, STARTED LAUNCHER("08:30:20.000", "mounted in 12.5 s"), VERDICT_WARNING,
		"late");
	judged(*state, STARTED LAUNCHER("08:30:06.000", "not mounted: host is down"), VERDICT_FAIL,
		"no-server");
	judged(*state, STARTED LAUNCHER("08:30:06.000", "not mounted: no such share"), VERDICT_FAIL,
		"other");
	judged(*state, STARTED HEAD("08:31:00.000") "          AGENT :Received bye command.\n",
		VERDICT_FAIL, "never");
	judged(*state, STARTED, VERDICT_NO_EVIDENCE, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lints_clean),
		cmocka_unit_test(test_judges),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
