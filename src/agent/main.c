/*
 * fairlead-agent: prepares sessions on this host and serves them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/arena.h"
#include "base/error.h"
#include "service/event.h"
#include "service/program.h"

static const struct settings *agent_common(const void *data)
{
	return &((const struct agent_config *)data)->common;
}

static void handle_direct(void *user, struct loop *loop, struct http_exchange *exchange)
{
	struct agent *agent = user;

	endpoint_http(agent->direct, loop, exchange);
}

static void handle_launch(void *user, struct loop *loop, struct http_exchange *exchange)
{
	struct agent *agent = user;

	endpoint_http(agent->launch, loop, exchange);
}

static void agent_end(void *role)
{
	struct agent *agent = role;

	endpoint_free(agent->direct);
	endpoint_free(agent->launch);
	sessions_free(agent->sessions);
	view_slot_close(&agent->slot);
	pam_helper_stop(agent->pam);
	guard_free(agent->guard);
	arena_free(agent->arena);
	free(agent);
}

static int copy_command(struct agent *agent, const struct agent_config *data)
{
	if (data->keep_awake_count == 0)
		return 0;
	agent->arena = arena_new(SIZE_MAX / 2);
	if (agent->arena == NULL)
		return ERROR_MEMORY;
	agent->keep_awake = arena_alloc(
		agent->arena, (data->keep_awake_count + 1u) * sizeof(*agent->keep_awake));
	for (unsigned i = 0; agent->keep_awake != NULL && i < data->keep_awake_count; i++)
		agent->keep_awake[i] = arena_text(agent->arena, data->keep_awake[i]);
	return arena_lacking(agent->arena) ? ERROR_MEMORY : 0;
}

static void copy_names(struct agent *agent, const struct agent_config *data)
{
	char machine[sizeof(agent->hostname)] = "";

	(void)gethostname(machine, sizeof(machine) - 1);
	snprintf(agent->hostname, sizeof(agent->hostname), "%s",
		data->hostname != NULL ? data->hostname : machine);
	snprintf(agent->resource_name, sizeof(agent->resource_name), "%s",
		data->resource_name != NULL ? data->resource_name : agent->hostname);
	snprintf(agent->session_address, sizeof(agent->session_address), "%s",
		data->session_address != NULL ? data->session_address : "0.0.0.0:4172");
}

static int make_endpoints(struct agent *agent, struct config *config)
{
	const struct agent_config *data = config_data(config);
	const char *capture = config_path(config, data->common.capture);
	struct endpoint_options direct = {
		.name = "AGENT",
		.roots = 1u << ROOT_CLIENT | 1u << ROOT_BROKER,
		.routes = agent_direct_routes,
		.route_count = agent_direct_route_count,
		.sessions = agent->sessions,
		.page = AGENT_PRODUCT " " FAIRLEAD_VERSION ", direct connect\n",
		.capture = capture,
		.user = agent,
	};
	struct endpoint_options launch = {
		.name = "AGENT",
		.roots = 1u << ROOT_AGENT,
		.routes = agent_launch_routes,
		.route_count = agent_launch_route_count,
		.page = AGENT_PRODUCT " " FAIRLEAD_VERSION ", launch API\n",
		.capture = capture,
		.user = agent,
	};
	int error = endpoint_new(&direct, &agent->direct);

	return error != 0 ? error : endpoint_new(&launch, &agent->launch);
}

static int make_parts(struct agent *agent, struct program *program, struct config *config,
	char fault[CONFIG_FAULT_SIZE])
{
	const struct agent_config *data = config_data(config);
	struct agent_view *view;
	int error = settings_logon_start(config, &data->logon, program_clock(program),
		program_entropy(program), &agent->guard, &agent->pam, fault);

	if (error == 0)
		error = agent_view_new(config, agent->pam, program_clock(program), &view);
	if (error != 0)
		return error;
	view_slot_replace(&agent->slot, &view->view);
	copy_names(agent, data);
	error = copy_command(agent, data);
	if (error == 0)
		error = settings_sessions_new(&data->sessions, program_clock(program),
			program_entropy(program), &agent->sessions);
	return error != 0 ? error : make_endpoints(agent, config);
}

static int listen_all(struct agent *agent, struct program *program, const struct agent_config *data)
{
	const struct program_listener direct = {
		.name = "direct", .listen = data->listen, .handle = handle_direct, .user = agent};
	const struct program_listener launch = {.name = "launch",
		.listen = data->launch_listen,
		.handle = handle_launch,
		.user = agent};
	int error = program_listen(program, &direct, data->listen_count);

	return error != 0 ? error : program_listen(program, &launch, data->launch_listen_count);
}

static int agent_start(struct program *program, struct config *config,
	char fault[CONFIG_FAULT_SIZE], void **ret_role)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	int error = ERROR_MEMORY;

	event_agent_begins(program_log(program), NULL);
	event_agent_version(program_log(program), NULL, "fairlead-agent", FAIRLEAD_VERSION);
	if (agent != NULL) {
		view_slot_init(&agent->slot, NULL);
		agent->program = program;
		agent->config = config;
		error = make_parts(agent, program, config, fault);
	}
	if (error == 0)
		error = listen_all(agent, program, config_data(config));
	if (error != 0) {
		if (fault[0] == '\0')
			snprintf(fault, CONFIG_FAULT_SIZE, "%s", error_text(error));
		event_agent_start_failed(program_log(program), NULL, fault);
		if (agent != NULL)
			agent_end(agent);
		return error;
	}
	*ret_role = agent;
	return 0;
}

static int agent_begin(void *role, struct loop *loop, char fault[CONFIG_FAULT_SIZE])
{
	struct agent *agent = role;
	char address[320];
	char host[256];
	uint16_t port;
	int error = agent_session_begin(agent, agent->config, loop, fault);

	if (error != 0) {
		event_agent_start_failed(loop->log, NULL, fault);
		return error;
	}
	error = http_split_address(agent->session_address, host, sizeof(host), &port);
	if (error == 0) {
		snprintf(address, sizeof(address), strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u",
			host, (unsigned)link_server_port(agent->link));
		error = program_announce(agent->program, "session", address);
	}
	event_agent_web_server_started(loop->log, NULL);
	return error;
}

static int agent_reload(void *role, struct config *config, char fault[CONFIG_FAULT_SIZE])
{
	const struct agent_config *data = config_data(config);
	struct guard_limits limits = settings_guard_limits(&data->logon);
	struct agent *agent = role;
	struct agent_view *view;
	SSL_CTX *context;
	int error = settings_logon_can_reload(&data->logon, agent->pam, fault);

	if (error == 0)
		error = settings_tls(config, &data->common, false, true, &context, fault);
	if (error != 0)
		return error;
	error = agent_view_new(config, agent->pam, program_clock(agent->program), &view);
	if (error != 0) {
		SSL_CTX_free(context);
		return error;
	}
	view_slot_replace(&agent->slot, &view->view);
	link_server_set_context(agent->link, context);
	SSL_CTX_free(context);
	guard_set_limits(agent->guard, &limits);
	settings_sessions_apply(&data->sessions, agent->sessions);
	return 0;
}

static void stopped(void *user)
{
	program_stopped(user);
}

static void agent_stop(void *role, struct program *program)
{
	struct agent *agent = role;

	agent_session_stop(agent, stopped, program);
}

static void agent_tick(void *role, struct loop *loop)
{
	struct agent *agent = role;

	(void)loop;
	sessions_sweep(agent->sessions, NULL, NULL);
	agent_session_tick(agent);
}

static const struct program_role role = {
	.name = "fairlead-agent",
	.default_config = "/etc/fairlead/agent.yaml",
	.help = "PCoIP host agent: prepares sessions on this host and serves them",
	.schema = &agent_config_schema,
	.common = agent_common,
	.check = agent_config_check,
	.start = agent_start,
	.begin = agent_begin,
	.reload = agent_reload,
	.stop = agent_stop,
	.tick = agent_tick,
	.end = agent_end,
};

int main(int argc, char **argv)
{
	return program_main(&role, argc, argv);
}
