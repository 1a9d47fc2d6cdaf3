#include "health/scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/scan_private.h"

struct scanner {
	const struct rule_book *book;
	const struct matcher *matcher;
	struct finder *finder;
	size_t longest;
	uint32_t serial;          /* of the line with hits */
	uint32_t *literal_serial; /* by literal: the last line that had it */
	uint32_t *rule_serial;    /* by rule: the last line that it was given */
	uint16_t *pattern_rule;   /* by pattern: its rule's number */
	uint16_t *candidates;
	size_t candidate_count;
};

struct work { /* on one block */
	struct scanner *scanner;
	struct scan_result *result;
	struct scan_tracker tracker;
	const struct scan_before *before;
	const char *bytes;
	struct scan_before inherited; /* of tracker.head, for `inherited_of` */
	const char *inherited_of;
};

struct line {
	const char *at;
	size_t length;
	uint32_t number;
	bool has_xml;
};

static uint16_t rule_number(const struct rule_book *book, const struct rule *rule)
{
	uint16_t number = 0;

	while (number < book->rule_count && book->rules[number] != rule)
		number++;
	assert(number < book->rule_count);
	return number;
}

struct scanner *scan_new(
	const struct rule_book *book, const struct matcher *matcher, size_t longest)
{
	struct scanner *scanner = calloc(1, sizeof(*scanner));

	if (scanner == NULL)
		return NULL;
	scanner->book = book;
	scanner->matcher = matcher;
	scanner->longest = longest;
	scanner->finder = matcher_finder_new(matcher);
	scanner->literal_serial = calloc(matcher_literals(matcher) + 1, sizeof(uint32_t));
	scanner->rule_serial = calloc(book->rule_count + 1, sizeof(uint32_t));
	scanner->pattern_rule = calloc(book->pattern_count + 1, sizeof(uint16_t));
	scanner->candidates = calloc(book->pattern_count + 1, sizeof(uint16_t));
	if (scanner->finder == NULL || scanner->literal_serial == NULL ||
		scanner->rule_serial == NULL || scanner->pattern_rule == NULL ||
		scanner->candidates == NULL) {
		scan_free(scanner);
		return NULL;
	}
	for (size_t i = 0; i < book->pattern_count; i++)
		scanner->pattern_rule[i] = rule_number(book, book->patterns[i]->rule);
	return scanner;
}

void scan_free(struct scanner *scanner)
{
	if (scanner == NULL)
		return;
	matcher_finder_free(scanner->finder);
	free(scanner->literal_serial);
	free(scanner->rule_serial);
	free(scanner->pattern_rule);
	free(scanner->candidates);
	free(scanner);
}

/* Room for one more hit; NULL and *ret_error 0: there are too many. */
static struct scan_hit *hit_new(struct scan_result *result, int *ret_error)
{
	size_t capacity = result->hit_capacity * 2 + 64;
	struct scan_hit *hits;

	*ret_error = 0;
	if (result->hit_count == SCAN_HITS_MAXIMUM) {
		result->hits_dropped++;
		return NULL;
	}
	if (result->hit_count == result->hit_capacity) {
		hits = realloc(result->hits, capacity * sizeof(*hits));
		if (hits == NULL) {
			*ret_error = ERROR_MEMORY;
			return NULL;
		}
		result->hits = hits;
		result->hit_capacity = capacity;
	}
	return &result->hits[result->hit_count++];
}

/* The patterns that have one of the line's literals, in the order of the book. */
static void candidates_collect(
	struct scanner *scanner, const struct match *matches, size_t count, struct line *line)
{
	const struct matcher *matcher = scanner->matcher;
	uint16_t *candidates = scanner->candidates;

	scanner->candidate_count = 0;
	scanner->serial++;
	for (size_t i = 0; i < count; i++) {
		uint16_t literal = matches[i].literal;
		const uint16_t *patterns;
		size_t pattern_count;

		if (scanner->literal_serial[literal] == scanner->serial)
			continue;
		scanner->literal_serial[literal] = scanner->serial;
		if (literal == matcher_xml(matcher))
			line->has_xml = true;
		patterns = matcher_patterns(matcher, literal, &pattern_count);
		for (size_t j = 0; j < pattern_count; j++) {
			size_t at = scanner->candidate_count++;

			for (; at > 0 && candidates[at - 1] > patterns[j]; at--)
				candidates[at] = candidates[at - 1];
			candidates[at] = patterns[j];
		}
	}
}

bool scan_component_fits(const struct rule_pattern *pattern, const char *component, size_t length)
{
	if (pattern->component_count == 0)
		return true;
	for (size_t i = 0; i < pattern->component_count; i++) {
		if (strlen(pattern->components[i]) == length &&
			memcmp(pattern->components[i], component, length) == 0)
			return true;
	}
	return false;
}

/* The head that a line has or continues; NULL: not known. `head`: of the line that was tracked
 * last. */
static const struct scan_before *before_line(
	struct work *work, const struct line *line, const struct head *head)
{
	struct head last;

	if (work->tracker.head == NULL)
		return work->before;
	if (work->inherited_of != work->tracker.head) {
		if (line == NULL || line->at != work->tracker.head) {
			head_read(work->tracker.head, work->tracker.head_length, &last);
			head = &last;
		}
		scan_track_before(head, &work->inherited);
		work->inherited_of = work->tracker.head;
	}
	return &work->inherited;
}

static int hit_later(struct work *work, const struct line *line)
{
	int error;
	struct scan_hit *hit = hit_new(work->result, &error);

	if (hit == NULL)
		return error;
	memset(hit, 0, sizeof(*hit));
	hit->kind = SCAN_LATER;
	hit->time = STAMP_NONE;
	hit->at = (uint32_t)(line->at - work->bytes);
	hit->length = (uint32_t)line->length;
	hit->line = line->number;
	return 0;
}

/* Whose line: the track of its id, or of the id it inherits. */
static int track_of(struct work *work, const struct scan_before *from, uint32_t *ret_track)
{
	*ret_track = SCAN_TRACK_NONE;
	if (from == &work->inherited) /* the head is one of this block */
		*ret_track = work->tracker.head_track;
	else if (from->has_id)
		return scan_track_find(work->result, &from->id, ret_track);
	return 0;
}

static int hits_add(struct work *work, const struct line *line, const struct head *head,
	const struct scan_before *from)
{
	struct scanner *scanner = work->scanner;
	struct scan_hit hit = {
		.kind = SCAN_LINE,
		.family = from->family,
		.time = from->time,
		.at = (uint32_t)(line->at - work->bytes),
		.length = (uint32_t)line->length,
		.line = line->number,
		.message_at = (uint32_t)(head->message - line->at),
		.message_length = (uint32_t)head->message_length,
	};
	struct scan_hit *place;
	int error = track_of(work, from, &hit.track);

	if (error == 0 && line->has_xml) {
		place = hit_new(work->result, &error);
		if (place != NULL) {
			*place = hit;
			place->kind = SCAN_XML;
		}
	}
	for (size_t i = 0; error == 0 && i < scanner->candidate_count; i++) {
		uint16_t number = scanner->candidates[i], rule = scanner->pattern_rule[number];
		const struct rule_pattern *pattern = scanner->book->patterns[number];

		if (scanner->rule_serial[rule] == scanner->serial ||
			!scan_component_fits(pattern, from->component, from->component_length) ||
			!template_match(pattern->template, head->message, head->message_length,
				hit.captures))
			continue;
		scanner->rule_serial[rule] = scanner->serial;
		place = hit_new(work->result, &error);
		if (place != NULL) {
			*place = hit;
			place->pattern = number;
		}
	}
	return error;
}

/* A line with literals: given to the patterns that have them. It is tracked already: a line with a
 * head inherits from itself. */
static int line_with_matches(
	struct work *work, struct line *line, const struct match *matches, size_t count)
{
	const struct scan_before *from;
	struct head head;

	scan_track_head(&work->tracker, line->at, line->length, &head);
	from = before_line(work, line, &head);
	if (from == NULL)
		return hit_later(work, line);
	candidates_collect(work->scanner, matches, count, line);
	return hits_add(work, line, &head, from);
}

/* Walks over the lines of a part of the block, whose matches are known. */
static int part_walk(struct work *work, size_t begin, size_t end, const struct match *matches,
	size_t match_count)
{
	struct scan_result *result = work->result;
	const char *at = work->bytes + begin, *stop = work->bytes + end;
	size_t next = 0;
	int error = 0;

	while (at < stop && error == 0) {
		const char *line_end = memchr(at, '\n', (size_t)(stop - at));
		struct line line = {.at = at, .number = result->lines++};
		size_t first = next;

		if (line_end == NULL)
			line_end = stop;
		line.length = (size_t)(line_end - at);
		if (line.length > work->scanner->longest) {
			line.length = work->scanner->longest;
			result->lines_long++;
		}
		if (line.length > 0 && at[line.length - 1] == '\r')
			line.length--;
		error = scan_track_line(&work->tracker, at, line.length, line.number);
		while (next < match_count &&
			matches[next].end <= (size_t)(line_end - work->bytes) - begin)
			next++;
		if (next > first && error == 0)
			error = line_with_matches(work, &line, &matches[first], next - first);
		at = line_end + 1;
	}
	return error;
}

int scan_block(struct scanner *scanner, const char *bytes, size_t length,
	const struct scan_before *before, struct scan_result *result)
{
	struct work work = {
		.scanner = scanner,
		.result = result,
		.before = before,
		.bytes = bytes,
	};
	size_t begin = 0;
	int error = scan_track_begin(&work.tracker, result);

	assert(length <= SCAN_BLOCK_MAXIMUM);
	while (begin < length && error == 0) {
		const struct match *matches;
		size_t count, searched;

		error = matcher_find(scanner->finder, bytes + begin, length - begin, &matches,
			&count, &searched);
		if (error != 0)
			break;
		error = part_walk(&work, begin, begin + searched, matches, count);
		begin += searched;
	}
	if (error != 0)
		return error;
	result->encoding = encoding_refine(ENCODING_ASCII, bytes, length);
	if (work.tracker.head != NULL)
		result->before = *before_line(&work, NULL, NULL);
	return 0;
}
