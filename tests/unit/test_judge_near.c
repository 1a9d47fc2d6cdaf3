/* Lines with the all-zero id: whose are they? And several machines in one bundle. */
#include "judge_bed.h"

#define AGENT "=LVL:2 RC:   0           AGENT :"
#define SCNET "=LVL:2 RC:   0           SCNET :"

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
