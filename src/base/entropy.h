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

int entropy_fill(const struct entropy *entropy, void *bytes, size_t length);

/* A repeatable sequence; for tests, never for secrets. */
struct entropy_fake {
	struct entropy entropy;
	uint64_t state;
};
void entropy_fake_init(struct entropy_fake *fake, uint64_t seed);

#endif
