#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "license/license.h"
#include "license/license_config.h"
#include "service/event.h"

#define DAY (INT64_C(86400) * CLOCK_SECOND)
#define STANDARD_FEATURE "standard"

/* One request, from the handler to the pool and back. */
struct job {
	struct license_request request; /* of a checkout */
	const char *id, *host;          /* of a lease */
	int64_t wanted;                 /* length of the lease */
	int64_t now;                    /* wall, when the store was asked */
	enum result_id result;
	struct license_lease lease;
};

/* Where an answer carries what a grant and a renewal have in common. */
struct lease_fields {
	enum field_id seconds, total, free, expires, days;
};

static const struct lease_fields checkout_fields = {
	FIELD_CHECKOUT_LICENSE_RESP_LEASE_SECONDS,
	FIELD_CHECKOUT_LICENSE_RESP_SEATS_TOTAL,
	FIELD_CHECKOUT_LICENSE_RESP_SEATS_FREE,
	FIELD_CHECKOUT_LICENSE_RESP_EXPIRES,
	FIELD_CHECKOUT_LICENSE_RESP_REMAINING_DAYS,
};

static const struct lease_fields renew_fields = {
	FIELD_RENEW_LICENSE_RESP_LEASE_SECONDS,
	FIELD_RENEW_LICENSE_RESP_SEATS_TOTAL,
	FIELD_RENEW_LICENSE_RESP_SEATS_FREE,
	FIELD_RENEW_LICENSE_RESP_EXPIRES,
	FIELD_RENEW_LICENSE_RESP_REMAINING_DAYS,
};

static int lease_seconds(const struct job *job)
{
	return (int)((job->lease.until - job->now) / CLOCK_SECOND);
}

/* Memory: an answer that lacks something does not decode, and says so at the agent. */
static void reply_lease(
	struct transaction *transaction, const struct job *job, const struct lease_fields *fields)
{
	const struct license_lease *lease = &job->lease;
	struct message *reply = transaction->reply;
	char stamp[CLOCK_STAMP_SIZE];

	(void)message_add_number(reply, NULL, fields->seconds, (uint64_t)lease_seconds(job));
	(void)message_add_number(reply, NULL, fields->total, lease->seats_total);
	(void)message_add_number(reply, NULL, fields->free, lease->seats_free);
	if (lease->expires == INT64_MAX)
		return;
	clock_stamp(lease->expires, stamp);
	(void)message_add(reply, NULL, fields->expires, stamp);
	(void)message_add_number(
		reply, NULL, fields->days, (uint64_t)((lease->expires - job->now) / DAY));
}

static void log_failure(struct transaction *transaction)
{
	const struct license *license = transaction->user;
	char fault[LICENSE_FAULT_SIZE];

	license_store_fault(license->store, fault);
	event_license_store_failed(transaction->loop->log, NULL, fault);
}

/* Hands the job to the pool. */
static void submit(struct transaction *transaction, void (*run)(struct transaction *),
	void (*done)(struct transaction *))
{
	if (transaction_work(transaction, run, done) == 0)
		return;
	event_work_full(transaction->loop->log, transaction->log_id,
		message_info(transaction->request->id)->element);
	transaction_result(transaction, RESULT_LICENSE_SERVICE_BUSY, NULL);
	transaction_finish(transaction);
}

static struct job *job_new(struct transaction *transaction)
{
	const struct license *license = transaction->user;
	struct job *job = arena_alloc(transaction->arena, sizeof(*job));

	if (job == NULL) {
		transaction_fail(transaction, RESULT_ERR_INTERNAL, NULL);
		return NULL;
	}
	job->wanted = license->lease;
	transaction->role = job;
	return job;
}

/* --- checkout-license --- */

static void run_checkout(struct transaction *transaction)
{
	const struct license *license = transaction->user;
	struct job *job = transaction->role;

	job->now = clock_wall(transaction->loop->clock);
	job->result = license_store_checkout(
		license->store, &job->request, job->now, job->wanted, &job->lease);
}

static void done_checkout(struct transaction *transaction)
{
	const struct job *job = transaction->role;
	struct log *log = transaction->loop->log;

	transaction_result(transaction, job->result, NULL);
	if (job->result == RESULT_LICENSE_GRANTED) {
		(void)message_add(transaction->reply, NULL, FIELD_CHECKOUT_LICENSE_RESP_LEASE_ID,
			job->lease.id);
		reply_lease(transaction, job, &checkout_fields);
		event_license_checked_out(log, transaction->log_id, job->lease.feature,
			job->lease.name, lease_seconds(job), (int)job->lease.seats_free,
			(int)job->lease.seats_total);
	} else {
		event_license_denied(log, transaction->log_id, job->request.feature,
			job->request.name, result_info(job->result)->id);
	}
	if (job->result == RESULT_LICENSE_SERVICE_BUSY)
		log_failure(transaction);
	transaction_finish(transaction);
}

static void handle_checkout(struct transaction *transaction)
{
	struct job *job = job_new(transaction);
	const char *feature = transaction_text(transaction, FIELD_CHECKOUT_LICENSE_LICENSE_FEATURE);
	uint64_t seconds;

	if (job == NULL)
		return;
	job->request = (struct license_request){
		.feature = *feature != '\0' ? feature : STANDARD_FEATURE,
		.host = transaction_text(transaction, FIELD_CHECKOUT_LICENSE_HOST_ID),
		.name = transaction_text(transaction, FIELD_CHECKOUT_LICENSE_HOSTNAME),
		.session = transaction_text(transaction, FIELD_CHECKOUT_LICENSE_SESSION_LOG_ID),
	};
	if (message_number(transaction->request, FIELD_CHECKOUT_LICENSE_LEASE_SECONDS, &seconds) &&
		seconds < (uint64_t)(job->wanted / CLOCK_SECOND)) {
		if (seconds < LICENSE_CONFIG_LEASE_MINIMUM)
			seconds = LICENSE_CONFIG_LEASE_MINIMUM;
		job->wanted = (int64_t)seconds * CLOCK_SECOND;
	}
	submit(transaction, run_checkout, done_checkout);
}

/* --- renew-license --- */

static void run_renew(struct transaction *transaction)
{
	const struct license *license = transaction->user;
	struct job *job = transaction->role;

	job->now = clock_wall(transaction->loop->clock);
	job->result = license_store_renew(
		license->store, job->id, job->host, job->now, job->wanted, &job->lease);
}

static void done_renew(struct transaction *transaction)
{
	const struct job *job = transaction->role;
	struct log *log = transaction->loop->log;

	transaction_result(transaction, job->result, NULL);
	if (job->result == RESULT_LICENSE_RENEWED) {
		reply_lease(transaction, job, &renew_fields);
		event_license_renewed(
			log, transaction->log_id, job->lease.name, lease_seconds(job));
	} else {
		event_license_refused(log, transaction->log_id, "renewal", job->host,
			result_info(job->result)->id);
	}
	if (job->result == RESULT_LICENSE_SERVICE_BUSY)
		log_failure(transaction);
	transaction_finish(transaction);
}

static void handle_renew(struct transaction *transaction)
{
	struct job *job = job_new(transaction);

	if (job == NULL)
		return;
	job->id = transaction_text(transaction, FIELD_RENEW_LICENSE_LEASE_ID);
	job->host = transaction_text(transaction, FIELD_RENEW_LICENSE_HOST_ID);
	submit(transaction, run_renew, done_renew);
}

/* --- return-license --- */

static void run_return(struct transaction *transaction)
{
	const struct license *license = transaction->user;
	struct job *job = transaction->role;

	job->result = license_store_return(license->store, job->id, job->host,
		clock_wall(transaction->loop->clock), &job->lease);
}

static void done_return(struct transaction *transaction)
{
	const struct job *job = transaction->role;
	const struct license_lease *lease = &job->lease;
	struct log *log = transaction->loop->log;

	transaction_result(transaction, job->result, NULL);
	if (job->result == RESULT_LICENSE_RETURNED)
		event_license_returned(log, transaction->log_id, lease->feature, lease->name,
			(int)lease->seats_free, (int)lease->seats_total);
	else
		event_license_refused(log, transaction->log_id, "return", job->host,
			result_info(job->result)->id);
	if (job->result == RESULT_LICENSE_SERVICE_BUSY)
		log_failure(transaction);
	transaction_finish(transaction);
}

static void handle_return(struct transaction *transaction)
{
	struct job *job = job_new(transaction);

	if (job == NULL)
		return;
	job->id = transaction_text(transaction, FIELD_RETURN_LICENSE_LEASE_ID);
	job->host = transaction_text(transaction, FIELD_RETURN_LICENSE_HOST_ID);
	submit(transaction, run_return, done_return);
}

const struct endpoint_route license_routes[] = {
	{MESSAGE_CHECKOUT_LICENSE, handle_checkout},
	{MESSAGE_RENEW_LICENSE, handle_renew},
	{MESSAGE_RETURN_LICENSE, handle_return},
};

const size_t license_route_count = sizeof(license_routes) / sizeof(license_routes[0]);
