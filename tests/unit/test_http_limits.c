#include "http_fixture.h"

/* --- time --- */

static void slow_clients(void **state)
{
	static const char *const unfinished[] = {
		"P",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab",
	};
	struct client client;

	(void)state;
	begin(NULL);
	for (int i = 0; i < 8; i++) {
		client = meet();
		if (i >= 4) {
			say(&client, POST_ABC);
			assert_string_equal(hear(&client, false), ECHO_ABC);
		}
		say(&client, unfinished[i % 4]);
		if (i % 4 >= 2)
			(void)wait_for_class(HTTP_CLASS_BODY);
		else
			while (wait_for_class(HTTP_CLASS_HEAD)->state != HTTP_STATE_HEAD)
				turn();
		/* not yet */
		sweep_after(8);
		assert_int_equal(here.events[HTTP_EVENT_BAD_REQUEST], i);
		sweep_after(10);
		assert_non_null(strstr(hear(&client, false), " 408 Request Timeout\r\n"));
		assert_closed(&client);
		assert_int_equal(here.events[HTTP_EVENT_BAD_REQUEST], i + 1);
		hang_up(&client);
		wait_for_connections(0);
	}
	end();
}

/* Bytes that drip in do not buy time. */
static void dripping_buys_no_time(void **state)
{
	struct client client;
	struct http_connection *connection;
	uint64_t deadline;

	(void)state;
	begin(NULL);
	client = dial(here.port);
	connection = wait_for_class(HTTP_CLASS_HEAD);
	/* so that a deadline that is set anew could not be the same */
	deadline = connection->deadline -= 5000;
	assert_true(shake(&client));
	say(&client, "P");
	while (connection->exchange == NULL)
		turn();
	say(&client, "OST / HTTP/1.1\r\nHost: h\r\n");
	while (connection->exchange->parse.head_bytes < 20)
		turn();
	assert_int_equal(connection->state, HTTP_STATE_HEAD);
	assert_int_equal(connection->deadline, deadline);
	say(&client, "Content-Length: 100\r\n\r\n");
	while (connection->state == HTTP_STATE_HEAD)
		turn();
	assert_int_equal(connection->state, HTTP_STATE_BODY);
	deadline = connection->deadline -= 5000;
	say(&client, "ab");
	while (connection->exchange->parse.body_length == 0)
		turn();
	assert_int_equal(connection->deadline, deadline);
	hang_up(&client);
	end();
}

static void silent_clients(void **state)
{
	struct client client;

	(void)state;
	begin(NULL);
	/* nothing at all */
	client = dial(here.port);
	wait_for_connections(1);
	sweep_after(10);
	assert_int_equal(http_server_connections(here.server), 0);
	assert_int_equal(here.events[HTTP_EVENT_TLS_FAILED], 1);
	hang_up(&client);
	/* TLS and no request */
	client = meet();
	sweep_after(8);
	assert_int_equal(http_server_connections(here.server), 1);
	sweep_after(10);
	assert_string_equal(hear(&client, false), "");
	hang_up(&client);
	wait_for_connections(0);
	/* idle */
	client = meet();
	say(&client, POST_ABC);
	assert_string_equal(hear(&client, false), ECHO_ABC);
	sweep_after(58);
	assert_int_equal(http_server_connections(here.server), 1);
	sweep_after(60);
	assert_string_equal(hear(&client, false), "");
	hang_up(&client);
	wait_for_connections(0);
	/* a request that is being worked on has all the time the handler needs */
	here.hold = true;
	client = meet();
	say(&client, POST_ABC);
	while (here.held_count == 0)
		turn();
	sweep_after(100000);
	echo(here.held[0], false);
	assert_string_equal(hear(&client, false), ECHO_ABC);
	hang_up(&client);
	end();
}

static void lingering_ends(void **state)
{
	struct client client;

	(void)state;
	begin(NULL);
	client = meet();
	say(&client, "nonsense\r\n\r\n");
	assert_non_null(strstr(hear(&client, false), " 400 "));
	turn();
	/* the client does not close: we do */
	assert_int_equal(http_server_connections(here.server), 1);
	sweep_after(HTTP_LINGER_SECONDS);
	assert_int_equal(http_server_connections(here.server), 0);
	hang_up(&client);
	end();
}

/* --- limits --- */

static void per_address(void **state)
{
	const struct http_limits limits = {.connections_per_address = 2};
	struct client clients[4];

	(void)state;
	begin(&limits);
	clients[0] = meet();
	clients[1] = meet();
	clients[2] = dial(here.port);
	assert_false(shake(&clients[2]));
	assert_int_equal(here.events[HTTP_EVENT_REFUSED], 1);
	assert_string_equal(here.event_text, "too many connections from this address");
	assert_string_equal(here.event_peer, "127.0.0.1");
	/* others are served */
	clients[3] = dial_from("127.0.0.2", here.port);
	assert_true(shake(&clients[3]));
	hang_up(&clients[2]);
	/* one that is idle makes room for its own address */
	say(&clients[3], POST_ABC);
	assert_string_equal(hear(&clients[3], false), ECHO_ABC);
	say(&clients[0], POST_ABC);
	assert_string_equal(hear(&clients[0], false), ECHO_ABC);
	clients[2] = meet();
	assert_string_equal(hear(&clients[0], false), "");
	say(&clients[3], POST_ABC);
	assert_string_equal(hear(&clients[3], false), ECHO_ABC);
	for (int i = 0; i < 4; i++)
		hang_up(&clients[i]);
	wait_for_connections(0);
	end();
}

static void in_all(void **state)
{
	const struct http_limits limits = {.connections = 3};
	struct client clients[6];

	(void)state;
	begin(&limits);
	for (int i = 0; i < 3; i++)
		clients[i] = meet();
	clients[3] = dial(here.port);
	assert_false(shake(&clients[3]));
	assert_string_equal(here.event_text, "too many connections");
	/* the one that has been idle longest goes first */
	for (int i = 2; i >= 1; i--) {
		say(&clients[i], POST_ABC);
		assert_string_equal(hear(&clients[i], false), ECHO_ABC);
	}
	clients[4] = meet();
	assert_string_equal(hear(&clients[2], false), "");
	clients[5] = meet();
	assert_string_equal(hear(&clients[1], false), "");
	say(&clients[0], POST_ABC);
	assert_string_equal(hear(&clients[0], false), ECHO_ABC);
	for (int i = 0; i < 6; i++)
		hang_up(&clients[i]);
	wait_for_connections(0);
	end();
}

static void a_guard_for_several_servers(void **state)
{
	const struct http_limits limits = {.connections = 2};
	struct http_guard *guard = http_guard_new(&limits);
	struct http_server *second;
	struct client clients[3];
	uint16_t port;

	(void)state;
	begin(NULL);
	stop(here.server);
	here.server = start(NULL, guard, &here.port);
	second = start(NULL, guard, &port);
	clients[0] = meet();
	clients[1] = dial(port);
	assert_true(shake(&clients[1]));
	clients[2] = dial(port);
	assert_false(shake(&clients[2]));
	assert_string_equal(here.event_text, "too many connections");
	hang_up(&clients[0]);
	wait_for_connections(0);
	hang_up(&clients[2]);
	clients[2] = dial(port);
	assert_true(shake(&clients[2]));
	/* one that is idle on this server makes room */
	say(&clients[1], POST_ABC);
	assert_string_equal(hear(&clients[1], false), ECHO_ABC);
	clients[0] = dial(port);
	assert_true(shake(&clients[0]));
	assert_string_equal(hear(&clients[1], false), "");
	hang_up(&clients[0]);
	hang_up(&clients[1]);
	hang_up(&clients[2]);
	stop(second);
	end();
	http_guard_free(guard);
}

static struct http_guard_key key_of(const char *text)
{
	struct http_guard_key key;
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		http_guard_key((const struct sockaddr *)&in, &key);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
		http_guard_key((const struct sockaddr *)&in6, &key);
	}
	return key;
}

static void what_counts_as_one_address(void **state)
{
	const struct http_limits limits = {.connections = 4, .connections_per_address = 2};
	struct http_guard *guard = http_guard_new(&limits);
	struct http_guard_key a = key_of("2001:db8:0:1::1");
	struct http_guard_key same = key_of("2001:db8:0:1:ffff::2");
	struct http_guard_key other = key_of("2001:db8:0:2::1");
	struct http_guard_key four = key_of("192.0.2.1");
	struct http_guard_key mapped = key_of("::ffff:192.0.2.1");
	struct http_guard_key five = key_of("::ffff:192.0.2.2");

	(void)state;
	assert_int_equal(http_guard_enter(guard, &a, false), 0);
	assert_int_equal(http_guard_enter(guard, &same, false), 0);
	assert_int_equal(http_guard_enter(guard, &same, false), ERROR_LIMIT);
	/* A manager has many users; what is limited in all is limited for it, too. */
	assert_int_equal(http_guard_enter(guard, &same, true), 0);
	http_guard_leave(guard, &same);
	assert_int_equal(http_guard_enter(guard, &other, false), 0);
	assert_int_equal(http_guard_enter(guard, &four, false), 0);
	assert_int_equal(http_guard_enter(guard, &five, false), ERROR_BUSY);
	http_guard_leave(guard, &other);
	assert_int_equal(http_guard_enter(guard, &mapped, false), 0);
	http_guard_leave(guard, &a);
	assert_int_equal(http_guard_enter(guard, &mapped, false), ERROR_LIMIT);
	assert_int_equal(http_guard_enter(guard, &five, false), 0);
	http_guard_leave(guard, &same);
	http_guard_leave(guard, &four);
	http_guard_leave(guard, &four);
	http_guard_leave(guard, &five);
	http_guard_free(guard);
}

/* Many addresses come and go; the table gives every place back. */
static void the_guard_forgets(void **state)
{
	const struct http_limits limits = {.connections = 50, .connections_per_address = 1};
	struct http_guard *guard = http_guard_new(&limits);
	struct http_guard_key keys[50];

	(void)state;
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 50; i++) {
			char text[32];

			snprintf(text, sizeof(text), "10.0.%d.%d", round, i);
			keys[i] = key_of(text);
			assert_int_equal(http_guard_enter(guard, &keys[i], false), 0);
		}
		for (int i = 0; i < 50; i++) {
			assert_int_equal(http_guard_enter(guard, &keys[i], false), ERROR_LIMIT);
			http_guard_leave(guard, &keys[(i * 7) % 50]);
			assert_int_equal(http_guard_enter(guard, &keys[(i * 7) % 50], false), 0);
		}
		for (int i = 0; i < 50; i++)
			http_guard_leave(guard, &keys[i]);
	}
	http_guard_free(guard);
}

static void come_and_go(void *user)
{
	struct http_guard_key key = key_of("10.0.0.1");

	for (int i = 0; i < 20000; i++)
		if (http_guard_enter(user, &key, false) == 0)
			http_guard_leave(user, &key);
}

static void the_guard_serves_several_threads(void **state)
{
	const struct http_limits limits = {.connections = 2};
	struct http_guard *guard = http_guard_new(&limits);
	uv_thread_t threads[3];
	struct http_guard_key key = key_of("10.0.0.1");

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(uv_thread_create(&threads[i], come_and_go, guard), 0);
	for (int i = 0; i < 3; i++)
		uv_thread_join(&threads[i]);
	assert_int_equal(http_guard_enter(guard, &key, false), 0);
	assert_int_equal(http_guard_enter(guard, &key, false), 0);
	assert_int_equal(http_guard_enter(guard, &key, false), ERROR_BUSY);
	http_guard_leave(guard, &key);
	http_guard_leave(guard, &key);
	http_guard_free(guard);
}

/* --- the end, and in between --- */

static void a_clean_stop(void **state)
{
	struct client idle;
	struct client fresh;
	struct client asking;
	struct client beginning;
	struct client open;

	(void)state;
	begin(NULL);
	idle = meet();
	say(&idle, POST_ABC);
	assert_string_equal(hear(&idle, false), ECHO_ABC);
	beginning = meet();
	say(&beginning, "POST / HTTP/1.1\r\n");
	while (wait_for_class(HTTP_CLASS_HEAD)->state != HTTP_STATE_HEAD)
		turn();
	fresh = meet();
	asking = meet();
	say(&asking, "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n");
	(void)wait_for_class(HTTP_CLASS_BODY);
	open = meet();
	here.hold = true;
	say(&open, POST_ABC);
	while (here.held_count == 0)
		turn();
	http_server_stop(here.server, stopped, &here);
	assert_string_equal(hear(&idle, false), "");
	assert_string_equal(hear(&fresh, false), "");
	for (int i = 0; i < 20; i++)
		turn();
	assert_false(here.stopped);
	here.hold = false;
	say(&beginning, "Content-Length: 3\r\n\r\nabc");
	assert_non_null(strstr(hear(&beginning, false), "Connection: close\r\n"));
	say(&asking, "abc");
	assert_non_null(strstr(hear(&asking, false), "Connection: close\r\n"));
	echo(here.held[0], false);
	assert_non_null(strstr(hear(&open, false), "Connection: close\r\n"));
	assert_closed(&open);
	uv_run(&here.loop, UV_RUN_DEFAULT);
	assert_true(here.stopped);
	here.server = NULL;
	hang_up(&idle);
	hang_up(&fresh);
	hang_up(&asking);
	hang_up(&beginning);
	hang_up(&open);
	end();
}

/* The server waits for an answer even if nobody is left to hear it. */
static void stop_waits_for_the_handler(void **state)
{
	struct linger reset = {.l_onoff = 1, .l_linger = 0};
	struct client client;

	(void)state;
	begin(NULL);
	here.hold = true;
	client = meet();
	say(&client, POST_ABC);
	while (here.held_count == 0)
		turn();
	setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	hang_up(&client);
	wait_for_connections(0);
	http_server_stop(here.server, stopped, &here);
	for (int i = 0; i < 20; i++)
		turn();
	assert_false(here.stopped);
	echo(here.held[0], false);
	assert_false(here.stopped); /* never from within the reply */
	uv_run(&here.loop, UV_RUN_DEFAULT);
	assert_true(here.stopped);
	here.server = NULL;
	end();
}

static void a_new_certificate(void **state)
{
	struct client before;
	struct client after;
	SSL_CTX *other;
	X509 *certificate;
	char name[64];

	(void)state;
	begin(NULL);
	before = meet();
	other = context_of(set.other, set.other_key);
	http_server_set_context(here.server, other);
	SSL_CTX_free(other);
	after = meet();
	certificate = SSL_get1_peer_certificate(after.ssl);
	X509_NAME_get_text_by_NID(
		X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));
	assert_string_equal(name, "other");
	X509_free(certificate);
	say(&before, POST_ABC);
	assert_string_equal(hear(&before, false), ECHO_ABC);
	hang_up(&before);
	hang_up(&after);
	end();
}

static void idle_connections_keep_nothing(void **state)
{
	struct client clients[60];
	struct http_connection *connection;

	(void)state;
	begin(NULL);
	here.hold = true;
	for (int i = 0; i < 60; i++) {
		clients[i] = meet();
		say(&clients[i], POST_ABC);
	}
	while (here.held_count < 60)
		turn();
	for (int i = 0; i < 60; i++)
		echo(here.held[i], false);
	assert_int_equal(here.server->spare_count, HTTP_SPARE_MAXIMUM);
	assert_int_equal(http_server_connections(here.server), 60);
	for (struct http_link *link = here.server->lists[HTTP_CLASS_IDLE].next;
		link != &here.server->lists[HTTP_CLASS_IDLE]; link = link->next) {
		connection = (struct http_connection *)(void *)link;
		assert_null(connection->exchange);
		assert_null(connection->rest);
		assert_null(connection->out.bytes);
		assert_int_equal(connection->events, UV_READABLE);
	}
	assert_true(sizeof(*connection) < 1024);
	for (int i = 0; i < 60; i++)
		hang_up(&clients[i]);
	end();
}

static void buffers_are_kept_while_busy(void **state)
{
	struct client clients[3];
	struct http_connection *connection;

	(void)state;
	begin(NULL);
	for (int i = 0; i < 3; i++)
		clients[i] = meet();
	say(&clients[0], POST_ABC);
	assert_string_equal(hear(&clients[0], false), ECHO_ABC);
	connection = (struct http_connection *)(void *)here.server->lists[HTTP_CLASS_IDLE].next;
	/* one request does not make a connection busy */
	assert_false(connection->busy);
	/* another soon after it does, however slow the machine */
	for (int i = 0; i < 1000 && !connection->busy; i++) {
		say(&clients[0], POST_ABC);
		assert_string_equal(hear(&clients[0], false), ECHO_ABC);
	}
	assert_true(connection->busy);
	assert_int_equal(SSL_get_mode(connection->ssl) & SSL_MODE_RELEASE_BUFFERS, 0);
	for (int i = 1; i < 3; i++) {
		say(&clients[i], POST_ABC);
		assert_string_equal(hear(&clients[i], false), ECHO_ABC);
	}
	/* all of them settle, and none is lost by it */
	for (int round = 0; round < 2; round++) {
		sweep_after(HTTP_BUSY_MILLISECONDS / 1000);
		for (struct http_link *link = here.server->lists[HTTP_CLASS_IDLE].next;
			link != &here.server->lists[HTTP_CLASS_IDLE]; link = link->next) {
			connection = (struct http_connection *)(void *)link;
			assert_true(connection->settled);
			assert_false(connection->busy);
			assert_true(SSL_get_mode(connection->ssl) & SSL_MODE_RELEASE_BUFFERS);
		}
		for (int i = 0; i < 3; i++) {
			say(&clients[i], POST_ABC);
			assert_string_equal(hear(&clients[i], false), ECHO_ABC);
		}
	}
	assert_int_equal(http_server_connections(here.server), 3);
	for (int i = 0; i < 3; i++)
		hang_up(&clients[i]);
	end();
}

static void nagle_is_off(void **state)
{
	struct client client;
	struct http_connection *connection;
	int value = 0;
	socklen_t length = sizeof(value);

	(void)state;
	begin(NULL);
	client = meet();
	connection = wait_for_class(HTTP_CLASS_HEAD);
	assert_int_equal(getsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &value, &length), 0);
	assert_int_not_equal(value, 0);
	assert_true(fcntl(connection->fd, F_GETFD) & FD_CLOEXEC);
	hang_up(&client);
	end();
}

static void addresses(void **state)
{
	static const struct {
		const char *address, *host;
		int port;
	} good[] = {
		{"0.0.0.0:443", "0.0.0.0", 443},
		{"[::]:0", "::", 0},
		{"[2001:db8::1]:65535", "2001:db8::1", 65535},
		{"broker.example:60443", "broker.example", 60443},
	};
	static const char *const bad[] = {"", ":", "host", "host:", ":443", "host:65536", "host:-1",
		"host: 1", "host:1x", "host:000443", "::1:443", "[::1]", "[::1]443", "[::1:443",
		"[]:443", "]:443", "a]:443", "0123456789abcdef:1"};
	char host[16];
	uint16_t port;
	int fd = -7;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(http_split_address(good[i].address, host, sizeof(host), &port), 0);
		assert_string_equal(host, good[i].host);
		assert_int_equal(port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strcpy(host, "kept");
		port = 7;
		assert_int_equal(
			http_split_address(bad[i], host, sizeof(host), &port), ERROR_INPUT);
		assert_string_equal(host, "kept");
		assert_int_equal(port, 7);
	}
	assert_int_equal(http_listen("no port", &fd, &port), ERROR_INPUT);
	assert_int_equal(http_listen("999.0.0.1:0", &fd, &port), ERROR_INPUT);
	/* TEST-NET-1 is nobody's own address */
	assert_int_equal(http_listen("192.0.2.1:0", &fd, &port), ERROR_SYSTEM);
	assert_int_equal(errno, EADDRNOTAVAIL);
	assert_int_equal(fd, -7);
	assert_int_equal(port, 7);
}

/* A second loop binds the port that the first one was given. */
static void loops_share_a_port(void **state)
{
	char address[64];
	uint16_t first_port;
	uint16_t second_port;
	int first;
	int second;

	(void)state;
	assert_int_equal(http_listen("127.0.0.1:0", &first, &first_port), 0);
	assert_int_not_equal(first_port, 0);
	snprintf(address, sizeof(address), "127.0.0.1:%u", first_port);
	assert_int_equal(http_listen(address, &second, &second_port), 0);
	assert_int_equal(second_port, first_port);
	assert_true(fcntl(first, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(first, F_GETFD) & FD_CLOEXEC);
	close(first);
	close(second);
}

static void dates(void **state)
{
	char date[HTTP_DATE_SIZE];

	(void)state;
	http_answer_date(784111777, date);
	assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");
	http_answer_date(1709210096, date);
	assert_string_equal(date, "Thu, 29 Feb 2024 12:34:56 GMT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_clients),
		cmocka_unit_test(dripping_buys_no_time),
		cmocka_unit_test(silent_clients),
		cmocka_unit_test(lingering_ends),
		cmocka_unit_test(per_address),
		cmocka_unit_test(in_all),
		cmocka_unit_test(a_guard_for_several_servers),
		cmocka_unit_test(what_counts_as_one_address),
		cmocka_unit_test(the_guard_forgets),
		cmocka_unit_test(the_guard_serves_several_threads),
		cmocka_unit_test(a_clean_stop),
		cmocka_unit_test(stop_waits_for_the_handler),
		cmocka_unit_test(a_new_certificate),
		cmocka_unit_test(idle_connections_keep_nothing),
		cmocka_unit_test(buffers_are_kept_while_busy),
		cmocka_unit_test(nagle_is_off),
		cmocka_unit_test(addresses),
		cmocka_unit_test(loops_share_a_port),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
