/*
 * Whose is a line with the all-zero id? First a line of the same step beside it in the same log
 * tells; then the machines that wait for it; then what was written before it, and after.
 */
#include <stdlib.h>
#include <string.h>

#include "health/judge_private.h"

/* Lines that follow a session's end this soon still tell of it. */
#define AFTER_CLOSING 2000000
/* Told once with the session's id and once without: microseconds, and sightings looked at. */
#define BESIDE 250000
#define BESIDE_LINES 64
/* What does not begin an attempt comes this long before its session's first line at most. */
#define BEFORE_FIRST 5000000
#define CANDIDATES 16   /* that are asked how they went on */
#define AHEAD_LINES 256 /* sightings that are looked at for it */

static bool is_near(int64_t earlier, int64_t later)
{
	return earlier != STAMP_NONE && later >= earlier && later - earlier <= JUDGE_NEAR;
}

static bool is_closed(const struct judge *judge, uint32_t session, const struct sighting *line)
{
	const struct unit *unit = judge->units[session];
	const struct unit_side *side = unit ? unit->sides : NULL;

	while (side && side->side != judge->side[line->source])
		side = side->next;
	return side && side->closed != STAMP_NONE && line->time - side->closed > AFTER_CLOSING;
}

/* A line with an id, in the same log, which says the same of its session. */
static bool is_beside(const struct judge *judge, uint32_t track, const struct sighting *line,
	const struct sighting *other)
{
	return other->session != STORE_HOST && other->time != STAMP_NONE &&
		llabs(other->time - line->time) <= BESIDE &&
		judge->group[other->source] == judge->group[line->source] &&
		judge_same_step(judge, track, line->pattern, other->pattern);
}

/* The nearest one, and of two that are equally near the one before. */
static uint32_t session_beside(const struct judge *judge, uint32_t track, uint32_t number)
{
	const struct sighting *line = judge_line(judge, number);
	const struct sighting *best = NULL, *all = judge->store->sightings;
	size_t count = judge->store->sighting_count;

	for (size_t i = number, n = 0; i-- > 0 && n < BESIDE_LINES; n++) {
		if (all[i].time == STAMP_NONE || line->time - all[i].time > BESIDE)
			break;
		if (is_beside(judge, track, line, &all[i])) {
			best = &all[i];
			break;
		}
	}
	for (size_t i = number + 1, n = 0; i < count && n < BESIDE_LINES; i++, n++) {
		if (all[i].time == STAMP_NONE || all[i].time - line->time > BESIDE)
			break;
		if (!is_beside(judge, track, line, &all[i]))
			continue;
		if (!best || all[i].time - line->time < line->time - best->time)
			best = &all[i];
		break;
	}
	return best ? best->session : STORE_HOST;
}

/* How a session's attempt goes on after a line. */
enum onward { ONWARD_AGAIN, ONWARD_UNKNOWN, ONWARD_ACCEPTED };

static enum onward look_ahead(
	const struct judge *judge, const struct attempt *attempt, uint32_t number)
{
	const struct sighting *line = judge_line(judge, number);
	size_t end = judge->store->sighting_count;

	if (end - number > AHEAD_LINES)
		end = number + AHEAD_LINES;
	for (size_t i = number + 1; i < end; i++) {
		const struct sighting *later = &judge->store->sightings[i];
		const struct rule_pattern *pattern = judge->book->patterns[later->pattern];

		if (later->time == STAMP_NONE || later->time - line->time > JUDGE_NEAR)
			break;
		if (later->session != attempt->machine->unit->session)
			continue;
		if (judge_next_step(judge, attempt, pattern))
			return ONWARD_ACCEPTED;
		if (judge_opens(judge, attempt->machine->track, pattern))
			return ONWARD_AGAIN;
	}
	return ONWARD_UNKNOWN;
}

struct waiting {
	const struct attempt *attempts[CANDIDATES]; /* the last opened first */
	size_t count;
	const struct attempt *furthest;
};

static void add_waiting(struct waiting *waiting, const struct attempt *attempt)
{
	if (waiting->count < CANDIDATES)
		waiting->attempts[waiting->count++] = attempt;
	if (!waiting->furthest || attempt->next_step > waiting->furthest->next_step)
		waiting->furthest = attempt;
}

/* A refusal is that of the session that begins anew, or does not go on; of the oldest of them. */
static const struct attempt *refused(
	const struct judge *judge, const struct waiting *waiting, uint32_t line)
{
	const struct attempt *best = waiting->attempts[0];
	enum onward least = ONWARD_ACCEPTED;

	for (size_t i = 0; waiting->count > 1 && i < waiting->count; i++) {
		enum onward onward = look_ahead(judge, waiting->attempts[i], line);

		if (onward <= least) {
			best = waiting->attempts[i];
			least = onward;
		}
	}
	return best;
}

/* The session whose attempt waits for this line; in the same log before the same folder. */
static uint32_t session_waiting(const struct judge *judge, uint32_t track, uint32_t line)
{
	const struct sighting *sighting = judge_line(judge, line);
	const struct rule_pattern *pattern = judge->book->patterns[sighting->pattern];
	uint32_t group = judge->group[sighting->source];
	const struct attempt *attempt = judge->tracks[track].newest_open;
	struct waiting same = {.count = 0}, beside = {.count = 0};
	const struct waiting *waiting = &same;

	for (unsigned i = 0; attempt && i < JUDGE_NEAR_CANDIDATES; i++, attempt = attempt->older) {
		const struct sighting *opening = judge_line(judge, attempt->first);
		uint32_t session = attempt->machine->unit->session;

		if (!is_near(opening->time, sighting->time))
			break;
		if (session == STORE_HOST || !judge_awaits(judge, attempt, pattern) ||
			is_closed(judge, session, sighting))
			continue;
		if (judge->group[opening->source] == group ||
			judge->group_place[group].session == session)
			add_waiting(&same, attempt);
		else if (judge->folder[opening->source] == judge->folder[sighting->source])
			add_waiting(&beside, attempt);
	}
	if (same.count == 0)
		waiting = &beside;
	if (waiting->count == 0)
		return STORE_HOST;
	if (judge_refuses(judge, track, pattern))
		return refused(judge, waiting, line)->machine->unit->session;
	return waiting->furthest->machine->unit->session;
}

static uint32_t session_by_track(const struct judge *judge, uint32_t track, uint32_t line)
{
	uint32_t session = session_beside(judge, track, line);

	return session != STORE_HOST ? session : session_waiting(judge, track, line);
}

uint32_t judge_owner(const struct judge *judge, uint32_t line)
{
	const struct sighting *sighting = judge_line(judge, line);
	const struct rule_pattern *pattern = judge->book->patterns[sighting->pattern];
	uint32_t first = judge->first_use[sighting->pattern], session = STORE_HOST;

	if (sighting->session != STORE_HOST || pattern->near != RULE_NEAR_YES ||
		sighting->time == STAMP_NONE)
		return STORE_HOST;
	for (uint32_t i = 0; session == STORE_HOST && i < judge->use_count[sighting->pattern];
		i++) {
		const struct judge_use *use = &judge->uses[first + i];

		if (judge->book->rules[use->rule] == pattern->rule && use->track != JUDGE_BUILTIN &&
			use->track != JUDGE_ASKED)
			session = session_by_track(judge, use->track, line);
	}
	return session;
}

/* The session with the last line before this one. */
static uint32_t session_before(const struct judge *judge, const struct sighting *sighting)
{
	const struct place *places[2] = {&judge->group_place[judge->group[sighting->source]],
		&judge->folder_place[judge->folder[sighting->source]]};

	for (size_t i = 0; i < 2; i++)
		if (places[i]->session != STORE_HOST && is_near(places[i]->time, sighting->time) &&
			!is_closed(judge, places[i]->session, sighting))
			return places[i]->session;
	return STORE_HOST;
}

/* The session that begins after the line. A client greets before it tells its log the new id. */
static uint32_t session_after(
	const struct judge *judge, uint32_t track, const struct sighting *line, uint32_t number)
{
	uint32_t next = judge->next_session[number];
	bool opens = track != JUDGE_BUILTIN && track != JUDGE_ASKED &&
		judge_opens(judge, track, judge->book->patterns[line->pattern]);

	if (next != STORE_HOST && !opens &&
		judge->store->sessions[next].first - line->time > BEFORE_FIRST)
		return STORE_HOST;
	return next;
}

uint32_t judge_near_session(
	const struct judge *judge, const struct judge_use *use, uint32_t line, uint32_t owner)
{
	const struct sighting *sighting = judge_line(judge, line);
	bool is_track = use->track != JUDGE_BUILTIN && use->track != JUDGE_ASKED;
	uint32_t session = STORE_HOST, next;

	if (sighting->time == STAMP_NONE)
		return STORE_HOST;
	if (is_track)
		session = session_by_track(judge, use->track, line);
	if (session == STORE_HOST)
		session = owner;
	if (session != STORE_HOST)
		return session;
	session = session_before(judge, sighting);
	next = session_after(judge, use->track, sighting, line);
	if (session == STORE_HOST)
		return next;
	if (next != STORE_HOST && is_track && judge->units[session] &&
		judge_begins_again(judge, judge->units[session], use->track,
			judge->book->patterns[sighting->pattern]))
		return next;
	return session;
}
