/*
 * manager.h - the connection manager's state.
 *
 * What the configuration says is a view (service/view.h); sessions outlive
 * views.
 */
#ifndef FAIRLEAD_MANAGER_MANAGER_H
#define FAIRLEAD_MANAGER_MANAGER_H

#include <stdint.h>

#include "manager/manager_config.h"
#include "service/endpoint.h"
#include "service/view.h"

struct manager_agent {
	const char *host;
	uint16_t port;
	struct certificate_policy policy; /* name: to be filled in for the default one */
};

struct manager_view {
	struct view view;
	struct arena *arena; /* owns everything below */
	struct settings_proxies proxies;
	const char *broker_address;
	struct certificate_policy broker_policy;
	struct manager_agent *agents;
	size_t agent_count;
	struct manager_agent other; /* agents not named */
	unsigned timeout_ms, authenticate_ms;
	const char *license_path; /* "" if not configured */
	char hostname[256];
};

struct manager {
	struct view_slot slot; /* of struct manager_view */
	struct sessions *sessions;
	struct endpoint *endpoint;
};

/* Builds a view from a checked configuration; it copies everything. 0 or ERROR_MEMORY. */
int manager_view_new(struct config *config, struct manager_view **ret_view);
struct manager_view *manager_view_hold(struct manager *manager);
void manager_view_release(struct manager_view *view);

/* How the agent of a target is reached and verified; by hostname, then by address. */
struct manager_agent manager_view_agent(
	const struct manager_view *view, const char *hostname, const char *address);

extern const struct endpoint_route manager_routes[];
extern const size_t manager_route_count;

#endif
