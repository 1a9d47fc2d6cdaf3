#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "bench/answer.h"
#include "bench/options.h"
#include "bench/process.h"
#include "bench/roll.h"
#include "bench/script.h"
#include "bench/tally.h"

/* --- tally --- */

static struct tally tally;

static void percentiles_are_close(void **state)
{
	static const double shares[] = {0.01, 0.5, 0.9, 0.99, 0.999};

	(void)state;
	memset(&tally, 0, sizeof(tally));
	for (int64_t i = 1; i <= 100000; i++)
		tally_add(&tally, i * 7);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		double exact = shares[i] * 700000;
		double told = (double)tally_at(&tally, shares[i]);

		assert_true(told >= exact * 0.999 && told <= exact * 1.035);
	}
	assert_int_equal(tally.longest, 700000);
	assert_int_equal(tally_at(&tally, 1), 700000);
}

static void short_times_are_exact(void **state)
{
	(void)state;
	for (int64_t value = 0; value < TALLY_FINE; value++) {
		memset(&tally, 0, sizeof(tally));
		tally_add(&tally, value);
		tally_add(&tally, 1000000);
		assert_int_equal(tally_at(&tally, 0.5), value);
	}
}

static void odd_times_are_counted(void **state)
{
	(void)state;
	memset(&tally, 0, sizeof(tally));
	assert_int_equal(tally_at(&tally, 0.99), 0);
	tally_add(&tally, -5);
	assert_int_equal(tally_at(&tally, 0.99), 0);
	tally_add(&tally, INT64_MAX);
	assert_int_equal(tally.count, 2);
	assert_true(tally_at(&tally, 1) > INT64_C(3600) * 1000000);
}

static void tallies_are_joined(void **state)
{
	static struct tally other;

	(void)state;
	memset(&tally, 0, sizeof(tally));
	memset(&other, 0, sizeof(other));
	for (int i = 0; i < 10; i++) {
		tally_add(&tally, 20);
		tally_add(&other, 40);
	}
	tally_add(&other, 60);
	tally_join(&tally, &other);
	assert_int_equal(tally.count, 21);
	assert_int_equal(tally.longest, 60);
	assert_int_equal(tally_at(&tally, 0.45), 20);
	assert_int_equal(tally_at(&tally, 0.9), 40);
	tally_join(&other, &(struct tally){.count = 0});
	assert_int_equal(other.longest, 60);
}

/* --- answer --- */

static const char good[] =
	"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Type: application/xml charset=UTF-8\r\n"
	"Set-Cookie: JSESSIONID=0123456789abcdef0123456789abcdef; HttpOnly; Secure\r\n"
	"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";

static void check_good(const struct answer *answer)
{
	assert_int_equal(answer->status, 200);
	assert_true(answer->keep_alive);
	assert_string_equal(answer->cookie, "0123456789abcdef0123456789abcdef");
	assert_string_equal(answer->body.bytes, "hello world");
	assert_int_equal(answer->bytes, sizeof(good) - 1);
}

static void answers_come_in_any_pieces(void **state)
{
	struct answer answer;

	(void)state;
	answer_init(&answer);
	for (size_t cut = 0; cut < sizeof(good) - 1; cut++) {
		answer_begin(&answer);
		if (cut > 0)
			assert_int_equal(answer_feed(&answer, good, cut), ANSWER_MORE);
		assert_int_equal(
			answer_feed(&answer, good + cut, sizeof(good) - 1 - cut), ANSWER_DONE);
		check_good(&answer);
	}
	answer_begin(&answer);
	for (size_t at = 0; at + 1 < sizeof(good) - 1; at++)
		assert_int_equal(answer_feed(&answer, good + at, 1), ANSWER_MORE);
	assert_int_equal(answer_feed(&answer, good + sizeof(good) - 2, 1), ANSWER_DONE);
	check_good(&answer);
	answer_free(&answer);
}

static enum answer_result feed(struct answer *answer, const char *text)
{
	answer_begin(answer);
	return answer_feed(answer, text, strlen(text));
}

static void what_is_not_one_answer_is_broken(void **state)
{
	struct answer answer;

	(void)state;
	answer_init(&answer);
	assert_int_equal(feed(&answer, "SSH-2.0-OpenSSH_9\r\n"), ANSWER_BROKEN);
	assert_int_equal(
		feed(&answer, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"), ANSWER_BROKEN);
	assert_int_equal(
		feed(&answer, "HTTP/1.1 503 Busy\r\nContent-Length: 1\r\n\r\na"), ANSWER_DONE);
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.cookie, "");
	assert_int_equal(
		feed(&answer, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
		ANSWER_DONE);
	assert_false(answer.keep_alive);
	answer_free(&answer);
}

/* --- script --- */

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?><pcoip-broker version=\"2.1\">"
#define TAIL "</pcoip-broker>"

struct play {
	struct options options;
	struct script *script;
	struct script_client client;
	struct buffer request;
	char why[SCRIPT_WHY_SIZE];
	char password[64];
};

static void write_password(struct play *play, const char *text)
{
	FILE *file;

	snprintf(play->password, sizeof(play->password), "/tmp/fairlead-test-bench-%ld",
		(long)getpid());
	file = fopen(play->password, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void begin(struct play *play, enum bench_mode mode)
{
	memset(play, 0, sizeof(*play));
	write_password(play, "se<ret\nnot this\n");
	play->options = (struct options){
		.mode = mode,
		.host = "127.0.0.1",
		.port = 443,
		.path = "/pcoip-broker/xml",
		.root = ROOT_BROKER,
		.user = "alice",
		.domain = "studio",
		.password_file = play->password,
	};
	buffer_init(&play->request, 65536);
	assert_int_equal(script_new(&play->options, &play->script, play->why), 0);
}

static void end(struct play *play)
{
	script_free(play->script);
	buffer_free(&play->request);
	unlink(play->password);
}

static const char *body_of(struct play *play, enum script_step step)
{
	const char *body;

	assert_int_equal(script_request(play->script, step, &play->client, &play->request), 0);
	body = strstr(play->request.bytes, "\r\n\r\n");
	assert_non_null(body);
	return body + 4;
}

static void the_hello_is_the_pages(void **state)
{
	struct play play;
	char path[4096], page[2048];
	const char *source = getenv("FAIRLEAD_SOURCE");
	size_t length;
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/vectors/page/hello.xml",
		source != NULL ? source : ".");
	file = fopen(path, "r");
	assert_non_null(file);
	length = fread(page, 1, sizeof(page) - 1, file);
	page[length] = '\0';
	fclose(file);
	begin(&play, BENCH_HELLO);
	assert_string_equal(body_of(&play, SCRIPT_HELLO), page);
	assert_null(strstr(play.request.bytes, "Cookie"));
	assert_non_null(strstr(play.request.bytes, "\r\nContent-Length: 741\r\n"));
	end(&play);
}

static void requests_carry_what_was_learned(void **state)
{
	struct play play;

	(void)state;
	begin(&play, BENCH_LOGON);
	strcpy(play.client.cookie, "c00c1e");
	strcpy(play.client.resource, "desk & chair");
	assert_non_null(
		strstr(body_of(&play, SCRIPT_AUTHENTICATE), "<password>se&lt;ret</password>"));
	assert_non_null(strstr(play.request.bytes, "\r\nCookie: JSESSIONID=c00c1e\r\n"));
	assert_non_null(strstr(
		body_of(&play, SCRIPT_ALLOCATE), "<resource-id>desk &amp; chair</resource-id>"));
	assert_non_null(strstr(body_of(&play, SCRIPT_BYE), "<bye>"));
	end(&play);
}

static int judge(
	struct play *play, enum script_step step, bool thorough, int status, const char *body)
{
	struct answer answer;
	char text[2048];
	int error;

	snprintf(text, sizeof(text),
		"HTTP/1.1 %d X\r\nSet-Cookie: JSESSIONID=feed; Secure\r\nContent-Length: "
		"%zu\r\n\r\n%s",
		status, strlen(body), body);
	answer_init(&answer);
	assert_int_equal(feed(&answer, text), ANSWER_DONE);
	error = script_check(play->script, step, &answer, thorough, &play->client, play->why);
	answer_free(&answer);
	return error;
}

static void right_answers_are_told_from_wrong_ones(void **state)
{
	static const char resp[] =
		HEAD "<authenticate-resp method=\"password\"><result><result-id>"
		     "AUTH_SUCCESSFUL_AND_COMPLETE</result-id><result-str/></result>"
		     "</authenticate-resp>" TAIL;
	static const char failed[] =
		HEAD "<authenticate-resp method=\"password\"><result><result-id>"
		     "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD</result-id>"
		     "<result-str/></result></authenticate-resp>" TAIL;
	static const char error[] = HEAD "<error-resp><result><result-id>ERR_INTERNAL</result-id>"
					 "<result-str>x</result-str></result><detected-by>x"
					 "</detected-by></error-resp>" TAIL;
	struct play play;

	(void)state;
	begin(&play, BENCH_LOGON);
	assert_int_equal(judge(&play, SCRIPT_AUTHENTICATE, true, 200, resp), 0);
	assert_string_equal(play.client.cookie, "feed");
	assert_int_equal(judge(&play, SCRIPT_AUTHENTICATE, true, 200, failed), ERROR_INPUT);
	assert_non_null(strstr(play.why, "AUTH_FAILED"));
	assert_int_equal(judge(&play, SCRIPT_AUTHENTICATE, true, 200, error), ERROR_INPUT);
	assert_int_equal(judge(&play, SCRIPT_AUTHENTICATE, false, 200, error), ERROR_INPUT);
	assert_int_equal(judge(&play, SCRIPT_HELLO, true, 200, resp), ERROR_INPUT);
	assert_int_equal(judge(&play, SCRIPT_AUTHENTICATE, true, 503, resp), ERROR_INPUT);
	assert_int_equal(judge(&play, SCRIPT_AUTHENTICATE, true, 200, "<pcoip-"), ERROR_INPUT);
	assert_int_equal(judge(&play, SCRIPT_AUTHENTICATE, true, 200, ""), ERROR_INPUT);
	end(&play);
}

static void the_first_resource_is_taken(void **state)
{
	static const char list[] = HEAD
		"<get-resource-list-resp><result><result-id>LIST_SUCCESSFUL</result-id><result-str/"
		">"
		"</result><resource><resource-name>A</resource-name><resource-id>one</resource-id>"
		"<resource-type session-type=\"VDI\">DESKTOP</resource-type>"
		"<resource-state>UNKNOWN</resource-state><protocols><protocol "
		"is-default=\"true\">PCOIP"
		"</protocol></protocols></resource></get-resource-list-resp>" TAIL;
	struct play play;

	(void)state;
	begin(&play, BENCH_LOGON);
	assert_int_equal(judge(&play, SCRIPT_LIST, true, 200, list), 0);
	assert_string_equal(play.client.resource, "one");
	end(&play);
}

static void a_password_file_must_hold_one(void **state)
{
	struct play play;
	struct script *script;

	(void)state;
	begin(&play, BENCH_LOGON);
	write_password(&play, "\n");
	assert_int_equal(script_new(&play.options, &script, play.why), ERROR_INPUT);
	unlink(play.password);
	assert_int_equal(script_new(&play.options, &script, play.why), ERROR_SYSTEM);
	end(&play);
}

/* --- users who take turns --- */

static void users_take_turns(void **state)
{
	struct play play;
	struct roll *roll;

	(void)state;
	begin(&play, BENCH_LOGON);
	write_password(&play, "anna\r\n\n\tnobody\nzo\xc3\xab\tp <w>\tx\nlast");
	assert_int_equal(roll_read(play.password, &roll, play.why), 0);
	assert_int_equal(roll_count(roll), 3);
	assert_string_equal(roll_name(roll, 0), "anna");
	assert_null(roll_password(roll, 0));
	assert_string_equal(roll_name(roll, 1), "zo\xc3\xab");
	assert_string_equal(roll_password(roll, 1), "p <w>\tx");
	assert_string_equal(roll_name(roll, 2), "last");
	assert_string_equal(roll_name(roll, 3), "anna");
	roll_free(roll);
	write_password(&play, "\n\r\n");
	assert_int_equal(roll_read(play.password, &roll, play.why), ERROR_INPUT);
	unlink(play.password);
	assert_int_equal(roll_read(play.password, &roll, play.why), ERROR_SYSTEM);
	roll_free(NULL);
	end(&play);
}

/* Each client is another user, with his own password or the one of all. */
static void each_logon_is_another_user(void **state)
{
	struct play play;
	char users[80];
	FILE *file;

	(void)state;
	begin(&play, BENCH_LOGON);
	snprintf(users, sizeof(users), "%s.users", play.password);
	file = fopen(users, "w");
	assert_non_null(file);
	fputs("anna\nbert\town & his\n", file);
	fclose(file);
	script_free(play.script);
	play.options.user = NULL;
	play.options.roll_file = users;
	assert_int_equal(script_new(&play.options, &play.script, play.why), 0);
	for (int i = 0; i < 4; i++) {
		const char *body;

		strcpy(play.client.cookie, "old");
		script_begin(play.script, &play.client);
		assert_string_equal(play.client.cookie, "");
		body = body_of(&play, SCRIPT_AUTHENTICATE);
		assert_non_null(strstr(body,
			i % 2 == 0 ? "<username>anna</username>" : "<username>bert</username>"));
		assert_non_null(strstr(body,
			i % 2 == 0 ? "<password>se&lt;ret</password>"
				   : "<password>own &amp; his</password>"));
	}
	unlink(users);
	script_free(play.script);
	assert_int_not_equal(script_new(&play.options, &play.script, play.why), 0);
	play.script = NULL;
	end(&play);
}

/* --- options --- */

static int read_words(struct options *options, char *words)
{
	char *argv[24];
	int argc = 0;

	for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	optind = 0; /* getopt begins anew */
	return options_read(argc, argv, options);
}

static void what_belongs_together_is_asked_for(void **state)
{
	static const struct {
		const char *words;
		bool good;
	} cases[] = {
		{"x --user u --domain d --password-file p logon 127.0.0.1:1", true},
		{"x --users u --domain d --password-file p logon 127.0.0.1:1", true},
		{"x --user u --users u --domain d --password-file p logon 127.0.0.1:1", false},
		{"x --domain d --password-file p logon 127.0.0.1:1", false},
		{"x --users u --password-file p logon 127.0.0.1:1", false},
		{"x --users u --password-file p bind ldaps://127.0.0.1:636", true},
		{"x --users u --password-file p bind 127.0.0.1:636", false},
		{"x --users u bind ldap://127.0.0.1", false},
		{"x --password-file p bind ldap://127.0.0.1", false},
		{"x hello ldap://127.0.0.1", false},
		{"x --count 5 --sleep --addresses 40000 --patience 0.5 hello 127.0.0.1:1", true},
		{"x --count 0 hello 127.0.0.1:1", false},
		{"x --addresses 40001 hello 127.0.0.1:1", false},
		{"x --patience 0 hello 127.0.0.1:1", false},
		{"x --count 5 idle 127.0.0.1:1", false},
	};
	struct options options;
	char words[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(words, cases[i].words);
		assert_int_equal(read_words(&options, words) == 0, cases[i].good);
	}
	strcpy(words, "x --users u --password-file p --new-connections bind ldap://h");
	assert_int_equal(read_words(&options, words), 0);
	assert_int_equal(options.connections, 16);
	assert_string_equal(options.url, "ldap://h");
	assert_true(options.fresh);
	assert_false(options.sleep);
}

/* --- process --- */

static void processes_are_looked_up(void **state)
{
	struct process_use use;

	(void)state;
	assert_int_equal(process_use(getpid(), &use), 0);
	assert_true(use.resident > 100000);
	assert_true(use.cpu_seconds >= 0 && use.cpu_seconds < 3600);
	/* One more than the kernel ever gives. */
	assert_int_equal(process_use(4194305, &use), ERROR_NOT_FOUND);
}

static void processes_are_added_up(void **state)
{
	const pid_t pids[] = {getpid(), getpid(), 4194305};
	struct process_use use;
	double cpu = -1;
	uint64_t resident = 1;

	(void)state;
	assert_int_equal(process_use_all(pids, 0, &cpu, &resident), 0);
	assert_true(cpu >= 0 && cpu <= 0);
	assert_int_equal(resident, 0);
	assert_int_equal(process_use(pids[0], &use), 0);
	assert_int_equal(process_use_all(pids, 2, &cpu, &resident), 0);
	assert_true(resident > use.resident && resident < 3 * use.resident);
	assert_int_equal(process_use_all(pids, 3, &cpu, &resident), ERROR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_close),
		cmocka_unit_test(short_times_are_exact),
		cmocka_unit_test(odd_times_are_counted),
		cmocka_unit_test(tallies_are_joined),
		cmocka_unit_test(answers_come_in_any_pieces),
		cmocka_unit_test(what_is_not_one_answer_is_broken),
		cmocka_unit_test(the_hello_is_the_pages),
		cmocka_unit_test(requests_carry_what_was_learned),
		cmocka_unit_test(right_answers_are_told_from_wrong_ones),
		cmocka_unit_test(the_first_resource_is_taken),
		cmocka_unit_test(a_password_file_must_hold_one),
		cmocka_unit_test(users_take_turns),
		cmocka_unit_test(each_logon_is_another_user),
		cmocka_unit_test(what_belongs_together_is_asked_for),
		cmocka_unit_test(processes_are_looked_up),
		cmocka_unit_test(processes_are_added_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
