/*
 * sessions.h - the broker-protocol sessions of one program.
 *
 * Sessions outlive connections and are shared by all loops: striped locks, and a
 * busy mark per session, because a session has one transaction at a time. A session is
 * found by SHA-256 of its cookie. It ends by bye, by its maximum time, or after idle time.
 *
 * The table is bounded. When it is full, the session that has been unauthenticated and
 * untouched longest gives way, so that a flood of hellos costs nobody a logon; when
 * all are authenticated a new one is refused.
 */
#ifndef FAIRLEAD_SERVICE_SESSIONS_H
#define FAIRLEAD_SERVICE_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/uuid.h"
#include "protocol/state.h"
#include "protocol/text.h"
#include "service/seal.h"

#define SESSIONS_COOKIE_SIZE 33 /* 128 random bits as hexadecimal, with NUL */
#define SESSIONS_NAME_SIZE 257
#define SESSIONS_HASH_BYTES 32

/* Touched only by sessions.c, and, between take or create and release, by the one holder. */
struct session {
	/* written by sessions.c */
	unsigned char hash[SESSIONS_HASH_BYTES];
	struct session *next, **place; /* in its chain */
	struct session *newer, *older; /* in its list */
	int64_t created;               /* steady */
	int64_t touched;               /* steady; end of the last transaction */
	bool busy;                     /* a transaction is open; its holder owns everything below */
	bool errored;                  /* a fault came in while busy: becomes ERRORED at release */

	/* written by the holder, between take/create and release */
	enum state state;
	enum message_root root;
	struct message_version version;
	char log_id[UUID_SIZE];
	unsigned capabilities;                /* bit per capability value of the tables */
	const struct text_language *language; /* of what the user reads; NULL: English */
	char *user;                           /* authenticated user and domain; NULL before */
	char *domain;
	char *client_name; /* client-info of the hello */
	char *client_product;
	struct seal password; /* empty unless sealed */
	void *logon;          /* a logon under way: of logon.h, or of manager_logon.h; NULL: none */
	void (*logon_free)(void *logon);
	void *role; /* the program's own part */
	void (*role_free)(void *role);
};

struct sessions;

struct sessions_options {
	size_t maximum;       /* sessions in all; 0: 65536 */
	int64_t maximum_time; /* 0: 30 min */
	int64_t idle_time;    /* 0: 5 min */
	const struct clock *clock;
	const struct entropy *entropy;
};

int sessions_new(const struct sessions_options *options, struct sessions **ret_sessions);
void sessions_free(struct sessions *sessions);

/* New limits for sessions from now on (SIGHUP); the table's size stays. */
void sessions_set_times(struct sessions *sessions, int64_t maximum_time, int64_t idle_time);

/* Makes a session in state NONE, held by the caller, and its cookie. 0,
 * ERROR_LIMIT (full of authenticated sessions), ERROR_MEMORY, ERROR_SYSTEM. */
int sessions_create(
	struct sessions *sessions, char cookie[SESSIONS_COOKIE_SIZE], struct session **ret_session);

/* Takes the session of a cookie. 0; ERROR_NOT_FOUND (unknown, or it has expired, which ends
 * it); ERROR_BUSY (another transaction is open). */
int sessions_take(struct sessions *sessions, const char *cookie, struct session **ret_session);

/* Marks a session ERRORED whether busy or not; does nothing for an unknown one. */
void sessions_fault(struct sessions *sessions, const char *cookie);

/* Ends the transaction; a session in state ENDED or NONE is removed and freed. */
void sessions_release(struct sessions *sessions, struct session *session);

/* Removes expired sessions that nobody holds; call about once a second. `ended` is called for each.
 * An unauthenticated one that has passed its maximum time, but was touched lately, cannot be taken
 * any more and may stay until it has been idle. */
void sessions_sweep(struct sessions *sessions,
	void (*ended)(void *user, const struct session *session), void *user);

size_t sessions_count(struct sessions *sessions);

/* Replaces a text of a session (user, domain ...), wiping the old one. 0 or ERROR_MEMORY. */
int sessions_set_text(char **text, const char *value);

#endif
