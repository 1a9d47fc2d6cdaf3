/* Client and host tell of the same attempt; conditions on other lines; measures; the report. */
#include "judge_bed.h"

static const char rules[] =
	"id: payload\n"
	"title: Payload\n"
	"phase: session\n"
	"stage: 5\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: c-begins, components: [CLIENT], text: 'Client begins'}\n"
	"  - {id: c-active, components: [CLIENT], text: 'Client active'}\n"
	"  - {id: c-socket, components: [CLIENT], text: 'Socket error {error:number}'}\n"
	"  - {id: c-failed, components: [CLIENT], text: 'Client failed'}\n"
	"  - {id: h-begins, components: [AGENT], text: 'Host begins'}\n"
	"  - {id: h-active, components: [AGENT], text: 'Host active'}\n"
	"  - {id: h-cause, components: [AGENT], text: 'Disconnect cause {cause:hex}'}\n"
	"tracks:\n"
	"  - id: client\n"
	"    steps:\n"
	"      - {id: begins, on: [c-begins]}\n"
	"      - {id: active, on: [c-active], within: 5 s}\n"
	"    outcomes:\n"
	"      - {on: [c-socket], result: fail, cause: socket}\n"
	"      - {on: [c-failed], result: fail, cause: failed, weak: true}\n"
	"    never: {result: fail, cause: silent}\n"
	"  - id: host\n"
	"    steps:\n"
	"      - {id: begins, on: [h-begins]}\n"
	"      - {id: active, on: [h-active], within: 5 s}\n"
	"    outcomes:\n"
	"      - {on: [h-cause], by: cause, result: fail}\n"
	"    never: {result: fail, cause: silent}\n"
	"causes:\n"
	"  - {id: socket, text: 'Socket {error}.', remedies: [{who: user, text: Look.}]}\n"
	"  - {id: failed, text: Failed., remedies: [{who: user, text: Look.}]}\n"
	"  - {id: silent, text: Silent., remedies: [{who: network, text: Look.}]}\n"
	"  - {id: expired, text: Expired., value: '0x102', name: EXPIRED, remedies: [{who: "
	"network, text: Look.}]}\n";

static void open_both(struct bed *bed, const char *client, const char *host)
{
	bed_open(bed, rules);
	bed_file(bed, "client/client.txt");
	bed_lines(bed, client);
	bed_file(bed, "host/agent.txt");
	bed_lines(bed, host);
	bed_judge(bed);
}

static void client_knows_first_and_host_minutes_later(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	open_both(&bed,
		"08:30:03.830 A " CLIENT "Client begins\n"
		"08:30:03.862 A " CLIENT "Socket error 10013\n"
		"08:30:03.862 A " CLIENT "Client failed\n",
		"08:34:03.717 A " AGENT "Disconnect cause 0x102\n");
	finding = bed_expect(&bed, "A", "payload", "fail", "socket");
	assert_string_equal(finding->cause_text, "Socket 10013.");
	assert_int_equal(finding->duration, 32000);
	assert_int_equal(finding->evidence_count, 4);
	assert_int_equal(finding->evidence[0].source, 0);
	assert_int_equal(finding->evidence[3].source, 1);
	assert_string_equal(bed_data(finding, "cause"), "0x102");
	bed_close(&bed);
}

static void worse_verdict_wins(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	open_both(&bed,
		"08:30:01.000 A " CLIENT "Client begins\n08:30:02.000 A " CLIENT "Client active\n",
		"08:18:01.000 A " AGENT "Host begins\n08:18:12.000 A " AGENT "Something else\n");
	finding = bed_expect(&bed, "A", "payload", "fail", "silent");
	/* Of the track that says so: the host's clock. */
	assert_true(finding->start <
		bed.store->sessions[bed_session(&bed, "A")->number].last - 600 * 1000000LL);
	assert_int_equal(finding->evidence_count, 3);
	bed_close(&bed);
}

/* A host's clock that is twelve minutes slow breaks neither track. */
static void clocks_may_differ(void **state)
{
	struct bed bed;

	(void)state;
	open_both(&bed,
		"08:30:01.000 A " CLIENT "Client begins\n08:30:02.000 A " CLIENT "Client active\n"
		"09:30:01.000 A " CLIENT "Client begins\n09:30:02.000 A " CLIENT "Client active\n",
		"08:18:01.000 A " AGENT "Host begins\n08:18:02.000 A " AGENT "Host active\n"
		"09:18:01.000 A " AGENT "Host begins\n09:18:02.000 A " AGENT "Host active\n");
	assert_int_equal(bed_count(&bed, "A", "payload"), 2);
	bed_expect_at(&bed, "A", "payload", 1, "pass", "");
	assert_int_equal(bed_finding(&bed, "A", "payload", 2)->evidence_count, 4);
	bed_close(&bed);
}

/* A client's log beside the host's does not show that the host's goes on. */
static void client_and_host_in_one_folder(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "logs/client.txt");
	bed_lines(&bed,
		"08:30:01.000 A " CLIENT "Client begins\n08:30:02.000 A " CLIENT "Client active\n");
	bed_file(&bed, "logs/agent.txt");
	bed_lines(&bed, "08:18:01.000 A " AGENT "Host begins\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "payload", "pass", "");
	bed_close(&bed);
}

static void unequal_numbers_join_by_time(void **state)
{
	struct bed bed;

	(void)state;
	open_both(&bed,
		"08:30:01.000 A " CLIENT "Client begins\n08:30:02.000 A " CLIENT "Socket error 1\n"
		"08:40:01.000 A " CLIENT "Client begins\n08:40:02.000 A " CLIENT "Client active\n",
		"08:40:01.500 A " AGENT "Host begins\n08:40:02.500 A " AGENT "Host active\n");
	assert_int_equal(bed_count(&bed, "A", "payload"), 2);
	bed_expect_at(&bed, "A", "payload", 1, "fail", "socket");
	bed_expect_at(&bed, "A", "payload", 2, "pass", "");
	assert_int_equal(bed_finding(&bed, "A", "payload", 1)->evidence_count, 2);
	assert_int_equal(bed_finding(&bed, "A", "payload", 2)->evidence_count, 4);
	bed_close(&bed);
	/* Too far away: a finding of its own. */
	open_both(&bed,
		"08:30:01.000 A " CLIENT "Client begins\n08:30:02.000 A " CLIENT "Client active\n"
		"08:40:01.000 A " CLIENT "Client begins\n08:40:02.000 A " CLIENT "Client active\n",
		"08:50:01.500 A " AGENT "Host begins\n08:50:02.500 A " AGENT "Host active\n");
	assert_int_equal(bed_count(&bed, "A", "payload"), 3);
	bed_close(&bed);
}

static void outcome_alone_joins_the_nearest(void **state)
{
	struct bed bed;

	(void)state;
	open_both(&bed,
		"08:30:01.000 A " CLIENT "Client begins\n08:30:02.000 A " CLIENT "Client active\n"
		"08:40:01.000 A " CLIENT "Client begins\n08:40:02.000 A " CLIENT "Client failed\n",
		"08:44:01.500 A " AGENT "Disconnect cause 0x102\n");
	assert_int_equal(bed_count(&bed, "A", "payload"), 2);
	bed_expect_at(&bed, "A", "payload", 1, "pass", "");
	bed_expect_at(&bed, "A", "payload", 2, "fail", "failed");
	assert_int_equal(bed_finding(&bed, "A", "payload", 2)->evidence_count, 3);
	bed_close(&bed);
}

static void stage_is_the_last_attempt(void **state)
{
	struct bed bed;
	const struct report_stage *stage;

	(void)state;
	open_both(&bed,
		"08:30:01.000 A " CLIENT "Client begins\n08:30:02.000 A " CLIENT "Socket error 1\n"
		"08:40:01.000 A " CLIENT "Client begins\n08:40:02.000 A " CLIENT "Client active\n",
		"");
	stage = &bed_session(&bed, "A")->stages[4];
	assert_int_equal(stage->verdict, VERDICT_PASS);
	assert_int_equal(stage->limit, 5000000);
	assert_int_equal(stage->end - stage->start, 1000000);
	assert_int_equal(bed_session(&bed, "A")->stages[0].verdict, VERDICT_NO_EVIDENCE);
	assert_int_equal(bed_session(&bed, "A")->worst, VERDICT_FAIL);
	bed_close(&bed);
}

static void sessions_come_by_start(void **state)
{
	struct bed bed;

	(void)state;
	open_both(&bed, "08:50:01.000 B " CLIENT "Client begins\n",
		"08:40:01.000 A " AGENT "Host begins\n");
	assert_int_equal(bed.report->session_count, 2);
	assert_string_equal(bed.report->sessions[0].id, BED_A);
	assert_string_equal(bed.report->sessions[1].id, BED_B);
	assert_true(bed.report->sessions[0].started < bed.report->sessions[1].started);
	bed_close(&bed);
}

static const char conditional_rules[] =
	"id: local-network\n"
	"title: Local network\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: mac, text: 'This is a Mac'}\n"
	"  - {id: accepted, text: 'Payload accepted', near: true}\n"
	"  - {id: closed, text: 'Closed by network', near: true}\n"
	"tracks:\n"
	"  - id: host\n"
	"    outcomes:\n"
	"      - {on: [closed], result: fail, cause: missing, requires: [mac], unless: "
	"[accepted]}\n"
	"causes:\n"
	"  - {id: missing, text: Missing., remedies: [{who: host, text: Look.}]}\n";

static void requires_and_unless(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, conditional_rules);
	bed_file(&bed, "mac/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Closed by network\n"
		"08:30:20.000 B " AGENT "Closed by network\n"
		/* later lines count as well, zero ids too */
		"08:30:21.000 0 " AGENT "Payload accepted\n"
		"08:50:00.000 0 " AGENT "This is a Mac\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "local-network", "fail", "missing");
	bed_expect(&bed, "B", "local-network", "no-evidence", "");
	bed_close(&bed);
	bed_open(&bed, conditional_rules);
	bed_file(&bed, "mac/agent.txt");
	bed_lines(&bed, "08:30:01.000 B " AGENT "This is a Mac\n");
	bed_file(&bed, "linux/agent.txt");
	bed_lines(&bed, "08:30:01.000 A " AGENT "Closed by network\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "local-network", "no-evidence", "");
	bed_close(&bed);
}

static const char all_required_rules[] =
	"id: permission\n"
	"title: Permission\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: server, text: 'The server begins'}\n"
	"  - {id: connected, text: 'Connected', near: true}\n"
	"tracks:\n"
	"  - id: host\n"
	"    outcomes:\n"
	"      - {on: [connected], result: pass, requires: [server, connected]}\n";

static void requires_all(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, all_required_rules);
	bed_file(&bed, "one/agent.txt");
	bed_lines(&bed,
		"08:30:00.000 A " AGENT "The server begins\n"
		"08:30:01.000 A " AGENT "Connected\n");
	bed_file(&bed, "two/agent.txt");
	bed_lines(&bed, "08:30:01.000 B " AGENT "Connected\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "permission", "pass", "");
	bed_expect(&bed, "B", "permission", "no-evidence", "");
	bed_close(&bed);
}

static const char traffic_rules[] =
	"id: port\n"
	"title: Port\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: times, text: 'Round trip {mean:number} ms'}\n"
	"  - {id: closed, text: 'Closed with {cause:word}'}\n"
	"tracks:\n"
	"  - id: host\n"
	"    outcomes:\n"
	"      - {on: [closed], by: cause, result: fail, unless: [times]}\n"
	"measures:\n"
	"  - {id: rtt, title: round-trip time, unit: ms, pattern: times, value: mean}\n"
	"causes:\n"
	"  - {id: expired, value: '0x1*', text: 'Cause {cause_hex}.', remedies: [{who: host, text: "
	"Look.}]}\n";

/* Numbers are no sightings, but their series tell that they came. */
static void unless_numbers_came(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, traffic_rules);
	bed_file(&bed, "server.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Closed with 258\n"
		"08:30:10.000 B " AGENT "Round trip 8 ms\n"
		"08:50:00.000 B " AGENT "Closed with 0x102\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "port", "fail", "expired");
	assert_string_equal(bed.report->sessions[0].findings[0].cause_text, "Cause 0x102.");
	bed_expect(&bed, "B", "port", "note", "");
	assert_int_equal(bed.store->sighting_count, 2);
	bed_close(&bed);
}

static const char code_rules[] =
	"id: logon\n"
	"title: Logon\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: refused, text: 'Refused'}\n"
	"tracks:\n"
	"  - id: host\n"
	"    outcomes:\n"
	"      - {on: [refused], by: rc, result: fail}\n"
	"      - {on: [refused], result: fail, cause: other}\n"
	"causes:\n"
	"  - {id: host-lines, value: '0', by: rc, text: Zero., remedies: [{who: host, text: "
	"Look.}]}\n"
	"  - {id: other, text: Other., remedies: [{who: host, text: Look.}]}\n";

static void the_return_code_chooses(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, code_rules);
	bed_file(&bed, "agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Refused\n"
		"08:30:02.000 B =LVL:1 RC:1909           AGENT :Refused\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "logon", "fail", "host-lines");
	bed_expect(&bed, "B", "logon", "fail", "other");
	bed_close(&bed);
}

static const char measure_rules[] =
	"id: latency\n"
	"title: Latency\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: times, text: 'Round trip {mean:number} ms'}\n"
	"measures:\n"
	"  - {id: rtt, title: round-trip time, unit: ms, pattern: times, value: mean, plot: true,\n"
	"     warning: 100, warning-cause: slow, fail: 250, fail-cause: very-slow}\n"
	"causes:\n"
	"  - {id: slow, text: 'Slow, {rtt_highest} ms, {rtt_warnings} of {rtt_values}.', remedies: "
	"[{who: network, text: Look.}]}\n"
	"  - {id: very-slow, text: Very slow., remedies: [{who: network, text: Look.}]}\n";

static void measures_are_judged_by_their_limits(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	bed_open(&bed, measure_rules);
	bed_file(&bed, "host/server.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Round trip 20 ms\n"
		"08:31:01.000 A " AGENT "Round trip 240.5 ms\n"
		"08:32:01.000 A " AGENT "Round trip 100 ms\n"
		"08:30:01.000 B " AGENT "Round trip 251 ms\n"
		"08:30:01.000 0 " AGENT "Round trip 1 ms\n");
	bed_judge(&bed);
	finding = bed_expect(&bed, "A", "latency", "warning", "slow");
	assert_string_equal(finding->cause_text, "Slow, 240.5 ms, 1 of 3.");
	assert_int_equal(finding->end - finding->start, 120000000);
	assert_int_equal(finding->evidence_count, 1);
	assert_int_equal(finding->evidence[0].line, 2);
	bed_expect(&bed, "B", "latency", "fail", "very-slow");
	assert_int_equal(bed_session(&bed, "A")->plot_count, 1);
	/* Good numbers of nobody's are nothing to report. */
	assert_int_equal(bed.report->host.finding_count, 0);
	bed_close(&bed);
}

static void what_was_not_read_is_said(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed, "08:40:01.000 A " AGENT "Host begins\n");
	assert_int_equal(store_skip(bed.store, "b.zip", "damaged", BUNDLE_LOST), 0);
	assert_int_equal(store_skip(bed.store, "c.zip", "damaged", BUNDLE_LOST), 0);
	bed_judge(&bed);
	assert_true(bed.report->incomplete);
	assert_int_equal(bed.report->note_count, 1);
	assert_non_null(strstr(bed.report->notes[0], "2 files or folders were not read"));
	bed_close(&bed);
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	assert_int_equal(store_skip(bed.store, "b", "too many", BUNDLE_LOST_REST), 0);
	bed_judge(&bed);
	assert_non_null(strstr(bed.report->notes[0], "At least 1 file or folder was not read"));
	bed_close(&bed);
	open_both(&bed, "", "08:40:01.000 A " AGENT "Host begins\n");
	assert_false(bed.report->incomplete);
	assert_int_equal(bed.report->note_count, 0);
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_knows_first_and_host_minutes_later),
		cmocka_unit_test(worse_verdict_wins),
		cmocka_unit_test(clocks_may_differ),
		cmocka_unit_test(client_and_host_in_one_folder),
		cmocka_unit_test(unequal_numbers_join_by_time),
		cmocka_unit_test(outcome_alone_joins_the_nearest),
		cmocka_unit_test(stage_is_the_last_attempt),
		cmocka_unit_test(sessions_come_by_start),
		cmocka_unit_test(requires_and_unless),
		cmocka_unit_test(requires_all),
		cmocka_unit_test(unless_numbers_came),
		cmocka_unit_test(the_return_code_chooses),
		cmocka_unit_test(measures_are_judged_by_their_limits),
		cmocka_unit_test(what_was_not_read_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
