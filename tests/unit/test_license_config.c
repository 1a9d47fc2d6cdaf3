#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "license/license_config.h"

#define HEAD                                                                                       \
	"listen:\n  - address: 127.0.0.1:0\n"                                                      \
	"certificates:\n  - certificate: a.pem\n    key: a.key\n"                                  \
	"store: s.db\n"

static struct config *load(const char *text, struct config_fault *fault)
{
	struct config *config = NULL;

	(void)config_load_bytes(
		"license.yaml", text, strlen(text), &license_config_schema, &config, fault);
	return config;
}

static void test_a_good_one(void **state)
{
	struct config_fault fault = {""};
	struct config *config =
		load(HEAD "lease-seconds: 60\nlicenses:\n"
			  "  - {feature: standard, seats: 10, expires: 2027-12-31}\n"
			  "  - {feature: graphics, seats: 0}\n",
			&fault);
	const struct license_config *data;

	(void)state;
	assert_string_equal(fault.text, "");
	assert_non_null(config);
	assert_int_equal(license_config_check(config, &fault), 0);
	data = config_data(config);
	assert_true(license_config_lease(data) == 60 * CLOCK_SECOND);
	assert_int_equal(data->licenses_count, 2);
	assert_string_equal(data->licenses[0].feature, "standard");
	assert_int_equal(data->licenses[0].seats, 10);
	assert_string_equal(data->licenses[0].expires, "2027-12-31");
	assert_null(data->licenses[1].expires);
	config_free(config);
}

static void test_the_default_lease(void **state)
{
	struct config_fault fault = {""};
	struct config *config = load(HEAD "licenses: []\n", &fault);

	(void)state;
	assert_non_null(config);
	assert_int_equal(license_config_check(config, &fault), 0);
	assert_true(license_config_lease(config_data(config)) == 300 * CLOCK_SECOND);
	config_free(config);
}

static void test_faults_name_their_place(void **state)
{
	static const struct {
		const char *text, *fault;
	} cases[] = {
		{HEAD "licenses: []\nlease-seconds: 9\n",
			"license.yaml:8:16: 9 seconds; expected 10 to 86400"},
		{HEAD "licenses: []\nlease-seconds: 86401\n",
			"license.yaml:8:16: 86401 seconds; expected 10 to 86400"},
		{HEAD "licenses:\n  - feature: a\n    seats: 1\n    expires: 2027-02-29\n",
			"license.yaml:10:14: '2027-02-29' is not a date; expected the last day as "
			"YYYY-MM-DD"},
		{HEAD "licenses:\n  - feature: a\n    seats: 1\n  - feature: a\n    seats: 2\n",
			"license.yaml:10:14: there is a licence for 'a' already; expected one "
			"entry for each "
			"feature"},
		{HEAD "licenses:\n  - feature: a\n    seats: 1000001\n",
			"license.yaml:9:12: 1000001 seats; expected at most 1000000"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_fault fault = {""};
		struct config *config = load(cases[i].text, &fault);

		assert_non_null(config);
		assert_int_equal(license_config_check(config, &fault), ERROR_INPUT);
		assert_string_equal(fault.text, cases[i].fault);
		config_free(config);
	}
}

static void test_what_the_schema_refuses(void **state)
{
	static const char *const cases[] = {
		HEAD,
		HEAD "licenses:\n  - seats: 1\n",
		HEAD "licenses:\n  - feature: a\n",
		HEAD "licenses:\n  - feature: a\n    seats: -1\n",
		HEAD "licenses:\n  - feature: \"\"\n    seats: 1\n",
		HEAD "licenses: []\ngrace: 1\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_fault fault = {""};

		assert_null(load(cases[i], &fault));
		assert_non_null(strstr(fault.text, "license.yaml:"));
	}
}

static void test_a_licence_may_be_used_on_its_last_day(void **state)
{
	static const char *const bad[] = {"", "2027", "2027-13-01", "2027-00-10", "2027-06-31",
		"2027-6-1", "2027-06-01 ", "2027-06-01T00:00:00Z", "1969-12-31", "31.12.2027",
		"2027-02-29", "never"};
	int64_t expires = 0;
	char stamp[CLOCK_STAMP_SIZE];

	(void)state;
	assert_int_equal(license_config_expires("2027-12-31", &expires), 0);
	clock_stamp(expires, stamp);
	assert_string_equal(stamp, "2028-01-01T00:00:00.000Z");
	assert_int_equal(license_config_expires("2028-02-29", &expires), 0);
	clock_stamp(expires, stamp);
	assert_string_equal(stamp, "2028-03-01T00:00:00.000Z");
	assert_int_equal(license_config_expires(NULL, &expires), 0);
	assert_true(expires == INT64_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expires = 12;
		if (license_config_expires(bad[i], &expires) != ERROR_INPUT)
			fail_msg("'%s' was taken for a date", bad[i]);
		assert_true(expires == 12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_one),
		cmocka_unit_test(test_the_default_lease),
		cmocka_unit_test(test_faults_name_their_place),
		cmocka_unit_test(test_what_the_schema_refuses),
		cmocka_unit_test(test_a_licence_may_be_used_on_its_last_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
