#include <stdlib.h>
#include <string.h>

#include "health/judge_private.h"

#define NOTES_MAXIMUM 16

struct ordered {
	const struct finding_node *node;
	size_t place;
};

static int by_place(const void *a, const void *b)
{
	const struct ordered *left = a, *right = b;

	if (left->node->rule != right->node->rule)
		return left->node->rule < right->node->rule ? -1 : 1;
	if (left->node->unit != right->node->unit)
		return left->place < right->place ? -1 : 1;
	if (left->node->line != right->node->line)
		return left->node->line < right->node->line ? -1 : 1;
	return left->place < right->place ? -1 : left->place > right->place;
}

/* "2 of 3" among the findings of one rule about one session or machine. */
static void number_attempts(const struct ordered *ordered, struct finding *findings, size_t count)
{
	for (size_t i = 0, next; i < count; i = next) {
		next = i + 1;
		while (next < count && ordered[next].node->rule == ordered[i].node->rule &&
			ordered[next].node->unit == ordered[i].node->unit)
			next++;
		for (size_t j = i; j < next; j++) {
			findings[j].attempt = (unsigned)(j - i + 1);
			findings[j].attempts = (unsigned)(next - i);
		}
	}
}

void judge_findings(
	struct judge *judge, const struct finding_list *list, struct report_session *session)
{
	struct ordered *ordered = arena_alloc(judge->bench, list->count * sizeof(ordered[0]));
	struct finding *findings = arena_alloc(judge->arena, list->count * sizeof(findings[0]));
	size_t count = 0;

	session->worst = VERDICT_NO_EVIDENCE;
	/* A bench full of findings has no room left to put them in order. */
	if (!ordered)
		ordered = arena_alloc(judge->arena, list->count * sizeof(ordered[0]));
	if (!ordered || !findings) {
		judge->lost += list->count;
		return;
	}
	for (const struct finding_node *i = list->first; i; i = i->next) {
		ordered[count] = (struct ordered){i, count};
		count++;
	}
	qsort(ordered, count, sizeof(ordered[0]), by_place);
	for (size_t i = 0; i < count; i++) {
		findings[i] = ordered[i].node->finding;
		if (findings[i].verdict < session->worst)
			session->worst = findings[i].verdict;
		judge->report->summary[findings[i].verdict]++;
	}
	number_attempts(ordered, findings, count);
	session->findings = findings;
	session->finding_count = count;
}

static int64_t shortest_limit(const struct rule *rule)
{
	int64_t limit = 0;

	for (size_t i = 0; i < rule->track_count; i++)
		for (size_t j = 0; j < rule->tracks[i].step_count; j++)
			if (rule->tracks[i].steps[j].within > 0 &&
				(limit == 0 || rule->tracks[i].steps[j].within < limit))
				limit = rule->tracks[i].steps[j].within;
	return limit;
}

/* A stage is what its last attempt made of it; of several rules, what the worst says. */
static void fill_stages(struct report_session *session)
{
	for (size_t i = 0; i < 6; i++)
		session->stages[i] =
			(struct report_stage){VERDICT_NO_EVIDENCE, STAMP_NONE, STAMP_NONE, 0};
	for (size_t i = 0; i < session->finding_count; i++) {
		const struct finding *finding = &session->findings[i];
		struct report_stage *stage;

		if (finding->rule->stage == 0 || finding->rule->stage > 6)
			continue;
		if (finding->attempt != finding->attempts)
			continue;
		stage = &session->stages[finding->rule->stage - 1];
		if (stage->limit == 0)
			stage->limit = shortest_limit(finding->rule);
		if (finding->verdict < stage->verdict) {
			stage->verdict = finding->verdict;
			stage->start = finding->start;
			stage->end = finding->end;
		}
	}
}

static void fill_plots(struct judge *judge, const struct unit *unit, struct report_session *session)
{
	size_t count = 0;

	for (const struct judge_series *i = unit->series; i; i = i->next)
		if (i->series->measure->plot && i->series->point_count > 0)
			count++;
	if (count == 0)
		return;
	session->plots = arena_alloc(judge->arena, count * sizeof(session->plots[0]));
	if (!session->plots)
		return;
	for (const struct judge_series *i = unit->series; i; i = i->next)
		if (i->series->measure->plot && i->series->point_count > 0)
			session->plots[session->plot_count++] =
				(struct report_plot){i->series->measure, i->series};
}

static enum stamp_kind session_kind(const struct judge *judge, const struct unit *unit)
{
	const struct store *store = judge->store;
	const struct session *session = &store->sessions[unit->session];

	if (unit->line != JUDGE_NOBODY)
		return store->sources[judge_line(judge, unit->line)->source].kind;
	if (!session->has_id)
		return store->sources[session->source].kind;
	return session->first == STAMP_NONE ? STAMP_KIND_NONE : STAMP_KIND_UTC;
}

void judge_session(struct judge *judge, struct unit *unit, struct finding_list *list,
	struct report_session *session)
{
	const struct store *store = judge->store;
	const struct session *kept = &store->sessions[unit->session];

	session->number = unit->session;
	if (kept->has_id)
		session_id_print(&kept->id, session->id);
	else
		session->source = store->sources[kept->source].path;
	session->started = kept->first;
	session->ended = kept->last;
	session->kind = session_kind(judge, unit);
	judge_findings(judge, list, session);
	fill_stages(session);
	fill_plots(judge, unit, session);
}

static void note(struct judge *judge, uint64_t count, const char *one, const char *many)
{
	struct report *report = judge->report;
	const char *text;

	if (count == 0 || report->note_count == NOTES_MAXIMUM)
		return;
	text = count == 1 ? one
			  : arena_print(judge->arena, "%llu %s", (unsigned long long)count, many);
	if (text)
		report->notes[report->note_count++] = text;
}

/* Sessions, not only lines: nobody may take the report for one about all of them. */
static void note_lost(struct judge *judge)
{
	const struct store *store = judge->store;
	bool is_one = store->sessions_lost == 1;
	const char *text;

	if (store->sessions_dropped == 0)
		return;
	text = arena_print(judge->arena,
		"%s%llu session%s not judged, because there are more than are kept; %s %llu "
		"line%s.",
		store->sessions_lost_more ? "At least " : "",
		(unsigned long long)store->sessions_lost, is_one ? " was" : "s were",
		is_one ? "it has" : "they have", (unsigned long long)store->sessions_dropped,
		store->sessions_dropped == 1 ? "" : "s");
	if (text)
		note(judge, 1, text, "");
}

struct gaps {
	uint64_t files, long_lines, sightings;
};

static struct gaps count_gaps(const struct store *store)
{
	struct gaps gaps = {0, 0, 0};

	for (size_t i = 0; i < store->source_count; i++) {
		gaps.files += store->sources[i].reason != NULL;
		gaps.long_lines += store->sources[i].lines_long;
	}
	for (size_t i = 0; i < store->session_count; i++)
		gaps.sightings += store->sessions[i].dropped > 0;
	return gaps;
}

static uint64_t count_skipped(const struct store *store, uint64_t *ret_lost)
{
	uint64_t count = store->skipped_more;

	*ret_lost = store->lost_more;
	for (size_t i = 0; i < store->skipped_count; i++) {
		count += store->skipped[i].count;
		if (store->skipped[i].lost)
			*ret_lost += store->skipped[i].count;
	}
	return count;
}

static void note_skipped(struct judge *judge, uint64_t count)
{
	const char *text;

	if (!judge->store->rest_lost) {
		note(judge, count, "One file or folder was not read; it is listed with the reason.",
			"files or folders were not read; they are listed with their reasons.");
		return;
	}
	text = arena_print(judge->arena,
		"At least %llu file%s not read; where reading stopped is listed with the reason.",
		(unsigned long long)count, count == 1 ? " or folder was" : "s or folders were");
	if (text)
		note(judge, 1, text, "");
}

void judge_notes(struct judge *judge)
{
	const struct store *store = judge->store;
	struct report *report = judge->report;
	struct gaps gaps = count_gaps(store);
	uint64_t lost, skipped = count_skipped(store, &lost);

	report->notes = arena_alloc(judge->arena, NOTES_MAXIMUM * sizeof(report->notes[0]));
	report->incomplete = skipped + gaps.files + gaps.long_lines + gaps.sightings +
			store->sightings_dropped + store->sessions_dropped + judge->lost +
			judge->more + judge->left_out >
		0;
	report->cut = lost + gaps.files + gaps.long_lines + gaps.sightings +
				store->sightings_dropped + store->sessions_dropped + judge->lost +
				judge->more + judge->left_out >
			0 ||
		arena_lacking(judge->moving);
	if (!report->notes)
		return;
	note_skipped(judge, skipped);
	note(judge, gaps.files, "One file could be read in part only.",
		"files could be read in part only.");
	note(judge, gaps.long_lines, "One line was too long; its rest was not read.",
		"lines were too long; their rest was not read.");
	note(judge, store->sightings_dropped,
		"One line was not judged: more lines of its kind came before it than are kept.",
		"lines were not judged: more lines of their kind came before them than are kept.");
	note_lost(judge);
	note(judge, store->others_dropped,
		"One line of another session was not kept; it could have told whose lines without "
		"an id are.",
		"lines of other sessions were not kept; they could have told whose lines without "
		"an id are.");
	note(judge, judge->more, "One attempt beyond the number that is listed was left out.",
		"attempts beyond the number that is listed were left out.");
	note(judge, judge->lost, "One finding was left out, because there was no room for it.",
		"findings were left out, because there was no room for them.");
	note(judge, judge->left_out,
		"One session is not listed, because there was no room for it; the summary counts "
		"what was found in it.",
		"sessions are not listed, because there was no room for them; the summary counts "
		"what was found in them.");
	note(judge, judge->shortened,
		"One session is listed without the diagnostics that have no evidence, because "
		"there was no room for them.",
		"sessions are listed without the diagnostics that have no evidence, because there "
		"was no room for them.");
	if (arena_lacking(judge->moving)) {
		report->incomplete = true;
		note(judge, 1,
			"The input has more attempts than there is room for; not all were judged.",
			"");
	}
}
