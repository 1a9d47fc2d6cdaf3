/*
 * event.h - the only way a program logs: one function per line of event.def.
 *
 *   event_agent_authenticate_failed(log, id, user, domain);
 *
 * Each function has the event's own typed parameters, so the compiler checks
 * them against the format. `log` may be NULL; `id` is the session's
 * Client-Log-Id, NULL where the table says that the line has none. Parameters
 * marked NAME are shown as the log's name rule says. Nothing is formatted
 * when the log does not want the level.
 */
#ifndef FAIRLEAD_SERVICE_EVENT_H
#define FAIRLEAD_SERVICE_EVENT_H

#include <stddef.h>

#include "base/log.h"

/* One row of the table, for documentation, tests and the health check. */
struct event_info {
	const char *name;
	const char *component;
	enum log_level level;
	int rc;
	const char *format;
	const char *params; /* as in the table: "(NAME(user), INT(count))" */
	const char *description;
};

/* index < EVENT_COUNT. */
const struct event_info *event_info(size_t index);

enum event_id {
#define EVENT(name, component, level, rc, format, params, description) EVENT_ID_##name,
#include "service/event.def"
#undef EVENT
	EVENT_COUNT
};

/* What each kind of parameter becomes in the function's head and in the call of log_line. */
#define EVENT_HEAD_ /* of () */
#define EVENT_HEAD_TEXT(x) , const char *x
#define EVENT_HEAD_NAME(x) , const char *x
#define EVENT_HEAD_INT(x) , int x
#define EVENT_HEAD_CODE(x) , unsigned x
#define EVENT_HEAD_COUNT(x) , unsigned long long x
#define EVENT_HEAD_REAL(x) , double x
#define EVENT_CALL_ /* of () */
#define EVENT_CALL_TEXT(x) , x
#define EVENT_CALL_NAME(x) , log_name(log, x, (char[LOG_NAME_SIZE]){0})
#define EVENT_CALL_INT(x) , x
#define EVENT_CALL_CODE(x) , x
#define EVENT_CALL_COUNT(x) , x
#define EVENT_CALL_REAL(x) , x

/* Prefixes each item of a list: EVENT_EACH(HEAD, a, b) is EVENT_HEAD_a EVENT_HEAD_b. */
#define EVENT_1(use, a) EVENT_##use##_##a
#define EVENT_2(use, a, ...) EVENT_##use##_##a EVENT_1(use, __VA_ARGS__)
#define EVENT_3(use, a, ...) EVENT_##use##_##a EVENT_2(use, __VA_ARGS__)
#define EVENT_4(use, a, ...) EVENT_##use##_##a EVENT_3(use, __VA_ARGS__)
#define EVENT_5(use, a, ...) EVENT_##use##_##a EVENT_4(use, __VA_ARGS__)
#define EVENT_6(use, a, ...) EVENT_##use##_##a EVENT_5(use, __VA_ARGS__)
#define EVENT_7(use, a, ...) EVENT_##use##_##a EVENT_6(use, __VA_ARGS__)
#define EVENT_8(use, a, ...) EVENT_##use##_##a EVENT_7(use, __VA_ARGS__)
#define EVENT_9(use, a, ...) EVENT_##use##_##a EVENT_8(use, __VA_ARGS__)
#define EVENT_10(use, a, ...) EVENT_##use##_##a EVENT_9(use, __VA_ARGS__)
#define EVENT_PICK(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, macro, ...) macro
#define EVENT_EACH(use, ...)                                                                       \
	EVENT_PICK(__VA_ARGS__, EVENT_10, EVENT_9, EVENT_8, EVENT_7, EVENT_6, EVENT_5, EVENT_4,    \
		EVENT_3, EVENT_2, EVENT_1, unused)                                                 \
	(use, __VA_ARGS__)
#define EVENT_EACH_HEAD(...) EVENT_EACH(HEAD, __VA_ARGS__)
#define EVENT_EACH_CALL(...) EVENT_EACH(CALL, __VA_ARGS__)

#define EVENT(name, component, level, rc, format, params, description)                             \
	static inline void event_##name(struct log *log, const char *id EVENT_EACH_HEAD params)    \
	{                                                                                          \
		if (log_wants(log, (enum log_level)(level)))                                       \
			log_line(log, id, (enum log_level)(level), rc, component,                  \
				format EVENT_EACH_CALL params);                                    \
	}
#include "service/event.def"
#undef EVENT

#endif
