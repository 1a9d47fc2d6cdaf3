#include "service/sessions.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

#define DEFAULT_MAXIMUM 65536
#define DEFAULT_MAXIMUM_TIME (30 * 60 * CLOCK_SECOND)
#define DEFAULT_IDLE_TIME (5 * 60 * CLOCK_SECOND)
/* Small tables have one stripe, so that their maximum is exact. */
#define STRIPES 64
#define STRIPED_FROM 1024
#define CACHE_LINE 64

/* Sessions that nobody holds, least recently touched first. */
struct idle_list {
	struct session *oldest, *newest;
};

struct stripe {
	pthread_mutex_t lock;
	struct session **buckets; /* chains by hash */
	struct idle_list guests;  /* not authenticated: may be displaced */
	struct idle_list members;
	size_t count; /* held ones included */
};

struct sessions {
	const struct clock *clock;
	const struct entropy *entropy;
	EVP_MD *sha256; /* fetched once: a fetch costs more than the hash */
	_Atomic int64_t maximum_time;
	_Atomic int64_t idle_time;
	size_t stripe_maximum;
	size_t stripe_count;
	size_t bucket_count; /* of one stripe; a power of two */
	struct stripe stripes[STRIPES];
};

int sessions_set_text(char **text, const char *value)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return ERROR_MEMORY;
	secret_wipe_text(*text);
	free(*text);
	*text = copy;
	return 0;
}

static void session_free(struct session *session)
{
	char **texts[] = {
		&session->user, &session->domain, &session->client_name, &session->client_product};

	if (session->logon_free != NULL)
		session->logon_free(session->logon);
	if (session->role_free != NULL)
		session->role_free(session->role);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		secret_wipe_text(*texts[i]);
		free(*texts[i]);
	}
	seal_wipe(&session->password);
	secret_wipe(session, sizeof(*session));
	free(session);
}

static struct idle_list *list_of(struct stripe *stripe, const struct session *session)
{
	bool guest = session->state == STATE_CREATED || session->state == STATE_ERRORED;

	return guest ? &stripe->guests : &stripe->members;
}

static void idle_add(struct idle_list *list, struct session *session)
{
	session->newer = NULL;
	session->older = list->newest;
	if (list->newest != NULL)
		list->newest->newer = session;
	else
		list->oldest = session;
	list->newest = session;
}

static void idle_remove(struct idle_list *list, struct session *session)
{
	if (session->newer != NULL)
		session->newer->older = session->older;
	else
		list->newest = session->older;
	if (session->older != NULL)
		session->older->newer = session->newer;
	else
		list->oldest = session->newer;
	session->newer = session->older = NULL;
}

/* The stripe and the bucket come from different bytes of the hash. */
static struct stripe *stripe_of(struct sessions *sessions, const unsigned char *hash)
{
	return &sessions->stripes[hash[0] & (sessions->stripe_count - 1)];
}

static struct session **bucket_of(
	const struct sessions *sessions, struct stripe *stripe, const unsigned char *hash)
{
	uint64_t number;

	memcpy(&number, hash + 8, sizeof(number));
	return &stripe->buckets[number & (sessions->bucket_count - 1)];
}

static struct session **find(
	const struct sessions *sessions, struct stripe *stripe, const unsigned char *hash)
{
	struct session **place = bucket_of(sessions, stripe, hash);

	while (*place != NULL && !secret_equal((*place)->hash, hash, SESSIONS_HASH_BYTES))
		place = &(*place)->next;
	return place;
}

static void chain_add(struct session **bucket, struct session *session)
{
	session->next = *bucket;
	session->place = bucket;
	if (session->next != NULL)
		session->next->place = &session->next;
	*bucket = session;
}

/* Takes a session out of its chain, without a walk along it: under a flood each step would wait
 * for memory. The caller frees it without the lock. */
static void unchain(struct stripe *stripe, struct session *session)
{
	assert(*session->place == session);
	*session->place = session->next;
	if (session->next != NULL)
		session->next->place = session->place;
	session->next = NULL;
	stripe->count--;
}

/* The next session to be displaced has long left the processor's caches: it is called back before
 * it is needed. */
static void expect_displacement(const struct stripe *stripe)
{
	const struct session *oldest = stripe->guests.oldest;
	const char *after = oldest != NULL ? (const char *)oldest->newer : NULL;

	for (size_t at = 0; after != NULL && at < sizeof(*oldest); at += CACHE_LINE)
		__builtin_prefetch(after + at, 1);
}

static bool expired(struct sessions *sessions, const struct session *session, int64_t now)
{
	return now - session->created >= sessions->maximum_time ||
		now - session->touched >= sessions->idle_time;
}

int sessions_new(const struct sessions_options *options, struct sessions **ret_sessions)
{
	size_t maximum = options->maximum != 0 ? options->maximum : DEFAULT_MAXIMUM;
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (sessions == NULL)
		return ERROR_MEMORY;
	sessions->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (sessions->sha256 == NULL) {
		free(sessions);
		return ERROR_CRYPTO;
	}
	sessions->clock = options->clock;
	sessions->entropy = options->entropy;
	sessions_set_times(sessions, options->maximum_time, options->idle_time);
	sessions->stripe_count = maximum < STRIPED_FROM ? 1 : STRIPES;
	sessions->stripe_maximum = (maximum + sessions->stripe_count - 1) / sessions->stripe_count;
	sessions->bucket_count = 16;
	while (sessions->bucket_count < sessions->stripe_maximum)
		sessions->bucket_count *= 2;
	for (size_t i = 0; i < sessions->stripe_count; i++) {
		struct stripe *stripe = &sessions->stripes[i];

		pthread_mutex_init(&stripe->lock, NULL);
		stripe->buckets = calloc(sessions->bucket_count, sizeof(*stripe->buckets));
		if (stripe->buckets == NULL) {
			sessions->stripe_count = i + 1;
			sessions_free(sessions);
			return ERROR_MEMORY;
		}
	}
	*ret_sessions = sessions;
	return 0;
}

void sessions_free(struct sessions *sessions)
{
	if (sessions == NULL)
		return;
	for (size_t i = 0; i < sessions->stripe_count; i++) {
		struct stripe *stripe = &sessions->stripes[i];

		for (size_t b = 0; stripe->buckets != NULL && b < sessions->bucket_count; b++) {
			while (stripe->buckets[b] != NULL) {
				struct session *session = stripe->buckets[b];

				stripe->buckets[b] = session->next;
				session_free(session);
			}
		}
		free(stripe->buckets);
		pthread_mutex_destroy(&stripe->lock);
	}
	EVP_MD_free(sessions->sha256);
	free(sessions);
}

void sessions_set_times(struct sessions *sessions, int64_t maximum_time, int64_t idle_time)
{
	sessions->maximum_time = maximum_time != 0 ? maximum_time : DEFAULT_MAXIMUM_TIME;
	sessions->idle_time = idle_time != 0 ? idle_time : DEFAULT_IDLE_TIME;
}

static int hash_cookie(const struct sessions *sessions, const char *cookie,
	unsigned char hash[SESSIONS_HASH_BYTES])
{
	return EVP_Digest(cookie, strlen(cookie), hash, NULL, sessions->sha256, NULL) == 1
		? 0
		: ERROR_MEMORY;
}

int sessions_create(
	struct sessions *sessions, char cookie[SESSIONS_COOKIE_SIZE], struct session **ret_session)
{
	struct session *session, *displaced = NULL;
	struct session **bucket;
	struct stripe *stripe;
	unsigned char random[16];
	char text[SESSIONS_COOKIE_SIZE];
	int error = entropy_fill(sessions->entropy, random, sizeof(random));

	if (error != 0)
		return error;
	secret_hex(random, sizeof(random), text);
	session = calloc(1, sizeof(*session));
	if (session == NULL)
		return ERROR_MEMORY;
	if (hash_cookie(sessions, text, session->hash) != 0) {
		session_free(session);
		return ERROR_MEMORY;
	}
	session->created = session->touched = clock_steady(sessions->clock);
	session->busy = true;
	session->state = STATE_NONE;

	stripe = stripe_of(sessions, session->hash);
	pthread_mutex_lock(&stripe->lock);
	if (stripe->count >= sessions->stripe_maximum) {
		displaced = stripe->guests.oldest;
		if (displaced != NULL) {
			idle_remove(&stripe->guests, displaced);
			unchain(stripe, displaced);
			expect_displacement(stripe);
		} else {
			error = ERROR_LIMIT;
		}
	}
	if (error == 0) {
		bucket = bucket_of(sessions, stripe, session->hash);
		chain_add(bucket, session);
		stripe->count++;
	}
	pthread_mutex_unlock(&stripe->lock);

	if (displaced != NULL)
		session_free(displaced);
	if (error != 0) {
		session_free(session);
		return error;
	}
	memcpy(cookie, text, sizeof(text));
	*ret_session = session;
	return 0;
}

int sessions_take(struct sessions *sessions, const char *cookie, struct session **ret_session)
{
	int64_t now = clock_steady(sessions->clock);
	unsigned char hash[SESSIONS_HASH_BYTES];
	struct session *session, *ended = NULL;
	struct stripe *stripe;
	int error = 0;

	if (hash_cookie(sessions, cookie, hash) != 0)
		return ERROR_NOT_FOUND;
	stripe = stripe_of(sessions, hash);
	pthread_mutex_lock(&stripe->lock);
	session = *find(sessions, stripe, hash);
	if (session == NULL) {
		error = ERROR_NOT_FOUND;
	} else if (session->busy) {
		error = ERROR_BUSY;
	} else {
		idle_remove(list_of(stripe, session), session);
		if (expired(sessions, session, now)) {
			unchain(stripe, session);
			ended = session;
			error = ERROR_NOT_FOUND;
		} else {
			session->busy = true;
		}
	}
	pthread_mutex_unlock(&stripe->lock);
	if (ended != NULL)
		session_free(ended);
	if (error == 0)
		*ret_session = session;
	return error;
}

void sessions_fault(struct sessions *sessions, const char *cookie)
{
	unsigned char hash[SESSIONS_HASH_BYTES];
	struct session *session;
	struct stripe *stripe;

	if (hash_cookie(sessions, cookie, hash) != 0)
		return;
	stripe = stripe_of(sessions, hash);
	pthread_mutex_lock(&stripe->lock);
	session = *find(sessions, stripe, hash);
	if (session != NULL && session->busy) {
		session->errored = true;
	} else if (session != NULL) {
		idle_remove(list_of(stripe, session), session);
		session->state = state_errored(session->state);
		seal_wipe(&session->password);
		idle_add(list_of(stripe, session), session);
	}
	pthread_mutex_unlock(&stripe->lock);
}

void sessions_release(struct sessions *sessions, struct session *session)
{
	struct stripe *stripe = stripe_of(sessions, session->hash);
	bool ended;

	pthread_mutex_lock(&stripe->lock);
	assert(session->busy);
	if (session->errored)
		session->state = state_errored(session->state);
	session->errored = false;
	/* The password is for AUTHENTICATED only: it was needed up to the allocation. */
	if (session->state != STATE_AUTHENTICATED)
		seal_wipe(&session->password);
	session->busy = false;
	session->touched = clock_steady(sessions->clock);
	ended = session->state == STATE_ENDED || session->state == STATE_NONE;
	if (ended)
		unchain(stripe, session);
	else
		idle_add(list_of(stripe, session), session);
	pthread_mutex_unlock(&stripe->lock);
	if (ended)
		session_free(session);
}

/* Moves the expired sessions of a list to a chain. The list is in the order in which sessions
 * were touched, so behind one that was touched lately none has been idle too long; guests, of whom
 * there may be very many, are not searched further for those that are merely too old. */
static struct session *sweep_list(struct sessions *sessions, struct stripe *stripe,
	struct idle_list *list, int64_t now, struct session *chain)
{
	struct session *session = list->oldest;
	int64_t shortest = sessions->idle_time < sessions->maximum_time ? sessions->idle_time
									: sessions->maximum_time;

	while (session != NULL) {
		struct session *newer = session->newer;

		if (list == &stripe->guests && now - session->touched < shortest)
			break;
		if (expired(sessions, session, now)) {
			idle_remove(list, session);
			unchain(stripe, session);
			session->next = chain;
			chain = session;
		}
		session = newer;
	}
	return chain;
}

void sessions_sweep(struct sessions *sessions,
	void (*ended)(void *user, const struct session *session), void *user)
{
	int64_t now = clock_steady(sessions->clock);

	for (size_t i = 0; i < sessions->stripe_count; i++) {
		struct stripe *stripe = &sessions->stripes[i];
		struct session *chain = NULL;

		pthread_mutex_lock(&stripe->lock);
		chain = sweep_list(sessions, stripe, &stripe->guests, now, chain);
		chain = sweep_list(sessions, stripe, &stripe->members, now, chain);
		pthread_mutex_unlock(&stripe->lock);
		while (chain != NULL) {
			struct session *next = chain->next;

			if (ended != NULL)
				ended(user, chain);
			session_free(chain);
			chain = next;
		}
	}
}

size_t sessions_count(struct sessions *sessions)
{
	size_t count = 0;

	for (size_t i = 0; i < sessions->stripe_count; i++) {
		pthread_mutex_lock(&sessions->stripes[i].lock);
		count += sessions->stripes[i].count;
		pthread_mutex_unlock(&sessions->stripes[i].lock);
	}
	return count;
}
