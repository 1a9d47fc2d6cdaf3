/*
 * pam_helper.h - asking fairlead-pam one question; see identity_pam.h for its life.
 */
#ifndef FAIRLEAD_IDENTITY_PAM_HELPER_H
#define FAIRLEAD_IDENTITY_PAM_HELPER_H

#include "base/arena.h"
#include "base/clock.h"
#include "identity/identity_pam.h"

struct pam_helper_question {
	const char *user;         /* pam_wire_may_be_user */
	const char *client;       /* NULL or "": not known */
	const char *password;     /* 1 to PAM_WIRE_PASSWORD_MAXIMUM bytes */
	const char *new_password; /* as password; NULL: check only */
	struct arena *arena;      /* for the answer */
	const struct clock *clock;
	int64_t deadline; /* steady */
	/* As in identity.h; NULL: always. */
	bool (*admit)(void *context, const char *account);
	void *admit_context;
};

struct pam_helper_answer {
	enum reason reason;
	const char *account; /* "" when it did not get so far */
	const char *name;    /* REASON_RIGHT: the user as PAM has him */
	const char *detail;  /* never NULL */
	const char *const *groups;
	size_t group_count;
	bool groups_cut;
};

/* Blocks until the answer has come or the deadline is over; thread-safe. */
void pam_helper_ask(struct pam_helper *helper, const struct pam_helper_question *question,
	struct pam_helper_answer *ret_answer);

unsigned pam_helper_at_once(const struct pam_helper *helper);

#endif
