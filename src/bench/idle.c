#include "bench/idle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/error.h"
#include "bench/channel.h"
#include "bench/process.h"
#include "bench/script.h"

#define EVENTS 256
#define PATIENCE (10 * CLOCK_SECOND) /* without any progress */
#define AT_ONCE 64                   /* handshakes or requests: no more than a backlog holds */
/* Idle is who has asked for nothing for a while; a server may take its time to notice. */
#define SETTLE (2 * CLOCK_SECOND)

struct idle {
	const struct options *options;
	struct idle_result *result;
	struct script *script;
	struct channel_target target;
	struct channel *channels;
	struct script_client client;
	unsigned standing;
	unsigned busy; /* opening, or waiting for an answer */
	unsigned done; /* of the present step, failed ones included */
};

static void note(struct idle *idle, const char *why)
{
	idle->result->errors++;
	if (idle->result->first_error[0] == '\0')
		snprintf(idle->result->first_error, LOAD_TEXT_SIZE, "%s", why);
}

static void lose(struct idle *idle, struct channel *channel, const char *why)
{
	bool stood = channel->state == CHANNEL_READY;

	note(idle, why);
	if (channel->state > CHANNEL_HANDSHAKE)
		idle->standing--;
	if (!stood) {
		idle->busy--;
		idle->done++;
	}
	channel_close(channel);
}

static void serve(struct idle *idle, struct channel *channel)
{
	char why[SCRIPT_WHY_SIZE];

	switch (channel_advance(channel, channel)) {
	case CHANNEL_NOTHING:
		break;
	case CHANNEL_OPENED:
		idle->standing++;
		idle->busy--;
		idle->done++;
		break;
	case CHANNEL_ANSWERED:
		idle->busy--;
		idle->done++;
		idle->client.cookie[0] = '\0';
		if (script_check(idle->script, SCRIPT_HELLO, &channel->answer, true, &idle->client,
			    why) != 0)
			note(idle, why);
		break;
	case CHANNEL_FAILED:
		lose(idle, channel, channel_why(channel));
		break;
	}
}

/* Lets things happen until `wanted` have been done, at most AT_ONCE at once, each begun by
 * `begin`; then, or with wanted 0, for `rest` microseconds more. */
static int let(struct idle *idle, unsigned wanted, bool (*begin)(struct idle *, struct channel *),
	int64_t rest, char why[LOAD_TEXT_SIZE])
{
	const struct clock *clock = clock_system();
	int64_t now = clock_steady(clock);
	int64_t progress = now;
	unsigned begun = 0, seen = 0;
	struct epoll_event events[EVENTS];

	idle->done = idle->busy = 0;
	while (idle->done < wanted || now - progress < rest) {
		int count;

		while (begun < wanted && idle->busy < AT_ONCE) {
			idle->busy++;
			if (!begin(idle, &idle->channels[begun++])) {
				idle->busy--;
				idle->done++;
			}
		}
		count = epoll_wait(idle->target.epoll, events, EVENTS, 20);
		now = clock_steady(clock);
		for (int i = 0; i < count; i++)
			serve(idle, events[i].data.ptr);
		if (idle->done > seen) {
			seen = idle->done;
			progress = now;
		}
		if (idle->done < wanted && now - progress > PATIENCE) {
			snprintf(why, LOAD_TEXT_SIZE, "the server has not answered for 10 seconds");
			return ERROR_INPUT;
		}
	}
	return 0;
}

static bool begin_open(struct idle *idle, struct channel *channel)
{
	if (channel_open(channel, channel) == 0)
		return true;
	note(idle, "no connection can be opened");
	return false;
}

static bool begin_hello(struct idle *idle, struct channel *channel)
{
	static const struct script_client nobody;

	if (channel->state != CHANNEL_READY)
		return false;
	if (script_request(idle->script, SCRIPT_HELLO, &nobody, &channel->out) == 0 &&
		channel_send(channel, channel) != CHANNEL_FAILED)
		return true;
	note(idle, channel_why(channel));
	channel_close(channel);
	idle->standing--;
	return false;
}

static int use(struct idle *idle, uint64_t *ret_resident, double *ret_cpu, char why[LOAD_TEXT_SIZE])
{
	if (process_use_all(idle->options->pids, idle->options->pid_count, ret_cpu, ret_resident) ==
		0)
		return 0;
	snprintf(why, LOAD_TEXT_SIZE, "a process named with --pid is not there");
	return ERROR_NOT_FOUND;
}

static int run(struct idle *idle, char why[LOAD_TEXT_SIZE])
{
	const struct options *options = idle->options;
	struct idle_result *result = idle->result;
	unsigned all = options->connections;
	double before, after;
	uint64_t resident;
	int error = use(idle, &result->resident_before, &before, why);

	if (error == 0)
		error = let(idle, all, begin_open, SETTLE, why);
	if (error == 0)
		error = use(idle, &result->resident_open, &before, why);
	if (error == 0)
		error = let(idle, all, begin_hello, SETTLE, why);
	if (error == 0)
		error = use(idle, &result->resident_used, &before, why);
	if (error == 0)
		error = let(idle, 0, NULL, (int64_t)(options->seconds * CLOCK_SECOND), why);
	if (error == 0)
		error = use(idle, &resident, &after, why);
	if (error != 0)
		return error;
	result->seconds = options->seconds;
	result->server_cpu = after - before;
	result->connections = idle->standing;
	if (idle->standing > 0)
		return 0;
	snprintf(why, LOAD_TEXT_SIZE, "not one connection stands: %.200s", result->first_error);
	return ERROR_INPUT;
}

int idle_run(
	const struct options *options, struct idle_result *ret_result, char why[LOAD_TEXT_SIZE])
{
	struct idle idle = {.options = options, .result = ret_result};
	char text[SCRIPT_WHY_SIZE];
	int error;

	memset(ret_result, 0, sizeof(*ret_result));
	error = channel_target_init(&idle.target, options->host, options->port);
	if (error != 0) {
		snprintf(why, LOAD_TEXT_SIZE, "%.200s: %s", options->host, error_text(error));
		goto out;
	}
	error = script_new(options, &idle.script, text);
	if (error != 0) {
		snprintf(why, LOAD_TEXT_SIZE, "%s", text);
		goto out;
	}
	idle.channels = calloc(options->connections, sizeof(*idle.channels));
	if (idle.channels == NULL) {
		snprintf(why, LOAD_TEXT_SIZE, "out of memory");
		error = ERROR_MEMORY;
		goto out;
	}
	for (unsigned i = 0; i < options->connections; i++)
		channel_init(&idle.channels[i], &idle.target);
	error = run(&idle, why);
	for (unsigned i = 0; i < options->connections; i++)
		channel_free(&idle.channels[i]);
out:
	free(idle.channels);
	script_free(idle.script);
	channel_target_free(&idle.target);
	return error;
}
