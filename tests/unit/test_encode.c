/* What is written, and that it comes back. */
#include "codec_case.h"

/* --- encoding --- */

static void empty_messages_are_written(void **state)
{
	struct message *message = message_new(
		it.arena, MESSAGE_BYE_RESP, ROOT_CLIENT, (struct message_version){1, 10});

	(void)state;
	assert_int_equal(codec_encode(message, CODEC_COMPACT, &it.out), 0);
	assert_string_equal(it.out.bytes,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
		"<pcoip-client version=\"1.10\"><bye-resp/></pcoip-client>");
	buffer_clear(&it.out);
	assert_int_equal(codec_encode(message, CODEC_PAGE, &it.out), 0);
	assert_string_equal(it.out.bytes,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<pcoip-client version=\"1.10\">\n<bye-resp>\n</bye-resp>\n</pcoip-client>");
}

static void odd_characters_come_back(void **state)
{
	static const char odd[] = " <&>\"'\t\n\r ]]> \xe2\x82\xac\xf0\x9f\x98\x80 ";
	struct message *message = message_new(
		it.arena, MESSAGE_AUTHENTICATE, ROOT_CLIENT, (struct message_version){2, 1});

	(void)state;
	message_put(message, FIELD_AUTHENTICATE_METHOD, "a\"<&>'\t\n\rb");
	message_put(message, FIELD_AUTHENTICATE_USERNAME, "\xff\x01u");
	message_put(message, FIELD_AUTHENTICATE_PASSWORD, odd);
	for (int layout = CODEC_COMPACT; layout <= CODEC_PAGE; layout++) {
		struct message *back;

		buffer_clear(&it.out);
		assert_int_equal(codec_encode(message, (enum codec_layout)layout, &it.out), 0);
		back = decode(it.out.bytes);
		assert_string_equal(text_of(back, FIELD_AUTHENTICATE_PASSWORD), odd);
		assert_string_equal(text_of(back, FIELD_AUTHENTICATE_METHOD), "a\"<&>'\t\n\rb");
		/* Bytes that are no character do not break the document. */
		assert_string_equal(
			text_of(back, FIELD_AUTHENTICATE_USERNAME), "\xef\xbf\xbd\xef\xbf\xbdu");
	}
}

static void a_full_buffer_is_told(void **state)
{
	struct message *message = decode(HELLO(""));
	struct buffer small;
	size_t whole;

	(void)state;
	assert_int_equal(codec_encode(message, CODEC_COMPACT, &it.out), 0);
	whole = it.out.length;
	for (size_t maximum = 1; maximum < whole; maximum++) {
		buffer_init(&small, maximum);
		assert_int_equal(codec_encode(message, CODEC_COMPACT, &small), ERROR_LIMIT);
		assert_true(small.length <= maximum);
		buffer_free(&small);
	}
	buffer_init(&small, whole);
	assert_int_equal(codec_encode(message, CODEC_COMPACT, &small), 0);
	buffer_free(&small);
}

static const char *first_only(void *user, const char *name)
{
	char *shown = user;

	shown[0] = name[0];
	shown[1] = '\0';
	return shown;
}

static void secrets_are_not_shown(void **state)
{
	struct message *message;
	char shown[2];

	(void)state;
	message = decode(A("<launch-session><logon method=\"m\"><username>alice</username>"
			   "<password>geheim</password><domain>d</domain>"
			   "<v:token xmlns:v=\"urn:v\">geheim</v:token></logon>"
			   "</launch-session>"));
	assert_int_equal(codec_encode_redacted(message, first_only, shown, &it.out), 0);
	assert_string_equal(it.out.bytes,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<pcoip-agent version=\"1.0\">\n"
		"<launch-session>\n"
		"   <logon method=\"m\">\n"
		"      <username>a</username>\n"
		"      <password>*****</password>\n"
		"      <domain>d</domain>\n"
		"      <!-- extension of 41 bytes -->\n"
		"   </logon>\n"
		"</launch-session>\n"
		"</pcoip-agent>");
	buffer_clear(&it.out);
	assert_int_equal(codec_encode_redacted(message, NULL, NULL, &it.out), 0);
	assert_null(strstr(it.out.bytes, "alice"));
	assert_null(strstr(it.out.bytes, "geheim"));
	assert_non_null(strstr(it.out.bytes, "<username>*****</username>"));
	decode(it.out.bytes);
}

/* Every secret of the tables, filled in, is hidden. */
static void every_secret_is_hidden(void **state)
{
	(void)state;
	for (enum field_id id = FIELD_NONE + 1; id < FIELD_EXTENSION; id = id + 1) {
		const struct field_info *info = field_info(id);
		struct message *message;

		if (info->secrecy == FIELD_PUBLIC)
			continue;
		message = message_new(
			it.arena, info->message, ROOT_CLIENT, (struct message_version){2, 1});
		message_put(message, id, "kryptonite");
		buffer_clear(&it.out);
		assert_int_equal(codec_encode_redacted(message, NULL, NULL, &it.out), 0);
		assert_null(strstr(it.out.bytes, "kryptonite"));
		assert_non_null(strstr(it.out.bytes, "*****"));
	}
}

/* --- the tables as a whole --- */

static const char *sample(const struct field_info *info)
{
	switch (info->type) {
	case FIELD_NUMBER:
		return "4172";
	case FIELD_FLAG:
		return "true";
	case FIELD_TIME:
		return "2026-01-31T12:00:00Z";
	case FIELD_EXACT:
		return " p w ";
	case FIELD_GROUP:
		return NULL;
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_RESULT:
		break;
	}
	return info->name;
}

static bool same(const struct message_node *a, const struct message_node *b)
{
	for (; a != NULL && b != NULL; a = a->next, b = b->next)
		if (a->field != b->field || strcmp(a->text, b->text) != 0 ||
			a->length != b->length || !same(a->first, b->first))
			return false;
	return a == NULL && b == NULL;
}

/* Every message with every field there is, under each root, in both layouts. */
static void everything_comes_back(void **state)
{
	(void)state;
	for (enum message_id id = MESSAGE_NONE + 1; id < MESSAGE_COUNT; id = id + 1) {
		for (unsigned root = 0; root < ROOT_COUNT; root++) {
			struct message *message;

			if ((message_info(id)->roots & 1u << root) == 0)
				continue;
			arena_reset(it.arena);
			message = message_new(it.arena, id, (enum message_root)root,
				message_version_newest((enum message_root)root));
			for (enum field_id field = FIELD_NONE + 1; field < FIELD_EXTENSION;
				field = field + 1)
				if (field_info(field)->message == id)
					assert_non_null(message_put(
						message, field, sample(field_info(field))));
			for (int layout = CODEC_COMPACT; layout <= CODEC_PAGE; layout++) {
				struct message *back;

				buffer_clear(&it.out);
				assert_int_equal(
					codec_encode(message, (enum codec_layout)layout, &it.out),
					0);
				back = decode_any(1u << root, it.out.bytes);
				assert_int_equal(back->id, id);
				assert_true(same(message->first, back->first));
			}
		}
	}
}

/* Damaged documents: whatever happens, the answer is one of those that are documented, and what is
 * accepted is written and read again as the same message. */
static void damaged_documents_do_no_harm(void **state)
{
	static const char *const seeds[] = {
		HELLO("<caps><cap>X</cap></caps><v:a xmlns:v=\"urn:v\" b=\"1\"><v:c/>t</v:a>"),
		C("<authenticate method=\"password\"><username>u</username><password> p&amp; "
		  "</password><domain/></authenticate>"),
		A("<launch-session-resp><result-id>SUCCESSFUL</result-id><session-info>"
		  "<port>4172</port><session-id>1</session-id><session-tag>t</session-tag>"
		  "</session-info></launch-session-resp>"),
	};
	static const char bits[] = "<>/\"= &;x:v\n1\xff"
				   "abcdefghijklmnop 23456789";
	uint32_t random = 1;
	unsigned accepted = 0, rejected = 0;

	(void)state;
	for (unsigned round = 0; round < 6000; round++) {
		const char *seed = seeds[round % 3];
		size_t length = strlen(seed);
		struct message *message = NULL, *back = NULL;
		int error;

		buffer_clear(&it.in);
		buffer_append(&it.in, seed, length);
		for (unsigned i = 0; i < 1 + round % 4; i++) {
			random = random * 1664525u + 1013904223u;
			it.in.bytes[(random >> 8) % length] =
				bits[(random >> 3) % (sizeof(bits) - 1)];
		}
		if (round % 5 == 0)
			length = (random >> 5) % length;
		arena_reset(it.arena);
		error = decode_bytes(MESSAGE_ROOTS_ALL, it.in.bytes, length, &message);
		if (error != 0) {
			rejected++;
			assert_null(message);
			assert_int_equal(error, ERROR_INPUT);
			assert_true(it.fault.result == RESULT_ERR_INVALID_MSG_FORMAT ||
				it.fault.result == RESULT_ERR_UNSUPPORTED_VERSION);
			assert_true(strlen(it.fault.detail) > 0);
			continue;
		}
		accepted++;
		buffer_clear(&it.out);
		assert_int_equal(codec_encode(message, CODEC_COMPACT, &it.out), 0);
		if (decode_bytes(MESSAGE_ROOTS_ALL, it.out.bytes, it.out.length, &back) != 0)
			fail_msg("%s\n%s", it.fault.detail, it.out.bytes);
		assert_true(same(message->first, back->first));
	}
	if (accepted < 100 || rejected < 1000)
		fail_msg("%u accepted, %u rejected", accepted, rejected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_messages_are_written),
		TEST(odd_characters_come_back),
		TEST(a_full_buffer_is_told),
		TEST(secrets_are_not_shown),
		TEST(every_secret_is_hidden),
		TEST(everything_comes_back),
		TEST(damaged_documents_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
