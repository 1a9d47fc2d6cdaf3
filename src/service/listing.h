/*
 * listing.h - the answer to get-resource-list, for every program that is a broker itself.
 */
#ifndef FAIRLEAD_SERVICE_LISTING_H
#define FAIRLEAD_SERVICE_LISTING_H

#include <stdbool.h>

#include "service/endpoint.h"

/* Whether the request's filters leave anything we have: a filter that names only what we do not
 * have leaves nothing; none, or one that names ours among others, leaves all. */
bool listing_admits(const struct transaction *transaction);

/* Adds one desktop to the reply. session_type: "VDI" or "RDS". */
void listing_add(struct message *reply, const char *id, const char *name, const char *session_type);

#endif
