/*
 * log_file.h - where made-up logs go: the files of a bundle, rotated, or one stream.
 *
 * The names are those of agents on Windows, pcoip_agent_2024_01_08_0000a1b2.txt; the number at
 * their end rises, so that their order by name is their order in time. No existing file is
 * overwritten.
 */
#ifndef FAIRLEAD_BENCH_LOG_FILE_H
#define FAIRLEAD_BENCH_LOG_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "bench/log_line.h"

enum log_kind {
	LOG_AGENT,
	LOG_SERVER,
	LOG_KINDS,
};

struct log_file {
	int fd;         /* -1: not open */
	uint64_t bytes; /* of the part that is open */
	size_t used;    /* of the buffer */
	char *buffer;
};

struct log_files {
	const char *folder; /* NULL: everything in order to standard output */
	uint64_t rotate;    /* a part is closed from there on; 0: never */
	uint64_t total;     /* bytes of all files */
	uint32_t number;    /* of the last file */
	int error;          /* errno of the first write that failed; what follows is dropped */
	struct log_file files[LOG_KINDS];
};

/* Makes the folder if it is not there. 0, or an errno. Free with log_files_close. */
int log_files_open(struct log_files *files, const char *folder, uint64_t rotate, uint32_t number);

/* Room for a line; its file is opened with the clock's date when it is not. Never NULL. */
char *log_files_room(struct log_files *files, enum log_kind kind, const struct log_clock *clock);

/* The line was written there, up to here. */
void log_files_add(struct log_files *files, enum log_kind kind, const char *end);

/* Writes what is left. 0, or the errno of the first fault of all. */
int log_files_close(struct log_files *files);

#endif
