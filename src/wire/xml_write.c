#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "wire/xml.h"

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* Length of the well-formed UTF-8 sequence at `bytes`, 0 if there is none.
 * Overlong forms, surrogates and what lies beyond U+10FFFF are none. */
static size_t sequence_length(const unsigned char *bytes, size_t length)
{
	unsigned char first = bytes[0], low = 0x80, high = 0xBF;
	size_t size;

	if (first < 0x80)
		return 1;
	if (first >= 0xC2 && first <= 0xDF) {
		size = 2;
	} else if (first >= 0xE0 && first <= 0xEF) {
		size = 3;
		low = first == 0xE0 ? 0xA0 : 0x80;
		high = first == 0xED ? 0x9F : 0xBF;
	} else if (first >= 0xF0 && first <= 0xF4) {
		size = 4;
		low = first == 0xF0 ? 0x90 : 0x80;
		high = first == 0xF4 ? 0x8F : 0xBF;
	} else {
		return 0;
	}
	if (length < size || bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++) {
		if (bytes[i] < 0x80 || bytes[i] > 0xBF)
			return 0;
	}
	return size;
}

/* What stands for the character at `bytes`; NULL when it stands for itself. */
static const char *substitute(const unsigned char *bytes, size_t size)
{
	if (size == 0)
		return replacement;
	switch (bytes[0]) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&apos;";
	/* Written as they are, a reader would turn these into spaces in an
	 * attribute, and the last into a line feed everywhere. */
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		break;
	}
	if (bytes[0] < 0x20)
		return replacement;
	/* U+FFFE and U+FFFF */
	if (size == 3 && bytes[0] == 0xEF && bytes[1] == 0xBF && bytes[2] >= 0xBE)
		return replacement;
	return NULL;
}

int xml_write_escaped(struct buffer *out, const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t plain = 0; /* where the run that needs no change starts */
	size_t at = 0;
	int error;

	while (at < length) {
		size_t size = sequence_length(bytes + at, length - at);
		const char *instead = substitute(bytes + at, size);

		if (instead != NULL) {
			error = buffer_append(out, text + plain, at - plain);
			if (error == 0)
				error = buffer_text(out, instead);
			if (error != 0)
				return error;
			plain = at + (size != 0 ? size : 1);
		}
		at += size != 0 ? size : 1;
	}
	return buffer_append(out, text + plain, length - plain);
}
