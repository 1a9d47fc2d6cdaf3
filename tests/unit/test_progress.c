/* progress: a line on a terminal, after half a second, and gone at the end. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "check/progress.h"

struct screen {
	int master;
	FILE *stream;
};

static int open_screen(void **state)
{
	struct screen *screen = calloc(1, sizeof(*screen));
	int slave;

	assert_non_null(screen);
	assert_int_equal(openpty(&screen->master, &slave, NULL, NULL, NULL), 0);
	screen->stream = fdopen(slave, "w");
	assert_non_null(screen->stream);
	assert_int_equal(setenv("TERM", "xterm", 1), 0);
	*state = screen;
	return 0;
}

static int close_screen(void **state)
{
	struct screen *screen = *state;

	fclose(screen->stream);
	close(screen->master);
	free(screen);
	return 0;
}

/* What has been written so far; an end mark is written behind it, so that nothing is waited for. */
static void shown(const struct screen *screen, char text[512])
{
	size_t length = 0;

	fputs("#", screen->stream);
	fflush(screen->stream);
	while (length == 0 || text[length - 1] != '#') {
		ssize_t got = read(screen->master, text + length, 511 - length);

		assert_true(got > 0);
		length += (size_t)got;
	}
	text[length - 1] = '\0';
}

static void quiet_at_first(void **state)
{
	struct screen *screen = *state;
	struct clock_fake clock;
	struct progress progress;
	struct read_progress read = {.bytes = 1000000, .lines = 7000};
	char text[512];

	clock_fake_init(&clock, 0);
	progress_begin(&progress, screen->stream, &clock.clock);
	progress_step(&progress, &read);
	clock_fake_advance(&clock, PROGRESS_AFTER - 1);
	progress_step(&progress, &read);
	progress_end(&progress);
	shown(screen, text);
	assert_string_equal(text, "");
}

static void tells_and_goes(void **state)
{
	struct screen *screen = *state;
	struct clock_fake clock;
	struct progress progress;
	struct read_progress read = {
		.bytes = 2500000000, .lines = 17300000, .done = 1, .total = 4, .members = 2};
	char text[512];

	clock_fake_init(&clock, 0);
	progress_begin(&progress, screen->stream, &clock.clock);
	clock_fake_advance(&clock, PROGRESS_AFTER);
	progress_step(&progress, &read);
	shown(screen, text);
	assert_non_null(strstr(text, "25 %"));
	assert_non_null(strstr(text, "2.5 GB"));
	assert_non_null(strstr(text, "17.3 million lines"));
	progress_end(&progress);
	shown(screen, text);
	assert_string_equal(text, "\r\033[K");
	progress_end(&progress);
	shown(screen, text);
	assert_string_equal(text, "");
}

/* A total that was guessed too small is never passed. */
static void never_beyond_the_end(void **state)
{
	struct screen *screen = *state;
	struct clock_fake clock;
	struct progress progress;
	struct read_progress read = {.done = 500, .total = 400};
	char text[512];

	clock_fake_init(&clock, 0);
	progress_begin(&progress, screen->stream, &clock.clock);
	clock_fake_advance(&clock, PROGRESS_AFTER);
	progress_step(&progress, &read);
	shown(screen, text);
	assert_non_null(strstr(text, "100 %"));
}

static void nothing_where_nobody_looks(void **state)
{
	struct clock_fake clock;
	struct progress progress;
	struct read_progress read = {0};
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	clock_fake_init(&clock, 0);
	progress_begin(&progress, file, &clock.clock);
	clock_fake_advance(&clock, 10 * CLOCK_SECOND);
	progress_step(&progress, &read);
	progress_end(&progress);
	assert_int_equal(ftell(file), 0);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(quiet_at_first, open_screen, close_screen),
		cmocka_unit_test_setup_teardown(tells_and_goes, open_screen, close_screen),
		cmocka_unit_test_setup_teardown(never_beyond_the_end, open_screen, close_screen),
		cmocka_unit_test(nothing_where_nobody_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
