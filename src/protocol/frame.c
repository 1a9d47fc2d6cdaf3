#include "protocol/frame.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct frame_info frames[] = {
#define FRAME(name, type, channel, direction, minimum, maximum, meaning)                           \
	{type, #name, FRAME_##channel, FRAME_##direction, minimum, maximum, meaning},
#include "protocol/frames.def"
};

static const struct frame_field fields[] = {
#define FIELD(of, member, kind, minimum, maximum, meaning)                                         \
	{FRAME_##of, #member, FRAME_##kind, minimum, maximum, offsetof(struct frame, member),      \
		meaning},
#include "protocol/frames.def"
};

const struct frame_info *frame_info(unsigned type)
{
	for (size_t i = 0; i < COUNT(frames); i++) {
		if (frames[i].type == type)
			return &frames[i];
	}
	return NULL;
}

const struct frame_info *frame_at(size_t index)
{
	return index < COUNT(frames) ? &frames[index] : NULL;
}

const struct frame_field *frame_field_at(size_t index)
{
	return index < COUNT(fields) ? &fields[index] : NULL;
}

static uint64_t get(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void put(uint8_t *bytes, size_t size, uint64_t value)
{
	for (size_t i = size; i-- > 0; value >>= 8)
		bytes[i] = (uint8_t)value;
}

static bool is_plain(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] < 0x20 || bytes[i] == 0x7f)
			return false;
	}
	return true;
}

/* How many bytes of `length` the field takes; SIZE_MAX: it does not fit. */
static size_t extent(const struct frame_field *field, const uint8_t *bytes, size_t length)
{
	size_t size = field->minimum;

	if (field->kind == FRAME_REST)
		size = length;
	else if (field->kind == FRAME_TEXT && length >= 2)
		size = 2 + (size_t)get(bytes, 2);
	if (size > length || size < field->minimum || size > field->maximum)
		return SIZE_MAX;
	return size;
}

static int read_field(
	const struct frame_field *field, const uint8_t *bytes, size_t size, struct frame *frame)
{
	void *member = (char *)frame + field->offset;
	uint64_t value;

	switch (field->kind) {
	case FRAME_U8:
		*(uint8_t *)member = bytes[0];
		return 0;
	case FRAME_U16:
		*(uint16_t *)member = (uint16_t)get(bytes, 2);
		return 0;
	case FRAME_U32:
		*(uint32_t *)member = (uint32_t)get(bytes, 4);
		return 0;
	case FRAME_U64:
		value = get(bytes, 8);
		memcpy(member, &value, sizeof(value));
		return 0;
	case FRAME_FIXED:
	case FRAME_REST:
		*(struct frame_bytes *)member = (struct frame_bytes){bytes, size};
		return 0;
	case FRAME_TEXT:
		if (!is_plain(bytes + 2, size - 2))
			return ERROR_INPUT;
		*(struct frame_bytes *)member = (struct frame_bytes){bytes + 2, size - 2};
		return 0;
	}
	return ERROR_INPUT;
}

static int read_body(
	const struct frame_info *info, const uint8_t *bytes, size_t length, struct frame *ret_frame)
{
	struct frame frame = {.type = info->type};
	int error;

	for (size_t i = 0; i < COUNT(fields); i++) {
		size_t size;

		if (fields[i].type != info->type)
			continue;
		size = extent(&fields[i], bytes, length);
		if (size == SIZE_MAX)
			return ERROR_INPUT;
		error = read_field(&fields[i], bytes, size, &frame);
		if (error != 0)
			return error;
		bytes += size;
		length -= size;
	}
	if (length != 0)
		return ERROR_INPUT;
	*ret_frame = frame;
	return 0;
}

static const struct frame_info *find(
	unsigned type, enum frame_channel channel, enum frame_direction direction, size_t length)
{
	const struct frame_info *info = frame_info(type);

	if (!info || info->channel != channel || !(info->direction & direction))
		return NULL;
	if (length < info->minimum || length > info->maximum)
		return NULL;
	return info;
}

int frame_read(const void *bytes, size_t length, enum frame_direction direction,
	struct frame *ret_frame, size_t *ret_used)
{
	const struct frame_info *info;
	const uint8_t *at = bytes;
	size_t body;
	int error;

	if (length < FRAME_HEADER_SIZE) {
		*ret_used = 0;
		return 0;
	}
	body = (size_t)get(at + 2, 2);
	info = find(at[0], FRAME_TCP, direction, body);
	if (!info || at[1] != 0)
		return ERROR_INPUT;
	if (length - FRAME_HEADER_SIZE < body) {
		*ret_used = 0;
		return 0;
	}
	error = read_body(info, at + FRAME_HEADER_SIZE, body, ret_frame);
	if (error == 0)
		*ret_used = FRAME_HEADER_SIZE + body;
	return error;
}

int frame_read_packet(
	const void *bytes, size_t length, enum frame_direction direction, struct frame *ret_frame)
{
	const struct frame_info *info;
	const uint8_t *at = bytes;

	if (length < 1)
		return ERROR_INPUT;
	info = find(at[0], FRAME_UDP, direction, length - 1);
	if (!info)
		return ERROR_INPUT;
	return read_body(info, at + 1, length - 1, ret_frame);
}

static int write_bytes(const struct frame_field *field, const struct frame_bytes *given,
	uint8_t *bytes, size_t size, size_t *ret_length)
{
	size_t prefix = field->kind == FRAME_TEXT ? 2 : 0;

	if (given->length > field->maximum - prefix || given->length + prefix < field->minimum ||
		given->length + prefix > size)
		return ERROR_LIMIT;
	if (field->kind == FRAME_TEXT && !is_plain(given->bytes, given->length))
		return ERROR_INPUT;
	put(bytes, prefix, given->length);
	if (given->length > 0)
		memcpy(bytes + prefix, given->bytes, given->length);
	*ret_length = prefix + given->length;
	return 0;
}

static int write_field(const struct frame_field *field, const struct frame *frame, uint8_t *bytes,
	size_t size, size_t *ret_length)
{
	const void *member = (const char *)frame + field->offset;
	uint64_t value = 0;

	switch (field->kind) {
	case FRAME_U8:
		value = *(const uint8_t *)member;
		break;
	case FRAME_U16:
		value = *(const uint16_t *)member;
		break;
	case FRAME_U32:
		value = *(const uint32_t *)member;
		break;
	case FRAME_U64:
		value = *(const uint64_t *)member;
		break;
	case FRAME_FIXED:
	case FRAME_TEXT:
	case FRAME_REST:
		return write_bytes(field, member, bytes, size, ret_length);
	}
	if (field->maximum > size)
		return ERROR_LIMIT;
	put(bytes, field->maximum, value);
	*ret_length = field->maximum;
	return 0;
}

int frame_write(const struct frame *frame, void *bytes, size_t size, size_t *ret_length)
{
	const struct frame_info *info = frame_info(frame->type);
	uint8_t *at = bytes;
	size_t header;
	size_t used;
	int error;

	assert(info);
	header = info->channel == FRAME_TCP ? FRAME_HEADER_SIZE : 1;
	if (size < header)
		return ERROR_LIMIT;
	used = header;
	for (size_t i = 0; i < COUNT(fields); i++) {
		size_t length = 0;

		if (fields[i].type != info->type)
			continue;
		error = write_field(&fields[i], frame, at + used, size - used, &length);
		if (error != 0)
			return error;
		used += length;
	}
	at[0] = (uint8_t)info->type;
	if (info->channel == FRAME_TCP) {
		at[1] = 0;
		put(at + 2, 2, used - header);
	}
	*ret_length = used;
	return 0;
}
