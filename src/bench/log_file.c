#include "bench/log_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE (256 * 1024)

int log_files_open(struct log_files *files, const char *folder, uint64_t rotate, uint32_t number)
{
	struct log_files made = {.folder = folder, .rotate = rotate, .number = number};

	if (folder != NULL && mkdir(folder, 0777) != 0 && errno != EEXIST)
		return errno;
	for (size_t i = 0; i < LOG_KINDS; i++) {
		made.files[i].fd = folder == NULL ? STDOUT_FILENO : -1;
		made.files[i].buffer = malloc(BUFFER_SIZE);
		if (made.files[i].buffer == NULL) {
			log_files_close(&made);
			return ENOMEM;
		}
	}
	*files = made;
	return 0;
}

static void flush(struct log_files *files, struct log_file *file)
{
	size_t at = 0;

	while (at < file->used && files->error == 0) {
		ssize_t length = write(file->fd, file->buffer + at, file->used - at);
		if (length > 0)
			at += (size_t)length;
		else if (length == 0 || errno != EINTR)
			files->error = length == 0 ? EIO : errno;
	}
	file->used = 0;
}

/* Of a stream there is one file only, whatever the kind. */
static struct log_file *file_of(struct log_files *files, enum log_kind kind)
{
	return &files->files[files->folder == NULL ? LOG_AGENT : kind];
}

static void open_file(struct log_files *files, enum log_kind kind, const struct log_clock *clock)
{
	static const char *const names[] = {[LOG_AGENT] = "agent", [LOG_SERVER] = "server"};
	const char *date = clock->text;
	char path[PATH_MAX];

	int length = snprintf(path, sizeof(path), "%s/pcoip_%s_%.4s_%.2s_%.2s_%08x.txt",
		files->folder, names[kind], date, date + 5, date + 8, files->number);
	files->number += 1 + files->number % 97;
	if (length < 0 || (size_t)length >= sizeof(path)) {
		files->error = ENAMETOOLONG;
		return;
	}
	files->files[kind].fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (files->files[kind].fd < 0)
		files->error = errno;
}

char *log_files_room(struct log_files *files, enum log_kind kind, const struct log_clock *clock)
{
	struct log_file *file = file_of(files, kind);

	if (file->used > BUFFER_SIZE - LOG_LINE_MAXIMUM)
		flush(files, file);
	if (file->fd < 0 && files->error == 0)
		open_file(files, kind, clock);
	return file->buffer + file->used;
}

static void close_file(struct log_files *files, struct log_file *file)
{
	if (file->fd < 0)
		return;
	flush(files, file);
	if (files->folder != NULL && close(file->fd) != 0 && files->error == 0)
		files->error = errno;
	file->fd = -1;
	file->bytes = 0;
}

void log_files_add(struct log_files *files, enum log_kind kind, const char *end)
{
	struct log_file *file = file_of(files, kind);
	size_t length = (size_t)(end - file->buffer) - file->used;

	assert(length <= LOG_LINE_MAXIMUM);
	file->used += length;
	file->bytes += length;
	files->total += length;
	if (files->rotate != 0 && file->bytes >= files->rotate && files->folder != NULL)
		close_file(files, file);
}

int log_files_close(struct log_files *files)
{
	for (size_t i = 0; i < LOG_KINDS; i++) {
		close_file(files, &files->files[i]);
		free(files->files[i].buffer);
		files->files[i].buffer = NULL;
	}
	return files->error;
}
