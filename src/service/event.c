#include "service/event.h"

#include <assert.h>

static const struct event_info events[EVENT_COUNT] = {
#define EVENT(name, component, level, rc, format, params, description)                             \
	{#name, component, (enum log_level)(level), rc, format, #params, description},
#include "service/event.def"
#undef EVENT
};

const struct event_info *event_info(size_t index)
{
	assert(index < EVENT_COUNT);
	return &events[index];
}
