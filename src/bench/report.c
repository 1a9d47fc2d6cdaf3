#include "bench/report.h"

#include <jansson.h>
#include <stdio.h>

#include "base/error.h"

/* One number: its key in JSON, and how people are told. */
struct figure {
	const char *key;
	const char *label; /* NULL: in JSON only */
	const char *unit;
	double value;
	int digits;
};

static int print_json(const struct options *options, const struct figure *figures, size_t count,
	const char *first_error)
{
	json_t *document = json_pack("{ss si sb ss}", "mode", options_mode_name(options->mode),
		"connections", (int)options->connections, "static", (int)options->plain,
		"first_error", first_error);
	bool good = document != NULL;

	for (size_t i = 0; good && i < count; i++)
		good = json_object_set_new(document, figures[i].key, json_real(figures[i].value)) ==
			0;
	if (good && json_dumpf(document, stdout, JSON_COMPACT | JSON_REAL_PRECISION(10)) != 0)
		good = false;
	json_decref(document);
	return good ? 0 : ERROR_MEMORY;
}

static void print_text(const struct options *options, const struct figure *figures, size_t count,
	const char *first_error)
{
	printf("%s, %u connections\n", options_mode_name(options->mode), options->connections);
	for (size_t i = 0; i < count; i++) {
		if (figures[i].label != NULL)
			printf("  %-24s %12.*f %s\n", figures[i].label, figures[i].digits,
				figures[i].value, figures[i].unit);
	}
	if (first_error[0] != '\0')
		printf("  first error: %s\n", first_error);
}

static int print(const struct options *options, const struct figure *figures, size_t count,
	const char *first_error)
{
	if (!options->json)
		print_text(options, figures, count, first_error);
	else if (print_json(options, figures, count, first_error) != 0)
		return ERROR_MEMORY;
	else
		putchar('\n');
	return fflush(stdout) == 0 ? 0 : ERROR_SYSTEM;
}

static double share(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

int report_load(const struct options *options, const struct load_result *result)
{
	const struct tally *latency = &result->latency;
	const char *each = options->mode == BENCH_HELLO ? "requests"
		: options->mode == BENCH_CONNECT        ? "connections"
		: options->mode == BENCH_BIND           ? "binds"
							: "logons";
	bool watched = options->pid_count > 0;
	const struct figure figures[] = {
		{"per_second", each, "per second",
			share((double)result->operations, result->seconds), 1},
		{"p50_us", "half within", "us", (double)tally_at(latency, 0.5), 0},
		{"p99_us", "99 % within", "us", (double)tally_at(latency, 0.99), 0},
		{"longest_us", "all within", "us", (double)latency->longest, 0},
		{"operations", NULL, "", (double)result->operations, 0},
		{"messages", "answers", "", (double)result->messages, 0},
		{"checked", "of them decoded", "", (double)result->checked, 0},
		{"errors", "errors", "", (double)result->errors, 0},
		{"body_bytes", "answer", "bytes", (double)result->body_bytes, 0},
		{"answer_bytes", "with HTTP head", "bytes", (double)result->answer_bytes, 0},
		{"seconds", NULL, "", result->seconds, 0},
		{"load_share", "load was busy", "of the time",
			share(result->seconds - result->waited, result->seconds), 2},
		{"server_cpu_share", "server's processor", "of one core",
			share(result->server_cpu, result->seconds), 2},
		{"server_us_per_message", "server, each message", "us",
			share(result->server_cpu * 1e6, (double)result->messages), 2},
		{"server_us_per_operation", "server, each operation", "us",
			share(result->server_cpu * 1e6, (double)result->operations), 2},
		{"server_resident_kib", "server's memory", "KiB",
			(double)result->server_resident / 1024, 0},
	};
	size_t count = sizeof(figures) / sizeof(figures[0]);

	return print(options, figures, watched ? count : count - 4, result->first_error);
}

int report_idle(const struct options *options, const struct idle_result *result)
{
	double before = (double)result->resident_before;
	double each = result->connections;
	const struct figure figures[] = {
		{"standing", "connections", "stand", each, 0},
		{"errors", "errors", "", (double)result->errors, 0},
		{"open_bytes", "each, after handshake", "bytes",
			share((double)result->resident_open - before, each), 0},
		{"used_bytes", "each, after an answer", "bytes",
			share((double)result->resident_used - before, each), 0},
		{"resident_kib", "server's memory", "KiB", (double)result->resident_used / 1024, 0},
		{"server_cpu_share", "processor while idle", "of one core",
			share(result->server_cpu, result->seconds), 3},
	};
	size_t count = sizeof(figures) / sizeof(figures[0]);

	return print(options, figures, options->pid_count > 0 ? count : 2, result->first_error);
}
