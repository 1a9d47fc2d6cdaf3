#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/rule_embedded.h"
#include "health/rule_private.h"

#define BOOK_MAXIMUM ((size_t)64 * 1024 * 1024)
#define FILES_MAXIMUM 1000
#define SUFFIX ".yaml"

static int plain_fault(struct rule_fault *fault, int error, const char *name, const char *text)
{
	(void)snprintf(fault->text, sizeof(fault->text), "%s: %s", name, text);
	return error;
}

static struct rule_holder *holder_new(struct rule_fault *fault)
{
	struct rule_holder *holder = calloc(1, sizeof(*holder));

	if (holder)
		holder->arena = arena_new(BOOK_MAXIMUM);
	if (holder && holder->arena)
		return holder;
	free(holder);
	(void)plain_fault(fault, ERROR_MEMORY, "rules", error_text(ERROR_MEMORY));
	return NULL;
}

static void source_free(struct rule_source *source)
{
	if (source->rule)
		rule_templates_free(source->rule);
	config_free(source->config);
}

void rule_book_free(struct rule_book *book)
{
	struct rule_holder *holder = (struct rule_holder *)book;

	if (!holder)
		return;
	for (size_t i = 0; i < holder->source_count; i++)
		source_free(&holder->sources[i]);
	free(holder->sources);
	arena_free(holder->arena);
	free(holder);
}

static bool make_room(struct rule_holder *holder)
{
	size_t capacity = holder->source_capacity == 0 ? 64 : 2 * holder->source_capacity;
	struct rule_source *sources;

	if (holder->source_count < holder->source_capacity)
		return true;
	sources = reallocarray(holder->sources, capacity, sizeof(*sources));
	if (!sources)
		return false;
	holder->sources = sources;
	holder->source_capacity = capacity;
	return true;
}

/* Takes the source over when it returns 0. A rule of the folder replaces a built-in one. */
static int add_source(
	struct rule_holder *holder, const struct rule_source *source, struct rule_fault *fault)
{
	for (size_t i = 0; i < holder->source_count; i++) {
		struct rule_source *other = &holder->sources[i];

		if (strcmp(other->rule->id, source->rule->id) != 0)
			continue;
		if (other->built_in == source->built_in)
			return rule_source_fault(source, fault, "id",
				"there is a rule '%s' already, in %s", source->rule->id,
				other->rule->file);
		source_free(other);
		*other = *source;
		return 0;
	}
	if (!make_room(holder))
		return plain_fault(fault, ERROR_MEMORY, "rules", error_text(ERROR_MEMORY));
	holder->sources[holder->source_count++] = *source;
	return 0;
}

/* Takes the config over, always. */
static int add_config(struct rule_holder *holder, struct config *config, const char *name,
	bool built_in, struct rule_fault *fault)
{
	struct rule_source source = {.config = config, .built_in = built_in};
	const char *file = arena_text(holder->arena, name);
	int error;

	source.rule = arena_alloc(holder->arena, sizeof(*source.rule));
	if (!source.rule || !file) {
		source.rule = NULL;
		error = plain_fault(fault, ERROR_MEMORY, name, error_text(ERROR_MEMORY));
		goto out;
	}
	source.rule->file = file;
	error = rule_build(holder->arena, &source, fault);
	if (error == 0)
		error = add_source(holder, &source, fault);
	if (error == 0)
		return 0;
out:
	source_free(&source);
	return error;
}

static int config_error(int error, const struct config_fault *from, struct rule_fault *fault)
{
	_Static_assert(sizeof(fault->text) >= sizeof(from->text), "any fault fits");
	memcpy(fault->text, from->text, sizeof(from->text));
	/* A file that is too large does not fit either. */
	return error == ERROR_LIMIT ? ERROR_INPUT : error;
}

static int add_bytes(struct rule_holder *holder, const char *name, const char *bytes, size_t length,
	bool built_in, struct rule_fault *fault)
{
	struct config_fault inner;
	struct config *config;
	int error = config_load_bytes(name, bytes, length, &rule_schema, &config, &inner);

	if (error != 0)
		return config_error(error, &inner, fault);
	return add_config(holder, config, name, built_in, fault);
}

static int add_built_in(struct rule_holder *holder, struct rule_fault *fault)
{
	for (const struct rule_embedded *file = rule_embedded; file->name; file++) {
		int error = add_bytes(
			holder, file->name, (const char *)file->bytes, file->length, true, fault);

		if (error != 0)
			return error;
	}
	return 0;
}

static int add_file(
	struct rule_holder *holder, const char *folder, const char *name, struct rule_fault *fault)
{
	const char *path = arena_print(holder->arena, "%s/%s", folder, name);
	struct config_fault inner;
	struct config *config;
	int error;

	if (!path)
		return plain_fault(fault, ERROR_MEMORY, name, error_text(ERROR_MEMORY));
	error = config_load(path, &rule_schema, &config, &inner);
	if (error != 0)
		return config_error(error, &inner, fault);
	return add_config(holder, config, path, false, fault);
}

static int is_rule_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > strlen(SUFFIX) &&
		strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct rule_holder *holder, const char *folder, struct rule_fault *fault)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_rule_file, by_name);
	int error = 0;

	if (count < 0)
		return plain_fault(fault, ERROR_SYSTEM, folder, strerror(errno));
	if (count > FILES_MAXIMUM)
		error = plain_fault(
			fault, ERROR_INPUT, folder, "too many files; expected at most 1000");
	for (int i = 0; i < count; i++) {
		if (error == 0)
			error = add_file(holder, folder, entries[i]->d_name, fault);
		free(entries[i]);
	}
	free(entries);
	return error;
}

static int by_order(const void *a, const void *b)
{
	const struct rule *first = *(const struct rule *const *)a;
	const struct rule *second = *(const struct rule *const *)b;

	if (first->order != second->order)
		return first->order < second->order ? -1 : 1;
	return strcmp(first->id, second->id);
}

static int number_patterns(struct rule_holder *holder, struct rule_fault *fault)
{
	struct rule_book *book = &holder->book;
	size_t count = 0;

	for (size_t i = 0; i < book->rule_count; i++)
		count += book->rules[i]->pattern_count;
	if (count > RULE_PATTERNS_MAXIMUM)
		return plain_fault(
			fault, ERROR_INPUT, "rules", "too many patterns; expected at most 2000");
	book->patterns = arena_alloc(holder->arena, count * sizeof(struct rule_pattern *));
	if (!book->patterns)
		return plain_fault(fault, ERROR_MEMORY, "rules", error_text(ERROR_MEMORY));
	for (size_t i = 0; i < book->rule_count; i++) {
		const struct rule *rule = book->rules[i];

		for (size_t j = 0; j < rule->pattern_count; j++) {
			struct rule_pattern *pattern = &rule->patterns[j];

			/* Numbers come each minute, for days: their series tells that they came. */
			if (pattern->asked && !pattern->measured)
				pattern->sighted = true;
			pattern->number = (uint16_t)book->pattern_count;
			book->patterns[book->pattern_count++] = pattern;
		}
	}
	return 0;
}

/* The second pass: all rules are there. */
static int finish(struct rule_holder *holder, struct rule_fault *fault)
{
	struct rule_book *book = &holder->book;

	for (size_t i = 0; i < holder->source_count; i++) {
		int error = rule_resolve(holder, &holder->sources[i], fault);

		if (error != 0)
			return error;
	}
	book->rules = arena_alloc(holder->arena, holder->source_count * sizeof(struct rule *));
	if (!book->rules)
		return plain_fault(fault, ERROR_MEMORY, "rules", error_text(ERROR_MEMORY));
	for (size_t i = 0; i < holder->source_count; i++)
		book->rules[book->rule_count++] = holder->sources[i].rule;
	if (book->rule_count > 1)
		qsort(book->rules, book->rule_count, sizeof(struct rule *), by_order);
	return number_patterns(holder, fault);
}

static int end_load(struct rule_holder *holder, int error, struct rule_book **ret_book,
	struct rule_fault *fault)
{
	if (error == 0)
		error = finish(holder, fault);
	if (error == 0)
		*ret_book = &holder->book;
	else
		rule_book_free(&holder->book);
	return error;
}

int rule_book_load(const char *folder, struct rule_book **ret_book, struct rule_fault *fault)
{
	struct rule_holder *holder = holder_new(fault);
	int error;

	if (!holder)
		return ERROR_MEMORY;
	error = add_built_in(holder, fault);
	if (error == 0 && folder)
		error = add_folder(holder, folder, fault);
	return end_load(holder, error, ret_book, fault);
}

int rule_book_load_bytes(const char *name, const char *bytes, size_t length,
	struct rule_book **ret_book, struct rule_fault *fault)
{
	struct rule_holder *holder = holder_new(fault);

	if (!holder)
		return ERROR_MEMORY;
	return end_load(
		holder, add_bytes(holder, name, bytes, length, false, fault), ret_book, fault);
}
