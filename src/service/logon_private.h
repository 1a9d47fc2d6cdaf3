/*
 * logon_private.h - what logon.c and logon_answer.c share; nobody else's.
 */
#ifndef FAIRLEAD_SERVICE_LOGON_PRIVATE_H
#define FAIRLEAD_SERVICE_LOGON_PRIVATE_H

#include "service/logon.h"
#include "service/logon_conversation.h"

#define LOGON_DETAIL_MAXIMUM 400

/* How a message of the conversation ends. */
struct logon_end {
	enum reason reason;
	enum text_key text; /* TEXT_RESULT: the reason's */
	const char *detail; /* for the log; "" */
	bool untried;       /* nothing was given away: what counts as LOST counts as nothing */
	bool asks;          /* the conversation's question goes with the answer */
	const struct identity_user
		*user; /* RIGHT only; stays during logon_end, which ends at once */
};

/* A try on its way past the guard. Where only tries that are open stand in the way (a user's
 * programs log on at the same moment), it waits for a moment for them to end. */
struct logon_admission {
	struct transaction *transaction;
	struct guard *guard;
	const char *user, *domain;
	const char *password; /* NULL: a code */
	void (*then)(void *context);
	void *context;
	int64_t since; /* steady; when it was first refused; 0: not yet */
	int64_t pause; /* microseconds, before it is asked again */
	/* when `then` is called: */
	struct guard_try try;
	struct guard_answer refusal; /* limit GUARD_NONE: admitted */
};

/* The admission stays until `then`, which is called once, perhaps from inside. */
void logon_admit(struct logon_admission *admission);

/* One authenticate message, in the transaction's arena. */
struct logon {
	struct transaction *transaction;
	const struct logon_plan *plan;
	struct guard *guard;
	logon_done *done;
	void *context;

	const char *user, *domain; /* as typed */
	const struct logon_chain *chain;
	struct logon_admission admission;
	const char *code; /* for the open factor */
	bool with_state;
	const char *new_password;
	struct identity_request identity;
	struct radius_request radius;
	struct logon_end end;
	char password[SEAL_SECRET_MAXIMUM + 1]; /* opened for a step; wiped with the answer */
};

/* Calls `done`, logs, and answers: at once, or as late as the guard wants it. */
void logon_end(struct logon *logon, const struct logon_end *end);

/* --- for both ways in --- */

/* All but who, with what. */
struct identity_request logon_identity_request(const struct transaction *transaction);

/* What a source said, as it is told: that an account is guarded is told like a wrong password. */
enum reason logon_reason(const struct identity_answer *answer);

/* What the guard counts. */
enum reason_count logon_count(enum reason reason, bool untried);

/* The log's lines about what a source said. */
void logon_note_answer(const struct transaction *transaction, const struct identity *source,
	const struct identity_answer *answer);
/* "studio, ldaps://dc1.studio.example, data 52e"; in the arena. */
const char *logon_answer_detail(struct arena *arena, const struct identity_answer *answer);
void logon_note_failure(
	const struct transaction *transaction, enum reason reason, const char *detail);
void logon_note_refusal(const struct transaction *transaction, const struct guard_answer *refusal);

/* Calls `then` on the loop once `delay` microseconds have gone since the transaction began; at once
 * where they have. */
void logon_hold(struct transaction *transaction, int64_t delay,
	void (*then)(struct transaction *transaction, void *context), void *context);

/* --- logon_question.c: next-authentication --- */

/* Whether the client announced it. */
bool logon_shows_dialogs(const struct transaction *transaction);
bool logon_shows_terms(const struct transaction *transaction);

void logon_put_password(const struct logon *logon);
void logon_put_terms(const struct logon *logon);
/* The conversation's open question. */
void logon_put_dialog(const struct logon *logon);

#endif
