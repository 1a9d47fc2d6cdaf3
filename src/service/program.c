#include "service/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "service/event.h"
#include "service/program_internal.h"

/* --- what roles call --- */

static int add_socket(struct program *program, const struct program_listener *listener,
	const struct settings_listen *listen)
{
	struct program_socket *socket;
	char *address;

	if (program->socket_count == PROGRAM_LISTENERS_MAXIMUM)
		return ERROR_LIMIT;
	address = strdup(listen->address);
	if (address == NULL)
		return ERROR_MEMORY;
	socket = &program->sockets[program->socket_count++];
	socket->listener = *listener;
	socket->settings = *listen;
	socket->settings.address = address;
	socket->listener.listen = &socket->settings;
	return 0;
}

int program_listen(struct program *program, const struct program_listener *listener, unsigned count)
{
	int error = 0;

	for (unsigned i = 0; error == 0 && i < count; i++)
		error = add_socket(program, listener, &listener->listen[i]);
	return error;
}

int program_announce(struct program *program, const char *name, const char *address)
{
	struct program_announcement *announcement;

	if (program->announcement_count == PROGRAM_LISTENERS_MAXIMUM ||
		strlen(name) >= sizeof(announcement->name) ||
		strlen(address) >= sizeof(announcement->address))
		return ERROR_LIMIT;
	announcement = &program->announcements[program->announcement_count++];
	snprintf(announcement->name, sizeof(announcement->name), "%s", name);
	snprintf(announcement->address, sizeof(announcement->address), "%s", address);
	return 0;
}

struct log *program_log(struct program *program)
{
	return program->log;
}

const struct clock *program_clock(struct program *program)
{
	return program->clock;
}

const struct entropy *program_entropy(struct program *program)
{
	return program->entropy;
}

/* --- life --- */

int program_load(const struct program_role *role, const char *file, struct config **ret_config,
	struct config_fault *fault)
{
	struct config *config;
	int error = config_load(file, role->schema, &config, fault);

	if (error != 0)
		return error;
	error = settings_check(config, role->common(config_data(config)), fault);
	if (error == 0 && role->check != NULL)
		error = role->check(config, fault);
	if (error != 0) {
		config_free(config);
		return error;
	}
	*ret_config = config;
	return 0;
}

static int open_log(struct program *program, const char **ret_file, char fault[CONFIG_FAULT_SIZE])
{
	const struct settings *settings = program->settings;
	bool to_file = settings->log.file != NULL && strcmp(settings->log.file, "-") != 0;
	struct log_options options = {
		.file = to_file ? config_path(program->config, settings->log.file) : NULL,
		.level = settings_log_level(settings),
		.names = settings->log.names,
		.clock = program->clock,
	};
	int error =
		to_file && options.file == NULL ? ERROR_MEMORY : log_open(&options, &program->log);

	if (error != 0)
		snprintf(fault, CONFIG_FAULT_SIZE, "cannot open the log file '%s': %s",
			to_file ? options.file : "-",
			error == ERROR_SYSTEM ? strerror(errno) : error_text(error));
	else
		*ret_file = options.file;
	return error;
}

/* From the checked configuration to bound sockets and a role, with the rights of the start. */
static int set_up(struct program *program, const char **ret_log_file, char fault[CONFIG_FAULT_SIZE])
{
	struct http_limits limits = settings_http_limits(program->settings);
	unsigned workers = program->settings->workers;
	int error = open_log(program, ret_log_file, fault);

	if (error != 0)
		return error;
	if (workers == 0)
		workers = uv_available_parallelism();
	if (workers > SETTINGS_WORKERS_MAXIMUM)
		workers = SETTINGS_WORKERS_MAXIMUM;
	program->loop_count = workers;
	event_program_started(program->log, NULL, program->role->name, FAIRLEAD_VERSION,
		(int)workers, program->file);
	program->loops = calloc(workers, sizeof(*program->loops));
	program->work = work_queue_new(program->settings->limits.queue);
	program->guard = http_guard_new(&limits);
	if (program->loops == NULL || program->work == NULL || program->guard == NULL)
		return ERROR_MEMORY;
	error = program->role->start(program, program->config, fault, &program->state);
	if (error != 0)
		return error;
	program->state_valid = true;
	error = program_contexts(
		program, program->config, program->settings, program->contexts, fault);
	if (error == 0)
		error = program_bind(program, fault);
	return error;
}

static int begin(struct program *program, const char *log_file, char fault[CONFIG_FAULT_SIZE])
{
	int error = program_drop_rights(program->settings->user, log_file, fault);

	if (error == 0 && program->settings->user != NULL)
		event_program_rights_dropped(program->log, NULL, program->settings->user);
	if (error == 0)
		error = program_loops_open(program, fault);
	if (error != 0)
		return error;
	program_open_handles(program);
	if (program->role->begin != NULL)
		error = program->role->begin(program->state, &program->loops[0].loop, fault);
	if (error == 0)
		error = program_loops_serve(program, fault);
	return error;
}

static void say_ready(struct program *program)
{
	for (unsigned i = 0; i < program->socket_count; i++)
		event_program_listening(program->log, NULL, program->sockets[i].address,
			program->sockets[i].listener.name);
	for (unsigned i = 0; i < program->announcement_count; i++)
		event_program_listening(program->log, NULL, program->announcements[i].address,
			program->announcements[i].name);
	event_program_ready(program->log, NULL);
	log_flush(program->log);
	program_tell_ready(program);
	program_notify("READY=1");
}

static void tear_down(struct program *program)
{
	program_loops_close(program);
	if (program->state_valid && program->role->end != NULL)
		program->role->end(program->state);
	http_guard_free(program->guard);
	work_queue_free(program->work);
	config_free(program->old_config);
	config_free(program->config);
}

static int run(struct program *program)
{
	char fault[CONFIG_FAULT_SIZE] = "";
	const char *log_file = NULL;
	int error;

	program_prepare_process();
	error = set_up(program, &log_file, fault);
	if (error == 0)
		error = begin(program, log_file, fault);
	if (error == 0) {
		say_ready(program);
		error = program_loops_run(program, fault);
		if (error != 0)
			program_end_at_once(program, fault, PROGRAM_EXIT_NOT_RUN);
	} else {
		if (fault[0] == '\0')
			snprintf(fault, sizeof(fault), "%s", error_text(error));
		event_program_start_failed(program->log, NULL, fault);
		/* Whoever started it by hand looks at the terminal, not into a file. */
		if (program->log == NULL || log_file != NULL)
			fprintf(stderr, "%s: %s\n", program->role->name, fault);
		program_loops_abandon(program);
	}
	tear_down(program);
	if (error == 0)
		event_program_stopped(program->log, NULL, program->role->name);
	log_close(program->log);
	return error == 0 ? PROGRAM_EXIT_STOPPED : PROGRAM_EXIT_NOT_RUN;
}

int program_main(const struct program_role *role, int argc, char **argv)
{
	struct config_fault fault = {""};
	struct program *program;
	struct entropy_pool *pool;
	struct program_options options;
	struct config *config;
	int status;

	if (!program_options_read(role, argc, argv, &options, &status))
		return status;
	if (program_load(role, options.config, &config, &fault) != 0) {
		fprintf(stderr, "%s\n", fault.text);
		return PROGRAM_EXIT_BAD_CONFIG;
	}
	if (options.check) {
		printf("%s: the configuration is good\n", options.config);
		config_free(config);
		return PROGRAM_EXIT_STOPPED;
	}
	program = calloc(1, sizeof(*program));
	pool = entropy_pool_new();
	if (program == NULL || pool == NULL) {
		fprintf(stderr, "%s: %s\n", role->name, error_text(ERROR_MEMORY));
		entropy_pool_free(pool);
		free(program);
		config_free(config);
		return PROGRAM_EXIT_NOT_RUN;
	}
	program->entropy = entropy_pool(pool);
	program->role = role;
	program->file = options.config;
	program->config = config;
	program->settings = role->common(config_data(config));
	program->clock = clock_system();
	program->ready_fd = options.ready_fd;
	status = run(program);
	free(program);
	entropy_pool_free(pool);
	return status;
}
