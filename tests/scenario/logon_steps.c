/*
 * The conversation of a logon, with a source of users that says what the test wants to hear.
 */
#include "broker_stage.h"
#include <assert.h>

#define CAPABLE                                                                                    \
	"<hello><client-info><product-name>Test Client</product-name>"                             \
	"<hostname>desk-7</hostname><locale>en_US</locale></client-info><caps>"                    \
	"<cap>CAP_DISCLAIMER_AUTHENTICATION</cap><cap>CAP_DIALOG_AUTHENTICATION</cap></caps>"      \
	"</hello>"
#define ACCEPT(word)                                                                               \
	"<authenticate method=\"disclaimer\"><disclaimer-accepted>" word                           \
	"</disclaimer-accepted></authenticate>"
#define SAME_TEXT "User authentication failed. Please re-enter username, password, and/or domain."

/* Answers by the user's name; right passwords are SCENARIO_PASSWORD. */
struct fake_source {
	struct identity identity;
	unsigned asked;
	char password[64], new_password[64]; /* of the last question */
	bool waits;                          /* keeps the question until told otherwise */
	struct {
		const struct identity_request *request;
		identity_done *done;
		void *context;
	} questions[8];
	unsigned open, answered;
};

static struct broker_stage stage;
static struct fake_source source;
static char cookie[SESSIONS_COOKIE_SIZE];

static const struct {
	const char *user;
	enum reason reason;
} users[] = {
	{"expired", REASON_PASSWORD_EXPIRED}, {"fresh", REASON_PASSWORD_MUST_CHANGE},
	{"disabled", REASON_ACCOUNT_DISABLED}, {"locked", REASON_ACCOUNT_LOCKED},
	{"hours", REASON_OUTSIDE_HOURS}, {"silent", REASON_DIRECTORY_SILENT},
	{"unknown", REASON_UNKNOWN_USER}, {"strict", REASON_PASSWORD_EXPIRED},
	{"wordy", REASON_RIGHT}, /* with any password */
};

/* One user has two names. */
static const char *account_of(const struct identity_request *request)
{
	return strcmp(request->user, "alias") == 0 ? "alice" : request->user;
}

static enum reason judge(const struct identity_request *request)
{
	const char *wanted = request->new_password;
	enum reason reason = REASON_WRONG_PASSWORD;

	if (request->admit != NULL && !request->admit(request->admit_context, account_of(request)))
		return REASON_GUARDED;
	if (strcmp(request->password, SCENARIO_PASSWORD) == 0)
		reason = REASON_RIGHT;
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		if (strcmp(users[i].user, request->user) == 0)
			reason = users[i].reason;
	}
	if (reason == REASON_PASSWORD_EXPIRED && wanted != NULL)
		reason = strcmp(request->user, "strict") == 0 ? REASON_NEW_PASSWORD_REFUSED
							      : REASON_RIGHT;
	return reason;
}

static void give_answer(void)
{
	unsigned index = source.answered++;
	const struct identity_request *request = source.questions[index].request;
	static const char *const groups[] = {"editors"};
	struct identity_answer answer = {
		.reason = judge(request),
		.user = {.name = request->user,
			.domain = "studio",
			.groups = groups,
			.group_count = 1,
			.named_domain = "studio",
			.account = request->user},
		.source = "fake",
		.server = "",
		.detail = "",
		.remote = true,
	};

	source.questions[index].done(source.questions[index].context, &answer);
}

static void fake_ask(struct identity *identity, const struct identity_request *request,
	identity_done *done, void *context)
{
	(void)identity;
	/* As many may be open at once as there is room for. */
	if (source.answered == source.open)
		source.answered = source.open = 0;
	source.asked++;
	snprintf(source.password, sizeof(source.password), "%s", request->password);
	snprintf(source.new_password, sizeof(source.new_password), "%s",
		request->new_password != NULL ? request->new_password : "");
	source.questions[source.open].request = request;
	source.questions[source.open].done = done;
	source.questions[source.open++].context = context;
	if (!source.waits)
		give_answer();
}

static void fake_free(struct identity *identity)
{
	(void)identity;
}

/* The stage's plan gives way to one with the fake source; returns its only chain. */
static struct logon_chain *use_plan(const char *terms, bool required)
{
	static const char *const domains[] = {"studio"};
	static struct identity *sources[] = {&source.identity};
	struct broker_view *view = broker_view_hold(&stage.broker);
	struct arena *arena = arena_new(65536);
	struct logon_plan *plan = arena_alloc(arena, sizeof(*plan));
	struct logon_chain *chain = arena_alloc(arena, sizeof(*chain));

	chain->source = &source.identity;
	plan->chains = chain;
	plan->chain_count = 1;
	plan->domains = domains;
	plan->domain_count = 1;
	plan->disclaimer = (struct logon_disclaimer){.text = terms, .required = required};
	plan->sources = sources;
	plan->source_count = 1;
	plan->arena = arena;
	logon_plan_free(view->plan);
	view->plan = plan;
	broker_view_release(view);
	return chain;
}

static int set_up(void **state)
{
	/* The shortest delay there is: it is real time. */
	const struct guard_limits limits = {
		.user = 3, .known = 1, .delay_ms = 1, .delay_most_ms = 1};

	(void)state;
	source = (struct fake_source){.identity = {.ask = fake_ask, .free = fake_free}};
	source.identity.can_change_password = true;
	broker_stage_begin(&stage, BROKER_YAML, 0);
	guard_set_limits(stage.broker.guard, &limits);
	use_plan(NULL, false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	broker_stage_end(&stage);
	return 0;
}

static struct scenario_answer *greet(const char *hello)
{
	struct scenario_answer *answer = broker_stage_ask(&stage, ROOT_CLIENT, NULL, hello);

	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	memcpy(cookie, answer->cookie, sizeof(cookie));
	return answer;
}

static struct scenario_answer *ask(const char *inner)
{
	return broker_stage_ask(&stage, ROOT_CLIENT, cookie, inner);
}

static struct scenario_answer *log_on(const char *user, const char *password)
{
	char inner[512];

	snprintf(inner, sizeof(inner), AUTHENTICATE_AS("%s", "%s"), user, password);
	return ask(inner);
}

static struct scenario_answer *change(const char *id, const char *first, const char *second)
{
	char inner[512];

	snprintf(inner, sizeof(inner),
		"<authenticate method=\"dialog\"><dialog-id>%s</dialog-id>"
		"<answer name=\"new-password\">%s</answer><answer name=\"repeat\">%s</answer>"
		"</authenticate>",
		id, first, second);
	return ask(inner);
}

static void assert_result(struct scenario_answer *answer, const char *result, const char *text)
{
	assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, result);
	if (text != NULL)
		assert_field(answer, FIELD_AUTHENTICATE_RESP_RESULT_RESULT_STR, text);
}

/* Copies the id of the dialog in an answer. */
static void take_id(const struct scenario_answer *answer, char id[32])
{
	const char *text = message_text(
		answer->message, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_ID);

	assert_non_null(text);
	snprintf(id, 32, "%s", text);
}

static void test_complete(void **state)
{
	(void)state;
	greet(HELLO);
	assert_result(log_on("alice", SCENARIO_PASSWORD), "AUTH_SUCCESSFUL_AND_COMPLETE", NULL);
	assert_field(ask(LIST), FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID, "edit");
}

/* Who may not know why does not learn it: neither by the text nor, where it is about the user, by
 * the result. */
static void test_alike(void **state)
{
	(void)state;
	greet(HELLO);
	assert_result(
		log_on("alice", "wrong"), "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD", SAME_TEXT);
	assert_result(
		log_on("unknown", "wrong"), "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD", SAME_TEXT);
	assert_result(log_on("disabled", "wrong"), "AUTH_FAILED_ACCESS_DENIED", SAME_TEXT);
	assert_result(log_on("locked", "wrong"), "AUTH_FAILED_ACCESS_DENIED", SAME_TEXT);
	assert_result(log_on("hours", "wrong"), "AUTH_FAILED_ACCESS_DENIED", SAME_TEXT);
	assert_result(log_on("silent", "wrong"), "AUTH_FAILED_ACCESS_DENIED",
		"The directory that checks user names and passwords did not answer. Please try "
		"again later.");
}

static void test_empty_password(void **state)
{
	(void)state;
	greet(HELLO);
	assert_result(log_on("alice", ""), "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD", SAME_TEXT);
	assert_int_equal(source.asked, 0);
}

static void test_incomplete_message(void **state)
{
	(void)state;
	greet(HELLO);
	assert_answer(ask("<authenticate method=\"password\"><username>alice</username>"
			  "</authenticate>"),
		MESSAGE_ERROR_RESP, "ERR_INVALID_MSG_FORMAT");
	greet(HELLO);
	assert_answer(ask("<authenticate method=\"password\"><password>x</password>"
			  "</authenticate>"),
		MESSAGE_ERROR_RESP, "ERR_INVALID_MSG_FORMAT");
	assert_int_equal(source.asked, 0);
}

static void test_unknown_method(void **state)
{
	(void)state;
	greet(CAPABLE);
	assert_result(ask("<authenticate method=\"retina\"></authenticate>"),
		"AUTH_FAILED_ACCESS_DENIED", SAME_TEXT);
	/* Not configured: not offered, not taken. */
	assert_result(ask(ACCEPT("true")), "AUTH_FAILED_ACCESS_DENIED", SAME_TEXT);
	assert_result(change("0123456789abcdef", "a", "a"), "AUTH_FAILED_DIALOG_INVALID_USER_ENTRY",
		"This question is no longer open. Please log on again.");
}

/* --- an expired password --- */

static void test_expired_without_dialogs(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	greet(HELLO);
	answer = log_on("expired", SCENARIO_PASSWORD);
	assert_result(answer, "AUTH_FAILED_EXPIRED_PASSWORD", NULL);
	assert_field(answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION, NULL);
	source.identity.can_change_password = false;
	greet(CAPABLE);
	answer = log_on("fresh", SCENARIO_PASSWORD);
	assert_result(answer, "AUTH_FAILED_EXPIRED_PASSWORD", NULL);
	assert_field(answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION, NULL);
}

static void test_change(void **state)
{
	char first[32], second[32], opened[SEAL_SECRET_MAXIMUM + 1];
	struct scenario_answer *answer;
	struct session *session;

	(void)state;
	greet(CAPABLE);
	answer = log_on("expired", SCENARIO_PASSWORD);
	assert_result(answer, "AUTH_SUCCESSFUL_AND_INCOMPLETE", NULL);
	assert_field(answer,
		FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS_METHOD,
		"AUTHENTICATE_VIA_DIALOG");
	assert_field(
		answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_PURPOSE, "new-password");
	take_id(answer, first);

	answer = change(first, "one", "other");
	assert_result(answer, "AUTH_FAILED_DIALOG_INVALID_USER_ENTRY",
		"The two entries differ. Please enter the new password again.");
	take_id(answer, second);
	assert_string_not_equal(first, second);
	assert_int_equal(source.asked, 1);

	answer = change(second, " new one ", " new one ");
	assert_result(answer, "AUTH_SUCCESSFUL_AND_COMPLETE", NULL);
	assert_string_equal(source.password, SCENARIO_PASSWORD);
	assert_string_equal(source.new_password, " new one ");
	/* The host is told the new one. */
	assert_int_equal(sessions_take(stage.broker.sessions, cookie, &session), 0);
	assert_int_equal(seal_open(&session->password, cookie, opened), 0);
	sessions_release(stage.broker.sessions, session);
	assert_string_equal(opened, " new one ");
}

/* An answer is good once, and only for the question that is open. */
static void test_stale(void **state)
{
	char id[32], other[32];

	(void)state;
	greet(CAPABLE);
	take_id(log_on("expired", SCENARIO_PASSWORD), other);
	greet(CAPABLE);
	take_id(log_on("expired", SCENARIO_PASSWORD), id);
	assert_result(change(other, "new", "new"), "AUTH_FAILED_DIALOG_INVALID_USER_ENTRY",
		"This question is no longer open. Please log on again.");
	/* which ends the conversation */
	assert_result(change(id, "new", "new"), "AUTH_FAILED_DIALOG_INVALID_USER_ENTRY",
		"This question is no longer open. Please log on again.");
	assert_int_equal(source.asked, 2);
}

static void test_refused_too_often(void **state)
{
	struct scenario_answer *answer;
	char id[32];

	(void)state;
	greet(CAPABLE);
	answer = log_on("strict", SCENARIO_PASSWORD);
	for (unsigned i = 1; i < 8; i++) {
		take_id(answer, id);
		answer = change(id, "weak", "weak");
		assert_result(answer, "AUTH_FAILED_DIALOG_INVALID_USER_ENTRY",
			"The new password does not meet the rules of your organization. Please "
			"choose another one.");
	}
	take_id(answer, id);
	answer = change(id, "weak", "weak");
	assert_result(answer, "AUTH_FAILED_DIALOG_INVALID_USER_ENTRY", NULL);
	assert_field(answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION, NULL);
}

/* A reload may put a source that cannot do it in the place of one that could. */
static void test_change_no_more(void **state)
{
	char id[32];

	(void)state;
	greet(CAPABLE);
	take_id(log_on("expired", SCENARIO_PASSWORD), id);
	source.identity.can_change_password = false;
	assert_result(change(id, "new", "new"), "AUTH_FAILED_DIALOG_INVALID_USER_ENTRY",
		"This question is no longer open. Please log on again.");
	assert_int_equal(source.asked, 1);
}

/* --- a factor --- */

/* What RADIUS cannot carry is not asked for again where it was not asked for. */
static void test_password_too_long_for_a_factor(void **state)
{
	static const struct radius_server server = {.address = "127.0.0.1", .secret = "s"};
	const struct radius_options options = {.servers = &server, .server_count = 1};
	struct logon_factor factor = {.name = "token", .first = LOGON_FIRST_PASSWORD};
	struct logon_factor *const factors[] = {&factor};
	struct logon_chain *chain = use_plan(NULL, false);
	char password[RADIUS_PASSWORD_MAXIMUM + 2];
	struct scenario_answer *answer;

	(void)state;
	memset(password, 'p', sizeof(password) - 1);
	password[sizeof(password) - 1] = '\0';
	assert_int_equal(radius_new(&options, &factor.radius), 0);
	chain->factors = factors;
	chain->factor_count = 1;
	greet(CAPABLE);
	/* Nothing was tried, so nothing counts. */
	for (unsigned i = 0; i < 5; i++) {
		answer = log_on("wordy", password);
		assert_result(answer, "AUTH_FAILED_ACCESS_DENIED",
			"Timeout: No Response from RADIUS Server.");
		assert_field(answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION, NULL);
	}
	radius_free(factor.radius);
}

/* --- terms --- */

static void test_terms(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	use_plan("Be good.", true);
	answer = greet(CAPABLE);
	assert_field(answer, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS_METHOD,
		"AUTHENTICATE_VIA_DISCLAIMER");
	assert_null(message_next(message_find(answer->message,
		FIELD_HELLO_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS_METHOD)));
	assert_field(answer, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DISCLAIMER_PARAGRAPH, "Be good.");
	assert_field(answer, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DISCLAIMER_TITLE, "Terms of use");

	answer = log_on("alice", SCENARIO_PASSWORD);
	assert_result(
		answer, "AUTH_FAILED_ACCESS_DENIED", "Please accept the terms before you log on.");
	assert_field(answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DISCLAIMER_PARAGRAPH,
		"Be good.");
	assert_result(ask(ACCEPT("false")), "AUTH_FAILED_ACCESS_DENIED",
		"Please accept the terms before you log on.");
	assert_int_equal(source.asked, 0);

	answer = ask(ACCEPT("true"));
	assert_result(answer, "AUTH_SUCCESSFUL_AND_INCOMPLETE", "Please log on.");
	assert_field(answer,
		FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS_METHOD,
		"AUTHENTICATE_VIA_PASSWORD");
	assert_field(answer, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DOMAINS_DOMAIN, "studio");
	/* Once accepted, a mistyped password does not undo it. */
	assert_result(log_on("alice", "wrong"), "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD", NULL);
	assert_result(log_on("alice", SCENARIO_PASSWORD), "AUTH_SUCCESSFUL_AND_COMPLETE", NULL);
}

static void test_terms_for_others(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	use_plan("Be good.", true);
	answer = greet(HELLO);
	assert_field(answer, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DISCLAIMER, NULL);
	assert_result(log_on("alice", SCENARIO_PASSWORD), "AUTH_FAILED_ACCESS_DENIED",
		"Please accept the terms before you log on.");
	use_plan("Be good.", false);
	greet(HELLO);
	assert_result(log_on("alice", SCENARIO_PASSWORD), "AUTH_SUCCESSFUL_AND_COMPLETE", NULL);
	/* Shown to who can show them, who goes on without. */
	answer = greet(CAPABLE);
	assert_field(answer, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DISCLAIMER_PARAGRAPH, "Be good.");
	assert_non_null(message_next(message_find(answer->message,
		FIELD_HELLO_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS_METHOD)));
	assert_result(log_on("bob", SCENARIO_PASSWORD), "AUTH_SUCCESSFUL_AND_COMPLETE", NULL);
}

/* However short its paragraphs are, nothing of it is left out. */
static void test_terms_in_many_pieces(void **state)
{
	static char terms[LOGON_TERMS_MAXIMUM + 1];
	const struct message_node *paragraph;
	const char *last = NULL;
	unsigned count = 0;

	(void)state;
	for (size_t at = 0; at < LOGON_TERMS_MAXIMUM; at++)
		terms[at] = at % 3 == 0 ? 'x' : '\n';
	memcpy(terms + LOGON_TERMS_MAXIMUM - 8, "The end.", 8);
	use_plan(terms, true);
	paragraph = message_find(
		greet(CAPABLE)->message, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DISCLAIMER_PARAGRAPH);
	for (; paragraph != NULL; paragraph = message_next(paragraph), count++)
		last = paragraph->text;
	assert_true(count > 64 && count <= FIELD_REPEAT_MAXIMUM);
	assert(last != NULL);
	assert_string_equal(last + strlen(last) - 8, "The end.");
}

/* --- the guard --- */

static void test_guard(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	greet(HELLO);
	for (unsigned i = 0; i < 3; i++)
		assert_result(log_on("alice", "wrong"), "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD",
			SAME_TEXT);
	assert_int_equal(source.asked, 3);
	/* Not even the right one. */
	answer = log_on("ALICE", SCENARIO_PASSWORD);
	assert_result(answer, "AUTH_FAILED_ACCESS_DENIED",
		"Too many attempts to log on have failed. Please try again in 30 min.");
	assert_int_equal(source.asked, 3);
	assert_result(log_on("bob", SCENARIO_PASSWORD), "AUTH_SUCCESSFUL_AND_COMPLETE", NULL);

	clock_fake_advance(&stage.scenario.clock, 1801 * CLOCK_SECOND);
	greet(HELLO);
	assert_result(log_on("alice", SCENARIO_PASSWORD), "AUTH_SUCCESSFUL_AND_COMPLETE", NULL);
}

/* By another name of that user nobody gets further, and nobody learns that it is one. */
static void test_guard_of_account(void **state)
{
	(void)state;
	greet(HELLO);
	for (unsigned i = 0; i < 3; i++)
		log_on("alice", "wrong");
	assert_result(log_on("alias", SCENARIO_PASSWORD),
		"AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD", SAME_TEXT);
}

/* A failed answer is held back, a right one is not. */
static void test_delay(void **state)
{
	const struct guard_limits limits = {.delay_ms = 20, .delay_most_ms = 20};
	struct scenario_answer *answer;

	(void)state;
	guard_set_limits(stage.broker.guard, &limits);
	greet(HELLO);
	answer = broker_stage_start(&stage, ROOT_CLIENT, cookie, AUTHENTICATE_AS("alice", "wrong"));
	assert_int_equal(source.answered, 1);
	assert_false(answer->done);
	scenario_wait(answer);
	assert_result(answer, "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD", SAME_TEXT);
	answer = broker_stage_start(
		&stage, ROOT_CLIENT, cookie, AUTHENTICATE_AS("alice", SCENARIO_PASSWORD));
	assert_true(answer->done);
	assert_result(answer, "AUTH_SUCCESSFUL_AND_COMPLETE", NULL);
}

/* Somebody who waits for a slow directory is in nobody's way. */
static void test_waiting(void **state)
{
	struct scenario_answer *slow, *answer;
	char inner[512], waiting[SESSIONS_COOKIE_SIZE];

	(void)state;
	greet(HELLO);
	memcpy(waiting, cookie, sizeof(waiting));
	source.waits = true;
	snprintf(inner, sizeof(inner), AUTHENTICATE_AS("alice", SCENARIO_PASSWORD));
	slow = broker_stage_start(&stage, ROOT_CLIENT, waiting, inner);
	assert_false(slow->done);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, NULL, HELLO);
	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	/* One transaction a session. */
	assert_answer(broker_stage_ask(&stage, ROOT_CLIENT, waiting, LIST), MESSAGE_ERROR_RESP,
		"ERR_REQUEST_OUTSTANDING");
	give_answer();
	scenario_wait(slow);
	assert_true(slow->done);
}

/* One user with several programs that log on at the same moment: what an account cannot bear at
 * once comes a moment later, and nobody is refused. */
static void test_at_the_same_moment(void **state)
{
	char cookies[5][SESSIONS_COOKIE_SIZE];
	struct scenario_answer *answers[5];

	(void)state;
	source.waits = true;
	for (unsigned i = 0; i < 5; i++) {
		greet(HELLO);
		memcpy(cookies[i], cookie, sizeof(cookie));
		answers[i] = broker_stage_start(&stage, ROOT_CLIENT, cookies[i],
			AUTHENTICATE_AS("alice", SCENARIO_PASSWORD));
	}
	assert_int_equal(source.asked, 3);
	while (source.asked < 5 || source.answered < source.open) {
		if (source.answered < source.open)
			give_answer();
		else
			uv_run(&stage.scenario.uv, UV_RUN_ONCE);
	}
	for (unsigned i = 0; i < 5; i++) {
		scenario_wait(answers[i]);
		assert_result(answers[i], "AUTH_SUCCESSFUL_AND_COMPLETE", NULL);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_complete),
		TEST(test_alike),
		TEST(test_empty_password),
		TEST(test_incomplete_message),
		TEST(test_unknown_method),
		TEST(test_expired_without_dialogs),
		TEST(test_change),
		TEST(test_stale),
		TEST(test_refused_too_often),
		TEST(test_change_no_more),
		TEST(test_password_too_long_for_a_factor),
		TEST(test_terms),
		TEST(test_terms_for_others),
		TEST(test_terms_in_many_pieces),
		TEST(test_guard),
		TEST(test_guard_of_account),
		TEST(test_delay),
		TEST(test_waiting),
		TEST(test_at_the_same_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
