#include "service/license_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/uuid.h"
#include "service/event.h"
#include "service/license_call.h"
#include "service/license_grace.h"

#define MEMORY_MAXIMUM (16 * 1024)
#define RETRY_MINIMUM (5 * CLOCK_SECOND)
#define RETRY_MAXIMUM (60 * CLOCK_SECOND)
#define NO_DETAIL ""

/* Somebody who is still to be told. */
struct delivery {
	struct delivery *next;
	void (*checked)(void *user, const struct license_status *status);
	void (*ended)(void *user);
	void *user;
};

/* A message under way. It outlives the client if it must. */
struct exchange {
	struct exchange *next;
	struct license_client *client; /* NULL: the client is gone */
	enum message_id message;
	int64_t sent;              /* steady */
	struct delivery *delivery; /* of a return: all who wait for it */
};

struct license_client {
	struct license_client_options options; /* texts in memory */
	struct arena *memory;
	struct license_grace grace;
	struct license_path configured; /* port 0: none */
	uv_timer_t *deferral; /* tells from outside what was found inside; NULL: no libuv */
	struct license_status status;

	/* the service in use */
	struct license_path service;
	struct certificate_policy policy;
	char log_id[UUID_SIZE];

	/* the lease; times are steady */
	char lease_id[LICENSE_CALL_ID_SIZE]; /* "": none */
	int64_t lease, lease_until;
	int64_t next; /* when to ask again */
	bool running; /* from checkout to return or denial */

	struct exchange *exchanges; /* all under way */
	struct exchange *current;   /* the one whose answer counts; others were given up */
	bool waiting;               /* a checkout that starts when none is under way any more */
	struct delivery *asked;     /* of that checkout */
	struct delivery *due;       /* to be told; the order does not matter */
	bool inside;                /* a call of ours is on the stack */
};

static void answered(void *user, const struct license_answer *answer);

static int64_t steady(const struct license_client *client)
{
	return clock_steady(client->options.loop->clock);
}

static int64_t wall(const struct license_client *client)
{
	return clock_wall(client->options.loop->clock);
}

static struct log *log_of(const struct license_client *client)
{
	return client->options.loop->log;
}

/* --- telling --- */

static void tell(struct license_client *client, struct delivery *delivery)
{
	struct delivery copy = *delivery;

	free(delivery);
	if (copy.checked != NULL)
		copy.checked(copy.user, &client->status);
	if (copy.ended != NULL)
		copy.ended(copy.user);
}

static void free_deliveries(struct delivery *delivery)
{
	struct delivery *next;

	for (; delivery != NULL; delivery = next) {
		next = delivery->next;
		free(delivery);
	}
}

static void tell_due(struct license_client *client)
{
	struct delivery *delivery;

	while ((delivery = client->due) != NULL) {
		client->due = delivery->next;
		tell(client, delivery);
	}
}

static void on_deferral(uv_timer_t *timer)
{
	tell_due(timer->data);
}

/* Tells now, or, when called from inside, as soon as the loop turns. */
static void deliver(struct license_client *client, struct delivery *delivery)
{
	if (!client->inside) {
		tell(client, delivery);
		return;
	}
	delivery->next = client->due;
	client->due = delivery;
	if (client->deferral != NULL)
		uv_timer_start(client->deferral, on_deferral, 0, 0);
}

/* The last thing a function does: who is told may call us. */
static void settle(struct license_client *client, bool changed)
{
	struct delivery *asked = client->asked;

	client->asked = NULL;
	if (asked != NULL)
		deliver(client, asked);
	else if (changed && client->options.changed != NULL)
		client->options.changed(client->options.user, &client->status);
}

static void set_state(
	struct license_client *client, enum license_state state, int days, const char *detail)
{
	client->status.state = state;
	client->status.remaining_days = days;
	snprintf(client->status.detail, sizeof(client->status.detail), "%s", detail);
}

/* --- sending --- */

/* A return's delivery is the exchange's only when it was sent. */
static int send_message(struct license_client *client, enum message_id message,
	const char *lease_id, struct delivery *delivery, struct exchange **ret_exchange)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	struct license_call call = {
		.message = message,
		.address = client->service.address,
		.policy = &client->policy,
		.log_id = client->log_id,
		.host_id = client->options.host_id,
		.feature = client->options.feature,
		.hostname = client->options.hostname,
		.lease_id = lease_id,
	};
	int error;

	if (exchange == NULL)
		return ERROR_MEMORY;
	*exchange = (struct exchange){
		.client = client,
		.message = message,
		.sent = steady(client),
		.delivery = delivery,
	};
	error = license_call_send(client->options.loop, &call, answered, exchange);
	if (error != 0) {
		free(exchange);
		return error;
	}
	exchange->next = client->exchanges;
	client->exchanges = exchange;
	if (ret_exchange != NULL)
		*ret_exchange = exchange;
	return 0;
}

/* Takes the exchange off the list. */
static void unlink_exchange(struct exchange *exchange)
{
	struct license_client *client = exchange->client;
	struct exchange **place = &client->exchanges;

	while (*place != exchange)
		place = &(*place)->next;
	*place = exchange->next;
	if (client->current == exchange)
		client->current = NULL;
}

/* A seat that nobody needs. Failing that, it ends by itself. */
static void send_return(
	struct license_client *client, const char *lease_id, struct delivery *delivery)
{
	int error = send_message(client, MESSAGE_RETURN_LICENSE, lease_id, delivery, NULL);

	if (error == 0)
		return;
	event_agent_license_return_failed(log_of(client), client->log_id, error_text(error));
	if (delivery != NULL)
		deliver(client, delivery);
}

/* --- what an answer means --- */

static void log_acquired(const struct license_client *client)
{
	const struct license_status *status = &client->status;
	double seconds = (double)status->took_us / (double)CLOCK_SECOND;

	if (status->remaining_days < 0)
		event_agent_license_acquired_unlimited(
			log_of(client), NULL, status->source, seconds, "local-settings");
	else
		event_agent_license_acquired(log_of(client), NULL, status->source, seconds,
			"local-settings", status->remaining_days);
}

static void succeeded(struct license_client *client, const struct exchange *exchange,
	const struct license_answer *answer)
{
	bool checkout = exchange->message == MESSAGE_CHECKOUT_LICENSE;
	bool changed = client->status.state != LICENSE_ACQUIRED;

	if (checkout) {
		memcpy(client->lease_id, answer->lease_id, sizeof(client->lease_id));
		client->status.took_us = answer->took_us;
	}
	/* From when it was asked for: never longer than the service believes in it. */
	client->lease = answer->lease;
	client->lease_until = exchange->sent + answer->lease;
	client->next = exchange->sent + answer->lease / 2;
	client->status.seats_total = answer->seats_total;
	client->status.seats_free = answer->seats_free;
	set_state(client, LICENSE_ACQUIRED, answer->remaining_days, NO_DETAIL);
	if (checkout || changed)
		log_acquired(client);
	else
		event_agent_license_renewed(
			log_of(client), client->log_id, (int)(answer->lease / CLOCK_SECOND));
	if (license_grace_remember(&client->grace, wall(client)) != 0)
		event_agent_license_state_failed(log_of(client), NULL, client->grace.file);
	settle(client, changed);
}

static void denied(struct license_client *client, enum license_state state, const char *detail)
{
	set_state(client, state, -1, detail);
	client->running = false;
	event_agent_license_denied(log_of(client), NULL);
	settle(client, true);
}

static void refused(struct license_client *client, const struct license_answer *answer)
{
	enum license_state state = answer->result == RESULT_LICENSE_DENIED_EXPIRED
		? LICENSE_DENIED_EXPIRED
		: LICENSE_DENIED_NO_SEATS;

	if (answer->result == RESULT_LICENSE_DENIED_NO_SEATS)
		event_agent_license_no_seats(log_of(client), NULL, "local", client->status.source);
	else
		event_agent_license_failed(log_of(client), NULL, answer->reason);
	client->lease_id[0] = '\0';
	denied(client, state, answer->reason);
}

/* "19 February 2025" */
static void date_text(int64_t moment, char text[32])
{
	time_t seconds = (time_t)(moment / CLOCK_SECOND);
	struct tm parts;

	if (gmtime_r(&seconds, &parts) == NULL || strftime(text, 32, "%e %B %Y", &parts) == 0)
		text[0] = '\0';
	if (text[0] == ' ')
		memmove(text, text + 1, strlen(text));
}

/* No seat is held and the service cannot be asked. */
static void bridge(struct license_client *client, const struct license_answer *answer)
{
	bool was_grace = client->status.state == LICENSE_GRACE;
	char detail[sizeof(client->status.detail)], date[32];
	int64_t until;
	int days;

	/* The vendor's lines once; a service that is away for days must not fill the disk. */
	if (was_grace && client->asked == NULL)
		event_agent_license_renew_retry(log_of(client), client->log_id, answer->reason);
	else if (answer->reached)
		event_agent_license_failed(log_of(client), NULL, answer->reason);
	else
		event_agent_license_unreachable(log_of(client), NULL, answer->reason);
	if (license_grace_until(&client->grace, wall(client), &until) != 0) {
		snprintf(detail, sizeof(detail), "%.200s; %s", answer->reason,
			client->options.grace_days == 0 ? "there is no grace period"
							: "no grace period is left");
		denied(client, LICENSE_DENIED_UNREACHABLE, detail);
		return;
	}
	days = license_grace_days(until, wall(client));
	if (!was_grace || client->asked != NULL || days != client->status.remaining_days) {
		date_text(until, date);
		event_agent_license_grace(log_of(client), NULL, days);
		event_agent_license_grace_ends(log_of(client), NULL, date);
	}
	client->next = steady(client) + RETRY_MAXIMUM;
	set_state(client, LICENSE_GRACE, days, answer->reason);
	settle(client, !was_grace);
}

static void failed(struct license_client *client, const struct license_answer *answer)
{
	int64_t now = steady(client), retry = client->lease / 10;

	if (client->lease_id[0] == '\0' || now >= client->lease_until) {
		bridge(client, answer);
		return;
	}
	event_agent_license_renew_failed(log_of(client), client->log_id, answer->reason);
	if (retry < RETRY_MINIMUM)
		retry = RETRY_MINIMUM;
	if (retry > RETRY_MAXIMUM)
		retry = RETRY_MAXIMUM;
	client->next = now + retry < client->lease_until ? now + retry : client->lease_until;
	settle(client, false);
}

/* Asks for a seat, or for the one that is held to stay. */
static void ask(struct license_client *client, enum message_id message)
{
	int error = send_message(client, message, client->lease_id, NULL, &client->current);
	struct license_answer answer = {.result = RESULT_NONE};

	if (error == 0)
		return;
	snprintf(answer.reason, sizeof(answer.reason), "%s", error_text(error));
	failed(client, &answer);
}

static void judge(struct license_client *client, const struct exchange *exchange,
	const struct license_answer *answer)
{
	bool checkout = exchange->message == MESSAGE_CHECKOUT_LICENSE;

	switch (answer->result) {
	case RESULT_LICENSE_GRANTED:
	case RESULT_LICENSE_RENEWED:
		if (checkout == (answer->result == RESULT_LICENSE_GRANTED))
			succeeded(client, exchange, answer);
		else
			failed(client, answer);
		break;
	case RESULT_LICENSE_DENIED_NO_SEATS:
	case RESULT_LICENSE_DENIED_NOT_CONFIGURED:
	case RESULT_LICENSE_DENIED_EXPIRED:
		refused(client, answer);
		break;
	case RESULT_LICENSE_UNKNOWN_LEASE:
		if (checkout) {
			failed(client, answer);
			break;
		}
		/* The service lost its store, or has not heard of us for too long. */
		event_agent_license_renew_failed(log_of(client), client->log_id, answer->reason);
		client->lease_id[0] = '\0';
		ask(client, MESSAGE_CHECKOUT_LICENSE);
		break;
	default:
		failed(client, answer);
		break;
	}
}

static void log_return(const struct license_client *client, const struct license_answer *answer)
{
	if (answer->result == RESULT_LICENSE_RETURNED)
		event_agent_license_returned(log_of(client), client->log_id);
	else
		event_agent_license_return_failed(log_of(client), client->log_id, answer->reason);
}

static void answered(void *user, const struct license_answer *answer)
{
	struct exchange exchange = *(struct exchange *)user;
	struct license_client *client = exchange.client;
	struct delivery *delivery;
	bool counts;

	if (client == NULL) {
		free(user);
		return;
	}
	counts = client->current == user;
	unlink_exchange(user);
	free(user);
	if (exchange.message == MESSAGE_RETURN_LICENSE)
		log_return(client, answer);
	else if (!counts && answer->result == RESULT_LICENSE_GRANTED)
		send_return(client, answer->lease_id, NULL);
	if (client->waiting && client->exchanges == NULL) {
		client->waiting = false;
		client->inside = true;
		ask(client, MESSAGE_CHECKOUT_LICENSE);
		client->inside = false;
	}
	/* The last thing: who is told may call us. */
	while ((delivery = exchange.delivery) != NULL) {
		exchange.delivery = delivery->next;
		deliver(client, delivery);
	}
	if (counts)
		judge(client, &exchange, answer);
}

/* --- interface --- */

static const char *keep(struct arena *memory, const char *text, bool *ret_lacking)
{
	const char *copy = text != NULL ? arena_text(memory, text) : NULL;

	if (text != NULL && copy == NULL)
		*ret_lacking = true;
	return copy;
}

static int copy_options(struct license_client *client, const struct license_client_options *from)
{
	struct license_client_options *to = &client->options;
	bool lacking = false;

	*to = *from;
	to->address = keep(client->memory, from->address, &lacking);
	to->feature = keep(client->memory, from->feature, &lacking);
	to->host_id = keep(client->memory, from->host_id, &lacking);
	to->hostname = keep(
		client->memory, from->hostname != NULL ? from->hostname : from->host_id, &lacking);
	to->state_file = keep(client->memory, from->state_file, &lacking);
	to->policy.ca_file = keep(client->memory, from->policy.ca_file, &lacking);
	to->policy.name = keep(client->memory, from->policy.name, &lacking);
	to->policy.fingerprint = keep(client->memory, from->policy.fingerprint, &lacking);
	client->grace = (struct license_grace){to->state_file, to->host_id, to->grace_days};
	return lacking ? ERROR_MEMORY : 0;
}

static int open_deferral(struct license_client *client)
{
	if (client->options.loop->uv == NULL)
		return 0;
	client->deferral = calloc(1, sizeof(*client->deferral));
	if (client->deferral == NULL)
		return ERROR_MEMORY;
	uv_timer_init(client->options.loop->uv, client->deferral);
	client->deferral->data = client;
	return 0;
}

int license_client_new(
	const struct license_client_options *options, struct license_client **ret_client)
{
	struct license_client *client = calloc(1, sizeof(*client));
	int error = ERROR_MEMORY;

	if (client == NULL)
		return ERROR_MEMORY;
	client->status.remaining_days = -1;
	client->memory = arena_new(MEMORY_MAXIMUM);
	if (client->memory != NULL)
		error = copy_options(client, options);
	if (error == 0 && options->address != NULL && *options->address != '\0')
		error = license_path_read(options->address, &client->configured);
	if (error == 0)
		error = open_deferral(client);
	if (error != 0) {
		arena_free(client->memory);
		free(client);
		return error;
	}
	*ret_client = client;
	return 0;
}

static void free_deferral(uv_handle_t *handle)
{
	free(handle);
}

void license_client_free(struct license_client *client)
{
	if (client == NULL)
		return;
	for (struct exchange *exchange = client->exchanges; exchange != NULL;
		exchange = exchange->next) {
		exchange->client = NULL;
		free_deliveries(exchange->delivery);
	}
	free_deliveries(client->due);
	free(client->asked);
	if (client->deferral != NULL)
		uv_close((uv_handle_t *)client->deferral, free_deferral);
	arena_free(client->memory);
	free(client);
}

/* The service to ask; port 0: there is none. */
static struct license_path choose_service(const struct license_client *client, const char *path)
{
	struct license_path asked;

	if (path == NULL || *path == '\0')
		return client->configured;
	if (license_path_read(path, &asked) != 0) {
		event_agent_license_path_ignored(
			log_of(client), client->log_id, path, "it is not port@host or a URL");
		return client->configured;
	}
	if (client->options.restrict_path &&
		strcmp(asked.address, client->configured.address) != 0) {
		event_agent_license_path_ignored(log_of(client), client->log_id, path,
			"only the configured service may be asked");
		return client->configured;
	}
	return asked;
}

static void use_service(struct license_client *client, const struct license_path *service)
{
	bool configured = strcmp(service->address, client->configured.address) == 0;

	client->service = *service;
	client->policy = client->options.policy;
	if (!configured || client->policy.name == NULL)
		client->policy.name = client->service.host;
	client->status.source[0] = '\0';
	if (service->port != 0)
		snprintf(client->status.source, sizeof(client->status.source), "https://%s%s",
			service->address, message_root_path(ROOT_LICENSE));
}

int license_client_checkout(struct license_client *client, const char *log_id, const char *path,
	void (*done)(void *user, const struct license_status *status), void *user)
{
	struct license_path service;

	if (client->asked != NULL)
		return ERROR_BUSY;
	client->asked = calloc(1, sizeof(*client->asked));
	if (client->asked == NULL)
		return ERROR_MEMORY;
	client->asked->checked = done;
	client->asked->user = user;
	client->inside = true;
	if (log_id == NULL || uuid_read(log_id, client->log_id) != 0)
		memcpy(client->log_id, UUID_ZERO, sizeof(client->log_id));
	service = choose_service(client, path);
	if (client->lease_id[0] != '\0' && strcmp(service.address, client->service.address) != 0) {
		send_return(client, client->lease_id, NULL);
		client->lease_id[0] = '\0';
	}
	use_service(client, &service);
	client->running = true;
	client->current = NULL;
	if (service.port == 0) {
		event_agent_license_not_configured(log_of(client), NULL);
		denied(client, LICENSE_DENIED_NOT_CONFIGURED, "no licence service is configured");
	} else if (client->exchanges != NULL) {
		/* A host has one lease: what is under way about it must not come after this. */
		client->waiting = true;
	} else {
		ask(client, MESSAGE_CHECKOUT_LICENSE);
	}
	client->inside = false;
	return 0;
}

/* The return that is under way, if any. */
static struct exchange *find_return(const struct license_client *client)
{
	struct exchange *exchange = client->exchanges;

	while (exchange != NULL && exchange->message != MESSAGE_RETURN_LICENSE)
		exchange = exchange->next;
	return exchange;
}

void license_client_return(struct license_client *client, void (*done)(void *user), void *user)
{
	struct delivery *delivery = NULL;
	struct exchange *returning;

	if (done != NULL) {
		delivery = calloc(1, sizeof(*delivery));
		if (delivery != NULL)
			*delivery = (struct delivery){.ended = done, .user = user};
	}
	client->inside = true;
	client->running = false;
	client->waiting = false;
	client->current = NULL;
	set_state(client, LICENSE_NONE, -1, NO_DETAIL);
	returning = find_return(client);
	if (client->lease_id[0] != '\0') {
		send_return(client, client->lease_id, delivery);
	} else if (delivery != NULL && returning != NULL) {
		delivery->next = returning->delivery;
		returning->delivery = delivery;
	} else if (delivery != NULL) {
		deliver(client, delivery);
	}
	client->lease_id[0] = '\0';
	settle(client, false);
	client->inside = false;
	/* Whoever waits must not wait for ever because memory is short. */
	if (done != NULL && delivery == NULL)
		done(user);
}

const struct license_status *license_client_status(const struct license_client *client)
{
	return &client->status;
}

bool license_client_allowed(const struct license_client *client)
{
	return client->status.state == LICENSE_ACQUIRED || client->status.state == LICENSE_GRACE;
}

void license_client_tick(struct license_client *client)
{
	if (client->deferral == NULL)
		tell_due(client);
	if (!client->running || client->current != NULL || client->waiting ||
		steady(client) < client->next)
		return;
	ask(client, client->lease_id[0] != '\0' ? MESSAGE_RENEW_LICENSE : MESSAGE_CHECKOUT_LICENSE);
}
