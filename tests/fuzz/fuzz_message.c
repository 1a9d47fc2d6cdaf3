/*
 * fuzz_message.c - documents to messages.
 *
 * Whatever decodes must encode, and what was encoded must decode to the same
 * message again: a manager relays messages, so a reader and a writer that
 * disagree would let one hop see another message than the next.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "fuzz.h"
#include "protocol/codec.h"

#define ARENA_MAXIMUM ((size_t)4 * 1024 * 1024)
#define DOCUMENT_MAXIMUM ((size_t)8 * 1024 * 1024)

static const unsigned all_roots = (1u << ROOT_COUNT) - 1;

static const char *show_name(void *user, const char *name)
{
	(void)user;
	return *name != '\0' ? "n" : "";
}

static void check_fault(const struct codec_fault *fault)
{
	assert(memchr(fault->detail, '\0', sizeof(fault->detail)) != NULL);
	assert(fault->detail[0] != '\0');
	assert(fault->result > RESULT_NONE && fault->result < RESULT_COUNT);
}

static void check_round(struct xml_reader *reader, const struct message *message)
{
	struct arena *arena = arena_new(ARENA_MAXIMUM);
	struct codec_fault fault = {.detail = ""};
	struct message *again = NULL;
	struct buffer first, second;

	assert(arena != NULL);
	buffer_init(&first, DOCUMENT_MAXIMUM);
	buffer_init(&second, DOCUMENT_MAXIMUM);
	assert(codec_encode(message, CODEC_COMPACT, &first) == 0);
	assert(codec_decode(reader, arena, all_roots, first.bytes, first.length, &again, &fault) ==
		0);
	assert(again->id == message->id && again->root == message->root);
	assert(codec_encode(again, CODEC_COMPACT, &second) == 0);
	assert(first.length == second.length);
	assert(memcmp(first.bytes, second.bytes, first.length) == 0);

	buffer_clear(&second);
	assert(codec_encode_redacted(message, show_name, NULL, &second) == 0);

	struct message *copy = message_new(arena, message->id, message->root, message->version);
	assert(copy != NULL);
	assert(message_copy(copy, message) == 0);
	buffer_clear(&second);
	assert(codec_encode(copy, CODEC_COMPACT, &second) == 0);
	assert(first.length == second.length);
	assert(memcmp(first.bytes, second.bytes, first.length) == 0);
	message_wipe_secrets(copy);

	buffer_free(&second);
	buffer_free(&first);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	/* one reader for all, as a program's loop has it: nothing of one document
	 * may show in the next */
	static struct xml_reader *reader;
	struct arena *arena = arena_new(ARENA_MAXIMUM);
	struct codec_fault fault = {.detail = ""};
	struct message *message = NULL;

	if (reader == NULL)
		reader = xml_reader_new();
	assert(arena != NULL && reader != NULL);
	int error =
		codec_decode(reader, arena, all_roots, (const char *)bytes, size, &message, &fault);
	if (error != 0) {
		assert(message == NULL);
		assert(error == ERROR_INPUT || error == ERROR_MEMORY);
		check_fault(&fault);
	} else {
		check_round(reader, message);
	}
	arena_free(arena);
	return 0;
}
