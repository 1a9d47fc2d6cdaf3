#include "bench/log_story.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_TIME INT64_C(1704700800000) /* 2024-01-08T08:00:00Z, milliseconds */
#define WEIGHTS_NOISE 256
#define WEIGHTS_STORY 64
#define PARTS 6
#define STATISTICS_EVERY 60000 /* milliseconds */
#define GAP 600000
#define GAP_SESSIONS 8
#define BETWEEN_MAXIMUM 600000
#define BETWEEN_LINES 64 /* from the end of a session to the next one */

enum log_part {
	LOG_PART_NONE,
	LOG_PART_BEGIN,
	LOG_PART_HELLO,
	LOG_PART_REFUSED,
	LOG_PART_PREPARE,
	LOG_PART_DENIED,
	LOG_PART_START,
	LOG_PART_MEDIA,
	LOG_PART_TCP_BLOCKED,
	LOG_PART_UDP_BLOCKED,
	LOG_PART_LOGOUT,
	LOG_PART_LOST,
	LOG_PART_STOP,
	LOG_PART_STATISTICS,
	LOG_PART_END,
};

struct line {
	enum log_part part;
	uint32_t after, vary;
	enum log_kind kind;
	bool zero;
	int level, code;
	const char *component, *text;
};

static const struct line lines[] = {
#define LINE(part, after, vary, kind, zero, level, rc, component, text)                            \
	{LOG_PART_##part, after, vary, LOG_##kind, zero, level, rc, component, text},
#include "bench/log_story.def"
#undef LINE
};
#define LINES (sizeof(lines) / sizeof(lines[0]))

struct story {
	unsigned weight;
	bool connected;
	enum log_part parts[PARTS];
};

static const struct story stories[] = {
#define STORY(name, weight, connected, a, b, c, d, e, f)                                           \
	{weight, connected,                                                                        \
		{LOG_PART_##a, LOG_PART_##b, LOG_PART_##c, LOG_PART_##d, LOG_PART_##e,             \
			LOG_PART_##f}},
#include "bench/log_story.def"
#undef STORY
};
#define STORIES (sizeof(stories) / sizeof(stories[0]))

struct noise {
	unsigned weight;
	enum log_kind kind;
	bool zero;
	int level, code;
	const char *component, *text;
};

static const struct noise noises[] = {
#define NOISE(weight, kind, zero, level, rc, component, text)                                      \
	{weight, LOG_##kind, zero, level, rc, component, text},
#include "bench/log_noise.def"
#undef NOISE
};
#define NOISES (sizeof(noises) / sizeof(noises[0]))

static const char zero_id[] = "00000000-0000-0000-0000-000000000000";

struct log_teller {
	struct log_files *files;
	struct log_random random;
	struct log_random plot; /* which story comes next, however long the ones before */
	struct log_clock clock;
	bool gap;
	unsigned session;      /* number of the session */
	unsigned connected;    /* sessions that stood so far */
	int64_t statistics_at; /* of the clock */
	uint32_t counters[LOG_COUNTERS];
	char id[SESSION_ID_TEXT + 1];
	uint8_t noise_of[WEIGHTS_NOISE], story_of[WEIGHTS_STORY];
	struct log_template line_templates[LINES], noise_templates[NOISES];
};

struct log_teller *log_teller_new(struct log_files *files, uint64_t seed, bool gap)
{
	struct log_teller *teller = calloc(1, sizeof(*teller));
	size_t at = 0;

	if (teller == NULL)
		return NULL;
	teller->files = files;
	teller->random.state = seed;
	teller->plot.state = ~seed;
	teller->gap = gap;
	teller->clock.second = -1;
	log_clock_set(&teller->clock, FIRST_TIME + log_random_below(&teller->random, 1000));
	memcpy(teller->id, zero_id, sizeof(teller->id));
	for (size_t i = 0; i < LINES; i++)
		log_template_read(&teller->line_templates[i], lines[i].level, lines[i].code,
			lines[i].component, lines[i].text);
	for (size_t i = 0; i < NOISES; i++) {
		log_template_read(&teller->noise_templates[i], noises[i].level, noises[i].code,
			noises[i].component, noises[i].text);
		assert(at + noises[i].weight <= WEIGHTS_NOISE);
		memset(teller->noise_of + at, (int)i, noises[i].weight);
		at += noises[i].weight;
	}
	assert(at == WEIGHTS_NOISE);
	at = 0;
	for (size_t i = 0; i < STORIES; i++) {
		assert(at + stories[i].weight <= WEIGHTS_STORY);
		memset(teller->story_of + at, (int)i, stories[i].weight);
		at += stories[i].weight;
	}
	assert(at == WEIGHTS_STORY);
	return teller;
}

void log_teller_free(struct log_teller *teller)
{
	free(teller);
}

static void write_line(struct log_teller *teller, const struct log_template *template,
	enum log_kind kind, const char *id)
{
	char *out = log_files_room(teller->files, kind, &teller->clock);

	log_files_add(teller->files, kind,
		log_template_write(
			template, &teller->clock, id, teller->counters, &teller->random, out));
}

static void tell_part(struct log_teller *teller, enum log_part part)
{
	if (part == LOG_PART_NONE)
		return;
	for (size_t i = 0; i < LINES; i++) {
		const struct line *line = &lines[i];
		if (line->part != part)
			continue;
		log_clock_add(&teller->clock,
			line->after + log_random_below(&teller->random, line->vary + 1));
		write_line(teller, &teller->line_templates[i], line->kind,
			line->zero ? zero_id : teller->id);
	}
}

/* One line of those that say nothing. Lines come in bursts. */
static void tell_noise(struct log_teller *teller, bool in_session)
{
	uint64_t drawn = log_random_next(&teller->random);
	size_t which = teller->noise_of[drawn % WEIGHTS_NOISE];
	unsigned step = (unsigned)(drawn >> 8 & 0xff);

	step = step < 160 ? step & 3 : step - 156;
	log_clock_add(&teller->clock, in_session ? step * 3 : step * 8);
	write_line(teller, &teller->noise_templates[which], noises[which].kind,
		noises[which].zero || !in_session ? zero_id : teller->id);
}

/* Laid out as the ids of real clients: version 1, the time field holding seconds times 10^7. */
static void new_id(struct log_teller *teller)
{
	int64_t typed = 5 + log_random_below(&teller->random, 60);
	uint64_t ticks = (uint64_t)(teller->clock.time / 1000 - typed) * 10000000;
	uint64_t clock_and_node = log_random_next(&teller->random);
	struct session_id id;

	for (unsigned i = 0; i < 4; i++)
		id.bytes[i] = (uint8_t)(ticks >> (24 - 8 * i));
	id.bytes[4] = (uint8_t)(ticks >> 40);
	id.bytes[5] = (uint8_t)(ticks >> 32);
	id.bytes[6] = (uint8_t)(0x10 | (ticks >> 56 & 0x0f));
	id.bytes[7] = (uint8_t)(ticks >> 48);
	for (unsigned i = 8; i < 16; i++)
		id.bytes[i] = (uint8_t)(clock_and_node >> (120 - 8 * i));
	id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
	id.bytes[10] = 0x02;
	session_id_print(&id, teller->id);
}

static void count_packets(struct log_teller *teller)
{
	static const uint32_t most[LOG_COUNTERS] = {3000, 900, 2000, 3000, 60000, 4000};

	for (size_t i = 0; i < LOG_COUNTERS; i++)
		teller->counters[i] += 1 + log_random_below(&teller->random, most[i]);
}

static void tell_connected(struct log_teller *teller, uint64_t until)
{
	bool gap = teller->gap && teller->connected++ % GAP_SESSIONS == 0;
	uint64_t from = teller->files->total;
	uint64_t gap_at = until > from ? from + (until - from) / 2 : from;

	memset(teller->counters, 0, sizeof(teller->counters));
	teller->statistics_at = teller->clock.time + STATISTICS_EVERY;
	do {
		tell_noise(teller, true);
		if (gap && teller->files->total >= gap_at) {
			log_clock_add(&teller->clock, GAP);
			teller->statistics_at += GAP;
			gap = false;
		}
		if (teller->clock.time >= teller->statistics_at) {
			count_packets(teller);
			tell_part(teller, LOG_PART_STATISTICS);
			teller->statistics_at += STATISTICS_EVERY;
		}
	} while (teller->files->total < until && teller->files->error == 0);
}

void log_teller_begin(struct log_teller *teller)
{
	tell_part(teller, LOG_PART_BEGIN);
}

void log_teller_end(struct log_teller *teller)
{
	tell_part(teller, LOG_PART_END);
}

void log_teller_session(struct log_teller *teller, uint64_t until)
{
	size_t which = log_random_below(&teller->plot, WEIGHTS_STORY);
	bool first = teller->session++ == 0;
	/* the first one goes well, whatever the seed */
	const struct story *story = &stories[first ? 0 : teller->story_of[which]];

	if (!first)
		log_clock_add(
			&teller->clock, 1000 + log_random_below(&teller->random, BETWEEN_MAXIMUM));
	new_id(teller);
	for (size_t i = 0; i < PARTS; i++) {
		if (story->connected && i == PARTS - 2)
			tell_connected(teller, until);
		tell_part(teller, story->parts[i]);
	}
	for (unsigned i = 0; i < BETWEEN_LINES; i++)
		tell_noise(teller, false);
	while (teller->files->total < until && teller->files->error == 0)
		tell_noise(teller, false);
}
