/*
 * ldap_cache.h - what is known of groups: the name of each, and which groups it is a member of.
 *
 * Bounded in number and bytes; the least recently used gives way. An entry is good for a fixed
 * time. Thread-safe.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_CACHE_H
#define FAIRLEAD_IDENTITY_LDAP_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"

struct ldap_cache;

struct ldap_cache_group {
	const char *dn;             /* as the server wrote it */
	const char *name;           /* NULL: it is no group that counts, or has no name */
	const char *const *parents; /* DNs */
	size_t parent_count;
};

/* `most` entries, `bytes` in all; 0 for `keep`: nothing is kept. NULL: memory. */
struct ldap_cache *ldap_cache_new(
	size_t most, size_t bytes, int64_t keep, const struct clock *clock);
void ldap_cache_free(struct ldap_cache *cache); /* NULL is allowed */

/* False: not known, or too old, or no memory in the arena. */
bool ldap_cache_get(struct ldap_cache *cache, const char *key, struct arena *arena,
	struct ldap_cache_group *ret_group);
/* Copies; what does not fit is not kept. */
void ldap_cache_put(
	struct ldap_cache *cache, const char *key, const struct ldap_cache_group *group);

#endif
