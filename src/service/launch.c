#include "service/launch.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "service/event.h"

#define ADDRESS_SIZE 300
#define AGENT_PORT 60443

struct launch {
	struct transaction *transaction;
	char address[ADDRESS_SIZE];
	const char *hostname;
	void (*done)(struct transaction *);
	void (*status_done)(struct transaction *, int active);
	struct message *request;
};

/* An agent's result and what it means to the client. */
static const struct {
	enum result_id agent;
	enum result_id client;
} meanings[] = {
	{RESULT_SUCCESSFUL, RESULT_ALLOC_SUCCESSFUL},
	{RESULT_FAILED_USER_AUTH, RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT},
	{RESULT_FAILED_ANOTHER_SESSION_STARTED, RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT},
	{RESULT_FAILED_NO_LICENSE, RESULT_ALLOC_FAILED_NO_LICENSE},
	{RESULT_FAILED_SERVICE_BUSY, RESULT_ALLOC_PENDING_TRY_AGAIN},
	{RESULT_FAILED_INTERNAL, RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT},
};

enum result_id launch_meaning(enum result_id agent)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].agent == agent)
			return meanings[i].client;
	}
	return RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT;
}

/* The agent could not be asked, or its answer means nothing. */
static void fail_call(const struct launch *launch, const struct peer_answer *answer)
{
	struct transaction *transaction = launch->transaction;
	const struct text_value values[] = {
		{"port", strrchr(launch->address, ':') + 1},
		{"host", launch->hostname},
	};
	enum result_id result = RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT;
	enum text_key key = TEXT_AGENT_BROKEN;

	switch (answer->error) {
	case ERROR_UNREACHABLE:
	case ERROR_TIMEOUT:
	case ERROR_CLOSED:
		result = RESULT_ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE;
		key = TEXT_AGENT_UNREACHABLE;
		break;
	case ERROR_UNTRUSTED:
	case ERROR_TLS:
		key = TEXT_HOST_UNTRUSTED;
		break;
	default:
		break;
	}
	transaction_say(transaction, result, key, values, sizeof(values) / sizeof(values[0]));
}

/* session-info to target; only the tag changes its name. */
static int fill_target(const struct launch *launch, const struct message *answer)
{
	static const struct {
		enum field_id from, to;
	} fields[] = {
		{FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_IP_ADDRESS,
			FIELD_ALLOCATE_RESOURCE_RESP_TARGET_IP_ADDRESS},
		{FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SNI,
			FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SNI},
		{FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_PORT,
			FIELD_ALLOCATE_RESOURCE_RESP_TARGET_PORT},
		{FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_ID,
			FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SESSION_ID},
		{FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_TAG,
			FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG},
	};
	struct message *reply = launch->transaction->reply;
	size_t count = sizeof(fields) / sizeof(fields[0]);

	/* Half a target is none: the client would go there. */
	for (size_t i = 0; i < count; i++) {
		if (message_text(answer, fields[i].from) == NULL)
			return ERROR_INPUT;
	}
	(void)message_put(reply, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_HOSTNAME, launch->hostname);
	for (size_t i = 0; i < count; i++)
		(void)message_put(reply, fields[i].to, message_text(answer, fields[i].from));
	return 0;
}

static void fill_resource(struct transaction *transaction)
{
	(void)message_put(transaction->reply, FIELD_ALLOCATE_RESOURCE_RESP_RESOURCE_ID,
		transaction_text(transaction, FIELD_ALLOCATE_RESOURCE_RESOURCE_ID));
	(void)message_put(transaction->reply, FIELD_ALLOCATE_RESOURCE_RESP_PROTOCOL, "PCOIP");
}

/* Agents know no language: what one of ours says is told in the user's, a reason of another's own
 * as it is. */
static void say_reason(struct transaction *transaction, enum result_id result, enum result_id agent,
	const char *reason)
{
	bool known = agent != RESULT_NONE && result_info(agent)->group == GROUP_AGENT;

	if (reason != NULL && *reason != '\0')
		transaction_result(transaction, result, reason);
	else
		transaction_say(
			transaction, result, known ? text_of_result(agent) : TEXT_RESULT, NULL, 0);
}

static void launched(void *user, const struct peer_answer *answer)
{
	struct launch *launch = user;
	struct transaction *transaction = launch->transaction;
	const char *id = "", *reason = NULL;
	enum result_id agent, result;

	message_wipe_secrets(launch->request);
	if (answer->error == 0 && answer->message->id == MESSAGE_LAUNCH_SESSION_RESP) {
		id = message_text(answer->message, FIELD_LAUNCH_SESSION_RESP_RESULT_ID);
		reason = message_text(answer->message, FIELD_LAUNCH_SESSION_RESP_FAIL_REASON);
	}
	if (answer->error != 0) {
		event_pcm_agent_failed(transaction->loop->log, transaction->log_id, launch->address,
			"launch-session", answer->detail);
		fail_call(launch, answer);
	} else {
		if (answer->report != NULL && answer->report->troubles != 0)
			event_pcm_certificate(transaction->loop->log, transaction->log_id,
				launch->address, answer->report->text);
		event_pcm_agent_response(transaction->loop->log, transaction->log_id,
			launch->address, "launch-session", id, (double)answer->total_us / 1e6);
		agent = result_find(id);
		result = launch_meaning(agent);
		if (result != RESULT_ALLOC_SUCCESSFUL) {
			say_reason(transaction, result, agent, reason);
		} else if (fill_target(launch, answer->message) == 0) {
			fill_resource(transaction);
			transaction_result(transaction, result, NULL);
		} else {
			transaction_say(transaction, RESULT_ALLOC_FAILED_TO_ALLOCATE_AGENT,
				TEXT_AGENT_INCOMPLETE, NULL, 0);
		}
	}
	launch->done(transaction);
}

static struct launch *launch_new(
	struct transaction *transaction, const struct launch_host *host, enum message_id id)
{
	struct launch *launch = arena_alloc(transaction->arena, sizeof(*launch));
	unsigned port = host->port != 0 ? host->port : AGENT_PORT;
	bool v6 = strchr(host->address, ':') != NULL;
	int length;

	if (launch == NULL)
		return NULL;
	launch->transaction = transaction;
	launch->hostname =
		host->hostname != NULL && *host->hostname != '\0' ? host->hostname : host->address;
	length = snprintf(launch->address, sizeof(launch->address), v6 ? "[%s]:%u" : "%s:%u",
		host->address, port);
	if (length < 0 || (size_t)length >= sizeof(launch->address))
		return NULL;
	launch->request =
		message_new(transaction->arena, id, ROOT_AGENT, message_version_newest(ROOT_AGENT));
	return launch->request != NULL ? launch : NULL;
}

static int send_call(struct launch *launch, const struct launch_host *host, peer_done *done)
{
	struct transaction *transaction = launch->transaction;
	struct peer_call call = {
		.address = launch->address,
		.policy = host->policy,
		.request = launch->request,
		.log_id = transaction->log_id,
		.timeout_ms = host->timeout_ms,
		.arena = transaction->arena,
	};

	return peer_call(transaction->loop->peer, &call, done, launch);
}

int launch_start(struct transaction *transaction, const struct launch_host *host,
	const struct launch_user *user, const char *license_path,
	void (*done)(struct transaction *))
{
	struct launch *launch = launch_new(transaction, host, MESSAGE_LAUNCH_SESSION);
	const char *zone = transaction_text(
		transaction, FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_TIME_ZONE_WINDOWS);
	const char *mac =
		transaction_text(transaction, FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_MAC_ADDRESS);
	const char *client_name = transaction->session->client_name;
	struct message *request;
	int error;

	if (launch == NULL)
		return ERROR_MEMORY;
	launch->done = done;
	request = launch->request;
	const struct {
		enum field_id field;
		const char *text;
	} fields[] = {
		{FIELD_LAUNCH_SESSION_SESSION_TYPE, "UNSPECIFIED"},
		{FIELD_LAUNCH_SESSION_IP_ADDRESS, host->address},
		{FIELD_LAUNCH_SESSION_HOSTNAME, launch->hostname},
		{FIELD_LAUNCH_SESSION_LOGON_METHOD, "windows-password"},
		{FIELD_LAUNCH_SESSION_LOGON_USERNAME, user->user},
		{FIELD_LAUNCH_SESSION_LOGON_PASSWORD, user->password},
		{FIELD_LAUNCH_SESSION_LOGON_DOMAIN, user->domain},
		/* Never blank: real programs have failed on a blank one. */
		{FIELD_LAUNCH_SESSION_CLIENT_MAC, *mac != '\0' ? mac : "00:00:00:00:00:00"},
		{FIELD_LAUNCH_SESSION_CLIENT_IP, transaction->client},
		{FIELD_LAUNCH_SESSION_CLIENT_NAME, client_name != NULL ? client_name : ""},
		{FIELD_LAUNCH_SESSION_LICENSE_PATH, license_path != NULL ? license_path : ""},
		{FIELD_LAUNCH_SESSION_SESSION_LOG_ID, transaction->log_id},
	};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (message_put(request, fields[i].field, fields[i].text) == NULL)
			return ERROR_MEMORY;
	}
	if (*zone != '\0' &&
		message_put(request, FIELD_LAUNCH_SESSION_TIME_ZONE_WINDOWS, zone) == NULL)
		return ERROR_MEMORY;
	event_pcm_agent_request(
		transaction->loop->log, transaction->log_id, launch->address, "launch-session");
	error = send_call(launch, host, launched);
	if (error != 0)
		message_wipe_secrets(request);
	return error;
}

static void status_told(void *user, const struct peer_answer *answer)
{
	struct launch *launch = user;
	const char *state = NULL;
	int active = -1;

	if (answer->error == 0 && answer->message->id == MESSAGE_SESSION_STATUS_RESP)
		state = message_text(answer->message, FIELD_SESSION_STATUS_RESP_SESSION_STATE);
	if (state != NULL)
		active = strcmp(state, "FREE") != 0;
	launch->status_done(launch->transaction, active);
}

int launch_status(struct transaction *transaction, const struct launch_host *host,
	void (*done)(struct transaction *, int active))
{
	struct launch *launch = launch_new(transaction, host, MESSAGE_SESSION_STATUS);

	if (launch == NULL)
		return ERROR_MEMORY;
	launch->status_done = done;
	return send_call(launch, host, status_told);
}
