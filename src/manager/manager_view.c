#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "manager/manager.h"
#include "service/settings_users.h"

#define DEFAULT_AGENT_PORT 60443
#define DEFAULT_AUTHENTICATE_MS                                                                    \
	70000 /* a minute to approve a second factor, and what is around it */
#define VIEW_MAXIMUM (16 * 1024 * 1024)
#define NAME_MAXIMUM 256

static int copy_text(struct arena *arena, const char *from, const char **ret_text)
{
	*ret_text = from != NULL ? arena_text(arena, from) : NULL;
	return from == NULL || *ret_text != NULL ? 0 : ERROR_MEMORY;
}

/* The policy's texts belong to the configuration, which goes away on reload. */
static int copy_policy(struct config *config, struct arena *arena,
	const struct settings_trust *trust, const char *name, struct certificate_policy *policy)
{
	struct certificate_policy from;
	int error = settings_policy(config, trust, name, &from);

	if (error != 0)
		return error;
	policy->verify = from.verify;
	if (copy_text(arena, from.ca_file, &policy->ca_file) != 0 ||
		copy_text(arena, from.name, &policy->name) != 0 ||
		copy_text(arena, from.fingerprint, &policy->fingerprint) != 0)
		return ERROR_MEMORY;
	return 0;
}

static int copy_agents(struct manager_view *view, struct config *config)
{
	const struct manager_config *data = config_data(config);
	uint16_t common = (uint16_t)(data->agent_port != 0 ? data->agent_port : DEFAULT_AGENT_PORT);

	view->agents = arena_alloc(view->arena, (data->agents_count + 1) * sizeof(*view->agents));
	if (view->agents == NULL)
		return ERROR_MEMORY;
	for (unsigned i = 0; i < data->agents_count; i++) {
		const struct manager_config_agent *from = &data->agents[i];
		struct manager_agent *to = &view->agents[view->agent_count++];

		to->port = from->port != 0 ? (uint16_t)from->port : common;
		if (copy_text(view->arena, from->host, &to->host) != 0 ||
			copy_policy(config, view->arena, &from->trust, from->host, &to->policy) !=
				0)
			return ERROR_MEMORY;
	}
	view->other.port = common;
	return copy_policy(config, view->arena, &data->trust, NULL, &view->other.policy);
}

static int fill(struct manager_view *view, struct config *config)
{
	const struct manager_config *data = config_data(config);
	const char *name = data->broker.hostname;
	char host[NAME_MAXIMUM + 1];
	uint16_t port;

	if (name == NULL &&
		http_split_address(data->broker.address, host, sizeof(host), &port) == 0)
		name = host;
	if (copy_text(view->arena, data->broker.address, &view->broker_address) != 0 ||
		copy_policy(config, view->arena, &data->broker.trust, name, &view->broker_policy) !=
			0 ||
		copy_text(view->arena, data->license_path != NULL ? data->license_path : "",
			&view->license_path) != 0 ||
		settings_copy_list(view->arena, data->proxies.list, data->proxies.list_count,
			&view->proxies.list) != 0 ||
		copy_agents(view, config) != 0)
		return ERROR_MEMORY;
	view->proxies.list_count = data->proxies.list_count;
	view->timeout_ms = data->timeout_ms != 0 ? data->timeout_ms : MANAGER_TIMEOUT_MS;
	view->authenticate_ms =
		data->authenticate_ms != 0 ? data->authenticate_ms : DEFAULT_AUTHENTICATE_MS;
	if (view->authenticate_ms < view->timeout_ms)
		view->authenticate_ms = view->timeout_ms;
	if (gethostname(view->hostname, sizeof(view->hostname)) != 0)
		view->hostname[0] = '\0';
	view->hostname[sizeof(view->hostname) - 1] = '\0';
	return 0;
}

static void view_free(struct view *view)
{
	arena_free(((struct manager_view *)view)->arena);
}

int manager_view_new(struct config *config, struct manager_view **ret_view)
{
	struct arena *arena = arena_new(VIEW_MAXIMUM);
	struct manager_view *view = arena != NULL ? arena_alloc(arena, sizeof(*view)) : NULL;

	if (view == NULL) {
		arena_free(arena);
		return ERROR_MEMORY;
	}
	view_init(&view->view, view_free);
	view->arena = arena;
	if (fill(view, config) != 0) {
		arena_free(arena);
		return ERROR_MEMORY;
	}
	*ret_view = view;
	return 0;
}

struct manager_view *manager_view_hold(struct manager *manager)
{
	return (struct manager_view *)view_slot_hold(&manager->slot);
}

void manager_view_release(struct manager_view *view)
{
	view_release(&view->view);
}

struct manager_agent manager_view_agent(
	const struct manager_view *view, const char *hostname, const char *address)
{
	struct manager_agent agent = view->other;

	for (size_t i = 0; i < view->agent_count; i++) {
		if (strcasecmp(view->agents[i].host, hostname) == 0 ||
			strcasecmp(view->agents[i].host, address) == 0)
			return view->agents[i];
	}
	agent.host = address;
	agent.policy.name = *hostname != '\0' ? hostname : address;
	return agent;
}
