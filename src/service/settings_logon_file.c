/*
 * Files that a configuration names for logons: secrets, the disclaimer.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "service/settings_logon_private.h"

/* A file that is being read for a key. */
struct source {
	struct config *config;
	struct config_fault *fault;
	const char *path; /* of the key */
	const char *name; /* of the file */
	int descriptor;
};

static int source_open(struct source *source, const char *file, struct stat *ret_status)
{
	source->name = config_path(source->config, file);
	if (source->name == NULL)
		return ERROR_MEMORY;
	/* Opening a pipe must not wait for whoever writes into it. */
	source->descriptor = open(source->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (source->descriptor < 0 || fstat(source->descriptor, ret_status) != 0)
		return config_fault_at(source->config, source->fault, source->path,
			"the file '%s' cannot be read: %s", source->name, strerror(errno));
	if (!S_ISREG(ret_status->st_mode))
		return config_fault_at(source->config, source->fault, source->path,
			"'%s' is not a file; expected a regular one", source->name);
	return 0;
}

static int too_large(const struct source *source, size_t maximum)
{
	return config_fault_at(source->config, source->fault, source->path,
		"the file '%s' is too large; expected at most %zu bytes", source->name, maximum);
}

/* The file's bytes and a NUL behind them; `text` has room for maximum + 1. */
static int source_read(const struct source *source, char *text, size_t maximum, size_t *ret_length)
{
	size_t length = 0;
	ssize_t got = 1;

	while (got != 0 && length <= maximum) {
		got = read(source->descriptor, text + length, maximum + 1 - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return config_fault_at(source->config, source->fault, source->path,
				"the file '%s' cannot be read: %s", source->name, strerror(errno));
		length += (size_t)got;
	}
	if (length > maximum)
		return too_large(source, maximum);
	text[length] = '\0';
	*ret_length = length;
	return 0;
}

static bool trusted_owner(const struct settings *common, uid_t owner)
{
	const struct passwd *user = common->user != NULL ? getpwnam(common->user) : NULL;

	return owner == 0 || owner == geteuid() || (user != NULL && owner == user->pw_uid);
}

static int check_rights(
	const struct source *source, const struct settings *common, const struct stat *status)
{
	unsigned mode = (unsigned)status->st_mode & 07777u;

	if (mode != 0600 && mode != 0400)
		return config_fault_at(source->config, source->fault, source->path,
			"the mode of the file '%s' is %04o; expected 0600 or 0400, so that nobody "
			"but its owner can use it",
			source->name, mode);
	if (!trusted_owner(common, status->st_uid))
		return config_fault_at(source->config, source->fault, source->path,
			"the file '%s' belongs to user number %u; expected root or the user that "
			"runs the program",
			source->name, (unsigned)status->st_uid);
	return 0;
}

/* Takes off the end of the line. */
static int check_line(const struct source *source, char *secret, size_t length)
{
	if (length > 0 && secret[length - 1] == '\n')
		secret[--length] = '\0';
	if (length > 0 && secret[length - 1] == '\r')
		secret[--length] = '\0';
	if (length == 0)
		return config_fault_at(source->config, source->fault, source->path,
			"the file '%s' is empty; expected one line with the secret", source->name);
	if (strlen(secret) != length || strpbrk(secret, "\r\n") != NULL)
		return config_fault_at(source->config, source->fault, source->path,
			"the file '%s' is more than one line of text; expected one line with the "
			"secret",
			source->name);
	return length <= SETTINGS_LOGON_SECRET_MAXIMUM
		? 0
		: too_large(source, SETTINGS_LOGON_SECRET_MAXIMUM);
}

int settings_logon_secret(struct config *config, struct config_fault *fault, const char *path,
	const struct settings *common, const char *file,
	char secret[SETTINGS_LOGON_SECRET_MAXIMUM + 1])
{
	struct source source = {.config = config, .fault = fault, .path = path, .descriptor = -1};
	char line[SETTINGS_LOGON_SECRET_MAXIMUM + sizeof("\r\n")];
	struct stat status = {0};
	size_t length = 0;
	int error = source_open(&source, file, &status);

	if (error == 0)
		error = check_rights(&source, common, &status);
	if (error == 0)
		error = source_read(&source, line, sizeof(line) - 1, &length);
	if (error == 0)
		error = check_line(&source, line, length);
	if (error == 0)
		strcpy(secret, line);
	secret_wipe(line, sizeof(line));
	if (source.descriptor >= 0)
		close(source.descriptor);
	return error;
}

/* The answer is XML: what that cannot carry must not be in it. */
static bool can_be_shown(const char *text)
{
	while (*text != '\0') {
		uint32_t value;
		size_t length = utf8_character(text, &value);

		if (length == 0 || (value < 0x20 && value != '\n' && value != '\t') ||
			(value >= 0x7f && value < 0xa0) || value == 0xfffe || value == 0xffff)
			return false;
		text += length;
	}
	return true;
}

/* In place: CR LF to LF, no empty lines at the end. */
static void tidy_lines(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (from[0] != '\r' || from[1] != '\n')
			*to++ = *from;
	}
	while (to > text && to[-1] == '\n')
		to--;
	*to = '\0';
}

static int check_disclaimer(const struct source *source, char *text, size_t length)
{
	if (strlen(text) != length)
		return config_fault_at(source->config, source->fault, source->path,
			"the file '%s' has a NUL in it; expected text in UTF-8", source->name);
	tidy_lines(text);
	if (text[strspn(text, " \t\n")] == '\0')
		return config_fault_at(source->config, source->fault, source->path,
			"the file '%s' is empty; expected the text that users accept",
			source->name);
	if (!can_be_shown(text))
		return config_fault_at(source->config, source->fault, source->path,
			"the file '%s' is not text in UTF-8; expected text without control "
			"characters but ends of lines and tabs",
			source->name);
	return 0;
}

int settings_logon_disclaimer(struct config *config, struct config_fault *fault,
	const struct settings_disclaimer *disclaimer, char **ret_text)
{
	struct source source = {
		.config = config, .fault = fault, .path = "disclaimer.text-file", .descriptor = -1};
	char *text = malloc(LOGON_TERMS_MAXIMUM + 1);
	struct stat status = {0};
	size_t length = 0;
	int error = ERROR_MEMORY;

	if (text != NULL)
		error = source_open(&source, disclaimer->text_file, &status);
	if (error == 0)
		error = source_read(&source, text, LOGON_TERMS_MAXIMUM, &length);
	if (error == 0)
		error = check_disclaimer(&source, text, length);
	if (source.descriptor >= 0)
		close(source.descriptor);
	if (error != 0) {
		free(text);
		return error;
	}
	*ret_text = text;
	return 0;
}

int settings_logon_check_line(
	const struct config *config, struct config_fault *fault, const char *path, const char *text)
{
	if (text == NULL || (can_be_shown(text) && strpbrk(text, "\n\t") == NULL))
		return 0;
	return config_fault_at(config, fault, path,
		"this text cannot be shown; expected one line without control characters");
}
