/*
 * endpoint.h - the server side of the protocol, the same for every program.
 *
 * An endpoint takes one HTTP request, decodes its message, finds the session,
 * asks the state table whether the message is allowed, calls the program's handler,
 * moves the session and answers. A program brings a table of handlers and nothing
 * else. It knows no sockets: endpoint_http.c connects it to an HTTP server, a
 * scenario calls endpoint_handle itself.
 */
#ifndef FAIRLEAD_SERVICE_ENDPOINT_H
#define FAIRLEAD_SERVICE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/codec.h"
#include "protocol/text.h"
#include "service/loop.h"
#include "service/peer.h"
#include "service/sessions.h"
#include "wire/http_server.h"

struct endpoint;
struct transaction;

typedef void endpoint_handler(struct transaction *transaction);

struct endpoint_route {
	enum message_id message;
	endpoint_handler *handle;
};

struct endpoint_options {
	const char *
		name; /* of this listener, for "detected-by": "BROKER", "PCM", "AGENT", "LICENSE" */
	unsigned roots;                      /* bits 1 << ROOT_x; the path follows from them */
	const struct endpoint_route *routes; /* must stay */
	size_t route_count;
	struct sessions *sessions; /* NULL: no message of these routes needs one */
	/* Whether this address may set X-Forwarded-For; NULL: nobody may. */
	bool (*trusted_proxy)(void *user, const char *address);
	const char *page;    /* text of the small page that answers GET */
	const char *capture; /* folder to write every message to (tests); NULL: none.
			      * Secrets are redacted */
	void *user;          /* the program's own state: transaction->user */
};

int endpoint_new(const struct endpoint_options *options, struct endpoint **ret_endpoint);
void endpoint_free(struct endpoint *endpoint);

/* A request as the endpoint sees it. All texts live until the answer. */
struct endpoint_request {
	const char *method;
	const char *path;
	const char *body;
	size_t body_length;
	const char *cookie;        /* JSESSIONID; NULL: none */
	const char *log_id;        /* Client-Log-Id as sent; NULL: none */
	const char *forwarded_for; /* NULL: none */
	const char *peer;          /* numeric address */
	const char *local;         /* numeric address the client reached; "" unknown */
	struct arena *arena;
	/* Called exactly once; what the response points to lives during the call only. */
	void (*reply)(void *user, const struct http_response *response);
	void *user;
};

void endpoint_handle(
	struct endpoint *endpoint, struct loop *loop, const struct endpoint_request *request);

/* Adapter: an http_server `handle` callback body. */
void endpoint_http(struct endpoint *endpoint, struct loop *loop, struct http_exchange *exchange);

/* --- for handlers --- */

struct transaction {
	struct endpoint *endpoint;
	struct loop *loop;
	void *user; /* endpoint_options.user */
	struct arena *arena;
	const struct message *request;
	struct message *reply;   /* of the response type, empty; the handler fills it */
	struct session *session; /* held; NULL for MESSAGE_NO_SESSION */
	const char *cookie;      /* of the session; NULL as above */
	const char *log_id;      /* never NULL */
	const char *client;      /* numeric address of the client: X-Forwarded-For from a
				  * trusted proxy, else the connection's */
	const char *peer;        /* numeric address of the connection's other end */
	const char *local;       /* numeric address the client reached; "" unknown */
	int64_t started;         /* steady */
	void *role;              /* the handler's own, in the arena */
};

/* The request's text for a field, "" when absent. */
const char *transaction_text(const struct transaction *transaction, enum field_id field);

/* The language of the session; English where there is none. */
const struct text_language *transaction_language(const struct transaction *transaction);

/* Puts result-id and result-str into the reply. The fields are the reply message's own, found by
 * path. `text` NULL: the result's own text in the session's language. Else a text that came from
 * another program: told as it is, unless it is an English text of our own tables; then it is told
 * in the session's language. */
void transaction_result(struct transaction *transaction, enum result_id result, const char *text);
/* The same with a text by key, filled (text_fill). TEXT_RESULT: the result's own. */
void transaction_say(struct transaction *transaction, enum result_id result, enum text_key key,
	const struct text_value *values, size_t count);

/* Sends the reply; the outcome of its result (OK where it has none) moves the session. The
 * transaction is gone afterwards. */
void transaction_finish(struct transaction *transaction);

/* The same with a body that was encoded before, in place of the reply; for an answer that is the
 * same again and again. Not for a transaction whose messages somebody wants to see. */
void transaction_finish_encoded(struct transaction *transaction, const char *body, size_t length);
/* Whether messages go to the log or to a capture folder. */
bool transaction_is_shown(const struct transaction *transaction);

/* Answers error-resp instead; the session becomes ERRORED. `detail` may be NULL. */
void transaction_fail(struct transaction *transaction, enum result_id result, const char *detail);

/* Answers with the error-resp that came from further on, as it is. Only for
 * messages of a session. */
void transaction_fail_as(struct transaction *transaction, const struct message *error);

/* Takes what another program answered to the same request over into the reply, its result's
 * outcome included (that of an unknown id counts as a failure). 0 or ERROR_MEMORY. */
int transaction_adopt(struct transaction *transaction, const struct message *answer);

/* The outcome the reply has by now; OK where no result was put into it. */
enum result_outcome transaction_outcome(const struct transaction *transaction);
/* The result id in the reply; "" where there is none. */
const char *transaction_result_id(const struct transaction *transaction);
/* The result's text for logs: in English where the text was ours, whatever the user reads, else as
 * it came. "" where there is none. */
const char *transaction_result_english(const struct transaction *transaction);

/* Runs `run` off the loop, then `done` on it. When the queue is full `done` is not
 * called and ERROR_BUSY comes back: the handler answers at once. */
int transaction_work(struct transaction *transaction, void (*run)(struct transaction *),
	void (*done)(struct transaction *));

#endif
