#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>

#include "base/arena.h"
#include "base/error.h"
#include "health/render.h"
#include "report_sample.h"

static json_t *draw(const struct report *report)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	json_error_t error;
	json_t *value;

	assert_non_null(stream);
	assert_int_equal(render_json(report, NULL, stream), 0);
	assert_int_equal(fclose(stream), 0);
	value = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (value == NULL)
		fail_msg(
			"line %d column %d: %s in\n%s", error.line, error.column, error.text, text);
	free(text);
	return value;
}

/* "sessions.1.diagnostics.0.id" */
static json_t *at(json_t *value, const char *path)
{
	char copy[256];
	char *rest = copy;
	char *part;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((part = strsep(&rest, ".")) != NULL) {
		json_t *next = json_is_array(value)
			? json_array_get(value, (size_t)strtoul(part, NULL, 10))
			: json_object_get(value, part);

		if (next == NULL)
			fail_msg("no %s (%s)", path, part);
		value = next;
	}
	return value;
}

static void assert_text(json_t *value, const char *path, const char *expected)
{
	json_t *text = at(value, path);

	if (expected == NULL) {
		assert_true(json_is_null(text));
		return;
	}
	assert_true(json_is_string(text));
	assert_string_equal(json_string_value(text), expected);
}

static void assert_count(json_t *value, const char *path, json_int_t expected)
{
	assert_true(json_is_integer(at(value, path)));
	assert_int_equal(json_integer_value(at(value, path)), expected);
}

static void assert_number(json_t *value, const char *path, double expected)
{
	assert_true(json_is_number(at(value, path)));
	assert_true(fabs(json_number_value(at(value, path)) - expected) < 1e-6);
}

static void tool_inputs_and_summary(void **state)
{
	struct report *report = report_sample_new();
	json_t *value = draw(report);

	(void)state;
	assert_text(value, "tool.name", "fairlead");
	assert_count(value, "tool.schema", 1);
	assert_count(value, "tool.rules", 14);
	assert_int_equal(json_array_size(at(value, "inputs")), 7);
	assert_text(value, "inputs.0.path", "support.zip/logs/pcoip_agent_2031_03_24_0000abcd.txt");
	assert_text(value, "inputs.0.family", "A");
	assert_text(value, "inputs.0.encoding", "utf-8-bom");
	assert_text(value, "inputs.0.first", "2031-03-24T00:00:00.000Z");
	assert_count(value, "inputs.0.lines", 18234);
	assert_int_equal(json_array_size(at(value, "inputs.0.skipped")), 0);
	assert_text(value, "inputs.3.clock", "local");
	assert_text(value, "inputs.3.first", "2012-02-12T09:42:09.000");
	assert_text(value, "inputs.3.skipped.0.reason", "the archive is damaged here");
	/* What was not read at all. */
	assert_text(value, "inputs.5.path", "support.zip/links");
	assert_text(value, "inputs.5.family", NULL);
	assert_text(value, "inputs.5.sha256", NULL);
	assert_count(value, "inputs.5.lines", 0);
	assert_count(value, "inputs.5.skipped.0.count", 12);
	assert_count(value, "summary.fail", 4);
	assert_count(value, "summary.warning", 3);
	assert_count(value, "summary.note", 2);
	assert_count(value, "summary.pass", 11);
	assert_count(value, "summary.no-evidence", 8);
	assert_true(json_is_true(at(value, "incomplete")));
	assert_int_equal(json_array_size(at(value, "notes")), 2);
	json_decref(value);
	report_sample_free(report);
}

static void sessions_and_diagnostics(void **state)
{
	struct report *report = report_sample_new();
	json_t *value = draw(report);

	(void)state;
	assert_int_equal(json_array_size(at(value, "sessions")), 3);
	assert_text(value, "sessions.0.id", "66244680-a4d4-1044-a77f-000000000000");
	assert_text(value, "sessions.0.path", "direct");
	assert_text(value, "sessions.0.source", NULL);
	assert_text(value, "sessions.1.started", "2031-03-24T22:04:11.000Z");
	assert_text(value, "sessions.1.path", "brokered");
	assert_text(value, "sessions.1.result", "fail");
	assert_number(value, "sessions.1.measures.0.highest", 222);
	assert_count(value, "sessions.1.stages.4.stage", 5);
	assert_text(value, "sessions.1.stages.4.result", "fail");
	assert_number(value, "sessions.1.stages.4.limit", 5);
	assert_text(value, "sessions.2.id", NULL);
	assert_text(value, "sessions.2.path", "unknown");
	assert_text(value, "sessions.2.diagnostics.1.start", "2012-02-12T09:42:21.000");
	assert_text(value, "sessions.1.diagnostics.1.id", "session-authentication");
	assert_text(value, "sessions.1.diagnostics.1.title", "Session authentication");
	assert_text(value, "sessions.1.diagnostics.1.phase", "pre-session");
	assert_text(value, "sessions.1.diagnostics.1.result", "fail");
	assert_count(value, "sessions.1.diagnostics.1.attempts", 2);
	assert_number(value, "sessions.1.diagnostics.1.duration", 1.25);
	assert_text(value, "sessions.1.diagnostics.1.cause_id", "wrong-password");
	assert_text(value, "sessions.1.diagnostics.1.remedies.1.who", "helpdesk");
	assert_text(value, "sessions.1.diagnostics.1.remedies.0.link", NULL);
	assert_text(value, "sessions.1.diagnostics.1.data.user", "NORTHGATE\\zoë.åkesson");
	assert_count(value, "sessions.1.diagnostics.1.data.error", 1326);
	assert_count(value, "sessions.1.diagnostics.1.evidence.0.line", 4021);
	assert_count(value, "sessions.1.diagnostics.7.evidence_more", 14);
	assert_text(value, "sessions.1.diagnostics.5.result", "no-evidence");
	assert_text(value, "sessions.1.diagnostics.5.start", NULL);
	assert_text(value, "sessions.1.diagnostics.5.cause", "no logged broker message");
	assert_text(value, "host.diagnostics.0.id", "license-certificate");
	json_decref(value);
	report_sample_free(report);
}

/* Whatever is in a text, the JSON is JSON, and says the same. */
static void hostile_texts(void **state)
{
	static const struct report_data data[] = {{"count", "1", true, false},
		{"hex", "0x301", true, false}, {"array", "[1]", true, false},
		{"number", "12.5", true, false}, {"text", "12.5", false, false},
		{"huge", "1e999", true, false}};
	struct report *report = report_sample_new();
	struct finding *finding = &report->sessions[1].findings[1];
	json_t *value;

	(void)state;
	finding->cause_text = "\"quotes\" \\ \n \033[2J";
	finding->evidence[0].text = "not \xff\xfe UTF-8";
	finding->data = (struct report_data *)(uintptr_t)data;
	finding->data_count = sizeof(data) / sizeof(data[0]);
	value = draw(report);
	assert_text(value, "sessions.1.diagnostics.1.cause", "\"quotes\" \\ \n \033[2J");
	assert_text(value, "sessions.1.diagnostics.1.evidence.0.text", "not ?? UTF-8");
	assert_count(value, "sessions.1.diagnostics.1.data.count", 1);
	assert_text(value, "sessions.1.diagnostics.1.data.hex", "0x301");
	assert_text(value, "sessions.1.diagnostics.1.data.array", "[1]");
	assert_number(value, "sessions.1.diagnostics.1.data.number", 12.5);
	assert_text(value, "sessions.1.diagnostics.1.data.text", "12.5");
	assert_text(value, "sessions.1.diagnostics.1.data.huge", "1e999");
	json_decref(value);
	report_sample_free(report);
}

/* The bundle says why a log ends early, and so does the log's source: it is one reason. */
static void a_reason_is_said_once(void **state)
{
	struct report *report = report_sample_new();
	struct store *store = (struct store *)(uintptr_t)report->store;
	json_t *value;

	(void)state;
	store->skipped[0].path = store->sources[3].path;
	store->skipped[0].reason = "the archive is damaged here";
	store->skipped[1] = store->skipped[0];
	store->skipped[1].count = 3;
	store->sources[3].lines_long = 2;
	value = draw(report);
	assert_int_equal(json_array_size(at(value, "inputs")), 5);
	assert_int_equal(json_array_size(at(value, "inputs.3.skipped")), 2);
	assert_text(value, "inputs.3.skipped.1.reason", "the archive is damaged here");
	assert_count(value, "inputs.3.skipped.1.count", 3);
	assert_count(value, "inputs.3.skipped.0.count", 2);
	json_decref(value);
	report_sample_free(report);
}

static void nothing_at_all(void **state)
{
	struct report *report = report_sample_new();
	struct store *store = (struct store *)(uintptr_t)report->store;
	json_t *value;

	(void)state;
	store->source_count = 0;
	store->skipped_count = 0;
	report->session_count = 0;
	report->host.finding_count = 0;
	report->note_count = 0;
	report->incomplete = false;
	value = draw(report);
	assert_int_equal(json_array_size(at(value, "inputs")), 0);
	assert_int_equal(json_array_size(at(value, "sessions")), 0);
	assert_int_equal(json_array_size(at(value, "host.diagnostics")), 0);
	assert_int_equal(json_array_size(at(value, "notes")), 0);
	json_decref(value);
	report_sample_free(report);
}

/* Counts what json_dumpf and its like hold while they write; nothing of it grows with the report.
 */
static size_t held, highest;

static void *count_malloc(size_t size)
{
	size_t *block = malloc(size + 16);

	if (block == NULL)
		return NULL;
	*block = size;
	held += size;
	if (held > highest)
		highest = held;
	return (char *)block + 16;
}

static void count_free(void *bytes)
{
	size_t *block;

	if (bytes == NULL)
		return;
	block = (size_t *)(void *)((char *)bytes - 16);
	held -= *block;
	free(block);
}

static void sixteen_thousand_sessions_need_no_memory(void **state)
{
	struct report *report = report_sample_new();
	FILE *nothing = fopen("/dev/null", "w");

	(void)state;
	assert_non_null(nothing);
	report_sample_repeat(report, 16000);
	json_set_alloc_funcs(count_malloc, count_free);
	assert_int_equal(render_json(report, NULL, nothing), 0);
	json_set_alloc_funcs(malloc, free);
	assert_int_equal(held, 0);
	assert_true(highest > 0);
	assert_true(highest < 64 * 1024);
	fclose(nothing);
	report_sample_free(report);
}

static void *never(size_t size)
{
	(void)size;
	return NULL;
}

static void errors_are_told_apart(void **state)
{
	struct report *report = report_sample_new();
	FILE *full = fopen("/dev/full", "w");
	FILE *nothing = fopen("/dev/null", "w");

	(void)state;
	assert_non_null(full);
	assert_non_null(nothing);
	assert_int_equal(render_json(report, NULL, full), ERROR_SYSTEM);
	json_set_alloc_funcs(never, free);
	assert_int_equal(render_json(report, NULL, nothing), ERROR_MEMORY);
	json_set_alloc_funcs(malloc, free);
	fclose(full);
	fclose(nothing);
	report_sample_free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tool_inputs_and_summary),
		cmocka_unit_test(sessions_and_diagnostics),
		cmocka_unit_test(hostile_texts),
		cmocka_unit_test(a_reason_is_said_once),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(sixteen_thousand_sessions_need_no_memory),
		cmocka_unit_test(errors_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
