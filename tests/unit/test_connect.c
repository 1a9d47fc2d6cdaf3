/* The flow against fake peers: every way to pass, and every way to fail. */

#include "connect_fake.h"

static bool holds(const struct record *record, const char *text)
{
	const char *bytes = (const char *)record;
	size_t length = strlen(text);

	for (size_t i = 0; i + length <= sizeof(*record); i++) {
		if (memcmp(bytes + i, text, length) == 0)
			return true;
	}
	return false;
}

static void six_stages_pass(void **state)
{
	static const enum message_id order[] = {MESSAGE_HELLO, MESSAGE_HELLO, MESSAGE_AUTHENTICATE,
		MESSAGE_GET_RESOURCE_LIST, MESSAGE_ALLOCATE_RESOURCE, MESSAGE_BYE};
	struct run *run = *state;
	const struct record *record = play(run);

	assert_int_equal(record_exit(record), 0);
	for (int i = RECORD_INITIALISE; i < RECORD_STAGE_END; i++)
		assert_int_equal(record->stages[i].state, RECORD_PASSED);
	assert_int_equal(run->started, 6);
	assert_int_equal(run->finished, 6);
	assert_int_equal(run->asked_count, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(run->asked[i], order[i]);
		assert_string_equal(run->log_ids[i], i == 0 ? UUID_ZERO : record->log_id);
		assert_int_equal(run->cookies[i], i > 0);
	}
	assert_false(run->probe_has_caps);
	assert_true(run->hello_has_caps);
	assert_int_equal(run->caps, 2);
	assert_int_equal(run->logon_ms, 90000);
	assert_string_equal(run->product, "Fairlead Client");
	assert_string_equal(run->domain, "CORP");
	assert_string_equal(run->sent_password, PASSWORD);
	assert_int_equal(strlen(run->mac), 17);
	assert_memory_equal(run->mac, "02:", 3);
	assert_string_equal(run->tag, TAG);
	assert_string_equal(run->sni, "sni.example");
	assert_int_equal(run->link.port, 4172);
	assert_true(run->link.session == UINT64_C(2305843009213693961));
	assert_int_equal(run->closed_with, LINK_CAUSE_MANUAL_USER_DISCONNECT);
	assert_true(record->has_cause);
	assert_int_equal(record->cause, 0x301);
	assert_int_equal(record->path, RECORD_PATH_MANAGER);
	assert_true(record->has_quality);
	/* Nothing secret stays behind. */
	assert_false(holds(record, PASSWORD));
	assert_false(holds(record, TAG));
	assert_true(holds(record, "sni.example"));
}

static void direct_and_broker_are_told_apart(void **state)
{
	struct run *run = *state;

	run->script.path = RECORD_PATH_DIRECT;
	assert_int_equal(play(run)->path, RECORD_PATH_DIRECT);
	assert_string_equal(record_path_text(RECORD_PATH_DIRECT), "direct");
}

static void a_broker_without_manager(void **state)
{
	struct run *run = *state;

	run->script.path = RECORD_PATH_BROKER;
	assert_int_equal(play(run)->path, RECORD_PATH_BROKER);
	assert_string_equal(record_path_text(RECORD_PATH_BROKER), "brokered");
}

/* One way to fail: what is done to the script, and what must come of it. */
struct failing {
	void (*arrange)(struct run *run);
	int exit;
	const char *result_id; /* "": none */
	const char *meaning;
	bool bye;
};

/* clang-format off */
#define ARRANGE(name, statement) static void name(struct run *run) { statement; }
ARRANGE(unreachable, run->script.error[MESSAGE_HELLO] = ERROR_UNREACHABLE)
ARRANGE(silent, run->script.error[MESSAGE_HELLO] = ERROR_TIMEOUT)
ARRANGE(untrusted, run->script.error[MESSAGE_HELLO] = ERROR_UNTRUSTED;
	run->script.troubles = CERTIFICATE_EXPIRED)
ARRANGE(not_a_broker, run->script.error[MESSAGE_HELLO] = ERROR_INPUT)
ARRANGE(old_version, run->script.error_resp[MESSAGE_HELLO] = RESULT_ERR_UNSUPPORTED_VERSION)
ARRANGE(wrong_password,
	run->script.result[MESSAGE_AUTHENTICATE] = RESULT_AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD)
ARRANGE(second_factor,
	run->script.result[MESSAGE_AUTHENTICATE] = RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE)
ARRANGE(lost_at_login, run->script.error[MESSAGE_AUTHENTICATE] = ERROR_CLOSED)
ARRANGE(no_password, run->passwords = 0)
ARRANGE(other_method, run->script.other_method = true)
ARRANGE(no_entitlement,
	run->script.result[MESSAGE_GET_RESOURCE_LIST] = RESULT_LIST_FAILED_NO_ENTITLEMENT)
ARRANGE(empty_list, run->script.empty_list = true)
ARRANGE(none_named, run->script.resources = 3)
ARRANGE(wrong_name, run->options.resource = "Desk 9")
ARRANGE(no_port, run->script.result[MESSAGE_ALLOCATE_RESOURCE]
	= RESULT_ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE)
ARRANGE(no_license, run->script.result[MESSAGE_ALLOCATE_RESOURCE] = RESULT_ALLOC_FAILED_NO_LICENSE)
ARRANGE(forgotten, run->script.error_resp[MESSAGE_ALLOCATE_RESOURCE] = RESULT_ERR_UNKNOWN_SESSION)
ARRANGE(no_target, run->script.no_target = true)
ARRANGE(tcp_blocked, run->script.link_ends = true; run->script.link_error = ERROR_UNREACHABLE)
ARRANGE(udp_blocked, run->script.link_ends = true; run->script.link_error = ERROR_TIMEOUT;
	run->script.link_cause = LINK_CAUSE_PCOIP_OPEN_TIMEOUT)
ARRANGE(tag_expired, run->script.link_ends = true; run->script.link_error = ERROR_REFUSED;
	run->script.link_refusal = LINK_REFUSED_EXPIRED)
ARRANGE(agent_untrusted, run->script.link_ends = true; run->script.link_error = ERROR_UNTRUSTED)
ARRANGE(denied, run->script.license_denied = true)
ARRANGE(license_silent, run->script.license_silent = true)
/* clang-format on */

static struct failing table[32];

static size_t fill_table(void)
{
	const struct failing rows[] = {
		{unreachable, 11, "", advice_error(ADVICE_BROKERING, ERROR_UNREACHABLE).meaning,
			false},
		{silent, 11, "", advice_error(ADVICE_BROKERING, ERROR_TIMEOUT).meaning, false},
		{untrusted, 11, "",
			advice_certificate(ADVICE_BROKERING, CERTIFICATE_EXPIRED).meaning, false},
		{not_a_broker, 11, "", advice_error(ADVICE_BROKERING, ERROR_INPUT).meaning, false},
		{old_version, 11, "ERR_UNSUPPORTED_VERSION",
			advice_result(RESULT_ERR_UNSUPPORTED_VERSION).meaning, false},
		{wrong_password, 12, "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD",
			advice_result(RESULT_AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD).meaning,
			true},
		{second_factor, 12, "AUTH_SUCCESSFUL_AND_INCOMPLETE",
			advice_result(RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE).meaning, true},
		{lost_at_login, 12, "", advice_error(ADVICE_BROKERING, ERROR_CLOSED).meaning,
			false},
		{no_password, 12, "", advice_case(ADVICE_CASE_NO_PASSWORD).meaning, true},
		{other_method, 12, "", advice_case(ADVICE_CASE_OTHER_METHOD).meaning, true},
		{no_entitlement, 13, "LIST_FAILED_NO_ENTITLEMENT",
			advice_result(RESULT_LIST_FAILED_NO_ENTITLEMENT).meaning, true},
		{empty_list, 13, "", advice_case(ADVICE_CASE_NO_RESOURCES).meaning, true},
		{none_named, 13, "", advice_case(ADVICE_CASE_RESOURCE_NOT_NAMED).meaning, true},
		{wrong_name, 13, "", advice_case(ADVICE_CASE_RESOURCE_NOT_FOUND).meaning, true},
		{no_port, 14, "ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE",
			advice_result(RESULT_ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE)
				.meaning,
			true},
		{no_license, 14, "ALLOC_FAILED_NO_LICENSE",
			advice_result(RESULT_ALLOC_FAILED_NO_LICENSE).meaning, true},
		{forgotten, 14, "ERR_UNKNOWN_SESSION",
			advice_result(RESULT_ERR_UNKNOWN_SESSION).meaning, false},
		{no_target, 14, "ALLOC_SUCCESSFUL", advice_case(ADVICE_CASE_NO_TARGET).meaning,
			true},
		{tcp_blocked, 15, "", advice_error(ADVICE_SESSION, ERROR_UNREACHABLE).meaning,
			true},
		{udp_blocked, 15, "", advice_cause(LINK_CAUSE_PCOIP_OPEN_TIMEOUT).meaning, true},
		{tag_expired, 15, "", advice_refusal(LINK_REFUSED_EXPIRED).meaning, true},
		{agent_untrusted, 15, "",
			advice_certificate(ADVICE_SESSION, CERTIFICATE_SELF_SIGNED).meaning, true},
		{denied, 16, "", advice_case(ADVICE_CASE_LICENSE_NOT_GRANTED).meaning, true},
		{license_silent, 16, "", advice_case(ADVICE_CASE_LICENSE_SILENT).meaning, true},
	};

	assert_true(sizeof(rows) <= sizeof(table));
	memcpy(table, rows, sizeof(rows));
	return sizeof(rows) / sizeof(rows[0]);
}

static void every_failure_names_its_stage(void **state)
{
	size_t count = fill_table();

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct failing *row = &table[i];
		const struct record *record;
		struct run *run;
		void *own;

		set_up(&own);
		run = own;
		row->arrange(run);
		record = play(run);
		if (record_exit(record) != row->exit)
			print_error("row %zu\n", i);
		assert_int_equal(record_exit(record), row->exit);
		assert_true(record->failed);
		assert_int_equal(record->stages[row->exit - 10].state, RECORD_FAILED);
		for (int k = RECORD_INITIALISE; k < RECORD_STAGE_END; k++) {
			if (k < row->exit - 10)
				assert_int_equal(record->stages[k].state, RECORD_PASSED);
			if (k > row->exit - 10)
				assert_int_equal(record->stages[k].state, RECORD_WAITING);
		}
		assert_string_equal(record->failure.result_id, row->result_id);
		assert_string_equal(record->failure.advice.meaning, row->meaning);
		assert_int_equal(run->asked[run->asked_count - 1] == MESSAGE_BYE, row->bye);
		tear_down(&own);
	}
}

static void the_servers_words_are_kept(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->script.error_resp[MESSAGE_GET_RESOURCE_LIST] = RESULT_ERR_INTERNAL;
	record = play(run);
	assert_string_equal(record->failure.text, result_info(RESULT_ERR_INTERNAL)->text);
	assert_string_equal(record->failure.detail, "the detail");
	assert_int_equal(record_exit(record), 13);
}

static void a_wrong_password_may_be_typed_again(void **state)
{
	struct run *run = *state;

	run->script.refusals = 2;
	run->passwords = 3;
	assert_int_equal(record_exit(play(run)), 0);
}

static void a_host_that_starts_is_waited_for(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->script.pending = 4;
	record = play(run);
	assert_int_equal(record_exit(record), 0);
	assert_int_equal(run->asked_count, 10);
}

static void nothing_asked_is_nothing_answered(void **state)
{
	struct run *run = *state;

	run->script.no_methods = true;
	assert_int_equal(record_exit(play(run)), 0);
	assert_int_equal(run->asked[2], MESSAGE_GET_RESOURCE_LIST);
	assert_string_equal(run->sent_password, "");
}

static void resources_are_named_in_any_case(void **state)
{
	struct run *run = *state;

	run->script.resources = 3;
	run->options.resource = "DESK 2";
	assert_int_equal(record_exit(play(run)), 0);
	assert_string_equal(run->chosen, "id-2");
}

static void somebody_may_choose(void **state)
{
	struct run *run = *state;

	run->script.resources = 3;
	run->choice = 1;
	assert_int_equal(record_exit(play(run)), 0);
	assert_string_equal(run->chosen, "id-1");
}

static void a_list_is_all(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->script.resources = 3;
	run->options.list_only = true;
	record = play(run);
	assert_int_equal(record_exit(record), 0);
	assert_int_equal(record->resource_count, 3);
	assert_string_equal(record->resources[2].name, "Desk 2");
	assert_int_equal(run->asked[run->asked_count - 1], MESSAGE_BYE);
	assert_int_equal(record->stages[RECORD_ALLOCATE].state, RECORD_WAITING);
}

static void given_domains_win(void **state)
{
	struct run *run = *state;

	run->options.domain = "LAB";
	play(run);
	assert_string_equal(run->domain, "LAB");
}

static void a_grace_period_passes_with_a_warning(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->script.license_grace = true;
	record = play(run);
	assert_int_equal(record_exit(record), 0);
	assert_true(record->stages[RECORD_LICENSE].warned);
}

static void warnings_about_certificates_are_seen(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->script.troubles = CERTIFICATE_SELF_SIGNED;
	run->options.verify = CERTIFICATE_VERIFY_WARN;
	record = play(run);
	assert_int_equal(record_exit(record), 0);
	assert_int_equal(record->notice_count, 2); /* the server's and the agent's */
	assert_int_equal(record->certificate.troubles, CERTIFICATE_SELF_SIGNED);
}

static void a_session_that_is_lost_has_its_own_status(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->options.hold = -1;
	run->script.lost_later = true;
	run->script.link_error = ERROR_TIMEOUT;
	record = play(run);
	assert_int_equal(record_exit(record), RECORD_EXIT_LOST);
	assert_string_equal(record->failure.advice.meaning, advice_cause(LINK_CAUSE_NONE).meaning);
	assert_int_equal(record->stages[RECORD_LICENSE].state, RECORD_PASSED);
}

static void logging_off_is_no_failure(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->options.hold = -1;
	run->script.lost_later = true;
	run->script.link_cause = LINK_CAUSE_MANUAL_USER_LOGOUT;
	record = play(run);
	assert_int_equal(record_exit(record), 0);
	assert_int_equal(record->cause, 0x103);
}

static void a_signal_gives_up(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->stop_at = RECORD_GET_RESOURCES;
	record = play(run);
	assert_int_equal(record_exit(record), 128 + SIGTERM);
	assert_false(record->failed);
}

static void a_signal_while_the_link_opens(void **state)
{
	struct run *run = *state;

	run->stop_at = RECORD_LICENSE;
	run->script.license_silent = true;
	run->options.license_limit = 3600 * CLOCK_SECOND;
	assert_int_equal(record_exit(play(run)), 128 + SIGTERM);
	assert_int_equal(run->closed_with, LINK_CAUSE_MANUAL_USER_DISCONNECT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(six_stages_pass),
		TEST(direct_and_broker_are_told_apart),
		TEST(a_broker_without_manager),
		cmocka_unit_test(every_failure_names_its_stage),
		TEST(the_servers_words_are_kept),
		TEST(a_wrong_password_may_be_typed_again),
		TEST(a_host_that_starts_is_waited_for),
		TEST(nothing_asked_is_nothing_answered),
		TEST(resources_are_named_in_any_case),
		TEST(somebody_may_choose),
		TEST(a_list_is_all),
		TEST(given_domains_win),
		TEST(a_grace_period_passes_with_a_warning),
		TEST(warnings_about_certificates_are_seen),
		TEST(a_session_that_is_lost_has_its_own_status),
		TEST(logging_off_is_no_failure),
		TEST(a_signal_gives_up),
		TEST(a_signal_while_the_link_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
