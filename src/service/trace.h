/*
 * trace.h - messages as people and tests see them: in the log, and in a folder.
 *
 * A message in the log is one XML line per log line, component BROKER, with
 * ":XML: " before it, as the vendor's clients write it. Secrets are stars, names
 * are shown as the log's rule says. A capture folder gets one file per message, redacted the
 * same way; the tests validate every one against the schema.
 */
#ifndef FAIRLEAD_SERVICE_TRACE_H
#define FAIRLEAD_SERVICE_TRACE_H

#include "base/log.h"
#include "protocol/message.h"

/* Announces and writes the message at this level; `what` is "Received" or "Sent". Costs nothing
 * when the log does not want the level. */
void trace_log(struct log *log, const char *id, enum log_level level, const char *what,
	const struct message *message);

/* Writes FOLDER/<name>-<process>-<number>-<element>.xml. A failure is not reported: a capture is a
 * tool for tests. NULL folder: nothing happens. */
void trace_capture(
	const char *folder, const char *name, struct log *log, const struct message *message);

#endif
