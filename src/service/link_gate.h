/*
 * link_gate.h - who may come in on TCP 4172: session ids, tags, resume secrets.
 *
 * Without sockets and TLS; docs/session-wire.md, sections 2.3, 6 and 8. A
 * gate knows the sessions it is given by pointer and owns none of them.
 */
#ifndef FAIRLEAD_SERVICE_LINK_GATE_H
#define FAIRLEAD_SERVICE_LINK_GATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/entropy.h"
#include "service/link.h"
#include "service/link_session.h"

#define LINK_GATE_SESSIONS 64
#define LINK_GATE_EXPIRED 64 /* tags nobody came with are remembered, to say so */
#define LINK_GATE_TRIES 5    /* wrong ones, while a session waits for its client */

struct link_gate_tombstone {
	uint64_t id;
	uint8_t digest[LINK_SESSION_DIGEST_SIZE];
};

struct link_gate {
	struct link_session *sessions[LINK_GATE_SESSIONS];
	struct link_gate_tombstone expired[LINK_GATE_EXPIRED];
	size_t next_expired;
	uint8_t nothing[LINK_SESSION_DIGEST_SIZE]; /* digest that nobody can meet */
};

/* 0 or ERROR_SYSTEM. A gate needs no clearing beyond link_gate_clear. */
int link_gate_init(struct link_gate *gate, const struct entropy *entropy);
void link_gate_clear(struct link_gate *gate);

/* Draws an id and a tag and makes `session` expect their client. 0, ERROR_LIMIT (64
 * sessions), ERROR_INPUT (name too long), ERROR_SYSTEM, ERROR_CRYPTO. */
int link_gate_expect(struct link_gate *gate, struct link_session *session, const char *name,
	const struct link_session_limits *limits, const struct entropy *entropy, int64_t now,
	char tag[LINK_TAG_SIZE]);

/* NULL: not known. */
struct link_session *link_gate_find(const struct link_gate *gate, uint64_t id);

/* The session is over; its tag is remembered if nobody came with it. */
void link_gate_remove(struct link_gate *gate, struct link_session *session);

/* Judges HELLO or RESUME that came with this SNI (NULL: none). 0: it may come
 * in, go on with link_session_admitted for *ret_session. Else a refusal;
 * *ret_session is then the session that was named, or NULL, and it may just
 * have been closed by its last wrong try. */
unsigned link_gate_judge(struct link_gate *gate, const struct frame *frame, const char *name,
	int64_t now, struct link_session **ret_session);

/* The number that the client is told for a refusal. */
uint16_t link_gate_told(unsigned refusal);

#endif
