/*
 * fuzz_http.c - bytes of a connection to HTTP requests.
 *
 * How the network cuts the bytes must not change what they mean: the same
 * connection is read in one piece, byte by byte, and in pieces of odd sizes.
 */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "fuzz.h"
#include "wire/http_parse.h"

#define ARENA_MAXIMUM ((size_t)512 * 1024)
#define REQUESTS_MAXIMUM 16 /* of one connection */

/* What a connection said, to compare two readings of it. */
struct reading {
	size_t requests;
	size_t taken;    /* bytes, up to the end of the last complete request */
	int status;      /* of the fault; 0: none */
	uint64_t digest; /* of every complete request */
};

static void mix(uint64_t *digest, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++)
		*digest = (*digest ^ at[i]) * UINT64_C(1099511628211);
	*digest = (*digest ^ length) * UINT64_C(1099511628211);
}

static void mix_text(uint64_t *digest, const char *text)
{
	mix(digest, text, text != NULL ? strlen(text) : 0);
}

static void check_request(const struct http_request *request, uint64_t *digest)
{
	assert(request->method != NULL && request->path != NULL);
	assert(strlen(request->path) < HTTP_HEAD_MAXIMUM);
	assert(request->header_count <= HTTP_HEADERS_MAXIMUM);
	assert(request->body_length <= HTTP_BODY_MAXIMUM);
	mix_text(digest, request->method);
	mix_text(digest, request->path);
	mix_text(digest, request->query);
	for (size_t i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->headers[i];
		assert(header->name != NULL && header->name[0] != '\0' && header->value != NULL);
		assert(strpbrk(header->name, "\r\n") == NULL);
		assert(strpbrk(header->value, "\r\n") == NULL);
		mix_text(digest, header->name);
		mix_text(digest, header->value);
	}
	if (request->body_length > 0)
		assert(request->body[request->body_length] == '\0');
	mix(digest, request->body, request->body_length);
}

static struct reading read_all(const char *bytes, size_t size, size_t piece)
{
	struct reading reading = {.digest = UINT64_C(14695981039346656037)};
	struct arena *arena = arena_new(ARENA_MAXIMUM);
	bool goes_on = true;
	size_t at = 0;

	assert(arena != NULL);
	while (goes_on && at < size && reading.requests < REQUESTS_MAXIMUM) {
		struct http_parse parse;
		enum http_parse_result result = HTTP_PARSE_MORE;

		http_parse_begin(&parse, arena);
		while (result == HTTP_PARSE_MORE && at < size) {
			size_t length = size - at < piece ? size - at : piece;
			size_t used = length + 1;
			result = http_parse_feed(&parse, bytes + at, length, &used);
			if (result == HTTP_PARSE_FAILED) {
				assert(parse.status == 400 || parse.status == 413 ||
					parse.status == 431);
				assert(parse.reason != NULL && parse.reason[0] != '\0');
				reading.status = parse.status;
				break;
			}
			assert(used <= length);
			assert(result == HTTP_PARSE_DONE || used == length);
			at += used;
		}
		goes_on = result == HTTP_PARSE_DONE && parse.keep_alive;
		if (result == HTTP_PARSE_DONE) {
			check_request(&parse.request, &reading.digest);
			reading.requests++;
			reading.taken = at;
		}
		arena_reset(arena);
	}
	arena_free(arena);
	return reading;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const size_t pieces[] = {1, 7, 1000};
	const char *text = (const char *)bytes;
	struct reading whole = read_all(text, size, SIZE_MAX);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct reading cut = read_all(text, size, pieces[i]);
		assert(cut.requests == whole.requests);
		assert(cut.taken == whole.taken);
		assert(cut.digest == whole.digest);
		assert((cut.status != 0) == (whole.status != 0));
	}
	return 0;
}
