/* What is told after the picture: why it failed, and which resources there are. */

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/timeline_private.h"

#define LINE_SIZE 1024

const char *timeline_paint(const struct timeline_style *style, enum paint paint)
{
	static const char *const codes[] = {
		"\033[0m", "\033[32m", "\033[31m", "\033[33m", "\033[2m", "\033[1m"};

	return style->colour ? codes[paint] : "";
}

void timeline_wrapped(
	FILE *stream, const struct timeline_style *style, size_t indent, const char *text)
{
	size_t width = style->columns > indent + 1 ? style->columns - indent - 1 : strlen(text) + 1;

	while (*text != '\0') {
		size_t length = text_fit_words(text, width);
		size_t shown = length;

		while (shown > 0 && text[shown - 1] == ' ')
			shown--;
		fprintf(stream, "%*s%.*s\n", (int)indent, "", (int)shown, text);
		text += length;
		text += strspn(text, " ");
	}
}

/* Foreign texts are seldom wider than what is read with ease. */
#define TEXT_COLUMNS 100

void timeline_text(
	FILE *stream, const struct timeline_style *style, size_t indent, const char *text)
{
	struct timeline_style narrow = *style;
	size_t size = strlen(text) + 1;
	char *line = malloc(size), *clean = malloc(size);

	if (narrow.columns == 0 || narrow.columns > TEXT_COLUMNS)
		narrow.columns = TEXT_COLUMNS;
	while (line != NULL && clean != NULL && *text != '\0') {
		size_t length = strcspn(text, "\n");

		memcpy(line, text, length);
		line[length] = '\0';
		for (char *at = line; *at != '\0'; at++)
			*at = *at == '\t' || (*at == '\r' && at[1] == '\0') ? ' ' : *at;
		text_clean(line, style->utf8, clean, size);
		if (clean[strspn(clean, " ")] == '\0')
			fputc('\n', stream);
		else
			timeline_wrapped(stream, &narrow, indent, clean);
		text += length;
		text += *text == '\n';
	}
	free(line);
	free(clean);
}

void timeline_heading(FILE *stream, const struct timeline_style *style, const char *text)
{
	if (*text == '\0')
		return;
	fputs(timeline_paint(style, BOLD), stream);
	timeline_text(stream, style, 0, text);
	fputs(timeline_paint(style, PLAIN), stream);
}

#define LABEL_COLUMNS 11

static void labelled(
	FILE *stream, const struct timeline_style *style, const char *label, const char *text)
{
	size_t width = style->columns > 40 ? style->columns : 80;
	char clean[2048];
	const char *rest = clean;
	bool first = true;

	text_clean(text, style->utf8, clean, sizeof(clean));
	width = (width > 100 ? 100 : width) - LABEL_COLUMNS - 4;
	while (*rest != '\0') {
		size_t length = text_fit_words(rest, width);
		size_t shown = length;

		while (shown > 0 && rest[shown - 1] == ' ')
			shown--;
		fprintf(stream, "  %s%-*s%s %.*s\n", first ? timeline_paint(style, DIM) : "",
			LABEL_COLUMNS, first ? label : "",
			first ? timeline_paint(style, PLAIN) : "", (int)shown, rest);
		rest += length;
		rest += strspn(rest, " ");
		first = false;
	}
}

void timeline_failure(FILE *stream, const struct timeline_style *style, const struct record *record)
{
	const struct record_failure *failure = &record->failure;
	char next[1024];

	if (!record->failed)
		return;
	if (failure->stage != RECORD_NO_STAGE)
		fprintf(stream, "\n%sStage %d, %s, failed.%s\n", timeline_paint(style, RED),
			(int)failure->stage, record_stage_name(failure->stage),
			timeline_paint(style, PLAIN));
	else
		fprintf(stream, "\n%sThe session was lost.%s\n", timeline_paint(style, RED),
			timeline_paint(style, PLAIN));
	if (failure->result_id[0] != '\0')
		labelled(stream, style, "result", failure->result_id);
	if (failure->text[0] != '\0')
		labelled(stream, style, "server says", failure->text);
	if (failure->detail[0] != '\0')
		labelled(stream, style, "detail", failure->detail);
	if (record->has_cause) {
		snprintf(next, sizeof(next), "0x%03x %s", record->cause,
			link_cause_name(record->cause));
		labelled(stream, style, "cause", next);
	}
	labelled(stream, style, "meaning", failure->advice.meaning);
	labelled(stream, style, "next step", failure->advice.next);
	labelled(stream, style, "who", failure->advice.who);
	labelled(stream, style, "log id", record->log_id);
	/* Who did not answer has not logged anything either. */
	if (failure->stage != RECORD_INITIALISE || failure->error == 0)
		labelled(stream, style, "",
			"Quote the log id to the administrator: every program on the way logs it.");
}

void timeline_resources(
	FILE *stream, const struct timeline_style *style, const struct record *record)
{
	char name[LINE_SIZE], state[128], type[64];

	for (size_t i = 0; i < record->resource_count; i++) {
		const struct record_resource *resource = &record->resources[i];

		text_clean(resource->name, style->utf8, name, sizeof(name));
		text_clean(resource->session_type, style->utf8, type, sizeof(type));
		text_clean(resource->state, style->utf8, state, sizeof(state));
		fprintf(stream, "%3zu  %s%s%s%s%s\n", i + 1, name, type[0] != '\0' ? "  " : "",
			type, state[0] != '\0' ? "  " : "", state);
	}
}
