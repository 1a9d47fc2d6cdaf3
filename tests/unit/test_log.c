#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/log.h"
#include "base/uuid.h"

#define ID "49756700-6f13-1039-a32b-02c4a91e7d01"
#define HEAD "2021-03-24T21:10:59.601Z " UUID_ZERO " > LVL:2 RC:   0           AGENT :"
#define THREADS 4
#define LINES_EACH 500

struct fixture {
	char folder[64];
	char file[80];
	char moved[80];
	struct clock_fake clock;
	struct log *log;
	char text[1024 * 1024];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct log_options options = {.level = LOG_INFORMATION, .names = LOG_NAMES_MASKED};

	assert_non_null(fixture);
	strcpy(fixture->folder, "/tmp/test-log-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	(void)snprintf(fixture->file, sizeof(fixture->file), "%s/log", fixture->folder);
	(void)snprintf(fixture->moved, sizeof(fixture->moved), "%s/moved", fixture->folder);
	clock_fake_init(&fixture->clock, INT64_C(1616620259601999));
	options.file = fixture->file;
	options.clock = &fixture->clock.clock;
	assert_int_equal(log_open(&options, &fixture->log), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	log_close(fixture->log);
	(void)unlink(fixture->file);
	(void)unlink(fixture->moved);
	assert_int_equal(rmdir(fixture->folder), 0);
	free(fixture);
	return 0;
}

/* What has reached the file. */
static const char *read_back(struct fixture *fixture, const char *file)
{
	int descriptor = open(file, O_RDONLY);
	ssize_t got;

	assert_true(descriptor >= 0);
	got = read(descriptor, fixture->text, sizeof(fixture->text) - 1);
	assert_true(got >= 0);
	fixture->text[got] = '\0';
	close(descriptor);
	return fixture->text;
}

static void a_line_has_the_vendors_layout(void **state)
{
	struct fixture *fixture = *state;

	log_line(fixture->log, NULL, LOG_INFORMATION, 0, "AGENT", "text %d", 7);
	log_line(fixture->log, ID, LOG_ERROR, -500, "MGMT_PCOIP_DATA", "x");
	log_line(fixture->log, "not an id\n", LOG_CRITICAL, 10013, "A_LONG_COMPONENT", "y");
	assert_string_equal(read_back(fixture, fixture->file),
		HEAD "text 7\n"
		     "2021-03-24T21:10:59.601Z " ID " > LVL:1 RC:-500 MGMT_PCOIP_DATA :x\n"
		     "2021-03-24T21:10:59.601Z " UUID_ZERO
		     " > LVL:0 RC:10013 A_LONG_COMPONENT :y\n");
}

/* As the vendor's clients write. */
static void a_clients_line_has_no_arrow(void **state)
{
	struct fixture *fixture = *state;
	struct log_options options = {.level = LOG_INFORMATION,
		.file = fixture->moved,
		.clock = &fixture->clock.clock,
		.client = true};
	struct log *log;

	assert_int_equal(log_open(&options, &log), 0);
	log_line(log, ID, LOG_INFORMATION, 0, "BROKER", "security mode: %d", 2);
	log_close(log);
	assert_string_equal(read_back(fixture, fixture->moved),
		"2021-03-24T21:10:59.601Z " ID
		" LVL:2 RC:   0          BROKER :security mode: 2\n");
}

static void lines_are_written_together(void **state)
{
	struct fixture *fixture = *state;
	size_t written = 0;

	log_line(fixture->log, NULL, LOG_INFORMATION, 0, "AGENT", "one");
	assert_string_equal(read_back(fixture, fixture->file), "");
	log_flush(fixture->log);
	assert_string_equal(read_back(fixture, fixture->file), HEAD "one\n");
	log_line(fixture->log, NULL, LOG_INFORMATION, 0, "AGENT", "two");
	log_line(fixture->log, NULL, LOG_ERROR, 0, "AGENT", "three");
	assert_non_null(strstr(read_back(fixture, fixture->file), ":three\n"));
	for (int i = 0; i < 33; i++) {
		written = strlen(read_back(fixture, fixture->file));
		log_line(fixture->log, NULL, LOG_INFORMATION, 0, "AGENT", "%900s", "x");
	}
	assert_true(strlen(read_back(fixture, fixture->file)) >= 32 * 1024);
	assert_true(written < 32 * 1024 || written == strlen(fixture->text));
}

static void levels_filter(void **state)
{
	struct fixture *fixture = *state;

	log_line(fixture->log, NULL, LOG_DEBUG, 0, "AGENT", "hidden");
	assert_false(log_wants(fixture->log, LOG_DEBUG));
	assert_true(log_wants(fixture->log, LOG_INFORMATION));
	assert_int_equal(log_reopen(fixture->log, LOG_DEBUG, LOG_NAMES_MASKED), 0);
	assert_true(log_wants(fixture->log, LOG_DEBUG));
	log_line(fixture->log, NULL, LOG_DEBUG, 0, "AGENT", "shown");
	log_flush(fixture->log);
	assert_null(strstr(read_back(fixture, fixture->file), "hidden"));
	assert_non_null(strstr(fixture->text, "LVL:3"));
}

static void a_line_is_one_line(void **state)
{
	struct fixture *fixture = *state;

	log_line(fixture->log, NULL, LOG_INFORMATION, 0, "AGENT", "%s",
		"a\r\nb\tc\x1b[0m\x7f D\\u Gr\xc3\xbc\xc3\x9f"
		"e \xf0\x9f\x98\x80");
	log_line(fixture->log, NULL, LOG_INFORMATION, 0, "AGENT", "%s",
		"\xff \xc3 \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe0\x9f\xbf \xf0\x8f\xbf\xbf "
		"\xe2\x82");
	log_line(fixture->log, NULL, LOG_INFORMATION, 0, "AGENT", "%s",
		/* What is tested. NOLINTNEXTLINE(misc-misleading-bidirectional) */
		"\xc2\x9b \xc2\x85 \xe2\x80\xa8 \xe2\x80\xa9 \xe2\x80\xa7 \xe2\x80\xae"
		"alice \xe2\x81\xa6");
	log_flush(fixture->log);
	assert_string_equal(read_back(fixture, fixture->file),
		HEAD "a\\x0D\\x0Ab\\x09c\\x1B[0m\\x7F D\\u Gr\xc3\xbc\xc3\x9f"
		     "e \xf0\x9f\x98\x80\n" HEAD
		     "\\xFF \\xC3 \\xC0\\x80 \\xED\\xA0\\x80 \\xF4\\x90\\x80\\x80 \\xE0\\x9F\\xBF "
		     "\\xF0\\x8F\\xBF\\xBF \\xE2\\x82\n" HEAD
		     "\\xC2\\x9B \\xC2\\x85 \\xE2\\x80\\xA8 \\xE2\\x80\\xA9 \xe2\x80\xa7 "
		     "\\xE2\\x80\\xAEalice \\xE2\\x81\\xA6\n");
}

/* Bytes of the last line with its newline, cut or not. */
static size_t last_line(struct fixture *fixture, const char *message)
{
	size_t before = strlen(read_back(fixture, fixture->file));

	log_line(fixture->log, NULL, LOG_INFORMATION, 0, "AGENT", "%s", message);
	log_flush(fixture->log);
	return strlen(read_back(fixture, fixture->file)) - before;
}

static void long_lines_are_cut(void **state)
{
	struct fixture *fixture = *state;
	const size_t room = LOG_LINE_MAXIMUM - 1 - (sizeof(HEAD) - 1);
	char message[3 * LOG_LINE_MAXIMUM];
	const char *end;

	memset(message, 'x', sizeof(message));
	message[room] = '\0';
	assert_int_equal(last_line(fixture, message), LOG_LINE_MAXIMUM);
	assert_null(strstr(fixture->text, "..."));
	message[room] = 'x';
	message[room + 1] = '\0';
	assert_int_equal(last_line(fixture, message), LOG_LINE_MAXIMUM);
	end = fixture->text + strlen(fixture->text);
	assert_string_equal(end - 5, "x...\n");
	message[room + 1] = 'x';
	message[sizeof(message) - 1] = '\0';
	assert_int_equal(last_line(fixture, message), LOG_LINE_MAXIMUM);

	/* Neither a character nor an escape is cut in two. */
	for (size_t shift = 0; shift < 8; shift++) {
		for (size_t i = shift; i + 2 < sizeof(message); i += 2)
			memcpy(message + i, "\xc3\xbc", 2);
		message[sizeof(message) - 1] = '\0';
		assert_in_range(
			last_line(fixture, message), LOG_LINE_MAXIMUM - 4, LOG_LINE_MAXIMUM);
		end = fixture->text + strlen(fixture->text);
		assert_memory_equal(end - 6, "\xc3\xbc...\n", 6);
		memset(message + shift, '\n', sizeof(message) - 1 - shift);
		assert_in_range(
			last_line(fixture, message), LOG_LINE_MAXIMUM - 4, LOG_LINE_MAXIMUM);
		end = fixture->text + strlen(fixture->text);
		assert_memory_equal(end - 8, "\\x0A...\n", 8);
		message[shift] = 'x';
	}
}

static void rotation(void **state)
{
	struct fixture *fixture = *state;
	struct stat status;

	log_line(fixture->log, NULL, LOG_INFORMATION, 0, "AGENT", "old");
	assert_int_equal(rename(fixture->file, fixture->moved), 0);
	assert_int_equal(log_reopen(fixture->log, LOG_INFORMATION, LOG_NAMES_CLEAR), 0);
	log_line(fixture->log, NULL, LOG_INFORMATION, 0, "AGENT", "new");
	log_flush(fixture->log);
	assert_string_equal(read_back(fixture, fixture->moved), HEAD "old\n");
	assert_string_equal(read_back(fixture, fixture->file), HEAD "new\n");
	assert_int_equal(stat(fixture->file, &status), 0);
	assert_int_equal(status.st_mode & 0137, 0);
}

static void a_failed_reopen_keeps_the_old_file(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(rename(fixture->file, fixture->moved), 0);
	assert_int_equal(mkdir(fixture->file, 0700), 0);
	assert_int_equal(log_reopen(fixture->log, LOG_DEBUG, LOG_NAMES_CLEAR), ERROR_SYSTEM);
	assert_int_equal(errno, EISDIR);
	assert_false(log_wants(fixture->log, LOG_DEBUG));
	log_line(fixture->log, NULL, LOG_ERROR, 0, "AGENT", "still here");
	assert_non_null(strstr(read_back(fixture, fixture->moved), "still here"));
	assert_int_equal(rmdir(fixture->file), 0);
}

static void an_unusable_file_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct log_options options = {.file = "/nowhere/at/all", .clock = &fixture->clock.clock};
	struct log *log = (struct log *)0x1;

	assert_int_equal(log_open(&options, &log), ERROR_SYSTEM);
	assert_int_equal(errno, ENOENT);
	assert_ptr_equal(log, (struct log *)0x1);
}

/* A full device: nothing crashes, memory stays bounded, and when writing works
 * again the log says how much is missing. */
static void what_cannot_be_written_is_counted(void **state)
{
	struct fixture *fixture = *state;
	struct log_options options = {
		.file = fixture->moved,
		.level = LOG_INFORMATION,
		.clock = &fixture->clock.clock,
	};
	const char *note;
	struct log *log;
	size_t lines = 0;
	int lost;

	assert_int_equal(symlink("/dev/full", fixture->moved), 0);
	assert_int_equal(log_open(&options, &log), 0);
	for (int i = 0; i < 2000; i++)
		log_line(log, NULL, LOG_ERROR, 0, "AGENT", "line %d", i);
	errno = ENOTTY;
	log_line(log, NULL, LOG_ERROR, 0, "AGENT", "line %d", 2000);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(unlink(fixture->moved), 0);
	assert_int_equal(log_reopen(log, LOG_INFORMATION, LOG_NAMES_MASKED), 0);
	log_line(log, NULL, LOG_ERROR, 0, "AGENT", "well again");
	log_close(log);
	read_back(fixture, fixture->moved);
	note = strstr(fixture->text, " log lines were lost");
	assert_non_null(note);
	while (note[-1] != ':')
		note--;
	lost = (int)strtol(note, NULL, 10);
	for (const char *at = fixture->text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines - 2 + (size_t)lost, 2001);
	assert_non_null(strstr(fixture->text, "LVL:1 RC:  28          COMMON :"));
	assert_non_null(strstr(fixture->text, ":well again\n"));
}

/* Standard error on a pipe whose reader has gone. */
static void a_broken_pipe_is_survived(void **state)
{
	struct fixture *fixture = *state;
	struct log_options options = {.file = "-", .clock = &fixture->clock.clock};
	int old = dup(STDERR_FILENO);
	sigset_t pending;
	struct log *log;
	int ends[2];

	assert_true(old >= 0);
	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	assert_int_equal(log_open(&options, &log), 0);
	log_line(log, NULL, LOG_CRITICAL, 0, "AGENT", "heard");
	assert_true(read(ends[0], fixture->text, sizeof(fixture->text)) > 0);
	assert_non_null(strstr(fixture->text, ":heard\n"));
	close(ends[0]);
	log_line(log, NULL, LOG_CRITICAL, 0, "AGENT", "unheard");
	log_close(log);
	assert_int_equal(sigpending(&pending), 0);
	assert_int_equal(sigismember(&pending, SIGPIPE), 0);
	assert_true(dup2(old, STDERR_FILENO) >= 0);
	close(ends[1]);
	close(old);
}

struct writer {
	struct log *log;
	char letter;
};

static void *write_lines(void *user)
{
	const struct writer *writer = user;
	char text[200];

	memset(text, writer->letter, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < LINES_EACH; i++)
		log_line(writer->log, NULL, i % 7 == 0 ? LOG_ERROR : LOG_INFORMATION, 0, "AGENT",
			"%s", text);
	return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
	struct fixture *fixture = *state;
	struct writer writers[THREADS];
	pthread_t threads[THREADS];
	size_t count = 0;

	for (size_t i = 0; i < THREADS; i++) {
		writers[i] = (struct writer){.log = fixture->log, .letter = (char)('a' + i)};
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &writers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	log_flush(fixture->log);
	read_back(fixture, fixture->file);
	for (char *line = strtok(fixture->text, "\n"); line; line = strtok(NULL, "\n")) {
		const char *text = line + sizeof(HEAD) - 1;

		assert_int_equal(strlen(text), 199);
		assert_int_equal(strspn(text, (char[]){text[0], '\0'}), 199);
		count++;
	}
	assert_int_equal(count, THREADS * LINES_EACH);
}

static void check_name(const struct log *log, const char *name, const char *expected)
{
	char shown[LOG_NAME_SIZE];

	assert_ptr_equal(log_name(log, name, shown), shown);
	assert_string_equal(shown, expected);
}

static void names(void **state)
{
	struct fixture *fixture = *state;
	char name[500];
	char shown[LOG_NAME_SIZE];

	check_name(fixture->log, "alice", "a*****e");
	check_name(fixture->log, "bob", "b*****b");
	check_name(fixture->log, "al", "*****");
	check_name(fixture->log, "a", "*****");
	check_name(fixture->log, "", "");
	check_name(fixture->log, NULL, "");
	check_name(NULL, "alice", "a*****e");
	check_name(fixture->log, "\xc3\xa9lodi\xc3\xa9", "\xc3\xa9*****\xc3\xa9");
	check_name(fixture->log, "\xc3\xa9\xc3\xa9", "*****");
	check_name(fixture->log,
		"\xff"
		"ab\xfe",
		"\xff*****\xfe");
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	check_name(fixture->log, name, "n*****n");

	assert_int_equal(log_reopen(fixture->log, LOG_INFORMATION, LOG_NAMES_CLEAR), 0);
	check_name(fixture->log, "alice", "alice");
	check_name(fixture->log, "", "");
	assert_int_equal(strlen(log_name(fixture->log, name, shown)), LOG_NAME_SIZE - 1);
	for (size_t i = 0; i + 2 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xbc", 2);
	assert_int_equal(strlen(log_name(fixture->log, name, shown)), LOG_NAME_SIZE - 2);
}

static void no_log_swallows_lines(void **state)
{
	(void)state;
	log_line(NULL, NULL, LOG_CRITICAL, 0, "AGENT", "nothing");
	log_flush(NULL);
	assert_false(log_wants(NULL, LOG_CRITICAL));
	assert_int_equal(log_reopen(NULL, LOG_DEBUG, LOG_NAMES_CLEAR), 0);
	log_close(NULL);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(a_line_has_the_vendors_layout),
		LOG_TEST(a_clients_line_has_no_arrow),
		LOG_TEST(lines_are_written_together),
		LOG_TEST(levels_filter),
		LOG_TEST(a_line_is_one_line),
		LOG_TEST(long_lines_are_cut),
		LOG_TEST(rotation),
		LOG_TEST(a_failed_reopen_keeps_the_old_file),
		LOG_TEST(an_unusable_file_is_refused),
		LOG_TEST(what_cannot_be_written_is_counted),
		LOG_TEST(a_broken_pipe_is_survived),
		LOG_TEST(threads_do_not_mix_lines),
		LOG_TEST(names),
		cmocka_unit_test(no_log_swallows_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
