#include "base/uuid.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"

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
	uint8_t bytes[16];
	char digits[2 * sizeof(bytes) + 1];
	int result;

	result = entropy_fill(entropy, bytes + 8, 8);
	if (result != 0)
		return result;
	/* Low, middle and high part of the time, each in network order (RFC 4122, 4.1.2). */
	for (size_t i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(ticks >> (24 - 8 * i));
	bytes[4] = (uint8_t)(ticks >> 40);
	bytes[5] = (uint8_t)(ticks >> 32);
	bytes[6] = (uint8_t)(0x10U | (ticks >> 56 & 0x0fU));
	bytes[7] = (uint8_t)(ticks >> 48);
	bytes[8] = (uint8_t)((bytes[8] & 0x3fU) | 0x80U);
	bytes[10] |= 0x01U;
	secret_hex(bytes, sizeof(bytes), digits);
	for (size_t at = 0, from = 0; at < UUID_SIZE; at++)
		uuid[at] = is_dash_place(at) ? '-' : digits[from++];
	return 0;
}
