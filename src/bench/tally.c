#include "bench/tally.h"

/* Below TALLY_FINE a class is one microsecond; above, each power of two has TALLY_FINE / 2. */
static unsigned class_of(uint64_t value)
{
	unsigned shift, class;

	if (value < TALLY_FINE)
		return (unsigned)value;
	shift = 63U - (unsigned)__builtin_clzll(value) - 5U;
	class = shift * (TALLY_FINE / 2) + (unsigned)(value >> shift);
	return class < TALLY_CLASSES ? class : TALLY_CLASSES - 1;
}

/* The largest value of a class. */
static uint64_t end_of(unsigned class)
{
	unsigned shift;
	uint64_t fine;

	if (class < TALLY_FINE)
		return class;
	shift = class / (TALLY_FINE / 2) - 1;
	fine = class - shift * (TALLY_FINE / 2);
	return ((fine + 1) << shift) - 1;
}

void tally_add(struct tally *tally, int64_t microseconds)
{
	if (microseconds < 0)
		microseconds = 0;
	tally->count++;
	tally->classes[class_of((uint64_t)microseconds)]++;
	if (microseconds > tally->longest)
		tally->longest = microseconds;
}

void tally_join(struct tally *tally, const struct tally *other)
{
	tally->count += other->count;
	if (other->longest > tally->longest)
		tally->longest = other->longest;
	for (int i = 0; i < TALLY_CLASSES; i++)
		tally->classes[i] += other->classes[i];
}

int64_t tally_at(const struct tally *tally, double share)
{
	double wanted = share * (double)tally->count;
	uint64_t seen = 0;

	for (unsigned class = 0; class < TALLY_CLASSES; class ++) {
		seen += tally->classes[class];
		if (seen > 0 && (double)seen >= wanted) {
			int64_t end = (int64_t)end_of(class);

			return end < tally->longest ? end : tally->longest;
		}
	}
	return tally->longest;
}
