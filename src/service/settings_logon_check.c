/*
 * What the schema cannot see: names that point nowhere, chains that leave somebody out, numbers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "service/settings_logon_private.h"

#define PATH_SIZE SETTINGS_LOGON_PATH_SIZE
#define NAMES_SIZE 256

#define PAM(member) offsetof(struct settings_pam, member)
static const struct settings_range pam_ranges[] = {
	{"answer-ms", PAM(answer_ms), 100, 60000},
	{"at-once", PAM(at_once), 1, PAM_HELPER_AT_ONCE_MAXIMUM},
};

#define GUARD(member) offsetof(struct guard_limits, member)
static const struct settings_range guard_ranges[] = {
	{"user", GUARD(user), 1, GUARD_USER_MOST},
	{"known", GUARD(known), 1, GUARD_USER_MOST},
	{"address", GUARD(address), 1, GUARD_ALL_MOST},
	{"prefix", GUARD(prefix), 1, GUARD_ALL_MOST},
	{"password", GUARD(password), 1, GUARD_USER_MOST},
	{"all", GUARD(all), 1, GUARD_ALL_MOST},
	{"window-seconds", GUARD(window_seconds), 60, GUARD_WINDOW_MOST},
	{"delay-ms", GUARD(delay_ms), 1, GUARD_DELAY_MOST},
	{"delay-most-ms", GUARD(delay_most_ms), 1, GUARD_DELAY_MOST},
};

int settings_logon_check_ranges(const struct config *config, struct config_fault *fault,
	const char *path, const void *structure, const struct settings_range *ranges, size_t count)
{
	char at[PATH_SIZE + 32];

	for (size_t i = 0; i < count; i++) {
		unsigned value;

		memcpy(&value, (const char *)structure + ranges[i].offset, sizeof(value));
		if (value == 0 || (value >= ranges[i].lowest && value <= ranges[i].highest))
			continue;
		snprintf(at, sizeof(at), "%s.%s", path, ranges[i].key);
		return config_fault_at(config, fault, at,
			"'%s' is %u, expected %u to %u; 0 is the default", ranges[i].key, value,
			ranges[i].lowest, ranges[i].highest);
	}
	return 0;
}

static int check_guard(
	const struct config *config, const struct guard_limits *guard, struct config_fault *fault)
{
	unsigned delay = guard->delay_ms != 0 ? guard->delay_ms : GUARD_DELAY_MS;
	unsigned most = guard->delay_most_ms != 0 ? guard->delay_most_ms : GUARD_DELAY_LONGEST_MS;

	if (settings_logon_check_ranges(config, fault, "guard", guard, guard_ranges,
		    sizeof(guard_ranges) / sizeof(guard_ranges[0])) != 0)
		return ERROR_INPUT;
	if (delay > most)
		return config_fault_at(config, fault,
			guard->delay_most_ms != 0 ? "guard.delay-most-ms" : "guard.delay-ms",
			"the first delay, %u ms, is longer than the longest, %u ms; expected "
			"'delay-ms' not above 'delay-most-ms'",
			delay, most);
	return 0;
}

static bool is_file(const char *folder, const char *name)
{
	char path[SETTINGS_TEXT_MAXIMUM + PATH_SIZE];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* PAM would take the service "other" for one that is not there, which may let in anybody. */
static int check_service(
	struct config *config, const struct settings_pam *pam, struct config_fault *fault)
{
	const char *service = pam->service != NULL ? pam->service : "fairlead";
	const char *folder = config_path(config, pam->confdir);

	if (strchr(service, '/') != NULL || *service == '.')
		return config_fault_at(config, fault, "pam.service",
			"'%s' is not a name; expected that of a file in /etc/pam.d", service);
	if (pam->confdir != NULL && folder == NULL)
		return ERROR_MEMORY;
	if (folder != NULL ? is_file(folder, service)
			   : is_file("/etc/pam.d", service) || is_file("/usr/lib/pam.d", service))
		return 0;
	return config_fault_at(config, fault, "pam.service",
		"there is no PAM service '%s'; expected a file %s/%s", service,
		folder != NULL ? folder : "/etc/pam.d", service);
}

static int check_pam(
	struct config *config, const struct settings_pam *pam, struct config_fault *fault)
{
	const char *helper = config_path(config, pam->helper);

	if (settings_logon_check_ranges(config, fault, "pam", pam, pam_ranges,
		    sizeof(pam_ranges) / sizeof(pam_ranges[0])) != 0)
		return ERROR_INPUT;
	if (helper != NULL && access(helper, X_OK) != 0)
		return config_fault_at(config, fault, "pam.helper",
			"'%s' is not a program that can be run; expected the path of fairlead-pam",
			helper);
	return check_service(config, pam, fault);
}

static int check_disclaimer(struct config *config, const struct settings_disclaimer *disclaimer,
	struct config_fault *fault)
{
	char *text;
	int error = settings_logon_check_line(config, fault, "disclaimer.title", disclaimer->title);

	if (error == 0)
		error = settings_logon_disclaimer(config, fault, disclaimer, &text);
	if (error == 0)
		free(text);
	return error;
}

/* --- chains --- */

static bool has_source(
	const struct settings_users *users, const struct settings_logon *logon, const char *name)
{
	if (strcmp(name, "users") == 0)
		return users->list_count > 0;
	if (strcmp(name, "pam") == 0)
		return logon->pam != NULL;
	for (unsigned i = 0; i < logon->directories_count; i++) {
		if (strcmp(logon->directories[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool has_factor(const struct settings_logon *logon, const char *name)
{
	for (unsigned i = 0; i < logon->radius_count; i++) {
		if (strcmp(logon->radius[i].name, name) == 0)
			return true;
	}
	return false;
}

static void add_name(char names[NAMES_SIZE], const char *name)
{
	size_t length = strlen(names);

	snprintf(names + length, NAMES_SIZE - length, "%s%s", length > 0 ? ", " : "", name);
}

static void list_sources(const struct settings_users *users, const struct settings_logon *logon,
	char names[NAMES_SIZE])
{
	names[0] = '\0';
	if (users->list_count > 0)
		add_name(names, "users");
	for (unsigned i = 0; i < logon->directories_count; i++)
		add_name(names, logon->directories[i].name);
	if (logon->pam != NULL)
		add_name(names, "pam");
}

static int check_factors(const struct config *config, const struct settings_logon *logon,
	unsigned index, struct config_fault *fault)
{
	const struct settings_chain *chain = &logon->chains[index];
	char path[PATH_SIZE];

	for (unsigned i = 0; i < chain->factors_count; i++) {
		snprintf(path, sizeof(path), "logon[%u].factors[%u]", index, i);
		if (!has_factor(logon, chain->factors[i]))
			return config_fault_at(config, fault, path,
				"there is no factor '%s'; expected the name of one under 'radius'",
				chain->factors[i]);
		for (unsigned k = 0; k < i; k++) {
			if (strcmp(chain->factors[k], chain->factors[i]) == 0)
				return config_fault_at(config, fault, path,
					"the factor '%s' is here already; expected it once",
					chain->factors[i]);
		}
	}
	return 0;
}

/* Whether the domain at a place of a chain stands before it already, there or in another chain. */
static bool named_before(const struct settings_logon *logon, unsigned index, unsigned place)
{
	const char *domain = logon->chains[index].domains[place];

	for (unsigned i = 0; i <= index; i++) {
		unsigned count = i < index ? logon->chains[i].domains_count : place;

		for (unsigned k = 0; k < count; k++) {
			if (strcasecmp(logon->chains[i].domains[k], domain) == 0)
				return true;
		}
	}
	return false;
}

static int check_chain_domains(const struct config *config, const struct settings_logon *logon,
	unsigned index, struct config_fault *fault)
{
	const struct settings_chain *chain = &logon->chains[index];
	char path[PATH_SIZE];

	for (unsigned i = 0; i < chain->domains_count; i++) {
		if (!named_before(logon, index, i))
			continue;
		snprintf(path, sizeof(path), "logon[%u].domains[%u]", index, i);
		return config_fault_at(config, fault, path,
			"the domain '%s' has a chain already; expected each domain once",
			chain->domains[i]);
	}
	for (unsigned i = 0; chain->domains_count == 0 && i < index; i++) {
		if (logon->chains[i].domains_count > 0)
			continue;
		snprintf(path, sizeof(path), "logon[%u]", index);
		return config_fault_at(config, fault, path,
			"there is a chain for all other domains already; expected 'domains'");
	}
	return 0;
}

/* Whoever chooses an offered domain must find a chain. */
static int check_offered(const struct config *config, const struct settings_users *users,
	const struct settings_logon *logon, struct config_fault *fault)
{
	char path[PATH_SIZE];

	for (unsigned i = 0; i < users->domains_count; i++) {
		bool found = false;

		for (unsigned k = 0; k < logon->chains_count; k++) {
			const struct settings_chain *chain = &logon->chains[k];

			found = found || chain->domains_count == 0;
			for (unsigned n = 0; n < chain->domains_count; n++)
				found = found ||
					strcasecmp(chain->domains[n], users->domains[i]) == 0;
		}
		if (found)
			continue;
		snprintf(path, sizeof(path), "domains[%u]", i);
		return config_fault_at(config, fault, path,
			"nobody can log on to the domain '%s'; expected it in 'logon', or a chain "
			"without domains there",
			users->domains[i]);
	}
	return 0;
}

/* A second factor that is never asked for is a door believed to be shut. */
static int check_factors_used(
	const struct config *config, const struct settings_logon *logon, struct config_fault *fault)
{
	char path[PATH_SIZE];

	for (unsigned i = 0; i < logon->radius_count; i++) {
		bool used = false;

		for (unsigned k = 0; k < logon->chains_count; k++) {
			for (unsigned n = 0; n < logon->chains[k].factors_count; n++)
				used = used ||
					strcmp(logon->chains[k].factors[n],
						logon->radius[i].name) == 0;
		}
		if (used)
			continue;
		snprintf(path, sizeof(path), "radius[%u].name", i);
		return config_fault_at(config, fault, path,
			"nobody is asked for '%s'; expected it in the 'factors' of a chain under "
			"'logon'",
			logon->radius[i].name);
	}
	return 0;
}

static int check_chains(const struct config *config, const struct settings_users *users,
	const struct settings_logon *logon, struct config_fault *fault)
{
	char names[NAMES_SIZE];
	char path[PATH_SIZE];

	list_sources(users, logon, names);
	for (unsigned i = 0; i < logon->chains_count; i++) {
		if (!has_source(users, logon, logon->chains[i].source)) {
			snprintf(path, sizeof(path), "logon[%u].source", i);
			return config_fault_at(config, fault, path,
				"there is no source of users '%s'; expected one of: %s",
				logon->chains[i].source, names);
		}
		if (check_factors(config, logon, i, fault) != 0 ||
			check_chain_domains(config, logon, i, fault) != 0)
			return ERROR_INPUT;
	}
	if (check_offered(config, users, logon, fault) != 0)
		return ERROR_INPUT;
	return check_factors_used(config, logon, fault);
}

static int check_sources(const struct config *config, const struct settings_users *users,
	const struct settings_logon *logon, struct config_fault *fault)
{
	unsigned count = (users->list_count > 0) + logon->directories_count + (logon->pam != NULL);
	char names[NAMES_SIZE];

	if (count == 0)
		return config_fault_at(config, fault, "users",
			"nobody could log on; expected 'users', 'directories' or 'pam'");
	if (logon->chains_count > 0)
		return check_chains(config, users, logon, fault);
	if (count == 1)
		return 0;
	list_sources(users, logon, names);
	return config_fault_at(config, fault, "",
		"there are several sources of users (%s); expected 'logon' to say which is for "
		"which domain",
		names);
}

int settings_check_logon(struct config *config, const struct settings *common,
	const struct settings_users *users, const struct settings_logon *logon,
	struct config_fault *fault)
{
	int error = settings_directory_check(config, common, logon, fault);

	if (error == 0)
		error = settings_radius_check(config, common, logon, fault);
	if (error == 0 && logon->pam != NULL)
		error = check_pam(config, logon->pam, fault);
	if (error == 0)
		error = check_sources(config, users, logon, fault);
	if (error == 0 && logon->disclaimer != NULL)
		error = check_disclaimer(config, logon->disclaimer, fault);
	if (error == 0)
		error = check_guard(config, &logon->guard, fault);
	return error;
}
