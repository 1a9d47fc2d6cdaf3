#include "client/report.h"

#include <stdio.h>

#include "base/error.h"
#include "base/text.h"

/* JSON is UTF-8, whatever a server sent. */
static json_t *text(const char *raw)
{
	char clean[2048];

	text_clean(raw, true, clean, sizeof(clean));
	return json_string(clean);
}

static json_t *text_or_null(const char *raw)
{
	return raw[0] != '\0' ? text(raw) : json_null();
}

static double seconds(int64_t microseconds)
{
	return (double)microseconds / 1e6;
}

static json_t *milliseconds_or_null(int64_t microseconds)
{
	return microseconds >= 0 ? json_real((double)microseconds / 1e3) : json_null();
}

static json_t *facts(const struct record_stage *stage)
{
	json_t *object = json_object();

	for (size_t i = 0; i < stage->fact_count; i++) {
		const struct record_fact *fact = &stage->facts[i];

		json_object_set_new(object, fact->key,
			!fact->is_number ? text(fact->text)
					 : json_integer((json_int_t)fact->number));
	}
	return object;
}

static json_t *stages(const struct record *record)
{
	static const char *const results[] = {[RECORD_WAITING] = "not reached",
		[RECORD_OPEN] = "not finished",
		[RECORD_PASSED] = "passed",
		[RECORD_FAILED] = "failed"};
	json_t *array = json_array();

	for (int i = RECORD_INITIALISE; i < RECORD_STAGE_END; i++) {
		const struct record_stage *stage = &record->stages[i];
		json_t *object = json_object();

		json_object_set_new(object, "number", json_integer(i));
		json_object_set_new(object, "name",
			json_string(record_stage_name((enum record_stage_number)i)));
		json_object_set_new(object, "result", json_string(results[stage->state]));
		json_object_set_new(object, "seconds",
			stage->state == RECORD_PASSED || stage->state == RECORD_FAILED
				? json_real(seconds(stage->duration))
				: json_null());
		json_object_set_new(
			object, "limit_seconds", json_real(seconds(record_limit(stage))));
		json_object_set_new(object, "warning", json_boolean(stage->warned));
		json_object_set_new(object, "learned", facts(stage));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *questions(const struct record *record)
{
	json_t *array = json_array();

	for (size_t i = 0; i < record->question_count; i++)
		json_array_append_new(array, text(record->questions[i]));
	return array;
}

static json_t *resources(const struct record *record)
{
	json_t *array = json_array();

	for (size_t i = 0; i < record->resource_count; i++) {
		const struct record_resource *resource = &record->resources[i];
		json_t *object = json_object();

		json_object_set_new(object, "name", text(resource->name));
		json_object_set_new(object, "id", text(resource->id));
		json_object_set_new(object, "session_type", text_or_null(resource->session_type));
		json_object_set_new(object, "state", text_or_null(resource->state));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *troubles(unsigned set)
{
	static const struct {
		enum certificate_trouble trouble;
		const char *name;
	} names[] = {{CERTIFICATE_SELF_SIGNED, "self-signed"},
		{CERTIFICATE_UNKNOWN_CA, "unknown-ca"}, {CERTIFICATE_WRONG_NAME, "wrong-name"},
		{CERTIFICATE_EXPIRED, "expired"}, {CERTIFICATE_NOT_YET_VALID, "not-yet-valid"},
		{CERTIFICATE_WRONG_FINGERPRINT, "wrong-fingerprint"}, {CERTIFICATE_OTHER, "other"}};
	json_t *array = json_array();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((set & (unsigned)names[i].trouble) != 0)
			json_array_append_new(array, json_string(names[i].name));
	}
	return array;
}

static json_t *certificate(bool known, const struct certificate_report *report)
{
	json_t *object;

	if (!known)
		return json_null();
	object = json_object();
	json_object_set_new(object, "troubles", troubles(report->troubles));
	json_object_set_new(object, "text", text(report->text));
	json_object_set_new(object, "subject", text(report->subject));
	json_object_set_new(object, "issuer", text(report->issuer));
	json_object_set_new(object, "names", text(report->names));
	json_object_set_new(object, "not_after", text(report->not_after));
	json_object_set_new(object, "fingerprint", text(report->fingerprint));
	return object;
}

static json_t *quality(const struct record *record)
{
	const struct link_quality *from = &record->quality;
	json_t *object;

	if (!record->has_quality)
		return json_null();
	object = json_object();
	json_object_set_new(object, "sent", json_integer((json_int_t)from->sent));
	json_object_set_new(object, "answered", json_integer((json_int_t)from->answered));
	json_object_set_new(object, "loss", json_real(from->loss));
	json_object_set_new(object, "rtt_last_ms", milliseconds_or_null(from->rtt_last));
	json_object_set_new(object, "rtt_mean_ms", milliseconds_or_null(from->rtt_mean));
	json_object_set_new(object, "rtt_max_ms", milliseconds_or_null(from->rtt_max));
	json_object_set_new(object, "jitter_ms", milliseconds_or_null(from->jitter));
	return object;
}

static json_t *cause(const struct record *record)
{
	char code[16];
	json_t *object;

	if (!record->has_cause)
		return json_null();
	snprintf(code, sizeof(code), "0x%03x", record->cause);
	object = json_object();
	json_object_set_new(object, "number", json_integer(record->cause));
	json_object_set_new(object, "code", json_string(code));
	json_object_set_new(object, "name", json_string(link_cause_name(record->cause)));
	json_object_set_new(object, "meaning", json_string(link_cause_meaning(record->cause)));
	return object;
}

static json_t *failure(const struct record *record)
{
	const struct record_failure *from = &record->failure;
	json_t *object;

	if (!record->failed)
		return json_null();
	object = json_object();
	json_object_set_new(object, "stage",
		from->stage != RECORD_NO_STAGE ? json_integer((json_int_t)from->stage)
					       : json_null());
	json_object_set_new(object, "stage_name", json_string(record_stage_name(from->stage)));
	json_object_set_new(object, "result_id", text_or_null(from->result_id));
	json_object_set_new(object, "text", text_or_null(from->text));
	json_object_set_new(object, "detail", text_or_null(from->detail));
	json_object_set_new(object, "meaning", json_string(from->advice.meaning));
	json_object_set_new(object, "next", json_string(from->advice.next));
	json_object_set_new(object, "who", json_string(from->advice.who));
	return object;
}

static json_t *warnings(const struct record *record)
{
	json_t *array = json_array();

	for (size_t i = 0; i < record->notice_count; i++)
		json_array_append_new(array, text(record->notices[i]));
	return array;
}

json_t *report_json(const struct record *record)
{
	json_t *object = json_object();
	int status = record_exit(record);

	json_object_set_new(object, "ok", json_boolean(status == RECORD_EXIT_DONE));
	json_object_set_new(object, "exit_status", json_integer(status));
	json_object_set_new(object, "server", text(record->server));
	json_object_set_new(object, "log_id", json_string(record->log_id));
	json_object_set_new(object, "path", text_or_null(record_path_text(record->path)));
	json_object_set_new(object, "stages", stages(record));
	json_object_set_new(object, "questions", questions(record));
	json_object_set_new(object, "resources", resources(record));
	json_object_set_new(
		object, "certificate", certificate(record->has_certificate, &record->certificate));
	json_object_set_new(object, "session_certificate",
		certificate(record->has_session_certificate, &record->session_certificate));
	json_object_set_new(object, "quality", quality(record));
	json_object_set_new(object, "cause", cause(record));
	json_object_set_new(object, "warnings", warnings(record));
	json_object_set_new(
		object, "signal", record->signal != 0 ? json_integer(record->signal) : json_null());
	json_object_set_new(object, "error", failure(record));
	return object;
}

int report_write(FILE *stream, const struct record *record)
{
	json_t *object = report_json(record);
	int error = 0;

	if (object == NULL)
		return ERROR_MEMORY;
	if (json_dumpf(object, stream, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) != 0 ||
		fputc('\n', stream) == EOF || fflush(stream) != 0)
		error = ERROR_SYSTEM;
	json_decref(object);
	return error;
}
