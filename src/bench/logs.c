#include "bench/logs.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/log_story.h"

#define EXIT_USAGE 2
#define SESSION_BYTES (UINT64_C(4) << 20)
#define SIZE_MAXIMUM (UINT64_C(1) << 44)

static const char usage[] =
	"usage: fairlead-bench logs [options] FOLDER|-\n"
	"  writes made-up logs of an agent and its server, to measure the health check with\n"
	"\n"
	"  --size BYTES          of log text, about; K, M and G are understood (default: 100M)\n"
	"  --sessions N          one after the other (default: one for each 4M)\n"
	"  --rotate BYTES        a new file after so many (default: 32M; 0: never)\n"
	"  --gap                 every eighth session has a hole of ten minutes\n"
	"  --seed N              others for another number (default: 1)\n"
	"  --help\n";

enum {
	OPTION_SIZE = 256,
	OPTION_SESSIONS,
	OPTION_ROTATE,
	OPTION_GAP,
	OPTION_SEED,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{"size", required_argument, NULL, OPTION_SIZE},
	{"sessions", required_argument, NULL, OPTION_SESSIONS},
	{"rotate", required_argument, NULL, OPTION_ROTATE},
	{"gap", no_argument, NULL, OPTION_GAP},
	{"seed", required_argument, NULL, OPTION_SEED},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
};

/* A number, perhaps with K, M or G (of 1024). */
static bool read_bytes(const char *text, uint64_t least, uint64_t most, uint64_t *ret_bytes)
{
	static const char units[] = "KMG";
	char *end;
	const char *unit;
	unsigned shift = 0;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno != 0)
		return false;
	if (*end != '\0' && (unit = strchr(units, *end)) != NULL) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
	}
	if (*end != '\0' || value > most >> shift || value << shift < least)
		return false;
	*ret_bytes = value << shift;
	return true;
}

static bool read_option(struct logs_options *options, int option, const char *value)
{
	char *end;

	switch (option) {
	case OPTION_SIZE:
		return read_bytes(value, 1, SIZE_MAXIMUM, &options->size);
	case OPTION_SESSIONS:
		options->sessions = strtoull(value, &end, 10);
		return *value >= '1' && *value <= '9' && *end == '\0' &&
			options->sessions <= LOGS_SESSIONS_MAXIMUM;
	case OPTION_ROTATE:
		return read_bytes(value, 0, SIZE_MAXIMUM, &options->rotate);
	case OPTION_SEED:
		errno = 0;
		options->seed = strtoull(value, &end, 10);
		return *value >= '0' && *value <= '9' && *end == '\0' && errno == 0;
	case OPTION_GAP:
		options->gap = true;
		return true;
	default:
		return false;
	}
}

int logs_read(int argc, char **argv, struct logs_options *ret_options)
{
	struct logs_options options = {
		.size = UINT64_C(100) << 20, .rotate = UINT64_C(32) << 20, .seed = 1};
	int option, index = 0;

	while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (option == OPTION_HELP) {
			fputs(usage, stdout);
			return EXIT_SUCCESS + 1;
		}
		if (option == '?' || !read_option(&options, option, optarg)) {
			if (option != '?')
				fprintf(stderr, "fairlead-bench: --%s does not take '%s'\n",
					long_options[index].name, optarg);
			return EXIT_USAGE + 1;
		}
	}
	if (argc - optind != 1 || argv[optind][0] == '\0') {
		fprintf(stderr, "fairlead-bench: expected one folder, or -\n%s", usage);
		return EXIT_USAGE + 1;
	}
	options.folder = strcmp(argv[optind], "-") == 0 ? NULL : argv[optind];
	if (options.sessions == 0)
		options.sessions = options.size / SESSION_BYTES + 1;
	*ret_options = options;
	return 0;
}

int logs_write(const struct logs_options *options, char why[LOGS_TEXT_SIZE])
{
	struct log_files files;
	struct log_teller *teller;
	struct log_random random = {options->seed};
	int error = log_files_open(
		&files, options->folder, options->rotate, (uint32_t)log_random_next(&random) >> 8);

	if (error != 0)
		goto out;
	teller = log_teller_new(&files, options->seed, options->gap);
	if (teller == NULL) {
		files.error = ENOMEM;
	} else {
		log_teller_begin(teller);
		for (uint64_t i = 1; i <= options->sessions && files.error == 0; i++)
			log_teller_session(teller,
				(uint64_t)((double)options->size * (double)i /
					(double)options->sessions));
		log_teller_end(teller);
	}
	error = log_files_close(&files);
	log_teller_free(teller);
out:
	if (error != 0)
		snprintf(why, LOGS_TEXT_SIZE, "the logs cannot be written: %s", strerror(error));
	return error != 0 ? -1 : 0;
}

int logs_command(int argc, char **argv)
{
	char why[LOGS_TEXT_SIZE] = "";
	struct logs_options options;
	int status = logs_read(argc, argv, &options);

	if (status != 0)
		return status - 1;
	if (logs_write(&options, why) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "fairlead-bench: %s\n", why);
	return EXIT_FAILURE;
}
