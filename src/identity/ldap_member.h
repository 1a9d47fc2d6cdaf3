/*
 * ldap_member.h - the groups of a user in a directory, as its options want them.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_MEMBER_H
#define FAIRLEAD_IDENTITY_LDAP_MEMBER_H

#include "identity/ldap_reach.h"
#include "identity/ldap_user.h"

struct ldap_member {
	const char *const *groups; /* the name of each, and its DN */
	size_t count;
	bool cut; /* there are more than IDENTITY_GROUPS_MAXIMUM names and DNs */
};

/* All in `arena`. `login`: for groups that name their members by uid. False: see reach->reason. */
bool ldap_member_find(struct ldap_reach *reach, struct arena *arena, struct ldap_user *user,
	const char *login, struct ldap_member *ret_member);

#endif
