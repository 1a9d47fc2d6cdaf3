/*
 * rule_lint.h - proves a book of rules (docs/health-check.md, "What the lint proves").
 */
#ifndef FAIRLEAD_HEALTH_RULE_LINT_H
#define FAIRLEAD_HEALTH_RULE_LINT_H

#include "health/rule.h"

/* Calls `fault` for each fault found, with a text "file: rule/part: what is wrong". Returns the
 * number of faults, or ERROR_MEMORY. */
int rule_lint(const struct rule_book *book, void (*fault)(void *context, const char *text),
	void *context);

#endif
