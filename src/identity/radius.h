/*
 * radius.h - asking RADIUS servers (RFC 2865, RFC 2869) without holding a thread.
 *
 * An exchange sends an Access-Request to the first server that is not held down, repeats it, goes
 * on to the next server, and ends with one answer on the loop that asked. It may wait long (a
 * person approves on his telephone): all it holds is a socket and a timer.
 *
 * Encoding, password hiding and signatures are libfreeradius' (radius_packet.h). Every request
 * carries a Message-Authenticator; answers without one are refused unless configured otherwise. An
 * answer is taken only from the address and port that was asked, with the identifier of the request
 * and a valid authenticator; anything else is counted and ignored, so that a forged answer ends
 * nothing.
 */
#ifndef FAIRLEAD_IDENTITY_RADIUS_H
#define FAIRLEAD_IDENTITY_RADIUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/entropy.h"
#include "identity/identity.h"

#define RADIUS_SERVERS_MAXIMUM 8
#define RADIUS_STATE_MAXIMUM 253    /* bytes of the State attribute */
#define RADIUS_MESSAGE_MAXIMUM 1024 /* bytes of all Reply-Messages of an answer */
#define RADIUS_PASSWORD_MAXIMUM 128 /* bytes, RFC 2865 5.2 */

struct radius; /* a group of servers that serve the same users; shared by loops, thread-safe */

struct radius_server {
	const char *address; /* name or numeric; resolved by resolve.h */
	uint16_t port;       /* 0: 1812 */
	const char *secret;  /* copied; never empty */
};

enum radius_password { RADIUS_PAP, RADIUS_CHAP };

struct radius_options {
	const struct radius_server *servers; /* copied */
	size_t server_count;
	enum radius_password password;
	const char *nas_identifier; /* NULL: "fairlead" */
	unsigned retry_ms; /* how long to wait before a request is repeated. 0: 2000, or less, so
			    * that every server has its tries within wait_seconds */
	unsigned tries;    /* 0: 3; requests to one server before the next one is asked */
	unsigned wait_seconds; /* 0: 5; for an answer in all. With push approval: 60 or so. The last
				* server asked is waited for until then */
	unsigned hold_down_seconds; /* 0: 30; a silent server is asked last for so long */
	bool allow_unsigned;        /* take answers without Message-Authenticator */
};

/* 0, ERROR_INPUT (no server or too many, an empty address or secret, an overlong NAS identifier),
 * ERROR_MEMORY, ERROR_SYSTEM (also: libfreeradius is another one than this program was built for).
 */
int radius_new(const struct radius_options *options, struct radius **ret_radius);
void radius_free(struct radius *radius); /* NULL is allowed; no exchange may be open */

struct radius_request {
	const char *user;     /* as the source names him */
	const char *password; /* password or code; at most RADIUS_PASSWORD_MAXIMUM bytes */
	const void *state;    /* of the challenge that is answered; NULL: none */
	size_t state_length;
	const char *client; /* numeric address, sent as Calling-Station-Id */
	struct arena *arena;
	uv_loop_t *loop;
	const struct clock *clock;
	const struct entropy *entropy;
};

enum radius_verdict {
	RADIUS_ACCEPTED,
	RADIUS_CHALLENGED, /* `message` is to be shown, `state` to be sent back; `reason` is RIGHT
			    */
	RADIUS_FAILED      /* see `reason` */
};

struct radius_answer {
	enum radius_verdict verdict;
	enum reason reason; /* RIGHT; RADIUS_REJECTED, _SILENT, _WRONG_SECRET, _UNSIGNED, _FAILED */
	const char *message; /* Reply-Messages, valid UTF-8, control characters but line feeds
				replaced; "" */
	const void *state;   /* in the arena; NULL: none */
	size_t state_length;
	const char *server; /* "address:port" that answered, or was asked last */
	const char *detail; /* for the administrator's log */
	struct identity_trouble troubles[IDENTITY_TROUBLES_MAXIMUM]; /* servers passed over */
	size_t trouble_count;
	int64_t took; /* microseconds */
};

typedef void radius_done(void *context, const struct radius_answer *answer);

/* The request and its texts stay until `done`, which is called exactly once, later, on the loop,
 * when nothing of the exchange is left open. 0 or ERROR_INPUT (a name, password or state
 * too long or empty), ERROR_MEMORY and no `done`. */
int radius_ask(struct radius *radius, const struct radius_request *request, radius_done *done,
	void *context);

#endif
