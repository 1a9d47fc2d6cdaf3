/*
 * Who gets a host: a taken one, one that is free again, one for several users; launches that fail;
 * a configuration that changes meanwhile.
 */
#include "broker_stage.h"

#define ALICE_AT "2027-01-15 08:00 UTC"
#define ALICE_UNTIL "2027-01-15 09:00 UTC"
#define MINUTE (60 * CLOCK_SECOND)

static struct broker_stage stage;
static char alice[SESSIONS_COOKIE_SIZE], bob[SESSIONS_COOKIE_SIZE];

static int set_up(void **state)
{
	(void)state;
	broker_stage_begin(&stage, BROKER_YAML, 0);
	broker_stage_logon(&stage, ROOT_CLIENT, "alice", alice);
	broker_stage_logon(&stage, ROOT_CLIENT, "bob", bob);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	broker_stage_end(&stage);
	return 0;
}

/* The agent is asked to prepare a session and answers so. */
static struct scenario_answer *allocate(const char *cookie, const char *inner, const char *agent)
{
	struct scenario_answer *answer = broker_stage_start(&stage, ROOT_CLIENT, cookie, inner);
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);

	if (agent != NULL)
		scenario_reply(&stage.scenario, call, agent, NULL);
	else
		scenario_fail(call, ERROR_TIMEOUT);
	return answer;
}

static void alice_takes(void)
{
	assert_answer(allocate(alice, ALLOCATE("edit"), LAUNCHED), MESSAGE_ALLOCATE_RESOURCE_RESP,
		"ALLOC_SUCCESSFUL");
}

static bool taken(void)
{
	struct occupant who;

	return occupancy_who(stage.broker.occupancy, "edit-01", &who) == 0;
}

/* Bob asks; the agent says which state its session is in, NULL: it does not answer. */
static struct scenario_answer *bob_asks(const char *status)
{
	struct scenario_answer *answer =
		broker_stage_start(&stage, ROOT_CLIENT, bob, ALLOCATE("edit"));
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_SESSION_STATUS);

	assert_string_equal(call->address, "10.1.0.11:60443");
	assert_string_equal(call->policy_name, "edit-01.example");
	if (status != NULL)
		scenario_reply(&stage.scenario, call, status, NULL);
	else
		scenario_fail(call, ERROR_TIMEOUT);
	return answer;
}

static void assert_refused(const struct scenario_answer *answer)
{
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, NULL);
	assert_field_has(answer, FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_ID, "ALLOC_FAILED_");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET, NULL);
	assert_int_equal(broker_stage_state(&stage, bob), STATE_AUTHENTICATED);
	scenario_not_called(&stage.scenario);
}

static void test_taken(void **state)
{
	static const char *const active[] = {STATUS("ACTIVE"), STATUS("PREPARED")};

	(void)state;
	alice_takes();
	clock_fake_advance(&stage.scenario.clock, MINUTE);
	for (size_t i = 0; i < sizeof(active) / sizeof(active[0]); i++) {
		struct scenario_answer *answer = bob_asks(active[i]);
		const char *text = message_text(
			answer->message, FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR);

		assert_refused(answer);
		/* Which, since when, until when, and who may free it; but not who has it. */
		assert_non_null(strstr(text, "Edit suite 1"));
		assert_non_null(strstr(text, ALICE_AT));
		assert_non_null(strstr(text, ALICE_UNTIL));
		assert_non_null(strstr(text, "the help desk"));
		assert_null(strstr(text, "alice"));
	}
}

static void test_taken_without_contact(void **state)
{
	(void)state;
	broker_stage_load(&stage, BROKER_HEAD BROKER_USERS BROKER_HOSTS "hold-minutes: 60\n");
	alice_takes();
	assert_field_has(bob_asks(STATUS("ACTIVE")), FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR,
		"your administrator can free it");
}

/* Nobody tells the broker that a session has ended: it asks when it matters. */
static void test_freed_when_the_agent_is_free(void **state)
{
	struct scenario_answer *answer;
	struct occupant who;

	(void)state;
	alice_takes();
	answer = bob_asks(STATUS("FREE"));
	scenario_reply(&stage.scenario, scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION),
		LAUNCHED, NULL);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	assert_int_equal(occupancy_who(stage.broker.occupancy, "edit-01", &who), 0);
	assert_string_equal(who.user, "bob");
}

static void test_kept_when_the_agent_does_not_tell(void **state)
{
	(void)state;
	alice_takes();
	assert_refused(bob_asks(NULL));
	assert_refused(bob_asks("<error-resp><result><result-id>ERR_INTERNAL</result-id></result>"
				"</error-resp>"));
	assert_refused(bob_asks("<session-status-resp><result-id>FAILED_INTERNAL</result-id>"
				"</session-status-resp>"));
	stage.scenario.peer_refuses = ERROR_MEMORY;
	assert_refused(broker_stage_start(&stage, ROOT_CLIENT, bob, ALLOCATE("edit")));
	assert_true(taken());
}

/* Between the question and the answer somebody else was quicker. */
static void test_taken_while_asking(void **state)
{
	struct scenario_answer *answer;
	struct scenario_call *call;
	struct occupant who;

	(void)state;
	alice_takes();
	answer = broker_stage_start(&stage, ROOT_CLIENT, bob, ALLOCATE("edit"));
	call = scenario_called(&stage.scenario, MESSAGE_SESSION_STATUS);
	assert_int_equal(
		occupancy_take(stage.broker.occupancy, "edit-01", "alice", "studio", MINUTE, &who),
		0);
	scenario_reply(&stage.scenario, call, STATUS("FREE"), NULL);
	assert_refused(answer);
	assert_int_equal(occupancy_who(stage.broker.occupancy, "edit-01", &who), 0);
	assert_string_equal(who.user, "alice");
}

static void test_hold_ends(void **state)
{
	(void)state;
	alice_takes();
	/* Sessions are shorter than holds: bob comes with a new one. */
	clock_fake_advance(&stage.scenario.clock, BROKER_HOLD_MINUTES * MINUTE - 1);
	broker_stage_logon(&stage, ROOT_CLIENT, "bob", bob);
	assert_refused(bob_asks(STATUS("ACTIVE")));
	clock_fake_advance(&stage.scenario.clock, 1);
	assert_answer(allocate(bob, ALLOCATE("edit"), LAUNCHED), MESSAGE_ALLOCATE_RESOURCE_RESP,
		"ALLOC_SUCCESSFUL");
}

static void test_same_user_again(void **state)
{
	(void)state;
	alice_takes();
	broker_stage_logon(&stage, ROOT_CLIENT, "ALICE", alice);
	alice_takes();
	assert_true(taken());
}

/* Another resource on the same host is the same host. */
static void test_two_resources_one_host(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	alice_takes();
	answer = broker_stage_start(&stage, ROOT_CLIENT, bob, ALLOCATE("grade"));
	scenario_reply(&stage.scenario, scenario_called(&stage.scenario, MESSAGE_SESSION_STATUS),
		STATUS("ACTIVE"), NULL);
	assert_refused(answer);
	assert_field_has(
		answer, FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR, "Grading is in use");
}

static void test_several_users(void **state)
{
	struct occupant who;

	(void)state;
	assert_answer(allocate(alice, ALLOCATE("farm"), LAUNCHED), MESSAGE_ALLOCATE_RESOURCE_RESP,
		"ALLOC_SUCCESSFUL");
	assert_answer(allocate(bob, ALLOCATE("farm"), LAUNCHED), MESSAGE_ALLOCATE_RESOURCE_RESP,
		"ALLOC_SUCCESSFUL");
	assert_int_equal(occupancy_who(stage.broker.occupancy, "farm-01", &who), ERROR_NOT_FOUND);
}

/* A host of its own port, without a name of its own, and without a launch of its own. */
static void test_host_details(void **state)
{
	struct scenario_answer *answer =
		broker_stage_start(&stage, ROOT_CLIENT, alice, ALLOCATE("farm"));
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);

	(void)state;
	assert_string_equal(call->address, "10.1.0.50:60500");
	assert_string_equal(call->policy_name, "10.1.0.50");
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_HOSTNAME), "10.1.0.50");
	scenario_reply(&stage.scenario, call, LAUNCHED, NULL);
	assert_true(answer->done);
}

static void test_launch_fails(void **state)
{
	static const struct {
		int error; /* of the call; 0: the agent answers */
		const char *agent, *result, *text;
	} cases[] = {
		{ERROR_TIMEOUT, NULL, "ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE", "60443"},
		{ERROR_UNREACHABLE, NULL, "ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE",
			"60443"},
		{ERROR_CLOSED, NULL, "ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE", "60443"},
		{ERROR_UNTRUSTED, NULL, "ALLOC_FAILED_TO_ALLOCATE_AGENT", "edit-01.example"},
		{ERROR_TLS, NULL, "ALLOC_FAILED_TO_ALLOCATE_AGENT", "edit-01.example"},
		{ERROR_INPUT, NULL, "ALLOC_FAILED_TO_ALLOCATE_AGENT", "edit-01.example"},
		{0, LAUNCH_FAILED("FAILED_USER_AUTH", "bad logon"),
			"ALLOC_FAILED_TO_ALLOCATE_AGENT", "bad logon"},
		{0, LAUNCH_FAILED("FAILED_ANOTHER_SESION_STARTED", "somebody else"),
			"ALLOC_FAILED_TO_ALLOCATE_AGENT", "somebody else"},
		{0, LAUNCH_FAILED("FAILED_NO_LICENSE", "all seats taken"),
			"ALLOC_FAILED_NO_LICENSE", "all seats taken"},
		{0, LAUNCH_FAILED("FAILED_SERVICE_BUSY", "busy"), "ALLOC_PENDING_TRY_AGAIN",
			"busy"},
		{0, LAUNCH_FAILED("FAILED_INTERNAL", "broken"), "ALLOC_FAILED_TO_ALLOCATE_AGENT",
			"broken"},
		{0, LAUNCH_FAILED("OF_TOMORROW", "who knows"), "ALLOC_FAILED_TO_ALLOCATE_AGENT",
			"who knows"},
		{0,
			"<launch-session-resp><result-id>FAILED_USER_AUTH</result-id></"
			"launch-session-resp>",
			"ALLOC_FAILED_TO_ALLOCATE_AGENT", "user authentication failing"},
		/* Success, but no session. */
		{0, "<launch-session-resp><result-id>SUCCESSFUL</result-id></launch-session-resp>",
			"ALLOC_FAILED_TO_ALLOCATE_AGENT", "lacks"},
		/* Success, but nobody knows where. */
		{0,
			"<launch-session-resp><result-id>SUCCESSFUL</result-id><session-info>"
			"<sni>x</sni><port>4172</port><session-id>1</session-id>"
			"<session-tag>dGFn</session-tag></session-info></launch-session-resp>",
			"ALLOC_FAILED_TO_ALLOCATE_AGENT", "lacks"},
		{0,
			"<error-resp><result><result-id>ERR_INVALID_MSG_FORMAT</result-id></"
			"result></error-resp>",
			"ALLOC_FAILED_TO_ALLOCATE_AGENT", "PCoIP Agent failed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scenario_answer *answer =
			broker_stage_start(&stage, ROOT_CLIENT, alice, ALLOCATE("edit"));
		struct scenario_call *call =
			scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);

		assert_true(taken());
		if (cases[i].error != 0)
			scenario_fail(call, cases[i].error);
		else
			scenario_reply(&stage.scenario, call, cases[i].agent, NULL);
		assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, cases[i].result);
		assert_field_has(
			answer, FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR, cases[i].text);
		assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET, NULL);
		/* Others may have it, and she may try again: the password is still there. */
		assert_false(taken());
		assert_int_equal(broker_stage_state(&stage, alice), STATE_AUTHENTICATED);
	}
	stage.scenario.peer_refuses = ERROR_MEMORY;
	assert_answer(broker_stage_start(&stage, ROOT_CLIENT, alice, ALLOCATE("edit")),
		MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_FAILED_TO_ALLOCATE_BROKER");
	assert_false(taken());
	stage.scenario.peer_refuses = 0;
	alice_takes();
}

/* The password was never ours: authenticated behind a manager, allocated without one. */
static void test_no_password(void **state)
{
	char cookie[SESSIONS_COOKIE_SIZE];

	(void)state;
	broker_stage_logon(&stage, ROOT_BROKER, "alice", cookie);
	assert_answer(broker_stage_ask(&stage, ROOT_CLIENT, cookie, ALLOCATE("edit")),
		MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_FAILED_TO_ALLOCATE_BROKER");
	scenario_not_called(&stage.scenario);
	assert_false(taken());
}

/* A request goes on with the configuration it began with. */
static void test_reload_meanwhile(void **state)
{
	struct scenario_answer *answer =
		broker_stage_start(&stage, ROOT_CLIENT, alice, ALLOCATE("edit"));
	struct scenario_answer *logon;
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);
	char cookie[SESSIONS_COOKIE_SIZE];

	(void)state;
	broker_stage_hello(&stage, ROOT_CLIENT, cookie);
	logon = broker_stage_start(
		&stage, ROOT_CLIENT, cookie, AUTHENTICATE_AS("alice", SCENARIO_PASSWORD));
	broker_stage_load(&stage, BROKER_HEAD "users: []\nhosts: []\nresources: []\n");
	scenario_wait(logon);
	assert_answer(logon, MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_COMPLETE");
	scenario_reply(&stage.scenario, call, LAUNCHED, NULL);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_HOSTNAME, "edit-01.example");
	/* The next one has the new. */
	assert_answer(broker_stage_ask(&stage, ROOT_CLIENT, bob, LIST),
		MESSAGE_GET_RESOURCE_LIST_RESP, "LIST_FAILED_NO_ENTITLEMENT");
	assert_answer(broker_stage_ask(&stage, ROOT_CLIENT, bob, ALLOCATE("edit")),
		MESSAGE_ALLOCATE_RESOURCE_RESP, NULL);
	assert_int_equal(broker_stage_state(&stage, bob), STATE_AUTHENTICATED);
	/* Who has a host keeps it. */
	assert_true(taken());
}

/* More than one message holds. */
static void test_long_list(void **state)
{
	char *yaml = malloc(1 << 20);
	struct scenario_answer *answer;
	size_t count = 0;
	char *at = yaml;

	(void)state;
	assert_non_null(yaml);
	at += sprintf(at, "%s",
		BROKER_HEAD BROKER_USERS "hosts: [{name: h, address: 10.1.0.11}]\nresources:\n");
	for (int i = 0; i < 1000; i++)
		at += sprintf(at, "  - {id: r%d, name: n, host: h, users: [alice]}\n", i);
	broker_stage_load(&stage, yaml);
	free(yaml);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, alice, LIST);
	assert_answer(answer, MESSAGE_GET_RESOURCE_LIST_RESP, "LIST_SUCCESSFUL");
	for (const struct message_node *node =
			message_find(answer->message, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE);
		node != NULL; node = message_next(node))
		count++;
	assert_int_equal(count, FIELD_REPEAT_MAXIMUM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_taken_without_contact, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_freed_when_the_agent_is_free, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_kept_when_the_agent_does_not_tell, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_taken_while_asking, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hold_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_same_user_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_resources_one_host, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_several_users, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_host_details, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_launch_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reload_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_list, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
