/*
 * identity_ldap.h - users of Active Directory or another LDAP directory.
 *
 * A user is found with the program's own account, then his own bind proves the password. Active
 * Directory would take the bind alone, but under every spelling of a name, each of which would be
 * an account of its own for who counts the failures, and the same one for its lock.
 *
 * Active Directory's own count of bad passwords is respected, whoever tried them: where one more
 * would lock the account, none is tried, and the answer is REASON_GUARDED.
 *
 * Connections are kept and used again, some for searching, some for binding users. Every call has
 * the time that is left of the request's deadline and of `answer_ms`; servers are asked in order,
 * one that fails is held down. Calls run on threads of this directory alone, so a slow one keeps
 * nobody waiting but its own users. docs/identity.md has the states and the mapping of errors.
 */
#ifndef FAIRLEAD_IDENTITY_IDENTITY_LDAP_H
#define FAIRLEAD_IDENTITY_IDENTITY_LDAP_H

#include <stdbool.h>
#include <stddef.h>

#include "identity/identity.h"

#define LDAP_SERVERS_MAXIMUM 16
#define LDAP_ANSWER_MS 5000 /* defaults */
#define LDAP_SLOW_MS 2000

enum ldap_kind {
	LDAP_KIND_ACTIVE_DIRECTORY, /* sAMAccountName, userPrincipalName; sub-codes; in-chain groups
				     */
	LDAP_KIND_LDAP /* uid; password policy control; groups by memberOf and member */
};

enum ldap_groups {
	LDAP_GROUPS_DEFAULT,   /* RECURSIVE: as complete as IN_CHAIN, and what is kept serves all
				  users */
	LDAP_GROUPS_IN_CHAIN,  /* the server follows nested groups (1.2.840.113556.1.4.1941) */
	LDAP_GROUPS_RECURSIVE, /* we do: memberOf where users have it, else member, uniqueMember,
				* memberUid; cycles and depth bounded */
	LDAP_GROUPS_DIRECT,    /* without nesting */
	LDAP_GROUPS_NONE
};

struct identity_ldap_options {
	const char *name; /* of the directory, for logs */
	enum ldap_kind kind;
	const char *const *domains; /* what its users may name; the first is told to hosts */
	size_t domain_count;
	const char *const *servers; /* ldaps://host[:port], ldap://host[:port]; in this order */
	size_t server_count;
	bool starttls;             /* on ldap:// */
	bool allow_plain;          /* ldap:// without StartTLS; else refused by identity_ldap_new */
	const char *ca_file;       /* NULL: the system's */
	bool verify_none;          /* take any certificate; tests and emergencies */
	const char *base;          /* DN below which users are */
	const char *group_base;    /* NULL: base */
	const char *bind_dn;       /* the program's own account; NULL: none, searches are anonymous
				    * (not with Active Directory) */
	const char *bind_password; /* NULL with bind_dn NULL */
	const char *user_filter; /* NULL: of the kind. {user} as typed without its domain, {domain},
				  * {login} as typed; all escaped */
	const char *group_filter; /* NULL: every kind of group. Put into each search for groups */
	const char *group_name;   /* attribute; NULL: sAMAccountName, else cn */
	enum ldap_groups groups;
	unsigned connections;       /* 0: 16; threads, and connections of a kind (for searching, for
				     * binding) to a server at most */
	unsigned waiting;           /* 0: 4096; requests waiting for a thread */
	unsigned connect_ms;        /* 0: 2000; TCP and TLS */
	unsigned answer_ms;         /* 0: 5000; a whole check */
	unsigned slow_ms;           /* 0: 2000 */
	unsigned hold_down_seconds; /* 0: 30 */
	unsigned group_cache_seconds; /* 0: 300; what a group is a member of */
	bool change_password; /* users with an expired password may set a new one (never without
				 TLS) */
};

/* Everything is copied. Connects to nobody yet. 0, ERROR_MEMORY, ERROR_INPUT (a URL, DN or filter
 * that is none, a user_filter without {user} and {login} or a group_filter with names, no bind_dn
 * for Active Directory, plain without allow_plain, a CA file that cannot be read), ERROR_SYSTEM
 * (threads).
 */
int identity_ldap_new(const struct identity_ldap_options *options, const struct clock *clock,
	struct identity **ret_identity);

#endif
