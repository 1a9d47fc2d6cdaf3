/*
 * Names of members: how they are shown, and what they say about rotation.
 */
#include "health/bundle_private.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/utf8.h"

#define JOINED_MAXIMUM (4 * BUNDLE_PATH_SIZE)

/* ---- as shown ---- */

/* Characters that would move the cursor, end the line or turn the text around. */
static bool is_harmful(uint32_t value)
{
	return value < 0x20 || (value >= 0x7f && value < 0xa0) || value == 0x61c ||
		(value >= 0x200e && value <= 0x200f) || (value >= 0x2028 && value <= 0x202e) ||
		(value >= 0x2066 && value <= 0x2069) || value == 0xfeff;
}

static void append_clean(struct buffer *buffer, const char *name)
{
	bool windows = strchr(name, '/') == NULL;

	while (*name != '\0') {
		uint32_t value = 0;
		size_t length = utf8_character(name, &value);

		if (length == 0 || is_harmful(value)) {
			length = length == 0 ? 1 : length;
			for (size_t i = 0; i < length; i++)
				buffer_print(buffer, "\\x%02x", (unsigned char)name[i]);
		} else if (value == '\\' && windows) {
			buffer_byte(buffer, '/');
		} else {
			buffer_append(buffer, name, length);
		}
		name += length;
	}
}

/* FNV-1a. */
static uint32_t digest(const char *text)
{
	uint32_t value = 2166136261u;

	for (; *text != '\0'; text++)
		value = (value ^ (unsigned char)*text) * 16777619u;
	return value;
}

static bool continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

void bundle_name_cut(char *ret_path, size_t size, const char *path)
{
	size_t length = strlen(path), head, tail;
	char middle[24];

	assert(size >= 2 * sizeof(middle));
	if (length < size) {
		memcpy(ret_path, path, length + 1);
		return;
	}
	snprintf(middle, sizeof(middle), "...%08x...", (unsigned)digest(path));
	head = (size - 1 - strlen(middle)) / 2;
	tail = length - (size - 1 - strlen(middle) - head);
	while (continues(path[head]))
		head--;
	while (continues(path[tail]))
		tail++;
	memcpy(ret_path, path, head);
	memcpy(ret_path + head, middle, strlen(middle));
	memcpy(ret_path + head + strlen(middle), path + tail, length - tail + 1);
}

char *bundle_name_join(const char *parent, const char *name)
{
	struct buffer buffer;
	char *joined = NULL;

	/* a name can be as long as its archive likes */
	buffer_init(&buffer, 64 * JOINED_MAXIMUM);
	if (parent != NULL) {
		buffer_text(&buffer, parent);
		if (buffer.length == 0 || buffer.bytes[buffer.length - 1] != '/')
			buffer_byte(&buffer, '/');
		while (strncmp(name, "./", 2) == 0)
			name += 2;
	}
	append_clean(&buffer, name);
	buffer_append(&buffer, "", 0);
	joined = malloc(JOINED_MAXIMUM);
	if (joined != NULL)
		bundle_name_cut(joined, JOINED_MAXIMUM, buffer.bytes != NULL ? buffer.bytes : "");
	buffer_free(&buffer);
	return joined;
}

const char *bundle_name_unsafe(const char *name)
{
	if (*name == '/' || *name == '\\')
		return "its name is an absolute path";
	if (isalpha((unsigned char)name[0]) && name[1] == ':')
		return "its name is an absolute path";
	for (const char *part = name; *part != '\0';) {
		size_t length = strcspn(part, "/\\");
		if (length == 2 && strncmp(part, "..", 2) == 0)
			return "its name leads out of the archive";
		part += length;
		part += *part != '\0';
	}
	return NULL;
}
