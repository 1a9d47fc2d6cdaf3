#include "service/logon.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "service/event.h"
#include "service/logon_private.h"

/* --- ends --- */

static void fail(struct logon *logon, enum reason reason, const char *detail)
{
	logon_end(logon, &(struct logon_end){.reason = reason, .detail = detail});
}

/* `tried`: a secret was given away, and perhaps counted by whoever got it. */
static void fail_as(struct logon *logon, enum reason reason, const char *detail, bool tried)
{
	logon_end(
		logon, &(struct logon_end){.reason = reason, .detail = detail, .untried = !tried});
}

static void complete(struct logon *logon, const struct identity_user *user)
{
	logon_end(logon, &(struct logon_end){.reason = REASON_RIGHT, .detail = "", .user = user});
}

/* Asks the conversation's user something. `reason` is what made it necessary. */
static void ask(struct logon *logon, enum conversation_question question, enum reason reason,
	const char *detail)
{
	struct transaction *transaction = logon->transaction;
	struct conversation *conversation = conversation_of(transaction->session);

	if (conversation_ask(conversation, question, transaction->loop->entropy) != 0) {
		fail(logon, REASON_ENTRY_INVALID, "asked too often");
		return;
	}
	event_logon_question(transaction->loop->log, transaction->log_id,
		question == CONVERSATION_FACTOR ? "second factor" : "new password", detail);
	logon_end(logon, &(struct logon_end){.reason = reason, .detail = detail, .asks = true});
}

/* The same question once more, with what was wrong. */
static void ask_again(
	struct logon *logon, enum reason reason, enum text_key text, const char *detail)
{
	struct transaction *transaction = logon->transaction;
	struct conversation *conversation = conversation_of(transaction->session);

	if (conversation_ask(conversation, conversation->question, transaction->loop->entropy) != 0)
		fail(logon, REASON_ENTRY_INVALID, "asked too often");
	else
		logon_end(logon,
			&(struct logon_end){
				.reason = reason, .text = text, .detail = detail, .asks = true});
}

/* --- the guard --- */

/* Goes on with `then` if the guard lets a try pass, else ends. */
static void admit(struct logon *logon, const char *password, void (*then)(void *context))
{
	logon->admission = (struct logon_admission){
		.transaction = logon->transaction,
		.guard = logon->guard,
		.user = logon->user,
		.domain = logon->domain,
		.password = password,
		.then = then,
		.context = logon,
	};
	logon_admit(&logon->admission);
}

static bool refused(struct logon *logon)
{
	const struct guard_answer *refusal = &logon->admission.refusal;

	if (refusal->limit == GUARD_NONE)
		return false;
	/* Where tries that are open did not end in time, nobody has failed. */
	if (refusal->busy)
		fail(logon, REASON_SERVICE_BUSY, guard_limit_name(refusal->limit));
	else
		fail(logon, REASON_GUARDED, "");
	return true;
}

static bool admit_account(void *context, const char *account)
{
	struct logon *logon = context;

	return guard_account(
		logon->guard, &logon->admission.try, account, &logon->admission.refusal);
}

/* --- factors --- */

static void factor_answered(void *context, const struct radius_answer *answer);

static const struct logon_factor *open_factor(const struct logon *logon)
{
	return logon->chain->factors[conversation_of(logon->transaction->session)->factor];
}

static void send_code(void *context)
{
	struct logon *logon = context;
	struct transaction *transaction = logon->transaction;
	struct conversation *conversation = conversation_of(transaction->session);
	int error;

	if (refused(logon))
		return;
	if (!admit_account(logon, conversation->account)) {
		(void)refused(logon);
		return;
	}
	logon->radius = (struct radius_request){
		.user = conversation->name,
		.password = logon->code,
		.state = logon->with_state ? conversation->state : NULL,
		.state_length = logon->with_state ? conversation->state_length : 0,
		.client = transaction->client,
		.arena = transaction->arena,
		.loop = transaction->loop->uv,
		.clock = transaction->loop->clock,
		.entropy = transaction->loop->entropy,
	};
	error = radius_ask(open_factor(logon)->radius, &logon->radius, factor_answered, logon);
	if (error == ERROR_INPUT && conversation->question == CONVERSATION_NOTHING)
		fail(logon, REASON_RADIUS_FAILED, "name or password is longer than RADIUS allows");
	else if (error == ERROR_INPUT)
		ask_again(logon, REASON_ENTRY_INVALID, TEXT_RESULT, "");
	else if (error != 0)
		fail(logon, REASON_RADIUS_FAILED, error_text(error));
}

static void ask_radius(struct logon *logon, const char *code, bool with_state)
{
	logon->code = code;
	logon->with_state = with_state;
	admit(logon, NULL, send_code);
}

static void ask_user(struct logon *logon, const char *detail)
{
	if (logon_shows_dialogs(logon->transaction))
		ask(logon, CONVERSATION_FACTOR, REASON_ASKED, detail);
	else
		fail(logon, REASON_CHALLENGE_NOT_SHOWN, detail);
}

/* The password, and the factors before this one, are given. */
static void next_factor(struct logon *logon)
{
	struct conversation *conversation = conversation_of(logon->transaction->session);
	struct identity_user user = conversation_user(conversation);
	const struct logon_factor *factor;

	/* Proven as far as it goes: what comes is a try of its own. */
	if (conversation->factor < logon->chain->factor_count)
		guard_end(logon->guard, &logon->admission.try, REASON_COUNTS_NONE);
	if (conversation->factor == logon->chain->factor_count) {
		conversation_absolve(conversation);
		complete(logon, &user);
		return;
	}
	factor = open_factor(logon);
	switch (factor->first) {
	case LOGON_FIRST_CODE:
		ask_user(logon, factor->name);
		break;
	case LOGON_FIRST_PASSWORD:
		ask_radius(logon, logon->password, false);
		break;
	case LOGON_FIRST_TEXT:
		ask_radius(logon, factor->text, false);
		break;
	}
}

static const char *factor_detail(const struct logon *logon, const struct radius_answer *answer)
{
	const struct identity_answer parts = {
		.source = open_factor(logon)->name,
		.server = answer->server,
		.detail = answer->detail,
	};

	return logon_answer_detail(logon->transaction->arena, &parts);
}

static void factor_answered(void *context, const struct radius_answer *answer)
{
	struct logon *logon = context;
	struct transaction *transaction = logon->transaction;
	struct conversation *conversation = conversation_of(transaction->session);
	const char *detail = factor_detail(logon, answer);

	for (size_t i = 0; i < answer->trouble_count; i++)
		event_logon_factor_passed_over(transaction->loop->log, transaction->log_id,
			answer->troubles[i].server, answer->troubles[i].text);
	if (answer->verdict == RADIUS_FAILED) {
		/* A code that nobody took tells nobody anything; but a person may have been asked.
		 */
		fail_as(logon, answer->reason, detail,
			conversation->question == CONVERSATION_NOTHING);
		return;
	}
	if (answer->verdict == RADIUS_CHALLENGED) {
		/* Some servers challenge anew where others reject. */
		if (conversation->question != CONVERSATION_NOTHING)
			conversation_hold(conversation, logon->guard, &logon->admission.try);
		if (conversation_keep_challenge(conversation, answer->message, answer->state,
			    answer->state_length) != 0)
			fail(logon, REASON_SERVICE_BUSY, detail);
		else
			ask_user(logon, detail);
		return;
	}
	event_logon_factor(transaction->loop->log, transaction->log_id, open_factor(logon)->name,
		answer->server, (double)answer->took / (double)CLOCK_SECOND);
	conversation->factor++;
	conversation->question = CONVERSATION_NOTHING;
	(void)conversation_keep_challenge(conversation, "", NULL, 0);
	next_factor(logon);
}

/* --- the password --- */

/* Keeps what was proven until all factors are given. 0 or an error. */
static int keep(struct logon *logon, const struct identity_user *user)
{
	struct transaction *transaction = logon->transaction;
	struct conversation *conversation = conversation_of(transaction->session);
	int error = conversation_keep_user(conversation, user);

	if (error == 0)
		error = seal_close(&conversation->password, transaction->loop->entropy,
			transaction->cookie, logon->password);
	return error;
}

static void password_right(struct logon *logon, const struct identity_user *user)
{
	if (logon->chain->factor_count == 0)
		complete(logon, user);
	else if (keep(logon, user) != 0)
		fail(logon, REASON_SERVICE_BUSY, "");
	else
		next_factor(logon);
}

static void password_expired(struct logon *logon, enum reason reason, const char *detail)
{
	struct transaction *transaction = logon->transaction;
	struct conversation *conversation = conversation_of(transaction->session);

	if (!logon->chain->source->can_change_password || !logon_shows_dialogs(transaction))
		fail(logon, reason, detail);
	else if (seal_close(&conversation->password, transaction->loop->entropy,
			 transaction->cookie, logon->password) != 0)
		fail(logon, REASON_SERVICE_BUSY, detail);
	else
		ask(logon, CONVERSATION_NEW_PASSWORD, reason, detail);
}

static void password_answered(void *context, const struct identity_answer *answer)
{
	struct logon *logon = context;
	struct transaction *transaction = logon->transaction;
	const char *detail = logon_answer_detail(transaction->arena, answer);

	logon_note_answer(transaction, logon->chain->source, answer);
	if (answer->reason == REASON_RIGHT)
		password_right(logon, &answer->user);
	else if (answer->reason == REASON_PASSWORD_EXPIRED ||
		answer->reason == REASON_PASSWORD_MUST_CHANGE)
		password_expired(logon, answer->reason, detail);
	else
		fail_as(logon, logon_reason(answer), detail, answer->tried);
}

static void ask_source(struct logon *logon, const char *new_password, identity_done *done)
{
	logon->identity = logon_identity_request(logon->transaction);
	logon->identity.user = logon->user;
	logon->identity.domain = logon->domain;
	logon->identity.password = logon->password;
	logon->identity.new_password = new_password;
	logon->identity.admit = admit_account;
	logon->identity.admit_context = logon;
	identity_ask(logon->chain->source, &logon->identity, done, logon);
}

static void try_password(void *context)
{
	struct logon *logon = context;
	const char *password = transaction_text(logon->transaction, FIELD_AUTHENTICATE_PASSWORD);

	if (refused(logon))
		return;
	logon->chain = logon_plan_chain(logon->plan, logon->user, logon->domain);
	if (*password == '\0') {
		/* Directories take a bind without password for no bind at all, and answer
		 * "success". */
		fail(logon, REASON_EMPTY_PASSWORD, "");
	} else if (logon->chain == NULL) {
		fail(logon, REASON_UNKNOWN_DOMAIN, logon->domain);
	} else {
		strcpy(logon->password, password);
		ask_source(logon, NULL, password_answered);
	}
}

/* True when the message lacks what its method needs; it has then been answered. */
static bool lacks(struct logon *logon, enum field_id field, const char *element)
{
	struct transaction *transaction = logon->transaction;
	const struct logon_outcome outcome = {
		.reason = REASON_METHOD_UNKNOWN,
		.result = RESULT_ERR_INVALID_MSG_FORMAT,
		.typed_user = "",
		.typed_domain = "",
	};
	const char *detail;

	if (message_find(transaction->request, field) != NULL)
		return false;
	detail = arena_print(
		transaction->arena, "required element '%s' is missing in 'authenticate'", element);
	(void)logon->done(transaction, &outcome, logon->context);
	transaction_fail(transaction, outcome.result, detail);
	return true;
}

static void begin_password(struct logon *logon)
{
	struct transaction *transaction = logon->transaction;
	const char *password = transaction_text(transaction, FIELD_AUTHENTICATE_PASSWORD);
	struct conversation *conversation = conversation_open(transaction->session);
	const struct logon_disclaimer *terms = &logon->plan->disclaimer;

	if (lacks(logon, FIELD_AUTHENTICATE_USERNAME, "username") ||
		lacks(logon, FIELD_AUTHENTICATE_PASSWORD, "password"))
		return;
	logon->user = transaction_text(transaction, FIELD_AUTHENTICATE_USERNAME);
	logon->domain = transaction_text(transaction, FIELD_AUTHENTICATE_DOMAIN);
	conversation_reset(conversation);
	if (conversation == NULL || strlen(password) > SEAL_SECRET_MAXIMUM ||
		conversation_keep_typed(conversation, logon->user, logon->domain) != 0) {
		fail(logon, REASON_SERVICE_BUSY, "");
		return;
	}
	if (terms->text != NULL && terms->required && !conversation->terms_accepted) {
		if (logon_shows_terms(transaction))
			logon_put_terms(logon);
		fail(logon, REASON_DISCLAIMER_OPEN, "");
		return;
	}
	admit(logon, password, try_password);
}

/* --- dialogs --- */

static void password_changed(void *context, const struct identity_answer *answer)
{
	struct logon *logon = context;
	struct transaction *transaction = logon->transaction;
	const char *detail = logon_answer_detail(transaction->arena, answer);

	logon_note_answer(transaction, logon->chain->source, answer);
	if (answer->reason == REASON_NEW_PASSWORD_REFUSED) {
		ask_again(logon, answer->reason, TEXT_RESULT, detail);
	} else if (answer->reason != REASON_RIGHT) {
		fail_as(logon, logon_reason(answer), detail, answer->tried);
	} else {
		event_logon_password_changed(transaction->loop->log, transaction->log_id, detail);
		strcpy(logon->password, logon->identity.new_password);
		conversation_of(transaction->session)->question = CONVERSATION_NOTHING;
		password_right(logon, &answer->user);
	}
}

/* The answer to a prompt; NULL: there is none. */
static const char *entry(const struct logon *logon, const char *prompt)
{
	const struct message_node *answer =
		message_find(logon->transaction->request, FIELD_AUTHENTICATE_ANSWER);

	for (; answer != NULL; answer = message_next(answer)) {
		const struct message_node *name =
			message_child(answer, FIELD_AUTHENTICATE_ANSWER_NAME);

		if (name != NULL && strcmp(name->text, prompt) == 0)
			return answer->text;
	}
	return NULL;
}

static void change_password(void *context)
{
	struct logon *logon = context;

	if (!refused(logon))
		ask_source(logon, logon->new_password, password_changed);
}

static void take_new_password(struct logon *logon)
{
	const char *wanted = entry(logon, "new-password"), *repeat = entry(logon, "repeat");

	if (wanted == NULL || *wanted == '\0' || repeat == NULL ||
		strlen(wanted) > SEAL_SECRET_MAXIMUM) {
		ask_again(logon, REASON_ENTRY_INVALID, TEXT_RESULT, "");
	} else if (!secret_equal_text(wanted, repeat)) {
		ask_again(logon, REASON_ENTRY_INVALID, TEXT_NEW_PASSWORDS_DIFFER, "");
	} else {
		logon->new_password = wanted;
		admit(logon, logon->password, change_password);
	}
}

static void take_factor(struct logon *logon)
{
	const char *code = entry(logon, "answer");
	bool challenged = conversation_of(logon->transaction->session)->state_length > 0;

	if (code == NULL || *code == '\0')
		ask_again(logon, REASON_ENTRY_INVALID, TEXT_RESULT, "");
	else
		ask_radius(logon, code, challenged);
}

static void begin_dialog(struct logon *logon)
{
	struct transaction *transaction = logon->transaction;
	struct conversation *conversation = conversation_of(transaction->session);

	if (!conversation_is_open(
		    conversation, transaction_text(transaction, FIELD_AUTHENTICATE_DIALOG_ID))) {
		fail(logon, REASON_DIALOG_STALE, "");
		return;
	}
	/* In the arena: the conversation may end before the answer is logged. */
	logon->user = arena_text(transaction->arena, conversation->typed_user);
	logon->domain = arena_text(transaction->arena, conversation->typed_domain);
	if (logon->user == NULL || logon->domain == NULL ||
		seal_open(&conversation->password, transaction->cookie, logon->password) != 0) {
		logon->user = logon->domain = "";
		fail(logon, REASON_SERVICE_BUSY, "");
		return;
	}
	logon->chain = logon_plan_chain(logon->plan, logon->user, logon->domain);
	/* The configuration may have changed while the user was typing. */
	if (logon->chain == NULL ||
		(conversation->question == CONVERSATION_FACTOR &&
			conversation->factor >= logon->chain->factor_count) ||
		(conversation->question == CONVERSATION_NEW_PASSWORD &&
			!logon->chain->source->can_change_password)) {
		fail(logon, REASON_DIALOG_STALE, "the configuration has changed");
		return;
	}
	if (conversation->question == CONVERSATION_NEW_PASSWORD)
		take_new_password(logon);
	else
		take_factor(logon);
}

/* --- terms --- */

static void begin_terms(struct logon *logon)
{
	struct transaction *transaction = logon->transaction;
	struct conversation *conversation = conversation_open(transaction->session);
	const char *answer = transaction_text(transaction, FIELD_AUTHENTICATE_DISCLAIMER_ACCEPTED);
	bool accepted = strcmp(answer, "true") == 0 || strcmp(answer, "1") == 0;

	if (conversation == NULL) {
		fail(logon, REASON_SERVICE_BUSY, "");
		return;
	}
	conversation->terms_accepted = accepted;
	if (!accepted) {
		logon_put_terms(logon);
		fail(logon, REASON_DISCLAIMER_OPEN, "");
		return;
	}
	event_logon_terms_accepted(transaction->loop->log, transaction->log_id);
	logon_put_password(logon);
	logon_end(logon,
		&(struct logon_end){.reason = REASON_TERMS_ACCEPTED,
			.detail = "",
			.text = TEXT_ACCEPTED_GO_ON});
}

/* --- a message comes in --- */

static void begin(struct logon *logon, const char *method)
{
	if (strcmp(method, "password") == 0)
		begin_password(logon);
	else if (strcmp(method, "dialog") == 0)
		begin_dialog(logon);
	else if (strcmp(method, "disclaimer") == 0 && logon->plan->disclaimer.text != NULL)
		begin_terms(logon);
	else
		fail(logon, REASON_METHOD_UNKNOWN, method);
}

void logon_start(struct transaction *transaction, const struct logon_plan *plan,
	struct guard *guard, logon_done *done, void *context)
{
	struct logon *logon = arena_alloc(transaction->arena, sizeof(*logon));
	const struct logon_outcome busy = {
		.reason = REASON_SERVICE_BUSY,
		.result = RESULT_AUTH_FAILED_SERVICE_BUSY,
		.typed_user = "",
		.typed_domain = "",
	};

	if (logon == NULL) {
		(void)done(transaction, &busy, context);
		transaction_result(transaction, busy.result, NULL);
		transaction_finish(transaction);
		return;
	}
	*logon = (struct logon){
		.transaction = transaction,
		.plan = plan,
		.guard = guard,
		.done = done,
		.context = context,
		.user = "",
		.domain = "",
	};
	transaction->role = logon;
	begin(logon, transaction_text(transaction, FIELD_AUTHENTICATE_METHOD));
}
