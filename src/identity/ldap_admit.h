/*
 * ldap_admit.h - whether a password may be tried, by what Active Directory has counted.
 *
 * The user's count comes with his entry, the domain's policy is asked for once in a while: a check
 * costs no further round trip. Where they cannot be read, everything may be tried. Password
 * settings objects, which give single users a policy of their own, are not looked at.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_ADMIT_H
#define FAIRLEAD_IDENTITY_LDAP_ADMIT_H

#include "identity/ldap_reach.h"
#include "identity/ldap_user.h"

enum ldap_admit {
	LDAP_ADMIT_GO,      /* ldap_admit_end must follow */
	LDAP_ADMIT_REFUSED, /* it could lock the account */
	LDAP_ADMIT_LATE,    /* it could, together with others that are under way */
	LDAP_ADMIT_FAILED   /* the directory gave no answer: see `reach` */
};

/* To be taken before the user is searched. */
uint64_t ldap_admit_mark(struct ldap_directory *directory);

/* Asks the server the user was found at. `detail` of LDAP_ADMIT_REFUSED and _LATE, for the log. */
enum ldap_admit ldap_admit_begin(struct ldap_reach *reach, const struct ldap_user *user,
	uint64_t mark, const char **ret_detail);
void ldap_admit_end(struct ldap_directory *directory, const struct ldap_user *user, bool right);

#endif
