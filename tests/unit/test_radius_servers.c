/* Exchanges with several servers: their order, hold-down, names; and loops that share them. */
#include "names.h"
#include "radius_bed.h"

#include <pthread.h>
#include <stdatomic.h>

#define WORKERS 4

static void test_second_server(void **state)
{
	struct bed *bed = *state;
	struct server *first = add_server(bed);
	struct server *second = add_server(bed);

	second->serve = accept_it;
	make(bed, &quick);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_int_equal(first->requests, 2);
	assert_int_equal(second->questions, 1);
	assert_int_equal(bed->answer.trouble_count, 1);
	assert_string_equal(bed->answer.troubles[0].text, "it did not answer");
	/* What is repeated is repeated to the bit; another server gets another packet. */
	assert_int_equal(first->kept[0].length, first->kept[1].length);
	assert_memory_equal(first->kept[0].bytes, first->kept[1].bytes, first->kept[0].length);
	assert_int_equal(first->from[0].sin_port, first->from[1].sin_port);
	assert_memory_not_equal(first->kept[0].bytes + 4, second->kept[0].bytes + 4, 16);
}

static void test_hold_down(void **state)
{
	struct bed *bed = *state;
	struct server *first = add_server(bed);
	struct server *second = add_server(bed);

	second->serve = accept_it;
	make(bed, &quick);
	ask(bed);
	assert_int_equal(first->questions, 1);
	/* asked last from here, so not at all */
	first->serve = accept_it;
	clock_fake_advance(&bed->clock, 30 * CLOCK_SECOND - 1);
	ask(bed);
	assert_int_equal(first->questions, 1);
	assert_int_equal(second->questions, 2);
	clock_fake_advance(&bed->clock, 1);
	ask(bed);
	assert_int_equal(first->questions, 2);
	assert_int_equal(second->questions, 2);
}

static void test_all_held(void **state)
{
	struct bed *bed = *state;
	struct server *first = add_server(bed);
	struct server *second = add_server(bed);

	second->serve = accept_it;
	make(bed, &quick);
	ask(bed);
	/* The first is held down. The second falls silent, and the first is there again. */
	second->serve = NULL;
	first->serve = accept_it;
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_int_equal(second->questions, 2);
	assert_int_equal(first->questions, 2);
	/* The other way round once more. */
	first->serve = NULL;
	second->serve = accept_it;
	ask(bed);
	assert_int_equal(first->questions, 3);
	assert_int_equal(second->questions, 3);
	/* It answered, so it is held down no longer, and first. */
	ask(bed);
	assert_int_equal(first->questions, 3);
	assert_int_equal(second->questions, 4);
}

static void test_refused(void **state)
{
	struct bed *bed = *state;
	struct server *server = add_server(bed);
	uint16_t closed_port;
	int fd = take_closed_port(&closed_port);
	struct radius_server list[] = {
		{.address = "127.0.0.1", .port = closed_port, .secret = SECRET},
		{.address = "127.0.0.1", .port = port_of(server), .secret = SECRET}};
	struct radius_options options = patient;

	options.servers = list;
	options.server_count = 2;
	server->serve = accept_it;
	make(bed, &options);
	ask(bed); /* or it would take LONG_MS */
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_int_equal(bed->answer.trouble_count, 1);
	assert_string_equal(bed->answer.troubles[0].text, "nothing listens at its port");
	radius_free(bed->radius);
	options.server_count = 1;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_FAILED);
	assert_int_equal(bed->answer.reason, REASON_RADIUS_SILENT);
	assert_non_null(strstr(bed->answer.detail, "nothing listens at its port"));
	close(fd);
}

/* By default every server has its tries before the time is over. */
static void test_default_times(void **state)
{
	struct bed *bed = *state;
	struct radius_options options = {.wait_seconds = 1};

	for (size_t i = 0; i < SERVERS; i++)
		add_server(bed);
	make(bed, &options);
	assert_int_equal(bed->radius->tries, 3);
	assert_int_equal(bed->radius->retry_ms, 1000 / (3 * SERVERS));
	radius_free(bed->radius);
	options.wait_seconds = 60;
	make(bed, &options);
	assert_int_equal(bed->radius->retry_ms, 2000);
	radius_free(bed->radius);
	options.retry_ms = 30000;
	make(bed, &options);
	assert_int_equal(bed->radius->retry_ms, 30000);
	radius_free(bed->radius);
	options = (struct radius_options){.wait_seconds = 1, .tries = 5000};
	make(bed, &options);
	assert_int_equal(bed->radius->retry_ms, 1);
}

static void test_wrong_secret_then_next(void **state)
{
	struct bed *bed = *state;
	struct server *first = add_server(bed);
	struct radius_options options = quick;

	options.retry_ms = 250;
	options.tries = 1;
	first->serve = accept_it;
	first->secret = "another";
	add_server(bed)->serve = reject_it;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.reason, REASON_RADIUS_REJECTED);
	assert_string_equal(
		bed->answer.troubles[0].text, "its answers do not fit the shared secret");
}

static void test_names(void **state)
{
	struct bed *bed = *state;
	struct server *server = add_server(bed);
	static char overlong[400];
	/* Neither of the first two is ever asked of a name server. */
	struct radius_server list[] = {{.address = "bad..name", .port = 1, .secret = SECRET},
		{.address = overlong, .port = 1, .secret = SECRET},
		{.address = "localhost", .port = port_of(server), .secret = SECRET}};
	struct radius_options options = patient;

	memset(overlong, 'x', sizeof(overlong) - 1);
	options.servers = list;
	options.server_count = 3;
	server->serve = accept_it;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_int_equal(bed->answer.trouble_count, 2);
	assert_string_equal(bed->answer.troubles[0].server, "bad..name:1");
	assert_non_null(strstr(bed->answer.troubles[0].text, "its name was not found"));
	radius_free(bed->radius);
	options.server_count = 2;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.reason, REASON_RADIUS_FAILED);
	assert_non_null(strstr(bed->answer.detail, "its name was not found"));
}

/* All addresses of a name belong to one server. */
static void test_two_addresses(void **state)
{
	struct bed *bed = *state;
	struct server *server = add_server(bed);
	struct radius_server list[] = {
		{.address = "two", .port = port_of(server), .secret = SECRET}};
	struct radius_options options = patient;

	options.servers = list;
	options.server_count = 1;
	server->serve = accept_it;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_int_equal(bed->answer.trouble_count, 0);
}

/* A person who approves late is not asked again by way of another address. */
static void test_late_at_first_address(void **state)
{
	struct bed *bed = *state;
	struct server *second = add_server(bed);
	struct server *first = add_server_at(bed, "127.0.0.2", port_of(second));
	struct radius_server list[] = {
		{.address = "two", .port = port_of(second), .secret = SECRET}};
	struct radius_options options = quick;

	options.servers = list;
	options.server_count = 1;
	options.retry_ms = 1;
	first->serve = accept_it;
	first->silent = 5;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_int_equal(first->questions, 1);
	assert_int_equal(second->requests, 0);
}

/* Nor is he where another server follows: that one is asked, not the silent one's other address. */
static void test_silent_at_first_address(void **state)
{
	struct bed *bed = *state;
	struct server *second = add_server(bed);
	struct server *first = add_server_at(bed, "127.0.0.2", port_of(second));
	struct server *other = add_server(bed);
	struct radius_server list[] = {
		{.address = "two", .port = port_of(second), .secret = SECRET},
		{.address = "127.0.0.1", .port = port_of(other), .secret = SECRET}};
	struct radius_options options = quick;

	options.servers = list;
	options.server_count = 2;
	other->serve = accept_it;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_int_equal(first->questions, 1);
	assert_int_equal(second->requests, 0);
}

/* Where the time is over before the next server had its turn, that one is asked first next time. */
static void test_no_time_for_the_second(void **state)
{
	struct bed *bed = *state;
	struct server *first = add_server(bed);
	struct server *second = add_server(bed);
	struct radius_options options = patient;

	options.wait_seconds = 1;
	second->serve = accept_it;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.reason, REASON_RADIUS_SILENT);
	assert_int_equal(bed->answer.trouble_count, 1);
	assert_int_equal(second->questions, 0);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_int_equal(first->questions, 1);
}

/* A name that nobody answers about takes no more than a silent server does, and its late answer
 * meets nobody. */
static void test_slow_name(void **state)
{
	struct bed *bed = *state;
	struct server *server = add_server(bed);
	struct radius_server list[] = {{.address = "later", .port = 1, .secret = SECRET},
		{.address = "127.0.0.1", .port = port_of(server), .secret = SECRET}};
	struct radius_options options = quick;

	options.servers = list;
	options.server_count = 2;
	server->serve = accept_it;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_string_equal(bed->answer.troubles[0].text, "its name was not found in time");
	names_answer(EAI_AGAIN);
	radius_free(bed->radius);
	options.server_count = 1;
	options.wait_seconds = 1;
	make(bed, &options);
	ask(bed);
	assert_int_equal(bed->answer.reason, REASON_RADIUS_FAILED);
	assert_non_null(strstr(bed->answer.detail, "its name was not found in time"));
	names_answer(EAI_AGAIN);
}

#define CROWD 50

static void on_one_of_crowd(void *context, const struct radius_answer *answer)
{
	unsigned *accepted = context;

	*accepted += answer->verdict == RADIUS_ACCEPTED;
}

static void on_crowd_waits(uv_timer_t *timer)
{
	(void)timer;
	names_answer(0);
}

/* One look-up is enough for all who wait, and for those who come after them. */
static void test_one_look_up(void **state)
{
	struct bed *bed = *state;
	struct server *server = add_server(bed);
	struct radius_server list[] = {
		{.address = "later", .port = port_of(server), .secret = SECRET}};
	struct radius_options options = patient;
	unsigned asked = names_asked(), accepted = 0;
	uv_timer_t waits;

	options.servers = list;
	options.server_count = 1;
	server->serve = accept_it;
	make(bed, &options);
	for (unsigned i = 0; i < CROWD; i++)
		assert_int_equal(
			radius_ask(bed->radius, &bed->request, on_one_of_crowd, &accepted), 0);
	assert_int_equal(uv_timer_init(&bed->loop, &waits), 0);
	assert_int_equal(uv_timer_start(&waits, on_crowd_waits, 1, 0), 0);
	assert_int_equal(uv_run(&bed->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(accepted, CROWD);
	uv_close((uv_handle_t *)&waits, NULL);
	ask(bed);
	assert_int_equal(bed->answer.verdict, RADIUS_ACCEPTED);
	assert_int_equal(names_asked(), asked + 1);
}

struct worker {
	pthread_t thread;
	struct bed *bed; /* its own; the group in it is shared */
	unsigned accepted;
	uv_async_t *finished;
	atomic_bool ended;
};

static void count_accepted(void *context, const struct radius_answer *answer)
{
	struct worker *worker = context;

	worker->accepted += answer->verdict == RADIUS_ACCEPTED;
}

static void *work(void *context)
{
	struct worker *worker = context;

	for (unsigned i = 0; i < 25; i++) {
		if (radius_ask(worker->bed->radius, &worker->bed->request, count_accepted,
			    worker) == 0)
			uv_run(&worker->bed->loop, UV_RUN_DEFAULT);
		clock_fake_advance(&worker->bed->clock, CLOCK_SECOND / 3);
	}
	atomic_store(&worker->ended, true);
	uv_async_send(worker->finished);
	return NULL;
}

static void on_finished(uv_async_t *async)
{
	struct worker *workers = async->data;

	for (size_t i = 0; i < WORKERS; i++) {
		if (!atomic_load(&workers[i].ended))
			return; /* and needs this loop until then */
	}
	for (size_t i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);
	uv_close((uv_handle_t *)async, NULL);
}

/* Loops of several threads share a group; its first server is nowhere, so that they hold it down.
 */
static void test_threads(void **state)
{
	struct bed *bed = *state;
	struct worker workers[WORKERS];
	uv_async_t finished;
	uint16_t closed_port;
	int fd = take_closed_port(&closed_port);
	struct server *server = add_server(bed);
	struct radius_server list[] = {
		{.address = "127.0.0.1", .port = closed_port, .secret = SECRET},
		{.address = "127.0.0.1", .port = port_of(server), .secret = SECRET}};
	struct radius_options options = {.servers = list,
		.server_count = 2,
		.retry_ms = LONG_MS,
		.wait_seconds = LONG_SECONDS,
		.hold_down_seconds = 1};

	server->serve = accept_it;
	make(bed, &options);
	assert_int_equal(uv_async_init(&bed->loop, &finished, on_finished), 0);
	finished.data = workers;
	for (size_t i = 0; i < WORKERS; i++) {
		void *own = NULL;

		set_up(&own);
		workers[i].bed = own;
		workers[i].accepted = 0;
		workers[i].finished = &finished;
		atomic_init(&workers[i].ended, false);
		workers[i].bed->radius = bed->radius;
	}
	for (size_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	assert_int_equal(uv_run(&bed->loop, UV_RUN_DEFAULT), 0);
	for (size_t i = 0; i < WORKERS; i++) {
		void *own = workers[i].bed;

		assert_int_equal(workers[i].accepted, 25);
		workers[i].bed->radius = NULL;
		tear_down(&own);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_second_server),
		TEST(test_hold_down),
		TEST(test_all_held),
		TEST(test_refused),
		TEST(test_default_times),
		TEST(test_wrong_secret_then_next),
		TEST(test_names),
		TEST(test_two_addresses),
		TEST(test_late_at_first_address),
		TEST(test_silent_at_first_address),
		TEST(test_no_time_for_the_second),
		TEST(test_slow_name),
		TEST(test_one_look_up),
		TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
