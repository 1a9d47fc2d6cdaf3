/*
 * license_fixture.h - a licence client with a fake service, a fake clock and a log that can be
 * read. For the tests of the licence client.
 */
#ifndef FAIRLEAD_TESTS_LICENSE_FIXTURE_H
#define FAIRLEAD_TESTS_LICENSE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "service/license_client.h"
#include "service/license_grace.h"
#include "service/peer.h"

#define NOW (INT64_C(1800000000) * CLOCK_SECOND) /* 2027-01-15T08:00:00Z */
#define DAY (INT64_C(86400) * CLOCK_SECOND)
#define LOG_ID "49756700-6f13-1039-a32b-02c4a91e7d01"
#define ADDRESS "license.example:7070"
#define SOURCE "https://" ADDRESS "/fairlead-license/xml"
#define CALLS_MAXIMUM 64
#define LOG_SIZE (64 * 1024)

/* A call that the fake service has got; answered when the test says so. */
struct got {
	enum message_id message;
	char address[300], name[256], lease_id[129], host_id[129], session[64];
	struct arena *arena;
	peer_done *done;
	void *user;
};

struct fixture {
	struct peer peer; /* first: the fake */
	struct got calls[CALLS_MAXIMUM];
	size_t count, answered;
	int refuse; /* what peer_call returns */

	struct clock_fake clock;
	struct loop loop;
	struct license_client_options options;
	struct license_client *client;
	char folder[64], state_file[96], log_file[96];

	unsigned told, changed, ended;
	struct license_status status; /* as last told */
	char log[LOG_SIZE];
};

static inline void copy_text(
	const struct message *message, enum field_id field, char *text, size_t size)
{
	const char *value = message_text(message, field);

	(void)snprintf(text, size, "%s", value != NULL ? value : "");
}

static inline int fake_call(
	struct peer *peer, const struct peer_call *call, peer_done *done, void *user)
{
	struct fixture *fixture = (struct fixture *)peer;
	struct got *got = &fixture->calls[fixture->count];
	enum message_id id = call->request->id;

	if (fixture->refuse != 0)
		return fixture->refuse;
	assert_true(fixture->count < CALLS_MAXIMUM);
	assert_int_equal(call->request->root, ROOT_LICENSE);
	*got = (struct got){.message = id, .arena = call->arena, .done = done, .user = user};
	(void)snprintf(got->address, sizeof(got->address), "%s", call->address);
	(void)snprintf(got->name, sizeof(got->name), "%s", call->policy->name);
	if (id == MESSAGE_CHECKOUT_LICENSE) {
		copy_text(call->request, FIELD_CHECKOUT_LICENSE_HOST_ID, got->host_id,
			sizeof(got->host_id));
		copy_text(call->request, FIELD_CHECKOUT_LICENSE_SESSION_LOG_ID, got->session,
			sizeof(got->session));
	} else {
		bool renew = id == MESSAGE_RENEW_LICENSE;

		copy_text(call->request,
			renew ? FIELD_RENEW_LICENSE_LEASE_ID : FIELD_RETURN_LICENSE_LEASE_ID,
			got->lease_id, sizeof(got->lease_id));
		copy_text(call->request,
			renew ? FIELD_RENEW_LICENSE_HOST_ID : FIELD_RETURN_LICENSE_HOST_ID,
			got->host_id, sizeof(got->host_id));
	}
	fixture->count++;
	return 0;
}

/* --- answers --- */

static inline void answer_message(struct fixture *fixture, const struct message *message)
{
	struct got *got = &fixture->calls[fixture->answered++];
	struct peer_answer answer = {.detail = "", .message = message};

	assert_true(fixture->answered <= fixture->count);
	got->done(got->user, &answer);
}

static inline void answer_error(struct fixture *fixture, int error, const char *detail)
{
	struct got *got = &fixture->calls[fixture->answered++];
	struct peer_answer answer = {.error = error, .detail = detail};

	assert_true(fixture->answered <= fixture->count);
	got->done(got->user, &answer);
}

static inline struct message *reply_new(struct fixture *fixture)
{
	const struct got *got = &fixture->calls[fixture->answered];
	struct message_version version = {1, 0};

	assert_true(fixture->answered < fixture->count);
	return message_new(got->arena, message_info(got->message)->response, ROOT_LICENSE, version);
}

static inline void grant_for(struct fixture *fixture, const char *lease_id, uint64_t seconds)
{
	struct message *reply = reply_new(fixture);

	assert_int_equal(reply->id, MESSAGE_CHECKOUT_LICENSE_RESP);
	message_add(reply, NULL, FIELD_CHECKOUT_LICENSE_RESP_RESULT_ID, "LICENSE_GRANTED");
	message_add(reply, NULL, FIELD_CHECKOUT_LICENSE_RESP_LEASE_ID, lease_id);
	message_add_number(reply, NULL, FIELD_CHECKOUT_LICENSE_RESP_LEASE_SECONDS, seconds);
	message_add_number(reply, NULL, FIELD_CHECKOUT_LICENSE_RESP_SEATS_TOTAL, 10);
	message_add_number(reply, NULL, FIELD_CHECKOUT_LICENSE_RESP_SEATS_FREE, 9);
	message_add_number(reply, NULL, FIELD_CHECKOUT_LICENSE_RESP_REMAINING_DAYS, 290);
	answer_message(fixture, reply);
}

static inline void grant(struct fixture *fixture, const char *lease_id)
{
	grant_for(fixture, lease_id, 300);
}

static inline void renew(struct fixture *fixture)
{
	struct message *reply = reply_new(fixture);

	assert_int_equal(reply->id, MESSAGE_RENEW_LICENSE_RESP);
	message_add(reply, NULL, FIELD_RENEW_LICENSE_RESP_RESULT_ID, "LICENSE_RENEWED");
	message_add_number(reply, NULL, FIELD_RENEW_LICENSE_RESP_LEASE_SECONDS, 300);
	message_add_number(reply, NULL, FIELD_RENEW_LICENSE_RESP_REMAINING_DAYS, 290);
	answer_message(fixture, reply);
}

static inline void answer_result(struct fixture *fixture, const char *result)
{
	struct message *reply = reply_new(fixture);
	enum field_id field = FIELD_RETURN_LICENSE_RESP_RESULT_ID;

	if (reply->id == MESSAGE_CHECKOUT_LICENSE_RESP)
		field = FIELD_CHECKOUT_LICENSE_RESP_RESULT_ID;
	else if (reply->id == MESSAGE_RENEW_LICENSE_RESP)
		field = FIELD_RENEW_LICENSE_RESP_RESULT_ID;
	message_add(reply, NULL, field, result);
	answer_message(fixture, reply);
}

static inline void lose(struct fixture *fixture)
{
	answer_error(fixture, ERROR_TIMEOUT, "no answer within 5000 ms");
}

/* --- the fixture --- */

static inline void on_done(void *user, const struct license_status *status)
{
	struct fixture *fixture = user;

	fixture->told++;
	fixture->status = *status;
}

static inline void on_changed(void *user, const struct license_status *status)
{
	struct fixture *fixture = user;

	fixture->changed++;
	fixture->status = *status;
}

static inline void on_ended(void *user)
{
	struct fixture *fixture = user;

	fixture->ended++;
}

static inline void start(struct fixture *fixture)
{
	license_client_free(fixture->client);
	fixture->client = NULL;
	assert_int_equal(license_client_new(&fixture->options, &fixture->client), 0);
}

static inline int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct log_options options = {.level = LOG_DEBUG, .names = LOG_NAMES_CLEAR};

	assert_non_null(fixture);
	strcpy(fixture->folder, "/tmp/test-license-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	(void)snprintf(
		fixture->state_file, sizeof(fixture->state_file), "%s/state", fixture->folder);
	(void)snprintf(fixture->log_file, sizeof(fixture->log_file), "%s/log", fixture->folder);
	clock_fake_init(&fixture->clock, NOW);
	fixture->peer.call = fake_call;
	options.file = fixture->log_file;
	options.clock = &fixture->clock.clock;
	fixture->loop.clock = &fixture->clock.clock;
	fixture->loop.peer = &fixture->peer;
	assert_int_equal(log_open(&options, &fixture->loop.log), 0);
	fixture->options = (struct license_client_options){
		.loop = &fixture->loop,
		.address = ADDRESS,
		.feature = "standard",
		.host_id = "host-1",
		.hostname = "ws-7",
		.state_file = fixture->state_file,
		.grace_days = 7,
		.changed = on_changed,
		.user = fixture,
	};
	start(fixture);
	*state = fixture;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *fixture = *state;

	license_client_free(fixture->client);
	/* What is still under way is answered to nobody. */
	while (fixture->answered < fixture->count)
		answer_error(fixture, ERROR_CLOSED, "closed");
	log_close(fixture->loop.log);
	(void)unlink(fixture->state_file);
	(void)unlink(fixture->log_file);
	assert_int_equal(rmdir(fixture->folder), 0);
	free(fixture);
	return 0;
}

static inline void checkout_path(struct fixture *fixture, const char *path)
{
	assert_int_equal(
		license_client_checkout(fixture->client, LOG_ID, path, on_done, fixture), 0);
}

static inline void checkout(struct fixture *fixture)
{
	checkout_path(fixture, NULL);
}

/* A session with a lease of 300 seconds. */
static inline void acquire(struct fixture *fixture)
{
	checkout(fixture);
	grant(fixture, "lease-1");
	assert_int_equal(fixture->status.state, LICENSE_ACQUIRED);
}

static inline void pass(struct fixture *fixture, int64_t time)
{
	clock_fake_advance(&fixture->clock, time);
	license_client_tick(fixture->client);
}

static inline const struct got *last(const struct fixture *fixture)
{
	assert_true(fixture->count > 0);
	return &fixture->calls[fixture->count - 1];
}

static inline bool logged(struct fixture *fixture, const char *text)
{
	FILE *stream;
	size_t length;

	log_flush(fixture->loop.log);
	stream = fopen(fixture->log_file, "r");
	assert_non_null(stream);
	length = fread(fixture->log, 1, sizeof(fixture->log) - 1, stream);
	assert_int_equal(fclose(stream), 0);
	fixture->log[length] = '\0';
	return strstr(fixture->log, text) != NULL;
}

static inline void assert_logged(struct fixture *fixture, const char *text)
{
	if (!logged(fixture, text))
		fail_msg("'%s' is not in the log:\n%s", text, fixture->log);
}

#endif
