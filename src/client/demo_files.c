#include "client/demo_files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/secret.h"
#include "client/demo_ca.h"
#include "client/demo_directory.h"
#include "identity/password.h"

#define CONFIG_MAXIMUM 16384
#define HASH_COST 1
#define SEATS 5

const char *demo_files_program(enum demo_program program)
{
	static const char *const names[] = {[DEMO_LICENSE] = "fairlead-license",
		[DEMO_AGENT] = "fairlead-agent",
		[DEMO_BROKER] = "fairlead-broker",
		[DEMO_MANAGER] = "fairlead-manager"};

	return names[program];
}

int demo_files_password(struct demo_files *files, const struct entropy *entropy)
{
	unsigned char bytes[(DEMO_FILES_PASSWORD_SIZE - 3) / 2];
	int error = entropy_fill(entropy, bytes, sizeof(bytes));

	if (error != 0)
		return error;
	/* Mixed, as directories want passwords to be. */
	memcpy(files->password, "D-", 2);
	secret_hex(bytes, sizeof(bytes), files->password + 2);
	secret_wipe(bytes, sizeof(bytes));
	return password_hash(entropy, files->password, HASH_COST, files->hash);
}

bool demo_files_path(
	const struct demo_files *files, const char *name, const char *suffix, char path[4096])
{
	int length = snprintf(path, 4096, "%s/%s%s", files->folder, name, suffix);

	return length > 0 && length < 4096;
}

/* ---- the configurations ---- */

/* What every program has. */
static void write_common(
	const struct demo_files *files, struct buffer *out, enum demo_program program)
{
	const char *name = demo_files_program(program);

	buffer_print(out,
		"# Written by 'fairlead demo'.\n"
		"certificates:\n"
		"  - certificate: %s-ecdsa.pem\n"
		"    key: %s-ecdsa.key\n"
		"  - certificate: %s-rsa.pem\n"
		"    key: %s-rsa.key\n"
		"log:\n"
		"  file: %s.log\n"
		"  level: 2\n"
		"workers: 1\n",
		name, name, name, name, name);
	if (files->capture == NULL)
		return;
	/* A YAML text in single quotes has one escape: the quote, doubled. */
	buffer_text(out, "capture: '");
	for (const char *at = files->capture; *at != '\0'; at++)
		buffer_text(out, *at == '\'' ? "''" : (char[]){*at, '\0'});
	buffer_text(out, "'\n");
}

/* Where users are, and what else they are asked. */
static void write_users(const struct demo_files *files, struct buffer *out)
{
	if (files->directory != NULL)
		demo_directory_config(files->directory, out);
	if (files->directory != NULL && demo_directory_code(files->directory) == NULL)
		return;
	buffer_print(out,
		"domains:\n"
		"  - %s\n"
		"users:\n"
		"  - name: %s\n"
		"    domain: %s\n"
		"    password: '%s'\n"
		"    groups: [staff]\n",
		DEMO_FILES_DOMAIN, DEMO_FILES_USER, DEMO_FILES_DOMAIN, files->hash);
}

static void write_license(struct buffer *out)
{
	time_t last = time(NULL) + DEMO_CA_DAYS * 86400;
	struct tm parts;
	char day[16];

	gmtime_r(&last, &parts);
	(void)strftime(day, sizeof(day), "%Y-%m-%d", &parts);
	buffer_print(out,
		"listen:\n"
		"  - address: 127.0.0.1:0\n"
		"store: leases.db\n"
		"licenses:\n"
		"  - feature: standard\n"
		"    seats: %d\n"
		"    expires: %s\n",
		SEATS, day);
}

static void write_agent(const struct demo_files *files, struct buffer *out, const char *license)
{
	buffer_print(out,
		"listen:\n"
		"  - address: 127.0.0.1:0\n"
		"launch-listen:\n"
		"  - address: 127.0.0.1:0\n"
		"session-address: 127.0.0.1:0\n"
		"hostname: %s\n"
		"resource-name: %s\n"
		"state-directory: .\n"
		"license:\n"
		"  address: %s\n"
		"  trust:\n"
		"    ca: ca.pem\n"
		"  feature: standard\n",
		DEMO_CA_HOST, DEMO_FILES_RESOURCE, license);
	write_users(files, out);
}

static const char *port_of(const char *address)
{
	return strrchr(address, ':') + 1;
}

static void write_broker(const struct demo_files *files, struct buffer *out, const char *launch)
{
	buffer_print(out,
		"listen:\n"
		"  - address: 127.0.0.1:0\n"
		"contact: the demo's user\n"
		"# The manager tells which addresses its users have: with them the guard can tell "
		"users\n"
		"# from attackers.\n"
		"trusted-proxies: [127.0.0.1]\n"
		"trust:\n"
		"  ca: ca.pem\n"
		"hosts:\n"
		"  - name: workstation\n"
		"    address: 127.0.0.1\n"
		"    hostname: %s\n"
		"    agent-port: %s\n"
		"resources:\n"
		"  - id: demo-1\n"
		"    name: %s\n"
		"    host: workstation\n"
		"    session-type: VDI\n"
		"    groups: [staff]\n",
		DEMO_CA_HOST, port_of(launch), DEMO_FILES_RESOURCE);
	write_users(files, out);
}

static void write_manager(struct buffer *out, const char *broker, const char *launch)
{
	buffer_print(out,
		"listen:\n"
		"  - address: 127.0.0.1:0\n"
		"broker:\n"
		"  address: %s\n"
		"  trust:\n"
		"    ca: ca.pem\n"
		"agent-port: %s\n"
		"trust:\n"
		"  ca: ca.pem\n",
		broker, port_of(launch));
}

/* Written beside, then renamed. */
int demo_files_write(const char *path, const char *bytes, size_t length)
{
	char beside[4096 + 8];
	int descriptor;
	ssize_t written;

	snprintf(beside, sizeof(beside), "%s.new", path);
	descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (descriptor < 0)
		return ERROR_SYSTEM;
	written = write(descriptor, bytes, length);
	if (close(descriptor) != 0 || written != (ssize_t)length || rename(beside, path) != 0)
		return ERROR_SYSTEM;
	return 0;
}

int demo_files_config(const struct demo_files *files, enum demo_program program,
	struct demo_process *const processes[DEMO_PROGRAMS])
{
	struct buffer out;
	char path[4096];
	int error = ERROR_LIMIT;

	buffer_init(&out, CONFIG_MAXIMUM);
	write_common(files, &out, program);
	switch (program) {
	case DEMO_LICENSE:
		write_license(&out);
		break;
	case DEMO_AGENT:
		write_agent(files, &out, demo_process_address(processes[DEMO_LICENSE], "license"));
		break;
	case DEMO_BROKER:
		write_broker(files, &out, demo_process_address(processes[DEMO_AGENT], "launch"));
		break;
	default: /* DEMO_MANAGER */
		write_manager(&out, demo_process_address(processes[DEMO_BROKER], "broker"),
			demo_process_address(processes[DEMO_AGENT], "launch"));
		break;
	}
	if (!out.failed && demo_files_path(files, demo_files_program(program), ".yaml", path))
		error = demo_files_write(path, out.bytes, out.length);
	buffer_free(&out);
	return error;
}

/* ---- demo.json ---- */

static void add_path(json_t *object, const char *key, const struct demo_files *files,
	const char *name, const char *suffix)
{
	char path[4096];

	if (demo_files_path(files, name, suffix, path))
		json_object_set_new(object, key, json_string(path));
}

int demo_files_json(
	const struct demo_files *files, struct demo_process *const processes[DEMO_PROGRAMS])
{
	static const struct {
		const char *key;
		enum demo_program program;
		const char *address;
	} addresses[] = {
		{"broker", DEMO_BROKER, "broker"},
		{"manager", DEMO_MANAGER, "manager"},
		{"agent_direct", DEMO_AGENT, "direct"},
		{"agent_launch", DEMO_AGENT, "launch"},
		{"agent_session", DEMO_AGENT, "session"},
		{"license", DEMO_LICENSE, "license"},
	};
	json_t *object = json_object();
	json_t *logs = json_object();
	json_t *configs = json_object();
	json_t *pids = json_object();
	char path[4096];
	char *text;
	int error = ERROR_LIMIT;

	add_path(object, "ca", files, "ca", ".pem");
	json_object_set_new(object, "user", json_string(DEMO_FILES_USER));
	json_object_set_new(object, "password", json_string(files->password));
	json_object_set_new(object, "domain", json_string(DEMO_FILES_DOMAIN));
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		json_object_set_new(object, addresses[i].key,
			json_string(demo_process_address(
				processes[addresses[i].program], addresses[i].address)));
	json_object_set_new(object, "resource", json_string(DEMO_FILES_RESOURCE));
	json_object_set_new(object, "hostname", json_string(DEMO_CA_HOST));
	for (int i = 0; i < DEMO_PROGRAMS; i++) {
		const char *name = demo_files_program((enum demo_program)i);

		add_path(logs, name, files, name, ".log");
		add_path(configs, name, files, name, ".yaml");
		json_object_set_new(pids, name, json_integer(demo_process_id(processes[i])));
	}
	if (files->directory != NULL) {
		json_object_set_new(
			object, "directory", json_string(demo_directory_address(files->directory)));
		json_object_set_new(pids, demo_directory_name(files->directory),
			json_integer(demo_process_id(demo_directory_process(files->directory))));
		add_path(object, "directory_log", files, "directory", ".log");
	}
	if (files->directory != NULL && demo_directory_code(files->directory) != NULL)
		json_object_set_new(
			object, "code", json_string(demo_directory_code(files->directory)));
	json_object_set_new(object, "logs", logs);
	json_object_set_new(object, "configs", configs);
	json_object_set_new(object, "pids", pids);
	text = json_dumps(object, JSON_INDENT(2));
	if (text != NULL && demo_files_path(files, "demo", ".json", path))
		error = demo_files_write(path, text, strlen(text));
	free(text);
	json_decref(object);
	return error;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status;
	(void)kind;
	(void)at;
	(void)remove(path);
	return 0;
}

void demo_files_remove(const char *folder)
{
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
