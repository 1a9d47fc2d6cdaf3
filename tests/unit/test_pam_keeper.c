#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/error.h"
#include "identity/pam_packet.h"
#include "identity/pam_wire.h"
#include "pam_fixture.h"

/* fairlead-pam, asked without the program's side of the library. */
struct bed {
	struct pam_fixture fixture;
	pid_t keeper;
	int socket;
	struct buffer packet;
	struct arena *arena;
};

static void be_helper(const struct bed *bed, const char *service, const char *at_once, int socket)
{
	const char *build = getenv("FAIRLEAD_BUILD");
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/fairlead-pam", build != NULL ? build : "");
	if (dup2(socket, PAM_WIRE_DESCRIPTOR) >= 0)
		execl(path, path, "--service", service, "--at-once", at_once, "--confdir",
			bed->fixture.folder, (char *)NULL);
	_exit(EXIT_FAILURE);
}

static void begin(struct bed *bed, const char *service, const char *at_once)
{
	int pair[2];

	*bed = (struct bed){0};
	fixture_begin(&bed->fixture);
	assert_int_equal(pam_packet_pair(pair), 0);
	bed->keeper = fork();
	if (bed->keeper == 0)
		be_helper(bed, service, at_once, pair[1]);
	close(pair[1]);
	bed->socket = pair[0];
	bed->arena = arena_new(1u << 20);
	buffer_init(&bed->packet, PAM_WIRE_MAXIMUM);
	assert_int_equal(pam_packet_receive(bed->socket, &bed->packet, NULL, NULL, INT64_MAX), 0);
	assert_int_equal(pam_wire_type(bed->packet.bytes, bed->packet.length), PAM_WIRE_READY);
}

static void end(struct bed *bed)
{
	int status = -1;

	close(bed->socket);
	assert_int_equal(waitpid(bed->keeper, &status, 0), bed->keeper);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	buffer_free(&bed->packet);
	arena_free(bed->arena);
	fixture_end(&bed->fixture);
}

/* Returns the program's end of the pair. */
static int ask(struct bed *bed, const char *user, uint32_t limit)
{
	struct pam_wire_question question = {.limit = limit, .user = user, .client = "192.0.2.1"};
	int pair[2];

	assert_int_equal(pam_packet_pair(pair), 0);
	buffer_clear(&bed->packet);
	assert_int_equal(pam_wire_write_question(&bed->packet, &question), 0);
	assert_int_equal(
		pam_packet_send(bed->socket, &bed->packet, pair[1], clock_system(), INT64_MAX), 0);
	close(pair[1]);
	return pair[0];
}

static int receive(struct bed *bed, int channel)
{
	return pam_packet_receive(channel, &bed->packet, NULL, NULL, INT64_MAX);
}

static void give(struct bed *bed, int channel, const char *user, const char *password)
{
	struct pam_wire_secret secret = {.password = password};
	struct pam_wire_account account;

	assert_int_equal(receive(bed, channel), 0);
	assert_int_equal(
		pam_wire_read_account(bed->packet.bytes, bed->packet.length, bed->arena, &account),
		0);
	assert_string_equal(account.name, user);
	buffer_clear(&bed->packet);
	assert_int_equal(pam_wire_write_secret(&bed->packet, &secret), 0);
	assert_int_equal(pam_packet_send(channel, &bed->packet, -1, NULL, 0), 0);
}

static struct pam_wire_answer take(struct bed *bed, int channel)
{
	struct pam_wire_answer answer = {.reason = REASON_COUNT};

	assert_int_equal(receive(bed, channel), 0);
	assert_int_equal(
		pam_wire_read_answer(bed->packet.bytes, bed->packet.length, bed->arena, &answer),
		0);
	return answer;
}

static void a_question_is_answered_once(void **state)
{
	struct bed bed;
	struct pam_wire_answer answer;
	int channel;

	(void)state;
	begin(&bed, "test", "1");
	channel = ask(&bed, "alice", 600000);
	give(&bed, channel, "alice", "right");
	answer = take(&bed, channel);
	assert_int_equal(answer.reason, REASON_RIGHT);
	assert_string_equal(answer.name, "alice");
	assert_int_equal(receive(&bed, channel), ERROR_CLOSED);
	close(channel);
	end(&bed);
}

static void what_takes_too_long_is_ended(void **state)
{
	struct bed bed;
	struct pam_wire_answer answer;
	int channel;

	(void)state;
	begin(&bed, "test", "1");
	/* It waits for the password, which does not come. The next one gets its place. */
	channel = ask(&bed, "alice", 1);
	assert_int_equal(receive(&bed, channel), 0);
	if (pam_wire_type(bed.packet.bytes, bed.packet.length) == PAM_WIRE_ACCOUNT)
		assert_int_equal(receive(&bed, channel), 0);
	assert_int_equal(
		pam_wire_read_answer(bed.packet.bytes, bed.packet.length, bed.arena, &answer), 0);
	assert_int_equal(answer.reason, REASON_PAM_SILENT);
	assert_string_equal(answer.detail, "PAM gave no answer in time");
	assert_int_equal(receive(&bed, channel), ERROR_CLOSED);
	close(channel);
	channel = ask(&bed, "alice", 600000);
	give(&bed, channel, "alice", "right");
	assert_int_equal(take(&bed, channel).reason, REASON_RIGHT);
	close(channel);
	end(&bed);
}

static void what_is_given_up_is_ended_with_its_scripts(void **state)
{
	struct bed bed;
	int channel;

	(void)state;
	begin(&bed, "test", "1");
	channel = ask(&bed, "hang", 600000);
	give(&bed, channel, "hang", "right");
	fixture_wait_reached(&bed.fixture);
	close(channel);
	fixture_wait_gone(&bed.fixture);
	channel = ask(&bed, "alice", 600000);
	give(&bed, channel, "alice", "right");
	assert_int_equal(take(&bed, channel).reason, REASON_RIGHT);
	close(channel);
	end(&bed);
}

static void nothing_is_left_behind(void **state)
{
	struct bed bed;
	int channel;

	(void)state;
	begin(&bed, "test", "1");
	channel = ask(&bed, "leave", 600000);
	give(&bed, channel, "leave", "right");
	assert_int_equal(take(&bed, channel).reason, REASON_RIGHT);
	fixture_wait_reached(&bed.fixture);
	fixture_wait_gone(&bed.fixture);
	close(channel);
	end(&bed);
}

static void a_crash_ends_one_question(void **state)
{
	struct bed bed;
	struct pam_wire_answer answer;
	int crash, good;

	(void)state;
	begin(&bed, "test", "2");
	good = ask(&bed, "alice", 600000);
	crash = ask(&bed, "crash", 600000);
	give(&bed, crash, "crash", "right");
	answer = take(&bed, crash);
	assert_int_equal(answer.reason, REASON_PAM_SILENT);
	assert_string_equal(
		answer.detail, "the process that asked PAM was ended by signal 6 (Aborted)");
	assert_int_equal(receive(&bed, crash), ERROR_CLOSED);
	give(&bed, good, "alice", "right");
	assert_int_equal(take(&bed, good).reason, REASON_RIGHT);
	close(crash);
	close(good);
	end(&bed);
}

/* It ends although PAM hangs, and takes everything along. */
static void ends_with_the_program(void **state)
{
	struct bed bed;
	int channel;

	(void)state;
	begin(&bed, "test", "4");
	channel = ask(&bed, "hang", 600000);
	give(&bed, channel, "hang", "right");
	fixture_wait_reached(&bed.fixture);
	end(&bed);
	assert_int_equal(receive(&bed, channel), 0);
	assert_int_equal(pam_wire_type(bed.packet.bytes, bed.packet.length), PAM_WIRE_ANSWER);
	assert_int_equal(receive(&bed, channel), ERROR_CLOSED);
	buffer_free(&bed.packet);
	close(channel);
}

/* So that a question is not answered by what was left of another. */
static void garbage_is_answered_or_dropped(void **state)
{
	struct bed bed;
	struct pam_wire_answer answer;
	int pair[2], channel;

	(void)state;
	begin(&bed, "test", "1");
	buffer_clear(&bed.packet);
	assert_int_equal(buffer_text(&bed.packet, "FP\001\002rubbish"), 0);
	assert_int_equal(pam_packet_send(bed.socket, &bed.packet, -1, NULL, 0), 0);
	assert_int_equal(pam_packet_pair(pair), 0);
	assert_int_equal(pam_packet_send(bed.socket, &bed.packet, pair[1], NULL, 0), 0);
	close(pair[1]);
	answer = take(&bed, pair[0]);
	assert_int_equal(answer.reason, REASON_PAM_FAILED);
	assert_string_equal(answer.detail, "the question was not understood");
	assert_int_equal(receive(&bed, pair[0]), ERROR_CLOSED);
	close(pair[0]);
	/* garbage in the place of the password */
	channel = ask(&bed, "alice", 600000);
	assert_int_equal(receive(&bed, channel), 0);
	assert_int_equal(pam_packet_send(channel, &bed.packet, -1, NULL, 0), 0);
	assert_int_equal(take(&bed, channel).reason, REASON_PAM_SILENT);
	close(channel);
	end(&bed);
}

static int status_of(const char *service, const char *at_once, bool asked)
{
	struct bed bed = {.fixture = {.folder = "/nowhere"}};
	struct buffer ready;
	int pair[2], status = -1;

	assert_int_equal(pam_packet_pair(pair), 0);
	bed.keeper = fork();
	if (bed.keeper == 0) {
		int error = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(error, STDERR_FILENO); /* its usage */
		be_helper(&bed, service, at_once, asked ? pair[1] : error);
	}
	close(pair[1]);
	/* it is ready, or has ended */
	buffer_init(&ready, PAM_WIRE_MAXIMUM);
	(void)pam_packet_receive(pair[0], &ready, NULL, NULL, INT64_MAX);
	buffer_free(&ready);
	close(pair[0]);
	assert_int_equal(waitpid(bed.keeper, &status, 0), bed.keeper);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void options(void **state)
{
	(void)state;
	assert_int_equal(status_of("test", "1", true), 0);
	assert_int_equal(status_of("test", "256", true), 0);
	assert_int_equal(status_of("test", "257", true), 2);
	assert_int_equal(status_of("test", "0", true), 2);
	assert_int_equal(status_of("test", "1x", true), 2);
	assert_int_equal(status_of("", "1", true), 2);
	assert_int_equal(status_of("../test", "1", true), 2);
	/* started by hand */
	assert_int_equal(status_of("test", "1", false), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_answered_once),
		cmocka_unit_test(what_takes_too_long_is_ended),
		cmocka_unit_test(what_is_given_up_is_ended_with_its_scripts),
		cmocka_unit_test(nothing_is_left_behind),
		cmocka_unit_test(a_crash_ends_one_question),
		cmocka_unit_test(ends_with_the_program),
		cmocka_unit_test(garbage_is_answered_or_dropped),
		cmocka_unit_test(options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
