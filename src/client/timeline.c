#include "client/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/terminal.h"
#include "base/text.h"
#include "client/timeline_private.h"

#define LINE_SIZE 1024
#define BLOCK_LINES 16
#define NAME_COLUMNS 29   /* the longest stage's name */
#define NARROW_COLUMNS 64 /* below: what was learned stands on a line of its own */
#define LIVE_COLUMNS 34   /* below: plain lines */
#define LIVE_ROWS 20
#define QUALITY_LINES 5 /* plain lines about a held session, then one a minute */

struct timeline {
	FILE *stream;
	struct timeline_style style;
	const struct clock *clock;
	size_t lines;               /* of the block on the screen */
	size_t widths[BLOCK_LINES]; /* their columns */
	unsigned frame;             /* of the spinner */
	size_t notices;             /* printed so far */
	uint64_t qualities;
};

struct timeline_style timeline_style_of(FILE *stream)
{
	struct terminal terminal = terminal_of(stream);

	return (struct timeline_style){
		.live = terminal.columns >= LIVE_COLUMNS && terminal.rows >= LIVE_ROWS,
		.colour = terminal.colour,
		.utf8 = terminal.utf8,
		.columns = terminal.columns};
}

struct timeline *timeline_new(
	FILE *stream, const struct timeline_style *style, const struct clock *clock)
{
	struct timeline *timeline = calloc(1, sizeof(*timeline));

	if (timeline == NULL)
		return NULL;
	timeline->stream = stream;
	timeline->style = *style;
	timeline->clock = clock;
	return timeline;
}

void timeline_free(struct timeline *timeline)
{
	free(timeline);
}

/* ---- one line ---- */

struct mark {
	const char *utf8, *ascii;
	enum paint paint;
};

static struct mark mark_of(const struct timeline *timeline, const struct record_stage *stage)
{
	static const char *const spinner[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
	static const char *const wheel[] = {"|", "/", "-", "\\"};

	switch (stage->state) {
	case RECORD_OPEN:
		return (struct mark){
			spinner[timeline->frame % 10], wheel[timeline->frame % 4], YELLOW};
	case RECORD_PASSED:
		return stage->warned ? (struct mark){"!", "!", YELLOW}
				     : (struct mark){"✓", "+", GREEN};
	case RECORD_FAILED:
		return (struct mark){"✗", "x", RED};
	case RECORD_WAITING:
		break;
	}
	return (struct mark){"·", ".", DIM};
}

static int64_t elapsed(const struct timeline *timeline, const struct record_stage *stage)
{
	if (stage->state == RECORD_OPEN)
		return clock_steady(timeline->clock) - stage->started;
	return stage->duration;
}

static double seconds(int64_t microseconds)
{
	return (double)microseconds / 1e6;
}

static double milliseconds(int64_t microseconds)
{
	return (double)(microseconds > 0 ? microseconds : 0) / 1e3;
}

/* Cuts a clean text to so many columns, with an ellipsis. */
static void cut(const struct timeline_style *style, char *text, size_t columns)
{
	const char *dots = style->utf8 ? "…" : "...";
	size_t room = style->utf8 ? 1 : 3;

	if (text_columns(text) <= columns)
		return;
	text += text_fit(text, columns > room ? columns - room : 0);
	/* The dots never take more bytes than what they replace or the buffer has: what is cut
	 * is longer than the limit, and the buffers are larger than any line. */
	memcpy(text, dots, strlen(dots) + 1);
}

/* ---- the live block ---- */

/* Rows that the block takes after the terminal's width has changed. */
static size_t rows(const struct timeline *timeline)
{
	size_t sum = 0;

	for (size_t i = 0; i < timeline->lines; i++) {
		size_t width = timeline->widths[i];

		sum += width <= timeline->style.columns
			? 1
			: (width + timeline->style.columns - 1) / timeline->style.columns;
	}
	return sum;
}

/* Ends a line of the block: `plain` is what the eye sees of it. */
static void end_line(struct timeline *timeline, size_t columns)
{
	fputs("\033[K\n", timeline->stream);
	if (timeline->lines < BLOCK_LINES)
		timeline->widths[timeline->lines++] = columns;
}

static void draw_stage(
	struct timeline *timeline, const struct record *record, enum record_stage_number number)
{
	const struct timeline_style *style = &timeline->style;
	const struct record_stage *stage = &record->stages[number];
	const struct mark mark = mark_of(timeline, stage);
	bool narrow = style->columns < NARROW_COLUMNS;
	size_t limit = style->columns - 1;
	char summary[LINE_SIZE];
	char time[32] = "";
	bool waiting = stage->state == RECORD_WAITING;
	size_t name = NAME_COLUMNS;
	size_t used;

	text_clean(stage->summary, style->utf8, summary, sizeof(summary) - 8);
	if (!waiting)
		snprintf(time, sizeof(time), "%6.3f s", seconds(elapsed(timeline, stage)));
	if (narrow && limit - 16 < name)
		name = limit - 16;
	fprintf(timeline->stream, " %s%s%s %s%d %-*.*s%s", timeline_paint(style, mark.paint),
		style->utf8 ? mark.utf8 : mark.ascii, timeline_paint(style, PLAIN),
		waiting ? timeline_paint(style, DIM) : "", (int)number, (int)name, (int)name,
		record_stage_name(number), waiting ? timeline_paint(style, PLAIN) : "");
	if (!waiting)
		fprintf(timeline->stream, " %s%s%s",
			stage->state == RECORD_OPEN ||
					elapsed(timeline, stage) > record_limit(stage)
				? timeline_paint(style, YELLOW)
				: timeline_paint(style, DIM),
			time, timeline_paint(style, PLAIN));
	used = 5 + name + 1 + strlen(time);
	if (stage->state == RECORD_OPEN && !narrow) {
		char open[32];

		snprintf(open, sizeof(open), "of %d s", (int)(record_limit(stage) / CLOCK_SECOND));
		if (summary[0] == '\0')
			snprintf(summary, sizeof(summary), "%s", open);
	}
	if (summary[0] != '\0' && !narrow) {
		cut(style, summary, limit - used - 2);
		fprintf(timeline->stream, "  %s", summary);
		used += 2 + text_columns(summary);
	}
	end_line(timeline, used);
	if (narrow && summary[0] != '\0') {
		cut(style, summary, limit - 5);
		fprintf(timeline->stream, "     %s%s%s", timeline_paint(style, DIM), summary,
			timeline_paint(style, PLAIN));
		end_line(timeline, 5 + text_columns(summary));
	}
}

static void print_quality(const struct link_quality *quality, bool narrow, char *text, size_t size)
{
	if (!narrow)
		snprintf(text, size,
			"round trip %.2f ms (at most %.2f)  jitter %.2f ms  loss %.1f %%",
			milliseconds(quality->rtt_mean), milliseconds(quality->rtt_max),
			milliseconds(quality->jitter), quality->loss * 100);
	else
		snprintf(text, size, "rtt %.2f ms  jitter %.2f  loss %.1f %%",
			milliseconds(quality->rtt_mean), milliseconds(quality->jitter),
			quality->loss * 100);
}

static void draw_session(struct timeline *timeline, const struct record *record)
{
	const struct timeline_style *style = &timeline->style;
	bool narrow = style->columns < 80;
	int64_t held = clock_steady(timeline->clock) - record->established_at;
	char text[LINE_SIZE] = "waiting for the first answer";
	char time[48];

	if (record->has_quality && record->quality.rtt_mean >= 0)
		print_quality(&record->quality, narrow, text, sizeof(text));
	if (record->hold > 0)
		snprintf(time, sizeof(time), "%.0f s of %.0f s", seconds(held),
			seconds(record->hold));
	else
		snprintf(time, sizeof(time), "%.0f s, Ctrl-C disconnects", seconds(held));
	cut(style, time, style->columns - 13);
	cut(style, text, style->columns - 7);
	fprintf(timeline->stream, "   %ssession%s  %s", timeline_paint(style, BOLD),
		timeline_paint(style, PLAIN), time);
	end_line(timeline, 12 + text_columns(time));
	fprintf(timeline->stream, "     %s", text);
	end_line(timeline, 5 + text_columns(text));
}

static void erase(struct timeline *timeline)
{
	if (timeline->lines > 0)
		fprintf(timeline->stream, "\033[%zuA\r\033[J", rows(timeline));
	timeline->lines = 0;
}

static void draw(struct timeline *timeline, const struct record *record)
{
	unsigned columns = terminal_of(timeline->stream).columns;

	if (columns > 0)
		timeline->style.columns = columns < LIVE_COLUMNS ? LIVE_COLUMNS : columns;
	erase(timeline);
	for (int i = RECORD_INITIALISE; i < RECORD_STAGE_END; i++) {
		if (!record->list_only || i <= RECORD_GET_RESOURCES)
			draw_stage(timeline, record, (enum record_stage_number)i);
	}
	if (record->established)
		draw_session(timeline, record);
	fflush(timeline->stream);
}

void timeline_pause(struct timeline *timeline)
{
	erase(timeline);
	fflush(timeline->stream);
}

void timeline_tick(struct timeline *timeline, const struct record *record)
{
	if (!timeline->style.live)
		return;
	timeline->frame++;
	draw(timeline, record);
}

/* ---- plain lines ---- */

static void plain_stage(
	struct timeline *timeline, const struct record *record, enum record_stage_number number)
{
	const struct timeline_style *style = &timeline->style;
	const struct record_stage *stage = &record->stages[number];
	const char *word = stage->state == RECORD_FAILED ? "failed"
		: stage->warned                          ? "passed (!)"
							 : "passed";
	char summary[LINE_SIZE];

	text_clean(stage->summary, style->utf8, summary, sizeof(summary));
	fprintf(timeline->stream, "stage %d %-*s  %s%s%s in %.3f s (limit %d s)%s%s\n", (int)number,
		NAME_COLUMNS, record_stage_name(number),
		timeline_paint(style,
			stage->state == RECORD_FAILED ? RED
				: stage->warned       ? YELLOW
						      : GREEN),
		word, timeline_paint(style, PLAIN), seconds(stage->duration),
		(int)(record_limit(stage) / CLOCK_SECOND), summary[0] != '\0' ? ": " : "", summary);
}

static void plain_quality(struct timeline *timeline, const struct record *record)
{
	char text[LINE_SIZE];

	if (!record->established || record->quality.rtt_mean < 0)
		return;
	timeline->qualities++;
	if (timeline->qualities > QUALITY_LINES && timeline->qualities % 60 != 0)
		return;
	print_quality(&record->quality, false, text, sizeof(text));
	fprintf(timeline->stream, "session %s\n", text);
}

static void print_notices(struct timeline *timeline, const struct record *record)
{
	const struct timeline_style *style = &timeline->style;
	char text[LINE_SIZE];

	for (; timeline->notices < record->notice_count; timeline->notices++) {
		text_clean(record->notices[timeline->notices], style->utf8, text, sizeof(text));
		fprintf(timeline->stream, "%swarning: %s%s\n", timeline_paint(style, YELLOW), text,
			timeline_paint(style, PLAIN));
	}
}

/* Why and how well: the last lines of a session that stood. */
static void print_end(struct timeline *timeline, const struct record *record)
{
	const struct timeline_style *style = &timeline->style;
	char text[LINE_SIZE];

	if (!record->established)
		return;
	if (record->has_quality && record->quality.rtt_mean >= 0 && !style->live) {
		print_quality(&record->quality, false, text, sizeof(text));
		fprintf(timeline->stream, "session %s over all\n", text);
	}
	if (!record->has_cause)
		return;
	snprintf(text, sizeof(text), "disconnected: %s (cause 0x%03x)",
		link_cause_meaning(record->cause), record->cause);
	timeline_wrapped(timeline->stream, style, style->live ? 3 : 0, text);
}

void timeline_changed(struct timeline *timeline, const struct record *record,
	enum record_change change, enum record_stage_number stage)
{
	if (change == RECORD_NOTICE) {
		/* The block goes, the warning takes its place, and the block follows. */
		erase(timeline);
		print_notices(timeline, record);
	}
	if (timeline->style.live) {
		draw(timeline, record);
	} else if (change == RECORD_STAGE_FINISHED) {
		plain_stage(timeline, record, stage);
	} else if (change == RECORD_QUALITY) {
		plain_quality(timeline, record);
	}
	if (change == RECORD_ENDED)
		print_end(timeline, record);
	fflush(timeline->stream);
}
