/*
 * logon.h - the conversation of stage 2, for every program that checks who a user is.
 *
 * A user is asked step by step: terms to accept, the password, a new password where the old one has
 * expired, one factor after the other. A step ends with an answer; while steps are left it is
 * AUTH_SUCCESSFUL_AND_INCOMPLETE with the next question. What is known so far stands in the session
 * (session->logon), the password sealed under the cookie, and goes with it. Every try passes the
 * guard. docs/identity.md has the messages and states.
 *
 * This file logs what an administrator needs of a logon (events logon_...), puts method, result and
 * next-authentication into the reply, and finishes the transaction; failed answers are held back as
 * the guard says.
 */
#ifndef FAIRLEAD_SERVICE_LOGON_H
#define FAIRLEAD_SERVICE_LOGON_H

#include "identity/guard.h"
#include "service/endpoint.h"
#include "service/logon_plan.h"

struct logon_outcome {
	enum reason reason;    /* RIGHT: the user is known and all factors are given */
	enum result_id result; /* what the client is told; _INCOMPLETE: a question follows */
	const struct identity_user *user; /* RIGHT only; it lives during the call */
	const char *password;   /* RIGHT only: the one that is valid now; wiped afterwards */
	const char *typed_user; /* as the user wrote them; "" where the message has none */
	const char *typed_domain;
};

/* What the role makes of it; it logs and keeps the user. Returns REASON_RIGHT to go on as told, or
 * another reason in place of a success. Called exactly once, on the loop, before the answer. */
typedef enum reason logon_done(
	struct transaction *transaction, const struct logon_outcome *outcome, void *context);

/* For the handler of authenticate, whatever its method. `plan` and `guard` must stay until `done`;
 * transaction->role is used meanwhile. `done` may be called from inside. */
void logon_start(struct transaction *transaction, const struct logon_plan *plan,
	struct guard *guard, logon_done *done, void *context);

/* One check of a password without a conversation, for launch-session: guard and source only,
 * factors were the broker's. `done` on the loop, perhaps from inside, after the guard's delay if it
 * failed; the caller finishes the transaction. `user` is filled on REASON_RIGHT, in the
 * transaction's arena. */
void logon_check(struct transaction *transaction, const struct logon_plan *plan,
	struct guard *guard, const char *user, const char *domain, const char *password,
	void (*done)(struct transaction *transaction, enum reason reason,
		const struct identity_user *user, void *context),
	void *context);

/* Fills next-authentication of hello-resp: the disclaimer where the client can show one and it is
 * configured, else the password. The method, not the domains. */
void logon_invite(struct transaction *transaction, const struct logon_plan *plan);
/* Whether logon_invite would answer something else than the password. */
bool logon_invites_specially(const struct transaction *transaction, const struct logon_plan *plan);

#endif
