#include "identity/ldap_pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Below the time after which directories, and the firewalls before them, close idle connections. */
#define IDLE_MOST (240 * CLOCK_SECOND)
/* Rights of the program's own account are those at its bind: they are looked at again in time. */
#define AGE_MOST (3600 * CLOCK_SECOND)

struct idle {
	struct ldap_link *link;
	int64_t since; /* steady */
};

/* A stack: the longest idle is at the bottom. */
struct shelf {
	size_t count;
	struct idle *idle;
};

struct ldap_pool {
	pthread_mutex_t lock;
	const struct clock *clock;
	size_t servers, most;
	struct shelf *shelves; /* [server * LDAP_POOL_KINDS + kind] */
};

struct ldap_pool *ldap_pool_new(size_t servers, size_t most, const struct clock *clock)
{
	struct ldap_pool *pool = calloc(1, sizeof(*pool));
	size_t shelves = servers * LDAP_POOL_KINDS;
	struct idle *idle = calloc(shelves * most, sizeof(*idle));

	if (pool != NULL)
		pool->shelves = calloc(shelves, sizeof(*pool->shelves));
	if (pool == NULL || pool->shelves == NULL || idle == NULL) {
		if (pool != NULL)
			free(pool->shelves);
		free(pool);
		free(idle);
		return NULL;
	}
	pthread_mutex_init(&pool->lock, NULL);
	pool->clock = clock;
	pool->servers = servers;
	pool->most = most;
	for (size_t i = 0; i < shelves; i++)
		pool->shelves[i].idle = &idle[i * most];
	return pool;
}

static struct shelf *shelf_of(struct ldap_pool *pool, size_t server, enum ldap_pool_kind kind)
{
	assert(server < pool->servers && kind < LDAP_POOL_KINDS);
	return &pool->shelves[server * LDAP_POOL_KINDS + kind];
}

/* The one at the bottom, if it was idle for too long. */
static struct ldap_link *take_old(struct ldap_pool *pool, struct shelf *shelf)
{
	struct ldap_link *link;

	if (shelf->count == 0 || clock_steady(pool->clock) - shelf->idle[0].since < IDLE_MOST)
		return NULL;
	link = shelf->idle[0].link;
	shelf->count--;
	memmove(&shelf->idle[0], &shelf->idle[1], shelf->count * sizeof(shelf->idle[0]));
	return link;
}

/* Links are closed outside the lock: saying good-bye may take a moment. */
static struct ldap_link *pop(struct ldap_pool *pool, struct shelf *shelf)
{
	struct ldap_link *link = NULL, *old;

	pthread_mutex_lock(&pool->lock);
	while ((old = take_old(pool, shelf)) != NULL) {
		pthread_mutex_unlock(&pool->lock);
		ldap_link_close(old);
		pthread_mutex_lock(&pool->lock);
	}
	if (shelf->count > 0)
		link = shelf->idle[--shelf->count].link;
	pthread_mutex_unlock(&pool->lock);
	return link;
}

struct ldap_link *ldap_pool_take(struct ldap_pool *pool, size_t server, enum ldap_pool_kind kind)
{
	struct shelf *shelf = shelf_of(pool, server, kind);
	struct ldap_link *link;

	while ((link = pop(pool, shelf)) != NULL && ldap_link_is_stale(link))
		ldap_link_close(link);
	return link;
}

void ldap_pool_give(
	struct ldap_pool *pool, size_t server, enum ldap_pool_kind kind, struct ldap_link *link)
{
	struct shelf *shelf = shelf_of(pool, server, kind);
	int64_t now = clock_steady(pool->clock);

	pthread_mutex_lock(&pool->lock);
	if (shelf->count < pool->most && now - ldap_link_born(link) < AGE_MOST) {
		shelf->idle[shelf->count++] = (struct idle){.link = link, .since = now};
		link = NULL;
	}
	pthread_mutex_unlock(&pool->lock);
	ldap_link_close(link);
}

void ldap_pool_drop(struct ldap_pool *pool, size_t server)
{
	for (int kind = 0; kind < LDAP_POOL_KINDS; kind++) {
		struct shelf *shelf = shelf_of(pool, server, (enum ldap_pool_kind)kind);
		struct ldap_link *link;

		while ((link = pop(pool, shelf)) != NULL)
			ldap_link_close(link);
	}
}

void ldap_pool_free(struct ldap_pool *pool)
{
	if (pool == NULL)
		return;
	for (size_t i = 0; i < pool->servers; i++)
		ldap_pool_drop(pool, i);
	pthread_mutex_destroy(&pool->lock);
	free(pool->shelves[0].idle);
	free(pool->shelves);
	free(pool);
}
