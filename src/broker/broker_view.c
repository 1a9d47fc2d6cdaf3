#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "broker/broker.h"

#define DEFAULT_HOLD_MINUTES 480
#define DEFAULT_AGENT_PORT 60443
#define VIEW_MAXIMUM (64 * 1024 * 1024)

/* A host with a resource for several users is for several users. */
static bool single_user(const struct broker_config *data, const char *host)
{
	for (unsigned i = 0; i < data->resources_count; i++) {
		if (strcasecmp(data->resources[i].host, host) == 0 &&
			data->resources[i].session_type == BROKER_SESSION_RDS)
			return false;
	}
	return true;
}

static int fill_host(struct config *config, const struct broker_config *data, unsigned index,
	struct inventory_host *host)
{
	const struct broker_config_host *from = &data->hosts[index];
	const struct settings_trust *trust = from->trust != NULL ? from->trust : &data->trust;

	host->name = from->name;
	host->address = from->address;
	host->hostname = from->hostname != NULL ? from->hostname : from->address;
	host->agent_port =
		(uint16_t)(from->agent_port != 0 ? from->agent_port : DEFAULT_AGENT_PORT);
	host->single_user = single_user(data, from->name);
	return settings_policy(config, trust, host->hostname, &host->policy);
}

static void fill_resource(
	const struct broker_config *data, unsigned index, struct inventory_resource *resource)
{
	const struct broker_config_resource *from = &data->resources[index];

	resource->id = from->id;
	resource->name = from->name;
	resource->session_type = from->session_type == BROKER_SESSION_RDS ? "RDS" : "VDI";
	resource->users = (const char *const *)from->users;
	resource->user_count = from->users_count;
	resource->groups = (const char *const *)from->groups;
	resource->group_count = from->groups_count;
	while (strcasecmp(data->hosts[resource->host].name, from->host) != 0)
		resource->host++; /* the check has seen that there is one */
}

static int make_inventory(struct config *config, struct inventory **ret_inventory)
{
	const struct broker_config *data = config_data(config);
	struct inventory_host *hosts = calloc(data->hosts_count + 1u, sizeof(*hosts));
	struct inventory_resource *resources =
		calloc(data->resources_count + 1u, sizeof(*resources));
	int error = hosts != NULL && resources != NULL ? 0 : ERROR_MEMORY;

	for (unsigned i = 0; error == 0 && i < data->hosts_count; i++)
		error = fill_host(config, data, i, &hosts[i]);
	for (unsigned i = 0; error == 0 && i < data->resources_count; i++)
		fill_resource(data, i, &resources[i]);
	if (error == 0)
		error = inventory_new(
			hosts, data->hosts_count, resources, data->resources_count, ret_inventory);
	free(hosts);
	free(resources);
	return error;
}

static void view_free(struct view *base)
{
	struct broker_view *view = (struct broker_view *)base;

	greeting_cache_clear(&view->greeting);
	logon_plan_free(view->plan);
	inventory_free(view->inventory);
	arena_free(view->arena);
	free(view);
}

static int copy_texts(struct broker_view *view, const struct broker_config *data)
{
	int error = settings_copy_list(
		view->arena, data->proxies.list, data->proxies.list_count, &view->proxies.list);

	if (error != 0)
		return error;
	view->proxies.list_count = data->proxies.list_count;
	view->contact = arena_text(view->arena, data->contact != NULL ? data->contact : "");
	view->license_path =
		arena_text(view->arena, data->license_path != NULL ? data->license_path : "");
	return view->contact != NULL && view->license_path != NULL ? 0 : ERROR_MEMORY;
}

int broker_view_new(struct config *config, struct pam_helper *pam, const struct clock *clock,
	struct broker_view **ret_view)
{
	const struct broker_config *data = config_data(config);
	struct broker_view *view = calloc(1, sizeof(*view));
	unsigned minutes = data->hold_minutes != 0 ? data->hold_minutes : DEFAULT_HOLD_MINUTES;
	int error = ERROR_MEMORY;

	if (view == NULL)
		return ERROR_MEMORY;
	view_init(&view->view, view_free);
	view->hold = (int64_t)minutes * 60 * CLOCK_SECOND;
	if (gethostname(view->hostname, sizeof(view->hostname)) != 0)
		view->hostname[0] = '\0';
	view->hostname[sizeof(view->hostname) - 1] = '\0';
	view->arena = arena_new(VIEW_MAXIMUM);
	if (view->arena != NULL)
		error = copy_texts(view, data);
	if (error == 0)
		error = settings_logon_plan(
			config, &data->common, &data->users, &data->logon, pam, clock, &view->plan);
	if (error == 0)
		error = make_inventory(config, &view->inventory);
	if (error != 0) {
		view_release(&view->view);
		return error;
	}
	*ret_view = view;
	return 0;
}

struct broker_view *broker_view_hold(struct broker *broker)
{
	return (struct broker_view *)view_slot_hold(&broker->slot);
}

void broker_view_release(struct broker_view *view)
{
	view_release(&view->view);
}
