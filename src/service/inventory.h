/*
 * inventory.h - hosts, resources, and who may have them.
 *
 * A resource is what a user chooses from the list; it stands on a host (the
 * machine with an agent). Entitlement is by user or by group. An inventory is immutable once
 * built; on reload a new one takes its place.
 * Who occupies a host is kept in struct occupancy (occupancy.h), which survives a reload.
 */
#ifndef FAIRLEAD_SERVICE_INVENTORY_H
#define FAIRLEAD_SERVICE_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity/identity.h"
#include "wire/certificate.h"

struct inventory_host {
	const char *name;
	const char *address;  /* host or numeric address the client is sent to */
	const char *hostname; /* name in the target and in the agent's certificate; NULL: address */
	uint16_t agent_port;  /* launch API; 0: 60443 */
	const char *mac;      /* NULL: "", not known */
	struct certificate_policy policy; /* how its launch API is verified; name NULL: hostname */
	bool single_user;                 /* VDI: one user at a time */
};

struct inventory_resource {
	const char *id;
	const char *name;
	const char *session_type; /* "VDI" or "RDS" */
	size_t host;              /* index */
	const char *const
		*users; /* "user" (of whatever domain) or "domain\user"; any case (ASCII) */
	size_t user_count;
	const char *const *groups; /* any case (ASCII) */
	size_t group_count;
};

struct inventory;

/* Copies everything given. 0, ERROR_MEMORY, ERROR_INPUT (a host index out of range),
 * ERROR_EXISTS (two hosts of the same name, any case; two resources of the same id). */
int inventory_new(const struct inventory_host *hosts, size_t host_count,
	const struct inventory_resource *resources, size_t resource_count,
	struct inventory **ret_inventory);
/* NULL is allowed. */
void inventory_free(struct inventory *inventory);

/* NULL: there is none of that index. */
const struct inventory_host *inventory_host(const struct inventory *inventory, size_t index);

/* Calls `each` for every resource this user may have, in configured order; returns how many. */
size_t inventory_entitled(const struct inventory *inventory, const struct identity_user *user,
	void (*each)(void *context, const struct inventory_resource *resource), void *context);

/* The resource of that id if it exists and the user may have it, else NULL (both
 * cases look the same to the user). */
const struct inventory_resource *inventory_find(
	const struct inventory *inventory, const struct identity_user *user, const char *id);

#endif
