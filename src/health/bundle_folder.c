/*
 * Files and folders: never through a link, never waiting for a FIFO, nothing twice.
 */
#include "health/bundle_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

/* FIFOs do not wait for a writer, terminals do not become ours. */
#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

struct entry {
	char *name;  /* as the file system has it */
	char *group; /* of the cleaned name */
	uint64_t order;
};

struct bundle_folder {
	struct entry *entries;
	size_t count, next, capacity;
};

/* Files and folders that were read, by device and number, in a table with open addresses. */
struct bundle_seen {
	struct identity {
		dev_t device;
		ino_t number;
		bool used;
	} * slots;
	size_t count, capacity;
};

static struct identity *slot_of(struct bundle_seen *seen, dev_t device, ino_t number)
{
	uint64_t hash = ((uint64_t)number * 0x9e3779b97f4a7c15u) ^ (uint64_t)device;
	size_t at = (size_t)(hash >> 20) & (seen->capacity - 1);

	while (seen->slots[at].used &&
		(seen->slots[at].device != device || seen->slots[at].number != number))
		at = (at + 1) & (seen->capacity - 1);
	return &seen->slots[at];
}

static int seen_grow(struct bundle_seen *seen)
{
	struct bundle_seen larger = {
		.count = seen->count, .capacity = seen->capacity ? 2 * seen->capacity : 256};

	larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return ERROR_MEMORY;
	for (size_t i = 0; i < seen->capacity; i++) {
		struct identity *old = &seen->slots[i];
		if (old->used)
			*slot_of(&larger, old->device, old->number) = *old;
	}
	free(seen->slots);
	*seen = larger;
	return 0;
}

/* 1: for the first time, 0: again, or ERROR_MEMORY. */
static int seen_add(struct bundle *bundle, const struct stat *status)
{
	struct bundle_seen *seen = bundle->seen;
	struct identity *slot;

	if (seen == NULL) {
		seen = bundle->seen = calloc(1, sizeof(*seen));
		if (seen == NULL)
			return ERROR_MEMORY;
	}
	if (2 * (seen->count + 1) > seen->capacity && seen_grow(seen) != 0)
		return ERROR_MEMORY;
	slot = slot_of(seen, status->st_dev, status->st_ino);
	if (slot->used)
		return 0;
	*slot = (struct identity){status->st_dev, status->st_ino, true};
	seen->count++;
	return 1;
}

void bundle_folder_forget(struct bundle_seen *seen)
{
	if (seen != NULL)
		free(seen->slots);
	free(seen);
}

static void tell_errno(
	struct bundle *bundle, const char *path, const char *what, int number, enum bundle_why why)
{
	char reason[BUNDLE_REASON_SIZE];

	snprintf(reason, sizeof(reason), "%s: %s", what, strerror(number));
	bundle_tell(bundle, path, reason, why);
}

/* ---- a folder's entries ---- */

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int result = strcmp(a->group, b->group);

	if (result == 0 && a->order != b->order)
		result = a->order < b->order ? -1 : 1;
	return result != 0 ? result : strcmp(a->name, b->name);
}

static int add_entry(struct bundle_folder *folder, const char *name)
{
	struct entry *entry;
	char *clean;

	if (folder->count == folder->capacity) {
		size_t capacity = folder->capacity ? 2 * folder->capacity : 64;
		struct entry *entries = reallocarray(folder->entries, capacity, sizeof(*entries));
		if (entries == NULL)
			return ERROR_MEMORY;
		folder->entries = entries;
		folder->capacity = capacity;
	}
	entry = &folder->entries[folder->count];
	clean = bundle_name_join(NULL, name);
	entry->name = strdup(name);
	entry->group = clean != NULL ? malloc(strlen(clean) + 1) : NULL;
	folder->count++;
	if (entry->name == NULL || entry->group == NULL) {
		free(clean);
		return ERROR_MEMORY;
	}
	entry->order = bundle_rotation_group(clean, entry->group);
	free(clean);
	return 0;
}

/* All names, up to one more than may be read: then the walk says so. */
static int scan(struct bundle_layer *layer)
{
	struct bundle *bundle = layer->bundle;
	struct bundle_folder *folder = layer->folder;
	/* the stream closes its descriptor; the layer keeps its own for openat */
	int fd = fcntl(layer->fd, F_DUPFD_CLOEXEC, 3);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *found;
	int error = 0;

	if (stream == NULL) {
		tell_errno(bundle, layer->path, "cannot be read", errno, BUNDLE_LOST_REST);
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (error == 0 && folder->count <= bundle->limits.members - bundle->members) {
		errno = 0;
		found = readdir(stream);
		if (found == NULL) {
			if (errno != 0)
				tell_errno(bundle, layer->path, "cannot be read", errno,
					BUNDLE_LOST_REST);
			break;
		}
		if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
			error = add_entry(folder, found->d_name);
	}
	closedir(stream);
	if (error == 0 && folder->count > 0)
		qsort(folder->entries, folder->count, sizeof(*folder->entries), compare_entries);
	return error;
}

void bundle_folder_close(struct bundle_layer *layer)
{
	struct bundle_folder *folder = layer->folder;

	for (size_t i = 0; i < folder->count; i++) {
		free(folder->entries[i].name);
		free(folder->entries[i].group);
	}
	free(folder->entries);
	free(folder);
	layer->folder = NULL;
}

/* ---- opening ---- */

/* Why what was opened is not read, or NULL. */
static const char *refusal(
	const struct stat *status, bool given, unsigned depth, enum bundle_why *ret_why)
{
	*ret_why = BUNDLE_PASSED_OVER;
	if (S_ISLNK(status->st_mode))
		return "a symbolic link, which is not followed";
	if (S_ISDIR(status->st_mode)) {
		*ret_why = BUNDLE_LOST;
		return depth > BUNDLE_FOLDER_DEPTH ? "too many folders within each other" : NULL;
	}
	if (S_ISREG(status->st_mode) || (given && S_ISFIFO(status->st_mode)))
		return NULL;
	return "a device, FIFO or socket";
}

/* Puts an open file or folder on the stack. Takes over fd and path. 1; 0 when it was told instead;
 * ERROR_MEMORY. */
static int push(struct bundle *bundle, int fd, char *path, bool given, unsigned depth)
{
	struct bundle_layer *layer;
	struct stat status = {0};
	const char *reason = NULL;
	enum bundle_why why = BUNDLE_LOST;
	bool is_folder;
	int fresh;

	if (fstat(fd, &status) != 0)
		reason = "cannot be read";
	else
		reason = refusal(&status, given, depth, &why);
	fresh = reason == NULL ? seen_add(bundle, &status) : 0;
	if (reason == NULL && fresh == 0) {
		reason = "read already, under another or the same name";
		why = BUNDLE_PASSED_OVER;
	}
	if (reason != NULL)
		bundle_tell(bundle, path, reason, why);
	if (fresh != 1) {
		if (reason != NULL && S_ISREG(status.st_mode))
			bundle->done += (uint64_t)status.st_size;
		if (fd > STDIN_FILENO)
			close(fd);
		free(path);
		return fresh;
	}
	is_folder = S_ISDIR(status.st_mode);
	layer = bundle_layer_push(
		bundle, is_folder ? BUNDLE_LAYER_FOLDER : BUNDLE_LAYER_FILE, depth, path);
	if (layer == NULL) {
		if (fd > STDIN_FILENO)
			close(fd);
		return ERROR_MEMORY;
	}
	layer->fd = fd;
	layer->seekable = S_ISREG(status.st_mode) && lseek(fd, 0, SEEK_CUR) == 0;
	layer->size = (uint64_t)status.st_size;
	if (!is_folder) {
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
		return 1;
	}
	layer->folder = calloc(1, sizeof(*layer->folder));
	if (layer->folder == NULL || scan(layer) != 0)
		return ERROR_MEMORY;
	return 1;
}

int bundle_folder_input(struct bundle *bundle, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	char *shown = bundle_name_join(NULL, path);
	int fd, result;

	if (shown == NULL)
		return ERROR_MEMORY;
	if (!bundle_count(bundle, shown)) {
		free(shown);
		return 0;
	}
	fd = is_stdin ? STDIN_FILENO : open(path, OPEN_FLAGS);
	if (fd < 0) {
		tell_errno(bundle, shown, "cannot be opened", errno, BUNDLE_PASSED_OVER);
		free(shown);
		return 0;
	}
	result = push(bundle, fd, shown, true, 1);
	return result < 0 ? result : 0;
}

/* Opens one entry without following it. */
static int open_entry(struct bundle_layer *layer, const char *name, char *path)
{
	struct bundle *bundle = layer->bundle;
	struct stat status;
	enum bundle_why why;
	const char *reason;
	int fd;

	if (fstatat(layer->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
		tell_errno(bundle, path, "cannot be opened", errno, BUNDLE_PASSED_OVER);
		free(path);
		return 0;
	}
	/* asked before opening, because opening a device can do something */
	reason = refusal(&status, false, layer->depth + 1, &why);
	if (reason != NULL) {
		bundle_tell(bundle, path, reason, why);
		free(path);
		return 0;
	}
	fd = openat(layer->fd, name, OPEN_FLAGS | O_NOFOLLOW);
	if (fd < 0) {
		tell_errno(bundle, path, "cannot be opened", errno, BUNDLE_PASSED_OVER);
		free(path);
		return 0;
	}
	return push(bundle, fd, path, false, layer->depth + 1);
}

int bundle_folder_next(struct bundle_layer *layer)
{
	struct bundle_folder *folder = layer->folder;

	while (folder->next < folder->count) {
		const char *name = folder->entries[folder->next++].name;
		char *path;
		int result;

		if (!bundle_count(layer->bundle, layer->path))
			return 0;
		path = bundle_name_join(layer->path, name);
		if (path == NULL)
			return ERROR_MEMORY;
		result = open_entry(layer, name, path);
		if (result != 0)
			return result;
	}
	return 0;
}
