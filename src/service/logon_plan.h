/*
 * logon_plan.h - who proves whom: for each domain a source of users and the factors after it.
 *
 * Made from the configuration (settings_logon.h), part of a role's view: immutable, shared by
 * loops.
 */
#ifndef FAIRLEAD_SERVICE_LOGON_PLAN_H
#define FAIRLEAD_SERVICE_LOGON_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "identity/identity.h"
#include "identity/radius.h"

/* What the first Access-Request of a factor carries in place of a password. */
enum logon_factor_first {
	LOGON_FIRST_CODE,     /* a code that a dialog asks for */
	LOGON_FIRST_PASSWORD, /* the user's password: the server checks it again, or sends a push */
	LOGON_FIRST_TEXT      /* a fixed text, "push" for instance */
};

struct logon_factor {
	struct radius *radius;
	const char *name;
	enum logon_factor_first first;
	const char *text;   /* for LOGON_FIRST_TEXT */
	const char *prompt; /* the administrator's wording for the dialog; NULL: the catalogue's */
};

struct logon_chain {
	const char *const
		*domains; /* other names of one domain, as users write them; none: all others */
	size_t domain_count;
	struct identity *source;
	struct logon_factor *const *factors;
	size_t factor_count;
};

#define LOGON_TERMS_MAXIMUM (16 * 1024) /* bytes */

struct logon_disclaimer {
	const char *title; /* NULL: the catalogue's */
	const char *text;  /* valid UTF-8, at most LOGON_TERMS_MAXIMUM; NULL: no disclaimer */
	bool required;     /* clients that cannot show it are refused */
};

struct logon_plan {
	const struct logon_chain *chains;
	size_t chain_count;
	struct logon_disclaimer disclaimer;
	const char *const *domains; /* offered to clients */
	size_t domain_count;
	/* What logon_plan_free ends, beside all memory of the plan, which is the arena's. */
	struct identity **sources;
	size_t source_count;
	struct radius **radius;
	size_t radius_count;
	struct arena *arena;
};

/* The chain for what a user typed: the domain written in his name (DOMAIN\user, user@domain) if a
 * chain has it; else the domain given; else the chain for all others. NULL: there is none. */
const struct logon_chain *logon_plan_chain(
	const struct logon_plan *plan, const char *user, const char *domain);

/* The plan, its sources and its servers, none of which may have an answer open. NULL is allowed. */
void logon_plan_free(struct logon_plan *plan);

#endif
