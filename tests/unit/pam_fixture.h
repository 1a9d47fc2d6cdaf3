/*
 * pam_fixture.h - PAM services in a folder of the test's own. Modules are Linux-PAM's, and
 * pam_matrix of libpam-wrapper, which has its passwords in a text file.
 *
 * What happens depends on the name of the user:
 *   alice, jürgen ...   pam_matrix decides; see fixture_users
 *   missing             PAM does not know him
 *   disabled            the account module denies
 *   expired             needs a new password until he has set one
 *   hang                a script that says so on the FIFO "reached" and waits for a line on "go"
 *   crash               the process that asked is aborted
 *   leave               a script that leaves a process behind, which holds "reached" open
 */
#ifndef FAIRLEAD_TESTS_PAM_FIXTURE_H
#define FAIRLEAD_TESTS_PAM_FIXTURE_H

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIXTURE_LONG 511 /* bytes of longpass' password */

struct pam_fixture {
	char folder[64];
	int reached; /* reading end of a FIFO */
};

static inline const char *fixture_path(const struct pam_fixture *fixture, const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
	return path;
}

__attribute__((format(printf, 4, 5))) static inline void fixture_write(
	const struct pam_fixture *fixture, const char *name, mode_t mode, const char *format, ...)
{
	FILE *file = fopen(fixture_path(fixture, name), "w");
	va_list arguments;

	assert_non_null(file);
	va_start(arguments, format);
	assert_true(vfprintf(file, format, arguments) >= 0);
	va_end(arguments);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(fixture_path(fixture, name), mode), 0);
}

static inline void fixture_long_password(char password[FIXTURE_LONG + 1])
{
	memset(password, 'x', FIXTURE_LONG);
	password[FIXTURE_LONG] = '\0';
}

static inline void fixture_users(const struct pam_fixture *fixture)
{
	const struct passwd *self = getpwuid(getuid());
	char longest[FIXTURE_LONG + 1];

	assert_non_null(self);
	fixture_long_password(longest);
	fixture_write(fixture, "passdb", 0600,
		"alice:right:x\njürgen:geh€im "
		"👍:x\ndisabled:right:x\nexpired:right:x\nhang:right:x\n"
		"crash:right:x\nleave:right:x\nSTUDIO\\bob:right:x\nlongpass:%s:x\n%s:right:x\n",
		longest, self->pw_name);
}

static inline void fixture_scripts(const struct pam_fixture *fixture)
{
	const char *folder = fixture->folder;

	fixture_write(fixture, "before", 0700,
		"#!/bin/sh\ncd %s\necho \"$PAM_RHOST $PAM_SERVICE $PAM_TTY\" >>asked\n"
		"case $PAM_USER in\n"
		"hang) exec 9>reached; echo >&9; read line <go ;;\n"
		"crash) kill -ABRT $PPID; read line <go ;;\n"
		"leave) exec 9>reached; echo >&9; (exec >/dev/null; read line <go) & ;;\n"
		"esac\nexit 0\n",
		folder);
	fixture_write(fixture, "fresh", 0700,
		"#!/bin/sh\ncd %s\n[ \"$PAM_USER\" != expired ] || [ -e changed ]\n", folder);
	fixture_write(fixture, "changed-now", 0700, "#!/bin/sh\n: >%s/changed\n", folder);
}

static inline void fixture_services(const struct pam_fixture *fixture)
{
	const char *folder = fixture->folder;
	static const char common[] =
		"auth [success=1 default=ignore] pam_succeed_if.so quiet user != missing\n"
		"auth requisite pam_debug.so auth=user_unknown\n"
		"auth required pam_exec.so quiet %s/before\n"
		"auth required " FIXTURE_MATRIX " passdb=%s/passdb\n"
		"account [success=1 default=ignore] pam_succeed_if.so quiet user != disabled\n"
		"account requisite pam_debug.so acct=perm_denied\n"
		"account [success=1 default=ignore] pam_exec.so quiet %s/fresh\n"
		"account requisite pam_debug.so acct=new_authtok_reqd\n"
		"account required pam_permit.so\n";
	char text[4096];

	snprintf(text, sizeof(text), common, folder, folder, folder);
	fixture_write(fixture, "test", 0600,
		"%spassword required " FIXTURE_MATRIX " passdb=%s/passdb\n"
		"password required pam_exec.so quiet %s/changed-now\n",
		text, folder, folder);
	fixture_write(fixture, "weak", 0600,
		"%spassword required pam_debug.so chauthtok=authtok_err\n", text);
	fixture_write(fixture, "fixed", 0600,
		"%spassword required pam_debug.so prechauthtok=authtok_lock_busy\n", text);
	fixture_write(fixture, "slow", 0600,
		"auth optional pam_faildelay.so delay=600000000\nauth required pam_deny.so\n");
	/* a second prompt, which no password answers */
	fixture_write(fixture, "token", 0600,
		"auth required " FIXTURE_MATRIX
		" passdb=%s/passdb echo\naccount required pam_permit.so\n",
		folder);
	fixture_write(fixture, "broken", 0600, "auth required /nowhere/pam_none.so\n");
}

static inline void fixture_begin(struct pam_fixture *fixture)
{
	strcpy(fixture->folder, "/tmp/fairlead-pam-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	fixture_users(fixture);
	fixture_scripts(fixture);
	fixture_services(fixture);
	assert_int_equal(mkfifo(fixture_path(fixture, "reached"), 0600), 0);
	assert_int_equal(mkfifo(fixture_path(fixture, "go"), 0600), 0);
	fixture->reached =
		open(fixture_path(fixture, "reached"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fixture->reached >= 0);
}

static inline void fixture_end(struct pam_fixture *fixture)
{
	static const char *const names[] = {"passdb", "before", "fresh", "changed-now", "changed",
		"asked", "test", "weak", "fixed", "slow", "token", "broken", "reached", "go"};

	close(fixture->reached);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(fixture_path(fixture, names[i]));
	assert_int_equal(rmdir(fixture->folder), 0);
}

/* The script of "hang" or "leave" has come to its place. */
static inline void fixture_wait_reached(const struct pam_fixture *fixture)
{
	struct pollfd ready = {.fd = fixture->reached, .events = POLLIN};
	char byte = '\0';

	assert_int_equal(poll(&ready, 1, -1), 1);
	assert_int_equal(read(fixture->reached, &byte, 1), 1);
}

/* Nobody holds "reached" open any more. */
static inline void fixture_wait_gone(const struct pam_fixture *fixture)
{
	struct pollfd ready = {.fd = fixture->reached};

	assert_int_equal(poll(&ready, 1, -1), 1);
	assert_int_equal(ready.revents, POLLHUP);
}

/* Lets "hang" go on. */
static inline void fixture_go(const struct pam_fixture *fixture)
{
	int go = open(fixture_path(fixture, "go"), O_WRONLY | O_CLOEXEC);

	assert_true(go >= 0);
	assert_int_equal(write(go, "\n", 1), 1);
	close(go);
}

#endif
