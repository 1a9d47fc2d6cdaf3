#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "health/template.h"

#define RESULT_SIZE 512
#define LONG_LINE 60000

static struct template *compile(const char *text, bool anywhere)
{
	char reason[TEMPLATE_REASON_SIZE] = "";
	struct template *compiled;

	if (template_new(text, anywhere, &compiled, reason) == 0) {
		/* cppcheck takes the struct's name for a word of C++ */
		/* cppcheck-suppress CastIntegerToAddressAtReturn */
		return compiled;
	}
	fail_msg("'%s': %s", text, reason);
	return NULL;
}

/* "name=value;name=value;" of a match, "no" otherwise. */
static const char *match_bytes(
	const char *text, bool anywhere, const char *bytes, size_t length, char result[RESULT_SIZE])
{
	struct template *template = compile(text, anywhere);
	struct capture captures[TEMPLATE_CAPTURES];
	size_t used = 0;

	result[0] = '\0';
	if (!template_match(template, bytes, length, captures)) {
		(void)snprintf(result, RESULT_SIZE, "no");
	} else {
		for (size_t i = 0; i < template_captures(template); i++) {
			assert_true((size_t)captures[i].at + captures[i].length <= length);
			used += (size_t)snprintf(result + used, RESULT_SIZE - used, "%s=%.*s;",
				template_name(template, i), (int)captures[i].length,
				bytes + captures[i].at);
			assert_true(used < RESULT_SIZE);
		}
	}
	template_free(template);
	return result;
}

static void expect(const char *text, const char *line, const char *expected)
{
	char result[RESULT_SIZE];

	(void)match_bytes(text, false, line, strlen(line), result);
	if (strcmp(result, expected) != 0)
		fail_msg("'%s' on '%s': '%s', not '%s'", text, line, result, expected);
}

static void expect_anywhere(const char *text, const char *line, const char *expected)
{
	char result[RESULT_SIZE];

	(void)match_bytes(text, true, line, strlen(line), result);
	if (strcmp(result, expected) != 0)
		fail_msg("'%s' on '%s': '%s', not '%s'", text, line, result, expected);
}

static void expect_refused(const char *text, const char *part)
{
	struct template *template = NULL;
	char reason[TEMPLATE_REASON_SIZE] = "";

	assert_int_equal(template_new(text, false, &template, reason), ERROR_INPUT);
	assert_null(template);
	if (!strstr(reason, part))
		fail_msg("'%s': '%s' says nothing of '%s'", text, reason, part);
}

static void test_literals(void **state)
{
	(void)state;
	expect("Starting session", "Starting session for nobody", "");
	expect("Starting session", "starting session", "no");
	expect("Starting session", "Starting sessio", "no");
	expect("Starting session", "", "no");
	expect("Starting session", " Starting session", "no");
	/* blanks that touch no capture are as they are */
	expect("Starting session", "Starting  session", "no");
	expect("{{one}} }}two{{", "{one} }two{", "");
	expect("  blanks before are none", "blanks before are none", "");
	expect("ends with a blank ", "ends with a blank.", "no");
	expect("h\xc3\xa9llo", "h\xc3\xa9llo", "");
}

static void test_anywhere(void **state)
{
	(void)state;
	expect_anywhere("closed", "the socket was closed", "");
	expect_anywhere("closed", "the socket was opened", "no");
	expect("closed", "the socket was closed", "no");
	expect_anywhere("port {port:number}", "port none, port 4172", "port=4172;");
	expect_anywhere("{count:number} days", "it ends in 12 days", "count=12;");
	expect_anywhere("{what:word}: failed", "so: audio: failed", "what=audio;");
	expect_anywhere("{}: closed", "socket: closed", "");
}

static void test_texts(void **state)
{
	(void)state;
	expect("source: {source}; time: {time:number} s; origin: {origin};",
		"source: cloud; time: 0.250 s; origin: local; more",
		"source=cloud;time=0.250;origin=local;");
	expect("user {user:user} left", "user ACME\\m r left", "user=ACME\\m r;");
	expect("cause: {cause}", "cause: it broke, and fell", "cause=it broke, and fell;");
	expect("cause: {cause}", "cause: it broke \t ", "cause=it broke;");
	/* a text may be empty, what has a type may not */
	expect("cause: {cause};", "cause: ;", "cause=;");
	expect("cause: {cause}", "cause:", "cause=;");
	expect("user: {user:user};", "user: ;", "no");
	expect("user: {user:user}", "user: ", "no");
	expect("host={host:host},", "host=,x,", "host=,x;");
	expect("at {where:address} closed", "at [2001:db8::1]:4172 closed",
		"where=[2001:db8::1]:4172;");
	/* as little as it can */
	expect("<{a}> and <{b}>", "<x> or <y> and <z> and <u>", "a=x> or <y;b=z;");
	expect("{} ends: {b}", "so it ends: here", "b=here;");
}

static void test_blanks(void **state)
{
	(void)state;
	expect("RC: {code:number} of", "RC:    5   of", "code=5;");
	expect("RC: {code:number} of", "RC:5of", "code=5;");
	expect("RC:{code:number}", "RC: 5", "no");
	expect("took {time:number} s", "took 5s", "time=5;");
	expect("took {time:number} s", "took\t5\ts", "time=5;");
	/* "on" inside a name does not end the name */
	expect("session of {user:user} on {host:host}", "session of jon on box",
		"user=jon;host=box;");
	expect("from {a} to {b}", "from   one   to   two", "a=one;b=two;");
	expect("from {a} to {b}", "from to two", "a=;b=two;");
	expect("from {a} to {b}", "from into two", "no");
	expect("name {a} ", "name one  ", "a=one;");
}

static void test_numbers(void **state)
{
	(void)state;
	expect("code {n:number}", "code -504", "n=-504;");
	expect("code {n:number}", "code +7.25", "n=+7.25;");
	expect("code {n:number}", "code 7. Then", "n=7;");
	expect("code {n:number}", "code .5", "no");
	expect("code {n:number}", "code -", "no");
	expect("code {n:number}", "code x", "no");
	expect("code {n:number}", "code", "no");
	expect("{major:number}.{minor:number}", "21.07.4", "major=21;minor=07.4;");
	expect("{a:number}/{b:number}/{c:number}", "1/22.5/-3", "a=1;b=22.5;c=-3;");
	expect("{n:number}{unit:word}", "15ms later", "n=15;unit=ms;");
	expect("n {n:number}", "n 1234567890123456789012345678901234567890123",
		"n=1234567890123456789012345678901234567890;");
}

static void test_hex(void **state)
{
	(void)state;
	expect("cause {n:hex})", "cause 0x102)", "n=0x102;");
	expect("cause {n:hex}", "cause 768", "n=768;");
	expect("at {n:hex}...", "at 3a6aB5b0...", "n=3a6aB5b0;");
	expect("cause {n:hex}", "cause 0x", "n=0;");
	expect("cause {n:hex}", "cause zero", "no");
}

static void test_words(void **state)
{
	(void)state;
	expect("state {s:word}", "state OPEN, then", "s=OPEN,;");
	expect("state {s:word},", "state OPEN, then", "s=OPEN;");
	expect("state {s:word} then", "state OPEN   then", "s=OPEN;");
	expect("state {s:word},", "state OPEN then,", "no");
	expect("state {s:word}", "state ", "no");
	expect("{a:word} -> {b:word}", "IDLE -> BUSY now", "a=IDLE;b=BUSY;");
	/* the literal may go on behind the run in which it begins */
	expect("{a:word}: the rest", "name: the rest", "a=name;");
	expect("{a:word}({b:hex}) -> {c:word}({d:number})", "CAUSE_X(0x402) -> EXPIRED(1)",
		"a=CAUSE_X;b=0x402;c=EXPIRED;d=1;");
	/* one that does not fit leaves the text before it another try */
	expect("{a}={b:word};", "x= y=z;", "a=x= y;b=z;");
}

static void test_word_length(void **state)
{
	char line[700];
	struct template *template = compile("word {w:word}", false);
	struct capture captures[TEMPLATE_CAPTURES];

	(void)state;
	memset(line, 'w', sizeof(line));
	memcpy(line, "word ", 5);
	assert_true(template_match(template, line, 5 + 512, captures));
	assert_int_equal(captures[0].length, 512);
	assert_false(template_match(template, line, 5 + 513, captures));
	template_free(template);
}

static void test_literal_for_search(void **state)
{
	static const char *const cases[][2] = {
		{"Starting session", "Starting session"},
		{"RC: {code:number} of the last call ", "of the last call"},
		{"{a} one {b} two three {c} four", "two three"},
		{"{result:word}", ""},
		{"{{literal}} {}", "{literal}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct template *template = compile(cases[i][0], false);

		assert_string_equal(template_literal(template), cases[i][1]);
		template_free(template);
	}
}

static void test_names_and_types(void **state)
{
	struct template *template = compile(
		"{a} . {b:number} . {c:hex} . {d:word} . {e:user} . {f:host} . {g:address} . {} . "
		"{:number}",
		false);
	static const enum template_type types[] = {TEMPLATE_TEXT, TEMPLATE_NUMBER, TEMPLATE_HEX,
		TEMPLATE_WORD, TEMPLATE_USER, TEMPLATE_HOST, TEMPLATE_ADDRESS};

	(void)state;
	assert_int_equal(template_captures(template), 7);
	for (size_t i = 0; i < 7; i++) {
		char name[2] = {(char)('a' + i), '\0'};

		assert_string_equal(template_name(template, i), name);
		assert_int_equal(template_type(template, i), types[i]);
	}
	template_free(template);
}

static void test_refused(void **state)
{
	char text[TEMPLATE_TEXT_MAXIMUM + 2];

	(void)state;
	expect_refused("", "no text");
	expect_refused("   ", "no text");
	expect_refused("open {name", "not closed");
	expect_refused("open {na{me}", "not closed");
	expect_refused("open {", "not closed");
	expect_refused("close }", "without '{'");
	expect_refused("{name:integer}", "'integer'");
	expect_refused("{name:}", "no type");
	expect_refused("{Name}", "'Name'");
	expect_refused("{a} and {a}", "twice");
	expect_refused("{abcdefghijklmnopqrstuvwxyz}", "26 bytes");
	expect_refused("{a}{b}", "between them");
	expect_refused("{a} {b}", "between them");
	expect_refused("{a}{b:number}", "between them");
	expect_refused("{a:word}{b:number}", "between them");
	expect_refused("{a}.{b}.{c}.{d}.{e}.{f}.{g}.{h}.{i}.{j}.{k}", "more than 10");
	expect_refused("{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}.{}",
		"too many");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	expect_refused(text, "1025 bytes");
}

/* Lines made to make a careless matcher try every combination. */
static void test_hostile_lines(void **state)
{
	static const char *const templates[] = {
		"{a}a{b}a{c}a{d}a{e}a{f}a{g}a{h}a{i}a!",
		"{a}a{b:word}b{c:word}b!",
		"{a}a{b:number}.{c:number}!",
		"{a:word}a{b}a{c:word}!",
		"{} a {} a {} a {} a {} !",
	};
	char *line = malloc(LONG_LINE);
	char result[RESULT_SIZE];

	(void)state;
	assert_non_null(line);
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		memset(line, 'a', LONG_LINE);
		(void)match_bytes(templates[i], true, line, LONG_LINE, result);
		assert_string_equal(result, "no");
		for (size_t j = 0; j < LONG_LINE; j++)
			line[j] = "a "[j % 2];
		(void)match_bytes(templates[i], true, line, LONG_LINE, result);
		assert_string_equal(result, "no");
	}
	free(line);
}

static void test_long_lines(void **state)
{
	size_t length = 70000;
	char *line = malloc(length);
	struct template *template = compile("start {rest}", false);
	struct template *end = compile("end!", true);
	struct capture captures[TEMPLATE_CAPTURES];

	(void)state;
	assert_non_null(line);
	memset(line, 'x', length);
	memcpy(line, "start ", 6);
	assert_true(template_match(template, line, length, captures));
	assert_int_equal(captures[0].at, 6);
	assert_int_equal(captures[0].length, 65535 - 6);
	/* what begins within 65,535 bytes and ends behind them is not seen */
	memcpy(line + 65533, "end!", 4);
	assert_false(template_match(end, line, length, captures));
	memcpy(line + 65531, "end!", 4);
	assert_true(template_match(end, line, length, captures));
	template_free(template);
	template_free(end);
	free(line);
}

/* Nothing is read beyond the length; the sanitizer sees it. */
static void test_exact_end(void **state)
{
	static const char *const templates[] = {"port {n:number}", "port {h:hex}", "port {w:word}",
		"port {t}", "port {w:word}, x", "port {t} x", "{w:word}t 1"};
	static const char line[] = "port 0x1.5";

	(void)state;
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		struct template *template = compile(templates[i], false);

		for (size_t length = 0; length < sizeof(line); length++) {
			struct capture captures[TEMPLATE_CAPTURES];
			char *copy = malloc(length + 1);

			assert_non_null(copy);
			memcpy(copy + 1, line, length);
			(void)template_match(template, copy + 1, length, captures);
			free(copy);
		}
		template_free(template);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_anywhere),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_blanks),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_word_length),
		cmocka_unit_test(test_literal_for_search),
		cmocka_unit_test(test_names_and_types),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hostile_lines),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_exact_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
