#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "health/head.h"
#include "health/judge.h"
#include "health/read.h"
#include "health/rule_lint_private.h"

#define BEGIN (INT64_C(1704164640) * LINT_SECOND) /* of every log; a day in 2024 */
#define LOG_MAXIMUM ((size_t)1024 * 1024)
#define TEXT_SIZE 1024

void lint_fault(struct lint *lint, const char *part, const char *format, ...)
{
	char what[TEXT_SIZE];
	char text[2 * TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	(void)snprintf(text, sizeof(text), "%s: %s%s%s: %s", lint->rule->file, lint->rule->id,
		*part == '\0' ? "" : "/", part, what);
	lint->count++;
	lint->fault(lint->context, text);
}

void lint_part(char part[LINT_PART], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(part, LINT_PART, format, arguments);
	va_end(arguments);
}

void lint_end(struct lint *lint)
{
	if (lint->report)
		judge_free(lint->report);
	if (lint->store)
		store_free(lint->store);
	lint->report = NULL;
	lint->store = NULL;
	buffer_free(&lint->log);
}

void lint_begin(struct lint *lint)
{
	lint_end(lint);
	buffer_init(&lint->log, LOG_MAXIMUM);
	lint->time = BEGIN;
}

/* An id as clients make it, of the time when the log begins. */
static void print_id(char text[SESSION_ID_TEXT + 1])
{
	uint64_t time = (uint64_t)(BEGIN / LINT_SECOND) * 10000000;

	(void)snprintf(text, SESSION_ID_TEXT + 1, "%08x-%04x-%04x-9a10-000000000000",
		(unsigned)(time & 0xffffffff), (unsigned)(time >> 32 & 0xffff),
		(unsigned)(time >> 48 & 0x0fff) | 0x1000U);
}

/* The bytes of a line behind its stamp. */
static const char *after_stamp(const char *line, size_t length)
{
	size_t blanks = strspn(line, " \t");
	struct stamp stamp;

	if (blanks > length)
		blanks = length;
	return line + blanks + stamp_read(line + blanks, length - blanks, &stamp);
}

static void add_line(struct lint *lint, const char *line, size_t length)
{
	char id[SESSION_ID_TEXT + 1];
	char time[STAMP_TEXT_SIZE];
	struct head head;

	print_id(id);
	stamp_print(lint->time, STAMP_KIND_UTC, time);
	if (!head_read(line, length, &head)) {
		(void)buffer_append(&lint->log, line, length);
	} else if (head.component_length == 0) {
		const char *rest = after_stamp(line, length);

		(void)buffer_text(&lint->log, time);
		(void)buffer_append(&lint->log, rest, (size_t)(line + length - rest));
	} else {
		(void)buffer_print(&lint->log, "%s %s%s LVL:%d RC:%4d %15.*s :%.*s", time, id,
			head.family == FAMILY_CLIENT ? "" : " >", head.level, head.code,
			(int)head.component_length, head.component, (int)head.message_length,
			head.message);
	}
	(void)buffer_byte(&lint->log, '\n');
}

void lint_add(struct lint *lint, const char *sample)
{
	while (*sample != '\0') {
		size_t length = strcspn(sample, "\n");

		add_line(lint, sample, length);
		sample += length + (sample[length] == '\n');
	}
}

void lint_add_other(struct lint *lint)
{
	lint_add(lint, "LVL:2 RC:   0            LINT :a line that says nothing");
}

static bool keep_error(struct lint *lint, int error)
{
	if (error != 0 && lint->error == 0)
		lint->error = error;
	return error == 0;
}

static bool read_text(struct lint *lint, const char *bytes, size_t length)
{
	static const struct store_filter all = {.since = STAMP_NONE, .until = STAMP_NONE};

	return keep_error(
		lint, read_bytes(lint->book, "lint.log", bytes, length, &all, &lint->store));
}

static bool read_log(struct lint *lint)
{
	if (lint->log.failed)
		return keep_error(lint, ERROR_MEMORY);
	return read_text(lint, lint->log.bytes ? lint->log.bytes : "", lint->log.length);
}

bool lint_read_bytes(struct lint *lint, const char *bytes)
{
	lint_begin(lint);
	return read_text(lint, bytes, strlen(bytes));
}

bool lint_judge(struct lint *lint)
{
	return read_log(lint) && keep_error(lint, judge(lint->store, &lint->report));
}

/* The findings of session after session, then the host's; NULL: no more. */
static const struct finding *next_finding(const struct lint *lint, size_t *place)
{
	const struct report *report = lint->report;
	size_t place_left = *place;

	for (size_t i = 0; i <= report->session_count; i++) {
		const struct report_session *session =
			i < report->session_count ? &report->sessions[i] : &report->host;

		if (place_left < session->finding_count) {
			++*place;
			return &session->findings[place_left];
		}
		place_left -= session->finding_count;
	}
	return NULL;
}

static const struct finding *find(
	const struct lint *lint, enum verdict verdict, const struct rule_cause *cause)
{
	const struct finding *finding;
	size_t place = 0;

	while ((finding = next_finding(lint, &place)) != NULL) {
		if (finding->rule == lint->rule && finding->verdict == verdict &&
			finding->cause == cause)
			return finding;
	}
	return NULL;
}

bool lint_found(const struct lint *lint, enum verdict verdict, const struct rule_cause *cause)
{
	return find(lint, verdict, cause) != NULL;
}

static bool has_data(const struct finding *finding, const char *name, size_t length)
{
	for (size_t i = 0; i < finding->data_count; i++) {
		const struct report_data *data = &finding->data[i];

		if (strlen(data->name) == length && memcmp(data->name, name, length) == 0)
			return data->value[0] != '\0';
	}
	return false;
}

/* Each {name} of a text was put in. */
static void prove_filled(
	struct lint *lint, const char *part, const struct finding *finding, const char *text)
{
	while ((text = strchr(text, '{')) != NULL) {
		size_t length = strcspn(++text, "{}");

		if (*text == '{')
			text++;
		else if (!has_data(finding, text, length))
			lint_fault(lint, part, "the text of '%s' has nothing for '%.*s'",
				finding->cause->id, (int)length, text);
	}
}

/* The worst that was found. */
static void describe(const struct lint *lint, char text[TEXT_SIZE])
{
	const struct finding *worst = NULL;
	const struct finding *finding;
	size_t place = 0;

	while ((finding = next_finding(lint, &place)) != NULL) {
		if (finding->rule == lint->rule && (!worst || finding->verdict < worst->verdict))
			worst = finding;
	}
	(void)snprintf(text, TEXT_SIZE, "nothing");
	if (worst && worst->cause)
		(void)snprintf(
			text, TEXT_SIZE, "%s (%s)", verdict_name(worst->verdict), worst->cause->id);
	else if (worst)
		(void)snprintf(text, TEXT_SIZE, "%s (%s)", verdict_name(worst->verdict),
			worst->cause_text ? worst->cause_text : "no cause");
}

void lint_expect(struct lint *lint, const char *part, const char *what, enum verdict verdict,
	const struct rule_cause *cause)
{
	const struct finding *finding = find(lint, verdict, cause);
	char found[TEXT_SIZE];

	if (finding) {
		if (cause)
			prove_filled(lint, part, finding, cause->text);
		for (size_t i = 0; cause && i < cause->remedy_count; i++)
			prove_filled(lint, part, finding, cause->remedies[i].text);
		return;
	}
	describe(lint, found);
	lint_fault(lint, part, "%s: expected %s (%s), found %s", what, verdict_name(verdict),
		cause ? cause->id : "no cause", found);
}
