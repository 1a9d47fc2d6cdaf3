#include "client/demo_directory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "client/demo_directory_private.h"

#define READY_LIMIT_MS 30000
#define FILL_LIMIT_MS 120000
#define ADDRESS_TRIES 32
#define CODE_DIGITS 6

static const struct demo_directory_kind *const kinds[] = {
	[DEMO_WITH_AD] = &demo_directory_ad,
	[DEMO_WITH_LDAP] = &demo_directory_ldap,
	[DEMO_WITH_RADIUS] = &demo_directory_radius,
};

bool demo_directory_word(const char *word, enum demo_with *ret_with)
{
	static const char *const words[] = {
		[DEMO_WITH_AD] = "ad", [DEMO_WITH_LDAP] = "ldap", [DEMO_WITH_RADIUS] = "radius"};

	for (unsigned i = DEMO_WITH_AD; i <= DEMO_WITH_RADIUS; i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret_with = (enum demo_with)i;
			return true;
		}
	}
	return false;
}

/* ---- what has to be there ---- */

/* Programs are found where Debian has them, unless FAIRLEAD_DEMO_PATH, folders with colons between,
 * says otherwise. */
static bool find_program(const char *name, char path[4096])
{
	const char *folders = getenv("FAIRLEAD_DEMO_PATH");

	if (folders == NULL || *folders == '\0')
		folders = "/usr/sbin:/usr/bin:/sbin:/bin";
	while (*folders != '\0') {
		size_t length = strcspn(folders, ":");

		snprintf(path, 4096, "%.*s/%s", (int)length, folders, name);
		if (access(path, X_OK) == 0)
			return true;
		folders += length;
		folders += *folders == ':';
	}
	return false;
}

static bool is_there(const struct demo_directory_need *need)
{
	char path[4096];
	glob_t found;
	bool there;

	if (*need->name != '/')
		return find_program(need->name, path);
	there = glob(need->name, GLOB_NOSORT, NULL, &found) == 0;
	if (there)
		globfree(&found);
	return there;
}

static int check_needs(const struct demo_directory *directory)
{
	const struct demo_directory_need *need = directory->kind->needs;
	int error = 0;

	for (; need->name != NULL; need++) {
		if (is_there(need))
			continue;
		fprintf(stderr, "fairlead demo: %s is not there; install Debian's package %s\n",
			need->name, need->package);
		error = ERROR_NOT_FOUND;
	}
	return error;
}

/* ---- addresses ---- */

/* Whether nobody listens there; *port 0 is any, and told. False with errno. */
static bool address_free(const char *address, int type, uint16_t *port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t length = sizeof(name);
	int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	bool is_free;
	int reason;

	inet_pton(AF_INET, address, &name.sin_addr);
	is_free = descriptor >= 0 &&
		bind(descriptor, (struct sockaddr *)&name, sizeof(name)) == 0 &&
		getsockname(descriptor, (struct sockaddr *)&name, &length) == 0;
	reason = errno;
	if (descriptor >= 0)
		close(descriptor);
	if (is_free)
		*port = ntohs(name.sin_port);
	errno = reason;
	return is_free;
}

static int take_port(struct demo_directory *directory)
{
	strcpy(directory->host, "127.0.0.1");
	directory->port = 0;
	return address_free(directory->host, directory->kind->socket, &directory->port)
		? 0
		: ERROR_SYSTEM;
}

/* Samba's ports are fixed; of loopback addresses there are many. */
static int take_address(struct demo_directory *directory)
{
	static const uint16_t ports[] = {389, 636, 3268, 3269};
	unsigned char bytes[3];
	bool is_free = false;

	for (unsigned i = 0; !is_free && i < ADDRESS_TRIES; i++) {
		if (entropy_fill(directory->options.entropy, bytes, sizeof(bytes)) != 0)
			return ERROR_SYSTEM;
		snprintf(directory->host, sizeof(directory->host), "127.%u.%u.%u",
			1u + bytes[0] % 254u, (unsigned)bytes[1], 1u + bytes[2] % 254u);
		is_free = true;
		for (size_t k = 0; is_free && k < sizeof(ports) / sizeof(ports[0]); k++) {
			directory->port = ports[k];
			is_free = address_free(directory->host, SOCK_STREAM, &directory->port);
		}
		if (!is_free && (errno == EACCES || errno == EPERM)) {
			fprintf(stderr,
				"fairlead demo: %s has fixed ports below 1024: "
				"run this as root\n",
				directory->kind->name);
			return ERROR_NOT_FOUND;
		}
	}
	directory->port = 636;
	return is_free ? 0 : ERROR_SYSTEM;
}

/* ---- files ---- */

bool demo_directory_path(const struct demo_directory *directory, const char *name, char path[4096])
{
	return demo_files_path(directory->options.files, name, "", path);
}

int demo_directory_write(
	const struct demo_directory *directory, const char *name, const struct buffer *text)
{
	char path[4096];

	if (text->failed || !demo_directory_path(directory, name, path))
		return ERROR_LIMIT;
	return demo_files_write(path, text->bytes, text->length);
}

static int write_secret(
	const struct demo_directory *directory, const char *name, const char *secret)
{
	struct buffer text;
	int error;

	buffer_init(&text, 256);
	buffer_print(&text, "%s\n", secret);
	error = demo_directory_write(directory, name, &text);
	buffer_free(&text);
	return error;
}

int demo_directory_folder(const struct demo_directory *directory, const char *name)
{
	char path[4096];

	if (!demo_directory_path(directory, name, path))
		return ERROR_LIMIT;
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : ERROR_SYSTEM;
}

static int make_secrets(struct demo_directory *directory)
{
	const struct entropy *entropy = directory->options.entropy;
	unsigned char bytes[(sizeof(directory->secret) - 1) / 2];
	unsigned char digits[CODE_DIGITS];
	int error = entropy_fill(entropy, bytes, sizeof(bytes));

	if (error == 0)
		error = entropy_fill(entropy, digits, sizeof(digits));
	if (error != 0)
		return error;
	/* Mixed, as Active Directory wants passwords to be. */
	secret_hex(bytes, sizeof(bytes), directory->secret);
	memcpy(directory->secret, "D-", 2);
	for (unsigned i = 0; i < CODE_DIGITS; i++)
		directory->code[i] = (char)('0' + digits[i] % 10);
	error = write_secret(directory, "directory.secret", directory->secret);
	if (error == 0 && directory->kind->asks_code)
		error = write_secret(directory, "answers", directory->code);
	secret_wipe(bytes, sizeof(bytes));
	return error;
}

/* ---- processes ---- */

static bool has_ended(void *subject)
{
	return demo_process_ended(subject);
}

static int launch(const struct demo_directory *directory, const char *const *arguments,
	const char *log_name, struct demo_process **ret_process)
{
	char program[4096], log[4096];
	struct demo_process_options options = {.loop = directory->options.loop,
		.program = program,
		.arguments = arguments,
		.log = log};

	if (!find_program(arguments[0], program) ||
		!demo_files_path(directory->options.files, log_name, ".log", log))
		return ERROR_NOT_FOUND;
	return demo_process_start(&options, ret_process);
}

/* Runs a program to its end. */
static int fill(struct demo_directory *directory)
{
	const char *arguments[DEMO_DIRECTORY_ARGUMENTS];
	struct demo_process *process = NULL;
	char said[80];
	int error;

	directory->kind->fill(directory, arguments);
	error = launch(directory, arguments, "directory", &process);
	if (error != 0)
		return error;
	error = directory->options.wait(directory->options.user, has_ended, process, FILL_LIMIT_MS);
	if (error != 0) {
		demo_process_signal(process, SIGKILL);
		while (!demo_process_ended(process))
			uv_run(directory->options.loop, UV_RUN_ONCE);
	}
	snprintf(said, sizeof(said), "%s", demo_process_end_text(process));
	demo_process_free(process);
	if (error == 0 && strcmp(said, "ended with status 0") != 0) {
		fprintf(stderr, "fairlead demo: %s %s\n", arguments[0], said);
		error = ERROR_CLOSED;
	}
	return error;
}

static bool accepts(const struct demo_directory *directory)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(directory->port)};
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool accepted;

	inet_pton(AF_INET, directory->host, &name.sin_addr);
	accepted =
		descriptor >= 0 && connect(descriptor, (struct sockaddr *)&name, sizeof(name)) == 0;
	if (descriptor >= 0)
		close(descriptor);
	return accepted;
}

/* What a server says in its log once it listens. */
static bool has_said(const struct demo_directory *directory, const char *words)
{
	char path[4096], line[1024];
	bool said = false;
	FILE *log;

	if (!demo_files_path(directory->options.files, "directory", ".log", path) ||
		(log = fopen(path, "re")) == NULL)
		return false;
	while (!said && fgets(line, sizeof(line), log) != NULL)
		said = strstr(line, words) != NULL;
	fclose(log);
	return said;
}

static bool is_ready(void *subject)
{
	const struct demo_directory *directory = subject;

	if (demo_process_ended(directory->process))
		return true;
	return directory->kind->ready != NULL ? has_said(directory, directory->kind->ready)
					      : accepts(directory);
}

static int serve(struct demo_directory *directory)
{
	const char *arguments[DEMO_DIRECTORY_ARGUMENTS];
	int error;

	directory->kind->serve(directory, arguments);
	error = launch(directory, arguments, "directory", &directory->process);
	if (error != 0)
		return error;
	error = directory->options.wait(
		directory->options.user, is_ready, directory, READY_LIMIT_MS);
	if (error == 0 && demo_process_ended(directory->process)) {
		fprintf(stderr, "fairlead demo: %s %s\n", directory->kind->name,
			demo_process_end_text(directory->process));
		error = ERROR_CLOSED;
	}
	return error;
}

int demo_directory_start(
	const struct demo_directory_options *options, struct demo_directory **ret_directory)
{
	struct demo_directory *directory = calloc(1, sizeof(*directory));
	const struct demo_directory_kind *kind = kinds[options->with];
	int error;

	if (directory == NULL)
		return ERROR_MEMORY;
	*ret_directory = directory;
	directory->options = *options;
	directory->kind = kind;
	error = check_needs(directory);
	if (error == 0)
		error = kind->fixed_ports ? take_address(directory) : take_port(directory);
	if (error == 0) {
		snprintf(directory->address, sizeof(directory->address), "%s:%u", directory->host,
			directory->port);
		error = make_secrets(directory);
	}
	if (error == 0)
		error = demo_ca_issue(options->ca, "directory", directory->host);
	if (error == 0)
		error = kind->write(directory);
	if (error == 0 && kind->fill != NULL)
		error = fill(directory);
	if (error == 0)
		error = serve(directory);
	if (error == ERROR_SYSTEM)
		fprintf(stderr, "fairlead demo: %s: %s\n", kind->name, strerror(errno));
	else if (error == ERROR_TIMEOUT)
		fprintf(stderr, "fairlead demo: %s was not ready in time\n", kind->name);
	return error;
}

/* ---- afterwards ---- */

const char *demo_directory_name(const struct demo_directory *directory)
{
	return directory->kind->name;
}

const char *demo_directory_address(const struct demo_directory *directory)
{
	return directory->address;
}

struct demo_process *demo_directory_process(const struct demo_directory *directory)
{
	return directory->process;
}

const char *demo_directory_code(const struct demo_directory *directory)
{
	return directory->kind->asks_code ? directory->code : NULL;
}

void demo_directory_config(const struct demo_directory *directory, struct buffer *out)
{
	directory->kind->config(directory, out);
}

void demo_directory_free(struct demo_directory *directory)
{
	if (directory == NULL)
		return;
	demo_process_free(directory->process);
	secret_wipe(directory, sizeof(*directory));
	free(directory);
}
