/*
 * manager_logon.h - what the manager has to know of a logon that it only relays.
 *
 * A logon may take several messages, and only the first one says who and with which password, which
 * launch-session needs later. It is kept in session->logon until the broker says that the logon is
 * complete; the password sealed under the cookie. A new password, chosen in a dialog because the
 * old one has expired, takes its place. docs/identity.md has the conversation.
 */
#ifndef FAIRLEAD_MANAGER_MANAGER_LOGON_H
#define FAIRLEAD_MANAGER_MANAGER_LOGON_H

#include "service/endpoint.h"

/* After the broker's authenticate-resp stands in the reply. Once the logon is complete, user,
 * domain and password are the session's. 0, ERROR_MEMORY, ERROR_CRYPTO, ERROR_SYSTEM. */
int manager_logon_answered(struct transaction *transaction);

#endif
