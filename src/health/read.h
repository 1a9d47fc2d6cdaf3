/*
 * read.h - reads a whole bundle into a store, on all cores.
 *
 * One thread unpacks and cuts blocks of whole lines; others search each block with the book's
 * literals at once and look closer only at lines that have one; the results come back in order,
 * where continuation lines, XML blocks and line numbers are put together. A line longer than
 * READ_LINE_MAXIMUM is cut, its rest passed over and counted.
 */
#ifndef FAIRLEAD_HEALTH_READ_H
#define FAIRLEAD_HEALTH_READ_H

#include "health/bundle.h"
#include "health/store.h"

#define READ_LINE_MAXIMUM (64 * 1024)

struct read_progress {
	uint64_t bytes, lines; /* of logs, unpacked */
	uint64_t done, total;  /* packed, see bundle_progress */
	uint64_t members;
};

struct read_options {
	unsigned threads; /* that search; 0: one for each core; 1: everything in the calling thread
			   */
	bool digests;     /* SHA-256 of each source */
	struct bundle_limits limits;
	struct store_filter filter;
	/* NULL, or called now and then from the calling thread: every 32 MiB of logs or 256 files.
	 */
	void (*progress)(void *context, const struct read_progress *progress);
	void *context;
};

/* Reads everything. The store is the caller's, sorted. 0 also when parts could not be read (the
 * store lists them); ERROR_MEMORY, ERROR_SYSTEM (no threads), ERROR_CRYPTO (no SHA-256),
 * ERROR_INPUT (a pattern's literal cannot be searched). */
int read_bundle(const struct rule_book *book, char *const *paths, size_t count,
	const struct read_options *options, struct store **ret_store);

/* The same for one log in memory; for tests, lint and fuzzing. One thread. */
int read_bytes(const struct rule_book *book, const char *name, const char *bytes, size_t length,
	const struct store_filter *filter, struct store **ret_store);

#endif
