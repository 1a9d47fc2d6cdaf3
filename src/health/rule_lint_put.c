#include <string.h>

#include "base/error.h"
#include "health/head.h"
#include "health/rule_lint_private.h"

/* A part of a sample. */
struct place {
	const char *at;
	size_t length;
};

static bool find_in(const struct rule_pattern *pattern, size_t capture, const char *bytes,
	size_t length, struct place *ret_place)
{
	struct capture captures[TEMPLATE_CAPTURES];

	if (!template_match(pattern->template, bytes, length, captures))
		return false;
	ret_place->at = bytes + captures[capture].at;
	ret_place->length = captures[capture].length;
	return true;
}

static bool find_in_lines(const struct rule_pattern *pattern, size_t capture, const char *sample,
	struct place *ret_place)
{
	while (*sample != '\0') {
		size_t length = strcspn(sample, "\n");
		struct head head;

		(void)head_read(sample, length, &head);
		if (find_in(pattern, capture, head.message, head.message_length, ret_place))
			return true;
		sample += length + (sample[length] == '\n');
	}
	return false;
}

/* The text of an element that begins and ends in one line. */
static bool find_in_elements(const struct rule_pattern *pattern, size_t capture, const char *sample,
	struct place *ret_place)
{
	size_t length = strlen(pattern->xml_element);

	while ((sample = strchr(sample, '<')) != NULL) {
		sample++;
		if (strncmp(sample, pattern->xml_element, length) != 0 ||
			(sample[length] != '>' && sample[length] != ' '))
			continue;
		sample += strcspn(sample, ">\n");
		if (*sample != '>')
			continue;
		sample++;
		if (find_in(pattern, capture, sample, strcspn(sample, "<\n"), ret_place))
			return true;
	}
	return false;
}

/* The number after "RC:" of the first line. */
static bool find_code(const char *sample, struct place *ret_place)
{
	const char *at = strstr(sample, "RC:");

	if (!at)
		return false;
	at += strlen("RC:");
	at += strspn(at, " ");
	*ret_place = (struct place){at, strspn(at, "-0123456789")};
	return ret_place->length > 0;
}

bool lint_put(struct lint *lint, const struct rule_pattern *pattern, const char *sample,
	const char *capture, const char *text, struct buffer *line)
{
	struct place place;
	int index = template_find(pattern->template, capture);
	bool found;

	if (index < 0)
		found = strcmp(capture, RULE_BY_CODE) == 0 && find_code(sample, &place);
	else if (pattern->xml_element)
		found = find_in_elements(pattern, (size_t)index, sample, &place);
	else
		found = find_in_lines(pattern, (size_t)index, sample, &place);
	if (!found)
		return false;
	buffer_clear(line);
	(void)buffer_append(line, sample, (size_t)(place.at - sample));
	(void)buffer_text(line, text);
	(void)buffer_text(line, place.at + place.length);
	if (line->failed && lint->error == 0)
		lint->error = ERROR_MEMORY;
	return !line->failed;
}
