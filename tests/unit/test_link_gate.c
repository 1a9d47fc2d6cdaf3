/*
 * test_link_gate.c - who may come in, and what is not believed; no sockets.
 */
#include "link_world.h"

/* ---- who may come in ---- */

static void wrong_tags_are_counted(void **state)
{
	struct world *world = expect_client();
	struct frame wrong = hello(world, "wrong");

	(void)state;
	for (int i = 0; i < LINK_GATE_TRIES - 1; i++)
		assert_int_equal(judge(world, &wrong, NAME), LINK_REFUSED_TAG);
	come(world); /* with the right one, which is not burnt */
	run(world, SECOND);
	assert_int_equal(world->client.state, LINK_SESSION_CONNECTED);
	/* Guesses do not end what stands. */
	for (int i = 0; i < 2 * LINK_GATE_TRIES; i++)
		assert_int_equal(judge(world, &wrong, NAME), LINK_REFUSED_TAG);
	assert_int_equal(world->agent_record.closed, 0);
	end_world(world);

	world = expect_client();
	wrong = hello(world, "wrong");
	for (int i = 0; i < LINK_GATE_TRIES; i++) {
		assert_int_equal(world->agent_record.closed, 0);
		assert_int_equal(judge(world, &wrong, NAME), LINK_REFUSED_TAG);
	}
	assert_end(&world->agent_record, 0, 0x101);
	wrong = hello(world, world->tag);
	assert_int_equal(judge(world, &wrong, NAME), LINK_REFUSED_TAG);
	end_world(world);
}

static void tag_is_used_once(void **state)
{
	struct world *world = connect_both();
	struct frame again = hello(world, world->tag);

	(void)state;
	assert_int_equal(judge(world, &again, NAME), LINK_REFUSED_TAG);
	assert_int_equal(world->agent.state, LINK_SESSION_CONNECTED);
	end_world(world);
}

static void client_is_told_of_a_refusal(void **state)
{
	struct world *world = expect_client();

	(void)state;
	world->tag[5] = (char)(world->tag[5] == 'A' ? 'B' : 'A');
	come(world);
	run(world, SECOND);
	assert_end(&world->client_record, ERROR_REFUSED, 0);
	assert_int_equal(world->client_record.end.refusal, LINK_REFUSED_TAG);
	end_world(world);
}

static void unknown_looks_like_wrong(void **state)
{
	struct world *world = expect_client();
	struct frame frame = hello(world, world->tag);
	uint8_t zeros[FRAME_SECRET_SIZE] = {0};

	(void)state;
	frame.session++;
	assert_int_equal(judge(world, &frame, NAME), LINK_REFUSED_UNKNOWN);
	assert_int_equal(link_gate_told(LINK_REFUSED_UNKNOWN), link_gate_told(LINK_REFUSED_TAG));
	/* Nobody was welcomed yet, so there is nothing to resume. */
	frame = resume(world, zeros);
	assert_int_equal(judge(world, &frame, NAME), LINK_REFUSED_TAG);
	end_world(world);
}

static void name_and_version_count(void **state)
{
	struct world *world = expect_client();
	struct frame frame = hello(world, world->tag);

	(void)state;
	frame.version = 2;
	assert_int_equal(judge(world, &frame, NAME), LINK_REFUSED_VERSION);
	frame.version = FRAME_VERSION;
	assert_int_equal(judge(world, &frame, "other"), LINK_REFUSED_NAME);
	assert_int_equal(judge(world, &frame, NULL), LINK_REFUSED_NAME);
	assert_int_equal(judge(world, &frame, "WS-7.Example"), 0);
	end_world(world);
}

static void gate_holds_64(void **state)
{
	static struct link_session sessions[LINK_GATE_SESSIONS + 1];
	struct entropy_fake entropy;
	struct link_gate gate;
	char tag[LINK_TAG_SIZE];

	(void)state;
	entropy_fake_init(&entropy, 1);
	assert_int_equal(link_gate_init(&gate, &entropy.entropy), 0);
	for (size_t i = 0; i <= LINK_GATE_SESSIONS; i++) {
		int error = link_gate_expect(
			&gate, &sessions[i], NULL, &defaults, &entropy.entropy, 0, tag);

		assert_int_equal(error, i < LINK_GATE_SESSIONS ? 0 : ERROR_LIMIT);
	}
	assert_int_equal(strlen(tag), LINK_TAG_SIZE - 1);
	link_gate_remove(&gate, &sessions[7]);
	assert_null(link_gate_find(&gate, sessions[7].id));
	assert_ptr_equal(link_gate_find(&gate, sessions[8].id), &sessions[8]);
	link_gate_clear(&gate);
}

/* ---- packets that are not right ---- */

static void replays_are_ignored(void **state)
{
	struct world *world = connect_both();
	struct item old;

	(void)state;
	run(world, 5 * SECOND);
	old = world->last_packet;
	run(world, 100 * MS);
	assert_ignored(world, old.bytes, old.length, ERROR_EXISTS);
	run(world, 2 * SECOND);
	assert_ignored(world, old.bytes, old.length, ERROR_EXISTS);
	end_world(world);
}

static void forgeries_are_ignored(void **state)
{
	struct world *world = connect_both();
	struct frame ping = {.type = FRAME_PING, .number = 1};
	uint8_t good[LINK_PACKET_MAXIMUM];
	size_t length;
	bool newest;

	(void)state;
	run(world, 100 * MS);
	assert_int_equal(link_session_seal(&world->client, &ping, good, &length), 0);
	for (size_t i = 0; i < length; i++) {
		uint8_t forged[LINK_PACKET_MAXIMUM];

		memcpy(forged, good, length);
		forged[i] ^= 0x10;
		assert_ignored(world, forged, length, i < 9 ? ERROR_INPUT : ERROR_CRYPTO);
	}
	for (size_t less = 0; less < length; less++)
		assert_ignored(world, good, less,
			less < LINK_PACKET_HEADER_SIZE + LINK_PACKET_TAG_SIZE + 1 ? ERROR_INPUT
										  : ERROR_CRYPTO);
	/* Sent back to its sender it is no better: each direction has a key of its own. */
	assert_int_equal(link_session_packet(&world->client, good, length, now(world), &newest),
		ERROR_CRYPTO);
	assert_int_equal(link_session_packet(&world->agent, good, length, now(world), &newest), 0);
	assert_true(newest);
	end_world(world);
}

static void before_the_first_client_nothing_opens(void **state)
{
	struct world *world = expect_client();
	uint8_t packet[64] = {FRAME_VERSION};
	uint64_t id = world->agent.id;

	(void)state;
	for (size_t i = 9; i-- > 1; id >>= 8)
		packet[i] = (uint8_t)id;
	assert_ignored(world, packet, sizeof(packet), ERROR_STATE);
	end_world(world);
}

static void newest_number_moves_the_address(void **state)
{
	struct world *world = connect_both();
	struct frame ping = {.type = FRAME_PING, .number = 1};
	uint8_t first[LINK_PACKET_MAXIMUM];
	uint8_t second[LINK_PACKET_MAXIMUM];
	size_t length;
	bool newest;

	(void)state;
	assert_int_equal(link_session_seal(&world->client, &ping, first, &length), 0);
	assert_int_equal(link_session_seal(&world->client, &ping, second, &length), 0);
	assert_int_equal(
		link_session_packet(&world->agent, second, length, now(world), &newest), 0);
	assert_true(newest);
	assert_int_equal(link_session_packet(&world->agent, first, length, now(world), &newest), 0);
	assert_false(newest);
	end_world(world);
}

static void window_is_960(void **state)
{
	static uint8_t packets[2200][64];
	uint8_t key[LINK_PACKET_KEY_SIZE] = {1, 2, 3};
	uint8_t payload[LINK_PACKET_PAYLOAD_MAXIMUM];
	uint8_t packet[LINK_PACKET_MAXIMUM];
	struct link_packet_sealer sealer = {0};
	struct link_packet_opener opener = {0};
	size_t length;
	bool newest = false;

	(void)state;
	assert_int_equal(link_packet_seal(&sealer, 7, "x", 1, packet, &length), ERROR_STATE);
	assert_int_equal(link_packet_seal_with(&sealer, key), 0);
	assert_int_equal(link_packet_open_with(&opener, key), 0);
	for (size_t i = 1; i < 2200; i++) {
		assert_int_equal(link_packet_seal(&sealer, 7, "x", 1, packet, &length), 0);
		memcpy(packets[i], packet, length);
	}
#define OPEN(i) link_packet_open(&opener, 7, packets[i], length, payload, &(size_t){0}, &newest)
	assert_int_equal(OPEN(1000), 0);
	assert_int_equal(OPEN(40), ERROR_EXISTS);
	assert_int_equal(OPEN(41), 0);
	assert_int_equal(OPEN(41), ERROR_EXISTS);
	for (size_t i = 42; i < 1000; i++)
		assert_int_equal(OPEN(i), 0);
	for (size_t i = 1; i <= 1000; i++)
		assert_int_equal(OPEN(i), ERROR_EXISTS);
	/* One by one, several times around the ring. */
	assert_int_equal(link_packet_open_with(&opener, key), 0);
	for (size_t i = 1; i <= 2000; i++)
		assert_int_equal(OPEN(i), 0);
	/* A jump over a part of the window, then the gap is filled. */
	assert_int_equal(link_packet_open_with(&opener, key), 0);
	for (size_t i = 1; i <= 1000; i++)
		assert_int_equal(OPEN(i), 0);
	assert_int_equal(OPEN(1130), 0);
	for (size_t i = 1001; i < 1130; i++)
		assert_int_equal(OPEN(i), 0);
	/* A jump over all of the window, then the gap is filled. */
	assert_int_equal(OPEN(2199), 0);
	assert_int_equal(OPEN(2199 - 960), ERROR_EXISTS);
	for (size_t i = 2199 - 959; i < 2199; i++)
		assert_int_equal(OPEN(i), 0);
	for (size_t i = 2199 - 959; i <= 2199; i++)
		assert_int_equal(OPEN(i), ERROR_EXISTS);
	assert_int_equal(link_packet_seal(&sealer, 7, payload, LINK_PACKET_PAYLOAD_MAXIMUM + 1,
				 packet, &length),
		ERROR_LIMIT);
	assert_int_equal(
		link_packet_seal(&sealer, 7, payload, LINK_PACKET_PAYLOAD_MAXIMUM, packet, &length),
		0);
	assert_int_equal(length, LINK_PACKET_MAXIMUM);
	link_packet_sealer_clear(&sealer);
	link_packet_opener_clear(&opener);
}

/* ---- peers that do not keep to the protocol ---- */

static void misplaced_frames_end_it(void **state)
{
	static const enum frame_type to_agent_types[] = {FRAME_HELLO, FRAME_RESUME, FRAME_OPENED};
	static const enum frame_type to_client_types[] = {
		FRAME_WELCOME, FRAME_REFUSED, FRAME_CONNECTED};
	uint8_t zeros[FRAME_SECRET_SIZE] = {0};
	struct frame data = {.type = FRAME_DATA, .data = {zeros, 1}};
	struct world *world;

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct frame frame = {.secret = {zeros, sizeof(zeros)}};

		world = connect_both();
		frame.type = i < 3 ? to_agent_types[i] : to_client_types[i - 3];
		link_session_frame(i < 3 ? &world->agent : &world->client, &frame, now(world));
		run(world, SECOND);
		assert_end(&world->agent_record, i < 3 ? ERROR_INPUT : 0, 0x101);
		assert_end(&world->client_record, i < 3 ? 0 : ERROR_INPUT, 0x101);
		end_world(world);
	}
	world = expect_client();
	world->drop_to_agent = true;
	come(world);
	run(world, 100 * MS);
	link_session_frame(&world->agent, &data, now(world));
	run(world, SECOND);
	assert_end(&world->agent_record, ERROR_INPUT, 0x101);
	end_world(world);
	/* OPENED from a client whose invite never came. */
	world = expect_client();
	world->drop_to_agent = true;
	come(world);
	run(world, 100 * MS);
	data.type = FRAME_OPENED;
	link_session_frame(&world->agent, &data, now(world));
	run(world, SECOND);
	assert_end(&world->agent_record, ERROR_INPUT, 0x101);
	end_world(world);
	/* CONNECTED for a client that saw no answer to its invite. */
	world = expect_client();
	world->drop_to_client = true;
	come(world);
	run(world, 100 * MS);
	data.type = FRAME_CONNECTED;
	link_session_frame(&world->client, &data, now(world));
	run(world, SECOND);
	assert_end(&world->client_record, ERROR_INPUT, 0x101);
	end_world(world);
	/* Bytes that are no frame. */
	world = connect_both();
	link_session_broken(&world->agent, now(world));
	run(world, SECOND);
	assert_end(&world->agent_record, ERROR_INPUT, 0x101);
	assert_end(&world->client_record, 0, 0x101);
	end_world(world);
}

/* ---- tables ---- */

static void causes_have_texts(void **state)
{
	(void)state;
	assert_string_equal(link_cause_name(0x000), "NONE");
	assert_string_equal(link_cause_name(0x102), "HOST_BROKER_SESSION_EXPIRY_TIMEOUT");
	assert_string_equal(link_cause_name(0x104), "HOST_BROKER_MANUAL_ADMIN_DISCONNECT");
	assert_string_equal(link_cause_name(0x301), "DEVICE_GPIO_MANUAL_USER_DISCONNECT");
	assert_string_equal(link_cause_name(0x402), "DEVICE_INTERNAL_PCOIP_OPEN_TIMEOUT");
	assert_string_equal(link_cause_name(0x1ff), "HOST_BROKER");
	assert_string_equal(link_cause_name(0x2ab), "HOST_DRIVER");
	assert_string_equal(link_cause_name(0x3ab), "DEVICE");
	assert_string_equal(link_cause_name(0x4ab), "DEVICE_INTERNAL");
	assert_string_equal(link_cause_name(0x12345678), "UNKNOWN");
	assert_non_null(strstr(link_cause_meaning(0x402), "UDP"));
	assert_non_null(strstr(link_cause_meaning(0x2ab), "driver"));
	assert_non_null(strstr(link_cause_meaning(0x9999), "unknown"));
	assert_non_null(strstr(link_refusal_text(LINK_REFUSED_EXPIRED), "60 seconds"));
	assert_non_null(strstr(link_refusal_text(999), "not known"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_tags_are_counted),
		cmocka_unit_test(tag_is_used_once),
		cmocka_unit_test(client_is_told_of_a_refusal),
		cmocka_unit_test(unknown_looks_like_wrong),
		cmocka_unit_test(name_and_version_count),
		cmocka_unit_test(gate_holds_64),
		cmocka_unit_test(replays_are_ignored),
		cmocka_unit_test(forgeries_are_ignored),
		cmocka_unit_test(before_the_first_client_nothing_opens),
		cmocka_unit_test(newest_number_moves_the_address),
		cmocka_unit_test(window_is_960),
		cmocka_unit_test(misplaced_frames_end_it),
		cmocka_unit_test(causes_have_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
