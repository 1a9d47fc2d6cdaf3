/*
 * secret.h - handling of bytes that nobody else may learn.
 */
#ifndef FAIRLEAD_BASE_SECRET_H
#define FAIRLEAD_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Overwrites in a way the compiler keeps. NULL with length 0 is allowed. */
void secret_wipe(void *bytes, size_t length);

/* Wipes a NUL-terminated text in place. NULL is allowed. */
void secret_wipe_text(char *text);

/* Compares in time that depends on `length` only. */
bool secret_equal(const void *a, const void *b, size_t length);

/* Compares two texts in time that depends on the length of `given` only. */
bool secret_equal_text(const char *given, const char *expected);

/* Lower-case hexadecimal; text holds 2 * length + 1 bytes. */
void secret_hex(const void *bytes, size_t length, char *text);

/* Reads exactly `length` bytes of hexadecimal (either case, ':' between
 * bytes allowed). 0 or ERROR_INPUT. */
int secret_unhex(const char *text, void *bytes, size_t length);

/* RFC 4648 base64 with padding; text holds SECRET_BASE64_SIZE(length). */
#define SECRET_BASE64_SIZE(length) (((length) + 2) / 3 * 4 + 1)
void secret_base64(const void *bytes, size_t length, char *text);

#endif
