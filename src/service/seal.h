/*
 * seal.h - a secret that only the bearer of a cookie can open.
 *
 * The user's password must survive from authenticate to allocate (the agent
 * needs it in launch-session). It is sealed with AES-256-GCM under a key
 * derived (HKDF-SHA-256) from the session cookie, which the server itself
 * stores only as a SHA-256 hash: a copy of the session table opens nothing.
 */
#ifndef FAIRLEAD_SERVICE_SEAL_H
#define FAIRLEAD_SERVICE_SEAL_H

#include <stddef.h>

#include "base/entropy.h"

#define SEAL_SECRET_MAXIMUM 1024 /* bytes */

struct seal {
	unsigned char *bytes; /* salt, nonce, tag, ciphertext; NULL: nothing sealed */
	size_t length;
};

/* Seals a text, replacing what was sealed before. 0, ERROR_LIMIT (longer than
 * the maximum), ERROR_MEMORY, ERROR_CRYPTO, ERROR_SYSTEM. */
int seal_close(
	struct seal *seal, const struct entropy *entropy, const char *cookie, const char *secret);

/* Opens into `secret`, which the caller wipes. 0, ERROR_NOT_FOUND (nothing
 * sealed), ERROR_CRYPTO (another cookie, or changed bytes). */
int seal_open(const struct seal *seal, const char *cookie, char secret[SEAL_SECRET_MAXIMUM + 1]);

/* Wipes and frees; the seal is then empty. */
void seal_wipe(struct seal *seal);

#endif
