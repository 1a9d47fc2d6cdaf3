/* Sessions in one line each: which, when, who, and how they went. */

#include <string.h>

#include "base/text.h"
#include "health/render_private.h"
#include "health/render_text_private.h"

#define SHORT_ID 8
#define NAME_MOST 40 /* columns of what names a session, and half of the terminal's */
#define NAME_SIZE (NAME_MOST * 4 + 16)

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

/* Start, path, user, client and time taken. */
static void describe(const struct render_page *page, const struct report_session *session,
	struct render_words *words)
{
	char clean[RENDER_PAGE_TEXT];
	char text[RENDER_DURATION_SIZE + RENDER_TEXT_MOMENT * 2];
	const char *user = known(session, "user");
	const char *client = known(session, "client");

	*words = (struct render_words){.length = 0};
	when_of(session, text, sizeof(text));
	render_words_add(words, text);
	if (session->started != STAMP_NONE && session->ended > session->started) {
		char duration[RENDER_DURATION_SIZE];

		render_duration(session->ended - session->started, duration);
		snprintf(text, sizeof(text), "%s", duration);
		render_words_add(words, text);
	}
	if (session->path != REPORT_PATH_UNKNOWN)
		render_words_add(words, render_path_name(session->path));
	if (user != NULL) {
		render_page_clean(page, user, clean);
		render_words_add(words, clean);
	}
	if (client != NULL && page->columns >= RENDER_TEXT_NARROW) {
		render_page_clean(page, client, clean);
		render_words_add(words, "from ");
		render_words_append(words, clean);
	}
}

/* Nearly every session has a note, how it ended: that says nothing against it. */
static enum verdict mark_of(const struct report_session *session)
{
	return session->worst == VERDICT_NOTE ? VERDICT_PASS : session->worst;
}

void render_text_heading(const struct render_page *page, const struct report_session *session)
{
	struct render_words words;
	char name[NAME_SIZE];

	name_of(page, session, name, sizeof(name));
	describe(page, session, &words);
	fprintf(page->stream, "%s%s%s %s%s%s  ",
		render_page_paint(page, render_page_colour(mark_of(session))),
		render_page_mark(page, mark_of(session)), render_page_paint(page, RENDER_PLAIN),
		render_page_paint(page, RENDER_BOLD), name, render_page_paint(page, RENDER_PLAIN));
	render_page_wrapped(
		page, RENDER_PLAIN, words.text, 2 + text_columns(name) + 2, 4, page->columns, 2);
}

/* How much stands behind the mark: one pass among many that nothing is known of is a pass, but says
 * little. */
static void add_results(const struct report_session *session, struct render_words *words)
{
	size_t counts[VERDICT_COUNT] = {0};
	char text[64];

	for (size_t i = 0; i < session->finding_count; i++)
		counts[session->findings[i].verdict]++;
	for (int i = 0; i < VERDICT_NO_EVIDENCE; i++) {
		if (counts[i] == 0 || i == VERDICT_NOTE)
			continue;
		snprintf(text, sizeof(text), "%zu %s", counts[i], verdict_title((enum verdict)i));
		render_words_add(words, text);
	}
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
	struct render_words words;

	name_of(page, session, name, sizeof(name));
	describe(page, session, &words);
	add_results(session, &words);
	if (cause != NULL) {
		render_page_clean(page, cause, clean);
		render_words_add(&words, clean);
	}
	render_page_cut(page, words.text, page->columns - 4 - text_columns(name));
	fprintf(page->stream, "%s%s%s %s  %s\n",
		render_page_paint(page, render_page_colour(mark_of(session))),
		render_page_mark(page, mark_of(session)), render_page_paint(page, RENDER_PLAIN),
		name, words.text);
}
