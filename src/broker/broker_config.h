/*
 * broker_config.h - broker.yaml: users, hosts, resources and who may have what.
 */
#ifndef FAIRLEAD_BROKER_BROKER_CONFIG_H
#define FAIRLEAD_BROKER_BROKER_CONFIG_H

#include "service/settings_logon.h"
#include "service/settings_sessions.h"
#include "service/settings_users.h"

struct broker_config_host {
	char *name;
	char *address;       /* where clients and launch requests go */
	char *hostname;      /* in the agent's certificate and in the target; NULL: the address */
	unsigned agent_port; /* 0: 60443 */
	struct settings_trust *trust; /* NULL: the common one */
};

enum broker_config_session { BROKER_SESSION_VDI, BROKER_SESSION_RDS };

struct broker_config_resource {
	char *id;
	char *name;
	char *host;
	enum broker_config_session session_type;
	char **users;
	unsigned users_count;
	char **groups;
	unsigned groups_count;
};

struct broker_config {
	struct settings common;
	struct settings_listen *listen;
	unsigned listen_count;
	struct settings_proxies proxies;
	struct settings_sessions sessions;
	struct settings_users users;
	struct settings_logon logon;
	unsigned hold_minutes; /* 0: 480 */
	char *contact;
	char *license_path;
	struct settings_trust trust; /* of agents */
	struct broker_config_host *hosts;
	unsigned hosts_count;
	struct broker_config_resource *resources;
	unsigned resources_count;
};

extern const struct cyaml_schema_value broker_config_schema;

/* What the schema cannot see: names that point nowhere, doubled ids, unusable hashes and secrets.
 */
int broker_config_check(struct config *config, struct config_fault *fault);

#endif
