/*
 * identity.h - who is it: user, domain and password to a user with groups.
 *
 * One interface for all sources: identity_file.c (users of the configuration), identity_ldap.c
 * (Active Directory, LDAP), identity_pam.c. Asking never blocks the loop: a source brings its own
 * threads, or uses the shared queue, and calls back on the loop that asked. Thread-safe: loops
 * share a source. Whoever replaces a source (reload) keeps the old one until its last answer has
 * come.
 */
#ifndef FAIRLEAD_IDENTITY_IDENTITY_H
#define FAIRLEAD_IDENTITY_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/arena.h"
#include "base/clock.h"
#include "identity/reason.h"
#include "wire/work.h"

#define IDENTITY_NAME_MAXIMUM 256 /* bytes of a user name or a domain; longer ones are unknown */
#define IDENTITY_GROUPS_MAXIMUM 10000 /* of one user; further ones are left out and told */
#define IDENTITY_TROUBLES_MAXIMUM 4

struct identity_user {
	const char *name;   /* as the source has it, not as typed */
	const char *domain; /* as configured; "" if none */
	const char *const *groups;
	size_t group_count;
	const char *named_domain; /* the one he named, however he wrote it; "" if none */
	const char *account;      /* the source's own unique name, a DN for instance; never NULL */
};

/* Something the administrator should know although another server answered. */
struct identity_trouble {
	const char *server;
	const char *text;
};

struct identity_answer {
	enum reason reason;        /* REASON_RIGHT: `user` is filled */
	struct identity_user user; /* all texts in the request's arena */
	const char *source; /* name of the source: "users", a directory's, "pam"; never NULL */
	const char *server; /* that answered; "" if none did or there is none */
	const char *detail; /* for the administrator's log: sub-code, diagnostic; may be "" */
	int64_t took;       /* microseconds, waiting for a thread included */
	bool remote;        /* a directory was asked: `took` is compared with its limits */
	bool tried;         /* the password was given away; a reason that counts as LOST is
			     * none where it was not */
	bool groups_cut;    /* more than IDENTITY_GROUPS_MAXIMUM */
	struct identity_trouble troubles[IDENTITY_TROUBLES_MAXIMUM];
	size_t trouble_count;
};

struct identity_request {
	const char *user;   /* as typed; DOMAIN\user and user@domain are understood */
	const char *domain; /* NULL or "": none */
	const char *password;
	const char *
		new_password; /* NULL: check only. Else, where the source can: set it, then check */
	const char *client;   /* numeric address of the client; for PAM */
	struct arena *arena;  /* nobody else touches it until the answer has come */
	uv_loop_t *loop;
	struct work_queue *work; /* for sources that have no threads of their own */
	const struct clock *clock;
	int64_t deadline; /* steady; an answer comes about then at the latest. 0: none */
	/* Called once the account is known and before its password is tried, perhaps on another
	 * thread: false ends the request with REASON_GUARDED. NULL: always. A
	 * source that can tell that a try could lock the account ends so, too. */
	bool (*admit)(void *context, const char *account);
	void *admit_context;
};

/* On the loop that asked, perhaps from inside identity_ask; the answer lives during the call, its
 * texts in the arena. */
typedef void identity_done(void *context, const struct identity_answer *answer);

/* An implementation starts with this. */
struct identity {
	/* The request and its texts stay until `done`, which is called exactly once. */
	void (*ask)(struct identity *identity, const struct identity_request *request,
		identity_done *done, void *context);
	void (*free)(struct identity *identity);
	bool can_change_password;
	int64_t slow; /* microseconds after which a remote answer is warned about; 0: never */
};

void identity_ask(struct identity *identity, const struct identity_request *request,
	identity_done *done, void *context);
/* NULL is allowed. All answers must have come. */
void identity_free(struct identity *identity);

/* A name taken apart. */
struct identity_name {
	char user[IDENTITY_NAME_MAXIMUM + 1];
	char domain[IDENTITY_NAME_MAXIMUM + 1];
};
/* DOMAIN\user and user@domain, where that does not contradict `domain` ("": none). False when the
 * name has no such form, contradicts, or is too long. */
bool identity_split_name(const char *user, const char *domain, struct identity_name *ret_name);

/* One user of a configuration file. */
struct identity_entry {
	const char *name;
	const char *domain;   /* NULL or "": any domain the program offers */
	const char *password; /* crypt(5) hash, yescrypt as `fairlead passwd` makes it */
	const char *const *groups;
	size_t group_count;
};

/* Copies the entries. Names and domains compare without regard to the case of ASCII letters.
 * Of entries with the same name the one with the domain given is meant, else the one
 * without a domain; where no domain is given, the only one of that name.
 * 0, ERROR_MEMORY, ERROR_INPUT (an empty or overlong name, a password that is not a hash of
 * password.h), ERROR_EXISTS (the same name and domain twice). `domains` are those the program
 * offers: a user without a domain of his own may name these and no other (none given: any). */
int identity_file_new(const struct identity_entry *entries, size_t count,
	const char *const *domains, size_t domain_count, struct identity **ret_identity);

#endif
