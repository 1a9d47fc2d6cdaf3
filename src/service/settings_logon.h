/*
 * settings_logon.h - how users log on, as a configuration says it: directories, RADIUS servers,
 * PAM, the chains made of them, the disclaimer and the guard; for the broker and for the agent.
 *
 * settings_logon.c has the schema, settings_logon_check.c and settings_directory.c,
 * settings_radius.c what the schema cannot see, settings_logon_plan.c turns it into sources.
 */
#ifndef FAIRLEAD_SERVICE_SETTINGS_LOGON_H
#define FAIRLEAD_SERVICE_SETTINGS_LOGON_H

#include "identity/guard.h"
#include "identity/identity_ldap.h"
#include "identity/identity_pam.h"
#include "identity/radius.h"
#include "service/logon_plan.h"
#include "service/settings_users.h"

#define SETTINGS_DIRECTORIES_MAXIMUM 64
#define SETTINGS_RADIUS_MAXIMUM 16
#define SETTINGS_CHAINS_MAXIMUM 256
#define SETTINGS_FACTORS_MAXIMUM 4 /* of one chain */

/* The numbers are as in struct identity_ldap_options; 0: the default. */
struct settings_directory {
	char *name;
	enum ldap_kind kind;
	char **domains; /* none: the offered ones */
	unsigned domains_count;
	char **servers;
	unsigned servers_count;
	bool starttls, plain;
	char *ca;
	enum certificate_verify verify; /* full or none */
	char *base, *group_base;
	char *bind_dn, *bind_password_file;
	char *user_filter, *group_filter, *group_name;
	enum ldap_groups groups;
	unsigned connections, waiting, connect_ms, answer_ms, slow_ms;
	unsigned hold_down_seconds, group_cache_seconds;
	bool change_password;
};

struct settings_radius_server {
	char *address;
	unsigned port; /* 0: 1812 */
	char *secret_file;
};

/* The numbers are as in struct radius_options; 0: the default. */
struct settings_radius {
	char *name;
	struct settings_radius_server *servers;
	unsigned servers_count;
	enum logon_factor_first first;
	char *text, *prompt;
	enum radius_password method;
	char *nas_identifier;
	unsigned retry_ms, tries, wait_seconds, hold_down_seconds;
	bool allow_unsigned;
};

struct settings_pam {
	char *service; /* NULL: "fairlead" */
	char *helper;  /* NULL: as pam_helper_start finds it */
	char *confdir; /* folder of services; NULL: the machine's */
	bool change_password;
	unsigned answer_ms, at_once; /* 0: the default */
};

struct settings_chain {
	char **domains; /* none: all others */
	unsigned domains_count;
	char *source;
	char **factors;
	unsigned factors_count;
};

struct settings_disclaimer {
	char *text_file;
	char *title; /* NULL: the catalogue's */
	bool required;
};

struct settings_logon {
	struct settings_directory *directories;
	unsigned directories_count;
	struct settings_radius *radius;
	unsigned radius_count;
	struct settings_pam *pam; /* NULL: none */
	struct settings_chain *chains;
	unsigned chains_count;
	struct settings_disclaimer *disclaimer; /* NULL: none */
	struct guard_limits guard;
};

extern const struct cyaml_schema_value settings_directory_value;
extern const struct cyaml_schema_value settings_radius_value;
extern const struct cyaml_schema_value settings_chain_value;
extern const struct cyaml_schema_field settings_pam_fields[];
extern const struct cyaml_schema_field settings_disclaimer_fields[];
extern const struct cyaml_schema_field settings_guard_fields[];

/* The keys "directories", "radius", "pam", "logon", "disclaimer" and "guard", for a member `struct
 * settings_logon member`; all optional. Write a comma after it. */
#define SETTINGS_LOGON(type, member)                                                               \
	CYAML_FIELD_SEQUENCE("directories", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type,        \
		member.directories, &settings_directory_value, 0, SETTINGS_DIRECTORIES_MAXIMUM),   \
		CYAML_FIELD_SEQUENCE("radius", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type,     \
			member.radius, &settings_radius_value, 0, SETTINGS_RADIUS_MAXIMUM),        \
		CYAML_FIELD_MAPPING_PTR("pam", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type,     \
			member.pam, settings_pam_fields),                                          \
		CYAML_FIELD_SEQUENCE("logon", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type,      \
			member.chains, &settings_chain_value, 1, SETTINGS_CHAINS_MAXIMUM),         \
		CYAML_FIELD_MAPPING_PTR("disclaimer", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,    \
			type, member.disclaimer, settings_disclaimer_fields),                      \
		CYAML_FIELD_MAPPING(                                                               \
			"guard", CYAML_FLAG_OPTIONAL, type, member.guard, settings_guard_fields)

/* Whether the users of the configuration are the only ones there are. */
bool settings_logon_only_users(const struct settings_logon *logon);

/* Names, numbers, files, and that everybody who can choose a domain can log on. `common` tells
 * which user the program becomes: secrets may belong to him, to root, or to who runs it. 0, or
 * ERROR_INPUT with the fault. */
int settings_check_logon(struct config *config, const struct settings *common,
	const struct settings_users *users, const struct settings_logon *logon,
	struct config_fault *fault);

/* Sources, factors and chains of a checked configuration; it copies everything, and reads the
 * secrets. `pam` must outlive the plan; it is needed where the configuration has pam. 0,
 * ERROR_MEMORY, ERROR_SYSTEM (threads), ERROR_INPUT (a file is another one than it was when it was
 * checked). End it with logon_plan_free. */
int settings_logon_plan(struct config *config, const struct settings *common,
	const struct settings_users *users, const struct settings_logon *logon,
	struct pam_helper *pam, const struct clock *clock, struct logon_plan **ret_plan);

struct guard_limits settings_guard_limits(const struct settings_logon *logon);

/* For a role's `start`: the guard, and the helper if the configuration has pam (else *ret_pam stays
 * as it is), which keeps the rights that the program has now. 0 or an error; ERROR_INPUT,
 * ERROR_NOT_FOUND and ERROR_SYSTEM with the text in `fault`. */
int settings_logon_start(struct config *config, const struct settings_logon *logon,
	const struct clock *clock, const struct entropy *entropy, struct guard **ret_guard,
	struct pam_helper **ret_pam, char fault[CONFIG_FAULT_SIZE]);

/* For a role's `reload`, before anything is taken over: whether it can be. The helper's service,
 * path and number of questions stay those of the start; where there is none, none can be started,
 * since the rights are gone: ERROR_STATE with the text in `fault`. */
int settings_logon_can_reload(const struct settings_logon *logon, const struct pam_helper *pam,
	char fault[CONFIG_FAULT_SIZE]);

#endif
