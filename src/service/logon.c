#include "service/logon.h"

#include <string.h>

#include "base/error.h"

struct logon {
	struct identity *identity;
	enum result_id result;
	struct identity_user user;
	void (*done)(struct transaction *, enum result_id, const struct identity_user *, void *);
	void *context;
};

static void logon_run(struct transaction *transaction)
{
	struct logon *logon = transaction->role;

	logon->result = identity_check(logon->identity, transaction->arena,
		transaction_text(transaction, FIELD_AUTHENTICATE_USERNAME),
		transaction_text(transaction, FIELD_AUTHENTICATE_DOMAIN),
		transaction_text(transaction, FIELD_AUTHENTICATE_PASSWORD), &logon->user);
}

static void logon_done(struct transaction *transaction)
{
	struct logon *logon = transaction->role;

	logon->done(transaction, logon->result, &logon->user, logon->context);
}

void logon_start(struct transaction *transaction, struct identity *identity,
	void (*done)(struct transaction *, enum result_id, const struct identity_user *, void *),
	void *context)
{
	struct logon *logon = arena_alloc(transaction->arena, sizeof(*logon));

	if (strcmp(transaction_text(transaction, FIELD_AUTHENTICATE_METHOD), "password") != 0) {
		done(transaction, RESULT_AUTH_FAILED_ACCESS_DENIED, NULL, context);
		return;
	}
	if (logon == NULL) {
		done(transaction, RESULT_AUTH_FAILED_SERVICE_BUSY, NULL, context);
		return;
	}
	logon->identity = identity;
	logon->done = done;
	logon->context = context;
	transaction->role = logon;
	if (transaction_work(transaction, logon_run, logon_done) != 0)
		done(transaction, RESULT_AUTH_FAILED_SERVICE_BUSY, NULL, context);
}
