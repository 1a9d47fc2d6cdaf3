/*
 * radius_bytes.h - the server's side of RADIUS (RFC 2865, RFC 2869) for tests, written from the
 * RFCs with libcrypto alone, so that the program's library is checked against something else.
 */
#ifndef FAIRLEAD_UNIT_RADIUS_BYTES_H
#define FAIRLEAD_UNIT_RADIUS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RADIUS_BYTES_MAXIMUM 4096

enum radius_code { CODE_REQUEST = 1, CODE_ACCEPT = 2, CODE_REJECT = 3, CODE_CHALLENGE = 11 };
enum radius_type {
	TYPE_USER_NAME = 1,
	TYPE_USER_PASSWORD = 2,
	TYPE_CHAP_PASSWORD = 3,
	TYPE_SERVICE = 6,
	TYPE_REPLY_MESSAGE = 18,
	TYPE_STATE = 24,
	TYPE_VENDOR = 26,
	TYPE_CALLING_STATION = 31,
	TYPE_NAS_IDENTIFIER = 32,
	TYPE_CHAP_CHALLENGE = 60,
	TYPE_NAS_PORT_TYPE = 61,
	TYPE_EAP_MESSAGE = 79,
	TYPE_AUTHENTICATOR = 80
};

/* Attributes one after the other. */
struct radius_bytes {
	uint8_t bytes[RADIUS_BYTES_MAXIMUM];
	size_t length;
};
void radius_bytes_add(struct radius_bytes *bytes, uint8_t type, const void *value, size_t length);
void radius_bytes_text(struct radius_bytes *bytes, uint8_t type, const char *text);

/* The value of the first attribute of that type in a packet; NULL: none. */
const uint8_t *radius_bytes_find(
	const uint8_t *packet, size_t length, uint8_t type, size_t *ret_length);

/* Whether a request's Message-Authenticator fits the secret. */
bool radius_bytes_signed(const uint8_t *request, size_t length, const char *secret);

/* The password of a request, in clear; `password` holds 129 bytes. False: none. */
bool radius_bytes_password(
	const uint8_t *request, size_t length, const char *secret, char *password);

/* Whether a CHAP request was made with this password. */
bool radius_bytes_chap(const uint8_t *request, size_t length, const char *password);

/* An answer to the request (its first 20 bytes matter); with a Message-Authenticator in front where
 * `sign` is set. */
void radius_bytes_answer(struct radius_bytes *answer, uint8_t code, const uint8_t *request,
	const struct radius_bytes *attributes, const char *secret, bool sign);

#endif
