/*
 * demo_process.h - one of the demo's programs as a child process.
 *
 * One of ours is told its configuration and a descriptor on which it says its addresses and "ready"
 * (service/program.h). It dies with the demo, however that ends. What it prints goes to its log.
 */
#ifndef FAIRLEAD_CLIENT_DEMO_PROCESS_H
#define FAIRLEAD_CLIENT_DEMO_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

struct demo_process;

struct demo_process_options {
	uv_loop_t *loop;
	const char *program; /* path of the executable */
	const char *config;  /* path */
	/* Of a program that is not one of ours, its name first, NULL last; it gets neither a
	 * configuration nor a descriptor, and is never `ready`. NULL: one of ours. */
	const char *const *arguments;
	const char *log; /* path; standard output and error go to its end */
};

/* Starts it. 0, ERROR_SYSTEM (errno says why), ERROR_MEMORY. */
int demo_process_start(
	const struct demo_process_options *options, struct demo_process **ret_process);

bool demo_process_ready(const struct demo_process *process);
bool demo_process_ended(const struct demo_process *process);
/* One line on how it ended; "" while it runs. */
const char *demo_process_end_text(const struct demo_process *process);
pid_t demo_process_id(const struct demo_process *process);

/* "host:port" as the program announced it; "" when it did not. */
const char *demo_process_address(const struct demo_process *process, const char *name);

void demo_process_signal(struct demo_process *process, int signal);

/* After it ended; the loop must run until it is empty. NULL is allowed. */
void demo_process_free(struct demo_process *process);

#endif
