/*
 * agent_config.h - agent.yaml: one host.
 */
#ifndef FAIRLEAD_AGENT_AGENT_CONFIG_H
#define FAIRLEAD_AGENT_AGENT_CONFIG_H

#include "service/settings_logon.h"
#include "service/settings_sessions.h"
#include "service/settings_users.h"

struct agent_config_license {
	char *address;  /* "host:port"; NULL: only what a launch request names */
	char *hostname; /* in its certificate; NULL: the address' host */
	struct settings_trust trust;
	char *feature; /* NULL: "standard" */
	unsigned grace_days;
	bool restrict_path; /* a launch request cannot name another service */
};

struct agent_config {
	struct settings common;
	struct settings_listen *listen; /* direct connect; NULL: none */
	unsigned listen_count;
	struct settings_listen *launch_listen; /* launch API */
	unsigned launch_listen_count;
	struct settings_proxies launch_from; /* who may launch; none: everybody */
	char *session_address;               /* NULL: "0.0.0.0:4172" */
	char *hostname; /* in the certificate, and the SNI of the session; NULL: this machine's */
	char *resource_name; /* what a direct client's list shows; NULL: the hostname */
	char *state_directory;
	char **keep_awake; /* command that runs while a session is connected */
	unsigned keep_awake_count;
	struct settings_sessions sessions;
	struct settings_users users;
	struct settings_logon logon;
	struct agent_config_license license;
};

extern const struct cyaml_schema_value agent_config_schema;

int agent_config_check(struct config *config, struct config_fault *fault);

#endif
