#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/secret.h"
#include "wire/http_private.h"

void http_transfer_drop_rest(struct http_connection *connection)
{
	if (connection->rest == NULL)
		return;
	secret_wipe(connection->rest, connection->rest_length);
	free(connection->rest);
	connection->rest = NULL;
}

static void linger(struct http_connection *connection)
{
	if (!connection->linger && connection->rest == NULL &&
		SSL_has_pending(connection->ssl) == 0) {
		http_connection_end(connection);
		return;
	}
	ERR_clear_error();
	(void)SSL_shutdown(connection->ssl);
	(void)shutdown(connection->fd, SHUT_WR);
	http_transfer_drop_rest(connection);
	connection->drained = 0;
	http_server_move(connection, HTTP_STATE_LINGER);
	http_connection_arm(connection, UV_READABLE);
}

void http_transfer_drain(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	for (int i = 0; i < HTTP_TURN_MAXIMUM; i++) {
		ssize_t got = recv(connection->fd, server->scratch, sizeof(server->scratch), 0);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got > 0)
			connection->drained += (size_t)got;
		if (got <= 0 || connection->drained > HTTP_LINGER_BYTES) {
			http_connection_close(connection);
			return;
		}
	}
}

/* Everything that was to be said has been said. */
static void sent(struct http_connection *connection)
{
	switch (connection->next) {
	case HTTP_NEXT_CLOSE:
		linger(connection);
		return;
	case HTTP_NEXT_BODY:
		http_server_move(connection, HTTP_STATE_BODY);
		break;
	case HTTP_NEXT_IDLE:
		http_server_move(connection, HTTP_STATE_IDLE);
		break;
	}
	if (!connection->advancing)
		http_transfer_advance(connection, false);
}

/* Writes from *at on; true when all of it is written, else waiting or closed. */
static bool write_some(struct http_connection *connection, const struct buffer *out, size_t *at)
{
	ERR_clear_error();
	while (*at < out->length) {
		int result = SSL_write(connection->ssl, out->bytes + *at, (int)(out->length - *at));

		if (result > 0) {
			*at += (size_t)result;
		} else {
			if (!http_connection_await(connection, result))
				http_connection_close(connection);
			return false;
		}
	}
	return true;
}

void http_transfer_flush(struct http_connection *connection)
{
	size_t before = connection->out_at;
	bool all = write_some(connection, &connection->out, &connection->out_at);

	if (connection->state == HTTP_STATE_CLOSED)
		return;
	if (!all) {
		if (connection->out_at > before)
			http_server_renew(connection);
		return;
	}
	buffer_free(&connection->out);
	sent(connection);
}

void http_transfer_send(struct http_connection *connection)
{
	struct buffer *out = &connection->server->out;
	size_t at = 0;
	bool all = write_some(connection, out, &at);

	if (!all && connection->state != HTTP_STATE_CLOSED) {
		/* The connection takes the buffer along; the server grows another. */
		connection->out = *out;
		connection->out_at = at;
		buffer_init(out, HTTP_ANSWER_MAXIMUM);
		http_server_move(connection, HTTP_STATE_WRITE);
		return;
	}
	secret_wipe(out->bytes, out->length);
	buffer_clear(out);
	if (out->capacity > 4 * HTTP_SCRATCH_SIZE)
		buffer_free(out);
	if (all)
		sent(connection);
}

void http_transfer_refuse(struct http_connection *connection, int status, const char *reason)
{
	struct http_server *server = connection->server;
	char text[160];
	int length = snprintf(text, sizeof(text), "%d %s", status, reason);
	struct http_response response = {
		.status = status, .content_type = "text/plain", .body = text};
	struct http_answer answer = {.date = http_server_date(server)};

	http_server_event(server, HTTP_EVENT_BAD_REQUEST, connection->peer, text);
	if (length < 0 || (size_t)length >= sizeof(text) - 1)
		length = sizeof(text) - 2;
	text[length++] = '\n';
	response.body_length = (size_t)length;
	/* The request may not be there to ask; only a complete line says HEAD for certain. */
	answer.no_body = connection->exchange != NULL && connection->exchange->parse.head_done &&
		strcmp(connection->exchange->parse.request.method, "HEAD") == 0;
	http_connection_drop_exchange(connection);
	if (http_answer_write(&server->out, &response, &answer) != 0) {
		buffer_clear(&server->out);
		http_connection_close(connection);
		return;
	}
	connection->next = HTTP_NEXT_CLOSE;
	connection->linger = true;
	http_transfer_send(connection);
}

static bool may_read(const struct http_connection *connection)
{
	switch (connection->state) {
	case HTTP_STATE_FRESH:
	case HTTP_STATE_HEAD:
	case HTTP_STATE_BODY:
	case HTTP_STATE_IDLE:
		return true;
	default:
		return false;
	}
}

/* What the parser made of the bytes it was given. */
static void act(struct http_connection *connection, enum http_parse_result result)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct http_parse *parse = &connection->exchange->parse;

	switch (result) {
	case HTTP_PARSE_MORE:
		if (!parse->head_done || connection->state == HTTP_STATE_BODY)
			return;
		http_server_move(connection, HTTP_STATE_BODY);
		if (!parse->expects_continue || parse->body_length > 0)
			return;
		if (buffer_text(&connection->server->out, interim) != 0) {
			buffer_clear(&connection->server->out);
			http_connection_close(connection);
			return;
		}
		connection->next = HTTP_NEXT_BODY;
		http_transfer_send(connection);
		return;
	case HTTP_PARSE_DONE:
		http_exchange_open(connection->exchange);
		return;
	case HTTP_PARSE_FAILED:
		http_transfer_refuse(connection, parse->status, parse->reason);
		return;
	}
}

static void take(struct http_connection *connection, char *bytes, size_t length)
{
	enum http_parse_result result;
	size_t used = length;

	if (connection->exchange == NULL) {
		connection->exchange = http_exchange_take(connection);
		if (connection->exchange == NULL) {
			http_connection_close(connection);
			return;
		}
		if (connection->state == HTTP_STATE_IDLE)
			http_server_wake(connection);
		http_server_move(connection, HTTP_STATE_HEAD);
	}
	result = http_parse_feed(&connection->exchange->parse, bytes, length, &used);
	/* Before the handler sees the request: it may lead back here, on another connection, and
	 * the scratch memory is everybody's. */
	if (connection->rest != NULL) {
		connection->rest_at += used;
		if (connection->rest_at == connection->rest_length)
			http_transfer_drop_rest(connection);
	} else {
		if (used < length) {
			connection->rest = malloc(length - used);
			if (connection->rest != NULL)
				memcpy(connection->rest, bytes + used, length - used);
			connection->rest_at = 0;
			connection->rest_length = length - used;
		}
		secret_wipe(bytes, length);
		if (used < length && connection->rest == NULL) {
			http_connection_close(connection);
			return;
		}
	}
	act(connection, result);
}

void http_transfer_advance(struct http_connection *connection, bool readable)
{
	struct http_server *server = connection->server;
	int turns = 0;

	assert(!connection->advancing);
	connection->advancing = true;
	while (may_read(connection)) {
		int got;

		if (turns++ == HTTP_TURN_MAXIMUM) {
			/* Writable is what an idle connection is at once. */
			http_connection_arm(connection, UV_READABLE | UV_WRITABLE);
			break;
		}
		if (connection->rest != NULL) {
			take(connection, connection->rest + connection->rest_at,
				connection->rest_length - connection->rest_at);
			continue;
		}
		if (!readable && SSL_has_pending(connection->ssl) == 0) {
			http_connection_arm(connection, UV_READABLE);
			break;
		}
		readable = false;
		ERR_clear_error();
		got = SSL_read(connection->ssl, server->scratch, sizeof(server->scratch));
		if (got > 0) {
			take(connection, server->scratch, (size_t)got);
		} else {
			if (!http_connection_await(connection, got))
				http_connection_close(connection);
			break;
		}
	}
	connection->advancing = false;
}
