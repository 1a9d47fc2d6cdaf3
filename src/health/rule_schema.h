/*
 * rule_schema.h - a rule file as YAML has it. Part of rule.h: rule_build.c, rule_track.c and
 * rule_resolve.c make rules of it.
 *
 * Key by key as in docs/health-check.md; a key that was left out is NULL or zero. Everything
 * belongs to the config it was loaded with.
 */
#ifndef FAIRLEAD_HEALTH_RULE_SCHEMA_H
#define FAIRLEAD_HEALTH_RULE_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"

#define RULE_SCHEMA_LIST 200 /* entries of one list */

struct rule_file_pattern {
	const char *id;
	const char **components;
	unsigned components_count;
	const char *text;
	bool anywhere;
	bool near;
	const char *xml;
	const char *message;
	const char **samples;
	unsigned samples_count;
};

struct rule_file_step {
	const char *id;
	const char **on;
	unsigned on_count;
	const char *within;
	bool optional;
	bool alone;
};

struct rule_file_outcome {
	const char **on;
	unsigned on_count;
	int result; /* 0, or enum verdict + 1 */
	const char *cause;
	const char *by;
	bool open_only;
	bool after_pass;
	bool weak;
	bool progress;
	const char **requires;
	unsigned requires_count;
	const char **unless;
	unsigned unless_count;
};

struct rule_file_track {
	const char *id;
	struct rule_file_step *steps;
	unsigned steps_count;
	struct rule_file_outcome *outcomes;
	unsigned outcomes_count;
	struct rule_file_outcome *late;
	struct rule_file_outcome *never;
	const char *merge;
	const char *merge_by;
};

struct rule_file_measure {
	const char *id;
	const char *title;
	const char *unit;
	const char *pattern;
	const char *value;
	bool below;
	bool plot;
	double *warning;
	double *fail;
	const char *warning_cause;
	const char *fail_cause;
};

struct rule_file_limit {
	const char *name;
	double value;
};

struct rule_file_remedy {
	int who; /* enum actor */
	const char *text;
	const char *link;
};

struct rule_file_cause {
	const char *id;
	const char *text;
	const char *name;
	const char *value;
	const char *by;
	int result; /* 0, or enum verdict + 1 */
	struct rule_file_remedy *remedies;
	unsigned remedies_count;
};

struct rule_file {
	const char *id;
	const char *title;
	const char *about;
	int phase; /* enum rule_phase */
	int scope; /* enum rule_scope */
	unsigned stage;
	unsigned order;
	struct rule_file_pattern *patterns;
	unsigned patterns_count;
	struct rule_file_track *tracks;
	unsigned tracks_count;
	struct rule_file_measure *measures;
	unsigned measures_count;
	const char *builtin;
	struct rule_file_limit *limits;
	unsigned limits_count;
	struct rule_file_cause *causes;
	unsigned causes_count;
	const char **counter_samples;
	unsigned counter_samples_count;
};

/* Of one struct rule_file. */
extern const struct cyaml_schema_value rule_schema;

#endif
