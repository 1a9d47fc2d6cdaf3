/*
 * RADIUS servers of a configuration: schema, checks, and the factor made of a group of them.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "service/settings_logon_private.h"

#define PATH_SIZE SETTINGS_LOGON_PATH_SIZE

static const cyaml_strval_t first_strings[] = {
	{"code", LOGON_FIRST_CODE},
	{"password", LOGON_FIRST_PASSWORD},
	{"text", LOGON_FIRST_TEXT},
};

static const cyaml_strval_t method_strings[] = {
	{"pap", RADIUS_PAP},
	{"chap", RADIUS_CHAP},
};

static const struct cyaml_schema_field server_fields[] = {
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_DEFAULT, struct settings_radius_server,
		address, 1, SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_UINT("port", CYAML_FLAG_OPTIONAL, struct settings_radius_server, port),
	CYAML_FIELD_STRING_PTR("secret-file", CYAML_FLAG_DEFAULT, struct settings_radius_server,
		secret_file, 1, SETTINGS_TEXT_MAXIMUM),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value server_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct settings_radius_server, server_fields),
};

static const struct cyaml_schema_field radius_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_DEFAULT, struct settings_radius, name, 1, 64),
	CYAML_FIELD_SEQUENCE("servers", CYAML_FLAG_POINTER, struct settings_radius, servers,
		&server_value, 1, RADIUS_SERVERS_MAXIMUM),
	CYAML_FIELD_ENUM("first", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct settings_radius,
		first, first_strings, CYAML_ARRAY_LEN(first_strings)),
	CYAML_FIELD_STRING_PTR("text", CYAML_FLAG_OPTIONAL, struct settings_radius, text, 1,
		RADIUS_PASSWORD_MAXIMUM),
	CYAML_FIELD_STRING_PTR(
		"prompt", CYAML_FLAG_OPTIONAL, struct settings_radius, prompt, 1, 256),
	CYAML_FIELD_ENUM("method", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct settings_radius,
		method, method_strings, CYAML_ARRAY_LEN(method_strings)),
	CYAML_FIELD_STRING_PTR("nas-identifier", CYAML_FLAG_OPTIONAL, struct settings_radius,
		nas_identifier, 1, 253),
	CYAML_FIELD_UINT("retry-ms", CYAML_FLAG_OPTIONAL, struct settings_radius, retry_ms),
	CYAML_FIELD_UINT("tries", CYAML_FLAG_OPTIONAL, struct settings_radius, tries),
	CYAML_FIELD_UINT("wait-seconds", CYAML_FLAG_OPTIONAL, struct settings_radius, wait_seconds),
	CYAML_FIELD_UINT("hold-down-seconds", CYAML_FLAG_OPTIONAL, struct settings_radius,
		hold_down_seconds),
	CYAML_FIELD_BOOL("unsigned", CYAML_FLAG_OPTIONAL, struct settings_radius, allow_unsigned),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value settings_radius_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct settings_radius, radius_fields),
};

#define OFFSET(member) offsetof(struct settings_radius, member)
static const struct settings_range ranges[] = {
	{"retry-ms", OFFSET(retry_ms), 100, 60000},
	{"tries", OFFSET(tries), 1, 10},
	{"wait-seconds", OFFSET(wait_seconds), 1, 300},
	{"hold-down-seconds", OFFSET(hold_down_seconds), 1, 3600},
};

static int check_server(struct config *config, const struct settings *common,
	const struct settings_radius_server *server, const char *path, struct config_fault *fault)
{
	unsigned char numeric[sizeof(struct in6_addr)];
	char secret[SETTINGS_LOGON_SECRET_MAXIMUM + 1];
	char at[PATH_SIZE + 16];
	int error;

	if (strpbrk(server->address, " /[]") != NULL ||
		(strchr(server->address, ':') != NULL &&
			inet_pton(AF_INET6, server->address, numeric) != 1)) {
		snprintf(at, sizeof(at), "%s.address", path);
		return config_fault_at(config, fault, at,
			"'%s' is neither a name nor an address; expected one such as "
			"radius.example or 192.0.2.7, and the port under 'port'",
			server->address);
	}
	if (server->port > UINT16_MAX) {
		snprintf(at, sizeof(at), "%s.port", path);
		return config_fault_at(config, fault, at,
			"%u is not a port; expected a number from 1 to 65535", server->port);
	}
	snprintf(at, sizeof(at), "%s.secret-file", path);
	error = settings_logon_secret(config, fault, at, common, server->secret_file, secret);
	secret_wipe(secret, sizeof(secret));
	return error;
}

static int check_first(const struct config *config, const struct settings_radius *radius,
	unsigned index, struct config_fault *fault)
{
	char path[PATH_SIZE];

	if (radius->first == LOGON_FIRST_TEXT && radius->text == NULL) {
		snprintf(path, sizeof(path), "radius[%u].first", index);
		return config_fault_at(config, fault, path,
			"which text, is not said; expected 'text' beside 'first: text'");
	}
	if (radius->first != LOGON_FIRST_TEXT && radius->text != NULL) {
		snprintf(path, sizeof(path), "radius[%u].text", index);
		return config_fault_at(config, fault, path,
			"this text would not be sent; expected 'first: text' beside it");
	}
	snprintf(path, sizeof(path), "radius[%u].prompt", index);
	return settings_logon_check_line(config, fault, path, radius->prompt);
}

static int check_group(struct config *config, const struct settings *common,
	const struct settings_logon *logon, unsigned index, struct config_fault *fault)
{
	const struct settings_radius *radius = &logon->radius[index];
	char path[PATH_SIZE];
	int error = 0;

	for (unsigned i = 0; i < index; i++) {
		if (strcmp(logon->radius[i].name, radius->name) != 0)
			continue;
		snprintf(path, sizeof(path), "radius[%u].name", index);
		return config_fault_at(config, fault, path,
			"there is a factor '%s' already; expected a name of its own", radius->name);
	}
	for (unsigned i = 0; error == 0 && i < radius->servers_count; i++) {
		snprintf(path, sizeof(path), "radius[%u].servers[%u]", index, i);
		error = check_server(config, common, &radius->servers[i], path, fault);
	}
	if (error == 0)
		error = check_first(config, radius, index, fault);
	snprintf(path, sizeof(path), "radius[%u]", index);
	if (error == 0)
		error = settings_logon_check_ranges(
			config, fault, path, radius, ranges, sizeof(ranges) / sizeof(ranges[0]));
	return error;
}

int settings_radius_check(struct config *config, const struct settings *common,
	const struct settings_logon *logon, struct config_fault *fault)
{
	int error = 0;

	for (unsigned i = 0; error == 0 && i < logon->radius_count; i++)
		error = check_group(config, common, logon, i, fault);
	return error;
}

int settings_radius_new(struct config *config, const struct settings *common,
	const struct settings_logon *logon, unsigned index, struct radius **ret_radius)
{
	const struct settings_radius *from = &logon->radius[index];
	char secrets[RADIUS_SERVERS_MAXIMUM][SETTINGS_LOGON_SECRET_MAXIMUM + 1];
	struct radius_server servers[RADIUS_SERVERS_MAXIMUM];
	struct radius_options options = {
		.servers = servers,
		.server_count = from->servers_count,
		.password = from->method,
		.nas_identifier = from->nas_identifier,
		.retry_ms = from->retry_ms,
		.tries = from->tries,
		.wait_seconds = from->wait_seconds,
		.hold_down_seconds = from->hold_down_seconds,
		.allow_unsigned = from->allow_unsigned,
	};
	struct config_fault fault;
	int error = 0;

	for (unsigned i = 0; error == 0 && i < from->servers_count; i++) {
		servers[i] = (struct radius_server){
			.address = from->servers[i].address,
			.port = (uint16_t)from->servers[i].port,
			.secret = secrets[i],
		};
		error = settings_logon_secret(
			config, &fault, "", common, from->servers[i].secret_file, secrets[i]);
	}
	if (error == 0)
		error = radius_new(&options, ret_radius);
	secret_wipe(secrets, sizeof(secrets));
	return error;
}
