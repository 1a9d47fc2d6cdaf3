/*
 * ldap_filter.h - search filters (RFC 4515) from templates, with everything foreign escaped.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_FILTER_H
#define FAIRLEAD_IDENTITY_LDAP_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define LDAP_FILTER_MAXIMUM 65536 /* bytes of a filter */

/* What stands for the names in a template; all escaped when put in. */
struct ldap_filter_names {
	const char *user;   /* {user} */
	const char *domain; /* {domain} */
	const char *login;  /* {login} */
};

/* Whether it is a filter, with nothing in braces but the names above, and these in values only: who
 * could write an attribute's name would choose what is compared. 0, ERROR_INPUT, ERROR_MEMORY. */
int ldap_filter_check(const char *template);

/* Whether what a user typed is in it: {user} or {login}. */
bool ldap_filter_names_user(const char *template);

/* Appends the filter; `template` was checked. 0, ERROR_LIMIT, ERROR_MEMORY. */
int ldap_filter_expand(
	struct buffer *buffer, const char *template, const struct ldap_filter_names *names);

/* Appends "(attribute=value)", the value escaped; it may hold any bytes. */
int ldap_filter_equal(
	struct buffer *buffer, const char *attribute, const void *value, size_t length);

#endif
