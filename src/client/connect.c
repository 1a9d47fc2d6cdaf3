#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "client/connect_private.h"
#include "service/event.h"

#define ARENA_MAXIMUM (1024 * 1024) /* of one exchange */
#define BYE_TIMEOUT_MS 2000

static const struct connect_link real_link = {
	.start = link_client_start,
	.close = link_client_close,
	.free = link_client_free,
};

static int64_t now(const struct connect *connect)
{
	return clock_steady(connect->options.clock);
}

static void changed(struct connect *connect, enum record_change change)
{
	const struct connect_events *events = &connect->options.events;

	if (events->changed != NULL)
		events->changed(events->user, &connect->record, change, connect->stage);
}

/* ---- stages ---- */

void connect_open(struct connect *connect, enum record_stage_number stage)
{
	struct record_stage *at = &connect->record.stages[stage];

	connect->stage = stage;
	at->state = RECORD_OPEN;
	at->started = now(connect);
	changed(connect, RECORD_STAGE_STARTED);
}

void connect_pass(struct connect *connect)
{
	struct record_stage *at = &connect->record.stages[connect->stage];

	at->state = RECORD_PASSED;
	at->duration = now(connect) - at->started;
	if (at->duration > record_limit(at))
		at->warned = true;
	changed(connect, RECORD_STAGE_FINISHED);
}

void connect_learned(struct connect *connect)
{
	changed(connect, RECORD_STAGE_LEARNED);
}

void connect_notice(struct connect *connect)
{
	changed(connect, RECORD_NOTICE);
}

/* ---- the end ---- */

void connect_over(struct connect *connect)
{
	if (connect->step == CONNECT_OVER)
		return;
	connect->step = CONNECT_OVER;
	uv_timer_stop(&connect->timer);
	secret_wipe(&connect->target, sizeof(connect->target));
	changed(connect, RECORD_ENDED);
	connect->options.events.over(connect->options.events.user);
}

static void give_up_bye(uv_timer_t *timer)
{
	connect_over(timer->data);
}

/* The server keeps a session for us: say that it need not. Whether it answers is all the same. */
static void say_bye(struct connect *connect)
{
	connect->step = CONNECT_CLOSING;
	connect_send(connect, connect_message_bye(connect->arena), BYE_TIMEOUT_MS);
	if (connect->step == CONNECT_CLOSING)
		connect_timer(connect, BYE_TIMEOUT_MS * CLOCK_MILLISECOND, give_up_bye);
}

void connect_interrupted(struct connect *connect)
{
	connect->record.signal = SIGINT;
	say_bye(connect);
}

void connect_fail(struct connect *connect, const struct connect_fault *fault)
{
	struct record *record = &connect->record;
	struct record_failure *failure = &record->failure;
	struct record_stage *at = &record->stages[connect->stage];

	uv_timer_stop(&connect->timer);
	record->failed = true;
	failure->stage = connect->stage;
	failure->error = fault->error;
	failure->advice = fault->advice;
	snprintf(failure->result_id, sizeof(failure->result_id), "%s",
		fault->result_id != NULL ? fault->result_id : "");
	snprintf(
		failure->text, sizeof(failure->text), "%s", fault->text != NULL ? fault->text : "");
	snprintf(failure->detail, sizeof(failure->detail), "%s",
		fault->detail != NULL ? fault->detail : "");
	if (at->state == RECORD_OPEN) {
		at->state = RECORD_FAILED;
		at->duration = now(connect) - at->started;
		if (at->summary[0] == '\0')
			snprintf(at->summary, sizeof(at->summary), "%s",
				failure->result_id[0] != '\0' ? failure->result_id
							      : failure->detail);
		changed(connect, RECORD_STAGE_FINISHED);
	}
	event_client_failed(connect->options.log, connect_log_id(connect),
		record_stage_name(connect->stage),
		failure->result_id[0] != '\0' ? failure->result_id : failure->detail);
	if (connect->link != NULL && !connect->link_ended)
		connect->options.link->close(connect->link, LINK_CAUSE_MANUAL_USER_DISCONNECT);
	if (fault->polite && connect->cookie[0] != '\0')
		say_bye(connect);
	else
		connect_over(connect);
}

void connect_fail_own(struct connect *connect, int error)
{
	connect_fail(connect,
		&(struct connect_fault){
			.error = error,
			.detail = error_text(error),
			.advice = advice_case(ADVICE_CASE_OWN_ERROR),
		});
}

void connect_timer(struct connect *connect, int64_t microseconds, uv_timer_cb expired)
{
	uv_timer_start(&connect->timer, expired,
		(uint64_t)((microseconds + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND), 0);
}

/* ---- life ---- */

static void begin(uv_timer_t *timer)
{
	struct connect *connect = timer->data;
	static const int modes[] = {[CERTIFICATE_VERIFY_FULL] = 2,
		[CERTIFICATE_VERIFY_WARN] = 1,
		[CERTIFICATE_VERIFY_NONE] = 0};

	event_client_security_mode(connect->options.log, NULL, modes[connect->options.verify]);
	connect_open(connect, RECORD_INITIALISE);
	connect_resolve(connect, connect->options.host, connect->options.port);
}

/* A made-up address, marked as locally administered: servers want one that is not
 * blank, and the machine's own would identify it for ever. */
static int make_mac(const struct entropy *entropy, char mac[18])
{
	uint8_t bytes[5];
	int error = entropy_fill(entropy, bytes, sizeof(bytes));

	if (error == 0)
		snprintf(mac, 18, "02:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2],
			bytes[3], bytes[4]);
	return error;
}

int connect_start(const struct connect_options *options, struct connect **ret_connect)
{
	struct connect *connect = calloc(1, sizeof(*connect));
	bool bracket = strchr(options->host, ':') != NULL;
	int error = ERROR_MEMORY;

	if (connect == NULL)
		return ERROR_MEMORY;
	connect->options = *options;
	if (connect->options.port == 0)
		connect->options.port = CONNECT_PORT;
	if (options->link == NULL)
		connect->options.link = &real_link;
	if (connect->options.retry_interval == 0)
		connect->options.retry_interval = 2 * CLOCK_SECOND;
	if (connect->options.license_limit == 0)
		connect->options.license_limit = RECORD_STEP_LIMIT;
	if (connect->options.factor_notice == 0)
		connect->options.factor_notice = RECORD_STEP_LIMIT;
	snprintf(connect->address, sizeof(connect->address), bracket ? "[%s]:%u" : "%s:%u",
		options->host, connect->options.port);
	connect->policy = (struct certificate_policy){
		.verify = options->verify, .ca_file = options->ca_file, .name = options->host};
	connect->arena = arena_new(ARENA_MAXIMUM);
	if (connect->arena == NULL)
		goto failed;
	error = record_init(&connect->record, connect->address);
	if (error == 0)
		error = uuid_make(
			options->entropy, clock_wall(options->clock), connect->record.log_id);
	if (error == 0)
		error = make_mac(options->entropy, connect->mac);
	if (error != 0)
		goto failed;
	connect->record.list_only = options->list_only;
	connect->record.hold = options->hold;
	uv_timer_init(options->loop, &connect->timer);
	connect->timer.data = connect;
	uv_timer_start(&connect->timer, begin, 0, 0);
	*ret_connect = connect;
	return 0;
failed:
	record_free(&connect->record);
	arena_free(connect->arena);
	free(connect);
	return error;
}

void connect_stop(struct connect *connect, int signal)
{
	if (connect->step == CONNECT_OVER)
		return;
	if (connect->step == CONNECT_HOLD) {
		connect_session_stop(connect);
		return;
	}
	if (!connect->record.established && !connect->record.failed)
		connect->record.signal = signal;
	connect_forget_lookup(connect);
	if (connect->link != NULL)
		connect_session_stop(connect);
	connect_over(connect);
}

const struct record *connect_record(const struct connect *connect)
{
	return &connect->record;
}

static void closed(uv_handle_t *handle)
{
	struct connect *connect = handle->data;

	record_free(&connect->record);
	arena_free(connect->arena);
	secret_wipe(connect, sizeof(*connect));
	free(connect);
}

void connect_free(struct connect *connect)
{
	if (connect == NULL)
		return;
	connect->step = CONNECT_OVER;
	connect_forget_lookup(connect);
	if (connect->link != NULL)
		connect->options.link->free(connect->link);
	connect->link = NULL;
	uv_close((uv_handle_t *)&connect->timer, closed);
}
