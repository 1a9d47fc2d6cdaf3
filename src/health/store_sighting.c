#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/store_private.h"

#define FIRST_SLOTS 1024
#define LINE_ALIKE 16 /* so many of the last sightings are looked at for the same line again */

static struct store_count *count_slot(const struct store *store, struct store_count *counts,
	size_t slots, uint32_t session, uint16_t pattern)
{
	size_t slot = store_hash(store, (uint64_t)session << 16 | pattern) & (slots - 1);

	while (counts[slot].count != 0 &&
		(counts[slot].session != session || counts[slot].pattern != pattern))
		slot = (slot + 1) & (slots - 1);
	return &counts[slot];
}

static int count_room(struct store *store, size_t mark)
{
	struct store_private *private = store->private;
	size_t slots = private->count_slots == 0 ? FIRST_SLOTS : private->count_slots * 2;
	struct store_count *counts;
	int error = 0;

	if (private->count_used * 2 < private->count_slots)
		return 0;
	counts = store_table(store, private->count_slots, slots, sizeof(*counts), mark, &error);
	if (counts == NULL)
		return error;
	for (size_t i = 0; i < private->count_slots; i++) {
		const struct store_count *old = &private->counts[i];

		if (old->count != 0)
			*count_slot(store, counts, slots, old->session, old->pattern) = *old;
	}
	free(private->counts);
	private->counts = counts;
	private->count_slots = slots;
	return 0;
}

/* The same line again, directly after the one that is kept: counted there. */
static bool repeated(struct store *store, const struct sighting *sighting)
{
	size_t least = store->sighting_count > LINE_ALIKE ? store->sighting_count - LINE_ALIKE : 0;

	for (size_t i = store->sighting_count; i > least; i--) {
		struct sighting *before = &store->sightings[i - 1];

		if (before->source != sighting->source || before->session != sighting->session ||
			before->pattern != sighting->pattern)
			continue;
		if ((uint64_t)before->line + before->repeats + 1 != sighting->line ||
			before->repeats == UINT16_MAX || before->time != sighting->time ||
			strcmp(before->text, sighting->text) != 0)
			return false;
		before->repeats++;
		return true;
	}
	return false;
}

/* Copies the texts; a line that several rules know is kept once. */
static int texts_copy(struct store *store, const struct sighting *from, size_t matched_length,
	size_t mark, struct sighting *to)
{
	const struct sighting *before =
		store->sighting_count == 0 ? NULL : &store->sightings[store->sighting_count - 1];
	size_t length = strlen(from->text);
	int error = 0;

	if (before != NULL && before->source == from->source && before->line == from->line &&
		strcmp(before->text, from->text) == 0)
		to->text = before->text;
	else
		to->text = store_text(store, from->text, length, mark, &error);
	if (to->text == NULL)
		return error;
	if (from->matched >= from->text && from->matched <= from->text + length) {
		to->matched = to->text + (from->matched - from->text);
		return 0;
	}
	to->matched = store_text(store, from->matched, matched_length, mark, &error);
	return to->matched == NULL ? error : 0;
}

static int keep(struct store *store, const struct sighting *sighting, size_t matched_length)
{
	size_t mark = store_mark(store, sighting->session);
	struct sighting *sightings, copy = *sighting;
	int error = 0;

	sightings = store_grow(store, store->sightings, store->sighting_count,
		&store->sighting_capacity, sizeof(*sightings), mark, &error);
	if (sightings == NULL)
		return error;
	store->sightings = sightings;
	error = texts_copy(store, sighting, matched_length, mark, &copy);
	if (error != 0)
		return error;
	copy.repeats = 0;
	store->sightings[store->sighting_count++] = copy;
	return 0;
}

int store_sighting_add(struct store *store, const struct sighting *sighting, size_t matched_length)
{
	struct session *session = &store->sessions[sighting->session];
	unsigned limit = sighting->session == STORE_HOST ? STORE_HOST_REPEATS_MAXIMUM
							 : STORE_REPEATS_MAXIMUM;
	struct store_count *count;
	int error;

	if (repeated(store, sighting))
		return 0;
	error = count_room(store, store_mark(store, sighting->session));
	if (error != 0)
		goto dropped;
	count = count_slot(store, store->private->counts, store->private->count_slots,
		sighting->session, sighting->pattern);
	error = ERROR_LIMIT;
	if (count->count >= limit ||
		(sighting->session != STORE_HOST && session->sightings >= STORE_SESSION_SIGHTINGS))
		goto dropped;
	error = keep(store, sighting, matched_length);
	if (error != 0)
		goto dropped;
	if (count->count == 0) {
		count->session = sighting->session;
		count->pattern = sighting->pattern;
		store->private->count_used++;
	}
	count->count++;
	session->sightings++;
	return 0;
dropped:
	if (error == ERROR_MEMORY)
		return error;
	store_dropped(store, sighting->session);
	return 0;
}
