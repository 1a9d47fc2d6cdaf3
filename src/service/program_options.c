#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "service/program_internal.h"

static void print_usage(const struct program_role *role, FILE *to)
{
	fprintf(to,
		"%s - %s\n"
		"usage: %s [--config FILE] [--check-config] [--ready-fd N]\n"
		"  --config FILE    configuration (default %s)\n"
		"  --check-config   check the configuration and end: 0 good, 2 not\n"
		"  --ready-fd N     write the addresses and \"ready\" to descriptor N once all is "
		"served\n"
		"  --version        print the version and end\n"
		"  --help           print this and end\n",
		role->name, role->help, role->name, role->default_config);
}

static int read_descriptor(const char *text, int *ret_descriptor)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (end == text || *end != '\0' || number < 0 || number > 65535 ||
		fcntl((int)number, F_GETFD) < 0)
		return ERROR_INPUT;
	*ret_descriptor = (int)number;
	return 0;
}

bool program_options_read(const struct program_role *role, int argc, char **argv,
	struct program_options *options, int *ret_status)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"check-config", no_argument, NULL, 'k'},
		{"ready-fd", required_argument, NULL, 'r'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*options = (struct program_options){.config = role->default_config, .ready_fd = -1};
	*ret_status = PROGRAM_EXIT_BAD_CONFIG;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'k':
			options->check = true;
			break;
		case 'r':
			if (read_descriptor(optarg, &options->ready_fd) != 0) {
				fprintf(stderr, "%s: --ready-fd '%s' is not an open descriptor\n",
					role->name, optarg);
				return false;
			}
			break;
		case 'v':
			printf("%s %s\n", role->name, FAIRLEAD_VERSION);
			*ret_status = PROGRAM_EXIT_STOPPED;
			return false;
		case 'h':
			print_usage(role, stdout);
			*ret_status = PROGRAM_EXIT_STOPPED;
			return false;
		default:
			print_usage(role, stderr);
			return false;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected '%s'\n", role->name, argv[optind]);
		print_usage(role, stderr);
		return false;
	}
	return true;
}
