#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "health/matcher.h"
#include "health/scan.h"
#include "read_fixture.h"

#define LONGEST 65536
#define ID_A "49756700-6f13-1039-a32b-000000000001"
#define ID_B "5d1c2a00-6f13-1039-a32b-000000000002"
#define ZERO "00000000-0000-0000-0000-000000000000"
#define HEAD(second, id, component)                                                                \
	"2021-03-24T21:10:" second "Z " id " > LVL:2 RC:   0           " component " :"

struct made {
	struct read_fixture fixture;
	struct matcher *matcher[2]; /* compiled and small */
	struct scanner *scanner[2];
	struct scan_result result;
};

static const struct scan_before none = {.time = STAMP_NONE};

static int set_up(void **state)
{
	struct made *made = test_malloc(sizeof(*made));

	fixture_begin(&made->fixture);
	scan_result_init(&made->result);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(matcher_new(&made->fixture.book, i == 1, &made->matcher[i]), 0);
		made->scanner[i] = scan_new(&made->fixture.book, made->matcher[i], LONGEST);
		assert_non_null(made->scanner[i]);
	}
	*state = made;
	return 0;
}

static int tear_down(void **state)
{
	struct made *made = *state;

	for (int i = 0; i < 2; i++) {
		scan_free(made->scanner[i]);
		matcher_free(made->matcher[i]);
	}
	scan_result_free(&made->result);
	fixture_end(&made->fixture);
	test_free(made);
	return 0;
}

static const struct scan_result *scan(
	struct made *made, const char *text, const struct scan_before *before)
{
	assert_int_equal(
		scan_block(made->scanner[0], text, strlen(text), before, &made->result), 0);
	return &made->result;
}

static void assert_capture(
	const char *text, const struct scan_hit *hit, size_t index, const char *expected)
{
	const struct capture *capture = &hit->captures[index];

	assert_int_equal(capture->length, strlen(expected));
	assert_memory_equal(
		text + hit->at + hit->message_at + capture->at, expected, capture->length);
}

static void a_rule_takes_a_line_once(void **state)
{
	static const char text[] =
		HEAD("59.601", ID_A, "AGENT") "1F0C Starting session first\r\n" HEAD(
			"59.602", ID_A, "BROKER") "Starting session second\n" HEAD("59.603", ID_A,
			"AGENT") "nothing here\n";
	const struct scan_result *result = scan(*state, text, &none);

	assert_int_equal(result->lines, 3);
	assert_int_equal(result->hit_count, 4);
	assert_int_equal(result->hits[0].pattern, ALPHA_STARTING);
	assert_int_equal(result->hits[1].pattern, BETA_STARTING);
	assert_capture(text, &result->hits[0], 0, "first");
	/* another component: the rule's next pattern */
	assert_int_equal(result->hits[2].pattern, ALPHA_ANY);
	assert_int_equal(result->hits[2].line, 1);
	assert_int_equal(result->hits[3].pattern, BETA_STARTING);
	assert_int_equal(result->hits[2].track, result->hits[0].track);
	assert_true(result->hits[0].track > SCAN_TRACK_ZERO);
}

static void lines_belong_to_their_ids(void **state)
{
	static const char text[] = HEAD("01.000", ID_A, "AGENT") "x\n" HEAD(
		"02.000", ID_B, "AGENT") "x\n" HEAD("41.000", ZERO,
		"SCNET") "accepting from 192.0.2.7:4172\n" HEAD("42.500", ID_A, "AGENT") "x\n";
	const struct scan_result *result = scan(*state, text, &none);

	assert_int_equal(result->track_count, 4);
	assert_int_equal(result->tracks[SCAN_TRACK_ZERO].lines, 1);
	assert_int_equal(result->tracks[2].lines, 2);
	assert_int_equal(result->tracks[2].last - result->tracks[2].first, 41500000);
	assert_int_equal(result->tracks[2].host_line, 0);
	assert_int_equal(result->tracks[3].host_line, 1);
	assert_int_equal(result->tracks[3].host_first, result->tracks[3].first);
	assert_int_equal(result->gap, 39000000);
	assert_int_equal(result->gap_line, 2);
	assert_int_equal(result->gap_from, result->tracks[3].first);
	assert_int_equal(result->hit_count, 1);
	assert_int_equal(result->hits[0].track, SCAN_TRACK_ZERO);
	assert_int_equal(result->hits[0].time, result->gap_from + result->gap);
	assert_int_equal(result->families[FAMILY_AGENT], 4);
	assert_int_equal(result->before.component_length, 5);
}

static void continuations_inherit(void **state)
{
	static const char text[] =
		HEAD("59.601", ID_A, "AGENT") "fault:\n"
					      "   continued with this\n" HEAD("59.602", ID_B,
						      "BROKER") "fault:\n"
								"   continued with that\n"
								"   License remaining: 12 days\n";
	const struct scan_result *result = scan(*state, text, &none);

	/* the pattern asks for the component of the line that is continued */
	assert_int_equal(result->hit_count, 2);
	assert_int_equal(result->hits[0].pattern, BETA_CONTINUED);
	assert_int_equal(result->hits[0].track, 2);
	assert_int_equal(result->hits[0].line, 1);
	assert_int_equal(result->hits[0].time, result->begin);
	assert_capture(text, &result->hits[0], 0, "this");
	assert_int_equal(result->hits[1].pattern, BETA_LICENSE);
	assert_int_equal(result->hits[1].track, 3);
}

static void a_continued_block_waits_for_the_one_before(void **state)
{
	static const char text[] = "   continued with this\n   License remaining: 12 days\n";
	struct scan_before before = {.family = FAMILY_AGENT,
		.time = 77,
		.has_id = true,
		.id = {{1, 2, 3}},
		.component_length = 5,
		.component = "AGENT"};
	const struct scan_result *result = scan(*state, text, NULL);

	assert_int_equal(result->hit_count, 2);
	assert_int_equal(result->hits[0].kind, SCAN_LATER);
	assert_int_equal(result->hits[1].kind, SCAN_LATER);
	assert_int_equal(result->hits[1].line, 1);
	result = scan(*state, text, &before);
	assert_int_equal(result->hit_count, 2);
	assert_int_equal(result->hits[0].kind, SCAN_LINE);
	assert_int_equal(result->hits[0].time, 77);
	assert_true(session_id_equal(&result->tracks[result->hits[0].track].id, &before.id));
	assert_int_equal(result->tracks[result->hits[0].track].lines, 0);
	/* nothing to inherit at all */
	result = scan(*state, text, &none);
	assert_int_equal(result->hit_count, 1);
	assert_int_equal(result->hits[0].pattern, BETA_LICENSE);
	assert_int_equal(result->hits[0].time, STAMP_NONE);
}

static void logged_messages_are_passed_on(void **state)
{
	static const char text[] = HEAD("59.601", ID_A, "BROKER") "XML:   <bye-resp/>\n" HEAD(
		"59.602", ID_A, "BROKER") "text: Starting session x\n";
	const struct scan_result *result = scan(*state, text, &none);

	assert_int_equal(result->hit_count, 1);
	assert_int_equal(result->hits[0].kind, SCAN_XML);
	assert_int_equal(result->hits[0].track, 2);
}

static void long_lines_are_cut(void **state)
{
	size_t length = 3 * LONGEST;
	char *text = test_malloc(length + 64);
	const struct scan_result *result;

	memset(text, 'x', length);
	memcpy(text, "License remaining: 12 days", 26);
	memcpy(text + LONGEST + 10, "\nLicense remaining: 13 days", 27);
	memcpy(text + length, "License remaining: 14 days\n", 28);
	result = scan(*state, text, &none);
	assert_int_equal(result->lines, 2);
	assert_int_equal(result->lines_long, 2);
	assert_int_equal(result->hit_count, 2);
	assert_int_equal(result->hits[0].length, LONGEST);
	assert_int_equal(result->hits[1].length, LONGEST);
	assert_int_equal(result->hits[1].at, LONGEST + 11);
	test_free(text);
}

static void too_many_hits_are_counted(void **state)
{
	struct made *made = *state;
	static const char line[] = "Starting session\n";
	size_t lines = SCAN_BLOCK_MAXIMUM / strlen(line);
	char *text = test_malloc(lines * strlen(line) + 1);

	for (size_t i = 0; i < lines; i++)
		memcpy(text + i * strlen(line), line, sizeof(line));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			scan_block(made->scanner[i], text, strlen(text), &none, &made->result), 0);
		assert_int_equal(made->result.lines, lines);
		assert_int_equal(made->result.hit_count, SCAN_HITS_MAXIMUM);
		/* one of each rule for each line; alpha's first pattern wants a component */
		assert_int_equal(made->result.hits_dropped, 2 * lines - SCAN_HITS_MAXIMUM);
		assert_int_equal(
			made->result.hits[SCAN_HITS_MAXIMUM - 1].line, SCAN_HITS_MAXIMUM / 2 - 1);
	}
	test_free(text);
}

static uint32_t random_next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

/* Lines of all forms, mixed, and broken in places. */
static size_t random_text(uint32_t *seed, char *text, size_t size)
{
	static const char *const stamps[] = {"2021-03-24T21:%02u:%02u.%03uZ",
		"2021-03-24T21:%02u:%02uZ", "2021-03-24T21:%02u:%02u.%uZ",
		"2017-03-28T20:%02u:%02u.%03u+05:30", "12/02/2011, 09:%02u:%02u.%03u",
		"37d,05:%02u:%02u.%03u", "01/10/10 19:%02u:%02u", " 2021-03-24T21:%02u:%02u.%03uZ",
		"2021-03-24T21:%02u:%02u.%03u"};
	static const char *const ids[] = {" " ID_A " >", " " ID_B " >", " " ZERO " >", " " ID_A,
		"> ", "", " ", "  " ID_B " >", ID_A, " 5d1c2a00-6f13-1039-a32b-00000000000g >",
		" " ID_A "2 >"};
	static const char *const rests[] = {" LVL:2 RC:   0           AGENT :Starting session x",
		" LVL:1 RC:-504 SERVER :round trip time (ms) = 7, variance = 3", " text",
		" LVL:2 RC:   0          BROKER :XML:  <result-id>", "", "\r",
		" LVL:2 RC:   0           SCNET :accepting from 192.0.2.1:50",
		(" ws77 agent[7]: 2021-03-24T20:00:07.125Z " ID_A
		 " > LVL:2 RC: 0 AGENT :Starting")};
	static const char *const others[] = {"   continued with this", "LVL:2 RC: 0 AGENT :x",
		"<INFO >: Starting", "", "License remaining: 3 days", "\xff\xfe Starting",
		("Mar 24 22:00:00 ws77 agent[7]: 2021-03-24T22:00:07.125Z " ID_B
		 " > LVL:2 RC: 0 AGENT :Starting"),
		"  Mar 24 22:00:00 ws77 agent: 2021-03-24T20:00:08.5Z LVL:2 RC: 0 AGENT :Starting"};
	size_t length = 0;
	uint32_t form = 0, id = 0;

	while (length + 400 < size) {
		char line[240] = "";
		size_t used;

		if (random_next(seed) % 8 == 0)
			form = random_next(seed) % 9;
		if (random_next(seed) % 4 == 0)
			id = random_next(seed) % 11;
		if (random_next(seed) % 10 == 0) {
			strcpy(line, others[random_next(seed) % 8]);
		} else {
			unsigned minute = random_next(seed) % 3, second = random_next(seed) % 62;
			unsigned fraction = random_next(seed) % 1000;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(line, sizeof(line), stamps[form], minute, second, fraction);
#pragma GCC diagnostic pop
			strcat(line, ids[id]);
			strcat(line, rests[random_next(seed) % 8]);
			used = strlen(line);
			if (random_next(seed) % 30 == 0)
				line[random_next(seed) % used] = (char)(random_next(seed) % 256);
		}
		used = strlen(line);
		memcpy(text + length, line, used);
		length += used;
		text[length++] = '\n';
	}
	return length;
}

struct plain { /* what reading each line closely says */
	struct scan_track tracks[64];
	size_t track_count;
	uint32_t lines;
	int64_t first, last, end, gap;
};

static struct scan_track *plain_track(struct plain *plain, const struct head *head)
{
	static const struct session_id zero;
	const struct session_id *id = head->has_id ? &head->id : &zero;
	size_t at = 0;

	if (head->has_id && session_id_is_zero(id)) {
		at = SCAN_TRACK_ZERO;
	} else if (head->has_id) {
		for (at = 2; at < plain->track_count; at++) {
			if (session_id_equal(&plain->tracks[at].id, id))
				return &plain->tracks[at];
		}
		assert_true(at < 64);
		plain->tracks[at].id = *id;
		plain->tracks[at].first = STAMP_NONE;
		plain->tracks[at].last = STAMP_NONE;
		plain->tracks[at].host_first = STAMP_NONE;
		plain->track_count++;
	}
	return &plain->tracks[at];
}

static void plain_line(struct plain *plain, const char *line, size_t length)
{
	struct scan_track *track;
	struct head head;
	uint32_t number = plain->lines++;

	if (!head_read(line, length, &head))
		return;
	track = plain_track(plain, &head);
	track->lines++;
	if (head.stamp.kind == STAMP_KIND_NONE)
		return;
	if (track->first == STAMP_NONE || head.stamp.time < track->first)
		track->first = head.stamp.time;
	if (track->last == STAMP_NONE || head.stamp.time > track->last)
		track->last = head.stamp.time;
	if (head.has_id && head.family == FAMILY_AGENT && track->host_first == STAMP_NONE) {
		track->host_first = head.stamp.time;
		track->host_line = number;
	}
	if (plain->end != STAMP_NONE && head.stamp.time - plain->end > plain->gap)
		plain->gap = head.stamp.time - plain->end;
	plain->end = head.stamp.time;
	if (plain->first == STAMP_NONE || head.stamp.time < plain->first)
		plain->first = head.stamp.time;
	if (plain->last == STAMP_NONE || head.stamp.time > plain->last)
		plain->last = head.stamp.time;
}

static void plain_text(struct plain *plain, const char *text, size_t length)
{
	memset(plain, 0, sizeof(*plain));
	plain->track_count = 2;
	for (size_t i = 0; i < 2; i++) {
		plain->tracks[i].first = STAMP_NONE;
		plain->tracks[i].last = STAMP_NONE;
		plain->tracks[i].host_first = STAMP_NONE;
	}
	plain->first = STAMP_NONE;
	plain->last = STAMP_NONE;
	plain->end = STAMP_NONE;
	for (const char *at = text; at < text + length;) {
		const char *end = memchr(at, '\n', (size_t)(text + length - at));

		plain_line(plain, at, (size_t)(end - at));
		at = end + 1;
	}
}

/* The short way over lines like the one before says what reading each line says. */
static void tracking_is_right(void **state)
{
	struct made *made = *state;
	char *text = test_malloc(65536);
	struct plain plain;

	for (uint32_t seed = 1; seed < 150; seed++) {
		uint32_t next = seed;
		size_t length = random_text(&next, text, 65536);
		const struct scan_result *result = &made->result;

		assert_int_equal(
			scan_block(made->scanner[0], text, length, &none, &made->result), 0);
		plain_text(&plain, text, length);
		assert_int_equal(result->lines, plain.lines);
		assert_int_equal(result->track_count, plain.track_count);
		for (size_t i = 0; i < plain.track_count; i++) {
			const struct scan_track *a = &result->tracks[i], *b = &plain.tracks[i];

			assert_true(session_id_equal(&a->id, &b->id));
			assert_int_equal(a->lines, b->lines);
			assert_int_equal(a->first, b->first);
			assert_int_equal(a->last, b->last);
			assert_int_equal(a->host_first, b->host_first);
			assert_int_equal(a->host_line, b->host_line);
		}
		assert_int_equal(result->first, plain.first);
		assert_int_equal(result->last, plain.last);
		assert_int_equal(result->end, plain.end);
		assert_int_equal(result->gap, plain.gap);
	}
	test_free(text);
}

/* A hit says of its line what reading the line says. */
static void assert_head(
	const char *text, const struct scan_result *result, const struct scan_hit *hit)
{
	const char *line = text + hit->at;
	struct head head;

	if (hit->kind == SCAN_LATER)
		return;
	if (head_read(line, hit->length, &head)) {
		static const struct session_id zero;

		assert_int_equal(hit->family, head.family);
		assert_int_equal(hit->time, head.stamp.time);
		assert_true(session_id_equal(
			&result->tracks[hit->track].id, head.has_id ? &head.id : &zero));
		assert_int_equal(hit->track == SCAN_TRACK_NONE, !head.has_id);
	}
	assert_int_equal(hit->message_at, head.message - line);
	assert_int_equal(hit->message_length, head.message_length);
}

static void both_searches_find_the_same(void **state)
{
	struct made *made = *state;
	char *text = test_malloc(65536);
	struct scan_result small;

	scan_result_init(&small);
	for (uint32_t seed = 1; seed < 60; seed++) {
		uint32_t next = seed;
		size_t length = random_text(&next, text, 65536);

		assert_int_equal(
			scan_block(made->scanner[0], text, length, NULL, &made->result), 0);
		assert_int_equal(scan_block(made->scanner[1], text, length, NULL, &small), 0);
		assert_true(made->result.hit_count > 100);
		assert_int_equal(made->result.hit_count, small.hit_count);
		for (size_t i = 0; i < small.hit_count; i++) {
			assert_int_equal(made->result.hits[i].kind, small.hits[i].kind);
			assert_int_equal(made->result.hits[i].at, small.hits[i].at);
			assert_int_equal(made->result.hits[i].line, small.hits[i].line);
			assert_int_equal(made->result.hits[i].pattern, small.hits[i].pattern);
			assert_int_equal(made->result.hits[i].time, small.hits[i].time);
			assert_head(text, &small, &small.hits[i]);
		}
	}
	scan_result_free(&small);
	test_free(text);
}

static void lines_of_a_whole_block_in_one(void **state)
{
	struct made *made = *state;
	size_t length = SCAN_BLOCK_MAXIMUM;
	char *text = test_malloc(length);

	/* more matches than there is room for, all in one line */
	for (size_t i = 0; i < length; i += 8)
		memcpy(text + i, "Starting", 8);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			scan_block(made->scanner[i], text, length, &none, &made->result), 0);
		assert_int_equal(made->result.lines, 1);
		assert_int_equal(made->result.hit_count, 1);
		assert_int_equal(made->result.hits[0].pattern, ALPHA_ANY);
	}
	test_free(text);
}

static void nothing_is_fine(void **state)
{
	const struct scan_result *result = scan(*state, "", &none);

	assert_int_equal(result->lines, 0);
	assert_int_equal(result->first, STAMP_NONE);
	assert_int_equal(result->before.family, FAMILY_NONE);
	result = scan(*state, "\n\n", &none);
	assert_int_equal(result->lines, 2);
	assert_int_equal(result->hit_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_rule_takes_a_line_once),
		TEST(lines_belong_to_their_ids),
		TEST(continuations_inherit),
		TEST(a_continued_block_waits_for_the_one_before),
		TEST(logged_messages_are_passed_on),
		TEST(long_lines_are_cut),
		TEST(too_many_hits_are_counted),
		TEST(tracking_is_right),
		TEST(both_searches_find_the_same),
		TEST(lines_of_a_whole_block_in_one),
		TEST(nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
