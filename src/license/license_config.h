/*
 * license_config.h - license.yaml: which licences there are, and where leases are kept.
 */
#ifndef FAIRLEAD_LICENSE_LICENSE_CONFIG_H
#define FAIRLEAD_LICENSE_LICENSE_CONFIG_H

#include <stdint.h>

#include "service/settings.h"

#define LICENSE_CONFIG_LICENSES_MAXIMUM 256
#define LICENSE_CONFIG_LEASE_MINIMUM 10 /* seconds */
#define LICENSE_CONFIG_LEASE_DEFAULT 300
#define LICENSE_CONFIG_LEASE_MAXIMUM 86400

struct license_config_line {
	char *feature;
	unsigned seats;
	char *expires; /* "2027-12-31", the last day; NULL: never */
};

struct license_config {
	struct settings common;
	struct settings_listen *listen;
	unsigned listen_count;
	char *store;            /* database file; that of the start stays */
	unsigned lease_seconds; /* 0: LICENSE_CONFIG_LEASE_DEFAULT */
	struct license_config_line *licenses;
	unsigned licenses_count;
};

extern const struct cyaml_schema_value license_config_schema;

/* What the schema cannot see: doubled features, dates, the length of a lease. */
int license_config_check(struct config *config, struct config_fault *fault);

/* The moment a licence ends, wall: the end of that day in UTC; NULL: INT64_MAX. 0 or ERROR_INPUT.
 */
int license_config_expires(const char *text, int64_t *ret_expires);

/* Microseconds. */
int64_t license_config_lease(const struct license_config *data);

#endif
