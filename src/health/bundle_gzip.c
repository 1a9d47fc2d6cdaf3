/*
 * gzip by ISA-L: twice as fast as the inflating in libarchive, and when the packed bytes end early,
 * everything up to there is given.
 */
#include "health/bundle_private.h"

#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct bundle_gzip {
	struct inflate_state state;
	bool between; /* of two members: gzip files may be joined end to end */
	int failed;   /* to be said once the bytes before it are given */
	bool ended;
};

static void member_begins(struct bundle_gzip *gzip)
{
	struct inflate_state *state = &gzip->state;
	uint8_t *next_in = state->next_in, *next_out = state->next_out;
	uint32_t avail_in = state->avail_in, avail_out = state->avail_out;

	isal_inflate_init(state);
	state->crc_flag = ISAL_GZIP;
	state->next_in = next_in;
	state->avail_in = avail_in;
	state->next_out = next_out;
	state->avail_out = avail_out;
	gzip->between = false;
}

int bundle_gzip_open(struct bundle_layer *layer)
{
	/* zeroed: the inflater keeps what it was given before */
	struct bundle_gzip *gzip = calloc(1, sizeof(*gzip));

	if (gzip == NULL)
		return ERROR_MEMORY;
	member_begins(gzip);
	layer->gzip = gzip;
	return 0;
}

void bundle_gzip_close(struct bundle_layer *layer)
{
	free(layer->gzip);
	layer->gzip = NULL;
}

/* More packed bytes: 1, 0 at their end, or an error. */
static int more_input(struct bundle_layer *layer)
{
	struct bundle_gzip *gzip = layer->gzip;
	const char *bytes;
	size_t length;
	int result = bundle_layer_take(layer->below, &bytes, &length);

	if (result != 1)
		return result;
	/* the inflater only reads them, although its pointer does not say so */
	gzip->state.next_in = (uint8_t *)(uintptr_t)bytes;
	gzip->state.avail_in = (uint32_t)length;
	layer->packed += length;
	return 1;
}

/* After a member: the next one, zeros to fill a block of some tape, or nothing. 0 or an error. */
static int next_member(struct bundle_layer *layer)
{
	struct bundle_gzip *gzip = layer->gzip;

	while (gzip->state.avail_in > 0 && gzip->state.next_in[0] == 0) {
		gzip->state.next_in++;
		gzip->state.avail_in--;
	}
	if (gzip->state.avail_in == 0)
		return 0;
	if (gzip->state.next_in[0] != 0x1f)
		return bundle_fault(layer->bundle, "damaged: no gzip data after its end");
	member_begins(gzip);
	return 0;
}

static const char *inflate_text(int code)
{
	switch (code) {
	case ISAL_INCORRECT_CHECKSUM:
		return "damaged: the check sum of the gzip data is wrong";
	case ISAL_UNSUPPORTED_METHOD:
		return "packed by a method that gzip does not know";
	default:
		return "damaged gzip data";
	}
}

/* One step: 1 to go on, 0 at the end, or an error. */
static int inflate_step(struct bundle_layer *layer)
{
	struct bundle_gzip *gzip = layer->gzip;
	int result;

	/* first without new input: the inflater may hold output that had no room before */
	if (!gzip->between) {
		result = isal_inflate(&gzip->state);
		if (result < 0)
			return bundle_fault(layer->bundle, "%s", inflate_text(result));
		gzip->between = gzip->state.block_state == ISAL_BLOCK_FINISH;
		if (gzip->state.avail_in > 0 || gzip->state.avail_out == 0)
			return 1;
	}
	if (gzip->state.avail_in == 0) {
		result = more_input(layer);
		gzip->ended = result == 0 && gzip->between;
		if (result == 0 && !gzip->ended)
			return bundle_fault(layer->bundle, "damaged: the gzip data ends too early");
		if (result != 1)
			return result;
	}
	if (gzip->between) {
		result = next_member(layer);
		return result < 0 ? result : 1;
	}
	return 1;
}

ssize_t bundle_gzip_read(struct bundle_layer *layer, char *bytes, size_t size)
{
	struct bundle_gzip *gzip = layer->gzip;
	size_t part = size < BUNDLE_BLOCK ? size : BUNDLE_BLOCK;
	ssize_t given;
	int result = 1;

	if (gzip->ended)
		return 0;
	if (gzip->failed != 0)
		return gzip->failed;
	gzip->state.next_out = (uint8_t *)bytes;
	gzip->state.avail_out = (uint32_t)part;
	while (result == 1 && gzip->state.avail_out > 0)
		result = inflate_step(layer);
	given = (ssize_t)(part - gzip->state.avail_out);
	if (result < 0)
		gzip->failed = result;
	return given > 0 || result >= 0 ? given : result;
}
