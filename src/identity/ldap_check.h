/*
 * ldap_check.h - one user checked by a directory, from his name to his groups. Blocks.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_CHECK_H
#define FAIRLEAD_IDENTITY_LDAP_CHECK_H

#include "identity/ldap_directory.h"

/* Until `until` (steady). Fills `answer` but source, took and remote; its texts are in the
 * request's arena. The password is not empty. */
void ldap_check_run(struct ldap_directory *directory, const struct identity_request *request,
	int64_t until, struct identity_answer *answer);

#endif
