#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "identity/ldap_filter.h"

static struct buffer buffer;

static int set_up(void **state)
{
	(void)state;
	buffer_init(&buffer, LDAP_FILTER_MAXIMUM);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buffer_free(&buffer);
	return 0;
}

static const char *expanded(const char *template, const char *user)
{
	const struct ldap_filter_names names = {user, "STUDIO", "STUDIO\\a"};

	buffer_clear(&buffer);
	assert_int_equal(ldap_filter_expand(&buffer, template, &names), 0);
	return buffer.bytes;
}

static void test_expand(void **state)
{
	(void)state;
	assert_string_equal(expanded("(uid={user})", "alice"), "(uid=alice)");
	assert_string_equal(expanded("({user}{domain}{user})", "a"), "(aSTUDIOa)");
	assert_string_equal(expanded("(a={login})", ""), "(a=STUDIO\\5Ca)");
	assert_string_equal(expanded("(a={user})", ""), "(a=)");
	assert_string_equal(expanded("(a=b)", "c"), "(a=b)");
	assert_string_equal(expanded("", "c"), "");
}

static void test_escape(void **state)
{
	(void)state;
	assert_string_equal(expanded("(a={user})", "*"), "(a=\\2A)");
	assert_string_equal(expanded("(a={user})", ")(b=*"), "(a=\\29\\28b=\\2A)");
	assert_string_equal(expanded("(a={user})", "\\2a"), "(a=\\5C2a)");
	/* What was put in is not looked at again. */
	assert_string_equal(expanded("(a={user})", "{login}"), "(a={login})");
	assert_string_equal(expanded("(a={user})", "ë"), "(a=\\C3\\AB)");
}

static void test_equal(void **state)
{
	(void)state;
	assert_int_equal(ldap_filter_equal(&buffer, "objectSid", "\x01\x00*", 3), 0);
	assert_string_equal(buffer.bytes, "(objectSid=\\01\\00\\2A)");
	assert_int_equal(ldap_filter_equal(&buffer, "cn", "a", 1), 0);
	assert_string_equal(buffer.bytes, "(objectSid=\\01\\00\\2A)(cn=a)");
}

static void test_limit(void **state)
{
	static char value[LDAP_FILTER_MAXIMUM];

	(void)state;
	memset(value, '*', sizeof(value) - 1);
	assert_int_equal(ldap_filter_equal(&buffer, "cn", value, sizeof(value) - 1), ERROR_LIMIT);
}

static void test_check(void **state)
{
	static const char *const right[] = {"(uid={user})",
		"(&(a={user})(|(b={login})(c={domain})))", "(!(a=b))", "(a=*)", "(a:1.2.3:=b)",
		"(a>=b)", "(a=\\2a)", "(a={user}={login})", "(a:={user})", "(a=*{user}*)"};
	static const char *const wrong[] = {"", "a=b", "(a=b", "(a=b))", "((a=b)", "(a=b)(", "(a)",
		"()", "(a={users})", "(a={})", "(a={user)", "(a={USER})", "(a=\\zz)", "{user}",
		/* An attribute of the user's choice. */
		"({user}=x)", "({login}=x)", "({domain}=x)", "(a{user}=x)", "(a:{user}:=x)",
		"(&(a={user})({user}=x))"};

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		assert_int_equal(ldap_filter_check(right[i]), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(ldap_filter_check(wrong[i]), ERROR_INPUT);
}

static void test_names_user(void **state)
{
	(void)state;
	assert_true(ldap_filter_names_user("(uid={user})"));
	assert_true(ldap_filter_names_user("(&(a=b)(mail={login}))"));
	assert_false(ldap_filter_names_user("(uid=*)"));
	assert_false(ldap_filter_names_user("(uid=bob)"));
	assert_false(ldap_filter_names_user("(dc={domain})"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_expand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_escape, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_equal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_check, set_up, tear_down),
		cmocka_unit_test(test_names_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
