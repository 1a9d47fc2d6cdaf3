/* Name-spaced elements. */
#include "codec_case.h"

/* --- extensions --- */

static const char *extension_of(const struct message *message)
{
	const struct message_node *node = message->last;

	assert_non_null(node);
	assert_int_equal(node->field, FIELD_EXTENSION);
	assert_int_equal(node->length, strlen(node->text));
	return node->text;
}

static void extensions_are_kept(void **state)
{
	struct message *message;

	(void)state;
	message = decode(C("<bye><v:x xmlns:v=\"urn:v\" a=\"1 &amp; 2\" v:b=\"&quot;&#10;\">t&lt;"
			   "<v:y/><z> </z></v:x><reason>r</reason></bye>"));
	assert_string_equal(text_of(message, FIELD_BYE_REASON), "r");
	assert_string_equal(extension_of(message),
		"<v:x xmlns:v=\"urn:v\" a=\"1 &amp; 2\" v:b=\"&quot;&#10;\">t&lt;"
		"<v:y></v:y><z> </z></v:x>");
	/* A declaration from outside comes along; a default name space too. */
	message = decode("<pcoip-client version=\"2.1\" xmlns:v=\"urn:v\" xmlns:w=\"urn:w\">"
			 "<bye><v:x><w:y v:a=\"1\"/><w:y/></v:x></bye></pcoip-client>");
	assert_string_equal(extension_of(message),
		"<v:x xmlns:v=\"urn:v\"><w:y xmlns:w=\"urn:w\" v:a=\"1\"></w:y>"
		"<w:y xmlns:w=\"urn:w\"></w:y></v:x>");
	message = decode(C("<bye><x xmlns=\"urn:x\"><y/><z xmlns=\"\"><y xmlns=\"urn:x\"/></z>"
			   "</x></bye>"));
	assert_string_equal(extension_of(message),
		"<x xmlns=\"urn:x\"><y></y><z xmlns=\"\"><y xmlns=\"urn:x\"></y></z></x>");
	/* The same prefix for something else further in. */
	message =
		decode(C("<bye><p:x xmlns:p=\"urn:1\"><p:y xmlns:p=\"urn:2\"/><p:z/></p:x></bye>"));
	assert_string_equal(extension_of(message),
		"<p:x xmlns:p=\"urn:1\"><p:y xmlns:p=\"urn:2\"></p:y><p:z></p:z></p:x>");
	message = decode(C("<bye><p:x xmlns:p=\"urn:1\" xml:lang=\"en\"/></bye>"));
	assert_string_equal(extension_of(message), "<p:x xmlns:p=\"urn:1\" xml:lang=\"en\"></p:x>");
	/* An attribute without prefix is not in the default name space. */
	message = decode(C("<bye><x xmlns=\"urn:x\" a=\"1\"/></bye>"));
	assert_string_equal(extension_of(message), "<x xmlns=\"urn:x\" a=\"1\"></x>");
	/* The names of ours mean nothing in a name space. */
	message = decode(C("<bye><v:reason xmlns:v=\"urn:v\">x</v:reason></bye>"));
	assert_null(message_text(message, FIELD_BYE_REASON));
}

static void extensions_keep_their_place(void **state)
{
	struct message *message;
	const struct message_node *group;

	(void)state;
	message = decode(
		C("<hello><client-info><v:a xmlns:v=\"urn:v\"/><product-name>p</product-name>"
		  "<hostname>h<v:in xmlns:v=\"urn:v\">x</v:in></hostname></client-info>"
		  "<v:b xmlns:v=\"urn:v\"/><v:c xmlns:v=\"urn:v\"/></hello>"
		  "<v:beside xmlns:v=\"urn:v\"><d/></v:beside>"));
	group = message_find(message, FIELD_HELLO_CLIENT_INFO);
	assert_string_equal(
		message_child(group, FIELD_EXTENSION)->text, "<v:a xmlns:v=\"urn:v\"></v:a>");
	group = message_find(message, FIELD_HELLO_CLIENT_INFO_HOSTNAME);
	assert_string_equal(group->text, "h");
	assert_string_equal(
		message_child(group, FIELD_EXTENSION)->text, "<v:in xmlns:v=\"urn:v\">x</v:in>");
	assert_string_equal(message->first->next->text, "<v:b xmlns:v=\"urn:v\"></v:b>");
	assert_string_equal(message->last->text, "<v:c xmlns:v=\"urn:v\"></v:c>");

	assert_int_equal(codec_encode(message, CODEC_COMPACT, &it.out), 0);
	assert_string_equal(it.out.bytes,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><pcoip-client version=\"2.1\"><hello>"
		"<client-info><product-name>p</product-name>"
		"<hostname>h<v:in xmlns:v=\"urn:v\">x</v:in></hostname>"
		"<v:a xmlns:v=\"urn:v\"></v:a></client-info>"
		"<v:b xmlns:v=\"urn:v\"></v:b><v:c "
		"xmlns:v=\"urn:v\"></v:c></hello></pcoip-client>");
}

static void with_extension(size_t count, size_t length)
{
	buffer_clear(&it.in);
	buffer_text(&it.in, "<pcoip-client version=\"2.1\" xmlns:v=\"u\"><bye>");
	for (size_t i = 0; i < count; i++) {
		buffer_text(&it.in, "<v:x>");
		for (size_t j = 0; j < length; j++)
			buffer_byte(&it.in, 'x');
		buffer_text(&it.in, "</v:x>");
	}
	buffer_text(&it.in, "</bye></pcoip-client>");
}

static void extensions_are_bounded(void **state)
{
	const size_t around = strlen("<v:x xmlns:v=\"u\"></v:x>");

	(void)state;
	with_extension(1, MESSAGE_EXTENSIONS_MAXIMUM - around);
	assert_int_equal(strlen(extension_of(decode(it.in.bytes))), MESSAGE_EXTENSIONS_MAXIMUM);
	with_extension(1, MESSAGE_EXTENSIONS_MAXIMUM - around + 1);
	refused(it.in.bytes, "the name-spaced elements take more than 16384 bytes");
	/* All of a message together. */
	with_extension(4, MESSAGE_EXTENSIONS_MAXIMUM / 4 - around);
	decode(it.in.bytes);
	with_extension(5, MESSAGE_EXTENSIONS_MAXIMUM / 4 - around);
	refused(it.in.bytes, "the name-spaced elements take more than 16384 bytes");
}

static void name_spaces_are_bounded(void **state)
{
	(void)state;
	buffer_text(&it.in, "<pcoip-client version=\"2.1\"><bye>");
	for (unsigned depth = 0; depth < 12; depth++) {
		buffer_print(&it.in, "<e%u:x", depth);
		for (unsigned i = 0; i < 10; i++)
			buffer_print(&it.in, " xmlns:a%u_%u=\"u%u.%u\" a%u_%u:b=\"\"", depth, i,
				depth, i, depth, i);
		buffer_print(&it.in, " xmlns:e%u=\"e\">", depth);
	}
	for (unsigned depth = 12; depth > 0; depth--)
		buffer_print(&it.in, "</e%u:x>", depth - 1);
	buffer_text(&it.in, "</bye></pcoip-client>");
	refused(it.in.bytes, "too many name spaces");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(extensions_are_kept),
		TEST(extensions_keep_their_place),
		TEST(extensions_are_bounded),
		TEST(name_spaces_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
