/*
 * session_id.h - the id that names a session in every log, and what it tells.
 *
 * Version-1-style UUIDs whose time field is the client's Unix time in whole seconds times
 * 10^7 (epoch 1970, not 1582 as RFC 4122 says), and whose node is the client's Ethernet address
 * or zero: all of 31 distinct real ids decode so.
 */
#ifndef FAIRLEAD_HEALTH_SESSION_ID_H
#define FAIRLEAD_HEALTH_SESSION_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSION_ID_TEXT 36 /* characters, without NUL */

struct session_id {
	uint8_t bytes[16];
};

/* Reads the 8-4-4-4-12 form, either case, at the start of the bytes. */
bool session_id_read(const char *bytes, size_t length, struct session_id *ret_id);

bool session_id_is_zero(const struct session_id *id);
bool session_id_equal(const struct session_id *a, const struct session_id *b);

/* Lower case. */
void session_id_print(const struct session_id *id, char text[SESSION_ID_TEXT + 1]);

/* When the client made the id, microseconds since 1970. False when the id is not of this kind
 * (version other than 1, fraction of a second, before 2000 or after 2100). */
bool session_id_time(const struct session_id *id, int64_t *ret_time);

#endif
