#include "service/logon_plan.h"

#include <string.h>
#include <strings.h>

static bool same_domain(const char *name, const char *domain, size_t length)
{
	return strncasecmp(name, domain, length) == 0 && name[length] == '\0';
}

static const struct logon_chain *chain_of(
	const struct logon_plan *plan, const char *domain, size_t length)
{
	if (length == 0)
		return NULL;
	for (size_t i = 0; i < plan->chain_count; i++) {
		const struct logon_chain *chain = &plan->chains[i];

		for (size_t k = 0; k < chain->domain_count; k++) {
			if (same_domain(chain->domains[k], domain, length))
				return chain;
		}
	}
	return NULL;
}

const struct logon_chain *logon_plan_chain(
	const struct logon_plan *plan, const char *user, const char *domain)
{
	const char *backslash = user != NULL ? strchr(user, '\\') : NULL;
	const char *at = user != NULL ? strrchr(user, '@') : NULL;
	const struct logon_chain *chain = NULL;

	/* A name with both is DOMAIN\user: the domain part of neither form holds a backslash. */
	if (backslash != NULL)
		chain = chain_of(plan, user, (size_t)(backslash - user));
	else if (at != NULL)
		chain = chain_of(plan, at + 1, strlen(at + 1));
	if (chain == NULL && domain != NULL)
		chain = chain_of(plan, domain, strlen(domain));
	for (size_t i = 0; chain == NULL && i < plan->chain_count; i++) {
		if (plan->chains[i].domain_count == 0)
			chain = &plan->chains[i];
	}
	return chain;
}

void logon_plan_free(struct logon_plan *plan)
{
	if (plan == NULL)
		return;
	for (size_t i = 0; i < plan->source_count; i++)
		identity_free(plan->sources[i]);
	for (size_t i = 0; i < plan->radius_count; i++)
		radius_free(plan->radius[i]);
	arena_free(plan->arena); /* the plan is in it */
}
