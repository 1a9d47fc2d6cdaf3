/*
 * fuzz_logon.c - conversations of stage 2 in any order: passwords, terms, dialogs with the right
 * id, an old one or none, on several sessions, with a source of users that says anything.
 *
 * What must hold whatever comes: every message is answered exactly once; nobody is logged on whom
 * the source has not just called right; with terms that are required nobody's password is looked at
 * before he accepted them; a dialog's answer is taken once; the source never sees an empty
 * password; and no user's password is tried wrongly more often than the guard allows.
 *
 * An input is a row of steps of two bytes: what is sent and on which session, and what the source
 * says.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "fuzz.h"
#include "service/logon.h"

#define STEPS_MAXIMUM 60
#define SESSIONS 2
#define USERS 2
#define ARENA_MAXIMUM ((size_t)512 * 1024)
#define ID_SIZE 40
#define TRIES 4 /* of a user: the guard's `user` and `known` */

enum step {
	STEP_HELLO,
	STEP_HELLO_CAPABLE,
	STEP_PASSWORD,
	STEP_NO_PASSWORD,
	STEP_ACCEPT,
	STEP_DECLINE,
	STEP_ANSWER,
	STEP_ANSWER_DIFFERING,
	STEP_ANSWER_OLD,
	STEP_ANSWER_NOTHING,
	STEP_WAIT,
	STEP_COUNT,
};

struct client {
	char cookie[SESSIONS_COOKIE_SIZE];
	char dialog[ID_SIZE], old[ID_SIZE];
	bool accepted;
};

struct run {
	struct identity identity; /* first: the source */
	uv_loop_t uv;
	struct clock_fake clock;
	struct entropy_fake entropy;
	struct loop loop;
	struct sessions *sessions;
	struct endpoint *endpoint;
	struct guard *guard;
	struct logon_plan plan;
	struct logon_chain chain;
	struct client clients[SESSIONS];
	unsigned wrong[USERS]; /* within the window */
	enum reason says;      /* the source's next answer */
	bool asked;            /* it was, for the message under way */
	size_t now;            /* the client whose message is under way */
	unsigned replies;
	enum result_id result; /* of the last answer */
};

/* --- the source --- */

static void say(struct identity *identity, const struct identity_request *request,
	identity_done *done, void *context)
{
	struct run *run = (struct run *)identity;
	struct identity_answer answer = {
		.reason = run->says,
		.user = {.name = request->user,
			.domain = "d",
			.named_domain = "d",
			.account = request->user},
		.source = "fuzz",
		.server = "",
		.detail = "",
	};

	assert(request->password[0] != '\0');
	assert(!run->plan.disclaimer.required || run->clients[run->now].accepted);
	run->asked = true;
	/* So long that no failed answer has to be held back: nobody waits here. */
	clock_fake_advance(&run->clock, 5 * CLOCK_SECOND);
	if (!request->admit(request->admit_context, request->user))
		answer.reason = REASON_GUARDED;
	else if (reason_info(run->says)->count == REASON_COUNTS_WRONG)
		assert(++run->wrong[request->user[0] - 'a'] <= TRIES);
	else if (run->says == REASON_RIGHT)
		run->wrong[request->user[0] - 'a'] = 0;
	done(context, &answer);
}

/* --- the program --- */

static enum reason logged_on(
	struct transaction *transaction, const struct logon_outcome *outcome, void *context)
{
	struct run *run = transaction->user;

	assert(context == run);
	assert((outcome->user != NULL) == (outcome->reason == REASON_RIGHT));
	if (outcome->reason == REASON_RIGHT)
		assert(run->asked && run->says == REASON_RIGHT && *outcome->password != '\0');
	return outcome->reason;
}

static void handle_hello(struct transaction *transaction)
{
	struct session *session = transaction->session;
	const struct message_node *cap = message_find(transaction->request, FIELD_HELLO_CAPS_CAP);
	struct run *run = transaction->user;

	session->capabilities = 0;
	for (; cap != NULL; cap = message_next(cap))
		session->capabilities |= 1u << field_value_index(FIELD_HELLO_CAPS_CAP, cap->text);
	logon_invite(transaction, &run->plan);
	transaction_finish(transaction);
}

static void handle_authenticate(struct transaction *transaction)
{
	struct run *run = transaction->user;

	logon_start(transaction, &run->plan, run->guard, logged_on, run);
}

static const struct endpoint_route routes[] = {
	{MESSAGE_HELLO, handle_hello},
	{MESSAGE_AUTHENTICATE, handle_authenticate},
};

/* --- the client --- */

static void take_cookie(struct client *client, const struct http_response *response)
{
	for (size_t i = 0; i < response->header_count; i++) {
		if (strcmp(response->headers[i].name, "Set-Cookie") == 0)
			memcpy(client->cookie, response->headers[i].value + strlen("JSESSIONID="),
				SESSIONS_COOKIE_SIZE - 1);
	}
}

static void take_dialog(struct client *client, const struct message *answer)
{
	const char *id =
		message_text(answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_ID);

	memcpy(client->old, client->dialog, ID_SIZE);
	snprintf(client->dialog, ID_SIZE, "%s", id != NULL ? id : "");
}

static void reply(void *user, const struct http_response *response)
{
	struct run *run = user;
	struct client *client = &run->clients[run->now];
	struct arena *arena = arena_new(ARENA_MAXIMUM);
	struct message *answer = NULL;
	struct codec_fault fault;
	const char *id;

	run->replies++;
	assert(arena != NULL && response->status == 200);
	assert(codec_decode(run->loop.reader, arena, 1u << ROOT_CLIENT, response->body,
		       response->body_length, &answer, &fault) == 0);
	run->result = RESULT_NONE;
	if (answer->id == MESSAGE_HELLO_RESP) {
		take_cookie(client, response);
		client->accepted = false;
	} else if (answer->id == MESSAGE_AUTHENTICATE_RESP) {
		id = message_text(answer, FIELD_AUTHENTICATE_RESP_RESULT_RESULT_ID);
		run->result = result_find(id);
		assert(run->result != RESULT_NONE);
		take_dialog(client, answer);
	}
	if (run->result == RESULT_AUTH_SUCCESSFUL_AND_COMPLETE)
		assert(run->asked && run->says == REASON_RIGHT);
	arena_free(arena);
}

static void send_message(struct run *run, size_t index, const char *inner)
{
	struct client *client = &run->clients[index];
	struct arena *arena = arena_new(ARENA_MAXIMUM);
	char body[1024];
	int length = snprintf(
		body, sizeof(body), "<pcoip-client version=\"2.1\">%s</pcoip-client>", inner);

	assert(arena != NULL && length > 0 && (size_t)length < sizeof(body));
	struct endpoint_request request = {
		.method = "POST",
		.path = "/pcoip-broker/xml",
		.body = arena_copy(arena, body, (size_t)length),
		.body_length = (size_t)length,
		.cookie = client->cookie[0] != '\0' ? arena_text(arena, client->cookie) : NULL,
		.peer = "192.0.2.1",
		.local = "192.0.2.2",
		.arena = arena,
		.reply = reply,
		.user = run,
	};
	run->now = index;
	run->asked = false;
	run->replies = 0;
	endpoint_handle(run->endpoint, &run->loop, &request);
	while (run->replies == 0)
		uv_run(&run->uv, UV_RUN_ONCE);
	uv_run(&run->uv, UV_RUN_NOWAIT);
	assert(run->replies == 1);
	arena_free(arena);
}

static void answer_dialog(struct run *run, size_t index, const char *id, const char *repeat)
{
	char inner[512];
	/* The answer forgets it. */
	bool stale = *id == '\0' || strcmp(id, run->clients[index].dialog) != 0;

	snprintf(inner, sizeof(inner),
		"<authenticate method=\"dialog\"><dialog-id>%s</dialog-id>"
		"<answer name=\"new-password\">new</answer><answer name=\"repeat\">%s</answer>"
		"</authenticate>",
		id, repeat);
	send_message(run, index, inner);
	if (stale)
		assert(!run->asked);
}

static void step(struct run *run, uint8_t what, uint8_t says)
{
	static const char hello[] = "<hello><client-info><product-name>c</product-name>"
				    "<hostname>h</hostname></client-info>";
	size_t index = what >> 4 & 1;
	struct client *client = &run->clients[index];
	char inner[512], id[ID_SIZE];

	run->says = (enum reason)(says % REASON_COUNT);
	/* What a source does not say. */
	if (run->says == REASON_GUARDED || run->says == REASON_TERMS_ACCEPTED ||
		run->says == REASON_ASKED)
		run->says = REASON_RIGHT;
	switch ((enum step)((what & 15) % STEP_COUNT)) {
	case STEP_HELLO:
	case STEP_HELLO_CAPABLE:
		memset(client, 0, sizeof(*client));
		snprintf(inner, sizeof(inner), "%s%s</hello>", hello,
			(what & 15) % STEP_COUNT == STEP_HELLO
				? ""
				: "<caps><cap>CAP_DISCLAIMER_AUTHENTICATION</cap>"
				  "<cap>CAP_DIALOG_AUTHENTICATION</cap></caps>");
		send_message(run, index, inner);
		break;
	case STEP_PASSWORD:
	case STEP_NO_PASSWORD:
		snprintf(inner, sizeof(inner),
			"<authenticate method=\"password\"><username>%c</username>"
			"<password>%s</password><domain>d</domain></authenticate>",
			'a' + (what >> 5 & 1),
			(what & 15) % STEP_COUNT == STEP_PASSWORD ? "p" : "");
		send_message(run, index, inner);
		break;
	case STEP_ACCEPT:
		if (run->plan.disclaimer.text != NULL)
			client->accepted = true;
		send_message(run, index,
			"<authenticate method=\"disclaimer\"><disclaimer-accepted>true"
			"</disclaimer-accepted></authenticate>");
		break;
	case STEP_DECLINE:
		send_message(run, index, "<authenticate method=\"disclaimer\"></authenticate>");
		client->accepted = client->accepted && run->result == RESULT_NONE;
		break;
	case STEP_ANSWER:
	case STEP_ANSWER_DIFFERING:
		memcpy(id, client->dialog, ID_SIZE);
		answer_dialog(
			run, index, id, (what & 15) % STEP_COUNT == STEP_ANSWER ? "new" : "other");
		break;
	case STEP_ANSWER_OLD:
		memcpy(id, client->old, ID_SIZE);
		answer_dialog(run, index, id, "new");
		break;
	case STEP_ANSWER_NOTHING:
		answer_dialog(run, index, "", "new");
		break;
	case STEP_WAIT:
		clock_fake_advance(&run->clock, 1900 * CLOCK_SECOND);
		memset(run->wrong, 0, sizeof(run->wrong));
		memset(run->clients, 0, sizeof(run->clients));
		break;
	case STEP_COUNT:
		break;
	}
}

static void begin(struct run *run, uint8_t kind)
{
	const struct guard_limits limits = {.user = 3,
		.known = 1,
		.address = 1000,
		.prefix = 1000,
		.password = 100,
		.delay_ms = 1,
		.delay_most_ms = 1};
	struct sessions_options sessions = {0};
	struct endpoint_options options = {
		.name = "BROKER",
		.roots = 1u << ROOT_CLIENT,
		.routes = routes,
		.route_count = sizeof(routes) / sizeof(routes[0]),
		.page = "here\n",
		.user = run,
	};

	clock_fake_init(&run->clock, INT64_C(1600000000) * CLOCK_SECOND);
	entropy_fake_init(&run->entropy, 1);
	assert(uv_loop_init(&run->uv) == 0);
	run->loop = (struct loop){
		.uv = &run->uv,
		.reader = xml_reader_new(),
		.clock = &run->clock.clock,
		.entropy = &run->entropy.entropy,
	};
	sessions.clock = run->loop.clock;
	sessions.entropy = run->loop.entropy;
	assert(run->loop.reader != NULL && sessions_new(&sessions, &run->sessions) == 0);
	options.sessions = run->sessions;
	assert(endpoint_new(&options, &run->endpoint) == 0);
	assert(guard_new(&limits, run->loop.clock, run->loop.entropy, &run->guard) == 0);
	run->identity = (struct identity){.ask = say, .can_change_password = (kind & 4) == 0};
	run->chain.source = &run->identity;
	run->plan.chains = &run->chain;
	run->plan.chain_count = 1;
	if ((kind & 1) != 0)
		run->plan.disclaimer = (struct logon_disclaimer){
			.text = "Be good.\n\nAlways.", .required = (kind & 2) != 0};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct run *run = size > 0 ? calloc(1, sizeof(*run)) : NULL;

	if (run == NULL)
		return 0;
	begin(run, bytes[0]);
	for (size_t i = 1; i + 1 < size && i < (size_t)2 * STEPS_MAXIMUM; i += 2)
		step(run, bytes[i], bytes[i + 1]);
	endpoint_free(run->endpoint);
	sessions_free(run->sessions);
	guard_free(run->guard);
	xml_reader_free(run->loop.reader);
	assert(uv_loop_close(&run->uv) == 0);
	free(run);
	return 0;
}
