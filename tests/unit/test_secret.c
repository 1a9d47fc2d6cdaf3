#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/entropy.h"
#include "base/error.h"
#include "base/secret.h"

static void wiping(void **state)
{
	char bytes[8] = "abcdefg";
	char text[8] = "abc\0efg";

	(void)state;
	secret_wipe(bytes, 4);
	assert_memory_equal(bytes, "\0\0\0\0efg", 8);
	secret_wipe(NULL, 0);
	secret_wipe_text(text);
	assert_memory_equal(text, "\0\0\0\0efg", 8);
	secret_wipe_text(NULL);
}

static void equal_bytes(void **state)
{
	unsigned char a[32] = {0};
	unsigned char b[32] = {0};

	(void)state;
	assert_true(secret_equal(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] = 0x80;
		assert_false(secret_equal(a, b, sizeof(a)));
		b[i] = 0;
	}
	assert_true(secret_equal("a\0b", "a\0b", 3));
	assert_false(secret_equal("a\0b", "a\0c", 3));
	assert_true(secret_equal("x", "y", 0));
}

static void equal_texts(void **state)
{
	(void)state;
	assert_true(secret_equal_text("", ""));
	assert_true(secret_equal_text("hunter2", "hunter2"));
	assert_false(secret_equal_text("hunter", "hunter2"));
	assert_false(secret_equal_text("hunter22", "hunter2"));
	assert_false(secret_equal_text("hunter2hunter2", "hunter2"));
	assert_false(secret_equal_text("", "x"));
	assert_false(secret_equal_text("x", ""));
	assert_false(secret_equal_text("Hunter2", "hunter2"));
}

static void hexadecimal(void **state)
{
	unsigned char bytes[3] = {1, 2, 3};
	char text[7];

	(void)state;
	secret_hex("\x00\xab\xff", 3, text);
	assert_string_equal(text, "00abff");
	secret_hex(NULL, 0, text);
	assert_string_equal(text, "");
	assert_int_equal(secret_unhex("00ABff", bytes, 3), 0);
	assert_memory_equal(bytes, "\x00\xab\xff", 3);
	assert_int_equal(secret_unhex("10:aB:fe", bytes, 3), 0);
	assert_memory_equal(bytes, "\x10\xab\xfe", 3);
	assert_int_equal(secret_unhex("10ab:fe", bytes, 3), 0);
	assert_int_equal(secret_unhex("", bytes, 0), 0);
}

static void bad_hexadecimal_changes_nothing(void **state)
{
	static const char *const bad[] = {"", "0", "00ab", "00abf", "00abff0", "00abff00", "00abfg",
		"00abff:", ":00abff", "00::abff", "0:0abff", "00 abff", "00abff ", "0x00ab",
		"/0abff", "@0abff"};
	unsigned char bytes[3] = {1, 2, 3};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(secret_unhex(bad[i], bytes, 3), ERROR_INPUT);
		assert_memory_equal(bytes, "\x01\x02\x03", 3);
	}
}

/* RFC 4648, section 10. */
static void base64(void **state)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"}, {"\xff\xef\xbf", "/++/"}};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char text[SECRET_BASE64_SIZE(6)];

		secret_base64(pairs[i][0], strlen(pairs[i][0]), text);
		assert_string_equal(text, pairs[i][1]);
	}
}

static void entropy(void **state)
{
	struct entropy_fake one;
	struct entropy_fake two;
	unsigned char a[64] = {0};
	unsigned char b[64] = {0};

	(void)state;
	entropy_fake_init(&one, 7);
	entropy_fake_init(&two, 7);
	assert_int_equal(entropy_fill(&one.entropy, a, sizeof(a)), 0);
	assert_int_equal(entropy_fill(&two.entropy, b, 10), 0);
	assert_int_equal(entropy_fill(&two.entropy, b + 10, sizeof(b) - 10), 0);
	assert_memory_equal(a, b, sizeof(a));
	entropy_fake_init(&two, 8);
	assert_int_equal(entropy_fill(&two.entropy, b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(entropy_fill(entropy_system(), a, sizeof(a)), 0);
	assert_int_equal(entropy_fill(entropy_system(), b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void error_texts(void **state)
{
	(void)state;
	assert_int_equal(ERROR_MEMORY, -1);
	assert_string_equal(error_text(ERROR_MEMORY), "out of memory");
	assert_string_equal(error_text(ERROR_STATE), "not allowed in this state");
	assert_string_equal(error_text(0), "no error");
	assert_string_equal(error_text(1), "unknown error");
	assert_string_equal(error_text(-ERROR_COUNT - 1), "unknown error");
	for (int error = -1; error >= -ERROR_COUNT; error--)
		assert_non_null(error_text(error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wiping),
		cmocka_unit_test(equal_bytes),
		cmocka_unit_test(equal_texts),
		cmocka_unit_test(hexadecimal),
		cmocka_unit_test(bad_hexadecimal_changes_nothing),
		cmocka_unit_test(base64),
		cmocka_unit_test(entropy),
		cmocka_unit_test(error_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
