#include "service/settings_sessions.h"

const struct cyaml_schema_field settings_sessions_fields[] = {
	CYAML_FIELD_UINT(
		"maximum-seconds", CYAML_FLAG_OPTIONAL, struct settings_sessions, maximum_seconds),
	CYAML_FIELD_UINT(
		"idle-seconds", CYAML_FLAG_OPTIONAL, struct settings_sessions, idle_seconds),
	CYAML_FIELD_UINT("maximum", CYAML_FLAG_OPTIONAL, struct settings_sessions, maximum),
	CYAML_FIELD_END,
};

int settings_sessions_new(const struct settings_sessions *settings, const struct clock *clock,
	const struct entropy *entropy, struct sessions **ret_sessions)
{
	struct sessions_options options = {
		.maximum = settings->maximum,
		.maximum_time = settings->maximum_seconds * CLOCK_SECOND,
		.idle_time = settings->idle_seconds * CLOCK_SECOND,
		.clock = clock,
		.entropy = entropy,
	};

	return sessions_new(&options, ret_sessions);
}

void settings_sessions_apply(const struct settings_sessions *settings, struct sessions *sessions)
{
	sessions_set_times(sessions, settings->maximum_seconds * CLOCK_SECOND,
		settings->idle_seconds * CLOCK_SECOND);
}
