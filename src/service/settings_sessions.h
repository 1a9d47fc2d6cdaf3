/*
 * settings_sessions.h - limits of broker-protocol sessions, for every program that has such.
 */
#ifndef FAIRLEAD_SERVICE_SETTINGS_SESSIONS_H
#define FAIRLEAD_SERVICE_SETTINGS_SESSIONS_H

#include "service/sessions.h"
#include "service/settings.h"

struct settings_sessions {
	unsigned maximum_seconds; /* of one session; 0: 1800 */
	unsigned idle_seconds;    /* between its messages; 0: 300 */
	unsigned maximum;         /* sessions at once; 0: 65536 */
};

extern const struct cyaml_schema_field settings_sessions_fields[];

/* The key "sessions", for a member `struct settings_sessions member`; optional. */
#define SETTINGS_SESSIONS(type, member)                                                            \
	CYAML_FIELD_MAPPING("sessions", CYAML_FLAG_OPTIONAL, type, member, settings_sessions_fields)

/* A table of this size and these times. As sessions_new. */
int settings_sessions_new(const struct settings_sessions *settings, const struct clock *clock,
	const struct entropy *entropy, struct sessions **ret_sessions);

/* SIGHUP: the times change, the size stays. */
void settings_sessions_apply(const struct settings_sessions *settings, struct sessions *sessions);

#endif
