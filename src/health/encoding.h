/*
 * encoding.h - what bytes a log is written in, and text fit for a report.
 *
 * Scanning works on bytes: ASCII, UTF-8 and Latin-1 as they are. UTF-16 (with a byte order mark,
 * or recognised by its zero bytes) is turned into UTF-8 first. Only what a report quotes is made
 * clean UTF-8.
 */
#ifndef FAIRLEAD_HEALTH_ENCODING_H
#define FAIRLEAD_HEALTH_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

enum encoding {
	ENCODING_UNKNOWN, /* nothing read */
	ENCODING_ASCII,
	ENCODING_UTF8,
	ENCODING_UTF8_BOM,
	ENCODING_UTF16_LE,
	ENCODING_UTF16_BE,
	ENCODING_LATIN1, /* has bytes that are not UTF-8: read as Windows-1252 */
	ENCODING_BINARY, /* NUL bytes, no pattern of UTF-16, and the rest is no text: not a log */
};

/* From the first bytes of a file (a few KiB). *ret_mark: bytes of a byte order mark to skip.
 * A first look: ASCII may turn out to be UTF-8 or Latin-1 later, see encoding_refine. */
enum encoding encoding_detect(const char *bytes, size_t length, size_t *ret_mark);

/* The encoding after these further bytes (whole lines) were seen. Fast for ASCII. */
enum encoding encoding_refine(enum encoding encoding, const char *bytes, size_t length);

/* "utf-16le" */
const char *encoding_name(enum encoding encoding);

/* Makes text of whole lines with NUL bytes, as a machine that lost its power leaves them: they
 * become blanks. Where a line with a stamp begins directly after them, the torn line before becomes
 * blanks, too, so that lines keep their numbers. Returns how many there were; fast when there are
 * none. */
size_t encoding_blank_zeros(char *bytes, size_t length);

/* UTF-16 to UTF-8. Converts as many whole characters as fit; *ret_taken bytes of input are
 * used up (an odd byte or half a pair stays), the return value is bytes of output. Broken pairs
 * become U+FFFD. */
size_t encoding_from_utf16(const char *bytes, size_t length, bool big_endian, char *out,
	size_t size, size_t *ret_taken);

/* Copies a line for a report as NUL-terminated valid UTF-8 of at most size - 1 bytes, cut at a
 * character: bytes that are not UTF-8 are read as Windows-1252, control characters except tab
 * become U+FFFD, a CR or LF at the end goes. Returns the length. */
size_t encoding_clean(const char *bytes, size_t length, char *out, size_t size);

#endif
