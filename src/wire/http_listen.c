#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "wire/http_server.h"

#define BACKLOG 4096 /* the kernel lowers it to somaxconn */

static int read_port(const char *text, uint16_t *ret_port)
{
	unsigned long value = 0;
	size_t length = strlen(text);

	if (length == 0 || length > 5 || strspn(text, "0123456789") != length)
		return ERROR_INPUT;
	value = strtoul(text, NULL, 10);
	if (value > UINT16_MAX)
		return ERROR_INPUT;
	*ret_port = (uint16_t)value;
	return 0;
}

int http_split_address(const char *address, char *host, size_t host_size, uint16_t *ret_port)
{
	const char *colon = strrchr(address, ':');
	const char *start = address;
	const char *end = colon;
	uint16_t port;
	int result;

	if (colon == NULL)
		return ERROR_INPUT;
	if (*start == '[') {
		start++;
		end = colon - 1;
		if (end < start || *end != ']')
			return ERROR_INPUT;
	} else if (memchr(start, ':', (size_t)(end - start)) != NULL) {
		/* An IPv6 address without brackets: where does the port begin? */
		return ERROR_INPUT;
	}
	if (end == start || (size_t)(end - start) >= host_size ||
		memchr(start, ']', (size_t)(end - start)) != NULL)
		return ERROR_INPUT;
	result = read_port(colon + 1, &port);
	if (result != 0)
		return result;
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	*ret_port = port;
	return 0;
}

static uint16_t bound_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {0};
	socklen_t length = sizeof(address);

	if (getsockname(fd, &address.any, &length) != 0)
		return 0;
	return ntohs(
		address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

static int open_socket(const struct addrinfo *info, int *ret_socket)
{
	const int on = 1;
	int error;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return ERROR_SYSTEM;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0 ||
		(info->ai_family == AF_INET6 &&
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) ||
		bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
		error = errno;
		close(fd);
		errno = error;
		return ERROR_SYSTEM;
	}
	*ret_socket = fd;
	return 0;
}

int http_listen(const char *address, int *ret_socket, uint16_t *ret_port)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *info = NULL;
	char host[256];
	char service[8];
	uint16_t port;
	int result = http_split_address(address, host, sizeof(host), &port);

	if (result != 0)
		return result;
	(void)snprintf(service, sizeof(service), "%u", (unsigned)port);
	if (getaddrinfo(host, service, &hints, &info) != 0)
		return ERROR_INPUT;
	result = open_socket(info, ret_socket);
	freeaddrinfo(info);
	if (result == 0)
		*ret_port = bound_port(*ret_socket);
	return result;
}
