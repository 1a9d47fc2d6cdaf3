#include <stdio.h>

#include "agent/agent.h"
#include "base/clock.h"
#include "service/event.h"

#define AGENT_TYPE AGENT_PRODUCT " for Linux"

/* PCOIP_AGENT_CLOSE_CODE: only these two numbers are public. */
enum { CLOSE_PORTAL_INITIATED = 0, CLOSE_NETWORK_INTERRUPTION = 3 };

void agent_log_logon_failed(
	struct log *log, const char *id, enum reason reason, const char *user, const char *domain)
{
	static const struct {
		enum reason reason;
		void (*event)(struct log *, const char *, const char *, const char *);
	} codes[] = {
		{REASON_UNKNOWN_USER, event_agent_logon_failed},
		{REASON_WRONG_PASSWORD, event_agent_logon_failed},
		{REASON_EMPTY_PASSWORD, event_agent_logon_failed},
		{REASON_AMBIGUOUS_USER, event_agent_logon_failed},
		{REASON_UNKNOWN_DOMAIN, event_agent_logon_failed},
		{REASON_OUTSIDE_HOURS, event_agent_logon_hours},
		{REASON_WORKSTATION_DENIED, event_agent_logon_workstation},
		{REASON_PASSWORD_EXPIRED, event_agent_logon_expired},
		{REASON_ACCOUNT_DISABLED, event_agent_logon_disabled},
		{REASON_LOGON_DENIED, event_agent_logon_denied},
		{REASON_ACCOUNT_EXPIRED, event_agent_logon_account_expired},
		{REASON_PASSWORD_MUST_CHANGE, event_agent_logon_must_change},
		{REASON_ACCOUNT_LOCKED, event_agent_logon_locked},
	};

	/* Of what is not the user's fault the vendor's codes know nothing: event logon_failed has
	 * it. */
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].reason == reason)
			codes[i].event(log, id, user, domain);
	}
	event_agent_authenticate_failed(log, id, user, domain);
}

void agent_log_prepared(struct agent *agent)
{
	struct log *log = agent->loop->log;
	char mark[17];

	/* The id's upper half: enough to tell sessions apart, too little to name one. */
	snprintf(mark, sizeof(mark), "%08x", (unsigned)(agent->session >> 32));
	event_agent_type_identified(log, agent->log_id, AGENT_TYPE);
	event_agent_starting(log, agent->log_id);
	event_agent_starting_pcoip(log, agent->log_id, mark);
	event_server_begins(log, NULL);
	event_agent_transition_rule(log, NULL);
	event_agent_transition_connecting(log, NULL);
	event_agent_transition_rule(log, NULL);
	event_agent_connection_response(log, agent->log_id, 0);
}

void agent_log_connected(struct agent *agent)
{
	struct log *log = agent->loop->log;

	event_agent_connection_complete(log, agent->log_id, 0);
	event_agent_transition_rule(log, NULL);
	event_agent_transition_connected(log, NULL);
	event_agent_transition_rule(log, NULL);
}

void agent_log_statistics(struct agent *agent, const struct link_quality *quality, int64_t period)
{
	struct log *log = agent->loop->log;
	double seconds = (double)(period > 0 ? period : 1) / (double)CLOCK_SECOND;
	double sent = (double)(quality->bytes_out - agent->bytes_out) * 8 / 1000 / seconds;
	double received = (double)(quality->bytes_in - agent->bytes_in) * 8 / 1000 / seconds;
	int mean = (int)(quality->rtt_mean / CLOCK_MILLISECOND);
	int jitter = (int)(quality->jitter / CLOCK_MILLISECOND);

	if (quality->rtt_last >= 0) {
		/* No limit is set on the rate, which is written as 0. The retransmission time-out
		 * is that of RFC 6298: mean and four times the variation. */
		event_server_tx_times(log, agent->log_id, mean, jitter, mean + 4 * jitter,
			(int)(quality->rtt_last / CLOCK_MILLISECOND),
			(int)(quality->rtt_max / CLOCK_MILLISECOND));
		event_server_tx_rates(log, agent->log_id, 0, sent, received);
	}
	/* Nothing but keep-alives travels over UDP, so they are the "other" packets; a lost answer
	 * cannot be told from a lost question, so both directions have the same figure. */
	event_server_frames(log, agent->log_id, 0, 0, quality->answered, 0, 0, quality->sent,
		quality->loss * 100, quality->loss * 100);
	agent->bytes_in = quality->bytes_in;
	agent->bytes_out = quality->bytes_out;
}

static void log_close_code(struct agent *agent, unsigned cause, const char *name, int code)
{
	struct log *log = agent->loop->log;

	event_agent_close_code(log, agent->log_id, link_cause_name(cause), cause, name, code);
	if (cause == LINK_CAUSE_SESSION_EXPIRY_TIMEOUT)
		event_agent_disconnect_reason(
			log, agent->log_id, link_cause_name(cause), cause, "EXPIRED", 1);
	event_agent_close_received(log, agent->log_id);
	event_agent_connection_closed(log, agent->log_id, name, code);
}

void agent_log_closed(struct agent *agent, unsigned cause)
{
	struct log *log = agent->loop->log;

	event_agent_closed(log, agent->log_id, cause);
	switch (cause) {
	case LINK_CAUSE_NONE:
	case LINK_CAUSE_SESSION_EXPIRY_TIMEOUT:
	case LINK_CAUSE_PCOIP_OPEN_TIMEOUT:
		log_close_code(agent, cause, "NETWORK_INTERRUPTION", CLOSE_NETWORK_INTERRUPTION);
		break;
	case LINK_CAUSE_MANUAL_USER_LOGOUT:
	case LINK_CAUSE_MANUAL_ADMIN_DISCONNECT:
	case LINK_CAUSE_RECONNECT:
	case LINK_CAUSE_BYE:
	case LINK_CAUSE_MANUAL_USER_DISCONNECT:
		log_close_code(agent, cause, "PORTAL_INITIATED", CLOSE_PORTAL_INITIATED);
		break;
	default:
		/* No close code is public for it. */
		break;
	}
	event_agent_transition_rule(log, NULL);
	event_agent_transition_stopped(log, NULL);
	event_agent_transition_rule(log, NULL);
	event_server_ends(log, agent->log_id);
	event_agent_monitor_exiting(log, agent->log_id);
}
