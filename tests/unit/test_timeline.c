#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <cmocka.h>

#include "base/text.h"
#include "client/report.h"
#include "client/timeline.h"

struct fixture {
	struct clock_fake clock;
	struct record record;
	char *text;
	size_t length;
	FILE *stream;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	clock_fake_init(&fixture->clock, 0);
	assert_int_equal(record_init(&fixture->record, "broker.example:443"), 0);
	strcpy(fixture->record.log_id, "49756700-6f13-1039-a32b-02c4a91e7d01");
	fixture->stream = open_memstream(&fixture->text, &fixture->length);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	fclose(fixture->stream);
	free(fixture->text);
	record_free(&fixture->record);
	free(fixture);
	return 0;
}

static const char *written(struct fixture *fixture)
{
	fflush(fixture->stream);
	return fixture->text;
}

static void pass(struct record *record, enum record_stage_number stage, int64_t duration)
{
	record->stages[stage].state = RECORD_PASSED;
	record->stages[stage].duration = duration;
}

/* Draws a block and returns the columns of its widest line, as a terminal would show it. */
static size_t widest(const char *block)
{
	size_t most = 0;
	char line[2048];
	size_t at = 0;

	for (const char *from = block; *from != '\0'; from++) {
		if (*from == '\033') {
			from += strcspn(from, "mAKJ");
		} else if (*from == '\n') {
			line[at] = '\0';
			most = text_columns(line) > most ? text_columns(line) : most;
			at = 0;
		} else if (*from != '\r') {
			line[at++] = *from;
		}
	}
	return most;
}

static void plain_lines_carry_time_limit_and_what_was_learned(void **state)
{
	struct fixture *fixture = *state;
	const struct timeline_style style = {0};
	struct timeline *timeline = timeline_new(fixture->stream, &style, &fixture->clock.clock);

	pass(&fixture->record, RECORD_INITIALISE, 12345);
	record_summary(&fixture->record, RECORD_INITIALISE, "Manager \033[31mX");
	timeline_changed(timeline, &fixture->record, RECORD_STAGE_STARTED, RECORD_INITIALISE);
	assert_string_equal(written(fixture), "");
	timeline_changed(timeline, &fixture->record, RECORD_STAGE_FINISHED, RECORD_INITIALISE);
	assert_string_equal(written(fixture),
		"stage 1 initialise                     passed in 0.012 s (limit 5 s): "
		"Manager ?[31mX\n");
	timeline_free(timeline);
}

static void a_block_fits_every_width(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned columns = 34; columns <= 200; columns++) {
		const struct timeline_style style = {
			.live = true, .colour = true, .utf8 = true, .columns = columns};
		struct timeline *timeline =
			timeline_new(fixture->stream, &style, &fixture->clock.clock);

		fflush(fixture->stream);
		rewind(fixture->stream);
		for (int i = 1; i <= RECORD_LICENSE; i++) {
			pass(&fixture->record, (enum record_stage_number)i, 999999999);
			record_summary(
				&fixture->record, (enum record_stage_number)i, "日本語 %0200d", i);
		}
		fixture->record.stages[2].state = RECORD_FAILED;
		fixture->record.stages[3].state = RECORD_OPEN;
		fixture->record.established = true;
		fixture->record.has_quality = true;
		fixture->record.quality = (struct link_quality){
			.rtt_mean = 123456789, .rtt_max = 999999999, .jitter = 99999999, .loss = 1};
		timeline_tick(timeline, &fixture->record);
		if (widest(written(fixture)) >= columns)
			print_error("%u columns:\n%s", columns, written(fixture));
		assert_true(widest(written(fixture)) < columns);
		timeline_free(timeline);
	}
}

static void a_block_is_redrawn_in_place(void **state)
{
	struct fixture *fixture = *state;
	const struct timeline_style style = {.live = true, .columns = 80};
	struct timeline *timeline = timeline_new(fixture->stream, &style, &fixture->clock.clock);

	timeline_tick(timeline, &fixture->record);
	assert_null(strstr(written(fixture), "\033[6A"));
	timeline_tick(timeline, &fixture->record);
	assert_non_null(strstr(written(fixture), "\033[6A\r\033[J"));
	/* A warning stands above the block, which begins anew. */
	record_notice(&fixture->record, "look out");
	timeline_changed(timeline, &fixture->record, RECORD_NOTICE, RECORD_INITIALISE);
	assert_non_null(strstr(written(fixture), "\033[6A\r\033[Jwarning: look out\n"));
	timeline_free(timeline);
}

static void an_open_stage_counts(void **state)
{
	struct fixture *fixture = *state;
	const struct timeline_style style = {.live = true, .columns = 80};
	struct timeline *timeline = timeline_new(fixture->stream, &style, &fixture->clock.clock);

	fixture->record.stages[RECORD_INITIALISE].state = RECORD_OPEN;
	fixture->record.stages[RECORD_INITIALISE].started = clock_steady(&fixture->clock.clock);
	clock_fake_advance(&fixture->clock, 1234 * CLOCK_MILLISECOND);
	timeline_tick(timeline, &fixture->record);
	assert_non_null(strstr(written(fixture), "1.234 s  of 5 s"));
	timeline_free(timeline);
}

static void colours_and_signs_only_where_wanted(void **state)
{
	struct fixture *fixture = *state;
	struct timeline_style style = {.live = true, .columns = 80};
	struct timeline *timeline = timeline_new(fixture->stream, &style, &fixture->clock.clock);

	pass(&fixture->record, RECORD_INITIALISE, 1);
	record_summary(&fixture->record, RECORD_INITIALISE, "Müller");
	timeline_tick(timeline, &fixture->record);
	for (const char *at = written(fixture); *at != '\0'; at++) {
		assert_true((unsigned char)*at < 0x80);
		if (*at == '\033')
			assert_null(memchr(at, 'm', 4));
	}
	timeline_free(timeline);
}

static void a_failure_says_what_and_who(void **state)
{
	struct fixture *fixture = *state;
	const struct timeline_style style = {.utf8 = true, .columns = 60};
	struct record *record = &fixture->record;

	record->failed = true;
	record->failure.stage = RECORD_AUTHENTICATE;
	strcpy(record->failure.result_id, "AUTH_FAILED_ACCESS_DENIED");
	strcpy(record->failure.text, "No\033[2J entry");
	record->failure.advice = advice_result(RESULT_AUTH_FAILED_ACCESS_DENIED);
	timeline_failure(fixture->stream, &style, record);
	assert_non_null(strstr(written(fixture), "Stage 2, authenticate, failed."));
	assert_non_null(strstr(written(fixture), "AUTH_FAILED_ACCESS_DENIED"));
	assert_non_null(strstr(written(fixture), "No?[2J entry"));
	assert_non_null(strstr(written(fixture), "you, then the administrator"));
	assert_non_null(strstr(written(fixture), record->log_id));
	assert_true(widest(written(fixture)) < 60);
}

/* What a server wants the user to read, on a narrow terminal and without its tricks. */
static void foreign_texts_are_tame(void **state)
{
	struct fixture *fixture = *state;
	const struct timeline_style style = {.utf8 = true, .columns = 40};
	char longest[16384];

	timeline_heading(fixture->stream, &style, "Terms\033]0;of use");
	timeline_text(fixture->stream, &style, 2,
		/* What is tested. NOLINTNEXTLINE(misc-misleading-bidirectional) */
		"Whoever goes on agrees to everything that stands here.\r\n\n\tAnd\vmore:\233[2J "
		"\u202e.");
	assert_string_equal(written(fixture),
		"Terms?]0;of use\n"
		"  Whoever goes on agrees to everything\n"
		"  that stands here.\n"
		"\n"
		"   And?more:?[2J ?.\n");
	timeline_text(fixture->stream, &style, 2, "");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	timeline_text(fixture->stream, &style, 2, longest);
	assert_true(widest(written(fixture)) < 40);
}

static void json_says_the_same(void **state)
{
	struct fixture *fixture = *state;
	struct record *record = &fixture->record;
	json_t *object, *stage, *error, *questions;

	pass(record, RECORD_INITIALISE, 500000);
	record_question(record, "second-factor");
	record->stages[RECORD_AUTHENTICATE].limit = RECORD_FACTOR_LIMIT;
	record_learn(record, RECORD_INITIALISE, "product", "bad \xff utf-8");
	record_learn_number(record, RECORD_INITIALISE, "domains", 2);
	record->stages[RECORD_AUTHENTICATE].state = RECORD_FAILED;
	record->failed = true;
	record->failure.stage = RECORD_AUTHENTICATE;
	record->failure.advice = advice_result(RESULT_AUTH_FAILED_ACCESS_DENIED);
	object = report_json(record);
	assert_non_null(object);
	assert_int_equal(json_integer_value(json_object_get(object, "exit_status")), 12);
	assert_true(json_is_false(json_object_get(object, "ok")));
	assert_int_equal(json_array_size(json_object_get(object, "stages")), 6);
	stage = json_array_get(json_object_get(object, "stages"), 0);
	assert_string_equal(json_string_value(json_object_get(stage, "result")), "passed");
	assert_true(json_real_value(json_object_get(stage, "seconds")) == 0.5);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(stage, "learned"), "product")),
		"bad ? utf-8");
	assert_true(json_real_value(json_object_get(stage, "limit_seconds")) == 5);
	stage = json_array_get(json_object_get(object, "stages"), 1);
	assert_true(json_real_value(json_object_get(stage, "limit_seconds")) == 90);
	questions = json_object_get(object, "questions");
	assert_int_equal(json_array_size(questions), 1);
	assert_string_equal(json_string_value(json_array_get(questions, 0)), "second-factor");
	stage = json_array_get(json_object_get(object, "stages"), 2);
	assert_string_equal(json_string_value(json_object_get(stage, "result")), "not reached");
	assert_true(json_is_null(json_object_get(stage, "seconds")));
	error = json_object_get(object, "error");
	assert_int_equal(json_integer_value(json_object_get(error, "stage")), 2);
	assert_true(json_is_null(json_object_get(error, "result_id")));
	assert_true(strlen(json_string_value(json_object_get(error, "next"))) > 0);
	json_decref(object);
}

static void foreign_text_cannot_steer_a_terminal(void **state)
{
	static const char *const texts[][2] = {
		{"plain", "plain"},
		{"a\033]0;x\007b", "a?]0;x?b"},
		{"two\nlines\ttab", "two lines tab"},
		{"\u202egnp\u202c.exe", "?gnp?.exe"}, /* right-to-left override, and its end */
		{"\xc2\x9b\x33\x31m", "?31m"},        /* C1 control sequence introducer */
		{"over\xc0\xafs", "over??s"},         /* overlong */
		{"\xed\xa0\x80", "???"},              /* surrogate */
		{"日本", "日本"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		text_clean(texts[i][0], true, out, sizeof(out));
		assert_string_equal(out, texts[i][1]);
	}
	text_clean("日本", true, out, 6);
	assert_string_equal(out, "日");
	assert_int_equal(text_columns("日本e\u0301"), 5);
	assert_int_equal(text_fit("日本", 3), 3);
	assert_int_equal(text_fit_words("one two three", 9), 8);
	assert_int_equal(text_fit_words("日本", 1), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			plain_lines_carry_time_limit_and_what_was_learned, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_block_fits_every_width, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_block_is_redrawn_in_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_open_stage_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			colours_and_signs_only_where_wanted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failure_says_what_and_who, set_up, tear_down),
		cmocka_unit_test_setup_teardown(foreign_texts_are_tame, set_up, tear_down),
		cmocka_unit_test_setup_teardown(json_says_the_same, set_up, tear_down),
		cmocka_unit_test(foreign_text_cannot_steer_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
