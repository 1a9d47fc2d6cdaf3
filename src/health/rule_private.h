/*
 * rule_private.h - a book while it is made. Part of rule.h.
 *
 * Loading has two passes: rule_build makes rules of files one by one; when all are there,
 * rule_resolve looks up the names they use, which may be of other rules.
 */
#ifndef FAIRLEAD_HEALTH_RULE_PRIVATE_H
#define FAIRLEAD_HEALTH_RULE_PRIVATE_H

#include "base/arena.h"
#include "base/config.h"
#include "health/rule.h"
#include "health/rule_schema.h"

#define RULE_PATH_SIZE 128

struct rule_source {
	struct config *config; /* texts of the rule lie in it */
	struct rule *rule;
	bool built_in;
};

struct rule_holder {
	struct rule_book book; /* first, so that a book is its holder */
	struct arena *arena;
	struct rule_source *sources;
	size_t source_count, source_capacity;
};

/* Prints a path; what is longer is cut. */
void rule_path(char path[RULE_PATH_SIZE], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A fault at a path of the source's file, see config_fault_at. Returns ERROR_INPUT. */
int rule_source_fault(const struct rule_source *source, struct rule_fault *fault, const char *path,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Fills source->rule with what needs no other rule. Templates are freed by rule_templates_free,
 * also after a failure. 0, ERROR_INPUT, ERROR_MEMORY (the fault says so). */
int rule_build(struct arena *arena, struct rule_source *source, struct rule_fault *fault);
void rule_templates_free(struct rule *rule);

/* Makes tracks and measures of source->rule; the rules of all sources are built. */
int rule_resolve(struct rule_holder *holder, struct rule_source *source, struct rule_fault *fault);

/* What resolving needs. Its functions return 0, ERROR_INPUT with a fault, or ERROR_MEMORY; `place`
 * is the path of a part of the file, `key` what stands in it. */
struct rule_resolver {
	struct rule_holder *holder;
	struct rule_source *source;
	struct rule_fault *fault;
};

/* Tracks of the rule; rule_track.c. */
int rule_track_resolve(const struct rule_resolver *resolver, const struct rule_file *from);

/* Patterns by name, own or "rule/pattern"; those of "on" become sighted, others asked. */
int rule_resolve_list(const struct rule_resolver *resolver, const char *place, const char *key,
	const char **names, size_t count, const struct rule_pattern ***ret_list);

/* A cause by its id; NULL: none, and *ret_cause stays. */
int rule_resolve_cause(const struct rule_resolver *resolver, const char *place, const char *key,
	const char *id, const struct rule_cause **ret_cause);

/* True when `word` is one of the words of a list with blanks between them. */
bool rule_words_have(const char *list, const char *word);

/* Steps through such a list: the length of the first word of *list, which is moved to it; 0: none.
 */
size_t rule_words_next(const char **list);

/* An entry of builtin.def. */
struct rule_builtin {
	const char *name;
	const char *patterns;
	const char *causes;
	const char *limits;
};

/* NULL when there is none. */
const struct rule_builtin *rule_builtin_find(const char *name);

#endif
