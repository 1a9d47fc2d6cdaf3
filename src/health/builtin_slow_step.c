#include <stdio.h>

#include "health/judge_builtin.h"

static double stage_limit(const struct rule *rule, unsigned stage)
{
	char name[16];

	snprintf(name, sizeof(name), "stage%u", stage);
	return rule_limit(rule, name);
}

static void add_slow(struct builtin *builtin, const struct finding *slow, double limit)
{
	struct finding_work work;

	builtin_begin(builtin, &work);
	for (size_t i = 0; i < slow->evidence_count; i++)
		finding_quote(&work, slow->start, slow->evidence[i].source, slow->evidence[i].line,
			slow->evidence[i].text);
	work.finding.start = slow->start;
	work.finding.end = slow->end;
	work.finding.kind = slow->kind;
	work.finding.duration = slow->duration;
	finding_data(&work, "step", slow->rule->title, SIZE_MAX, false, false);
	finding_number(&work, "stage", slow->rule->stage);
	finding_number(&work, "duration_s", (double)slow->duration / 1e6);
	finding_number(&work, "limit_s", limit);
	builtin_end(builtin, &work, VERDICT_WARNING, "slow");
}

void builtin_slow_step(struct builtin *builtin)
{
	const struct finding_node *last = builtin->list->last;
	double slowest[6] = {-1, -1, -1, -1, -1, -1};
	size_t measured = 0, slow = 0, late = 0;
	struct finding_work work;

	for (const struct finding_node *i = builtin->list->first; i; i = i->next) {
		const struct finding *finding = &i->finding;
		double duration = (double)finding->duration / 1e6, limit;

		if (finding->rule->stage > 0 && finding->rule->stage <= 6 &&
			finding->verdict == VERDICT_FAIL && finding->duration >= 0) {
			/* Said by its own rule; but the others are not all quick. */
			limit = stage_limit(builtin->rule, finding->rule->stage);
			late += duration > limit;
		} else if (finding->rule->stage > 0 && finding->rule->stage <= 6 &&
			finding->verdict == VERDICT_PASS && finding->duration >= 0) {
			limit = stage_limit(builtin->rule, finding->rule->stage);
			measured++;
			if (duration > slowest[finding->rule->stage - 1])
				slowest[finding->rule->stage - 1] = duration;
			if (duration > limit) {
				add_slow(builtin, finding, limit);
				slow++;
			}
		}
		/* What is added stands behind it. */
		if (i == last)
			break;
	}
	if (measured == 0 || slow + late > 0)
		return;
	builtin_begin(builtin, &work);
	for (size_t i = 0; i < 6; i++) {
		static const char *const names[6] = {
			"stage1_s", "stage2_s", "stage3_s", "stage4_s", "stage5_s", "stage6_s"};

		if (slowest[i] >= 0)
			finding_number(&work, names[i], slowest[i]);
	}
	builtin_end(builtin, &work, VERDICT_PASS, NULL);
}
