/*
 * ldap_address.h - a server's name, resolved without ever holding a logon longer than it may wait.
 *
 * Looking up a name may take as long as the resolver likes, so a thread of its own does it; who
 * waits goes on without it when his time is over. An answer is kept for a minute, and while a newer
 * one is looked up, and when none can be had. Thread-safe.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_ADDRESS_H
#define FAIRLEAD_IDENTITY_LDAP_ADDRESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/clock.h"

#define LDAP_ADDRESSES_MAXIMUM 8

struct ldap_address;

/* Copies. NULL: memory. */
struct ldap_address *ldap_address_new(const char *host, uint16_t port, const struct clock *clock);
/* Does not wait: a look-up that is under way ends by itself. NULL is allowed. The clock must
 * outlive it, as the machine's does. */
void ldap_address_free(struct ldap_address *address);

struct ldap_addresses {
	struct sockaddr_storage list[LDAP_ADDRESSES_MAXIMUM];
	socklen_t lengths[LDAP_ADDRESSES_MAXIMUM];
	size_t count;
};

/* 0, ERROR_NOT_FOUND (no such name), ERROR_TIMEOUT (no answer until then), ERROR_MEMORY. */
int ldap_address_get(
	struct ldap_address *address, int64_t until, struct ldap_addresses *ret_addresses);

#endif
