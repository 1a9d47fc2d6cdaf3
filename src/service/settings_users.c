#include "service/settings_users.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "identity/password.h"

#define PATH_SIZE 64

static const struct cyaml_schema_field user_fields[] = {
	CYAML_FIELD_STRING_PTR(
		"name", CYAML_FLAG_DEFAULT, struct settings_user, name, 1, SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_STRING_PTR("domain", CYAML_FLAG_OPTIONAL, struct settings_user, domain, 0,
		SETTINGS_NAME_MAXIMUM),
	CYAML_FIELD_STRING_PTR("password", CYAML_FLAG_DEFAULT, struct settings_user, password, 1,
		PASSWORD_HASH_SIZE - 1),
	CYAML_FIELD_SEQUENCE("groups", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct settings_user, groups, &settings_text_value, 0, SETTINGS_USERS_MAXIMUM),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value settings_user_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct settings_user, user_fields),
};

int settings_check_users(
	const struct config *config, const struct settings_users *users, struct config_fault *fault)
{
	char path[PATH_SIZE];

	for (unsigned i = 0; i < users->list_count; i++) {
		if (password_is_hash(users->list[i].password))
			continue;
		snprintf(path, sizeof(path), "users[%u].password", i);
		return config_fault_at(config, fault, path,
			"the password of '%s' is not a hash this system can check; expected one "
			"made with "
			"'fairlead passwd'",
			users->list[i].name);
	}
	return 0;
}

int settings_users_identity(const struct settings_users *users, struct identity **ret_identity)
{
	struct identity_entry *entries = calloc(users->list_count + 1u, sizeof(*entries));
	int error;

	if (entries == NULL)
		return ERROR_MEMORY;
	for (unsigned i = 0; i < users->list_count; i++) {
		const struct settings_user *user = &users->list[i];

		entries[i] = (struct identity_entry){
			.name = user->name,
			.domain = user->domain,
			.password = user->password,
			.groups = (const char *const *)user->groups,
			.group_count = user->groups_count,
		};
	}
	error = identity_file_new(entries, users->list_count, (const char *const *)users->domains,
		users->domains_count, ret_identity);
	free(entries);
	return error;
}

int settings_copy_list(struct arena *arena, char *const *list, unsigned count, char ***ret_list)
{
	char **copy = arena_alloc(arena, (count + 1u) * sizeof(*copy));

	if (copy == NULL)
		return ERROR_MEMORY;
	for (unsigned i = 0; i < count; i++) {
		copy[i] = arena_text(arena, list[i]);
		if (copy[i] == NULL)
			return ERROR_MEMORY;
	}
	*ret_list = copy;
	return 0;
}
