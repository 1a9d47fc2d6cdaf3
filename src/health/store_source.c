#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/store_private.h"

#define FIRST_SLOTS 256

static uint64_t group_hash(const struct store *store, const char *group)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *group != '\0'; group++)
		hash = (hash ^ (unsigned char)*group) * UINT64_C(0x100000001b3);
	return store_hash(store, hash);
}

/* The slot with this group's first source, or the empty one where it belongs. */
static uint32_t *group_slot(const struct store *store, const char *group)
{
	const struct store_private *private = store->private;
	size_t slot = group_hash(store, group) & (private->group_slot_count - 1);

	while (private->group_slots[slot] != 0 &&
		strcmp(store->sources[private->group_slots[slot] - 1].group, group) != 0)
		slot = (slot + 1) & (private->group_slot_count - 1);
	return &private->group_slots[slot];
}

/* Room for one more group at no more than half full. */
static int group_room(struct store *store)
{
	struct store_private *private = store->private;
	size_t count = private->group_slot_count == 0 ? FIRST_SLOTS : private->group_slot_count * 2;
	uint32_t *slots;
	int error = 0;

	if (store->source_count * 2 < private->group_slot_count)
		return 0;
	slots = store_table(store, private->group_slot_count, count, sizeof(*slots),
		STORE_MARK_SOURCES, &error);
	if (slots == NULL)
		return error;
	free(private->group_slots);
	private->group_slots = slots;
	private->group_slot_count = count;
	for (uint32_t i = 0; i < store->source_count; i++) {
		if (private->groups[i].first == i)
			*group_slot(store, store->sources[i].group) = i + 1;
	}
	return 0;
}

static int room(struct store *store)
{
	struct store_private *private = store->private;
	struct store_group *groups;
	struct source *sources;
	int error = 0;

	if (store->source_count == STORE_SOURCES_MAXIMUM)
		return ERROR_LIMIT;
	sources = store_grow(store, store->sources, store->source_count, &store->source_capacity,
		sizeof(*sources), STORE_MARK_SOURCES, &error);
	if (sources == NULL)
		return error;
	store->sources = sources;
	groups = store_grow(store, private->groups, store->source_count, &private->group_capacity,
		sizeof(*groups), STORE_MARK_SOURCES, &error);
	if (groups == NULL)
		return error;
	private->groups = groups;
	return group_room(store);
}

static char *folder_text(struct store *store, const char *group, int *ret_error)
{
	const char *end = strrchr(group, '/');
	size_t length = end == NULL ? 0 : (size_t)(end - group);
	const char *before =
		store->source_count == 0 ? NULL : store->sources[store->source_count - 1].folder;

	/* Files of one folder mostly come one after the other. */
	if (before != NULL && strncmp(before, group, length) == 0 && before[length] == '\0')
		return store->sources[store->source_count - 1].folder;
	return store_text(store, group, length, STORE_MARK_SOURCES, ret_error);
}

static int source_make(
	struct store *store, const struct bundle_member *member, uint32_t *ret_number)
{
	struct source source = {.first = STAMP_NONE, .last = STAMP_NONE, .order = member->order};
	uint32_t number = (uint32_t)store->source_count, *slot;
	int error = room(store);

	if (error != 0)
		return error;
	slot = group_slot(store, member->group);
	source.path =
		store_text(store, member->path, strlen(member->path), STORE_MARK_SOURCES, &error);
	if (*slot == 0) {
		source.group = store_text(
			store, member->group, strlen(member->group), STORE_MARK_SOURCES, &error);
		source.folder = folder_text(store, member->group, &error);
	} else {
		source.group = store->sources[*slot - 1].group;
		source.folder = store->sources[*slot - 1].folder;
	}
	if (source.path == NULL || source.group == NULL || source.folder == NULL)
		return error;
	if (*slot == 0)
		*slot = number + 1;
	store->sources[number] = source;
	store->private->groups[number] = (struct store_group){.first = *slot - 1};
	store->source_count++;
	*ret_number = number;
	return 0;
}

int store_source(struct store *store, const struct bundle_member *member, uint32_t *ret_number)
{
	int error = source_make(store, member, ret_number);

	if (error != ERROR_LIMIT)
		return error;
	error = store_skip(store, member->path, "too many files: not read", BUNDLE_LOST);
	return error == 0 ? ERROR_LIMIT : error;
}
