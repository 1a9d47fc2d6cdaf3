/*
 * Who has logged on from where.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "identity/guard_private.h"

#define KEPT (GUARD_KNOWN_DAYS * 86400 * CLOCK_SECOND)

int guard_known_open(struct guard_known *known)
{
	/* calloc: memory that is not used is not touched. */
	*known = (struct guard_known){
		.friends = calloc(GUARD_KNOWN_USERS + 1, sizeof(*known->friends)),
		.buckets = calloc(GUARD_KNOWN_USERS, sizeof(*known->buckets)),
	};
	if (known->friends != NULL && known->buckets != NULL)
		return 0;
	guard_known_close(known);
	return ERROR_MEMORY;
}

void guard_known_close(struct guard_known *known)
{
	free(known->friends);
	free(known->buckets);
	*known = (struct guard_known){0};
}

/* Where the index of that user is, or would be appended. */
static uint32_t *spot_of(const struct guard_known *known, uint64_t user)
{
	uint32_t *spot = &known->buckets[user & (GUARD_KNOWN_USERS - 1)];

	while (*spot != 0 && known->friends[*spot].key != user)
		spot = &known->friends[*spot].next;
	return spot;
}

bool guard_known_has(const struct guard_known *known, uint64_t user, uint64_t place, int64_t now)
{
	const struct guard_friend *found = &known->friends[*spot_of(known, user)];

	/* The one with index 0 has no places. */
	for (size_t i = 0; i < GUARD_KNOWN_PLACES; i++)
		if (found->places[i].key == place && place != 0)
			return now - found->places[i].time < KEPT;
	return false;
}

static void unlink_age(struct guard_known *known, uint32_t index)
{
	struct guard_friend *friend = &known->friends[index];

	if (friend->older != 0)
		known->friends[friend->older].newer = friend->newer;
	else
		known->oldest = friend->newer;
	if (friend->newer != 0)
		known->friends[friend->newer].older = friend->older;
	else
		known->newest = friend->older;
}

static void append_age(struct guard_known *known, uint32_t index)
{
	struct guard_friend *friend = &known->friends[index];

	friend->older = known->newest;
	friend->newer = 0;
	if (known->newest != 0)
		known->friends[known->newest].newer = index;
	else
		known->oldest = index;
	known->newest = index;
}

/* A new entry, or that of the user least recently seen; in no list. */
static uint32_t make_entry(struct guard_known *known)
{
	uint32_t index = known->oldest;

	if (known->used < GUARD_KNOWN_USERS)
		return ++known->used;
	assert(index != 0);
	unlink_age(known, index);
	*spot_of(known, known->friends[index].key) = known->friends[index].next;
	return index;
}

static struct guard_friend *meet(struct guard_known *known, uint64_t user)
{
	uint32_t index = *spot_of(known, user);

	if (index != 0) {
		unlink_age(known, index);
	} else {
		index = make_entry(known);
		known->friends[index] = (struct guard_friend){.key = user};
		*spot_of(known, user) = index;
	}
	append_age(known, index);
	return &known->friends[index];
}

void guard_known_add(struct guard_known *known, uint64_t user, uint64_t place, int64_t now)
{
	struct guard_friend *friend = meet(known, user);
	struct guard_place *at = friend->places;

	for (size_t i = 1; i < GUARD_KNOWN_PLACES && at->key != place; i++) {
		struct guard_place *other = &friend->places[i];

		if (other->key == place || (at->key != 0 && other->key == 0) ||
			(at->key != 0 && other->time < at->time))
			at = other;
	}
	*at = (struct guard_place){.key = place, .time = now};
}
