#include "health/rule.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "health/rule_private.h"

#define GROUP_DIGITS 3

static const struct rule_builtin builtins[] = {
#define BUILTIN(name, function, patterns, causes, limits) {name, patterns, causes, limits},
#include "health/builtin.def"
#undef BUILTIN
};

static const struct {
	const char *name;
	const char *mark;
	const char *title;
} verdicts[] = {
#define VERDICT(NAME, name, mark, title) {name, mark, title},
#include "health/verdict.def"
#undef VERDICT
};

static const struct {
	const char *name;
	const char *title;
} actors[] = {
#define ACTOR(NAME, name, title) {name, title},
#include "health/actor.def"
#undef ACTOR
};

const char *verdict_name(enum verdict verdict)
{
	assert(verdict < VERDICT_COUNT);
	return verdicts[verdict].name;
}

const char *verdict_title(enum verdict verdict)
{
	assert(verdict < VERDICT_COUNT);
	return verdicts[verdict].title;
}

const char *verdict_mark(enum verdict verdict)
{
	assert(verdict < VERDICT_COUNT);
	return verdicts[verdict].mark;
}

const char *actor_name(enum actor actor)
{
	assert(actor < ACTOR_COUNT);
	return actors[actor].name;
}

const char *actor_title(enum actor actor)
{
	assert(actor < ACTOR_COUNT);
	return actors[actor].title;
}

const struct rule_builtin *rule_builtin_find(const char *name)
{
	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
		if (strcmp(builtins[i].name, name) == 0)
			return &builtins[i];
	}
	return NULL;
}

size_t rule_words_next(const char **list)
{
	*list += strspn(*list, " ");
	return strcspn(*list, " ");
}

bool rule_words_have(const char *list, const char *word)
{
	size_t length;

	while ((length = rule_words_next(&list)) > 0) {
		if (strlen(word) == length && memcmp(list, word, length) == 0)
			return true;
		list += length;
	}
	return false;
}

const struct rule *rule_book_find(const struct rule_book *book, const char *id)
{
	for (size_t i = 0; i < book->rule_count; i++) {
		if (strcmp(book->rules[i]->id, id) == 0)
			return book->rules[i];
	}
	return NULL;
}

const struct rule_pattern *rule_find_pattern(const struct rule *rule, const char *id)
{
	for (size_t i = 0; i < rule->pattern_count; i++) {
		if (strcmp(rule->patterns[i].id, id) == 0)
			return &rule->patterns[i];
	}
	return NULL;
}

const struct rule_cause *rule_find_cause(const struct rule *rule, const char *id)
{
	for (size_t i = 0; i < rule->cause_count; i++) {
		if (strcmp(rule->causes[i].id, id) == 0)
			return &rule->causes[i];
	}
	return NULL;
}

double rule_limit(const struct rule *rule, const char *name)
{
	size_t i = 0;

	while (i < rule->limit_count && strcmp(rule->limits[i].name, name) != 0)
		i++;
	assert(i < rule->limit_count);
	return rule->limits[i].value;
}

/* Decimal or 0x and hexadecimal digits, at most 15 of them, and nothing else. */
static bool read_number(const char *text, size_t length, uint64_t *ret_number)
{
	unsigned base = 10;
	uint64_t number = 0;
	size_t at = 0;

	if (length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		at = 2;
	}
	if (at == length || length - at > 15)
		return false;
	for (; at < length; at++) {
		char byte = text[at];
		unsigned digit = 16;

		if (byte >= '0' && byte <= '9')
			digit = (unsigned)(byte - '0');
		else if (byte >= 'a' && byte <= 'f')
			digit = (unsigned)(byte - 'a') + 10;
		else if (byte >= 'A' && byte <= 'F')
			digit = (unsigned)(byte - 'A') + 10;
		if (digit >= base)
			return false;
		number = number * base + digit;
	}
	*ret_number = number;
	return true;
}

static bool same_number(const char *value, const char *text, size_t length)
{
	uint64_t a;
	uint64_t b;

	return read_number(value, strlen(value), &a) && read_number(text, length, &b) && a == b;
}

bool rule_value_hex(const char *value, size_t length, char text[RULE_HEX_SIZE])
{
	uint64_t number;

	if (!read_number(value, length, &number))
		return false;
	(void)snprintf(text, RULE_HEX_SIZE, "0x%03llx", (unsigned long long)number);
	return true;
}

/* Bytes of the prefix that a value "PREFIX*" and a text share; 0 when it is no prefix of it. */
static size_t prefix_of(const char *value, const char *text, size_t length)
{
	size_t prefix = strlen(value) - 1;

	if (value[prefix] != '*' || prefix == 0 || prefix > length)
		return 0;
	return strncasecmp(value, text, prefix) == 0 ? prefix : 0;
}

/* The same for numbers: "0x3*" is 0x300 to 0x3ff, "0x100*" is 0x1000 to 0x100f. */
static size_t group_of(const char *value, const char *number)
{
	size_t prefix = prefix_of(value, number, strlen(number));
	size_t digits = strlen("0x") + GROUP_DIGITS;

	return strlen(number) == (prefix < digits ? digits : prefix + 1) ? prefix : 0;
}

const struct rule_cause *rule_cause_by(
	const struct rule *rule, const char *by, const char *value, size_t length)
{
	const struct rule_cause *best = NULL;
	size_t best_prefix = 0;
	char number[RULE_HEX_SIZE];
	bool is_number = rule_value_hex(value, length, number);

	for (size_t i = 0; i < rule->cause_count; i++) {
		const struct rule_cause *cause = &rule->causes[i];
		size_t prefix;

		if (!cause->value || (cause->by && (!by || strcmp(cause->by, by) != 0)))
			continue;
		if ((strlen(cause->value) == length &&
			    strncasecmp(cause->value, value, length) == 0) ||
			same_number(cause->value, value, length))
			return cause;
		/* Groups of numbers are written in hexadecimal: "0x3*". */
		if (is_number && strncmp(cause->value, "0x", 2) == 0)
			prefix = group_of(cause->value, number);
		else
			prefix = prefix_of(cause->value, value, length);
		if (prefix > best_prefix || (!best && strcmp(cause->value, "*") == 0)) {
			best = cause;
			best_prefix = prefix;
		}
	}
	return best;
}
