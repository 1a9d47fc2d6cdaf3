/*
 * ldap_user.h - an entry of a user, as a directory gave it.
 *
 * Values may be any bytes: what is not text (UTF-8 without control characters) becomes no name.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_USER_H
#define FAIRLEAD_IDENTITY_LDAP_USER_H

#include <lber.h>
#include <ldap.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "identity/identity_ldap.h"
#include "identity/ldap_lockout.h"

#define LDAP_USER_SID_MAXIMUM 68 /* bytes: revision, count, authority, 15 sub-authorities */

struct ldap_user {
	const char *dn;      /* as the server wrote it; for the server */
	const char *name;    /* NULL: the entry has none that is text */
	const char *account; /* the entry's own unique number, else the DN in one form */
	char **groups;       /* DNs of memberOf */
	size_t group_count;
	bool groups_follow; /* the server holds back some: more from `groups_next` on */
	size_t groups_next;
	unsigned char primary_sid[LDAP_USER_SID_MAXIMUM]; /* of the primary group */
	size_t primary_length;                            /* 0: none */
	struct ldap_lockout_count count;                  /* Active Directory's */
};

/* What to ask for; static, ends with NULL. */
const char *const *ldap_user_attributes(enum ldap_kind kind, bool with_groups);

/* `login`: which of several names is meant. False: memory. */
bool ldap_user_read(struct arena *arena, enum ldap_kind kind, const char *login, LDAP *ld,
	LDAPMessage *entry, struct ldap_user *user);
/* Further groups of a user whose groups follow. */
bool ldap_user_read_groups(
	struct arena *arena, LDAP *ld, LDAPMessage *entry, struct ldap_user *user);

/* What a directory has counted, to be read again; as above. */
const char *const *ldap_user_count_attributes(void);
void ldap_user_read_count(LDAP *ld, LDAPMessage *entry, struct ldap_lockout_count *ret_count);

/* The first value of an attribute as a number; 0: there is none. */
int64_t ldap_user_number(LDAP *ld, LDAPMessage *entry, const char *attribute);
/* A value as text; NULL when it is none, is empty, or is too long for a name, or without memory. */
const char *ldap_user_text(struct arena *arena, const struct berval *value, size_t most);
/* The first value of an attribute that is text. */
const char *ldap_user_value(
	struct arena *arena, LDAP *ld, LDAPMessage *entry, const char *attribute, size_t most);

/* One form for all spellings of a DN: no needless spaces and escapes, ASCII letters small. What is
 * no DN is only made small. NULL: memory. */
const char *ldap_dn_key(struct arena *arena, const char *dn);

#endif
