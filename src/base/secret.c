#include "base/secret.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

void secret_wipe(void *bytes, size_t length)
{
	if (length > 0)
		explicit_bzero(bytes, length);
}

void secret_wipe_text(char *text)
{
	if (text)
		secret_wipe(text, strlen(text));
}

/* The volatile reads keep the compiler from leaving the loop early. */
bool secret_equal(const void *a, const void *b, size_t length)
{
	const volatile unsigned char *left = a;
	const volatile unsigned char *right = b;
	unsigned int difference = 0;

	for (size_t i = 0; i < length; i++)
		difference |= (unsigned int)(left[i] ^ right[i]);
	return difference == 0;
}

bool secret_equal_text(const char *given, const char *expected)
{
	const volatile unsigned char *left = (const volatile unsigned char *)given;
	const volatile unsigned char *right = (const volatile unsigned char *)expected;
	unsigned int difference = 0;
	size_t at = 0;

	/* `at` stops at the end of `expected`, where a longer `given` differs
	 * from the NUL; so neither its length nor its bytes show in the time. */
	for (size_t i = 0; left[i] != 0; i++) {
		unsigned char byte = right[at];

		difference |= (unsigned int)(left[i] ^ byte);
		at += (size_t)(byte != 0);
	}
	difference |= right[at];
	return difference == 0;
}

void secret_hex(const void *bytes, size_t length, char *text)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;

	for (size_t i = 0; i < length; i++) {
		text[2 * i] = digits[from[i] >> 4];
		text[2 * i + 1] = digits[from[i] & 15];
	}
	text[2 * length] = '\0';
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* Reads the text; writes only when `bytes` is not NULL. */
static int read_hex(const char *text, unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		int high;
		int low;

		if (i > 0 && *text == ':')
			text++;
		high = hex_value(text[0]);
		if (high < 0)
			return ERROR_INPUT;
		low = hex_value(text[1]);
		if (low < 0)
			return ERROR_INPUT;
		text += 2;
		if (bytes)
			bytes[i] = (unsigned char)(high << 4 | low);
	}
	return *text == '\0' ? 0 : ERROR_INPUT;
}

int secret_unhex(const char *text, void *bytes, size_t length)
{
	int result = read_hex(text, NULL, length);

	if (result != 0)
		return result;
	result = read_hex(text, bytes, length);
	assert(result == 0);
	return 0;
}

void secret_base64(const void *bytes, size_t length, char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *from = bytes;

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t group = (uint32_t)from[i] << 16;

		if (left > 1)
			group |= (uint32_t)from[i + 1] << 8;
		if (left > 2)
			group |= from[i + 2];
		*text++ = digits[group >> 18];
		*text++ = digits[group >> 12 & 63];
		*text++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*text++ = left > 2 ? digits[group & 63] : '=';
	}
	*text = '\0';
}
