#include <stdlib.h>

#include "agent/agent.h"
#include "base/error.h"

#define VIEW_MAXIMUM (16 * 1024 * 1024)

static void view_free(struct view *base)
{
	struct agent_view *view = (struct agent_view *)base;

	identity_free(view->identity);
	arena_free(view->arena);
}

int agent_view_new(struct config *config, struct agent_view **ret_view)
{
	const struct agent_config *data = config_data(config);
	struct arena *arena = arena_new(VIEW_MAXIMUM);
	struct agent_view *view = arena != NULL ? arena_alloc(arena, sizeof(*view)) : NULL;
	int error;

	if (view == NULL) {
		arena_free(arena);
		return ERROR_MEMORY;
	}
	view_init(&view->view, view_free);
	view->arena = arena;
	view->domain_count = data->users.domains_count;
	error = settings_copy_list(
		arena, data->users.domains, data->users.domains_count, &view->domains);
	if (error == 0)
		error = settings_users_identity(&data->users, &view->identity);
	if (error != 0) {
		view_release(&view->view);
		return error;
	}
	*ret_view = view;
	return 0;
}

struct agent_view *agent_view_hold(struct agent *agent)
{
	return (struct agent_view *)view_slot_hold(&agent->slot);
}

void agent_view_release(struct agent_view *view)
{
	view_release(&view->view);
}
