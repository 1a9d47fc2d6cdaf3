/*
 * ldap_pool.h - connections that are kept for the next user.
 *
 * Two kinds to each server: those bound with the program's own account, for searching, and those on
 * which users are bound, one after the other. The last one given back is the first one taken, so
 * that a pool shrinks to what is needed: who was not used for a while is closed. Thread-safe.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_POOL_H
#define FAIRLEAD_IDENTITY_LDAP_POOL_H

#include <stddef.h>

#include "base/clock.h"
#include "identity/ldap_link.h"

struct ldap_pool;

enum ldap_pool_kind { LDAP_POOL_SEARCH, LDAP_POOL_BIND, LDAP_POOL_KINDS };

/* Up to `most` idle ones of a kind to each of `servers` servers. NULL: memory. */
struct ldap_pool *ldap_pool_new(size_t servers, size_t most, const struct clock *clock);
/* Closes all; none may be in use. NULL is allowed. */
void ldap_pool_free(struct ldap_pool *pool);

/* One that seems to be alive, or NULL. */
struct ldap_link *ldap_pool_take(struct ldap_pool *pool, size_t server, enum ldap_pool_kind kind);
/* Keeps it, or closes it when there are enough or it is old. */
void ldap_pool_give(
	struct ldap_pool *pool, size_t server, enum ldap_pool_kind kind, struct ldap_link *link);
/* Closes all idle ones to a server: one of them was found dead. */
void ldap_pool_drop(struct ldap_pool *pool, size_t server);

#endif
