#include <stdlib.h>

#include "agent/agent.h"
#include "base/error.h"

static void view_free(struct view *base)
{
	struct agent_view *view = (struct agent_view *)base;

	logon_plan_free(view->plan);
	free(view);
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
