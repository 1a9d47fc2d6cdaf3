#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "health/rule_private.h"

#define MERGE_DEFAULT (2 * CLOCK_SECOND)
#define TEN_YEARS (3652 * 86400.0)

static int duration_of(const char *text, int64_t *ret_duration)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {
		{"ms", 0.001},
		{"s", 1},
		{"min", 60},
		{"h", 3600},
		{"day", 86400},
		{"days", 86400},
	};
	size_t digits = strspn(text, "0123456789.");
	const char *unit = text + digits + strspn(text + digits, " ");
	char *end;
	double number;

	if (digits == 0 || digits > 12 || *text == '.')
		return ERROR_INPUT;
	number = strtod(text, &end);
	if (end != text + digits)
		return ERROR_INPUT;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		double seconds = number * units[i].seconds;

		if (strcmp(unit, units[i].name) != 0)
			continue;
		if (!(seconds > 0 && seconds <= TEN_YEARS))
			return ERROR_INPUT;
		*ret_duration = (int64_t)(seconds * (double)CLOCK_SECOND + 0.5);
		return 0;
	}
	return ERROR_INPUT;
}

static int read_duration(const struct rule_resolver *resolver, const char *place, const char *key,
	const char *text, int64_t *ret_duration)
{
	char path[RULE_PATH_SIZE];

	if (!text || duration_of(text, ret_duration) == 0)
		return 0;
	rule_path(path, "%s.%s", place, key);
	return rule_source_fault(resolver->source, resolver->fault, path,
		"'%s' is no duration; expected for example 5 s, 250 ms, 1 min, 2 h or 30 days",
		text);
}

static int resolve_step(const struct rule_resolver *resolver, const struct rule_file_step *from,
	const char *place, struct rule_step *step)
{
	int error;

	step->id = from->id;
	step->on_count = from->on_count;
	step->optional = from->optional;
	step->alone = from->alone;
	error = read_duration(resolver, place, "within", from->within, &step->within);
	if (error != 0)
		return error;
	return rule_resolve_list(resolver, place, "on", from->on, from->on_count, &step->on);
}

static int check_first_step(
	const struct rule_resolver *resolver, const struct rule_file_step *first, const char *place)
{
	const char *wrong = first->within ? "within" : first->optional ? "optional" : NULL;
	char path[RULE_PATH_SIZE];

	if (first->alone)
		wrong = "alone";
	if (!wrong)
		return 0;
	rule_path(path, "%s.steps[0].%s", place, wrong);
	return rule_source_fault(resolver->source, resolver->fault, path,
		"the first step opens the attempt; expected '%s' with a later one", wrong);
}

static int resolve_steps(const struct rule_resolver *resolver, const struct rule_file_track *from,
	const char *place, struct rule_track *track)
{
	char path[RULE_PATH_SIZE];
	int error = 0;

	rule_path(path, "%s.steps", place);
	if (from->steps_count > RULE_STEPS_MAXIMUM)
		return rule_source_fault(resolver->source, resolver->fault, path,
			"%u steps; expected at most %d", from->steps_count, RULE_STEPS_MAXIMUM);
	if (from->steps_count > 0)
		error = check_first_step(resolver, &from->steps[0], place);
	if (error != 0)
		return error;
	track->steps =
		arena_alloc(resolver->holder->arena, from->steps_count * sizeof(*track->steps));
	if (!track->steps)
		return ERROR_MEMORY;
	for (unsigned i = 0; i < from->steps_count; i++) {
		rule_path(path, "%s.steps[%u]", place, i);
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(track->steps[j].id, from->steps[i].id) == 0)
				return rule_source_fault(resolver->source, resolver->fault, path,
					"there is a step '%s' already", from->steps[i].id);
		}
		error = resolve_step(resolver, &from->steps[i], path, &track->steps[i]);
		if (error != 0)
			return error;
		track->step_count++;
	}
	return 0;
}

static bool has_choice(const struct rule *rule, const char *by)
{
	for (size_t i = 0; i < rule->cause_count; i++) {
		const struct rule_cause *cause = &rule->causes[i];

		if (cause->value && (!cause->by || strcmp(cause->by, by) == 0))
			return true;
	}
	return false;
}

/* A capture that chooses the cause must be in each pattern, and choose something. */
static int check_by(
	const struct rule_resolver *resolver, const struct rule_outcome *outcome, const char *place)
{
	const struct rule *rule = resolver->source->rule;
	char path[RULE_PATH_SIZE];

	rule_path(path, "%s.by", place);
	for (size_t i = 0; i < outcome->on_count; i++) {
		if (strcmp(outcome->by, RULE_BY_CODE) != 0 &&
			template_find(outcome->on[i]->template, outcome->by) < 0)
			return rule_source_fault(resolver->source, resolver->fault, path,
				"the pattern '%s' captures no '%s'", outcome->on[i]->id,
				outcome->by);
	}
	if (has_choice(rule, outcome->by))
		return 0;
	return rule_source_fault(resolver->source, resolver->fault, path,
		"no cause has a 'value'; expected some to choose from");
}

static int check_outcome(const struct rule_resolver *resolver, const struct rule_file_outcome *from,
	const struct rule_outcome *outcome, const char *place)
{
	if (from->cause && from->by)
		return rule_source_fault(resolver->source, resolver->fault, place,
			"both 'cause' and 'by'; expected one of them");
	if (from->result == 0 && !from->progress)
		return rule_source_fault(resolver->source, resolver->fault, place,
			"missing key 'result'; expected it with one word");
	if (from->result != 0 && from->progress)
		return rule_source_fault(resolver->source, resolver->fault, place,
			"'result' with 'progress', which ends nothing; expected one of them");
	if (outcome->verdict != VERDICT_PASS && !from->cause && !from->by)
		return rule_source_fault(resolver->source, resolver->fault, place,
			"there is no cause; expected one");
	return from->by ? check_by(resolver, outcome, place) : 0;
}

static int resolve_outcome(const struct rule_resolver *resolver,
	const struct rule_file_outcome *from, const char *place, struct rule_outcome *outcome)
{
	int error;

	*outcome = (struct rule_outcome){
		.on_count = from->on_count,
		.verdict = from->result == 0 ? VERDICT_FAIL : (enum verdict)(from->result - 1),
		.by = from->by,
		.open_only = from->open_only,
		.weak = from->weak,
		.after_pass = from->after_pass,
		.progress = from->progress,
		.requires_count = from->requires_count,
		.unless_count = from->unless_count,
	};
	error = rule_resolve_list(resolver, place, "on", from->on, from->on_count, &outcome->on);
	if (error == 0)
		error = rule_resolve_list(resolver, place, "requires", from->requires,
			from->requires_count, &outcome->requires);
	if (error == 0)
		error = rule_resolve_list(resolver, place, "unless", from->unless,
			from->unless_count, &outcome->unless);
	if (error == 0)
		error = rule_resolve_cause(resolver, place, "cause", from->cause, &outcome->cause);
	return error == 0 ? check_outcome(resolver, from, outcome, place) : error;
}

static int resolve_outcomes(const struct rule_resolver *resolver,
	const struct rule_file_track *from, const char *place, struct rule_track *track)
{
	char path[RULE_PATH_SIZE];

	track->outcomes = arena_alloc(
		resolver->holder->arena, from->outcomes_count * sizeof(*track->outcomes));
	if (!track->outcomes)
		return ERROR_MEMORY;
	track->outcome_count = from->outcomes_count;
	for (unsigned i = 0; i < from->outcomes_count; i++) {
		int error;

		rule_path(path, "%s.outcomes[%u]", place, i);
		error = resolve_outcome(resolver, &from->outcomes[i], path, &track->outcomes[i]);
		if (error != 0)
			return error;
	}
	return 0;
}

/* `late` and `never` */
static int resolve_limit_outcome(const struct rule_resolver *resolver,
	const struct rule_file_outcome *from, const char *place, const char *key,
	const struct rule_track *track, const struct rule_outcome **ret_outcome)
{
	struct rule_outcome *outcome;
	char path[RULE_PATH_SIZE];
	bool limited = false;
	int error;

	if (!from)
		return 0;
	rule_path(path, "%s.%s", place, key);
	for (size_t i = 0; i < track->step_count; i++)
		limited = limited || track->steps[i].within != 0;
	if (!limited)
		return rule_source_fault(resolver->source, resolver->fault, path,
			"no step has a limit; expected 'within' with one of them");
	outcome = arena_alloc(resolver->holder->arena, sizeof(*outcome));
	if (!outcome)
		return ERROR_MEMORY;
	error = resolve_outcome(resolver, from, path, outcome);
	if (error == 0)
		*ret_outcome = outcome;
	return error;
}

static int check_merge_by(
	const struct rule_resolver *resolver, const struct rule_track *track, const char *place)
{
	char path[RULE_PATH_SIZE];

	if (!track->merge_by)
		return 0;
	for (size_t i = 0; i < track->outcome_count; i++) {
		const struct rule_outcome *outcome = &track->outcomes[i];

		for (size_t j = 0; j < outcome->on_count; j++) {
			if (template_find(outcome->on[j]->template, track->merge_by) >= 0)
				return 0;
		}
	}
	rule_path(path, "%s.merge-by", place);
	return rule_source_fault(resolver->source, resolver->fault, path,
		"no pattern of an outcome captures '%s'", track->merge_by);
}

static int resolve_track(const struct rule_resolver *resolver, const struct rule_file_track *from,
	const char *place, struct rule_track *track)
{
	int error;

	if (from->steps_count == 0 && from->outcomes_count == 0)
		return rule_source_fault(resolver->source, resolver->fault, place,
			"there is nothing to see; expected 'steps' or 'outcomes'");
	if (strcmp(from->id, "host") != 0 && strcmp(from->id, "client") != 0 &&
		strcmp(from->id, "manager") != 0 && strcmp(from->id, "broker") != 0 &&
		strcmp(from->id, "license") != 0)
		return rule_source_fault(resolver->source, resolver->fault, place,
			"'%s' writes no logs; expected host, client, manager, broker or license",
			from->id);
	track->id = from->id;
	track->merge = MERGE_DEFAULT;
	track->merge_by = from->merge_by;
	error = read_duration(resolver, place, "merge", from->merge, &track->merge);
	if (error == 0)
		error = resolve_steps(resolver, from, place, track);
	if (error == 0)
		error = resolve_outcomes(resolver, from, place, track);
	if (error == 0)
		error = resolve_limit_outcome(
			resolver, from->late, place, "late", track, &track->late);
	if (error == 0)
		error = resolve_limit_outcome(
			resolver, from->never, place, "never", track, &track->never);
	return error == 0 ? check_merge_by(resolver, track, place) : error;
}

int rule_track_resolve(const struct rule_resolver *resolver, const struct rule_file *from)
{
	struct rule *rule = resolver->source->rule;
	char path[RULE_PATH_SIZE];

	rule->tracks =
		arena_alloc(resolver->holder->arena, from->tracks_count * sizeof(*rule->tracks));
	if (!rule->tracks)
		return ERROR_MEMORY;
	for (unsigned i = 0; i < from->tracks_count; i++) {
		int error;

		rule_path(path, "tracks[%u]", i);
		error = resolve_track(resolver, &from->tracks[i], path, &rule->tracks[i]);
		if (error != 0)
			return error;
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(rule->tracks[j].id, rule->tracks[i].id) == 0)
				return rule_source_fault(resolver->source, resolver->fault, path,
					"there is a track '%s' already", rule->tracks[i].id);
		}
		rule->track_count++;
	}
	return 0;
}
