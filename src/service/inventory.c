#include "service/inventory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/error.h"

#define AGENT_PORT 60443

struct inventory {
	struct arena *arena;
	struct inventory_host *hosts;
	size_t host_count;
	struct inventory_resource *resources;
	size_t resource_count;
	size_t *resources_by_id; /* their indices, sorted */
};

/* NULL comes out as `missing`. */
static int copy_text(
	struct arena *arena, const char *from, const char *missing, const char **ret_text)
{
	if (from == NULL)
		from = missing;
	*ret_text = from != NULL ? arena_text(arena, from) : NULL;
	return from == NULL || *ret_text != NULL ? 0 : ERROR_MEMORY;
}

static int copy_list(
	struct arena *arena, const char *const *from, size_t count, const char *const **ret_list)
{
	const char **list = arena_alloc(arena, (count + 1) * sizeof(*list));
	int error = list != NULL ? 0 : ERROR_MEMORY;

	for (size_t i = 0; error == 0 && i < count; i++)
		error = copy_text(arena, from[i], NULL, &list[i]);
	*ret_list = list;
	return error;
}

static int copy_host(
	struct arena *arena, const struct inventory_host *from, struct inventory_host *to)
{
	const char *hostname = from->hostname != NULL ? from->hostname : from->address;
	int error;

	*to = *from;
	if (to->agent_port == 0)
		to->agent_port = AGENT_PORT;
	error = copy_text(arena, from->name, NULL, &to->name);
	if (error == 0)
		error = copy_text(arena, from->address, NULL, &to->address);
	if (error == 0)
		error = copy_text(arena, hostname, NULL, &to->hostname);
	if (error == 0)
		error = copy_text(arena, from->mac, "", &to->mac);
	if (error == 0)
		error = copy_text(arena, from->policy.ca_file, NULL, &to->policy.ca_file);
	if (error == 0)
		error = copy_text(arena, from->policy.name, hostname, &to->policy.name);
	if (error == 0)
		error = copy_text(arena, from->policy.fingerprint, NULL, &to->policy.fingerprint);
	return error;
}

static int copy_resource(
	struct arena *arena, const struct inventory_resource *from, struct inventory_resource *to)
{
	int error;

	*to = *from;
	error = copy_text(arena, from->id, NULL, &to->id);
	if (error == 0)
		error = copy_text(arena, from->name, NULL, &to->name);
	if (error == 0)
		error = copy_text(arena, from->session_type, NULL, &to->session_type);
	if (error == 0)
		error = copy_list(arena, from->users, from->user_count, &to->users);
	if (error == 0)
		error = copy_list(arena, from->groups, from->group_count, &to->groups);
	return error;
}

static int compare_hosts(const void *a, const void *b, void *context)
{
	const struct inventory_host *hosts = context;

	return strcasecmp(hosts[*(const size_t *)a].name, hosts[*(const size_t *)b].name);
}

static int compare_resources(const void *a, const void *b, void *context)
{
	const struct inventory_resource *resources = context;

	return strcmp(resources[*(const size_t *)a].id, resources[*(const size_t *)b].id);
}

/* The numbers 0 to count - 1 sorted; two that compare equal are ERROR_EXISTS. */
static int sort(struct arena *arena, size_t count, void *context,
	int (*compare)(const void *, const void *, void *), size_t **ret_order)
{
	size_t *order = arena_alloc(arena, (count + 1) * sizeof(*order));

	if (order == NULL)
		return ERROR_MEMORY;
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), compare, context);
	for (size_t i = 1; i < count; i++) {
		if (compare(&order[i - 1], &order[i], context) == 0)
			return ERROR_EXISTS;
	}
	*ret_order = order;
	return 0;
}

static int fill(struct inventory *inventory, const struct inventory_host *hosts,
	const struct inventory_resource *resources)
{
	struct arena *arena = inventory->arena;
	size_t *hosts_by_name; /* sorted only to find doubles */
	int error = 0;

	inventory->hosts = arena_alloc(arena, (inventory->host_count + 1) * sizeof(*hosts));
	inventory->resources =
		arena_alloc(arena, (inventory->resource_count + 1) * sizeof(*resources));
	if (inventory->hosts == NULL || inventory->resources == NULL)
		return ERROR_MEMORY;
	for (size_t i = 0; error == 0 && i < inventory->host_count; i++)
		error = copy_host(arena, &hosts[i], &inventory->hosts[i]);
	for (size_t i = 0; error == 0 && i < inventory->resource_count; i++) {
		if (resources[i].host >= inventory->host_count)
			return ERROR_INPUT;
		error = copy_resource(arena, &resources[i], &inventory->resources[i]);
	}
	if (error == 0)
		error = sort(arena, inventory->host_count, inventory->hosts, compare_hosts,
			&hosts_by_name);
	if (error == 0)
		error = sort(arena, inventory->resource_count, inventory->resources,
			compare_resources, &inventory->resources_by_id);
	return error;
}

int inventory_new(const struct inventory_host *hosts, size_t host_count,
	const struct inventory_resource *resources, size_t resource_count,
	struct inventory **ret_inventory)
{
	struct inventory *inventory = calloc(1, sizeof(*inventory));
	int error = ERROR_MEMORY;

	if (inventory == NULL)
		return ERROR_MEMORY;
	inventory->host_count = host_count;
	inventory->resource_count = resource_count;
	inventory->arena = arena_new(SIZE_MAX / 2);
	if (inventory->arena != NULL)
		error = fill(inventory, hosts, resources);
	if (error != 0) {
		inventory_free(inventory);
		return error;
	}
	*ret_inventory = inventory;
	return 0;
}

void inventory_free(struct inventory *inventory)
{
	if (inventory == NULL)
		return;
	arena_free(inventory->arena);
	free(inventory);
}

const struct inventory_host *inventory_host(const struct inventory *inventory, size_t index)
{
	return index < inventory->host_count ? &inventory->hosts[index] : NULL;
}

/* "user" of whatever domain, or "domain\user". */
static bool names_user(const char *entry, const struct identity_user *user)
{
	const char *backslash = strchr(entry, '\\');
	size_t length;

	if (backslash == NULL)
		return strcasecmp(entry, user->name) == 0;
	length = (size_t)(backslash - entry);
	return strcasecmp(backslash + 1, user->name) == 0 && strlen(user->domain) == length &&
		strncasecmp(entry, user->domain, length) == 0;
}

static bool may_have(const struct inventory_resource *resource, const struct identity_user *user)
{
	for (size_t i = 0; i < resource->user_count; i++) {
		if (names_user(resource->users[i], user))
			return true;
	}
	for (size_t i = 0; i < resource->group_count; i++) {
		for (size_t k = 0; k < user->group_count; k++) {
			if (strcasecmp(resource->groups[i], user->groups[k]) == 0)
				return true;
		}
	}
	return false;
}

size_t inventory_entitled(const struct inventory *inventory, const struct identity_user *user,
	void (*each)(void *context, const struct inventory_resource *resource), void *context)
{
	size_t count = 0;

	for (size_t i = 0; i < inventory->resource_count; i++) {
		if (may_have(&inventory->resources[i], user)) {
			each(context, &inventory->resources[i]);
			count++;
		}
	}
	return count;
}

const struct inventory_resource *inventory_find(
	const struct inventory *inventory, const struct identity_user *user, const char *id)
{
	size_t low = 0, high = inventory->resource_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct inventory_resource *resource =
			&inventory->resources[inventory->resources_by_id[middle]];
		int order = strcmp(id, resource->id);

		if (order == 0)
			return may_have(resource, user) ? resource : NULL;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
