/*
 * How much there is to read, before it is read: so that progress is known.
 */
#include "health/bundle_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct total {
	uint64_t bytes;
	uint64_t left; /* files and folders that may still be looked at */
	bool known;
};

static void add_folder(struct total *total, int fd, unsigned depth);

static void add_entry(struct total *total, int folder, const char *name, unsigned depth)
{
	struct stat status;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return;
	if (total->left == 0) {
		total->known = false;
		return;
	}
	total->left--;
	if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	if (S_ISREG(status.st_mode))
		total->bytes += (uint64_t)status.st_size;
	else if (S_ISDIR(status.st_mode) && depth < BUNDLE_FOLDER_DEPTH)
		add_folder(total,
			openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
			depth + 1);
}

/* Takes over the descriptor. */
static void add_folder(struct total *total, int fd, unsigned depth)
{
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *found;

	if (stream == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (total->known && (found = readdir(stream)) != NULL)
		add_entry(total, dirfd(stream), found->d_name, depth);
	closedir(stream);
}

uint64_t bundle_total_bytes(char *const *paths, size_t count, uint64_t members)
{
	struct total total = {.left = members, .known = true};

	for (size_t i = 0; i < count && total.known; i++) {
		struct stat status;

		if (strcmp(paths[i], "-") == 0)
			return 0;
		if (stat(paths[i], &status) != 0)
			continue;
		if (S_ISREG(status.st_mode))
			total.bytes += (uint64_t)status.st_size;
		else if (S_ISDIR(status.st_mode))
			add_folder(&total, open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC), 1);
		else
			return 0;
	}
	return total.known ? total.bytes : 0;
}
