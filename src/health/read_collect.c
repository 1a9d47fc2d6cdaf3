#include "health/read_collect.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/xml_lines.h"

#define XML_MARK ":XML:"

struct message { /* a broker message in the making */
	bool used;
	uint64_t touched;
	struct session_id id;
	struct xml_lines lines;
};

struct read_collector {
	const struct rule_book *book;
	const struct matcher *matcher;
	struct store *store;
	struct scanner *scanner; /* for lines that were left for later */
	struct scan_result later;
	uint64_t all_lines;
	uint32_t *
		sessions; /* by track of the block: its session, STORE_HOST when there is no room */
	size_t session_capacity;
	/* of the source */
	uint32_t source;
	uint64_t lines;
	int64_t end; /* the last time */
	bool has_ids;
	uint32_t families[FAMILY_COUNT];
	struct scan_before before;
	struct message messages[READ_MESSAGES];
	uint64_t touches;
	/* of the line */
	const char *line; /* the one in `text`; NULL: none */
	bool plain;       /* text is the line, byte by byte */
	size_t text_length;
	char text[STORE_TEXT_MAXIMUM];
};

struct seen { /* while an element is told */
	struct read_collector *collector;
	const struct scan_hit *hit;
	struct sighting sighting;
	int error;
};

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

/* True when lines of this family, without an id but with a time, are those of one session. */
static bool stands_for_session(const struct read_collector *collector, enum family family)
{
	return !collector->has_ids && family != FAMILY_NONE && family != FAMILY_PANEL &&
		family != FAMILY_TOOL;
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
		else if (track->lines > 1)
			store->sessions_dropped += track->lines - 1; /* the store counted one */
	}
	if (none->first != STAMP_NONE && stands_for_session(collector, none->family)) {
		uint32_t number = store_session_of_source(store, collector->source);

		if (number != STORE_HOST)
			session_join(collector, number, none);
	} else {
		store->sessions[STORE_HOST].lines += none->lines;
	}
	return 0;
}

/* False: a session for which there was no room. */
static bool session_of_hit(struct read_collector *collector, const struct scan_hit *hit,
	uint32_t track_session, uint32_t *ret_session)
{
	*ret_session = STORE_HOST;
	if (hit->track > SCAN_TRACK_ZERO) {
		*ret_session = track_session;
		return track_session != STORE_HOST;
	}
	if (hit->track == SCAN_TRACK_NONE && hit->time != STAMP_NONE &&
		stands_for_session(collector, hit->family)) {
		*ret_session = store_session_of_source(collector->store, collector->source);
		return *ret_session != STORE_HOST;
	}
	return true;
}

static bool is_plain(const char *bytes, size_t length)
{
	unsigned char other = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];

		other |= (unsigned char)((c < 0x20 && c != '\t') || c > 0x7e);
	}
	return other == 0;
}

/* Makes the line's clean text; once for all patterns that know it. */
static void text_make(struct read_collector *collector, const char *line, size_t length)
{
	if (collector->line == line)
		return;
	collector->line = line;
	collector->plain = length < sizeof(collector->text) && is_plain(line, length);
	if (collector->plain) {
		memcpy(collector->text, line, length);
		collector->text[length] = '\0';
		collector->text_length = length;
	} else {
		collector->text_length =
			encoding_clean(line, length, collector->text, sizeof(collector->text));
	}
}

static void captures_cut(struct sighting *sighting, size_t length)
{
	for (size_t i = 0; i < TEMPLATE_CAPTURES; i++) {
		struct capture *capture = &sighting->captures[i];

		if (capture->at > length)
			capture->at = (uint16_t)length;
		if (capture->length > length - capture->at)
			capture->length = (uint16_t)(length - capture->at);
	}
}

/* The text differs from the line, so the captures are found again in the text. */
static size_t match_again(struct read_collector *collector, const struct scan_hit *hit,
	const struct rule_pattern *pattern, struct sighting *sighting)
{
	bool is_ascii = collector->text_length < hit->length &&
		is_plain(collector->text, collector->text_length);
	struct head head;

	head_read(collector->text, collector->text_length, &head);
	sighting->matched = head.message;
	if (template_match(
		    pattern->template, head.message, head.message_length, sighting->captures))
		return head.message_length;
	if (is_ascii)
		memcpy(sighting->captures, hit->captures, sizeof(hit->captures));
	else
		memset(sighting->captures, 0, sizeof(sighting->captures));
	captures_cut(sighting, head.message_length);
	return head.message_length;
}

static int line_add(
	struct read_collector *collector, const struct scan_hit *hit, struct sighting *sighting)
{
	size_t length = hit->message_length;

	sighting->pattern = hit->pattern;
	if (collector->plain) {
		sighting->matched = collector->text + hit->message_at;
		memcpy(sighting->captures, hit->captures, sizeof(hit->captures));
	} else {
		length = match_again(
			collector, hit, collector->book->patterns[hit->pattern], sighting);
	}
	return store_add(collector->store, sighting, length);
}

static bool xml_component_fits(const struct seen *seen, const struct rule_pattern *pattern)
{
	struct head head;

	if (pattern->component_count == 0)
		return true;
	head_read(seen->collector->text, seen->collector->text_length, &head);
	for (size_t i = 0; i < pattern->component_count; i++) {
		if (strlen(pattern->components[i]) == head.component_length &&
			memcmp(pattern->components[i], head.component, head.component_length) == 0)
			return true;
	}
	return false;
}

/* A xml_lines_seen: the patterns of this element, one of each rule. */
static void element_seen(void *context, const char *message, const char *element, const char *text)
{
	struct seen *seen = context;
	const struct rule *taken = NULL;
	char clean[XML_LINES_TEXT * 3 + 1];
	size_t count, length = encoding_clean(text, strlen(text), clean, sizeof(clean));
	const uint16_t *patterns = matcher_xml_patterns(seen->collector->matcher, &count);

	for (size_t i = 0; i < count && seen->error == 0; i++) {
		const struct rule_pattern *pattern = seen->collector->book->patterns[patterns[i]];
		struct sighting *sighting = &seen->sighting;

		/* The patterns of a rule follow each other. */
		if (pattern->rule == taken || strcmp(pattern->xml_element, element) != 0 ||
			(pattern->xml_message != NULL &&
				strcmp(pattern->xml_message, message) != 0) ||
			!xml_component_fits(seen, pattern))
			continue;
		memset(sighting->captures, 0, sizeof(sighting->captures));
		if (pattern->template != NULL &&
			!template_match(pattern->template, clean, length, sighting->captures))
			continue;
		taken = pattern->rule;
		sighting->pattern = pattern->number;
		sighting->matched = clean;
		seen->error = store_add(seen->collector->store, sighting, length);
	}
}

/* The message in the making of this id; the one touched longest ago makes room. */
static struct message *message_of(struct read_collector *collector, const struct session_id *id)
{
	struct message *oldest = &collector->messages[0];

	for (size_t i = 0; i < READ_MESSAGES; i++) {
		struct message *message = &collector->messages[i];

		if (message->used && session_id_equal(&message->id, id)) {
			message->touched = ++collector->touches;
			return message;
		}
		if (oldest->used && (!message->used || message->touched < oldest->touched))
			oldest = message;
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->used = true;
	oldest->id = *id;
	oldest->touched = ++collector->touches;
	return oldest;
}

static int xml_add(struct read_collector *collector, const struct session_id *id, const char *line,
	const struct scan_hit *hit, const struct sighting *sighting)
{
	struct seen seen = {.collector = collector, .hit = hit, .sighting = *sighting};
	const char *mark = memmem(line, hit->length, XML_MARK, strlen(XML_MARK));
	struct message *message;

	if (mark == NULL)
		return 0; /* it stands where the line is no longer looked at */
	mark += strlen(XML_MARK);
	message = message_of(collector, id);
	xml_lines_take(
		&message->lines, mark, (size_t)(line + hit->length - mark), element_seen, &seen);
	return seen.error;
}

static int hit_add(struct read_collector *collector, const char *line, const struct scan_hit *hit,
	const struct scan_track *track, uint32_t track_session, uint32_t number)
{
	struct sighting sighting = {
		.time = hit->time,
		.source = collector->source,
		.line = number,
		.zero_id = hit->track == SCAN_TRACK_ZERO,
		.text = collector->text,
	};

	if (!session_of_hit(collector, hit, track_session, &sighting.session)) {
		collector->store->sightings_dropped++;
		return 0;
	}
	text_make(collector, line, hit->length);
	return hit->kind == SCAN_XML ? xml_add(collector, &track->id, line, hit, &sighting)
				     : line_add(collector, hit, &sighting);
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

		error = hit_add(collector, line, found, track,
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
			error = hit_add(collector, line, hit, &result->tracks[hit->track],
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
