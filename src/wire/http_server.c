#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "wire/http_private.h"

#define SWEEP_MILLISECONDS 500

/* Accepted in one wake-up; the rest waits for the next turn of the loop. */
#define ACCEPT_MAXIMUM 64

static enum http_class class_of(enum http_state state)
{
	switch (state) {
	case HTTP_STATE_HANDSHAKE:
	case HTTP_STATE_FRESH:
	case HTTP_STATE_HEAD:
		return HTTP_CLASS_HEAD;
	case HTTP_STATE_BODY:
		return HTTP_CLASS_BODY;
	case HTTP_STATE_OPEN:
		return HTTP_CLASS_OPEN;
	case HTTP_STATE_WRITE:
		return HTTP_CLASS_WRITE;
	case HTTP_STATE_IDLE:
		return HTTP_CLASS_IDLE;
	case HTTP_STATE_LINGER:
	case HTTP_STATE_CLOSED:
		break;
	}
	return HTTP_CLASS_LINGER;
}

static void detach(struct http_link *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	link->next = link->previous = link;
}

static struct http_connection *first(struct http_server *server, enum http_class class)
{
	struct http_link *list = &server->lists[class];

	return list->next == list ? NULL : (struct http_connection *)(void *)list->next;
}

void http_server_event(
	struct http_server *server, enum http_event event, const char *peer, const char *text)
{
	if (server->options.event != NULL)
		server->options.event(server->options.user, event, peer, text);
}

/* The real clock, not one that is given: nothing is decided by it. */
const char *http_server_date(struct http_server *server)
{
	int64_t second = clock_wall(clock_system()) / CLOCK_SECOND;

	if (second != server->date_second) {
		server->date_second = second;
		http_answer_date(second, server->date);
	}
	return server->date;
}

static void on_sweep(uv_timer_t *timer)
{
	http_server_sweep(timer->data, uv_now(timer->loop));
}

static void need_sweeps(struct http_server *server)
{
	if (server->sweeping || server->ending)
		return;
	server->sweeping = uv_timer_start(&server->sweeper, on_sweep, SWEEP_MILLISECONDS,
				   SWEEP_MILLISECONDS) == 0;
}

void http_server_renew(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	enum http_class class = class_of(connection->state);
	struct http_link *list = &server->lists[class];
	uint64_t seconds = class == HTTP_CLASS_IDLE ? server->limits.idle_seconds
		: class == HTTP_CLASS_LINGER        ? HTTP_LINGER_SECONDS
						    : server->limits.head_seconds;

	connection->settled = false;
	/* All of a list have the same limit, so the end of it is where the order holds. */
	connection->deadline = uv_now(server->options.loop) + seconds * 1000;
	detach(&connection->link);
	connection->link.previous = list->previous;
	connection->link.next = list;
	list->previous->next = &connection->link;
	list->previous = &connection->link;
	need_sweeps(server);
}

void http_server_move(struct http_connection *connection, enum http_state state)
{
	bool same = class_of(connection->state) == class_of(state);

	assert(connection->state != HTTP_STATE_CLOSED);
	connection->state = state;
	if (!same)
		http_server_renew(connection);
}

void http_server_leave(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	detach(&connection->link);
	server->connections--;
	http_guard_leave(server->guard, &connection->key);
}

static void expire(struct http_connection *connection)
{
	switch (connection->state) {
	case HTTP_STATE_HANDSHAKE:
		http_server_event(connection->server, HTTP_EVENT_TLS_FAILED, connection->peer,
			"the handshake was not finished in time");
		http_connection_close(connection);
		break;
	case HTTP_STATE_HEAD:
		http_transfer_refuse(connection, 408, "request head not complete in time");
		break;
	case HTTP_STATE_BODY:
		http_transfer_refuse(connection, 408, "request body not complete in time");
		break;
	case HTTP_STATE_FRESH:
	case HTTP_STATE_IDLE:
		http_connection_end(connection);
		break;
	case HTTP_STATE_OPEN:
	case HTTP_STATE_WRITE:
	case HTTP_STATE_LINGER:
	case HTTP_STATE_CLOSED:
		http_connection_close(connection);
		break;
	}
}

/* When an idle connection fell idle. */
static uint64_t idle_since(const struct http_connection *connection)
{
	return connection->deadline - (uint64_t)connection->server->limits.idle_seconds * 1000;
}

void http_server_wake(struct http_connection *connection)
{
	uint64_t now = uv_now(connection->server->options.loop);

	if (connection->busy || now - idle_since(connection) >= HTTP_BUSY_MILLISECONDS)
		return;
	connection->busy = true;
	SSL_clear_mode(connection->ssl, SSL_MODE_RELEASE_BUFFERS);
}

/* From the newest back: before one that is settled all are. */
static void settle_idle(struct http_server *server, uint64_t now)
{
	struct http_link *list = &server->lists[HTTP_CLASS_IDLE];

	for (struct http_link *link = list->previous; link != list; link = link->previous) {
		struct http_connection *idle = (struct http_connection *)(void *)link;

		if (idle->settled)
			return;
		if (idle_since(idle) + HTTP_BUSY_MILLISECONDS > now)
			continue;
		if (idle->busy) {
			SSL_set_mode(idle->ssl, SSL_MODE_RELEASE_BUFFERS);
			/* Refused while part of a record waits in them; reading the rest does it.
			 */
			(void)SSL_free_buffers(idle->ssl);
			idle->busy = false;
		}
		idle->settled = true;
	}
}

static void listen_again(struct http_server *server);

void http_server_sweep(struct http_server *server, uint64_t now)
{
	for (int class = 0; class < HTTP_CLASS_COUNT; class ++) {
		struct http_connection *connection;

		if (class == HTTP_CLASS_OPEN)
			continue;
		/* Whoever expires leaves this list. */
		while ((connection = first(server, (enum http_class) class)) != NULL &&
			connection->deadline <= now)
			expire(connection);
	}
	settle_idle(server, now);
	if (server->waiting)
		listen_again(server);
	if (server->connections == 0 && !server->waiting && !server->ending) {
		(void)uv_timer_stop(&server->sweeper);
		server->sweeping = false;
	}
}

/* Makes room by closing who has been idle longest; false: nobody is. */
static bool displace(struct http_server *server)
{
	struct http_connection *idle = first(server, HTTP_CLASS_IDLE);

	if (idle == NULL)
		return false;
	http_connection_end(idle);
	return true;
}

/* The same for one address, when the limit on it is reached. */
static bool displace_of(struct http_server *server, const struct http_guard_key *key)
{
	struct http_link *list = &server->lists[HTTP_CLASS_IDLE];

	for (struct http_link *link = list->next; link != list; link = link->next) {
		struct http_connection *idle = (struct http_connection *)(void *)link;

		if (memcmp(&idle->key, key, sizeof(*key)) == 0) {
			http_connection_end(idle);
			return true;
		}
	}
	return false;
}

/* Whether it may have more connections than others. */
static bool is_trusted(const struct http_server *server, const struct sockaddr *address)
{
	char peer[INET6_ADDRSTRLEN] = "";

	return server->options.trusted != NULL && uv_ip_name(address, peer, sizeof(peer)) == 0 &&
		server->options.trusted(server->options.user, peer);
}

static const char *admit(struct http_server *server, const struct http_guard_key *key,
	const struct sockaddr *address)
{
	int result;

	if (server->connections >= server->limits.connections && !displace(server))
		return "too many connections";
	result = http_guard_enter(server->guard, key, false);
	if (result == ERROR_LIMIT && is_trusted(server, address))
		result = http_guard_enter(server->guard, key, true);
	else if (result == ERROR_LIMIT && displace_of(server, key))
		result = http_guard_enter(server->guard, key, false);
	if (result == ERROR_BUSY && displace(server))
		result = http_guard_enter(server->guard, key, is_trusted(server, address));
	if (result == ERROR_BUSY)
		return "too many connections";
	return result == 0 ? NULL : "too many connections from this address";
}

static void welcome(struct http_server *server, int fd, const struct sockaddr *address)
{
	struct http_guard_key key;
	const char *refusal;

	http_guard_key(address, &key);
	refusal = admit(server, &key, address);
	if (refusal == NULL) {
		if (http_connection_start(server, fd, address, &key) == 0)
			return;
		http_guard_leave(server->guard, &key);
		refusal = "out of memory";
	}
	if (server->options.event != NULL) {
		char peer[INET6_ADDRSTRLEN] = "";

		(void)uv_ip_name(address, peer, sizeof(peer));
		http_server_event(server, HTTP_EVENT_REFUSED, peer, refusal);
	}
	close(fd);
}

static void on_connect(uv_poll_t *poll, int status, int events)
{
	struct http_server *server = poll->data;

	(void)events;
	if (status < 0) {
		/* libuv has stopped watching. */
		server->waiting = true;
		need_sweeps(server);
		return;
	}
	for (int i = 0; i < ACCEPT_MAXIMUM; i++) {
		struct sockaddr_storage address;
		socklen_t length = sizeof(address);
		int fd = accept4(server->socket, (struct sockaddr *)&address, &length,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			welcome(server, fd, (const struct sockaddr *)&address);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			/* The connection stays in the kernel's queue and would wake us for ever. */
			http_server_event(server, HTTP_EVENT_REFUSED, "", strerror(errno));
			(void)displace(server);
			(void)uv_poll_stop(&server->listener);
			server->waiting = true;
			need_sweeps(server);
			return;
		}
		/* Anything else concerns this one client, who has left already. */
	}
}

static void listen_again(struct http_server *server)
{
	server->waiting = false;
	if (server->listening && uv_poll_start(&server->listener, UV_READABLE, on_connect) != 0)
		server->waiting = true;
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct http_server *server = handle->data;

	server->handles--;
	http_server_settle(server);
}

static void on_sweeper_closed(uv_handle_t *handle)
{
	struct http_server *server = handle->data;
	void (*stopped)(void *user) = server->stopped;
	void *user = server->stopped_user;

	if (server->own_guard)
		http_guard_free(server->guard);
	http_exchange_clear(server);
	buffer_free(&server->out);
	SSL_CTX_free(server->context);
	free(server);
	if (stopped != NULL)
		stopped(user);
}

void http_server_settle(struct http_server *server)
{
	if (!server->stopping || server->ending || server->handles > 0 || server->open > 0)
		return;
	server->ending = true;
	uv_close((uv_handle_t *)&server->sweeper, on_sweeper_closed);
}

/* A library that writes to sockets through OpenSSL cannot ask for MSG_NOSIGNAL. */
static void ignore_sigpipe(void)
{
	struct sigaction action;

	if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
		action.sa_handler = SIG_IGN;
		(void)sigaction(SIGPIPE, &action, NULL);
	}
}

int http_server_start(
	const struct http_server_options *options, int socket, struct http_server **ret_server)
{
	struct http_server *server;
	const int on = 1;

	assert(options->handle != NULL && options->context != NULL);
	server = calloc(1, sizeof(*server));
	if (server == NULL)
		return ERROR_MEMORY;
	server->options = *options;
	server->options.limits = NULL; /* copied below, the caller's may go */
	server->limits = http_guard_limits(options->limits);
	server->socket = socket;
	server->date_second = -1;
	server->guard = options->guard;
	server->own_guard = options->guard == NULL;
	buffer_init(&server->out, HTTP_ANSWER_MAXIMUM);
	for (int class = 0; class < HTTP_CLASS_COUNT; class ++)
		server->lists[class].next = server->lists[class].previous = &server->lists[class];
	if (server->own_guard)
		server->guard = http_guard_new(options->limits);
	if (server->guard == NULL) {
		free(server);
		return ERROR_MEMORY;
	}
	ignore_sigpipe();
	/* Accepted sockets inherit it. */
	(void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (uv_poll_init(options->loop, &server->listener, socket) != 0) {
		if (server->own_guard)
			http_guard_free(server->guard);
		free(server);
		return ERROR_SYSTEM;
	}
	(void)uv_timer_init(options->loop, &server->sweeper);
	server->listener.data = server->sweeper.data = server;
	SSL_CTX_up_ref(options->context);
	server->context = options->context;
	server->handles = 1;
	server->listening = true;
	/* If the loop refuses now, the sweeps try again. */
	listen_again(server);
	if (server->waiting)
		need_sweeps(server);
	*ret_server = server;
	return 0;
}

void http_server_set_context(struct http_server *server, SSL_CTX *context)
{
	SSL_CTX_up_ref(context);
	SSL_CTX_free(server->context);
	server->context = context;
}

void http_server_stop(struct http_server *server, void (*stopped)(void *user), void *user)
{
	struct http_connection *connection;
	struct http_link *link;
	struct http_link *next;

	assert(!server->stopping);
	server->stopping = true;
	server->stopped = stopped;
	server->stopped_user = user;
	server->listening = false;
	server->waiting = false;
	uv_close((uv_handle_t *)&server->listener, on_listener_closed);
	close(server->socket);
	while ((connection = first(server, HTTP_CLASS_IDLE)) != NULL)
		http_connection_end(connection);
	for (link = server->lists[HTTP_CLASS_HEAD].next; link != &server->lists[HTTP_CLASS_HEAD];
		link = next) {
		next = link->next;
		connection = (struct http_connection *)(void *)link;
		if (connection->state != HTTP_STATE_HEAD)
			http_connection_end(connection);
	}
}

unsigned http_server_connections(const struct http_server *server)
{
	return server->connections;
}
