/*
 * Who is known to the guard, and which names and addresses are one.
 */
#include "guard_bed.h"

/* --- who is known --- */

static void known_pair_keeps_tries(void **state)
{
	(void)state;
	assert_int_equal(attempt("alice", HOME, "good", REASON_COUNTS_RIGHT), GUARD_NONE);
	/* Strangers use up her own, those of her password, and all. */
	for (unsigned i = 0; i < 10; i++)
		(void)wrong("alice", far_address(i), number("p", i));
	for (unsigned i = 0; i < 10; i++)
		(void)wrong(number("u", i), far_address(100 + i), "good");
	for (unsigned i = 0; i < 4000; i++)
		(void)wrong(number("v", i), far_address(200 + i), number("q", i));
	for (unsigned i = 0; i < 20; i++)
		(void)wrong(number("w", i), HOME, number("r", i));
	assert_int_equal(begin("alice", far_address(5000), "x"), GUARD_USER);
	assert_int_equal(begin("eve", far_address(5000), "x"), GUARD_ALL);
	assert_int_equal(begin("alice", HOME, "good"), GUARD_NONE);
	assert_true(try.known);
	guard_end(guard, &try, REASON_COUNTS_WRONG);
	assert_int_equal(begin("alice", HOME, "good"), GUARD_USER);
	/* Her failure is the directory's last: strangers wait for it as well. */
	clock_fake_advance(&fake, WINDOW);
	assert_int_equal(attempt("alice", HOME, "good", REASON_COUNTS_RIGHT), GUARD_NONE);
}

/* However many addresses a user is known at, a directory sees four failures. */
static void known_pairs_share_the_account(void **state)
{
	unsigned admitted = 0;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(
			attempt("alice", far_address(i), "good", REASON_COUNTS_RIGHT), GUARD_NONE);
	for (unsigned i = 0; i < 50; i++)
		admitted += wrong("alice", far_address(i), "x") == GUARD_NONE ? 1 : 0;
	assert_int_equal(admitted, 4);
	clock_fake_advance(&fake, WINDOW);
	admitted = 0;
	for (unsigned i = 50; i > 0; i--)
		admitted += wrong("alice", far_address(i - 1), "x") == GUARD_NONE ? 1 : 0;
	assert_int_equal(admitted, 4);
}

static void known_users_of_an_address_are_counted_apart(void **state)
{
	unsigned admitted = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(
			attempt(number("u", i), HOME, number("good", i), REASON_COUNTS_RIGHT),
			GUARD_NONE);
	/* One of the office sprays. */
	for (unsigned i = 0; i < 100; i++)
		admitted += wrong(number("u", i), HOME, "Winter1") == GUARD_NONE ? 1 : 0;
	assert_int_equal(admitted, 6);
	assert_int_equal(begin("u99", HOME, "Winter1"), GUARD_PASSWORD);
	for (unsigned i = 0; i < 100; i++)
		admitted += wrong(number("u", i), HOME, number("p", i)) == GUARD_NONE ? 1 : 0;
	assert_int_equal(admitted, 60);
	assert_int_equal(begin("u99", HOME, "good99"), GUARD_ADDRESS);
	/* Strangers there, and the office elsewhere, have not done anything. */
	assert_int_equal(wrong("x", HOME, "Winter1"), GUARD_NONE);
	assert_int_equal(wrong("u150", far_address(1), "Winter1"), GUARD_NONE);
}

static void known_for_thirty_days(void **state)
{
	(void)state;
	assert_int_equal(attempt("alice", HOME, "good", REASON_COUNTS_RIGHT), GUARD_NONE);
	clock_fake_advance(&fake, 30 * 86400 * CLOCK_SECOND - 1);
	assert_int_equal(begin("alice", HOME, "good"), GUARD_NONE);
	assert_true(try.known);
	guard_end(guard, &try, REASON_COUNTS_NONE);
	clock_fake_advance(&fake, 1);
	assert_int_equal(begin("alice", HOME, "good"), GUARD_NONE);
	assert_false(try.known);
	guard_end(guard, &try, REASON_COUNTS_RIGHT);
	assert_int_equal(begin("alice", HOME, "good"), GUARD_NONE);
	assert_true(try.known);
	guard_end(guard, &try, REASON_COUNTS_NONE);
}

static void somebody_with_one_account_evicts_nobody(void **state)
{
	(void)state;
	assert_int_equal(attempt("alice", HOME, "good", REASON_COUNTS_RIGHT), GUARD_NONE);
	for (unsigned i = 0; i < 40000; i++) {
		clock_fake_advance(&fake, CLOCK_SECOND);
		assert_int_equal(attempt("mallory", far_address(i), "good", REASON_COUNTS_RIGHT),
			GUARD_NONE);
	}
	assert_true(is_known("alice", HOME));
	assert_true(is_known("mallory", far_address(39999)));
	assert_true(is_known("mallory", far_address(39992)));
	assert_false(is_known("mallory", far_address(39991)));
}

static void the_user_not_seen_for_longest_is_forgotten(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 40000; i++) {
		(void)attempt(number("u", i), far_address(i), "good", REASON_COUNTS_RIGHT);
		if (i % 10000 == 0)
			(void)attempt("alice", HOME, "good", REASON_COUNTS_RIGHT);
	}
	assert_true(is_known("alice", HOME));
	assert_false(is_known("u0", far_address(0)));
	assert_false(is_known("u7000", far_address(7000)));
	assert_true(is_known("u7500", far_address(7500)));
	assert_true(is_known("u39999", far_address(39999)));
}

/* --- who is who --- */

/* Whether a failure of one counts against the other. */
static bool is_same(
	const char *user, const char *domain, const char *other, const char *other_domain)
{
	bool same;

	for (unsigned i = 0; i < 3; i++) {
		guard_begin(guard, user, domain, far_address(i), NULL, &try, &answer);
		assert_int_equal(answer.limit, GUARD_NONE);
		guard_end(guard, &try, REASON_COUNTS_WRONG);
	}
	guard_begin(guard, other, other_domain, far_address(9), NULL, &try, &answer);
	same = answer.limit == GUARD_USER;
	guard_end(guard, &try, REASON_COUNTS_NONE);
	clock_fake_advance(&fake, WINDOW);
	return same;
}

static void spellings_of_a_name_are_one(void **state)
{
	char longest[4000], longer[4000];

	(void)state;
	assert_true(is_same("alice", "STUDIO", "STUDIO\\alice", "LAB"));
	assert_true(is_same("alice", "studio", "Alice@Studio", ""));
	assert_true(is_same(" alice\t", "", "ALICE", ""));
	assert_true(is_same("alice\xc2\xa0", " studio", "\xe3\x80\x80studio \\ alice", ""));
	assert_true(is_same("J\xc3\x9cRGEN", "", "j\xc3\xbcrgen", ""));
	assert_true(is_same("\xce\xa3\xce\x9f\xce\xa3", "", "\xcf\x83\xce\xbf\xcf\x82", ""));
	assert_true(is_same(
		"\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", "", "\xd0\xb8\xd0\x92\xd0\x90\xd0\x9d", ""));
	assert_true(is_same("a@b@studio", "", "a@b", "") == false);
	assert_true(is_same("\\alice", "", "alice", ""));
	assert_false(is_same("alice", "studio", "alice", "lab"));
	assert_false(is_same("alice", "studio", "studio", "alice"));
	assert_false(is_same("ab", "c", "a", "bc"));
	assert_false(is_same("", "alice", "alice", ""));
	assert_false(is_same("al ice", "", "alice", ""));
	/* Not UTF-8, and no end of it. */
	assert_true(is_same("\xff\x80 A", "", "\xff\x80 a", ""));
	assert_false(is_same("\xff", "", "\xfe", ""));
	assert_false(is_same("\xff", "", "", ""));
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longer, longest, sizeof(longer));
	longer[255] = 'b';
	assert_true(is_same(longest, longest, longest, longest));
	assert_false(is_same(longest, longest, longer, longest));
}

static bool is_same_place(const char *address, const char *other)
{
	bool same;

	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(wrong(number("u", i), address, NULL), GUARD_NONE);
	same = wrong("x", other, NULL) == GUARD_ADDRESS;
	clock_fake_advance(&fake, WINDOW);
	return same;
}

static void addresses(void **state)
{
	(void)state;
	assert_true(is_same_place("203.0.113.7", "::ffff:203.0.113.7"));
	assert_true(is_same_place("::FFFF:CB00:7107", "203.0.113.7"));
	assert_true(is_same_place("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
	assert_true(is_same_place("fe80::1%eth0", "fe80::2"));
	assert_true(is_same_place("127.0.0.1", "127.0.0.1"));
	assert_true(is_same_place("somewhere", ""));
	assert_true(is_same_place("1.2.3.4.5", "203.0.113.700"));
	assert_false(is_same_place("127.0.0.1", "::1"));
	assert_false(is_same_place("203.0.113.7", "203.0.113.8"));
	assert_false(is_same_place("2001:db8:1:2::1", "2001:db8:1:3::1"));
	assert_false(is_same_place("203.0.113.7", "nowhere"));
	assert_false(is_same_place("::203.0.113.7", "203.0.113.7"));
	/* An IPv6 /48 is a prefix. */
	for (unsigned i = 0; i < 60; i++) {
		char address[64];

		snprintf(address, sizeof(address), "2001:db8:1:%x::1", i);
		assert_int_equal(wrong(number("u", i), address, NULL), GUARD_NONE);
	}
	assert_int_equal(wrong("x", "2001:db8:1:ffff::1", NULL), GUARD_PREFIX);
	assert_int_equal(wrong("x", "2001:db8:2::1", NULL), GUARD_NONE);
	/* Nobody is known where nobody knows where that is. */
	assert_int_equal(attempt("alice", "?", "good", REASON_COUNTS_RIGHT), GUARD_NONE);
	assert_false(is_known("alice", "?"));
}

/* --- accounts --- */

static enum guard_limit wrong_as(const char *user, const char *address, const char *account)
{
	enum guard_limit limit = begin(user, address, NULL);

	if (limit == GUARD_NONE && !guard_account(guard, &try, account, &answer))
		limit = answer.limit;
	guard_end(guard, &try, REASON_COUNTS_WRONG);
	return limit;
}

static void spellings_of_an_account_are_one(void **state)
{
	const char *dn = "CN=Alice,DC=studio,DC=example";

	(void)state;
	assert_int_equal(wrong_as("alice", far_address(0), dn), GUARD_NONE);
	assert_int_equal(wrong_as("STUDIO\\alice", far_address(1), "cn=alice,dc=studio,dc=example"),
		GUARD_NONE);
	assert_int_equal(wrong_as("alice@studio.example", far_address(2), dn), GUARD_NONE);
	assert_int_equal(wrong_as("asmith", far_address(3), dn), GUARD_USER);
	assert_int_equal(answer.wait_seconds, 1800);
	assert_true(answer.first);
	assert_int_equal(wrong_as("bob", far_address(4), "CN=Bob"), GUARD_NONE);
	clock_fake_advance(&fake, WINDOW);
	assert_int_equal(wrong_as("asmith", far_address(3), dn), GUARD_NONE);
}

/* A spelling that leads to an account in trouble behaves as one that leads nowhere: three tries,
 * and the same times. */
static void denied_account_looks_like_nobody(void **state)
{
	int64_t of_denied[3], of_nobody[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(wrong_as("alice", far_address(i), "CN=Alice"), GUARD_NONE);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(begin("asmith", far_address(10 + i), "p"), GUARD_NONE);
		assert_false(guard_account(guard, &try, "CN=Alice", &answer));
		of_denied[i] = guard_delay(guard, &try);
		/* Whatever it is told. */
		guard_end(guard, &try, i == 0 ? REASON_COUNTS_RIGHT : REASON_COUNTS_NONE);
		assert_int_equal(begin("nobody", far_address(20 + i), "p"), GUARD_NONE);
		of_nobody[i] = guard_delay(guard, &try);
		guard_end(guard, &try, REASON_COUNTS_WRONG);
	}
	assert_memory_equal(of_denied, of_nobody, sizeof(of_nobody));
	assert_int_equal(begin("asmith", far_address(30), "p"), GUARD_USER);
	assert_int_equal(begin("nobody", far_address(30), "p"), GUARD_USER);
	/* It did not reach the directory: the account has its window from its own tries. */
	clock_fake_advance(&fake, WINDOW);
	assert_int_equal(wrong_as("asmith", far_address(3), "CN=Alice"), GUARD_NONE);
}

static void right_forgives_the_account(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		assert_int_equal(wrong_as("alice", far_address(0), "CN=Alice"), GUARD_NONE);
		assert_int_equal(wrong_as("asmith", far_address(1), "CN=Alice"), GUARD_NONE);
		assert_int_equal(begin("alice", far_address(2), "good"), GUARD_NONE);
		assert_true(guard_account(guard, &try, "CN=Alice", &answer));
		/* Another source, asked after it: one account at a time. */
		assert_true(guard_account(guard, &try, "CN=Alice", &answer));
		guard_end(guard, &try, REASON_COUNTS_RIGHT);
		assert_int_equal(begin("asmith", far_address(2), "good"), GUARD_NONE);
		guard_end(guard, &try, REASON_COUNTS_RIGHT);
	}
	assert_true(guard_account(guard, &try, "CN=Alice", &answer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(known_pair_keeps_tries),
		GUARD_TEST(known_pairs_share_the_account),
		GUARD_TEST(known_users_of_an_address_are_counted_apart),
		GUARD_TEST(known_for_thirty_days),
		GUARD_TEST(somebody_with_one_account_evicts_nobody),
		GUARD_TEST(the_user_not_seen_for_longest_is_forgotten),
		GUARD_TEST(spellings_of_a_name_are_one),
		GUARD_TEST(addresses),
		GUARD_TEST(spellings_of_an_account_are_one),
		GUARD_TEST(denied_account_looks_like_nobody),
		GUARD_TEST(right_forgives_the_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
