/* The same log twice, as in an archive and beside it, would double what it tells. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/store_private.h"

#define NO_SOURCE UINT32_MAX

struct twin_parts { /* what is kept of a source */
	size_t sightings;
	uint64_t hash; /* of its sightings in their order */
};

static bool same_bytes(const struct source *a, const struct source *b)
{
	/* Without times it may be what a tool says on each of several machines. */
	return a->first != STAMP_NONE && a->bytes == b->bytes && a->check == b->check &&
		a->lines == b->lines && a->first == b->first && a->last == b->last &&
		a->reason == NULL && b->reason == NULL;
}

static int compare_bytes(const void *a, const void *b, void *context)
{
	const struct store *store = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct source *first = &store->sources[x], *second = &store->sources[y];

	if (first->check != second->check)
		return first->check < second->check ? -1 : 1;
	if (first->bytes != second->bytes)
		return first->bytes < second->bytes ? -1 : 1;
	return x < y ? -1 : x > y;
}

static uint64_t mix(const struct store *store, uint64_t hash, uint64_t value)
{
	return store_hash(store, hash ^ value) + value;
}

static void parts_add(
	const struct store *store, const struct sighting *sighting, struct twin_parts *parts)
{
	uint64_t hash = mix(store, parts->hash, (uint64_t)sighting->time);

	hash = mix(store, hash, (uint64_t)sighting->line << 32 | sighting->pattern);
	hash = mix(store, hash, sighting->repeats);
	for (const char *at = sighting->text; *at != '\0'; at++)
		hash = hash * UINT64_C(0x100000001b3) ^ (unsigned char)*at;
	parts->hash = hash;
	parts->sightings++;
}

/* For each source the first one that is the same; *ret_any: there is one. */
static void find_twins(const struct store *store, const uint32_t *sorted,
	const struct twin_parts *parts, uint32_t *twins, bool *ret_any)
{
	for (size_t i = 1; i < store->source_count; i++) {
		uint32_t before = sorted[i - 1], number = sorted[i];

		if (twins[before] != NO_SOURCE)
			before = twins[before];
		/* Of the second one limits may have dropped more. */
		if (!same_bytes(&store->sources[before], &store->sources[number]) ||
			parts[number].sightings > parts[before].sightings ||
			(parts[number].sightings == parts[before].sightings &&
				parts[number].hash != parts[before].hash))
			continue;
		twins[number] = before;
		*ret_any = true;
	}
}

static int tell(struct store *store, uint32_t number, uint32_t twin)
{
	char text[BUNDLE_PATH_SIZE + 32];
	struct source *source = &store->sources[number];
	uint32_t session = store->private->groups[store->private->groups[number].first].session;
	int length, error = 0;

	length = snprintf(text, sizeof(text), "same log as %s", store->sources[twin].path);
	source->twin = store_text(store, text, (size_t)length, STORE_MARK_ALL, &error);
	if (error == ERROR_LIMIT)
		source->twin = "same log as another one";
	if (session != STORE_HOST && store->sessions[session].sightings == 0)
		store->sessions[session].filtered = true;
	return error == ERROR_MEMORY ? error : 0;
}

static void leave_out(struct store *store, const uint32_t *twins)
{
	size_t kept = 0;

	for (size_t i = 0; i < store->sighting_count; i++) {
		const struct sighting *sighting = &store->sightings[i];

		if (twins[sighting->source] == NO_SOURCE)
			store->sightings[kept++] = *sighting;
		else
			store->sessions[sighting->session].sightings--;
	}
	store->sighting_count = kept;
	for (size_t i = 0; i < store->series_count; i++) {
		if (twins[store->series[i].source] != NO_SOURCE)
			store->series[i].count = 0;
	}
}

int store_twins(struct store *store)
{
	size_t count = store->source_count;
	uint32_t *sorted = calloc(count + 1, sizeof(*sorted));
	uint32_t *twins = calloc(count + 1, sizeof(*twins));
	struct twin_parts *parts = calloc(count + 1, sizeof(*parts));
	bool any = false;
	int error = ERROR_MEMORY;

	if (sorted == NULL || twins == NULL || parts == NULL)
		goto out;
	error = 0;
	for (uint32_t i = 0; i < count; i++) {
		sorted[i] = i;
		twins[i] = NO_SOURCE;
	}
	for (size_t i = 0; i < store->sighting_count; i++)
		parts_add(store, &store->sightings[i], &parts[store->sightings[i].source]);
	qsort_r(sorted, count, sizeof(*sorted), compare_bytes, store);
	find_twins(store, sorted, parts, twins, &any);
	if (any)
		leave_out(store, twins);
	for (uint32_t i = 0; i < count && error == 0; i++) {
		if (twins[i] != NO_SOURCE)
			error = tell(store, i, twins[i]);
	}
out:
	free(sorted);
	free(twins);
	free(parts);
	return error;
}
