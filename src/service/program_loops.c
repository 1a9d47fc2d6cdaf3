#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "service/event.h"
#include "service/peer.h"
#include "service/program_internal.h"

/* Lines about failed connections that one loop may log in a second. */
#define EVENT_LINES 20

/* --- sockets --- */

/* Whether somebody else listens there already. With SO_REUSEPORT alone a second
 * program of the same user would quietly take half of the connections. */
static int check_free(const char *host, uint16_t port)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
	bool is_six = inet_pton(AF_INET6, host, &six.sin6_addr) == 1;
	int on = 1, descriptor, error = 0;

	if (port == 0 || (!is_six && inet_pton(AF_INET, host, &four.sin_addr) != 1))
		return 0;
	descriptor = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return ERROR_SYSTEM;
	setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (is_six)
		setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(descriptor, is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four,
		    is_six ? sizeof(six) : sizeof(four)) != 0)
		error = ERROR_SYSTEM;
	on = errno;
	close(descriptor);
	errno = on;
	return error;
}

static int bind_one(struct program *program, struct program_socket *socket)
{
	char host[256];
	uint16_t port;
	int error = http_split_address(socket->settings.address, host, sizeof(host), &port);

	if (error == 0)
		error = check_free(host, port);
	for (unsigned i = 0; error == 0 && i < program->loop_count; i++) {
		/* On port 0 the first socket's choice is everybody's. */
		snprintf(socket->address, sizeof(socket->address),
			strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
		error = http_listen(socket->address, &socket->sockets[i], &port);
	}
	if (error == 0)
		snprintf(socket->address, sizeof(socket->address),
			strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
	return error;
}

int program_bind(struct program *program, char fault[CONFIG_FAULT_SIZE])
{
	for (unsigned s = 0; s < program->socket_count; s++) {
		struct program_socket *socket = &program->sockets[s];
		int error;

		socket->sockets = calloc(program->loop_count, sizeof(*socket->sockets));
		if (socket->sockets == NULL)
			return ERROR_MEMORY;
		for (unsigned i = 0; i < program->loop_count; i++)
			socket->sockets[i] = -1;
		error = bind_one(program, socket);
		if (error != 0) {
			snprintf(fault, CONFIG_FAULT_SIZE, "cannot listen on %s (%s): %s",
				socket->settings.address, socket->listener.name,
				error == ERROR_SYSTEM ? strerror(errno) : error_text(error));
			return error;
		}
	}
	return 0;
}

int program_contexts(struct program *program, struct config *config,
	const struct settings *settings, SSL_CTX *contexts[2], char fault[CONFIG_FAULT_SIZE])
{
	SSL_CTX *made[2] = {NULL, NULL};

	for (unsigned s = 0; s < program->socket_count; s++) {
		bool tls10 = program->sockets[s].settings.tls10;
		char text[TLS_FAULT_SIZE];
		int error = 0;

		if (made[tls10] == NULL)
			error = settings_tls(config, settings, tls10, false, &made[tls10], text);
		if (error != 0) {
			SSL_CTX_free(made[0]);
			SSL_CTX_free(made[1]);
			snprintf(fault, CONFIG_FAULT_SIZE, "%s", text);
			return error;
		}
	}
	contexts[0] = made[0];
	contexts[1] = made[1];
	return 0;
}

/* --- what a loop serves --- */

static bool on_trusted(void *user, const char *address)
{
	const struct program_server *server = user;
	const struct program_listener *listener = &server->socket->listener;

	return listener->trusted(listener->user, address);
}

static void on_exchange(void *user, struct http_exchange *exchange)
{
	struct program_server *server = user;
	const struct program_listener *listener = &server->socket->listener;

	listener->handle(listener->user, &server->loop->loop, exchange);
}

static void report_suppressed(struct program_loop *loop, int64_t second)
{
	if (loop->event_suppressed > 0 && second != loop->event_second) {
		event_http_suppressed(loop->loop.log, NULL, loop->event_suppressed);
		loop->event_suppressed = 0;
	}
}

static int64_t steady_second(const struct program_loop *loop)
{
	return clock_steady(loop->loop.clock) / CLOCK_SECOND;
}

static void on_event(void *user, enum http_event event, const char *peer, const char *text)
{
	struct program_server *server = user;
	struct program_loop *loop = server->loop;
	int64_t second = steady_second(loop);

	if (second != loop->event_second) {
		report_suppressed(loop, second);
		loop->event_second = second;
		loop->event_lines = 0;
	}
	if (loop->event_lines++ >= EVENT_LINES) {
		loop->event_suppressed++;
		return;
	}
	switch (event) {
	case HTTP_EVENT_TLS_FAILED:
		event_http_tls_failed(loop->loop.log, NULL, peer, text);
		break;
	case HTTP_EVENT_REFUSED:
		event_http_refused(loop->loop.log, NULL, peer, text);
		break;
	case HTTP_EVENT_BAD_REQUEST:
		event_http_bad_request(loop->loop.log, NULL, peer, text);
		break;
	}
}

static void on_prepare(uv_prepare_t *handle)
{
	struct program_loop *loop = handle->data;

	if (loop->event_suppressed > 0)
		report_suppressed(loop, steady_second(loop));
	log_flush(loop->loop.log);
}

/* --- commands between loops --- */

static void ask(struct program_loop *loop, enum program_command command)
{
	atomic_fetch_or(&loop->commands, (unsigned)command);
	uv_async_send(&loop->async);
}

void program_loops_command(struct program *program, enum program_command command)
{
	if (command == PROGRAM_COMMAND_CONTEXT)
		atomic_store(&program->reload_pending, program->loop_count);
	if (command == PROGRAM_COMMAND_STOP)
		atomic_store(&program->stop_pending, program->loop_count);
	for (unsigned i = 0; i < program->loop_count; i++)
		ask(&program->loops[i], command);
}

/* The last loop that acknowledges tells loop 0. */
static void acknowledge(struct program *program, atomic_uint *pending, enum program_command command)
{
	if (atomic_fetch_sub(pending, 1) == 1)
		ask(&program->loops[0], command);
}

static void take_contexts(struct program_loop *loop)
{
	struct program *program = loop->program;

	for (unsigned s = 0; s < program->socket_count; s++) {
		struct program_server *server = &loop->servers[s];

		if (server->server != NULL && !loop->stopping)
			http_server_set_context(
				server->server, program->contexts[server->socket->settings.tls10]);
	}
	acknowledge(program, &program->reload_pending, PROGRAM_COMMAND_RELOADED);
}

static void on_server_stopped(void *user)
{
	struct program_server *server = user;
	struct program_loop *loop = server->loop;

	server->server = NULL;
	if (--loop->serving == 0 && !loop->program->abandoned)
		acknowledge(loop->program, &loop->program->stop_pending, PROGRAM_COMMAND_STOPPED);
}

static void stop_servers(struct program_loop *loop)
{
	struct program *program = loop->program;

	loop->stopping = true;
	if (loop->serving == 0 && !program->abandoned)
		acknowledge(program, &program->stop_pending, PROGRAM_COMMAND_STOPPED);
	for (unsigned s = 0; loop->servers != NULL && s < program->socket_count; s++) {
		struct program_server *server = &loop->servers[s];

		if (server->server != NULL)
			http_server_stop(server->server, on_server_stopped, server);
	}
}

static void end_loop(struct program_loop *loop)
{
	struct program *program = loop->program;

	if (loop->loop.peer != NULL)
		peer_free(loop->loop.peer);
	loop->loop.peer = NULL;
	if (loop->handles_open) {
		uv_close((uv_handle_t *)&loop->prepare, NULL);
		uv_close((uv_handle_t *)&loop->async, NULL);
	}
	if (loop->loop.index == 0)
		program_close_handles(program);
}

static void on_async(uv_async_t *handle)
{
	struct program_loop *loop = handle->data;
	unsigned commands = atomic_exchange(&loop->commands, 0);

	if ((commands & PROGRAM_COMMAND_CONTEXT) != 0)
		take_contexts(loop);
	if ((commands & PROGRAM_COMMAND_RELOADED) != 0)
		program_on_reloaded(loop->program);
	if ((commands & PROGRAM_COMMAND_STOP) != 0)
		stop_servers(loop);
	if ((commands & PROGRAM_COMMAND_STOPPED) != 0)
		program_on_servers_stopped(loop->program);
	if ((commands & PROGRAM_COMMAND_END) != 0)
		end_loop(loop);
}

/* --- life --- */

static int open_one(struct program *program, unsigned index)
{
	struct program_loop *loop = &program->loops[index];
	struct program_server *servers;

	loop->program = program;
	loop->loop = (struct loop){
		.uv = &loop->uv,
		.index = index,
		.work = program->work,
		.clock = program->clock,
		.entropy = program->entropy,
		.log = program->log,
	};
	servers = calloc(program->socket_count + 1, sizeof(*servers));
	if (servers == NULL)
		return ERROR_MEMORY;
	for (unsigned s = 0; s < program->socket_count; s++)
		servers[s] = (struct program_server){loop, &program->sockets[s], NULL};
	loop->servers = servers;
	if (uv_loop_init(&loop->uv) != 0)
		return ERROR_SYSTEM;
	loop->uv_open = true;
	if (uv_async_init(&loop->uv, &loop->async, on_async) != 0)
		return ERROR_SYSTEM;
	uv_prepare_init(&loop->uv, &loop->prepare);
	loop->async.data = loop->prepare.data = loop;
	uv_prepare_start(&loop->prepare, on_prepare);
	loop->handles_open = true;
	loop->loop.reader = xml_reader_new();
	if (loop->loop.reader == NULL)
		return ERROR_MEMORY;
	return peer_https_new(&loop->uv, loop->loop.reader, &loop->loop.peer);
}

int program_loops_open(struct program *program, char fault[CONFIG_FAULT_SIZE])
{
	for (unsigned i = 0; i < program->loop_count; i++) {
		int error = open_one(program, i);

		if (error != 0) {
			snprintf(fault, CONFIG_FAULT_SIZE, "cannot make loop %u: %s", i,
				error_text(error));
			return error;
		}
	}
	return 0;
}

static int serve_one(struct program *program, struct program_loop *loop, unsigned s)
{
	struct http_limits limits = settings_http_limits(program->settings);
	struct program_server *server = &loop->servers[s];
	struct program_socket *socket = &program->sockets[s];
	const struct http_server_options options = {
		.loop = &loop->uv,
		.context = program->contexts[socket->settings.tls10],
		.limits = &limits,
		.guard = program->guard,
		.handle = on_exchange,
		.trusted = socket->listener.trusted != NULL ? on_trusted : NULL,
		.event = on_event,
		.user = server,
	};
	int error = http_server_start(&options, socket->sockets[loop->loop.index], &server->server);

	if (error != 0)
		return error;
	socket->sockets[loop->loop.index] = -1;
	loop->serving++;
	return 0;
}

int program_loops_serve(struct program *program, char fault[CONFIG_FAULT_SIZE])
{
	for (unsigned i = 0; i < program->loop_count; i++) {
		for (unsigned s = 0; s < program->socket_count; s++) {
			int error = serve_one(program, &program->loops[i], s);

			if (error != 0) {
				snprintf(fault, CONFIG_FAULT_SIZE, "cannot serve %s (%s): %s",
					program->sockets[s].address,
					program->sockets[s].listener.name, error_text(error));
				return error;
			}
		}
	}
	return 0;
}

static void *run_thread(void *user)
{
	struct program_loop *loop = user;
	char name[16];

	snprintf(name, sizeof(name), "loop %u", loop->loop.index);
	pthread_setname_np(pthread_self(), name);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	return NULL;
}

int program_loops_run(struct program *program, char fault[CONFIG_FAULT_SIZE])
{
	for (unsigned i = 1; i < program->loop_count; i++) {
		struct program_loop *loop = &program->loops[i];
		int number = pthread_create(&loop->thread, NULL, run_thread, loop);

		if (number != 0) {
			snprintf(fault, CONFIG_FAULT_SIZE, "cannot start a thread: %s",
				strerror(number));
			return ERROR_SYSTEM;
		}
	}
	uv_run(&program->loops[0].uv, UV_RUN_DEFAULT);
	for (unsigned i = 1; i < program->loop_count; i++)
		pthread_join(program->loops[i].thread, NULL);
	return 0;
}

void program_loops_abandon(struct program *program)
{
	program->abandoned = true;
	for (unsigned i = 0; program->loops != NULL && i < program->loop_count; i++) {
		struct program_loop *loop = &program->loops[i];

		if (!loop->uv_open)
			continue;
		stop_servers(loop);
		end_loop(loop);
		uv_run(&loop->uv, UV_RUN_DEFAULT);
	}
}

void program_loops_close(struct program *program)
{
	for (unsigned i = 0; program->loops != NULL && i < program->loop_count; i++) {
		struct program_loop *loop = &program->loops[i];

		xml_reader_free(loop->loop.reader);
		free(loop->servers);
		/* EBUSY would be a handle that somebody forgot to close. */
		if (loop->uv_open) {
			int busy = uv_loop_close(&loop->uv);

			assert(busy == 0);
			(void)busy;
		}
	}
	free(program->loops);
	program->loops = NULL;
	for (unsigned s = 0; s < program->socket_count; s++) {
		struct program_socket *socket = &program->sockets[s];

		for (unsigned i = 0; socket->sockets != NULL && i < program->loop_count; i++) {
			if (socket->sockets[i] >= 0)
				close(socket->sockets[i]);
		}
		free(socket->sockets);
		free(socket->settings.address);
	}
	SSL_CTX_free(program->contexts[0]);
	SSL_CTX_free(program->contexts[1]);
}
