/* fairlead - the command for people: a table of sub-commands. fairlead(1). */

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/usage.h"
#include "check/check.h"
#include "client/command.h"
#include "client/record.h"
#include "service/program.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
	const char *usage; /* below "fairlead NAME" */
};

static int help_command(int argc, char **argv);
static int version_command(int argc, char **argv);

static const struct command commands[] = {
	{"connect", connect_command, "establish a session and hold it",
		"[options] HOST[:PORT]\n"
		"  --user NAME           user name; DOMAIN\\user and user@domain are understood\n"
		"                        (default: $USER)\n"
		"  --domain DOMAIN       domain (default: the first one the server offers)\n"
		"  --password-file FILE  first line is the password (default: asked)\n"
		"  --answers FILE        a line for each entry that the server asks for, in order\n"
		"                        (default: asked)\n"
		"  --accept-terms        accept the terms of the server (default: asked)\n"
		"  --resource NAME       workstation to connect to (default: the only one, or "
		"asked)\n"
		"  --list                print the workstations and stop after stage 3\n"
		"  --ca FILE             CA certificates to trust (default: the system's)\n"
		"  --verify HOW          full (default), warn or none\n"
		"  --hold SECONDS        disconnect after that (default: until Ctrl-C)\n"
		"  --json                print one JSON document\n"
		"  --log FILE            log; 'none' for none\n"
		"                        (default: ~/.local/state/fairlead/client.log)\n"},
	{"demo", demo_command, "start everything on this machine and connect to it",
		"[options]\n"
		"  --serve               keep everything running until Ctrl-C; no connection is "
		"made\n"
		"  --dir DIR             where certificates, configurations and logs go, and stay\n"
		"                        (default: a temporary folder, removed at the end)\n"
		"  --hold SECONDS        how long the session is held (default: 3)\n"
		"  --with WHAT           users in a test directory that is started, too: ad "
		"(Samba)\n"
		"                        or ldap (OpenLDAP); or a second factor: radius "
		"(FreeRADIUS)\n"
		"  --json                print one JSON document\n"},
	{"check", check_command, "judge the logs of sessions",
		"[options] PATH|- ...\n"
		"  PATH                  folder, archive, compressed or plain log; '-' is standard "
		"input\n"
		"  --format FORMAT       text (default), json or html\n"
		"  --output FILE         write the report to FILE (default: standard output)\n"
		"  --session ID          only this session; the first characters of its id do\n"
		"  --since T, --until T  only lines of this time: 2021-03-24T21:10:59Z, "
		"2021-03-24\n"
		"  --mask                replace users, hosts and addresses, the same by the same\n"
		"  --rules DIR           further rules, or others in place of built-in ones\n"
		"  --lint                prove the rules instead of reading logs\n"
		"  --mail-to ADDRESS     send the report, too; may be repeated\n"
		"  --smtp URL            through this server: smtp://HOST[:PORT] or "
		"smtps://HOST[:PORT]\n"
		"  --mail-from ADDRESS   sender (default: fairlead@<this host>)\n"
		"  --smtp-login FILE     user name and password, one line each\n"
		"  --smtp-ca FILE        CA certificates to trust (default: the system's)\n"
		"  --smtp-plain          allow a server without TLS\n"
		"  --quiet               no progress on standard error\n"},
	{"passwd", passwd_command, "make a password hash for a configuration file",
		"[--cost N]\n"
		"  --cost N              work per password, 1 to 11 (default: 5)\n"},
	{"help", help_command, "show this, or the options of a command", "[COMMAND]\n"},
	{"version", version_command, "show the version", "\n"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static void overview(FILE *stream)
{
	fprintf(stream, "usage: fairlead COMMAND [options]\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fprintf(stream,
		"\n'fairlead help COMMAND' shows a command's options; fairlead(1) tells more.\n");
}

static void describe(const struct command *command)
{
	printf("fairlead %s: %s\n\nusage: fairlead %s %s", command->name, command->summary,
		command->name, command->usage);
}

static int help_command(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		overview(stdout);
		return RECORD_EXIT_DONE;
	}
	command = find(argv[1]);
	if (command == NULL || argc > 2) {
		overview(stderr);
		return RECORD_EXIT_USAGE;
	}
	describe(command);
	return RECORD_EXIT_DONE;
}

static int version_command(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return usage_fault("version", "it takes no arguments");
	puts("fairlead " FAIRLEAD_VERSION);
	return RECORD_EXIT_DONE;
}

int main(int argc, char **argv)
{
	const struct command *command;

	/* A broken pipe is an error of a write, not the end. */
	(void)signal(SIGPIPE, SIG_IGN);
	program_forbid_dumps();
	(void)setlocale(LC_CTYPE, "");
	if (argc < 2) {
		overview(stderr);
		return RECORD_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		argv[1] = (char[]){"help"};
	if (strcmp(argv[1], "--version") == 0)
		argv[1] = (char[]){"version"};
	command = find(argv[1]);
	if (command == NULL) {
		fprintf(stderr, "fairlead: there is no command '%s'\n\n", argv[1]);
		overview(stderr);
		return RECORD_EXIT_USAGE;
	}
	if (argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
		describe(command);
		return RECORD_EXIT_DONE;
	}
	return command->run(argc - 1, argv + 1);
}
