#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/secret.h"
#include "wire/http_private.h"

const char *http_request_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
	return &exchange->parse.request;
}

struct arena *http_exchange_arena(struct http_exchange *exchange)
{
	return exchange->arena;
}

bool http_exchange_gone(const struct http_exchange *exchange)
{
	return exchange->connection == NULL || exchange->connection->gone;
}

struct http_exchange *http_exchange_take(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	struct http_exchange *exchange = server->spare;

	if (exchange != NULL) {
		server->spare = exchange->next;
		server->spare_count--;
	} else {
		exchange = malloc(sizeof(*exchange));
		if (exchange == NULL)
			return NULL;
		exchange->arena = arena_new(HTTP_EXCHANGE_MAXIMUM);
		if (exchange->arena == NULL) {
			free(exchange);
			return NULL;
		}
	}
	exchange->next = NULL;
	exchange->server = server;
	exchange->connection = connection;
	exchange->open = false;
	http_parse_begin(&exchange->parse, exchange->arena);
	return exchange;
}

static void free_exchange(struct http_exchange *exchange)
{
	arena_free(exchange->arena);
	free(exchange);
}

void http_exchange_release(struct http_exchange *exchange)
{
	struct http_server *server = exchange->server;

	if (server->spare_count >= HTTP_SPARE_MAXIMUM) {
		free_exchange(exchange);
		return;
	}
	arena_reset(exchange->arena);
	exchange->connection = NULL;
	exchange->next = server->spare;
	server->spare = exchange;
	server->spare_count++;
}

void http_exchange_clear(struct http_server *server)
{
	while (server->spare != NULL) {
		struct http_exchange *exchange = server->spare;

		server->spare = exchange->next;
		free_exchange(exchange);
	}
	server->spare_count = 0;
}

void http_exchange_open(struct http_exchange *exchange)
{
	struct http_connection *connection = exchange->connection;
	struct http_server *server = exchange->server;
	struct http_request *request = &exchange->parse.request;

	/* Exchanges whose client has left hold no connection, so they need a bound of their own. */
	if (server->open >= server->limits.connections) {
		http_transfer_refuse(connection, 503, "too many requests are being worked on");
		return;
	}
	request->peer = arena_text(exchange->arena, connection->peer);
	request->local = arena_text(exchange->arena, connection->local);
	request->peer_port = connection->peer_port;
	if (request->peer == NULL || request->local == NULL) {
		http_transfer_refuse(connection, 500, "out of memory");
		return;
	}
	exchange->open = true;
	server->open++;
	http_server_move(connection, HTTP_STATE_OPEN);
	server->options.handle(server->options.user, exchange);
}

/* The answer into server->out; false: not even an error fits into memory. */
static bool compose(struct http_exchange *exchange, const struct http_response *response,
	struct http_answer *answer)
{
	static const char text[] = "500 the answer is too large\n";
	static const struct http_response too_large = {
		.status = 500,
		.content_type = "text/plain",
		.body = text,
		.body_length = sizeof(text) - 1,
	};
	struct buffer *out = &exchange->server->out;

	if (http_answer_write(out, response, answer) == 0)
		return true;
	buffer_clear(out);
	answer->keep_alive = false;
	if (http_answer_write(out, &too_large, answer) == 0)
		return true;
	buffer_clear(out);
	return false;
}

void http_exchange_reply(struct http_exchange *exchange, const struct http_response *response)
{
	struct http_connection *connection = exchange->connection;
	struct http_server *server = exchange->server;
	struct http_answer answer = {.date = NULL};
	bool composed;

	assert(exchange->open);
	exchange->open = false;
	server->open--;
	if (connection == NULL) {
		http_exchange_release(exchange);
		http_server_settle(server);
		return;
	}
	assert(connection->state == HTTP_STATE_OPEN && connection->exchange == exchange);
	answer.date = http_server_date(server);
	answer.http10 = exchange->parse.http10;
	answer.no_body = strcmp(exchange->parse.request.method, "HEAD") == 0;
	answer.keep_alive = exchange->parse.keep_alive && !response->close && !connection->gone &&
		!server->stopping;
	composed = compose(exchange, response, &answer);
	connection->exchange = NULL;
	http_exchange_release(exchange);
	if (!composed) {
		http_connection_close(connection);
		return;
	}
	connection->next = answer.keep_alive ? HTTP_NEXT_IDLE : HTTP_NEXT_CLOSE;
	http_transfer_send(connection);
}
