/*
 * fairlead-license: gives out seats, takes them back, and ends the leases of agents that died.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "license/license.h"
#include "license/license_config.h"
#include "service/event.h"
#include "service/program.h"

/* The state with what only the life of the program needs. */
struct service {
	struct license license;
	struct config *config; /* valid until begin */
	struct log *log;
	const struct clock *clock;
	const struct entropy *entropy;
	int swept; /* its outcome */
	bool sweeping;
	bool sweep_failing; /* said once, until it works again */
};

static const struct settings *license_common(const void *data)
{
	return &((const struct license_config *)data)->common;
}

static void handle(void *user, struct loop *loop, struct http_exchange *exchange)
{
	struct service *service = user;

	endpoint_http(service->license.endpoint, loop, exchange);
}

static void license_end(void *role)
{
	struct service *service = role;

	endpoint_free(service->license.endpoint);
	license_store_close(service->license.store);
	free(service);
}

static int make_parts(struct service *service, struct program *program, struct config *config)
{
	const struct license_config *data = config_data(config);
	struct endpoint_options endpoint = {
		.name = "LICENSE",
		.roots = MESSAGE_ROOTS_LICENSE,
		.routes = license_routes,
		.route_count = license_route_count,
		.page = "Fairlead licence service " FAIRLEAD_VERSION "\n",
		.capture = config_path(config, data->common.capture),
		.user = &service->license,
	};
	int error = endpoint_new(&endpoint, &service->license.endpoint);
	struct program_listener listener = {
		.name = "license",
		.listen = data->listen,
		.handle = handle,
		.user = service,
	};

	return error != 0 ? error : program_listen(program, &listener, data->listen_count);
}

static int license_start(struct program *program, struct config *config,
	char fault[CONFIG_FAULT_SIZE], void **ret_role)
{
	struct service *service = calloc(1, sizeof(*service));
	int error = ERROR_MEMORY;

	(void)fault;
	if (service != NULL) {
		service->config = config;
		service->log = program_log(program);
		service->clock = program_clock(program);
		service->entropy = program_entropy(program);
		error = make_parts(service, program, config);
	}
	if (error != 0) {
		if (service != NULL)
			license_end(service);
		return error;
	}
	*ret_role = service;
	return 0;
}

/* Gives the store the configured seats, and says so. */
static int configure(struct service *service, const struct license_config *data)
{
	struct license_seats *seats = calloc(data->licenses_count + 1u, sizeof(*seats));
	int error;

	if (seats == NULL)
		return ERROR_MEMORY;
	for (unsigned i = 0; i < data->licenses_count; i++) {
		seats[i].feature = data->licenses[i].feature;
		seats[i].seats = data->licenses[i].seats;
		/* The check has seen that it is a date. */
		(void)license_config_expires(data->licenses[i].expires, &seats[i].expires);
	}
	error = license_store_configure(service->license.store, seats, data->licenses_count);
	free(seats);
	if (error != 0)
		return error;
	service->license.lease = license_config_lease(data);
	for (unsigned i = 0; i < data->licenses_count; i++) {
		const struct license_config_line *line = &data->licenses[i];
		char expires[64] = "never expires";

		if (line->expires != NULL)
			snprintf(expires, sizeof(expires), "until %s", line->expires);
		event_license_seats(service->log, NULL, line->feature, (int)line->seats, expires);
	}
	return 0;
}

/* The store is opened by the user that the program became: its files are his. */
static int license_begin(void *role, struct loop *loop, char fault[CONFIG_FAULT_SIZE])
{
	struct service *service = role;
	const struct license_config *data = config_data(service->config);
	const char *file = config_path(service->config, data->store);
	int error = ERROR_MEMORY, count;

	if (file != NULL) {
		error = license_store_open(file, service->entropy, &service->license.store, fault);
		if (error != 0)
			return error;
		error = configure(service, data);
	}
	if (error != 0)
		return error;
	count = license_store_count(service->license.store, clock_wall(loop->clock));
	event_license_store_opened(service->log, NULL, file, count > 0 ? count : 0);
	service->config = NULL;
	return 0;
}

static int license_reload(void *role, struct config *config, char fault[CONFIG_FAULT_SIZE])
{
	(void)fault;
	return configure(role, config_data(config));
}

/* --- the sweep --- */

static void lease_ended(void *user, const struct license_lease *lease)
{
	struct service *service = user;

	event_license_expired(service->log, lease->session, lease->name, lease->feature);
}

static void sweep_run(void *user)
{
	struct service *service = user;

	service->swept = license_store_expire(
		service->license.store, clock_wall(service->clock), lease_ended, service);
}

static void sweep_done(void *user)
{
	struct service *service = user;
	char fault[LICENSE_FAULT_SIZE];

	service->sweeping = false;
	if (service->swept < 0 && !service->sweep_failing) {
		license_store_fault(service->license.store, fault);
		event_license_store_failed(service->log, NULL, fault);
	}
	service->sweep_failing = service->swept < 0;
}

static void license_tick(void *role, struct loop *loop)
{
	struct service *service = role;

	if (service->sweeping)
		return;
	/* A full queue: the next second will do. */
	service->sweeping = work_submit(loop->work, loop->uv, sweep_run, sweep_done, service) == 0;
}

static const struct program_role role = {
	.name = "fairlead-license",
	.default_config = "/etc/fairlead/license.yaml",
	.help = "licence service for PCoIP agents: seats and leases",
	.schema = &license_config_schema,
	.common = license_common,
	.check = license_config_check,
	.start = license_start,
	.begin = license_begin,
	.reload = license_reload,
	.tick = license_tick,
	.end = license_end,
};

int main(int argc, char **argv)
{
	return program_main(&role, argc, argv);
}
