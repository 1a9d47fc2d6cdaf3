#include "health/mask.h"

#include <stdlib.h>
#include <string.h>

#include "health/mask_private.h"

#define MAC_DIGITS 12
#define RESULT_MAXIMUM (8UL * 1024 * 1024)

static const char masked[] = "(masked)";

/* ---- one text ---- */

struct walk {
	struct mask *mask;
	const char *text, *folded;
	size_t length;
	size_t kept; /* what stands before this place is in the result */
	struct buffer *result;
};

/* In the place of from to end, `instead`. */
static void replace(struct walk *walk, size_t from, size_t end, const char *instead)
{
	if (strlen(instead) == end - from && memcmp(walk->folded + from, instead, end - from) == 0)
		return; /* the upper or lower case of it stays */
	buffer_append(walk->result, walk->text + walk->kept, from - walk->kept);
	buffer_text(walk->result, instead);
	walk->kept = end;
}

static void replace_mac(struct walk *walk, const struct mask_found *found, const char *digits)
{
	size_t group = found->separator == '.' ? 4 : 2;
	char text[32];
	size_t at = 0;

	for (size_t i = 0; i < MAC_DIGITS && digits[i] != '\0'; i++) {
		if (i > 0 && i % group == 0 && found->separator != 0)
			text[at++] = found->separator;
		text[at++] = digits[i];
	}
	text[at] = '\0';
	replace(walk, found->from, found->end, text);
}

static void replace_address(struct walk *walk, const struct mask_found *found)
{
	struct mask_names *names = &walk->mask->names;
	size_t number;
	const char *instead;

	if (found->stays)
		return;
	number = mask_names_add(names, found->kind, found->text, strlen(found->text));
	instead = number != SIZE_MAX ? mask_names_instead(names, number) : masked;
	if (found->kind == MASK_MAC && instead != masked)
		replace_mac(walk, found, instead);
	else
		replace(walk, found->from, found->end, instead);
}

/* What stands before a known domain is a host, known or not: its end, or `at`. */
static size_t host_below(struct walk *walk, size_t at)
{
	struct mask_names *names = &walk->mask->names;
	size_t end = at;
	size_t dot;

	if (at > 0 && (walk->folded[at - 1] == '.' || walk->folded[at - 1] == '-'))
		return at;
	while (end < walk->length && end - at < MASK_NAME_MAXIMUM &&
		(mask_word(walk->folded, walk->length, end) > end || walk->folded[end] == '.' ||
			walk->folded[end] == '-')) {
		size_t word = mask_word(walk->folded, walk->length, end);

		end = word > end ? word : end + 1;
	}
	while (end > at && (walk->folded[end - 1] == '.' || walk->folded[end - 1] == '-'))
		end--;
	for (dot = at; dot < end; dot++) {
		size_t domain;

		if (walk->folded[dot] != '.' ||
			memchr(walk->folded + dot + 1, '.', end - dot - 1) == NULL)
			continue;
		domain = mask_names_find(names, MASK_DOMAIN, walk->folded + dot + 1, end - dot - 1);
		if (domain != SIZE_MAX && names->names[domain].kind == MASK_DOMAIN)
			return dot;
	}
	return at;
}

/* Twelve digits that are known as an address from elsewhere; others are just a number. */
static void take_digits(struct walk *walk, size_t at, size_t end)
{
	struct mask_names *names = &walk->mask->names;
	size_t number;

	if (end - at != MAC_DIGITS)
		return;
	number = mask_names_find(names, MASK_MAC, walk->folded + at, MAC_DIGITS);
	if (number != SIZE_MAX)
		replace(walk, at, end, mask_names_instead(names, number));
}

/* The bytes taken at a place where a name may begin. */
static size_t take_name(struct walk *walk, size_t at)
{
	struct mask_names *names = &walk->mask->names;
	size_t end = at;
	size_t number = mask_names_match(names, walk->folded, walk->length, at, &end);

	if (number == SIZE_MAX) {
		end = host_below(walk, at);
		if (end > at)
			number = mask_names_add(names, MASK_HOST, walk->folded + at, end - at);
		if (number == SIZE_MAX) {
			end = mask_word(walk->folded, walk->length, at);
			take_digits(walk, at, end);
			return end;
		}
	}
	replace(walk, at, end, mask_names_instead(names, number));
	return end;
}

/* The last word of a text that may be cut: half a name is not known as one. */
static void drop_tail(struct walk *walk)
{
	size_t at = walk->length;

	while (at > walk->kept && walk->text[at - 1] != ' ' && walk->text[at - 1] != '\t')
		at--;
	if (at > walk->kept && walk->length - at <= MASK_NAME_MAXIMUM)
		replace(walk, at, walk->length, "...");
}

static void walk_text(struct walk *walk)
{
	for (size_t at = 0; at < walk->length;) {
		struct mask_found found;
		size_t bytes;

		if (mask_address(walk->folded, walk->length, at, &found)) {
			replace_address(walk, &found);
			at = found.end;
		} else if (mask_begins(walk->folded, walk->length, at)) {
			at = take_name(walk, at);
		} else {
			mask_class(walk->folded, walk->length, at, &bytes);
			at += bytes;
		}
	}
	if (walk->length >= STORE_TEXT_MAXIMUM - 4)
		drop_tail(walk);
}

static bool fold(struct mask *mask, const char *text, size_t length)
{
	buffer_clear(&mask->folded);
	if (buffer_append(&mask->folded, text, length) != 0)
		return false;
	if (length > 0)
		mask_fold(mask->folded.bytes, length);
	return true;
}

static const char *replaced(struct mask *mask, const char *text)
{
	struct walk walk = {.mask = mask, .text = text, .length = strlen(text)};

	if (walk.length == 0)
		return text;
	if (mask->names.lacking || !fold(mask, text, walk.length))
		return masked;
	walk.folded = mask->folded.bytes;
	mask_learn_text(&mask->names, walk.folded, walk.length);
	walk.result = &mask->results[mask->next];
	buffer_clear(walk.result);
	walk_text(&walk);
	if (mask->names.lacking)
		return masked;
	if (walk.kept == 0)
		return text;
	buffer_append(walk.result, text + walk.kept, walk.length - walk.kept);
	mask->next = (mask->next + 1) % MASK_RESULTS;
	return walk.result->failed ? masked : walk.result->bytes;
}

const char *mask_text(const struct mask *mask, const char *text)
{
	/* What a mask knows and hands out grows with what it is shown; for its users it is
	 * constant: the same text always comes out the same. */
	return mask == NULL ? text : replaced((struct mask *)(uintptr_t)mask, text);
}

/* ---- the report's texts, in the order in which they appear ---- */

typedef void on_text(struct mask *mask, const char *text);

static void learn(struct mask *mask, const char *text)
{
	size_t length = strlen(text);

	if (!fold(mask, text, length))
		mask->names.lacking = true;
	else if (length > 0)
		mask_learn_text(&mask->names, mask->folded.bytes, length);
}

static void number(struct mask *mask, const char *text)
{
	replaced(mask, text);
}

static void each_of_finding(struct mask *mask, const struct finding *finding, on_text *seen)
{
	if (finding->cause_text != NULL)
		seen(mask, finding->cause_text);
	for (size_t i = 0; i < finding->remedy_count; i++)
		seen(mask, finding->remedies[i].text);
	for (size_t i = 0; i < finding->data_count; i++)
		seen(mask, finding->data[i].value);
	for (size_t i = 0; i < finding->evidence_count; i++)
		seen(mask, finding->evidence[i].text);
}

static void each_text(struct mask *mask, const struct report *report, on_text *seen)
{
	const struct store *store = report->store;

	for (size_t i = 0; i < store->source_count; i++)
		seen(mask, store->sources[i].path);
	for (size_t i = 0; i < store->skipped_count; i++) {
		seen(mask, store->skipped[i].path);
		seen(mask, store->skipped[i].reason);
	}
	for (size_t i = 0; i <= report->session_count; i++) {
		const struct report_session *session =
			i < report->session_count ? &report->sessions[i] : &report->host;

		seen(mask, session->id);
		for (size_t j = 0; j < session->finding_count; j++)
			each_of_finding(mask, &session->findings[j], seen);
	}
	for (size_t i = 0; i < store->series_count; i++) {
		if (store->series[i].worst_text != NULL)
			seen(mask, store->series[i].worst_text);
	}
	for (size_t i = 0; i < report->note_count; i++)
		seen(mask, report->notes[i]);
}

struct mask *mask_new(const struct report *report)
{
	struct mask *mask = calloc(1, sizeof(*mask));

	if (mask == NULL)
		return NULL;
	if (mask_names_init(&mask->names) != 0) {
		free(mask);
		return NULL;
	}
	for (size_t i = 0; i < MASK_RESULTS; i++)
		buffer_init(&mask->results[i], RESULT_MAXIMUM);
	buffer_init(&mask->folded, RESULT_MAXIMUM);
	mask_learn_report(&mask->names, report);
	each_text(mask, report, learn);
	/* All real names are known before the first one gets another: none is mistaken for it. */
	each_text(mask, report, number);
	return mask;
}

void mask_free(struct mask *mask)
{
	if (mask == NULL)
		return;
	for (size_t i = 0; i < MASK_RESULTS; i++)
		buffer_free(&mask->results[i]);
	buffer_free(&mask->folded);
	mask_names_free(&mask->names);
	free(mask);
}
