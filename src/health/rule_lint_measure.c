#include <stdio.h>

#include "health/rule_lint_private.h"

#define NUMBER_SIZE 40

/* Judges the pattern's sample with this number in it. */
static bool judge_number(struct lint *lint, const struct rule_measure *measure, double number)
{
	const struct rule_pattern *pattern = measure->pattern;
	char text[NUMBER_SIZE];
	struct buffer line;
	bool judged = false;

	(void)snprintf(text, sizeof(text), "%.6f", number);
	buffer_init(&line, LINT_SAMPLE_MAXIMUM);
	if (lint_put(lint, pattern, pattern->samples[0],
		    template_name(pattern->template, measure->value), text, &line)) {
		lint_begin(lint);
		lint_add(lint, line.bytes);
		judged = lint_judge(lint);
	}
	buffer_free(&line);
	return judged;
}

static void prove_beyond(struct lint *lint, const struct rule_measure *measure, double number,
	enum verdict verdict, const struct rule_cause *cause)
{
	char what[NUMBER_SIZE];

	(void)snprintf(what, sizeof(what), "the value %g", number);
	if (judge_number(lint, measure, number))
		lint_expect(lint, measure->id, what, verdict, cause);
}

/* What is at the limit is not beyond it. */
static void prove_limit(struct lint *lint, const struct rule_measure *measure, double limit)
{
	if (judge_number(lint, measure, limit) &&
		(lint_found(lint, VERDICT_WARNING, measure->warning_cause) ||
			lint_found(lint, VERDICT_FAIL, measure->fail_cause)))
		lint_fault(lint, measure->id, "the value %g: is not beyond the limit", limit);
}

static void prove_measure(struct lint *lint, const struct rule_measure *measure)
{
	double beyond = measure->below ? -1 : 1;

	if (measure->has_warning && measure->has_fail &&
		(measure->fail - measure->warning) * beyond <= 0) {
		lint_fault(lint, measure->id, "'fail' is not beyond 'warning'");
		return;
	}
	if (measure->pattern->sample_count == 0)
		return;
	if (measure->has_fail)
		prove_beyond(
			lint, measure, measure->fail + beyond, VERDICT_FAIL, measure->fail_cause);
	if (measure->has_warning)
		prove_beyond(lint, measure,
			measure->has_fail ? measure->fail : measure->warning + beyond,
			VERDICT_WARNING, measure->warning_cause);
	if (measure->has_warning || measure->has_fail)
		prove_limit(lint, measure, measure->has_warning ? measure->warning : measure->fail);
}

void lint_measures(struct lint *lint)
{
	for (size_t i = 0; lint->error == 0 && i < lint->rule->measure_count; i++)
		prove_measure(lint, &lint->rule->measures[i]);
}
