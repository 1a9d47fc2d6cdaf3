#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "service/logon_plan.h"

static const char *const studio[] = {"STUDIO", "studio.example"};
static const char *const lab[] = {"Lab"};

/* studio, all others, lab: the chain without domains is not the last one on purpose. */
static const struct logon_chain chains[] = {
	{.domains = studio, .domain_count = 2},
	{.domain_count = 0},
	{.domains = lab, .domain_count = 1},
};
static const struct logon_plan plan = {.chains = chains, .chain_count = 3};

static const struct logon_chain without_rest[] = {
	{.domains = studio, .domain_count = 2},
	{.domains = lab, .domain_count = 1},
};
static const struct logon_plan closed = {.chains = without_rest, .chain_count = 2};

struct sample {
	const char *user, *domain;
	int chain; /* -1: none */
};

static void check(const struct logon_plan *of, const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct logon_chain *chain =
			logon_plan_chain(of, samples[i].user, samples[i].domain);
		int index = chain != NULL ? (int)(chain - of->chains) : -1;

		if (index != samples[i].chain)
			fail_msg("user '%s', domain '%s': chain %d, expected %d",
				samples[i].user != NULL ? samples[i].user : "NULL",
				samples[i].domain != NULL ? samples[i].domain : "NULL", index,
				samples[i].chain);
	}
}

static void test_by_domain(void **state)
{
	static const struct sample samples[] = {
		{"alice", "STUDIO", 0},
		{"alice", "studio", 0},
		{"alice", "Studio.Example", 0},
		{"alice", "lab", 2},
		{"alice", "LAB", 2},
		{"alice", "STUDI", 1},
		{"alice", "STUDIOS", 1},
		{"alice", "elsewhere", 1},
		{"alice", "", 1},
		{"alice", NULL, 1},
		{NULL, "lab", 2},
		{NULL, NULL, 1},
	};

	(void)state;
	check(&plan, samples, sizeof(samples) / sizeof(samples[0]));
}

static void test_by_name(void **state)
{
	static const struct sample samples[] = {
		{"STUDIO\\alice", "lab", 0},
		{"studio\\alice", "", 0},
		{"alice@studio.example", "lab", 0},
		{"alice@STUDIO.EXAMPLE", NULL, 0},
		{"lab\\alice", "STUDIO", 2},
		{"alice@lab", "STUDIO", 2},
		/* a domain that nobody has: the one his client sends */
		{"elsewhere\\alice", "lab", 2},
		{"alice@elsewhere", "lab", 2},
		{"alice@mail.example", "", 1},
		/* the last @ counts, and a backslash before any */
		{"alice@studio@lab", "", 2},
		{"lab\\alice@studio.example", "", 2},
		{"elsewhere\\alice@studio.example", "", 1},
		/* no domain in it */
		{"\\alice", "lab", 2},
		{"alice@", "lab", 2},
		{"@", "", 1},
		{"\\", "", 1},
	};

	(void)state;
	check(&plan, samples, sizeof(samples) / sizeof(samples[0]));
}

/* Only the letters of ASCII have a case here. */
static void test_case_is_ascii(void **state)
{
	static const char *const names[] = {"K\xc3\xb6ln"};
	static const struct logon_chain chain = {.domains = names, .domain_count = 1};
	static const struct logon_plan city = {.chains = &chain, .chain_count = 1};
	static const struct sample samples[] = {
		{"alice", "k\xc3\xb6LN", 0},
		{"alice", "K\xc3\x96ln", -1},
	};

	(void)state;
	check(&city, samples, sizeof(samples) / sizeof(samples[0]));
}

static void test_nobody_answers(void **state)
{
	static const struct sample samples[] = {
		{"alice", "elsewhere", -1},
		{"alice", "", -1},
		{"alice", NULL, -1},
		{NULL, NULL, -1},
		{"alice@lab", "elsewhere", 1},
		{"alice", "STUDIO", 0},
	};
	static const struct logon_plan empty = {.chain_count = 0};

	(void)state;
	check(&closed, samples, sizeof(samples) / sizeof(samples[0]));
	assert_null(logon_plan_chain(&empty, "alice", "STUDIO"));
}

static void test_free_nothing(void **state)
{
	(void)state;
	logon_plan_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_domain),
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_case_is_ascii),
		cmocka_unit_test(test_nobody_answers),
		cmocka_unit_test(test_free_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
