/* Where one attempt ends and the next begins; and what is said when not all could be judged. */
#include "judge_bed.h"

static const char rules[] =
	"id: logon\n"
	"title: Logon\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: asked, text: 'Logon asked'}\n"
	"  - {id: done, text: 'Logon done'}\n"
	"  - {id: more, text: 'Logon told again'}\n"
	"  - {id: refused, text: 'Logon refused'}\n"
	"tracks:\n"
	"  - id: host\n"
	"    steps:\n"
	"      - {id: asked, on: [asked]}\n"
	"      - {id: done, on: [done], within: 5 s}\n"
	"      - {id: more, on: [more], optional: true, alone: true}\n"
	"    outcomes:\n"
	"      - {on: [refused], result: fail, cause: refused}\n"
	"    never: {result: fail, cause: never}\n"
	"causes:\n"
	"  - {id: refused, text: Refused., remedies: [{who: host, text: Look.}]}\n"
	"  - {id: never, text: Never., remedies: [{who: host, text: Look.}]}\n";

static void add_attempt(struct bed *bed, unsigned number, const char *end)
{
	char line[200];

	snprintf(line, sizeof(line), "08:%02u:%02u.000 A " AGENT "Logon asked", number / 60,
		number % 60);
	bed_line(bed, line);
	snprintf(line, sizeof(line), "08:%02u:%02u.500 A " AGENT "%s", number / 60, number % 60,
		end);
	bed_line(bed, line);
}

static void first_and_last_attempts_are_kept(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	for (unsigned i = 0; i < 200; i++)
		add_attempt(&bed, i * 10, i == 199 ? "Logon done" : "Logon refused");
	bed_judge(&bed);
	assert_int_equal(bed_count(&bed, "A", "logon"), 64);
	finding = bed_expect_at(&bed, "A", "logon", 1, "fail", "refused");
	assert_int_equal(finding->evidence[0].line, 1);
	finding = bed_expect_at(&bed, "A", "logon", 63, "fail", "refused");
	assert_int_equal(finding->evidence[0].line, 397);
	bed_expect_at(&bed, "A", "logon", 64, "pass", "");
	assert_true(bed.report->cut);
	bed_close(&bed);
}

static void failure_among_many_passes_is_kept(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	for (unsigned i = 0; i < 200; i++)
		add_attempt(&bed, i * 10, i == 100 ? "Logon refused" : "Logon done");
	bed_judge(&bed);
	assert_int_equal(bed_count(&bed, "A", "logon"), 64);
	assert_int_equal(bed.report->summary[VERDICT_FAIL], 1);
	bed_close(&bed);
}

static void whole_input_is_not_cut(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	add_attempt(&bed, 0, "Logon done");
	/* Left out on purpose. */
	assert_int_equal(store_skip(bed.store, "host/link", "a link", BUNDLE_PASSED_OVER), 0);
	bed_judge(&bed);
	assert_true(bed.report->incomplete);
	assert_false(bed.report->cut);
	bed_close(&bed);
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	add_attempt(&bed, 0, "Logon done");
	bed.store->sources[bed.source].reason = (char *)"damaged";
	bed_judge(&bed);
	assert_true(bed.report->cut);
	bed_close(&bed);
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	add_attempt(&bed, 0, "Logon done");
	assert_int_equal(store_skip(bed.store, "host.zip", "damaged", BUNDLE_LOST), 0);
	bed_judge(&bed);
	assert_true(bed.report->cut);
	bed_close(&bed);
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	add_attempt(&bed, 0, "Logon done");
	bed.store->sources[bed.source].lines_long = 1;
	bed_judge(&bed);
	assert_true(bed.report->cut);
	bed_close(&bed);
}

static void clock_that_was_set_back(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:00.000 A " AGENT "Logon asked\n"
		"07:30:01.000 A " AGENT "Logon done\n"
		"07:40:00.000 A " AGENT "x\n");
	bed_judge(&bed);
	finding = bed_expect(&bed, "A", "logon", "no-evidence", "");
	assert_string_equal(finding->cause_text, "The clock was set back within the log.");
	bed_close(&bed);
	/* Threads write a moment out of order. */
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:00.000 A " AGENT "Logon asked\n"
		"08:29:59.900 A " AGENT "Logon told again\n"
		"08:30:10.000 A " AGENT "x\n");
	bed_judge(&bed);
	bed_expect_at(&bed, "A", "logon", 2, "fail", "never");
	bed_close(&bed);
}

/* An attempt whose limits were not judged has had its steps all the same. */
static void step_after_an_attempt_without_times(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"A " AGENT "Logon asked\n"
		"A " AGENT "Logon done\n"
		"A " AGENT "Logon told again\n");
	bed_judge(&bed);
	finding = bed_expect(&bed, "A", "logon", "no-evidence", "");
	assert_int_equal(finding->evidence_count, 3);
	bed_close(&bed);
}

static const char lost_rules[] =
	"id: lost\n"
	"title: Lost\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: connected, text: 'Now connected'}\n"
	"  - {id: closed, text: 'Now lost'}\n"
	"tracks:\n"
	"  - id: host\n"
	"    outcomes:\n"
	"      - {on: [closed], result: warning, cause: lost}\n"
	"    merge: 10 s\n" GAP_BUILTIN "causes:\n"
	"  - {id: lost, text: Lost., remedies: [{who: host, text: Look.}]}\n" GAP_CAUSES;

static void connected_in_between(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, lost_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:00.000 A " AGENT "Now connected\n"
		"08:30:10.000 A " AGENT "Now lost\n"
		"08:30:10.500 A " AGENT "Now lost\n"
		"08:30:12.000 A " AGENT "Now connected\n"
		"08:30:14.000 A " AGENT "Now lost\n");
	bed_judge(&bed);
	assert_int_equal(bed_count(&bed, "A", "lost"), 2);
	bed_expect_at(&bed, "A", "lost", 2, "warning", "lost");
	bed_close(&bed);
}

static const char fault_rules[] =
	"id: faults\n"
	"title: Faults\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: handshake, text: 'Handshake failed: {reason}'}\n"
	"  - {id: reload, text: 'Reload failed: {reason}'}\n"
	"  - {id: trouble, text: 'Trouble {trouble:number}: {reason}'}\n"
	"tracks:\n"
	"  - id: host\n"
	"    outcomes:\n"
	"      - {on: [handshake], result: note, cause: handshake}\n"
	"      - {on: [reload], result: warning, by: reason}\n"
	"      - {on: [trouble], result: warning, by: trouble, weak: true}\n"
	"    merge: 10 min\n"
	"causes:\n"
	"  - {id: handshake, text: 'Handshake: {reason}.'}\n"
	"  - {id: reload, value: 'unknown key', by: reason, name: KEY, text: 'Reload: {reason}.',\n"
	"     remedies: [{who: host, text: Look.}]}\n"
	"  - {id: trouble, value: '7', by: trouble, name: SEVEN, text: 'Trouble: {reason}.',\n"
	"     remedies: [{who: host, text: Look.}]}\n";

#define HANDSHAKE(time) time " A " AGENT "Handshake failed: no shared cipher\n"
#define RELOAD(time) time " A " AGENT "Reload failed: unknown key\n"
#define TROUBLE(time) time " A " AGENT "Trouble 7: something\n"

/* What the finding says comes of its own line. */
static void expect_fault(
	const struct bed *bed, unsigned number, const char *verdict, const char *cause)
{
	bool reload = strcmp(cause, "reload") == 0;
	const struct finding *finding = bed_expect_at(bed, "A", "faults", number, verdict, cause);

	assert_int_equal(finding->evidence_count, 1);
	assert_string_equal(
		bed_data(finding, "reason"), reload ? "unknown key" : "no shared cipher");
	assert_string_equal(finding->cause_text,
		reload ? "Reload: unknown key." : "Handshake: no shared cipher.");
}

/* However near, two causes are two findings. */
static void causes_of_one_weight(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, fault_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed, RELOAD("08:30:00.000") HANDSHAKE("08:30:01.000"));
	bed_judge(&bed);
	assert_int_equal(bed_count(&bed, "A", "faults"), 2);
	expect_fault(&bed, 1, "warning", "reload");
	expect_fault(&bed, 2, "note", "handshake");
	bed_close(&bed);
	bed_open(&bed, fault_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed, HANDSHAKE("08:30:00.000") RELOAD("08:30:01.000"));
	bed_judge(&bed);
	assert_int_equal(bed_count(&bed, "A", "faults"), 2);
	expect_fault(&bed, 1, "note", "handshake");
	expect_fault(&bed, 2, "warning", "reload");
	bed_close(&bed);
	bed_open(&bed, fault_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed, RELOAD("08:30:00.000") RELOAD("08:30:01.000"));
	bed_judge(&bed);
	assert_int_equal(bed_count(&bed, "A", "faults"), 1);
	bed_close(&bed);
}

/* A weak cause gives way, before the other or after it, and takes its data along. */
static void weak_cause_gives_way(void **state)
{
	static const char *const lines[] = {TROUBLE("08:30:00.000") RELOAD("08:30:01.000"),
		RELOAD("08:30:00.000") TROUBLE("08:30:01.000")};
	const struct finding *finding;
	struct bed bed;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		bed_open(&bed, fault_rules);
		bed_file(&bed, "host/agent.txt");
		bed_lines(&bed, lines[i]);
		bed_judge(&bed);
		finding = bed_expect(&bed, "A", "faults", "warning", "reload");
		assert_int_equal(finding->evidence_count, 2);
		assert_string_equal(bed_data(finding, "reason"), "unknown key");
		assert_string_equal(bed_data(finding, "reason_name"), "KEY");
		assert_string_equal(bed_data(finding, "trouble_name"), "(none)");
		bed_close(&bed);
	}
}

static const char server_rules[] =
	"id: payload\n"
	"title: Payload\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n" CRASH_PATTERNS "  - {id: through, text: 'Came through'}\n"
	"  - {id: silent, text: 'Nobody came'}\n"
	"  - {id: given-up, text: 'Given up'}\n"
	"tracks:\n"
	"  - id: host\n"
	"    outcomes:\n"
	"      - {on: [through], result: pass}\n"
	"      - {on: [silent], result: fail, cause: silent}\n"
	"      - {on: [given-up], result: fail, cause: given-up}\n" CRASH_BUILTIN "causes:\n"
	"  - {id: silent, text: Silent., remedies: [{who: host, text: Look.}]}\n"
	"  - {id: given-up, text: Given up., remedies: [{who: host, text: Look.}]}\n" CRASH_CAUSE;

static void log_without_ids_line(struct bed *bed, uint32_t session, unsigned minute, const char *id)
{
	const struct rule *rule = bed->book->rules[0];
	const struct rule_pattern *pattern = rule_find_pattern(rule, id);
	struct sighting line = {.session = session,
		.source = bed->source,
		.line = minute + 1,
		.pattern = pattern->number,
		.text = id,
		.matched = id,
		.time = minute * INT64_C(60000000)};

	bed->store->sources[bed->source].kind = STAMP_KIND_UTC;
	assert_int_equal(store_add(bed->store, &line, strlen(id)), 0);
}

/* Several servers wrote one log, none of them with an id: each is an attempt of its own. */
static void servers_in_a_log_without_ids(void **state)
{
	static const char *const lines[] = {"begins", "through", "ends", "begins", "silent",
		"given-up", "ends", "begins", "given-up", "ends"};
	const struct report_session *session;
	struct bed bed;
	uint32_t number;

	(void)state;
	bed_open(&bed, server_rules);
	bed_file(&bed, "host/server.txt");
	number = store_session_of_source(bed.store, bed.source);
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		log_without_ids_line(&bed, number, i, lines[i]);
	bed_judge(&bed);
	assert_int_equal(bed.report->session_count, 1);
	session = &bed.report->sessions[0];
	assert_int_equal(session->finding_count, 3);
	assert_int_equal(session->findings[0].verdict, VERDICT_PASS);
	assert_string_equal(session->findings[1].cause->id, "silent");
	assert_int_equal(session->findings[1].evidence_count, 2);
	assert_string_equal(session->findings[2].cause->id, "given-up");
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_and_last_attempts_are_kept),
		cmocka_unit_test(failure_among_many_passes_is_kept),
		cmocka_unit_test(whole_input_is_not_cut),
		cmocka_unit_test(clock_that_was_set_back),
		cmocka_unit_test(step_after_an_attempt_without_times),
		cmocka_unit_test(connected_in_between),
		cmocka_unit_test(causes_of_one_weight),
		cmocka_unit_test(weak_cause_gives_way),
		cmocka_unit_test(servers_in_a_log_without_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
