#include "wire/http_parse.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

/* Most heads are smaller, and what is left of the arena's first block serves the handler. */
#define HEAD_FIRST 1024

/* Chunk sizes, extensions and trailers around a body that is itself within its maximum. Chunks
 * of one byte need six bytes for one. */
#define BODY_WIRE_MAXIMUM ((size_t)8 * HTTP_BODY_MAXIMUM)

/* A name or value is never empty space: each header costs two NULs in `head`. */
#define HEAD_STORE_MAXIMUM (HTTP_HEAD_MAXIMUM + 2 * HTTP_HEADERS_MAXIMUM + 2)
_Static_assert(HEAD_STORE_MAXIMUM <= UINT16_MAX, "offsets have 16 bits");

static struct http_parse *from(llhttp_t *llhttp)
{
	return llhttp->data;
}

static int refuse(struct http_parse *parse, int status, const char *reason)
{
	parse->status = status;
	parse->reason = reason;
	return HPE_USER;
}

/* The next larger block for `need` bytes, at most `most`. The old one stays behind in the
 * arena, which wipes it. */
static bool grow(struct arena *arena, char **block, size_t *capacity, size_t used, size_t need,
	size_t first, size_t most)
{
	size_t size = *capacity > 0 ? *capacity : first;
	char *larger;

	if (need <= *capacity)
		return true;
	while (size < need)
		size *= 2;
	if (size > most)
		size = most;
	assert(size >= need);
	larger = arena_alloc(arena, size);
	if (larger == NULL)
		return false;
	if (used > 0)
		memcpy(larger, *block, used);
	*block = larger;
	*capacity = size;
	return true;
}

static int store(struct http_parse *parse, const char *bytes, size_t length)
{
	if (length == 0)
		return 0;
	if (length > HEAD_STORE_MAXIMUM - parse->head_length)
		return refuse(parse, 431, "request head too large");
	if (!grow(parse->arena, &parse->head, &parse->head_capacity, parse->head_length,
		    parse->head_length + length, HEAD_FIRST, HEAD_STORE_MAXIMUM))
		return refuse(parse, 500, "out of memory");
	memcpy(parse->head + parse->head_length, bytes, length);
	parse->head_length += length;
	return 0;
}

static int on_url(llhttp_t *llhttp, const char *at, size_t length)
{
	return store(from(llhttp), at, length);
}

static int on_url_complete(llhttp_t *llhttp)
{
	return store(from(llhttp), "", 1);
}

static int on_header_field(llhttp_t *llhttp, const char *at, size_t length)
{
	struct http_parse *parse = from(llhttp);

	/* Trailers are read and forgotten; body_bytes bounds them. */
	if (parse->head_done)
		return 0;
	/* Offset 0 is the target, so it marks a header whose name has not begun. */
	if (parse->count == HTTP_HEADERS_MAXIMUM)
		return refuse(parse, 431, "too many headers");
	if (parse->names[parse->count] == 0)
		parse->names[parse->count] = (uint16_t)parse->head_length;
	return store(parse, at, length);
}

static int on_header_field_complete(llhttp_t *llhttp)
{
	struct http_parse *parse = from(llhttp);
	int result;

	if (parse->head_done)
		return 0;
	/* llhttp takes a line that begins with ':' (RFC 9112, 5.1: a name has a character). */
	if (parse->count == HTTP_HEADERS_MAXIMUM)
		return refuse(parse, 431, "too many headers");
	if (parse->names[parse->count] == 0 || parse->names[parse->count] == parse->head_length)
		return refuse(parse, 400, "a header without a name");
	result = store(parse, "", 1);
	if (result == 0)
		parse->values[parse->count] = (uint16_t)parse->head_length;
	return result;
}

static int on_header_value(llhttp_t *llhttp, const char *at, size_t length)
{
	struct http_parse *parse = from(llhttp);

	return parse->head_done ? 0 : store(parse, at, length);
}

static int on_header_value_complete(llhttp_t *llhttp)
{
	struct http_parse *parse = from(llhttp);
	size_t start;

	if (parse->head_done)
		return 0;
	start = parse->values[parse->count];
	while (parse->head_length > start &&
		(parse->head[parse->head_length - 1] == ' ' ||
			parse->head[parse->head_length - 1] == '\t'))
		parse->head_length--;
	parse->count++;
	if (parse->count < HTTP_HEADERS_MAXIMUM)
		parse->names[parse->count] = 0;
	return store(parse, "", 1);
}

/* The target's path and query; "https://host/path" counts as "/path" (RFC 9112, 3.2.2). */
static void split_target(struct http_parse *parse)
{
	char *path = parse->head;
	char *mark;

	path[strcspn(path, "#")] = '\0';
	mark = strchr(path, '?');
	if (mark != NULL) {
		*mark = '\0';
		parse->request.query = mark + 1;
	}
	if (path[0] != '/') {
		char *host = strstr(path, "://");

		if (host != NULL) {
			path = strchr(host + 3, '/');
			parse->request.path = path != NULL ? path : "/";
			return;
		}
	}
	parse->request.path = path;
}

static int check_header(struct http_parse *parse, const struct http_header *header, bool *host)
{
	/* llhttp itself refuses a second Content-Length. */
	if (strcasecmp(header->name, "Host") == 0) {
		if (*host)
			return refuse(parse, 400, "more than one Host header");
		*host = true;
	} else if (strcasecmp(header->name, "Transfer-Encoding") == 0) {
		/* A second one makes llhttp's value differ or comes here again after chunked. */
		if (strcasecmp(header->value, "chunked") != 0 || parse->http10)
			return refuse(parse, 400, "transfer coding not supported");
	} else if (strcasecmp(header->name, "Expect") == 0) {
		if (strcasecmp(header->value, "100-continue") == 0 && !parse->http10)
			parse->expects_continue = true;
	}
	return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
	struct http_parse *parse = from(llhttp);
	struct http_header *headers;
	bool host = false;

	if (llhttp->http_major != 1 || llhttp->http_minor > 1)
		return refuse(parse, 400, "HTTP version not supported");
	if (parse->head == NULL || parse->head[0] == '\0')
		return refuse(parse, 400, "no request target");
	parse->http10 = llhttp->http_minor == 0;
	headers = arena_alloc(parse->arena, (parse->count + 1) * sizeof(*headers));
	if (headers == NULL)
		return refuse(parse, 500, "out of memory");
	for (size_t i = 0; i < parse->count; i++) {
		int result;

		headers[i].name = parse->head + parse->names[i];
		headers[i].value = parse->head + parse->values[i];
		result = check_header(parse, &headers[i], &host);
		if (result != 0)
			return result;
	}
	if ((llhttp->flags & F_TRANSFER_ENCODING) != 0 && (llhttp->flags & F_CONTENT_LENGTH) != 0)
		return refuse(parse, 400, "both Content-Length and Transfer-Encoding");
	/* For a chunked body llhttp keeps other numbers here. */
	if ((llhttp->flags & F_CONTENT_LENGTH) != 0 && llhttp->content_length > HTTP_BODY_MAXIMUM)
		return refuse(parse, 413, "request body too large");
	if ((llhttp->flags & (F_TRANSFER_ENCODING | F_CONTENT_LENGTH)) == 0 ||
		((llhttp->flags & F_CONTENT_LENGTH) != 0 && llhttp->content_length == 0))
		parse->expects_continue = false;
	/* Else llhttp takes what follows CONNECT for another protocol, body or not. */
	llhttp->upgrade = 0;
	parse->request.method = llhttp_method_name((llhttp_method_t)llhttp->method);
	parse->request.headers = headers;
	parse->request.header_count = parse->count;
	split_target(parse);
	parse->head_done = true;
	return 0;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t length)
{
	struct http_parse *parse = from(llhttp);

	/* What was announced, as a whole or as a chunk, has been checked. */
	assert(length <= HTTP_BODY_MAXIMUM - parse->body_length);
	/* Grows with what has come: an announced length is no reason to have the memory ready. */
	if (!grow(parse->arena, &parse->body, &parse->body_capacity, parse->body_length,
		    parse->body_length + length + 1, length + 1, HTTP_BODY_MAXIMUM + 1))
		return refuse(parse, 500, "out of memory");
	memcpy(parse->body + parse->body_length, at, length);
	parse->body_length += length;
	parse->body[parse->body_length] = '\0';
	return 0;
}

/* A chunk is refused by its size, before it is sent. */
static int on_chunk_header(llhttp_t *llhttp)
{
	struct http_parse *parse = from(llhttp);

	if (llhttp->content_length > HTTP_BODY_MAXIMUM - parse->body_length)
		return refuse(parse, 413, "request body too large");
	return 0;
}

static int on_message_complete(llhttp_t *llhttp)
{
	struct http_parse *parse = from(llhttp);

	/* llhttp forgets the flags this depends on when it goes on. */
	parse->keep_alive = llhttp_should_keep_alive(llhttp) != 0;
	parse->request.body = parse->body != NULL ? parse->body : "";
	parse->request.body_length = parse->body_length;
	parse->done = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_url = on_url,
	.on_url_complete = on_url_complete,
	.on_header_field = on_header_field,
	.on_header_field_complete = on_header_field_complete,
	.on_header_value = on_header_value,
	.on_header_value_complete = on_header_value_complete,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_chunk_header = on_chunk_header,
	.on_message_complete = on_message_complete,
};

void http_parse_begin(struct http_parse *parse, struct arena *arena)
{
	/* The tables of offsets need no clearing: names[0] says that none has begun. */
	memset(parse, 0, offsetof(struct http_parse, names));
	parse->names[0] = 0;
	parse->arena = arena;
	llhttp_init(&parse->llhttp, HTTP_REQUEST, &settings);
	parse->llhttp.data = parse;
}

static enum http_parse_result failed(struct http_parse *parse)
{
	if (parse->status == 0) {
		const char *reason = llhttp_get_error_reason(&parse->llhttp);

		parse->status = 400;
		parse->reason = reason != NULL && reason[0] != '\0' ? reason : "not HTTP";
	}
	return HTTP_PARSE_FAILED;
}

enum http_parse_result http_parse_feed(
	struct http_parse *parse, const char *bytes, size_t length, size_t *ret_used)
{
	size_t used = 0;

	assert(!parse->done && parse->status == 0);
	while (used < length) {
		bool head = !parse->head_done;
		size_t *counter = head ? &parse->head_bytes : &parse->body_bytes;
		size_t left = (head ? HTTP_HEAD_MAXIMUM : BODY_WIRE_MAXIMUM) - *counter;
		size_t piece = length - used < left ? length - used : left;
		llhttp_errno_t error;

		if (piece == 0) {
			if (head)
				(void)refuse(parse, 431, "request head too large");
			else
				(void)refuse(parse, 413, "request body framing too large");
			return failed(parse);
		}
		error = llhttp_execute(&parse->llhttp, bytes + used, piece);
		if (parse->done) {
			const char *end = llhttp_get_error_pos(&parse->llhttp);

			assert(error == HPE_PAUSED && end >= bytes + used &&
				end <= bytes + used + piece);
			*ret_used = (size_t)(end - bytes);
			return HTTP_PARSE_DONE;
		}
		if (error != HPE_OK)
			return failed(parse);
		used += piece;
		*counter += piece;
	}
	*ret_used = used;
	return HTTP_PARSE_MORE;
}
