#include "health/render_svg.h"

#include <stdbool.h>

#include "health/render_private.h"

#define SECOND INT64_C(1000000)
#define STAGES 6
#define ROW 40                   /* height of a stage, in pixels */
#define BAR_TOP 22               /* within its row */
#define BAR 10                   /* height of a bar */
#define LIMIT_SHOWN (6 * SECOND) /* limits up to this are always marked */
#define BREAK 4.0                /* width of time that is left out, in percent */
#define MARGIN 14.0              /* least distance between two labels of the axis, in percent */

/* Time on the axis. Waiting between stages (a user who types) is left out where it would squeeze
 * the stages themselves. */
struct piece {
	int64_t from, to;
	double at, width; /* percent */
};

struct axis {
	struct piece pieces[STAGES];
	size_t count;    /* 0: no stage has a time */
	int64_t longest; /* limits up to this fit on it */
};

static const char *const stage_titles[STAGES] = {"Initialise", "Authenticate", "Get resources",
	"Prepare the host", "Establish the session", "Validate the licence"};

void render_svg_definitions(const struct html *html)
{
	html_raw(html,
		"<svg width=\"0\" height=\"0\" class=\"definitions\" aria-hidden=\"true\"><defs>\n"
		"<symbol id=\"sign-fail\" viewBox=\"0 0 16 16\"><path class=\"shape\" d=\"M5 "
		".8h6L15.2 5v6L11 "
		"15.2H5L.8 11V5z\"/><path class=\"mark\" d=\"M5.4 5.4l5.2 5.2m0-5.2l-5.2 "
		"5.2\"/></symbol>\n"
		"<symbol id=\"sign-warning\" viewBox=\"0 0 16 16\"><path class=\"shape\" d=\"M8 "
		".9c.5 0 .9.2 1.2.7"
		"l6.1 11.2c.6 1.1-.1 2.2-1.2 2.2H1.9c-1.1 0-1.8-1.1-1.2-2.2L6.8 1.6c.3-.5.7-.7 "
		"1.2-.7z\"/>"
		"<path class=\"mark\" d=\"M8 5.4v4m0 2.6v.1\"/></symbol>\n"
		"<symbol id=\"sign-note\" viewBox=\"0 0 16 16\"><rect class=\"shape\" x=\"1\" "
		"y=\"1\" width=\"14\" "
		"height=\"14\" rx=\"3.5\"/><path class=\"mark\" d=\"M8 7.4v4M8 "
		"4.7v.1\"/></symbol>\n"
		"<symbol id=\"sign-pass\" viewBox=\"0 0 16 16\"><circle class=\"shape\" cx=\"8\" "
		"cy=\"8\" "
		"r=\"7.2\"/><path class=\"mark\" d=\"M4.8 8.3l2.2 2.2 4.2-4.7\"/></symbol>\n"
		"<symbol id=\"sign-no-evidence\" viewBox=\"0 0 16 16\"><circle class=\"hollow\" "
		"cx=\"8\" cy=\"8\" "
		"r=\"6.5\"/><path class=\"dash\" d=\"M5.5 8h5\"/></symbol>\n"
		"<pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
		"patternTransform=\"rotate(45)\"><path class=\"stripe\" d=\"M1.5 "
		"0v6\"/></pattern>\n"
		"<pattern id=\"faint\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
		"patternTransform=\"rotate(-45)\"><path class=\"trace\" d=\"M1.5 "
		"0v6\"/></pattern>\n"
		"</defs></svg>\n");
}

static bool is_timed(const struct report_stage *stage)
{
	return stage->verdict != VERDICT_NO_EVIDENCE && stage->start != STAMP_NONE;
}

/* Where the bar ends; a stage that never ended lasts to its limit at least. */
static int64_t stage_end(const struct report_stage *stage)
{
	if (stage->end != STAMP_NONE && stage->end >= stage->start)
		return stage->end;
	return stage->start + stage->limit;
}

static bool is_ended(const struct report_stage *stage)
{
	return is_timed(stage) && stage->end != STAMP_NONE && stage->end >= stage->start;
}

/* A limit that would stretch the axis until nothing else can be seen is told in words. */
static bool is_marked(const struct axis *axis, const struct report_stage *stage)
{
	return stage->limit > 0 && stage->limit <= axis->longest;
}

static void axis_insert(struct axis *axis, int64_t from, int64_t to)
{
	size_t at = axis->count++;

	while (at > 0 && axis->pieces[at - 1].from > from) {
		axis->pieces[at] = axis->pieces[at - 1];
		at--;
	}
	axis->pieces[at] = (struct piece){.from = from, .to = to};
}

/* Joins pieces that are at most `gap` apart; the sum of what is left. */
static int64_t axis_join(struct axis *axis, int64_t gap)
{
	int64_t sum = 0;
	size_t kept = 0;

	for (size_t i = 1; i < axis->count; i++) {
		struct piece *last = &axis->pieces[kept], *next = &axis->pieces[i];

		if (next->from - last->to > gap)
			axis->pieces[++kept] = *next;
		else if (next->to > last->to)
			last->to = next->to;
	}
	axis->count = kept + 1;
	for (size_t i = 0; i < axis->count; i++)
		sum += axis->pieces[i].to - axis->pieces[i].from;
	return sum;
}

/* The time that the stages, and the limits that fit, take without the waiting between them. */
static int64_t axis_collect(struct axis *axis, const struct report_session *session)
{
	axis->count = 0;
	for (unsigned i = 0; i < STAGES; i++) {
		const struct report_stage *stage = &session->stages[i];
		int64_t to;

		if (!is_timed(stage))
			continue;
		to = stage_end(stage);
		if (is_marked(axis, stage) && stage->start + stage->limit > to)
			to = stage->start + stage->limit;
		axis_insert(axis, stage->start, to);
	}
	return axis->count > 0 ? axis_join(axis, axis_join(axis, 0) / 5) : 0;
}

static void axis_make(struct axis *axis, const struct report_session *session)
{
	int64_t busy;
	double at = 0, room;

	axis->longest = 0;
	busy = axis_collect(axis, session);
	axis->longest = 2 * busy > LIMIT_SHOWN ? 2 * busy : LIMIT_SHOWN;
	busy = axis_collect(axis, session);
	if (axis->count == 0)
		return;
	if (busy == 0) {
		axis->pieces[axis->count - 1].to += SECOND;
		busy = SECOND;
	}
	room = 100.0 - BREAK * (double)(axis->count - 1);
	for (size_t i = 0; i < axis->count; i++) {
		struct piece *piece = &axis->pieces[i];

		piece->at = at;
		piece->width = room * (double)(piece->to - piece->from) / (double)busy;
		at += piece->width + BREAK;
	}
}

/* Percent from the left. */
static double axis_at(const struct axis *axis, int64_t time)
{
	const struct piece *piece = &axis->pieces[0];

	for (size_t i = 1; i < axis->count && time >= axis->pieces[i].from; i++)
		piece = &axis->pieces[i];
	if (time <= piece->from)
		return piece->at;
	if (time >= piece->to)
		return piece->at + piece->width;
	return piece->at +
		piece->width * (double)(time - piece->from) / (double)(piece->to - piece->from);
}

/* Of 1, 2, 5, 10, 20, 30 s, 1, 2, 5 ... min and hours: the first that leaves room for labels. */
static int64_t axis_step(const struct axis *axis)
{
	static const int64_t steps[] = {10000, 20000, 50000, 100000, 200000, 500000, SECOND,
		2 * SECOND, 5 * SECOND, 10 * SECOND, 20 * SECOND, 30 * SECOND, 60 * SECOND,
		120 * SECOND, 300 * SECOND, 600 * SECOND, 1200 * SECOND, 1800 * SECOND,
		3600 * SECOND, 7200 * SECOND, 21600 * SECOND, 43200 * SECOND, 86400 * SECOND};
	const size_t count = sizeof(steps) / sizeof(steps[0]);
	int64_t busy = 0;

	for (size_t i = 0; i < axis->count; i++)
		busy += axis->pieces[i].to - axis->pieces[i].from;
	for (size_t i = 0; i < count; i++) {
		if (steps[i] * 6 >= busy)
			return steps[i];
	}
	/* Days: as many as make six steps of what there is. */
	return (busy / (6 * steps[count - 1]) + 1) * steps[count - 1];
}

static void put_offset(const struct html *html, int64_t offset)
{
	long long seconds = offset / SECOND, hundredths = offset / (SECOND / 100);

	if (offset % SECOND != 0)
		html_print(html, "+%g s", (double)hundredths / 100);
	else if (seconds < 120)
		html_print(html, "+%lld s", seconds);
	else if (seconds < 7200)
		html_print(html, "+%lld:%02lld min", seconds / 60, seconds % 60);
	else
		html_print(html, "+%lld:%02lld h", seconds / 3600, seconds % 3600 / 60);
}

/* `labelled`: where the last label ends, about; lines too near to it would only disturb. A
 * `piece` begins here: its label says how long the waiting was, and stands beside the line. */
static void put_tick(const struct html *html, const struct axis *axis, int64_t time, bool piece,
	double *labelled)
{
	const int bottom = STAGES * ROW + 4;
	const char *anchor = "middle";
	double at = axis_at(axis, time), room = at - *labelled;

	if (room < MARGIN / 3)
		return;
	html_print(html, "<line class=\"grid\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" y2=\"%d\"/>",
		at, at, bottom);
	if (room < (piece ? MARGIN / 2 : MARGIN) || (at > 99 && room < 1.5 * MARGIN))
		return;
	if (piece && at < 85)
		anchor = "start";
	else if (at > 99)
		anchor = "end";
	html_print(html, "<text class=\"axis\" x=\"%.2f%%\" y=\"%d\" text-anchor=\"%s\">", at,
		bottom + 15, anchor);
	put_offset(html, time - axis->pieces[0].from);
	html_raw(html, "</text>\n");
	*labelled = piece && at > 0 ? at + MARGIN / 3 : at;
}

static void put_axis(const struct html *html, const struct axis *axis)
{
	const int64_t origin = axis->pieces[0].from, step = axis_step(axis);
	double labelled = -MARGIN;

	for (size_t i = 0; i < axis->count; i++) {
		const struct piece *piece = &axis->pieces[i];
		int64_t next = ((piece->from - origin) / step + 1) * step + origin;

		if (i > 0)
			html_print(html,
				"<rect class=\"break\" x=\"%.2f%%\" width=\"%.2f%%\" y=\"0\" "
				"height=\"%d\"/>\n",
				piece->at - BREAK, BREAK, STAGES * ROW + 4);
		put_tick(html, axis, piece->from, true, &labelled);
		for (; next <= piece->to; next += step)
			put_tick(html, axis, next, false, &labelled);
	}
}

/* Limits are round: "5 s", "1 min". */
static void put_limit_text(const struct html *html, int64_t limit)
{
	char duration[RENDER_DURATION_SIZE];

	if (limit < 60 * SECOND && limit % SECOND == 0) {
		html_print(html, "%d s", (int)(limit / SECOND));
	} else if (limit < 3600 * SECOND && limit % (60 * SECOND) == 0) {
		html_print(html, "%d min", (int)(limit / (60 * SECOND)));
	} else {
		render_duration(limit, duration);
		html_raw(html, duration);
	}
}

/* What and how long. A stage that is one line of a log lasted nobody knows how long. */
static void put_outcome(
	const struct html *html, const struct axis *axis, const struct report_stage *stage)
{
	bool lasted = is_ended(stage) && stage->end > stage->start;
	char duration[RENDER_DURATION_SIZE];

	if (stage->verdict != VERDICT_PASS || !lasted)
		html_text(html, verdict_title(stage->verdict));
	if (!lasted)
		return;
	render_duration(stage->end - stage->start, duration);
	html_print(html, "%s%s", stage->verdict == VERDICT_PASS ? "" : " \xc2\xb7 ", duration);
	if (stage->limit > 0 && !is_marked(axis, stage)) {
		html_raw(html, " of ");
		put_limit_text(html, stage->limit);
	}
}

static void put_bar(
	const struct html *html, const struct axis *axis, const struct report_stage *stage, int top)
{
	double from = axis_at(axis, stage->start), to = axis_at(axis, stage_end(stage));
	const char *name = verdict_name(stage->verdict);

	if (stage->limit > 0) {
		double limit = axis_at(axis, stage->start + stage->limit);

		html_print(html,
			"<rect class=\"allowed\" x=\"%.2f%%\" width=\"%.2f%%\" y=\"%d\" "
			"height=\"%d\" rx=\"2\"/>",
			from, limit - from, top, BAR);
	}
	if (to - from < 0.5) /* visible, however short */
		from = to < 0.5 ? 0 : to - 0.5, to = from + 0.5;
	html_print(html,
		"<rect class=\"bar %s%s\" x=\"%.2f%%\" width=\"%.2f%%\" y=\"%d\" height=\"%d\" "
		"rx=\"2\"/>",
		name, is_ended(stage) ? "" : " open", from, to - from, top, BAR);
	if (stage->verdict == VERDICT_FAIL)
		html_print(html,
			"<rect fill=\"url(#hatch)\" x=\"%.2f%%\" width=\"%.2f%%\" y=\"%d\" "
			"height=\"%d\" rx=\"2\"/>",
			from, to - from, top, BAR);
}

/* Drawn over the bars, so that one that passes its limit shows where. */
static void put_limit(
	const struct html *html, const struct axis *axis, const struct report_stage *stage, int top)
{
	double at = axis_at(axis, stage->start + stage->limit);

	html_print(html,
		"<line class=\"limit\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" "
		"y2=\"%d\"><title>limit ",
		at, at, top - 4, top + BAR + 4);
	put_limit_text(html, stage->limit);
	html_raw(html, "</title></line>\n");
}

static void put_stage(const struct html *html, const struct axis *axis,
	const struct report_stage *stage, unsigned index)
{
	const char *name = verdict_name(stage->verdict);
	int top = (int)index * ROW;

	html_print(html,
		"<svg class=\"sign %s\" x=\"0\" y=\"%d\" width=\"13\" height=\"13\">"
		"<use href=\"#sign-%s\"/></svg>",
		name, top + 3, name);
	html_print(html, "<text class=\"stage halo\" x=\"20\" y=\"%d\">%u\xe2\x80\x82%s</text>",
		top + 14, index + 1, stage_titles[index]);
	html_print(html,
		"<text class=\"outcome halo %s\" x=\"100%%\" y=\"%d\" text-anchor=\"end\">", name,
		top + 14);
	put_outcome(html, axis, stage);
	html_raw(html, "</text>\n");
	if (is_timed(stage)) {
		put_bar(html, axis, stage, top + BAR_TOP);
		if (is_marked(axis, stage))
			put_limit(html, axis, stage, top + BAR_TOP);
	} else {
		html_print(html,
			"<rect class=\"unknown\" x=\"0\" width=\"100%%\" y=\"%d\" height=\"%d\" "
			"rx=\"2\"/>\n",
			top + BAR_TOP, BAR);
	}
}

/* The drawing in words, for those who hear it. */
static void put_description(const struct html *html, const struct report_session *session)
{
	for (unsigned i = 0; i < STAGES; i++) {
		const struct report_stage *stage = &session->stages[i];
		char duration[RENDER_DURATION_SIZE];

		html_print(html, "%u %s: ", i + 1, stage_titles[i]);
		html_text(html, verdict_title(stage->verdict));
		if (is_ended(stage) && stage->end > stage->start) {
			render_duration(stage->end - stage->start, duration);
			html_print(html, ", %s", duration);
		}
		if (stage->limit > 0) {
			html_raw(html, ", limit ");
			put_limit_text(html, stage->limit);
		}
		html_raw(html, ". ");
	}
}

static bool has_stages(const struct report_session *session)
{
	for (unsigned i = 0; i < STAGES; i++) {
		if (session->stages[i].verdict != VERDICT_NO_EVIDENCE)
			return true;
	}
	return false;
}

static void put_legend(
	const struct html *html, const struct axis *axis, const struct report_session *session)
{
	bool limits = false;

	for (unsigned i = 0; i < STAGES; i++)
		limits = limits ||
			(is_timed(&session->stages[i]) && is_marked(axis, &session->stages[i]));
	if (!limits && axis->count < 2)
		return;
	html_raw(html, "<figcaption>");
	if (limits)
		html_raw(html,
			"<span class=\"key\"><svg width=\"26\" height=\"14\" "
			"aria-hidden=\"true\"><rect "
			"class=\"allowed\" x=\"0\" y=\"4\" width=\"22\" height=\"7\" "
			"rx=\"2\"/><line class=\"limit\" "
			"x1=\"22\" x2=\"22\" y1=\"1\" y2=\"14\"/></svg>time allowed, and its "
			"limit</span>");
	if (axis->count > 1)
		html_raw(html,
			"<span class=\"key\"><svg width=\"14\" height=\"14\" "
			"aria-hidden=\"true\"><rect "
			"class=\"break\" x=\"0\" y=\"1\" width=\"14\" "
			"height=\"13\"/></svg>waiting, shortened</span>");
	html_raw(html, "</figcaption>\n");
}

void render_svg_stages(
	const struct html *html, const struct report_session *session, unsigned number)
{
	struct axis axis;

	if (!has_stages(session)) {
		html_raw(html,
			"<p class=\"muted\">The logs tell nothing about the six stages of this "
			"session.</p>\n");
		return;
	}
	axis_make(&axis, session);
	html_print(html,
		"<figure class=\"stages\"><svg role=\"img\" width=\"100%%\" height=\"%d\" "
		"aria-labelledby=\"st%u "
		"sd%u\"><title id=\"st%u\">The six stages of the session over time</title><desc "
		"id=\"sd%u\">",
		STAGES * ROW + (axis.count > 0 ? 26 : 0), number, number, number, number);
	put_description(html, session);
	html_raw(html, "</desc>\n");
	if (axis.count > 0)
		put_axis(html, &axis);
	for (unsigned i = 0; i < STAGES; i++)
		put_stage(html, &axis, &session->stages[i], i);
	html_raw(html, "</svg>\n");
	put_legend(html, &axis, session);
	html_raw(html, "</figure>\n");
}
