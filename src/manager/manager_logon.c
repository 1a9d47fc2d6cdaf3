#include "manager/manager_logon.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "manager/manager_upstream.h"

#define NEW_PASSWORD "new-password" /* purpose of a dialog, and name of its first entry */

/* A logon that is not complete. */
struct pending {
	char *user, *domain;
	struct seal password;
	bool changing; /* the open dialog asks for a new password */
	bool asked;    /* something was asked that the password does not answer */
};

static void pending_free(void *logon)
{
	struct pending *pending = logon;

	secret_wipe_text(pending->user);
	free(pending->user);
	free(pending->domain);
	seal_wipe(&pending->password);
	free(pending);
}

static void forget(struct session *session)
{
	if (session->logon != NULL)
		pending_free(session->logon);
	session->logon = NULL;
	session->logon_free = NULL;
}

/* What a message with user and password brings. */
static int keep_password(struct transaction *transaction)
{
	struct session *session = transaction->session;
	struct pending *pending = calloc(1, sizeof(*pending));
	int error;

	if (pending == NULL)
		return ERROR_MEMORY;
	forget(session);
	session->logon = pending;
	session->logon_free = pending_free;
	error = seal_close(&pending->password, transaction->loop->entropy, transaction->cookie,
		transaction_text(transaction, FIELD_AUTHENTICATE_PASSWORD));
	if (error == 0)
		error = sessions_set_text(
			&pending->user, transaction_text(transaction, FIELD_AUTHENTICATE_USERNAME));
	if (error == 0)
		error = sessions_set_text(
			&pending->domain, transaction_text(transaction, FIELD_AUTHENTICATE_DOMAIN));
	return error;
}

/* The new password among the answers to a dialog; NULL: there is none. */
static const char *new_password(const struct transaction *transaction)
{
	const struct message_node *answer =
		message_find(transaction->request, FIELD_AUTHENTICATE_ANSWER);

	for (; answer != NULL; answer = message_next(answer)) {
		const struct message_node *name =
			message_child(answer, FIELD_AUTHENTICATE_ANSWER_NAME);

		if (name != NULL && strcmp(name->text, NEW_PASSWORD) == 0)
			return answer->text;
	}
	return NULL;
}

/* Takes over a new password that the broker has accepted. */
static int keep_new_password(struct transaction *transaction, struct pending *pending)
{
	const char *password = new_password(transaction);

	if (password == NULL)
		return 0;
	return seal_close(
		&pending->password, transaction->loop->entropy, transaction->cookie, password);
}

/* The logon is complete: what was pending is the session's. */
static int hand_over(struct transaction *transaction)
{
	struct session *session = transaction->session;
	struct pending *pending = session->logon;
	int error = 0;

	/* A broker may ask for no password at all; the agent is then told of none. */
	if (pending == NULL)
		error = keep_password(transaction);
	if (error != 0)
		return error;
	pending = session->logon;
	error = sessions_set_text(&session->user, pending->user);
	if (error == 0)
		error = sessions_set_text(&session->domain, pending->domain);
	if (error != 0)
		return error;
	seal_wipe(&session->password);
	session->password = pending->password;
	pending->password = (struct seal){0};
	if (pending->asked)
		upstream_bar_renewal(session);
	forget(session);
	return 0;
}

int manager_logon_answered(struct transaction *transaction)
{
	struct session *session = transaction->session;
	const char *method = transaction_text(transaction, FIELD_AUTHENTICATE_METHOD);
	const char *purpose = message_text(
		transaction->reply, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_PURPOSE);
	bool dialog = message_find(transaction->reply,
			      FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG) != NULL;
	bool changing = dialog && purpose != NULL && strcmp(purpose, NEW_PASSWORD) == 0;
	enum result_outcome outcome = transaction_outcome(transaction);
	struct pending *pending = session->logon;
	int error = 0;

	if (outcome == OUTCOME_FAILED && !dialog) {
		forget(session);
		return 0;
	}
	if (strcmp(method, "password") == 0)
		error = keep_password(transaction);
	else if (pending != NULL && pending->changing && outcome != OUTCOME_FAILED && !changing)
		error = keep_new_password(transaction, pending);
	if (error != 0)
		return error;
	if (outcome == OUTCOME_OK)
		return hand_over(transaction);
	pending = session->logon;
	if (pending != NULL) {
		pending->changing = changing;
		pending->asked = pending->asked || (dialog && !changing);
	}
	return 0;
}
