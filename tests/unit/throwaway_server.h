/*
 * throwaway_server.h - an HTTPS server for tests: blocking, one thread for
 * each connection, a behaviour for each path. Independent of Fairlead's own server, so
 * that both cannot be wrong in the same way. Include after cmocka.h.
 */
#ifndef FAIRLEAD_TESTS_THROWAWAY_SERVER_H
#define FAIRLEAD_TESTS_THROWAWAY_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "throwaway.h"

#define THREADS_MAXIMUM 256
#define TEXT_SIZE 8192

struct server {
	int listening;
	uint16_t port;
	SSL_CTX *context;
	pthread_t acceptor;
	struct visit {
		struct server *server;
		pthread_t thread;
		int socket;
	} visits[THREADS_MAXIMUM];
	unsigned count; /* connections accepted */
	pthread_mutex_t lock;
	char sni[256];
	char request[TEXT_SIZE]; /* the newest */
};

static bool write_text(SSL *ssl, const char *text)
{
	return SSL_write(ssl, text, (int)strlen(text)) > 0;
}

static bool write_many(SSL *ssl, const char *text, int count)
{
	for (int i = 0; i < count; i++) {
		if (!write_text(ssl, text))
			return false;
	}
	return true;
}

static const char *const plain =
	"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 5\r\n\r\nhello";

/* False: the connection ends. */
static bool answer(SSL *ssl, const char *path)
{
	if (strcmp(path, "/silent") == 0) {
		char byte;

		SSL_read(ssl, &byte, 1); /* until the client gives up */
		return false;
	}
	if (strcmp(path, "/nothing") == 0)
		return false;
	if (strcmp(path, "/half") == 0) {
		write_text(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf");
		return false;
	}
	if (strcmp(path, "/once") == 0) {
		write_text(ssl, plain);
		return false;
	}
	if (strcmp(path, "/cookie") == 0)
		return write_text(ssl,
			"HTTP/1.1 200 OK\r\nSet-Cookie: other=1\r\n"
			"set-cookie:  JSESSIONID=abc123 ; HttpOnly; Secure\r\n"
			"Set-Cookie: XJSESSIONID=no\r\nContent-Length: 0\r\n\r\n");
	if (strcmp(path, "/interim") == 0)
		return write_text(ssl,
			       "HTTP/1.1 100 Continue\r\nSet-Cookie: JSESSIONID=early\r\n\r\n") &&
			write_text(ssl, plain);
	if (strcmp(path, "/chunked") == 0)
		return write_text(ssl,
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
	if (strcmp(path, "/redirect") == 0)
		return write_text(ssl,
			"HTTP/1.1 302 Found\r\nLocation: /cookie\r\n"
			"Content-Length: 0\r\n\r\n");
	if (strcmp(path, "/error") == 0)
		return write_text(ssl, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
	if (strcmp(path, "/large") == 0) {
		write_text(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
		return write_many(ssl, "0123456789", 10000);
	}
	if (strcmp(path, "/endless") == 0) {
		write_text(ssl, "HTTP/1.1 200 OK\r\n\r\n");
		while (write_text(ssl, "0123456789"))
			;
		return false;
	}
	if (strcmp(path, "/headers") == 0) {
		write_text(ssl, "HTTP/1.1 200 OK\r\n");
		return write_many(
			ssl, "X-Long: 0123456789012345678901234567890123456789\r\n", 1000);
	}
	if (strcmp(path, "/header") == 0) {
		write_text(ssl, "HTTP/1.1 200 OK\r\nX-Long: ");
		return write_many(ssl, "0123456789012345678901234567890123456789", 10000);
	}
	if (strcmp(path, "/garbage") == 0) {
		write_text(ssl, "SSH-2.0-OpenSSH_9.2p1\r\n");
		return false;
	}
	return write_text(ssl, plain);
}

/* One request, head and body, into text; false: the client has gone. */
static bool read_request(SSL *ssl, char text[TEXT_SIZE])
{
	size_t length = 0;

	for (;;) {
		int got = SSL_read(ssl, text + length, (int)(TEXT_SIZE - 1 - length));
		const char *end, *size;

		if (got <= 0)
			return false;
		length += (size_t)got;
		text[length] = '\0';
		end = strstr(text, "\r\n\r\n");
		size = strstr(text, "Content-Length: ");
		if (end != NULL &&
			length >= (size_t)(end + 4 - text) +
					(size != NULL ? strtoul(size + 16, NULL, 10) : 0))
			return true;
	}
}

static void *serve(void *user)
{
	struct visit *visit = user;
	struct server *server = visit->server;
	SSL *ssl;
	char text[TEXT_SIZE], path[256];
	bool more;

	pthread_mutex_lock(&server->lock);
	ssl = SSL_new(server->context);
	pthread_mutex_unlock(&server->lock);
	/* or the answer waits for the client to acknowledge the session tickets */
	setsockopt(visit->socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	SSL_set_fd(ssl, visit->socket);
	more = SSL_accept(ssl) == 1;
	if (more) {
		const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

		pthread_mutex_lock(&server->lock);
		snprintf(server->sni, sizeof(server->sni), "%s", name != NULL ? name : "");
		pthread_mutex_unlock(&server->lock);
	}
	while (more && read_request(ssl, text)) {
		pthread_mutex_lock(&server->lock);
		memcpy(server->request, text, sizeof(text));
		pthread_mutex_unlock(&server->lock);
		path[0] = '\0';
		sscanf(text, "%*s %255s", path);
		more = answer(ssl, path);
	}
	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(visit->socket);
	return NULL;
}

static void *accept_all(void *user)
{
	struct server *server = user;
	int socket;

	while ((socket = accept(server->listening, NULL, NULL)) >= 0) {
		struct visit *visit = &server->visits[server->count];

		if (server->count == THREADS_MAXIMUM)
			abort();
		*visit = (struct visit){.server = server, .socket = socket};
		pthread_mutex_lock(&server->lock);
		server->count++;
		pthread_mutex_unlock(&server->lock);
		pthread_create(&visit->thread, NULL, serve, visit);
	}
	return NULL;
}

static int open_port(uint16_t *ret_port, bool listening)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int made = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(made >= 0);
	assert_int_equal(bind(made, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(made, (struct sockaddr *)&address, &size), 0);
	if (listening)
		assert_int_equal(listen(made, 64), 0);
	*ret_port = ntohs(address.sin_port);
	return made;
}

static SSL_CTX *context_of(const struct throwaway *certificate)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	assert_int_equal(SSL_CTX_use_certificate(context, certificate->certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, certificate->key), 1);
	return context;
}

static void server_start(struct server *server, const struct throwaway *certificate)
{
	pthread_mutex_init(&server->lock, NULL);
	server->context = context_of(certificate);
	server->listening = open_port(&server->port, true);
	pthread_create(&server->acceptor, NULL, accept_all, server);
}

/* The clients must have closed their connections. */
static void server_stop(struct server *server)
{
	shutdown(server->listening, SHUT_RDWR);
	pthread_join(server->acceptor, NULL);
	for (unsigned i = 0; i < server->count; i++)
		pthread_join(server->visits[i].thread, NULL);
	close(server->listening);
	SSL_CTX_free(server->context);
	pthread_mutex_destroy(&server->lock);
}

#endif
