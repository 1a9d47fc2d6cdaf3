#include "health/encoding.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "health/head.h"

#define REPLACEMENT 0xfffdu
#define SQLITE "SQLite format 3" /* and a zero */
#define WORD_HIGH UINT64_C(0x8080808080808080)

/* Windows-1252 from 0x80 to 0x9f; zero where it has no character. Above, it is Latin-1. */
static const uint16_t windows_1252[32] = {
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, /* 80 */
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,      /* 88 */
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, /* 90 */
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178, /* 98 */
};

/* Bytes before the first one that is not ASCII. */
static size_t ascii_length(const char *bytes, size_t length)
{
	uint64_t words[4];
	size_t at = 0;

	while (length - at >= sizeof(words)) {
		memcpy(words, bytes + at, sizeof(words));
		if (((words[0] | words[1] | words[2] | words[3]) & WORD_HIGH) != 0)
			break;
		at += sizeof(words);
	}
	while (at < length && (unsigned char)bytes[at] < 0x80)
		at++;
	return at;
}

/* Bytes of the character at the start (RFC 3629), and its value; 0: not UTF-8. With *ret_short
 * it may be the start of one, and the bytes end too early. */
static size_t character(const char *bytes, size_t length, uint32_t *ret_value, bool *ret_short)
{
	const unsigned char *at = (const unsigned char *)bytes;
	unsigned char first = at[0], low = 0x80, high = 0xbf;
	uint32_t value;
	size_t size;

	*ret_short = false;
	if (first < 0x80) {
		*ret_value = first;
		return 1;
	}
	if (first < 0xc2 || first > 0xf4)
		return 0;
	size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	/* the second byte rules out overlong forms, surrogates and what is above U+10FFFF */
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	value = first & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if (i == length) {
			*ret_short = true;
			return 0;
		}
		if (at[i] < low || at[i] > high)
			return 0;
		value = value << 6 | (at[i] & 0x3fu);
		low = 0x80;
		high = 0xbf;
	}
	*ret_value = value;
	return size;
}

/* What bytes without NUL are; `cut`: their last character may be cut. */
static enum encoding classify(const char *bytes, size_t length, bool cut)
{
	size_t at = ascii_length(bytes, length);
	uint32_t value;
	bool is_short;

	if (at == length)
		return ENCODING_ASCII;
	while (at < length) {
		size_t size = character(bytes + at, length - at, &value, &is_short);
		if (size == 0)
			return cut && is_short ? ENCODING_UTF8 : ENCODING_LATIN1;
		at += size;
		at += ascii_length(bytes + at, length - at);
	}
	return ENCODING_UTF8;
}

/* By the zero bytes that ASCII has in UTF-16: most lines of a log are ASCII. */
static enum encoding classify_zeros(const char *bytes, size_t length)
{
	size_t zeros[2] = {0, 0}, pairs = length / 2;

	for (size_t i = 0; i < pairs * 2; i++)
		zeros[i & 1] += bytes[i] == '\0';
	if (pairs > 0 && zeros[1] * 10 >= pairs * 4 && zeros[0] * 20 <= zeros[1])
		return ENCODING_UTF16_LE;
	if (pairs > 0 && zeros[0] * 10 >= pairs * 4 && zeros[1] * 20 <= zeros[0])
		return ENCODING_UTF16_BE;
	return ENCODING_BINARY;
}

static bool is_control(char byte)
{
	unsigned char c = (unsigned char)byte;

	return (c < 0x20 && (c < '\b' || c > '\r') && c != 0x1b) || c == 0x7f;
}

struct sample {            /* what stands between zeros */
	size_t bytes, odd; /* control characters, and bytes that are not UTF-8 */
	bool has_lines;
	bool has_head; /* a line with a stamp */
	bool has_latin;
	bool has_utf8;
};

/* A part without zeros. */
static void sample_part(struct sample *sample, const char *bytes, size_t length)
{
	bool is_short;
	uint32_t value;

	sample->bytes += length;
	for (size_t at = 0, size; at < length; at += size) {
		size = character(bytes + at, length - at, &value, &is_short);
		sample->odd += size == 0 || (size == 1 && is_control(bytes[at]));
		sample->has_latin |= size == 0;
		sample->has_utf8 |= size > 1;
		if (size == 0)
			size = 1;
	}
	while (length > 0) {
		const char *end = memchr(bytes, '\n', length);
		size_t line = end == NULL ? length : (size_t)(end - bytes);
		struct head head;

		sample->has_lines |= end != NULL;
		sample->has_head |=
			head_read(bytes, line, &head) && head.stamp.kind != STAMP_KIND_NONE;
		bytes += line + (end != NULL);
		length -= line + (end != NULL);
	}
}

/* A machine that loses its power leaves zeros in a log, one that is rotated by copying begins with
 * them: that is a log when the rest is text. Programs and databases hold text between zeros, too,
 * but hardly a line with a stamp, and many bytes that no text has. */
static enum encoding classify_without_zeros(const char *bytes, size_t length)
{
	struct sample sample = {.bytes = 0};
	size_t at = 0;

	/* This database may keep logs, line by line. */
	if (length >= sizeof(SQLITE) && memcmp(bytes, SQLITE, sizeof(SQLITE)) == 0)
		return ENCODING_BINARY;
	while (at < length) {
		const char *zero = memchr(bytes + at, '\0', length - at);
		size_t end = zero == NULL ? length : (size_t)(zero - bytes);

		sample_part(&sample, bytes + at, end - at);
		at = end + 1;
	}
	if (sample.bytes == 0 || sample.odd * 10 > sample.bytes * 3 ||
		(!sample.has_head && (!sample.has_lines || sample.odd * 100 > sample.bytes)))
		return ENCODING_BINARY;
	if (sample.has_latin)
		return ENCODING_LATIN1;
	return sample.has_utf8 ? ENCODING_UTF8 : ENCODING_ASCII;
}

enum encoding encoding_detect(const char *bytes, size_t length, size_t *ret_mark)
{
	enum encoding encoding;

	*ret_mark = 0;
	if (length == 0)
		return ENCODING_UNKNOWN;
	if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		*ret_mark = 3;
		return ENCODING_UTF8_BOM;
	}
	/* the mark of UTF-32 begins like that of UTF-16 */
	if (length >= 4 && memcmp(bytes, "\xff\xfe\0\0", 4) == 0)
		return ENCODING_BINARY;
	if (length >= 2 && memcmp(bytes, "\xff\xfe", 2) == 0) {
		*ret_mark = 2;
		return ENCODING_UTF16_LE;
	}
	if (length >= 2 && memcmp(bytes, "\xfe\xff", 2) == 0) {
		*ret_mark = 2;
		return ENCODING_UTF16_BE;
	}
	if (memchr(bytes, '\0', length) == NULL)
		return classify(bytes, length, true);
	encoding = classify_zeros(bytes, length);
	return encoding == ENCODING_BINARY ? classify_without_zeros(bytes, length) : encoding;
}

enum encoding encoding_refine(enum encoding encoding, const char *bytes, size_t length)
{
	enum encoding further;

	if (length == 0)
		return encoding;
	if (encoding != ENCODING_UNKNOWN && encoding != ENCODING_ASCII && encoding != ENCODING_UTF8)
		return encoding;
	further = classify(bytes, length, false);
	if (further == ENCODING_ASCII && encoding == ENCODING_UTF8)
		return ENCODING_UTF8;
	return further;
}

size_t encoding_blank_zeros(char *bytes, size_t length)
{
	char *at = bytes, *line = bytes, *zeros;
	const char *end = bytes + length;
	struct stamp stamp;
	size_t count = 0;

	while ((zeros = memchr(at, '\0', (size_t)(end - at))) != NULL) {
		char *before = memrchr(at, '\n', (size_t)(zeros - at));

		if (before != NULL)
			line = before + 1;
		for (at = zeros; at < end && *at == '\0'; at++)
			*at = ' ';
		count += (size_t)(at - zeros);
		if (stamp_read(at, (size_t)(end - at), &stamp) > 0) {
			memset(line, ' ', (size_t)(at - line));
			line = at;
		}
	}
	return count;
}

const char *encoding_name(enum encoding encoding)
{
	static const char *const names[] = {
		[ENCODING_UNKNOWN] = "unknown",
		[ENCODING_ASCII] = "ascii",
		[ENCODING_UTF8] = "utf-8",
		[ENCODING_UTF8_BOM] = "utf-8-bom",
		[ENCODING_UTF16_LE] = "utf-16le",
		[ENCODING_UTF16_BE] = "utf-16be",
		[ENCODING_LATIN1] = "latin-1",
		[ENCODING_BINARY] = "binary",
	};

	assert(encoding < sizeof(names) / sizeof(names[0]));
	return names[encoding];
}

/* Writes a character; its bytes, or 0 when there is no room. */
static size_t put_character(uint32_t value, char *out, size_t size)
{
	if (value < 0x80) {
		if (size < 1)
			return 0;
		out[0] = (char)value;
		return 1;
	}
	size_t length = value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
	if (size < length)
		return 0;
	for (size_t i = length - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (value & 0x3f));
		value >>= 6;
	}
	out[0] = (char)((0xf00u >> length & 0xf0u) | value);
	return length;
}

static uint32_t unit(const char *bytes, bool big_endian)
{
	uint32_t first = (unsigned char)bytes[0], second = (unsigned char)bytes[1];

	return big_endian ? first << 8 | second : second << 8 | first;
}

size_t encoding_from_utf16(const char *bytes, size_t length, bool big_endian, char *out,
	size_t size, size_t *ret_taken)
{
	size_t at = 0, used = 0;

	while (length - at >= 2) {
		uint32_t value = unit(bytes + at, big_endian);
		size_t step = 2;
		if (value < 0x80 && used < size) {
			out[used++] = (char)value;
			at += 2;
			continue;
		}
		if (value >= 0xd800 && value <= 0xdbff) {
			if (length - at < 4)
				break;
			uint32_t low = unit(bytes + at + 2, big_endian);
			if (low >= 0xdc00 && low <= 0xdfff) {
				value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
				step = 4;
			} else {
				value = REPLACEMENT;
			}
		} else if (value >= 0xdc00 && value <= 0xdfff) {
			value = REPLACEMENT;
		}
		size_t put = put_character(value, out + used, size - used);
		if (put == 0)
			break;
		used += put;
		at += step;
	}
	*ret_taken = at;
	return used;
}

/* What a report shows for a character. */
static uint32_t shown(uint32_t value)
{
	bool control = (value < 0x20 && value != '\t') || (value >= 0x7f && value < 0xa0);

	return control ? REPLACEMENT : value;
}

static uint32_t from_windows_1252(unsigned char byte)
{
	if (byte >= 0xa0)
		return byte;
	assert(byte >= 0x80);
	return windows_1252[byte - 0x80] != 0 ? windows_1252[byte - 0x80] : REPLACEMENT;
}

size_t encoding_clean(const char *bytes, size_t length, char *out, size_t size)
{
	size_t at = 0, used = 0;
	bool is_short;

	assert(size > 0);
	while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r'))
		length--;
	while (at < length) {
		uint32_t value;
		size_t step = character(bytes + at, length - at, &value, &is_short);
		if (step == 0) {
			value = from_windows_1252((unsigned char)bytes[at]);
			step = 1;
		} else {
			value = shown(value);
		}
		size_t put = put_character(value, out + used, size - 1 - used);
		if (put == 0)
			break;
		used += put;
		at += step;
	}
	out[used] = '\0';
	return used;
}
