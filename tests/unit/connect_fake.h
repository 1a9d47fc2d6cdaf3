/*
 * connect_fake.h - for test_connect.c: a server that answers from a script, a link that plays one,
 * and somebody at the terminal.
 */
#ifndef FAIRLEAD_TESTS_CONNECT_FAKE_H
#define FAIRLEAD_TESTS_CONNECT_FAKE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "client/connect.h"

#define PASSWORD "s3cret-passw0rd"
#define TAG "t4g-t4g-t4g"
#define COOKIE "0123456789abcdef0123456789abcdef"
#define ASKED_MAXIMUM 64

/* One answer to authenticate. */
struct step {
	enum result_id result;
	const char *method; /* of what comes next; NULL: nothing */
	const char *purpose, *text;
	unsigned entries; /* of the dialog */
	bool silent;      /* it never comes */
};

/* What the server does; all zero is a manager that lets everything pass. */
struct script {
	enum record_path path;                /* UNKNOWN: a manager */
	int error[MESSAGE_COUNT];             /* of the call, by request */
	enum result_id result[MESSAGE_COUNT]; /* instead of success */
	enum result_id error_resp[MESSAGE_COUNT];
	unsigned troubles;          /* of the certificate */
	unsigned refusals, pending; /* so many times first */
	unsigned resources;         /* 0: one */
	bool empty_list, no_target, no_methods, other_method;
	bool terms;               /* come first */
	const struct step *steps; /* of stage 2; NULL: by the rest of this */
	/* the session */
	int link_start, link_error;
	unsigned link_cause, link_refusal;
	bool link_ends, license_silent, license_denied, license_grace, lost_later;
};

struct run {
	struct script script;
	uv_loop_t loop;
	struct peer peer;
	struct clock_fake clock;
	struct entropy_fake entropy;
	struct connect_options options;
	struct connect *connect;
	uv_timer_t answer, play;
	/* the call under way */
	struct peer_call call;
	enum message_id asking;
	peer_done *done;
	void *user;
	/* what was asked */
	enum message_id asked[ASKED_MAXIMUM];
	size_t asked_count;
	char log_ids[ASKED_MAXIMUM][UUID_SIZE];
	bool cookies[ASKED_MAXIMUM];
	bool probe_has_caps, hello_has_caps;
	unsigned caps;     /* how many */
	unsigned logon_ms; /* how long authenticate is waited for */
	size_t step;       /* of the script's */
	char sent[9][256]; /* messages of stage 2: method, dialog id, names and answers */
	size_t sent_count;
	char product[64], mac[32], sent_password[64], domain[64], chosen[64];
	/* the link */
	struct link_client_options link;
	char tag[64], sni[64];
	bool linked;
	unsigned closed_with;
	/* what was told */
	unsigned passwords;         /* how many there are to give */
	const char *const *answers; /* to one entry after the other, NULL at the end; NULL: none */
	int accepts;                /* what accept returns */
	struct connect_question question; /* the last one */
	char title[64], text[64], trouble[128], refusal[128];
	unsigned accepted;
	unsigned started, finished;
	bool over;
	int stop_at; /* in this stage nobody answers, and a signal comes */
	bool stopping;
	int choice; /* -1: nobody to ask */
};

static struct run *current; /* the link's functions have no other way to it */

/* ---- the server ---- */

static void put(struct message *message, const char *path, const char *text)
{
	assert_non_null(message_put(message, field_find(message->id, path), text));
}

static void put_result(struct message *message, enum result_id result)
{
	put(message, "result/result-id", result_info(result)->id);
	put(message, "result/result-str", result_info(result)->text);
}

static enum result_id outcome(struct run *run, enum result_id success)
{
	enum result_id result = run->script.result[run->asking];

	if (run->asking == MESSAGE_AUTHENTICATE && run->script.refusals > 0) {
		run->script.refusals--;
		return RESULT_AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD;
	}
	if (run->asking == MESSAGE_ALLOCATE_RESOURCE && run->script.pending > 0) {
		run->script.pending--;
		return RESULT_ALLOC_PENDING_TRY_AGAIN;
	}
	return result != RESULT_NONE ? result : success;
}

static void fill_hello(struct run *run, struct message *message)
{
	put(message, "brokers-info/broker-info/product-name",
		run->script.path == RECORD_PATH_DIRECT ? "PCoIP Agent Direct-Connect Broker" : "B");
	if (run->script.path == RECORD_PATH_UNKNOWN)
		put(message, "pcm-info/product-name", "M");
	if (run->script.terms) {
		put(message, "next-authentication/authentication-methods/method",
			"AUTHENTICATE_VIA_DISCLAIMER");
		put(message, "next-authentication/disclaimer/title", "Terms");
		put(message, "next-authentication/disclaimer/paragraph", "Be good.");
		put(message, "next-authentication/disclaimer/paragraph", "Always.");
		put(message, "next-authentication/domains/domain", "CORP");
	} else if (!run->script.no_methods) {
		put(message, "next-authentication/authentication-methods/method",
			run->script.other_method ? "AUTHENTICATE_VIA_MAGIC"
						 : "AUTHENTICATE_VIA_PASSWORD");
		put(message, "next-authentication/domains/domain", "CORP");
	}
}

static void fill_logon(struct run *run, struct message *message)
{
	const struct step *step = &run->script.steps[run->step++];
	char name[32];

	put_result(message, step->result);
	if (step->method == NULL)
		return;
	put(message, "next-authentication/authentication-methods/method", step->method);
	if (strcmp(step->method, "AUTHENTICATE_VIA_DISCLAIMER") == 0)
		put(message, "next-authentication/disclaimer/paragraph", step->text);
	if (strcmp(step->method, "AUTHENTICATE_VIA_DIALOG") != 0)
		return;
	snprintf(name, sizeof(name), "id-%zu", run->step);
	put(message, "next-authentication/dialog@id", name);
	if (step->purpose != NULL)
		put(message, "next-authentication/dialog@purpose", step->purpose);
	put(message, "next-authentication/dialog/title", "Title");
	put(message, "next-authentication/dialog/text", step->text);
	for (unsigned i = 0; i < step->entries; i++) {
		snprintf(name, sizeof(name), "entry-%u", i);
		put(message, "next-authentication/dialog/prompt", "Label");
		put(message, "next-authentication/dialog/prompt@name", name);
		put(message, "next-authentication/dialog/prompt@hidden", i == 0 ? "true" : "false");
	}
}

static void fill_list(struct run *run, struct message *message)
{
	unsigned count = run->script.resources != 0 ? run->script.resources : 1;
	char text[32];

	for (unsigned i = 0; i < count && !run->script.empty_list; i++) {
		struct message_node *node =
			message_add(message, NULL, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE, NULL);

		snprintf(text, sizeof(text), "Desk %u", i);
		message_add(
			message, node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_NAME, text);
		snprintf(text, sizeof(text), "id-%u", i);
		message_add(message, node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID, text);
	}
}

static void fill_target(struct run *run, struct message *message)
{
	put(message, "target/ip-address", "127.0.0.1");
	put(message, "target/hostname", "desk.example");
	if (run->script.no_target)
		return;
	put(message, "target/sni", "sni.example");
	put(message, "target/port", "4172");
	put(message, "target/session-id", "2305843009213693961");
	put(message, "target/connect-tag", TAG);
}

static struct message *answer_of(struct run *run)
{
	enum message_id id = message_info(run->asking)->response;
	struct message *message;
	enum result_id result;

	if (run->script.error_resp[run->asking] != RESULT_NONE)
		id = MESSAGE_ERROR_RESP;
	message =
		message_new(run->call.arena, id, ROOT_CLIENT, message_version_newest(ROOT_CLIENT));
	assert_non_null(message);
	switch (id) {
	case MESSAGE_ERROR_RESP:
		put_result(message, run->script.error_resp[run->asking]);
		put(message, "err-detail", "the detail");
		break;
	case MESSAGE_HELLO_RESP:
		fill_hello(run, message);
		break;
	case MESSAGE_AUTHENTICATE_RESP:
		if (run->script.steps != NULL)
			fill_logon(run, message);
		else
			put_result(message, outcome(run, RESULT_AUTH_SUCCESSFUL_AND_COMPLETE));
		break;
	case MESSAGE_GET_RESOURCE_LIST_RESP:
		put_result(message, outcome(run, RESULT_LIST_SUCCESSFUL));
		fill_list(run, message);
		break;
	case MESSAGE_ALLOCATE_RESOURCE_RESP:
		result = outcome(run, RESULT_ALLOC_SUCCESSFUL);
		put_result(message, result);
		if (result == RESULT_ALLOC_SUCCESSFUL)
			fill_target(run, message);
		break;
	default:
		break;
	}
	return message;
}

static void on_answer(uv_timer_t *timer)
{
	struct run *run = timer->data;
	struct certificate_report report = {
		.troubles = run->script.troubles, .fingerprint = "ff", .text = "a trouble"};
	struct peer_answer answer = {
		.error = run->script.error[run->asking], .detail = "the detail", .report = &report};

	clock_fake_advance(&run->clock, CLOCK_MILLISECOND);
	if (answer.error == 0) {
		answer.message = answer_of(run);
		answer.cookie = COOKIE;
	}
	run->done(run->user, &answer);
}

/* "password", "disclaimer true", "dialog id-1 entry-0=1234". */
static void note_logon(struct run *run, const struct message *message)
{
	const struct message_node *answer = message_find(message, FIELD_AUTHENTICATE_ANSWER);
	const char *terms = message_text(message, FIELD_AUTHENTICATE_DISCLAIMER_ACCEPTED);
	const char *id = message_text(message, FIELD_AUTHENTICATE_DIALOG_ID);
	char *text = run->sent[run->sent_count];
	size_t at;

	assert_true(run->sent_count < 9);
	run->sent_count++;
	at = (size_t)snprintf(text, 256, "%s%s%s%s%s",
		message_text(message, FIELD_AUTHENTICATE_METHOD), terms != NULL ? " " : "",
		terms != NULL ? terms : "", id != NULL ? " " : "", id != NULL ? id : "");
	for (; answer != NULL; answer = message_next(answer))
		at += (size_t)snprintf(text + at, 256 - at, " %s=%s",
			message_child(answer, FIELD_AUTHENTICATE_ANSWER_NAME)->text, answer->text);
}

static void note_request(struct run *run, const struct message *message)
{
	const struct {
		enum field_id field;
		char *to;
	} texts[] = {{FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME, run->product},
		{FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_MAC_ADDRESS, run->mac},
		{FIELD_AUTHENTICATE_PASSWORD, run->sent_password},
		{FIELD_AUTHENTICATE_DOMAIN, run->domain},
		{FIELD_ALLOCATE_RESOURCE_RESOURCE_ID, run->chosen}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text = message_text(message, texts[i].field);

		if (text != NULL)
			snprintf(texts[i].to, 32, "%s", text);
	}
	if (message->id == MESSAGE_HELLO && run->asked_count == 0) {
		run->probe_has_caps = message_find(message, FIELD_HELLO_CAPS_CAP) != NULL ||
			message_find(message, FIELD_HELLO_SERVER_ADDRESS) != NULL;
		assert_string_equal(run->product, "QueryBrokerClient");
	} else if (message->id == MESSAGE_HELLO) {
		const struct message_node *cap = message_find(message, FIELD_HELLO_CAPS_CAP);

		run->hello_has_caps = cap != NULL &&
			message_find(message, FIELD_HELLO_SERVER_ADDRESS_IP_ADDRESS) != NULL;
		for (; cap != NULL; cap = message_next(cap))
			run->caps += strcmp(cap->text, "CAP_DIALOG_AUTHENTICATION") == 0 ||
				strcmp(cap->text, "CAP_DISCLAIMER_AUTHENTICATION") == 0;
	} else if (message->id == MESSAGE_AUTHENTICATE) {
		note_logon(run, message);
	}
}

static int fake_call(struct peer *peer, const struct peer_call *call, peer_done *done, void *user)
{
	struct run *run = current;

	(void)peer;
	assert_true(run->asked_count < ASKED_MAXIMUM);
	note_request(run, call->request);
	run->asking = call->request->id;
	run->asked[run->asked_count] = run->asking;
	snprintf(run->log_ids[run->asked_count], UUID_SIZE, "%s", call->log_id);
	run->cookies[run->asked_count] = call->cookie != NULL;
	run->asked_count++;
	run->call = *call;
	run->done = done;
	run->user = user;
	if (run->asking == MESSAGE_AUTHENTICATE)
		run->logon_ms = call->timeout_ms;
	if (run->asking == MESSAGE_AUTHENTICATE && run->script.steps != NULL &&
		run->script.steps[run->step].silent)
		return 0;
	if (!run->stopping)
		uv_timer_start(&run->answer, on_answer, 0, 0);
	return 0;
}

static void fake_free(struct peer *peer)
{
	(void)peer;
}

/* ---- the session's other end ---- */

static void on_play(uv_timer_t *timer)
{
	struct run *run = timer->data;
	const struct link_client_events *events = &run->link.events;
	const struct script *script = &run->script;
	const struct link_license license = {
		.granted = !script->license_denied && !script->license_grace,
		.grace = script->license_grace,
		.remaining_days = 9,
		.source = "https://l:7070/x",
		.text = "t"};
	const struct link_quality quality = {.sent = 1, .answered = 1, .rtt_mean = 1000};

	/* Whoever started the link has wiped its tag. */
	assert_string_equal(run->link.tag, "");
	if (script->link_ends) {
		run->linked = false;
		events->on_closed(events->user, script->link_error, script->link_cause,
			script->link_refusal, "the link's detail");
		return;
	}
	events->on_step(events->user, LINK_STEP_TCP_ACCEPTED);
	events->on_step(events->user, LINK_STEP_TCP_CONFIRMED);
	events->on_step(events->user, LINK_STEP_UDP_OPEN);
	events->on_step(events->user, LINK_STEP_CONNECTED);
	if (script->license_silent)
		return;
	events->on_license(events->user, &license);
	if (script->license_denied)
		return;
	events->on_quality(events->user, &quality);
	if (script->lost_later)
		events->on_closed(events->user, script->link_error, script->link_cause, 0, "lost");
}

static void on_closing(uv_timer_t *timer)
{
	struct run *run = timer->data;

	if (run->linked) {
		run->linked = false;
		run->link.events.on_closed(run->link.events.user, 0, run->closed_with, 0, "closed");
	}
}

static int fake_start(const struct link_client_options *options, struct link_client **ret_client)
{
	struct run *run = current;

	run->link = *options;
	snprintf(run->tag, sizeof(run->tag), "%s", options->tag);
	snprintf(run->sni, sizeof(run->sni), "%s", options->sni);
	assert_string_equal(options->policy->name, options->sni);
	if (run->script.link_start != 0)
		return run->script.link_start;
	options->report->troubles = CERTIFICATE_SELF_SIGNED;
	run->linked = true;
	uv_timer_start(&run->play, on_play, 0, 0);
	*ret_client = (struct link_client *)run;
	return 0;
}

static void fake_close(struct link_client *client, unsigned cause)
{
	struct run *run = (struct run *)client;

	run->closed_with = cause;
	uv_timer_start(&run->play, on_closing, 0, 0);
}

static void fake_link_free(struct link_client *client)
{
	uv_timer_stop(&((struct run *)client)->play);
}

static const struct connect_link fake_link = {fake_start, fake_close, fake_link_free};

/* ---- the person ---- */

static void changed(void *user, const struct record *record, enum record_change change,
	enum record_stage_number stage)
{
	struct run *run = user;

	run->started += change == RECORD_STAGE_STARTED;
	run->finished += change == RECORD_STAGE_FINISHED;
	assert_true(change == RECORD_ENDED || record->failed || stage >= RECORD_INITIALISE ||
		stage == RECORD_NO_STAGE);
	if (change == RECORD_STAGE_STARTED && (int)stage == run->stop_at)
		run->stopping = true;
}

static int password(void *user, const char *name, const char *domain, unsigned attempt,
	const char *refusal, char text[CONNECT_PASSWORD_SIZE])
{
	struct run *run = user;

	assert_string_equal(name, "ann");
	assert_int_equal(attempt == 1, *refusal == '\0');
	snprintf(run->refusal, sizeof(run->refusal), "%s", refusal);
	assert_non_null(domain);
	if (run->passwords < attempt)
		return ERROR_NOT_FOUND;
	snprintf(text, CONNECT_PASSWORD_SIZE, "%s", PASSWORD);
	return 0;
}

static int accept_terms(void *user, const char *title, const char *text)
{
	struct run *run = user;

	snprintf(run->title, sizeof(run->title), "%s", title);
	snprintf(run->text, sizeof(run->text), "%s", text);
	run->accepted++;
	return run->accepts;
}

static int answer_question(
	void *user, const struct connect_question *question, char answers[][CONNECT_ANSWER_SIZE])
{
	struct run *run = user;

	run->question = *question;
	snprintf(run->trouble, sizeof(run->trouble), "%s", question->trouble);
	for (size_t i = 0; i < question->entry_count; i++) {
		if (run->answers == NULL || *run->answers == NULL)
			return ERROR_NOT_FOUND;
		if (strcmp(*run->answers, "^C") == 0)
			return ERROR_CLOSED;
		snprintf(answers[i], CONNECT_ANSWER_SIZE, "%s", *run->answers++);
	}
	return 0;
}

static int choose(void *user, const struct record *record, size_t *ret_index)
{
	struct run *run = user;

	if (run->choice < 0)
		return ERROR_NOT_FOUND;
	assert_true((size_t)run->choice < record->resource_count);
	*ret_index = (size_t)run->choice;
	return 0;
}

static void over(void *user)
{
	struct run *run = user;

	assert_false(run->over);
	run->over = true;
}

static int set_up(void **state)
{
	struct run *run = calloc(1, sizeof(*run));

	assert_non_null(run);
	uv_loop_init(&run->loop);
	uv_timer_init(&run->loop, &run->answer);
	uv_timer_init(&run->loop, &run->play);
	run->answer.data = run->play.data = run;
	clock_fake_init(&run->clock, INT64_C(1700000000000000));
	entropy_fake_init(&run->entropy, 7);
	run->peer = (struct peer){fake_call, fake_free};
	run->passwords = 1;
	run->choice = -1;
	run->options = (struct connect_options){
		.loop = &run->loop,
		.peer = &run->peer,
		.link = &fake_link,
		.clock = &run->clock.clock,
		.entropy = &run->entropy.entropy,
		.host = "127.0.0.1",
		.user = "ann",
		.retry_interval = CLOCK_MILLISECOND,
		.license_limit = CLOCK_MILLISECOND,
		.events = {changed, password, accept_terms, answer_question, choose, over, run},
	};
	current = run;
	*state = run;
	return 0;
}

static int tear_down(void **state)
{
	struct run *run = *state;

	connect_free(run->connect);
	uv_close((uv_handle_t *)&run->answer, NULL);
	uv_close((uv_handle_t *)&run->play, NULL);
	uv_run(&run->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&run->loop), 0);
	free(run);
	return 0;
}

static const struct record *play(struct run *run)
{
	assert_int_equal(connect_start(&run->options, &run->connect), 0);
	while (!run->over) {
		uv_run(&run->loop, run->stopping ? UV_RUN_NOWAIT : UV_RUN_ONCE);
		if (run->stopping)
			connect_stop(run->connect, SIGTERM);
	}
	return connect_record(run->connect);
}

#endif
