#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "broker/broker.h"
#include "service/event.h"
#include "service/greeting.h"
#include "service/launch.h"
#include "service/listing.h"
#include "service/logon.h"

#define MINUTE_SIZE sizeof("2026-03-01 09:30 UTC")

#define UNTRUSTED_PAUSE (60 * CLOCK_SECOND)

/* The groups of an authenticated session's user. */
struct membership {
	size_t count;
	char *groups[];
};

/* One allocation, from the request to its answer. */
struct allocation {
	struct broker *broker;
	struct broker_view *view;
	const struct inventory_resource *resource;
	const struct inventory_host *host;
	struct occupant occupant; /* us, or whoever is in the way */
	bool asked;               /* the agent was asked whether the host is free */
};

static void membership_free(void *role)
{
	struct membership *membership = role;

	for (size_t i = 0; membership != NULL && i < membership->count; i++)
		free(membership->groups[i]);
	free(membership);
}

static struct membership *membership_new(const struct identity_user *user)
{
	struct membership *membership =
		calloc(1, sizeof(*membership) + user->group_count * sizeof(membership->groups[0]));

	for (size_t i = 0; membership != NULL && i < user->group_count; i++) {
		membership->groups[i] = strdup(user->groups[i]);
		if (membership->groups[i] == NULL) {
			membership_free(membership);
			return NULL;
		}
		membership->count++;
	}
	return membership;
}

static struct identity_user session_user(const struct session *session)
{
	const struct membership *membership = session->role;

	return (struct identity_user){
		.name = session->user,
		.domain = session->domain,
		.groups = (const char *const *)membership->groups,
		.group_count = membership->count,
	};
}

static double seconds_since(const struct transaction *transaction)
{
	return (double)(clock_steady(transaction->loop->clock) - transaction->started) /
		(double)CLOCK_SECOND;
}

/* --- stage 1 --- */

/* Once a minute, not for each of its users. */
static void tell_untrusted(struct transaction *transaction, const struct broker_view *view)
{
	struct broker *broker = transaction->user;
	int64_t now = clock_steady(transaction->loop->clock);
	int64_t told = atomic_load(&broker->told_untrusted);

	if (message_find(transaction->request, FIELD_HELLO_PCM_INFO) == NULL ||
		(told != 0 && now - told < UNTRUSTED_PAUSE) ||
		settings_proxy_trusted(&view->proxies, transaction->peer))
		return;
	/* Of loops that come at the same moment one tells it. */
	if (atomic_compare_exchange_strong(&broker->told_untrusted, &told, now))
		event_broker_manager_untrusted(
			transaction->loop->log, transaction->log_id, transaction->peer);
}

static void handle_hello(struct transaction *transaction)
{
	struct broker *broker = transaction->user;
	struct broker_view *view = broker_view_hold(broker);
	struct greeting greeting = {
		.product = "Fairlead Broker",
		.hostname = view->hostname,
		.plan = view->plan,
	};

	event_broker_session_created(transaction->loop->log, transaction->log_id,
		transaction_text(transaction, FIELD_HELLO_CLIENT_INFO_HOSTNAME),
		transaction_text(transaction, FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME),
		transaction->client);
	tell_untrusted(transaction, view);
	greeting_finish(transaction, &greeting, &view->greeting);
	broker_view_release(view);
}

/* --- stage 2 --- */

/* Keeps who it is, and, because the agent will ask for it, the password. */
static int remember(struct transaction *transaction, const struct logon_outcome *outcome)
{
	const struct identity_user *user = outcome->user;
	struct session *session = transaction->session;
	struct membership *membership = membership_new(user);
	int error;

	if (membership == NULL)
		return ERROR_MEMORY;
	membership_free(session->role);
	session->role = membership;
	session->role_free = membership_free;
	error = sessions_set_text(&session->user, user->name);
	/* A user of any domain is in the one he named: the agent has to be told. */
	if (error == 0)
		error = sessions_set_text(&session->domain,
			*user->domain != '\0' ? user->domain : user->named_domain);
	/* Behind a manager, the manager keeps it. */
	if (error == 0 && transaction->request->root == ROOT_CLIENT)
		error = seal_close(&session->password, transaction->loop->entropy,
			transaction->cookie, outcome->password);
	return error;
}

static enum reason authenticated(
	struct transaction *transaction, const struct logon_outcome *outcome, void *context)
{
	const struct identity_user *user = outcome->user;
	enum result_id result = outcome->result;
	struct log *log = transaction->loop->log;
	enum reason reason = outcome->reason;

	broker_view_release(context);
	if (reason == REASON_RIGHT && remember(transaction, outcome) != 0) {
		reason = REASON_SERVICE_BUSY;
		result = reason_info(reason)->result;
	}
	if (reason == REASON_RIGHT)
		event_broker_authenticated(log, transaction->log_id, user->name, user->domain,
			seconds_since(transaction));
	else if (result != RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE)
		event_broker_authenticate_failed(log, transaction->log_id, outcome->typed_user,
			outcome->typed_domain, result_info(result)->id);
	return reason;
}

static void handle_authenticate(struct transaction *transaction)
{
	struct broker *broker = transaction->user;
	struct broker_view *view = broker_view_hold(broker);

	logon_start(transaction, view->plan, broker->guard, authenticated, view);
}

/* --- stage 3 --- */

struct list {
	struct message *reply;
	size_t count;
};

static void list_resource(void *context, const struct inventory_resource *resource)
{
	struct list *list = context;

	/* Nobody takes a longer list. */
	if (list->count == FIELD_REPEAT_MAXIMUM)
		return;
	list->count++;
	listing_add(list->reply, resource->id, resource->name, resource->session_type);
}

static void handle_get_resource_list(struct transaction *transaction)
{
	struct broker_view *view = broker_view_hold(transaction->user);
	struct identity_user user = session_user(transaction->session);
	enum result_id result = RESULT_LIST_FAILED_NO_ENTITLEMENT;
	struct list list = {.reply = transaction->reply};
	size_t count = 0;

	if (listing_admits(transaction))
		count = inventory_entitled(view->inventory, &user, list_resource, &list);
	if (count > 0)
		result = RESULT_LIST_SUCCESSFUL;
	broker_view_release(view);
	if (count > list.count)
		event_broker_list_cut(transaction->loop->log, transaction->log_id, user.name,
			(int)count, (int)list.count);
	if (count > 0)
		event_broker_listed(
			transaction->loop->log, transaction->log_id, (int)list.count, user.name);
	else
		event_broker_list_failed(transaction->loop->log, transaction->log_id, user.name,
			result_info(result)->id);
	transaction_result(transaction, result, NULL);
	transaction_finish(transaction);
}

/* --- stage 4 --- */

static void end_allocation(struct transaction *transaction)
{
	struct allocation *allocation = transaction->role;

	broker_view_release(allocation->view);
	transaction_finish(transaction);
}

/* The broker cannot allocate, for a reason that has a text. */
static void refuse(struct transaction *transaction, enum text_key key,
	const struct text_value *values, size_t count)
{
	transaction_say(transaction, RESULT_ALLOC_FAILED_TO_ALLOCATE_BROKER, key, values, count);
	event_broker_allocate_failed(transaction->loop->log, transaction->log_id,
		transaction_text(transaction, FIELD_ALLOCATE_RESOURCE_RESOURCE_ID),
		transaction->session->user, transaction_result_id(transaction),
		transaction_result_english(transaction));
	end_allocation(transaction);
}

static void log_allocated(const struct transaction *transaction)
{
	const struct allocation *allocation = transaction->role;

	event_broker_allocated(transaction->loop->log, transaction->log_id,
		allocation->resource->id, allocation->host->name, allocation->host->address,
		transaction->session->user);
}

static struct launch_host launch_host(const struct inventory_host *host)
{
	return (struct launch_host){
		.address = host->address,
		.hostname = host->hostname,
		.port = host->agent_port,
		.policy = &host->policy,
	};
}

static void launched(struct transaction *transaction)
{
	struct allocation *allocation = transaction->role;

	if (transaction_outcome(transaction) == OUTCOME_OK) {
		log_allocated(transaction);
	} else {
		if (allocation->host->single_user)
			occupancy_leave(allocation->broker->occupancy, allocation->host->name,
				&allocation->occupant);
		event_broker_allocate_failed(transaction->loop->log, transaction->log_id,
			allocation->resource->id, transaction->session->user,
			transaction_result_id(transaction),
			transaction_result_english(transaction));
	}
	end_allocation(transaction);
}

/* Without a manager the broker prepares the agent itself. */
static void launch(struct transaction *transaction)
{
	struct allocation *allocation = transaction->role;
	struct launch_host host = launch_host(allocation->host);
	char password[SEAL_SECRET_MAXIMUM + 1];
	struct launch_user user = {
		.user = transaction->session->user,
		.domain = transaction->session->domain,
		.password = password,
	};
	int error = seal_open(&transaction->session->password, transaction->cookie, password);

	if (error == 0)
		error = launch_start(
			transaction, &host, &user, allocation->view->license_path, launched);
	secret_wipe(password, sizeof(password));
	if (error != 0) {
		transaction_result(transaction, RESULT_ALLOC_FAILED_TO_ALLOCATE_BROKER, NULL);
		launched(transaction);
	}
}

/* Behind a manager the broker only tells where the host is; the manager does the rest. */
static void tell_target(struct transaction *transaction)
{
	const struct allocation *allocation = transaction->role;
	struct message *reply = transaction->reply;

	message_put(
		reply, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_IP_ADDRESS, allocation->host->address);
	message_put(
		reply, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_HOSTNAME, allocation->host->hostname);
	message_put(reply, FIELD_ALLOCATE_RESOURCE_RESP_RESOURCE_ID, allocation->resource->id);
	message_put(reply, FIELD_ALLOCATE_RESOURCE_RESP_PROTOCOL, "PCOIP");
	transaction_result(transaction, RESULT_ALLOC_SUCCESSFUL, NULL);
	log_allocated(transaction);
	end_allocation(transaction);
}

/* "2026-03-01 09:30 UTC" */
static void print_minute(int64_t moment, char text[MINUTE_SIZE])
{
	char stamp[CLOCK_STAMP_SIZE];

	clock_stamp(moment, stamp);
	snprintf(text, MINUTE_SIZE, "%.10s %.5s UTC", stamp, stamp + 11);
}

/* `asleep`: its agent could not be asked, so all that is known is that it was given out. */
static void refuse_taken(struct transaction *transaction, bool asleep)
{
	const struct allocation *allocation = transaction->role;
	const char *contact = allocation->view->contact;
	char until[CLOCK_STAMP_SIZE], since_minute[MINUTE_SIZE], until_minute[MINUTE_SIZE];
	const struct text_value values[] = {
		{"name", allocation->resource->name},
		{"since", since_minute},
		{"until", until_minute},
		{"contact",
			*contact != '\0' ? contact
					 : text_template(transaction_language(transaction),
						   TEXT_ADMINISTRATOR)},
	};

	clock_stamp(allocation->occupant.until, until);
	event_broker_host_occupied(transaction->loop->log, transaction->log_id,
		allocation->host->name, allocation->occupant.user, until);
	/* Minutes are enough, and the user is not told who it is. */
	print_minute(allocation->occupant.since, since_minute);
	print_minute(allocation->occupant.until, until_minute);
	refuse(transaction, asleep ? TEXT_HOST_RESERVED : TEXT_HOST_IN_USE, values,
		sizeof(values) / sizeof(values[0]));
}

static void take_host(struct transaction *transaction);

static void status_told(struct transaction *transaction, int active)
{
	struct allocation *allocation = transaction->role;

	if (active != 0) {
		refuse_taken(transaction, active < 0);
		return;
	}
	event_broker_host_freed(transaction->loop->log, transaction->log_id, allocation->host->name,
		"its agent has no session");
	occupancy_leave(
		allocation->broker->occupancy, allocation->host->name, &allocation->occupant);
	take_host(transaction);
}

static void take_host(struct transaction *transaction)
{
	struct allocation *allocation = transaction->role;
	struct launch_host host;
	int error = 0;

	if (allocation->host->single_user)
		error = occupancy_take(allocation->broker->occupancy, allocation->host->name,
			transaction->session->user, transaction->session->domain,
			allocation->view->hold, &allocation->occupant);
	if (error == ERROR_BUSY && !allocation->asked) {
		/* Nobody tells the broker when a session ends: the agent knows. */
		allocation->asked = true;
		host = launch_host(allocation->host);
		if (launch_status(transaction, &host, status_told) != 0)
			refuse_taken(transaction, true);
	} else if (error == ERROR_BUSY) {
		refuse_taken(transaction, false);
	} else if (error != 0) {
		refuse(transaction, TEXT_RESULT, NULL, 0);
	} else if (transaction->request->root == ROOT_BROKER) {
		tell_target(transaction);
	} else {
		launch(transaction);
	}
}

static void handle_allocate_resource(struct transaction *transaction)
{
	struct allocation *allocation = arena_alloc(transaction->arena, sizeof(*allocation));
	struct identity_user user = session_user(transaction->session);
	const char *protocol;

	if (allocation == NULL) {
		transaction_fail(transaction, RESULT_ERR_INTERNAL, NULL);
		return;
	}
	transaction->role = allocation;
	allocation->broker = transaction->user;
	allocation->view = broker_view_hold(allocation->broker);
	allocation->resource = inventory_find(allocation->view->inventory, &user,
		transaction_text(transaction, FIELD_ALLOCATE_RESOURCE_RESOURCE_ID));
	if (allocation->resource == NULL) {
		refuse(transaction, TEXT_RESOURCE_UNKNOWN, NULL, 0);
		return;
	}
	protocol = transaction_text(transaction, FIELD_ALLOCATE_RESOURCE_PROTOCOL);
	if (*protocol != '\0' && strcmp(protocol, "PCOIP") != 0) {
		refuse(transaction, TEXT_PROTOCOL_UNKNOWN, NULL, 0);
		return;
	}
	allocation->host = inventory_host(allocation->view->inventory, allocation->resource->host);
	take_host(transaction);
}

static void handle_bye(struct transaction *transaction)
{
	event_broker_session_ended(transaction->loop->log, transaction->log_id, "bye");
	transaction_finish(transaction);
}

const struct endpoint_route broker_routes[] = {
	{MESSAGE_HELLO, handle_hello},
	{MESSAGE_AUTHENTICATE, handle_authenticate},
	{MESSAGE_GET_RESOURCE_LIST, handle_get_resource_list},
	{MESSAGE_ALLOCATE_RESOURCE, handle_allocate_resource},
	{MESSAGE_BYE, handle_bye},
};
const size_t broker_route_count = sizeof(broker_routes) / sizeof(broker_routes[0]);
