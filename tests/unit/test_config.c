#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/config.h"
#include "base/error.h"

enum colour { RED = 1, GREEN = 2 };

struct user {
	char *name;
	char *password;
};

struct sample {
	char *address;
	uint16_t port;
	int32_t offset;
	int64_t large;
	bool active;
	double factor;
	enum colour colour;
	char **domains;
	uint32_t domains_count;
	struct user *users;
	uint32_t users_count;
	char *note;
};

static const cyaml_strval_t colours[] = {{"red", RED}, {"green", GREEN}};

static const cyaml_schema_value_t text_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 20),
};

static const cyaml_schema_field_t user_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct user, name, 1, 20),
	CYAML_FIELD_STRING_PTR("password", CYAML_FLAG_POINTER, struct user, password, 8, 20),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t user_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct user, user_fields),
};

static const cyaml_schema_field_t sample_fields[] = {
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct sample, address, 1, 20),
	CYAML_FIELD_UINT("port", CYAML_FLAG_OPTIONAL, struct sample, port),
	CYAML_FIELD_INT("offset", CYAML_FLAG_OPTIONAL, struct sample, offset),
	CYAML_FIELD_INT("large", CYAML_FLAG_OPTIONAL, struct sample, large),
	CYAML_FIELD_BOOL("active", CYAML_FLAG_OPTIONAL, struct sample, active),
	CYAML_FIELD_FLOAT("factor", CYAML_FLAG_OPTIONAL, struct sample, factor),
	CYAML_FIELD_ENUM("colour", CYAML_FLAG_OPTIONAL, struct sample, colour, colours, 2),
	CYAML_FIELD_SEQUENCE(
		"domains", CYAML_FLAG_POINTER, struct sample, domains, &text_value, 1, 3),
	CYAML_FIELD_SEQUENCE("users", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct sample,
		users, &user_value, 0, CYAML_UNLIMITED),
	CYAML_FIELD_STRING_PTR(
		"note", CYAML_FLAG_POINTER_NULL | CYAML_FLAG_OPTIONAL, struct sample, note, 0, 20),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t sample_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct sample, sample_fields),
};

#define GOOD "address: a\ndomains: [x]\n"

static int load(const char *text, struct config **ret_config, struct config_fault *fault)
{
	return config_load_bytes("b.yaml", text, strlen(text), &sample_schema, ret_config, fault);
}

/* The text is refused with exactly this fault. */
static void check_fault(const char *text, const char *expected)
{
	struct config *config = (struct config *)0x1;
	struct config_fault fault = {.text = ""};
	int result = load(text, &config, &fault);

	assert_string_equal(fault.text, expected);
	assert_int_equal(result, ERROR_INPUT);
	assert_ptr_equal(config, (struct config *)0x1);
}

static void a_good_file_is_loaded(void **state)
{
	struct config_fault fault = {.text = ""};
	const struct sample *sample;
	struct config *config;

	(void)state;
	if (load("# comment\n"
		 "address: \"127.0.0.1\"\nport: 0x1BB\noffset: -5\nlarge: 0\nactive: No\n"
		 "factor: 1.5\ncolour: green\n"
		 "domains:\n  - example.com\n  - 'second'\n"
		 "users:\n  - name: alice\n    password: $y$j9T$abc\n  - { name: b, password: "
		 "12345678 }\nnote:\n",
		    &config, &fault) != 0)
		fail_msg("%s", fault.text);
	sample = config_data(config);
	assert_string_equal(sample->address, "127.0.0.1");
	assert_int_equal(sample->port, 443);
	assert_int_equal(sample->offset, -5);
	assert_false(sample->active);
	assert_true(sample->factor == 1.5);
	assert_int_equal(sample->colour, GREEN);
	assert_int_equal(sample->domains_count, 2);
	assert_string_equal(sample->domains[1], "second");
	assert_int_equal(sample->users_count, 2);
	assert_string_equal(sample->users[0].password, "$y$j9T$abc");
	assert_string_equal(sample->users[1].password, "12345678");
	assert_null(sample->note);
	config_free(config);
	config_free(NULL);
}

static void keys(void **state)
{
	(void)state;
	check_fault("adress: a\n",
		"b.yaml:1:1: unknown key 'adress'; expected one of: address, port, offset, large, "
		"active, factor, colour, domains, users, note");
	check_fault("address: a\n", "b.yaml:1:1: missing key 'domains'; expected it with a list");
	check_fault(GOOD "users:\n  - name: a\n    password: 12345678\n  - name: b\n",
		"b.yaml:6:5: missing key 'password'; expected it with a text");
	check_fault(GOOD "users:\n  - name: a\n    pasword: 12345678\n",
		"b.yaml:5:5: unknown key 'pasword'; expected one of: name, password");
	check_fault(GOOD "port: 1\naddress: b\n",
		"b.yaml:4:1: key 'address' is given twice (first in line 1); expected once");
	check_fault(GOOD "? [a]\n: b\n",
		"b.yaml:3:3: a list or a mapping cannot be a key; expected a word");
	check_fault(GOOD "\"a\\nb\": 1\n",
		"b.yaml:3:1: unknown key 'a?b'; expected one of: address, port, offset, large, "
		"active, factor, colour, domains, users, note");
}

static void numbers(void **state)
{
	(void)state;
	check_fault(GOOD "port: ten\n",
		"b.yaml:3:7: 'ten' is not a whole number; expected one from 0 to 65535");
	check_fault(GOOD "port: 10x\n",
		"b.yaml:3:7: '10x' is not a whole number; expected one from 0 to 65535");
	check_fault(GOOD "port: 010\n",
		"b.yaml:3:7: '010' is not a whole number; expected one from 0 to 65535");
	check_fault(GOOD "port: 0x\n",
		"b.yaml:3:7: '0x' is not a whole number; expected one from 0 to 65535");
	check_fault(GOOD "port: 1.0\n",
		"b.yaml:3:7: '1.0' is not a whole number; expected one from 0 to 65535");
	check_fault(GOOD "port: 65536\n",
		"b.yaml:3:7: '65536' is out of range; expected a whole number from 0 to 65535");
	check_fault(GOOD "port: -1\n",
		"b.yaml:3:7: '-1' is out of range; expected a whole number from 0 to 65535");
	check_fault(GOOD "port: -18446744073709551615\n",
		"b.yaml:3:7: '-18446744073709551615' is out of range; expected a whole number from "
		"0 to 65535");
	check_fault(GOOD "port: 99999999999999999999999\n",
		"b.yaml:3:7: '99999999999999999999999' is out of range; expected a whole number "
		"from 0 to 65535");
	check_fault(GOOD "port:\n", "b.yaml:3:6: there is no value; expected a whole number");
	check_fault(GOOD "port: [1]\n", "b.yaml:3:7: there is a list; expected a whole number");
	check_fault(GOOD "offset: 2147483648\n",
		"b.yaml:3:9: '2147483648' is out of range; expected a whole number from "
		"-2147483648 to 2147483647");
	check_fault(GOOD "factor: 1.5s\n",
		"b.yaml:3:9: '1.5s' is not a number; expected one such as 1.5");
	check_fault(GOOD "factor: nan\n",
		"b.yaml:3:9: 'nan' is not a number; expected one such as 1.5");
}

static void the_whole_range_of_numbers_is_accepted(void **state)
{
	struct config_fault fault = {.text = ""};
	const struct sample *sample;
	struct config *config;

	(void)state;
	if (load(GOOD "port: 65535\noffset: -2147483648\nlarge: 9223372036854775807\n", &config,
		    &fault) != 0)
		fail_msg("%s", fault.text);
	sample = config_data(config);
	assert_int_equal(sample->port, 65535);
	assert_true(sample->offset == INT32_MIN);
	assert_true(sample->large == INT64_MAX);
	config_free(config);
}

static void words(void **state)
{
	(void)state;
	check_fault(GOOD "active: flase\n",
		"b.yaml:3:9: 'flase' is neither true nor false; expected true or false");
	check_fault(GOOD "active: 1\n",
		"b.yaml:3:9: '1' is neither true nor false; expected true or false");
	check_fault(GOOD "colour: blue\n",
		"b.yaml:3:9: 'blue' is not known here; expected one of: red, green");
	check_fault(GOOD "colour: 1\n",
		"b.yaml:3:9: '1' is not known here; expected one of: red, green");
}

static void texts_and_lists(void **state)
{
	(void)state;
	check_fault("address:\ndomains: [x]\n", "b.yaml:1:9: there is no value; expected a text");
	check_fault("address: 123456789012345678901\ndomains: [x]\n",
		"b.yaml:1:10: this text of 21 bytes is too long; expected at most 20");
	check_fault(GOOD "users:\n  - name: a\n    password: hunter2\n",
		"b.yaml:5:15: this text of 7 bytes is too short; expected at least 8");
	check_fault("address: { a: b }\ndomains: [x]\n",
		"b.yaml:1:10: there is 'key: value'; expected a text");
	check_fault("address: a\ndomains: x\n",
		"b.yaml:2:10: there is a single value; expected a list");
	check_fault("address: a\ndomains:\n", "b.yaml:2:9: there is nothing; expected a list");
	check_fault("address: a\ndomains: []\n",
		"b.yaml:2:10: this list has 0 entries; expected at least 1");
	check_fault("address: a\ndomains: [a, b, c, d]\n",
		"b.yaml:2:10: this list has 4 entries; expected at most 3");
	check_fault(GOOD "users: [a]\n",
		"b.yaml:3:9: there is a single value; expected 'key: value' lines");
	check_fault("- a\n", "b.yaml:1:1: there is a list; expected 'key: value' lines");
	check_fault("a\n", "b.yaml:1:1: there is a single value; expected 'key: value' lines");
}

static void syntax(void **state)
{
	(void)state;
	check_fault("", "b.yaml:1:1: there is nothing in this file; expected 'key: value'");
	check_fault("# only a comment\n",
		"b.yaml:1:1: there is nothing in this file; expected 'key: value'");
	check_fault("address: a\ndomains:\n\t- x\n",
		"b.yaml:3:1: a tab cannot indent; expected spaces");
	check_fault("address: \"a\ndomains: [x]\n",
		"b.yaml:1:10: this quoted text is not closed; expected \" at its end");
	check_fault("domains: [x]\naddress: 'a\n",
		"b.yaml:2:10: this quoted text is not closed; expected ' at its end");
	check_fault("domains: [x\naddress: a\n",
		"b.yaml:2:8: expected ',' or ']' for the list that begins in line 1");
	check_fault("address: a: b\n",
		"b.yaml:1:11: a ':' is not possible here; expected the key on a line of its own, "
		"indented like its neighbours, or quotes around a text that has ': ' in it");
	check_fault("address: a\n  port: 1\n",
		"b.yaml:2:7: a ':' is not possible here; expected the key on a line of its own, "
		"indented like its neighbours, or quotes around a text that has ': ' in it");
	check_fault("  address: a\nport: 1\n",
		"b.yaml:2:1: the document has ended before this; expected 'key: value', indented "
		"like its neighbours");
	check_fault("address: a\nport\ndomains: [x]\n", "b.yaml:3:1: expected ':' after the key");
	check_fault("address: @a\n",
		"b.yaml:1:10: not valid YAML: found character that cannot start any token; "
		"expected 'key: value' lines, and quotes around a text that begins with a special "
		"character");
	check_fault("address: a\nport: \xff\n",
		"b.yaml:2:7: not a text in UTF-8: invalid leading UTF-8 octet; expected printable "
		"characters");
	check_fault("address: \x01\n",
		"b.yaml:1:10: not a text in UTF-8: control characters are not allowed; expected "
		"printable characters");
}

static void what_yaml_has_and_we_refuse(void **state)
{
	(void)state;
	check_fault("address: &x a\ndomains: [*x]\n",
		"b.yaml:1:10: anchors are not supported; expected quotes around a text that begins "
		"with '&'");
	check_fault("address: *x\n",
		"b.yaml:1:10: aliases are not supported; expected quotes around a text that begins "
		"with '*'");
	check_fault("address: !secret\n",
		"b.yaml:1:10: tags are not supported; expected quotes around a text that begins "
		"with '!'");
	check_fault(GOOD "---\naddress: b\n",
		"b.yaml:3:1: a second document begins here; expected one");
	check_fault("address: \"a\\0b\"\n",
		"b.yaml:1:10: this text holds a NUL character; expected none");
}

static void depth_is_bounded(void **state)
{
	char text[70000] = "";

	(void)state;
	memset(text, '[', 31);
	check_fault(text,
		"b.yaml:2:1: a value is missing here; expected one, or the end of the list or "
		"mapping that was opened");
	memset(text, '[', sizeof(text) - 1);
	check_fault(text, "b.yaml:1:33: nested too deeply; expected at most 32 levels");
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "- ", 2);
	check_fault(text, "b.yaml:1:65: nested too deeply; expected at most 32 levels");
}

static void long_words_are_cut_in_faults(void **state)
{
	char text[5000] = GOOD;
	struct config_fault fault;
	struct config *config;
	size_t at = strlen(text);

	(void)state;
	memset(text + at, 'k', 4000);
	strcpy(text + at + 4000, "\n");
	memcpy(text + at + 3000, ": ", 2);
	assert_int_equal(load(text, &config, &fault), ERROR_INPUT);
	assert_true(strlen(fault.text) < CONFIG_FAULT_SIZE);
	strcpy(text, GOOD "port: ");
	for (at = strlen(text); at < 1000; at += 2)
		memcpy(text + at, "\xc3\xbc", 2);
	strcpy(text + at, "\n");
	assert_int_equal(load(text, &config, &fault), ERROR_INPUT);
	assert_non_null(strstr(fault.text, "\xbc...' is not a whole number"));
}

static void many_keys_end_in_dots(void **state)
{
	static char names[60][24];
	cyaml_schema_field_t fields[61];
	struct config_fault fault;
	struct config *config;
	cyaml_schema_value_t schema = {
		CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct sample, fields),
	};

	(void)state;
	memset(fields, 0, sizeof(fields));
	for (size_t i = 0; i < 60; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "configuration-key-%zu", i);
		fields[i].key = names[i];
		fields[i].value.type = CYAML_IGNORE;
		fields[i].value.flags = CYAML_FLAG_OPTIONAL;
	}
	assert_int_equal(
		config_load_bytes("b.yaml", "x: 1\n", 5, &schema, &config, &fault), ERROR_INPUT);
	assert_non_null(strstr(fault.text, "configuration-key-0, "));
	assert_string_equal(fault.text + strlen(fault.text) - 5, ", ...");
}

/* A schema that cyaml cannot serve: its own words are the last resort. */
static void what_only_cyaml_refuses_is_a_fault_too(void **state)
{
	static const cyaml_schema_value_t inner = {
		CYAML_VALUE_SEQUENCE(CYAML_FLAG_POINTER, char *, &text_value, 0, 3),
	};
	static const cyaml_schema_field_t fields[] = {
		CYAML_FIELD_SEQUENCE(
			"domains", CYAML_FLAG_POINTER, struct sample, domains, &inner, 1, 3),
		CYAML_FIELD_END,
	};
	static const cyaml_schema_value_t schema = {
		CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct sample, fields),
	};
	static const char text[] = "domains: [[a]]\n";
	struct config_fault fault = {.text = ""};
	struct config *config;

	(void)state;
	assert_int_equal(
		config_load_bytes("b.yaml", text, sizeof(text) - 1, &schema, &config, &fault),
		ERROR_INPUT);
	assert_memory_equal(fault.text, "b.yaml:1:1: cannot be used: ", 28);
}

static void check_place(const struct config *config, const char *path, const char *place)
{
	struct config_fault fault;
	char expected[64];

	(void)snprintf(expected, sizeof(expected), "%s: bad 7", place);
	assert_int_equal(config_fault_at(config, &fault, path, "bad %d", 7), ERROR_INPUT);
	assert_string_equal(fault.text, expected);
}

static void faults_of_our_own_find_their_line(void **state)
{
	struct config_fault fault = {.text = ""};
	struct config *config;

	(void)state;
	assert_int_equal(load("# comment\naddress: a\ndomains:\n  - x\n  - y\nusers:\n"
			      "  - name: a\n    password: 12345678\n",
				 &config, &fault),
		0);
	check_place(config, "", "b.yaml:2:1");
	check_place(config, "address", "b.yaml:2:10");
	check_place(config, "domains", "b.yaml:3:1");
	check_place(config, "domains[1]", "b.yaml:5:5");
	check_place(config, "domains[2]", "b.yaml:3:1");
	check_place(config, "users[0]", "b.yaml:7:5");
	check_place(config, "users[0].password", "b.yaml:8:15");
	check_place(config, "users[0].none", "b.yaml:7:5");
	check_place(config, "users[9].password", "b.yaml:6:1");
	check_place(config, "none[0].none", "b.yaml:2:1");
	check_place(config, "address.none", "b.yaml:2:10");
	check_place(config, "address[3]", "b.yaml:2:10");
	assert_int_equal(config_fault_at(config, &fault, "", "%2000s", ""), ERROR_INPUT);
	assert_int_equal(strlen(fault.text), CONFIG_FAULT_SIZE - 1);
	assert_string_equal(fault.text + CONFIG_FAULT_SIZE - 4, "...");
	config_free(config);
}

static void names_are_relative_to_the_file(void **state)
{
	struct config_fault fault;
	struct config *config;
	char name[] = "ca.pem";
	const char *path;

	(void)state;
	assert_int_equal(load(GOOD, &config, &fault), 0);
	path = config_path(config, name);
	assert_string_equal(path, "ca.pem");
	assert_ptr_not_equal(path, name);
	config_free(config);
	assert_int_equal(config_load_bytes("/etc/fairlead/b.yaml", GOOD, strlen(GOOD),
				 &sample_schema, &config, &fault),
		0);
	assert_string_equal(config_path(config, "ca.pem"), "/etc/fairlead/ca.pem");
	assert_string_equal(config_path(config, "/ca.pem"), "/ca.pem");
	assert_null(config_path(config, NULL));
	config_free(config);
	assert_int_equal(
		config_load_bytes("/b.yaml", GOOD, strlen(GOOD), &sample_schema, &config, &fault),
		0);
	assert_string_equal(config_path(config, "x/ca.pem"), "/x/ca.pem");
	config_free(config);
}

static void write_file(const char *file, const char *text, size_t copies)
{
	FILE *stream = fopen(file, "w");

	assert_non_null(stream);
	for (size_t i = 0; i < copies; i++)
		assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
}

static void files(void **state)
{
	char folder[] = "/tmp/test-config-XXXXXX";
	struct config_fault fault;
	struct config *config;
	char expected[128];
	char file[64];
	char *text;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(file, sizeof(file), "%s/b.yaml", folder);
	assert_int_equal(config_load(file, &sample_schema, &config, &fault), ERROR_SYSTEM);
	(void)snprintf(expected, sizeof(expected), "%s: %s", file, strerror(ENOENT));
	assert_string_equal(fault.text, expected);
	assert_int_equal(config_load(folder, &sample_schema, &config, &fault), ERROR_SYSTEM);

	write_file(file, GOOD, 1);
	assert_int_equal(config_load(file, &sample_schema, &config, &fault), 0);
	assert_string_equal(((struct sample *)config_data(config))->domains[0], "x");
	config_free(config);

	write_file(file, "# 3456789abcdef\n", CONFIG_FILE_MAXIMUM / 16);
	assert_int_equal(config_load(file, &sample_schema, &config, &fault), ERROR_INPUT);
	write_file(file, "# 3456789abcdef\n", CONFIG_FILE_MAXIMUM / 16 + 1);
	assert_int_equal(config_load(file, &sample_schema, &config, &fault), ERROR_LIMIT);
	(void)snprintf(expected, sizeof(expected), "%s: too large; expected at most 4 MiB", file);
	assert_string_equal(fault.text, expected);

	text = calloc(1, CONFIG_FILE_MAXIMUM + 1);
	assert_non_null(text);
	assert_int_equal(config_load_bytes("b.yaml", text, CONFIG_FILE_MAXIMUM + 1, &sample_schema,
				 &config, &fault),
		ERROR_LIMIT);
	assert_string_equal(fault.text, "b.yaml: too large; expected at most 4 MiB");
	free(text);

	write_file(file, "- \n", CONFIG_VALUES_MAXIMUM + 1);
	assert_int_equal(config_load(file, &sample_schema, &config, &fault), ERROR_INPUT);
	assert_non_null(strstr(fault.text, ": too many values; expected at most 500000"));
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_file_is_loaded),
		cmocka_unit_test(keys),
		cmocka_unit_test(numbers),
		cmocka_unit_test(the_whole_range_of_numbers_is_accepted),
		cmocka_unit_test(words),
		cmocka_unit_test(texts_and_lists),
		cmocka_unit_test(syntax),
		cmocka_unit_test(what_yaml_has_and_we_refuse),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(long_words_are_cut_in_faults),
		cmocka_unit_test(many_keys_end_in_dots),
		cmocka_unit_test(what_only_cyaml_refuses_is_a_fault_too),
		cmocka_unit_test(faults_of_our_own_find_their_line),
		cmocka_unit_test(names_are_relative_to_the_file),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
