/*
 * arena.h - memory that lives and dies together: one arena per request, one
 * per session.
 *
 * An arena hands out zeroed memory, aligned for any object, and never more
 * than its maximum. There is no free of a part. Everything that was handed
 * out is wiped when the arena is reset or freed, because requests carry
 * passwords. Not thread-safe: an arena belongs to one owner at a time.
 */
#ifndef FAIRLEAD_BASE_ARENA_H
#define FAIRLEAD_BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

/* A new arena of at most maximum bytes (counted as handed out, without the
 * arena's own overhead); NULL when memory is short. Free with arena_free. */
struct arena *arena_new(size_t maximum);

/* Wipes and frees everything. NULL is allowed. */
void arena_free(struct arena *arena);

/* Wipes everything handed out and starts again; keeps its first block, so a
 * connection can use one arena for request after request. */
void arena_reset(struct arena *arena);

/* Zeroed memory; NULL when the maximum would be passed or memory is short. */
void *arena_alloc(struct arena *arena, size_t size);

/* A NUL-terminated copy; NULL as above. */
char *arena_copy(struct arena *arena, const void *bytes, size_t length);
char *arena_text(struct arena *arena, const char *text);
char *arena_print(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* True when something that was asked for since the last reset could not be had: whoever builds
 * something of many parts asks once, at its end. */
bool arena_lacking(const struct arena *arena);

/* Bytes handed out so far. */
size_t arena_used(const struct arena *arena);

#endif
