#include "identity/pam_helper.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "identity/pam_packet.h"
#include "identity/pam_wire.h"

#define PROGRAM "fairlead-pam"
#define DEFAULT_SERVICE "fairlead"
#define DEFAULT_AT_ONCE 16
#define START_LIMIT (10 * CLOCK_SECOND)
#define STOP_LIMIT_MS 5000
#define ARGUMENTS_MAXIMUM 8

struct pam_helper {
	pid_t process;
	int socket;
	unsigned at_once;
};

/* One question under way. */
struct call {
	const struct pam_helper_question *question;
	struct pam_helper_answer *answer;
	int channel; /* -1: none */
};

static bool runs(const char *path)
{
	return access(path, X_OK) == 0;
}

/* A build tree must not get the helper of an installation: beside comes first. */
static int find_program(const char *given, char path[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *name;

	if (given != NULL) {
		if (!runs(given) || strlen(given) >= PATH_MAX)
			return ERROR_NOT_FOUND;
		strcpy(path, given);
		return 0;
	}
	self[length > 0 ? length : 0] = '\0';
	name = strrchr(self, '/');
	if (name != NULL &&
		snprintf(path, PATH_MAX, "%.*s/" PROGRAM, (int)(name - self), self) < PATH_MAX &&
		runs(path))
		return 0;
	strcpy(path, FAIRLEAD_LIBEXECDIR "/" PROGRAM);
	return runs(path) ? 0 : ERROR_NOT_FOUND;
}

/* Nothing of the program gets into the process that keeps its rights: no descriptor but the socket
 * and the standard error, no environment, no signal dispositions, not its terminal's signals. */
static int set_up(posix_spawn_file_actions_t *files, posix_spawnattr_t *attributes, int socket)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	if (posix_spawn_file_actions_adddup2(files, socket, PAM_WIRE_DESCRIPTOR) != 0 ||
		posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDWR, 0) !=
			0 ||
		posix_spawn_file_actions_adddup2(files, STDIN_FILENO, STDOUT_FILENO) != 0 ||
		posix_spawn_file_actions_addclosefrom_np(files, PAM_WIRE_DESCRIPTOR + 1) != 0)
		return ERROR_MEMORY;
	if (posix_spawnattr_setsigdefault(attributes, &all) != 0 ||
		posix_spawnattr_setsigmask(attributes, &none) != 0 ||
		posix_spawnattr_setflags(attributes,
			POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) != 0)
		return ERROR_SYSTEM;
	return 0;
}

static int spawn(const char *path, char *const *arguments, int socket, pid_t *ret_process)
{
	static char search[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char language[] = "LANG=C.UTF-8";
	char *const environment[] = {search, language, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int error, result;

	if (posix_spawn_file_actions_init(&files) != 0)
		return ERROR_MEMORY;
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return ERROR_MEMORY;
	}
	error = set_up(&files, &attributes, socket);
	if (error == 0) {
		result =
			posix_spawn(ret_process, path, &files, &attributes, arguments, environment);
		if (result != 0)
			error = result == ENOENT ? ERROR_NOT_FOUND : ERROR_SYSTEM;
	}
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

/* posix_spawn takes arguments that it does not change and that are not const. */
static char *text_argument(const char *text)
{
	union {
		const char *given;
		char *taken;
	} argument = {.given = text};

	return argument.taken;
}

static int start(struct pam_helper *helper, const struct pam_helper_options *options, int socket)
{
	char path[PATH_MAX], number[16];
	char *arguments[ARGUMENTS_MAXIMUM] = {NULL};
	size_t count = 0;
	int error = find_program(options->path, path);

	if (error != 0)
		return error;
	snprintf(number, sizeof(number), "%u", helper->at_once);
	arguments[count++] = text_argument(PROGRAM);
	arguments[count++] = text_argument("--service");
	arguments[count++] =
		text_argument(options->service != NULL ? options->service : DEFAULT_SERVICE);
	arguments[count++] = text_argument("--at-once");
	arguments[count++] = number;
	if (options->confdir != NULL) {
		arguments[count++] = text_argument("--confdir");
		arguments[count++] = text_argument(options->confdir);
	}
	assert(count < ARGUMENTS_MAXIMUM);
	return spawn(path, arguments, socket, &helper->process);
}

static int wait_ready(struct pam_helper *helper)
{
	const struct clock *clock = clock_system();
	struct buffer packet;
	int error;

	buffer_init(&packet, PAM_WIRE_MAXIMUM);
	error = pam_packet_receive(
		helper->socket, &packet, NULL, clock, clock_steady(clock) + START_LIMIT);
	if (error == 0 && pam_wire_type(packet.bytes, packet.length) != PAM_WIRE_READY)
		error = ERROR_SYSTEM;
	buffer_free(&packet);
	return error == 0 || error == ERROR_MEMORY ? error : ERROR_SYSTEM;
}

static bool is_service(const char *name)
{
	return name[0] != '\0' && name[0] != '-' && name[0] != '.' && strchr(name, '/') == NULL;
}

int pam_helper_start(const struct pam_helper_options *options, struct pam_helper **ret_helper)
{
	unsigned at_once = options->at_once > 0 ? options->at_once : DEFAULT_AT_ONCE;
	struct pam_helper *helper;
	int pair[2], error;

	if (at_once > PAM_HELPER_AT_ONCE_MAXIMUM ||
		(options->service != NULL && !is_service(options->service)))
		return ERROR_INPUT;
	helper = calloc(1, sizeof(*helper));
	if (helper == NULL)
		return ERROR_MEMORY;
	helper->at_once = at_once;
	error = pam_packet_pair(pair);
	if (error != 0) {
		free(helper);
		return error;
	}
	helper->socket = pair[0];
	error = start(helper, options, pair[1]);
	close(pair[1]);
	if (error != 0) {
		close(helper->socket);
		free(helper);
		return error;
	}
	error = wait_ready(helper);
	if (error != 0) {
		pam_helper_stop(helper);
		return error;
	}
	*ret_helper = helper;
	return 0;
}

static void wait_end(pid_t process)
{
	int descriptor = pidfd_open(process, 0);
	struct pollfd ended = {.fd = descriptor, .events = POLLIN};

	if (descriptor < 0) {
		(void)waitpid(process, NULL, 0);
		return;
	}
	/* Bounded: a program that has dropped its rights cannot kill what hangs. */
	if (poll(&ended, 1, STOP_LIMIT_MS) <= 0)
		(void)kill(process, SIGKILL);
	if (poll(&ended, 1, STOP_LIMIT_MS) > 0)
		(void)waitpid(process, NULL, 0);
	close(descriptor);
}

void pam_helper_stop(struct pam_helper *helper)
{
	if (helper == NULL)
		return;
	close(helper->socket);
	wait_end(helper->process);
	free(helper);
}

unsigned pam_helper_at_once(const struct pam_helper *helper)
{
	return helper->at_once;
}

static void end_with(struct call *call, enum reason reason, const char *detail)
{
	call->answer->reason = reason;
	call->answer->detail = detail != NULL ? detail : "";
}

/* Why no answer came. Once the password has left, it may have been tried. */
static void end_without(struct call *call, int error, bool tried)
{
	enum reason reason = tried ? REASON_PAM_SILENT : REASON_PAM_FAILED;

	if (error == ERROR_MEMORY)
		end_with(call, tried ? reason : REASON_SERVICE_BUSY, error_text(error));
	else if (error == ERROR_TIMEOUT)
		end_with(call, reason, PROGRAM " gave no answer in time");
	else if (error == ERROR_CLOSED)
		end_with(call, reason, PROGRAM " has ended; it is started again with this program");
	else
		end_with(call, reason,
			arena_print(call->question->arena, "asking " PROGRAM ": %s",
				error_text(error)));
}

static int put_question(struct pam_helper *helper, struct call *call, struct buffer *packet)
{
	const struct pam_helper_question *question = call->question;
	int64_t left = question->deadline - clock_steady(question->clock);
	int64_t limit = (left + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND;
	struct pam_wire_question sent = {
		.limit = limit < PAM_WIRE_LIMIT_MAXIMUM ? (uint32_t)limit : PAM_WIRE_LIMIT_MAXIMUM,
		.user = question->user,
		.client = question->client != NULL ? question->client : "",
	};
	int pair[2];
	int error = pam_wire_write_question(packet, &sent);

	if (error != 0)
		return error;
	error = pam_packet_pair(pair);
	if (error != 0)
		return error;
	call->channel = pair[0];
	error = pam_packet_send(
		helper->socket, packet, pair[1], question->clock, question->deadline);
	close(pair[1]);
	return error;
}

static void take_answer(struct call *call, const struct buffer *packet, bool tried)
{
	struct pam_wire_answer told;
	int error =
		pam_wire_read_answer(packet->bytes, packet->length, call->question->arena, &told);

	if (error != 0) {
		end_without(call, error, tried);
		return;
	}
	end_with(call, told.reason == REASON_PAM_SILENT && !tried ? REASON_PAM_FAILED : told.reason,
		told.detail);
	call->answer->name = told.name;
	call->answer->groups = told.groups;
	call->answer->group_count = told.group_count;
	call->answer->groups_cut = told.groups_cut;
}

static int give_secret(struct call *call, struct buffer *packet)
{
	const struct pam_helper_question *question = call->question;
	struct pam_wire_secret secret = {
		.password = question->password, .new_password = question->new_password};
	int error;

	buffer_clear(packet);
	error = pam_wire_write_secret(packet, &secret);
	if (error != 0)
		return error;
	return pam_packet_send(call->channel, packet, -1, question->clock, question->deadline);
}

/* The account is known: may its password be tried, and does it fit? */
static void go_on(struct call *call, struct buffer *packet)
{
	const struct pam_helper_question *question = call->question;
	struct pam_wire_account account;
	int error = pam_wire_read_account(packet->bytes, packet->length, question->arena, &account);

	if (error != 0) {
		end_without(call, error, false);
		return;
	}
	call->answer->account = account.name;
	if (question->admit != NULL && !question->admit(question->admit_context, account.name)) {
		end_with(call, REASON_GUARDED, "");
		return;
	}
	error = give_secret(call, packet);
	if (error != 0) {
		end_without(call, error, false);
		return;
	}
	error = pam_packet_receive(
		call->channel, packet, NULL, question->clock, question->deadline);
	if (error != 0)
		end_without(call, error, true);
	else
		take_answer(call, packet, true);
}

void pam_helper_ask(struct pam_helper *helper, const struct pam_helper_question *question,
	struct pam_helper_answer *ret_answer)
{
	struct call call = {.question = question, .answer = ret_answer, .channel = -1};
	struct buffer packet;
	int error;

	*ret_answer = (struct pam_helper_answer){.account = "", .name = "", .detail = ""};
	if (clock_steady(question->clock) >= question->deadline) {
		end_with(&call, REASON_SERVICE_BUSY,
			"the time was over before " PROGRAM " was asked");
		return;
	}
	buffer_init(&packet, PAM_WIRE_MAXIMUM);
	error = put_question(helper, &call, &packet);
	if (error == 0)
		error = pam_packet_receive(
			call.channel, &packet, NULL, question->clock, question->deadline);
	if (error != 0)
		end_without(&call, error, false);
	else if (pam_wire_type(packet.bytes, packet.length) == PAM_WIRE_ACCOUNT)
		go_on(&call, &packet);
	else
		take_answer(&call, &packet, false);
	if (call.channel >= 0)
		close(call.channel);
	buffer_free(&packet);
}
