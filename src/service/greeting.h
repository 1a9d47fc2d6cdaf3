/*
 * greeting.h - the answer to hello, for every program that is a broker itself.
 */
#ifndef FAIRLEAD_SERVICE_GREETING_H
#define FAIRLEAD_SERVICE_GREETING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "service/endpoint.h"
#include "service/logon_plan.h"

struct greeting {
	const char *product; /* "Fairlead Broker"; a direct agent's contains "Direct-Connect
			      * Broker", by which real clients tell it (seen in client logs) */
	const char *hostname;
	const struct logon_plan *plan; /* what a user is asked first, and domains to choose from: at
					* least one, because real clients need one */
};

/* What uname(2) says, "Linux 6.1.0 x86_64"; static. */
const char *greeting_platform(void);

/* Notes in the session who the client is, what it can do and which language its user reads. */
void greeting_note_client(struct transaction *transaction);

/* Fills hello-resp, after greeting_note_client. */
void greeting_reply(struct transaction *transaction, const struct greeting *greeting);

/* The answer to hello, encoded, as long as nothing of it changes: a hello is the most frequent
 * message, and its answer the same for all of one language. One per greeting; all zero to begin
 * with; thread-safe. */
struct greeting_text;
struct greeting_cache {
	_Atomic(struct greeting_text *) texts[ROOT_COUNT][TEXT_LANGUAGES_MAXIMUM];
};

/* greeting_reply and transaction_finish, by way of the cache where possible. */
void greeting_finish(struct transaction *transaction, const struct greeting *greeting,
	struct greeting_cache *cache);
void greeting_cache_clear(struct greeting_cache *cache);

/* True for the probe real clients send before their own hello. */
bool greeting_is_probe(const struct transaction *transaction);

#endif
