#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "protocol/message.h"

static const struct message_version newest = {2, 1};

static int open_arena(void **state)
{
	*state = arena_new(1 << 20);
	return *state != NULL ? 0 : -1;
}

static int close_arena(void **state)
{
	arena_free(*state);
	return 0;
}

static struct message *make(void **state, enum message_id id)
{
	struct message *message = message_new(*state, id, ROOT_CLIENT, newest);

	assert_non_null(message);
	return message;
}

static void starts_empty(void **state)
{
	struct message *message = make(state, MESSAGE_HELLO);

	assert_int_equal(message->id, MESSAGE_HELLO);
	assert_int_equal(message->root, ROOT_CLIENT);
	assert_int_equal(message->version.major, 2);
	assert_int_equal(message->version.minor, 1);
	assert_null(message->first);
	assert_null(message_find(message, FIELD_HELLO_CLIENT_INFO_HOSTNAME));
	assert_null(message_text(message, FIELD_HELLO_CLIENT_INFO_HOSTNAME));
}

static void put_makes_the_groups(void **state)
{
	struct message *message = make(state, MESSAGE_HELLO_RESP);
	const struct message_node *group;

	assert_non_null(message_put(
		message, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_PRODUCT_NAME, "Fairlead"));
	assert_non_null(
		message_put(message, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_HOSTNAME, "b1"));
	group = message_find(message, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO);
	assert_non_null(group);
	assert_null(message_next(group));
	assert_int_equal(group->parent->field, FIELD_HELLO_RESP_BROKERS_INFO);
	assert_string_equal(
		message_child(group, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_HOSTNAME)->text,
		"b1");
	assert_null(message_child(group, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_LOCALE));
	assert_string_equal(
		message_text(message, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_PRODUCT_NAME),
		"Fairlead");
}

static void put_takes_the_last_group(void **state)
{
	struct message *message = make(state, MESSAGE_GET_RESOURCE_LIST_RESP);
	const struct message_node *resource;
	struct message_node *first, *second;

	first = message_add(message, NULL, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE, NULL);
	message_put(message, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID, "1");
	second = message_add(message, NULL, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE, NULL);
	message_put(message, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID, "2");
	assert_ptr_not_equal(first, second);

	resource = message_find(message, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE);
	assert_ptr_equal(resource, first);
	assert_string_equal(
		message_child(resource, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID)->text,
		"1");
	resource = message_next(resource);
	assert_ptr_equal(resource, second);
	assert_string_equal(
		message_child(resource, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID)->text,
		"2");
	assert_null(message_next(resource));
	/* The first anywhere. */
	assert_string_equal(
		message_text(message, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID), "1");
}

static void finds_beyond_a_group_without_it(void **state)
{
	struct message *message = make(state, MESSAGE_GET_RESOURCE_LIST_RESP);

	message_add(message, NULL, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE, NULL);
	message_add(message, NULL, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE, NULL);
	message_put(message, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS_PROTOCOL, "PCOIP");
	message_put(message, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS_PROTOCOL_IS_DEFAULT,
		"true");
	assert_string_equal(
		message_text(message,
			FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS_PROTOCOL_IS_DEFAULT),
		"true");
}

static void keeps_table_order(void **state)
{
	static const enum field_id expected[] = {
		FIELD_AUTHENTICATE_METHOD,
		FIELD_AUTHENTICATE_USERNAME,
		FIELD_AUTHENTICATE_PASSWORD,
		FIELD_AUTHENTICATE_DOMAIN,
		FIELD_EXTENSION,
		FIELD_EXTENSION,
	};
	struct message *message = make(state, MESSAGE_AUTHENTICATE);
	const struct message_node *node;
	size_t i = 0;

	message_add(message, NULL, FIELD_EXTENSION, "<a/>");
	message_add(message, NULL, FIELD_AUTHENTICATE_DOMAIN, "d");
	message_add(message, NULL, FIELD_AUTHENTICATE_METHOD, "password");
	message_add(message, NULL, FIELD_AUTHENTICATE_PASSWORD, "p");
	message_add(message, NULL, FIELD_AUTHENTICATE_USERNAME, "u");
	message_add(message, NULL, FIELD_EXTENSION, "<b/>");
	for (node = message->first; node != NULL; node = node->next)
		assert_int_equal(node->field, expected[i++]);
	assert_int_equal(i, 6);
	assert_string_equal(message->last->text, "<b/>");
	assert_null(message->last->next);
}

static void repeated_fields_stay_in_their_order(void **state)
{
	struct message *message = make(state, MESSAGE_HELLO_RESP);
	const struct message_node *node;
	char text[2] = "a";

	message_put(message, FIELD_HELLO_RESP_PCM_INFO_HOSTNAME, "m");
	for (; text[0] <= 'e'; text[0]++)
		message_put(message, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DOMAINS_DOMAIN, text);
	node = message_find(message, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DOMAINS_DOMAIN);
	for (text[0] = 'a'; text[0] <= 'e'; text[0]++) {
		assert_non_null(node);
		assert_string_equal(node->text, text);
		node = message_next(node);
	}
	assert_null(node);
}

static void single_fields_are_replaced(void **state)
{
	struct message *message = make(state, MESSAGE_HELLO);
	const struct message_node *first;

	first = message_put(message, FIELD_HELLO_PCM_INFO_HOSTNAME, "forged");
	assert_ptr_equal(message_put(message, FIELD_HELLO_PCM_INFO_HOSTNAME, "real"), first);
	assert_string_equal(message_text(message, FIELD_HELLO_PCM_INFO_HOSTNAME), "real");
	assert_null(message_next(first));
}

static void long_texts_are_cut_between_characters(void **state)
{
	struct message *message = make(state, MESSAGE_AUTHENTICATE);
	const struct message_node *node;
	char text[400];

	memset(text, 'x', sizeof(text));
	text[256] = '\0';
	node = message_put(message, FIELD_AUTHENTICATE_USERNAME, text);
	assert_int_equal(node->length, 256);
	text[256] = 'x';
	text[257] = '\0';
	node = message_put(message, FIELD_AUTHENTICATE_USERNAME, text);
	assert_int_equal(node->length, 256);
	assert_int_equal(strlen(node->text), 256);
	/* A euro sign of three bytes across the end goes as a whole. */
	memcpy(text + 254, "\xe2\x82\xac", 4);
	node = message_put(message, FIELD_AUTHENTICATE_USERNAME, text);
	assert_int_equal(node->length, 254);
	memcpy(text + 253, "\xe2\x82\xacyyy", 7);
	node = message_put(message, FIELD_AUTHENTICATE_USERNAME, text);
	assert_int_equal(node->length, 256);
	assert_memory_equal(node->text + 253, "\xe2\x82\xac", 4);
}

static void texts_are_copied(void **state)
{
	struct message *message = make(state, MESSAGE_BYE);
	char text[] = "done";

	message_put(message, FIELD_BYE_REASON, text);
	memset(text, 'x', 4);
	assert_string_equal(message_text(message, FIELD_BYE_REASON), "done");
	message_put(message, FIELD_BYE_REASON, NULL);
	assert_string_equal(message_text(message, FIELD_BYE_REASON), "");
}

static void numbers_and_results_are_read(void **state)
{
	struct message *message = make(state, MESSAGE_LAUNCH_SESSION_RESP);
	uint64_t number = 7;

	assert_false(message_number(
		message, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_ID, &number));
	assert_int_equal(number, 7);
	message_put(message, FIELD_LAUNCH_SESSION_RESP_RESULT_ID, "successful");
	message_put(message, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO, NULL);
	message_add_number(message,
		(struct message_node *)(uintptr_t)message_find(
			message, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO),
		FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_ID, UINT64_MAX);
	assert_string_equal(
		message_text(message, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_ID),
		"18446744073709551615");
	assert_true(message_number(
		message, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_ID, &number));
	assert_true(number == UINT64_MAX);
	message_put(message, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_PORT, "x");
	assert_false(message_number(message, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_PORT, &number));

	assert_int_equal(
		message_result(message, FIELD_LAUNCH_SESSION_RESP_RESULT_ID), RESULT_SUCCESSFUL);
	message_put(message, FIELD_LAUNCH_SESSION_RESP_RESULT_ID, "WHATEVER");
	assert_int_equal(message_result(message, FIELD_LAUNCH_SESSION_RESP_RESULT_ID), RESULT_NONE);
}

static void copies_everything(void **state)
{
	struct message *from = make(state, MESSAGE_HELLO);
	struct arena *arena = arena_new(1 << 16);
	struct message *to = message_new(arena, MESSAGE_HELLO, ROOT_BROKER, newest);
	const struct message_node *cap;
	struct message_node *client;

	client = message_add(from, NULL, FIELD_HELLO_CLIENT_INFO, NULL);
	message_add(from, client, FIELD_HELLO_CLIENT_INFO_HOSTNAME, "h");
	message_add(from, client, FIELD_EXTENSION, "<v:x xmlns:v=\"urn:v\"></v:x>");
	message_put(from, FIELD_HELLO_CAPS_CAP, "CAP_A");
	message_put(from, FIELD_HELLO_CAPS_CAP, "CAP_B");
	message_put(from, FIELD_HELLO_PCM_INFO_HOSTNAME, "forged");
	/* What the relay says of itself beforehand stays. */
	message_put(to, FIELD_HELLO_PCM_INFO_PRODUCT_NAME, "Fairlead");
	assert_int_equal(message_copy(to, from), 0);
	arena_reset(*state);

	assert_string_equal(message_text(to, FIELD_HELLO_CLIENT_INFO_HOSTNAME), "h");
	assert_string_equal(
		message_child(message_find(to, FIELD_HELLO_CLIENT_INFO), FIELD_EXTENSION)->text,
		"<v:x xmlns:v=\"urn:v\"></v:x>");
	cap = message_find(to, FIELD_HELLO_CAPS_CAP);
	assert_string_equal(cap->text, "CAP_A");
	assert_string_equal(message_next(cap)->text, "CAP_B");
	assert_string_equal(message_text(to, FIELD_HELLO_PCM_INFO_PRODUCT_NAME), "Fairlead");
	assert_null(message_text(to, FIELD_HELLO_PCM_INFO_HOSTNAME));
	assert_int_equal(to->root, ROOT_BROKER);
	arena_free(arena);
}

static void copies_between_messages_by_path(void **state)
{
	struct message *from = make(state, MESSAGE_AUTHENTICATE_RESP);
	struct message *to = make(state, MESSAGE_ERROR_RESP);

	message_put(from, FIELD_AUTHENTICATE_RESP_METHOD, "password");
	message_put(from, FIELD_AUTHENTICATE_RESP_RESULT_RESULT_ID, "AUTH_FAILED_ACCESS_DENIED");
	message_put(from, FIELD_AUTHENTICATE_RESP_RESULT_RESULT_STR, "no");
	assert_int_equal(message_copy(to, from), 0);
	assert_string_equal(
		message_text(to, FIELD_ERROR_RESP_RESULT_RESULT_ID), "AUTH_FAILED_ACCESS_DENIED");
	assert_string_equal(message_text(to, FIELD_ERROR_RESP_RESULT_RESULT_STR), "no");
	assert_null(to->first->next); /* there is no method in error-resp */
}

static void wipes_secrets_only(void **state)
{
	struct message *message = make(state, MESSAGE_LAUNCH_SESSION);
	const struct message_node *password;

	message_put(message, FIELD_LAUNCH_SESSION_LOGON_USERNAME, "alice");
	message_put(message, FIELD_LAUNCH_SESSION_LOGON_DOMAIN, "");
	password = message_put(message, FIELD_LAUNCH_SESSION_LOGON_PASSWORD, "secret");
	message_wipe_secrets(message);
	assert_memory_equal(password->text, "\0\0\0\0\0\0\0", 7);
	assert_int_equal(password->length, 0);
	assert_string_equal(message_text(message, FIELD_LAUNCH_SESSION_LOGON_USERNAME), "alice");
	message_wipe_secrets(message);
}

static void tells_when_memory_is_short(void **state)
{
	struct message *from = make(state, MESSAGE_HELLO);

	message_put(from, FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME, "product");
	message_put(from, FIELD_HELLO_CAPS_CAP, "CAP");
	/* With every size of arena: a NULL or an error, never a crash. */
	for (size_t size = 1; size < 800; size += 8) {
		struct arena *arena = arena_new(size);
		struct message *to = message_new(arena, MESSAGE_HELLO, ROOT_BROKER, newest);
		int error;

		if (to != NULL) {
			error = message_copy(to, from);
			assert_true(error == 0 || error == ERROR_MEMORY);
			if (error == 0)
				assert_string_equal(message_text(to, FIELD_HELLO_CAPS_CAP), "CAP");
			if (message_put(to, FIELD_HELLO_SERVER_ADDRESS_HOSTNAME, "h") != NULL)
				assert_string_equal(
					message_text(to, FIELD_HELLO_SERVER_ADDRESS_HOSTNAME), "h");
		} else {
			assert_true(size < 200);
		}
		arena_free(arena);
	}
}

static void types_are_told_apart(void **state)
{
	static const struct {
		enum field_type type;
		const char *text;
		bool holds;
	} cases[] = {
		{FIELD_NUMBER, "0", true},
		{FIELD_NUMBER, "18446744073709551615", true},
		{FIELD_NUMBER, "18446744073709551616", false},
		{FIELD_NUMBER, "99999999999999999999", false},
		{FIELD_NUMBER, "", false},
		{FIELD_NUMBER, "-1", false},
		{FIELD_NUMBER, "+1", false},
		{FIELD_NUMBER, "1 2", false},
		{FIELD_NUMBER, "0x10", false},
		{FIELD_FLAG, "true", true},
		{FIELD_FLAG, "false", true},
		{FIELD_FLAG, "1", true},
		{FIELD_FLAG, "0", true},
		{FIELD_FLAG, "yes", false},
		{FIELD_FLAG, "", false},
		{FIELD_FLAG, "2", false},
		{FIELD_TIME, "2026-01-31", true},
		{FIELD_TIME, "2026-02-29", false},
		{FIELD_TIME, "2028-02-29", true},
		{FIELD_TIME, "1900-02-29", false},
		{FIELD_TIME, "2000-02-29", true},
		{FIELD_TIME, "2026-13-01", false},
		{FIELD_TIME, "2026-00-01", false},
		{FIELD_TIME, "2026-01-00", false},
		{FIELD_TIME, "2026-01-31T23:59:59Z", true},
		{FIELD_TIME, "2026-01-31T23:59:59.123456Z", true},
		{FIELD_TIME, "2026-01-31T23:59:59.Z", false},
		{FIELD_TIME, "2026-01-31T24:00:00Z", false},
		{FIELD_TIME, "2026-01-31T23:60:00Z", false},
		{FIELD_TIME, "2026-01-31T23:59:59", false},
		{FIELD_TIME, "2026-01-31T23:59:59+01:00", false},
		{FIELD_TIME, "2026-01-31 23:59:59Z", false},
		{FIELD_TIME, "2026/01/31", false},
		{FIELD_TIME, "", false},
		{FIELD_TEXT, "anything", true},
		{FIELD_EXACT, " ", true},
		{FIELD_ENUM, "NEW_VALUE", true},
		{FIELD_RESULT, "NEW_RESULT", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t length = strlen(cases[i].text);
		/* Exactly as long as the text, so that reading beyond it is noticed. */
		char *copy = malloc(length + 1);

		assert_non_null(copy);
		memcpy(copy, cases[i].text, length);
		copy[length] = '7';
		if (field_type_holds(cases[i].type, copy, length) != cases[i].holds)
			fail_msg("'%s' as type %d", cases[i].text, (int)cases[i].type);
		free(copy);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(starts_empty),
		TEST(put_makes_the_groups),
		TEST(put_takes_the_last_group),
		TEST(finds_beyond_a_group_without_it),
		TEST(keeps_table_order),
		TEST(repeated_fields_stay_in_their_order),
		TEST(single_fields_are_replaced),
		TEST(long_texts_are_cut_between_characters),
		TEST(texts_are_copied),
		TEST(numbers_and_results_are_read),
		TEST(copies_everything),
		TEST(copies_between_messages_by_path),
		TEST(wipes_secrets_only),
		TEST(tells_when_memory_is_short),
		cmocka_unit_test(types_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
