/*
 * Logons of several steps through the manager: dialogs and terms go through as they are, and the
 * password that launch-session gets is the one that is valid in the end.
 */
#include "manager_stage.h"

#define INCOMPLETE(next)                                                                           \
	"<authenticate-resp><result><result-id>AUTH_SUCCESSFUL_AND_INCOMPLETE</result-id>"         \
	"<result-str>more</result-str></result><next-authentication>" next                         \
	"</next-authentication></authenticate-resp>"
#define REFUSED(next)                                                                              \
	"<authenticate-resp><result><result-id>AUTH_FAILED_DIALOG_INVALID_USER_ENTRY</result-id>"  \
	"</result><next-authentication>" next "</next-authentication></authenticate-resp>"
#define DIALOG(id, purpose, prompts)                                                               \
	"<authentication-methods><method>AUTHENTICATE_VIA_DIALOG</method>"                         \
	"</authentication-methods><dialog id=\"" id "\" purpose=\"" purpose "\">"                  \
	"<title>Title</title><text>Text</text>" prompts "</dialog>"
#define FACTOR                                                                                     \
	DIALOG("d1", "second-factor", "<prompt name=\"answer\" hidden=\"true\">Code</prompt>")
#define CHANGE                                                                                     \
	DIALOG("d2", "new-password",                                                               \
		"<prompt name=\"new-password\" hidden=\"true\">New</prompt>"                       \
		"<prompt name=\"repeat\" hidden=\"true\">Again</prompt>")
#define ANSWER(id, entries)                                                                        \
	"<authenticate method=\"dialog\"><dialog-id>" id "</dialog-id>" entries "</authenticate>"
#define CODE ANSWER("d1", "<answer name=\"answer\">123456</answer>")
#define CHOSEN                                                                                     \
	ANSWER("d2",                                                                               \
		"<answer name=\"repeat\">not this</answer>"                                        \
		"<answer name=\"new-password\"> n&amp;w </answer>")
#define NEW " n&w "
#define COMPLETE AUTHENTICATE_ANSWER("AUTH_SUCCESSFUL_AND_COMPLETE")
#define ALICE AUTHENTICATE_AS("alice", SCENARIO_PASSWORD)

static struct manager_stage stage;

static int set_up(void **state)
{
	(void)state;
	manager_stage_begin(&stage);
	manager_stage_hello(&stage);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	manager_stage_end(&stage);
	return 0;
}

static struct scenario_answer *step(const char *inner, const char *broker)
{
	return manager_stage_relay(&stage, MESSAGE_AUTHENTICATE, inner, broker, NULL);
}

/* What the agent is told once a resource is allocated. */
static void assert_launched_as(const char *user, const char *password)
{
	struct scenario_answer *answer = manager_stage_relay(
		&stage, MESSAGE_ALLOCATE_RESOURCE, ALLOCATE("edit"), TARGET, NULL);
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);

	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_LOGON_USERNAME), user);
	assert_string_equal(
		scenario_call_text(call, FIELD_LAUNCH_SESSION_LOGON_PASSWORD), password);
	scenario_reply(&stage.scenario, call, LAUNCHED, NULL);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
}

static void a_second_factor(void **state)
{
	struct scenario_answer *answer = step(ALICE, INCOMPLETE(FACTOR));
	struct scenario_call *call;

	(void)state;
	assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_INCOMPLETE");
	assert_field(answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_ID, "d1");
	assert_field(answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_PURPOSE,
		"second-factor");
	assert_field(answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_TEXT, "Text");
	assert_field(answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_PROMPT, "Code");
	assert_field(
		answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_PROMPT_NAME, "answer");
	assert_field(
		answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_PROMPT_HIDDEN, "true");
	assert_session(&stage, STATE_CREATED, false);
	answer = manager_stage_start(&stage, CODE);
	call = scenario_called(&stage.scenario, MESSAGE_AUTHENTICATE);
	assert_string_equal(scenario_call_text(call, FIELD_AUTHENTICATE_METHOD), "dialog");
	assert_string_equal(scenario_call_text(call, FIELD_AUTHENTICATE_DIALOG_ID), "d1");
	assert_string_equal(scenario_call_text(call, FIELD_AUTHENTICATE_ANSWER), "123456");
	assert_string_equal(scenario_call_text(call, FIELD_AUTHENTICATE_ANSWER_NAME), "answer");
	scenario_reply(&stage.scenario, call, COMPLETE, NULL);
	assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_COMPLETE");
	assert_session(&stage, STATE_AUTHENTICATED, true);
	assert_launched_as("alice", SCENARIO_PASSWORD);
}

static void a_new_password(void **state)
{
	(void)state;
	(void)step(ALICE, INCOMPLETE(CHANGE));
	(void)step(CHOSEN, COMPLETE);
	assert_launched_as("alice", NEW);
}

static void a_new_password_and_a_factor(void **state)
{
	(void)state;
	(void)step(ALICE, INCOMPLETE(CHANGE));
	(void)step(CHOSEN, INCOMPLETE(FACTOR));
	(void)step(CODE, COMPLETE);
	assert_launched_as("alice", NEW);
}

static void a_new_password_that_is_refused(void **state)
{
	(void)state;
	(void)step(ALICE, INCOMPLETE(CHANGE));
	(void)step(ANSWER("d2", "<answer name=\"new-password\">weak</answer>"), REFUSED(CHANGE));
	(void)step(CHOSEN, COMPLETE);
	assert_launched_as("alice", NEW);
}

/* A broker that asks once more has not taken what it was told, whatever its result is. */
static void a_new_password_that_is_not_taken(void **state)
{
	(void)state;
	(void)step(ALICE, INCOMPLETE(CHANGE));
	(void)step(ANSWER("d2", "<answer name=\"new-password\">weak</answer>"), INCOMPLETE(CHANGE));
	(void)step(ANSWER("d2", "<answer name=\"repeat\">not this</answer>"), COMPLETE);
	assert_launched_as("alice", SCENARIO_PASSWORD);
}

/* Only a dialog of that purpose changes the password, whatever its entries are called. */
static void an_entry_of_that_name(void **state)
{
	(void)state;
	(void)step(ALICE, INCOMPLETE(FACTOR));
	(void)step(ANSWER("d1", "<answer name=\"new-password\">forged</answer>"), COMPLETE);
	assert_launched_as("alice", SCENARIO_PASSWORD);
}

/* Who begins anew is who is logged on. */
static void another_user_in_between(void **state)
{
	(void)state;
	(void)step(ALICE, INCOMPLETE(CHANGE));
	(void)step(AUTHENTICATE_AS("bob", "pw of bob"), INCOMPLETE(FACTOR));
	(void)step(CODE, COMPLETE);
	assert_launched_as("bob", "pw of bob");
}

/* What failed is forgotten, and an answer to nothing brings no old password back. */
static void a_failure_forgets(void **state)
{
	(void)state;
	(void)step(ALICE, INCOMPLETE(FACTOR));
	(void)step(CODE, AUTHENTICATE_ANSWER("AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD"));
	(void)step(CODE, COMPLETE);
	assert_launched_as("", "");
}

static void terms(void **state)
{
	struct scenario_answer *answer;
	struct scenario_call *call;

	(void)state;
	answer = manager_stage_relay(&stage, MESSAGE_HELLO, HELLO,
		"<hello-resp><next-authentication><authentication-methods>"
		"<method>AUTHENTICATE_VIA_DISCLAIMER</method></authentication-methods>"
		"<disclaimer><title>T</title><paragraph>One</paragraph><paragraph>Two</paragraph>"
		"</disclaimer></next-authentication></hello-resp>",
		NULL);
	assert_field(answer, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DISCLAIMER_TITLE, "T");
	assert_field(answer, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DISCLAIMER_PARAGRAPH, "One");
	answer = manager_stage_start(&stage,
		"<authenticate method=\"disclaimer\"><disclaimer-accepted>true"
		"</disclaimer-accepted></authenticate>");
	call = scenario_called(&stage.scenario, MESSAGE_AUTHENTICATE);
	assert_string_equal(
		scenario_call_text(call, FIELD_AUTHENTICATE_DISCLAIMER_ACCEPTED), "true");
	scenario_reply(&stage.scenario, call,
		INCOMPLETE("<authentication-methods><method>AUTHENTICATE_VIA_PASSWORD</method>"
			   "</authentication-methods>"),
		NULL);
	assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_INCOMPLETE");
	(void)step(ALICE, COMPLETE);
	assert_launched_as("alice", SCENARIO_PASSWORD);
}

/* Somebody may look for his telephone, but a connection comes about at once or not at all. */
static void how_long_the_broker_is_waited_for(void **state)
{
	struct scenario_answer *answer = manager_stage_start(&stage, ALICE);
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_AUTHENTICATE);

	(void)state;
	assert_int_equal(call->timeout_ms, 61000);
	assert_int_equal(call->connect_ms, 4000);
	scenario_reply(&stage.scenario, call, COMPLETE, NULL);
	assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_COMPLETE");
	(void)manager_stage_start(&stage, LIST);
	call = scenario_called(&stage.scenario, MESSAGE_GET_RESOURCE_LIST);
	assert_int_equal(call->timeout_ms, 4000);
	scenario_reply(&stage.scenario, call,
		RESULT_ANSWER("get-resource-list-resp", "LIST_SUCCESSFUL", "x"), NULL);
}

/* ---- a spent broker session ---- */

static void spend(void)
{
	struct scenario_answer *answer = manager_stage_relay(
		&stage, MESSAGE_ALLOCATE_RESOURCE, ALLOCATE("edit"), TARGET, NULL);

	scenario_fail(scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION), ERROR_TIMEOUT);
	assert_true(answer->done);
}

static void assert_ended(struct scenario_answer *answer)
{
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_FAILED_TO_ALLOCATE_BROKER");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR,
		"Your logon has ended. Please connect again.");
	/* And the broker is not asked in vain once more. */
	answer = manager_stage_start(&stage, ALLOCATE("edit"));
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR,
		"Your logon has ended. Please connect again.");
	scenario_not_called(&stage.scenario);
	assert_session(&stage, STATE_AUTHENTICATED, false);
	assert_answer(manager_stage_start(&stage, LIST), MESSAGE_ERROR_RESP, "ERR_UNKNOWN_SESSION");
}

/* Nobody gets a challenge on his telephone that he did not ask for. */
static void no_second_factor_in_the_user_s_name(void **state)
{
	(void)state;
	(void)step(ALICE, INCOMPLETE(FACTOR));
	(void)step(CODE, COMPLETE);
	spend();
	assert_ended(manager_stage_start(&stage, ALLOCATE("edit")));
}

static struct scenario_answer *renew(const char *expected, const char *logon)
{
	struct scenario_answer *answer = manager_stage_start(&stage, ALLOCATE("edit"));
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_HELLO);

	scenario_reply(&stage.scenario, call, HELLO_ANSWER, "up2");
	call = scenario_called(&stage.scenario, MESSAGE_AUTHENTICATE);
	/* The client waits for an allocation, which takes no minute. */
	assert_int_equal(call->timeout_ms, 4000);
	assert_string_equal(scenario_call_text(call, FIELD_AUTHENTICATE_PASSWORD), expected);
	scenario_reply(&stage.scenario, call, logon, NULL);
	return answer;
}

static void a_broker_that_wants_more_now(void **state)
{
	static const char *const answers[] = {INCOMPLETE(FACTOR),
		AUTHENTICATE_ANSWER("AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD"),
		"<authenticate-resp><result><result-id>AUTH_FAILED_ACCESS_DENIED</result-id></"
		"result>"
		"<next-authentication><authentication-methods>"
		"<method>AUTHENTICATE_VIA_DISCLAIMER</method></authentication-methods>"
		"<disclaimer><paragraph>One</paragraph></disclaimer></next-authentication>"
		"</authenticate-resp>"};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		manager_stage_logon(&stage);
		spend();
		assert_ended(renew(SCENARIO_PASSWORD, answers[i]));
	}
}

/* A password that was changed in between is no reason to begin anew. */
static void the_new_password_renews(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	(void)step(ALICE, INCOMPLETE(CHANGE));
	(void)step(CHOSEN, COMPLETE);
	spend();
	answer = renew(NEW, COMPLETE);
	scenario_reply(&stage.scenario, scenario_called(&stage.scenario, MESSAGE_ALLOCATE_RESOURCE),
		TARGET, NULL);
	scenario_reply(&stage.scenario, scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION),
		LAUNCHED, NULL);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
}

/* ---- the configuration ---- */

static void how_long_by_default(void **state)
{
	static const struct {
		const char *yaml;
		unsigned timeout, authenticate;
	} cases[] = {
		{"", 5000, 70000},
		{"timeout-milliseconds: 60000\n", 60000, 70000},
		{"authenticate-timeout-ms: 5000\n", 5000, 5000},
		{"timeout-milliseconds: 300\nauthenticate-timeout-ms: 300\n", 300, 300},
	};
	struct manager_view *view;
	char yaml[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(yaml, sizeof(yaml),
			"certificates: [{certificate: a.pem, key: a.key}]\n"
			"listen: [{address: '127.0.0.1:0'}]\n"
			"broker: {address: 'b:443', trust: {ca: /ca.pem}}\n%s",
			cases[i].yaml);
		manager_stage_load(&stage, yaml);
		view = manager_view_hold(&stage.manager);
		assert_int_equal(view->timeout_ms, cases[i].timeout);
		assert_int_equal(view->authenticate_ms, cases[i].authenticate);
		manager_view_release(view);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_second_factor),
		TEST(a_new_password),
		TEST(a_new_password_and_a_factor),
		TEST(a_new_password_that_is_refused),
		TEST(a_new_password_that_is_not_taken),
		TEST(an_entry_of_that_name),
		TEST(another_user_in_between),
		TEST(a_failure_forgets),
		TEST(terms),
		TEST(how_long_the_broker_is_waited_for),
		TEST(no_second_factor_in_the_user_s_name),
		TEST(a_broker_that_wants_more_now),
		TEST(the_new_password_renews),
		TEST(how_long_by_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
