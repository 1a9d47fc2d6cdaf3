/*
 * ldap_directory.h - one directory, as its parts share it: identity_ldap.c makes it, checks use it.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_DIRECTORY_H
#define FAIRLEAD_IDENTITY_LDAP_DIRECTORY_H

#include <pthread.h>

#include "identity/identity_ldap.h"
#include "identity/ldap_cache.h"
#include "identity/ldap_lockout.h"
#include "identity/ldap_pool.h"
#include "identity/ldap_servers.h"

struct ldap_directory {
	struct identity_ldap_options options; /* defaults filled in; texts in `arena` */
	const struct clock *clock;
	struct arena *arena;
	struct ldap_servers *servers;
	struct ldap_pool *pool;
	struct ldap_cache *groups;
	struct ldap_lockout *lockout; /* NULL: not Active Directory */
	char *nobody;                 /* DN of an entry that does not exist */
	char *group_base;             /* as ldap_dn_key makes it */

	/* The program's own account was refused: it is not tried again at once, or the
	 * directory would lock it. */
	pthread_mutex_t lock;
	int64_t refused_until; /* steady */
	char refused_text[LDAP_RESULT_TEXT];
};

#endif
