/*
 * Logs written to harm the reader come through a pipe as they are made: nothing of them lies
 * anywhere.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "health/read.h"
#include "read_fixture.h"

#define CHUNK (1024 * 1024)
#define GIGABYTE (1024 * (uint64_t)CHUNK)

/* Fills a chunk; the bytes, 0 at the end. */
typedef size_t maker(uint64_t *count, char *chunk);

struct writer {
	maker *make;
	int end;
};

static void *writing(void *context)
{
	struct writer *writer = context;
	char *chunk = malloc(CHUNK);
	uint64_t count = 0;
	size_t length;

	while (chunk != NULL && (length = writer->make(&count, chunk)) > 0) {
		for (size_t at = 0; at < length;) {
			ssize_t written = write(writer->end, chunk + at, length - at);

			if (written <= 0) {
				length = 0;
				break;
			}
			at += (size_t)written;
		}
		if (length == 0)
			break;
	}
	free(chunk);
	close(writer->end);
	return NULL;
}

/* Reads what `make` makes as standard input. */
static struct store *take(struct read_fixture *fixture, maker *make, unsigned threads)
{
	struct read_options options = {
		.threads = threads, .filter = {.since = STAMP_NONE, .until = STAMP_NONE}};
	struct writer writer = {.make = make};
	char *paths[] = {(char[]){"-"}};
	struct store *store = NULL;
	pthread_t thread;
	int ends[2], input;

	fixture_begin(fixture);
	bundle_limits_default(&options.limits);
	assert_int_equal(pipe(ends), 0);
	input = dup(STDIN_FILENO);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	writer.end = ends[1];
	assert_int_equal(pthread_create(&thread, NULL, writing, &writer), 0);
	assert_int_equal(read_bundle(&fixture->book, paths, 1, &options, &store), 0);
	close(STDIN_FILENO);
	pthread_join(thread, NULL);
	if (input >= 0) {
		dup2(input, STDIN_FILENO);
		close(input);
	}
	assert_true(store_used(store) <= STORE_BYTES_MAXIMUM);
	return store;
}

static void leave(struct read_fixture *fixture, struct store *store)
{
	store_free(store);
	fixture_end(fixture);
}

static size_t make_long_line(uint64_t *count, char *chunk)
{
	static const char begin[] = "Starting ", end[] = "\nStarting again\n";

	if (*count == GIGABYTE / CHUNK) {
		++*count;
		memcpy(chunk, end, strlen(end));
		return strlen(end);
	}
	if (*count > GIGABYTE / CHUNK)
		return 0;
	memset(chunk, 'x', CHUNK);
	if (*count == 0)
		memcpy(chunk, begin, strlen(begin));
	++*count;
	return CHUNK;
}

static void a_line_of_a_gigabyte(void **state)
{
	struct read_fixture fixture;
	struct store *store = take(&fixture, make_long_line, 1);

	(void)state;
	assert_int_equal(store->sources[0].bytes, GIGABYTE + 16);
	assert_int_equal(store->sources[0].lines, 2);
	assert_int_equal(store->sources[0].lines_long, 1);
	assert_int_equal(store->sighting_count, 2);
	assert_int_equal(store->sightings[1].line, 2);
	assert_true(store_used(store) < 1024 * 1024);
	leave(&fixture, store);
}

#define MILLION 1000000

/* Lines with an id of their own each; every second one is a hit. */
static size_t make_ids(uint64_t *count, char *chunk)
{
	size_t length = 0;

	while (*count < MILLION && length + 256 < CHUNK) {
		length += (size_t)snprintf(chunk + length, 256,
			"2021-03-24T21:10:59.601Z %08x-6f13-1039-a32b-0000000000%02x > LVL:2 RC:   "
			"0 AGENT :%s\n",
			(unsigned)*count, (unsigned)(*count % 250 + 1),
			*count % 2 == 0 ? "Starting session x" : "nothing");
		++*count;
	}
	return length;
}

static void a_million_session_ids(void **state)
{
	struct read_fixture fixture;
	struct store *store;

	(void)state;
	for (unsigned threads = 1; threads < 3; threads++) {
		store = take(&fixture, make_ids, threads);
		assert_int_equal(store->sources[0].lines, MILLION);
		assert_int_equal(store->session_count, STORE_SESSIONS_MAXIMUM + 1);
		assert_int_equal(store->sessions_dropped, MILLION - STORE_SESSIONS_MAXIMUM);
		assert_int_equal(store->sighting_count, STORE_SESSIONS_MAXIMUM);
		/* counted once, as lines of lost sessions; as many of these as can be told apart */
		assert_int_equal(store->sightings_dropped, 0);
		assert_int_equal(store->sessions_lost, 65536);
		assert_true(store->sessions_lost_more);
		/* what belongs to sessions is not taken for the host's */
		assert_int_equal(store->sessions[STORE_HOST].sightings, 0);
		leave(&fixture, store);
	}
}

/* Every line is a hit of two rules, and long, in many sessions. */
static size_t make_hits(uint64_t *count, char *chunk)
{
	size_t length = 0;

	while (*count < MILLION / 4 && length + 2048 < CHUNK) {
		int used = snprintf(chunk + length, 256,
			"2021-03-24T21:10:59.601Z %08x-6f13-1039-a32b-000000000001 > LVL:2 RC:   0 "
			"AGENT :"
			"Starting session %llu",
			(unsigned)(*count % 600), (unsigned long long)*count);

		length += (size_t)used;
		memset(chunk + length, 'x', (size_t)(1000 - used));
		length += (size_t)(1000 - used);
		chunk[length++] = '\n';
		++*count;
	}
	return length;
}

static void every_line_a_hit(void **state)
{
	struct read_fixture fixture;
	struct store *store;

	(void)state;
	for (unsigned threads = 1; threads < 3; threads++) {
		store = take(&fixture, make_hits, threads);
		assert_int_equal(store->sources[0].lines, MILLION / 4);
		assert_int_equal(store->sighting_count + store->sightings_dropped, MILLION / 4 * 2);
		assert_true(store->sightings_dropped > 0);
		assert_true(store_used(store) > STORE_BYTES_MAXIMUM / 4 * 3);
		leave(&fixture, store);
	}
}

/* The shortest lines that are hits: more in a block than a result has room for. */
static size_t make_short(uint64_t *count, char *chunk)
{
	size_t length = 0;

	while (*count < 2 * MILLION && length + 16 < CHUNK) {
		memcpy(chunk + length, "Starting\n", 9);
		length += 9;
		++*count;
	}
	return length;
}

static void many_short_hits(void **state)
{
	struct read_fixture fixture;
	struct store *store = take(&fixture, make_short, 2);

	(void)state;
	assert_int_equal(store->sources[0].lines, 2 * MILLION);
	assert_true(store->sighting_count + store->sightings_dropped <= 2 * MILLION);
	assert_true(store->sightings_dropped > 0);
	leave(&fixture, store);
}

/* Numbers that rise, of many sessions: each line is the worst so far. */
static size_t make_numbers(uint64_t *count, char *chunk)
{
	size_t length = 0;

	while (*count < MILLION && length + 2048 < CHUNK) {
		length += (size_t)snprintf(chunk + length, 512,
			"2021-03-24T21:10:59.601Z %08x-6f13-1039-a32b-000000000001 > LVL:2 RC:   0 "
			"X :"
			"round trip time (ms) = %llu, variance = %llu, and a text after it %*s\n",
			(unsigned)(*count % 20000), (unsigned long long)*count,
			(unsigned long long)*count, (int)(*count % 200), ".");
		++*count;
	}
	return length;
}

static void rising_numbers(void **state)
{
	struct read_fixture fixture;
	struct store *store = take(&fixture, make_numbers, 2);

	(void)state;
	assert_int_equal(store->sources[0].lines, MILLION);
	assert_int_equal(store->series_count, 2 * STORE_SESSIONS_MAXIMUM);
	assert_true(store->series[0].count >= MILLION / 20000);
	leave(&fixture, store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_a_gigabyte),
		cmocka_unit_test(a_million_session_ids),
		cmocka_unit_test(every_line_a_hit),
		cmocka_unit_test(many_short_hits),
		cmocka_unit_test(rising_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
