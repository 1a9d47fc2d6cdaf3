/*
 * The manager prepares the host that the broker has chosen.
 */
#include "manager_stage.h"

static struct manager_stage stage;

static int set_up(void **state)
{
	(void)state;
	manager_stage_begin(&stage);
	manager_stage_logon(&stage);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	manager_stage_end(&stage);
	return 0;
}

static void test_full_target(void **state)
{
	struct scenario_answer *answer = manager_stage_relay(&stage, MESSAGE_ALLOCATE_RESOURCE,
		"<allocate-resource><resource-id>edit</resource-id><protocol>PCOIP</protocol>"
		"<client-info><time-zone-windows>Pacific Standard Time</time-zone-windows>"
		"<ip-address>192.168.0.57</ip-address><mac-address>00:67:a8:2d:84:7e</mac-address>"
		"</client-info></allocate-resource>",
		TARGET, NULL);
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);

	(void)state;
	assert_false(answer->done);
	assert_string_equal(call->address, "10.1.0.11:60443");
	assert_string_equal(call->policy_name, "edit-01.example");
	assert_string_equal(call->ca_file, "/ca.pem");
	assert_int_equal(call->verify, CERTIFICATE_VERIFY_FULL);
	assert_int_equal(call->timeout_ms, 4000);
	assert_int_equal(call->request->root, ROOT_AGENT);
	/* The broker's session is none of the agent's business. */
	assert_null(call->cookie);
	assert_string_equal(call->log_id, SCENARIO_LOG_ID);
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_LOGON_USERNAME), "alice");
	assert_string_equal(
		scenario_call_text(call, FIELD_LAUNCH_SESSION_LOGON_PASSWORD), SCENARIO_PASSWORD);
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_LOGON_DOMAIN), "studio");
	assert_string_equal(
		scenario_call_text(call, FIELD_LAUNCH_SESSION_CLIENT_MAC), "00:67:a8:2d:84:7e");
	assert_string_equal(
		scenario_call_text(call, FIELD_LAUNCH_SESSION_CLIENT_IP), SCENARIO_CLIENT);
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_CLIENT_NAME), "desk-7");
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_LICENSE_PATH),
		"7070@license.example");
	assert_string_equal(
		scenario_call_text(call, FIELD_LAUNCH_SESSION_SESSION_LOG_ID), SCENARIO_LOG_ID);

	scenario_reply(&stage.scenario, call, LAUNCHED, NULL);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	assert_int_equal(answer->message->root, ROOT_CLIENT);
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_IP_ADDRESS, "10.1.0.11");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_HOSTNAME, "edit-01.example");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SNI, "edit-01.example");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_PORT, "4172");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SESSION_ID, "2305843009213693961");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG, "dGFn");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_RESOURCE_ID, "edit");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_PROTOCOL, "PCOIP");
	assert_session(&stage, STATE_ALLOCATED, false);

	assert_answer(manager_stage_relay(&stage, MESSAGE_BYE, BYE, "<bye-resp></bye-resp>", NULL),
		MESSAGE_BYE_RESP, NULL);
	assert_session(&stage, STATE_ENDED, false);
}

static void test_bye_instead(void **state)
{
	(void)state;
	assert_answer(manager_stage_relay(&stage, MESSAGE_BYE, BYE, "<bye-resp></bye-resp>", NULL),
		MESSAGE_BYE_RESP, NULL);
	assert_session(&stage, STATE_ENDED, false);
	assert_int_equal(sessions_count(stage.manager.sessions), 0);
}

/* How an agent is reached and verified: by its name, by its address, or as all others. */
static void test_agents(void **state)
{
	static const struct {
		const char *target, *address, *name, *fingerprint, *hostname;
		enum certificate_verify verify;
	} cases[] = {
		{TARGET_ANSWER("10.1.0.7", "<hostname>OLD-07.example</hostname>"), "10.1.0.7:60500",
			"old-07.example",
			"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
			"OLD-07.example", CERTIFICATE_VERIFY_FULL},
		{TARGET_ANSWER("10.1.0.99", "<hostname>lab.example</hostname>"), "10.1.0.99:60443",
			"10.1.0.99", NULL, "lab.example", CERTIFICATE_VERIFY_NONE},
		{TARGET_ANSWER("10.1.0.12", ""), "10.1.0.12:60443", "10.1.0.12", NULL, "10.1.0.12",
			CERTIFICATE_VERIFY_FULL},
		{TARGET_ANSWER("2001:db8::5", "<hostname>six.example</hostname>"),
			"[2001:db8::5]:60443", "six.example", NULL, "six.example",
			CERTIFICATE_VERIFY_FULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scenario_answer *answer;
		struct scenario_call *call;

		manager_stage_logon(&stage);
		answer = manager_stage_relay(
			&stage, MESSAGE_ALLOCATE_RESOURCE, ALLOCATE("edit"), cases[i].target, NULL);
		call = scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);
		assert_string_equal(call->address, cases[i].address);
		assert_string_equal(call->policy_name, cases[i].name);
		assert_int_equal(call->verify, cases[i].verify);
		if (cases[i].fingerprint != NULL)
			assert_string_equal(call->fingerprint, cases[i].fingerprint);
		else
			assert_null(call->fingerprint);
		assert_string_equal(
			scenario_call_text(call, FIELD_LAUNCH_SESSION_HOSTNAME), cases[i].hostname);
		assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_CLIENT_MAC),
			"00:00:00:00:00:00");
		scenario_reply(&stage.scenario, call, LAUNCHED, NULL);
		assert_field(
			answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_HOSTNAME, cases[i].hostname);
	}
}

/* What the broker refuses is refused, without asking an agent. */
static void test_broker_refuses(void **state)
{
	static const char *const results[] = {
		"ALLOC_FAILED_TO_ALLOCATE_BROKER", "ALLOC_PENDING_TRY_AGAIN", "ALLOC_OF_TOMORROW"};
	char inner[512];

	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		struct scenario_answer *answer;

		snprintf(inner, sizeof(inner),
			RESULT_ANSWER("allocate-resource-resp", "%s", "in use until noon"),
			results[i]);
		answer = manager_stage_relay(
			&stage, MESSAGE_ALLOCATE_RESOURCE, ALLOCATE("edit"), inner, NULL);
		assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, results[i]);
		assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR,
			"in use until noon");
		scenario_not_called(&stage.scenario);
		assert_session(&stage, STATE_AUTHENTICATED, true);
	}
}

/* A target with a tag is prepared already, by a manager or gateway further on. */
static void test_complete_target(void **state)
{
	struct scenario_answer *answer = manager_stage_relay(&stage, MESSAGE_ALLOCATE_RESOURCE,
		ALLOCATE("edit"),
		"<allocate-resource-resp><result><result-id>ALLOC_SUCCESSFUL</result-id></result>"
		"<target><ip-address>10.9.9.9</ip-address><hostname>gw</hostname><sni>gw</sni>"
		"<port>4172</port><session-id>7</session-id><connect-tag>dGFn</connect-tag></"
		"target>"
		"</allocate-resource-resp>",
		NULL);

	(void)state;
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	scenario_not_called(&stage.scenario);
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG, "dGFn");
	assert_session(&stage, STATE_ALLOCATED, false);
}

/* The broker's session has allocated: a further try finds a new one behind the same session of
 * ours, opened with the client's own hello and the sealed password. */
static struct scenario_answer *allocate_anew(const char *cookie)
{
	struct scenario_answer *answer = manager_stage_start(&stage, ALLOCATE("edit"));
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_HELLO);

	assert_null(call->cookie);
	assert_string_equal(scenario_call_text(call, FIELD_HELLO_CLIENT_INFO_HOSTNAME), "desk-7");
	assert_non_null(scenario_call_text(call, FIELD_HELLO_PCM_INFO_PRODUCT_NAME));
	scenario_reply(&stage.scenario, call, HELLO_ANSWER, cookie);
	call = scenario_called(&stage.scenario, MESSAGE_AUTHENTICATE);
	assert_string_equal(call->cookie, cookie);
	assert_string_equal(
		scenario_call_text(call, FIELD_AUTHENTICATE_PASSWORD), SCENARIO_PASSWORD);
	scenario_reply(
		&stage.scenario, call, AUTHENTICATE_ANSWER("AUTH_SUCCESSFUL_AND_COMPLETE"), NULL);
	call = scenario_called(&stage.scenario, MESSAGE_ALLOCATE_RESOURCE);
	assert_string_equal(call->cookie, cookie);
	scenario_reply(&stage.scenario, call, TARGET, NULL);
	return answer;
}

static void fail_launch(void)
{
	struct scenario_answer *answer = manager_stage_relay(
		&stage, MESSAGE_ALLOCATE_RESOURCE, ALLOCATE("edit"), TARGET, NULL);

	scenario_fail(scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION), ERROR_TIMEOUT);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP,
		"ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE");
}

/* The new session at the broker does not come about: a failure, and the next try begins again. */
static void test_no_new_session(void **state)
{
	static const struct {
		enum message_id at;
		const char *answer; /* NULL: none in time */
	} cases[] = {
		{MESSAGE_HELLO, NULL},
		{MESSAGE_HELLO, ERROR_ANSWER},
		{MESSAGE_AUTHENTICATE, NULL},
		{MESSAGE_AUTHENTICATE, ERROR_ANSWER},
		{MESSAGE_AUTHENTICATE, AUTHENTICATE_ANSWER("AUTH_FAILED_SERVICE_BUSY")},
	};
	struct scenario_answer *answer;

	(void)state;
	fail_launch();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scenario_call *call;

		answer = manager_stage_start(&stage, ALLOCATE("edit"));
		call = scenario_called(&stage.scenario, MESSAGE_HELLO);
		if (cases[i].at == MESSAGE_AUTHENTICATE) {
			scenario_reply(&stage.scenario, call, HELLO_ANSWER, "up2");
			call = scenario_called(&stage.scenario, MESSAGE_AUTHENTICATE);
		}
		if (cases[i].answer == NULL)
			scenario_fail(call, ERROR_TIMEOUT);
		else
			scenario_reply(&stage.scenario, call, cases[i].answer, NULL);
		assert_answer(
			answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_FAILED_TO_ALLOCATE_BROKER");
		assert_session(&stage, STATE_AUTHENTICATED, true);
	}
	answer = allocate_anew("up3");
	scenario_reply(&stage.scenario, scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION),
		LAUNCHED, NULL);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	assert_session(&stage, STATE_ALLOCATED, false);
}

static void test_agent_fails(void **state)
{
	static const struct {
		int error;
		const char *agent, *result, *text;
	} cases[] = {
		{ERROR_TIMEOUT, NULL, "ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE", "60443"},
		{ERROR_UNREACHABLE, NULL, "ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE",
			"60443"},
		{ERROR_UNTRUSTED, NULL, "ALLOC_FAILED_TO_ALLOCATE_AGENT", "edit-01.example"},
		{ERROR_INPUT, NULL, "ALLOC_FAILED_TO_ALLOCATE_AGENT", "edit-01.example"},
		{0,
			"<launch-session-resp><result-id>FAILED_ANOTHER_SESSION_STARTED</result-id>"
			"<fail-reason>somebody else</fail-reason></launch-session-resp>",
			"ALLOC_FAILED_TO_ALLOCATE_AGENT", "somebody else"},
		{0,
			"<launch-session-resp><result-id>FAILED_NO_LICENSE</result-id></"
			"launch-session-resp>",
			"ALLOC_FAILED_NO_LICENSE", "licence"},
		{0, ERROR_ANSWER, "ALLOC_FAILED_TO_ALLOCATE_AGENT", "PCoIP Agent failed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scenario_answer *answer = i == 0
			? manager_stage_relay(
				  &stage, MESSAGE_ALLOCATE_RESOURCE, ALLOCATE("edit"), TARGET, NULL)
			: allocate_anew("up2");
		struct scenario_call *call =
			scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);

		if (cases[i].error != 0)
			scenario_fail(call, cases[i].error);
		else
			scenario_reply(&stage.scenario, call, cases[i].agent, NULL);
		assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, cases[i].result);
		assert_field_has(
			answer, FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR, cases[i].text);
		/* Nothing of the broker's success is left. */
		assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET, NULL);
		assert_session(&stage, STATE_AUTHENTICATED, true);
	}
}

/* The answer of a broker to a session that has lost its password. */
static void test_no_password(void **state)
{
	struct session *session;
	struct scenario_answer *answer;

	(void)state;
	assert_int_equal(sessions_take(stage.manager.sessions, stage.cookie, &session), 0);
	seal_wipe(&session->password);
	sessions_release(stage.manager.sessions, session);
	answer = manager_stage_relay(
		&stage, MESSAGE_ALLOCATE_RESOURCE, ALLOCATE("edit"), TARGET, NULL);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_FAILED_TO_ALLOCATE_AGENT");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET, NULL);
	scenario_not_called(&stage.scenario);
}

/* Extensions of the broker's answer reach the client though the target is made anew. */
static void test_extension(void **state)
{
	struct scenario_answer *answer = manager_stage_relay(&stage, MESSAGE_ALLOCATE_RESOURCE,
		ALLOCATE("edit"),
		"<allocate-resource-resp><result><result-id>ALLOC_SUCCESSFUL</result-id></result>"
		"<target><ip-address>10.1.0.11</ip-address></target>"
		"<w:color xmlns:w=\"urn:other\">red</w:color></allocate-resource-resp>",
		NULL);

	(void)state;
	scenario_reply(&stage.scenario, scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION),
		LAUNCHED, NULL);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	assert_non_null(strstr(answer->body, ">red</w:color>"));
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG, "dGFn");
}

/* A broker's success that does not say where. */
static void test_no_target(void **state)
{
	struct scenario_answer *answer =
		manager_stage_relay(&stage, MESSAGE_ALLOCATE_RESOURCE, ALLOCATE("edit"),
			RESULT_ANSWER("allocate-resource-resp", "ALLOC_SUCCESSFUL", "fine"), NULL);

	(void)state;
	scenario_not_called(&stage.scenario);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_FAILED_TO_ALLOCATE_BROKER");
	assert_session(&stage, STATE_AUTHENTICATED, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full_target, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bye_instead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_agents, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broker_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_complete_target, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_target, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_new_session, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_agent_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_extension, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
