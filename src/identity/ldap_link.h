/*
 * ldap_link.h - one connection to a directory server.
 *
 * Every call has a moment until which it waits; what is late is abandoned and the connection is of
 * no further use. One user at a time; a link may pass from thread to thread. Nothing here reads the
 * library's configuration (ldap.conf, ldaprc, LDAPTLS_...): every option is set on the handle.
 * Referrals are never followed. The socket does not block, so half an answer holds nobody.
 *
 * TLS is the library's (GnuTLS on Debian): certificates are verified by name or address, TLS 1.2 at
 * least.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_LINK_H
#define FAIRLEAD_IDENTITY_LDAP_LINK_H

#include <lber.h>
#include <ldap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "identity/ldap_result.h"
#include "identity/resolve.h"

struct ldap_link;

/* Whether the certificates can be read. NULL: the system's. 0, ERROR_INPUT, ERROR_MEMORY. */
int ldap_link_check_ca(const char *ca_file);

/* Why there is no answer. */
enum ldap_trouble {
	LDAP_TROUBLE_NONE,        /* there is one: `code` */
	LDAP_TROUBLE_UNREACHABLE, /* no connection */
	LDAP_TROUBLE_UNTRUSTED,   /* its certificate */
	LDAP_TROUBLE_SILENT,      /* connected, but nothing came in time */
	LDAP_TROUBLE_BROKEN,      /* it broke off, or sent what is not LDAP */
	LDAP_TROUBLE_LOCAL        /* memory, or the request could not be made */
};

struct ldap_outcome {
	enum ldap_trouble trouble;
	int code;                    /* LDAP result, with TROUBLE_NONE */
	struct ldap_policy policy;   /* of a bind or a new password */
	char text[LDAP_RESULT_TEXT]; /* for the log; "" after success */
	enum reason meaning;         /* of a bind or a new password */
};

struct ldap_place {
	const char *url;         /* "ldaps://host:636" */
	struct resolve *address; /* of its host and port */
	bool tls;                /* from the first byte */
	bool starttls;
};

struct ldap_link_options {
	struct ldap_place place;
	const char *ca_file; /* NULL: the system's */
	bool verify_none;
	const struct clock *clock;
	int64_t until; /* steady; TCP and TLS */
};

/* NULL and `outcome` filled when it fails. */
struct ldap_link *ldap_link_open(
	const struct ldap_link_options *options, struct ldap_outcome *outcome);
void ldap_link_close(struct ldap_link *link); /* NULL is allowed */

/* When it was opened; steady. */
int64_t ldap_link_born(const struct ldap_link *link);
/* The server has closed it, or said something nobody asked for. */
bool ldap_link_is_stale(const struct ldap_link *link);

/* A simple bind; `password` is never empty. `with_policy` asks for the password policy control. */
void ldap_link_bind(struct ldap_link *link, const char *name, const char *password,
	bool with_policy, int64_t until, struct ldap_outcome *outcome);

struct ldap_search {
	const char *base;
	int scope; /* LDAP_SCOPE_... */
	const char *filter;
	const char *const *attributes; /* ends with NULL */
	size_t most; /* entries; further ones are an error of the server: code 4 */
};
/* An entry of search number `index`; false ends with TROUBLE_LOCAL. */
typedef bool ldap_link_entry(void *context, size_t index, LDAP *ld, LDAPMessage *entry);

/* All at once, so that many cost about one round trip. `outcomes`: one for each. A search without
 * an answer leaves all that are open with the same trouble. */
void ldap_link_search(struct ldap_link *link, const struct ldap_search *searches, size_t count,
	ldap_link_entry *entry, void *context, int64_t until, struct ldap_outcome *outcomes);

/* unicodePwd from old to new, as a user does it ([MS-ADTS] 3.1.1.3.1.5). */
void ldap_link_change_unicode(struct ldap_link *link, const char *dn, const char *old_password,
	const char *new_password, int64_t until, struct ldap_outcome *outcome);
/* RFC 3062. */
void ldap_link_change_extended(struct ldap_link *link, const char *dn, const char *old_password,
	const char *new_password, int64_t until, struct ldap_outcome *outcome);

/* For ldap_filter.c: a handle that owns the socket when this returns LDAP_SUCCESS. */
int ldap_link_attach(int fd, const char *url, LDAP **ret_ld);

#endif
