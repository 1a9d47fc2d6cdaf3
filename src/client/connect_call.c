/* The network of stages 1 to 4: names, requests, and what goes wrong with them. */

#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/connect_private.h"
#include "service/event.h"
#include "service/trace.h"

#define USER_AGENT "Mozilla/4.0 (compatible; MSIE 6.0)" /* what soft clients send */

struct connect_lookup {
	uv_getaddrinfo_t request; /* first */
	struct connect *connect;  /* NULL: nobody waits any more */
	uint16_t port;
};

const char *connect_log_id(const struct connect *connect)
{
	return connect->step <= CONNECT_PROBE ? NULL : connect->record.log_id;
}

/* ---- names ---- */

static void fail_lookup(struct connect *connect, int error, const char *host, const char *why)
{
	enum advice_side side =
		connect->step == CONNECT_RESOLVE ? ADVICE_BROKERING : ADVICE_SESSION;
	char detail[RECORD_TEXT_SIZE];

	snprintf(detail, sizeof(detail), "the name '%s' was not resolved: %s", host, why);
	if (side == ADVICE_BROKERING)
		event_client_unreachable(connect->options.log, NULL, host);
	connect_fail(connect,
		&(struct connect_fault){.error = error,
			.detail = detail,
			.advice = advice_error(side, ERROR_NOT_FOUND)});
}

static const char *lookup_host(const struct connect *connect)
{
	return connect->step == CONNECT_RESOLVE ? connect->options.host : connect->target.host;
}

void connect_forget_lookup(struct connect *connect)
{
	if (connect->lookup != NULL)
		connect->lookup->connect = NULL;
	connect->lookup = NULL;
}

static void lookup_expired(uv_timer_t *timer)
{
	struct connect *connect = timer->data;

	connect_forget_lookup(connect);
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
		if (status == 0 &&
			getnameinfo(found->ai_addr, found->ai_addrlen, address, (socklen_t)size,
				NULL, 0, NI_NUMERICHOST) != 0)
			status = UV_EAI_FAIL;
		if (status == 0)
			connect_resolved(connect);
		else
			fail_lookup(connect, ERROR_UNREACHABLE, lookup_host(connect),
				uv_strerror(status));
	}
	uv_freeaddrinfo(found);
	free(lookup);
}

void connect_resolve(struct connect *connect, const char *host, uint16_t port)
{
	struct connect_lookup *lookup = calloc(1, sizeof(*lookup));
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	char service[8];

	if (lookup == NULL) {
		connect_fail_own(connect, ERROR_MEMORY);
		return;
	}
	snprintf(service, sizeof(service), "%u", port);
	lookup->connect = connect;
	if (uv_getaddrinfo(connect->options.loop, &lookup->request, looked_up, host, service,
		    &hints) != 0) {
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
	event_client_certificate(connect->options.log, connect_log_id(connect), connect->address,
		report->troubles == 0 ? "verified" : report->text);
	if (report->troubles != 0 && connect->options.verify == CERTIFICATE_VERIFY_WARN) {
		record_notice(record, "the certificate of %s is not to be trusted: %s",
			connect->address, report->text);
		connect_notice(connect);
	}
}

static void fail_call(struct connect *connect, const struct peer_answer *answer)
{
	const struct certificate_report *report = answer->report;

	if (connect->stage == RECORD_INITIALISE)
		event_client_unreachable(connect->options.log, NULL, connect->address);
	connect_fail(connect,
		&(struct connect_fault){
			.error = answer->error,
			.detail = answer->error == ERROR_UNTRUSTED && report != NULL &&
					report->text[0] != '\0'
				? report->text
				: answer->detail,
			.advice = answer->error == ERROR_UNTRUSTED && report != NULL
				? advice_certificate(ADVICE_BROKERING, report->troubles)
				: advice_error(ADVICE_BROKERING, answer->error),
		});
}

static void fail_error_resp(struct connect *connect, const struct message *message)
{
	struct connect_message_result result = {.name = "", .text = "", .detail = ""};

	(void)connect_message_result(message, &result);
	connect_fail(connect,
		&(struct connect_fault){
			.result_id = result.name,
			.text = result.text,
			.detail = result.detail,
			.advice = advice_result(result.id),
		});
}

static void log_response(struct connect *connect, const struct message *message)
{
	struct connect_message_result result;
	double seconds = (double)(clock_steady(connect->options.clock) - connect->asked_at) / 1e6;

	event_client_response(connect->options.log, connect_log_id(connect),
		message_info(message->id)->element,
		connect_message_result(message, &result) ? result.name : "", seconds);
	trace_log(connect->options.log, connect_log_id(connect), LOG_INFORMATION, "Received",
		message);
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
	assert(answer->error != 0 || answer->message != NULL);
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
		.connect_ms = CONNECT_TIMEOUT_MS,
		.arena = connect->arena,
	};
	int error = ERROR_MEMORY;

	if (request != NULL) {
		event_client_request(connect->options.log, connect_log_id(connect),
			message_info(request->id)->element, connect->address);
		trace_log(connect->options.log, connect_log_id(connect), LOG_INFORMATION, "Sent",
			request);
		connect->asked_at = clock_steady(connect->options.clock);
		error = peer_call(connect->options.peer, &call, answered, connect);
	}
	if (error != 0 && connect->step == CONNECT_CLOSING)
		connect_over(connect);
	else if (error != 0)
		connect_fail_own(connect, error);
}
