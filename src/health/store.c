#include "health/store.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/store_private.h"

#define FIRST_CAPACITY 16
#define SKIPPED_ALIKE 8 /* so many of the last ones are looked at for the same again */

uint64_t store_hash(const struct store *store, uint64_t key)
{
	key ^= store->private->seed;
	key ^= key >> 33;
	key *= UINT64_C(0xff51afd7ed558ccd);
	key ^= key >> 33;
	key *= UINT64_C(0xc4ceb9fe1a85ec53);
	key ^= key >> 33;
	return key;
}

bool store_take(struct store *store, size_t bytes, size_t mark)
{
	size_t used = store_used(store);

	if (used >= mark || bytes > mark - used)
		return false;
	store->private->used += bytes;
	return true;
}

void *store_grow(struct store *store, void *array, size_t count, size_t *capacity, size_t size,
	size_t mark, int *ret_error)
{
	size_t more = *capacity < 2 * FIRST_CAPACITY ? FIRST_CAPACITY : *capacity / 2;
	size_t used = store_used(store), half = used < mark ? (mark - used) / 2 : 0;
	void *larger;

	if (count < *capacity)
		return array;
	/* Close to the mark half of what is left: the texts need room, too. */
	if (more * size > half)
		more = half / size;
	if (more < FIRST_CAPACITY) {
		*ret_error = ERROR_LIMIT;
		return NULL;
	}
	store->private->used += more * size;
	larger = realloc(array, (*capacity + more) * size);
	if (larger == NULL) {
		store->private->used -= more * size;
		*ret_error = ERROR_MEMORY;
		return NULL;
	}
	*capacity += more;
	return larger;
}

void *store_table(
	struct store *store, size_t before, size_t count, size_t size, size_t mark, int *ret_error)
{
	void *table;

	if (!store_take(store, (count - before) * size, mark)) {
		*ret_error = ERROR_LIMIT;
		return NULL;
	}
	table = calloc(count, size);
	if (table == NULL) {
		store->private->used -= (count - before) * size;
		*ret_error = ERROR_MEMORY;
	}
	return table;
}

char *store_text(struct store *store, const char *bytes, size_t length, size_t mark, int *ret_error)
{
	char *text;

	if (store_used(store) + length + 1 + sizeof(max_align_t) > mark) {
		*ret_error = ERROR_LIMIT;
		return NULL;
	}
	text = arena_copy(store->private->texts, bytes, length);
	if (text == NULL)
		*ret_error = ERROR_MEMORY;
	return text;
}

static void filter_take(struct store *store, const struct store_filter *filter)
{
	struct store_private *private = store->private;

	private->since = STAMP_NONE;
	private->until = STAMP_NONE;
	store->until = STAMP_NONE;
	if (filter == NULL)
		return;
	private->since = filter->since;
	private->until = filter->until;
	store->until = filter->until;
	store->one_session = filter->session != NULL;
	if (filter->session != NULL) {
		char *kept = private->session;

		for (size_t i = 0; i < SESSION_ID_TEXT && filter->session[i] != '\0'; i++)
			kept[i] = (char)tolower((unsigned char)filter->session[i]);
	}
}

/* Number 0: what belongs to no session. */
static int host_make(struct store *store)
{
	int error = 0;

	store->sessions = store_grow(store, NULL, 0, &store->session_capacity,
		sizeof(*store->sessions), STORE_MARK_ALL, &error);
	if (store->sessions == NULL)
		return error;
	memset(&store->sessions[0], 0, sizeof(store->sessions[0]));
	store->sessions[0].first = STAMP_NONE;
	store->sessions[0].last = STAMP_NONE;
	store->sessions[0].host_first = STAMP_NONE;
	store->session_count = 1;
	return 0;
}

struct store *store_new(const struct rule_book *book, const struct store_filter *filter)
{
	struct store *store = calloc(1, sizeof(*store));
	struct store_private *private = calloc(1, sizeof(*private));

	if (store == NULL || private == NULL) {
		free(store);
		free(private);
		return NULL;
	}
	store->book = book;
	store->private = private;
	private->seed = (uint64_t)(uintptr_t)store * UINT64_C(0x9e3779b97f4a7c15);
	filter_take(store, filter);
	private->texts = arena_new(STORE_BYTES_MAXIMUM);
	private->used = sizeof(*store) + sizeof(*private);
	if (private->texts == NULL || store_sessions_prepare(store) != 0 || host_make(store) != 0 ||
		store_series_prepare(store) != 0)
		goto failed;
	return store;
failed:
	store_free(store);
	return NULL;
}

void store_free(struct store *store)
{
	struct store_private *private;

	if (store == NULL)
		return;
	private = store->private;
	store_series_free(store);
	free(store->sources);
	free(store->sessions);
	free(store->sightings);
	free(store->skipped);
	free(private->session_slots);
	free(private->group_slots);
	free(private->groups);
	free(private->lost);
	free(private->counts);
	arena_free(private->texts);
	free(private);
	free(store);
}

size_t store_used(const struct store *store)
{
	size_t texts = store->private->texts == NULL ? 0 : arena_used(store->private->texts);

	return store->private->used + texts;
}

int store_skip(struct store *store, const char *path, const char *reason, enum bundle_why why)
{
	struct skipped *skipped;
	char *path_copy, *reason_copy;
	int error = 0;

	store->rest_lost |= why == BUNDLE_LOST_REST;
	for (size_t i = store->skipped_count; i > 0 && i + SKIPPED_ALIKE > store->skipped_count;) {
		skipped = &store->skipped[--i];
		if (strcmp(skipped->path, path) == 0 && strcmp(skipped->reason, reason) == 0 &&
			skipped->lost == (why != BUNDLE_PASSED_OVER)) {
			skipped->count++;
			return 0;
		}
	}
	if (store->skipped_count == STORE_SKIPPED_MAXIMUM)
		goto more;
	skipped = store_grow(store, store->skipped, store->skipped_count, &store->skipped_capacity,
		sizeof(*skipped), STORE_MARK_ALL, &error);
	if (skipped == NULL)
		goto more;
	store->skipped = skipped;
	path_copy =
		store_text(store, path, strnlen(path, BUNDLE_PATH_SIZE), STORE_MARK_ALL, &error);
	reason_copy = store_text(
		store, reason, strnlen(reason, BUNDLE_REASON_SIZE), STORE_MARK_ALL, &error);
	if (path_copy == NULL || reason_copy == NULL)
		goto more;
	store->skipped[store->skipped_count++] = (struct skipped){.path = path_copy,
		.reason = reason_copy,
		.count = 1,
		.lost = why != BUNDLE_PASSED_OVER};
	return 0;
more:
	if (error == ERROR_MEMORY)
		return error;
	store->skipped_more++;
	store->lost_more += why != BUNDLE_PASSED_OVER;
	return 0;
}

size_t store_mark(const struct store *store, uint32_t session)
{
	if (session == STORE_HOST)
		return STORE_MARK_HOST;
	return store->sessions[session].filtered ? STORE_MARK_OTHERS : STORE_MARK_SIGHTINGS;
}

void store_dropped(struct store *store, uint32_t session)
{
	if (store->sessions[session].filtered) {
		store->others_dropped++;
		return;
	}
	store->sessions[session].dropped++;
	store->sightings_dropped++;
}

int store_add(struct store *store, const struct sighting *sighting, size_t matched_length)
{
	const struct rule_pattern *pattern;
	int error = 0;

	assert(sighting->pattern < store->book->pattern_count);
	assert(sighting->source < store->source_count && sighting->session < store->session_count);
	if (store_outside(store, sighting->time, sighting->time))
		return 0;
	store->sessions[sighting->session].kept = true;
	pattern = store->book->patterns[sighting->pattern];
	if (pattern->measured)
		error = store_series_add(store, sighting, matched_length);
	if (error == 0 && pattern->sighted)
		error = store_sighting_add(store, sighting, matched_length);
	return error;
}
