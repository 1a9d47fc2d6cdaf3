#include "identity/ldap_result.h"

#include <ctype.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Numbers of winerror.h, as they stand in messages. */
static const struct {
	unsigned long code;
	enum reason reason;
} sub_codes[] = {
	{0x525, REASON_UNKNOWN_USER},         /* ERROR_NO_SUCH_USER */
	{0x52e, REASON_WRONG_PASSWORD},       /* ERROR_LOGON_FAILURE */
	{0x52f, REASON_LOGON_DENIED},         /* ERROR_ACCOUNT_RESTRICTION */
	{0x530, REASON_OUTSIDE_HOURS},        /* ERROR_INVALID_LOGON_HOURS */
	{0x531, REASON_WORKSTATION_DENIED},   /* ERROR_INVALID_WORKSTATION */
	{0x532, REASON_PASSWORD_EXPIRED},     /* ERROR_PASSWORD_EXPIRED */
	{0x533, REASON_ACCOUNT_DISABLED},     /* ERROR_ACCOUNT_DISABLED */
	{0x569, REASON_LOGON_DENIED},         /* ERROR_LOGON_TYPE_NOT_GRANTED */
	{0x701, REASON_ACCOUNT_EXPIRED},      /* ERROR_ACCOUNT_EXPIRED */
	{0x773, REASON_PASSWORD_MUST_CHANGE}, /* ERROR_PASSWORD_MUST_CHANGE */
	{0x775, REASON_ACCOUNT_LOCKED},       /* ERROR_ACCOUNT_LOCKED_OUT */
};

/* Words of servers that have no code; the first that is found counts. */
static const struct {
	const char *word;
	enum reason reason;
} words[] = {
	{"inactivated", REASON_ACCOUNT_DISABLED},
	{"disabled", REASON_ACCOUNT_DISABLED},
	{"locked", REASON_ACCOUNT_LOCKED},
	{"retry limit", REASON_ACCOUNT_LOCKED},
	{"password has expired", REASON_PASSWORD_EXPIRED},
	{"password expired", REASON_PASSWORD_EXPIRED},
	{"password is expired", REASON_PASSWORD_EXPIRED},
	{"expired", REASON_ACCOUNT_EXPIRED},
};

static bool is_one_of(int code, const int *codes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (codes[i] == code)
			return true;
	}
	return false;
}

bool ldap_result_is_elsewhere(int code)
{
	static const int codes[] = {LDAP_BUSY, LDAP_UNAVAILABLE};

	return is_one_of(code, codes, sizeof(codes) / sizeof(codes[0]));
}

unsigned long ldap_result_sub_code(const char *diagnostic)
{
	static const char mark[] = ", data ";
	const char *at = diagnostic != NULL ? strstr(diagnostic, mark) : NULL;
	unsigned long value;
	char *end;

	if (at == NULL)
		return 0;
	at += sizeof(mark) - 1;
	/* strtoul would take a sign or spaces as well. */
	if (!isxdigit((unsigned char)*at))
		return 0;
	value = strtoul(at, &end, 16);
	if (end - at > 8 || (*end != ',' && *end != '\0'))
		return 0;
	return value;
}

static enum reason by_sub_code(const char *diagnostic, enum reason otherwise)
{
	unsigned long code = ldap_result_sub_code(diagnostic);

	for (size_t i = 0; i < sizeof(sub_codes) / sizeof(sub_codes[0]); i++) {
		if (sub_codes[i].code == code)
			return sub_codes[i].reason;
	}
	return otherwise;
}

static enum reason by_words(const char *diagnostic, enum reason otherwise)
{
	for (size_t i = 0; diagnostic != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasestr(diagnostic, words[i].word) != NULL)
			return words[i].reason;
	}
	return otherwise;
}

static enum reason by_policy(const struct ldap_policy *policy, enum reason otherwise)
{
	if (!policy->given)
		return otherwise;
	switch (policy->error) {
	case PP_passwordExpired:
		return REASON_PASSWORD_EXPIRED;
	case PP_accountLocked:
		return REASON_ACCOUNT_LOCKED;
	case PP_changeAfterReset:
		return REASON_PASSWORD_MUST_CHANGE;
	default:
		return otherwise;
	}
}

static enum reason of_success(const struct ldap_policy *policy)
{
	/* A logon of grace is one. */
	if (policy->given && policy->error == PP_passwordExpired && policy->grace >= 0)
		return REASON_RIGHT;
	return by_policy(policy, policy->must_change ? REASON_PASSWORD_MUST_CHANGE : REASON_RIGHT);
}

enum reason ldap_result_of_bind(const struct ldap_result *result)
{
	switch (result->code) {
	case LDAP_SUCCESS:
		return of_success(&result->policy);
	case LDAP_INVALID_CREDENTIALS:
		return by_policy(
			&result->policy, by_sub_code(result->diagnostic, REASON_WRONG_PASSWORD));
	case LDAP_INAPPROPRIATE_AUTH: /* the entry has no password */
		return REASON_WRONG_PASSWORD;
	case LDAP_NO_SUCH_OBJECT:
		return REASON_UNKNOWN_USER;
	case LDAP_UNWILLING_TO_PERFORM:
	case LDAP_CONSTRAINT_VIOLATION:
		return by_policy(&result->policy,
			by_sub_code(result->diagnostic,
				by_words(result->diagnostic, REASON_DIRECTORY_FAILED)));
	default:
		return REASON_DIRECTORY_FAILED;
	}
}

/* The message of Active Directory begins with a Windows error number of eight digits. */
static bool begins_with(const char *diagnostic, const char *number)
{
	return diagnostic != NULL && strncasecmp(diagnostic, number, strlen(number)) == 0;
}

enum reason ldap_result_of_change(const struct ldap_result *result)
{
	if (result->code == LDAP_SUCCESS)
		return REASON_RIGHT;
	if (result->policy.given && result->policy.error >= PP_insufficientPasswordQuality &&
		result->policy.error <= PP_passwordTooLong)
		return REASON_NEW_PASSWORD_REFUSED;
	switch (result->code) {
	case LDAP_INVALID_CREDENTIALS:
		return REASON_WRONG_PASSWORD;
	case LDAP_CONSTRAINT_VIOLATION:
		/* ERROR_INVALID_PASSWORD: the old one was wrong. */
		return begins_with(result->diagnostic, "00000056") ? REASON_WRONG_PASSWORD
								   : REASON_NEW_PASSWORD_REFUSED;
	case LDAP_UNWILLING_TO_PERFORM:
		/* ERROR_PASSWORD_RESTRICTION */
		return begins_with(result->diagnostic, "0000052d") ? REASON_NEW_PASSWORD_REFUSED
								   : REASON_PASSWORD_NOT_CHANGED;
	default:
		return REASON_PASSWORD_NOT_CHANGED;
	}
}

void ldap_result_text(const struct ldap_result *result, char text[LDAP_RESULT_TEXT])
{
	/* The longest of each fit the text together. */
	char clean[112], data[24] = "", grace[28] = "";
	const char *diagnostic = result->diagnostic != NULL ? result->diagnostic : "";
	unsigned long code = ldap_result_sub_code(diagnostic);

	text_clean(diagnostic, true, clean, sizeof(clean));
	if (code != 0)
		snprintf(data, sizeof(data), ", data %lx", code);
	if (result->policy.given && result->policy.error != PP_noError)
		snprintf(grace, sizeof(grace), ", policy error %d", result->policy.error);
	snprintf(text, LDAP_RESULT_TEXT, "result %d (%.60s)%s%s%s%s", result->code,
		ldap_err2string(result->code), data, grace, clean[0] != '\0' ? ": " : "", clean);
}
