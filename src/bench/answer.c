#include "bench/answer.h"

#include <string.h>
#include <strings.h>

static void keep(char *text, size_t size, size_t *used, const char *bytes, size_t length)
{
	size_t room = size - 1 - *used;

	if (length > room)
		length = room;
	memcpy(text + *used, bytes, length);
	*used += length;
	text[*used] = '\0';
}

static int on_field(llhttp_t *parser, const char *bytes, size_t length)
{
	struct answer *answer = parser->data;

	keep(answer->name, sizeof(answer->name), &answer->name_length, bytes, length);
	return 0;
}

static int on_value(llhttp_t *parser, const char *bytes, size_t length)
{
	struct answer *answer = parser->data;

	keep(answer->value, sizeof(answer->value), &answer->value_length, bytes, length);
	return 0;
}

static int on_header_complete(llhttp_t *parser)
{
	static const char wanted[] = "JSESSIONID=";
	struct answer *answer = parser->data;
	const char *value = answer->value;
	size_t length;

	if (strcasecmp(answer->name, "Set-Cookie") == 0 &&
		strncmp(value, wanted, sizeof(wanted) - 1) == 0) {
		value += sizeof(wanted) - 1;
		length = strcspn(value, "; ");
		if (length < sizeof(answer->cookie)) {
			memcpy(answer->cookie, value, length);
			answer->cookie[length] = '\0';
		}
	}
	answer->name_length = answer->value_length = 0;
	answer->name[0] = answer->value[0] = '\0';
	return 0;
}

static int on_body(llhttp_t *parser, const char *bytes, size_t length)
{
	struct answer *answer = parser->data;

	return buffer_append(&answer->body, bytes, length) == 0 ? 0 : -1;
}

static int on_complete(llhttp_t *parser)
{
	struct answer *answer = parser->data;

	answer->done = true;
	answer->status = (int)llhttp_get_status_code(parser);
	answer->keep_alive = llhttp_should_keep_alive(parser) != 0;
	/* The caller decides what follows. */
	return HPE_PAUSED;
}

static const llhttp_settings_t *settings(void)
{
	static const llhttp_settings_t callbacks = {
		.on_header_field = on_field,
		.on_header_value = on_value,
		.on_header_value_complete = on_header_complete,
		.on_body = on_body,
		.on_message_complete = on_complete,
	};

	return &callbacks;
}

void answer_init(struct answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	buffer_init(&answer->body, ANSWER_BODY_MAXIMUM);
}

void answer_begin(struct answer *answer)
{
	buffer_clear(&answer->body);
	answer->status = 0;
	answer->keep_alive = false;
	answer->cookie[0] = '\0';
	answer->bytes = 0;
	answer->name_length = answer->value_length = 0;
	answer->name[0] = answer->value[0] = '\0';
	answer->done = false;
	llhttp_init(&answer->parser, HTTP_RESPONSE, settings());
	answer->parser.data = answer;
}

void answer_free(struct answer *answer)
{
	buffer_free(&answer->body);
}

enum answer_result answer_feed(struct answer *answer, const char *bytes, size_t length)
{
	enum llhttp_errno error = llhttp_execute(&answer->parser, bytes, length);

	answer->bytes += length;
	if (answer->done) {
		const char *end = llhttp_get_error_pos(&answer->parser);

		return error == HPE_PAUSED && end == bytes + length ? ANSWER_DONE : ANSWER_BROKEN;
	}
	return error == HPE_OK ? ANSWER_MORE : ANSWER_BROKEN;
}
