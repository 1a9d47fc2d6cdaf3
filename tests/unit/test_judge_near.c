/* Lines with the all-zero id: whose are they? And several machines in one bundle. */
#include "judge_bed.h"

static const char rules[] =
	"id: payload\n"
	"title: Payload\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: starting, components: [AGENT], text: 'Start of the server'}\n"
	"  - {id: accepted, components: [SCNET], text: 'Accepted from {peer:address}', near: "
	"true}\n"
	"  - {id: connected, components: [AGENT], text: 'Now connected', near: true}\n"
	"  - {id: up, components: [AGENT], text: 'Server is up'}\n"
	"  - {id: refused, components: [AGENT], text: 'Refused by tag', near: true}\n"
	"  - {id: unattributed, components: [AGENT], text: 'Refused by name'}\n"
	"tracks:\n"
	"  - id: host\n"
	"    steps:\n"
	"      - {id: starting, on: [starting]}\n"
	"      - {id: up, on: [up], optional: true}\n"
	"      - {id: accepted, on: [accepted]}\n"
	"      - {id: connected, on: [connected], within: 5 s}\n"
	"    outcomes:\n"
	"      - {on: [refused, unattributed], result: fail, cause: refused}\n"
	"    never: {result: fail, cause: silent}\n"
	"causes:\n"
	"  - {id: refused, text: Refused., remedies: [{who: host, text: Look.}]}\n"
	"  - {id: silent, text: Silent., remedies: [{who: network, text: Look.}]}\n";

/* The same, where a line with an id says it, too. */
static const char pair_rules[] =
	"id: payload\n"
	"title: Payload\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: starting, components: [AGENT], text: 'Start of the server'}\n"
	"  - {id: accepted, components: [SCNET], text: 'Accepted from {peer:address}', near: "
	"true}\n"
	"  - {id: connected, components: [AGENT], text: 'Now connected', near: true}\n"
	"  - {id: complete, components: [AGENT], text: 'Connected now'}\n"
	"tracks:\n"
	"  - id: host\n"
	"    steps:\n"
	"      - {id: starting, on: [starting]}\n"
	"      - {id: accepted, on: [accepted], optional: true}\n"
	"      - {id: connected, on: [connected, complete], within: 5 s}\n"
	"    never: {result: fail, cause: silent}\n"
	"causes:\n"
	"  - {id: silent, text: Silent., remedies: [{who: network, text: Look.}]}\n";

static const char logon_rules[] =
	"id: logon\n"
	"title: Logon\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: asked, components: [AGENT], text: 'Asked for a logon'}\n"
	"  - {id: accepted, components: [AGENT], text: 'Accepted by name'}\n"
	"  - {id: refused, components: [AGENT], text: 'Refused by tag', near: true}\n"
	"tracks:\n"
	"  - id: host\n"
	"    steps:\n"
	"      - {id: asked, on: [asked]}\n"
	"      - {id: accepted, on: [accepted], within: 5 s}\n"
	"    outcomes:\n"
	"      - {on: [refused], result: fail, cause: refused}\n"
	"causes:\n"
	"  - {id: refused, text: Refused., remedies: [{who: host, text: Look.}]}\n";

static const char licence_rules[] =
	"id: licence\n"
	"title: Licence\n"
	"phase: session\n"
	"order: 20\n"
	"patterns:\n"
	"  - {id: refused, components: [AGENT], text: 'Licence is refused', near: true}\n"
	"  - {id: connected, components: [AGENT], text: 'Connected now'}\n"
	"  - {id: closed, components: [AGENT], text: 'Ended'}\n"
	"tracks:\n"
	"  - id: host\n"
	"    outcomes:\n"
	"      - {on: [refused], result: fail, cause: refused}\n" GAP_BUILTIN "causes:\n"
	"  - {id: refused, text: Refused., remedies: [{who: host, text: Look.}]}\n" GAP_CAUSES;

static void zero_lines_go_to_the_waiting_session(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Start of the server\n"
		"08:30:02.000 0 " SCNET "Accepted from 192.0.2.7:50000\n"
		"08:30:03.740 0 " AGENT "Now connected\n");
	bed_judge(&bed);
	finding = bed_expect(&bed, "A", "payload", "pass", "");
	assert_int_equal(finding->duration, 2740000);
	assert_string_equal(bed_data(finding, "peer"), "192.0.2.7:50000");
	assert_int_equal(bed.report->host.finding_count, 0);
	bed_close(&bed);
}

static void last_opened_session_is_taken(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Start of the server\n" /* hung */
		"08:30:30.000 B " AGENT "Start of the server\n"
		"08:30:31.000 0 " SCNET "Accepted from 192.0.2.7:50000\n"
		"08:30:32.000 0 " AGENT "Now connected\n"
		"08:30:40.000 0 " AGENT "Something else\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "payload", "fail", "silent");
	bed_expect(&bed, "B", "payload", "pass", "");
	bed_close(&bed);
}

/* Each session's server has a log of its own; who writes there owns the zero lines in it. */
static void same_log_goes_before_same_folder(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Start of the server\n"
		"08:30:01.500 B " AGENT "Start of the server\n"
		"08:30:20.000 0 " AGENT "Something else\n");
	bed_file(&bed, "host/server-a.txt");
	bed_lines(&bed,
		"08:30:02.000 A " AGENT "Server is up\n"
		"08:30:02.100 0 " SCNET "Accepted from 192.0.2.7:50000\n"
		"08:30:02.200 0 " AGENT "Now connected\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "payload", "pass", "");
	bed_expect(&bed, "B", "payload", "fail", "silent");
	bed_close(&bed);
}

/* Told once with an id and once without: the hung session A is not completed by B's lines. */
static void hung_session_is_not_completed(void **state)
{
	static const char *const ends[] = {
		"08:30:04.500 B " AGENT "Connected now\n08:30:04.500 0 " AGENT "Now connected\n",
		"08:30:04.480 0 " AGENT "Now connected\n08:30:04.500 B " AGENT "Connected now\n",
		"08:30:04.500 0 " AGENT "Now connected\n",
	};
	struct bed bed;

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		bed_open(&bed, pair_rules);
		bed_file(&bed, "host/agent.txt");
		bed_lines(&bed,
			"08:30:01.000 A " AGENT "Start of the server\n"
			"08:30:03.000 B " AGENT "Start of the server\n"
			"08:30:03.500 0 " SCNET "Accepted from 192.0.2.7:50000\n");
		bed_lines(&bed, ends[i]);
		bed_line(&bed, "08:30:40.000 A " AGENT "Something else");
		bed_judge(&bed);
		bed_expect(&bed, "A", "payload", "fail", "silent");
		bed_expect(&bed, "B", "payload", "pass", "");
		bed_close(&bed);
	}
}

/* A has come further than B, which began after it and hangs. */
static void the_furthest_is_completed(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, pair_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Start of the server\n"
		"08:30:01.500 0 " SCNET "Accepted from 192.0.2.7:50000\n"
		"08:30:01.800 B " AGENT "Start of the server\n"
		"08:30:02.500 0 " AGENT "Now connected\n"
		"08:30:40.000 A " AGENT "Something else\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "payload", "pass", "");
	bed_expect(&bed, "B", "payload", "fail", "silent");
	bed_close(&bed);
}

/* The one of two waiting sessions that goes on was not refused; the one that asks again was. */
static void refusal_is_of_who_does_not_go_on(void **state)
{
	static const struct {
		const char *later, *refused, *passed;
	} cases[] = {
		{"08:30:02.000 A " AGENT "Accepted by name\n", "B", "A"},
		{"08:30:02.000 B " AGENT "Accepted by name\n", "A", "B"},
	};
	struct bed bed;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		bed_open(&bed, logon_rules);
		bed_file(&bed, "host/agent.txt");
		bed_lines(&bed,
			"08:30:01.000 A " AGENT "Asked for a logon\n"
			"08:30:01.200 B " AGENT "Asked for a logon\n"
			"08:30:01.700 0 " AGENT "Refused by tag\n");
		bed_lines(&bed, cases[i].later);
		bed_judge(&bed);
		bed_expect(&bed, cases[i].refused, "logon", "fail", "refused");
		bed_expect(&bed, cases[i].passed, "logon", "pass", "");
		bed_close(&bed);
	}
	bed_open(&bed, logon_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Asked for a logon\n"
		"08:30:01.200 B " AGENT "Asked for a logon\n"
		"08:30:01.700 0 " AGENT "Refused by tag\n"
		"08:30:03.000 B " AGENT "Asked for a logon\n"
		"08:30:03.500 B " AGENT "Accepted by name\n");
	bed_judge(&bed);
	bed_expect_at(&bed, "B", "logon", 1, "fail", "refused");
	bed_expect_at(&bed, "B", "logon", 2, "pass", "");
	bed_close(&bed);
	/* Nobody goes on: the one that waits longest. */
	bed_open(&bed, logon_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Asked for a logon\n"
		"08:30:01.200 B " AGENT "Asked for a logon\n"
		"08:30:01.700 0 " AGENT "Refused by tag\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "logon", "fail", "refused");
	bed_close(&bed);
}

/* Neither a session that was closed, nor one that only begins. */
static void between_two_sessions_is_nobodys(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, licence_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:02.000 A " AGENT "Connected now\n"
		"08:30:10.000 A " AGENT "Ended\n"
		"08:30:13.500 A " AGENT "Ended\n"
		"08:30:13.900 0 " AGENT "Licence is refused\n"
		"08:30:19.000 B " AGENT "Connected now\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "licence", "no-evidence", "");
	bed_expect(&bed, "B", "licence", "no-evidence", "");
	bed_expect(&bed, "0", "licence", "fail", "refused");
	bed_close(&bed);
	bed_open(&bed, licence_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:14.001 0 " AGENT "Licence is refused\n"
		"08:30:19.000 B " AGENT "Connected now\n"
		"08:30:20.000 B " AGENT "Ended\n"
		"08:30:30.000 B " AGENT "Connected now\n"
		"08:30:40.000 0 " AGENT "Licence is refused\n");
	bed_judge(&bed);
	assert_int_equal(bed_count(&bed, "B", "licence"), 2);
	bed_expect_at(&bed, "B", "licence", 2, "fail", "refused");
	bed_close(&bed);
}

/* Asked for one session, the others' lines still tell whose the lines without id are. */
static void one_session_has_the_same_verdict(void **state)
{
	struct store_filter filter = {.since = STAMP_NONE, .until = STAMP_NONE, .session = BED_A};
	struct bed bed;

	(void)state;
	bed_open(&bed, logon_rules);
	store_free(bed.store);
	bed.store = store_new(bed.book, &filter);
	assert_non_null(bed.store);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:28:01.000 0 " AGENT "Refused by tag\n" /* nobody's */
		"08:30:01.000 A " AGENT "Asked for a logon\n"
		"08:30:01.200 B " AGENT "Asked for a logon\n"
		"08:30:01.700 0 " AGENT "Refused by tag\n"
		"08:30:02.000 A " AGENT "Accepted by name\n");
	bed_judge(&bed);
	assert_int_equal(bed.report->session_count, 1);
	bed_expect(&bed, "A", "logon", "pass", "");
	assert_int_equal(bed.report->host.finding_count, 0);
	bed_close(&bed);
}

static void needed_step_is_not_skipped(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Start of the server\n"
		"08:30:02.000 A " AGENT "Now connected\n"
		"08:30:20.000 A " AGENT "Something else\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "payload", "fail", "silent");
	bed_close(&bed);
}

static void not_after_too_long(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Start of the server\n"
		"08:31:01.001 0 " AGENT "Refused by tag\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "payload", "fail", "silent");
	bed_expect(&bed, "0", "payload", "fail", "refused");
	bed_close(&bed);
}

static void line_before_decides_when_nobody_waits(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " SCNET "Accepted from 192.0.2.7:50000\n"
		"08:30:10.000 0 " AGENT "Refused by tag\n"
		"08:30:20.000 0 " AGENT "Refused by name\n"); /* not near: nobody's */
	bed_judge(&bed);
	bed_expect(&bed, "A", "payload", "fail", "refused");
	bed_expect(&bed, "0", "payload", "fail", "refused");
	bed_close(&bed);
}

static void other_folder_is_another_machine(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "one/agent.txt");
	bed_lines(&bed, "08:30:01.000 A " AGENT "Start of the server\n");
	bed_file(&bed, "two/agent.txt");
	bed_lines(&bed, "08:30:02.000 0 " AGENT "Refused by tag\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "payload", "no-evidence", "");
	bed_expect(&bed, "0", "payload", "fail", "refused");
	bed_close(&bed);
}

static void line_before_the_first_of_a_session(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 0 " AGENT "Refused by tag\n"
		"08:30:02.000 B " SCNET "Accepted from 192.0.2.7:50000\n");
	bed_judge(&bed);
	bed_expect(&bed, "B", "payload", "fail", "refused");
	bed_close(&bed);
}

static const char machine_rules[] =
	"id: certificate\n"
	"title: Certificate\n"
	"phase: host\n"
	"scope: host\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: good, text: 'Certificate of {issuer}'}\n"
	"  - {id: none, text: 'Certificate is missing'}\n"
	"tracks:\n"
	"  - id: host\n"
	"    outcomes:\n"
	"      - {on: [good], result: pass}\n"
	"      - {on: [none], result: fail, cause: none}\n"
	"causes:\n"
	"  - {id: none, text: Missing., remedies: [{who: host, text: Look.}]}\n";

static void machines_are_judged_apart(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, machine_rules);
	bed_file(&bed, "one/agent.txt");
	bed_lines(&bed, "08:30:01.000 A " AGENT "Certificate of Example\n");
	bed_file(&bed, "two/agent.txt");
	bed_lines(&bed, "08:30:01.500 0 " AGENT "Certificate is missing\n");
	bed_judge(&bed);
	assert_int_equal(bed_count(&bed, "0", "certificate"), 2);
	assert_int_equal(bed_count(&bed, "A", "certificate"), 0);
	bed_expect_at(&bed, "0", "certificate", 1, "pass", "");
	bed_expect_at(&bed, "0", "certificate", 2, "fail", "none");
	assert_int_equal(bed_finding(&bed, "0", "certificate", 2)->attempts, 1);
	assert_int_equal(bed.report->host.worst, VERDICT_FAIL);
	bed_close(&bed);
}

static void machine_without_lines_is_no_evidence(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, machine_rules);
	bed_judge(&bed);
	bed_expect(&bed, "0", "certificate", "no-evidence", "");
	assert_int_equal(bed.report->session_count, 0);
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_lines_go_to_the_waiting_session),
		cmocka_unit_test(last_opened_session_is_taken),
		cmocka_unit_test(same_log_goes_before_same_folder),
		cmocka_unit_test(hung_session_is_not_completed),
		cmocka_unit_test(the_furthest_is_completed),
		cmocka_unit_test(refusal_is_of_who_does_not_go_on),
		cmocka_unit_test(between_two_sessions_is_nobodys),
		cmocka_unit_test(one_session_has_the_same_verdict),
		cmocka_unit_test(needed_step_is_not_skipped),
		cmocka_unit_test(not_after_too_long),
		cmocka_unit_test(line_before_decides_when_nobody_waits),
		cmocka_unit_test(other_folder_is_another_machine),
		cmocka_unit_test(line_before_the_first_of_a_session),
		cmocka_unit_test(machines_are_judged_apart),
		cmocka_unit_test(machine_without_lines_is_no_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
