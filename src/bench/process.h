/*
 * process.h - what a process has used, as /proc tells.
 */
#ifndef FAIRLEAD_BENCH_PROCESS_H
#define FAIRLEAD_BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct process_use {
	double cpu_seconds; /* user and system, all threads; steps of 10 ms */
	uint64_t resident;  /* bytes */
};

/* 0; ERROR_NOT_FOUND: there is no such process; ERROR_INPUT: /proc is not as expected. */
int process_use(pid_t pid, struct process_use *ret_use);

/* Of all of them together. 0, or as above when one is not there. */
int process_use_all(
	const pid_t *pids, unsigned count, double *ret_cpu_seconds, uint64_t *ret_resident);

#endif
