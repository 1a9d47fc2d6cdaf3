/*
 * fuzz_config.c - configuration files: any bytes against a schema that has
 * every kind of value the programs' schemas have.
 */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/config.h"
#include "base/error.h"
#include "fuzz.h"

struct user {
	char *name;
	char *password;
	char **groups;
	unsigned groups_count;
};

struct listen {
	char *address;
	bool tls10;
};

struct guard {
	unsigned all;
	bool off;
};

struct pam {
	char *service;
	unsigned at_once;
};

enum names { NAMES_MASKED, NAMES_CLEAR };

struct settings {
	struct listen *listen;
	unsigned listen_count;
	struct user *users;
	unsigned users_count;
	unsigned level;
	int offset;
	enum names names;
	bool capture;
	struct guard guard;
	struct pam *pam;
};

static const struct cyaml_schema_value text_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 256),
};

static const struct cyaml_schema_field user_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct user, name, 1, 256),
	CYAML_FIELD_STRING_PTR("password", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct user,
		password, 0, 384),
	CYAML_FIELD_SEQUENCE("groups", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct user,
		groups, &text_schema, 0, 64),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value user_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct user, user_fields),
};

static const struct cyaml_schema_field listen_fields[] = {
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct listen, address, 1, 64),
	CYAML_FIELD_BOOL("tls10", CYAML_FLAG_OPTIONAL, struct listen, tls10),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value listen_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct listen, listen_fields),
};

static const struct cyaml_schema_field guard_fields[] = {
	CYAML_FIELD_UINT("all", CYAML_FLAG_OPTIONAL, struct guard, all),
	CYAML_FIELD_BOOL("off", CYAML_FLAG_OPTIONAL, struct guard, off),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_field pam_fields[] = {
	CYAML_FIELD_STRING_PTR("service", CYAML_FLAG_OPTIONAL, struct pam, service, 1, 64),
	CYAML_FIELD_UINT("at-once", CYAML_FLAG_OPTIONAL, struct pam, at_once),
	CYAML_FIELD_END,
};

static const cyaml_strval_t names_values[] = {
	{"masked", NAMES_MASKED},
	{"clear", NAMES_CLEAR},
};

static const struct cyaml_schema_field settings_fields[] = {
	CYAML_FIELD_SEQUENCE("listen", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct settings,
		listen, &listen_schema, 1, 16),
	CYAML_FIELD_SEQUENCE("users", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct settings,
		users, &user_schema, 0, 64),
	CYAML_FIELD_UINT("level", CYAML_FLAG_OPTIONAL, struct settings, level),
	CYAML_FIELD_INT("offset", CYAML_FLAG_OPTIONAL, struct settings, offset),
	CYAML_FIELD_ENUM("names", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct settings, names,
		names_values, CYAML_ARRAY_LEN(names_values)),
	CYAML_FIELD_BOOL("capture", CYAML_FLAG_OPTIONAL, struct settings, capture),
	CYAML_FIELD_MAPPING("guard", CYAML_FLAG_OPTIONAL, struct settings, guard, guard_fields),
	CYAML_FIELD_MAPPING_PTR(
		"pam", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct settings, pam, pam_fields),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value settings_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct settings, settings_fields),
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct config_fault fault = {.text = ""};
	struct config *config = NULL;
	int error = config_load_bytes(
		"fuzz.yaml", (const char *)bytes, size, &settings_schema, &config, &fault);

	if (error != 0) {
		assert(config == NULL);
		/* people are told where */
		if (error == ERROR_INPUT)
			assert(strncmp(fault.text, "fuzz.yaml:", strlen("fuzz.yaml:")) == 0);
		assert(memchr(fault.text, '\0', sizeof(fault.text)) != NULL);
		return 0;
	}
	const struct settings *settings = config_data(config);
	assert(settings != NULL);
	for (unsigned i = 0; i < settings->users_count; i++)
		assert(settings->users[i].name != NULL && settings->users[i].name[0] != '\0');
	if (settings->pam != NULL && settings->pam->service != NULL)
		assert(settings->pam->service[0] != '\0');
	assert(config_fault_at(config, &fault, "users[1].groups[0]", "%s", "not so") ==
		ERROR_INPUT);
	assert(strncmp(fault.text, "fuzz.yaml:", strlen("fuzz.yaml:")) == 0);
	config_free(config);
	return 0;
}
