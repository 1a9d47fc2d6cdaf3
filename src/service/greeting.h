/*
 * greeting.h - the answer to hello, for every program that is a broker itself.
 */
#ifndef FAIRLEAD_SERVICE_GREETING_H
#define FAIRLEAD_SERVICE_GREETING_H

#include <stdbool.h>
#include <stddef.h>

#include "service/endpoint.h"

struct greeting {
	const char *product; /* "Fairlead Broker"; a direct agent's contains "Direct-Connect
			      * Broker", by which real clients tell it (seen in client logs) */
	const char *hostname;
	const char *const *domains; /* at least one: real clients need a domain to choose */
	size_t domain_count;
};

/* What uname(2) says, "Linux 6.1.0 x86_64"; static. */
const char *greeting_platform(void);

/* Notes in the session who the client is and what it can do. */
void greeting_note_client(struct transaction *transaction);

/* Fills hello-resp, after greeting_note_client. */
void greeting_reply(struct transaction *transaction, const struct greeting *greeting);

/* True for the probe real clients send before their own hello. */
bool greeting_is_probe(const struct transaction *transaction);

#endif
