/*
 * fuzz_radius.c - any bytes as a RADIUS server's answer: as they are, and signed with the secret as
 * the attributes of an answer, so that what follows the signature is reached as well.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/radius_bytes.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "identity/radius_packet.h"

#define SECRET "secret"

static const uint8_t request[20] = {
	CODE_REQUEST, 7, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* Can be shown as it is, but for its line feeds. */
static void expect_clean(const char *text)
{
	assert(strnlen(text, RADIUS_MESSAGE_MAXIMUM + 1) <= RADIUS_MESSAGE_MAXIMUM);
	while (*text != '\0') {
		uint32_t value = 0;
		size_t length = utf8_character(text, &value);

		assert(length > 0 && (value >= 0x20 || value == '\n'));
		assert(value < 0x7f || value >= 0xa0);
		text += length;
	}
}

static enum radius_packet_kind read_it(const uint8_t *bytes, size_t length, bool allow_unsigned)
{
	struct radius_packet_answer answer;
	uint8_t *copy = malloc(length > 0 ? length : 1); /* its end is guarded */
	enum radius_packet_kind kind;

	assert(copy);
	if (length > 0)
		memcpy(copy, bytes, length);
	kind = radius_packet_read(
		copy, length, request[1], request + 4, SECRET, allow_unsigned, &answer);
	free(copy);
	if (kind < RADIUS_PACKET_FOREIGN) {
		assert(answer.state_length <= sizeof(answer.state));
		expect_clean(answer.message);
	}
	return kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct radius_bytes attributes = {.length = 0};
	struct radius_bytes answer;
	enum radius_packet_kind kind;

	/* Nobody guesses 16 bytes. */
	kind = read_it(bytes, size, true);
	assert(kind == RADIUS_PACKET_FOREIGN || kind == RADIUS_PACKET_FORGED ||
		kind == RADIUS_PACKET_UNSIGNED);
	if (size == 0 || size > RADIUS_BYTES_MAXIMUM - 64)
		return 0;
	attributes.length = size - 1;
	memcpy(attributes.bytes, bytes + 1, size - 1);
	radius_bytes_answer(&answer, CODE_CHALLENGE, request, &attributes, SECRET, bytes[0] & 1);
	kind = read_it(answer.bytes, answer.length, bytes[0] & 2);
	if (!(bytes[0] & 3))
		assert(kind >= RADIUS_PACKET_FOREIGN);
	return 0;
}
