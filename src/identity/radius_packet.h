/*
 * radius_packet.h - an Access-Request as bytes, and the bytes of its answer (RFC 2865, RFC 2869).
 *
 * Form, password hiding, signatures and their checks are libfreeradius'; this is the only file that
 * includes it. It is used as a codec: no socket, no dictionary, no random numbers of its own, so
 * that it holds no state that threads would share. Thread-safe.
 */
#ifndef FAIRLEAD_IDENTITY_RADIUS_PACKET_H
#define FAIRLEAD_IDENTITY_RADIUS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity/radius.h"

#define RADIUS_PACKET_MAXIMUM 4096 /* bytes, RFC 2865 3 */
#define RADIUS_PACKET_VALUE 253    /* bytes of an attribute's value at most */
#define RADIUS_PACKET_RANDOM 16    /* bytes of a Request Authenticator, and of a CHAP-Challenge */

/* True when the library that is loaded is the one this program was built for. It has no versioned
 * name, and its structures differ from release to release. */
bool radius_packet_library_fits(void);

struct radius_packet_request {
	const char *user;     /* 1 to RADIUS_PACKET_VALUE bytes */
	const char *password; /* 1 to RADIUS_PASSWORD_MAXIMUM bytes */
	enum radius_password method;
	const void *state;          /* NULL: none */
	size_t state_length;        /* 1 to RADIUS_STATE_MAXIMUM */
	const char *client;         /* Calling-Station-Id; NULL or "": none. Cut where too long */
	const char *nas_identifier; /* 1 to RADIUS_PACKET_VALUE bytes */
	const char *secret;         /* never empty */
	uint8_t id;
	uint8_t authenticator[RADIUS_PACKET_RANDOM];
	uint8_t chap_id;
	uint8_t chap_challenge[RADIUS_PACKET_RANDOM];
};

/* The packet, signed; its Message-Authenticator comes first, where a chosen prefix cannot be put
 * before it. 0, ERROR_INPUT (lengths as above), ERROR_MEMORY. */
int radius_packet_write(const struct radius_packet_request *request,
	uint8_t bytes[RADIUS_PACKET_MAXIMUM], size_t *ret_length);

enum radius_packet_kind {
	RADIUS_PACKET_ACCEPT,
	RADIUS_PACKET_REJECT,
	RADIUS_PACKET_CHALLENGE,
	/* What is to be ignored: */
	RADIUS_PACKET_FOREIGN, /* no answer to this request, or not of RADIUS' form */
	RADIUS_PACKET_FORGED,  /* an authenticator does not fit: of somebody else, or of another
				  secret */
	RADIUS_PACKET_UNSIGNED /* fits, but has no Message-Authenticator */
};

struct radius_packet_answer {
	uint8_t state[RADIUS_STATE_MAXIMUM];
	size_t state_length;                      /* 0: none */
	char message[RADIUS_MESSAGE_MAXIMUM + 1]; /* as struct radius_answer has it */
};

/* Reads `bytes` as an answer to the request with this identifier and authenticator; `bytes` are
 * altered on the way. *ret_answer is filled for the first three kinds only. */
enum radius_packet_kind radius_packet_read(uint8_t *bytes, size_t length, uint8_t id,
	const uint8_t authenticator[RADIUS_PACKET_RANDOM], const char *secret, bool allow_unsigned,
	struct radius_packet_answer *ret_answer);

#endif
