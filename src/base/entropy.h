/*
 * entropy.h - randomness is an argument, so that a test can repeat a run.
 */
#ifndef FAIRLEAD_BASE_ENTROPY_H
#define FAIRLEAD_BASE_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

struct entropy {
	/* Fills all of it or returns ERROR_SYSTEM. */
	int (*fill)(void *user, void *bytes, size_t length);
	void *user;
};

/* The kernel's generator (getrandom). Static, never freed, thread-safe. */
const struct entropy *entropy_system(void);

/*
 * The kernel's generator read ahead: one system call serves many small requests, each byte is
 * wiped as it is handed out, and a request of more than ENTROPY_POOL_DIRECT bytes goes to the
 * kernel. Thread-safe. After a fork the child's pool is empty (the page is one that the kernel
 * wipes), so the two never hand out the same bytes; it is left out of core dumps.
 */
#define ENTROPY_POOL_DIRECT 64
struct entropy_pool;
struct entropy_pool *entropy_pool_new(void); /* NULL: memory */
void entropy_pool_free(struct entropy_pool *pool);
/* Lives as long as the pool. */
const struct entropy *entropy_pool(const struct entropy_pool *pool);

int entropy_fill(const struct entropy *entropy, void *bytes, size_t length);

/* A repeatable sequence; for tests, never for secrets. */
struct entropy_fake {
	struct entropy entropy;
	uint64_t state;
};
void entropy_fake_init(struct entropy_fake *fake, uint64_t seed);

#endif
