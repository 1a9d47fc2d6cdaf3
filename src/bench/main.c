/* fairlead-bench: how much a server bears, and logs to measure with. fairlead-bench(1). */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/bind.h"
#include "bench/idle.h"
#include "bench/load.h"
#include "bench/logs.h"
#include "bench/options.h"
#include "bench/report.h"

#define OWN_FILES 32

/* As many files as the connections need; false: the system does not allow it. */
static bool raise_files(unsigned connections)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return false;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= connections + OWN_FILES;
}

static int run_load(const struct options *options, char why[LOAD_TEXT_SIZE])
{
	struct load_result *result = malloc(sizeof(*result));
	int error;

	if (result == NULL) {
		snprintf(why, LOAD_TEXT_SIZE, "out of memory");
		return -1;
	}
	error = options->mode == BENCH_BIND ? bind_run(options, result, why)
					    : load_run(options, result, why);
	if (error == 0 && report_load(options, result) != 0) {
		snprintf(why, LOAD_TEXT_SIZE, "the result cannot be written");
		error = -1;
	}
	free(result);
	return error;
}

static int run_idle(const struct options *options, char why[LOAD_TEXT_SIZE])
{
	struct idle_result result;
	int error = idle_run(options, &result, why);

	if (error == 0 && report_idle(options, &result) != 0) {
		snprintf(why, LOAD_TEXT_SIZE, "the result cannot be written");
		error = -1;
	}
	return error;
}

int main(int argc, char **argv)
{
	char why[LOAD_TEXT_SIZE] = "";
	struct options options;
	int status;

	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && strcmp(argv[1], "logs") == 0)
		return logs_command(argc - 1, argv + 1);
	status = options_read(argc, argv, &options);
	if (status != 0)
		return status - 1;
	if (!raise_files(options.connections)) {
		fprintf(stderr,
			"fairlead-bench: %u connections need more open files than are allowed\n",
			options.connections);
		return EXIT_FAILURE;
	}
	if ((options.mode == BENCH_IDLE ? run_idle(&options, why) : run_load(&options, why)) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "fairlead-bench: %s\n", why);
	return EXIT_FAILURE;
}
