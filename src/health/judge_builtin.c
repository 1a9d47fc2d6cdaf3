#include "health/judge_builtin.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_SIZE 32

struct entry {
	const char *name;
	builtin_function *function;
};

static const struct entry entries[] = {
#define BUILTIN(name, function, patterns, causes, limits) {name, builtin_##function},
#include "health/builtin.def"
#undef BUILTIN
};

const struct sighting *builtin_line(const struct builtin *builtin, size_t index)
{
	assert(index < builtin->line_count);
	return judge_line(builtin->judge, builtin->lines[index]);
}

bool builtin_is(const struct builtin *builtin, size_t index, const char *id)
{
	const struct rule_pattern *pattern = rule_find_pattern(builtin->rule, id);

	return pattern && builtin_line(builtin, index)->pattern == pattern->number;
}

void builtin_begin(struct builtin *builtin, struct finding_work *work)
{
	finding_begin(work, builtin->judge, builtin->unit, builtin->rule);
}

static void fill_times(struct finding_work *work)
{
	struct finding *finding = &work->finding;

	for (size_t i = 0; i < work->line_count; i++) {
		int64_t time = work->lines[i].time;

		if (time == STAMP_NONE)
			continue;
		if (finding->start == STAMP_NONE || time < finding->start)
			finding->start = time;
		if (time > finding->end)
			finding->end = time;
	}
	if (work->line_count > 0)
		finding->kind = work->judge->store->sources[work->lines[0].quote.source].kind;
}

void builtin_end(
	struct builtin *builtin, struct finding_work *work, enum verdict verdict, const char *cause)
{
	const struct rule_cause *named = cause ? rule_find_cause(builtin->rule, cause) : NULL;

	if (named && named->verdict != VERDICT_COUNT)
		verdict = named->verdict;
	if (work->finding.start == STAMP_NONE)
		fill_times(work);
	finding_cause(work, verdict, named);
	if (!finding_is_outdone(work, builtin->list))
		finding_end(work, builtin->list);
}

bool builtin_number(const struct builtin *builtin, size_t index, const char *name, size_t capture,
	double *ret_value)
{
	const struct sighting *line = builtin_line(builtin, index);
	const struct template *template = builtin->judge->book->patterns[line->pattern]->template;
	int named = template_find(template, name);
	char text[NUMBER_SIZE], *end;
	size_t length;
	double value;

	if (named >= 0)
		capture = (size_t)named;
	if (capture >= template_captures(template))
		return false;
	length = line->captures[capture].length;
	if (length == 0 || length >= sizeof(text))
		return false;
	memcpy(text, line->matched + line->captures[capture].at, length);
	text[length] = '\0';
	value = strtod(text, &end);
	if (end == text || *end != '\0')
		return false;
	*ret_value = value;
	return true;
}

void judge_builtin(struct judge *judge, struct unit *unit, uint32_t number,
	struct finding_list *list, struct report_session *session)
{
	const struct rule *rule = judge->book->rules[number];
	struct builtin builtin = {
		.judge = judge, .unit = unit, .rule = rule, .list = list, .session = session};
	uint32_t *lines;
	size_t count = 0;

	if (!rule->builtin)
		return;
	for (const struct judge_kept *i = unit->kept; i; i = i->next)
		count += i->rule == number;
	lines = arena_alloc(judge->bench, count * sizeof(lines[0]));
	if (!lines)
		return;
	for (const struct judge_kept *i = unit->kept; i; i = i->next)
		if (i->rule == number)
			lines[builtin.line_count++] = i->line;
	builtin.lines = lines;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		if (strcmp(entries[i].name, rule->builtin) == 0)
			entries[i].function(&builtin);
}
