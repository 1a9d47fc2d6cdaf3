/*
 * connect.h - one connection, from a server's name to a held session: the six stages as a state
 * machine on one loop.
 *
 * RESOLVE -> PROBE -> HELLO -> AUTHENTICATE -> LIST -> ALLOCATE -> BYE -> (RESOLVE_TARGET) ->
 * LINK -> LICENSE -> HOLD -> CLOSING -> OVER. Whatever fails goes on to a bye, where a server
 * still waits for one, and then to OVER. connect.c has the life of a flow,
 * connect_call.c its requests, connect_stages.c what the answers mean, connect_logon.c the
 * conversation of stage 2, connect_session.c the session.
 *
 * Time-outs: a step is told to have passed its limit after 5 s, as the specification has it, but a
 * server is waited for a little longer, so that the answer of a manager that itself waited
 * 5 s for the one behind it still arrives: 7 s, 15 s for allocate-resource (two such waits).
 * authenticate is waited for 90 s: somebody may have to find his telephone to approve it.
 */
#ifndef FAIRLEAD_CLIENT_CONNECT_H
#define FAIRLEAD_CLIENT_CONNECT_H

#include "base/log.h"
#include "client/record.h"
#include "service/link.h"
#include "service/peer.h"

#define CONNECT_PORT 443
#define CONNECT_PASSWORD_SIZE 1025  /* with NUL; authenticate/password of fields.def */
#define CONNECT_ANSWER_SIZE 1025    /* with NUL; authenticate/answer of fields.def */
#define CONNECT_ENTRIES_MAXIMUM 8   /* of one question */
#define CONNECT_QUESTIONS_MAXIMUM 8 /* dialogs of one connection */

struct connect;

/* What a server wants to know, as it came: whoever shows it cleans it (base/text.h). Lives during
 * the call. */
struct connect_entry {
	char name[65];
	char label[257]; /* "": none */
	bool hidden;     /* not to be shown while it is typed */
};

struct connect_question {
	char purpose[RECORD_PURPOSE_SIZE];   /* "second-factor", "new-password", or another word */
	char id[65], title[257], text[2049]; /* "": none */
	const char *trouble;                 /* what was wrong with the answer before; "" */
	struct connect_entry entries[CONNECT_ENTRIES_MAXIMUM];
	size_t entry_count; /* at least one */
};

struct connect_events {
	/* Something of the record changed. */
	void (*changed)(void *user, const struct record *record, enum record_change change,
		enum record_stage_number stage);
	/* The password is needed. attempt counts from 1; above 1 the server refused the one
	 * before, in these words (as they came; "" if none). May block. 0; ERROR_NOT_FOUND: there
	 * is none (any more); ERROR_CLOSED: interrupted. */
	int (*password)(void *user, const char *name, const char *domain, unsigned attempt,
		const char *refusal, char password[CONNECT_PASSWORD_SIZE]);
	/* Terms are to be accepted; texts as they came. May block. 0; ERROR_REFUSED: they were
	 * not; ERROR_NOT_FOUND: nobody to ask; ERROR_CLOSED: interrupted. */
	int (*accept)(void *user, const char *title, const char *text);
	/* A question; one answer for each entry, wiped by the caller. May block. 0;
	 * ERROR_NOT_FOUND: there is no answer (any more); ERROR_CLOSED: interrupted. */
	int (*answer)(void *user, const struct connect_question *question,
		char answers[][CONNECT_ANSWER_SIZE]);
	/* Which of the record's resources. May block. 0; ERROR_NOT_FOUND: nobody to ask;
	 * ERROR_CLOSED: interrupted. */
	int (*choose)(void *user, const struct record *record, size_t *ret_index);
	/* Once, last. */
	void (*over)(void *user);
	void *user;
};

/* The session's end of the network; NULL in the options means link.h. */
struct connect_link {
	int (*start)(const struct link_client_options *options, struct link_client **ret_client);
	void (*close)(struct link_client *client, unsigned cause);
	void (*free)(struct link_client *client);
};

/* All texts must outlive the flow. */
struct connect_options {
	uv_loop_t *loop;
	struct peer *peer;
	const struct connect_link *link;
	const struct clock *clock;
	const struct entropy *entropy;
	struct log *log;  /* may be NULL */
	const char *host; /* name or numeric address */
	uint16_t port;    /* 0: 443 */
	const char *user;
	const char *domain;   /* NULL: the first one the server offers */
	const char *resource; /* its name, any case; NULL: the only one, or `choose` */
	bool list_only;       /* stop after stage 3 */
	const char *ca_file;  /* NULL: the system's store */
	enum certificate_verify verify;
	int64_t hold;           /* microseconds; negative: until connect_stop */
	int64_t retry_interval; /* of ALLOC_PENDING_TRY_AGAIN; 0: 2 s */
	int64_t license_limit;  /* 0: 5 s */
	int64_t factor_notice;  /* after that, authenticate says what it may be waiting for; 0: 5 s
				 */
	struct connect_events events;
};

/* 0, ERROR_MEMORY, ERROR_SYSTEM. Nothing is called from inside. */
int connect_start(const struct connect_options *options, struct connect **ret_connect);

/* SIGINT, SIGTERM: disconnects a session that stands, which is its normal end; before that, gives
 * up. `over` follows, perhaps from inside. A second call gives up at once. Not to be called from
 * inside an event. */
void connect_stop(struct connect *connect, int signal);

const struct record *connect_record(const struct connect *connect);

/* After `over`, and after the peer was freed if it was not idle. The loop must run until it is
 * empty afterwards. NULL is allowed. */
void connect_free(struct connect *connect);

#endif
