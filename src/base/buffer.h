/*
 * buffer.h - bytes that grow up to a maximum known at birth.
 *
 * Appending past the maximum, or when memory is short, marks the buffer as
 * failed and appends nothing; later appends do nothing. So a writer may
 * append freely and ask once at the end. The bytes are always followed by a
 * NUL that is not counted. buffer_free wipes.
 */
#ifndef FAIRLEAD_BASE_BUFFER_H
#define FAIRLEAD_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
	char *bytes;     /* NULL while nothing was appended */
	size_t length;   /* bytes in use */
	size_t capacity; /* bytes allocated */
	size_t maximum;  /* length never passes this */
	bool failed;
};

/* Prepares an empty buffer; allocates nothing. */
void buffer_init(struct buffer *buffer, size_t maximum);

/* Wipes and frees the bytes; the buffer is then empty and usable again. */
void buffer_free(struct buffer *buffer);

/* Empties the buffer and clears `failed`; keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* 0, ERROR_LIMIT (also: failed before) or ERROR_MEMORY. What is appended must
 * not lie in the buffer itself: growing wipes the old place. */
int buffer_append(struct buffer *buffer, const void *bytes, size_t length);
int buffer_text(struct buffer *buffer, const char *text);
int buffer_byte(struct buffer *buffer, char byte);
int buffer_print(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Drops the first `length` bytes (at most all of them). */
void buffer_consume(struct buffer *buffer, size_t length);

/* Makes room for `length` further bytes and returns where they start, so
 * that recv() can fill them; then say buffer_added. NULL: failed. */
char *buffer_reserve(struct buffer *buffer, size_t length);
void buffer_added(struct buffer *buffer, size_t length);

#endif
