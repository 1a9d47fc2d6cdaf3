#include "health/read_blocks.h"

#include <assert.h>
#include <isa-l/crc64.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/encoding.h"
#include "health/store_private.h"

#define FIRST_SIZE (16 * 1024) /* enough to tell the encoding */
#define RAW_SIZE (64 * 1024)
#define LINE_LEFT (READ_LINE_MAXIMUM + 1) /* kept of a long line, so that it is seen to be long */
#define UTF8_LONGEST 4
#define ZEROS_MANY 64 /* in a row; fewer are no matter */

static_assert(FIRST_SIZE <= RAW_SIZE, "the first bytes fit into the raw ones");
static_assert(LINE_LEFT < READ_BLOCK_SIZE / 2, "a block holds more than what is left of a line");

struct read_blocks {
	const struct read_input *input;
	struct store *store;
	pthread_mutex_t *lock;
	EVP_MD_CTX *digest; /* NULL: not asked for */
	struct read_progress progress;
	struct bundle_member member;
	bool open;
	uint32_t source;
	uint64_t bytes, zeros; /* of this member */
	uint64_t check;
	enum encoding encoding;
	bool ended; /* the member gives no more */
	bool damaged;
	char reason[BUNDLE_REASON_SIZE]; /* the last thing that was skipped, and why */
	size_t left_length;              /* the line that the next block begins with */
	size_t raw_length;
	char left[LINE_LEFT];
	char raw[RAW_SIZE]; /* UTF-16 */
};

struct read_blocks *read_blocks_new(
	const struct read_input *input, struct store *store, pthread_mutex_t *lock, bool digests)
{
	struct read_blocks *blocks = calloc(1, sizeof(*blocks));

	if (blocks == NULL)
		return NULL;
	blocks->input = input;
	blocks->store = store;
	blocks->lock = lock;
	if (digests) {
		blocks->digest = EVP_MD_CTX_new();
		if (blocks->digest == NULL) {
			free(blocks);
			return NULL;
		}
	}
	return blocks;
}

void read_blocks_free(struct read_blocks *blocks)
{
	if (blocks == NULL)
		return;
	EVP_MD_CTX_free(blocks->digest);
	free(blocks);
}

void read_blocks_skipped(void *context, const char *path, const char *reason, enum bundle_why why)
{
	struct read_blocks *blocks = context;

	snprintf(blocks->reason, sizeof(blocks->reason), "%s", reason);
	pthread_mutex_lock(blocks->lock);
	/* When memory is short for this, it is for all: the next step says so. */
	(void)store_skip(blocks->store, path, reason, why);
	pthread_mutex_unlock(blocks->lock);
}

/* Bytes of the member as they lie in the bundle; 0 at its end or where it is damaged. */
static int raw_read(struct read_blocks *blocks, char *bytes, size_t size, size_t *ret_length)
{
	ssize_t length;

	*ret_length = 0;
	if (blocks->ended)
		return 0;
	length = blocks->input->read(blocks->input->context, bytes, size);
	if (length == ERROR_MEMORY)
		return ERROR_MEMORY;
	if (length <= 0) {
		blocks->ended = true;
		blocks->damaged = length < 0;
		return 0;
	}
	if (blocks->digest != NULL && EVP_DigestUpdate(blocks->digest, bytes, (size_t)length) != 1)
		return ERROR_CRYPTO;
	blocks->check =
		crc64_ecma_refl(blocks->check, (const unsigned char *)bytes, (uint64_t)length);
	blocks->bytes += (uint64_t)length;
	blocks->progress.bytes += (uint64_t)length;
	*ret_length = (size_t)length;
	return 0;
}

/* Leaves one or two of many zeros in a row, so that they do not make a line too long: their number
 * stays odd or even, as UTF-16 needs it. Returns the length. */
static size_t squeeze(struct read_blocks *blocks, char *bytes, size_t length)
{
	char *to, *end = bytes + length, *at = memchr(bytes, '\0', length);

	if (at == NULL)
		return length;
	for (to = at; at < end;) {
		char *zeros = at, *next;
		size_t run;

		while (at < end && *at == '\0')
			at++;
		run = (size_t)(at - zeros);
		if (run >= ZEROS_MANY) {
			blocks->zeros += run - (2 - run % 2);
			run = 2 - run % 2;
		}
		next = memchr(at, '\0', (size_t)(end - at));
		if (next == NULL)
			next = end;
		memset(to, '\0', run);
		memmove(to + run, at, (size_t)(next - at));
		to += run + (size_t)(next - at);
		at = next;
	}
	return (size_t)(to - bytes);
}

/* Bytes that are not UTF-16. */
static int plain_read(struct read_blocks *blocks, char *bytes, size_t size, size_t *ret_length)
{
	int error = raw_read(blocks, bytes, size, ret_length);

	if (error == 0)
		*ret_length = squeeze(blocks, bytes, *ret_length);
	return error;
}

static bool is_utf16(enum encoding encoding)
{
	return encoding == ENCODING_UTF16_LE || encoding == ENCODING_UTF16_BE;
}

/* Turns UTF-16 into UTF-8; at least one read, perhaps without a whole character. */
static int utf16_read(struct read_blocks *blocks, char *bytes, size_t size, size_t *ret_length)
{
	size_t length, taken = 0;
	int error;

	/* There is room: each call before took a character at least. */
	error = raw_read(
		blocks, blocks->raw + blocks->raw_length, RAW_SIZE - blocks->raw_length, &length);
	if (error != 0)
		return error;
	blocks->raw_length += length;
	*ret_length = encoding_from_utf16(blocks->raw, blocks->raw_length,
		blocks->encoding == ENCODING_UTF16_BE, bytes, size, &taken);
	blocks->raw_length -= taken;
	memmove(blocks->raw, blocks->raw + taken, blocks->raw_length);
	return 0;
}

/* Fills up a block that has `block->length` bytes. */
static int fill(struct read_blocks *blocks, struct read_block *block)
{
	/* A character of UTF-16 may need so much room. */
	while (READ_BLOCK_SIZE - block->length >= UTF8_LONGEST) {
		char *bytes = block->bytes + block->length;
		size_t length, room = READ_BLOCK_SIZE - block->length;
		bool ended = blocks->ended;
		int error = is_utf16(blocks->encoding) ? utf16_read(blocks, bytes, room, &length)
						       : plain_read(blocks, bytes, room, &length);

		if (error != 0)
			return error;
		if (length == 0 && blocks->ended && (ended || blocks->raw_length == 0))
			break;
		block->length += length;
	}
	return 0;
}

/* Cuts the block after its last whole line; the rest is left for the next one. Of a line that does
 * not end here it is the start: what is dropped lies beyond what is looked at. */
static void cut(struct read_blocks *blocks, struct read_block *block)
{
	const char *end = memrchr(block->bytes, '\n', block->length);
	size_t kept = end == NULL ? 0 : (size_t)(end - block->bytes) + 1;
	size_t left = block->length - kept;

	if (left > LINE_LEFT)
		left = LINE_LEFT;
	memcpy(blocks->left, block->bytes + kept, left);
	blocks->left_length = left;
	block->length = kept;
}

static int source_open(struct read_blocks *blocks)
{
	int error;

	pthread_mutex_lock(blocks->lock);
	error = store_source(blocks->store, &blocks->member, &blocks->source);
	if (error == 0)
		blocks->store->sources[blocks->source].encoding = blocks->encoding;
	pthread_mutex_unlock(blocks->lock);
	return error;
}

/* Reads the first bytes of a member into the block: 1 when it is a log, 0 to pass it over. */
static int member_begin(struct read_blocks *blocks, struct read_block *block)
{
	size_t length, mark = 0;
	int error;

	blocks->progress.members++;
	blocks->bytes = 0;
	blocks->zeros = 0;
	blocks->check = 0;
	blocks->ended = false;
	blocks->damaged = false;
	blocks->left_length = 0;
	blocks->raw_length = 0;
	block->length = 0;
	if (blocks->digest != NULL && EVP_DigestInit_ex(blocks->digest, EVP_sha256(), NULL) != 1)
		return ERROR_CRYPTO;
	do {
		error = plain_read(
			blocks, block->bytes + block->length, FIRST_SIZE - block->length, &length);
		if (error != 0)
			return error;
		block->length += length;
	} while (!blocks->ended && block->length < FIRST_SIZE);
	blocks->encoding = encoding_detect(block->bytes, block->length, &mark);
	if (blocks->encoding == ENCODING_BINARY) {
		read_blocks_skipped(blocks, blocks->member.path, "not text", BUNDLE_PASSED_OVER);
		return 0;
	}
	error = source_open(blocks);
	if (error != 0)
		return error == ERROR_LIMIT ? 0 : error;
	block->length -= mark;
	memmove(block->bytes, block->bytes + mark, block->length);
	if (is_utf16(blocks->encoding)) {
		memcpy(blocks->raw, block->bytes, block->length);
		blocks->raw_length = block->length;
		block->length = 0;
	}
	return 1;
}

static int member_open(struct read_blocks *blocks, struct read_block *block)
{
	int result;

	do {
		result = blocks->input->next(blocks->input->context, &blocks->member);
		if (result != 1)
			return result;
		result = member_begin(blocks, block);
	} while (result == 0);
	blocks->open = result == 1;
	block->first = true;
	return result;
}

static int digest_print(struct read_blocks *blocks, char text[65])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned length;

	if (EVP_DigestFinal_ex(blocks->digest, bytes, &length) != 1 || length != 32)
		return ERROR_CRYPTO;
	for (unsigned i = 0; i < length; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int member_end(struct read_blocks *blocks)
{
	struct source *source;
	char digest[65] = "";
	int error = 0;

	blocks->open = false;
	/* The digest of a part would be taken for that of the whole. */
	if (blocks->digest != NULL && !blocks->damaged)
		error = digest_print(blocks, digest);
	if (error != 0)
		return error;
	pthread_mutex_lock(blocks->lock);
	source = &blocks->store->sources[blocks->source];
	source->bytes = blocks->bytes;
	source->zeros = blocks->zeros;
	source->check = blocks->check;
	memcpy(source->sha256, digest, sizeof(digest));
	if (blocks->damaged)
		source->reason = store_text(blocks->store, blocks->reason, strlen(blocks->reason),
			STORE_MARK_ALL, &error);
	pthread_mutex_unlock(blocks->lock);
	return error == ERROR_MEMORY ? error : 0;
}

int read_blocks_next(struct read_blocks *blocks, struct read_block *block)
{
	int result;

	block->first = false;
	block->last = false;
	block->length = 0;
	if (!blocks->open) {
		result = member_open(blocks, block);
		if (result != 1)
			return result;
	} else {
		memcpy(block->bytes, blocks->left, blocks->left_length);
		block->length = blocks->left_length;
		blocks->left_length = 0;
	}
	result = fill(blocks, block);
	if (result != 0)
		return result;
	block->source = blocks->source;
	block->last = READ_BLOCK_SIZE - block->length >= UTF8_LONGEST;
	if (!block->last)
		cut(blocks, block);
	blocks->zeros += encoding_blank_zeros(block->bytes, block->length);
	if (block->last)
		result = member_end(blocks);
	if (blocks->input->progress != NULL)
		blocks->input->progress(
			blocks->input->context, &blocks->progress.done, &blocks->progress.total);
	block->progress = blocks->progress;
	return result == 0 ? 1 : result;
}
