#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "wire/http_parse.h"

static struct http_parse parse;
static struct arena *arena;
static size_t used;

static int open_arena(void **state)
{
	(void)state;
	arena = arena_new(512 * 1024);
	return arena == NULL;
}

static int close_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* From memory that ends where the bytes end, so that reading on is seen. */
static enum http_parse_result feed(const char *bytes, size_t length)
{
	char *copy = malloc(length > 0 ? length : 1);
	enum http_parse_result result;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	used = length;
	result = http_parse_feed(&parse, copy, length, &used);
	memset(copy, 'x', length);
	free(copy);
	return result;
}

static enum http_parse_result whole(const char *text)
{
	arena_reset(arena);
	http_parse_begin(&parse, arena);
	return feed(text, strlen(text));
}

static void refused(int status, const char *text)
{
	if (whole(text) != HTTP_PARSE_FAILED)
		fail_msg("taken: %s", text);
	assert_int_equal(parse.status, status);
	assert_non_null(parse.reason);
	/* and the same when it comes byte by byte */
	arena_reset(arena);
	http_parse_begin(&parse, arena);
	for (size_t i = 0; text[i] != '\0'; i++)
		if (feed(text + i, 1) != HTTP_PARSE_MORE)
			break;
	assert_int_equal(parse.status, status);
}

#define POST                                                                                       \
	"POST /pcoip-broker/xml?a=b HTTP/1.1\r\nHost: broker\r\nContent-Type:  text/xml \t\r\n"    \
	"Empty:\r\ncookie: JSESSIONID=00\r\nContent-Length: 5\r\n\r\nhello"

static void check_post(void)
{
	const struct http_request *request = &parse.request;

	assert_string_equal(request->method, "POST");
	assert_string_equal(request->path, "/pcoip-broker/xml");
	assert_string_equal(request->query, "a=b");
	assert_int_equal(request->header_count, 5);
	assert_string_equal(request->headers[0].name, "Host");
	assert_string_equal(request->headers[0].value, "broker");
	assert_string_equal(request->headers[1].name, "Content-Type");
	assert_string_equal(request->headers[1].value, "text/xml");
	assert_string_equal(request->headers[2].name, "Empty");
	assert_string_equal(request->headers[2].value, "");
	assert_string_equal(request->headers[3].value, "JSESSIONID=00");
	assert_string_equal(request->headers[4].value, "5");
	assert_int_equal(request->body_length, 5);
	assert_string_equal(request->body, "hello");
	assert_true(parse.keep_alive);
	assert_false(parse.http10);
	assert_false(parse.expects_continue);
}

static void in_one_piece(void **state)
{
	(void)state;
	assert_int_equal(whole(POST "POST /next"), HTTP_PARSE_DONE);
	assert_int_equal(used, strlen(POST));
	check_post();
}

static void in_two_pieces_anywhere(void **state)
{
	(void)state;
	for (size_t cut = 1; cut < strlen(POST); cut++) {
		arena_reset(arena);
		http_parse_begin(&parse, arena);
		assert_int_equal(feed(POST, cut), HTTP_PARSE_MORE);
		assert_int_equal(used, cut);
		assert_int_equal(feed(&POST[cut], strlen(POST) - cut), HTTP_PARSE_DONE);
		assert_int_equal(used, strlen(POST) - cut);
		check_post();
	}
}

static void byte_by_byte(void **state)
{
	(void)state;
	http_parse_begin(&parse, arena);
	for (size_t i = 0; i + 1 < strlen(POST); i++)
		assert_int_equal(feed(&POST[i], 1), HTTP_PARSE_MORE);
	assert_int_equal(feed("o", 1), HTTP_PARSE_DONE);
	check_post();
}

static void without_body(void **state)
{
	(void)state;
	assert_int_equal(whole("GET / HTTP/1.1\r\nHost:\r\n\r\nGET"), HTTP_PARSE_DONE);
	assert_int_equal(used, strlen("GET / HTTP/1.1\r\nHost:\r\n\r\n"));
	assert_string_equal(parse.request.method, "GET");
	assert_string_equal(parse.request.path, "/");
	assert_null(parse.request.query);
	assert_string_equal(parse.request.body, "");
	assert_int_equal(whole("GET / HTTP/1.1\r\n\r\n"), HTTP_PARSE_DONE);
	assert_int_equal(parse.request.header_count, 0);
	assert_int_equal(whole("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\nxx"), HTTP_PARSE_DONE);
	assert_int_equal(used, strlen("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"));
	/* blank lines before the request are allowed (RFC 9112, 2.2) */
	assert_int_equal(whole("\r\n\r\nGET / HTTP/1.1\r\n\r\n"), HTTP_PARSE_DONE);
}

static void chunked(void **state)
{
	static const char text[] =
		"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"
		"3\r\nabc\r\n0A;ext=\"x\"\r\n0123456789\r\n0\r\nTrailer: t\r\nHost: x\r\n\r\nPOST";

	(void)state;
	assert_int_equal(whole(text), HTTP_PARSE_DONE);
	assert_int_equal(used, strlen(text) - 4);
	assert_string_equal(parse.request.body, "abc0123456789");
	assert_int_equal(parse.request.body_length, 13);
	assert_int_equal(parse.request.header_count, 1);
}

static void targets(void **state)
{
	static const struct {
		const char *target, *path, *query;
	} cases[] = {
		{"/", "/", NULL},
		{"/a?", "/a", ""},
		{"/a?b?c", "/a", "b?c"},
		{"https://host:443/a?b", "/a", "b"},
		{"https://host", "/", NULL},
		{"https://host?q", "/", "q"},
		{"/x?u=http://y/z", "/x", "u=http://y/z"},
		{"*", "*", NULL},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "OPTIONS %s HTTP/1.1\r\n\r\n", cases[i].target);
		assert_int_equal(whole(text), HTTP_PARSE_DONE);
		assert_string_equal(parse.request.path, cases[i].path);
		if (cases[i].query != NULL)
			assert_string_equal(parse.request.query, cases[i].query);
		else
			assert_null(parse.request.query);
	}
}

static void keep_alive(void **state)
{
	(void)state;
	assert_int_equal(whole("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), HTTP_PARSE_DONE);
	assert_false(parse.keep_alive);
	assert_int_equal(whole("GET / HTTP/1.0\r\n\r\n"), HTTP_PARSE_DONE);
	assert_false(parse.keep_alive);
	assert_true(parse.http10);
	assert_int_equal(
		whole("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), HTTP_PARSE_DONE);
	assert_true(parse.keep_alive);
}

static void upgrades_are_ignored(void **state)
{
	static const char text[] = "POST / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
				   "Content-Length: 2\r\n\r\nokGET";

	(void)state;
	assert_int_equal(whole(text), HTTP_PARSE_DONE);
	assert_int_equal(used, strlen(text) - 3);
	assert_string_equal(parse.request.body, "ok");
	assert_int_equal(whole("CONNECT host:1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nokGET"),
		HTTP_PARSE_DONE);
	assert_string_equal(parse.request.body, "ok");
	assert_string_equal(parse.request.method, "CONNECT");
}

static void expectations(void **state)
{
	(void)state;
	assert_int_equal(
		whole("POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"),
		HTTP_PARSE_MORE);
	assert_true(parse.head_done);
	assert_true(parse.expects_continue);
	assert_int_equal(feed("ok", 2), HTTP_PARSE_DONE);
	assert_int_equal(whole("GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n"), HTTP_PARSE_DONE);
	assert_false(parse.expects_continue);
}

static void not_http(void **state)
{
	(void)state;
	refused(400, "\x16\x03\x01\x02");
	refused(400, "HELLO / HTTP/1.1\r\n\r\n");
	refused(400, "GET /\r\n\r\n");
	refused(400, "GET  HTTP/1.1\r\n\r\n");
	refused(400, "CONNECT \r\n\r\n");
	refused(400, "GET / HTTP/2.0\r\n\r\n");
	refused(400, "GET / HTTP/0.9\r\n\r\n");
	refused(400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	refused(400, "GET / HTTP/1.1\r\nbad header\r\n\r\n");
	refused(400, "GET / HTTP/1.1\r\nA: b\x01\r\n\r\n");
	refused(400, "GET /\x01 HTTP/1.1\r\n\r\n");
	refused(400, "GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n");
}

static void smuggling(void **state)
{
	(void)state;
	refused(400,
		"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
		"0\r\n\r\n");
	refused(400,
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
		"0\r\n\r\n");
	refused(400, "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello");
	refused(400, "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello");
	refused(400, "POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello");
	refused(400, "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n");
	refused(400, "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
	refused(400, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n");
	refused(400, "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n");
	refused(400,
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	refused(400,
		"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	refused(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	refused(400, "POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n");
	refused(400, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n");
	refused(400,
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
		"fffffffffffffffff\r\n");
	refused(400, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n");
	refused(400, "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n");
}

static void head_limits(void **state)
{
	static char text[HTTP_HEAD_MAXIMUM + 1024];
	size_t length;

	(void)state;
	/* exactly the maximum is fine, one more is not */
	for (int over = 0; over < 2; over++) {
		length = (size_t)sprintf(text, "GET / HTTP/1.1\r\nA: ");
		memset(text + length, 'x', HTTP_HEAD_MAXIMUM - 4 - length + (size_t)over);
		strcpy(text + HTTP_HEAD_MAXIMUM - 4 + over, "\r\n\r\n");
		if (over) {
			refused(431, text);
			assert_string_equal(parse.reason, "request head too large");
		} else {
			assert_int_equal(whole(text), HTTP_PARSE_DONE);
		}
	}
	length = (size_t)sprintf(text, "GET /");
	memset(text + length, 'x', sizeof(text) - length);
	text[sizeof(text) - 1] = '\0';
	refused(431, text);
	memset(text, '\n', sizeof(text) - 1);
	refused(431, text);
	/* a maximum of headers */
	for (int over = 0; over < 2; over++) {
		length = (size_t)sprintf(text, "GET / HTTP/1.1\r\n");
		for (int i = 0; i < HTTP_HEADERS_MAXIMUM + over; i++)
			length += (size_t)sprintf(text + length, "h%d: %d\r\n", i, i);
		strcpy(text + length, "\r\n");
		if (over) {
			refused(431, text);
			assert_string_equal(parse.reason, "too many headers");
		} else {
			assert_int_equal(whole(text), HTTP_PARSE_DONE);
			assert_int_equal(parse.request.header_count, HTTP_HEADERS_MAXIMUM);
			assert_string_equal(parse.request.headers[63].name, "h63");
			assert_string_equal(parse.request.headers[63].value, "63");
		}
	}
}

static void body_limits(void **state)
{
	static char block[8192];
	char text[128];
	size_t total = 0;
	enum http_parse_result result = HTTP_PARSE_MORE;

	(void)state;
	memset(block, 'b', sizeof(block));
	/* refused as soon as it is announced */
	snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n",
		HTTP_BODY_MAXIMUM + 1);
	refused(413, text);
	/* an announced body takes memory only when it comes */
	snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n",
		HTTP_BODY_MAXIMUM);
	assert_int_equal(whole(text), HTTP_PARSE_MORE);
	assert_true(arena_used(arena) < 2048);
	for (int i = 0; i < HTTP_BODY_MAXIMUM / 8192; i++)
		result = feed(block, sizeof(block));
	assert_int_equal(result, HTTP_PARSE_DONE);
	assert_int_equal(parse.request.body_length, HTTP_BODY_MAXIMUM);
	assert_int_equal(strlen(parse.request.body), HTTP_BODY_MAXIMUM);
	/* chunks: as soon as it passes, which their sizes say */
	refused(413, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n");
	assert_int_equal(
		whole("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), HTTP_PARSE_MORE);
	for (result = HTTP_PARSE_MORE; result == HTTP_PARSE_MORE; total += sizeof(block)) {
		result = feed("2000\r\n", 6);
		if (result == HTTP_PARSE_MORE)
			result = feed(block, sizeof(block));
		if (result == HTTP_PARSE_MORE)
			result = feed("\r\n", 2);
	}
	assert_int_equal(parse.status, 413);
	assert_int_equal(total, HTTP_BODY_MAXIMUM + sizeof(block));
	assert_int_equal(parse.body_length, HTTP_BODY_MAXIMUM);
	/* chunk framing and trailers are not endless either */
	assert_int_equal(
		whole("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), HTTP_PARSE_MORE);
	memset(block, '0', sizeof(block));
	for (total = 0, result = HTTP_PARSE_MORE; result == HTTP_PARSE_MORE;
		total += sizeof(block)) {
		assert_true(total < 16 * HTTP_BODY_MAXIMUM);
		result = feed(block, sizeof(block));
	}
	assert_int_equal(whole("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
		HTTP_PARSE_MORE);
	for (total = 0, result = HTTP_PARSE_MORE; result == HTTP_PARSE_MORE; total += 6) {
		assert_true(total < 16 * HTTP_BODY_MAXIMUM);
		result = feed("a: b\r\n", 6);
	}
	assert_int_equal(parse.status, 413);
}

static void one_byte_chunks_fit(void **state)
{
	enum http_parse_result result = HTTP_PARSE_MORE;

	(void)state;
	assert_int_equal(
		whole("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), HTTP_PARSE_MORE);
	for (int i = 0; i < HTTP_BODY_MAXIMUM; i++)
		assert_int_equal(feed("1\r\nx\r\n", 6), HTTP_PARSE_MORE);
	result = feed("0\r\n\r\n", 5);
	assert_int_equal(result, HTTP_PARSE_DONE);
	assert_int_equal(parse.request.body_length, HTTP_BODY_MAXIMUM);
}

static void nul_in_the_body(void **state)
{
	static const char text[] = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na\0b";

	(void)state;
	http_parse_begin(&parse, arena);
	assert_int_equal(feed(text, sizeof(text) - 1), HTTP_PARSE_DONE);
	assert_int_equal(parse.request.body_length, 3);
	assert_memory_equal(parse.request.body, "a\0b", 4);
}

static void memory_runs_out(void **state)
{
	struct arena *small = arena_new(1500);

	(void)state;
	http_parse_begin(&parse, small);
	assert_int_equal(feed(POST, strlen(POST)), HTTP_PARSE_DONE);
	arena_reset(small);
	http_parse_begin(&parse, small);
	assert_int_equal(
		feed("POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n", 41), HTTP_PARSE_MORE);
	{
		static char block[2000];

		assert_int_equal(feed(block, sizeof(block)), HTTP_PARSE_FAILED);
	}
	assert_int_equal(parse.status, 500);
	arena_free(small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_one_piece),
		TEST(in_two_pieces_anywhere),
		TEST(byte_by_byte),
		TEST(without_body),
		TEST(chunked),
		TEST(targets),
		TEST(keep_alive),
		TEST(upgrades_are_ignored),
		TEST(expectations),
		TEST(not_http),
		TEST(smuggling),
		TEST(head_limits),
		TEST(body_limits),
		TEST(one_byte_chunks_fit),
		TEST(nul_in_the_body),
		TEST(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
