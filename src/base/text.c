#include "base/text.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t value, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (value >= ranges[i].first && value <= ranges[i].last)
			return true;
	}
	return false;
}

/* Controls, line ends, bidirectional marks and overrides, tags, private use. */
static bool printable(uint32_t value)
{
	static const struct range hidden[] = {{0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xe000, 0xf8ff},
		{0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0x10ffff}};

	return !in_ranges(value, hidden, sizeof(hidden) / sizeof(hidden[0]));
}

/* Columns of a character: own table, because the C library's answer depends on the locale and a
 * line that is one column too long spoils the whole picture. */
static size_t columns_of(uint32_t value)
{
	static const struct range combining[] = {{0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd},
		{0x610, 0x61a}, {0x64b, 0x65f}, {0x900, 0x902}, {0x93c, 0x93c}, {0x941, 0x948},
		{0xe31, 0xe31}, {0xe34, 0xe3a}, {0xe47, 0xe4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
		{0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
	static const struct range wide[] = {{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf},
		{0xa960, 0xa97f}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
		{0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
		{0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

	if (in_ranges(value, combining, sizeof(combining) / sizeof(combining[0])))
		return 0;
	return in_ranges(value, wide, sizeof(wide) / sizeof(wide[0])) ? 2 : 1;
}

void text_clean(const char *text, bool utf8, char *out, size_t size)
{
	size_t at = 0;

	while (*text != '\0') {
		uint32_t value;
		size_t length = utf8_character(text, &value);
		bool keep = length > 0 && printable(value) && (utf8 || value < 0x80);
		size_t need = keep ? length : 1;

		if (at + need >= size)
			break;
		if (keep)
			memcpy(out + at, text, length);
		else
			out[at] = length == 1 && (value == '\n' || value == '\t' || value == '\r')
				? ' '
				: '?';
		at += need;
		text += length > 0 ? length : 1;
	}
	out[at] = '\0';
}

size_t text_columns(const char *text)
{
	size_t columns = 0;
	uint32_t value;
	size_t length;

	for (; *text != '\0'; text += length) {
		length = utf8_character(text, &value);
		columns += length > 0 ? columns_of(value) : 1;
		if (length == 0)
			length = 1;
	}
	return columns;
}

size_t text_fit(const char *text, size_t columns)
{
	size_t at = 0;
	size_t taken = 0;

	while (text[at] != '\0') {
		uint32_t value;
		size_t length = utf8_character(text + at, &value);
		size_t width = length > 0 ? columns_of(value) : 1;

		if (taken + width > columns)
			break;
		taken += width;
		at += length > 0 ? length : 1;
	}
	return at;
}

size_t text_fit_words(const char *text, size_t columns)
{
	size_t fit = text_fit(text, columns);
	size_t end = fit;

	/* A line too narrow for one character must not stop whoever breaks lines. */
	if (fit == 0)
		return *text != '\0' ? text_fit(text, 2) + (text_fit(text, 2) == 0) : 0;
	if (text[fit] == '\0' || text[fit] == ' ')
		return fit;
	while (end > 0 && text[end - 1] != ' ')
		end--;
	return end > 0 ? end : fit;
}
