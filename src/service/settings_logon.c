#include "service/settings_logon.h"

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

static const struct cyaml_schema_field chain_fields[] = {
	CYAML_FIELD_SEQUENCE("domains", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct settings_chain, domains, &settings_text_value, 1, 256),
	CYAML_FIELD_STRING_PTR("source", CYAML_FLAG_DEFAULT, struct settings_chain, source, 1,
		SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_SEQUENCE("factors", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct settings_chain, factors, &settings_text_value, 0, SETTINGS_FACTORS_MAXIMUM),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value settings_chain_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct settings_chain, chain_fields),
};

const struct cyaml_schema_field settings_pam_fields[] = {
	CYAML_FIELD_STRING_PTR("service", CYAML_FLAG_OPTIONAL, struct settings_pam, service, 1, 64),
	CYAML_FIELD_STRING_PTR("helper", CYAML_FLAG_OPTIONAL, struct settings_pam, helper, 1,
		SETTINGS_TEXT_MAXIMUM),
	CYAML_FIELD_STRING_PTR("confdir", CYAML_FLAG_OPTIONAL, struct settings_pam, confdir, 1,
		SETTINGS_TEXT_MAXIMUM),
	CYAML_FIELD_BOOL(
		"change-password", CYAML_FLAG_OPTIONAL, struct settings_pam, change_password),
	CYAML_FIELD_UINT("answer-ms", CYAML_FLAG_OPTIONAL, struct settings_pam, answer_ms),
	CYAML_FIELD_UINT("at-once", CYAML_FLAG_OPTIONAL, struct settings_pam, at_once),
	CYAML_FIELD_END,
};

const struct cyaml_schema_field settings_disclaimer_fields[] = {
	CYAML_FIELD_STRING_PTR("text-file", CYAML_FLAG_DEFAULT, struct settings_disclaimer,
		text_file, 1, SETTINGS_TEXT_MAXIMUM),
	CYAML_FIELD_STRING_PTR(
		"title", CYAML_FLAG_OPTIONAL, struct settings_disclaimer, title, 1, 256),
	CYAML_FIELD_BOOL("required", CYAML_FLAG_OPTIONAL, struct settings_disclaimer, required),
	CYAML_FIELD_END,
};

const struct cyaml_schema_field settings_guard_fields[] = {
	CYAML_FIELD_UINT("user", CYAML_FLAG_OPTIONAL, struct guard_limits, user),
	CYAML_FIELD_UINT("known", CYAML_FLAG_OPTIONAL, struct guard_limits, known),
	CYAML_FIELD_UINT("address", CYAML_FLAG_OPTIONAL, struct guard_limits, address),
	CYAML_FIELD_UINT("prefix", CYAML_FLAG_OPTIONAL, struct guard_limits, prefix),
	CYAML_FIELD_UINT("password", CYAML_FLAG_OPTIONAL, struct guard_limits, password),
	CYAML_FIELD_UINT("all", CYAML_FLAG_OPTIONAL, struct guard_limits, all),
	CYAML_FIELD_UINT(
		"window-seconds", CYAML_FLAG_OPTIONAL, struct guard_limits, window_seconds),
	CYAML_FIELD_UINT("delay-ms", CYAML_FLAG_OPTIONAL, struct guard_limits, delay_ms),
	CYAML_FIELD_UINT("delay-most-ms", CYAML_FLAG_OPTIONAL, struct guard_limits, delay_most_ms),
	CYAML_FIELD_BOOL("off", CYAML_FLAG_OPTIONAL, struct guard_limits, off),
	CYAML_FIELD_END,
};

bool settings_logon_only_users(const struct settings_logon *logon)
{
	return logon->directories_count == 0 && logon->pam == NULL;
}

struct guard_limits settings_guard_limits(const struct settings_logon *logon)
{
	return logon->guard;
}

static int start_helper(struct config *config, const struct settings_pam *pam,
	struct pam_helper **ret_helper, char fault[CONFIG_FAULT_SIZE])
{
	struct pam_helper_options options = {
		.path = config_path(config, pam->helper),
		.service = pam->service,
		.confdir = config_path(config, pam->confdir),
		.at_once = pam->at_once,
	};
	int error = ERROR_MEMORY;

	if ((pam->helper == NULL || options.path != NULL) &&
		(pam->confdir == NULL || options.confdir != NULL))
		error = pam_helper_start(&options, ret_helper);
	if (error != 0)
		snprintf(fault, CONFIG_FAULT_SIZE, "the helper for PAM%s%s cannot be started: %s",
			options.path != NULL ? ", " : "", options.path != NULL ? options.path : "",
			error_text(error));
	return error;
}

int settings_logon_start(struct config *config, const struct settings_logon *logon,
	const struct clock *clock, const struct entropy *entropy, struct guard **ret_guard,
	struct pam_helper **ret_pam, char fault[CONFIG_FAULT_SIZE])
{
	struct guard_limits limits = settings_guard_limits(logon);
	struct guard *guard;
	int error = guard_new(&limits, clock, entropy, &guard);

	if (error != 0)
		return error;
	if (logon->pam != NULL)
		error = start_helper(config, logon->pam, ret_pam, fault);
	if (error != 0) {
		guard_free(guard);
		return error;
	}
	*ret_guard = guard;
	return 0;
}

int settings_logon_can_reload(const struct settings_logon *logon, const struct pam_helper *pam,
	char fault[CONFIG_FAULT_SIZE])
{
	if (logon->pam == NULL || pam != NULL)
		return 0;
	snprintf(fault, CONFIG_FAULT_SIZE,
		"'pam' is new in the configuration; its helper can only be started with the "
		"program: restart it");
	return ERROR_STATE;
}
