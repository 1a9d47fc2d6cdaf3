/*
 * link.h - an established session: TCP 4172 with TLS 1.3, then UDP 4172.
 *
 * The vendor's media protocol is not public, so this wire is Fairlead's own:
 * docs/session-wire.md. It carries opaque frames both ways; today nothing but keep-alives,
 * the licence note and the close message travels beside them.
 *
 * All times in microseconds of the given clock's steady time. Everything of a
 * link happens on one loop. Callbacks are never called from inside the call that asked; any
 * function here may be called from inside a callback. The program ignores SIGPIPE.
 */
#ifndef FAIRLEAD_SERVICE_LINK_H
#define FAIRLEAD_SERVICE_LINK_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "wire/certificate.h"

#define LINK_PORT 4172
#define LINK_TAG_SIZE 129 /* 96 random bytes as base64, with NUL */
/* Vendor documentation: a tag is valid once, for 60 s; agents and soft clients
 * drop a session after 60 s of silence. Our own: the media channel must open
 * within 30 s, else 0x402. */
#define LINK_TAG_LIFE (60 * CLOCK_SECOND)
#define LINK_SILENCE_LIMIT (60 * CLOCK_SECOND)
#define LINK_UDP_OPEN_LIMIT (30 * CLOCK_SECOND)
#define LINK_FRAME_MAXIMUM 16384 /* bytes of one opaque frame */

/* Why a session ended: numbers of the vendor's published table.
 * causes.def: CAUSE(NAME, number, vendor name, meaning) */
enum link_cause {
#define CAUSE(name, number, vendor, meaning) LINK_CAUSE_##name = number,
#include "protocol/causes.def"
#undef CAUSE
};
/* The vendor's name ("HOST_BROKER_SESSION_EXPIRY_TIMEOUT") and the meaning; an
 * unknown number has its group's. Never NULL. */
const char *link_cause_name(unsigned cause);
const char *link_cause_meaning(unsigned cause);

/* Why the agent did not let a client in (frames.def). UNKNOWN is told to the
 * agent's own program only: a client cannot tell it from TAG. */
enum link_refusal {
#define REFUSAL(name, number, wire, meaning) LINK_REFUSED_##name = number,
#include "protocol/frames.def"
};
/* Never NULL; an unknown number has a text of its own. */
const char *link_refusal_text(unsigned refusal);

struct link_quality {
	uint64_t sent, answered; /* keep-alives */
	double loss; /* share of them lost, 0 to 1; only those older than a time-out count */
	int64_t rtt_last, rtt_mean, rtt_max, jitter; /* microseconds; -1: not known yet */
	uint64_t bytes_in, bytes_out;                /* opaque payload */
};

struct link_license {
	bool granted;
	bool grace;         /* the service could not be reached; within the grace period */
	int remaining_days; /* of the licence or of the grace period; -1: not known */
	char source[256];   /* address of the licence service; "" if none */
	char text[256];     /* one line for people */
};

/* ---- the agent's end: link_server.c ---- */

struct link_server;

/* In order; told through on_step with the client's and our own address, "host:port" (UDP's
 * for UDP_OPEN, TCP's for the others). A resumption tells RESUMED alone, not its steps. */
enum link_step {
	LINK_STEP_TCP_ACCEPTED,  /* the agent knows the session, and tells it, only with the next */
	LINK_STEP_TCP_CONFIRMED, /* id and tag were right */
	LINK_STEP_UDP_OPEN,
	LINK_STEP_CONNECTED,
	LINK_STEP_INTERRUPTED, /* TCP lost; may be resumed within LINK_SILENCE_LIMIT */
	LINK_STEP_RESUMED,     /* opaque frames sent shortly before the loss may be missing */
};

struct link_server_events {
	void (*on_step)(void *user, uint64_t session, enum link_step step, const char *peer,
		const char *local);
	/* session: the one that was named, or 0. BUSY: given up for a newer connection
	 * before it said anything; for the others see docs/session-wire.md 2.3. */
	void (*on_refused)(
		void *user, uint64_t session, enum link_refusal refusal, const char *peer);
	/* NULL: nothing is behind the session that frames could be for. */
	void (*on_frame)(void *user, uint64_t session, const void *bytes, size_t length);
	/* Exactly once per expected session that ended: never came, closed by either side, lost. */
	void (*on_closed)(
		void *user, uint64_t session, unsigned cause, const struct link_quality *quality);
	void *user;
};

struct link_server_options {
	uv_loop_t *loop;
	const char *address; /* "0.0.0.0:4172"; port 0: one free port for both TCP and UDP */
	SSL_CTX *context;    /* TLS 1.3 only; a reference is taken */
	const struct clock *clock;
	const struct entropy *entropy;
	struct link_server_events events;
	/* 0: the defaults above; shorter ones for tests. */
	int64_t tag_life, silence_limit, udp_open_limit, keepalive_interval /* 0: 1 s */;
	int64_t handshake_limit; /* TLS and the first frame; 0: 10 s */
};

/* 0, ERROR_INPUT (address), ERROR_SYSTEM (errno tells), ERROR_MEMORY. */
int link_server_start(const struct link_server_options *options, struct link_server **ret_server);
uint16_t link_server_port(const struct link_server *server);
void link_server_set_context(struct link_server *server, SSL_CTX *context);
/* Closes every session with `cause` (on_closed follows for each), then the sockets; `stopped`
 * is called once, at the end, and the server is freed after it. */
void link_server_stop(
	struct link_server *server, unsigned cause, void (*stopped)(void *user), void *user);

/* Expects a client for a new session; draws id and tag. `sni` must be what
 * the client then names in its TLS hello (NULL: not compared), at most 255
 * bytes. At most 64 expected or live sessions. 0, ERROR_LIMIT, ERROR_INPUT,
 * ERROR_STATE (stopping), ERROR_SYSTEM, ERROR_MEMORY, ERROR_CRYPTO. */
int link_server_expect(struct link_server *server, const char *sni, uint64_t *ret_session,
	char tag[LINK_TAG_SIZE]);
/* Told to the client once connected (stage 6) and again whenever it changes. This and those
 * below: ERROR_NOT_FOUND once the session is over. Sending: ERROR_STATE unless CONNECTED,
 * ERROR_LIMIT while more than 1 MiB waits, ERROR_INPUT for no bytes or more than
 * LINK_FRAME_MAXIMUM. */
int link_server_license(
	struct link_server *server, uint64_t session, const struct link_license *license);
int link_server_send(
	struct link_server *server, uint64_t session, const void *bytes, size_t length);
int link_server_close(struct link_server *server, uint64_t session, unsigned cause);
int link_server_quality(
	const struct link_server *server, uint64_t session, struct link_quality *quality);

/* ---- the client's end: link_client.c ---- */

struct link_client;

struct link_client_events {
	/* steps: TCP_ACCEPTED (TCP and TLS stand), TCP_CONFIRMED, UDP_OPEN, CONNECTED, INTERRUPTED,
	 * RESUMED */
	void (*on_step)(void *user, enum link_step step);
	void (*on_license)(void *user, const struct link_license *license);
	void (*on_frame)(void *user, const void *bytes, size_t length);
	/* After each answered or lost keep-alive. */
	void (*on_quality)(void *user, const struct link_quality *quality);
	/* Exactly once, at the end. error: 0 after a close message of either end (cause says why),
	 * ERROR_REFUSED (refusal), ERROR_UNREACHABLE (no TCP), ERROR_UNTRUSTED, ERROR_TLS,
	 * ERROR_TIMEOUT (cause 0x402: UDP did not open; 0x000: no answer, silence, or TCP was lost
	 * and could not be resumed), ERROR_CLOSED (TCP lost before CONNECTED), ERROR_INPUT (the
	 * agent does not keep to the protocol), ERROR_SYSTEM, ERROR_MEMORY. `detail` is one line
	 * for people. */
	void (*on_closed)(
		void *user, int error, unsigned cause, unsigned refusal, const char *detail);
	void *user;
};

struct link_client_options {
	uv_loop_t *loop;
	const char *address; /* numeric */
	uint16_t port;
	const char *sni; /* NULL or "": as the policy's name asks */
	uint64_t session;
	const char *tag;                         /* copied, wiped after use */
	const struct certificate_policy *policy; /* copied */
	struct certificate_report *report;       /* outlives the link */
	const struct clock *clock;
	const struct entropy *entropy;
	struct link_client_events events;
	int64_t connect_limit /* 0: 5 s */, silence_limit, udp_open_limit, keepalive_interval;
};

/* 0, ERROR_INPUT (address, tag or policy), ERROR_SYSTEM (CA file), ERROR_MEMORY, ERROR_TLS,
 * ERROR_CRYPTO. Whether anybody answers is told later. */
int link_client_start(const struct link_client_options *options, struct link_client **ret_client);
/* As link_server_send. */
int link_client_send(struct link_client *client, const void *bytes, size_t length);
/* Says goodbye with a cause and closes; on_closed follows. */
void link_client_close(struct link_client *client, unsigned cause);
/* After on_closed (or at any time: then without it). What was said last still leaves: let the
 * loop run on until it is empty, at most 2 s. NULL is allowed. */
void link_client_free(struct link_client *client);

#endif
