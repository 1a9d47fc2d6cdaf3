/*
 * The walk: from layer to layer until there is a member that is plain.
 */
#include "health/bundle_private.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"

void bundle_limits_default(struct bundle_limits *limits)
{
	*limits = (struct bundle_limits){
		.members = 100000,
		.bytes = (uint64_t)64 << 30,
		.member_bytes = (uint64_t)32 << 30,
		.ratio = 1000,
		.depth = 4,
	};
}

struct bundle *bundle_new(char *const *paths, size_t count, const struct bundle_limits *limits,
	bundle_skipped *skipped, void *context)
{
	struct bundle *bundle = calloc(1, sizeof(*bundle));

	assert(skipped != NULL && limits->ratio > 0);
	if (bundle == NULL)
		return NULL;
	bundle->paths = paths;
	bundle->count = count;
	bundle->limits = *limits;
	bundle->skipped = skipped;
	bundle->context = context;
	return bundle;
}

void bundle_free(struct bundle *bundle)
{
	if (bundle == NULL)
		return;
	while (bundle->top != NULL)
		bundle_layer_pop(bundle);
	bundle_folder_forget(bundle->seen);
	free(bundle);
}

void bundle_tell(struct bundle *bundle, const char *path, const char *reason, enum bundle_why why)
{
	char shown[BUNDLE_PATH_SIZE];

	bundle_name_cut(shown, sizeof(shown), path);
	bundle->skipped(bundle->context, shown, reason, why);
}

int bundle_fault(struct bundle *bundle, const char *format, ...)
{
	char text[4 * BUNDLE_REASON_SIZE];
	va_list arguments;

	if (bundle->fault[0] != '\0')
		return ERROR_INPUT;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	bundle_name_cut(bundle->fault, sizeof(bundle->fault), text);
	return ERROR_INPUT;
}

static void tell_fault(struct bundle *bundle, const char *path, enum bundle_why why)
{
	bundle_tell(bundle, path, bundle->fault[0] != '\0' ? bundle->fault : "damaged", why);
	bundle->fault[0] = '\0';
}

bool bundle_count(struct bundle *bundle, const char *path)
{
	char reason[BUNDLE_REASON_SIZE];

	if (bundle->ended)
		return false;
	if (bundle->members < bundle->limits.members) {
		bundle->members++;
		return true;
	}
	snprintf(reason, sizeof(reason),
		"more than %llu files and folders; this and what follows was not read",
		(unsigned long long)bundle->limits.members);
	bundle_tell(bundle, path, reason, BUNDLE_LOST_REST);
	bundle->ended = true;
	return false;
}

/* Takes off the lowest layer from which nothing more comes, and all that lies upon it. */
static void drop_dead(struct bundle *bundle)
{
	struct bundle_layer *lowest = NULL;

	for (struct bundle_layer *layer = bundle->top; layer != NULL; layer = layer->below) {
		if (layer->dead)
			lowest = layer;
	}
	for (bool last = lowest == NULL; !last;) {
		struct bundle_layer *top = bundle->top;
		last = top == lowest;
		if (top->kind == BUNDLE_LAYER_ARCHIVE && top->member != NULL)
			bundle_tell(bundle, top->path, "what follows in it was not read",
				BUNDLE_LOST_REST);
		bundle_layer_pop(bundle);
	}
}

/* Archives and compressed files within each other, with one of that content put on the top. A
 * compressed tar counts as one. */
static unsigned next_depth(const struct bundle_layer *top, enum bundle_content content)
{
	bool stream = top->kind == BUNDLE_LAYER_GZIP || top->kind == BUNDLE_LAYER_FILTER;

	if (top->kind == BUNDLE_LAYER_FILE)
		return 1;
	return top->depth + (content == BUNDLE_TAR && stream ? 0 : 1);
}

static int push_content(struct bundle *bundle, enum bundle_content content)
{
	struct bundle_layer *layer;
	char *path;
	unsigned depth = next_depth(bundle->top, content);
	enum bundle_layer_kind kind = BUNDLE_LAYER_FILTER;

	if (depth > bundle->limits.depth) {
		bundle_tell(bundle, bundle_layer_path(bundle->top),
			"too many archives within each other", BUNDLE_LOST);
		return 0;
	}
	if (content == BUNDLE_GZIP)
		kind = BUNDLE_LAYER_GZIP;
	else if (content == BUNDLE_ZIP || content == BUNDLE_TAR)
		kind = BUNDLE_LAYER_ARCHIVE;
	path = strdup(bundle_layer_path(bundle->top));
	if (path == NULL)
		return ERROR_MEMORY;
	layer = bundle_layer_push(bundle, kind, depth, path);
	if (layer == NULL)
		return ERROR_MEMORY;
	return content == BUNDLE_GZIP ? bundle_gzip_open(layer)
				      : bundle_archive_open(layer, content);
}

/* A new stream is on the top: 1 when it is plain, 0 when the walk goes on with something else. */
static int look(struct bundle *bundle)
{
	for (;;) {
		struct bundle_layer *top = bundle->top;
		int content = bundle_layer_look(top);
		int error = content < 0 ? content : 0;

		if (content == BUNDLE_PLAIN)
			return 1;
		if (content == BUNDLE_FOREIGN) {
			bundle_tell(bundle, bundle_layer_path(top),
				"packed in a way that is not read: zip, tar, gzip, bzip2, xz and "
				"zstd are",
				BUNDLE_PASSED_OVER);
			return 0;
		}
		if (content > 0)
			error = push_content(bundle, (enum bundle_content)content);
		if (error == ERROR_INPUT) {
			tell_fault(bundle, bundle_layer_path(bundle->top), BUNDLE_LOST);
			/* of what could not be opened there is nothing to pass over */
			if (bundle->top != top)
				bundle_layer_pop(bundle);
			return 0;
		}
		if (error != 0)
			return error;
		if (bundle->top == top || bundle->top->kind == BUNDLE_LAYER_ARCHIVE)
			return 0;
	}
}

/* One step: 1 when the top is a plain member, 0 to go on, or ERROR_MEMORY. */
static int step(struct bundle *bundle)
{
	struct bundle_layer *top = bundle->top;
	int result;

	switch (top->kind) {
	case BUNDLE_LAYER_FOLDER:
		result = bundle_folder_next(top);
		break;
	case BUNDLE_LAYER_ARCHIVE:
		result = bundle_archive_next(top);
		if (result == ERROR_INPUT) {
			tell_fault(bundle, top->path, top->dead ? BUNDLE_LOST_REST : BUNDLE_LOST);
			return 0;
		}
		break;
	default:
		result = 0;
		break;
	}
	if (result == 0) {
		/* at its end; or it was a stream, whose one member is done */
		bundle_layer_pop(bundle);
		return 0;
	}
	if (result < 0 || bundle->top->kind == BUNDLE_LAYER_FOLDER)
		return result < 0 ? result : 0;
	return look(bundle);
}

static int name_member(struct bundle *bundle, struct bundle_member *ret_member)
{
	const char *path = bundle_layer_path(bundle->top);
	char *group = malloc(strlen(path) + 1);

	if (group == NULL)
		return ERROR_MEMORY;
	ret_member->order = bundle_rotation_group(path, group);
	bundle_name_cut(ret_member->path, sizeof(ret_member->path), path);
	bundle_name_cut(ret_member->group, sizeof(ret_member->group), group);
	free(group);
	return 0;
}

int bundle_next(struct bundle *bundle, struct bundle_member *ret_member)
{
	int result = 0;

	bundle->reading = false;
	bundle->member_bytes = 0;
	bundle->fault[0] = '\0';
	if (bundle->top == NULL && bundle->next == 0)
		bundle->total =
			bundle_total_bytes(bundle->paths, bundle->count, bundle->limits.members);
	while (result == 0 && !bundle->ended) {
		drop_dead(bundle);
		if (bundle->top != NULL) {
			result = step(bundle);
		} else if (bundle->next < bundle->count) {
			result = bundle_folder_input(bundle, bundle->paths[bundle->next++]);
			if (result == 0 && bundle->top != NULL &&
				bundle->top->kind == BUNDLE_LAYER_FILE)
				result = look(bundle);
		} else {
			return 0;
		}
	}
	if (result != 1)
		return result;
	result = name_member(bundle, ret_member);
	bundle->reading = result == 0;
	return result == 0 ? 1 : result;
}

/* Counts bytes given to the caller, in all layers they came through. */
static int count_bytes(struct bundle *bundle, uint64_t length)
{
	bundle->bytes += length;
	bundle->member_bytes += length;
	if (bundle->bytes > bundle->limits.bytes) {
		bundle->ended = true;
		return bundle_fault(bundle,
			"more than %llu bytes unpacked in all; the rest of this and what follows "
			"was not read",
			(unsigned long long)bundle->limits.bytes);
	}
	if (bundle->member_bytes > bundle->limits.member_bytes)
		return bundle_fault(bundle, "longer than %llu bytes; the rest was not read",
			(unsigned long long)bundle->limits.member_bytes);
	for (struct bundle_layer *layer = bundle->top; layer != NULL; layer = layer->below) {
		if (layer->kind == BUNDLE_LAYER_FILE || layer->kind == BUNDLE_LAYER_FOLDER)
			continue;
		layer->leaves += length;
		if (bundle_layer_grown(layer, 0) != 0)
			return ERROR_INPUT;
	}
	return 0;
}

ssize_t bundle_read(struct bundle *bundle, char *bytes, size_t size)
{
	size_t given = 0;
	ssize_t length = 0;

	if (!bundle->reading)
		return 0;
	while (given < size) {
		length = bundle_layer_read(bundle->top, bytes + given, size - given);
		if (length <= 0)
			break;
		if (count_bytes(bundle, (uint64_t)length) != 0) {
			length = ERROR_INPUT;
			break;
		}
		given += (size_t)length;
	}
	if (given > 0 || length == 0)
		return (ssize_t)given;
	bundle->reading = false;
	if (length == ERROR_INPUT)
		tell_fault(bundle, bundle_layer_path(bundle->top),
			bundle->ended ? BUNDLE_LOST_REST : BUNDLE_LOST);
	return length;
}

void bundle_progress(const struct bundle *bundle, uint64_t *ret_done, uint64_t *ret_total)
{
	*ret_done = bundle->done;
	*ret_total = bundle->total;
}
