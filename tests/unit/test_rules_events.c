/*
 * Programs and rules cannot drift apart: each line of the table of events is logged as its program
 * logs it, read as the health check reads it, and must be known to the rule that it is written for.
 */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "health/read.h"
#include "identity/reason.h"
#include "service/event.h"

#define ID "0db55300-f3fa-103c-9a10-000000000000"
#define FILE_NAME "/tmp/test-rules-events-XXXXXX"

/* What an event's line must be to the rules. */
struct expected {
	enum event_id event;
	const char *pattern; /* "rule/pattern"; NULL: no rule needs the line */
	const char *message; /* what the event's parameters of these names are; NULL: any text */
	const char *result;
	int number;
};

#define LINE(event, pattern)                                                                       \
	{                                                                                          \
		EVENT_ID_##event, pattern, NULL, NULL, 1                                           \
	}
#define ANSWER(event, pattern, message, result)                                                    \
	{                                                                                          \
		EVENT_ID_##event, pattern, message, result, 1                                      \
	}
#define STAGE(event, pattern, number, message, result)                                             \
	{                                                                                          \
		EVENT_ID_##event, pattern, message, result, number                                 \
	}

static const struct expected table[] = {
	/* every program */
	LINE(program_started, "crash/started"),
	LINE(program_listening, NULL),
	LINE(program_ready, NULL),
	LINE(program_start_failed, "agent-start/program-failed"),
	LINE(program_stopping, NULL),
	LINE(program_stop_forced, "service-faults/stop-forced"),
	LINE(program_stopped, "crash/stopped"),
	LINE(program_rights_dropped, NULL),
	LINE(program_reloaded, NULL),
	LINE(program_reload_refused, "service-faults/reload-refused"),
	LINE(program_log_not_reopened, "service-faults/log-kept"),
	LINE(http_tls_failed, "service-faults/handshake"),
	LINE(http_refused, "service-faults/connection-refused"),
	LINE(http_bad_request, "service-faults/request-refused"),
	LINE(http_suppressed, NULL),
	LINE(message_refused, "service-faults/message-refused"),
	LINE(session_moved, NULL),
	LINE(work_full, "service-faults/calls-full"),

	/* logging on */
	LINE(logon_failed, "session-authentication/reason"),
	LINE(logon_unanswered, "session-authentication/reason"),
	LINE(logon_directory, "directory-time/answered"),
	LINE(logon_slow, "directory-time/slow"),
	LINE(logon_server_passed_over, "directory-time/passed-over"),
	LINE(logon_factor_passed_over, "radius-response/passed-over"),
	LINE(logon_groups_cut, NULL),
	LINE(logon_question, "session-authentication/question"),
	LINE(logon_factor, "radius-response/accepted"),
	LINE(logon_password_changed, NULL),
	LINE(logon_terms_accepted, NULL),
	LINE(logon_refused, "session-authentication/not-tried"),
	LINE(logon_limit, "guessed-passwords/limit"),

	/* broker */
	LINE(broker_session_created, "initiate-session/broker-session"),
	LINE(broker_session_ended, NULL),
	LINE(broker_manager_untrusted, NULL),
	LINE(broker_authenticated, "session-authentication/broker-complete"),
	ANSWER(broker_authenticate_failed, "session-authentication/broker-refused", NULL,
		"AUTH_FAILED_ACCESS_DENIED"),
	LINE(broker_listed, "resource-list/broker-listed"),
	LINE(broker_list_cut, "resource-list/broker-cut"),
	ANSWER(broker_list_failed, "resource-list/broker-refused", NULL,
		"LIST_FAILED_NO_ENTITLEMENT"),
	LINE(broker_allocated, "resource-allocation/broker-allocated"),
	ANSWER(broker_allocate_failed, "resource-allocation/broker-refused", NULL,
		"ALLOC_FAILED_TO_ALLOCATE_BROKER"),
	LINE(broker_host_occupied, "resource-allocation/broker-occupied"),
	LINE(broker_host_freed, NULL),

	/* manager */
	LINE(pcm_session_created, NULL),
	LINE(pcm_session_ended, NULL),
	STAGE(pcm_logon_ended, "resource-allocation/manager-logon-ended", 4, NULL, NULL),
	STAGE(pcm_broker_request, "initiate-session/manager-request", 1, "hello", NULL),
	STAGE(pcm_broker_request, "session-authentication/manager-request", 2, "authenticate",
		NULL),
	STAGE(pcm_broker_request, "resource-list/manager-request", 3, "get-resource-list", NULL),
	STAGE(pcm_broker_request, "resource-allocation/manager-request", 4, "allocate-resource",
		NULL),
	STAGE(pcm_broker_response, "initiate-session/manager-answer", 1, "hello", ""),
	STAGE(pcm_broker_response, "session-authentication/manager-complete", 2, "authenticate",
		"AUTH_SUCCESSFUL_AND_COMPLETE"),
	STAGE(pcm_broker_response, "session-authentication/manager-incomplete", 2, "authenticate",
		"AUTH_SUCCESSFUL_AND_INCOMPLETE"),
	STAGE(pcm_broker_response, "session-authentication/manager-refused", 2, "authenticate",
		"AUTH_FAILED_EXPIRED_PASSWORD"),
	STAGE(pcm_broker_response, "resource-list/manager-listed", 3, "get-resource-list",
		"LIST_SUCCESSFUL"),
	STAGE(pcm_broker_response, "resource-list/manager-refused", 3, "get-resource-list",
		"LIST_FAILED_NO_ENTITLEMENT"),
	STAGE(pcm_broker_response, "resource-allocation/manager-allocated", 4, "allocate-resource",
		"ALLOC_SUCCESSFUL"),
	STAGE(pcm_broker_response, "resource-allocation/manager-pending", 4, "allocate-resource",
		"ALLOC_PENDING_TRY_AGAIN"),
	STAGE(pcm_broker_response, "resource-allocation/manager-refused", 4, "allocate-resource",
		"ALLOC_FAILED_NO_LICENSE"),
	STAGE(pcm_broker_failed, "initiate-session/manager-silent", 1, "hello", NULL),
	STAGE(pcm_broker_failed, "session-authentication/manager-silent", 2, "authenticate", NULL),
	STAGE(pcm_broker_failed, "resource-list/manager-silent", 3, "get-resource-list", NULL),
	STAGE(pcm_broker_failed, "resource-allocation/manager-silent", 4, "allocate-resource",
		NULL),
	ANSWER(pcm_agent_request, "prepare-host/launch", "launch-session", NULL),
	ANSWER(pcm_agent_response, "prepare-host/launched", "launch-session", "SUCCESSFUL"),
	ANSWER(pcm_agent_response, "prepare-host/launch-refused", "launch-session",
		"FAILED_NO_LICENSE"),
	ANSWER(pcm_agent_failed, "prepare-host/launch-silent", "launch-session", NULL),
	LINE(pcm_certificate, "service-faults/doubtful-certificate"),
	LINE(pcm_target, NULL),

	/* agent */
	LINE(agent_begins, "crash/restarted"),
	LINE(agent_version, "agent-type/version"),
	LINE(agent_start_failed, "agent-start/failed"),
	LINE(agent_web_server_started, "agent-start/started"),
	LINE(agent_ends, NULL),
	LINE(agent_hello, "initiate-session/hello"),
	LINE(agent_authenticate, "session-authentication/received"),
	LINE(agent_logon_failed, "session-authentication/logon-failed"),
	LINE(agent_logon_hours, "session-authentication/logon-failed"),
	LINE(agent_logon_workstation, "session-authentication/logon-failed"),
	LINE(agent_logon_expired, "session-authentication/logon-failed"),
	LINE(agent_logon_disabled, "session-authentication/logon-failed"),
	LINE(agent_logon_denied, "session-authentication/logon-failed"),
	LINE(agent_logon_account_expired, "session-authentication/logon-failed"),
	LINE(agent_logon_must_change, "session-authentication/logon-failed"),
	LINE(agent_logon_locked, "session-authentication/logon-failed"),
	LINE(agent_authenticate_failed, "session-authentication/failed"),
	LINE(agent_get_resource_list, "resource-allocation/list"),
	LINE(agent_get_resource_list, "connection-path/list"),
	LINE(agent_allocate_resource, "resource-allocation/allocate"),
	LINE(agent_allocate_resource, "connection-path/allocate"),
	LINE(agent_bye, "pre-session/agent-bye"),
	LINE(agent_launch_refused, "prepare-host/not-from-here"),
	LINE(agent_busy, "prepare-host/busy"),
	LINE(agent_taken_over, NULL),
	LINE(agent_type_identified, "agent-type/identified"),
	LINE(agent_starting, "prepare-host/starting-session"),
	LINE(agent_starting_pcoip, "prepare-host/starting"),
	LINE(agent_license_acquired, "checkout-license/acquired"),
	LINE(agent_license_acquired, "license-expiry/days"),
	LINE(agent_license_acquired_unlimited, "checkout-license/acquired"),
	LINE(agent_license_path_ignored, "checkout-license/path-ignored"),
	LINE(agent_license_not_configured, "checkout-license/not-configured"),
	LINE(agent_license_no_seats, "checkout-license/no-seats"),
	LINE(agent_license_unreachable, "checkout-license/unreachable"),
	LINE(agent_license_failed, "checkout-license/failed"),
	LINE(agent_license_denied, "checkout-license/denied"),
	LINE(agent_license_grace, "license-grace-period/agent-expires"),
	LINE(agent_license_grace_ends, "license-grace-period/ends"),
	LINE(agent_license_renewed, NULL),
	LINE(agent_license_renew_failed, "checkout-license/renew-failed"),
	LINE(agent_license_renew_retry, NULL),
	LINE(agent_license_state_failed, "service-faults/grace-not-noted"),
	LINE(agent_license_returned, NULL),
	LINE(agent_license_return_failed, "service-faults/not-returned"),
	LINE(agent_transition_rule, NULL),
	LINE(agent_transition_connecting, NULL),
	LINE(agent_connection_response, NULL),
	LINE(agent_accepting, "accept-payload/accepting"),
	LINE(agent_connecting_on, "accept-payload/connecting-on"),
	LINE(agent_connection_refused, "accept-payload/tag-refused"),
	LINE(agent_connection_complete, "accept-payload/complete"),
	LINE(agent_transition_connected, "accept-payload/connected"),
	LINE(agent_connection_complete, "reconnects/connected"),
	LINE(agent_connection_complete, "log-gap/connected"),
	LINE(agent_udp_open, "accept-payload/udp-open"),
	LINE(agent_interrupted, "disconnect-session/interrupted"),
	LINE(agent_resumed, NULL),
	LINE(agent_closed, "disconnect-session/closed"),
	LINE(agent_closed, "crash/cause"),
	LINE(agent_closed, "log-gap/closed"),
	LINE(agent_close_code, "disconnect-session/close-code"),
	LINE(agent_disconnect_reason, "disconnect-session/reason"),
	LINE(agent_close_received, "disconnect-session/message-received"),
	LINE(agent_connection_closed, "disconnect-session/agent-closed"),
	LINE(agent_transition_stopped, NULL),
	LINE(agent_monitor_exiting, NULL),
	LINE(server_begins, "crash/begins"),
	LINE(server_power_saving, "monitor-power-saving/changing"),
	LINE(agent_awake_failed, "monitor-power-saving/not-held"),
	LINE(server_tx_times, "network-latency/times"),
	LINE(server_tx_rates, "bandwidth-cap/kilobits"),
	LINE(server_frames, "network-loss/frames"),
	LINE(server_frames, "frozen-image/frames"),
	LINE(server_ends, "crash/ends"),

	/* licence service */
	LINE(license_store_opened, NULL),
	LINE(license_store_failed, "checkout-license/service-store"),
	LINE(license_checked_out, "checkout-license/service-given"),
	LINE(license_renewed, NULL),
	LINE(license_returned, NULL),
	ANSWER(license_denied, "checkout-license/service-denied", NULL, "LICENSE_DENIED_EXPIRED"),
	ANSWER(license_refused, "checkout-license/service-refused", NULL, "LICENSE_UNKNOWN_LEASE"),
	LINE(license_expired, "service-faults/lease-left"),
	LINE(license_seats, NULL),

	/* client */
	LINE(client_query, NULL),
	LINE(client_query_answered, NULL),
	LINE(client_unreachable, "initiate-session/unreachable"),
	LINE(client_security_mode, "security-mode/mode"),
	LINE(client_certificate, "client-certificate/own"),
	LINE(client_request, NULL),
	ANSWER(client_response, NULL, "authenticate-resp", "AUTH_FAILED_ACCESS_DENIED"),
	ANSWER(client_failed, "initiate-session/client-failed", "initialise", NULL),
	ANSWER(client_failed, "session-authentication/client-failed", "authenticate", NULL),
	ANSWER(client_failed, "resource-list/client-failed", "get resources", NULL),
	ANSWER(client_failed, "resource-allocation/client-failed", "allocate and prepare the host",
		NULL),
	ANSWER(client_failed, "accept-payload/client-failed", "establish the session", NULL),
	ANSWER(client_failed, "checkout-license/client-failed", "validate the licence", NULL),
	ANSWER(client_failed, "disconnect-session/client-failed", "session", NULL),
	LINE(client_pre_session_complete, "pre-session/complete"),
	LINE(client_in_session, "accept-payload/client-begins"),
	LINE(client_connected_tcp, "accept-payload/client-tcp"),
	LINE(client_connected_tcp, "accept-payload/client-tcp"),
	LINE(client_connected, "accept-payload/client-connected"),
	LINE(client_active, "accept-payload/client-active"),
	LINE(client_license, "checkout-license/client-license"),
	LINE(client_closed, "disconnect-session/client-closed"),
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

static const char *text_of(const struct expected *expected, const char *parameter)
{
	if (strcmp(parameter, "message") == 0 && expected->message)
		return expected->message;
	if (strcmp(parameter, "result") == 0 && expected->result)
		return expected->result;
	if (strcmp(parameter, "program") == 0)
		return "fairlead-agent";
	if (strcmp(parameter, "address") == 0 || strcmp(parameter, "peer") == 0)
		return "192.0.2.30:4172";
	if (strcmp(parameter, "source") == 0)
		return "https://license.studio.example/request";
	return "example";
}

static int number_of(const struct expected *expected, const char *parameter)
{
	if (strcmp(parameter, "code") == 0)
		return 0;
	return strcmp(parameter, "number") == 0 ? expected->number : 3;
}

#define EVENT_TRY_
#define EVENT_TRY_TEXT(x) , text_of(expected, #x)
#define EVENT_TRY_NAME(x) , "studio"
#define EVENT_TRY_INT(x) , number_of(expected, #x)
#define EVENT_TRY_CODE(x) , 0x301U
#define EVENT_TRY_COUNT(x) , 17ULL
#define EVENT_TRY_REAL(x) , 0.25
#define EVENT_EACH_TRY(...) EVENT_EACH(TRY, __VA_ARGS__)

static void log_one(struct log *log, const struct expected *expected)
{
	switch (expected->event) {
#define EVENT(name, component, level, rc, format, params, description)                             \
	case EVENT_ID_##name:                                                                      \
		event_##name(log, ID EVENT_EACH_TRY params);                                       \
		break;
#include "service/event.def"
#undef EVENT
	case EVENT_COUNT:
		fail();
	}
}

/* The line as it stands in a log. */
static size_t written(const struct expected *expected, char *text, size_t size)
{
	char name[] = FILE_NAME;
	int descriptor = mkstemp(name);
	struct clock_fake clock;
	struct log_options options = {
		.file = name, .level = LOG_DEBUG, .names = LOG_NAMES_CLEAR, .clock = &clock.clock};
	struct log *log;
	FILE *file;
	size_t length;

	assert_true(descriptor >= 0);
	close(descriptor);
	clock_fake_init(&clock, INT64_C(1715675400000000));
	assert_int_equal(log_open(&options, &log), 0);
	log_one(log, expected);
	log_close(log);
	file = fopen(name, "r");
	assert_non_null(file);
	length = fread(text, 1, size, file);
	fclose(file);
	unlink(name);
	assert_true(length > 0 && length < size);
	return length;
}

static bool is_pattern(const struct rule_pattern *pattern, const char *name)
{
	size_t length = strlen(pattern->rule->id);

	return strncmp(name, pattern->rule->id, length) == 0 && name[length] == '/' &&
		strcmp(name + length + 1, pattern->id) == 0;
}

static bool is_known(const struct store *store, const char *name)
{
	for (size_t i = 0; i < store->sighting_count; i++)
		if (is_pattern(store->book->patterns[store->sightings[i].pattern], name))
			return true;
	for (size_t i = 0; i < store->series_count; i++)
		if (is_pattern(store->series[i].measure->pattern, name))
			return true;
	return false;
}

static void test_rules_know_the_lines(void **state)
{
	const struct rule_book *book = *state;

	for (size_t i = 0; i < TABLE_COUNT; i++) {
		const struct expected *expected = &table[i];
		char text[4096];
		size_t length = written(expected, text, sizeof(text));
		struct store *store;

		assert_int_equal(read_bytes(book, "agent.log", text, length, NULL, &store), 0);
		if (expected->pattern && !is_known(store, expected->pattern))
			fail_msg("%s does not know: %.*s", expected->pattern, (int)length, text);
		if (!expected->pattern && store->sighting_count + store->series_count > 0)
			fail_msg("a rule knows, the table does not: %.*s", (int)length, text);
		store_free(store);
	}
}

static void test_every_event_is_in_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		bool found = false;

		for (size_t j = 0; j < TABLE_COUNT; j++)
			found = found || table[j].event == (enum event_id)i;
		if (!found)
			fail_msg("no rule was considered for event %s", event_info(i)->name);
	}
}

/* The rule names a cause for this very value, and not only for any other. */
static void assert_named(const struct rule_book *book, const char *id, const char *by,
	const char *value, const char *name)
{
	const struct rule *rule = rule_book_find(book, id);
	const struct rule_cause *cause;

	assert_non_null(rule);
	cause = rule_cause_by(rule, by, value, strlen(value));
	if (!cause || strcmp(cause->value, "*") == 0)
		fail_msg("%s has no cause for %s", id, name);
	assert(cause != NULL);
	if (!cause->name || !strstr(cause->name, name))
		fail_msg("%s calls %s %s", id, name, cause->name ? cause->name : "nothing");
}

/* Each reason that a logon fails for has a cause of its own, by its phrase. */
static void test_reasons_have_causes(void **state)
{
	const struct rule *rule = rule_book_find(*state, "session-authentication");

	assert_non_null(rule);
	for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
		const struct reason_info *info = reason_info(reason);

		/* A refusal by the guard is an event of its own. */
		if (result_info(info->result)->outcome != OUTCOME_FAILED ||
			reason == REASON_GUARDED)
			continue;
		if (rule_cause_by(rule, "reason", info->phrase, strlen(info->phrase)) == NULL)
			fail_msg("session-authentication has no cause for '%s'", info->phrase);
	}
}

/* Each code of the system that the agent writes for a logon that failed. */
static void test_logon_codes_have_causes(void **state)
{
	static const struct {
		const char *event, *code;
	} rows[] = {
#define EVENT(name, component, level, code, format, fields, about) {#name, #code},
#include "service/event.def"
#undef EVENT
	};
	const struct rule *rule = rule_book_find(*state, "session-authentication");
	unsigned seen = 0;

	assert_non_null(rule);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strncmp(rows[i].event, "agent_logon_", 12) != 0)
			continue;
		if (rule_cause_by(rule, "rc", rows[i].code, strlen(rows[i].code)) == NULL)
			fail_msg("session-authentication has no cause for the code %s of %s",
				rows[i].code, rows[i].event);
		seen++;
	}
	assert_true(seen > 0);
}

/* Each result that refuses something, without the prefix that the patterns take off. */
static void test_results_have_causes(void **state)
{
	const struct rule_book *book = *state;
	static const struct {
		const char *prefix, *rule, *by;
	} groups[] = {
		{"AUTH_FAILED_", "session-authentication", "result"},
		{"AUTH_FAILED_", "client-broker-result", "result"},
		{"LIST_FAILED_", "resource-list", "result"},
		{"LIST_FAILED_", "client-broker-result", "result"},
		{"ALLOC_FAILED_", "resource-allocation", "result"},
		{"ALLOC_FAILED_", "client-broker-result", "result"},
		{"ERR_", "client-broker-result", "result"},
		{"FAILED_", "prepare-host", "result"},
		{"LICENSE_DENIED_", "checkout-license", "denial"},
	};
	static const char *const results[] = {
#define RESULT(name, group, outcome, origin, text) #name,
#include "protocol/results.def"
#undef RESULT
	};

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		for (size_t j = 0; j < sizeof(groups) / sizeof(groups[0]); j++) {
			size_t length = strlen(groups[j].prefix);

			if (strncmp(results[i], groups[j].prefix, length) == 0)
				assert_named(book, groups[j].rule, groups[j].by,
					results[i] + length, results[i] + length);
		}
	}
}

static void test_disconnect_causes_are_known(void **state)
{
	static const struct {
		unsigned number;
		const char *name;
	} causes[] = {
#define CAUSE(name, number, vendor, meaning) {number, vendor},
#include "protocol/causes.def"
#undef CAUSE
	};

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		char hexadecimal[16], decimal[16];
		/* The vendor's name of this one is not published. */
		const char *name = causes[i].number == 0x300 ? "0x300" : causes[i].name;

		snprintf(hexadecimal, sizeof(hexadecimal), "0x%03x", causes[i].number);
		snprintf(decimal, sizeof(decimal), "%u", causes[i].number);
		assert_named(*state, "disconnect-session", "cause", hexadecimal, name);
		assert_named(*state, "disconnect-session", "cause", decimal, name);
	}
}

static int set_up(void **state)
{
	struct rule_book *book;
	struct rule_fault fault;
	int error = rule_book_load(NULL, &book, &fault);

	if (error != 0)
		print_error("%s\n", fault.text);
	*state = book;
	return error;
}

static int tear_down(void **state)
{
	rule_book_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_know_the_lines),
		cmocka_unit_test(test_every_event_is_in_the_table),
		cmocka_unit_test(test_reasons_have_causes),
		cmocka_unit_test(test_logon_codes_have_causes),
		cmocka_unit_test(test_results_have_causes),
		cmocka_unit_test(test_disconnect_causes_are_known),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
