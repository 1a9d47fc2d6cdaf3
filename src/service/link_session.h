/*
 * link_session.h - one end of a session as a state machine, without sockets.
 *
 * docs/session-wire.md, sections 4 to 6. Inputs are frames, packets, what
 * happened to the TCP connection, and the time; outputs wait in two short
 * queues. What is to be done on the wire is taken with link_session_wire after every
 * call; what the program is to be told is taken with link_session_event
 * after every input from the loop, but not inside calls of the program.
 * Nothing here blocks, logs, or asks for the time.
 */
#ifndef FAIRLEAD_SERVICE_LINK_SESSION_H
#define FAIRLEAD_SERVICE_LINK_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/frame.h"
#include "protocol/liveness.h"
#include "service/link.h"
#include "service/link_packet.h"

#define LINK_SESSION_DIGEST_SIZE 32
#define LINK_SESSION_NAME_SIZE 256

enum link_session_role { LINK_SESSION_AGENT, LINK_SESSION_CLIENT };

enum link_session_state {
	LINK_SESSION_EXPECTED, /* agent only: nobody came yet */
	LINK_SESSION_DIALLING, /* client only: not welcomed yet */
	LINK_SESSION_OPENING,
	LINK_SESSION_CONNECTED,
	LINK_SESSION_INTERRUPTED,
	LINK_SESSION_RESUMING,
	LINK_SESSION_CLOSED,
};

/* Microseconds; link_session_limits fills in the defaults for those that are 0. */
struct link_session_limits {
	int64_t tag_life, silence, udp_open, keepalive, connect;
};
void link_session_limits(struct link_session_limits *limits);

enum link_session_do {
	/* For the wire. */
	LINK_SESSION_DO_FRAME,   /* send `frame` on the TCP connection */
	LINK_SESSION_DO_PACKET,  /* seal `frame` with link_session_seal and send it */
	LINK_SESSION_DO_DIAL,    /* client: open a TCP connection with TLS */
	LINK_SESSION_DO_HANG_UP, /* close the TCP connection once all frames left */
	/* For the program. */
	LINK_SESSION_DO_STEP,    /* on_step(step) */
	LINK_SESSION_DO_LICENSE, /* on_license(session->license) */
	LINK_SESSION_DO_DATA,    /* on_frame(frame.data); points into what was read */
	LINK_SESSION_DO_QUALITY, /* on_quality */
	LINK_SESSION_DO_CLOSED,  /* on_closed(error, cause, refusal); always the last */
};

struct link_session_action {
	enum link_session_do what;
	enum link_step step;
	int error;
	unsigned cause;
	unsigned refusal;
	struct frame frame;
};

#define LINK_SESSION_QUEUE 8

struct link_session_queue {
	struct link_session_action actions[LINK_SESSION_QUEUE];
	size_t first, count;
};

/* What the agent keeps of a tag, and the client's tag itself. */
struct link_session_ticket {
	char name[LINK_SESSION_NAME_SIZE]; /* SNI; "": not compared */
	uint8_t digest[LINK_SESSION_DIGEST_SIZE];
	int64_t expires_at;
	unsigned wrong; /* tries */
};

struct link_session {
	enum link_session_role role;
	enum link_session_state state;
	uint64_t id;
	struct link_session_limits limits;
	struct link_session_queue wire, events;

	struct link_session_ticket ticket;           /* agent */
	uint8_t secret[2][LINK_SESSION_DIGEST_SIZE]; /* agent: digests, proven and newest */
	uint8_t welcome[FRAME_SECRET_SIZE]; /* agent: until it has left; client: the newest */
	char tag[513];                      /* client, until it has left */
	struct link_packet_keys pending;    /* client: until WELCOME */

	bool connected_before;
	bool expired;     /* agent: nobody came in time */
	bool tcp;         /* a connection that counts stands */
	bool dialling;    /* client: an attempt is under way */
	bool udp;         /* agent: an invite came; client: it was answered */
	int64_t began_at; /* of DIALLING, OPENING, RESUMING */
	int64_t interrupted_at;
	int64_t heard_at;
	int64_t next_invite, invite_wait;
	int64_t next_ping;
	int64_t dial_at, dial_wait; /* client: when to dial again, or when it was dialled */

	struct link_packet_sealer sealer;
	struct link_packet_opener opener;
	struct liveness liveness;
	uint64_t bytes_in, bytes_out;
	bool licensed;
	struct link_license license;
};

/* SHA-256. 0 or ERROR_CRYPTO. */
int link_session_digest(const void *bytes, size_t length, uint8_t digest[LINK_SESSION_DIGEST_SIZE]);

/* The agent's end, waiting for the client that knows the tag; `name` may be
 * NULL. The client's end, which dials; `tag` has 1 to 512 bytes. Both: clear
 * with link_session_clear. 0, ERROR_INPUT (name or tag too long), ERROR_CRYPTO. */
int link_session_expect(struct link_session *session, uint64_t id, const char *name,
	const char *tag, const struct link_session_limits *limits, int64_t now);
int link_session_dial(struct link_session *session, uint64_t id, const char *tag,
	const struct link_session_limits *limits, int64_t now);

/* Wipes all secrets and frees the keys; tells nobody. */
void link_session_clear(struct link_session *session);

/* ---- inputs ---- */

/* Agent: HELLO or RESUME was right (link_gate.h), on the connection that
 * counts from here on. `secret` is fresh. 0, ERROR_CRYPTO, ERROR_MEMORY. */
int link_session_admitted(struct link_session *session, const struct link_packet_keys *keys,
	const uint8_t secret[FRAME_SECRET_SIZE], int64_t now);

/* Client: TLS stands and the certificate is good. */
void link_session_tcp_up(
	struct link_session *session, const struct link_packet_keys *keys, int64_t now);

/* The connection that counts, or the client's attempt at one, is gone. `error` says why. */
void link_session_tcp_down(struct link_session *session, int error, int64_t now);

/* A frame came on the connection that counts; or bytes that are none. */
void link_session_frame(struct link_session *session, const struct frame *frame, int64_t now);
void link_session_broken(struct link_session *session, int64_t now);

/* A datagram came. 0: it is authentic and new; `*ret_newest`: its sender's
 * address is the one to answer to. Else an error of link_packet_open, and
 * nothing changed. */
int link_session_packet(struct link_session *session, const void *bytes, size_t length, int64_t now,
	bool *ret_newest);

/* Time passed. link_session_due: when to come again; INT64_MAX: never. */
void link_session_tick(struct link_session *session, int64_t now);
int64_t link_session_due(const struct link_session *session);

/* The program ends the session, or changes the licence note (agent). */
void link_session_close(struct link_session *session, unsigned cause);
void link_session_license(struct link_session *session, const struct link_license *license);

/* An opaque frame may be sent: 0 or ERROR_STATE. Say link_session_sent when it was queued. */
int link_session_may_send(const struct link_session *session);
void link_session_sent(struct link_session *session, size_t length);

/* ---- outputs ---- */

/* Takes the oldest action; false: there is none. Points into the session. */
bool link_session_wire(struct link_session *session, struct link_session_action *ret_action);
bool link_session_event(struct link_session *session, struct link_session_action *ret_action);

/* A datagram with this packet. 0 or an error of link_packet_seal. */
int link_session_seal(struct link_session *session, const struct frame *frame,
	uint8_t packet[LINK_PACKET_MAXIMUM], size_t *ret_length);

void link_session_quality(const struct link_session *session, struct link_quality *quality);

#endif
