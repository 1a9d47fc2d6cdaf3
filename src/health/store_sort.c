#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/store_private.h"

/* By group, then part, then as they were read. */
static int compare_parts(const void *a, const void *b, void *context)
{
	const struct store *store = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct source *first = &store->sources[x], *second = &store->sources[y];
	int names = first->group == second->group ? 0 : strcmp(first->group, second->group);

	if (names != 0)
		return names;
	if (first->order != second->order)
		return first->order < second->order ? -1 : 1;
	return x < y ? -1 : x > y;
}

struct sorting {
	const uint32_t *rank; /* of each source */
};

static int compare_sightings(const void *a, const void *b, void *context)
{
	const struct sorting *sorting = context;
	const struct sighting *x = a, *y = b;

	if (x->time != y->time) {
		if (x->time == STAMP_NONE || y->time == STAMP_NONE)
			return x->time == STAMP_NONE ? 1 : -1;
		return x->time < y->time ? -1 : 1;
	}
	if (x->source != y->source)
		return sorting->rank[x->source] < sorting->rank[y->source] ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->pattern < y->pattern ? -1 : x->pattern > y->pattern;
}

/* Parts are numbered from 0, the oldest, and a session that stands for a group stands for its
 * oldest part. */
static void number_parts(struct store *store, const uint32_t *sorted)
{
	const struct store_group *groups = store->private->groups;
	uint64_t order = 0;

	for (size_t i = 0; i < store->source_count; i++) {
		uint32_t number = sorted[i];

		order = i > 0 && groups[number].first == groups[sorted[i - 1]].first ? order + 1
										     : 0;
		store->sources[number].order = order;
		if (order == 0 && groups[groups[number].first].session != STORE_HOST)
			store->sessions[groups[groups[number].first].session].source = number;
	}
}

static void filter_sessions(struct store *store)
{
	for (size_t i = 1; i < store->session_count; i++) {
		struct session *session = &store->sessions[i];

		if (store_outside(store, session->first, session->last))
			session->filtered = true;
	}
}

int store_sort(struct store *store)
{
	struct sorting sorting;
	uint32_t *sorted = NULL, *rank = NULL;
	int error = store_twins(store);

	if (error != 0)
		return error;
	error = ERROR_MEMORY;
	sorted = calloc(store->source_count + 1, sizeof(*sorted));
	rank = calloc(store->source_count + 1, sizeof(*rank));
	if (sorted == NULL || rank == NULL)
		goto out;
	for (uint32_t i = 0; i < store->source_count; i++)
		sorted[i] = i;
	qsort_r(sorted, store->source_count, sizeof(*sorted), compare_parts, store);
	for (uint32_t i = 0; i < store->source_count; i++)
		rank[sorted[i]] = i;
	sorting.rank = rank;
	if (store->sighting_count > 0)
		qsort_r(store->sightings, store->sighting_count, sizeof(*store->sightings),
			compare_sightings, &sorting);
	number_parts(store, sorted);
	filter_sessions(store);
	error = 0;
out:
	free(sorted);
	free(rank);
	return error;
}
