#include "health/judge_builtin.h"

/* A log that writes less than this often within the limit may be silent that long. */
#define LINES_WITHIN_LIMIT 10

struct gap {
	int64_t from, length;
	uint32_t source, line;
	const char *cause;
};

static bool same_side(const struct builtin *builtin, uint32_t a, uint32_t b)
{
	return builtin->judge->side[a] == builtin->judge->side[b];
}

/* Connected at this time, as the logs of this machine say; `known`: without a word about it. */
static bool is_connected(const struct builtin *builtin, const struct gap *gap, bool known)
{
	bool connected = known;

	for (size_t i = 0; i < builtin->line_count; i++) {
		const struct sighting *line = builtin_line(builtin, i);

		if (line->time == STAMP_NONE || !same_side(builtin, line->source, gap->source))
			continue;
		if (line->time > gap->from) {
			/* Closed within the gap: the silence is the end's. */
			if (line->time < gap->from + gap->length &&
				builtin_is(builtin, i, "closed"))
				return false;
			continue;
		}
		connected = builtin_is(builtin, i, "connected");
	}
	return connected;
}

static void add_gap(struct builtin *builtin, const struct gap *gap)
{
	struct finding_work work;

	builtin_begin(builtin, &work);
	for (size_t i = 0; i < builtin->line_count; i++)
		if (builtin_line(builtin, i)->time <= gap->from &&
			same_side(builtin, builtin_line(builtin, i)->source, gap->source))
			finding_line(&work, builtin->lines[i]);
	work.finding.start = gap->from;
	work.finding.end = gap->from + gap->length;
	work.finding.duration = gap->length;
	work.finding.kind = builtin->judge->store->sources[gap->source].kind;
	finding_number(&work, "gap_s", (double)gap->length / 1e6);
	finding_number(&work, "line", gap->line);
	finding_data(&work, "file", builtin->judge->store->sources[gap->source].path, SIZE_MAX,
		false, false);
	builtin_end(builtin, &work, VERDICT_WARNING, gap->cause);
}

static bool is_over(const struct builtin *builtin, int64_t length)
{
	return (double)length > rule_limit(builtin->rule, "gap") * 1e6;
}

/* Between the session's statistics; their log is known to write regularly. */
static size_t judge_statistics(struct builtin *builtin, bool *ret_judged)
{
	const struct judge *judge = builtin->judge;
	size_t found = 0;

	for (const struct judge_series *i = builtin->unit->series; i; i = i->next) {
		const struct source *source = &judge->store->sources[i->series->source];
		struct gap silence = {
			source->gap_from, source->gap, i->series->source, source->gap_line, "gap"};
		struct gap gap = {i->series->gap_from, i->series->gap, i->series->source,
			i->series->gap_line, "statistics"};

		if (i->series->first == STAMP_NONE || i->series->count < 2)
			continue;
		*ret_judged = true;
		if (found > 0)
			continue;
		if (is_over(builtin, silence.length) && silence.from >= i->series->first &&
			is_connected(builtin, &silence, true)) {
			add_gap(builtin, &silence);
			found++;
		} else if (is_over(builtin, gap.length) && is_connected(builtin, &gap, true)) {
			add_gap(builtin, &gap);
			found++;
		}
	}
	return found;
}

/* Without statistics: a log that else writes much. */
static size_t judge_silence(struct builtin *builtin, bool *ret_judged)
{
	const struct judge *judge = builtin->judge;
	double limit = rule_limit(builtin->rule, "gap") * 1e6;
	uint32_t last = JUDGE_NOBODY;

	for (size_t i = 0; i < builtin->line_count; i++) {
		uint32_t number = builtin_line(builtin, i)->source;
		const struct source *source = &judge->store->sources[number];
		struct gap gap = {source->gap_from, source->gap, number, source->gap_line, "gap"};

		if (number == last || !builtin_is(builtin, i, "connected") ||
			source->first == STAMP_NONE ||
			(double)(source->last - source->first - source->gap) * LINES_WITHIN_LIMIT >
				limit * (double)source->lines)
			continue;
		last = number;
		*ret_judged = true;
		if (is_over(builtin, gap.length) && is_connected(builtin, &gap, false)) {
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
	size_t found = judge_statistics(builtin, &judged);

	if (!judged)
		found = judge_silence(builtin, &judged);
	if (!judged || found > 0)
		return;
	builtin_begin(builtin, &work);
	for (size_t i = 0; i < builtin->line_count; i++)
		finding_line(&work, builtin->lines[i]);
	builtin_end(builtin, &work, VERDICT_PASS, NULL);
}
