#include "service/endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "service/event.h"
#include "service/trace.h"

/* An answer with every resource of a large studio still fits. */
#define REPLY_MAXIMUM (512 * 1024)
#define REPLY_USUAL 1000
#define CONTENT_TYPE "application/xml charset=UTF-8" /* as the specification page spells it */

struct endpoint {
	struct endpoint_options options;
	char *capture; /* options.capture outlives its configuration */
	endpoint_handler *handlers[MESSAGE_COUNT];
	/* Where each response carries its result; FIELD_NONE: nowhere. */
	enum field_id result_id[MESSAGE_COUNT];
	enum field_id result_str[MESSAGE_COUNT];
};

/* A transaction with what only the endpoint needs. */
struct open_transaction {
	struct transaction public;
	struct endpoint_request request;
	enum message_root root;
	struct message_version version;
	enum result_outcome outcome;
	const char *english; /* what logs say of the result; NULL: what the reply says */
	char cookie[SESSIONS_COOKIE_SIZE];
	char log_id[UUID_SIZE];
	bool log_id_made; /* the client sent none, or none that is one */
	void (*run)(struct transaction *);
	void (*done)(struct transaction *);
};

int endpoint_new(const struct endpoint_options *options, struct endpoint **ret_endpoint)
{
	struct endpoint *endpoint = calloc(1, sizeof(*endpoint));

	if (endpoint == NULL)
		return ERROR_MEMORY;
	endpoint->options = *options;
	if (options->capture != NULL) {
		endpoint->capture = strdup(options->capture);
		if (endpoint->capture == NULL) {
			free(endpoint);
			return ERROR_MEMORY;
		}
	}
	for (size_t i = 0; i < options->route_count; i++)
		endpoint->handlers[options->routes[i].message] = options->routes[i].handle;
	for (int i = FIELD_NONE + 1; i < FIELD_EXTENSION; i++) {
		const struct field_info *info = field_info((enum field_id)i);

		if (info->type == FIELD_RESULT)
			endpoint->result_id[info->message] = (enum field_id)i;
		else if (strcmp(info->name, "result-str") == 0)
			endpoint->result_str[info->message] = (enum field_id)i;
	}
	*ret_endpoint = endpoint;
	return 0;
}

void endpoint_free(struct endpoint *endpoint)
{
	if (endpoint != NULL)
		free(endpoint->capture);
	free(endpoint);
}

/* --- answering --- */

static void answer_plain(
	const struct endpoint_request *request, int status, const char *text, const char *allow)
{
	struct http_header header = {"Allow", allow};
	struct http_response response = {
		.status = status,
		.content_type = "text/plain; charset=UTF-8",
		.body = text,
		.body_length = strcmp(request->method, "HEAD") == 0 ? 0 : strlen(text),
		.headers = &header,
		.header_count = allow != NULL ? 1 : 0,
	};

	request->reply(request->user, &response);
}

/* The last words when not even an error message can be built. */
static void answer_exhausted(const struct endpoint_request *request)
{
	answer_plain(request, 503, "The service is short of memory.\n", NULL);
}

static void answer_body(struct open_transaction *open, const char *body, size_t length)
{
	struct transaction *transaction = &open->public;
	char cookie[sizeof("JSESSIONID=; HttpOnly; Secure") + SESSIONS_COOKIE_SIZE];
	struct http_header headers[2] = {{"Client-Log-Id", open->log_id}};
	struct http_response response = {
		.status = 200,
		.content_type = CONTENT_TYPE,
		.body = body,
		.body_length = length,
		.headers = headers,
		.header_count = 1,
		.chunked = true, /* real clients want it so */
	};

	if (transaction->cookie != NULL) {
		snprintf(cookie, sizeof(cookie), "JSESSIONID=%s; HttpOnly; Secure",
			transaction->cookie);
		headers[response.header_count++] = (struct http_header){"Set-Cookie", cookie};
	}
	open->request.reply(open->request.user, &response);
}

static void answer_message(struct open_transaction *open, const struct message *message)
{
	struct transaction *transaction = &open->public;
	struct buffer body;

	trace_capture(transaction->endpoint->capture, transaction->endpoint->options.name,
		transaction->loop->log, message);
	trace_log(transaction->loop->log, open->log_id, LOG_DEBUG, "Sent", message);
	buffer_init(&body, REPLY_MAXIMUM);
	/* Most fit, so the buffer does not have to grow, wiping the old place each time. */
	(void)buffer_reserve(&body, REPLY_USUAL);
	if (codec_encode(message, CODEC_COMPACT, &body) == 0)
		answer_body(open, body.bytes, body.length);
	else
		answer_exhausted(&open->request);
	buffer_free(&body);
}

static void release(struct open_transaction *open)
{
	struct transaction *transaction = &open->public;

	if (transaction->session != NULL)
		sessions_release(transaction->endpoint->options.sessions, transaction->session);
	transaction->session = NULL;
}

static void answer_error(struct open_transaction *open, enum result_id result, const char *detail)
{
	struct transaction *transaction = &open->public;
	const char *name = transaction->endpoint->options.name;
	struct message *message =
		message_new(transaction->arena, MESSAGE_ERROR_RESP, open->root, open->version);

	event_message_refused(transaction->loop->log, open->log_id, transaction->client,
		result_info(result)->id, detail != NULL ? detail : result_info(result)->text);
	if (message == NULL ||
		message_put(message, FIELD_ERROR_RESP_RESULT_RESULT_ID, result_info(result)->id) ==
			NULL ||
		message_put(message, FIELD_ERROR_RESP_RESULT_RESULT_STR,
			text_template(transaction_language(transaction), text_of_result(result))) ==
			NULL ||
		message_put(message, FIELD_ERROR_RESP_DETECTED_BY, name) == NULL ||
		(detail != NULL &&
			message_put(message, FIELD_ERROR_RESP_ERR_DETAIL, detail) == NULL)) {
		release(open);
		answer_exhausted(&open->request);
		return;
	}
	/* Released first: a client may ask again as soon as it has the answer. */
	release(open);
	answer_message(open, message);
}

/* The one place where an open transaction changes its session's state. */
static void move(struct transaction *transaction, enum state state)
{
	struct session *session = transaction->session;

	if (session->state != state)
		event_session_moved(transaction->loop->log, transaction->log_id,
			state_name(session->state), state_name(state),
			message_info(transaction->request->id)->element);
	session->state = state;
}

void transaction_fail(struct transaction *transaction, enum result_id result, const char *detail)
{
	struct open_transaction *open = (struct open_transaction *)transaction;

	if (transaction->session != NULL) {
		/* A session that has not come to life yet is none. */
		if (transaction->session->state == STATE_NONE)
			transaction->cookie = NULL;
		move(transaction, state_errored(transaction->session->state));
	}
	answer_error(open, result, detail);
}

void transaction_fail_as(struct transaction *transaction, const struct message *error)
{
	struct open_transaction *open = (struct open_transaction *)transaction;
	struct message *message =
		message_new(transaction->arena, MESSAGE_ERROR_RESP, open->root, open->version);

	if (message == NULL || message_copy(message, error) != 0) {
		transaction_fail(transaction, RESULT_ERR_INTERNAL, NULL);
		return;
	}
	move(transaction, state_errored(transaction->session->state));
	if (transaction->session->state == STATE_NONE)
		transaction->cookie = NULL;
	release(open);
	answer_message(open, message);
}

/* Moves and releases the session by the reply's outcome. False: that was answered otherwise. */
static bool settle(struct transaction *transaction)
{
	struct open_transaction *open = (struct open_transaction *)transaction;
	struct session *session = transaction->session;

	/* Handlers put one part after the other into the reply; what lacks one is no answer. */
	if (arena_lacking(transaction->arena)) {
		transaction_fail(transaction, RESULT_ERR_INTERNAL, NULL);
		return false;
	}
	if (session != NULL) {
		enum state next = session->state;
		int error =
			state_next(session->state, transaction->request->id, open->outcome, &next);

		assert(error == 0); /* a handler answered what the table does not know */
		(void)error;
		move(transaction, next);
	}
	release(open);
	return true;
}

void transaction_finish(struct transaction *transaction)
{
	if (settle(transaction))
		answer_message((struct open_transaction *)transaction, transaction->reply);
}

void transaction_finish_encoded(struct transaction *transaction, const char *body, size_t length)
{
	if (settle(transaction))
		answer_body((struct open_transaction *)transaction, body, length);
}

bool transaction_is_shown(const struct transaction *transaction)
{
	return transaction->endpoint->capture != NULL ||
		log_wants(transaction->loop->log, LOG_DEBUG);
}

/* --- for handlers --- */

const char *transaction_text(const struct transaction *transaction, enum field_id field)
{
	const char *text = message_text(transaction->request, field);

	return text != NULL ? text : "";
}

const struct text_language *transaction_language(const struct transaction *transaction)
{
	const struct session *session = transaction->session;

	return session != NULL && session->language != NULL ? session->language : text_english();
}

static void put_result(struct transaction *transaction, enum result_id result, const char *text)
{
	const struct result_info *info = result_info(result);
	enum field_id id_field = transaction->endpoint->result_id[transaction->reply->id];
	enum field_id text_field = transaction->endpoint->result_str[transaction->reply->id];

	assert(id_field != FIELD_NONE);
	((struct open_transaction *)transaction)->outcome = info->outcome;
	(void)message_put(transaction->reply, id_field, info->id);
	if (text_field != FIELD_NONE)
		(void)message_put(transaction->reply, text_field, text);
}

void transaction_result(struct transaction *transaction, enum result_id result, const char *text)
{
	enum text_key key = text != NULL ? text_known(text) : text_of_result(result);

	if (key != TEXT_RESULT) {
		transaction_say(transaction, result, key, NULL, 0);
	} else {
		((struct open_transaction *)transaction)->english = NULL;
		put_result(transaction, result, text);
	}
}

void transaction_say(struct transaction *transaction, enum result_id result, enum text_key key,
	const struct text_value *values, size_t count)
{
	struct open_transaction *open = (struct open_transaction *)transaction;
	const struct text_language *language = transaction_language(transaction);
	char text[TEXT_MAXIMUM];

	if (key == TEXT_RESULT)
		key = text_of_result(result);
	open->english = NULL;
	if (language != text_english()) {
		text_fill(text_english(), key, values, count, text);
		open->english = arena_text(transaction->arena, text);
	}
	text_fill(language, key, values, count, text);
	put_result(transaction, result, text);
}

/* What a result means in a message of another program: an id that is not of this kind of message,
 * or that nobody has published, cannot be a success. */
static enum result_outcome foreign_outcome(enum message_id message, const char *id)
{
	static const struct {
		enum message_id message;
		enum result_group group;
	} groups[] = {
		{MESSAGE_AUTHENTICATE_RESP, GROUP_AUTH},
		{MESSAGE_GET_RESOURCE_LIST_RESP, GROUP_LIST},
		{MESSAGE_ALLOCATE_RESOURCE_RESP, GROUP_ALLOC},
	};
	enum result_id result = result_find(id);

	for (size_t i = 0; result != RESULT_NONE && i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (groups[i].message == message && groups[i].group == result_info(result)->group)
			return result_info(result)->outcome;
	}
	return OUTCOME_FAILED;
}

int transaction_adopt(struct transaction *transaction, const struct message *answer)
{
	struct open_transaction *open = (struct open_transaction *)transaction;
	enum field_id field = transaction->endpoint->result_id[answer->id];
	const char *id = field != FIELD_NONE ? message_text(answer, field) : NULL;
	int error = message_copy(transaction->reply, answer);

	if (error == 0 && id != NULL)
		open->outcome = foreign_outcome(answer->id, id);
	open->english = NULL;
	return error;
}

enum result_outcome transaction_outcome(const struct transaction *transaction)
{
	return ((const struct open_transaction *)transaction)->outcome;
}

const char *transaction_result_id(const struct transaction *transaction)
{
	enum field_id field = transaction->endpoint->result_id[transaction->reply->id];
	const char *id = field != FIELD_NONE ? message_text(transaction->reply, field) : NULL;

	return id != NULL ? id : "";
}

const char *transaction_result_english(const struct transaction *transaction)
{
	const struct open_transaction *open = (const struct open_transaction *)transaction;
	enum field_id field = transaction->endpoint->result_str[transaction->reply->id];
	const char *text = open->english;

	if (text == NULL && field != FIELD_NONE)
		text = message_text(transaction->reply, field);
	return text != NULL ? text : "";
}

static void work_run(void *user)
{
	struct open_transaction *open = user;

	open->run(&open->public);
}

static void work_done(void *user)
{
	struct open_transaction *open = user;

	open->done(&open->public);
}

int transaction_work(struct transaction *transaction, void (*run)(struct transaction *),
	void (*done)(struct transaction *))
{
	struct open_transaction *open = (struct open_transaction *)transaction;

	open->run = run;
	open->done = done;
	return work_submit(
		transaction->loop->work, transaction->loop->uv, work_run, work_done, transaction);
}

/* --- a request comes in --- */

/* Gives the transaction its session. 0, or the result id to refuse with. */
static enum result_id find_session(struct open_transaction *open)
{
	struct transaction *transaction = &open->public;
	struct sessions *sessions = transaction->endpoint->options.sessions;
	const struct message_info *info = message_info(transaction->request->id);
	bool opens = (info->flags & MESSAGE_OPENS_SESSION) != 0;
	const char *cookie = open->request.cookie;
	int error = ERROR_NOT_FOUND;

	assert(sessions != NULL);
	if (cookie != NULL)
		error = sessions_take(sessions, cookie, &transaction->session);
	if (error == ERROR_BUSY) {
		sessions_fault(sessions, cookie);
		return RESULT_ERR_REQUEST_OUTSTANDING;
	}
	if (error == 0 && opens &&
		!state_may(transaction->session->state, transaction->request->id)) {
		/* The client starts over: the old session ends, a new one begins. */
		move(transaction, STATE_ENDED);
		release(open);
		error = ERROR_NOT_FOUND;
	}
	if (error == 0) {
		transaction->cookie = cookie;
		return RESULT_NONE;
	}
	if (!opens)
		return RESULT_ERR_UNKNOWN_SESSION;
	error = sessions_create(sessions, open->cookie, &transaction->session);
	if (error == ERROR_LIMIT)
		return RESULT_ERR_SERVICE_BUSY;
	if (error != 0)
		return RESULT_ERR_INTERNAL;
	transaction->cookie = open->cookie;
	return RESULT_NONE;
}

static void dispatch(struct open_transaction *open)
{
	struct transaction *transaction = &open->public;
	const struct message *request = transaction->request;
	const struct message_info *info = message_info(request->id);
	endpoint_handler *handle = transaction->endpoint->handlers[request->id];
	char detail[CODEC_DETAIL_SIZE];
	enum result_id refused;

	if (handle == NULL) {
		snprintf(detail, sizeof(detail), "'%s' is not answered here", info->element);
		if (open->request.cookie != NULL && transaction->endpoint->options.sessions != NULL)
			sessions_fault(
				transaction->endpoint->options.sessions, open->request.cookie);
		answer_error(open, RESULT_ERR_MESSAGE_NOT_ALLOWED, detail);
		return;
	}
	if (open->log_id_made) {
		/* A manager may name the session in the message only. */
		const char *named = request->id == MESSAGE_LAUNCH_SESSION
			? message_text(request, FIELD_LAUNCH_SESSION_SESSION_LOG_ID)
			: message_text(request, FIELD_CHECKOUT_LICENSE_SESSION_LOG_ID);

		if (named != NULL)
			(void)uuid_read(named, open->log_id);
	}
	if ((info->flags & MESSAGE_NO_SESSION) == 0) {
		refused = find_session(open);
		if (refused != RESULT_NONE) {
			answer_error(open, refused, NULL);
			return;
		}
		if (!state_may(transaction->session->state, request->id)) {
			snprintf(detail, sizeof(detail), "'%s' is not allowed in state %s",
				info->element, state_name(transaction->session->state));
			transaction_fail(transaction, RESULT_ERR_MESSAGE_NOT_ALLOWED, detail);
			return;
		}
		/* Who sends no id of his own keeps the one his session was given. */
		if (open->log_id_made && *transaction->session->log_id != '\0')
			memcpy(open->log_id, transaction->session->log_id, sizeof(open->log_id));
		memcpy(transaction->session->log_id, open->log_id, sizeof(open->log_id));
		transaction->session->root = request->root;
		transaction->session->version = request->version;
	}
	transaction->reply =
		message_new(transaction->arena, info->response, request->root, request->version);
	if (transaction->reply == NULL) {
		transaction_fail(transaction, RESULT_ERR_INTERNAL, NULL);
		return;
	}
	handle(transaction);
}

static bool is_address(const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/*
 * The address the request came from. Every proxy appends the address it saw,
 * so only what trusted ones wrote counts: from the right, the first address
 * that is not a trusted proxy itself. NULL: memory.
 */
static const char *client_address(
	const struct endpoint *endpoint, const struct endpoint_request *request)
{
	const struct endpoint_options *options = &endpoint->options;
	const char *client = request->peer;
	char *list, *part;

	if (request->forwarded_for == NULL || options->trusted_proxy == NULL)
		return client;
	list = arena_text(request->arena, request->forwarded_for);
	if (list == NULL)
		return NULL;
	while (options->trusted_proxy(options->user, client)) {
		part = strrchr(list, ',');
		part = part != NULL ? part + 1 : list;
		part += strspn(part, " \t");
		part[strcspn(part, " \t")] = '\0';
		if (!is_address(part))
			break;
		client = part;
		part = strrchr(list, ',');
		if (part == NULL)
			break;
		*part = '\0';
	}
	return client;
}

/* True when the request is a POST to the path; everything else is answered here. */
static bool check_http(const struct endpoint *endpoint, const struct endpoint_request *request)
{
	bool known = false;

	for (int root = 0; root < ROOT_COUNT; root++) {
		if ((endpoint->options.roots & (1u << root)) != 0)
			known = known ||
				strcmp(request->path, message_root_path((enum message_root)root)) ==
					0;
	}
	if (!known) {
		answer_plain(request, 404, "Nothing is here.\n", NULL);
		return false;
	}
	if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0) {
		/* Load balancers ask so whether anyone is at home. */
		answer_plain(request, 200, endpoint->options.page, NULL);
		return false;
	}
	if (strcmp(request->method, "POST") != 0) {
		answer_plain(request, 405, "Only POST, and GET to see that it lives.\n",
			"POST, GET, HEAD");
		return false;
	}
	return true;
}

void endpoint_handle(
	struct endpoint *endpoint, struct loop *loop, const struct endpoint_request *request)
{
	struct open_transaction *open;
	struct codec_fault fault;
	struct message *message;
	int error;

	if (!check_http(endpoint, request))
		return;
	open = arena_alloc(request->arena, sizeof(*open));
	if (open == NULL) {
		answer_exhausted(request);
		return;
	}
	open->request = *request;
	open->outcome = OUTCOME_OK;
	open->public = (struct transaction){
		.endpoint = endpoint,
		.loop = loop,
		.user = endpoint->options.user,
		.arena = request->arena,
		.log_id = open->log_id,
		.client = client_address(endpoint, request),
		.peer = request->peer,
		.local = request->local,
		.started = clock_steady(loop->clock),
	};
	if (open->public.client == NULL) {
		answer_exhausted(request);
		return;
	}
	open->log_id_made =
		request->log_id == NULL || uuid_read(request->log_id, open->log_id) != 0;
	if (open->log_id_made &&
		uuid_make(loop->entropy, clock_wall(loop->clock), open->log_id) != 0) {
		answer_exhausted(request);
		return;
	}

	error = codec_decode(loop->reader, request->arena, endpoint->options.roots, request->body,
		request->body_length, &message, &fault);
	if (error == ERROR_INPUT) {
		open->root = ROOT_BROKER;
		if (fault.has_root)
			open->root = fault.root;
		else if ((endpoint->options.roots & (1u << ROOT_BROKER)) == 0)
			open->root = (enum message_root)__builtin_ctz(endpoint->options.roots);
		open->version = fault.has_root && message_version_served(open->root, fault.version)
			? fault.version
			: message_version_newest(open->root);
		if (request->cookie != NULL && endpoint->options.sessions != NULL)
			sessions_fault(endpoint->options.sessions, request->cookie);
		answer_error(open, fault.result, fault.detail);
		return;
	}
	if (error != 0) {
		answer_exhausted(request);
		return;
	}
	open->root = message->root;
	open->version = message->version;
	open->public.request = message;
	trace_capture(endpoint->capture, endpoint->options.name, loop->log, message);
	trace_log(loop->log, open->log_id, LOG_DEBUG, "Received", message);
	dispatch(open);
}
