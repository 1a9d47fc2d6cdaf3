/* The report for people at a terminal: worst first, and its verdict once more at the end. */

#include "health/render.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "health/render_private.h"
#include "health/render_text_private.h"

#define DETAILED_MOST 100 /* sessions with table and causes */
#define BRIEF_MOST 50     /* further lines for sessions of one kind */
#define UNREAD_MOST 20

static bool bad(enum verdict verdict)
{
	return verdict == VERDICT_FAIL || verdict == VERDICT_WARNING;
}

/* "1 session", "1,234 sessions" */
static int counted(char *text, size_t size, uint64_t count, const char *one, const char *many)
{
	char number[RENDER_NUMBER_SIZE];

	return snprintf(text, size, "%s %s", render_number(count, number), count == 1 ? one : many);
}

/* ---- the head ---- */

/* The span of the logs whose times mean the same clock everywhere. */
static void span_of(const struct store *store, char *text, size_t size)
{
	int64_t first = STAMP_NONE;
	int64_t last = STAMP_NONE;
	char day[2][RENDER_TEXT_MOMENT], clock[2][RENDER_TEXT_MOMENT];

	text[0] = '\0';
	for (size_t i = 0; i < store->source_count; i++) {
		const struct source *source = &store->sources[i];

		if (strcmp(render_clock_name(source->kind), "utc") != 0 ||
			source->first == STAMP_NONE)
			continue;
		if (first == STAMP_NONE || source->first < first)
			first = source->first;
		if (last == STAMP_NONE || source->last > last)
			last = source->last;
	}
	if (first == STAMP_NONE)
		return;
	render_text_day(first, STAMP_KIND_LOCAL, day[0]);
	render_text_day(last, STAMP_KIND_LOCAL, day[1]);
	render_text_clock(first, STAMP_KIND_LOCAL, clock[0]);
	render_text_clock(last, STAMP_KIND_LOCAL, clock[1]);
	snprintf(text, size, ", %s %.5s", day[0], clock[0]);
	if (strcmp(day[0], day[1]) != 0)
		snprintf(text + strlen(text), size - strlen(text), " to %s %.5s", day[1], clock[1]);
	else if (strncmp(clock[0], clock[1], 5) != 0)
		snprintf(text + strlen(text), size - strlen(text), " to %.5s", clock[1]);
	snprintf(text + strlen(text), size - strlen(text), " UTC");
}

static void head(const struct render_page *page, const struct report *report)
{
	const struct store *store = report->store;
	uint64_t lines = 0;
	char text[RENDER_PAGE_TEXT];
	int length;

	for (size_t i = 0; i < store->source_count; i++)
		lines += store->sources[i].lines;
	length = counted(text, sizeof(text), store->source_count, "log", "logs");
	length += snprintf(text + length, sizeof(text) - (size_t)length, ", ");
	length += counted(text + length, sizeof(text) - (size_t)length, lines, "line", "lines");
	span_of(store, text + length, sizeof(text) - (size_t)length);
	render_page_wrapped(page, RENDER_PLAIN, text, 0, 2, page->columns, 0);
}

static void summary(const struct render_page *page, const struct report *report)
{
	size_t used = 0;

	for (int i = 0; i < VERDICT_COUNT; i++) {
		static const char *const one[] = {
			"failed", "warning", "note", "passed", "no evidence"};
		static const char *const many[] = {
			"failed", "warnings", "notes", "passed", "no evidence"};
		enum verdict verdict = (enum verdict)i;
		char text[64];
		size_t columns;

		if (report->summary[i] == 0)
			continue;
		counted(text, sizeof(text), report->summary[i], one[i], many[i]);
		columns = 2 + strlen(text);
		if (used > 0 && used + 3 + columns > page->columns) {
			fputc('\n', page->stream);
			used = 0;
		}
		fprintf(page->stream, "%s%s%s %s%s", used > 0 ? "   " : "",
			render_page_paint(page, render_page_colour(verdict)),
			render_page_mark(page, verdict), text,
			render_page_paint(page, RENDER_PLAIN));
		used += columns + (used > 0 ? 3 : 0);
	}
	if (used > 0)
		fputc('\n', page->stream);
}

/* ---- sessions ---- */

/* 0 or ERROR_MEMORY, as all that call it. */
static int findings(const struct render_page *page, const struct store *store,
	const struct report_session *session)
{
	struct render_alike *alike = render_text_alike(session);

	if (alike == NULL)
		return ERROR_MEMORY;
	render_text_table(page, session, alike);
	render_text_causes(page, store, session, alike);
	free(alike);
	return 0;
}

static int detailed(const struct render_page *page, const struct store *store,
	const struct report_session *session)
{
	fputc('\n', page->stream);
	render_text_heading(page, session);
	return findings(page, store, session);
}

static void left_out(const struct render_page *page, size_t count, enum verdict verdict)
{
	char text[256], number[64];

	if (count == 0)
		return;
	counted(number, sizeof(number), count, "further session", "further sessions");
	snprintf(text, sizeof(text), "%s %s (--session ID shows one; JSON and HTML show all)",
		number,
		verdict == VERDICT_NO_EVIDENCE ? "without evidence" : verdict_title(verdict));
	fprintf(page->stream, "  ");
	render_page_wrapped(page, RENDER_DIM, text, 2, 4, page->columns, 0);
}

static int sessions_of(const struct render_page *page, const struct report *report,
	enum verdict verdict, size_t *full)
{
	size_t brief = 0;
	size_t left = 0;
	int error = 0;

	for (size_t i = 0; i < report->session_count && error == 0; i++) {
		const struct report_session *session = &report->sessions[i];

		if (session->worst != verdict &&
			!(verdict == VERDICT_PASS && session->worst == VERDICT_NOTE))
			continue;
		if (bad(verdict) && *full < DETAILED_MOST) {
			error = detailed(page, report->store, session);
			(*full)++;
		} else if (brief < BRIEF_MOST) {
			if (brief++ == 0)
				fputc('\n', page->stream);
			render_text_line(page, session);
		} else {
			left++;
		}
	}
	left_out(page, left, verdict);
	return error;
}

/* A single session is what somebody asked for: its table is shown whatever it says. */
static int sessions(const struct render_page *page, const struct report *report)
{
	size_t full = 0;
	int error = 0;

	if (report->session_count == 0) {
		fprintf(page->stream, "\nNo session in these logs.\n");
		return 0;
	}
	if (report->session_count == 1)
		return detailed(page, report->store, &report->sessions[0]);
	for (int i = 0; i < VERDICT_COUNT && error == 0; i++) {
		if (i != VERDICT_NOTE) /* with those that passed */
			error = sessions_of(page, report, (enum verdict)i, &full);
	}
	return error;
}

static int host(const struct render_page *page, const struct report *report)
{
	const struct report_session *found = &report->host;

	if (found->worst == VERDICT_NO_EVIDENCE)
		return 0;
	fprintf(page->stream, "\n%s%s%s %sHost%s, what belongs to no session\n",
		render_page_paint(page, render_page_colour(found->worst)),
		render_page_mark(page, found->worst), render_page_paint(page, RENDER_PLAIN),
		render_page_paint(page, RENDER_BOLD), render_page_paint(page, RENDER_PLAIN));
	return findings(page, report->store, found);
}

/* ---- the end ---- */

static void title(const struct render_page *page, const char *text)
{
	fprintf(page->stream, "\n%s%s%s\n", render_page_paint(page, RENDER_BOLD), text,
		render_page_paint(page, RENDER_PLAIN));
}

static int unread(const struct render_page *page, const struct store *store)
{
	char clean[RENDER_PAGE_TEXT], text[RENDER_PAGE_TEXT * 2 + 64], number[RENDER_NUMBER_SIZE];
	size_t count;
	uint64_t more;
	int error;
	struct render_skip *skips = render_skips(store, &count, &error);

	if (count > 0)
		title(page, "Not read");
	for (size_t i = 0; i < count && i < UNREAD_MOST; i++) {
		int length;

		render_page_clean(page, skips[i].path, clean);
		length = snprintf(text, sizeof(text), "%s: ", clean);
		render_page_clean(page, skips[i].reason, clean);
		length += snprintf(text + length, sizeof(text) - (size_t)length, "%s", clean);
		if (skips[i].count > 1)
			snprintf(text + length, sizeof(text) - (size_t)length, " (%s times)",
				render_number(skips[i].count, number));
		fprintf(page->stream, "  ");
		render_page_wrapped(page, RENDER_PLAIN, text, 2, 4, page->columns, 0);
	}
	more = store->skipped_more + (count > UNREAD_MOST ? count - UNREAD_MOST : 0);
	if (more > 0)
		fprintf(page->stream, "  and %s more\n", render_number(more, number));
	free(skips);
	return error;
}

static void note(const struct render_page *page, const char *text)
{
	char clean[RENDER_PAGE_TEXT];

	render_page_clean(page, text, clean);
	fprintf(page->stream, "  ");
	render_page_wrapped(page, RENDER_PLAIN, clean, 2, 4,
		page->columns < RENDER_PAGE_PROSE ? page->columns : RENDER_PAGE_PROSE, 0);
}

static void notes(const struct render_page *page, const struct report *report)
{
	if (report->note_count > 0)
		title(page, "Notes");
	for (size_t i = 0; i < report->note_count; i++)
		note(page, report->notes[i]);
}

/* "2 of 3 sessions failed; the host: failed" */
static void last_word(const struct render_page *page, const struct report *report)
{
	static const char *const words[] = {
		"failed", "with warnings", "with notes", "passed", "without evidence"};
	enum verdict worst = report_worst(report);
	size_t counts[VERDICT_COUNT] = {0};
	char text[RENDER_PAGE_TEXT] = "";
	const char *between = ": ";
	size_t length = 0;

	for (size_t i = 0; i < report->session_count; i++)
		counts[report->sessions[i].worst]++;
	/* A note says nothing against a session. */
	counts[VERDICT_PASS] += counts[VERDICT_NOTE];
	counts[VERDICT_NOTE] = 0;
	length = report->session_count > 0
		? (size_t)counted(text, sizeof(text), report->session_count, "session", "sessions")
		: (size_t)snprintf(text, sizeof(text), "no session");
	for (int i = 0; i < VERDICT_COUNT; i++) {
		char number[RENDER_NUMBER_SIZE];

		if (counts[i] == 0)
			continue;
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s %s", between,
			render_number(counts[i], number), words[i]);
		between = ", ";
	}
	if (report->host.worst != VERDICT_NO_EVIDENCE)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "; host: %s",
			verdict_title(report->host.worst));
	if (worst == VERDICT_NO_EVIDENCE)
		snprintf(text + length, sizeof(text) - length,
			"; nothing in these logs is known to any rule");
	fprintf(page->stream, "\n%s%s%s ", render_page_paint(page, render_page_colour(worst)),
		render_page_mark(page, worst), render_page_paint(page, RENDER_PLAIN));
	render_page_wrapped(page, RENDER_PLAIN, text, 2, 2, page->columns, 0);
}

int render_text(const struct report *report, const struct mask *mask, const struct render_text *how,
	FILE *stream)
{
	struct render_page page;
	int error;

	render_page_init(&page, how, mask, stream);
	head(&page, report);
	summary(&page, report);
	error = sessions(&page, report);
	if (error == 0)
		error = host(&page, report);
	if (error == 0)
		error = unread(&page, report->store);
	notes(&page, report);
	last_word(&page, report);
	if (error == 0 && (fflush(stream) != 0 || ferror(stream) != 0))
		error = ERROR_SYSTEM;
	return error;
}
