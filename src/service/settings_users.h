/*
 * settings_users.h - "users" and "domains" of a configuration file, for the
 * programs that check passwords themselves: the broker, and the agent.
 */
#ifndef FAIRLEAD_SERVICE_SETTINGS_USERS_H
#define FAIRLEAD_SERVICE_SETTINGS_USERS_H

#include "base/arena.h"
#include "identity/identity.h"
#include "service/settings.h"

#define SETTINGS_USERS_MAXIMUM 10000
#define SETTINGS_NAME_MAXIMUM 256 /* bytes of a name of a user, group, host */

struct settings_user {
	char *name;
	char *domain;   /* NULL or "": any of the offered ones */
	char *password; /* hash, as `fairlead passwd` prints it */
	char **groups;
	unsigned groups_count;
};

struct settings_users {
	char **domains; /* at least one: real clients need one to choose */
	unsigned domains_count;
	struct settings_user *list;
	unsigned list_count;
};

extern const struct cyaml_schema_value settings_user_value;

/* The keys "domains" and "users", for a member `struct settings_users member`; "users" is optional,
 * since there are other sources of users (settings_logon.h). Write a comma after it. */
#define SETTINGS_USERS(type, member)                                                               \
	CYAML_FIELD_SEQUENCE("domains", CYAML_FLAG_POINTER, type, member.domains,                  \
		&settings_text_value, 1, 256),                                                     \
		CYAML_FIELD_SEQUENCE("users", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type,      \
			member.list, &settings_user_value, 0, SETTINGS_USERS_MAXIMUM)

/* Every password is a usable hash. 0 or ERROR_INPUT with the fault. */
int settings_check_users(const struct config *config, const struct settings_users *users,
	struct config_fault *fault);

/* An identity of copies of these users. 0 or ERROR_MEMORY. */
int settings_users_identity(const struct settings_users *users, struct identity **ret_identity);

/* A copy of a list of texts, its texts included; 0 or ERROR_MEMORY. */
int settings_copy_list(struct arena *arena, char *const *list, unsigned count, char ***ret_list);

#endif
