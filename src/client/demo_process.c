#include "client/demo_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

#define READY_MAXIMUM 4096
#define EXEC_FAILED 127

struct demo_process {
	pid_t id;
	int descriptor; /* pidfd: becomes readable when the child ends */
	uv_poll_t watch;
	uv_pipe_t pipe; /* the ready descriptor's other end */
	bool ready, ended;
	char said[READY_MAXIMUM + 1]; /* lines of addresses, then "ready"; NUL between once ready */
	size_t length;
	char end_text[80];
	unsigned open;
};

/* ---- the child ---- */

/* Between fork and exec: only what is safe after a fork. */
static void become(const struct demo_process_options *options, pid_t parent, int ready, int log)
{
	char number[16];
	char *const arguments[] = {(char *)(uintptr_t)options->program, (char[]){"--config"},
		(char *)(uintptr_t)options->config, (char[]){"--ready-fd"}, number, NULL};
	sigset_t none;

	/* The demo may be killed in any way: then its children go too. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(EXEC_FAILED);
	/* Ctrl-C is for the demo, which stops its children in their order. */
	(void)setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0 ||
		(options->arguments == NULL && fcntl(ready, F_SETFD, 0) != 0))
		_exit(EXEC_FAILED);
	snprintf(number, sizeof(number), "%d", ready);
	execv(options->program,
		options->arguments != NULL ? (char *const *)(uintptr_t)options->arguments
					   : arguments);
	dprintf(STDERR_FILENO, "%s: %s\n", options->program, strerror(errno));
	_exit(EXEC_FAILED);
}

/* ---- the parent ---- */

static void closed(uv_handle_t *handle)
{
	struct demo_process *process = handle->data;

	if (--process->open > 0)
		return;
	close(process->descriptor);
	free(process);
}

static void ended(uv_poll_t *watch, int status, int events)
{
	struct demo_process *process = watch->data;
	int how;

	(void)events;
	if (status != 0 || waitpid(process->id, &how, WNOHANG) != process->id)
		return;
	uv_poll_stop(watch);
	process->ended = true;
	if (WIFEXITED(how))
		snprintf(process->end_text, sizeof(process->end_text), "ended with status %d",
			WEXITSTATUS(how));
	else
		snprintf(process->end_text, sizeof(process->end_text),
			"was ended by signal %d (%s)", WTERMSIG(how), strsignal(WTERMSIG(how)));
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
	struct demo_process *process = handle->data;

	(void)suggested;
	*room = uv_buf_init(
		process->said + process->length, (unsigned)(READY_MAXIMUM - process->length));
}

static void heard(uv_stream_t *stream, ssize_t length, const uv_buf_t *room)
{
	struct demo_process *process = stream->data;
	size_t end;

	(void)room;
	if (length < 0) {
		uv_read_stop(stream);
		return;
	}
	process->length += (size_t)length;
	process->said[process->length] = '\0';
	end = process->length;
	if (end >= 6 && strcmp(process->said + end - 6, "ready\n") == 0 &&
		(end == 6 || process->said[end - 7] == '\n')) {
		for (size_t i = 0; i < end; i++) {
			if (process->said[i] == '\n')
				process->said[i] = '\0';
		}
		process->ready = true;
	}
}

static int watch(struct demo_process *process, uv_loop_t *loop, int ready)
{
	int error;

	uv_pipe_init(loop, &process->pipe, 0);
	process->pipe.data = process;
	process->open++;
	if (uv_poll_init(loop, &process->watch, process->descriptor) != 0)
		return ERROR_SYSTEM;
	process->watch.data = process;
	process->open++;
	error = uv_pipe_open(&process->pipe, ready);
	if (error == 0)
		error = uv_read_start((uv_stream_t *)&process->pipe, give_room, heard);
	if (error == 0)
		error = uv_poll_start(&process->watch, UV_READABLE, ended);
	return error == 0 ? 0 : ERROR_SYSTEM;
}

int demo_process_start(
	const struct demo_process_options *options, struct demo_process **ret_process)
{
	struct demo_process *process = calloc(1, sizeof(*process));
	pid_t parent = getpid();
	int ends[2] = {-1, -1};
	int log = -1;

	if (process == NULL)
		return ERROR_MEMORY;
	process->descriptor = -1;
	log = open(options->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log < 0 || pipe2(ends, O_CLOEXEC) != 0)
		goto failed;
	process->id = fork();
	if (process->id < 0)
		goto failed;
	if (process->id == 0)
		become(options, parent, ends[1], log);
	close(ends[1]);
	ends[1] = -1;
	process->descriptor = pidfd_open(process->id, 0);
	if (process->descriptor < 0 || watch(process, options->loop, ends[0]) != 0) {
		kill(process->id, SIGKILL);
		(void)waitpid(process->id, NULL, 0);
		goto failed;
	}
	close(log);
	*ret_process = process;
	return 0;
failed:
	if (log >= 0)
		close(log);
	if (ends[1] >= 0)
		close(ends[1]);
	if (process->open > 0) {
		process->ended = true;
		demo_process_free(process);
	} else {
		if (ends[0] >= 0)
			close(ends[0]);
		if (process->descriptor >= 0)
			close(process->descriptor);
		free(process);
	}
	return ERROR_SYSTEM;
}

bool demo_process_ready(const struct demo_process *process)
{
	return process->ready;
}

bool demo_process_ended(const struct demo_process *process)
{
	return process->ended;
}

const char *demo_process_end_text(const struct demo_process *process)
{
	return process->end_text;
}

pid_t demo_process_id(const struct demo_process *process)
{
	return process->id;
}

const char *demo_process_address(const struct demo_process *process, const char *name)
{
	size_t length = strlen(name);
	size_t at = 0;

	while (process->ready && at < process->length) {
		const char *line = process->said + at;

		if (strncmp(line, name, length) == 0 && line[length] == '=')
			return line + length + 1;
		at += strlen(line) + 1;
	}
	return "";
}

void demo_process_signal(struct demo_process *process, int signal)
{
	if (!process->ended)
		(void)pidfd_send_signal(process->descriptor, signal, NULL, 0);
}

void demo_process_free(struct demo_process *process)
{
	if (process == NULL)
		return;
	uv_close((uv_handle_t *)&process->pipe, closed);
	if (process->open > 1)
		uv_close((uv_handle_t *)&process->watch, closed);
}
