#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <grp.h>

#include "base/error.h"
#include "identity/identity_pam.h"
#include "pam_fixture.h"

#define LONG_MS 600000 /* a limit that no test waits for */
#define CROWD 100

struct bed {
	struct pam_fixture fixture;
	struct pam_helper *helper;
	struct identity *identity;
	uv_loop_t loop;
	unsigned answers;
};

/* One question, and what came of it. */
struct asked {
	struct bed *bed;
	struct identity_request request;
	struct identity_answer answer;
	unsigned order; /* of its answer; 0: none yet */
	/* admit */
	const struct pam_fixture *fixture;
	struct clock_fake *clock;
	char account[300];
	bool refuse;
};

static const char *program(void)
{
	static char path[PATH_MAX];

	assert_non_null(getenv("FAIRLEAD_BUILD"));
	snprintf(path, sizeof(path), "%s/fairlead-pam", getenv("FAIRLEAD_BUILD"));
	return path;
}

static void begin(struct bed *bed, const char *service, unsigned at_once,
	const struct identity_pam_options *given, const struct clock *clock)
{
	struct pam_helper_options options = {
		.path = program(), .service = service, .at_once = at_once};
	struct identity_pam_options source = {.answer_ms = LONG_MS, .change_password = true};

	*bed = (struct bed){0};
	fixture_begin(&bed->fixture);
	options.confdir = bed->fixture.folder;
	assert_int_equal(pam_helper_start(&options, &bed->helper), 0);
	if (given != NULL)
		source = *given;
	source.helper = bed->helper;
	assert_int_equal(identity_pam_new(&source, clock, &bed->identity), 0);
	assert_int_equal(uv_loop_init(&bed->loop), 0);
}

static void end(struct bed *bed)
{
	identity_free(bed->identity);
	pam_helper_stop(bed->helper);
	assert_int_equal(uv_loop_close(&bed->loop), 0);
	fixture_end(&bed->fixture);
}

static bool admit(void *context, const char *account)
{
	struct asked *asked = context;

	snprintf(asked->account, sizeof(asked->account), "%s", account);
	/* The password goes out at the last moment. */
	if (asked->clock != NULL)
		clock_fake_advance(asked->clock, LONG_MS * CLOCK_MILLISECOND - CLOCK_MILLISECOND);
	return !asked->refuse;
}

static void done(void *context, const struct identity_answer *answer)
{
	struct asked *asked = context;

	assert_int_equal(asked->order, 0);
	asked->answer = *answer;
	asked->order = ++asked->bed->answers;
	assert_string_equal(answer->source, "pam");
	assert_non_null(answer->detail);
	assert_non_null(answer->server);
	assert_false(answer->remote);
}

static void ask(struct asked *asked, struct bed *bed, const struct clock *clock)
{
	asked->bed = bed;
	asked->request.arena = arena_new(1u << 20);
	assert_non_null(asked->request.arena);
	asked->request.loop = &bed->loop;
	asked->request.clock = clock;
	asked->request.admit = admit;
	asked->request.admit_context = asked;
	identity_ask(bed->identity, &asked->request, done, asked);
}

static void forget(struct asked *asked)
{
	arena_free(asked->request.arena);
}

static void run_until(struct asked *asked)
{
	while (asked->order == 0)
		uv_run(&asked->bed->loop, UV_RUN_ONCE);
}

/* Asks and waits; *asked is to be forgotten. */
static enum reason outcome(struct asked *asked, struct bed *bed, const char *user,
	const char *domain, const char *password, const char *new_password)
{
	*asked = (struct asked){.request = {.user = user,
					.domain = domain,
					.password = password,
					.new_password = new_password,
					.client = "192.0.2.7"}};
	ask(asked, bed, clock_system());
	run_until(asked);
	return asked->answer.reason;
}

static enum reason answer_to(struct bed *bed, const char *user, const char *password)
{
	struct asked asked;
	enum reason reason = outcome(&asked, bed, user, "", password, NULL);

	forget(&asked);
	return reason;
}

static void right_and_wrong(void **state)
{
	struct bed bed;
	struct asked asked;

	(void)state;
	begin(&bed, "test", 0, NULL, clock_system());
	assert_int_equal(outcome(&asked, &bed, "alice", "", "right", NULL), REASON_RIGHT);
	assert_string_equal(asked.answer.user.name, "alice");
	assert_string_equal(asked.answer.user.account, "alice");
	assert_string_equal(asked.account, "alice");
	assert_string_equal(asked.answer.user.domain, "");
	assert_string_equal(asked.answer.user.named_domain, "");
	assert_int_equal(asked.answer.user.group_count, 0);
	assert_true(asked.answer.took > 0);
	forget(&asked);
	assert_int_equal(outcome(&asked, &bed, "alice", "", "Right", NULL), REASON_WRONG_PASSWORD);
	assert_non_null(strstr(asked.answer.detail, "pam_authenticate: "));
	forget(&asked);
	assert_int_equal(answer_to(&bed, "missing", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(answer_to(&bed, "alice", ""), REASON_EMPTY_PASSWORD);
	assert_int_equal(answer_to(&bed, "jürgen", "geh€im 👍"), REASON_RIGHT);
	assert_int_equal(answer_to(&bed, "jürgen", "geh€im"), REASON_WRONG_PASSWORD);
	assert_int_equal(outcome(&asked, &bed, "disabled", "", "right", NULL), REASON_LOGON_DENIED);
	assert_non_null(strstr(asked.answer.detail, "pam_acct_mgmt: "));
	forget(&asked);
	/* The account is not looked at before the password was right. */
	assert_int_equal(answer_to(&bed, "disabled", "wrong"), REASON_WRONG_PASSWORD);
	end(&bed);
}

static void modules_are_told_where_from(void **state)
{
	struct bed bed;
	char line[64] = "";
	FILE *file;

	(void)state;
	begin(&bed, "test", 0, NULL, clock_system());
	assert_int_equal(answer_to(&bed, "alice", "right"), REASON_RIGHT);
	file = fopen(fixture_path(&bed.fixture, "asked"), "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	assert_string_equal(line, "192.0.2.7 test fairlead\n");
	fclose(file);
	end(&bed);
}

static void names_and_passwords_that_nobody_has(void **state)
{
	struct bed bed;
	char long_name[400], longest[FIXTURE_LONG + 2];
	FILE *file;

	(void)state;
	begin(&bed, "test", 0, NULL, clock_system());
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	fixture_long_password(longest);
	longest[FIXTURE_LONG] = 'x';
	longest[FIXTURE_LONG + 1] = '\0';
	assert_int_equal(answer_to(&bed, long_name, "right"), REASON_UNKNOWN_USER);
	assert_int_equal(answer_to(&bed, "", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(answer_to(&bed, "../alice", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(answer_to(&bed, "-alice", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(answer_to(&bed, "alice\n", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(answer_to(&bed, "al\xff", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(answer_to(&bed, "alice", longest), REASON_WRONG_PASSWORD);
	/* PAM heard of none of these */
	file = fopen(fixture_path(&bed.fixture, "asked"), "r");
	assert_null(file);
	longest[FIXTURE_LONG] = '\0';
	assert_int_equal(answer_to(&bed, "longpass", longest), REASON_RIGHT);
	end(&bed);
}

static void domains(void **state)
{
	static const char *const listed[] = {"LAB", "lab.example"};
	const struct identity_pam_options options = {
		.domains = listed, .domain_count = 2, .answer_ms = LONG_MS};
	struct bed bed;
	struct asked asked;

	(void)state;
	begin(&bed, "test", 0, &options, clock_system());
	assert_int_equal(outcome(&asked, &bed, "lab\\alice", "", "right", NULL), REASON_RIGHT);
	assert_string_equal(asked.answer.user.named_domain, "lab");
	assert_string_equal(asked.account, "alice");
	forget(&asked);
	assert_int_equal(
		outcome(&asked, &bed, "alice@lab.example", "", "right", NULL), REASON_RIGHT);
	forget(&asked);
	assert_int_equal(outcome(&asked, &bed, "alice", "LAB", "right", NULL), REASON_RIGHT);
	assert_string_equal(asked.answer.user.named_domain, "LAB");
	forget(&asked);
	assert_int_equal(
		outcome(&asked, &bed, "alice", "OTHER", "right", NULL), REASON_UNKNOWN_DOMAIN);
	forget(&asked);
	/* another domain is part of the name */
	assert_int_equal(outcome(&asked, &bed, "STUDIO\\bob", "", "right", NULL), REASON_RIGHT);
	assert_string_equal(asked.answer.user.name, "STUDIO\\bob");
	forget(&asked);
	assert_int_equal(
		outcome(&asked, &bed, "OTHER\\alice", "LAB", "right", NULL), REASON_WRONG_PASSWORD);
	forget(&asked);
	end(&bed);
}

static void groups_are_those_of_the_machine(void **state)
{
	const struct passwd *self = getpwuid(getuid());
	const char *name = self->pw_name;
	const struct group *group = getgrgid(self->pw_gid);
	struct bed bed;
	struct asked asked;
	bool found = false;

	(void)state;
	assert_non_null(group);
	begin(&bed, "test", 0, NULL, clock_system());
	assert_int_equal(outcome(&asked, &bed, name, "", "right", NULL), REASON_RIGHT);
	for (size_t i = 0; i < asked.answer.user.group_count; i++)
		found = found || strcmp(asked.answer.user.groups[i], group->gr_name) == 0;
	assert_true(found);
	assert_false(asked.answer.groups_cut);
	forget(&asked);
	end(&bed);
}

static void an_expired_password_is_changed(void **state)
{
	struct bed bed;

	struct asked asked;

	(void)state;
	begin(&bed, "test", 0, NULL, clock_system());
	assert_true(bed.identity->can_change_password);
	assert_int_equal(answer_to(&bed, "expired", "wrong"), REASON_WRONG_PASSWORD);
	assert_int_equal(answer_to(&bed, "expired", "right"), REASON_PASSWORD_EXPIRED);
	/* only who knows the old one */
	assert_int_equal(
		outcome(&asked, &bed, "expired", "", "wrong", "näw"), REASON_WRONG_PASSWORD);
	forget(&asked);
	assert_int_equal(
		outcome(&asked, &bed, "expired", "", "right", ""), REASON_NEW_PASSWORD_REFUSED);
	forget(&asked);
	assert_int_equal(outcome(&asked, &bed, "expired", "", "right", "näw"), REASON_RIGHT);
	assert_string_equal(asked.answer.user.name, "expired");
	assert_string_equal(asked.answer.detail, "");
	forget(&asked);
	assert_int_equal(answer_to(&bed, "expired", "right"), REASON_WRONG_PASSWORD);
	assert_int_equal(answer_to(&bed, "expired", "näw"), REASON_RIGHT);
	/* not where it has not expired */
	assert_int_equal(
		outcome(&asked, &bed, "alice", "", "right", "näw"), REASON_PASSWORD_NOT_CHANGED);
	forget(&asked);
	assert_int_equal(answer_to(&bed, "alice", "right"), REASON_RIGHT);
	end(&bed);
}

static void a_new_password_is_refused(void **state)
{
	const struct identity_pam_options fixed = {.answer_ms = LONG_MS};
	struct bed bed;
	struct asked asked;

	(void)state;
	begin(&bed, "weak", 0, NULL, clock_system());
	assert_int_equal(
		outcome(&asked, &bed, "expired", "", "right", "n"), REASON_NEW_PASSWORD_REFUSED);
	assert_non_null(strstr(asked.answer.detail, "pam_chauthtok: "));
	forget(&asked);
	end(&bed);
	begin(&bed, "fixed", 0, NULL, clock_system());
	assert_int_equal(
		outcome(&asked, &bed, "expired", "", "right", "n"), REASON_PASSWORD_NOT_CHANGED);
	forget(&asked);
	end(&bed);
	begin(&bed, "test", 0, &fixed, clock_system());
	assert_false(bed.identity->can_change_password);
	assert_int_equal(
		outcome(&asked, &bed, "expired", "", "right", "n"), REASON_PASSWORD_NOT_CHANGED);
	forget(&asked);
	end(&bed);
}

static void the_account_may_be_refused(void **state)
{
	struct bed bed;
	struct asked asked = {.request = {.user = "alice", .password = "right"}, .refuse = true};

	(void)state;
	begin(&bed, "test", 0, NULL, clock_system());
	ask(&asked, &bed, clock_system());
	run_until(&asked);
	assert_int_equal(asked.answer.reason, REASON_GUARDED);
	assert_string_equal(asked.account, "alice");
	/* PAM was not asked */
	assert_int_equal(access(fixture_path(&bed.fixture, "asked"), F_OK), -1);
	forget(&asked);
	end(&bed);
}

static void who_hangs_holds_up_nobody(void **state)
{
	struct bed bed;
	struct asked hang = {.request = {.user = "hang", .password = "right"}};

	(void)state;
	begin(&bed, "test", 2, NULL, clock_system());
	ask(&hang, &bed, clock_system());
	fixture_wait_reached(&bed.fixture);
	for (int i = 0; i < 3; i++)
		assert_int_equal(answer_to(&bed, "alice", "right"), REASON_RIGHT);
	assert_int_equal(hang.order, 0);
	fixture_go(&bed.fixture);
	run_until(&hang);
	assert_int_equal(hang.answer.reason, REASON_RIGHT);
	forget(&hang);
	end(&bed);
}

static void no_answer_in_time(void **state)
{
	struct bed bed;
	struct clock_fake clock;
	struct asked hang = {.request = {.user = "hang", .password = "right"}, .clock = &clock};
	struct asked late = {.request = {.user = "alice", .password = "right", .deadline = 1}};

	(void)state;
	clock_fake_init(&clock, 0);
	begin(&bed, "test", 1, NULL, &clock.clock);
	ask(&hang, &bed, &clock.clock);
	run_until(&hang);
	assert_int_equal(hang.answer.reason, REASON_PAM_SILENT);
	assert_string_equal(hang.account, "hang");
	assert_non_null(strstr(hang.answer.detail, "no answer in time"));
	forget(&hang);
	/* its place is free again */
	ask(&late, &bed, &clock.clock);
	run_until(&late);
	assert_int_equal(late.answer.reason, REASON_SERVICE_BUSY);
	assert_string_equal(late.account, "");
	forget(&late);
	late = (struct asked){.request = {.user = "alice", .password = "right"}};
	ask(&late, &bed, &clock.clock);
	run_until(&late);
	assert_int_equal(late.answer.reason, REASON_RIGHT);
	forget(&late);
	end(&bed);
}

static void a_module_crashes(void **state)
{
	struct bed bed;
	struct asked asked;

	(void)state;
	begin(&bed, "test", 0, NULL, clock_system());
	assert_int_equal(outcome(&asked, &bed, "crash", "", "right", NULL), REASON_PAM_SILENT);
	assert_non_null(strstr(asked.answer.detail, "signal 6"));
	forget(&asked);
	assert_int_equal(answer_to(&bed, "alice", "right"), REASON_RIGHT);
	end(&bed);
}

static void services_that_fail(void **state)
{
	struct bed bed;
	struct asked asked;

	(void)state;
	begin(&bed, "broken", 0, NULL, clock_system());
	assert_int_equal(outcome(&asked, &bed, "alice", "", "right", NULL), REASON_PAM_FAILED);
	forget(&asked);
	end(&bed);
	begin(&bed, "not-there", 0, NULL, clock_system());
	assert_int_equal(outcome(&asked, &bed, "alice", "", "right", NULL), REASON_PAM_FAILED);
	forget(&asked);
	end(&bed);
	/* asks for what cannot be answered */
	begin(&bed, "token", 0, NULL, clock_system());
	assert_int_not_equal(outcome(&asked, &bed, "alice", "", "right", NULL), REASON_RIGHT);
	assert_non_null(strstr(asked.answer.detail, "asked for more than the password"));
	forget(&asked);
	end(&bed);
	/* A module that wants ten minutes for a failure does not get them. */
	begin(&bed, "slow", 0, NULL, clock_system());
	assert_int_equal(outcome(&asked, &bed, "alice", "", "right", NULL), REASON_WRONG_PASSWORD);
	forget(&asked);
	end(&bed);
}

/* The youngest child of this process. */
static pid_t helper_process(void)
{
	FILE *file = fopen("/proc/thread-self/children", "r");
	char number[16] = "";

	assert_non_null(file);
	while (fscanf(file, "%15s", number) == 1)
		continue;
	fclose(file);
	assert_true(strtol(number, NULL, 10) > 0);
	return (pid_t)strtol(number, NULL, 10);
}

static void the_helper_dies(void **state)
{
	struct bed bed;
	struct asked hang = {.request = {.user = "hang", .password = "right"}};
	struct asked asked;

	(void)state;
	begin(&bed, "test", 4, NULL, clock_system());
	ask(&hang, &bed, clock_system());
	fixture_wait_reached(&bed.fixture);
	assert_int_equal(kill(helper_process(), SIGKILL), 0);
	run_until(&hang);
	assert_int_equal(hang.answer.reason, REASON_PAM_SILENT);
	assert_non_null(strstr(hang.answer.detail, "has ended"));
	forget(&hang);
	assert_int_equal(outcome(&asked, &bed, "alice", "", "right", NULL), REASON_PAM_FAILED);
	assert_non_null(strstr(asked.answer.detail, "has ended"));
	forget(&asked);
	/* nobody is left to end the script */
	fixture_go(&bed.fixture);
	fixture_wait_gone(&bed.fixture);
	end(&bed);
}

static void a_crowd(void **state)
{
	static struct asked crowd[CROWD];
	struct bed bed;

	(void)state;
	begin(&bed, "test", 4, NULL, clock_system());
	for (size_t i = 0; i < CROWD; i++) {
		crowd[i] = (struct asked){.request = {.user = i % 3 == 0 ? "jürgen" : "alice",
						  .password = i % 2 == 0 ? "right" : "wrong"}};
		ask(&crowd[i], &bed, clock_system());
	}
	for (size_t i = 0; i < CROWD; i++) {
		run_until(&crowd[i]);
		assert_int_equal(crowd[i].answer.reason,
			i % 3 != 0 && i % 2 == 0 ? REASON_RIGHT : REASON_WRONG_PASSWORD);
		if (crowd[i].answer.reason == REASON_RIGHT)
			assert_string_equal(crowd[i].answer.user.name, "alice");
		forget(&crowd[i]);
	}
	assert_int_equal(bed.answers, CROWD);
	end(&bed);
}

static void what_cannot_be_started(void **state)
{
	struct pam_helper_options options = {.path = "/nowhere/fairlead-pam"};
	struct pam_helper *helper = NULL;

	(void)state;
	assert_int_equal(pam_helper_start(&options, &helper), ERROR_NOT_FOUND);
	options.path = "/bin/true";
	assert_int_equal(pam_helper_start(&options, &helper), ERROR_SYSTEM);
	options.path = program();
	options.service = "../passwd";
	assert_int_equal(pam_helper_start(&options, &helper), ERROR_INPUT);
	options.service = "test";
	options.at_once = PAM_HELPER_AT_ONCE_MAXIMUM + 1;
	assert_int_equal(pam_helper_start(&options, &helper), ERROR_INPUT);
	assert_null(helper);
	pam_helper_stop(NULL);
}

static size_t count_entries(pid_t process, const char *what)
{
	char path[64], buffer[4096];
	FILE *file;
	size_t count = 0, length;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)process, what);
	file = fopen(path, "r");
	assert_non_null(file);
	length = fread(buffer, 1, sizeof(buffer), file);
	fclose(file);
	for (size_t i = 0; i < length; i++)
		count += buffer[i] == '\0';
	return count;
}

static void the_helper_inherits_nothing(void **state)
{
	int secret = fcntl(STDIN_FILENO, F_DUPFD, 20); /* without O_CLOEXEC */
	struct bed bed;
	char path[64];

	(void)state;
	assert_int_equal(setenv("FAIRLEAD_TEST_SECRET", "x", 1), 0);
	begin(&bed, "test", 1, NULL, clock_system());
	assert_true(secret >= 20);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)helper_process(), secret);
	if (getuid() == 0) { /* others may not look into a process that cannot be dumped */
		struct stat status;

		assert_int_equal(lstat(path, &status), -1);
		snprintf(path, sizeof(path), "/proc/%d/fd/3", (int)helper_process());
		assert_int_equal(lstat(path, &status), 0);
		assert_int_equal(count_entries(helper_process(), "environ"), 2);
	}
	close(secret);
	end(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_and_wrong),
		cmocka_unit_test(modules_are_told_where_from),
		cmocka_unit_test(names_and_passwords_that_nobody_has),
		cmocka_unit_test(domains),
		cmocka_unit_test(groups_are_those_of_the_machine),
		cmocka_unit_test(an_expired_password_is_changed),
		cmocka_unit_test(a_new_password_is_refused),
		cmocka_unit_test(the_account_may_be_refused),
		cmocka_unit_test(who_hangs_holds_up_nobody),
		cmocka_unit_test(no_answer_in_time),
		cmocka_unit_test(a_module_crashes),
		cmocka_unit_test(services_that_fail),
		cmocka_unit_test(the_helper_dies),
		cmocka_unit_test(a_crowd),
		cmocka_unit_test(what_cannot_be_started),
		cmocka_unit_test(the_helper_inherits_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
