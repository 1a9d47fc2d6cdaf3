/* The report for programs: docs/check-report.schema.json. */

#include "health/render.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "health/mask.h"
#include "health/render_private.h"

#define SCHEMA_VERSION 1
#define DUMP (JSON_COMPACT | JSON_REAL_PRECISION(9))

struct out {
	FILE *stream;
	const struct mask *mask;
	const struct store *store;
	const struct render_skip *skips;
	size_t skip_count;
	int error;
	bool follows; /* an element stands before the next one in the open array */
};

/* ---- values; NULL when memory is short: json_object_set_new and its like take that as an error
 * ---- */

static json_t *text_of(const struct out *out, const char *text)
{
	json_t *value;
	size_t size;
	char *clean;

	if (text == NULL)
		return json_null();
	text = mask_text(out->mask, text);
	value = json_string(text);
	if (value != NULL)
		return value;
	/* Not UTF-8, or no memory. */
	size = strlen(text) + 1;
	clean = malloc(size);
	if (clean == NULL)
		return NULL;
	text_clean(text, true, clean, size);
	value = json_string(clean);
	free(clean);
	return value;
}

static json_t *time_of(int64_t time, enum stamp_kind kind)
{
	char text[STAMP_TEXT_SIZE];

	if (time == STAMP_NONE)
		return json_null();
	stamp_print(time, kind, text);
	return json_string(text);
}

static json_t *count_of(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

static json_t *seconds_of(int64_t microseconds)
{
	return microseconds < 0 ? json_null() : json_real((double)microseconds / 1e6);
}

static json_t *number_of(double number)
{
	return isfinite(number) ? json_real(number) : json_null();
}

static void set(struct out *out, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		out->error = ERROR_MEMORY;
}

static void append(struct out *out, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		out->error = ERROR_MEMORY;
}

/* ---- the stream ---- */

static void raw(struct out *out, const char *text)
{
	if (out->error == 0 && fputs(text, out->stream) < 0)
		out->error = ERROR_SYSTEM;
}

static void dump(struct out *out, json_t *value, size_t flags)
{
	if (value == NULL && out->error == 0)
		out->error = ERROR_MEMORY;
	if (out->error == 0 && json_dumpf(value, out->stream, DUMP | flags) != 0)
		out->error = ferror(out->stream) != 0 ? ERROR_SYSTEM : ERROR_MEMORY;
	json_decref(value);
}

static void open_array(struct out *out, const char *key)
{
	raw(out, "\"");
	raw(out, key);
	raw(out, "\":[");
	out->follows = false;
}

static void element(struct out *out)
{
	raw(out, out->follows ? ",\n" : "\n");
	out->follows = true;
}

static void close_array(struct out *out)
{
	raw(out, out->follows ? "\n]" : "]");
	out->follows = true;
}

/* ---- tool and inputs ---- */

static void write_tool(struct out *out, const struct report *report)
{
	json_t *tool = json_object();

	set(out, tool, "name", json_string("fairlead"));
	set(out, tool, "version", json_string(FAIRLEAD_VERSION));
	set(out, tool, "schema", json_integer(SCHEMA_VERSION));
	set(out, tool, "rules", count_of(report->book->rule_count));
	raw(out, "{\"tool\":");
	dump(out, tool, 0);
}

static json_t *skipped_of(struct out *out, const struct render_skip *skips, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *skip = json_object();

		set(out, skip, "reason", text_of(out, skips[i].reason));
		set(out, skip, "count", count_of(skips[i].count));
		append(out, array, skip);
	}
	return array;
}

static void write_source(struct out *out, const struct source *source)
{
	json_t *input = json_object();
	size_t count = 0;
	const struct render_skip *skips =
		render_skips_of(out->skips, out->skip_count, source->path, &count);

	set(out, input, "path", text_of(out, source->path));
	set(out, input, "family",
		source->family == FAMILY_NONE ? json_null()
					      : json_string(family_letter(source->family)));
	set(out, input, "encoding", json_string(encoding_name(source->encoding)));
	set(out, input, "lines", count_of(source->lines));
	set(out, input, "bytes", count_of(source->bytes));
	set(out, input, "clock", json_string(render_clock_name(source->kind)));
	set(out, input, "first", time_of(source->first, source->kind));
	set(out, input, "last", time_of(source->last, source->kind));
	set(out, input, "skipped", skipped_of(out, skips, count));
	set(out, input, "sha256",
		source->sha256[0] != '\0' ? json_string(source->sha256) : json_null());
	element(out);
	dump(out, input, 0);
}

static void write_unread(struct out *out, const struct render_skip *skips, size_t count)
{
	json_t *input = json_object();

	set(out, input, "path", text_of(out, skips[0].path));
	set(out, input, "family", json_null());
	set(out, input, "encoding", json_null());
	set(out, input, "lines", json_integer(0));
	set(out, input, "bytes", json_integer(0));
	set(out, input, "clock", json_string("none"));
	set(out, input, "first", json_null());
	set(out, input, "last", json_null());
	set(out, input, "skipped", skipped_of(out, skips, count));
	set(out, input, "sha256", json_null());
	element(out);
	dump(out, input, 0);
}

static int compare_paths(const void *a, const void *b)
{
	const struct source *const *left = a;
	const struct source *const *right = b;

	return strcmp((*left)->path, (*right)->path);
}

/* What was skipped without any part of it read: a walk along two sorted lists. */
static void write_all_unread(struct out *out)
{
	const struct store *store = out->store;
	const struct source **sources =
		calloc(store->source_count > 0 ? store->source_count : 1, sizeof(struct source *));
	size_t at = 0;
	size_t count;

	if (sources == NULL) {
		out->error = ERROR_MEMORY;
		return;
	}
	for (size_t i = 0; i < store->source_count; i++)
		sources[i] = &store->sources[i];
	qsort(sources, store->source_count, sizeof(struct source *), compare_paths);
	for (size_t i = 0; i < out->skip_count && out->error == 0; i += count) {
		const char *path = out->skips[i].path;

		render_skips_of(out->skips, out->skip_count, path, &count);
		while (at < store->source_count && strcmp(sources[at]->path, path) < 0)
			at++;
		if (at == store->source_count || strcmp(sources[at]->path, path) != 0)
			write_unread(out, &out->skips[i], count);
	}
	free(sources);
}

static void write_inputs(struct out *out)
{
	open_array(out, "inputs");
	for (size_t i = 0; i < out->store->source_count && out->error == 0; i++)
		write_source(out, &out->store->sources[i]);
	write_all_unread(out);
	close_array(out);
}

/* ---- diagnostics ---- */

static json_t *remedies_of(struct out *out, const struct finding *finding)
{
	json_t *array = json_array();

	for (size_t i = 0; i < finding->remedy_count; i++) {
		const struct report_remedy *remedy = &finding->remedies[i];
		json_t *object = json_object();

		set(out, object, "who", json_string(actor_name(remedy->who)));
		set(out, object, "text", text_of(out, remedy->text));
		set(out, object, "link", text_of(out, remedy->link));
		append(out, array, object);
	}
	return array;
}

static json_t *datum_of(const struct out *out, const struct report_data *data)
{
	json_t *value = NULL;

	if (data->number)
		value = json_loads(data->value, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	if (json_is_number(value))
		return value;
	json_decref(value);
	return text_of(out, data->value);
}

static json_t *data_of(struct out *out, const struct finding *finding)
{
	json_t *object = json_object();

	for (size_t i = 0; i < finding->data_count; i++)
		set(out, object, finding->data[i].name, datum_of(out, &finding->data[i]));
	return object;
}

static json_t *evidence_of(struct out *out, const struct finding *finding)
{
	json_t *array = json_array();

	for (size_t i = 0; i < finding->evidence_count; i++) {
		const struct report_evidence *evidence = &finding->evidence[i];
		json_t *object = json_object();

		set(out, object, "file", text_of(out, out->store->sources[evidence->source].path));
		set(out, object, "line", json_integer(evidence->line));
		set(out, object, "text", text_of(out, evidence->text));
		append(out, array, object);
	}
	return array;
}

static void write_finding(struct out *out, const struct finding *finding)
{
	const struct rule *rule = finding->rule;
	const struct rule_cause *cause = finding->cause;
	json_t *object = json_object();

	set(out, object, "id", json_string(rule->id));
	set(out, object, "title", text_of(out, rule->title));
	set(out, object, "phase", json_string(render_phase_name(rule->phase)));
	set(out, object, "result", json_string(verdict_name(finding->verdict)));
	set(out, object, "attempt", json_integer(finding->attempt));
	set(out, object, "attempts", json_integer(finding->attempts));
	set(out, object, "start", time_of(finding->start, finding->kind));
	set(out, object, "end", time_of(finding->end, finding->kind));
	set(out, object, "duration", seconds_of(finding->duration));
	set(out, object, "cause", text_of(out, finding->cause_text));
	set(out, object, "cause_id", cause != NULL ? json_string(cause->id) : json_null());
	set(out, object, "cause_name", text_of(out, cause != NULL ? cause->name : NULL));
	set(out, object, "remedies", remedies_of(out, finding));
	set(out, object, "data", data_of(out, finding));
	set(out, object, "evidence", evidence_of(out, finding));
	set(out, object, "evidence_more", json_integer(finding->evidence_more));
	element(out);
	dump(out, object, 0);
}

static void write_diagnostics(struct out *out, const struct report_session *session)
{
	open_array(out, "diagnostics");
	for (size_t i = 0; i < session->finding_count && out->error == 0; i++)
		write_finding(out, &session->findings[i]);
	close_array(out);
}

/* ---- sessions ---- */

static json_t *stages_of(struct out *out, const struct report_session *session)
{
	json_t *array = json_array();

	for (size_t i = 0; i < sizeof(session->stages) / sizeof(session->stages[0]); i++) {
		const struct report_stage *stage = &session->stages[i];
		json_t *object = json_object();

		set(out, object, "stage", json_integer((json_int_t)i + 1));
		set(out, object, "result", json_string(verdict_name(stage->verdict)));
		set(out, object, "start", time_of(stage->start, session->kind));
		set(out, object, "end", time_of(stage->end, session->kind));
		set(out, object, "limit",
			stage->limit > 0 ? seconds_of(stage->limit) : json_null());
		append(out, array, object);
	}
	return array;
}

static json_t *measures_of(struct out *out, const struct report_session *session)
{
	json_t *array = json_array();

	for (size_t i = 0; i < session->plot_count; i++) {
		const struct rule_measure *measure = session->plots[i].measure;
		const struct series *series = session->plots[i].series;
		json_t *object = json_object();

		set(out, object, "id", json_string(measure->id));
		set(out, object, "title", text_of(out, measure->title));
		set(out, object, "unit", text_of(out, measure->unit));
		set(out, object, "count", count_of(series->count));
		set(out, object, "mean",
			series->count > 0 ? number_of(series->sum / (double)series->count)
					  : json_null());
		set(out, object, "lowest", number_of(series->lowest));
		set(out, object, "highest", number_of(series->highest));
		set(out, object, "warnings", count_of(series->warnings));
		set(out, object, "fails", count_of(series->fails));
		append(out, array, object);
	}
	return array;
}

static void write_session(struct out *out, const struct report_session *session)
{
	json_t *object = json_object();

	set(out, object, "id", session->id[0] != '\0' ? text_of(out, session->id) : json_null());
	set(out, object, "source", text_of(out, session->source));
	set(out, object, "started", time_of(session->started, session->kind));
	set(out, object, "ended", time_of(session->ended, session->kind));
	set(out, object, "clock", json_string(render_clock_name(session->kind)));
	set(out, object, "path", json_string(render_path_name(session->path)));
	set(out, object, "result", json_string(verdict_name(session->worst)));
	set(out, object, "stages", stages_of(out, session));
	set(out, object, "measures", measures_of(out, session));
	element(out);
	raw(out, "{");
	dump(out, object, JSON_EMBED);
	raw(out, ",\n");
	write_diagnostics(out, session);
	raw(out, "}");
}

/* ---- the end ---- */

static void write_summary(struct out *out, const struct report *report)
{
	json_t *object = json_object();

	for (int i = 0; i < VERDICT_COUNT; i++)
		set(out, object, verdict_name((enum verdict)i), count_of(report->summary[i]));
	raw(out, "\"summary\":");
	dump(out, object, 0);
}

static void write_notes(struct out *out, const struct report *report)
{
	open_array(out, "notes");
	for (size_t i = 0; i < report->note_count; i++) {
		element(out);
		dump(out, text_of(out, report->notes[i]), JSON_ENCODE_ANY);
	}
	close_array(out);
}

int render_json(const struct report *report, const struct mask *mask, FILE *stream)
{
	struct out out = {.stream = stream, .mask = mask, .store = report->store};
	struct render_skip *skips = render_skips(report->store, &out.skip_count, &out.error);

	out.skips = skips;
	write_tool(&out, report);
	raw(&out, ",\n");
	write_inputs(&out);
	raw(&out, ",\n");
	open_array(&out, "sessions");
	for (size_t i = 0; i < report->session_count && out.error == 0; i++)
		write_session(&out, &report->sessions[i]);
	close_array(&out);
	raw(&out, ",\n\"host\":{");
	write_diagnostics(&out, &report->host);
	raw(&out, "},\n");
	write_summary(&out, report);
	raw(&out, report->incomplete ? ",\n\"incomplete\":true,\n" : ",\n\"incomplete\":false,\n");
	write_notes(&out, report);
	raw(&out, "}\n");
	free(skips);
	if (out.error == 0 && (fflush(stream) != 0 || ferror(stream) != 0))
		out.error = ERROR_SYSTEM;
	return out.error;
}
