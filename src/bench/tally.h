/*
 * tally.h - how long things took: counts in classes of about 1.5 % width,
 * from a microsecond to over an hour, so that a run of any length costs the same memory.
 */
#ifndef FAIRLEAD_BENCH_TALLY_H
#define FAIRLEAD_BENCH_TALLY_H

#include <stdint.h>

#define TALLY_FINE 64 /* classes of one power of two */
#define TALLY_CLASSES (TALLY_FINE * 28)

/* All zero at first. */
struct tally {
	uint64_t count;
	int64_t longest;
	uint64_t classes[TALLY_CLASSES];
};

/* Microseconds; what is below 0 counts as 0, what is too long as the longest class. */
void tally_add(struct tally *tally, int64_t microseconds);

/* What another has counted too. */
void tally_join(struct tally *tally, const struct tally *other);

/* The time that `share` (0 to 1) of all did not exceed, by the upper end of its class, but never
 * more than the longest; 0 when nothing was added. */
int64_t tally_at(const struct tally *tally, double share);

#endif
