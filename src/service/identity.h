/*
 * identity.h - who is it: user, domain and password to a user with groups.
 *
 * One interface; identity_file.c is the source for users from the
 * configuration, further sources (directories) stand beside it. Checking may block (a password hash
 * takes its time on purpose): call it through the work queue. Thread-safe. Whoever replaces a
 * source (reload) keeps the old one until its last check has come back.
 */
#ifndef FAIRLEAD_SERVICE_IDENTITY_H
#define FAIRLEAD_SERVICE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "protocol/result.h"

#define IDENTITY_NAME_MAXIMUM 256 /* bytes of a user name or a domain; longer ones are unknown */

struct identity_user {
	const char *name;   /* as configured, not as typed */
	const char *domain; /* as configured; "" if none */
	const char *const *groups;
	size_t group_count;
	const char *named_domain; /* the one he named, however he wrote it; "" if none */
};

/* An implementation starts with this. */
struct identity {
	/* RESULT_AUTH_SUCCESSFUL_AND_COMPLETE and ret_user filled (in `arena`), or a failure of
	 * the AUTH group. An unknown user takes as long as a known one. */
	enum result_id (*check)(struct identity *identity, struct arena *arena, const char *user,
		const char *domain, const char *password, struct identity_user *ret_user);
	void (*free)(struct identity *identity);
};

/* `domain` may be NULL or "". */
enum result_id identity_check(struct identity *identity, struct arena *arena, const char *user,
	const char *domain, const char *password, struct identity_user *ret_user);
/* NULL is allowed. */
void identity_free(struct identity *identity);

/* One user of a configuration file. */
struct identity_entry {
	const char *name;
	const char *domain;   /* NULL or "": any domain the program offers */
	const char *password; /* crypt(5) hash, yescrypt as `fairlead passwd` makes it */
	const char *const *groups;
	size_t group_count;
};

/* Copies the entries. Names and domains compare without regard to the case of ASCII letters;
 * DOMAIN\user and user@domain in the user name are understood when the domain is empty or equal.
 * Of entries with the same name the one with the domain given is meant, else the one
 * without a domain; where no domain is given, the only one of that name.
 * 0, ERROR_MEMORY, ERROR_INPUT (an empty or overlong name, a password that is not a hash of
 * password.h), ERROR_EXISTS (the same name and domain twice). `domains` are those the program
 * offers: a user without a domain of his own may name these and no other (none given: any). */
int identity_file_new(const struct identity_entry *entries, size_t count,
	const char *const *domains, size_t domain_count, struct identity **ret_identity);

#endif
