#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <ldap.h>

#include "identity/ldap_result.h"

static const struct ldap_policy no_policy = {.error = PP_noError, .grace = -1};

static enum reason bound(int code, const char *diagnostic)
{
	return ldap_result_of_bind(
		&(struct ldap_result){.code = code, .diagnostic = diagnostic, .policy = no_policy});
}

static enum reason changed(int code, const char *diagnostic)
{
	return ldap_result_of_change(
		&(struct ldap_result){.code = code, .diagnostic = diagnostic, .policy = no_policy});
}

static enum reason with_policy(int code, int error, int grace)
{
	return ldap_result_of_bind(&(struct ldap_result){
		.code = code, .policy = {.given = true, .error = error, .grace = grace}});
}

#define WINDOWS(data)                                                                              \
	"80090308: LdapErr: DSID-0C090434, comment: AcceptSecurityContext error, data " data       \
	", v4563"
#define SAMBA(data)                                                                                \
	"80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data " data       \
	", v1db1"

static void test_sub_codes(void **state)
{
	static const struct {
		const char *windows, *samba;
		enum reason reason;
	} codes[] = {
		{WINDOWS("525"), SAMBA("525"), REASON_UNKNOWN_USER},
		{WINDOWS("52e"), SAMBA("52e"), REASON_WRONG_PASSWORD},
		{WINDOWS("52f"), SAMBA("52f"), REASON_LOGON_DENIED},
		{WINDOWS("530"), SAMBA("530"), REASON_OUTSIDE_HOURS},
		{WINDOWS("531"), SAMBA("531"), REASON_WORKSTATION_DENIED},
		{WINDOWS("532"), SAMBA("532"), REASON_PASSWORD_EXPIRED},
		{WINDOWS("533"), SAMBA("533"), REASON_ACCOUNT_DISABLED},
		{WINDOWS("569"), SAMBA("569"), REASON_LOGON_DENIED},
		{WINDOWS("701"), SAMBA("701"), REASON_ACCOUNT_EXPIRED},
		{WINDOWS("773"), SAMBA("773"), REASON_PASSWORD_MUST_CHANGE},
		{WINDOWS("775"), SAMBA("775"), REASON_ACCOUNT_LOCKED},
		{WINDOWS("52E"), SAMBA("52E"), REASON_WRONG_PASSWORD},
		{WINDOWS("57"), SAMBA("57"), REASON_WRONG_PASSWORD},
		{WINDOWS("0"), SAMBA("0"), REASON_WRONG_PASSWORD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		assert_int_equal(
			bound(LDAP_INVALID_CREDENTIALS, codes[i].windows), codes[i].reason);
		assert_int_equal(bound(LDAP_INVALID_CREDENTIALS, codes[i].samba), codes[i].reason);
	}
	/* The sub-code does not make a success of a failure, nor a failure of a success. */
	assert_int_equal(bound(LDAP_SUCCESS, WINDOWS("533")), REASON_RIGHT);
}

static void test_reading_of_sub_codes(void **state)
{
	(void)state;
	assert_int_equal(ldap_result_sub_code(WINDOWS("52e")), 0x52e);
	assert_int_equal(ldap_result_sub_code("error, data 775"), 0x775);
	assert_int_equal(ldap_result_sub_code(NULL), 0);
	assert_int_equal(ldap_result_sub_code(""), 0);
	assert_int_equal(ldap_result_sub_code("data 52e, v1"), 0);
	assert_int_equal(ldap_result_sub_code("error, data "), 0);
	assert_int_equal(ldap_result_sub_code("error, data -52e, v1"), 0);
	assert_int_equal(ldap_result_sub_code("error, data  52e, v1"), 0);
	assert_int_equal(ldap_result_sub_code("error, data 52eg, v1"), 0);
	assert_int_equal(ldap_result_sub_code("error, data 100000000000000052e, v1"), 0);
}

static void test_codes(void **state)
{
	(void)state;
	assert_int_equal(bound(LDAP_SUCCESS, NULL), REASON_RIGHT);
	assert_int_equal(bound(LDAP_INVALID_CREDENTIALS, NULL), REASON_WRONG_PASSWORD);
	assert_int_equal(bound(LDAP_INVALID_CREDENTIALS, ""), REASON_WRONG_PASSWORD);
	assert_int_equal(bound(LDAP_INAPPROPRIATE_AUTH, NULL), REASON_WRONG_PASSWORD);
	assert_int_equal(bound(LDAP_NO_SUCH_OBJECT, NULL), REASON_UNKNOWN_USER);
	assert_int_equal(bound(LDAP_REFERRAL, NULL), REASON_DIRECTORY_FAILED);
	assert_int_equal(bound(LDAP_BUSY, NULL), REASON_DIRECTORY_FAILED);
	assert_int_equal(bound(LDAP_OTHER, NULL), REASON_DIRECTORY_FAILED);
	assert_int_equal(bound(LDAP_SASL_BIND_IN_PROGRESS, NULL), REASON_DIRECTORY_FAILED);
	assert_int_equal(bound(LDAP_CONFIDENTIALITY_REQUIRED, NULL), REASON_DIRECTORY_FAILED);
	assert_int_equal(bound(4711, NULL), REASON_DIRECTORY_FAILED);
	assert_true(ldap_result_is_elsewhere(LDAP_BUSY));
	assert_true(ldap_result_is_elsewhere(LDAP_UNAVAILABLE));
	assert_false(ldap_result_is_elsewhere(LDAP_OTHER));
	assert_false(ldap_result_is_elsewhere(LDAP_INVALID_CREDENTIALS));
}

static void test_words(void **state)
{
	static const int codes[] = {LDAP_UNWILLING_TO_PERFORM, LDAP_CONSTRAINT_VIOLATION};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
			bound(codes[i], "Account inactivated. Contact system administrator."),
			REASON_ACCOUNT_DISABLED);
		assert_int_equal(bound(codes[i], "Account Disabled"), REASON_ACCOUNT_DISABLED);
		assert_int_equal(bound(codes[i], "Exceed password retry limit. Please try later."),
			REASON_ACCOUNT_LOCKED);
		assert_int_equal(bound(codes[i], "account is locked"), REASON_ACCOUNT_LOCKED);
		assert_int_equal(bound(codes[i], "password expired!"), REASON_PASSWORD_EXPIRED);
		assert_int_equal(bound(codes[i], "Account (Kerberos principal) is expired"),
			REASON_ACCOUNT_EXPIRED);
		assert_int_equal(bound(codes[i], "no"), REASON_DIRECTORY_FAILED);
		assert_int_equal(bound(codes[i], NULL), REASON_DIRECTORY_FAILED);
	}
	/* A wrong password is one whatever is said beside it. */
	assert_int_equal(bound(LDAP_INVALID_CREDENTIALS, "not disabled"), REASON_WRONG_PASSWORD);
}

static void test_policy(void **state)
{
	struct ldap_result older = {.code = LDAP_SUCCESS, .policy = no_policy};

	(void)state;
	assert_int_equal(with_policy(LDAP_INVALID_CREDENTIALS, PP_passwordExpired, -1),
		REASON_PASSWORD_EXPIRED);
	assert_int_equal(
		with_policy(LDAP_INVALID_CREDENTIALS, PP_accountLocked, -1), REASON_ACCOUNT_LOCKED);
	assert_int_equal(
		with_policy(LDAP_INVALID_CREDENTIALS, PP_noError, -1), REASON_WRONG_PASSWORD);
	assert_int_equal(
		with_policy(LDAP_SUCCESS, PP_changeAfterReset, -1), REASON_PASSWORD_MUST_CHANGE);
	assert_int_equal(
		with_policy(LDAP_SUCCESS, PP_passwordExpired, -1), REASON_PASSWORD_EXPIRED);
	assert_int_equal(with_policy(LDAP_SUCCESS, PP_passwordExpired, 0), REASON_RIGHT);
	assert_int_equal(with_policy(LDAP_SUCCESS, PP_noError, -1), REASON_RIGHT);
	assert_int_equal(with_policy(LDAP_SUCCESS, 4711, -1), REASON_RIGHT);
	older.policy.must_change = true;
	assert_int_equal(ldap_result_of_bind(&older), REASON_PASSWORD_MUST_CHANGE);
	older.code = LDAP_INVALID_CREDENTIALS;
	assert_int_equal(ldap_result_of_bind(&older), REASON_WRONG_PASSWORD);
}

static void test_new_passwords(void **state)
{
	struct ldap_result result = {
		.code = LDAP_INSUFFICIENT_ACCESS, .policy = {.given = true, .error = PP_noError}};

	(void)state;
	assert_int_equal(changed(LDAP_SUCCESS, NULL), REASON_RIGHT);
	assert_int_equal(changed(LDAP_INVALID_CREDENTIALS, NULL), REASON_WRONG_PASSWORD);
	assert_int_equal(changed(LDAP_CONSTRAINT_VIOLATION, "0000052D: Constraint violation"),
		REASON_NEW_PASSWORD_REFUSED);
	assert_int_equal(changed(LDAP_CONSTRAINT_VIOLATION, NULL), REASON_NEW_PASSWORD_REFUSED);
	assert_int_equal(changed(LDAP_CONSTRAINT_VIOLATION, "00000056: AtrErr: DSID-03191083, #1:"),
		REASON_WRONG_PASSWORD);
	assert_int_equal(changed(LDAP_UNWILLING_TO_PERFORM, "0000052D: SvcErr: DSID-031A12D2"),
		REASON_NEW_PASSWORD_REFUSED);
	assert_int_equal(changed(LDAP_UNWILLING_TO_PERFORM, "0000001F: SvcErr: DSID-031A12D2"),
		REASON_PASSWORD_NOT_CHANGED);
	assert_int_equal(changed(LDAP_INSUFFICIENT_ACCESS, NULL), REASON_PASSWORD_NOT_CHANGED);
	for (int error = PP_insufficientPasswordQuality; error <= PP_passwordTooLong; error++) {
		result.policy.error = error;
		assert_int_equal(ldap_result_of_change(&result), REASON_NEW_PASSWORD_REFUSED);
	}
	result.policy.error = PP_passwordModNotAllowed;
	assert_int_equal(ldap_result_of_change(&result), REASON_PASSWORD_NOT_CHANGED);
}

static void test_texts(void **state)
{
	char text[LDAP_RESULT_TEXT], long_one[5000];
	struct ldap_result result = {.code = LDAP_INVALID_CREDENTIALS, .policy = no_policy};

	(void)state;
	ldap_result_text(&result, text);
	assert_string_equal(text, "result 49 (Invalid credentials)");
	result.diagnostic = WINDOWS("52e");
	ldap_result_text(&result, text);
	assert_string_equal(text, "result 49 (Invalid credentials), data 52e: " WINDOWS("52e"));
	result.diagnostic = "a\nb\x1b[31m\xff";
	ldap_result_text(&result, text);
	assert_string_equal(text, "result 49 (Invalid credentials): a b?[31m?");
	memset(long_one, 'x', sizeof(long_one));
	long_one[sizeof(long_one) - 1] = '\0';
	result.diagnostic = long_one;
	ldap_result_text(&result, text);
	assert_true(strlen(text) > 100);
	result.diagnostic = "";
	result.policy = (struct ldap_policy){.given = true, .error = PP_accountLocked};
	ldap_result_text(&result, text);
	assert_string_equal(text, "result 49 (Invalid credentials), policy error 1");
	result.code = 4711;
	ldap_result_text(&result, text);
	assert_int_equal(strncmp(text, "result 4711 (", 13), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sub_codes),
		cmocka_unit_test(test_reading_of_sub_codes),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_new_passwords),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
