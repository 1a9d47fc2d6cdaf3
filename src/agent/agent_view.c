#include <stdlib.h>

#include "agent/agent.h"
#include "base/error.h"

#define VIEW_MAXIMUM (1024 * 1024)

static void view_free(struct view *base)
{
	struct agent_view *view = (struct agent_view *)base;

	logon_plan_free(view->plan);
	arena_free(view->arena);
	free(view);
}

static int copy_launch_from(struct agent_view *view, const struct settings_proxies *from)
{
	view->launch_from.list_count = from->list_count;
	return settings_copy_list(
		view->arena, from->list, from->list_count, &view->launch_from.list);
}

int agent_view_new(struct config *config, struct pam_helper *pam, const struct clock *clock,
	struct agent_view **ret_view)
{
	const struct agent_config *data = config_data(config);
	struct agent_view *view = calloc(1, sizeof(*view));
	int error;

	if (view == NULL)
		return ERROR_MEMORY;
	view_init(&view->view, view_free);
	view->arena = arena_new(VIEW_MAXIMUM);
	error = view->arena != NULL ? copy_launch_from(view, &data->launch_from) : ERROR_MEMORY;
	if (error == 0)
		error = settings_logon_plan(
			config, &data->common, &data->users, &data->logon, pam, clock, &view->plan);
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
