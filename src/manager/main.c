/*
 * fairlead-manager: relays a client to a broker and prepares the host for it.
 */
#include <stdlib.h>

#include "base/error.h"
#include "manager/manager.h"
#include "service/event.h"
#include "service/program.h"

static const struct settings *manager_common(const void *data)
{
	return &((const struct manager_config *)data)->common;
}

static bool trusted_proxy(void *user, const char *address)
{
	struct manager_view *view = manager_view_hold(user);
	bool trusted = settings_proxy_trusted(&view->proxies, address);

	manager_view_release(view);
	return trusted;
}

static void handle(void *user, struct loop *loop, struct http_exchange *exchange)
{
	struct manager *manager = user;

	endpoint_http(manager->endpoint, loop, exchange);
}

static void manager_end(void *role)
{
	struct manager *manager = role;

	endpoint_free(manager->endpoint);
	sessions_free(manager->sessions);
	view_slot_close(&manager->slot);
	free(manager);
}

static int make_parts(struct manager *manager, struct program *program, struct config *config)
{
	const struct manager_config *data = config_data(config);
	struct endpoint_options endpoint = {
		.name = "PCM",
		.roots = 1u << ROOT_CLIENT | 1u << ROOT_BROKER,
		.routes = manager_routes,
		.route_count = manager_route_count,
		.trusted_proxy = trusted_proxy,
		.page = "Fairlead connection manager " FAIRLEAD_VERSION "\n",
		.capture = config_path(config, data->common.capture),
		.user = manager,
	};
	struct manager_view *view;
	int error = manager_view_new(config, &view);

	if (error != 0)
		return error;
	view_slot_replace(&manager->slot, &view->view);
	error = settings_sessions_new(&data->sessions, program_clock(program),
		program_entropy(program), &manager->sessions);
	endpoint.sessions = manager->sessions;
	if (error == 0)
		error = endpoint_new(&endpoint, &manager->endpoint);
	return error;
}

static int manager_start(struct program *program, struct config *config,
	char fault[CONFIG_FAULT_SIZE], void **ret_role)
{
	const struct manager_config *data = config_data(config);
	struct manager *manager = calloc(1, sizeof(*manager));
	int error = ERROR_MEMORY;

	(void)fault;
	if (manager != NULL) {
		view_slot_init(&manager->slot, NULL);
		error = make_parts(manager, program, config);
	}
	if (error == 0) {
		struct program_listener listener = {
			.name = "manager",
			.listen = data->listen,
			.handle = handle,
			.trusted = trusted_proxy,
			.user = manager,
		};

		error = program_listen(program, &listener, data->listen_count);
	}
	if (error != 0) {
		if (manager != NULL)
			manager_end(manager);
		return error;
	}
	*ret_role = manager;
	return 0;
}

static int manager_reload(void *role, struct config *config, char fault[CONFIG_FAULT_SIZE])
{
	const struct manager_config *data = config_data(config);
	struct manager *manager = role;
	struct manager_view *view;
	int error = manager_view_new(config, &view);

	(void)fault;
	if (error != 0)
		return error;
	view_slot_replace(&manager->slot, &view->view);
	settings_sessions_apply(&data->sessions, manager->sessions);
	return 0;
}

static void session_ended(void *user, const struct session *session)
{
	event_pcm_session_ended(user, session->log_id, "its time is over");
}

static void manager_tick(void *role, struct loop *loop)
{
	struct manager *manager = role;

	sessions_sweep(manager->sessions, session_ended, loop->log);
}

static const struct program_role role = {
	.name = "fairlead-manager",
	.default_config = "/etc/fairlead/manager.yaml",
	.help = "PCoIP connection manager: relays clients to a broker and prepares hosts",
	.schema = &manager_config_schema,
	.common = manager_common,
	.check = manager_config_check,
	.start = manager_start,
	.reload = manager_reload,
	.tick = manager_tick,
	.end = manager_end,
};

int main(int argc, char **argv)
{
	return program_main(&role, argc, argv);
}
