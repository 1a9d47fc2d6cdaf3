/*
 * link_address.h - numeric addresses with ports, for the session's sockets.
 */
#ifndef FAIRLEAD_SERVICE_LINK_ADDRESS_H
#define FAIRLEAD_SERVICE_LINK_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define LINK_ADDRESS_SIZE 64 /* "[address%interface]:port" with NUL */

union link_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage storage;
};

/* "192.0.2.1:4172" or "[2001:db8::1]:4172". 0 or ERROR_INPUT. */
int link_address_read(const char *text, union link_address *ret_address);
/* A bare numeric address. 0 or ERROR_INPUT. */
int link_address_make(const char *host, uint16_t port, union link_address *ret_address);

void link_address_text(const union link_address *address, char text[LINK_ADDRESS_SIZE]);
uint16_t link_address_port(const union link_address *address);
socklen_t link_address_length(const union link_address *address);

/* The same host, or the same /64 of IPv6: what one person can have many of. */
bool link_address_same_host(const union link_address *a, const union link_address *b);

#endif
