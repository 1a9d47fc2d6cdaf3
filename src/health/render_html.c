#include "health/render.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "health/render_html_private.h"
#include "health/render_private.h"
#include "health/render_svg.h"

#define SESSIONS_SHOWN 200 /* in full, the worst ones; more when more than these failed ... */
#define SESSIONS_MOST 500  /* ... up to here, or no browser would open the page */

/* The counts that head line and texts are made of. */
struct tally {
	size_t sessions[VERDICT_COUNT];
	size_t shown;        /* in full */
	int64_t first, last; /* STAMP_NONE */
	enum stamp_kind kind;
};

/* From the first line to the last one, of the logs whose times are of these kinds. */
static void tally_period(
	struct tally *tally, const struct store *store, enum stamp_kind kind, enum stamp_kind other)
{
	tally->kind = kind;
	for (size_t i = 0; i < store->source_count; i++) {
		const struct source *source = &store->sources[i];

		if (source->first == STAMP_NONE || (source->kind != kind && source->kind != other))
			continue;
		if (tally->first == STAMP_NONE || source->first < tally->first)
			tally->first = source->first;
		if (tally->last == STAMP_NONE || source->last > tally->last)
			tally->last = source->last;
	}
}

static void tally_make(struct tally *tally, const struct report *report)
{
	*tally = (struct tally){.first = STAMP_NONE, .last = STAMP_NONE};
	for (size_t i = 0; i < report->session_count; i++)
		tally->sessions[report->sessions[i].worst]++;
	tally->shown = tally->sessions[VERDICT_FAIL] > SESSIONS_SHOWN
		? tally->sessions[VERDICT_FAIL]
		: SESSIONS_SHOWN;
	if (tally->shown > SESSIONS_MOST)
		tally->shown = SESSIONS_MOST;
	if (tally->shown > report->session_count)
		tally->shown = report->session_count;
	tally_period(tally, report->store, STAMP_KIND_UTC, STAMP_KIND_OFFSET);
	if (tally->first == STAMP_NONE)
		tally_period(tally, report->store, STAMP_KIND_LOCAL, STAMP_KIND_LOCAL);
}

/* "2 of 5 sessions have failures": what the page says in its first line. */
static void put_headline(
	const struct html *html, const struct report *report, const struct tally *tally)
{
	const enum verdict worst = report_worst(report);
	const size_t all = report->session_count;
	const char *many = " have ";
	size_t bad;

	if (worst == VERDICT_NO_EVIDENCE) {
		html_raw(html, "The logs tell nothing to judge");
		return;
	}
	if (worst > VERDICT_WARNING) {
		html_raw(html, "Everything that the logs tell of passed");
		return;
	}
	bad = tally->sessions[worst];
	if (bad <= 1)
		many = " has ";
	if (bad == 0)
		html_raw(html, "The host");
	else if (all == 1)
		html_raw(html, "The session");
	else if (bad == all)
		html_print(html, "All %zu sessions", all);
	else
		html_print(html, "%zu of %zu sessions", bad, all);
	html_print(html, "%s%s", many, worst == VERDICT_FAIL ? "failures" : "warnings");
}

static void put_style(const struct html *html)
{
	html_raw(html, "<style>\n");
	for (size_t i = 0; render_html_style[i] != NULL; i++)
		html_raw(html, render_html_style[i]);
	html_raw(html, "</style>\n");
}

static void put_head(
	const struct html *html, const struct report *report, const struct tally *tally)
{
	html_raw(html,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src "
		"'unsafe-inline'\"/>\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		"<meta name=\"color-scheme\" content=\"light dark\"/>\n"
		"<meta name=\"referrer\" content=\"no-referrer\"/>\n"
		"<meta name=\"generator\" content=\"Fairlead " FAIRLEAD_VERSION
		"\"/>\n<title>Health check: ");
	put_headline(html, report, tally);
	html_raw(html, "</title>\n");
	put_style(html);
	html_raw(html, "</head>\n<body>\n");
}

static void put_masthead(
	const struct html *html, const struct report *report, const struct tally *tally)
{
	const enum verdict worst = report_worst(report);

	html_print(html,
		"<header class=\"masthead %s\"><p class=\"brand\">Fairlead health check</p><h1>",
		verdict_name(worst));
	html_sign(html, worst);
	html_raw(html, "<span>");
	put_headline(html, report, tally);
	html_raw(html, "</span></h1><p class=\"lead\">");
	html_count(html, report->session_count, "session", "sessions");
	html_raw(html, " in ");
	html_count(html, report->store->source_count, "log", "logs");
	if (tally->first != STAMP_NONE) {
		html_raw(html, ", from ");
		html_moment(html, tally->first, tally->kind);
		html_raw(html, " to ");
		html_end(html, tally->first, tally->last, tally->kind);
		html_print(html, " %s", html_zone(tally->kind));
	}
	html_raw(html, ".</p></header>\n");
}

static void put_tiles(const struct html *html, const struct report *report)
{
	html_raw(html, "<ul class=\"tiles\" aria-label=\"Findings by result\">");
	for (enum verdict verdict = 0; verdict < VERDICT_COUNT; verdict++) {
		html_print(html, "<li class=\"%s%s\">", verdict_name(verdict),
			report->summary[verdict] == 0 ? " zero" : "");
		html_sign(html, verdict);
		html_raw(html, "<b>");
		html_number(html, report->summary[verdict]);
		html_print(html, "</b><span>%s</span></li>\n", verdict_title(verdict));
	}
	html_raw(html, "</ul>\n");
}

static void put_notes(const struct html *html, const struct report *report)
{
	if (report->note_count == 0 && !report->incomplete)
		return;
	html_raw(html, "<section class=\"notes\" aria-label=\"Notes\"><ul>");
	if (report->incomplete)
		html_raw(html,
			"<li>Not everything was read; <a href=\"#skipped\">what was not, and "
			"why</a>.</li>\n");
	for (size_t i = 0; i < report->note_count; i++) {
		html_raw(html, "<li>");
		html_log(html, report->notes[i]);
		html_raw(html, "</li>\n");
	}
	html_raw(html, "</ul></section>\n");
}

/* The first finding that made the session as bad as it is. */
static void put_reason(const struct html *html, const struct report_session *session)
{
	if (session->worst > VERDICT_WARNING)
		return;
	for (size_t i = 0; i < session->finding_count; i++) {
		const struct finding *finding = &session->findings[i];

		if (finding->verdict != session->worst)
			continue;
		html_raw(html, "<span class=\"reason\">");
		html_text(html, finding->rule->title);
		if (finding->cause_text != NULL) {
			html_raw(html, ": ");
			html_log(html, finding->cause_text);
		}
		html_raw(html, "</span>");
		return;
	}
}

static void put_row(
	const struct html *html, const struct report_session *session, size_t place, bool linked)
{
	html_print(html, "<li class=\"%s\">", verdict_name(session->worst));
	html_badge(html, session->worst);
	html_raw(html, "<span class=\"what\">");
	if (linked)
		html_print(html, "<a href=\"#s%zu\">", place + 1);
	render_html_name(html, session);
	if (linked)
		html_raw(html, "</a>");
	put_reason(html, session);
	html_raw(html, "</span><span class=\"steps\" aria-hidden=\"true\">");
	for (unsigned i = 0; i < 6; i++)
		html_sign(html, session->stages[i].verdict);
	html_raw(html, "</span><span class=\"when\">");
	html_moment(html, session->started, session->kind);
	html_raw(html, "</span></li>\n");
}

typedef void put_one(const struct html *html, const struct report *report,
	const struct report_session *session, size_t place);

/* Sessions worst first, those of one verdict by time: the places from `from` up to `to`. */
static void for_places(
	const struct html *html, const struct report *report, size_t from, size_t to, put_one *put)
{
	size_t place = 0;

	for (enum verdict verdict = 0; verdict < VERDICT_COUNT; verdict++) {
		for (size_t i = 0; i < report->session_count && place < to; i++) {
			if (report->sessions[i].worst != verdict)
				continue;
			if (place >= from)
				put(html, report, &report->sessions[i], place);
			place++;
		}
	}
}

static void put_linked_row(const struct html *html, const struct report *report,
	const struct report_session *session, size_t place)
{
	(void)report;
	put_row(html, session, place, true);
}

static void put_plain_row(const struct html *html, const struct report *report,
	const struct report_session *session, size_t place)
{
	(void)report;
	put_row(html, session, place, false);
}

static void put_place_session(const struct html *html, const struct report *report,
	const struct report_session *session, size_t place)
{
	render_html_session(html, report, session, (unsigned)place + 1);
}

static void put_sessions(
	const struct html *html, const struct report *report, const struct tally *tally)
{
	html_raw(html, "<section id=\"sessions\"><h2>Sessions</h2>\n");
	if (report->session_count == 0)
		html_raw(html, "<p class=\"muted\">No session was found in these logs.</p>\n");
	if (report->session_count > 1) {
		html_raw(html, "<ol class=\"card overview\">\n");
		for_places(html, report, 0, tally->shown, put_linked_row);
		html_raw(html, "</ol>\n");
	}
	if (tally->shown < report->session_count) {
		html_raw(html, "<details class=\"card fold\"><summary>");
		html_count(html, report->session_count - tally->shown, "further session",
			"further sessions");
		html_raw(html,
			", in short; <code>fairlead check --session ID</code> shows one in full"
			"</summary><ol class=\"overview\">\n");
		for_places(html, report, tally->shown, report->session_count, put_plain_row);
		html_raw(html, "</ol></details>\n");
	}
	for_places(html, report, 0, tally->shown, put_place_session);
	html_raw(html, "</section>\n");
}

static void put_host(const struct html *html, const struct report *report)
{
	if (report->host.finding_count == 0)
		return;
	html_raw(html,
		"<section id=\"host\"><h2>Host</h2><p class=\"muted\">What belongs to no single "
		"session.</p><article class=\"card\">\n");
	render_html_findings(html, report, &report->host);
	html_raw(html, "</article></section>\n");
}

int render_html(const struct report *report, const struct mask *mask, FILE *stream)
{
	const struct html html = {.stream = stream, .mask = mask};
	struct tally tally;
	struct render_skip *skips;
	size_t skip_count;
	int result;

	skips = render_skips(report->store, &skip_count, &result);
	if (result != 0)
		return result;
	tally_make(&tally, report);
	put_head(&html, report, &tally);
	render_svg_definitions(&html);
	html_raw(&html, "<main>\n");
	put_masthead(&html, report, &tally);
	put_tiles(&html, report);
	put_notes(&html, report);
	put_sessions(&html, report, &tally);
	put_host(&html, report);
	render_html_inputs(&html, report->store);
	render_html_skipped(&html, report, skips, skip_count);
	html_raw(&html,
		"</main>\n<footer>Made by Fairlead " FAIRLEAD_VERSION
		", from logs alone. This page needs no network and runs no script.</footer>\n"
		"</body>\n</html>\n");
	free(skips);
	if (fflush(stream) != 0 || ferror(stream))
		return ERROR_SYSTEM;
	return 0;
}
