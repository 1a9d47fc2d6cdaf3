#include <assert.h>

#include "health/judge_private.h"

static const char new_attempt[] = "A new attempt began before this one ended.";
static const char log_ends[] = "The log ends too early to tell.";
static const char no_end[] = "The log shows how it began, but not how it ended.";
static const char set_back[] = "The clock was set back within the log.";
static const char no_times[] = "The lines carry no time, so the limits could not be judged.";

bool judge_has_pattern(
	const struct rule_pattern *const *on, size_t count, const struct rule_pattern *pattern)
{
	for (size_t i = 0; i < count; i++)
		if (on[i] == pattern)
			return true;
	return false;
}

static bool step_has(const struct rule_step *step, const struct rule_pattern *pattern)
{
	return judge_has_pattern(
		(const struct rule_pattern *const *)step->on, step->on_count, pattern);
}

/* The step from `next` on that this pattern is, and that may be taken; step_count: none. */
static size_t step_from(
	const struct rule_track *track, size_t next, const struct rule_pattern *pattern)
{
	bool skipped = false;

	for (size_t i = next; i < track->step_count; i++) {
		if ((!skipped || track->steps[i].alone) && step_has(&track->steps[i], pattern))
			return i;
		if (!track->steps[i].optional)
			skipped = true;
	}
	return track->step_count;
}

static bool is_step(const struct rule_track *track, const struct rule_pattern *pattern)
{
	for (size_t i = 0; i < track->step_count; i++)
		if (step_has(&track->steps[i], pattern))
			return true;
	return false;
}

static bool outcome_has(const struct rule_outcome *outcome, const struct rule_pattern *pattern)
{
	return judge_has_pattern(
		(const struct rule_pattern *const *)outcome->on, outcome->on_count, pattern);
}

static bool is_outcome(const struct rule_track *track, const struct rule_pattern *pattern)
{
	for (size_t i = 0; i < track->outcome_count; i++)
		if (outcome_has(&track->outcomes[i], pattern))
			return true;
	return false;
}

bool judge_refuses(const struct judge *judge, uint32_t track, const struct rule_pattern *pattern)
{
	const struct rule_track *refusing = judge->tracks[track].track;

	for (size_t i = 0; i < refusing->outcome_count; i++)
		if (!refusing->outcomes[i].progress &&
			refusing->outcomes[i].verdict == VERDICT_FAIL &&
			outcome_has(&refusing->outcomes[i], pattern))
			return true;
	return false;
}

bool judge_same_step(const struct judge *judge, uint32_t track, uint16_t a, uint16_t b)
{
	const struct rule_track *both = judge->tracks[track].track;
	const struct rule_pattern *left = judge->book->patterns[a],
				  *right = judge->book->patterns[b];

	for (size_t i = 0; i < both->step_count; i++)
		if (step_has(&both->steps[i], left))
			return step_has(&both->steps[i], right);
	for (size_t i = 0; i < both->outcome_count; i++)
		if (outcome_has(&both->outcomes[i], left) && outcome_has(&both->outcomes[i], right))
			return true;
	return judge_refuses(judge, track, left) && judge_refuses(judge, track, right);
}

bool judge_next_step(const struct judge *judge, const struct attempt *attempt,
	const struct rule_pattern *pattern)
{
	const struct rule_track *track = judge->tracks[attempt->machine->track].track;

	return step_from(track, attempt->next_step, pattern) < track->step_count;
}

bool judge_opens(const struct judge *judge, uint32_t track, const struct rule_pattern *pattern)
{
	const struct rule_track *opened = judge->tracks[track].track;

	return opened->step_count > 0 && step_has(&opened->steps[0], pattern);
}

bool judge_awaits(const struct judge *judge, const struct attempt *attempt,
	const struct rule_pattern *pattern)
{
	return attempt->open &&
		(judge_next_step(judge, attempt, pattern) ||
			is_outcome(judge->tracks[attempt->machine->track].track, pattern));
}

/* Nothing that is needed is missing from `next` on. */
static bool is_complete(const struct rule_track *track, size_t next)
{
	for (size_t i = next; i < track->step_count; i++)
		if (!track->steps[i].optional)
			return false;
	return true;
}

/* The earliest limit of the steps that are missing; 0: none. */
static int64_t missing_limit(const struct rule_track *track, size_t next)
{
	int64_t limit = 0;

	for (size_t i = next; i < track->step_count; i++) {
		const struct rule_step *step = &track->steps[i];

		if (!step->optional && step->within > 0 && (limit == 0 || step->within < limit))
			limit = step->within;
	}
	return limit;
}

bool judge_begins_again(const struct judge *judge, const struct unit *unit, uint32_t track,
	const struct rule_pattern *pattern)
{
	if (!judge_opens(judge, track, pattern))
		return false;
	for (const struct machine *i = unit->machines; i; i = i->next)
		if (i->track == track)
			return i->first || i->open;
	return false;
}

static struct machine *machine_of(struct judge *judge, struct unit *unit, uint32_t track)
{
	struct machine *machine = unit->machines;

	while (machine && machine->track != track)
		machine = machine->next;
	if (machine)
		return machine;
	machine = arena_alloc(judge->moving, sizeof(*machine));
	if (!machine)
		return NULL;
	machine->track = track;
	machine->unit = unit;
	machine->next = unit->machines;
	unit->machines = machine;
	return machine;
}

static void end_without_evidence(struct judge *judge, struct attempt *attempt, const char *reason)
{
	attempt->verdict = VERDICT_NO_EVIDENCE;
	attempt->cause = NULL;
	attempt->reason = reason;
	attempt_end(judge, attempt, JUDGE_NOBODY);
}

static void end_never(struct judge *judge, struct attempt *attempt)
{
	const struct rule_outcome *never = judge->tracks[attempt->machine->track].track->never;

	attempt_judge(attempt, never->verdict, never->cause);
	attempt_end(judge, attempt, JUDGE_NOBODY);
}

/* A new attempt begins while this one is open. */
static void supersede(struct judge *judge, struct attempt *attempt, uint32_t line)
{
	const struct rule_track *track = judge->tracks[attempt->machine->track].track;
	int64_t limit = missing_limit(track, attempt->next_step);

	if (judge->set_back[attempt->first])
		end_without_evidence(judge, attempt, set_back);
	else if (track->never && limit > 0 && judge_comparable(judge, attempt->first, line) &&
		judge_line(judge, line)->time - judge_line(judge, attempt->first)->time > limit)
		end_never(judge, attempt);
	else
		end_without_evidence(judge, attempt, new_attempt);
}

static void pass(struct judge *judge, struct attempt *attempt, uint32_t line)
{
	attempt->verdict = attempt->unjudged ? VERDICT_NO_EVIDENCE : VERDICT_PASS;
	attempt->reason = attempt->unjudged ? no_times : NULL;
	attempt->cause = NULL;
	attempt_end(judge, attempt, line);
}

static struct attempt *open_attempt(struct judge *judge, struct machine *machine, uint32_t line)
{
	struct judge_track *track = &judge->tracks[machine->track];
	struct attempt *attempt = attempt_new(judge, machine, line);

	if (!attempt)
		return NULL;
	attempt->open = true;
	attempt->older = track->newest_open;
	if (attempt->older)
		attempt->older->newer = attempt;
	track->newest_open = attempt;
	machine->open = attempt;
	return attempt;
}

static void take_opening(struct judge *judge, struct machine *machine, uint32_t line)
{
	const struct rule_track *track = judge->tracks[machine->track].track;
	struct attempt *last = machine->last;
	bool single = is_complete(track, 1);

	if (machine->open && judge_close(judge, machine->open->first, line, JUDGE_SAME_OPENING))
		return;
	if (!machine->open && last && last->opened && judge_comparable(judge, last->first, line) &&
		judge_close(judge, last->first, line, JUDGE_SAME_OPENING))
		return;
	if (single && last && last->verdict == VERDICT_PASS && attempt_merges(judge, last, line)) {
		attempt_note(last, line);
		return;
	}
	if (machine->open)
		supersede(judge, machine->open, line);
	machine->pending = NULL;
	if (!open_attempt(judge, machine, line))
		return;
	machine->open->opened = true;
	machine->open->next_step = 1;
	if (single)
		pass(judge, machine->open, line);
}

static void take_open_step(struct judge *judge, struct attempt *attempt, size_t step, uint32_t line)
{
	const struct rule_track *track = judge->tracks[attempt->machine->track].track;
	int64_t within = track->steps[step].within;

	attempt_note(attempt, line);
	attempt->next_step = (unsigned)step + 1;
	if (within > 0 && !judge_comparable(judge, attempt->first, line)) {
		attempt->unjudged = true;
	} else if (within > 0 && track->late &&
		judge_line(judge, line)->time - judge_line(judge, attempt->first)->time > within) {
		attempt->late = true;
		/* It came: what was missing on the way is not why. */
		attempt->progress = NULL;
		attempt_judge(attempt, track->late->verdict, track->late->cause);
		attempt_end(judge, attempt, line);
		return;
	}
	if (is_complete(track, attempt->next_step))
		pass(judge, attempt, line);
}

/* All its steps came. */
static bool is_through(const struct attempt *attempt)
{
	return attempt->late || attempt->unjudged || attempt->verdict == VERDICT_PASS;
}

/* A step that needs no other: an attempt of its own, or the last one told again. */
static void take_alone(struct judge *judge, struct machine *machine, size_t step, uint32_t line)
{
	struct attempt *last = machine->last;

	if (last && is_through(last) && attempt_merges(judge, last, line)) {
		attempt_note(last, line);
		return;
	}
	if (!open_attempt(judge, machine, line))
		return;
	machine->open->next_step = (unsigned)step + 1;
	pass(judge, machine->open, line);
}

/* After the end: what still belongs to the last attempt is noted with it. */
static bool note_after(struct judge *judge, struct attempt *last, const struct rule_track *track,
	const struct rule_pattern *pattern, uint32_t line)
{
	size_t step = step_from(track, last->next_step, pattern);

	if (step < track->step_count && is_through(last) &&
		judge_close(judge, last->last, line, JUDGE_NEAR)) {
		last->next_step = (unsigned)step + 1;
		attempt_note(last, line);
		return true;
	}
	return false;
}

static void note_stray(struct judge *judge, struct machine *machine, uint32_t line)
{
	/* After an attempt, it is more of the same. */
	if (machine->last || machine->more > 0)
		return;
	if (!machine->stray)
		machine->stray = attempt_new(judge, machine, line);
	else
		attempt_note(machine->stray, line);
}

static void take_step(struct judge *judge, struct machine *machine,
	const struct rule_pattern *pattern, uint32_t line)
{
	const struct rule_track *track = judge->tracks[machine->track].track;
	struct attempt *open = machine->open;
	size_t step;

	if (open) {
		step = step_from(track, open->next_step, pattern);
		if (step < track->step_count)
			take_open_step(judge, open, step, line);
		else if (step_has(&track->steps[0], pattern))
			take_opening(judge, machine, line);
		else if (step_from(track, 1, pattern) < open->next_step)
			attempt_note(open, line);
		return;
	}
	if (step_has(&track->steps[0], pattern)) {
		take_opening(judge, machine, line);
		return;
	}
	if (machine->last && note_after(judge, machine->last, track, pattern, line))
		return;
	for (step = 1; step < track->step_count; step++) {
		if (track->steps[step].alone && step_has(&track->steps[step], pattern)) {
			take_alone(judge, machine, step, line);
			return;
		}
	}
	note_stray(judge, machine, line);
}

void judge_take(struct judge *judge, struct unit *unit, uint32_t track, uint32_t line)
{
	const struct judge_track *taking = &judge->tracks[track];
	const struct rule_pattern *pattern =
		judge->book->patterns[judge_line(judge, line)->pattern];
	struct machine *machine = machine_of(judge, unit, track);

	if (!machine)
		return;
	if (is_step(taking->track, pattern))
		take_step(judge, machine, pattern, line);
	else
		judge_outcome(judge, machine, taking, line);
}

/* A server's log may begin a moment after the line that starts it. */
#define JUST_OPENED 10000000

void judge_anew(struct judge *judge, struct unit *unit, uint32_t line)
{
	for (struct machine *i = unit->machines; i; i = i->next) {
		if (i->open && !judge_close(judge, i->open->first, line, JUST_OPENED))
			supersede(judge, i->open, line);
		if (!i->open)
			i->pending = NULL;
	}
	unit->anew = line;
}

/* The own log goes on past the limit. */
static bool is_past_limit(const struct judge *judge, const struct attempt *attempt, int64_t limit)
{
	int64_t last = judge_side_last(judge, attempt->machine->unit, attempt->first);

	return last != STAMP_NONE && last - judge_line(judge, attempt->first)->time > limit;
}

static void finish_attempt(struct judge *judge, struct attempt *attempt)
{
	const struct judge_track *track = &judge->tracks[attempt->machine->track];
	int64_t limit = missing_limit(track->track, attempt->next_step);

	if (judge_line(judge, attempt->first)->time == STAMP_NONE)
		end_without_evidence(judge, attempt, track->limits ? no_times : no_end);
	else if (judge->set_back[attempt->first])
		end_without_evidence(judge, attempt, set_back);
	else if (limit == 0 || !track->track->never)
		end_without_evidence(judge, attempt, no_end);
	else if (is_past_limit(judge, attempt, limit))
		end_never(judge, attempt);
	else
		end_without_evidence(judge, attempt, log_ends);
}

void judge_finish(struct judge *judge, struct unit *unit)
{
	for (struct machine *machine = unit->machines; machine; machine = machine->next) {
		if (machine->open)
			finish_attempt(judge, machine->open);
		assert(!machine->open);
	}
}
