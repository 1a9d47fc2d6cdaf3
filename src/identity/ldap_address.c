#include "identity/ldap_address.h"

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define KEPT (60 * CLOCK_SECOND)

struct ldap_address {
	pthread_mutex_t lock;
	const struct clock *clock;
	char *host;
	char port[8];
	struct addrinfo hints;
	struct gaicb request;
	struct ldap_addresses known;
	int64_t known_until; /* steady */
	unsigned long ended; /* look-ups */
	bool pending;
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
	address->clock = clock;
	snprintf(address->port, sizeof(address->port), "%u", (unsigned)port);
	address->hints.ai_family = AF_UNSPEC;
	address->hints.ai_socktype = SOCK_STREAM;
	address->hints.ai_flags = AI_NUMERICSERV;
	try_numeric(address);
	return address;
}

/* Takes what a look-up brought; what was known stays where it brought nothing. */
static void harvest(struct ldap_address *address)
{
	int error = gai_error(&address->request);

	if (error == EAI_INPROGRESS)
		return;
	address->pending = false;
	address->ended++;
	if (error != 0)
		return;
	take_list(address, address->request.ar_result);
	freeaddrinfo(address->request.ar_result);
	address->known_until = clock_steady(address->clock) + KEPT;
}

static int start(struct ldap_address *address)
{
	struct gaicb *list[1] = {&address->request};

	address->request = (struct gaicb){.ar_name = address->host,
		.ar_service = address->port,
		.ar_request = &address->hints};
	if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0)
		return ERROR_MEMORY;
	address->pending = true;
	return 0;
}

static void await(struct ldap_address *address, int64_t microseconds)
{
	const struct gaicb *list[1] = {&address->request};
	struct timespec time = {.tv_sec = microseconds / CLOCK_SECOND,
		.tv_nsec = microseconds % CLOCK_SECOND * 1000};

	pthread_mutex_unlock(&address->lock);
	gai_suspend(list, 1, &time);
	pthread_mutex_lock(&address->lock);
}

static int get(struct ldap_address *address, int64_t until)
{
	unsigned long ended = address->ended;

	for (;;) {
		int64_t now = clock_steady(address->clock);

		if (address->pending)
			harvest(address);
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

/* A request that was cancelled before it began stays "in progress" for ever: nothing is waited for.
 */
static void abandon(struct ldap_address *address)
{
	const struct gaicb *list[1] = {&address->request};

	if (gai_cancel(&address->request) == EAI_CANCELED)
		return;
	while (gai_error(&address->request) == EAI_INPROGRESS)
		gai_suspend(list, 1, NULL);
	if (gai_error(&address->request) == 0)
		freeaddrinfo(address->request.ar_result);
}

void ldap_address_free(struct ldap_address *address)
{
	if (address == NULL)
		return;
	if (address->pending)
		abandon(address);
	pthread_mutex_destroy(&address->lock);
	free(address->host);
	free(address);
}
