#include "base/entropy.h"

#include <errno.h>
#include <sys/random.h>

#include "base/error.h"

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
