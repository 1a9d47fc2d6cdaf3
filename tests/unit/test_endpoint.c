#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "service/endpoint.h"
#include "wire/http_private.h"

/* The rules of sessions are played with a real broker in tests/scenario/session_rules.c; here is
 * what can be asked of an endpoint alone: HTTP, and what it offers to handlers. */

#define ARENA_SIZE 65536
#define LOG_ID "4208fb66-e22a-11d1-a7d7-00a0c982c00d"
#define XML(root, inner)                                                                           \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?><" root " version=\"2.1\">" inner "</" root ">"
#define HELLO                                                                                      \
	XML("pcoip-client",                                                                        \
		"<hello><client-info><product-name>x</product-name><hostname>y"                    \
		"</hostname></client-info></hello>")

static struct clock_fake fake;
static struct entropy_fake entropy;
static struct loop loop;
static struct sessions *sessions;
static struct endpoint *endpoint;
static struct arena *arena;

/* the answer */
static unsigned replies;
static int status;
static char body[8192], cookie[128], log_id[64], allow[64], content_type[64];

/* what the next handler does, and what it saw */
static void (*act)(struct transaction *transaction);
static char client[128], seen_cookie[128];

static void on_reply(void *user, const struct http_response *response)
{
	assert_ptr_equal(user, &replies);
	replies++;
	status = response->status;
	assert_true(response->body_length < sizeof(body));
	memcpy(body, response->body, response->body_length);
	body[response->body_length] = '\0';
	snprintf(content_type, sizeof(content_type), "%s", response->content_type);
	cookie[0] = log_id[0] = allow[0] = '\0';
	for (size_t i = 0; i < response->header_count; i++) {
		const struct http_header *header = &response->headers[i];

		if (strcmp(header->name, "Set-Cookie") == 0)
			snprintf(cookie, sizeof(cookie), "%s", header->value);
		if (strcmp(header->name, "Client-Log-Id") == 0)
			snprintf(log_id, sizeof(log_id), "%s", header->value);
		if (strcmp(header->name, "Allow") == 0)
			snprintf(allow, sizeof(allow), "%s", header->value);
	}
}

static void handle(struct transaction *transaction)
{
	assert_ptr_equal(transaction->user, &act);
	snprintf(client, sizeof(client), "%s", transaction->client);
	snprintf(seen_cookie, sizeof(seen_cookie), "%s",
		transaction->cookie != NULL ? transaction->cookie : "");
	act(transaction);
}

static const struct endpoint_route routes[] = {
	{MESSAGE_HELLO, handle},
	{MESSAGE_AUTHENTICATE, handle},
	{MESSAGE_GET_RESOURCE_LIST, handle},
	{MESSAGE_ALLOCATE_RESOURCE, handle},
};

static bool trusted(void *user, const char *address)
{
	(void)user;
	return strncmp(address, "10.", 3) == 0;
}

static int set_up(void **state)
{
	struct sessions_options sessions_options = {
		.clock = &fake.clock, .entropy = &entropy.entropy};
	struct endpoint_options options = {
		.name = "BROKER",
		.roots = MESSAGE_ROOTS_BROKERING,
		.routes = routes,
		.route_count = sizeof(routes) / sizeof(routes[0]),
		.trusted_proxy = trusted,
		.page = "the page\n",
		.user = &act,
	};

	(void)state;
	clock_fake_init(&fake, 1000 * CLOCK_SECOND);
	entropy_fake_init(&entropy, 5);
	loop = (struct loop){
		.reader = xml_reader_new(),
		.clock = &fake.clock,
		.entropy = &entropy.entropy,
	};
	assert_int_equal(sessions_new(&sessions_options, &sessions), 0);
	options.sessions = sessions;
	assert_int_equal(endpoint_new(&options, &endpoint), 0);
	arena = arena_new(ARENA_SIZE);
	act = transaction_finish;
	replies = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	endpoint_free(endpoint);
	sessions_free(sessions);
	xml_reader_free(loop.reader);
	arena_free(arena);
	return 0;
}

static void send_request(const char *method, const char *path, const char *text)
{
	char sent_cookie[sizeof(seen_cookie)];
	struct endpoint_request request = {
		.method = method,
		.path = path,
		.body = text,
		.body_length = strlen(text),
		.cookie = *seen_cookie != '\0' ? sent_cookie : NULL,
		.log_id = LOG_ID,
		.peer = "192.0.2.7",
		.local = "192.0.2.1",
		.arena = arena,
		.reply = on_reply,
		.user = &replies,
	};
	unsigned before = replies;

	memcpy(sent_cookie, seen_cookie, sizeof(sent_cookie));
	arena_reset(arena);
	endpoint_handle(endpoint, &loop, &request);
	assert_int_equal(replies, before + 1);
}

static void post(const char *text)
{
	send_request("POST", "/pcoip-broker/xml", text);
}

static int set_up_new(void **state)
{
	seen_cookie[0] = '\0';
	return set_up(state);
}

static void test_http(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
		const char *body, *allow;
	} cases[] = {
		{"GET", "/pcoip-broker/xml", 200, "the page\n", ""},
		{"HEAD", "/pcoip-broker/xml", 200, "", ""},
		{"PUT", "/pcoip-broker/xml", 405, NULL, "POST, GET, HEAD"},
		{"DELETE", "/pcoip-broker/xml", 405, NULL, "POST, GET, HEAD"},
		{"post", "/pcoip-broker/xml", 405, NULL, "POST, GET, HEAD"},
		{"POST", "/", 404, NULL, ""},
		{"GET", "/", 404, NULL, ""},
		{"POST", "/pcoip-broker/xml/", 404, NULL, ""},
		{"POST", "/pcoip-agent/xml", 404, NULL, ""},
		{"POST", "/PCOIP-BROKER/XML", 404, NULL, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		send_request(cases[i].method, cases[i].path, HELLO);
		assert_int_equal(status, cases[i].status);
		if (cases[i].body != NULL)
			assert_string_equal(body, cases[i].body);
		assert_string_equal(allow, cases[i].allow);
		assert_string_equal(content_type, "text/plain; charset=UTF-8");
	}
	assert_int_equal(sessions_count(sessions), 0);
}

static void test_answer(void **state)
{
	(void)state;
	post(HELLO);
	assert_int_equal(status, 200);
	assert_string_equal(content_type, "application/xml charset=UTF-8");
	assert_string_equal(log_id, LOG_ID);
	assert_int_equal(strncmp(cookie, "JSESSIONID=", 11), 0);
	assert_string_equal(cookie + 11 + 32, "; HttpOnly; Secure");
	assert_non_null(strstr(body, "<pcoip-client version=\"2.1\"><hello-resp"));
}

/* A session that did not come to life is none. */
static void fail_hello(struct transaction *transaction)
{
	transaction_fail(transaction, RESULT_ERR_BROKER_UNREACHABLE, "asleep <&>");
}

static void test_fail(void **state)
{
	(void)state;
	act = fail_hello;
	post(HELLO);
	assert_non_null(strstr(body, "<result-id>ERR_BROKER_UNREACHABLE</result-id>"));
	assert_non_null(strstr(body, "<detected-by>BROKER</detected-by>"));
	assert_non_null(strstr(body, "asleep &lt;&amp;&gt;"));
	assert_string_equal(cookie, "");
	assert_int_equal(sessions_count(sessions), 0);
	/* On a session that lives the same is an error of the session. */
	act = transaction_finish;
	post(HELLO);
	act = fail_hello;
	post(HELLO);
	assert_string_not_equal(cookie, "");
	assert_int_equal(sessions_count(sessions), 1);
	act = transaction_finish;
	post(XML("pcoip-client", "<get-resource-list/>"));
	if (strstr(body, "in state ERRORED") == NULL)
		fail_msg("%s", body);
}

/* What no handler is for. */
static void test_not_answered_here(void **state)
{
	(void)state;
	post(XML("pcoip-client", "<bye/>"));
	assert_non_null(strstr(body, "ERR_MESSAGE_NOT_ALLOWED"));
	assert_non_null(strstr(body, "&apos;bye&apos; is not answered here"));
	post(XML("pcoip-client", "<hello-resp/>"));
	assert_non_null(strstr(body, "ERR_MESSAGE_NOT_ALLOWED"));
}

static void give_result(struct transaction *transaction)
{
	assert_string_equal(transaction_text(transaction, FIELD_AUTHENTICATE_USERNAME), "u");
	assert_string_equal(transaction_text(transaction, FIELD_AUTHENTICATE_DOMAIN), "");
	assert_string_equal(transaction_result_id(transaction), "");
	assert_int_equal(transaction_outcome(transaction), OUTCOME_OK);
	transaction_result(transaction, RESULT_AUTH_FAILED_ACCESS_DENIED, "own text");
	assert_string_equal(transaction_result_id(transaction), "AUTH_FAILED_ACCESS_DENIED");
	assert_int_equal(transaction_outcome(transaction), OUTCOME_FAILED);
	/* The last one counts. */
	transaction_result(transaction, RESULT_AUTH_FAILED_EXPIRED_PASSWORD, NULL);
	transaction_finish(transaction);
}

static void test_result(void **state)
{
	(void)state;
	post(HELLO);
	act = give_result;
	post(XML("pcoip-client",
		"<authenticate method=\"password\"><username>u</username>"
		"<password>p</password></authenticate>"));
	assert_non_null(strstr(body,
		"<result-id>AUTH_FAILED_EXPIRED_PASSWORD</result-id>"
		"<result-str>The password has expired."));
	assert_null(strstr(body, "own text"));
}

/* What the user reads is in his language, what goes into logs in English. */
static void say_german(struct transaction *transaction)
{
	static const struct text_value wait = {"wait", "40 s"};
	static const char *const denied =
		"User authentication failed. Please re-enter username, password, and/or domain.";

	assert_string_equal(transaction_result_english(transaction), "");
	transaction_result(transaction, RESULT_AUTH_FAILED_ACCESS_DENIED, NULL);
	assert_string_equal(transaction_result_english(transaction), denied);
	assert_ptr_equal(transaction_language(transaction), text_english());

	transaction->session->language = text_language("de");
	assert_string_equal(text_language_locale(transaction_language(transaction)), "de_DE");
	transaction_result(transaction, RESULT_AUTH_FAILED_ACCESS_DENIED, NULL);
	assert_string_equal(transaction_result_english(transaction), denied);
	assert_non_null(
		strstr(message_text(transaction->reply, FIELD_AUTHENTICATE_RESP_RESULT_RESULT_STR),
			"Bitte geben Sie Benutzername"));
	/* one of ours that came from further on, and one that is not */
	transaction_result(transaction, RESULT_AUTH_FAILED_ACCESS_DENIED,
		"The entry is not valid. Please try again.");
	assert_string_equal(
		message_text(transaction->reply, FIELD_AUTHENTICATE_RESP_RESULT_RESULT_STR),
		"Die Eingabe ist ung\xc3\xbcltig. Bitte versuchen Sie es erneut.");
	transaction_result(transaction, RESULT_AUTH_FAILED_ACCESS_DENIED, "Somebody's words.");
	assert_string_equal(transaction_result_english(transaction), "Somebody's words.");
	assert_string_equal(
		message_text(transaction->reply, FIELD_AUTHENTICATE_RESP_RESULT_RESULT_STR),
		"Somebody's words.");
	/* filled */
	transaction_say(transaction, RESULT_AUTH_FAILED_ACCESS_DENIED, TEXT_LOGON_WAIT, &wait, 1);
	assert_string_equal(transaction_result_english(transaction),
		"Too many attempts to log on have failed. Please try again in 40 s.");
	transaction_finish(transaction);
}

static void test_say(void **state)
{
	(void)state;
	post(HELLO);
	act = say_german;
	post(XML("pcoip-client",
		"<authenticate method=\"password\"><username>u</username>"
		"<password>p</password></authenticate>"));
	assert_non_null(strstr(body,
		"<result-id>AUTH_FAILED_ACCESS_DENIED</result-id><result-str>Zu viele "
		"Anmeldeversuche sind fehlgeschlagen. Bitte versuchen Sie es in 40 s "
		"erneut.</result-str>"));
	/* an error of this session too; the detail is for administrators */
	act = fail_hello;
	post(HELLO);
	assert_non_null(strstr(body,
		"<result-str>Der Broker hat nicht geantwortet. Bitte versuchen Sie es "
		"sp\xc3\xa4ter "
		"erneut.</result-str>"));
	assert_non_null(strstr(body, "<err-detail>asleep "));
}

static const char *adopted_id;
static enum result_outcome adopted_outcome;

static void adopt(struct transaction *transaction)
{
	enum message_id id = transaction->reply->id;
	struct message *answer = message_new(
		transaction->arena, id, ROOT_BROKER, message_version_newest(ROOT_BROKER));
	enum field_id field = id == MESSAGE_AUTHENTICATE_RESP
		? FIELD_AUTHENTICATE_RESP_RESULT_RESULT_ID
		: id == MESSAGE_GET_RESOURCE_LIST_RESP
		? FIELD_GET_RESOURCE_LIST_RESP_RESULT_RESULT_ID
		: FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_ID;

	assert_non_null(message_put(answer, field, adopted_id));
	assert_int_equal(transaction_adopt(transaction, answer), 0);
	assert_string_equal(transaction_result_id(transaction), adopted_id);
	adopted_outcome = transaction_outcome(transaction);
	transaction_finish(transaction);
}

/* Whatever another program answers: a result of another kind of message is a failure, and
 * everything is an outcome that the states know. */
static void test_adopt(void **state)
{
	static const struct {
		const char *inner;
		enum result_group group;
	} messages[] = {
		{XML("pcoip-client",
			 "<authenticate method=\"password\"><username>u</username>"
			 "<password>p</password></authenticate>"),
			GROUP_AUTH},
		{XML("pcoip-client", "<get-resource-list/>"), GROUP_LIST},
		{XML("pcoip-client",
			 "<allocate-resource><resource-id>r</resource-id></allocate-resource>"),
			GROUP_ALLOC},
	};

	(void)state;
	for (size_t m = 0; m < sizeof(messages) / sizeof(messages[0]); m++) {
		for (int i = RESULT_NONE; i < RESULT_COUNT; i++) {
			const struct result_info *info =
				i != RESULT_NONE ? result_info((enum result_id)i) : NULL;

			act = transaction_finish;
			seen_cookie[0] = '\0';
			post(HELLO);
			act = adopt;
			adopted_id = "AUTH_SUCCESSFUL_AND_COMPLETE";
			if (m > 0)
				post(messages[0].inner);
			adopted_id = info != NULL ? info->id : "OF_TOMORROW";
			post(messages[m].inner);
			assert_int_equal(status, 200);
			assert_non_null(strstr(body, adopted_id));
			assert_int_equal(adopted_outcome,
				info != NULL && info->group == messages[m].group ? info->outcome
										 : OUTCOME_FAILED);
		}
	}
}

static void look(struct transaction *transaction)
{
	/* No answer: whoever looks here has no connection to send it on. */
	transaction->session->state = STATE_CREATED;
	sessions_release(sessions, transaction->session);
}

/* A hello over HTTP with these headers; the handler sees what came of them. */
static void see_headers(const struct http_header *headers, size_t count)
{
	struct http_exchange exchange = {
		.arena = arena,
		.parse.request =
			{
				.method = "POST",
				.path = "/pcoip-broker/xml",
				.headers = headers,
				.header_count = count,
				.body = HELLO,
				.body_length = sizeof(HELLO) - 1,
				.peer = "10.0.0.1",
				.local = "192.0.2.1",
			},
	};

	act = look;
	client[0] = seen_cookie[0] = '\0';
	arena_reset(arena);
	endpoint_http(endpoint, &loop, &exchange);
	assert_string_not_equal(client, "");
}

static void test_forwarded_for(void **state)
{
	const struct http_header one[] = {{"x-forwarded-FOR", "198.51.100.1"}};
	/* Proxies that add a header of their own instead of appending to what they got. */
	const struct http_header spoofed[] = {
		{"X-Forwarded-For", "127.0.0.1"},
		{"Host", "x"},
		{"X-Forwarded-For", "198.51.100.1"},
	};
	const struct http_header chain[] = {
		{"X-Forwarded-For", "127.0.0.1, 198.51.100.2"},
		{"X-Forwarded-For", "10.0.0.9"},
		{"X-Forwarded-For", "10.0.0.8"},
	};

	(void)state;
	see_headers(NULL, 0);
	assert_string_equal(client, "10.0.0.1");
	see_headers(one, 1);
	assert_string_equal(client, "198.51.100.1");
	see_headers(spoofed, 3);
	assert_string_equal(client, "198.51.100.1");
	see_headers(chain, 3);
	assert_string_equal(client, "198.51.100.2");
}

static void test_cookie(void **state)
{
	static const struct {
		const char *format;
		bool known;
	} cases[] = {
		{"JSESSIONID=%s", true},
		{"JSESSIONID=%s;", true},
		{"a=b; JSESSIONID=%s; c=d", true},
		{"a=b;JSESSIONID=%s  ;c=d", true},
		{"JSESSIONID=\"%s\"", true},
		{"$Version=1; JSESSIONID=%s; $Path=/", true},
		{"XJSESSIONID=%s", false},
		{"jsessionid=%s", false},
		{"JSESSIONID= %s", false},
		{"JSESSIONID=x%s", false},
		{"JSESSIONID=%sx", false},
		{"JSESSIONID", false},
		{"JSESSIONID=", false},
		{"JSESSIONID=\"", false},
		{"", false},
		{";;;", false},
	};
	char known[SESSIONS_COOKIE_SIZE], value[128];

	(void)state;
	see_headers(NULL, 0);
	memcpy(known, seen_cookie, sizeof(known));
	known[sizeof(known) - 1] = '\0';
	assert_int_equal(strlen(known), 32);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_header header = {"cookie", value};
		const char *place = strstr(cases[i].format, "%s");
		size_t before =
			place != NULL ? (size_t)(place - cases[i].format) : strlen(cases[i].format);

		snprintf(value, sizeof(value), "%.*s%s%s", (int)before, cases[i].format,
			place != NULL ? known : "", place != NULL ? place + 2 : "");
		see_headers(&header, 1);
		if ((strcmp(seen_cookie, known) == 0) != cases[i].known)
			fail_msg("%s", value);
	}
}

/* A handler that takes more than there is: the client hears it, and the session errs. */
static void waste(struct transaction *transaction)
{
	assert_null(arena_alloc(transaction->arena, ARENA_SIZE));
	transaction_finish(transaction);
}

static void waste_all(struct transaction *transaction)
{
	while (arena_alloc(transaction->arena, 16) != NULL)
		continue;
	transaction_finish(transaction);
}

static void test_memory(void **state)
{
	(void)state;
	act = waste;
	post(HELLO);
	assert_non_null(strstr(body, "ERR_INTERNAL"));
	assert_string_equal(cookie, "");
	act = waste_all;
	seen_cookie[0] = '\0';
	post(HELLO);
	assert_int_equal(status, 503);
	assert_int_equal(sessions_count(sessions), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_http, set_up_new, tear_down),
		cmocka_unit_test_setup_teardown(test_answer, set_up_new, tear_down),
		cmocka_unit_test_setup_teardown(test_fail, set_up_new, tear_down),
		cmocka_unit_test_setup_teardown(test_not_answered_here, set_up_new, tear_down),
		cmocka_unit_test_setup_teardown(test_result, set_up_new, tear_down),
		cmocka_unit_test_setup_teardown(test_say, set_up_new, tear_down),
		cmocka_unit_test_setup_teardown(test_adopt, set_up_new, tear_down),
		cmocka_unit_test_setup_teardown(test_forwarded_for, set_up_new, tear_down),
		cmocka_unit_test_setup_teardown(test_cookie, set_up_new, tear_down),
		cmocka_unit_test_setup_teardown(test_memory, set_up_new, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
