#include "service/license_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

static const char host_letters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
static const char v6_letters[] = "abcdefABCDEF0123456789:.";

/* A part of the text. */
struct part {
	const char *start;
	size_t length;
};

static bool only(struct part part, const char *letters)
{
	for (size_t i = 0; i < part.length; i++) {
		if (strchr(letters, part.start[i]) == NULL || part.start[i] == '\0')
			return false;
	}
	return part.length > 0;
}

static int read_port(struct part part, uint16_t *ret_port)
{
	unsigned long port;

	if (!only(part, "0123456789") || part.length > 5)
		return ERROR_INPUT;
	port = strtoul(part.start, NULL, 10);
	if (port == 0 || port > UINT16_MAX)
		return ERROR_INPUT;
	*ret_port = (uint16_t)port;
	return 0;
}

/* "host", "v6" or "[v6]", nothing else. */
static int read_host(struct part part, struct license_path *path)
{
	bool brackets =
		part.length > 2 && part.start[0] == '[' && part.start[part.length - 1] == ']';
	bool v6;

	if (brackets) {
		part.start++;
		part.length -= 2;
	}
	v6 = brackets || memchr(part.start, ':', part.length) != NULL;
	if (part.length >= sizeof(path->host) || !only(part, v6 ? v6_letters : host_letters))
		return ERROR_INPUT;
	memcpy(path->host, part.start, part.length);
	path->host[part.length] = '\0';
	snprintf(path->address, sizeof(path->address), v6 ? "[%s]:%u" : "%s:%u", path->host,
		(unsigned)path->port);
	return 0;
}

/* "host:port" or a host alone; a text with several ':' and no brackets is an IPv6 address. */
static int read_address(struct part part, struct license_path *path)
{
	const char *colon = memrchr(part.start, ':', part.length);
	bool brackets = part.length > 0 && part.start[0] == '[';
	bool bare_v6 = !brackets && colon != NULL &&
		memchr(part.start, ':', (size_t)(colon - part.start)) != NULL;
	struct part host = part, port;

	if (colon != NULL && !bare_v6 && (!brackets || colon[-1] == ']')) {
		host.length = (size_t)(colon - part.start);
		port.start = colon + 1;
		port.length = part.length - host.length - 1;
		if (read_port(port, &path->port) != 0)
			return ERROR_INPUT;
	}
	return read_host(host, path);
}

int license_path_read(const char *text, struct license_path *ret_path)
{
	struct license_path path = {.port = LICENSE_PATH_PORT};
	const char *at;
	struct part part;
	int error;

	if (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0) {
		part.start = strchr(text, ':') + 3;
		part.length = strcspn(part.start, "/?#");
		error = read_address(part, &path);
	} else if ((at = strchr(text, '@')) != NULL) {
		part = (struct part){text, (size_t)(at - text)};
		error = read_port(part, &path.port);
		part = (struct part){at + 1, strlen(at + 1)};
		if (error == 0)
			error = read_host(part, &path);
	} else {
		part = (struct part){text, strlen(text)};
		error = read_address(part, &path);
	}
	if (error == 0)
		*ret_path = path;
	return error;
}
