/*
 * Bundles that are damaged: what could be read is given, and a reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bundle_fixture.h"

/* What could be read is the beginning of what was packed. */
static void expect_beginning(const struct reading *reading, int at, const char *lines, size_t least)
{
	assert_true(at >= 0);
	assert_true(reading->bytes[at].length >= least);
	assert_memory_equal(reading->bytes[at].bytes, lines, reading->bytes[at].length);
	assert_int_equal(reading->error[at], ERROR_INPUT);
}

static void truncated_gzip_gives_what_is_there(void **state)
{
	char *lines = make_lines(300000);
	struct pack pack;

	(void)state;
	for (size_t length = 100; length <= 300000; length = length * 3 + 7) {
		pack_stream(&pack, ARCHIVE_FILTER_GZIP, lines, length);
		for (size_t cut = 1; cut <= 10; cut++) {
			size_t kept = pack.bytes.length * cut / 11;
			struct reading *reading =
				read_one(make_file("t.log.gz", pack.bytes.bytes, kept));
			if (kept > 3) {
				assert_int_equal(reading->skips, 1);
				assert_true(was_skipped(reading, "t.log.gz", "ends too early"));
			}
			/* all but what one symbol table and one block header hide */
			if (kept > 300)
				expect_beginning(reading, member_at(reading, "t.log.gz"), lines,
					(kept - 300) * 7 / 5);
			reading_free(reading);
		}
		buffer_free(&pack.bytes);
	}
	free(lines);
}

static void truncated_tar_gives_what_is_there(void **state)
{
	static const int filters[] = {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP};
	char *lines = make_lines(100000);
	struct pack pack;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		pack_begin(&pack, ARCHIVE_FORMAT_TAR_USTAR, filters[i]);
		pack_text(&pack, "a.log", "first\n");
		pack_entry(&pack, "b.log", AE_IFREG, NULL, lines, 100000);
		pack_text(&pack, "c.log", "last\n");
		pack_end(&pack);
		struct reading *reading =
			read_one(make_file("t.tar", pack.bytes.bytes, pack.bytes.length * 2 / 3));
		assert_string_equal(text_of(reading, "t.tar/a.log"), "first\n");
		assert_int_equal(reading->members, 2);
		expect_beginning(reading, member_at(reading, "t.tar/b.log"), lines, 50000);
		assert_true(was_skipped(reading, "t.tar/b.log", "damaged"));
		assert_true(was_skipped(reading, "t.tar", "what follows"));
		assert_int_equal(reading->lost, reading->skips);
		reading_free(reading);
		buffer_free(&pack.bytes);
	}
	free(lines);
}

static void truncated_zip_gives_what_is_there(void **state)
{
	char *lines = make_lines(200000);
	struct pack pack;
	struct reading *reading;

	(void)state;
	pack_three(&pack, lines, 200000);
	reading = read_one(make_file("t.zip", pack.bytes.bytes, pack.bytes.length / 2));
	assert_string_equal(text_of(reading, "t.zip/a.log"), "first\n");
	expect_beginning(reading, member_at(reading, "t.zip/b.log"), lines, 80000);
	assert_true(was_skipped(reading, "t.zip/b.log", "damaged"));
	reading_free(reading);
	/* the directory is gone, the members are there */
	reading = read_one(make_file("t.zip", pack.bytes.bytes, pack.bytes.length - 60));
	assert_int_equal(reading->members, 3);
	assert_string_equal(text_of(reading, "t.zip/c.log"), "last\n");
	assert_memory_equal(reading->bytes[1].bytes, lines, 200000);
	reading_free(reading);
	buffer_free(&pack.bytes);
	free(lines);
}

/* The damaged member is told, the one after it is read. */
static void damage_in_a_zip_stays_in_its_member(void **state)
{
	char *lines = make_lines(400000);
	struct pack pack;

	(void)state;
	/* one wrong byte is found by the check sum only, many by the unpacking */
	for (int many = 0; many < 2; many++) {
		struct reading *reading;

		pack_three(&pack, lines, 400000);
		for (int i = 0; i < (many ? 3000 : 1); i++)
			pack.bytes.bytes[pack.bytes.length / 2 + (size_t)i] ^= 0x55;
		reading = read_one(make_pack("d.zip", &pack));
		assert_int_equal(reading->members, 3);
		assert_string_equal(text_of(reading, "d.zip/a.log"), "first\n");
		assert_string_equal(text_of(reading, "d.zip/c.log"), "last\n");
		assert_int_equal(reading->error[1], ERROR_INPUT);
		assert_true(reading->length[1] > 180000);
		assert_memory_equal(reading->bytes[1].bytes, lines, 180000);
		assert_true(was_skipped(reading, "d.zip/b.log", "damaged"));
		assert_int_equal(reading->skips, 1);
		reading_free(reading);
	}
	free(lines);
}

/* Another check sum for the second member of a zip, wherever it stands. */
static void spoil_sum(struct pack *zip)
{
	char sum[4] = "";
	int found = 0;

	for (size_t i = 0; i + 20 < zip->bytes.length; i++) {
		/* its entry of the directory has the sum, 16 bytes in */
		if (memcmp(zip->bytes.bytes + i, "PK\1\2", 4) == 0 && ++found == 2)
			memcpy(sum, zip->bytes.bytes + i + 16, 4);
	}
	assert_int_equal(found, 3);
	for (size_t i = 0; i + 4 < zip->bytes.length; i++) {
		if (memcmp(zip->bytes.bytes + i, sum, 4) == 0)
			zip->bytes.bytes[i] ^= 1;
	}
}

/* The zip within a tar, where it can be read from its first byte to its last only. */
static void put_into_tar(struct pack *zip)
{
	struct pack tar;

	pack_begin(&tar, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE);
	pack_entry(&tar, "in.zip", AE_IFREG, NULL, zip->bytes.bytes, zip->bytes.length);
	pack_text(&tar, "after.log", "after\n");
	pack_end(&tar);
	buffer_free(&zip->bytes);
	*zip = tar;
}

static void wrong_check_sums_are_told(void **state)
{
	char *lines = make_lines(100000);
	struct pack pack;
	struct reading *reading;

	(void)state;
	pack_three(&pack, lines, 100000);
	spoil_sum(&pack);
	reading = read_one(make_pack("c.zip", &pack));
	assert_int_equal(reading->bytes[1].length, 100000);
	expect_beginning(reading, 1, lines, 100000);
	assert_true(was_skipped(reading, "c.zip/b.log", "CRC"));
	assert_string_equal(text_of(reading, "c.zip/c.log"), "last\n");
	reading_free(reading);

	pack_three(&pack, lines, 100000);
	spoil_sum(&pack);
	put_into_tar(&pack);
	reading = read_one(make_pack("c.tar", &pack));
	assert_int_equal(reading->bytes[1].length, 100000);
	expect_beginning(reading, 1, lines, 100000);
	assert_true(was_skipped(reading, "c.tar/in.zip/b.log", "CRC"));
	assert_string_equal(text_of(reading, "c.tar/in.zip/c.log"), "last\n");
	assert_string_equal(text_of(reading, "c.tar/after.log"), "after\n");
	reading_free(reading);

	pack_stream(&pack, ARCHIVE_FILTER_GZIP, lines, 100000);
	pack.bytes.bytes[pack.bytes.length - 6] ^= 1;
	reading = read_one(make_pack("c.gz", &pack));
	assert_int_equal(reading->bytes[0].length, 100000);
	expect_beginning(reading, 0, lines, 100000);
	assert_true(was_skipped(reading, "c.gz", "check sum"));
	reading_free(reading);
	free(lines);
}

static void damage_in_a_zip_in_a_tar_stays_in_the_zip(void **state)
{
	char *lines = make_lines(400000);
	struct pack pack;
	struct reading *reading;

	(void)state;
	pack_three(&pack, lines, 400000);
	for (size_t i = 0; i < 3000; i++)
		pack.bytes.bytes[pack.bytes.length / 2 + i] ^= 0x55;
	put_into_tar(&pack);
	reading = read_one(make_pack("d.tar", &pack));
	assert_string_equal(text_of(reading, "d.tar/in.zip/a.log"), "first\n");
	assert_int_equal(reading->error[1], ERROR_INPUT);
	assert_true(reading->length[1] > 180000);
	assert_memory_equal(reading->bytes[1].bytes, lines, 180000);
	assert_true(was_skipped(reading, "d.tar/in.zip/b.log", "damaged"));
	assert_true(was_skipped(reading, "d.tar/in.zip", "what follows"));
	assert_string_equal(text_of(reading, "d.tar/after.log"), "after\n");
	reading_free(reading);
	free(lines);
}

static void other_packings_are_named(void **state)
{
	static const char *const heads[] = {"7z\xbc\xaf\x27\x1c", "Rar!\x1a\x07\x01", "MSCF"};
	struct reading *reading;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		reading = read_one(make_text("logs.7z", heads[i]));
		assert_int_equal(reading->members, 0);
		assert_true(was_skipped(reading, "logs.7z", "not read"));
		assert_int_equal(reading->lost, 0);
		reading_free(reading);
	}
}

static void declared_sizes_are_not_believed(void **state)
{
	struct pack pack;
	struct reading *reading;

	(void)state;
	pack_begin(&pack, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE);
	pack_text(&pack, "a.log", "small\n");
	pack_end(&pack);
	set_tar_number(pack.bytes.bytes, 124, "77777777777");
	reading = read_one(make_pack("h.tar", &pack));
	assert_int_equal(reading->members, 1);
	assert_true(reading->length[0] >= 6 && reading->length[0] < 20480);
	assert_memory_equal(reading->bytes[0].bytes, "small\n", 6);
	assert_int_equal(reading->error[0], ERROR_INPUT);
	assert_true(was_skipped(reading, "h.tar/a.log", "damaged"));
	reading_free(reading);
	pack_three(&pack, "second\n", 7);
	for (size_t i = 0; i + 30 < pack.bytes.length; i++) {
		char *header = pack.bytes.bytes + i;
		if (memcmp(header, "PK\3\4", 4) == 0)
			memcpy(header + 22, "\0\0\0\x7f", 4);
		else if (memcmp(header, "PK\1\2", 4) == 0)
			memcpy(header + 24, "\0\0\0\x7f", 4);
	}
	reading = read_one(make_pack("h.zip", &pack));
	assert_int_equal(reading->members, 3);
	assert_string_equal(text_of(reading, "h.zip/b.log"), "second\n");
	assert_int_equal(reading->error[1], ERROR_INPUT);
	assert_true(was_skipped(reading, "h.zip/b.log", "not as long"));
	reading_free(reading);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(truncated_gzip_gives_what_is_there),
		IN_FOLDER(truncated_tar_gives_what_is_there),
		IN_FOLDER(truncated_zip_gives_what_is_there),
		IN_FOLDER(damage_in_a_zip_stays_in_its_member),
		IN_FOLDER(wrong_check_sums_are_told),
		IN_FOLDER(damage_in_a_zip_in_a_tar_stays_in_the_zip),
		IN_FOLDER(other_packings_are_named),
		IN_FOLDER(declared_sizes_are_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
