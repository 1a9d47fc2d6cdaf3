#include "base/config_check.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/config_document.h"
#include "base/error.h"

/* "a, b, ..." in a fault. */
#define LIST_SIZE 384

struct check {
	const char *name;
	yaml_document_t *document;
	struct config_fault *fault;
};

static int check_value(const struct check *check, const yaml_node_t *node,
	const struct cyaml_schema_value *schema);

static void list_add(char list[LIST_SIZE], const char *word)
{
	size_t length = strlen(list);
	const char *comma = length > 0 ? ", " : "";

	if (length + strlen(comma) + strlen(word) + sizeof(", ...") <= LIST_SIZE)
		(void)snprintf(list + length, LIST_SIZE - length, "%s%s", comma, word);
	else if (length < 3 || strcmp(list + length - 3, "...") != 0)
		(void)snprintf(list + length, LIST_SIZE - length, "%s...", comma);
}

static bool same(const struct cyaml_schema_value *schema, const char *a, const char *b)
{
	if (schema->flags & CYAML_FLAG_CASE_INSENSITIVE)
		return strcasecmp(a, b) == 0;
	return strcmp(a, b) == 0;
}

static bool has_flags(const struct cyaml_schema_value *schema, enum cyaml_flag flags)
{
	return ((unsigned int)schema->flags & (unsigned int)flags) == (unsigned int)flags;
}

static bool stands_for_nothing(const struct cyaml_schema_value *schema, const char *text)
{
	if (*text == '\0' && has_flags(schema, CYAML_FLAG_POINTER_NULL))
		return true;
	return has_flags(schema, CYAML_FLAG_POINTER_NULL_STR) &&
		(strcmp(text, "~") == 0 || strcmp(text, "null") == 0 || strcmp(text, "Null") == 0 ||
			strcmp(text, "NULL") == 0);
}

static const char *kind_of(const struct cyaml_schema_value *schema)
{
	switch (schema->type) {
	case CYAML_INT:
	case CYAML_UINT:
		return "a whole number";
	case CYAML_BOOL:
		return "true or false";
	case CYAML_ENUM:
		return "one word";
	case CYAML_FLOAT:
		return "a number";
	case CYAML_STRING:
		return "a text";
	case CYAML_MAPPING:
	case CYAML_BITFIELD:
		return "'key: value' lines";
	case CYAML_FLAGS:
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		return "a list";
	default:
		return "a value";
	}
}

static yaml_node_type_t node_type_of(const struct cyaml_schema_value *schema)
{
	switch (schema->type) {
	case CYAML_MAPPING:
	case CYAML_BITFIELD:
		return YAML_MAPPING_NODE;
	case CYAML_FLAGS:
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		return YAML_SEQUENCE_NODE;
	default:
		return YAML_SCALAR_NODE;
	}
}

/* Decimal without leading zeros, or 0x and hexadecimal digits. */
static bool is_whole_number(const char *text)
{
	static const char decimal[] = "0123456789";

	if (*text == '-' || *text == '+')
		text++;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return text[2] != '\0' &&
			text[2 + strspn(text + 2, "0123456789abcdefABCDEF")] == '\0';
	if (text[0] == '0')
		return text[1] == '\0';
	return *text != '\0' && text[strspn(text, decimal)] == '\0';
}

static int check_int(
	const struct check *check, const yaml_node_t *node, const char *text, uint32_t size)
{
	char shown[CONFIG_SHOWN_SIZE];
	int64_t highest;
	int64_t lowest;
	intmax_t value;

	assert(size >= 1 && size <= sizeof(highest));
	highest = INT64_MAX >> (64 - 8 * size);
	lowest = -highest - 1;
	if (!is_whole_number(text))
		return config_document_fault(check->fault, check->name, node->start_mark,
			"'%s' is not a whole number; expected one such as 10",
			config_document_shown(text, shown));
	errno = 0;
	value = strtoimax(text, NULL, 0);
	if (errno == 0 && value >= lowest && value <= highest)
		return 0;
	return config_document_fault(check->fault, check->name, node->start_mark,
		"'%s' is out of range; expected a whole number from %" PRId64 " to %" PRId64,
		config_document_shown(text, shown), lowest, highest);
}

static int check_uint(
	const struct check *check, const yaml_node_t *node, const char *text, unsigned int bits)
{
	char shown[CONFIG_SHOWN_SIZE];
	uint64_t highest;
	uintmax_t value;

	assert(bits >= 1 && bits <= 64);
	highest = UINT64_MAX >> (64 - bits);
	if (!is_whole_number(text))
		return config_document_fault(check->fault, check->name, node->start_mark,
			"'%s' is not a whole number; expected one from 0 to %" PRIu64,
			config_document_shown(text, shown), highest);
	errno = 0;
	value = strtoumax(text, NULL, 0);
	if (*text != '-' && errno == 0 && value <= highest)
		return 0;
	return config_document_fault(check->fault, check->name, node->start_mark,
		"'%s' is out of range; expected a whole number from 0 to %" PRIu64,
		config_document_shown(text, shown), highest);
}

static int check_bool(const struct check *check, const yaml_node_t *node, const char *text)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};
	char shown[CONFIG_SHOWN_SIZE];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0)
			return 0;
	}
	return config_document_fault(check->fault, check->name, node->start_mark,
		"'%s' is neither true nor false; expected true or false",
		config_document_shown(text, shown));
}

static int check_float(
	const struct check *check, const yaml_node_t *node, const char *text, uint32_t size)
{
	char shown[CONFIG_SHOWN_SIZE];
	double value;
	char *end;

	errno = 0;
	value = size == sizeof(float) ? (double)strtof(text, &end) : strtod(text, &end);
	if (end > text && *end == '\0' && errno == 0 && isfinite(value))
		return 0;
	return config_document_fault(check->fault, check->name, node->start_mark,
		"'%s' is not a number; expected one such as 1.5",
		config_document_shown(text, shown));
}

static int check_word(const struct check *check, const yaml_node_t *node, const char *text,
	const struct cyaml_schema_value *schema)
{
	char list[LIST_SIZE] = "";
	char shown[CONFIG_SHOWN_SIZE];

	for (uint32_t i = 0; i < schema->enumeration.count; i++) {
		if (same(schema, text, schema->enumeration.strings[i].str))
			return 0;
		list_add(list, schema->enumeration.strings[i].str);
	}
	return config_document_fault(check->fault, check->name, node->start_mark,
		"'%s' is not known here; expected one of: %s", config_document_shown(text, shown),
		list);
}

static int check_string(const struct check *check, const yaml_node_t *node, const char *text,
	const struct cyaml_schema_value *schema)
{
	size_t length = strlen(text);

	if (length == 0 && schema->string.min > 0)
		return config_document_fault(check->fault, check->name, node->start_mark,
			"there is no value; expected a text");
	if (length < schema->string.min)
		return config_document_fault(check->fault, check->name, node->start_mark,
			"this text of %zu bytes is too short; expected at least %" PRIu32, length,
			schema->string.min);
	if (length > schema->string.max)
		return config_document_fault(check->fault, check->name, node->start_mark,
			"this text of %zu bytes is too long; expected at most %" PRIu32, length,
			schema->string.max);
	return 0;
}

static int check_scalar(
	const struct check *check, const yaml_node_t *node, const struct cyaml_schema_value *schema)
{
	const char *text = config_document_text(node);

	if (*text == '\0' && schema->type != CYAML_STRING)
		return config_document_fault(check->fault, check->name, node->start_mark,
			"there is no value; expected %s", kind_of(schema));
	switch (schema->type) {
	case CYAML_INT:
		return check_int(check, node, text, schema->data_size);
	case CYAML_UINT:
		return check_uint(check, node, text, 8 * schema->data_size);
	case CYAML_BOOL:
		return check_bool(check, node, text);
	case CYAML_ENUM:
		return check_word(check, node, text, schema);
	case CYAML_FLOAT:
		return check_float(check, node, text, schema->data_size);
	default:
		assert(schema->type == CYAML_STRING);
		return check_string(check, node, text, schema);
	}
}

static const struct cyaml_schema_field *find_field(
	const struct cyaml_schema_value *schema, const char *key)
{
	for (const struct cyaml_schema_field *field = schema->mapping.fields; field->key; field++) {
		if (same(schema, field->key, key))
			return field;
	}
	return NULL;
}

static int unknown_key(
	const struct check *check, const yaml_node_t *key, const struct cyaml_schema_value *schema)
{
	char list[LIST_SIZE] = "";
	char shown[CONFIG_SHOWN_SIZE];

	for (const struct cyaml_schema_field *field = schema->mapping.fields; field->key; field++)
		list_add(list, field->key);
	return config_document_fault(check->fault, check->name, key->start_mark,
		"unknown key '%s'; expected one of: %s",
		config_document_shown(config_document_text(key), shown), list);
}

static const char *key_text(const struct check *check, const yaml_node_t *key)
{
	const char *text = config_document_text(key);

	if (!text)
		(void)config_document_fault(check->fault, check->name, key->start_mark,
			"a list or a mapping cannot be a key; expected a word");
	return text;
}

/* Keys that differ in case only are two for the tree and one for a schema
 * that ignores case. */
static bool has_key(const struct check *check, const yaml_node_t *node,
	const struct cyaml_schema_value *schema, const char *name)
{
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(check->document, pair->key);

		if (same(schema, name, config_document_text(key)))
			return true;
	}
	return false;
}

static int check_mapping(
	const struct check *check, const yaml_node_t *node, const struct cyaml_schema_value *schema)
{
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(check->document, pair->key);
		const struct cyaml_schema_field *field;
		const char *text = key_text(check, key);
		int result;

		if (!text)
			return ERROR_INPUT;
		field = find_field(schema, text);
		if (!field)
			return unknown_key(check, key, schema);
		result = check_value(
			check, yaml_document_get_node(check->document, pair->value), &field->value);
		if (result != 0)
			return result;
	}
	for (const struct cyaml_schema_field *field = schema->mapping.fields; field->key; field++) {
		if (has_flags(&field->value, CYAML_FLAG_OPTIONAL) ||
			has_key(check, node, schema, field->key))
			continue;
		return config_document_fault(check->fault, check->name, node->start_mark,
			"missing key '%s'; expected it with %s", field->key,
			kind_of(&field->value));
	}
	return 0;
}

static int check_bitfield(
	const struct check *check, const yaml_node_t *node, const struct cyaml_schema_value *schema)
{
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(check->document, pair->key);
		const yaml_node_t *value = yaml_document_get_node(check->document, pair->value);
		const char *text = key_text(check, key);
		const struct cyaml_bitdef *bits = NULL;
		char list[LIST_SIZE] = "";
		char shown[CONFIG_SHOWN_SIZE];
		int result;

		if (!text)
			return ERROR_INPUT;
		for (uint32_t i = 0; i < schema->bitfield.count && !bits; i++) {
			if (same(schema, text, schema->bitfield.bitdefs[i].name))
				bits = &schema->bitfield.bitdefs[i];
			list_add(list, schema->bitfield.bitdefs[i].name);
		}
		if (!bits)
			return config_document_fault(check->fault, check->name, key->start_mark,
				"unknown key '%s'; expected one of: %s",
				config_document_shown(text, shown), list);
		if (!config_document_text(value))
			return config_document_fault(check->fault, check->name, value->start_mark,
				"this is not a single value; expected a whole number");
		result = check_uint(check, value, config_document_text(value), bits->bits);
		if (result != 0)
			return result;
	}
	return 0;
}

static int check_sequence(
	const struct check *check, const yaml_node_t *node, const struct cyaml_schema_value *schema)
{
	const yaml_node_item_t *item = node->data.sequence.items.start;
	const yaml_node_item_t *end = node->data.sequence.items.top;
	size_t count = (size_t)(end - item);

	if (schema->type != CYAML_FLAGS && count < schema->sequence.min)
		return config_document_fault(check->fault, check->name, node->start_mark,
			"this list has %zu entries; expected at least %" PRIu32, count,
			schema->sequence.min);
	if (schema->type != CYAML_FLAGS && count > schema->sequence.max)
		return config_document_fault(check->fault, check->name, node->start_mark,
			"this list has %zu entries; expected at most %" PRIu32, count,
			schema->sequence.max);
	for (; item < end; item++) {
		const yaml_node_t *entry = yaml_document_get_node(check->document, *item);
		int result;

		if (schema->type != CYAML_FLAGS)
			result = check_value(check, entry, schema->sequence.entry);
		else if (config_document_text(entry))
			result = check_word(check, entry, config_document_text(entry), schema);
		else
			result = config_document_fault(check->fault, check->name, entry->start_mark,
				"this is not a single value; expected one word");
		if (result != 0)
			return result;
	}
	return 0;
}

static int check_value(
	const struct check *check, const yaml_node_t *node, const struct cyaml_schema_value *schema)
{
	const char *text = config_document_text(node);

	if (schema->type == CYAML_IGNORE || (text && stands_for_nothing(schema, text)))
		return 0;
	if (node->type != node_type_of(schema)) {
		const char *found = "a single value";

		if (node->type == YAML_MAPPING_NODE)
			found = "'key: value'";
		else if (node->type == YAML_SEQUENCE_NODE)
			found = "a list";
		else if (text && *text == '\0')
			found = "nothing";
		return config_document_fault(check->fault, check->name, node->start_mark,
			"there is %s; expected %s", found, kind_of(schema));
	}
	switch (schema->type) {
	case CYAML_MAPPING:
		return check_mapping(check, node, schema);
	case CYAML_BITFIELD:
		return check_bitfield(check, node, schema);
	case CYAML_FLAGS:
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		return check_sequence(check, node, schema);
	default:
		return check_scalar(check, node, schema);
	}
}

int config_check(const char *name, yaml_document_t *document,
	const struct cyaml_schema_value *schema, struct config_fault *fault)
{
	struct check check = {.name = name, .document = document, .fault = fault};

	return check_value(&check, yaml_document_get_root_node(document), schema);
}
