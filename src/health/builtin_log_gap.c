#include <stdlib.h>

#include "health/judge_builtin.h"

#define AROUND_LINES 4096 /* sightings that are looked through for the lines around a gap */

struct gap {
	int64_t from, length;
	uint32_t source, line;
	const char *cause;
};

static int64_t end_of(const struct gap *gap)
{
	return gap->from + gap->length;
}

/* Connected throughout, as the logs of this machine say. Statistics come only while connected; so
 * without a word about it, it was. */
static bool is_connected(const struct builtin *builtin, const struct gap *gap)
{
	const struct judge *judge = builtin->judge;
	bool connected = true;

	for (size_t i = 0; i < builtin->line_count; i++) {
		const struct sighting *line = builtin_line(builtin, i);

		if (line->time == STAMP_NONE ||
			judge->side[line->source] != judge->side[gap->source])
			continue;
		if (line->time > gap->from) {
			/* Closed within the gap: the silence is the end's. */
			if (line->time < end_of(gap) && judge->closes[line->pattern])
				return false;
			continue;
		}
		if (judge->closes[line->pattern])
			connected = false;
		else if (judge->connects[line->pattern])
			connected = true;
	}
	return connected;
}

/* The first sighting after this time; those without one stand last. */
static size_t first_after(const struct store *store, int64_t time)
{
	size_t low = 0, high = store->sighting_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct sighting *line = &store->sightings[middle];

		if (line->time == STAMP_NONE || line->time > time)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The lines of the log that stand next to the gap, of those that are kept. */
static void add_around(struct builtin *builtin, const struct gap *gap, struct finding_work *work)
{
	const struct store *store = builtin->judge->store;
	size_t after = first_after(store, gap->from), end = store->sighting_count;

	for (size_t i = after, n = 0; i-- > 0 && n < AROUND_LINES; n++) {
		if (store->sightings[i].source == gap->source) {
			finding_line(work, (uint32_t)i);
			break;
		}
	}
	for (size_t i = first_after(store, end_of(gap) - 1), n = 0; i < end && n < AROUND_LINES;
		i++, n++) {
		if (store->sightings[i].source == gap->source &&
			store->sightings[i].time != STAMP_NONE) {
			finding_line(work, (uint32_t)i);
			break;
		}
	}
}

static void add_gap(struct builtin *builtin, const struct gap *gap)
{
	struct finding_work work;

	builtin_begin(builtin, &work);
	add_around(builtin, gap, &work);
	work.finding.start = gap->from;
	work.finding.end = end_of(gap);
	work.finding.duration = gap->length;
	work.finding.kind = builtin->judge->store->sources[gap->source].kind;
	finding_number(&work, "gap_s", (double)gap->length / 1e6);
	finding_number(&work, "line", gap->line);
	finding_data(&work, "file", builtin->judge->store->sources[gap->source].path, SIZE_MAX,
		false, false);
	builtin_end(builtin, &work, VERDICT_WARNING, gap->cause);
}

/* Longer than the limit, between two lines of the session, and connected throughout. */
static bool counts(const struct builtin *builtin, const struct gap *gap, int64_t first)
{
	const struct session *session = &builtin->judge->store->sessions[builtin->unit->session];

	return (double)gap->length > rule_limit(builtin->rule, "gap") * 1e6 && gap->from >= first &&
		end_of(gap) <= session->last && is_connected(builtin, gap);
}

/* Between the session's statistics; their log is known to write regularly. Other logs are silent
 * for hours while all is well. */
static size_t judge_statistics(struct builtin *builtin, bool *ret_judged)
{
	const struct judge *judge = builtin->judge;

	for (const struct judge_series *i = builtin->unit->series; i; i = i->next) {
		const struct source *source = &judge->store->sources[i->series->source];
		struct gap silence = {
			source->gap_from, source->gap, i->series->source, source->gap_line, "gap"};
		struct gap gap = {i->series->gap_from, i->series->gap, i->series->source,
			i->series->gap_line, "statistics"};

		/* What is drawn comes regularly. */
		if (!i->series->measure->plot || i->series->first == STAMP_NONE ||
			i->series->count < 2)
			continue;
		*ret_judged = true;
		if (counts(builtin, &silence, i->series->first)) {
			add_gap(builtin, &silence);
			return 1;
		}
		if (counts(builtin, &gap, i->series->first)) {
			add_gap(builtin, &gap);
			return 1;
		}
	}
	return 0;
}

void builtin_log_gap(struct builtin *builtin)
{
	struct finding_work work;
	bool judged = false;

	if (builtin->unit->session == STORE_HOST || judge_statistics(builtin, &judged) > 0 ||
		!judged)
		return;
	builtin_begin(builtin, &work);
	for (size_t i = 0; i < builtin->line_count; i++)
		finding_line(&work, builtin->lines[i]);
	builtin_end(builtin, &work, VERDICT_PASS, NULL);
}
