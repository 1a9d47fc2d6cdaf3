/*
 * fuzz_rule.c - rule files and templates from anywhere: an administrator's folder, an editor's
 * half-written file.
 *
 * The whole input is read as a rule file. And its first line is compiled as a template and matched
 * against the rest.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "health/rule.h"

static void check_patterns(const struct rule_book *book)
{
	for (size_t i = 0; i < book->pattern_count; i++) {
		const struct rule_pattern *pattern = book->patterns[i];

		assert(pattern->number == i);
		assert(rule_find_pattern(pattern->rule, pattern->id) == pattern);
		assert(pattern->template || pattern->xml_element);
		assert(pattern->xml_element ||
			strlen(template_literal(pattern->template)) >= TEMPLATE_LITERAL_LEAST);
	}
}

static void check_rule(const struct rule_book *book, const struct rule *rule)
{
	assert(rule_book_find(book, rule->id) == rule);
	assert(rule->track_count > 0 || rule->measure_count > 0 || rule->builtin);
	for (size_t i = 0; i < rule->track_count; i++) {
		const struct rule_track *track = &rule->tracks[i];

		assert(track->step_count > 0 || track->outcome_count > 0);
		assert(track->merge > 0);
		for (size_t j = 0; j < track->step_count; j++)
			assert(track->steps[j].on_count > 0 && track->steps[j].on[0]->sighted);
		for (size_t j = 0; j < track->outcome_count; j++) {
			const struct rule_outcome *outcome = &track->outcomes[j];

			assert(outcome->on_count > 0 && outcome->verdict < VERDICT_NO_EVIDENCE);
			assert(!(outcome->by && outcome->cause));
		}
	}
	for (size_t i = 0; i < rule->measure_count; i++) {
		const struct rule_measure *measure = &rule->measures[i];

		assert(measure->pattern->measured);
		assert(measure->value < template_captures(measure->pattern->template));
		assert(measure->has_fail == (measure->fail_cause != NULL));
	}
	for (size_t i = 0; i < rule->cause_count; i++) {
		const char *value = rule->causes[i].value;
		const char *by = rule->causes[i].by;

		assert(!by || value);
		if (value)
			assert(rule_cause_by(rule, by, value, strlen(value)) != NULL);
	}
}

static void try_book(const char *bytes, size_t size)
{
	struct rule_fault fault = {.text = ""};
	struct rule_book *book = NULL;
	int error = rule_book_load_bytes("fuzz.yaml", bytes, size, &book, &fault);

	if (error != 0) {
		assert(book == NULL);
		assert(memchr(fault.text, '\0', sizeof(fault.text)) != NULL);
		if (error == ERROR_INPUT)
			assert(strncmp(fault.text, "fuzz.yaml", strlen("fuzz.yaml")) == 0 ||
				strncmp(fault.text, "rules", strlen("rules")) == 0);
		return;
	}
	check_patterns(book);
	assert(book->rule_count == 1);
	check_rule(book, book->rules[0]);
	rule_book_free(book);
}

static void try_match(const struct template *template, const char *bytes, size_t size)
{
	struct capture captures[TEMPLATE_CAPTURES];
	struct capture again[TEMPLATE_CAPTURES];

	if (!template_match(template, bytes, size, captures))
		return;
	for (size_t i = 0; i < template_captures(template); i++) {
		assert((size_t)captures[i].at + captures[i].length <= size);
		if (template_type(template, i) != TEMPLATE_TEXT)
			assert(captures[i].length > 0);
	}
	/* what a search looks for first is there */
	assert(memmem(bytes, size, template_literal(template), strlen(template_literal(template))));
	assert(template_match(template, bytes, size, again));
	for (size_t i = 0; i < template_captures(template); i++)
		assert(captures[i].at == again[i].at && captures[i].length == again[i].length);
}

static void try_template(const char *bytes, size_t size)
{
	const char *end = memchr(bytes, '\n', size);
	size_t length = end ? (size_t)(end - bytes) : size;
	char *text = malloc(length + 1);

	assert(text != NULL);
	memcpy(text, bytes, length);
	text[length] = '\0';
	for (int anywhere = 0; anywhere < 2; anywhere++) {
		char reason[TEMPLATE_REASON_SIZE] = "";
		struct template *template = NULL;

		if (template_new(text, anywhere != 0, &template, reason) != 0) {
			assert(template == NULL && *reason != '\0');
			continue;
		}
		if (end)
			try_match(template, end + 1, size - length - 1);
		try_match(template, bytes, length);
		template_free(template);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	/* libFuzzer's pointer is NULL for the empty input */
	const char *text = bytes ? (const char *)bytes : "";

	try_book(text, size);
	try_template(text, size);
	return 0;
}
