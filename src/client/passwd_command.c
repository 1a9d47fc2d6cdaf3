/* fairlead passwd: a password hash for configuration files. fairlead-passwd(1). */

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
#include "client/record.h"
#include "identity/password.h"

#define NAME "passwd"
#define COST_MINIMUM 1
#define COST_MAXIMUM 11

static bool read_cost(const char *text, unsigned *ret_cost)
{
	char *end;
	unsigned long cost = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || cost < COST_MINIMUM ||
		cost > COST_MAXIMUM)
		return false;
	*ret_cost = (unsigned)cost;
	return true;
}

/* Twice on a terminal, so that a slip of the finger is found; else one line. 0 or the exit status.
 */
static int read_password(char *password, size_t size)
{
	char again[PASSWORD_MAXIMUM + 1];
	bool same;
	int error;

	if (isatty(STDIN_FILENO) == 0) {
		error = credential_line(STDIN_FILENO, password, size);
	} else {
		error = credential_ask("Password: ", false, password, size);
		if (error == 0)
			error = credential_ask("The same again: ", false, again, sizeof(again));
		if (error == 0) {
			same = secret_equal_text(again, password);
			secret_wipe(again, sizeof(again));
			if (!same) {
				fprintf(stderr, "fairlead passwd: the two are not the same\n");
				return RECORD_EXIT_OWN;
			}
		}
	}
	if (error == 0)
		return 0;
	if (error == ERROR_LIMIT)
		fprintf(stderr, "fairlead passwd: the password is longer than %d bytes\n",
			PASSWORD_MAXIMUM);
	else
		fprintf(stderr, "fairlead passwd: there is no password\n");
	return RECORD_EXIT_OWN;
}

int passwd_command(int argc, char **argv)
{
	static const struct option known[] = {{"cost", required_argument, NULL, 'c'}, {0}};
	unsigned cost = PASSWORD_COST_DEFAULT;
	char password[PASSWORD_MAXIMUM + 1];
	char hash[PASSWORD_HASH_SIZE];
	int option, status, error;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		if (option == ':')
			return usage_fault(NAME, "%s needs a value", argv[optind - 1]);
		if (option != 'c')
			return usage_fault(NAME, "%s is not an option", argv[optind - 1]);
		if (!read_cost(optarg, &cost))
			return usage_fault(NAME, "'%s' is not a cost from %d to %d", optarg,
				COST_MINIMUM, COST_MAXIMUM);
	}
	if (optind != argc)
		return usage_fault(NAME,
			"'%s' is too much; the password is read, never an argument", argv[optind]);
	status = read_password(password, sizeof(password));
	if (status != 0)
		return status;
	error = password_hash(entropy_system(), password, cost, hash);
	secret_wipe(password, sizeof(password));
	if (error != 0) {
		fprintf(stderr, "fairlead passwd: %s\n", error_text(error));
		return RECORD_EXIT_OWN;
	}
	return puts(hash) == EOF || fflush(stdout) != 0 ? RECORD_EXIT_OWN : RECORD_EXIT_DONE;
}
