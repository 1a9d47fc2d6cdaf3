/*
 * fairlead-broker: authenticates users, lists what they are entitled to, allocates it.
 */
#include <stdlib.h>

#include "base/error.h"
#include "broker/broker.h"
#include "service/event.h"
#include "service/program.h"

static const struct settings *broker_common(const void *data)
{
	return &((const struct broker_config *)data)->common;
}

static bool trusted_proxy(void *user, const char *address)
{
	struct broker_view *view = broker_view_hold(user);
	bool trusted = settings_proxy_trusted(&view->proxies, address);

	broker_view_release(view);
	return trusted;
}

static void handle(void *user, struct loop *loop, struct http_exchange *exchange)
{
	struct broker *broker = user;

	endpoint_http(broker->endpoint, loop, exchange);
}

static void broker_end(void *role)
{
	struct broker *broker = role;

	endpoint_free(broker->endpoint);
	sessions_free(broker->sessions);
	occupancy_free(broker->occupancy);
	view_slot_close(&broker->slot);
	pam_helper_stop(broker->pam);
	guard_free(broker->guard);
	free(broker);
}

static int make_parts(struct broker *broker, struct program *program, struct config *config,
	char fault[CONFIG_FAULT_SIZE])
{
	const struct broker_config *data = config_data(config);
	struct endpoint_options endpoint = {
		.name = "BROKER",
		.roots = 1u << ROOT_CLIENT | 1u << ROOT_BROKER,
		.routes = broker_routes,
		.route_count = broker_route_count,
		.trusted_proxy = trusted_proxy,
		.page = "Fairlead broker " FAIRLEAD_VERSION "\n",
		.capture = config_path(config, data->common.capture),
		.user = broker,
	};
	struct broker_view *view;
	int error;

	broker->clock = program_clock(program);
	error = settings_logon_start(config, &data->logon, broker->clock, program_entropy(program),
		&broker->guard, &broker->pam, fault);
	if (error == 0)
		error = broker_view_new(config, broker->pam, broker->clock, &view);
	if (error != 0)
		return error;
	view_slot_replace(&broker->slot, &view->view);
	error = settings_sessions_new(&data->sessions, program_clock(program),
		program_entropy(program), &broker->sessions);
	if (error == 0)
		error = occupancy_new(program_clock(program), &broker->occupancy);
	endpoint.sessions = broker->sessions;
	if (error == 0)
		error = endpoint_new(&endpoint, &broker->endpoint);
	return error;
}

static int broker_start(struct program *program, struct config *config,
	char fault[CONFIG_FAULT_SIZE], void **ret_role)
{
	const struct broker_config *data = config_data(config);
	struct broker *broker = calloc(1, sizeof(*broker));
	int error = ERROR_MEMORY;

	if (broker != NULL) {
		view_slot_init(&broker->slot, NULL);
		error = make_parts(broker, program, config, fault);
	}
	if (error == 0) {
		struct program_listener listener = {
			.name = "broker",
			.listen = data->listen,
			.handle = handle,
			.trusted = trusted_proxy,
			.user = broker,
		};

		error = program_listen(program, &listener, data->listen_count);
	}
	if (error != 0) {
		if (broker != NULL)
			broker_end(broker);
		return error;
	}
	*ret_role = broker;
	return 0;
}

static int broker_reload(void *role, struct config *config, char fault[CONFIG_FAULT_SIZE])
{
	const struct broker_config *data = config_data(config);
	struct guard_limits limits = settings_guard_limits(&data->logon);
	struct broker *broker = role;
	struct broker_view *view;
	int error = settings_logon_can_reload(&data->logon, broker->pam, fault);

	if (error == 0)
		error = broker_view_new(config, broker->pam, broker->clock, &view);
	if (error != 0)
		return error;
	view_slot_replace(&broker->slot, &view->view);
	guard_set_limits(broker->guard, &limits);
	settings_sessions_apply(&data->sessions, broker->sessions);
	return 0;
}

static void session_ended(void *user, const struct session *session)
{
	event_broker_session_ended(user, session->log_id, "its time is over");
}

static void broker_tick(void *role, struct loop *loop)
{
	struct broker *broker = role;

	sessions_sweep(broker->sessions, session_ended, loop->log);
}

static const struct program_role role = {
	.name = "fairlead-broker",
	.default_config = "/etc/fairlead/broker.yaml",
	.help = "PCoIP connection broker: authenticates users, lists and allocates resources",
	.schema = &broker_config_schema,
	.common = broker_common,
	.check = broker_config_check,
	.start = broker_start,
	.reload = broker_reload,
	.tick = broker_tick,
	.end = broker_end,
};

int main(int argc, char **argv)
{
	return program_main(&role, argc, argv);
}
