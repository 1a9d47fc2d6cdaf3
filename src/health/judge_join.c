#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "health/judge_private.h"

/* Attempts of two tracks that begin this close are one, when their numbers do not tell. */
#define JOIN_NEAR 60000000

static const char no_beginning[] = "The log shows a part of it, but not how it began.";
static const char no_line[] = "The log has no line about this.";

/* The same attempt as several tracks tell it; in the order of the tracks. */
struct joined {
	struct joined *next;
	const struct attempt *first; /* of the track that is listed first */
	const struct attempt **attempts;
	size_t count;
};

struct joining {
	struct judge *judge;
	struct joined *list;
	size_t count;
	size_t tracks; /* of the rule */
};

static struct joined *joined_new(struct joining *joining, const struct attempt *attempt)
{
	struct arena *bench = joining->judge->bench;
	struct joined *joined = arena_alloc(bench, sizeof(*joined));

	if (!joined)
		return NULL;
	joined->attempts = arena_alloc(bench, joining->tracks * sizeof(joined->attempts[0]));
	if (!joined->attempts)
		return NULL;
	joined->first = attempt;
	joined->attempts[joined->count++] = attempt;
	return joined;
}

static void append(struct joining *joining, struct joined *joined)
{
	struct joined **end = &joining->list;

	if (!joined)
		return;
	while (*end)
		end = &(*end)->next;
	*end = joined;
	joining->count++;
}

static int64_t distance(const struct judge *judge, const struct attempt *a, const struct attempt *b)
{
	if (!judge_comparable(judge, a->first, b->first))
		return INT64_MAX;
	return llabs(judge_line(judge, a->first)->time - judge_line(judge, b->first)->time);
}

/* The attempt that begins nearest, of those that this track has not joined. */
static struct joined *nearest(
	const struct joining *joining, const struct attempt *attempt, int64_t within)
{
	struct joined *best = NULL;
	int64_t least = within;

	for (struct joined *i = joining->list; i; i = i->next) {
		int64_t away = distance(joining->judge, i->first, attempt);

		if (i->attempts[i->count - 1]->machine == attempt->machine || away > least)
			continue;
		best = i;
		least = away;
	}
	return best;
}

static void join_to(struct joining *joining, struct joined *joined, const struct attempt *attempt)
{
	if (joined)
		joined->attempts[joined->count++] = attempt;
	else
		append(joining, joined_new(joining, attempt));
}

static bool only_outcome(const struct attempt *attempts, size_t count)
{
	return count == 1 && !attempts->opened;
}

static void join_track(struct joining *joining, const struct machine *machine)
{
	size_t known = joining->count;
	struct joined *turn = joining->list;

	if (machine->count == known) {
		for (const struct attempt *i = machine->first; i; i = i->next, turn = turn->next) {
			assert(turn != NULL);
			join_to(joining, turn, i);
		}
	} else if (known > 0 && only_outcome(machine->first, machine->count)) {
		join_to(joining, nearest(joining, machine->first, INT64_MAX), machine->first);
	} else if (only_outcome(turn ? turn->first : NULL, known)) {
		const struct attempt *best = machine->first;

		for (const struct attempt *i = best; i; i = i->next)
			if (distance(joining->judge, turn->first, i) <
				distance(joining->judge, turn->first, best))
				best = i;
		for (const struct attempt *i = machine->first; i; i = i->next)
			join_to(joining, i == best ? turn : NULL, i);
	} else {
		for (const struct attempt *i = machine->first; i; i = i->next)
			join_to(joining, nearest(joining, i, JOIN_NEAR), i);
	}
}

/* The line that gave the cause has the last word: the cause's text is about it. */
static void add_lines(struct finding_work *work, const struct attempt *attempt)
{
	for (unsigned i = 0; i < attempt->evidence_count; i++) {
		finding_line(work, attempt->evidence[i]);
		finding_captures(work, attempt->evidence[i]);
	}
	if (attempt->said != JUDGE_NOBODY)
		finding_captures(work, attempt->said);
	work->more += attempt->evidence_more;
}

static const struct attempt *worst_of(const struct joined *joined)
{
	const struct attempt *worst = joined->first;

	for (size_t i = 1; i < joined->count; i++)
		if (joined->attempts[i]->verdict < worst->verdict)
			worst = joined->attempts[i];
	return worst;
}

static void fill_times(struct judge *judge, struct finding *finding, const struct attempt *attempt)
{
	const struct sighting *first = judge_line(judge, attempt->first);
	const struct sighting *last = judge_line(judge, attempt->last);
	bool ended = attempt->verdict != VERDICT_NO_EVIDENCE || attempt->unjudged;

	finding->start = first->time;
	finding->kind = judge->store->sources[first->source].kind;
	if (ended && (attempt->first != attempt->last || !attempt->opened || attempt->timed))
		finding->end = last->time;
	if (attempt->timed && attempt->first != attempt->last)
		finding->duration = last->time - first->time;
}

/* The value that chose the cause in hexadecimal, for a text that wants it. */
static void add_hex(struct finding_work *work, const struct attempt *attempt)
{
	char *name = arena_print(work->judge->arena, "%s_hex", attempt->by);
	char text[RULE_HEX_SIZE];

	if (!name || !attempt->cause || !strstr(attempt->cause->text, name))
		return;
	for (size_t i = 0; i < work->data_count; i++) {
		const char *value = work->data[i].value;

		if (strcmp(work->data[i].name, attempt->by) != 0)
			continue;
		if (rule_value_hex(value, strlen(value), text))
			finding_data(work, name, text, SIZE_MAX, false, false);
		return;
	}
}

static void add_name(struct finding_work *work, const struct attempt *attempt)
{
	if (attempt->by)
		add_hex(work, attempt);
	if (attempt->by && attempt->cause && attempt->cause->name) {
		char *name = arena_print(work->judge->arena, "%s_name", attempt->by);

		if (name)
			finding_data(work, name, attempt->cause->name, SIZE_MAX, false, false);
	}
}

static void add_finding(struct judge *judge, struct unit *unit, const struct rule *rule,
	const struct joined *joined, struct finding_list *list)
{
	const struct attempt *worst = worst_of(joined);
	struct finding_work work;

	finding_begin(&work, judge, unit, rule);
	for (size_t i = 0; i < joined->count; i++)
		if (joined->attempts[i] != worst)
			add_lines(&work, joined->attempts[i]);
	add_lines(&work, worst);
	add_name(&work, worst);
	fill_times(judge, &work.finding, worst);
	finding_cause(&work, worst->verdict, worst->cause);
	if (worst->verdict == VERDICT_NO_EVIDENCE)
		work.finding.cause_text = worst->reason;
	finding_end(&work, list);
}

/* What was seen without a beginning or an end. */
static void add_strays(struct judge *judge, struct unit *unit, const struct rule *rule,
	const struct attempt *stray, struct finding_list *list)
{
	struct finding_work work;

	finding_begin(&work, judge, unit, rule);
	add_lines(&work, stray);
	work.finding.start = judge_line(judge, stray->first)->time;
	work.finding.kind = judge->store->sources[judge_line(judge, stray->first)->source].kind;
	work.finding.cause_text = no_beginning;
	finding_end(&work, list);
}

static const struct machine *machine_of(const struct unit *unit, uint32_t track)
{
	const struct machine *machine = unit->machines;

	while (machine && machine->track != track)
		machine = machine->next;
	return machine;
}

void judge_join(struct judge *judge, struct unit *unit, uint32_t number, struct finding_list *list)
{
	const struct rule *rule = judge->book->rules[number];
	struct joining joining = {.judge = judge, .tracks = rule->track_count};
	const struct attempt *stray = NULL;

	for (uint32_t i = 0; i < rule->track_count; i++) {
		const struct machine *machine = machine_of(unit, judge->first_track[number] + i);

		if (!machine)
			continue;
		if (machine->first)
			join_track(&joining, machine);
		if (!stray)
			stray = machine->pending ? machine->pending : machine->stray;
	}
	for (const struct joined *i = joining.list; i; i = i->next)
		add_finding(judge, unit, rule, i, list);
	/* Among lines that belong to nobody, a part says nothing. */
	if (!joining.list && stray &&
		(unit->session != STORE_HOST || rule->scope == RULE_SCOPE_HOST))
		add_strays(judge, unit, rule, stray, list);
}

void judge_nothing(
	struct judge *judge, struct unit *unit, uint32_t number, struct finding_list *list)
{
	finding_none(judge, unit, judge->book->rules[number], no_line, list);
}
