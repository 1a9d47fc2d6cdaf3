/*
 * license_path.h - the texts by which people and launch requests name a licence service.
 *
 * "port@host" and "http://host:port/request" are the vendor's; "https://...",
 * "host:port", "host" and IPv6 addresses in brackets are understood as well.
 */
#ifndef FAIRLEAD_SERVICE_LICENSE_PATH_H
#define FAIRLEAD_SERVICE_LICENSE_PATH_H

#include <stdint.h>

#define LICENSE_PATH_PORT 7070 /* where the text has none */
#define LICENSE_PATH_HOST_SIZE 256

struct license_path {
	char host[LICENSE_PATH_HOST_SIZE]; /* without brackets */
	uint16_t port;
	char address[LICENSE_PATH_HOST_SIZE + 10]; /* "host:port", "[v6]:port" */
};

/* 0 or ERROR_INPUT. */
int license_path_read(const char *text, struct license_path *ret_path);

#endif
