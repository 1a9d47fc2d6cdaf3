#include <string.h>

#include "health/rule_lint_private.h"

/* A pattern of the rule that knows a line of the last run; `after`: the one told before. */
static const struct rule_pattern *known_by(const struct lint *lint, size_t *place)
{
	const struct store *store = lint->store;

	for (; *place < store->sighting_count + store->series_count; ++*place) {
		const struct rule_pattern *pattern = *place < store->sighting_count
			? lint->book->patterns[store->sightings[*place].pattern]
			: store->series[*place - store->sighting_count].measure->pattern;

		if (pattern->rule == lint->rule) {
			++*place;
			return pattern;
		}
	}
	return NULL;
}

static bool is_block(const char *sample)
{
	const char *end = strchr(sample, '\n');

	return end && end[1] != '\0';
}

static void prove_sample(struct lint *lint, const struct rule_pattern *pattern, size_t index)
{
	const char *sample = pattern->samples[index];
	const struct rule_pattern *other = NULL;
	const struct rule_pattern *known;
	bool own = false;
	size_t place = 0;

	if (!lint_read_bytes(lint, sample))
		return;
	while ((known = known_by(lint, &place)) != NULL) {
		if (known == pattern)
			own = true;
		else
			other = known;
	}
	if (!own && other)
		lint_fault(lint, pattern->id, "sample %zu goes to the pattern '%s'", index + 1,
			other->id);
	else if (!own)
		lint_fault(lint, pattern->id, "sample %zu does not match", index + 1);
	else if (other && !is_block(sample))
		lint_fault(lint, pattern->id, "sample %zu matches the pattern '%s', too", index + 1,
			other->id);
}

static void prove_pattern(struct lint *lint, const struct rule_pattern *pattern)
{
	if (!pattern->sighted && !pattern->measured) {
		lint_fault(lint, pattern->id, "nothing uses this pattern");
		return;
	}
	if (pattern->sample_count == 0)
		lint_fault(lint, pattern->id, "there is no sample");
	for (size_t i = 0; lint->error == 0 && i < pattern->sample_count; i++)
		prove_sample(lint, pattern, i);
}

void lint_samples(struct lint *lint)
{
	const struct rule *rule = lint->rule;

	for (size_t i = 0; lint->error == 0 && i < rule->pattern_count; i++)
		prove_pattern(lint, &rule->patterns[i]);
	for (size_t i = 0; lint->error == 0 && i < rule->counter_sample_count; i++) {
		const struct rule_pattern *known;
		size_t place = 0;

		if (!lint_read_bytes(lint, rule->counter_samples[i]))
			return;
		known = known_by(lint, &place);
		if (known)
			lint_fault(lint, known->id, "counter-sample %zu matches", i + 1);
	}
}
