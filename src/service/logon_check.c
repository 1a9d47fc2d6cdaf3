/*
 * One password, checked without a conversation.
 */
#include "base/error.h"
#include "service/logon_private.h"

struct check {
	struct transaction *transaction;
	const struct logon_chain *chain;
	struct guard *guard;
	struct logon_admission admission;
	struct identity_request request;
	enum reason reason;
	const char *detail;
	struct identity_user user;
	void (*done)(struct transaction *, enum reason, const struct identity_user *, void *);
	void *context;
};

static void tell(struct transaction *transaction, void *context)
{
	struct check *check = context;

	if (check->admission.refusal.limit != GUARD_NONE && !check->admission.refusal.busy)
		logon_note_refusal(transaction, &check->admission.refusal);
	else if (check->reason != REASON_RIGHT)
		logon_note_failure(transaction, check->reason, check->detail);
	check->done(transaction, check->reason, &check->user, check->context);
}

static void end(struct check *check, enum reason reason, const char *detail, bool tried)
{
	struct transaction *transaction = check->transaction;
	int64_t delay = 0;

	check->reason = reason;
	check->detail = detail;
	if (reason != REASON_RIGHT && reason != REASON_GUARDED)
		delay = guard_delay(check->guard, &check->admission.try);
	guard_end(check->guard, &check->admission.try, logon_count(reason, !tried));
	logon_hold(transaction, delay, tell, check);
}

static void answered(void *context, const struct identity_answer *answer)
{
	struct check *check = context;
	struct transaction *transaction = check->transaction;

	logon_note_answer(transaction, check->chain->source, answer);
	if (answer->reason == REASON_RIGHT)
		check->user = answer->user;
	end(check, logon_reason(answer), logon_answer_detail(transaction->arena, answer),
		answer->tried);
}

static bool admit(void *context, const char *account)
{
	struct check *check = context;

	return guard_account(
		check->guard, &check->admission.try, account, &check->admission.refusal);
}

static void try_password(void *context)
{
	struct check *check = context;

	if (check->admission.refusal.limit != GUARD_NONE) {
		end(check, check->admission.refusal.busy ? REASON_SERVICE_BUSY : REASON_GUARDED, "",
			false);
	} else if (*check->admission.password == '\0') {
		end(check, REASON_EMPTY_PASSWORD, "", false);
	} else if (check->chain == NULL) {
		end(check, REASON_UNKNOWN_DOMAIN, check->admission.domain, false);
	} else {
		check->request.user = check->admission.user;
		check->request.domain = check->admission.domain;
		check->request.password = check->admission.password;
		check->request.admit = admit;
		check->request.admit_context = check;
		identity_ask(check->chain->source, &check->request, answered, check);
	}
}

void logon_check(struct transaction *transaction, const struct logon_plan *plan,
	struct guard *guard, const char *user, const char *domain, const char *password,
	void (*done)(struct transaction *, enum reason, const struct identity_user *, void *),
	void *context)
{
	struct check *check = arena_alloc(transaction->arena, sizeof(*check));

	if (check == NULL) {
		done(transaction, REASON_SERVICE_BUSY, NULL, context);
		return;
	}
	*check = (struct check){
		.transaction = transaction,
		.chain = logon_plan_chain(plan, user, domain),
		.guard = guard,
		.admission = {.transaction = transaction,
			.guard = guard,
			.user = user,
			.domain = domain,
			.password = password,
			.then = try_password,
			.context = check},
		.request = logon_identity_request(transaction),
		.done = done,
		.context = context,
	};
	logon_admit(&check->admission);
}
