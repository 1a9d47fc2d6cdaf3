#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "health/rule.h"

#define SECOND INT64_C(1000000)
#define PATH_SIZE 512
#define TEXT_SIZE 8192

/* Line numbers count in the faults below. */
static const char example[] =
	"id: example\n"
	"title: Example\n"
	"phase: pre-session\n"
	"scope: host\n"
	"stage: 4\n"
	"order: 40\n"
	"about: >\n"
	"  Says nothing.\n"
	"patterns:\n"
	"  - {id: asked, components: [AGENT, PRI], text: \"Asked\", samples: [one, two]}\n"
	"  - {id: answered, text: \"answered {result:hex}\", anywhere: true, near: true}\n"
	"  - {id: bye, xml: bye-resp}\n"
	"  - {id: result, xml: result-id, message: bye-resp, text: \"{what:word}\"}\n"
	"  - {id: times, text: \"Times: {least:number} {mean:number}\"}\n"
	"tracks:\n"
	"  - id: host\n"
	"    steps:\n"
	"      - {id: asked, on: [asked]}\n"
	"      - {id: answered, on: [answered, example/bye], within: 250 ms, optional: true, "
	"alone: true}\n"
	"    outcomes:\n"
	"      - {on: [answered], by: result, result: fail, open-only: true, weak: true, unless: "
	"[bye]}\n"
	"      - {on: [result], cause: other, result: note, after-pass: true, requires: [bye, "
	"result]}\n"
	"      - {on: [bye], progress: true, cause: other}\n"
	"      - {on: [bye], result: pass}\n"
	"    late: {result: warning, cause: other}\n"
	"    never: {result: fail, cause: other}\n"
	"    merge: 30 days\n"
	"    merge-by: what\n"
	"  - {id: client, outcomes: [{on: [bye], result: pass}]}\n"
	"measures:\n"
	"  - {id: mean, title: mean time, unit: ms, pattern: times, value: mean, plot: true,\n"
	"     below: true, warning: 100, warning-cause: other, fail: 2.5, fail-cause: group}\n"
	"causes:\n"
	"  - {id: other, text: Other., value: \"*\"}\n"
	"  - {id: group, text: Group., value: \"0x3*\", result: note}\n"
	"  - {id: exact, text: Exact., name: EXACT, value: 0x301,\n"
	"     remedies: [{who: helpdesk, text: Help., link: \"https://help.example\"}]}\n"
	"counter-samples:\n"
	"  - nothing of the kind\n";

static struct rule_book *load(const char *text)
{
	struct rule_fault fault = {.text = ""};
	struct rule_book *book = NULL;

	if (rule_book_load_bytes("x.yaml", text, strlen(text), &book, &fault) != 0)
		fail_msg("%s", fault.text);
	return book;
}

static void test_rule_parts(void **state)
{
	struct rule_book *book = load(example);
	const struct rule *rule = book->rules[0];

	(void)state;
	assert_int_equal(book->rule_count, 1);
	assert_ptr_equal(rule_book_find(book, "example"), rule);
	assert_null(rule_book_find(book, "exampl"));
	assert_string_equal(rule->title, "Example");
	assert_string_equal(rule->file, "x.yaml");
	assert_string_equal(rule->about, "Says nothing.\n");
	assert_int_equal(rule->phase, RULE_PRE_SESSION);
	assert_int_equal(rule->scope, RULE_SCOPE_HOST);
	assert_int_equal(rule->stage, 4);
	assert_int_equal(rule->order, 40);
	assert_int_equal(rule->track_count, 2);
	assert_int_equal(rule->counter_sample_count, 1);
	assert_string_equal(rule->counter_samples[0], "nothing of the kind");
	assert_null(rule->builtin);
	rule_book_free(book);
	rule_book_free(NULL);
}

static void test_patterns(void **state)
{
	struct rule_book *book = load(example);
	const struct rule *rule = book->rules[0];
	const struct rule_pattern *asked = rule_find_pattern(rule, "asked");
	const struct rule_pattern *answered = rule_find_pattern(rule, "answered");
	const struct rule_pattern *bye = rule_find_pattern(rule, "bye");
	const struct rule_pattern *result = rule_find_pattern(rule, "result");
	const struct rule_pattern *times = rule_find_pattern(rule, "times");
	struct capture captures[TEMPLATE_CAPTURES];

	(void)state;
	assert_null(rule_find_pattern(rule, "none"));
	assert_int_equal(book->pattern_count, 5);
	for (size_t i = 0; i < book->pattern_count; i++) {
		assert_int_equal(book->patterns[i]->number, i);
		assert_ptr_equal(book->patterns[i]->rule, rule);
	}
	assert_int_equal(asked->component_count, 2);
	assert_string_equal(asked->components[1], "PRI");
	assert_int_equal(asked->sample_count, 2);
	assert_string_equal(asked->samples[1], "two");
	assert_int_equal(asked->near, RULE_NEAR_NO);
	assert_int_equal(answered->near, RULE_NEAR_YES);
	assert_int_equal(answered->component_count, 0);
	assert_true(template_match(answered->template, "was answered 0x1", 16, captures));
	assert_false(template_match(asked->template, "not Asked", 9, captures));
	assert_string_equal(bye->xml_element, "bye-resp");
	assert_null(bye->template);
	assert_int_equal(template_captures(bye->template), 0);
	assert_string_equal(result->xml_message, "bye-resp");
	assert_true(result->sighted && bye->sighted && asked->sighted && answered->sighted);
	assert_false(times->sighted);
	assert_true(times->measured);
	assert_false(asked->measured);
	rule_book_free(book);
}

static void test_track(void **state)
{
	struct rule_book *book = load(example);
	const struct rule *rule = book->rules[0];
	const struct rule_track *track = &rule->tracks[0];
	const struct rule_step *step = &track->steps[1];
	const struct rule_outcome *outcomes = track->outcomes;

	(void)state;
	assert_string_equal(track->id, "host");
	assert_int_equal(track->step_count, 2);
	assert_int_equal(track->steps[0].within, 0);
	assert_false(track->steps[0].optional || track->steps[0].alone);
	assert_int_equal(step->within, SECOND / 4);
	assert_true(step->optional && step->alone);
	assert_int_equal(step->on_count, 2);
	assert_ptr_equal(step->on[1], rule_find_pattern(rule, "bye"));
	assert_int_equal(track->outcome_count, 4);
	assert_string_equal(outcomes[0].by, "result");
	assert_null(outcomes[0].cause);
	assert_int_equal(outcomes[0].verdict, VERDICT_FAIL);
	assert_true(outcomes[0].open_only && outcomes[0].weak);
	assert_false(outcomes[0].after_pass || outcomes[0].progress);
	assert_int_equal(outcomes[0].unless_count, 1);
	assert_int_equal(outcomes[1].verdict, VERDICT_NOTE);
	assert_ptr_equal(outcomes[1].cause, rule_find_cause(rule, "other"));
	assert_true(outcomes[1].after_pass);
	assert_int_equal(outcomes[1].requires_count, 2);
	assert_true(outcomes[2].progress);
	assert_int_equal(outcomes[3].verdict, VERDICT_PASS);
	assert_int_equal(track->late->verdict, VERDICT_WARNING);
	assert_int_equal(track->never->verdict, VERDICT_FAIL);
	assert_int_equal(track->merge, 30 * INT64_C(86400) * SECOND);
	assert_string_equal(track->merge_by, "what");
	assert_int_equal(rule->tracks[1].merge, 2 * SECOND);
	assert_null(rule->tracks[1].late);
	rule_book_free(book);
}

static void test_measure(void **state)
{
	struct rule_book *book = load(example);
	const struct rule *rule = book->rules[0];
	const struct rule_measure *measure = &rule->measures[0];

	(void)state;
	assert_int_equal(rule->measure_count, 1);
	assert_string_equal(measure->title, "mean time");
	assert_string_equal(measure->unit, "ms");
	assert_ptr_equal(measure->pattern, rule_find_pattern(rule, "times"));
	assert_int_equal(measure->value, 1);
	assert_true(measure->plot && measure->below && measure->has_warning && measure->has_fail);
	assert_true(measure->warning == 100.0 && measure->fail == 2.5);
	assert_ptr_equal(measure->fail_cause, rule_find_cause(rule, "group"));
	rule_book_free(book);
}

static void expect_cause(const struct rule *rule, const char *value, const char *id)
{
	const struct rule_cause *cause = rule_cause_by(rule, "result", value, strlen(value));

	assert_non_null(cause);
	if (strcmp(cause->id, id) != 0)
		fail_msg("'%s' is '%s', not '%s'", value, cause->id, id);
}

static void test_causes(void **state)
{
	struct rule_book *book = load(example);
	const struct rule *rule = book->rules[0];
	const struct rule_cause *exact = rule_find_cause(rule, "exact");

	(void)state;
	assert_string_equal(exact->name, "EXACT");
	assert_int_equal(exact->remedy_count, 1);
	assert_int_equal(exact->remedies[0].who, ACTOR_HELPDESK);
	assert_string_equal(exact->remedies[0].link, "https://help.example");
	assert_int_equal(exact->verdict, VERDICT_COUNT);
	assert_int_equal(rule_find_cause(rule, "group")->verdict, VERDICT_NOTE);
	expect_cause(rule, "0x301", "exact");
	expect_cause(rule, "0X0301", "exact");
	expect_cause(rule, "769", "exact");
	expect_cause(rule, "0x302", "group");
	expect_cause(rule, "768", "group");
	expect_cause(rule, "1026", "other");
	expect_cause(rule, "", "other");
	expect_cause(rule, "-769", "other");
	expect_cause(rule, "99999999999999999999999999", "other");
	/* three digits at least: 0x3 is 0x003 */
	expect_cause(rule, "0x3", "other");
	expect_cause(rule, "0x03ab", "group");
	expect_cause(rule, "0x3000", "other");
	rule_book_free(book);
}

static void change(const char *from, const char *to, char text[TEXT_SIZE]);

static void test_cause_of_another_capture(void **state)
{
	char text[TEXT_SIZE];
	struct rule_book *book;
	const struct rule *rule;

	(void)state;
	change("value: \"*\"}\n",
		"value: \"*\", by: what}\n"
		"  - {id: any, text: Any., value: \"*\", by: result}\n"
		"  - {id: its, text: Its., value: 0x302, by: result}\n"
		"  - {id: own, text: Own., value: 0x302, by: what}\n",
		text);
	book = load(text);
	rule = book->rules[0];
	assert_string_equal(rule_find_cause(rule, "any")->by, "result");
	assert_null(rule_find_cause(rule, "exact")->by);
	expect_cause(rule, "0x301", "exact");
	expect_cause(rule, "0x302", "its");
	expect_cause(rule, "0x402", "any");
	assert_string_equal(rule_cause_by(rule, "what", "770", 3)->id, "own");
	assert_string_equal(rule_cause_by(rule, "what", "1026", 4)->id, "other");
	assert_string_equal(rule_cause_by(rule, "third", "770", 3)->id, "group");
	assert_null(rule_cause_by(rule, "third", "1026", 4));
	rule_book_free(book);
}

static void test_values_in_hexadecimal(void **state)
{
	char text[RULE_HEX_SIZE];

	(void)state;
	assert_true(rule_value_hex("939", 3, text));
	assert_string_equal(text, "0x3ab");
	assert_true(rule_value_hex("0x1", 3, text));
	assert_string_equal(text, "0x001");
	assert_false(rule_value_hex("-1", 2, text));
	assert_false(rule_value_hex("none", 4, text));
}

/* Numbers that are only asked for are known by their series, words by their sightings. */
static void test_asked_patterns(void **state)
{
	static const char text[] =
		"id: x\ntitle: X\nphase: host\norder: 1\n"
		"patterns:\n"
		"  - {id: word, text: \"Word\"}\n"
		"  - {id: times, text: \"Times: {least:number}\"}\n"
		"  - {id: other, text: \"Other\"}\n"
		"tracks:\n"
		"  - {id: host, outcomes: [{on: [other], result: pass, unless: [word, times]}]}\n"
		"measures:\n"
		"  - {id: least, title: least, unit: ms, pattern: times, value: least}\n";
	struct rule_book *book = load(text);
	const struct rule *rule = book->rules[0];

	(void)state;
	assert_true(rule_find_pattern(rule, "word")->sighted);
	assert_false(rule_find_pattern(rule, "times")->sighted);
	assert_true(rule_find_pattern(rule, "times")->measured);
	rule_book_free(book);
}

/* The example with one text replaced. */
static void change(const char *from, const char *to, char text[TEXT_SIZE])
{
	const char *at = strstr(example, from);

	if (!at)
		fail_msg("'%s' is not in the example", from);
	(void)snprintf(
		text, TEXT_SIZE, "%.*s%s%s", (int)(at - example), example, to, at + strlen(from));
}

static void expect_fault_of(const char *text, const char *expected)
{
	struct rule_book *book = NULL;
	struct rule_fault fault = {.text = ""};

	assert_int_equal(
		rule_book_load_bytes("x.yaml", text, strlen(text), &book, &fault), ERROR_INPUT);
	assert_null(book);
	if (strncmp(fault.text, expected, strlen(expected)) != 0)
		fail_msg("'%s', not '%s'", fault.text, expected);
}

static void expect_fault(const char *from, const char *to, const char *expected)
{
	char text[TEXT_SIZE];

	change(from, to, text);
	expect_fault_of(text, expected);
}

static void test_wrong_keys(void **state)
{
	(void)state;
	expect_fault_of("", "x.yaml:");
	expect_fault_of("id: x\n", "x.yaml:1:1: missing key 'title'");
	expect_fault("order: 40", "ordr: 40", "x.yaml:6:1: unknown key 'ordr'");
	expect_fault("order: 40\n", "", "x.yaml:1:1: missing key 'order'");
	expect_fault("stage: 4", "stage: 7", "x.yaml:5:8: 7; expected 1 to 6");
	expect_fault("pre-session", "whenever", "x.yaml:3:8: 'whenever' is not known");
	expect_fault("id: example", "id: An example", "x.yaml:1:5: 'An example' is no name");
	expect_fault(
		"result: warning", "result: no-evidence", "x.yaml:25:20: 'no-evidence' is not");
	expect_fault("who: helpdesk", "who: nobody", "x.yaml:37:23: 'nobody' is not known");
	expect_fault("{id: asked, on: [asked]}", "{id: asked}", "x.yaml:18:9: missing key 'on'");
	expect_fault_of("id: x\ntitle: X\nphase: host\norder: 1\n", "x.yaml:1:1: nothing judges");
}

static void test_wrong_patterns(void **state)
{
	(void)state;
	expect_fault("text: \"Asked\"", "text: \"Asked {\"", "x.yaml:10:49: a '{' is not closed");
	expect_fault("text: \"Asked\"", "text: \"Ask\"", "x.yaml:10:49: no literal part is long");
	expect_fault("text: \"Asked\",", "", "x.yaml:10:5: there is nothing to match");
	expect_fault("id: answered,", "id: asked,", "x.yaml:11:10: there is a pattern 'asked'");
	expect_fault("{id: bye, xml: bye-resp}", "{id: bye, message: bye-resp, text: \"bye!\"}",
		"x.yaml:12:24: 'message' without 'xml'");
	expect_fault("{id: bye, xml: bye-resp}", "{id: bye, xml: bye-resp, anywhere: true}",
		"x.yaml:12:40: 'anywhere' without 'text'");
}

static void test_wrong_names(void **state)
{
	(void)state;
	expect_fault(
		"on: [asked]", "on: [aske]", "x.yaml:18:26: the rule 'example' has no pattern");
	expect_fault("example/bye", "exam/bye", "x.yaml:19:39: there is no rule 'exam'");
	expect_fault("example/bye", "answered", "x.yaml:19:39: 'answered' is named twice");
	expect_fault("text: Other., value: \"*\"", "text: Other., by: result",
		"x.yaml:34:35: 'by' without 'value'");
	expect_fault("text: Group., value: \"0x3*\"", "text: Group., value: \"*\", by: result",
		"x.yaml:35:38: the value '*' stands for the cause 'other' already");
	expect_fault("unless: [bye]", "unless: [by]", "x.yaml:21:90: the rule 'example' has no");
	expect_fault("result], cause: other", "result], cause: others",
		"x.yaml:22:31: there is no cause 'others'");
	expect_fault(
		"by: result,", "by: what,", "x.yaml:21:30: the pattern 'answered' captures no");
	expect_fault("merge-by: what", "merge-by: who", "x.yaml:28:15: no pattern of an outcome");
	expect_fault("value: mean", "value: most", "x.yaml:31:67: the pattern 'times' captures no");
	expect_fault("pattern: times", "pattern: time", "x.yaml:31:53: the rule 'example' has no");
	expect_fault("pattern: times, value: mean", "pattern: answered, value: result",
		"x.yaml:31:70: 'result' is no number");
	expect_fault("fail-cause: group", "fail-cause: groups", "x.yaml:32:78: there is no cause");
	expect_fault("warning-cause: other, ", "", "x.yaml:31:5: a limit without cause");
	expect_fault("id: group,", "id: other,", "x.yaml:35:10: there is a cause 'other' already");
	expect_fault("value: \"0x3*\"", "value: \"*\"", "x.yaml:35:38: the value '*' stands for");
}

static void test_wrong_tracks(void **state)
{
	(void)state;
	expect_fault("- id: host", "- id: hosts", "x.yaml:16:5: 'hosts' writes no logs");
	expect_fault("{id: client,", "{id: host,", "x.yaml:29:5: there is a track 'host' already");
	expect_fault("id: answered, on", "id: asked, on", "x.yaml:19:9: there is a step 'asked'");
	expect_fault("on: [asked]}", "on: [asked], within: 1 s}", "x.yaml:18:42: the first step");
	expect_fault("within: 250 ms, ", "", "x.yaml:25:5: no step has a limit");
	expect_fault("by: result, result: fail", "by: result", "x.yaml:21:9: missing key 'result'");
	expect_fault(
		"by: result", "cause: other, by: result", "x.yaml:21:9: both 'cause' and 'by'");
	expect_fault("by: result,", "", "x.yaml:21:9: there is no cause");
	expect_fault(
		"progress: true", "progress: true, result: fail", "x.yaml:23:9: 'result' with");
	expect_fault("outcomes: [{on: [bye], result: pass}]", "merge: 1 s",
		"x.yaml:29:5: there is nothing to see");
	expect_fault("result: note}", "remedies: []}\n  - {id: last, text: x, result: note}",
		"x.yaml:36:33: 'result' without 'value'");
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t microseconds; /* 0: none */
	} cases[] = {
		{"1 ms", 1000},
		{"1.5 s", 1500000},
		{"5s", 5 * SECOND},
		{"1 min", 60 * SECOND},
		{"2 h", 7200 * SECOND},
		{"1 day", 86400 * SECOND},
		{"3650 days", 3650 * 86400 * SECOND},
		{"3653 days", 0},
		{"0 s", 0},
		{"-1 s", 0},
		{"5", 0},
		{"s", 0},
		{"1.2.3 s", 0},
		{".5 s", 0},
		{"5 sec", 0},
		{"5 s ", 0},
		{"1e3 s", 0},
		{"9999999999999 s", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char to[64];
		char text[TEXT_SIZE];

		(void)snprintf(to, sizeof(to), "merge: \"%s\"", cases[i].text);
		change("merge: 30 days", to, text);
		if (cases[i].microseconds == 0) {
			expect_fault_of(text, "x.yaml:27:12: '");
		} else {
			struct rule_book *book = load(text);

			assert_int_equal(book->rules[0]->tracks[0].merge, cases[i].microseconds);
			rule_book_free(book);
		}
	}
}

static const char built_in_head[] = "id: x\ntitle: X\nphase: host\norder: 1\nbuiltin: ";

static void test_built_ins(void **state)
{
	char text[TEXT_SIZE];
	struct rule_book *book;

	(void)state;
	(void)snprintf(text, sizeof(text), "%snone\n", built_in_head);
	expect_fault_of(text, "x.yaml:5:10: there is no built-in 'none'");
	(void)snprintf(text, sizeof(text), "%sfrozen-image\n", built_in_head);
	expect_fault_of(text, "x.yaml:1:1: 'frozen-image' needs the pattern 'frames'");
	(void)snprintf(text, sizeof(text),
		"%sfrozen-image\npatterns: [{id: frames, text: \"Frames {n:number}\"}]\n",
		built_in_head);
	expect_fault_of(text, "x.yaml:1:1: 'frozen-image' needs the cause 'still'");
	(void)snprintf(text, sizeof(text),
		"%sfrozen-image\npatterns: [{id: frames, text: \"Frames {n:number}\"}]\n"
		"causes: [{id: still, text: X, result: note}]\n",
		built_in_head);
	expect_fault_of(text, "x.yaml:1:1: 'frozen-image' needs the limit 'intervals'");
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		"limits: [{name: intervals, value: 2.5}, {name: more, value: 1}]\n");
	expect_fault_of(text, "x.yaml:8:48: 'more' is no limit of 'frozen-image'");
	*strstr(text, ", {name: more") = '\0';
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "]\n");
	book = load(text);
	assert_string_equal(book->rules[0]->builtin, "frozen-image");
	assert_true(book->patterns[0]->sighted);
	assert_true(rule_limit(book->rules[0], "intervals") == 2.5);
	rule_book_free(book);
	expect_fault("causes:", "limits: [{name: a, value: 1}]\ncauses:",
		"x.yaml:33:1: 'limits' without 'builtin'");
}

/* A folder with files of the tests' own. */
struct folder {
	char path[PATH_SIZE];
};

static void put(const struct folder *folder, const char *name, const char *text)
{
	char path[2 * PATH_SIZE];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	assert_non_null(folder);
	(void)snprintf(folder->path, sizeof(folder->path), "/tmp/fairlead-rules-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;
	DIR *stream = opendir(folder->path);
	struct dirent *entry;

	assert_non_null(stream);
	while ((entry = readdir(stream)) != NULL)
		(void)unlinkat(dirfd(stream), entry->d_name, 0);
	(void)closedir(stream);
	assert_int_equal(rmdir(folder->path), 0);
	free(folder);
	return 0;
}

static void put_rule(const struct folder *folder, const char *file, const char *id,
	const char *title, int order, const char *on)
{
	char text[TEXT_SIZE];
	int length = snprintf(text, sizeof(text),
		"id: %s\ntitle: %s\nphase: host\norder: %d\n"
		"patterns: [{id: line, text: \"A line\"}]\n"
		"tracks: [{id: host, steps: [{id: seen, on: [%s]}]}]\n",
		id, title, order, on);

	assert_true(length > 0 && (size_t)length < sizeof(text));
	put(folder, file, text);
}

static void test_folder(void **state)
{
	const struct folder *folder = *state;
	struct rule_fault fault = {.text = ""};
	struct rule_book *built_in = NULL;
	struct rule_book *book = NULL;
	const struct rule *one;
	const struct rule *two;

	assert_int_equal(rule_book_load(NULL, &built_in, &fault), 0);
	put_rule(folder, "two.yaml", "own-two", "Two", 0, "own-one/line");
	put_rule(folder, "one.yaml", "own-one", "One", 0, "line");
	put(folder, "three.yml", "not read");
	put(folder, ".hidden.yaml", "not read");
	if (rule_book_load(folder->path, &book, &fault) != 0)
		fail_msg("%s", fault.text);
	assert_int_equal(book->rule_count, built_in->rule_count + 2);
	/* by order, then id */
	one = rule_book_find(book, "own-one");
	two = rule_book_find(book, "own-two");
	assert_ptr_equal(book->rules[0], one);
	assert_ptr_equal(book->rules[1], two);
	/* across files, whichever comes first */
	assert_ptr_equal(two->tracks[0].steps[0].on[0], &one->patterns[0]);
	assert_true(one->patterns[0].sighted);
	assert_false(two->patterns[0].sighted);
	for (size_t i = 0; i < book->pattern_count; i++)
		assert_int_equal(book->patterns[i]->number, i);
	rule_book_free(book);
	rule_book_free(built_in);
}

static void test_folder_replaces(void **state)
{
	const struct folder *folder = *state;
	struct rule_fault fault = {.text = ""};
	struct rule_book *built_in = NULL;
	struct rule_book *book = NULL;
	const char *id = NULL;

	assert_int_equal(rule_book_load(NULL, &built_in, &fault), 0);
	/* One that no other rule names. */
	for (size_t i = 0; !book && i < built_in->rule_count; i++) {
		id = built_in->rules[i]->id;
		put_rule(folder, "replaced.yaml", id, "Own", 1, "line");
		(void)rule_book_load(folder->path, &book, &fault);
	}
	if (!book) {
		fail_msg("%s", fault.text);
		return;
	}
	assert_int_equal(book->rule_count, built_in->rule_count);
	assert_string_equal(rule_book_find(book, id)->title, "Own");
	rule_book_free(book);
	rule_book_free(built_in);
}

static void test_folder_faults(void **state)
{
	const struct folder *folder = *state;
	char missing[PATH_SIZE + 16];
	char expected[3 * PATH_SIZE];
	struct rule_fault fault = {.text = ""};
	struct rule_book *book = NULL;

	(void)snprintf(missing, sizeof(missing), "%s/none", folder->path);
	assert_int_equal(rule_book_load(missing, &book, &fault), ERROR_SYSTEM);
	assert_non_null(strstr(fault.text, "No such file"));
	put_rule(folder, "a.yaml", "own", "One", 1, "line");
	put_rule(folder, "b.yaml", "own", "Two", 1, "line");
	assert_int_equal(rule_book_load(folder->path, &book, &fault), ERROR_INPUT);
	(void)snprintf(expected, sizeof(expected),
		"%s/b.yaml:1:5: there is a rule 'own' already, in %s/a.yaml", folder->path,
		folder->path);
	assert_string_equal(fault.text, expected);
	assert_null(book);
}

static int is_yaml(const struct dirent *entry)
{
	return strstr(entry->d_name, ".yaml") != NULL;
}

/* rules/meson.build lists the files; none must be forgotten. */
static void test_all_files_are_built_in(void **state)
{
	const char *source = getenv("FAIRLEAD_SOURCE");
	struct rule_fault fault = {.text = ""};
	struct rule_book *book = NULL;
	struct dirent **entries;
	char path[PATH_SIZE];
	int count;

	(void)state;
	assert_non_null(source);
	(void)snprintf(path, sizeof(path), "%s/rules/diagnostics", source);
	count = scandir(path, &entries, is_yaml, alphasort);
	assert_true(count > 0);
	if (rule_book_load(NULL, &book, &fault) != 0)
		fail_msg("%s", fault.text);
	for (int i = 0; i < count; i++) {
		char id[PATH_SIZE];

		(void)snprintf(id, sizeof(id), "%s", entries[i]->d_name);
		*strstr(id, ".yaml") = '\0';
		if (!rule_book_find(book, id))
			fail_msg("%s is not built in: list it in rules/meson.build", id);
		free(entries[i]);
	}
	free(entries);
	assert_int_equal(book->rule_count, count);
	rule_book_free(book);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(verdict_name(VERDICT_NO_EVIDENCE), "no-evidence");
	assert_string_equal(verdict_title(VERDICT_FAIL), "failed");
	assert_string_equal(verdict_mark(VERDICT_PASS), "+");
	assert_string_equal(actor_name(ACTOR_NETWORK), "network");
	assert_string_equal(actor_title(ACTOR_NETWORK), "who runs the network");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_parts),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_track),
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_cause_of_another_capture),
		cmocka_unit_test(test_values_in_hexadecimal),
		cmocka_unit_test(test_asked_patterns),
		cmocka_unit_test(test_wrong_keys),
		cmocka_unit_test(test_wrong_patterns),
		cmocka_unit_test(test_wrong_names),
		cmocka_unit_test(test_wrong_tracks),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_built_ins),
		cmocka_unit_test_setup_teardown(test_folder, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_folder_replaces, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_folder_faults, make_folder, remove_folder),
		cmocka_unit_test(test_all_files_are_built_in),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
