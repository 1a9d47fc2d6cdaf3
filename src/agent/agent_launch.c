/*
 * The launch API: a manager, or a broker on its own, prepares a session here.
 */
#include <string.h>

#include "agent/agent.h"
#include "base/clock.h"
#include "base/error.h"
#include "service/event.h"
#include "service/logon.h"

static void fail(struct transaction *transaction, enum result_id result, const char *reason)
{
	message_put(transaction->reply, FIELD_LAUNCH_SESSION_RESP_FAIL_REASON,
		reason != NULL ? reason : result_info(result)->text);
	transaction_result(transaction, result, NULL);
	transaction_finish(transaction);
}

static void prepared(struct transaction *transaction, const struct agent_offer *offer)
{
	struct message *reply = transaction->reply;
	const char *address = transaction_text(transaction, FIELD_LAUNCH_SESSION_IP_ADDRESS);

	if (offer->result != RESULT_SUCCESSFUL) {
		fail(transaction, offer->result, offer->reason);
		return;
	}
	/* Whoever asks knows under which address the client reaches this host. */
	message_put(reply, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_IP_ADDRESS,
		*address != '\0' ? address : transaction->local);
	message_put(reply, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SNI, offer->sni);
	message_put_number(reply, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_PORT, offer->port);
	message_put_number(
		reply, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_ID, offer->session);
	message_put(reply, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_TAG, offer->tag);
	transaction_result(transaction, RESULT_SUCCESSFUL, NULL);
	transaction_finish(transaction);
}

static void checked(struct transaction *transaction, enum reason reason,
	const struct identity_user *user, void *context)
{
	struct agent *agent = transaction->user;
	const char *name = transaction_text(transaction, FIELD_LAUNCH_SESSION_LOGON_USERNAME);
	const char *domain = transaction_text(transaction, FIELD_LAUNCH_SESSION_LOGON_DOMAIN);
	struct log *log = transaction->loop->log;

	agent_view_release(context);
	if (reason == REASON_SERVICE_BUSY || reason == REASON_DIRECTORY_BUSY) {
		fail(transaction, RESULT_FAILED_SERVICE_BUSY, NULL);
	} else if (reason != REASON_RIGHT) {
		agent_log_logon_failed(log, transaction->log_id, reason, name, domain);
		fail(transaction, RESULT_FAILED_USER_AUTH, NULL);
	} else {
		event_agent_allocate_resource(log, transaction->log_id);
		agent_prepare(agent, transaction, user->name, user->domain,
			transaction_text(transaction, FIELD_LAUNCH_SESSION_LICENSE_PATH), prepared);
	}
}

static void handle_launch_session(struct transaction *transaction)
{
	struct agent *agent = transaction->user;
	struct agent_view *view = agent_view_hold(agent);
	struct log *log = transaction->loop->log;

	if (view->launch_from.list_count > 0 &&
		!settings_proxy_trusted(&view->launch_from, transaction->peer)) {
		agent_view_release(view);
		event_agent_launch_refused(log, transaction->log_id, transaction->peer);
		fail(transaction, RESULT_FAILED_USER_AUTH,
			text_template(text_english(), TEXT_LAUNCH_NOT_FROM_HERE));
		return;
	}
	/* One request stands for what a direct client does in three: the vendor's agents log
	 * them so, without a resource list, and the health check reads it as a brokered session. */
	event_agent_hello(log, transaction->log_id);
	event_agent_authenticate(log, transaction->log_id);
	logon_check(transaction, view->plan, agent->guard,
		transaction_text(transaction, FIELD_LAUNCH_SESSION_LOGON_USERNAME),
		transaction_text(transaction, FIELD_LAUNCH_SESSION_LOGON_DOMAIN),
		transaction_text(transaction, FIELD_LAUNCH_SESSION_LOGON_PASSWORD), checked, view);
}

static void handle_session_status(struct transaction *transaction)
{
	static const char *const states[] = {
		[AGENT_FREE] = "FREE",
		[AGENT_LICENSING] = "PREPARED",
		[AGENT_PREPARED] = "PREPARED",
		[AGENT_CONNECTED] = "ACTIVE",
	};
	const struct agent *agent = transaction->user;
	enum agent_phase phase = agent->phase;
	char since[CLOCK_STAMP_SIZE];
	uint64_t session;

	if (message_number(transaction->request, FIELD_SESSION_STATUS_SESSION_ID, &session) &&
		session != agent->session)
		phase = AGENT_FREE;
	message_put(transaction->reply, FIELD_SESSION_STATUS_RESP_SESSION_STATE, states[phase]);
	if (phase == AGENT_PREPARED || phase == AGENT_CONNECTED) {
		clock_stamp(agent->since, since);
		message_put(transaction->reply, FIELD_SESSION_STATUS_RESP_SINCE, since);
	}
	transaction_result(transaction, RESULT_SUCCESSFUL, NULL);
	transaction_finish(transaction);
}

const struct endpoint_route agent_launch_routes[] = {
	{MESSAGE_LAUNCH_SESSION, handle_launch_session},
	{MESSAGE_SESSION_STATUS, handle_session_status},
};
const size_t agent_launch_route_count =
	sizeof(agent_launch_routes) / sizeof(agent_launch_routes[0]);
