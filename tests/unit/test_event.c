#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/uuid.h"
#include "service/event.h"

#define ID "49756700-6f13-1039-a32b-02c4a91e7d01"
#define FILE_NAME "/tmp/test-event-XXXXXX"

struct fixture {
	char file[sizeof(FILE_NAME)];
	struct clock_fake clock;
	struct log *log;
	char text[4096];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct log_options options = {.level = LOG_DEBUG, .names = LOG_NAMES_MASKED};
	int descriptor;

	assert_non_null(fixture);
	strcpy(fixture->file, FILE_NAME);
	descriptor = mkstemp(fixture->file);
	assert_true(descriptor >= 0);
	close(descriptor);
	clock_fake_init(&fixture->clock, INT64_C(1616620259601000));
	options.file = fixture->file;
	options.clock = &fixture->clock.clock;
	assert_int_equal(log_open(&options, &fixture->log), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	log_close(fixture->log);
	unlink(fixture->file);
	free(fixture);
	return 0;
}

/* What was logged since the last call. */
static const char *logged(struct fixture *fixture)
{
	FILE *file;
	size_t length;

	log_flush(fixture->log);
	file = fopen(fixture->file, "r+");
	assert_non_null(file);
	length = fread(fixture->text, 1, sizeof(fixture->text) - 1, file);
	fixture->text[length] = '\0';
	assert_int_equal(ftruncate(fileno(file), 0), 0);
	fclose(file);
	return fixture->text;
}

#define STAMP "2021-03-24T21:10:59.601Z "

/* Lines of real agents, letter for letter. */
static void test_vendor_lines(void **state)
{
	struct fixture *fixture = *state;
	struct log *log = fixture->log;

	event_agent_hello(log, ID);
	assert_string_equal(logged(fixture),
		STAMP ID " > LVL:2 RC:   0           AGENT :Received hello command!\n");
	event_agent_logon_failed(log, ID, "teradici1", "teradicia");
	assert_string_equal(logged(fixture),
		STAMP ID " > LVL:1 RC:1326           AGENT :LogonUser failed: username: t*****1, "
			 "domain: t*****a\n");
	event_agent_authenticate_failed(log, NULL, "teradici1", "teradicia");
	assert_string_equal(logged(fixture),
		STAMP UUID_ZERO " > LVL:2 RC:   0           AGENT :Failed to authenticate user "
				"'t*****1' with domain 't*****a'\n");
	event_agent_license_acquired(
		log, NULL, "http://license:7070/request", 0.7, "local-settings", 290);
	assert_string_equal(logged(fixture),
		STAMP UUID_ZERO " > LVL:2 RC:   0           AGENT :License acquired; source: "
				"http://license:7070/request; "
				"time: 0.70 s; origin: local-settings; remaining: 290 days;\n");
	event_agent_transition_connected(log, NULL);
	assert_string_equal(logged(fixture),
		STAMP UUID_ZERO " > LVL:1 RC:   0           AGENT :transition from CONNECTING "
				"--(CONNECTION_COMPLETE [102])--> CONNECTED\n");
	event_agent_accepting(log, NULL, "10.20.30.41:58066");
	assert_string_equal(logged(fixture),
		STAMP UUID_ZERO " > LVL:2 RC:   0           SCNET :(scnet_open_accepted_socket): "
				"Server accepting connection "
				"from 10.20.30.41:58066.\n");
	event_agent_close_code(
		log, ID, "HOST_BROKER_SESSION_EXPIRY_TIMEOUT", 0x102, "NETWORK_INTERRUPTION", 3);
	assert_string_equal(logged(fixture),
		STAMP ID
		" > LVL:1 RC:   0          SERVER :map_disconnect_cause_to_agent_close_code: "
		"PCOIP_DISCONNECT_CAUSE_HOST_BROKER_SESSION_EXPIRY_TIMEOUT(0x102) -> "
		"PCOIP_AGENT_CLOSE_CODE_NETWORK_INTERRUPTION(3)\n");
	event_server_tx_times(log, ID, 11, 3, 114, 10, 17);
	assert_string_equal(logged(fixture),
		STAMP ID " > LVL:2 RC:   0 MGMT_PCOIP_DATA :Tx thread info: round trip time (ms) = "
			 " 11, variance =   3, "
			 "rto = 114, last =  10, max =  17\n");
	event_server_frames(log, ID, 1069355, 1101689, 102099, 0, 0, 1469033, 1.12, 0.0);
	assert_string_equal(logged(fixture),
		STAMP ID " > LVL:1 RC:   0           VGMAC :Stat frms: R=1069355/1101689/102099  "
			 "T=000000/000000/1469033 "
			 "(A/I/O) Loss=1.12%/0.00% (R/T)\n");
	event_agent_closed(log, ID, 0);
	assert_string_equal(logged(fixture),
		STAMP ID " > LVL:2 RC:   0          SERVER :TERA_PCOIP: "
			 "SESSION_EVENT=TERA_MGMT_SYS_SESS_EVENT_CLOSED, "
			 "disconnect cause (0x000)\n");
}

static void test_hostile_text(void **state)
{
	struct fixture *fixture = *state;
	const char *text;

	event_message_refused(
		fixture->log, ID, "192.0.2.1", "ERR_INVALID_MSG_FORMAT", "a\n%n%s\x1b[2J");
	text = logged(fixture);
	assert_non_null(strstr(text, "(a\\x0A%n%s\\x1B[2J)\n"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	event_broker_authenticated(fixture->log, ID, "a\nb", NULL, 0.25);
	assert_non_null(
		strstr(logged(fixture), "User 'a*****b' of domain '' authenticated in 0.250 s\n"));
}

static void test_levels_and_no_log(void **state)
{
	struct fixture *fixture = *state;

	event_agent_hello(NULL, ID);
	assert_int_equal(log_reopen(fixture->log, LOG_ERROR, LOG_NAMES_CLEAR), 0);
	event_agent_hello(fixture->log, ID);
	assert_string_equal(logged(fixture), "");
	event_agent_logon_failed(fixture->log, ID, "teradici1", "d");
	assert_non_null(strstr(logged(fixture), "username: teradici1, domain: d\n"));
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		const struct event_info *event = event_info(i);
		size_t length = strlen(event->component);
		size_t conversions = 0, params = 0;

		assert_true(length >= 1 && length <= 15);
		for (size_t k = 0; k < length; k++)
			assert_true(isupper((unsigned char)event->component[k]) ||
				event->component[k] == '_');
		assert_true(event->level >= LOG_CRITICAL && event->level <= LOG_DEBUG);
		assert_true(
			event->rc == 0 || event->rc == -500 || event->rc == -504 || event->rc > 0);
		assert_true(strlen(event->format) > 0 && strchr(event->format, '\n') == NULL);
		assert_true(strlen(event->description) > 0);
		assert_int_equal(event->description[strlen(event->description) - 1], '.');
		for (size_t k = i + 1; k < EVENT_COUNT; k++) {
			assert_string_not_equal(event->name, event_info(k)->name);
			/* One text of one component may come with several codes. */
			if (strcmp(event->format, event_info(k)->format) == 0 &&
				event->rc == event_info(k)->rc)
				assert_string_not_equal(event->component, event_info(k)->component);
		}
		/* The compiler checks types; this, that no conversion is left without a parameter.
		 */
		for (const char *at = event->format; (at = strchr(at, '%')) != NULL;
			at += 1 + (at[1] == '%'))
			conversions += at[1] != '%';
		for (const char *at = event->params + 1; (at = strchr(at, '(')) != NULL; at++)
			params++;
		assert_int_equal(conversions, params);
	}
}

/* Persons and machines are masked, secrets are not there at all. */
static void test_table_names(void **state)
{
	static const char *const persons[] = {"user", "domain", "host", "client", "refused"};
	static const char *const secrets[] = {"password", "cookie", "tag", "secret", "key"};

	(void)state;
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		const char *params = event_info(i)->params;
		char item[64];

		for (size_t k = 0; k < sizeof(persons) / sizeof(persons[0]); k++) {
			snprintf(item, sizeof(item), "TEXT(%s)", persons[k]);
			/* The user a program becomes is an account of the machine. */
			if (strcmp(event_info(i)->name, "program_rights_dropped") != 0)
				assert_null(strstr(params, item));
		}
		for (size_t k = 0; k < sizeof(secrets) / sizeof(secrets[0]); k++)
			assert_null(strstr(params, secrets[k]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_vendor_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_levels_and_no_log, set_up, tear_down),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
