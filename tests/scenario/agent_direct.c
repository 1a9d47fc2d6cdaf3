/*
 * Direct connect: the agent as its own broker.
 */
#include "agent_stage.h"

static struct agent_stage stage;
static char cookie[SESSIONS_COOKIE_SIZE];

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

static struct scenario_answer *ask(const char *inner)
{
	struct scenario_answer *answer = agent_stage_direct(&stage, cookie, inner);

	scenario_wait(answer);
	return answer;
}

static void logon(const char *user)
{
	struct scenario_answer *answer;
	char inner[512];

	cookie[0] = '\0';
	answer = ask(HELLO);
	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	memcpy(cookie, answer->cookie, sizeof(cookie));
	snprintf(inner, sizeof(inner), AUTHENTICATE_AS("%s", "%s"), user, SCENARIO_PASSWORD);
	assert_answer(ask(inner), MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_COMPLETE");
}

static struct scenario_answer *allocate(const char *license)
{
	struct scenario_answer *answer = agent_stage_direct(&stage, cookie, ALLOCATE("0"));

	agent_stage_license(&stage, MESSAGE_CHECKOUT_LICENSE, license);
	scenario_wait(answer);
	return answer;
}

static void test_whole(void **state)
{
	struct scenario_answer *answer;
	char number[24];

	(void)state;
	answer = ask(HELLO);
	/* By this a client tells that there is nobody in between. */
	assert_field_has(answer, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_PRODUCT_NAME,
		"Direct-Connect Broker");
	assert_field(answer, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_HOSTNAME, AGENT_HOST);
	assert_field(answer, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DOMAINS_DOMAIN, "studio");
	assert_field(answer, FIELD_HELLO_RESP_PCM_INFO, NULL);
	logon("alice");
	answer = ask(LIST);
	assert_answer(answer, MESSAGE_GET_RESOURCE_LIST_RESP, "LIST_SUCCESSFUL");
	assert_field(answer, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID, "0");
	assert_field(answer, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_NAME, "Edit suite 1");
	assert_null(
		message_next(message_find(answer->message, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE)));
	answer = allocate(GRANTED);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	/* The address under which the client has found us. */
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_IP_ADDRESS, SCENARIO_LOCAL);
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_HOSTNAME, AGENT_HOST);
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SNI, AGENT_HOST);
	snprintf(number, sizeof(number), "%u", link_server_port(stage.agent.link));
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_PORT, number);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)stage.agent.session);
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SESSION_ID, number);
	assert_int_equal(strlen(message_text(
				 answer->message, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG)),
		LINK_TAG_SIZE - 1);
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_RESOURCE_ID, "0");
	assert_answer(ask(BYE), MESSAGE_BYE_RESP, NULL);
	/* The end of the broker session is not the end of the session. */
	assert_int_equal(stage.agent.phase, AGENT_PREPARED);
}

static void test_wrong_password(void **state)
{
	struct scenario_answer *answer = ask(HELLO);

	(void)state;
	memcpy(cookie, answer->cookie, sizeof(cookie));
	assert_answer(ask(AUTHENTICATE_AS("alice", "wrong")), MESSAGE_AUTHENTICATE_RESP,
		"AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD");
	assert_answer(ask(AUTHENTICATE_AS("alice", SCENARIO_PASSWORD)), MESSAGE_AUTHENTICATE_RESP,
		"AUTH_SUCCESSFUL_AND_COMPLETE");
}

static void test_probe(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	cookie[0] = '\0';
	answer = ask(HELLO_OF("QueryBrokerClient"));
	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	memcpy(cookie, answer->cookie, sizeof(cookie));
	assert_answer(ask(AUTHENTICATE_AS("alice", SCENARIO_PASSWORD)), MESSAGE_AUTHENTICATE_RESP,
		"AUTH_SUCCESSFUL_AND_COMPLETE");
}

static void test_unknown_resource(void **state)
{
	(void)state;
	logon("alice");
	assert_field_has(ask(ALLOCATE("edit")), FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_ID,
		"ALLOC_FAILED_");
	scenario_not_called(&stage.scenario);
	assert_answer(allocate(GRANTED), MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
}

static void test_licence_denied(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	logon("alice");
	answer = allocate(NO_SEATS);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_FAILED_NO_LICENSE");
	assert_field(
		answer, FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR, "All seats are taken.");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET, NULL);
	/* The logon still counts. */
	assert_answer(allocate(GRANTED), MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
}

/* However they came: another user has to wait, the same one takes his session over. */
static void test_launched_before(void **state)
{
	struct scenario_answer *answer;
	uint64_t first;

	(void)state;
	assert_answer(agent_stage_launch_licensed(&stage, LAUNCH("alice"), GRANTED),
		MESSAGE_LAUNCH_SESSION_RESP, "SUCCESSFUL");
	first = stage.agent.session;
	logon("bob");
	answer = ask(ALLOCATE("0"));
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_FAILED_TO_ALLOCATE_AGENT");
	assert_field_has(answer, FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR, "different user");
	assert_true(stage.agent.session == first);
	logon("alice");
	assert_answer(allocate(GRANTED), MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	assert_true(stage.agent.session != first);
	/* And back. */
	assert_answer(agent_stage_launch_licensed(&stage, LAUNCH("alice"), GRANTED),
		MESSAGE_LAUNCH_SESSION_RESP, "SUCCESSFUL");
}

static void test_filter(void **state)
{
	(void)state;
	logon("alice");
	assert_answer(ask("<get-resource-list><protocols><protocol>RDP</protocol></protocols>"
			  "</get-resource-list>"),
		MESSAGE_GET_RESOURCE_LIST_RESP, "LIST_FAILED_NO_ENTITLEMENT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_probe, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown_resource, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_licence_denied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_launched_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_filter, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
