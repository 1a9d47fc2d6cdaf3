/*
 * report_sample.h - a report built by hand, for the tests of what draws reports.
 *
 * Session 1 passes everything (direct, plots). Session 2 fails in several ways, with two attempts,
 * long causes, remedies and evidence, and text that tries to move the cursor. Session 3 has no
 * id and no UTC times. The host has a warning and a failure. There are skipped files and notes.
 */
#ifndef FAIRLEAD_TEST_REPORT_SAMPLE_H
#define FAIRLEAD_TEST_REPORT_SAMPLE_H

#include "health/report.h"

/* The tests' own assertions stop the program when memory is short. */
struct report *report_sample_new(void);
void report_sample_free(struct report *report);

/* The same report with its sessions repeated until there are `count`; freed with it. */
void report_sample_repeat(struct report *report, size_t count);

/* Every user, host, domain, address and hardware address in the sample; ends with NULL. None of
 * them may stand in a masked report, in any case. */
extern const char *const report_sample_names[];

#endif
