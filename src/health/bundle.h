/*
 * bundle.h - every file in a support bundle, one after the other, bounded.
 *
 * Inputs are folders, archives (zip; tar, plain or with gzip, bzip2, xz, zstd), compressed files,
 * plain files and "-" for standard input; members of archives may be compressed or archives
 * themselves. What a member is, its first bytes decide, not its name. The caller pulls: next
 * member, then its bytes, so memory is one buffer however large the bundle is.
 *
 * Nothing is read twice: a file or folder that was met before, by whatever name, is told to
 * `skipped`. A folder's or archive's FIFOs are passed over; one given by the user is read like
 * standard input. The first bytes of a log are never taken for an archive's unless they are one:
 * gzip, bzip2, xz, zstd and zip by their marks, tar by its check sum.
 *
 * Hostile bundles: names with "..", absolute names, links, devices, sockets and FIFOs are never
 * followed or opened; they are told to `skipped`, as is what the limits stop. Nothing is ever
 * written to disk. A damaged archive gives what could be read, and a reason: gzip and zip up to the
 * last byte before the damage (a zip within something, or without its directory, up to the last 8
 * KiB packed), and the other members of a zip; bzip2, xz and zstd up to the last 64 KiB unpacked.
 */
#ifndef FAIRLEAD_HEALTH_BUNDLE_H
#define FAIRLEAD_HEALTH_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BUNDLE_PATH_SIZE 1024
#define BUNDLE_REASON_SIZE 160

struct bundle_limits {
	uint64_t members;      /* files and folders of all inputs */
	uint64_t bytes;        /* unpacked, all members */
	uint64_t member_bytes; /* unpacked, one member */
	unsigned ratio; /* unpacked to packed, of one archive or compressed file, after the first
			   16 MiB unpacked */
	unsigned depth; /* archives and compressed files within each other, and folders */
};

/* The defaults: 100,000 members; 64 GiB; 32 GiB; 1,000; 4 (folders: 32). */
void bundle_limits_default(struct bundle_limits *limits);

struct bundle_member {
	char path[BUNDLE_PATH_SIZE];  /* as shown: "support.zip/logs/agent.log.gz"; clean UTF-8; "-"
					 for standard input; cut in its middle when too long */
	char group[BUNDLE_PATH_SIZE]; /* the same for all parts of one rotated log: the path without
					 compression suffix, rotation number, date, time and the
					 random or hexadecimal part of
					 pcoip_agent_2021_03_24_ab12cd34.txt */
	uint64_t order; /* within a group, the older part has the smaller number; from the name: a
			   higher rotation number is older, an earlier date is older, no number at
			   all newest */
};

enum bundle_why {
	BUNDLE_PASSED_OVER, /* links, devices, names that lead out, what was read already, what is
			       packed or encrypted in a way that is not read, what may not be
			       opened or is not there */
	BUNDLE_LOST,        /* by damage or by a limit */
	BUNDLE_LOST_REST,   /* the same, with what would have followed: nobody knows how much */
};

/* Called for whatever is not read, also in the middle of bundle_read. `path` may be a folder or an
 * archive. */
typedef void bundle_skipped(
	void *context, const char *path, const char *reason, enum bundle_why why);

struct bundle;

/* Opens nothing yet. The paths live as long as the bundle. NULL: memory is short. */
struct bundle *bundle_new(char *const *paths, size_t count, const struct bundle_limits *limits,
	bundle_skipped *skipped, void *context);
void bundle_free(struct bundle *bundle);

/* The next file: 1, or 0 at the end, or ERROR_MEMORY. Members of folders come sorted by group and
 * order; of archives as they lie. What cannot be opened is told to `skipped` (first-level inputs
 * too) and passed over. The rest of the member before is passed over, too. */
int bundle_next(struct bundle *bundle, struct bundle_member *ret_member);

/* Bytes of this member as unpacked: the number, 0 at its end, or ERROR_INPUT when it is damaged or
 * a limit is reached: `skipped` was told, bundle_next goes on. */
ssize_t bundle_read(struct bundle *bundle, char *bytes, size_t size);

/* For progress: packed bytes read so far, and of all inputs together where known (else 0). */
void bundle_progress(const struct bundle *bundle, uint64_t *ret_done, uint64_t *ret_total);

#endif
