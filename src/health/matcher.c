#include "health/matcher.h"

#include <assert.h>
#include <hs/hs.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define XML_LITERAL ":XML:"
#define NO_END UINT32_MAX

struct literal {
	const char *text;
	size_t length;
	uint16_t *patterns; /* a part of matcher.pattern_numbers */
	size_t pattern_count;
};

struct matcher {
	hs_database_t *database; /* NULL: small */
	struct literal *literals;
	size_t literal_count;
	uint16_t *pattern_numbers;
	uint16_t *xml_patterns;
	size_t xml_pattern_count;
	uint16_t xml;
};

struct finder {
	const struct matcher *matcher;
	hs_scratch_t *scratch;
	struct match *matches;
	size_t count, capacity;
	uint32_t *last;    /* by literal: the end of its last match in this call; NO_END */
	const char *bytes; /* of this call */
	bool one_line;     /* they are one line */
};

struct entry { /* for grouping patterns by literal */
	const char *text;
	uint16_t pattern;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order != 0 ? order : (x->pattern > y->pattern) - (x->pattern < y->pattern);
}

static void literal_add(struct matcher *matcher, const char *text)
{
	matcher->literals[matcher->literal_count++] =
		(struct literal){.text = text, .length = strlen(text)};
}

/* Patterns of lines go to their literals; those of elements are tried when a message is put
 * together. */
static int literals_collect(struct matcher *matcher, const struct rule_book *book)
{
	struct entry *entries = calloc(book->pattern_count + 1, sizeof(*entries));
	size_t count = 0;

	if (entries == NULL)
		return ERROR_MEMORY;
	for (uint16_t i = 0; i < book->pattern_count; i++) {
		const struct rule_pattern *pattern = book->patterns[i];

		if (pattern->xml_element != NULL)
			matcher->xml_patterns[matcher->xml_pattern_count++] = i;
		else
			entries[count++] = (struct entry){
				.text = template_literal(pattern->template), .pattern = i};
	}
	qsort(entries, count, sizeof(*entries), compare_entries);
	for (size_t i = 0; i < count; i++) {
		struct literal *literal;

		if (i == 0 || strcmp(entries[i].text, entries[i - 1].text) != 0) {
			literal_add(matcher, entries[i].text);
			matcher->literals[matcher->literal_count - 1].patterns =
				&matcher->pattern_numbers[i];
		}
		literal = &matcher->literals[matcher->literal_count - 1];
		matcher->pattern_numbers[i] = entries[i].pattern;
		literal->pattern_count++;
	}
	free(entries);
	if (matcher->xml_pattern_count > 0)
		literal_add(matcher, XML_LITERAL);
	matcher->xml = (uint16_t)(matcher->xml_pattern_count > 0 ? matcher->literal_count - 1
								 : matcher->literal_count);
	return 0;
}

static int compile(struct matcher *matcher)
{
	size_t count = matcher->literal_count;
	const char **texts = calloc(count, sizeof(*texts));
	size_t *lengths = calloc(count, sizeof(*lengths));
	unsigned *numbers = calloc(count, sizeof(*numbers));
	unsigned *flags = calloc(count, sizeof(*flags));
	hs_compile_error_t *fault = NULL;
	int error = ERROR_MEMORY;
	hs_error_t result;

	if (texts == NULL || lengths == NULL || numbers == NULL || flags == NULL)
		goto out;
	for (unsigned i = 0; i < count; i++) {
		texts[i] = matcher->literals[i].text;
		lengths[i] = matcher->literals[i].length;
		numbers[i] = i;
	}
	result = hs_compile_lit_multi(texts, flags, numbers, lengths, (unsigned)count,
		HS_MODE_BLOCK, NULL, &matcher->database, &fault);
	error = result == HS_SUCCESS ? 0 : result == HS_NOMEM ? ERROR_MEMORY : ERROR_INPUT;
	hs_free_compile_error(fault);
out:
	free(texts);
	free(lengths);
	free(numbers);
	free(flags);
	return error;
}

int matcher_new(const struct rule_book *book, bool small, struct matcher **ret_matcher)
{
	struct matcher *matcher = calloc(1, sizeof(*matcher));
	int error = ERROR_MEMORY;

	assert(book->pattern_count <= RULE_PATTERNS_MAXIMUM);
	if (matcher == NULL)
		return error;
	/* One literal more than patterns: ":XML:". */
	matcher->literals = calloc(book->pattern_count + 1, sizeof(*matcher->literals));
	matcher->pattern_numbers = calloc(book->pattern_count + 1, sizeof(uint16_t));
	matcher->xml_patterns = calloc(book->pattern_count + 1, sizeof(uint16_t));
	if (matcher->literals == NULL || matcher->pattern_numbers == NULL ||
		matcher->xml_patterns == NULL)
		goto failed;
	error = literals_collect(matcher, book);
	if (error == 0 && !small && matcher->literal_count > 0)
		error = compile(matcher);
	if (error != 0)
		goto failed;
	*ret_matcher = matcher;
	return 0;
failed:
	matcher_free(matcher);
	return error;
}

void matcher_free(struct matcher *matcher)
{
	if (matcher == NULL)
		return;
	hs_free_database(matcher->database);
	free(matcher->literals);
	free(matcher->pattern_numbers);
	free(matcher->xml_patterns);
	free(matcher);
}

size_t matcher_literals(const struct matcher *matcher)
{
	return matcher->literal_count;
}

const uint16_t *matcher_patterns(const struct matcher *matcher, uint16_t literal, size_t *ret_count)
{
	assert(literal < matcher->literal_count);
	*ret_count = matcher->literals[literal].pattern_count;
	return matcher->literals[literal].patterns;
}

uint16_t matcher_xml(const struct matcher *matcher)
{
	return matcher->xml;
}

const uint16_t *matcher_xml_patterns(const struct matcher *matcher, size_t *ret_count)
{
	*ret_count = matcher->xml_pattern_count;
	return matcher->xml_patterns;
}

struct finder *matcher_finder_new(const struct matcher *matcher)
{
	struct finder *finder = calloc(1, sizeof(*finder));

	if (finder == NULL)
		return NULL;
	finder->matcher = matcher;
	/* More than the literals: a single line, with one match of each, always fits. */
	finder->capacity = 16384 + 2 * matcher->literal_count;
	finder->matches = calloc(finder->capacity, sizeof(*finder->matches));
	finder->last = calloc(matcher->literal_count + 1, sizeof(*finder->last));
	if (finder->matches == NULL || finder->last == NULL)
		goto failed;
	if (matcher->database != NULL &&
		hs_alloc_scratch(matcher->database, &finder->scratch) != HS_SUCCESS)
		goto failed;
	return finder;
failed:
	matcher_finder_free(finder);
	return NULL;
}

void matcher_finder_free(struct finder *finder)
{
	if (finder == NULL)
		return;
	hs_free_scratch(finder->scratch);
	free(finder->matches);
	free(finder->last);
	free(finder);
}

/* A match_event_handler. The search may report matches in any order. */
static int found(
	unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	struct finder *finder = context;
	uint32_t end = (uint32_t)to, last = finder->last[id];

	(void)from;
	(void)flags;
	if (last != NO_END && finder->one_line)
		return 0;
	if (last != NO_END && end >= last) {
		finder->last[id] = end;
		if (memchr(finder->bytes + last, '\n', end - last) == NULL)
			return 0;
	}
	if (finder->count == finder->capacity)
		return 1;
	finder->last[id] = end;
	finder->matches[finder->count++] = (struct match){.end = end, .literal = (uint16_t)id};
	return 0;
}

/* One literal after the other. False: too many matches. */
static bool find_small(struct finder *finder, const char *bytes, size_t length)
{
	const struct matcher *matcher = finder->matcher;

	for (uint16_t i = 0; i < matcher->literal_count; i++) {
		const struct literal *literal = &matcher->literals[i];
		const char *at = bytes, *end = bytes + length;

		while ((at = memmem(at, (size_t)(end - at), literal->text, literal->length)) !=
			NULL) {
			if (finder->count == finder->capacity)
				return false;
			finder->matches[finder->count++] = (struct match){
				.end = (uint32_t)(at - bytes) + (uint32_t)literal->length,
				.literal = i,
			};
			at = memchr(at, '\n', (size_t)(end - at));
			if (at == NULL)
				break;
		}
	}
	return true;
}

/* 0, ERROR_LIMIT (too many matches) or ERROR_MEMORY. */
static int find(struct finder *finder, const char *bytes, size_t length)
{
	const struct matcher *matcher = finder->matcher;
	hs_error_t result;

	finder->count = 0;
	finder->bytes = bytes;
	if (matcher->database == NULL)
		return find_small(finder, bytes, length) ? 0 : ERROR_LIMIT;
	memset(finder->last, 0xff, matcher->literal_count * sizeof(*finder->last));
	result = hs_scan(
		matcher->database, bytes, (unsigned)length, 0, finder->scratch, found, finder);
	if (result == HS_SCAN_TERMINATED)
		return ERROR_LIMIT;
	return result == HS_SUCCESS ? 0 : ERROR_MEMORY;
}

static int compare_matches(const void *a, const void *b)
{
	const struct match *x = a, *y = b;

	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return (x->literal > y->literal) - (x->literal < y->literal);
}

/* Nearly sorted as a rule: a few moves. */
static void sort(struct match *matches, size_t count)
{
	size_t moves = 0;

	for (size_t i = 1; i < count; i++) {
		struct match match = matches[i];
		size_t at = i;

		for (; at > 0 && matches[at - 1].end > match.end; at--)
			matches[at] = matches[at - 1];
		matches[at] = match;
		moves += i - at;
		if (moves > 8 * count) {
			qsort(matches, count, sizeof(*matches), compare_matches);
			return;
		}
	}
}

/* About half of the bytes, whole lines, at least one. */
static size_t half_of(const char *bytes, size_t length)
{
	const char *end = memrchr(bytes, '\n', length / 2);

	if (end == NULL)
		end = memchr(bytes + length / 2, '\n', length - length / 2);
	return end == NULL ? length : (size_t)(end - bytes) + 1;
}

int matcher_find(struct finder *finder, const char *bytes, size_t length,
	const struct match **ret_matches, size_t *ret_count, size_t *ret_searched)
{
	int error;

	assert(length < NO_END);
	finder->one_line = false;
	while ((error = find(finder, bytes, length)) == ERROR_LIMIT) {
		size_t half = half_of(bytes, length);

		/* A single line with so many: each literal counts once. */
		finder->one_line = half == length;
		length = half;
	}
	if (error != 0)
		return error;
	sort(finder->matches, finder->count);
	*ret_matches = finder->matches;
	*ret_count = finder->count;
	*ret_searched = length;
	return 0;
}
