/*
 * A logon at the broker, from hello to bye: alone, and behind a manager.
 */
#include "broker_stage.h"

static struct broker_stage stage;
static char cookie[SESSIONS_COOKIE_SIZE];

static int set_up(void **state)
{
	(void)state;
	broker_stage_begin(&stage, BROKER_YAML, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	broker_stage_end(&stage);
	return 0;
}

static size_t count(const struct message *message, enum field_id field)
{
	size_t found = 0;

	for (const struct message_node *node = message_find(message, field); node != NULL;
		node = message_next(node))
		found++;
	return found;
}

/* The answer is kept encoded: the next client gets the same bytes with a session of his own, but
 * nobody gets one that was made for another root, version, address or configuration. */
static void test_hello_again(void **state)
{
	struct scenario_request request = {
		.endpoint = stage.broker.endpoint,
		.root = ROOT_CLIENT,
		.inner = HELLO,
		.version = "2.0",
	};
	struct scenario_answer *first, *answer;

	(void)state;
	first = broker_stage_ask(&stage, ROOT_CLIENT, NULL, HELLO);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, NULL, HELLO);
	assert_string_equal(answer->body, first->body);
	assert_true(answer->chunked);
	assert_string_not_equal(answer->cookie, first->cookie);
	assert_int_equal(broker_stage_state(&stage, answer->cookie), STATE_CREATED);

	answer = broker_stage_ask(&stage, ROOT_BROKER, NULL, HELLO);
	assert_int_equal(answer->message->root, ROOT_BROKER);
	answer = scenario_send(&stage.scenario, &request);
	assert_int_equal(answer->message->version.minor, 0);
	request.version = NULL;
	request.local = "192.0.2.99";
	answer = scenario_send(&stage.scenario, &request);
	assert_field(answer, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_IP_ADDRESS, "192.0.2.99");
	answer = broker_stage_ask(&stage, ROOT_CLIENT, NULL, HELLO);
	assert_string_equal(answer->body, first->body);

	broker_stage_load(&stage,
		"certificates: [{certificate: a.pem, key: a.key}]\n"
		"listen: [{address: '127.0.0.1:0'}]\n"
		"domains: [elsewhere]\n" BROKER_USERS BROKER_HOSTS);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, NULL, HELLO);
	assert_field(answer, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DOMAINS_DOMAIN, "elsewhere");
}

static void test_hello(void **state)
{
	struct scenario_answer *answer;
	struct session *session;

	(void)state;
	answer = broker_stage_ask(&stage, ROOT_CLIENT, NULL,
		"<hello><client-info><product-name>Test Client</product-name>"
		"<hostname>desk-7</hostname></client-info><caps>"
		"<cap>CAP_DISCLAIMER_AUTHENTICATION</cap><cap>CAP_OF_TOMORROW</cap>"
		"<cap>CAP_DIALOG_AUTHENTICATION</cap></caps></hello>");
	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	assert_int_equal(strlen(answer->cookie), 32);
	assert_true(answer->chunked);
	assert_string_equal(answer->content_type, "application/xml charset=UTF-8");
	assert_field(
		answer, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_PRODUCT_NAME, "Fairlead Broker");
	assert_field(answer, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_IP_ADDRESS, SCENARIO_LOCAL);
	assert_field(answer, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS_METHOD,
		"AUTHENTICATE_VIA_PASSWORD");
	assert_int_equal(
		count(answer->message, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DOMAINS_DOMAIN), 2);
	assert_field(answer, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DOMAINS_DOMAIN, "studio");
	/* By its absence a client tells that there is no manager in between. */
	assert_field(answer, FIELD_HELLO_RESP_PCM_INFO, NULL);

	assert_int_equal(sessions_take(stage.broker.sessions, answer->cookie, &session), 0);
	assert_int_equal(session->state, STATE_CREATED);
	assert_string_equal(session->client_name, "desk-7");
	assert_string_equal(session->client_product, "Test Client");
	assert_string_equal(session->log_id, SCENARIO_LOG_ID);
	assert_int_equal(session->capabilities, 1u << 0 | 1u << 2);
	assert_null(session->user);
	sessions_release(stage.broker.sessions, session);
}

static void assert_sealed(bool sealed)
{
	struct session *session;

	assert_int_equal(sessions_take(stage.broker.sessions, cookie, &session), 0);
	assert_int_equal(session->password.bytes != NULL, sealed);
	sessions_release(stage.broker.sessions, session);
}

static void test_alone(void **state)
{
	struct scenario_answer *answer;
	struct scenario_call *call;

	(void)state;
	broker_stage_logon(&stage, ROOT_CLIENT, "alice", cookie);
	assert_sealed(true);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, cookie, LIST);
	assert_answer(answer, MESSAGE_GET_RESOURCE_LIST_RESP, "LIST_SUCCESSFUL");
	assert_string_equal(answer->cookie, cookie);

	answer = broker_stage_start(&stage, ROOT_CLIENT, cookie,
		"<allocate-resource><resource-id>edit</resource-id><protocol>PCOIP</protocol>"
		"<client-info><time-zone-windows>Pacific Standard Time</time-zone-windows>"
		"<ip-address>192.168.0.57</ip-address><mac-address>00:67:a8:2d:84:7e</mac-address>"
		"</client-info></allocate-resource>");
	call = scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);
	assert_false(answer->done);
	assert_string_equal(call->address, "10.1.0.11:60443");
	assert_string_equal(call->policy_name, "edit-01.example");
	assert_string_equal(call->fingerprint,
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
	assert_int_equal(call->verify, CERTIFICATE_VERIFY_FULL);
	assert_string_equal(call->log_id, SCENARIO_LOG_ID);
	assert_null(call->cookie);
	assert_string_equal(
		scenario_call_text(call, FIELD_LAUNCH_SESSION_SESSION_TYPE), "UNSPECIFIED");
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_IP_ADDRESS), "10.1.0.11");
	assert_string_equal(
		scenario_call_text(call, FIELD_LAUNCH_SESSION_HOSTNAME), "edit-01.example");
	assert_string_equal(
		scenario_call_text(call, FIELD_LAUNCH_SESSION_LOGON_METHOD), "windows-password");
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_LOGON_USERNAME), "alice");
	assert_string_equal(
		scenario_call_text(call, FIELD_LAUNCH_SESSION_LOGON_PASSWORD), SCENARIO_PASSWORD);
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_LOGON_DOMAIN), "studio");
	assert_string_equal(
		scenario_call_text(call, FIELD_LAUNCH_SESSION_CLIENT_MAC), "00:67:a8:2d:84:7e");
	assert_string_equal(
		scenario_call_text(call, FIELD_LAUNCH_SESSION_CLIENT_IP), SCENARIO_CLIENT);
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_CLIENT_NAME), "desk-7");
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_LICENSE_PATH),
		"7070@license.example");
	assert_string_equal(
		scenario_call_text(call, FIELD_LAUNCH_SESSION_SESSION_LOG_ID), SCENARIO_LOG_ID);
	assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_TIME_ZONE_WINDOWS),
		"Pacific Standard Time");

	scenario_reply(&stage.scenario, call, LAUNCHED, NULL);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	assert_int_equal(answer->message->root, ROOT_CLIENT);
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_IP_ADDRESS, "10.1.0.11");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_HOSTNAME, "edit-01.example");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SNI, "edit-01.example");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_PORT, "4172");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SESSION_ID, "2305843009213693961");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG, "dGFn");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_RESOURCE_ID, "edit");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_PROTOCOL, "PCOIP");
	assert_int_equal(broker_stage_state(&stage, cookie), STATE_ALLOCATED);
	/* Needed no more. */
	assert_sealed(false);

	answer = broker_stage_ask(&stage, ROOT_CLIENT, cookie, BYE);
	assert_answer(answer, MESSAGE_BYE_RESP, NULL);
	assert_int_equal(broker_stage_state(&stage, cookie), STATE_ENDED);
	assert_int_equal(sessions_count(stage.broker.sessions), 0);
}

/* Real programs have failed on a blank one. */
static void test_mac_never_blank(void **state)
{
	static const char *const requests[] = {
		ALLOCATE("edit"),
		"<allocate-resource><resource-id>edit</resource-id><protocol>PCOIP</protocol>"
		"<client-info><ip-address>192.168.0.57</ip-address><mac-address> </mac-address>"
		"</client-info></allocate-resource>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct scenario_answer *answer;
		struct scenario_call *call;

		broker_stage_logon(&stage, ROOT_CLIENT, "alice", cookie);
		answer = broker_stage_start(&stage, ROOT_CLIENT, cookie, requests[i]);
		call = scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION);
		assert_string_equal(scenario_call_text(call, FIELD_LAUNCH_SESSION_CLIENT_MAC),
			"00:00:00:00:00:00");
		scenario_reply(&stage.scenario, call, LAUNCHED, NULL);
		assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	}
}

/* The table lets a client leave the protocol out; there is only one. */
static void test_protocol_left_out(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	broker_stage_logon(&stage, ROOT_CLIENT, "alice", cookie);
	answer = broker_stage_start(&stage, ROOT_CLIENT, cookie,
		"<allocate-resource><resource-id>edit</resource-id></allocate-resource>");
	scenario_reply(&stage.scenario, scenario_called(&stage.scenario, MESSAGE_LAUNCH_SESSION),
		LAUNCHED, NULL);
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_PROTOCOL, "PCOIP");
}

static void test_behind_manager(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	broker_stage_logon(&stage, ROOT_BROKER, "alice", cookie);
	/* The manager keeps it. */
	assert_sealed(false);
	answer = broker_stage_ask(&stage, ROOT_BROKER, cookie, ALLOCATE("edit"));
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, "ALLOC_SUCCESSFUL");
	scenario_not_called(&stage.scenario);
	assert_int_equal(answer->message->root, ROOT_BROKER);
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_IP_ADDRESS, "10.1.0.11");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_HOSTNAME, "edit-01.example");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG, NULL);
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET_PORT, NULL);
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_RESOURCE_ID, "edit");
	assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_PROTOCOL, "PCOIP");
	assert_int_equal(broker_stage_state(&stage, cookie), STATE_ALLOCATED);
}

static void test_failed_authenticate_may_be_repeated(void **state)
{
	static const char *const wrong[] = {
		AUTHENTICATE_AS("alice", "wrong"),
		AUTHENTICATE_AS("alice", ""),
		AUTHENTICATE_AS("mallory", SCENARIO_PASSWORD),
		"<authenticate method=\"password\"><username>alice</username><password>"
		" " SCENARIO_PASSWORD "</password><domain>studio</domain></authenticate>",
		"<authenticate "
		"method=\"dialog\"><username>alice</username><password>" SCENARIO_PASSWORD
		"</password><domain>studio</domain></authenticate>",
	};
	struct scenario_answer *answer;

	(void)state;
	broker_stage_hello(&stage, ROOT_CLIENT, cookie);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		answer = broker_stage_ask(&stage, ROOT_CLIENT, cookie, wrong[i]);
		assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, NULL);
		assert_field_has(answer, FIELD_AUTHENTICATE_RESP_RESULT_RESULT_ID, "AUTH_FAILED_");
		assert_int_equal(broker_stage_state(&stage, cookie), STATE_CREATED);
		assert_sealed(false);
	}
	answer = broker_stage_ask(
		&stage, ROOT_CLIENT, cookie, AUTHENTICATE_AS("ALICE", SCENARIO_PASSWORD));
	assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_COMPLETE");
	assert_field(answer, FIELD_AUTHENTICATE_RESP_METHOD, "password");
	assert_int_equal(broker_stage_state(&stage, cookie), STATE_AUTHENTICATED);
}

/* Nobody learns from the answer whether it was the name or the password. */
static void test_unknown_user_looks_like_wrong_password(void **state)
{
	struct scenario_answer *unknown, *wrong;

	(void)state;
	broker_stage_hello(&stage, ROOT_CLIENT, cookie);
	unknown = broker_stage_ask(&stage, ROOT_CLIENT, cookie, AUTHENTICATE_AS("mallory", "x"));
	wrong = broker_stage_ask(&stage, ROOT_CLIENT, cookie, AUTHENTICATE_AS("alice", "x"));
	assert_answer(
		unknown, MESSAGE_AUTHENTICATE_RESP, "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD");
	assert_string_equal(unknown->body, wrong->body);
}

/* One job in the queue: the second logon hears at once that the service is busy. */
static void test_full_queue(void **state)
{
	char second[SESSIONS_COOKIE_SIZE];
	struct scenario_answer *first;

	(void)state;
	work_queue_free(stage.scenario.loop.work);
	stage.scenario.loop.work = work_queue_new(1);
	broker_stage_hello(&stage, ROOT_CLIENT, cookie);
	broker_stage_hello(&stage, ROOT_CLIENT, second);
	first = broker_stage_start(
		&stage, ROOT_CLIENT, cookie, AUTHENTICATE_AS("alice", SCENARIO_PASSWORD));
	assert_answer(broker_stage_start(&stage, ROOT_CLIENT, second,
			      AUTHENTICATE_AS("bob", SCENARIO_PASSWORD)),
		MESSAGE_AUTHENTICATE_RESP, "AUTH_FAILED_SERVICE_BUSY");
	assert_int_equal(broker_stage_state(&stage, second), STATE_CREATED);
	scenario_wait(first);
	assert_answer(first, MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_COMPLETE");
}

static void assert_list(const char *user, const char *inner, size_t resources)
{
	struct scenario_answer *answer;

	broker_stage_logon(&stage, ROOT_CLIENT, user, cookie);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, cookie, inner);
	assert_answer(answer, MESSAGE_GET_RESOURCE_LIST_RESP,
		resources > 0 ? "LIST_SUCCESSFUL" : "LIST_FAILED_NO_ENTITLEMENT");
	assert_int_equal(count(answer->message, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE), resources);
	/* Nothing is lost by asking in vain. */
	assert_int_equal(broker_stage_state(&stage, cookie), STATE_AUTHENTICATED);
}

static void test_list(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	assert_list("alice", LIST, 2);
	assert_list("bob", LIST, 3);
	assert_list("carol", LIST, 0);
	assert_list("bob",
		"<get-resource-list><protocols><protocol>PCOIP</protocol></"
		"protocols><resource-types>"
		"<resource-type>DESKTOP</resource-type><resource-type>APPLICATION</resource-type>"
		"</resource-types></get-resource-list>",
		3);
	assert_list("bob",
		"<get-resource-list><protocols><protocol>RDP</protocol></protocols></"
		"get-resource-list>",
		0);
	assert_list("bob",
		"<get-resource-list><resource-types><resource-type>APPLICATION</resource-type>"
		"</resource-types></get-resource-list>",
		0);
	broker_stage_logon(&stage, ROOT_CLIENT, "alice", cookie);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, cookie, LIST);
	assert_field(answer, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID, "edit");
	assert_field(answer, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_NAME, "Edit suite 1");
	assert_field(answer, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_TYPE, "DESKTOP");
	assert_field(
		answer, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_TYPE_SESSION_TYPE, "VDI");
	assert_field(answer, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_STATE, "UNKNOWN");
	assert_field(answer, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS_PROTOCOL, "PCOIP");
	assert_field(answer, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS_PROTOCOL_IS_DEFAULT,
		"true");
	assert_non_null(strstr(answer->body, "session-type=\"RDS\""));
}

/* What exists for others and what does not exist look the same. */
static void test_foreign_resource(void **state)
{
	static const char *const requests[] = {
		ALLOCATE("grade"),
		ALLOCATE("nothing"),
		ALLOCATE("EDIT"),
		ALLOCATE(""),
	};
	struct scenario_answer *first = NULL;

	(void)state;
	broker_stage_logon(&stage, ROOT_CLIENT, "alice", cookie);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct scenario_answer *answer =
			broker_stage_ask(&stage, ROOT_CLIENT, cookie, requests[i]);

		assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, NULL);
		assert_field_has(
			answer, FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_ID, "ALLOC_FAILED_");
		assert_field(answer, FIELD_ALLOCATE_RESOURCE_RESP_TARGET, NULL);
		assert_int_equal(broker_stage_state(&stage, cookie), STATE_AUTHENTICATED);
		if (first != NULL)
			assert_string_equal(answer->body, first->body);
		first = answer;
	}
	scenario_not_called(&stage.scenario);
}

static void test_other_protocol(void **state)
{
	struct scenario_answer *answer;

	(void)state;
	broker_stage_logon(&stage, ROOT_CLIENT, "alice", cookie);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, cookie,
		"<allocate-resource><resource-id>edit</resource-id><protocol>RDP</protocol>"
		"</allocate-resource>");
	assert_answer(answer, MESSAGE_ALLOCATE_RESOURCE_RESP, NULL);
	assert_field_has(answer, FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR, "PCOIP");
	scenario_not_called(&stage.scenario);
}

/* Real clients ask first who is there, and go on with the same session. */
static void test_probe(void **state)
{
	struct scenario_answer *probe, *answer;

	(void)state;
	probe = broker_stage_ask(&stage, ROOT_CLIENT, NULL, HELLO_OF("QueryBrokerClient"));
	assert_answer(probe, MESSAGE_HELLO_RESP, NULL);
	answer = broker_stage_ask(&stage, ROOT_CLIENT, probe->cookie, HELLO);
	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	assert_string_equal(answer->cookie, probe->cookie);
	assert_int_equal(sessions_count(stage.broker.sessions), 1);
	answer = broker_stage_ask(
		&stage, ROOT_CLIENT, probe->cookie, AUTHENTICATE_AS("alice", SCENARIO_PASSWORD));
	assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_COMPLETE");
	/* Or authenticate at once. */
	probe = broker_stage_ask(&stage, ROOT_CLIENT, NULL, HELLO_OF("QueryBrokerClient"));
	answer = broker_stage_ask(
		&stage, ROOT_CLIENT, probe->cookie, AUTHENTICATE_AS("alice", SCENARIO_PASSWORD));
	assert_answer(answer, MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_COMPLETE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hello, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hello_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mac_never_blank, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_protocol_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_behind_manager, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_failed_authenticate_may_be_repeated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_unknown_user_looks_like_wrong_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full_queue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_foreign_resource, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_protocol, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_probe, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
