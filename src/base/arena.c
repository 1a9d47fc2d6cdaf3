#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

/* A hello and its answer fit. */
#define FIRST_BLOCK 8192
#define LARGEST_STEP (64 * 1024)

struct block {
	struct block *older;
	size_t size; /* of bytes[] */
	size_t used;
	alignas(max_align_t) unsigned char bytes[];
};

/* Invariant: bytes that are not handed out are zero, so handing out is only
 * moving `used`. */
struct arena {
	size_t maximum;
	size_t used;
	bool lacking;
	struct block *newest;
};

static struct block *block_new(size_t size)
{
	struct block *block;

	if (size > SIZE_MAX - sizeof(*block))
		return NULL;
	block = calloc(1, sizeof(*block) + size);
	if (block)
		block->size = size;
	return block;
}

static void block_wipe(struct block *block)
{
	secret_wipe(block->bytes, block->used);
	block->used = 0;
}

/* Offset of the next free byte with this alignment; may lie past the end. */
static size_t aligned_end(const struct block *block, size_t alignment)
{
	return (block->used + alignment - 1) / alignment * alignment;
}

static bool has_room(const struct block *block, size_t size, size_t alignment)
{
	size_t start = aligned_end(block, alignment);

	return start <= block->size && size <= block->size - start;
}

static void *take(struct arena *arena, size_t size, size_t alignment)
{
	struct block *block = arena->newest;
	size_t start;

	/* An object of no size still has an address of its own. */
	if (size == 0)
		size = 1;
	if (size > arena->maximum - arena->used) {
		arena->lacking = true;
		return NULL;
	}
	if (!has_room(block, size, alignment)) {
		size_t step = block->size < LARGEST_STEP ? block->size * 2 : LARGEST_STEP;

		/* A large object gets a block of its own size. Blocks before
		 * the newest keep their unused rest: wasting it is cheaper
		 * than searching it. */
		block = block_new(size > step ? size : step);
		if (!block) {
			arena->lacking = true;
			return NULL;
		}
		block->older = arena->newest;
		arena->newest = block;
	}
	start = aligned_end(block, alignment);
	block->used = start + size;
	arena->used += size;
	return block->bytes + start;
}

struct arena *arena_new(size_t maximum)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return NULL;
	arena->maximum = maximum;
	arena->newest = block_new(FIRST_BLOCK);
	if (!arena->newest) {
		free(arena);
		return NULL;
	}
	return arena;
}

void arena_reset(struct arena *arena)
{
	while (arena->newest->older) {
		struct block *block = arena->newest;

		arena->newest = block->older;
		block_wipe(block);
		free(block);
	}
	block_wipe(arena->newest);
	arena->used = 0;
	arena->lacking = false;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	arena_reset(arena);
	free(arena->newest);
	free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return take(arena, size, alignof(max_align_t));
}

char *arena_copy(struct arena *arena, const void *bytes, size_t length)
{
	char *copy;

	if (length == SIZE_MAX)
		return NULL;
	/* Text needs no alignment; without it a thousand short texts stay small. */
	copy = take(arena, length + 1, 1);
	if (copy && length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
	return arena_copy(arena, text, strlen(text));
}

char *arena_print(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		return NULL;
	text = take(arena, (size_t)length + 1, 1);
	if (!text)
		return NULL;
	va_start(arguments, format);
	length = vsnprintf(text, (size_t)length + 1, format, arguments);
	va_end(arguments);
	assert(length >= 0);
	return text;
}

bool arena_lacking(const struct arena *arena)
{
	return arena->lacking;
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}
