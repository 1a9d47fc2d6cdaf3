/*
 * fairlead-pam: asks PAM whether a user may log on, for a program without the rights to do so.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "identity/identity_pam.h"
#include "pam/keeper.h"

#define BAD_USAGE 2

static const char usage[] =
	"usage: fairlead-pam --service NAME [--at-once NUMBER] [--confdir DIR]\n"
	"Started by Fairlead's programs, which ask it on descriptor 3.\n";

static bool take_number(const char *text, unsigned *ret_number)
{
	char *end = NULL;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || number == 0 ||
		number > PAM_HELPER_AT_ONCE_MAXIMUM)
		return false;
	*ret_number = (unsigned)number;
	return true;
}

static bool take_options(int argc, char **argv, struct keeper_options *options)
{
	static const struct option known[] = {
		{"service", required_argument, NULL, 's'},
		{"at-once", required_argument, NULL, 'a'},
		{"confdir", required_argument, NULL, 'c'},
		{NULL, 0, NULL, 0},
	};
	bool good = true;

	for (;;) {
		switch (getopt_long(argc, argv, "", known, NULL)) {
		case 's':
			options->service.name = optarg;
			break;
		case 'a':
			good = take_number(optarg, &options->at_once) && good;
			break;
		case 'c':
			options->service.confdir = optarg;
			break;
		case -1:
			return good && optind == argc && options->service.name != NULL &&
				options->service.name[0] != '\0' &&
				strchr(options->service.name, '/') == NULL;
		default:
			return false;
		}
	}
}

static bool is_started_by_program(void)
{
	int type = 0;
	socklen_t size = sizeof(type);

	return getsockopt(PAM_WIRE_DESCRIPTOR, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
		type == SOCK_SEQPACKET;
}

/* Memory holds passwords. And a stop of the system tells every process at once; the program
 * wants its last answers. */
static bool harden(void)
{
	const struct rlimit none = {0, 0};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
		sigaction(SIGTERM, &ignore, NULL) == 0 && sigaction(SIGINT, &ignore, NULL) == 0 &&
		sigaction(SIGHUP, &ignore, NULL) == 0 &&
		fcntl(PAM_WIRE_DESCRIPTOR, F_SETFD, FD_CLOEXEC) == 0;
}

int main(int argc, char **argv)
{
	struct keeper_options options = {.at_once = 16};
	int error;

	if (!take_options(argc, argv, &options) || !is_started_by_program()) {
		fputs(usage, stderr);
		return BAD_USAGE;
	}
	error = harden() ? keeper_run(&options, PAM_WIRE_DESCRIPTOR) : ERROR_SYSTEM;
	if (error != 0)
		fprintf(stderr, "fairlead-pam: %s\n", error_text(error));
	/* Without the exit handlers: those that look for leaks attach to the process as a debugger
	 * does, which this one does not let happen. */
	_exit(error == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
