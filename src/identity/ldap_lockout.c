#include "identity/ldap_lockout.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define STEPS_TO_1970 INT64_C(116444736000000000) /* from 1601 */
#define DOMAINS 8
#define PLACES 1024 /* a power of two */

struct domain {
	char head[LDAP_LOCKOUT_HEAD_MAXIMUM + 1];
	struct ldap_lockout_policy policy;
	int64_t until; /* steady */
};

/* Of all accounts with one hash: what they share makes a check wait or read once more, no more. */
struct place {
	uint64_t failed; /* when a try failed last, by `moment` */
	int64_t open;    /* tries under way */
};

struct ldap_lockout {
	pthread_mutex_t lock;
	pthread_cond_t ended; /* a try */
	const struct clock *clock;
	int64_t keep;
	struct domain domains[DOMAINS];
	size_t next; /* of the domains to be replaced */
	uint64_t moment;
	struct place places[PLACES];
};

/* --- numbers --- */

int64_t ldap_lockout_number(const char *text, size_t length)
{
	size_t at = length > 0 && text[0] == '-' ? 1 : 0;
	bool negative = at == 1;
	int64_t number = 0;

	if (at == length)
		return 0;
	/* Counted below zero, where there is one more. */
	for (; at < length; at++) {
		if (text[at] < '0' || text[at] > '9' ||
			__builtin_mul_overflow(number, 10, &number) ||
			__builtin_sub_overflow(number, text[at] - '0', &number))
			return 0;
	}
	if (negative)
		return number;
	return number > INT64_MIN ? -number : 0;
}

int64_t ldap_lockout_moment(int64_t steps)
{
	return steps > 0 ? (steps - STEPS_TO_1970) / 10 : 0;
}

int64_t ldap_lockout_while(int64_t steps)
{
	return steps < 0 && steps > INT64_MIN ? -(steps / 10) : 0;
}

int64_t ldap_lockout_left(const struct ldap_lockout_policy *policy,
	const struct ldap_lockout_count *count, int64_t wall)
{
	/* Where the first bad password locks, there is none to leave to others. */
	int64_t limit = policy->threshold > 1 ? policy->threshold - 1 : 1;
	int64_t bad = count->bad > 0 ? count->bad : 0;
	int64_t age;

	if (policy->threshold <= 0 || count->locked)
		return INT64_MAX;
	/* A moment ahead of our clock is a recent one. */
	if (policy->window > 0 && !__builtin_sub_overflow(wall, count->last, &age) &&
		age > LDAP_LOCKOUT_SKEW && age - LDAP_LOCKOUT_SKEW >= policy->window)
		bad = 0;
	return bad < limit ? limit - bad : 0;
}

static const char *next_part(const char *at)
{
	while (*at != '\0' && *at != ',')
		at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
	return *at == ',' ? at + 1 : at;
}

const char *ldap_lockout_head(const char *dn)
{
	const char *head = NULL;

	for (const char *at = dn; *at != '\0'; at = next_part(at)) {
		if (strncasecmp(at, "DC=", 3) != 0)
			head = NULL;
		else if (head == NULL)
			head = at;
	}
	return head;
}

/* --- what is shared --- */

struct ldap_lockout *ldap_lockout_new(int64_t keep, const struct clock *clock)
{
	struct ldap_lockout *lockout = calloc(1, sizeof(*lockout));
	pthread_condattr_t attributes;

	if (lockout == NULL)
		return NULL;
	pthread_mutex_init(&lockout->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&lockout->ended, &attributes);
	pthread_condattr_destroy(&attributes);
	lockout->clock = clock;
	lockout->keep = keep;
	return lockout;
}

void ldap_lockout_free(struct ldap_lockout *lockout)
{
	if (lockout == NULL)
		return;
	pthread_cond_destroy(&lockout->ended);
	pthread_mutex_destroy(&lockout->lock);
	free(lockout);
}

static struct domain *find_domain(struct ldap_lockout *lockout, const char *head)
{
	for (size_t i = 0; i < DOMAINS; i++) {
		if (strcasecmp(lockout->domains[i].head, head) == 0)
			return &lockout->domains[i];
	}
	return NULL;
}

bool ldap_lockout_get_policy(
	struct ldap_lockout *lockout, const char *head, struct ldap_lockout_policy *ret_policy)
{
	const struct domain *domain;
	bool good;

	pthread_mutex_lock(&lockout->lock);
	domain = find_domain(lockout, head);
	good = domain != NULL && clock_steady(lockout->clock) < domain->until;
	if (good)
		*ret_policy = domain->policy;
	pthread_mutex_unlock(&lockout->lock);
	return good;
}

void ldap_lockout_put_policy(
	struct ldap_lockout *lockout, const char *head, const struct ldap_lockout_policy *policy)
{
	struct domain *domain;

	assert(strlen(head) <= LDAP_LOCKOUT_HEAD_MAXIMUM);
	pthread_mutex_lock(&lockout->lock);
	domain = find_domain(lockout, head);
	if (domain == NULL) {
		domain = &lockout->domains[lockout->next];
		lockout->next = (lockout->next + 1) % DOMAINS;
	}
	memcpy(domain->head, head, strlen(head) + 1);
	domain->policy = *policy;
	domain->until = clock_steady(lockout->clock) + lockout->keep;
	pthread_mutex_unlock(&lockout->lock);
}

uint64_t ldap_lockout_mark(struct ldap_lockout *lockout)
{
	uint64_t mark;

	pthread_mutex_lock(&lockout->lock);
	mark = lockout->moment;
	pthread_mutex_unlock(&lockout->lock);
	return mark;
}

/* FNV-1a; accounts are the directory's, not what users type. */
static struct place *place_of(struct ldap_lockout *lockout, const char *account)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *account != '\0'; account++)
		hash = (hash ^ (unsigned char)*account) * UINT64_C(1099511628211);
	return &lockout->places[(hash ^ hash >> 32) & (PLACES - 1)];
}

static void wait_for_end(struct ldap_lockout *lockout, int64_t left)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	left += until.tv_nsec / 1000;
	until.tv_sec += left / CLOCK_SECOND;
	until.tv_nsec = left % CLOCK_SECOND * 1000;
	pthread_cond_timedwait(&lockout->ended, &lockout->lock, &until);
}

enum ldap_lockout_verdict ldap_lockout_begin(struct ldap_lockout *lockout, const char *account,
	uint64_t mark, int64_t left, int64_t until)
{
	struct place *place = place_of(lockout, account);
	enum ldap_lockout_verdict verdict = LDAP_LOCKOUT_LATE;
	int64_t now;

	if (left <= 0)
		return LDAP_LOCKOUT_FULL;
	pthread_mutex_lock(&lockout->lock);
	for (now = clock_steady(lockout->clock);
		place->failed <= mark && place->open >= left && now < until;
		now = clock_steady(lockout->clock))
		wait_for_end(lockout, until - now);
	if (place->failed > mark && left < INT64_MAX) {
		verdict = LDAP_LOCKOUT_AGAIN;
	} else if (place->open < left) {
		place->open++;
		verdict = LDAP_LOCKOUT_GO;
	}
	pthread_mutex_unlock(&lockout->lock);
	return verdict;
}

void ldap_lockout_end(struct ldap_lockout *lockout, const char *account, bool right)
{
	struct place *place = place_of(lockout, account);

	pthread_mutex_lock(&lockout->lock);
	assert(place->open > 0);
	place->open--;
	if (!right)
		place->failed = ++lockout->moment;
	pthread_cond_broadcast(&lockout->ended);
	pthread_mutex_unlock(&lockout->lock);
}
