/*
 * verdict.h - what an answer of PAM means for a logon. Pure.
 */
#ifndef FAIRLEAD_PAM_VERDICT_H
#define FAIRLEAD_PAM_VERDICT_H

#include "identity/reason.h"

enum verdict_step {
	VERDICT_START,        /* pam_start, pam_set_item */
	VERDICT_AUTHENTICATE, /* pam_authenticate */
	VERDICT_ACCOUNT,      /* pam_acct_mgmt */
	VERDICT_CHANGE        /* pam_chauthtok */
};

/* REASON_RIGHT: the step went well. Codes that no step should give are REASON_PAM_FAILED. */
enum reason verdict_of(enum verdict_step step, int code);

#endif
