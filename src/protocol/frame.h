/*
 * frame.h - bytes <-> frames of the session's wire on TCP and UDP 4172.
 *
 * docs/session-wire.md explains them, frames.def lists them: from it come the
 * types, bounds and fields. Pure: no memory is allocated, and what is read
 * points into the bytes that were given.
 */
#ifndef FAIRLEAD_PROTOCOL_FRAME_H
#define FAIRLEAD_PROTOCOL_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_VERSION 1
#define FRAME_HEADER_SIZE 4 /* TCP: type, zero, length */
#define FRAME_BODY_MAXIMUM 16384
#define FRAME_SIZE_MAXIMUM (FRAME_HEADER_SIZE + FRAME_BODY_MAXIMUM)
#define FRAME_SECRET_SIZE 32
#define FRAME_TEXT_MAXIMUM 255
#define FRAME_DAYS_UNKNOWN UINT32_MAX

enum frame_type {
#define FRAME(name, type, channel, direction, minimum, maximum, meaning) FRAME_##name = type,
#include "protocol/frames.def"
};

enum frame_channel { FRAME_TCP, FRAME_UDP };

/* Who may send it; FRAME_BOTH is both bits. */
enum frame_direction { FRAME_TO_AGENT = 1, FRAME_TO_CLIENT = 2, FRAME_BOTH = 3 };

enum frame_flag { FRAME_FLAG_GRANTED = 1, FRAME_FLAG_GRACE = 2 };

enum frame_kind { FRAME_U8, FRAME_U16, FRAME_U32, FRAME_U64, FRAME_FIXED, FRAME_TEXT, FRAME_REST };

struct frame_bytes {
	const uint8_t *bytes;
	size_t length;
};

/* One frame; only the members that its type has in frames.def count. */
struct frame {
	enum frame_type type;
	uint8_t flags;
	uint16_t version;
	uint16_t refusal;
	uint32_t cause;
	uint32_t days;
	uint64_t session;
	uint64_t number;
	struct frame_bytes tag, secret, source, text, data;
};

struct frame_field {
	enum frame_type type; /* the frame it belongs to */
	const char *name;
	enum frame_kind kind;
	size_t minimum, maximum; /* bytes on the wire, a TEXT's length included */
	size_t offset;           /* in struct frame */
	const char *meaning;
};

struct frame_info {
	enum frame_type type;
	const char *name;
	enum frame_channel channel;
	enum frame_direction direction;
	size_t minimum, maximum; /* bytes of the body */
	const char *meaning;
};

/* NULL if there is no such type. */
const struct frame_info *frame_info(unsigned type);

/* All frames and all their fields in the table's order, for tests and
 * documentation; NULL past the end. */
const struct frame_info *frame_at(size_t index);
const struct frame_field *frame_field_at(size_t index);

/* Reads one frame from the start of a TCP stream's bytes. `direction` is the
 * one the reader gets (one bit). 0: *ret_used bytes were read into *ret_frame;
 * with *ret_used 0 more bytes are needed and *ret_frame is untouched.
 * ERROR_INPUT: these bytes can never be a frame. */
int frame_read(const void *bytes, size_t length, enum frame_direction direction,
	struct frame *ret_frame, size_t *ret_used);

/* Reads a UDP packet's opened payload (type and body). 0 or ERROR_INPUT. */
int frame_read_packet(
	const void *bytes, size_t length, enum frame_direction direction, struct frame *ret_frame);

/* Writes a TCP frame with its header, or a UDP packet's payload, as its type
 * asks. 0, ERROR_LIMIT (`size` or a field's maximum), ERROR_INPUT (control
 * character in a text). FRAME_SIZE_MAXIMUM bytes always suffice. */
int frame_write(const struct frame *frame, void *bytes, size_t size, size_t *ret_length);

#endif
