#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "identity/password.h"

static int fill_fails(void *user, void *bytes, size_t length)
{
	(void)user;
	(void)bytes;
	(void)length;
	return ERROR_SYSTEM;
}

static void test_round_trip(void **state)
{
	char hash[PASSWORD_HASH_SIZE], again[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(password_hash(entropy_system(), "p\xc3\xa4ss w\xc3\xb6rd", 1, hash), 0);
	assert_int_equal(strncmp(hash, "$y$", 3), 0);
	assert_true(password_is_hash(hash));
	assert_true(password_right("p\xc3\xa4ss w\xc3\xb6rd", hash));
	assert_false(password_right("p\xc3\xa4ss w\xc3\xb6rd ", hash));
	assert_false(password_right("P\xc3\xa4ss w\xc3\xb6rd", hash));
	assert_false(password_right("", hash));
	/* Another salt every time. */
	assert_int_equal(password_hash(entropy_system(), "p\xc3\xa4ss w\xc3\xb6rd", 1, again), 0);
	assert_string_not_equal(hash, again);
}

/* Somebody may have hashed an empty password elsewhere. */
static void test_empty_is_never_right(void **state)
{
	static const char of_empty[] =
		"$y$j75$tVAUzvnM..KUbz7PvWO7H1$rr/6Q6RbxrpPY/orn/JJB4vPVh1D.7pwjkBN033WZB0";

	(void)state;
	assert_true(password_is_hash(of_empty));
	assert_false(password_right("", of_empty));
}

static void test_cost_is_used(void **state)
{
	char cheap[PASSWORD_HASH_SIZE], dear[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(password_hash(entropy_system(), "x", 1, cheap), 0);
	assert_int_equal(password_hash(entropy_system(), "x", PASSWORD_COST_DEFAULT, dear), 0);
	assert_int_equal(strncmp(dear, "$y$j9T$", 7), 0);
	assert_int_not_equal(strncmp(cheap, dear, 7), 0);
}

static void test_refused(void **state)
{
	const struct entropy broken = {.fill = fill_fails};
	char hash[PASSWORD_HASH_SIZE] = "untouched";
	char longest[PASSWORD_MAXIMUM + 2];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[PASSWORD_MAXIMUM + 1] = '\0';
	assert_int_equal(password_hash(entropy_system(), longest, 1, hash), ERROR_LIMIT);
	assert_int_equal(password_hash(entropy_system(), "", 1, hash), ERROR_INPUT);
	assert_int_equal(password_hash(entropy_system(), "x", 0, hash), ERROR_INPUT);
	assert_int_equal(password_hash(entropy_system(), "x", 12, hash), ERROR_INPUT);
	assert_int_equal(password_hash(&broken, "x", 1, hash), ERROR_SYSTEM);
	assert_string_equal(hash, "untouched");
	longest[PASSWORD_MAXIMUM] = '\0';
	assert_int_equal(password_hash(entropy_system(), longest, 1, hash), 0);
	assert_true(password_right(longest, hash));
	longest[PASSWORD_MAXIMUM] = 'a';
	assert_false(password_right(longest, hash));
}

/* Hashes made elsewhere: by mkpasswd and by the examples of crypt(5)'s authors. */
static void test_foreign_hashes(void **state)
{
	static const char *const x[] = {
		"$y$j9T$hDAr9SWfUUDirz.5WH/nH0$aO3kjCp6DVBYd13IwSOafiiHQfbEfTo70W68WUEJpjA",
		"$gy$j9T$oYwJXkXfr4dPy0g78qux6.$anNXZp39fTNRrRbW.Anlm4uFDIGZ80eum4k5.W3DC1A",
		"$2b$05$B55oasPfJN0BRAqrXqmRaOBWbq53Q59EU2OecKcdoXY/Di/O5rMgq",
		("$6$ElJ70A.CpLfwyhia$WJh.RCJ0CyLt."
		 "wZ31FoCjMtnZFiM93o5KAw8SQK1xFtObVd2c24g7TURspBb8OnVss80q3SzliVAL.BJM.2L71"),
		"$5$OR0q9TErgRYK5ydk$cqZ0k91XmfH0DPym.GBAMZqBnZTYuFGna/yLZKYHEU4",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++) {
		assert_true(password_is_hash(x[i]));
		assert_true(password_right("x", x[i]));
		assert_false(password_right("y", x[i]));
	}
}

static void test_not_hashes(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"secret",
		"*",
		"!",
		"$",
		"$$$",
		"$y$",
		"$y$j9T$",
		"$y$j9T$salt",
		"$6$abc$",
		"$2b$12$",
		"$1$abcdefgh$irWbblnpmw.5z7wgBnprh0",   /* MD5 */
		"ab01FAX.bQRSU",                        /* DES */
		"$3$$8846f7eaee8fb117ad06bdd830b7586c", /* NT */
		"$sha1$19703$iVdJqfSE$v4qYKl1zqYThwpjJAoKX6UvlHq/a",
		"$y$j9T$hDAr9SWfUUDirz.5WH/nH0$aO3kjCp6DVBYd13IwSOafiiHQfbEfTo70W68WUEJpj",
	};
	char longest[2 * PASSWORD_HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(password_is_hash(bad[i]));
		assert_false(password_right(bad[i], bad[i]));
		assert_false(password_right("password", bad[i]));
	}
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "$y$j9T$", 7);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(password_is_hash(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_empty_is_never_right),
		cmocka_unit_test(test_cost_is_used),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_foreign_hashes),
		cmocka_unit_test(test_not_hashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
