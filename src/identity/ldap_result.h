/*
 * ldap_result.h - what a directory's answer to a bind, or to a new password, means.
 *
 * Pure. Active Directory hides the reason of result 49 in the diagnostic message ("data 532", a
 * Windows error number in hexadecimal; [MS-ADTS] 5.1.1.1 and winerror.h), others in the password
 * policy control (draft-behera-ldap-password-policy), some in words only.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_RESULT_H
#define FAIRLEAD_IDENTITY_LDAP_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "identity/reason.h"

#define LDAP_RESULT_TEXT 256 /* bytes of a text for the log, with NUL */

/* As the control of the password policy said. */
struct ldap_policy {
	bool given;       /* the answer had the control */
	int error;        /* LDAPPasswordPolicyError; PP_noError: none */
	int grace;        /* logons left with an expired password; -1: not said */
	bool must_change; /* the older control for an expired password was there, with success */
};

struct ldap_result {
	int code;               /* of LDAP, RFC 4511 4.1.9: 0 and above */
	const char *diagnostic; /* may be NULL; any bytes up to the NUL */
	struct ldap_policy policy;
};

/* A bind as the user. */
enum reason ldap_result_of_bind(const struct ldap_result *result);
/* A new password set by the user: RIGHT when it is set, WRONG_PASSWORD, NEW_PASSWORD_REFUSED,
 * PASSWORD_NOT_CHANGED. */
enum reason ldap_result_of_change(const struct ldap_result *result);

/* The result says that this server cannot serve at present; the request was not looked at. */
bool ldap_result_is_elsewhere(int code);

/* The sub-code of Active Directory in a diagnostic message; 0: none. */
unsigned long ldap_result_sub_code(const char *diagnostic);

/* "49 Invalid credentials, data 52e: 80090308: LdapErr: ..." for the log, printable, cut to fit. */
void ldap_result_text(const struct ldap_result *result, char text[LDAP_RESULT_TEXT]);

#endif
