/* fairlead connect: options, and the files with secrets. fairlead-connect(1). */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/usage.h"
#include "client/command.h"
#include "client/credential.h"
#include "client/run.h"

#define NAME "connect"

struct options {
	char host[256];
	uint16_t port;
	const char *user_given, *domain_given;
	char user[CREDENTIAL_NAME_SIZE], domain[CREDENTIAL_NAME_SIZE];
	bool has_domain;
	const char *password_file, *answers, *resource, *ca, *log;
	enum certificate_verify verify;
	int64_t hold;
	bool list, json, accept_terms;
};

/* "host", "host:port", "[v6]", "[v6]:port" or a bare IPv6 address. */
static bool read_server(const char *text, struct options *options)
{
	const char *port = NULL;
	size_t length = strlen(text);
	unsigned long number;
	char *end;

	if (*text == '[') {
		const char *close = strchr(text, ']');

		if (close == NULL || (close[1] != '\0' && close[1] != ':'))
			return false;
		port = close[1] == ':' ? close + 2 : NULL;
		text++;
		length = (size_t)(close - text);
	} else if (strchr(text, ':') != NULL && strchr(text, ':') == strrchr(text, ':')) {
		port = strchr(text, ':') + 1;
		length = (size_t)(port - 1 - text);
	}
	if (length == 0 || length >= sizeof(options->host))
		return false;
	memcpy(options->host, text, length);
	options->host[length] = '\0';
	if (strspn(options->host,
		    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%") !=
		length)
		return false;
	if (port == NULL)
		return true;
	number = strtoul(port, &end, 10);
	if (*port < '0' || *port > '9' || *end != '\0' || number == 0 || number > UINT16_MAX)
		return false;
	options->port = (uint16_t)number;
	return true;
}

static bool read_verify(const char *text, enum certificate_verify *ret_verify)
{
	static const char *const words[] = {[CERTIFICATE_VERIFY_FULL] = "full",
		[CERTIFICATE_VERIFY_WARN] = "warn",
		[CERTIFICATE_VERIFY_NONE] = "none"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_verify = (enum certificate_verify)i;
			return true;
		}
	}
	return false;
}

/* 0, or the exit status of wrong usage. */
static int read_user(struct options *options)
{
	const char *given = options->user_given;
	int error;

	if (given == NULL)
		given = getenv("USER");
	if (given == NULL || *given == '\0')
		return usage_fault(NAME, "there is no user name; give one with --user");
	if (options->domain_given != NULL) {
		/* Whoever names a domain means the rest as it stands. */
		if (strlen(given) >= sizeof(options->user) ||
			strlen(options->domain_given) >= sizeof(options->domain))
			return usage_fault(NAME, "the user name or the domain is too long");
		strcpy(options->user, given);
		strcpy(options->domain, options->domain_given);
		options->has_domain = true;
		return 0;
	}
	error = credential_split(given, options->user, options->domain);
	if (error != 0)
		return usage_fault(NAME, "'%s' is not a user name: %s", given, error_text(error));
	options->has_domain = options->domain[0] != '\0';
	return 0;
}

static int read_options(int argc, char **argv, struct options *options)
{
	enum {
		USER = 1,
		DOMAIN,
		PASSWORD,
		PASSWORD_FILE,
		ANSWERS,
		ACCEPT_TERMS,
		RESOURCE,
		LIST,
		CA,
		VERIFY,
		HOLD,
		JSON,
		LOG
	};
	static const struct option known[] = {{"user", required_argument, NULL, USER},
		{"domain", required_argument, NULL, DOMAIN},
		{"password", required_argument, NULL, PASSWORD},
		{"password-file", required_argument, NULL, PASSWORD_FILE},
		{"answers", required_argument, NULL, ANSWERS},
		{"accept-terms", no_argument, NULL, ACCEPT_TERMS},
		{"resource", required_argument, NULL, RESOURCE}, {"list", no_argument, NULL, LIST},
		{"ca", required_argument, NULL, CA}, {"verify", required_argument, NULL, VERIFY},
		{"hold", required_argument, NULL, HOLD}, {"json", no_argument, NULL, JSON},
		{"log", required_argument, NULL, LOG}, {0}};
	int option;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		switch (option) {
		case USER:
			options->user_given = optarg;
			break;
		case DOMAIN:
			options->domain_given = optarg;
			break;
		case PASSWORD:
			/* Known, so that it is not taken for an abbreviation, and not repeated. */
			secret_wipe_text(optarg);
			return usage_fault(NAME,
				"a password on the command line is seen by everybody on this "
				"machine; use --password-file, or type it when asked");
		case PASSWORD_FILE:
			options->password_file = optarg;
			break;
		case ANSWERS:
			options->answers = optarg;
			break;
		case ACCEPT_TERMS:
			options->accept_terms = true;
			break;
		case RESOURCE:
			options->resource = optarg;
			break;
		case LIST:
			options->list = true;
			break;
		case CA:
			options->ca = optarg;
			break;
		case VERIFY:
			if (!read_verify(optarg, &options->verify))
				return usage_fault(
					NAME, "'%s' is not one of full, warn, none", optarg);
			break;
		case HOLD:
			if (!command_seconds(optarg, &options->hold))
				return usage_fault(NAME, "'%s' is not a number of seconds", optarg);
			break;
		case JSON:
			options->json = true;
			break;
		case LOG:
			options->log = optarg;
			break;
		case ':':
			return usage_fault(NAME, "%s needs a value", argv[optind - 1]);
		default:
			return usage_fault(NAME, "%s is not an option", argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return usage_fault(NAME, "exactly one HOST[:PORT] is expected");
	if (!read_server(argv[optind], options))
		return usage_fault(NAME, "'%s' is not HOST or HOST:PORT", argv[optind]);
	if (options->list && options->resource != NULL)
		return usage_fault(NAME, "--list and --resource exclude each other");
	if (options->ca != NULL && access(options->ca, R_OK) != 0)
		return usage_fault(NAME, "%s: %s", options->ca, strerror(errno));
	return read_user(options);
}

static void warn_exposed(const char *file)
{
	fprintf(stderr, "fairlead: warning: others than you can read %s; try chmod 600\n", file);
}

/* Lines are read when they are needed: what a pipe brings may not be there yet. */
static int open_answers(const struct options *options, int *ret_descriptor)
{
	bool exposed = false;
	int error = credential_open(options->answers, ret_descriptor, &exposed);

	if (error != 0)
		fprintf(stderr, "fairlead: no answers in %s: %s\n", options->answers,
			strerror(errno));
	else if (exposed)
		warn_exposed(options->answers);
	return error;
}

static int read_password(const struct options *options, char password[CONNECT_PASSWORD_SIZE])
{
	bool exposed = false;
	int error =
		credential_file(options->password_file, password, CONNECT_PASSWORD_SIZE, &exposed);

	if (exposed)
		warn_exposed(options->password_file);
	if (error == 0)
		return 0;
	fprintf(stderr, "fairlead: no password in %s: %s\n", options->password_file,
		error == ERROR_SYSTEM          ? strerror(errno)
			: error == ERROR_INPUT ? "the first line is empty"
					       : "the first line is too long");
	return error;
}

static void close_loop(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(loop);
}

int connect_command(int argc, char **argv)
{
	struct options options = {.hold = -1};
	char password[CONNECT_PASSWORD_SIZE] = "";
	char log_file[4096];
	struct log *log = NULL;
	uv_loop_t loop;
	int status = read_options(argc, argv, &options);
	int answers = -1;
	int error;

	if (status != 0)
		return status;
	error = run_log_open(options.log, clock_system(), &log, log_file);
	if (error != 0) {
		fprintf(stderr, "fairlead: %sno log in %s: %s\n",
			options.log == NULL ? "warning: " : "", log_file,
			error == ERROR_SYSTEM ? strerror(errno) : error_text(error));
		if (options.log != NULL)
			return RECORD_EXIT_OWN;
	}
	if ((options.password_file != NULL && read_password(&options, password) != 0) ||
		(options.answers != NULL && open_answers(&options, &answers) != 0)) {
		secret_wipe(password, sizeof(password));
		log_close(log);
		return RECORD_EXIT_OWN;
	}
	uv_loop_init(&loop);
	status = run_connection(&(struct run_options){
		.connect =
			{
				.loop = &loop,
				.clock = clock_system(),
				.entropy = entropy_system(),
				.log = log,
				.host = options.host,
				.port = options.port,
				.user = options.user,
				.domain = options.has_domain ? options.domain : NULL,
				.resource = options.resource,
				.list_only = options.list,
				.ca_file = options.ca,
				.verify = options.verify,
				.hold = options.hold,
			},
		.password = options.password_file != NULL ? password : NULL,
		.answers = answers,
		.accept_terms = options.accept_terms,
		.interactive = true,
		.json = options.json,
	});
	secret_wipe(password, sizeof(password));
	if (answers >= 0)
		close(answers);
	close_loop(&loop);
	log_close(log);
	return status;
}
