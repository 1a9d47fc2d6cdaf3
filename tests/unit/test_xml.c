#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "wire/xml.h"

/* What the callbacks were told, written down. */
struct trace {
	struct buffer out;
	struct xml_position start; /* of the newest element */
	size_t texts;
	int answer; /* of the callbacks */
};

static int on_start(void *user, const struct xml_name *name, const struct xml_attribute *attributes,
	size_t count, struct xml_position at)
{
	struct trace *trace = user;

	buffer_print(&trace->out, "<%s%s%s", name->prefix != NULL ? name->prefix : "",
		name->prefix != NULL ? ":" : "", name->local);
	if (name->name_space != NULL)
		buffer_print(&trace->out, "{%s}", name->name_space);
	for (size_t i = 0; i < count; i++) {
		if (attributes[i].name.name_space != NULL)
			buffer_print(&trace->out, " {%s}", attributes[i].name.name_space);
		buffer_print(&trace->out, " %s=[%.*s]", attributes[i].name.local,
			(int)attributes[i].length, attributes[i].value);
	}
	buffer_text(&trace->out, ">");
	trace->start = at;
	return trace->answer;
}

static int on_text(void *user, const char *bytes, size_t length)
{
	struct trace *trace = user;

	trace->texts++;
	buffer_append(&trace->out, bytes, length);
	return trace->answer;
}

static int on_end(void *user, const struct xml_name *name, struct xml_position at)
{
	struct trace *trace = user;

	(void)at;
	buffer_print(&trace->out, "</%s>", name->local);
	return trace->answer;
}

static int setup(void **state)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (trace == NULL)
		return -1;
	buffer_init(&trace->out, (size_t)8 * 1024 * 1024);
	*state = trace;
	return 0;
}

static int teardown(void **state)
{
	struct trace *trace = *state;

	buffer_free(&trace->out);
	free(trace);
	return 0;
}

static int read_bytes(struct xml_reader *reader, struct trace *trace, const char *bytes,
	size_t length, struct xml_fault *fault)
{
	struct xml_handler handler = {
		.start = on_start, .text = on_text, .end = on_end, .user = trace};

	buffer_clear(&trace->out);
	buffer_text(&trace->out, "");
	return xml_read(reader, bytes, length, &handler, fault);
}

static void accepted(struct trace *trace, const char *document, const char *expected)
{
	struct xml_reader *reader = xml_reader_new();
	struct xml_fault fault = {.detail = ""};

	assert_non_null(reader);
	for (int round = 0; round < 3; round++) {
		int error = read_bytes(reader, trace, document, strlen(document), &fault);

		if (error != 0)
			print_message("%s: %s\n", document, fault.detail);
		assert_int_equal(error, 0);
		assert_string_equal(trace->out.bytes, expected);
	}
	xml_reader_free(reader);
}

/* Refused again and again by one reader, which then reads a good document. */
static struct xml_fault refused_bytes(struct trace *trace, const char *document, size_t length)
{
	struct xml_reader *reader = xml_reader_new();
	struct xml_fault fault, again;

	assert_non_null(reader);
	for (int round = 0; round < 3; round++) {
		memset(&fault, 0, sizeof(fault));
		assert_int_equal(read_bytes(reader, trace, document, length, &fault), ERROR_INPUT);
		assert_string_not_equal(fault.detail, "");
		assert_true(fault.at.line >= 1);
		if (round > 0)
			assert_memory_equal(&fault, &again, sizeof(fault));
		again = fault;
		assert_int_equal(read_bytes(reader, trace, "<a>b</a>", 8, &fault), 0);
		assert_string_equal(trace->out.bytes, "<a>b</a>");
		fault = again;
	}
	xml_reader_free(reader);
	return fault;
}

static struct xml_fault refused(struct trace *trace, const char *document)
{
	return refused_bytes(trace, document, strlen(document));
}

static void elements_texts_and_attributes_arrive(void **state)
{
	accepted(*state,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<r version=\"2.1\"><a x='1' "
		"y='2'>t</a><b/></r>\n",
		"<r version=[2.1]><a x=[1] y=[2]>t</a><b></b></r>");
}

static void references_are_resolved_in_text_and_attributes(void **state)
{
	accepted(*state,
		"<a "
		"x='&lt;&gt;&amp;&quot;&apos;&#65;&#38;'>&lt;&gt;&amp;&quot;&apos;&#x41;&#38;</a>",
		"<a x=[<>&\"'A&]><>&\"'A&</a>");
}

static void cdata_is_text_and_comments_are_nothing(void **state)
{
	accepted(*state, "<?pi x?><!-- no --><a>1<![CDATA[<&2]]><!-- - -->3<?pi y?></a><!-- no -->",
		"<a>1<&23</a>");
}

static void white_space_before_the_declaration_is_skipped(void **state)
{
	struct trace *trace = *state;
	const char *document = " \t\r\n\n <?xml version='1.0' encoding='UTF-8'?>\n<a/>";

	accepted(trace, document, "<a></a>");
	assert_int_equal(trace->start.line, 4);
	accepted(trace, "\xEF\xBB\xBF\n<?xml version='1.0'?><a/>", "<a></a>");
	accepted(trace, "\n\n<a/>", "<a></a>");
	assert_int_equal(trace->start.line, 3);
}

static void name_spaces_are_resolved(void **state)
{
	accepted(*state, "<a xmlns:t='http://t/'><t:b t:x='1' y='2'/></a>",
		"<a><t:b{http://t/} {http://t/} x=[1] y=[2]></b></a>");
	accepted(*state, "<a xmlns='u:d'><b/></a>", "<a{u:d}><b{u:d}></b></a>");
	/* Not a URI, and nobody's concern. */
	accepted(*state, "<a xmlns:t='not a uri'><t:b/></a>", "<a><t:b{not a uri}></b></a>");
}

static void other_encodings_become_utf8(void **state)
{
	struct trace *trace = *state;
	struct xml_reader *reader = xml_reader_new();
	struct xml_fault fault;
	static const char little[] = "\xFF\xFE<\0a\0>\0\xE4\0<\0/\0a\0>";
	static const char big[] = "\xFE\xFF\0<\0a\0>\0\xE4\0<\0/\0a\0>";

	assert_int_equal(read_bytes(reader, trace, little, sizeof(little), &fault), 0);
	assert_string_equal(trace->out.bytes, "<a>\xC3\xA4</a>");
	assert_int_equal(read_bytes(reader, trace, big, sizeof(big) - 1, &fault), 0);
	assert_string_equal(trace->out.bytes, "<a>\xC3\xA4</a>");
	xml_reader_free(reader);
	accepted(
		trace, "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE4</a>", "<a>\xC3\xA4</a>");
	accepted(trace, "<?xml version='1.0' encoding='utf-8'?><a>\xC3\xA4</a>", "<a>\xC3\xA4</a>");
}

static void further_encodings_are_refused(void **state)
{
	struct xml_fault fault;

	fault = refused(*state, "<?xml version='1.0' encoding='UTF-7'?><a>+AOQ-</a>");
	assert_string_equal(fault.detail,
		"encoding 'UTF-7' is not accepted; expected UTF-8, UTF-16 or ISO-8859-1");
	refused(*state, "<?xml version='1.0' encoding='EBCDIC-CP-US'?><a/>");
	refused(*state, "<?xml version='1.0' encoding='nonsense'?><a/>");
	refused_bytes(*state, "\0\0\0<\0\0\0a\0\0\0/\0\0\0>", 16); /* UCS-4 */
	refused_bytes(*state, "\x4C\x6F\xA7\x94", 4);              /* EBCDIC */
}

static void bytes_that_are_not_of_the_encoding_are_refused(void **state)
{
	refused(*state, "<a>\xFF</a>");
	refused(*state, "<a x='\xC3'/>");
	refused(*state, "<a>\xED\xA0\x80</a>"); /* a surrogate */
	refused(*state, "<?xml version='1.0' encoding='UTF-8'?><a>\xC3(</a>");
	refused(*state, "<a>\x01</a>");
	refused(*state, "<a>&#0;</a>");
	refused(*state, "<a>&#xFFFE;</a>");
	refused_bytes(*state, "<a>b\0c</a>", 10);
	refused_bytes(*state, "\xFF\xFE<\0a\0>\0\x00\xDC<\0/\0a\0>\0", 18); /* lone surrogate */
	refused_bytes(*state, "\xFF\xFE<\0a\0>\0\x00\xD8<\0/\0a\0>\0", 18);
	refused_bytes(*state, "\xFF\xFE<\0a\0>", 7); /* half a character */
}

/* The specification page's malformed request, as it stands there. */
static const char malformed[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
				"<pcoip-broker version=\"2.1\">\n"
				"   <hello>\n"
				"      <client-info>\n"
				"   </hello>\n"
				"</pcoip-broker>\n";

static void an_unclosed_element_is_named(void **state)
{
	struct xml_fault fault = refused(*state, malformed);

	assert_string_equal(fault.detail, "failed to close 'client-info' element");
	assert_string_equal(fault.element, "client-info");
	assert_int_equal(fault.at.line, 5);
	assert_true(fault.at.column >= 4 && fault.at.column <= 12);

	fault = refused(*state, "<a><b>");
	assert_string_equal(fault.detail, "failed to close 'b' element");
	assert_string_equal(fault.element, "b");
	fault = refused(*state, "<a>text");
	assert_string_equal(fault.detail, "failed to close 'a' element");
	fault = refused(*state, "<a xmlns:t='u:t'><t:b></t:c></a>");
	assert_string_equal(fault.element, "b");
}

static void faults_name_element_and_place(void **state)
{
	struct xml_fault fault = refused(*state, "<a>\n <b>\n  <c x=1/></b></a>");

	assert_int_equal(fault.at.line, 3);
	assert_true(fault.at.column > 0);
	assert_non_null(strstr(fault.detail, "'b' element"));
	assert_string_equal(fault.element, "b");
	fault = refused(*state, "<a>\n <b>1 < 2</b></a>");
	assert_int_equal(fault.at.line, 2);
	assert_string_equal(fault.element, "b");
	fault = refused(*state, "<a><b x='1' x='2'/></a>");
	assert_non_null(strstr(fault.detail, "x"));
	fault = refused(*state, "\n\n  <a></b>");
	assert_int_equal(fault.at.line, 3);
}

static void what_is_no_document_is_refused(void **state)
{
	struct xml_fault fault = refused(*state, "");

	assert_string_equal(fault.detail, "the document is empty");
	refused(*state, " ");
	refused(*state, "\n\n");
	refused(*state, "hello");
	refused(*state, "<");
	refused(*state, "<a");
	refused(*state, "<?xml version='1.0'?>");
	refused(*state, "<?xml version='1.0'");
	refused(*state, "<!-- a -->");
	refused(*state, "<a/><b/>");
	refused(*state, "</a>");
	refused_bytes(*state, "<a/>\0", 5);
	fault = refused(*state, "<a/>more");
	assert_string_equal(fault.detail, "there is text after the end of the document");
	refused_bytes(*state, "\0", 1);
	refused_bytes(*state, "\xFF\xFE", 2);
	refused_bytes(*state, "\xEF\xBB\xBF", 3);
}

static void a_doctype_is_refused(void **state)
{
	struct trace *trace = *state;
	struct xml_fault fault;

	fault = refused(trace, "<?xml version='1.0'?>\n<!DOCTYPE a>\n<a/>");
	assert_string_equal(fault.detail, "a DOCTYPE is not allowed");
	assert_int_equal(fault.at.line, 2);
	fault = refused(trace, "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>");
	assert_string_equal(fault.detail, "a DOCTYPE is not allowed");
	fault = refused(trace, "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>");
	assert_string_equal(fault.detail, "a DOCTYPE is not allowed");
	fault = refused(
		trace, "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/x'> %p;]><a>&e;</a>");
	assert_string_equal(fault.detail, "a DOCTYPE is not allowed");
	/* not even one that is not complete */
	refused(trace, "<!DOCTYPE a [<!ENTITY e 'x'>");
	refused(trace, "<!DOCTYPE");
}

static void other_entities_are_refused(void **state)
{
	struct xml_fault fault = refused(*state, "<a><b>&nbsp;</b></a>");

	assert_string_equal(fault.detail,
		"entity 'nbsp' in 'b' element is not allowed; only lt, gt, amp, quot and apos are");
	assert_string_equal(fault.element, "b");
	refused(*state, "<a x='&nbsp;'/>");
	refused(*state, "<a>&amp</a>");
	refused(*state, "<a>&</a>");
	refused(*state, "&lt;a/>");
}

static void an_undeclared_prefix_is_refused(void **state)
{
	struct trace *trace = *state;
	struct xml_reader *reader = xml_reader_new();
	struct xml_fault fault = refused(trace, "<a><t:b/></a>");
	const char *unfinished = "<a xmlns:t='u:t'><t:b>";

	assert_string_equal(fault.detail, "name-space prefix 't' in 'b' element is not declared");
	assert_string_equal(fault.element, "b");
	fault = refused(trace, "<a><c t:x='1'/></a>");
	assert_string_equal(fault.detail, "name-space prefix 't' in 'c' element is not declared");
	assert_string_equal(fault.element, "c");

	/* A declaration must not outlive its document. */
	assert_int_equal(
		read_bytes(reader, trace, unfinished, strlen(unfinished), &fault), ERROR_INPUT);
	assert_int_equal(read_bytes(reader, trace, "<t:b/>", 6, &fault), ERROR_INPUT);
	assert_int_equal(read_bytes(reader, trace, "<b/>", 4, &fault), 0);
	xml_reader_free(reader);
}

static void repeat(struct buffer *out, const char *text, int count)
{
	for (int i = 0; i < count; i++)
		buffer_text(out, text);
}

static void depth_is_limited(void **state)
{
	struct trace *trace = *state;
	struct buffer document;

	for (int depth = 16; depth <= 17; depth++) {
		buffer_init(&document, 10000);
		repeat(&document, "<d>", depth);
		repeat(&document, "</d>", depth);
		if (depth == 16) {
			accepted(trace, document.bytes, document.bytes);
		} else {
			struct xml_fault fault = refused(trace, document.bytes);

			assert_string_equal(
				fault.detail, "'d' element is nested more than 16 deep");
			assert_string_equal(fault.element, "d");
		}
		buffer_free(&document);
	}
}

static void attributes_are_limited(void **state)
{
	struct trace *trace = *state;

	for (int count = 16; count <= 17; count++) {
		struct buffer document;

		buffer_init(&document, 10000);
		buffer_text(&document, "<a");
		for (int i = 0; i < count; i++)
			buffer_print(&document, " x%d='%d'", i, i);
		buffer_text(&document, "/>");
		if (count == 16) {
			struct xml_reader *reader = xml_reader_new();
			struct xml_fault fault;

			assert_int_equal(
				read_bytes(reader, trace, document.bytes, document.length, &fault),
				0);
			xml_reader_free(reader);
		} else {
			struct xml_fault fault = refused(trace, document.bytes);

			assert_string_equal(
				fault.detail, "'a' element has more than 16 attributes");
		}
		buffer_free(&document);
	}
}

static void elements_are_limited(void **state)
{
	struct trace *trace = *state;

	for (int count = 4095; count <= 4096; count++) {
		struct buffer document;

		buffer_init(&document, 100000);
		buffer_text(&document, "<a>");
		repeat(&document, "<b></b>", count);
		buffer_text(&document, "</a>");
		if (count == 4095)
			accepted(trace, document.bytes, document.bytes);
		else
			refused(trace, document.bytes);
		buffer_free(&document);
	}
}

static void names_are_limited(void **state)
{
	struct trace *trace = *state;
	struct buffer document;

	for (int length = 128; length <= 129; length++) {
		buffer_init(&document, 10000);
		buffer_text(&document, "<");
		repeat(&document, "n", length);
		buffer_text(&document, "></");
		repeat(&document, "n", length);
		buffer_text(&document, ">");
		if (length == 128)
			accepted(trace, document.bytes, document.bytes);
		else
			refused(trace, document.bytes);
		buffer_clear(&document);
		buffer_text(&document, "<a ");
		repeat(&document, "n", length);
		buffer_text(&document, "=''/>");
		if (length == 129)
			assert_string_equal(refused(trace, document.bytes).element, "a");
		buffer_free(&document);
	}
}

static void long_texts_of_a_peer_never_break_a_detail(void **state)
{
	struct buffer document;
	struct xml_fault fault;

	buffer_init(&document, 10000);
	buffer_text(&document, "<a>&x");
	repeat(&document, "\xC3\xA4", 300);
	buffer_text(&document, ";</a>");
	fault = refused(*state, document.bytes);
	assert_non_null(memchr(fault.detail, '\0', sizeof(fault.detail)));
	/* cut between characters, not in one: 'x' and 59 bytes have room */
	assert_non_null(strstr(fault.detail, "\xC3\xA4' in 'a'"));
	buffer_free(&document);
}

static void an_error_of_the_handler_ends_the_document(void **state)
{
	struct trace *trace = *state;
	struct xml_reader *reader = xml_reader_new();
	struct xml_fault fault = {.detail = "untouched"};

	trace->answer = ERROR_STATE;
	assert_int_equal(read_bytes(reader, trace, "<a>1<b/></a>", 12, &fault), ERROR_STATE);
	assert_string_equal(trace->out.bytes, "<a>");
	assert_string_equal(fault.detail, "untouched");
	trace->answer = 0;
	assert_int_equal(read_bytes(reader, trace, "<a>1<b/></a>", 12, &fault), 0);
	assert_string_equal(trace->out.bytes, "<a>1<b></b></a>");
	xml_reader_free(reader);
}

/* Peers choose the names; a reader must not keep them all. */
static void ever_new_names_do_not_fill_the_reader(void **state)
{
	struct trace *trace = *state;
	struct xml_reader *reader = xml_reader_new();
	struct xml_fault fault;
	char document[256];

	for (int i = 0; i < 20000; i++) {
		int length = snprintf(
			document, sizeof(document), "<name-%0100d a%d=''></name-%0100d>", i, i, i);

		assert_int_equal(read_bytes(reader, trace, document, (size_t)length, &fault), 0);
	}
	xml_reader_free(reader);
}

static void large_texts_arrive_whole(void **state)
{
	struct trace *trace = *state;
	struct buffer document;

	buffer_init(&document, 200000);
	buffer_text(&document, "<a>");
	repeat(&document, "0123456789\xC3\xA4", 10000);
	buffer_text(&document, "</a>");
	accepted(trace, document.bytes, document.bytes);
	buffer_free(&document);
}

/* Every document cut at every place, and with every byte changed: never a
 * crash, never a word on standard error. */
static void broken_documents_are_silent(void **state)
{
	static const char whole[] =
		"\n<?xml version='1.0' encoding='ISO-8859-1'?><!-- c --><a x='1&amp;'"
		" xmlns:t='u:t'><t:b>\xE4&#65;<![CDATA[d]]></t:b></a>\n";
	struct trace *trace = *state;
	struct xml_reader *reader = xml_reader_new();
	struct xml_fault fault;
	int former = dup(STDERR_FILENO), place;
	char copy[sizeof(whole)];
	FILE *file = tmpfile();

	assert_non_null(file);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	for (size_t length = 0; length < sizeof(whole); length++) {
		int error = read_bytes(reader, trace, whole, length, &fault);

		assert_int_equal(error, length < sizeof(whole) - 2 ? ERROR_INPUT : 0);
	}
	for (size_t i = 0; i < sizeof(whole) - 1; i++) {
		for (int byte = 0; byte < 256; byte++) {
			memcpy(copy, whole, sizeof(whole));
			copy[i] = (char)byte;
			int error = read_bytes(reader, trace, copy, sizeof(copy) - 1, &fault);

			assert_true(error == 0 || error == ERROR_INPUT);
		}
	}
	refused_bytes(trace, "\xFF\xFE<\0a\0>\0\x00\xDC<\0/\0a\0>\0", 18);
	fflush(stderr);
	place = (int)lseek(STDERR_FILENO, 0, SEEK_END);
	dup2(former, STDERR_FILENO);
	close(former);
	fclose(file);
	assert_int_equal(place, 0);
	xml_reader_free(reader);
}

static void escaped(const char *text, size_t length, const char *expected)
{
	struct buffer out;

	buffer_init(&out, 1000);
	assert_int_equal(xml_write_escaped(&out, text, length), 0);
	assert_string_equal(out.bytes != NULL ? out.bytes : "", expected);
	buffer_free(&out);
}

static void writing_escapes(void **state)
{
	(void)state;
	escaped("", 0, "");
	escaped("plain", 5, "plain");
	escaped("<a x=\"1\">&'", 11, "&lt;a x=&quot;1&quot;&gt;&amp;&apos;");
	escaped("a\tb\nc\rd", 7, "a&#9;b&#10;c&#13;d");
	escaped("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 9, "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
}

#define U_FFFD "\xEF\xBF\xBD"

static void writing_replaces_what_xml_forbids(void **state)
{
	(void)state;
	escaped("a\0b", 3, "a" U_FFFD "b");
	escaped("\x01\x1F\x7F", 3, U_FFFD U_FFFD "\x7F");
	escaped("\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBD", 9, U_FFFD U_FFFD U_FFFD);
	escaped("\x80", 1, U_FFFD);
	escaped("\xC3", 1, U_FFFD);
	escaped("\xC3(", 2, U_FFFD "(");
	escaped("\xC0\xAF", 2, U_FFFD U_FFFD);
	escaped("\xE0\x9F\xBF", 3, U_FFFD U_FFFD U_FFFD);
	escaped("\xED\xA0\x80", 3, U_FFFD U_FFFD U_FFFD);
	escaped("\xF4\x90\x80\x80", 4, U_FFFD U_FFFD U_FFFD U_FFFD);
	escaped("\xF5<", 2, U_FFFD "&lt;");
	escaped("\xE2\x82", 2, U_FFFD U_FFFD);
}

static void writing_keeps_the_maximum(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 6);
	assert_int_equal(xml_write_escaped(&out, "a<b", 3), 0);
	assert_int_equal(xml_write_escaped(&out, "<", 1), ERROR_LIMIT);
	buffer_free(&out);
}

static void what_is_written_is_read_again(void **state)
{
	struct trace *trace = *state;
	struct xml_reader *reader = xml_reader_new();
	struct xml_fault fault;
	struct buffer document;
	char text[127];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i + 1 < 0x20 && i + 1 != 9 && i + 1 != 10 && i + 1 != 13 ? ' '
											  : i + 1);
	buffer_init(&document, 10000);
	buffer_text(&document, "<a x='");
	xml_write_escaped(&document, text, sizeof(text));
	buffer_text(&document, "'>");
	xml_write_escaped(&document, text, sizeof(text));
	buffer_text(&document, "</a>");
	assert_int_equal(read_bytes(reader, trace, document.bytes, document.length, &fault), 0);
	buffer_clear(&document);
	buffer_print(&document, "<a x=[%.127s]>%.127s</a>", text, text);
	assert_string_equal(trace->out.bytes, document.bytes);
	buffer_free(&document);
	xml_reader_free(reader);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(elements_texts_and_attributes_arrive),
		TEST(references_are_resolved_in_text_and_attributes),
		TEST(cdata_is_text_and_comments_are_nothing),
		TEST(white_space_before_the_declaration_is_skipped),
		TEST(name_spaces_are_resolved),
		TEST(other_encodings_become_utf8),
		TEST(further_encodings_are_refused),
		TEST(bytes_that_are_not_of_the_encoding_are_refused),
		TEST(an_unclosed_element_is_named),
		TEST(faults_name_element_and_place),
		TEST(what_is_no_document_is_refused),
		TEST(a_doctype_is_refused),
		TEST(other_entities_are_refused),
		TEST(an_undeclared_prefix_is_refused),
		TEST(depth_is_limited),
		TEST(attributes_are_limited),
		TEST(elements_are_limited),
		TEST(names_are_limited),
		TEST(long_texts_of_a_peer_never_break_a_detail),
		TEST(an_error_of_the_handler_ends_the_document),
		TEST(ever_new_names_do_not_fill_the_reader),
		TEST(large_texts_arrive_whole),
		TEST(broken_documents_are_silent),
		TEST(writing_escapes),
		TEST(writing_replaces_what_xml_forbids),
		TEST(writing_keeps_the_maximum),
		TEST(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
