/* fairlead-bench: how much a broker bears. fairlead-bench(1). */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/options.h"
#include "bench/process.h"

int main(int argc, char **argv)
{
	struct options options;
	struct process_use use;
	int status = options_read(argc, argv, &options);

	if (status != 0)
		return status - 1;
	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < options.pid_count; i++) {
		if (process_use(options.pids[i], &use) != 0) {
			fprintf(stderr, "fairlead-bench: there is no process %ld\n", (long)options.pids[i]);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}
