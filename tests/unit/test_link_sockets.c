/*
 * test_link_sockets.c - sessions over real sockets.
 */
#include "link_sockets.h"

static void whole_session(void **state)
{
	static const enum link_step steps[] = {LINK_STEP_TCP_ACCEPTED, LINK_STEP_TCP_CONFIRMED,
		LINK_STEP_UDP_OPEN, LINK_STEP_CONNECTED, LINK_STEP_INTERRUPTED, LINK_STEP_RESUMED};
	struct link_license license = {.granted = true, .remaining_days = 160};
	struct world *world = connect_both();
	struct link_quality quality;
	static uint8_t bytes[LINK_FRAME_MAXIMUM];
	char local[64];

	(void)state;
	snprintf(local, sizeof(local), "127.0.0.1:%u", (unsigned)link_server_port(world->server));
	assert_string_equal(world->agent_end.local, local);
	assert_memory_equal(world->agent_end.peer, "127.0.0.1:", 10);
	assert_int_equal(world->report.troubles, CERTIFICATE_GOOD);
	assert_int_equal(link_server_license(world->server, world->session, &license), 0);
	RUN_UNTIL(world, world->client_end.licenses == 1);
	assert_int_equal(world->client_end.license.remaining_days, 160);
	RUN_UNTIL(world, world->client_end.quality.answered >= 5);
	assert_true(world->client_end.quality.rtt_mean >= 0);
	assert_true(world->client_end.quality.jitter >= 0);
	assert_int_equal(link_server_quality(world->server, world->session, &quality), 0);
	assert_true(quality.sent > 0);
	memset(bytes, 7, sizeof(bytes));
	assert_int_equal(link_client_send(world->client, bytes, sizeof(bytes)), 0);
	assert_int_equal(link_server_send(world->server, world->session, "x", 1), 0);
	RUN_UNTIL(world, world->agent_end.frames == 1 && world->client_end.frames == 1);
	assert_int_equal(world->agent_end.bytes, LINK_FRAME_MAXIMUM);
	assert_int_equal(
		link_client_send(world->client, bytes, LINK_FRAME_MAXIMUM + 1), ERROR_INPUT);
	assert_int_equal(link_client_send(world->client, bytes, 0), ERROR_INPUT);

	cut(world);
	RUN_UNTIL(world,
		world->agent_end.reached[LINK_STEP_RESUMED] &&
			world->client_end.reached[LINK_STEP_RESUMED]);
	RUN_UNTIL(world, world->client_end.licenses == 2);
	assert_int_equal(link_client_send(world->client, "again", 5), 0);
	RUN_UNTIL(world, world->agent_end.frames == 2);

	link_client_close(world->client, LINK_CAUSE_MANUAL_USER_DISCONNECT);
	assert_int_equal(world->client_end.closed, 0); /* not from inside the call */
	RUN_UNTIL(world, world->agent_end.closed && world->client_end.closed);
	assert_int_equal(world->client_end.error, 0);
	assert_int_equal(world->client_end.cause, 0x301);
	assert_int_equal(world->agent_end.cause, 0x301);
	assert_int_equal(world->agent_end.quality.bytes_in, LINK_FRAME_MAXIMUM + 5);
	assert_int_equal(world->agent_end.count, 6);
	assert_int_equal(world->client_end.count, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(world->agent_end.steps[i], steps[i]);
		assert_int_equal(world->client_end.steps[i], steps[i]);
	}
	assert_int_equal(link_server_close(world->server, world->session, 0x104), ERROR_NOT_FOUND);
	end_world(world);
}

/* The client's UDP socket gets another port, as behind a NAT that forgot it:
 * the agent's datagrams follow it there. */
static void new_address_is_followed(void **state)
{
	struct world *world = connect_both();
	struct sockaddr_in server = {.sin_family = AF_INET};
	int fresh = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int found = -1;
	char byte;

	(void)state;
	server.sin_port = htons(link_server_port(world->server));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fresh, (struct sockaddr *)&server, sizeof(server)), 0);
	for (int fd = 3; fd < fresh; fd++) {
		struct sockaddr_in peer = {0};
		socklen_t length = sizeof(peer);
		int type = 0;
		socklen_t type_length = sizeof(type);

		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) == 0 &&
			type == SOCK_DGRAM &&
			getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
			peer.sin_port == server.sin_port)
			found = fd;
	}
	if (found < 0)
		fail_msg("the client has no UDP socket");
	assert_int_equal(dup2(fresh, found), found);
	RUN_UNTIL(world, recv(fresh, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1);
	assert_int_equal(byte, FRAME_VERSION);
	assert_int_equal(world->agent_end.closed, 0);
	close(fresh);
	end_world(world);
}

static void queue_is_bounded(void **state)
{
	struct world *world = connect_both();
	static uint8_t bytes[10007]; /* so that frames and TLS records end at different places */
	struct end expected = {0};
	size_t sent = 0;
	int error;

	(void)state;
	for (size_t i = 0;; i++) {
		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)(i * 7 + j);
		error = link_client_send(world->client, bytes, sizeof(bytes));
		if (error != 0)
			break;
		note_frame(&expected, bytes, sizeof(bytes));
		sent++;
	}
	assert_int_equal(error, ERROR_LIMIT);
	assert_in_range(sent, 103, 105);
	RUN_UNTIL(world, world->agent_end.frames == sent);
	assert_int_equal(world->agent_end.sum, expected.sum);
	assert_int_equal(link_client_send(world->client, bytes, 1), 0);
	RUN_UNTIL(world, world->agent_end.frames == sent + 1);
	assert_int_equal(world->agent_end.closed, 0);
	end_world(world);
}

static void administrator_closes(void **state)
{
	struct world *world = connect_both();

	(void)state;
	assert_int_equal(link_server_close(
				 world->server, world->session, LINK_CAUSE_MANUAL_ADMIN_DISCONNECT),
		0);
	assert_int_equal(world->agent_end.closed, 0);
	RUN_UNTIL(world, world->agent_end.closed && world->client_end.closed);
	assert_int_equal(world->client_end.error, 0);
	assert_int_equal(world->client_end.cause, 0x104);
	end_world(world);
}

static void server_stops(void **state)
{
	struct world *world = connect_both();

	(void)state;
	link_server_stop(world->server, LINK_CAUSE_INTERNAL_SERVER_FAILURE, server_stopped, world);
	world->server = NULL;
	RUN_UNTIL(world, world->stopped && world->client_end.closed);
	assert_int_equal(world->agent_end.closed, 1);
	assert_int_equal(world->client_end.cause, 0x100);
	end_world(world);
}

static void client_goes_without_a_word(void **state)
{
	struct world *world = connect_both();

	(void)state;
	link_client_free(world->client);
	world->client = NULL;
	RUN_UNTIL(world, world->agent_end.closed);
	assert_int_equal(world->agent_end.cause, 0x300);
	assert_int_equal(world->client_end.closed, 0);
	end_world(world);

	/* From inside a callback. */
	world = make_world();
	world->free_at_step = true;
	serve(world);
	come(world);
	RUN_UNTIL(world, world->agent_end.closed || !world->client);
	assert_int_equal(world->client_end.count, 1);
	assert_int_equal(world->client_end.closed, 0);
	end_world(world);
}

static void wrong_tag_is_refused(void **state)
{
	struct world *world = make_world();

	(void)state;
	serve(world);
	world->tag[9] = (char)(world->tag[9] == 'A' ? 'B' : 'A');
	come(world);
	RUN_UNTIL(world, world->client_end.closed);
	assert_int_equal(world->client_end.error, ERROR_REFUSED);
	assert_int_equal(world->client_end.refusal, LINK_REFUSED_TAG);
	assert_non_null(strstr(world->client_end.detail, "tag"));
	assert_int_equal(world->agent_end.refusal, LINK_REFUSED_TAG);
	assert_int_equal(world->agent_end.closed, 0);
	end_world(world);
}

static void wrong_name_is_refused(void **state)
{
	struct world *world = make_world();
	struct link_client_options options;

	(void)state;
	serve(world);
	options = client_options(world);
	options.sni = "other.example";
	assert_int_equal(start_client(world, &options), 0);
	RUN_UNTIL(world, world->client_end.closed);
	assert_int_equal(world->client_end.refusal, LINK_REFUSED_NAME);
	end_world(world);
}

static void client_never_comes(void **state)
{
	struct world *world = make_world();

	(void)state;
	world->options.tag_life = 20 * MS;
	serve(world);
	RUN_UNTIL(world, world->agent_end.closed);
	assert_int_equal(world->agent_end.cause, 0x102);
	come(world);
	RUN_UNTIL(world, world->client_end.closed);
	assert_int_equal(world->client_end.error, ERROR_REFUSED);
	assert_int_equal(world->client_end.refusal, LINK_REFUSED_EXPIRED);
	end_world(world);
}

static void certificate_is_judged(void **state)
{
	struct world *world = make_world();

	(void)state;
	serve(world);
	world->fingerprint[3] = (char)(world->fingerprint[3] == '0' ? '1' : '0');
	come(world);
	RUN_UNTIL(world, world->client_end.closed);
	assert_int_equal(world->client_end.error, ERROR_UNTRUSTED);
	assert_true(world->report.troubles & CERTIFICATE_WRONG_FINGERPRINT);
	assert_non_null(strstr(world->client_end.detail, world->report.text));
	assert_int_equal(world->agent_end.count, 0);
	end_world(world);
}

/* A listening socket that nobody accepts from. */
static int deaf_listener(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void nobody_is_there(void **state)
{
	struct world *world = make_world();
	struct link_client_options options;
	uint16_t port;
	int fd = deaf_listener(&port);

	(void)state;
	world->session = 7;
	strcpy(world->tag, "tag");
	options = client_options(world);
	options.port = port;
	options.connect_limit = 30 * MS;
	assert_int_equal(start_client(world, &options), 0);
	RUN_UNTIL(world, world->client_end.closed);
	assert_int_equal(world->client_end.error, ERROR_TIMEOUT);
	assert_non_null(strstr(world->client_end.detail, "30 ms"));
	assert_non_null(strstr(world->client_end.detail, "TLS hello"));
	link_client_free(world->client);
	close(fd);
	memset(&world->client_end, 0, sizeof(world->client_end));
	assert_int_equal(start_client(world, &options), 0);
	RUN_UNTIL(world, world->client_end.closed);
	assert_int_equal(world->client_end.error, ERROR_UNREACHABLE);
	assert_non_null(strstr(world->client_end.detail, "refused"));
	end_world(world);
}

static void inputs_are_judged(void **state)
{
	struct world *world = make_world();
	struct link_client_options options;
	struct link_server *other;

	(void)state;
	serve(world);
	options = client_options(world);
	options.address = "ws-7.example";
	assert_int_equal(start_client(world, &options), ERROR_INPUT);
	options = client_options(world);
	options.tag = "";
	assert_int_equal(start_client(world, &options), ERROR_INPUT);
	world->options.address = "127.0.0.1";
	assert_int_equal(link_server_start(&world->options, &other), ERROR_INPUT);
	world->options.address = "192.0.2.1:0"; /* not ours */
	assert_int_equal(link_server_start(&world->options, &other), ERROR_SYSTEM);
	assert_int_equal(link_server_send(world->server, 1, "x", 1), ERROR_NOT_FOUND);
	assert_int_equal(link_server_send(world->server, world->session, "x", 1), ERROR_STATE);
	end_world(world);
}

/* Bound to any address, the agent answers from the one that was reached:
 * the client's socket takes nothing from another. */
static void answers_from_the_address_that_was_reached(void **state)
{
	static const struct {
		const char *bind, *reach;
	} cases[] = {
		{"0.0.0.0:0", "127.0.0.3"},
		{"[::]:0", "127.0.0.3"},
		{"[::]:0", "::1"},
		{"[::1]:0", "::1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *world = make_world();
		struct link_client_options options;
		int probe = socket(AF_INET6, SOCK_DGRAM, 0);
		struct sockaddr_in6 v6 = {
			.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
		bool has_v6 = probe >= 0 && bind(probe, (struct sockaddr *)&v6, sizeof(v6)) == 0;

		close(probe);
		if (has_v6 || strchr(cases[i].bind, '[') == NULL) {
			world->options.address = cases[i].bind;
			serve(world);
			options = client_options(world);
			options.address = cases[i].reach;
			assert_int_equal(start_client(world, &options), 0);
			RUN_UNTIL(world, world->client_end.reached[LINK_STEP_CONNECTED]);
			assert_non_null(strstr(world->agent_end.local, cases[i].reach));
		}
		end_world(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_session),
		cmocka_unit_test(new_address_is_followed),
		cmocka_unit_test(queue_is_bounded),
		cmocka_unit_test(administrator_closes),
		cmocka_unit_test(server_stops),
		cmocka_unit_test(client_goes_without_a_word),
		cmocka_unit_test(wrong_tag_is_refused),
		cmocka_unit_test(wrong_name_is_refused),
		cmocka_unit_test(client_never_comes),
		cmocka_unit_test(certificate_is_judged),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(inputs_are_judged),
		cmocka_unit_test(answers_from_the_address_that_was_reached),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
