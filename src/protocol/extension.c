#include "protocol/extension.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"

void extension_init(struct extension *extension, struct arena *arena, size_t maximum)
{
	extension->arena = arena;
	extension->depth = 0;
	extension->binding_count = 0;
	buffer_init(&extension->text, maximum);
}

void extension_free(struct extension *extension)
{
	buffer_free(&extension->text);
}

void extension_taken(struct extension *extension)
{
	assert(extension->depth == 0);
	extension->text.maximum -= extension->text.length;
	buffer_clear(&extension->text);
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

/* What a prefix means at this place of the text kept. */
static const char *meaning(const struct extension *extension, const char *prefix)
{
	for (size_t i = extension->binding_count; i > 0; i--)
		if (strcmp(extension->bindings[i - 1].prefix, prefix) == 0)
			return extension->bindings[i - 1].name_space;
	return "";
}

/* Writes a declaration unless the prefix means this already. */
static int declare(struct extension *extension, const struct xml_name *name)
{
	const char *prefix = or_empty(name->prefix);
	const char *name_space = or_empty(name->name_space);
	struct extension_binding *binding;
	struct buffer *text = &extension->text;

	if (strcmp(prefix, "xml") == 0 || strcmp(meaning(extension, prefix), name_space) == 0)
		return 0;
	if (extension->binding_count == EXTENSION_BINDINGS_MAXIMUM)
		return ERROR_LIMIT;
	binding = &extension->bindings[extension->binding_count];
	binding->prefix = arena_text(extension->arena, prefix);
	binding->name_space = arena_text(extension->arena, name_space);
	binding->depth = extension->depth;
	if (binding->prefix == NULL || binding->name_space == NULL)
		return ERROR_MEMORY;
	extension->binding_count++;

	buffer_text(text, prefix[0] != '\0' ? " xmlns:" : " xmlns");
	buffer_text(text, prefix);
	buffer_text(text, "=\"");
	xml_write_escaped(text, name_space, strlen(name_space));
	return buffer_byte(text, '"');
}

static int put_name(struct buffer *text, const struct xml_name *name)
{
	if (name->prefix != NULL) {
		buffer_text(text, name->prefix);
		buffer_byte(text, ':');
	}
	return buffer_text(text, name->local);
}

int extension_start(struct extension *extension, const struct xml_name *name,
	const struct xml_attribute *attributes, size_t count)
{
	struct buffer *text = &extension->text;
	int error;

	extension->depth++;
	buffer_byte(text, '<');
	put_name(text, name);
	error = declare(extension, name);
	/* An attribute without prefix is in no name space, whatever the default is. */
	for (size_t i = 0; i < count && error == 0; i++)
		if (attributes[i].name.prefix != NULL)
			error = declare(extension, &attributes[i].name);
	if (error != 0)
		return error;
	for (size_t i = 0; i < count; i++) {
		buffer_byte(text, ' ');
		put_name(text, &attributes[i].name);
		buffer_text(text, "=\"");
		xml_write_escaped(text, attributes[i].value, attributes[i].length);
		buffer_byte(text, '"');
	}
	return buffer_byte(text, '>');
}

int extension_text(struct extension *extension, const char *bytes, size_t length)
{
	xml_write_escaped(&extension->text, bytes, length);
	return extension->text.failed ? ERROR_LIMIT : 0;
}

int extension_end(struct extension *extension, const struct xml_name *name)
{
	struct buffer *text = &extension->text;

	assert(extension->depth > 0);
	while (extension->binding_count > 0 &&
		extension->bindings[extension->binding_count - 1].depth == extension->depth)
		extension->binding_count--;
	extension->depth--;
	buffer_text(text, "</");
	put_name(text, name);
	return buffer_byte(text, '>');
}
