#include "license_fixture.h"

/* --- checkout --- */

static void test_a_seat_is_acquired(void **state)
{
	struct fixture *fixture = *state;

	checkout(fixture);
	assert_int_equal(fixture->count, 1);
	assert_int_equal(last(fixture)->message, MESSAGE_CHECKOUT_LICENSE);
	assert_string_equal(last(fixture)->address, ADDRESS);
	assert_string_equal(last(fixture)->name, "license.example");
	assert_string_equal(last(fixture)->host_id, "host-1");
	assert_string_equal(last(fixture)->session, LOG_ID);
	assert_int_equal(fixture->told, 0);
	assert_false(license_client_allowed(fixture->client));
	clock_fake_advance(&fixture->clock, 700 * CLOCK_MILLISECOND);
	grant(fixture, "lease-1");
	assert_int_equal(fixture->told, 1);
	assert_int_equal(fixture->changed, 0);
	assert_int_equal(fixture->status.state, LICENSE_ACQUIRED);
	assert_string_equal(fixture->status.source, SOURCE);
	assert_int_equal(fixture->status.remaining_days, 290);
	assert_int_equal(fixture->status.seats_total, 10);
	assert_int_equal(fixture->status.seats_free, 9);
	assert_true(fixture->status.took_us == 700 * CLOCK_MILLISECOND);
	assert_string_equal(fixture->status.detail, "");
	assert_true(license_client_allowed(fixture->client));
	/* The vendor's line, letter for letter. */
	assert_logged(fixture,
		"00000000-0000-0000-0000-000000000000 > LVL:2 RC:   0           AGENT "
		":License acquired; source: " SOURCE "; time: 0.70 s; origin: "
		"local-settings; remaining: 290 days;\n");
}

static void test_a_licence_that_never_expires(void **state)
{
	struct fixture *fixture = *state;
	struct message *reply;

	checkout(fixture);
	reply = reply_new(fixture);
	message_add(reply, NULL, FIELD_CHECKOUT_LICENSE_RESP_RESULT_ID, "LICENSE_GRANTED");
	message_add(reply, NULL, FIELD_CHECKOUT_LICENSE_RESP_LEASE_ID, "x");
	answer_message(fixture, reply);
	assert_int_equal(fixture->status.state, LICENSE_ACQUIRED);
	assert_int_equal(fixture->status.remaining_days, -1);
	assert_logged(fixture, "remaining: unlimited;\n");
	/* Without lease-seconds the default of 300 s counts. */
	pass(fixture, 149 * CLOCK_SECOND);
	assert_int_equal(fixture->count, 1);
	pass(fixture, 1 * CLOCK_SECOND);
	assert_int_equal(fixture->count, 2);
}

static void test_not_configured(void **state)
{
	struct fixture *fixture = *state;

	fixture->options.address = "";
	start(fixture);
	checkout(fixture);
	assert_int_equal(fixture->told, 0); /* never from inside */
	license_client_tick(fixture->client);
	assert_int_equal(fixture->told, 1);
	assert_int_equal(fixture->count, 0);
	assert_int_equal(fixture->status.state, LICENSE_DENIED_NOT_CONFIGURED);
	assert_string_equal(fixture->status.source, "");
	assert_logged(fixture,
		"LVL:2 RC:   0           AGENT :Could not launch a remote session because "
		"there are no configured license servers\n");
	assert_logged(fixture, "LVL:2 RC:   0           AGENT :License denied\n");
}

static void test_no_seats(void **state)
{
	struct fixture *fixture = *state;

	checkout(fixture);
	answer_result(fixture, "LICENSE_DENIED_NO_SEATS");
	assert_int_equal(fixture->told, 1);
	assert_int_equal(fixture->status.state, LICENSE_DENIED_NO_SEATS);
	assert_string_equal(fixture->status.detail, "All seats are taken.");
	assert_logged(fixture,
		"AGENT :Could not launch a remote session because no software licenses are "
		"available on "
		"your local license server (" SOURCE ")\n");
	assert_logged(fixture, "AGENT :License denied\n");
	/* There is nothing to return, and nothing is tried again. */
	license_client_return(fixture->client, on_ended, fixture);
	pass(fixture, DAY);
	assert_int_equal(fixture->ended, 1);
	assert_int_equal(fixture->count, 1);
}

static void test_expired_and_no_such_feature(void **state)
{
	struct fixture *fixture = *state;

	checkout(fixture);
	answer_result(fixture, "LICENSE_DENIED_EXPIRED");
	assert_int_equal(fixture->status.state, LICENSE_DENIED_EXPIRED);
	assert_logged(fixture, "AGENT :Getting license failed: The licence has expired.\n");
	checkout(fixture);
	answer_result(fixture, "LICENSE_DENIED_NOT_CONFIGURED");
	assert_int_equal(fixture->status.state, LICENSE_DENIED_NO_SEATS);
	assert_logged(fixture,
		"AGENT :Getting license failed: The licence service has no licence of this "
		"kind.\n");
}

static void test_unreachable_without_a_success_before(void **state)
{
	struct fixture *fixture = *state;

	checkout(fixture);
	lose(fixture);
	assert_int_equal(fixture->told, 1);
	assert_int_equal(fixture->status.state, LICENSE_DENIED_UNREACHABLE);
	assert_non_null(strstr(fixture->status.detail, "no answer within 5000 ms"));
	assert_logged(fixture,
		"LVL:1 RC:-500           AGENT :Getting license failed: Could not send message to "
		"FNE license "
		"server. Generic communications error. General data transfer failure. Timeout was "
		"reached (no "
		"answer within 5000 ms)\n");
	assert_logged(fixture, "AGENT :License denied\n");
}

static void test_a_bad_certificate_in_the_vendors_words(void **state)
{
	struct fixture *fixture = *state;

	checkout(fixture);
	answer_error(fixture, ERROR_UNTRUSTED, "the certificate is self-signed");
	assert_int_equal(fixture->status.state, LICENSE_DENIED_UNREACHABLE);
	assert_logged(fixture,
		"SSL peer certificate or SSH remote key was not OK (the certificate is "
		"self-signed)\n");
}

static void test_answers_that_are_none(void **state)
{
	struct fixture *fixture = *state;
	struct message_version version = {1, 0};
	struct message *reply;

	checkout(fixture);
	answer_result(fixture, "LICENSE_SERVICE_BUSY");
	assert_int_equal(fixture->status.state, LICENSE_DENIED_UNREACHABLE);
	assert_logged(fixture, "Getting license failed: The licence service is busy.\n");
	checkout(fixture);
	answer_result(fixture, "SUCCESSFUL"); /* of another exchange */
	assert_logged(
		fixture, "the licence service answered with the unknown result 'SUCCESSFUL'\n");
	assert_int_equal(fixture->status.state, LICENSE_DENIED_UNREACHABLE);
	checkout(fixture);
	answer_result(fixture, "LICENSE_RENEWED"); /* of another request */
	assert_int_equal(fixture->status.state, LICENSE_DENIED_UNREACHABLE);
	checkout(fixture);
	answer_result(fixture, "LICENSE_GRANTED"); /* without a lease */
	assert_int_equal(fixture->status.state, LICENSE_DENIED_UNREACHABLE);
	checkout(fixture);
	reply = message_new(
		fixture->calls[fixture->answered].arena, MESSAGE_ERROR_RESP, ROOT_LICENSE, version);
	message_put(reply, FIELD_ERROR_RESP_RESULT_RESULT_ID, "ERR_INTERNAL");
	message_put(reply, FIELD_ERROR_RESP_ERR_DETAIL, "no memory there");
	answer_message(fixture, reply);
	assert_int_equal(fixture->status.state, LICENSE_DENIED_UNREACHABLE);
	assert_logged(fixture, "Getting license failed: no memory there\n");
	assert_int_equal(fixture->told, 5);
}

static void test_a_call_that_cannot_be_made(void **state)
{
	struct fixture *fixture = *state;

	fixture->refuse = ERROR_MEMORY;
	checkout(fixture);
	assert_int_equal(fixture->told, 0);
	license_client_tick(fixture->client);
	assert_int_equal(fixture->told, 1);
	assert_int_equal(fixture->status.state, LICENSE_DENIED_UNREACHABLE);
}

static void test_one_checkout_at_a_time(void **state)
{
	struct fixture *fixture = *state;

	checkout(fixture);
	assert_int_equal(license_client_checkout(fixture->client, LOG_ID, NULL, on_done, fixture),
		ERROR_BUSY);
	grant(fixture, "lease-1");
	assert_int_equal(fixture->told, 1);
}

/* --- which service --- */

static void test_the_path_of_the_launch_request_wins(void **state)
{
	struct fixture *fixture = *state;

	fixture->options.policy.name = "certified.example";
	start(fixture);
	checkout_path(fixture, "2589@other.example");
	assert_string_equal(last(fixture)->address, "other.example:2589");
	/* The name that is configured is that of the configured service. */
	assert_string_equal(last(fixture)->name, "other.example");
	grant(fixture, "lease-1");
	/* Another service: the lease of the first is given back to the first. */
	checkout_path(fixture, NULL);
	assert_int_equal(fixture->count, 2);
	assert_int_equal(last(fixture)->message, MESSAGE_RETURN_LICENSE);
	assert_string_equal(last(fixture)->address, "other.example:2589");
	answer_result(fixture, "LICENSE_RETURNED");
	assert_int_equal(last(fixture)->message, MESSAGE_CHECKOUT_LICENSE);
	assert_string_equal(last(fixture)->address, ADDRESS);
	assert_string_equal(last(fixture)->name, "certified.example");
	grant(fixture, "lease-2");
	assert_int_equal(fixture->told, 2);
	assert_int_equal(fixture->status.state, LICENSE_ACQUIRED);
}

static void test_a_restricted_or_unreadable_path_is_ignored(void **state)
{
	struct fixture *fixture = *state;

	checkout_path(fixture, "7070@;drop");
	assert_string_equal(last(fixture)->address, ADDRESS);
	assert_logged(fixture, "License path '7070@;drop' ignored: it is not port@host or a URL\n");
	grant(fixture, "lease-1");
	fixture->options.restrict_path = true;
	start(fixture);
	checkout_path(fixture, "7070@evil.example");
	assert_string_equal(last(fixture)->address, ADDRESS);
	assert_logged(fixture, "ignored: only the configured service may be asked\n");
	grant(fixture, "lease-1");
	checkout_path(fixture, "https://" ADDRESS "/request");
	assert_string_equal(last(fixture)->address, ADDRESS);
	fixture->options.address = NULL;
	start(fixture);
	checkout_path(fixture, "7070@evil.example");
	license_client_tick(fixture->client);
	assert_int_equal(fixture->status.state, LICENSE_DENIED_NOT_CONFIGURED);
}

static void test_a_configured_address_that_is_none(void **state)
{
	struct fixture *fixture = *state;
	struct license_client *client = NULL;

	fixture->options.address = "license.example:99999";
	assert_int_equal(license_client_new(&fixture->options, &client), ERROR_INPUT);
	assert_null(client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_seat_is_acquired),
		TEST(test_a_licence_that_never_expires),
		TEST(test_not_configured),
		TEST(test_no_seats),
		TEST(test_expired_and_no_such_feature),
		TEST(test_unreachable_without_a_success_before),
		TEST(test_a_bad_certificate_in_the_vendors_words),
		TEST(test_answers_that_are_none),
		TEST(test_a_call_that_cannot_be_made),
		TEST(test_one_checkout_at_a_time),
		TEST(test_the_path_of_the_launch_request_wins),
		TEST(test_a_restricted_or_unreadable_path_is_ignored),
		TEST(test_a_configured_address_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
