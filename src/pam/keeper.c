#include "pam/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "identity/pam_packet.h"

#define ARENA_MAXIMUM 8192 /* one question's texts */
#define ORPHANS_FILE "/proc/thread-self/children"
#define SET_UP 2 /* descriptors polled besides those of the processes */

/* The process of one question. */
struct task {
	pid_t process;
	int channel; /* our copy of its end: to see the program's end close, and to speak when it
			dies */
	int64_t end; /* steady; it is killed then */
	bool is_late;
	bool is_ending; /* was killed */
};

struct keeper {
	const struct keeper_options *options;
	const struct clock *clock;
	int socket;
	int signals; /* signalfd: children have ended */
	struct task *tasks;
	struct pollfd *polled; /* socket, signals, the channel of each task */
	size_t count;
	struct arena *arena;
	struct buffer packet;
};

static void kill_task(struct task *task)
{
	task->is_ending = true;
	(void)kill(-task->process, SIGKILL);
	(void)kill(task->process, SIGKILL);
}

/* The process that was forked: keeps nothing of the keeper but its own channel. */
__attribute__((noreturn)) static void be_question(
	struct keeper *keeper, const struct pam_wire_question *question, int channel)
{
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)setpgid(0, 0);
	if (dup3(channel, PAM_WIRE_DESCRIPTOR, O_CLOEXEC) < 0)
		_exit(EXIT_FAILURE);
	closefrom(PAM_WIRE_DESCRIPTOR + 1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* No exit handlers: they belong to the keeper, or to a module that did its worst. */
	_exit(question_answer(&keeper->options->service, question, PAM_WIRE_DESCRIPTOR)
			? EXIT_SUCCESS
			: EXIT_FAILURE);
}

static void say(struct keeper *keeper, int channel, enum reason reason, const char *detail)
{
	struct pam_wire_answer answer = {.reason = reason, .name = "", .detail = detail};

	buffer_clear(&keeper->packet);
	if (pam_wire_write_answer(&keeper->packet, &answer) == 0)
		(void)pam_packet_send(channel, &keeper->packet, -1, NULL, 0);
}

static void begin_task(struct keeper *keeper, const struct pam_wire_question *question, int channel)
{
	pid_t process = fork();

	if (process == 0)
		be_question(keeper, question, channel);
	if (process < 0) {
		say(keeper, channel, REASON_PAM_FAILED,
			"no process could be started for the question");
		close(channel);
		return;
	}
	/* Both sides do it, so that neither is too late. */
	(void)setpgid(process, process);
	keeper->tasks[keeper->count++] = (struct task){.process = process,
		.channel = channel,
		.end = clock_steady(keeper->clock) + question->limit * CLOCK_MILLISECOND};
}

/* False: the program has gone. */
static bool take_question(struct keeper *keeper)
{
	struct pam_wire_question question;
	int channel = -1;
	int error = pam_packet_receive(
		keeper->socket, &keeper->packet, &channel, keeper->clock, INT64_MAX);

	if (error == ERROR_CLOSED || error == ERROR_SYSTEM)
		return false;
	if (channel < 0)
		return true;
	if (error == 0)
		error = pam_wire_read_question(
			keeper->packet.bytes, keeper->packet.length, keeper->arena, &question);
	if (error == 0) {
		begin_task(keeper, &question, channel);
	} else {
		say(keeper, channel, REASON_PAM_FAILED, "the question was not understood");
		close(channel);
	}
	arena_reset(keeper->arena);
	return true;
}

static void tell_end(struct keeper *keeper, const struct task *task, int status)
{
	char detail[128];

	if (task->is_late)
		snprintf(detail, sizeof(detail), "PAM gave no answer in time");
	else if (WIFSIGNALED(status))
		snprintf(detail, sizeof(detail),
			"the process that asked PAM was ended by signal %d (%s)", WTERMSIG(status),
			sigdescr_np(WTERMSIG(status)));
	else
		snprintf(detail, sizeof(detail), "the process that asked PAM ended with status %d",
			WEXITSTATUS(status));
	say(keeper, task->channel, REASON_PAM_SILENT, detail);
}

static void end_task(struct keeper *keeper, pid_t process, int status)
{
	for (size_t i = 0; i < keeper->count; i++) {
		struct task *task = &keeper->tasks[i];

		if (task->process != process)
			continue;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
			tell_end(keeper, task, status);
		close(task->channel);
		*task = keeper->tasks[--keeper->count];
		return;
	}
}

static bool is_task(const struct keeper *keeper, pid_t process)
{
	for (size_t i = 0; i < keeper->count; i++) {
		if (keeper->tasks[i].process == process)
			return true;
	}
	return false;
}

/* What a question's process leaves behind becomes our child (PR_SET_CHILD_SUBREAPER), and so do its
 * own children once it has been ended. While the process lives they are its own, for the same
 * reason. */
static void kill_orphans(const struct keeper *keeper)
{
	FILE *children = fopen(ORPHANS_FILE, "re");
	char number[16];

	if (children == NULL)
		return;
	while (fscanf(children, "%15s", number) == 1) {
		pid_t process = (pid_t)strtol(number, NULL, 10);

		if (process > 0 && !is_task(keeper, process))
			(void)kill(process, SIGKILL);
	}
	fclose(children);
}

static void collect(struct keeper *keeper)
{
	struct signalfd_siginfo signal;
	bool any = false;
	pid_t process;
	int status;

	while (read(keeper->signals, &signal, sizeof(signal)) > 0)
		continue;
	while ((process = waitpid(-1, &status, WNOHANG)) > 0) {
		end_task(keeper, process, status);
		any = true;
	}
	if (any)
		kill_orphans(keeper);
}

/* -1: no process runs. */
static int time_left(const struct keeper *keeper)
{
	int64_t now = clock_steady(keeper->clock), left = INT64_MAX;

	for (size_t i = 0; i < keeper->count; i++) {
		const struct task *task = &keeper->tasks[i];
		int64_t of_task = task->end > now ? task->end - now : 0;

		if (!task->is_ending && of_task < left)
			left = of_task;
	}
	if (left == INT64_MAX)
		return -1;
	return (int)((left + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND);
}

static int wait_for_something(struct keeper *keeper)
{
	struct pollfd *polled = keeper->polled;
	bool full = keeper->count == keeper->options->at_once;

	/* A closed socket is told even when no questions are taken. */
	polled[0] = (struct pollfd){.fd = keeper->socket, .events = full ? 0 : POLLIN};
	polled[1] = (struct pollfd){.fd = keeper->signals, .events = POLLIN};
	for (size_t i = 0; i < keeper->count; i++)
		polled[SET_UP + i] = (struct pollfd){
			.fd = keeper->tasks[i].is_ending ? -1 : keeper->tasks[i].channel};
	if (poll(polled, SET_UP + keeper->count, time_left(keeper)) < 0 && errno != EINTR)
		return ERROR_SYSTEM;
	return 0;
}

/* Kills what was given up or takes too long; it is collected when its end is told. */
static void end_late(struct keeper *keeper)
{
	int64_t now = clock_steady(keeper->clock);

	for (size_t i = 0; i < keeper->count; i++) {
		struct task *task = &keeper->tasks[i];

		if (task->is_ending)
			continue;
		task->is_late = now >= task->end;
		if (task->is_late ||
			(keeper->polled[SET_UP + i].revents & (POLLHUP | POLLERR)) != 0)
			kill_task(task);
	}
}

static int serve(struct keeper *keeper)
{
	for (;;) {
		int error = wait_for_something(keeper);
		short asked = keeper->polled[0].revents;

		if (error != 0)
			return error;
		end_late(keeper);
		if ((keeper->polled[1].revents & POLLIN) != 0)
			collect(keeper);
		if ((asked & (POLLHUP | POLLERR | POLLNVAL)) != 0)
			return 0;
		if ((asked & POLLIN) != 0 && !take_question(keeper))
			return 0;
	}
}

static void end_all(struct keeper *keeper)
{
	pid_t process;
	int status;

	for (size_t i = 0; i < keeper->count; i++)
		kill_task(&keeper->tasks[i]);
	do {
		kill_orphans(keeper);
		process = waitpid(-1, &status, 0);
		if (process > 0)
			end_task(keeper, process, status);
	} while (process > 0 || errno == EINTR);
}

static int open_signals(void)
{
	sigset_t children;

	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &children, NULL) != 0)
		return -1;
	return signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int set_up(struct keeper *keeper)
{
	unsigned at_once = keeper->options->at_once;
	int error;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return ERROR_SYSTEM;
	keeper->signals = open_signals();
	if (keeper->signals < 0)
		return ERROR_SYSTEM;
	keeper->tasks = calloc(at_once, sizeof(*keeper->tasks));
	keeper->polled = calloc(SET_UP + at_once, sizeof(*keeper->polled));
	keeper->arena = arena_new(ARENA_MAXIMUM);
	if (keeper->tasks == NULL || keeper->polled == NULL || keeper->arena == NULL ||
		buffer_reserve(&keeper->packet, PAM_WIRE_MAXIMUM) == NULL)
		return ERROR_MEMORY;
	error = pam_wire_write_ready(&keeper->packet);
	if (error == 0)
		error = pam_packet_send(keeper->socket, &keeper->packet, -1, NULL, 0);
	return error;
}

int keeper_run(const struct keeper_options *options, int socket)
{
	struct keeper keeper = {
		.options = options, .clock = clock_system(), .socket = socket, .signals = -1};
	int error;

	buffer_init(&keeper.packet, PAM_WIRE_MAXIMUM);
	error = set_up(&keeper);
	if (error == 0)
		error = serve(&keeper);
	end_all(&keeper);
	if (keeper.signals >= 0)
		close(keeper.signals);
	arena_free(keeper.arena);
	free(keeper.polled);
	free(keeper.tasks);
	buffer_free(&keeper.packet);
	return error;
}
