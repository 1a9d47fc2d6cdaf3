/*
 * test_link_hostile.c - peers that are idle, slow, foreign or wrong.
 */
#include "link_sockets.h"
#include "service/link_packet.h"

static int plain_connection(struct world *world, const char *host)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_port = htons(link_server_port(world->server));
	assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static bool is_closed(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) >= 0 || errno == ECONNRESET;
}

/* Idle connections push out each other, not the honest client. */
static void idle_connections_are_bounded(void **state)
{
	struct world *world = make_world();
	int fds[20];

	(void)state;
	serve(world);
	for (int i = 0; i < 20; i++)
		fds[i] = plain_connection(world, "127.0.0.1");
	RUN_UNTIL(world, world->agent_end.busy == 4);
	RUN_UNTIL(world, is_closed(fds[3]));
	assert_false(is_closed(fds[4]));
	come(world);
	RUN_UNTIL(world, world->client_end.reached[LINK_STEP_CONNECTED]);
	assert_int_equal(world->agent_end.busy, 5);
	for (int i = 0; i < 20; i++)
		close(fds[i]);
	end_world(world);
}

static void slow_and_foreign_ones_are_cut(void **state)
{
	struct world *world = make_world();
	int silent;
	int foreign;

	(void)state;
	world->options.handshake_limit = 30 * MS;
	serve(world);
	silent = plain_connection(world, "127.0.0.1");
	RUN_UNTIL(world, is_closed(silent));
	foreign = plain_connection(world, "127.0.0.1");
	assert_int_equal(write(foreign, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	RUN_UNTIL(world, is_closed(foreign));
	close(silent);
	close(foreign);
	end_world(world);
}

/* ---- a client written by hand, after docs/session-wire.md ---- */

static SSL *hand_client(struct world *world)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int fd = plain_connection(world, "127.0.0.1");
	SSL *ssl = SSL_new(context);
	struct timeval none = {0, 1000};
	int returned;

	SSL_CTX_free(context);
	SSL_set_tlsext_host_name(ssl, NAME);
	SSL_set_fd(ssl, fd);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
	do {
		uv_run(&world->loop, UV_RUN_NOWAIT);
		returned = SSL_connect(ssl);
	} while (returned != 1 && SSL_get_error(ssl, returned) == SSL_ERROR_WANT_READ);
	assert_int_equal(returned, 1);
	return ssl;
}

/* Reads all of it, or less when the connection is closed. */
static size_t hand_read(struct world *world, SSL *ssl, uint8_t *bytes, size_t length)
{
	size_t all = 0;

	while (all < length) {
		size_t got = 0;
		int returned;

		uv_run(&world->loop, UV_RUN_NOWAIT);
		returned = SSL_read_ex(ssl, bytes + all, length - all, &got);
		if (returned != 1 && SSL_get_error(ssl, returned) != SSL_ERROR_WANT_READ)
			break;
		all += got;
	}
	return all;
}

static void hand_free(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_free(ssl);
	close(fd);
}

static void hand_hello(struct world *world, SSL *ssl)
{
	uint8_t bytes[4 + 10 + LINK_TAG_SIZE] = {1, 0, 0, 10 + LINK_TAG_SIZE - 1, 0, 1};

	for (size_t i = 0; i < 8; i++)
		bytes[6 + i] = (uint8_t)(world->session >> (56 - 8 * i));
	memcpy(bytes + 14, world->tag, LINK_TAG_SIZE);
	assert_int_equal(SSL_write(ssl, bytes, 14 + LINK_TAG_SIZE - 1), 14 + LINK_TAG_SIZE - 1);
}

static void client_whose_udp_is_blocked(void **state)
{
	struct world *world = make_world();
	uint8_t bytes[256];
	struct link_packet_keys keys;
	uint8_t key[LINK_PACKET_KEY_SIZE];
	SSL *ssl;

	(void)state;
	world->options.udp_open_limit = 50 * MS;
	serve(world);
	ssl = hand_client(world);
	/* Label and contexts as documented: one key for each direction. */
	assert_int_equal(link_packet_export(ssl, &keys), 0);
	assert_int_equal(SSL_export_keying_material(ssl, key, sizeof(key),
				 "EXPORTER-Fairlead-session", 25, (const uint8_t *)"client", 6, 1),
		1);
	assert_memory_equal(key, keys.client, sizeof(key));
	assert_int_equal(SSL_export_keying_material(ssl, key, sizeof(key),
				 "EXPORTER-Fairlead-session", 25, (const uint8_t *)"agent", 5, 1),
		1);
	assert_memory_equal(key, keys.agent, sizeof(key));
	hand_hello(world, ssl);
	assert_int_equal(hand_read(world, ssl, bytes, 4 + 34), 4 + 34);
	assert_memory_equal(bytes, "\2\0\0\42\0\1", 6);
	assert_int_equal(hand_read(world, ssl, bytes, 8), 8);
	assert_memory_equal(bytes, "\x09\0\0\4\0\0\4\2", 8);
	assert_int_equal(hand_read(world, ssl, bytes, sizeof(bytes)), 0);
	assert_int_equal(world->agent_end.cause, 0x402);
	hand_free(ssl);
	end_world(world);
}

static void garbage_gets_no_answer(void **state)
{
	struct world *world = make_world();
	struct sockaddr_in address = {.sin_family = AF_INET};
	uint8_t bytes[64] = {1};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	SSL *ssl;

	(void)state;
	serve(world);
	/* UDP: with the right id, but nobody could have sealed it. */
	for (size_t i = 0; i < 8; i++)
		bytes[1 + i] = (uint8_t)(world->session >> (56 - 8 * i));
	address.sin_port = htons(link_server_port(world->server));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	for (int i = 0; i < 20; i++)
		assert_true(write(fd, bytes, i % 2 ? sizeof(bytes) : (size_t)i) >= 0);
	come(world);
	RUN_UNTIL(world, world->client_end.reached[LINK_STEP_CONNECTED]);
	for (int i = 0; i < 20; i++)
		assert_true(write(fd, bytes, sizeof(bytes)) > 0);
	world->client_end.qualities = 0;
	RUN_UNTIL(world, world->client_end.qualities >= 3);
	assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	close(fd);
	/* TCP: a frame that is none, before and after HELLO. */
	ssl = hand_client(world);
	assert_int_equal(SSL_write(ssl, "\x05\0\0\0", 4), 4);
	assert_int_equal(hand_read(world, ssl, bytes, sizeof(bytes)), 0);
	hand_free(ssl);
	link_client_close(world->client, 0x301);
	RUN_UNTIL(world, world->agent_end.closed == 1);
	assert_int_equal(link_server_expect(world->server, NULL, &world->session, world->tag), 0);
	memset(&world->agent_end, 0, sizeof(world->agent_end));
	ssl = hand_client(world);
	hand_hello(world, ssl);
	assert_int_equal(hand_read(world, ssl, bytes, 4 + 34), 4 + 34);
	assert_int_equal(SSL_write(ssl, "\xff\xff\xff\xff", 4), 4);
	RUN_UNTIL(world, world->agent_end.closed == 1);
	assert_int_equal(world->agent_end.cause, 0x101);
	hand_free(ssl);
	end_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_connections_are_bounded),
		cmocka_unit_test(slow_and_foreign_ones_are_cut),
		cmocka_unit_test(client_whose_udp_is_blocked),
		cmocka_unit_test(garbage_gets_no_answer),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
