#include "wire/http_guard.h"

#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/entropy.h"
#include "base/error.h"

#define NONE UINT32_MAX

/* As many entries as there may be connections, so the table cannot overflow, and it is
 * allocated once. */
struct entry {
	struct http_guard_key key;
	unsigned count;
	uint32_t next; /* in its bucket, or in the list of free ones */
};

struct http_guard {
	pthread_mutex_t mutex;
	struct http_limits limits;
	unsigned connections;
	uint64_t seed[2]; /* so that nobody can choose addresses that fall into one bucket */
	uint32_t mask;
	uint32_t free;
	uint32_t *buckets;
	struct entry *entries;
};

struct http_limits http_guard_limits(const struct http_limits *limits)
{
	struct http_limits result = {0};

	if (limits != NULL)
		result = *limits;
	if (result.connections == 0)
		result.connections = 4096;
	if (result.connections_per_address == 0)
		result.connections_per_address = 256;
	if (result.head_seconds == 0)
		result.head_seconds = 10;
	if (result.idle_seconds == 0)
		result.idle_seconds = 60;
	return result;
}

struct http_guard *http_guard_new(const struct http_limits *limits)
{
	struct http_guard *guard = calloc(1, sizeof(*guard));
	uint32_t size = 1;

	if (guard == NULL)
		return NULL;
	guard->limits = http_guard_limits(limits);
	if (guard->limits.connections > 1U << 24)
		guard->limits.connections = 1U << 24;
	while (size < guard->limits.connections)
		size *= 2;
	guard->mask = size - 1;
	guard->buckets = calloc(size, sizeof(*guard->buckets));
	guard->entries = calloc(guard->limits.connections, sizeof(*guard->entries));
	if (guard->buckets == NULL || guard->entries == NULL ||
		entropy_fill(entropy_system(), guard->seed, sizeof(guard->seed)) != 0 ||
		pthread_mutex_init(&guard->mutex, NULL) != 0) {
		free(guard->buckets);
		free(guard->entries);
		free(guard);
		return NULL;
	}
	memset(guard->buckets, 0xff, size * sizeof(*guard->buckets));
	for (uint32_t i = 0; i < guard->limits.connections; i++)
		guard->entries[i].next = i + 1 < guard->limits.connections ? i + 1 : NONE;
	return guard;
}

void http_guard_free(struct http_guard *guard)
{
	if (guard == NULL)
		return;
	assert(guard->connections == 0);
	pthread_mutex_destroy(&guard->mutex);
	free(guard->buckets);
	free(guard->entries);
	free(guard);
}

void http_guard_key(const struct sockaddr *address, struct http_guard_key *ret_key)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	memset(ret_key, 0, sizeof(*ret_key));
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;

		memcpy(ret_key->bytes, mapped, sizeof(mapped));
		memcpy(ret_key->bytes + sizeof(mapped), &in->sin_addr, 4);
	} else if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)address;

		memcpy(ret_key->bytes, &in6->sin6_addr,
			IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) ? 16 : 8);
	}
}

/* Mixing steps of the splitmix64 generator (public domain algorithm), keyed. */
static uint64_t mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static uint32_t *bucket(struct http_guard *guard, const struct http_guard_key *key)
{
	uint64_t halves[2];

	memcpy(halves, key->bytes, sizeof(halves));
	return &guard->buckets[mix(mix(halves[0] ^ guard->seed[0]) ^ halves[1] ^ guard->seed[1]) &
		guard->mask];
}

/* Where the number of this key's entry stands; *result is NONE if there is none. */
static uint32_t *find(struct http_guard *guard, const struct http_guard_key *key)
{
	uint32_t *at = bucket(guard, key);

	while (*at != NONE && memcmp(&guard->entries[*at].key, key, sizeof(*key)) != 0)
		at = &guard->entries[*at].next;
	return at;
}

int http_guard_enter(struct http_guard *guard, const struct http_guard_key *key, bool trusted)
{
	uint32_t *at;
	int result = 0;

	pthread_mutex_lock(&guard->mutex);
	at = find(guard, key);
	if (*at != NONE && !trusted &&
		guard->entries[*at].count >= guard->limits.connections_per_address) {
		result = ERROR_LIMIT;
	} else if (guard->connections >= guard->limits.connections) {
		result = ERROR_BUSY;
	} else {
		if (*at == NONE) {
			uint32_t fresh = guard->free;

			assert(fresh != NONE);
			guard->free = guard->entries[fresh].next;
			guard->entries[fresh] = (struct entry){.key = *key, .next = NONE};
			*at = fresh;
		}
		guard->entries[*at].count++;
		guard->connections++;
	}
	pthread_mutex_unlock(&guard->mutex);
	return result;
}

void http_guard_leave(struct http_guard *guard, const struct http_guard_key *key)
{
	uint32_t *at;

	pthread_mutex_lock(&guard->mutex);
	at = find(guard, key);
	assert(*at != NONE && guard->connections > 0);
	guard->connections--;
	if (--guard->entries[*at].count == 0) {
		uint32_t empty = *at;

		*at = guard->entries[empty].next;
		guard->entries[empty].next = guard->free;
		guard->free = empty;
	}
	pthread_mutex_unlock(&guard->mutex);
}
