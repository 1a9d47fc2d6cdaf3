#include <math.h>
#include <stdio.h>

#include "health/judge_builtin.h"

#define DISPLAYS 16

struct size {
	double width, height;
	size_t line;
	bool known;
};

struct talk { /* one side: what was asked for, and what came of it */
	const char *asked_id, *given_id;
	enum verdict different; /* what a difference means */
	struct size asked[DISPLAYS];
};

struct judged {
	struct builtin *builtin;
	struct finding_work work;
	enum verdict verdict; /* VERDICT_NO_EVIDENCE: nothing to compare yet */
};

static const char no_answer[] = "The log has only what was asked for or what was given, not both.";

static bool read_size(
	const struct builtin *builtin, size_t index, unsigned *ret_display, struct size *ret_size)
{
	double display;
	struct size size = {.line = index, .known = true};

	if (!builtin_number(builtin, index, "sink", 0, &display) ||
		!builtin_number(builtin, index, "width", 1, &size.width) ||
		!builtin_number(builtin, index, "height", 2, &size.height))
		return false;
	if (display < 0 || display >= DISPLAYS)
		return false;
	*ret_display = (unsigned)display;
	*ret_size = size;
	return true;
}

static bool in_use(const struct size *size)
{
	return size->known && (size->width > 0 || size->height > 0);
}

static void say_size(struct judged *judged, const char *name, const struct size *size)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "%.0fx%.0f", size->width, size->height);

	if (length > 0 && (size_t)length < sizeof(text))
		finding_data(&judged->work, name, text, (size_t)length, false, false);
}

static void compare(
	struct judged *judged, const struct talk *talk, unsigned display, const struct size *given)
{
	struct builtin *builtin = judged->builtin;
	const struct size *asked = &talk->asked[display];
	double tolerance = rule_limit(builtin->rule, "tolerance");
	enum verdict verdict = VERDICT_PASS;

	if (!in_use(asked))
		return;
	if (fabs(asked->width - given->width) > tolerance ||
		fabs(asked->height - given->height) > tolerance)
		verdict = talk->different;
	finding_line(&judged->work, builtin->lines[asked->line]);
	finding_line(&judged->work, builtin->lines[given->line]);
	if (verdict >= judged->verdict)
		return;
	judged->verdict = verdict;
	finding_number(&judged->work, "display", display);
	say_size(judged, "asked", asked);
	say_size(judged, "given", given);
}

static void say_count(struct judged *judged, const char *name, double count)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "%.0f display%s", count, count == 1 ? "" : "s");

	if (length > 0 && (size_t)length < sizeof(text))
		finding_data(&judged->work, name, text, (size_t)length, false, false);
}

static size_t count_displays(const struct talk *talk)
{
	size_t count = 0;

	for (size_t i = 0; i < DISPLAYS; i++)
		count += in_use(&talk->asked[i]);
	return count;
}

/* The host tells the client how many displays there are. */
static void compare_count(struct judged *judged, const struct talk *client, size_t index)
{
	struct builtin *builtin = judged->builtin;
	size_t asked = count_displays(client);
	enum verdict verdict = VERDICT_PASS;
	double displays;

	if (asked == 0 || !builtin_number(builtin, index, "displays", 0, &displays))
		return;
	finding_line(&judged->work, builtin->lines[index]);
	if (displays < (double)asked)
		verdict = VERDICT_WARNING;
	if (verdict >= judged->verdict)
		return;
	judged->verdict = verdict;
	say_count(judged, "asked", (double)asked);
	say_count(judged, "given", displays);
}

static void take(struct judged *judged, struct talk *talk, size_t index)
{
	struct size size;
	unsigned display;

	if (builtin_is(judged->builtin, index, talk->asked_id)) {
		if (read_size(judged->builtin, index, &display, &size))
			talk->asked[display] = size;
	} else if (builtin_is(judged->builtin, index, talk->given_id)) {
		if (read_size(judged->builtin, index, &display, &size))
			compare(judged, talk, display, &size);
	}
}

void builtin_resolution(struct builtin *builtin)
{
	struct talk host = {
		.asked_id = "requested", .given_id = "answered", .different = VERDICT_WARNING};
	/* A client that maps a display to a smaller window works as asked. */
	struct talk client = {.asked_id = "client-requested",
		.given_id = "client-mapped",
		.different = VERDICT_NOTE};
	struct judged judged = {.builtin = builtin, .verdict = VERDICT_NO_EVIDENCE};

	if (builtin->line_count == 0)
		return;
	builtin_begin(builtin, &judged.work);
	for (size_t i = 0; i < builtin->line_count; i++) {
		take(&judged, &host, i);
		take(&judged, &client, i);
		if (builtin_is(builtin, i, "client-confirmed"))
			compare_count(&judged, &client, i);
	}
	if (judged.verdict == VERDICT_NO_EVIDENCE) {
		for (size_t i = 0; i < builtin->line_count; i++)
			finding_line(&judged.work, builtin->lines[i]);
		judged.work.finding.cause_text = no_answer;
		builtin_end(builtin, &judged.work, VERDICT_NO_EVIDENCE, NULL);
		return;
	}
	builtin_end(builtin, &judged.work, judged.verdict,
		judged.verdict == VERDICT_PASS ? NULL : "different");
}
