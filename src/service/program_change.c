/*
 * Signals: stopping and reloading. Everything here happens on loop 0.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "service/event.h"
#include "service/program_internal.h"

#define TICK_MILLISECONDS 1000

static const int signal_numbers[] = {SIGHUP, SIGTERM, SIGINT};

/* --- stopping --- */

void program_end_at_once(struct program *program, const char *reason, int status)
{
	event_program_stop_forced(program->log, NULL, reason);
	log_flush(program->log);
	_exit(status);
}

static void on_deadline(uv_timer_t *timer)
{
	program_end_at_once(timer->data, "open requests did not end in time", PROGRAM_EXIT_NOT_RUN);
}

static void stop(struct program *program, int number)
{
	if (program->stopping)
		program_end_at_once(program, "a second signal", PROGRAM_EXIT_STOPPED);
	program->stopping = true;
	event_program_stopping(program->log, NULL, number == SIGINT ? "SIGINT" : "SIGTERM");
	program_notify("STOPPING=1");
	uv_timer_start(&program->deadline, on_deadline, PROGRAM_STOP_SECONDS * 1000, 0);
	program_loops_command(program, PROGRAM_COMMAND_STOP);
}

void program_on_servers_stopped(struct program *program)
{
	uv_timer_stop(&program->tick);
	if (program->role->stop != NULL)
		program->role->stop(program->state, program);
	else
		program_stopped(program);
}

void program_stopped(struct program *program)
{
	assert(program->stopping);
	program_loops_command(program, PROGRAM_COMMAND_END);
}

void program_close_handles(struct program *program)
{
	if (!program->handles_open)
		return;
	program->handles_open = false;
	for (size_t i = 0; i < sizeof(signal_numbers) / sizeof(signal_numbers[0]); i++) {
		uv_close((uv_handle_t *)&program->signals[i], NULL);
		/* The end is near; a late signal must not turn it into another one. */
		(void)signal(signal_numbers[i], SIG_IGN);
	}
	uv_close((uv_handle_t *)&program->tick, NULL);
	uv_close((uv_handle_t *)&program->deadline, NULL);
}

/* --- reloading --- */

static void reopen_log(struct program *program, const struct settings *settings)
{
	if (log_reopen(program->log, settings_log_level(settings), settings->log.names) != 0)
		event_program_log_not_reopened(program->log, NULL, strerror(errno));
}

static void reload(struct program *program)
{
	const struct program_role *role = program->role;
	const struct settings *settings;
	struct config_fault fault = {""};
	struct config *config = NULL;
	SSL_CTX *contexts[2] = {NULL, NULL};
	int error;

	/* One after the other: the loops are still taking the last one over. */
	if (program->reloading) {
		program->reload_again = true;
		return;
	}
	error = program_load(role, program->file, &config, &fault);
	if (error != 0)
		goto refused;
	settings = role->common(config_data(config));
	error = program_contexts(program, config, settings, contexts, fault.text);
	if (error == 0 && role->reload != NULL)
		error = role->reload(program->state, config, fault.text);
	if (error != 0)
		goto refused;

	reopen_log(program, settings);
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX_free(program->contexts[i]);
		program->contexts[i] = contexts[i];
	}
	if (role->reload != NULL) {
		program->old_config = program->config;
		program->config = config;
		program->settings = settings;
	} else {
		program->old_config = config;
	}
	program->reloading = true;
	program_loops_command(program, PROGRAM_COMMAND_CONTEXT);
	return;
refused:
	event_program_reload_refused(
		program->log, NULL, fault.text[0] != '\0' ? fault.text : error_text(error));
	SSL_CTX_free(contexts[0]);
	SSL_CTX_free(contexts[1]);
	config_free(config);
}

void program_on_reloaded(struct program *program)
{
	bool again = program->reload_again;

	config_free(program->old_config);
	program->old_config = NULL;
	program->reloading = false;
	program->reload_again = false;
	event_program_reloaded(program->log, NULL, program->file);
	if (again && !program->stopping)
		reload(program);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct program *program = handle->data;

	if (number != SIGHUP)
		stop(program, number);
	else if (!program->stopping)
		reload(program);
}

static void on_tick(uv_timer_t *timer)
{
	struct program *program = timer->data;

	program->role->tick(program->state, &program->loops[0].loop);
}

void program_open_handles(struct program *program)
{
	uv_loop_t *uv = &program->loops[0].uv;

	uv_timer_init(uv, &program->tick);
	uv_timer_init(uv, &program->deadline);
	program->tick.data = program->deadline.data = program;
	if (program->role->tick != NULL)
		uv_timer_start(&program->tick, on_tick, TICK_MILLISECONDS, TICK_MILLISECONDS);
	for (size_t i = 0; i < sizeof(signal_numbers) / sizeof(signal_numbers[0]); i++) {
		uv_signal_init(uv, &program->signals[i]);
		program->signals[i].data = program;
		uv_signal_start(&program->signals[i], on_signal, signal_numbers[i]);
	}
	program->handles_open = true;
}
