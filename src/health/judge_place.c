#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/judge_private.h"

struct named {
	const char *name;
	uint32_t source;
};

static int by_name(const void *a, const void *b)
{
	const struct named *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	if (order != 0)
		return order;
	return left->source < right->source ? -1 : left->source > right->source;
}

static const char *name_of(const char *name)
{
	return name ? name : "";
}

/* Gives equal names the same number; the count. */
static size_t number_names(struct named *names, size_t count, uint32_t *numbers)
{
	size_t number = 0;

	qsort(names, count, sizeof(names[0]), by_name);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && strcmp(names[i].name, names[i - 1].name) != 0)
			number++;
		numbers[names[i].source] = (uint32_t)number;
	}
	return count > 0 ? number + 1 : 0;
}

/* A client's logs and a host's in one folder are logs of two machines. */
static bool is_client(enum family family)
{
	return family == FAMILY_CLIENT || family == FAMILY_ZERO || family == FAMILY_UPTIME;
}

static void *array(struct judge *judge, size_t count, size_t size)
{
	return arena_alloc(judge->scratch, count * size);
}

static int make_arrays(struct judge *judge)
{
	size_t groups = judge->group_count, folders = judge->folder_count;

	judge->group_last = array(judge, groups, sizeof(judge->group_last[0]));
	judge->group_place = array(judge, groups, sizeof(judge->group_place[0]));
	judge->folder_place = array(judge, folders, sizeof(judge->folder_place[0]));
	judge->group_unit = array(judge, groups, sizeof(judge->group_unit[0]));
	judge->folder_unit = array(judge, folders, sizeof(judge->folder_unit[0]));
	judge->folder_seen = array(judge, folders, sizeof(judge->folder_seen[0]));
	judge->group_seen = array(judge, groups, sizeof(judge->group_seen[0]));
	judge->machine_seen = array(judge, folders, sizeof(judge->machine_seen[0]));
	judge->session_seen =
		array(judge, judge->store->session_count, sizeof(judge->session_seen[0]));
	judge->units = array(
		judge, judge->store->session_count + groups + folders, sizeof(judge->units[0]));
	if (arena_lacking(judge->scratch))
		return ERROR_MEMORY;
	for (size_t i = 0; i < groups; i++)
		judge->group_last[i] = STAMP_NONE;
	return 0;
}

void judge_begin(struct judge *judge)
{
	for (size_t i = 0; i < judge->group_count; i++) {
		judge->group_place[i] = (struct place){STORE_HOST, STAMP_NONE};
		judge->group_unit[i] = JUDGE_NOBODY;
	}
	for (size_t i = 0; i < judge->folder_count; i++) {
		judge->folder_place[i] = (struct place){STORE_HOST, STAMP_NONE};
		judge->folder_unit[i] = JUDGE_NOBODY;
	}
	judge->unit_count = judge->store->session_count;
	judge->unit_capacity = judge->unit_count + judge->folder_count + judge->group_count;
	for (size_t i = 0; i < judge->unit_capacity; i++)
		judge->units[i] = NULL;
	for (size_t i = 0; i < judge->track_count; i++)
		judge->tracks[i].newest_open = NULL;
}

/* From the last line to the first: which session begins after it. */
static int find_next(struct judge *judge)
{
	const struct store *store = judge->store;
	struct place *next = array(judge, judge->group_count, sizeof(next[0]));

	judge->next_session = array(judge, store->sighting_count, sizeof(judge->next_session[0]));
	if (arena_lacking(judge->scratch))
		return ERROR_MEMORY;
	for (size_t i = store->sighting_count; i-- > 0;) {
		const struct sighting *line = &store->sightings[i];
		struct place *place = &next[judge->group[line->source]];

		if (line->time == STAMP_NONE)
			continue;
		if (line->session != STORE_HOST)
			*place = (struct place){line->session, line->time};
		else if (place->session != STORE_HOST && place->time - line->time <= JUDGE_NEAR &&
			store->sessions[place->session].first >= line->time)
			judge->next_session[i] = place->session;
	}
	return 0;
}

/* Clocks that threads read a moment apart are not set back. */
#define SET_BACK 2000000

struct furthest { /* line of a log, and when */
	uint32_t line;
	int64_t time;
};

static int find_set_back(struct judge *judge)
{
	const struct store *store = judge->store;
	struct furthest *furthest = array(judge, store->source_count, sizeof(furthest[0]));

	judge->set_back = array(judge, store->sighting_count, sizeof(judge->set_back[0]));
	if (arena_lacking(judge->scratch))
		return ERROR_MEMORY;
	for (size_t i = 0; i < store->sighting_count; i++) {
		const struct sighting *line = &store->sightings[i];
		struct furthest *last = &furthest[line->source];

		if (line->time == STAMP_NONE)
			continue;
		judge->set_back[i] = line->line < last->line && line->time - last->time > SET_BACK;
		if (line->line > last->line)
			*last = (struct furthest){line->line, line->time};
	}
	return 0;
}

int64_t judge_source_last(const struct judge *judge, uint32_t source)
{
	int64_t last = judge->store->sources[source].last, until = judge->store->until;

	return until != STAMP_NONE && last > until ? until : last;
}

int judge_places(struct judge *judge)
{
	const struct store *store = judge->store;
	size_t count = store->source_count;
	struct named *names = array(judge, count, sizeof(names[0]));

	judge->group = array(judge, count, sizeof(judge->group[0]));
	judge->folder = array(judge, count, sizeof(judge->folder[0]));
	judge->side = array(judge, count, sizeof(judge->side[0]));
	if (arena_lacking(judge->scratch))
		return ERROR_MEMORY;
	for (uint32_t i = 0; i < count; i++)
		names[i] = (struct named){name_of(store->sources[i].group), i};
	judge->group_count = number_names(names, count, judge->group);
	for (uint32_t i = 0; i < count; i++)
		names[i] = (struct named){name_of(store->sources[i].folder), i};
	judge->folder_count = number_names(names, count, judge->folder);
	if (make_arrays(judge) < 0)
		return ERROR_MEMORY;
	for (uint32_t i = 0; i < count; i++) {
		int64_t *group_last = &judge->group_last[judge->group[i]];
		int64_t last = judge_source_last(judge, i);

		judge->side[i] = judge->folder[i] * 2 + is_client(store->sources[i].family);
		if (last > *group_last)
			*group_last = last;
	}
	return find_next(judge) < 0 || find_set_back(judge) < 0 ? ERROR_MEMORY : 0;
}

const struct sighting *judge_line(const struct judge *judge, uint32_t line)
{
	assert(line < judge->store->sighting_count);
	return &judge->store->sightings[line];
}

static bool is_absolute(enum stamp_kind kind)
{
	return kind == STAMP_KIND_UTC || kind == STAMP_KIND_OFFSET;
}

bool judge_comparable(const struct judge *judge, uint32_t a, uint32_t b)
{
	const struct sighting *left = judge_line(judge, a), *right = judge_line(judge, b);
	enum stamp_kind kinds[2] = {judge->store->sources[left->source].kind,
		judge->store->sources[right->source].kind};

	if (left->time == STAMP_NONE || right->time == STAMP_NONE)
		return false;
	if (left->source == right->source)
		return true;
	if (is_absolute(kinds[0]) && is_absolute(kinds[1]))
		return true;
	/* Unmarked times: one machine has one zone. Uptimes start again with each program. */
	if (kinds[0] != kinds[1])
		return false;
	if (kinds[0] == STAMP_KIND_UPTIME)
		return judge->group[left->source] == judge->group[right->source];
	return judge->folder[left->source] == judge->folder[right->source];
}

bool judge_close(const struct judge *judge, uint32_t a, uint32_t b, int64_t window)
{
	const struct sighting *left = judge_line(judge, a), *right = judge_line(judge, b);

	if (left->time != STAMP_NONE && right->time != STAMP_NONE)
		return judge_comparable(judge, a, b) && llabs(left->time - right->time) <= window;
	return left->source == right->source &&
		llabs((int64_t)left->line - (int64_t)right->line) <= JUDGE_NEAR_LINES;
}

static struct unit *unit_new(struct judge *judge, uint32_t session, uint32_t folder)
{
	struct unit *unit = arena_alloc(judge->moving, sizeof(*unit));

	if (!unit)
		return NULL;
	unit->session = session;
	unit->line = JUDGE_NOBODY;
	unit->host_line = JUDGE_NOBODY;
	unit->connected = JUDGE_NOBODY;
	unit->anew = JUDGE_NOBODY;
	unit->seen = session == STORE_HOST ? &judge->machine_seen[folder]
					   : &judge->session_seen[session];
	return unit;
}

struct unit *judge_session_unit(struct judge *judge, uint32_t session)
{
	assert(session < judge->store->session_count);
	if (!judge->units[session])
		judge->units[session] = unit_new(judge, session, 0);
	return judge->units[session];
}

/* The lines of a machine that belong to no session. Without time, only lines of one log have an
 * order. */
struct unit *judge_machine_unit(struct judge *judge, uint32_t source, int64_t time)
{
	uint32_t folder = judge->folder[source];
	uint32_t *number = &judge->folder_unit[folder];
	struct unit *unit;

	if (time == STAMP_NONE)
		number = &judge->group_unit[judge->group[source]];
	if (*number != JUDGE_NOBODY)
		return judge->units[*number];
	if (judge->unit_count == judge->unit_capacity)
		return NULL;
	unit = unit_new(judge, STORE_HOST, folder);
	if (!unit)
		return NULL;
	*number = (uint32_t)judge->unit_count;
	judge->units[judge->unit_count++] = unit;
	return unit;
}

struct unit *judge_unit(
	struct judge *judge, const struct judge_use *use, uint32_t line, uint32_t owner)
{
	const struct sighting *sighting = judge_line(judge, line);
	const struct rule_pattern *pattern = judge->book->patterns[sighting->pattern];
	uint32_t session = sighting->session;

	if (judge->book->rules[use->rule]->scope == RULE_SCOPE_HOST)
		return judge_machine_unit(judge, sighting->source, sighting->time);
	if (session == STORE_HOST && pattern->near == RULE_NEAR_YES)
		session = judge_near_session(judge, use, line, owner);
	if (session != STORE_HOST)
		return judge_session_unit(judge, session);
	return judge_machine_unit(judge, sighting->source, sighting->time);
}

static struct unit_side *side_of(struct judge *judge, struct unit *unit, uint32_t number)
{
	struct unit_side *side = unit->sides;

	while (side && side->side != number)
		side = side->next;
	if (side)
		return side;
	side = arena_alloc(judge->moving, sizeof(*side));
	if (!side)
		return NULL;
	*side = (struct unit_side){unit->sides, number, STAMP_NONE, STAMP_NONE};
	unit->sides = side;
	return side;
}

static void place_side(struct judge *judge, struct unit *unit, const struct sighting *sighting)
{
	struct unit_side *side = side_of(judge, unit, judge->side[sighting->source]);

	if (!side)
		return;
	if (sighting->time > side->last)
		side->last = sighting->time;
	/* What is closed stays closed until it begins again. */
	if (judge->opens[sighting->pattern])
		side->closed = STAMP_NONE;
	else if (judge->closes[sighting->pattern] && side->closed == STAMP_NONE)
		side->closed = sighting->time;
}

void judge_place_line(struct judge *judge, struct unit *unit, uint32_t line)
{
	const struct store *store = judge->store;
	const struct sighting *sighting = judge_line(judge, line);

	if (unit->line == JUDGE_NOBODY)
		unit->line = line;
	place_side(judge, unit, sighting);
	if (judge->connects[sighting->pattern])
		unit->connected = line;
	if (unit->session == STORE_HOST)
		return;
	if (unit->host_line == JUDGE_NOBODY && sighting->session == unit->session &&
		sighting->source == store->sessions[unit->session].host_source &&
		sighting->line >= store->sessions[unit->session].host_line)
		unit->host_line = line;
	if (sighting->session == STORE_HOST)
		return;
	judge->group_place[judge->group[sighting->source]] =
		(struct place){unit->session, sighting->time};
	judge->folder_place[judge->folder[sighting->source]] =
		(struct place){unit->session, sighting->time};
}

int64_t judge_side_last(const struct judge *judge, const struct unit *unit, uint32_t line)
{
	uint32_t source = judge_line(judge, line)->source;
	int64_t last = judge->group_last[judge->group[source]];

	for (const struct unit_side *side = unit->sides; side; side = side->next)
		if (side->side == judge->side[source] && side->last > last)
			last = side->last;
	return last;
}
