/*
 * ldap_servers.h - which server to ask next.
 *
 * In the order of the configuration; one that failed is held down, that is asked after all others,
 * for a time. When it is over, one caller alone has it in its old place again; the others follow
 * once it has answered him. Thread-safe.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_SERVERS_H
#define FAIRLEAD_IDENTITY_LDAP_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "identity/identity_ldap.h"
#include "identity/ldap_link.h"

struct ldap_servers;

struct ldap_servers_options {
	const char *const *urls; /* 1 to LDAP_SERVERS_MAXIMUM; copied */
	size_t count;
	bool starttls; /* on ldap:// */
	bool allow_plain;
	int64_t hold_down; /* microseconds */
	const struct clock *clock;
};

/* 0, ERROR_INPUT (not ldap:// or ldaps:// with a host and nothing behind the port, plain without
 * allow_plain, too many or none), ERROR_MEMORY. */
int ldap_servers_new(const struct ldap_servers_options *options, struct ldap_servers **ret_servers);
void ldap_servers_free(struct ldap_servers *servers); /* NULL is allowed */

size_t ldap_servers_count(const struct ldap_servers *servers);
const struct ldap_place *ldap_servers_place(const struct ldap_servers *servers, size_t index);
/* Every server is secured by TLS. */
bool ldap_servers_secure(const struct ldap_servers *servers);

/* Indexes of all servers, the one to be asked first at the front; the count. */
size_t ldap_servers_order(struct ldap_servers *servers, size_t order[LDAP_SERVERS_MAXIMUM]);
void ldap_servers_failed(struct ldap_servers *servers, size_t index);
void ldap_servers_answered(struct ldap_servers *servers, size_t index);

#endif
