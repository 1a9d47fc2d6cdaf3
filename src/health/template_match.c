#include <stdint.h>
#include <string.h>

#include "health/template_private.h"

#define BYTES_MAXIMUM 65535 /* offsets of captures have 16 bits */
/* Longer ones are none, so that each place where a search may begin costs a bounded time. */
#define WORD_MAXIMUM 512
#define NUMBER_MAXIMUM 40

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_hex(char byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

/* What is being matched. */
struct match {
	const struct template *template;
	const char *bytes;
	size_t length;
	struct capture *captures;
};

#define NOT_FOUND SIZE_MAX

static size_t skip_blanks(const struct match *match, size_t at)
{
	while (at < match->length && is_blank(match->bytes[at]))
		at++;
	return at;
}

static size_t skip_digits(const char *bytes, size_t at, size_t end, bool (*is)(char byte))
{
	while (at < end && is(bytes[at]))
		at++;
	return at;
}

static size_t end_of_number(
	const struct match *match, const struct template_item *item, size_t start)
{
	const char *bytes = match->bytes;
	size_t end =
		match->length - start < NUMBER_MAXIMUM ? match->length : start + NUMBER_MAXIMUM;
	size_t at = start;
	size_t digits;

	if (at < end && (bytes[at] == '-' || bytes[at] == '+'))
		at++;
	digits = skip_digits(bytes, at, end, is_digit);
	if (digits == at)
		return NOT_FOUND;
	if (!item->whole_only && end - digits >= 2 && bytes[digits] == '.' &&
		is_digit(bytes[digits + 1]))
		digits = skip_digits(bytes, digits + 1, end, is_digit);
	return digits;
}

static size_t end_of_hex(const struct match *match, size_t start)
{
	const char *bytes = match->bytes;
	size_t end =
		match->length - start < NUMBER_MAXIMUM ? match->length : start + NUMBER_MAXIMUM;
	size_t at = start;
	size_t digits;

	if (end - at >= 3 && bytes[at] == '0' && (bytes[at + 1] == 'x' || bytes[at + 1] == 'X') &&
		is_hex(bytes[at + 2]))
		at += 2;
	digits = skip_digits(bytes, at, end, is_hex);
	return digits == at ? NOT_FOUND : digits;
}

/* Up to the literal that follows, or up to a blank. */
static size_t end_of_word(const struct match *match, const struct template_item *item, size_t start)
{
	const struct template_item *items_end =
		match->template->items + match->template->item_count;
	const struct template_item *after = item + 1 < items_end ? item + 1 : NULL;
	const char *found;
	size_t end = start;

	while (end < match->length && !is_blank(match->bytes[end]) && end - start <= WORD_MAXIMUM)
		end++;
	if (end == start || end - start > WORD_MAXIMUM)
		return NOT_FOUND;
	if (!after || after->kind != TEMPLATE_ITEM_LITERAL)
		return end;
	/* The literal begins inside the run and may end beyond it. */
	size_t reach =
		match->length - end < after->length ? match->length : end + after->length - 1;
	found = memmem(match->bytes + start + 1, reach - start - 1,
		match->template->literals + after->at, after->length);
	return found ? (size_t)(found - match->bytes) : NOT_FOUND;
}

static void keep(
	const struct match *match, const struct template_item *item, size_t start, size_t end)
{
	if (item->name < 0)
		return;
	match->captures[item->name].at = (uint16_t)start;
	match->captures[item->name].length = (uint16_t)(end - start);
}

static size_t take_capture(const struct match *match, const struct template_item *item, size_t at)
{
	size_t end;

	if (item->type == TEMPLATE_NUMBER)
		end = end_of_number(match, item, at);
	else if (item->type == TEMPLATE_HEX)
		end = end_of_hex(match, at);
	else
		end = end_of_word(match, item, at);
	if (end != NOT_FOUND)
		keep(match, item, at, end);
	return end;
}

/* Matches items up to the next text capture (or the end of the template) at this very place.
 * Returns where they end, and moves *item there. */
static size_t take_run(const struct match *match, const struct template_item **item, size_t at)
{
	const struct template_item *end = match->template->items + match->template->item_count;
	const struct template_item *here = *item;

	for (; here < end && !template_item_is_text(here); here++) {
		if (here->kind == TEMPLATE_ITEM_BLANKS) {
			at = skip_blanks(match, at);
		} else if (here->kind == TEMPLATE_ITEM_CAPTURE) {
			at = take_capture(match, here, at);
			if (at == NOT_FOUND)
				return NOT_FOUND;
		} else {
			if (match->length - at < here->length ||
				memcmp(match->bytes + at, match->template->literals + here->at,
					here->length) != 0)
				return NOT_FOUND;
			at += here->length;
		}
	}
	*item = here;
	return at;
}

/* The next place from `at` on where the run may begin. */
static size_t next_start(const struct match *match, const struct template_item *item, size_t at)
{
	const char *found;

	if (item->kind != TEMPLATE_ITEM_LITERAL)
		return at <= match->length ? at : NOT_FOUND;
	if (at > match->length)
		return NOT_FOUND;
	found = memmem(match->bytes + at, match->length - at, match->template->literals + item->at,
		item->length);
	return found ? (size_t)(found - match->bytes) : NOT_FOUND;
}

/* Finds the first place from `at` on where the run of items matches. Beyond `joined`, a blank must
 * stand before it. */
static size_t find_run(const struct match *match, const struct template_item **item, size_t at,
	size_t joined, size_t *ret_start)
{
	for (size_t start = next_start(match, *item, at); start != NOT_FOUND;
		start = next_start(match, *item, start + 1)) {
		size_t end;

		if (start > joined && !is_blank(match->bytes[start - 1]))
			continue;
		end = take_run(match, item, start);
		if (end == NOT_FOUND)
			continue;
		*ret_start = start;
		return end;
	}
	return NOT_FOUND;
}

static size_t trim_blanks(const struct match *match, size_t start, size_t end)
{
	while (end > start && is_blank(match->bytes[end - 1]))
		end--;
	return end;
}

/* A text capture and the run that ends it. */
static size_t take_text(const struct match *match, const struct template_item **item, size_t at)
{
	const struct template_item *end = match->template->items + match->template->item_count;
	const struct template_item *text = *item;
	bool apart = text + 1 < end && text[1].kind == TEMPLATE_ITEM_BLANKS;
	size_t least = text->type == TEMPLATE_TEXT ? 0 : 1;
	size_t stop;
	size_t after;

	*item = text + 1 + apart;
	if (*item == end) {
		after = stop = match->length;
	} else {
		if (match->length - at < least)
			return NOT_FOUND;
		after = find_run(match, item, at + least, apart ? at : SIZE_MAX, &stop);
		if (after == NOT_FOUND)
			return NOT_FOUND;
	}
	if (apart || after == match->length)
		stop = trim_blanks(match, at, stop);
	if (stop - at < least)
		return NOT_FOUND;
	keep(match, text, at, stop);
	return after;
}

bool template_match(const struct template *template, const char *bytes, size_t length,
	struct capture captures[TEMPLATE_CAPTURES])
{
	struct match match = {
		.template = template,
		.bytes = bytes,
		.length = length < BYTES_MAXIMUM ? length : BYTES_MAXIMUM,
		.captures = captures,
	};
	const struct template_item *item = template->items;
	const struct template_item *end = item + template->item_count;
	size_t at = 0;
	size_t start;

	/* Each text capture ends at the first place where the items after it match, and is never
	 * made longer for the sake of later ones: what they need, they find further on. */
	if (!template_item_is_text(item))
		at = template->anywhere ? find_run(&match, &item, 0, SIZE_MAX, &start)
					: take_run(&match, &item, 0);
	while (at != NOT_FOUND && item < end)
		at = take_text(&match, &item, at);
	return at != NOT_FOUND;
}
