/*
 * test_link.c - sessions that open, end, break and are resumed; no sockets.
 */
#include "link_world.h"

/* ---- a session that goes well ---- */

static void opens_and_user_closes(void **state)
{
	static const enum link_step steps[] = {LINK_STEP_TCP_ACCEPTED, LINK_STEP_TCP_CONFIRMED,
		LINK_STEP_UDP_OPEN, LINK_STEP_CONNECTED};
	struct world *world = connect_both();

	(void)state;
	assert_steps(&world->agent_record, steps, 4);
	assert_steps(&world->client_record, steps, 4);
	assert_int_equal(world->invite_count, 1);
	run(world, 300 * SECOND);
	assert_int_equal(world->agent_record.closed, 0);
	assert_int_equal(world->client_record.closed, 0);
	link_session_close(&world->client, LINK_CAUSE_MANUAL_USER_DISCONNECT);
	run(world, SECOND);
	assert_end(&world->client_record, 0, 0x301);
	assert_end(&world->agent_record, 0, 0x301);
	end_world(world);
}

static void administrator_closes(void **state)
{
	struct world *world = connect_both();

	(void)state;
	link_session_close(&world->agent, LINK_CAUSE_MANUAL_ADMIN_DISCONNECT);
	run(world, SECOND);
	assert_end(&world->agent_record, 0, 0x104);
	assert_end(&world->client_record, 0, 0x104);
	assert_int_equal(link_session_due(&world->agent), INT64_MAX);
	assert_int_equal(link_session_due(&world->client), INT64_MAX);
	end_world(world);
}

/* Either copy of the close message is enough. */
static void one_goodbye_is_enough(void **state)
{
	struct world *world = connect_both();

	(void)state;
	world->tcp = TCP_SWALLOWS;
	link_session_close(&world->client, LINK_CAUSE_MANUAL_USER_DISCONNECT);
	run(world, SECOND);
	assert_end(&world->agent_record, 0, 0x301);
	end_world(world);

	world = connect_both();
	world->drop_to_agent = true;
	link_session_close(&world->client, LINK_CAUSE_MANUAL_USER_DISCONNECT);
	run(world, SECOND);
	assert_end(&world->agent_record, 0, 0x301);
	end_world(world);
}

static void opaque_frames_pass(void **state)
{
	struct frame data = {.type = FRAME_DATA, .data = {(const uint8_t *)"abc", 3}};
	struct world *world = expect_client();
	struct link_quality quality;

	(void)state;
	assert_int_equal(link_session_may_send(&world->agent), ERROR_STATE);
	come(world);
	run(world, SECOND);
	assert_int_equal(link_session_may_send(&world->agent), 0);
	send_frame(world, &world->agent, &data);
	send_frame(world, &world->client, &data);
	link_session_sent(&world->agent, 3);
	run(world, SECOND);
	assert_int_equal(world->client_record.data_length, 3);
	assert_memory_equal(world->agent_record.data, "abc", 3);
	link_session_quality(&world->agent, &quality);
	assert_int_equal(quality.bytes_in, 3);
	assert_int_equal(quality.bytes_out, 3);
	end_world(world);
}

static void licence_note_passes(void **state)
{
	struct link_license license = {.granted = true, .grace = true, .remaining_days = 12};
	struct world *world = expect_client();

	(void)state;
	strcpy(license.source, "licence:7070");
	strcpy(license.text, "two\nlines");
	link_session_license(&world->agent, &license);
	come(world);
	run(world, SECOND);
	assert_int_equal(world->client_record.licenses, 1);
	assert_true(world->client.license.granted && world->client.license.grace);
	assert_int_equal(world->client.license.remaining_days, 12);
	assert_string_equal(world->client.license.source, "licence:7070");
	assert_string_equal(world->client.license.text, "two?lines");
	license.granted = false;
	license.remaining_days = -1;
	link_session_license(&world->agent, &license);
	run(world, SECOND);
	assert_int_equal(world->client_record.licenses, 2);
	assert_false(world->client.license.granted);
	assert_int_equal(world->client.license.remaining_days, -1);
	cut(world);
	run(world, SECOND);
	assert_int_equal(world->client.state, LINK_SESSION_CONNECTED);
	assert_int_equal(world->client_record.licenses, 3);
	end_world(world);
}

/* ---- time limits ---- */

static void client_never_comes(void **state)
{
	struct world *world = expect_client();
	struct frame right = hello(world, world->tag);
	struct frame wrong = hello(world, "wrong");

	(void)state;
	run(world, 60 * SECOND - 1);
	assert_int_equal(world->agent_record.closed, 0);
	run(world, 1);
	assert_end(&world->agent_record, 0, 0x102);
	/* The right tag is told that it is late, others learn nothing. */
	link_gate_remove(&world->gate, &world->agent);
	assert_int_equal(judge(world, &right, NAME), LINK_REFUSED_EXPIRED);
	assert_int_equal(judge(world, &wrong, NAME), LINK_REFUSED_UNKNOWN);
	end_world(world);
}

static void tag_expires_without_a_tick(void **state)
{
	struct world *world = expect_client();
	struct frame right = hello(world, world->tag);

	(void)state;
	clock_fake_advance(&world->clock, 60 * SECOND);
	assert_int_equal(judge(world, &right, NAME), LINK_REFUSED_EXPIRED);
	end_world(world);
}

static void udp_to_agent_is_blocked(void **state)
{
	static const int64_t times[] = {0, 200, 600, 1400, 2400, 3400};
	struct world *world = expect_client();

	(void)state;
	world->drop_to_agent = true;
	come(world);
	run(world, 30 * SECOND - 10 * MS);
	assert_int_equal(world->agent.state, LINK_SESSION_OPENING);
	assert_int_equal(world->client.state, LINK_SESSION_OPENING);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_int_equal(world->invites[i] - world->invites[0], times[i] * MS);
	assert_int_equal(world->invite_count, 32);
	run(world, 20 * MS);
	assert_end(&world->agent_record, 0, 0x402);
	assert_int_equal(world->client_record.closed, 1);
	assert_int_equal(world->client_record.end.cause, 0x402);
	end_world(world);
}

static void udp_to_client_is_blocked(void **state)
{
	static const enum link_step steps[] = {
		LINK_STEP_TCP_ACCEPTED, LINK_STEP_TCP_CONFIRMED, LINK_STEP_UDP_OPEN};
	struct world *world = expect_client();

	(void)state;
	world->drop_to_client = true;
	come(world);
	run(world, 31 * SECOND);
	assert_end(&world->agent_record, 0, 0x402);
	assert_int_equal(world->client_record.end.cause, 0x402);
	assert_steps(&world->agent_record, steps, 3); /* never connected */
	assert_steps(&world->client_record, steps, 2);
	end_world(world);
}

/* Each end by itself: TCP swallows the close message too. */
static void udp_and_tcp_are_blocked(void **state)
{
	struct world *world = expect_client();

	(void)state;
	world->drop_to_agent = true;
	come(world);
	run(world, SECOND);
	world->tcp = TCP_SWALLOWS;
	run(world, 30 * SECOND);
	assert_end(&world->agent_record, 0, 0x402);
	assert_end(&world->client_record, ERROR_TIMEOUT, 0x402);
	end_world(world);
}

static void silence_ends_it(void **state)
{
	struct world *world = connect_both();

	(void)state;
	run(world, 10 * SECOND + 500 * MS);
	world->drop_to_agent = world->drop_to_client = true;
	world->tcp = TCP_SWALLOWS;
	run(world, 59 * SECOND);
	assert_int_equal(world->agent_record.closed, 0);
	assert_int_equal(world->client_record.closed, 0);
	run(world, 2 * SECOND);
	assert_end(&world->agent_record, 0, 0x000);
	assert_end(&world->client_record, ERROR_TIMEOUT, 0x000);
	end_world(world);
}

static void nobody_answers_the_client(void **state)
{
	struct world *world = expect_client();

	(void)state;
	world->tcp = TCP_SWALLOWS;
	come(world);
	run(world, 5 * SECOND - 1);
	assert_int_equal(world->client_record.closed, 0);
	run(world, 1);
	assert_end(&world->client_record, ERROR_TIMEOUT, 0);
	end_world(world);

	world = expect_client();
	world->tcp = TCP_REFUSES;
	come(world);
	run(world, 1);
	assert_end(&world->client_record, ERROR_UNREACHABLE, 0);
	end_world(world);
}

/* ---- resumption ---- */

static void resumes(void **state)
{
	static const enum link_step steps[] = {LINK_STEP_TCP_ACCEPTED, LINK_STEP_TCP_CONFIRMED,
		LINK_STEP_UDP_OPEN, LINK_STEP_CONNECTED, LINK_STEP_INTERRUPTED, LINK_STEP_RESUMED};
	struct world *world = connect_both();
	uint8_t first[FRAME_SECRET_SIZE];
	struct frame stolen = resume(world, first);
	struct link_quality quality;
	struct item old;

	(void)state;
	memcpy(first, world->client.welcome, sizeof(first));
	run(world, SECOND);
	old = world->last_packet;
	world->tcp = TCP_REFUSES;
	cut(world);
	assert_int_equal(link_session_may_send(&world->client), ERROR_STATE);
	run(world, 50 * SECOND);
	assert_int_equal(world->client.state, LINK_SESSION_INTERRUPTED);
	world->tcp = TCP_WORKS;
	run(world, 6 * SECOND);
	assert_steps(&world->agent_record, steps, 6);
	assert_steps(&world->client_record, steps, 6);
	assert_int_equal(link_session_may_send(&world->client), 0);
	/* Neither the old secret nor packets under the old keys are worth anything. */
	assert_memory_not_equal(first, world->client.welcome, sizeof(first));
	assert_int_equal(judge(world, &stolen, NAME), LINK_REFUSED_TAG);
	assert_ignored(world, old.bytes, old.length, ERROR_CRYPTO);
	run(world, 100 * SECOND);
	assert_int_equal(world->agent_record.closed, 0);
	link_session_quality(&world->client, &quality);
	assert_true(quality.loss == 0);
	assert_true(quality.answered > 100);
	end_world(world);
}

static void resume_comes_too_late(void **state)
{
	struct world *world = connect_both();
	uint8_t secret[FRAME_SECRET_SIZE];
	struct frame late = resume(world, secret);
	int64_t at;

	(void)state;
	memcpy(secret, world->client.welcome, sizeof(secret));
	world->tcp = TCP_REFUSES;
	cut(world);
	at = now(world);
	/* Keep-alives still pass, but an interruption has its own limit. */
	run(world, 60 * SECOND - 1);
	assert_int_equal(world->agent_record.closed, 0);
	assert_int_equal(world->client_record.closed, 0);
	run(world, 1);
	assert_end(&world->agent_record, 0, 0x000);
	assert_end(&world->client_record, ERROR_TIMEOUT, 0x000);
	assert_int_equal(world->client_record.ended_at - at, 60 * SECOND);
	world->tcp = TCP_WORKS;
	assert_int_equal(judge(world, &late, NAME), LINK_REFUSED_TAG);
	link_gate_remove(&world->gate, &world->agent);
	assert_int_equal(judge(world, &late, NAME), LINK_REFUSED_UNKNOWN);
	end_world(world);
}

static void resume_needs_udp_too(void **state)
{
	struct world *world = connect_both();

	(void)state;
	world->drop_to_agent = true;
	cut(world);
	run(world, 29 * SECOND);
	assert_int_equal(world->agent.state, LINK_SESSION_RESUMING);
	run(world, 2 * SECOND);
	assert_end(&world->agent_record, 0, 0x402);
	assert_int_equal(world->client_record.end.cause, 0x402);
	end_world(world);
}

/* The agent has not seen the loss when the client is back. */
static void client_notices_first(void **state)
{
	struct world *world = connect_both();

	(void)state;
	world->admitted = false;
	link_session_tcp_down(&world->client, ERROR_CLOSED, now(world));
	run(world, SECOND);
	assert_int_equal(world->agent.state, LINK_SESSION_CONNECTED);
	assert_int_equal(world->client.state, LINK_SESSION_CONNECTED);
	assert_int_equal(world->agent_record.step_count, 6);
	assert_int_equal(world->agent_record.steps[4], LINK_STEP_INTERRUPTED);
	assert_int_equal(world->agent_record.steps[5], LINK_STEP_RESUMED);
	end_world(world);
}

/* WELCOME with the new secret is lost together with the connection. */
static void lost_welcome_locks_nobody_out(void **state)
{
	struct world *world = connect_both();
	uint8_t before[FRAME_SECRET_SIZE];

	(void)state;
	memcpy(before, world->client.welcome, sizeof(before));
	cut(world);
	while (world->agent.state != LINK_SESSION_RESUMING)
		run(world, 100);
	assert_memory_equal(before, world->client.welcome, sizeof(before));
	cut(world);
	assert_int_equal(world->agent.state, LINK_SESSION_INTERRUPTED);
	run(world, 2 * SECOND);
	assert_int_equal(world->agent.state, LINK_SESSION_CONNECTED);
	assert_int_equal(world->client.state, LINK_SESSION_CONNECTED);
	assert_int_equal(world->agent_record.step_count, 6); /* one interruption */
	end_world(world);
}

/* Those under way when the keys change can no longer be answered. */
static void new_keys_are_no_loss(void **state)
{
	struct world *world = connect_both();
	struct link_quality quality;

	(void)state;
	world->tcp = TCP_REFUSES;
	cut(world);
	run(world, 2 * SECOND);
	world->drop_to_agent = world->drop_to_client = true;
	run(world, SECOND); /* well below the time after which one counts as lost */
	assert_int_equal(world->client.state, LINK_SESSION_INTERRUPTED);
	world->tcp = TCP_WORKS;
	world->drop_to_agent = world->drop_to_client = false;
	run(world, 10 * SECOND);
	assert_int_equal(world->client.state, LINK_SESSION_CONNECTED);
	link_session_quality(&world->client, &quality);
	assert_true(quality.loss == 0);
	assert_int_equal(quality.sent, quality.answered);
	link_session_quality(&world->agent, &quality);
	assert_true(quality.loss == 0);
	end_world(world);
}

static void loss_before_connected_is_the_end(void **state)
{
	struct world *world = expect_client();

	(void)state;
	world->drop_to_agent = true;
	come(world);
	run(world, SECOND);
	cut(world);
	assert_end(&world->agent_record, ERROR_CLOSED, 0x000);
	assert_end(&world->client_record, ERROR_CLOSED, 0x000);
	end_world(world);
}

/* ---- figures ---- */

static void figures_are_right(void **state)
{
	struct world *world = connect_both();
	struct link_quality quality;
	int64_t mean = 0;

	(void)state;
	link_session_quality(&world->client, &quality);
	assert_int_equal(quality.rtt_last, 2 * MS);
	assert_int_equal(quality.rtt_mean, 2 * MS);
	end_world(world);

	world = expect_client();
	world->delay = 20 * MS;
	for (size_t i = 0; i < 8; i++) {
		world->pong_delay[i] = (int64_t)(i % 2) * 16 * MS;
		mean += 40 * MS + world->pong_delay[i];
	}
	mean /= 8;
	come(world);
	run(world, 8 * SECOND);
	link_session_quality(&world->client, &quality);
	assert_int_equal(quality.answered, 8);
	assert_int_equal(quality.rtt_last, 56 * MS);
	assert_int_equal(quality.rtt_max, 56 * MS);
	assert_int_equal(quality.rtt_mean, mean);
	/* Seven differences of 16 ms: 16 (1 - (15/16)^7) ms. */
	assert_in_range(quality.jitter, 5800, 5830);
	assert_true(quality.loss == 0);
	assert_int_equal(world->client_record.qualities, 8);
	end_world(world);
}

static void loss_is_measured(void **state)
{
	struct world *world = expect_client();
	struct link_quality quality;

	(void)state;
	world->drop_every = 4;
	come(world);
	run(world, 403 * SECOND);
	link_session_quality(&world->client, &quality);
	assert_true(quality.loss > 0.24 && quality.loss < 0.26);
	assert_int_equal(quality.sent, 403);
	link_session_quality(&world->agent, &quality);
	assert_true(quality.loss == 0);
	end_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_and_user_closes),
		cmocka_unit_test(administrator_closes),
		cmocka_unit_test(one_goodbye_is_enough),
		cmocka_unit_test(opaque_frames_pass),
		cmocka_unit_test(licence_note_passes),
		cmocka_unit_test(client_never_comes),
		cmocka_unit_test(tag_expires_without_a_tick),
		cmocka_unit_test(udp_to_agent_is_blocked),
		cmocka_unit_test(udp_to_client_is_blocked),
		cmocka_unit_test(udp_and_tcp_are_blocked),
		cmocka_unit_test(silence_ends_it),
		cmocka_unit_test(nobody_answers_the_client),
		cmocka_unit_test(resumes),
		cmocka_unit_test(resume_comes_too_late),
		cmocka_unit_test(resume_needs_udp_too),
		cmocka_unit_test(client_notices_first),
		cmocka_unit_test(lost_welcome_locks_nobody_out),
		cmocka_unit_test(new_keys_are_no_loss),
		cmocka_unit_test(loss_before_connected_is_the_end),
		cmocka_unit_test(figures_are_right),
		cmocka_unit_test(loss_is_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
