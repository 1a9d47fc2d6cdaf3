/*
 * agent.h - the host agent: one session for one user at a time.
 *
 * Everything happens on one loop, so nothing here is locked but the view. A session begins by
 * launch-session (agent_launch.c: the user's password comes with it) or by the broker messages of a
 * direct connection (agent_direct.c); both end in agent_prepare.
 *
 *   FREE -> LICENSING -> PREPARED (the client may come, 60 s) -> CONNECTED -> FREE
 */
#ifndef FAIRLEAD_AGENT_AGENT_H
#define FAIRLEAD_AGENT_AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "agent/agent_config.h"
#include "identity/guard.h"
#include "identity/identity_pam.h"
#include "service/endpoint.h"
#include "service/license_client.h"
#include "service/link.h"
#include "service/logon_plan.h"
#include "service/program.h"
#include "service/view.h"

#define AGENT_PRODUCT "Fairlead Agent"

struct agent_view {
	struct view view;
	struct logon_plan *plan;
	struct arena *arena;                 /* owns the texts of: */
	struct settings_proxies launch_from; /* who may launch; none: everybody */
};

enum agent_phase { AGENT_FREE, AGENT_LICENSING, AGENT_PREPARED, AGENT_CONNECTED };

/* What a prepared session is to its client. */
struct agent_offer {
	enum result_id result; /* of the AGENT group */
	const char *reason; /* for people, in English, when it failed; NULL: none in particular */
	const char *sni;
	uint16_t port;
	uint64_t session;
	const char *tag; /* lives during the callback */
};

typedef void agent_prepared(struct transaction *transaction, const struct agent_offer *offer);

struct agent {
	struct program *program;
	struct config *config;  /* valid until begin */
	struct view_slot slot;  /* of struct agent_view */
	struct guard *guard;    /* of every try to log on, by either way in */
	struct pam_helper *pam; /* NULL: the configuration of the start has no pam */
	struct endpoint *direct, *launch;
	struct sessions *sessions;
	struct loop *loop; /* NULL before begin */
	struct link_server *link;
	struct license_client *license;
	/* copies of the configuration that do not change while it runs */
	char hostname[256], resource_name[256], session_address[300];
	char **keep_awake;   /* NULL-terminated, in `arena`; NULL: not configured */
	struct arena *arena; /* NULL: nothing to keep */
	uv_process_t *awake; /* the running command; NULL: none */

	/* the session */
	enum agent_phase phase;
	char user[SESSIONS_NAME_SIZE], domain[SESSIONS_NAME_SIZE];
	char log_id[UUID_SIZE];
	uint64_t session;             /* link id; 0 before PREPARED */
	int64_t since;                /* wall; when it was prepared */
	int64_t statistics;           /* steady; when the next set is due */
	int64_t connected;            /* steady */
	uint64_t bytes_in, bytes_out; /* at the last statistics */
	/* who waits for the licence */
	struct transaction *waiting;
	agent_prepared *prepared;
	/* who waits for the end */
	void (*stopped)(void *user);
	void *stopped_user;
	uv_timer_t last_step;
};

/* --- agent_view.c --- */

/* Builds a view from a checked configuration; it copies everything. `pam` must outlive it; NULL
 * where the configuration has no pam. 0, ERROR_MEMORY, or what settings_logon_plan says. */
int agent_view_new(struct config *config, struct pam_helper *pam, const struct clock *clock,
	struct agent_view **ret_view);
struct agent_view *agent_view_hold(struct agent *agent);
void agent_view_release(struct agent_view *view);

/* --- agent_session.c --- */

/* Prepares a session for an authenticated user; `done` is called once, perhaps from
 * inside. Another user's session stands in the way; his own is taken over. */
void agent_prepare(struct agent *agent, struct transaction *transaction, const char *user,
	const char *domain, const char *license_path, agent_prepared *done);

/* Opens the session's sockets and the licence client. 0 or an error with its reason in `fault`. */
int agent_session_begin(struct agent *agent, struct config *config, struct loop *loop,
	char fault[CONFIG_FAULT_SIZE]);
void agent_session_tick(struct agent *agent);
/* Ends a session with the administrator's cause and returns the licence, then calls `stopped`. */
void agent_session_stop(struct agent *agent, void (*stopped)(void *user), void *user);

/* --- agent_log.c: the vendor's blocks of several lines --- */

/* With the system's code for the reason. */
void agent_log_logon_failed(
	struct log *log, const char *id, enum reason reason, const char *user, const char *domain);
void agent_log_prepared(struct agent *agent);
void agent_log_connected(struct agent *agent);
void agent_log_closed(struct agent *agent, unsigned cause);
void agent_log_statistics(struct agent *agent, const struct link_quality *quality, int64_t period);

/* --- agent_awake.c: the host's own power saving, held off during a session --- */

void agent_awake_begin(struct agent *agent);
void agent_awake_end(struct agent *agent);

/* --- handlers --- */

extern const struct endpoint_route agent_direct_routes[];
extern const size_t agent_direct_route_count;
extern const struct endpoint_route agent_launch_routes[];
extern const size_t agent_launch_route_count;

#endif
