/*
 * check.h - the host session health check as a whole: paths in, report out.
 *
 * fairlead-check(1) describes what a user sees of it.
 */
#ifndef FAIRLEAD_CHECK_CHECK_H
#define FAIRLEAD_CHECK_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "check/mail.h"
#include "health/store.h"

enum check_exit {
	CHECK_EXIT_PASSED = 0, /* notes and missing evidence are no fault */
	CHECK_EXIT_OWN = 1,    /* an error of this program or machine */
	CHECK_EXIT_INPUT = 2,  /* wrong options, or nothing in the input that could be judged */
	CHECK_EXIT_FAILED = 3, /* at least one diagnostic failed */
	CHECK_EXIT_WARNED = 4, /* none failed, at least one warns or not all could be judged */
};

enum check_format { CHECK_TEXT, CHECK_JSON, CHECK_HTML };

struct check_options {
	char *const *paths; /* "-" is standard input */
	size_t path_count;
	enum check_format format;
	const char
		*output;   /* a file, replaced when the report is complete; NULL: standard output */
	const char *rules; /* a folder with further rules; NULL */
	bool mask;
	bool quiet; /* no progress on standard error */
	struct store_filter filter;
	struct mail_options mail; /* mail.to NULL: none is sent */
};

/* Reads, judges, prints, mails. Says on standard error what went wrong. */
enum check_exit check_run(const struct check_options *options);

/* Proves the built-in rules and those of `rules` (or NULL); prints the faults. CHECK_EXIT_PASSED,
 * CHECK_EXIT_INPUT (there are faults) or CHECK_EXIT_OWN. */
enum check_exit check_lint(const char *rules);

/* fairlead check; argv[0] is "check". */
int check_command(int argc, char **argv);

#endif
