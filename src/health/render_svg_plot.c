/*
 * Measures over time, the second half of render_svg.h.
 */
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "health/render_svg.h"

#define HEIGHT 96     /* of the area in which values are drawn, in pixels */
#define TOP 8         /* above it */
#define FOOT 20       /* below it, for the times */
#define HEADROOM 1.15 /* so that the label of the scale stands above the lines */
#define WIDTH 1000.0  /* units of the drawing across; as wide as its place in the end */

struct frame {
	const struct series *series;
	const struct rule_measure *measure;
	bool timed;  /* else the points stand at equal distances */
	double top;  /* the value at the upper edge */
	int64_t gap; /* a longer time between two points breaks the line */
};

static bool is_drawable(const struct plot_point *point)
{
	return isfinite(point->mean) && isfinite(point->highest);
}

/* A round number, at least `value`. */
static double round_up(double value)
{
	static const double steps[] = {1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10};
	double power = pow(10, floor(log10(value)));

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i] * power >= value)
			return steps[i] * power;
	}
	return value;
}

/* A limit is drawn when the values come near it; far away it would only flatten them. */
static bool shows(double limit, double highest)
{
	return limit > 0 && highest >= limit * 0.4;
}

static double highest_value(const struct series *series)
{
	double highest = 0;

	for (size_t i = 0; i < series->point_count; i++) {
		const struct plot_point *point = &series->points[i];

		if (is_drawable(point) && (double)point->highest > highest)
			highest = (double)point->highest;
		if (is_drawable(point) && (double)point->mean > highest)
			highest = (double)point->mean;
	}
	return highest;
}

static int by_size(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* Four times as long as usual between two points. The usual is the median: a long gap must not
 * hide itself. */
static int64_t unusual(const struct series *series)
{
	int64_t steps[STORE_PLOT_POINTS] = {0};
	size_t count = 0;

	for (size_t i = 1; i < series->point_count && count < STORE_PLOT_POINTS; i++)
		steps[count++] = series->points[i].time - series->points[i - 1].time;
	qsort(steps, count, sizeof(steps[0]), by_size);
	return 4 * steps[count / 2];
}

static void frame_make(struct frame *frame, const struct report_plot *plot)
{
	const struct series *series = plot->series;
	const struct rule_measure *measure = plot->measure;
	double highest = highest_value(series), top = highest;
	int64_t span = 0;

	frame->series = series;
	frame->measure = measure;
	frame->timed = true;
	for (size_t i = 0; i < series->point_count; i++) {
		if (series->points[i].time == STAMP_NONE)
			frame->timed = false;
	}
	if (frame->timed)
		span = series->points[series->point_count - 1].time - series->points[0].time;
	if (span <= 0)
		frame->timed = false;
	if (measure->has_warning && shows(measure->warning, highest) && measure->warning > top)
		top = measure->warning;
	if (measure->has_fail && shows(measure->fail, highest) && measure->fail > top)
		top = measure->fail;
	frame->top = round_up(top > 0 ? top * HEADROOM : 1);
	frame->gap = frame->timed ? unusual(series) : 0;
}

static double x_of(const struct frame *frame, size_t index)
{
	const struct series *series = frame->series;
	size_t count = series->point_count;

	if (count < 2)
		return WIDTH / 2;
	if (!frame->timed)
		return WIDTH * (double)index / (double)(count - 1);
	return WIDTH * (double)(series->points[index].time - series->points[0].time) /
		(double)(series->points[count - 1].time - series->points[0].time);
}

static double y_of(const struct frame *frame, double value)
{
	double share = value / frame->top;

	return HEIGHT * (1 - (share < 0 ? 0 : share > 1 ? 1 : share));
}

/* How far the run of neighbours goes that starts here; its end is not in it. */
static size_t run_end(const struct frame *frame, size_t from)
{
	const struct plot_point *points = frame->series->points;
	size_t at = from;

	while (at < frame->series->point_count && is_drawable(&points[at])) {
		if (frame->timed && at > from && frame->gap > 0 &&
			points[at].time - points[at - 1].time > frame->gap)
			break;
		at++;
	}
	return at;
}

static void put_run(const struct html *html, const struct frame *frame, size_t from, size_t to)
{
	const struct plot_point *points = frame->series->points;

	if (to - from == 1) { /* a line of no length with round ends is a dot */
		double x = x_of(frame, from), y = y_of(frame, (double)points[from].mean);

		html_print(html, "<path class=\"mean dot\" d=\"M%.1f %.1fh.01\"/>\n", x, y);
		return;
	}
	html_raw(html, "<path class=\"band\" d=\"M");
	for (size_t i = from; i < to; i++)
		html_print(
			html, "%.1f %.1f ", x_of(frame, i), y_of(frame, (double)points[i].highest));
	for (size_t i = to; i > from; i--)
		html_print(html, "%.1f %.1f ", x_of(frame, i - 1),
			y_of(frame, (double)points[i - 1].mean));
	html_raw(html, "z\"/><path class=\"mean\" d=\"M");
	for (size_t i = from; i < to; i++)
		html_print(html, "%.1f %.1f ", x_of(frame, i), y_of(frame, (double)points[i].mean));
	html_raw(html, "\"/>\n");
}

static void put_lines(const struct html *html, const struct frame *frame)
{
	size_t from = 0;

	html_print(html,
		"<svg x=\"0\" y=\"%d\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 %.0f %d\" "
		"preserveAspectRatio=\"none\">\n",
		TOP, HEIGHT, WIDTH, HEIGHT);
	while (from < frame->series->point_count) {
		size_t to = run_end(frame, from);

		if (to > from)
			put_run(html, frame, from, to);
		/* A point that cannot be drawn is passed over. */
		from = to > from ? to : from + 1;
	}
	html_raw(html, "</svg>\n");
}

/* Three digits that matter. */
static void put_value(const struct html *html, double value)
{
	if (value >= 100 || value <= -100)
		html_print(html, "%.0f", value);
	else if (value >= 10 || value <= -10)
		html_print(html, "%.3g", value);
	else
		html_print(html, "%.2g", value);
}

static void put_amount(const struct html *html, double value, const char *unit)
{
	put_value(html, value);
	html_raw(html, "\xc2\xa0");
	html_text(html, unit);
}

static void put_grid(const struct html *html, const struct frame *frame)
{
	for (int i = 0; i <= 2; i++) {
		double value = frame->top * (double)i / 2, y = TOP + y_of(frame, value);

		html_print(html,
			"<line class=\"%s\" x1=\"0\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>",
			i == 0 ? "base" : "grid", y, y);
	}
}

/* On top of the lines, with a halo, so that both can be read. */
static void put_scale(const struct html *html, const struct frame *frame)
{
	for (int i = 1; i <= 2; i++) {
		double value = frame->top * (double)i / 2;

		html_print(html, "<text class=\"axis halo\" x=\"0\" y=\"%.1f\">",
			TOP + y_of(frame, value) + 12);
		put_amount(html, value, frame->measure->unit);
		html_raw(html, "</text>\n");
	}
}

static void put_threshold(
	const struct html *html, const struct frame *frame, double value, enum verdict verdict)
{
	const char *name = verdict_name(verdict);
	double y = TOP + y_of(frame, value);

	if (value <= 0 || value > frame->top)
		return;
	html_print(html,
		"<line class=\"threshold %s\" x1=\"0\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>",
		name, y, y);
	html_print(html, "<text class=\"axis halo %s\" x=\"100%%\" y=\"%.1f\" text-anchor=\"end\">",
		name, y - 4);
	put_amount(html, value, frame->measure->unit);
	html_raw(html, "</text>\n");
}

static void put_clock(const struct html *html, int64_t time, enum stamp_kind kind, const char *x,
	const char *anchor)
{
	html_print(html, "<text class=\"axis\" x=\"%s\" y=\"%d\" text-anchor=\"%s\">", x,
		TOP + HEIGHT + 15, anchor);
	html_minute(html, time, kind);
	html_raw(html, "</text>\n");
}

static void put_times(const struct html *html, const struct frame *frame, enum stamp_kind kind)
{
	const struct series *series = frame->series;
	const struct plot_point *first = &series->points[0],
				*last = &series->points[series->point_count - 1];

	if (frame->timed) {
		put_clock(html, first->time, kind, "0", "start");
		put_clock(
			html, first->time + (last->time - first->time) / 2, kind, "50%", "middle");
		put_clock(html, last->time, kind, "100%", "end");
	} else if (first->time != STAMP_NONE) {
		put_clock(html, first->time, kind, "50%", "middle");
	} else {
		html_print(html,
			"<text class=\"axis\" x=\"0\" y=\"%d\">in the order of the log; no "
			"times</text>\n",
			TOP + HEIGHT + 15);
	}
}

static void put_limits(const struct html *html, const struct rule_measure *measure)
{
	const char *side = measure->below ? "below" : "above";

	if (!measure->has_warning && !measure->has_fail)
		return;
	html_raw(html, "<p class=\"limits\">");
	if (measure->has_warning) {
		html_print(html, "warning %s ", side);
		put_amount(html, measure->warning, measure->unit);
	}
	if (measure->has_fail) {
		html_print(html, "%sfailure %s ", measure->has_warning ? ", " : "", side);
		put_amount(html, measure->fail, measure->unit);
	}
	html_raw(html, "</p>\n");
}

static void put_numbers(const struct html *html, const struct report_plot *plot)
{
	const struct series *series = plot->series;
	const struct rule_measure *measure = plot->measure;
	uint64_t beyond = series->warnings + series->fails;
	double mean = series->count > 0 ? series->sum / (double)series->count : 0;

	html_raw(html, "<span class=\"numbers\">mean <b>");
	put_amount(html, mean, measure->unit);
	html_print(html, "</b>, %s <b>", measure->below ? "lowest" : "highest");
	put_amount(html, measure->below ? series->lowest : series->highest, measure->unit);
	html_raw(html, "</b></span>");
	if (beyond > 0) {
		html_print(html, "<span class=\"beyond %s\">",
			verdict_name(series->fails > 0 ? VERDICT_FAIL : VERDICT_WARNING));
		html_number(html, beyond);
		html_raw(html, " of ");
		html_number(html, series->count);
		html_raw(html, " beyond the limit</span>");
	}
}

static void put_caption(const struct html *html, const struct report_plot *plot, const char *source)
{
	html_raw(html, "<figcaption><b class=\"name\">");
	html_text(html, plot->measure->title);
	html_raw(html, "</b>");
	put_numbers(html, plot);
	if (source != NULL) {
		html_raw(html, "<span class=\"from\">");
		html_log(html, source);
		html_raw(html, "</span>");
	}
	html_raw(html, "</figcaption>\n");
}

static void put_title(
	const struct html *html, const struct report_plot *plot, unsigned number, unsigned part)
{
	const struct series *series = plot->series;

	html_print(html,
		"<svg role=\"img\" width=\"100%%\" height=\"%d\" aria-labelledby=\"pt%u-%u "
		"pd%u-%u\"><title "
		"id=\"pt%u-%u\">",
		TOP + HEIGHT + FOOT, number, part, number, part, number, part);
	html_text(html, plot->measure->title);
	html_print(html, " over time</title><desc id=\"pd%u-%u\">", number, part);
	html_count(html, series->count, "value", "values");
	html_raw(html, " between ");
	put_amount(html, series->lowest, plot->measure->unit);
	html_raw(html, " and ");
	put_amount(html, series->highest, plot->measure->unit);
	html_raw(html, ".</desc>\n");
}

void render_svg_plot(const struct html *html, const struct report_plot *plot, enum stamp_kind kind,
	const char *source, unsigned number, unsigned part)
{
	struct frame frame;

	if (plot->series->point_count == 0)
		return;
	frame_make(&frame, plot);
	html_raw(html, "<figure class=\"plot\">");
	put_caption(html, plot, source);
	if (plot->series->point_count < 2) { /* a number is said with less than a drawing */
		put_limits(html, plot->measure);
		html_raw(html, "</figure>\n");
		return;
	}
	put_title(html, plot, number, part);
	put_grid(html, &frame);
	put_lines(html, &frame);
	put_scale(html, &frame);
	if (plot->measure->has_warning)
		put_threshold(html, &frame, plot->measure->warning, VERDICT_WARNING);
	if (plot->measure->has_fail)
		put_threshold(html, &frame, plot->measure->fail, VERDICT_FAIL);
	put_times(html, &frame, kind);
	html_raw(html, "</svg>\n");
	put_limits(html, plot->measure);
	html_raw(html, "</figure>\n");
}
