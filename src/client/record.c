#include "client/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

const char *record_stage_name(enum record_stage_number stage)
{
	static const char *const names[RECORD_STAGE_END] = {
		[RECORD_NO_STAGE] = "session",
		[RECORD_INITIALISE] = "initialise",
		[RECORD_AUTHENTICATE] = "authenticate",
		[RECORD_GET_RESOURCES] = "get resources",
		[RECORD_ALLOCATE] = "allocate and prepare the host",
		[RECORD_ESTABLISH] = "establish the session",
		[RECORD_LICENSE] = "validate the licence",
	};

	return names[stage];
}

const char *record_path_text(enum record_path path)
{
	static const char *const texts[] = {
		[RECORD_PATH_UNKNOWN] = "",
		[RECORD_PATH_DIRECT] = "direct",
		[RECORD_PATH_MANAGER] = "brokered",
		[RECORD_PATH_BROKER] = "brokered",
	};

	return texts[path];
}

int record_init(struct record *record, const char *server)
{
	struct record_resource *resources = calloc(RECORD_RESOURCES_MAXIMUM, sizeof(*resources));

	if (resources == NULL)
		return ERROR_MEMORY;
	*record = (struct record){.resources = resources};
	snprintf(record->server, sizeof(record->server), "%s", server);
	return 0;
}

void record_free(struct record *record)
{
	free(record->resources);
	record->resources = NULL;
}

static struct record_fact *fact(
	struct record *record, enum record_stage_number stage, const char *key)
{
	struct record_stage *at = &record->stages[stage];
	struct record_fact *found;

	for (size_t i = 0; i < at->fact_count; i++) {
		if (strcmp(at->facts[i].key, key) == 0)
			return &at->facts[i];
	}
	if (at->fact_count == RECORD_FACTS_MAXIMUM)
		return NULL;
	found = &at->facts[at->fact_count++];
	found->key = key;
	return found;
}

void record_learn(struct record *record, enum record_stage_number stage, const char *key,
	const char *format, ...)
{
	struct record_fact *found = fact(record, stage, key);
	va_list arguments;

	if (found == NULL)
		return;
	found->is_number = false;
	va_start(arguments, format);
	vsnprintf(found->text, sizeof(found->text), format, arguments);
	va_end(arguments);
}

void record_learn_number(
	struct record *record, enum record_stage_number stage, const char *key, double number)
{
	struct record_fact *found = fact(record, stage, key);

	if (found == NULL)
		return;
	found->is_number = true;
	found->number = number;
}

void record_summary(struct record *record, enum record_stage_number stage, const char *format, ...)
{
	struct record_stage *at = &record->stages[stage];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(at->summary, sizeof(at->summary), format, arguments);
	va_end(arguments);
}

void record_notice(struct record *record, const char *format, ...)
{
	va_list arguments;

	if (record->notice_count == RECORD_NOTICES_MAXIMUM)
		return;
	va_start(arguments, format);
	vsnprintf(record->notices[record->notice_count], RECORD_TEXT_SIZE, format, arguments);
	va_end(arguments);
	record->notice_count++;
}

void record_question(struct record *record, const char *purpose)
{
	if (record->question_count == RECORD_QUESTIONS_MAXIMUM)
		return;
	snprintf(record->questions[record->question_count++], RECORD_PURPOSE_SIZE, "%s", purpose);
}

int64_t record_limit(const struct record_stage *stage)
{
	return stage->limit != 0 ? stage->limit : RECORD_STEP_LIMIT;
}

int record_exit(const struct record *record)
{
	if (record->signal != 0)
		return RECORD_EXIT_SIGNAL + record->signal;
	if (record->failed && record->failure.stage != RECORD_NO_STAGE)
		return RECORD_EXIT_STAGE + (int)record->failure.stage;
	if (record->failed)
		return record->established ? RECORD_EXIT_LOST : RECORD_EXIT_OWN;
	return RECORD_EXIT_DONE;
}
