/* What the tests of the codec share: one reader, arena and pair of buffers, and decoding from
 * memory of exactly the document's length. */
#ifndef TESTS_UNIT_CODEC_CASE_H
#define TESTS_UNIT_CODEC_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "protocol/codec.h"

static struct {
	struct arena *arena;
	struct xml_reader *reader;
	struct buffer in, out;
	struct codec_fault fault;
} it;

static inline int set_up(void **state)
{
	(void)state;
	it.arena = arena_new(1 << 20);
	it.reader = xml_reader_new();
	buffer_init(&it.in, 1 << 20);
	buffer_init(&it.out, 1 << 20);
	return it.arena != NULL && it.reader != NULL ? 0 : -1;
}

static inline int tear_down(void **state)
{
	(void)state;
	buffer_free(&it.in);
	buffer_free(&it.out);
	xml_reader_free(it.reader);
	arena_free(it.arena);
	return 0;
}

/* From memory of exactly that length, so that reading beyond it is noticed. */
static inline int decode_bytes(
	unsigned roots, const char *text, size_t length, struct message **ret)
{
	char *copy = malloc(length > 0 ? length : 1);
	int error;

	assert_non_null(copy);
	memcpy(copy, text, length);
	memset(&it.fault, 0x5a, sizeof(it.fault));
	error = codec_decode(it.reader, it.arena, roots, copy, length, ret, &it.fault);
	free(copy);
	return error;
}

static inline struct message *decode_any(unsigned roots, const char *text)
{
	struct message *message = NULL;

	if (decode_bytes(roots, text, strlen(text), &message) != 0)
		fail_msg("%s\n%s", it.fault.detail, text);
	return message;
}

static inline struct message *decode(const char *text)
{
	return decode_any(MESSAGE_ROOTS_ALL, text);
}

static inline void refused_by(
	unsigned roots, const char *text, enum result_id result, const char *detail)
{
	struct message *message = NULL;
	int error = decode_bytes(roots, text, strlen(text), &message);

	assert_null(message);
	if (error != ERROR_INPUT || strstr(it.fault.detail, detail) == NULL)
		fail_msg("%d '%s' instead of '%s' for\n%s", error,
			error != 0 ? it.fault.detail : "", detail, text);
	assert_int_equal(it.fault.result, result);
}

static inline void refused(const char *text, const char *detail)
{
	refused_by(MESSAGE_ROOTS_ALL, text, RESULT_ERR_INVALID_MSG_FORMAT, detail);
}

static inline const char *text_of(const struct message *message, enum field_id field)
{
	const char *text = message_text(message, field);

	assert_non_null(text);
	return text;
}

#define C(inside) "<pcoip-client version=\"2.1\">" inside "</pcoip-client>"
#define A(inside) "<pcoip-agent version=\"1.0\">" inside "</pcoip-agent>"
#define INFO "<client-info><product-name>p</product-name><hostname>h</hostname></client-info>"
#define HELLO(more) C("<hello>" INFO more "</hello>")

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
