#include "identity/ldap_member.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "identity/ldap_filter.h"
#include "identity/ldap_groups.h"

#define DN_MAXIMUM 4096

static const char in_chain[] = "member:1.2.840.113556.1.4.1941:"; /* LDAP_MATCHING_RULE_IN_CHAIN */

/* One user's groups being found out. */
struct finding {
	struct ldap_reach *reach;
	const struct identity_ldap_options *options;
	struct arena *arena;
	struct ldap_user *user;
	struct ldap_group_walk *groups;
	bool by_member;            /* groups know their members, not the other way round */
	const char *attributes[4]; /* of a group */
	size_t *found;             /* how many parents each has: by_member */
	const char ***parents;
	size_t start_count; /* entries of a search for the user's own groups */
	bool cut;
};

static void nothing_to_forget(void *context)
{
	(void)context;
}

static void set_attributes(struct finding *finding)
{
	size_t count = 0;

	if (finding->options->group_name != NULL) {
		finding->attributes[count++] = finding->options->group_name;
	} else {
		if (finding->options->kind == LDAP_KIND_ACTIVE_DIRECTORY)
			finding->attributes[count++] = "sAMAccountName";
		finding->attributes[count++] = "cn";
	}
	if (!finding->by_member)
		finding->attributes[count++] = "memberOf";
}

static bool is_memberof(const char *attribute)
{
	return strcmp(attribute, "memberOf") == 0;
}

static const char *read_name(struct finding *finding, LDAP *ld, LDAPMessage *entry)
{
	const char *name = NULL;

	for (size_t i = 0; name == NULL && finding->attributes[i] != NULL &&
		!is_memberof(finding->attributes[i]);
		i++)
		name = ldap_user_value(
			finding->arena, ld, entry, finding->attributes[i], IDENTITY_NAME_MAXIMUM);
	return name;
}

/* The DN of a group, after the walk was told what the entry says of it. NULL: memory, or no text.
 */
static const char *learn(struct finding *finding, LDAP *ld, LDAPMessage *entry)
{
	struct ldap_groups_fact fact = {.named = true};
	struct ldap_user above = {.group_count = 0};
	char *dn = ldap_get_dn(ld, entry);

	if (dn == NULL)
		return NULL;
	fact.dn = ldap_user_text(
		finding->arena, &(struct berval){.bv_val = dn, .bv_len = strlen(dn)}, DN_MAXIMUM);
	ldap_memfree(dn);
	if (fact.dn == NULL)
		return NULL;
	fact.name = read_name(finding, ld, entry);
	if (!finding->by_member) {
		if (!ldap_user_read_groups(finding->arena, ld, entry, &above))
			return NULL;
		fact.traced = true;
		fact.parents = (const char *const *)above.groups;
		fact.parent_count = above.group_count;
	}
	ldap_groups_learn(finding->groups, &fact);
	return fact.dn;
}

static bool learn_entry(void *context, size_t index, LDAP *ld, LDAPMessage *entry)
{
	struct finding *finding = context;

	(void)index;
	learn(finding, ld, entry);
	return !arena_lacking(finding->arena);
}

/* "(&<the configured filter>(|...": what is appended then is closed by close_filter. */
static void open_filter(struct finding *finding, struct buffer *filter)
{
	static const struct ldap_filter_names none = {"", "", ""};

	buffer_init(filter, LDAP_FILTER_MAXIMUM);
	buffer_text(filter, "(&");
	if (finding->options->group_filter != NULL)
		ldap_filter_expand(filter, finding->options->group_filter, &none);
	buffer_text(filter, "(|");
}

/* A copy in the arena; NULL: memory, or too long. */
static const char *close_filter(struct finding *finding, struct buffer *filter)
{
	const char *copy = NULL;

	if (buffer_text(filter, "))") == 0)
		copy = arena_copy(finding->arena, filter->bytes, filter->length);
	buffer_free(filter);
	return copy;
}

static struct ldap_search below_base(const struct finding *finding, const char *filter)
{
	return (struct ldap_search){.base = finding->options->group_base,
		.scope = LDAP_SCOPE_SUBTREE,
		.filter = filter,
		.attributes = finding->attributes,
		.most = IDENTITY_GROUPS_MAXIMUM};
}

static bool search_one(struct finding *finding, const struct ldap_search *search,
	ldap_link_entry *entry, void (*restart)(void *context), struct ldap_outcome *outcome)
{
	struct ldap_question question = {.searches = search,
		.count = 1,
		.outcomes = outcome,
		.entry = entry,
		.restart = restart,
		.context = finding};

	return search->filter != NULL && ldap_reach_search(finding->reach, &question);
}

/* --- what groups are in --- */

/* One search for the groups and everything above them; which is in which, their memberOf tell. */
static bool fetch_chain(struct finding *finding, const char *const *dns, size_t count)
{
	struct ldap_outcome outcome;
	struct ldap_search search;
	struct buffer filter;

	open_filter(finding, &filter);
	for (size_t i = 0; i < count; i++) {
		ldap_filter_equal(&filter, "distinguishedName", dns[i], strlen(dns[i]));
		ldap_filter_equal(&filter, in_chain, dns[i], strlen(dns[i]));
	}
	search = below_base(finding, close_filter(finding, &filter));
	return search_one(finding, &search, learn_entry, nothing_to_forget, &outcome);
}

static bool is_below_base(struct finding *finding, const char *dn)
{
	const char *key = ldap_dn_key(finding->arena, dn);
	const char *base = finding->reach->directory->group_base;
	size_t length, tail = strlen(base);

	if (key == NULL || tail == 0)
		return key != NULL;
	length = strlen(key);
	return length > tail && key[length - tail - 1] == ',' &&
		strcmp(&key[length - tail], base) == 0;
}

/* Each group's own entry. */
static bool fetch_entries(struct finding *finding, const char *const *dns, size_t count)
{
	static const struct ldap_filter_names none = {"", "", ""};
	struct ldap_search searches[LDAP_GROUPS_BATCH];
	struct ldap_outcome outcomes[LDAP_GROUPS_BATCH];
	struct ldap_question question = {.searches = searches,
		.outcomes = outcomes,
		.entry = learn_entry,
		.restart = nothing_to_forget,
		.context = finding};
	struct buffer filter;

	buffer_init(&filter, LDAP_FILTER_MAXIMUM);
	if (finding->options->group_filter != NULL)
		ldap_filter_expand(&filter, finding->options->group_filter, &none);
	else
		buffer_text(&filter, "(objectClass=*)");
	for (size_t i = 0; i < count; i++) {
		if (ldap_groups_is_named(finding->groups, dns[i]) ||
			!is_below_base(finding, dns[i]))
			continue;
		searches[question.count++] = (struct ldap_search){.base = dns[i],
			.scope = LDAP_SCOPE_BASE,
			.filter = filter.bytes,
			.attributes = finding->attributes,
			.most = 1};
	}
	if (!filter.failed &&
		(question.count == 0 || ldap_reach_search(finding->reach, &question))) {
		buffer_free(&filter);
		return true;
	}
	buffer_free(&filter);
	return false;
}

/* --- the groups that have a group as a member --- */

static void forget_parents(void *context)
{
	struct finding *finding = context;

	memset(finding->found, 0, LDAP_GROUPS_BATCH * sizeof(finding->found[0]));
}

static bool add_parent(void *context, size_t index, LDAP *ld, LDAPMessage *entry)
{
	struct finding *finding = context;
	const char *dn = learn(finding, ld, entry);
	size_t count = finding->found[index];

	/* Room is doubled whenever it is full. */
	if (dn != NULL && (count & (count - 1)) == 0) {
		const char **room =
			arena_alloc(finding->arena, (count > 0 ? 2 * count : 1) * sizeof(*room));

		if (room == NULL)
			return false;
		if (count > 0)
			memcpy(room, finding->parents[index], count * sizeof(*room));
		finding->parents[index] = room;
	}
	if (dn != NULL)
		finding->parents[index][finding->found[index]++] = dn;
	return !arena_lacking(finding->arena);
}

static const char *member_filter(struct finding *finding, const char *dn, const char *uid)
{
	struct buffer filter;

	open_filter(finding, &filter);
	ldap_filter_equal(&filter, "member", dn, strlen(dn));
	ldap_filter_equal(&filter, "uniqueMember", dn, strlen(dn));
	if (uid != NULL)
		ldap_filter_equal(&filter, "memberUid", uid, strlen(uid));
	return close_filter(finding, &filter);
}

static bool fetch_by_member(struct finding *finding, const char *const *dns, size_t count)
{
	struct ldap_search searches[LDAP_GROUPS_BATCH];
	struct ldap_outcome outcomes[LDAP_GROUPS_BATCH];
	const char **parents[LDAP_GROUPS_BATCH] = {NULL};
	size_t found[LDAP_GROUPS_BATCH];
	struct ldap_question question = {.searches = searches,
		.count = count,
		.outcomes = outcomes,
		.entry = add_parent,
		.restart = forget_parents,
		.context = finding};

	for (size_t i = 0; i < count; i++) {
		searches[i] = below_base(finding, member_filter(finding, dns[i], NULL));
		if (searches[i].filter == NULL)
			return false;
	}
	finding->found = found;
	finding->parents = parents;
	if (!ldap_reach_search(finding->reach, &question))
		return false;
	for (size_t i = 0; i < count; i++)
		ldap_groups_learn(finding->groups,
			&(struct ldap_groups_fact){.dn = dns[i],
				.traced = true,
				.parents = parents[i],
				.parent_count = found[i]});
	return true;
}

static bool fetch(
	void *context, struct ldap_group_walk *groups, const char *const *dns, size_t count)
{
	struct finding *finding = context;

	(void)groups;
	if (finding->options->groups == LDAP_GROUPS_IN_CHAIN && !finding->by_member &&
		!fetch_chain(finding, dns, count))
		return false;
	/* What is known by now is not asked for again; a server that lacks the rule says nothing,
	 * or an error, and the entries themselves know. */
	return fetch_entries(finding, dns, count) &&
		(!finding->by_member || finding->options->groups == LDAP_GROUPS_DIRECT ||
			fetch_by_member(finding, dns, count));
}

/* --- the user's own groups --- */

static bool start_entry(void *context, size_t index, LDAP *ld, LDAPMessage *entry)
{
	struct finding *finding = context;
	const char *dn = learn(finding, ld, entry);

	(void)index;
	if (dn != NULL)
		ldap_groups_start(finding->groups, dn);
	return !arena_lacking(finding->arena);
}

static bool start_by_member(struct finding *finding, const char *login)
{
	const char *uid = finding->user->name != NULL ? finding->user->name : login;
	struct ldap_outcome outcome;
	struct ldap_search search =
		below_base(finding, member_filter(finding, finding->user->dn, uid));

	if (!search_one(finding, &search, start_entry, nothing_to_forget, &outcome))
		return false;
	finding->cut = outcome.code == LDAP_SIZELIMIT_EXCEEDED;
	return true;
}

static bool more_groups(void *context, size_t index, LDAP *ld, LDAPMessage *entry)
{
	struct finding *finding = context;

	(void)index;
	return ldap_user_read_groups(finding->arena, ld, entry, finding->user);
}

/* Those that Active Directory held back of a long list. */
static bool read_rest(struct finding *finding)
{
	while (finding->user->groups_follow) {
		const char *attribute = arena_print(
			finding->arena, "memberOf;range=%zu-*", finding->user->groups_next);
		const char *const attributes[] = {attribute, NULL};
		struct ldap_search search = {.base = finding->user->dn,
			.scope = LDAP_SCOPE_BASE,
			.filter = "(objectClass=*)",
			.attributes = attributes,
			.most = 1};
		struct ldap_outcome outcome;

		finding->user->groups_follow = false;
		if (attribute == NULL ||
			!search_one(finding, &search, more_groups, nothing_to_forget, &outcome))
			return false;
	}
	return true;
}

/* It is not among the groups of memberOf. Which DN a SID has changes as rarely as groups do. */
static bool start_primary(struct finding *finding)
{
	const struct ldap_user *user = finding->user;
	struct ldap_cache *cache = finding->reach->directory->groups;
	char key[4 + 2 * LDAP_USER_SID_MAXIMUM + 1] = "sid:";
	struct ldap_cache_group known;
	struct ldap_outcome outcome;
	struct ldap_search search;
	struct buffer filter;
	size_t before = ldap_groups_count(finding->groups);

	if (user->primary_length == 0)
		return true;
	secret_hex(user->primary_sid, user->primary_length, key + 4);
	if (ldap_cache_get(cache, key, finding->arena, &known)) {
		ldap_groups_start(finding->groups, known.dn);
		return true;
	}
	open_filter(finding, &filter);
	ldap_filter_equal(&filter, "objectSid", user->primary_sid, user->primary_length);
	search = below_base(finding, close_filter(finding, &filter));
	if (!search_one(finding, &search, start_entry, nothing_to_forget, &outcome))
		return false;
	if (ldap_groups_count(finding->groups) == before + 1)
		ldap_cache_put(cache, key,
			&(struct ldap_cache_group){.dn = ldap_groups_dn(finding->groups, before)});
	return true;
}

static bool start(struct finding *finding, const char *login)
{
	if (finding->by_member)
		return start_by_member(finding, login);
	if (!read_rest(finding))
		return false;
	for (size_t i = 0; i < finding->user->group_count; i++)
		ldap_groups_start(finding->groups, finding->user->groups[i]);
	return start_primary(finding);
}

static bool give(struct finding *finding, struct ldap_member *ret_member)
{
	size_t count = ldap_groups_count(finding->groups);
	const char **list = arena_alloc(finding->arena, (2 * count + 1) * sizeof(*list));
	struct ldap_member member = {.groups = list};

	if (list == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		const char *name = ldap_groups_name(finding->groups, i);

		if (name == NULL)
			continue;
		list[member.count++] = name;
		list[member.count++] = ldap_groups_dn(finding->groups, i);
	}
	member.cut = finding->cut || ldap_groups_cut(finding->groups);
	*ret_member = member;
	return true;
}

bool ldap_member_find(struct ldap_reach *reach, struct arena *arena, struct ldap_user *user,
	const char *login, struct ldap_member *ret_member)
{
	const struct identity_ldap_options *options = &reach->directory->options;
	struct finding finding = {.reach = reach,
		.options = options,
		.arena = arena,
		.user = user,
		.by_member = options->kind != LDAP_KIND_ACTIVE_DIRECTORY && user->group_count == 0};
	struct ldap_groups_options walk = {.arena = arena,
		.cache = reach->directory->groups,
		.depth = options->groups == LDAP_GROUPS_DIRECT ? 0 : LDAP_GROUPS_DEPTH,
		.most = IDENTITY_GROUPS_MAXIMUM / 2,
		.fetch = fetch,
		.context = &finding};

	if (options->groups == LDAP_GROUPS_NONE) {
		*ret_member = (struct ldap_member){.groups = NULL};
		return true;
	}
	set_attributes(&finding);
	finding.groups = ldap_groups_new(&walk);
	return finding.groups != NULL && start(&finding, login) &&
		ldap_groups_walk(finding.groups) && give(&finding, ret_member);
}
