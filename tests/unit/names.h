/*
 * names.h - stands before the C library's getaddrinfo(), for one test program.
 *
 * "two" is 127.0.0.2 and 127.0.0.1, "nobody" is no name, and nobody answers about "later" until the
 * test says so. All others are the library's.
 */
#ifndef FAIRLEAD_UNIT_NAMES_H
#define FAIRLEAD_UNIT_NAMES_H

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned asked;    /* "later" */
	unsigned answered; /* of them */
	int error;         /* the answer; 0: 127.0.0.1 */
	int socket_type;   /* asked for last */
} names = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static inline int names_await_answer(void)
{
	unsigned number;
	int error;

	pthread_mutex_lock(&names.lock);
	number = ++names.asked;
	pthread_cond_broadcast(&names.changed);
	while (names.answered < number)
		pthread_cond_wait(&names.changed, &names.lock);
	error = names.error;
	pthread_mutex_unlock(&names.lock);
	return error;
}

/* Answers the one look-up of "later" that is under way, or is about to be. */
static inline void names_answer(int error)
{
	pthread_mutex_lock(&names.lock);
	while (names.asked == names.answered)
		pthread_cond_wait(&names.changed, &names.lock);
	names.error = error;
	names.answered++;
	pthread_cond_broadcast(&names.changed);
	pthread_mutex_unlock(&names.lock);
}

static inline unsigned names_asked(void)
{
	unsigned asked;

	pthread_mutex_lock(&names.lock);
	asked = names.asked;
	pthread_mutex_unlock(&names.lock);
	return asked;
}

static inline void names_note(int socket_type)
{
	pthread_mutex_lock(&names.lock);
	names.socket_type = socket_type;
	pthread_mutex_unlock(&names.lock);
}

int getaddrinfo(
	const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **ret)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	int error;

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if ((hints->ai_flags & AI_NUMERICHOST) != 0)
		return real(name, port, hints, ret);
	names_note(hints->ai_socktype);
	if (strcmp(name, "nobody") == 0)
		return EAI_NONAME;
	if (strcmp(name, "later") == 0) {
		error = names_await_answer();
		return error != 0 ? error : real("127.0.0.1", port, hints, ret);
	}
	if (strcmp(name, "two") == 0) {
		error = real("127.0.0.2", port, hints, ret);
		return error != 0 ? error : real("127.0.0.1", port, hints, &(*ret)->ai_next);
	}
	return real(name, port, hints, ret);
}

#endif
