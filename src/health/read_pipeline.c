#include "health/read_pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/read_collect.h"
#include "health/scan.h"

#define SLOTS_MAXIMUM (2 * READ_THREADS_MAXIMUM + 2)

enum slot_state { SLOT_FREE, SLOT_FILLED, SLOT_SEARCHED };

struct slot {
	enum slot_state state;
	struct read_block block;
	struct scan_result result;
};

/* A ring of slots. Blocks are numbered: those below `collected` are done, those below `taken` are
 * searched or being searched, those below `filled` are read. */
struct pipeline {
	pthread_mutex_t lock;
	pthread_cond_t changed_free, changed_filled, changed_searched;
	struct slot slots[SLOTS_MAXIMUM];
	size_t slot_count;
	uint64_t filled, taken, collected;
	bool ended; /* no more blocks come */
	int error;  /* the first one; all stop */
	const struct rule_book *book;
	const struct matcher *matcher;
	struct read_blocks *blocks;
};

static void stop(struct pipeline *pipeline, int error)
{
	pthread_mutex_lock(&pipeline->lock);
	if (pipeline->error == 0)
		pipeline->error = error;
	pipeline->ended = true;
	pthread_cond_broadcast(&pipeline->changed_free);
	pthread_cond_broadcast(&pipeline->changed_filled);
	pthread_cond_broadcast(&pipeline->changed_searched);
	pthread_mutex_unlock(&pipeline->lock);
}

/* The next slot to fill; NULL: stop. */
static struct slot *slot_to_fill(struct pipeline *pipeline)
{
	struct slot *slot = NULL;

	pthread_mutex_lock(&pipeline->lock);
	while (pipeline->error == 0 &&
		pipeline->filled - pipeline->collected == pipeline->slot_count)
		pthread_cond_wait(&pipeline->changed_free, &pipeline->lock);
	if (pipeline->error == 0)
		slot = &pipeline->slots[pipeline->filled % pipeline->slot_count];
	pthread_mutex_unlock(&pipeline->lock);
	return slot;
}

static void *reading(void *context)
{
	struct pipeline *pipeline = context;
	struct slot *slot;
	int result;

	while ((slot = slot_to_fill(pipeline)) != NULL) {
		result = read_blocks_next(pipeline->blocks, &slot->block);
		if (result != 1) {
			stop(pipeline, result);
			break;
		}
		pthread_mutex_lock(&pipeline->lock);
		slot->state = SLOT_FILLED;
		pipeline->filled++;
		pthread_cond_signal(&pipeline->changed_filled);
		pthread_mutex_unlock(&pipeline->lock);
	}
	return NULL;
}

/* The next block to search; NULL: stop. *ret_number is the block's. */
static struct slot *slot_to_search(struct pipeline *pipeline)
{
	struct slot *slot = NULL;

	pthread_mutex_lock(&pipeline->lock);
	while (pipeline->error == 0 && !pipeline->ended && pipeline->taken == pipeline->filled)
		pthread_cond_wait(&pipeline->changed_filled, &pipeline->lock);
	if (pipeline->error == 0 && pipeline->taken < pipeline->filled)
		slot = &pipeline->slots[pipeline->taken++ % pipeline->slot_count];
	pthread_mutex_unlock(&pipeline->lock);
	return slot;
}

static void slot_searched(struct pipeline *pipeline, struct slot *slot)
{
	pthread_mutex_lock(&pipeline->lock);
	slot->state = SLOT_SEARCHED;
	if (slot == &pipeline->slots[pipeline->collected % pipeline->slot_count])
		pthread_cond_signal(&pipeline->changed_searched);
	pthread_mutex_unlock(&pipeline->lock);
}

static void *searching(void *context)
{
	static const struct scan_before none = {.time = STAMP_NONE};
	struct pipeline *pipeline = context;
	struct scanner *scanner = scan_new(pipeline->book, pipeline->matcher, READ_LINE_MAXIMUM);
	struct slot *slot;
	int error = scanner == NULL ? ERROR_MEMORY : 0;

	while (error == 0 && (slot = slot_to_search(pipeline)) != NULL) {
		error = scan_block(scanner, slot->block.bytes, slot->block.length,
			slot->block.first ? &none : NULL, &slot->result);
		if (error == 0)
			slot_searched(pipeline, slot);
	}
	if (error != 0)
		stop(pipeline, error);
	scan_free(scanner);
	return NULL;
}

/* The next block in order, searched; NULL: all were collected, or stop. */
static struct slot *slot_to_collect(struct pipeline *pipeline)
{
	struct slot *slot = &pipeline->slots[pipeline->collected % pipeline->slot_count];
	bool is_ready;

	pthread_mutex_lock(&pipeline->lock);
	while (pipeline->error == 0 && slot->state != SLOT_SEARCHED &&
		!(pipeline->ended && pipeline->collected == pipeline->filled))
		pthread_cond_wait(&pipeline->changed_searched, &pipeline->lock);
	is_ready = pipeline->error == 0 && slot->state == SLOT_SEARCHED;
	pthread_mutex_unlock(&pipeline->lock);
	return is_ready ? slot : NULL;
}

static int collecting(struct pipeline *pipeline, const struct read_options *options,
	struct read_collector *collector, pthread_mutex_t *store_lock)
{
	struct read_told told = {0};
	struct slot *slot;
	int error = 0;

	while (error == 0 && (slot = slot_to_collect(pipeline)) != NULL) {
		pthread_mutex_lock(store_lock);
		error = read_collect_block(collector, &slot->block, &slot->result);
		pthread_mutex_unlock(store_lock);
		read_told(&told, options, &slot->block, read_collect_lines(collector));
		pthread_mutex_lock(&pipeline->lock);
		slot->state = SLOT_FREE;
		pipeline->collected++;
		pthread_cond_signal(&pipeline->changed_free);
		pthread_mutex_unlock(&pipeline->lock);
	}
	return error;
}

static int slots_make(struct pipeline *pipeline, unsigned threads)
{
	pipeline->slot_count = 2 * threads + 2;
	for (size_t i = 0; i < pipeline->slot_count; i++) {
		struct slot *slot = &pipeline->slots[i];

		scan_result_init(&slot->result);
		slot->block.bytes = malloc(READ_BLOCK_SIZE);
		if (slot->block.bytes == NULL)
			return ERROR_MEMORY;
	}
	return 0;
}

static void pipeline_free(struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->slot_count; i++) {
		free(pipeline->slots[i].block.bytes);
		scan_result_free(&pipeline->slots[i].result);
	}
	pthread_mutex_destroy(&pipeline->lock);
	pthread_cond_destroy(&pipeline->changed_free);
	pthread_cond_destroy(&pipeline->changed_filled);
	pthread_cond_destroy(&pipeline->changed_searched);
	free(pipeline);
}

int read_pipeline(const struct rule_book *book, const struct matcher *matcher,
	const struct read_options *options, unsigned threads, struct read_blocks *blocks,
	struct store *store, pthread_mutex_t *lock)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	struct read_collector *collector = read_collect_new(book, matcher, store);
	pthread_t ids[READ_THREADS_MAXIMUM + 1];
	size_t started = 0;
	int error = ERROR_MEMORY;

	if (pipeline == NULL || collector == NULL) {
		free(pipeline);
		read_collect_free(collector);
		return error;
	}
	if (threads > READ_THREADS_MAXIMUM)
		threads = READ_THREADS_MAXIMUM;
	pthread_mutex_init(&pipeline->lock, NULL);
	pthread_cond_init(&pipeline->changed_free, NULL);
	pthread_cond_init(&pipeline->changed_filled, NULL);
	pthread_cond_init(&pipeline->changed_searched, NULL);
	pipeline->book = book;
	pipeline->matcher = matcher;
	pipeline->blocks = blocks;
	error = slots_make(pipeline, threads);
	while (error == 0 && started < threads + 1) {
		if (pthread_create(
			    &ids[started], NULL, started == 0 ? reading : searching, pipeline) != 0)
			error = ERROR_SYSTEM;
		else
			started++;
	}
	if (error == 0)
		error = collecting(pipeline, options, collector, lock);
	stop(pipeline, error);
	while (started > 0)
		pthread_join(ids[--started], NULL);
	error = pipeline->error;
	pipeline_free(pipeline);
	read_collect_free(collector);
	return error;
}
