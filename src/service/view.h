/*
 * view.h - what a configuration says, as the requests see it.
 *
 * A view is immutable and counted. A request holds the view it began with;
 * a reload puts a new one in its place, and the old one goes when its last holder lets it go. A
 * program's view begins with a struct view.
 */
#ifndef FAIRLEAD_SERVICE_VIEW_H
#define FAIRLEAD_SERVICE_VIEW_H

#include <pthread.h>
#include <stdatomic.h>

struct view {
	atomic_uint holders;
	void (*free)(struct view *view);
};

/* Where the current view is found; thread-safe. */
struct view_slot {
	pthread_mutex_t lock;
	struct view *view;
};

/* A fresh view has one holder: whoever made it. */
void view_init(struct view *view, void (*free)(struct view *view));
/* NULL is allowed. */
void view_release(struct view *view);

/* The slot takes over the maker's hold of `first` (which may be NULL). */
void view_slot_init(struct view_slot *slot, struct view *first);
void view_slot_close(struct view_slot *slot);
struct view *view_slot_hold(struct view_slot *slot);
void view_slot_replace(struct view_slot *slot, struct view *view);

#endif
