/* Stage 2: terms, the password, and whatever else the server asks until it knows the user. */

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "client/connect_private.h"

static struct record_stage *stage_of(struct connect *connect)
{
	return &connect->record.stages[RECORD_AUTHENTICATE];
}

static void fail_case(
	struct connect *connect, int error, enum advice_case which, const char *detail)
{
	if (stage_of(connect)->state != RECORD_OPEN)
		connect_open(connect, RECORD_AUTHENTICATE);
	connect_fail(connect,
		&(struct connect_fault){
			.error = error,
			.detail = detail,
			.advice = advice_case(which),
			.polite = true,
		});
}

/* A server may wait for somebody who looks for his telephone, and does not say so. */
static void still_waiting(uv_timer_t *timer)
{
	struct connect *connect = timer->data;

	record_summary(&connect->record, RECORD_AUTHENTICATE,
		"no answer yet; a second factor may wait to be approved");
	connect_learned(connect);
}

/* The time somebody took to type is not the server's; that of the steps before is. */
static void send_step(struct connect *connect, struct message *request, bool factor)
{
	struct record_stage *stage = stage_of(connect);

	stage->limit = factor ? RECORD_FACTOR_LIMIT : stage->limit;
	record_summary(&connect->record, RECORD_AUTHENTICATE, "%s",
		factor ? "waiting for the second factor" : "");
	connect_open(connect, RECORD_AUTHENTICATE);
	stage->started -= connect->spent;
	connect->step = CONNECT_AUTHENTICATE;
	if (!factor)
		connect_timer(connect, connect->options.factor_notice, still_waiting);
	connect_send(connect, request, CONNECT_LOGON_TIMEOUT_MS);
}

/* ---- what the user is asked ---- */

/* True when a server asks without end; it has been told. `count` is of this kind of question;
 * `purpose` NULL: a password. */
static bool asked_too_often(struct connect *connect, unsigned *count, const char *purpose)
{
	if (++*count > CONNECT_QUESTIONS_MAXIMUM) {
		fail_case(connect, ERROR_LIMIT, ADVICE_CASE_TOO_MANY_QUESTIONS,
			"the server asked once more after its last question had been answered");
		return true;
	}
	if (purpose != NULL)
		record_question(&connect->record, purpose);
	return false;
}

/* `refused`: what the server said of the password before; NULL: it is the first. */
static void ask_password(struct connect *connect, const struct connect_message_result *refused)
{
	const struct connect_events *events = &connect->options.events;
	const char *user = connect->options.user;
	char password[CONNECT_PASSWORD_SIZE];
	struct message *request;
	int error;

	if (refused == NULL && asked_too_often(connect, &connect->rounds, NULL))
		return;
	error = events->password(events->user, user, connect->domain, connect->refusals + 1,
		refused != NULL ? refused->text : "", password);
	if (error == 0) {
		connect->attempts++;
		request = connect_message_authenticate(
			connect_fresh(connect), user, password, connect->domain);
		secret_wipe(password, sizeof(password));
		send_step(connect, request, false);
	} else if (error == ERROR_CLOSED) {
		connect_interrupted(connect);
	} else if (refused != NULL) {
		connect_fail_result(connect, refused);
	} else {
		fail_case(connect, error, ADVICE_CASE_NO_PASSWORD, "no password was given");
	}
}

static void ask_terms(struct connect *connect, const struct message *message)
{
	const struct connect_events *events = &connect->options.events;
	const char *title, *text;
	int error;

	if (asked_too_often(connect, &connect->rounds, "terms"))
		return;
	text = connect_message_terms(message, connect->arena, &title);
	if (text == NULL) {
		connect_fail_own(connect, ERROR_MEMORY);
		return;
	}
	error = events->accept(events->user, title, text);
	if (error == 0)
		send_step(connect, connect_message_accept(connect_fresh(connect)), false);
	else if (error == ERROR_CLOSED)
		connect_interrupted(connect);
	else if (error == ERROR_REFUSED)
		fail_case(connect, error, ADVICE_CASE_TERMS_DECLINED, "the terms were declined");
	else
		fail_case(connect, error, ADVICE_CASE_TERMS_NOT_SHOWN,
			"the server wants its terms to be accepted first, and there is nobody to "
			"ask");
}

static void ask_question(struct connect *connect, const struct message *message,
	const struct connect_message_result *result)
{
	const struct connect_events *events = &connect->options.events;
	bool refused = result->id != RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE;
	char answers[CONNECT_ENTRIES_MAXIMUM][CONNECT_ANSWER_SIZE];
	struct connect_question question;
	struct message *request;
	char detail[RECORD_TEXT_SIZE];
	int error;

	if (!connect_message_question(message, &question)) {
		fail_case(connect, ERROR_INPUT, ADVICE_CASE_OTHER_METHOD,
			"the server's question has no entries, or too many");
		return;
	}
	if (asked_too_often(connect, &connect->questions, question.purpose))
		return;
	question.trouble = refused ? result->text : "";
	error = events->answer(events->user, &question, answers);
	if (error == 0) {
		request = connect_message_answer(connect_fresh(connect), &question, answers);
		send_step(connect, request, strcmp(question.purpose, "second-factor") == 0);
	} else if (error == ERROR_CLOSED) {
		connect_interrupted(connect);
	} else if (refused) {
		connect_fail_result(connect, result);
	} else {
		snprintf(detail, sizeof(detail),
			"the server asks a question (%s), and there is "
			"no answer",
			question.purpose);
		fail_case(connect, error, ADVICE_CASE_NO_ANSWER, detail);
	}
	secret_wipe(answers, sizeof(answers));
}

static void fail_method(struct connect *connect, const char *method)
{
	char detail[RECORD_TEXT_SIZE];

	snprintf(detail, sizeof(detail),
		"the server asks for %.64s, which this client does not know", method);
	fail_case(connect, ERROR_INPUT, ADVICE_CASE_OTHER_METHOD, detail);
}

/* ---- what the server said ---- */

static bool was_asked(const struct record *record, const char *purpose)
{
	for (size_t i = 0; i < record->question_count; i++) {
		if (strcmp(record->questions[i], purpose) == 0)
			return true;
	}
	return false;
}

static void complete(struct connect *connect)
{
	struct record *record = &connect->record;
	const char *domain = connect->domain;

	record_summary(record, RECORD_AUTHENTICATE, "%s%s%s%s%s", connect->options.user,
		*domain != '\0' ? " in " : "", domain,
		was_asked(record, "second-factor") ? ", second factor" : "",
		was_asked(record, "new-password") ? ", new password" : "");
	connect_pass(connect);
	connect_ask_list(connect);
}

static void choose_domain(struct connect *connect, const struct message *message)
{
	const char *offered;
	size_t count;

	offered = connect_message_domain(message, &count);
	if (connect->options.domain != NULL)
		offered = connect->options.domain;
	if (connect->domain[0] == '\0' && offered != NULL)
		snprintf(connect->domain, sizeof(connect->domain), "%s", offered);
	if (message->id == MESSAGE_HELLO_RESP)
		record_learn_number(&connect->record, RECORD_INITIALISE, "domains", (double)count);
}

void connect_logon(struct connect *connect, const struct message *message)
{
	const char *method;

	choose_domain(connect, message);
	connect_pass(connect);
	switch (connect_message_method(message, &method)) {
	case CONNECT_METHOD_PASSWORD:
		ask_password(connect, NULL);
		break;
	case CONNECT_METHOD_TERMS:
		ask_terms(connect, message);
		break;
	case CONNECT_METHOD_NONE:
		connect_open(connect, RECORD_AUTHENTICATE);
		record_learn(&connect->record, RECORD_AUTHENTICATE, "method", "none");
		record_summary(
			&connect->record, RECORD_AUTHENTICATE, "the server asks for nothing");
		connect_pass(connect);
		connect_ask_list(connect);
		break;
	default:
		fail_method(connect, method);
		break;
	}
}

/* Whether whoever types may begin again: the server's session stays where it is. */
static bool may_try_again(enum result_id result)
{
	return result == RESULT_AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD ||
		result == RESULT_AUTH_FAILED_ACCESS_DENIED ||
		result == RESULT_AUTH_FAILED_DIALOG_INVALID_USER_ENTRY;
}

static void go_on(struct connect *connect, const struct message *message,
	const struct connect_message_result *result)
{
	bool incomplete = result->id == RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE;
	const char *method;

	switch (connect_message_method(message, &method)) {
	case CONNECT_METHOD_DIALOG:
		ask_question(connect, message, result);
		return;
	case CONNECT_METHOD_TERMS:
		ask_terms(connect, message);
		return;
	case CONNECT_METHOD_PASSWORD:
		if (incomplete) {
			choose_domain(connect, message);
			ask_password(connect, NULL);
			return;
		}
		break;
	case CONNECT_METHOD_OTHER:
		if (incomplete) {
			fail_method(connect, method);
			return;
		}
		break;
	case CONNECT_METHOD_NONE:
		break;
	}
	if (may_try_again(result->id)) {
		connect->refusals++;
		connect->spent = 0;
		stage_of(connect)->limit = 0;
		ask_password(connect, result);
	} else {
		connect_fail_result(connect, result);
	}
}

void connect_logon_answered(struct connect *connect, const struct message *message,
	const struct connect_message_result *result)
{
	struct record *record = &connect->record;

	uv_timer_stop(&connect->timer);
	connect->spent = clock_steady(connect->options.clock) - stage_of(connect)->started;
	record_summary(record, RECORD_AUTHENTICATE, "%s", "");
	record_learn(record, RECORD_AUTHENTICATE, "user", "%s", connect->options.user);
	record_learn(record, RECORD_AUTHENTICATE, "domain", "%s", connect->domain);
	record_learn(record, RECORD_AUTHENTICATE, "result", "%s", result->name);
	record_learn_number(record, RECORD_AUTHENTICATE, "attempts", connect->attempts);
	if (result->id == RESULT_AUTH_SUCCESSFUL_AND_COMPLETE)
		complete(connect);
	else
		go_on(connect, message, result);
}
