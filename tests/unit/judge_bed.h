/*
 * judge_bed.h - a judge with small rules and a few lines of log; for tests.
 *
 * Fills a store as the reader does, line by line, from any number of files. Times may be written
 * short: "08:30:04.5" at the start of a line is that time on 2024-05-14, "A ", "B " and "0 " behind
 * it stand for the ids of two sessions and the all-zero one. "=" before LVL makes a host's line of
 * it.
 */
#ifndef FAIRLEAD_TEST_JUDGE_BED_H
#define FAIRLEAD_TEST_JUDGE_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "health/judge.h"

/* Made 2024-05-14T08:29:58Z and 08:30:00Z. */
#define BED_A "127a0700-f3fa-103c-9a10-000000000000"
#define BED_B "13ab3400-f3fa-103c-9a11-000000000000"
#define BED_ZERO "00000000-0000-0000-0000-000000000000"

/* How lines of several programs begin, see above. */
#define AGENT "=LVL:2 RC:   0           AGENT :"
#define SCNET "=LVL:2 RC:   0           SCNET :"
#define CLIENT "LVL:2 RC:   0          CLIENT :"

/* What rules with these built-ins must have, beside title and patterns. */
#define CRASH_PATTERNS                                                                             \
	"  - {id: begins, text: 'Log begins'}\n"                                                   \
	"  - {id: ends, text: 'Log ends'}\n"                                                       \
	"  - {id: cause, text: 'Ended because'}\n"                                                 \
	"  - {id: started, text: 'Program {name} started'}\n"                                      \
	"  - {id: stopped, text: 'Program {name} stopped'}\n"                                      \
	"  - {id: restarted, text: 'Agent begins'}\n"
#define CRASH_BUILTIN                                                                              \
	"builtin: crash\n"                                                                         \
	"limits: [{name: quiet, value: 60}]\n"
#define CRASH_CAUSE "  - {id: crashed, text: Crashed., remedies: [{who: host, text: Look.}]}\n"
#define GAP_BUILTIN                                                                                \
	"builtin: log-gap\n"                                                                       \
	"limits: [{name: gap, value: 150}]\n"
#define GAP_CAUSES                                                                                 \
	"  - {id: gap, text: Gap., remedies: [{who: host, text: Look.}]}\n"                        \
	"  - {id: statistics, text: Gap., remedies: [{who: host, text: Look.}]}\n"

struct bed {
	struct rule_book *book;
	struct store *store;
	struct report *report;
	uint32_t source;
};

static inline void bed_open(struct bed *bed, const char *rules)
{
	struct rule_fault fault;
	int error = rule_book_load_bytes("test.yaml", rules, strlen(rules), &bed->book, &fault);

	if (error < 0)
		fail_msg("%s", fault.text);
	bed->store = store_new(bed->book, NULL);
	assert_non_null(bed->store);
	bed->report = NULL;
}

/* Lines after this time are not judged. */
static inline void bed_until(struct bed *bed, const char *time)
{
	struct store_filter filter = {.since = STAMP_NONE};

	assert_int_equal(stamp_option(time, &filter.until), 0);
	store_free(bed->store);
	bed->store = store_new(bed->book, &filter);
	assert_non_null(bed->store);
}

static inline void bed_close(struct bed *bed)
{
	judge_free(bed->report);
	store_free(bed->store);
	rule_book_free(bed->book);
}

/* A part of a log that was rotated. */
static inline void bed_part(struct bed *bed, const char *path, const char *group, uint64_t order)
{
	struct bundle_member member = {.order = order};

	snprintf(member.path, sizeof(member.path), "%s", path);
	snprintf(member.group, sizeof(member.group), "%s", group);
	assert_int_equal(store_source(bed->store, &member, &bed->source), 0);
}

static inline void bed_file(struct bed *bed, const char *path)
{
	bed_part(bed, path, path, 0);
}

/* The short forms, written out. */
static inline void bed_expand(const char *line, char *text, size_t size)
{
	static const char *const ids[3][2] = {{"A ", BED_A}, {"B ", BED_B}, {"0 ", BED_ZERO}};
	char time[32] = "";
	const char *id = "";
	int taken = 0, length;

	if (line[0] >= '0' && line[0] <= '9' && line[2] == ':') {
		assert_int_equal(sscanf(line, "%20s%n", time, &taken), 1);
		line += taken + 1;
	}
	for (size_t i = 0; i < 3; i++) {
		if (strncmp(line, ids[i][0], 2) == 0) {
			id = ids[i][1];
			line += 2;
			break;
		}
	}
	length = snprintf(text, size, "%s%s%s%s%s%s", *time ? "2024-05-14T" : "", time,
		*time ? "Z " : "", id, *id ? (*line == '=' ? " > " : " ") : "",
		*line == '=' ? line + 1 : line);
	assert_true(length > 0 && (size_t)length < size);
}

static inline int64_t bed_earlier(int64_t a, int64_t b)
{
	return a == STAMP_NONE || b < a ? b : a;
}

static inline void bed_times(struct bed *bed, struct sighting *line, const struct head *head)
{
	struct source *source = &bed->store->sources[bed->source];
	struct session *session = &bed->store->sessions[line->session];

	source->lines++;
	line->line = (uint32_t)source->lines;
	source->family = head->family != FAMILY_NONE ? head->family : source->family;
	line->time = head->family == FAMILY_NONE ? source->last : STAMP_NONE;
	if (head->stamp.kind == STAMP_KIND_NONE)
		return;
	source->kind = head->stamp.kind;
	line->time = head->stamp.time;
	if (source->last != STAMP_NONE && line->time - source->last > source->gap) {
		source->gap = line->time - source->last;
		source->gap_from = source->last;
		source->gap_line = line->line;
	}
	source->first = bed_earlier(source->first, line->time);
	source->last = line->time;
	session->lines++;
	session->first = bed_earlier(session->first, line->time);
	if (line->time > session->last)
		session->last = line->time;
	if (head->family == FAMILY_AGENT && session->host_first == STAMP_NONE) {
		session->host_first = line->time;
		session->host_source = bed->source;
		session->host_line = line->line;
	}
}

static inline bool bed_knows(
	const struct rule_pattern *pattern, const struct head *head, struct capture *captures)
{
	bool known = pattern->component_count == 0;

	for (size_t i = 0; i < pattern->component_count; i++)
		known |= strlen(pattern->components[i]) == head->component_length &&
			memcmp(pattern->components[i], head->component, head->component_length) ==
				0;
	return known && !pattern->xml_element &&
		template_match(pattern->template, head->message, head->message_length, captures);
}

static inline void bed_line(struct bed *bed, const char *line)
{
	const struct rule *known = NULL;
	struct sighting sighting = {.session = STORE_HOST};
	struct head head;
	char text[1024];

	bed_expand(line, text, sizeof(text));
	head_read(text, strlen(text), &head);
	if (head.has_id)
		sighting.session = store_session(bed->store, &head.id);
	sighting.source = bed->source;
	sighting.text = text;
	sighting.matched = head.message;
	bed_times(bed, &sighting, &head);
	for (size_t i = 0; i < bed->book->pattern_count; i++) {
		const struct rule_pattern *pattern = bed->book->patterns[i];

		if (pattern->rule == known || !bed_knows(pattern, &head, sighting.captures))
			continue;
		known = pattern->rule;
		sighting.pattern = (uint16_t)i;
		assert_int_equal(store_add(bed->store, &sighting, head.message_length), 0);
	}
}

/* Lines with "\n" between them. */
static inline void bed_lines(struct bed *bed, const char *lines)
{
	char line[1024];

	while (*lines) {
		size_t length = strcspn(lines, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)length, lines);
		if (length > 0)
			bed_line(bed, line);
		lines += length + (lines[length] == '\n');
	}
}

static inline void bed_judge(struct bed *bed)
{
	store_sort(bed->store);
	assert_int_equal(judge(bed->store, &bed->report), 0);
}

/* The session "A", "B", or the host ("0"). */
static inline const struct report_session *bed_session(const struct bed *bed, const char *name)
{
	const char *id = *name == 'A' ? BED_A : BED_B;

	if (*name == '0')
		return &bed->report->host;
	for (size_t i = 0; i < bed->report->session_count; i++)
		if (strcmp(bed->report->sessions[i].id, id) == 0)
			return &bed->report->sessions[i];
	fail_msg("no session %s", name);
	abort();
}

static inline size_t bed_count(const struct bed *bed, const char *session, const char *rule)
{
	const struct report_session *in = bed_session(bed, session);
	size_t count = 0;

	for (size_t i = 0; i < in->finding_count; i++)
		count += strcmp(in->findings[i].rule->id, rule) == 0;
	return count;
}

/* A rule's finding, from 1. */
static inline const struct finding *bed_finding(
	const struct bed *bed, const char *session, const char *rule, unsigned attempt)
{
	const struct report_session *in = bed_session(bed, session);

	for (size_t i = 0; i < in->finding_count; i++)
		if (strcmp(in->findings[i].rule->id, rule) == 0 && --attempt == 0)
			return &in->findings[i];
	fail_msg("session %s has no such finding of %s", session, rule);
	abort();
}

/* Verdict, and cause ("": none), of the only finding or the one that is named. */
static inline const struct finding *bed_expect_at(const struct bed *bed, const char *session,
	const char *rule, unsigned attempt, const char *verdict, const char *cause)
{
	const struct finding *finding = bed_finding(bed, session, rule, attempt);

	assert_string_equal(verdict_name(finding->verdict), verdict);
	assert_string_equal(finding->cause ? finding->cause->id : "", cause);
	return finding;
}

static inline const struct finding *bed_expect(const struct bed *bed, const char *session,
	const char *rule, const char *verdict, const char *cause)
{
	const struct finding *finding = bed_expect_at(bed, session, rule, 1, verdict, cause);

	assert_int_equal(bed_count(bed, session, rule), 1);
	return finding;
}

static inline const char *bed_data(const struct finding *finding, const char *name)
{
	for (size_t i = 0; i < finding->data_count; i++)
		if (strcmp(finding->data[i].name, name) == 0)
			return finding->data[i].value;
	return "(none)";
}

#endif
