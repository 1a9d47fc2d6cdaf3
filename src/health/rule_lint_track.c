#include "health/rule_lint_private.h"

#define PARTS_OF_LIMIT (2 * RULE_STEPS_MAXIMUM)

static int64_t pace_of(const struct rule_track *track)
{
	int64_t pace = LINT_SECOND;

	for (size_t i = 0; i < track->step_count; i++) {
		int64_t within = track->steps[i].within;

		if (within > 0 && within / PARTS_OF_LIMIT < pace)
			pace = within / PARTS_OF_LIMIT;
	}
	return pace;
}

const char *proof_sample(const struct rule_pattern *pattern)
{
	return pattern->sample_count > 0 ? pattern->samples[0] : "";
}

void proof_add(const struct proof *proof, const char *sample)
{
	lint_add(proof->lint, sample);
	proof->lint->time += proof->pace;
}

void proof_add_steps(const struct proof *proof, size_t count)
{
	for (size_t i = 0; i < count; i++)
		proof_add(proof, proof_sample(proof->track->steps[i].on[0]));
}

bool proof_opens(const struct rule_track *track)
{
	for (size_t i = 1; i < track->step_count; i++) {
		if (!track->steps[i].optional)
			return true;
	}
	return false;
}

/* All steps in order, one of them told by this pattern. */
static void prove_step(const struct proof *proof, size_t index, const struct rule_pattern *pattern)
{
	const struct rule_track *track = proof->track;
	char part[LINT_PART];

	lint_begin(proof->lint);
	for (size_t i = 0; i < track->step_count; i++)
		proof_add(proof, proof_sample(i == index ? pattern : track->steps[i].on[0]));
	if (!lint_judge(proof->lint))
		return;
	lint_part(part, "%s/%s/%s", track->id, track->steps[index].id, pattern->id);
	lint_expect(proof->lint, part, "the steps in order", VERDICT_PASS, NULL);
}

static void prove_alone(const struct proof *proof, const struct rule_step *step)
{
	char part[LINT_PART];

	lint_begin(proof->lint);
	proof_add(proof, proof_sample(step->on[0]));
	if (!lint_judge(proof->lint))
		return;
	lint_part(part, "%s/%s", proof->track->id, step->id);
	lint_expect(proof->lint, part, "this step alone", VERDICT_PASS, NULL);
}

static void prove_late(const struct proof *proof, size_t index)
{
	const struct rule_track *track = proof->track;
	const struct rule_step *step = &track->steps[index];
	char part[LINT_PART];
	int64_t begin;

	lint_begin(proof->lint);
	begin = proof->lint->time;
	proof_add_steps(proof, index);
	proof->lint->time = begin + step->within + LINT_SECOND;
	proof_add(proof, proof_sample(step->on[0]));
	if (!lint_judge(proof->lint))
		return;
	lint_part(part, "%s/%s", track->id, step->id);
	lint_expect(proof->lint, part, "a step after its limit", track->late->verdict,
		track->late->cause);
}

int64_t proof_limit(const struct rule_track *track, size_t index)
{
	int64_t limit = 0;

	for (size_t i = index; i < track->step_count; i++) {
		if (!track->steps[i].optional && track->steps[i].within > limit)
			limit = track->steps[i].within;
	}
	return limit;
}

/* The attempt stops before this step, the log does not. */
static void prove_never(const struct proof *proof, size_t index)
{
	const struct rule_track *track = proof->track;
	char part[LINT_PART];
	int64_t begin;

	lint_begin(proof->lint);
	begin = proof->lint->time;
	proof_add_steps(proof, index);
	proof->lint->time = begin + proof_limit(track, index) + LINT_SECOND;
	lint_add_other(proof->lint);
	if (!lint_judge(proof->lint))
		return;
	lint_part(part, "%s/%s", track->id, track->steps[index].id);
	lint_expect(proof->lint, part, "a step that never comes", track->never->verdict,
		track->never->cause);
}

static void prove_steps(const struct proof *proof)
{
	const struct rule_track *track = proof->track;
	char part[LINT_PART];

	for (size_t i = 0; proof->lint->error == 0 && i < track->step_count; i++) {
		const struct rule_step *step = &track->steps[i];

		for (size_t j = 0; proof->lint->error == 0 && j < step->on_count; j++)
			prove_step(proof, i, step->on[j]);
		if (step->alone)
			prove_alone(proof, step);
		if (step->within > 0 && track->late)
			prove_late(proof, i);
		if (i > 0 && !step->optional && track->never && proof_limit(track, i) > 0)
			prove_never(proof, i);
		lint_part(part, "%s/%s", track->id, step->id);
		if (step->within > 0 && !track->late && !track->never)
			lint_fault(proof->lint, part,
				"a limit, but neither 'late' nor 'never' says what follows");
	}
}

void lint_tracks(struct lint *lint)
{
	for (size_t i = 0; lint->error == 0 && i < lint->rule->track_count; i++) {
		const struct rule_track *track = &lint->rule->tracks[i];
		struct proof proof = {.lint = lint, .track = track, .pace = pace_of(track)};

		prove_steps(&proof);
		for (size_t j = 0; lint->error == 0 && j < track->outcome_count; j++)
			lint_outcome(&proof, j);
	}
}
