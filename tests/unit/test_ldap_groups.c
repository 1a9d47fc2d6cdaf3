#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "identity/ldap_groups.h"

static struct arena *arena;
static struct clock_fake now;
static struct ldap_cache *cache;
static unsigned asked, calls; /* groups, and how often */

/* Who is in whom: a text of "child>parent" pairs, each name a DN "cn=<name>". */
static const char *relations;
static bool broken;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new(16 << 20);
	clock_fake_init(&now, 0);
	cache = ldap_cache_new(100, 100000, 60 * CLOCK_SECOND, &now.clock);
	asked = calls = 0;
	broken = false;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ldap_cache_free(cache);
	arena_free(arena);
	return 0;
}

/* Learns of one group what the relations say; a name that they do not have is no group. */
static void tell(struct ldap_group_walk *walk, const char *dn)
{
	const char *name = dn + strlen("cn=");
	const char **parents = arena_alloc(arena, 64 * sizeof(*parents));
	struct ldap_groups_fact fact = {
		.dn = dn, .named = true, .name = name, .traced = true, .parents = parents};
	char *copy = arena_text(arena, relations), *rest = NULL;
	bool known = false;

	for (char *pair = strtok_r(copy, " ", &rest); pair != NULL;
		pair = strtok_r(NULL, " ", &rest)) {
		char *arrow = strchr(pair, '>');

		assert(arrow != NULL);
		*arrow = '\0';
		known = known || strcmp(pair, name) == 0 || strcmp(arrow + 1, name) == 0;
		if (strcmp(pair, name) == 0)
			parents[fact.parent_count++] = arena_print(arena, "cn=%s", arrow + 1);
	}
	if (known)
		ldap_groups_learn(walk, &fact);
}

static bool fetch(void *context, struct ldap_group_walk *walk, const char *const *dns, size_t count)
{
	(void)context;
	assert_true(count > 0 && count <= LDAP_GROUPS_BATCH);
	calls++;
	asked += (unsigned)count;
	for (size_t i = 0; i < count; i++)
		tell(walk, dns[i]);
	return !broken;
}

/* "numbers": 0>1 1>2 2>3 ... without an end. */
static bool fetch_endless(
	void *context, struct ldap_group_walk *walk, const char *const *dns, size_t count)
{
	(void)context;
	calls++;
	for (size_t i = 0; i < count; i++) {
		unsigned long number = strtoul(dns[i] + 3, NULL, 10);
		const char **parent = arena_alloc(arena, sizeof(*parent));

		*parent = arena_print(arena, "cn=%lu", number + 1);
		ldap_groups_learn(walk,
			&(struct ldap_groups_fact){.dn = dns[i],
				.named = true,
				.name = dns[i] + 3,
				.traced = true,
				.parents = parent,
				.parent_count = 1});
	}
	return true;
}

static struct ldap_group_walk *new_walk(ldap_groups_fetch *with, size_t depth, size_t most)
{
	struct ldap_group_walk *walk = ldap_groups_new(&(struct ldap_groups_options){
		.arena = arena, .cache = cache, .depth = depth, .most = most, .fetch = with});

	assert_non_null(walk);
	return walk;
}

/* The names that a user of the groups has, each followed by a space. */
static const char *walked(const char *const *groups, size_t depth, size_t most)
{
	static char names[4096];
	struct ldap_group_walk *walk = new_walk(fetch, depth, most);

	names[0] = '\0';
	for (; *groups != NULL; groups++)
		ldap_groups_start(walk, *groups);
	assert_true(ldap_groups_walk(walk));
	for (size_t i = 0; i < ldap_groups_count(walk); i++) {
		const char *name = ldap_groups_name(walk, i);

		strcat(names, name != NULL ? name : "-");
		strcat(names, " ");
	}
	return names;
}

#define FROM(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_levels(void **state)
{
	(void)state;
	relations = "a>b b>c b>d d>e x>y";
	assert_string_equal(walked(FROM("cn=a"), 32, 100), "a b c d e ");
	assert_string_equal(walked(FROM("cn=b", "cn=x"), 32, 100), "b x c d y e ");
	assert_string_equal(walked(FROM("cn=e"), 32, 100), "e ");
	assert_string_equal(walked(FROM("cn=a"), 0, 100), "a ");
	assert_string_equal(walked(FROM("cn=a"), 1, 100), "a b ");
}

static void test_cycles(void **state)
{
	(void)state;
	relations = "a>b b>a";
	assert_string_equal(walked(FROM("cn=a"), 32, 100), "a b ");
	relations = "c>c";
	assert_string_equal(walked(FROM("cn=c"), 32, 100), "c ");
	relations = "d>e e>f f>d d>f";
	assert_string_equal(walked(FROM("cn=d", "cn=f"), 32, 100), "d f e ");
}

/* Two spellings are one group, found once. */
static void test_spellings(void **state)
{
	(void)state;
	relations = "a>b";
	assert_string_equal(walked(FROM("cn=a", "CN=A", "cn = a"), 32, 100), "a b ");
	assert_int_equal(asked, 2);
}

static void test_cache(void **state)
{
	(void)state;
	relations = "a>b b>c";
	assert_string_equal(walked(FROM("cn=a"), 32, 100), "a b c ");
	assert_int_equal(asked, 3);
	assert_string_equal(walked(FROM("cn=b"), 32, 100), "b c ");
	assert_int_equal(asked, 3);
	relations = "a>b b>d";
	clock_fake_advance(&now, 59 * CLOCK_SECOND);
	assert_string_equal(walked(FROM("cn=a"), 32, 100), "a b c ");
	clock_fake_advance(&now, CLOCK_SECOND);
	assert_string_equal(walked(FROM("cn=a"), 32, 100), "a b d ");
	assert_int_equal(asked, 6);
}

/* What is no group is not asked for again either. */
static void test_no_group(void **state)
{
	(void)state;
	relations = "a>b";
	assert_string_equal(walked(FROM("cn=a", "cn=gone"), 32, 100), "a - b ");
	assert_string_equal(walked(FROM("cn=gone"), 32, 100), "- ");
	assert_int_equal(asked, 3);
}

static void test_depth(void **state)
{
	struct ldap_group_walk *walk = new_walk(fetch_endless, LDAP_GROUPS_DEPTH, 10000);

	(void)state;
	ldap_groups_start(walk, "cn=0");
	assert_true(ldap_groups_walk(walk));
	assert_int_equal(ldap_groups_count(walk), LDAP_GROUPS_DEPTH + 1);
	assert_int_equal(calls, LDAP_GROUPS_DEPTH + 1);
	assert_false(ldap_groups_cut(walk));
}

static void test_most(void **state)
{
	struct ldap_group_walk *walk = new_walk(fetch_endless, 1000, 10);

	(void)state;
	ldap_groups_start(walk, "cn=0");
	assert_true(ldap_groups_walk(walk));
	assert_int_equal(ldap_groups_count(walk), 10);
	assert_true(ldap_groups_cut(walk));
}

static void test_batches(void **state)
{
	struct ldap_group_walk *walk = new_walk(fetch, 0, 10000);

	(void)state;
	relations = "a>b";
	for (unsigned i = 0; i < 3 * LDAP_GROUPS_BATCH + 1; i++)
		ldap_groups_start(walk, arena_print(arena, "cn=g%u", i));
	assert_true(ldap_groups_walk(walk));
	assert_int_equal(asked, 3 * LDAP_GROUPS_BATCH + 1);
	assert_int_equal(calls, 4);
}

static void test_failure(void **state)
{
	struct ldap_group_walk *walk = new_walk(fetch, 32, 100);

	(void)state;
	relations = "a>b";
	broken = true;
	ldap_groups_start(walk, "cn=a");
	assert_false(ldap_groups_walk(walk));
}

static void test_memory(void **state)
{
	struct arena *small = arena_new(12000);
	struct ldap_group_walk *walk = ldap_groups_new(&(struct ldap_groups_options){
		.arena = small, .depth = 100000, .most = 100000, .fetch = fetch_endless});

	(void)state;
	assert_non_null(walk);
	ldap_groups_start(walk, "cn=0");
	assert_false(ldap_groups_walk(walk));
	arena_free(small);
}

/* --- the cache itself --- */

static bool cached(const char *key)
{
	struct ldap_cache_group group;

	return ldap_cache_get(cache, key, arena, &group);
}

static void test_cache_keeps(void **state)
{
	static const char *const parents[] = {"cn=b", "cn=c"};
	struct ldap_cache_group group = {
		.dn = "CN=a", .name = "A", .parents = parents, .parent_count = 2};

	(void)state;
	ldap_cache_put(cache, "cn=a", &group);
	memset(&group, 0, sizeof(group));
	assert_true(ldap_cache_get(cache, "cn=a", arena, &group));
	assert_string_equal(group.dn, "CN=a");
	assert_string_equal(group.name, "A");
	assert_int_equal(group.parent_count, 2);
	assert_string_equal(group.parents[0], "cn=b");
	assert_string_equal(group.parents[1], "cn=c");
	assert_false(cached("CN=a"));
	group = (struct ldap_cache_group){.dn = "cn=a"};
	ldap_cache_put(cache, "cn=a", &group);
	assert_true(ldap_cache_get(cache, "cn=a", arena, &group));
	assert_null(group.name);
	assert_int_equal(group.parent_count, 0);
}

/* The least recently used gives way. */
static void test_cache_is_bounded(void **state)
{
	const struct ldap_cache_group group = {.dn = "cn=x"};
	char key[32];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "%u", i);
		ldap_cache_put(cache, key, &group);
	}
	assert_true(cached("0"));
	ldap_cache_put(cache, "new", &group);
	assert_true(cached("0"));
	assert_false(cached("1"));
	assert_true(cached("2"));
	assert_true(cached("new"));
}

static void test_cache_is_bounded_in_bytes(void **state)
{
	static char name[40000], huge[200000];
	struct ldap_cache_group group = {.dn = "cn=x", .name = name};

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	memset(huge, 'h', sizeof(huge) - 1);
	ldap_cache_put(cache, "1", &group);
	ldap_cache_put(cache, "2", &group);
	assert_true(cached("1"));
	ldap_cache_put(cache, "3", &group);
	assert_false(cached("2"));
	assert_true(cached("1"));
	assert_true(cached("3"));
	group.name = huge;
	ldap_cache_put(cache, "4", &group);
	assert_false(cached("4"));
	assert_true(cached("1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cycles, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_spellings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cache, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_group, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_depth, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_most, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_batches, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failure, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cache_keeps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cache_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cache_is_bounded_in_bytes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
