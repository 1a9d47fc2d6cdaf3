/* Exchanges with one server, which the test itself is. */
#include "radius_bed.h"

static void accept_unsigned(
	struct server *server, const uint8_t *request, size_t length, const struct sockaddr *from)
{
	(void)length;
	answer_with(server, CODE_ACCEPT, NULL, false, request, from);
}

/* Challenges, and accepts who comes back with the state. */
static void challenge_it(
	struct server *server, const uint8_t *request, size_t length, const struct sockaddr *from)
{
	struct radius_bytes attributes = {.length = 0};
	uint8_t state[253];
	size_t size = 0;
	const uint8_t *given = radius_bytes_find(request, length, TYPE_STATE, &size);

	for (size_t i = 0; i < sizeof(state); i++)
		state[i] = (uint8_t)i;
	if (given && size == sizeof(state) && memcmp(given, state, size) == 0) {
		answer_with(server, CODE_ACCEPT, NULL, true, request, from);
		return;
	}
	radius_bytes_text(&attributes, TYPE_REPLY_MESSAGE, "Next code?");
	radius_bytes_add(&attributes, TYPE_STATE, state, sizeof(state));
	answer_with(server, CODE_CHALLENGE, &attributes, true, request, from);
}

/* All that is to be ignored, and then the answer. */
static void confuse(
	struct server *server, const uint8_t *request, size_t length, const struct sockaddr *from)
{
	struct radius_bytes bad;
	static const uint8_t zeros[RADIUS_BYTES_MAXIMUM + 1];
	uint8_t other[20];

	send_bytes(server, "", 0, from);
	send_bytes(server, "\002", 1, from);
	send_bytes(server, zeros, sizeof(zeros), from);
	send_bytes(server, request, length, from);
	memcpy(other, request, sizeof(other));
	other[1] ^= 1;
	answer_with(server, CODE_ACCEPT, NULL, true, other, from);
	radius_bytes_answer(&bad, CODE_ACCEPT, request, NULL, "guessed", true);
	send_bytes(server, bad.bytes, bad.length, from);
	answer_with(server, CODE_ACCEPT, NULL, false, request, from);
	answer_with(server, 5, NULL, true, request, from);
	answer_with(server, CODE_REJECT, NULL, true, request, from);
}

/* --- tests --- */

static void test_accept(void **state)
{
	struct bed *bed = *state;
	struct server *server = add_server(bed);
	char password[129];
	char label[32];

	server->serve = accept_it;
	make(bed, &patient);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_int_equal(bed->answer.reason, REASON_RIGHT);
	assert_int_equal(bed->answer.trouble_count, 0);
	assert_null(bed->answer.state);
	snprintf(label, sizeof(label), "127.0.0.1:%u", (unsigned)port_of(server));
	assert_string_equal(bed->answer.server, label);
	assert_int_equal(server->requests, 1);
	assert_true(radius_bytes_password(
		server->kept[0].bytes, server->kept[0].length, SECRET, password));
	assert_string_equal(password, bed->request.password);
}

static void test_reject(void **state)
{
	struct bed *bed = *state;

	add_server(bed)->serve = reject_it;
	make(bed, &patient);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_FAILED);
	assert_int_equal(bed->answer.reason, REASON_RADIUS_REJECTED);
	assert_string_equal(bed->answer.message, "No such\ntoken\n?[2J?");
	assert_string_equal(bed->answer.detail, "Access-Reject: No such token ?[2J?");
}

static void test_challenge(void **state)
{
	struct bed *bed = *state;
	struct server *server = add_server(bed);

	server->serve = challenge_it;
	make(bed, &patient);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_CHALLENGED);
	assert_int_equal(bed->answer.reason, REASON_RIGHT);
	assert_string_equal(bed->answer.message, "Next code?");
	assert_int_equal(bed->answer.state_length, RADIUS_STATE_MAXIMUM);
	bed->request.state = bed->answer.state;
	bed->request.state_length = bed->answer.state_length;
	bed->request.password = "123456";
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_int_equal(server->requests, 2);
	/* Each exchange is known by its own port. */
	assert_int_not_equal(server->from[0].sin_port, server->from[1].sin_port);
}

static void test_chap(void **state)
{
	struct bed *bed = *state;
	struct server *server = add_server(bed);
	struct radius_options options = patient;

	options.password = RADIUS_CHAP;
	server->serve = accept_it;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_true(radius_bytes_chap(
		server->kept[0].bytes, server->kept[0].length, bed->request.password));
}

static void test_late_answer(void **state)
{
	struct bed *bed = *state;
	struct server *server = add_server(bed);
	struct radius_options options = quick;

	/* The last server is asked on after its tries: a person takes his time. */
	options.retry_ms = 1;
	server->serve = accept_it;
	server->silent = 7;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_true(server->requests >= 8);
	for (size_t i = 1; i < 8; i++)
		assert_memory_equal(
			server->kept[0].bytes, server->kept[i].bytes, server->kept[0].length);
}

static void test_ignored(void **state)
{
	struct bed *bed = *state;
	struct server *server = add_server(bed);

	server->serve = confuse;
	make(bed, &patient);
	ask(bed);
	assert_int_equal(bed->answer.reason, REASON_RADIUS_REJECTED);
	assert_int_equal(server->requests, 1);
}

static struct server *stranger;

static void accept_from_elsewhere(
	struct server *server, const uint8_t *request, size_t length, const struct sockaddr *from)
{
	accept_it(stranger, request, length, from);
	reject_it(server, request, length, from);
}

static void test_other_port(void **state)
{
	struct bed *bed = *state;
	struct server *server = add_server(bed);

	server->serve = accept_from_elsewhere;
	make(bed, &patient);
	stranger = add_server(bed);
	ask(bed);
	assert_int_equal(bed->answer.reason, REASON_RADIUS_REJECTED);
}

/* What is waited for to the end, all at once. */
static void test_time_over(void **state)
{
	static const enum reason expected[SERVERS] = {
		REASON_RADIUS_SILENT, REASON_RADIUS_WRONG_SECRET, REASON_RADIUS_UNSIGNED};
	struct bed *bed = *state;
	struct bed each[SERVERS];
	struct radius *groups[SERVERS];

	for (size_t i = 0; i < SERVERS; i++)
		add_server(bed);
	bed->servers[1].serve = accept_it;
	bed->servers[1].secret = "another";
	bed->servers[2].serve = accept_unsigned;
	for (size_t i = 0; i < SERVERS; i++) {
		struct radius_server server = {.address = "127.0.0.1",
			.port = port_of(&bed->servers[i]),
			.secret = SECRET};
		struct radius_options options = {.servers = &server,
			.server_count = 1,
			.retry_ms = 100,
			.tries = 3,
			.wait_seconds = 2};

		assert_int_equal(radius_new(&options, &groups[i]), 0);
		each[i].done = 0;
		assert_int_equal(radius_ask(groups[i], &bed->request, on_done, &each[i]), 0);
	}
	assert_int_equal(uv_run(&bed->loop, UV_RUN_DEFAULT), 0);
	for (size_t i = 0; i < SERVERS; i++) {
		assert_int_equal(each[i].done, 1);
		assert_int_equal(each[i].answer.verdict, RADIUS_FAILED);
		assert_int_equal(each[i].answer.reason, expected[i]);
		/* 100 ms apart at first, after the tries twice as long each time: at
		 * 0, 100, 200, 300, 500, 900 and 1700 at the earliest */
		assert_in_range(bed->servers[i].requests, 1, 7);
		radius_free(groups[i]);
	}
	assert_non_null(strstr(each[0].answer.detail, "it did not answer"));
	assert_non_null(strstr(each[0].answer.detail, "a shared secret they do not know"));
	assert_null(strstr(each[1].answer.detail, "a shared secret they do not know"));
}

static void test_unsigned_allowed(void **state)
{
	struct bed *bed = *state;
	struct radius_options options = patient;

	options.allow_unsigned = true;
	add_server(bed)->serve = accept_unsigned;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
}

static void test_input(void **state)
{
	struct bed *bed = *state;
	struct radius *none = NULL;
	struct radius_server server = {.address = "127.0.0.1", .secret = ""};
	struct radius_options options = {.servers = &server};
	char name[255];
	char password[RADIUS_PASSWORD_MAXIMUM + 2];

	assert_int_equal(radius_new(&options, &none), ERROR_INPUT);
	options.server_count = 1;
	assert_int_equal(radius_new(&options, &none), ERROR_INPUT);
	server = (struct radius_server){.address = "", .secret = SECRET};
	assert_int_equal(radius_new(&options, &none), ERROR_INPUT);
	server.address = "127.0.0.1";
	options.nas_identifier = "";
	assert_int_equal(radius_new(&options, &none), ERROR_INPUT);
	options.nas_identifier = NULL;
	options.server_count = RADIUS_SERVERS_MAXIMUM + 1;
	assert_int_equal(radius_new(&options, &none), ERROR_INPUT);
	assert_null(none);
	/* A port can be told from an address of IPv6 in the log. */
	options.server_count = 1;
	server.address = "2001:db8::7";
	assert_int_equal(radius_new(&options, &none), 0);
	assert_string_equal(none->peers[0].label, "[2001:db8::7]:1812");
	radius_free(none);

	add_server(bed);
	make(bed, &patient);
	memset(name, 'n', sizeof(name));
	name[254] = '\0';
	bed->request.user = name;
	assert_int_equal(radius_ask(bed->radius, &bed->request, on_done, bed), ERROR_INPUT);
	bed->request.user = "";
	assert_int_equal(radius_ask(bed->radius, &bed->request, on_done, bed), ERROR_INPUT);
	bed->request.user = "alice";
	memset(password, 'p', sizeof(password));
	password[RADIUS_PASSWORD_MAXIMUM + 1] = '\0';
	bed->request.password = password;
	assert_int_equal(radius_ask(bed->radius, &bed->request, on_done, bed), ERROR_INPUT);
	bed->request.password = "";
	assert_int_equal(radius_ask(bed->radius, &bed->request, on_done, bed), ERROR_INPUT);
	bed->request.password = "p";
	bed->request.state = name;
	bed->request.state_length = sizeof(name) - 1;
	assert_int_equal(radius_ask(bed->radius, &bed->request, on_done, bed), ERROR_INPUT);
	assert_int_equal(bed->done, 0);
	assert_int_equal(bed->servers[0].requests, 0);
}

/* Everything may go once `done` was called: nothing of the exchange is left. */
static void free_all(void *context, const struct radius_answer *answer)
{
	struct bed *bed = context;

	on_done(context, answer);
	radius_free(bed->radius);
	bed->radius = NULL;
	arena_free(bed->arena);
	bed->arena = NULL;
}

static void test_free_in_done(void **state)
{
	struct bed *bed = *state;

	add_server(bed);
	add_server(bed)->serve = reject_it;
	make(bed, &quick);
	assert_int_equal(radius_ask(bed->radius, &bed->request, free_all, bed), 0);
	assert_int_equal(uv_run(&bed->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(bed->done, 1);
}

static void ask_again(void *context, const struct radius_answer *answer)
{
	struct bed *bed = context;

	on_done(context, answer);
	if (bed->done < 20)
		assert_int_equal(radius_ask(bed->radius, &bed->request, ask_again, bed), 0);
}

static void test_again_in_done(void **state)
{
	struct bed *bed = *state;

	add_server(bed)->serve = accept_it;
	make(bed, &patient);
	assert_int_equal(radius_ask(bed->radius, &bed->request, ask_again, bed), 0);
	assert_int_equal(uv_run(&bed->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(bed->done, 20);
	assert_int_equal(bed->servers[0].requests, 20);
}

static void test_many_at_once(void **state)
{
	struct bed *bed = *state;
	struct radius_options options = quick;

	arena_free(bed->arena);
	bed->arena = arena_new(1 << 20);
	bed->request.arena = bed->arena;
	options.retry_ms = 50;
	add_server(bed)->serve = accept_it;
	make(bed, &options);
	for (int i = 0; i < 300; i++)
		assert_int_equal(radius_ask(bed->radius, &bed->request, on_done, bed), 0);
	assert_int_equal(uv_run(&bed->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(bed->done, 300);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
}

/* Too little memory for texts is no reason to turn a user away, but for the state it is. */
static void test_full_arena(void **state)
{
	struct bed *bed = *state;

	add_server(bed)->serve = challenge_it;
	make(bed, &patient);
	arena_free(bed->arena);
	bed->arena = arena_new(64);
	bed->request.arena = bed->arena;
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_FAILED);
	assert_int_equal(bed->answer.reason, REASON_RADIUS_FAILED);
	assert_null(bed->answer.state);
	bed->servers[0].serve = accept_it;
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_accept),
		TEST(test_reject),
		TEST(test_challenge),
		TEST(test_chap),
		TEST(test_late_answer),
		TEST(test_ignored),
		TEST(test_other_port),
		TEST(test_time_over),
		TEST(test_unsigned_allowed),
		TEST(test_input),
		TEST(test_free_in_done),
		TEST(test_again_in_done),
		TEST(test_many_at_once),
		TEST(test_full_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
