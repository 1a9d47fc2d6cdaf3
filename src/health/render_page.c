#include "health/render_page.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

void render_page_init(struct render_page *page, const struct render_text *how,
	const struct mask *mask, FILE *stream)
{
	*page = (struct render_page){.stream = stream,
		.mask = mask,
		.columns = how->columns > RENDER_PAGE_LEAST ? how->columns : RENDER_PAGE_LEAST,
		.colour = how->colour,
		.utf8 = how->utf8};
}

void render_page_clean(
	const struct render_page *page, const char *text, char clean[RENDER_PAGE_TEXT])
{
	text_clean(mask_text(page->mask, text), page->utf8, clean,
		RENDER_PAGE_TEXT - RENDER_PAGE_SPARE);
}

const char *render_page_paint(const struct render_page *page, enum render_paint paint)
{
	static const char *const codes[] = {
		"\033[0m", "\033[31m", "\033[33m", "\033[32m", "\033[2m", "\033[1m"};

	return page->colour ? codes[paint] : "";
}

const char *render_page_mark(const struct render_page *page, enum verdict verdict)
{
	static const char *const signs[] = {
		[VERDICT_FAIL] = "✗",
		[VERDICT_WARNING] = "!",
		[VERDICT_NOTE] = "i",
		[VERDICT_PASS] = "✓",
		[VERDICT_NO_EVIDENCE] = "·",
	};

	return page->utf8 ? signs[verdict] : verdict_mark(verdict);
}

enum render_paint render_page_colour(enum verdict verdict)
{
	static const enum render_paint paints[] = {
		[VERDICT_FAIL] = RENDER_RED,
		[VERDICT_WARNING] = RENDER_YELLOW,
		[VERDICT_NOTE] = RENDER_PLAIN,
		[VERDICT_PASS] = RENDER_GREEN,
		[VERDICT_NO_EVIDENCE] = RENDER_DIM,
	};

	return paints[verdict];
}

static const char *ellipsis(const struct render_page *page)
{
	return page->utf8 ? "…" : "...";
}

void render_page_cut(const struct render_page *page, char clean[RENDER_PAGE_TEXT], size_t columns)
{
	const char *dots = ellipsis(page);
	size_t room = text_columns(dots);
	size_t at;

	if (text_columns(clean) <= columns)
		return;
	at = text_fit(clean, columns > room ? columns - room : 0);
	while (at > 0 && clean[at - 1] == ' ')
		at--;
	memcpy(clean + at, dots, strlen(dots) + 1);
}

void render_page_cut_middle(
	const struct render_page *page, char clean[RENDER_PAGE_TEXT], size_t columns)
{
	const char *dots = ellipsis(page);
	size_t room = text_columns(dots);
	size_t whole = text_columns(clean);
	size_t tail, head, from;

	if (whole <= columns)
		return;
	if (columns < 4 * room) {
		render_page_cut(page, clean, columns);
		return;
	}
	tail = (columns - room) / 3;
	head = text_fit(clean, columns - room - tail);
	/* A wide character may straddle the place: then the tail is a column shorter. */
	from = text_fit(clean, whole - tail);
	while (text_columns(clean + from) > tail)
		from += text_fit(clean + from, 2) > 0 ? text_fit(clean + from, 2) : 1;
	if (from < head + strlen(dots)) {
		render_page_cut(page, clean, columns);
		return;
	}
	memcpy(clean + head, dots, strlen(dots));
	memmove(clean + head + strlen(dots), clean + from, strlen(clean + from) + 1);
}

void render_page_padded(const struct render_page *page, const char *clean, size_t columns)
{
	size_t taken = text_columns(clean);

	fprintf(page->stream, "%s%*s", clean, (int)(taken < columns ? columns - taken : 0), "");
}

static void painted(
	const struct render_page *page, enum render_paint paint, const char *clean, size_t length)
{
	bool plain = paint == RENDER_PLAIN;

	fprintf(page->stream, "%s%.*s%s\n", plain ? "" : render_page_paint(page, paint),
		(int)length, clean, plain ? "" : render_page_paint(page, RENDER_PLAIN));
}

void render_page_wrapped(const struct render_page *page, enum render_paint paint, const char *clean,
	size_t used, size_t indent, size_t width, size_t lines)
{
	size_t at = used;

	assert(indent + 1 < width);
	for (size_t line = 1;; line++) {
		size_t room = at + 1 < width ? width - at : 1;
		size_t length = text_fit_words(clean, room);
		size_t shown = length;

		if (lines > 0 && line == lines && clean[length] != '\0') {
			char rest[RENDER_PAGE_TEXT];

			snprintf(rest, sizeof(rest), "%s", clean);
			render_page_cut_middle(page, rest, room);
			painted(page, paint, rest, strlen(rest));
			return;
		}
		while (shown > 0 && clean[shown - 1] == ' ')
			shown--;
		painted(page, paint, clean, shown);
		clean += length;
		clean += strspn(clean, " ");
		if (*clean == '\0')
			return;
		fprintf(page->stream, "%*s", (int)indent, "");
		at = indent;
	}
}

void render_words_append(struct render_words *words, const char *clean)
{
	text_clean(clean, true, words->text + words->length,
		RENDER_PAGE_TEXT - RENDER_PAGE_SPARE - words->length);
	words->length += strlen(words->text + words->length);
}

void render_words_add(struct render_words *words, const char *clean)
{
	if (clean[0] == '\0')
		return;
	if (words->length > 0)
		render_words_append(words, "  ");
	render_words_append(words, clean);
}
