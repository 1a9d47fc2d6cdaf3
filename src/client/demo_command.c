/* fairlead demo: everything on this machine, and a session through it. fairlead-demo(1). */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/usage.h"
#include "check/check.h"
#include "client/command.h"
#include "client/demo_ca.h"
#include "client/demo_directory.h"
#include "client/demo_files.h"
#include "client/run.h"

#define NAME "demo"
#define HOLD_DEFAULT (3 * CLOCK_SECOND)
#define READY_LIMIT_MS 10000
#define STOP_LIMIT_MS 5000
#define TURN_MS 20
#define LOG_TAIL_LINES 12
#define LOG_TAIL_BYTES 8192

struct demo {
	uv_loop_t loop;
	uv_timer_t timer;
	uv_signal_t interrupt, terminate;
	bool expired;
	int signal; /* that asked for the end; 0: none */
	unsigned signals;
	struct demo_ca *ca;
	struct demo_files files;
	struct demo_process *processes[DEMO_PROGRAMS];
	char folder_of_programs[PATH_MAX];
	bool serve, json, temporary;
	const char *folder;
	int64_t hold;
	enum demo_with with;
	struct demo_directory *directory; /* NULL: not started */
};

/* ---- options ---- */

static int read_options(int argc, char **argv, struct demo *demo)
{
	static const struct option known[] = {{"serve", no_argument, NULL, 's'},
		{"dir", required_argument, NULL, 'd'}, {"hold", required_argument, NULL, 'h'},
		{"json", no_argument, NULL, 'j'}, {"with", required_argument, NULL, 'w'}, {0}};
	int option;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		switch (option) {
		case 's':
			demo->serve = true;
			break;
		case 'd':
			demo->folder = optarg;
			break;
		case 'h':
			if (!command_seconds(optarg, &demo->hold))
				return usage_fault(NAME, "'%s' is not a number of seconds", optarg);
			break;
		case 'j':
			demo->json = true;
			break;
		case 'w':
			if (!demo_directory_word(optarg, &demo->with))
				return usage_fault(
					NAME, "'%s' is not one of ad, ldap, radius", optarg);
			break;
		case ':':
			return usage_fault(NAME, "%s needs a value", argv[optind - 1]);
		default:
			return usage_fault(NAME, "%s is not an option", argv[optind - 1]);
		}
	}
	if (optind != argc)
		return usage_fault(NAME, "'%s' is too much", argv[optind]);
	if (demo->serve && demo->json)
		return usage_fault(NAME, "--serve and --json exclude each other");
	return 0;
}

/* ---- the folder ---- */

static int make_folder(struct demo *demo)
{
	char template[] = "/tmp/fairlead-demo-XXXXXX";
	const char *wanted = demo->folder;

	if (wanted == NULL) {
		wanted = mkdtemp(template);
		demo->temporary = wanted != NULL;
	} else if (mkdir(wanted, 0700) != 0 && errno != EEXIST) {
		wanted = NULL;
	}
	if (wanted != NULL && realpath(wanted, demo->files.folder) == NULL)
		wanted = NULL;
	if (wanted == NULL) {
		fprintf(stderr, "fairlead demo: no folder %s: %s\n",
			demo->folder != NULL ? demo->folder : template, strerror(errno));
		return ERROR_SYSTEM;
	}
	/* Private keys and a password are going to be in it. */
	if (chmod(demo->files.folder, 0700) != 0) {
		fprintf(stderr, "fairlead demo: %s: %s\n", demo->files.folder, strerror(errno));
		return ERROR_SYSTEM;
	}
	return 0;
}

static void find_programs(struct demo *demo)
{
	const char *given = getenv("FAIRLEAD_PROGRAMS");
	ssize_t length;
	char *slash;

	if (given != NULL && *given != '\0') {
		snprintf(demo->folder_of_programs, sizeof(demo->folder_of_programs), "%s", given);
		return;
	}
	length = readlink(
		"/proc/self/exe", demo->folder_of_programs, sizeof(demo->folder_of_programs) - 1);
	demo->folder_of_programs[length > 0 ? length : 0] = '\0';
	slash = strrchr(demo->folder_of_programs, '/');
	if (slash != NULL)
		*slash = '\0';
}

static int make_certificates(struct demo *demo)
{
	int error = demo_ca_new(demo->files.folder, &demo->ca);

	for (int i = 0; error == 0 && i < DEMO_PROGRAMS; i++)
		error = demo_ca_issue(demo->ca, demo_files_program((enum demo_program)i), NULL);
	if (error == 0)
		error = demo_files_password(&demo->files, entropy_system());
	if (error != 0)
		fprintf(stderr, "fairlead demo: no certificates in %s: %s\n", demo->files.folder,
			error == ERROR_SYSTEM ? strerror(errno) : error_text(error));
	return error;
}

/* ---- waiting ---- */

static void on_signal(uv_signal_t *handle, int signal)
{
	struct demo *demo = handle->data;

	demo->signal = signal;
	demo->signals++;
	uv_stop(&demo->loop);
}

static void on_expired(uv_timer_t *timer)
{
	struct demo *demo = timer->data;

	demo->expired = true;
}

static void limit(struct demo *demo, uint64_t milliseconds)
{
	demo->expired = false;
	uv_timer_start(&demo->timer, on_expired, milliseconds, 0);
}

static void open_loop(struct demo *demo)
{
	uv_loop_init(&demo->loop);
	uv_timer_init(&demo->loop, &demo->timer);
	uv_signal_init(&demo->loop, &demo->interrupt);
	uv_signal_init(&demo->loop, &demo->terminate);
	demo->timer.data = demo->interrupt.data = demo->terminate.data = demo;
	uv_signal_start(&demo->interrupt, on_signal, SIGINT);
	uv_signal_start(&demo->terminate, on_signal, SIGTERM);
}

static void close_loop(struct demo *demo)
{
	uv_close((uv_handle_t *)&demo->timer, NULL);
	uv_close((uv_handle_t *)&demo->interrupt, NULL);
	uv_close((uv_handle_t *)&demo->terminate, NULL);
	uv_run(&demo->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&demo->loop);
}

/* ---- the programs ---- */

/* The end of a log, for a person who wants to know why. */
static void show_log(const struct demo *demo, const char *name)
{
	char path[4096], text[LOG_TAIL_BYTES + 1];
	const char *from;
	size_t length;
	unsigned lines = 0;
	FILE *file;

	if (!demo_files_path(&demo->files, name, ".log", path) ||
		(file = fopen(path, "re")) == NULL)
		return;
	if (fseek(file, -LOG_TAIL_BYTES, SEEK_END) != 0)
		rewind(file);
	length = fread(text, 1, LOG_TAIL_BYTES, file);
	fclose(file);
	text[length] = '\0';
	for (from = text + length; from > text; from--) {
		if (from[-1] == '\n' && from[0] != '\0' && ++lines == LOG_TAIL_LINES)
			break;
	}
	fprintf(stderr, "The end of %s:\n%s", path, from);
}

static int start_program(struct demo *demo, enum demo_program program)
{
	const char *name = demo_files_program(program);
	char executable[PATH_MAX + 64], config[4096], log[4096];
	struct demo_process_options options = {
		.loop = &demo->loop, .program = executable, .config = config, .log = log};
	struct demo_process *process;
	int error = demo_files_config(&demo->files, program, demo->processes);

	snprintf(executable, sizeof(executable), "%s/%s", demo->folder_of_programs, name);
	if (error == 0 &&
		(!demo_files_path(&demo->files, name, ".yaml", config) ||
			!demo_files_path(&demo->files, name, ".log", log)))
		error = ERROR_LIMIT;
	if (error == 0 && access(executable, X_OK) != 0) {
		fprintf(stderr, "fairlead demo: %s: %s\n", executable, strerror(errno));
		return ERROR_SYSTEM;
	}
	if (error == 0)
		error = demo_process_start(&options, &demo->processes[program]);
	if (error != 0) {
		fprintf(stderr, "fairlead demo: %s was not started: %s\n", name,
			error == ERROR_SYSTEM ? strerror(errno) : error_text(error));
		return error;
	}
	process = demo->processes[program];
	limit(demo, READY_LIMIT_MS);
	while (!demo_process_ready(process) && !demo_process_ended(process) && !demo->expired &&
		demo->signal == 0)
		uv_run(&demo->loop, UV_RUN_ONCE);
	uv_timer_stop(&demo->timer);
	if (demo_process_ready(process) && !demo_process_ended(process))
		return 0;
	if (demo->signal != 0)
		return ERROR_CLOSED;
	fprintf(stderr, "fairlead demo: %s %s\n", name,
		demo_process_ended(process) ? demo_process_end_text(process)
					    : "was not ready within 10 s");
	show_log(demo, name);
	return ERROR_TIMEOUT;
}

static void tell_started(
	const struct demo *demo, const char *name, const char *address, int64_t begun)
{
	if (demo->serve || demo->json)
		return;
	printf(" %-17s %-21s %6.3f s\n", name, address,
		(double)(clock_steady(clock_system()) - begun) / 1e6);
	fflush(stdout);
}

static int start_programs(struct demo *demo)
{
	static const char *const listeners[] = {[DEMO_LICENSE] = "license",
		[DEMO_AGENT] = "launch",
		[DEMO_BROKER] = "broker",
		[DEMO_MANAGER] = "manager"};
	int error = 0;

	for (int i = 0; error == 0 && i < DEMO_PROGRAMS; i++) {
		int64_t begun = clock_steady(clock_system());

		error = start_program(demo, (enum demo_program)i);
		if (error == 0)
			tell_started(demo, demo_files_program((enum demo_program)i),
				demo_process_address(demo->processes[i], listeners[i]), begun);
	}
	return error;
}

static void on_turn(uv_timer_t *timer)
{
	(void)timer; /* it is enough that the loop turns */
}

static int wait_until(void *user, bool (*over)(void *subject), void *subject, unsigned limit_ms)
{
	struct demo *demo = user;
	uint64_t end = uv_now(&demo->loop) + limit_ms;
	bool done;

	uv_timer_start(&demo->timer, on_turn, TURN_MS, TURN_MS);
	while (!(done = over(subject)) && demo->signal == 0 && uv_now(&demo->loop) < end)
		uv_run(&demo->loop, UV_RUN_ONCE);
	uv_timer_stop(&demo->timer);
	if (done)
		return 0;
	return demo->signal != 0 ? ERROR_CLOSED : ERROR_TIMEOUT;
}

static int start_directory(struct demo *demo)
{
	const struct demo_directory_options options = {
		.loop = &demo->loop,
		.files = &demo->files,
		.ca = demo->ca,
		.entropy = entropy_system(),
		.with = demo->with,
		.wait = wait_until,
		.user = demo,
	};
	int64_t begun = clock_steady(clock_system());
	int error;

	if (!demo->serve && !demo->json) {
		printf("Starting %sfour programs on this machine\n\n",
			demo->with != DEMO_WITH_FILE ? "a test directory and " : "");
		fflush(stdout);
	}
	if (demo->with == DEMO_WITH_FILE)
		return 0;
	error = demo_directory_start(&options, &demo->directory);
	if (error == 0) {
		demo->files.directory = demo->directory;
		tell_started(demo, demo_directory_name(demo->directory),
			demo_directory_address(demo->directory), begun);
	} else if (error != ERROR_NOT_FOUND && demo->signal == 0) {
		show_log(demo, "directory");
	}
	return error;
}

static void stop_process(struct demo *demo, struct demo_process *process)
{
	unsigned before = demo->signals;

	demo_process_signal(process, SIGTERM);
	limit(demo, STOP_LIMIT_MS);
	while (!demo_process_ended(process) && !demo->expired && demo->signals == before)
		uv_run(&demo->loop, UV_RUN_ONCE);
	if (!demo_process_ended(process))
		demo_process_signal(process, SIGKILL);
	while (!demo_process_ended(process))
		uv_run(&demo->loop, UV_RUN_ONCE);
	uv_timer_stop(&demo->timer);
}

/* In the opposite order: the agent gives its licence back before the service goes. */
static void stop_programs(struct demo *demo)
{
	struct demo_process *directory =
		demo->directory != NULL ? demo_directory_process(demo->directory) : NULL;

	for (int i = DEMO_PROGRAMS - 1; i >= 0; i--) {
		if (demo->processes[i] != NULL)
			stop_process(demo, demo->processes[i]);
	}
	if (directory != NULL)
		stop_process(demo, directory);
	for (int i = 0; i < DEMO_PROGRAMS; i++)
		demo_process_free(demo->processes[i]);
	demo->files.directory = NULL;
	demo_directory_free(demo->directory);
	demo_ca_free(demo->ca);
}

/* The name of a program that ended although nobody asked it to, and its process; NULL: none. */
static const char *lost_program(const struct demo *demo, const struct demo_process **ret_process)
{
	for (int i = 0; i < DEMO_PROGRAMS; i++) {
		*ret_process = demo->processes[i];
		if (demo_process_ended(*ret_process))
			return demo_files_program((enum demo_program)i);
	}
	if (demo->directory == NULL)
		return NULL;
	*ret_process = demo_directory_process(demo->directory);
	return demo_process_ended(*ret_process) ? "directory" : NULL;
}

static bool all_alive(const struct demo *demo)
{
	const struct demo_process *process;
	const char *lost = lost_program(demo, &process);

	if (lost == NULL)
		return true;
	fprintf(stderr, "fairlead demo: %s %s\n",
		demo->directory != NULL && process == demo_directory_process(demo->directory)
			? demo_directory_name(demo->directory)
			: lost,
		demo_process_end_text(process));
	show_log(demo, lost);
	return false;
}

/* ---- what it is for ---- */

static int serve(struct demo *demo)
{
	const struct demo_process *process;
	char path[4096];

	if (demo_files_json(&demo->files, demo->processes) != 0 ||
		!demo_files_path(&demo->files, "demo", ".json", path)) {
		fprintf(stderr, "fairlead demo: no demo.json in %s: %s\n", demo->files.folder,
			strerror(errno));
		return RECORD_EXIT_OWN;
	}
	printf("ready: %s\n", path);
	fflush(stdout);
	while (demo->signal == 0 && lost_program(demo, &process) == NULL)
		uv_run(&demo->loop, UV_RUN_ONCE);
	return all_alive(demo) ? RECORD_EXIT_DONE : RECORD_EXIT_OWN;
}

/* One session, as a user would have it, through the manager. */
static int visit(struct demo *demo)
{
	const char *manager = demo_process_address(demo->processes[DEMO_MANAGER], "manager");
	char host[64], ca[4096], log_file[4096], wanted_log[4096];
	char answers_file[4096];
	struct log *log = NULL;
	int answers = -1;
	int status;

	snprintf(host, sizeof(host), "%.*s", (int)strcspn(manager, ":"), manager);
	if (!demo_files_path(&demo->files, "ca", ".pem", ca) ||
		!demo_files_path(&demo->files, "client", ".log", wanted_log))
		return RECORD_EXIT_OWN;
	if (demo->directory != NULL && demo_directory_code(demo->directory) != NULL &&
		demo_files_path(&demo->files, "answers", "", answers_file))
		answers = open(answers_file, O_RDONLY | O_CLOEXEC);
	(void)run_log_open(wanted_log, clock_system(), &log, log_file);
	if (!demo->json) {
		printf("\nConnecting to %s as %s\n\n", manager, DEMO_FILES_USER);
		fflush(stdout);
	}
	status = run_connection(&(struct run_options){
		.connect =
			{
				.loop = &demo->loop,
				.clock = clock_system(),
				.entropy = entropy_system(),
				.log = log,
				.host = host,
				.port = (uint16_t)strtoul(strrchr(manager, ':') + 1, NULL, 10),
				.user = DEMO_FILES_USER,
				.domain = DEMO_FILES_DOMAIN,
				.resource = DEMO_FILES_RESOURCE,
				.ca_file = ca,
				.verify = CERTIFICATE_VERIFY_FULL,
				.hold = demo->hold,
			},
		.password = demo->files.password,
		.answers = answers,
		.json = demo->json,
	});
	if (answers >= 0)
		close(answers);
	log_close(log);
	if (!all_alive(demo))
		return status != RECORD_EXIT_DONE ? status : RECORD_EXIT_OWN;
	return status;
}

/* What the programs logged, judged as an administrator would have it judged. */
static int check_logs(const struct demo *demo)
{
	char paths[DEMO_PROGRAMS + 1][4096];
	char *list[DEMO_PROGRAMS + 1];
	struct check_options options = {.paths = list,
		.path_count = DEMO_PROGRAMS + 1,
		.quiet = true,
		.filter = {.since = STAMP_NONE, .until = STAMP_NONE}};
	enum check_exit status;

	for (int i = 0; i <= DEMO_PROGRAMS; i++) {
		const char *name =
			i < DEMO_PROGRAMS ? demo_files_program((enum demo_program)i) : "client";

		if (!demo_files_path(&demo->files, name, ".log", paths[i]))
			return RECORD_EXIT_OWN;
		list[i] = paths[i];
	}
	printf("\nWhat the logs tell (fairlead check):\n\n");
	fflush(stdout);
	status = check_run(&options);
	return status == CHECK_EXIT_PASSED || status == CHECK_EXIT_WARNED ? RECORD_EXIT_DONE
									  : RECORD_EXIT_OWN;
}

static int run(struct demo *demo)
{
	int status = RECORD_EXIT_OWN;

	open_loop(demo);
	if (make_certificates(demo) == 0 && start_directory(demo) == 0 && start_programs(demo) == 0)
		status = demo->serve ? serve(demo) : visit(demo);
	else if (demo->signal != 0)
		status = RECORD_EXIT_SIGNAL + demo->signal;
	stop_programs(demo);
	close_loop(demo);
	if (status == RECORD_EXIT_DONE && !demo->serve && !demo->json)
		status = check_logs(demo);
	return status;
}

int demo_command(int argc, char **argv)
{
	struct demo *demo = calloc(1, sizeof(*demo));
	int status;

	if (demo == NULL)
		return RECORD_EXIT_OWN;
	demo->hold = HOLD_DEFAULT;
	demo->files.capture = getenv("FAIRLEAD_DEMO_CAPTURE");
	status = read_options(argc, argv, demo);
	if (status == 0 && make_folder(demo) != 0)
		status = RECORD_EXIT_OWN;
	if (status == 0) {
		find_programs(demo);
		status = run(demo);
		if (status == RECORD_EXIT_DONE && !demo->serve && !demo->json)
			printf("\nAll six stages passed. Everything is stopped.\n");
		if (demo->temporary)
			demo_files_remove(demo->files.folder);
		else if (!demo->serve && !demo->json)
			printf("Certificates, configurations and logs are in %s.\n",
				demo->files.folder);
	}
	secret_wipe(&demo->files, sizeof(demo->files));
	free(demo);
	return status;
}
