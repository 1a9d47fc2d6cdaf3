#include "health/rule_schema.h"

#include "health/rule.h"

#define NAME_MAXIMUM 64
#define LINE_MAXIMUM 1024
#define SAMPLE_MAXIMUM 16384 /* a block of lines */
#define OPTIONAL CYAML_FLAG_OPTIONAL

/* A text that must not be empty. */
#define TEXT(key, flags, structure, member, maximum)                                               \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (flags), structure, member, 1, maximum)
#define LIST(key, flags, structure, member, entry, least)                                          \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | (flags), structure, member, entry, least,   \
		RULE_SCHEMA_LIST)

static const struct cyaml_schema_value name_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, NAME_MAXIMUM),
};

/* "pattern" or "rule/pattern" */
static const struct cyaml_schema_value reference_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 2 * NAME_MAXIMUM + 1),
};

static const struct cyaml_schema_value sample_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, SAMPLE_MAXIMUM),
};

/* Without no-evidence, the last one: nobody can ask for it. */
static const cyaml_strval_t verdicts[] = {
#define VERDICT(NAME, name, mark, title) {name, VERDICT_##NAME + 1},
#include "health/verdict.def"
#undef VERDICT
};
#define VERDICTS_COUNT (VERDICT_COUNT - 1)
_Static_assert(VERDICT_NO_EVIDENCE == VERDICT_COUNT - 1, "no-evidence stands last");

static const cyaml_strval_t actors[] = {
#define ACTOR(NAME, name, title) {name, ACTOR_##NAME},
#include "health/actor.def"
#undef ACTOR
};

static const cyaml_strval_t phases[] = {
	{"pre-session", RULE_PRE_SESSION},
	{"session", RULE_SESSION},
	{"host", RULE_HOST},
};

static const cyaml_strval_t scopes[] = {
	{"session", RULE_SCOPE_SESSION},
	{"host", RULE_SCOPE_HOST},
};

static const struct cyaml_schema_field pattern_fields[] = {
	TEXT("id", 0, struct rule_file_pattern, id, NAME_MAXIMUM),
	LIST("components", OPTIONAL, struct rule_file_pattern, components, &name_entry, 1),
	TEXT("text", OPTIONAL, struct rule_file_pattern, text, LINE_MAXIMUM),
	CYAML_FIELD_BOOL("anywhere", OPTIONAL, struct rule_file_pattern, anywhere),
	CYAML_FIELD_BOOL("near", OPTIONAL, struct rule_file_pattern, near),
	TEXT("xml", OPTIONAL, struct rule_file_pattern, xml, NAME_MAXIMUM),
	TEXT("message", OPTIONAL, struct rule_file_pattern, message, NAME_MAXIMUM),
	LIST("samples", OPTIONAL, struct rule_file_pattern, samples, &sample_entry, 0),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value pattern_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule_file_pattern, pattern_fields),
};

static const struct cyaml_schema_field step_fields[] = {
	TEXT("id", 0, struct rule_file_step, id, NAME_MAXIMUM),
	LIST("on", 0, struct rule_file_step, on, &reference_entry, 1),
	TEXT("within", OPTIONAL, struct rule_file_step, within, NAME_MAXIMUM),
	CYAML_FIELD_BOOL("optional", OPTIONAL, struct rule_file_step, optional),
	CYAML_FIELD_BOOL("alone", OPTIONAL, struct rule_file_step, alone),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value step_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule_file_step, step_fields),
};

#define OUTCOME_RESULT(flags)                                                                      \
	CYAML_FIELD_ENUM("result", CYAML_FLAG_STRICT | (flags), struct rule_file_outcome, result,  \
		verdicts, VERDICTS_COUNT)

static const struct cyaml_schema_field outcome_fields[] = {
	LIST("on", 0, struct rule_file_outcome, on, &reference_entry, 1),
	OUTCOME_RESULT(OPTIONAL),
	TEXT("cause", OPTIONAL, struct rule_file_outcome, cause, NAME_MAXIMUM),
	TEXT("by", OPTIONAL, struct rule_file_outcome, by, NAME_MAXIMUM),
	CYAML_FIELD_BOOL("open-only", OPTIONAL, struct rule_file_outcome, open_only),
	CYAML_FIELD_BOOL("after-pass", OPTIONAL, struct rule_file_outcome, after_pass),
	CYAML_FIELD_BOOL("weak", OPTIONAL, struct rule_file_outcome, weak),
	CYAML_FIELD_BOOL("progress", OPTIONAL, struct rule_file_outcome, progress),
	LIST("requires", OPTIONAL, struct rule_file_outcome, requires, &reference_entry, 1),
	LIST("unless", OPTIONAL, struct rule_file_outcome, unless, &reference_entry, 1),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value outcome_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule_file_outcome, outcome_fields),
};

/* `late` and `never`: no line tells them. */
static const struct cyaml_schema_field limit_outcome_fields[] = {
	OUTCOME_RESULT(0),
	TEXT("cause", OPTIONAL, struct rule_file_outcome, cause, NAME_MAXIMUM),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field track_fields[] = {
	TEXT("id", 0, struct rule_file_track, id, NAME_MAXIMUM),
	LIST("steps", OPTIONAL, struct rule_file_track, steps, &step_entry, 1),
	LIST("outcomes", OPTIONAL, struct rule_file_track, outcomes, &outcome_entry, 1),
	CYAML_FIELD_MAPPING_PTR("late", CYAML_FLAG_POINTER | OPTIONAL, struct rule_file_track, late,
		limit_outcome_fields),
	CYAML_FIELD_MAPPING_PTR("never", CYAML_FLAG_POINTER | OPTIONAL, struct rule_file_track,
		never, limit_outcome_fields),
	TEXT("merge", OPTIONAL, struct rule_file_track, merge, NAME_MAXIMUM),
	TEXT("merge-by", OPTIONAL, struct rule_file_track, merge_by, NAME_MAXIMUM),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value track_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule_file_track, track_fields),
};

static const struct cyaml_schema_field measure_fields[] = {
	TEXT("id", 0, struct rule_file_measure, id, NAME_MAXIMUM),
	TEXT("title", 0, struct rule_file_measure, title, LINE_MAXIMUM),
	TEXT("unit", 0, struct rule_file_measure, unit, NAME_MAXIMUM),
	TEXT("pattern", 0, struct rule_file_measure, pattern, 2 * NAME_MAXIMUM + 1),
	TEXT("value", 0, struct rule_file_measure, value, NAME_MAXIMUM),
	CYAML_FIELD_BOOL("below", OPTIONAL, struct rule_file_measure, below),
	CYAML_FIELD_BOOL("plot", OPTIONAL, struct rule_file_measure, plot),
	CYAML_FIELD_FLOAT_PTR(
		"warning", CYAML_FLAG_POINTER | OPTIONAL, struct rule_file_measure, warning),
	CYAML_FIELD_FLOAT_PTR(
		"fail", CYAML_FLAG_POINTER | OPTIONAL, struct rule_file_measure, fail),
	TEXT("warning-cause", OPTIONAL, struct rule_file_measure, warning_cause, NAME_MAXIMUM),
	TEXT("fail-cause", OPTIONAL, struct rule_file_measure, fail_cause, NAME_MAXIMUM),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value measure_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule_file_measure, measure_fields),
};

static const struct cyaml_schema_field limit_fields[] = {
	TEXT("name", 0, struct rule_file_limit, name, NAME_MAXIMUM),
	CYAML_FIELD_FLOAT("value", CYAML_FLAG_DEFAULT, struct rule_file_limit, value),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value limit_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule_file_limit, limit_fields),
};

static const struct cyaml_schema_field remedy_fields[] = {
	CYAML_FIELD_ENUM(
		"who", CYAML_FLAG_STRICT, struct rule_file_remedy, who, actors, ACTOR_COUNT),
	TEXT("text", 0, struct rule_file_remedy, text, LINE_MAXIMUM),
	TEXT("link", OPTIONAL, struct rule_file_remedy, link, LINE_MAXIMUM),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value remedy_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule_file_remedy, remedy_fields),
};

static const struct cyaml_schema_field cause_fields[] = {
	TEXT("id", 0, struct rule_file_cause, id, NAME_MAXIMUM),
	TEXT("text", 0, struct rule_file_cause, text, LINE_MAXIMUM),
	TEXT("name", OPTIONAL, struct rule_file_cause, name, LINE_MAXIMUM),
	TEXT("value", OPTIONAL, struct rule_file_cause, value, LINE_MAXIMUM),
	TEXT("by", OPTIONAL, struct rule_file_cause, by, NAME_MAXIMUM),
	CYAML_FIELD_ENUM("result", CYAML_FLAG_STRICT | OPTIONAL, struct rule_file_cause, result,
		verdicts, VERDICTS_COUNT),
	LIST("remedies", OPTIONAL, struct rule_file_cause, remedies, &remedy_entry, 0),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value cause_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule_file_cause, cause_fields),
};

static const struct cyaml_schema_field rule_fields[] = {
	TEXT("id", 0, struct rule_file, id, NAME_MAXIMUM),
	TEXT("title", 0, struct rule_file, title, LINE_MAXIMUM),
	TEXT("about", OPTIONAL, struct rule_file, about, SAMPLE_MAXIMUM),
	CYAML_FIELD_ENUM("phase", CYAML_FLAG_STRICT, struct rule_file, phase, phases,
		CYAML_ARRAY_LEN(phases)),
	CYAML_FIELD_ENUM("scope", CYAML_FLAG_STRICT | OPTIONAL, struct rule_file, scope, scopes,
		CYAML_ARRAY_LEN(scopes)),
	CYAML_FIELD_UINT("stage", OPTIONAL, struct rule_file, stage),
	CYAML_FIELD_UINT("order", CYAML_FLAG_DEFAULT, struct rule_file, order),
	LIST("patterns", OPTIONAL, struct rule_file, patterns, &pattern_entry, 0),
	LIST("tracks", OPTIONAL, struct rule_file, tracks, &track_entry, 0),
	LIST("measures", OPTIONAL, struct rule_file, measures, &measure_entry, 0),
	TEXT("builtin", OPTIONAL, struct rule_file, builtin, NAME_MAXIMUM),
	LIST("limits", OPTIONAL, struct rule_file, limits, &limit_entry, 0),
	LIST("causes", OPTIONAL, struct rule_file, causes, &cause_entry, 0),
	LIST("counter-samples", OPTIONAL, struct rule_file, counter_samples, &sample_entry, 0),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value rule_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct rule_file, rule_fields),
};
