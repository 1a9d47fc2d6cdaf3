#include "health/session_id.h"

#include <string.h>

#define TICKS_PER_SECOND 10000000u   /* of 100 ns */
#define YEAR_2000 INT64_C(946684800) /* seconds since 1970 */
#define YEAR_2100 INT64_C(4102444800)

/* Value plus one of a hexadecimal digit; 0: none. */
static const uint8_t hex_values[256] = {
	['0'] = 1,
	['1'] = 2,
	['2'] = 3,
	['3'] = 4,
	['4'] = 5,
	['5'] = 6,
	['6'] = 7,
	['7'] = 8,
	['8'] = 9,
	['9'] = 10,
	['A'] = 11,
	['B'] = 12,
	['C'] = 13,
	['D'] = 14,
	['E'] = 15,
	['F'] = 16,
	['a'] = 11,
	['b'] = 12,
	['c'] = 13,
	['d'] = 14,
	['e'] = 15,
	['f'] = 16,
};

/* Where in the text each byte stands. */
static const uint8_t places[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

bool session_id_read(const char *bytes, size_t length, struct session_id *ret_id)
{
	struct session_id id;

	if (length < SESSION_ID_TEXT || bytes[8] != '-' || bytes[13] != '-' || bytes[18] != '-' ||
		bytes[23] != '-')
		return false;
	for (size_t i = 0; i < sizeof(id.bytes); i++) {
		unsigned high = hex_values[(unsigned char)bytes[places[i]]];
		unsigned low = hex_values[(unsigned char)bytes[places[i] + 1]];
		if (high == 0 || low == 0)
			return false;
		id.bytes[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	*ret_id = id;
	return true;
}

bool session_id_is_zero(const struct session_id *id)
{
	static const struct session_id zero;

	return session_id_equal(id, &zero);
}

bool session_id_equal(const struct session_id *a, const struct session_id *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void session_id_print(const struct session_id *id, char text[SESSION_ID_TEXT + 1])
{
	static const char digits[] = "0123456789abcdef";

	memset(text, '-', SESSION_ID_TEXT);
	for (size_t i = 0; i < sizeof(id->bytes); i++) {
		text[places[i]] = digits[id->bytes[i] >> 4];
		text[places[i] + 1] = digits[id->bytes[i] & 15];
	}
	text[SESSION_ID_TEXT] = '\0';
}

static uint64_t big_endian(const uint8_t *bytes, size_t count)
{
	uint64_t value = 0;

	for (size_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

bool session_id_time(const struct session_id *id, int64_t *ret_time)
{
	uint64_t version_and_high = big_endian(id->bytes + 6, 2);
	uint64_t ticks = (version_and_high & 0x0fff) << 48 | big_endian(id->bytes + 4, 2) << 32 |
		big_endian(id->bytes, 4);

	if (version_and_high >> 12 != 1 || ticks % TICKS_PER_SECOND != 0)
		return false;
	int64_t seconds = (int64_t)(ticks / TICKS_PER_SECOND);
	if (seconds < YEAR_2000 || seconds >= YEAR_2100)
		return false;
	*ret_time = seconds * 1000000;
	return true;
}
