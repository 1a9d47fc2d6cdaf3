#include <security/pam_appl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pam/talk.h"
#include "pam/verdict.h"

/* What one prompt is answered with; NULL: it is not. The caller frees. */
static char *answer(struct talk *talk, int style, const char *text, int expected)
{
	struct pam_message message = {.msg_style = style, .msg = text};
	const struct pam_message *messages[] = {&message};
	struct pam_response *responses = NULL;
	char *given = NULL;

	assert_int_equal(talk_answer(1, messages, &responses, talk), expected);
	if (expected != PAM_SUCCESS) {
		assert_null(responses);
		return NULL;
	}
	given = responses[0].resp;
	free(responses);
	return given;
}

static void expect(struct talk *talk, const char *prompt, const char *expected)
{
	char *given = answer(
		talk, PAM_PROMPT_ECHO_OFF, prompt, expected != NULL ? PAM_SUCCESS : PAM_CONV_ERR);

	if (expected != NULL)
		assert_string_equal(given, expected);
	free(given);
}

static void passwords(void **state)
{
	struct talk talk = {.password = "old"};

	(void)state;
	/* the first prompt, whatever its words */
	expect(&talk, "Zeig her: ", "old");
	/* each module of a stack may ask */
	expect(&talk, "LDAP Password: ", "old");
	expect(&talk, "Verification code: ", NULL);
	assert_string_equal(
		talk.said, "a module asked for more than the password: Verification code: ");
}

static void shown_prompts_are_not_answered(void **state)
{
	struct talk talk = {.password = "old"};

	(void)state;
	assert_null(answer(&talk, PAM_PROMPT_ECHO_ON, "login: ", PAM_CONV_ERR));
	assert_null(answer(&talk, PAM_PROMPT_ECHO_ON, NULL, PAM_CONV_ERR));
	assert_null(answer(&talk, 99, "Password: ", PAM_CONV_ERR));
}

static void what_modules_say_is_kept(void **state)
{
	struct talk talk = {.password = "old"};
	char text[2 * TALK_DETAIL_SIZE];

	(void)state;
	assert_null(answer(&talk, PAM_ERROR_MSG, "BAD PASSWORD: too short", PAM_SUCCESS));
	assert_null(answer(&talk, PAM_TEXT_INFO, "try again", PAM_SUCCESS));
	assert_string_equal(talk.said, "BAD PASSWORD: too short; try again");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_null(answer(&talk, PAM_TEXT_INFO, text, PAM_SUCCESS));
	assert_null(answer(&talk, PAM_TEXT_INFO, text, PAM_SUCCESS));
	assert_int_equal(strlen(talk.said), TALK_DETAIL_SIZE - 1);
}

/* As pam_unix, pam_sss, pam_winbind and pam_krb5 ask. */
static void a_new_password(void **state)
{
	struct talk talk = {.password = "old", .new_password = "new", .changing = true};

	(void)state;
	expect(&talk, "Current password: ", "old");
	expect(&talk, "New password: ", "new");
	expect(&talk, "Retype new password: ", "new");
	expect(&talk, "Old Password: ", "old");
	expect(&talk, "Reenter new Password: ", "new");
	expect(&talk, "(current) NT password: ", "old");
	expect(&talk, "Enter new NT password: ", "new");
	expect(&talk, "Current Kerberos password: ", "old");
	expect(&talk, "Verify New Password :", "new");
	expect(&talk, "New password, not an old one: ", "new");
}

static void who_asks_for_ever_is_stopped(void **state)
{
	struct talk talk = {.password = "old", .new_password = "new", .changing = true};

	(void)state;
	for (unsigned i = 0; i < TALK_PROMPTS_MAXIMUM; i++)
		expect(&talk, "New password: ", "new");
	expect(&talk, "New password: ", NULL);
}

static void several_at_once(void **state)
{
	struct talk talk = {.password = "old"};
	struct pam_message first = {.msg_style = PAM_TEXT_INFO, .msg = "Hello"};
	struct pam_message second = {.msg_style = PAM_PROMPT_ECHO_OFF, .msg = "Password: "};
	struct pam_message third = {.msg_style = PAM_PROMPT_ECHO_OFF, .msg = "Code: "};
	const struct pam_message *messages[] = {&first, &second, &third};
	struct pam_response *responses = NULL;

	(void)state;
	assert_int_equal(talk_answer(2, messages, &responses, &talk), PAM_SUCCESS);
	assert_null(responses[0].resp);
	assert_string_equal(responses[1].resp, "old");
	free(responses[1].resp);
	free(responses);
	responses = NULL;
	assert_int_equal(talk_answer(3, messages, &responses, &talk), PAM_CONV_ERR);
	assert_int_equal(talk_answer(0, messages, &responses, &talk), PAM_CONV_ERR);
	assert_int_equal(
		talk_answer(PAM_MAX_NUM_MSG + 1, messages, &responses, &talk), PAM_CONV_ERR);
	assert_null(responses);
}

static void verdicts(void **state)
{
	static const struct {
		int code;
		enum reason authenticate, account, change;
	} rows[] = {
		{PAM_SUCCESS, REASON_RIGHT, REASON_RIGHT, REASON_RIGHT},
		{PAM_AUTH_ERR, REASON_WRONG_PASSWORD, REASON_LOGON_DENIED,
			REASON_PASSWORD_NOT_CHANGED},
		{PAM_USER_UNKNOWN, REASON_UNKNOWN_USER, REASON_UNKNOWN_USER,
			REASON_PASSWORD_NOT_CHANGED},
		{PAM_MAXTRIES, REASON_ACCOUNT_LOCKED, REASON_ACCOUNT_LOCKED,
			REASON_NEW_PASSWORD_REFUSED},
		{PAM_PERM_DENIED, REASON_LOGON_DENIED, REASON_LOGON_DENIED,
			REASON_PASSWORD_NOT_CHANGED},
		{PAM_ACCT_EXPIRED, REASON_ACCOUNT_EXPIRED, REASON_ACCOUNT_EXPIRED,
			REASON_PASSWORD_NOT_CHANGED},
		{PAM_AUTHTOK_EXPIRED, REASON_ACCOUNT_EXPIRED, REASON_ACCOUNT_EXPIRED,
			REASON_PASSWORD_NOT_CHANGED},
		{PAM_NEW_AUTHTOK_REQD, REASON_PASSWORD_EXPIRED, REASON_PASSWORD_EXPIRED,
			REASON_PASSWORD_NOT_CHANGED},
		{PAM_CRED_EXPIRED, REASON_PASSWORD_EXPIRED, REASON_PASSWORD_EXPIRED,
			REASON_PASSWORD_NOT_CHANGED},
		{PAM_AUTHTOK_ERR, REASON_PAM_FAILED, REASON_PAM_FAILED,
			REASON_NEW_PASSWORD_REFUSED},
		{PAM_AUTHTOK_LOCK_BUSY, REASON_PAM_FAILED, REASON_PAM_FAILED,
			REASON_PASSWORD_NOT_CHANGED},
		{PAM_AUTHINFO_UNAVAIL, REASON_PAM_FAILED, REASON_PAM_FAILED,
			REASON_PASSWORD_NOT_CHANGED},
		{PAM_CONV_ERR, REASON_PAM_FAILED, REASON_PAM_FAILED, REASON_PASSWORD_NOT_CHANGED},
		{PAM_ABORT, REASON_PAM_FAILED, REASON_PAM_FAILED, REASON_PASSWORD_NOT_CHANGED},
		{9999, REASON_PAM_FAILED, REASON_PAM_FAILED, REASON_PASSWORD_NOT_CHANGED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int code = rows[i].code;

		assert_int_equal(verdict_of(VERDICT_AUTHENTICATE, code), rows[i].authenticate);
		assert_int_equal(verdict_of(VERDICT_ACCOUNT, code), rows[i].account);
		assert_int_equal(verdict_of(VERDICT_CHANGE, code), rows[i].change);
		assert_int_equal(verdict_of(VERDICT_START, code),
			code == PAM_SUCCESS ? REASON_RIGHT : REASON_PAM_FAILED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords),
		cmocka_unit_test(shown_prompts_are_not_answered),
		cmocka_unit_test(what_modules_say_is_kept),
		cmocka_unit_test(a_new_password),
		cmocka_unit_test(who_asks_for_ever_is_stopped),
		cmocka_unit_test(several_at_once),
		cmocka_unit_test(verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
