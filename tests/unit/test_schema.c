/* docs/protocol.rng and the decoder agree, about the vectors and about every message. */
#include <dirent.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/codec.h"

#define VECTOR_MAXIMUM 8192

static struct {
	xmlRelaxNGPtr schema;
	struct arena *arena;
	struct xml_reader *reader;
	struct buffer out;
} it;

/* libxml2 would print otherwise; what it says is no part of the test. */
static void say_nothing(void *user, xmlErrorPtr error)
{
	(void)user;
	(void)error;
}

static const char *source(void)
{
	const char *path = getenv("FAIRLEAD_SOURCE");

	assert_non_null(path);
	return path;
}

static int set_up(void **state)
{
	xmlRelaxNGParserCtxtPtr parser;
	char path[1024];

	(void)state;
	snprintf(path, sizeof(path), "%s/docs/protocol.rng", source());
	parser = xmlRelaxNGNewParserCtxt(path);
	it.schema = parser != NULL ? xmlRelaxNGParse(parser) : NULL;
	xmlRelaxNGFreeParserCtxt(parser);
	it.arena = arena_new(1 << 20);
	it.reader = xml_reader_new();
	buffer_init(&it.out, 1 << 20);
	return it.schema != NULL && it.arena != NULL && it.reader != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	buffer_free(&it.out);
	xml_reader_free(it.reader);
	arena_free(it.arena);
	xmlRelaxNGFree(it.schema);
	xmlRelaxNGCleanupTypes();
	xmlCleanupParser();
	return 0;
}

static bool is_valid(const char *bytes, size_t length)
{
	xmlDocPtr document = xmlReadMemory(bytes, (int)length, "message.xml", NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlRelaxNGValidCtxtPtr validator = xmlRelaxNGNewValidCtxt(it.schema);
	bool valid;

	assert_non_null(validator);
	xmlRelaxNGSetValidStructuredErrors(validator, say_nothing, NULL);
	valid = document != NULL && xmlRelaxNGValidateDoc(validator, document) == 0;
	xmlRelaxNGFreeValidCtxt(validator);
	xmlFreeDoc(document);
	return valid;
}

static bool decodes(const char *bytes, size_t length)
{
	struct message *message;
	struct codec_fault fault;

	arena_reset(it.arena);
	return codec_decode(it.reader, it.arena, MESSAGE_ROOTS_ALL, bytes, length, &message,
		       &fault) == 0;
}

/* Every vector of a folder; all or none of them are messages, except one. */
static void check_folder(const char *folder, bool good, const char *except, unsigned at_least)
{
	char path[1024];
	struct dirent *entry;
	unsigned count = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "%s/tests/vectors/%s", source(), folder);
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		char bytes[VECTOR_MAXIMUM];
		bool expected = good;
		size_t length;
		FILE *file;

		if (strstr(entry->d_name, ".xml") == NULL)
			continue;
		if (except != NULL && strcmp(entry->d_name, except) == 0)
			expected = !good;
		snprintf(path, sizeof(path), "%s/tests/vectors/%s/%s", source(), folder,
			entry->d_name);
		file = fopen(path, "rb");
		assert_non_null(file);
		length = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		assert_true(length > 0 && length < sizeof(bytes));
		if (decodes(bytes, length) != expected)
			fail_msg("the decoder is wrong about %s", path);
		if (is_valid(bytes, length) != expected)
			fail_msg("the schema is wrong about %s", path);
		count++;
	}
	closedir(directory);
	assert_true(count >= at_least);
}

static void vectors_of_the_page(void **state)
{
	(void)state;
	check_folder("page", true, "malformed.xml", 12);
}

static void vectors_of_real_programs(void **state)
{
	(void)state;
	check_folder("real", true, NULL, 10);
}

static void broken_vectors(void **state)
{
	(void)state;
	check_folder("broken", false, NULL, 16);
}

static const char *sample(const struct field_info *info)
{
	switch (info->type) {
	case FIELD_NUMBER:
		return info->maximum < 20 ? "65535" : "18446744073709551615";
	case FIELD_FLAG:
		return "false";
	case FIELD_TIME:
		return info->message % 2 == 0 ? "2026-01-31T12:00:00.5Z" : "2026-01-31";
	case FIELD_GROUP:
		return NULL;
	case FIELD_TEXT:
	case FIELD_EXACT:
	case FIELD_ENUM:
	case FIELD_RESULT:
		break;
	}
	return "a < b";
}

static bool is_below(enum field_id field, enum field_id above)
{
	for (; field != FIELD_NONE; field = field_info(field)->parent)
		if (field == above)
			return true;
	return false;
}

/* The message with every field but one and what is below it. */
static void build(enum message_id id, unsigned root, enum field_id without, const char *longest)
{
	struct message *message;

	arena_reset(it.arena);
	message = message_new(it.arena, id, (enum message_root)root,
		message_version_newest((enum message_root)root));
	assert_non_null(message);
	for (enum field_id field = FIELD_NONE + 1; field < FIELD_EXTENSION; field = field + 1) {
		const struct field_info *info = field_info(field);
		bool words = info->type == FIELD_TEXT || info->type == FIELD_EXACT ||
			info->type == FIELD_ENUM || info->type == FIELD_RESULT;

		if (info->message != id || (without != FIELD_NONE && is_below(field, without)))
			continue;
		assert_non_null(message_put(
			message, field, words && longest != NULL ? longest : sample(info)));
	}
	buffer_clear(&it.out);
	assert_int_equal(codec_encode(message, CODEC_PAGE, &it.out), 0);
}

static unsigned a_root_of(enum message_id id)
{
	unsigned root = 0;

	while ((message_info(id)->roots & 1u << root) == 0)
		root++;
	return root;
}

static void every_message_is_valid(void **state)
{
	static char longest[2048];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	for (enum message_id id = MESSAGE_NONE + 1; id < MESSAGE_COUNT; id = id + 1) {
		for (unsigned root = 0; root < ROOT_COUNT; root++) {
			bool belongs = (message_info(id)->roots & 1u << root) != 0;

			build(id, root, FIELD_NONE, NULL);
			assert_int_equal(is_valid(it.out.bytes, it.out.length), belongs);
			assert_int_equal(decodes(it.out.bytes, it.out.length), belongs);
			/* Every text as long as it may be: message_put cuts to the maximum. */
			build(id, root, FIELD_NONE, longest);
			assert_int_equal(is_valid(it.out.bytes, it.out.length), belongs);
		}
	}
}

/* Left out one by one: what is required is missed by both, what is not by neither. */
static void the_same_fields_are_required(void **state)
{
	unsigned required = 0, optional = 0;

	(void)state;
	for (enum field_id field = FIELD_NONE + 1; field < FIELD_EXTENSION; field = field + 1) {
		const struct field_info *info = field_info(field);
		bool needed = info->cardinality == FIELD_ONE || info->cardinality == FIELD_SOME;

		build(info->message, a_root_of(info->message), field, NULL);
		if (decodes(it.out.bytes, it.out.length) == needed)
			fail_msg("the decoder is wrong without %s:\n%s", info->path, it.out.bytes);
		if (is_valid(it.out.bytes, it.out.length) == needed)
			fail_msg("the schema is wrong without %s:\n%s", info->path, it.out.bytes);
		required += needed;
		optional += !needed;
	}
	assert_true(required > 20 && optional > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_the_page),
		cmocka_unit_test(vectors_of_real_programs),
		cmocka_unit_test(broken_vectors),
		cmocka_unit_test(every_message_is_valid),
		cmocka_unit_test(the_same_fields_are_required),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
