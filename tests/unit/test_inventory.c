#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "service/inventory.h"

static const char *const cad_users[] = {"Alice", "CORP\\bob"};
static const char *const cad_groups[] = {"CAD"};
static const char *const all_groups[] = {"staff", "guests"};

static const struct inventory_host hosts[] = {
	{.name = "ws-1",
		.address = "192.0.2.1",
		.hostname = "ws-1.example",
		.agent_port = 1234,
		.mac = "02:00:00:00:00:01",
		.policy = {.ca_file = "/ca.pem", .fingerprint = "00"},
		.single_user = true},
	{.name = "ws-2", .address = "ws-2.example"},
};

static const struct inventory_resource resources[] = {
	{.id = "r-9",
		.name = "CAD",
		.session_type = "VDI",
		.host = 0,
		.users = cad_users,
		.user_count = 2,
		.groups = cad_groups,
		.group_count = 1},
	{.id = "r-1",
		.name = "Office",
		.session_type = "RDS",
		.host = 1,
		.groups = all_groups,
		.group_count = 2},
	{.id = "r-5", .name = "Nobody's", .session_type = "VDI", .host = 1},
};

static struct inventory *inventory;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(inventory_new(hosts, 2, resources, 3, &inventory), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	inventory_free(inventory);
	return 0;
}

static char listed[256];

static void list_one(void *context, const struct inventory_resource *resource)
{
	assert_ptr_equal(context, listed);
	strcat(listed, resource->id);
	strcat(listed, " ");
}

static const char *list_for(const struct identity_user *user)
{
	size_t count;

	listed[0] = '\0';
	count = inventory_entitled(inventory, user, list_one, listed);
	assert_int_equal(count, strlen(listed) / 4);
	return listed;
}

static void test_entitlement(void **state)
{
	static const char *const staff[] = {"Staff"};
	static const char *const both[] = {"other", "cad", "GUESTS"};
	const struct identity_user alice = {"alice", "X", NULL, 0, "", ""};
	const struct identity_user bob = {"BOB", "corp", NULL, 0, "", ""};
	const struct identity_user other_bob = {"bob", "", NULL, 0, "", ""};
	const struct identity_user third_bob = {"bob", "cor", NULL, 0, "", ""};
	const struct identity_user fourth_bob = {"bob", "corporation", NULL, 0, "", ""};
	const struct identity_user carol = {"carol", "", staff, 1, "", ""};
	const struct identity_user dave = {"dave", "", both, 3, "", ""};
	const struct identity_user alice_staff = {"alice", "", staff, 1, "", ""};
	const struct identity_user nobody = {"", "", NULL, 0, "", ""};

	(void)state;
	assert_string_equal(list_for(&alice), "r-9 ");
	assert_string_equal(list_for(&bob), "r-9 ");
	assert_string_equal(list_for(&other_bob), "");
	assert_string_equal(list_for(&third_bob), "");
	assert_string_equal(list_for(&fourth_bob), "");
	assert_string_equal(list_for(&carol), "r-1 ");
	assert_string_equal(list_for(&dave), "r-9 r-1 ");
	/* In configured order, not sorted. */
	assert_string_equal(list_for(&alice_staff), "r-9 r-1 ");
	assert_string_equal(list_for(&nobody), "");
}

static void test_find(void **state)
{
	const struct identity_user alice = {"alice", "", NULL, 0, "", ""};
	const struct inventory_resource *resource = inventory_find(inventory, &alice, "r-9");

	(void)state;
	assert_non_null(resource);
	assert_string_equal(resource->name, "CAD");
	assert_string_equal(inventory_host(inventory, resource->host)->name, "ws-1");
	assert_null(inventory_find(inventory, &alice, "r-1"));
	assert_null(inventory_find(inventory, &alice, "r-5"));
	assert_null(inventory_find(inventory, &alice, "R-9"));
	assert_null(inventory_find(inventory, &alice, ""));
	assert_null(inventory_find(inventory, &alice, "zzz"));
}

static void test_hosts(void **state)
{
	const struct inventory_host *one = inventory_host(inventory, 0);
	const struct inventory_host *two = inventory_host(inventory, 1);

	(void)state;
	assert_string_equal(one->hostname, "ws-1.example");
	assert_string_equal(one->policy.name, "ws-1.example");
	assert_string_equal(one->policy.ca_file, "/ca.pem");
	assert_string_equal(one->mac, "02:00:00:00:00:01");
	assert_int_equal(one->agent_port, 1234);
	assert_true(one->single_user);
	assert_string_equal(two->hostname, "ws-2.example");
	assert_string_equal(two->policy.name, "ws-2.example");
	assert_null(two->policy.ca_file);
	assert_string_equal(two->mac, "");
	assert_int_equal(two->agent_port, 60443);
	assert_null(inventory_host(inventory, 2));
}

static void test_bad_input(void **state)
{
	struct inventory_host twins[] = {hosts[0], hosts[1]};
	struct inventory_resource doubles[] = {resources[0], resources[1], resources[2]};
	struct inventory *untouched = inventory;

	(void)state;
	doubles[2].host = 2;
	assert_int_equal(inventory_new(hosts, 2, doubles, 3, &untouched), ERROR_INPUT);
	doubles[2].host = 1;
	doubles[2].id = "r-9";
	assert_int_equal(inventory_new(hosts, 2, doubles, 3, &untouched), ERROR_EXISTS);
	twins[1].name = "WS-1";
	assert_int_equal(inventory_new(twins, 2, resources, 3, &untouched), ERROR_EXISTS);
	assert_ptr_equal(untouched, inventory);
}

static void test_copies(void **state)
{
	char id[] = "r-0", name[] = "ws", user[] = "alice";
	const char *users[] = {user};
	struct inventory_host host = {.name = name, .address = name};
	struct inventory_resource resource = {
		.id = id, .name = name, .session_type = "VDI", .users = users, .user_count = 1};
	const struct identity_user alice = {"alice", "", NULL, 0, "", ""};

	(void)state;
	inventory_free(inventory);
	assert_int_equal(inventory_new(&host, 1, &resource, 1, &inventory), 0);
	memset(id, 'x', 3);
	memset(name, 'x', 2);
	memset(user, 'x', 5);
	users[0] = NULL;
	assert_string_equal(list_for(&alice), "r-0 ");
	assert_string_equal(inventory_host(inventory, 0)->name, "ws");
}

static void test_empty(void **state)
{
	const struct identity_user alice = {"alice", "", NULL, 0, "", ""};

	(void)state;
	inventory_free(inventory);
	assert_int_equal(inventory_new(NULL, 0, NULL, 0, &inventory), 0);
	assert_string_equal(list_for(&alice), "");
	assert_null(inventory_find(inventory, &alice, "r-9"));
	assert_null(inventory_host(inventory, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_entitlement),
		TEST(test_find),
		TEST(test_hosts),
		TEST(test_bad_input),
		TEST(test_copies),
		TEST(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
