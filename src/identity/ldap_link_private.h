/*
 * ldap_link_private.h - what the parts of ldap_link.h share.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_LINK_PRIVATE_H
#define FAIRLEAD_IDENTITY_LDAP_LINK_PRIVATE_H

#include "identity/ldap_link.h"

struct ldap_link {
	LDAP *ld;
	const struct clock *clock;
	int64_t born;
	int fd;                /* the handle's */
	int64_t patient_until; /* steady; 0: reading and writing never wait */
	bool out_of_patience;
};

void ldap_link_fail(struct ldap_outcome *outcome, enum ldap_trouble trouble, const char *text);

/* The answer to an operation that was started with `code` as number `id`; one of another `kind`
 * (LDAP_RES_BIND, ...) is none, although libldap would read its result. */
void ldap_link_await(struct ldap_link *link, int code, int id, int kind, int64_t until,
	enum reason (*meaning)(const struct ldap_result *result), struct ldap_outcome *outcome);

/* A connected socket that does not block; -1: see `outcome`. */
int ldap_link_connect(const struct ldap_link_options *options, struct ldap_outcome *outcome);
/* Puts the layer under the handle that heeds `patient_until`. */
bool ldap_link_make_patient(struct ldap_link *link);

#endif
