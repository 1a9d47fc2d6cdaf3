/*
 * encode.c - messages to XML.
 */
#include "protocol/codec.h"

#include <string.h>

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define HIDDEN "*****"

struct encoder {
	struct buffer *out;
	bool page;
	bool redacted;
	const char *(*show_name)(void *user, const char *name);
	void *user;
};

/* Writes `before`, the name, `after` in one step. */
static void put_name(struct encoder *encoder, const char *before, const struct field_info *info,
	const char *after)
{
	size_t before_length = strlen(before), after_length = strlen(after);
	size_t length = before_length + info->name_length + after_length;
	char *to = buffer_reserve(encoder->out, length);

	if (to == NULL)
		return;
	memcpy(to, before, before_length);
	memcpy(to + before_length, info->name, info->name_length);
	memcpy(to + before_length + info->name_length, after, after_length);
	buffer_added(encoder->out, length);
}

static void put_number(struct buffer *out, unsigned number)
{
	char digits[8];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	buffer_append(out, digits + at, sizeof(digits) - at);
}

/* A line feed and three blanks for each level, in the page's layout. */
static size_t break_length(const struct encoder *encoder, unsigned level)
{
	return encoder->page ? 1 + 3 * (size_t)level : 0;
}

static char *write_break(const struct encoder *encoder, unsigned level, char *to)
{
	size_t length = break_length(encoder, level);

	if (length > 0) {
		to[0] = '\n';
		memset(to + 1, ' ', length - 1);
	}
	return to + length;
}

static void put_break(struct encoder *encoder, unsigned level)
{
	size_t length = break_length(encoder, level);
	char *to = length > 0 ? buffer_reserve(encoder->out, length) : NULL;

	if (to == NULL)
		return;
	write_break(encoder, level, to);
	buffer_added(encoder->out, length);
}

/* True when every byte stands for itself in any text: then nothing needs escaping. */
static bool is_plain(const char *text, size_t length)
{
	unsigned odd = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		odd |= (c < ' ') | (c >= 0x7f) | (c == '&') | (c == '<') | (c == '>') | (c == '"') |
			(c == '\'');
	}
	return odd == 0;
}

/* Most of every message: an element with a plain text and nothing else, written in one step. */
static void put_plain(struct encoder *encoder, const struct field_info *info,
	const struct message_node *node, unsigned level)
{
	size_t name = info->name_length;
	size_t length = break_length(encoder, level) + name + 2 + node->length + name + 3;
	char *to = buffer_reserve(encoder->out, length);

	if (to == NULL)
		return;
	to = write_break(encoder, level, to);
	*to++ = '<';
	memcpy(to, info->name, name);
	to += name;
	*to++ = '>';
	memcpy(to, node->text, node->length);
	to += node->length;
	*to++ = '<';
	*to++ = '/';
	memcpy(to, info->name, name);
	to[name] = '>';
	buffer_added(encoder->out, length);
}

static void put_value(
	struct encoder *encoder, const struct field_info *info, const struct message_node *node)
{
	const char *text = node->text;
	size_t length = node->length;

	if (encoder->redacted && info->secrecy != FIELD_PUBLIC) {
		text = HIDDEN;
		if (info->secrecy == FIELD_NAME && encoder->show_name != NULL)
			text = encoder->show_name(encoder->user, node->text);
		length = strlen(text);
	}
	if (length > 0)
		xml_write_escaped(encoder->out, text, length);
}

static void put_extension(struct encoder *encoder, const struct message_node *node, unsigned level)
{
	put_break(encoder, level);
	if (encoder->redacted)
		buffer_print(encoder->out, "<!-- extension of %zu bytes -->", node->length);
	else
		buffer_append(encoder->out, node->text, node->length);
}

/* Attributes stand first among children; returns the first child that is an element. */
static const struct message_node *put_attributes(
	struct encoder *encoder, const struct message_node *node)
{
	for (; node != NULL; node = node->next) {
		const struct field_info *info = field_info(node->field);

		if (!info->attribute)
			break;
		put_name(encoder, " ", info, "=\"");
		put_value(encoder, info, node);
		buffer_byte(encoder->out, '"');
	}
	return node;
}

static void put_elements(struct encoder *encoder, const struct message_node *node, unsigned level)
{
	for (; node != NULL; node = node->next) {
		const struct field_info *info = field_info(node->field);
		const struct message_node *below = node->first;
		bool group = info->type == FIELD_GROUP;

		if (node->field == FIELD_EXTENSION) {
			put_extension(encoder, node, level);
			continue;
		}
		if (below == NULL && !group && !encoder->redacted &&
			is_plain(node->text, node->length)) {
			put_plain(encoder, info, node, level);
			continue;
		}
		put_break(encoder, level);
		if (below == NULL) {
			put_name(encoder, "<", info, ">");
		} else {
			put_name(encoder, "<", info, "");
			below = put_attributes(encoder, below);
			buffer_byte(encoder->out, '>');
		}
		if (!group)
			put_value(encoder, info, node);
		if (below != NULL)
			put_elements(encoder, below, level + 1);
		/* A line break inside a value would be part of it. */
		if (group)
			put_break(encoder, level);
		put_name(encoder, "</", info, ">");
	}
}

static int encode(struct encoder *encoder, const struct message *message)
{
	const char *root = message_root_element(message->root);
	const char *element = message_info(message->id)->element;
	const struct message_node *below;
	struct buffer *out = encoder->out;

	buffer_text(out, DECLARATION);
	put_break(encoder, 0);
	buffer_byte(out, '<');
	buffer_text(out, root);
	buffer_text(out, " version=\"");
	put_number(out, message->version.major);
	buffer_byte(out, '.');
	put_number(out, message->version.minor);
	buffer_text(out, "\">");
	put_break(encoder, 0);
	buffer_byte(out, '<');
	buffer_text(out, element);
	below = put_attributes(encoder, message->first);
	if (below == NULL && !encoder->page) {
		buffer_text(out, "/>");
	} else {
		buffer_byte(out, '>');
		put_elements(encoder, below, 1);
		put_break(encoder, 0);
		buffer_text(out, "</");
		buffer_text(out, element);
		buffer_byte(out, '>');
	}
	put_break(encoder, 0);
	buffer_text(out, "</");
	buffer_text(out, root);
	/* The last append tells whether any failed. */
	return buffer_byte(out, '>');
}

int codec_encode(const struct message *message, enum codec_layout layout, struct buffer *out)
{
	struct encoder encoder = {.out = out, .page = layout == CODEC_PAGE};

	return encode(&encoder, message);
}

int codec_encode_redacted(const struct message *message,
	const char *(*show_name)(void *user, const char *name), void *user, struct buffer *out)
{
	struct encoder encoder = {
		.out = out,
		.page = true,
		.redacted = true,
		.show_name = show_name,
		.user = user,
	};

	return encode(&encoder, message);
}
