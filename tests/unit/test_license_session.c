#include "license_fixture.h"

/* --- during a session --- */

static void test_a_lease_is_renewed_at_its_half(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	pass(fixture, 149 * CLOCK_SECOND);
	assert_int_equal(fixture->count, 1);
	pass(fixture, 1 * CLOCK_SECOND);
	assert_int_equal(fixture->count, 2);
	assert_int_equal(last(fixture)->message, MESSAGE_RENEW_LICENSE);
	assert_string_equal(last(fixture)->lease_id, "lease-1");
	assert_string_equal(last(fixture)->host_id, "host-1");
	pass(fixture, 1 * CLOCK_SECOND); /* one at a time */
	assert_int_equal(fixture->count, 2);
	renew(fixture);
	assert_int_equal(fixture->changed, 0);
	assert_logged(fixture,
		LOG_ID " > LVL:3 RC:   0           AGENT :License renewed for 300 seconds\n");
	/* Counted from when it was asked for. */
	pass(fixture, 148 * CLOCK_SECOND);
	assert_int_equal(fixture->count, 2);
	pass(fixture, 1 * CLOCK_SECOND);
	assert_int_equal(fixture->count, 3);
}

static void test_a_failed_renewal_is_tried_again(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	pass(fixture, 150 * CLOCK_SECOND);
	lose(fixture);
	assert_int_equal(fixture->changed, 0);
	assert_logged(fixture,
		"AGENT :License not renewed: Timeout was reached (no answer within 5000 ms)\n");
	pass(fixture, 29 * CLOCK_SECOND);
	assert_int_equal(fixture->count, 2);
	pass(fixture, 1 * CLOCK_SECOND);
	assert_int_equal(fixture->count, 3);
	renew(fixture);
	assert_int_equal(fixture->changed, 0);
	assert_int_equal(license_client_status(fixture->client)->state, LICENSE_ACQUIRED);
}

/* Loses every renewal until the lease is over. */
static void lose_lease(struct fixture *fixture)
{
	pass(fixture, 150 * CLOCK_SECOND);
	lose(fixture);
	for (int i = 0; i < 4; i++) {
		pass(fixture, 30 * CLOCK_SECOND);
		lose(fixture);
		assert_int_equal(fixture->changed, 0);
	}
	pass(fixture, 30 * CLOCK_SECOND);
	lose(fixture);
}

static void test_into_grace_and_back(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	lose_lease(fixture);
	assert_int_equal(fixture->changed, 1);
	assert_int_equal(fixture->status.state, LICENSE_GRACE);
	assert_int_equal(fixture->status.remaining_days, 6); /* rounded down */
	assert_true(license_client_allowed(fixture->client));
	assert_logged(fixture, "AGENT :PCoIP License grace period expires in 6 day(s).\n");
	assert_logged(fixture,
		"AGENT :License status text: Your grace period ends on 22 January 2027.\n");
	pass(fixture, 60 * CLOCK_SECOND);
	assert_int_equal(last(fixture)->message, MESSAGE_RENEW_LICENSE);
	answer_result(fixture, "LICENSE_UNKNOWN_LEASE"); /* it has ended there, of course */
	assert_int_equal(last(fixture)->message, MESSAGE_CHECKOUT_LICENSE);
	grant(fixture, "lease-2");
	assert_int_equal(fixture->changed, 2);
	assert_int_equal(fixture->status.state, LICENSE_ACQUIRED);
	assert_int_equal(fixture->status.remaining_days, 290);
}

static void test_grace_ends_in_a_denial(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	lose_lease(fixture);
	assert_int_equal(fixture->status.state, LICENSE_GRACE);
	pass(fixture, 6 * DAY + DAY / 2);
	lose(fixture);
	assert_int_equal(fixture->changed, 1);
	assert_int_equal(license_client_status(fixture->client)->remaining_days, 0);
	assert_logged(fixture, "AGENT :PCoIP License grace period expires in 0 day(s).\n");
	assert_false(logged(fixture, "License denied"));
	pass(fixture, DAY / 2);
	lose(fixture);
	assert_int_equal(fixture->changed, 2);
	assert_int_equal(fixture->status.state, LICENSE_DENIED_UNREACHABLE);
	assert_false(license_client_allowed(fixture->client));
	assert_logged(fixture, "AGENT :License denied\n");
	pass(fixture, DAY);
	assert_int_equal(fixture->count, fixture->answered);
}

static void test_without_grace_days_a_lost_lease_is_a_denial(void **state)
{
	struct fixture *fixture = *state;

	fixture->options.grace_days = 0;
	start(fixture);
	acquire(fixture);
	lose_lease(fixture);
	assert_int_equal(fixture->changed, 1);
	assert_int_equal(fixture->status.state, LICENSE_DENIED_UNREACHABLE);
}

static void test_a_service_that_lost_its_store(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	pass(fixture, 150 * CLOCK_SECOND);
	answer_result(fixture, "LICENSE_UNKNOWN_LEASE");
	assert_int_equal(last(fixture)->message, MESSAGE_CHECKOUT_LICENSE);
	grant(fixture, "lease-2");
	assert_int_equal(fixture->changed, 0);
	pass(fixture, 150 * CLOCK_SECOND);
	assert_string_equal(last(fixture)->lease_id, "lease-2");
}

static void test_a_lost_lease_is_no_lease(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	pass(fixture, 150 * CLOCK_SECOND);
	answer_result(fixture, "LICENSE_UNKNOWN_LEASE");
	lose(fixture);
	assert_int_equal(fixture->changed, 1);
	assert_int_equal(fixture->status.state, LICENSE_GRACE);
}

static void test_a_session_taken_over_in_grace(void **state)
{
	struct fixture *fixture = *state;
	const char *first, *second;

	acquire(fixture);
	lose_lease(fixture);
	pass(fixture, 60 * CLOCK_SECOND);
	lose(fixture);
	/* Further tries are not worth the vendor's lines, a further session is. */
	assert_logged(fixture, "grace period expires in 6 day(s).");
	first = strstr(fixture->log, "grace period expires");
	assert_null(strstr(first + 1, "grace period expires"));
	checkout(fixture);
	lose(fixture);
	assert_int_equal(fixture->told, 2);
	assert_int_equal(fixture->changed, 1);
	assert_int_equal(fixture->status.state, LICENSE_GRACE);
	assert_logged(fixture, "grace period expires in 6 day(s).");
	second = strstr(strstr(fixture->log, "grace period expires") + 1, "grace period expires");
	assert_non_null(second);
}

static void test_a_seat_lost_to_somebody_else(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	pass(fixture, 150 * CLOCK_SECOND);
	answer_result(fixture, "LICENSE_UNKNOWN_LEASE");
	answer_result(fixture, "LICENSE_DENIED_NO_SEATS");
	assert_int_equal(fixture->changed, 1);
	assert_int_equal(fixture->status.state, LICENSE_DENIED_NO_SEATS);
}

static void test_a_refused_renewal_is_not_covered_by_grace(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	pass(fixture, 150 * CLOCK_SECOND);
	answer_result(fixture, "LICENSE_DENIED_EXPIRED");
	assert_int_equal(fixture->changed, 1);
	assert_int_equal(fixture->status.state, LICENSE_DENIED_EXPIRED);
}

static void test_leases_of_any_length_are_bounded(void **state)
{
	struct fixture *fixture = *state;

	checkout(fixture);
	grant_for(fixture, "lease-1", 0);
	pass(fixture, 4 * CLOCK_SECOND);
	assert_int_equal(fixture->count, 1);
	pass(fixture, 1 * CLOCK_SECOND);
	assert_int_equal(fixture->count, 2);
	renew(fixture);
	start(fixture);
	checkout(fixture);
	grant_for(fixture, "lease-1", UINT64_MAX);
	pass(fixture, DAY / 2 - 1);
	assert_int_equal(fixture->count, 3);
	pass(fixture, 1);
	assert_int_equal(fixture->count, 4);
}

/* --- grace across restarts --- */

static void test_grace_survives_a_restart(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	clock_fake_advance(&fixture->clock, 3 * DAY);
	start(fixture);
	checkout(fixture);
	lose(fixture);
	assert_int_equal(fixture->told, 2);
	assert_int_equal(fixture->status.state, LICENSE_GRACE);
	assert_int_equal(fixture->status.remaining_days, 4);
	/* A restart does not begin it anew. */
	clock_fake_advance(&fixture->clock, 4 * DAY);
	start(fixture);
	checkout(fixture);
	lose(fixture);
	assert_int_equal(fixture->status.state, LICENSE_DENIED_UNREACHABLE);
}

static void test_a_state_file_that_cannot_be_written(void **state)
{
	struct fixture *fixture = *state;
	char name[128];

	(void)snprintf(name, sizeof(name), "%s/none/state", fixture->folder);
	fixture->options.state_file = name;
	start(fixture);
	acquire(fixture);
	assert_logged(fixture, "The license success could not be noted in ");
}

/* --- return --- */

static void test_a_seat_is_returned(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	license_client_return(fixture->client, on_ended, fixture);
	assert_int_equal(license_client_status(fixture->client)->state, LICENSE_NONE);
	assert_int_equal(last(fixture)->message, MESSAGE_RETURN_LICENSE);
	assert_string_equal(last(fixture)->lease_id, "lease-1");
	assert_int_equal(fixture->ended, 0);
	answer_result(fixture, "LICENSE_RETURNED");
	assert_int_equal(fixture->ended, 1);
	assert_logged(fixture, LOG_ID " > LVL:2 RC:   0           AGENT :License returned\n");
	pass(fixture, DAY);
	assert_int_equal(fixture->count, 2);
}

/* Who stops right after the end of a session must not cut its return off. */
static void test_a_second_return_waits_for_the_first(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	license_client_return(fixture->client, NULL, NULL);
	license_client_return(fixture->client, on_ended, fixture);
	license_client_return(fixture->client, on_ended, fixture);
	license_client_tick(fixture->client);
	assert_int_equal(fixture->count, 2);
	assert_int_equal(fixture->ended, 0);
	answer_result(fixture, "LICENSE_RETURNED");
	assert_int_equal(fixture->ended, 2);
	license_client_return(fixture->client, on_ended, fixture);
	license_client_tick(fixture->client);
	assert_int_equal(fixture->ended, 3);
	acquire(fixture);
	license_client_return(fixture->client, on_ended, fixture);
	license_client_return(fixture->client, on_ended, fixture);
}

static void test_a_failing_return_is_only_logged(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	license_client_return(fixture->client, on_ended, fixture);
	lose(fixture);
	assert_int_equal(fixture->ended, 1);
	assert_int_equal(fixture->changed, 0);
	assert_logged(fixture, "AGENT :License not returned: Timeout was reached");
	assert_int_equal(license_client_status(fixture->client)->state, LICENSE_NONE);
}

static void test_returned_while_being_checked_out(void **state)
{
	struct fixture *fixture = *state;

	checkout(fixture);
	license_client_return(fixture->client, on_ended, fixture);
	license_client_tick(fixture->client);
	assert_int_equal(fixture->told, 1);
	assert_int_equal(fixture->status.state, LICENSE_NONE);
	assert_int_equal(fixture->ended, 1);
	grant(fixture, "lease-1"); /* too late: it goes back */
	assert_int_equal(fixture->told, 1);
	assert_int_equal(last(fixture)->message, MESSAGE_RETURN_LICENSE);
	assert_string_equal(last(fixture)->lease_id, "lease-1");
	answer_result(fixture, "LICENSE_RETURNED");
	assert_int_equal(license_client_status(fixture->client)->state, LICENSE_NONE);
}

/* The service would give the host its old lease again, and then take it back. */
static void test_a_checkout_waits_for_the_return_before_it(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	license_client_return(fixture->client, NULL, NULL);
	checkout(fixture);
	assert_int_equal(fixture->count, 2);
	answer_result(fixture, "LICENSE_RETURNED");
	assert_int_equal(fixture->count, 3);
	assert_int_equal(last(fixture)->message, MESSAGE_CHECKOUT_LICENSE);
	grant(fixture, "lease-2");
	assert_int_equal(fixture->told, 2);
	assert_int_equal(fixture->status.state, LICENSE_ACQUIRED);
}

static void test_a_session_that_is_taken_over(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	checkout(fixture);
	assert_int_equal(last(fixture)->message, MESSAGE_CHECKOUT_LICENSE);
	/* The service cannot be asked, but the seat is still held. */
	lose(fixture);
	assert_int_equal(fixture->told, 2);
	assert_int_equal(fixture->status.state, LICENSE_ACQUIRED);
	checkout(fixture);
	grant(fixture, "lease-1");
	assert_int_equal(fixture->told, 3);
	assert_int_equal(fixture->status.state, LICENSE_ACQUIRED);
}

static void test_freed_with_calls_under_way(void **state)
{
	struct fixture *fixture = *state;

	acquire(fixture);
	license_client_return(fixture->client, on_ended, fixture);
	checkout(fixture);
	license_client_free(fixture->client);
	fixture->client = NULL;
	lose(fixture);
	assert_int_equal(fixture->told, 1);
	assert_int_equal(fixture->ended, 0);
}

static void return_inside(void *user, const struct license_status *status)
{
	struct fixture *fixture = user;

	on_changed(user, status);
	license_client_return(fixture->client, on_ended, fixture);
}

static void test_a_denial_that_ends_the_session_at_once(void **state)
{
	struct fixture *fixture = *state;

	fixture->options.grace_days = 0;
	fixture->options.changed = return_inside;
	start(fixture);
	acquire(fixture);
	lose_lease(fixture);
	assert_int_equal(fixture->changed, 1);
	assert_int_equal(fixture->ended, 0);
	assert_int_equal(last(fixture)->message, MESSAGE_RETURN_LICENSE);
	answer_result(fixture, "LICENSE_UNKNOWN_LEASE");
	assert_int_equal(fixture->ended, 1);
}

/* With libuv what is due is told as soon as the loop turns. */
static void test_a_loop_tells_without_a_tick(void **state)
{
	struct fixture *fixture = *state;
	uv_loop_t uv;

	assert_int_equal(uv_loop_init(&uv), 0);
	fixture->loop.uv = &uv;
	fixture->options.address = NULL;
	start(fixture);
	checkout(fixture);
	license_client_return(fixture->client, on_ended, fixture);
	assert_int_equal(fixture->told, 0);
	assert_int_equal(fixture->ended, 0);
	assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
	assert_int_equal(fixture->told, 1);
	assert_int_equal(fixture->ended, 1);
	checkout(fixture);
	license_client_free(fixture->client); /* and to nobody when it is gone */
	fixture->client = NULL;
	assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
	assert_int_equal(fixture->told, 1);
	assert_int_equal(uv_loop_close(&uv), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_lease_is_renewed_at_its_half),
		TEST(test_a_failed_renewal_is_tried_again),
		TEST(test_into_grace_and_back),
		TEST(test_grace_ends_in_a_denial),
		TEST(test_without_grace_days_a_lost_lease_is_a_denial),
		TEST(test_a_service_that_lost_its_store),
		TEST(test_a_lost_lease_is_no_lease),
		TEST(test_a_session_taken_over_in_grace),
		TEST(test_a_seat_lost_to_somebody_else),
		TEST(test_a_refused_renewal_is_not_covered_by_grace),
		TEST(test_leases_of_any_length_are_bounded),
		TEST(test_grace_survives_a_restart),
		TEST(test_a_state_file_that_cannot_be_written),
		TEST(test_a_seat_is_returned),
		TEST(test_a_second_return_waits_for_the_first),
		TEST(test_a_failing_return_is_only_logged),
		TEST(test_returned_while_being_checked_out),
		TEST(test_a_checkout_waits_for_the_return_before_it),
		TEST(test_a_session_that_is_taken_over),
		TEST(test_freed_with_calls_under_way),
		TEST(test_a_denial_that_ends_the_session_at_once),
		TEST(test_a_loop_tells_without_a_tick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
