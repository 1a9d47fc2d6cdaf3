#include "health/rule_lint.h"

#include <stdio.h>
#include <string.h>

#include "health/rule_lint_private.h"
#include "health/rule_private.h"

/* How outcomes and measures use a cause. */
struct use {
	bool used;
	bool fails;
};

static void note_use(struct use *use, bool same, enum verdict verdict)
{
	use->used = use->used || same;
	use->fails = use->fails || (same && verdict == VERDICT_FAIL);
}

static bool can_fail(const struct rule *rule, const struct rule_track *track)
{
	bool by = false;

	for (size_t i = 0; i < track->outcome_count; i++) {
		const struct rule_outcome *outcome = &track->outcomes[i];

		if (!outcome->progress && outcome->verdict == VERDICT_FAIL)
			return true;
		by = by || outcome->by;
	}
	for (size_t i = 0; by && i < rule->cause_count; i++) {
		if (rule->causes[i].value && rule->causes[i].verdict == VERDICT_FAIL)
			return true;
	}
	return (track->late && track->late->verdict == VERDICT_FAIL) ||
		(track->never && track->never->verdict == VERDICT_FAIL);
}

/* The outcome's capture can have the cause's value. */
static bool rule_chooses(const struct rule_outcome *outcome, const struct rule_cause *cause)
{
	return outcome->by && cause->value && (!cause->by || strcmp(cause->by, outcome->by) == 0);
}

static void use_by_outcome(struct use *use, const struct rule *rule, const struct rule_track *track,
	const struct rule_outcome *outcome, const struct rule_cause *cause)
{
	enum verdict verdict = outcome->verdict;

	/* Progress is the cause of what fails later, if anything can. */
	if (outcome->progress && !can_fail(rule, track))
		verdict = VERDICT_NOTE;
	note_use(use, outcome->cause == cause, verdict);
	if (rule_chooses(outcome, cause))
		note_use(use, true,
			cause->verdict == VERDICT_COUNT ? outcome->verdict : cause->verdict);
}

/* A value of one outcome that passes and another that fails: it is not said whose it is. */
static bool is_of_passing(const struct rule *rule, const struct rule_cause *cause)
{
	if (!cause->value || cause->verdict != VERDICT_COUNT || strcmp(cause->value, "*") == 0)
		return false;
	for (size_t i = 0; i < rule->track_count; i++) {
		const struct rule_track *track = &rule->tracks[i];

		for (size_t j = 0; j < track->outcome_count; j++) {
			if (rule_chooses(&track->outcomes[j], cause) &&
				track->outcomes[j].verdict != VERDICT_FAIL)
				return true;
		}
	}
	return false;
}

static struct use use_of(const struct rule *rule, const struct rule_cause *cause)
{
	const struct rule_builtin *builtin =
		rule->builtin ? rule_builtin_find(rule->builtin) : NULL;
	struct use use = {.used = false};

	for (size_t i = 0; i < rule->track_count; i++) {
		const struct rule_track *track = &rule->tracks[i];

		for (size_t j = 0; j < track->outcome_count; j++)
			use_by_outcome(&use, rule, track, &track->outcomes[j], cause);
		if (track->late)
			note_use(&use, track->late->cause == cause, track->late->verdict);
		if (track->never)
			note_use(&use, track->never->cause == cause, track->never->verdict);
	}
	for (size_t i = 0; i < rule->measure_count; i++) {
		note_use(&use, rule->measures[i].warning_cause == cause, VERDICT_WARNING);
		note_use(&use, rule->measures[i].fail_cause == cause, VERDICT_FAIL);
	}
	if (builtin)
		note_use(&use, rule_words_have(builtin->causes, cause->id), cause->verdict);
	return use;
}

static bool pattern_captures(const struct rule_pattern *pattern, const char *name, size_t length)
{
	for (size_t i = 0; i < template_captures(pattern->template); i++) {
		const char *own = template_name(pattern->template, i);

		if (strlen(own) == length && memcmp(own, name, length) == 0)
			return true;
	}
	return false;
}

static bool list_captures(
	const struct rule_pattern *const *on, size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		if (pattern_captures(on[i], name, length))
			return true;
	}
	return false;
}

/* "result_name" */
static bool is_of_by(const char *by, const char *suffix, const char *name, size_t length)
{
	size_t own = strlen(by);

	return length == own + strlen(suffix) && memcmp(name, by, own) == 0 &&
		memcmp(name + own, suffix, strlen(suffix)) == 0;
}

static bool track_captures(const struct rule_track *track, const char *name, size_t length)
{
	for (size_t i = 0; i < track->step_count; i++) {
		if (list_captures((const struct rule_pattern *const *)track->steps[i].on,
			    track->steps[i].on_count, name, length))
			return true;
	}
	for (size_t i = 0; i < track->outcome_count; i++) {
		const struct rule_outcome *outcome = &track->outcomes[i];

		if (list_captures((const struct rule_pattern *const *)outcome->on,
			    outcome->on_count, name, length))
			return true;
		/* the public name of the value that chose the cause, and the value in hexadecimal
		 */
		if (outcome->by &&
			(is_of_by(outcome->by, "_name", name, length) ||
				is_of_by(outcome->by, "_hex", name, length)))
			return true;
	}
	return false;
}

/* Measures have data of their own: "rtt", "rtt_mean" ... */
static bool measure_gives(const struct rule_measure *measure, const char *name, size_t length)
{
	size_t own = strlen(measure->id);

	return length >= own && memcmp(name, measure->id, own) == 0 &&
		(length == own || name[own] == '_');
}

static bool is_data(const struct rule *rule, const char *name, size_t length)
{
	static const char duration[] = "duration_s";

	if (rule->builtin || (length == strlen(duration) && memcmp(name, duration, length) == 0))
		return true;
	for (size_t i = 0; i < rule->track_count; i++) {
		if (track_captures(&rule->tracks[i], name, length))
			return true;
	}
	for (size_t i = 0; i < rule->measure_count; i++) {
		if (measure_gives(&rule->measures[i], name, length) ||
			pattern_captures(rule->measures[i].pattern, name, length))
			return true;
	}
	return false;
}

/* Every {name} of a text is data that a finding of this rule can have. */
static void prove_text(struct lint *lint, const char *part, const char *text)
{
	while ((text = strchr(text, '{')) != NULL) {
		size_t length = strcspn(++text, "{}");

		if (*text == '{') {
			text++;
			continue;
		}
		if (text[length] != '}')
			lint_fault(lint, part, "a '{' is not closed");
		else if (!is_data(lint->rule, text, length))
			lint_fault(lint, part, "no pattern captures '%.*s'", (int)length, text);
	}
}

/* How many different captures choose causes of the rule; *ret_used: `by` is one of them. */
static unsigned count_by(const struct rule *rule, const char *by, bool *ret_used)
{
	const char *first = NULL;
	unsigned count = 0;

	*ret_used = false;
	for (size_t i = 0; i < rule->track_count; i++) {
		const struct rule_track *track = &rule->tracks[i];

		for (size_t j = 0; j < track->outcome_count; j++) {
			const char *own = track->outcomes[j].by;

			if (!own)
				continue;
			*ret_used = *ret_used || (by && strcmp(by, own) == 0);
			if (!first || (count == 1 && strcmp(first, own) != 0))
				count++;
			if (!first)
				first = own;
		}
	}
	return count;
}

static void prove_by(struct lint *lint, const struct rule_cause *cause)
{
	bool used;
	unsigned count = count_by(lint->rule, cause->by, &used);

	if (cause->by && !used)
		lint_fault(lint, cause->id, "no outcome chooses by '%s'", cause->by);
	if (!cause->by && cause->value && strcmp(cause->value, "*") == 0 && count > 1)
		lint_fault(lint, cause->id,
			"'*' takes any value of several captures; expected 'by' with one of them");
}

static void prove_cause(struct lint *lint, const struct rule_cause *cause)
{
	const struct rule *rule = lint->rule;
	struct use use = use_of(rule, cause);

	if (!use.used)
		lint_fault(lint, cause->id, "nothing uses this cause");
	if (use.fails && cause->remedy_count == 0 && !is_of_passing(rule, cause))
		lint_fault(lint, cause->id, "a failure without remedy");
	if (cause->value && !strchr(cause->value, '*') &&
		rule_cause_by(rule, cause->by, cause->value, strlen(cause->value)) != cause)
		lint_fault(lint, cause->id, "its value stands for another cause, too");
	prove_by(lint, cause);
	prove_text(lint, cause->id, cause->text);
	for (size_t i = 0; i < cause->remedy_count; i++)
		prove_text(lint, cause->id, cause->remedies[i].text);
}

/* "rules/diagnostics/<id>.yaml" */
static void prove_file_name(struct lint *lint)
{
	const char *slash = strrchr(lint->rule->file, '/');
	const char *name = slash ? slash + 1 : lint->rule->file;
	size_t length = strlen(lint->rule->id);

	if (strncmp(name, lint->rule->id, length) != 0 || strcmp(name + length, ".yaml") != 0)
		lint_fault(lint, "", "expected the file name '%s.yaml'", lint->rule->id);
}

int rule_lint(
	const struct rule_book *book, void (*fault)(void *context, const char *text), void *context)
{
	struct lint lint = {.book = book, .fault = fault, .context = context};

	for (size_t i = 0; lint.error == 0 && i < book->rule_count; i++) {
		lint.rule = book->rules[i];
		prove_file_name(&lint);
		for (size_t j = 0; j < lint.rule->cause_count; j++)
			prove_cause(&lint, &lint.rule->causes[j]);
		lint_samples(&lint);
		lint_tracks(&lint);
		lint_measures(&lint);
	}
	lint_end(&lint);
	return lint.error != 0 ? lint.error : lint.count;
}
