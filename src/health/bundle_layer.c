/*
 * Streams of bytes, one upon the other.
 */
#include "health/bundle_private.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

struct bundle_layer *bundle_layer_push(
	struct bundle *bundle, enum bundle_layer_kind kind, unsigned depth, char *path)
{
	struct bundle_layer *layer = calloc(1, sizeof(*layer));

	if (layer == NULL) {
		free(path);
		return NULL;
	}
	*layer = (struct bundle_layer){
		.bundle = bundle,
		.below = bundle->top,
		.kind = kind,
		.depth = depth,
		.path = path,
		.fd = -1,
	};
	bundle->top = layer;
	return layer;
}

void bundle_layer_pop(struct bundle *bundle)
{
	struct bundle_layer *layer = bundle->top;

	assert(layer != NULL);
	bundle->top = layer->below;
	if (layer->folder != NULL)
		bundle_folder_close(layer);
	if (layer->gzip != NULL)
		bundle_gzip_close(layer);
	if (layer->archive != NULL)
		bundle_archive_close(layer);
	/* what was not read will not be */
	if (layer->kind == BUNDLE_LAYER_FILE && layer->seekable)
		bundle_layer_progress(layer, layer->size);
	if (layer->fd > STDIN_FILENO)
		close(layer->fd);
	free(layer->block);
	free(layer->member);
	free(layer->path);
	free(layer);
}

const char *bundle_layer_path(const struct bundle_layer *layer)
{
	return layer->member != NULL ? layer->member : layer->path;
}

/* Forgets the head and rest: a new stream begins. */
static void layer_fresh(struct bundle_layer *layer)
{
	layer->head_length = layer->head_given = 0;
	layer->rest = NULL;
	layer->rest_length = 0;
	layer->error = 0;
}

int bundle_layer_rewind(struct bundle_layer *layer)
{
	assert(layer->seekable);
	layer_fresh(layer);
	layer->bundle->done -= layer->packed;
	layer->packed = 0;
	if (lseek(layer->fd, 0, SEEK_SET) != 0)
		return bundle_fault(layer->bundle, "cannot be read: %s", strerror(errno));
	return 0;
}

int bundle_layer_grown(struct bundle_layer *layer, uint64_t length)
{
	const struct bundle_limits *limits = &layer->bundle->limits;
	uint64_t unpacked;

	layer->unpacked += length;
	unpacked = layer->unpacked > layer->leaves ? layer->unpacked : layer->leaves;
	if (unpacked > limits->bytes) {
		layer->dead = true;
		return bundle_fault(layer->bundle, "unpacks to more than %llu bytes",
			(unsigned long long)limits->bytes);
	}
	if (unpacked > BUNDLE_RATIO_FREE && unpacked / limits->ratio > layer->packed) {
		layer->dead = true;
		return bundle_fault(
			layer->bundle, "unpacks to more than %u times its size", limits->ratio);
	}
	return 0;
}

void bundle_layer_progress(struct bundle_layer *file, uint64_t length)
{
	/* a zip is read here and there, and some of it twice */
	if (file->seekable && length > file->size - file->packed)
		length = file->size - file->packed;
	file->packed += length;
	file->bundle->done += length;
}

/* One read of a file, pipe or terminal. */
static ssize_t file_read(struct bundle_layer *layer, char *bytes, size_t size)
{
	ssize_t length;

	for (;;) {
		length = read(layer->fd, bytes, size);
		if (length >= 0)
			break;
		if (errno == EAGAIN) {
			struct pollfd wait = {.fd = layer->fd, .events = POLLIN};
			(void)poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			return bundle_fault(layer->bundle, "cannot be read: %s", strerror(errno));
		}
	}
	bundle_layer_progress(layer, (uint64_t)length);
	return length;
}

/* New bytes into a place of the caller's. A failure stays: what lies above may ask again. */
static ssize_t layer_fill(struct bundle_layer *layer, char *bytes, size_t size)
{
	ssize_t length;

	if (layer->error != 0)
		return layer->error;
	if (layer->kind == BUNDLE_LAYER_FILE) {
		length = file_read(layer, bytes, size);
	} else {
		assert(layer->kind == BUNDLE_LAYER_GZIP);
		length = bundle_gzip_read(layer, bytes, size);
		if (length > 0 && bundle_layer_grown(layer, (uint64_t)length) != 0)
			length = ERROR_INPUT;
	}
	if (length < 0)
		layer->error = (int)length;
	return length;
}

/* A new block of an archive, in place. */
static int archive_block(struct bundle_layer *layer, const char **ret_bytes, size_t *ret_length)
{
	int result = layer->error;

	if (result != 0)
		return result;
	result = bundle_archive_block(layer, ret_bytes, ret_length);
	if (result == 1 && bundle_layer_grown(layer, *ret_length) != 0)
		result = ERROR_INPUT;
	if (result < 0)
		layer->error = result;
	return result;
}

/* A new block, in place. */
static int layer_block(struct bundle_layer *layer, const char **ret_bytes, size_t *ret_length)
{
	ssize_t length;

	if (layer->kind == BUNDLE_LAYER_ARCHIVE || layer->kind == BUNDLE_LAYER_FILTER)
		return archive_block(layer, ret_bytes, ret_length);
	if (layer->block == NULL)
		layer->block = malloc(BUNDLE_BLOCK);
	if (layer->block == NULL)
		return ERROR_MEMORY;
	length = layer_fill(layer, layer->block, BUNDLE_BLOCK);
	if (length <= 0)
		return (int)length;
	*ret_bytes = layer->block;
	*ret_length = (size_t)length;
	return 1;
}

int bundle_layer_take(struct bundle_layer *layer, const char **ret_bytes, size_t *ret_length)
{
	if (layer->head_given < layer->head_length) {
		*ret_bytes = (const char *)layer->head + layer->head_given;
		*ret_length = layer->head_length - layer->head_given;
		layer->head_given = layer->head_length;
		return 1;
	}
	if (layer->rest_length > 0) {
		*ret_bytes = layer->rest;
		*ret_length = layer->rest_length;
		layer->rest_length = 0;
		return 1;
	}
	return layer_block(layer, ret_bytes, ret_length);
}

/* What was looked at but not given yet. */
static size_t layer_rest(struct bundle_layer *layer, char *bytes, size_t size)
{
	size_t length = layer->head_length - layer->head_given;

	if (length > 0) {
		length = length < size ? length : size;
		memcpy(bytes, layer->head + layer->head_given, length);
		layer->head_given += length;
	} else if (layer->rest_length > 0) {
		length = layer->rest_length < size ? layer->rest_length : size;
		memcpy(bytes, layer->rest, length);
		layer->rest += length;
		layer->rest_length -= length;
	}
	return length;
}

ssize_t bundle_layer_read(struct bundle_layer *layer, char *bytes, size_t size)
{
	size_t length = layer_rest(layer, bytes, size);
	int result;

	if (length > 0)
		return (ssize_t)length;
	if (layer->kind == BUNDLE_LAYER_FILE || layer->kind == BUNDLE_LAYER_GZIP)
		return layer_fill(layer, bytes, size);
	result = layer_block(layer, &layer->rest, &layer->rest_length);
	return result == 1 ? (ssize_t)layer_rest(layer, bytes, size) : result;
}

/* A tar header's check sum is right: the sum of its bytes, with blanks for the sum itself. */
static bool is_tar(const unsigned char *head, size_t length)
{
	unsigned sum = 0, found = 0;
	size_t i = 148;

	if (length < BUNDLE_HEAD)
		return false;
	while (i < 156 && head[i] == ' ')
		i++;
	if (i == 156 || head[i] < '0' || head[i] > '7')
		return false;
	for (; i < 156 && head[i] >= '0' && head[i] <= '7'; i++)
		found = found * 8 + (unsigned)(head[i] - '0');
	if (i < 156 && head[i] != ' ' && head[i] != '\0')
		return false;
	for (size_t k = 0; k < BUNDLE_HEAD; k++)
		sum += k >= 148 && k < 156 ? ' ' : head[k];
	return sum == found;
}

/* How packed files begin. */
static const struct magic {
	enum bundle_content content;
	size_t length;
	const char *bytes;
} magics[] = {
	{BUNDLE_GZIP, 3, "\x1f\x8b\x08"},
	{BUNDLE_XZ, 6,
		"\xfd"
		"7zXZ\0"},
	{BUNDLE_ZSTD, 4, "\x28\xb5\x2f\xfd"},
	{BUNDLE_ZIP, 4, "PK\x03\x04"},
	{BUNDLE_ZIP, 4, "PK\x05\x06"},
	{BUNDLE_FOREIGN, 6, "7z\xbc\xaf\x27\x1c"},
	{BUNDLE_FOREIGN, 6, "Rar!\x1a\x07"},
	{BUNDLE_FOREIGN, 4, "MSCF"},
	{BUNDLE_FOREIGN, 4, "\x04\x22\x4d\x18"},
	{BUNDLE_FOREIGN, 2, "\x1f\x9d"},
};

static enum bundle_content content_of(const unsigned char *head, size_t length)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (length >= magics[i].length &&
			memcmp(head, magics[i].bytes, magics[i].length) == 0)
			return magics[i].content;
	}
	/* the first block, or the end of an empty file, follows the level at once */
	if (length >= 10 && memcmp(head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9' &&
		(memcmp(head + 4, "1AY&SY", 6) == 0 ||
			memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0))
		return BUNDLE_BZIP2;
	return is_tar(head, length) ? BUNDLE_TAR : BUNDLE_PLAIN;
}

int bundle_layer_look(struct bundle_layer *layer)
{
	layer_fresh(layer);
	while (layer->head_length < BUNDLE_HEAD) {
		const char *bytes = NULL;
		size_t length = 0, part;
		int result = layer_block(layer, &bytes, &length);

		/* bytes before the damage are worth having; it will be met again */
		if (result == ERROR_MEMORY || (result < 0 && layer->head_length == 0))
			return result;
		if (result <= 0)
			break;
		assert(bytes != NULL);
		part = BUNDLE_HEAD - layer->head_length;
		if (part > length)
			part = length;
		memcpy(layer->head + layer->head_length, bytes, part);
		layer->head_length += part;
		layer->rest = bytes + part;
		layer->rest_length = length - part;
	}
	return (int)content_of(layer->head, layer->head_length);
}
