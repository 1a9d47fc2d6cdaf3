#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "health/store.h"
#include "read_fixture.h"

#define SECOND INT64_C(1000000)

struct made {
	struct read_fixture fixture;
	struct store *store;
};

static int set_up(void **state)
{
	struct made *made = test_malloc(sizeof(*made));

	fixture_begin(&made->fixture);
	made->store = store_new(&made->fixture.book, NULL);
	assert_non_null(made->store);
	*state = made;
	return 0;
}

static int tear_down(void **state)
{
	struct made *made = *state;

	store_free(made->store);
	fixture_end(&made->fixture);
	test_free(made);
	return 0;
}

/* Another store with this filter. */
static struct store *filtered(struct made *made, const struct store_filter *filter)
{
	store_free(made->store);
	made->store = store_new(&made->fixture.book, filter);
	assert_non_null(made->store);
	return made->store;
}

static struct session_id id_of(uint32_t number)
{
	struct session_id id = {{0x10}};

	memcpy(&id.bytes[4], &number, sizeof(number));
	return id;
}

static uint32_t source(struct store *store, const char *path, const char *group, uint64_t order)
{
	struct bundle_member member = {.order = order};
	uint32_t number;

	strcpy(member.path, path);
	strcpy(member.group, group);
	assert_int_equal(store_source(store, &member, &number), 0);
	return number;
}

static void add(struct store *store, uint16_t pattern, uint32_t session, uint32_t line,
	int64_t time, const char *text)
{
	struct sighting sighting = {.time = time,
		.session = session,
		.line = line,
		.pattern = pattern,
		.text = text,
		.matched = text};

	assert_int_equal(store_add(store, &sighting, strlen(text)), 0);
}

/* A line of ALPHA_RTT whose numbers are these. */
static void add_rtt(
	struct store *store, uint32_t session, uint32_t line, int64_t time, const char *rtt)
{
	struct sighting sighting = {
		.time = time, .session = session, .line = line, .pattern = ALPHA_RTT};
	char text[STORE_TEXT_MAXIMUM];

	snprintf(text, sizeof(text), "%s 7", rtt);
	sighting.text = text;
	sighting.matched = text;
	sighting.captures[0] = (struct capture){0, (uint16_t)strlen(rtt)};
	sighting.captures[1] = (struct capture){(uint16_t)(strlen(rtt) + 1), 1};
	assert_int_equal(store_add(store, &sighting, strlen(text)), 0);
}

static void sessions_are_told_apart(void **state)
{
	struct store *store = ((struct made *)*state)->store;
	struct session_id zero = {{0}}, a = id_of(1), b = id_of(2);
	uint32_t first = store_session(store, &a);

	assert_int_equal(store_session(store, &zero), STORE_HOST);
	assert_int_not_equal(first, STORE_HOST);
	assert_int_not_equal(store_session(store, &b), first);
	assert_int_equal(store_session(store, &a), first);
	assert_true(session_id_equal(&store->sessions[first].id, &a));
	assert_int_equal(store->sessions[first].first, STAMP_NONE);
	assert_int_equal(store->session_count, 3);
}

/* Lines of a session that there is no room for. */
static void lose(struct store *store, const struct session_id *id, uint64_t lines)
{
	struct session lost = {
		.has_id = true, .id = *id, .first = STAMP_NONE, .last = STAMP_NONE, .lines = lines};

	store_session_lost(store, &lost);
}

static void sessions_beyond_the_limit_are_counted(void **state)
{
	struct store *store = ((struct made *)*state)->store;
	struct session_id id;

	for (uint32_t i = 0; i < STORE_SESSIONS_MAXIMUM; i++) {
		id = id_of(i + 1);
		assert_int_equal(store_session(store, &id), i + 1);
	}
	id = id_of(STORE_SESSIONS_MAXIMUM + 1);
	assert_int_equal(store_session(store, &id), STORE_HOST);
	lose(store, &id, 3);
	lose(store, &id, 4);
	assert_int_equal(store->sessions_dropped, 7);
	assert_int_equal(store->sessions_lost, 1);
	id = id_of(STORE_SESSIONS_MAXIMUM + 2);
	lose(store, &id, 1);
	assert_int_equal(store->sessions_lost, 2);
	assert_false(store->sessions_lost_more);
	id = id_of(STORE_SESSIONS_MAXIMUM);
	assert_int_equal(store_session(store, &id), STORE_SESSIONS_MAXIMUM);
}

static void more_lost_sessions_than_can_be_counted_are_at_least_so_many(void **state)
{
	struct store *store = ((struct made *)*state)->store;

	for (uint32_t i = 0; i < 100000; i++) {
		struct session_id id = id_of(i + 1);

		lose(store, &id, 1);
	}
	assert_int_equal(store->sessions_lost, 65536);
	assert_true(store->sessions_lost_more);
	assert_int_equal(store->sessions_dropped, 100000);
}

/* A session that has a line at this time; its number. */
static uint32_t session_at(struct store *store, uint32_t number, int64_t time)
{
	struct session_id id = id_of(number);
	uint32_t session = store_session(store, &id);

	if (session == STORE_HOST)
		return session;
	assert_true(session_id_equal(&store->sessions[session].id, &id));
	store->sessions[session].first = time;
	store->sessions[session].last = time;
	return session;
}

static void sessions_outside_of_the_time_make_room(void **state)
{
	struct made *made = *state;
	struct store_filter filter = {.since = 100, .until = 200};
	struct store *store = filtered(made, &filter);
	uint32_t within, last = 0;

	source(store, "x", "x", 0);
	within = session_at(store, 1, 150);
	add(store, ALPHA_STARTING, within, 1, 150, "within");
	for (uint32_t i = 2; i <= 3 * STORE_SESSIONS_MAXIMUM; i++)
		assert_int_not_equal(session_at(store, i, i % 2 == 0 ? 50 : 250), STORE_HOST);
	assert_int_equal(store->session_count, STORE_SESSIONS_MAXIMUM + 1);
	for (uint32_t i = 0; i < 100; i++) {
		last = session_at(store, 100000 + i, 160);
		assert_int_not_equal(last, STORE_HOST);
		add(store, ALPHA_STARTING, last, 2 * i + 3, 160, "within");
	}
	assert_int_equal(session_at(store, 1, 150), within);
	assert_int_equal(session_at(store, 100099, 160), last);
	assert_int_equal(store->sessions_dropped, 0);
	assert_int_equal(store->sighting_count, 101);
	assert_int_equal(store_sort(store), 0);
	assert_false(store->sessions[within].filtered);
	assert_false(store->sessions[last].filtered);
}

static void those_within_the_time_are_lost_when_they_are_too_many(void **state)
{
	struct made *made = *state;
	struct store_filter filter = {.since = 100, .until = 200};
	struct store *store = filtered(made, &filter);
	struct session outside = {
		.has_id = true, .id = id_of(9), .first = 1, .last = 99, .lines = 5};

	for (uint32_t i = 1; i <= STORE_SESSIONS_MAXIMUM; i++)
		assert_int_equal(session_at(store, i, 150), i);
	assert_int_equal(session_at(store, STORE_SESSIONS_MAXIMUM + 1, 150), STORE_HOST);
	store_session_lost(store, &outside);
	assert_int_equal(store->sessions_dropped, 0);
	outside.last = 100;
	store_session_lost(store, &outside);
	assert_int_equal(store->sessions_dropped, 5);
}

/* Every session that is asked for has room, however many others came before. */
static void wanted_sessions_come_before_limits(void **state)
{
	struct made *made = *state;
	struct store_filter filter = {.since = STAMP_NONE, .until = STAMP_NONE, .session = "abcd"};
	struct store *store = filtered(made, &filter);
	struct session_id wanted = {{0xab, 0xcd}};
	char text[STORE_TEXT_MAXIMUM];
	uint32_t session, others = 0;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	source(store, "x", "x", 0);
	for (uint32_t i = 1; i <= STORE_SESSIONS_MAXIMUM + 1; i++) {
		struct session_id id = id_of(i);

		session = store_session(store, &id);
		others += session != STORE_HOST;
		for (uint32_t line = 0; line < 10 && session != STORE_HOST; line++)
			add(store, ALPHA_STARTING, session, 2 * line, line, text);
	}
	assert_int_equal(others, STORE_SESSIONS_MAXIMUM / 2);
	assert_true(store->others_dropped > 0);
	assert_true(store->sighting_count > 10000);
	session = store_session(store, &wanted);
	assert_int_not_equal(session, STORE_HOST);
	for (uint32_t line = 0; line < 500; line++)
		add(store, ALPHA_STARTING, session, 2 * line, line, text);
	assert_int_equal(store->sessions[session].sightings, 500);
	assert_int_equal(store->sightings_dropped, 0);
	assert_int_equal(store->sessions_dropped, 0);
}

static void parts_of_a_log_share_their_session(void **state)
{
	struct store *store = ((struct made *)*state)->store;
	uint32_t newer = source(store, "b/view.log", "b/view.log", 9);
	uint32_t other = source(store, "b/other.log", "b/other.log", 0);
	uint32_t older = source(store, "b/view.log.1", "b/view.log", 8);
	uint32_t session = store_session_of_source(store, newer);

	assert_int_equal(store_session_of_source(store, older), session);
	assert_int_not_equal(store_session_of_source(store, other), session);
	assert_false(store->sessions[session].has_id);
	assert_string_equal(store->sources[older].folder, "b");
	assert_ptr_equal(store->sources[older].group, store->sources[newer].group);
	assert_int_equal(store_sort(store), 0);
	assert_int_equal(store->sources[older].order, 0);
	assert_int_equal(store->sources[newer].order, 1);
	assert_int_equal(store->sources[other].order, 0);
	assert_int_equal(store->sessions[session].source, older);
}

static void sightings_are_sorted(void **state)
{
	struct store *store = ((struct made *)*state)->store;
	uint32_t newer = source(store, "x.log", "x.log", 2),
		 older = source(store, "x.1", "x.log", 1);
	struct sighting lines[] = {
		{.time = STAMP_NONE, .source = newer, .line = 1, .text = "6", .matched = ""},
		{.time = 5, .source = newer, .line = 3, .text = "4", .matched = ""},
		{.time = 5, .source = newer, .line = 2, .text = "3", .matched = ""},
		{.time = 5, .source = older, .line = 9, .text = "2", .matched = ""},
		{.time = 4, .source = newer, .line = 8, .text = "1", .matched = ""},
		{.time = STAMP_NONE, .source = older, .line = 7, .text = "5", .matched = ""},
	};

	for (size_t i = 0; i < 6; i++)
		assert_int_equal(store_add(store, &lines[i], 0), 0);
	assert_int_equal(store_sort(store), 0);
	assert_int_equal(store->sighting_count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(store->sightings[i].text[0], '1' + (int)i);
}

static void texts_are_copied(void **state)
{
	struct store *store = ((struct made *)*state)->store;
	char line[] = "head message", element[] = "text";
	struct sighting sighting = {.text = line, .matched = line + 5, .line = 1};

	source(store, "x", "x", 0);
	assert_int_equal(store_add(store, &sighting, 7), 0);
	sighting.matched = element;
	sighting.line = 5;
	assert_int_equal(store_add(store, &sighting, 4), 0);
	memset(line, '-', strlen(line));
	memset(element, '-', strlen(element));
	assert_string_equal(store->sightings[0].text, "head message");
	assert_ptr_equal(store->sightings[0].matched, store->sightings[0].text + 5);
	assert_string_equal(store->sightings[1].matched, "text");
}

static void repeats_directly_after_are_counted(void **state)
{
	struct store *store = ((struct made *)*state)->store;

	source(store, "x", "x", 0);
	for (uint32_t i = 1; i <= 3; i++) {
		add(store, ALPHA_STARTING, 0, i, 7, "same");
		add(store, BETA_STARTING, 0, i, 7, "same");
	}
	assert_int_equal(store->sighting_count, 2);
	assert_int_equal(store->sightings[0].repeats, 2);
	assert_int_equal(store->sightings[1].repeats, 2);
	/* line 4 was another one; then the text is another, then the time */
	add(store, ALPHA_STARTING, 0, 5, 7, "same");
	add(store, ALPHA_STARTING, 0, 6, 7, "other");
	add(store, ALPHA_STARTING, 0, 7, 8, "other");
	assert_int_equal(store->sighting_count, 5);
}

static void one_pattern_does_not_fill_a_session(void **state)
{
	struct store *store = ((struct made *)*state)->store;
	struct session_id id = id_of(1);
	uint32_t session = store_session(store, &id);

	source(store, "x", "x", 0);
	for (uint32_t i = 0; i < STORE_REPEATS_MAXIMUM + 10; i++)
		add(store, ALPHA_STARTING, session, 2 * i + 1, i, "line");
	add(store, ALPHA_ANY, session, 1, 1, "line");
	assert_int_equal(store->sessions[session].sightings, STORE_REPEATS_MAXIMUM + 1);
	assert_int_equal(store->sessions[session].dropped, 10);
	assert_int_equal(store->sightings_dropped, 10);
	for (uint32_t i = 0; i < STORE_HOST_REPEATS_MAXIMUM + 10; i++)
		add(store, ALPHA_STARTING, STORE_HOST, 2 * i + 1, i, "line");
	assert_int_equal(store->sessions[STORE_HOST].sightings, STORE_HOST_REPEATS_MAXIMUM);
}

/* More than there is room for, with lines of this length. */
static void overfill(struct made *made, size_t length)
{
	struct store *store = filtered(made, NULL);
	char text[STORE_TEXT_MAXIMUM];
	uint64_t offered = 0;

	memset(text, 'x', sizeof(text));
	text[length] = '\0';
	source(store, "x", "x", 0);
	for (uint32_t i = 1; i < 5000 && store->sightings_dropped < 1000; i++) {
		struct session_id id = id_of(i);
		uint32_t session = store_session(store, &id);

		for (uint32_t line = 0; line < 500; line++, offered++)
			add(store, ALPHA_STARTING, session, 2 * line, line, text);
		assert_true(store_used(store) <= STORE_BYTES_MAXIMUM);
	}
	assert_true(store_used(store) > STORE_BYTES_MAXIMUM / 2);
	assert_true(store->sightings_dropped > 0);
	assert_int_equal(store->sighting_count + store->sightings_dropped, offered);
	/* what was skipped can be said all the same */
	assert_int_equal(store_skip(store, "y", "reason", BUNDLE_PASSED_OVER), 0);
	assert_int_equal(store->skipped_count, 1);
	assert_int_equal(store_sort(store), 0);
}

static void bytes_are_bounded(void **state)
{
	overfill(*state, STORE_TEXT_MAXIMUM - 1);
	overfill(*state, 0);
}

/* A book of many patterns, so that the limit of each of them does not come first. */
static void host_lines_leave_room_for_sessions(void **state)
{
	enum { MANY = 40 };
	static struct rule_pattern patterns[MANY];
	static const struct rule_pattern *by_number[MANY];
	struct rule_book book = {.patterns = by_number, .pattern_count = MANY};
	struct store *store = store_new(&book, NULL);
	char text[STORE_TEXT_MAXIMUM];
	struct session_id id = id_of(1);
	uint32_t session = store_session(store, &id);

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	source(store, "x", "x", 0);
	for (int i = 0; i < MANY; i++) {
		patterns[i].sighted = true;
		by_number[i] = &patterns[i];
		for (uint32_t line = 0; line < 4096; line++)
			add(store, (uint16_t)i, STORE_HOST, 2 * line, line, text);
	}
	assert_true(store->sightings_dropped > 0);
	for (uint32_t line = 0; line < 500; line++)
		add(store, 0, session, 2 * line, line, text);
	assert_int_equal(store->sessions[session].sightings, 500);
	store_free(store);
}

static void sources_are_bounded(void **state)
{
	struct store *store = ((struct made *)*state)->store;
	struct bundle_member member = {.order = 0};
	uint32_t number, count = 0;
	int error;

	do {
		memset(member.path, 'p', BUNDLE_PATH_SIZE - 1);
		memset(member.group, 'g', BUNDLE_PATH_SIZE - 1);
		snprintf(member.group, 16, "%u/", count);
		member.group[strlen(member.group)] = 'g';
		error = store_source(store, &member, &number);
		count++;
	} while (error == 0 && count <= STORE_SOURCES_MAXIMUM);
	assert_int_equal(error, ERROR_LIMIT);
	assert_int_equal(store->source_count, count - 1);
	assert_true(store_used(store) <= STORE_BYTES_MAXIMUM / 2 + 4096);
	assert_int_equal(store->skipped_count, 1);
	assert_non_null(strstr(store->skipped[0].reason, "too many"));
}

static void skipped_ones_are_counted(void **state)
{
	struct store *store = ((struct made *)*state)->store;
	char path[16];

	assert_int_equal(store_skip(store, "a", "link", BUNDLE_PASSED_OVER), 0);
	assert_int_equal(store_skip(store, "a", "link", BUNDLE_PASSED_OVER), 0);
	assert_int_equal(store_skip(store, "a", "device", BUNDLE_PASSED_OVER), 0);
	assert_int_equal(store->skipped_count, 2);
	assert_int_equal(store->skipped[0].count, 2);
	for (int i = 0; i < STORE_SKIPPED_MAXIMUM + 5; i++) {
		snprintf(path, sizeof(path), "%d", i);
		assert_int_equal(store_skip(store, path, "link", BUNDLE_PASSED_OVER), 0);
	}
	assert_int_equal(store->skipped_count, STORE_SKIPPED_MAXIMUM);
	assert_int_equal(store->skipped_more, 7);
	assert_int_equal(store->lost_more, 0);
	assert_int_equal(store_skip(store, "z", "damaged", BUNDLE_LOST), 0);
	assert_int_equal(store->skipped_more, 8);
	assert_int_equal(store->lost_more, 1);
}

static void series_say_what_numbers_were(void **state)
{
	struct store *store = ((struct made *)*state)->store;
	const struct series *rtt = NULL, *jitter = NULL;

	source(store, "x", "x", 0);
	add_rtt(store, 0, 1, 10 * SECOND, "20.5");
	add_rtt(store, 0, 2, 70 * SECOND, "120");
	add_rtt(store, 0, 3, 190 * SECOND, "250");
	add_rtt(store, 0, 4, 250 * SECOND, "0251");
	add_rtt(store, 0, 5, 251 * SECOND, "-3");
	add_rtt(store, 0, 6, 252 * SECOND, "none");
	for (size_t i = 0; i < store->series_count; i++) {
		if (strcmp(store->series[i].measure->id, "rtt") == 0)
			rtt = &store->series[i];
		else
			jitter = &store->series[i];
	}
	assert_int_equal(store->sighting_count, 0);
	assert_non_null(rtt);
	assert(rtt != NULL);
	assert_int_equal(rtt->count, 5);
	assert_int_equal(rtt->warnings, 2);
	assert_int_equal(rtt->fails, 1);
	assert_true(rtt->lowest == -3 && rtt->highest == 251 && rtt->sum == 638.5);
	assert_int_equal(rtt->gap, 120 * SECOND);
	assert_int_equal(rtt->gap_from, 70 * SECOND);
	assert_int_equal(rtt->gap_line, 3);
	assert_int_equal(rtt->worst_line, 4);
	assert_string_equal(rtt->worst_text, "0251 7");
	assert_int_equal(rtt->point_count, 5);
	assert_non_null(jitter);
	assert(jitter != NULL);
	assert_int_equal(jitter->count, 6);
	assert_int_equal(jitter->point_count, 0);
}

static void points_are_joined(void **state)
{
	struct store *store = ((struct made *)*state)->store;
	const struct series *rtt;
	uint64_t count = 0;
	double sum = 0;

	source(store, "x", "x", 0);
	for (uint32_t i = 0; i < 1000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%u", i);
		add_rtt(store, 0, i, i * SECOND, text);
	}
	rtt = &store->series[strcmp(store->series[0].measure->id, "rtt") == 0 ? 0 : 1];
	assert_true(rtt->point_count <= STORE_PLOT_POINTS);
	assert_true(rtt->point_count > STORE_PLOT_POINTS / 2);
	for (size_t i = 0; i < rtt->point_count; i++) {
		count += rtt->points[i].count;
		sum += (double)rtt->points[i].mean * rtt->points[i].count;
		assert_true(rtt->points[i].highest >= rtt->points[i].mean);
		if (i > 0)
			assert_true(rtt->points[i].time > rtt->points[i - 1].time);
		if (i + 1 < rtt->point_count)
			assert_int_equal(rtt->points[i].count, rtt->point_values);
	}
	assert_int_equal(count, 1000);
	assert_true(sum > 499490 && sum < 499510);
}

static void lower_limits_are_below(void **state)
{
	struct store *store = ((struct made *)*state)->store;
	static const char *const days[] = {"40", "12", "29.5", "30"};

	source(store, "x", "x", 0);
	for (uint32_t i = 0; i < 4; i++) {
		struct sighting sighting = {.time = i, .line = 2 * i, .pattern = BETA_LICENSE};

		sighting.text = days[i];
		sighting.matched = days[i];
		sighting.captures[0].length = (uint16_t)strlen(days[i]);
		assert_int_equal(store_add(store, &sighting, strlen(days[i])), 0);
	}
	assert_int_equal(store->sighting_count, 4); /* measured and sighted */
	assert_int_equal(store->series_count, 1);
	assert_int_equal(store->series[0].warnings, 2);
	assert_string_equal(store->series[0].worst_text, "12");
}

static void times_are_filtered(void **state)
{
	struct made *made = *state;
	struct store_filter filter = {.since = 100, .until = 200};
	struct store *store = filtered(made, &filter);
	struct session_id early = id_of(1), both = id_of(2);
	uint32_t a = store_session(store, &early), b = store_session(store, &both);

	source(store, "x", "x", 0);
	add(store, ALPHA_STARTING, b, 1, 99, "early");
	add(store, ALPHA_STARTING, b, 3, 100, "first");
	add(store, ALPHA_STARTING, b, 5, 200, "last");
	add(store, ALPHA_STARTING, b, 7, 201, "late");
	add(store, ALPHA_STARTING, b, 9, STAMP_NONE, "timeless");
	assert_int_equal(store->sighting_count, 3);
	store->sessions[a].first = 10;
	store->sessions[a].last = 99;
	store->sessions[b].first = 10;
	store->sessions[b].last = 150;
	assert_int_equal(store_sort(store), 0);
	assert_true(store->sessions[a].filtered);
	assert_false(store->sessions[b].filtered);
}

static void sessions_are_filtered(void **state)
{
	struct made *made = *state;
	struct store_filter filter = {.since = STAMP_NONE, .until = STAMP_NONE, .session = "ABCD"};
	struct store *store = filtered(made, &filter);
	struct session_id wanted = {{0xab, 0xcd}}, other = id_of(2);
	uint32_t a = store_session(store, &wanted), b = store_session(store, &other);

	source(store, "x", "x", 0);
	add(store, ALPHA_STARTING, a, 1, 1, "wanted");
	add(store, ALPHA_STARTING, b, 3, 1, "other");
	add(store, ALPHA_STARTING, STORE_HOST, 5, 1, "host");
	add(store, ALPHA_STARTING, store_session_of_source(store, 0), 7, 1, "no id");
	/* all lines stay: they say whose those with the all-zero id are not */
	assert_int_equal(store->sighting_count, 4);
	assert_false(store->sessions[a].filtered);
	assert_true(store->sessions[b].filtered);
	assert_true(store->sessions[store_session_of_source(store, 0)].filtered);
}

/* A log as it was read, with one line that a rule knows. */
static uint32_t read_log(struct store *store, const char *path, uint64_t check, const char *text)
{
	uint32_t number = source(store, path, path, 0);
	struct sighting sighting = {.time = 7, .source = number, .line = 3, .text = text};

	store->sources[number].bytes = 100;
	store->sources[number].lines = 10;
	store->sources[number].check = check;
	store->sources[number].first = 5;
	store->sources[number].last = 9;
	sighting.matched = text;
	sighting.session = store_session_of_source(store, number);
	assert_int_equal(store_add(store, &sighting, strlen(text)), 0);
	return number;
}

static void the_same_log_twice_counts_once(void **state)
{
	struct store *store = ((struct made *)*state)->store;
	uint32_t first = read_log(store, "a/x.log", 1, "line");
	uint32_t other = read_log(store, "b/x.log", 2, "line");
	uint32_t again = read_log(store, "c.zip/x.log", 1, "line");
	uint32_t third = read_log(store, "d/x.log", 1, "line");
	uint32_t differs = read_log(store, "e/x.log", 1, "another");

	assert_int_equal(store_sort(store), 0);
	assert_null(store->sources[first].twin);
	assert_null(store->sources[other].twin);
	assert_null(store->sources[differs].twin);
	assert_string_equal(store->sources[again].twin, "same log as a/x.log");
	assert_string_equal(store->sources[third].twin, "same log as a/x.log");
	assert_int_equal(store->sighting_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(
			store->sightings[i].source != again && store->sightings[i].source != third);
	assert_false(store->sessions[store_session_of_source(store, first)].filtered);
	assert_true(store->sessions[store_session_of_source(store, again)].filtered);
}

static void what_tools_say_on_two_machines_counts_twice(void **state)
{
	struct store *store = ((struct made *)*state)->store;

	for (int i = 0; i < 2; i++) {
		uint32_t number = read_log(store, i == 0 ? "a/pci" : "b/pci", 1, "line");

		store->sources[number].first = STAMP_NONE;
		store->sources[number].last = STAMP_NONE;
	}
	assert_int_equal(store_sort(store), 0);
	assert_int_equal(store->sighting_count, 2);
	assert_null(store->sources[1].twin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(sessions_are_told_apart),
		TEST(sessions_beyond_the_limit_are_counted),
		TEST(more_lost_sessions_than_can_be_counted_are_at_least_so_many),
		TEST(sessions_outside_of_the_time_make_room),
		TEST(those_within_the_time_are_lost_when_they_are_too_many),
		TEST(wanted_sessions_come_before_limits),
		TEST(parts_of_a_log_share_their_session),
		TEST(sightings_are_sorted),
		TEST(texts_are_copied),
		TEST(repeats_directly_after_are_counted),
		TEST(one_pattern_does_not_fill_a_session),
		TEST(bytes_are_bounded),
		TEST(host_lines_leave_room_for_sessions),
		TEST(sources_are_bounded),
		TEST(skipped_ones_are_counted),
		TEST(series_say_what_numbers_were),
		TEST(points_are_joined),
		TEST(lower_limits_are_below),
		TEST(times_are_filtered),
		TEST(sessions_are_filtered),
		TEST(the_same_log_twice_counts_once),
		TEST(what_tools_say_on_two_machines_counts_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
