/*
 * slapd_bed.h - Debian's slapd for tests, with a configuration and data of its own.
 */
#ifndef TESTS_SLAPD_BED_H
#define TESTS_SLAPD_BED_H

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "directory_bed.h"

struct bed_slapd {
	char folder[64];
	char plain_url[64], tls_url[64]; /* by address; see bed_ca */
	pid_t pid;
	int log;
};

static void bed_write(const struct bed_slapd *slapd, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", slapd->folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static const char *bed_path(const struct bed_slapd *slapd, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", slapd->folder, name);
	return path;
}

static pid_t bed_spawn(char *const *arguments, int error)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(
		posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0), 0);
	if (error >= 0)
		assert_int_equal(posix_spawn_file_actions_adddup2(&actions, error, 2), 0);
	assert_int_equal(posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void bed_run(char *const *arguments)
{
	int status;
	int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid = bed_spawn(arguments, quiet);

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(quiet);
}

/* A certificate for 127.0.0.1 that is its own authority. */
static void bed_certify(const struct bed_slapd *slapd)
{
	char key[128], certificate[128];
	char *arguments[] = {"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=directory",
		"-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
		NULL};

	snprintf(key, sizeof(key), "%s/key.pem", slapd->folder);
	snprintf(certificate, sizeof(certificate), "%s/ca.pem", slapd->folder);
	bed_run(arguments);
}

static void bed_await_port(const char *url)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10))};
	int fd, error;

	do {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_true(fd >= 0);
		error = connect(fd, (struct sockaddr *)&address, sizeof(address));
		close(fd);
		sched_yield();
	} while (error != 0);
}

static void bed_slapd_start(struct bed_slapd *slapd)
{
	char configuration[128], urls[160], line[1024];
	char *arguments[] = {
		"/usr/sbin/slapd", "-f", configuration, "-h", urls, "-d", "32768", NULL};
	int pipe_ends[2];
	FILE *log;
	bool started = false;

	snprintf(configuration, sizeof(configuration), "%s/slapd.conf", slapd->folder);
	snprintf(urls, sizeof(urls), "%s %s", slapd->plain_url, slapd->tls_url);
	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
	slapd->pid = bed_spawn(arguments, pipe_ends[1]);
	close(pipe_ends[1]);
	slapd->log = pipe_ends[0];
	log = fdopen(dup(pipe_ends[0]), "r");
	while (!started && fgets(line, sizeof(line), log) != NULL)
		started = strstr(line, "slapd starting") != NULL;
	fclose(log);
	assert_true(started);
	/* It says so a moment before it listens. */
	bed_await_port(slapd->plain_url);
	bed_await_port(slapd->tls_url);
}

static void bed_slapd_stop(struct bed_slapd *slapd, int signal_number)
{
	if (slapd->pid == 0)
		return;
	kill(slapd->pid, signal_number);
	waitpid(slapd->pid, NULL, 0);
	close(slapd->log);
	slapd->pid = 0;
}

/* `overlays` is put behind the database of the configuration; `entries`, in LDIF, end with NULL. */
static void bed_slapd_new(struct bed_slapd *slapd, const char *overlays, const char *const *entries)
{
	char text[8192], ldif[128], configuration[128];
	char *load[] = {"/usr/sbin/slapadd", "-q", "-f", configuration, "-l", ldif, NULL};
	uint16_t ports[2];
	int fds[2];

	snprintf(slapd->folder, sizeof(slapd->folder), "/tmp/fairlead-slapd-XXXXXX");
	assert_non_null(mkdtemp(slapd->folder));
	assert_int_equal(mkdir(bed_path(slapd, "db"), 0700), 0);
	bed_certify(slapd);
	snprintf(text, sizeof(text),
		"include /etc/ldap/schema/core.schema\n"
		"include /etc/ldap/schema/cosine.schema\n"
		"include /etc/ldap/schema/nis.schema\n"
		"include /etc/ldap/schema/inetorgperson.schema\n"
		"modulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload memberof\n"
		"moduleload ppolicy\nsasl-host localhost\n"
		"TLSCertificateFile %s/ca.pem\nTLSCertificateKeyFile %s/key.pem\n"
		"database mdb\nsuffix \"" BED_BASE "\"\ndirectory %s/db\nmaxsize 10485760\n"
		"rootdn \"" BED_ADMIN "\"\nrootpw \"" BED_SECRET "\"\n%s",
		slapd->folder, slapd->folder, slapd->folder, overlays);
	bed_write(slapd, "slapd.conf", text);
	text[0] = '\0';
	for (; *entries != NULL; entries++)
		strncat(text, *entries, sizeof(text) - strlen(text) - 1);
	bed_write(slapd, "entries.ldif", text);
	snprintf(configuration, sizeof(configuration), "%s/slapd.conf", slapd->folder);
	snprintf(ldif, sizeof(ldif), "%s/entries.ldif", slapd->folder);
	bed_run(load);
	for (int i = 0; i < 2; i++)
		fds[i] = bed_bind(&ports[i]);
	snprintf(slapd->plain_url, sizeof(slapd->plain_url), "ldap://127.0.0.1:%u", ports[0]);
	snprintf(slapd->tls_url, sizeof(slapd->tls_url), "ldaps://127.0.0.1:%u", ports[1]);
	close(fds[0]);
	close(fds[1]);
	bed_slapd_start(slapd);
}

static void bed_slapd_free(struct bed_slapd *slapd)
{
	char *remove[] = {"/bin/rm", "-r", slapd->folder, NULL};

	bed_slapd_stop(slapd, SIGTERM);
	bed_run(remove);
}

#endif
