#include <stdlib.h>
#include <string.h>

#include "health/judge_builtin.h"

#define NO_LINE SIZE_MAX
#define SESSION_LINES 4096 /* sightings that are looked through for a session */
#define RUNS 64            /* of servers at once, in the logs of one group */

struct run {
	size_t begins;   /* its line */
	uint32_t source; /* where that is */
};

/* What is asked of the files of all machines. */
struct crash_logs {
	bool *has_beginning; /* by source: a server begins in it; else it goes on where another was
				rotated */
	int64_t *continued;  /* by group: when its files without a beginning end; or STAMP_NONE */
	uint32_t *latest;    /* sources by folder, the one that ends last first */
	uint32_t *first;     /* by folder: where its sources stand in `latest` */
};

struct watch { /* the logs of one group */
	struct builtin *builtin;
	const size_t *lines;
	size_t line_count;
	const struct crash_logs *logs;
	bool of_program; /* a program that has several servers at once writes here */
	struct run runs[RUNS];
	size_t run_count;
	bool unknown;        /* how a server ended; it may be running still */
	size_t started;      /* the program itself; NO_LINE: not known to run */
	uint32_t last_ended; /* the session whose end was told last */
	struct finding_work good;
	size_t good_count;
};

struct by_group {
	uint32_t group;
	size_t line;
};

static int by_end(const void *a, const void *b, void *context)
{
	const struct judge *judge = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int64_t left = judge_source_last(judge, x), right = judge_source_last(judge, y);

	if (judge->folder[x] != judge->folder[y])
		return judge->folder[x] < judge->folder[y] ? -1 : 1;
	if (left != right)
		return left > right ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void fill_logs(struct judge *judge, struct crash_logs *logs)
{
	const struct store *store = judge->store;
	uint32_t count = (uint32_t)store->source_count;

	for (size_t i = 0; i < store->sighting_count; i++)
		if (judge->begins[store->sightings[i].pattern])
			logs->has_beginning[store->sightings[i].source] = true;
	for (size_t i = 0; i < judge->group_count; i++)
		logs->continued[i] = STAMP_NONE;
	for (uint32_t i = 0; i < count; i++) {
		int64_t last = judge_source_last(judge, i);

		logs->latest[i] = i;
		if (!logs->has_beginning[i] && last > logs->continued[judge->group[i]])
			logs->continued[judge->group[i]] = last;
	}
	qsort_r(logs->latest, count, sizeof(logs->latest[0]), by_end, judge);
	for (uint32_t i = count; i-- > 0;)
		logs->first[judge->folder[logs->latest[i]]] = i;
}

/* Once for all machines: there may be as many as files. NULL: memory is short. */
static const struct crash_logs *logs_of(struct judge *judge)
{
	size_t sources = judge->store->source_count;
	struct crash_logs logs;

	if (judge->crash_logs)
		return judge->crash_logs;
	logs.has_beginning = arena_alloc(judge->scratch, sources * sizeof(logs.has_beginning[0]));
	logs.continued =
		arena_alloc(judge->scratch, judge->group_count * sizeof(logs.continued[0]));
	logs.latest = arena_alloc(judge->scratch, sources * sizeof(logs.latest[0]));
	logs.first = arena_alloc(judge->scratch, judge->folder_count * sizeof(logs.first[0]));
	judge->crash_logs = arena_alloc(judge->scratch, sizeof(logs));
	if (!logs.has_beginning || !logs.continued || !logs.latest || !logs.first ||
		!judge->crash_logs)
		return NULL;
	fill_logs(judge, &logs);
	*judge->crash_logs = logs;
	return judge->crash_logs;
}

static const struct source *source_of(const struct watch *watch, uint32_t number)
{
	return &watch->builtin->judge->store->sources[number];
}

static void tell(struct builtin *builtin, uint32_t begins, uint32_t again)
{
	const struct judge *judge = builtin->judge;
	const struct sighting *line = judge_line(judge, begins);
	const struct source *source = &judge->store->sources[line->source];
	struct finding_work work;

	builtin_begin(builtin, &work);
	finding_line(&work, begins);
	finding_captures(&work, begins);
	work.finding.start = line->time;
	work.finding.end = source->last;
	if (again != JUDGE_NOBODY) {
		finding_line(&work, again);
		work.finding.end = judge_line(judge, again)->time;
	}
	work.finding.kind = source->kind;
	builtin_end(builtin, &work, VERDICT_FAIL, "crashed");
}

/* Whose server it was: the first session that its log names. */
static uint32_t session_of(const struct judge *judge, uint32_t begins, uint32_t again)
{
	uint32_t source = judge_line(judge, begins)->source;
	size_t end = judge->store->sighting_count;

	if (again != JUDGE_NOBODY && again > begins && again < end)
		end = again;
	if (end - begins > SESSION_LINES)
		end = begins + SESSION_LINES;
	for (size_t i = begins; i < end; i++) {
		const struct sighting *line = &judge->store->sightings[i];

		if (line->source == source && line->session != STORE_HOST)
			return line->session;
	}
	return STORE_HOST;
}

static void remember(struct builtin *builtin, uint32_t begins, uint32_t again)
{
	struct judge *judge = builtin->judge;
	uint32_t session = session_of(judge, begins, again);
	struct judge_crash *crash;

	if (session == STORE_HOST)
		return;
	crash = arena_alloc(judge->moving, sizeof(*crash));
	if (!crash)
		return;
	*crash = (struct judge_crash){judge->crashes, builtin->rule, session, begins, again};
	judge->crashes = crash;
}

void builtin_crash_session(struct judge *judge, struct unit *unit, struct finding_list *list)
{
	for (const struct judge_crash *i = judge->crashes; i; i = i->next) {
		struct builtin builtin = {
			.judge = judge, .unit = unit, .rule = i->rule, .list = list};

		if (i->session == unit->session)
			tell(&builtin, i->begins, i->again);
	}
}

static void crashed(struct watch *watch, size_t begins, size_t again)
{
	struct builtin *builtin = watch->builtin;
	uint32_t first = builtin->lines[begins];
	uint32_t second = again == NO_LINE ? JUDGE_NOBODY : builtin->lines[again];

	tell(builtin, first, second);
	if (builtin_is(builtin, begins, "begins"))
		remember(builtin, first, second);
}

static void ended(struct watch *watch, size_t begins, size_t line)
{
	finding_line(&watch->good, watch->builtin->lines[begins]);
	finding_line(&watch->good, watch->builtin->lines[line]);
	watch->good_count++;
}

static void remove_run(struct watch *watch, size_t run)
{
	watch->run_count--;
	memmove(&watch->runs[run], &watch->runs[run + 1],
		(watch->run_count - run) * sizeof(watch->runs[0]));
}

/* A server that begins where another one should have ended first. */
static void take_begins(struct watch *watch, size_t line)
{
	uint32_t source = builtin_line(watch->builtin, line)->source;
	int64_t first = source_of(watch, source)->first;

	for (size_t i = 0; i < watch->run_count; i++) {
		const struct run *run = &watch->runs[i];
		bool again = run->source == source ? !watch->of_program
						   : source_of(watch, run->source)->last < first;

		if (again) {
			crashed(watch, run->begins, line);
			remove_run(watch, i--);
		}
	}
	/* The same session may be served again. */
	watch->last_ended = STORE_HOST;
	if (watch->run_count < RUNS)
		watch->runs[watch->run_count++] = (struct run){line, source};
	else
		watch->unknown = true;
}

/* Servers do not outlive the agent whose log they write. */
static void take_restarted(struct watch *watch, size_t line)
{
	uint32_t source = builtin_line(watch->builtin, line)->source;
	bool rotated = !watch->logs->has_beginning[source];

	for (size_t i = 0; i < watch->run_count; i++) {
		if (!rotated && watch->runs[i].source != source)
			continue;
		crashed(watch, watch->runs[i].begins, line);
		remove_run(watch, i--);
	}
}

static void take_end(struct watch *watch, size_t line)
{
	const struct sighting *sighting = builtin_line(watch->builtin, line);
	bool rotated = !watch->logs->has_beginning[sighting->source];

	/* A cause and an end are told of the same server. */
	if (sighting->session != STORE_HOST && sighting->session == watch->last_ended)
		return;
	for (size_t i = watch->run_count; i-- > 0;) {
		if (!rotated && watch->runs[i].source != sighting->source)
			continue;
		ended(watch, watch->runs[i].begins, line);
		remove_run(watch, i);
		watch->last_ended = sighting->session;
		return;
	}
}

static bool same_program(const struct builtin *builtin, size_t a, size_t b)
{
	const struct sighting *left = builtin_line(builtin, a), *right = builtin_line(builtin, b);
	const struct template *template = builtin->judge->book->patterns[left->pattern]->template;

	if (template_captures(template) == 0)
		return true;
	return left->captures[0].length == right->captures[0].length &&
		memcmp(left->matched + left->captures[0].at, right->matched + right->captures[0].at,
			left->captures[0].length) == 0;
}

static void take_program(struct watch *watch, size_t line)
{
	if (builtin_is(watch->builtin, line, "started")) {
		if (watch->started != NO_LINE && same_program(watch->builtin, watch->started, line))
			crashed(watch, watch->started, line);
		watch->started = line;
		return;
	}
	if (watch->started != NO_LINE)
		ended(watch, watch->started, line);
	watch->started = NO_LINE;
	watch->run_count = 0;
}

/* Its log, with what was rotated, is silent while the machine's others go on. */
static bool is_gone(const struct watch *watch, const struct run *run)
{
	const struct judge *judge = watch->builtin->judge;
	const struct crash_logs *logs = watch->logs;
	uint32_t group = judge->group[run->source], folder = judge->folder[run->source];
	int64_t own = judge_source_last(judge, run->source), others = STAMP_NONE;

	if (logs->continued[group] > own)
		own = logs->continued[group];
	for (size_t i = logs->first[folder]; i < judge->store->source_count; i++) {
		uint32_t source = logs->latest[i];

		if (judge->folder[source] != folder)
			break;
		if (source == run->source ||
			(judge->group[source] == group && !logs->has_beginning[source]))
			continue;
		others = judge_source_last(judge, source);
		break;
	}
	if (own == STAMP_NONE || others == STAMP_NONE)
		return false;
	return (double)(others - own) > rule_limit(watch->builtin->rule, "quiet") * 1e6;
}

static void judge_group(struct watch *watch)
{
	struct builtin *builtin = watch->builtin;

	watch->run_count = 0;
	watch->started = NO_LINE;
	watch->last_ended = STORE_HOST;
	watch->of_program = false;
	for (size_t i = 0; i < watch->line_count; i++)
		watch->of_program |= builtin_is(builtin, watch->lines[i], "started") ||
			builtin_is(builtin, watch->lines[i], "stopped");
	for (size_t i = 0; i < watch->line_count; i++) {
		size_t line = watch->lines[i];

		if (builtin_is(builtin, line, "begins"))
			take_begins(watch, line);
		else if (builtin_is(builtin, line, "restarted"))
			take_restarted(watch, line);
		else if (builtin_is(builtin, line, "started") ||
			builtin_is(builtin, line, "stopped"))
			take_program(watch, line);
		else
			take_end(watch, line);
	}
	for (size_t i = 0; i < watch->run_count; i++) {
		if (is_gone(watch, &watch->runs[i]))
			crashed(watch, watch->runs[i].begins, NO_LINE);
		else
			watch->unknown = true;
	}
}

static int by_group(const void *a, const void *b)
{
	const struct by_group *left = a, *right = b;

	if (left->group != right->group)
		return left->group < right->group ? -1 : 1;
	return left->line < right->line ? -1 : left->line > right->line;
}

static void judge_groups(struct watch *watch, struct by_group *lines, size_t *order)
{
	struct builtin *builtin = watch->builtin;
	size_t count = builtin->line_count;

	for (size_t i = 0; i < count; i++) {
		uint32_t source = builtin_line(builtin, i)->source;

		lines[i] = (struct by_group){builtin->judge->group[source], i};
	}
	qsort(lines, count, sizeof(lines[0]), by_group);
	for (size_t i = 0; i < count; i++)
		order[i] = lines[i].line;
	for (size_t i = 0, next; i < count; i = next) {
		next = i + 1;
		while (next < count && lines[next].group == lines[i].group)
			next++;
		watch->lines = order + i;
		watch->line_count = next - i;
		judge_group(watch);
	}
}

void builtin_crash(struct builtin *builtin)
{
	struct arena *bench = builtin->judge->bench;
	size_t count = builtin->line_count, before = builtin->list->count;
	struct by_group *lines = arena_alloc(bench, count * sizeof(lines[0]));
	size_t *order = arena_alloc(bench, count * sizeof(order[0]));
	struct watch watch = {.builtin = builtin};

	if (count == 0 || !lines || !order)
		return;
	watch.logs = logs_of(builtin->judge);
	if (!watch.logs)
		return;
	builtin_begin(builtin, &watch.good);
	judge_groups(&watch, lines, order);
	if (watch.good_count > 0 && !watch.unknown && builtin->list->count == before) {
		finding_number(&watch.good, "ended", (double)watch.good_count);
		builtin_end(builtin, &watch.good, VERDICT_PASS, NULL);
	}
}
