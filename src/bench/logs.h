/*
 * logs.h - made-up support bundles, to measure the health check with. fairlead-bench(1).
 */
#ifndef FAIRLEAD_BENCH_LOGS_H
#define FAIRLEAD_BENCH_LOGS_H

#include <stdbool.h>
#include <stdint.h>

#define LOGS_TEXT_SIZE 256
#define LOGS_SESSIONS_MAXIMUM 1000000

struct logs_options {
	uint64_t size;     /* bytes of log text, about */
	uint64_t sessions; /* 0: one for each 4 MiB */
	uint64_t rotate;   /* 0: never */
	uint64_t seed;
	bool gap;
	const char *folder; /* NULL: standard output */
};

/* As in main, argv[0] being "logs". 0: go on; else the exit status plus one, everything has been
 * said. */
int logs_read(int argc, char **argv, struct logs_options *ret_options);

/* Writes them. 0; otherwise `why` says what went wrong. */
int logs_write(const struct logs_options *options, char why[LOGS_TEXT_SIZE]);

/* fairlead-bench logs; returns the exit status. */
int logs_command(int argc, char **argv);

#endif
