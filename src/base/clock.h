/*
 * clock.h - time is an argument.
 *
 * Whoever needs the time is given a struct clock; tests give one that they
 * move by hand. Microseconds everywhere, signed 64 bits.
 */
#ifndef FAIRLEAD_BASE_CLOCK_H
#define FAIRLEAD_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_SECOND INT64_C(1000000)
#define CLOCK_MILLISECOND INT64_C(1000)

struct clock {
	int64_t (*wall)(void *user);   /* since 1970-01-01T00:00:00Z; may jump */
	int64_t (*steady)(void *user); /* since some start; never goes back */
	void *user;
};

/* The machine's clock. Static, never freed. */
const struct clock *clock_system(void);

int64_t clock_wall(const struct clock *clock);
int64_t clock_steady(const struct clock *clock);

/* "2021-03-24T21:10:59.601Z": 24 characters and a NUL. */
#define CLOCK_STAMP_SIZE 25
void clock_stamp(int64_t wall, char stamp[CLOCK_STAMP_SIZE]);

/* A clock that stands still until it is moved; for tests. */
struct clock_fake {
	struct clock clock; /* pass &fake.clock on */
	int64_t wall_now;
	int64_t steady_now;
};
void clock_fake_init(struct clock_fake *fake, int64_t wall);
void clock_fake_advance(struct clock_fake *fake, int64_t microseconds);

#endif
