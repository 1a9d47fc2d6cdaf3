/*
 * decode.c - XML to messages.
 *
 * One pass over the reader's callbacks. A frame stands for the message element or an
 * element of the table that is open; everything the table does not know is skipped or, when
 * it has a name space, kept by extension.c. Texts are gathered in one place of fixed size, since
 * only an element without elements of its own has one.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "protocol/codec.h"
#include "protocol/extension.h"

#define FRAMES_MAXIMUM 8  /* deeper than any path of the table; tests/unit/test_tables.c */
#define TEXT_MAXIMUM 1024 /* the longest maximum of the table; likewise */
#define SHOWN_NAME 64     /* bytes of a foreign name that a fault repeats */

struct frame {
	struct message_node *node;     /* NULL: the message element */
	const struct field_info *info; /* NULL: the message element */
	const struct field_children *children;
	uint32_t seen; /* bit n: children->fields[n] has occurred */
	size_t next;   /* where the next child is looked for first */
	struct xml_position at;
};

struct decoder {
	struct arena *arena;
	unsigned roots;
	struct message *message;
	struct codec_fault *fault;
	bool faulted; /* the fault is filled */
	bool rooted;  /* the root element was entered */

	struct frame frames[FRAMES_MAXIMUM];
	size_t depth;                 /* frames in use */
	unsigned skipped;             /* elements open that nobody wants */
	uint16_t counts[FIELD_COUNT]; /* of the innermost open parent; valid once `seen` */

	char text[TEXT_MAXIMUM];
	size_t length;  /* bytes gathered, also those that had no room */
	size_t trimmed; /* of them up to the last that is not white space */

	struct extension extension;
};

/* --- faults --- */

__attribute__((format(printf, 4, 5))) static int fail(struct decoder *decoder,
	enum result_id result, struct xml_position at, const char *format, ...)
{
	struct codec_fault *fault = decoder->fault;
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	vsnprintf(fault->detail, sizeof(fault->detail), format, arguments);
	va_end(arguments);
	length = strlen(fault->detail);
	if (at.line > 0 && at.column > 0)
		snprintf(fault->detail + length, sizeof(fault->detail) - length,
			" (line %d, column %d)", at.line, at.column);
	else if (at.line > 0)
		snprintf(fault->detail + length, sizeof(fault->detail) - length, " (line %d)",
			at.line);
	fault->result = result;
	decoder->faulted = true;
	return ERROR_INPUT;
}

static int too_large(struct decoder *decoder)
{
	fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, (struct xml_position){0, 0},
		"the message is too large");
	return ERROR_MEMORY;
}

/* A name of the peer's, cut so that it fits in a fault. */
static const char *shown(const char *name, char shortened[SHOWN_NAME + 4])
{
	size_t length = strnlen(name, SHOWN_NAME + 1);

	if (length <= SHOWN_NAME)
		return name;
	length = SHOWN_NAME;
	while (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80)
		length--;
	memcpy(shortened, name, length);
	memcpy(shortened + length, "...", 4);
	return shortened;
}

static const char *parent_name(const struct decoder *decoder, const struct field_info *info)
{
	if (info->parent != FIELD_NONE)
		return field_info(info->parent)->name;
	return message_info(decoder->message->id)->element;
}

/* --- texts --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void gather(struct decoder *decoder, const char *bytes, size_t length, bool exact)
{
	size_t room, blanks = 0;

	if (!exact && decoder->length == 0)
		while (length > 0 && is_blank(*bytes)) {
			bytes++;
			length--;
		}
	if (length == 0)
		return;
	room = decoder->length < TEXT_MAXIMUM ? TEXT_MAXIMUM - decoder->length : 0;
	memcpy(decoder->text + TEXT_MAXIMUM - room, bytes, length < room ? length : room);
	if (!exact)
		while (blanks < length && is_blank(bytes[length - 1 - blanks]))
			blanks++;
	decoder->length += length;
	if (blanks < length)
		decoder->trimmed = decoder->length - blanks;
}

static int check_text(struct decoder *decoder, const struct field_info *info, const char *text,
	size_t length, struct xml_position at)
{
	if (length > info->maximum)
		return fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at,
			"'%s' is %zu bytes long, at most %zu are allowed", info->name, length,
			info->maximum);
	if (!field_type_holds(info->type, text, length)) {
		const char *wanted = info->type == FIELD_NUMBER ? "a number"
			: info->type == FIELD_FLAG              ? "true or false"
								: "a date or time";

		return fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at, "'%s' is not %s",
			info->name, wanted);
	}
	return 0;
}

/* Checks the text gathered and puts it into the node. */
static int settle_text(struct decoder *decoder, const struct frame *frame)
{
	size_t length = decoder->trimmed;
	char *text;
	int error;

	error = check_text(decoder, frame->info, decoder->text, length, frame->at);
	if (error != 0 || length == 0)
		return error;
	text = arena_copy(decoder->arena, decoder->text, length);
	if (text == NULL)
		return too_large(decoder);
	frame->node->text = text;
	frame->node->length = length;
	return 0;
}

/* --- the tree --- */

/* Place of a name among the children; children->count: not there. */
static size_t look_up(struct frame *frame, const char *name, bool attribute)
{
	const struct field_children *children = frame->children;
	size_t at = frame->next;

	for (size_t tried = 0; tried < children->count; tried++, at++) {
		const struct field_info *info;

		if (at >= children->count)
			at = 0;
		info = field_info(children->fields[at]);
		if (info->attribute == attribute && strcmp(info->name, name) == 0) {
			frame->next = at + (field_repeats(children->fields[at]) ? 0 : 1);
			return at;
		}
	}
	return children->count;
}

/* Counts an occurrence of the child and makes its node. */
static int add_child(struct decoder *decoder, struct frame *frame, size_t place,
	struct xml_position at, struct message_node **ret_node)
{
	enum field_id field = frame->children->fields[place];
	const struct field_info *info = field_info(field);
	uint32_t bit = UINT32_C(1) << place;

	if ((frame->seen & bit) == 0) {
		decoder->counts[field] = 0;
	} else if (!field_repeats(field)) {
		fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at,
			"'%s' occurs more than once in '%s'", info->name,
			parent_name(decoder, info));
		return ERROR_INPUT;
	}
	frame->seen |= bit;
	if (++decoder->counts[field] > FIELD_REPEAT_MAXIMUM) {
		fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at,
			"'%s' occurs more than %d times in '%s'", info->name, FIELD_REPEAT_MAXIMUM,
			parent_name(decoder, info));
		return ERROR_INPUT;
	}
	*ret_node = message_append(decoder->message, frame->node, field);
	return *ret_node != NULL ? 0 : too_large(decoder);
}

static int add_attributes(struct decoder *decoder, struct frame *frame,
	const struct xml_attribute *attributes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct xml_attribute *attribute = &attributes[i];
		const char *text = attribute->value;
		size_t length = attribute->length;
		struct message_node *node;
		size_t place;
		int error;

		if (attribute->name.name_space != NULL)
			continue;
		place = look_up(frame, attribute->name.local, true);
		if (place == frame->children->count)
			continue;
		error = add_child(decoder, frame, place, frame->at, &node);
		if (error != 0)
			return error;
		while (length > 0 && is_blank(*text)) {
			text++;
			length--;
		}
		while (length > 0 && is_blank(text[length - 1]))
			length--;
		error = check_text(decoder, field_info(node->field), text, length, frame->at);
		if (error != 0)
			return error;
		node->text = arena_copy(decoder->arena, text, length);
		if (node->text == NULL)
			return too_large(decoder);
		node->length = length;
	}
	return 0;
}

static struct frame *push(struct decoder *decoder, struct message_node *node,
	const struct field_children *children, struct xml_position at)
{
	struct frame *frame = &decoder->frames[decoder->depth++];

	assert(decoder->depth <= FRAMES_MAXIMUM);
	*frame = (struct frame){
		.node = node,
		.info = node != NULL ? field_info(node->field) : NULL,
		.children = children,
		.at = at,
	};
	decoder->length = 0;
	decoder->trimmed = 0;
	return frame;
}

/* --- elements --- */

static bool read_version(const char *text, size_t length, struct message_version *ret_version)
{
	unsigned numbers[2] = {0, 0};
	size_t at = 0;

	for (size_t i = 0; i < 2; i++) {
		size_t digits = 0;

		if (i == 1 && (at >= length || text[at++] != '.'))
			return false;
		for (; at < length && text[at] >= '0' && text[at] <= '9'; at++, digits++)
			if (digits >= 4)
				return false;
			else
				numbers[i] = numbers[i] * 10 + (unsigned)(text[at] - '0');
		if (digits == 0)
			return false;
	}
	ret_version->major = (uint16_t)numbers[0];
	ret_version->minor = (uint16_t)numbers[1];
	return at == length;
}

static int wrong_root(struct decoder *decoder, const struct xml_name *name, struct xml_position at)
{
	char wanted[128] = "", shortened[SHOWN_NAME + 4];
	size_t length = 0;

	for (unsigned i = 0; i < ROOT_COUNT; i++)
		if ((decoder->roots & 1u << i) != 0 && length < sizeof(wanted))
			length += (size_t)snprintf(wanted + length, sizeof(wanted) - length, "%s%s",
				length > 0 ? ", " : "", message_root_element((enum message_root)i));
	if (name->name_space != NULL)
		return fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at,
			"the root element '%s' is in a name space; wanted is one of %s in none",
			shown(name->local, shortened), wanted);
	return fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at,
		"the root element '%s' is not one of %s", shown(name->local, shortened), wanted);
}

/* "1.0 to 2.1 are", "1.0 is" */
static const char *verb(enum message_root root)
{
	return strchr(message_versions_text(root), ' ') != NULL ? "are" : "is";
}

static int enter_root(struct decoder *decoder, const struct xml_name *name,
	const struct xml_attribute *attributes, size_t count, struct xml_position at)
{
	struct codec_fault *fault = decoder->fault;
	const struct xml_attribute *version = NULL;
	struct message_version asked;
	unsigned root = 0;

	while (root < ROOT_COUNT &&
		((decoder->roots & 1u << root) == 0 || name->name_space != NULL ||
			strcmp(message_root_element((enum message_root)root), name->local) != 0))
		root++;
	if (root == ROOT_COUNT)
		return wrong_root(decoder, name, at);
	decoder->rooted = true;
	fault->has_root = true;
	fault->root = (enum message_root)root;
	fault->version = message_version_newest(fault->root);

	for (size_t i = 0; i < count; i++)
		if (attributes[i].name.name_space == NULL &&
			strcmp(attributes[i].name.local, "version") == 0)
			version = &attributes[i];
	if (version == NULL)
		return fail(decoder, RESULT_ERR_UNSUPPORTED_VERSION, at,
			"the root element '%s' has no version; %s %s served", name->local,
			message_versions_text(fault->root), verb(fault->root));
	if (!read_version(version->value, version->length, &asked))
		return fail(decoder, RESULT_ERR_UNSUPPORTED_VERSION, at,
			"the version of '%s' is not a version such as %u.%u; %s %s served",
			name->local, fault->version.major, fault->version.minor,
			message_versions_text(fault->root), verb(fault->root));
	if (!message_version_served(fault->root, asked))
		return fail(decoder, RESULT_ERR_UNSUPPORTED_VERSION, at,
			"version '%u.%u' is not served; %s %s", asked.major, asked.minor,
			message_versions_text(fault->root), verb(fault->root));
	fault->version = asked;
	return 0;
}

static int enter_message(struct decoder *decoder, const struct xml_name *name,
	const struct xml_attribute *attributes, size_t count, struct xml_position at)
{
	enum message_root root = decoder->fault->root;
	enum message_id id = message_named(name->local);
	char shortened[SHOWN_NAME + 4];
	struct frame *frame;

	if (id == MESSAGE_NONE)
		return fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at, "unknown message '%s'",
			shown(name->local, shortened));
	if ((message_info(id)->roots & 1u << root) == 0)
		return fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at,
			"message '%s' does not belong in '%s'", name->local,
			message_root_element(root));
	if (decoder->message != NULL)
		return fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at,
			"more than one message: '%s' after '%s'", name->local,
			message_info(decoder->message->id)->element);
	decoder->message = message_new(decoder->arena, id, root, decoder->fault->version);
	if (decoder->message == NULL)
		return too_large(decoder);
	frame = push(decoder, NULL, field_children_of_message(id), at);
	return add_attributes(decoder, frame, attributes, count);
}

/* What extension.c says about its limits, in the decoder's words. */
static int judge_extension(struct decoder *decoder, int error, struct xml_position at)
{
	if (error == ERROR_LIMIT)
		return fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at,
			"the name-spaced elements take more than %d bytes or have too many name "
			"spaces",
			MESSAGE_EXTENSIONS_MAXIMUM);
	return error == 0 ? 0 : too_large(decoder);
}

static int on_start(void *user, const struct xml_name *name, const struct xml_attribute *attributes,
	size_t count, struct xml_position at)
{
	struct decoder *decoder = user;
	struct message_node *node;
	struct frame *frame;
	size_t place;
	int error;

	if (decoder->skipped > 0) {
		decoder->skipped++;
		return 0;
	}
	if (decoder->extension.depth > 0)
		return judge_extension(
			decoder, extension_start(&decoder->extension, name, attributes, count), at);
	if (!decoder->rooted)
		return enter_root(decoder, name, attributes, count, at);
	if (decoder->depth == 0 && name->name_space == NULL)
		return enter_message(decoder, name, attributes, count, at);
	if (decoder->depth == 0) {
		/* Beside the message there is no place in the tree. */
		decoder->skipped = 1;
		return 0;
	}
	if (name->name_space != NULL)
		return judge_extension(
			decoder, extension_start(&decoder->extension, name, attributes, count), at);

	frame = &decoder->frames[decoder->depth - 1];
	place = look_up(frame, name->local, false);
	if (place == frame->children->count) {
		decoder->skipped = 1;
		return 0;
	}
	error = add_child(decoder, frame, place, at, &node);
	if (error != 0)
		return error;
	frame = push(decoder, node, field_children(node->field), at);
	return count > 0 ? add_attributes(decoder, frame, attributes, count) : 0;
}

static int on_text(void *user, const char *bytes, size_t length)
{
	struct decoder *decoder = user;
	const struct field_info *info;

	if (decoder->skipped > 0 || decoder->depth == 0)
		return 0;
	if (decoder->extension.depth > 0)
		return judge_extension(decoder, extension_text(&decoder->extension, bytes, length),
			(struct xml_position){0, 0});
	info = decoder->frames[decoder->depth - 1].info;
	if (info != NULL && info->type != FIELD_GROUP)
		gather(decoder, bytes, length, info->type == FIELD_EXACT);
	return 0;
}

static int end_extension(
	struct decoder *decoder, const struct xml_name *name, struct xml_position at)
{
	struct extension *extension = &decoder->extension;
	struct message_node *node;
	int error;

	error = judge_extension(decoder, extension_end(extension, name), at);
	if (error != 0 || extension->depth > 0)
		return error;
	node = message_append(
		decoder->message, decoder->frames[decoder->depth - 1].node, FIELD_EXTENSION);
	if (node == NULL)
		return too_large(decoder);
	node->text = arena_copy(decoder->arena, extension->text.bytes, extension->text.length);
	if (node->text == NULL)
		return too_large(decoder);
	node->length = extension->text.length;
	extension_taken(extension);
	return 0;
}

static int check_required(
	struct decoder *decoder, const struct frame *frame, struct xml_position at)
{
	uint32_t missing = frame->children->required & ~frame->seen;
	const struct field_info *info;
	size_t place = 0;

	if (missing == 0)
		return 0;
	while ((missing & UINT32_C(1) << place) == 0)
		place++;
	info = field_info(frame->children->fields[place]);
	if (info->attribute)
		return fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at,
			"required attribute '%s' is missing in '%s'", info->name,
			parent_name(decoder, info));
	return fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at,
		"required element '%s' is missing in '%s'", info->path,
		message_info(decoder->message->id)->element);
}

static int on_end(void *user, const struct xml_name *name, struct xml_position at)
{
	struct decoder *decoder = user;
	const struct frame *frame;
	int error = 0;

	if (decoder->skipped > 0) {
		decoder->skipped--;
		return 0;
	}
	if (decoder->extension.depth > 0)
		return end_extension(decoder, name, at);
	if (decoder->depth == 0) {
		if (decoder->message == NULL)
			return fail(decoder, RESULT_ERR_INVALID_MSG_FORMAT, at,
				"the root element '%s' holds no message", name->local);
		return 0;
	}
	frame = &decoder->frames[decoder->depth - 1];
	if (frame->info != NULL && frame->info->type != FIELD_GROUP)
		error = settle_text(decoder, frame);
	if (error == 0)
		error = check_required(decoder, frame, at);
	decoder->depth--;
	return error;
}

int codec_decode(struct xml_reader *reader, struct arena *arena, unsigned roots, const char *bytes,
	size_t length, struct message **ret_message, struct codec_fault *fault)
{
	struct codec_fault found = {.result = RESULT_NONE};
	struct xml_fault xml = {.detail = ""};
	struct decoder decoder;
	const struct xml_handler handler = {
		.start = on_start,
		.text = on_text,
		.end = on_end,
		.user = &decoder,
	};
	int error;

	assert((roots & MESSAGE_ROOTS_ALL) != 0);
	/* Not all of it: the text, the counts and the bindings are large and written before read.
	 */
	decoder.arena = arena;
	decoder.roots = roots;
	decoder.message = NULL;
	decoder.fault = &found;
	decoder.faulted = false;
	decoder.rooted = false;
	decoder.depth = 0;
	decoder.skipped = 0;
	decoder.length = 0;
	decoder.trimmed = 0;
	extension_init(&decoder.extension, arena, MESSAGE_EXTENSIONS_MAXIMUM);

	error = xml_read(reader, bytes, length, &handler, &xml);
	if (error == 0) {
		*ret_message = decoder.message;
	} else {
		if (!decoder.faulted && error == ERROR_INPUT)
			fail(&decoder, RESULT_ERR_INVALID_MSG_FORMAT, xml.at, "%s", xml.detail);
		else if (!decoder.faulted)
			fail(&decoder, RESULT_ERR_INTERNAL, (struct xml_position){0, 0}, "%s",
				error_text(error));
		*fault = found;
	}
	extension_free(&decoder.extension);
	/* A password may have gone through here. */
	secret_wipe(decoder.text, sizeof(decoder.text));
	return error;
}
