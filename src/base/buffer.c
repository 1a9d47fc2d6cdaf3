#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

#define FIRST_CAPACITY 256

void buffer_init(struct buffer *buffer, size_t maximum)
{
	*buffer = (struct buffer){.maximum = maximum};
}

void buffer_free(struct buffer *buffer)
{
	secret_wipe(buffer->bytes, buffer->capacity);
	free(buffer->bytes);
	buffer_init(buffer, buffer->maximum);
}

void buffer_clear(struct buffer *buffer)
{
	buffer->length = 0;
	buffer->failed = false;
	if (buffer->bytes)
		buffer->bytes[0] = '\0';
}

static int fail(struct buffer *buffer, int error)
{
	buffer->failed = true;
	return error;
}

/* Room for `length` further bytes and the NUL. */
static int make_room(struct buffer *buffer, size_t length)
{
	size_t most = buffer->maximum < SIZE_MAX ? buffer->maximum + 1 : SIZE_MAX;
	size_t capacity;
	size_t need;
	char *bytes;

	if (buffer->failed || length > most - 1 - buffer->length)
		return fail(buffer, ERROR_LIMIT);
	need = buffer->length + length + 1;
	if (need <= buffer->capacity)
		return 0;
	capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY / 2;
	capacity = capacity <= most / 2 ? capacity * 2 : most;
	if (capacity < need)
		capacity = need;
	if (capacity > most)
		capacity = most;
	/* Not realloc: it would leave the old bytes behind unwiped. */
	bytes = malloc(capacity);
	if (!bytes)
		return fail(buffer, ERROR_MEMORY);
	if (buffer->length > 0)
		memcpy(bytes, buffer->bytes, buffer->length);
	bytes[buffer->length] = '\0';
	secret_wipe(buffer->bytes, buffer->capacity);
	free(buffer->bytes);
	buffer->bytes = bytes;
	buffer->capacity = capacity;
	return 0;
}

int buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
	int result;

	/* Nearly always. The maximum may have been lowered since the memory was got. */
	if (!buffer->failed && length > 0 && length < buffer->capacity - buffer->length &&
		buffer->length + length <= buffer->maximum) {
		memcpy(buffer->bytes + buffer->length, bytes, length);
		buffer->length += length;
		buffer->bytes[buffer->length] = '\0';
		return 0;
	}
	if (length == 0)
		return buffer->failed ? ERROR_LIMIT : 0;
	result = make_room(buffer, length);
	if (result != 0)
		return result;
	memcpy(buffer->bytes + buffer->length, bytes, length);
	buffer_added(buffer, length);
	return 0;
}

int buffer_text(struct buffer *buffer, const char *text)
{
	return buffer_append(buffer, text, strlen(text));
}

int buffer_byte(struct buffer *buffer, char byte)
{
	return buffer_append(buffer, &byte, 1);
}

int buffer_print(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	int length;
	int result;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		return fail(buffer, ERROR_LIMIT);
	result = make_room(buffer, (size_t)length);
	if (result != 0)
		return result;
	va_start(arguments, format);
	length = vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	assert(length >= 0);
	buffer_added(buffer, (size_t)length);
	return 0;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
	if (length > buffer->length)
		length = buffer->length;
	if (length == 0)
		return;
	buffer->length -= length;
	memmove(buffer->bytes, buffer->bytes + length, buffer->length);
	buffer->bytes[buffer->length] = '\0';
}

char *buffer_reserve(struct buffer *buffer, size_t length)
{
	if (make_room(buffer, length) != 0)
		return NULL;
	return buffer->bytes + buffer->length;
}

void buffer_added(struct buffer *buffer, size_t length)
{
	assert(buffer->length < buffer->capacity);
	assert(length <= buffer->capacity - 1 - buffer->length);
	buffer->length += length;
	buffer->bytes[buffer->length] = '\0';
}
