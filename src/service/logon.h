/*
 * logon.h - the authenticate message, for every program that checks passwords itself.
 */
#ifndef FAIRLEAD_SERVICE_LOGON_H
#define FAIRLEAD_SERVICE_LOGON_H

#include "service/endpoint.h"
#include "service/identity.h"

/* Checks the transaction's authenticate message off the loop and calls `done` on it with the result
 * of the AUTH group and, on success, the user (in the transaction's arena). The identity must stay
 * until then; transaction->role is used meanwhile. A full queue gives
 * RESULT_AUTH_FAILED_SERVICE_BUSY, another method than "password" RESULT_AUTH_FAILED_ACCESS_DENIED;
 * `done` is then called from inside. */
void logon_start(struct transaction *transaction, struct identity *identity,
	void (*done)(struct transaction *transaction, enum result_id result,
		const struct identity_user *user, void *context),
	void *context);

#endif
