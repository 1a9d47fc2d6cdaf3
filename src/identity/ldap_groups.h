/*
 * ldap_groups.h - from the groups a user is in to the groups that those are in.
 *
 * Only the walk: breadth first, each group once, so that cycles end; bounded in depth and number.
 * What a group is a member of comes from a cache, else from `fetch`.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_GROUPS_H
#define FAIRLEAD_IDENTITY_LDAP_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "identity/ldap_cache.h"

#define LDAP_GROUPS_DEPTH 32 /* levels above the user's own groups */
#define LDAP_GROUPS_BATCH 32 /* groups that are asked for at once */

struct ldap_group_walk;

/* Tells the walk (ldap_groups_learn) what it knows of these groups, and perhaps of others. Those
 * that it says nothing about are no groups. False ends the walk. */
typedef bool ldap_groups_fetch(
	void *context, struct ldap_group_walk *groups, const char *const *dns, size_t count);

struct ldap_groups_options {
	struct arena *arena;
	struct ldap_cache *cache; /* NULL: none */
	size_t depth;             /* 0: the user's own groups only */
	size_t most;              /* groups */
	ldap_groups_fetch *fetch;
	void *context;
};

/* In the arena; NULL: memory. */
struct ldap_group_walk *ldap_groups_new(const struct ldap_groups_options *options);

/* The user is in this group. */
void ldap_groups_start(struct ldap_group_walk *groups, const char *dn);

struct ldap_groups_fact {
	const char *dn;
	bool named; /* `name` is known: NULL for what is no group */
	const char *name;
	bool traced; /* `parents` are known */
	const char *const *parents;
	size_t parent_count;
};
/* The texts stay as long as the arena. */
void ldap_groups_learn(struct ldap_group_walk *groups, const struct ldap_groups_fact *fact);
/* Its name is known. */
bool ldap_groups_is_named(struct ldap_group_walk *groups, const char *dn);

/* False: `fetch` ended it, or memory. */
bool ldap_groups_walk(struct ldap_group_walk *groups);

/* What was found, the user's own groups first. A name is NULL where there is none. */
size_t ldap_groups_count(const struct ldap_group_walk *groups);
const char *ldap_groups_name(const struct ldap_group_walk *groups, size_t index);
const char *ldap_groups_dn(const struct ldap_group_walk *groups, size_t index);
/* There were more than `most`. */
bool ldap_groups_cut(const struct ldap_group_walk *groups);

#endif
