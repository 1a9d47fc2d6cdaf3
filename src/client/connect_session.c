/* Stages 5 and 6, and the session that is held. */

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "client/connect_private.h"
#include "service/event.h"

static void session_address(const struct connect *connect, char *text, size_t size)
{
	const struct connect_target *target = &connect->target;

	snprintf(text, size, strchr(target->address, ':') != NULL ? "[%s]:%u" : "%s:%u",
		target->address, target->port);
}

static void license_late(uv_timer_t *timer)
{
	connect_fail(timer->data,
		&(struct connect_fault){
			.error = ERROR_TIMEOUT,
			.detail = "the agent said nothing about its licence in time",
			.advice = advice_case(ADVICE_CASE_LICENSE_SILENT),
		});
}

static void held(uv_timer_t *timer)
{
	connect_session_stop(timer->data);
}

static void connected(struct connect *connect)
{
	char address[80];

	session_address(connect, address, sizeof(address));
	event_client_connected(connect->options.log, connect->record.log_id, address);
	event_client_active(connect->options.log, connect->record.log_id);
	record_learn(&connect->record, RECORD_ESTABLISH, "address", "%s", address);
	record_summary(&connect->record, RECORD_ESTABLISH, "TCP and UDP %u open, TLS 1.3",
		connect->target.port);
	connect_pass(connect);
	connect_open(connect, RECORD_LICENSE);
	connect->step = CONNECT_LICENSE;
	connect_timer(connect, connect->options.license_limit, license_late);
}

static void on_step(void *user, enum link_step step)
{
	struct connect *connect = user;
	struct record *record = &connect->record;
	char address[80];

	if (connect->step == CONNECT_OVER || connect->step == CONNECT_CLOSING)
		return;
	switch (step) {
	case LINK_STEP_TCP_ACCEPTED:
		session_address(connect, address, sizeof(address));
		event_client_connected_tcp(connect->options.log, record->log_id, address);
		record->has_session_certificate = true;
		if (record->session_certificate.troubles != 0 &&
			connect->options.verify == CERTIFICATE_VERIFY_WARN) {
			record_notice(record, "the certificate of %s is not to be trusted: %s",
				address, record->session_certificate.text);
			connect_notice(connect);
		}
		record_learn(record, RECORD_ESTABLISH, "tcp", "open");
		break;
	case LINK_STEP_TCP_CONFIRMED:
		record_learn(record, RECORD_ESTABLISH, "tag", "accepted");
		break;
	case LINK_STEP_UDP_OPEN:
		record_learn(record, RECORD_ESTABLISH, "udp", "open");
		break;
	case LINK_STEP_CONNECTED:
		connected(connect);
		return;
	case LINK_STEP_INTERRUPTED:
		record_notice(record, "the TCP connection was lost; it is being resumed");
		connect_notice(connect);
		return;
	case LINK_STEP_RESUMED:
		record_notice(record, "the session was resumed");
		connect_notice(connect);
		return;
	}
	connect_learned(connect);
}

static void on_license(void *user, const struct link_license *license)
{
	struct connect *connect = user;
	struct record *record = &connect->record;
	char days[48] = "";

	if (connect->step == CONNECT_HOLD && license->grace &&
		!record->stages[RECORD_LICENSE].warned) {
		record->stages[RECORD_LICENSE].warned = true;
		record_notice(record, "the licence service cannot be reached any more: %s",
			license->text);
		connect_notice(connect);
	}
	if (connect->step != CONNECT_LICENSE)
		return;
	if (license->remaining_days >= 0) {
		record_learn_number(
			record, RECORD_LICENSE, "remaining_days", license->remaining_days);
		snprintf(days, sizeof(days), ", %d day%s left", license->remaining_days,
			license->remaining_days == 1 ? "" : "s");
	}
	record_learn(record, RECORD_LICENSE, "state", "%s",
		license->grace             ? "grace"
			: license->granted ? "granted"
					   : "denied");
	record_learn(record, RECORD_LICENSE, "source", "%s", license->source);
	record_learn(record, RECORD_LICENSE, "text", "%s", license->text);
	event_client_license(connect->options.log, record->log_id, license->text);
	if (!license->granted && !license->grace) {
		connect_fail(connect,
			&(struct connect_fault){
				.error = ERROR_REFUSED,
				.text = license->text,
				.detail = "the agent has no licence",
				.advice = advice_case(ADVICE_CASE_LICENSE_NOT_GRANTED),
			});
		return;
	}
	record_summary(
		record, RECORD_LICENSE, "%s%s", license->grace ? "grace period" : "granted", days);
	record->stages[RECORD_LICENSE].warned = license->grace;
	record->established = true;
	record->established_at = clock_steady(connect->options.clock);
	connect->step = CONNECT_HOLD;
	uv_timer_stop(&connect->timer);
	connect_pass(connect);
	if (connect->options.hold == 0)
		connect_session_stop(connect);
	else if (connect->options.hold > 0)
		connect_timer(connect, connect->options.hold, held);
}

static void on_quality(void *user, const struct link_quality *quality)
{
	struct connect *connect = user;
	const struct connect_events *events = &connect->options.events;

	if (connect->step == CONNECT_OVER)
		return;
	connect->record.quality = *quality;
	connect->record.has_quality = true;
	if (events->changed != NULL)
		events->changed(events->user, &connect->record, RECORD_QUALITY, connect->stage);
}

/* What the client's end says about an end that nobody here asked for. */
static struct advice explain(
	const struct connect *connect, int error, unsigned cause, unsigned refusal)
{
	switch (error) {
	case 0:
		return advice_cause(cause);
	case ERROR_REFUSED:
		return advice_refusal(refusal);
	case ERROR_UNTRUSTED:
		return advice_certificate(
			ADVICE_SESSION, connect->record.session_certificate.troubles);
	case ERROR_TIMEOUT:
		if (cause == LINK_CAUSE_PCOIP_OPEN_TIMEOUT || connect->record.established)
			return advice_cause(cause);
		return advice_error(ADVICE_SESSION, error);
	default:
		return advice_error(ADVICE_SESSION, error);
	}
}

/* Ends that are nobody's failure once a session stood. */
static bool orderly(int error, unsigned cause)
{
	return error == 0 &&
		(cause == LINK_CAUSE_MANUAL_USER_LOGOUT ||
			cause == LINK_CAUSE_MANUAL_USER_DISCONNECT || cause == LINK_CAUSE_BYE);
}

static void on_closed(void *user, int error, unsigned cause, unsigned refusal, const char *detail)
{
	struct connect *connect = user;
	struct record *record = &connect->record;

	connect->link_ended = true;
	if (connect->step == CONNECT_OVER)
		return;
	record->has_cause = error == 0 || error == ERROR_TIMEOUT;
	record->cause = cause;
	if (record->has_cause)
		event_client_closed(connect->options.log, record->log_id, (int)cause);
	if (connect->step == CONNECT_CLOSING ||
		(connect->step == CONNECT_HOLD && orderly(error, cause))) {
		connect_over(connect);
		return;
	}
	if (connect->step == CONNECT_HOLD)
		connect->stage = RECORD_NO_STAGE;
	if (error == ERROR_UNTRUSTED)
		record->has_session_certificate = true;
	connect_fail(connect,
		&(struct connect_fault){
			.error = error,
			.detail = error == ERROR_UNTRUSTED &&
					record->session_certificate.text[0] != '\0'
				? record->session_certificate.text
				: detail,
			.advice = explain(connect, error, cause, refusal),
		});
}

void connect_session(struct connect *connect)
{
	struct connect_target *target = &connect->target;
	struct link_client_options options = {
		.loop = connect->options.loop,
		.address = target->address,
		.port = target->port,
		.sni = target->sni,
		.session = target->session,
		.tag = target->tag,
		.policy = &connect->target_policy,
		.report = &connect->record.session_certificate,
		.clock = connect->options.clock,
		.entropy = connect->options.entropy,
		.events = {on_step, on_license, NULL, on_quality, on_closed, connect},
	};
	int error;

	connect->target_policy = (struct certificate_policy){
		.verify = connect->options.verify,
		.ca_file = connect->options.ca_file,
		.name = target->sni,
	};
	connect->step = CONNECT_LINK;
	event_client_in_session(connect->options.log, connect->record.log_id);
	error = connect->options.link->start(&options, &connect->link);
	secret_wipe(target->tag, sizeof(target->tag));
	if (error != 0)
		connect_fail_own(connect, error);
}

void connect_session_stop(struct connect *connect)
{
	uv_timer_stop(&connect->timer);
	connect->step = CONNECT_CLOSING;
	connect->options.link->close(connect->link, LINK_CAUSE_MANUAL_USER_DISCONNECT);
}
