/*
 * connect_private.h - shared by the files connect*.c only.
 */
#ifndef FAIRLEAD_CLIENT_CONNECT_PRIVATE_H
#define FAIRLEAD_CLIENT_CONNECT_PRIVATE_H

#include "client/connect.h"
#include "client/connect_message.h"

enum connect_step {
	CONNECT_RESOLVE,
	CONNECT_PROBE,
	CONNECT_HELLO,
	CONNECT_AUTHENTICATE,
	CONNECT_LIST,
	CONNECT_ALLOCATE,
	CONNECT_RETRY, /* waits before the next ALLOCATE */
	CONNECT_BYE,
	CONNECT_RESOLVE_TARGET,
	CONNECT_LINK,
	CONNECT_LICENSE,
	CONNECT_HOLD,
	CONNECT_CLOSING,
	CONNECT_OVER,
};

/* See connect.h: longer than the specification's 5 s, so that the answer of whoever waited that
 * long himself arrives. */
#define CONNECT_TIMEOUT_MS 7000
/* Somebody may have to approve a second factor: a minute for that, and time for those in between.
 */
#define CONNECT_LOGON_TIMEOUT_MS 90000

struct connect_target {
	char host[RECORD_NAME_SIZE]; /* as the server gave it */
	char address[65];            /* numeric */
	uint16_t port;
	char sni[RECORD_NAME_SIZE];
	uint64_t session;
	char tag[513]; /* wiped once the link has it */
};

struct connect_lookup; /* a name being resolved */

struct connect {
	struct connect_options options;
	struct record record;
	enum connect_step step;
	enum record_stage_number stage; /* the open one */
	struct arena *arena;            /* of the exchange under way */
	struct certificate_policy policy, target_policy;
	char address[300]; /* "host:port" of the server */
	char cookie[513];
	char server_address[65], client_address[65]; /* numeric */
	char domain[RECORD_NAME_SIZE];
	char mac[18];
	size_t resource;             /* chosen; index */
	unsigned attempts, refusals; /* of passwords: sent, refused */
	unsigned questions, rounds;  /* asked by the server: dialogs; terms and passwords */
	int64_t spent;               /* by the server on the steps of the logon so far */
	unsigned retries;
	int64_t asked_at; /* steady, of the call under way */
	int64_t retrying_since;
	uv_timer_t timer;
	struct connect_lookup *lookup; /* NULL: none */
	struct connect_target target;
	struct link_client *link;
	bool link_ended; /* on_closed has been called */
};

/* ---- connect_call.c ---- */

/* Resolves and calls connect_resolved; ends with connect_fail. */
void connect_resolve(struct connect *connect, const char *host, uint16_t port);
/* Nobody waits for the name any more. */
void connect_forget_lookup(struct connect *connect);
/* Sends; the answer goes to connect_answered. NULL request: short memory. */
void connect_send(struct connect *connect, struct message *request, unsigned timeout_ms);
/* The id for the log: none before the probe is answered. */
const char *connect_log_id(const struct connect *connect);

/* ---- connect.c ---- */

void connect_timer(struct connect *connect, int64_t microseconds, uv_timer_cb expired);

void connect_open(struct connect *connect, enum record_stage_number stage);
void connect_pass(struct connect *connect);
/* Tells the observer of new facts. */
void connect_learned(struct connect *connect);
void connect_notice(struct connect *connect);

/* Fails the open stage and ends, with a bye if `polite`. What is NULL stays empty. */
struct connect_fault {
	int error;
	const char *result_id, *text, *detail;
	struct advice advice;
	bool polite;
};
void connect_fail(struct connect *connect, const struct connect_fault *fault);
/* The same for an error of our own. */
void connect_fail_own(struct connect *connect, int error);
/* Somebody at the terminal gave up. */
void connect_interrupted(struct connect *connect);
/* Ends; the record says how. */
void connect_over(struct connect *connect);

/* ---- connect_stages.c ---- */

void connect_resolved(struct connect *connect);
/* A decoded answer that is no error-resp, to the step's request. */
void connect_answered(struct connect *connect, const struct message *message);
/* The arena for the next exchange; what the last one brought is gone. */
struct arena *connect_fresh(struct connect *connect);
/* Goes on with stage 3. */
void connect_ask_list(struct connect *connect);
/* Fails the open stage with what a server said. */
void connect_fail_result(struct connect *connect, const struct connect_message_result *result);

/* ---- connect_logon.c ---- */

/* Stage 2, by what hello-resp asks for. */
void connect_logon(struct connect *connect, const struct message *message);
/* authenticate-resp. */
void connect_logon_answered(struct connect *connect, const struct message *message,
	const struct connect_message_result *result);

/* ---- connect_session.c ---- */

void connect_session(struct connect *connect);
void connect_session_stop(struct connect *connect);

#endif
