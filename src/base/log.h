/*
 * log.h - lines in the format of the vendor's agent logs, as nearly
 * every real one has them ("LVL:%d RC:%4d %15s :%s"):
 *
 *   2021-03-24T21:10:59.601Z <id> > LVL:2 RC:   0           AGENT :text
 *
 * <id> is the session's Client-Log-Id or all zeros. Only programs log;
 * libraries return errors. Lines are collected and written together: when
 * the loop is about to wait (log_flush), at level 0 and 1, or when 32 KiB have
 * gathered. Thread-safe.
 *
 * A line is one line: control characters (also C1, U+2028 and U+2029) and
 * bytes that are not UTF-8 are written as \xHH, and it is cut at
 * LOG_LINE_MAXIMUM bytes, newline included, with "..." at its end.
 *
 * What cannot be written (full disk, slow or broken pipe) waits, up to 64 KiB;
 * lines beyond that are dropped, and a line says how many as soon as there is
 * room again. Writing never raises SIGPIPE.
 */
#ifndef FAIRLEAD_BASE_LOG_H
#define FAIRLEAD_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

enum log_level { LOG_CRITICAL = 0, LOG_ERROR = 1, LOG_INFORMATION = 2, LOG_DEBUG = 3 };

/* How names of users and domains are written. */
enum log_names {
	LOG_NAMES_MASKED, /* first and last character, five stars between */
	LOG_NAMES_CLEAR,
};

#define LOG_LINE_MAXIMUM 2048
#define LOG_NAME_SIZE 160 /* a masked or clear name with NUL */

struct log;

struct log_options {
	const char *file; /* NULL or "-": standard error */
	enum log_level level;
	enum log_names names;
	const struct clock *clock;
	bool client; /* as the vendor's clients write: without the " >" after the id
		      */
};

/* Opens for appending (mode 0640). 0, ERROR_SYSTEM (errno tells), ERROR_MEMORY. */
int log_open(const struct log_options *options, struct log **ret_log);

/* Opens the same file anew (after rotation) with this level and these names;
 * on failure the old file stays in use. */
int log_reopen(struct log *log, enum log_level level, enum log_names names);

/* Flushes and frees. NULL is allowed, as in every function here: a NULL log
 * swallows lines. */
void log_close(struct log *log);

/* id NULL, or one that is not of RFC 4122's form, means no session. errno is
 * kept, so a caller may log first and look at it then. rc: 0 fine, -500
 * failure, -504 time-out, positive an error of the system, as real logs have them. */
void log_line(struct log *log, const char *id, enum log_level level, int rc, const char *component,
	const char *format, ...) __attribute__((format(printf, 6, 7)));

bool log_wants(const struct log *log, enum log_level level);
void log_flush(struct log *log);

/* Writes the name as this log may show it into `shown` and returns `shown`.
 * NULL and "" come out as "". */
const char *log_name(const struct log *log, const char *name, char shown[LOG_NAME_SIZE]);

#endif
