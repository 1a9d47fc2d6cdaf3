#include "bench/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/channel.h"
#include "wire/http_server.h"

#define EXIT_USAGE 2

static const char usage[] =
	"usage: fairlead-bench [options] hello|connect|logon|idle HOST:PORT\n"
	"       fairlead-bench [options] bind URL\n"
	"       fairlead-bench logs [options] FOLDER|-\n"
	"  hello                 hello after hello on kept-alive connections\n"
	"  connect               a new connection, with a full handshake, for each hello\n"
	"  logon                 a new connection for each complete logon, hello to bye\n"
	"  bind                  LDAP binds at a directory, on kept-alive connections\n"
	"  idle                  opens connections and holds them: memory for each\n"
	"\n"
	"  --connections N       at once (default: 32; bind: 16; idle: 2000)\n"
	"  --seconds S           how long is measured (default: 5)\n"
	"  --warm-up S           before that, not counted (default: 1)\n"
	"  --count N             so many operations, in place of --seconds and --warm-up\n"
	"  --patience S          with a connection or an answer (default: 10)\n"
	"  --sleep               leave the processor to others while there is nothing to do\n"
	"  --addresses N         the clients' own: 127.1.0.1 and on (default: the system's)\n"
	"  --root NAME           pcoip-broker (default: as a manager) or pcoip-client\n"
	"  --path PATH           of the URL (default: /pcoip-broker/xml)\n"
	"  --user NAME, --domain NAME, --password-file FILE\n"
	"                        who logs on\n"
	"  --users FILE          each time the next of these names (bind: DNs), one a line\n"
	"  --ca FILE             bind: of the directory's certificate\n"
	"  --new-connections     bind: each on one of its own\n"
	"  --check N             decode every Nth answer (default: 16); logons decode each\n"
	"  --static              the server is no broker: any answer 200 is right\n"
	"  --pid PID             processor time and memory of this process; may be repeated\n"
	"  --json                print one JSON document\n"
	"  --help, --version\n";

enum {
	OPTION_CONNECTIONS = 256,
	OPTION_SECONDS,
	OPTION_WARM_UP,
	OPTION_COUNT,
	OPTION_PATIENCE,
	OPTION_SLEEP,
	OPTION_ADDRESSES,
	OPTION_ROOT,
	OPTION_PATH,
	OPTION_USER,
	OPTION_USERS,
	OPTION_CA,
	OPTION_NEW_CONNECTIONS,
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
	{"count", required_argument, NULL, OPTION_COUNT},
	{"patience", required_argument, NULL, OPTION_PATIENCE},
	{"sleep", no_argument, NULL, OPTION_SLEEP},
	{"addresses", required_argument, NULL, OPTION_ADDRESSES},
	{"root", required_argument, NULL, OPTION_ROOT},
	{"path", required_argument, NULL, OPTION_PATH},
	{"user", required_argument, NULL, OPTION_USER},
	{"users", required_argument, NULL, OPTION_USERS},
	{"ca", required_argument, NULL, OPTION_CA},
	{"new-connections", no_argument, NULL, OPTION_NEW_CONNECTIONS},
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
	[BENCH_BIND] = "bind",
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
	case OPTION_COUNT:
		return read_count(value, 1000000000, &options->count);
	case OPTION_PATIENCE:
		return read_seconds(value, 0.01, &options->patience);
	case OPTION_SLEEP:
		options->sleep = true;
		return true;
	case OPTION_ADDRESSES:
		return read_count(value, CHANNEL_ADDRESSES_MAXIMUM, &options->addresses);
	case OPTION_ROOT:
		return read_root(value, &options->root);
	case OPTION_PATH:
		options->path = value;
		return value[0] == '/';
	case OPTION_USER:
		options->user = value;
		return true;
	case OPTION_USERS:
		options->roll_file = value;
		return true;
	case OPTION_CA:
		options->ca = value;
		return true;
	case OPTION_NEW_CONNECTIONS:
		options->fresh = true;
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

/* What goes together; NULL: everything. */
static const char *fault_of(const struct options *options)
{
	bool logon = options->mode == BENCH_LOGON, bind = options->mode == BENCH_BIND;

	if (logon &&
		((options->user == NULL) == (options->roll_file == NULL) ||
			options->domain == NULL || options->password_file == NULL))
		return "logon needs --user or --users, --domain and --password-file";
	if (logon && options->plain)
		return "logon needs a broker, not --static";
	if (bind && (options->roll_file == NULL || options->password_file == NULL))
		return "bind needs --users and --password-file";
	if (options->count > 0 && options->mode == BENCH_IDLE)
		return "idle connections cannot be counted by --count";
	return NULL;
}

static unsigned connections_of(enum bench_mode mode)
{
	return mode == BENCH_IDLE ? 2000 : mode == BENCH_BIND ? 16 : 32;
}

static int read_target(struct options *options, const char *text)
{
	options->url = text;
	if (options->mode == BENCH_BIND)
		return strncmp(text, "ldap://", 7) == 0 || strncmp(text, "ldaps://", 8) == 0
			? 0
			: wrong("the last argument is not ldap://... or ldaps://...");
	return http_split_address(text, options->host, sizeof(options->host), &options->port) == 0
		? 0
		: wrong("the last argument is not HOST:PORT");
}

int options_read(int argc, char **argv, struct options *ret_options)
{
	struct options options = {
		.root = ROOT_BROKER,
		.seconds = 5,
		.warm_up = 1,
		.check = 16,
		.patience = 10,
	};
	const char *fault;
	int option, index = 0, status;

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
		return wrong("expected hello, connect, logon, bind or idle");
	status = read_target(&options, argv[optind + 1]);
	if (status != 0)
		return status;
	fault = fault_of(&options);
	if (fault != NULL)
		return wrong(fault);
	if (options.connections == 0)
		options.connections = connections_of(options.mode);
	if (options.path == NULL)
		options.path = message_root_path(options.root);
	*ret_options = options;
	return 0;
}
