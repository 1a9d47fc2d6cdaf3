#include "http_fixture.h"

/* --- answers --- */

static void kept_alive(void **state)
{
	struct client client;

	(void)state;
	begin(NULL);
	client = meet();
	for (int i = 0; i < 3; i++) {
		say(&client, POST_ABC);
		assert_string_equal(hear(&client, false), ECHO_ABC);
	}
	assert_int_equal(here.handled, 3);
	assert_int_equal(http_server_connections(here.server), 1);
	/* between requests the connection keeps no exchange */
	assert_int_equal(here.server->spare_count, 1);
	/* nor does the server keep what was read or written */
	assert_null(memmem(here.server->scratch, HTTP_SCRATCH_SIZE, "abc", 3));
	assert_true(here.server->out.capacity > strlen(ECHO_ABC));
	assert_null(memmem(here.server->out.bytes, strlen(ECHO_ABC), "abc", 3));
	hang_up(&client);
	wait_for_connections(0);
	assert_int_equal(here.events[HTTP_EVENT_TLS_FAILED], 0);
	end();
}

static void what_the_handler_sees(void **state)
{
	struct client client;
	struct sockaddr_in address = {0};
	socklen_t length = sizeof(address);
	const struct http_request *request;

	(void)state;
	begin(NULL);
	here.hold = true;
	client = meet();
	getsockname(client.fd, (struct sockaddr *)&address, &length);
	say(&client,
		"POST /p?q HTTP/1.1\r\nClient-Log-Id: 1\r\ncookie: c\r\nContent-Length: 3\r\n"
		"\r\nabc");
	while (here.held_count == 0)
		turn();
	request = http_exchange_request(here.held[0]);
	assert_string_equal(request->peer, "127.0.0.1");
	assert_string_equal(request->local, "127.0.0.1");
	assert_int_equal(request->peer_port, ntohs(address.sin_port));
	assert_string_equal(http_request_header(request, "client-log-ID"), "1");
	assert_string_equal(http_request_header(request, "Cookie"), "c");
	assert_null(http_request_header(request, "Cookies"));
	assert_non_null(http_exchange_arena(here.held[0]));
	assert_false(http_exchange_gone(here.held[0]));
	echo(here.held[0], true);
	assert_string_equal(hear(&client, false),
		ANSWER("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
	hang_up(&client);
	end();
}

static void headers_are_spelt_as_given(void **state)
{
	static const struct http_header headers[] = {
		{"Set-Cookie", "JSESSIONID=1; HttpOnly; Secure"},
		{"x-MiXed", "y"},
		{"Bad", "a\r\nInjected: b"},
		{"B\nad", "a"},
	};
	struct client client;

	(void)state;
	begin(NULL);
	here.response = (struct http_response){
		.status = 200,
		.content_type = "application/xml",
		.body = "0123456789abcdef0",
		.body_length = 17,
		.headers = headers,
		.header_count = 4,
		.chunked = true,
	};
	client = meet();
	say(&client, POST_ABC);
	assert_string_equal(hear(&client, false),
		"HTTP/1.1 200 OK\r\nDate: *\r\nConnection: keep-alive\r\n"
		"Content-Type: application/xml\r\nSet-Cookie: JSESSIONID=1; HttpOnly; Secure\r\n"
		"x-MiXed: y\r\nTransfer-Encoding: "
		"chunked\r\n\r\n11\r\n0123456789abcdef0\r\n0\r\n\r\n");
	here.response.body_length = 0;
	say(&client, POST_ABC);
	assert_non_null(strstr(hear(&client, false), "\r\n\r\n0\r\n\r\n"));
	hang_up(&client);
	end();
}

static void one_record_per_answer(void **state)
{
	struct client client;
	char bytes[4096];
	int got;

	(void)state;
	begin(NULL);
	client = meet();
	say(&client, POST_ABC);
	while ((got = SSL_read(client.ssl, bytes, sizeof(bytes))) <= 0)
		assert_true(again(&client, got));
	/* SSL_read gives one record at most */
	assert_memory_equal(bytes + got - 7, "\r\n\r\nabc", 7);
	hang_up(&client);
	end();
}

static void head_has_no_body(void **state)
{
	struct client client;

	(void)state;
	begin(NULL);
	here.response = (struct http_response){
		.status = 200, .content_type = "text/plain", .body = "page", .body_length = 4};
	client = meet();
	say(&client, "HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
	assert_string_equal(hear(&client, true), ANSWER("Content-Length: 4\r\n\r\n"));
	assert_string_equal(hear(&client, false), ANSWER("Content-Length: 4\r\n\r\npage"));
	here.response.status = 204;
	say(&client, "GET / HTTP/1.1\r\n\r\n");
	assert_string_equal(hear(&client, false),
		"HTTP/1.1 204 No Content\r\nDate: *\r\nConnection: keep-alive\r\n\r\n");
	hang_up(&client);
	end();
}

static void http10(void **state)
{
	struct client client;

	(void)state;
	begin(NULL);
	here.response = (struct http_response){.status = 200,
		.content_type = "text/plain",
		.body = "page",
		.body_length = 4,
		.chunked = true};
	client = meet();
	say(&client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	assert_string_equal(hear(&client, false), ANSWER("Content-Length: 4\r\n\r\npage"));
	say(&client, "GET / HTTP/1.0\r\n\r\n");
	assert_string_equal(hear(&client, false),
		"HTTP/1.1 200 OK\r\nDate: *\r\nConnection: close\r\nContent-Type: text/plain\r\n"
		"Content-Length: 4\r\n\r\npage");
	assert_closed(&client);
	hang_up(&client);
	end();
}

static void either_side_may_close(void **state)
{
	struct client client;

	(void)state;
	begin(NULL);
	client = meet();
	say(&client, "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	assert_non_null(strstr(hear(&client, false), "Connection: close\r\n"));
	assert_closed(&client);
	wait_for_connections(0);
	hang_up(&client);
	here.response = (struct http_response){.status = 200, .close = true};
	client = meet();
	/* what is pipelined behind it is not answered, but does not cost the answer either */
	say(&client, POST_ABC POST_ABC POST_ABC);
	assert_string_equal(hear(&client, false),
		"HTTP/1.1 200 OK\r\nDate: *\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	assert_closed(&client);
	assert_int_equal(here.handled, 2);
	hang_up(&client);
	wait_for_connections(0);
	end();
}

static void in_pieces(void **state)
{
	struct client client;

	(void)state;
	begin(NULL);
	client = meet();
	for (size_t i = 0; i < strlen(POST_ABC); i++)
		say_bytes(&client, &POST_ABC[i], 1);
	assert_string_equal(hear(&client, false), ECHO_ABC);
	say(&client, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
	say(&client, "2\r\nbc\r\n0\r\n\r\n");
	assert_string_equal(hear(&client, false), ECHO_ABC);
	hang_up(&client);
	end();
}

static void pipelined(void **state)
{
	static char text[64 * 1024];
	struct client client;
	size_t length = 0;

	(void)state;
	begin(NULL);
	client = meet();
	/* more than one turn, more than one record, cut anywhere */
	for (int i = 0; i < 500; i++)
		length += (size_t)sprintf(text + length,
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n%03d", i);
	assert_true(length > HTTP_SCRATCH_SIZE);
	say_bytes(&client, text, length);
	for (int i = 0; i < 500; i++) {
		char wanted[256];

		snprintf(wanted, sizeof(wanted), ANSWER("Content-Length: 3\r\n\r\n%03d"), i);
		assert_string_equal(hear(&client, false), wanted);
	}
	assert_int_equal(here.handled, 500);
	/* others have had their turn in between */
	assert_true(here.most_in_a_turn <= HTTP_TURN_MAXIMUM);
	hang_up(&client);
	end();
}

static void pipelined_requests_wait_for_the_answer(void **state)
{
	struct client client;

	(void)state;
	begin(NULL);
	here.hold = true;
	client = meet();
	say(&client, POST_ABC POST_ABC);
	say(&client, POST_ABC);
	for (int i = 0; i < 20; i++)
		turn();
	assert_int_equal(here.held_count, 1);
	echo(here.held[0], false);
	assert_string_equal(hear(&client, false), ECHO_ABC);
	assert_int_equal(here.held_count, 2);
	here.hold = false;
	echo(here.held[1], false);
	assert_string_equal(hear(&client, false), ECHO_ABC);
	assert_string_equal(hear(&client, false), ECHO_ABC);
	assert_int_equal(here.handled, 3);
	hang_up(&client);
	end();
}

static void the_client_leaves_first(void **state)
{
	struct linger reset = {.l_onoff = 1, .l_linger = 0};
	struct client client;

	(void)state;
	begin(NULL);
	here.hold = true;
	client = meet();
	say(&client, POST_ABC);
	while (here.held_count < 1)
		turn();
	assert_false(http_exchange_gone(here.held[0]));
	hang_up(&client);
	while (!http_exchange_gone(here.held[0]))
		uv_run(&here.loop, UV_RUN_ONCE);
	/* the request outlives the connection */
	assert_string_equal(http_exchange_request(here.held[0])->body, "abc");
	echo(here.held[0], false);
	wait_for_connections(0);
	/* and with a reset */
	client = meet();
	say(&client, POST_ABC);
	while (here.held_count < 2)
		turn();
	setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	hang_up(&client);
	while (!http_exchange_gone(here.held[1]))
		uv_run(&here.loop, UV_RUN_ONCE);
	wait_for_connections(0);
	echo(here.held[1], false);
	assert_int_equal(here.server->open, 0);
	end();
}

static void half_closed_clients_get_their_answer(void **state)
{
	struct client client;

	(void)state;
	begin(NULL);
	here.hold = true;
	client = meet();
	say(&client, POST_ABC);
	while (here.held_count == 0)
		turn();
	(void)SSL_shutdown(client.ssl);
	shutdown(client.fd, SHUT_WR);
	while (!http_exchange_gone(here.held[0]))
		uv_run(&here.loop, UV_RUN_ONCE);
	echo(here.held[0], false);
	hear(&client, false);
	assert_non_null(strstr(heard, "\r\n\r\nabc"));
	assert_non_null(strstr(heard, "Connection: close\r\n"));
	assert_closed(&client);
	hang_up(&client);
	end();
}

static void expect_continue(void **state)
{
	struct client client;

	(void)state;
	begin(NULL);
	client = meet();
	say(&client, "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	assert_string_equal(hear(&client, true), "HTTP/1.1 100 Continue\r\n\r\n");
	say(&client, "abc");
	assert_string_equal(hear(&client, false), ECHO_ABC);
	/* not when the body, or a part of it, is there already */
	say(&client, "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\na");
	(void)wait_for_class(HTTP_CLASS_BODY);
	say(&client, "bc");
	assert_string_equal(hear(&client, false), ECHO_ABC);
	say(&client, "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
	assert_string_equal(hear(&client, false), ECHO_ABC);
	hang_up(&client);
	end();
}

static void a_large_answer_to_a_slow_reader(void **state)
{
	const size_t size = 900 * 1024;
	char *body = malloc(size);
	const int small = 64 * 1024;
	struct client client;
	const char *answer;

	(void)state;
	begin(NULL);
	assert_non_null(body);
	for (size_t i = 0; i < size; i++)
		body[i] = (char)('a' + i % 23);
	here.response = (struct http_response){
		.status = 200, .content_type = "text/plain", .body = body, .body_length = size};
	/* accepted sockets inherit it */
	setsockopt(here.server->socket, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	client = dial(here.port);
	setsockopt(client.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_true(shake(&client));
	say(&client, POST_ABC POST_ABC);
	(void)wait_for_class(HTTP_CLASS_WRITE);
	for (int i = 0; i < 50; i++)
		turn();
	assert_int_equal(here.handled, 1);
	for (int i = 0; i < 2; i++) {
		answer = hear(&client, false);
		assert_int_equal(strlen(strstr(answer, "\r\n\r\n") + 4), size);
		assert_memory_equal(strstr(answer, "\r\n\r\n") + 4, body, size);
	}
	/* who reads nothing is cut */
	say(&client, POST_ABC);
	(void)wait_for_class(HTTP_CLASS_WRITE);
	assert_int_equal(here.handled, 3);
	assert_int_equal(http_server_connections(here.server), 1);
	sweep_after(10);
	assert_int_equal(http_server_connections(here.server), 0);
	hang_up(&client);
	free(body);
	end();
}

static void too_large_an_answer(void **state)
{
	char *body = calloc(1, HTTP_ANSWER_MAXIMUM);
	struct client client;

	(void)state;
	begin(NULL);
	here.response = (struct http_response){
		.status = 200, .body = body, .body_length = HTTP_ANSWER_MAXIMUM};
	client = meet();
	say(&client, POST_ABC);
	assert_non_null(strstr(hear(&client, false), "500 Internal Server Error"));
	assert_closed(&client);
	hang_up(&client);
	free(body);
	end();
}

/* --- refusals --- */

static void refused(const char *request, int status, const char *text)
{
	char wanted[256];
	struct client client = meet();
	unsigned before = here.events[HTTP_EVENT_BAD_REQUEST];
	const char *answer;

	say(&client, request);
	answer = hear(&client, false);
	snprintf(wanted, sizeof(wanted), "HTTP/1.1 %d ", status);
	assert_memory_equal(answer, wanted, strlen(wanted));
	assert_non_null(strstr(answer, "\r\nConnection: close\r\nContent-Type: text/plain\r\n"));
	snprintf(wanted, sizeof(wanted), "%d %s", status, text);
	if (strncmp(strstr(answer, "\r\n\r\n") + 4, wanted, strlen(wanted)) != 0)
		fail_msg("%s", answer);
	assert_int_equal(here.events[HTTP_EVENT_BAD_REQUEST], before + 1);
	assert_memory_equal(here.event_text, wanted, strlen(wanted));
	assert_string_equal(here.event_peer, "127.0.0.1");
	assert_closed(&client);
	hang_up(&client);
	wait_for_connections(0);
}

static void refusals(void **state)
{
	static char large[HTTP_HEAD_MAXIMUM + 100];

	(void)state;
	begin(NULL);
	refused("nonsense\r\n\r\n", 400, "");
	refused("POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "more than one Host header");
	refused("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
		"");
	refused("POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", 413, "request body too large");
	refused("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\nxxx", 413,
		"request body too large");
	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, "GET /", 5);
	refused(large, 431, "request head too large");
	assert_int_equal(here.handled, 0);
	end();
}

/* The client is still sending when it is refused, and can read why all the same. */
static void a_refused_sender_can_read_why(void **state)
{
	static char body[256 * 1024];
	struct client client;

	(void)state;
	begin(NULL);
	client = meet();
	say(&client, "POST / HTTP/1.1\r\nContent-Length: 262144\r\n\r\n");
	say_bytes(&client, body, sizeof(body));
	assert_non_null(strstr(hear(&client, false), " 413 Content Too Large\r\n"));
	assert_closed(&client);
	hang_up(&client);
	wait_for_connections(0);
	end();
}

/* ... but not for ever. */
static void a_refused_sender_is_cut(void **state)
{
	static char rubbish[64 * 1024];
	struct client client;
	size_t total = 0;

	(void)state;
	begin(NULL);
	client = meet();
	say(&client, "nonsense\r\n\r\n");
	assert_non_null(strstr(hear(&client, false), " 400 "));
	while (http_server_connections(here.server) > 0) {
		ssize_t sent = write(client.fd, rubbish, sizeof(rubbish));

		if (sent > 0)
			total += (size_t)sent;
		assert_true(total < 32 * HTTP_LINGER_BYTES);
		turn();
	}
	assert_true(total > HTTP_LINGER_BYTES);
	hang_up(&client);
	end();
}

static void too_many_open_requests(void **state)
{
	const struct http_limits limits = {.connections = 2};
	struct linger reset = {.l_onoff = 1, .l_linger = 0};
	struct client client;

	(void)state;
	begin(&limits);
	here.hold = true;
	/* clients that leave do not make room while their requests are worked on */
	for (unsigned i = 0; i < 2; i++) {
		client = meet();
		say(&client, POST_ABC);
		while (here.held_count == i)
			turn();
		setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		hang_up(&client);
		wait_for_connections(0);
	}
	refused(POST_ABC, 503, "too many requests");
	echo(here.held[0], false);
	echo(here.held[1], false);
	here.hold = false;
	client = meet();
	say(&client, POST_ABC);
	assert_string_equal(hear(&client, false), ECHO_ABC);
	hang_up(&client);
	end();
}

static void failed_handshakes(void **state)
{
	SSL_CTX *old = SSL_CTX_new(TLS_client_method());
	SSL_CTX *usual = client_context;
	struct client client;

	(void)state;
	begin(NULL);
	SSL_CTX_set_min_proto_version(old, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
	SSL_CTX_set_cipher_list(old, "ALL:@SECLEVEL=0");
	client_context = old;
	client = dial(here.port);
	client_context = usual;
	assert_false(shake(&client));
	hang_up(&client);
	wait_for_connections(0);
	assert_int_equal(here.events[HTTP_EVENT_TLS_FAILED], 1);
	assert_string_equal(here.event_text, "unsupported protocol");
	client = dial(here.port);
	assert_int_equal(write(client.fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	while (here.events[HTTP_EVENT_TLS_FAILED] == 1)
		uv_run(&here.loop, UV_RUN_ONCE);
	assert_string_equal(here.event_text, "http request");
	hang_up(&client);
	/* half a handshake */
	client = dial(here.port);
	(void)SSL_do_handshake(client.ssl);
	turn();
	hang_up(&client);
	while (here.events[HTTP_EVENT_TLS_FAILED] == 2)
		uv_run(&here.loop, UV_RUN_ONCE);
	/* a probe that sends nothing is not worth a word */
	client = dial(here.port);
	turn();
	hang_up(&client);
	wait_for_connections(0);
	assert_int_equal(here.events[HTTP_EVENT_TLS_FAILED], 3);
	SSL_CTX_free(old);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_alive),
		cmocka_unit_test(what_the_handler_sees),
		cmocka_unit_test(headers_are_spelt_as_given),
		cmocka_unit_test(one_record_per_answer),
		cmocka_unit_test(head_has_no_body),
		cmocka_unit_test(http10),
		cmocka_unit_test(either_side_may_close),
		cmocka_unit_test(in_pieces),
		cmocka_unit_test(pipelined),
		cmocka_unit_test(pipelined_requests_wait_for_the_answer),
		cmocka_unit_test(the_client_leaves_first),
		cmocka_unit_test(half_closed_clients_get_their_answer),
		cmocka_unit_test(expect_continue),
		cmocka_unit_test(a_large_answer_to_a_slow_reader),
		cmocka_unit_test(too_large_an_answer),
		cmocka_unit_test(refusals),
		cmocka_unit_test(a_refused_sender_can_read_why),
		cmocka_unit_test(a_refused_sender_is_cut),
		cmocka_unit_test(too_many_open_requests),
		cmocka_unit_test(failed_handshakes),
	};

	return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
