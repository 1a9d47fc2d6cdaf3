#include "health/encoding.h"
#include "health/head.h"
#include "health/render_html_private.h"

#define SOURCES_SHOWN 1000
#define SKIPS_SHOWN 1000

static uint64_t count_lines(const struct store *store)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < store->source_count; i++)
		lines += store->sources[i].lines;
	return lines;
}

static void put_remark(const struct html *html, const struct source *source)
{
	if (source->reason != NULL) {
		html_raw(html, "<p class=\"remark\">not read to its end: ");
		html_log(html, source->reason);
		html_raw(html, "</p>");
	}
	if (source->lines_long > 0) {
		html_raw(html, "<p class=\"remark\">");
		html_count(html, source->lines_long, "line is too long and was",
			"lines are too long and were");
		html_raw(html, " read in part</p>");
	}
}

static void put_period(const struct html *html, const struct source *source)
{
	if (source->first == STAMP_NONE) {
		html_raw(html, "no times");
		return;
	}
	html_moment(html, source->first, source->kind);
	html_print(html, " <span class=\"zone\">%s</span>", html_zone(source->kind));
}

static void put_source(const struct html *html, const struct source *source)
{
	html_raw(html, "<tr><th scope=\"row\">");
	html_code(html, source->path);
	put_remark(html, source);
	html_print(html,
		"</th><td data-label=\"written by\"><span title=\"form %s\">%s</span></td>",
		family_letter(source->family), family_title(source->family));
	html_print(html,
		"<td data-label=\"encoding\">%s</td><td class=\"count\" data-label=\"lines\">",
		encoding_name(source->encoding));
	html_number(html, source->lines);
	html_raw(html, "</td><td data-label=\"from\">");
	put_period(html, source);
	html_raw(html, "</td><td data-label=\"SHA-256\">");
	if (source->sha256[0] != '\0')
		html_print(html, "<code title=\"%s\">%.8s\xe2\x80\xa6</code>", source->sha256,
			source->sha256);
	html_raw(html, "</td></tr>\n");
}

void render_html_inputs(const struct html *html, const struct store *store)
{
	bool few = store->source_count <= 12;

	html_raw(html, "<section id=\"inputs\"><h2>Inputs</h2>\n");
	if (store->source_count == 0) {
		html_raw(html, "<p class=\"muted\">No log was read.</p></section>\n");
		return;
	}
	html_print(html, "<details class=\"card fold\"%s><summary>", few ? " open=\"open\"" : "");
	html_count(html, store->source_count, "log", "logs");
	html_raw(html, ", ");
	html_count(html, count_lines(store), "line", "lines");
	html_raw(html,
		"</summary><table class=\"inputs\"><thead><tr><th>File</th><th>Written by</th>"
		"<th>Encoding</th><th class=\"count\">Lines</th><th>From</th><th>SHA-256</th></tr>"
		"</thead><tbody>\n");
	for (size_t i = 0; i < store->source_count && i < SOURCES_SHOWN; i++)
		put_source(html, &store->sources[i]);
	html_raw(html, "</tbody></table>");
	if (store->source_count > SOURCES_SHOWN) {
		html_raw(html, "<p class=\"more\">and ");
		html_number(html, store->source_count - SOURCES_SHOWN);
		html_raw(html, " more; the JSON report lists them all</p>");
	}
	html_raw(html, "</details></section>\n");
}

static void put_skip(const struct html *html, const struct render_skip *skip)
{
	html_raw(html, "<div><dt>");
	html_code(html, skip->path);
	html_raw(html, "</dt><dd>");
	html_log(html, skip->reason);
	if (skip->count > 1) {
		html_raw(html, ", ");
		html_count(html, skip->count, "time", "times");
	}
	html_raw(html, "</dd></div>\n");
}

void render_html_skipped(const struct html *html, const struct report *report,
	const struct render_skip *skips, size_t count)
{
	const uint64_t all = count + report->store->skipped_more;
	const size_t shown = count < SKIPS_SHOWN ? count : SKIPS_SHOWN;

	if (all == 0 && !report->incomplete)
		return;
	html_raw(html, "<section id=\"skipped\"><h2>Not read</h2>\n");
	if (all == 0) {
		html_raw(html, "<p class=\"muted\">See the notes at the top.</p></section>\n");
		return;
	}
	html_raw(html, "<details class=\"card fold\" open=\"open\"><summary>");
	html_count(html, all, "entry", "entries");
	html_raw(html, "</summary><dl class=\"skipped\">\n");
	for (size_t i = 0; i < shown; i++)
		put_skip(html, &skips[i]);
	html_raw(html, "</dl>");
	if (all > shown) {
		html_raw(html, "<p class=\"more\">and ");
		html_number(html, all - shown);
		html_raw(html, " more</p>");
	}
	html_raw(html, "</details></section>\n");
}
