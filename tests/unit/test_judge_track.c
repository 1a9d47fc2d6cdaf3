/* One track: attempts, limits, outcomes. */
#include "judge_bed.h"

static const char rules[] =
	"id: logon\n"
	"title: Logon\n"
	"phase: pre-session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: asked, components: [AGENT], text: 'Logon asked for {user:user}', near: true}\n"
	"  - {id: checked, components: [AGENT], text: 'Logon checked'}\n"
	"  - {id: done, components: [AGENT], text: 'Logon done', near: true}\n"
	"  - {id: resumed, components: [AGENT], text: 'Logon resumed'}\n"
	"  - {id: refused, components: [AGENT], text: 'Logon refused for {user:user}, code "
	"{code:number}', near: true}\n"
	"  - {id: denied, components: [AGENT], text: 'Logon denied'}\n"
	"  - {id: hint, components: [AGENT], text: 'Directory said {code:hex}'}\n"
	"  - {id: note, components: [AGENT], text: 'Logon note {code:hex}'}\n"
	"  - {id: lock, components: [AGENT], text: 'Account locked'}\n"
	"tracks:\n"
	"  - id: host\n"
	"    steps:\n"
	"      - {id: asked, on: [asked]}\n"
	"      - {id: checked, on: [checked], optional: true}\n"
	"      - {id: done, on: [done], within: 5 s}\n"
	"      - {id: resumed, on: [resumed], within: 20 s, alone: true}\n"
	"    outcomes:\n"
	"      - {on: [hint], cause: directory, progress: true}\n"
	"      - {on: [refused], result: fail, cause: refused}\n"
	"      - {on: [denied], result: fail, cause: denied, weak: true}\n"
	"      - {on: [note], by: code, result: note}\n"
	"      - {on: [lock], result: warning, cause: locked, after-pass: true}\n"
	"    late: {result: fail, cause: slow}\n"
	"    never: {result: fail, cause: silent}\n"
	"causes:\n"
	"  - {id: refused, text: 'Refused {user} with {code}{nothing}.', remedies: [{who: user, "
	"text: 'Try {user} again.'}]}\n"
	"  - {id: denied, text: Denied., remedies: [{who: user, text: Ask.}]}\n"
	"  - {id: directory, text: 'The directory said {code}.', remedies: [{who: directory, text: "
	"Look.}]}\n"
	"  - {id: locked, text: Locked., remedies: [{who: directory, text: Unlock.}]}\n"
	"  - {id: slow, text: Slow., remedies: [{who: host, text: Wait.}]}\n"
	"  - {id: silent, text: Silent., remedies: [{who: host, text: Look.}]}\n"
	"  - {id: code-a, text: Ten., value: '0x10', name: TEN}\n"
	"  - {id: code-b, text: Twenty., value: '0x20', name: TWENTY, result: warning, remedies: "
	"[{who: host, text: Look.}]}\n";

/* The lines of a host's log, judged. */
static void given(struct bed *bed, const char *lines)
{
	bed_open(bed, rules);
	bed_file(bed, "host/agent.txt");
	bed_lines(bed, lines);
	bed_judge(bed);
}

static void steps_in_order_pass(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	given(&bed,
		"08:30:01.000 A " AGENT "Logon asked for alice\n"
		"08:30:02.000 A " AGENT "Logon checked\n"
		"08:30:03.500 A " AGENT "Logon done\n"
		"08:30:04.000 A " AGENT "Logon resumed\n");
	finding = bed_expect(&bed, "A", "logon", "pass", "");
	assert_int_equal(finding->duration, 3000000);
	assert_int_equal(finding->end - finding->start, 3000000);
	assert_int_equal(finding->kind, STAMP_KIND_UTC);
	assert_int_equal(finding->evidence_count, 4);
	assert_int_equal(finding->evidence[2].line, 3);
	assert_string_equal(bed_data(finding, "user"), "alice");
	assert_string_equal(bed_data(finding, "duration_s"), "3");
	assert_string_equal(bed_data(finding, "collected"),
		"Logon asked for alice; Logon checked; Logon done; Logon resumed");
	assert_int_equal(finding->attempt, 1);
	assert_int_equal(finding->attempts, 1);
	assert_int_equal(bed.report->summary[VERDICT_PASS], 1);
	assert_int_equal(report_worst(bed.report), VERDICT_PASS);
	bed_close(&bed);
}

static void optional_step_may_be_missing(void **state)
{
	struct bed bed;

	(void)state;
	given(&bed,
		"08:30:01.000 A " AGENT "Logon asked for alice\n"
		"08:30:06.000 A " AGENT "Logon done\n" /* the limit itself is in time */
		"08:30:07.000 A " AGENT "Logon resumed\n");
	bed_expect(&bed, "A", "logon", "pass", "");
	bed_close(&bed);
}

static void late_step_is_late(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	given(&bed,
		"08:30:01.000 A " AGENT "Logon asked for alice\n"
		"08:30:06.001 A " AGENT "Logon done\n"
		"08:30:06.100 A " AGENT "Logon resumed\n");
	finding = bed_expect(&bed, "A", "logon", "fail", "slow");
	assert_int_equal(finding->duration, 5001000);
	assert_int_equal(finding->evidence_count, 3);
	bed_close(&bed);
}

static void required_step_is_not_skipped(void **state)
{
	struct bed bed;

	(void)state;
	/* `resumed` is alone, so `done` may be missing; `checked` alone ends nothing. */
	given(&bed,
		"08:30:01.000 A " AGENT "Logon asked for alice\n"
		"08:30:02.000 A " AGENT "Logon resumed\n"
		"08:30:01.000 B " AGENT "Logon asked for bob\n"
		"08:30:02.000 B " AGENT "Logon checked\n"
		"08:31:00.000 B " AGENT "Something else\n");
	bed_expect(&bed, "A", "logon", "pass", "");
	bed_expect(&bed, "B", "logon", "fail", "silent");
	bed_close(&bed);
}

static void step_alone_passes(void **state)
{
	struct bed bed;

	(void)state;
	given(&bed,
		"08:30:02.000 A " AGENT "Logon resumed\n"
		"08:30:03.000 A " AGENT "Logon resumed\n"   /* told twice */
		"08:40:03.000 A " AGENT "Logon resumed\n"); /* again */
	assert_int_equal(bed_count(&bed, "A", "logon"), 2);
	bed_expect_at(&bed, "A", "logon", 1, "pass", "");
	assert_int_equal(bed_finding(&bed, "A", "logon", 1)->evidence_count, 2);
	assert_int_equal(bed_finding(&bed, "A", "logon", 2)->attempt, 2);
	assert_int_equal(bed_finding(&bed, "A", "logon", 2)->attempts, 2);
	bed_close(&bed);
}

static void part_without_beginning_is_no_evidence(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	given(&bed, "08:30:02.000 A " AGENT "Logon done\n");
	finding = bed_expect(&bed, "A", "logon", "no-evidence", "");
	assert_int_equal(finding->evidence_count, 1);
	assert_non_null(strstr(finding->cause_text, "how it began"));
	assert_int_equal(report_worst(bed.report), VERDICT_NO_EVIDENCE);
	bed_close(&bed);
}

static void never_needs_a_log_that_goes_on(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	given(&bed,
		"08:30:01.000 A " AGENT "Logon asked for alice\n"
		"08:30:06.000 0 " AGENT "Something else\n");
	finding = bed_expect(&bed, "A", "logon", "no-evidence", "");
	assert_non_null(strstr(finding->cause_text, "ends too early"));
	assert_int_equal(finding->end, STAMP_NONE);
	bed_close(&bed);
	given(&bed,
		"08:30:01.000 A " AGENT "Logon asked for alice\n"
		"08:30:06.001 0 " AGENT "Something else\n");
	finding = bed_expect(&bed, "A", "logon", "fail", "silent");
	assert_int_equal(finding->end, STAMP_NONE);
	assert_int_equal(finding->duration, -1);
	bed_close(&bed);
}

/* What the filter leaves out shows no more than what is missing. */
static void filtered_lines_do_not_count(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_until(&bed, "2024-05-14T08:30:02Z");
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Logon asked for alice\n"
		"08:30:03.000 A " AGENT "Logon done\n"
		"08:31:03.000 A " AGENT "Something else\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "logon", "no-evidence", "");
	bed_close(&bed);
}

/* Another machine's log does not show that this one goes on, whatever its clock says. */
static void other_machines_do_not_count(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed, "08:30:01.000 A " AGENT "Logon asked for alice\n");
	bed_file(&bed, "client/client.txt");
	bed_lines(&bed, "08:42:01.000 A LVL:2 RC:   0 CLIENT :Something else\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "logon", "no-evidence", "");
	bed_close(&bed);
}

static void several_attempts_are_told_apart(void **state)
{
	struct bed bed;

	(void)state;
	given(&bed,
		"08:30:01.000 A " AGENT "Logon asked for alice\n"
		"08:30:01.050 A " AGENT "Logon asked for alice\n" /* the same, told twice */
		"08:30:02.000 A " AGENT "Logon refused for alice, code 1326\n"
		"08:30:02.500 A " AGENT "Logon asked for alice\n" /* hung */
		"08:30:20.000 A " AGENT "Logon asked for alice\n"
		"08:30:21.000 A " AGENT "Logon asked for alice\n" /* took over at once */
		"08:30:22.000 A " AGENT "Logon done\n"
		"08:30:22.100 A " AGENT "Logon resumed\n");
	assert_int_equal(bed_count(&bed, "A", "logon"), 4);
	bed_expect_at(&bed, "A", "logon", 1, "fail", "refused");
	bed_expect_at(&bed, "A", "logon", 2, "fail", "silent");
	bed_expect_at(&bed, "A", "logon", 3, "no-evidence", "");
	bed_expect_at(&bed, "A", "logon", 4, "pass", "");
	assert_non_null(strstr(bed_finding(&bed, "A", "logon", 3)->cause_text, "new attempt"));
	assert_int_equal(bed_finding(&bed, "A", "logon", 4)->attempts, 4);
	assert_int_equal(bed_session(&bed, "A")->worst, VERDICT_FAIL);
	bed_close(&bed);
}

static void hung_attempt_is_not_completed_by_another_session(void **state)
{
	struct bed bed;

	(void)state;
	given(&bed,
		"08:30:01.000 A " AGENT "Logon asked for alice\n"
		"08:30:01.500 B " AGENT "Logon asked for bob\n"
		"08:30:02.000 B " AGENT "Logon done\n"
		"08:30:02.100 B " AGENT "Logon resumed\n"
		"08:35:02.100 B " AGENT "Something else\n");
	bed_expect(&bed, "A", "logon", "fail", "silent");
	bed_expect(&bed, "B", "logon", "pass", "");
	bed_close(&bed);
}

static void outcome_gives_cause_remedies_and_captures(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	given(&bed,
		"08:30:01.000 A " AGENT "Logon asked for alice\n"
		"08:30:02.000 A " AGENT "Logon refused for alice, code 1326\n"
		"08:30:02.001 A " AGENT "Logon refused for alice, code 1326\n");
	finding = bed_expect(&bed, "A", "logon", "fail", "refused");
	assert_string_equal(finding->cause_text, "Refused alice with 1326.");
	assert_int_equal(finding->remedy_count, 1);
	assert_int_equal(finding->remedies[0].who, ACTOR_USER);
	assert_string_equal(finding->remedies[0].text, "Try alice again.");
	assert_string_equal(bed_data(finding, "code"), "1326");
	for (size_t i = 0; i < finding->data_count; i++) {
		bool is_user = strcmp(finding->data[i].name, "user") == 0;

		assert_int_equal(finding->data[i].mask, is_user);
		if (strcmp(finding->data[i].name, "code") == 0)
			assert_true(finding->data[i].number);
	}
	assert_int_equal(finding->duration, 1000000);
	bed_close(&bed);
}

static void progress_names_the_cause(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	given(&bed,
		"08:30:01.000 A " AGENT "Logon asked for alice\n"
		"08:30:02.000 A " AGENT "Directory said 0x52e\n"
		"08:30:02.100 A " AGENT "Logon denied\n"
		/* progress without an opening, and then nothing of it */
		"08:30:01.000 B " AGENT "Directory said 0x52e\n");
	finding = bed_expect(&bed, "A", "logon", "fail", "directory");
	assert_string_equal(finding->cause_text, "The directory said 0x52e.");
	bed_expect(&bed, "B", "logon", "no-evidence", "");
	bed_close(&bed);
}

static void outcome_alone_takes_the_progress_before_it(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	given(&bed,
		"08:30:02.000 A " AGENT "Directory said 0x52e\n"
		"08:30:02.100 A " AGENT "Logon denied\n");
	finding = bed_expect(&bed, "A", "logon", "fail", "directory");
	assert_int_equal(finding->evidence_count, 2);
	assert_int_equal(finding->duration, -1);
	bed_close(&bed);
}

static void weak_cause_is_replaced(void **state)
{
	struct bed bed;

	(void)state;
	given(&bed,
		"08:30:01.000 A " AGENT "Logon denied\n"
		"08:30:01.100 A " AGENT "Logon refused for alice, code 5\n"
		"08:30:01.200 A " AGENT "Logon denied\n");
	bed_expect(&bed, "A", "logon", "fail", "refused");
	assert_int_equal(bed_finding(&bed, "A", "logon", 1)->evidence_count, 3);
	bed_close(&bed);
}

static void same_cause_far_apart_is_two(void **state)
{
	struct bed bed;

	(void)state;
	given(&bed,
		"08:30:01.000 A " AGENT "Logon refused for alice, code 5\n"
		"08:30:02.900 A " AGENT "Logon refused for alice, code 5\n"
		"08:30:12.000 A " AGENT "Logon refused for alice, code 5\n");
	assert_int_equal(bed_count(&bed, "A", "logon"), 2);
	bed_close(&bed);
}

static void captured_value_chooses_the_cause(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	given(&bed,
		"08:30:01.000 A " AGENT "Logon note 16\n"
		"08:30:01.001 A " AGENT "Logon note 0x10\n"
		"08:35:01.000 A " AGENT "Logon note 0x20\n"
		"08:40:01.000 A " AGENT "Logon note 0x99\n"); /* no cause: says nothing */
	assert_int_equal(bed_count(&bed, "A", "logon"), 2);
	finding = bed_expect_at(&bed, "A", "logon", 1, "note", "code-a");
	assert_string_equal(bed_data(finding, "code_name"), "TEN");
	assert_int_equal(finding->evidence_count, 2);
	bed_expect_at(&bed, "A", "logon", 2, "warning", "code-b");
	bed_close(&bed);
}

static void after_a_pass_only_what_says_so_counts(void **state)
{
	struct bed bed;

	(void)state;
	given(&bed,
		"08:30:01.000 A " AGENT "Logon resumed\n"
		"08:31:01.000 A " AGENT "Logon refused for alice, code 5\n"
		"08:32:01.000 A " AGENT "Account locked\n");
	assert_int_equal(bed_count(&bed, "A", "logon"), 2);
	bed_expect_at(&bed, "A", "logon", 1, "pass", "");
	bed_expect_at(&bed, "A", "logon", 2, "warning", "locked");
	bed_close(&bed);
}

static void without_times_limits_are_not_judged(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	given(&bed, AGENT "Logon asked for alice\n" AGENT "Logon done\n" AGENT "Logon resumed\n");
	finding = bed_expect(&bed, "0", "logon", "no-evidence", "");
	assert_non_null(strstr(finding->cause_text, "no time"));
	assert_int_equal(finding->evidence_count, 3);
	bed_close(&bed);
	given(&bed,
		AGENT "Logon asked for alice\n" AGENT "Directory said 0x52e\n" AGENT
		      "Logon denied\n");
	bed_expect(&bed, "0", "logon", "fail", "directory");
	bed_close(&bed);
	given(&bed,
		AGENT "Logon refused for alice, code 5\n" AGENT
		      "Logon refused for alice, code 5\n");
	bed_expect(&bed, "0", "logon", "fail", "refused");
	bed_close(&bed);
}

/* Session A alone: nothing of the other rules' business. */
static void nothing_is_no_evidence(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	given(&bed, "08:30:01.000 A " AGENT "Something else\n");
	finding = bed_expect(&bed, "A", "logon", "no-evidence", "");
	assert_int_equal(finding->start, STAMP_NONE);
	assert_non_null(finding->cause_text);
	assert_int_equal(bed.report->summary[VERDICT_NO_EVIDENCE], 1);
	bed_close(&bed);
}

/* Thousands of lines of one kind are bounded, and a failure among them is not lost. */
static void attempts_are_bounded(void **state)
{
	struct bed bed;
	char line[160];

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	for (int i = 0; i < 300; i++) {
		snprintf(line, sizeof(line), "%02d:%02d:00.000 A " AGENT "%s", i / 60, i % 60,
			i == 250 ? "Account locked" : "Logon resumed");
		bed_line(&bed, line);
	}
	bed_judge(&bed);
	assert_true(bed_count(&bed, "A", "logon") <= 64);
	assert_int_equal(bed_session(&bed, "A")->worst, VERDICT_WARNING);
	assert_true(bed.report->incomplete);
	assert_int_equal(bed.report->note_count, 1);
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_in_order_pass),
		cmocka_unit_test(optional_step_may_be_missing),
		cmocka_unit_test(late_step_is_late),
		cmocka_unit_test(required_step_is_not_skipped),
		cmocka_unit_test(step_alone_passes),
		cmocka_unit_test(part_without_beginning_is_no_evidence),
		cmocka_unit_test(never_needs_a_log_that_goes_on),
		cmocka_unit_test(filtered_lines_do_not_count),
		cmocka_unit_test(other_machines_do_not_count),
		cmocka_unit_test(several_attempts_are_told_apart),
		cmocka_unit_test(hung_attempt_is_not_completed_by_another_session),
		cmocka_unit_test(outcome_gives_cause_remedies_and_captures),
		cmocka_unit_test(progress_names_the_cause),
		cmocka_unit_test(outcome_alone_takes_the_progress_before_it),
		cmocka_unit_test(weak_cause_is_replaced),
		cmocka_unit_test(same_cause_far_apart_is_two),
		cmocka_unit_test(captured_value_chooses_the_cause),
		cmocka_unit_test(after_a_pass_only_what_says_so_counts),
		cmocka_unit_test(without_times_limits_are_not_judged),
		cmocka_unit_test(nothing_is_no_evidence),
		cmocka_unit_test(attempts_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
