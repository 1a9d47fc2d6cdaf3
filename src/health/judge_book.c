#include <string.h>

#include "base/error.h"
#include "health/judge_private.h"

/* Calls `use` for each pattern of a list. */
typedef void use_function(struct judge *judge, const struct rule_pattern *pattern, void *context);

static void each(struct judge *judge, const struct rule_pattern **patterns, size_t count,
	use_function *use, void *context)
{
	for (size_t i = 0; i < count; i++)
		use(judge, patterns[i], context);
}

static void each_of_track(
	struct judge *judge, const struct rule_track *track, use_function *use, void *context)
{
	for (size_t i = 0; i < track->step_count; i++)
		each(judge, track->steps[i].on, track->steps[i].on_count, use, context);
	for (size_t i = 0; i < track->outcome_count; i++)
		each(judge, track->outcomes[i].on, track->outcomes[i].on_count, use, context);
}

static void each_asked(
	struct judge *judge, const struct rule_track *track, use_function *use, void *context)
{
	for (size_t i = 0; i < track->outcome_count; i++) {
		const struct rule_outcome *outcome = &track->outcomes[i];

		each(judge, outcome->requires, outcome->requires_count, use, context);
		each(judge, outcome->unless, outcome->unless_count, use, context);
	}
}

struct collecting {
	struct judge_use use;
	uint32_t *next; /* by pattern; NULL: only count */
};

static void collect(struct judge *judge, const struct rule_pattern *pattern, void *context)
{
	struct collecting *collecting = context;
	uint32_t at;

	if (!collecting->next) {
		judge->first_use[pattern->number + 1]++;
		return;
	}
	at = collecting->next[pattern->number];
	/* Once for each track, however many steps it is in. */
	if (at > judge->first_use[pattern->number]) {
		const struct judge_use *before = &judge->uses[at - 1];

		if (before->rule == collecting->use.rule && before->track == collecting->use.track)
			return;
	}
	judge->uses[at] = collecting->use;
	collecting->next[pattern->number]++;
}

static bool is_builtin(const struct rule *rule, const char *name)
{
	return rule->builtin && strcmp(rule->builtin, name) == 0;
}

/* All uses in the order of rules and tracks, so that equal ones follow each other. */
static void collect_uses(struct judge *judge, uint32_t *next)
{
	const struct rule_book *book = judge->book;
	struct collecting collecting = {.next = next};

	for (uint32_t i = 0; i < book->rule_count; i++) {
		const struct rule *rule = book->rules[i];

		collecting.use.rule = i;
		for (uint32_t j = 0; j < rule->track_count; j++) {
			collecting.use.track = judge->first_track[i] + j;
			each_of_track(judge, &rule->tracks[j], collect, &collecting);
		}
		collecting.use.track = JUDGE_ASKED;
		for (uint32_t j = 0; j < rule->track_count; j++)
			each_asked(judge, &rule->tracks[j], collect, &collecting);
		collecting.use.track = JUDGE_BUILTIN;
		for (size_t j = 0; rule->builtin && j < rule->pattern_count; j++)
			collect(judge, &rule->patterns[j], &collecting);
		/* A silence is judged by whether the session was connected. */
		for (size_t j = 0; is_builtin(rule, "log-gap") && j < book->pattern_count; j++)
			if (judge->connects[j] || judge->closes[j])
				collect(judge, book->patterns[j], &collecting);
	}
}

static int make_uses(struct judge *judge)
{
	size_t patterns = judge->book->pattern_count;
	uint32_t *next = arena_alloc(judge->scratch, (patterns + 1) * sizeof(next[0]));

	judge->first_use = arena_alloc(judge->scratch, (patterns + 1) * sizeof(next[0]));
	judge->use_count = arena_alloc(judge->scratch, (patterns + 1) * sizeof(next[0]));
	if (!next || !judge->first_use || !judge->use_count)
		return ERROR_MEMORY;
	collect_uses(judge, NULL);
	for (size_t i = 0; i < patterns; i++)
		judge->first_use[i + 1] += judge->first_use[i];
	judge->uses =
		arena_alloc(judge->scratch, judge->first_use[patterns] * sizeof(judge->uses[0]));
	if (!judge->uses)
		return ERROR_MEMORY;
	memcpy(next, judge->first_use, patterns * sizeof(next[0]));
	collect_uses(judge, next);
	for (size_t i = 0; i < patterns; i++)
		judge->use_count[i] = next[i] - judge->first_use[i];
	return 0;
}

static int make_tracks(struct judge *judge)
{
	const struct rule_book *book = judge->book;

	judge->first_track =
		arena_alloc(judge->scratch, (book->rule_count + 1) * sizeof(judge->first_track[0]));
	for (size_t i = 0; i < book->rule_count; i++)
		judge->track_count += book->rules[i]->track_count;
	judge->tracks = arena_alloc(judge->scratch, judge->track_count * sizeof(judge->tracks[0]));
	if (!judge->first_track || !judge->tracks)
		return ERROR_MEMORY;
	judge->track_count = 0;
	for (size_t i = 0; i < book->rule_count; i++) {
		const struct rule *rule = book->rules[i];

		judge->first_track[i] = (uint32_t)judge->track_count;
		for (size_t j = 0; j < rule->track_count; j++) {
			struct judge_track *track = &judge->tracks[judge->track_count++];

			track->rule = rule;
			track->track = &rule->tracks[j];
			for (size_t k = 0; k < track->track->step_count; k++)
				track->limits |= track->track->steps[k].within > 0;
		}
	}
	return 0;
}

static void ask(struct judge *judge, const struct rule_pattern *pattern, void *context)
{
	size_t *bits = context;

	if (judge->seen_bit[pattern->number] < 0)
		judge->seen_bit[pattern->number] = (int32_t)(*bits)++;
}

/* A log that has any of the rule's lines answers for itself. */
static void ask_relatives(struct judge *judge, const struct rule_track *track, size_t *bits)
{
	for (size_t i = 0; i < track->outcome_count; i++) {
		const struct rule_outcome *outcome = &track->outcomes[i];

		for (size_t j = 0; j < outcome->requires_count; j++) {
			const struct rule_pattern *required = outcome->requires[j];
			const struct rule *rule = required->rule;

			for (size_t k = 0; k < rule->pattern_count; k++)
				ask(judge, &rule->patterns[k], bits);
		}
	}
}

static int make_seen(struct judge *judge, bool *ret_asks)
{
	size_t bits = 0;

	judge->seen_bit = arena_alloc(
		judge->scratch, (judge->book->pattern_count + 1) * sizeof(judge->seen_bit[0]));
	if (!judge->seen_bit)
		return ERROR_MEMORY;
	for (size_t i = 0; i < judge->book->pattern_count; i++)
		judge->seen_bit[i] = -1;
	for (size_t i = 0; i < judge->track_count; i++) {
		each_asked(judge, judge->tracks[i].track, ask, &bits);
		ask_relatives(judge, judge->tracks[i].track, &bits);
	}
	judge->seen_words = (bits + 63) / 64;
	*ret_asks = bits > 0;
	return 0;
}

static void mark(bool *marks, const struct rule *rule, const char *id)
{
	const struct rule_pattern *pattern = rule ? rule_find_pattern(rule, id) : NULL;

	if (pattern)
		marks[pattern->number] = true;
}

static void mark_builtin(struct judge *judge, const struct rule *rule)
{
	if (is_builtin(rule, "log-gap")) {
		mark(judge->opens, rule, "connected");
		mark(judge->connects, rule, "connected");
		mark(judge->closes, rule, "closed");
	} else if (is_builtin(rule, "reconnects")) {
		mark(judge->opens, rule, "connected");
		mark(judge->connects, rule, "connected");
		mark(judge->connects, rule, "client-connected");
		mark(judge->connects, rule, "client-active");
	} else if (is_builtin(rule, "crash")) {
		mark(judge->begins, rule, "begins");
	}
}

/* Who knows when a session begins, is connected, and is closed. */
static int make_marks(struct judge *judge)
{
	static const char *const closing[] = {"closed", "close-code", "reason", "bye",
		"old-close-code", "agent-closed", "client-closed"};
	const struct rule *disconnect = rule_book_find(judge->book, "disconnect-session");
	size_t count = judge->book->pattern_count + 1;

	judge->opens = arena_alloc(judge->scratch, count * sizeof(judge->opens[0]));
	judge->closes = arena_alloc(judge->scratch, count * sizeof(judge->closes[0]));
	judge->connects = arena_alloc(judge->scratch, count * sizeof(judge->connects[0]));
	judge->begins = arena_alloc(judge->scratch, count * sizeof(judge->begins[0]));
	if (arena_lacking(judge->scratch))
		return ERROR_MEMORY;
	for (size_t i = 0; i < judge->book->rule_count; i++)
		mark_builtin(judge, judge->book->rules[i]);
	for (size_t i = 0; i < sizeof(closing) / sizeof(closing[0]); i++)
		mark(judge->closes, disconnect, closing[i]);
	for (size_t i = 0; i < judge->track_count; i++) {
		const struct rule_track *track = judge->tracks[i].track;

		for (size_t j = 0; track->step_count > 0 && j < track->steps[0].on_count; j++)
			judge->opens[track->steps[0].on[j]->number] = true;
	}
	return 0;
}

int judge_book(struct judge *judge, bool *ret_asks)
{
	if (make_tracks(judge) < 0 || make_marks(judge) < 0 || make_uses(judge) < 0 ||
		make_seen(judge, ret_asks) < 0)
		return ERROR_MEMORY;
	return 0;
}
