/*
 * fuzz_frame.c - frames of the session's wire, TCP streams and UDP payloads.
 *
 * The first byte says which end reads (bit 0) and which channel (bit 1). A
 * stream is read frame by frame as a socket would give it. What was read is
 * written again and must be the same bytes: there is one way to say a thing.
 */
#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "protocol/frame.h"

static void check_frame(const struct frame *frame, enum frame_channel channel,
	enum frame_direction direction, const uint8_t *bytes, size_t used)
{
	const struct frame_info *info = frame_info(frame->type);
	uint8_t again[FRAME_SIZE_MAXIMUM];
	size_t length = 0;

	assert(info != NULL && info->channel == channel && (info->direction & direction) != 0);
	assert(used <= sizeof(again));
	assert(frame_write(frame, again, sizeof(again), &length) == 0);
	assert(length == used && memcmp(again, bytes, used) == 0);
	/* nothing is written beyond the room given */
	length = 0;
	assert(frame_write(frame, again, used - 1, &length) == ERROR_LIMIT && length == 0);
}

static void read_stream(const uint8_t *bytes, size_t size, enum frame_direction direction)
{
	for (;;) {
		struct frame frame = {0};
		size_t used = 0;
		int error = frame_read(bytes, size, direction, &frame, &used);
		if (error != 0) {
			assert(error == ERROR_INPUT);
			return;
		}
		if (used == 0)
			return;
		assert(used >= FRAME_HEADER_SIZE && used <= size);
		check_frame(&frame, FRAME_TCP, direction, bytes, used);
		/* the same frame with one byte less has to wait for it */
		size_t part = 1;
		assert(frame_read(bytes, used - 1, direction, &frame, &part) == 0 && part == 0);
		bytes += used;
		size -= used;
	}
}

static void read_packet(const uint8_t *bytes, size_t size, enum frame_direction direction)
{
	struct frame frame = {0};
	int error = frame_read_packet(bytes, size, direction, &frame);

	if (error != 0)
		assert(error == ERROR_INPUT);
	else
		check_frame(&frame, FRAME_UDP, direction, bytes, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size == 0)
		return 0;
	enum frame_direction direction = (bytes[0] & 1) != 0 ? FRAME_TO_CLIENT : FRAME_TO_AGENT;
	if ((bytes[0] & 2) != 0)
		read_packet(bytes + 1, size - 1, direction);
	else
		read_stream(bytes + 1, size - 1, direction);
	return 0;
}
