/*
 * message.c - the message tree and the message table.
 */
#include "protocol/message.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

static const struct message_info messages[MESSAGE_COUNT] = {
#define MESSAGE(name, element, kind, response, roots, flags, description)                          \
	[MESSAGE_##name] = {element, MESSAGE_##kind, MESSAGE_##response, MESSAGE_ROOTS_##roots,    \
		flags, description},
#include "protocol/messages.def"
#undef MESSAGE
};

static const struct {
	const char *element;
	const char *path;
} roots[ROOT_COUNT] = {
#define ROOT(name, element, path) [ROOT_##name] = {element, path},
#include "protocol/roots.def"
#undef ROOT
};

/* --- the tables --- */

const struct message_info *message_info(enum message_id id)
{
	assert(id > MESSAGE_NONE && id < MESSAGE_COUNT);
	return &messages[id];
}

enum message_id message_named(const char *element)
{
	for (unsigned i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++)
		if (strcmp(messages[i].element, element) == 0)
			return (enum message_id)i;
	return MESSAGE_NONE;
}

int message_stage(enum message_id id)
{
	return (int)(message_info(id)->flags >> 8 & 7u);
}

const char *message_root_element(enum message_root root)
{
	assert(root < ROOT_COUNT);
	return roots[root].element;
}

const char *message_root_path(enum message_root root)
{
	assert(root < ROOT_COUNT);
	return roots[root].path;
}

static bool brokering(enum message_root root)
{
	assert(root < ROOT_COUNT);
	return (MESSAGE_ROOTS_BROKERING & 1u << root) != 0;
}

bool message_version_served(enum message_root root, struct message_version version)
{
	struct message_version newest = message_version_newest(root);

	if (version.major < 1)
		return false;
	return version.major < newest.major ||
		(version.major == newest.major && version.minor <= newest.minor);
}

struct message_version message_version_newest(enum message_root root)
{
	if (brokering(root))
		return (struct message_version){2, 1};
	return (struct message_version){1, 0};
}

const char *message_versions_text(enum message_root root)
{
	return brokering(root) ? "1.0 to 2.1" : "1.0";
}

/* --- building --- */

struct message *message_new(struct arena *arena, enum message_id id, enum message_root root,
	struct message_version version)
{
	struct message *message;

	assert(id > MESSAGE_NONE && id < MESSAGE_COUNT && root < ROOT_COUNT);
	message = arena_alloc(arena, sizeof(*message));
	if (message == NULL)
		return NULL;
	message->id = id;
	message->root = root;
	message->version = version;
	message->arena = arena;
	return message;
}

/* Length of the text cut to `maximum` bytes without cutting a UTF-8 character. */
static size_t fitting(const char *text, size_t maximum)
{
	size_t length = strnlen(text, maximum + 1);

	if (length <= maximum)
		return length;
	length = maximum;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

/* The last node of that field or of one before it in the table; NULL: the new one goes first. */
static struct message_node *place(
	struct message_node *first, struct message_node *last, enum field_id field)
{
	struct message_node *before = NULL;

	if (last != NULL && last->field <= field)
		return last;
	for (struct message_node *node = first; node != NULL && node->field <= field;
		node = node->next)
		before = node;
	return before;
}

struct message_node *message_append(
	struct message *message, struct message_node *parent, enum field_id field)
{
	struct message_node **first = parent != NULL ? &parent->first : &message->first;
	struct message_node **last = parent != NULL ? &parent->last : &message->last;
	struct message_node *before = place(*first, *last, field);
	struct message_node *node = arena_alloc(message->arena, sizeof(*node));

	if (node == NULL)
		return NULL;
	node->field = field;
	node->text = "";
	node->parent = parent;
	node->next = before != NULL ? before->next : *first;
	if (before != NULL)
		before->next = node;
	else
		*first = node;
	if (node->next == NULL)
		*last = node;
	return node;
}

struct message_node *message_add(
	struct message *message, struct message_node *parent, enum field_id field, const char *text)
{
	const struct field_info *info = field_info(field);
	struct message_node *before, *node;
	size_t length;
	char *copy;

	if (field != FIELD_EXTENSION) {
		assert(info->message == message->id);
		assert(info->parent == (parent != NULL ? parent->field : FIELD_NONE));
	}
	if (text == NULL)
		text = "";
	length = fitting(text, info->maximum);
	assert(length == 0 || info->type != FIELD_GROUP || field == FIELD_EXTENSION);
	copy = length == 0 ? "" : arena_copy(message->arena, text, length);
	if (copy == NULL)
		return NULL;

	before = parent != NULL ? place(parent->first, parent->last, field)
				: place(message->first, message->last, field);
	if (before != NULL && before->field == field && !field_repeats(field)) {
		before->text = copy;
		before->length = length;
		return before;
	}
	node = message_append(message, parent, field);
	if (node == NULL)
		return NULL;
	node->text = copy;
	node->length = length;
	return node;
}

struct message_node *message_add_number(
	struct message *message, struct message_node *parent, enum field_id field, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return message_add(message, parent, field, text);
}

/* The last node of that group, made with all above it where it is missing. */
static struct message_node *reach(struct message *message, enum field_id group)
{
	enum field_id above = field_info(group)->parent;
	struct message_node *parent = NULL, *node;

	if (above != FIELD_NONE) {
		parent = reach(message, above);
		if (parent == NULL)
			return NULL;
	}
	node = place(parent != NULL ? parent->first : message->first,
		parent != NULL ? parent->last : message->last, group);
	if (node != NULL && node->field == group)
		return node;
	return message_add(message, parent, group, NULL);
}

struct message_node *message_put(struct message *message, enum field_id field, const char *text)
{
	enum field_id above = field_info(field)->parent;
	struct message_node *parent = NULL;

	if (above != FIELD_NONE) {
		parent = reach(message, above);
		if (parent == NULL)
			return NULL;
	}
	return message_add(message, parent, field, text);
}

struct message_node *message_put_number(
	struct message *message, enum field_id field, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return message_put(message, field, text);
}

/* --- reading --- */

static const struct message_node *scan(const struct message_node *node, enum field_id field)
{
	while (node != NULL && node->field != field)
		node = node->next;
	return node;
}

const struct message_node *message_next(const struct message_node *node)
{
	return scan(node->next, node->field);
}

const struct message_node *message_child(const struct message_node *parent, enum field_id field)
{
	return scan(parent->first, field);
}

/* Descends only along the field's own path, so never deeper than the table. */
static const struct message_node *find(
	const struct message_node *first, const enum field_id *path, size_t steps)
{
	const struct message_node *node;

	assert(steps > 0);
	node = scan(first, path[0]);
	if (steps == 1)
		return node;
	for (; node != NULL; node = message_next(node)) {
		const struct message_node *found = find(node->first, path + 1, steps - 1);

		if (found != NULL)
			return found;
	}
	return NULL;
}

#define PATH_STEPS_MAXIMUM 8

const struct message_node *message_find(const struct message *message, enum field_id field)
{
	enum field_id path[PATH_STEPS_MAXIMUM];
	size_t steps = 0;

	for (enum field_id step = field; step != FIELD_NONE; step = field_info(step)->parent) {
		assert(steps < PATH_STEPS_MAXIMUM);
		path[PATH_STEPS_MAXIMUM - ++steps] = step;
	}
	return find(message->first, path + PATH_STEPS_MAXIMUM - steps, steps);
}

const char *message_text(const struct message *message, enum field_id field)
{
	const struct message_node *node = message_find(message, field);

	return node != NULL ? node->text : NULL;
}

bool message_number(const struct message *message, enum field_id field, uint64_t *ret_number)
{
	const struct message_node *node = message_find(message, field);
	uint64_t number = 0;

	if (node == NULL || !field_type_holds(FIELD_NUMBER, node->text, node->length))
		return false;
	for (size_t i = 0; i < node->length; i++)
		number = number * 10 + (uint64_t)(node->text[i] - '0');
	*ret_number = number;
	return true;
}

enum result_id message_result(const struct message *message, enum field_id field)
{
	return result_find(message_text(message, field));
}

/* --- copying and wiping --- */

static int copy_nodes(struct message *to, struct message_node *parent, bool fresh,
	const struct message_node *from)
{
	for (; from != NULL; from = from->next) {
		enum field_id field = from->field;
		struct message_node *node;
		int error;

		if (field != FIELD_EXTENSION && field_info(field)->message != to->id)
			field = field_find(to->id, field_info(field)->path);
		if (field == FIELD_NONE)
			continue;
		/* Below a node that was just made there is nothing to keep. */
		if (!fresh && field != FIELD_EXTENSION && !field_repeats(field) &&
			scan(parent != NULL ? parent->first : to->first, field) != NULL)
			continue;
		node = message_add(to, parent, field, from->text);
		if (node == NULL)
			return ERROR_MEMORY;
		error = copy_nodes(to, node, true, from->first);
		if (error != 0)
			return error;
	}
	return 0;
}

int message_copy(struct message *to, const struct message *from)
{
	assert(to != from);
	return copy_nodes(to, NULL, false, from->first);
}

static void wipe_nodes(struct message_node *node)
{
	for (; node != NULL; node = node->next) {
		/* The text is in the arena, which is ours to write; "" is not, and has no length.
		 */
		if (field_info(node->field)->secrecy == FIELD_SECRET && node->length > 0) {
			secret_wipe((void *)(uintptr_t)node->text, node->length);
			node->length = 0;
		}
		wipe_nodes(node->first);
	}
}

void message_wipe_secrets(struct message *message)
{
	wipe_nodes(message->first);
}
