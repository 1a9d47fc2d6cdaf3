#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "health/rule_lint.h"

#define TEXT_SIZE 8192
#define FAULTS_SIZE 16384

#define LINE                                                                                       \
	"2024-02-03T08:30:02.000Z 0db55300-f3fa-103c-9a10-000000000000 > LVL:2 RC:   0           " \
	"AGENT :"

/* A rule that has a part of every kind, and no fault. */
static const char fine[] =
	"id: fine\n"
	"title: Fine\n"
	"phase: session\n"
	"order: 1\n"
	"patterns:\n"
	"  - {id: asked, components: [AGENT], text: \"The question\", samples: [\"" LINE
	"The question\"]}\n"
	"  - {id: answered, text: \"The answer\", samples: [\"" LINE "The answer\"]}\n"
	"  - {id: refused, text: \"Refused with {code:hex}\", samples: [\"" LINE
	"Refused with 0x5\"]}\n"
	"  - {id: warned, text: \"A sign of {what}\", near: true, samples: [\"" LINE
	"A sign of rain\"]}\n"
	"  - {id: closed, text: \"Closed\", samples: [\"" LINE "Closed\"]}\n"
	"  - {id: cold, text: \"It is cold\", samples: [\"" LINE "It is cold\"]}\n"
	"  - {id: times, text: \"Took {time:number} ms\", samples: [\"" LINE "Took 7 ms\"]}\n"
	"tracks:\n"
	"  - id: host\n"
	"    steps:\n"
	"      - {id: asked, on: [asked]}\n"
	"      - {id: answered, on: [answered], within: 5 s, alone: true}\n"
	"    outcomes:\n"
	"      - {on: [warned], cause: weather, progress: true}\n"
	"      - {on: [refused], by: code, result: fail}\n"
	"      - {on: [refused], result: fail, cause: unknown}\n"
	"      - {on: [closed], result: warning, cause: closed, after-pass: true, requires: "
	"[cold]}\n"
	"    late: {result: warning, cause: slow}\n"
	"    never: {result: fail, cause: silent}\n"
	"measures:\n"
	"  - {id: time, title: time, unit: ms, pattern: times, value: time, warning: 100,\n"
	"     warning-cause: long, fail: 200, fail-cause: too-long}\n"
	"causes:\n"
	"  - {id: weather, text: \"It was {what}.\", remedies: [{who: user, text: Wait.}]}\n"
	"  - {id: denied, value: 0x5, text: Denied., remedies: [{who: user, text: Ask.}]}\n"
	"  - {id: group, value: \"0x1*\", by: code, result: note, text: \"Code {code}.\"}\n"
	"  - {id: unknown, text: \"Code {code}.\", remedies: [{who: user, text: Ask.}]}\n"
	"  - {id: closed, text: Closed.}\n"
	"  - {id: slow, text: \"Slow: {duration_s}.\"}\n"
	"  - {id: silent, text: Silent., remedies: [{who: host, text: Look.}]}\n"
	"  - {id: long, text: \"Took {time_highest}.\"}\n"
	"  - {id: too-long, text: Too long., remedies: [{who: host, text: Look.}]}\n"
	"counter-samples:\n"
	"  - \"" LINE "Nobody asked the question\"\n";

#define SECOND_TRACK                                                                               \
	"  - id: client\n"                                                                         \
	"    steps:\n"                                                                             \
	"      - {id: asked, on: [asked]}\n"                                                       \
	"      - {id: answered, on: [answered], within: 5 s}\n"                                    \
	"    late: {result: fail, cause: silent}\n"                                                \
	"    never: {result: warning, cause: slow}\n"

struct faults {
	char text[FAULTS_SIZE];
	int count;
};

static void note_fault(void *context, const char *text)
{
	struct faults *faults = context;
	size_t used = strlen(faults->text);

	faults->count++;
	(void)snprintf(faults->text + used, sizeof(faults->text) - used, "%s\n", text);
}

static void lint_text(const char *text, struct faults *faults)
{
	struct rule_fault fault = {.text = ""};
	struct rule_book *book = NULL;
	int count;

	*faults = (struct faults){.count = 0};
	if (rule_book_load_bytes("fine.yaml", text, strlen(text), &book, &fault) != 0)
		fail_msg("%s", fault.text);
	count = rule_lint(book, note_fault, faults);
	assert_int_equal(count, faults->count);
	rule_book_free(book);
}

/* The fine rule with one text replaced has these faults. */
static void expect(const char *from, const char *to, const char *expected)
{
	const char *at = strstr(fine, from);
	char text[TEXT_SIZE];
	struct faults faults;

	assert_non_null(at);
	(void)snprintf(
		text, sizeof(text), "%.*s%s%s", (int)(at - fine), fine, to, at + strlen(from));
	lint_text(text, &faults);
	if (!strstr(faults.text, expected))
		fail_msg("'%s' is not in:\n%s", expected, faults.text);
}

static void test_fine(void **state)
{
	struct faults faults;

	(void)state;
	lint_text(fine, &faults);
	if (faults.count != 0)
		fail_msg("%s", faults.text);
}

/* What follows an outcome with `unless` is proved where that one stands back. */
static void test_after_unless(void **state)
{
	static const char from[] = "      - {on: [closed], result: warning";
	static const char before[] =
		"      - {on: [closed], result: fail, cause: silent, unless: [cold]}\n";
	const char *at = strstr(fine, from);
	char text[TEXT_SIZE];
	struct faults faults;

	(void)state;
	assert_non_null(at);
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - fine), fine, before, at);
	at = strstr(text, ", requires: [cold]");
	assert_non_null(at);
	memmove(text + (at - text), at + strlen(", requires: [cold]"),
		strlen(at + strlen(", requires: [cold]")) + 1);
	lint_text(text, &faults);
	if (faults.count != 0)
		fail_msg("%s", faults.text);
}

static void test_samples(void **state)
{
	(void)state;
	expect("The answer\"]}", "An answer\"]}",
		"fine.yaml: fine/answered: sample 1 does not match\n");
	expect("components: [AGENT]", "components: [PRI]", "fine/asked: sample 1 does not match\n");
	expect("samples: [\"" LINE "Closed\"]", "samples: []", "fine/closed: there is no sample\n");
	expect("text: \"The question\"", "text: \"The ans\"",
		"fine/answered: sample 1 goes to the pattern 'asked'\n");
	expect("Nobody asked the question", "The question: who asks?",
		"fine/asked: counter-sample 1 matches\n");
	expect("patterns:\n",
		"patterns:\n  - {id: more, text: \"More\", samples: [\"" LINE "More\"]}\n",
		"fine/more: nothing uses this pattern\n");
}

static void test_causes(void **state)
{
	(void)state;
	expect("causes:\n", "causes:\n  - {id: more, text: More.}\n",
		"fine/more: nothing uses this cause\n");
	expect("text: Silent., remedies: [{who: host, text: Look.}]", "text: Silent.",
		"fine/silent: a failure without remedy\n");
	expect("Denied., remedies: [{who: user, text: Ask.}]", "Denied.",
		"fine/denied: a failure without remedy\n");
	expect("It was {what}.\", remedies: [{who: user, text: Wait.}]", "It was {what}.\"",
		"fine/weather: a failure without remedy\n");
	expect("value: \"0x1*\"", "value: \"5\"",
		"fine/group: its value stands for another cause, too\n");
	expect("It was {what}", "It was {that}", "fine/weather: no pattern captures 'that'\n");
	expect("text: Wait.", "text: \"Wait {long\"", "fine/weather: a '{' is not closed\n");
	expect("It was {what}", "It {{was}} {what}", "");
}

static void test_steps(void **state)
{
	(void)state;
	expect("text: \"The question\"", "text: \"The ans\"",
		"fine/host/asked/asked: the steps in order: expected pass (no cause), found ");
	/* what another track says of the same lines is worse */
	expect("measures:\n",
		"  - {id: client, outcomes: [{on: [answered], result: fail, cause: "
		"silent}]}\nmeasures:\n",
		"fine/host/answered: this step alone: expected pass (no cause), found fail "
		"(silent)\n");
	expect("measures:\n", SECOND_TRACK "measures:\n",
		"fine/host/answered: a step after its limit: expected warning (slow), found fail "
		"(silent)\n");
	expect("measures:\n", SECOND_TRACK "measures:\n",
		"fine/client/answered: a step that never comes: expected warning (slow), found "
		"fail "
		"(silent)\n");
	expect("    late: {result: warning, cause: slow}\n"
	       "    never: {result: fail, cause: silent}\n",
		"",
		"fine/host/answered: a limit, but neither 'late' nor 'never' says what follows\n");
}

static void test_outcomes(void **state)
{
	(void)state;
	/* taken by the outcome before it */
	expect("      - {on: [warned]",
		"      - {on: [refused], result: fail, cause: silent}\n"
		"      - {on: [warned]",
		"fine/host/outcome 4/refused: sample 1 alone: expected fail (unknown), found fail "
		"(silent)\n");
	/* a step is no outcome */
	expect("on: [closed], result", "on: [answered], result",
		"fine/host/outcome 4/answered: sample 1 alone: expected warning (closed), found "
		"pass");
	expect("after-pass: true, requires: [cold]}",
		"after-pass: true, requires: [cold], unless: [closed]}",
		"fine/host/outcome 4/closed: sample 1 alone: expected warning (closed), found ");
	/* no value has a cause */
	expect("{code:hex}\", samples: [\"" LINE "Refused with 0x5\"]}",
		"{code:hex} or {}\", samples: [\"" LINE "Refused with 0x5\"]}",
		"fine/refused: sample 1 does not match\n");
}

/* Two captures choose causes: the code in `refused`, the reason in `ended`. */
#define SECOND_BY                                                                                  \
	"      - {on: [ended], by: reason, result: fail}\n"                                        \
	"      - {on: [warned], cause: weather, progress: true}\n"
#define ENDED                                                                                      \
	"  - {id: ended, text: \"Ended by {reason}\", samples: [\"" LINE "Ended by force\"]}\n"

static void expect_two(const char *from, const char *to, const char *expected)
{
	const char *warned = "      - {on: [warned], cause: weather, progress: true}\n";
	const char *at = strstr(fine, "tracks:\n"), *place;
	char text[TEXT_SIZE], changed[TEXT_SIZE];
	struct faults faults;

	(void)snprintf(text, sizeof(text), "%.*s" ENDED "%s", (int)(at - fine), fine, at);
	place = strstr(text, warned);
	(void)snprintf(changed, sizeof(changed), "%.*s" SECOND_BY "%s", (int)(place - text), text,
		place + strlen(warned));
	place = strstr(changed, from);
	assert_non_null(place);
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(place - changed), changed, to,
		place + strlen(from));
	lint_text(text, &faults);
	if (expected[0] == '\0' ? faults.count != 0 : !strstr(faults.text, expected))
		fail_msg("'%s' is not all of:\n%s", expected, faults.text);
}

static void test_whose_value(void **state)
{
	const char *force = "causes:\n"
			    "  - {id: other, value: \"*\", by: reason, text: \"By {reason}.\", "
			    "remedies: [{who: user, text: Ask.}]}\n";

	(void)state;
	expect_two("causes:\n", force, "");
	expect_two("causes:\n",
		"causes:\n  - {id: other, value: \"*\", text: Other., remedies: [{who: user, "
		"text: Ask.}]}\n",
		"fine/other: '*' takes any value of several captures; expected 'by' with one of "
		"them\n");
	expect_two("causes:\n",
		"causes:\n  - {id: other, value: \"x\", by: cause, text: Other., remedies: [{who: "
		"user, text: Ask.}]}\n",
		"fine/other: no outcome chooses by 'cause'\n");
	/* chosen by a line that does not have what the text wants */
	expect_two("causes:\n",
		"causes:\n  - {id: other, value: \"force\", text: \"By {code}.\", remedies: "
		"[{who: user, text: Ask.}]}\n",
		"fine/host/outcome 1/ended: the text of 'other' has nothing for 'code'\n");
}

/* The return code of a line chooses the cause. */
static void test_return_codes(void **state)
{
	static const char text[] =
		"id: fine\ntitle: Fine\nphase: session\norder: 1\n"
		"patterns:\n"
		"  - {id: refused, text: \"Refused {user:user}\", samples: [\"" LINE
		"Refused mira\"]}\n"
		"  - {id: failed, text: \"Failed\", samples: [\"" LINE "Failed\"]}\n"
		"tracks:\n"
		"  - id: host\n"
		"    outcomes:\n"
		"      - {on: [refused], by: rc, progress: true}\n"
		"      - {on: [refused], cause: other, progress: true}\n"
		"      - {on: [failed], result: fail, cause: failed}\n"
		"causes:\n"
		"  - {id: locked, value: \"1909\", by: rc, text: \"Locked: {user}.\", remedies: "
		"[{who: user, text: Ask.}]}\n"
		"  - {id: other, text: Other., remedies: [{who: user, text: Ask.}]}\n"
		"  - {id: failed, text: Failed., remedies: [{who: user, text: Ask.}]}\n";
	struct faults faults;

	(void)state;
	lint_text(text, &faults);
	if (faults.count != 0)
		fail_msg("%s", faults.text);
}

static void test_measures(void **state)
{
	(void)state;
	expect("fail: 200", "fail: 100", "fine/time: 'fail' is not beyond 'warning'\n");
	expect("fail: 200", "below: true, fail: 200",
		"fine/time: 'fail' is not beyond 'warning'\n");
	expect("pattern: times, value: time,", "pattern: times, value: time, below: false,", "");
}

static void test_file_name(void **state)
{
	(void)state;
	expect("id: fine", "id: other", "fine.yaml: other: expected the file name 'other.yaml'\n");
}

/* All that is built in. */
static void test_built_in_rules(void **state)
{
	static struct faults faults;
	struct rule_fault fault = {.text = ""};
	struct rule_book *book = NULL;

	(void)state;
	if (rule_book_load(NULL, &book, &fault) != 0)
		fail_msg("%s", fault.text);
	if (rule_lint(book, note_fault, &faults) != 0)
		fail_msg("%s", faults.text);
	rule_book_free(book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fine),
		cmocka_unit_test(test_after_unless),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_whose_value),
		cmocka_unit_test(test_return_codes),
		cmocka_unit_test(test_measures),
		cmocka_unit_test(test_file_name),
		cmocka_unit_test(test_built_in_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
