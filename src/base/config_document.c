#include "base/config_document.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* What the scan of the events needs to know. */
struct scan {
	const char *name;
	const char *bytes;
	size_t length;
	struct config_fault *fault;
	unsigned int depth;
	unsigned int documents;
	size_t values;
};

int config_document_fault_list(struct config_fault *fault, const char *name, yaml_mark_t mark,
	const char *format, va_list arguments)
{
	char *text = fault->text;
	size_t size = sizeof(fault->text);
	int head;
	int rest;

	head = snprintf(text, size, "%s:%zu:%zu: ", name, mark.line + 1, mark.column + 1);
	if (head < 0)
		head = 0;
	if ((size_t)head < size) {
		rest = vsnprintf(text + head, size - (size_t)head, format, arguments);
		if (rest < 0 || (size_t)rest < size - (size_t)head)
			return ERROR_INPUT;
	}
	memcpy(text + size - 4, "...", 4);
	return ERROR_INPUT;
}

int config_document_fault(
	struct config_fault *fault, const char *name, yaml_mark_t mark, const char *format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = config_document_fault_list(fault, name, mark, format, arguments);
	va_end(arguments);
	return result;
}

const char *config_document_shown(const char *text, char shown[CONFIG_SHOWN_SIZE])
{
	size_t length = 0;

	while (length < CONFIG_SHOWN_SIZE - 4 && text[length] != '\0') {
		unsigned char byte = (unsigned char)text[length];

		shown[length] = text[length];
		if (byte < 0x20 || byte == 0x7f)
			shown[length] = '?';
		length++;
	}
	if (text[length] == '\0') {
		shown[length] = '\0';
		return shown;
	}
	/* Not in the middle of a UTF-8 character. */
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	memcpy(shown + length, "...", 4);
	return shown;
}

const char *config_document_text(const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE)
		return NULL;
	return (const char *)node->data.scalar.value;
}

/* The place of a byte, for errors that libyaml's reader places by offset. */
static yaml_mark_t mark_of_offset(const struct scan *scan, size_t offset)
{
	yaml_mark_t mark = {0};

	for (size_t i = 0; i < offset && i < scan->length; i++) {
		if (scan->bytes[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if (((unsigned char)scan->bytes[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

/* The byte at a place, NUL past the end. */
static char byte_at(const struct scan *scan, yaml_mark_t mark)
{
	size_t at = 0;

	for (size_t line = 0; line < mark.line; line++) {
		const char *end = at < scan->length
			? memchr(scan->bytes + at, '\n', scan->length - at)
			: NULL;

		if (!end)
			return '\0';
		at = (size_t)(end - scan->bytes) + 1;
	}
	for (size_t column = 0; column < mark.column && at < scan->length; column++) {
		do {
			at++;
		} while (at < scan->length && ((unsigned char)scan->bytes[at] & 0xc0) == 0x80);
	}
	return at < scan->length ? scan->bytes[at] : '\0';
}

/* libyaml's words for what people get wrong most, in plain words. */
static int syntax_fault(const struct scan *scan, const yaml_parser_t *parser)
{
	static const struct {
		const char *problem;
		const char *plain;
	} words[] = {
		{"did not find expected node content",
			"a value is missing here; expected one, or the end of the list or mapping "
			"that was opened"},
		{"mapping values are not allowed in this context",
			"a ':' is not possible here; expected the key on a line of its own, "
			"indented like its neighbours, or quotes around a text that has ': ' in "
			"it"},
		{"did not find expected key",
			"this does not belong to what stands above; expected 'key: value', "
			"indented like its neighbours"},
		{"could not find expected ':'", "expected ':' after the key"},
		{"did not find expected '-' indicator",
			"this does not belong to the list above; expected '- ', indented like its "
			"neighbours"},
		{"block sequence entries are not allowed in this context",
			"a list cannot begin here; expected it on the next line"},
		{"did not find expected <document start>",
			"the document has ended before this; expected 'key: value', indented like "
			"its neighbours"},
	};
	const char *problem = parser->problem ? parser->problem : "unreadable";
	const char *context = parser->context ? parser->context : "";

	if (parser->error == YAML_READER_ERROR)
		return config_document_fault(scan->fault, scan->name,
			mark_of_offset(scan, parser->problem_offset),
			"not a text in UTF-8: %s; expected printable characters", problem);
	if (strstr(context, "quoted scalar") && strstr(problem, "unexpected"))
		return config_document_fault(scan->fault, scan->name, parser->context_mark,
			"this quoted text is not closed; expected %c at its end",
			byte_at(scan, parser->context_mark) == '\'' ? '\'' : '"');
	if (strstr(context, "flow sequence"))
		return config_document_fault(scan->fault, scan->name, parser->problem_mark,
			"expected ',' or ']' for the list that begins in line %zu",
			parser->context_mark.line + 1);
	if (strstr(context, "flow mapping"))
		return config_document_fault(scan->fault, scan->name, parser->problem_mark,
			"expected ',' or '}' for the mapping that begins in line %zu",
			parser->context_mark.line + 1);
	if (byte_at(scan, parser->problem_mark) == '\t')
		return config_document_fault(scan->fault, scan->name, parser->problem_mark,
			"a tab cannot indent; expected spaces");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(problem, words[i].problem) == 0)
			return config_document_fault(scan->fault, scan->name, parser->problem_mark,
				"%s", words[i].plain);
	}
	return config_document_fault(scan->fault, scan->name, parser->problem_mark,
		"not valid YAML: %s; expected 'key: value' lines, and quotes around a text that "
		"begins with a special character",
		problem);
}

static int parser_fault(const struct scan *scan, const yaml_parser_t *parser)
{
	yaml_mark_t start = {0};

	if (parser->error != YAML_MEMORY_ERROR)
		return syntax_fault(scan, parser);
	(void)config_document_fault(scan->fault, scan->name, start, "%s", error_text(ERROR_MEMORY));
	return ERROR_MEMORY;
}

/* One value, list or mapping begins. */
static int scan_node(struct scan *scan, const yaml_event_t *event, const yaml_char_t *anchor,
	const yaml_char_t *tag)
{
	if (anchor)
		return config_document_fault(scan->fault, scan->name, event->start_mark,
			"anchors are not supported; expected quotes around a text that begins with "
			"'&'");
	if (tag)
		return config_document_fault(scan->fault, scan->name, event->start_mark,
			"tags are not supported; expected quotes around a text that begins with "
			"'!'");
	if (++scan->values > CONFIG_VALUES_MAXIMUM)
		return config_document_fault(scan->fault, scan->name, event->start_mark,
			"too many values; expected at most %d", CONFIG_VALUES_MAXIMUM);
	return 0;
}

static int scan_event(struct scan *scan, const yaml_event_t *event)
{
	int result = 0;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++scan->documents > 1)
			return config_document_fault(scan->fault, scan->name, event->start_mark,
				"a second document begins here; expected one");
		return 0;
	case YAML_ALIAS_EVENT:
		return config_document_fault(scan->fault, scan->name, event->start_mark,
			"aliases are not supported; expected quotes around a text that begins with "
			"'*'");
	case YAML_SCALAR_EVENT:
		result = scan_node(scan, event, event->data.scalar.anchor, event->data.scalar.tag);
		if (result == 0 && event->data.scalar.length > 0 &&
			memchr(event->data.scalar.value, '\0', event->data.scalar.length))
			return config_document_fault(scan->fault, scan->name, event->start_mark,
				"this text holds a NUL character; expected none");
		return result;
	case YAML_SEQUENCE_START_EVENT:
		result = scan_node(scan, event, event->data.sequence_start.anchor,
			event->data.sequence_start.tag);
		break;
	case YAML_MAPPING_START_EVENT:
		result = scan_node(scan, event, event->data.mapping_start.anchor,
			event->data.mapping_start.tag);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		scan->depth--;
		return 0;
	default:
		return 0;
	}
	if (result == 0 && ++scan->depth > CONFIG_DEPTH_MAXIMUM)
		return config_document_fault(scan->fault, scan->name, event->start_mark,
			"nested too deeply; expected at most %d levels", CONFIG_DEPTH_MAXIMUM);
	return result;
}

static int scan_events(struct scan *scan)
{
	yaml_parser_t parser;
	bool ended = false;
	int result = 0;

	if (!yaml_parser_initialize(&parser))
		return parser_fault(scan, &parser);
	yaml_parser_set_input_string(&parser, (const unsigned char *)scan->bytes, scan->length);
	while (result == 0 && !ended) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			result = parser_fault(scan, &parser);
			break;
		}
		ended = event.type == YAML_STREAM_END_EVENT;
		result = scan_event(scan, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return result;
}

static int compare_keys(const void *a, const void *b)
{
	const yaml_node_t *left = *(const yaml_node_t *const *)a;
	const yaml_node_t *right = *(const yaml_node_t *const *)b;
	int order = strcmp(config_document_text(left), config_document_text(right));

	if (order != 0)
		return order;
	return (left->start_mark.index > right->start_mark.index) -
		(left->start_mark.index < right->start_mark.index);
}

/* Sorted, because a comparison of all with all would let one file of 4 MiB
 * keep a program busy for hours. */
static int check_keys(const struct scan *scan, yaml_document_t *document, yaml_node_t *mapping)
{
	const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	const yaml_node_pair_t *end = mapping->data.mapping.pairs.top;
	const yaml_node_t **keys;
	size_t count = 0;
	int result = 0;

	if (end - pair < 2)
		return 0;
	keys = calloc((size_t)(end - pair), sizeof(*keys));
	if (!keys) {
		(void)config_document_fault(scan->fault, scan->name, mapping->start_mark, "%s",
			error_text(ERROR_MEMORY));
		return ERROR_MEMORY;
	}
	for (; pair < end; pair++) {
		const yaml_node_t *key = yaml_document_get_node(document, pair->key);

		if (config_document_text(key))
			keys[count++] = key;
	}
	qsort(keys, count, sizeof(const yaml_node_t *), compare_keys);
	for (size_t i = 1; i < count && result == 0; i++) {
		const char *text = config_document_text(keys[i]);
		char shown[CONFIG_SHOWN_SIZE];

		if (strcmp(config_document_text(keys[i - 1]), text) == 0)
			result = config_document_fault(scan->fault, scan->name, keys[i]->start_mark,
				"key '%s' is given twice (first in line %zu); expected once",
				config_document_shown(text, shown),
				keys[i - 1]->start_mark.line + 1);
	}
	free(keys);
	return result;
}

int config_document_read(const char *name, const char *bytes, size_t length,
	yaml_document_t *ret_document, struct config_fault *fault)
{
	struct scan scan = {.name = name, .bytes = bytes, .length = length, .fault = fault};
	yaml_document_t document;
	yaml_parser_t parser;
	int result;

	result = scan_events(&scan);
	if (result != 0)
		return result;
	if (!yaml_parser_initialize(&parser))
		return parser_fault(&scan, &parser);
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, length);
	if (!yaml_parser_load(&parser, &document)) {
		result = parser_fault(&scan, &parser);
		goto out;
	}
	if (!yaml_document_get_root_node(&document)) {
		yaml_mark_t start = {0};

		result = config_document_fault(
			fault, name, start, "there is nothing in this file; expected 'key: value'");
	}
	for (yaml_node_t *node = document.nodes.start; result == 0 && node < document.nodes.top;
		node++) {
		if (node->type == YAML_MAPPING_NODE)
			result = check_keys(&scan, &document, node);
	}
	if (result == 0)
		*ret_document = document;
	else
		yaml_document_delete(&document);
out:
	yaml_parser_delete(&parser);
	return result;
}

/* The pair whose key is the first `length` bytes of `name`, or NULL. */
static const yaml_node_pair_t *find_pair(
	yaml_document_t *document, const yaml_node_t *mapping, const char *name, size_t length)
{
	if (mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
		pair < mapping->data.mapping.pairs.top; pair++) {
		const char *key = config_document_text(yaml_document_get_node(document, pair->key));

		if (key && strlen(key) == length && memcmp(key, name, length) == 0)
			return pair;
	}
	return NULL;
}

static const yaml_node_t *find_entry(
	yaml_document_t *document, const yaml_node_t *sequence, unsigned long index)
{
	const yaml_node_item_t *items;

	if (sequence->type != YAML_SEQUENCE_NODE)
		return NULL;
	items = sequence->data.sequence.items.start;
	if (index >= (unsigned long)(sequence->data.sequence.items.top - items))
		return NULL;
	return yaml_document_get_node(document, items[index]);
}

yaml_mark_t config_document_find(yaml_document_t *document, const char *path)
{
	const yaml_node_t *node = yaml_document_get_root_node(document);
	yaml_mark_t mark;

	assert(node);
	mark = node->start_mark;
	while (*path != '\0') {
		if (*path == '[') {
			char *end;
			unsigned long index = strtoul(path + 1, &end, 10);

			assert(end > path + 1 && *end == ']');
			path = end + 1;
			node = find_entry(document, node, index);
			if (!node)
				break;
			mark = node->start_mark;
		} else {
			size_t length = strcspn(path, ".[");
			const yaml_node_pair_t *pair = find_pair(document, node, path, length);

			path += length;
			if (!pair)
				break;
			node = yaml_document_get_node(document, pair->value);
			mark = config_document_text(node)
				? node->start_mark
				: yaml_document_get_node(document, pair->key)->start_mark;
		}
		if (*path == '.')
			path++;
	}
	return mark;
}
