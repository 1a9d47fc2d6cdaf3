#include "identity/ldap_cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct item {
	struct item *next;          /* in its bucket */
	struct item *newer, *older; /* by use */
	uint64_t hash;
	int64_t until; /* steady */
	size_t bytes;
	bool has_name;
	size_t parent_count;
	char texts[]; /* key, DN, name if there is one, parents; each with its NUL */
};

struct ldap_cache {
	pthread_mutex_t lock;
	const struct clock *clock;
	int64_t keep;
	size_t count, most, bytes, most_bytes;
	struct item *newest, *oldest;
	size_t buckets; /* a power of two */
	struct item *table[];
};

struct ldap_cache *ldap_cache_new(
	size_t most, size_t bytes, int64_t keep, const struct clock *clock)
{
	struct ldap_cache *cache;
	size_t buckets = 1;

	while (buckets < most)
		buckets *= 2;
	cache = calloc(1, sizeof(*cache) + buckets * sizeof(cache->table[0]));
	if (cache == NULL)
		return NULL;
	pthread_mutex_init(&cache->lock, NULL);
	cache->clock = clock;
	cache->keep = keep;
	cache->most = most;
	cache->most_bytes = bytes;
	cache->buckets = buckets;
	return cache;
}

/* FNV-1a; names come from the directory, not from users. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash;
}

static struct item **place_of(struct ldap_cache *cache, const char *key, uint64_t hash)
{
	struct item **place = &cache->table[hash & (cache->buckets - 1)];

	while (*place != NULL && ((*place)->hash != hash || strcmp((*place)->texts, key) != 0))
		place = &(*place)->next;
	return place;
}

static void unlink_use(struct ldap_cache *cache, struct item *item)
{
	*(item->newer != NULL ? &item->newer->older : &cache->newest) = item->older;
	*(item->older != NULL ? &item->older->newer : &cache->oldest) = item->newer;
}

static void link_newest(struct ldap_cache *cache, struct item *item)
{
	item->newer = NULL;
	item->older = cache->newest;
	*(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = item;
	cache->newest = item;
}

static void remove_at(struct ldap_cache *cache, struct item **place)
{
	struct item *item = *place;

	assert(item != NULL);
	*place = item->next;
	unlink_use(cache, item);
	cache->count--;
	cache->bytes -= item->bytes;
	free(item);
}

static void remove_oldest(struct ldap_cache *cache)
{
	remove_at(cache, place_of(cache, cache->oldest->texts, cache->oldest->hash));
}

void ldap_cache_free(struct ldap_cache *cache)
{
	if (cache == NULL)
		return;
	while (cache->count > 0)
		remove_oldest(cache);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static const char *next_text(const char *text)
{
	return text + strlen(text) + 1;
}

static bool copy_out(
	const struct item *item, struct arena *arena, struct ldap_cache_group *ret_group)
{
	const char **parents = arena_alloc(arena, (item->parent_count + 1) * sizeof(*parents));
	const char *text = next_text(item->texts);
	struct ldap_cache_group group = {.dn = arena_text(arena, text)};

	text = next_text(text);
	if (item->has_name) {
		group.name = arena_text(arena, text);
		text = next_text(text);
	}
	for (size_t i = 0; parents != NULL && i < item->parent_count; i++) {
		parents[i] = arena_text(arena, text);
		text = next_text(text);
	}
	group.parents = parents;
	group.parent_count = item->parent_count;
	if (arena_lacking(arena))
		return false;
	*ret_group = group;
	return true;
}

bool ldap_cache_get(struct ldap_cache *cache, const char *key, struct arena *arena,
	struct ldap_cache_group *ret_group)
{
	struct item **place;
	bool good = false;

	pthread_mutex_lock(&cache->lock);
	place = place_of(cache, key, hash_of(key));
	if (*place != NULL && clock_steady(cache->clock) >= (*place)->until) {
		remove_at(cache, place);
	} else if (*place != NULL) {
		unlink_use(cache, *place);
		link_newest(cache, *place);
		good = copy_out(*place, arena, ret_group);
	}
	pthread_mutex_unlock(&cache->lock);
	return good;
}

static size_t bytes_of(const char *key, const struct ldap_cache_group *group)
{
	size_t bytes = sizeof(struct item) + strlen(key) + 1 + strlen(group->dn) + 1;

	if (group->name != NULL)
		bytes += strlen(group->name) + 1;
	for (size_t i = 0; i < group->parent_count; i++)
		bytes += strlen(group->parents[i]) + 1;
	return bytes;
}

static struct item *make(const char *key, const struct ldap_cache_group *group, size_t bytes)
{
	struct item *item = calloc(1, bytes);
	char *to;

	if (item == NULL)
		return NULL;
	item->hash = hash_of(key);
	item->bytes = bytes;
	item->has_name = group->name != NULL;
	item->parent_count = group->parent_count;
	to = stpcpy(item->texts, key) + 1;
	to = stpcpy(to, group->dn) + 1;
	if (group->name != NULL)
		to = stpcpy(to, group->name) + 1;
	for (size_t i = 0; i < group->parent_count; i++)
		to = stpcpy(to, group->parents[i]) + 1;
	return item;
}

void ldap_cache_put(struct ldap_cache *cache, const char *key, const struct ldap_cache_group *group)
{
	size_t bytes = bytes_of(key, group);
	struct item *item, **place;

	if (cache->keep == 0 || cache->most == 0 || bytes > cache->most_bytes)
		return;
	item = make(key, group, bytes);
	if (item == NULL)
		return;
	pthread_mutex_lock(&cache->lock);
	place = place_of(cache, key, item->hash);
	if (*place != NULL)
		remove_at(cache, place);
	while (cache->count >= cache->most || cache->bytes + bytes > cache->most_bytes)
		remove_oldest(cache);
	item->until = clock_steady(cache->clock) + cache->keep;
	place = &cache->table[item->hash & (cache->buckets - 1)];
	item->next = *place;
	*place = item;
	link_newest(cache, item);
	cache->count++;
	cache->bytes += bytes;
	pthread_mutex_unlock(&cache->lock);
}
