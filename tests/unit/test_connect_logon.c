/* Stage 2 against a server that asks: terms, dialogs, passwords that are refused. */

#include "connect_fake.h"

#define DIALOG "AUTHENTICATE_VIA_DIALOG"
#define TERMS "AUTHENTICATE_VIA_DISCLAIMER"
#define BY_PASSWORD "AUTHENTICATE_VIA_PASSWORD"
#define INCOMPLETE RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE
#define COMPLETE RESULT_AUTH_SUCCESSFUL_AND_COMPLETE
#define INVALID RESULT_AUTH_FAILED_DIALOG_INVALID_USER_ENTRY
#define UNKNOWN RESULT_AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD
#define FACTOR(result)                                                                             \
	{                                                                                          \
		result, DIALOG, "second-factor", "Code, please.", 1, false                         \
	}

static const struct record *play_steps(
	struct run *run, const struct step *steps, const char *const *answers)
{
	run->script.steps = steps;
	run->answers = answers;
	return play(run);
}

static void assert_failed(const struct record *record, enum advice_case which)
{
	assert_int_equal(record_exit(record), 12);
	assert_string_equal(record->failure.advice.meaning, advice_case(which).meaning);
	assert_int_equal(record->stages[RECORD_AUTHENTICATE].state, RECORD_FAILED);
}

static bool holds(const struct record *record, const char *text)
{
	const char *bytes = (const char *)record;
	size_t length = strlen(text);

	for (size_t i = 0; i + length <= sizeof(*record); i++) {
		if (memcmp(bytes + i, text, length) == 0)
			return true;
	}
	return false;
}

static void a_second_factor_is_asked(void **state)
{
	static const struct step steps[] = {FACTOR(INCOMPLETE), {.result = COMPLETE}};
	static const char *const answers[] = {"123456", NULL};
	struct run *run = *state;
	const struct record *record = play_steps(run, steps, answers);

	assert_int_equal(record_exit(record), 0);
	assert_int_equal(run->sent_count, 2);
	assert_string_equal(run->sent[0], "password");
	assert_string_equal(run->sent[1], "dialog id-1 entry-0=123456");
	assert_string_equal(run->question.title, "Title");
	assert_string_equal(run->question.text, "Code, please.");
	assert_string_equal(run->question.entries[0].label, "Label");
	assert_true(run->question.entries[0].hidden);
	assert_string_equal(run->trouble, "");
	assert_int_equal(record->question_count, 1);
	assert_string_equal(record->questions[0], "second-factor");
	assert_true(record_limit(&record->stages[RECORD_AUTHENTICATE]) == RECORD_FACTOR_LIMIT);
	assert_true(record_limit(&record->stages[RECORD_GET_RESOURCES]) == RECORD_STEP_LIMIT);
	assert_string_equal(
		record->stages[RECORD_AUTHENTICATE].summary, "ann in CORP, second factor");
	/* Two answers of a millisecond each are the server's time. */
	assert_true(record->stages[RECORD_AUTHENTICATE].duration == 2 * CLOCK_MILLISECOND);
	assert_false(holds(record, "123456"));
}

static void several_questions_and_entries(void **state)
{
	static const struct step steps[] = {
		{INCOMPLETE, DIALOG, "new-password", "Choose.", 2, false}, FACTOR(INCOMPLETE),
		{INCOMPLETE, DIALOG, NULL, "What?", 1, false}, {.result = COMPLETE}};
	static const char *const answers[] = {"n3w", "n3w", "1", "2", NULL};
	struct run *run = *state;
	const struct record *record = play_steps(run, steps, answers);

	assert_int_equal(record_exit(record), 0);
	assert_string_equal(run->sent[1], "dialog id-1 entry-0=n3w entry-1=n3w");
	assert_string_equal(run->sent[2], "dialog id-2 entry-0=1");
	assert_string_equal(run->sent[3], "dialog id-3 entry-0=2");
	assert_string_equal(record->questions[0], "new-password");
	assert_string_equal(record->questions[2], "other");
	assert_string_equal(record->stages[RECORD_AUTHENTICATE].summary,
		"ann in CORP, second factor, new password");
}

static void a_wrong_entry_is_asked_for_again(void **state)
{
	static const struct step steps[] = {
		FACTOR(INCOMPLETE), FACTOR(INVALID), {.result = COMPLETE}};
	static const char *const answers[] = {"1", "2", NULL};
	struct run *run = *state;

	assert_int_equal(record_exit(play_steps(run, steps, answers)), 0);
	assert_string_equal(run->sent[2], "dialog id-2 entry-0=2");
	assert_string_equal(run->trouble, result_info(INVALID)->text);
}

/* Where nobody knows another one, what the server said of the first is the failure. */
static void a_wrong_entry_and_no_other(void **state)
{
	static const struct step steps[] = {FACTOR(INCOMPLETE), FACTOR(INVALID)};
	static const char *const answers[] = {"1", NULL};
	const struct record *record = play_steps(*state, steps, answers);

	assert_int_equal(record_exit(record), 12);
	assert_string_equal(record->failure.result_id, "AUTH_FAILED_DIALOG_INVALID_USER_ENTRY");
}

static void a_refused_factor_begins_with_the_password(void **state)
{
	static const struct step steps[] = {
		FACTOR(INCOMPLETE), {.result = UNKNOWN}, FACTOR(INCOMPLETE), {.result = COMPLETE}};
	static const char *const answers[] = {"1", "2", NULL};
	struct run *run = *state;

	run->passwords = 2;
	assert_int_equal(record_exit(play_steps(run, steps, answers)), 0);
	assert_int_equal(run->sent_count, 4);
	assert_string_equal(run->sent[2], "password");
	assert_string_equal(run->refusal, result_info(UNKNOWN)->text);
}

static void terms_come_first(void **state)
{
	static const struct step steps[] = {
		{.result = INCOMPLETE, .method = BY_PASSWORD}, {.result = COMPLETE}};
	struct run *run = *state;
	const struct record *record;

	run->script.terms = true;
	record = play_steps(run, steps, NULL);
	assert_int_equal(record_exit(record), 0);
	assert_string_equal(run->sent[0], "disclaimer true");
	assert_string_equal(run->sent[1], "password");
	assert_string_equal(run->title, "Terms");
	assert_string_equal(run->text, "Be good.\n\nAlways.");
	assert_string_equal(run->domain, "CORP");
	assert_string_equal(record->questions[0], "terms");
}

/* A server that changed its mind meanwhile: the password that was given is given again. */
static void terms_after_the_password(void **state)
{
	static const struct step steps[] = {
		{RESULT_AUTH_FAILED_ACCESS_DENIED, TERMS, NULL, "Be better.", 0, false},
		{.result = INCOMPLETE, .method = BY_PASSWORD}, {.result = COMPLETE}};
	struct run *run = *state;

	assert_int_equal(record_exit(play_steps(run, steps, NULL)), 0);
	assert_string_equal(run->sent[1], "disclaimer true");
	assert_string_equal(run->sent[2], "password");
}

static void terms_may_be_declined(void **state)
{
	struct run *run = *state;

	run->script.terms = true;
	run->accepts = ERROR_REFUSED;
	assert_failed(play(run), ADVICE_CASE_TERMS_DECLINED);
	assert_int_equal(run->sent_count, 0);
	assert_int_equal(run->asked[run->asked_count - 1], MESSAGE_BYE);
}

static void terms_and_nobody_to_ask(void **state)
{
	struct run *run = *state;

	run->script.terms = true;
	run->accepts = ERROR_NOT_FOUND;
	assert_failed(play(run), ADVICE_CASE_TERMS_NOT_SHOWN);
}

static void a_question_and_nobody_to_ask(void **state)
{
	static const struct step steps[] = {FACTOR(INCOMPLETE)};
	struct run *run = *state;

	assert_failed(play_steps(run, steps, NULL), ADVICE_CASE_NO_ANSWER);
	assert_int_equal(run->asked[run->asked_count - 1], MESSAGE_BYE);
}

static void giving_up_at_a_question(void **state)
{
	static const struct step steps[] = {FACTOR(INCOMPLETE)};
	static const char *const answers[] = {"^C", NULL};
	const struct record *record = play_steps(*state, steps, answers);

	assert_int_equal(record_exit(record), 128 + SIGINT);
	assert_false(record->failed);
}

static void a_server_that_asks_for_ever(void **state)
{
	static const struct step steps[] = {FACTOR(INCOMPLETE), FACTOR(INCOMPLETE),
		FACTOR(INCOMPLETE), FACTOR(INCOMPLETE), FACTOR(INCOMPLETE), FACTOR(INCOMPLETE),
		FACTOR(INCOMPLETE), FACTOR(INCOMPLETE), FACTOR(INCOMPLETE)};
	static const char *const answers[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", NULL};
	struct run *run = *state;

	assert_failed(play_steps(run, steps, answers), ADVICE_CASE_TOO_MANY_QUESTIONS);
	assert_int_equal(run->sent_count, 1 + CONNECT_QUESTIONS_MAXIMUM);
}

static void a_server_that_wants_the_password_for_ever(void **state)
{
	static const struct step steps[] = {{.result = INCOMPLETE, .method = BY_PASSWORD},
		{.result = INCOMPLETE, .method = BY_PASSWORD},
		{.result = INCOMPLETE, .method = BY_PASSWORD},
		{.result = INCOMPLETE, .method = BY_PASSWORD},
		{.result = INCOMPLETE, .method = BY_PASSWORD},
		{.result = INCOMPLETE, .method = BY_PASSWORD},
		{.result = INCOMPLETE, .method = BY_PASSWORD},
		{.result = INCOMPLETE, .method = BY_PASSWORD}};

	assert_failed(play_steps(*state, steps, NULL), ADVICE_CASE_TOO_MANY_QUESTIONS);
}

static void methods_that_are_not_known(void **state)
{
	static const struct step steps[] = {
		{.result = INCOMPLETE, .method = "AUTHENTICATE_BY_EYE"}};
	const struct record *record = play_steps(*state, steps, NULL);

	assert_failed(record, ADVICE_CASE_OTHER_METHOD);
	assert_non_null(strstr(record->failure.detail, "AUTHENTICATE_BY_EYE"));
}

static void a_dialog_without_entries(void **state)
{
	static const struct step steps[] = {{INCOMPLETE, DIALOG, "second-factor", "?", 0, false}};

	assert_failed(play_steps(*state, steps, NULL), ADVICE_CASE_OTHER_METHOD);
}

static void a_dialog_with_too_many_entries(void **state)
{
	static const struct step steps[] = {
		{INCOMPLETE, DIALOG, "second-factor", "?", CONNECT_ENTRIES_MAXIMUM + 1, false}};

	assert_failed(play_steps(*state, steps, NULL), ADVICE_CASE_OTHER_METHOD);
}

/* Nothing but the time says that a telephone may be waiting. */
static void a_long_wait_is_explained(void **state)
{
	static const struct step steps[] = {{.silent = true}};
	struct run *run = *state;
	const struct record_stage *stage;

	run->options.factor_notice = CLOCK_MILLISECOND;
	run->script.steps = steps;
	assert_int_equal(connect_start(&run->options, &run->connect), 0);
	stage = &connect_record(run->connect)->stages[RECORD_AUTHENTICATE];
	do
		uv_run(&run->loop, UV_RUN_ONCE);
	while (strstr(stage->summary, "second factor") == NULL);
	assert_int_equal(stage->state, RECORD_OPEN);
	connect_stop(run->connect, SIGTERM);
	assert_true(run->over);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_second_factor_is_asked),
		TEST(several_questions_and_entries),
		TEST(a_wrong_entry_is_asked_for_again),
		TEST(a_wrong_entry_and_no_other),
		TEST(a_refused_factor_begins_with_the_password),
		TEST(terms_come_first),
		TEST(terms_after_the_password),
		TEST(terms_may_be_declined),
		TEST(terms_and_nobody_to_ask),
		TEST(a_question_and_nobody_to_ask),
		TEST(giving_up_at_a_question),
		TEST(a_server_that_asks_for_ever),
		TEST(a_server_that_wants_the_password_for_ever),
		TEST(methods_that_are_not_known),
		TEST(a_dialog_without_entries),
		TEST(a_dialog_with_too_many_entries),
		TEST(a_long_wait_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
