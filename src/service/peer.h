/*
 * peer.h - calling another Fairlead (or vendor) program: one message out, one message back.
 *
 * The manager calls a broker and agents, the broker calls agents, the agent
 * calls the licence service, the client calls whatever it was pointed at. One interface, so
 * that a scenario can put a fake peer in its place. peer_https.c is the real one.
 */
#ifndef FAIRLEAD_SERVICE_PEER_H
#define FAIRLEAD_SERVICE_PEER_H

#include <stdint.h>
#include <uv.h>

#include "base/arena.h"
#include "protocol/message.h"
#include "wire/certificate.h"
#include "wire/xml.h"

#define PEER_TIMEOUT_MS 5000 /* the specification's limit of one step */

struct peer_call {
	const char *address; /* "host:port"; the path comes from the message's root */
	const struct certificate_policy *policy;
	const struct message *request; /* encoded before peer_call returns */
	const char *cookie;            /* JSESSIONID to send; NULL: none */
	const char *log_id;            /* Client-Log-Id to hand on */
	const char *forwarded_for;     /* X-Forwarded-For; NULL: none */
	const char *user_agent;        /* NULL: "Fairlead/<version>" */
	unsigned timeout_ms;           /* 0: PEER_TIMEOUT_MS */
	unsigned connect_ms;           /* of it, for the connection; 0: all */
	struct arena *arena;           /* where the answer's message lives; must outlive the call */
};

struct peer_answer {
	int error;          /* as http_answer.error; ERROR_INPUT: the answer is not a message, or
			     * not the answer to this request, or the HTTP status is not 200 */
	const char *detail; /* one line for people; never NULL; lives during the callback */
	const struct message
		*message;   /* in the call's arena; NULL on error. May be an error-resp */
	const char *cookie; /* new JSESSIONID; NULL: none; lives during the callback */
	const struct certificate_report *report; /* may be NULL */
	int64_t name_us, connect_us, tls_us, total_us;
};

typedef void peer_done(void *user, const struct peer_answer *answer);

/* An implementation starts with this. */
struct peer {
	/* `done` is called exactly once, on the loop, never from inside. 0 or ERROR_MEMORY,
	 * ERROR_LIMIT (the request does not encode): then no `done`. */
	int (*call)(struct peer *peer, const struct peer_call *call, peer_done *done, void *user);
	void (*free)(struct peer *peer);
};

int peer_call(struct peer *peer, const struct peer_call *call, peer_done *done, void *user);
void peer_free(struct peer *peer);

/* The real one, on libcurl. `reader` is the loop's; not owned. */
int peer_https_new(uv_loop_t *loop, struct xml_reader *reader, struct peer **ret_peer);

#endif
