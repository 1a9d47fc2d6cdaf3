#include "manager/manager_upstream.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "service/event.h"

/* A hello is about a kilobyte; a longer one is not worth keeping for every session. */
#define HELLO_MAXIMUM 8192

struct upstream {
	char *cookie; /* NULL before the broker's first answer */
	char *hello;  /* as it was sent; NULL: not kept */
	size_t hello_length;
	bool spent;
	bool barred; /* from being renewed */
};

/* A renewal: hello, then authenticate. Lives in the transaction's arena. */
struct renewal {
	struct transaction *transaction;
	const struct manager_view *view;
	peer_done *done;
	void *user;
};

static void upstream_free(void *role)
{
	struct upstream *upstream = role;

	secret_wipe_text(upstream->cookie);
	free(upstream->cookie);
	free(upstream->hello);
	free(upstream);
}

static struct upstream *upstream_of(struct session *session)
{
	struct upstream *upstream = session->role;

	if (upstream == NULL) {
		upstream = calloc(1, sizeof(*upstream));
		session->role = upstream;
		session->role_free = upstream != NULL ? upstream_free : NULL;
	}
	return upstream;
}

int upstream_call(struct transaction *transaction, const struct manager_view *view,
	const struct message *request, peer_done *done, void *user)
{
	const struct upstream *upstream = transaction->session->role;
	struct peer_call call = {
		.address = view->broker_address,
		.policy = &view->broker_policy,
		.request = request,
		.cookie = upstream != NULL ? upstream->cookie : NULL,
		.log_id = transaction->log_id,
		.forwarded_for = transaction->client,
		/* The client asks for a logon: somebody may have to approve it. */
		.timeout_ms = transaction->request->id == MESSAGE_AUTHENTICATE
			? view->authenticate_ms
			: view->timeout_ms,
		.connect_ms = view->timeout_ms,
		.arena = transaction->arena,
	};

	event_pcm_broker_request(transaction->loop->log, transaction->log_id,
		message_stage(request->id), message_info(request->id)->element);
	return peer_call(transaction->loop->peer, &call, done, user);
}

int upstream_take_cookie(struct session *session, const char *cookie)
{
	struct upstream *upstream = upstream_of(session);

	return upstream != NULL ? sessions_set_text(&upstream->cookie, cookie) : ERROR_MEMORY;
}

int upstream_keep_hello(struct session *session, const struct message *hello)
{
	struct upstream *upstream = upstream_of(session);
	struct buffer text;
	int error;

	if (upstream == NULL)
		return ERROR_MEMORY;
	buffer_init(&text, HELLO_MAXIMUM);
	error = codec_encode(hello, CODEC_COMPACT, &text);
	if (error == 0) {
		char *copy = malloc(text.length);

		if (copy != NULL) {
			memcpy(copy, text.bytes, text.length);
			free(upstream->hello);
			upstream->hello = copy;
			upstream->hello_length = text.length;
		} else {
			error = ERROR_MEMORY;
		}
	}
	buffer_free(&text);
	return error == ERROR_LIMIT ? 0 : error;
}

void upstream_spend(struct session *session)
{
	struct upstream *upstream = session->role;

	upstream->spent = true;
}

bool upstream_is_spent(const struct session *session)
{
	const struct upstream *upstream = session->role;

	return upstream != NULL && upstream->spent;
}

void upstream_bar_renewal(struct session *session)
{
	struct upstream *upstream = session->role;

	if (upstream != NULL)
		upstream->barred = true;
}

static void give_up(const struct renewal *renewal, int error, const char *detail)
{
	struct peer_answer failure = {.error = error, .detail = detail};

	renewal->done(renewal->user, &failure);
}

static void logged_on(void *user, const struct peer_answer *answer)
{
	struct renewal *renewal = user;
	struct upstream *upstream = renewal->transaction->session->role;
	enum result_id result;
	const char *id;

	if (answer->error != 0) {
		renewal->done(renewal->user, answer);
		return;
	}
	/* NULL for an error-resp, which says nothing of the user. */
	id = message_text(answer->message, FIELD_AUTHENTICATE_RESP_RESULT_RESULT_ID);
	result = id != NULL ? result_find(id) : RESULT_NONE;
	if (result == RESULT_AUTH_FAILED_SERVICE_BUSY ||
		result == RESULT_AUTH_FAILED_BROKER_UNREACHABLE || id == NULL) {
		give_up(renewal, ERROR_BUSY, "the broker cannot log the user on now");
		return;
	}
	if (result != RESULT_AUTH_SUCCESSFUL_AND_COMPLETE) {
		give_up(renewal, ERROR_REFUSED,
			result == RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE
				? "it takes more than a password"
				: "the broker did not log the user on again");
		return;
	}
	upstream->spent = false;
	renewal->done(renewal->user, answer);
}

static int send_logon(struct renewal *renewal)
{
	struct transaction *transaction = renewal->transaction;
	const struct session *session = transaction->session;
	struct message *logon = message_new(
		transaction->arena, MESSAGE_AUTHENTICATE, ROOT_BROKER, session->version);
	char password[SEAL_SECRET_MAXIMUM + 1];
	int error = seal_open(&session->password, transaction->cookie, password);

	if (error != 0)
		return error;
	if (logon == NULL || message_put(logon, FIELD_AUTHENTICATE_METHOD, "password") == NULL ||
		message_put(logon, FIELD_AUTHENTICATE_USERNAME, session->user) == NULL ||
		message_put(logon, FIELD_AUTHENTICATE_PASSWORD, password) == NULL ||
		message_put(logon, FIELD_AUTHENTICATE_DOMAIN, session->domain) == NULL)
		error = ERROR_MEMORY;
	secret_wipe(password, sizeof(password));
	if (error == 0)
		error = upstream_call(transaction, renewal->view, logon, logged_on, renewal);
	if (logon != NULL)
		message_wipe_secrets(logon);
	return error;
}

static void greeted(void *user, const struct peer_answer *answer)
{
	struct renewal *renewal = user;
	int error;

	if (answer->error != 0) {
		renewal->done(renewal->user, answer);
		return;
	}
	if (answer->message->id != MESSAGE_HELLO_RESP || answer->cookie == NULL) {
		give_up(renewal, ERROR_INPUT, "the broker did not open a session again");
		return;
	}
	error = upstream_take_cookie(renewal->transaction->session, answer->cookie);
	if (error == 0)
		error = send_logon(renewal);
	if (error != 0)
		give_up(renewal, error, error_text(error));
}

int upstream_renew(struct transaction *transaction, const struct manager_view *view,
	peer_done *done, void *user)
{
	struct upstream *upstream = transaction->session->role;
	struct renewal *renewal = arena_alloc(transaction->arena, sizeof(*renewal));
	struct codec_fault fault;
	struct message *hello;
	int error;

	if (renewal == NULL)
		return ERROR_MEMORY;
	if (upstream->barred)
		return ERROR_REFUSED;
	if (upstream->hello == NULL)
		return ERROR_NOT_FOUND;
	error = codec_decode(transaction->loop->reader, transaction->arena, 1u << ROOT_BROKER,
		upstream->hello, upstream->hello_length, &hello, &fault);
	if (error != 0)
		return error;
	*renewal = (struct renewal){transaction, view, done, user};
	/* Without its cookie: the broker's old session is left to its end. */
	secret_wipe_text(upstream->cookie);
	free(upstream->cookie);
	upstream->cookie = NULL;
	return upstream_call(transaction, view, hello, greeted, renewal);
}
