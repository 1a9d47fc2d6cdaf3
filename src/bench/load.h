/*
 * load.h - keeps a number of clients busy for some seconds and counts what
 * comes back. Closed loop: a client asks again as soon as it has its answer.
 */
#ifndef FAIRLEAD_BENCH_LOAD_H
#define FAIRLEAD_BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "bench/options.h"
#include "bench/tally.h"

#define LOAD_TEXT_SIZE 256

/* Everything but `why` is of the measured time only. */
struct load_result {
	double seconds;
	uint64_t operations; /* hellos, connections or logons that succeeded */
	uint64_t messages;   /* answers that were right */
	uint64_t checked;    /* of them, decoded */
	uint64_t errors;
	char first_error[LOAD_TEXT_SIZE];
	struct tally latency;     /* of operations */
	double server_cpu;        /* seconds, of all processes named */
	double waited;            /* seconds that the load had nothing to do */
	uint64_t server_resident; /* bytes, at the end */
	size_t body_bytes;        /* of the last answer */
	size_t answer_bytes;      /* with head */
};

/* 0, or an error with `why`: the run could not begin, or nothing at all succeeded. */
int load_run(
	const struct options *options, struct load_result *ret_result, char why[LOAD_TEXT_SIZE]);

#endif
