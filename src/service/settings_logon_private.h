/*
 * settings_logon_private.h - what the parts of settings_logon.h share.
 */
#ifndef FAIRLEAD_SERVICE_SETTINGS_LOGON_PRIVATE_H
#define FAIRLEAD_SERVICE_SETTINGS_LOGON_PRIVATE_H

#include "service/settings_logon.h"

#define SETTINGS_LOGON_PATH_SIZE 128
#define SETTINGS_LOGON_SECRET_MAXIMUM 1024 /* bytes */

/* The number `key` of a structure, an unsigned at `offset`; 0 stands for its default. */
struct settings_range {
	const char *key;
	size_t offset;
	unsigned lowest, highest;
};

/* `path` is that of the mapping. 0 or ERROR_INPUT with the fault. */
int settings_logon_check_ranges(const struct config *config, struct config_fault *fault,
	const char *path, const void *structure, const struct settings_range *ranges, size_t count);

/* A text of one line that is shown to users; `path` is its own. NULL is allowed. */
int settings_logon_check_line(const struct config *config, struct config_fault *fault,
	const char *path, const char *text);

/* The secret in a file: its one line without the end of the line. The file must be a regular one
 * that belongs to root, to who runs the program, or to the user it becomes, and that nobody else
 * can read. `path` is that of the key. 0, ERROR_MEMORY or ERROR_INPUT, with the fault; wipe the
 * secret. */
int settings_logon_secret(struct config *config, struct config_fault *fault, const char *path,
	const struct settings *common, const char *file,
	char secret[SETTINGS_LOGON_SECRET_MAXIMUM + 1]);

/* The disclaimer's text: UTF-8, lines ended by a line feed, no other control characters but tabs.
 * 0, ERROR_MEMORY or ERROR_INPUT, with the fault. Free it with free(). */
int settings_logon_disclaimer(struct config *config, struct config_fault *fault,
	const struct settings_disclaimer *disclaimer, char **ret_text);

/* 0 or ERROR_INPUT with the fault. */
int settings_directory_check(struct config *config, const struct settings *common,
	const struct settings_logon *logon, struct config_fault *fault);
int settings_radius_check(struct config *config, const struct settings *common,
	const struct settings_logon *logon, struct config_fault *fault);

/* The source at `index`. `domains` are those a chain or the program gives it beside its own. 0 or
 * an error of identity_ldap_new, of settings_logon_secret. */
int settings_directory_new(struct config *config, const struct settings *common,
	const struct settings_logon *logon, unsigned index, const char *const *domains,
	size_t domain_count, const struct clock *clock, struct identity **ret_identity);
/* The servers at `index`. 0 or an error of radius_new, of settings_logon_secret. */
int settings_radius_new(struct config *config, const struct settings *common,
	const struct settings_logon *logon, unsigned index, struct radius **ret_radius);

#endif
