#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#include "agent/agent.h"
#include "service/event.h"

/* The configured command ("systemd-inhibit --what=idle:sleep sleep infinity")
 * holds the host's power saving off for as long as it runs: while a session is
 * connected. The loop reaps it. */

static void freed(uv_handle_t *handle)
{
	free(handle);
}

static void exited(uv_process_t *process, int64_t status, int signal)
{
	struct agent *agent = process->data;

	(void)status;
	(void)signal;
	/* Not ours any more when the session has ended before it. */
	if (agent->awake == process)
		agent->awake = NULL;
	uv_close((uv_handle_t *)process, freed);
}

void agent_awake_begin(struct agent *agent)
{
	uv_process_options_t options = {
		.exit_cb = exited,
		.args = agent->keep_awake,
	};
	uv_process_t *process;
	int error;

	if (agent->keep_awake == NULL || agent->awake != NULL)
		return;
	process = calloc(1, sizeof(*process));
	if (process == NULL)
		return;
	options.file = agent->keep_awake[0];
	process->data = agent;
	error = uv_spawn(agent->loop->uv, process, &options);
	if (error != 0) {
		event_agent_awake_failed(
			agent->loop->log, agent->log_id, options.file, uv_strerror(error));
		uv_close((uv_handle_t *)process, freed);
		return;
	}
	agent->awake = process;
	event_server_power_saving(agent->loop->log, agent->log_id);
}

void agent_awake_end(struct agent *agent)
{
	uv_process_t *process = agent->awake;

	if (process == NULL)
		return;
	agent->awake = NULL;
	(void)uv_process_kill(process, SIGTERM);
	event_server_power_saving(agent->loop->log, agent->log_id);
}
