#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "service/seal.h"

#define COOKIE "aabbccddeeff00112233445566778899"
#define OTHER "aabbccddeeff00112233445566778898"

static struct entropy_fake entropy;
static struct seal seal;
static char secret[SEAL_SECRET_MAXIMUM + 1];

static int set_up(void **state)
{
	(void)state;
	entropy_fake_init(&entropy, 7);
	memset(secret, 'x', sizeof(secret));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	seal_wipe(&seal);
	return 0;
}

static void close_it(const char *text)
{
	assert_int_equal(seal_close(&seal, &entropy.entropy, COOKIE, text), 0);
}

static void test_round_trip(void **state)
{
	char longest[SEAL_SECRET_MAXIMUM + 2];
	const char *const texts[] = {"", "x", " blanks and \xc3\xbc ", longest};

	(void)state;
	memset(longest, 'y', sizeof(longest));
	longest[SEAL_SECRET_MAXIMUM] = '\0';
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		close_it(texts[i]);
		assert_int_equal(seal_open(&seal, COOKIE, secret), 0);
		assert_string_equal(secret, texts[i]);
		/* As often as one likes. */
		assert_int_equal(seal_open(&seal, COOKIE, secret), 0);
	}
	longest[SEAL_SECRET_MAXIMUM] = 'y';
	longest[SEAL_SECRET_MAXIMUM + 1] = '\0';
	/* Too long: what was sealed stays. */
	assert_int_equal(seal_close(&seal, &entropy.entropy, COOKIE, longest), ERROR_LIMIT);
	assert_int_equal(seal_open(&seal, COOKIE, secret), 0);
	assert_int_equal(strlen(secret), SEAL_SECRET_MAXIMUM);
}

static void test_other_cookie(void **state)
{
	(void)state;
	close_it("secret");
	memset(secret, 'x', sizeof(secret));
	assert_int_equal(seal_open(&seal, OTHER, secret), ERROR_CRYPTO);
	assert_int_equal(seal_open(&seal, "", secret), ERROR_CRYPTO);
	/* Untouched on failure. */
	assert_int_equal(secret[0], 'x');
}

/* Every bit counts. */
static void test_changed_bytes(void **state)
{
	(void)state;
	close_it("secret");
	for (size_t i = 0; i < seal.length; i++) {
		seal.bytes[i] ^= 1;
		assert_int_equal(seal_open(&seal, COOKIE, secret), ERROR_CRYPTO);
		seal.bytes[i] ^= 1;
	}
	assert_int_equal(seal_open(&seal, COOKIE, secret), 0);
}

/* Neither the text nor what would tell two equal ones. */
static void test_tells_nothing(void **state)
{
	struct seal second = {0};

	(void)state;
	close_it("a long enough secret");
	assert_null(memmem(seal.bytes, seal.length, "secret", 6));
	assert_null(memmem(seal.bytes, seal.length, COOKIE, strlen(COOKIE)));
	assert_int_equal(seal_close(&second, &entropy.entropy, COOKIE, "a long enough secret"), 0);
	assert_int_equal(seal.length, second.length);
	assert_memory_not_equal(seal.bytes, second.bytes, seal.length);
	/* Behind the random part as well: the key is another. */
	assert_memory_not_equal(seal.bytes + 28, second.bytes + 28, seal.length - 28);
	seal_wipe(&second);
}

static int no_entropy(void *user, void *bytes, size_t length)
{
	(void)user;
	(void)bytes;
	(void)length;
	return ERROR_SYSTEM;
}

static void test_empty_and_failing(void **state)
{
	struct entropy none = {.fill = no_entropy};

	(void)state;
	assert_int_equal(seal_open(&seal, COOKIE, secret), ERROR_NOT_FOUND);
	assert_int_equal(seal_close(&seal, &none, COOKIE, "secret"), ERROR_SYSTEM);
	assert_null(seal.bytes);
	close_it("first");
	assert_int_equal(seal_close(&seal, &none, COOKIE, "second"), ERROR_SYSTEM);
	assert_int_equal(seal_open(&seal, COOKIE, secret), 0);
	assert_string_equal(secret, "first");
	close_it("second");
	assert_int_equal(seal_open(&seal, COOKIE, secret), 0);
	assert_string_equal(secret, "second");
	seal_wipe(&seal);
	assert_null(seal.bytes);
	assert_int_equal(seal.length, 0);
	assert_int_equal(seal_open(&seal, COOKIE, secret), ERROR_NOT_FOUND);
	seal_wipe(&seal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_cookie, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changed_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tells_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_empty_and_failing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
