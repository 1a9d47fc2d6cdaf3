#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "health/head.h"
#include "health/judge_private.h"

#define COLLECTED_MAXIMUM 600 /* bytes of the quoted messages together */
#define TEXT_MAXIMUM 2000     /* of a cause or remedy with its captures */

static struct finding no_finding(const struct rule *rule)
{
	return (struct finding){
		.rule = rule,
		.verdict = VERDICT_NO_EVIDENCE,
		.attempt = 1,
		.attempts = 1,
		.start = STAMP_NONE,
		.end = STAMP_NONE,
		.duration = -1,
	};
}

void finding_begin(
	struct finding_work *work, struct judge *judge, struct unit *unit, const struct rule *rule)
{
	work->judge = judge;
	work->unit = unit;
	work->finding = no_finding(rule);
	work->data_count = 0;
	work->line_count = 0;
	work->more = 0;
}

static void add_line(
	struct finding_work *work, int64_t time, uint32_t number, struct report_evidence quote)
{
	if (work->line_count == FINDING_LINES) {
		work->more++;
		return;
	}
	work->lines[work->line_count++] = (struct finding_evidence){time, number, quote};
}

void finding_line(struct finding_work *work, uint32_t line)
{
	const struct sighting *sighting = judge_line(work->judge, line);

	for (size_t i = 0; i < work->line_count; i++)
		if (work->lines[i].quote.source == sighting->source &&
			work->lines[i].quote.line == sighting->line)
			return;
	add_line(work, sighting->time, line,
		(struct report_evidence){sighting->source, sighting->line, sighting->text});
	work->more += sighting->repeats;
}

void finding_quote(
	struct finding_work *work, int64_t time, uint32_t source, uint32_t line, const char *text)
{
	add_line(
		work, time, JUDGE_NOBODY, (struct report_evidence){source, line, text ? text : ""});
}

/* What JSON takes for a number. */
bool judge_number(const char *bytes, size_t length)
{
	size_t at = 0, digits;

	if (at < length && bytes[at] == '-')
		at++;
	for (digits = 0; at + digits < length; digits++)
		if (bytes[at + digits] < '0' || bytes[at + digits] > '9')
			break;
	if (digits == 0 || digits > 18 || (digits > 1 && bytes[at] == '0'))
		return false;
	at += digits;
	if (at == length)
		return true;
	if (bytes[at++] != '.' || at == length || length - at > 18)
		return false;
	for (; at < length; at++)
		if (bytes[at] < '0' || bytes[at] > '9')
			return false;
	return true;
}

void finding_data(struct finding_work *work, const char *name, const char *value, size_t length,
	bool number, bool mask)
{
	struct report_data *item = work->data;
	char *text = length == SIZE_MAX ? arena_text(work->judge->arena, value)
					: arena_copy(work->judge->arena, value, length);

	while (item < work->data + work->data_count && strcmp(item->name, name) != 0)
		item++;
	if (!text || item == work->data + JUDGE_DATA)
		return;
	if (item == work->data + work->data_count)
		work->data_count++;
	*item = (struct report_data){name, text, number, mask};
}

void finding_number(struct finding_work *work, const char *name, double value)
{
	char text[64];
	int length;

	if (!isfinite(value))
		return;
	length = snprintf(text, sizeof(text), "%.3f", value);
	if (length < 0 || (size_t)length >= sizeof(text))
		return;
	while (length > 0 && text[length - 1] == '0')
		length--;
	if (length > 0 && text[length - 1] == '.')
		length--;
	finding_data(work, name, text, (size_t)length, true, false);
}

/* Numbers are often padded with zeros: "000019" is 19. */
static size_t trim_number(const char **bytes, size_t length)
{
	while (length > 1 && **bytes == '0' && (*bytes)[1] >= '0' && (*bytes)[1] <= '9') {
		(*bytes)++;
		length--;
	}
	return length;
}

static size_t trim_text(const char **bytes, size_t length)
{
	while (length > 0 && **bytes == ' ') {
		(*bytes)++;
		length--;
	}
	while (length > 0 && (*bytes)[length - 1] == ' ')
		length--;
	return length;
}

void finding_captures(struct finding_work *work, uint32_t line)
{
	const struct sighting *sighting = judge_line(work->judge, line);
	const struct template *template = work->judge->book->patterns[sighting->pattern]->template;
	size_t count = template ? template_captures(template) : 0;

	for (size_t i = 0; i < count; i++) {
		enum template_type type = template_type(template, i);
		const char *value = sighting->matched + sighting->captures[i].at;
		size_t length = trim_text(&value, sighting->captures[i].length);
		bool number = false;

		if (type == TEMPLATE_NUMBER) {
			length = trim_number(&value, length);
			number = judge_number(value, length);
		}
		finding_data(work, template_name(template, i), value, length, number,
			type == TEMPLATE_USER || type == TEMPLATE_HOST || type == TEMPLATE_ADDRESS);
	}
}

void finding_cause(struct finding_work *work, enum verdict verdict, const struct rule_cause *cause)
{
	work->finding.verdict = verdict;
	work->finding.cause = cause;
}

static const char *data_value(const struct finding_work *work, const char *name, size_t length)
{
	for (size_t i = 0; i < work->data_count; i++)
		if (strlen(work->data[i].name) == length &&
			memcmp(work->data[i].name, name, length) == 0)
			return work->data[i].value;
	return "";
}

/* Puts the data in for {name}; braces of their own are doubled. */
static const char *fill(const struct finding_work *work, const char *text)
{
	struct buffer buffer;
	const char *filled;

	if (!text || !strpbrk(text, "{}"))
		return text;
	buffer_init(&buffer, TEXT_MAXIMUM);
	while (*text) {
		size_t plain = strcspn(text, "{}");
		const char *end;

		buffer_append(&buffer, text, plain);
		text += plain;
		if (!*text)
			break;
		end = strchr(text, '}');
		if (text[1] == text[0] || *text == '}' || !end) {
			buffer_byte(&buffer, *text);
			text += text[1] == text[0] ? 2 : 1;
			continue;
		}
		buffer_text(&buffer, data_value(work, text + 1, (size_t)(end - text - 1)));
		text = end + 1;
	}
	filled = arena_copy(work->judge->arena, buffer.bytes ? buffer.bytes : "", buffer.length);
	buffer_free(&buffer);
	return filled;
}

static void fill_remedies(struct finding_work *work)
{
	const struct rule_cause *cause = work->finding.cause;
	struct report_remedy *remedies;

	if (!cause || cause->remedy_count == 0)
		return;
	remedies = arena_alloc(work->judge->arena, cause->remedy_count * sizeof(remedies[0]));
	if (!remedies)
		return;
	for (size_t i = 0; i < cause->remedy_count; i++) {
		remedies[i].who = cause->remedies[i].who;
		remedies[i].text = fill(work, cause->remedies[i].text);
		remedies[i].link = cause->remedies[i].link;
	}
	work->finding.remedies = remedies;
	work->finding.remedy_count = cause->remedy_count;
}

static int by_time(const void *a, const void *b)
{
	const struct finding_evidence *left = a, *right = b;

	if (left->number != JUDGE_NOBODY && right->number != JUDGE_NOBODY)
		return left->number < right->number ? -1 : left->number > right->number;
	if (left->time != right->time && left->time != STAMP_NONE && right->time != STAMP_NONE)
		return left->time < right->time ? -1 : 1;
	if (left->quote.source != right->quote.source)
		return left->quote.source < right->quote.source ? -1 : 1;
	return left->quote.line < right->quote.line ? -1 : left->quote.line > right->quote.line;
}

/* The first lines and the last one tell most. */
static void fill_evidence(struct finding_work *work)
{
	size_t count = work->line_count;
	struct report_evidence *evidence;

	if (count > REPORT_EVIDENCE_MAXIMUM)
		count = REPORT_EVIDENCE_MAXIMUM;
	if (count == 0)
		return;
	qsort(work->lines, work->line_count, sizeof(work->lines[0]), by_time);
	evidence = arena_alloc(work->judge->arena, count * sizeof(evidence[0]));
	if (!evidence)
		return;
	for (size_t i = 0; i < count; i++)
		evidence[i] = work->lines[i].quote;
	evidence[count - 1] = work->lines[work->line_count - 1].quote;
	work->finding.evidence = evidence;
	work->finding.evidence_count = count;
	work->finding.evidence_more = work->more + (unsigned)(work->line_count - count);
}

static void collect(struct finding_work *work)
{
	struct buffer buffer;

	buffer_init(&buffer, COLLECTED_MAXIMUM);
	for (size_t i = 0; i < work->finding.evidence_count; i++) {
		const char *text = work->finding.evidence[i].text;
		struct head head;

		head_read(text, strcspn(text, "\n"), &head);
		if (head.message_length + 2 > COLLECTED_MAXIMUM - buffer.length)
			break;
		if (i > 0)
			buffer_text(&buffer, "; ");
		buffer_append(&buffer, head.message, head.message_length);
	}
	if (buffer.length > 0)
		finding_data(work, "collected", buffer.bytes, buffer.length, false, false);
	buffer_free(&buffer);
}

static void fill_data(struct finding_work *work)
{
	size_t size = work->data_count * sizeof(work->data[0]);
	struct report_data *data;

	if (work->data_count == 0)
		return;
	data = arena_alloc(work->judge->arena, size);
	if (!data)
		return;
	memcpy(data, work->data, size);
	work->finding.data = data;
	work->finding.data_count = work->data_count;
}

static uint32_t rule_number(const struct judge *judge, const struct rule *rule)
{
	uint32_t number = 0;

	while (judge->book->rules[number] != rule)
		number++;
	return number;
}

static void add_node(struct judge *judge, const struct unit *unit, const struct finding *finding,
	uint32_t line, struct finding_list *list)
{
	struct finding_node *node = arena_alloc(judge->bench, sizeof(*node));

	if (!node || arena_lacking(judge->arena)) {
		judge->lost++;
		return;
	}
	node->unit = unit;
	node->rule = rule_number(judge, finding->rule);
	node->line = line;
	node->finding = *finding;
	if (list->last)
		list->last->next = node;
	else
		list->first = node;
	list->last = node;
	list->count++;
}

void finding_end(struct finding_work *work, struct finding_list *list)
{
	const struct rule_cause *cause = work->finding.cause;

	if (work->finding.duration >= 0)
		finding_number(work, "duration_s", (double)work->finding.duration / 1e6);
	fill_evidence(work);
	collect(work);
	if (cause && !work->finding.cause_text)
		work->finding.cause_text = fill(work, cause->text);
	fill_remedies(work);
	fill_data(work);
	add_node(work->judge, work->unit, &work->finding,
		work->line_count > 0 ? work->lines[0].number : JUDGE_NOBODY, list);
}

bool finding_is_outdone(const struct finding_work *work, const struct finding_list *list)
{
	if (work->finding.verdict != VERDICT_PASS && work->finding.verdict != VERDICT_NOTE)
		return false;
	for (const struct finding_node *i = list->first; i; i = i->next)
		if (i->finding.rule == work->finding.rule && i->unit == work->unit &&
			i->finding.verdict <= VERDICT_WARNING)
			return true;
	return false;
}

void finding_none(struct judge *judge, const struct unit *unit, const struct rule *rule,
	const char *reason, struct finding_list *list)
{
	struct finding finding = no_finding(rule);

	finding.cause_text = reason;
	add_node(judge, unit, &finding, JUDGE_NOBODY, list);
}
