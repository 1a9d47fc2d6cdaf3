#include "bench/process.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"

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
	const char *rest;
	char line[1024];
	int error = read_line(pid, "stat", line, sizeof(line));

	if (error != 0)
		return error;
	/* The second field is the program's name, which may hold anything: count from its end. */
	rest = strrchr(line, ')');
	if (rest == NULL
		|| sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system)
			!= 2)
		return ERROR_INPUT;
	error = read_line(pid, "statm", line, sizeof(line));
	if (error != 0)
		return error;
	if (sscanf(line, "%*u %llu", &pages) != 1)
		return ERROR_INPUT;
	ret_use->cpu_seconds = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
	ret_use->resident = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

double process_own_cpu(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return 0;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
		+ (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
