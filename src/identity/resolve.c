#include "identity/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"

#define KEPT (60 * CLOCK_SECOND)

struct resolve {
	char *host;
	char port[8];
	struct addrinfo hints;
	pthread_mutex_t lock;     /* over all that follows */
	pthread_cond_t has_ended; /* a look-up */
	unsigned holders;         /* the owner, and a look-up: nobody waits for a resolver */
	bool pending;             /* a look-up has not ended */
	int64_t began;            /* the last one; steady */
	unsigned long ended;      /* look-ups */
	int trouble;              /* EAI_ of the last one that failed */
	struct resolve_addresses known;
	int64_t known_until; /* steady */
};

static void take_list(struct resolve *resolve, const struct addrinfo *list)
{
	struct resolve_addresses *known = &resolve->known;

	known->count = 0;
	for (; list != NULL && known->count < RESOLVE_ADDRESSES_MAXIMUM; list = list->ai_next) {
		if (list->ai_addrlen > sizeof(known->list[0]))
			continue;
		memcpy(&known->list[known->count], list->ai_addr, list->ai_addrlen);
		known->lengths[known->count++] = list->ai_addrlen;
	}
}

/* A numeric address needs no look-up and never changes. */
static void try_numeric(struct resolve *resolve)
{
	struct addrinfo hints = resolve->hints, *list;

	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	if (getaddrinfo(resolve->host, resolve->port, &hints, &list) != 0)
		return;
	take_list(resolve, list);
	freeaddrinfo(list);
	resolve->known_until = INT64_MAX;
}

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

struct resolve *resolve_new(const char *host, uint16_t port, int socket_type)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));

	if (resolve == NULL)
		return NULL;
	resolve->host = strdup(host);
	if (resolve->host == NULL) {
		free(resolve);
		return NULL;
	}
	pthread_mutex_init(&resolve->lock, NULL);
	init_condition(&resolve->has_ended);
	resolve->holders = 1;
	resolve->trouble = EAI_NONAME;
	snprintf(resolve->port, sizeof(resolve->port), "%u", (unsigned)port);
	resolve->hints.ai_family = AF_UNSPEC;
	resolve->hints.ai_socktype = socket_type;
	resolve->hints.ai_flags = AI_NUMERICSERV;
	try_numeric(resolve);
	return resolve;
}

/* The last one frees. Called with the lock, which it gives back. */
static void let_go(struct resolve *resolve)
{
	bool last = --resolve->holders == 0;

	pthread_mutex_unlock(&resolve->lock);
	if (!last)
		return;
	pthread_cond_destroy(&resolve->has_ended);
	pthread_mutex_destroy(&resolve->lock);
	free(resolve->host);
	free(resolve);
}

/* What was known stays where a look-up brings nothing. The answer's time counts from the question:
 * no clock outlives those who asked by it. */
static void *look_up(void *context)
{
	struct resolve *resolve = context;
	struct addrinfo *list = NULL;
	int trouble = getaddrinfo(resolve->host, resolve->port, &resolve->hints, &list);

	pthread_mutex_lock(&resolve->lock);
	if (trouble == 0) {
		take_list(resolve, list);
		resolve->known_until = resolve->began + KEPT;
	} else {
		resolve->trouble = trouble;
	}
	resolve->pending = false;
	resolve->ended++;
	pthread_cond_broadcast(&resolve->has_ended);
	let_go(resolve);
	if (trouble == 0)
		freeaddrinfo(list);
	return NULL;
}

static int start(struct resolve *resolve, int64_t now)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, look_up, resolve) != 0)
		return ERROR_MEMORY;
	pthread_detach(thread);
	resolve->began = now;
	resolve->pending = true;
	resolve->holders++;
	return 0;
}

static void await(struct resolve *resolve, int64_t microseconds)
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
	pthread_cond_timedwait(&resolve->has_ended, &resolve->lock, &until);
}

/* ERROR_TIMEOUT: the look-up of that number has not ended. */
static int ask(struct resolve *resolve, int64_t now, unsigned long *number)
{
	bool known = resolve->known.count > 0;

	if (known && now < resolve->known_until)
		return 0;
	if (!known && *number != 0 && resolve->ended >= *number)
		return ERROR_NOT_FOUND;
	if (!resolve->pending && start(resolve, now) != 0 && !known)
		return ERROR_MEMORY;
	if (known)
		return 0;
	if (*number == 0)
		*number = resolve->ended + 1;
	return ERROR_TIMEOUT;
}

int resolve_get(struct resolve *resolve, const struct clock *clock, int64_t until,
	struct resolve_addresses *ret_addresses)
{
	unsigned long number = 0;
	int64_t now;
	int error;

	pthread_mutex_lock(&resolve->lock);
	for (;;) {
		now = clock_steady(clock);
		error = ask(resolve, now, &number);
		if (error != ERROR_TIMEOUT || now >= until)
			break;
		await(resolve, until - now);
	}
	if (error == 0)
		*ret_addresses = resolve->known;
	pthread_mutex_unlock(&resolve->lock);
	return error;
}

int resolve_poll(struct resolve *resolve, const struct clock *clock, unsigned long *number,
	struct resolve_addresses *ret_addresses)
{
	int error;

	pthread_mutex_lock(&resolve->lock);
	error = ask(resolve, clock_steady(clock), number);
	if (error == 0)
		*ret_addresses = resolve->known;
	pthread_mutex_unlock(&resolve->lock);
	return error;
}

const char *resolve_trouble(struct resolve *resolve)
{
	int trouble;

	pthread_mutex_lock(&resolve->lock);
	trouble = resolve->trouble;
	pthread_mutex_unlock(&resolve->lock);
	return gai_strerror(trouble);
}

void resolve_free(struct resolve *resolve)
{
	if (resolve == NULL)
		return;
	pthread_mutex_lock(&resolve->lock);
	let_go(resolve);
}
