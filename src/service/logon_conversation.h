/*
 * logon_conversation.h - what a session knows of its user while questions are still open.
 *
 * Part of struct session, so it lives and ends with it and has one holder at a time. Names are
 * copies; the password is sealed under the session's cookie.
 */
#ifndef FAIRLEAD_SERVICE_LOGON_CONVERSATION_H
#define FAIRLEAD_SERVICE_LOGON_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>

#include "identity/guard.h"
#include "identity/identity.h"
#include "identity/radius.h"
#include "service/seal.h"
#include "service/sessions.h"

#define CONVERSATION_ID_SIZE 17        /* 64 random bits as hexadecimal, with NUL */
#define CONVERSATION_HELD_MAXIMUM 2    /* one less than a user may fail by default */
#define CONVERSATION_DIALOGS_MAXIMUM 8 /* of one conversation; then the user starts over */

enum conversation_question {
	CONVERSATION_NOTHING,
	CONVERSATION_FACTOR,      /* an answer for chain->factors[factor] */
	CONVERSATION_NEW_PASSWORD /* in place of an expired one */
};

struct conversation {
	bool terms_accepted; /* outlives failures */

	enum conversation_question question;
	char id[CONVERSATION_ID_SIZE];
	unsigned dialogs;                          /* so far */
	size_t factor;                             /* index in the chain */
	unsigned char state[RADIUS_STATE_MAXIMUM]; /* of the challenge */
	size_t state_length;
	char *message; /* the RADIUS server's; NULL: none */
	/* An answer that brought another question may have been a wrong one. The first tries of
	 * that kind stay open until the conversation ends; then they were wrong, unless the user is
	 * known. Not all of them: a new PIN takes many answers, and they must not stand in each
	 * other's way. */
	struct guard *guard; /* NULL: none is held */
	struct guard_try held[CONVERSATION_HELD_MAXIMUM];
	size_t held_count;
	/* as typed with the password */
	char *typed_user, *typed_domain;
	/* proven; all NULL before */
	char *name, *domain, *named_domain, *account;
	char **groups;
	size_t group_count;
	struct seal password;
};

/* The session's conversation, made if there is none. NULL: memory. */
struct conversation *conversation_open(struct session *session);
/* NULL: there is none. */
struct conversation *conversation_of(const struct session *session);

/* Forgets everything but that the terms were accepted. NULL is allowed. */
void conversation_reset(struct conversation *conversation);

/* 0 or ERROR_MEMORY. */
int conversation_keep_typed(
	struct conversation *conversation, const char *user, const char *domain);
int conversation_keep_user(struct conversation *conversation, const struct identity_user *user);
int conversation_keep_challenge(
	struct conversation *conversation, const char *message, const void *state, size_t length);
/* The user that was kept; points into the conversation. */
struct identity_user conversation_user(const struct conversation *conversation);

/* Holds the try until the end of the conversation, or gives it back where enough are held. The
 * guard must outlive the session. */
void conversation_hold(
	struct conversation *conversation, struct guard *guard, struct guard_try *try);
/* The user is known: nothing that was held was wrong. */
void conversation_absolve(struct conversation *conversation);

/* Opens a question under a new id. 0; ERROR_LIMIT: there were too many; ERROR_SYSTEM. */
int conversation_ask(struct conversation *conversation, enum conversation_question question,
	const struct entropy *entropy);
/* Whether `id` is the open question's; in constant time. */
bool conversation_is_open(const struct conversation *conversation, const char *id);

#endif
