/*
 * radius_exchange.h - one question to a group of servers while it is open, for radius_exchange.c
 * and radius_outcome.c.
 */
#ifndef FAIRLEAD_IDENTITY_RADIUS_EXCHANGE_H
#define FAIRLEAD_IDENTITY_RADIUS_EXCHANGE_H

#include "identity/radius_packet.h"
#include "identity/radius_private.h"

#define RADIUS_TROUBLE_SIZE 96

struct exchange;

struct line {
	uv_poll_t poll;
	int fd;
	struct exchange *exchange;
};

struct counts {
	unsigned sent, foreign, forged, without;
};

struct exchange {
	struct radius *radius;
	const struct radius_request *request;
	radius_done *done;
	void *context;
	int64_t began;

	uv_timer_t whole; /* the time of all */
	uv_timer_t next;  /* until a request is repeated, or a name asked for again */
	unsigned handles; /* not closed yet */
	struct line *line;

	size_t order[RADIUS_SERVERS_MAXIMUM];
	size_t at; /* in order: the one being asked */
	bool resolving;
	unsigned long look_up;  /* as in resolve_poll() */
	uint64_t resolve_until; /* the loop's time */
	struct resolve_addresses addresses;
	size_t address_at;

	uint8_t packet[RADIUS_PACKET_MAXIMUM];
	size_t packet_length;
	uint8_t id;
	uint8_t authenticator[RADIUS_PACKET_RANDOM];
	unsigned sent;      /* of this packet */
	uint64_t pause;     /* milliseconds until it is repeated, or the name asked for again */
	struct counts here; /* of this server */
	struct counts all;
	char trouble[RADIUS_TROUBLE_SIZE]; /* what ended the server's last address */

	bool ended;
	struct radius_answer answer;
};

static inline struct radius_peer *peer_of(const struct exchange *exchange)
{
	return &exchange->radius->peers[exchange->order[exchange->at]];
}

/* --- radius_outcome.c --- */

/* A copy for the answer; "" where the arena is full, which is never worth failing. */
const char *radius_outcome_text(const struct exchange *exchange, const char *given);

/* Closes the socket where there is one. */
void radius_outcome_drop_line(struct exchange *exchange);

/* Takes a datagram: counts what is to be ignored, and ends the exchange with an answer. */
void radius_outcome_received(struct exchange *exchange, uint8_t *bytes, size_t length);

/* Ends the exchange without one. */
void radius_outcome_fail(struct exchange *exchange);

#endif
