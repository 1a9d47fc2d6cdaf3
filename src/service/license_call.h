/*
 * license_call.h - one message of the licence exchange to the service, and what came back.
 */
#ifndef FAIRLEAD_SERVICE_LICENSE_CALL_H
#define FAIRLEAD_SERVICE_LICENSE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/message.h"
#include "service/loop.h"
#include "wire/certificate.h"

#define LICENSE_CALL_ID_SIZE 129
#define LICENSE_CALL_REASON_SIZE 256

/* What a service may answer as the length of a lease; beyond it the nearest counts. */
#define LICENSE_CALL_LEASE_MINIMUM (10 * CLOCK_SECOND)
#define LICENSE_CALL_LEASE_MAXIMUM (86400 * CLOCK_SECOND)
#define LICENSE_CALL_LEASE_DEFAULT (300 * CLOCK_SECOND)

struct license_call {
	enum message_id message; /* CHECKOUT_LICENSE, RENEW_LICENSE, RETURN_LICENSE */
	const char *address;     /* "host:port" */
	const struct certificate_policy *policy;
	const char *log_id;
	const char *host_id;
	const char *feature, *hostname; /* of a checkout */
	const char *lease_id;           /* of the others */
};

struct license_answer {
	/* RESULT_LICENSE_...; RESULT_NONE: no answer, or none that can be understood. */
	enum result_id result;
	bool reached; /* an answer came, though perhaps none that can be used */
	/* Why it is not a success, for people. When not reached it begins with the vendor's words
	 * for it. */
	char reason[LICENSE_CALL_REASON_SIZE];
	char lease_id[LICENSE_CALL_ID_SIZE]; /* of a checkout; never empty when granted */
	int64_t lease;                       /* microseconds, within the limits above */
	int remaining_days;                  /* -1: never expires */
	unsigned seats_total, seats_free;
	int64_t took_us;
};

/* `done` once on the loop, never from inside. 0, ERROR_MEMORY, ERROR_LIMIT: then no `done`. */
int license_call_send(struct loop *loop, const struct license_call *call,
	void (*done)(void *user, const struct license_answer *answer), void *user);

#endif
