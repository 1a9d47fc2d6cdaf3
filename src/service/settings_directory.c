/*
 * Directories of a configuration: schema, checks, and the source made of one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/secret.h"
#include "service/settings_logon_private.h"

#define PATH_SIZE SETTINGS_LOGON_PATH_SIZE
#define HOST_MAXIMUM 253

static const cyaml_strval_t kind_strings[] = {
	{"active-directory", LDAP_KIND_ACTIVE_DIRECTORY},
	{"ldap", LDAP_KIND_LDAP},
};

static const cyaml_strval_t verify_strings[] = {
	{"full", CERTIFICATE_VERIFY_FULL},
	{"none", CERTIFICATE_VERIFY_NONE},
};

static const cyaml_strval_t groups_strings[] = {
	{"in-chain", LDAP_GROUPS_IN_CHAIN},
	{"recursive", LDAP_GROUPS_RECURSIVE},
	{"direct", LDAP_GROUPS_DIRECT},
	{"none", LDAP_GROUPS_NONE},
};

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define DIRECTORY struct settings_directory

static const struct cyaml_schema_field directory_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_DEFAULT, DIRECTORY, name, 1, 64),
	CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, DIRECTORY, kind, kind_strings,
		CYAML_ARRAY_LEN(kind_strings)),
	CYAML_FIELD_SEQUENCE("domains", CYAML_FLAG_POINTER | OPTIONAL, DIRECTORY, domains,
		&settings_text_value, 1, 64),
	CYAML_FIELD_SEQUENCE("servers", CYAML_FLAG_POINTER, DIRECTORY, servers,
		&settings_text_value, 1, LDAP_SERVERS_MAXIMUM),
	CYAML_FIELD_BOOL("starttls", OPTIONAL, DIRECTORY, starttls),
	CYAML_FIELD_BOOL("plain", OPTIONAL, DIRECTORY, plain),
	CYAML_FIELD_STRING_PTR("ca", OPTIONAL, DIRECTORY, ca, 1, SETTINGS_TEXT_MAXIMUM),
	CYAML_FIELD_ENUM("verify", OPTIONAL | CYAML_FLAG_STRICT, DIRECTORY, verify, verify_strings,
		CYAML_ARRAY_LEN(verify_strings)),
	CYAML_FIELD_STRING_PTR("base", CYAML_FLAG_DEFAULT, DIRECTORY, base, 1, 1024),
	CYAML_FIELD_STRING_PTR("group-base", OPTIONAL, DIRECTORY, group_base, 1, 1024),
	CYAML_FIELD_STRING_PTR("bind-dn", OPTIONAL, DIRECTORY, bind_dn, 1, 1024),
	CYAML_FIELD_STRING_PTR("bind-password-file", OPTIONAL, DIRECTORY, bind_password_file, 1,
		SETTINGS_TEXT_MAXIMUM),
	CYAML_FIELD_STRING_PTR("user-filter", OPTIONAL, DIRECTORY, user_filter, 1, 1024),
	CYAML_FIELD_STRING_PTR("group-filter", OPTIONAL, DIRECTORY, group_filter, 1, 1024),
	CYAML_FIELD_STRING_PTR("group-name", OPTIONAL, DIRECTORY, group_name, 1, 64),
	CYAML_FIELD_ENUM("groups", OPTIONAL | CYAML_FLAG_STRICT, DIRECTORY, groups, groups_strings,
		CYAML_ARRAY_LEN(groups_strings)),
	CYAML_FIELD_UINT("connections", OPTIONAL, DIRECTORY, connections),
	CYAML_FIELD_UINT("waiting", OPTIONAL, DIRECTORY, waiting),
	CYAML_FIELD_UINT("connect-ms", OPTIONAL, DIRECTORY, connect_ms),
	CYAML_FIELD_UINT("answer-ms", OPTIONAL, DIRECTORY, answer_ms),
	CYAML_FIELD_UINT("slow-ms", OPTIONAL, DIRECTORY, slow_ms),
	CYAML_FIELD_UINT("hold-down-seconds", OPTIONAL, DIRECTORY, hold_down_seconds),
	CYAML_FIELD_UINT("group-cache-seconds", OPTIONAL, DIRECTORY, group_cache_seconds),
	CYAML_FIELD_BOOL("change-password", OPTIONAL, DIRECTORY, change_password),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value settings_directory_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct settings_directory, directory_fields),
};

#define OFFSET(member) offsetof(struct settings_directory, member)
static const struct settings_range ranges[] = {
	{"connections", OFFSET(connections), 1, 256},
	{"waiting", OFFSET(waiting), 1, 65536},
	{"connect-ms", OFFSET(connect_ms), 100, 30000},
	{"answer-ms", OFFSET(answer_ms), 100, 60000},
	{"slow-ms", OFFSET(slow_ms), 1, 60000},
	{"hold-down-seconds", OFFSET(hold_down_seconds), 1, 3600},
	{"group-cache-seconds", OFFSET(group_cache_seconds), 1, 86400},
};

/* The directory that is being checked. */
struct check {
	struct config *config;
	struct config_fault *fault;
	const struct settings_directory *directory;
	unsigned index;
};

static const char *path_of(const struct check *check, const char *key, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "directories[%u].%s", check->index, key);
	return path;
}

/* Behind the scheme: a name or an address, and perhaps a port. */
static bool is_host(const char *text)
{
	static const char name[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	static const char six[] = "0123456789abcdefABCDEF:.";
	size_t length = *text == '[' ? strspn(text + 1, six) : strspn(text, name);
	const char *end;
	unsigned long port;
	char *stop;

	if (length == 0 || length > HOST_MAXIMUM)
		return false;
	end = text + length;
	if (*text == '[') {
		if (text[1 + length] != ']')
			return false;
		end = text + length + 2;
	}
	if (*end == '\0')
		return true;
	if (end[0] != ':' || end[1] < '1' || end[1] > '9')
		return false;
	port = strtoul(end + 1, &stop, 10);
	return *stop == '\0' && port <= UINT16_MAX;
}

static int check_servers(const struct check *check)
{
	const struct settings_directory *directory = check->directory;
	char path[PATH_SIZE];

	for (unsigned i = 0; i < directory->servers_count; i++) {
		const char *server = directory->servers[i];
		bool tls = strncasecmp(server, "ldaps://", 8) == 0;

		snprintf(path, sizeof(path), "directories[%u].servers[%u]", check->index, i);
		if ((!tls && strncasecmp(server, "ldap://", 7) != 0) ||
			!is_host(server + (tls ? 8 : 7)))
			return config_fault_at(check->config, check->fault, path,
				"'%s' is not the address of a directory; expected "
				"ldaps://HOST[:PORT] or ldap://HOST[:PORT]",
				server);
		if (tls || directory->starttls)
			continue;
		if (!directory->plain)
			return config_fault_at(check->config, check->fault, path,
				"passwords would go to '%s' in clear; expected ldaps://, or "
				"'starttls: yes', or, if that is what you want, 'plain: yes'",
				server);
		if (directory->change_password)
			return config_fault_at(check->config, check->fault,
				path_of(check, "change-password", path),
				"passwords cannot be changed over '%s' in clear; expected "
				"ldaps:// or 'starttls: yes'",
				server);
	}
	if (directory->starttls && directory->plain)
		return config_fault_at(check->config, check->fault, path_of(check, "plain", path),
			"'starttls' and 'plain' contradict each other; expected one of them");
	return 0;
}

static int check_name(const struct check *check, const struct settings_logon *logon)
{
	const char *name = check->directory->name;
	char path[PATH_SIZE];

	if (strcmp(name, "users") == 0 || strcmp(name, "pam") == 0)
		return config_fault_at(check->config, check->fault, path_of(check, "name", path),
			"'%s' is the name of another source of users; expected a name of its own",
			name);
	for (unsigned i = 0; i < check->index; i++) {
		if (strcmp(logon->directories[i].name, name) == 0)
			return config_fault_at(check->config, check->fault,
				path_of(check, "name", path),
				"there is a directory '%s' already; expected a name of its own",
				name);
	}
	return 0;
}

static int check_account(const struct check *check, const struct settings *common)
{
	const struct settings_directory *directory = check->directory;
	char secret[SETTINGS_LOGON_SECRET_MAXIMUM + 1];
	char path[PATH_SIZE];
	int error;

	if (directory->bind_dn != NULL && directory->bind_password_file == NULL)
		return config_fault_at(check->config, check->fault, path_of(check, "bind-dn", path),
			"'bind-dn' has no password; expected 'bind-password-file' beside it");
	if (directory->bind_dn == NULL && directory->bind_password_file != NULL)
		return config_fault_at(check->config, check->fault,
			path_of(check, "bind-password-file", path),
			"whose password this is, is not said; expected 'bind-dn' beside it");
	if (directory->bind_dn == NULL && directory->kind == LDAP_KIND_ACTIVE_DIRECTORY)
		return config_fault_at(check->config, check->fault, path_of(check, "kind", path),
			"the directory '%s' has no account to find users with; expected 'bind-dn' "
			"and 'bind-password-file', so that every spelling of a name is known as "
			"one account, whose failures the guard counts together",
			directory->name);
	if (directory->bind_password_file == NULL)
		return 0;
	error = settings_logon_secret(check->config, check->fault,
		path_of(check, "bind-password-file", path), common, directory->bind_password_file,
		secret);
	secret_wipe(secret, sizeof(secret));
	return error;
}

static int check_numbers(const struct check *check)
{
	const struct settings_directory *directory = check->directory;
	unsigned answer = directory->answer_ms != 0 ? directory->answer_ms : LDAP_ANSWER_MS;
	unsigned slow = directory->slow_ms != 0 ? directory->slow_ms : LDAP_SLOW_MS;
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "directories[%u]", check->index);
	if (settings_logon_check_ranges(check->config, check->fault, path, directory, ranges,
		    sizeof(ranges) / sizeof(ranges[0])) != 0)
		return ERROR_INPUT;
	if (directory->slow_ms != 0 && slow > answer)
		return config_fault_at(check->config, check->fault, path_of(check, "slow-ms", path),
			"a directory would fail after %u ms before it is slow after %u ms; "
			"expected 'slow-ms' not above 'answer-ms'",
			answer, slow);
	return 0;
}

static void fill(const struct settings_directory *from, struct identity_ldap_options *options)
{
	*options = (struct identity_ldap_options){
		.name = from->name,
		.kind = from->kind,
		.servers = (const char *const *)from->servers,
		.server_count = from->servers_count,
		.starttls = from->starttls,
		.allow_plain = from->plain,
		.verify_none = from->verify == CERTIFICATE_VERIFY_NONE,
		.base = from->base,
		.group_base = from->group_base,
		.bind_dn = from->bind_dn,
		.user_filter = from->user_filter,
		.group_filter = from->group_filter,
		.group_name = from->group_name,
		.groups = from->groups,
		.connections = from->connections,
		.waiting = from->waiting,
		.connect_ms = from->connect_ms,
		.answer_ms = from->answer_ms,
		.slow_ms = from->slow_ms,
		.hold_down_seconds = from->hold_down_seconds,
		.group_cache_seconds = from->group_cache_seconds,
		.change_password = from->change_password,
	};
}

/* What identity_ldap_new judges, and what stands in for it while the culprit is looked for. */
static const struct part {
	const char *key;
	size_t offset;
	const char *instead;
	const char *expected;
} parts[] = {
#define PART(member) offsetof(struct identity_ldap_options, member)
	{"base", PART(base), "dc=example", "a DN such as dc=studio,dc=example"},
	{"group-base", PART(group_base), NULL, "a DN such as ou=groups,dc=studio,dc=example"},
	{"bind-dn", PART(bind_dn), "cn=example", "a DN such as cn=fairlead,dc=studio,dc=example"},
	{"user-filter", PART(user_filter), NULL,
		"an LDAP filter with {user} or {login} as a value"},
	{"group-filter", PART(group_filter), NULL,
		"an LDAP filter such as (objectClass=group), without names in braces"},
	{"group-name", PART(group_name), NULL, "the name of an attribute"},
};

static int try(const struct identity_ldap_options *options)
{
	struct identity *identity;
	int error = identity_ldap_new(options, clock_system(), &identity);

	if (error == 0)
		identity_free(identity);
	return error;
}

/* The error does not say which part is wrong: one after the other is replaced until it is gone. */
static int tell_culprit(const struct check *check, struct identity_ldap_options *options)
{
	char path[PATH_SIZE];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *text;

		memcpy(&text, (const char *)options + parts[i].offset, sizeof(text));
		if (text == NULL)
			continue;
		memcpy((char *)options + parts[i].offset, &parts[i].instead,
			sizeof(parts[i].instead));
		if (try(options) != ERROR_INPUT)
			return config_fault_at(check->config, check->fault,
				path_of(check, parts[i].key, path),
				"'%s' is not valid; expected %s", text, parts[i].expected);
	}
	return config_fault_at(check->config, check->fault, path_of(check, "name", path),
		"the directory '%s' cannot be used: %s", check->directory->name,
		error_text(ERROR_INPUT));
}

static int check_names(const struct check *check)
{
	struct identity_ldap_options options;
	char path[PATH_SIZE];
	int error;

	fill(check->directory, &options);
	options.bind_password = options.bind_dn != NULL ? "-" : NULL;
	options.connections = 1;
	error = try(&options);
	if (error == ERROR_INPUT)
		return tell_culprit(check, &options);
	if (error != 0)
		return config_fault_at(check->config, check->fault, path_of(check, "name", path),
			"the directory '%s' cannot be used: %s", check->directory->name,
			error_text(error));
	return 0;
}

int settings_directory_check(struct config *config, const struct settings *common,
	const struct settings_logon *logon, struct config_fault *fault)
{
	char path[PATH_SIZE];
	int error = 0;

	for (unsigned i = 0; error == 0 && i < logon->directories_count; i++) {
		const struct check check = {config, fault, &logon->directories[i], i};
		const struct settings_trust trust = {.ca = logon->directories[i].ca};

		snprintf(path, sizeof(path), "directories[%u]", i);
		error = check_name(&check, logon);
		if (error == 0)
			error = check_servers(&check);
		if (error == 0)
			error = settings_check_trust(config, &trust, path, fault);
		if (error == 0)
			error = check_account(&check, common);
		if (error == 0)
			error = check_numbers(&check);
		if (error == 0)
			error = check_names(&check);
	}
	return error;
}

int settings_directory_new(struct config *config, const struct settings *common,
	const struct settings_logon *logon, unsigned index, const char *const *domains,
	size_t domain_count, const struct clock *clock, struct identity **ret_identity)
{
	const struct settings_directory *from = &logon->directories[index];
	char secret[SETTINGS_LOGON_SECRET_MAXIMUM + 1];
	struct identity_ldap_options options;
	struct config_fault fault;
	int error = 0;

	fill(from, &options);
	options.domains = domains;
	options.domain_count = domain_count;
	options.ca_file = config_path(config, from->ca);
	if (from->ca != NULL && options.ca_file == NULL)
		return ERROR_MEMORY;
	if (from->bind_password_file != NULL) {
		error = settings_logon_secret(
			config, &fault, "", common, from->bind_password_file, secret);
		options.bind_password = secret;
	}
	if (error == 0)
		error = identity_ldap_new(&options, clock, ret_identity);
	secret_wipe(secret, sizeof(secret));
	return error;
}
