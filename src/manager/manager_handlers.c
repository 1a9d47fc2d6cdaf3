#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "manager/manager_logon.h"
#include "manager/manager_upstream.h"
#include "service/event.h"
#include "service/greeting.h"
#include "service/launch.h"

/* One message on its way to the broker and back. */
struct relay {
	struct manager_view *view;
	struct certificate_policy policy; /* of the agent; must outlive the launch */
	struct message *request;          /* as the broker gets it */
	peer_done *done;
};

static const char *request_element(const struct transaction *transaction)
{
	return message_info(transaction->request->id)->element;
}

/* Clients accept N/A. */
static const char *own_address(const struct transaction *transaction)
{
	return *transaction->local != '\0' ? transaction->local : "N/A";
}

static void finish(struct transaction *transaction)
{
	struct relay *relay = transaction->role;

	manager_view_release(relay->view);
	transaction_finish(transaction);
}

/* The broker could not be asked: an answer of the kind the client waits for, with the true cause.
 */
static void fail_relay(struct transaction *transaction, const struct peer_answer *answer)
{
	struct relay *relay = transaction->role;
	enum result_id result;

	event_pcm_broker_failed(transaction->loop->log, transaction->log_id,
		message_stage(transaction->request->id), relay->view->broker_address,
		request_element(transaction), answer->detail);
	switch (transaction->request->id) {
	case MESSAGE_AUTHENTICATE:
		result = RESULT_AUTH_FAILED_BROKER_UNREACHABLE;
		break;
	case MESSAGE_GET_RESOURCE_LIST:
		result = RESULT_LIST_FAILED_BROKER_UNREACHABLE;
		break;
	case MESSAGE_ALLOCATE_RESOURCE:
		result = RESULT_ALLOC_FAILED_TO_ALLOCATE_BROKER;
		break;
	case MESSAGE_BYE:
		/* Our session ends whether or not the broker has heard of it; its own times out. */
		finish(transaction);
		return;
	default:
		manager_view_release(relay->view);
		transaction_fail(transaction, RESULT_ERR_BROKER_UNREACHABLE,
			"the connection broker does not answer");
		return;
	}
	transaction_say(transaction, result,
		result == RESULT_ALLOC_FAILED_TO_ALLOCATE_BROKER ? TEXT_BROKER_SILENT : TEXT_RESULT,
		NULL, 0);
	finish(transaction);
}

/* True when the answer was a proper one and stands in the reply; else it has been dealt with. */
static bool take_answer(struct transaction *transaction, const struct peer_answer *answer)
{
	struct relay *relay = transaction->role;
	const char *result;

	if (answer->error != 0) {
		fail_relay(transaction, answer);
		return false;
	}
	if (answer->report != NULL && answer->report->troubles != 0)
		event_pcm_certificate(transaction->loop->log, transaction->log_id,
			relay->view->broker_address, answer->report->text);
	if (answer->message->id == MESSAGE_ERROR_RESP) {
		result = message_text(answer->message, FIELD_ERROR_RESP_RESULT_RESULT_ID);
		event_pcm_broker_response(transaction->loop->log, transaction->log_id,
			message_stage(transaction->request->id), request_element(transaction),
			result, (double)answer->total_us / 1e6);
		manager_view_release(relay->view);
		transaction_fail_as(transaction, answer->message);
		return false;
	}
	if ((answer->cookie != NULL &&
		    upstream_take_cookie(transaction->session, answer->cookie) != 0) ||
		transaction_adopt(transaction, answer->message) != 0) {
		manager_view_release(relay->view);
		transaction_fail(transaction, RESULT_ERR_INTERNAL, NULL);
		return false;
	}
	event_pcm_broker_response(transaction->loop->log, transaction->log_id,
		message_stage(transaction->request->id), request_element(transaction),
		transaction_result_id(transaction), (double)answer->total_us / 1e6);
	return true;
}

static void fail_sending(struct transaction *transaction, int error)
{
	struct peer_answer failure = {.error = error, .detail = error_text(error)};

	fail_relay(transaction, &failure);
}

static void send_request(struct transaction *transaction)
{
	struct relay *relay = transaction->role;
	int error =
		upstream_call(transaction, relay->view, relay->request, relay->done, transaction);

	if (error != 0)
		fail_sending(transaction, error);
}

/* The broker is there, but wants more than the manager has to log the user on again. Nothing more
 * is asked of it in his name. */
static void end_logon(struct transaction *transaction, const char *detail)
{
	struct relay *relay = transaction->role;

	event_pcm_logon_ended(transaction->loop->log, transaction->log_id,
		message_stage(transaction->request->id), detail);
	upstream_bar_renewal(transaction->session);
	seal_wipe(&transaction->session->password);
	if (transaction->request->id == MESSAGE_ALLOCATE_RESOURCE) {
		transaction_say(transaction, RESULT_ALLOC_FAILED_TO_ALLOCATE_BROKER,
			TEXT_LOGON_ENDED, NULL, 0);
		finish(transaction);
		return;
	}
	manager_view_release(relay->view);
	transaction_fail(transaction, RESULT_ERR_UNKNOWN_SESSION, detail);
}

static void renewed(void *user, const struct peer_answer *answer)
{
	struct transaction *transaction = user;

	if (answer->error == ERROR_REFUSED)
		end_logon(transaction, answer->detail);
	else if (answer->error != 0)
		fail_relay(transaction, answer);
	else
		send_request(transaction);
}

/* The client's message under the broker's root; hello with who we are. NULL: memory. */
static struct message *broker_request(
	const struct transaction *transaction, const struct manager_view *view)
{
	struct message *request = message_new(transaction->arena, transaction->request->id,
		ROOT_BROKER, transaction->request->version);

	if (request == NULL || message_copy(request, transaction->request) != 0)
		return NULL;
	if (request->id == MESSAGE_HELLO) {
		message_put(
			request, FIELD_HELLO_PCM_INFO_PRODUCT_NAME, "Fairlead Connection Manager");
		message_put(request, FIELD_HELLO_PCM_INFO_PRODUCT_VERSION, FAIRLEAD_VERSION);
		message_put(request, FIELD_HELLO_PCM_INFO_PLATFORM, greeting_platform());
		message_put(request, FIELD_HELLO_PCM_INFO_IP_ADDRESS, own_address(transaction));
		message_put(request, FIELD_HELLO_PCM_INFO_HOSTNAME, view->hostname);
	}
	return request;
}

/* Sends the client's message on to the broker. */
static void relay_message(struct transaction *transaction, peer_done *done)
{
	struct relay *relay = arena_alloc(transaction->arena, sizeof(*relay));
	int error;

	if (relay == NULL) {
		transaction_fail(transaction, RESULT_ERR_INTERNAL, NULL);
		return;
	}
	relay->view = manager_view_hold(transaction->user);
	relay->done = done;
	relay->request = broker_request(transaction, relay->view);
	transaction->role = relay;
	if (relay->request == NULL) {
		fail_sending(transaction, ERROR_MEMORY);
	} else if (upstream_is_spent(transaction->session) &&
		transaction->request->id != MESSAGE_BYE) {
		error = upstream_renew(transaction, relay->view, renewed, transaction);
		if (error == ERROR_REFUSED)
			end_logon(transaction, "it takes more than a password");
		else if (error != 0)
			fail_sending(transaction, error);
	} else {
		send_request(transaction);
	}
}

/* --- stage 1 --- */

static void hello_answered(void *user, const struct peer_answer *answer)
{
	struct transaction *transaction = user;
	struct relay *relay = transaction->role;
	struct message *reply = transaction->reply;

	if (!take_answer(transaction, answer))
		return;
	if (upstream_keep_hello(transaction->session, relay->request) != 0) {
		manager_view_release(relay->view);
		transaction_fail(transaction, RESULT_ERR_INTERNAL, NULL);
		return;
	}
	/* By this a client tells that it is not connected to a host directly (seen in client logs).
	 */
	if (message_find(reply, FIELD_HELLO_RESP_PCM_INFO) == NULL) {
		message_put(reply, FIELD_HELLO_RESP_PCM_INFO_PRODUCT_NAME,
			"Fairlead Connection Manager");
		message_put(reply, FIELD_HELLO_RESP_PCM_INFO_PRODUCT_VERSION, FAIRLEAD_VERSION);
		message_put(reply, FIELD_HELLO_RESP_PCM_INFO_PLATFORM, greeting_platform());
		message_put(reply, FIELD_HELLO_RESP_PCM_INFO_IP_ADDRESS, own_address(transaction));
		message_put(reply, FIELD_HELLO_RESP_PCM_INFO_HOSTNAME, relay->view->hostname);
	}
	event_pcm_session_created(transaction->loop->log, transaction->log_id,
		transaction_text(transaction, FIELD_HELLO_CLIENT_INFO_HOSTNAME),
		transaction_text(transaction, FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME),
		transaction->client);
	finish(transaction);
}

static void handle_hello(struct transaction *transaction)
{
	greeting_note_client(transaction);
	relay_message(transaction, hello_answered);
}

/* --- stage 2 --- */

static void authenticate_answered(void *user, const struct peer_answer *answer)
{
	struct transaction *transaction = user;

	if (!take_answer(transaction, answer))
		return;
	if (manager_logon_answered(transaction) != 0) {
		manager_view_release(((struct relay *)transaction->role)->view);
		transaction_fail(transaction, RESULT_ERR_INTERNAL, NULL);
		return;
	}
	finish(transaction);
}

static void handle_authenticate(struct transaction *transaction)
{
	relay_message(transaction, authenticate_answered);
}

/* --- stages 3 and 5 --- */

static void plainly_answered(void *user, const struct peer_answer *answer)
{
	struct transaction *transaction = user;

	if (take_answer(transaction, answer))
		finish(transaction);
}

static void handle_get_resource_list(struct transaction *transaction)
{
	relay_message(transaction, plainly_answered);
}

static void bye_answered(void *user, const struct peer_answer *answer)
{
	struct transaction *transaction = user;

	if (answer->error != 0 || answer->message->id == MESSAGE_BYE_RESP)
		event_pcm_session_ended(transaction->loop->log, transaction->log_id, "bye");
	plainly_answered(transaction, answer);
}

static void handle_bye(struct transaction *transaction)
{
	relay_message(transaction, bye_answered);
}

/* --- stage 4 --- */

static void launched(struct transaction *transaction)
{
	const char *address =
		message_text(transaction->reply, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_IP_ADDRESS);
	uint64_t port;

	if (transaction_outcome(transaction) != OUTCOME_OK)
		upstream_spend(transaction->session);
	else if (address != NULL &&
		message_number(transaction->reply, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_PORT, &port))
		event_pcm_target(transaction->loop->log, transaction->log_id, address, (int)port);
	finish(transaction);
}

/* A fresh reply for the launch to fill: of the broker's, only extensions are the client's. */
static int begin_reply(struct transaction *transaction)
{
	const struct message *old = transaction->reply;
	struct message *reply = message_new(transaction->arena, old->id, old->root, old->version);

	if (reply == NULL)
		return ERROR_MEMORY;
	for (const struct message_node *node = old->first; node != NULL; node = node->next) {
		if (node->field == FIELD_EXTENSION &&
			message_add(reply, NULL, FIELD_EXTENSION, node->text) == NULL)
			return ERROR_MEMORY;
	}
	transaction->reply = reply;
	return 0;
}

/* The broker has said which host; now its agent is told to expect the client. */
static void launch(struct transaction *transaction, const char *address, const char *hostname)
{
	struct relay *relay = transaction->role;
	struct manager_agent agent = manager_view_agent(relay->view, hostname, address);
	struct launch_host host = {
		.address = address,
		.hostname = hostname,
		.port = agent.port,
		.policy = &relay->policy,
		.timeout_ms = relay->view->timeout_ms,
	};
	char password[SEAL_SECRET_MAXIMUM + 1];
	struct launch_user user = {
		.user = transaction->session->user,
		.domain = transaction->session->domain,
		.password = password,
	};
	int error = begin_reply(transaction);

	relay->policy = agent.policy;
	if (error == 0)
		error = seal_open(&transaction->session->password, transaction->cookie, password);
	if (error == 0)
		error = launch_start(
			transaction, &host, &user, relay->view->license_path, launched);
	secret_wipe(password, sizeof(password));
	if (error != 0) {
		transaction_result(transaction, RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT, NULL);
		launched(transaction);
	}
}

static void allocate_answered(void *user, const struct peer_answer *answer)
{
	struct transaction *transaction = user;
	const struct message *found = answer->message;
	const char *address, *hostname;

	if (answer->error != 0 || found->id == MESSAGE_ERROR_RESP) {
		(void)take_answer(transaction, answer);
		return;
	}
	address = message_text(found, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_IP_ADDRESS);
	hostname = message_text(found, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_HOSTNAME);
	/* A failure is the client's answer as it is; so is a target that is complete already,
	 * from a manager or gateway further on. */
	if (!take_answer(transaction, answer))
		return;
	if (transaction_outcome(transaction) != OUTCOME_OK ||
		message_text(found, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG) != NULL) {
		finish(transaction);
	} else if (address == NULL) {
		/* A success that says nothing of where is none. */
		transaction_result(transaction, RESULT_ALLOC_FAILED_TO_ALLOCATE_BROKER, NULL);
		finish(transaction);
	} else {
		launch(transaction, address, hostname != NULL ? hostname : "");
	}
}

static void handle_allocate_resource(struct transaction *transaction)
{
	relay_message(transaction, allocate_answered);
}

const struct endpoint_route manager_routes[] = {
	{MESSAGE_HELLO, handle_hello},
	{MESSAGE_AUTHENTICATE, handle_authenticate},
	{MESSAGE_GET_RESOURCE_LIST, handle_get_resource_list},
	{MESSAGE_ALLOCATE_RESOURCE, handle_allocate_resource},
	{MESSAGE_BYE, handle_bye},
};
const size_t manager_route_count = sizeof(manager_routes) / sizeof(manager_routes[0]);
