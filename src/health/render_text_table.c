/* Sessions in one line each, and tables of their diagnostics. */

#include <string.h>

#include "base/text.h"
#include "health/render_private.h"
#include "health/render_text_private.h"

#define SHORT_ID 8
#define NAME_MOST 40 /* columns of what names a session, and half of the terminal's */
#define NAME_SIZE (NAME_MOST * 4 + 16)
#define TITLE_MOST 36 /* columns of a title in a table */
#define RESULT_COLUMNS 7
#define DETAIL_LEAST 24 /* columns; below, no detail */

void render_text_day(int64_t time, enum stamp_kind kind, char text[RENDER_TEXT_MOMENT])
{
	char stamp[STAMP_TEXT_SIZE];

	text[0] = '\0';
	if (time == STAMP_NONE)
		return;
	stamp_print(time, kind, stamp);
	snprintf(text, RENDER_TEXT_MOMENT, "%.*s", (int)strcspn(stamp, "T "), stamp);
}

void render_text_clock(int64_t time, enum stamp_kind kind, char text[RENDER_TEXT_MOMENT])
{
	char stamp[STAMP_TEXT_SIZE];
	const char *clock = stamp;

	text[0] = '\0';
	if (time == STAMP_NONE)
		return;
	stamp_print(time, kind, stamp);
	clock += strcspn(stamp, "T ");
	if (*clock != '\0')
		clock++;
	snprintf(text, RENDER_TEXT_MOMENT, "%.*s", (int)strcspn(clock, "."), clock);
}

/* ---- who and when ---- */

/* The first value whose name has this word in it; NULL when there is none. */
static const char *known(const struct report_session *session, const char *word)
{
	for (size_t i = 0; i < session->finding_count; i++) {
		const struct finding *finding = &session->findings[i];

		for (size_t j = 0; j < finding->data_count; j++) {
			const struct report_data *data = &finding->data[j];

			if (data->mask && data->value[0] != '\0' &&
				strstr(data->name, word) != NULL)
				return data->value;
		}
	}
	return NULL;
}

static void name_of(const struct render_page *page, const struct report_session *session,
	char *name, size_t size)
{
	char clean[RENDER_PAGE_TEXT];

	if (session->id[0] != '\0') {
		render_page_clean(page, session->id, clean);
		snprintf(name, size, "%.*s", SHORT_ID, clean);
	} else {
		const char *path = session->source != NULL ? session->source : "no id";
		const char *base = strrchr(path, '/');

		render_page_clean(page, base != NULL ? base + 1 : path, clean);
		render_page_cut_middle(
			page, clean, page->columns / 2 < NAME_MOST ? page->columns / 2 : NAME_MOST);
		text_clean(clean, true, name, size);
	}
}

static void when_of(const struct report_session *session, char *when, size_t size)
{
	char day[RENDER_TEXT_MOMENT], clock[RENDER_TEXT_MOMENT];

	render_text_day(session->started, session->kind, day);
	render_text_clock(session->started, session->kind, clock);
	snprintf(when, size, "%s%s%s%s", day, day[0] != '\0' ? " " : "", clock,
		session->kind == STAMP_KIND_LOCAL && day[0] != '\0' ? " local" : "");
}

#define WORDS_SIZE (RENDER_PAGE_TEXT - RENDER_PAGE_SPARE)

struct words { /* "a  b  c" */
	char text[RENDER_PAGE_TEXT];
	size_t length;
};

/* Adds a clean text; what is too long is cut at a character. */
static void append(struct words *words, const char *clean)
{
	text_clean(clean, true, words->text + words->length, WORDS_SIZE - words->length);
	words->length += strlen(words->text + words->length);
}

static void add(struct words *words, const char *clean)
{
	if (clean[0] == '\0')
		return;
	if (words->length > 0)
		append(words, "  ");
	append(words, clean);
}

/* Start, path, user, client and time taken. */
static void describe(
	const struct render_page *page, const struct report_session *session, struct words *words)
{
	char clean[RENDER_PAGE_TEXT];
	char text[RENDER_DURATION_SIZE + RENDER_TEXT_MOMENT * 2];
	const char *user = known(session, "user");
	const char *client = known(session, "client");

	*words = (struct words){.length = 0};
	when_of(session, text, sizeof(text));
	add(words, text);
	if (session->started != STAMP_NONE && session->ended > session->started) {
		char duration[RENDER_DURATION_SIZE];

		render_duration(session->ended - session->started, duration);
		snprintf(text, sizeof(text), "%s", duration);
		add(words, text);
	}
	if (session->path != REPORT_PATH_UNKNOWN)
		add(words, render_path_name(session->path));
	if (user != NULL) {
		render_page_clean(page, user, clean);
		add(words, clean);
	}
	if (client != NULL && page->columns >= RENDER_TEXT_NARROW) {
		render_page_clean(page, client, clean);
		add(words, "from ");
		append(words, clean);
	}
}

/* Nearly every session has a note, how it ended: that says nothing against it. */
static enum verdict mark_of(const struct report_session *session)
{
	return session->worst == VERDICT_NOTE ? VERDICT_PASS : session->worst;
}

void render_text_heading(const struct render_page *page, const struct report_session *session)
{
	struct words words;
	char name[NAME_SIZE];

	name_of(page, session, name, sizeof(name));
	describe(page, session, &words);
	fprintf(page->stream, "%s%s %s%s%s  ",
		render_page_paint(page, render_page_colour(mark_of(session))),
		render_page_mark(page, mark_of(session)), render_page_paint(page, RENDER_PLAIN),
		render_page_paint(page, RENDER_BOLD), name);
	render_page_wrapped(page, words.text, 2 + text_columns(name) + 2, 4, page->columns, 2);
	fputs(render_page_paint(page, RENDER_PLAIN), page->stream);
}

/* The worst finding's cause, of a session that is told in one line. */
static const char *headline(const struct report_session *session)
{
	for (size_t i = 0; i < session->finding_count; i++) {
		const struct finding *finding = &session->findings[i];

		if (finding->verdict == session->worst && finding->cause_text != NULL &&
			session->worst != VERDICT_NO_EVIDENCE)
			return finding->cause_text;
	}
	return NULL;
}

void render_text_line(const struct render_page *page, const struct report_session *session)
{
	const char *cause = headline(session);
	char clean[RENDER_PAGE_TEXT];
	char name[NAME_SIZE];
	struct words words;

	name_of(page, session, name, sizeof(name));
	describe(page, session, &words);
	if (cause != NULL) {
		render_page_clean(page, cause, clean);
		add(&words, clean);
	}
	render_page_cut(page, words.text, page->columns - 4 - text_columns(name));
	fprintf(page->stream, "%s%s%s %s  %s\n",
		render_page_paint(page, render_page_colour(mark_of(session))),
		render_page_mark(page, mark_of(session)), render_page_paint(page, RENDER_PLAIN),
		name, words.text);
}

/* ---- the table ---- */

struct layout {
	size_t title, time, duration; /* columns */
};

static void title_of(
	const struct render_page *page, const struct finding *finding, char clean[RENDER_PAGE_TEXT])
{
	char attempt[32] = "";
	size_t length;

	render_page_clean(page, finding->rule->title, clean);
	if (finding->attempts > 1)
		snprintf(attempt, sizeof(attempt), " (%u/%u)", finding->attempt, finding->attempts);
	render_page_cut(page, clean, TITLE_MOST - strlen(attempt));
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

static struct layout measure(const struct render_page *page, const struct report_session *session)
{
	struct layout layout = {0};
	char clean[RENDER_PAGE_TEXT];
	char time[RENDER_TEXT_MOMENT * 2], duration[RENDER_DURATION_SIZE];

	for (size_t i = 0; i < session->finding_count; i++) {
		const struct finding *finding = &session->findings[i];
		size_t columns;

		if (finding->verdict == VERDICT_NO_EVIDENCE)
			continue;
		title_of(page, finding, clean);
		columns = text_columns(clean);
		if (columns > layout.title)
			layout.title = columns;
		time_of(session, finding, time);
		if (strlen(time) > layout.time)
			layout.time = strlen(time);
		render_duration(finding->duration, duration);
		if (strlen(duration) > layout.duration)
			layout.duration = strlen(duration);
	}
	return layout;
}

/* One line's worth: the cause, or what is known of a success. */
static void detail_of(
	const struct render_page *page, const struct finding *finding, struct words *words)
{
	char clean[RENDER_PAGE_TEXT];

	*words = (struct words){.length = 0};
	if (finding->cause_text != NULL) {
		render_page_clean(page, finding->cause_text, clean);
		add(words, clean);
		return;
	}
	for (size_t i = 0; i < finding->data_count; i++) {
		const struct report_data *data = &finding->data[i];

		if (strcmp(data->name, "collected") == 0 || strcmp(data->name, "duration_s") == 0 ||
			data->value[0] == '\0')
			continue;
		render_page_clean(page, data->value, clean);
		add(words, data->name);
		append(words, " ");
		append(words, clean);
	}
}

/* What a note or a pass has to say, where the line has no room for it; a failure and a warning have
 * a block of their own. */
static void told_below(const struct render_page *page, const struct finding *finding)
{
	char clean[RENDER_PAGE_TEXT];

	if (finding->cause_text == NULL || finding->verdict < VERDICT_NOTE)
		return;
	render_page_clean(page, finding->cause_text, clean);
	fprintf(page->stream, "    %s", render_page_paint(page, RENDER_DIM));
	render_page_wrapped(page, clean, 4, 4, page->columns, 3);
	fputs(render_page_paint(page, RENDER_PLAIN), page->stream);
}

/* Mark and title; and how long it took, at the right. */
static void narrow_row(const struct render_page *page, char *title, const char *duration)
{
	size_t width = page->columns - 4 - (duration[0] != '\0' ? strlen(duration) + 1 : 0);

	render_page_cut(page, title, width);
	if (duration[0] == '\0') {
		fprintf(page->stream, "%s\n", title);
		return;
	}
	render_page_padded(page, title, width);
	fprintf(page->stream, " %s\n", duration);
}

/* Result, time, duration and detail; no line ends in blanks. */
static void wide_row(const struct render_page *page, const struct report_session *session,
	const struct finding *finding, const struct layout *layout, const char *duration)
{
	bool quiet = finding->verdict >= VERDICT_NOTE;
	size_t used = 4 + layout->title + 2 + RESULT_COLUMNS;
	char time[RENDER_TEXT_MOMENT * 2], columns[RENDER_TEXT_MOMENT * 4];
	struct words detail;
	int length;

	time_of(session, finding, time);
	detail_of(page, finding, &detail);
	length = snprintf(columns, sizeof(columns), "%*s%s%-*s%s%*s",
		(int)(RESULT_COLUMNS - strlen(verdict_title(finding->verdict))), "",
		layout->time > 0 ? "  " : "", (int)layout->time, time,
		layout->duration > 0 ? "  " : "", (int)layout->duration, duration);
	used += (layout->time > 0 ? 2 + layout->time : 0) +
		(layout->duration > 0 ? 2 + layout->duration : 0);
	if (used + 2 + DETAIL_LEAST > page->columns)
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
	const struct finding *finding, const struct layout *layout)
{
	char title[RENDER_PAGE_TEXT], duration[RENDER_DURATION_SIZE];

	title_of(page, finding, title);
	render_duration(finding->duration, duration);
	fprintf(page->stream, "  %s%s%s ",
		render_page_paint(page, render_page_colour(finding->verdict)),
		render_page_mark(page, finding->verdict), render_page_paint(page, RENDER_PLAIN));
	if (page->columns < RENDER_TEXT_NARROW) {
		narrow_row(page, title, duration);
		told_below(page, finding);
		return;
	}
	render_page_padded(page, title, layout->title);
	wide_row(page, session, finding, layout, duration);
}

static void folded(const struct render_page *page, const struct report_session *session)
{
	char clean[RENDER_PAGE_TEXT];
	char names[RENDER_PAGE_TEXT] = "no evidence: ";
	size_t length = strlen(names);
	size_t before = length;

	for (size_t i = 0; i < session->finding_count; i++) {
		const struct finding *finding = &session->findings[i];

		if (finding->verdict != VERDICT_NO_EVIDENCE)
			continue;
		render_page_clean(page, finding->rule->title, clean);
		if (length + strlen(clean) + 3 > sizeof(names))
			break;
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
			length > before ? ", " : "", clean);
	}
	if (length == before)
		return;
	fprintf(page->stream, "  %s%s ", render_page_paint(page, RENDER_DIM),
		render_page_mark(page, VERDICT_NO_EVIDENCE));
	render_page_wrapped(page, names, 4, 4, page->columns, 0);
	fputs(render_page_paint(page, RENDER_PLAIN), page->stream);
}

void render_text_table(const struct render_page *page, const struct report_session *session)
{
	struct layout layout = measure(page, session);

	for (int verdict = 0; verdict < VERDICT_NO_EVIDENCE; verdict++) {
		for (size_t i = 0; i < session->finding_count; i++) {
			if (session->findings[i].verdict == (enum verdict)verdict)
				row(page, session, &session->findings[i], &layout);
		}
	}
	folded(page, session);
}
