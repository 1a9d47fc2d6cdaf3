/* The tables against their own rules: unique, paired, reachable, documented. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "protocol/codec.h"
#include "protocol/message.h"
#include "protocol/result.h"
#include "protocol/state.h"

static const char *const message_names[] = {
	[MESSAGE_NONE] = "",
#define MESSAGE(name, element, kind, response, roots, flags, description) #name,
#include "protocol/messages.def"
#undef MESSAGE
};

static const char *const field_names[] = {
	[FIELD_NONE] = "",
#define FIELD(name, message, path, type, cardinality, maximum, secrecy, description) #name,
#include "protocol/fields.def"
#undef FIELD
};

static const struct field_value all_values[] = {
#define VALUE(field, text, origin, description) {FIELD_##field, text, ORIGIN_##origin, description},
#include "protocol/values.def"
#undef VALUE
};

static const struct {
	enum state from, to;
	enum message_id message;
	enum result_outcome outcome;
} moves[] = {
#define STATE(name, description)
#define MOVE(from, message, outcome, to)                                                           \
	{STATE_##from, STATE_##to, MESSAGE_##message, OUTCOME_##outcome},
#include "protocol/states.def"
#undef STATE
#undef MOVE
};

static const char *const state_descriptions[] = {
#define STATE(name, description) description,
#define MOVE(from, message, outcome, to)
#include "protocol/states.def"
#undef STATE
#undef MOVE
};

static const char *const aliases[] = {
#define RESULT(name, group, outcome, origin, text)
#define RESULT_ALIAS(text, name) text,
#include "protocol/results.def"
#undef RESULT
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Every message and field, with its number as the enum's type. */
#define EACH_MESSAGE(id)                                                                           \
	for (enum message_id id = MESSAGE_NONE + 1; id < MESSAGE_COUNT; id = id + 1)
#define EACH_FIELD(id) for (enum field_id id = FIELD_NONE + 1; id < FIELD_EXTENSION; id = id + 1)
#define EACH_RESULT(id) for (enum result_id id = RESULT_NONE + 1; id < RESULT_COUNT; id = id + 1)

/* A name as XML writes it here: small letters, digits, single '-' between. */
static bool is_element_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > XML_NAME_MAXIMUM || !islower((unsigned char)name[0]))
		return false;
	for (size_t i = 1; i < length; i++) {
		if (name[i] == '-' ? name[i - 1] == '-' || i + 1 == length
				   : !islower((unsigned char)name[i]) &&
					!isdigit((unsigned char)name[i]))
			return false;
	}
	return true;
}

static void roots_differ(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROOT_COUNT; i++) {
		assert_true(is_element_name(message_root_element((enum message_root)i)));
		assert_int_equal(message_root_path((enum message_root)i)[0], '/');
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(message_root_element((enum message_root)i),
				message_root_element((enum message_root)j));
	}
	assert_string_equal(message_root_path(ROOT_CLIENT), message_root_path(ROOT_BROKER));
}

static void messages_differ_and_are_described(void **state)
{
	(void)state;
	EACH_MESSAGE(id)
	{
		const struct message_info *info = message_info(id);

		assert_true(is_element_name(info->element));
		assert_int_equal(message_named(info->element), id);
		assert_true(strlen(info->description) > 3);
		assert_true(info->roots != 0);
		assert_int_equal(info->roots & ~MESSAGE_ROOTS_ALL, 0);
		for (enum message_id other = MESSAGE_NONE + 1; other < id; other = other + 1)
			assert_string_not_equal(info->element, message_info(other)->element);
	}
	assert_int_equal(message_named("hello-res"), MESSAGE_NONE);
	assert_int_equal(message_named(""), MESSAGE_NONE);
}

static void requests_and_responses_are_paired(void **state)
{
	(void)state;
	EACH_MESSAGE(id)
	{
		const struct message_info *info = message_info(id);
		unsigned asked = 0;
		char expected[64];

		if (info->kind == MESSAGE_REQUEST) {
			assert_int_not_equal(info->response, MESSAGE_NONE);
			assert_int_equal(message_info(info->response)->kind, MESSAGE_RESPONSE);
			assert_int_equal(message_info(info->response)->roots, info->roots);
			snprintf(expected, sizeof(expected), "%s-resp", info->element);
			assert_string_equal(message_info(info->response)->element, expected);
			continue;
		}
		assert_int_equal(info->response, MESSAGE_NONE);
		assert_int_equal(info->flags, 0);
		EACH_MESSAGE(request)
		asked += message_info(request)->response == id;
		/* error-resp answers anything, so nothing names it. */
		assert_int_equal(asked, id == MESSAGE_ERROR_RESP ? 0 : 1);
	}
	assert_int_equal(message_info(MESSAGE_ERROR_RESP)->roots, MESSAGE_ROOTS_ALL);
}

static void flags_fit_the_roots(void **state)
{
	(void)state;
	EACH_MESSAGE(id)
	{
		const struct message_info *info = message_info(id);

		if (info->kind != MESSAGE_REQUEST)
			continue;
		assert_int_equal((info->flags & MESSAGE_OPENS_SESSION) != 0, id == MESSAGE_HELLO);
		assert_int_equal((info->flags & MESSAGE_CLOSES_SESSION) != 0, id == MESSAGE_BYE);
		assert_int_equal((info->flags & MESSAGE_NO_SESSION) != 0,
			(info->roots & MESSAGE_ROOTS_BROKERING) == 0);
	}
}

/* The name of a field follows from its message and path, so that it is guessed right. */
static void field_names_follow_from_paths(void **state)
{
	(void)state;
	EACH_FIELD(id)
	{
		const struct field_info *info = field_info(id);
		char expected[160];
		size_t length;

		length = (size_t)snprintf(expected, sizeof(expected), "%s%s%s",
			message_names[info->message], info->path[0] == '@' ? "" : "_", info->path);
		assert_true(length < sizeof(expected));
		for (size_t i = 0; i < length; i++)
			expected[i] = isalnum((unsigned char)expected[i])
				? (char)toupper((unsigned char)expected[i])
				: '_';
		assert_string_equal(field_names[id], expected);
	}
}

static void fields_differ_and_are_described(void **state)
{
	static const char *const grades[] = {"[page]", "[real]", "[impl]", "[infer]", "[own]"};

	(void)state;
	EACH_FIELD(id)
	{
		const struct field_info *info = field_info(id);
		const char *grade = strrchr(info->description, '[');
		bool graded = false;

		assert_int_equal(field_find(info->message, info->path), id);
		assert_true(is_element_name(info->name));
		assert_int_equal(info->name_length, strlen(info->name));
		assert_non_null(grade);
		assert_true(grade > info->description + 2 && grade[-1] == ' ');
		for (size_t i = 0; i < COUNT(grades); i++)
			graded |= strcmp(grade, grades[i]) == 0;
		assert_true(graded);
		assert_null(strchr(info->description, '|')); /* it becomes a cell of a table */
		assert_null(strchr(info->description, '<')); /* and XML */
		assert_null(strchr(info->description, '&'));
	}
	assert_int_equal(field_find(MESSAGE_HELLO, "client-info/nothing"), FIELD_NONE);
	assert_int_equal(field_find(MESSAGE_HELLO, "client"), FIELD_NONE);
}

static void parents_stand_before_their_children(void **state)
{
	(void)state;
	EACH_FIELD(id)
	{
		const struct field_info *info = field_info(id);
		unsigned depth = 1; /* the message element has a frame of its own */

		for (enum field_id step = id; step != FIELD_NONE; step = field_info(step)->parent) {
			enum field_id above = field_info(step)->parent;

			depth++;
			if (above == FIELD_NONE)
				continue;
			assert_true(above < step);
			assert_int_equal(field_info(above)->message, info->message);
			assert_false(field_info(above)->attribute);
			/* Only a group has elements below it; anything may have attributes. */
			if (!field_info(step)->attribute)
				assert_int_equal(field_info(above)->type, FIELD_GROUP);
		}
		assert_true(depth <= 8);                     /* FRAMES_MAXIMUM of decode.c */
		assert_true(depth + 1 <= XML_DEPTH_MAXIMUM); /* and the root */
	}
	/* All rows of a message stand together. */
	for (enum field_id id = FIELD_NONE + 2; id < FIELD_EXTENSION; id = id + 1) {
		if (field_info(id)->message == field_info(id - 1)->message)
			continue;
		for (enum field_id before = FIELD_NONE + 1; before < id; before = before + 1)
			assert_int_not_equal(field_info(before)->message, field_info(id)->message);
	}
}

static void groups_have_children_and_texts_a_maximum(void **state)
{
	(void)state;
	EACH_FIELD(id)
	{
		const struct field_info *info = field_info(id);

		if (info->type == FIELD_GROUP) {
			assert_false(info->attribute);
			assert_true(field_children(id)->count > 0);
			assert_int_equal(info->maximum, 0);
			assert_int_equal(info->secrecy, FIELD_PUBLIC);
		} else {
			assert_true(info->maximum > 0);
			assert_true(info->maximum <= 1024); /* TEXT_MAXIMUM of decode.c */
		}
		if (info->type == FIELD_NUMBER)
			assert_true(info->maximum <= 20);
		if (info->attribute)
			assert_false(field_repeats(id));
	}
	assert_true(CODEC_DETAIL_SIZE - 1 <= (int)field_info(FIELD_ERROR_RESP_ERR_DETAIL)->maximum);
}

static void check_children(
	const struct field_children *children, enum message_id message, enum field_id parent)
{
	bool elements = false;

	for (size_t i = 0; i < children->count; i++) {
		const struct field_info *info = field_info(children->fields[i]);
		bool required = info->cardinality == FIELD_ONE || info->cardinality == FIELD_SOME;

		assert_int_equal(info->message, message);
		assert_int_equal(info->parent, parent);
		assert_int_equal((children->required >> i & 1) != 0, required);
		if (i > 0)
			assert_true(children->fields[i - 1] < children->fields[i]);
		/* The encoder writes attributes while they are first. */
		assert_false(info->attribute && elements);
		elements |= !info->attribute;
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(info->name, field_info(children->fields[j])->name);
	}
}

static void children_are_complete(void **state)
{
	size_t listed = 0, fields = 0;

	(void)state;
	EACH_MESSAGE(id)
	{
		check_children(field_children_of_message(id), id, FIELD_NONE);
		listed += field_children_of_message(id)->count;
	}
	EACH_FIELD(id)
	{
		check_children(field_children(id), field_info(id)->message, id);
		listed += field_children(id)->count;
		fields++;
	}
	assert_int_equal(listed, fields);
	assert_int_equal(field_children(FIELD_EXTENSION)->count, 0);
}

static void secrets_are_exactly_these(void **state)
{
	static const enum field_id secrets[] = {
		FIELD_AUTHENTICATE_PASSWORD,
		FIELD_AUTHENTICATE_ANSWER,
		FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG,
		FIELD_LAUNCH_SESSION_LOGON_PASSWORD,
		FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_TAG,
	};

	(void)state;
	EACH_FIELD(id)
	{
		const struct field_info *info = field_info(id);
		bool expected = false;

		for (size_t i = 0; i < COUNT(secrets); i++)
			expected |= secrets[i] == id;
		assert_int_equal(info->secrecy == FIELD_SECRET, expected);
		assert_int_equal(info->type == FIELD_EXACT,
			strcmp(info->name, "password") == 0 || id == FIELD_AUTHENTICATE_ANSWER);
		if (strcmp(info->name, "username") == 0 || strcmp(info->name, "hostname") == 0)
			assert_int_equal(info->secrecy, FIELD_NAME);
	}
}

/* A password goes from authenticate into launch-session, a tag from launch-session-resp into
 * allocate-resource-resp: what the one takes must fit in the other. */
static void what_is_handed_on_fits(void **state)
{
	static const enum field_id pairs[][2] = {
		{FIELD_AUTHENTICATE_USERNAME, FIELD_LAUNCH_SESSION_LOGON_USERNAME},
		{FIELD_AUTHENTICATE_PASSWORD, FIELD_LAUNCH_SESSION_LOGON_PASSWORD},
		{FIELD_AUTHENTICATE_ANSWER, FIELD_LAUNCH_SESSION_LOGON_PASSWORD},
		{FIELD_AUTHENTICATE_DOMAIN, FIELD_LAUNCH_SESSION_LOGON_DOMAIN},
		{FIELD_HELLO_CLIENT_INFO_HOSTNAME, FIELD_LAUNCH_SESSION_CLIENT_NAME},
		{FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_IP_ADDRESS, FIELD_LAUNCH_SESSION_CLIENT_IP},
		{FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_MAC_ADDRESS, FIELD_LAUNCH_SESSION_CLIENT_MAC},
		{FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_TIME_ZONE_WINDOWS,
			FIELD_LAUNCH_SESSION_TIME_ZONE_WINDOWS},
		{FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_IP_ADDRESS,
			FIELD_ALLOCATE_RESOURCE_RESP_TARGET_IP_ADDRESS},
		{FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SNI,
			FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SNI},
		{FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_PORT,
			FIELD_ALLOCATE_RESOURCE_RESP_TARGET_PORT},
		{FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_ID,
			FIELD_ALLOCATE_RESOURCE_RESP_TARGET_SESSION_ID},
		{FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_TAG,
			FIELD_ALLOCATE_RESOURCE_RESP_TARGET_CONNECT_TAG},
		{FIELD_LAUNCH_SESSION_RESP_FAIL_REASON,
			FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR},
		{FIELD_LAUNCH_SESSION_SESSION_LOG_ID, FIELD_CHECKOUT_LICENSE_SESSION_LOG_ID},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID,
			FIELD_ALLOCATE_RESOURCE_RESOURCE_ID},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++)
		assert_true(field_info(pairs[i][0])->maximum <= field_info(pairs[i][1])->maximum);
}

static void values_belong_to_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(all_values); i++) {
		const struct field_value *value = &all_values[i];
		const struct field_value *known;
		size_t count;

		assert_int_equal(field_info(value->field)->type, FIELD_ENUM);
		assert_true(strlen(value->text) <= field_info(value->field)->maximum);
		assert_true(strlen(value->description) > 1);
		known = field_values(value->field, &count);
		/* Rows of a field stand together, so the list of them is whole. */
		for (size_t j = 0; j < count; j++)
			assert_int_equal(known[j].field, value->field);
		assert_true(field_value_known(value->field, value->text));
		for (size_t j = 0; j < i; j++)
			if (all_values[j].field == value->field)
				assert_string_not_equal(all_values[j].text, value->text);
	}
	EACH_FIELD(id)
	{
		size_t count;

		field_values(id, &count);
		assert_int_equal(count > 0, field_info(id)->type == FIELD_ENUM);
		assert_true(count <= 32); /* a bit each in a session */
	}
	assert_int_equal(
		field_value_index(FIELD_HELLO_CAPS_CAP, "CAP_DISCLAIMER_AUTHENTICATION"), 0);
	assert_int_equal(field_value_index(FIELD_HELLO_CAPS_CAP, "CAP_ALTERNATE_PROVISIONING"), 3);
	assert_int_equal(field_value_index(FIELD_HELLO_CAPS_CAP, "CAP_UNHEARD_OF"), -1);
	assert_int_equal(field_value_index(FIELD_HELLO_CAPS_CAP, NULL), -1);
	assert_int_equal(field_value_index(FIELD_HELLO_CAPS, "x"), -1);
	assert_false(field_value_known(FIELD_AUTHENTICATE_METHOD, "Password"));
}

static void results_differ_and_are_described(void **state)
{
	static const char *const prefixes[] = {
		[GROUP_AUTH] = "AUTH_",
		[GROUP_LIST] = "LIST_",
		[GROUP_ALLOC] = "ALLOC_",
		[GROUP_ERR] = "ERR_",
		[GROUP_AGENT] = "",
		[GROUP_LICENSE] = "LICENSE_",
	};
	unsigned ok[COUNT(prefixes)] = {0}, failed[COUNT(prefixes)] = {0};

	(void)state;
	EACH_RESULT(id)
	{
		const struct result_info *info = result_info(id);

		assert_true(info->group < COUNT(prefixes));
		assert_true(info->outcome <= OUTCOME_FAILED);
		assert_true(info->origin <= ORIGIN_OWN);
		assert_int_equal(
			strncmp(info->id, prefixes[info->group], strlen(prefixes[info->group])), 0);
		assert_true(strlen(info->text) > 10);
		assert_true(strlen(info->text) <=
			field_info(FIELD_ERROR_RESP_RESULT_RESULT_STR)->maximum);
		assert_true(
			strlen(info->id) <= field_info(FIELD_ERROR_RESP_RESULT_RESULT_ID)->maximum);
		ok[info->group] += info->outcome == OUTCOME_OK;
		failed[info->group] += info->outcome == OUTCOME_FAILED;
		/* The id says how it went; the table must not say otherwise. */
		if (strstr(info->id, "FAILED") != NULL || strstr(info->id, "DENIED") != NULL)
			assert_int_equal(info->outcome, OUTCOME_FAILED);
		for (enum result_id other = RESULT_NONE + 1; other < id; other = other + 1)
			assert_true(strcasecmp(info->id, result_info(other)->id) != 0);
	}
	for (unsigned group = 0; group < COUNT(prefixes); group++) {
		assert_true(failed[group] > 0);
		assert_int_equal(ok[group] > 0, group != GROUP_ERR);
	}
	for (size_t i = 0; i < COUNT(aliases); i++) {
		enum result_id result = result_find(aliases[i]);

		assert_int_not_equal(result, RESULT_NONE);
		assert_true(strcasecmp(result_info(result)->id, aliases[i]) != 0);
	}
}

static void states_are_reachable(void **state)
{
	bool reached[STATE_COUNT] = {[STATE_NONE] = true};

	(void)state;
	for (unsigned round = 0; round < STATE_COUNT; round++) {
		for (unsigned s = 0; s < STATE_COUNT; s++)
			if (reached[s])
				reached[state_errored((enum state)s)] = true;
		for (size_t i = 0; i < COUNT(moves); i++)
			if (reached[moves[i].from])
				reached[moves[i].to] = true;
	}
	for (unsigned s = 0; s < STATE_COUNT; s++) {
		assert_true(reached[s]);
		assert_true(strlen(state_descriptions[s]) > 5);
		/* Every live session is able to end. */
		if (s != STATE_NONE && s != STATE_ENDED)
			assert_true(state_may((enum state)s, MESSAGE_BYE));
	}
}

static void moves_are_clear(void **state)
{
	static const struct {
		enum message_id message;
		enum result_group group;
	} carried[] = {
		{MESSAGE_AUTHENTICATE, GROUP_AUTH},
		{MESSAGE_GET_RESOURCE_LIST, GROUP_LIST},
		{MESSAGE_ALLOCATE_RESOURCE, GROUP_ALLOC},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(moves); i++) {
		assert_int_equal(message_info(moves[i].message)->kind, MESSAGE_REQUEST);
		assert_true((message_info(moves[i].message)->roots & MESSAGE_ROOTS_BROKERING) != 0);
		for (size_t j = 0; j < i; j++)
			assert_false(moves[i].from == moves[j].from &&
				moves[i].message == moves[j].message &&
				moves[i].outcome == moves[j].outcome);
	}
	/* Every request of the broker protocol has a move, and every result it may be answered with
	 * leads somewhere from wherever it is allowed. */
	EACH_MESSAGE(id)
	{
		bool moved = false;

		if (message_info(id)->kind != MESSAGE_REQUEST ||
			(message_info(id)->roots & MESSAGE_ROOTS_BROKERING) == 0)
			continue;
		for (unsigned s = 0; s < STATE_COUNT; s++)
			moved |= state_may((enum state)s, id);
		assert_true(moved);
	}
	for (size_t i = 0; i < COUNT(carried); i++) {
		EACH_RESULT(result)
		{
			if (result_info(result)->group != carried[i].group)
				continue;
			for (unsigned s = 0; s < STATE_COUNT; s++) {
				enum state next;

				if (state_may((enum state)s, carried[i].message))
					assert_int_equal(
						state_next((enum state)s, carried[i].message,
							result_info(result)->outcome, &next),
						0);
			}
		}
	}
}

static void versions_are_served(void **state)
{
	static const struct {
		enum message_root root;
		uint16_t major, minor;
		bool served;
	} cases[] = {
		{ROOT_CLIENT, 0, 9, false},
		{ROOT_CLIENT, 1, 0, true},
		{ROOT_BROKER, 2, 0, true},
		{ROOT_BROKER, 2, 1, true},
		{ROOT_BROKER, 2, 2, false},
		{ROOT_CLIENT, 3, 0, false},
		{ROOT_AGENT, 1, 0, true},
		{ROOT_AGENT, 1, 1, false},
		{ROOT_AGENT, 2, 1, false},
		{ROOT_LICENSE, 1, 0, true},
		{ROOT_LICENSE, 0, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(message_version_served(cases[i].root,
					 (struct message_version){cases[i].major, cases[i].minor}),
			cases[i].served);
	for (unsigned i = 0; i < ROOT_COUNT; i++) {
		enum message_root root = (enum message_root)i;
		struct message_version newest = message_version_newest(root);
		char text[16];

		assert_true(message_version_served(root, newest));
		snprintf(text, sizeof(text), "%u.%u", (unsigned)newest.major,
			(unsigned)newest.minor);
		assert_non_null(strstr(message_versions_text(root), text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_differ),
		cmocka_unit_test(messages_differ_and_are_described),
		cmocka_unit_test(requests_and_responses_are_paired),
		cmocka_unit_test(flags_fit_the_roots),
		cmocka_unit_test(field_names_follow_from_paths),
		cmocka_unit_test(fields_differ_and_are_described),
		cmocka_unit_test(parents_stand_before_their_children),
		cmocka_unit_test(groups_have_children_and_texts_a_maximum),
		cmocka_unit_test(children_are_complete),
		cmocka_unit_test(secrets_are_exactly_these),
		cmocka_unit_test(what_is_handed_on_fits),
		cmocka_unit_test(values_belong_to_fields),
		cmocka_unit_test(results_differ_and_are_described),
		cmocka_unit_test(states_are_reachable),
		cmocka_unit_test(moves_are_clear),
		cmocka_unit_test(versions_are_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
