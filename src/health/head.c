#include "health/head.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#define THREAD_DIGITS 4
#define PREFIX_MAXIMUM 160 /* a time, a host, a tag */

/* What is left of the line. */
struct rest {
	const char *at, *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_blanks(struct rest *rest)
{
	while (rest->at < rest->end && is_blank(*rest->at))
		rest->at++;
}

static bool take(struct rest *rest, char c)
{
	if (rest->at == rest->end || *rest->at != c)
		return false;
	rest->at++;
	return true;
}

static bool take_word(struct rest *rest, const char *word, size_t length)
{
	if ((size_t)(rest->end - rest->at) < length || memcmp(rest->at, word, length) != 0)
		return false;
	rest->at += length;
	return true;
}

/* A number of any length with its sign; what no int holds is cut to the largest. */
static bool take_integer(struct rest *rest, int *ret_value)
{
	struct rest from = *rest;
	bool negative = take(&from, '-');
	int value = 0;

	if (from.at == from.end || !is_digit(*from.at))
		return false;
	while (from.at < from.end && is_digit(*from.at)) {
		int digit = *from.at++ - '0';
		value = value > (INT_MAX - digit) / 10 ? INT_MAX : value * 10 + digit;
	}
	*rest = from;
	*ret_value = negative ? -value : value;
	return true;
}

static bool is_component(char c)
{
	return (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

static size_t component_length(const struct rest *rest)
{
	const char *at = rest->at;

	while (at < rest->end && is_component(*at))
		at++;
	/* "1980" alone is a thread or a number, no component */
	return at == rest->at || is_digit(*rest->at) ? 0 : (size_t)(at - rest->at);
}

/* "AGENT :"; without a colon the words are the message's. */
static void take_component(struct rest *rest, struct head *head)
{
	struct rest from = *rest;
	size_t length;

	skip_blanks(&from);
	length = component_length(&from);
	if (length == 0)
		return;
	const char *component = from.at;
	from.at += length;
	skip_blanks(&from);
	if (!take(&from, ':'))
		return;
	head->component = component;
	head->component_length = length;
	*rest = from;
}

/* "LVL:2 RC:   0           AGENT :" */
static bool take_level(struct rest *rest, struct head *head)
{
	struct rest from = *rest;
	int code;

	if (!take_word(&from, "LVL:", 4))
		return false;
	skip_blanks(&from);
	if (from.at == from.end || !is_digit(*from.at))
		return false;
	head->level = *from.at++ - '0';
	*rest = from;
	skip_blanks(&from);
	if (take_word(&from, "RC:", 3)) {
		skip_blanks(&from);
		if (take_integer(&from, &code))
			head->code = code;
		*rest = from;
	}
	take_component(rest, head);
	return true;
}

/* "<INFO >:" of the Windows control panel. */
static bool take_panel(struct rest *rest, struct head *head)
{
	static const struct {
		char word[9];
		int level;
	} words[] = {{"<INFO >:", 2}, {"<DEBUG>:", 3}, {"<ERROR>:", 1}};
	struct rest from = *rest;

	if (from.at == from.end || *from.at != '<')
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (take_word(&from, words[i].word, 8)) {
			head->level = words[i].level;
			*rest = from;
			return true;
		}
	}
	return false;
}

/* "1 -504 MGMT_PCOIP_DATA text" */
static void take_columns(struct rest *rest, struct head *head)
{
	struct rest from = *rest;
	int code;

	if (from.end - from.at < 2 || !is_digit(from.at[0]) || !is_blank(from.at[1]))
		return;
	int level = *from.at++ - '0';
	skip_blanks(&from);
	if (!take_integer(&from, &code) || from.at == from.end || !is_blank(*from.at))
		return;
	skip_blanks(&from);
	size_t length = component_length(&from);
	if (length == 0 || (from.at + length < from.end && !is_blank(from.at[length])))
		return;
	head->level = level;
	head->code = code;
	head->component = from.at;
	head->component_length = length;
	rest->at = from.at + length;
}

/* "5A34 " before the text of a line of an agent on Windows. */
static void skip_thread(struct rest *rest)
{
	if (rest->end - rest->at <= THREAD_DIGITS || rest->at[THREAD_DIGITS] != ' ')
		return;
	for (size_t i = 0; i < THREAD_DIGITS; i++) {
		if (!is_digit(rest->at[i]) && (rest->at[i] < 'A' || rest->at[i] > 'F'))
			return;
	}
	rest->at += THREAD_DIGITS;
	skip_blanks(rest);
}

/* How the stamp of a line was written, which tells families apart. */
enum form {
	FORM_NONE,
	FORM_ISO,
	FORM_UPTIME,
	FORM_MONTH_FIRST,
	FORM_MONTH_FIRST_SHORT, /* a year of two digits */
	FORM_YEAR_FIRST,        /* with slashes */
};

static enum form take_stamp(struct rest *rest, struct stamp *stamp)
{
	const char *text = rest->at;
	size_t length = stamp_read(text, (size_t)(rest->end - text), stamp);

	if (length == 0)
		return FORM_NONE;
	rest->at += length;
	if (stamp->kind == STAMP_KIND_UPTIME)
		return FORM_UPTIME;
	if (text[4] == '-')
		return FORM_ISO;
	if (text[4] == '/')
		return FORM_YEAR_FIRST;
	return is_digit(text[8]) ? FORM_MONTH_FIRST : FORM_MONTH_FIRST_SHORT;
}

static enum family family_iso(const struct head *head, bool arrow, bool level)
{
	if (head->has_id)
		return arrow ? FAMILY_AGENT : FAMILY_CLIENT;
	switch (head->stamp.kind) {
	case STAMP_KIND_OFFSET:
		return level || arrow ? FAMILY_HORIZON : FAMILY_TOOL;
	case STAMP_KIND_LOCAL:
		return level || arrow ? FAMILY_VIEW : FAMILY_TOOL;
	default:
		if (arrow)
			return FAMILY_ZERO;
		return level ? FAMILY_CLIENT : FAMILY_TOOL;
	}
}

static enum family family_find(enum form form, const struct head *head, bool arrow, bool level)
{
	switch (form) {
	case FORM_ISO:
		return family_iso(head, arrow, level);
	case FORM_UPTIME:
		return FAMILY_UPTIME;
	case FORM_MONTH_FIRST:
		return FAMILY_VIEW;
	case FORM_MONTH_FIRST_SHORT:
		return level ? FAMILY_VIEW : FAMILY_PRE;
	case FORM_YEAR_FIRST:
		return FAMILY_COLUMNS;
	case FORM_NONE:
		if (!level)
			return FAMILY_NONE;
		/* without an id, agent and client cannot be told apart */
		return head->has_id && !arrow ? FAMILY_CLIENT : FAMILY_AGENT;
	}
	assert(false);
	return FAMILY_NONE;
}

static void take_id(struct rest *rest, struct head *head)
{
	if (session_id_read(rest->at, (size_t)(rest->end - rest->at), &head->id)) {
		head->has_id = true;
		rest->at += SESSION_ID_TEXT;
		skip_blanks(rest);
	}
}

static void trim(struct rest *rest)
{
	while (rest->end > rest->at &&
		(is_blank(rest->end[-1]) || rest->end[-1] == '\r' || rest->end[-1] == '\n'))
		rest->end--;
	skip_blanks(rest);
}

static bool is_digit_among(const char *bytes, const char *end)
{
	while (bytes < end && !is_digit(*bytes))
		bytes++;
	return bytes < end;
}

/* A stamp, and what tells a line of a log from a text that quotes a time. */
static bool is_sure_head(struct rest rest)
{
	struct session_id id;
	struct stamp stamp;

	if (take_stamp(&rest, &stamp) == FORM_NONE)
		return false;
	skip_blanks(&rest);
	if (take(&rest, '>') || take_word(&rest, "LVL:", 4))
		return true;
	return session_id_read(rest.at, (size_t)(rest.end - rest.at), &id);
}

size_t head_prefix(const char *line, size_t length)
{
	struct rest rest = {line, line + length};
	const char *begin, *colon;
	size_t room;

	skip_blanks(&rest);
	begin = rest.at;
	room = (size_t)(rest.end - begin);
	if (room > PREFIX_MAXIMUM)
		room = PREFIX_MAXIMUM;
	colon = memmem(begin, room, ": ", 2);
	/* the time before the tag has digits, words that introduce a quotation have none */
	if (colon == NULL || colon == begin || is_blank(colon[-1]) || !is_digit_among(begin, colon))
		return 0;
	rest.at = colon + 2;
	skip_blanks(&rest);
	return is_sure_head(rest) ? (size_t)(rest.at - line) : 0;
}

static void read_plain(const char *line, size_t length, struct head *ret_head)
{
	struct head head = {
		.stamp = {STAMP_KIND_NONE, STAMP_NONE}, .level = HEAD_NO_LEVEL, .component = ""};
	struct rest rest = {line, line + length};
	bool arrow = false, level;

	trim(&rest);
	struct rest whole = rest;
	enum form form = take_stamp(&rest, &head.stamp);
	skip_blanks(&rest);
	take_id(&rest, &head);
	arrow = take(&rest, '>');
	skip_blanks(&rest);
	level = take_level(&rest, &head);
	if (!level && take_panel(&rest, &head))
		head.family = FAMILY_PANEL;
	else
		head.family = family_find(form, &head, arrow, level);
	if (head.family == FAMILY_NONE) {
		head.has_id = false;
		rest = whole;
	}
	if (form == FORM_YEAR_FIRST && !level && head.level == HEAD_NO_LEVEL)
		take_columns(&rest, &head);
	skip_blanks(&rest);
	if (head.family == FAMILY_AGENT || head.family == FAMILY_CLIENT)
		skip_thread(&rest);
	head.message = rest.at;
	head.message_length = (size_t)(rest.end - rest.at);
	*ret_head = head;
}

bool head_read(const char *line, size_t length, struct head *ret_head)
{
	read_plain(line, length, ret_head);
	if (ret_head->family == FAMILY_NONE || ret_head->family == FAMILY_TOOL) {
		size_t prefix = head_prefix(line, length);
		if (prefix > 0)
			read_plain(line + prefix, length - prefix, ret_head);
	}
	return ret_head->family != FAMILY_NONE;
}

const char *family_letter(enum family family)
{
	static const char *const letters[] = {
		[FAMILY_NONE] = "-",
#define FAMILY(name, letter, title, zone) [FAMILY_##name] = letter,
#include "health/family.def"
#undef FAMILY
	};

	assert(family < FAMILY_COUNT);
	return letters[family];
}

const char *family_title(enum family family)
{
	static const char *const titles[] = {
		[FAMILY_NONE] = "unknown",
#define FAMILY(name, letter, title, zone) [FAMILY_##name] = title,
#include "health/family.def"
#undef FAMILY
	};

	assert(family < FAMILY_COUNT);
	return titles[family];
}
