/*
 * zip, tar, bzip2, xz and zstd by libarchive. It is told what to expect, because its own guessing
 * would take some logs for archives; and never writes a file or starts a program here.
 */
#include "health/bundle_private.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* Bytes of a zip read before its first member is known: its directory, which libarchive keeps in
 * memory. A larger one is left unread, and the members are found one after the other. */
#define DIRECTORY_MAXIMUM (16 << 20)

/* What libarchive is given at once. Of a damaged member of a zip it keeps back what comes out of
 * the block with the damage, so there the blocks are small. */
#define ZIP_BLOCK (8 * 1024)

struct bundle_archive {
	struct archive *archive;
	enum bundle_content content;
	locale_t locale; /* names in archives are UTF-8 whatever the caller's locale is */
	bool seeking;    /* zip over a regular file */
	struct bundle_deflate *deflate;
	bool direct;      /* the present member is read by that */
	bool opened;      /* the first member is known, or that there is none */
	bool empty;       /* a filter that gives nothing */
	bool damaged;     /* the present member, after the block that is held */
	bool broken;      /* libarchive has given up, in the middle of a member */
	uint64_t headers; /* that were read */
	uint64_t position, directory;
	const char *slice; /* the rest of a block from below */
	size_t slice_length;
	uint64_t offset;  /* in the present member */
	const char *held; /* a block that comes after a hole */
	size_t held_length;
	uint64_t held_offset;
};

/* What a hole in a sparse member is made of. */
static const char zeros[64 * 1024];

/* A read at a place of our own choice. */
static la_ssize_t read_seeking(struct archive *archive, struct bundle_layer *layer)
{
	struct bundle_archive *own = layer->archive;
	struct bundle_layer *file = layer->below;
	ssize_t length;

	if (!own->opened && own->directory > DIRECTORY_MAXIMUM) {
		archive_set_error(archive, EFBIG, "the directory of the zip file is too large");
		return -1;
	}
	do
		length = pread(file->fd, layer->block, ZIP_BLOCK, (off_t)own->position);
	while (length < 0 && errno == EINTR);
	if (length < 0) {
		bundle_fault(layer->bundle, "cannot be read: %s", strerror(errno));
		archive_set_error(archive, errno, "cannot be read");
		return -1;
	}
	own->position += (uint64_t)length;
	own->directory += (uint64_t)length;
	if (own->position > layer->packed)
		layer->packed = own->position;
	bundle_layer_progress(file, (uint64_t)length);
	return length;
}

static la_ssize_t read_block(struct archive *archive, void *context, const void **ret_bytes)
{
	struct bundle_layer *layer = context;
	struct bundle_archive *own = layer->archive;
	size_t length;

	if (own->seeking) {
		*ret_bytes = layer->block;
		return read_seeking(archive, layer);
	}
	if (own->slice_length == 0) {
		int result = bundle_layer_take(layer->below, &own->slice, &own->slice_length);
		if (result < 0) {
			/* the reason stands in the bundle's fault */
			archive_set_error(
				archive, result == ERROR_MEMORY ? ENOMEM : EIO, "cannot be read");
			return -1;
		}
		if (result == 0)
			return 0;
	}
	length = own->slice_length;
	if (own->content == BUNDLE_ZIP && length > ZIP_BLOCK)
		length = ZIP_BLOCK;
	*ret_bytes = own->slice;
	own->slice += length;
	own->slice_length -= length;
	layer->packed += length;
	return (la_ssize_t)length;
}

static la_int64_t seek_to(struct archive *archive, void *context, la_int64_t offset, int whence)
{
	struct bundle_layer *layer = context;
	struct bundle_archive *own = layer->archive;
	off_t base = 0, place;

	if (whence == SEEK_CUR)
		base = (off_t)own->position;
	else if (whence == SEEK_END)
		base = lseek(layer->below->fd, 0, SEEK_END);
	if (base < 0 || __builtin_add_overflow(base, offset, &place) || place < 0) {
		archive_set_error(archive, EINVAL, "an offset outside the file");
		return ARCHIVE_FATAL;
	}
	own->position = (uint64_t)place;
	return place;
}

/* What is passed over need not be read. */
static la_int64_t skip(struct archive *archive, void *context, la_int64_t request)
{
	struct bundle_layer *layer = context;
	struct bundle_archive *own = layer->archive;
	uint64_t size = layer->below->size;
	uint64_t left = own->position < size ? size - own->position : 0;

	(void)archive;
	if (request <= 0)
		return 0;
	if ((uint64_t)request > left)
		request = (la_int64_t)left;
	own->position += (uint64_t)request;
	return request;
}

/* Only what was found to be there; a filter that this libarchive would leave to a program of
 * another name says ARCHIVE_WARN. */
static int support(struct bundle_archive *own)
{
	struct archive *archive = own->archive;
	int result;

	switch (own->content) {
	case BUNDLE_TAR:
		result = archive_read_support_format_tar(archive);
		if (result == ARCHIVE_OK)
			result = archive_read_set_options(archive, "read_concatenated_archives");
		return result;
	case BUNDLE_ZIP:
		return own->seeking ? archive_read_support_format_zip(archive)
				    : archive_read_support_format_zip_streamable(archive);
	case BUNDLE_BZIP2:
		result = archive_read_support_filter_bzip2(archive);
		break;
	case BUNDLE_XZ:
		result = archive_read_support_filter_xz(archive);
		break;
	case BUNDLE_ZSTD:
		result = archive_read_support_filter_zstd(archive);
		break;
	default:
		return ARCHIVE_FATAL;
	}
	if (result == ARCHIVE_OK)
		result = archive_read_support_format_empty(archive);
	return result == ARCHIVE_OK ? archive_read_support_format_raw(archive) : result;
}

/* What libarchive says, unless a layer below has said more. */
static int archive_fault(struct bundle_layer *layer)
{
	struct archive *archive = layer->archive->archive;
	const char *text = archive != NULL ? archive_error_string(archive) : NULL;
	char line[BUNDLE_REASON_SIZE];
	char *clean;

	if (archive != NULL && archive_errno(archive) == ENOMEM)
		return ERROR_MEMORY;
	/* it can quote names, and can end in a line feed */
	clean = bundle_name_join(NULL, text != NULL ? text : "no reason known");
	if (clean == NULL)
		return ERROR_MEMORY;
	bundle_name_cut(line, sizeof(line), clean);
	free(clean);
	return bundle_fault(layer->bundle, "damaged: %s", line);
}

static int open_archive(struct bundle_layer *layer)
{
	struct bundle_archive *own = layer->archive;

	own->slice_length = 0;
	own->archive = archive_read_new();
	if (own->archive == NULL)
		return ERROR_MEMORY;
	if (support(own) != ARCHIVE_OK)
		return bundle_fault(
			layer->bundle, "packed in a way that this build of libarchive cannot read");
	archive_read_set_read_callback(own->archive, read_block);
	archive_read_set_callback_data(own->archive, layer);
	if (own->seeking) {
		archive_read_set_seek_callback(own->archive, seek_to);
		archive_read_set_skip_callback(own->archive, skip);
	}
	return archive_read_open1(own->archive) < ARCHIVE_WARN ? archive_fault(layer) : 0;
}

/* The zip again, from its first byte, without its directory. */
static int open_again(struct bundle_layer *layer)
{
	struct bundle_archive *own = layer->archive;
	int error;

	archive_read_free(own->archive);
	own->archive = NULL;
	own->seeking = false;
	layer->bundle->fault[0] = '\0';
	layer->packed = 0;
	error = bundle_layer_rewind(layer->below);
	return error != 0 ? error : open_archive(layer);
}

int bundle_archive_open(struct bundle_layer *layer, enum bundle_content content)
{
	struct bundle_archive *own = calloc(1, sizeof(*own));
	struct archive_entry *entry;
	int error;

	if (own == NULL)
		return ERROR_MEMORY;
	layer->archive = own;
	own->content = content;
	own->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	own->seeking = content == BUNDLE_ZIP && layer->below->seekable;
	if (own->seeking) {
		layer->block = malloc(ZIP_BLOCK);
		if (layer->block == NULL)
			return ERROR_MEMORY;
		/* what was looked at is read again */
		error = bundle_layer_rewind(layer->below);
		if (error != 0)
			return error;
	}
	error = open_archive(layer);
	if (error != 0 && own->seeking)
		error = open_again(layer);
	if (error != 0 || layer->kind != BUNDLE_LAYER_FILTER)
		return error;
	/* a compressed file is an archive of one member without name */
	switch (archive_read_next_header(own->archive, &entry)) {
	case ARCHIVE_OK:
	case ARCHIVE_WARN:
		return 0;
	case ARCHIVE_EOF:
		own->empty = true;
		return 0;
	default:
		return archive_fault(layer);
	}
}

void bundle_archive_close(struct bundle_layer *layer)
{
	if (layer->archive->archive != NULL)
		archive_read_free(layer->archive->archive);
	bundle_deflate_free(layer->archive->deflate);
	if (layer->archive->locale != (locale_t)0)
		freelocale(layer->archive->locale);
	free(layer->archive);
	layer->archive = NULL;
}

/* A block from libarchive: 1, 0 or an error. */
static int next_block(struct bundle_layer *layer)
{
	struct bundle_archive *own = layer->archive;
	const void *bytes = NULL;
	la_int64_t offset = 0;
	size_t length = 0;

	if (own->damaged)
		return ERROR_INPUT;
	do {
		int result = archive_read_data_block(own->archive, &bytes, &length, &offset);
		if (result == ARCHIVE_EOF)
			return 0;
		if (result == ARCHIVE_FATAL)
			own->broken = true;
		if (result < ARCHIVE_OK) {
			int error = archive_fault(layer);
			/* a wrong check sum comes with the last block */
			if (result != ARCHIVE_WARN || length == 0 || error != ERROR_INPUT)
				return error;
			own->damaged = true;
		}
	} while (length == 0);
	if (offset < 0 || (uint64_t)offset < own->offset)
		return bundle_fault(layer->bundle, "damaged: its parts overlap");
	own->held = bytes;
	own->held_length = length;
	own->held_offset = (uint64_t)offset;
	return 1;
}

int bundle_archive_block(struct bundle_layer *layer, const char **ret_bytes, size_t *ret_length)
{
	struct bundle_archive *own = layer->archive;
	uint64_t hole;
	int result;

	if (own->direct)
		return bundle_deflate_block(own->deflate, layer, ret_bytes, ret_length);
	if (own->held_length == 0) {
		result = own->empty ? 0 : next_block(layer);
		if (result != 1)
			return result;
	}
	hole = own->held_offset - own->offset;
	if (hole > 0) {
		*ret_bytes = zeros;
		*ret_length = hole < sizeof(zeros) ? (size_t)hole : sizeof(zeros);
	} else {
		*ret_bytes = own->held;
		*ret_length = own->held_length;
		own->held_length = 0;
	}
	own->offset += *ret_length;
	return 1;
}

/* Why this entry is not read, or NULL; `text` has room for a reason. */
static const char *refusal(struct archive_entry *entry, const char *name, char *text, size_t size)
{
	const char *link = archive_entry_hardlink(entry);
	const char *unsafe = bundle_name_unsafe(name);
	char target[100], *shown;

	if (unsafe != NULL)
		return unsafe;
	if (link == NULL && archive_entry_filetype(entry) == AE_IFLNK) {
		link = archive_entry_symlink(entry);
		if (link == NULL)
			link = "";
	}
	if (link != NULL) {
		shown = bundle_name_join(NULL, link);
		bundle_name_cut(target, sizeof(target), shown != NULL ? shown : "");
		free(shown);
		snprintf(text, size, "a link to \"%s\", which is not followed", target);
		return text;
	}
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
	case 0:
		break;
	default:
		return "a device, FIFO or socket";
	}
	if (archive_entry_is_encrypted(entry))
		return "encrypted; unpack it and check the folder";
	return NULL;
}

static int step_header(struct bundle_layer *layer, struct archive_entry **ret_entry)
{
	struct bundle_archive *own = layer->archive;
	int result = archive_read_next_header(own->archive, ret_entry);

	if (result < ARCHIVE_WARN && own->seeking && !own->opened && open_again(layer) == 0)
		result = archive_read_next_header(own->archive, ret_entry);
	own->opened = true;
	own->headers++;
	own->offset = 0;
	own->held_length = 0;
	own->damaged = false;
	return result;
}

/* libarchive's step to the next header, in a locale where UTF-8 names can be told. */
static int next_header(struct bundle_layer *layer, struct archive_entry **ret_entry)
{
	locale_t own = layer->archive->locale, before = (locale_t)0;
	int result;

	if (own != (locale_t)0)
		before = uselocale(own);
	result = step_header(layer, ret_entry);
	if (before != (locale_t)0)
		uselocale(before);
	return result;
}

/* A name that says that it is UTF-8 and is not cannot be had; its member can. */
static const char *entry_name(
	const struct bundle_archive *own, struct archive_entry *entry, char *text, size_t size)
{
	const char *name = archive_entry_pathname(entry);

	if (name == NULL)
		name = archive_entry_pathname_utf8(entry);
	if (name != NULL && *name != '\0')
		return name;
	snprintf(text, size, "unnamed-%llu", (unsigned long long)own->headers);
	return text;
}

/* How the member is read: 1, or ERROR_MEMORY. */
static int choose(struct bundle_layer *layer, struct archive_entry *entry)
{
	struct bundle_archive *own = layer->archive;
	la_int64_t data = archive_filter_bytes(own->archive, 0);
	int result;

	own->direct = false;
	if (!own->seeking || data <= 0 || !archive_entry_size_is_set(entry))
		return 1;
	result = bundle_deflate_begin(
		&own->deflate, layer, (uint64_t)data, (uint64_t)archive_entry_size(entry));
	own->direct = result == 1;
	return result < 0 ? result : 1;
}

int bundle_archive_next(struct bundle_layer *layer)
{
	struct bundle *bundle = layer->bundle;
	char text[BUNDLE_REASON_SIZE], unnamed[32];
	struct archive_entry *entry;

	for (;;) {
		const char *name, *reason;
		int result;

		free(layer->member);
		layer->member = NULL;
		result = next_header(layer, &entry);
		if (result == ARCHIVE_EOF)
			return 0;
		if (!bundle_count(bundle, layer->path))
			return 0;
		if (result == ARCHIVE_FATAL)
			layer->dead = true;
		if (layer->archive->broken)
			return bundle_fault(bundle, "damaged; what follows in it was not read");
		if (result < ARCHIVE_WARN && result != ARCHIVE_RETRY)
			return archive_fault(layer);
		if (result == ARCHIVE_RETRY)
			continue;
		name = entry_name(layer->archive, entry, unnamed, sizeof(unnamed));
		if (archive_entry_filetype(entry) == AE_IFDIR && bundle_name_unsafe(name) == NULL)
			continue;
		layer->member = bundle_name_join(layer->path, name);
		if (layer->member == NULL)
			return ERROR_MEMORY;
		reason = refusal(entry, name, text, sizeof(text));
		if (reason == NULL)
			return choose(layer, entry);
		bundle_tell(bundle, layer->member, reason, BUNDLE_PASSED_OVER);
	}
}
