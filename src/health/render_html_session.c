#include "health/render_html_private.h"
#include "health/render_private.h"
#include "health/render_svg.h"

#define PLOTS_SHOWN 100 /* of a session; one for each measure and log */

void render_html_name(const struct html *html, const struct report_session *session)
{
	if (session->id[0] != '\0')
		html_code(html, session->id);
	else if (session->source != NULL)
		html_code(html, session->source);
	else
		html_raw(html, "a session without id");
}

static const char *path_text(enum report_path path)
{
	switch (path) {
	case REPORT_PATH_DIRECT:
		return "direct connection";
	case REPORT_PATH_BROKERED:
		return "brokered connection";
	case REPORT_PATH_UNKNOWN:
		break;
	}
	return "connection path unknown";
}

static void put_times(const struct html *html, const struct report_session *session)
{
	char duration[RENDER_DURATION_SIZE];

	if (session->started == STAMP_NONE) {
		html_raw(html, "<li>no times in the log</li>");
		return;
	}
	html_raw(html, "<li>");
	html_moment(html, session->started, session->kind);
	html_raw(html, " \xe2\x80\x93 ");
	html_end(html, session->started, session->ended, session->kind);
	html_print(html, " <span class=\"zone\">%s</span></li>", html_zone(session->kind));
	if (session->ended != STAMP_NONE && session->ended >= session->started) {
		render_duration(session->ended - session->started, duration);
		html_print(html, "<li>%s</li>", duration);
	}
}

static void put_head(const struct html *html, const struct report_session *session)
{
	html_raw(html, "<header>");
	html_badge(html, session->worst);
	html_raw(html, "<h3>");
	html_raw(html,
		session->id[0] != '\0' ? "<span class=\"kind\">Session</span> "
				       : "<span class=\"kind\">Session without id, from</span> ");
	render_html_name(html, session);
	html_raw(html, "</h3><ul class=\"meta\">");
	put_times(html, session);
	html_print(html, "<li>%s</li></ul></header>\n", path_text(session->path));
}

/* Whether the numbers of one measure come from several logs, so that each needs its name. */
static bool is_shared(const struct report_session *session, size_t index)
{
	for (size_t i = 0; i < session->plot_count; i++) {
		if (i != index && session->plots[i].measure == session->plots[index].measure)
			return true;
	}
	return false;
}

static void put_plots(const struct html *html, const struct report *report,
	const struct report_session *session, unsigned number)
{
	if (session->plot_count == 0)
		return;
	html_raw(html, "<h4>Network</h4><div class=\"plots\">\n");
	for (size_t i = 0; i < session->plot_count && i < PLOTS_SHOWN; i++) {
		const struct series *series = session->plots[i].series;
		const struct source *source = &report->store->sources[series->source];

		render_svg_plot(html, &session->plots[i], source->kind,
			is_shared(session, i) ? source->path : NULL, number, (unsigned)i);
	}
	html_raw(html, "</div>\n");
	if (session->plot_count > PLOTS_SHOWN) {
		html_raw(html, "<p class=\"more\">and ");
		html_number(html, session->plot_count - PLOTS_SHOWN);
		html_raw(html, " more; the JSON report has the numbers of all</p>\n");
	}
}

void render_html_session(const struct html *html, const struct report *report,
	const struct report_session *session, unsigned number)
{
	html_print(html, "<article class=\"card session %s\" id=\"s%u\">",
		verdict_name(session->worst), number);
	put_head(html, session);
	html_raw(html, "<h4>Stages</h4>");
	render_svg_stages(html, session, number);
	put_plots(html, report, session, number);
	html_raw(html, "<h4>Diagnostics</h4>");
	render_html_findings(html, report, session);
	html_raw(html, "</article>\n");
}
