#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "health/store_private.h"

#define SESSION_SLOTS (STORE_SESSIONS_MAXIMUM * 2) /* a power of two */
#define LOST_SLOTS (STORE_LOST_MAXIMUM * 2)        /* a power of two */

int store_sessions_prepare(struct store *store)
{
	store->private->session_slots = calloc(SESSION_SLOTS, sizeof(uint32_t));
	if (store->private->session_slots == NULL)
		return -1;
	store->private->used += SESSION_SLOTS * sizeof(uint32_t);
	store->private->hand = 1;
	return 0;
}

static uint64_t id_hash(const struct store *store, const struct session_id *id)
{
	uint64_t halves[2];

	memcpy(halves, id->bytes, sizeof(halves));
	return store_hash(store, halves[0] ^ store_hash(store, halves[1]));
}

static size_t home_of(const struct store *store, const struct session_id *id)
{
	return id_hash(store, id) & (SESSION_SLOTS - 1);
}

/* The slot with this id's number, or the empty one where it belongs. */
static uint32_t *slot_of(const struct store *store, const struct session_id *id)
{
	uint32_t *slots = store->private->session_slots;
	size_t slot = home_of(store, id);

	while (slots[slot] != 0 && !session_id_equal(&store->sessions[slots[slot]].id, id))
		slot = (slot + 1) & (SESSION_SLOTS - 1);
	return &slots[slot];
}

/* Takes an id out of the slots; those behind it move up, so that they are still found. */
static void slot_empty(struct store *store, const struct session_id *id)
{
	uint32_t *slots = store->private->session_slots;
	size_t hole = (size_t)(slot_of(store, id) - slots), at = hole;

	while (slots[at = (at + 1) & (SESSION_SLOTS - 1)] != 0) {
		size_t home = home_of(store, &store->sessions[slots[at]].id);

		if (((at - home) & (SESSION_SLOTS - 1)) < ((at - hole) & (SESSION_SLOTS - 1)))
			continue;
		slots[hole] = slots[at];
		hole = at;
	}
	slots[hole] = 0;
}

bool store_outside(const struct store *store, int64_t first, int64_t last)
{
	const struct store_private *private = store->private;

	return first != STAMP_NONE &&
		((private->since != STAMP_NONE && last < private->since) ||
			(private->until != STAMP_NONE && first > private->until));
}

/* The place of a session whose lines are all outside of the time that is asked for. What was
 * passed over has lines within it, and keeps them, so that the hand need not go round. */
static uint32_t place_again(struct store *store)
{
	for (uint32_t *hand = &store->private->hand; *hand < store->session_count; (*hand)++) {
		const struct session *session = &store->sessions[*hand];

		if (!session->has_id || session->kept ||
			!store_outside(store, session->first, session->last))
			continue;
		slot_empty(store, &session->id);
		store->private->others -= session->filtered;
		return *hand;
	}
	return STORE_HOST;
}

/* A new session; its number, or STORE_HOST when there is no room. */
static uint32_t session_make(struct store *store, const struct session *session)
{
	struct session *sessions = NULL;
	bool is_full = store->session_count > STORE_SESSIONS_MAXIMUM ||
		(session->filtered && store->private->others == STORE_OTHERS_MAXIMUM);
	uint32_t number;
	int error = 0;

	if (!is_full)
		sessions = store_grow(store, store->sessions, store->session_count,
			&store->session_capacity, sizeof(*sessions),
			session->filtered ? STORE_MARK_HOST : STORE_MARK_ALL, &error);
	if (sessions != NULL) {
		store->sessions = sessions;
		number = (uint32_t)store->session_count++;
	} else {
		number = place_again(store);
		if (number == STORE_HOST)
			return number;
	}
	store->sessions[number] = *session;
	store->private->others += session->filtered;
	return number;
}

static struct session session_empty(void)
{
	return (struct session){.first = STAMP_NONE, .last = STAMP_NONE, .host_first = STAMP_NONE};
}

static bool is_wanted(const struct store *store, const struct session_id *id)
{
	const char *wanted = store->private->session;
	char text[SESSION_ID_TEXT + 1];

	session_id_print(id, text);
	return strncmp(text, wanted, strlen(wanted)) == 0;
}

uint32_t store_session(struct store *store, const struct session_id *id)
{
	struct session session = session_empty();
	uint32_t number;

	if (session_id_is_zero(id))
		return STORE_HOST;
	number = *slot_of(store, id);
	if (number != 0)
		return number;
	session.has_id = true;
	session.id = *id;
	session.filtered = !is_wanted(store, id);
	number = session_make(store, &session);
	/* The slots may have moved. */
	if (number != STORE_HOST)
		*slot_of(store, id) = number;
	return number;
}

uint32_t store_session_of_source(struct store *store, uint32_t source)
{
	struct session session = session_empty();
	struct store_group *group;

	assert(source < store->source_count);
	group = &store->private->groups[store->private->groups[source].first];
	if (group->session != STORE_HOST)
		return group->session;
	session.source = store->private->groups[source].first;
	session.filtered = store->private->session[0] != '\0';
	group->session = session_make(store, &session);
	return group->session;
}

/* Counts a session once, as long as there is room to know it again. */
static void lost_add(struct store *store, uint64_t key)
{
	struct store_private *private = store->private;
	size_t slot = key & (LOST_SLOTS - 1);
	int error = 0;

	if (private->lost == NULL) {
		private->lost = store_table(
			store, 0, LOST_SLOTS, sizeof(*private->lost), STORE_MARK_ALL, &error);
	}
	if (private->lost == NULL) {
		store->sessions_lost = 1;
		store->sessions_lost_more = true;
		return;
	}
	key |= 1; /* zero is an empty slot */
	while (private->lost[slot] != 0 && private->lost[slot] != key)
		slot = (slot + 1) & (LOST_SLOTS - 1);
	if (private->lost[slot] == key)
		return;
	if (store->sessions_lost == STORE_LOST_MAXIMUM) {
		store->sessions_lost_more = true;
		return;
	}
	private->lost[slot] = key;
	store->sessions_lost++;
}

void store_session_lost(struct store *store, const struct session *lost)
{
	if (store_outside(store, lost->first, lost->last))
		return;
	if (lost->has_id ? !is_wanted(store, &lost->id) : store->private->session[0] != '\0') {
		store->others_dropped += lost->lines;
		return;
	}
	store->sessions_dropped += lost->lines;
	lost_add(store,
		lost->has_id ? id_hash(store, &lost->id)
			     : store_hash(store, store->private->groups[lost->source].first));
}
