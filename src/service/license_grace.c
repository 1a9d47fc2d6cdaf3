#include "service/license_grace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

#define HEADER "fairlead-license-grace 1\n"
#define SUCCESS "\nsuccess "
#define TEXT_SIZE 512
#define DAY (INT64_C(86400) * CLOCK_SECOND)
#define REMEMBER_EVERY (INT64_C(3600) * CLOCK_SECOND)
/* Year 9999: what is later is no time, and would not fit in microseconds for long. */
#define SECONDS_MAXIMUM INT64_C(253402300799)

/* 0 or ERROR_NOT_FOUND: whatever is not exactly what we write does not count. */
static int read_success(const struct license_grace *grace, int64_t *ret_success)
{
	char text[TEXT_SIZE], again[TEXT_SIZE];
	long long seconds;
	const char *line;
	ssize_t length;
	int descriptor = open(grace->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (descriptor < 0)
		return ERROR_NOT_FOUND;
	length = read(descriptor, text, sizeof(text) - 1);
	close(descriptor);
	if (length <= 0)
		return ERROR_NOT_FOUND;
	text[length] = '\0';
	line = strstr(text, SUCCESS);
	seconds = line != NULL ? strtoll(line + sizeof(SUCCESS) - 1, NULL, 10) : -1;
	if (seconds < 0 || seconds > SECONDS_MAXIMUM)
		return ERROR_NOT_FOUND;
	snprintf(again, sizeof(again), HEADER "host %s" SUCCESS "%lld\n", grace->host, seconds);
	if (strcmp(text, again) != 0)
		return ERROR_NOT_FOUND;
	*ret_success = seconds * CLOCK_SECOND;
	return 0;
}

static int write_all(int descriptor, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(descriptor, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return ERROR_SYSTEM;
		text += written;
		length -= (size_t)written;
	}
	return fsync(descriptor) == 0 ? 0 : ERROR_SYSTEM;
}

static int write_success(const struct license_grace *grace, int64_t success)
{
	char name[PATH_MAX], text[TEXT_SIZE];
	int descriptor, length, error, cause;

	length = snprintf(name, sizeof(name), "%s.new", grace->file);
	if (length < 0 || (size_t)length >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return ERROR_SYSTEM;
	}
	length = snprintf(text, sizeof(text), HEADER "host %s" SUCCESS "%lld\n", grace->host,
		(long long)(success / CLOCK_SECOND));
	if (length < 0 || (size_t)length >= sizeof(text)) {
		errno = EINVAL;
		return ERROR_SYSTEM;
	}
	descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (descriptor < 0)
		return ERROR_SYSTEM;
	error = write_all(descriptor, text, (size_t)length);
	cause = errno;
	if (close(descriptor) != 0 && error == 0) {
		error = ERROR_SYSTEM;
		cause = errno;
	}
	if (error == 0 && rename(name, grace->file) != 0) {
		error = ERROR_SYSTEM;
		cause = errno;
	}
	if (error != 0) {
		(void)unlink(name);
		errno = cause;
	}
	return error;
}

int license_grace_remember(const struct license_grace *grace, int64_t now)
{
	int64_t success;

	if (grace->file == NULL)
		return 0;
	if (read_success(grace, &success) == 0 && success <= now && now - success < REMEMBER_EVERY)
		return 0;
	return write_success(grace, now);
}

int license_grace_until(const struct license_grace *grace, int64_t now, int64_t *ret_until)
{
	int64_t success, until;
	int error;

	if (grace->file == NULL || grace->days == 0)
		return ERROR_NOT_FOUND;
	error = read_success(grace, &success);
	if (error == 0 && success > now) {
		/* Else setting the clock back would stop the days from being counted. */
		success = now;
		error = write_success(grace, now);
	}
	if (error != 0)
		return error;
	until = success + (int64_t)grace->days * DAY;
	if (until <= now)
		return ERROR_EXPIRED;
	*ret_until = until;
	return 0;
}

int license_grace_days(int64_t until, int64_t now)
{
	int64_t days = until > now ? (until - now) / DAY : 0;

	return days < INT_MAX ? (int)days : INT_MAX;
}
