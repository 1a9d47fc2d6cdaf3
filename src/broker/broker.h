/*
 * broker.h - the connection broker's state.
 *
 * What the configuration says is a view (service/view.h). Sessions and
 * occupied hosts outlive views.
 */
#ifndef FAIRLEAD_BROKER_BROKER_H
#define FAIRLEAD_BROKER_BROKER_H

#include <stdatomic.h>
#include <stdint.h>

#include "broker/broker_config.h"
#include "identity/guard.h"
#include "identity/identity_pam.h"
#include "service/endpoint.h"
#include "service/greeting.h"
#include "service/inventory.h"
#include "service/logon_plan.h"
#include "service/occupancy.h"
#include "service/view.h"

struct broker_view {
	struct view view;
	struct arena *arena; /* owns the texts below */
	struct logon_plan *plan;
	struct inventory *inventory;
	struct settings_proxies proxies;
	char hostname[256];       /* of this machine, for hello-resp */
	const char *contact;      /* who may free a host: "" if not configured */
	const char *license_path; /* handed to agents; "" if not configured */
	struct greeting_cache greeting;
	int64_t hold; /* microseconds an allocation reserves its host at most */
};

struct broker {
	struct view_slot slot;     /* of struct broker_view */
	struct guard *guard;       /* of every try to log on */
	struct pam_helper *pam;    /* NULL: the configuration of the start has no pam */
	const struct clock *clock; /* of the views' sources */
	struct sessions *sessions;
	struct occupancy *occupancy;
	struct endpoint *endpoint;
	_Atomic int64_t
		told_untrusted; /* steady; when it was last said that a manager is no proxy */
};

/* Builds a view from a checked configuration; it copies everything. `pam` must outlive it; NULL
 * where the configuration has no pam. 0, ERROR_MEMORY, or what settings_logon_plan says. */
int broker_view_new(struct config *config, struct pam_helper *pam, const struct clock *clock,
	struct broker_view **ret_view);
/* Held for the caller; let go with broker_view_release. */
struct broker_view *broker_view_hold(struct broker *broker);
void broker_view_release(struct broker_view *view);

/* The handler table. */
extern const struct endpoint_route broker_routes[];
extern const size_t broker_route_count;

#endif
