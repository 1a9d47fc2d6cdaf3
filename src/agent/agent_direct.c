/*
 * Direct connect: the agent is its own broker, with one resource, itself.
 */
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "base/error.h"
#include "service/event.h"
#include "service/greeting.h"
#include "service/launch.h"
#include "service/listing.h"
#include "service/logon.h"

#define RESOURCE_ID "0"

static void handle_hello(struct transaction *transaction)
{
	struct agent *agent = transaction->user;
	struct agent_view *view = agent_view_hold(agent);
	struct greeting greeting = {
		/* By "Direct-Connect Broker" real clients tell what they have found. */
		.product = AGENT_PRODUCT " Direct-Connect Broker",
		.hostname = agent->hostname,
		.plan = view->plan,
	};

	/* The probe belongs to no session. */
	event_agent_hello(transaction->loop->log,
		greeting_is_probe(transaction) ? NULL : transaction->log_id);
	greeting_note_client(transaction);
	greeting_reply(transaction, &greeting);
	agent_view_release(view);
	transaction_finish(transaction);
}

static enum reason authenticated(
	struct transaction *transaction, const struct logon_outcome *outcome, void *context)
{
	const struct identity_user *user = outcome->user;
	struct log *log = transaction->loop->log;
	enum reason reason = outcome->reason;
	enum result_id result = outcome->result;

	agent_view_release(context);
	if (reason == REASON_RIGHT &&
		(sessions_set_text(&transaction->session->user, user->name) != 0 ||
			sessions_set_text(&transaction->session->domain, user->domain) != 0)) {
		reason = REASON_SERVICE_BUSY;
		result = reason_info(reason)->result;
	}
	if (result_info(result)->outcome == OUTCOME_FAILED)
		agent_log_logon_failed(log, transaction->log_id, reason, outcome->typed_user,
			outcome->typed_domain);
	return reason;
}

static void handle_authenticate(struct transaction *transaction)
{
	struct agent *agent = transaction->user;
	struct agent_view *view = agent_view_hold(agent);

	event_agent_authenticate(transaction->loop->log, transaction->log_id);
	logon_start(transaction, view->plan, agent->guard, authenticated, view);
}

static void handle_get_resource_list(struct transaction *transaction)
{
	struct agent *agent = transaction->user;

	event_agent_get_resource_list(transaction->loop->log, transaction->log_id);
	if (listing_admits(transaction)) {
		listing_add(transaction->reply, RESOURCE_ID, agent->resource_name, "VDI");
		transaction_result(transaction, RESULT_LIST_SUCCESSFUL, NULL);
	} else {
		transaction_result(transaction, RESULT_LIST_FAILED_NO_ENTITLEMENT, NULL);
	}
	transaction_finish(transaction);
}

static void prepared(struct transaction *transaction, const struct agent_offer *offer)
{
	struct message *reply = transaction->reply;
	enum result_id result = launch_meaning(offer->result);

	if (result == RESULT_ALLOC_SUCCESSFUL) {
		message_put(
			reply, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_IP_ADDRESS, transaction->local);
		message_put(reply, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_HOSTNAME, offer->sni);
		message_put(reply, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SNI, offer->sni);
		message_put_number(reply, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_PORT, offer->port);
		message_put_number(
			reply, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SESSION_ID, offer->session);
		message_put(reply, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG, offer->tag);
		message_put(reply, FIELD_ALLOCATE_RESOURCE_RESP_RESOURCE_ID, RESOURCE_ID);
		message_put(reply, FIELD_ALLOCATE_RESOURCE_RESP_PROTOCOL, "PCOIP");
	}
	transaction_result(transaction, result, offer->reason);
	transaction_finish(transaction);
}

static void handle_allocate_resource(struct transaction *transaction)
{
	struct agent *agent = transaction->user;

	event_agent_allocate_resource(transaction->loop->log, transaction->log_id);
	if (strcmp(transaction_text(transaction, FIELD_ALLOCATE_RESOURCE_RESOURCE_ID),
		    RESOURCE_ID) != 0) {
		transaction_say(transaction, RESULT_ALLOC_FAILED_TO_ALLOCATE_BROKER,
			TEXT_RESOURCE_NOT_HERE, NULL, 0);
		transaction_finish(transaction);
		return;
	}
	agent_prepare(agent, transaction, transaction->session->user, transaction->session->domain,
		"", prepared);
}

static void handle_bye(struct transaction *transaction)
{
	event_agent_bye(transaction->loop->log, transaction->log_id);
	transaction_finish(transaction);
}

const struct endpoint_route agent_direct_routes[] = {
	{MESSAGE_HELLO, handle_hello},
	{MESSAGE_AUTHENTICATE, handle_authenticate},
	{MESSAGE_GET_RESOURCE_LIST, handle_get_resource_list},
	{MESSAGE_ALLOCATE_RESOURCE, handle_allocate_resource},
	{MESSAGE_BYE, handle_bye},
};
const size_t agent_direct_route_count =
	sizeof(agent_direct_routes) / sizeof(agent_direct_routes[0]);
