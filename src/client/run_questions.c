/* What a connection asks: on the terminal, or of files. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "client/credential.h"
#include "client/run_private.h"

#define ATTEMPTS 3 /* of typing the password */
#define INDENT 2
#define PROMPT_SIZE 512
#define ENTRY_COLUMNS 16 /* what a prompt leaves for typing, at least */

/* The picture makes room, and comes again below. */
static void step_aside(struct run *run)
{
	if (run->timeline != NULL)
		timeline_pause(run->timeline);
}

static bool anybody_there(const struct run *run)
{
	return run->options->interactive && isatty(STDIN_FILENO) != 0;
}

int run_password(void *user, const char *name, const char *domain, unsigned attempt,
	const char *refusal, char password[CONNECT_PASSWORD_SIZE])
{
	struct run *run = user;
	const char *given = run->options->password;
	char who[PROMPT_SIZE + 64], prompt[PROMPT_SIZE + 64];
	struct timeline_style style;
	int error;

	if (given != NULL) {
		if (attempt > 1)
			return ERROR_NOT_FOUND;
		snprintf(password, CONNECT_PASSWORD_SIZE, "%s", given);
		return 0;
	}
	if (!anybody_there(run) || attempt > ATTEMPTS)
		return ERROR_NOT_FOUND;
	step_aside(run);
	style = timeline_style_of(stderr);
	timeline_text(stderr, &style, 0, refusal);
	snprintf(who, sizeof(who), "%sPassword of %s%s%s: ", attempt > 1 ? "Refused. " : "", name,
		domain[0] != '\0' ? " in " : "", domain);
	text_clean(who, style.utf8, prompt, sizeof(prompt));
	error = credential_ask(prompt, false, password, CONNECT_PASSWORD_SIZE);
	return error == ERROR_INPUT ? ERROR_CLOSED : error;
}

int run_accept(void *user, const char *title, const char *text)
{
	struct run *run = user;
	struct timeline_style style = timeline_style_of(stderr);
	char answer[16];
	int error;

	if (run->options->accept_terms)
		return 0;
	if (!anybody_there(run))
		return ERROR_NOT_FOUND;
	step_aside(run);
	timeline_heading(stderr, &style, title);
	timeline_text(stderr, &style, INDENT, text);
	for (;;) {
		error = credential_ask("Accept? (yes/no) ", true, answer, sizeof(answer));
		if (error == ERROR_CLOSED || error == ERROR_NOT_FOUND)
			return error;
		if (error == 0 && (strcasecmp(answer, "yes") == 0 || strcasecmp(answer, "y") == 0))
			return 0;
		if (error == 0 && (strcasecmp(answer, "no") == 0 || strcasecmp(answer, "n") == 0))
			return ERROR_REFUSED;
	}
}

/* One line of the file of answers for each entry, in order. */
static int read_answers(const struct run *run, const struct connect_question *question,
	char answers[][CONNECT_ANSWER_SIZE])
{
	for (size_t i = 0; i < question->entry_count; i++) {
		if (credential_line(run->options->answers, answers[i], CONNECT_ANSWER_SIZE) != 0)
			return ERROR_NOT_FOUND;
	}
	return 0;
}

/* Asks for one entry until something is entered. */
static int ask_entry(const struct timeline_style *style, const struct connect_entry *entry,
	char answer[CONNECT_ANSWER_SIZE])
{
	char label[PROMPT_SIZE], prompt[PROMPT_SIZE + 8];
	size_t length;
	int error;

	text_clean(entry->label, style->utf8, label, sizeof(label));
	length = strlen(label);
	while (length > 0 && strchr(": ", label[length - 1]) != NULL)
		label[--length] = '\0';
	if (style->columns > 0 && text_columns(label) + ENTRY_COLUMNS > style->columns) {
		timeline_text(stderr, style, INDENT, label);
		length = 0;
	}
	snprintf(prompt, sizeof(prompt), "%*s%s: ", INDENT, "", length > 0 ? label : "Answer");
	do {
		error = credential_ask(prompt, !entry->hidden, answer, CONNECT_ANSWER_SIZE);
	} while (error == ERROR_INPUT || error == ERROR_LIMIT);
	return error;
}

int run_answer(
	void *user, const struct connect_question *question, char answers[][CONNECT_ANSWER_SIZE])
{
	struct run *run = user;
	struct timeline_style style = timeline_style_of(stderr);
	int error = 0;

	if (run->options->answers >= 0)
		return read_answers(run, question, answers);
	if (!anybody_there(run))
		return ERROR_NOT_FOUND;
	step_aside(run);
	timeline_text(stderr, &style, 0, question->trouble);
	timeline_heading(stderr, &style, question->title);
	timeline_text(stderr, &style, INDENT, question->text);
	for (size_t i = 0; error == 0 && i < question->entry_count; i++)
		error = ask_entry(&style, &question->entries[i], answers[i]);
	return error;
}

int run_choose(void *user, const struct record *record, size_t *ret_index)
{
	struct run *run = user;
	char answer[32], *end;
	unsigned long number;
	int error;

	if (!anybody_there(run))
		return ERROR_NOT_FOUND;
	step_aside(run);
	timeline_resources(stderr, &run->style, record);
	for (;;) {
		error = credential_ask("Number: ", true, answer, sizeof(answer));
		if (error == ERROR_CLOSED || error == ERROR_NOT_FOUND)
			return error;
		number = error == 0 ? strtoul(answer, &end, 10) : 0;
		if (error == 0 && *end == '\0' && number >= 1 && number <= record->resource_count)
			break;
		fprintf(stderr, "A number from 1 to %zu is expected.\n", record->resource_count);
	}
	*ret_index = number - 1;
	return 0;
}
