#include "license/license_config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"

#define FEATURE_MAXIMUM 128 /* as license-feature of checkout-license */
#define SEATS_MAXIMUM 1000000
#define PATH_SIZE 64
#define DAY (INT64_C(86400) * CLOCK_SECOND)

static const struct cyaml_schema_field line_fields[] = {
	CYAML_FIELD_STRING_PTR("feature", CYAML_FLAG_DEFAULT, struct license_config_line, feature,
		1, FEATURE_MAXIMUM),
	CYAML_FIELD_UINT("seats", CYAML_FLAG_DEFAULT, struct license_config_line, seats),
	CYAML_FIELD_STRING_PTR(
		"expires", CYAML_FLAG_OPTIONAL, struct license_config_line, expires, 1, 64),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value line_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct license_config_line, line_fields),
};

static const struct cyaml_schema_field license_fields[] = {
	SETTINGS_FIELDS(struct license_config, common),
	SETTINGS_LISTEN("listen", 0, struct license_config, listen),
	CYAML_FIELD_STRING_PTR("store", CYAML_FLAG_DEFAULT, struct license_config, store, 1,
		SETTINGS_TEXT_MAXIMUM),
	CYAML_FIELD_UINT(
		"lease-seconds", CYAML_FLAG_OPTIONAL, struct license_config, lease_seconds),
	CYAML_FIELD_SEQUENCE("licenses", CYAML_FLAG_POINTER, struct license_config, licenses,
		&line_value, 0, LICENSE_CONFIG_LICENSES_MAXIMUM),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value license_config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct license_config, license_fields),
};

int license_config_expires(const char *text, int64_t *ret_expires)
{
	struct tm parts = {0};
	char again[16];
	time_t seconds;

	if (text == NULL) {
		*ret_expires = INT64_MAX;
		return 0;
	}
	if (strptime(text, "%Y-%m-%d", &parts) == NULL || parts.tm_year < 70)
		return ERROR_INPUT;
	seconds = timegm(&parts);
	/* timegm turns the 31st of June into the 1st of July: then this is not the same text. */
	if (strftime(again, sizeof(again), "%Y-%m-%d", &parts) == 0 || strcmp(again, text) != 0)
		return ERROR_INPUT;
	*ret_expires = (int64_t)seconds * CLOCK_SECOND + DAY;
	return 0;
}

int64_t license_config_lease(const struct license_config *data)
{
	unsigned seconds =
		data->lease_seconds != 0 ? data->lease_seconds : LICENSE_CONFIG_LEASE_DEFAULT;

	return (int64_t)seconds * CLOCK_SECOND;
}

static int check_line(const struct config *config, const struct license_config *data,
	unsigned index, struct config_fault *fault)
{
	const struct license_config_line *line = &data->licenses[index];
	char path[PATH_SIZE];
	int64_t expires;

	if (line->seats > SEATS_MAXIMUM) {
		snprintf(path, sizeof(path), "licenses[%u].seats", index);
		return config_fault_at(config, fault, path, "%u seats; expected at most %d",
			line->seats, SEATS_MAXIMUM);
	}
	if (license_config_expires(line->expires, &expires) != 0) {
		snprintf(path, sizeof(path), "licenses[%u].expires", index);
		return config_fault_at(config, fault, path,
			"'%s' is not a date; expected the last day as YYYY-MM-DD", line->expires);
	}
	for (unsigned i = 0; i < index; i++) {
		if (strcmp(data->licenses[i].feature, line->feature) != 0)
			continue;
		snprintf(path, sizeof(path), "licenses[%u].feature", index);
		return config_fault_at(config, fault, path,
			"there is a licence for '%s' already; expected one entry for each feature",
			line->feature);
	}
	return 0;
}

int license_config_check(struct config *config, struct config_fault *fault)
{
	const struct license_config *data = config_data(config);
	int64_t lease = license_config_lease(data) / CLOCK_SECOND;
	int error =
		settings_check_listen(config, data->listen, data->listen_count, "listen", fault);

	if (error != 0)
		return error;
	if (lease < LICENSE_CONFIG_LEASE_MINIMUM || lease > LICENSE_CONFIG_LEASE_MAXIMUM)
		return config_fault_at(config, fault, "lease-seconds",
			"%lld seconds; expected %d to %d", (long long)lease,
			LICENSE_CONFIG_LEASE_MINIMUM, LICENSE_CONFIG_LEASE_MAXIMUM);
	for (unsigned i = 0; i < data->licenses_count; i++) {
		error = check_line(config, data, i, fault);
		if (error != 0)
			return error;
	}
	return 0;
}
