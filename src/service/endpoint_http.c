#include <string.h>
#include <strings.h>

#include "service/endpoint.h"

/* The value of JSESSIONID in a Cookie header (RFC 6265, 5.4), copied; NULL: not there. */
static const char *session_cookie(struct arena *arena, const char *header)
{
	static const char name[] = "JSESSIONID=";

	while (header != NULL && *header != '\0') {
		size_t length;

		header += strspn(header, " \t;");
		length = strcspn(header, ";");
		if (length >= sizeof(name) - 1 && memcmp(header, name, sizeof(name) - 1) == 0) {
			const char *value = header + sizeof(name) - 1;

			length -= sizeof(name) - 1;
			while (length > 0 &&
				(value[length - 1] == ' ' || value[length - 1] == '\t'))
				length--;
			if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
				value++;
				length -= 2;
			}
			return arena_copy(arena, value, length);
		}
		header += length;
	}
	return NULL;
}

/* All X-Forwarded-For headers as one list, in order: proxies that do not append to the one they
 * got add another, and what came before it is the client's own invention. NULL: none. */
static const char *forwarded_for(struct arena *arena, const struct http_request *http)
{
	const char *list = NULL;

	for (size_t i = 0; i < http->header_count; i++) {
		const char *value = http->headers[i].value;

		if (strcasecmp(http->headers[i].name, "X-Forwarded-For") != 0)
			continue;
		list = list == NULL ? value : arena_print(arena, "%s,%s", list, value);
		if (list == NULL)
			break;
	}
	return list;
}

static void reply(void *user, const struct http_response *response)
{
	http_exchange_reply(user, response);
}

void endpoint_http(struct endpoint *endpoint, struct loop *loop, struct http_exchange *exchange)
{
	const struct http_request *http = http_exchange_request(exchange);
	struct arena *arena = http_exchange_arena(exchange);
	struct endpoint_request request = {
		.method = http->method,
		.path = http->path,
		.body = http->body,
		.body_length = http->body_length,
		.cookie = session_cookie(arena, http_request_header(http, "Cookie")),
		.log_id = http_request_header(http, "Client-Log-Id"),
		.forwarded_for = forwarded_for(arena, http),
		.peer = http->peer,
		.local = http->local,
		.arena = arena,
		.reply = reply,
		.user = exchange,
	};

	endpoint_handle(endpoint, loop, &request);
}
