/*
 * The manager between a client and a broker: what it adds, keeps, changes, and what it makes of a
 * broker that does not do its part.
 */
#include <assert.h>

#include "manager_stage.h"

static struct manager_stage stage;

static int set_up(void **state)
{
	(void)state;
	manager_stage_begin(&stage);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	manager_stage_end(&stage);
	return 0;
}

static void test_hello(void **state)
{
	struct scenario_answer *answer = manager_stage_start(&stage, HELLO);
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_HELLO);

	(void)state;
	assert_string_equal(call->address, "broker.example:8443");
	assert_string_equal(call->policy_name, "broker.example");
	assert_string_equal(call->ca_file, "/ca.pem");
	assert_int_equal(call->timeout_ms, 4000);
	assert_null(call->cookie);
	assert_string_equal(call->log_id, SCENARIO_LOG_ID);
	assert_string_equal(call->forwarded_for, SCENARIO_CLIENT);
	assert_int_equal(call->request->root, ROOT_BROKER);
	assert_string_equal(
		scenario_call_text(call, FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME), "Test Client");
	assert_string_equal(scenario_call_text(call, FIELD_HELLO_CLIENT_INFO_HOSTNAME), "desk-7");
	assert_string_equal(scenario_call_text(call, FIELD_HELLO_PCM_INFO_PRODUCT_NAME),
		"Fairlead Connection Manager");
	assert_string_equal(
		scenario_call_text(call, FIELD_HELLO_PCM_INFO_PRODUCT_VERSION), FAIRLEAD_VERSION);
	assert_string_equal(
		scenario_call_text(call, FIELD_HELLO_PCM_INFO_IP_ADDRESS), SCENARIO_LOCAL);
	scenario_reply(&stage.scenario, call, HELLO_ANSWER, "up1");
	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	/* Under the client's root, with a session of our own, and with a sign that we are there. */
	assert_int_equal(answer->message->root, ROOT_CLIENT);
	assert_int_equal(strlen(answer->cookie), 32);
	assert_field(answer, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_PRODUCT_NAME, "XYZ Broker");
	assert_field(answer, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DOMAINS_DOMAIN, "studio");
	assert_field(answer, FIELD_HELLO_RESP_PCM_INFO_PRODUCT_NAME, "Fairlead Connection Manager");
	assert_field(answer, FIELD_HELLO_RESP_PCM_INFO_IP_ADDRESS, SCENARIO_LOCAL);
}

/* A client cannot say who the manager is; another manager behind us may. */
static void test_pcm_info(void **state)
{
	struct scenario_answer *answer = manager_stage_start(&stage,
		"<hello><client-info><product-name>Test "
		"Client</product-name><hostname>desk-7</hostname>"
		"</client-info><pcm-info><product-name>Liar</product-name><ip-address>1.2.3.4"
		"</ip-address><hostname>liar</hostname></pcm-info></hello>");
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_HELLO);

	(void)state;
	assert_string_equal(scenario_call_text(call, FIELD_HELLO_PCM_INFO_PRODUCT_NAME),
		"Fairlead Connection Manager");
	assert_string_equal(
		scenario_call_text(call, FIELD_HELLO_PCM_INFO_IP_ADDRESS), SCENARIO_LOCAL);
	assert_string_not_equal(scenario_call_text(call, FIELD_HELLO_PCM_INFO_HOSTNAME), "liar");
	scenario_reply(&stage.scenario, call,
		"<hello-resp><pcm-info><product-name>Further "
		"Manager</product-name></pcm-info></hello-resp>",
		NULL);
	assert_field(answer, FIELD_HELLO_RESP_PCM_INFO_PRODUCT_NAME, "Further Manager");
	assert_field(answer, FIELD_HELLO_RESP_PCM_INFO_IP_ADDRESS, NULL);
}

static void assert_upstream(const char *inner, enum message_id message, const char *answer,
	const char *expected, const char *next)
{
	struct scenario_answer *asked = manager_stage_start(&stage, inner);
	struct scenario_call *call = scenario_called(&stage.scenario, message);

	if (expected == NULL)
		assert_null(call->cookie);
	else
		assert_string_equal(call->cookie, expected);
	scenario_reply(&stage.scenario, call, answer, next);
	assert_true(asked->done);
	if (stage.cookie[0] == '\0')
		memcpy(stage.cookie, asked->cookie, sizeof(stage.cookie));
	/* Ours stays the same whatever the broker's does, and the client never sees the broker's.
	 */
	assert_string_equal(asked->cookie, stage.cookie);
}

static void test_broker_cookie(void **state)
{
	struct scenario_answer *answer;
	struct scenario_call *call;

	(void)state;
	assert_upstream(HELLO_OF("QueryBrokerClient"), MESSAGE_HELLO, HELLO_ANSWER, NULL, "up1");
	assert_upstream(HELLO, MESSAGE_HELLO, HELLO_ANSWER, "up1", NULL);
	assert_upstream(AUTHENTICATE_AS("alice", "wrong"), MESSAGE_AUTHENTICATE,
		AUTHENTICATE_ANSWER("AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD"), "up1", "up2");
	assert_upstream(AUTHENTICATE_AS("alice", SCENARIO_PASSWORD), MESSAGE_AUTHENTICATE,
		AUTHENTICATE_ANSWER("AUTH_SUCCESSFUL_AND_COMPLETE"), "up2", "up3");
	assert_upstream(LIST, MESSAGE_GET_RESOURCE_LIST,
		RESULT_ANSWER("get-resource-list-resp", "LIST_FAILED_NO_ENTITLEMENT", "none"),
		"up3", NULL);
	assert_upstream(BYE, MESSAGE_BYE, "<bye-resp></bye-resp>", "up3", NULL);
	assert_session(&stage, STATE_ENDED, false);
	/* A new session knows nothing of the old one's, be that over or only left behind. */
	stage.cookie[0] = '\0';
	assert_upstream(HELLO, MESSAGE_HELLO, HELLO_ANSWER, NULL, "up4");
	assert_upstream(AUTHENTICATE_AS("alice", SCENARIO_PASSWORD), MESSAGE_AUTHENTICATE,
		AUTHENTICATE_ANSWER("AUTH_SUCCESSFUL_AND_COMPLETE"), "up4", NULL);
	answer = manager_stage_start(&stage, HELLO);
	call = scenario_called(&stage.scenario, MESSAGE_HELLO);
	assert_null(call->cookie);
	scenario_reply(&stage.scenario, call, HELLO_ANSWER, "up5");
	assert_string_not_equal(answer->cookie, stage.cookie);
}

/* What a broker says is the client's answer, its text included. */
static void test_answers_as_they_are(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	manager_stage_hello(&stage);
	answer =
		manager_stage_relay(&stage, MESSAGE_AUTHENTICATE, AUTHENTICATE_AS("alice", "wrong"),
			AUTHENTICATE_ANSWER("AUTH_FAILED_EXPIRED_PASSWORD"), NULL);
	assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, "AUTH_FAILED_EXPIRED_PASSWORD");
	assert_field(answer, FIELD_AUTHENTICATE_RESP_RESULT_RESULT_STR, "said the broker");
	assert_session(&stage, STATE_CREATED, false);
	answer = manager_stage_relay(&stage, MESSAGE_AUTHENTICATE, AUTHENTICATE_AS("alice", "x"),
		AUTHENTICATE_ANSWER("AUTH_SUCCESSFUL_AND_INCOMPLETE"), NULL);
	assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_INCOMPLETE");
	assert_session(&stage, STATE_CREATED, false);
	answer = manager_stage_relay(&stage, MESSAGE_AUTHENTICATE, AUTHENTICATE_AS("alice", "x"),
		AUTHENTICATE_ANSWER("AUTH_OF_TOMORROW"), NULL);
	assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, "AUTH_OF_TOMORROW");
	assert_session(&stage, STATE_CREATED, false);
}

/* A result that is not of this message's kind is no success, and nothing the manager falls over. */
static void test_results_of_other_messages(void **state)
{
	static const char *const foreign[] = {"ALLOC_PENDING_TRY_AGAIN", "ALLOC_SUCCESSFUL",
		"SUCCESSFUL", "LIST_SUCCESSFUL", "LICENSE_GRANTED",
		"AUTH_SUCCESSFUL_AND_INCOMPLETE"};
	char inner[512];

	(void)state;
	manager_stage_hello(&stage);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		snprintf(inner, sizeof(inner), AUTHENTICATE_ANSWER("%s"), foreign[i]);
		assert_answer(manager_stage_relay(&stage, MESSAGE_AUTHENTICATE,
				      AUTHENTICATE_AS("alice", "x"), inner, NULL),
			MESSAGE_AUTHENTICATE_RESP, foreign[i]);
		assert_session(&stage, STATE_CREATED, false);
	}
	manager_stage_logon(&stage);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		snprintf(inner, sizeof(inner), RESULT_ANSWER("get-resource-list-resp", "%s", "x"),
			foreign[i]);
		assert_answer(
			manager_stage_relay(&stage, MESSAGE_GET_RESOURCE_LIST, LIST, inner, NULL),
			MESSAGE_GET_RESOURCE_LIST_RESP, foreign[i]);
		assert_session(&stage, STATE_AUTHENTICATED, true);
		if (strncmp(foreign[i], "ALLOC_", 6) == 0)
			continue;
		snprintf(inner, sizeof(inner), RESULT_ANSWER("allocate-resource-resp", "%s", "x"),
			foreign[i]);
		assert_answer(manager_stage_relay(&stage, MESSAGE_ALLOCATE_RESOURCE,
				      ALLOCATE("edit"), inner, NULL),
			MESSAGE_ALLOCATE_RESOURCE_RESP, foreign[i]);
		assert_session(&stage, STATE_AUTHENTICATED, true);
	}
}

/* Each kind of trouble with the broker, at each message. */
static void test_broker_fails(void **state)
{
	static const int errors[] = {ERROR_TIMEOUT, ERROR_UNREACHABLE, ERROR_UNTRUSTED, ERROR_TLS,
		ERROR_CLOSED, ERROR_INPUT, ERROR_MEMORY};
	static const struct {
		const char *inner;
		enum message_id message, answer;
		const char *result;
	} cases[] = {
		{HELLO, MESSAGE_HELLO, MESSAGE_ERROR_RESP, "ERR_BROKER_UNREACHABLE"},
		{AUTHENTICATE_AS("alice", SCENARIO_PASSWORD), MESSAGE_AUTHENTICATE,
			MESSAGE_AUTHENTICATE_RESP, "AUTH_FAILED_BROKER_UNREACHABLE"},
		{LIST, MESSAGE_GET_RESOURCE_LIST, MESSAGE_GET_RESOURCE_LIST_RESP,
			"LIST_FAILED_BROKER_UNREACHABLE"},
		{ALLOCATE("edit"), MESSAGE_ALLOCATE_RESOURCE, MESSAGE_ALLOCATE_RESOURCE_RESP,
			"ALLOC_FAILED_TO_ALLOCATE_BROKER"},
		{BYE, MESSAGE_BYE, MESSAGE_BYE_RESP, NULL},
	};
	static const enum state after[] = {
		STATE_ENDED, STATE_CREATED, STATE_AUTHENTICATED, STATE_AUTHENTICATED, STATE_ENDED};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* One more: the call does not even begin. */
		for (size_t e = 0; e <= sizeof(errors) / sizeof(errors[0]); e++) {
			struct scenario_answer *answer;

			stage.cookie[0] = '\0';
			if (i == 1)
				manager_stage_hello(&stage);
			else if (i > 1)
				manager_stage_logon(&stage);
			if (e == sizeof(errors) / sizeof(errors[0])) {
				stage.scenario.peer_refuses = ERROR_LIMIT;
				answer = manager_stage_start(&stage, cases[i].inner);
				stage.scenario.peer_refuses = 0;
			} else {
				answer = manager_stage_start(&stage, cases[i].inner);
				scenario_fail(scenario_called(&stage.scenario, cases[i].message),
					errors[e]);
			}
			assert_answer(answer, cases[i].answer, cases[i].result);
			if (i == 0) {
				assert_null(answer->set_cookie);
				assert_field(answer, FIELD_ERROR_RESP_DETECTED_BY, "PCM");
			}
			assert_session(&stage, after[i], after[i] == STATE_AUTHENTICATED);
		}
	}
}

/* A failed broker is no reason to give up: the same session goes on when it is back. */
static void test_broker_comes_back(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	manager_stage_hello(&stage);
	answer = manager_stage_start(&stage, AUTHENTICATE_AS("alice", SCENARIO_PASSWORD));
	scenario_fail(scenario_called(&stage.scenario, MESSAGE_AUTHENTICATE), ERROR_TIMEOUT);
	assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, "AUTH_FAILED_BROKER_UNREACHABLE");
	assert_answer(manager_stage_relay(&stage, MESSAGE_AUTHENTICATE,
			      AUTHENTICATE_AS("alice", SCENARIO_PASSWORD),
			      AUTHENTICATE_ANSWER("AUTH_SUCCESSFUL_AND_COMPLETE"), NULL),
		MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_COMPLETE");
}

/* The broker's error is the client's: id, text, who found it, detail. */
static void test_error_is_relayed(void **state)
{
	static const struct {
		const char *inner;
		enum message_id message;
	} cases[] = {
		{HELLO, MESSAGE_HELLO},
		{AUTHENTICATE_AS("alice", SCENARIO_PASSWORD), MESSAGE_AUTHENTICATE},
		{LIST, MESSAGE_GET_RESOURCE_LIST},
		{ALLOCATE("edit"), MESSAGE_ALLOCATE_RESOURCE},
		{BYE, MESSAGE_BYE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scenario_answer *answer;

		stage.cookie[0] = '\0';
		if (i == 1)
			manager_stage_hello(&stage);
		else if (i > 1)
			manager_stage_logon(&stage);
		answer = manager_stage_relay(
			&stage, cases[i].message, cases[i].inner, ERROR_ANSWER, NULL);
		assert_answer(answer, MESSAGE_ERROR_RESP, "ERR_OF_BROKER");
		assert_int_equal(answer->message->root, ROOT_CLIENT);
		assert_field(answer, FIELD_ERROR_RESP_RESULT_RESULT_STR, "its text");
		assert_field(answer, FIELD_ERROR_RESP_DETECTED_BY, "BROKER");
		assert_field(answer, FIELD_ERROR_RESP_ERR_DETAIL, "its detail");
		if (i == 0) {
			assert_null(answer->set_cookie);
			assert_int_equal(sessions_count(stage.manager.sessions), 0);
		} else {
			assert_session(&stage, STATE_ERRORED, false);
		}
	}
}

/* The password lives from authenticate to allocate, and nobody but the cookie's bearer opens it. */
static void test_password(void **state)
{
	char secret[SEAL_SECRET_MAXIMUM + 1];
	struct session *session;

	(void)state;
	manager_stage_hello(&stage);
	assert_session(&stage, STATE_CREATED, false);
	manager_stage_logon(&stage);
	assert_session(&stage, STATE_AUTHENTICATED, true);
	assert_int_equal(sessions_take(stage.manager.sessions, stage.cookie, &session), 0);
	assert_string_equal(session->user, "alice");
	assert_string_equal(session->domain, "studio");
	assert_null(memmem(session->password.bytes, session->password.length, SCENARIO_PASSWORD,
		strlen(SCENARIO_PASSWORD)));
	assert_int_equal(seal_open(&session->password, stage.cookie, secret), 0);
	assert_string_equal(secret, SCENARIO_PASSWORD);
	assert_int_equal(seal_open(&session->password, "aabbccddeeff00112233445566778899", secret),
		ERROR_CRYPTO);
	sessions_release(stage.manager.sessions, session);
	(void)manager_stage_relay(&stage, MESSAGE_GET_RESOURCE_LIST, LIST,
		RESULT_ANSWER("get-resource-list-resp", "LIST_SUCCESSFUL", "x"), NULL);
	assert_session(&stage, STATE_AUTHENTICATED, true);
	/* An error of ours. */
	assert_answer(manager_stage_start(&stage, AUTHENTICATE_AS("alice", SCENARIO_PASSWORD)),
		MESSAGE_ERROR_RESP, "ERR_MESSAGE_NOT_ALLOWED");
	assert_session(&stage, STATE_ERRORED, false);
}

/* Name-spaced elements go through, both ways, whatever they are. */
static void test_extensions(void **state)
{
	struct scenario_answer *answer = manager_stage_start(&stage,
		"<hello xmlns:v=\"urn:vendor\"><client-info><product-name>Test "
		"Client</product-name>"
		"<hostname>desk-7</hostname><v:badge n=\"7\">gold &amp; old</v:badge></client-info>"
		"<unknown>x</unknown><v:more><v:most/></v:more></hello>");
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_HELLO);
	struct buffer text;

	(void)state;
	buffer_init(&text, 65536);
	assert_int_equal(codec_encode(call->request, CODEC_COMPACT, &text), 0);
	assert_int_equal(buffer_byte(&text, '\0'), 0);
	assert_non_null(strstr(text.bytes, "gold &amp; old</v:badge>"));
	assert_non_null(strstr(text.bytes, "xmlns:v=\"urn:vendor\""));
	assert_non_null(strstr(text.bytes, "<v:most"));
	assert_null(strstr(text.bytes, "unknown"));
	buffer_free(&text);
	scenario_reply(&stage.scenario, call,
		"<hello-resp><w:color xmlns:w=\"urn:other\">red</w:color></hello-resp>", NULL);
	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	assert_non_null(strstr(answer->body, ">red</w:color>"));
	assert_non_null(strstr(answer->body, "urn:other"));
}

/* A request that has begun goes on with the broker it has asked. */
static void test_reload_meanwhile(void **state)
{
	struct scenario_answer *answer;
	struct scenario_call *call;

	(void)state;
	manager_stage_logon(&stage);
	answer = manager_stage_start(&stage, ALLOCATE("edit"));
	call = scenario_called(&stage.scenario, MESSAGE_ALLOCATE_RESOURCE);
	manager_stage_load(&stage,
		"certificates: [{certificate: a.pem, key: a.key}]\n"
		"listen: [{address: '127.0.0.1:0'}]\n"
		"broker: {address: 'new.example:443', hostname: by.name.example}\n");
	scenario_reply(&stage.scenario, call, TARGET, NULL);
	call = scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);
	assert_string_equal(call->ca_file, "/ca.pem");
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_LICENSE_PATH),
		"7070@license.example");
	scenario_reply(&stage.scenario, call, LAUNCHED, NULL);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	answer = manager_stage_start(&stage, BYE);
	call = scenario_called(&stage.scenario, MESSAGE_BYE);
	assert_string_equal(call->address, "new.example:443");
	assert_string_equal(call->policy_name, "by.name.example");
	assert_int_equal(call->timeout_ms, 5000);
	scenario_reply(&stage.scenario, call, "<bye-resp></bye-resp>", NULL);
	assert_answer(answer, MESSAGE_BYE_RESP, NULL);
}

/* With either root and any version: the broker is asked under its own, with that version. */
static void test_roots_and_versions(void **state)
{
	static const enum message_root roots[] = {ROOT_CLIENT, ROOT_BROKER};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scenario_request request = {
			.endpoint = stage.manager.endpoint,
			.root = roots[i],
			.inner = HELLO,
			.version = "1.0",
		};
		struct scenario_answer *answer = scenario_send(&stage.scenario, &request);
		struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_HELLO);

		assert_int_equal(call->request->root, ROOT_BROKER);
		assert_int_equal(call->request->version.major, 1);
		assert_int_equal(call->request->version.minor, 0);
		scenario_reply(&stage.scenario, call, HELLO_ANSWER, NULL);
		assert_int_equal(answer->message->root, roots[i]);
		assert_int_equal(answer->message->version.major, 1);
	}
}

/* However little memory a request gets: it is answered, and the session stands. */
static void test_memory(void **state)
{
	static const struct {
		const char *inner;
		enum message_id request, answer;
		const char *broker;
	} cases[] = {
		{HELLO, MESSAGE_HELLO, MESSAGE_HELLO_RESP, HELLO_ANSWER},
		{AUTHENTICATE_AS("alice", SCENARIO_PASSWORD), MESSAGE_AUTHENTICATE,
			MESSAGE_AUTHENTICATE_RESP,
			AUTHENTICATE_ANSWER("AUTH_SUCCESSFUL_AND_COMPLETE")},
		{ALLOCATE("edit"), MESSAGE_ALLOCATE_RESOURCE, MESSAGE_ALLOCATE_RESOURCE_RESP,
			TARGET},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned exhausted = 0, whole = 0;

		for (size_t maximum = 24576; maximum > 0; maximum -= maximum > 512 ? 128 : 32) {
			struct scenario_request request = {
				.endpoint = stage.manager.endpoint,
				.root = ROOT_CLIENT,
				.inner = cases[i].inner,
				.cookie = stage.cookie,
				.arena_maximum = maximum,
				.log_id = SCENARIO_LOG_ID,
			};
			struct scenario_answer *answer;
			struct scenario_call *call;

			stage.cookie[0] = '\0';
			if (i == 1)
				manager_stage_hello(&stage);
			else if (i > 1)
				manager_stage_logon(&stage);
			answer = scenario_send(&stage.scenario, &request);
			while ((call = scenario_pending(&stage.scenario)) != NULL)
				scenario_reply(&stage.scenario, call,
					call->request->id == MESSAGE_LAUNCH_SESSION
						? LAUNCHED
						: cases[i].broker,
					NULL);
			assert_true(answer->done);
			assert(answer->status == 503 || answer->message != NULL);
			if (answer->status == 503)
				exhausted++;
			else if (answer->message->id == cases[i].answer)
				whole++;
			else
				assert_int_equal(answer->message->id, MESSAGE_ERROR_RESP);
			if (answer->message != NULL &&
				answer->message->id == MESSAGE_ALLOCATE_RESOURCE_RESP &&
				strstr(answer->body, "ALLOC_SUCCESSFUL") != NULL)
				assert_field(answer,
					FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG, "dGFn");
		}
		assert_true(exhausted > 0);
		assert_true(whole > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hello, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pcm_info, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broker_cookie, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_answers_as_they_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_results_of_other_messages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broker_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broker_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_error_is_relayed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_extensions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reload_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_roots_and_versions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
