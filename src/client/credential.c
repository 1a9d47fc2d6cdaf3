#include "client/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"

static int copy_part(char part[CREDENTIAL_NAME_SIZE], const char *text, size_t length)
{
	if (length >= CREDENTIAL_NAME_SIZE)
		return ERROR_LIMIT;
	memcpy(part, text, length);
	part[length] = '\0';
	return 0;
}

int credential_split(
	const char *given, char user[CREDENTIAL_NAME_SIZE], char domain[CREDENTIAL_NAME_SIZE])
{
	const char *name = given;
	const char *name_end = given + strlen(given);
	const char *realm = "";
	const char *realm_end = realm;
	const char *mark = strchr(given, '\\');

	if (mark != NULL) {
		realm = given;
		realm_end = mark;
		name = mark + 1;
	} else if ((mark = strrchr(given, '@')) != NULL) {
		realm = mark + 1;
		realm_end = name_end;
		name_end = mark;
	}
	if (name == name_end)
		return ERROR_INPUT;
	if (name_end - name >= CREDENTIAL_NAME_SIZE || realm_end - realm >= CREDENTIAL_NAME_SIZE)
		return ERROR_LIMIT;
	(void)copy_part(user, name, (size_t)(name_end - name));
	(void)copy_part(domain, realm, (size_t)(realm_end - realm));
	return 0;
}

/* Byte by byte, so that nothing of what follows the line is taken away, and no copy of
 * a password stays in a buffer of the C library. */
int credential_line(int descriptor, char *line, size_t size)
{
	size_t length = 0;
	bool any = false;
	int error = 0;

	for (;;) {
		char byte;
		ssize_t got = read(descriptor, &byte, 1);

		if (got < 0) {
			error = errno == EINTR ? ERROR_CLOSED : ERROR_SYSTEM;
			break;
		}
		if (got == 0 && !any)
			error = ERROR_NOT_FOUND;
		if (got == 0 || byte == '\n')
			break;
		any = true;
		if (length + 1 >= size)
			error = ERROR_LIMIT;
		else
			line[length++] = byte;
	}
	if (error == 0 && length > 0 && line[length - 1] == '\r')
		length--;
	if (error == 0 && length == 0)
		error = ERROR_INPUT;
	if (error != 0)
		secret_wipe(line, length);
	else
		line[length] = '\0';
	return error;
}

int credential_open(const char *file, int *ret_descriptor, bool *ret_exposed)
{
	int descriptor = open(file, O_RDONLY | O_CLOEXEC);
	struct stat status;
	int reason;

	if (descriptor < 0)
		return ERROR_SYSTEM;
	if (fstat(descriptor, &status) != 0) {
		reason = errno;
		close(descriptor);
		errno = reason;
		return ERROR_SYSTEM;
	}
	*ret_exposed = S_ISREG(status.st_mode) && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
	*ret_descriptor = descriptor;
	return 0;
}

int credential_file(const char *file, char *password, size_t size, bool *ret_exposed)
{
	int descriptor, reason;
	int error = credential_open(file, &descriptor, ret_exposed);

	if (error != 0)
		return error;
	error = credential_line(descriptor, password, size);
	reason = errno;
	close(descriptor);
	errno = reason;
	return error == ERROR_NOT_FOUND ? ERROR_INPUT : error;
}

/* ---- the terminal ---- */

static volatile sig_atomic_t caught;
static int wake; /* a pipe: what is written ends the wait, whichever thread got the signal */

static void catch_signal(int signal)
{
	int reason = errno;

	caught = signal;
	(void)!write(wake, "", 1);
	errno = reason;
}

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* One try; *ret_signal is what interrupted it. */
static int ask_once(const char *prompt, bool show, char *answer, size_t size, int *ret_signal)
{
	const struct sigaction action = {.sa_handler = catch_signal};
	struct sigaction old[SIGNALS];
	struct pollfd waits[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.events = POLLIN}};
	struct termios before, quiet;
	int ends[2], error;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return ERROR_NOT_FOUND;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return ERROR_SYSTEM;
	waits[1].fd = ends[0];
	wake = ends[1];
	caught = 0;
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &action, &old[i]);
	quiet = before;
	if (!show)
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fputs(prompt, stderr);
	fflush(stderr);
	/* A terminal is readable once a whole line is there, so this is where the time is spent;
	 * a signal that comes before it would not end a read. */
	while (poll(waits, 2, -1) < 0 && errno == EINTR)
		;
	error = waits[1].revents != 0 ? ERROR_CLOSED : credential_line(STDIN_FILENO, answer, size);
	if (error == ERROR_NOT_FOUND || error == ERROR_SYSTEM)
		error = ERROR_CLOSED;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &old[i], NULL);
	close(ends[0]);
	close(ends[1]);
	*ret_signal = caught;
	if (!show || error != 0)
		fputc('\n', stderr);
	return error;
}

int credential_ask(const char *prompt, bool show, char *answer, size_t size)
{
	int signal, error;

	if (isatty(STDIN_FILENO) == 0)
		return ERROR_NOT_FOUND;
	do {
		error = ask_once(prompt, show, answer, size, &signal);
		/* Suspended with the terminal as it was; asked anew when it goes on. */
		if (error == ERROR_CLOSED && signal == SIGTSTP)
			raise(SIGSTOP);
	} while (error == ERROR_CLOSED && signal == SIGTSTP);
	return error;
}
