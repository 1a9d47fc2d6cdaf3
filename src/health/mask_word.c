/* Words of a text in any script. */

#include <string.h>

#include "health/mask_private.h"

static bool ascii_letter(unsigned char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
		(byte >= 'A' && byte <= 'Z');
}

static size_t bytes_of(unsigned char first)
{
	if (first >= 0xf0)
		return 4;
	if (first >= 0xe0)
		return 3;
	return first >= 0xc0 ? 2 : 1;
}

enum mask_class mask_class(const char *text, size_t length, size_t at, size_t *ret_bytes)
{
	const unsigned char *bytes = (const unsigned char *)text + at;
	size_t count = bytes_of(bytes[0]);
	unsigned value;

	*ret_bytes = 1;
	if (bytes[0] < 0x80)
		return ascii_letter(bytes[0]) ? MASK_LETTER : MASK_OTHER;
	if (count == 1 || count > length - at)
		return MASK_OTHER;
	for (size_t i = 1; i < count; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return MASK_OTHER;
	}
	*ret_bytes = count;
	if (count == 2)
		return bytes[0] == 0xc2 ? MASK_OTHER : MASK_LETTER; /* Latin-1's signs */
	if (count == 4)
		return MASK_SIGN;
	value = (bytes[0] & 0x0fU) << 12 | (bytes[1] & 0x3fU) << 6 | (bytes[2] & 0x3fU);
	if ((value >= 0x2000 && value < 0x2c00) || (value >= 0x3000 && value < 0x3005) ||
		(value >= 0xff00 && value <= 0xff0f) || value == 0xfffd)
		return MASK_OTHER;
	return value >= 0x2e80 && !(value >= 0xac00 && value < 0xd7b0) ? MASK_SIGN : MASK_LETTER;
}

/* Latin, Greek and Cyrillic letters whose two bytes become two others. */
static void fold_pair(unsigned char *bytes)
{
	unsigned value = (bytes[0] & 0x1fU) << 6 | (bytes[1] & 0x3fU);

	if ((value >= 0xc0 && value <= 0xde && value != 0xd7) ||
		(value >= 0x391 && value <= 0x3ab) || (value >= 0x410 && value <= 0x42f))
		value += 0x20;
	else if (value >= 0x400 && value <= 0x40f)
		value += 0x50;
	else if ((value >= 0x100 && value <= 0x137 && value != 0x130) ||
		(value >= 0x14a && value <= 0x177) || (value >= 0x460 && value <= 0x481))
		value |= 1;
	else if ((value >= 0x139 && value <= 0x148) || (value >= 0x179 && value <= 0x17e))
		value += value & 1;
	bytes[0] = (unsigned char)(0xc0 | value >> 6);
	bytes[1] = (unsigned char)(0x80 | (value & 0x3f));
}

void mask_fold(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte >= 'A' && byte <= 'Z') {
			text[i] = (char)(byte + 0x20);
		} else if (byte >= 0xc3 && byte <= 0xd2 && i + 1 < length &&
			((unsigned char)text[i + 1] & 0xc0) == 0x80) {
			fold_pair((unsigned char *)text + i);
			i++;
		}
	}
}

/* The class of the character before `at`. */
static enum mask_class class_before(const char *text, size_t length, size_t at)
{
	size_t first = at - 1;
	size_t bytes;

	while (first > 0 && at - first < 4 && ((unsigned char)text[first] & 0xc0) == 0x80)
		first--;
	return mask_class(text, length, first, &bytes);
}

bool mask_follows(const char *text, size_t length, size_t at)
{
	return at > 0 && class_before(text, length, at) == MASK_LETTER;
}

bool mask_begins(const char *text, size_t length, size_t at)
{
	size_t bytes;
	enum mask_class class;

	if (at >= length)
		return false;
	class = mask_class(text, length, at, &bytes);
	if (class == MASK_SIGN)
		return true;
	return class == MASK_LETTER && !mask_follows(text, length, at);
}

bool mask_ends(const char *text, size_t length, size_t at)
{
	size_t bytes;

	return at == length || mask_class(text, length, at, &bytes) != MASK_LETTER ||
		!mask_follows(text, length, at);
}

size_t mask_word(const char *text, size_t length, size_t at)
{
	size_t bytes = 0;
	enum mask_class class;

	if (at >= length)
		return at;
	class = mask_class(text, length, at, &bytes);
	if (class == MASK_OTHER)
		return at;
	if (class == MASK_SIGN)
		return at + bytes;
	while (at < length && mask_class(text, length, at, &bytes) == MASK_LETTER)
		at += bytes;
	return at;
}
