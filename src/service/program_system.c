#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "service/program_internal.h"

#define POOL_MINIMUM 4 /* libuv's own default */

/* The leak checker attaches to the process as a debugger does, which an undumpable process refuses.
 */
#if defined(__SANITIZE_ADDRESS__)
#define KEEP_DUMPABLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEP_DUMPABLE 1
#endif
#endif
#ifndef KEEP_DUMPABLE
#define KEEP_DUMPABLE 0
#endif

void program_forbid_dumps(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	if (!KEEP_DUMPABLE)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void program_prepare_process(void)
{
	unsigned cores = uv_available_parallelism();
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct rlimit files;
	char text[16];

	program_forbid_dumps();
	sigaction(SIGPIPE, &ignore, NULL);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	snprintf(text, sizeof(text), "%u", cores > POOL_MINIMUM ? cores : POOL_MINIMUM);
	setenv("UV_THREADPOOL_SIZE", text, 0);
	/* libldap would read a user's or the system's client configuration and obey it: which
	 * servers, which authorities, whether certificates count. Only the program's own file may
	 * say that. */
	setenv("LDAPNOINIT", "1", 1);
}

/* The log was opened with the old rights; the new user must be able to open it anew. */
static int hand_over_log(const char *file, uid_t user, gid_t group)
{
	int descriptor = open(file, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	int error = 0;

	if (descriptor < 0)
		return ERROR_SYSTEM;
	if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
		fchown(descriptor, user, group) != 0)
		error = ERROR_SYSTEM;
	close(descriptor);
	return error;
}

static bool rights_are(uid_t user, gid_t group)
{
	uid_t real_user, effective_user, saved_user;
	gid_t real_group, effective_group, saved_group;

	if (getresuid(&real_user, &effective_user, &saved_user) != 0 ||
		getresgid(&real_group, &effective_group, &saved_group) != 0)
		return false;
	return real_user == user && effective_user == user && saved_user == user &&
		real_group == group && effective_group == group && saved_group == group;
}

int program_drop_rights(const char *user, const char *log_file, char fault[CONFIG_FAULT_SIZE])
{
	const struct passwd *entry;
	uid_t uid;
	gid_t gid;

	if (user == NULL)
		return 0;
	entry = getpwnam(user);
	if (entry == NULL) {
		snprintf(fault, CONFIG_FAULT_SIZE, "there is no user '%s' on this machine", user);
		return ERROR_NOT_FOUND;
	}
	uid = entry->pw_uid;
	gid = entry->pw_gid;
	if (geteuid() != 0) {
		if (geteuid() == uid)
			return 0;
		snprintf(fault, CONFIG_FAULT_SIZE,
			"cannot become user '%s': only a program started by root can", user);
		return ERROR_SYSTEM;
	}
	if (log_file != NULL && hand_over_log(log_file, uid, gid) != 0) {
		snprintf(fault, CONFIG_FAULT_SIZE, "cannot give the log file '%s' to user '%s': %s",
			log_file, user, strerror(errno));
		return ERROR_SYSTEM;
	}
	if (initgroups(user, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
		setresuid(uid, uid, uid) != 0) {
		snprintf(fault, CONFIG_FAULT_SIZE, "cannot become user '%s': %s", user,
			strerror(errno));
		return ERROR_SYSTEM;
	}
	if (!rights_are(uid, gid) || (uid != 0 && setuid(0) == 0)) {
		snprintf(fault, CONFIG_FAULT_SIZE, "the rights of root could not be given up");
		return ERROR_SYSTEM;
	}
	/* Changing the user may have reset it. */
	program_forbid_dumps();
	return 0;
}

static void write_all(int descriptor, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(descriptor, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return; /* whoever asked does not listen any more */
		bytes += written;
		length -= (size_t)written;
	}
}

static void tell(int descriptor, const char *name, const char *address)
{
	char line[PROGRAM_ADDRESS_SIZE + 80];
	int length = snprintf(line, sizeof(line), "%s=%s\n", name, address);

	if (length > 0 && (size_t)length < sizeof(line))
		write_all(descriptor, line, (size_t)length);
}

void program_tell_ready(struct program *program)
{
	if (program->ready_fd < 0)
		return;
	for (unsigned i = 0; i < program->socket_count; i++)
		tell(program->ready_fd, program->sockets[i].listener.name,
			program->sockets[i].address);
	for (unsigned i = 0; i < program->announcement_count; i++)
		tell(program->ready_fd, program->announcements[i].name,
			program->announcements[i].address);
	write_all(program->ready_fd, "ready\n", strlen("ready\n"));
	close(program->ready_fd);
	program->ready_fd = -1;
}

void program_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size;
	int descriptor;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
		strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* abstract */
	descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return;
	/* Nothing can be done about a manager that does not listen. */
	(void)sendto(descriptor, state, strlen(state), MSG_NOSIGNAL,
		(const struct sockaddr *)&address, size);
	close(descriptor);
}
