/* What a line of the table says behind its time: the cause, or in a few words what is known of a
 * success. Names of data are for programs: what has no words here is left to them. */

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "health/render_private.h"
#include "health/render_text_private.h"

static const char *value_of(const struct finding *finding, const char *name, const char *end)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < finding->data_count; i++)
		if (strncmp(finding->data[i].name, name, length) == 0 &&
			strcmp(finding->data[i].name + length, end) == 0)
			return finding->data[i].value;
	return NULL;
}

/* "days until the licence expires", in days. */
static bool begins_with_unit(const struct rule_measure *measure)
{
	size_t length = strlen(measure->unit);

	return length > 0 && strncmp(measure->title, measure->unit, length) == 0 &&
		measure->title[length] == ' ';
}

/* "12 ms, mean 10 ms": the most extreme value of each measure. */
static void measures_of(const struct finding *finding, struct render_words *words)
{
	const struct rule *rule = finding->rule;

	for (size_t i = 0; i < rule->measure_count; i++) {
		const struct rule_measure *measure = &rule->measures[i];
		const char *extreme = value_of(finding, measure->id, "");
		const char *mean = value_of(finding, measure->id, "_mean");
		char text[RENDER_PAGE_TEXT];

		if (extreme == NULL || mean == NULL)
			continue;
		if (begins_with_unit(measure))
			snprintf(text, sizeof(text), "%s %s", extreme, measure->title);
		else if (strcmp(extreme, mean) == 0)
			snprintf(text, sizeof(text), "%s %s %s", measure->title, extreme,
				measure->unit);
		else
			snprintf(text, sizeof(text), "%s %s %s, mean %s", measure->title, extreme,
				measure->unit, mean);
		render_words_add(words, text);
	}
}

/* Seconds of a collected number as a duration. */
static bool seconds_of(const char *value, char text[RENDER_DURATION_SIZE])
{
	double seconds = value == NULL ? 0 : strtod(value, NULL);
	bool is_told = value != NULL && seconds > -1e9 && seconds < 1e9;

	if (is_told)
		render_duration((int64_t)((seconds < 0 ? -seconds : seconds) * 1e6 + 0.5), text);
	return is_told;
}

/* "host 1.1 s after the client's id" */
static void difference_of(const struct finding *finding, struct render_words *words)
{
	const char *value = value_of(finding, "difference_s", "");
	char duration[RENDER_DURATION_SIZE], text[RENDER_DURATION_SIZE + 64];

	if (!seconds_of(value, duration))
		return;
	snprintf(text, sizeof(text), "host %s %s the client's id", duration,
		value[0] == '-' ? "before" : "after");
	render_words_add(words, text);
}

/* "stage 2 0.7 s  stage 4 1.2 s" */
static void stages_of(const struct finding *finding, struct render_words *words)
{
	for (int stage = 1; stage <= 6; stage++) {
		char name[16], duration[RENDER_DURATION_SIZE], text[RENDER_DURATION_SIZE + 16];

		snprintf(name, sizeof(name), "stage%d_s", stage);
		if (!seconds_of(value_of(finding, name, ""), duration))
			continue;
		snprintf(text, sizeof(text), "stage %d %s", stage, duration);
		render_words_add(words, text);
	}
}

/* "2 connections" */
static void count_of(const struct finding *finding, const char *name, const char *one,
	const char *many, struct render_words *words)
{
	const char *value = value_of(finding, name, "");
	char text[64];

	if (value == NULL || value[strspn(value, "0123456789")] != '\0')
		return;
	snprintf(text, sizeof(text), "%.20s %s", value, strcmp(value, "1") == 0 ? one : many);
	render_words_add(words, text);
}

static void connections_of(const struct finding *finding, struct render_words *words)
{
	count_of(finding, "connections", "connection", "connections", words);
}

static void ends_of(const struct finding *finding, struct render_words *words)
{
	count_of(finding, "ended", "ended well", "ended well", words);
}

static void path_of(const struct finding *finding, struct render_words *words)
{
	const char *value = value_of(finding, "path", "");

	if (value != NULL && (strcmp(value, "direct") == 0 || strcmp(value, "brokered") == 0))
		render_words_add(words, value);
}

void render_text_detail(
	const struct render_page *page, const struct finding *finding, struct render_words *words)
{
	static const struct {
		const char *builtin;
		void (*say)(const struct finding *finding, struct render_words *words);
	} builtins[] = {{"clock-difference", difference_of}, {"slow-step", stages_of},
		{"reconnects", connections_of}, {"crash", ends_of}, {"connection-path", path_of}};
	char clean[RENDER_PAGE_TEXT];

	*words = (struct render_words){.length = 0};
	if (finding->cause_text != NULL) {
		render_page_clean(page, finding->cause_text, clean);
		render_words_add(words, clean);
		return;
	}
	measures_of(finding, words);
	if (finding->rule->builtin == NULL)
		return;
	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (strcmp(finding->rule->builtin, builtins[i].builtin) == 0)
			builtins[i].say(finding, words);
}
