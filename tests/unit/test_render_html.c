#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "base/error.h"
#include "health/html.h"
#include "health/mask.h"
#include "health/render.h"
#include "health/render_svg.h"
#include "report_sample.h"

#define SECOND INT64_C(1000000)

/* ---- pages as text and as trees ---- */

static char *render(const struct report *report, const struct mask *mask)
{
	char *page = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&page, &length);

	assert_non_null(stream);
	assert_int_equal(render_html(report, mask, stream), 0);
	assert_int_equal(fclose(stream), 0);
	return page;
}

/* Fails unless every tag is closed, every attribute quoted and every character allowed. */
static xmlDoc *parse(const char *page)
{
	xmlDoc *tree = xmlReadMemory(
		page, (int)strlen(page), "page", "UTF-8", XML_PARSE_NONET | XML_PARSE_HUGE);

	assert_non_null(tree);
	return tree;
}

typedef void visit(xmlNode *node, void *context);

static void walk(xmlNode *node, visit *each, void *context)
{
	for (; node != NULL; node = node->next) {
		if (node->type == XML_ELEMENT_NODE)
			each(node, context);
		walk(node->children, each, context);
	}
}

static size_t occurrences(const char *text, const char *part)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
		count++;
	return count;
}

struct wanted {
	const char *element, *attribute, *value; /* attribute NULL: any element of this name */
	size_t count;
};

static void count_wanted(xmlNode *node, void *context)
{
	struct wanted *wanted = context;
	xmlChar *value;

	if (wanted->element != NULL && strcmp((const char *)node->name, wanted->element) != 0)
		return;
	if (wanted->attribute == NULL) {
		wanted->count++;
		return;
	}
	value = xmlGetProp(node, (const xmlChar *)wanted->attribute);
	if (value != NULL && (wanted->value == NULL || strcmp((char *)value, wanted->value) == 0))
		wanted->count++;
	xmlFree(value);
}

static size_t count(xmlDoc *tree, const char *element, const char *attribute, const char *value)
{
	struct wanted wanted = {element, attribute, value, 0};

	walk(xmlDocGetRootElement(tree), count_wanted, &wanted);
	return wanted.count;
}

/* ---- escaping ---- */

static char *escaped(const char *text)
{
	char *out = NULL;
	size_t length = 0;
	struct html html = {.stream = open_memstream(&out, &length)};

	assert_non_null(html.stream);
	html_text(&html, text);
	assert_int_equal(fclose(html.stream), 0);
	return out;
}

static void test_escaping(void **state)
{
	static const char *const pairs[][2] = {
		{"<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"},
		{"a\"b&c", "a&quot;b&amp;c"},
		{"tab\tnew\nline", "tab\tnew\nline"},
		{"\x01\x1b[2J\r\x7f", "⟨U+0001⟩⟨U+001B⟩[2J⟨U+000D⟩⟨U+007F⟩"},
		{"\xc2\x85\xc2\x9b", "⟨U+0085⟩⟨U+009B⟩"},
		{"exe\u202etxt.\u202c\u2066x\u2069", "exe⟨U+202E⟩txt.⟨U+202C⟩⟨U+2066⟩x⟨U+2069⟩"},
		{"zero\u200bwidth\ufeff", "zero⟨U+200B⟩width⟨U+FEFF⟩"},
		{"\u2028\ufffe\U0001ffff\U000e0041", "⟨U+2028⟩⟨U+FFFE⟩⟨U+1FFFF⟩⟨U+E0041⟩"},
		{"\xff\xc0\xaf\xed\xa0\x80.", "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd."},
		{"cut \xe2\x82", "cut \ufffd\ufffd"},
		{"zoë 佐藤健 😀 שלום", "zoë 佐藤健 😀 שלום"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *text = escaped(pairs[i][0]);

		assert_string_equal(text, pairs[i][1]);
		free(text);
	}
}

static void test_part(void **state)
{
	char *out = NULL;
	size_t length = 0;
	struct html html = {.stream = open_memstream(&out, &length)};

	(void)state;
	assert_non_null(html.stream);
	html_part(&html, "a<bcd", 3);
	html_part(&html, "xy", 99);
	html_number(&html, 0);
	html_number(&html, 1234567);
	html_count(&html, 1, " line", " lines");
	html_count(&html, 999, " line", " lines");
	assert_int_equal(fclose(html.stream), 0);
	assert_string_equal(out, "a&lt;bxy01,234,5671  line999  lines");
	free(out);
}

/* ---- the page ---- */

static void test_well_formed(void **state)
{
	struct report *report = report_sample_new();
	char *page = render(report, NULL);
	xmlDoc *tree = parse(page);

	(void)state;
	assert_memory_equal(page, "<!DOCTYPE html>\n", 16);
	assert_string_equal((const char *)xmlDocGetRootElement(tree)->name, "html");
	assert_int_equal(count(tree, "script", NULL, NULL), 0);
	assert_int_equal(count(tree, "link", NULL, NULL), 0);
	assert_int_equal(count(tree, "img", NULL, NULL), 0);
	assert_int_equal(count(tree, NULL, "src", NULL), 0);
	assert_int_equal(count(tree, "meta", "name", "viewport"), 1);
	assert_int_equal(
		count(tree, "meta", "content", "default-src 'none'; style-src 'unsafe-inline'"), 1);
	assert_int_equal(occurrences(page, "@import"), 0);
	assert_int_equal(occurrences(page, "url("), occurrences(page, "url(#"));
	xmlFreeDoc(tree);
	free(page);
	report_sample_free(report);
}

static void test_contents(void **state)
{
	static const char *const texts[] = {"2 of 3 sessions have failures</title>",
		"d5e9ff80-a4db-1044-a77f-5e319a047cd2", "brokered connection", "attempt 1 of 2",
		"33.0 s", "Type the password again", "who runs the network",
		"href=\"https://help.example/logon-error-1326\"",
		"title=\"support.zip/logs/pcoip_agent_2031_03_24_0000abcd.txt:4021\">4021</span>",
		"and 14 further lines", "no logged broker message", "round-trip time",
		"What belongs to no single session.", "Licence expiry",
		"<span class=\"origin\">support.zip/logs/pcoip_agent_", "utf-8-bom",
		"114,655 lines", "the archive is damaged here", "its name leads out of the bundle",
		"a link, 12 times", "title=\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
		"Not everything was read", "1 log has times without a zone", "local time"};
	struct report *report = report_sample_new();
	char *page = render(report, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strstr(page, texts[i]) == NULL)
			fail_msg("the page lacks: %s", texts[i]);
	}
	free(page);
	report_sample_free(report);
}

/* The verdict of a session that stands at this place of the page. */
static void test_order(void **state)
{
	struct report *report = report_sample_new();
	char *page = render(report, NULL);
	xmlDoc *tree = parse(page);
	const char *bad, *nameless, *good;

	(void)state;
	assert_int_equal(count(tree, "article", "class", "card session fail"), 2);
	assert_int_equal(count(tree, "article", "class", "card session note"), 1);
	bad = strstr(page, "card session fail\" id=\"s1\"");
	nameless = strstr(page, "card session fail\" id=\"s2\"");
	good = strstr(page, "card session note\" id=\"s3\"");
	assert_non_null(bad);
	assert_non_null(nameless);
	assert_non_null(good);
	assert_true(bad < nameless && nameless < good);
	assert_int_equal(count(tree, "details", "class", "finding fail"), 4);
	assert_int_equal(count(tree, "details", "class", "finding warning"), 3);
	assert_int_equal(count(tree, "details", "class", "finding pass"), 11);
	/* Open: failures, warnings, inputs, what was not read. */
	assert_int_equal(count(tree, "details", "open", "open"), 9);
	/* Of eight without evidence: one fold for each session. */
	assert_int_equal(count(tree, "details", "class", "finding no-evidence"), 3);
	xmlFreeDoc(tree);
	free(page);
	report_sample_free(report);
}

/* ---- anchors ---- */

struct names {
	xmlChar *ids[4096];
	size_t count;
};

static void collect_ids(xmlNode *node, void *context)
{
	struct names *names = context;
	xmlChar *id = xmlGetProp(node, (const xmlChar *)"id");

	if (id == NULL)
		return;
	assert_true(names->count < 4096);
	for (size_t i = 0; i < names->count; i++)
		assert_string_not_equal((char *)id, (char *)names->ids[i]);
	names->ids[names->count++] = id;
}

static void assert_named(const struct names *names, const char *name, size_t length)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *id = (const char *)names->ids[i];

		if (strlen(id) == length && memcmp(id, name, length) == 0)
			return;
	}
	fail_msg("nothing has the id %.*s", (int)length, name);
}

static void follow(xmlNode *node, void *context)
{
	const struct names *names = context;
	xmlChar *href = xmlGetProp(node, (const xmlChar *)"href");
	xmlChar *label = xmlGetProp(node, (const xmlChar *)"aria-labelledby");

	if (href != NULL && href[0] == '#')
		assert_named(names, (const char *)href + 1, strlen((const char *)href + 1));
	if (label != NULL) {
		const char *gap = strchr((const char *)label, ' ');

		assert_non_null(gap);
		assert_named(names, (const char *)label, (size_t)(gap - (const char *)label));
		assert_named(names, gap + 1, strlen(gap + 1));
	}
	xmlFree(href);
	xmlFree(label);
}

static void test_anchors(void **state)
{
	static struct names names;
	struct report *report = report_sample_new();
	xmlDoc *tree;
	char *page;

	(void)state;
	names.count = 0;
	report_sample_repeat(report, 12);
	page = render(report, NULL);
	tree = parse(page);
	walk(xmlDocGetRootElement(tree), collect_ids, &names);
	walk(xmlDocGetRootElement(tree), follow, &names);
	assert_true(names.count > 12);
	/* Eight of the twelve have stages, each of these one or two plots. */
	assert_int_equal(count(tree, "svg", "role", "img"), 8 + 4 + 8);
	for (size_t i = 0; i < names.count; i++)
		xmlFree(names.ids[i]);
	xmlFreeDoc(tree);
	free(page);
	report_sample_free(report);
}

/* ---- hostile texts ---- */

static const char reorder[] = {(char)0xe2, (char)0x80, (char)0xae, 0}; /* U+202E */
static const char hostile[] =
	"\"'></code></details><script>alert(1)</script><img src=x onerror=alert(2)>"
	"\u202etxt\u202c\x1b]0;x\x07\xff &amp; ]]> <!-- -->";

static void no_handlers(xmlNode *node, void *context)
{
	(void)context;
	for (const xmlAttr *attribute = node->properties; attribute != NULL;
		attribute = attribute->next)
		assert_true(strncmp((const char *)attribute->name, "on", 2) != 0);
}

static void poison(struct report *report, char *line)
{
	static struct rule rule;
	static struct rule_cause cause = {.id = "x", .text = "x", .name = hostile};
	static struct report_remedy remedies[] = {{ACTOR_USER, hostile, "javascript:alert(1)"},
		{ACTOR_HOST, hostile, hostile},
		{ACTOR_HOST, hostile, "https://x.example/\"><script>"}};
	static struct report_data data[] = {
		{hostile, hostile, false, false}, {"collected", "the line", false, false}};
	struct report_evidence *evidence = calloc(1, sizeof(*evidence));
	struct report_session *session = &report->sessions[2];
	struct finding *finding = &session->findings[1];

	assert_non_null(evidence);
	rule = *finding->rule;
	rule.title = rule.about = hostile;
	*evidence = (struct report_evidence){3, 4294967295u, line};
	report->store->sources[3].path = line;
	report->store->sources[3].reason = line;
	report->store->skipped[0].path = line;
	report->store->skipped[0].reason = line;
	report->notes[0] = hostile;
	session->source = hostile;
	finding->rule = &rule;
	finding->cause = &cause;
	finding->cause_text = hostile;
	finding->remedies = remedies;
	finding->remedy_count = 3;
	finding->data = data;
	finding->data_count = 2;
	finding->evidence = evidence;
	finding->evidence_count = 1;
	session->findings[0].cause_text = hostile;
}

static void test_hostile(void **state)
{
	struct report *report = report_sample_new();
	char line[1024];
	char *page;
	xmlDoc *tree;

	(void)state;
	memset(line, 'A', sizeof(line));
	memcpy(line, hostile, sizeof(hostile) - 1);
	line[sizeof(line) - 1] = '\0';
	poison(report, line);
	page = render(report, NULL);
	tree = parse(page);
	assert_int_equal(count(tree, "script", NULL, NULL), 0);
	assert_int_equal(count(tree, "img", NULL, NULL), 0);
	assert_null(strstr(page, "href=\"javascript:"));
	assert_int_equal(count(tree, "a", "href", "https://x.example/\"><script>"), 1);
	assert_null(strstr(page, ">collected<"));
	assert_null(strstr(page, reorder));
	assert_null(strchr(page, 0x1b));
	walk(xmlDocGetRootElement(tree), no_handlers, NULL);
	xmlFreeDoc(tree);
	free(page);
	free(report->sessions[2].findings[1].evidence);
	report_sample_free(report);
}

static void test_masked(void **state)
{
	struct report *report = report_sample_new();
	struct mask *mask = mask_new(report);
	char *page;

	(void)state;
	assert_non_null(mask);
	page = render(report, mask);
	for (size_t i = 0; report_sample_names[i] != NULL; i++) {
		if (strcasestr(page, report_sample_names[i]) != NULL)
			fail_msg("the masked page names %s", report_sample_names[i]);
	}
	assert_non_null(strstr(page, "user-1"));
	free(page);
	mask_free(mask);
	report_sample_free(report);
}

/* ---- bounds ---- */

static void set_worst(struct report *report, enum verdict verdict)
{
	for (size_t i = 0; i < report->session_count; i++)
		report->sessions[i].worst = verdict;
}

static void test_many(void **state)
{
	struct report *report = report_sample_new();
	xmlDoc *tree;
	char *page;

	(void)state;
	report_sample_repeat(report, 700);
	page = render(report, NULL);
	tree = parse(page);
	/* 466 failed: all in full; the rest in short. */
	assert_int_equal(count(tree, "article", "class", "card session fail"), 466);
	assert_int_equal(count(tree, "article", "class", "card session note"), 0);
	assert_non_null(strstr(page, "234 further sessions"));
	assert_int_equal(occurrences(page, "<li class=\"note\"><span class=\"badge"), 234);
	xmlFreeDoc(tree);
	free(page);

	set_worst(report, VERDICT_FAIL);
	page = render(report, NULL);
	assert_int_equal(occurrences(page, "<article class=\"card session fail\""), 500);
	assert_int_equal(occurrences(page, "<a href=\"#s"), 500 + 1); /* and #skipped */
	assert_non_null(strstr(page, ">200 further sessions"));
	free(page);

	set_worst(report, VERDICT_PASS);
	page = render(report, NULL);
	assert_int_equal(occurrences(page, "<article class=\"card session pass\""), 200);
	assert_non_null(strstr(page, ">500 further sessions"));
	free(page);
	report_sample_free(report);
}

/* A session of thousands of equal findings does not drown the others. */
static void test_many_findings(void **state)
{
	enum { COUNT = 5000 };
	struct report *report = report_sample_new();
	struct finding *findings = calloc(COUNT, sizeof(*findings));
	char *page;

	(void)state;
	assert_non_null(findings);
	for (size_t i = 0; i < COUNT; i++)
		findings[i] = report->sessions[0].findings[0];
	report->sessions[0].findings = findings;
	report->sessions[0].finding_count = COUNT;
	page = render(report, NULL);
	assert_non_null(strstr(page, "and 4,800 more of this kind"));
	assert_true(strlen(page) < 400000);
	free(page);
	free(findings);
	report_sample_free(report);
}

static void test_write_fails(void **state)
{
	struct report *report = report_sample_new();
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(render_html(report, NULL, full), ERROR_SYSTEM);
	fclose(full);
	report_sample_free(report);
}

/* ---- what the first line says ---- */

static void assert_headline(struct report *report, const char *text)
{
	char *page = render(report, NULL);
	char *head = strstr(page, "<title>Health check: ");

	assert_non_null(head);
	*strstr(head, "</title>") = '\0';
	assert_string_equal(head + strlen("<title>Health check: "), text);
	free(page);
}

static void test_headline(void **state)
{
	struct report *report = report_sample_new();

	(void)state;
	assert_headline(report, "2 of 3 sessions have failures");
	report->sessions[1].worst = VERDICT_NOTE;
	assert_headline(report, "1 of 3 sessions has failures");
	set_worst(report, VERDICT_FAIL);
	assert_headline(report, "All 3 sessions have failures");
	set_worst(report, VERDICT_PASS);
	assert_headline(report, "The host has failures");
	report->summary[VERDICT_FAIL] = 0;
	assert_headline(report, "The host has warnings");
	report->session_count = 1;
	set_worst(report, VERDICT_WARNING);
	assert_headline(report, "The session has warnings");
	report->summary[VERDICT_WARNING] = 0;
	assert_headline(report, "Everything that the logs tell of passed");
	memset(report->summary, 0, sizeof(report->summary));
	report->summary[VERDICT_NO_EVIDENCE] = 3;
	assert_headline(report, "The logs tell nothing to judge");
	report_sample_free(report);
}

static void test_empty(void **state)
{
	struct report *report = report_sample_new();
	struct store *store = (struct store *)report->store;
	char *page;
	xmlDoc *tree;

	(void)state;
	report->session_count = 0;
	report->host.finding_count = 0;
	report->note_count = 0;
	store->source_count = store->skipped_count = 0;
	memset(report->summary, 0, sizeof(report->summary));
	page = render(report, NULL);
	tree = parse(page);
	assert_non_null(strstr(page, "No session was found"));
	assert_non_null(strstr(page, "No log was read"));
	/* Something was not read, but nobody knows what: the link still leads somewhere. */
	assert_int_equal(count(tree, "section", "id", "skipped"), 1);
	xmlFreeDoc(tree);
	free(page);
	report_sample_free(report);
}

/* ---- drawings ---- */

static char *draw_stages(const struct report_session *session)
{
	char *out = NULL;
	size_t length = 0;
	struct html html = {.stream = open_memstream(&out, &length)};
	xmlDoc *tree;

	assert_non_null(html.stream);
	render_svg_stages(&html, session, 7);
	assert_int_equal(fclose(html.stream), 0);
	tree = parse(out);
	xmlFreeDoc(tree);
	return out;
}

static struct report_session six_stages(void)
{
	struct report_session session = {.number = 1};

	for (int i = 0; i < 6; i++)
		session.stages[i] =
			(struct report_stage){VERDICT_PASS, i * SECOND, i * SECOND + SECOND / 2, 0};
	return session;
}

static void test_stages_axis(void **state)
{
	struct report_session session = six_stages();
	char *out;

	(void)state;
	/* Five and a half seconds fill the drawing: one second is 18.18 %. */
	out = draw_stages(&session);
	assert_non_null(strstr(out, "class=\"bar pass\" x=\"18.18%\" width=\"9.09%\""));
	assert_non_null(strstr(out, "class=\"bar pass\" x=\"90.91%\" width=\"9.09%\""));
	assert_non_null(strstr(out, "1 Initialise: passed, 500 ms. 2 Authenticate: passed"));
	assert_null(strstr(out, "class=\"limit\""));
	assert_null(strstr(out, "class=\"break\""));
	free(out);

	/* A limit of a minute would leave no room for the stages. */
	session.stages[2].limit = 60 * SECOND;
	out = draw_stages(&session);
	assert_non_null(strstr(out, "class=\"bar pass\" x=\"18.18%\" width=\"9.09%\""));
	assert_null(strstr(out, "class=\"limit\""));
	assert_non_null(strstr(out, ">500 ms of 1 min<"));
	free(out);
	session.stages[2].limit = 0;

	/* A limit of 5 s after the last start: ten seconds. */
	session.stages[5].limit = 5 * SECOND;
	out = draw_stages(&session);
	assert_non_null(strstr(out, "class=\"bar pass\" x=\"50.00%\" width=\"5.00%\""));
	assert_non_null(strstr(out, "class=\"allowed\" x=\"50.00%\" width=\"50.00%\""));
	assert_non_null(strstr(out, "class=\"limit\" x1=\"100.00%\""));
	free(out);
}

static void test_stages_waiting(void **state)
{
	struct report_session session = six_stages();
	char *out;

	(void)state;
	/* An hour passes between the first stage and the others: left out, and said. */
	for (int i = 1; i < 6; i++) {
		session.stages[i].start += 3600 * SECOND;
		session.stages[i].end += 3600 * SECOND;
	}
	out = draw_stages(&session);
	assert_non_null(strstr(out, "class=\"break\""));
	assert_non_null(strstr(out, "waiting, shortened"));
	assert_non_null(strstr(out, "+60:01 min"));
	free(out);
}

static void test_stages_forms(void **state)
{
	struct report_session session = six_stages();
	char *out;

	(void)state;
	session.stages[1] = (struct report_stage){VERDICT_FAIL, SECOND, 8 * SECOND, 5 * SECOND};
	session.stages[2] = (struct report_stage){VERDICT_FAIL, 9 * SECOND, STAMP_NONE, 5 * SECOND};
	session.stages[3] = (struct report_stage){VERDICT_NO_EVIDENCE, STAMP_NONE, STAMP_NONE, 0};
	session.stages[4] = (struct report_stage){VERDICT_WARNING, 4 * SECOND, 3 * SECOND, 0};
	out = draw_stages(&session);
	assert_int_equal(occurrences(out, "url(#hatch)"), 2);
	assert_int_equal(occurrences(out, "class=\"unknown\""), 1);
	assert_int_equal(occurrences(out, "class=\"bar fail open\""), 1);
	assert_int_equal(occurrences(out, "class=\"bar warning open\""), 1);
	assert_non_null(strstr(out, "failed · 7.0 s"));
	assert_non_null(strstr(out, ">no evidence</text>"));
	free(out);
	for (int i = 0; i < 6; i++)
		session.stages[i] =
			(struct report_stage){VERDICT_NO_EVIDENCE, STAMP_NONE, STAMP_NONE, 0};
	out = draw_stages(&session);
	assert_null(strstr(out, "<svg"));
	free(out);
}

/* Times from hostile logs: equal, at the ends of what a stamp can say. */
static void test_stages_extreme(void **state)
{
	struct report_session session = six_stages();
	char *out;

	(void)state;
	for (int i = 0; i < 6; i++)
		session.stages[i] = (struct report_stage){VERDICT_PASS, 5, 5, 0};
	free(draw_stages(&session));
	session.stages[0].start = session.stages[0].end = -INT64_C(62135596800000000);
	session.stages[1].start = INT64_C(253402300799000000);
	session.stages[1].end = session.stages[1].start + 1;
	out = draw_stages(&session);
	assert_true(strlen(out) < 20000);
	free(out);
	session.stages[0].end = session.stages[1].end;
	out = draw_stages(&session);
	assert_true(strlen(out) < 20000);
	free(out);
}

static char *draw_plot(
	const struct rule_measure *measure, struct plot_point *points, size_t count_of)
{
	struct series series = {.measure = measure,
		.count = count_of,
		.sum = 3,
		.lowest = 1,
		.highest = 2,
		.points = points,
		.point_count = count_of};
	struct report_plot plot = {measure, &series};
	char *out = NULL;
	size_t length = 0;
	struct html html = {.stream = open_memstream(&out, &length)};

	assert_non_null(html.stream);
	render_svg_plot(&html, &plot, STAMP_KIND_UTC, NULL, 3, 4);
	assert_int_equal(fclose(html.stream), 0);
	if (count_of > 0)
		xmlFreeDoc(parse(out));
	return out;
}

static void test_plot(void **state)
{
	struct rule_measure measure = {.id = "rtt",
		.title = "round-trip time",
		.unit = "<ms>",
		.has_warning = true,
		.has_fail = true,
		.warning = 8,
		.fail = 250};
	struct plot_point points[5];
	char *out;

	(void)state;
	for (int i = 0; i < 5; i++)
		points[i] = (struct plot_point){i * SECOND, 2, 4, 1};
	out = draw_plot(&measure, points, 5);
	assert_int_equal(occurrences(out, "class=\"mean\""), 1);
	/* 4 is half the warning limit, which is drawn; the fail limit is far away. The scale ends
	 * at 10. */
	assert_int_equal(occurrences(out, "class=\"threshold warning\""), 1);
	assert_int_equal(occurrences(out, "class=\"threshold fail\""), 0);
	assert_non_null(strstr(out, "M0.0 76.8 250.0 76.8"));
	assert_non_null(strstr(out, "&lt;ms&gt;"));
	free(out);

	points[3].time += 100 * SECOND; /* nothing was measured for a while */
	points[4].time += 100 * SECOND;
	out = draw_plot(&measure, points, 5);
	assert_int_equal(occurrences(out, "class=\"mean\""), 2);
	free(out);

	points[2].mean = (float)strtod("nan", NULL);
	points[4].highest = (float)strtod("inf", NULL);
	out = draw_plot(&measure, points, 5);
	assert_null(strstr(out, "nan"));
	assert_null(strstr(out, "inf"));
	assert_int_equal(occurrences(out, "class=\"mean dot\""), 1);
	free(out);

	points[0].time = STAMP_NONE;
	out = draw_plot(&measure, points, 5);
	assert_non_null(strstr(out, "no times"));
	free(out);
	out = draw_plot(&measure, points + 1, 1);
	assert_null(strstr(out, "<svg"));
	assert_non_null(strstr(out, "warning above"));
	free(out);
	out = draw_plot(&measure, points, 0);
	assert_string_equal(out, "");
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escaping),
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_well_formed),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_anchors),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_many_findings),
		cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_headline),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_stages_axis),
		cmocka_unit_test(test_stages_waiting),
		cmocka_unit_test(test_stages_forms),
		cmocka_unit_test(test_stages_extreme),
		cmocka_unit_test(test_plot),
	};
	int result = cmocka_run_group_tests(tests, NULL, NULL);

	xmlCleanupParser();
	return result;
}
