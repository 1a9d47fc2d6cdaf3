#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "health/mask.h"
#include "health/render.h"
#include "health/render_page.h"
#include "health/render_private.h"
#include "report_sample.h"

static char *draw(const struct report *report, unsigned columns, bool colour, bool utf8)
{
	struct render_text how = {.columns = columns, .colour = colour, .utf8 = utf8};
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	assert_non_null(stream);
	assert_int_equal(render_text(report, NULL, &how, stream), 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(strlen(text), length);
	return text;
}

static void assert_has(const char *text, const char *part)
{
	if (text == NULL || strstr(text, part) == NULL)
		fail_msg("'%s' is missing in:\n%s", part, text != NULL ? text : "nothing");
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("'%s' is in:\n%s", part, text);
}

static void assert_before(const char *text, const char *first, const char *second)
{
	assert_has(text, first);
	assert_has(text, second);
	if (strstr(text, first) > strstr(text, second))
		fail_msg("'%s' comes after '%s' in:\n%s", first, second, text);
}

/* What may be longer than a line: a path with its line number, an address of a page. */
static bool unbreakable(const char *line)
{
	line += strspn(line, " ");
	return strchr(line, ' ') == NULL;
}

static void check_lines(char *text, size_t columns)
{
	char *rest = text;
	char *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		size_t length = strlen(line);

		if (text_columns(line) > columns && !unbreakable(line))
			fail_msg("%zu columns of %zu: '%s'", text_columns(line), columns, line);
		if (length > 0 && line[length - 1] == ' ')
			fail_msg("blanks at the end of '%s'", line);
		for (size_t i = 0; i < length;) {
			uint32_t value;
			size_t bytes = utf8_character(line + i, &value);

			if (bytes == 0 || value < 0x20 || (value >= 0x7f && value < 0xa0) ||
				(value >= 0x202a && value <= 0x202e))
				fail_msg("moves the cursor: '%s'", line);
			i += bytes;
		}
	}
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	static const unsigned widths[] = {0, 40, 41, 57, 63, 64, 65, 80, 100, 133, 200, 1000};
	struct report *report = report_sample_new();

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		for (int utf8 = 0; utf8 < 2; utf8++) {
			char *text = draw(report, widths[i], false, utf8 == 1);

			check_lines(text, widths[i] < 40 ? 40 : widths[i]);
			free(text);
		}
	}
	report_sample_free(report);
}

static void ascii_terminals_get_ascii(void **state)
{
	struct report *report = report_sample_new();
	char *text = draw(report, 80, false, false);

	(void)state;
	for (const char *at = text; *at != '\0'; at++)
		assert_true((unsigned char)*at < 0x80);
	assert_has(text, "x 4 failed   ! 3 warnings   i 2 notes   + 11 passed   - 8 no evidence\n");
	assert_has(text, "x Accept payload");
	free(text);
	report_sample_free(report);
}

/* Takes colours out; everything else that begins with ESC fails. */
static void strip(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0';) {
		if (*from == '\033') {
			assert_int_equal(from[1], '[');
			from += 2 + strspn(from + 2, "0123456789;");
			assert_int_equal(*from, 'm');
			from++;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

static void colours_carry_no_meaning(void **state)
{
	struct report *report = report_sample_new();
	char *plain = draw(report, 100, false, true);
	char *coloured = draw(report, 100, true, true);

	(void)state;
	assert_has(coloured, "\033[31m✗\033[0m");
	assert_has(coloured, "\033[33m!\033[0m");
	assert_has(coloured, "\033[32m✓\033[0m");
	strip(coloured);
	assert_string_equal(coloured, plain);
	free(coloured);
	free(plain);
	report_sample_free(report);
}

static void failures_say_why_who_and_where(void **state)
{
	struct report *report = report_sample_new();
	char *text = draw(report, 100, false, true);

	(void)state;
	assert_has(text, "4 logs, 114,655 lines, 2031-03-24 00:00 to 23:53 UTC\n");
	assert_has(text,
		"✗ d5e9ff80  2031-03-24 22:04:11  20 min 40 s  brokered  NORTHGATE\\zoë.åkesson  "
		"from 198.51.100.23\n");
	assert_has(text, "  ✗ Session authentication (1/2)  failed   22:04:12   1.2 s  The dir");
	assert_has(text, "  ✓ Checkout licence              passed   22:04:34\n");
	assert_has(text,
		"  · no evidence (4): No response from RADIUS server, Monitor power saving mode, "
		"Mac "
		"accessibility\n    permission, Crash\n");
	assert_has(text, "\n  ✗ Session authentication: attempt 1 of 2\n    The directory refused");
	assert_has(text, "    → the help desk: Check that the account of zoë.åkesson is neither");
	assert_has(text, "      https://help.example/logon-error-1326\n");
	assert_has(text,
		"    support.zip/logs/pcoip_agent_2031_03_24_0000abcd.txt:4021\n"
		"      22:04:12 AGENT: Authenticating user NORTHGATE\\zoë.åkesson from "
		"198.51.100.23\n");
	assert_has(text, "Authentication failed: ?[2J ?1326 The user name");
	assert_has(text, "    and 14 more lines\n");
	assert_has(text, "support.zip/links: a link (12 times)\n");
	assert_has(text, "The client's log of ws-0142 names a session");
	assert_has(text, "\n✗ 3 sessions: 2 failed, 1 passed; host: failed\n");
	free(text);
	report_sample_free(report);
}

static void the_worst_comes_first(void **state)
{
	struct report *report = report_sample_new();
	char *text = draw(report, 100, false, true);

	(void)state;
	assert_before(text, "✗ d5e9ff80", "✗ pcoip_server_2012_02_12_0001ae.txt");
	assert_before(text, "✗ pcoip_server_2012_02_12_0001ae.txt", "✓ 66244680");
	assert_before(text, "✓ 66244680", "✗ Host");
	assert_before(text, "✗ Accept payload", "! Prepare host");
	assert_before(text, "! Prepare host", "i Disconnect session");
	assert_before(text, "i Disconnect session", "✓ Initiate session");
	free(text);
	report_sample_free(report);
}

/* A narrow terminal has no room for details behind a note: they stand below it. */
static void a_note_is_told_at_every_width(void **state)
{
	static const unsigned widths[] = {40, 64, 80, 200};
	struct report *report = report_sample_new();

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		char *text = draw(report, widths[i], false, true);
		const char *note = strstr(text, "i Disconnect session");

		assert_non_null(note);
		assert_has(note, "The media channel was never");
		assert_true(strstr(note, "The media channel") < strstr(note, "Initiate session"));
		free(text);
	}
	report_sample_free(report);
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	while ((text = strstr(text, part)) != NULL) {
		count++;
		text += strlen(part);
	}
	return count;
}

/* The same cause of the same diagnostic, again and again, is one block with all attempts. */
static void the_same_cause_is_told_once(void **state)
{
	struct report *report = report_sample_new();
	struct report_session *session = &report->sessions[1];
	struct report_evidence more[] = {{0}, {1, 7, "again"}};
	char *text;

	(void)state;
	session->findings[2] = session->findings[1];
	session->findings[2].attempt = 2;
	session->findings[2].attempts = 2;
	session->findings[2].evidence = more;
	more[0] = session->findings[1].evidence[1];
	text = draw(report, 200, false, true);
	assert_int_equal(count_of(text, "Session authentication: attempt"), 1);
	assert_has(text, "Session authentication: attempt 1, 2 of 2\n");
	assert_has(text, "Session authentication (2/2)  failed");
	assert_int_equal(count_of(text, "Type the password again"), 1);
	/* Evidence of both, the same line once. */
	assert_int_equal(count_of(text, "0000abcd.txt:4024\n"), 1);
	assert_int_equal(count_of(text, "server.mia.lund.log:7\n"), 1);
	free(text);
	report_sample_free(report);
}

/* Ten passes are one line with the longest duration; a few failures are a line each. */
static void passes_of_a_diagnostic_share_a_line(void **state)
{
	struct report *report = report_sample_new();
	struct report_session *session = &report->sessions[1];
	struct finding findings[12];
	char *text;

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		findings[i] = session->findings[i == 3 ? 1 : 3];
		findings[i].rule = session->findings[3].rule;
		findings[i].attempt = (unsigned)i + 1;
		findings[i].attempts = 12;
		findings[i].duration = i == 7 ? 4000000 : 1000000;
	}
	session->findings = findings;
	session->finding_count = 12;
	text = draw(report, 100, false, true);
	assert_has(text, "  ✗ Resource allocation (4/12)      failed   22:04:12  1.0 s  The");
	assert_has(text, "  ✓ Resource allocation (11 of 12)  passed   22:04:32  4.0 s\n");
	for (size_t i = 0; i < 12; i++)
		findings[i] = findings[3];
	free(text);
	text = draw(report, 100, false, true);
	assert_has(text, "  ✗ Resource allocation (12 of 12)  failed   22:04:12");
	free(text);
	report_sample_free(report);
}

static void ten_thousand_sessions_stay_readable(void **state)
{
	struct report *report = report_sample_new();
	char *text;

	(void)state;
	report_sample_repeat(report, 12000);
	text = draw(report, 80, false, true);
	assert_true(count_of(text, "\n") < 10000);
	/* 4,000 of each kind: 8,000 failed, of which 100 have details and 50 a line. */
	assert_int_equal(count_of(text, "  ✗ Accept payload  "), 50);
	assert_has(text, "7,850 further sessions failed");
	assert_has(text, "3,950 further sessions passed");
	assert_has(text, "✗ 12,000 sessions: 8,000 failed, 4,000 passed; host: failed\n");
	free(text);
	report_sample_free(report);
}

static void one_session_is_shown_whole(void **state)
{
	struct report *report = report_sample_new();
	char *text;

	(void)state;
	report->session_count = 1;
	text = draw(report, 100, false, true);
	assert_has(text, "  ✓ Resource allocation     passed   21:11:00");
	assert_has(text, "✗ 1 session: 1 passed; host: failed\n");
	free(text);
	report_sample_free(report);
}

static void no_session_is_said(void **state)
{
	struct report *report = report_sample_new();
	char *text;

	(void)state;
	report->session_count = 0;
	report->host.finding_count = 0;
	report->host.worst = VERDICT_NO_EVIDENCE;
	memset(report->summary, 0, sizeof(report->summary));
	text = draw(report, 80, false, true);
	assert_has(text, "\nNo session in these logs.\n");
	assert_has(text, "\n· no session; nothing in these logs is known to any rule\n");
	assert_lacks(text, "host:");
	free(text);
	report_sample_free(report);
}

/* A line of a kilobyte keeps its beginning and its end. */
static void long_evidence_is_cut_in_its_middle(void **state)
{
	struct report *report = report_sample_new();
	struct report_evidence *evidence = &report->sessions[1].findings[1].evidence[0];
	static const char head[] =
		"2031-03-24T22:04:12.100Z> LVL:2 RC:   0           AGENT :begins here ";
	static const char tail[] = " reason 1326";
	char line[1024];
	char *text;

	(void)state;
	memset(line, 'w', sizeof(line));
	memcpy(line, head, strlen(head));
	memcpy(line + sizeof(line) - sizeof(tail), tail, sizeof(tail));
	evidence->text = line;
	text = draw(report, 80, false, true);
	assert_has(text, "22:04:12 AGENT: begins here\n");
	assert_has(text, "…");
	assert_has(text, " reason 1326\n");
	check_lines(text, 80);
	free(text);
	report_sample_free(report);
}

/* What a pass of a built-in says for people, and that names for programs are not told. */
static void successes_say_what_helps(void **state)
{
	static const struct {
		const char *builtin, *name, *value, *words;
	} cases[] = {
		{"clock-difference", "difference_s", "1.1", "host 1.1 s after the client's id"},
		{"clock-difference", "difference_s", "-2.5", "host 2.5 s before the client's id"},
		{"slow-step", "stage2_s", "0.7", "stage 2 700 ms"},
		{"slow-step", "stage5_s", "75", "stage 5 1 min 15 s"},
		{"reconnects", "connections", "1", "1 connection\n"},
		{"reconnects", "connections", "3", "3 connections"},
		{"crash", "ended", "2", "2 ended well"},
		{"connection-path", "path", "brokered", "passed   21:11:01  820 ms  brokered"},
		{"connection-path", "path", "sideways", NULL},
		{"reconnects", "connections", "\033[2J", NULL},
		{NULL, "source", "https://lic.example/request", NULL},
	};
	struct report *report = report_sample_new();
	struct finding *finding = &report->sessions[0].findings[3];
	struct rule rule = *finding->rule;
	struct report_data data = {.number = true};

	(void)state;
	report->session_count = 1;
	finding->rule = &rule;
	finding->data = &data;
	finding->data_count = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text;

		rule.builtin = cases[i].builtin;
		data.name = cases[i].name;
		data.value = cases[i].value;
		text = draw(report, 100, false, true);
		if (cases[i].words != NULL)
			assert_has(text, cases[i].words);
		else
			assert_has(text, "passed   21:11:01  820 ms\n");
		assert_lacks(text, "_s ");
		assert_lacks(text, "lic.example");
		assert_lacks(text, "sideways");
		free(text);
	}
	report_sample_free(report);
}

/* "days until ...", in days, is said once. */
static void units_are_not_said_twice(void **state)
{
	struct report *report = report_sample_new();
	struct finding *finding = &report->sessions[0].findings[3];
	struct rule rule = *finding->rule;
	struct rule_measure measure = {.id = "left", .title = "days until it ends", .unit = "days"};
	struct report_data data[] = {{.name = "left", .value = "165"}, {.name = "left_mean"}};
	char *text;

	(void)state;
	data[1].value = "165";
	rule.measures = &measure;
	rule.measure_count = 1;
	report->session_count = 1;
	finding->rule = &rule;
	finding->data = data;
	finding->data_count = 2;
	text = draw(report, 100, false, true);
	assert_has(text, "  165 days until it ends\n");
	free(text);
	report_sample_free(report);
}

/* The six stages first, the machine last; nothing is cut where a terminal is as wide as most. */
static void what_there_is_no_evidence_of_is_named(void **state)
{
	static const unsigned widths[] = {80, 100, 200};
	struct report *report = report_sample_new();
	struct report_session *session = &report->sessions[0];
	struct rule rules[40];
	struct finding findings[40];
	char titles[40][40], *text;

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		snprintf(titles[i], sizeof(titles[i]), "diagnostic-%zu-that-is-missing", i);
		rules[i] = (struct rule){.id = titles[i], .title = titles[i]};
		rules[i].phase = i < 10 ? RULE_HOST : RULE_SESSION;
		rules[i].stage = i >= 36 ? 5 : 0;
		findings[i] = session->findings[4];
		findings[i].rule = &rules[i];
	}
	session->findings = findings;
	session->finding_count = 40;
	report->session_count = 1;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		text = draw(report, widths[i], false, true);
		for (size_t j = 0; j < 40; j++)
			assert_has(text, titles[j]);
		assert_before(text, titles[36], titles[10]);
		assert_before(text, titles[10], titles[0]);
		check_lines(text, widths[i]);
		free(text);
	}
	text = draw(report, 60, false, true);
	assert_has(text, "no evidence (40): diagnostic-36-that-is-missing");
	assert_lacks(text, titles[0]);
	free(text);
	report_sample_free(report);
}

static void times_stay_on_narrow_terminals(void **state)
{
	struct report *report = report_sample_new();
	struct finding *later = &report->sessions[0].findings[5];
	char *text;

	(void)state;
	report->session_count = 1;
	later->start += INT64_C(86400) * 1000000;
	text = draw(report, 60, false, true);
	assert_has(text, "  21:11:01 820 ms\n");
	assert_has(text, "  03-25 21:11:02\n");
	assert_has(text, "  22:10:57\n    The user");
	free(text);
	text = draw(report, 40, false, true);
	assert_has(text, "✓ Prepare host         21:11:01 820 ms\n");
	assert_has(text, "✓ Checkout licence     21:11:02\n");
	free(text);
	report_sample_free(report);
}

/* There is no block for a note: half of its cause is not enough. */
static void a_note_that_does_not_fit_stands_below(void **state)
{
	struct report *report = report_sample_new();
	struct finding *note = &report->sessions[0].findings[7];
	char *text;

	(void)state;
	report->session_count = 1;
	note->cause_text = "This note is longer than what is left of a line, by a few words.";
	text = draw(report, 100, false, true);
	assert_has(text,
		"note     22:10:57\n    This note is longer than what is left of a line, "
		"by a few words.\n");
	free(text);
	report_sample_free(report);
}

static void what_cannot_be_written_is_an_error(void **state)
{
	struct render_text how = {.columns = 80};
	struct report *report = report_sample_new();
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(render_text(report, NULL, &how, full), ERROR_SYSTEM);
	fclose(full);
	report_sample_free(report);
}

static void long_lists_of_what_was_not_read_are_cut(void **state)
{
	struct report *report = report_sample_new();
	struct store *store = (struct store *)(uintptr_t)report->store;
	char *text;

	(void)state;
	store->skipped_more = 1234;
	text = draw(report, 120, false, true);
	assert_has(text, "damaged here\n  and 1,234 more\n");
	free(text);
	report_sample_free(report);
}

static void durations_have_two_parts_at_most(void **state)
{
	static const struct {
		int64_t duration;
		const char *text;
	} cases[] = {{-1, ""}, {0, "0 ms"}, {999, "0 ms"}, {412000, "412 ms"}, {999999, "999 ms"},
		{1000000, "1.0 s"}, {2740000, "2.7 s"}, {59999999, "59.9 s"},
		{60000000, "1 min 0 s"}, {239900000, "3 min 59 s"},
		{INT64_C(7500000000), "2 h 5 min"}, {INT64_C(273600000000), "3 d 4 h"}};
	char text[RENDER_DURATION_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		render_duration(cases[i].duration, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* Every cut of a text with wide and combining characters fits, and is whole characters. */
static void cuts_fit(void **state)
{
	static const char whole[] = "佐藤健 e\xcc\x81t\xcc\x81u\xcc\x81 zoë 終わり end";
	struct render_page page = {.utf8 = true};
	char text[RENDER_PAGE_TEXT];

	(void)state;
	for (int middle = 0; middle < 2; middle++) {
		for (size_t columns = 1; columns < 40; columns++) {
			strcpy(text, whole);
			(middle ? render_page_cut_middle : render_page_cut)(&page, text, columns);
			assert_true(text_columns(text) <= columns);
			assert_true(columns < text_columns(whole) || strcmp(text, whole) == 0);
			for (size_t i = 0; text[i] != '\0';) {
				uint32_t value;
				size_t bytes = utf8_character(text + i, &value);

				assert_true(bytes > 0);
				i += bytes;
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(ascii_terminals_get_ascii),
		cmocka_unit_test(colours_carry_no_meaning),
		cmocka_unit_test(failures_say_why_who_and_where),
		cmocka_unit_test(the_worst_comes_first),
		cmocka_unit_test(a_note_is_told_at_every_width),
		cmocka_unit_test(the_same_cause_is_told_once),
		cmocka_unit_test(passes_of_a_diagnostic_share_a_line),
		cmocka_unit_test(ten_thousand_sessions_stay_readable),
		cmocka_unit_test(one_session_is_shown_whole),
		cmocka_unit_test(no_session_is_said),
		cmocka_unit_test(long_evidence_is_cut_in_its_middle),
		cmocka_unit_test(successes_say_what_helps),
		cmocka_unit_test(units_are_not_said_twice),
		cmocka_unit_test(what_there_is_no_evidence_of_is_named),
		cmocka_unit_test(times_stay_on_narrow_terminals),
		cmocka_unit_test(a_note_that_does_not_fit_stands_below),
		cmocka_unit_test(what_cannot_be_written_is_an_error),
		cmocka_unit_test(long_lists_of_what_was_not_read_are_cut),
		cmocka_unit_test(durations_have_two_parts_at_most),
		cmocka_unit_test(cuts_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
