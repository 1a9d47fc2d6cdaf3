/*
 * bundle_private.h - what the parts of the bundle reader know of each other.
 *
 * The walk is a stack of layers. A folder gives files; a file, the inflated bytes of a gzip file
 * and the present member of an archive are streams of bytes; what lies in a stream is plain (then
 * it is the caller's) or a further layer upon it. Every layer pulls from the one below, so that a
 * .gz in a .tar.xz in a .zip costs one block of memory each and no file.
 */
#ifndef FAIRLEAD_HEALTH_BUNDLE_PRIVATE_H
#define FAIRLEAD_HEALTH_BUNDLE_PRIVATE_H

#include "health/bundle.h"

#define BUNDLE_BLOCK (256 * 1024)
#define BUNDLE_HEAD 512 /* first bytes of a stream, which decide what it is: a tar header */
#define BUNDLE_FOLDER_DEPTH 32
#define BUNDLE_RATIO_FREE (16 << 20) /* unpacked bytes that no ratio is asked for */

enum bundle_content {
	BUNDLE_PLAIN,
	BUNDLE_GZIP,
	BUNDLE_BZIP2,
	BUNDLE_XZ,
	BUNDLE_ZSTD,
	BUNDLE_ZIP,
	BUNDLE_TAR,
	BUNDLE_FOREIGN, /* packed, by something that is not read here */
};

enum bundle_layer_kind {
	BUNDLE_LAYER_FOLDER,
	BUNDLE_LAYER_FILE,
	BUNDLE_LAYER_GZIP,
	BUNDLE_LAYER_FILTER,  /* bzip2, xz, zstd: one stream */
	BUNDLE_LAYER_ARCHIVE, /* zip, tar: one stream for each member */
};

struct bundle_layer {
	struct bundle *bundle;
	struct bundle_layer *below; /* NULL: a first-level input */
	enum bundle_layer_kind kind;
	unsigned depth; /* folders, or archives and compressed files, up to and with this one */
	char *path;     /* of the layer, as shown but uncut in its length */
	char *member;   /* archive: the path of its present member, else NULL */
	bool dead;      /* nothing more comes from here */

	/* the stream: first what was looked at, then the rest of the last block, then new blocks */
	unsigned char head[BUNDLE_HEAD];
	size_t head_length, head_given;
	const char *rest;
	size_t rest_length;
	int error;   /* why there are no more */
	char *block; /* what this layer reads into, if it reads in blocks */

	uint64_t packed; /* bytes taken from below, or from a file; the same byte twice counts once
			  */
	uint64_t unpacked; /* bytes given */
	uint64_t leaves;   /* bytes that came out of this layer in the end, through any others */

	int fd;        /* file and folder, else -1; standard input is 0 and is not closed */
	bool seekable; /* a regular file */
	uint64_t size; /* of a file that is seekable, as it was opened */
	struct bundle_folder *folder;
	struct bundle_gzip *gzip;
	struct bundle_archive *archive;
};

struct bundle {
	char *const *paths;
	size_t count, next;
	struct bundle_limits limits;
	bundle_skipped *skipped;
	void *context;
	struct bundle_layer *top;
	struct bundle_seen *seen;
	uint64_t members, bytes, member_bytes;
	uint64_t done, total;           /* packed */
	bool reading;                   /* the top is a member that the caller may read */
	bool ended;                     /* a limit of the whole walk was reached */
	char fault[BUNDLE_REASON_SIZE]; /* of the present stream; the first reason counts */
};

/* bundle.c: tells `skipped`; both texts are cut to fit. */
void bundle_tell(struct bundle *bundle, const char *path, const char *reason, enum bundle_why why);

/* Keeps the first reason for the present stream's failure. Always ERROR_INPUT. */
int bundle_fault(struct bundle *bundle, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* One more file or folder: false, and told, when there are too many; the walk has then ended. */
bool bundle_count(struct bundle *bundle, const char *path);

/* bundle_layer.c: a new layer on top of the stack. Takes over the path. NULL: memory is short; the
 * path is freed. */
struct bundle_layer *bundle_layer_push(
	struct bundle *bundle, enum bundle_layer_kind kind, unsigned depth, char *path);
void bundle_layer_pop(struct bundle *bundle);

/* The path of the layer's present stream. */
const char *bundle_layer_path(const struct bundle_layer *layer);

/* Looks at the first bytes of a new stream and says what they are; they will be given again. The
 * number is an enum bundle_content, or ERROR_INPUT (see fault) or ERROR_MEMORY. */
int bundle_layer_look(struct bundle_layer *layer);

/* The next bytes of the stream, in place, valid until the next call: 1, 0 at its end, ERROR_INPUT
 * (see fault) or ERROR_MEMORY. */
int bundle_layer_take(struct bundle_layer *layer, const char **ret_bytes, size_t *ret_length);

/* The same, copied: the number, 0, or an error. Files and gzip fill `bytes` directly. */
ssize_t bundle_layer_read(struct bundle_layer *layer, char *bytes, size_t size);

/* The stream begins anew at its first byte. For files that can seek. */
int bundle_layer_rewind(struct bundle_layer *layer);

/* Counts bytes read from a file, for the progress. */
void bundle_layer_progress(struct bundle_layer *file, uint64_t length);

/* Counts bytes that came out of a layer: 0, or ERROR_INPUT when they are too many. */
int bundle_layer_grown(struct bundle_layer *layer, uint64_t length);

/* bundle_gzip.c */
int bundle_gzip_open(struct bundle_layer *layer);
void bundle_gzip_close(struct bundle_layer *layer);
ssize_t bundle_gzip_read(struct bundle_layer *layer, char *bytes, size_t size);

/* bundle_archive.c: a filter or an archive over the stream below. 0; ERROR_INPUT (see fault),
 * ERROR_MEMORY. */
int bundle_archive_open(struct bundle_layer *layer, enum bundle_content content);
void bundle_archive_close(struct bundle_layer *layer);
int bundle_archive_block(struct bundle_layer *layer, const char **ret_bytes, size_t *ret_length);

/* The next member that can be read: 1 (its path is in layer->member), 0 at the end, ERROR_INPUT
 * (see fault) or ERROR_MEMORY. What cannot be read is told. */
int bundle_archive_next(struct bundle_layer *layer);

/* bundle_deflate.c: gets ready for a deflated member of a zip that can seek, whose data begin at
 * that offset: 1; 0 when it has to be left to libarchive; ERROR_MEMORY. `*deflate` is NULL at first
 * and is used again; free it. */
struct bundle_deflate;
int bundle_deflate_begin(
	struct bundle_deflate **deflate, struct bundle_layer *layer, uint64_t data, uint64_t size);
void bundle_deflate_free(struct bundle_deflate *deflate);

/* As bundle_layer_take. */
int bundle_deflate_block(struct bundle_deflate *deflate, struct bundle_layer *layer,
	const char **ret_bytes, size_t *ret_length);

/* bundle_folder.c: opens one first-level path ("-": standard input) and puts it on the stack: 0
 * also when it was told instead; ERROR_MEMORY. */
int bundle_folder_input(struct bundle *bundle, const char *path);

/* Puts the folder's next entry on the stack: 1, 0 at its end, ERROR_MEMORY. What is no file and no
 * folder is told. */
int bundle_folder_next(struct bundle_layer *layer);
void bundle_folder_close(struct bundle_layer *layer);
void bundle_folder_forget(struct bundle_seen *seen);

/* bundle_total.c: bytes of all inputs together, or 0 when one is a pipe or there are too many
 * files. */
uint64_t bundle_total_bytes(char *const *paths, size_t count, uint64_t members);

/* bundle_name.c: `parent`/`name` as it is shown, or the cleaned name when parent is NULL: what is
 * not UTF-8, control characters and what changes the direction of text is written as \xNN. At most
 * 4 * BUNDLE_PATH_SIZE bytes. NULL: memory is short. Free it. */
char *bundle_name_join(const char *parent, const char *name);

/* Copies a clean path of any length; one that is too long loses its middle, in whose place comes a
 * digest of the whole, so that two long paths do not become one. */
void bundle_name_cut(char *ret_path, size_t size, const char *path);

/* bundle_rotation.c: the group of a clean path (see bundle.h), of at most its length, and its
 * order. `ret_group` has strlen(path) + 1 bytes. */
uint64_t bundle_rotation_group(const char *path, char *ret_group);

/* Why a member of an archive with this name must not be read, or NULL. */
const char *bundle_name_unsafe(const char *name);

#endif
