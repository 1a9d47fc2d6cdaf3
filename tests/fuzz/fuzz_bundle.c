/*
 * fuzz_bundle.c - any bytes as a bundle: as a file that can be sought in, and as a pipe. Two runs
 * over the same bytes are the same; nothing is given beyond the limits; and nothing is written.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "health/bundle.h"

#define SKIPPED_MAXIMUM 4096

struct outcome {
	uint64_t bytes, members, skipped, digest;
};

static const struct bundle_limits limits = {
	.members = 64, .bytes = 1 << 20, .member_bytes = 1 << 19, .ratio = 1000, .depth = 4};

/* Names and reasons can be printed as they are. */
static void expect_clean(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	assert(length < size);
	for (size_t i = 0, step; i < length; i += step) {
		uint32_t value = 0;
		step = utf8_character(text + i, &value);
		assert(step > 0 && value >= 0x20 && (value < 0x7f || value >= 0xa0));
	}
}

static void note_skipped(void *context, const char *path, const char *reason, enum bundle_why why)
{
	struct outcome *outcome = context;

	expect_clean(path, BUNDLE_PATH_SIZE);
	expect_clean(reason, BUNDLE_REASON_SIZE);
	assert(*reason != '\0');
	assert(why <= BUNDLE_LOST_REST);
	outcome->skipped++;
	assert(outcome->skipped < SKIPPED_MAXIMUM);
}

static void read_member(struct bundle *bundle, struct outcome *outcome)
{
	char bytes[4096];
	uint64_t member = 0;
	ssize_t length;

	while ((length = bundle_read(bundle, bytes, sizeof(bytes))) > 0) {
		assert((size_t)length <= sizeof(bytes));
		member += (uint64_t)length;
		for (ssize_t i = 0; i < length; i++)
			outcome->digest =
				(outcome->digest ^ (unsigned char)bytes[i]) * 1099511628211u;
	}
	assert(length == 0 || length == ERROR_INPUT);
	assert(member <= limits.member_bytes);
	outcome->bytes += member;
}

static struct outcome run(char *path)
{
	struct outcome outcome = {.digest = 14695981039346656037u};
	struct bundle *bundle = bundle_new(&path, 1, &limits, note_skipped, &outcome);
	struct bundle_member member;
	int result;

	assert(bundle != NULL);
	while ((result = bundle_next(bundle, &member)) == 1) {
		expect_clean(member.path, sizeof(member.path));
		expect_clean(member.group, sizeof(member.group));
		outcome.members++;
		/* some members are left unread */
		if (outcome.members % 5 != 0)
			read_member(bundle, &outcome);
	}
	assert(result == 0);
	assert(outcome.members <= limits.members);
	assert(outcome.bytes <= limits.bytes);
	bundle_free(bundle);
	return outcome;
}

/* The same bytes through a pipe, as far as it holds them. */
static void run_pipe(const uint8_t *bytes, size_t size)
{
	char path[64];
	int ends[2];

	assert(pipe(ends) == 0);
	assert(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
	(void)!write(ends[1], bytes, size);
	close(ends[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	(void)run(path);
	close(ends[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("bundle", MFD_CLOEXEC);
	struct outcome first, second;
	char path[64];

	assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	first = run(path);
	second = run(path);
	assert(memcmp(&first, &second, sizeof(first)) == 0);
	/* the input is as it was */
	assert(lseek(fd, 0, SEEK_END) == (off_t)size);
	close(fd);
	if (size > 0)
		run_pipe(bytes, size);
	return 0;
}
