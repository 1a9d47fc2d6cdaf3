/*
 * What users read: in the language of their hello, whatever the rest of a session does with them.
 */
#include "broker_stage.h"

#include "protocol/text.h"

#define HELLO_IN(locale)                                                                           \
	"<hello><client-info><product-name>Test Client</product-name><locale>" locale              \
	"</locale><hostname>desk-7</hostname></client-info></hello>"
#define WORDS FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR

static struct broker_stage stage;

static int set_up(void **state)
{
	(void)state;
	broker_stage_begin(&stage, BROKER_YAML, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	broker_stage_end(&stage);
	return 0;
}

static void logon(const char *hello, const char *user, char cookie[SESSIONS_COOKIE_SIZE])
{
	struct scenario_answer *answer = broker_stage_ask(&stage, ROOT_CLIENT, NULL, hello);
	char inner[512];

	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	memcpy(cookie, answer->cookie, SESSIONS_COOKIE_SIZE);
	snprintf(inner, sizeof(inner), AUTHENTICATE_AS("%s", "%s"), user, SCENARIO_PASSWORD);
	assert_answer(broker_stage_ask(&stage, ROOT_CLIENT, cookie, inner),
		MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_COMPLETE");
}

static const char *in(const char *locale, enum text_key key)
{
	return text_template(text_language(locale), key);
}

/* --- which one --- */

/* Answers are kept by root and language, and none is given to another one's users. */
static void test_greeting(void **state)
{
	static const struct {
		const char *hello, *locale;
	} cases[] = {
		{HELLO, "en_US"},
		{HELLO_IN("de_AT"), "de_DE"},
		{HELLO_IN("fr"), "fr_FR"},
		{HELLO_IN("es-MX.UTF-8"), "es_ES"},
		{HELLO_IN("JA_jp"), "ja_JP"},
		{HELLO_IN("zz_ZZ"), "en_US"},
		{HELLO_IN(""), "en_US"},
		{HELLO_IN("C"), "en_US"},
		{HELLO_IN("../../de%n"), "en_US"},
	};

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			for (int root = ROOT_CLIENT; root <= ROOT_BROKER; root++) {
				struct scenario_answer *answer = broker_stage_ask(
					&stage, (enum message_root)root, NULL, cases[i].hello);

				assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
				assert_field(answer,
					FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_LOCALE,
					cases[i].locale);
			}
		}
	}
}

/* What counts is the last hello: a probe's language is not the user's. */
static void test_second_hello(void **state)
{
	struct scenario_answer *answer = broker_stage_ask(&stage, ROOT_CLIENT, NULL, HELLO);
	char cookie[SESSIONS_COOKIE_SIZE];

	(void)state;
	memcpy(cookie, answer->cookie, sizeof(cookie));
	answer = broker_stage_ask(&stage, ROOT_CLIENT, cookie, HELLO_IN("ja_JP"));
	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	assert_string_equal(answer->cookie, cookie);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, cookie, LIST);
	assert_answer(answer, MESSAGE_ERROR_RESP, "ERR_MESSAGE_NOT_ALLOWED");
	assert_field(answer, FIELD_ERROR_RESP_RESULT_RESULT_STR,
		in("ja", TEXT_RESULT_ERR_MESSAGE_NOT_ALLOWED));
}

/* Details are for administrators. */
static void test_error(void **state)
{
	struct scenario_answer *answer =
		broker_stage_ask(&stage, ROOT_CLIENT, NULL, HELLO_IN("de"));
	char cookie[SESSIONS_COOKIE_SIZE];

	(void)state;
	memcpy(cookie, answer->cookie, sizeof(cookie));
	answer = broker_stage_ask(&stage, ROOT_CLIENT, cookie, LIST);
	assert_answer(answer, MESSAGE_ERROR_RESP, "ERR_MESSAGE_NOT_ALLOWED");
	assert_field(answer, FIELD_ERROR_RESP_RESULT_RESULT_STR,
		in("de", TEXT_RESULT_ERR_MESSAGE_NOT_ALLOWED));
	assert_field(answer, FIELD_ERROR_RESP_ERR_DETAIL,
		"'get-resource-list' is not allowed in state CREATED");
	/* whose session is unknown has no language */
	answer = broker_stage_ask(&stage, ROOT_CLIENT, NULL, LIST);
	assert_answer(answer, MESSAGE_ERROR_RESP, "ERR_UNKNOWN_SESSION");
	assert_field(answer, FIELD_ERROR_RESP_RESULT_RESULT_STR,
		in("en", TEXT_RESULT_ERR_UNKNOWN_SESSION));
}

/* --- the broker's own texts --- */

static void test_results(void **state)
{
	struct scenario_answer *answer;
	char cookie[SESSIONS_COOKIE_SIZE];

	(void)state;
	logon(HELLO_IN("fr_FR"), "carol", cookie);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, cookie, LIST);
	assert_answer(answer, MESSAGE_GET_RESOURCE_LIST_RESP, "LIST_FAILED_NO_ENTITLEMENT");
	assert_field(answer, FIELD_GET_RESOURCE_LIST_RESP_RESULT_RESULT_STR,
		in("fr", TEXT_RESULT_LIST_FAILED_NO_ENTITLEMENT));
	answer = broker_stage_ask(&stage, ROOT_CLIENT, cookie, ALLOCATE("edit"));
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_FAILED_TO_ALLOCATE_BROKER");
	assert_field(answer, WORDS, in("fr", TEXT_RESOURCE_UNKNOWN));
	logon(HELLO_IN("es"), "alice", cookie);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, cookie,
		"<allocate-resource><resource-id>edit</resource-id><protocol>RDP</protocol>"
		"</allocate-resource>");
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_FAILED_TO_ALLOCATE_BROKER");
	assert_field(answer, WORDS, in("es", TEXT_PROTOCOL_UNKNOWN));
}

static struct scenario_answer *allocate(const char *cookie, const char *agent)
{
	struct scenario_answer *answer =
		broker_stage_start(&stage, ROOT_CLIENT, cookie, ALLOCATE("edit"));
	struct scenario_call *call = scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);

	scenario_reply(&stage.scenario, call, agent, NULL);
	return answer;
}

static void assert_taken(enum text_key key, const char *contact, const char *status)
{
	const struct text_value values[] = {
		{"name", "Edit suite 1"},
		{"since", "2027-01-15 08:00 UTC"},
		{"until", "2027-01-15 09:00 UTC"},
		{"contact", contact},
	};
	char alice[SESSIONS_COOKIE_SIZE], bob[SESSIONS_COOKIE_SIZE], text[TEXT_MAXIMUM];
	struct scenario_answer *answer;
	struct scenario_call *call;

	logon(HELLO, "alice", alice);
	assert_answer(
		allocate(alice, LAUNCHED), MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	logon(HELLO_IN("de_DE"), "bob", bob);
	answer = broker_stage_start(&stage, ROOT_CLIENT, bob, ALLOCATE("edit"));
	call = scenario_called(&stage.scenario, MESSAGE_SESSION_STATUS);
	if (status != NULL)
		scenario_reply(&stage.scenario, call, status, NULL);
	else
		scenario_fail(call, ERROR_TIMEOUT);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_FAILED_TO_ALLOCATE_BROKER");
	text_fill(text_language("de"), key, values, 4, text);
	assert_field(answer, WORDS, text);
	assert_null(strchr(text, '{'));
}

static void test_in_use(void **state)
{
	(void)state;
	assert_taken(TEXT_HOST_IN_USE, "the help desk", STATUS("ACTIVE"));
}

static void test_reserved(void **state)
{
	(void)state;
	assert_taken(TEXT_HOST_RESERVED, "the help desk", NULL);
}

static void test_no_contact(void **state)
{
	(void)state;
	broker_stage_load(&stage, BROKER_HEAD BROKER_USERS BROKER_HOSTS "hold-minutes: 60\n");
	assert_taken(TEXT_HOST_IN_USE, "Ihr Administrator", STATUS("ACTIVE"));
}

/* --- what agents say --- */

static void test_agent_reasons(void **state)
{
	static const struct {
		const char *agent, *result;
		enum text_key key;
		const char *text; /* where it has no key */
	} cases[] = {
		/* one of ours, in its words */
		{LAUNCH_FAILED("FAILED_USER_AUTH",
			 "Failed to start the session due to user authentication failing."),
			"ALLOC_FAILED_TO_ALLOCATE_AGENT", TEXT_RESULT_FAILED_USER_AUTH, NULL},
		{LAUNCH_FAILED("FAILED_NO_LICENSE", "All seats are taken."),
			"ALLOC_FAILED_NO_LICENSE", TEXT_RESULT_LICENSE_DENIED_NO_SEATS, NULL},
		{LAUNCH_FAILED("FAILED_NO_LICENSE",
			 "No licence service is configured for this host. Please tell your "
			 "administrator."),
			"ALLOC_FAILED_NO_LICENSE", TEXT_LICENSE_NOT_CONFIGURED, NULL},
		/* without a reason: what its id says */
		{"<launch-session-resp><result-id>FAILED_USER_AUTH</result-id>"
		 "</launch-session-resp>",
			"ALLOC_FAILED_TO_ALLOCATE_AGENT", TEXT_RESULT_FAILED_USER_AUTH, NULL},
		{LAUNCH_FAILED("FAILED_SERVICE_BUSY", ""), "ALLOC_PENDING_TRY_AGAIN",
			TEXT_RESULT_FAILED_SERVICE_BUSY, NULL},
		{LAUNCH_FAILED("NOBODY_KNOWS", ""), "ALLOC_FAILED_TO_ALLOCATE_AGENT",
			TEXT_RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT, NULL},
		{LAUNCH_FAILED("ALLOC_FAILED_NO_LICENSE", ""), "ALLOC_FAILED_TO_ALLOCATE_AGENT",
			TEXT_RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT, NULL},
		/* a reason of its own */
		{LAUNCH_FAILED("FAILED_USER_AUTH", "Because."), "ALLOC_FAILED_TO_ALLOCATE_AGENT",
			TEXT_RESULT, "Because."},
		/* a success that is none */
		{"<launch-session-resp><result-id>SUCCESSFUL</result-id></launch-session-resp>",
			"ALLOC_FAILED_TO_ALLOCATE_AGENT", TEXT_AGENT_INCOMPLETE, NULL},
	};
	char cookie[SESSIONS_COOKIE_SIZE];

	(void)state;
	logon(HELLO_IN("de"), "alice", cookie);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scenario_answer *answer = allocate(cookie, cases[i].agent);

		assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, cases[i].result);
		assert_field(answer, WORDS,
			cases[i].text != NULL ? cases[i].text : in("de", cases[i].key));
	}
}

static void test_agent_silent(void **state)
{
	static const struct {
		int error;
		const char *result, *text;
	} cases[] = {
		{ERROR_TIMEOUT, "ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE",
			"Der Broker konnte die Ressource an Port 60443 nicht erreichen."},
		{ERROR_UNTRUSTED, "ALLOC_FAILED_TO_ALLOCATE_AGENT",
			"Die Identit\xc3\xa4t der entfernten Arbeitsstation edit-01.example konnte "
			"nicht \xc3\xbc"
			"berpr\xc3\xbc"
			"ft werden."},
		{ERROR_INPUT, "ALLOC_FAILED_TO_ALLOCATE_AGENT",
			"Der Agent der entfernten Arbeitsstation edit-01.example ist "
			"fehlgeschlagen."},
	};
	char cookie[SESSIONS_COOKIE_SIZE];

	(void)state;
	logon(HELLO_IN("de"), "alice", cookie);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scenario_answer *answer =
			broker_stage_start(&stage, ROOT_CLIENT, cookie, ALLOCATE("edit"));

		scenario_fail(
			scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION), cases[i].error);
		assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, cases[i].result);
		assert_field(answer, WORDS, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_greeting, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_second_hello, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_results, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_in_use, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reserved, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_contact, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_agent_reasons, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_agent_silent, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
