/* Stages 1, 3 and 4: what each answer means, and what is asked next. */

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "client/connect_private.h"
#include "service/event.h"

#define ALLOCATE_TIMEOUT_MS 15000
#define BYE_TIMEOUT_MS 2000
#define PENDING_LIMIT (60 * CLOCK_SECOND)

struct arena *connect_fresh(struct connect *connect)
{
	arena_reset(connect->arena);
	return connect->arena;
}

/* The address this machine uses towards the server. Connecting a UDP socket sends nothing. */
static void find_own_address(const char *server, char *address, size_t size)
{
	struct sockaddr_storage own = {0};
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	socklen_t length = sizeof(own);
	int is_v4 = uv_ip4_addr(server, 443, &v4) == 0;
	int is_v6 = !is_v4 && uv_ip6_addr(server, 443, &v6) == 0;
	int descriptor = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address, size, "%s", is_v4 ? "0.0.0.0" : "::");
	if (descriptor < 0)
		return;
	if ((is_v4 || is_v6) &&
		connect(descriptor, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
			is_v4 ? sizeof(v4) : sizeof(v6)) == 0 &&
		getsockname(descriptor, (struct sockaddr *)&own, &length) == 0)
		(void)(is_v4 ? uv_ip4_name((struct sockaddr_in *)&own, address, size)
			     : uv_ip6_name((struct sockaddr_in6 *)&own, address, size));
	close(descriptor);
}

void connect_ask_list(struct connect *connect)
{
	connect_open(connect, RECORD_GET_RESOURCES);
	connect->step = CONNECT_LIST;
	connect_send(connect, connect_message_list(connect_fresh(connect)), CONNECT_TIMEOUT_MS);
}

/* ---- 1: initialise ---- */

void connect_resolved(struct connect *connect)
{
	if (connect->step == CONNECT_RESOLVE_TARGET) {
		connect_session(connect);
		return;
	}
	find_own_address(
		connect->server_address, connect->client_address, sizeof(connect->client_address));
	record_learn(&connect->record, RECORD_INITIALISE, "address", "%s", connect->server_address);
	connect_learned(connect);
	connect->step = CONNECT_PROBE;
	event_client_query(connect->options.log, NULL, connect->address);
	connect_send(connect, connect_message_probe(connect_fresh(connect)), CONNECT_TIMEOUT_MS);
}

static void probed(struct connect *connect, const struct message *message)
{
	static const char *const kinds[] = {[RECORD_PATH_DIRECT] = "an agent (direct connection)",
		[RECORD_PATH_MANAGER] = "a connection manager",
		[RECORD_PATH_BROKER] = "a broker"};
	static const char *const words[] = {[RECORD_PATH_DIRECT] = "agent",
		[RECORD_PATH_MANAGER] = "connection manager",
		[RECORD_PATH_BROKER] = "broker"};
	struct record *record = &connect->record;
	const char *product;

	record->path = connect_message_path(message, &product);
	record_learn(record, RECORD_INITIALISE, "server", "%s", words[record->path]);
	record_learn(record, RECORD_INITIALISE, "product", "%s", product);
	record_summary(
		record, RECORD_INITIALISE, "%s", *product != '\0' ? product : words[record->path]);
	connect_learned(connect);
	event_client_query_answered(
		connect->options.log, NULL, connect->address, kinds[record->path]);
	connect->step = CONNECT_HELLO;
	connect_send(connect,
		connect_message_hello(
			connect_fresh(connect), connect->server_address, connect->options.host),
		CONNECT_TIMEOUT_MS);
}

void connect_fail_result(struct connect *connect, const struct connect_message_result *result)
{
	connect_fail(connect,
		&(struct connect_fault){
			.result_id = result->name,
			.text = result->text,
			.advice = advice_result(result->id),
			.polite = true,
		});
}

/* ---- 3: get resources ---- */

static void fail_choice(struct connect *connect, enum advice_case which, const char *detail)
{
	connect_fail(connect,
		&(struct connect_fault){
			.error = ERROR_NOT_FOUND,
			.detail = detail,
			.advice = advice_case(which),
			.polite = true,
		});
}

/* Which resource; a failure has been told. */
static int choose_resource(struct connect *connect)
{
	struct connect_events *events = &connect->options.events;
	const struct record *record = &connect->record;
	char detail[RECORD_TEXT_SIZE];
	int error;

	if (connect->options.resource != NULL) {
		for (size_t i = 0; i < record->resource_count; i++) {
			if (strcasecmp(record->resources[i].name, connect->options.resource) != 0)
				continue;
			connect->resource = i;
			return 0;
		}
		snprintf(detail, sizeof(detail),
			"there is no '%s' among the %zu workstations in the list",
			connect->options.resource, record->resource_count);
		fail_choice(connect, ADVICE_CASE_RESOURCE_NOT_FOUND, detail);
		return ERROR_NOT_FOUND;
	}
	connect->resource = 0;
	if (record->resource_count == 1)
		return 0;
	error = events->choose != NULL ? events->choose(events->user, record, &connect->resource)
				       : ERROR_NOT_FOUND;
	if (error == ERROR_CLOSED) {
		connect_interrupted(connect);
	} else if (error != 0) {
		snprintf(detail, sizeof(detail), "%zu workstations are in the list, none was named",
			record->resource_count);
		fail_choice(connect, ADVICE_CASE_RESOURCE_NOT_NAMED, detail);
	}
	return error;
}

static void ask_allocate(struct connect *connect)
{
	connect->step = CONNECT_ALLOCATE;
	connect_send(connect,
		connect_message_allocate(connect_fresh(connect),
			connect->record.resources[connect->resource].id, connect->client_address,
			connect->mac),
		ALLOCATE_TIMEOUT_MS);
}

static void listed(struct connect *connect, const struct message *message,
	const struct connect_message_result *result)
{
	struct record *record = &connect->record;

	record_learn(record, RECORD_GET_RESOURCES, "result", "%s", result->name);
	if (result->id != RESULT_LIST_SUCCESSFUL) {
		connect_fail_result(connect, result);
		return;
	}
	connect_message_resources(message, record);
	record_learn_number(
		record, RECORD_GET_RESOURCES, "resources", (double)record->resource_count);
	if (record->resource_count == 0) {
		fail_choice(connect, ADVICE_CASE_NO_RESOURCES, "the list is empty");
		return;
	}
	if (connect->options.list_only) {
		record_summary(record, RECORD_GET_RESOURCES, "%zu resource%s",
			record->resource_count, record->resource_count == 1 ? "" : "s");
		connect_pass(connect);
		connect->step = CONNECT_CLOSING;
		connect_send(connect, connect_message_bye(connect_fresh(connect)), BYE_TIMEOUT_MS);
		return;
	}
	if (choose_resource(connect) != 0)
		return;
	record_learn(record, RECORD_GET_RESOURCES, "resource", "%s",
		record->resources[connect->resource].name);
	if (record->resource_count == 1)
		record_summary(record, RECORD_GET_RESOURCES, "%s", record->resources[0].name);
	else
		record_summary(record, RECORD_GET_RESOURCES, "%s (one of %zu)",
			record->resources[connect->resource].name, record->resource_count);
	connect_pass(connect);
	connect_open(connect, RECORD_ALLOCATE);
	connect->retrying_since = clock_steady(connect->options.clock);
	ask_allocate(connect);
}

/* ---- 4: allocate and prepare the host ---- */

static void retry(uv_timer_t *timer)
{
	ask_allocate(timer->data);
}

/* What the link needs; false: something is missing. */
static bool read_target(struct connect_target *target, const struct message *message)
{
	const char *address = message_text(message, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_IP_ADDRESS);
	const char *name = message_text(message, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_HOSTNAME);
	const char *sni = message_text(message, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SNI);
	const char *tag = message_text(message, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG);
	uint64_t port = LINK_PORT;

	if (address == NULL || *address == '\0' || tag == NULL || *tag == '\0' ||
		!message_number(
			message, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SESSION_ID, &target->session))
		return false;
	(void)message_number(message, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_PORT, &port);
	if (port == 0 || port > UINT16_MAX)
		return false;
	if (sni == NULL || *sni == '\0')
		sni = name != NULL && *name != '\0' ? name : address;
	target->port = (uint16_t)port;
	snprintf(target->host, sizeof(target->host), "%s", address);
	snprintf(target->sni, sizeof(target->sni), "%s", sni);
	snprintf(target->tag, sizeof(target->tag), "%s", tag);
	return true;
}

static void allocated(struct connect *connect, const struct message *message,
	const struct connect_message_result *result)
{
	struct record *record = &connect->record;
	int64_t waited = clock_steady(connect->options.clock) - connect->retrying_since;

	record_learn(record, RECORD_ALLOCATE, "result", "%s", result->name);
	if (result->id == RESULT_ALLOC_PENDING_TRY_AGAIN && waited < PENDING_LIMIT) {
		connect->step = CONNECT_RETRY;
		record_learn_number(record, RECORD_ALLOCATE, "retries", ++connect->retries);
		record_summary(record, RECORD_ALLOCATE, "the host is being started");
		connect_learned(connect);
		connect_timer(connect, connect->options.retry_interval, retry);
		return;
	}
	if (result->id != RESULT_ALLOC_SUCCESSFUL) {
		record_summary(record, RECORD_ALLOCATE, "%s", result->name);
		connect_fail_result(connect, result);
		return;
	}
	if (!read_target(&connect->target, message)) {
		connect_fail(connect,
			&(struct connect_fault){
				.error = ERROR_INPUT,
				.result_id = result->name,
				.detail = "the answer has no address, session id or connect tag of "
					  "a session",
				.advice = advice_case(ADVICE_CASE_NO_TARGET),
				.polite = true,
			});
		return;
	}
	record_learn(record, RECORD_ALLOCATE, "address", "%s", connect->target.host);
	record_learn_number(record, RECORD_ALLOCATE, "port", connect->target.port);
	record_learn(record, RECORD_ALLOCATE, "sni", "%s", connect->target.sni);
	record_learn(record, RECORD_ALLOCATE, "session_id", "%llu",
		(unsigned long long)connect->target.session);
	record_summary(record, RECORD_ALLOCATE, "%s:%u", connect->target.sni, connect->target.port);
	connect_pass(connect);
	connect->step = CONNECT_BYE;
	connect_send(connect, connect_message_bye(connect_fresh(connect)), BYE_TIMEOUT_MS);
}

void connect_answered(struct connect *connect, const struct message *message)
{
	struct connect_message_result result = {.name = "", .text = "", .detail = ""};

	if (message != NULL)
		(void)connect_message_result(message, &result);
	switch (connect->step) {
	case CONNECT_PROBE:
		probed(connect, message);
		break;
	case CONNECT_HELLO:
		connect_logon(connect, message);
		break;
	case CONNECT_AUTHENTICATE:
		connect_logon_answered(connect, message, &result);
		break;
	case CONNECT_LIST:
		listed(connect, message, &result);
		break;
	case CONNECT_ALLOCATE:
		allocated(connect, message, &result);
		break;
	default: /* CONNECT_BYE */
		event_client_pre_session_complete(connect->options.log, connect->record.log_id);
		connect_open(connect, RECORD_ESTABLISH);
		connect->step = CONNECT_RESOLVE_TARGET;
		connect_resolve(connect, connect->target.host, connect->target.port);
		break;
	}
}
