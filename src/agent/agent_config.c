#include "agent/agent_config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define GRACE_DAYS_MAXIMUM 365
#define KEEP_AWAKE_MAXIMUM 32

static const struct cyaml_schema_field license_fields[] = {
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_OPTIONAL, struct agent_config_license, address,
		1, SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_STRING_PTR("hostname", CYAML_FLAG_OPTIONAL, struct agent_config_license,
		hostname, 1, SETTINGS_NAME_MAXIMUM),
	SETTINGS_TRUST("trust", struct agent_config_license, trust),
	CYAML_FIELD_STRING_PTR("feature", CYAML_FLAG_OPTIONAL, struct agent_config_license, feature,
		1, SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_UINT(
		"grace-days", CYAML_FLAG_OPTIONAL, struct agent_config_license, grace_days),
	CYAML_FIELD_BOOL(
		"restrict-path", CYAML_FLAG_OPTIONAL, struct agent_config_license, restrict_path),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field agent_fields[] = {
	SETTINGS_FIELDS(struct agent_config, common),
	SETTINGS_LISTEN("listen", CYAML_FLAG_OPTIONAL, struct agent_config, listen),
	SETTINGS_LISTEN("launch-listen", CYAML_FLAG_OPTIONAL, struct agent_config, launch_listen),
	SETTINGS_LAUNCH_FROM(struct agent_config, launch_from),
	CYAML_FIELD_STRING_PTR("session-address", CYAML_FLAG_OPTIONAL, struct agent_config,
		session_address, 1, SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_STRING_PTR("hostname", CYAML_FLAG_OPTIONAL, struct agent_config, hostname, 1,
		SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_STRING_PTR("resource-name", CYAML_FLAG_OPTIONAL, struct agent_config,
		resource_name, 1, SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_STRING_PTR("state-directory", CYAML_FLAG_DEFAULT, struct agent_config,
		state_directory, 1, SETTINGS_TEXT_MAXIMUM),
	CYAML_FIELD_SEQUENCE("keep-awake", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct agent_config, keep_awake, &settings_text_value, 1, KEEP_AWAKE_MAXIMUM),
	SETTINGS_SESSIONS(struct agent_config, sessions),
	SETTINGS_USERS(struct agent_config, users),
	SETTINGS_LOGON(struct agent_config, logon),
	CYAML_FIELD_MAPPING(
		"license", CYAML_FLAG_OPTIONAL, struct agent_config, license, license_fields),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value agent_config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct agent_config, agent_fields),
};

static int check_license(
	struct config *config, const struct agent_config *data, struct config_fault *fault)
{
	char host[SETTINGS_NAME_MAXIMUM + 1];
	uint16_t port;

	if (settings_check_trust(config, &data->license.trust, "license.trust", fault) != 0)
		return ERROR_INPUT;
	if (data->license.address != NULL &&
		(http_split_address(data->license.address, host, sizeof(host), &port) != 0 ||
			port == 0))
		return config_fault_at(config, fault, "license.address",
			"'%s' is not an address; expected host:port, for example "
			"license.example:7070",
			data->license.address);
	if (data->license.grace_days > GRACE_DAYS_MAXIMUM)
		return config_fault_at(config, fault, "license.grace-days",
			"%u days are too many; expected at most %d", data->license.grace_days,
			GRACE_DAYS_MAXIMUM);
	return 0;
}

static int check_state_directory(
	struct config *config, const struct agent_config *data, struct config_fault *fault)
{
	const char *path = config_path(config, data->state_directory);
	struct stat status;

	if (path == NULL)
		return ERROR_MEMORY;
	if (stat(path, &status) != 0)
		return config_fault_at(config, fault, "state-directory",
			"%s: %s; expected a folder", path, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return config_fault_at(
			config, fault, "state-directory", "%s is not a folder; expected one", path);
	return 0;
}

int agent_config_check(struct config *config, struct config_fault *fault)
{
	struct agent_config *data = config_data(config);
	char host[SETTINGS_NAME_MAXIMUM + 1];
	uint16_t port;

	if (settings_check(config, &data->common, fault) != 0 ||
		settings_check_listen(config, data->listen, data->listen_count, "listen", fault) !=
			0 ||
		settings_check_listen(config, data->launch_listen, data->launch_listen_count,
			"launch-listen", fault) != 0 ||
		settings_check_proxies(config, &data->launch_from, "launch-from", fault) != 0 ||
		settings_check_users(config, &data->users, fault) != 0 ||
		settings_check_logon(config, &data->common, &data->users, &data->logon, fault) !=
			0 ||
		check_license(config, data, fault) != 0 ||
		check_state_directory(config, data, fault) != 0)
		return ERROR_INPUT;
	if (data->listen_count == 0 && data->launch_listen_count == 0)
		return config_fault_at(config, fault, "",
			"nobody could ask for a session; expected 'listen' (direct connect), "
			"'launch-listen' "
			"(for a manager or broker), or both");
	if (data->session_address != NULL &&
		http_split_address(data->session_address, host, sizeof(host), &port) != 0)
		return config_fault_at(config, fault, "session-address",
			"'%s' is not an address; expected address:port, for example 0.0.0.0:4172",
			data->session_address);
	if (data->common.workers > 1)
		return config_fault_at(config, fault, "workers",
			"%u loops are too many; expected 1: an agent serves one session",
			data->common.workers);
	data->common.workers = 1;
	return 0;
}
