#include "bench/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define USER_FIELD 14 /* of /proc/PID/stat, as proc(5) counts; the system's time follows */

/* One line of a file below /proc/PID. */
static int read_line(pid_t pid, const char *name, char *line, size_t size)
{
	char path[64];
	FILE *file;
	int error = 0;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	file = fopen(path, "re");
	if (file == NULL)
		return ERROR_NOT_FOUND;
	if (fgets(line, (int)size, file) == NULL)
		error = ERROR_INPUT;
	fclose(file);
	return error;
}

int process_use(pid_t pid, struct process_use *ret_use)
{
	unsigned long long user, system, pages;
	char *rest;
	char line[1024];
	int error = read_line(pid, "stat", line, sizeof(line));

	if (error != 0)
		return error;
	/* The second field is the program's name, which may hold anything: count from its end. */
	rest = strrchr(line, ')');
	for (int field = 2; rest != NULL && field < USER_FIELD; field++)
		rest = strchr(rest + 1, ' ');
	if (rest == NULL)
		return ERROR_INPUT;
	user = strtoull(rest, &rest, 10);
	system = strtoull(rest, &rest, 10);
	error = read_line(pid, "statm", line, sizeof(line));
	if (error != 0)
		return error;
	rest = strchr(line, ' ');
	if (rest == NULL)
		return ERROR_INPUT;
	pages = strtoull(rest, NULL, 10);
	ret_use->cpu_seconds = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
	ret_use->resident = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

int process_use_all(
	const pid_t *pids, unsigned count, double *ret_cpu_seconds, uint64_t *ret_resident)
{
	struct process_use one, sum = {.resident = 0};

	for (unsigned i = 0; i < count; i++) {
		int error = process_use(pids[i], &one);

		if (error != 0)
			return error;
		sum.cpu_seconds += one.cpu_seconds;
		sum.resident += one.resident;
	}
	*ret_cpu_seconds = sum.cpu_seconds;
	*ret_resident = sum.resident;
	return 0;
}
