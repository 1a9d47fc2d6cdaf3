#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/logs.h"
#include "health/head.h"

#define MEBIBYTE (UINT64_C(1) << 20)
#define FILES_MAXIMUM 64
#define FOUR_DIGITS "[0-9a-f][0-9a-f][0-9a-f][0-9a-f]"
#define DATE_AND_NUMBER "2024_01_[0-3][0-9]_" FOUR_DIGITS FOUR_DIGITS
#define AGENT_NAME "pcoip_agent_" DATE_AND_NUMBER ".txt"
#define SERVER_NAME "pcoip_server_" DATE_AND_NUMBER ".txt"
#define SESSIONS_MAXIMUM 64

/* A bundle that was written, and what it holds. */
struct bundle {
	char folder[64];
	size_t file_count;
	char files[FILES_MAXIMUM][64]; /* by name */
	char *text;                    /* of all files, one after the other */
	size_t length;
	uint64_t lines, statistics;
	size_t session_count;
	struct session_id sessions[SESSIONS_MAXIMUM];
	int64_t longest_step; /* between two lines, in the server's log */
};

static struct bundle bundle;

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void list_files(void)
{
	DIR *folder = opendir(bundle.folder);

	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		assert_true(bundle.file_count < FILES_MAXIMUM);
		snprintf(bundle.files[bundle.file_count++], 64, "%.63s", entry->d_name);
	}
	closedir(folder);
	qsort(bundle.files, bundle.file_count, sizeof(bundle.files[0]), by_name);
}

static void read_files(void)
{
	for (size_t i = 0; i < bundle.file_count; i++) {
		char path[192];
		struct stat status;
		snprintf(path, sizeof(path), "%s/%s", bundle.folder, bundle.files[i]);
		FILE *file = fopen(path, "r");
		assert_non_null(file);
		assert_int_equal(fstat(fileno(file), &status), 0);
		size_t size = (size_t)status.st_size;
		bundle.text = realloc(bundle.text, bundle.length + size + 1);
		assert_non_null(bundle.text);
		assert_int_equal(fread(bundle.text + bundle.length, 1, size, file), size);
		bundle.length += size;
		bundle.text[bundle.length] = '\0';
		fclose(file);
	}
}

static void write_bundle(const struct logs_options *options)
{
	struct logs_options ours = *options;
	char why[LOGS_TEXT_SIZE];

	strcpy(bundle.folder, "/tmp/fairlead-test-logs-XXXXXX");
	assert_non_null(mkdtemp(bundle.folder));
	ours.folder = bundle.folder;
	assert_int_equal(logs_write(&ours, why), 0);
	list_files();
	read_files();
}

static int drop_bundle(void **state)
{
	char path[192];

	(void)state;
	for (size_t i = 0; i < bundle.file_count; i++) {
		snprintf(path, sizeof(path), "%s/%s", bundle.folder, bundle.files[i]);
		unlink(path);
	}
	rmdir(bundle.folder);
	free(bundle.text);
	memset(&bundle, 0, sizeof(bundle));
	return 0;
}

static bool is_new(const struct session_id *id)
{
	for (size_t i = 0; i < bundle.session_count; i++) {
		if (session_id_equal(&bundle.sessions[i], id))
			return false;
	}
	return true;
}

/* Every line has a head of the agent's family, and the time never goes back. */
static void look_through(void)
{
	int64_t before = 0;

	/* By length throughout: strict string checks would measure the whole text for each line. */
	const char *text_end = bundle.text + bundle.length;

	for (char *line = bundle.text; line < text_end;) {
		char *end = memchr(line, '\n', (size_t)(text_end - line));
		struct head head;
		assert_non_null(end);
		assert_true(end - line < 512);
		assert_true(head_read(line, (size_t)(end - line), &head));
		assert_int_equal(head.family, FAMILY_AGENT);
		assert_int_equal(head.stamp.kind, STAMP_KIND_UTC);
		assert_true(head.has_id && head.component_length > 0 && head.message_length > 0);
		assert_null(memchr(head.message, '{', head.message_length));
		/* a later file may be the other log, which begins anew */
		bool begins = memcmp(head.message, "-- pcoip_", 9) == 0;
		assert_true(head.stamp.time >= before || begins);
		if (before != 0 && !begins && head.stamp.time - before > bundle.longest_step)
			bundle.longest_step = head.stamp.time - before;
		before = head.stamp.time;
		if (!session_id_is_zero(&head.id) && is_new(&head.id)) {
			int64_t made;
			assert_true(bundle.session_count < SESSIONS_MAXIMUM);
			bundle.sessions[bundle.session_count++] = head.id;
			assert_true(session_id_time(&head.id, &made));
			assert_true(made < head.stamp.time);
			/* The node is an Ethernet address, as clients have it, not a random one. */
			assert_int_equal(head.id.bytes[10] & 1, 0);
			assert_true(memcmp(head.id.bytes + 10, "\0\0\0\0\0", 6) != 0);
		}
		bundle.lines++;
		bundle.statistics += memcmp(head.message, "Stat frms: ", 11) == 0;
		line = end + 1;
	}
}

static size_t count(const char *what)
{
	size_t hits = 0;

	const char *at = bundle.text, *end = bundle.text + bundle.length;

	while ((at = memmem(at, (size_t)(end - at), what, strlen(what))) != NULL) {
		hits++;
		at++;
	}
	return hits;
}

static void a_bundle_holds_what_was_asked_for(void **state)
{
	(void)state;
	write_bundle(&(struct logs_options){
		.size = 24 * MEBIBYTE, .sessions = 60, .rotate = 4 * MEBIBYTE, .seed = 8});
	assert_true(bundle.length >= 24 * MEBIBYTE && bundle.length < 24 * MEBIBYTE + 65536);
	assert_true(bundle.file_count >= 6 && bundle.file_count <= 8);
	for (size_t i = 0; i < bundle.file_count; i++)
		assert_true(fnmatch(AGENT_NAME, bundle.files[i], 0) == 0 ||
			fnmatch(SERVER_NAME, bundle.files[i], 0) == 0);
	look_through();
	assert_int_equal(bundle.session_count, 60);
	assert_int_equal(count("Received hello command!"), 60);
	assert_int_equal(count("-- pcoip_agent begins"), 1);
	assert_int_equal(count("server main: exiting"), 1);
	/* most go well, some do not, and of each kind there is one */
	assert_true(count("(0x103) -> ") > 20);
	assert_true(count("License denied") > 0);
	assert_true(count("Failed to authenticate") > 0);
	assert_true(count("(0x102) -> ") > 0);
	assert_true(count("(0x402) -> ") > 0);
	assert_true(count("(0x000) -> ") > 0);
	assert_int_equal(count("--> CONNECTED"),
		count("Session stats:") - count("(0x402) -> ") - count("(0x102) -> "));
	assert_true(bundle.statistics > 0);
	assert_true(bundle.statistics * 50 < bundle.lines);
}

static void the_seed_decides_everything(void **state)
{
	static const struct logs_options options = {.size = MEBIBYTE, .sessions = 3, .seed = 3};
	struct logs_options other = options;
	char *first;
	size_t length;

	(void)state;
	write_bundle(&options);
	assert_int_equal(bundle.file_count, 2); /* never rotated */
	first = bundle.text;
	length = bundle.length;
	bundle.text = NULL;
	drop_bundle(NULL);
	write_bundle(&options);
	assert_int_equal(bundle.length, length);
	assert_memory_equal(bundle.text, first, length);
	drop_bundle(NULL);
	other.seed++;
	write_bundle(&other);
	assert_true(bundle.length != length || memcmp(bundle.text, first, length) != 0);
	free(first);
}

static void a_gap_is_ten_minutes_while_connected(void **state)
{
	struct logs_options options = {.size = MEBIBYTE, .sessions = 1, .seed = 5};

	(void)state;
	write_bundle(&options);
	look_through();
	assert_true(bundle.longest_step < INT64_C(240) * 1000000);
	drop_bundle(NULL);
	options.gap = true;
	write_bundle(&options);
	look_through();
	assert_true(bundle.longest_step >= INT64_C(600) * 1000000);
	assert_true(bundle.longest_step < INT64_C(610) * 1000000);
}

static void a_small_bundle_still_tells_every_session(void **state)
{
	(void)state;
	write_bundle(&(struct logs_options){.size = 1, .sessions = 5, .seed = 1});
	look_through();
	assert_int_equal(bundle.session_count, 5);
	assert_true(bundle.length < 200000);
}

static void nothing_is_overwritten(void **state)
{
	struct logs_options options = {.size = 1, .sessions = 1, .seed = 1};
	char why[LOGS_TEXT_SIZE] = "";

	(void)state;
	write_bundle(&options);
	options.folder = bundle.folder;
	assert_int_equal(logs_write(&options, why), -1);
	assert_non_null(strstr(why, strerror(EEXIST)));
	options.folder = "/dev/null/nowhere";
	assert_int_equal(logs_write(&options, why), -1);
	assert_non_null(strstr(why, strerror(ENOTDIR)));
}

static int read_options(const char *a, const char *b, const char *c, struct logs_options *options)
{
	char *argv[5] = {(char[]){"logs"}, NULL, NULL, NULL, NULL};
	char copies[3][32];
	const char *given[3] = {a, b, c};
	int argc = 1;

	for (size_t i = 0; i < 3 && given[i] != NULL; i++) {
		snprintf(copies[i], sizeof(copies[i]), "%s", given[i]);
		argv[argc++] = copies[i];
	}
	optind = 0; /* begins anew */
	int status = logs_read(argc, argv, options);
	/* the name lies in `copies` */
	options->folder = options->folder != NULL ? "folder" : NULL;
	return status;
}

static void options_are_understood(void **state)
{
	static const char *const bad[][3] = {{"--size", "0", "x"}, {"--size", "5T", "x"},
		{"--size", "-5", "x"}, {"--size", "99999999G", "x"}, {"--sessions", "0", "x"},
		{"--sessions", "9999999", "x"}, {"--seed", "x", "x"}, {"--rotate", "1KK", "x"},
		{NULL, NULL, NULL}, {"a", "b", NULL}, {"--what", "x", NULL}};
	struct logs_options options;

	(void)state;
	assert_int_equal(read_options("x", NULL, NULL, &options), 0);
	assert_int_equal(options.size, 100 * MEBIBYTE);
	assert_int_equal(options.sessions, 26);
	assert_non_null(options.folder);
	assert_int_equal(read_options("--size", "8G", "-", &options), 0);
	assert_int_equal(options.size, 8192 * MEBIBYTE);
	assert_int_equal(options.sessions, 2049);
	assert_null(options.folder);
	assert_int_equal(read_options("--rotate", "512K", "x", &options), 0);
	assert_int_equal(options.rotate, MEBIBYTE / 2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_options(bad[i][0], bad[i][1], bad[i][2], &options), 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_bundle_holds_what_was_asked_for, drop_bundle),
		cmocka_unit_test_teardown(the_seed_decides_everything, drop_bundle),
		cmocka_unit_test_teardown(a_gap_is_ten_minutes_while_connected, drop_bundle),
		cmocka_unit_test_teardown(a_small_bundle_still_tells_every_session, drop_bundle),
		cmocka_unit_test_teardown(nothing_is_overwritten, drop_bundle),
		cmocka_unit_test(options_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
