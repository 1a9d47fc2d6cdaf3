/* The examples of the specification page, byte for byte as it prints them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "protocol/codec.h"

#define VECTOR_MAXIMUM 4096

struct field_text {
	enum field_id field;
	const char *text;
};

static struct {
	struct arena *arena;
	struct xml_reader *reader;
	struct buffer out;
	char bytes[VECTOR_MAXIMUM];
	size_t length;
} it;

static int set_up(void **state)
{
	(void)state;
	it.arena = arena_new(65536);
	it.reader = xml_reader_new();
	buffer_init(&it.out, 65536);
	return it.arena != NULL && it.reader != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	buffer_free(&it.out);
	xml_reader_free(it.reader);
	arena_free(it.arena);
	return 0;
}

static void load(const char *name)
{
	const char *source = getenv("FAIRLEAD_SOURCE");
	char path[1024];
	FILE *file;

	assert_non_null(source);
	snprintf(path, sizeof(path), "%s/tests/vectors/page/%s.xml", source, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	it.length = fread(it.bytes, 1, sizeof(it.bytes), file);
	fclose(file);
	assert_true(it.length > 0 && it.length < sizeof(it.bytes));
}

/* Walks the tree in document order and compares every node with the list. */
static size_t compare(
	const struct message_node *node, const struct field_text *expected, size_t at, size_t count)
{
	for (; node != NULL; node = node->next) {
		assert_true(at < count);
		assert_int_equal(node->field, expected[at].field);
		assert_string_equal(node->text, expected[at].text);
		assert_int_equal(node->length, strlen(expected[at].text));
		at = compare(node->first, expected, at + 1, count);
	}
	return at;
}

static struct message *decode(const char *name)
{
	struct message *message = NULL;
	struct codec_fault fault;
	int error;

	load(name);
	error = codec_decode(it.reader, it.arena, MESSAGE_ROOTS_BROKERING, it.bytes, it.length,
		&message, &fault);
	if (error != 0)
		fail_msg("%s: %s", name, fault.detail);
	return message;
}

static void check(const char *name, enum message_id id, const struct field_text *expected,
	size_t count, bool same_bytes)
{
	struct message *message = decode(name);

	assert_int_equal(message->id, id);
	assert_int_equal(message->root, ROOT_BROKER);
	assert_int_equal(message->version.major, 2);
	assert_int_equal(message->version.minor, 1);
	assert_int_equal(compare(message->first, expected, 0, count), count);

	assert_int_equal(codec_encode(message, CODEC_PAGE, &it.out), 0);
	if (same_bytes) {
		assert_int_equal(it.out.length, it.length);
		assert_memory_equal(it.out.bytes, it.bytes, it.length);
	}
}

#define CHECK(name, id, same_bytes, ...)                                                           \
	do {                                                                                       \
		static const struct field_text expected[] = {__VA_ARGS__};                         \
		check(name, id, expected, sizeof(expected) / sizeof(*expected), same_bytes);       \
	} while (0)

static void hello(void **state)
{
	(void)state;
	CHECK("hello", MESSAGE_HELLO, true, {FIELD_HELLO_CLIENT_INFO, ""},
		{FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME, "Teradici Windows Soft Client"},
		{FIELD_HELLO_CLIENT_INFO_PRODUCT_VERSION, "3.1.5"},
		{FIELD_HELLO_CLIENT_INFO_PLATFORM, "Windows 7 64-bit"},
		{FIELD_HELLO_CLIENT_INFO_LOCALE, "en_US"},
		{FIELD_HELLO_CLIENT_INFO_HOSTNAME, "my-client.teradici.local"},
		{FIELD_HELLO_CLIENT_INFO_SERIAL_NUMBER, "123456"},
		{FIELD_HELLO_CLIENT_INFO_DEVICE_NAME, "some-name"}, {FIELD_HELLO_PCM_INFO, ""},
		{FIELD_HELLO_PCM_INFO_PRODUCT_NAME, "Teradici PCoIP Connection Manager"},
		{FIELD_HELLO_PCM_INFO_PRODUCT_VERSION, "1.0.0.12345"},
		{FIELD_HELLO_PCM_INFO_PLATFORM, "Ubuntu 14.4 64-bit"},
		{FIELD_HELLO_PCM_INFO_IP_ADDRESS, "10.0.136.93"},
		{FIELD_HELLO_PCM_INFO_HOSTNAME, "cm1.example.com"});
}

static void hello_resp(void **state)
{
	(void)state;
	CHECK("hello-resp", MESSAGE_HELLO_RESP, true, {FIELD_HELLO_RESP_BROKERS_INFO, ""},
		{FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO, ""},
		{FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_PRODUCT_NAME, "XYZ Broker"},
		{FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_PRODUCT_VERSION, "5.1.0"},
		{FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_PLATFORM, "Linux Ubuntu 10.4 64-bit"},
		{FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_LOCALE, "en_US"},
		{FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_IP_ADDRESS, "10.0.136.26"},
		{FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_HOSTNAME, "broker1.teradici.com"},
		{FIELD_HELLO_RESP_NEXT_AUTHENTICATION, ""},
		{FIELD_HELLO_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS, ""},
		{FIELD_HELLO_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS_METHOD,
			"AUTHENTICATE_VIA_PASSWORD"},
		{FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DOMAINS, ""},
		{FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DOMAINS_DOMAIN, "domain-1"},
		{FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DOMAINS_DOMAIN, "domain-2"});
}

/* The page has a blank in the start tag and one at the end of a line here. */
static void authenticate(void **state)
{
	static const char written[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
				      "<pcoip-broker version=\"2.1\">\n"
				      "<authenticate method=\"password\">\n"
				      "   <username>username</username>\n"
				      "   <password>password</password>\n"
				      "   <domain>domain</domain>\n"
				      "</authenticate>\n"
				      "</pcoip-broker>";

	(void)state;
	CHECK("authenticate", MESSAGE_AUTHENTICATE, false, {FIELD_AUTHENTICATE_METHOD, "password"},
		{FIELD_AUTHENTICATE_USERNAME, "username"},
		{FIELD_AUTHENTICATE_PASSWORD, "password"}, {FIELD_AUTHENTICATE_DOMAIN, "domain"});
	assert_string_equal(it.out.bytes, written);
}

static void authenticate_resp(void **state)
{
	(void)state;
	CHECK("authenticate-resp", MESSAGE_AUTHENTICATE_RESP, true,
		{FIELD_AUTHENTICATE_RESP_METHOD, "password"}, {FIELD_AUTHENTICATE_RESP_RESULT, ""},
		{FIELD_AUTHENTICATE_RESP_RESULT_RESULT_ID, "AUTH_SUCCESSFUL_AND_COMPLETE"},
		{FIELD_AUTHENTICATE_RESP_RESULT_RESULT_STR,
			"Authentication completed successfully"});
}

static void get_resource_list(void **state)
{
	struct message *message;

	(void)state;
	message = decode("get-resource-list");
	assert_int_equal(message->id, MESSAGE_GET_RESOURCE_LIST);
	assert_null(message->first);
	assert_int_equal(codec_encode(message, CODEC_PAGE, &it.out), 0);
	assert_int_equal(it.out.length, it.length);
	assert_memory_equal(it.out.bytes, it.bytes, it.length);
}

static void get_resource_list_resp(void **state)
{
	(void)state;
	CHECK("get-resource-list-resp", MESSAGE_GET_RESOURCE_LIST_RESP, true,
		{FIELD_GET_RESOURCE_LIST_RESP_RESULT, ""},
		{FIELD_GET_RESOURCE_LIST_RESP_RESULT_RESULT_ID, "LIST_SUCCESSFUL"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESULT_RESULT_STR,
			"The user is entitled to resources"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE, ""},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_NAME, "My Desktop"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID, "abcdef0123456789"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_TYPE, "DESKTOP"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_TYPE_SESSION_TYPE, "VDI"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_STATE, "UNKNOWN"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS, ""},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS_PROTOCOL, "PCOIP"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS_PROTOCOL_IS_DEFAULT, "true"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE, ""},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_NAME, "My Session Desktop"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID, "abcdef9876543210"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_TYPE, "DESKTOP"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_TYPE_SESSION_TYPE, "RDS"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_STATE, "UNKNOWN"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS, ""},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS_PROTOCOL, "PCOIP"},
		{FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS_PROTOCOL_IS_DEFAULT, "true"});
}

static void allocate_resource(void **state)
{
	(void)state;
	CHECK("allocate-resource", MESSAGE_ALLOCATE_RESOURCE, true,
		{FIELD_ALLOCATE_RESOURCE_RESOURCE_ID, "abcdef0123456789"},
		{FIELD_ALLOCATE_RESOURCE_PROTOCOL, "PCOIP"},
		{FIELD_ALLOCATE_RESOURCE_CLIENT_INFO, ""},
		{FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_TIME_ZONE_WINDOWS, "Pacific Standard Time"},
		{FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_IP_ADDRESS, "192.168.0.57"},
		{FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_MAC_ADDRESS, "00:67:a8:2d:84:7e"});
}

static void allocate_resource_resp(void **state)
{
	(void)state;
	CHECK("allocate-resource-resp", MESSAGE_ALLOCATE_RESOURCE_RESP, true,
		{FIELD_ALLOCATE_RESOURCE_RESP_RESULT, ""},
		{FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_ID, "ALLOC_SUCCESSFUL"},
		{FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_STR, "Successfully allocated resource"},
		{FIELD_ALLOCATE_RESOURCE_RESP_TARGET, ""},
		{FIELD_ALLOCATE_RESOURCE_RESP_TARGET_IP_ADDRESS, "192.168.1.56"},
		{FIELD_ALLOCATE_RESOURCE_RESP_TARGET_HOSTNAME, "mydesktop.teradici.com"},
		{FIELD_ALLOCATE_RESOURCE_RESP_RESOURCE_ID, "desktop-id"},
		{FIELD_ALLOCATE_RESOURCE_RESP_PROTOCOL, "PCOIP"});
}

static void bye(void **state)
{
	(void)state;
	CHECK("bye", MESSAGE_BYE, true, {FIELD_BYE_REASON, "Connection complete"});
}

static void bye_resp(void **state)
{
	struct message *message;

	(void)state;
	message = decode("bye-resp");
	assert_int_equal(message->id, MESSAGE_BYE_RESP);
	assert_null(message->first);
	assert_int_equal(codec_encode(message, CODEC_PAGE, &it.out), 0);
	assert_int_equal(it.out.length, it.length);
	assert_memory_equal(it.out.bytes, it.bytes, it.length);
}

/* The page's answer has empty lines and a comment, which no encoder makes. */
static void error_resp(void **state)
{
	(void)state;
	CHECK("error-resp", MESSAGE_ERROR_RESP, false, {FIELD_ERROR_RESP_RESULT, ""},
		{FIELD_ERROR_RESP_RESULT_RESULT_ID, "ERR_INVALID_MSG_FORMAT"},
		{FIELD_ERROR_RESP_RESULT_RESULT_STR, "Invalid XML message format"},
		{FIELD_ERROR_RESP_DETECTED_BY, "BROKER"},
		{FIELD_ERROR_RESP_ERR_DETAIL,
			"failed to close \xe2\x80\x98"
			"client-info\xe2\x80\x99 element"});
}

/* The malformed request, and the answer the page wants for it. */
static void malformed(void **state)
{
	static const char answer[] =
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<pcoip-broker version=\"2.1\">\n"
		"<error-resp>\n"
		"   <result>\n"
		"      <result-id>ERR_INVALID_MSG_FORMAT</result-id>\n"
		"      <result-str>Invalid XML message format</result-str>\n"
		"   </result>\n"
		"   <detected-by>BROKER</detected-by>\n"
		"   <err-detail>failed to close &apos;client-info&apos; element (line 5, column ";
	struct message *message = (struct message *)(uintptr_t)&it;
	struct message *reply;
	struct codec_fault fault;

	(void)state;
	load("malformed");
	assert_int_equal(codec_decode(it.reader, it.arena, MESSAGE_ROOTS_BROKERING, it.bytes,
				 it.length, &message, &fault),
		ERROR_INPUT);
	assert_ptr_equal(message, &it); /* untouched */
	assert_int_equal(fault.result, RESULT_ERR_INVALID_MSG_FORMAT);
	assert_true(fault.has_root);
	assert_int_equal(fault.root, ROOT_BROKER);
	assert_int_equal(fault.version.major, 2);
	assert_int_equal(fault.version.minor, 1);

	reply = message_new(it.arena, MESSAGE_ERROR_RESP, fault.root, fault.version);
	message_put(reply, FIELD_ERROR_RESP_RESULT_RESULT_ID, result_info(fault.result)->id);
	message_put(reply, FIELD_ERROR_RESP_RESULT_RESULT_STR, result_info(fault.result)->text);
	message_put(reply, FIELD_ERROR_RESP_DETECTED_BY, "BROKER");
	message_put(reply, FIELD_ERROR_RESP_ERR_DETAIL, fault.detail);
	assert_int_equal(codec_encode(reply, CODEC_PAGE, &it.out), 0);
	assert_memory_equal(it.out.bytes, answer, sizeof(answer) - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hello),
		TEST(hello_resp),
		TEST(authenticate),
		TEST(authenticate_resp),
		TEST(get_resource_list),
		TEST(get_resource_list_resp),
		TEST(allocate_resource),
		TEST(allocate_resource_resp),
		TEST(bye),
		TEST(bye_resp),
		TEST(error_resp),
		TEST(malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
