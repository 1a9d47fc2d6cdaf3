/*
 * program_internal.h - what the files program*.c share. Nobody else
 * includes it.
 */
#ifndef FAIRLEAD_SERVICE_PROGRAM_INTERNAL_H
#define FAIRLEAD_SERVICE_PROGRAM_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "service/program.h"

/* "[host]:port" with room for any address that can be listened on. */
#define PROGRAM_ADDRESS_SIZE 320

/* A registered listener with its sockets, one for each loop. */
struct program_socket {
	struct program_listener listener;   /* listen points to `settings` */
	struct settings_listen settings;    /* address is owned */
	char address[PROGRAM_ADDRESS_SIZE]; /* as bound */
	int *sockets;                       /* one per loop; -1 once a server owns it */
};

struct program_announcement {
	char name[64];
	char address[PROGRAM_ADDRESS_SIZE];
};

/* One server of one loop: one program_socket served. */
struct program_server {
	struct program_loop *loop;
	const struct program_socket *socket;
	struct http_server *server; /* NULL once stopped */
};

/* Asked of a loop by loop 0, bits of program_loop.commands. */
enum program_command {
	PROGRAM_COMMAND_CONTEXT = 1 << 0, /* take the new TLS contexts; acknowledge */
	PROGRAM_COMMAND_STOP = 1 << 1,    /* stop the servers; acknowledge when all have */
	PROGRAM_COMMAND_END = 1 << 2,     /* close what is left, so that the loop ends */
	/* Asked of loop 0 by the others. */
	PROGRAM_COMMAND_RELOADED = 1 << 3,
	PROGRAM_COMMAND_STOPPED = 1 << 4,
};

struct program_loop {
	struct loop loop; /* what handlers see */
	struct program *program;
	uv_loop_t uv;
	uv_prepare_t prepare;
	uv_async_t async;
	atomic_uint commands;
	struct program_server *servers; /* one per program_socket */
	unsigned serving;               /* servers not stopped yet */
	bool stopping;
	pthread_t thread; /* not of loop 0 */
	bool uv_open, handles_open;
	/* A flood of failing connections must not fill the disk: lines of this second. */
	int64_t event_second;
	unsigned event_lines;
	unsigned long long event_suppressed;
};

struct program {
	const struct program_role *role;
	void *state; /* the role's */
	bool state_valid;
	const char *file; /* of the configuration */
	struct config *config;
	const struct settings *settings;
	struct log *log;
	const struct clock *clock;
	const struct entropy *entropy;
	struct work_queue *work;
	struct http_guard *guard;
	/* [0] plain, [1] with TLS 1.0; NULL: no listener needs it. Written on loop 0 while no
	 * PROGRAM_COMMAND_CONTEXT is under way. */
	SSL_CTX *contexts[2];

	struct program_socket sockets[PROGRAM_LISTENERS_MAXIMUM];
	unsigned socket_count;
	struct program_announcement announcements[PROGRAM_LISTENERS_MAXIMUM];
	unsigned announcement_count;
	int ready_fd; /* -1: none */

	struct program_loop *loops;
	unsigned loop_count;
	uv_signal_t signals[3]; /* all of loop 0 */
	uv_timer_t tick;
	uv_timer_t deadline;
	bool handles_open;                        /* signals and timers */
	atomic_uint reload_pending, stop_pending; /* loops that have not acknowledged yet */
	bool abandoned;            /* the start failed: no loop has a thread, nobody acknowledges */
	bool reloading;            /* contexts are under way */
	bool reload_again;         /* SIGHUP came meanwhile */
	struct config *old_config; /* to be freed when reloaded */
	bool stopping;
};

enum program_exit {
	PROGRAM_EXIT_STOPPED = 0,
	PROGRAM_EXIT_NOT_RUN = 1,
	PROGRAM_EXIT_BAD_CONFIG = 2,
};

/* --- program.c --- */

/* Loads a configuration and makes all checks. */
int program_load(const struct program_role *role, const char *file, struct config **ret_config,
	struct config_fault *fault);

/* --- program_options.c --- */

struct program_options {
	const char *config;
	bool check;
	int ready_fd; /* -1: none */
};

/* True: go on. False: all is said, end with *ret_status. */
bool program_options_read(const struct program_role *role, int argc, char **argv,
	struct program_options *options, int *ret_status);

/* --- program_change.c; all on loop 0 --- */

/* Signals, tick and deadline. */
void program_open_handles(struct program *program);
void program_close_handles(struct program *program);
/* Told by the last loop that acknowledges. */
void program_on_reloaded(struct program *program);
void program_on_servers_stopped(struct program *program);
/* Without cleaning up: another thread may be in the middle of anything. */
void program_end_at_once(struct program *program, const char *reason, int status)
	__attribute__((noreturn));

/* --- program_loops.c --- */

/* Binds every registered listener once per loop. Nonzero with the fault. */
int program_bind(struct program *program, char fault[CONFIG_FAULT_SIZE]);

/* Contexts for the listeners there are, from this configuration. */
int program_contexts(struct program *program, struct config *config,
	const struct settings *settings, SSL_CTX *contexts[2], char fault[CONFIG_FAULT_SIZE]);

int program_loops_open(struct program *program, char fault[CONFIG_FAULT_SIZE]);
int program_loops_serve(struct program *program, char fault[CONFIG_FAULT_SIZE]);
/* Runs until PROGRAM_COMMAND_END has been carried out everywhere; loop 0 on this thread. Nonzero: a
 * thread could not be started; others may run, so the only way on is to exit. */
int program_loops_run(struct program *program, char fault[CONFIG_FAULT_SIZE]);
void program_loops_command(struct program *program, enum program_command command);
/* Instead of running, when the start failed: closes what is open on every loop. */
void program_loops_abandon(struct program *program);
/* Frees what bind, open and serve made, once nothing runs any more. */
void program_loops_close(struct program *program);

/* --- program_system.c --- */

/* File descriptors up to the hard limit, no core dump, SIGPIPE ignored, pool of threads. */
void program_prepare_process(void);
/* Becomes that user for good; the log file goes along. NULL: stays. */
int program_drop_rights(const char *user, const char *log_file, char fault[CONFIG_FAULT_SIZE]);
/* Tells --ready-fd (and closes it). */
void program_tell_ready(struct program *program);
/* One datagram to $NOTIFY_SOCKET. */
void program_notify(const char *state);

#endif
