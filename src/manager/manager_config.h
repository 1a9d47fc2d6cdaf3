/*
 * manager_config.h - manager.yaml: the broker behind it, and how agents are verified.
 */
#ifndef FAIRLEAD_MANAGER_MANAGER_CONFIG_H
#define FAIRLEAD_MANAGER_MANAGER_CONFIG_H

#include "service/settings_sessions.h"

struct manager_config_broker {
	char *address;  /* "host:port" */
	char *hostname; /* in its certificate; NULL: the address' host */
	struct settings_trust trust;
};

/* An agent that is reached or verified in a way of its own. */
struct manager_config_agent {
	char *host;    /* hostname or address as the broker's target names it */
	unsigned port; /* launch API; 0: the common one */
	struct settings_trust trust;
};

#define MANAGER_TIMEOUT_MS 5000 /* default */

struct manager_config {
	struct settings common;
	struct settings_listen *listen;
	unsigned listen_count;
	struct settings_proxies proxies;
	struct manager_config_broker broker;
	unsigned agent_port;         /* 0: 60443 */
	struct settings_trust trust; /* of agents not named below */
	struct manager_config_agent *agents;
	unsigned agents_count;
	unsigned timeout_ms;      /* of a broker's or agent's answer; 0: MANAGER_TIMEOUT_MS */
	unsigned authenticate_ms; /* of the broker's to authenticate; 0: 70000, or the above */
	struct settings_sessions sessions;
	char *license_path; /* handed to agents */
};

extern const struct cyaml_schema_value manager_config_schema;

int manager_config_check(struct config *config, struct config_fault *fault);

#endif
