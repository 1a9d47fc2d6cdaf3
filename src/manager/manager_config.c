#include "manager/manager_config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

#define NAME_MAXIMUM 256
#define AGENTS_MAXIMUM 10000
#define TIMEOUT_MAXIMUM_MS 60000
/* The longest wait for a RADIUS server that a broker may be configured for, and what is around it.
 */
#define AUTHENTICATE_MAXIMUM_MS 330000
#define PATH_SIZE 64

static const struct cyaml_schema_field broker_fields[] = {
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_DEFAULT, struct manager_config_broker, address,
		1, NAME_MAXIMUM),
	CYAML_FIELD_STRING_PTR("hostname", CYAML_FLAG_OPTIONAL, struct manager_config_broker,
		hostname, 1, NAME_MAXIMUM),
	SETTINGS_TRUST("trust", struct manager_config_broker, trust),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field agent_fields[] = {
	CYAML_FIELD_STRING_PTR(
		"host", CYAML_FLAG_DEFAULT, struct manager_config_agent, host, 1, NAME_MAXIMUM),
	CYAML_FIELD_UINT("port", CYAML_FLAG_OPTIONAL, struct manager_config_agent, port),
	SETTINGS_TRUST("trust", struct manager_config_agent, trust),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value agent_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct manager_config_agent, agent_fields),
};

static const struct cyaml_schema_field manager_fields[] = {
	SETTINGS_FIELDS(struct manager_config, common),
	SETTINGS_LISTEN("listen", 0, struct manager_config, listen),
	SETTINGS_PROXIES(struct manager_config, proxies),
	CYAML_FIELD_MAPPING(
		"broker", CYAML_FLAG_DEFAULT, struct manager_config, broker, broker_fields),
	CYAML_FIELD_UINT("agent-port", CYAML_FLAG_OPTIONAL, struct manager_config, agent_port),
	SETTINGS_TRUST("trust", struct manager_config, trust),
	CYAML_FIELD_SEQUENCE("agents", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct manager_config, agents, &agent_value, 0, AGENTS_MAXIMUM),
	CYAML_FIELD_UINT(
		"timeout-milliseconds", CYAML_FLAG_OPTIONAL, struct manager_config, timeout_ms),
	CYAML_FIELD_UINT("authenticate-timeout-ms", CYAML_FLAG_OPTIONAL, struct manager_config,
		authenticate_ms),
	SETTINGS_SESSIONS(struct manager_config, sessions),
	CYAML_FIELD_STRING_PTR("license-path", CYAML_FLAG_OPTIONAL, struct manager_config,
		license_path, 1, NAME_MAXIMUM),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value manager_config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct manager_config, manager_fields),
};

static int check_port(
	const struct config *config, unsigned port, const char *path, struct config_fault *fault)
{
	if (port <= UINT16_MAX)
		return 0;
	return config_fault_at(
		config, fault, path, "%u is not a port; expected a number from 1 to 65535", port);
}

static int check_agents(
	struct config *config, const struct manager_config *data, struct config_fault *fault)
{
	char path[PATH_SIZE];

	for (unsigned i = 0; i < data->agents_count; i++) {
		snprintf(path, sizeof(path), "agents[%u].port", i);
		if (check_port(config, data->agents[i].port, path, fault) != 0)
			return ERROR_INPUT;
		snprintf(path, sizeof(path), "agents[%u].trust", i);
		if (settings_check_trust(config, &data->agents[i].trust, path, fault) != 0)
			return ERROR_INPUT;
		snprintf(path, sizeof(path), "agents[%u].host", i);
		for (unsigned k = 0; k < i; k++) {
			if (strcasecmp(data->agents[k].host, data->agents[i].host) == 0)
				return config_fault_at(config, fault, path,
					"'%s' stands here twice; expected each host once",
					data->agents[i].host);
		}
	}
	return 0;
}

static int check_timeouts(
	const struct config *config, const struct manager_config *data, struct config_fault *fault)
{
	unsigned least = data->timeout_ms != 0 ? data->timeout_ms : MANAGER_TIMEOUT_MS;

	if (data->timeout_ms > TIMEOUT_MAXIMUM_MS)
		return config_fault_at(config, fault, "timeout-milliseconds",
			"%u is too long; expected at most %d", data->timeout_ms,
			TIMEOUT_MAXIMUM_MS);
	if (data->authenticate_ms != 0 &&
		(data->authenticate_ms < least || data->authenticate_ms > AUTHENTICATE_MAXIMUM_MS))
		return config_fault_at(config, fault, "authenticate-timeout-ms",
			"'authenticate-timeout-ms' is %u; expected %u, as 'timeout-milliseconds' "
			"has it, to %d",
			data->authenticate_ms, least, AUTHENTICATE_MAXIMUM_MS);
	return 0;
}

int manager_config_check(struct config *config, struct config_fault *fault)
{
	const struct manager_config *data = config_data(config);
	char host[NAME_MAXIMUM + 1];
	uint16_t port;

	if (settings_check(config, &data->common, fault) != 0 ||
		settings_check_listen(config, data->listen, data->listen_count, "listen", fault) !=
			0 ||
		settings_check_proxies(config, &data->proxies, "trusted-proxies", fault) != 0 ||
		settings_check_trust(config, &data->broker.trust, "broker.trust", fault) != 0 ||
		settings_check_trust(config, &data->trust, "trust", fault) != 0 ||
		check_port(config, data->agent_port, "agent-port", fault) != 0 ||
		check_agents(config, data, fault) != 0)
		return ERROR_INPUT;
	if (http_split_address(data->broker.address, host, sizeof(host), &port) != 0 || port == 0)
		return config_fault_at(config, fault, "broker.address",
			"'%s' is not an address; expected host:port, for example "
			"broker.example:443",
			data->broker.address);
	return check_timeouts(config, data, fault);
}
