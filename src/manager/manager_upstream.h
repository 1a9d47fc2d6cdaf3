/*
 * manager_upstream.h - the broker's session behind one of the manager's.
 *
 * It is the role's part of a struct session. Once the broker has allocated a resource its session
 * has done its work; when the host then cannot be prepared, the client may try again, and finds a
 * new broker session behind the same one of ours: opened with the client's own hello and the
 * password that is still sealed. Where a logon takes more than the password, such as a second
 * factor, that is not possible, and the user has to connect again.
 */
#ifndef FAIRLEAD_MANAGER_MANAGER_UPSTREAM_H
#define FAIRLEAD_MANAGER_MANAGER_UPSTREAM_H

#include <stdbool.h>

#include "manager/manager.h"

/* Sends a message to the broker within its session, if there is one yet. As peer_call; a failure to
 * send comes back as the return value. */
int upstream_call(struct transaction *transaction, const struct manager_view *view,
	const struct message *request, peer_done *done, void *user);

/* What the broker answered: a new cookie is kept. 0 or ERROR_MEMORY. */
int upstream_take_cookie(struct session *session, const char *cookie);

/* Keeps the hello the broker has accepted. 0 or ERROR_MEMORY; a hello too long to keep is not kept.
 */
int upstream_keep_hello(struct session *session, const struct message *hello);

/* The broker's session has allocated in vain. */
void upstream_spend(struct session *session);
bool upstream_is_spent(const struct session *session);

/* The session is not to be renewed (any more). */
void upstream_bar_renewal(struct session *session);

/* Opens a new session at the broker in place of a spent one and logs the user on again. `done`
 * once, on the loop: with the answer that failed, or with error 0. 0, or an error and no `done`.
 * ERROR_REFUSED, either way: the broker does not let the user in with what the manager has. The
 * answer's message is then not the answer to the client's. */
int upstream_renew(struct transaction *transaction, const struct manager_view *view,
	peer_done *done, void *user);

#endif
