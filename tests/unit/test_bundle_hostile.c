/*
 * Bundles that are damaged, or made to do damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>

#include "bundle_fixture.h"

/* Lines that no packing makes very small; the same every time. */
static char *make_lines(size_t length)
{
	char *lines = malloc(length + 1);
	uint32_t value = 12345;

	assert_non_null(lines);
	for (size_t i = 0; i < length; i++) {
		value = value * 1664525 + 1013904223;
		lines[i] = i % 80 == 79 ? '\n' : (char)('a' + (value >> 24) % 26);
	}
	lines[length] = '\0';
	return lines;
}

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
		reading_free(reading);
		buffer_free(&pack.bytes);
	}
	free(lines);
}

/* Three members, the middle one of `lines`. */
static void pack_three(struct pack *pack, const char *lines, size_t length)
{
	pack_begin(pack, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE);
	pack_text(pack, "a.log", "first\n");
	pack_entry(pack, "b.log", AE_IFREG, NULL, lines, length);
	pack_text(pack, "c.log", "last\n");
	pack_end(pack);
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
		reading_free(reading);
	}
}

/* 64 MiB of zeros are some 64 KiB packed. */
static void pack_bomb(struct pack *pack, int format, int filter, size_t length)
{
	char *zeros = calloc(1, length);

	assert_non_null(zeros);
	pack_begin(pack, format, filter);
	pack_text(pack, "a.log", "first\n");
	pack_entry(pack, "b.log", AE_IFREG, NULL, zeros, length);
	pack_text(pack, "c.log", "last\n");
	pack_end(pack);
	free(zeros);
}

static void bombs_are_stopped_by_their_ratio(void **state)
{
	static const int filters[] = {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP,
		ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD};
	struct bundle_limits limits;
	struct pack pack;

	(void)state;
	bundle_limits_default(&limits);
	limits.ratio = 500;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		pack_bomb(&pack, i == 0 ? ARCHIVE_FORMAT_ZIP : ARCHIVE_FORMAT_TAR_USTAR, filters[i],
			64 << 20);
		char *path = make_pack("bomb", &pack);
		struct reading *reading = read_paths(&path, 1, &limits, 65536);
		assert_string_equal(text_of(reading, "bomb/a.log"), "first\n");
		assert_int_equal(reading->error[1], ERROR_INPUT);
		assert_true(reading->length[1] >= 15 << 20 && reading->length[1] < 60 << 20);
		assert_true(was_skipped(reading, "bomb/b.log", "500 times its size"));
		assert_true(was_skipped(reading, "bomb", "what follows"));
		assert_int_equal(reading->members, 2);
		reading_free(reading);
	}
}

/* Each packing alone keeps within the ratio; all of them together do not. */
static void bombs_in_bombs_are_stopped(void **state)
{
	struct pack one, two;
	struct bundle_limits limits;
	struct reading *reading;
	char *zeros = calloc(1, 20 << 20), *path;

	(void)state;
	bundle_limits_default(&limits);
	pack_stream(&one, ARCHIVE_FILTER_GZIP, zeros, 20 << 20);
	pack_stream(&two, ARCHIVE_FILTER_GZIP, one.bytes.bytes, one.bytes.length);
	assert_true(two.bytes.length < 1000);
	buffer_free(&one.bytes);
	path = make_pack("nested.gz", &two);
	reading = read_paths(&path, 1, &limits, 65536);
	assert_true(reading->all < 17 << 20);
	assert_true(was_skipped(reading, "nested.gz", "times its size"));
	reading_free(reading);
	free(zeros);
}

static void depth_is_limited(void **state)
{
	struct pack inner, outer;
	struct bundle_limits limits;
	char *path;

	(void)state;
	pack_stream(&inner, ARCHIVE_FILTER_GZIP, "deep\n", 5);
	for (int i = 0; i < 3; i++) {
		pack_begin(&outer, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);
		pack_entry(&outer, "x", AE_IFREG, NULL, inner.bytes.bytes, inner.bytes.length);
		pack_text(&outer, "y.log", "beside\n");
		pack_end(&outer);
		buffer_free(&inner.bytes);
		inner = outer;
	}
	path = make_pack("deep.tgz", &outer);
	bundle_limits_default(&limits);
	struct reading *reading = read_paths(&path, 1, &limits, 100);
	assert_string_equal(text_of(reading, "deep.tgz/x/x/x"), "deep\n");
	assert_int_equal(reading->members, 4);
	assert_int_equal(reading->skips, 0);
	reading_free(reading);
	limits.depth = 3;
	reading = read_paths(&path, 1, &limits, 100);
	assert_true(was_skipped(reading, "deep.tgz/x/x/x", "within each other"));
	assert_int_equal(reading->members, 3);
	assert_string_equal(text_of(reading, "deep.tgz/y.log"), "beside\n");
	reading_free(reading);
	limits.depth = 0;
	reading = read_paths(&path, 1, &limits, 100);
	assert_int_equal(reading->members, 0);
	assert_true(was_skipped(reading, "deep.tgz", "within each other"));
	reading_free(reading);
}

static void members_are_limited(void **state)
{
	struct bundle_limits limits;
	struct pack pack;
	char name[32];
	char *paths[3] = {NULL, NULL, strdup(make_text("z.log", "z"))};

	(void)state;
	pack_begin(&pack, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "%d.log", i);
		pack_text(&pack, name, i % 2 ? "x" : "");
	}
	pack_end(&pack);
	paths[0] = strdup(make_pack("many.zip", &pack));
	paths[1] = strdup(make_folder("many"));
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "many/%d.log", i);
		make_text(name, "x");
	}
	bundle_limits_default(&limits);
	limits.members = 21;
	for (int i = 0; i < 2; i++) {
		struct reading *reading = read_paths(paths + i, (size_t)(3 - i), &limits, 10);
		/* the zip or the folder itself is one of them */
		assert_int_equal(reading->members, 20);
		assert_int_equal(reading->skips, 1);
		assert_true(was_skipped(reading, i == 0 ? "many.zip" : "many", "more than 21"));
		assert_int_equal(reading->end, 0);
		reading_free(reading);
	}
	for (int i = 0; i < 3; i++)
		free(paths[i]);
}

static void bytes_are_limited(void **state)
{
	struct bundle_limits limits;
	char *lines = make_lines(10000);
	char *paths[] = {
		make_text("a.log", lines), make_text("b.log", lines), make_text("c.log", lines)};
	struct reading *reading;

	(void)state;
	bundle_limits_default(&limits);
	limits.member_bytes = 9999;
	reading = read_paths(paths, 3, &limits, 100);
	assert_int_equal(reading->members, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(reading->length[i], 9900);
		assert_int_equal(reading->error[i], ERROR_INPUT);
	}
	assert_true(was_skipped(reading, "a.log", "longer than 9999 bytes"));
	assert_int_equal(reading->skips, 3);
	reading_free(reading);
	limits.member_bytes = 10000;
	limits.bytes = 15000;
	reading = read_paths(paths, 3, &limits, 100);
	assert_int_equal(reading->members, 2);
	assert_int_equal(reading->error[0], 0);
	assert_int_equal(reading->all, 15000);
	assert_int_equal(reading->skips, 1);
	assert_true(was_skipped(reading, "b.log", "what follows was not read"));
	reading_free(reading);
	free(lines);
}

static void names_that_lead_out_are_not_read(void **state)
{
	static const char *const names[] = {
		"../x.log", "/etc/passwd", "a/../../x.log", "C:\\x.log", "..\\x.log", "../"};
	struct pack pack;
	struct reading *reading;
	int formats[] = {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FORMAT_ZIP};

	(void)state;
	for (int f = 0; f < 2; f++) {
		pack_begin(&pack, formats[f], ARCHIVE_FILTER_NONE);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			pack_text(&pack, names[i], "bad\n");
		pack_text(&pack, "good.log", "good\n");
		pack_end(&pack);
		reading = read_one(make_pack("p", &pack));
		assert_int_equal(reading->members, 1);
		assert_string_equal(text_of(reading, "p/good.log"), "good\n");
		assert_int_equal(reading->skips, sizeof(names) / sizeof(names[0]));
		assert_true(was_skipped(reading, "p/../x.log", "out of the archive"));
		assert_true(was_skipped(reading, "p//etc/passwd", "absolute"));
		reading_free(reading);
	}
}

static void names_are_bytes_of_any_kind(void **state)
{
	char name[5001];
	struct pack pack;
	struct reading *reading;

	(void)state;
	memset(name, 'n', 5000);
	name[5000] = '\0';
	pack_begin(&pack, ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE);
	pack_text(&pack, "two\nlines", "1");
	pack_text(&pack,
		"gr\xf6"
		"e",
		"2");
	pack_text(&pack,
		"Gr\xc3\xb6\xc3\x9f"
		"e",
		"3");
	pack_text(&pack, name, "4");
	name[2500] = 'm';
	pack_text(&pack, name, "5");
	pack_end(&pack);
	reading = read_one(make_pack("n.tar", &pack));
	assert_int_equal(reading->members, 5);
	assert_string_equal(text_of(reading, "n.tar/two\\x0alines"), "1");
	assert_string_equal(text_of(reading,
				    "n.tar/gr\\xf6"
				    "e"),
		"2");
	assert_string_equal(text_of(reading,
				    "n.tar/Gr\xc3\xb6\xc3\x9f"
				    "e"),
		"3");
	assert_string_not_equal(reading->member[3].path, reading->member[4].path);
	reading_free(reading);
}

static void links_and_devices_in_archives_are_told(void **state)
{
	struct pack pack;
	struct reading *reading;

	(void)state;
	pack_begin(&pack, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE);
	pack_entry(&pack, "passwd", AE_IFLNK, "/etc/passwd", NULL, 0);
	pack_entry(&pack, "hard", AE_IFREG, "/etc/hosts", NULL, 0);
	pack_entry(&pack, "fifo", AE_IFIFO, NULL, NULL, 0);
	pack_entry(&pack, "null", AE_IFCHR, NULL, NULL, 0);
	pack_text(&pack, "good.log", "good\n");
	pack_end(&pack);
	reading = read_one(make_pack("l.tar", &pack));
	assert_int_equal(reading->members, 1);
	assert_int_equal(reading->skips, 4);
	assert_true(was_skipped(reading, "l.tar/passwd", "a link to \"/etc/passwd\""));
	assert_true(was_skipped(reading, "l.tar/hard", "a link to \"/etc/hosts\""));
	assert_true(was_skipped(reading, "l.tar/fifo", "FIFO"));
	assert_true(was_skipped(reading, "l.tar/null", "device"));
	reading_free(reading);
	pack_begin(&pack, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE);
	pack_entry(&pack, "passwd", AE_IFLNK, "/etc/passwd", NULL, 0);
	pack_end(&pack);
	reading = read_one(make_pack("l.zip", &pack));
	assert_int_equal(reading->members, 0);
	assert_true(was_skipped(reading, "l.zip/passwd", "a link"));
	reading_free(reading);
}

static void links_and_devices_in_folders_are_told(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct reading *reading;
	char *path;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	make_folder("logs");
	make_folder("logs/sub");
	make_text("outside.log", "outside\n");
	make_text("logs/good.log", "good\n");
	assert_int_equal(mkfifo(in_folder("logs/fifo"), 0600), 0);
	assert_int_equal(symlink("..", in_folder("logs/sub/up")), 0);
	assert_int_equal(symlink("../outside.log", in_folder("logs/link.log")), 0);
	assert_int_equal(symlink("nowhere", in_folder("logs/dangling")), 0);
	assert_int_equal(link(in_folder("logs/good.log"), in_folder("logs/hard.log")), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/logs/socket", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	reading = read_one(in_folder("logs"));
	assert_int_equal(reading->members, 1);
	assert_string_equal(text_of(reading, "logs/good.log"), "good\n");
	assert_int_equal(reading->skips, 6);
	assert_true(was_skipped(reading, "logs/fifo", "FIFO"));
	assert_true(was_skipped(reading, "logs/socket", "socket"));
	assert_true(was_skipped(reading, "logs/link.log", "link"));
	assert_true(was_skipped(reading, "logs/dangling", "link"));
	assert_true(was_skipped(reading, "logs/sub/up", "link"));
	assert_true(was_skipped(reading, "logs/hard.log", "read already"));
	reading_free(reading);
	close(fd);
	/* what the user names himself may be a link */
	assert_int_equal(symlink("logs", in_folder("named")), 0);
	path = in_folder("named");
	reading = read_one(path);
	assert_string_equal(text_of(reading, "named/good.log"), "good\n");
	reading_free(reading);
	path = (char[]){"/dev/zero"};
	reading = read_one(path);
	assert_int_equal(reading->members, 0);
	assert_true(was_skipped(reading, "/dev/zero", "device"));
	reading_free(reading);
}

static void folders_may_be_deep(void **state)
{
	char name[512] = "d";
	struct reading *reading;

	(void)state;
	for (int i = 0; i < 40; i++) {
		make_folder(name);
		strcat(name, "/d");
	}
	make_text("d/top.log", "top\n");
	reading = read_one(in_folder("d"));
	assert_string_equal(text_of(reading, "d/top.log"), "top\n");
	assert_int_equal(reading->skips, 1);
	assert_non_null(strstr(reading->skipped[0], "too many folders"));
	reading_free(reading);
}

static void unreadable_files_are_told(void **state)
{
	struct reading *reading;
	uid_t user = geteuid();

	(void)state;
	make_folder("logs");
	make_folder("logs/closed");
	make_text("logs/secret.log", "x");
	make_text("logs/good.log", "good\n");
	chmod(folder, 0755);
	chmod(in_folder("logs"), 0755);
	chmod(in_folder("logs/good.log"), 0644);
	chmod(in_folder("logs/secret.log"), 0);
	chmod(in_folder("logs/closed"), 0);
	/* to root everything is readable: be nobody */
	if (user == 0)
		assert_int_equal(seteuid(65534), 0);
	reading = read_one(in_folder("logs"));
	if (user == 0)
		assert_int_equal(seteuid(0), 0);
	chmod(in_folder("logs/closed"), 0700);
	assert_int_equal(reading->members, 1);
	assert_string_equal(text_of(reading, "logs/good.log"), "good\n");
	assert_int_equal(reading->skips, 2);
	assert_true(was_skipped(reading, "logs/secret.log", "Permission denied"));
	assert_true(was_skipped(reading, "logs/closed", "Permission denied"));
	reading_free(reading);
}

/* Sets general purpose flags in all headers of a zip, local and in the directory. */
static void set_zip_flags(struct pack *pack, unsigned flags)
{
	for (size_t i = 0; i + 10 < pack->bytes.length; i++) {
		char *header = pack->bytes.bytes + i;
		size_t at = memcmp(header, "PK\3\4", 4) == 0 ? 6
			: memcmp(header, "PK\1\2", 4) == 0   ? 8
							     : 0;
		if (at != 0) {
			header[at] = (char)((unsigned char)header[at] | (flags & 0xff));
			header[at + 1] = (char)((unsigned char)header[at + 1] | flags >> 8);
		}
	}
}

static void encrypted_members_are_told(void **state)
{
	struct pack pack;
	struct reading *reading;

	(void)state;
	pack_three(&pack, "secret\n", 7);
	set_zip_flags(&pack, 1);
	reading = read_one(make_pack("e.zip", &pack));
	assert_int_equal(reading->members, 0);
	assert_true(was_skipped(reading, "e.zip/b.log", "encrypted; unpack it"));
	assert_int_equal(reading->skips, 3);
	reading_free(reading);
}

/* Whatever the locale of the caller; and when it is not so, the member is still read. */
static void zip_names_may_say_that_they_are_utf8(void **state)
{
	struct pack pack;
	struct reading *reading;

	(void)state;
	pack_begin(&pack, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE);
	pack_text(&pack,
		"Gr\xc3\xb6\xc3\x9f"
		"e.log",
		"1");
	pack_text(&pack,
		"gr\xf6"
		"e.log",
		"2");
	pack_end(&pack);
	set_zip_flags(&pack, 0x800);
	reading = read_one(make_pack("u.zip", &pack));
	assert_string_equal(text_of(reading,
				    "u.zip/Gr\xc3\xb6\xc3\x9f"
				    "e.log"),
		"1");
	assert_int_equal(reading->members, 2);
	assert_string_equal(text_of(reading, "u.zip/unnamed-2"), "2");
	reading_free(reading);
}

/* A directory that would take much memory is left unread, and the members are found without it. */
static void large_zip_directories_are_not_kept(void **state)
{
	struct pack pack;
	struct reading *reading;
	struct buffer zip;
	size_t directory = 0;

	(void)state;
	pack_three(&pack, "second\n", 7);
	while (memcmp(pack.bytes.bytes + directory, "PK\1\2", 4) != 0)
		directory++;
	/* the directory's first entry again and again */
	const char *first = pack.bytes.bytes + directory;
	size_t entry = 46 + strlen("a.log") + (unsigned char)first[30];
	buffer_init(&zip, 32 << 20);
	buffer_append(&zip, pack.bytes.bytes, directory);
	while (zip.length < 20 << 20)
		buffer_append(&zip, first, entry);
	/* its end: how many entries, how long it is, where it begins */
	uint32_t numbers[] = {(uint32_t)(zip.length - directory), (uint32_t)directory};
	buffer_append(&zip, "PK\5\6\0\0\0\0\xff\xff\xff\xff", 12);
	buffer_append(&zip, numbers, sizeof(numbers));
	buffer_append(&zip, "\0\0", 2);
	assert_false(zip.failed);
	buffer_free(&pack.bytes);
	reading = read_one(make_file("large.zip", zip.bytes, zip.length));
	buffer_free(&zip);
	assert_int_equal(reading->skips, 0);
	assert_int_equal(reading->members, 3);
	assert_string_equal(text_of(reading, "large.zip/b.log"), "second\n");
	reading_free(reading);
}

/* Sets a number of a tar header and makes the check sum right again. */
static void set_tar_number(char *header, size_t at, const char *octal)
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

/* Five bytes after a hole; the old GNU form, in which the header itself has the places. */
static void make_sparse(char *header, const char *offset, const char *size)
{
	memcpy(header + 257, "ustar  ", 8);
	header[156] = 'S';
	memset(header + 345, 0, 512 - 345);
	set_tar_number(header, 386, offset);
	set_tar_number(header, 398, "00000000005");
	set_tar_number(header, 483, size);
}

static void sparse_members_are_limited(void **state)
{
	struct pack pack;
	struct reading *reading;
	char *zeros = calloc(1, 100000);

	(void)state;
	pack_begin(&pack, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE);
	pack_text(&pack, "small.log", "end.\n");
	pack_text(&pack, "large.log", "end.\n");
	pack_end(&pack);
	make_sparse(pack.bytes.bytes, "00000303240", "00000303245");
	/* eight gibibytes of nothing */
	make_sparse(pack.bytes.bytes + 1024, "77777777770", "77777777775");
	reading = read_one(make_pack("s.tar", &pack));
	assert_int_equal(reading->members, 2);
	assert_int_equal(reading->length[0], 100005);
	assert_memory_equal(reading->bytes[0].bytes, zeros, 100000);
	assert_memory_equal(reading->bytes[0].bytes + 100000, "end.\n", 5);
	assert_true(reading->length[1] > 15 << 20 && reading->length[1] < 20 << 20);
	assert_true(was_skipped(reading, "s.tar/large.log", "times its size"));
	reading_free(reading);
	free(zeros);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(truncated_gzip_gives_what_is_there),
		IN_FOLDER(truncated_tar_gives_what_is_there),
		IN_FOLDER(truncated_zip_gives_what_is_there),
		IN_FOLDER(damage_in_a_zip_stays_in_its_member),
		IN_FOLDER(damage_in_a_zip_in_a_tar_stays_in_the_zip),
		IN_FOLDER(wrong_check_sums_are_told),
		IN_FOLDER(other_packings_are_named),
		IN_FOLDER(bombs_are_stopped_by_their_ratio),
		IN_FOLDER(bombs_in_bombs_are_stopped),
		IN_FOLDER(depth_is_limited),
		IN_FOLDER(members_are_limited),
		IN_FOLDER(bytes_are_limited),
		IN_FOLDER(names_that_lead_out_are_not_read),
		IN_FOLDER(names_are_bytes_of_any_kind),
		IN_FOLDER(links_and_devices_in_archives_are_told),
		IN_FOLDER(links_and_devices_in_folders_are_told),
		IN_FOLDER(folders_may_be_deep),
		IN_FOLDER(unreadable_files_are_told),
		IN_FOLDER(encrypted_members_are_told),
		IN_FOLDER(zip_names_may_say_that_they_are_utf8),
		IN_FOLDER(large_zip_directories_are_not_kept),
		IN_FOLDER(declared_sizes_are_not_believed),
		IN_FOLDER(sparse_members_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
