/*
 * What must never be in a log or a capture, at the highest level: passwords, cookies, tags. And
 * names only as the log may show them.
 */
#include <assert.h>
#include <dirent.h>
#include <unistd.h>

#include "broker_stage.h"

#define TEXTS_MAXIMUM (1 << 20)
#define WRONG_PASSWORD "battery staple"
#define TAG "c2VjcmV0LXRhZw"

static struct broker_stage stage;
static char folder[40], file[64];

static int set_up(void **state)
{
	struct endpoint_options endpoint = {
		.name = "BROKER",
		.roots = MESSAGE_ROOTS_BROKERING,
		.routes = broker_routes,
		.route_count = broker_route_count,
		.page = "a broker\n",
		.capture = folder,
		.user = &stage.broker,
	};
	struct log_options log = {.file = file, .level = LOG_DEBUG, .names = LOG_NAMES_MASKED};

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/fairlead-secrets-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/log", folder);
	broker_stage_begin(&stage, BROKER_YAML, 0);
	log.clock = stage.scenario.loop.clock;
	assert_int_equal(log_open(&log, &stage.scenario.loop.log), 0);
	endpoint_free(stage.broker.endpoint);
	endpoint.sessions = stage.broker.sessions;
	assert_int_equal(endpoint_new(&endpoint, &stage.broker.endpoint), 0);
	return 0;
}

static int tear_down(void **state)
{
	struct dirent *entry;
	char path[320];
	DIR *listing;

	(void)state;
	log_close(stage.scenario.loop.log);
	broker_stage_end(&stage);
	listing = opendir(folder);
	assert_non_null(listing);
	while ((entry = readdir(listing)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		(void)unlink(path);
	}
	closedir(listing);
	return rmdir(folder);
}

/* Everything that was written, and how many files it stands in. */
static char *read_all(unsigned *ret_files)
{
	char *text = malloc(TEXTS_MAXIMUM);
	DIR *listing = opendir(folder);
	struct dirent *entry;
	size_t length = 0;
	char path[320];

	assert(text != NULL && listing != NULL);
	*ret_files = 0;
	while ((entry = readdir(listing)) != NULL) {
		FILE *from;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		from = fopen(path, "r");
		assert_non_null(from);
		length += fread(text + length, 1, TEXTS_MAXIMUM - 1 - length, from);
		assert_true(length < TEXTS_MAXIMUM - 1);
		fclose(from);
		(*ret_files)++;
	}
	closedir(listing);
	text[length] = '\0';
	return text;
}

static void test_nothing_leaks(void **state)
{
	static const char *const never[] = {SCENARIO_PASSWORD, WRONG_PASSWORD, TAG, ">alice<",
		"'alice'", "desk-7", "JSESSIONID"};
	char cookie[SESSIONS_COOKIE_SIZE];
	struct scenario_answer *answer;
	struct scenario_request broken = {
		.endpoint = stage.broker.endpoint,
		.root = ROOT_CLIENT,
		.body = "<pcoip-client version=\"2.1\"><authenticate method=\"password\">"
			"<username>alice</username><password>" WRONG_PASSWORD "</username>",
	};
	unsigned files;
	char *text;

	(void)state;
	broker_stage_hello(&stage, ROOT_CLIENT, cookie);
	(void)broker_stage_ask(
		&stage, ROOT_CLIENT, cookie, AUTHENTICATE_AS("alice", WRONG_PASSWORD));
	(void)broker_stage_ask(
		&stage, ROOT_CLIENT, cookie, AUTHENTICATE_AS("alice", SCENARIO_PASSWORD));
	(void)broker_stage_ask(&stage, ROOT_CLIENT, cookie, LIST);
	answer = broker_stage_start(&stage, ROOT_CLIENT, cookie, ALLOCATE("edit"));
	scenario_reply(&stage.scenario, scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION),
		"<launch-session-resp><result-id>SUCCESSFUL</result-id><session-info>"
		"<ip-address>10.1.0.11</ip-address><sni>edit-01.example</sni><port>4172</port>"
		"<session-id>7</session-id><session-tag>" TAG "</session-tag></session-info>"
		"</launch-session-resp>",
		NULL);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG, TAG);
	(void)broker_stage_ask(&stage, ROOT_CLIENT, cookie, BYE);
	(void)broker_stage_ask(&stage, ROOT_CLIENT, cookie, BYE);
	(void)scenario_send(&stage.scenario, &broken);

	log_flush(stage.scenario.loop.log);
	text = read_all(&files);
	/* It is all there: the log, and one file per message. */
	assert_int_equal(files, 1 + 7 * 2 + 1);
	assert_non_null(strstr(text, "<connect-tag>*****</connect-tag>"));
	assert_non_null(strstr(text, "<password>*****</password>"));
	assert_non_null(strstr(text, "<username>a*****e</username>"));
	assert_non_null(strstr(text, SCENARIO_LOG_ID));
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		if (strstr(text, never[i]) != NULL)
			fail_msg("'%s' was written", never[i]);
	}
	if (strstr(text, cookie) != NULL)
		fail_msg("the cookie was written");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_leaks, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
