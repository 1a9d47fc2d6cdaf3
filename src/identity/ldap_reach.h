/*
 * ldap_reach.h - the way of one check through the servers of a directory.
 *
 * It begins with the first server in order and goes on to the next when one fails; a server that
 * has failed is not asked again by this check. While others are left, one server has half of the
 * time that is left. A kept connection that turns out to be dead is replaced once by a new one to
 * the same server.
 *
 * A user's password is sent to one server only: another one may follow when the connection failed
 * before it was sent, or when a server said that it cannot serve (results 51 and 52); one that
 * falls silent after that is the end.
 */
#ifndef FAIRLEAD_IDENTITY_LDAP_REACH_H
#define FAIRLEAD_IDENTITY_LDAP_REACH_H

#include "identity/ldap_directory.h"

struct ldap_reach {
	struct ldap_directory *directory;
	struct arena *arena; /* for the texts below */
	int64_t until;       /* steady */
	size_t order[LDAP_SERVERS_MAXIMUM];
	size_t count, at;      /* order[at]: the server asked; at == count: none is left */
	struct ldap_link *own; /* a user's, for his new password. NULL: none */

	/* What failed worst. */
	enum reason reason;                                          /* REASON_RIGHT: nothing yet */
	const char *server;                                          /* never NULL */
	const char *detail;                                          /* never NULL */
	struct identity_trouble troubles[IDENTITY_TROUBLES_MAXIMUM]; /* all else that failed */
	size_t trouble_count;
};

void ldap_reach_begin(struct ldap_reach *reach, struct ldap_directory *directory,
	struct arena *arena, int64_t until);
/* Lets go of `own`. */
void ldap_reach_end(struct ldap_reach *reach);

/* The server that is asked. */
const char *ldap_reach_server(const struct ldap_reach *reach);

struct ldap_question {
	const struct ldap_search *searches;
	size_t count;
	struct ldap_outcome *outcomes; /* one for each search */
	ldap_link_entry *entry;
	void (*restart)(void *context); /* forget the entries: the searches are made again */
	void *context;
};

/* Searches with the program's own account, or as nobody where it has none. True: every search has a
 * result of the server's. False: `reason` says why not. */
bool ldap_reach_search(struct ldap_reach *reach, const struct ldap_question *question);

/* Binds a user. True: the server answered, see `outcome`. False: `reason` says why not. `keep`: the
 * connection becomes `own`. */
bool ldap_reach_bind(struct ldap_reach *reach, const char *name, const char *password, bool keep,
	struct ldap_outcome *outcome);

/* A new password, with the program's own account or over `own`; at one server only. */
bool ldap_reach_change(struct ldap_reach *reach, const char *dn, const char *old_password,
	const char *new_password, struct ldap_outcome *outcome);

#endif
