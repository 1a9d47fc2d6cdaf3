/*
 * rule_embedded.h - the rule files that are built into the program. Part of rule.h; the table is
 * written by tools/embed-rules.
 */
#ifndef FAIRLEAD_HEALTH_RULE_EMBEDDED_H
#define FAIRLEAD_HEALTH_RULE_EMBEDDED_H

#include <stddef.h>

struct rule_embedded {
	const char *name; /* "rules/diagnostics/prepare-host.yaml" */
	const unsigned char *bytes;
	size_t length;
};

/* A NULL name ends it. */
extern const struct rule_embedded rule_embedded[];

#endif
