/*
 * bundle_fixture.h - folders and archives to read, and what came of reading them.
 */
#ifndef FAIRLEAD_TESTS_BUNDLE_FIXTURE_H
#define FAIRLEAD_TESTS_BUNDLE_FIXTURE_H

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "health/bundle.h"

#define READ_MAXIMUM 512 /* members and notices that are kept; more are counted */

/* What came of reading a bundle. */
struct reading {
	size_t members, skips;
	size_t lost; /* of the skips: not BUNDLE_PASSED_OVER */
	struct bundle_member member[READ_MAXIMUM];
	struct buffer bytes[READ_MAXIMUM];
	uint64_t length[READ_MAXIMUM]; /* also where bytes is full */
	int error[READ_MAXIMUM];       /* of bundle_read */
	char *skipped[READ_MAXIMUM];   /* "path: reason" */
	int end;                       /* of bundle_next */
	uint64_t all, done, total;
};

static char folder[64];

static int folder_setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/fairlead-bundle-XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

static int folder_teardown(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* folder/name, in one of a few places that take turns. */
static char *in_folder(const char *name)
{
	static char paths[8][512];
	static unsigned turn;
	char *path = paths[turn++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static char *make_file(const char *name, const void *bytes, size_t length)
{
	char *path = in_folder(name);
	FILE *file = fopen(path, "wb");
	size_t written;
	int closed;

	assert(file != NULL);
	written = fwrite(bytes, 1, length, file);
	closed = fclose(file);
	assert(written == length && closed == 0);
	return path;
}

static inline char *make_text(const char *name, const char *text)
{
	return make_file(name, text, strlen(text));
}

static inline char *make_folder(const char *name)
{
	char *path = in_folder(name);

	assert(mkdir(path, 0700) == 0);
	return path;
}

static void note_skipped(void *context, const char *path, const char *reason, enum bundle_why why)
{
	struct reading *reading = context;

	assert(strlen(path) < BUNDLE_PATH_SIZE && strlen(reason) < BUNDLE_REASON_SIZE);
	assert(*reason != '\0');
	if (reading->skips < READ_MAXIMUM) {
		int length = asprintf(&reading->skipped[reading->skips], "%s: %s", path, reason);
		assert(length > 0);
	}
	reading->skips++;
	reading->lost += why != BUNDLE_PASSED_OVER;
}

static void read_member(struct bundle *bundle, struct reading *reading, size_t at, size_t step)
{
	char bytes[65536];
	ssize_t length;

	while ((length = bundle_read(bundle, bytes, step)) > 0) {
		reading->all += (uint64_t)length;
		if (at < READ_MAXIMUM) {
			reading->length[at] += (uint64_t)length;
			(void)buffer_append(&reading->bytes[at], bytes, (size_t)length);
		}
	}
	if (at < READ_MAXIMUM)
		reading->error[at] = (int)length;
	/* at its end it stays */
	assert(bundle_read(bundle, bytes, step) == 0);
}

/* Reads everything in steps of `step` bytes; 0: opens the members only. Paths are shown without the
 * test's folder. Free with reading_free. */
static struct reading *read_paths(
	char *const *paths, size_t count, const struct bundle_limits *limits, size_t step)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	struct bundle_limits standard;
	struct bundle *bundle;
	struct bundle_member member;

	assert(reading != NULL);
	bundle_limits_default(&standard);
	bundle = bundle_new(
		paths, count, limits != NULL ? limits : &standard, note_skipped, reading);
	assert(bundle != NULL);
	while ((reading->end = bundle_next(bundle, &member)) == 1) {
		size_t at = reading->members++;
		if (at < READ_MAXIMUM) {
			reading->member[at] = member;
			buffer_init(&reading->bytes[at], 1 << 22);
		}
		if (step > 0)
			read_member(bundle, reading, at, step);
	}
	bundle_progress(bundle, &reading->done, &reading->total);
	bundle_free(bundle);
	return reading;
}

static inline struct reading *read_one(char *path)
{
	return read_paths(&path, 1, NULL, 65536);
}

static void reading_free(struct reading *reading)
{
	for (size_t i = 0; i < READ_MAXIMUM; i++) {
		free(reading->skipped[i]);
		if (i < reading->members)
			buffer_free(&reading->bytes[i]);
	}
	free(reading);
}

/* A path without the test's folder. */
static const char *shown(const char *path)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 ? path + length + 1 : path;
}

/* The number of the member with this path (without the folder), or -1. */
static inline int member_at(const struct reading *reading, const char *path)
{
	for (size_t i = 0; i < reading->members && i < READ_MAXIMUM; i++) {
		if (strcmp(shown(reading->member[i].path), path) == 0)
			return (int)i;
	}
	return -1;
}

static inline const char *text_of(const struct reading *reading, const char *path)
{
	int at = member_at(reading, path);

	if (at < 0)
		return "(no such member)";
	return reading->bytes[at].length > 0 ? reading->bytes[at].bytes : "";
}

/* That something of this path was skipped for a reason with these words. */
static inline bool was_skipped(const struct reading *reading, const char *path, const char *words)
{
	for (size_t i = 0; i < reading->skips && i < READ_MAXIMUM; i++) {
		const char *text = shown(reading->skipped[i]);
		size_t length = strlen(path);
		if (strncmp(text, path, length) == 0 && strncmp(text + length, ": ", 2) == 0 &&
			strstr(text + length, words) != NULL)
			return true;
	}
	return false;
}

/* ---- archives ---- */

struct pack {
	struct archive *archive;
	struct buffer bytes;
};

static la_ssize_t pack_write(
	struct archive *archive, void *context, const void *bytes, size_t length)
{
	struct pack *pack = context;

	(void)archive;
	assert(buffer_append(&pack->bytes, bytes, length) == 0);
	return (la_ssize_t)length;
}

/* An archive in memory: ARCHIVE_FORMAT_ZIP, _TAR_USTAR, _TAR_PAX_INTERCHANGE, _RAW;
 * ARCHIVE_FILTER_*. */
static inline void pack_begin(struct pack *pack, int format, int filter)
{
	buffer_init(&pack->bytes, 1 << 26);
	pack->archive = archive_write_new();
	assert(pack->archive != NULL);
	assert(archive_write_set_format(pack->archive, format) == ARCHIVE_OK);
	assert(archive_write_add_filter(pack->archive, filter) == ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(pack->archive, 1);
	assert(archive_write_open(pack->archive, pack, NULL, pack_write, NULL) == ARCHIVE_OK);
}

static inline void pack_entry(struct pack *pack, const char *name, unsigned type, const char *link,
	const void *bytes, size_t length)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, type);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)length);
	if (type == AE_IFLNK)
		archive_entry_set_symlink(entry, link);
	else if (link != NULL)
		archive_entry_set_hardlink(entry, link);
	assert(archive_write_header(pack->archive, entry) >= ARCHIVE_WARN);
	if (length > 0)
		assert(archive_write_data(pack->archive, bytes, length) == (la_ssize_t)length);
	archive_entry_free(entry);
}

static inline void pack_text(struct pack *pack, const char *name, const char *text)
{
	pack_entry(pack, name, AE_IFREG, NULL, text, strlen(text));
}

/* The archive is complete in pack->bytes; free them with buffer_free. */
static inline void pack_end(struct pack *pack)
{
	assert(archive_write_close(pack->archive) == ARCHIVE_OK);
	archive_write_free(pack->archive);
}

/* One stream, compressed. */
static inline void pack_stream(struct pack *pack, int filter, const void *bytes, size_t length)
{
	pack_begin(pack, ARCHIVE_FORMAT_RAW, filter);
	pack_entry(pack, "-", AE_IFREG, NULL, bytes, length);
	pack_end(pack);
}

static inline char *make_pack(const char *name, struct pack *pack)
{
	char *path = make_file(name, pack->bytes.bytes, pack->bytes.length);

	buffer_free(&pack->bytes);
	return path;
}

/* Lines that no packing makes very small; the same every time. */
static inline char *make_lines(size_t length)
{
	char *lines = malloc(length + 1);
	uint32_t value = 12345;

	assert(lines != NULL);
	for (size_t i = 0; i < length; i++) {
		value = value * 1664525 + 1013904223;
		lines[i] = i % 80 == 79 ? '\n' : (char)('a' + (value >> 24) % 26);
	}
	lines[length] = '\0';
	return lines;
}

/* Three members, the middle one of `lines`. */
static inline void pack_three(struct pack *pack, const char *lines, size_t length)
{
	pack_begin(pack, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE);
	pack_text(pack, "a.log", "first\n");
	pack_entry(pack, "b.log", AE_IFREG, NULL, lines, length);
	pack_text(pack, "c.log", "last\n");
	pack_end(pack);
}

/* Sets a number of a tar header and makes the check sum right again. */
static inline void set_tar_number(char *header, size_t at, const char *octal)
{
	unsigned sum = 0;
	char text[16];

	memcpy(header + at, octal, strlen(octal));
	memset(header + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)header[i];
	snprintf(text, sizeof(text), "%06o", sum);
	memcpy(header + 148, text, 7);
}

#endif
