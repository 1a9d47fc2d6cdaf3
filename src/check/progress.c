#include "check/progress.h"

#include "base/terminal.h"

#define ERASE "\r\033[K"

void progress_begin(struct progress *progress, FILE *stream, const struct clock *clock)
{
	*progress = (struct progress){.stream = terminal_of(stream).able ? stream : NULL,
		.clock = clock,
		.begun = clock_steady(clock)};
}

static void size_text(uint64_t bytes, char text[16])
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
	double value = (double)bytes;
	unsigned unit = 0;

	while (value >= 1000 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		value /= 1000;
		unit++;
	}
	snprintf(text, 16, unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

void progress_step(void *context, const struct read_progress *read)
{
	struct progress *progress = context;
	int64_t passed = clock_steady(progress->clock) - progress->begun;
	char bytes[16];

	if (progress->stream == NULL || passed < PROGRESS_AFTER)
		return;
	size_text(read->bytes, bytes);
	fprintf(progress->stream, ERASE "Reading: ");
	if (read->total != 0)
		fprintf(progress->stream, "%3.0f %%, ",
			100.0 * (double)(read->done < read->total ? read->done : read->total) /
				(double)read->total);
	fprintf(progress->stream, "%s of logs, %.1f million lines", bytes,
		(double)read->lines / 1e6);
	fflush(progress->stream);
	progress->shown = true;
}

void progress_end(struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs(ERASE, progress->stream);
	fflush(progress->stream);
	progress->shown = false;
}
