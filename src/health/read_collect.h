/*
 * read_collect.h - puts the results of block after block together and into the store.
 *
 * Blocks come in order. Continuation lines at a block's start inherit from the block before, line
 * numbers are added up, and logged broker messages are assembled.
 */
#ifndef FAIRLEAD_HEALTH_READ_COLLECT_H
#define FAIRLEAD_HEALTH_READ_COLLECT_H

#include "health/read_blocks.h"
#include "health/scan.h"

#define READ_MESSAGES 64 /* broker messages in the making, of a source; the oldest is given up */

struct read_collector;

/* Book, matcher and store live longer. NULL: memory is short. */
struct read_collector *read_collect_new(
	const struct rule_book *book, const struct matcher *matcher, struct store *store);
void read_collect_free(struct read_collector *collector);

/* The last head before the next block, when it is of the same source. */
const struct scan_before *read_collect_before(const struct read_collector *collector);

/* The caller holds the store's lock. 0 or ERROR_MEMORY. */
int read_collect_block(struct read_collector *collector, const struct read_block *block,
	const struct scan_result *result);

/* Lines of all sources so far. */
uint64_t read_collect_lines(const struct read_collector *collector);

#endif
