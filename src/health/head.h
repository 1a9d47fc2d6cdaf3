/*
 * head.h - the head of a log line: time, session, level, code, component, message.
 *
 *     line = [stamp] [id] [">"] ["LVL:" digit "RC:" code component ":"] message
 *
 * Read with any padding: right-aligned components, collapsed blanks, a blank before the stamp.
 * A head is recognised by a stamp, or by "LVL:" at its start (vendor's help pages print
 * lines so), or by "<INFO >:", "<DEBUG>:", "<ERROR>:" of the control panel. A line with none of
 * these has no head: it continues the line before it, or comes from a tool.
 *
 * syslog and the journal put a prefix before each line, "May  6 09:00:00 ws77 fairlead-agent[77]: "
 * or with the time as ISO 8601: the head behind such a prefix is the line's.
 */
#ifndef FAIRLEAD_HEALTH_HEAD_H
#define FAIRLEAD_HEALTH_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "health/session_id.h"
#include "health/stamp.h"

#define HEAD_NO_LEVEL (-1)

enum family {
	FAMILY_NONE, /* a line without head */
#define FAMILY(name, letter, title, zone) FAMILY_##name,
#include "health/family.def"
#undef FAMILY
	FAMILY_COUNT
};

struct head {
	enum family family;
	struct stamp stamp;
	bool has_id; /* an id is written, all zero perhaps */
	struct session_id id;
	int level;             /* HEAD_NO_LEVEL when the form has none */
	int code;              /* RC; 0 when the form has none */
	const char *component; /* in the line; "" when the form has none */
	size_t component_length;
	const char *message; /* in the line; without the thread number, blanks trimmed */
	size_t message_length;
};

/* Reads a line (without its line end; a CR at its end is trimmed). True when it has a head.
 * False: *ret_head is filled too, family FAMILY_NONE, the message the whole trimmed line. Never
 * reads past `length`; takes no NUL for an end. */
bool head_read(const char *line, size_t length, struct head *ret_head);

/* The bytes of a prefix of syslog or the journal, which end within the line's first 160, leading
 * blanks aside: up to the first ": " (with a digit somewhere before it), behind which a stamp and
 * then an id, ">" or "LVL:" follow. 0: none. A line whose own head has an id, ">" or "LVL:" is not
 * read so by head_read, whatever it quotes. */
size_t head_prefix(const char *line, size_t length);

/* "A" and "agent, server or launcher"; "-" and "unknown" for FAMILY_NONE. */
const char *family_letter(enum family family);
const char *family_title(enum family family);

#endif
