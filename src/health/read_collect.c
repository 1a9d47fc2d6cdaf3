#include "health/read_collect.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/read_collect_private.h"

struct read_collector *read_collect_new(
	const struct rule_book *book, const struct matcher *matcher, struct store *store)
{
	struct read_collector *collector = calloc(1, sizeof(*collector));

	if (collector == NULL)
		return NULL;
	collector->book = book;
	collector->matcher = matcher;
	collector->store = store;
	collector->scanner = scan_new(book, matcher, READ_LINE_MAXIMUM);
	scan_result_init(&collector->later);
	if (collector->scanner == NULL) {
		free(collector);
		return NULL;
	}
	return collector;
}

void read_collect_free(struct read_collector *collector)
{
	if (collector == NULL)
		return;
	scan_free(collector->scanner);
	scan_result_free(&collector->later);
	free(collector->sessions);
	free(collector);
}

const struct scan_before *read_collect_before(const struct read_collector *collector)
{
	return &collector->before;
}

uint64_t read_collect_lines(const struct read_collector *collector)
{
	return collector->all_lines;
}

static void source_begin(struct read_collector *collector, uint32_t source)
{
	collector->source = source;
	collector->lines = 0;
	collector->end = STAMP_NONE;
	collector->has_ids = false;
	memset(collector->families, 0, sizeof(collector->families));
	memset(&collector->before, 0, sizeof(collector->before));
	collector->before.time = STAMP_NONE;
	for (size_t i = 0; i < READ_MESSAGES; i++)
		collector->messages[i].used = false;
}

/* Line numbers count from 1 and stay at the largest that there is room for. */
static uint32_t line_number(const struct read_collector *collector, uint32_t line)
{
	uint64_t number = collector->lines + line + 1;

	return number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

static void times_join(int64_t *first, int64_t *last, int64_t more_first, int64_t more_last)
{
	if (more_first == STAMP_NONE)
		return;
	if (*first == STAMP_NONE || more_first < *first)
		*first = more_first;
	if (*last == STAMP_NONE || more_last > *last)
		*last = more_last;
}

static void session_join(
	struct read_collector *collector, uint32_t number, const struct scan_track *track)
{
	struct session *session = &collector->store->sessions[number];

	session->lines += track->lines;
	times_join(&session->first, &session->last, track->first, track->last);
	if (track->host_first != STAMP_NONE &&
		(session->host_first == STAMP_NONE || track->host_first < session->host_first)) {
		session->host_first = track->host_first;
		session->host_source = collector->source;
		session->host_line = line_number(collector, track->host_line);
	}
}

static void session_lost(
	struct read_collector *collector, const struct scan_track *track, bool has_id)
{
	struct session lost = {.has_id = has_id,
		.id = track->id,
		.source = collector->source,
		.first = track->first,
		.last = track->last,
		.lines = track->lines};

	store_session_lost(collector->store, &lost);
}

static int sessions_join(struct read_collector *collector, const struct scan_result *result)
{
	struct store *store = collector->store;
	const struct scan_track *none = &result->tracks[SCAN_TRACK_NONE];

	if (result->track_count > collector->session_capacity) {
		uint32_t *sessions =
			realloc(collector->sessions, result->track_capacity * sizeof(*sessions));

		if (sessions == NULL)
			return ERROR_MEMORY;
		collector->sessions = sessions;
		collector->session_capacity = result->track_capacity;
	}
	collector->sessions[SCAN_TRACK_NONE] = STORE_HOST;
	collector->sessions[SCAN_TRACK_ZERO] = STORE_HOST;
	if (result->track_count > SCAN_TRACK_ZERO + 1 || result->tracks[SCAN_TRACK_ZERO].lines > 0)
		collector->has_ids = true;
	store->sessions[STORE_HOST].lines += result->tracks[SCAN_TRACK_ZERO].lines;
	for (uint32_t i = SCAN_TRACK_ZERO + 1; i < result->track_count; i++) {
		const struct scan_track *track = &result->tracks[i];

		collector->sessions[i] = store_session(store, &track->id);
		if (collector->sessions[i] != STORE_HOST)
			session_join(collector, collector->sessions[i], track);
		else
			session_lost(collector, track, true);
	}
	if (none->first != STAMP_NONE && read_hit_stands_for_session(collector, none->family)) {
		uint32_t number = store_session_of_source(store, collector->source);

		if (number != STORE_HOST)
			session_join(collector, number, none);
		else
			session_lost(collector, none, false);
	} else {
		store->sessions[STORE_HOST].lines += none->lines;
	}
	return 0;
}

/* A line at the start of a block: what it continues is known by now. */
static int later_add(struct read_collector *collector, const char *line, const struct scan_hit *hit)
{
	struct scan_result *later = &collector->later;
	int error = scan_block(collector->scanner, line, hit->length, &collector->before, later);

	collector->store->sightings_dropped += later->hits_dropped;
	for (size_t i = 0; i < later->hit_count && error == 0; i++) {
		const struct scan_hit *found = &later->hits[i];
		const struct scan_track *track = &later->tracks[found->track];

		error = read_hit_add(collector, line, found, track,
			store_session(collector->store, &track->id),
			line_number(collector, hit->line));
	}
	return error;
}

static int hits_join(struct read_collector *collector, const struct read_block *block,
	const struct scan_result *result)
{
	int error = 0;

	collector->line = NULL;
	collector->store->sightings_dropped += result->hits_dropped;
	for (size_t i = 0; i < result->hit_count && error == 0; i++) {
		const struct scan_hit *hit = &result->hits[i];
		const char *line = block->bytes + hit->at;

		if (hit->kind == SCAN_LATER)
			error = later_add(collector, line, hit);
		else
			error = read_hit_add(collector, line, hit, &result->tracks[hit->track],
				collector->sessions[hit->track], line_number(collector, hit->line));
	}
	return error;
}

static void gap_join(struct read_collector *collector, struct source *source, int64_t gap,
	int64_t from, uint32_t line)
{
	if (gap <= source->gap)
		return;
	source->gap = gap;
	source->gap_from = from;
	source->gap_line = line_number(collector, line);
}

static void source_join(struct read_collector *collector, const struct scan_result *result)
{
	struct source *source = &collector->store->sources[collector->source];

	source->lines += result->lines;
	source->lines_long += result->lines_long;
	if (source->kind == STAMP_KIND_NONE)
		source->kind = result->kind;
	if (source->encoding == ENCODING_ASCII || source->encoding == ENCODING_UTF8) {
		if (result->encoding == ENCODING_UTF8 || result->encoding == ENCODING_LATIN1)
			source->encoding = result->encoding;
	}
	times_join(&source->first, &source->last, result->first, result->last);
	if (collector->end != STAMP_NONE && result->begin != STAMP_NONE)
		gap_join(collector, source, result->begin - collector->end, collector->end,
			result->begin_line);
	gap_join(collector, source, result->gap, result->gap_from, result->gap_line);
	if (result->end != STAMP_NONE)
		collector->end = result->end;
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		collector->families[i] += result->families[i];
	if (result->before.family != FAMILY_NONE)
		collector->before = result->before;
	collector->lines += result->lines;
	collector->all_lines += result->lines;
}

static void source_end(struct read_collector *collector)
{
	struct source *source = &collector->store->sources[collector->source];
	enum family family = FAMILY_NONE;

	for (unsigned i = 0; i < FAMILY_COUNT; i++) {
		if (collector->families[i] > collector->families[family])
			family = (enum family)i;
	}
	source->family = family == FAMILY_NONE && source->lines > 0 ? FAMILY_TOOL : family;
}

int read_collect_block(struct read_collector *collector, const struct read_block *block,
	const struct scan_result *result)
{
	int error;

	if (block->first)
		source_begin(collector, block->source);
	error = sessions_join(collector, result);
	if (error == 0)
		error = hits_join(collector, block, result);
	if (error != 0)
		return error;
	source_join(collector, result);
	if (block->last)
		source_end(collector);
	return 0;
}
