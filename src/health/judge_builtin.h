/*
 * judge_builtin.h - the built-ins: what needs arithmetic over several lines.
 *
 * Each gets one rule and one unit, and adds its findings to the list. It may add none: then the
 * judge says that there is no evidence. Patterns, causes and limits come from the rule, by the
 * ids in builtin.def.
 */
#ifndef FAIRLEAD_HEALTH_JUDGE_BUILTIN_H
#define FAIRLEAD_HEALTH_JUDGE_BUILTIN_H

#include "health/judge_private.h"

struct builtin {
	struct judge *judge;
	struct unit *unit;
	const struct rule *rule;
	const uint32_t *lines; /* that the rule's patterns know, in order */
	size_t line_count;
	struct finding_list *list;      /* with the findings of tracks and measures */
	struct report_session *session; /* NULL for a machine */
};

typedef void builtin_function(struct builtin *builtin);

#define BUILTIN(name, function, patterns, causes, limits) builtin_function builtin_##function;
#include "health/builtin.def"
#undef BUILTIN

/* Runs the rule's built-in, if it has one. */
void judge_builtin(struct judge *judge, struct unit *unit, uint32_t rule, struct finding_list *list,
	struct report_session *session);

/* The crashes of a session's servers, which builtin_crash found. */
void builtin_crash_session(struct judge *judge, struct unit *unit, struct finding_list *list);

const struct sighting *builtin_line(const struct builtin *builtin, size_t index);
/* The line is of the rule's pattern with this id. */
bool builtin_is(const struct builtin *builtin, size_t index, const char *id);

void builtin_begin(struct builtin *builtin, struct finding_work *work);
/* Start, end and their kind from the lines of the evidence; then the finding with this cause, whose
 * own verdict (if the rule gives one) replaces `verdict`. NULL: no cause. */
void builtin_end(struct builtin *builtin, struct finding_work *work, enum verdict verdict,
	const char *cause);
/* A number that the line's pattern captured under this name, or when it has no such name, at
 * this index. */
bool builtin_number(const struct builtin *builtin, size_t index, const char *name, size_t capture,
	double *ret_value);

#endif
