#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

/* 0000-01-01T00:00:00Z and the last microsecond of 9999: a stamp has four
 * digits for the year. */
#define STAMP_FIRST (INT64_C(-62167219200) * CLOCK_SECOND)
#define STAMP_LAST (INT64_C(253402300800) * CLOCK_SECOND - 1)

static int64_t system_now(clockid_t id)
{
	struct timespec now;
	int result = clock_gettime(id, &now);

	assert(result == 0);
	(void)result;
	return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec / 1000;
}

static int64_t system_wall(void *user)
{
	(void)user;
	return system_now(CLOCK_REALTIME);
}

static int64_t system_steady(void *user)
{
	(void)user;
	return system_now(CLOCK_MONOTONIC);
}

const struct clock *clock_system(void)
{
	static const struct clock clock = {.wall = system_wall, .steady = system_steady};

	return &clock;
}

int64_t clock_wall(const struct clock *clock)
{
	return clock->wall(clock->user);
}

int64_t clock_steady(const struct clock *clock)
{
	return clock->steady(clock->user);
}

void clock_stamp(int64_t wall, char stamp[CLOCK_STAMP_SIZE])
{
	char text[64];
	struct tm parts;
	const struct tm *date;
	int64_t fraction;
	time_t seconds;
	int length;

	if (wall < STAMP_FIRST)
		wall = STAMP_FIRST;
	if (wall > STAMP_LAST)
		wall = STAMP_LAST;
	fraction = wall % CLOCK_SECOND;
	if (fraction < 0)
		fraction += CLOCK_SECOND;
	seconds = (time_t)((wall - fraction) / CLOCK_SECOND);
	date = gmtime_r(&seconds, &parts);
	assert(date); /* a year of four digits always has one */
	length = snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
		parts.tm_sec, (int)(fraction / CLOCK_MILLISECOND));
	assert(length == CLOCK_STAMP_SIZE - 1);
	for (int i = 0; i <= length; i++)
		stamp[i] = text[i];
}

static int64_t fake_wall(void *user)
{
	const struct clock_fake *fake = user;

	return fake->wall_now;
}

static int64_t fake_steady(void *user)
{
	const struct clock_fake *fake = user;

	return fake->steady_now;
}

void clock_fake_init(struct clock_fake *fake, int64_t wall)
{
	*fake = (struct clock_fake){
		.clock = {.wall = fake_wall, .steady = fake_steady, .user = fake},
		.wall_now = wall,
	};
}

void clock_fake_advance(struct clock_fake *fake, int64_t microseconds)
{
	assert(microseconds >= 0);
	fake->wall_now += microseconds;
	fake->steady_now += microseconds;
}
