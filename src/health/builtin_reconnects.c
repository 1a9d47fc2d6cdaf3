#include "health/judge_builtin.h"

#define SAME_CONNECTION 2000000 /* told twice */
#define TIMES_MAXIMUM 512

struct connections {
	const char *ids[2]; /* of the patterns; NULL: one is enough */
	int64_t times[TIMES_MAXIMUM];
	size_t count;
};

/* Statistics before the first connection that the log has: there was one before. */
static bool was_connected(const struct builtin *builtin, const struct sighting *line)
{
	for (const struct judge_series *i = builtin->unit->series; i; i = i->next)
		if (i->series->first != STAMP_NONE &&
			builtin->judge->side[i->series->source] ==
				builtin->judge->side[line->source] &&
			line->time - i->series->first > SAME_CONNECTION)
			return true;
	return false;
}

static bool is_connection(
	const struct builtin *builtin, size_t index, const struct connections *connections)
{
	return builtin_is(builtin, index, connections->ids[0]) ||
		(connections->ids[1] && builtin_is(builtin, index, connections->ids[1]));
}

static void add_time(struct connections *connections, int64_t time)
{
	if (connections->count < TIMES_MAXIMUM)
		connections->times[connections->count++] = time;
}

static void collect(const struct builtin *builtin, struct connections *connections)
{
	for (size_t i = 0; i < builtin->line_count; i++) {
		const struct sighting *line = builtin_line(builtin, i);
		size_t count = connections->count;

		if (line->time == STAMP_NONE || !is_connection(builtin, i, connections))
			continue;
		if (count > 0 && line->time - connections->times[count - 1] <= SAME_CONNECTION)
			continue;
		if (count == 0 && was_connected(builtin, line))
			add_time(connections, line->time);
		add_time(connections, line->time);
	}
}

/* The most connections within the window. */
static size_t densest(const struct connections *connections, double window)
{
	size_t most = 0, begin = 0;

	for (size_t i = 0; i < connections->count; i++) {
		while ((double)(connections->times[i] - connections->times[begin]) > window * 1e6)
			begin++;
		if (i - begin + 1 > most)
			most = i - begin + 1;
	}
	return most;
}

static void add_lines(const struct builtin *builtin, struct finding_work *work,
	const struct connections *connections)
{
	int64_t before = STAMP_NONE;

	for (size_t i = 0; i < builtin->line_count; i++) {
		const struct sighting *line = builtin_line(builtin, i);

		if (line->time == STAMP_NONE || !is_connection(builtin, i, connections))
			continue;
		if (before == STAMP_NONE || line->time - before > SAME_CONNECTION) {
			finding_line(work, builtin->lines[i]);
			before = line->time;
		}
	}
}

void builtin_reconnects(struct builtin *builtin)
{
	/* Client and host tell of the same connections: the side that saw more counts. */
	struct connections host = {.ids = {"connected"}};
	struct connections client = {.ids = {"client-connected", "client-active"}};
	const struct connections *more = &host;
	double window = rule_limit(builtin->rule, "window");
	struct finding_work work;
	size_t most;

	collect(builtin, &host);
	collect(builtin, &client);
	if (client.count > host.count)
		more = &client;
	if (more->count == 0)
		return;
	most = densest(more, window);
	builtin_begin(builtin, &work);
	add_lines(builtin, &work, more);
	finding_number(&work, "connections", (double)more->count);
	finding_number(&work, "within_window", (double)most);
	finding_number(&work, "window_s", window);
	if (most > 1 && (double)most >= rule_limit(builtin->rule, "warning"))
		builtin_end(builtin, &work, VERDICT_WARNING, "flapping");
	else if (more->count > 1)
		builtin_end(builtin, &work, VERDICT_NOTE, "again");
	else
		builtin_end(builtin, &work, VERDICT_PASS, NULL);
}
