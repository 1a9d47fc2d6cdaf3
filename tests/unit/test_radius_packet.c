/* Requests and answers as bytes, against radius_bytes.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/entropy.h"
#include "base/error.h"
#include "identity/radius_packet.h"
#include "radius_bytes.h"

#define SECRET "a shared secret"
#define ID 0xa5

static const uint8_t authenticator[RADIUS_PACKET_RANDOM] = "0123456789abcdef";

static struct radius_packet_request sample(void)
{
	struct radius_packet_request request = {.user = "alice",
		.password = "secret word",
		.client = "2001:db8::7",
		.nas_identifier = "fairlead",
		.secret = SECRET,
		.id = ID,
		.chap_id = 0x11};

	memcpy(request.authenticator, authenticator, sizeof(authenticator));
	memcpy(request.chap_challenge, "fedcba9876543210", RADIUS_PACKET_RANDOM);
	return request;
}

static void write_it(const struct radius_packet_request *request, struct radius_bytes *packet)
{
	assert_int_equal(radius_packet_write(request, packet->bytes, &packet->length), 0);
}

static void expect_attribute(
	const struct radius_bytes *packet, uint8_t type, const void *value, size_t length)
{
	size_t size = 0;
	const uint8_t *found = radius_bytes_find(packet->bytes, packet->length, type, &size);

	if (!value) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_int_equal(size, length);
	assert_memory_equal(found, value, length);
}

static bool contains(const struct radius_bytes *packet, const char *text, size_t length)
{
	return memmem(packet->bytes, packet->length, text, length) != NULL;
}

/* --- requests --- */

static void test_request(void **state)
{
	struct radius_packet_request request = sample();
	struct radius_bytes packet;
	char password[129];

	(void)state;
	request.state = "\0state";
	request.state_length = 6;
	write_it(&request, &packet);
	assert_int_equal(packet.bytes[0], CODE_REQUEST);
	assert_int_equal(packet.bytes[1], ID);
	assert_int_equal((size_t)packet.bytes[2] << 8 | packet.bytes[3], packet.length);
	assert_memory_equal(packet.bytes + 4, authenticator, sizeof(authenticator));
	/* first of all */
	assert_int_equal(packet.bytes[20], TYPE_AUTHENTICATOR);
	assert_true(radius_bytes_signed(packet.bytes, packet.length, SECRET));
	assert_false(radius_bytes_signed(packet.bytes, packet.length, "another"));
	expect_attribute(&packet, TYPE_USER_NAME, "alice", 5);
	expect_attribute(&packet, TYPE_NAS_IDENTIFIER, "fairlead", 8);
	expect_attribute(&packet, TYPE_CALLING_STATION, "2001:db8::7", 11);
	expect_attribute(&packet, TYPE_SERVICE, "\0\0\0\010", 4);
	expect_attribute(&packet, TYPE_NAS_PORT_TYPE, "\0\0\0\005", 4);
	expect_attribute(&packet, TYPE_STATE, "\0state", 6);
	expect_attribute(&packet, TYPE_CHAP_PASSWORD, NULL, 0);
	expect_attribute(&packet, TYPE_CHAP_CHALLENGE, NULL, 0);
	assert_true(radius_bytes_password(packet.bytes, packet.length, SECRET, password));
	assert_string_equal(password, "secret word");
	request.client = "";
	request.state = NULL;
	write_it(&request, &packet);
	expect_attribute(&packet, TYPE_CALLING_STATION, NULL, 0);
	expect_attribute(&packet, TYPE_STATE, NULL, 0);
}

/* Every length, with bytes that are no ASCII, by both methods: right at the other end, and never on
 * the wire as it is. */
static void test_passwords(void **state)
{
	struct radius_packet_request request = sample();
	char password[RADIUS_PASSWORD_MAXIMUM + 2];
	char found[RADIUS_PASSWORD_MAXIMUM + 2];
	struct radius_bytes packet;

	(void)state;
	request.password = password;
	for (size_t length = 1; length <= RADIUS_PASSWORD_MAXIMUM; length++) {
		for (size_t i = 0; i < length; i++)
			password[i] = (char)(0x80 + (i * 7 + length) % 0x80);
		password[length] = '\0';
		request.method = RADIUS_PAP;
		write_it(&request, &packet);
		memset(found, 0, sizeof(found));
		assert_true(radius_bytes_password(packet.bytes, packet.length, SECRET, found));
		assert_string_equal(found, password);
		/* Of fewer bytes some turn up by chance. */
		if (length >= 4)
			assert_false(contains(&packet, password, 4));
		request.method = RADIUS_CHAP;
		write_it(&request, &packet);
		assert_true(radius_bytes_chap(packet.bytes, packet.length, password));
		expect_attribute(&packet, TYPE_CHAP_CHALLENGE, "fedcba9876543210", 16);
		expect_attribute(&packet, TYPE_USER_PASSWORD, NULL, 0);
		assert_true(radius_bytes_signed(packet.bytes, packet.length, SECRET));
		if (length >= 4)
			assert_false(contains(&packet, password, 4));
	}
	memset(password, 'x', RADIUS_PASSWORD_MAXIMUM + 1);
	password[RADIUS_PASSWORD_MAXIMUM + 1] = '\0';
	packet.length = 7;
	assert_int_equal(radius_packet_write(&request, packet.bytes, &packet.length), ERROR_INPUT);
	assert_int_equal(packet.length, 7);
	request.password = "";
	assert_int_equal(radius_packet_write(&request, packet.bytes, &packet.length), ERROR_INPUT);
}

static void test_longest(void **state)
{
	struct radius_packet_request request = sample();
	char text[512];
	struct radius_bytes packet;

	(void)state;
	memset(text, 't', sizeof(text));
	text[511] = '\0';
	request.user = text + 511 - RADIUS_PACKET_VALUE;
	request.nas_identifier = request.user;
	request.secret = text;
	request.state = text;
	request.state_length = RADIUS_STATE_MAXIMUM;
	request.client = text;
	write_it(&request, &packet);
	assert_true(radius_bytes_signed(packet.bytes, packet.length, text));
	expect_attribute(&packet, TYPE_USER_NAME, text, RADIUS_PACKET_VALUE);
	expect_attribute(&packet, TYPE_NAS_IDENTIFIER, text, RADIUS_PACKET_VALUE);
	expect_attribute(&packet, TYPE_STATE, text, RADIUS_STATE_MAXIMUM);
	expect_attribute(&packet, TYPE_CALLING_STATION, text, RADIUS_PACKET_VALUE);
	request.user--;
	assert_int_equal(radius_packet_write(&request, packet.bytes, &packet.length), ERROR_INPUT);
	request.user++;
	request.state_length++;
	assert_int_equal(radius_packet_write(&request, packet.bytes, &packet.length), ERROR_INPUT);
	request.state_length = 0;
	assert_int_equal(radius_packet_write(&request, packet.bytes, &packet.length), ERROR_INPUT);
}

/* --- answers --- */

/* In memory of its exact size, so that a sanitizer sees what is read beyond. */
static enum radius_packet_kind read_bytes(
	const uint8_t *bytes, size_t length, bool allow, struct radius_packet_answer *answer)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);
	enum radius_packet_kind kind;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	kind = radius_packet_read(copy, length, ID, authenticator, SECRET, allow, answer);
	free(copy);
	return kind;
}

static void request_head(uint8_t head[20])
{
	memset(head, 0, 20);
	head[0] = CODE_REQUEST;
	head[1] = ID;
	memcpy(head + 4, authenticator, sizeof(authenticator));
}

static enum radius_packet_kind read_answer(uint8_t code, const struct radius_bytes *attributes,
	const char *secret, bool sign, bool allow, struct radius_packet_answer *answer)
{
	struct radius_bytes packet;
	uint8_t head[20];

	request_head(head);
	radius_bytes_answer(&packet, code, head, attributes, secret, sign);
	return read_bytes(packet.bytes, packet.length, allow, answer);
}

static void test_codes(void **state)
{
	struct radius_packet_answer answer;

	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		enum radius_packet_kind kind =
			read_answer((uint8_t)code, NULL, SECRET, true, false, &answer);

		if (code == CODE_ACCEPT)
			assert_int_equal(kind, RADIUS_PACKET_ACCEPT);
		else if (code == CODE_REJECT)
			assert_int_equal(kind, RADIUS_PACKET_REJECT);
		else if (code == CODE_CHALLENGE)
			assert_int_equal(kind, RADIUS_PACKET_CHALLENGE);
		else
			assert_int_equal(kind, RADIUS_PACKET_FOREIGN);
	}
	read_answer(CODE_ACCEPT, NULL, SECRET, true, false, &answer);
	assert_int_equal(answer.state_length, 0);
	assert_string_equal(answer.message, "");
}

static void test_signatures(void **state)
{
	struct radius_packet_answer answer;
	struct radius_bytes eap = {.length = 0};
	struct radius_bytes packet;
	uint8_t head[20];

	(void)state;
	assert_int_equal(read_answer(CODE_ACCEPT, NULL, "another", true, true, &answer),
		RADIUS_PACKET_FORGED);
	assert_int_equal(read_answer(CODE_ACCEPT, NULL, "another", false, false, &answer),
		RADIUS_PACKET_FORGED);
	assert_int_equal(read_answer(CODE_ACCEPT, NULL, SECRET, false, false, &answer),
		RADIUS_PACKET_UNSIGNED);
	assert_int_equal(
		read_answer(CODE_ACCEPT, NULL, SECRET, false, true, &answer), RADIUS_PACKET_ACCEPT);
	/* EAP wants the signature whatever is configured (RFC 3579 3.2). */
	radius_bytes_text(&eap, TYPE_EAP_MESSAGE, "1234");
	assert_int_equal(read_answer(CODE_ACCEPT, &eap, SECRET, false, true, &answer),
		RADIUS_PACKET_UNSIGNED);
	/* a bit changed anywhere */
	request_head(head);
	radius_bytes_answer(&packet, CODE_ACCEPT, head, &eap, SECRET, true);
	for (size_t bit = 0; bit < packet.length * 8; bit++) {
		packet.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_true(read_bytes(packet.bytes, packet.length, true, &answer) >=
			RADIUS_PACKET_FOREIGN);
		packet.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(
		read_bytes(packet.bytes, packet.length, true, &answer), RADIUS_PACKET_ACCEPT);
	/* an answer to somebody else's question */
	head[1] ^= 1;
	radius_bytes_answer(&packet, CODE_ACCEPT, head, NULL, SECRET, true);
	assert_int_equal(
		read_bytes(packet.bytes, packet.length, true, &answer), RADIUS_PACKET_FOREIGN);
	request_head(head);
	head[4] ^= 1;
	radius_bytes_answer(&packet, CODE_ACCEPT, head, NULL, SECRET, true);
	assert_int_equal(
		read_bytes(packet.bytes, packet.length, true, &answer), RADIUS_PACKET_FORGED);
}

/* The Response Authenticator alone proves nothing: MD5 lets prefixes be chosen. */
static void test_authenticator_alone(void **state)
{
	struct radius_packet_answer answer;
	struct radius_bytes wrong = {.length = 0};
	static const uint8_t zeros[16];

	(void)state;
	radius_bytes_add(&wrong, TYPE_AUTHENTICATOR, zeros, sizeof(zeros));
	assert_int_equal(read_answer(CODE_ACCEPT, &wrong, SECRET, false, true, &answer),
		RADIUS_PACKET_FORGED);
}

static void test_form(void **state)
{
	struct radius_packet_answer answer;
	struct radius_bytes attributes = {.length = 0};
	struct radius_bytes packet;
	uint8_t head[20];
	uint8_t big[RADIUS_PACKET_MAXIMUM + 1];

	(void)state;
	request_head(head);
	radius_bytes_text(&attributes, TYPE_REPLY_MESSAGE, "hello");
	radius_bytes_answer(&packet, CODE_ACCEPT, head, &attributes, SECRET, true);
	for (size_t length = 0; length < packet.length; length++)
		assert_int_equal(
			read_bytes(packet.bytes, length, true, &answer), RADIUS_PACKET_FOREIGN);
	/* padding is ignored */
	memset(big, 0xff, sizeof(big));
	memcpy(big, packet.bytes, packet.length);
	assert_int_equal(
		read_bytes(big, RADIUS_PACKET_MAXIMUM, true, &answer), RADIUS_PACKET_ACCEPT);
	assert_string_equal(answer.message, "hello");
	assert_int_equal(read_bytes(big, sizeof(big), true, &answer), RADIUS_PACKET_FOREIGN);
	/* lengths of an attribute that are none, with everything signed */
	for (unsigned length = 0; length < 256; length++) {
		enum radius_packet_kind kind;

		if (length == 7)
			continue;
		attributes.bytes[1] = (uint8_t)length;
		/* Under the fitting length those bytes are other attributes. */
		kind = read_answer(CODE_ACCEPT, &attributes, SECRET, true, true, &answer);
		assert_int_equal(kind, RADIUS_PACKET_FOREIGN);
	}
}

static void test_state(void **state)
{
	struct radius_packet_answer answer;
	struct radius_bytes attributes = {.length = 0};
	uint8_t value[RADIUS_STATE_MAXIMUM];

	(void)state;
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (uint8_t)(255 - i);
	radius_bytes_add(&attributes, TYPE_STATE, "", 0);
	radius_bytes_add(&attributes, TYPE_STATE, value, sizeof(value));
	radius_bytes_text(&attributes, TYPE_STATE, "second");
	assert_int_equal(read_answer(CODE_CHALLENGE, &attributes, SECRET, true, false, &answer),
		RADIUS_PACKET_CHALLENGE);
	assert_int_equal(answer.state_length, sizeof(value));
	assert_memory_equal(answer.state, value, sizeof(value));
}

static void expect_message(const struct radius_bytes *attributes, const char *expected)
{
	struct radius_packet_answer answer;

	assert_int_equal(read_answer(CODE_REJECT, attributes, SECRET, true, false, &answer),
		RADIUS_PACKET_REJECT);
	assert_string_equal(answer.message, expected);
}

static void test_messages(void **state)
{
	struct radius_bytes attributes = {.length = 0};
	char full[RADIUS_PACKET_VALUE + 1];
	char expected[2 * RADIUS_PACKET_VALUE];

	(void)state;
	radius_bytes_text(&attributes, TYPE_REPLY_MESSAGE, "");
	radius_bytes_text(&attributes, TYPE_REPLY_MESSAGE, "one\r\ntwo\n");
	radius_bytes_add(&attributes, TYPE_REPLY_MESSAGE, "a\0b\x1b[1m\xc3(\xe2\x80\x8b\x7f", 13);
	radius_bytes_text(&attributes, TYPE_VENDOR, "\x01\x02\x03\x04\xff\x00");
	radius_bytes_text(&attributes, TYPE_REPLY_MESSAGE, "z\xc3\xbcrich\n\n ");
	expect_message(&attributes, "one\ntwo\na?b?[1m?(??\nz\xc3\xbcrich");
	/* a text longer than an attribute: cut in the middle of a character */
	attributes.length = 0;
	memset(full, 'm', sizeof(full));
	full[RADIUS_PACKET_VALUE - 1] = '\xc3';
	full[RADIUS_PACKET_VALUE] = '\0';
	radius_bytes_text(&attributes, TYPE_REPLY_MESSAGE, full);
	radius_bytes_text(&attributes, TYPE_REPLY_MESSAGE, "\xbc!");
	memset(expected, 'm', RADIUS_PACKET_VALUE - 1);
	strcpy(expected + RADIUS_PACKET_VALUE - 1, "\xc3\xbc!");
	expect_message(&attributes, expected);
}

static void test_many_messages(void **state)
{
	struct radius_bytes attributes = {.length = 0};
	struct radius_packet_answer answer;

	(void)state;
	for (size_t i = 0; i < 900; i++)
		radius_bytes_text(&attributes, TYPE_REPLY_MESSAGE, i % 2 ? "\xc3\xa4" : "b");
	assert_int_equal(read_answer(CODE_REJECT, &attributes, SECRET, true, false, &answer),
		RADIUS_PACKET_REJECT);
	assert_in_range(strlen(answer.message), RADIUS_MESSAGE_MAXIMUM - 4, RADIUS_MESSAGE_MAXIMUM);
	assert_memory_equal(answer.message, "b\n\xc3\xa4\nb\n", 7);
	/* nothing but what is trimmed */
	attributes.length = 0;
	for (size_t i = 0; i < 15; i++) {
		char blank[254];

		memset(blank, '\n', 253);
		blank[253] = '\0';
		radius_bytes_text(&attributes, TYPE_REPLY_MESSAGE, blank);
	}
	expect_message(&attributes, "");
}

/* Signed rubbish: what a server that knows the secret may send. */
static void test_random_attributes(void **state)
{
	struct entropy_fake entropy;
	struct radius_packet_answer answer;

	(void)state;
	entropy_fake_init(&entropy, 11);
	for (unsigned round = 0; round < 3000; round++) {
		struct radius_bytes attributes = {.length = 0};
		uint8_t head[2];
		uint8_t value[253];

		do {
			assert_int_equal(entropy_fill(&entropy.entropy, head, 2), 0);
			assert_int_equal(entropy_fill(&entropy.entropy, value, sizeof(value)), 0);
			radius_bytes_add(&attributes, head[0] % 100, value, head[1] % 254);
		} while (head[1] % 8 != 0 && attributes.length < 3000);
		answer.state_length = 0;
		if (read_answer(CODE_CHALLENGE, &attributes, SECRET, true, true, &answer) ==
			RADIUS_PACKET_CHALLENGE) {
			assert_true(answer.state_length <= RADIUS_STATE_MAXIMUM);
			assert_true(strlen(answer.message) <= RADIUS_MESSAGE_MAXIMUM);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_authenticator_alone),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_many_messages),
		cmocka_unit_test(test_random_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
