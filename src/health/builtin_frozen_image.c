#include "health/judge_builtin.h"

#define COUNTERS 6
#define SENT_IMAGING 4

struct frames {
	double counters[COUNTERS];
	bool valid;
};

/* A run of statistics in which no picture was sent although the rest moved. */
struct still {
	size_t begin, end; /* lines */
	size_t intervals;
};

static struct frames read_frames(const struct builtin *builtin, size_t index)
{
	struct frames frames = {.valid = builtin_line(builtin, index)->time != STAMP_NONE};

	for (size_t i = 0; frames.valid && i < COUNTERS; i++)
		frames.valid = builtin_number(builtin, index, "", i, &frames.counters[i]);
	return frames;
}

static bool others_move(const struct frames *before, const struct frames *after)
{
	for (size_t i = 0; i < COUNTERS; i++)
		if (i != SENT_IMAGING && after->counters[i] > before->counters[i])
			return true;
	return false;
}

static void take_interval(
	const struct frames *before, const struct frames *after, bool *moved, struct still *run)
{
	double step = after->counters[SENT_IMAGING] - before->counters[SENT_IMAGING];

	if (step < 0) {
		/* Counters start again with each connection. */
		*moved = false;
		run->intervals = 0;
	} else if (step > 0) {
		*moved = true;
		run->intervals = 0;
	} else if (*moved && others_move(before, after)) {
		run->intervals++;
	} else {
		run->intervals = 0;
	}
}

/* The longest run in one log; true when its pictures moved at all. */
static bool judge_log(const struct builtin *builtin, uint32_t source, struct still *longest)
{
	struct frames before = {.valid = false};
	struct still run = {0, 0, 0};
	bool moved = false, ever = false;
	size_t previous = 0;

	for (size_t i = 0; i < builtin->line_count; i++) {
		struct frames frames;

		if (builtin_line(builtin, i)->source != source)
			continue;
		frames = read_frames(builtin, i);
		if (!frames.valid)
			continue;
		if (before.valid) {
			take_interval(&before, &frames, &moved, &run);
			if (run.intervals == 1)
				run.begin = previous;
			run.end = i;
			ever |= moved;
		}
		if (run.intervals > longest->intervals)
			*longest = run;
		before = frames;
		previous = i;
	}
	return ever;
}

void builtin_frozen_image(struct builtin *builtin)
{
	struct still longest = {0, 0, 0};
	uint32_t source = JUDGE_NOBODY;
	struct finding_work work;
	bool ever = false;

	for (size_t i = 0; i < builtin->line_count; i++) {
		if (builtin_line(builtin, i)->source == source)
			continue;
		source = builtin_line(builtin, i)->source;
		ever |= judge_log(builtin, source, &longest);
	}
	if (!ever)
		return;
	builtin_begin(builtin, &work);
	finding_line(&work, builtin->lines[longest.begin]);
	finding_line(&work, builtin->lines[longest.end]);
	finding_number(&work, "intervals", (double)longest.intervals);
	if (longest.intervals == 0 ||
		(double)longest.intervals < rule_limit(builtin->rule, "intervals")) {
		builtin_end(builtin, &work, VERDICT_PASS, NULL);
		return;
	}
	work.finding.duration = builtin_line(builtin, longest.end)->time -
		builtin_line(builtin, longest.begin)->time;
	builtin_end(builtin, &work, VERDICT_WARNING, "still");
}
