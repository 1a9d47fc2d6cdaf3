#include "service/license_call.h"

#include <limits.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "service/peer.h"

#define ARENA_MAXIMUM (256 * 1024)

struct open_call {
	struct arena *arena;
	struct loop *loop;
	int64_t sent; /* steady */
	void (*done)(void *user, const struct license_answer *answer);
	void *user;
};

/* The vendor's texts, seen in real logs, are those of libcurl. */
static const char *vendor_words(int error)
{
	switch (error) {
	case ERROR_TIMEOUT:
		return "Timeout was reached";
	case ERROR_UNREACHABLE:
		return "Couldn't connect to server";
	case ERROR_UNTRUSTED:
	case ERROR_TLS:
		return "SSL peer certificate or SSH remote key was not OK";
	default:
		return "Failure when receiving data from the peer";
	}
}

static unsigned read_count(const struct message *message, enum field_id field)
{
	uint64_t number = 0;

	(void)message_number(message, field, &number);
	return number < UINT_MAX ? (unsigned)number : UINT_MAX;
}

/* The fields that a grant and a renewal have in common. */
static void read_lease(const struct message *message, enum field_id seconds_field,
	enum field_id days_field, enum field_id total_field, enum field_id free_field,
	struct license_answer *answer)
{
	uint64_t number;

	answer->lease = LICENSE_CALL_LEASE_DEFAULT;
	if (message_number(message, seconds_field, &number)) {
		answer->lease = LICENSE_CALL_LEASE_MAXIMUM;
		if (number < (uint64_t)(LICENSE_CALL_LEASE_MAXIMUM / CLOCK_SECOND))
			answer->lease = (int64_t)number * CLOCK_SECOND;
		if (answer->lease < LICENSE_CALL_LEASE_MINIMUM)
			answer->lease = LICENSE_CALL_LEASE_MINIMUM;
	}
	if (message_number(message, days_field, &number))
		answer->remaining_days = number < INT_MAX ? (int)number : INT_MAX;
	answer->seats_total = read_count(message, total_field);
	answer->seats_free = read_count(message, free_field);
}

static void give_reason(struct license_answer *answer, const char *text)
{
	snprintf(answer->reason, sizeof(answer->reason), "%s", text);
}

/* A result and its text; what is no result of ours stays RESULT_NONE. */
static void read_result(const struct message *message, enum field_id id_field,
	enum field_id text_field, struct license_answer *answer)
{
	const char *text = message_text(message, text_field);
	enum result_id result = message_result(message, id_field);

	if (result == RESULT_NONE || result_info(result)->group != GROUP_LICENSE) {
		snprintf(answer->reason, sizeof(answer->reason),
			"the licence service answered with the unknown result '%.128s'",
			message_text(message, id_field));
		return;
	}
	if (result_info(result)->outcome != OUTCOME_OK)
		give_reason(
			answer, text != NULL && *text != '\0' ? text : result_info(result)->text);
	answer->result = result;
}

static void read_checkout(const struct message *message, struct license_answer *answer)
{
	const char *id = message_text(message, FIELD_CHECKOUT_LICENSE_RESP_LEASE_ID);

	read_result(message, FIELD_CHECKOUT_LICENSE_RESP_RESULT_ID,
		FIELD_CHECKOUT_LICENSE_RESP_RESULT_STR, answer);
	if (answer->result != RESULT_LICENSE_GRANTED)
		return;
	if (id == NULL || *id == '\0') {
		answer->result = RESULT_NONE;
		give_reason(answer, "the licence service granted a lease without an id");
		return;
	}
	snprintf(answer->lease_id, sizeof(answer->lease_id), "%s", id);
	read_lease(message, FIELD_CHECKOUT_LICENSE_RESP_LEASE_SECONDS,
		FIELD_CHECKOUT_LICENSE_RESP_REMAINING_DAYS, FIELD_CHECKOUT_LICENSE_RESP_SEATS_TOTAL,
		FIELD_CHECKOUT_LICENSE_RESP_SEATS_FREE, answer);
}

static void read_message(const struct message *message, struct license_answer *answer)
{
	const char *text;

	switch (message->id) {
	case MESSAGE_CHECKOUT_LICENSE_RESP:
		read_checkout(message, answer);
		break;
	case MESSAGE_RENEW_LICENSE_RESP:
		read_result(message, FIELD_RENEW_LICENSE_RESP_RESULT_ID,
			FIELD_RENEW_LICENSE_RESP_RESULT_STR, answer);
		read_lease(message, FIELD_RENEW_LICENSE_RESP_LEASE_SECONDS,
			FIELD_RENEW_LICENSE_RESP_REMAINING_DAYS,
			FIELD_RENEW_LICENSE_RESP_SEATS_TOTAL, FIELD_RENEW_LICENSE_RESP_SEATS_FREE,
			answer);
		break;
	case MESSAGE_RETURN_LICENSE_RESP:
		read_result(message, FIELD_RETURN_LICENSE_RESP_RESULT_ID,
			FIELD_RETURN_LICENSE_RESP_RESULT_STR, answer);
		break;
	default: /* error-resp: the peer lets nothing else pass */
		text = message_text(message, FIELD_ERROR_RESP_ERR_DETAIL);
		if (text == NULL || *text == '\0')
			text = message_text(message, FIELD_ERROR_RESP_RESULT_RESULT_STR);
		give_reason(answer,
			text != NULL && *text != '\0' ? text
						      : "the licence service refused the request");
		break;
	}
}

static void answered(void *user, const struct peer_answer *peer)
{
	struct open_call *open = user;
	struct license_answer answer = {
		.reached = peer->error == 0,
		.remaining_days = -1,
		.took_us = clock_steady(open->loop->clock) - open->sent,
	};

	if (peer->error != 0)
		snprintf(answer.reason, sizeof(answer.reason), "%s (%s)", vendor_words(peer->error),
			peer->detail);
	else
		read_message(peer->message, &answer);
	open->done(open->user, &answer);
	arena_free(open->arena);
}

static int fill_request(struct message *request, const struct license_call *call)
{
	const struct {
		enum message_id message;
		enum field_id field;
		const char *text;
	} fields[] = {
		{MESSAGE_CHECKOUT_LICENSE, FIELD_CHECKOUT_LICENSE_LICENSE_FEATURE, call->feature},
		{MESSAGE_CHECKOUT_LICENSE, FIELD_CHECKOUT_LICENSE_HOST_ID, call->host_id},
		{MESSAGE_CHECKOUT_LICENSE, FIELD_CHECKOUT_LICENSE_HOSTNAME, call->hostname},
		{MESSAGE_CHECKOUT_LICENSE, FIELD_CHECKOUT_LICENSE_SESSION_LOG_ID, call->log_id},
		{MESSAGE_RENEW_LICENSE, FIELD_RENEW_LICENSE_LEASE_ID, call->lease_id},
		{MESSAGE_RENEW_LICENSE, FIELD_RENEW_LICENSE_HOST_ID, call->host_id},
		{MESSAGE_RETURN_LICENSE, FIELD_RETURN_LICENSE_LEASE_ID, call->lease_id},
		{MESSAGE_RETURN_LICENSE, FIELD_RETURN_LICENSE_HOST_ID, call->host_id},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].message == call->message &&
			message_put(request, fields[i].field, fields[i].text) == NULL)
			return ERROR_MEMORY;
	}
	return 0;
}

int license_call_send(struct loop *loop, const struct license_call *call,
	void (*done)(void *user, const struct license_answer *answer), void *user)
{
	struct arena *arena = arena_new(ARENA_MAXIMUM);
	struct open_call *open = arena != NULL ? arena_alloc(arena, sizeof(*open)) : NULL;
	struct message *request = NULL;
	struct peer_call peer = {
		.address = call->address,
		.policy = call->policy,
		.log_id = call->log_id,
		.arena = arena,
	};
	int error = ERROR_MEMORY;

	if (open == NULL)
		goto out;
	*open = (struct open_call){
		.arena = arena,
		.loop = loop,
		.sent = clock_steady(loop->clock),
		.done = done,
		.user = user,
	};
	request = message_new(
		arena, call->message, ROOT_LICENSE, message_version_newest(ROOT_LICENSE));
	if (request == NULL)
		goto out;
	error = fill_request(request, call);
	peer.request = request;
	if (error == 0)
		error = peer_call(loop->peer, &peer, answered, open);
out:
	if (error != 0)
		arena_free(arena);
	return error;
}
