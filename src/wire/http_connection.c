#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "wire/http_private.h"
#include "wire/tls.h"

static void on_poll(uv_poll_t *poll, int status, int events);

void http_connection_arm(struct http_connection *connection, int events)
{
	if (connection->events == events || connection->state == HTTP_STATE_CLOSED)
		return;
	connection->events = events;
	if (events == 0)
		(void)uv_poll_stop(&connection->poll);
	else if (uv_poll_start(&connection->poll, events, on_poll) != 0)
		http_connection_close(connection);
}

static void on_closed(uv_handle_t *handle)
{
	struct http_connection *connection = handle->data;
	struct http_server *server = connection->server;

	free(connection);
	server->handles--;
	http_server_settle(server);
}

void http_connection_drop_exchange(struct http_connection *connection)
{
	struct http_exchange *exchange = connection->exchange;

	connection->exchange = NULL;
	if (exchange == NULL)
		return;
	/* One that a handler holds lives until it is answered. */
	if (exchange->open)
		exchange->connection = NULL;
	else
		http_exchange_release(exchange);
}

void http_connection_close(struct http_connection *connection)
{
	if (connection->state == HTTP_STATE_CLOSED)
		return;
	http_server_leave(connection);
	connection->state = HTTP_STATE_CLOSED;
	http_connection_drop_exchange(connection);
	http_transfer_drop_rest(connection);
	buffer_free(&connection->out);
	SSL_free(connection->ssl);
	connection->ssl = NULL;
	ERR_clear_error();
	uv_close((uv_handle_t *)&connection->poll, on_closed);
	close(connection->fd);
}

void http_connection_end(struct http_connection *connection)
{
	if (connection->state == HTTP_STATE_CLOSED)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(connection->ssl);
	http_connection_close(connection);
}

bool http_connection_await(struct http_connection *connection, int result)
{
	switch (SSL_get_error(connection->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		http_connection_arm(connection, UV_READABLE);
		return true;
	case SSL_ERROR_WANT_WRITE:
		http_connection_arm(connection, UV_WRITABLE);
		return true;
	default:
		return false;
	}
}

static void handshake(struct http_connection *connection)
{
	char text[TLS_FAULT_SIZE];
	int result;

	ERR_clear_error();
	result = SSL_accept(connection->ssl);
	if (result == 1) {
		http_server_move(connection, HTTP_STATE_FRESH);
		http_connection_arm(connection, UV_READABLE);
		/* With the last bytes of the handshake the first request may have come. */
		if (connection->state == HTTP_STATE_FRESH && SSL_has_pending(connection->ssl) != 0)
			http_transfer_advance(connection, true);
		return;
	}
	if (http_connection_await(connection, result))
		return;
	/* Who connects and leaves without a byte is a probe, not a failure. */
	if (ERR_peek_error() != 0)
		http_server_event(connection->server, HTTP_EVENT_TLS_FAILED, connection->peer,
			tls_error(text));
	else if (BIO_number_read(SSL_get_rbio(connection->ssl)) > 0)
		http_server_event(connection->server, HTTP_EVENT_TLS_FAILED, connection->peer,
			"the client closed the connection during the handshake");
	http_connection_close(connection);
}

/* A handler owes the answer and the socket stirs: bytes wait their turn in the kernel, but
 * the handler may want to know that the client has gone. Its half is
 * closed; whether the other half still hears the answer is seen by writing it. */
static void look(struct http_connection *connection, int events)
{
	char byte;
	ssize_t got;

	/* What lies unread in the kernel would turn closing into a reset. */
	connection->linger = true;
	if ((events & UV_DISCONNECT) != 0) {
		connection->gone = true;
		http_connection_arm(connection, 0);
		return;
	}
	got = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (got > 0) {
		http_connection_arm(connection, UV_DISCONNECT);
	} else if (got == 0) {
		connection->gone = true;
		http_connection_arm(connection, 0);
	} else if (errno == EAGAIN || errno == EINTR) {
		http_connection_arm(connection, UV_READABLE);
	} else {
		http_connection_close(connection);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct http_connection *connection = poll->data;

	if (status < 0) {
		/* libuv has stopped watching; an answer that is owed finds nobody. */
		http_connection_close(connection);
		return;
	}
	switch (connection->state) {
	case HTTP_STATE_HANDSHAKE:
		handshake(connection);
		break;
	case HTTP_STATE_FRESH:
	case HTTP_STATE_HEAD:
	case HTTP_STATE_BODY:
	case HTTP_STATE_IDLE:
		http_transfer_advance(connection, true);
		break;
	case HTTP_STATE_OPEN:
		look(connection, events);
		break;
	case HTTP_STATE_WRITE:
		http_transfer_flush(connection);
		break;
	case HTTP_STATE_LINGER:
		http_transfer_drain(connection);
		break;
	case HTTP_STATE_CLOSED:
		break;
	}
}

/* Numeric text without port; an IPv4 address that came in by IPv6 is written as IPv4. */
static uint16_t address_text(const struct sockaddr *address, char text[INET6_ADDRSTRLEN])
{
	text[0] = '\0';
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;

		(void)uv_inet_ntop(AF_INET, &in->sin_addr, text, INET6_ADDRSTRLEN);
		return ntohs(in->sin_port);
	}
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)address;

		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
			(void)uv_inet_ntop(
				AF_INET, in6->sin6_addr.s6_addr + 12, text, INET6_ADDRSTRLEN);
		else
			(void)uv_inet_ntop(AF_INET6, &in6->sin6_addr, text, INET6_ADDRSTRLEN);
		return ntohs(in6->sin6_port);
	}
	return 0;
}

int http_connection_start(struct http_server *server, int fd, const struct sockaddr *peer,
	const struct http_guard_key *key)
{
	struct http_connection *connection = calloc(1, sizeof(*connection));
	struct sockaddr_storage local = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof(local);

	if (connection == NULL)
		return ERROR_MEMORY;
	connection->ssl = SSL_new(server->context);
	if (connection->ssl == NULL || SSL_set_fd(connection->ssl, fd) != 1 ||
		uv_poll_init(server->options.loop, &connection->poll, fd) != 0) {
		SSL_free(connection->ssl);
		ERR_clear_error();
		free(connection);
		return ERROR_MEMORY;
	}
	SSL_set_accept_state(connection->ssl);
	SSL_set_read_ahead(connection->ssl, 1);
	connection->poll.data = connection;
	connection->server = server;
	connection->fd = fd;
	connection->key = *key;
	connection->link.next = connection->link.previous = &connection->link;
	buffer_init(&connection->out, HTTP_ANSWER_MAXIMUM);
	connection->peer_port = address_text(peer, connection->peer);
	(void)getsockname(fd, (struct sockaddr *)&local, &length);
	(void)address_text((const struct sockaddr *)&local, connection->local);
	server->connections++;
	server->handles++;
	connection->state = HTTP_STATE_HANDSHAKE;
	http_server_renew(connection);
	http_connection_arm(connection, UV_READABLE);
	return 0;
}
