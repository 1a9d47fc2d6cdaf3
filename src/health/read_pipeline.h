/*
 * read_pipeline.h - one thread reads, some search, the caller collects.
 */
#ifndef FAIRLEAD_HEALTH_READ_PIPELINE_H
#define FAIRLEAD_HEALTH_READ_PIPELINE_H

#include <pthread.h>

#include "health/matcher.h"
#include "health/read_blocks.h"

#define READ_THREADS_MAXIMUM 8 /* one thread cannot read for more */

struct read_told { /* where the progress stood when it was told last */
	uint64_t bytes, members;
};

/* read.c: tells the progress when it is time. */
void read_told(struct read_told *told, const struct read_options *options,
	const struct read_block *block, uint64_t lines);

/* Reads all blocks into the store. The lock is the store's, which the blocks use too. 0,
 * ERROR_MEMORY, ERROR_SYSTEM (no threads) or ERROR_CRYPTO. */
int read_pipeline(const struct rule_book *book, const struct matcher *matcher,
	const struct read_options *options, unsigned threads, struct read_blocks *blocks,
	struct store *store, pthread_mutex_t *lock);

#endif
