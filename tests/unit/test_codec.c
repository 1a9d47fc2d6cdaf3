/* What the decoder understands, and what it refuses. */
#include "codec_case.h"

#include <stdio.h>

/* --- what real programs send --- */

static void a_real_client_is_understood(void **state)
{
	struct message *message;

	(void)state;
	message =
		decode("\r\n <?xml version=\"1.0\" encoding=\"UTF-8\"?>"
		       "<pcoip-client version=\"2.1\"><hello><client-info>"
		       "<product-name>QueryBrokerClient</product-name>"
		       "<product-version>1.0</product-version><platform>PCoIP</platform>"
		       "<locale>en_US</locale><hostname>h</hostname><serial-number></serial-number>"
		       "<device-name>h</device-name>"
		       "<pcoip-unique-id>00:00:00:00:00:00</pcoip-unique-id>"
		       "</client-info></hello></pcoip-client>");
	assert_int_equal(message->root, ROOT_CLIENT);
	assert_string_equal(
		text_of(message, FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME), "QueryBrokerClient");
	assert_string_equal(text_of(message, FIELD_HELLO_CLIENT_INFO_SERIAL_NUMBER), "");

	message = decode(HELLO("<caps><cap>CAP_NO_AUTHENTICATION</cap><cap>CAP_NEW</cap></caps>"
			       "<server-address><ip-address>::1</ip-address>"
			       "<hostname>b.example</hostname></server-address>"));
	assert_string_equal(text_of(message, FIELD_HELLO_CAPS_CAP), "CAP_NO_AUTHENTICATION");
	assert_string_equal(
		message_next(message_find(message, FIELD_HELLO_CAPS_CAP))->text, "CAP_NEW");
	assert_string_equal(text_of(message, FIELD_HELLO_SERVER_ADDRESS_HOSTNAME), "b.example");

	assert_null(decode(C("<bye/>"))->first);
	assert_null(decode(C("<get-resource-list/>"))->first);
	message = decode(C("<get-resource-list><protocols><protocol>PCOIP</protocol></protocols>"
			   "<resource-types><resource-type>DESKTOP</resource-type></resource-types>"
			   "</get-resource-list>"));
	assert_string_equal(
		text_of(message, FIELD_GET_RESOURCE_LIST_RESOURCE_TYPES_RESOURCE_TYPE), "DESKTOP");
	message = decode(C("<authenticate method=\"password\"><username>u</username>"
			   "<password>p</password><domain/></authenticate>"));
	assert_string_equal(text_of(message, FIELD_AUTHENTICATE_DOMAIN), "");
	message = decode(C("<allocate-resource><resource-id>0</resource-id>"
			   "<protocol>PCOIP</protocol><client-info><ip-address>1.2.3.4</ip-address>"
			   "<mac-address></mac-address></client-info></allocate-resource>"));
	assert_string_equal(text_of(message, FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_MAC_ADDRESS), "");
	message = decode(C("<authenticate-resp><result>"
			   "<result-id>AUTH_SUCCESSFUL_AND_INCOMPLETE</result-id></result>"
			   "</authenticate-resp>"));
	assert_int_equal(message_result(message, FIELD_AUTHENTICATE_RESP_RESULT_RESULT_ID),
		RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE);
	assert_null(message_text(message, FIELD_AUTHENTICATE_RESP_METHOD));
}

static void a_real_launch_is_understood(void **state)
{
	struct message *message;
	uint64_t session;

	(void)state;
	message = decode(A("<launch-session><session-type>UNSPECIFIED</session-type>"
			   "<ip-address>172.16.43.3</ip-address><hostname>ws.example</hostname>"
			   "<logon method=\"windows-password\"><username>u</username>"
			   "<password>p</password><domain>d</domain></logon>"
			   "<client-mac></client-mac><client-ip>10.27.0.5</client-ip>"
			   "<client-name>ford</client-name>"
			   "<license-path>2589@license-server</license-path>"
			   "<session-log-id>d9836980-34c4-1fed-9dea-000000000000</session-log-id>"
			   "</launch-session>"));
	assert_int_equal(message->root, ROOT_AGENT);
	assert_string_equal(
		text_of(message, FIELD_LAUNCH_SESSION_LOGON_METHOD), "windows-password");
	assert_string_equal(
		text_of(message, FIELD_LAUNCH_SESSION_LICENSE_PATH), "2589@license-server");
	message = decode(
		A("<launch-session-resp><result-id>successful</result-id><session-info>"
		  "<ip-address>10.0.0.7</ip-address><sni>SNI</sni><port>4172</port>"
		  "<session-id>2305843009213693961</session-id>"
		  "<session-tag>abc%2b==</session-tag></session-info></launch-session-resp>"));
	assert_true(message_number(
		message, FIELD_LAUNCH_SESSION_RESP_SESSION_INFO_SESSION_ID, &session));
	assert_true(session == UINT64_C(2305843009213693961));
	assert_int_equal(
		message_result(message, FIELD_LAUNCH_SESSION_RESP_RESULT_ID), RESULT_SUCCESSFUL);
}

static void order_is_free_and_the_unknown_is_skipped(void **state)
{
	struct message *message;

	(void)state;
	message = decode("<pcoip-client extra=\"1\" version=\"2.1\"><hello new=\"x\">"
			 "<new><hostname>wrong</hostname><a><b><c/></b></a></new>"
			 "<caps>stray<cap>X</cap></caps>stray"
			 "<client-info a=\"b\"><hostname c=\"d\">h<odd>not this</odd>i</hostname>"
			 "<!-- comment --><?pi?><product-name>p<!-- c -->q</product-name>"
			 "</client-info></hello></pcoip-client>");
	assert_string_equal(text_of(message, FIELD_HELLO_CLIENT_INFO_HOSTNAME), "hi");
	assert_string_equal(text_of(message, FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME), "pq");
	assert_int_equal(message->first->field, FIELD_HELLO_CLIENT_INFO);
	assert_int_equal(message->first->first->field, FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME);
	assert_int_equal(message->first->next->field, FIELD_HELLO_CAPS);
	assert_null(message->first->next->next);
	assert_ptr_equal(message->last, message->first->next);
}

static void white_space_around_values_does_not_count(void **state)
{
	struct message *message;

	(void)state;
	message = decode(
		C("<authenticate method=\" password\t\"><username>\n\t a  b \n</username>"
		  "<password> p&amp;\t &#13;q </password><domain>  </domain></authenticate>"));
	assert_string_equal(text_of(message, FIELD_AUTHENTICATE_METHOD), "password");
	assert_string_equal(text_of(message, FIELD_AUTHENTICATE_USERNAME), "a  b");
	assert_string_equal(text_of(message, FIELD_AUTHENTICATE_PASSWORD), " p&\t \rq ");
	assert_string_equal(text_of(message, FIELD_AUTHENTICATE_DOMAIN), "");
	/* Text in pieces: every reference is one of its own. */
	message = decode(
		C("<bye><reason> &#32;&lt;a&gt; <![CDATA[ <b> ]]> &amp;&#32; </reason></bye>"));
	assert_string_equal(text_of(message, FIELD_BYE_REASON), "<a>  <b>  &");
}

/* --- faults --- */

static void roots_are_checked(void **state)
{
	(void)state;
	refused_by(MESSAGE_ROOTS_BROKERING, "<foo version=\"2.1\"><bye/></foo>",
		RESULT_ERR_INVALID_MSG_FORMAT,
		"the root element 'foo' is not one of pcoip-client, pcoip-broker");
	assert_false(it.fault.has_root);
	refused_by(MESSAGE_ROOTS_BROKERING, A("<session-status/>"), RESULT_ERR_INVALID_MSG_FORMAT,
		"the root element 'pcoip-agent' is not one of pcoip-client, pcoip-broker");
	assert_false(it.fault.has_root);
	refused("<pcoip-client xmlns=\"urn:x\" version=\"2.1\"><bye/></pcoip-client>",
		"is in a name space");
	refused(C("<launch-session/>"),
		"message 'launch-session' does not belong in 'pcoip-client'");
	refused(A("<hello/>"), "message 'hello' does not belong in 'pcoip-agent'");
	refused(C("<x/>"), "unknown message 'x' (line 1, column ");
	assert_true(it.fault.has_root);
	assert_int_equal(it.fault.root, ROOT_CLIENT);
	refused(C(""), "the root element 'pcoip-client' holds no message");
	refused(C("<v:x xmlns:v=\"urn:v\"/>"), "holds no message");
	refused(C("<bye/><bye/>"), "more than one message: 'bye' after 'bye'");
	refused("", "");
	refused("   ", "");
	refused("hello", "");
}

static void long_foreign_names_are_cut(void **state)
{
	char text[400];

	(void)state;
	snprintf(text, sizeof(text),
		"<pcoip-client version=\"2.1\"><%0100d></%0100d></pcoip-client>", 0, 0);
	text[29] = 'x';
	memset(text + 28, 'x', 100);
	memset(text + 28 + 100 + 3, 'x', 100);
	refused(text,
		"unknown message 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"...'");
}

static void versions_are_checked(void **state)
{
	static const struct {
		const char *text;
		const char *detail;
	} bad[] = {
		{"<pcoip-broker version=\"3.0\"><bye/></pcoip-broker>",
			"version '3.0' is not served; 1.0 to 2.1 are"},
		{"<pcoip-broker version=\"2.2\"><bye/></pcoip-broker>",
			"version '2.2' is not served"},
		{"<pcoip-broker version=\"0.9\"><bye/></pcoip-broker>",
			"version '0.9' is not served"},
		{"<pcoip-broker><bye/></pcoip-broker>",
			"the root element 'pcoip-broker' has no version; 1.0 to 2.1 are served"},
		{"<pcoip-broker x:version=\"2.1\" xmlns:x=\"urn:x\"><bye/></pcoip-broker>",
			"has no version"},
		{"<pcoip-broker version=\"\"><bye/></pcoip-broker>", "is not a version"},
		{"<pcoip-broker version=\"2\"><bye/></pcoip-broker>", "is not a version"},
		{"<pcoip-broker version=\"2.\"><bye/></pcoip-broker>", "is not a version"},
		{"<pcoip-broker version=\".1\"><bye/></pcoip-broker>", "is not a version"},
		{"<pcoip-broker version=\"2.1.0\"><bye/></pcoip-broker>", "is not a version"},
		{"<pcoip-broker version=\"two\"><bye/></pcoip-broker>", "is not a version"},
		{"<pcoip-broker version=\"-2.1\"><bye/></pcoip-broker>", "is not a version"},
		{"<pcoip-broker version=\"99999999999.1\"><bye/></pcoip-broker>",
			"is not a version"},
	};
	struct message *message;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		refused_by(MESSAGE_ROOTS_ALL, bad[i].text, RESULT_ERR_UNSUPPORTED_VERSION,
			bad[i].detail);
		/* Answered under the root asked, with the newest there is. */
		assert_true(it.fault.has_root);
		assert_int_equal(it.fault.root, ROOT_BROKER);
		assert_int_equal(it.fault.version.major, 2);
		assert_int_equal(it.fault.version.minor, 1);
	}
	refused_by(MESSAGE_ROOTS_ALL,
		"<pcoip-agent version=\"2.1\"><session-status/></pcoip-agent>",
		RESULT_ERR_UNSUPPORTED_VERSION, "version '2.1' is not served; 1.0 is");
	message = decode("<pcoip-broker version=\"1.7\"><bye/></pcoip-broker>");
	assert_int_equal(message->version.major, 1);
	assert_int_equal(message->version.minor, 7);
	refused("<pcoip-broker version=\"1.7\"><x/></pcoip-broker>", "unknown message 'x'");
	assert_int_equal(it.fault.version.major, 1);
	assert_int_equal(it.fault.version.minor, 7);
}

static void required_elements_are_missed(void **state)
{
	(void)state;
	refused(C("<hello/>"),
		"required element 'client-info' is missing in 'hello' (line 1, column ");
	refused(C("<hello><client-info><product-name>p</product-name></client-info></hello>"),
		"required element 'client-info/hostname' is missing in 'hello'");
	refused(C("<hello><client-info><hostname>h</hostname></client-info></hello>"),
		"required element 'client-info/product-name' is missing in 'hello'");
	/* What is somewhere else does not count. */
	refused(C("<hello><hostname>h</hostname><client-info><product-name>p</product-name>"
		  "</client-info></hello>"),
		"required element 'client-info/hostname' is missing");
	refused(C("<authenticate><username>u</username><password>p</password></authenticate>"),
		"required attribute 'method' is missing in 'authenticate'");
	refused(C("<authenticate v:method=\"password\" xmlns:v=\"urn:v\"><username>u</username>"
		  "<password>p</password></authenticate>"),
		"required attribute 'method' is missing in 'authenticate'");
	refused(C("<authenticate method=\"dialog\"><answer>1</answer></authenticate>"),
		"required attribute 'name' is missing in 'answer'");
	refused(C("<allocate-resource/>"), "required element 'resource-id' is missing");
	refused(C("<get-resource-list-resp><result><result-id>X</result-id></result>"
		  "<resource><resource-id>1</resource-id></resource></get-resource-list-resp>"),
		"required element 'resource/resource-name' is missing in 'get-resource-list-resp'");
}

static void single_elements_occur_once(void **state)
{
	(void)state;
	refused(HELLO(INFO), "'client-info' occurs more than once in 'hello'");
	refused(C("<authenticate method=\"password\"><username>u</username><password>p</password>"
		  "<username>admin</username></authenticate>"),
		"'username' occurs more than once in 'authenticate'");
}

static void repeats(unsigned count)
{
	buffer_clear(&it.in);
	buffer_text(&it.in, "<pcoip-client version=\"2.1\"><hello>" INFO "<caps>");
	for (unsigned i = 0; i < count; i++)
		buffer_text(&it.in, "<cap>X</cap>");
	buffer_text(&it.in, "</caps></hello></pcoip-client>");
}

static void repeated_elements_are_bounded(void **state)
{
	const struct message_node *node;
	unsigned count = 0;

	(void)state;
	repeats(FIELD_REPEAT_MAXIMUM);
	node = message_find(decode(it.in.bytes), FIELD_HELLO_CAPS_CAP);
	for (; node != NULL; node = message_next(node))
		count++;
	assert_int_equal(count, FIELD_REPEAT_MAXIMUM);
	repeats(FIELD_REPEAT_MAXIMUM + 1);
	refused(it.in.bytes, "'cap' occurs more than 256 times in 'caps'");
}

/* The count is per parent. */
static void counts_begin_anew_in_each_parent(void **state)
{
	(void)state;
	buffer_text(&it.in,
		"<pcoip-client version=\"2.1\"><get-resource-list-resp><result>"
		"<result-id>LIST_SUCCESSFUL</result-id></result>");
	for (unsigned i = 0; i < 3; i++) {
		buffer_text(&it.in,
			"<resource><resource-name>n</resource-name><resource-id>i</resource-id>"
			"<protocols>");
		for (unsigned j = 0; j < 200; j++)
			buffer_text(&it.in, "<protocol>P</protocol>");
		buffer_text(&it.in, "</protocols></resource>");
	}
	buffer_text(&it.in, "</get-resource-list-resp></pcoip-client>");
	decode(it.in.bytes);
}

static void with_username(size_t blanks, size_t length)
{
	buffer_clear(&it.in);
	buffer_text(&it.in,
		"<pcoip-client version=\"2.1\">\n<authenticate method=\"password\">\n"
		"<password>p</password>\n\n<username>");
	for (size_t i = 0; i < blanks; i++)
		buffer_byte(&it.in, ' ');
	for (size_t i = 0; i < length; i++)
		buffer_byte(&it.in, 'u');
	for (size_t i = 0; i < blanks; i++)
		buffer_byte(&it.in, '\n');
	buffer_text(&it.in, "</username></authenticate></pcoip-client>");
}

static void texts_are_bounded(void **state)
{
	struct message *message;

	(void)state;
	with_username(0, 256);
	assert_int_equal(strlen(text_of(decode(it.in.bytes), FIELD_AUTHENTICATE_USERNAME)), 256);
	with_username(0, 300);
	refused(it.in.bytes,
		"'username' is 300 bytes long, at most 256 are allowed (line 5, column ");
	with_username(5000, 256);
	message = decode(it.in.bytes);
	assert_int_equal(strlen(text_of(message, FIELD_AUTHENTICATE_USERNAME)), 256);
	with_username(5000, 257);
	refused(it.in.bytes, "'username' is 257 bytes long");
	with_username(1, 60000);
	refused(it.in.bytes, "'username' is 60000 bytes long");
	/* Blanks inside count. */
	buffer_clear(&it.in);
	buffer_text(&it.in, "<pcoip-client version=\"2.1\"><bye><reason>a");
	for (size_t i = 0; i < 2000; i++)
		buffer_text(&it.in, "&#32;");
	buffer_text(&it.in, "b</reason></bye></pcoip-client>");
	refused(it.in.bytes, "'reason' is 2002 bytes long, at most 1024 are allowed");
	/* So do those of a password. */
	buffer_clear(&it.in);
	buffer_text(&it.in,
		"<pcoip-client version=\"2.1\"><authenticate method=\"password\">"
		"<username>u</username><password>");
	for (size_t i = 0; i < 1025; i++)
		buffer_byte(&it.in, ' ');
	buffer_text(&it.in, "</password></authenticate></pcoip-client>");
	refused(it.in.bytes, "'password' is 1025 bytes long, at most 1024 are allowed");
	/* And attributes. */
	buffer_clear(&it.in);
	buffer_text(&it.in, "<pcoip-client version=\"2.1\"><authenticate method=\"");
	for (size_t i = 0; i < 65; i++)
		buffer_byte(&it.in, 'm');
	buffer_text(&it.in, "\"/></pcoip-client>");
	refused(it.in.bytes, "'method' is 65 bytes long, at most 64 are allowed");
}

static void types_are_checked(void **state)
{
	(void)state;
	refused(A("<session-status><session-id>x</session-id></session-status>"),
		"'session-id' is not a number (line 1, column ");
	refused(A("<session-status><session-id/></session-status>"),
		"'session-id' is not a number");
	refused(A("<session-status><session-id>18446744073709551616</session-id></session-status>"),
		"'session-id' is not a number");
	refused(A("<session-status-resp><result-id>SUCCESSFUL</result-id><since>soon</since>"
		  "</session-status-resp>"),
		"'since' is not a date or time");
	refused(C("<get-resource-list-resp><result><result-id>X</result-id></result><resource>"
		  "<resource-name>n</resource-name><resource-id>i</resource-id><protocols>"
		  "<protocol is-default=\"maybe\">PCOIP</protocol></protocols></resource>"
		  "</get-resource-list-resp>"),
		"'is-default' is not true or false");
	decode(A("<session-status><session-id> 18446744073709551615 "
		 "</session-id></session-status>"));
}

static void xml_faults_are_told(void **state)
{
	(void)state;
	refused("<pcoip-client version=\"2.1\">\n<hello>\n<client-info>\n</hello></pcoip-client>",
		"failed to close 'client-info' element (line 4, column ");
	assert_true(it.fault.has_root);
	refused("<!DOCTYPE x><pcoip-client version=\"2.1\"><bye/></pcoip-client>", "DOCTYPE");
	assert_false(it.fault.has_root);
	refused(C("<bye><reason>&x;</reason></bye>"), "entity 'x'");
	refused(C("<bye><v:x/></bye>"), "prefix 'v'");
	refused("<pcoip-client version=\"2.1\"><bye/>", "");
	refused(C("<bye>") "trailing", "");
	refused("<pcoip-client version=\"2.1\"><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
		"");
	/* An unknown element is not looked into, but must be well-formed. */
	refused(C("<bye><x><y></x></bye>"), "failed to close 'y' element");
}

static void memory_is_bounded(void **state)
{
	struct message *message = NULL;
	const char *text = HELLO("<caps><cap>X</cap><cap>Y</cap></caps>");
	bool fitted = false, failed = false;

	(void)state;
	for (size_t size = 16; size < 2000; size += 16) {
		struct arena *arena = arena_new(size);
		int error;

		assert_non_null(arena);
		message = NULL;
		error = codec_decode(it.reader, arena, MESSAGE_ROOTS_ALL, text, strlen(text),
			&message, &it.fault);
		if (error == 0) {
			fitted = true;
			assert_string_equal(text_of(message, FIELD_HELLO_CAPS_CAP), "X");
		} else {
			failed = true;
			assert_false(fitted);
			assert_null(message);
			assert_int_equal(error, ERROR_MEMORY);
			assert_string_equal(it.fault.detail, "the message is too large");
			assert_int_equal(it.fault.result, RESULT_ERR_INVALID_MSG_FORMAT);
		}
		arena_free(arena);
	}
	assert_true(fitted && failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_real_client_is_understood),
		TEST(a_real_launch_is_understood),
		TEST(order_is_free_and_the_unknown_is_skipped),
		TEST(white_space_around_values_does_not_count),
		TEST(roots_are_checked),
		TEST(long_foreign_names_are_cut),
		TEST(versions_are_checked),
		TEST(required_elements_are_missed),
		TEST(single_elements_occur_once),
		TEST(repeated_elements_are_bounded),
		TEST(counts_begin_anew_in_each_parent),
		TEST(texts_are_bounded),
		TEST(types_are_checked),
		TEST(xml_faults_are_told),
		TEST(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
