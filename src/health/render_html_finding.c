#include <stdbool.h>
#include <string.h>

#include "health/head.h"
#include "health/render_html_private.h"
#include "health/render_private.h"

#define VERDICT_FINDINGS 200 /* shown of one verdict in one session */

static void put_heading(const struct html *html, const char *title)
{
	html_print(html, "<h5>%s</h5>", title);
}

/* Findings of hosts say which log they are from: a bundle may hold those of several machines. */
static void put_origin(
	const struct html *html, const struct store *store, const struct finding *finding)
{
	if (finding->rule->scope != RULE_SCOPE_HOST || finding->evidence_count == 0 ||
		store->source_count < 2)
		return;
	html_raw(html, " <span class=\"origin\">");
	html_log(html, store->sources[finding->evidence[0].source].path);
	html_raw(html, "</span>");
}

static void put_summary(
	const struct html *html, const struct store *store, const struct finding *finding)
{
	char duration[RENDER_DURATION_SIZE];

	html_raw(html, "<summary>");
	html_sign(html, finding->verdict);
	html_raw(html, "<span class=\"name\">");
	html_text(html, finding->rule->title);
	if (finding->attempts > 1)
		html_print(html, " <span class=\"attempt\">attempt %u of %u</span>",
			finding->attempt, finding->attempts);
	put_origin(html, store, finding);
	html_print(html, "</span><span class=\"verdict %s\">%s</span><span class=\"when\">",
		verdict_name(finding->verdict), verdict_title(finding->verdict));
	if (finding->start != STAMP_NONE) {
		html_clock(html, finding->start, finding->kind);
		if (finding->end != STAMP_NONE && finding->end > finding->start) {
			html_raw(html, "<span class=\"until\"> \xe2\x80\x93 ");
			html_clock(html, finding->end, finding->kind);
			html_raw(html, "</span>");
		}
	}
	html_raw(html, "</span><span class=\"took\">");
	if (finding->duration >= 0) {
		render_duration(finding->duration, duration);
		html_raw(html, duration);
	}
	html_raw(html, "</span></summary>\n");
}

static void put_cause(const struct html *html, const struct finding *finding)
{
	if (finding->cause_text == NULL && (finding->cause == NULL || finding->cause->name == NULL))
		return;
	html_raw(html, "<p class=\"cause\">");
	if (finding->cause_text != NULL)
		html_log(html, finding->cause_text);
	if (finding->cause != NULL && finding->cause->name != NULL) {
		html_raw(html, " ");
		html_code(html, finding->cause->name);
	}
	html_raw(html, "</p>\n");
}

/* Rules are files that anybody may write: only addresses of the web become links. */
static bool is_web(const char *link)
{
	return strncmp(link, "https://", 8) == 0 || strncmp(link, "http://", 7) == 0;
}

static void put_link(const struct html *html, const char *link)
{
	if (!is_web(link)) {
		html_raw(html, " ");
		html_code(html, link);
		return;
	}
	html_raw(html, " <a rel=\"noopener noreferrer\" href=\"");
	html_text(html, link);
	html_raw(html, "\">More about it</a>");
}

static void put_remedies(const struct html *html, const struct finding *finding)
{
	if (finding->remedy_count == 0)
		return;
	put_heading(html, "What to do");
	html_raw(html, "<ul class=\"remedies\">");
	for (size_t i = 0; i < finding->remedy_count; i++) {
		const struct report_remedy *remedy = &finding->remedies[i];

		html_print(html, "<li><span class=\"who\">%s</span><span class=\"text\">",
			actor_title(remedy->who));
		html_log(html, remedy->text);
		if (remedy->link != NULL)
			put_link(html, remedy->link);
		html_raw(html, "</span></li>\n");
	}
	html_raw(html, "</ul>\n");
}

/* "collected" is the lines once more, which stand below as evidence. */
static bool is_told(const struct finding *finding, const struct report_data *data)
{
	return finding->evidence_count > 0 && strcmp(data->name, "collected") == 0;
}

static void put_data(const struct html *html, const struct finding *finding)
{
	size_t told = 0;

	for (size_t i = 0; i < finding->data_count; i++)
		told += (size_t)is_told(finding, &finding->data[i]);
	if (told == finding->data_count)
		return;
	put_heading(html, "Data");
	html_raw(html, "<dl class=\"data\">");
	for (size_t i = 0; i < finding->data_count; i++) {
		if (is_told(finding, &finding->data[i]))
			continue;
		html_raw(html, "<div><dt>");
		html_text(html, finding->data[i].name);
		html_raw(html, "</dt><dd>");
		html_code(html, finding->data[i].value);
		html_raw(html, "</dd></div>\n");
	}
	html_raw(html, "</dl>\n");
}

/* A line with its head (stamp, id, level) set back, so that the message stands out. */
static void put_line(const struct html *html, const char *text)
{
	const char *line = mask_text(html->mask, text);
	struct head head;

	html_raw(html, "<code dir=\"ltr\">");
	if (head_read(line, strlen(line), &head) && head.component_length > 0) {
		html_raw(html, "<span class=\"head\">");
		html_part(html, line, (size_t)(head.component - line));
		html_raw(html, "</span>");
		line = head.component;
	}
	html_text(html, line);
	html_raw(html, "</code>");
}

/* Lines as a listing, under the name of their file; a new name where the file changes. */
static void put_evidence(
	const struct html *html, const struct report *report, const struct finding *finding)
{
	if (finding->evidence_count == 0)
		return;
	put_heading(html, "Evidence");
	html_raw(html, "<div class=\"evidence\">");
	for (size_t i = 0; i < finding->evidence_count; i++) {
		const struct report_evidence *line = &finding->evidence[i];
		const char *path = report->store->sources[line->source].path;

		if (i == 0 || line->source != finding->evidence[i - 1].source) {
			html_raw(html, i == 0 ? "<p class=\"file\">" : "</div><p class=\"file\">");
			html_log(html, path);
			html_raw(html, "</p><div class=\"lines\">");
		}
		html_raw(html, "<div class=\"line\"><span class=\"number\" title=\"");
		html_log(html, path);
		html_print(html, ":%u\">%u</span>", line->line, line->line);
		put_line(html, line->text);
		html_raw(html, "</div>\n");
	}
	html_raw(html, "</div>");
	if (finding->evidence_more > 0) {
		html_raw(html, "<p class=\"more\">and ");
		html_count(html, finding->evidence_more, "further line", "further lines");
		html_raw(html, "</p>");
	}
	html_raw(html, "</div>\n");
}

static void put_about(const struct html *html, const struct finding *finding)
{
	if (finding->rule->about == NULL)
		return;
	html_raw(html, "<p class=\"about\">");
	html_text(html, finding->rule->about);
	html_raw(html, "</p>\n");
}

static void put_finding(
	const struct html *html, const struct report *report, const struct finding *finding)
{
	bool open = finding->verdict == VERDICT_FAIL || finding->verdict == VERDICT_WARNING;

	html_print(html, "<details class=\"finding %s\"%s>", verdict_name(finding->verdict),
		open ? " open=\"open\"" : "");
	put_summary(html, report->store, finding);
	html_raw(html, "<div class=\"body\">");
	put_cause(html, finding);
	put_remedies(html, finding);
	put_data(html, finding);
	put_evidence(html, report, finding);
	put_about(html, finding);
	html_raw(html, "</div></details>\n");
}

static void put_verdict(const struct html *html, const struct report *report,
	const struct report_session *session, enum verdict verdict)
{
	size_t shown = 0;

	for (size_t i = 0; i < session->finding_count; i++) {
		if (session->findings[i].verdict == verdict && shown++ < VERDICT_FINDINGS)
			put_finding(html, report, &session->findings[i]);
	}
	if (shown > VERDICT_FINDINGS) {
		html_raw(html, "<p class=\"more\">and ");
		html_number(html, shown - VERDICT_FINDINGS);
		html_raw(html, " more of this kind; the text and JSON reports list them all</p>\n");
	}
}

static void put_silent(const struct html *html, const struct report_session *session)
{
	size_t count = 0;

	for (size_t i = 0; i < session->finding_count; i++) {
		if (session->findings[i].verdict == VERDICT_NO_EVIDENCE)
			count++;
	}
	if (count == 0)
		return;
	html_raw(html, "<details class=\"finding no-evidence\"><summary>");
	html_sign(html, VERDICT_NO_EVIDENCE);
	html_raw(html, "<span class=\"name\">");
	html_count(html, count, "diagnostic", "diagnostics");
	html_raw(html,
		" without evidence</span></summary><div class=\"body\"><dl class=\"silent\">");
	for (size_t i = 0; i < session->finding_count; i++) {
		const struct finding *finding = &session->findings[i];

		if (finding->verdict != VERDICT_NO_EVIDENCE)
			continue;
		html_raw(html, "<div><dt>");
		html_text(html, finding->rule->title);
		html_raw(html, "</dt><dd>");
		html_log(html,
			finding->cause_text != NULL ? finding->cause_text : "the logs do not tell");
		html_raw(html, "</dd></div>\n");
	}
	html_raw(html, "</dl></div></details>\n");
}

void render_html_findings(
	const struct html *html, const struct report *report, const struct report_session *session)
{
	html_raw(html, "<div class=\"findings\">\n");
	for (enum verdict verdict = 0; verdict < VERDICT_NO_EVIDENCE; verdict++)
		put_verdict(html, report, session, verdict);
	put_silent(html, session);
	html_raw(html, "</div>\n");
}
