#include "health/judge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/judge_builtin.h"
#include "health/judge_private.h"

static void keep_line(struct judge *judge, struct unit *unit, uint32_t rule, uint32_t line)
{
	struct judge_kept *kept = arena_alloc(judge->moving, sizeof(*kept));

	if (!kept)
		return;
	kept->rule = rule;
	kept->line = line;
	if (unit->kept_last)
		unit->kept_last->next = kept;
	else
		unit->kept = kept;
	unit->kept_last = kept;
}

static void see(struct judge *judge, uint64_t **seen, uint16_t pattern)
{
	int32_t bit = judge->seen_bit[pattern];

	if (bit < 0)
		return;
	if (!*seen)
		*seen = arena_alloc(judge->scratch, judge->seen_words * sizeof(**seen));
	if (*seen)
		(*seen)[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static void begin_anew(struct judge *judge, uint32_t line)
{
	const struct sighting *sighting = judge_line(judge, line);
	struct unit *unit;

	if (sighting->session == STORE_HOST || judge->store->sessions[sighting->session].has_id)
		return;
	unit = judge_session_unit(judge, sighting->session);
	if (unit)
		judge_anew(judge, unit, line);
}

static void take_line(struct judge *judge, uint32_t line)
{
	const struct sighting *sighting = judge_line(judge, line);
	uint32_t first = judge->first_use[sighting->pattern];
	uint32_t owner = judge_owner(judge, line);

	see(judge, &judge->folder_seen[judge->folder[sighting->source]], sighting->pattern);
	see(judge, &judge->group_seen[judge->group[sighting->source]], sighting->pattern);
	if (judge->begins[sighting->pattern])
		begin_anew(judge, line);
	for (uint32_t i = 0; i < judge->use_count[sighting->pattern]; i++) {
		const struct judge_use *use = &judge->uses[first + i];
		struct unit *unit = judge_unit(judge, use, line, owner);

		if (!unit)
			continue;
		see(judge, unit->seen, sighting->pattern);
		judge_place_line(judge, unit, line);
		if (use->track == JUDGE_BUILTIN)
			keep_line(judge, unit, use->rule, line);
		else if (use->track != JUDGE_ASKED)
			judge_take(judge, unit, use->track, line);
	}
}

static void pass_over(struct judge *judge)
{
	judge_begin(judge);
	for (size_t i = 0; i < judge->store->sighting_count; i++)
		take_line(judge, (uint32_t)i);
	for (size_t i = 0; i < judge->unit_count; i++)
		if (judge->units[i])
			judge_finish(judge, judge->units[i]);
}

static void add_series(struct judge *judge, struct unit *unit, const struct series *series)
{
	struct judge_series *added = arena_alloc(judge->moving, sizeof(*added));

	if (!unit || !added)
		return;
	added->series = series;
	if (unit->series_last)
		unit->series_last->next = added;
	else
		unit->series = added;
	unit->series_last = added;
}

static enum rule_scope scope_of(const struct judge *judge, const struct rule_measure *measure)
{
	for (size_t i = 0; i < judge->book->rule_count; i++) {
		const struct rule *rule = judge->book->rules[i];

		if (rule->measure_count > 0 && measure >= rule->measures &&
			measure < rule->measures + rule->measure_count)
			return rule->scope;
	}
	return RULE_SCOPE_SESSION;
}

static void share_series(struct judge *judge)
{
	for (size_t i = 0; i < judge->store->series_count; i++) {
		const struct series *series = &judge->store->series[i];

		if (series->count == 0)
			continue;
		if (series->session == STORE_HOST ||
			scope_of(judge, series->measure) == RULE_SCOPE_HOST)
			add_series(judge, judge_machine_unit(judge, series->source, series->first),
				series);
		else
			add_series(judge, judge_session_unit(judge, series->session), series);
	}
}

/* Numbers that outcomes ask for are no sightings; that there is a series says that they were seen.
 */
static void see_series(struct judge *judge)
{
	for (size_t i = 0; i < judge->store->series_count; i++) {
		const struct series *series = &judge->store->series[i];
		uint16_t pattern = series->measure->pattern->number;
		struct unit *unit = NULL;

		if (series->count == 0)
			continue;
		if (series->session != STORE_HOST)
			unit = judge_session_unit(judge, series->session);
		see(judge, &judge->folder_seen[judge->folder[series->source]], pattern);
		see(judge, &judge->group_seen[judge->group[series->source]], pattern);
		if (unit)
			see(judge, unit->seen, pattern);
	}
}

static bool has_finding(const struct finding_list *list, uint32_t rule)
{
	for (const struct finding_node *i = list->first; i; i = i->next)
		if (i->rule == rule)
			return true;
	return false;
}

/* All rules of a unit; those that look at the findings of others last. */
static void judge_rules(struct judge *judge, struct unit *unit, struct finding_list *list,
	struct report_session *session)
{
	uint32_t count = (uint32_t)judge->book->rule_count;

	for (uint32_t i = 0; i < count; i++) {
		judge_join(judge, unit, i, list);
		judge_measures(judge, unit, i, list);
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct rule *rule = judge->book->rules[i];

		if ((rule->scope == RULE_SCOPE_HOST) == (unit->session == STORE_HOST))
			judge_builtin(judge, unit, i, list, session);
	}
}

static void add_missing(
	struct judge *judge, struct unit *unit, enum rule_scope scope, struct finding_list *list)
{
	for (uint32_t i = 0; i < judge->book->rule_count; i++)
		if (judge->book->rules[i]->scope == scope && !has_finding(list, i))
			judge_nothing(judge, unit, i, list);
}

static void count_more(struct judge *judge, const struct unit *unit)
{
	for (const struct machine *i = unit->machines; i; i = i->next)
		judge->more += i->more;
}

/* Who asks for one session gets nothing of others that stands among lines of nobody. */
static void only_machines(struct finding_list *list)
{
	struct finding_node **link = &list->first;

	list->last = NULL;
	list->count = 0;
	while (*link) {
		if ((*link)->finding.rule->scope != RULE_SCOPE_HOST) {
			*link = (*link)->next;
			continue;
		}
		list->last = *link;
		list->count++;
		link = &(*link)->next;
	}
}

static void report_host(struct judge *judge)
{
	struct report_session *host = &judge->report->host;
	struct finding_list list = {NULL, NULL, 0};
	struct unit nobody = {.session = STORE_HOST};

	host->number = STORE_HOST;
	host->started = STAMP_NONE;
	host->ended = STAMP_NONE;
	for (size_t i = judge->store->session_count; i < judge->unit_count; i++) {
		judge_rules(judge, judge->units[i], &list, NULL);
		count_more(judge, judge->units[i]);
	}
	if (judge->store->one_session)
		only_machines(&list);
	add_missing(judge, &nobody, RULE_SCOPE_HOST, &list);
	judge_findings(judge, &list, host);
	for (size_t i = 0; i < 6; i++) {
		host->stages[i].verdict = VERDICT_NO_EVIDENCE;
		host->stages[i].start = STAMP_NONE;
		host->stages[i].end = STAMP_NONE;
	}
	arena_reset(judge->bench);
}

/* A log without ids stands for a session only if it tells of one. */
static bool is_told(const struct judge *judge, uint32_t number, const struct finding_list *list)
{
	if (judge->store->sessions[number].has_id)
		return true;
	for (const struct finding_node *i = list->first; i; i = i->next)
		if (i->finding.verdict != VERDICT_NO_EVIDENCE || i->finding.evidence_count > 0)
			return true;
	return false;
}

static bool has_used(const struct judge *judge, size_t report, size_t together)
{
	size_t used = arena_used(judge->arena);
	size_t others = store_used(judge->store) + arena_used(judge->moving) +
		arena_used(judge->scratch) + JUDGE_BENCH_MAXIMUM;

	return used > report || used + others > together;
}

static bool is_bad(const struct finding_list *list)
{
	for (const struct finding_node *i = list->first; i; i = i->next)
		if (i->finding.verdict == VERDICT_FAIL || i->finding.verdict == VERDICT_WARNING)
			return true;
	return false;
}

static bool has_room(const struct judge *judge, const struct finding_list *list)
{
	if (!has_used(judge, JUDGE_REPORT_ENOUGH, JUDGE_TOGETHER))
		return true;
	return is_bad(list) && !has_used(judge, JUDGE_REPORT_FULL, JUDGE_TOGETHER_FULL);
}

/* Nobody may take the report for a good one because there was no room for a failure. */
static void leave_out(struct judge *judge, const struct finding_list *list)
{
	judge->left_out++;
	for (const struct finding_node *i = list->first; i; i = i->next)
		judge->report->summary[i->finding.verdict]++;
}

static void list_session(struct judge *judge, struct unit *unit, struct finding_list *list,
	struct report_session *session)
{
	if (has_used(judge, JUDGE_REPORT_HALF, JUDGE_TOGETHER_HALF))
		judge->shortened++;
	else
		add_missing(judge, unit, RULE_SCOPE_SESSION, list);
	judge_session(judge, unit, list, session);
	judge->report->session_count++;
}

static void report_session(struct judge *judge, uint32_t number)
{
	struct report *report = judge->report;
	struct report_session *session = &report->sessions[report->session_count];
	struct unit *unit = judge_session_unit(judge, number);
	struct finding_list list = {NULL, NULL, 0};

	if (!unit) {
		judge->left_out++;
		return;
	}
	judge_rules(judge, unit, &list, session);
	builtin_crash_session(judge, unit, &list);
	count_more(judge, unit);
	if (is_told(judge, number, &list)) {
		if (has_room(judge, &list))
			list_session(judge, unit, &list, session);
		else
			leave_out(judge, &list);
	}
	arena_reset(judge->bench);
}

static int by_start(const void *a, const void *b)
{
	const struct report_session *left = a, *right = b;

	if ((left->started == STAMP_NONE) != (right->started == STAMP_NONE))
		return left->started == STAMP_NONE ? 1 : -1;
	if (left->started != right->started)
		return left->started < right->started ? -1 : 1;
	return left->number < right->number ? -1 : left->number > right->number;
}

static int make_report(struct judge *judge)
{
	const struct store *store = judge->store;
	struct report *report = judge->report;

	report->sessions =
		arena_alloc(judge->arena, store->session_count * sizeof(report->sessions[0]));
	if (!report->sessions)
		return ERROR_MEMORY;
	report_host(judge);
	for (uint32_t i = 1; i < store->session_count; i++)
		if (!store->sessions[i].filtered)
			report_session(judge, i);
	qsort(report->sessions, report->session_count, sizeof(report->sessions[0]), by_start);
	judge_notes(judge);
	return 0;
}

static int judge_all(struct judge *judge)
{
	bool asks;

	if (judge_book(judge, &asks) < 0 || judge_places(judge) < 0)
		return ERROR_MEMORY;
	pass_over(judge);
	if (asks) {
		/* What a later line says counts for an earlier one: with all seen, again. */
		see_series(judge);
		arena_reset(judge->moving);
		pass_over(judge);
	}
	share_series(judge);
	return make_report(judge);
}

static struct report *report_new(const struct store *store)
{
	struct arena *arena = arena_new(JUDGE_REPORT_MAXIMUM);
	struct report *report = arena ? arena_alloc(arena, sizeof(*report)) : NULL;

	if (!report) {
		arena_free(arena);
		return NULL;
	}
	report->arena = arena;
	report->store = store;
	report->book = store->book;
	return report;
}

int judge(const struct store *store, struct report **ret_report)
{
	struct judge judge = {.store = store, .book = store->book};
	int error = ERROR_MEMORY;

	assert(store->sighting_count <= UINT32_MAX - 1);
	judge.report = report_new(store);
	if (!judge.report)
		return ERROR_MEMORY;
	judge.arena = judge.report->arena;
	judge.scratch = arena_new(JUDGE_SCRATCH_MAXIMUM);
	judge.moving = arena_new(JUDGE_MOVING_MAXIMUM);
	judge.bench = arena_new(JUDGE_BENCH_MAXIMUM);
	if (judge.scratch && judge.moving && judge.bench)
		error = judge_all(&judge);
	arena_free(judge.scratch);
	arena_free(judge.moving);
	arena_free(judge.bench);
	if (error < 0)
		judge_free(judge.report);
	else
		*ret_report = judge.report;
	return error;
}

void judge_free(struct report *report)
{
	if (report)
		arena_free(report->arena);
}
