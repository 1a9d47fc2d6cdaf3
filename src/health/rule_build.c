#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "health/rule_private.h"

#define TEXT_SIZE 400
#define STAGES 6

int rule_source_fault(const struct rule_source *source, struct rule_fault *fault, const char *path,
	const char *format, ...)
{
	struct config_fault inner;
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	(void)config_fault_at(source->config, &inner, path, "%s", text);
	_Static_assert(sizeof(fault->text) >= sizeof(inner.text), "any fault fits");
	memcpy(fault->text, inner.text, sizeof(inner.text));
	return ERROR_INPUT;
}

void rule_path(char path[RULE_PATH_SIZE], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(path, RULE_PATH_SIZE, format, arguments);
	va_end(arguments);
}

static int check_name(const struct rule_source *source, struct rule_fault *fault, const char *path,
	const char *name)
{
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0')
		return 0;
	return rule_source_fault(source, fault, path,
		"'%s' is no name; expected small letters, digits and '-'", name);
}

static int check_pattern(const struct rule_source *source, struct rule_fault *fault,
	const struct rule_file_pattern *from, const char *place)
{
	char path[RULE_PATH_SIZE];

	rule_path(path, "%s.message", place);
	if (from->message && !from->xml)
		return rule_source_fault(source, fault, path,
			"'message' without 'xml'; expected the element it has the text of");
	if (!from->text && !from->xml)
		return rule_source_fault(source, fault, place,
			"there is nothing to match; expected 'text' or 'xml'");
	rule_path(path, "%s.anywhere", place);
	if (!from->text && from->anywhere)
		return rule_source_fault(
			source, fault, path, "'anywhere' without 'text'; expected a template");
	return 0;
}

static int build_template(const struct rule_source *source, struct rule_fault *fault,
	const struct rule_file_pattern *from, const char *place, struct rule_pattern *pattern)
{
	char reason[TEMPLATE_REASON_SIZE];
	char path[RULE_PATH_SIZE];
	struct template *template;
	int error;

	if (!from->text)
		return 0;
	error = template_new(from->text, from->anywhere, &template, reason);
	rule_path(path, "%s.text", place);
	if (error != 0) {
		(void)rule_source_fault(source, fault, path, "%s", reason);
		return error;
	}
	pattern->template = template;
	if (from->xml || strlen(template_literal(template)) >= TEMPLATE_LITERAL_LEAST)
		return 0;
	return rule_source_fault(source, fault, path,
		"no literal part is long enough to search for; expected at least %d bytes",
		TEMPLATE_LITERAL_LEAST);
}

static int build_pattern(const struct rule_source *source, struct rule_fault *fault,
	const struct rule_file_pattern *from, size_t index, struct rule_pattern *pattern)
{
	char place[RULE_PATH_SIZE];
	char path[RULE_PATH_SIZE];
	int error;

	rule_path(place, "patterns[%zu]", index);
	rule_path(path, "%s.id", place);
	error = check_name(source, fault, path, from->id);
	if (error != 0)
		return error;
	if (rule_find_pattern(source->rule, from->id))
		return rule_source_fault(
			source, fault, path, "there is a pattern '%s' already", from->id);
	error = check_pattern(source, fault, from, place);
	if (error != 0)
		return error;
	*pattern = (struct rule_pattern){
		.id = from->id,
		.rule = source->rule,
		.components = from->components,
		.component_count = from->components_count,
		.near = from->near ? RULE_NEAR_YES : RULE_NEAR_NO,
		.xml_element = from->xml,
		.xml_message = from->message,
		.samples = from->samples,
		.sample_count = from->samples_count,
	};
	/* Counted at once: it is freed then whatever comes. */
	source->rule->pattern_count++;
	return build_template(source, fault, from, place, pattern);
}

static int build_patterns(struct arena *arena, const struct rule_source *source,
	const struct rule_file *from, struct rule_fault *fault)
{
	struct rule *rule = source->rule;

	rule->patterns = arena_alloc(arena, from->patterns_count * sizeof(*rule->patterns));
	if (!rule->patterns)
		return ERROR_MEMORY;
	for (unsigned i = 0; i < from->patterns_count; i++) {
		int error = build_pattern(source, fault, &from->patterns[i], i, &rule->patterns[i]);

		if (error != 0)
			return error;
	}
	return 0;
}

static int build_remedies(
	struct arena *arena, const struct rule_file_cause *from, struct rule_cause *cause)
{
	cause->remedies = arena_alloc(arena, from->remedies_count * sizeof(*cause->remedies));
	if (!cause->remedies)
		return ERROR_MEMORY;
	for (unsigned i = 0; i < from->remedies_count; i++)
		cause->remedies[i] = (struct rule_remedy){
			.who = (enum actor)from->remedies[i].who,
			.text = from->remedies[i].text,
			.link = from->remedies[i].link,
		};
	cause->remedy_count = from->remedies_count;
	return 0;
}

/* A value, and whose it is, must choose one cause. */
static bool same_value(const struct rule_cause *cause, const struct rule_file_cause *from)
{
	if (!cause->value || strcasecmp(cause->value, from->value) != 0)
		return false;
	return !cause->by || !from->by || strcmp(cause->by, from->by) == 0;
}

static int check_cause(const struct rule_source *source, struct rule_fault *fault,
	const struct rule_file_cause *from, size_t index, bool built_in)
{
	const struct rule *rule = source->rule;
	char path[RULE_PATH_SIZE];
	int error;

	rule_path(path, "causes[%zu].id", index);
	error = check_name(source, fault, path, from->id);
	if (error != 0)
		return error;
	if (rule_find_cause(rule, from->id))
		return rule_source_fault(
			source, fault, path, "there is a cause '%s' already", from->id);
	rule_path(path, "causes[%zu].value", index);
	for (size_t i = 0; from->value && i < rule->cause_count; i++) {
		if (same_value(&rule->causes[i], from))
			return rule_source_fault(source, fault, path,
				"the value '%s' stands for the cause '%s' already", from->value,
				rule->causes[i].id);
	}
	rule_path(path, "causes[%zu].by", index);
	if (from->by && !from->value)
		return rule_source_fault(source, fault, path,
			"'by' without 'value'; expected the value of this capture");
	rule_path(path, "causes[%zu].result", index);
	if (from->result != 0 && !from->value && !built_in)
		return rule_source_fault(source, fault, path,
			"'result' without 'value'; expected the result with the outcome");
	return 0;
}

static int build_causes(struct arena *arena, const struct rule_source *source,
	const struct rule_file *from, struct rule_fault *fault)
{
	struct rule *rule = source->rule;

	rule->causes = arena_alloc(arena, from->causes_count * sizeof(*rule->causes));
	if (!rule->causes)
		return ERROR_MEMORY;
	for (unsigned i = 0; i < from->causes_count; i++) {
		const struct rule_file_cause *cause = &from->causes[i];
		int error = check_cause(source, fault, cause, i, from->builtin != NULL);

		if (error == 0)
			error = build_remedies(arena, cause, &rule->causes[i]);
		if (error != 0)
			return error;
		rule->causes[i].id = cause->id;
		rule->causes[i].text = cause->text;
		rule->causes[i].name = cause->name;
		rule->causes[i].value = cause->value;
		rule->causes[i].by = cause->by;
		rule->causes[i].verdict =
			cause->result == 0 ? VERDICT_COUNT : (enum verdict)(cause->result - 1);
		rule->cause_count++;
	}
	return 0;
}

static const struct rule_limit *find_limit(const struct rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->limit_count; i++) {
		if (strcmp(rule->limits[i].name, name) == 0)
			return &rule->limits[i];
	}
	return NULL;
}

static int build_limits(struct arena *arena, const struct rule_source *source,
	const struct rule_file *from, const struct rule_builtin *builtin, struct rule_fault *fault)
{
	struct rule *rule = source->rule;
	char path[RULE_PATH_SIZE];

	rule->limits = arena_alloc(arena, from->limits_count * sizeof(*rule->limits));
	if (!rule->limits)
		return ERROR_MEMORY;
	for (unsigned i = 0; i < from->limits_count; i++) {
		const char *name = from->limits[i].name;

		rule_path(path, "limits[%u].name", i);
		if (!rule_words_have(builtin->limits, name))
			return rule_source_fault(source, fault, path,
				"'%s' is no limit of '%s'; expected one of: %s", name,
				builtin->name, builtin->limits);
		if (find_limit(rule, name))
			return rule_source_fault(
				source, fault, path, "there is a limit '%s' already", name);
		rule->limits[i] = (struct rule_limit){.name = name, .value = from->limits[i].value};
		rule->limit_count++;
	}
	return 0;
}

/* Everything that builtin.def says the code looks up must be there. */
static int check_builtin(const struct rule_source *source, const struct rule_builtin *builtin,
	struct rule_fault *fault)
{
	const struct {
		const char *words;
		const char *what;
		const char *path;
	} needed[] = {
		{builtin->patterns, "pattern", "patterns"},
		{builtin->causes, "cause", "causes"},
		{builtin->limits, "limit", "limits"},
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		const char *list = needed[i].words;
		size_t length;

		for (; (length = rule_words_next(&list)) > 0; list += length) {
			char word[TEXT_SIZE];
			bool found;

			(void)snprintf(word, sizeof(word), "%.*s", (int)length, list);
			found = i == 0   ? rule_find_pattern(source->rule, word) != NULL
				: i == 1 ? rule_find_cause(source->rule, word) != NULL
					 : find_limit(source->rule, word) != NULL;
			if (!found)
				return rule_source_fault(source, fault, needed[i].path,
					"'%s' needs the %s '%s', which is missing", builtin->name,
					needed[i].what, word);
		}
	}
	return 0;
}

static int build_builtin(struct arena *arena, const struct rule_source *source,
	const struct rule_file *from, struct rule_fault *fault)
{
	const struct rule_builtin *builtin;
	struct rule *rule = source->rule;
	int error;

	if (!from->builtin) {
		if (from->limits_count > 0)
			return rule_source_fault(source, fault, "limits",
				"'limits' without 'builtin'; only a built-in has them");
		return 0;
	}
	builtin = rule_builtin_find(from->builtin);
	if (!builtin)
		return rule_source_fault(source, fault, "builtin",
			"there is no built-in '%s'; see docs/health-check.md for their names",
			from->builtin);
	error = build_limits(arena, source, from, builtin, fault);
	if (error == 0)
		error = check_builtin(source, builtin, fault);
	if (error != 0)
		return error;
	for (size_t i = 0; i < rule->pattern_count; i++) {
		if (rule_words_have(builtin->patterns, rule->patterns[i].id))
			rule->patterns[i].sighted = true;
	}
	rule->builtin = builtin->name;
	return 0;
}

int rule_build(struct arena *arena, struct rule_source *source, struct rule_fault *fault)
{
	const struct rule_file *from = config_data(source->config);
	struct rule *rule = source->rule;
	int error = check_name(source, fault, "id", from->id);

	if (error != 0)
		return error;
	if (from->stage > STAGES)
		return rule_source_fault(
			source, fault, "stage", "%u; expected 1 to %d", from->stage, STAGES);
	if (from->tracks_count == 0 && from->measures_count == 0 && !from->builtin)
		return rule_source_fault(source, fault, "",
			"nothing judges; expected 'tracks', 'measures' or 'builtin'");
	rule->id = from->id;
	rule->title = from->title;
	rule->about = from->about;
	rule->phase = (enum rule_phase)from->phase;
	rule->scope = (enum rule_scope)from->scope;
	rule->stage = from->stage;
	rule->order = from->order;
	rule->counter_samples = from->counter_samples;
	rule->counter_sample_count = from->counter_samples_count;
	error = build_patterns(arena, source, from, fault);
	if (error == 0)
		error = build_causes(arena, source, from, fault);
	if (error == 0)
		error = build_builtin(arena, source, from, fault);
	if (error == ERROR_MEMORY)
		(void)rule_source_fault(source, fault, "", "%s", error_text(ERROR_MEMORY));
	return error;
}

void rule_templates_free(struct rule *rule)
{
	for (size_t i = 0; i < rule->pattern_count; i++)
		template_free((struct template *)rule->patterns[i].template);
}
