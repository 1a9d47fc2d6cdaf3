#include "health/template.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/template_private.h"

/* What is being read: the template under construction and the rest of its text. */
struct compiler {
	struct template *template;
	const char *rest;
	char *reason;
};

static int refuse(struct compiler *compiler, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(struct compiler *compiler, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(compiler->reason, TEMPLATE_REASON_SIZE, format, arguments);
	va_end(arguments);
	return ERROR_INPUT;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

bool template_item_is_text(const struct template_item *item)
{
	return item->kind == TEMPLATE_ITEM_CAPTURE && item->type != TEMPLATE_NUMBER &&
		item->type != TEMPLATE_HEX && item->type != TEMPLATE_WORD;
}

static struct template_item *last_item(struct template *template)
{
	return template->item_count > 0 ? &template->items[template->item_count - 1] : NULL;
}

static int add_item(struct compiler *compiler, struct template_item item)
{
	struct template *template = compiler->template;

	if (template->item_count == TEMPLATE_ITEMS)
		return refuse(compiler, "too many parts; expected at most %d", TEMPLATE_ITEMS);
	template->items[template->item_count++] = item;
	return 0;
}

static int add_literal_byte(struct compiler *compiler, char byte)
{
	struct template *template = compiler->template;
	struct template_item *last = last_item(template);
	int error;

	if (!last || last->kind != TEMPLATE_ITEM_LITERAL) {
		if (is_blank(byte) && (!last || last->kind == TEMPLATE_ITEM_BLANKS))
			return 0;
		if (is_blank(byte)) {
			struct template_item blanks = {.kind = TEMPLATE_ITEM_BLANKS};

			return add_item(compiler, blanks);
		}
		struct template_item literal = {
			.kind = TEMPLATE_ITEM_LITERAL, .at = (uint16_t) template->literals_length};

		error = add_item(compiler, literal);
		if (error != 0)
			return error;
		last = last_item(template);
	}
	assert(last != NULL);
	assert(template->literals_length < TEMPLATE_TEXT_MAXIMUM);
	template->literals[template->literals_length++] = byte;
	last->length++;
	return 0;
}

/* Blanks at the end of the literal before a capture become tolerant ones. */
static int loosen_blanks(struct compiler *compiler)
{
	struct template *template = compiler->template;
	struct template_item *last = last_item(template);
	struct template_item blanks = {.kind = TEMPLATE_ITEM_BLANKS};
	bool any = false;

	if (!last || last->kind != TEMPLATE_ITEM_LITERAL)
		return 0;
	while (last->length > 0 && is_blank(template->literals[template->literals_length - 1])) {
		last->length--;
		template->literals_length--;
		any = true;
	}
	assert(last->length > 0);
	return any ? add_item(compiler, blanks) : 0;
}

static int read_type(
	struct compiler *compiler, const char *name, size_t length, struct template_item *item)
{
	static const struct {
		const char *name;
		enum template_type type;
	} types[] = {
		{"number", TEMPLATE_NUMBER},
		{"hex", TEMPLATE_HEX},
		{"word", TEMPLATE_WORD},
		{"user", TEMPLATE_USER},
		{"host", TEMPLATE_HOST},
		{"address", TEMPLATE_ADDRESS},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strlen(types[i].name) == length && memcmp(types[i].name, name, length) == 0) {
			item->type = types[i].type;
			return 0;
		}
	}
	return refuse(compiler,
		"'%.*s' is no type; expected number, hex, word, user, host or address",
		(int)(length < 24 ? length : 24), name);
}

static int read_name(
	struct compiler *compiler, const char *name, size_t length, struct template_item *item)
{
	struct template *template = compiler->template;

	if (length == 0)
		return 0;
	if (length >= TEMPLATE_NAME_SIZE)
		return refuse(compiler, "a name of %zu bytes; expected at most %d", length,
			TEMPLATE_NAME_SIZE - 1);
	for (size_t i = 0; i < length; i++) {
		if (!(name[i] >= 'a' && name[i] <= 'z') && !is_digit(name[i]) && name[i] != '-' &&
			name[i] != '_')
			return refuse(compiler,
				"'%.*s' is no name; expected small letters, digits, '-' and '_'",
				(int)length, name);
	}
	if (template->name_count == TEMPLATE_CAPTURES)
		return refuse(compiler, "more than %d names", TEMPLATE_CAPTURES);
	for (size_t i = 0; i < template->name_count; i++) {
		if (strlen(template->names[i]) == length &&
			memcmp(template->names[i], name, length) == 0)
			return refuse(compiler, "'%.*s' is named twice", (int)length, name);
	}
	memcpy(template->names[template->name_count], name, length);
	template->types[template->name_count] = item->type;
	item->name = (int)template->name_count++;
	return 0;
}

/* Where a text ends must be said by a literal, and where a word ends by a literal or a blank. */
static int check_order(struct compiler *compiler)
{
	const struct template *template = compiler->template;

	for (size_t i = 0; i + 1 < template->item_count; i++) {
		const struct template_item *item = &template->items[i];
		const struct template_item *after = item + 1;

		if (template_item_is_text(item) && after->kind == TEMPLATE_ITEM_BLANKS &&
			i + 2 < template->item_count)
			after++;
		if (after->kind == TEMPLATE_ITEM_CAPTURE &&
			(template_item_is_text(item) ||
				(item->kind == TEMPLATE_ITEM_CAPTURE &&
					item->type == TEMPLATE_WORD)))
			return refuse(compiler,
				"nothing tells where a capture ends and the next begins; expected "
				"literal text between them");
	}
	return 0;
}

/* compiler->rest is behind the opening brace. */
static int read_capture(struct compiler *compiler)
{
	struct template_item item = {
		.kind = TEMPLATE_ITEM_CAPTURE, .type = TEMPLATE_TEXT, .name = -1};
	const char *start = compiler->rest;
	const char *end = start + strcspn(start, "{}");
	const char *colon = memchr(start, ':', (size_t)(end - start));
	int error = 0;

	if (*end != '}')
		return refuse(
			compiler, "a '{' is not closed; expected {name}, or '{{' for a brace");
	if (colon)
		error = read_type(compiler, colon + 1, (size_t)(end - colon - 1), &item);
	if (error == 0)
		error = read_name(compiler, start, (size_t)((colon ? colon : end) - start), &item);
	if (error == 0)
		error = loosen_blanks(compiler);
	if (error == 0)
		error = add_item(compiler, item);
	compiler->rest = end + 1;
	return error;
}

static int read_items(struct compiler *compiler)
{
	int error = 0;

	while (error == 0 && *compiler->rest != '\0') {
		char byte = *compiler->rest++;

		if (byte == '{' && *compiler->rest != '{') {
			error = read_capture(compiler);
			continue;
		}
		if (byte == '}' && *compiler->rest != '}')
			return refuse(compiler, "a '}' without '{'; expected '}}' for a brace");
		if (byte == '{' || byte == '}')
			compiler->rest++;
		error = add_literal_byte(compiler, byte);
	}
	return error;
}

/* The first item is never blanks: a message has none at its start. */
static void keep_longest(struct template *template)
{
	size_t best = 0;

	for (size_t i = 0; i < template->item_count; i++) {
		const struct template_item *item = &template->items[i];
		size_t length = item->length;

		if (item->kind != TEMPLATE_ITEM_LITERAL)
			continue;
		while (length > 0 && is_blank(template->literals[item->at + length - 1]))
			length--;
		if (length <= best)
			continue;
		best = length;
		memcpy(template->longest, template->literals + item->at, length);
		template->longest[length] = '\0';
	}
}

static void mark_numbers(struct template *template)
{
	for (size_t i = 0; i + 1 < template->item_count; i++) {
		const struct template_item *after = &template->items[i + 1];

		template->items[i].whole_only =
			after->kind == TEMPLATE_ITEM_LITERAL &&template->literals[after->at] == '.';
	}
}

int template_new(const char *text, bool anywhere, struct template **ret_template,
	char reason[TEMPLATE_REASON_SIZE])
{
	struct compiler compiler = {.rest = text, .reason = reason};
	int error;

	if (strlen(text) > TEMPLATE_TEXT_MAXIMUM)
		return refuse(&compiler, "a template of %zu bytes; expected at most %d",
			strlen(text), TEMPLATE_TEXT_MAXIMUM);
	compiler.template = calloc(1, sizeof(*compiler.template));
	if (!compiler.template) {
		(void)refuse(&compiler, "%s", error_text(ERROR_MEMORY));
		return ERROR_MEMORY;
	}
	compiler.template->anywhere = anywhere;
	error = read_items(&compiler);
	if (error == 0 && compiler.template->item_count == 0)
		error = refuse(&compiler, "there is no text");
	if (error == 0)
		error = check_order(&compiler);
	if (error != 0) {
		free(compiler.template);
		return error;
	}
	mark_numbers(compiler.template);
	keep_longest(compiler.template);
	*ret_template = compiler.template;
	return 0;
}

void template_free(struct template *template)
{
	free(template);
}

const char *template_literal(const struct template *template)
{
	return template->longest;
}

size_t template_captures(const struct template *template)
{
	return template ? template->name_count : 0;
}

const char *template_name(const struct template *template, size_t index)
{
	assert(index < template->name_count);
	return template->names[index];
}

int template_find(const struct template *template, const char *name)
{
	for (size_t i = 0; i < template_captures(template); i++) {
		if (strcmp(template->names[i], name) == 0)
			return (int)i;
	}
	return -1;
}

enum template_type template_type(const struct template *template, size_t index)
{
	assert(index < template->name_count);
	return template->types[index];
}
