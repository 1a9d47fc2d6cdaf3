/* What only code can say. */
#include "judge_bed.h"

static const char path_rules[] =
	"id: connection-path\n"
	"title: Path\n"
	"phase: pre-session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: list, components: [AGENT], text: 'Asked for the list'}\n"
	"  - {id: allocate, components: [AGENT], text: 'Asked to allocate'}\n"
	"  - {id: launch, components: [AGENT], text: 'Asked to launch'}\n"
	"builtin: connection-path\n";

static void path_is_direct_or_brokered(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	bed_open(&bed, path_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:01.000 A " AGENT "Asked for the list\n"
		"08:30:02.000 A " AGENT "Asked to allocate\n"
		"08:30:03.000 B " AGENT "Asked to allocate\n");
	bed_judge(&bed);
	finding = bed_expect(&bed, "A", "connection-path", "pass", "");
	assert_string_equal(bed_data(finding, "path"), "direct");
	assert_int_equal(finding->evidence_count, 2);
	assert_int_equal(bed_session(&bed, "A")->path, REPORT_PATH_DIRECT);
	finding = bed_expect(&bed, "B", "connection-path", "pass", "");
	assert_string_equal(bed_data(finding, "path"), "brokered");
	assert_int_equal(bed_session(&bed, "B")->path, REPORT_PATH_BROKERED);
	bed_close(&bed);
	bed_open(&bed, path_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed, "08:30:01.000 A " AGENT "Something else\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "connection-path", "no-evidence", "");
	assert_int_equal(bed_session(&bed, "A")->path, REPORT_PATH_UNKNOWN);
	bed_close(&bed);
}

static const char clock_rules[] =
	"id: clock\n"
	"title: Clock\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: any, text: 'Some line', samples: []}\n"
	"  - {id: hello, components: [AGENT], text: 'Hello'}\n"
	"  - {id: client-hello, components: [CLIENT], text: 'Hello'}\n"
	"tracks:\n"
	"  - {id: client, outcomes: [{on: [any], result: note, cause: resumed}]}\n"
	"builtin: clock-difference\n"
	"limits: [{name: warning, value: 5}, {name: fail, value: 300}, {name: ahead, value: 60}]\n"
	"causes:\n"
	"  - {id: behind, text: 'Behind {behind_s} s.', remedies: [{who: host, text: Look.}]}\n"
	"  - {id: far-behind, text: Far., remedies: [{who: host, text: Look.}]}\n"
	"  - {id: ahead, text: 'Ahead {ahead_s} s.', remedies: [{who: host, text: Look.}]}\n"
	"  - {id: old-id, text: 'Made {age_h} h before.'}\n"
	"  - {id: resumed, text: 'Resumed after {age_h} h.'}\n";

static void expect_clock(
	const char *line, const char *verdict, const char *cause, const char *difference)
{
	struct bed bed;
	const struct finding *finding;

	bed_open(&bed, clock_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed, line);
	bed_judge(&bed);
	finding = bed_expect(&bed, "A", "clock", verdict, cause);
	assert_string_equal(bed_data(finding, "difference_s"), difference);
	bed_close(&bed);
}

static void host_clock_against_the_id(void **state)
{
	(void)state;
	/* A's id was made at 08:29:58. */
	expect_clock("08:29:58.000 A " AGENT "x", "pass", "", "0");
	expect_clock("08:35:58.000 A " AGENT "x", "pass", "", "360");
	expect_clock("08:29:53.000 A " AGENT "x", "pass", "", "-5");
	expect_clock("08:29:52.999 A " AGENT "x", "warning", "behind", "-5.001");
	expect_clock("08:18:00.000 A " AGENT "x", "fail", "far-behind", "-718");
	expect_clock("11:29:58.001 A " AGENT "x", "note", "resumed", "10800.001");
	/* With its beginning in the log it is not resumed. */
	expect_clock("11:29:58.001 A " AGENT "Hello", "note", "old-id", "10800.001");
	/* The client's log tells its clock: 720 s ahead; what the id says does not count. */
	expect_clock("08:29:59.000 A " CLIENT "Hello\n08:41:59.000 A " AGENT "Hello", "warning",
		"ahead", "720");
	expect_clock(
		"08:41:00.000 A " CLIENT "Hello\n08:42:00.000 A " AGENT "Hello", "pass", "", "60");
	expect_clock("08:41:00.000 A " CLIENT "Hello\n08:30:00.000 A " AGENT "Hello", "fail",
		"far-behind", "-660");
	/* The client's own log says nothing about the host. */
	expect_clock("08:18:00.000 A " CLIENT "x", "no-evidence", "", "(none)");
}

static const char crash_rules[] =
	"id: crash\n"
	"title: Crash\n"
	"phase: host\n"
	"scope: host\n"
	"order: 10\n"
	"patterns:\n" CRASH_PATTERNS CRASH_BUILTIN "causes:\n" CRASH_CAUSE;

static void expect_crash(const char *server, const char *agent, const char *verdict, size_t count)
{
	struct bed bed;

	bed_open(&bed, crash_rules);
	bed_file(&bed, "host/server.txt");
	bed_lines(&bed, server);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed, agent);
	bed_judge(&bed);
	bed_expect_at(
		&bed, "0", "crash", 1, verdict, strcmp(verdict, "fail") == 0 ? "crashed" : "");
	assert_int_equal(bed_count(&bed, "0", "crash"), count);
	bed_close(&bed);
}

static void log_that_never_ends(void **state)
{
	static const char later[] = "08:50:00.000 0 " AGENT "x\n";
	static const char sooner[] = "08:30:50.000 0 " AGENT "x\n";

	(void)state;
	expect_crash("08:30:00.000 0 " AGENT "Log begins\n08:31:00.000 0 " AGENT "Log ends\n",
		later, "pass", 1);
	expect_crash("08:30:00.000 0 " AGENT "Log begins\n08:31:00.000 0 " AGENT "Ended because\n",
		later, "pass", 1);
	expect_crash("08:30:00.000 0 " AGENT "Log begins\n", later, "fail", 1);
	expect_crash("08:30:00.000 0 " AGENT "Log begins\n", sooner, "no-evidence", 1);
	expect_crash("08:30:00.000 0 " AGENT "Log begins\n", "", "no-evidence", 1);
	expect_crash("08:30:00.000 0 " AGENT "Log begins\n08:31:00.000 0 " AGENT "Log begins\n", "",
		"fail", 1);
	expect_crash("08:30:00.000 0 " AGENT "Log begins\n08:31:00.000 0 " AGENT "Log begins\n"
		     "08:32:00.000 0 " AGENT "Log begins\n08:33:00.000 0 " AGENT "Log ends\n",
		"", "fail", 2);
	expect_crash("", later, "no-evidence", 1);
	/* One has ended, of the other nothing is known. */
	expect_crash("08:30:00.000 0 " AGENT "Log begins\n08:31:00.000 0 " AGENT "Log ends\n"
		     "08:32:00.000 0 " AGENT "Log begins\n",
		"", "no-evidence", 1);
}

static void agent_that_begins_anew(void **state)
{
	(void)state;
	expect_crash("08:29:00.000 0 " AGENT "Agent begins\n08:30:00.000 0 " AGENT "Log begins\n"
		     "08:31:00.000 0 " AGENT "Agent begins\n",
		"", "fail", 1);
	expect_crash("08:29:00.000 0 " AGENT "Agent begins\n08:30:00.000 0 " AGENT "Log begins\n"
		     "08:30:30.000 0 " AGENT "Log ends\n08:31:00.000 0 " AGENT "Agent begins\n",
		"", "pass", 1);
	/* What the agent says in its own log is not about the server's. */
	expect_crash("08:30:00.000 0 " AGENT "Log begins\n",
		"08:30:30.000 0 " AGENT "Agent begins\n", "no-evidence", 1);
}

static void crash_is_its_session_s(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, crash_rules);
	bed_file(&bed, "host/server.txt");
	bed_lines(&bed,
		"08:30:00.000 0 " AGENT "Log begins\n08:30:01.000 A " AGENT "Ended not\n"
		"08:31:00.000 A " AGENT "Program x started\n");
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed, "08:29:00.000 B " AGENT "x\n08:50:00.000 0 " AGENT "x\n");
	bed_judge(&bed);
	bed_expect(&bed, "A", "crash", "fail", "crashed");
	assert_int_equal(bed_session(&bed, "A")->worst, VERDICT_FAIL);
	bed_expect(&bed, "0", "crash", "fail", "crashed");
	assert_int_equal(bed_count(&bed, "B", "crash"), 0);
	bed_close(&bed);
}

/* A program that has several servers at once, in one log. */
static void program_that_starts_anew(void **state)
{
	(void)state;
	expect_crash("08:30:00.000 0 " AGENT "Program agent started\n"
		     "08:31:00.000 0 " AGENT "Log begins\n"
		     "08:32:00.000 0 " AGENT "Log begins\n"
		     "08:33:00.000 A " AGENT "Ended because\n"
		     "08:33:00.000 A " AGENT "Log ends\n"
		     "08:34:00.000 B " AGENT "Log ends\n"
		     "08:35:00.000 0 " AGENT "Program agent stopped\n"
		     "08:36:00.000 0 " AGENT "Program agent started\n",
		"08:50:00.000 0 " AGENT "x\n", "pass", 1);
	expect_crash("08:30:00.000 0 " AGENT "Program agent started\n"
		     "08:31:00.000 0 " AGENT "Log begins\n"
		     "08:32:00.000 0 " AGENT "Log begins\n"
		     "08:33:00.000 A " AGENT "Ended because\n"
		     "08:33:00.000 A " AGENT "Log ends\n",
		"08:50:00.000 0 " AGENT "x\n", "fail", 1);
	expect_crash("08:30:00.000 0 " AGENT "Program agent started\n"
		     "08:31:00.000 0 " AGENT "Program manager started\n"
		     "08:36:00.000 0 " AGENT "Program manager started\n",
		"", "fail", 1);
}

/* One server's log goes on in the next file; another server's begins anew. */
static void rotated_logs(void **state)
{
	static const char *const texts[2] = {"08:30:00.000 0 " AGENT
					     "Log begins\n08:31:00.000 0 " AGENT "x\n",
		"08:40:00.000 0 " AGENT "x\n08:50:00.000 0 " AGENT "Log ends\n"};
	struct bed bed;

	(void)state;
	bed_open(&bed, crash_rules);
	for (size_t i = 0; i < 2; i++) {
		bed_part(&bed, i == 0 ? "host/server.log.1" : "host/server.log", "host/server.log",
			i);
		bed_lines(&bed, texts[i]);
	}
	bed_judge(&bed);
	bed_expect(&bed, "0", "crash", "pass", "");
	bed_close(&bed);
	bed_open(&bed, crash_rules);
	for (size_t i = 0; i < 2; i++) {
		bed_part(&bed, i == 0 ? "host/server_1.txt" : "host/server_2.txt",
			"host/server.txt", i);
		bed_lines(&bed, i == 0 ? texts[0] : "08:40:00.000 0 " AGENT "Log begins\n");
	}
	bed_judge(&bed);
	bed_expect(&bed, "0", "crash", "fail", "crashed");
	bed_close(&bed);
}

/* Each of many machines has its own crash: what is kept for one must not grow with the others. */
static void crashes_of_many_machines(void **state)
{
	enum { MACHINES = 3000 };
	struct bed bed;

	(void)state;
	bed_open(&bed, crash_rules);
	for (unsigned i = 0; i < MACHINES; i++) {
		char path[64], line[64];

		snprintf(path, sizeof(path), "host%u/server.txt", i);
		snprintf(line, sizeof(line), "08:30:00.000 0 " AGENT "Log begins %u", i);
		bed_file(&bed, path);
		bed_line(&bed, line);
		snprintf(path, sizeof(path), "host%u/agent.txt", i);
		snprintf(line, sizeof(line), "08:50:00.000 0 " AGENT "x %u", i);
		bed_file(&bed, path);
		bed_line(&bed, line);
	}
	bed_judge(&bed);
	assert_int_equal(bed_count(&bed, "0", "crash"), MACHINES);
	assert_int_equal(bed.report->summary[VERDICT_FAIL], MACHINES);
	assert_false(bed.report->cut);
	bed_close(&bed);
}

static const char gap_rules[] =
	"id: gap\n"
	"title: Gap\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: connected, text: 'Now connected'}\n"
	"  - {id: closed, text: 'Now closed'}\n"
	"  - {id: times, text: 'Round trip {mean:number}'}\n"
	"measures:\n"
	"  - {id: rtt, title: time, unit: ms, pattern: times, value: mean, plot: "
	"true}\n" GAP_BUILTIN "causes:\n"
	"  - {id: gap, text: 'Nothing for {gap_s} s.', remedies: [{who: host, text: Look.}]}\n"
	"  - {id: statistics, text: 'No statistics for {gap_s} s.', remedies: [{who: host, text: "
	"Look.}]}\n";

/* The finding of the built-in; the measure has one, too. */
static void expect_gap(const char *lines, const char *verdict, const char *cause)
{
	struct bed bed;
	const struct report_session *session;
	const char *found = "no-evidence", *because = "";

	bed_open(&bed, gap_rules);
	bed_file(&bed, "host/server.txt");
	bed_lines(&bed, lines);
	bed_judge(&bed);
	session = bed_session(&bed, "A");
	for (size_t i = 0; i < session->finding_count; i++) {
		const struct finding *finding = &session->findings[i];

		if (finding->verdict == VERDICT_NOTE || finding->verdict == VERDICT_NO_EVIDENCE)
			continue;
		found = verdict_name(finding->verdict);
		because = finding->cause ? finding->cause->id : "";
	}
	assert_string_equal(found, verdict);
	assert_string_equal(because, cause);
	bed_close(&bed);
}

#define CONNECTED "08:30:00.000 A " AGENT "Now connected\n"
#define SAMPLE(time) time ".000 A " AGENT "Round trip 10\n"

static void silence_while_connected(void **state)
{
	(void)state;
	expect_gap(CONNECTED SAMPLE("08:31:00") SAMPLE("08:32:00") SAMPLE("08:33:00"), "pass", "");
	expect_gap(CONNECTED SAMPLE("08:31:00") SAMPLE("08:32:00") SAMPLE("08:39:00"), "warning",
		"gap");
	/* The log goes on, only the statistics are missing. */
	expect_gap(CONNECTED SAMPLE("08:31:00") SAMPLE("08:32:00") "08:33:00.000 A " AGENT "x\n"
								   "08:34:30.000 A " AGENT
								   "x\n08:36:00.000 A " AGENT
								   "x\n" SAMPLE("08:37:00"),
		"warning", "statistics");
	/* Closed and connected again in between. */
	expect_gap(CONNECTED SAMPLE("08:31:00") "08:31:30.000 A " AGENT "Now closed\n"
						"08:50:00.000 A " AGENT
						"Now connected\n" SAMPLE("08:51:00"),
		"pass", "");
	/* It was never told that it closed, but its lines end before the gap. */
	expect_gap(CONNECTED SAMPLE("08:31:00") SAMPLE("08:32:00") "09:39:00.000 B " AGENT "x\n",
		"pass", "");
	/* Silent until it is closed. */
	expect_gap(CONNECTED SAMPLE("08:31:00") SAMPLE("08:32:00") "08:49:00.000 A " AGENT
								   "Now closed\n",
		"warning", "gap");
	/* Without statistics silence says nothing, even of a log that else speaks often. */
	expect_gap(CONNECTED "08:30:01.000 A " AGENT "x\n08:30:02.000 A " AGENT
			     "x\n08:30:03.000 A " AGENT "x\n08:49:00.000 A " AGENT "x\n",
		"no-evidence", "");
	/* A log that seldom speaks says nothing by its silence. */
	expect_gap(CONNECTED "08:39:00.000 A " AGENT "x\n08:49:00.000 A " AGENT "x\n",
		"no-evidence", "");
}

static void gap_shows_the_lines_around_it(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	bed_open(&bed, gap_rules);
	bed_file(&bed, "host/server.txt");
	bed_lines(&bed,
		"08:29:00.000 B " AGENT "Now connected\n" CONNECTED SAMPLE("08:31:00") SAMPLE(
			"08:32:00") "08:32:30.000 B " AGENT "Now closed\n"
				    "08:42:30.000 B " AGENT "Now connected\n" SAMPLE("08:42:40"));
	bed_judge(&bed);
	finding = bed_expect_at(&bed, "A", "gap", 1, "warning", "gap");
	assert_int_equal(finding->evidence_count, 2);
	assert_int_equal(finding->evidence[0].line, 5);
	assert_int_equal(finding->evidence[1].line, 6);
	bed_close(&bed);
}

static const char slow_rules[] =
	"id: slow-step\n"
	"title: Slow steps\n"
	"phase: session\n"
	"order: 20\n"
	"patterns:\n"
	"  - {id: asked, text: 'Logon asked'}\n"
	"  - {id: done, text: 'Logon done'}\n"
	"  - {id: client-asked, text: 'Client asked'}\n"
	"  - {id: client-done, text: 'Client done'}\n"
	"stage: 2\n"
	"tracks:\n"
	"  - {id: host, steps: [{id: asked, on: [asked]}, {id: done, on: [done], within: 5 s}],\n"
	"      late: {result: fail, cause: late}}\n"
	"  - {id: client, steps: [{id: asked, on: [client-asked]}, {id: done, on: [client-done], "
	"within: 60 s}]}\n"
	"builtin: slow-step\n"
	"limits: [{name: stage1, value: 1}, {name: stage2, value: 2}, {name: stage3, value: 1},\n"
	"  {name: stage4, value: 1}, {name: stage5, value: 1}, {name: stage6, value: 1}]\n"
	"causes:\n"
	"  - {id: late, text: Late., remedies: [{who: host, text: Look.}]}\n"
	"  - {id: slow, text: '{step} took {duration_s} s, more than {limit_s} s.', remedies: "
	"[{who: host, text: Look.}]}\n";

static void passing_step_that_is_slow(void **state)
{
	struct bed bed;
	const struct finding *finding;

	(void)state;
	bed_open(&bed, slow_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:00.000 A " AGENT "Logon asked\n08:30:02.500 A " AGENT "Logon done\n"
		"08:30:10.000 B " AGENT "Logon asked\n08:30:12.000 B " AGENT "Logon done\n");
	bed_judge(&bed);
	finding = bed_expect_at(&bed, "A", "slow-step", 2, "warning", "slow");
	assert_string_equal(finding->cause_text, "Slow steps took 2.5 s, more than 2 s.");
	assert_int_equal(finding->evidence_count, 2);
	finding = bed_expect_at(&bed, "B", "slow-step", 2, "pass", "");
	assert_string_equal(bed_data(finding, "stage2_s"), "2");
	bed_close(&bed);
}

static void late_step_is_not_quick(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, slow_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed,
		"08:30:00.000 A " AGENT "Logon asked\n08:30:01.000 A " AGENT "Logon done\n"
		"08:31:00.000 A " AGENT "Logon asked\n08:31:30.000 A " AGENT "Logon done\n");
	bed_judge(&bed);
	assert_int_equal(bed_count(&bed, "A", "slow-step"), 2);
	bed_expect_at(&bed, "A", "slow-step", 1, "pass", "");
	bed_expect_at(&bed, "A", "slow-step", 2, "fail", "late");
	/* The page draws the shorter one of the tracks' limits. */
	assert_int_equal(bed_session(&bed, "A")->stages[1].limit, 5000000);
	bed_close(&bed);
}

static const char reconnect_rules[] =
	"id: reconnects\n"
	"title: Reconnects\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: connected, components: [AGENT], text: 'Now connected'}\n"
	"  - {id: client-connected, components: [CLIENT], text: 'Now connected'}\n"
	"  - {id: client-active, components: [CLIENT], text: 'Session active'}\n"
	"builtin: reconnects\n"
	"limits: [{name: warning, value: 3}, {name: window, value: 600}]\n"
	"causes:\n"
	"  - {id: again, text: 'Connected {connections} times.'}\n"
	"  - {id: flapping, text: Flapping., remedies: [{who: network, text: Look.}]}\n";

static void expect_reconnects(
	const char *lines, const char *verdict, const char *cause, const char *connections)
{
	struct bed bed;
	const struct finding *finding;

	bed_open(&bed, reconnect_rules);
	bed_file(&bed, "host/agent.txt");
	bed_lines(&bed, lines);
	bed_judge(&bed);
	finding = bed_expect(&bed, "A", "reconnects", verdict, cause);
	assert_string_equal(bed_data(finding, "connections"), connections);
	bed_close(&bed);
}

static void connections_under_one_id(void **state)
{
	(void)state;
	expect_reconnects("08:30:00.000 A " AGENT "Now connected\n"
			  "08:30:00.100 A " AGENT "Now connected\n" /* told twice */
			  "08:30:00.200 A " CLIENT "Now connected\n",
		"pass", "", "1");
	expect_reconnects("08:30:00.000 A " AGENT "Now connected\n"
			  "11:30:00.100 A " AGENT "Now connected\n",
		"note", "again", "2");
	expect_reconnects("08:30:00.000 A " AGENT "Now connected\n"
			  "08:35:00.000 A " AGENT "Now connected\n"
			  "08:40:00.000 A " AGENT "Now connected\n",
		"warning", "flapping", "3");
	expect_reconnects("08:30:00.000 A " AGENT "Now connected\n"
			  "08:35:00.000 A " AGENT "Now connected\n"
			  "08:40:00.001 A " AGENT "Now connected\n",
		"note", "again", "3");
	/* a client says it in two ways, and later in one of them */
	expect_reconnects("08:30:00.000 A " CLIENT "Now connected\n"
			  "08:30:00.100 A " CLIENT "Session active\n"
			  "09:30:00.000 A " CLIENT "Session active\n",
		"note", "again", "2");
	expect_reconnects("08:30:00.000 A " AGENT "Something else\n", "no-evidence", "", "(none)");
}

static const char frame_rules[] =
	"id: frozen-image\n"
	"title: Frozen\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: frames, text: 'Stat frms: R={a:number}/{b:number}/{c:number}  "
	"T={d:number}/{e:number}/{f:number} (A/I/O)'}\n"
	"builtin: frozen-image\n"
	"limits: [{name: intervals, value: 3}]\n"
	"causes:\n"
	"  - {id: still, text: 'Still for {intervals}.', remedies: [{who: host, text: Look.}]}\n";

#define FRAMES(time, imaging, other)                                                               \
	time ".000 A " AGENT "Stat frms: R=000001/000002/000003  T=000000/" imaging "/" other      \
	     " (A/I/O) Loss=0.00%/0.00% (R/T)\n"

static void expect_frozen(const char *lines, const char *verdict)
{
	struct bed bed;

	bed_open(&bed, frame_rules);
	bed_file(&bed, "host/server.txt");
	bed_lines(&bed, lines);
	bed_judge(&bed);
	bed_expect(
		&bed, "A", "frozen-image", verdict, strcmp(verdict, "warning") == 0 ? "still" : "");
	bed_close(&bed);
}

static void picture_that_stands_still(void **state)
{
	(void)state;
	expect_frozen(FRAMES("08:30:00", "000100", "000010") FRAMES("08:31:00", "000200", "000020")
			      FRAMES("08:32:00", "000200", "000030") FRAMES("08:33:00", "000200",
				      "000040") FRAMES("08:34:00", "000200", "000050"),
		"warning");
	/* Two intervals only. */
	expect_frozen(FRAMES("08:30:00", "000100", "000010") FRAMES("08:31:00", "000200", "000020")
			      FRAMES("08:32:00", "000200", "000030") FRAMES("08:33:00", "000200",
				      "000040") FRAMES("08:34:00", "000201", "000050"),
		"pass");
	/* Nothing moves: a break, not a frozen picture. */
	expect_frozen(FRAMES("08:30:00", "000100", "000010") FRAMES("08:31:00", "000200", "000020")
			      FRAMES("08:32:00", "000200", "000020") FRAMES("08:33:00", "000200",
				      "000020") FRAMES("08:34:00", "000200", "000020"),
		"pass");
	/* It never moved: a client sends no pictures. */
	expect_frozen(FRAMES("08:30:00", "000000", "000010") FRAMES("08:31:00", "000000", "000020")
			      FRAMES("08:32:00", "000000", "000030")
				      FRAMES("08:33:00", "000000", "000040"),
		"no-evidence");
	/* Counters start again with a new connection. */
	expect_frozen(FRAMES("08:30:00", "000100", "000010") FRAMES("08:31:00", "000200", "000020")
			      FRAMES("08:32:00", "000200", "000030") FRAMES("08:33:00", "000001",
				      "000001") FRAMES("08:34:00", "000001", "000002")
				      FRAMES("08:35:00", "000001", "000003")
					      FRAMES("08:36:00", "000001", "000004"),
		"pass");
}

static const char resolution_rules[] =
	"id: resolution\n"
	"title: Resolution\n"
	"phase: session\n"
	"order: 10\n"
	"patterns:\n"
	"  - {id: requested, text: 'Requested {sink:number} {width:number}x{height:number}'}\n"
	"  - {id: answered, text: 'Answered {sink:number} {width:number}x{height:number}'}\n"
	"  - {id: client-requested, text: 'Display {sink:number} requested "
	"{width:number}x{height:number}'}\n"
	"  - {id: client-mapped, text: 'Map at {x:number} display {sink:number} "
	"{width:number}x{height:number}'}\n"
	"  - {id: client-confirmed, text: 'Topology with {displays:number} displays'}\n"
	"builtin: resolution\n"
	"limits: [{name: tolerance, value: 200}]\n"
	"causes:\n"
	"  - {id: different, text: 'Display {display}: {given} for {asked}.', remedies: [{who: "
	"host, text: Look.}]}\n";

static void expect_resolution(const char *lines, const char *verdict, const char *text)
{
	struct bed bed;
	const struct finding *finding;
	bool different = strcmp(verdict, "warning") == 0 || strcmp(verdict, "note") == 0;

	bed_open(&bed, resolution_rules);
	bed_file(&bed, "host/server.txt");
	bed_lines(&bed, lines);
	bed_judge(&bed);
	finding = bed_expect(&bed, "A", "resolution", verdict, different ? "different" : "");
	if (different)
		assert_string_equal(finding->cause_text, text);
	bed_close(&bed);
}

static void displays_asked_for_and_given(void **state)
{
	(void)state;
	expect_resolution("08:30:00.000 A " AGENT "Requested 0 2560x1440\n"
			  "08:30:00.000 A " AGENT "Requested 1 1920x1080\n"
			  "08:30:00.390 A " AGENT "Answered 0 2560x1440\n"
			  "08:30:00.390 A " AGENT "Answered 1 1720x1080\n",
		"pass", NULL);
	expect_resolution("08:30:00.000 A " AGENT "Requested 0 2560x1440\n"
			  "08:30:00.390 A " AGENT "Answered 0 1024x768\n",
		"warning", "Display 0: 1024x768 for 2560x1440.");
	expect_resolution("08:30:00.000 A " CLIENT "Display 0 requested 2560x1440\n"
			  "08:30:00.000 A " CLIENT "Display 1 requested 2560x1440\n"
			  "08:30:00.000 A " CLIENT "Display 2 requested 0x0\n"
			  "08:30:00.390 A " CLIENT "Map at 0 display 0 1024x768\n"
			  "08:30:00.390 A " CLIENT "Map at 1024 display 1 2560x1440\n"
			  "08:30:00.390 A " CLIENT "Topology with 2 displays\n",
		"note", "Display 0: 1024x768 for 2560x1440.");
	expect_resolution("08:30:00.000 A " CLIENT "Display 0 requested 2560x1440\n"
			  "08:30:00.000 A " CLIENT "Display 1 requested 2560x1440\n"
			  "08:30:00.390 A " CLIENT "Topology with 1 displays\n",
		"warning", "Display : 1 display for 2 displays.");
	expect_resolution("08:30:00.000 A " AGENT "Requested 0 2560x1440\n", "no-evidence", NULL);
	expect_resolution("08:30:00.000 A " CLIENT "Display 2 requested 0x0\n"
			  "08:30:00.390 A " CLIENT "Map at 0 display 2 1024x768\n",
		"no-evidence", NULL);
	expect_resolution("08:30:00.000 A " AGENT "Answered 99 2560x1440\n", "no-evidence", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_is_direct_or_brokered),
		cmocka_unit_test(host_clock_against_the_id),
		cmocka_unit_test(log_that_never_ends),
		cmocka_unit_test(crash_is_its_session_s),
		cmocka_unit_test(agent_that_begins_anew),
		cmocka_unit_test(program_that_starts_anew),
		cmocka_unit_test(rotated_logs),
		cmocka_unit_test(crashes_of_many_machines),
		cmocka_unit_test(silence_while_connected),
		cmocka_unit_test(gap_shows_the_lines_around_it),
		cmocka_unit_test(passing_step_that_is_slow),
		cmocka_unit_test(late_step_is_not_quick),
		cmocka_unit_test(connections_under_one_id),
		cmocka_unit_test(picture_that_stands_still),
		cmocka_unit_test(displays_asked_for_and_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
