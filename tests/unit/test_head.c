#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "health/head.h"

#define ID "0b51e000-7b85-103a-b0c1-020000c0ffee"
#define ZERO "00000000-0000-0000-0000-000000000000"
#define NONE HEAD_NO_LEVEL

struct sample {
	const char *line;
	enum family family;
	const char *time; /* as stamp_print has it */
	const char *id;   /* NULL: none */
	int level, code;
	const char *component, *message;
};

/* The line stands alone in its memory, so that a sanitizer sees a read past its end. */
static void check(const struct sample *sample)
{
	size_t length = strlen(sample->line);
	char *line = malloc(length > 0 ? length : 1);
	char text[SESSION_ID_TEXT + 1], time[STAMP_TEXT_SIZE];
	struct head head;

	assert_non_null(line);
	memcpy(line, sample->line, length);
	assert_int_equal(head_read(line, length, &head), sample->family != FAMILY_NONE);
	assert_string_equal(family_letter(head.family), family_letter(sample->family));
	stamp_print(head.stamp.time, head.stamp.kind, time);
	assert_string_equal(time, sample->time);
	assert_int_equal(head.has_id, sample->id != NULL);
	if (head.has_id) {
		session_id_print(&head.id, text);
		assert_string_equal(text, sample->id);
	}
	assert_int_equal(head.level, sample->level);
	assert_int_equal(head.code, sample->code);
	assert_int_equal(head.component_length, strlen(sample->component));
	assert_memory_equal(head.component, sample->component, head.component_length);
	assert_int_equal(head.message_length, strlen(sample->message));
	assert_memory_equal(head.message, sample->message, head.message_length);
	free(line);
}

static void check_all(const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(&samples[i]);
}

static void every_family_is_told_apart(void **state)
{
	static const struct sample samples[] = {
		{"2022-03-01T12:00:09.601Z " ID
		 " > LVL:2 RC:   0           AGENT :Received hello command!",
			FAMILY_AGENT, "2022-03-01T12:00:09.601Z", ID, 2, 0, "AGENT",
			"Received hello command!"},
		{"2022-03-01T12:00:09.688879Z " ZERO
		 " > LVL:1 RC:-500     CERTIFICATE :verify failed",
			FAMILY_AGENT, "2022-03-01T12:00:09.688Z", ZERO, 1, -500, "CERTIFICATE",
			"verify failed"},
		{"2022-03-01T12:00:09.601Z " ID
		 " LVL:2 RC:   0 MGMT_PCOIP_DATA :Tx thread info: round trip",
			FAMILY_CLIENT, "2022-03-01T12:00:09.601Z", ID, 2, 0, "MGMT_PCOIP_DATA",
			"Tx thread info: round trip"},
		{"12/02/2011, 09:42:21.375> LVL:2 RC:   0          COMMON :text", FAMILY_VIEW,
			"2011-12-02T09:42:21.375", NULL, 2, 0, "COMMON", "text"},
		{"12/02/2011, 09:42:21> LVL:2 RC: 0 COMMON :text", FAMILY_VIEW,
			"2011-12-02T09:42:21.000", NULL, 2, 0, "COMMON", "text"},
		{"2017-05-02T20:26:35.196+05:30> LVL:2 RC:   0        MGMT_IMG :text",
			FAMILY_HORIZON, "2017-05-02T14:56:35.196Z", NULL, 2, 0, "MGMT_IMG", "text"},
		{"2017-05-02T08:29:03.76Z> LVL:2 RC:   0        MGMT_PEM :text", FAMILY_ZERO,
			"2017-05-02T08:29:03.760Z", NULL, 2, 0, "MGMT_PEM", "text"},
		{"2017-05-02T08:29:03Z> LVL:2 RC:   0        MGMT_PEM :text", FAMILY_ZERO,
			"2017-05-02T08:29:03.000Z", NULL, 2, 0, "MGMT_PEM", "text"},
		{"37d,05:43:43.474> LVL:1 RC: 111      MGMT_SCHAN :text", FAMILY_UPTIME,
			"37d 05:43:43.474", NULL, 1, 111, "MGMT_SCHAN", "text"},
		{"01/10/10 19:48:54 server main: entered", FAMILY_PRE, "2010-01-10T19:48:54.000",
			NULL, NONE, 0, "", "server main: entered"},
		{"2011/04/16 10:20:52.606 1 -504 MGMT_PCOIP_DATA Unable to communicate: x",
			FAMILY_COLUMNS, "2011-04-16T10:20:52.606", NULL, 1, -504, "MGMT_PCOIP_DATA",
			"Unable to communicate: x"},
		{"2022-03-01T12:00:09.5265841Z> <DEBUG>: Reading", FAMILY_PANEL,
			"2022-03-01T12:00:09.526Z", NULL, 3, 0, "", "Reading"},
		{"2022-03-01T12:00:09.5265841Z> <DEBUG>: ", FAMILY_PANEL,
			"2022-03-01T12:00:09.526Z", NULL, 3, 0, "", ""},
		{"<INFO >: Grace period expires in 3 day(s).", FAMILY_PANEL, "-", NULL, 2, 0, "",
			"Grace period expires in 3 day(s)."},
		{"<ERROR>: stderr: text", FAMILY_PANEL, "-", NULL, 1, 0, "", "stderr: text"},
		{"2022-03-01T12:00:09Z some other program", FAMILY_TOOL, "2022-03-01T12:00:09.000Z",
			NULL, NONE, 0, "", "some other program"},
	};

	(void)state;
	check_all(samples, sizeof(samples) / sizeof(samples[0]));
}

static void padding_does_not_matter(void **state)
{
	static const struct sample samples[] = {
		{" \t2022-03-01T12:00:09.601Z  " ID ">LVL:2 RC:0 AGENT:text \t\r", FAMILY_AGENT,
			"2022-03-01T12:00:09.601Z", ID, 2, 0, "AGENT", "text"},
		{"2022-03-01T12:00:09.601Z " ID " > LVL:2 RC:  0  AGENT :   Received hello!",
			FAMILY_AGENT, "2022-03-01T12:00:09.601Z", ID, 2, 0, "AGENT",
			"Received hello!"},
		{"2022-03-01T12:00:09.601Z " ID " LVL: 2 RC: - BROKER :text", FAMILY_CLIENT,
			"2022-03-01T12:00:09.601Z", ID, 2, 0, "", "- BROKER :text"},
		{"2022-03-01T12:00:09.601Z " ID " > LVL:2 RC:   0           AGENT :", FAMILY_AGENT,
			"2022-03-01T12:00:09.601Z", ID, 2, 0, "AGENT", ""},
		{"2022-03-01T12:00:09.601Z " ID " > LVL:2 RC:   0           AGENT", FAMILY_AGENT,
			"2022-03-01T12:00:09.601Z", ID, 2, 0, "", "AGENT"},
		{"2022-03-01T12:00:09.601Z " ID " > and no more", FAMILY_AGENT,
			"2022-03-01T12:00:09.601Z", ID, NONE, 0, "", "and no more"},
	};

	(void)state;
	check_all(samples, sizeof(samples) / sizeof(samples[0]));
}

static void a_missing_stamp_is_no_obstacle(void **state)
{
	static const struct sample samples[] = {
		{"LVL:1 RC:1326           AGENT :LogonUser failed", FAMILY_AGENT, "-", NULL, 1,
			1326, "AGENT", "LogonUser failed"},
		{" LVL:2 RC:   0     SERVER :>>>>> Monitor setting", FAMILY_AGENT, "-", NULL, 2, 0,
			"SERVER", ">>>>> Monitor setting"},
		{"> LVL:2 RC:   0     SERVER :text", FAMILY_AGENT, "-", NULL, 2, 0, "SERVER",
			"text"},
		{ID " > LVL:2 RC:   0     SERVER :text", FAMILY_AGENT, "-", ID, 2, 0, "SERVER",
			"text"},
		{ID " LVL:2 RC:   0     CLIENT :text", FAMILY_CLIENT, "-", ID, 2, 0, "CLIENT",
			"text"},
	};

	(void)state;
	check_all(samples, sizeof(samples) / sizeof(samples[0]));
}

static void lines_without_head_are_whole(void **state)
{
	static const struct sample samples[] = {
		{"", FAMILY_NONE, "-", NULL, NONE, 0, "", ""},
		{" \r", FAMILY_NONE, "-", NULL, NONE, 0, "", ""},
		{"  [1,7e7] General failure. \r", FAMILY_NONE, "-", NULL, NONE, 0, "",
			"[1,7e7] General failure."},
		{"==== LOG ====", FAMILY_NONE, "-", NULL, NONE, 0, "", "==== LOG ===="},
		{ID " is an id", FAMILY_NONE, "-", NULL, NONE, 0, "", ID " is an id"},
		{"> quoted", FAMILY_NONE, "-", NULL, NONE, 0, "", "> quoted"},
		{"LVL:x RC: 0 AGENT :text", FAMILY_NONE, "-", NULL, NONE, 0, "",
			"LVL:x RC: 0 AGENT :text"},
		{"<TRACE>: text", FAMILY_NONE, "-", NULL, NONE, 0, "", "<TRACE>: text"},
		{"see LVL:2 RC: 0 AGENT :text", FAMILY_NONE, "-", NULL, NONE, 0, "",
			"see LVL:2 RC: 0 AGENT :text"},
	};

	(void)state;
	check_all(samples, sizeof(samples) / sizeof(samples[0]));
}

#define AGENT_HEAD "2022-03-01T12:00:09.601Z " ZERO " > LVL:2 RC:   0           AGENT :"
#define AGENT(text, message)                                                                       \
	{                                                                                          \
		AGENT_HEAD text, FAMILY_AGENT, "2022-03-01T12:00:09.601Z", ZERO, 2, 0, "AGENT",    \
			message                                                                    \
	}

#define BEHIND "2031-05-06T09:00:00.250Z " ID " > LVL:2 RC:   0           AGENT :Received hello"
#define READ FAMILY_AGENT, "2031-05-06T09:00:00.250Z", ID, 2, 0, "AGENT", "Received hello"
#define HUNDRED_DOTS                                                                               \
	".................................................."                                       \
	".................................................."

static void the_head_behind_a_prefix_of_syslog_counts(void **state)
{
	static const struct sample samples[] = {
		{"May  6 10:00:00 ws77 pcoip-agent[1234]: " BEHIND, READ},
		{"May 06 10:00:00 fairlead-agent[1234]:   " BEHIND "\r", READ},
		{"  <14>May  6 10:00:00 ws77 fairlead-agent: " BEHIND, READ},
		{"2031-05-06T10:00:00.001234+01:00 ws77 fairlead-agent[77]: " BEHIND, READ},
		{"2031-05-06T10:00:00+0100 ws77 fairlead-agent[77]: " BEHIND, READ},
		{"[ 1234.567890] ws77 fairlead-agent[77]: " BEHIND, READ},
		{"May  6 10:00:00 ws77 fairlead-client[5]: 2031-05-06T09:00:00.250Z " ID
		 " LVL:1 RC:-500          BROKER :5A34 refused",
			FAMILY_CLIENT, "2031-05-06T09:00:00.250Z", ID, 1, -500, "BROKER",
			"refused"},
		{"May  6 10:00:00 ws77 zero: 37d,05:43:43.474> LVL:1 RC: 111      MGMT_SCHAN :text",
			FAMILY_UPTIME, "37d 05:43:43.474", NULL, 1, 111, "MGMT_SCHAN", "text"},
	};

	(void)state;
	check_all(samples, sizeof(samples) / sizeof(samples[0]));
}

static void a_quoted_head_is_no_head(void **state)
{
	static const struct sample samples[] = {
		/* a line's own head comes first */
		{"2031-05-06T10:00:00.250Z " ID " > LVL:2 RC:   0           AGENT :last: " BEHIND,
			FAMILY_AGENT, "2031-05-06T10:00:00.250Z", ID, 2, 0, "AGENT",
			"last: " BEHIND},
		/* words without a time; the second of two tags; a stamp alone; too far */
		{"The last line was: " BEHIND, FAMILY_NONE, "-", NULL, NONE, 0, "",
			"The last line was: " BEHIND},
		{"May  6 ws77 tool[1]: last: " BEHIND, FAMILY_NONE, "-", NULL, NONE, 0, "",
			"May  6 ws77 tool[1]: last: " BEHIND},
		{"May  6 ws77 tool[1]: 2031-05-06T09:00:00.250Z text", FAMILY_NONE, "-", NULL, NONE,
			0, "", "May  6 ws77 tool[1]: 2031-05-06T09:00:00.250Z text"},
		{"6 " HUNDRED_DOTS HUNDRED_DOTS " tool[1]: " BEHIND, FAMILY_NONE, "-", NULL, NONE,
			0, "", "6 " HUNDRED_DOTS HUNDRED_DOTS " tool[1]: " BEHIND},
		{"2031-05-06T10:00:00+0100 ws77 systemd[1]: Started.", FAMILY_TOOL,
			"2031-05-06T09:00:00.000Z", NULL, NONE, 0, "", "ws77 systemd[1]: Started."},
	};

	(void)state;
	check_all(samples, sizeof(samples) / sizeof(samples[0]));
}

static void thread_numbers_go(void **state)
{
	static const struct sample samples[] = {
		AGENT("5A34 Starting session...", "Starting session..."),
		AGENT("3368 Starting session...", "Starting session..."),
		AGENT("1164 tera_certificate_setup: done", "tera_certificate_setup: done"),
		AGENT(" 5A34  Starting", "Starting"),
		AGENT("5a34 lower case", "5a34 lower case"),
		AGENT("5A345 five", "5A345 five"),
		AGENT("5A3 three", "5A3 three"),
		AGENT("5A34", "5A34"),
		AGENT("5A34:x", "5A34:x"),
		AGENT("36397MB/65536MB", "36397MB/65536MB"),
		AGENT("   --> Subject", "--> Subject"),
		AGENT(" > Source ID 1", "> Source ID 1"),
		{"2017-05-02T08:29:03Z> LVL:2 RC:   0        MGMT_PEM :5A34 text", FAMILY_ZERO,
			"2017-05-02T08:29:03.000Z", NULL, 2, 0, "MGMT_PEM", "5A34 text"},
	};

	(void)state;
	check_all(samples, sizeof(samples) / sizeof(samples[0]));
}

static void numbers_and_columns_keep_within_bounds(void **state)
{
	static const struct sample samples[] = {
		{"LVL:2 RC:99999999999999999999 AGENT :x", FAMILY_AGENT, "-", NULL, 2, 2147483647,
			"AGENT", "x"},
		{"LVL:2 RC:-99999999999999999999 AGENT :x", FAMILY_AGENT, "-", NULL, 2, -2147483647,
			"AGENT", "x"},
		{"LVL:2 RC:2147483648 AGENT :x", FAMILY_AGENT, "-", NULL, 2, 2147483647, "AGENT",
			"x"},
		{"LVL:2 RC:2147483647 AGENT :x", FAMILY_AGENT, "-", NULL, 2, 2147483647, "AGENT",
			"x"},
		{"2011/04/16 10:20:52.606 Unable", FAMILY_COLUMNS, "2011-04-16T10:20:52.606", NULL,
			NONE, 0, "", "Unable"},
		{"2011/04/16 10:20:52.606 1 of 2", FAMILY_COLUMNS, "2011-04-16T10:20:52.606", NULL,
			NONE, 0, "", "1 of 2"},
		{"2011/04/16 10:20:52.606 1 -504 Unable", FAMILY_COLUMNS, "2011-04-16T10:20:52.606",
			NULL, NONE, 0, "", "1 -504 Unable"},
		{"2011/04/16 10:20:52.606 1 -504 COMMON", FAMILY_COLUMNS, "2011-04-16T10:20:52.606",
			NULL, 1, -504, "COMMON", ""},
		{"2011/04/16 10:20:52.606> LVL:2 RC: 0 COMMON :x", FAMILY_COLUMNS,
			"2011-04-16T10:20:52.606", NULL, 2, 0, "COMMON", "x"},
	};

	(void)state;
	check_all(samples, sizeof(samples) / sizeof(samples[0]));
}

/* Every line of the families, cut at every length: the parts stay inside the line. */
static void a_line_may_end_anywhere(void **state)
{
	static const char *const lines[] = {
		AGENT_HEAD "5A34 Starting",
		"2011/04/16 10:20:52.606 1 -504 MGMT_PCOIP_DATA Unable",
		"37d,05:43:43.474> LVL:1 RC: 111      MGMT_SCHAN :text",
		"2022-03-01T12:00:09.5265841Z> <DEBUG>: Reading",
		"May  6 10:00:00 ws77 agent[1]: 2022-03-01T12:00:09.5Z " ID " > LVL:2 RC: 0 A :x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		for (size_t length = 0; length <= strlen(lines[i]); length++) {
			char *line = malloc(length > 0 ? length : 1);
			struct head head;

			assert_non_null(line);
			memcpy(line, lines[i], length);
			head_read(line, length, &head);
			assert_true(head.message >= line);
			assert_true(head.message + head.message_length <= line + length);
			assert_true(head.component_length == 0 ||
				(head.component >= line &&
					head.component + head.component_length <= head.message));
			free(line);
		}
	}
}

static void a_nul_is_no_end(void **state)
{
	static const char line[] = AGENT_HEAD "a\0b";
	struct head head;

	(void)state;
	assert_true(head_read(line, sizeof(line) - 1, &head));
	assert_int_equal(head.message_length, 3);
	assert_memory_equal(head.message, "a\0b", 3);
}

static void families_have_letters_and_titles(void **state)
{
	(void)state;
	assert_string_equal(family_letter(FAMILY_NONE), "-");
	assert_string_equal(family_title(FAMILY_NONE), "unknown");
	for (enum family family = FAMILY_AGENT; family < FAMILY_COUNT; family++) {
		assert_int_equal(family_letter(family)[0], 'A' + (int)family - 1);
		assert_true(strlen(family_title(family)) > 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_family_is_told_apart),
		cmocka_unit_test(padding_does_not_matter),
		cmocka_unit_test(a_missing_stamp_is_no_obstacle),
		cmocka_unit_test(lines_without_head_are_whole),
		cmocka_unit_test(the_head_behind_a_prefix_of_syslog_counts),
		cmocka_unit_test(a_quoted_head_is_no_head),
		cmocka_unit_test(thread_numbers_go),
		cmocka_unit_test(numbers_and_columns_keep_within_bounds),
		cmocka_unit_test(a_line_may_end_anywhere),
		cmocka_unit_test(a_nul_is_no_end),
		cmocka_unit_test(families_have_letters_and_titles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
