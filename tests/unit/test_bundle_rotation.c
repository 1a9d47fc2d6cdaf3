#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "health/bundle_private.h"

static void expect_group(const char *path, const char *group)
{
	char found[512];

	assert_true(strlen(path) < sizeof(found));
	(void)bundle_rotation_group(path, found);
	if (strcmp(found, group) != 0)
		fail_msg("%s: group %s, expected %s", path, found, group);
}

static void names_give_their_group(void **state)
{
	static const char *const cases[][2] = {
		{"agent.log", "agent.log"},
		{"agent.log.gz", "agent.log"},
		{"agent.log.1", "agent.log"},
		{"agent.log.2.gz", "agent.log"},
		{"a/agent.log.10.zst", "a/agent.log"},
		{"b.1/agent.log", "b.1/agent.log"},
		{"2021-03-24/agent.log", "2021-03-24/agent.log"},
		{"pcoiphostsw.0.log", "pcoiphostsw.log"},
		{"pcoiphostsw.1.log", "pcoiphostsw.log"},
		{"pcoip_agent_2021_03_24_ab12cd34.txt", "pcoip_agent.txt"},
		{"pcoip_agent_2021_03_24_qwertzui.txt", "pcoip_agent.txt"},
		{"pcoip_server_2021_03_24_00001a2c.txt", "pcoip_server.txt"},
		{"pcoip_server_2021_03_24_1a2c.txt", "pcoip_server.txt"},
		{"SecurityGateway_20210324_10-11-12_3.log", "SecurityGateway.log"},
		{"pcoip-connmgr_2021-03-24.log.gz", "pcoip-connmgr.log"},
		{"pcoip-connmgr_2021-03-24_10.log.gz", "pcoip-connmgr.log"},
		{"pcoip-connmgr_2021-03-24T10-11-12Z.log.gz", "pcoip-connmgr.log"},
		{"pcoip-connmgr_20210324101112.log.gz", "pcoip-connmgr.log"},
		{"pcoip-connmgr.log", "pcoip-connmgr.log"},
		{"agent.log-20210324", "agent.log"},
		{"agent.log-20210324.gz", "agent.log"},
		{"catalina.2021-03-24.log", "catalina.log"},
		{"catalina.2021-03-24.7.log", "catalina.log"},
		{"Xorg.0.log", "Xorg.0.log"},
		{"Xorg.0.log.old", "Xorg.0.log"},
		{"Xorg.1.log", "Xorg.1.log"},
		/* these are no rotations */
		{"agent_2021-03-24_errors.log", "agent_errors.log"},
		{"version-1.2.3.txt", "version-1.2.3.txt"},
		{"agent", "agent"},
		{".1", ".1"},
		{"a/.gz", "a/.gz"},
		{"host-12345678901.log", "host-12345678901.log"},
		{"host-20219999.log", "host-20219999.log"},
		{"", ""},
		{"a/", "a/"},
		{"-", "-"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_group(cases[i][0], cases[i][1]);
}

/* Each older than the next. */
static void older_parts_have_smaller_numbers(void **state)
{
	static const char *const chains[][6] = {
		{"a.log.10", "a.log.2.gz", "a.log.1", "a.log"},
		{"p.2.log", "p.1.log", "p.0.log", "p.log"},
		{"SecurityGateway_20210323_23-00-00_9.log",
			"SecurityGateway_20210324_10-11-12_3.log",
			"SecurityGateway_20210324_10-11-12_10.log",
			"SecurityGateway_20210324_10-11-13_1.log", "SecurityGateway.log"},
		{"pcoip_agent_2020_12_31_ffffffff.txt", "pcoip_agent_2021_01_01_00000000.txt"},
		{"pcoip_server_2021_01_09_9a.txt", "pcoip_server_2021_01_10_8a.txt"},
		{"c_2021-03-24.log.gz", "c_2021-03-25.log", "c.log.1", "c.log"},
		{"c.2021-03-24.1.log", "c.2021-03-24.2.log", "c.2021-03-25.0.log"},
		{"Xorg.0.log.old", "Xorg.0.log"},
	};
	char group[256];

	(void)state;
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		uint64_t last = bundle_rotation_group(chains[i][0], group);
		for (size_t k = 1; k < 6 && chains[i][k] != NULL; k++) {
			uint64_t order = bundle_rotation_group(chains[i][k], group);
			if (order <= last)
				fail_msg("%s is not newer than %s", chains[i][k], chains[i][k - 1]);
			last = order;
		}
	}
}

static void expect_joined(const char *parent, const char *name, const char *joined)
{
	char *found = bundle_name_join(parent, name);

	assert_non_null(found);
	assert_string_equal(found, joined);
	free(found);
}

static void names_are_shown_clean(void **state)
{
	(void)state;
	expect_joined("a.zip", "b/c.log", "a.zip/b/c.log");
	expect_joined("a.zip", "././c.log", "a.zip/c.log");
	expect_joined(NULL, "./c.log", "./c.log");
	expect_joined("logs/", "c.log", "logs/c.log");
	expect_joined("a",
		"Gr\xc3\xb6\xc3\x9f"
		"e.log",
		"a/Gr\xc3\xb6\xc3\x9f"
		"e.log");
	expect_joined("a",
		"gr\xf6"
		"e.log",
		"a/gr\\xf6e.log");
	expect_joined("a", "line\nbreak\x1b[31m", "a/line\\x0abreak\\x1b[31m");
	expect_joined("a",
		"line\xe2\x80\xa8"
		"end.log",
		"a/line\\xe2\\x80\\xa8end.log");
	expect_joined("a", "b\\c", "a/b/c");
	expect_joined("a", "b\\c/d", "a/b\\c/d");
}

static void long_names_lose_their_middle(void **state)
{
	char one[5001], two[5001], cut[200], other[200];
	char *joined;

	(void)state;
	memset(one, 'a', 5000);
	one[5000] = '\0';
	strcpy(two, one);
	two[2500] = 'b';
	bundle_name_cut(cut, sizeof(cut), one);
	bundle_name_cut(other, sizeof(other), two);
	assert_int_equal(strlen(cut), sizeof(cut) - 1);
	assert_string_not_equal(cut, other);
	joined = bundle_name_join("x.zip", one);
	assert_true(strlen(joined) < 4 * BUNDLE_PATH_SIZE);
	free(joined);
	/* whole characters at both edges, wherever they fall */
	for (size_t shift = 0; shift < 3; shift++) {
		for (size_t i = 0; i < 5000; i++)
			one[i] = i < shift ? 'x' : "\xe2\x82\xac"[(i - shift) % 3];
		one[5000 - (5000 - shift) % 3] = '\0';
		bundle_name_cut(cut, sizeof(cut), one);
		joined = bundle_name_join(NULL, cut);
		assert_string_equal(joined, cut);
		free(joined);
	}
	bundle_name_cut(cut, sizeof(cut), "short");
	assert_string_equal(cut, "short");
}

static void names_that_lead_out_are_unsafe(void **state)
{
	static const char *const bad[] = {"/etc/passwd", "..", "../x", "a/../../x", "a/..",
		"a\\..\\x", "C:\\x", "c:x", "\\\\server\\share"};
	static const char *const good[] = {
		"a", "a/b", "..a", "a..", "a/...", "./a", "ab:c", "a/.hidden", "1:2"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(bundle_name_unsafe(bad[i]));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_null(bundle_name_unsafe(good[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_give_their_group),
		cmocka_unit_test(older_parts_have_smaller_numbers),
		cmocka_unit_test(names_are_shown_clean),
		cmocka_unit_test(long_names_lose_their_middle),
		cmocka_unit_test(names_that_lead_out_are_unsafe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
