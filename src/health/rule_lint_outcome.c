#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "health/head.h"
#include "health/rule_lint_private.h"

#define CODE_SIZE 12
#define GROUP_LONG 4 /* bytes of "0xN*", which has three digits; longer ones get one more */
#define WHAT_SIZE 256
#define VALUE_SIZE 1100
#define LONG_BEFORE (600 * LINT_SECOND)
#define NO_VALUE "4294967295" /* what no cause stands for, and every type of capture takes */

/* One outcome, told by one of its patterns. */
struct told {
	const struct proof *proof;
	const struct rule_outcome *outcome;
	const struct rule_pattern *pattern;
	char part[LINT_PART];
	unsigned proved; /* with `by`: values that chose a cause */
};

static bool has(const struct rule_outcome *outcome, const struct rule_pattern *pattern)
{
	for (size_t i = 0; i < outcome->on_count; i++) {
		if (outcome->on[i] == pattern)
			return true;
	}
	return false;
}

static const struct rule_cause *cause_of_code(const struct told *told, const char *line)
{
	char code[CODE_SIZE];
	struct head head;

	(void)head_read(line, strlen(line), &head);
	(void)snprintf(code, sizeof(code), "%d", head.code);
	return rule_cause_by(told->proof->lint->rule, RULE_BY_CODE, code, strlen(code));
}

/* The cause that an outcome with `by` takes for the line it saw last. */
static const struct rule_cause *chosen_cause(const struct told *told)
{
	const struct lint *lint = told->proof->lint;
	int capture = template_find(told->pattern->template, told->outcome->by);

	for (size_t i = lint->store->sighting_count; i-- > 0;) {
		const struct sighting *sighting = &lint->store->sightings[i];

		if (sighting->pattern != told->pattern->number)
			continue;
		if (strcmp(told->outcome->by, RULE_BY_CODE) == 0)
			return cause_of_code(told, sighting->text);
		if (capture >= 0)
			return rule_cause_by(lint->rule, told->outcome->by,
				sighting->matched + sighting->captures[capture].at,
				sighting->captures[capture].length);
	}
	return NULL;
}

static void expect(struct told *told, const char *what)
{
	const struct rule_cause *cause = told->outcome->cause;
	enum verdict verdict = told->outcome->verdict;

	if (!lint_judge(told->proof->lint))
		return;
	if (told->outcome->by) {
		/* A value without cause is none of this outcome's. */
		cause = chosen_cause(told);
		if (!cause)
			return;
		told->proved++;
		if (cause->verdict != VERDICT_COUNT)
			verdict = cause->verdict;
	}
	lint_expect(told->proof->lint, told->part, what, verdict, cause);
}

static bool track_tells(const struct rule_track *track, const struct rule_pattern *pattern)
{
	for (size_t i = 0; i < track->outcome_count; i++) {
		if (has(&track->outcomes[i], pattern))
			return true;
	}
	return false;
}

/* What keeps the outcomes before this one from taking its lines, and says nothing itself. */
static size_t add_unless(const struct told *told)
{
	const struct rule_track *track = told->proof->track;
	size_t added = 0;

	for (const struct rule_outcome *other = track->outcomes; other < told->outcome; other++) {
		if (other->by || other->open_only || other->unless_count == 0 ||
			!has(other, told->pattern) || track_tells(track, other->unless[0]))
			continue;
		proof_add(told->proof, proof_sample(other->unless[0]));
		added++;
	}
	return added;
}

/* What must have been seen before, and long before. */
static void begin(const struct told *told)
{
	const struct rule_outcome *outcome = told->outcome;

	lint_begin(told->proof->lint);
	if (add_unless(told) + outcome->requires_count == 0)
		return;
	for (size_t i = 0; i < outcome->requires_count; i++)
		proof_add(told->proof, proof_sample(outcome->requires[i]));
	told->proof->lint->time += LONG_BEFORE;
}

/* Another outcome that makes an open attempt fail without a cause of its own; NULL: none. */
static const struct rule_outcome *failing_outcome(const struct rule_track *track)
{
	for (size_t i = 0; i < track->outcome_count; i++) {
		const struct rule_outcome *outcome = &track->outcomes[i];

		if (!outcome->progress && outcome->requires_count == 0 && outcome->cause &&
			outcome->verdict == VERDICT_FAIL)
			return outcome;
	}
	return NULL;
}

/* Progress is taken for the cause when the attempt fails later. In a track where nothing fails, it
 * is evidence only. */
static void prove_progress(struct told *told, const char *sample)
{
	const struct proof *proof = told->proof;
	const struct rule_track *track = proof->track;
	const struct rule_outcome *failing = failing_outcome(track);
	const struct rule_cause *cause = told->outcome->cause;

	begin(told);
	if (proof_opens(track))
		proof_add_steps(proof, 1);
	proof_add(proof, sample);
	if (proof_opens(track) && track->never && track->never->verdict == VERDICT_FAIL) {
		proof->lint->time += proof_limit(track, 1) + LINT_SECOND;
		lint_add_other(proof->lint);
	} else if (failing) {
		proof_add(proof, proof_sample(failing->on[0]));
	} else {
		return;
	}
	if (!lint_judge(proof->lint))
		return;
	if (told->outcome->by) {
		cause = chosen_cause(told);
		if (!cause)
			return;
		told->proved++;
	}
	lint_expect(proof->lint, told->part, "progress, and then a failure", VERDICT_FAIL, cause);
}

static void prove_line(struct told *told, const char *sample, const char *name)
{
	const struct proof *proof = told->proof;
	const struct rule_outcome *outcome = told->outcome;
	char what[WHAT_SIZE];

	if (outcome->progress) {
		if (outcome->cause || outcome->by)
			prove_progress(told, sample);
		return;
	}
	if (proof_opens(proof->track)) {
		begin(told);
		proof_add_steps(proof, 1);
		proof_add(proof, sample);
		(void)snprintf(what, sizeof(what), "%s after the first step", name);
		expect(told, what);
	}
	if (!outcome->open_only) {
		begin(told);
		proof_add(proof, sample);
		(void)snprintf(what, sizeof(what), "%s alone", name);
		expect(told, what);
	}
	if (outcome->after_pass && proof->track->step_count > 0) {
		begin(told);
		proof_add_steps(proof, proof->track->step_count);
		proof->lint->time += proof->track->merge + LINT_SECOND;
		proof_add(proof, sample);
		(void)snprintf(what, sizeof(what), "%s after a pass", name);
		expect(told, what);
	}
}

/* A text that the value of a cause stands for. */
static void example_of(const char *value, char text[VALUE_SIZE])
{
	size_t length = strlen(value);
	bool prefix = length > 0 && value[length - 1] == '*';

	(void)snprintf(text, VALUE_SIZE, "%.*s%s", (int)(length - prefix), value,
		!prefix                                                       ? ""
			: length > GROUP_LONG && strncmp(value, "0x", 2) == 0 ? "7"
			: length > 1                                          ? "77"
									      : NO_VALUE);
}

/* The capture that chooses takes decimal numbers only. */
static bool is_number(const struct told *told)
{
	const struct template *template = told->pattern->template;
	int capture = template_find(template, told->outcome->by);

	return capture >= 0 && template_type(template, (size_t)capture) == TEMPLATE_NUMBER;
}

static void write_decimal(char text[VALUE_SIZE])
{
	if (strncmp(text, "0x", 2) == 0)
		(void)snprintf(text, VALUE_SIZE, "%llu", strtoull(text, NULL, 16));
}

/* The sample with each value that a cause of the rule stands for. */
static void prove_values(struct told *told, const char *sample)
{
	const struct lint *lint = told->proof->lint;
	struct buffer line;

	buffer_init(&line, LINT_SAMPLE_MAXIMUM);
	for (size_t i = 0; lint->error == 0 && i < lint->rule->cause_count; i++) {
		const char *value = lint->rule->causes[i].value;
		const char *by = lint->rule->causes[i].by;
		char text[VALUE_SIZE];
		char name[WHAT_SIZE];

		if (!value || (by && strcmp(by, told->outcome->by) != 0))
			continue;
		example_of(value, text);
		if (is_number(told))
			write_decimal(text);
		(void)snprintf(name, sizeof(name), "'%.64s' in sample 1", text);
		if (lint_put(told->proof->lint, told->pattern, sample, told->outcome->by, text,
			    &line))
			prove_line(told, line.bytes, name);
	}
	buffer_free(&line);
}

/* An outcome before this one that takes the lines whose value it knows; NULL: none. */
static const struct rule_outcome *taken_before(const struct told *told)
{
	const struct rule_outcome *outcomes = told->proof->track->outcomes;

	for (const struct rule_outcome *other = outcomes; other < told->outcome; other++) {
		if (other->by && has(other, told->pattern))
			return other;
	}
	return NULL;
}

static void prove_sample(struct told *told, size_t index)
{
	const struct rule_outcome *before = taken_before(told);
	const char *sample = told->pattern->samples[index];
	char name[WHAT_SIZE];
	struct buffer line;

	(void)snprintf(name, sizeof(name), "sample %zu", index + 1);
	buffer_init(&line, LINT_SAMPLE_MAXIMUM);
	if (before &&
		lint_put(told->proof->lint, told->pattern, sample, before->by, NO_VALUE, &line))
		prove_line(told, line.bytes, name);
	else
		prove_line(told, sample, name);
	buffer_free(&line);
}

void lint_outcome(const struct proof *proof, size_t index)
{
	struct told told = {.proof = proof, .outcome = &proof->track->outcomes[index]};

	for (size_t i = 0; i < told.outcome->on_count; i++) {
		const struct rule_pattern *pattern = told.outcome->on[i];

		told.pattern = pattern;
		lint_part(told.part, "%s/outcome %zu/%s", proof->track->id, index + 1, pattern->id);
		for (size_t j = 0; proof->lint->error == 0 && j < pattern->sample_count; j++)
			prove_sample(&told, j);
		if (told.outcome->by && pattern->sample_count > 0)
			prove_values(&told, pattern->samples[0]);
	}
	if (told.outcome->by && told.proved == 0 && proof->lint->error == 0)
		lint_fault(proof->lint, told.part, "no cause stands for any value of its samples");
}
