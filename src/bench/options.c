#include "bench/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/http_server.h"

#define EXIT_USAGE 2

static const char usage[] =
	"usage: fairlead-bench [options] hello|connect|logon|idle HOST:PORT\n"
	"       fairlead-bench logs [options] FOLDER|-\n"
	"  hello                 hello after hello on kept-alive connections\n"
	"  connect               a new connection, with a full handshake, for each hello\n"
	"  logon                 a new connection for each complete logon, hello to bye\n"
	"  idle                  opens connections and holds them: memory for each\n"
	"\n"
	"  --connections N       at once (default: 32; idle: 2000)\n"
	"  --seconds S           how long is measured (default: 5)\n"
	"  --warm-up S           before that, not counted (default: 1)\n"
	"  --root NAME           pcoip-broker (default: as a manager) or pcoip-client\n"
	"  --path PATH           of the URL (default: /pcoip-broker/xml)\n"
	"  --user NAME, --domain NAME, --password-file FILE\n"
	"                        who logs on\n"
	"  --check N             decode every Nth answer (default: 16); logons decode each\n"
	"  --static              the server is no broker: any answer 200 is right\n"
	"  --pid PID             processor time and memory of this process; may be repeated\n"
	"  --json                print one JSON document\n"
	"  --help, --version\n";

enum {
	OPTION_CONNECTIONS = 256,
	OPTION_SECONDS,
	OPTION_WARM_UP,
	OPTION_ROOT,
	OPTION_PATH,
	OPTION_USER,
	OPTION_DOMAIN,
	OPTION_PASSWORD_FILE,
	OPTION_CHECK,
	OPTION_STATIC,
	OPTION_PID,
	OPTION_JSON,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{"connections", required_argument, NULL, OPTION_CONNECTIONS},
	{"seconds", required_argument, NULL, OPTION_SECONDS},
	{"warm-up", required_argument, NULL, OPTION_WARM_UP},
	{"root", required_argument, NULL, OPTION_ROOT},
	{"path", required_argument, NULL, OPTION_PATH},
	{"user", required_argument, NULL, OPTION_USER},
	{"domain", required_argument, NULL, OPTION_DOMAIN},
	{"password-file", required_argument, NULL, OPTION_PASSWORD_FILE},
	{"check", required_argument, NULL, OPTION_CHECK},
	{"static", no_argument, NULL, OPTION_STATIC},
	{"pid", required_argument, NULL, OPTION_PID},
	{"json", no_argument, NULL, OPTION_JSON},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static const char *const modes[] = {
	[BENCH_HELLO] = "hello",
	[BENCH_CONNECT] = "connect",
	[BENCH_LOGON] = "logon",
	[BENCH_IDLE] = "idle",
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

const char *options_mode_name(enum bench_mode mode)
{
	return modes[mode];
}

static bool read_count(const char *text, unsigned long maximum, unsigned *ret_count)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || count < 1 || count > maximum)
		return false;
	*ret_count = (unsigned)count;
	return true;
}

static bool read_seconds(const char *text, double least, double *ret_seconds)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds >= least && seconds <= 86400))
		return false;
	*ret_seconds = seconds;
	return true;
}

static bool read_root(const char *text, enum message_root *ret_root)
{
	for (int root = ROOT_CLIENT; root <= ROOT_BROKER; root++) {
		if (strcmp(text, message_root_element((enum message_root)root)) == 0) {
			*ret_root = (enum message_root)root;
			return true;
		}
	}
	return false;
}

static bool read_mode(const char *text, enum bench_mode *ret_mode)
{
	for (size_t i = 0; i < MODES; i++) {
		if (strcmp(text, modes[i]) == 0) {
			*ret_mode = (enum bench_mode)i;
			return true;
		}
	}
	return false;
}

static bool read_option(struct options *options, int option, const char *value)
{
	unsigned pid;

	switch (option) {
	case OPTION_CONNECTIONS:
		return read_count(value, OPTIONS_CONNECTIONS_MAXIMUM, &options->connections);
	case OPTION_SECONDS:
		return read_seconds(value, 0.01, &options->seconds);
	case OPTION_WARM_UP:
		return read_seconds(value, 0, &options->warm_up);
	case OPTION_ROOT:
		return read_root(value, &options->root);
	case OPTION_PATH:
		options->path = value;
		return value[0] == '/';
	case OPTION_USER:
		options->user = value;
		return true;
	case OPTION_DOMAIN:
		options->domain = value;
		return true;
	case OPTION_PASSWORD_FILE:
		options->password_file = value;
		return true;
	case OPTION_CHECK:
		return read_count(value, 1000000, &options->check);
	case OPTION_STATIC:
		options->plain = true;
		return true;
	case OPTION_PID:
		if (options->pid_count == OPTIONS_PIDS_MAXIMUM || !read_count(value, 1 << 30, &pid))
			return false;
		options->pids[options->pid_count++] = (pid_t)pid;
		return true;
	case OPTION_JSON:
		options->json = true;
		return true;
	default:
		return false;
	}
}

static int wrong(const char *what)
{
	fprintf(stderr, "fairlead-bench: %s\n%s", what, usage);
	return EXIT_USAGE + 1;
}

int options_read(int argc, char **argv, struct options *ret_options)
{
	struct options options = {
		.root = ROOT_BROKER,
		.seconds = 5,
		.warm_up = 1,
		.check = 16,
	};
	int option, index = 0;

	while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (option == OPTION_HELP || option == OPTION_VERSION) {
			fputs(option == OPTION_HELP ? usage
						    : "fairlead-bench " FAIRLEAD_VERSION "\n",
				stdout);
			return EXIT_SUCCESS + 1;
		}
		if (option == '?')
			return wrong("an option is not understood");
		if (!read_option(&options, option, optarg)) {
			fprintf(stderr, "fairlead-bench: --%s does not take '%s'\n",
				long_options[index].name, optarg);
			return EXIT_USAGE + 1;
		}
	}
	if (argc - optind != 2)
		return wrong("expected what to do, and HOST:PORT");
	if (!read_mode(argv[optind], &options.mode))
		return wrong("expected hello, connect, logon or idle");
	if (http_split_address(
		    argv[optind + 1], options.host, sizeof(options.host), &options.port) != 0)
		return wrong("the last argument is not HOST:PORT");
	if (options.mode == BENCH_LOGON &&
		(options.user == NULL || options.domain == NULL || options.password_file == NULL))
		return wrong("logon needs --user, --domain and --password-file");
	if (options.mode == BENCH_LOGON && options.plain)
		return wrong("logon needs a broker, not --static");
	if (options.connections == 0)
		options.connections = options.mode == BENCH_IDLE ? 2000 : 32;
	if (options.path == NULL)
		options.path = message_root_path(options.root);
	*ret_options = options;
	return 0;
}
