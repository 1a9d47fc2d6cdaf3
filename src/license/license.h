/*
 * license.h - the licence service's state and its handlers (docs/licence-exchange.md).
 */
#ifndef FAIRLEAD_LICENSE_LICENSE_H
#define FAIRLEAD_LICENSE_LICENSE_H

#include <stdatomic.h>
#include <stdint.h>

#include "service/endpoint.h"
#include "service/license_store.h"

struct license {
	struct endpoint *endpoint;
	struct license_store *store; /* NULL before begin */
	_Atomic int64_t lease;       /* microseconds; a reload changes it while handlers run */
};

/* transaction->user is the struct license. */
extern const struct endpoint_route license_routes[];
extern const size_t license_route_count;

#endif
