#include "identity/ldap_groups.h"

#include <stdint.h>
#include <string.h>

#include "identity/ldap_user.h"

struct node {
	struct node *next; /* in its bucket */
	const char *key;
	struct ldap_groups_fact fact;
	bool reached; /* the user is in it */
};

#define BUCKETS 1024

struct ldap_group_walk {
	struct ldap_groups_options options;
	struct node *buckets[BUCKETS];
	struct node **reached; /* in order */
	size_t count, capacity;
	bool cut;
};

struct ldap_group_walk *ldap_groups_new(const struct ldap_groups_options *options)
{
	struct ldap_group_walk *groups = arena_alloc(options->arena, sizeof(*groups));

	if (groups != NULL)
		groups->options = *options;
	return groups;
}

static size_t bucket_of(const char *key)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * UINT64_C(1099511628211);
	return (size_t)(hash % BUCKETS);
}

/* NULL: memory. */
static struct node *node_of(struct ldap_group_walk *groups, const char *dn)
{
	const char *key = ldap_dn_key(groups->options.arena, dn);
	struct node **place, *node;

	if (key == NULL)
		return NULL;
	place = &groups->buckets[bucket_of(key)];
	for (node = *place; node != NULL; node = node->next) {
		if (strcmp(node->key, key) == 0)
			return node;
	}
	node = arena_alloc(groups->options.arena, sizeof(*node));
	if (node == NULL)
		return NULL;
	node->key = key;
	node->fact.dn = dn;
	node->next = *place;
	*place = node;
	return node;
}

static bool grow(struct ldap_group_walk *groups)
{
	size_t capacity = groups->capacity > 0 ? 2 * groups->capacity : 64;
	struct node **reached =
		arena_alloc(groups->options.arena, capacity * sizeof(groups->reached[0]));

	if (reached == NULL)
		return false;
	if (groups->count > 0)
		memcpy(reached, groups->reached, groups->count * sizeof(reached[0]));
	groups->reached = reached;
	groups->capacity = capacity;
	return true;
}

void ldap_groups_start(struct ldap_group_walk *groups, const char *dn)
{
	struct node *node = node_of(groups, dn);

	if (node == NULL || node->reached)
		return;
	if (groups->count >= groups->options.most) {
		groups->cut = true;
		return;
	}
	if (groups->count == groups->capacity && !grow(groups))
		return;
	node->reached = true;
	groups->reached[groups->count++] = node;
}

static void learn(struct node *node, const struct ldap_groups_fact *fact)
{
	if (fact->named) {
		node->fact.named = true;
		node->fact.name = fact->name;
	}
	if (fact->traced) {
		node->fact.traced = true;
		node->fact.parents = fact->parents;
		node->fact.parent_count = fact->parent_count;
	}
}

/* For later walks, of other users. */
static void keep(struct ldap_group_walk *groups, const struct node *node)
{
	if (groups->options.cache != NULL && node->fact.named && node->fact.traced)
		ldap_cache_put(groups->options.cache, node->key,
			&(struct ldap_cache_group){.dn = node->fact.dn,
				.name = node->fact.name,
				.parents = node->fact.parents,
				.parent_count = node->fact.parent_count});
}

void ldap_groups_learn(struct ldap_group_walk *groups, const struct ldap_groups_fact *fact)
{
	struct node *node = node_of(groups, fact->dn);

	if (node == NULL)
		return;
	learn(node, fact);
	keep(groups, node);
}

bool ldap_groups_is_named(struct ldap_group_walk *groups, const char *dn)
{
	struct node *node = node_of(groups, dn);

	return node != NULL && node->fact.named;
}

static bool is_known(const struct node *node, bool with_parents)
{
	return node->fact.named && (node->fact.traced || !with_parents);
}

static bool find_in_cache(struct ldap_group_walk *groups, struct node *node)
{
	struct ldap_cache_group group;

	if (groups->options.cache == NULL ||
		!ldap_cache_get(groups->options.cache, node->key, groups->options.arena, &group))
		return false;
	learn(node,
		&(struct ldap_groups_fact){.named = true,
			.name = group.name,
			.traced = true,
			.parents = group.parents,
			.parent_count = group.parent_count});
	return true;
}

/* What nothing was said about is remembered as no group, or it would be asked for again and again.
 */
static bool fetch(
	struct ldap_group_walk *groups, struct node **nodes, size_t count, bool with_parents)
{
	const char *dns[LDAP_GROUPS_BATCH] = {NULL};

	for (size_t i = 0; i < count; i++)
		dns[i] = nodes[i]->fact.dn;
	if (!groups->options.fetch(groups->options.context, groups, dns, count))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (is_known(nodes[i], with_parents))
			continue;
		nodes[i]->fact.traced = nodes[i]->fact.named = true;
		keep(groups, nodes[i]);
	}
	return !arena_lacking(groups->options.arena);
}

/* Those of a level that are not known yet. */
static bool find_out(struct ldap_group_walk *groups, size_t from, size_t to, bool with_parents)
{
	struct node *missing[LDAP_GROUPS_BATCH];
	size_t count = 0;

	for (size_t i = from; i < to; i++) {
		struct node *node = groups->reached[i];

		if (is_known(node, with_parents) || find_in_cache(groups, node))
			continue;
		missing[count++] = node;
		if (count == LDAP_GROUPS_BATCH) {
			if (!fetch(groups, missing, count, with_parents))
				return false;
			count = 0;
		}
	}
	return count == 0 || fetch(groups, missing, count, with_parents);
}

bool ldap_groups_walk(struct ldap_group_walk *groups)
{
	size_t from = 0, to = groups->count;

	for (size_t level = 0; from < to; level++) {
		bool last = level >= groups->options.depth;

		if (!find_out(groups, from, to, !last))
			return false;
		for (size_t i = from; !last && i < to; i++) {
			const struct ldap_groups_fact *fact = &groups->reached[i]->fact;

			for (size_t k = 0; k < fact->parent_count; k++)
				ldap_groups_start(groups, fact->parents[k]);
		}
		from = to;
		to = groups->count;
	}
	return !arena_lacking(groups->options.arena);
}

size_t ldap_groups_count(const struct ldap_group_walk *groups)
{
	return groups->count;
}

const char *ldap_groups_name(const struct ldap_group_walk *groups, size_t index)
{
	return groups->reached[index]->fact.name;
}

const char *ldap_groups_dn(const struct ldap_group_walk *groups, size_t index)
{
	return groups->reached[index]->fact.dn;
}

bool ldap_groups_cut(const struct ldap_group_walk *groups)
{
	return groups->cut;
}
