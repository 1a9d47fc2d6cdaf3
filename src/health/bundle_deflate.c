/*
 * Deflated members of a zip by ISA-L. libarchive finds the members and says what they are; their
 * bytes are read here, in less than half the time, and up to the last one before damage.
 */
#include "health/bundle_private.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define INPUT_SIZE (64 * 1024)
#define HEADER_SIZE 30      /* of a member, before its name and extra fields */
#define HEADER_MAXIMUM 4096 /* with them; longer ones are left to libarchive */
#define METHOD_DEFLATE 8
#define FLAG_ENCRYPTED 1
#define FLAG_DESCRIPTOR 8 /* check sum and sizes come after the data */

struct bundle_deflate {
	struct inflate_state state;
	uint64_t position; /* in the file, of the next input */
	uint64_t size;     /* that the directory says */
	uint64_t given;
	uint32_t sum; /* that the header says */
	unsigned flags;
	int result; /* 1 while there is more; then 0, or why it ended */
	uint8_t input[INPUT_SIZE];
	char output[BUNDLE_BLOCK];
};

static uint32_t number(const uint8_t *bytes, size_t length)
{
	uint32_t value = 0;

	while (length-- > 0)
		value = value << 8 | bytes[length];
	return value;
}

/* As many bytes as there are at this offset, up to `size`; -1: see errno. */
static ssize_t read_at(struct bundle_layer *file, void *bytes, size_t size, uint64_t offset)
{
	ssize_t length;

	do
		length = pread(file->fd, bytes, size, (off_t)offset);
	while (length < 0 && errno == EINTR);
	return length;
}

/* The header whose data begin at `data`: the last one before it whose lengths lead there. */
static const uint8_t *find_header(const uint8_t *bytes, size_t length)
{
	for (size_t size = HEADER_SIZE; size <= length; size++) {
		const uint8_t *header = bytes + length - size;

		if (memcmp(header, "PK\3\4", 4) == 0 &&
			HEADER_SIZE + number(header + 26, 2) + number(header + 28, 2) == size)
			return header;
	}
	return NULL;
}

int bundle_deflate_begin(
	struct bundle_deflate **deflate, struct bundle_layer *layer, uint64_t data, uint64_t size)
{
	struct bundle_deflate *own = *deflate;
	const uint8_t *header;
	ssize_t length;
	size_t before = data < HEADER_MAXIMUM ? (size_t)data : HEADER_MAXIMUM;

	if (own == NULL)
		own = *deflate = malloc(sizeof(*own));
	if (own == NULL)
		return ERROR_MEMORY;
	length = read_at(layer->below, own->input, before, data - before);
	if (length < 0 || (size_t)length != before)
		return 0;
	header = find_header(own->input, before);
	if (header == NULL || number(header + 8, 2) != METHOD_DEFLATE)
		return 0;
	own->flags = number(header + 6, 2);
	own->sum = number(header + 14, 4);
	if ((own->flags & FLAG_ENCRYPTED) != 0)
		return 0;
	memset(&own->state, 0, sizeof(own->state));
	isal_inflate_init(&own->state);
	own->state.crc_flag = ISAL_GZIP_NO_HDR;
	own->position = data;
	own->size = size;
	own->given = 0;
	own->result = 1;
	return 1;
}

/* More packed bytes: 1, or an error. */
static int more_input(struct bundle_deflate *own, struct bundle_layer *layer)
{
	ssize_t length = read_at(layer->below, own->input, INPUT_SIZE, own->position);

	if (length < 0)
		return bundle_fault(layer->bundle, "cannot be read: %s", strerror(errno));
	if (length == 0)
		return bundle_fault(layer->bundle, "damaged: the zip file ends too early");
	own->position += (uint64_t)length;
	if (own->position > layer->packed)
		layer->packed = own->position;
	bundle_layer_progress(layer->below, (uint64_t)length);
	own->state.next_in = own->input;
	own->state.avail_in = (uint32_t)length;
	return 1;
}

/* The check sum that comes after the data, with or without a mark before it. */
static bool descriptor_has(struct bundle_deflate *own, struct bundle_layer *layer, uint32_t sum)
{
	uint8_t bytes[8];
	uint64_t end =
		own->position - own->state.avail_in - (uint64_t)own->state.read_in_length / 8;

	if (read_at(layer->below, bytes, sizeof(bytes), end) != sizeof(bytes))
		return false;
	return number(bytes, 4) == sum ||
		(memcmp(bytes, "PK\7\x8", 4) == 0 && number(bytes + 4, 4) == sum);
}

/* At the end of the data: 0, or an error. */
static int verify(struct bundle_deflate *own, struct bundle_layer *layer)
{
	uint32_t sum = own->state.crc;
	bool right = sum == own->sum;

	if (!right && (own->flags & FLAG_DESCRIPTOR) != 0)
		right = descriptor_has(own, layer, sum);
	if (!right)
		return bundle_fault(layer->bundle, "damaged: its check sum (CRC) is wrong");
	if (own->given != own->size)
		return bundle_fault(layer->bundle, "damaged: not as long as the zip file says");
	return 0;
}

/* One step: 1 to go on, 0 at the end, or an error. */
static int inflate_step(struct bundle_deflate *own, struct bundle_layer *layer)
{
	/* first without new input: the inflater may hold output that had no room before */
	if (isal_inflate(&own->state) < 0)
		return bundle_fault(layer->bundle, "damaged: it cannot be unpacked any further");
	if (own->state.block_state == ISAL_BLOCK_FINISH)
		return 0;
	if (own->state.avail_in > 0 || own->state.avail_out == 0)
		return 1;
	return more_input(own, layer);
}

int bundle_deflate_block(struct bundle_deflate *own, struct bundle_layer *layer,
	const char **ret_bytes, size_t *ret_length)
{
	size_t length;

	if (own->result != 1)
		return own->result;
	own->state.next_out = (uint8_t *)own->output;
	own->state.avail_out = BUNDLE_BLOCK;
	while (own->result == 1 && own->state.avail_out > 0)
		own->result = inflate_step(own, layer);
	length = BUNDLE_BLOCK - own->state.avail_out;
	own->given += length;
	if (own->result == 0)
		own->result = verify(own, layer);
	if (length == 0)
		return own->result;
	*ret_bytes = own->output;
	*ret_length = length;
	return 1;
}

void bundle_deflate_free(struct bundle_deflate *deflate)
{
	free(deflate);
}
