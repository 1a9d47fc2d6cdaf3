/*
 * uuid.h - the text ids that name a session in every log (Client-Log-Id).
 *
 * RFC 4122 text form, 36 characters, lower case. Ids we make are laid out as
 * those of real clients: version 1, the time field holding Unix seconds
 * times 10^7 (observed in real logs). Clock sequence and node are random,
 * the node with its multicast bit set (RFC 4122, 4.5), because a real MAC
 * address in it would be private data.
 */
#ifndef FAIRLEAD_BASE_UUID_H
#define FAIRLEAD_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/entropy.h"

#define UUID_SIZE 37 /* with NUL */
#define UUID_ZERO "00000000-0000-0000-0000-000000000000"

/* True for the 8-4-4-4-12 hexadecimal form, in either case. */
bool uuid_valid(const char *text);

/* As uuid_valid, and copies it in lower case. 0 or ERROR_INPUT. */
int uuid_read(const char *text, char uuid[UUID_SIZE]);

/* Makes one for this time (microseconds since 1970). 0 or ERROR_SYSTEM. */
int uuid_make(const struct entropy *entropy, int64_t wall, char uuid[UUID_SIZE]);

#endif
