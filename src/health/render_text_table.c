/* A session's diagnostics as a table, worst first. */

#include <string.h>

#include "base/text.h"
#include "health/render_private.h"
#include "health/render_text_private.h"

#define TITLE_MOST 36 /* columns of a title */
#define RESULT_COLUMNS 7
#define FOLD_MARGIN 12
#define TITLE_LEAST 18  /* columns of a title beside a day */
#define FOLD_WHOLE 80   /* columns; below, the list of what there is no evidence of is cut */
#define DETAIL_LEAST 24 /* columns; below, no detail */
#define ATTEMPTS_MOST 8 /* failed ones with a line each */

struct layout {
	size_t title, time, duration; /* columns */
};

/* A line of the table: a finding, or several of a rule that say the same. */
struct line {
	const struct finding *finding; /* the first of them */
	size_t count;
	int64_t duration; /* the longest */
};

/* The line that begins with this finding; false when it has none of its own. */
static bool line_of(const struct report_session *session, const struct render_alike *alike,
	size_t number, struct line *ret_line)
{
	const struct finding *finding = &session->findings[number];
	size_t least = finding->verdict <= VERDICT_WARNING ? ATTEMPTS_MOST + 1 : 2;

	if (finding->verdict == VERDICT_NO_EVIDENCE)
		return false;
	alike += number;
	if (alike->count < least)
		*ret_line = (struct line){finding, 1, finding->duration};
	else if (alike->first == number)
		*ret_line = (struct line){finding, alike->count, alike->duration};
	else
		return false;
	return true;
}

static void title_of(
	const struct render_page *page, const struct line *line, char clean[RENDER_PAGE_TEXT])
{
	const struct finding *finding = line->finding;
	char attempt[48] = "";
	size_t length;

	render_page_clean(page, finding->rule->title, clean);
	/* Findings of several machines are numbered one machine at a time. */
	if (line->count > 1 && finding->attempts >= line->count)
		snprintf(attempt, sizeof(attempt), " (%zu of %u)", line->count, finding->attempts);
	else if (line->count > 1)
		snprintf(attempt, sizeof(attempt), " (%zu times)", line->count);
	else if (finding->attempts > 1)
		snprintf(attempt, sizeof(attempt), " (%u/%u)", finding->attempt, finding->attempts);
	length = strlen(attempt);
	render_page_cut(page, clean, TITLE_MOST > length ? TITLE_MOST - length : 1);
	length = strlen(clean);
	snprintf(clean + length, RENDER_PAGE_TEXT - length, "%s", attempt);
}

/* The time of day, with the day where it is not the session's. */
static void time_of(const struct report_session *session, const struct finding *finding,
	char text[RENDER_TEXT_MOMENT * 2])
{
	char day[RENDER_TEXT_MOMENT], first[RENDER_TEXT_MOMENT], clock[RENDER_TEXT_MOMENT];

	render_text_day(finding->start, finding->kind, day);
	render_text_day(session->started, session->kind, first);
	render_text_clock(finding->start, finding->kind, clock);
	if (strcmp(day, first) == 0)
		snprintf(text, RENDER_TEXT_MOMENT * 2, "%s", clock);
	else
		snprintf(text, RENDER_TEXT_MOMENT * 2, "%s %s", day, clock);
}

static struct layout measure(const struct render_page *page, const struct report_session *session,
	const struct render_alike *alike)
{
	struct layout layout = {0};
	char clean[RENDER_PAGE_TEXT];
	char time[RENDER_TEXT_MOMENT * 2], duration[RENDER_DURATION_SIZE];

	for (size_t i = 0; i < session->finding_count; i++) {
		struct line line;
		size_t columns;

		if (!line_of(session, alike, i, &line))
			continue;
		title_of(page, &line, clean);
		columns = text_columns(clean);
		if (columns > layout.title)
			layout.title = columns;
		time_of(session, line.finding, time);
		if (strlen(time) > layout.time)
			layout.time = strlen(time);
		render_duration(line.duration, duration);
		if (strlen(duration) > layout.duration)
			layout.duration = strlen(duration);
	}
	return layout;
}

/* What a note has to say, where the line has no room for it; a failure and a warning have a block
 * of their own, and the title of a pass says enough. */
static void told_below(const struct render_page *page, const struct finding *finding)
{
	char clean[RENDER_PAGE_TEXT];

	if (finding->cause_text == NULL || finding->verdict != VERDICT_NOTE)
		return;
	render_page_clean(page, finding->cause_text, clean);
	fprintf(page->stream, "    ");
	render_page_wrapped(page, RENDER_DIM, clean, 4, 4, page->columns, 3);
}

/* Title, time and how long it took; the mark says the result. The year, and then the day, give way
 * to the title. */
static void narrow_row(const struct render_page *page, const struct report_session *session,
	const struct line *line, const struct layout *layout, char *title)
{
	char duration[RENDER_DURATION_SIZE], time[RENDER_TEXT_MOMENT * 2];
	char right[sizeof(duration) + sizeof(time) + 2];
	size_t used = 4 + (layout->duration > 0 ? layout->duration + 1 : 0);
	const char *shown = time;
	int length;

	render_duration(line->duration, duration);
	time_of(session, line->finding, time);
	if (strcspn(time, "-") == 4)
		shown += 5;
	if (used + strlen(shown) + 1 + TITLE_LEAST > page->columns && strrchr(time, ' ') != NULL)
		shown = strrchr(time, ' ') + 1;
	length = snprintf(right, sizeof(right), "%s%s%*s", shown, layout->duration > 0 ? " " : "",
		(int)layout->duration, duration);
	used = 4 + (length > 0 ? (size_t)length + 1 : 0);
	while (length > 0 && right[length - 1] == ' ')
		right[--length] = '\0';
	render_page_cut(page, title, page->columns - used);
	if (length == 0) {
		fprintf(page->stream, "%s\n", title);
		return;
	}
	render_page_padded(page, title, page->columns - used);
	fprintf(page->stream, " %s\n", right);
}

/* Result, time, duration and detail; no line ends in blanks. */
static void wide_row(const struct render_page *page, const struct report_session *session,
	const struct line *line, const struct layout *layout)
{
	const struct finding *finding = line->finding;
	bool quiet = finding->verdict >= VERDICT_NOTE;
	size_t used = 4 + layout->title + 2 + RESULT_COLUMNS;
	char time[RENDER_TEXT_MOMENT * 2], columns[RENDER_TEXT_MOMENT * 4];
	char duration[RENDER_DURATION_SIZE];
	struct render_words detail;
	int length;

	render_duration(line->duration, duration);
	time_of(session, finding, time);
	render_text_detail(page, finding, &detail);
	length = snprintf(columns, sizeof(columns), "%*s%s%-*s%s%*s",
		(int)(RESULT_COLUMNS - strlen(verdict_title(finding->verdict))), "",
		layout->time > 0 ? "  " : "", (int)layout->time, time,
		layout->duration > 0 ? "  " : "", (int)layout->duration, duration);
	used += (layout->time > 0 ? 2 + layout->time : 0) +
		(layout->duration > 0 ? 2 + layout->duration : 0);
	/* A note has no block of its own: what does not fit stands below. */
	if (used + 2 + DETAIL_LEAST > page->columns ||
		(finding->verdict == VERDICT_NOTE &&
			used + 2 + text_columns(detail.text) > page->columns))
		detail.length = 0;
	while (detail.length == 0 && length > 0 && columns[length - 1] == ' ')
		columns[--length] = '\0';
	fprintf(page->stream, "  %s%s%s%s",
		render_page_paint(page, render_page_colour(finding->verdict)),
		verdict_title(finding->verdict), render_page_paint(page, RENDER_PLAIN), columns);
	if (detail.length > 0) {
		render_page_cut(page, detail.text, page->columns - used - 2);
		fprintf(page->stream, "  %s%s%s", quiet ? render_page_paint(page, RENDER_DIM) : "",
			detail.text, quiet ? render_page_paint(page, RENDER_PLAIN) : "");
	}
	fputc('\n', page->stream);
	if (detail.length == 0)
		told_below(page, finding);
}

static void row(const struct render_page *page, const struct report_session *session,
	const struct line *line, const struct layout *layout)
{
	const struct finding *finding = line->finding;
	char title[RENDER_PAGE_TEXT];

	title_of(page, line, title);
	fprintf(page->stream, "  %s%s%s ",
		render_page_paint(page, render_page_colour(finding->verdict)),
		render_page_mark(page, finding->verdict), render_page_paint(page, RENDER_PLAIN));
	if (page->columns < RENDER_TEXT_NARROW) {
		narrow_row(page, session, line, layout, title);
		told_below(page, finding);
		return;
	}
	render_page_padded(page, title, layout->title);
	wide_row(page, session, line, layout);
}

/* Where the list of what there is no evidence of is cut, it begins with what matters most: the six
 * stages, then what else is about a session, then the machine. */
static unsigned fold_rank(const struct rule *rule)
{
	if (rule->stage > 0)
		return 0;
	return rule->phase == RULE_HOST ? 2 : 1;
}

#define FOLD_RANKS 3

/* Which diagnostics the log says nothing about. */
static void folded(const struct render_page *page, const struct report_session *session)
{
	char clean[RENDER_PAGE_TEXT], begin[64];
	struct render_words names = {.length = 0};
	size_t count = 0, listed = 0;

	for (size_t i = 0; i < session->finding_count; i++)
		count += session->findings[i].verdict == VERDICT_NO_EVIDENCE;
	if (count == 0)
		return;
	snprintf(begin, sizeof(begin), "no evidence (%zu): ", count);
	render_words_append(&names, begin);
	for (unsigned rank = 0; rank < FOLD_RANKS; rank++) {
		for (size_t i = 0; i < session->finding_count; i++) {
			const struct finding *finding = &session->findings[i];

			if (finding->verdict != VERDICT_NO_EVIDENCE ||
				fold_rank(finding->rule) != rank)
				continue;
			render_words_append(&names, listed++ > 0 ? ", " : "");
			render_page_clean(page, finding->rule->title, clean);
			render_words_append(&names, clean);
		}
	}
	/* Two lines; breaking between words costs a part of the first one. */
	if (page->columns < FOLD_WHOLE)
		render_page_cut(page, names.text, 2 * (page->columns - 5) - FOLD_MARGIN);
	fprintf(page->stream, "  %s%s%s ", render_page_paint(page, RENDER_DIM),
		render_page_mark(page, VERDICT_NO_EVIDENCE), render_page_paint(page, RENDER_PLAIN));
	render_page_wrapped(page, RENDER_DIM, names.text, 4, 4, page->columns, 0);
}

void render_text_table(const struct render_page *page, const struct report_session *session,
	const struct render_alike *alike)
{
	struct layout layout = measure(page, session, alike);

	for (int verdict = 0; verdict < VERDICT_NO_EVIDENCE; verdict++) {
		for (size_t i = 0; i < session->finding_count; i++) {
			struct line line;

			if (session->findings[i].verdict == (enum verdict)verdict &&
				line_of(session, alike, i, &line))
				row(page, session, &line, &layout);
		}
	}
	folded(page, session);
}
