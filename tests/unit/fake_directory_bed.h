/*
 * fake_directory_bed.h - a directory that can misbehave: what it says to each request, a function
 * of the test decides.
 */
#ifndef TESTS_FAKE_DIRECTORY_BED_H
#define TESTS_FAKE_DIRECTORY_BED_H

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "directory_bed.h"

struct bed_fake;
/* Writes what it likes to `fd`; false: closes the connection. `operation` is the tag of the request
 * (0x60 bind, 0x63 search), `number` that of its message. */
typedef bool bed_reply(struct bed_fake *fake, int fd, uint8_t operation, uint8_t number);

#define BED_CONNECTIONS 64
struct bed_fake {
	bed_reply *reply;
	char url[64];
	int listener;
	pthread_t acceptor;
	pthread_mutex_t lock;
	unsigned binds, searches, connections;
	char bound[128]; /* the name of the last bind, unless it is long */
	int fds[BED_CONNECTIONS];
	pthread_t threads[BED_CONNECTIONS];
	bool ending;
};

static bool bed_read_all(int fd, uint8_t *bytes, size_t length)
{
	while (length > 0) {
		ssize_t count = recv(fd, bytes, length, 0);

		if (count <= 0)
			return false;
		bytes += count;
		length -= (size_t)count;
	}
	return true;
}

#define BED_REQUEST 4096
/* SEQUENCE, length, message number of one byte, operation. */
static bool bed_read_request(
	int fd, uint8_t bytes[BED_REQUEST], uint8_t *ret_operation, uint8_t *ret_number)
{
	size_t length;

	if (!bed_read_all(fd, bytes, 2))
		return false;
	length = bytes[1];
	if (length >= 0x80) {
		size_t count = length & 0x7f;

		if (count > 2 || !bed_read_all(fd, bytes, count))
			return false;
		length = 0;
		for (size_t i = 0; i < count; i++)
			length = length << 8 | bytes[i];
	}
	if (length > BED_REQUEST || !bed_read_all(fd, bytes, length) || bytes[1] != 1)
		return false;
	*ret_number = bytes[2];
	*ret_operation = bytes[3];
	return true;
}

/* Behind the message number: tag, length and version of a bind, then the name. */
static void bed_note_name(struct bed_fake *fake, const uint8_t *bytes)
{
	if (bytes[4] >= 0x80 || bytes[9] >= sizeof(fake->bound))
		return;
	memcpy(fake->bound, bytes + 10, bytes[9]);
	fake->bound[bytes[9]] = '\0';
}

struct bed_connection {
	struct bed_fake *fake;
	int fd;
};

static void *bed_serve(void *context)
{
	struct bed_connection connection = *(struct bed_connection *)context;
	struct bed_fake *fake = connection.fake;
	uint8_t bytes[BED_REQUEST], operation, number;

	free(context);
	while (bed_read_request(connection.fd, bytes, &operation, &number)) {
		pthread_mutex_lock(&fake->lock);
		fake->binds += operation == 0x60;
		fake->searches += operation == 0x63;
		if (operation == 0x60)
			bed_note_name(fake, bytes);
		pthread_mutex_unlock(&fake->lock);
		if (!fake->reply(fake, connection.fd, operation, number))
			break;
	}
	shutdown(connection.fd, SHUT_RDWR);
	return NULL;
}

static void *bed_accept(void *context)
{
	struct bed_fake *fake = context;

	for (;;) {
		int fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
		struct bed_connection *connection;

		if (fd < 0)
			return NULL;
		connection = malloc(sizeof(*connection));
		assert(connection != NULL);
		*connection = (struct bed_connection){.fake = fake, .fd = fd};
		pthread_mutex_lock(&fake->lock);
		assert_true(fake->connections < BED_CONNECTIONS);
		fake->fds[fake->connections] = fd;
		pthread_create(&fake->threads[fake->connections++], NULL, bed_serve, connection);
		pthread_mutex_unlock(&fake->lock);
	}
}

static void bed_fake_start(struct bed_fake *fake, bed_reply *reply)
{
	uint16_t port;

	memset(fake, 0, sizeof(*fake));
	fake->reply = reply;
	fake->listener = bed_bind(&port);
	snprintf(fake->url, sizeof(fake->url), "ldap://127.0.0.1:%u", port);
	pthread_mutex_init(&fake->lock, NULL);
	assert_int_equal(listen(fake->listener, 16), 0);
	assert_int_equal(pthread_create(&fake->acceptor, NULL, bed_accept, fake), 0);
}

static void bed_fake_stop(struct bed_fake *fake)
{
	shutdown(fake->listener, SHUT_RDWR);
	pthread_join(fake->acceptor, NULL);
	close(fake->listener);
	for (unsigned i = 0; i < fake->connections; i++) {
		shutdown(fake->fds[i], SHUT_RDWR);
		pthread_join(fake->threads[i], NULL);
		close(fake->fds[i]);
	}
	pthread_mutex_destroy(&fake->lock);
}

static bool bed_send(int fd, const void *bytes, size_t length)
{
	return send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* A result without texts: of a bind (0x61), the end of a search (0x65), an extended operation
 * (0x78). */
static bool bed_result(int fd, uint8_t operation, uint8_t number, uint8_t code)
{
	const uint8_t bytes[] = {
		0x30, 12, 0x02, 1, number, operation, 7, 0x0a, 1, code, 0x04, 0, 0x04, 0};

	return bed_send(fd, bytes, sizeof(bytes));
}

/* An entry without attributes: uid=a. */
static bool bed_entry(int fd, uint8_t number)
{
	const uint8_t bytes[] = {
		0x30, 14, 0x02, 1, number, 0x64, 9, 0x04, 5, 'u', 'i', 'd', '=', 'a', 0x30, 0};

	return bed_send(fd, bytes, sizeof(bytes));
}

#endif
