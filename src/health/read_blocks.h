/*
 * read_blocks.h - logs, one after the other, as blocks of whole lines.
 *
 * Makes a source in the store for each file that is text, turns UTF-16 into UTF-8, and cuts lines
 * that are too long. Everything is told to the store under its lock: another thread may use the
 * store meanwhile.
 */
#ifndef FAIRLEAD_HEALTH_READ_BLOCKS_H
#define FAIRLEAD_HEALTH_READ_BLOCKS_H

#include <pthread.h>

#include "health/read.h"

#define READ_BLOCK_SIZE (256 * 1024)

struct read_block {
	char *bytes; /* READ_BLOCK_SIZE of the caller */
	size_t length;
	uint32_t source;
	bool first, last; /* of its source */
	struct read_progress progress;
};

/* Where logs come from: a bundle, or one log in memory. The functions are those of bundle.h. */
struct read_input {
	int (*next)(void *context, struct bundle_member *ret_member);
	ssize_t (*read)(void *context, char *bytes, size_t size);
	void (*progress)(void *context, uint64_t *ret_done, uint64_t *ret_total);
	void *context;
};

struct read_blocks;

/* The input (its context may be set later), the store and its lock live longer. NULL: memory is
 * short. */
struct read_blocks *read_blocks_new(
	const struct read_input *input, struct store *store, pthread_mutex_t *lock, bool digests);
void read_blocks_free(struct read_blocks *blocks);

/* Fills the next block: 1, 0 at the end of all (nothing filled), or ERROR_MEMORY or ERROR_CRYPTO. A
 * source without bytes has one block without bytes. */
int read_blocks_next(struct read_blocks *blocks, struct read_block *block);

/* A bundle_skipped; its context is the read_blocks. */
void read_blocks_skipped(void *context, const char *path, const char *reason, enum bundle_why why);

#endif
