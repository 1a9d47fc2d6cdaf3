#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/error.h"
#include "health/read.h"
#include "read_fixture.h"

#define ID_A "49756700-6f13-1039-a32b-000000000001"
#define ID_B "5d1c2a00-6f13-1039-a32b-000000000002"
#define ZERO "00000000-0000-0000-0000-000000000000"
#define HEAD(second, id, component)                                                                \
	"2021-03-24T21:10:" second "Z " id " > LVL:2 RC:   0           " component " :"
#define TEXT_MAXIMUM (16 * 1024 * 1024)

struct made {
	struct read_fixture fixture;
	struct store *store;
	struct buffer text;
	char folder[64];
};

static int set_up(void **state)
{
	struct made *made = test_malloc(sizeof(*made));

	memset(made, 0, sizeof(*made));
	fixture_begin(&made->fixture);
	buffer_init(&made->text, TEXT_MAXIMUM);
	strcpy(made->folder, "/tmp/test_read_XXXXXX");
	assert_non_null(mkdtemp(made->folder));
	*state = made;
	return 0;
}

static int tear_down(void **state)
{
	struct made *made = *state;
	char path[128];

	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%d.log", made->folder, i);
		unlink(path);
	}
	assert_int_equal(rmdir(made->folder), 0);
	store_free(made->store);
	buffer_free(&made->text);
	fixture_end(&made->fixture);
	test_free(made);
	return 0;
}

static const struct store *take(struct made *made, const char *bytes, size_t length)
{
	store_free(made->store);
	made->store = NULL;
	assert_int_equal(
		read_bytes(&made->fixture.book, "a.log", bytes, length, NULL, &made->store), 0);
	assert(made->store != NULL);
	return made->store;
}

static void write_log(struct made *made, int number, const char *bytes, size_t length)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d.log", made->folder, number);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static struct store *take_folder(struct made *made, unsigned threads, bool digests)
{
	struct read_options options = {.threads = threads,
		.digests = digests,
		.filter = {.since = STAMP_NONE, .until = STAMP_NONE}};
	char *paths[] = {made->folder};
	struct store *store = NULL;

	bundle_limits_default(&options.limits);
	assert_int_equal(read_bundle(&made->fixture.book, paths, 1, &options, &store), 0);
	return store;
}

static void assert_capture(const struct sighting *sighting, size_t index, const char *expected)
{
	const struct capture *capture = &sighting->captures[index];

	assert_int_equal(capture->length, strlen(expected));
	assert_memory_equal(sighting->matched + capture->at, expected, capture->length);
}

static void lines_become_sightings(void **state)
{
	static const char text[] = HEAD("01.000", ID_A,
		"AGENT") "1F0C Starting session first\r\n"
			 "\r\n" HEAD("02.500", ZERO,
				 "SCNET") "accepting from 192.0.2.7:4172\r\n" HEAD("03.000", ID_A,
				 "AGENT") "round trip time (ms) =  11, variance =   "
					  "3\r\n" HEAD("04.000", ID_B,
						  "AGENT") "License remaining: 12 days";
	const struct store *store = take(*state, text, strlen(text));
	const struct source *source = &store->sources[0];

	assert_int_equal(store->source_count, 1);
	assert_string_equal(source->path, "a.log");
	assert_int_equal(source->family, FAMILY_AGENT);
	assert_int_equal(source->encoding, ENCODING_ASCII);
	assert_int_equal(source->kind, STAMP_KIND_UTC);
	assert_int_equal(source->lines, 5);
	assert_int_equal(source->bytes, strlen(text));
	assert_int_equal(source->last - source->first, 3000000);
	assert_int_equal(source->gap, 1500000);
	assert_int_equal(source->gap_line, 3);
	assert_int_equal(store->session_count, 3);
	assert_int_equal(store->sessions[1].lines, 2);
	assert_int_equal(store->sessions[1].first, source->first);
	assert_int_equal(store->sessions[1].host_line, 1);
	assert_int_equal(store->sessions[2].host_line, 5);
	assert_int_equal(store->sighting_count, 4);
	assert_int_equal(store->sightings[0].pattern, ALPHA_STARTING);
	assert_int_equal(store->sightings[0].session, 1);
	assert_int_equal(store->sightings[0].line, 1);
	assert_capture(&store->sightings[0], 0, "first");
	assert_string_equal(store->sightings[0].text,
		HEAD("01.000", ID_A, "AGENT") "1F0C Starting session first");
	assert_int_equal(store->sightings[2].line, 3);
	assert_int_equal(store->sightings[2].session, STORE_HOST);
	assert_capture(&store->sightings[2], 0, "192.0.2.7");
	assert_int_equal(store->sightings[3].session, 2);
	assert_int_equal(store->series_count, 3);
}

static void encodings_say_the_same(void **state)
{
	static const char text[] = HEAD("01.000", ID_A, "AGENT") "Starting session first\r\n";
	static const char marked[] =
		"\xef\xbb\xbf" HEAD("01.000", ID_A, "AGENT") "Starting session \xc3\xa9t\xc3\xa9\n";
	static const char latin[] = HEAD("01.000", ID_A, "AGENT") "Starting session \xe9t\xe9\n";
	struct made *made = *state;
	char wide[2 * sizeof(text) + 2] = "\xff\xfe";
	const struct store *store;

	for (size_t i = 0; i < strlen(text); i++)
		wide[2 + 2 * i] = text[i];
	store = take(made, wide, 2 + 2 * strlen(text));
	assert_int_equal(store->sources[0].encoding, ENCODING_UTF16_LE);
	assert_int_equal(store->sources[0].lines, 1);
	assert_int_equal(store->sighting_count, 2);
	assert_capture(&store->sightings[0], 0, "first");
	assert_int_equal(store->sightings[0].session, 1);
	store = take(made, marked, strlen(marked));
	assert_int_equal(store->sources[0].encoding, ENCODING_UTF8_BOM);
	assert_int_equal(store->sightings[0].session, 1);
	assert_capture(&store->sightings[0], 0, "\xc3\xa9t\xc3\xa9");
	store = take(made, latin, strlen(latin));
	assert_int_equal(store->sources[0].encoding, ENCODING_LATIN1);
	assert_capture(&store->sightings[0], 0, "\xc3\xa9t\xc3\xa9");
	assert_int_equal(store->sightings[0].pattern, ALPHA_STARTING);
}

static void large_utf16_is_read_whole(void **state)
{
	static const char line[] = HEAD("01.000", ID_A, "AGENT") "Starting session \xe2\x82\xac\n";
	struct made *made = *state;
	size_t lines = 20000;
	const struct store *store;

	buffer_append(&made->text, "\xfe\xff", 2);
	for (size_t i = 0; i < lines; i++) {
		for (const char *at = line; *at != '\0'; at++) {
			if (*at == '\xe2') {
				buffer_append(&made->text, "\x20\xac", 2);
				at += 2;
				continue;
			}
			buffer_byte(&made->text, '\0');
			buffer_byte(&made->text, *at);
		}
	}
	buffer_byte(&made->text, '\0'); /* half a character */
	assert_false(made->text.failed);
	store = take(made, made->text.bytes, made->text.length);
	assert_int_equal(store->sources[0].encoding, ENCODING_UTF16_BE);
	assert_int_equal(store->sources[0].lines, lines);
	assert_int_equal(store->sources[0].bytes, made->text.length);
	assert_int_equal(store->sightings[0].repeats, lines - 1);
}

/* Long enough for several blocks, with continuations everywhere. */
static void fill_text(struct buffer *text, size_t lines, const char *id)
{
	for (size_t i = 0; i < lines; i++) {
		if (i % 7 == 3)
			buffer_print(text, "    License remaining: %zu days\n", i);
		else if (i % 7 == 4)
			buffer_print(text, "    continued with %zu\n", i);
		else if (i % 1000 == 999)
			buffer_print(text,
				"2021-03-24T21:%02zu:%02zu.000Z %s > LVL:2 RC:   0 AGENT :Starting "
				"session %zu\n",
				i / 6000 % 60, i / 100 % 60, id, i);
		else
			buffer_print(text,
				"2021-03-24T21:%02zu:%02zu.%03zuZ %s > LVL:2 RC:   0 %s :%zu "
				"nothing to see\n",
				i / 6000 % 60, i / 100 % 60, i % 100, id,
				i % 2 == 0 ? "AGENT" : "X", i);
	}
}

static void line_numbers_go_on_over_blocks(void **state)
{
	struct made *made = *state;
	size_t lines = 60000;
	const struct store *store;
	size_t licenses = 0, continued = 0;

	fill_text(&made->text, lines, ID_A);
	assert_false(made->text.failed);
	store = take(made, made->text.bytes, made->text.length);
	assert_int_equal(store->sources[0].lines, lines);
	/* line 3999 at .000, two continuations, line 4002 at .002 of the next second */
	assert_int_equal(store->sources[0].gap, 1002000);
	for (size_t i = 0; i < store->sighting_count; i++) {
		const struct sighting *sighting = &store->sightings[i];
		char number[16];

		snprintf(number, sizeof(number), "%u", sighting->line - 1);
		assert_int_equal(sighting->session, 1);
		assert_int_not_equal(sighting->time, STAMP_NONE);
		assert_capture(sighting, 0, number);
		licenses += sighting->pattern == BETA_LICENSE;
		continued += sighting->pattern == BETA_CONTINUED;
	}
	assert_int_equal(licenses, STORE_REPEATS_MAXIMUM);
	assert_int_equal(continued, STORE_REPEATS_MAXIMUM);
	assert_int_equal(store->series[0].count, (lines + 3) / 7);
}

static void assert_same(const struct store *a, const struct store *b)
{
	assert_int_equal(a->source_count, b->source_count);
	assert_int_equal(a->session_count, b->session_count);
	assert_int_equal(a->sighting_count, b->sighting_count);
	assert_int_equal(a->series_count, b->series_count);
	assert_int_equal(a->sightings_dropped, b->sightings_dropped);
	for (size_t i = 0; i < a->source_count; i++) {
		const struct source *x = &a->sources[i], *y = &b->sources[i];

		assert_string_equal(x->path, y->path);
		assert_int_equal(x->lines, y->lines);
		assert_int_equal(x->family, y->family);
		assert_int_equal(x->first, y->first);
		assert_int_equal(x->last, y->last);
		assert_int_equal(x->gap, y->gap);
		assert_int_equal(x->gap_line, y->gap_line);
		assert_string_equal(x->sha256, y->sha256);
	}
	for (size_t i = 0; i < a->session_count; i++) {
		const struct session *x = &a->sessions[i], *y = &b->sessions[i];

		assert_true(session_id_equal(&x->id, &y->id));
		assert_int_equal(x->lines, y->lines);
		assert_int_equal(x->first, y->first);
		assert_int_equal(x->host_line, y->host_line);
		assert_int_equal(x->sightings, y->sightings);
	}
	for (size_t i = 0; i < a->sighting_count; i++) {
		const struct sighting *x = &a->sightings[i], *y = &b->sightings[i];

		assert_int_equal(x->time, y->time);
		assert_int_equal(x->session, y->session);
		assert_int_equal(x->source, y->source);
		assert_int_equal(x->line, y->line);
		assert_int_equal(x->pattern, y->pattern);
		assert_string_equal(x->text, y->text);
		assert_memory_equal(x->captures, y->captures, sizeof(x->captures));
	}
}

static void threads_do_not_change_the_result(void **state)
{
	struct made *made = *state;
	struct store *other;

	fill_text(&made->text, 30000, ID_A);
	write_log(made, 0, made->text.bytes, made->text.length);
	fill_text(&made->text, 20000, ID_B);
	write_log(made, 1, made->text.bytes, made->text.length);
	write_log(made, 2, "", 0);
	write_log(made, 3, "Starting\n", 9);
	made->store = take_folder(made, 1, true);
	assert_int_equal(made->store->source_count, 4);
	assert_true(made->store->sighting_count > 1000);
	for (unsigned threads = 2; threads < 10; threads += 3) {
		other = take_folder(made, threads, true);
		assert_same(made->store, other);
		store_free(other);
	}
}

static void digests_are_those_of_the_bytes(void **state)
{
	struct made *made = *state;

	write_log(made, 0, "abc", 3);
	write_log(made, 1, "", 0);
	made->store = take_folder(made, 1, true);
	assert_string_equal(made->store->sources[0].sha256,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(made->store->sources[1].sha256,
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(made->store->sources[1].lines, 0);
	assert_int_equal(made->store->sources[1].family, FAMILY_NONE);
	store_free(made->store);
	made->store = take_folder(made, 1, false);
	assert_string_equal(made->store->sources[0].sha256, "");
}

static void what_is_not_text_is_skipped(void **state)
{
	static const char image[] =
		"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\b\6\0\0\0\0\1\2\3";
	struct made *made = *state;

	write_log(made, 0, image, sizeof(image));
	write_log(made, 1, "Starting\n", 9);
	made->store = take_folder(made, 2, false);
	assert_int_equal(made->store->source_count, 1);
	assert_int_equal(made->store->skipped_count, 1);
	assert_non_null(strstr(made->store->skipped[0].path, "0.log"));
	assert_string_equal(made->store->skipped[0].reason, "not text");
	assert_int_equal(made->store->sighting_count, 1);
}

static void messages_are_put_together(void **state)
{
	static const char text[] = HEAD(
		"01.000", ID_A, "BROKER") "XML: <pcoip-client version=\"2.1\">\n" HEAD("01.000",
		ID_A, "BROKER") "XML:   <authenticate-resp>\n" HEAD("01.000", ID_B,
		"BROKER") "XML: <pcoip-client version=\"2.1\">\n" HEAD("01.000", ID_B,
		"BROKER") "XML:   <hello-resp>\n" HEAD("01.000", ID_A,
		"BROKER") "XML:     <result>\n" HEAD("01.001", ID_B,
		"BROKER") "XML:     <result-id>AUTH_OTHER_MESSAGE</result-id>\n" HEAD("01.002",
		ID_A, "BROKER") "XML:     <result-id>AUTH_COMPLETE</result-id>\n" HEAD("01.003",
		ID_A, "BROKER") "XML:   </authenticate-resp>\n" HEAD("02.000", ID_B,
		"BROKER") "XML:   <bye-resp/>\n";
	const struct store *store = take(*state, text, strlen(text));

	assert_int_equal(store->sighting_count, 2);
	assert_int_equal(store->sightings[0].pattern, ALPHA_RESULT);
	assert_int_equal(store->sightings[0].line, 7);
	assert_int_equal(store->sightings[0].session, 1);
	assert_capture(&store->sightings[0], 0, "COMPLETE");
	assert_int_equal(store->sightings[1].pattern, ALPHA_BYE);
	assert_int_equal(store->sightings[1].session, 2);
}

static void logs_without_ids_are_a_session(void **state)
{
	static const char view[] =
		"12/02/2011, 09:42:21.375> LVL:2 RC:   0 AGENT :Starting session x\n"
		"12/02/2011, 09:42:22.375> LVL:2 RC:   0 AGENT :Starting session y\n";
	static const char tool[] = "Starting up\nLicense remaining: 8 days\n";
	static const char panel[] =
		"2021-03-22T16:35:43.5265841Z> <DEBUG>: License remaining: 9 days\n";
	const struct store *store = take(*state, view, strlen(view));

	assert_int_equal(store->session_count, 2);
	assert_false(store->sessions[1].has_id);
	assert_int_equal(store->sessions[1].lines, 2);
	assert_int_equal(store->sessions[1].last - store->sessions[1].first, 1000000);
	assert_int_equal(store->sessions[1].host_first, STAMP_NONE);
	assert_int_equal(store->sightings[0].session, 1);
	assert_int_equal(store->sources[0].kind, STAMP_KIND_LOCAL);
	store = take(*state, tool, strlen(tool));
	assert_int_equal(store->session_count, 1);
	assert_int_equal(store->sources[0].family, FAMILY_TOOL);
	assert_int_equal(store->sighting_count, 2);
	assert_int_equal(store->sightings[1].session, STORE_HOST);
	assert_int_equal(store->sightings[1].time, STAMP_NONE);
	store = take(*state, panel, strlen(panel));
	assert_int_equal(store->session_count, 1);
	assert_int_equal(store->sightings[0].session, STORE_HOST);
	assert_int_not_equal(store->sightings[0].time, STAMP_NONE);
}

static void long_lines_are_cut(void **state)
{
	struct made *made = *state;
	const struct store *store;
	char *filler = test_malloc(600000);

	memset(filler, 'x', 600000);
	for (size_t length = 60000; length <= 600000; length += 60000) {
		buffer_clear(&made->text);
		buffer_text(&made->text, "License remaining: 3 days\nStarting ");
		buffer_append(&made->text, filler, length);
		buffer_text(&made->text, " License remaining: 4 days\nLicense remaining: 5 days\n");
		store = take(made, made->text.bytes, made->text.length);
		assert_int_equal(store->sources[0].lines, 3);
		assert_int_equal(store->sources[0].lines_long, length > READ_LINE_MAXIMUM ? 1 : 0);
		assert_int_equal(store->sources[0].bytes, made->text.length);
		assert_int_equal(store->sighting_count, 3);
		assert_int_equal(strlen(store->sightings[1].text), STORE_TEXT_MAXIMUM - 1);
		assert_int_equal(store->sightings[2].line, 3);
	}
	test_free(filler);
}

static void captures_stay_within_the_text(void **state)
{
	struct made *made = *state;
	const struct store *store;
	const struct sighting *sighting;

	buffer_text(&made->text, HEAD("01.000", ID_A, "AGENT") "Starting session ");
	for (int i = 0; i < 3000; i++)
		buffer_text(&made->text, "ab");
	store = take(made, made->text.bytes, made->text.length);
	sighting = &store->sightings[0];
	assert_int_equal(strlen(sighting->text), STORE_TEXT_MAXIMUM - 1);
	assert_true(sighting->captures[0].length > 100);
	assert_int_equal(
		sighting->captures[0].at + sighting->captures[0].length, strlen(sighting->matched));
}

/* The pattern's end lies beyond the text that is kept. */
static void captures_that_are_cut_off_end_with_the_text(void **state)
{
	struct made *made = *state;
	const struct sighting *sighting;

	buffer_text(&made->text, HEAD("01.000", ZERO, "SCNET") "accepting from ");
	for (int i = 0; i < 1000; i++)
		buffer_text(&made->text, "ab");
	buffer_text(&made->text, ":4172\n");
	sighting = &take(made, made->text.bytes, made->text.length)->sightings[0];
	assert_int_equal(sighting->pattern, ALPHA_NEAR);
	assert_int_equal(strlen(sighting->text), STORE_TEXT_MAXIMUM - 1);
	assert_true(sighting->captures[0].length > 100);
	assert_int_equal(
		sighting->captures[0].at + sighting->captures[0].length, strlen(sighting->matched));
}

static void gaps_between_blocks_are_seen(void **state)
{
	struct made *made = *state;
	const struct source *source;

	/* 64 bytes each: the 4096th line ends a block */
	for (int i = 0; i < 5000; i++)
		buffer_print(&made->text, "2021-03-24T21:%02d:10.%03dZ%*s\n", i < 4096 ? 10 : 12,
			i % 1000, 39, "x");
	assert_int_equal(made->text.length, 5000 * 64);
	source = &take(made, made->text.bytes, made->text.length)->sources[0];
	assert_int_equal(source->lines, 5000);
	assert_int_equal(source->gap, 120001000);
	assert_int_equal(source->gap_line, 4097);
}

static void a_line_without_id_among_others_is_the_hosts(void **state)
{
	static const char text[] = HEAD("01.000", ID_A,
		"AGENT") "Starting session x\n"
			 "2021-03-24T21:10:02.000Z LVL:2 RC:   0 AGENT :Starting session y\n";
	const struct store *store = take(*state, text, strlen(text));

	assert_int_equal(store->session_count, 2);
	assert_int_equal(store->sighting_count, 4);
	assert_int_equal(store->sightings[0].session, 1);
	assert_int_equal(store->sightings[2].session, STORE_HOST);
	/* alone, it stands for a session */
	store = take(*state, strchr(text, '\n') + 1, strlen(strchr(text, '\n') + 1));
	assert_int_equal(store->session_count, 2);
	assert_false(store->sessions[1].has_id);
	assert_int_equal(store->sightings[0].session, 1);
}

static void a_broken_line_end_is_fine(void **state)
{
	static const char text[] = "\n\r\n\r\r\n\0\n";

	assert_int_equal(take(*state, text, 6)->sources[0].lines, 3);
	assert_int_equal(take(*state, "", 0)->source_count, 1);
	assert_int_equal(((struct made *)*state)->store->sources[0].encoding, ENCODING_UNKNOWN);
}

static void told(void *context, const struct read_progress *progress)
{
	uint64_t *last = context;

	assert_true(progress->bytes > *last);
	assert_true(progress->total >= progress->done);
	*last = progress->bytes;
}

static void progress_is_told(void **state)
{
	struct made *made = *state;
	char *paths[] = {made->folder};
	uint64_t last = 0;
	struct read_options options = {.threads = 1,
		.filter = {.since = STAMP_NONE, .until = STAMP_NONE},
		.progress = told,
		.context = &last};

	fill_text(&made->text, 140000, ID_A);
	for (int i = 0; i < 4; i++)
		write_log(made, i, made->text.bytes, made->text.length);
	bundle_limits_default(&options.limits);
	assert_int_equal(read_bundle(&made->fixture.book, paths, 1, &options, &made->store), 0);
	assert_true(last >= 32 * 1024 * 1024);
}

/* What a machine that lost its power leaves: zeros after a torn line, more of them than a line may
 * be long; the next line begins directly after them. Lines keep their numbers. */
static void zeros_are_passed_over(void **state)
{
	static const char first[] = HEAD("01.000", ID_A, "AGENT") "Starting session one\n";
	static const char torn[] = HEAD("02.000", ID_A, "AGENT") "Starting sess";
	static const char next[] = HEAD("09.000", ID_A, "AGENT") "Starting session two\n";
	static char zeros[300001];
	struct made *made = *state;
	const struct store *store;

	buffer_append(&made->text, first, strlen(first));
	buffer_append(&made->text, torn, strlen(torn));
	buffer_append(&made->text, zeros, sizeof(zeros));
	buffer_append(&made->text, next, strlen(next));
	buffer_append(&made->text, zeros, 5);
	store = take(made, made->text.bytes, made->text.length);
	assert_int_equal(store->source_count, 1);
	assert_int_equal(store->sources[0].zeros, sizeof(zeros) + 5);
	assert_int_equal(store->sources[0].bytes, made->text.length);
	assert_int_equal(store->sources[0].lines_long, 0);
	assert_int_equal(store->sources[0].encoding, ENCODING_ASCII);
	assert_int_equal(store->sighting_count, 4);
	assert_int_equal(store->sightings[0].line, 1);
	assert_int_equal(store->sightings[2].line, 2);
	assert_capture(&store->sightings[2], 0, "two");
}

/* All sessions before the time asked for make room, also within a block: no line is given to the
 * session that got another's place. */
static void lines_stay_with_their_session_when_others_made_room(void **state)
{
	struct store_filter filter = {.until = STAMP_NONE};
	struct made *made = *state;
	struct stamp stamp;

	for (unsigned i = 1; i < 40000; i++)
		buffer_print(&made->text,
			"2021-03-24T21:%02u:10.000Z %08x-6f13-1039-a32b-000000000001 > LVL:2 RC:   "
			"0 AGENT :Starting session %08x\n",
			i % 3 == 0 ? 40 : 10, i, i);
	assert_true(stamp_read("2021-03-24T21:40:00Z", 20, &stamp) > 0);
	filter.since = stamp.time;
	assert_int_equal(read_bytes(&made->fixture.book, "a.log", made->text.bytes,
				 made->text.length, &filter, &made->store),
		0);
	assert_int_equal(made->store->session_count, STORE_SESSIONS_MAXIMUM + 1);
	assert_int_equal(made->store->sighting_count, 2 * (39999 / 3));
	assert_int_equal(made->store->sessions_dropped, 0);
	for (size_t i = 0; i < made->store->sighting_count; i++) {
		const struct sighting *sighting = &made->store->sightings[i];
		char id[SESSION_ID_TEXT + 1];

		session_id_print(&made->store->sessions[sighting->session].id, id);
		assert_memory_equal(id, strstr(sighting->text, "session ") + 8, 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(lines_become_sightings),
		TEST(encodings_say_the_same),
		TEST(large_utf16_is_read_whole),
		TEST(line_numbers_go_on_over_blocks),
		TEST(threads_do_not_change_the_result),
		TEST(digests_are_those_of_the_bytes),
		TEST(what_is_not_text_is_skipped),
		TEST(messages_are_put_together),
		TEST(logs_without_ids_are_a_session),
		TEST(long_lines_are_cut),
		TEST(captures_stay_within_the_text),
		TEST(captures_that_are_cut_off_end_with_the_text),
		TEST(gaps_between_blocks_are_seen),
		TEST(a_line_without_id_among_others_is_the_hosts),
		TEST(a_broken_line_end_is_fine),
		TEST(zeros_are_passed_over),
		TEST(lines_stay_with_their_session_when_others_made_room),
		TEST(progress_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
