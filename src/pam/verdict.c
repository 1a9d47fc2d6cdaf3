#include "pam/verdict.h"

#include <security/pam_appl.h>
#include <stddef.h>

struct verdict {
	int code;
	enum reason reason;
};

/* Of pam_authenticate and pam_acct_mgmt. PAM knows no "disabled": modules say "permission denied"
 * or "account expired" for it. */
static const struct verdict verdicts[] = {
	{PAM_SUCCESS, REASON_RIGHT},
	{PAM_AUTH_ERR, REASON_WRONG_PASSWORD},
	{PAM_USER_UNKNOWN, REASON_UNKNOWN_USER},
	{PAM_MAXTRIES, REASON_ACCOUNT_LOCKED},
	{PAM_PERM_DENIED, REASON_LOGON_DENIED},
	{PAM_CRED_INSUFFICIENT, REASON_LOGON_DENIED},
	{PAM_ACCT_EXPIRED, REASON_ACCOUNT_EXPIRED},
	/* pam_unix: the password expired so long ago that the account did too */
	{PAM_AUTHTOK_EXPIRED, REASON_ACCOUNT_EXPIRED},
	{PAM_NEW_AUTHTOK_REQD, REASON_PASSWORD_EXPIRED},
	{PAM_CRED_EXPIRED, REASON_PASSWORD_EXPIRED},
};

static enum reason find(int code)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (verdicts[i].code == code)
			return verdicts[i].reason;
	}
	return REASON_PAM_FAILED;
}

static enum reason change(int code)
{
	switch (code) {
	case PAM_SUCCESS:
		return REASON_RIGHT;
	case PAM_AUTHTOK_ERR:
	case PAM_MAXTRIES: /* of modules that ask again while the new one is too weak */
		return REASON_NEW_PASSWORD_REFUSED;
	default:
		return REASON_PASSWORD_NOT_CHANGED;
	}
}

enum reason verdict_of(enum verdict_step step, int code)
{
	enum reason reason = find(code);

	switch (step) {
	case VERDICT_CHANGE:
		return change(code);
	case VERDICT_ACCOUNT:
		/* The password was right: what an account module denies, it denies to this user. */
		return reason == REASON_WRONG_PASSWORD ? REASON_LOGON_DENIED : reason;
	case VERDICT_AUTHENTICATE:
		return reason;
	case VERDICT_START:
		break;
	}
	return code == PAM_SUCCESS ? REASON_RIGHT : REASON_PAM_FAILED;
}
