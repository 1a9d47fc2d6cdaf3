#include "health/read.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/matcher.h"
#include "health/read_blocks.h"
#include "health/read_collect.h"
#include "health/read_pipeline.h"

#define PROGRESS_BYTES (32 * 1024 * 1024) /* between two calls of progress */
#define PROGRESS_MEMBERS 256

void read_told(struct read_told *told, const struct read_options *options,
	const struct read_block *block, uint64_t lines)
{
	struct read_progress progress = block->progress;

	if (options->progress == NULL ||
		(progress.bytes < told->bytes + PROGRESS_BYTES &&
			progress.members < told->members + PROGRESS_MEMBERS))
		return;
	told->bytes = progress.bytes;
	told->members = progress.members;
	progress.lines = lines;
	options->progress(options->context, &progress);
}

/* All in the calling thread: what one core does best. */
static int read_alone(const struct rule_book *book, const struct matcher *matcher,
	const struct read_options *options, struct read_blocks *blocks, struct store *store)
{
	struct read_collector *collector = read_collect_new(book, matcher, store);
	struct scanner *scanner = scan_new(book, matcher, READ_LINE_MAXIMUM);
	struct read_block block = {.bytes = malloc(READ_BLOCK_SIZE)};
	struct scan_before none = {.time = STAMP_NONE};
	struct read_told told = {0};
	struct scan_result result;
	int error = ERROR_MEMORY;

	scan_result_init(&result);
	if (collector == NULL || scanner == NULL || block.bytes == NULL)
		goto out;
	while ((error = read_blocks_next(blocks, &block)) == 1) {
		error = scan_block(scanner, block.bytes, block.length,
			block.first ? &none : read_collect_before(collector), &result);
		if (error == 0)
			error = read_collect_block(collector, &block, &result);
		if (error != 0)
			goto out;
		read_told(&told, options, &block, read_collect_lines(collector));
	}
out:
	scan_result_free(&result);
	scan_free(scanner);
	read_collect_free(collector);
	free(block.bytes);
	return error;
}

/* How many cores this process may use. */
static unsigned cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

static int input_next(void *context, struct bundle_member *ret_member)
{
	return bundle_next(context, ret_member);
}

static ssize_t input_read(void *context, char *bytes, size_t size)
{
	return bundle_read(context, bytes, size);
}

static void input_progress(void *context, uint64_t *ret_done, uint64_t *ret_total)
{
	bundle_progress(context, ret_done, ret_total);
}

int read_bundle(const struct rule_book *book, char *const *paths, size_t count,
	const struct read_options *options, struct store **ret_store)
{
	struct read_input input = {
		.next = input_next, .read = input_read, .progress = input_progress};
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	unsigned threads = options->threads == 0 ? cores() : options->threads;
	struct store *store = store_new(book, &options->filter);
	struct read_blocks *blocks = NULL;
	struct matcher *matcher = NULL;
	struct bundle *bundle = NULL;
	int error = ERROR_MEMORY;

	if (store == NULL)
		goto out;
	blocks = read_blocks_new(&input, store, &lock, options->digests);
	if (blocks == NULL)
		goto out;
	bundle = bundle_new(paths, count, &options->limits, read_blocks_skipped, blocks);
	if (bundle == NULL)
		goto out;
	input.context = bundle;
	error = matcher_new(book, false, &matcher);
	if (error == 0 && threads == 1)
		error = read_alone(book, matcher, options, blocks, store);
	else if (error == 0)
		error = read_pipeline(book, matcher, options, threads, blocks, store, &lock);
	if (error == 0)
		error = store_sort(store);
out:
	bundle_free(bundle);
	read_blocks_free(blocks);
	matcher_free(matcher);
	if (error == 0)
		*ret_store = store;
	else
		store_free(store);
	return error;
}

struct memory { /* one log */
	const char *name, *bytes;
	size_t length, at;
	bool given;
};

static int memory_next(void *context, struct bundle_member *ret_member)
{
	struct memory *memory = context;

	if (memory->given)
		return 0;
	memory->given = true;
	memset(ret_member, 0, sizeof(*ret_member));
	strncpy(ret_member->path, memory->name, sizeof(ret_member->path) - 1);
	strncpy(ret_member->group, memory->name, sizeof(ret_member->group) - 1);
	return 1;
}

static ssize_t memory_read(void *context, char *bytes, size_t size)
{
	struct memory *memory = context;

	if (size > memory->length - memory->at)
		size = memory->length - memory->at;
	memcpy(bytes, memory->bytes + memory->at, size);
	memory->at += size;
	return (ssize_t)size;
}

int read_bytes(const struct rule_book *book, const char *name, const char *bytes, size_t length,
	const struct store_filter *filter, struct store **ret_store)
{
	struct memory memory = {.name = name, .bytes = bytes, .length = length};
	struct read_input input = {.next = memory_next, .read = memory_read, .context = &memory};
	struct read_options options = {.threads = 1};
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct store *store = store_new(book, filter);
	struct read_blocks *blocks = NULL;
	struct matcher *matcher = NULL;
	int error = ERROR_MEMORY;

	if (store == NULL)
		goto out;
	blocks = read_blocks_new(&input, store, &lock, false);
	if (blocks == NULL)
		goto out;
	error = matcher_new(book, length <= MATCHER_SMALL, &matcher);
	if (error == 0)
		error = read_alone(book, matcher, &options, blocks, store);
	if (error == 0)
		error = store_sort(store);
out:
	read_blocks_free(blocks);
	matcher_free(matcher);
	if (error == 0)
		*ret_store = store;
	else
		store_free(store);
	return error;
}
