/*
 * password.h - password hashes (libxcrypt), blocking.
 */
#ifndef FAIRLEAD_IDENTITY_PASSWORD_H
#define FAIRLEAD_IDENTITY_PASSWORD_H

#include <stdbool.h>

#include "base/entropy.h"

#define PASSWORD_HASH_SIZE 384  /* CRYPT_OUTPUT_SIZE of crypt(5), with NUL */
#define PASSWORD_MAXIMUM 511    /* bytes; crypt(5) refuses longer ones */
#define PASSWORD_COST_DEFAULT 5 /* of yescrypt: 1 (cheap, for tests) to 11 */

/* Makes a yescrypt hash ("$y$..."). 0, ERROR_LIMIT (too long), ERROR_INPUT (empty, or the cost out
 * of range), ERROR_CRYPTO, ERROR_SYSTEM. */
int password_hash(const struct entropy *entropy, const char *password, unsigned cost,
	char hash[PASSWORD_HASH_SIZE]);

/* Constant-time comparison of the computed hash. Never right: an empty or overlong password,
 * a hash that password_is_hash does not accept. */
bool password_right(const char *password, const char *hash);

/* True when the text is a hash this machine's crypt can check, and not a weak
 * one (yescrypt, gost-yescrypt, scrypt, bcrypt, sha512crypt, sha256crypt). */
bool password_is_hash(const char *text);

#endif
