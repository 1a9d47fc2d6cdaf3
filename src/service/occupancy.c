#include "service/occupancy.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

#define BUCKETS 1024 /* a power of two */

struct seat {
	struct seat *next;
	struct occupant occupant;
	char host[];
};

struct occupancy {
	const struct clock *clock;
	pthread_mutex_t lock;
	uint64_t holds; /* given so far */
	size_t count;
	struct seat *buckets[BUCKETS];
};

int occupancy_new(const struct clock *clock, struct occupancy **ret_occupancy)
{
	struct occupancy *occupancy = calloc(1, sizeof(*occupancy));

	if (occupancy == NULL)
		return ERROR_MEMORY;
	if (pthread_mutex_init(&occupancy->lock, NULL) != 0) {
		free(occupancy);
		return ERROR_MEMORY;
	}
	occupancy->clock = clock;
	*ret_occupancy = occupancy;
	return 0;
}

void occupancy_free(struct occupancy *occupancy)
{
	if (occupancy == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (occupancy->buckets[i] != NULL) {
			struct seat *seat = occupancy->buckets[i];

			occupancy->buckets[i] = seat->next;
			free(seat);
		}
	}
	pthread_mutex_destroy(&occupancy->lock);
	free(occupancy);
}

/* Where the seat of that host is, or would be appended. */
static struct seat **place_of(struct occupancy *occupancy, const char *host)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a over lower case */
	struct seat **place;

	for (const char *at = host; *at != '\0'; at++) {
		unsigned char byte = (unsigned char)*at;

		if (byte >= 'A' && byte <= 'Z')
			byte = (unsigned char)(byte - 'A' + 'a');
		hash = (hash ^ byte) * UINT64_C(1099511628211);
	}
	place = &occupancy->buckets[(hash ^ hash >> 32) & (BUCKETS - 1)];
	while (*place != NULL && strcasecmp((*place)->host, host) != 0)
		place = &(*place)->next;
	return place;
}

static void remove_at(struct occupancy *occupancy, struct seat **place)
{
	struct seat *seat = *place;

	*place = seat->next;
	occupancy->count--;
	free(seat);
}

/* The end of a hold is the agreement; a seat nobody asks for again costs only memory, which
 * this gives back. Called when the table is full. */
static void remove_ended(struct occupancy *occupancy, int64_t now)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct seat **place = &occupancy->buckets[i];

		while (*place != NULL) {
			if (now >= (*place)->occupant.until)
				remove_at(occupancy, place);
			else
				place = &(*place)->next;
		}
	}
}

static int add_seat(
	struct occupancy *occupancy, const char *host, int64_t now, struct seat **ret_seat)
{
	size_t length = strlen(host);
	struct seat *seat;

	if (occupancy->count >= OCCUPANCY_HOSTS_MAXIMUM)
		remove_ended(occupancy, now);
	if (occupancy->count >= OCCUPANCY_HOSTS_MAXIMUM)
		return ERROR_LIMIT;
	seat = calloc(1, sizeof(*seat) + length + 1);
	if (seat == NULL)
		return ERROR_MEMORY;
	memcpy(seat->host, host, length + 1);
	*place_of(occupancy, host) = seat;
	occupancy->count++;
	*ret_seat = seat;
	return 0;
}

static bool same_user(const struct occupant *occupant, const char *user, const char *domain)
{
	return strcasecmp(occupant->user, user) == 0 && strcasecmp(occupant->domain, domain) == 0;
}

int occupancy_take(struct occupancy *occupancy, const char *host, const char *user,
	const char *domain, int64_t hold, struct occupant *ret_occupant)
{
	int64_t now = clock_wall(occupancy->clock);
	struct seat *seat;
	int error = 0;

	if (strlen(user) > IDENTITY_NAME_MAXIMUM || strlen(domain) > IDENTITY_NAME_MAXIMUM)
		return ERROR_INPUT;
	pthread_mutex_lock(&occupancy->lock);
	seat = *place_of(occupancy, host);
	if (seat != NULL && now < seat->occupant.until &&
		!same_user(&seat->occupant, user, domain)) {
		*ret_occupant = seat->occupant;
		error = ERROR_BUSY;
		goto out;
	}
	if (seat == NULL)
		error = add_seat(occupancy, host, now, &seat);
	if (error != 0)
		goto out;
	memset(&seat->occupant, 0, sizeof(seat->occupant));
	memcpy(seat->occupant.user, user, strlen(user));
	memcpy(seat->occupant.domain, domain, strlen(domain));
	seat->occupant.since = now;
	seat->occupant.until = now + hold;
	seat->occupant.hold = ++occupancy->holds;
	*ret_occupant = seat->occupant;
out:
	pthread_mutex_unlock(&occupancy->lock);
	return error;
}

void occupancy_leave(struct occupancy *occupancy, const char *host, const struct occupant *occupant)
{
	struct seat **place;

	pthread_mutex_lock(&occupancy->lock);
	place = place_of(occupancy, host);
	if (*place != NULL && (*place)->occupant.hold == occupant->hold)
		remove_at(occupancy, place);
	pthread_mutex_unlock(&occupancy->lock);
}

int occupancy_who(struct occupancy *occupancy, const char *host, struct occupant *ret_occupant)
{
	int64_t now = clock_wall(occupancy->clock);
	struct seat **place;
	int error = ERROR_NOT_FOUND;

	pthread_mutex_lock(&occupancy->lock);
	place = place_of(occupancy, host);
	if (*place != NULL && now < (*place)->occupant.until) {
		*ret_occupant = (*place)->occupant;
		error = 0;
	}
	pthread_mutex_unlock(&occupancy->lock);
	return error;
}
