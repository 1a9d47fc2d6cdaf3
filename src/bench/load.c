#include "bench/load.h"

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
#define TICK_MILLISECONDS 50
/* So many failures without one success: there is nothing to measure. */
#define HOPELESS 1000

struct lane {
	struct channel channel;
	enum script_step step;
	struct script_client client;
	int64_t started; /* the operation */
	int64_t touched; /* the last sign of life */
};

struct load {
	const struct options *options;
	struct script *script;
	struct channel_target target;
	struct lane *lanes;
	struct load_result *result;
	uint64_t begun_count; /* operations, ever */
	uint64_t answers;     /* ever */
	bool succeeded;       /* ever */
	uint64_t failures;    /* ever */
	bool measuring;
	int64_t begun;
	int64_t now;
	double server_cpu;
};

static void begin_operation(struct load *load, struct lane *lane);

static void note_failure(struct load *load, const char *why)
{
	load->failures++;
	if (load->measuring)
		load->result->errors++;
	if (load->result->first_error[0] == '\0')
		snprintf(load->result->first_error, LOAD_TEXT_SIZE, "%s", why);
}

/* Tried again at the next tick, so that a server that refuses everything is not stormed. */
static void fail(struct load *load, struct lane *lane, const char *why)
{
	note_failure(load, why);
	channel_close(&lane->channel);
}

static void ask(struct load *load, struct lane *lane)
{
	if (script_request(load->script, lane->step, &lane->client, &lane->channel.out) != 0)
		fail(load, lane, "out of memory");
	else if (channel_send(&lane->channel, lane) == CHANNEL_FAILED)
		fail(load, lane, channel_why(&lane->channel));
}

static void begin_operation(struct load *load, struct lane *lane)
{
	if (load->options->count > 0 && load->begun_count == load->options->count)
		return;
	load->begun_count++;
	lane->started = lane->touched = load->now;
	lane->step = SCRIPT_HELLO;
	script_begin(load->script, &lane->client);
	if (lane->channel.state == CHANNEL_READY)
		ask(load, lane);
	else if (channel_open(&lane->channel, lane) != 0)
		note_failure(load, "no connection can be opened");
}

static void end_operation(struct load *load, struct lane *lane)
{
	load->succeeded = true;
	if (load->measuring) {
		load->result->operations++;
		tally_add(&load->result->latency, clock_steady(clock_system()) - lane->started);
	}
	if (load->options->mode != BENCH_HELLO || !lane->channel.answer.keep_alive)
		channel_close(&lane->channel);
	begin_operation(load, lane);
}

static void take_answer(struct load *load, struct lane *lane)
{
	const struct options *options = load->options;
	const struct answer *answer = &lane->channel.answer;
	bool logon = options->mode == BENCH_LOGON;
	bool thorough = logon || load->answers % options->check == 0;
	char why[SCRIPT_WHY_SIZE];

	load->answers++;
	if (script_check(load->script, lane->step, answer, thorough, &lane->client, why) != 0) {
		fail(load, lane, why);
		return;
	}
	if (load->measuring) {
		load->result->messages++;
		load->result->checked += thorough && !options->plain;
		load->result->body_bytes = answer->body.length;
		load->result->answer_bytes = answer->bytes;
	}
	if (!logon || lane->step == SCRIPT_BYE) {
		end_operation(load, lane);
	} else if (!answer->keep_alive) {
		fail(load, lane, "the server closes in the middle of a logon");
	} else {
		lane->step++;
		ask(load, lane);
	}
}

static void serve(struct load *load, struct lane *lane)
{
	lane->touched = load->now;
	switch (channel_advance(&lane->channel, lane)) {
	case CHANNEL_NOTHING:
		break;
	case CHANNEL_OPENED:
		ask(load, lane);
		break;
	case CHANNEL_ANSWERED:
		take_answer(load, lane);
		break;
	case CHANNEL_FAILED:
		fail(load, lane, channel_why(&lane->channel));
		break;
	}
}

/* Gives up on whoever is silent and starts again whoever failed. */
static void tick(struct load *load)
{
	int64_t patience = (int64_t)(load->options->patience * CLOCK_SECOND);

	for (unsigned i = 0; i < load->options->connections; i++) {
		struct lane *lane = &load->lanes[i];

		if (lane->channel.state != CHANNEL_CLOSED && load->now - lane->touched > patience)
			fail(load, lane, "no answer in time");
		if (lane->channel.state == CHANNEL_CLOSED)
			begin_operation(load, lane);
	}
}

static int start_measuring(struct load *load, char why[LOAD_TEXT_SIZE])
{
	uint64_t resident;

	if (process_use_all(load->options->pids, load->options->pid_count, &load->server_cpu,
		    &resident) != 0) {
		snprintf(why, LOAD_TEXT_SIZE, "a process named with --pid is not there");
		return ERROR_NOT_FOUND;
	}
	load->begun = load->now;
	load->measuring = true;
	return 0;
}

static int stop_measuring(struct load *load, char why[LOAD_TEXT_SIZE])
{
	struct load_result *result = load->result;
	double cpu;

	if (process_use_all(load->options->pids, load->options->pid_count, &cpu,
		    &result->server_resident) != 0) {
		snprintf(why, LOAD_TEXT_SIZE, "a process named with --pid has ended");
		return ERROR_NOT_FOUND;
	}
	result->server_cpu = cpu - load->server_cpu;
	result->seconds = (double)(load->now - load->begun) / (double)CLOCK_SECOND;
	return 0;
}

static bool is_over(const struct load *load, int64_t end)
{
	const struct load_result *result = load->result;

	if (load->options->count > 0)
		return result->operations + result->errors >= load->options->count;
	return load->now >= end;
}

/* Until something happened; unless it is to sleep, it asks again and again: waking a sleeper would
 * be work of the server's core. */
static void let_happen(struct load *load, int64_t next_tick)
{
	struct epoll_event events[EVENTS];
	int64_t before = clock_steady(clock_system());
	int64_t left = (next_tick - before + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND;
	int count = epoll_wait(load->target.epoll, events, EVENTS,
		load->options->sleep && left > 0 ? (int)left : 0);

	load->now = clock_steady(clock_system());
	if ((count <= 0 || load->options->sleep) && load->measuring)
		load->result->waited += (double)(load->now - before) / (double)CLOCK_SECOND;
	for (int i = 0; i < count; i++)
		serve(load, events[i].data.ptr);
}

static int run(struct load *load, char why[LOAD_TEXT_SIZE])
{
	const struct options *options = load->options;
	const struct clock *clock = clock_system();
	bool counted = options->count > 0;
	int64_t next_tick = clock_steady(clock);
	int64_t start = next_tick + (counted ? 0 : (int64_t)(options->warm_up * CLOCK_SECOND));
	int64_t end = start + (int64_t)(options->seconds * CLOCK_SECOND);

	for (;;) {
		load->now = clock_steady(clock);
		if (!load->measuring && load->now >= start && start_measuring(load, why) != 0)
			return ERROR_NOT_FOUND;
		if (is_over(load, end))
			return stop_measuring(load, why);
		if (load->now >= next_tick) {
			next_tick = load->now + TICK_MILLISECONDS * CLOCK_MILLISECOND;
			tick(load);
		}
		if (!load->succeeded && load->failures >= HOPELESS)
			break;
		let_happen(load, next_tick);
	}
	snprintf(why, LOAD_TEXT_SIZE, "nothing succeeds: %.200s", load->result->first_error);
	return ERROR_INPUT;
}

int load_run(
	const struct options *options, struct load_result *ret_result, char why[LOAD_TEXT_SIZE])
{
	struct load load = {.options = options, .result = ret_result};
	char text[SCRIPT_WHY_SIZE];
	int error;

	memset(ret_result, 0, sizeof(*ret_result));
	error = channel_target_init(&load.target, options->host, options->port);
	if (error != 0) {
		snprintf(why, LOAD_TEXT_SIZE, "%.200s: %s", options->host, error_text(error));
		goto out;
	}
	load.target.addresses = options->addresses;
	error = script_new(options, &load.script, text);
	if (error != 0) {
		snprintf(why, LOAD_TEXT_SIZE, "%s", text);
		goto out;
	}
	load.lanes = calloc(options->connections, sizeof(*load.lanes));
	if (load.lanes == NULL) {
		snprintf(why, LOAD_TEXT_SIZE, "out of memory");
		error = ERROR_MEMORY;
		goto out;
	}
	for (unsigned i = 0; i < options->connections; i++)
		channel_init(&load.lanes[i].channel, &load.target);
	error = run(&load, why);
	for (unsigned i = 0; i < options->connections; i++)
		channel_free(&load.lanes[i].channel);
	if (error == 0 && ret_result->operations == 0) {
		snprintf(why, LOAD_TEXT_SIZE, "nothing succeeded: %.200s",
			ret_result->first_error[0] != '\0' ? ret_result->first_error : "too slow");
		error = ERROR_INPUT;
	}
out:
	free(load.lanes);
	script_free(load.script);
	channel_target_free(&load.target);
	return error;
}
