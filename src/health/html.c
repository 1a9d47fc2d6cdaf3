#include "health/html.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

#define DAY INT64_C(86400000000) /* microseconds */
#define TO_SECONDS 8
#define TO_MILLISECONDS 12

void html_raw(const struct html *html, const char *markup)
{
	fputs(markup, html->stream);
}

void html_print(const struct html *html, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(html->stream, format, arguments);
	va_end(arguments);
}

/* Characters that a browser would act on instead of showing them, or that XML does not know. */
static bool is_hidden(uint32_t value)
{
	return (value < 0x20 && value != '\t' && value != '\n') ||
		(value >= 0x7f && value <= 0x9f) || value == 0xad || value == 0x61c ||
		(value >= 0x200b && value <= 0x200f) || (value >= 0x2028 && value <= 0x202e) ||
		(value >= 0x2060 && value <= 0x206f) || value == 0xfeff ||
		(value >= 0xfff9 && value <= 0xfffb) || (value & 0xfffe) == 0xfffe ||
		(value >= 0xfdd0 && value <= 0xfdef) || (value >= 0xe0000 && value <= 0xe0fff);
}

static void put_character(FILE *stream, const char *bytes, size_t length, uint32_t value)
{
	switch (value) {
	case '&':
		fputs("&amp;", stream);
		break;
	case '<':
		fputs("&lt;", stream);
		break;
	case '>':
		fputs("&gt;", stream);
		break;
	case '"':
		fputs("&quot;", stream);
		break;
	case '\'':
		fputs("&#39;", stream);
		break;
	default:
		if (is_hidden(value))
			fprintf(stream, "\xe2\x9f\xa8U+%04" PRIX32 "\xe2\x9f\xa9", value);
		else
			fwrite(bytes, 1, length, stream);
	}
}

void html_part(const struct html *html, const char *text, size_t length)
{
	uint32_t value;
	size_t taken;

	for (size_t at = 0; at < length && text[at] != '\0'; at += taken) {
		taken = utf8_character(text + at, &value);
		if (taken == 0) {
			fputs("\xef\xbf\xbd", html->stream);
			taken = 1;
		} else {
			put_character(html->stream, text + at, taken, value);
		}
	}
}

void html_text(const struct html *html, const char *text)
{
	html_part(html, text, SIZE_MAX);
}

void html_log(const struct html *html, const char *text)
{
	html_text(html, mask_text(html->mask, text));
}

void html_code(const struct html *html, const char *text)
{
	html_raw(html, "<code dir=\"ltr\">");
	html_log(html, text);
	html_raw(html, "</code>");
}

void html_number(const struct html *html, uint64_t number)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, number);

	assert(length > 0 && (size_t)length < sizeof(digits));
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			fputc(',', html->stream);
		fputc(digits[i], html->stream);
	}
}

void html_count(const struct html *html, uint64_t number, const char *one, const char *many)
{
	html_number(html, number);
	html_print(html, " %s", number == 1 ? one : many);
}

/* Splits what stamp_print writes into the day and the time of day. */
static void split(int64_t time, enum stamp_kind kind, char text[STAMP_TEXT_SIZE],
	const char **ret_day, const char **ret_clock)
{
	char *gap;
	size_t length;

	stamp_print(time, kind, text);
	length = strlen(text);
	if (length > 0 && text[length - 1] == 'Z')
		text[length - 1] = '\0';
	gap = strpbrk(text, "T ");
	if (gap == NULL) {
		*ret_day = "";
		*ret_clock = text;
		return;
	}
	*gap = '\0';
	*ret_day = text;
	*ret_clock = gap + 1;
}

/* `clock_length`: characters of the time of day; more than it has: all. */
static void put_moment(const struct html *html, int64_t time, enum stamp_kind kind, bool with_day,
	int clock_length)
{
	char whole[STAMP_TEXT_SIZE], parts[STAMP_TEXT_SIZE];
	const char *day, *clock;

	if (time == STAMP_NONE) {
		html_raw(html, "\xe2\x80\x93");
		return;
	}
	stamp_print(time, kind, whole);
	split(time, kind, parts, &day, &clock);
	if (kind == STAMP_KIND_UPTIME) /* days and a time are no moment in HTML's terms */
		html_print(html, "<span class=\"time\" title=\"%s %s\">", whole, html_zone(kind));
	else
		html_print(html, "<time datetime=\"%s\" title=\"%s %s %s\">", whole, day, clock,
			html_zone(kind));
	if (with_day && day[0] != '\0')
		html_print(html, "%s ", day);
	html_print(html, "%.*s", clock_length, clock);
	html_raw(html, kind == STAMP_KIND_UPTIME ? "</span>" : "</time>");
}

void html_moment(const struct html *html, int64_t time, enum stamp_kind kind)
{
	put_moment(html, time, kind, true, TO_SECONDS);
}

void html_clock(const struct html *html, int64_t time, enum stamp_kind kind)
{
	put_moment(html, time, kind, kind == STAMP_KIND_UPTIME, TO_MILLISECONDS);
}

void html_end(const struct html *html, int64_t start, int64_t end, enum stamp_kind kind)
{
	bool same = start != STAMP_NONE && end != STAMP_NONE && start / DAY == end / DAY;

	put_moment(html, end, kind, !same || kind == STAMP_KIND_UPTIME, TO_SECONDS);
}

void html_minute(const struct html *html, int64_t time, enum stamp_kind kind)
{
	char parts[STAMP_TEXT_SIZE];
	const char *day, *clock;

	assert(time != STAMP_NONE);
	split(time, kind, parts, &day, &clock);
	if (kind == STAMP_KIND_UPTIME)
		html_print(html, "%s ", day);
	html_print(html, "%.5s", clock);
}

const char *html_zone(enum stamp_kind kind)
{
	switch (kind) {
	case STAMP_KIND_UTC:
	case STAMP_KIND_OFFSET:
		return "UTC";
	case STAMP_KIND_LOCAL:
		return "local time";
	case STAMP_KIND_UPTIME:
		return "since the machine started";
	case STAMP_KIND_NONE:
		break;
	}
	return "";
}

void html_sign(const struct html *html, enum verdict verdict)
{
	const char *name = verdict_name(verdict);

	html_print(html,
		"<svg class=\"sign %s\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><use "
		"href=\"#sign-%s\"/></svg>",
		name, name);
}

void html_badge(const struct html *html, enum verdict verdict)
{
	html_print(html, "<span class=\"badge %s\">", verdict_name(verdict));
	html_sign(html, verdict);
	html_text(html, verdict_title(verdict));
	html_raw(html, "</span>");
}
