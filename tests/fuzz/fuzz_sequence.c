/*
 * fuzz_sequence.c - sequences of requests to an endpoint: messages in any
 * order, on several sessions, with answers that come later, broken bodies,
 * forged cookies and time passing.
 *
 * What must hold whatever comes: every request is answered exactly once, with
 * the answer to that request or an error-resp; nobody gets a list or a
 * resource on a session that was not authenticated, or after its error; what
 * was sealed at authentication opens at allocation; the table of sessions
 * stays within its bound.
 *
 * An input is a row of steps: one byte says what (low four bits) and with which
 * cookie (next two), some steps take further bytes.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/secret.h"
#include "fuzz.h"
#include "service/endpoint.h"

#define STEPS_MAXIMUM 200
#define SESSIONS_MAXIMUM 4
#define ARENA_MAXIMUM ((size_t)512 * 1024) /* as the HTTP server gives */
#define COOKIES 3                          /* a client's jars; the fourth is empty */
#define SECRET "correct horse"

static const char path[] = "/pcoip-broker/xml";

enum step {
	STEP_HELLO,
	STEP_AUTHENTICATE,
	STEP_LIST,
	STEP_ALLOCATE,
	STEP_BYE,
	STEP_BODY, /* length, bytes */
	STEP_WAIT, /* tens of seconds */
	STEP_SWEEP,
	STEP_FINISH, /* the oldest open transaction */
	STEP_PLAN,   /* what handlers do from now on */
	STEP_FORGE,  /* bit of the cookie to turn over */
	STEP_GET,
	STEP_COUNT,
};

/* What handlers do, by the low bits of the plan. */
enum plan { PLAN_GOOD, PLAN_FAILED, PLAN_HALF, PLAN_ERROR };
#define PLAN_LATER 4u /* not at once, but when STEP_FINISH says so */

/* One session as its client sees it. */
struct view {
	char cookie[SESSIONS_COOKIE_SIZE];
	bool authenticated;
	bool errored;
};

struct run;

struct exchange {
	struct run *run;
	struct arena *arena;
	size_t jar;            /* COOKIES: none */
	enum message_id asked; /* MESSAGE_NONE: not a message */
	char cookie[SESSIONS_COOKIE_SIZE];
	bool late;
	unsigned replies;
};

struct run {
	struct clock_fake clock;
	struct entropy_fake entropy;
	struct loop loop;
	struct sessions *sessions;
	struct endpoint *endpoint;
	unsigned plan;
	char jars[COOKIES][SESSIONS_COOKIE_SIZE];
	struct view views[STEPS_MAXIMUM];
	size_t view_count;
	struct exchange exchanges[STEPS_MAXIMUM];
	size_t exchange_count;
	struct transaction *open[STEPS_MAXIMUM];
	unsigned open_plan[STEPS_MAXIMUM];
	size_t open_count;
};

static struct view *view_of(struct run *run, const char *cookie)
{
	for (size_t i = 0; i < run->view_count; i++) {
		if (strcmp(run->views[i].cookie, cookie) == 0)
			return &run->views[i];
	}
	return NULL;
}

/* --- the program under the endpoint --- */

static void finish(struct transaction *transaction, unsigned plan)
{
	static const enum result_id results[][3] = {
		{RESULT_AUTH_SUCCESSFUL_AND_COMPLETE, RESULT_AUTH_FAILED_ACCESS_DENIED,
			RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE},
		{RESULT_LIST_SUCCESSFUL, RESULT_LIST_FAILED_NO_ENTITLEMENT,
			RESULT_LIST_FAILED_NO_ENTITLEMENT},
		{RESULT_ALLOC_SUCCESSFUL, RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT,
			RESULT_ALLOC_PENDING_TRY_AGAIN},
	};
	struct run *run = transaction->user;
	struct session *session = transaction->session;
	enum message_id asked = transaction->request->id;
	unsigned what = plan & 3;

	assert(session != NULL && session->busy);
	if (what == PLAN_ERROR) {
		transaction_fail(transaction, RESULT_ERR_INTERNAL, "planned");
		return;
	}
	if (asked == MESSAGE_AUTHENTICATE) {
		transaction_result(transaction, results[0][what], NULL);
		if (what == PLAN_GOOD) {
			assert(sessions_set_text(&session->user, "alice") == 0);
			assert(seal_close(&session->password, &run->entropy.entropy,
				       transaction->cookie, SECRET) == 0);
		}
	} else if (asked == MESSAGE_GET_RESOURCE_LIST) {
		transaction_result(transaction, results[1][what], NULL);
	} else if (asked == MESSAGE_ALLOCATE_RESOURCE) {
		char secret[SEAL_SECRET_MAXIMUM + 1];

		assert(session->user != NULL && strcmp(session->user, "alice") == 0);
		assert(seal_open(&session->password, transaction->cookie, secret) == 0);
		assert(strcmp(secret, SECRET) == 0);
		secret_wipe(secret, sizeof(secret));
		transaction_result(transaction, results[2][what], NULL);
	}
	transaction_finish(transaction);
}

static void handle(struct transaction *transaction)
{
	struct run *run = transaction->user;

	if ((run->plan & PLAN_LATER) != 0) {
		run->exchanges[run->exchange_count - 1].late = true;
		run->open_plan[run->open_count] = run->plan;
		run->open[run->open_count++] = transaction;
	} else {
		finish(transaction, run->plan);
	}
}

static void finish_oldest(struct run *run)
{
	if (run->open_count == 0)
		return;
	struct transaction *transaction = run->open[0];
	unsigned plan = run->open_plan[0];
	run->open_count--;
	memmove(run->open, run->open + 1, run->open_count * sizeof(run->open[0]));
	memmove(run->open_plan, run->open_plan + 1, run->open_count * sizeof(run->open_plan[0]));
	finish(transaction, plan);
}

static const struct endpoint_route routes[] = {
	{MESSAGE_HELLO, handle},
	{MESSAGE_AUTHENTICATE, handle},
	{MESSAGE_GET_RESOURCE_LIST, handle},
	{MESSAGE_ALLOCATE_RESOURCE, handle},
	{MESSAGE_BYE, handle},
};

/* --- the client --- */

static void take_cookie(struct exchange *exchange, const struct http_response *response)
{
	static const char start[] = "JSESSIONID=";
	struct run *run = exchange->run;

	for (size_t i = 0; i < response->header_count; i++) {
		const char *value = response->headers[i].value;

		if (strcmp(response->headers[i].name, "Set-Cookie") != 0)
			continue;
		assert(strncmp(value, start, strlen(start)) == 0);
		value += strlen(start);
		assert(strcspn(value, ";") == SESSIONS_COOKIE_SIZE - 1);
		memcpy(exchange->cookie, value, SESSIONS_COOKIE_SIZE - 1);
	}
	if (exchange->cookie[0] == '\0' || view_of(run, exchange->cookie) != NULL)
		return;
	memcpy(run->views[run->view_count].cookie, exchange->cookie, SESSIONS_COOKIE_SIZE);
	run->view_count++;
	if (exchange->jar < COOKIES)
		memcpy(run->jars[exchange->jar], exchange->cookie, SESSIONS_COOKIE_SIZE);
}

static void check_answer(struct exchange *exchange, const struct message *answer)
{
	struct view *view = view_of(exchange->run, exchange->cookie);

	if (answer->id == MESSAGE_ERROR_RESP) {
		if (view != NULL)
			view->errored = true;
		return;
	}
	assert(exchange->asked != MESSAGE_NONE);
	assert(answer->id == message_info(exchange->asked)->response);
	assert(view != NULL);
	/* an answer that was under way when the error came is still given */
	if (answer->id != MESSAGE_BYE_RESP && !exchange->late)
		assert(!view->errored);
	if (answer->id == MESSAGE_GET_RESOURCE_LIST_RESP ||
		answer->id == MESSAGE_ALLOCATE_RESOURCE_RESP)
		assert(view->authenticated);
	if (answer->id == MESSAGE_AUTHENTICATE_RESP) {
		const char *id = message_text(answer, FIELD_AUTHENTICATE_RESP_RESULT_RESULT_ID);
		assert(id != NULL && !view->authenticated);
		view->authenticated = result_find(id) == RESULT_AUTH_SUCCESSFUL_AND_COMPLETE;
	}
}

static void reply(void *user, const struct http_response *response)
{
	struct exchange *exchange = user;
	struct run *run = exchange->run;
	struct message *answer = NULL;
	struct codec_fault fault;

	exchange->replies++;
	assert(exchange->replies == 1);
	if (response->status != 200 || strstr(response->content_type, "xml") == NULL)
		return;
	assert(codec_decode(run->loop.reader, exchange->arena,
		       1u << ROOT_CLIENT | 1u << ROOT_BROKER, response->body, response->body_length,
		       &answer, &fault) == 0);
	take_cookie(exchange, response);
	check_answer(exchange, answer);
}

static void ask(struct run *run, const char *method, size_t jar, enum message_id asked,
	const char *body, size_t length)
{
	struct exchange *exchange = &run->exchanges[run->exchange_count++];

	*exchange = (struct exchange){.run = run, .jar = jar, .asked = asked};
	exchange->arena = arena_new(ARENA_MAXIMUM);
	assert(exchange->arena != NULL);
	if (jar < COOKIES)
		memcpy(exchange->cookie, run->jars[jar], SESSIONS_COOKIE_SIZE);
	char *copy = arena_copy(exchange->arena, body, length);
	char *cookie = arena_text(exchange->arena, exchange->cookie);
	assert(copy != NULL && cookie != NULL);
	struct endpoint_request request = {
		.method = method,
		.path = path,
		.body = copy,
		.body_length = length,
		.cookie = *cookie != '\0' ? cookie : NULL,
		.peer = "192.0.2.1",
		.local = "192.0.2.2",
		.arena = exchange->arena,
		.reply = reply,
		.user = exchange,
	};
	endpoint_handle(run->endpoint, &run->loop, &request);
}

static void ask_message(struct run *run, enum step step, size_t jar)
{
	static const struct {
		enum message_id id;
		const char *body;
	} messages[] = {
		[STEP_HELLO] = {MESSAGE_HELLO,
			"<pcoip-client "
			"version=\"2.1\"><hello><client-info><product-name>c</product-name>"
			"<hostname>h</hostname></client-info></hello></pcoip-client>"},
		[STEP_AUTHENTICATE] = {MESSAGE_AUTHENTICATE,
			"<pcoip-client version=\"2.1\"><authenticate "
			"method=\"password\"><username>u</username>"
			"<password>p</password><domain>d</domain></authenticate></pcoip-client>"},
		[STEP_LIST] = {MESSAGE_GET_RESOURCE_LIST,
			"<pcoip-broker version=\"1.0\"><get-resource-list/></pcoip-broker>"},
		[STEP_ALLOCATE] = {MESSAGE_ALLOCATE_RESOURCE,
			"<pcoip-client "
			"version=\"2.1\"><allocate-resource><resource-id>0</resource-id>"
			"<protocol>PCOIP</protocol></allocate-resource></pcoip-client>"},
		[STEP_BYE] = {MESSAGE_BYE, "<pcoip-client version=\"2.1\"><bye/></pcoip-client>"},
	};

	ask(run, "POST", jar, messages[step].id, messages[step].body, strlen(messages[step].body));
}

/* A body of the input's own; which message it asks for, the codec tells. */
static void ask_body(struct run *run, size_t jar, const char *bytes, size_t length)
{
	struct arena *arena = arena_new(ARENA_MAXIMUM);
	enum message_id asked = MESSAGE_NONE;
	struct message *message = NULL;
	struct codec_fault fault;

	assert(arena != NULL);
	if (codec_decode(run->loop.reader, arena, 1u << ROOT_CLIENT | 1u << ROOT_BROKER, bytes,
		    length, &message, &fault) == 0 &&
		message_info(message->id)->kind == MESSAGE_REQUEST)
		asked = message->id;
	arena_free(arena);
	ask(run, "POST", jar, asked, bytes, length);
}

static void step(struct run *run, const uint8_t **bytes, size_t *size)
{
	uint8_t byte = *(*bytes)++;
	uint8_t more = --*size > 0 ? **bytes : 0;
	enum step what = (enum step)((byte & 15) % STEP_COUNT);
	size_t jar = byte >> 4 & 3;
	bool takes =
		what == STEP_BODY || what == STEP_WAIT || what == STEP_PLAN || what == STEP_FORGE;

	if (takes && *size > 0) {
		++*bytes;
		--*size;
	}
	switch (what) {
	case STEP_HELLO:
	case STEP_AUTHENTICATE:
	case STEP_LIST:
	case STEP_ALLOCATE:
	case STEP_BYE:
		ask_message(run, what, jar);
		break;
	case STEP_BODY: {
		size_t length = more < *size ? more : *size;
		ask_body(run, jar, (const char *)*bytes, length);
		*bytes += length;
		*size -= length;
		break;
	}
	case STEP_WAIT:
		clock_fake_advance(&run->clock, more * 10 * CLOCK_SECOND);
		break;
	case STEP_SWEEP:
		sessions_sweep(run->sessions, NULL, NULL);
		break;
	case STEP_FINISH:
		finish_oldest(run);
		break;
	case STEP_PLAN:
		run->plan = more;
		break;
	case STEP_FORGE:
		if (jar < COOKIES && run->jars[jar][0] != '\0') {
			char *digit = &run->jars[jar][more % (SESSIONS_COOKIE_SIZE - 1)];
			*digit = *digit == '0' ? '1' : '0';
		}
		break;
	case STEP_GET:
		ask(run, "GET", jar, MESSAGE_NONE, "", 0);
		break;
	case STEP_COUNT:
		break;
	}
	assert(sessions_count(run->sessions) <= SESSIONS_MAXIMUM);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct run *run = calloc(1, sizeof(*run));

	assert(run != NULL);
	clock_fake_init(&run->clock, INT64_C(1600000000) * CLOCK_SECOND);
	entropy_fake_init(&run->entropy, 1);
	run->loop = (struct loop){
		.reader = xml_reader_new(),
		.clock = &run->clock.clock,
		.entropy = &run->entropy.entropy,
	};
	struct sessions_options limits = {
		.maximum = SESSIONS_MAXIMUM,
		.clock = run->loop.clock,
		.entropy = run->loop.entropy,
	};
	assert(run->loop.reader != NULL && sessions_new(&limits, &run->sessions) == 0);
	struct endpoint_options options = {
		.name = "BROKER",
		.roots = 1u << ROOT_CLIENT | 1u << ROOT_BROKER,
		.routes = routes,
		.route_count = sizeof(routes) / sizeof(routes[0]),
		.sessions = run->sessions,
		.page = "here\n",
		.user = run,
	};
	assert(endpoint_new(&options, &run->endpoint) == 0);

	while (size > 0 && run->exchange_count < STEPS_MAXIMUM - 1)
		step(run, &bytes, &size);
	while (run->open_count > 0)
		finish_oldest(run);

	for (size_t i = 0; i < run->exchange_count; i++) {
		assert(run->exchanges[i].replies == 1);
		arena_free(run->exchanges[i].arena);
	}
	endpoint_free(run->endpoint);
	sessions_free(run->sessions);
	xml_reader_free(run->loop.reader);
	free(run);
	return 0;
}
