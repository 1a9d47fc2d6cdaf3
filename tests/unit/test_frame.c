#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/entropy.h"
#include "base/error.h"
#include "protocol/frame.h"

static struct frame_bytes bytes_of(const char *text)
{
	return (struct frame_bytes){(const uint8_t *)text, strlen(text)};
}

static const char secret[] = "0123456789abcdef0123456789ABCDEF";

/* One of each, with every field set. */
static struct frame sample(enum frame_type type)
{
	return (struct frame){
		.type = type,
		.flags = FRAME_FLAG_GRANTED | FRAME_FLAG_GRACE,
		.version = FRAME_VERSION,
		.refusal = 3,
		.cause = 0x301,
		.days = 160,
		.session = UINT64_C(0x0102030405060708),
		.number = UINT64_C(0xfffefdfcfbfaf9f8),
		.tag = bytes_of("tag+/="),
		.secret = bytes_of(secret),
		.source = bytes_of("https://licence:7070"),
		.text = bytes_of("granted"),
		.data = bytes_of("opaque"),
	};
}

static void table_is_consistent(void **state)
{
	const struct frame_info *info;
	const struct frame_field *field;

	(void)state;
	for (size_t i = 0; (info = frame_at(i)); i++) {
		size_t minimum = 0;
		size_t maximum = 0;

		assert_ptr_equal(frame_info(info->type), info);
		assert_true(info->meaning[0] != '\0');
		assert_int_equal(info->channel == FRAME_UDP, info->type >= 0x40);
		for (size_t j = 0; (field = frame_field_at(j)); j++) {
			if (field->type != info->type)
				continue;
			minimum += field->minimum;
			maximum += field->maximum;
			assert_true(field->meaning[0] != '\0');
		}
		assert_int_equal(info->minimum, minimum);
		assert_int_equal(info->maximum, maximum);
		assert_in_range(info->maximum, 0, FRAME_BODY_MAXIMUM);
	}
	for (size_t j = 0; (field = frame_field_at(j)); j++)
		assert_non_null(frame_info(field->type));
	assert_null(frame_info(0));
	assert_null(frame_info(0x50));
}

static void layouts_are_as_documented(void **state)
{
	static const struct {
		enum frame_type type;
		const char *bytes;
		size_t length;
	} vectors[] = {
#define VECTOR(type, bytes) {type, bytes, sizeof(bytes) - 1}
		VECTOR(FRAME_HELLO, "\x01\0\0\x10\0\1\1\2\3\4\5\6\7\x08tag+/="),
		VECTOR(FRAME_WELCOME,
			"\x02\0\0\x22\0\1"
			"0123456789abcdef0123456789ABCDEF"),
		VECTOR(FRAME_REFUSED, "\x03\0\0\2\0\3"),
		VECTOR(FRAME_RESUME,
			"\x04\0\0\x2a\0\1\1\2\3\4\5\6\7\x08"
			"0123456789abcdef0123456789ABCDEF"),
		VECTOR(FRAME_OPENED, "\x05\0\0\0"),
		VECTOR(FRAME_CONNECTED, "\x06\0\0\0"),
		VECTOR(FRAME_LICENSE,
			"\x07\0\0\x24\3\0\0\0\xa0\0\x14https://licence:7070\0\7granted"),
		VECTOR(FRAME_DATA, "\x08\0\0\6opaque"),
		VECTOR(FRAME_CLOSE, "\x09\0\0\4\0\0\3\1"),
		VECTOR(FRAME_INVITE, "\x41"),
		VECTOR(FRAME_ACCEPT, "\x42"),
		VECTOR(FRAME_PING, "\x43\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8"),
		VECTOR(FRAME_PONG, "\x44\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8"),
		VECTOR(FRAME_GOODBYE, "\x45\0\0\3\1"),
	};
	size_t count = 0;

	(void)state;
	while (frame_at(count))
		count++;
	assert_int_equal(count, sizeof(vectors) / sizeof(vectors[0]));
	for (size_t i = 0; i < count; i++) {
		struct frame frame = sample(vectors[i].type);
		uint8_t bytes[FRAME_SIZE_MAXIMUM];
		size_t length;

		assert_int_equal(frame_write(&frame, bytes, sizeof(bytes), &length), 0);
		assert_int_equal(length, vectors[i].length);
		assert_memory_equal(bytes, vectors[i].bytes, length);
		for (size_t less = 0; less < length; less++) {
			size_t ignored;

			assert_int_equal(frame_write(&frame, bytes, less, &ignored), ERROR_LIMIT);
		}
	}
}

static void assert_bytes_equal(const struct frame_bytes *a, const struct frame_bytes *b)
{
	assert_int_equal(a->length, b->length);
	assert_memory_equal(a->bytes, b->bytes, a->length);
}

static int read_any(const struct frame_info *info, const void *bytes, size_t length,
	enum frame_direction direction, struct frame *frame, size_t *used)
{
	if (info->channel == FRAME_TCP)
		return frame_read(bytes, length, direction, frame, used);
	*used = length;
	return frame_read_packet(bytes, length, direction, frame);
}

static void what_is_written_is_read(void **state)
{
	const struct frame_info *info;

	(void)state;
	for (size_t i = 0; (info = frame_at(i)); i++) {
		struct frame frame = sample(info->type);
		enum frame_direction right =
			info->direction & FRAME_TO_AGENT ? FRAME_TO_AGENT : FRAME_TO_CLIENT;
		enum frame_direction other =
			right == FRAME_TO_AGENT ? FRAME_TO_CLIENT : FRAME_TO_AGENT;
		struct frame back = {.session = 7};
		uint8_t bytes[FRAME_SIZE_MAXIMUM];
		const struct frame_field *field;
		size_t length;
		size_t used = 99;

		assert_int_equal(frame_write(&frame, bytes, sizeof(bytes), &length), 0);
		assert_int_equal(read_any(info, bytes, length, right, &back, &used), 0);
		assert_int_equal(used, length);
		assert_int_equal(back.type, info->type);
		for (size_t j = 0; (field = frame_field_at(j)); j++) {
			static const size_t sizes[] = {1, 2, 4, 8};
			const void *a = (const char *)&frame + field->offset;
			const void *b = (const char *)&back + field->offset;

			if (field->type != info->type)
				continue;
			if (field->kind <= FRAME_U64)
				assert_memory_equal(a, b, sizes[field->kind]);
			else
				assert_bytes_equal(a, b);
		}
		assert_int_equal(read_any(info, bytes, length, other, &back, &used),
			info->direction == FRAME_BOTH ? 0 : ERROR_INPUT);
		if (info->channel == FRAME_UDP) {
			assert_int_equal(
				frame_read_packet(bytes, length + 1, right, &back), ERROR_INPUT);
			continue;
		}
		/* Every beginning waits for more and touches nothing. */
		for (size_t less = 0; less < length; less++) {
			back.session = 7;
			used = 99;
			assert_int_equal(frame_read(bytes, less, right, &back, &used), 0);
			assert_int_equal(used, 0);
			assert_int_equal(back.session, 7);
		}
	}
}

static void assert_bad(const char *bytes, size_t length, enum frame_direction direction)
{
	/* On the heap and exact, so that a read past the end is seen. */
	uint8_t *copy = malloc(length);
	struct frame frame;
	size_t used;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	assert_int_equal(frame_read(copy, length, direction, &frame, &used), ERROR_INPUT);
	free(copy);
}

static void bad_frames_are_refused(void **state)
{
	(void)state;
#define BAD(bytes, direction) assert_bad(bytes, sizeof(bytes) - 1, direction)
	BAD("\x00\0\0\0", FRAME_TO_AGENT);        /* no such type */
	BAD("\x41\0\0\0", FRAME_TO_AGENT);        /* a packet's type on TCP */
	BAD("\x05\1\0\0", FRAME_TO_AGENT);        /* second byte */
	BAD("\x05\0\0\1", FRAME_TO_AGENT);        /* too long, judged before the body is there */
	BAD("\x08\0\x40\x01", FRAME_TO_AGENT);    /* 16385 bytes */
	BAD("\x08\0\0\0", FRAME_TO_AGENT);        /* nothing in it */
	BAD("\x09\0\0\3\0\0\0", FRAME_TO_CLIENT); /* a short number */
	BAD("\x09\0\0\3", FRAME_TO_CLIENT);       /* too short, judged at once as well */
	BAD("\x01\0\2\x0b", FRAME_TO_AGENT);      /* 513 bytes of tag */
	BAD("\x07\0\0\x09\3\0\0\0\1\0\1\0\0", FRAME_TO_CLIENT);     /* text over the end */
	BAD("\x07\0\0\x0a\3\0\0\0\1\0\1a\0\1", FRAME_TO_CLIENT);    /* second text over the end */
	BAD("\x07\0\0\x0a\3\0\0\0\1\0\1\n\0\0", FRAME_TO_CLIENT);   /* control character */
	BAD("\x07\0\0\x0a\3\0\0\0\1\0\1\x7f\0\0", FRAME_TO_CLIENT); /* and another */
	BAD("\x07\0\0\x0b\3\0\0\0\1\0\1a\0\0z", FRAME_TO_CLIENT);   /* more than its fields */
}

static void texts_are_bounded(void **state)
{
	struct frame frame = sample(FRAME_LICENSE);
	uint8_t bytes[FRAME_SIZE_MAXIMUM];
	char text[FRAME_TEXT_MAXIMUM + 2];
	struct frame back;
	size_t length;
	size_t used;

	(void)state;
	memset(text, 'x', sizeof(text));
	frame.text = frame.source = (struct frame_bytes){(uint8_t *)text, FRAME_TEXT_MAXIMUM};
	assert_int_equal(frame_write(&frame, bytes, sizeof(bytes), &length), 0);
	assert_int_equal(length, FRAME_HEADER_SIZE + 519);
	assert_int_equal(frame_read(bytes, length, FRAME_TO_CLIENT, &back, &used), 0);
	assert_int_equal(back.text.length, FRAME_TEXT_MAXIMUM);
	frame.text.length++;
	assert_int_equal(frame_write(&frame, bytes, sizeof(bytes), &length), ERROR_LIMIT);
	frame.text = bytes_of("a\x1b[31m");
	assert_int_equal(frame_write(&frame, bytes, sizeof(bytes), &length), ERROR_INPUT);
}

/* Random bytes, and frames with a few bytes changed, in blocks of exact size. */
static void noise_does_no_harm(void **state)
{
	struct entropy_fake fake;
	size_t read = 0;

	(void)state;
	entropy_fake_init(&fake, 4172);
	for (int round = 0; round < 20000; round++) {
		uint8_t bytes[FRAME_SIZE_MAXIMUM];
		uint8_t dice[8];
		struct frame frame = sample(FRAME_HELLO);
		const struct frame_info *info;
		uint8_t *copy;
		size_t length;
		size_t used;

		entropy_fill(&fake.entropy, dice, sizeof(dice));
		info = frame_at(dice[0] % 14);
		frame = sample(info->type);
		assert_int_equal(frame_write(&frame, bytes, sizeof(bytes), &length), 0);
		for (int i = 0; i < dice[1] % 4; i++)
			bytes[dice[2 + i] % length] = dice[7 - i];
		length -= dice[6] % 3 < length ? dice[6] % 3 : 0;
		copy = malloc(length);
		assert_non_null(copy);
		memcpy(copy, bytes, length);
		if (frame_read(copy, length, FRAME_BOTH, &frame, &used) == 0 && used > 0) {
			assert_in_range(used, FRAME_HEADER_SIZE, length);
			read++;
		}
		(void)frame_read_packet(copy, length, FRAME_BOTH, &frame);
		free(copy);
	}
	assert_true(read > 1000);
}

static void page_has_every_row(void **state)
{
	static const struct {
		unsigned number;
		const char *name;
		unsigned wire;
	} refusals[] = {
#define REFUSAL(name, number, wire, meaning) {number, #name, wire},
#include "protocol/frames.def"
	};
	char path[4096];
	static char page[65536];
	const struct frame_info *info;
	char row[64];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/docs/session-wire.md", getenv("FAIRLEAD_SOURCE"));
	file = fopen(path, "r");
	assert_non_null(file);
	page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
	fclose(file);
	for (size_t i = 0; (info = frame_at(i)); i++) {
		static const char *const from[] = {"", "client", "agent", "both"};

		snprintf(row, sizeof(row), "\n| 0x%02x | %s | %s |", (unsigned)info->type,
			info->name, from[info->direction]);
		if (!strstr(page, row))
			fail_msg("docs/session-wire.md has no row %s", row + 1);
	}
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		snprintf(row, sizeof(row), "\n| %u | %s | %u |", refusals[i].number,
			refusals[i].name, refusals[i].wire);
		if (!strstr(page, row))
			fail_msg("docs/session-wire.md has no row %s", row + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_consistent),
		cmocka_unit_test(layouts_are_as_documented),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(bad_frames_are_refused),
		cmocka_unit_test(texts_are_bounded),
		cmocka_unit_test(noise_does_no_harm),
		cmocka_unit_test(page_has_every_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
