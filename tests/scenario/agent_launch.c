/*
 * The agent's launch API: who gets a session, who does not, and what the licence has to do with it.
 */
#include <assert.h>

#include "agent_stage.h"

#define MINUTE (60 * CLOCK_SECOND)
#define DAY (24 * 60 * MINUTE)

static struct agent_stage stage;

static int set_up(void **state)
{
	(void)state;
	agent_stage_begin(&stage, AGENT_HEAD AGENT_USERS AGENT_LICENSE);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	agent_stage_end(&stage);
	return 0;
}

static void assert_launched(const struct scenario_answer *answer)
{
	assert_answer(answer, MESSAGE_LAUNCH_SESSION_RESP, "SUCCESSFUL");
	assert_field(answer, FIELD_LAUNCH_SESSION_RESP_FAIL_REASON, NULL);
}

static void assert_failed(
	const struct scenario_answer *answer, const char *result, const char *reason)
{
	assert_answer(answer, MESSAGE_LAUNCH_SESSION_RESP, result);
	assert_field_has(answer, FIELD_LAUNCH_SESSION_RESP_FAIL_REASON, reason);
	assert_field(answer, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO, NULL);
}

static void assert_status(const char *expected)
{
	struct scenario_answer *answer = agent_stage_launch(&stage, STATUS);

	assert_answer(answer, MESSAGE_SESSION_STATUS_RESP, "SUCCESSFUL");
	assert_field(answer, FIELD_SESSION_STATUS_RESP_SESSION_STATE, expected);
}

/* A session of alice, prepared; its id. */
static uint64_t alice_has_it(void)
{
	struct scenario_answer *answer =
		agent_stage_launch_licensed(&stage, LAUNCH("alice"), GRANTED);
	uint64_t session = 0;

	assert_launched(answer);
	assert_true(message_number(
		answer->message, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_ID, &session));
	return session;
}

/* The session ends, by itself or by its client. */
static void close_session(unsigned cause)
{
	assert_int_equal(link_server_close(stage.agent.link, stage.agent.session, cause), 0);
	agent_stage_license(&stage, MESSAGE_RETURN_LICENSE, RETURNED);
	assert_int_equal(stage.agent.phase, AGENT_FREE);
}

static void test_prepared(void **state)
{
	struct scenario_answer *answer = agent_stage_launch(&stage, LAUNCH("alice"));
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_CHECKOUT_LICENSE);
	char number[24], stamp[CLOCK_STAMP_SIZE];

	(void)state;
	assert_false(answer->done);
	assert_string_equal(call->address, "license.example:7070");
	assert_string_equal(call->policy_name, "license.example");
	assert_string_equal(call->ca_file, "/ca.pem");
	assert_string_equal(call->log_id, SCENARIO_LOG_ID);
	assert_string_equal(scenario_call_text(call, FIELD_CHECKOUT_LICENSE_HOST_ID), AGENT_HOST);
	assert_string_equal(
		scenario_call_text(call, FIELD_CHECKOUT_LICENSE_SESSION_LOG_ID), SCENARIO_LOG_ID);
	assert_status("PREPARED");
	scenario_reply(&stage.scenario, call, GRANTED, NULL);
	scenario_wait(answer);
	assert_launched(answer);
	assert_int_equal(answer->message->root, ROOT_AGENT);
	/* Under the address that the manager knows. */
	assert_field(answer, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_IP_ADDRESS, "10.1.0.11");
	assert_field(answer, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SNI, AGENT_HOST);
	snprintf(number, sizeof(number), "%u", link_server_port(stage.agent.link));
	assert_field(answer, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_PORT, number);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)stage.agent.session);
	assert_field(answer, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_ID, number);
	assert_int_equal(strlen(message_text(answer->message,
				 FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_TAG)),
		LINK_TAG_SIZE - 1);
	answer = agent_stage_launch(&stage, STATUS);
	assert_field(answer, FIELD_SESSION_STATUS_RESP_SESSION_STATE, "PREPARED");
	clock_stamp(SCENARIO_START, stamp);
	assert_field(answer, FIELD_SESSION_STATUS_RESP_SINCE, stamp);
	/* Whose session it is is not told. */
	assert_null(strstr(answer->body, "alice"));
}

static void test_wrong_password(void **state)
{
	static const char *const wrong[] = {
		LAUNCH_WITH("alice", "wrong", ""),
		LAUNCH_WITH("mallory", SCENARIO_PASSWORD, ""),
		LAUNCH_WITH("", "", ""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct scenario_answer *answer = agent_stage_launch(&stage, wrong[i]);

		scenario_wait(answer);
		assert_failed(answer, "FAILED_USER_AUTH", "user authentication failing");
		assert_status("FREE");
	}
	scenario_not_called(&stage.scenario);
}

/* Launches pass the guard as direct logons do: late answers, and a limit that no other spelling of
 * the name gets around. */
static void test_guarded(void **state)
{
	const struct guard_limits limits = {
		.user = 3, .known = 1, .delay_ms = 50, .delay_most_ms = 50};
	uint64_t begun = uv_hrtime();
	struct scenario_answer *answer;

	(void)state;
	guard_set_limits(stage.agent.guard, &limits);
	for (unsigned i = 0; i < 3; i++) {
		answer = agent_stage_launch(&stage, LAUNCH_WITH("alice", "wrong", ""));
		scenario_wait(answer);
		assert_failed(answer, "FAILED_USER_AUTH", "user authentication failing");
	}
	assert_true(uv_hrtime() - begun >= 150 * UINT64_C(1000000));
	answer = agent_stage_launch(&stage, LAUNCH("alice"));
	scenario_wait(answer);
	assert_failed(answer, "FAILED_USER_AUTH", "user authentication failing");
	answer = agent_stage_launch(&stage, LAUNCH_AS("alice", SCENARIO_PASSWORD, "", ""));
	scenario_wait(answer);
	assert_failed(answer, "FAILED_USER_AUTH", "user authentication failing");
	scenario_not_called(&stage.scenario);
}

static void test_another_user(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	(void)alice_has_it();
	answer = agent_stage_launch(&stage, LAUNCH("bob"));
	scenario_wait(answer);
	assert_failed(answer, "FAILED_ANOTHER_SESSION_STARTED", "different user");
	scenario_not_called(&stage.scenario);
	assert_string_equal(stage.agent.user, "alice");
	/* Until hers ends. */
	close_session(LINK_CAUSE_MANUAL_USER_DISCONNECT);
	assert_status("FREE");
	assert_launched(agent_stage_launch_licensed(&stage, LAUNCH("bob"), GRANTED));
	assert_string_equal(stage.agent.user, "bob");
}

/* His own session he takes over: a new id, a new tag, the same seat. */
static void test_take_over(void **state)
{
	struct scenario_answer *answer;
	struct scenario_call *call;
	uint64_t first = alice_has_it();

	(void)state;
	answer = agent_stage_launch(&stage, LAUNCH("ALICE"));
	call = scenario_called(&stage.scenario, MESSAGE_CHECKOUT_LICENSE);
	scenario_reply(&stage.scenario, call, GRANTED, NULL);
	scenario_wait(answer);
	assert_launched(answer);
	assert_true(stage.agent.session != first && stage.agent.session != 0);
	assert_int_equal(stage.agent.phase, AGENT_PREPARED);
	/* The end of the old one, told late, is not the end of the new. */
	for (int i = 0; i < 3; i++)
		(void)uv_run(&stage.scenario.uv, UV_RUN_NOWAIT);
	assert_int_equal(stage.agent.phase, AGENT_PREPARED);
	scenario_not_called(&stage.scenario);
	assert_int_equal(
		link_server_close(stage.agent.link, first, LINK_CAUSE_NONE), ERROR_NOT_FOUND);
}

/* While the licence is being asked for. */
static void test_two_at_once(void **state)
{
	struct scenario_answer *first = agent_stage_launch(&stage, LAUNCH("alice"));
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_CHECKOUT_LICENSE);
	struct scenario_answer *again = agent_stage_launch(&stage, LAUNCH("alice"));
	struct scenario_answer *other = agent_stage_launch(&stage, LAUNCH("bob"));

	(void)state;
	scenario_wait(again);
	scenario_wait(other);
	assert_failed(again, "FAILED_SERVICE_BUSY", "busy");
	assert_failed(other, "FAILED_ANOTHER_SESSION_STARTED", "different user");
	assert_false(first->done);
	scenario_reply(&stage.scenario, call, GRANTED, NULL);
	scenario_wait(first);
	assert_launched(first);
}

static void test_licence_denied(void **state)
{
	(void)state;
	assert_failed(agent_stage_launch_licensed(&stage, LAUNCH("alice"), NO_SEATS),
		"FAILED_NO_LICENSE", "All seats are taken.");
	assert_status("FREE");
	assert_int_equal(stage.agent.session, 0);
	/* A seat becomes free, for whoever comes. */
	assert_launched(agent_stage_launch_licensed(&stage, LAUNCH("bob"), GRANTED));
}

static int set_up_without_licence(void **state)
{
	(void)state;
	agent_stage_begin(&stage, AGENT_HEAD AGENT_USERS);
	return 0;
}

static void test_licence_not_configured(void **state)
{
	struct scenario_answer *answer = agent_stage_launch(&stage, LAUNCH("alice"));
	struct scenario_call *call;

	(void)state;
	scenario_wait(answer);
	assert_failed(answer, "FAILED_NO_LICENSE",
		"No licence service is configured for this host. Please tell your administrator.");
	scenario_not_called(&stage.scenario);
	/* The launch request may name one. */
	answer = agent_stage_launch(
		&stage, LAUNCH_WITH("alice", SCENARIO_PASSWORD, "7171@other.example"));
	call = scenario_called(&stage.scenario, MESSAGE_CHECKOUT_LICENSE);
	assert_string_equal(call->address, "other.example:7171");
	scenario_reply(&stage.scenario, call, GRANTED, NULL);
	scenario_wait(answer);
	assert_launched(answer);
}

static int set_up_restricted(void **state)
{
	(void)state;
	agent_stage_begin(&stage,
		AGENT_HEAD AGENT_USERS
		"license: {address: 'license.example:7070', restrict-path: true}\n");
	return 0;
}

/* Unless the agent is told to ask nobody but its own. */
static void test_licence_path_restricted(void **state)
{
	struct scenario_answer *answer;
	struct scenario_call *call;

	(void)state;
	answer = agent_stage_launch(
		&stage, LAUNCH_WITH("alice", SCENARIO_PASSWORD, "7171@other.example"));
	call = scenario_called(&stage.scenario, MESSAGE_CHECKOUT_LICENSE);
	assert_string_equal(call->address, "license.example:7070");
	scenario_reply(&stage.scenario, call, GRANTED, NULL);
	scenario_wait(answer);
	assert_launched(answer);
}

/* Two days from the last success, by the wall clock. */
static void test_grace(void **state)
{
	(void)state;
	assert_failed(agent_stage_launch_licensed(&stage, LAUNCH("alice"), NULL),
		"FAILED_NO_LICENSE", "grace");
	(void)alice_has_it();
	close_session(LINK_CAUSE_MANUAL_USER_DISCONNECT);
	clock_fake_advance(&stage.scenario.clock, 2 * DAY - 1);
	assert_launched(agent_stage_launch_licensed(&stage, LAUNCH("alice"), NULL));
	/* Nothing to return. */
	assert_int_equal(
		link_server_close(stage.agent.link, stage.agent.session, LINK_CAUSE_BYE), 0);
	while (stage.agent.phase != AGENT_FREE)
		(void)uv_run(&stage.scenario.uv, UV_RUN_ONCE);
	scenario_not_called(&stage.scenario);
	clock_fake_advance(&stage.scenario.clock, 1);
	assert_failed(agent_stage_launch_licensed(&stage, LAUNCH("alice"), NULL),
		"FAILED_NO_LICENSE", "grace");
	assert_status("FREE");
}

/* A licence that is lost ends the session. */
static void test_licence_lost(void **state)
{
	(void)state;
	(void)alice_has_it();
	clock_fake_advance(&stage.scenario.clock, 150 * CLOCK_SECOND - 1);
	agent_session_tick(&stage.agent);
	scenario_not_called(&stage.scenario);
	clock_fake_advance(&stage.scenario.clock, 1);
	agent_session_tick(&stage.agent);
	agent_stage_license(&stage, MESSAGE_RENEW_LICENSE,
		"<renew-license-resp><result-id>LICENSE_DENIED_EXPIRED</result-id></"
		"renew-license-resp>");
	while (stage.agent.phase != AGENT_FREE)
		(void)uv_run(&stage.scenario.uv, UV_RUN_ONCE);
	assert_status("FREE");
	scenario_not_called(&stage.scenario);
}

static void test_status_of_one_session(void **state)
{
	uint64_t session = alice_has_it();
	char inner[128];

	(void)state;
	snprintf(inner, sizeof(inner),
		"<session-status><session-id>%llu</session-id></session-status>",
		(unsigned long long)session);
	assert_field(agent_stage_launch(&stage, inner), FIELD_SESSION_STATUS_RESP_SESSION_STATE,
		"PREPARED");
	snprintf(inner, sizeof(inner),
		"<session-status><session-id>%llu</session-id></session-status>",
		(unsigned long long)session ^ 1);
	assert_field(
		agent_stage_launch(&stage, inner), FIELD_SESSION_STATUS_RESP_SESSION_STATE, "FREE");
}

static void test_full_queue(void **state)
{
	struct scenario_answer *first, *second;

	(void)state;
	work_queue_free(stage.scenario.loop.work);
	stage.scenario.loop.work = work_queue_new(1);
	first = agent_stage_launch(&stage, LAUNCH_WITH("alice", "wrong", ""));
	second = agent_stage_launch(&stage, LAUNCH("bob"));
	assert_failed(second, "FAILED_SERVICE_BUSY", "busy");
	scenario_wait(first);
	assert_failed(first, "FAILED_USER_AUTH", "authentication");
}

static void test_reload_meanwhile(void **state)
{
	struct scenario_answer *answer = agent_stage_launch(&stage, LAUNCH("alice"));

	(void)state;
	agent_stage_load(&stage, AGENT_HEAD "users: []\n");
	agent_stage_license(&stage, MESSAGE_CHECKOUT_LICENSE, GRANTED);
	scenario_wait(answer);
	assert_launched(answer);
	answer = agent_stage_launch(&stage, LAUNCH("alice"));
	scenario_wait(answer);
	assert_failed(answer, "FAILED_USER_AUTH", "authentication");
	/* Who has a session keeps it. */
	assert_status("PREPARED");
}

/* The administrator stops the agent: the session ends, the seat goes back. */
static void test_stop(void **state)
{
	(void)state;
	(void)alice_has_it();
	agent_session_stop(&stage.agent, agent_stage_stopped, &stage.stopped);
	agent_stage_license(&stage, MESSAGE_RETURN_LICENSE, RETURNED);
	while (!stage.stopped)
		(void)uv_run(&stage.scenario.uv, UV_RUN_ONCE);
	assert_int_equal(stage.agent.phase, AGENT_FREE);
}

static void test_not_a_launch(void **state)
{
	static const char *const inner[] = {HELLO, "<launch-session></launch-session>",
		"<launch-session><logon><username>alice</username></logon></launch-session>"};

	(void)state;
	for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
		struct scenario_answer *answer = agent_stage_launch(&stage, inner[i]);

		assert_answer(answer, MESSAGE_ERROR_RESP, "ERR_INVALID_MSG_FORMAT");
		assert_field(answer, FIELD_ERROR_RESP_DETECTED_BY, "AGENT");
		assert_int_equal(answer->message->root, ROOT_AGENT);
	}
}

/* However little memory a request gets: it is answered, and the host is free or has a session. */
static void test_memory(void **state)
{
	unsigned exhausted = 0, whole = 0;

	(void)state;
	for (size_t maximum = 16384; maximum > 0; maximum -= maximum > 512 ? 128 : 32) {
		struct scenario_request request = {
			.endpoint = stage.agent.launch,
			.root = ROOT_AGENT,
			.inner = LAUNCH("alice"),
			.arena_maximum = maximum,
		};
		struct scenario_answer *answer = scenario_send(&stage.scenario, &request);
		struct scenario_call *call;

		while (!answer->done) {
			call = scenario_pending(&stage.scenario);
			if (call != NULL)
				scenario_reply(&stage.scenario, call, GRANTED, NULL);
			else
				(void)uv_run(&stage.scenario.uv, UV_RUN_ONCE);
		}
		assert(answer->status == 503 || answer->message != NULL);
		if (answer->status == 503)
			exhausted++;
		else if (answer->message->id == MESSAGE_LAUNCH_SESSION_RESP)
			whole++;
		assert_true(stage.agent.phase == AGENT_FREE || stage.agent.phase == AGENT_PREPARED);
	}
	assert_true(exhausted > 0);
	assert_true(whole > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_prepared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_guarded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_another_user, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_take_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_licence_denied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_licence_not_configured, set_up_without_licence, tear_down),
		cmocka_unit_test_setup_teardown(
			test_licence_path_restricted, set_up_restricted, tear_down),
		cmocka_unit_test_setup_teardown(test_grace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_licence_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_status_of_one_session, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full_queue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reload_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_a_launch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
