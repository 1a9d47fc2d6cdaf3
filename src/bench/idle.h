/*
 * idle.h - opens connections, holds them, and looks at what they cost the
 * server: memory for each, and processor time while nothing happens.
 */
#ifndef FAIRLEAD_BENCH_IDLE_H
#define FAIRLEAD_BENCH_IDLE_H

#include <stdint.h>

#include "bench/load.h"
#include "bench/options.h"

struct idle_result {
	unsigned connections; /* that stood until the end */
	uint64_t errors;
	char first_error[LOAD_TEXT_SIZE];
	uint64_t resident_before; /* bytes, of all processes named */
	uint64_t resident_open;   /* every connection has finished its handshake */
	uint64_t resident_used;   /* every connection has had one answer */
	double seconds;           /* held after that */
	double server_cpu;        /* seconds, meanwhile */
};

/* 0, or an error with `why`: a process is not there, or not one connection stands. */
int idle_run(
	const struct options *options, struct idle_result *ret_result, char why[LOAD_TEXT_SIZE]);

#endif
