/*
 * One guard for every place where a password or a code can be tried.
 *
 * User and account: their failures count until a window after the last of them, because that is how
 * directories count. Were each forgotten on its own, three in half an hour would add up to a
 * lock-out at the directory, where each began the half hour anew. The window begins when a try
 * ends, which is not before the directory has counted it. Tries of a known pair count here as well,
 * up to user + known, so that this sum is all that a directory ever sees of an account.
 *
 * Address, prefix, all: each failure for a window. Password: each user who failed with it, until a
 * window after his last failure with it.
 *
 * Known pairs: strangers' limits do not concern them, and their failures do not concern strangers,
 * except those of the user himself. But one address may be that of many known users (an office
 * behind one address, a host of terminals), and one of them may spray. So their failures are
 * counted once more, for each address apart: `prefix` of them, and `password` users with the same
 * password. It is not remembered which password was right, not even as a fingerprint: an exception
 * for those who have a sprayed password would admit exactly the tries that the spraying is about.
 *
 * Existence: an account that exists has a counter besides the names typed for it. What that counter
 * refuses looks like a wrong password and costs the same (guard_account), delays go by the name
 * typed only, and a name nobody has is counted like any other. What remains: who shares an address
 * with a user may see that he is known there, and whoever has used up a user's tries may see that
 * they were forgotten because he has logged on.
 *
 * Memory: strangers' failures are at most `all` in a window, and their open tries OPEN_OF_ALL, at
 * six marks each. What is not limited like that (known pairs, lost tries) is spare: the oldest of
 * it gives way. Where the book is full all the same, tries are refused as by the limit in all. The
 * lock is held for a fixed number of steps; keys are made before it is taken.
 */
#include "identity/guard.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "identity/guard_private.h"

/* Not a key that a digest is likely to give. */
#define KEY_ALL 1

/* Many people may be behind one address, and log on at the same moment. So tries that are open,
 * most of which will be right, do not count here like failures; there may be so many of them. (An
 * account bears no try that is not counted, and what is sprayed is one password.) */
#define OPEN_OF_ADDRESS 256
#define OPEN_OF_PREFIX 1024
#define OPEN_OF_ALL 4096

/* Places in guard_try.marks. */
enum { MARK_USER, MARK_ACCOUNT, MARK_PASSWORD, MARK_ADDRESS, MARK_PREFIX, MARK_ALL };

struct guard {
	struct guard_ring ring;
	const struct clock *clock;
	pthread_mutex_t lock;
	struct guard_limits limits; /* complete */
	int64_t window;             /* microseconds */
	struct guard_book book;
	struct guard_known known;
	struct guard_counter trouble; /* refuses what cannot be counted */
	uint64_t refused[GUARD_LIMIT_COUNT];
};

/* What a try costs at one place. */
struct cost {
	uint64_t key; /* 0: nothing */
	enum guard_kind kind;
	enum guard_limit limit;
	unsigned most; /* failures */
	unsigned open; /* tries that are open beside them */
	uint64_t who;
};

/* --- limits --- */

static unsigned limit_of(unsigned value, unsigned standard, unsigned most)
{
	if (value == 0)
		return standard;
	return value < most ? value : most;
}

static void take_limits(struct guard *guard, const struct guard_limits *limits)
{
	guard->limits = (struct guard_limits){
		.window_seconds = limit_of(limits->window_seconds, 1800, GUARD_WINDOW_MOST),
		.user = limit_of(limits->user, 3, GUARD_USER_MOST),
		.known = limit_of(limits->known, 1, GUARD_USER_MOST),
		.address = limit_of(limits->address, 12, GUARD_ALL_MOST),
		.prefix = limit_of(limits->prefix, 60, GUARD_ALL_MOST),
		.password = limit_of(limits->password, 6, GUARD_USER_MOST),
		.all = limit_of(limits->all, 3000, GUARD_ALL_MOST),
		.delay_ms = limit_of(limits->delay_ms, GUARD_DELAY_MS, GUARD_DELAY_MOST),
		.delay_most_ms =
			limit_of(limits->delay_most_ms, GUARD_DELAY_LONGEST_MS, GUARD_DELAY_MOST),
		.off = limits->off,
	};
	guard->window = guard->limits.window_seconds * CLOCK_SECOND;
}

int guard_new(const struct guard_limits *limits, const struct clock *clock,
	const struct entropy *entropy, struct guard **ret_guard)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	int error = ERROR_MEMORY;

	if (guard == NULL)
		return ERROR_MEMORY;
	if (pthread_mutex_init(&guard->lock, NULL) != 0) {
		free(guard);
		return ERROR_MEMORY;
	}
	guard->clock = clock;
	take_limits(guard, limits);
	error = guard_key_open(&guard->ring, entropy);
	if (error == 0)
		error = guard_book_open(&guard->book);
	if (error == 0)
		error = guard_known_open(&guard->known);
	if (error == 0)
		*ret_guard = guard;
	else
		guard_free(guard);
	return error;
}

void guard_free(struct guard *guard)
{
	if (guard == NULL)
		return;
	guard_key_close(&guard->ring);
	guard_book_close(&guard->book);
	guard_known_close(&guard->known);
	pthread_mutex_destroy(&guard->lock);
	free(guard);
}

void guard_set_limits(struct guard *guard, const struct guard_limits *limits)
{
	pthread_mutex_lock(&guard->lock);
	take_limits(guard, limits);
	pthread_mutex_unlock(&guard->lock);
}

const char *guard_limit_name(enum guard_limit limit)
{
	static const char *const names[GUARD_LIMIT_COUNT] = {
		[GUARD_NONE] = "none",
		[GUARD_USER] = "user",
		[GUARD_ADDRESS] = "address",
		[GUARD_PREFIX] = "prefix",
		[GUARD_PASSWORD] = "password",
		[GUARD_ALL] = "all",
	};

	assert(limit < GUARD_LIMIT_COUNT);
	return names[limit];
}

/* The time, with everything forgotten that had its time. Under the lock. */
static int64_t now_of(struct guard *guard)
{
	int64_t now = clock_steady(guard->clock);

	guard_book_age(&guard->book, now, guard->window);
	return now;
}

/* --- refusing --- */

static void refuse(struct guard *guard, struct guard_counter *counter, enum guard_limit limit,
	int64_t wait, bool busy, int64_t now, struct guard_answer *answer)
{
	int64_t seconds = (wait + CLOCK_SECOND - 1) / CLOCK_SECOND;

	answer->limit = limit;
	answer->busy = busy;
	answer->wait_seconds = seconds > 1 ? (unsigned)seconds : 1;
	answer->first = !busy && (!counter->has_told || now - counter->told >= guard->window);
	if (answer->first) {
		counter->has_told = true;
		counter->told = now;
	}
	guard->refused[limit]++;
}

/* What cannot be counted must not be tried. */
static void refuse_in_trouble(struct guard *guard, struct guard_answer *answer)
{
	refuse(guard, &guard->trouble, GUARD_ALL, GUARD_OPEN_SECONDS * CLOCK_SECOND, false,
		clock_steady(guard->clock), answer);
}

/* The counter that does not admit it, NULL if it would. */
static struct guard_counter *obstacle_of(struct guard *guard, const struct cost *cost)
{
	struct guard_counter *counter =
		cost->key != 0 ? guard_book_find(&guard->book, cost->key) : NULL;

	if (counter == NULL ||
		(counter->sure < cost->most && counter->cost < cost->most + cost->open))
		return NULL;
	/* Another failure of the same user with this password makes no further user. */
	if (cost->kind == GUARD_DISTINCT && guard_book_has(&guard->book, counter, cost->who))
		return NULL;
	return counter;
}

/* By the limit that has the longest to go. */
static bool refused(struct guard *guard, const struct cost *costs, size_t count, int64_t now,
	struct guard_answer *answer)
{
	struct guard_counter *longest = NULL;
	enum guard_limit limit = GUARD_NONE;
	int64_t most = -1;

	for (size_t i = 0; i < count; i++) {
		struct guard_counter *counter = obstacle_of(guard, &costs[i]);
		int64_t wait = counter != NULL
			? guard_book_wait(&guard->book, counter, costs[i].most, now, guard->window)
			: -1;

		if (wait > most) {
			most = wait;
			longest = counter;
			limit = costs[i].limit;
		}
	}
	if (longest != NULL)
		refuse(guard, longest, limit, most > 0 ? most : GUARD_OPEN_SECONDS * CLOCK_SECOND,
			most == 0, now, answer);
	return longest != NULL;
}

/* --- a try --- */

static unsigned most_of_user(const struct guard *guard, const struct guard_try *try)
{
	return guard->limits.user + (try->known ? guard->limits.known : 0);
}

/* What it would cost, by its place in guard_try.marks; zeros otherwise. */
static void list_costs(const struct guard *guard, const struct guard_try *try,
	const struct guard_keys *keys, struct cost costs[GUARD_MARKS])
{
	const struct guard_limits *limits = &guard->limits;
	uint64_t password = keys->password;

	if (try->known && password != 0)
		password = guard_key_pair(password, keys->address);
	costs[MARK_USER] =
		(struct cost){keys->user, GUARD_TOTAL, GUARD_USER, most_of_user(guard, try), 0, 0};
	costs[MARK_PASSWORD] = (struct cost){
		password, GUARD_DISTINCT, GUARD_PASSWORD, limits->password, 0, keys->user};
	costs[MARK_ADDRESS] = (struct cost){try->address, GUARD_EACH, GUARD_ADDRESS,
		try->known ? limits->prefix : limits->address, OPEN_OF_ADDRESS, 0};
	if (try->known)
		return;
	costs[MARK_PREFIX] = (struct cost){
		keys->prefix, GUARD_EACH, GUARD_PREFIX, limits->prefix, OPEN_OF_PREFIX, 0};
	costs[MARK_ALL] =
		(struct cost){KEY_ALL, GUARD_EACH, GUARD_ALL, limits->all, OPEN_OF_ALL, 0};
}

static void begin(struct guard *guard, const struct guard_keys *keys, struct guard_try *try,
	struct guard_answer *answer)
{
	struct cost costs[GUARD_MARKS] = {0};
	int64_t now = now_of(guard);

	try->user = keys->user;
	try->place = keys->placed ? keys->address : 0;
	try->known = guard_known_has(&guard->known, keys->user, try->place, now);
	try->address = try->known ? guard_key_pair(keys->address, keys->address) : keys->address;
	list_costs(guard, try, keys, costs);
	if (refused(guard, costs, GUARD_MARKS, now, answer))
		return;
	if (!guard_book_room(&guard->book, GUARD_MARKS)) {
		refuse_in_trouble(guard, answer);
		return;
	}
	for (size_t i = 0; i < GUARD_MARKS; i++)
		if (costs[i].key != 0)
			try->marks[i] = guard_book_take(
				&guard->book, costs[i].key, costs[i].kind, costs[i].who);
	try->open = true;
}

void guard_begin(struct guard *guard, const char *user, const char *domain, const char *address,
	const char *password, struct guard_try *ret_try, struct guard_answer *ret_answer)
{
	struct guard_keys keys;
	int error;

	*ret_try = (struct guard_try){0};
	*ret_answer = (struct guard_answer){.limit = GUARD_NONE};
	error = guard_key_try(&guard->ring, user, domain, address, password, &keys);
	pthread_mutex_lock(&guard->lock);
	if (!guard->limits.off && error == 0)
		begin(guard, &keys, ret_try, ret_answer);
	else if (!guard->limits.off)
		refuse_in_trouble(guard, ret_answer);
	pthread_mutex_unlock(&guard->lock);
}

static void give_back(struct guard *guard, struct guard_try *try, size_t place, int64_t now)
{
	if (try->marks[place] != 0)
		guard_book_settle(&guard->book, try->marks[place], GUARD_ROW_NONE, now);
	try->marks[place] = 0;
}

static bool admit_account(
	struct guard *guard, struct guard_try *try, uint64_t key, struct guard_answer *answer)
{
	const struct cost cost = {key, GUARD_TOTAL, GUARD_USER, most_of_user(guard, try), 0, 0};
	int64_t now = now_of(guard);

	give_back(guard, try, MARK_ACCOUNT, now); /* of a source asked before */
	if (refused(guard, &cost, 1, now, answer))
		return false;
	if (!guard_book_room(&guard->book, 1)) {
		refuse_in_trouble(guard, answer);
		return false;
	}
	try->marks[MARK_ACCOUNT] = guard_book_take(&guard->book, key, GUARD_TOTAL, 0);
	return true;
}

bool guard_account(struct guard *guard, struct guard_try *try, const char *account,
	struct guard_answer *ret_answer)
{
	uint64_t key;
	int error;

	if (!try->open)
		return true;
	error = guard_key_account(&guard->ring, account, &key);
	pthread_mutex_lock(&guard->lock);
	if (error == 0)
		try->denied = !admit_account(guard, try, key, ret_answer);
	else
		refuse_in_trouble(guard, ret_answer);
	try->denied = try->denied || error != 0;
	pthread_mutex_unlock(&guard->lock);
	return !try->denied;
}

static unsigned count_of(const struct guard *guard, uint64_t key)
{
	const struct guard_counter *counter = guard_book_find(&guard->book, key);

	return counter != NULL ? counter->sure : 0;
}

int64_t guard_delay(struct guard *guard, const struct guard_try *try)
{
	unsigned user, address, most;
	int64_t delay, longest;

	pthread_mutex_lock(&guard->lock);
	(void)now_of(guard);
	user = count_of(guard, try->user);
	address = count_of(guard, try->address);
	delay = guard->limits.off ? 0 : guard->limits.delay_ms;
	longest = guard->limits.delay_most_ms;
	pthread_mutex_unlock(&guard->lock);
	most = (user > address ? user : address) + (try->open ? 1 : 0);
	for (; most > 1 && delay < longest; most--)
		delay *= 2;
	return (delay < longest ? delay : longest) * CLOCK_MILLISECOND;
}

/* --- its end --- */

static enum guard_row row_of(const struct guard_try *try, enum reason_count count, size_t place)
{
	switch (count) {
	case REASON_COUNTS_WRONG:
		return try->known ? GUARD_ROW_SPARE : GUARD_ROW_HELD;
	case REASON_COUNTS_LOST:
		return place == MARK_USER || place == MARK_ACCOUNT || place == MARK_PASSWORD
			? GUARD_ROW_SPARE
			: GUARD_ROW_NONE;
	case REASON_COUNTS_NONE:
	case REASON_COUNTS_RIGHT:
		break;
	}
	return GUARD_ROW_NONE;
}

static void welcome(struct guard *guard, const struct guard_try *try, int64_t now)
{
	guard_book_forget(&guard->book, try->marks[MARK_USER]);
	if (try->marks[MARK_ACCOUNT] != 0)
		guard_book_forget(&guard->book, try->marks[MARK_ACCOUNT]);
	if (try->place != 0)
		guard_known_add(&guard->known, try->user, try->place, now);
}

void guard_end(struct guard *guard, struct guard_try *try, enum reason_count count)
{
	int64_t now;

	if (!try->open)
		return;
	if (try->denied)
		count = REASON_COUNTS_WRONG;
	pthread_mutex_lock(&guard->lock);
	now = now_of(guard);
	if (count == REASON_COUNTS_RIGHT)
		welcome(guard, try, now);
	for (size_t i = 0; i < GUARD_MARKS; i++) {
		if (try->marks[i] != 0)
			guard_book_settle(&guard->book, try->marks[i], row_of(try, count, i), now);
		try->marks[i] = 0;
	}
	try->open = false;
	pthread_mutex_unlock(&guard->lock);
}

void guard_state(struct guard *guard, struct guard_state *ret_state)
{
	pthread_mutex_lock(&guard->lock);
	(void)now_of(guard);
	*ret_state = (struct guard_state){
		.counters = guard->book.counters_used,
		.counters_most = GUARD_MARKS_MOST,
	};
	for (size_t i = 0; i < GUARD_LIMIT_COUNT; i++)
		ret_state->refused[i] = guard->refused[i];
	pthread_mutex_unlock(&guard->lock);
}
