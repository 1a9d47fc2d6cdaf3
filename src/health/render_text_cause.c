/* Why it failed, who should do what, and the lines that say so. */

#include <string.h>

#include "base/text.h"
#include "health/head.h"
#include "health/render_private.h"
#include "health/render_text_private.h"

#define INDENT 4
#define EVIDENCE_LINES 3 /* on the screen, of one line of a log */
#define EVIDENCE_MOST 12 /* lines of logs in a block */

static size_t prose(const struct render_page *page)
{
	return page->columns < RENDER_PAGE_PROSE ? page->columns : RENDER_PAGE_PROSE;
}

/* With the numbers of all attempts that the block is about. */
static void title(const struct render_page *page, const struct report_session *session,
	const struct render_alike *alike, size_t number)
{
	const struct finding *finding = &session->findings[number];
	char clean[RENDER_PAGE_TEXT];
	size_t length;

	render_page_clean(page, finding->rule->title, clean);
	length = strlen(clean);
	if (finding->attempts > 1) {
		length += (size_t)snprintf(
			clean + length, sizeof(clean) - length, ": attempt %u", finding->attempt);
		for (size_t i = alike[number].next; i != RENDER_ALIKE_NONE && length < 200;
			i = alike[i].next)
			length += (size_t)snprintf(clean + length, sizeof(clean) - length, ", %u",
				session->findings[i].attempt);
		snprintf(clean + length, sizeof(clean) - length, " of %u", finding->attempts);
	}
	fprintf(page->stream, "\n  %s%s %s",
		render_page_paint(page, render_page_colour(finding->verdict)),
		render_page_mark(page, finding->verdict), render_page_paint(page, RENDER_PLAIN));
	render_page_wrapped(page, RENDER_BOLD, clean, INDENT, INDENT, page->columns, 0);
}

static void paragraph(const struct render_page *page, const char *text)
{
	char clean[RENDER_PAGE_TEXT];

	render_page_clean(page, text, clean);
	fprintf(page->stream, "%*s", INDENT, "");
	render_page_wrapped(page, RENDER_PLAIN, clean, INDENT, INDENT, prose(page), 0);
}

static void remedy(const struct render_page *page, const struct report_remedy *remedy)
{
	const char *arrow = page->utf8 ? "→" : "-";
	char clean[RENDER_PAGE_TEXT];
	const char *who = actor_title(remedy->who);

	fprintf(page->stream, "%*s%s %s%s:%s ", INDENT, "", arrow,
		render_page_paint(page, RENDER_BOLD), who, render_page_paint(page, RENDER_PLAIN));
	render_page_clean(page, remedy->text, clean);
	render_page_wrapped(
		page, RENDER_PLAIN, clean, INDENT + 4 + strlen(who), INDENT + 2, prose(page), 0);
	if (remedy->link == NULL)
		return;
	render_page_clean(page, remedy->link, clean);
	fprintf(page->stream, "%*s%s%s%s\n", INDENT + 2, "", render_page_paint(page, RENDER_DIM),
		clean, render_page_paint(page, RENDER_PLAIN));
}

/* The head of a line says little that the block does not say: where the line is too long for the
 * screen, only its time of day, component and code stay. */
static void shorten(const char *clean, char *text, size_t size)
{
	char clock[RENDER_TEXT_MOMENT];
	char code[32] = "";
	struct head head;

	if (!head_read(clean, strlen(clean), &head)) {
		snprintf(text, size, "%s", clean);
		return;
	}
	render_text_clock(head.stamp.kind != STAMP_KIND_NONE ? head.stamp.time : STAMP_NONE,
		head.stamp.kind, clock);
	if (head.code != 0) /* 0 says nothing, the others may say all */
		snprintf(code, sizeof(code), " RC:%d", head.code);
	snprintf(text, size, "%s%s%.*s%s%s%.*s", clock, clock[0] != '\0' ? " " : "",
		(int)head.component_length, head.component, code,
		head.component_length > 0 ? ": " : "", (int)head.message_length, head.message);
}

static void evidence(const struct render_page *page, const struct store *store,
	const struct report_evidence *evidence)
{
	char clean[RENDER_PAGE_TEXT], text[RENDER_PAGE_TEXT];

	render_page_clean(page, store->sources[evidence->source].path, clean);
	fprintf(page->stream, "%*s%s%s:%u%s\n", INDENT, "", render_page_paint(page, RENDER_DIM),
		clean, (unsigned)evidence->line, render_page_paint(page, RENDER_PLAIN));
	render_page_clean(page, evidence->text, clean);
	if (INDENT + 2 + text_columns(clean) <= page->columns)
		snprintf(text, sizeof(text), "%s", clean);
	else
		shorten(clean, text, sizeof(text));
	fprintf(page->stream, "%*s", INDENT + 2, "");
	render_page_wrapped(
		page, RENDER_PLAIN, text, INDENT + 2, INDENT + 4, page->columns, EVIDENCE_LINES);
}

/* Attempts after each other quote the same line: the end of one is the beginning of the next. */
static bool shown_before(const struct report_evidence *const *shown, size_t count,
	const struct report_evidence *evidence)
{
	for (size_t i = 0; i < count; i++) {
		if (shown[i]->source == evidence->source && shown[i]->line == evidence->line)
			return true;
	}
	return false;
}

static void all_evidence(const struct render_page *page, const struct store *store,
	const struct report_session *session, const struct render_alike *alike, size_t number)
{
	const struct report_evidence *shown[EVIDENCE_MOST];
	uint64_t more = 0;
	size_t count = 0;
	char text[RENDER_NUMBER_SIZE];

	for (size_t i = number; i != RENDER_ALIKE_NONE; i = alike[i].next) {
		const struct finding *finding = &session->findings[i];

		more += finding->evidence_more;
		for (size_t j = 0; j < finding->evidence_count; j++) {
			if (shown_before(shown, count, &finding->evidence[j]))
				continue;
			if (count < EVIDENCE_MOST) {
				shown[count++] = &finding->evidence[j];
				evidence(page, store, &finding->evidence[j]);
			} else {
				more++;
			}
		}
	}
	if (more > 0)
		fprintf(page->stream, "%*s%sand %s more line%s%s\n", INDENT, "",
			render_page_paint(page, RENDER_DIM), render_number(more, text),
			more == 1 ? "" : "s", render_page_paint(page, RENDER_PLAIN));
}

void render_text_causes(const struct render_page *page, const struct store *store,
	const struct report_session *session, const struct render_alike *alike)
{
	for (int verdict = 0; verdict <= VERDICT_WARNING; verdict++) {
		for (size_t i = 0; i < session->finding_count; i++) {
			const struct finding *finding = &session->findings[i];

			if (finding->verdict != (enum verdict)verdict || alike[i].first != i)
				continue;
			title(page, session, alike, i);
			if (finding->cause_text != NULL)
				paragraph(page, finding->cause_text);
			for (size_t j = 0; j < finding->remedy_count; j++)
				remedy(page, &finding->remedies[j]);
			all_evidence(page, store, session, alike, i);
		}
	}
}
