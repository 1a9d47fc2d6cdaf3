#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "protocol/text_private.h"

#define SPARE 200 /* for what stands for placeholders */
#define NAMES_MAXIMUM 8

static size_t count_languages(void)
{
	size_t count = 0;

	while (text_language_at(count) != NULL)
		count++;
	return count;
}

/* --- which language --- */

static void test_locales(void **state)
{
	static const struct {
		const char *locale, *answer;
	} cases[] = {
		{NULL, "en_US"},
		{"", "en_US"},
		{"C", "en_US"},
		{"POSIX", "en_US"},
		{"C.UTF-8", "en_US"},
		{"en", "en_US"},
		{"en_GB", "en_US"},
		{"de", "de_DE"},
		{"de_AT", "de_DE"},
		{"de-AT", "de_DE"},
		{"de-AT.UTF-8", "de_DE"},
		{"DE_de@euro", "de_DE"},
		{"De.ISO-8859-15", "de_DE"},
		{"de@euro", "de_DE"},
		{"fr_CA", "fr_FR"},
		{"es_419", "es_ES"},
		{"es-MX", "es_ES"},
		{"ja", "ja_JP"},
		{"ja_JP.eucJP", "ja_JP"},
		{"zz", "en_US"},
		{"zz_DE", "en_US"},
		/* no word of a language ends there */
		{"d", "en_US"},
		{"deu", "en_US"},
		{"dex_DE", "en_US"},
		{"de,fr", "en_US"},
		{"de DE", "en_US"},
		{" de", "en_US"},
		{"_de", "en_US"},
		{"_", "en_US"},
		{"-", "en_US"},
		{".UTF-8", "en_US"},
		{"@euro", "en_US"},
		{"../../de", "en_US"},
		{"de/../../etc", "en_US"},
		{"%s%n%n", "en_US"},
		{"d\xc3\xa9", "en_US"},
		{"\xff\xfe\x80", "en_US"},
		{"\x01", "en_US"},
	};
	char *endless = malloc(100001);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
			text_language_locale(text_language(cases[i].locale)), cases[i].answer);
	assert_non_null(endless);
	memset(endless, 'd', 100000);
	endless[100000] = '\0';
	assert_ptr_equal(text_language(endless), text_english());
	memcpy(endless, "de_", 3);
	assert_string_equal(text_language_locale(text_language(endless)), "de_DE");
	free(endless);
}

static void test_languages(void **state)
{
	size_t count = count_languages();

	(void)state;
	assert_int_equal(count, 5);
	assert_true(count <= TEXT_LANGUAGES_MAXIMUM);
	assert_ptr_equal(text_language_at(0), text_english());
	assert_null(text_language_at(count + 1));
	assert_null(text_language_at(SIZE_MAX));
	for (size_t i = 0; i < count; i++) {
		const struct text_language *language = text_language_at(i);

		assert_int_equal(text_language_index(language), i);
		/* by its own name it is found, so no language hides another */
		assert_ptr_equal(text_language(text_language_locale(language)), language);
	}
}

/* --- keys --- */

static const char *const key_names[TEXT_COUNT] = {
#define TEXT(name, text, note) [TEXT_##name] = #name,
#include "protocol/texts.def"
#undef TEXT
#define RESULT(name, group, outcome, origin, text) [TEXT_RESULT_##name] = "RESULT_" #name,
#include "protocol/results.def"
#undef RESULT
};

static void test_keys(void **state)
{
	(void)state;
	for (int i = RESULT_NONE + 1; i < RESULT_COUNT; i++) {
		const struct result_info *info = result_info((enum result_id)i);
		enum text_key key = text_of_result((enum result_id)i);
		char name[128];

		snprintf(name, sizeof(name), "RESULT_%s", info->id);
		assert_string_equal(key_names[key], name);
		assert_string_equal(text_template(text_english(), key), info->text);
	}
}

static void test_known(void **state)
{
	(void)state;
	assert_int_equal(text_known("All seats are taken."), TEXT_RESULT_LICENSE_DENIED_NO_SEATS);
	assert_int_equal(text_known("your administrator"), TEXT_ADMINISTRATOR);
	assert_int_equal(text_known("All seats are taken"), TEXT_RESULT);
	assert_int_equal(text_known("all seats are taken."), TEXT_RESULT);
	assert_int_equal(text_known(""), TEXT_RESULT);
	/* what has placeholders was filled by the other program */
	assert_int_equal(text_known(text_template(text_english(), TEXT_LOGON_WAIT)), TEXT_RESULT);
	/* whatever key it is, the words are the same */
	for (int i = TEXT_RESULT + 1; i < TEXT_COUNT; i++) {
		const char *text = text_template(text_english(), (enum text_key)i);

		if (strchr(text, '{') == NULL)
			assert_string_equal(text_template(text_english(), text_known(text)), text);
	}
}

/* --- every text of every language --- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The placeholders of a text, sorted; stops the test where a brace has no partner. */
static size_t read_names(const char *text, char names[NAMES_MAXIMUM][32])
{
	size_t count = 0;

	while ((text = strpbrk(text, "{}")) != NULL) {
		size_t length = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz_");

		assert_true(*text == '{' && length > 0 && length < 32 && text[1 + length] == '}');
		assert_true(count < NAMES_MAXIMUM);
		snprintf(names[count++], 32, "%.*s", (int)length, text + 1);
		text += length + 2;
	}
	qsort(names, count, sizeof(names[0]), compare_names);
	return count;
}

static void check_characters(const char *text)
{
	uint32_t character;

	while (*text != '\0') {
		size_t length = utf8_character(text, &character);

		assert_true(length > 0);
		/* nothing that a terminal obeys, nor what turns a line round */
		assert_true(character >= 0x20 && !(character >= 0x7f && character < 0xa0));
		assert_false(character >= 0x200b && character <= 0x200f);
		assert_false(character >= 0x202a && character <= 0x202e);
		text += length;
	}
}

static void test_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < count_languages(); i++) {
		const struct text_language *language = text_language_at(i);

		for (int key = TEXT_RESULT + 1; key < TEXT_COUNT; key++) {
			const char *english = text_template(text_english(), (enum text_key)key);
			const char *text = language->templates[key];
			char expected[NAMES_MAXIMUM][32], found[NAMES_MAXIMUM][32];
			size_t count = read_names(english, expected);

			if (text == NULL || *text == '\0')
				fail_msg("%s lacks %s", text_language_locale(language),
					key_names[key]);
			assert(text != NULL);
			assert_true(strlen(text) <= TEXT_MAXIMUM - SPARE);
			check_characters(text);
			assert_int_equal(read_names(text, found), count);
			for (size_t name = 0; name < count; name++)
				assert_string_equal(found[name], expected[name]);
		}
	}
}

/* Where the user must not learn which of two it is, no language may tell. */
static void test_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < count_languages(); i++) {
		const struct text_language *language = text_language_at(i);

		for (int a = TEXT_RESULT + 1; a < TEXT_COUNT; a++)
			for (int b = TEXT_RESULT + 1; b < a; b++) {
				if (strcmp(text_english()->templates[a],
					    text_english()->templates[b]) == 0)
					assert_string_equal(
						text_template(language, (enum text_key)a),
						text_template(language, (enum text_key)b));
			}
	}
}

/* --- filling --- */

/* A language whose one text is what the test says. */
static struct text_language made;

static void fill(
	const char *template, const struct text_value *values, size_t count, const char *expected)
{
	char text[TEXT_MAXIMUM];

	memset(text, 'x', sizeof(text));
	made.templates[TEXT_LOGON_WAIT] = template;
	text_fill(&made, TEXT_LOGON_WAIT, values, count, text);
	assert_string_equal(text, expected);
}

static void test_fill(void **state)
{
	static const struct text_value values[] = {
		{"a", "1"},
		{"ab", "\xc3\xa9"},
		{"braces", "{a}"},
		{"empty", ""},
	};
	const size_t count = sizeof(values) / sizeof(values[0]);

	(void)state;
	fill("", values, count, "");
	fill("plain", values, count, "plain");
	fill("{a}", values, count, "1");
	fill("{ab}{a}, {a}", values, count,
		"\xc3\xa9"
		"1, 1");
	fill("<{empty}>", values, count, "<>");
	/* a value is no template */
	fill("{braces}", values, count, "{a}");
	/* what has no value stays */
	fill("{b} {abc} {A} {}", values, count, "{b} {abc} {A} {}");
	fill("{a}", NULL, 0, "{a}");
	fill("{", values, count, "{");
	fill("{a", values, count, "{a");
	fill("a} }", values, count, "a} }");
	fill("{{a}}", values, count, "{1}");
	fill("{x{a}", values, count, "{x1");
}

static void test_fill_language(void **state)
{
	static const struct text_value wait = {"wait", "40 s"};
	char text[TEXT_MAXIMUM];

	(void)state;
	text_fill(text_english(), TEXT_LOGON_WAIT, &wait, 1, text);
	assert_string_equal(
		text, "Too many attempts to log on have failed. Please try again in 40 s.");
	text_fill(text_language("de"), TEXT_LOGON_WAIT, &wait, 1, text);
	assert_string_equal(text,
		"Zu viele Anmeldeversuche sind fehlgeschlagen. Bitte versuchen Sie es in 40 s "
		"erneut.");
}

/* A text that the language lacks is told in English. */
static void test_fallback(void **state)
{
	(void)state;
	made.templates[TEXT_LOGON_WAIT] = NULL;
	assert_string_equal(text_template(&made, TEXT_LOGON_WAIT),
		text_template(text_english(), TEXT_LOGON_WAIT));
}

static void test_cut(void **state)
{
	char value[TEXT_MAXIMUM + 100], text[TEXT_MAXIMUM];
	const struct text_value values[] = {{"v", value}, {"w", "!"}};

	(void)state;
	made.templates[TEXT_LOGON_WAIT] = "{v}{w}";
	/* exactly as long as it may be, and one more */
	memset(value, 'a', sizeof(value));
	value[TEXT_MAXIMUM - 2] = '\0';
	text_fill(&made, TEXT_LOGON_WAIT, values, 2, text);
	assert_int_equal(strlen(text), TEXT_MAXIMUM - 1);
	assert_int_equal(text[TEXT_MAXIMUM - 2], '!');
	value[TEXT_MAXIMUM - 2] = 'a';
	value[TEXT_MAXIMUM - 1] = '\0';
	text_fill(&made, TEXT_LOGON_WAIT, values, 2, text);
	assert_int_equal(strlen(text), TEXT_MAXIMUM - 1);
	assert_int_equal(text[TEXT_MAXIMUM - 2], 'a');
	/* each length of character, at each distance from the end; nothing follows what was cut */
	for (size_t bytes = 2; bytes <= 4; bytes++) {
		static const char *const characters[] = {
			"\xc3\xa9", "\xe3\x82\xa2", "\xf0\x9f\x98\x80"};

		for (size_t before = TEXT_MAXIMUM - 6; before < TEXT_MAXIMUM; before++) {
			bool fits = before + bytes <= TEXT_MAXIMUM - 1;

			memset(value, 'a', before);
			memcpy(value + before, characters[bytes - 2], bytes);
			memcpy(value + before + bytes, "bbbbbbbb", 9);
			text_fill(&made, TEXT_LOGON_WAIT, values, 2, text);
			assert_int_equal(strlen(text), fits ? TEXT_MAXIMUM - 1 : before);
			check_characters(text);
		}
	}
}

static void test_wait(void **state)
{
	static const struct {
		unsigned seconds;
		const char *english, *japanese;
	} cases[] = {
		{0, "0 s", "0 \xe7\xa7\x92"},
		{40, "40 s", "40 \xe7\xa7\x92"},
		{119, "119 s", "119 \xe7\xa7\x92"},
		{120, "2 min", "2 \xe5\x88\x86"},
		{121, "3 min", "3 \xe5\x88\x86"},
		{1800, "30 min", "30 \xe5\x88\x86"},
		{4294967295u, "71582789 min", "71582789 \xe5\x88\x86"},
	};
	char text[TEXT_MAXIMUM];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text_wait(text_english(), cases[i].seconds, text);
		assert_string_equal(text, cases[i].english);
		text_wait(text_language("ja"), cases[i].seconds, text);
		assert_string_equal(text, cases[i].japanese);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locales),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_fill_language),
		cmocka_unit_test(test_fallback),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
