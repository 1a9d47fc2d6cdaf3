#include "base/entropy.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/error.h"
#include "base/secret.h"

/* getrandom promises up to 256 bytes without interruption. */
#define POOL_BYTES 256

/* What a fork must not copy: a page of its own. All zero is an unlocked lock and an empty stock,
 * which is what the child finds. */
struct stock {
	pthread_mutex_t lock;
	size_t left;
	unsigned char bytes[POOL_BYTES];
};

struct entropy_pool {
	struct entropy entropy;
	struct stock *stock;
};

static int system_fill(void *user, void *bytes, size_t length)
{
	unsigned char *at = bytes;

	(void)user;
	while (length > 0) {
		ssize_t got = getrandom(at, length, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERROR_SYSTEM;
		at += got;
		length -= (size_t)got;
	}
	return 0;
}

const struct entropy *entropy_system(void)
{
	static const struct entropy entropy = {.fill = system_fill};

	return &entropy;
}

static int pool_fill(void *user, void *bytes, size_t length)
{
	struct stock *stock = user;
	int error = 0;

	if (length > ENTROPY_POOL_DIRECT)
		return system_fill(NULL, bytes, length);
	pthread_mutex_lock(&stock->lock);
	if (stock->left < length) {
		error = system_fill(NULL, stock->bytes, sizeof(stock->bytes));
		stock->left = error == 0 ? sizeof(stock->bytes) : 0;
	}
	if (error == 0) {
		unsigned char *from = stock->bytes + sizeof(stock->bytes) - stock->left;

		memcpy(bytes, from, length);
		secret_wipe(from, length);
		stock->left -= length;
	}
	pthread_mutex_unlock(&stock->lock);
	return error;
}

struct entropy_pool *entropy_pool_new(void)
{
	struct entropy_pool *pool = calloc(1, sizeof(*pool));
	void *page;

	if (pool == NULL)
		return NULL;
	page = mmap(NULL, sizeof(struct stock), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0); /* cppcheck-suppress invalidFunctionArg ; -1: no file */
	if (page == MAP_FAILED) {
		free(pool);
		return NULL;
	}
	if (madvise(page, sizeof(struct stock), MADV_WIPEONFORK) != 0) {
		/* A kernel without it (before 4.14): nothing is read ahead. */
		munmap(page, sizeof(struct stock));
		pool->entropy = *entropy_system();
		return pool;
	}
	(void)madvise(page, sizeof(struct stock), MADV_DONTDUMP);
	pool->stock = page;
	pthread_mutex_init(&pool->stock->lock, NULL);
	pool->entropy = (struct entropy){.fill = pool_fill, .user = page};
	return pool;
}

void entropy_pool_free(struct entropy_pool *pool)
{
	if (pool == NULL)
		return;
	if (pool->stock != NULL) {
		pthread_mutex_destroy(&pool->stock->lock);
		secret_wipe(pool->stock, sizeof(*pool->stock));
		munmap(pool->stock, sizeof(*pool->stock));
	}
	free(pool);
}

const struct entropy *entropy_pool(const struct entropy_pool *pool)
{
	return &pool->entropy;
}

int entropy_fill(const struct entropy *entropy, void *bytes, size_t length)
{
	return entropy->fill(entropy->user, bytes, length);
}

/* SplitMix64 (Steele, Lea, Flood 2014): any seed, also 0, gives a full
 * period. */
static uint64_t fake_next(uint64_t *state)
{
	uint64_t mixed;

	*state += UINT64_C(0x9e3779b97f4a7c15);
	mixed = *state;
	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

static int fake_fill(void *user, void *bytes, size_t length)
{
	struct entropy_fake *fake = user;
	unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++)
		at[i] = (unsigned char)(fake_next(&fake->state) & 0xff);
	return 0;
}

void entropy_fake_init(struct entropy_fake *fake, uint64_t seed)
{
	*fake = (struct entropy_fake){
		.entropy = {.fill = fake_fill, .user = fake},
		.state = seed,
	};
}
