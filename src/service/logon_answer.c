/*
 * How a message of the conversation ends: the guard hears of it, the log, the role, then the
 * client.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "service/event.h"
#include "service/logon_private.h"

struct identity_request logon_identity_request(const struct transaction *transaction)
{
	return (struct identity_request){
		.client = transaction->client,
		.arena = transaction->arena,
		.loop = transaction->loop->uv,
		.work = transaction->loop->work,
		.clock = transaction->loop->clock,
	};
}

enum reason logon_reason(const struct identity_answer *answer)
{
	return answer->reason == REASON_GUARDED ? REASON_ACCOUNT_GUARDED : answer->reason;
}

enum reason_count logon_count(enum reason reason, bool untried)
{
	enum reason_count count = reason_info(reason)->count;

	return count == REASON_COUNTS_LOST && untried ? REASON_COUNTS_NONE : count;
}

/* --- the log --- */

const char *logon_answer_detail(struct arena *arena, const struct identity_answer *answer)
{
	const char *parts[] = {answer->source, answer->server, answer->detail};
	char text[LOGON_DETAIL_MAXIMUM] = "";
	size_t length = 0;
	const char *copy;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i] == NULL || *parts[i] == '\0' || length + 1 >= sizeof(text))
			continue;
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
			length > 0 ? ", " : "", parts[i]);
	}
	copy = arena_text(arena, text);
	return copy != NULL ? copy : "";
}

/* Whether a directory has said anything of the user. */
static bool has_spoken(enum reason reason)
{
	switch (reason) {
	case REASON_DIRECTORY_SILENT:
	case REASON_DIRECTORY_UNREACHABLE:
	case REASON_DIRECTORY_UNTRUSTED:
	case REASON_DIRECTORY_REFUSED:
	case REASON_DIRECTORY_FAILED:
	case REASON_DIRECTORY_BUSY:
		return false;
	default:
		return true;
	}
}

void logon_note_answer(const struct transaction *transaction, const struct identity *source,
	const struct identity_answer *answer)
{
	struct log *log = transaction->loop->log;
	/* One that did not answer is told by the reason. */
	bool spoke = answer->remote && has_spoken(answer->reason);

	for (size_t i = 0; i < answer->trouble_count; i++)
		event_logon_server_passed_over(log, transaction->log_id, answer->troubles[i].server,
			answer->troubles[i].text);
	if (spoke && source->slow > 0 && answer->took > source->slow)
		event_logon_slow(log, transaction->log_id,
			*answer->server != '\0' ? answer->server : answer->source,
			(double)answer->took / (double)CLOCK_SECOND,
			(double)source->slow / (double)CLOCK_SECOND);
	else if (spoke && *answer->server != '\0')
		event_logon_directory(log, transaction->log_id,
			(double)answer->took / (double)CLOCK_SECOND,
			logon_answer_detail(transaction->arena, answer));
	if (answer->groups_cut)
		event_logon_groups_cut(
			log, transaction->log_id, answer->user.name, IDENTITY_GROUPS_MAXIMUM);
}

/* Whether somebody else than the user has to do something. */
static bool is_our_trouble(enum reason reason)
{
	switch (reason) {
	case REASON_DIRECTORY_SILENT:
	case REASON_DIRECTORY_UNREACHABLE:
	case REASON_DIRECTORY_UNTRUSTED:
	case REASON_DIRECTORY_REFUSED:
	case REASON_DIRECTORY_FAILED:
	case REASON_DIRECTORY_BUSY:
	case REASON_RADIUS_SILENT:
	case REASON_RADIUS_WRONG_SECRET:
	case REASON_RADIUS_UNSIGNED:
	case REASON_RADIUS_FAILED:
	case REASON_PAM_FAILED:
	case REASON_PAM_SILENT:
	case REASON_SERVICE_BUSY:
		return true;
	default:
		return false;
	}
}

void logon_note_failure(
	const struct transaction *transaction, enum reason reason, const char *detail)
{
	const char *phrase = reason_info(reason)->phrase;

	if (is_our_trouble(reason))
		event_logon_unanswered(transaction->loop->log, transaction->log_id, phrase, detail);
	else
		event_logon_failed(transaction->loop->log, transaction->log_id, phrase, detail);
}

void logon_note_refusal(const struct transaction *transaction, const struct guard_answer *refusal)
{
	const char *limit = guard_limit_name(refusal->limit);

	event_logon_refused(
		transaction->loop->log, transaction->log_id, limit, (int)refusal->wait_seconds);
	if (refusal->first)
		event_logon_limit(transaction->loop->log, NULL, limit, transaction->client);
}

/* --- an answer that is held back --- */

struct hold {
	uv_timer_t timer;
	struct transaction *transaction;
	void (*then)(struct transaction *transaction, void *context);
	void *context;
};

static void hold_closed(uv_handle_t *handle)
{
	struct hold *hold = handle->data;

	/* `hold` lies in the transaction's arena and goes with it. */
	hold->then(hold->transaction, hold->context);
}

static void hold_over(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, hold_closed);
}

/* False: there is nothing to wait for, or no memory to do so, and `then` is not called. */
static bool wait_for(struct transaction *transaction, int64_t left,
	void (*then)(struct transaction *transaction, void *context), void *context)
{
	struct hold *hold = left > 0 ? arena_alloc(transaction->arena, sizeof(*hold)) : NULL;

	if (hold == NULL || uv_timer_init(transaction->loop->uv, &hold->timer) != 0)
		return false;
	hold->transaction = transaction;
	hold->then = then;
	hold->context = context;
	hold->timer.data = hold;
	/* The loop's own time is that of its last turn. */
	uv_update_time(transaction->loop->uv);
	uv_timer_start(&hold->timer, hold_over,
		(uint64_t)((left + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND), 0);
	return true;
}

void logon_hold(struct transaction *transaction, int64_t delay,
	void (*then)(struct transaction *transaction, void *context), void *context)
{
	int64_t left = transaction->started + delay - clock_steady(transaction->loop->clock);

	if (!wait_for(transaction, left, then, context))
		then(transaction, context);
}

/* --- past the guard --- */

#define FIRST_PAUSE CLOCK_MILLISECOND
#define LONGEST_PAUSE (50 * CLOCK_MILLISECOND)

static void admit_again(struct transaction *transaction, void *context)
{
	(void)transaction;
	logon_admit(context);
}

void logon_admit(struct logon_admission *admission)
{
	int64_t now = clock_steady(admission->transaction->loop->clock);

	guard_begin(admission->guard, admission->user, admission->domain,
		admission->transaction->client, admission->password, &admission->try,
		&admission->refusal);
	if (admission->since == 0) {
		admission->since = now;
		admission->pause = FIRST_PAUSE;
	}
	if (!admission->refusal.busy ||
		now - admission->since >= GUARD_OPEN_SECONDS * CLOCK_SECOND ||
		!wait_for(admission->transaction, admission->pause, admit_again, admission)) {
		admission->then(admission->context);
		return;
	}
	if (admission->pause < LONGEST_PAUSE)
		admission->pause *= 2;
}

/* --- the end --- */

static void say(struct logon *logon, const struct logon_end *end, enum result_id result)
{
	const struct reason_info *info = reason_info(end->reason);
	char wait[TEXT_MAXIMUM];
	const struct text_value values[] = {{"wait", wait}};

	text_wait(transaction_language(logon->transaction), logon->admission.refusal.wait_seconds,
		wait);
	if (end->text != TEXT_RESULT)
		transaction_say(logon->transaction, result, end->text, values, 1);
	else if (result == info->result)
		transaction_say(logon->transaction, result, info->text, values, 1);
	else
		transaction_say(logon->transaction, result, TEXT_ANSWER_DIALOG, NULL, 0);
}

static enum result_id result_of(const struct logon_end *end)
{
	enum result_id result = reason_info(end->reason)->result;

	/* An invalid entry is told as such and asked for again. */
	if (end->asks && result != RESULT_AUTH_FAILED_DIALOG_INVALID_USER_ENTRY)
		return RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE;
	return result;
}

/* The log's lines stand at the time of the answer, where other programs' logs have theirs. */
static void conclude(struct transaction *transaction, void *context)
{
	struct logon *logon = context;
	struct logon_end *end = &logon->end;
	struct logon_outcome outcome = {
		.reason = end->reason,
		.result = result_of(end),
		.user = end->user,
		.password = logon->password,
		.typed_user = logon->user,
		.typed_domain = logon->domain,
	};
	enum reason verdict;

	if (logon->admission.refusal.limit != GUARD_NONE && !logon->admission.refusal.busy)
		logon_note_refusal(transaction, &logon->admission.refusal);
	else if (outcome.result != RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE &&
		end->reason != REASON_RIGHT)
		logon_note_failure(transaction, end->reason, end->detail);
	if (end->asks)
		logon_put_dialog(logon);
	verdict = logon->done(transaction, &outcome, logon->context);
	if (end->reason == REASON_RIGHT && verdict != REASON_RIGHT) {
		*end = (struct logon_end){.reason = verdict, .detail = ""};
		outcome.result = result_of(end);
	}
	if (!end->asks)
		conversation_reset(conversation_of(transaction->session));
	secret_wipe(logon->password, sizeof(logon->password));
	message_put(transaction->reply, FIELD_AUTHENTICATE_RESP_METHOD,
		transaction_text(transaction, FIELD_AUTHENTICATE_METHOD));
	say(logon, end, outcome.result);
	transaction_finish(transaction);
}

void logon_end(struct logon *logon, const struct logon_end *end)
{
	const struct reason_info *info = reason_info(end->reason);
	int64_t delay = 0;

	logon->end = *end;
	/* An answer with a question is told at once: whoever reads it knows the password. */
	if (info->count != REASON_COUNTS_RIGHT && end->reason != REASON_GUARDED &&
		result_of(end) != RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE)
		delay = guard_delay(logon->guard, &logon->admission.try);
	/* A question is no outcome. */
	guard_end(logon->guard, &logon->admission.try,
		end->asks ? REASON_COUNTS_NONE : logon_count(end->reason, end->untried));
	logon_hold(logon->transaction, delay, conclude, logon);
}
