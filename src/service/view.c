#include "service/view.h"

#include <stddef.h>

void view_init(struct view *view, void (*free)(struct view *view))
{
	atomic_init(&view->holders, 1);
	view->free = free;
}

void view_release(struct view *view)
{
	if (view != NULL && atomic_fetch_sub(&view->holders, 1) == 1)
		view->free(view);
}

void view_slot_init(struct view_slot *slot, struct view *first)
{
	pthread_mutex_init(&slot->lock, NULL);
	slot->view = first;
}

void view_slot_close(struct view_slot *slot)
{
	view_release(slot->view);
	slot->view = NULL;
	pthread_mutex_destroy(&slot->lock);
}

struct view *view_slot_hold(struct view_slot *slot)
{
	struct view *view;

	pthread_mutex_lock(&slot->lock);
	view = slot->view;
	atomic_fetch_add(&view->holders, 1);
	pthread_mutex_unlock(&slot->lock);
	return view;
}

void view_slot_replace(struct view_slot *slot, struct view *view)
{
	struct view *old;

	pthread_mutex_lock(&slot->lock);
	old = slot->view;
	slot->view = view;
	pthread_mutex_unlock(&slot->lock);
	view_release(old);
}
