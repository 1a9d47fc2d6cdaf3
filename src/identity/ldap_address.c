#include "identity/ldap_address.h"

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"

#define KEPT (60 * CLOCK_SECOND)

struct ldap_address {
	pthread_mutex_t lock;
	const struct clock *clock;
	char *host;
	char port[8];
	struct addrinfo hints;
	pthread_cond_t has_ended; /* a look-up */
	unsigned holders;         /* the owner, and a look-up: nobody waits for a resolver */
	bool pending;             /* a look-up has not ended */
	unsigned long ended;      /* look-ups */
	struct ldap_addresses known;
	int64_t known_until; /* steady */
};

static void take_list(struct ldap_address *address, const struct addrinfo *list)
{
	struct ldap_addresses *known = &address->known;

	known->count = 0;
	for (; list != NULL && known->count < LDAP_ADDRESSES_MAXIMUM; list = list->ai_next) {
		if (list->ai_addrlen > sizeof(known->list[0]))
			continue;
		memcpy(&known->list[known->count], list->ai_addr, list->ai_addrlen);
		known->lengths[known->count++] = list->ai_addrlen;
	}
}

/* A numeric address needs no look-up and never changes. */
static void try_numeric(struct ldap_address *address)
{
	struct addrinfo hints = address->hints, *list;

	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	if (getaddrinfo(address->host, address->port, &hints, &list) != 0)
		return;
	take_list(address, list);
	freeaddrinfo(list);
	address->known_until = INT64_MAX;
}

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

struct ldap_address *ldap_address_new(const char *host, uint16_t port, const struct clock *clock)
{
	struct ldap_address *address = calloc(1, sizeof(*address));

	if (address == NULL)
		return NULL;
	address->host = strdup(host);
	if (address->host == NULL) {
		free(address);
		return NULL;
	}
	pthread_mutex_init(&address->lock, NULL);
	init_condition(&address->has_ended);
	address->clock = clock;
	address->holders = 1;
	snprintf(address->port, sizeof(address->port), "%u", (unsigned)port);
	address->hints.ai_family = AF_UNSPEC;
	address->hints.ai_socktype = SOCK_STREAM;
	address->hints.ai_flags = AI_NUMERICSERV;
	try_numeric(address);
	return address;
}

/* The last one frees. Called with the lock, which it gives back. */
static void let_go(struct ldap_address *address)
{
	bool last = --address->holders == 0;

	pthread_mutex_unlock(&address->lock);
	if (!last)
		return;
	pthread_cond_destroy(&address->has_ended);
	pthread_mutex_destroy(&address->lock);
	free(address->host);
	free(address);
}

/* What was known stays where a look-up brings nothing. */
static void *look_up(void *context)
{
	struct ldap_address *address = context;
	struct addrinfo *list = NULL;
	int error = getaddrinfo(address->host, address->port, &address->hints, &list);

	pthread_mutex_lock(&address->lock);
	if (error == 0) {
		take_list(address, list);
		address->known_until = clock_steady(address->clock) + KEPT;
	}
	address->pending = false;
	address->ended++;
	pthread_cond_broadcast(&address->has_ended);
	let_go(address);
	if (error == 0)
		freeaddrinfo(list);
	return NULL;
}

static int start(struct ldap_address *address)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, look_up, address) != 0)
		return ERROR_MEMORY;
	pthread_detach(thread);
	address->pending = true;
	address->holders++;
	return 0;
}

static void await(struct ldap_address *address, int64_t microseconds)
{
	struct timespec until;
	int64_t nanoseconds;

	/* The condition has the machine's clock, whatever clock we were given. */
	clock_gettime(CLOCK_MONOTONIC, &until);
	if (microseconds > 3600 * CLOCK_SECOND)
		microseconds = 3600 * CLOCK_SECOND;
	nanoseconds = until.tv_nsec + microseconds % CLOCK_SECOND * 1000;
	until.tv_sec += microseconds / CLOCK_SECOND + nanoseconds / 1000000000;
	until.tv_nsec = nanoseconds % 1000000000;
	pthread_cond_timedwait(&address->has_ended, &address->lock, &until);
}

static int get(struct ldap_address *address, int64_t until)
{
	unsigned long ended = address->ended;

	for (;;) {
		int64_t now = clock_steady(address->clock);

		if (address->known.count > 0 && now < address->known_until)
			return 0;
		if (address->ended != ended && address->known.count == 0)
			return ERROR_NOT_FOUND;
		if (!address->pending && start(address) != 0)
			return address->known.count > 0 ? 0 : ERROR_MEMORY;
		if (address->known.count > 0)
			return 0;
		if (now >= until)
			return ERROR_TIMEOUT;
		await(address, until - now);
	}
}

int ldap_address_get(
	struct ldap_address *address, int64_t until, struct ldap_addresses *ret_addresses)
{
	int error;

	pthread_mutex_lock(&address->lock);
	error = get(address, until);
	if (error == 0)
		*ret_addresses = address->known;
	pthread_mutex_unlock(&address->lock);
	return error;
}

void ldap_address_free(struct ldap_address *address)
{
	if (address == NULL)
		return;
	pthread_mutex_lock(&address->lock);
	let_go(address);
}
