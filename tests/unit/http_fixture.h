/*
 * http_fixture.h - an HTTP server and its clients for tests.
 *
 * They share one thread: a client's step that would block turns the server's
 * loop. Time limits are reached by sweeping with a time to come.
 */
#ifndef FAIRLEAD_TESTS_HTTP_FIXTURE_H
#define FAIRLEAD_TESTS_HTTP_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <cmocka.h>

#include "base/error.h"
#include "certificates.h"
#include "wire/http_private.h"
#include "wire/tls.h"

#define HELD_MAXIMUM 64

static struct certificates set;
static SSL_CTX *client_context;

static struct {
	uv_loop_t loop;
	SSL_CTX *context;
	struct http_server *server;
	uint16_t port;
	bool hold; /* keep exchanges instead of answering */
	struct http_exchange *held[HELD_MAXIMUM];
	unsigned held_count;
	unsigned handled;
	unsigned most_in_a_turn;
	struct http_response response; /* status 0: echo the request */
	unsigned events[3];
	char event_text[256];
	char event_peer[64];
	bool stopped;
} here;

/* --- the server --- */

static inline void echo(struct http_exchange *exchange, bool chunked)
{
	const struct http_request *request = http_exchange_request(exchange);
	struct http_response response = {
		.status = 200,
		.content_type = "text/plain",
		.body = request->body,
		.body_length = request->body_length,
		.chunked = chunked,
	};

	http_exchange_reply(exchange, &response);
}

static inline void handle(void *user, struct http_exchange *exchange)
{
	assert_ptr_equal(user, &here);
	here.handled++;
	if (here.hold) {
		assert_true(here.held_count < HELD_MAXIMUM);
		here.held[here.held_count++] = exchange;
	} else if (here.response.status != 0) {
		http_exchange_reply(exchange, &here.response);
	} else {
		echo(exchange, false);
	}
}

static inline void event(void *user, enum http_event what, const char *peer, const char *text)
{
	assert_ptr_equal(user, &here);
	here.events[what]++;
	snprintf(here.event_text, sizeof(here.event_text), "%s", text);
	snprintf(here.event_peer, sizeof(here.event_peer), "%s", peer);
}

static inline void stopped(void *user)
{
	assert_ptr_equal(user, &here);
	here.stopped = true;
}

static inline void turn(void)
{
	unsigned before = here.handled;

	uv_run(&here.loop, UV_RUN_NOWAIT);
	if (here.handled - before > here.most_in_a_turn)
		here.most_in_a_turn = here.handled - before;
}

static inline SSL_CTX *context_of(const char *certificate, const char *key)
{
	struct tls_options options = {.certificates = {{certificate, key}}, .count = 1};
	char fault[TLS_FAULT_SIZE];
	SSL_CTX *context = NULL;

	assert_int_equal(tls_server_context(&options, &context, fault), 0);
	return context;
}

static inline struct http_server *start(
	const struct http_limits *limits, struct http_guard *guard, uint16_t *ret_port)
{
	struct http_server_options options = {.loop = &here.loop,
		.context = here.context,
		.limits = limits,
		.guard = guard,
		.handle = handle,
		.event = event,
		.user = &here};
	struct http_server *server = NULL;
	int fd = -1;

	assert_int_equal(http_listen("127.0.0.1:0", &fd, ret_port), 0);
	assert_int_equal(http_server_start(&options, fd, &server), 0);
	return server;
}

static inline void stop(struct http_server *server)
{
	here.stopped = false;
	http_server_stop(server, stopped, &here);
	while (!here.stopped)
		uv_run(&here.loop, UV_RUN_ONCE);
}

static inline void begin(const struct http_limits *limits)
{
	memset(&here, 0, sizeof(here));
	uv_loop_init(&here.loop);
	here.context = context_of(set.ec, set.ec_key);
	here.server = start(limits, NULL, &here.port);
}

static inline void end(void)
{
	if (here.server != NULL)
		stop(here.server);
	assert_int_equal(uv_loop_close(&here.loop), 0);
	SSL_CTX_free(here.context);
}

/* A time at which everything that has begun by now is over. */
static inline void sweep_after(unsigned seconds)
{
	turn();
	uv_update_time(&here.loop);
	http_server_sweep(here.server, uv_now(&here.loop) + seconds * 1000 + 1);
}

/* --- clients --- */

struct client {
	int fd;
	SSL *ssl;
};

static inline struct client dial_from(const char *from, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in local = {.sin_family = AF_INET};
	struct client client = {.fd = socket(AF_INET, SOCK_STREAM, 0)};

	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	inet_pton(AF_INET, from, &local.sin_addr);
	assert_true(client.fd >= 0);
	assert_int_equal(bind(client.fd, (struct sockaddr *)&local, sizeof(local)), 0);
	assert_int_equal(connect(client.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	fcntl(client.fd, F_SETFL, O_NONBLOCK);
	client.ssl = SSL_new(client_context);
	SSL_set_fd(client.ssl, client.fd);
	SSL_set_connect_state(client.ssl);
	return client;
}

static inline struct client dial(uint16_t port)
{
	return dial_from("127.0.0.1", port);
}

static inline bool again(struct client *client, int result)
{
	int error = SSL_get_error(client->ssl, result);
	struct pollfd pollfd = {.fd = client->fd, .events = POLLIN};

	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		return false;
	turn();
	(void)poll(&pollfd, 1, 1);
	return true;
}

static inline bool shake(struct client *client)
{
	int result;

	ERR_clear_error();
	while ((result = SSL_do_handshake(client->ssl)) != 1)
		if (!again(client, result))
			return false;
	turn();
	return true;
}

static inline struct client meet(void)
{
	struct client client = dial(here.port);

	assert_true(shake(&client));
	return client;
}

static inline void say_bytes(struct client *client, const char *bytes, size_t length)
{
	size_t at = 0;

	ERR_clear_error();
	while (at < length) {
		int result = SSL_write(client->ssl, bytes + at, (int)(length - at));

		if (result > 0)
			at += (size_t)result;
		else
			assert_true(again(client, result));
	}
	turn();
}

static inline void say(struct client *client, const char *text)
{
	say_bytes(client, text, strlen(text));
}

static char heard[1024 * 1024];

/* Reads until the text ends so, from `start` on; false: the server has closed. */
static inline bool hear_until(struct client *client, size_t *length, size_t start, const char *tail)
{
	ERR_clear_error();
	while (*length < start + strlen(tail) ||
		strcmp(heard + *length - strlen(tail), tail) != 0) {
		int result = SSL_read(client->ssl, heard + *length, 1);

		if (result > 0)
			heard[++*length] = '\0';
		else if (!again(client, result))
			return false;
	}
	return true;
}

static inline void hear_exactly(struct client *client, size_t *length, size_t more)
{
	size_t end = *length + more;

	assert_true(end < sizeof(heard));
	while (*length < end) {
		int result = SSL_read(client->ssl, heard + *length, (int)(end - *length));

		if (result > 0)
			*length += (size_t)result;
		else
			assert_true(again(client, result));
	}
	heard[end] = '\0';
}

/* The next answer as it came, Date replaced by a star; "" when the server has closed.
 * Interim answers count as answers. */
static inline const char *hear(struct client *client, bool no_body)
{
	const char *field;
	size_t length = 0;
	char *date;

	heard[0] = '\0';
	if (!hear_until(client, &length, 0, "\r\n\r\n"))
		return length == 0 ? "" : "cut short";
	field = strstr(heard, "Content-Length: ");
	if (field != NULL && !no_body)
		hear_exactly(client, &length, strtoul(field + 16, NULL, 10));
	if (strstr(heard, "Transfer-Encoding: chunked") != NULL && !no_body) {
		for (size_t size = 1; size > 0;) {
			size_t start = length;

			assert_true(hear_until(client, &length, start, "\r\n"));
			size = strtoul(heard + start, NULL, 16);
			hear_exactly(client, &length, size + 2);
		}
	}
	date = strstr(heard, "\r\nDate: ");
	if (date != NULL) {
		assert_memory_equal(date + 33, " GMT\r\n", 6);
		memmove(date + 9, date + 37, strlen(date + 37) + 1);
		date[8] = '*';
	}
	return heard;
}

/* The server has said good-bye. */
static inline void assert_closed(struct client *client)
{
	char byte;
	int result;

	ERR_clear_error();
	while ((result = SSL_read(client->ssl, &byte, 1)) <= 0 && again(client, result))
		;
	assert_true(result <= 0);
	assert_int_not_equal(SSL_get_error(client->ssl, result), SSL_ERROR_WANT_READ);
}

static inline void hang_up(struct client *client)
{
	SSL_free(client->ssl);
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	turn();
	turn();
}

static inline void wait_for_connections(unsigned count)
{
	while (http_server_connections(here.server) != count)
		uv_run(&here.loop, UV_RUN_ONCE);
}

/* Until a connection is under that time limit. */
static inline struct http_connection *wait_for_class(enum http_class class)
{
	struct http_link *list = &here.server->lists[class];

	while (list->next == list)
		uv_run(&here.loop, UV_RUN_ONCE);
	return (struct http_connection *)(void *)list->next;
}

#define ANSWER(text)                                                                               \
	"HTTP/1.1 200 OK\r\nDate: *\r\nConnection: keep-alive\r\nContent-Type: "                   \
	"text/plain\r\n" text
#define POST_ABC "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
#define ECHO_ABC ANSWER("Content-Length: 3\r\n\r\nabc")

static inline int fixture_make(void **state)
{
	(void)state;
	certificates_make(&set);
	client_context = SSL_CTX_new(TLS_client_method());
	/* A client that writes to a closed connection shall not end the test. */
	signal(SIGPIPE, SIG_IGN);
	return client_context == NULL;
}

static inline int fixture_remove(void **state)
{
	(void)state;
	SSL_CTX_free(client_context);
	certificates_remove(&set);
	return 0;
}

#endif
