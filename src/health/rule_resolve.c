#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "health/rule_private.h"

static struct rule *find_rule(const struct rule_holder *holder, const char *id, size_t length)
{
	for (size_t i = 0; i < holder->source_count; i++) {
		struct rule *rule = holder->sources[i].rule;

		if (strlen(rule->id) == length && memcmp(rule->id, id, length) == 0)
			return rule;
	}
	return NULL;
}

/* "pattern" or "rule/pattern" */
static int find_pattern(const struct rule_resolver *resolver, const char *path, const char *name,
	struct rule_pattern **ret_pattern)
{
	struct rule *rule = resolver->source->rule;
	const char *slash = strchr(name, '/');
	const char *id = slash ? slash + 1 : name;

	if (slash)
		rule = find_rule(resolver->holder, name, (size_t)(slash - name));
	if (!rule)
		return rule_source_fault(resolver->source, resolver->fault, path,
			"there is no rule '%.*s'", (int)(slash - name), name);
	for (size_t i = 0; i < rule->pattern_count; i++) {
		if (strcmp(rule->patterns[i].id, id) == 0) {
			*ret_pattern = &rule->patterns[i];
			return 0;
		}
	}
	return rule_source_fault(resolver->source, resolver->fault, path,
		"the rule '%s' has no pattern '%s'", rule->id, id);
}

int rule_resolve_list(const struct rule_resolver *resolver, const char *place, const char *key,
	const char **names, size_t count, const struct rule_pattern ***ret_list)
{
	const struct rule_pattern **list =
		arena_alloc(resolver->holder->arena, count * sizeof(struct rule_pattern *));
	char path[RULE_PATH_SIZE];

	if (!list)
		return ERROR_MEMORY;
	for (size_t i = 0; i < count; i++) {
		struct rule_pattern *pattern;
		int error;

		rule_path(path, "%s.%s[%zu]", place, key, i);
		error = find_pattern(resolver, path, names[i], &pattern);
		if (error != 0)
			return error;
		for (size_t j = 0; j < i; j++) {
			if (list[j] == pattern)
				return rule_source_fault(resolver->source, resolver->fault, path,
					"'%s' is named twice", names[i]);
		}
		if (strcmp(key, "on") == 0)
			pattern->sighted = true;
		else
			pattern->asked = true;
		list[i] = pattern;
	}
	*ret_list = list;
	return 0;
}

int rule_resolve_cause(const struct rule_resolver *resolver, const char *place, const char *key,
	const char *id, const struct rule_cause **ret_cause)
{
	char path[RULE_PATH_SIZE];

	if (!id)
		return 0;
	*ret_cause = rule_find_cause(resolver->source->rule, id);
	if (*ret_cause)
		return 0;
	rule_path(path, "%s.%s", place, key);
	return rule_source_fault(
		resolver->source, resolver->fault, path, "there is no cause '%s'", id);
}

static int resolve_value(const struct rule_resolver *resolver, const struct rule_file_measure *from,
	const char *place, struct rule_measure *measure)
{
	char path[RULE_PATH_SIZE];
	struct rule_pattern *pattern = NULL;
	int error;
	int value;

	rule_path(path, "%s.pattern", place);
	error = find_pattern(resolver, path, from->pattern, &pattern);
	if (error != 0)
		return error;
	assert(pattern);
	rule_path(path, "%s.value", place);
	value = template_find(pattern->template, from->value);
	if (value < 0)
		return rule_source_fault(resolver->source, resolver->fault, path,
			"the pattern '%s' captures no '%s'", pattern->id, from->value);
	if (template_type(pattern->template, (size_t)value) != TEMPLATE_NUMBER)
		return rule_source_fault(resolver->source, resolver->fault, path,
			"'%s' is no number; expected {%s:number} in the pattern", from->value,
			from->value);
	pattern->measured = true;
	measure->pattern = pattern;
	measure->value = (uint8_t)value;
	return 0;
}

static int check_limits(const struct rule_resolver *resolver, const struct rule_file_measure *from,
	const char *place)
{
	const char *limit = !from->warning == !from->warning_cause ? "fail" : "warning";

	if (!from->warning == !from->warning_cause && !from->fail == !from->fail_cause)
		return 0;
	return rule_source_fault(resolver->source, resolver->fault, place,
		"a limit without cause, or a cause without limit; expected both '%s' and "
		"'%s-cause'",
		limit, limit);
}

static int resolve_measure(const struct rule_resolver *resolver,
	const struct rule_file_measure *from, const char *place, struct rule_measure *measure)
{
	int error = check_limits(resolver, from, place);

	*measure = (struct rule_measure){
		.id = from->id,
		.title = from->title,
		.unit = from->unit,
		.below = from->below,
		.plot = from->plot,
		.has_warning = from->warning != NULL,
		.has_fail = from->fail != NULL,
		.warning = from->warning ? *from->warning : 0,
		.fail = from->fail ? *from->fail : 0,
	};
	if (error == 0)
		error = resolve_value(resolver, from, place, measure);
	if (error == 0)
		error = rule_resolve_cause(resolver, place, "warning-cause", from->warning_cause,
			&measure->warning_cause);
	if (error == 0)
		error = rule_resolve_cause(
			resolver, place, "fail-cause", from->fail_cause, &measure->fail_cause);
	return error;
}

static int resolve_measures(const struct rule_resolver *resolver, const struct rule_file *from)
{
	struct rule *rule = resolver->source->rule;
	char path[RULE_PATH_SIZE];

	rule->measures = arena_alloc(
		resolver->holder->arena, from->measures_count * sizeof(*rule->measures));
	if (!rule->measures)
		return ERROR_MEMORY;
	for (unsigned i = 0; i < from->measures_count; i++) {
		int error;

		rule_path(path, "measures[%u]", i);
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(rule->measures[j].id, from->measures[i].id) == 0)
				return rule_source_fault(resolver->source, resolver->fault, path,
					"there is a measure '%s' already", from->measures[i].id);
		}
		error = resolve_measure(resolver, &from->measures[i], path, &rule->measures[i]);
		if (error != 0)
			return error;
		rule->measure_count++;
	}
	return 0;
}

int rule_resolve(struct rule_holder *holder, struct rule_source *source, struct rule_fault *fault)
{
	const struct rule_file *from = config_data(source->config);
	struct rule_resolver resolver = {.holder = holder, .source = source, .fault = fault};
	int error = rule_track_resolve(&resolver, from);

	if (error == 0)
		error = resolve_measures(&resolver, from);
	if (error == ERROR_MEMORY)
		(void)rule_source_fault(source, fault, "", "%s", error_text(ERROR_MEMORY));
	return error;
}
