#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "protocol/codec.h"
#include "service/peer.h"
#include "wire/http_client.h"

/* Our own requests are small; the longest field alone is far below this. */
#define REQUEST_MAXIMUM HTTP_BODY_MAXIMUM
/* A list of as many resources as a message may have, with long names. */
#define ANSWER_MAXIMUM (256 * 1024)
#define URL_SIZE 512
#define DETAIL_SIZE 512

struct peer_https {
	struct peer peer; /* first: what callers hold */
	struct http_client *client;
	struct xml_reader *reader;
};

/* One call under way; lives in the caller's arena. */
struct pending {
	struct peer_https *https;
	struct arena *arena;
	enum message_id expected;
	enum message_root root;
	peer_done *done;
	void *user;
};

/* What the answer's body says, into `answer`; detail is for people. */
static void judge_body(const struct pending *pending, const struct http_answer *http,
	struct peer_answer *answer, char detail[DETAIL_SIZE])
{
	struct codec_fault fault;
	struct message *message;

	if (http->status != 200) {
		snprintf(detail, DETAIL_SIZE, "the answer has HTTP status %d", http->status);
		answer->error = ERROR_INPUT;
		return;
	}
	answer->error = codec_decode(pending->https->reader, pending->arena, 1u << pending->root,
		http->body, http->body_length, &message, &fault);
	if (answer->error != 0) {
		snprintf(detail, DETAIL_SIZE, "the answer is not understood: %s",
			answer->error == ERROR_INPUT ? fault.detail : error_text(answer->error));
		return;
	}
	if (message->id != pending->expected && message->id != MESSAGE_ERROR_RESP) {
		snprintf(detail, DETAIL_SIZE, "the answer is '%s', not '%s'",
			message_info(message->id)->element,
			message_info(pending->expected)->element);
		answer->error = ERROR_INPUT;
		return;
	}
	answer->message = message;
}

static void answered(void *user, const struct http_answer *http)
{
	struct pending *pending = user;
	char detail[DETAIL_SIZE] = "";
	struct peer_answer answer = {
		.error = http->error,
		.detail = http->detail,
		.cookie = http->cookie,
		.report = http->report,
		.name_us = http->name_us,
		.connect_us = http->connect_us,
		.tls_us = http->tls_us,
		.total_us = http->total_us,
	};

	if (answer.error == 0) {
		answer.detail = detail;
		judge_body(pending, http, &answer, detail);
	}
	pending->done(pending->user, &answer);
}

static int https_call(struct peer *peer, const struct peer_call *call, peer_done *done, void *user)
{
	struct peer_https *https = (struct peer_https *)peer;
	struct pending *pending = arena_alloc(call->arena, sizeof(*pending));
	struct http_header headers[3];
	struct http_call http = {
		.policy = call->policy,
		.user_agent =
			call->user_agent != NULL ? call->user_agent : "Fairlead/" FAIRLEAD_VERSION,
		.content_type = "application/xml charset=UTF-8",
		.headers = headers,
		.timeout_ms = call->timeout_ms != 0 ? call->timeout_ms : PEER_TIMEOUT_MS,
		.connect_ms = call->connect_ms,
		.answer_maximum = ANSWER_MAXIMUM,
	};
	struct buffer body;
	char url[URL_SIZE];
	char cookie[512];
	int error, length;

	if (pending == NULL)
		return ERROR_MEMORY;
	length = snprintf(url, sizeof(url), "https://%s%s", call->address,
		message_root_path(call->request->root));
	if (length < 0 || (size_t)length >= sizeof(url))
		return ERROR_LIMIT;
	if (call->log_id != NULL)
		headers[http.header_count++] = (struct http_header){"Client-Log-Id", call->log_id};
	if (call->forwarded_for != NULL)
		headers[http.header_count++] =
			(struct http_header){"X-Forwarded-For", call->forwarded_for};
	if (call->cookie != NULL) {
		length = snprintf(cookie, sizeof(cookie), "JSESSIONID=%s", call->cookie);
		if (length < 0 || (size_t)length >= sizeof(cookie))
			return ERROR_LIMIT;
		headers[http.header_count++] = (struct http_header){"Cookie", cookie};
	}

	*pending = (struct pending){
		.https = https,
		.arena = call->arena,
		.expected = message_info(call->request->id)->response,
		.root = call->request->root,
		.done = done,
		.user = user,
	};
	buffer_init(&body, REQUEST_MAXIMUM);
	error = codec_encode(call->request, CODEC_COMPACT, &body);
	if (error == 0) {
		http.url = url;
		http.body = body.bytes;
		http.body_length = body.length;
		error = http_client_post(https->client, &http, answered, pending);
	}
	buffer_free(&body);
	return error;
}

static void https_free(struct peer *peer)
{
	struct peer_https *https = (struct peer_https *)peer;

	http_client_free(https->client);
	free(https);
}

int peer_https_new(uv_loop_t *loop, struct xml_reader *reader, struct peer **ret_peer)
{
	struct peer_https *https = calloc(1, sizeof(*https));
	int error;

	if (https == NULL)
		return ERROR_MEMORY;
	https->peer.call = https_call;
	https->peer.free = https_free;
	https->reader = reader;
	error = http_client_new(loop, &https->client);
	if (error != 0) {
		free(https);
		return error;
	}
	*ret_peer = &https->peer;
	return 0;
}
