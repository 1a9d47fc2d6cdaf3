#include "health/judge_private.h"

static const char no_limits[] = "The log has the numbers; there is no limit to judge them by.";

/* The series of one measure in one unit, taken together. */
struct measured {
	uint64_t count, warnings, fails;
	double sum, lowest, highest;
	int64_t first, last;
	const struct series *worst;
};

static double extreme(const struct series *series)
{
	return series->measure->below ? series->lowest : series->highest;
}

static bool is_worse(const struct series *series, const struct series *than)
{
	if (series->measure->below)
		return extreme(series) < extreme(than);
	return extreme(series) > extreme(than);
}

static void add_series(struct measured *measured, const struct series *series)
{
	bool begins = measured->count == 0;

	if (begins || series->lowest < measured->lowest)
		measured->lowest = series->lowest;
	if (begins || series->highest > measured->highest)
		measured->highest = series->highest;
	/* STAMP_NONE is smaller than any time. */
	if (measured->first == STAMP_NONE ||
		(series->first != STAMP_NONE && series->first < measured->first))
		measured->first = series->first;
	if (series->last > measured->last)
		measured->last = series->last;
	measured->count += series->count;
	measured->warnings += series->warnings;
	measured->fails += series->fails;
	measured->sum += series->sum;
	if (!measured->worst || is_worse(series, measured->worst))
		measured->worst = series;
}

static enum verdict verdict_of(const struct rule_measure *measure, const struct measured *measured)
{
	if (measured->fails > 0)
		return VERDICT_FAIL;
	if (measured->warnings > 0)
		return VERDICT_WARNING;
	return measure->has_warning || measure->has_fail ? VERDICT_PASS : VERDICT_NOTE;
}

static void name_number(struct finding_work *work, const struct rule_measure *measure,
	const char *what, double value)
{
	char *name = arena_print(work->judge->arena, "%s%s", measure->id, what);

	if (name)
		finding_number(work, name, value);
}

static void add_measure(struct finding_work *work, const struct rule_measure *measure,
	const struct measured *measured)
{
	const struct series *worst = measured->worst;
	enum verdict verdict = verdict_of(measure, measured);
	const struct rule_cause *cause = NULL;
	struct finding *finding = &work->finding;

	name_number(work, measure, "", extreme(worst));
	name_number(work, measure, "_mean", measured->sum / (double)measured->count);
	name_number(work, measure, "_lowest", measured->lowest);
	name_number(work, measure, "_highest", measured->highest);
	name_number(work, measure, "_values", (double)measured->count);
	name_number(work, measure, "_warnings", (double)measured->warnings);
	name_number(work, measure, "_fails", (double)measured->fails);
	finding_quote(work, worst->worst_time, worst->source, worst->worst_line, worst->worst_text);
	if (verdict == VERDICT_FAIL)
		cause = measure->fail_cause;
	else if (verdict == VERDICT_WARNING)
		cause = measure->warning_cause;
	/* A measure without limits says nothing beside one that has some. */
	if (finding->verdict == VERDICT_NOTE || finding->verdict == VERDICT_NO_EVIDENCE ||
		(verdict < finding->verdict && verdict != VERDICT_NOTE))
		finding_cause(work, verdict, cause);
	if (finding->start == STAMP_NONE ||
		(measured->first != STAMP_NONE && measured->first < finding->start)) {
		finding->start = measured->first;
		finding->kind = work->judge->store->sources[worst->source].kind;
	}
	if (measured->last > finding->end)
		finding->end = measured->last;
}

void judge_measures(
	struct judge *judge, struct unit *unit, uint32_t number, struct finding_list *list)
{
	const struct rule *rule = judge->book->rules[number];
	struct finding_work work;

	if (rule->measure_count == 0 || !unit->series)
		return;
	finding_begin(&work, judge, unit, rule);
	for (size_t i = 0; i < rule->measure_count; i++) {
		const struct rule_measure *measure = &rule->measures[i];
		struct measured measured = {.first = STAMP_NONE, .last = STAMP_NONE};

		for (const struct judge_series *j = unit->series; j; j = j->next)
			if (j->series->measure == measure)
				add_series(&measured, j->series);
		if (measured.count > 0)
			add_measure(&work, measure, &measured);
	}
	if (work.finding.verdict == VERDICT_NOTE)
		work.finding.cause_text = no_limits;
	/* Statistics before any session carry no id, and have no packets to tell of. */
	if (unit->session == STORE_HOST && rule->scope == RULE_SCOPE_SESSION &&
		work.finding.start != STAMP_NONE && work.finding.verdict > VERDICT_WARNING)
		return;
	if (work.finding.verdict != VERDICT_NO_EVIDENCE && !finding_is_outdone(&work, list))
		finding_end(&work, list);
}
