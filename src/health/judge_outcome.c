#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "health/head.h"
#include "health/judge_private.h"

#define SAME_ATTEMPTS 4 /* looked back for the same finding */
#define CODE_SIZE 12

/* Evidence keeps its first lines and the latest. */
void attempt_note(struct attempt *attempt, uint32_t line)
{
	unsigned count = attempt->evidence_count;

	if (count > 0 && attempt->evidence[count - 1] == line)
		return;
	if (count < REPORT_EVIDENCE_MAXIMUM) {
		attempt->evidence[count] = line;
		attempt->evidence_count++;
	} else {
		attempt->evidence[count - 1] = line;
		attempt->evidence_more++;
	}
}

struct attempt *attempt_new(struct judge *judge, struct machine *machine, uint32_t line)
{
	struct attempt *attempt = arena_alloc(judge->moving, sizeof(*attempt));

	if (!attempt)
		return NULL;
	attempt->machine = machine;
	attempt->first = line;
	attempt->last = line;
	attempt->said = JUDGE_NOBODY;
	attempt->verdict = VERDICT_NO_EVIDENCE;
	attempt_note(attempt, line);
	return attempt;
}

static void drop_one(struct machine *machine)
{
	struct attempt *drop = machine->half;

	for (struct attempt *i = drop->next; i; i = i->next)
		if (i->verdict > drop->verdict)
			drop = i;
	if (drop == machine->half)
		machine->half = drop->next;
	drop->previous->next = drop->next;
	if (drop->next)
		drop->next->previous = drop->previous;
	else
		machine->last = drop->previous;
	machine->count--;
	machine->more++;
}

/* Adds it to its machine's; past JUDGE_ATTEMPTS one between the first and the last ones goes, a
 * failure after all others. */
static void attempt_keep(struct machine *machine, struct attempt *attempt)
{
	if (machine->count == JUDGE_ATTEMPTS)
		drop_one(machine);
	attempt->previous = machine->last;
	if (machine->last)
		machine->last->next = attempt;
	else
		machine->first = attempt;
	machine->last = attempt;
	machine->count++;
	if (machine->count == JUDGE_ATTEMPTS / 2 + 1)
		machine->half = attempt;
}

static void unlink_open(struct judge *judge, struct attempt *attempt)
{
	struct judge_track *track = &judge->tracks[attempt->machine->track];

	if (attempt->newer)
		attempt->newer->older = attempt->older;
	else
		track->newest_open = attempt->older;
	if (attempt->older)
		attempt->older->newer = attempt->newer;
	attempt->newer = NULL;
	attempt->older = NULL;
}

void attempt_end(struct judge *judge, struct attempt *attempt, uint32_t line)
{
	struct machine *machine = attempt->machine;

	assert(attempt->open && machine->open == attempt);
	unlink_open(judge, attempt);
	attempt->open = false;
	machine->open = NULL;
	if (line != JUDGE_NOBODY) {
		attempt->last = line;
		attempt->timed = judge_comparable(judge, attempt->first, line);
	}
	attempt_keep(machine, attempt);
}

void attempt_judge(struct attempt *attempt, enum verdict verdict, const struct rule_cause *cause)
{
	bool failed = verdict == VERDICT_FAIL;

	attempt->verdict = verdict;
	attempt->cause = failed && attempt->progress ? attempt->progress : cause;
}

struct said { /* by an outcome of a line */
	enum verdict verdict;
	const struct rule_cause *cause;
	bool exact; /* the line's own value chose the cause */
};

/* The cause of a failure is what was seen on the way, unless the line that ends it names one. */
static void judge_said(struct attempt *attempt, const struct rule_outcome *outcome,
	const struct said *said, uint32_t line)
{
	if (said->exact)
		attempt->progress = NULL;
	attempt->weak = outcome->weak;
	attempt->by = outcome->by;
	attempt->said = line;
	attempt_judge(attempt, said->verdict, said->cause);
}

static bool capture_text(const struct judge *judge, uint32_t line, const char *name,
	const char **ret_text, size_t *ret_length)
{
	const struct sighting *sighting = judge_line(judge, line);
	int index = template_find(judge->book->patterns[sighting->pattern]->template, name);

	if (index < 0)
		return false;
	*ret_text = sighting->matched + sighting->captures[index].at;
	*ret_length = sighting->captures[index].length;
	return true;
}

/* The return code of a line. */
static size_t code_text(const struct judge *judge, uint32_t line, char code[CODE_SIZE])
{
	const char *text = judge_line(judge, line)->text;
	struct head head;

	(void)head_read(text, strcspn(text, "\n"), &head);
	return (size_t)snprintf(code, CODE_SIZE, "%d", head.code);
}

/* What an outcome says of this line; false when it knows no cause for the captured value. */
static bool outcome_cause(const struct judge *judge, const struct rule *rule,
	const struct rule_outcome *outcome, uint32_t line, struct said *ret_said)
{
	const struct rule_cause *cause;
	char code[CODE_SIZE];
	const char *text;
	size_t length;

	*ret_said = (struct said){outcome->verdict, outcome->cause, false};
	if (!outcome->by)
		return true;
	if (strcmp(outcome->by, RULE_BY_CODE) == 0) {
		text = code;
		length = code_text(judge, line, code);
	} else if (!capture_text(judge, line, outcome->by, &text, &length)) {
		return false;
	}
	cause = rule_cause_by(rule, outcome->by, text, length);
	if (!cause)
		return false;
	ret_said->cause = cause;
	ret_said->exact = cause->value && strcmp(cause->value, "*") != 0;
	if (cause->verdict != VERDICT_COUNT)
		ret_said->verdict = cause->verdict;
	return true;
}

static bool is_seen(const struct judge *judge, const uint64_t *seen,
	const struct rule_pattern *const *patterns, size_t count)
{
	for (size_t i = 0; seen && i < count; i++) {
		int32_t bit = judge->seen_bit[patterns[i]->number];

		assert(bit >= 0);
		if (seen[bit / 64] >> (bit % 64) & 1)
			return true;
	}
	return false;
}

/* On this machine; but a log that has a line of the same rule answers for itself. */
static bool is_there(
	const struct judge *judge, uint32_t source, const struct rule_pattern *required)
{
	const uint64_t *own = judge->group_seen[judge->group[source]];
	const struct rule *rule = required->rule;

	for (size_t i = 0; own && i < rule->pattern_count; i++) {
		const struct rule_pattern *pattern = &rule->patterns[i];

		if (is_seen(judge, own, &pattern, 1))
			return is_seen(judge, own, &required, 1);
	}
	return is_seen(judge, judge->folder_seen[judge->folder[source]], &required, 1);
}

static bool outcome_counts(const struct judge *judge, const struct machine *machine,
	const struct rule_outcome *outcome, uint32_t line)
{
	const struct rule_pattern *const *unless =
		(const struct rule_pattern *const *)outcome->unless;

	if (!machine->open && outcome->open_only)
		return false;
	for (size_t i = 0; i < outcome->requires_count; i++)
		if (!is_there(judge, judge_line(judge, line)->source, outcome->requires[i]))
			return false;
	return !is_seen(judge, *machine->unit->seen, unless, outcome->unless_count);
}

static bool same_capture(const struct judge *judge, uint32_t a, uint32_t b, const char *name)
{
	const char *left, *right;
	size_t left_length, right_length;

	if (!name || !capture_text(judge, a, name, &left, &left_length) ||
		!capture_text(judge, b, name, &right, &right_length))
		return true;
	return left_length == right_length && memcmp(left, right, left_length) == 0;
}

static bool same_line(const struct sighting *a, const struct sighting *b)
{
	return a->source == b->source && a->line == b->line;
}

/* The session was connected anew between the two lines. */
static bool is_connected_between(
	const struct judge *judge, const struct unit *unit, uint32_t a, uint32_t b)
{
	uint32_t line = unit->connected;

	return line != JUDGE_NOBODY && line > a && line < b &&
		!same_line(judge_line(judge, line), judge_line(judge, a)) &&
		!same_line(judge_line(judge, line), judge_line(judge, b));
}

bool attempt_merges(const struct judge *judge, const struct attempt *attempt, uint32_t line)
{
	const struct rule_track *track = judge->tracks[attempt->machine->track].track;
	uint32_t latest = attempt->evidence[attempt->evidence_count - 1];

	return judge_close(judge, latest, line, track->merge) &&
		!is_connected_between(judge, attempt->machine->unit, latest, line) &&
		same_capture(judge, attempt->last, line, track->merge_by);
}

/* The very finding again, perhaps with others between. */
static bool merge_same(
	const struct judge *judge, struct attempt *last, const struct said *said, uint32_t line)
{
	for (unsigned i = 0; last && i < SAME_ATTEMPTS; i++, last = last->previous) {
		if (last->verdict == said->verdict && last->cause == said->cause &&
			attempt_merges(judge, last, line)) {
			attempt_note(last, line);
			last->said = line;
			return true;
		}
	}
	return false;
}

/* In a log without ids: the attempt and the line are of one server. */
static bool same_server(const struct attempt *attempt, uint32_t line)
{
	uint32_t anew = attempt->machine->unit->anew;

	return anew != JUDGE_NOBODY && attempt->first > anew && line > anew;
}

static bool earlier_server(const struct attempt *attempt)
{
	uint32_t anew = attempt->machine->unit->anew;

	return anew != JUDGE_NOBODY && attempt->last < anew;
}

/* The finding in other words: true when the last attempt takes it in. */
static bool merge_outcome(const struct judge *judge, struct attempt *last,
	const struct rule_outcome *outcome, const struct said *said, uint32_t line)
{
	bool same = same_server(last, line), near = same || attempt_merges(judge, last, line);

	if (merge_same(judge, last, said, line))
		return true;
	/* What worked and what did not are two things to say. */
	if (said->verdict == VERDICT_PASS || last->verdict == VERDICT_PASS)
		return false;
	if (last->weak && !outcome->weak &&
		(near || (last->opened && judge_close(judge, last->last, line, JUDGE_NEAR)))) {
		last->progress = NULL;
		judge_said(last, outcome, said, line);
		attempt_note(last, line);
		return true;
	}
	if (!near)
		return false;
	/* Two causes of one weight are two findings; but a server fails once. */
	if (!outcome->weak &&
		!(same && said->verdict == VERDICT_FAIL && last->verdict == VERDICT_FAIL))
		return false;
	attempt_note(last, line);
	return true;
}

static void note_pending(
	struct judge *judge, struct machine *machine, const struct rule_cause *cause, uint32_t line)
{
	struct attempt *pending = machine->pending;

	if (pending && !attempt_merges(judge, pending, line))
		pending = NULL;
	if (!pending)
		pending = attempt_new(judge, machine, line);
	if (!pending)
		return;
	attempt_note(pending, line);
	pending->last = line;
	pending->progress = cause;
	machine->pending = pending;
}

/* An outcome without an open attempt is one of its own, with the progress just before it. */
static void outcome_alone(struct judge *judge, struct machine *machine,
	const struct rule_outcome *outcome, const struct said *said, uint32_t line)
{
	struct attempt *last = machine->last, *attempt = machine->pending;

	if (last && earlier_server(last))
		last = NULL;
	if (last && last->verdict == VERDICT_PASS && said->verdict != VERDICT_PASS &&
		!outcome->after_pass)
		return;
	if (last && merge_outcome(judge, last, outcome, said, line))
		return;
	machine->pending = NULL;
	if (attempt && attempt_merges(judge, attempt, line))
		attempt_note(attempt, line);
	else
		attempt = attempt_new(judge, machine, line);
	if (!attempt)
		return;
	attempt->last = line;
	judge_said(attempt, outcome, said, line);
	attempt_keep(machine, attempt);
}

static void apply(struct judge *judge, struct machine *machine, const struct rule_outcome *outcome,
	const struct said *said, uint32_t line)
{
	struct attempt *open = machine->open;

	if (outcome->progress && open) {
		open->progress = said->cause;
		attempt_note(open, line);
	} else if (outcome->progress) {
		if (machine->last && attempt_merges(judge, machine->last, line))
			attempt_note(machine->last, line);
		else
			note_pending(judge, machine, said->cause, line);
	} else if (open) {
		attempt_note(open, line);
		judge_said(open, outcome, said, line);
		attempt_end(judge, open, line);
	} else {
		outcome_alone(judge, machine, outcome, said, line);
	}
}

void judge_outcome(struct judge *judge, struct machine *machine, const struct judge_track *track,
	uint32_t line)
{
	const struct rule_pattern *pattern =
		judge->book->patterns[judge_line(judge, line)->pattern];

	for (size_t i = 0; i < track->track->outcome_count; i++) {
		const struct rule_outcome *outcome = &track->track->outcomes[i];
		struct said said;

		if (!judge_has_pattern((const struct rule_pattern *const *)outcome->on,
			    outcome->on_count, pattern))
			continue;
		if (!outcome_counts(judge, machine, outcome, line) ||
			!outcome_cause(judge, track->rule, outcome, line, &said))
			continue;
		apply(judge, machine, outcome, &said, line);
		return;
	}
}
