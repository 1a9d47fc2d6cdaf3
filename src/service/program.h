/*
 * program.h - what is the same in the main of every Fairlead daemon.
 *
 * Options (--config FILE, --check-config, --ready-fd N, --version, --help), configuration, log,
 * listening sockets, dropping rights, one loop per core, signals, clean stop. A role describes
 * itself in a struct program_role. program.c has the life cycle, program_options.c the options,
 * program_loops.c the loops and their servers, program_change.c stopping and reloading,
 * program_system.c what is asked of the operating system.
 *
 * SIGHUP: the configuration is read and checked; if it is good the role takes it over, certificates
 * and the log file are opened anew, nothing is dropped. If it is not, the old one stays and the log
 * says why. Addresses to listen on, limits, workers, user and the name of the log file are those of
 * the start. After rights were dropped, the files must be readable for the user that the program
 * became.
 *
 * SIGTERM, SIGINT: no new connections, open transactions are answered, then exit 0. A second one
 * exits at once, also with 0; so does, with 1, a stop that takes more than PROGRAM_STOP_SECONDS.
 *
 * Exit status: 0 stopped, 1 could not run (a port in use ...), 2 bad configuration or options.
 *
 * --ready-fd N: once everything is served, a line "name=host:port" for every listener and
 * announcement, then "ready", are written to descriptor N, which is then closed. The same moment
 * is told to $NOTIFY_SOCKET, if set, as sd_notify(3) has it (READY=1; later STOPPING=1).
 */
#ifndef FAIRLEAD_SERVICE_PROGRAM_H
#define FAIRLEAD_SERVICE_PROGRAM_H

#include <stdint.h>

#include "base/config.h"
#include "service/loop.h"
#include "service/settings.h"
#include "wire/http_server.h"

#define PROGRAM_LISTENERS_MAXIMUM 32 /* and as many announcements */
#define PROGRAM_STOP_SECONDS 30      /* of a clean stop */

struct program;

/* Listening addresses: who answers there. `handle` runs on the loop that got the connection. */
struct program_listener {
	const char *name; /* for --ready-fd and the log: "broker", "launch", "direct"; must stay */
	const struct settings_listen *listen; /* copied */
	void (*handle)(void *user, struct loop *loop, struct http_exchange *exchange);
	/* Whom connections-per-address does not concern (http_server.h); NULL: nobody. */
	bool (*trusted)(void *user, const char *address);
	void *user;
};

struct program_role {
	const char *name;           /* "fairlead-broker" */
	const char *default_config; /* "/etc/fairlead/broker.yaml" */
	const char *help;           /* one line: what it does */
	const struct cyaml_schema_value *schema;
	const struct settings *(*common)(const void *data); /* where in the data the settings are */
	/* Checks that neither the schema nor settings_check makes (which has been called);
	 * 0 or ERROR_INPUT with the fault. */
	int (*check)(struct config *config, struct config_fault *fault);
	/* Builds the role's state; called once, before rights are dropped and before loops exist;
	 * the config stays valid until the next successful reload or the end. Registers listeners
	 * with program_listen. Nonzero ends the program with `fault` as message, or the error's
	 * text where that is empty (so for begin and reload too); then what was built must have
	 * been freed, `end` is not called. */
	int (*start)(struct program *program, struct config *config, char fault[CONFIG_FAULT_SIZE],
		void **ret_role);
	/* On loop 0, once all loops exist, before serving: timers, further sockets. Nonzero ends
	 * the program with `fault`: handles must have been closed (uv_close), `end` is called. May
	 * be NULL. */
	int (*begin)(void *role, struct loop *loop, char fault[CONFIG_FAULT_SIZE]);
	/* On loop 0, while the other loops go on: takes a checked new configuration over. Once
	 * every loop has passed a safe point (no handler is running on it), the program frees the
	 * old config; so what a transaction keeps beyond the end of its handler must be copied or
	 * held. May be NULL: nothing but log and certificates is reloaded and the config of the
	 * start stays. */
	int (*reload)(void *role, struct config *config, char fault[CONFIG_FAULT_SIZE]);
	/* On loop 0, after the last open request was answered: begins to stop whatever begin
	 * opened; calls program_stopped, there or later, when done. May be NULL. */
	void (*stop)(void *role, struct program *program);
	/* About once a second on loop 0. May be NULL. */
	void (*tick)(void *role, struct loop *loop);
	/* After all loops have ended: frees the role's state. The log is still open. */
	void (*end)(void *role);
};

int program_main(const struct program_role *role, int argc, char **argv);

/* Memory holds passwords: no core file, and no other process of the same user looks in. What
 * program_main does at once; for programs that are no daemons. */
void program_forbid_dumps(void);

/* Within `start` only: the first `count` of listener->listen. The sockets are opened after it. 0 or
 * ERROR_LIMIT, ERROR_MEMORY. */
int program_listen(
	struct program *program, const struct program_listener *listener, unsigned count);

/* Within `start` or `begin` only; 0 or ERROR_LIMIT, ERROR_MEMORY. Adds "name=host:port" to what
 * --ready-fd prints, for sockets the role opens itself. */
int program_announce(struct program *program, const char *name, const char *address);

/* On loop 0: what `stop` began is done. */
void program_stopped(struct program *program);

struct log *program_log(struct program *program);
const struct clock *program_clock(struct program *program);
const struct entropy *program_entropy(struct program *program);

#endif
