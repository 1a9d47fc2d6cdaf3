#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "client/connect_private.h"
#include "service/event.h"
#include "service/trace.h"

#define ARENA_MAXIMUM (1024 * 1024) /* of one exchange */
#define BYE_TIMEOUT_MS 2000
#define USER_AGENT "Mozilla/4.0 (compatible; MSIE 6.0)" /* what soft clients send */

struct connect_lookup {
	uv_getaddrinfo_t request; /* first */
	struct connect *connect;  /* NULL: nobody waits any more */
	uint16_t port;
};

static const struct connect_link real_link = {
	.start = link_client_start,
	.close = link_client_close,
	.free = link_client_free,
};

static const char *log_id(const struct connect *connect)
{
	return connect->step <= CONNECT_PROBE ? NULL : connect->record.log_id;
}

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
	if (at->duration > RECORD_STEP_LIMIT)
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
	snprintf(failure->text, sizeof(failure->text), "%s", fault->text != NULL ? fault->text : "");
	snprintf(failure->detail, sizeof(failure->detail), "%s",
		fault->detail != NULL ? fault->detail : "");
	if (at->state == RECORD_OPEN) {
		at->state = RECORD_FAILED;
		at->duration = now(connect) - at->started;
		if (at->summary[0] == '\0')
			snprintf(at->summary, sizeof(at->summary), "%s",
				failure->result_id[0] != '\0' ? failure->result_id : failure->detail);
		changed(connect, RECORD_STAGE_FINISHED);
	}
	event_client_failed(connect->options.log, log_id(connect), record_stage_name(connect->stage),
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
	connect_fail(connect, &(struct connect_fault) {
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

/* ---- names ---- */

static void fail_lookup(struct connect *connect, int error, const char *host, const char *why)
{
	enum advice_side side
		= connect->step == CONNECT_RESOLVE ? ADVICE_BROKERING : ADVICE_SESSION;
	char detail[RECORD_TEXT_SIZE];

	snprintf(detail, sizeof(detail), "the name '%s' was not resolved: %s", host, why);
	if (side == ADVICE_BROKERING)
		event_client_unreachable(connect->options.log, NULL, host);
	connect_fail(connect, &(struct connect_fault) {
		.error = error, .detail = detail, .advice = advice_error(side, ERROR_NOT_FOUND) });
}

static const char *lookup_host(const struct connect *connect)
{
	return connect->step == CONNECT_RESOLVE ? connect->options.host : connect->target.host;
}

static void lookup_expired(uv_timer_t *timer)
{
	struct connect *connect = timer->data;

	connect->lookup->connect = NULL;
	connect->lookup = NULL;
	fail_lookup(connect, ERROR_TIMEOUT, lookup_host(connect), "no answer within 5 s");
}

static void looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct connect_lookup *lookup = (struct connect_lookup *)request;
	struct connect *connect = lookup->connect;
	char *address;
	size_t size;

	if (connect != NULL) {
		connect->lookup = NULL;
		uv_timer_stop(&connect->timer);
		address = connect->step == CONNECT_RESOLVE ? connect->server_address
		                                           : connect->target.address;
		size = sizeof(connect->server_address);
		if (status == 0
			&& getnameinfo(found->ai_addr, found->ai_addrlen, address, (socklen_t)size, NULL, 0,
				   NI_NUMERICHOST)
				!= 0)
			status = UV_EAI_FAIL;
		if (status == 0)
			connect_resolved(connect);
		else
			fail_lookup(connect, ERROR_UNREACHABLE, lookup_host(connect), uv_strerror(status));
	}
	uv_freeaddrinfo(found);
	free(lookup);
}

void connect_resolve(struct connect *connect, const char *host, uint16_t port)
{
	struct connect_lookup *lookup = calloc(1, sizeof(*lookup));
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char service[8];

	if (lookup == NULL) {
		connect_fail_own(connect, ERROR_MEMORY);
		return;
	}
	snprintf(service, sizeof(service), "%u", port);
	lookup->connect = connect;
	if (uv_getaddrinfo(connect->options.loop, &lookup->request, looked_up, host, service, &hints)
		!= 0) {
		free(lookup);
		connect_fail_own(connect, ERROR_SYSTEM);
		return;
	}
	connect->lookup = lookup;
	connect_timer(connect, RECORD_STEP_LIMIT, lookup_expired);
}

/* ---- calls ---- */

static void note_certificate(struct connect *connect, const struct certificate_report *report)
{
	struct record *record = &connect->record;

	if (report == NULL || report->fingerprint[0] == '\0' || record->has_certificate)
		return;
	record->has_certificate = true;
	record->certificate = *report;
	event_client_certificate(connect->options.log, log_id(connect), connect->address,
		report->troubles == 0 ? "verified" : report->text);
	if (report->troubles != 0 && connect->options.verify == CERTIFICATE_VERIFY_WARN) {
		record_notice(record, "the certificate of %s is not to be trusted: %s", connect->address,
			report->text);
		connect_notice(connect);
	}
}

static void fail_call(struct connect *connect, const struct peer_answer *answer)
{
	const struct certificate_report *report = answer->report;

	if (connect->stage == RECORD_INITIALISE)
		event_client_unreachable(connect->options.log, NULL, connect->address);
	connect_fail(connect, &(struct connect_fault) {
		.error = answer->error,
		.detail = answer->error == ERROR_UNTRUSTED && report != NULL && report->text[0] != '\0'
			? report->text
			: answer->detail,
		.advice = answer->error == ERROR_UNTRUSTED && report != NULL
			? advice_certificate(ADVICE_BROKERING, report->troubles)
			: advice_error(ADVICE_BROKERING, answer->error),
	});
}

static void fail_error_resp(struct connect *connect, const struct message *message)
{
	struct connect_message_result result = { .name = "", .text = "", .detail = "" };

	(void)connect_message_result(message, &result);
	connect_fail(connect, &(struct connect_fault) {
		.result_id = result.name,
		.text = result.text,
		.detail = result.detail,
		.advice = advice_result(result.id),
	});
}

static void log_response(struct connect *connect, const struct message *message)
{
	struct connect_message_result result;
	double seconds = (double)(now(connect) - connect->asked_at) / 1e6;

	event_client_response(connect->options.log, log_id(connect),
		message_info(message->id)->element,
		connect_message_result(message, &result) ? result.name : "", seconds);
	trace_log(connect->options.log, log_id(connect), LOG_INFORMATION, "Received", message);
}

static void answered(void *user, const struct peer_answer *answer)
{
	struct connect *connect = user;

	/* After the end, and while it waits for nothing but that. */
	if (connect->step == CONNECT_OVER)
		return;
	if (answer->message != NULL)
		log_response(connect, answer->message);
	if (connect->step == CONNECT_CLOSING) {
		connect_over(connect);
		return;
	}
	note_certificate(connect, answer->report);
	if (answer->cookie != NULL)
		snprintf(connect->cookie, sizeof(connect->cookie), "%s", answer->cookie);
	if (connect->step == CONNECT_BYE) {
		/* The session was handed out: a lost farewell changes nothing. */
		connect_answered(connect, answer->message);
		return;
	}
	if (answer->error != 0)
		fail_call(connect, answer);
	else if (answer->message->id == MESSAGE_ERROR_RESP)
		fail_error_resp(connect, answer->message);
	else
		connect_answered(connect, answer->message);
}

void connect_send(struct connect *connect, struct message *request, unsigned timeout_ms)
{
	struct peer_call call = {
		.address = connect->address,
		.policy = &connect->policy,
		.request = request,
		.cookie = connect->cookie[0] != '\0' ? connect->cookie : NULL,
		.log_id = connect->step <= CONNECT_PROBE ? UUID_ZERO : connect->record.log_id,
		.user_agent = USER_AGENT,
		.timeout_ms = timeout_ms,
		.arena = connect->arena,
	};
	int error = ERROR_MEMORY;

	if (request != NULL) {
		event_client_request(connect->options.log, log_id(connect),
			message_info(request->id)->element, connect->address);
		trace_log(connect->options.log, log_id(connect), LOG_INFORMATION, "Sent", request);
		connect->asked_at = now(connect);
		error = peer_call(connect->options.peer, &call, answered, connect);
	}
	if (error != 0 && connect->step == CONNECT_CLOSING)
		connect_over(connect);
	else if (error != 0)
		connect_fail_own(connect, error);
}

/* ---- life ---- */

static void begin(uv_timer_t *timer)
{
	struct connect *connect = timer->data;
	static const int modes[] = { [CERTIFICATE_VERIFY_FULL] = 2, [CERTIFICATE_VERIFY_WARN] = 1,
		[CERTIFICATE_VERIFY_NONE] = 0 };

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
		snprintf(mac, 18, "02:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3],
			bytes[4]);
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
	snprintf(connect->address, sizeof(connect->address), bracket ? "[%s]:%u" : "%s:%u",
		options->host, connect->options.port);
	connect->policy = (struct certificate_policy) {
		.verify = options->verify, .ca_file = options->ca_file, .name = options->host };
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
	if (connect->lookup != NULL) {
		connect->lookup->connect = NULL;
		connect->lookup = NULL;
	}
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
	if (connect->lookup != NULL)
		connect->lookup->connect = NULL;
	if (connect->link != NULL)
		connect->options.link->free(connect->link);
	connect->link = NULL;
	uv_close((uv_handle_t *)&connect->timer, closed);
}
