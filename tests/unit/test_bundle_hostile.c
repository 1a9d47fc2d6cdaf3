/*
 * Bundles that are made to do damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>

#include "bundle_fixture.h"

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
	assert_int_equal(reading->lost, 1);
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
	assert_int_equal(reading->lost, 0);
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
		IN_FOLDER(sparse_members_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
