#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bundle_fixture.h"

static void plain_files_come_as_they_are(void **state)
{
	struct reading *reading;
	char text[] = "one\r\ntwo\n\0three";
	char *paths[] = {make_file("a.log", text, sizeof(text)), make_text("empty.log", "")};

	(void)state;
	for (size_t step = 1; step < 40; step++) {
		reading = read_paths(paths, 2, NULL, step);
		assert_int_equal(reading->end, 0);
		assert_int_equal(reading->members, 2);
		assert_string_equal(reading->member[0].path, paths[0]);
		assert_int_equal(reading->bytes[0].length, sizeof(text));
		assert_memory_equal(reading->bytes[0].bytes, text, sizeof(text));
		assert_int_equal(reading->length[1], 0);
		assert_int_equal(reading->error[1], 0);
		assert_int_equal(reading->skips, 0);
		assert_int_equal(reading->done, sizeof(text));
		assert_int_equal(reading->total, sizeof(text));
		reading_free(reading);
	}
}

/* A file longer than any block arrives whole, in every kind of packing, with steps of any size. */
static void every_packing_gives_the_same_bytes(void **state)
{
	static const int filters[] = {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP,
		ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD};
	size_t length = 700 * 1000;
	char *bytes = malloc(length);
	struct pack pack;

	(void)state;
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)('a' + (i * i / 7 + i / 1000) % 26);
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		for (int tar = 0; tar < 2; tar++) {
			char *path;
			struct reading *reading;

			if (tar) {
				pack_begin(&pack, ARCHIVE_FORMAT_TAR_USTAR, filters[i]);
				pack_entry(&pack, "logs/x.log", AE_IFREG, NULL, bytes, length);
				pack_text(&pack, "logs/y.log", "why\n");
				pack_end(&pack);
			} else {
				pack_stream(&pack, filters[i], bytes, length);
			}
			path = make_pack("packed", &pack);
			for (size_t step = 511; step <= 65536; step += 65025) {
				reading = read_paths(&path, 1, NULL, step);
				assert_int_equal(reading->skips, 0);
				assert_int_equal(reading->members, tar ? 2 : 1);
				assert_int_equal(reading->bytes[0].length, length);
				assert_memory_equal(reading->bytes[0].bytes, bytes, length);
				if (tar)
					assert_string_equal(
						text_of(reading, "packed/logs/y.log"), "why\n");
				assert_int_equal(reading->done, reading->total);
				reading_free(reading);
			}
		}
	}
	free(bytes);
}

static char *make_zip(const char *name)
{
	struct pack pack;

	pack_begin(&pack, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE);
	pack_entry(&pack, "logs", AE_IFDIR, NULL, NULL, 0);
	pack_text(&pack, "logs/agent.log", "agent\n");
	pack_text(&pack, "logs/empty.log", "");
	pack_text(&pack, "server.log", "server\n");
	pack_end(&pack);
	return make_pack(name, &pack);
}

static void zip_members_come_in_their_order(void **state)
{
	struct reading *reading = read_one(make_zip("b.zip"));

	(void)state;
	assert_int_equal(reading->skips, 0);
	assert_int_equal(reading->members, 3);
	assert_string_equal(shown(reading->member[0].path), "b.zip/logs/agent.log");
	assert_string_equal(shown(reading->member[0].group), "b.zip/logs/agent.log");
	assert_string_equal(reading->bytes[0].bytes, "agent\n");
	assert_int_equal(reading->length[1], 0);
	assert_string_equal(text_of(reading, "b.zip/server.log"), "server\n");
	reading_free(reading);
}

/* Members that the caller does not read are passed over. */
static void members_may_be_left_unread(void **state)
{
	char bytes[4000] = "c";
	char *paths[] = {make_zip("b.zip"), make_file("c.log", bytes, sizeof(bytes))};
	struct reading *reading = read_paths(paths, 2, NULL, 0);

	(void)state;
	assert_int_equal(reading->members, 4);
	assert_int_equal(reading->skips, 0);
	assert_int_equal(reading->all, 0);
	assert_int_equal(reading->done, reading->total);
	reading_free(reading);
}

static void archives_lie_in_archives(void **state)
{
	struct pack inner, tar, zip;
	struct reading *reading;

	(void)state;
	pack_stream(&inner, ARCHIVE_FILTER_GZIP, "inner\n", 6);
	pack_begin(&tar, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_GZIP);
	pack_entry(&tar, "./agent.log.1.gz", AE_IFREG, NULL, inner.bytes.bytes, inner.bytes.length);
	pack_text(&tar, "agent.log", "outer\n");
	pack_end(&tar);
	pack_begin(&zip, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE);
	pack_entry(&zip, "logs.tgz", AE_IFREG, NULL, tar.bytes.bytes, tar.bytes.length);
	pack_text(&zip, "after.log", "after\n");
	pack_end(&zip);
	buffer_free(&inner.bytes);
	buffer_free(&tar.bytes);
	reading = read_one(make_pack("support.zip", &zip));
	assert_int_equal(reading->skips, 0);
	assert_int_equal(reading->members, 3);
	assert_string_equal(text_of(reading, "support.zip/logs.tgz/agent.log.1.gz"), "inner\n");
	assert_string_equal(text_of(reading, "support.zip/logs.tgz/agent.log"), "outer\n");
	assert_string_equal(text_of(reading, "support.zip/after.log"), "after\n");
	assert_string_equal(reading->member[0].group, reading->member[1].group);
	assert_true(reading->member[0].order < reading->member[1].order);
	reading_free(reading);
}

static void gzip_files_may_be_joined(void **state)
{
	struct pack one, two;
	struct buffer joined;
	struct reading *reading;

	(void)state;
	pack_stream(&one, ARCHIVE_FILTER_GZIP, "one\n", 4);
	pack_stream(&two, ARCHIVE_FILTER_GZIP, "two\n", 4);
	buffer_init(&joined, 1000);
	for (int i = 0; i < 3; i++) {
		buffer_append(&joined, one.bytes.bytes, one.bytes.length);
		buffer_append(&joined, two.bytes.bytes, two.bytes.length);
	}
	buffer_append(&joined, "\0\0\0\0", 4);
	reading = read_one(make_file("j.gz", joined.bytes, joined.length));
	assert_int_equal(reading->skips, 0);
	assert_string_equal(text_of(reading, "j.gz"), "one\ntwo\none\ntwo\none\ntwo\n");
	reading_free(reading);
	buffer_append(&joined, "rest", 4);
	reading = read_one(make_file("j.gz", joined.bytes, joined.length));
	assert_string_equal(text_of(reading, "j.gz"), "one\ntwo\none\ntwo\none\ntwo\n");
	assert_int_equal(reading->error[0], ERROR_INPUT);
	assert_true(was_skipped(reading, "j.gz", "after its end"));
	reading_free(reading);
	buffer_free(&joined);
	buffer_free(&one.bytes);
	buffer_free(&two.bytes);
}

static void an_empty_stream_is_an_empty_member(void **state)
{
	static const int filters[] = {
		ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD};
	struct pack pack;

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		pack_stream(&pack, filters[i], "", 0);
		assert_true(pack.bytes.length > 0);
		struct reading *reading = read_one(make_pack("e.log.gz", &pack));
		assert_int_equal(reading->skips, 0);
		assert_int_equal(reading->members, 1);
		assert_int_equal(reading->length[0], 0);
		assert_int_equal(reading->error[0], 0);
		reading_free(reading);
	}
}

/* The first bytes decide, not the name; and text is never taken for an archive. */
static void names_do_not_matter(void **state)
{
	static const char *const texts[] = {"BZh9 said the log", "PK is two letters",
		"#mtree\n/set type=file\n", "070707 is how cpio begins", "!<arch>\n",
		"#!/bin/sh\n# This is a shell archive\n", "BZh", "begin 644 file\n", "\x1f\x8b"};
	char long_text[1025];
	struct reading *reading;
	char *path;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		reading = read_one(make_text("x.tar.gz", texts[i]));
		assert_int_equal(reading->skips, 0);
		assert_string_equal(text_of(reading, "x.tar.gz"), texts[i]);
		reading_free(reading);
	}
	/* where a tar has its check sum, there is another number */
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	memcpy(long_text + 148, "0012345 ", 8);
	reading = read_one(make_text("x.tar", long_text));
	assert_string_equal(text_of(reading, "x.tar"), long_text);
	reading_free(reading);
	path = make_zip("readme.txt");
	reading = read_one(path);
	assert_string_equal(text_of(reading, "readme.txt/server.log"), "server\n");
	reading_free(reading);
}

/* A log whose beginning was cut away in place begins with zeros. */
static void zeros_are_no_empty_tar(void **state)
{
	char *bytes = calloc(1, 4096);
	struct pack pack;
	struct reading *reading;

	(void)state;
	memcpy(bytes + 4000, "line\n", 5);
	pack_stream(&pack, ARCHIVE_FILTER_GZIP, bytes, 4096);
	reading = read_one(make_pack("z.log.gz", &pack));
	assert_int_equal(reading->skips, 0);
	assert_int_equal(reading->length[0], 4096);
	assert_memory_equal(reading->bytes[0].bytes, bytes, 4096);
	reading_free(reading);
	free(bytes);
}

static void folders_are_sorted_by_group_and_order(void **state)
{
	static const char *const order[] = {"logs/agent.log.10", "logs/agent.log.2",
		"logs/agent.log.1", "logs/agent.log", "logs/b/agent.log.1", "logs/b/agent.log",
		"logs/c.log"};
	struct reading *reading;

	(void)state;
	make_folder("logs");
	make_folder("logs/b");
	for (size_t i = sizeof(order) / sizeof(order[0]); i-- > 0;)
		make_text(order[i], order[i]);
	reading = read_one(in_folder("logs"));
	assert_int_equal(reading->skips, 0);
	assert_int_equal(reading->members, 7);
	for (size_t i = 0; i < 7; i++) {
		assert_string_equal(shown(reading->member[i].path), order[i]);
		assert_string_equal(reading->bytes[i].bytes, order[i]);
	}
	/* equal names in two folders are two groups */
	assert_string_equal(reading->member[0].group, reading->member[3].group);
	assert_string_equal(reading->member[4].group, reading->member[5].group);
	assert_string_not_equal(reading->member[3].group, reading->member[5].group);
	assert_int_equal(reading->done, reading->total);
	reading_free(reading);
	reading = read_one(in_folder("logs/"));
	assert_int_equal(reading->members, 7);
	assert_string_equal(shown(reading->member[0].path), order[0]);
	reading_free(reading);
}

static void nothing_is_read_twice(void **state)
{
	char *log = make_text("a.log", "a");
	char *paths[] = {log, log, folder, folder};
	struct reading *reading = read_paths(paths, 4, NULL, 100);

	(void)state;
	assert_int_equal(reading->members, 1);
	assert_int_equal(reading->skips, 3);
	assert_true(was_skipped(reading, "a.log", "read already"));
	reading_free(reading);
}

static void standard_input_is_a_dash(void **state)
{
	static const char *const members[] = {"-", "-", "-/server.log", "-/server.log"};
	struct pack packs[4];
	int kept = dup(STDIN_FILENO);
	char *path = (char[]){"-"};

	(void)state;
	buffer_init(&packs[0].bytes, 100);
	buffer_text(&packs[0].bytes, "server\n");
	pack_stream(&packs[1], ARCHIVE_FILTER_GZIP, "server\n", 7);
	pack_begin(&packs[2], ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);
	pack_text(&packs[2], "server.log", "server\n");
	pack_end(&packs[2]);
	pack_begin(&packs[3], ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE);
	pack_text(&packs[3], "server.log", "server\n");
	pack_end(&packs[3]);
	for (int i = 0; i < 8; i++) {
		struct buffer *bytes = &packs[i % 4].bytes;
		struct reading *reading;
		int ends[2];

		if (i < 4) {
			/* small enough for the pipe to hold */
			assert_int_equal(pipe(ends), 0);
			assert_int_equal(write(ends[1], bytes->bytes, bytes->length),
				(ssize_t)bytes->length);
			close(ends[1]);
		} else {
			make_file("stdin", bytes->bytes, bytes->length);
			ends[0] = open(in_folder("stdin"), O_RDONLY);
		}
		assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
		close(ends[0]);
		reading = read_one(path);
		assert_int_equal(reading->skips, 0);
		assert_int_equal(reading->members, 1);
		assert_string_equal(text_of(reading, members[i % 4]), "server\n");
		assert_int_equal(reading->total, 0);
		assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
		reading_free(reading);
	}
	for (int i = 0; i < 4; i++)
		buffer_free(&packs[i].bytes);
	dup2(kept, STDIN_FILENO);
	close(kept);
}

/* Windows programs write names with backslashes. */
static void backslashes_part_names(void **state)
{
	struct pack pack;
	struct reading *reading;

	(void)state;
	pack_begin(&pack, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE);
	pack_text(&pack, "logs\\agent.log.1", "a");
	pack_end(&pack);
	reading = read_one(make_pack("w.tar", &pack));
	assert_string_equal(text_of(reading, "w.tar/logs/agent.log.1"), "a");
	assert_string_equal(shown(reading->member[0].group), "w.tar/logs/agent.log");
	reading_free(reading);
}

static void inputs_that_cannot_be_opened_are_told(void **state)
{
	char *paths[] = {in_folder("missing.log"), make_text("a.log", "a")};
	struct reading *reading = read_paths(paths, 2, NULL, 100);

	(void)state;
	assert_int_equal(reading->members, 1);
	assert_int_equal(reading->skips, 1);
	assert_true(was_skipped(reading, "missing.log", "No such file"));
	reading_free(reading);
	reading = read_paths(NULL, 0, NULL, 100);
	assert_int_equal(reading->members, 0);
	assert_int_equal(reading->end, 0);
	reading_free(reading);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(plain_files_come_as_they_are),
		IN_FOLDER(every_packing_gives_the_same_bytes),
		IN_FOLDER(zip_members_come_in_their_order),
		IN_FOLDER(members_may_be_left_unread),
		IN_FOLDER(archives_lie_in_archives),
		IN_FOLDER(gzip_files_may_be_joined),
		IN_FOLDER(an_empty_stream_is_an_empty_member),
		IN_FOLDER(names_do_not_matter),
		IN_FOLDER(zeros_are_no_empty_tar),
		IN_FOLDER(folders_are_sorted_by_group_and_order),
		IN_FOLDER(nothing_is_read_twice),
		IN_FOLDER(standard_input_is_a_dash),
		IN_FOLDER(backslashes_part_names),
		IN_FOLDER(inputs_that_cannot_be_opened_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
