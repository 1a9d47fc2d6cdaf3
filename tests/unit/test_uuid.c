#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/uuid.h"

static void valid_forms(void **state)
{
	(void)state;
	assert_true(uuid_valid(UUID_ZERO));
	assert_true(uuid_valid("49756700-6f13-1039-a32b-02c4a91e7d01"));
	assert_true(uuid_valid("49756700-6F13-1039-A32B-02C4A91E7D01"));
}

static void invalid_forms(void **state)
{
	static const char *const bad[] = {"", "-", "49756700",
		"49756700-6f13-1039-a32b-02c4a91e7d0", "49756700-6f13-1039-a32b-02c4a91e7d012",
		"4975670006f13-1039-a32b-02c4a91e7d01", "49756700-6f13-1039-a32b-02c4a91e7d0g",
		"-9756700-6f13-1039-a32b-02c4a91e7d01", "{9756700-6f13-1039-a32b-02c4a91e7d01",
		"49756700-6f13-1039-a32b-02c4a91e7d0\n"};
	char uuid[UUID_SIZE] = "untouched";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(uuid_valid(bad[i]));
		assert_int_equal(uuid_read(bad[i], uuid), ERROR_INPUT);
		assert_string_equal(uuid, "untouched");
	}
}

static void reading_lowers_the_case(void **state)
{
	char uuid[UUID_SIZE];

	(void)state;
	assert_int_equal(uuid_read("49756700-6F13-1039-A32B-02C4A91E7D01", uuid), 0);
	assert_string_equal(uuid, "49756700-6f13-1039-a32b-02c4a91e7d01");
}

static uint64_t time_of(const char *uuid)
{
	uint64_t low = strtoull(uuid, NULL, 16);
	uint64_t middle = strtoull(uuid + 9, NULL, 16);
	uint64_t high = strtoull(uuid + 14, NULL, 16);

	return (high & 0x0fff) << 48 | middle << 32 | low;
}

static void made_ids_are_laid_out_as_real_ones(void **state)
{
	struct entropy_fake fake;

	(void)state;
	entropy_fake_init(&fake, 1);
	for (int i = 0; i < 100; i++) {
		char uuid[UUID_SIZE];

		assert_int_equal(uuid_make(&fake.entropy, INT64_C(1616620259601999), uuid), 0);
		assert_true(uuid_valid(uuid));
		assert_int_equal(uuid[14], '1');
		assert_non_null(strchr("89ab", uuid[19]));
		assert_int_equal(strtoul((char[]){uuid[25], '\0'}, NULL, 16) & 1, 1);
		assert_true(time_of(uuid) == UINT64_C(1616620259) * 10000000);
	}
}

static void made_ids_differ(void **state)
{
	char one[UUID_SIZE];
	char two[UUID_SIZE];

	(void)state;
	assert_int_equal(uuid_make(entropy_system(), 0, one), 0);
	assert_int_equal(uuid_make(entropy_system(), 0, two), 0);
	assert_string_not_equal(one, two);
}

static void odd_times_still_make_ids(void **state)
{
	static const int64_t walls[] = {INT64_MIN, -1, 0, INT64_MAX};
	char uuid[UUID_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
		assert_int_equal(uuid_make(entropy_system(), walls[i], uuid), 0);
		assert_true(uuid_valid(uuid));
	}
}

static int no_fill(void *user, void *bytes, size_t length)
{
	(void)user;
	(void)bytes;
	(void)length;
	return ERROR_SYSTEM;
}

static void without_entropy_there_is_no_id(void **state)
{
	const struct entropy none = {.fill = no_fill};
	char uuid[UUID_SIZE] = "untouched";

	(void)state;
	assert_int_equal(uuid_make(&none, 0, uuid), ERROR_SYSTEM);
	assert_string_equal(uuid, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_forms),
		cmocka_unit_test(invalid_forms),
		cmocka_unit_test(reading_lowers_the_case),
		cmocka_unit_test(made_ids_are_laid_out_as_real_ones),
		cmocka_unit_test(made_ids_differ),
		cmocka_unit_test(odd_times_still_make_ids),
		cmocka_unit_test(without_entropy_there_is_no_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
