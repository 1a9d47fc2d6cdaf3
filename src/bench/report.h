/*
 * report.h - what was measured, for people or as one JSON document.
 */
#ifndef FAIRLEAD_BENCH_REPORT_H
#define FAIRLEAD_BENCH_REPORT_H

#include "bench/idle.h"
#include "bench/load.h"
#include "bench/options.h"

/* To standard output. 0, ERROR_MEMORY, ERROR_SYSTEM. */
int report_load(const struct options *options, const struct load_result *result);
int report_idle(const struct options *options, const struct idle_result *result);

#endif
