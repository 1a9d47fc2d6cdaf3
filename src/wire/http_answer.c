#include "wire/http_answer.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/error.h"

/* The reason phrase; "Status" for those that have none here. */
static const char *phrase_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 204:
		return "No Content";
	case 304:
		return "Not Modified";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 413:
		return "Content Too Large";
	case 415:
		return "Unsupported Media Type";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 501:
		return "Not Implemented";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Gateway Timeout";
	default:
		return "Status";
	}
}

void http_answer_date(int64_t seconds, char date[HTTP_DATE_SIZE])
{
	/* Not strftime's names, which follow the locale. */
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t at = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&at, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	memcpy(date, days[tm.tm_wday], 3);
	(void)strftime(date + 3, HTTP_DATE_SIZE - 3, ", %d ", &tm);
	memcpy(date + 8, months[tm.tm_mon], 3);
	(void)strftime(date + 11, HTTP_DATE_SIZE - 11, " %Y %H:%M:%S GMT", &tm);
}

static void number(struct buffer *out, size_t value, unsigned base)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value > 0);
	(void)buffer_append(out, digits + at, sizeof(digits) - at);
}

/* Length of a text without control characters; SIZE_MAX: it has one. */
static size_t clean_length(const char *text)
{
	size_t length = strlen(text);
	unsigned odd = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		odd |= (byte < 0x20 && byte != '\t') || byte == 0x7f;
	}
	return odd == 0 ? length : SIZE_MAX;
}

static void header(struct buffer *out, const char *name, const char *value)
{
	size_t name_length = clean_length(name);
	size_t value_length = clean_length(value);
	char *to;

	if (name_length == SIZE_MAX || value_length == SIZE_MAX || name_length == 0 ||
		memchr(name, ':', name_length) != NULL)
		return;
	to = buffer_reserve(out, name_length + value_length + 4);
	if (to == NULL)
		return;
	memcpy(to, name, name_length);
	memcpy(to + name_length, ": ", 2);
	memcpy(to + name_length + 2, value, value_length);
	memcpy(to + name_length + 2 + value_length, "\r\n", 2);
	buffer_added(out, name_length + value_length + 4);
}

int http_answer_write(
	struct buffer *out, const struct http_response *response, const struct http_answer *answer)
{
	bool bodiless =
		response->status < 200 || response->status == 204 || response->status == 304;
	bool chunked = response->chunked && !answer->http10 && !bodiless;
	int result;

	assert(response->status >= 100 && response->status <= 999);
	(void)buffer_text(out, "HTTP/1.1 ");
	number(out, (size_t)response->status, 10);
	(void)buffer_byte(out, ' ');
	(void)buffer_text(out, phrase_of(response->status));
	(void)buffer_text(out, "\r\nDate: ");
	(void)buffer_text(out, answer->date);
	(void)buffer_text(out,
		answer->keep_alive ? "\r\nConnection: keep-alive\r\n"
				   : "\r\nConnection: close\r\n");
	if (response->content_type != NULL && !bodiless)
		header(out, "Content-Type", response->content_type);
	for (size_t i = 0; i < response->header_count; i++)
		header(out, response->headers[i].name, response->headers[i].value);
	if (chunked) {
		(void)buffer_text(out, "Transfer-Encoding: chunked\r\n");
	} else if (!bodiless) {
		(void)buffer_text(out, "Content-Length: ");
		number(out, response->body_length, 10);
		(void)buffer_append(out, "\r\n", 2);
	}
	result = buffer_append(out, "\r\n", 2);
	if (answer->no_body || bodiless)
		return result;
	if (chunked && response->body_length > 0) {
		number(out, response->body_length, 16);
		(void)buffer_append(out, "\r\n", 2);
	}
	if (response->body_length > 0)
		result = buffer_append(out, response->body, response->body_length);
	if (chunked)
		result =
			buffer_text(out, response->body_length > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
	return result;
}
