#include "broker/broker_config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

#define LIST_MAXIMUM 10000
#define PATH_SIZE 64

static const struct cyaml_schema_field host_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_DEFAULT, struct broker_config_host, name, 1,
		SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_DEFAULT, struct broker_config_host, address, 1,
		SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_STRING_PTR("hostname", CYAML_FLAG_OPTIONAL, struct broker_config_host, hostname,
		1, SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_UINT("agent-port", CYAML_FLAG_OPTIONAL, struct broker_config_host, agent_port),
	CYAML_FIELD_MAPPING_PTR("trust", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct broker_config_host, trust, settings_trust_fields),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value host_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct broker_config_host, host_fields),
};

static const cyaml_strval_t session_types[] = {
	{"VDI", BROKER_SESSION_VDI},
	{"RDS", BROKER_SESSION_RDS},
};

static const struct cyaml_schema_field resource_fields[] = {
	CYAML_FIELD_STRING_PTR("id", CYAML_FLAG_DEFAULT, struct broker_config_resource, id, 1,
		SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_DEFAULT, struct broker_config_resource, name, 1,
		SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_STRING_PTR("host", CYAML_FLAG_DEFAULT, struct broker_config_resource, host, 1,
		SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_ENUM("session-type", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT,
		struct broker_config_resource, session_type, session_types,
		CYAML_ARRAY_LEN(session_types)),
	CYAML_FIELD_SEQUENCE("users", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct broker_config_resource, users, &settings_text_value, 0, LIST_MAXIMUM),
	CYAML_FIELD_SEQUENCE("groups", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct broker_config_resource, groups, &settings_text_value, 0, LIST_MAXIMUM),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value resource_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct broker_config_resource, resource_fields),
};

static const struct cyaml_schema_field broker_fields[] = {
	SETTINGS_FIELDS(struct broker_config, common),
	SETTINGS_LISTEN("listen", 0, struct broker_config, listen),
	SETTINGS_PROXIES(struct broker_config, proxies),
	SETTINGS_SESSIONS(struct broker_config, sessions),
	SETTINGS_USERS(struct broker_config, users),
	SETTINGS_LOGON(struct broker_config, logon),
	CYAML_FIELD_UINT("hold-minutes", CYAML_FLAG_OPTIONAL, struct broker_config, hold_minutes),
	CYAML_FIELD_STRING_PTR("contact", CYAML_FLAG_OPTIONAL, struct broker_config, contact, 1,
		SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_STRING_PTR("license-path", CYAML_FLAG_OPTIONAL, struct broker_config,
		license_path, 1, SETTINGS_NAME_MAXIMUM),
	SETTINGS_TRUST("trust", struct broker_config, trust),
	CYAML_FIELD_SEQUENCE("hosts", CYAML_FLAG_POINTER, struct broker_config, hosts, &host_value,
		0, LIST_MAXIMUM),
	CYAML_FIELD_SEQUENCE("resources", CYAML_FLAG_POINTER, struct broker_config, resources,
		&resource_value, 0, LIST_MAXIMUM),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value broker_config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct broker_config, broker_fields),
};

static int check_hosts(
	struct config *config, const struct broker_config *data, struct config_fault *fault)
{
	char path[PATH_SIZE];

	for (unsigned i = 0; i < data->hosts_count; i++) {
		const struct broker_config_host *host = &data->hosts[i];

		if (host->agent_port > UINT16_MAX) {
			snprintf(path, sizeof(path), "hosts[%u].agent-port", i);
			return config_fault_at(config, fault, path,
				"%u is not a port; expected a number from 1 to 65535",
				host->agent_port);
		}
		for (unsigned k = 0; k < i; k++) {
			if (strcasecmp(data->hosts[k].name, host->name) != 0)
				continue;
			snprintf(path, sizeof(path), "hosts[%u].name", i);
			return config_fault_at(config, fault, path,
				"there is a host '%s' already; expected a name of its own",
				host->name);
		}
		if (host->trust != NULL) {
			snprintf(path, sizeof(path), "hosts[%u].trust", i);
			if (settings_check_trust(config, host->trust, path, fault) != 0)
				return ERROR_INPUT;
		}
	}
	return 0;
}

static bool host_exists(const struct broker_config *data, const char *name)
{
	for (unsigned i = 0; i < data->hosts_count; i++) {
		if (strcasecmp(data->hosts[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool group_exists(const struct broker_config *data, const char *name)
{
	/* Which groups a directory has, is its own affair. */
	if (!settings_logon_only_users(&data->logon))
		return true;
	for (unsigned i = 0; i < data->users.list_count; i++) {
		for (unsigned k = 0; k < data->users.list[i].groups_count; k++) {
			if (strcasecmp(data->users.list[i].groups[k], name) == 0)
				return true;
		}
	}
	return false;
}

static int check_resources(
	const struct config *config, const struct broker_config *data, struct config_fault *fault)
{
	char path[PATH_SIZE];

	for (unsigned i = 0; i < data->resources_count; i++) {
		const struct broker_config_resource *resource = &data->resources[i];

		if (!host_exists(data, resource->host)) {
			snprintf(path, sizeof(path), "resources[%u].host", i);
			return config_fault_at(config, fault, path,
				"there is no host '%s'; expected the name of one under 'hosts'",
				resource->host);
		}
		for (unsigned k = 0; k < i; k++) {
			if (strcmp(data->resources[k].id, resource->id) != 0)
				continue;
			snprintf(path, sizeof(path), "resources[%u].id", i);
			return config_fault_at(config, fault, path,
				"there is a resource with id '%s' already; expected an id of its "
				"own",
				resource->id);
		}
		for (unsigned k = 0; k < resource->groups_count; k++) {
			if (group_exists(data, resource->groups[k]))
				continue;
			snprintf(path, sizeof(path), "resources[%u].groups[%u]", i, k);
			return config_fault_at(config, fault, path,
				"nobody is in the group '%s'; expected a group of some user under "
				"'users'",
				resource->groups[k]);
		}
	}
	return 0;
}

int broker_config_check(struct config *config, struct config_fault *fault)
{
	const struct broker_config *data = config_data(config);

	if (settings_check(config, &data->common, fault) != 0 ||
		settings_check_listen(config, data->listen, data->listen_count, "listen", fault) !=
			0 ||
		settings_check_proxies(config, &data->proxies, "trusted-proxies", fault) != 0 ||
		settings_check_trust(config, &data->trust, "trust", fault) != 0 ||
		settings_check_users(config, &data->users, fault) != 0 ||
		settings_check_logon(config, &data->common, &data->users, &data->logon, fault) !=
			0 ||
		check_hosts(config, data, fault) != 0 || check_resources(config, data, fault) != 0)
		return ERROR_INPUT;
	return 0;
}
