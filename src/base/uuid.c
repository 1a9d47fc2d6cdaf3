#include "base/uuid.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"

static bool is_dash_place(size_t at)
{
	return at == 8 || at == 13 || at == 18 || at == 23;
}

static bool is_hex(char digit)
{
	return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f') ||
	        (digit >= 'A' && digit <= 'F');
}

bool uuid_valid(const char *text)
{
	for (size_t i = 0; i < UUID_SIZE - 1; i++) {
		if (is_dash_place(i) ? text[i] != '-' : !is_hex(text[i]))
			return false;
	}
	return text[UUID_SIZE - 1] == '\0';
}

int uuid_read(const char *text, char uuid[UUID_SIZE])
{
	if (!uuid_valid(text))
		return ERROR_INPUT;
	for (size_t i = 0; i < UUID_SIZE; i++) {
		char digit = text[i];

		uuid[i] = digit >= 'A' && digit <= 'F' ? (char)(digit - 'A' + 'a') : digit;
	}
	return 0;
}

int uuid_make(const struct entropy *entropy, int64_t wall, char uuid[UUID_SIZE])
{
	uint64_t seconds = wall > 0 ? (uint64_t)(wall / CLOCK_SECOND) : 0;
	uint64_t ticks = seconds * UINT64_C(10000000);
	char text[64];
	uint8_t random[8];
	int length;
	int result;

	result = entropy_fill(entropy, random, sizeof(random));
	if (result != 0)
		return result;
	length = snprintf(text, sizeof(text), "%08x-%04x-1%03x-%02x%02x-%02x%02x%02x%02x%02x%02x",
	        (unsigned int)(ticks & 0xffffffff), (unsigned int)(ticks >> 32 & 0xffff),
	        (unsigned int)(ticks >> 48 & 0x0fff), (random[0] & 0x3fU) | 0x80U, random[1],
	        random[2] | 0x01U, random[3], random[4], random[5], random[6], random[7]);
	assert(length == UUID_SIZE - 1);
	memcpy(uuid, text, UUID_SIZE);
	return 0;
}
