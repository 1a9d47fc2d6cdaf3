/*
 * What every program that is a broker holds to: states, cookies, times, versions, addresses, ids.
 * Played with the broker.
 */
#include "broker_stage.h"

#define MINUTE (60 * CLOCK_SECOND)
#define TABLE_SIZE 3

static struct broker_stage stage;
static char cookie[SESSIONS_COOKIE_SIZE];

static int set_up(void **state)
{
	(void)state;
	broker_stage_begin(&stage, BROKER_YAML, 0);
	return 0;
}

static int set_up_small(void **state)
{
	(void)state;
	broker_stage_begin(&stage, BROKER_YAML, TABLE_SIZE);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	broker_stage_end(&stage);
	return 0;
}

static struct scenario_answer *ask(const char *inner)
{
	return broker_stage_ask(&stage, ROOT_CLIENT, cookie, inner);
}

/* Makes a session in that state, its cookie in `cookie`. */
static void make(enum state wanted)
{
	cookie[0] = '\0';
	switch (wanted) {
	case STATE_CREATED:
		broker_stage_hello(&stage, ROOT_CLIENT, cookie);
		break;
	case STATE_AUTHENTICATED:
		broker_stage_logon(&stage, ROOT_CLIENT, "alice", cookie);
		break;
	case STATE_ALLOCATED:
		make(STATE_AUTHENTICATED);
		/* With the manager's root no agent has to be asked. */
		assert_answer(broker_stage_ask(&stage, ROOT_BROKER, cookie, ALLOCATE("farm")),
			MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
		break;
	case STATE_ERRORED:
		make(STATE_CREATED);
		assert_answer(ask(LIST), MESSAGE_ERROR_RESP, "ERR_MESSAGE_NOT_ALLOWED");
		break;
	case STATE_ENDED:
		make(STATE_CREATED);
		assert_answer(ask(BYE), MESSAGE_BYE_RESP, NULL);
		break;
	default:
		break;
	}
	if (wanted != STATE_NONE)
		assert_int_equal(broker_stage_state(&stage, cookie), wanted);
}

/* The specification page's states: what is answered, and what the session is then. */
static void test_states(void **state)
{
	enum { ANSWERED, NOT_ALLOWED, UNKNOWN };
	static const char *const messages[] = {
		AUTHENTICATE_AS("alice", SCENARIO_PASSWORD), LIST, ALLOCATE("farm"), BYE};
	static const enum message_id answers[] = {MESSAGE_AUTHENTICATE_RESP,
		MESSAGE_GET_RESOURCE_LIST_RESP, MESSAGE_ALLOCATE_RESOURCE_RESP, MESSAGE_BYE_RESP};
	static const struct {
		enum state state;
		int expected[4];
	} rows[] = {
		{STATE_NONE, {UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN}},
		{STATE_CREATED, {ANSWERED, NOT_ALLOWED, NOT_ALLOWED, ANSWERED}},
		{STATE_AUTHENTICATED, {NOT_ALLOWED, ANSWERED, ANSWERED, ANSWERED}},
		{STATE_ALLOCATED, {NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED, ANSWERED}},
		{STATE_ERRORED, {NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED, ANSWERED}},
		{STATE_ENDED, {UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN}},
	};
	static const enum state after[] = {
		STATE_AUTHENTICATED, STATE_AUTHENTICATED, STATE_ALLOCATED, STATE_ENDED};

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		for (size_t i = 0; i < 4; i++) {
			struct scenario_answer *answer;

			make(rows[row].state);
			answer = broker_stage_ask(&stage, ROOT_BROKER, cookie, messages[i]);
			if (rows[row].expected[i] == ANSWERED) {
				assert_answer(answer, answers[i], NULL);
				assert_string_equal(answer->cookie, cookie);
				assert_int_equal(broker_stage_state(&stage, cookie), after[i]);
			} else if (rows[row].expected[i] == NOT_ALLOWED) {
				assert_answer(
					answer, MESSAGE_ERROR_RESP, "ERR_MESSAGE_NOT_ALLOWED");
				assert_field(answer, FIELD_ERROR_RESP_DETECTED_BY, "BROKER");
				assert_field_has(answer, FIELD_ERROR_RESP_ERR_DETAIL,
					state_name(rows[row].state));
				assert_int_equal(broker_stage_state(&stage, cookie), STATE_ERRORED);
			} else {
				assert_answer(answer, MESSAGE_ERROR_RESP, "ERR_UNKNOWN_SESSION");
				assert_null(answer->set_cookie);
			}
		}
	}
}

static void test_hello_in_every_state(void **state)
{
	static const struct {
		enum state state;
		bool same_session;
	} rows[] = {
		{STATE_NONE, false},
		{STATE_CREATED, true},
		{STATE_AUTHENTICATED, false},
		{STATE_ALLOCATED, false},
		{STATE_ERRORED, false},
		{STATE_ENDED, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario_answer *answer;

		make(rows[i].state);
		answer = ask(HELLO);
		assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
		assert_int_equal(broker_stage_state(&stage, answer->cookie), STATE_CREATED);
		if (rows[i].same_session) {
			assert_string_equal(answer->cookie, cookie);
		} else {
			assert_string_not_equal(answer->cookie, cookie);
			/* The old one has ended with all it held. */
			assert_int_equal(broker_stage_state(&stage, cookie), STATE_ENDED);
		}
		assert_answer(broker_stage_ask(&stage, ROOT_CLIENT, answer->cookie, BYE),
			MESSAGE_BYE_RESP, NULL);
		assert_int_equal(sessions_count(stage.broker.sessions), 0);
	}
}

static void test_unknown_cookies(void **state)
{
	static const char *const cookies[] = {"aabbccddeeff00112233445566778899", "x", "' or 1=1",
		"aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899"};

	(void)state;
	make(STATE_CREATED);
	for (size_t i = 0; i < sizeof(cookies) / sizeof(cookies[0]); i++)
		assert_answer(broker_stage_ask(&stage, ROOT_CLIENT, cookies[i], LIST),
			MESSAGE_ERROR_RESP, "ERR_UNKNOWN_SESSION");
	assert_int_equal(broker_stage_state(&stage, cookie), STATE_CREATED);
}

/* Idle five minutes, counted from its last answer. */
static void test_idle(void **state)
{
	(void)state;
	make(STATE_AUTHENTICATED);
	for (int i = 0; i < 3; i++) {
		clock_fake_advance(&stage.scenario.clock, 5 * MINUTE - 1);
		assert_answer(ask(LIST), MESSAGE_GET_RESOURCE_LIST_RESP, "LIST_SUCCESSFUL");
	}
	clock_fake_advance(&stage.scenario.clock, 5 * MINUTE);
	assert_answer(ask(LIST), MESSAGE_ERROR_RESP, "ERR_UNKNOWN_SESSION");
	assert_int_equal(sessions_count(stage.broker.sessions), 0);
}

/* Thirty minutes in all, however busy. */
static void test_maximum_time(void **state)
{
	(void)state;
	make(STATE_AUTHENTICATED);
	for (int i = 0; i < 7; i++) {
		clock_fake_advance(&stage.scenario.clock, 4 * MINUTE);
		assert_answer(ask(LIST), MESSAGE_GET_RESOURCE_LIST_RESP, "LIST_SUCCESSFUL");
	}
	clock_fake_advance(&stage.scenario.clock, 2 * MINUTE - 1);
	assert_answer(ask(LIST), MESSAGE_GET_RESOURCE_LIST_RESP, "LIST_SUCCESSFUL");
	clock_fake_advance(&stage.scenario.clock, 1);
	assert_answer(ask(LIST), MESSAGE_ERROR_RESP, "ERR_UNKNOWN_SESSION");
}

static void test_shorter_times(void **state)
{
	(void)state;
	sessions_set_times(stage.broker.sessions, 2 * MINUTE, MINUTE);
	make(STATE_CREATED);
	clock_fake_advance(&stage.scenario.clock, MINUTE - 1);
	assert_answer(ask(HELLO), MESSAGE_HELLO_RESP, NULL);
	clock_fake_advance(&stage.scenario.clock, MINUTE);
	assert_answer(ask(BYE), MESSAGE_ERROR_RESP, "ERR_UNKNOWN_SESSION");
}

/* A hello with the cookie of a session whose time is over begins a new one. */
static void test_hello_after_expiry(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	make(STATE_AUTHENTICATED);
	clock_fake_advance(&stage.scenario.clock, 5 * MINUTE);
	answer = ask(HELLO);
	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	assert_string_not_equal(answer->cookie, cookie);
	assert_int_equal(sessions_count(stage.broker.sessions), 1);
}

/* Only one transaction at a time: the second is refused and errors the session. */
static void test_outstanding(void **state)
{
	static const char *const second[] = {LIST, HELLO, BYE};

	(void)state;
	for (size_t i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
		struct scenario_answer *first;

		make(STATE_AUTHENTICATED);
		first = broker_stage_start(&stage, ROOT_CLIENT, cookie, ALLOCATE("farm"));
		assert_answer(ask(second[i]), MESSAGE_ERROR_RESP, "ERR_REQUEST_OUTSTANDING");
		assert_false(first->done);
		scenario_reply(&stage.scenario,
			scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION), LAUNCHED, NULL);
		assert_answer(first, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
		assert_int_equal(broker_stage_state(&stage, cookie), STATE_ERRORED);
	}
}

/* A request that is no message errors the session whose cookie came with it, even a busy one. */
static void test_fault_errors_the_session(void **state)
{
	struct scenario_request request = {
		.endpoint = stage.broker.endpoint,
		.root = ROOT_CLIENT,
		.body = "<pcoip-client version=\"2.1\"><hello>",
	};
	struct scenario_answer *answer;
	struct session *session;

	(void)state;
	make(STATE_AUTHENTICATED);
	request.endpoint = stage.broker.endpoint;
	request.cookie = cookie;
	answer = scenario_send(&stage.scenario, &request);
	assert_answer(answer, MESSAGE_ERROR_RESP, "ERR_INVALID_MSG_FORMAT");
	assert_int_equal(sessions_take(stage.broker.sessions, cookie, &session), 0);
	assert_int_equal(session->state, STATE_ERRORED);
	assert_null(session->password.bytes);
	sessions_release(stage.broker.sessions, session);

	/* What is a message, but not one for here. */
	make(STATE_AUTHENTICATED);
	assert_answer(
		ask("<hello-resp></hello-resp>"), MESSAGE_ERROR_RESP, "ERR_MESSAGE_NOT_ALLOWED");
	assert_int_equal(broker_stage_state(&stage, cookie), STATE_ERRORED);

	make(STATE_CREATED);
	answer = broker_stage_start(
		&stage, ROOT_CLIENT, cookie, AUTHENTICATE_AS("alice", SCENARIO_PASSWORD));
	assert_answer(scenario_send(&stage.scenario, &request), MESSAGE_ERROR_RESP,
		"ERR_INVALID_MSG_FORMAT");
	scenario_wait(answer);
	assert_int_equal(sessions_take(stage.broker.sessions, cookie, &session), 0);
	assert_int_equal(session->state, STATE_ERRORED);
	assert_null(session->password.bytes);
	sessions_release(stage.broker.sessions, session);
}

/* The page's example of a malformed request, and its answer. */
static void test_malformed(void **state)
{
	const char *top = getenv("FAIRLEAD_SOURCE");
	struct scenario_request request = {.root = ROOT_BROKER};
	struct scenario_answer *answer;
	char path[512], body[1024];
	FILE *file;
	size_t length;

	(void)state;
	assert_non_null(top);
	snprintf(path, sizeof(path), "%s/tests/vectors/page/malformed.xml", top);
	file = fopen(path, "r");
	assert_non_null(file);
	length = fread(body, 1, sizeof(body) - 1, file);
	fclose(file);
	body[length] = '\0';
	request.endpoint = stage.broker.endpoint;
	request.body = body;
	request.log_id = SCENARIO_LOG_ID;
	answer = scenario_send(&stage.scenario, &request);
	assert_answer(answer, MESSAGE_ERROR_RESP, "ERR_INVALID_MSG_FORMAT");
	assert_int_equal(answer->message->root, ROOT_BROKER);
	assert_field(answer, FIELD_ERROR_RESP_RESULT_RESULT_STR, "Invalid XML message format");
	assert_field(answer, FIELD_ERROR_RESP_DETECTED_BY, "BROKER");
	assert_field_has(answer, FIELD_ERROR_RESP_ERR_DETAIL, "client-info");
	assert_field_has(answer, FIELD_ERROR_RESP_ERR_DETAIL, "line 5");
	assert_string_equal(answer->log_id, SCENARIO_LOG_ID);
	/* No session is made. */
	assert_null(answer->set_cookie);
	assert_int_equal(sessions_count(stage.broker.sessions), 0);
}

/* The unauthenticated one that was idle longest gives way; the authenticated never do. */
static void test_full_table(void **state)
{
	char guests[TABLE_SIZE][SESSIONS_COOKIE_SIZE], member[SESSIONS_COOKIE_SIZE];

	(void)state;
	broker_stage_logon(&stage, ROOT_CLIENT, "alice", member);
	for (int i = 0; i < 2; i++)
		broker_stage_hello(&stage, ROOT_CLIENT, guests[i]);
	/* Used again: the other one is now the oldest. */
	assert_answer(
		broker_stage_ask(&stage, ROOT_CLIENT, guests[0], HELLO), MESSAGE_HELLO_RESP, NULL);
	broker_stage_hello(&stage, ROOT_CLIENT, guests[2]);
	assert_int_equal(broker_stage_state(&stage, guests[1]), STATE_ENDED);
	assert_int_equal(broker_stage_state(&stage, guests[0]), STATE_CREATED);
	assert_int_equal(broker_stage_state(&stage, member), STATE_AUTHENTICATED);
	for (int i = 0; i < 20; i++)
		broker_stage_hello(&stage, ROOT_CLIENT, cookie);
	assert_int_equal(broker_stage_state(&stage, member), STATE_AUTHENTICATED);
	assert_int_equal(sessions_count(stage.broker.sessions), TABLE_SIZE);
}

/* Full of authenticated ones: a new one is refused, and nothing is left behind. */
static void test_full_of_members(void **state)
{
	char members[TABLE_SIZE][SESSIONS_COOKIE_SIZE];
	struct scenario_answer *answer;

	(void)state;
	for (int i = 0; i < TABLE_SIZE; i++)
		broker_stage_logon(&stage, ROOT_CLIENT, "alice", members[i]);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, NULL, HELLO);
	assert_answer(answer, MESSAGE_ERROR_RESP, "ERR_SERVICE_BUSY");
	assert_null(answer->set_cookie);
	for (int i = 0; i < TABLE_SIZE; i++)
		assert_int_equal(broker_stage_state(&stage, members[i]), STATE_AUTHENTICATED);
	/* One that errs can be displaced. */
	assert_answer(broker_stage_ask(&stage, ROOT_CLIENT, members[1],
			      AUTHENTICATE_AS("alice", SCENARIO_PASSWORD)),
		MESSAGE_ERROR_RESP, "ERR_MESSAGE_NOT_ALLOWED");
	broker_stage_hello(&stage, ROOT_CLIENT, cookie);
	assert_int_equal(broker_stage_state(&stage, members[1]), STATE_ENDED);
}

/* Where the agent is told that the client is. */
static void assert_client(const char *peer, const char *forwarded_for, const char *expected)
{
	struct scenario_request request = {
		.endpoint = stage.broker.endpoint,
		.root = ROOT_CLIENT,
		.inner = ALLOCATE("farm"),
		.cookie = cookie,
		.peer = peer,
		.forwarded_for = forwarded_for,
	};
	struct scenario_call *call;

	make(STATE_AUTHENTICATED);
	scenario_send(&stage.scenario, &request);
	call = scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_CLIENT_IP), expected);
	scenario_reply(&stage.scenario, call, LAUNCHED, NULL);
}

/* 10.x are the trusted ones. */
static void test_forwarded_for(void **state)
{
	(void)state;
	assert_client("192.0.2.9", NULL, "192.0.2.9");
	assert_client("10.0.0.1", NULL, "10.0.0.1");
	/* Whoever is not trusted says nothing of others. */
	assert_client("192.0.2.9", "198.51.100.1", "192.0.2.9");
	assert_client("10.0.0.1", "198.51.100.1", "198.51.100.1");
	assert_client("10.0.0.1", " 198.51.100.1 ", "198.51.100.1");
	assert_client("10.0.0.1", "2001:db8::1", "2001:db8::1");
	/* A chain of trusted ones; what the client itself wrote to the left does not count. */
	assert_client("10.0.0.1", "198.51.100.1, 10.0.0.3,10.0.0.2", "198.51.100.1");
	assert_client("10.0.0.1", "127.0.0.1, 198.51.100.1, 10.0.0.2", "198.51.100.1");
	assert_client("10.0.0.1", "10.9.9.9, 198.51.100.1", "198.51.100.1");
	assert_client("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3");
	/* What is no address ends the chain at the last proxy that was one. */
	static const char *const garbage[] = {"", " ", ",", "unknown", "198.51.100.1,", "dead",
		"....", "198.51.100.1:4711", "[2001:db8::1]", "<x/>", "198.51.100.1\r\nX: y",
		"999.1.1.1",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff:0"};

	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		assert_client("10.0.0.1", garbage[i], "10.0.0.1");
	assert_client("10.0.0.1", "nonsense, 10.0.0.2", "10.0.0.2");
}

static struct scenario_answer *ask_as(const char *log_id, const char *inner)
{
	struct scenario_request request = {
		.endpoint = stage.broker.endpoint,
		.root = ROOT_CLIENT,
		.inner = inner,
		.cookie = cookie,
		.log_id = log_id,
	};
	struct scenario_answer *answer = scenario_send(&stage.scenario, &request);

	if (inner[1] != 'a' || inner[2] != 'l')
		scenario_wait(answer);
	return answer;
}

static void test_log_id(void **state)
{
	static const char *const invalid[] = {NULL, "", "x", "4208fb66-e22a-11d1-a7d7-00a0c982c00",
		"4208fb66-e22a-11d1-a7d7-00a0c982c00d0", "4208fb66/e22a-11d1-a7d7-00a0c982c00d",
		"4208fb66-e22a-11d1-a7d7-00a0c982c00g"};
	const char *other = "11111111-2222-1333-8444-555555555555";
	struct scenario_answer *hello, *answer;
	struct scenario_call *call;

	(void)state;
	cookie[0] = '\0';
	answer = ask_as("4208FB66-E22A-11D1-A7D7-00A0C982C00D", HELLO);
	assert_string_equal(answer->log_id, SCENARIO_LOG_ID);
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		cookie[0] = '\0';
		hello = ask_as(invalid[i], HELLO);
		assert_true(uuid_valid(hello->log_id));
		assert_string_not_equal(hello->log_id, UUID_ZERO);
		/* The session keeps the one it was given. */
		memcpy(cookie, hello->cookie, sizeof(cookie));
		answer = ask_as(invalid[i], AUTHENTICATE_AS("alice", SCENARIO_PASSWORD));
		assert_string_equal(answer->log_id, hello->log_id);
		/* Who sends one is believed. */
		answer = ask_as(other, LIST);
		assert_string_equal(answer->log_id, other);
		/* And the agent is told. */
		answer = ask_as(invalid[i], ALLOCATE("farm"));
		call = scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);
		assert_string_equal(call->log_id, other);
		assert_string_equal(
			scenario_call_text(call, FIELD_LAUNCH_SESSION_SESSION_LOG_ID), other);
		scenario_reply(&stage.scenario, call, LAUNCHED, NULL);
		assert_string_equal(answer->log_id, other);
	}
}

/* Under each root, with the version asked. */
static void test_versions(void **state)
{
	static const struct {
		const char *version;
		bool served;
	} cases[] = {
		{"1.0", true},
		{"1.1", true},
		{"2.0", true},
		{"2.1", true},
		{"2.2", false},
		{"3.0", false},
		{"0.9", false},
		{"two", false},
		{"", false},
	};
	static const enum message_root roots[] = {ROOT_CLIENT, ROOT_BROKER};
	char expected[64];

	(void)state;
	for (size_t r = 0; r < sizeof(roots) / sizeof(roots[0]); r++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct scenario_request request = {
				.endpoint = stage.broker.endpoint,
				.root = roots[r],
				.inner = HELLO,
				.version = cases[i].version,
			};
			struct scenario_answer *answer = scenario_send(&stage.scenario, &request);

			snprintf(expected, sizeof(expected), "<%s version=\"%s\">",
				message_root_element(roots[r]),
				cases[i].served ? cases[i].version : "2.1");
			if (strstr(answer->body, expected) == NULL)
				fail_msg("%s is not in %s", expected, answer->body);
			if (cases[i].served) {
				assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
			} else {
				assert_answer(
					answer, MESSAGE_ERROR_RESP, "ERR_UNSUPPORTED_VERSION");
				assert_field_has(answer, FIELD_ERROR_RESP_ERR_DETAIL, "1.0 to 2.1");
				assert_null(answer->set_cookie);
			}
		}
	}
}

/* Other roots have other addresses. */
static void test_foreign_root(void **state)
{
	struct scenario_request request = {
		.root = ROOT_AGENT,
		.inner = "<session-status></session-status>",
		.path = "/pcoip-broker/xml",
	};

	(void)state;
	request.endpoint = stage.broker.endpoint;
	assert_answer(scenario_send(&stage.scenario, &request), MESSAGE_ERROR_RESP,
		"ERR_INVALID_MSG_FORMAT");
	request.path = NULL;
	assert_int_equal(scenario_send(&stage.scenario, &request)->status, 404);
}

/* However little memory a request gets: it is answered, with an answer that is whole. */
static void test_memory(void **state)
{
	static const struct {
		enum state state;
		const char *inner;
		enum message_id answer;
	} cases[] = {
		{STATE_NONE, HELLO, MESSAGE_HELLO_RESP},
		{STATE_CREATED, AUTHENTICATE_AS("alice", SCENARIO_PASSWORD),
			MESSAGE_AUTHENTICATE_RESP},
		{STATE_AUTHENTICATED, LIST, MESSAGE_GET_RESOURCE_LIST_RESP},
		{STATE_AUTHENTICATED, ALLOCATE("farm"), MESSAGE_ALLOCATE_RESOURCE_RESP},
		{STATE_CREATED, BYE, MESSAGE_BYE_RESP},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scenario_answer *whole = NULL;
		unsigned exhausted = 0;

		for (size_t maximum = 16384; maximum > 0; maximum -= maximum > 256 ? 64 : 16) {
			struct scenario_request request = {
				.endpoint = stage.broker.endpoint,
				.root = ROOT_BROKER,
				.inner = cases[i].inner,
				.cookie = cookie,
				.arena_maximum = maximum,
				.log_id = SCENARIO_LOG_ID,
			};
			struct scenario_answer *answer;

			make(cases[i].state);
			answer = scenario_send(&stage.scenario, &request);
			scenario_wait(answer);
			if (answer->status == 503) {
				assert_null(answer->message);
				exhausted++;
			} else if (answer->message == NULL) {
				fail_msg("%zu bytes: %s", maximum, answer->body);
			} else if (answer->message->id == MESSAGE_ERROR_RESP) {
				assert_answer(answer, MESSAGE_ERROR_RESP, "ERR_INTERNAL");
			} else if (whole == NULL) {
				assert_answer(answer, cases[i].answer, NULL);
				whole = answer;
			} else {
				assert_int_equal(answer->length, whole->length);
			}
		}
		assert_non_null(whole);
		assert_true(exhausted > 0);
	}
	assert_true(sessions_count(stage.broker.sessions) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_states, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hello_in_every_state, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown_cookies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_idle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_maximum_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shorter_times, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hello_after_expiry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_outstanding, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fault_errors_the_session, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_malformed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full_table, set_up_small, tear_down),
		cmocka_unit_test_setup_teardown(test_full_of_members, set_up_small, tear_down),
		cmocka_unit_test_setup_teardown(test_forwarded_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_log_id, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_versions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_foreign_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
