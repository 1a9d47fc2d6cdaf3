#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "health/xml_lines.h"

/* What was seen, "message/element=text" each in a line. */
struct record {
	char text[8192];
	size_t length;
};

static void seen(void *context, const char *message, const char *element, const char *text)
{
	struct record *record = context;
	size_t room = sizeof(record->text) - record->length;
	int length =
		snprintf(record->text + record->length, room, "%s/%s=%s\n", message, element, text);

	assert_true(length > 0 && (size_t)length < room);
	record->length += (size_t)length;
}

/* Lines separated by '\n', as they come from a log. */
static void expect(const char *lines, const char *what)
{
	struct record record = {.length = 0};
	struct xml_lines xml = {.text_length = 0};

	for (const char *end; *lines != '\0'; lines = *end != '\0' ? end + 1 : end) {
		end = strchrnul(lines, '\n');
		xml_lines_take(&xml, lines, (size_t)(end - lines), seen, &record);
	}
	assert_string_equal(record.text, what);
}

static void a_whole_message_is_taken_apart(void **state)
{
	(void)state;
	expect(" <?xml version='1.0'?>\n"
	       " <pcoip-client version='2.1'>\n"
	       "   <authenticate-resp method='password'>\n"
	       "     <result>\n"
	       "       <result-id>AUTH_SUCCESSFUL_AND_COMPLETE</result-id>\n"
	       "       <result-str>Welcome</result-str>\n"
	       "     </result>\n"
	       "   </authenticate-resp>\n"
	       " </pcoip-client>\n"
	       "   <result-id>LATER</result-id>",
		"authenticate-resp/authenticate-resp=\n"
		"authenticate-resp/result-id=AUTH_SUCCESSFUL_AND_COMPLETE\n"
		"authenticate-resp/result-str=Welcome\n"
		"/result-id=LATER\n");
}

static void one_line_is_as_good_as_many(void **state)
{
	(void)state;
	expect("<pcoip-agent version=\"2.1\"><launch-session-resp><result-id>FAILED_X"
	       "</result-id></launch-session-resp></pcoip-agent><bye/><result-str>x</result-str>",
		"launch-session-resp/launch-session-resp=\n"
		"launch-session-resp/result-id=FAILED_X\n"
		"bye/bye=\n"
		"/result-str=x\n");
}

static void names_are_read_without_their_name_space(void **state)
{
	(void)state;
	expect(" <p:pcoip-client xmlns:p='urn:x.example'>\n"
	       "   <p:authenticate-resp method='password'>\n"
	       "     <p:result-id>AUTH_FAILED_EXPIRED_PASSWORD</p:result-id>\n"
	       "     <:result-str>one</result-str>\n"
	       "     <p:>nothing</p:>\n"
	       "   </p:authenticate-resp>\n"
	       " </p:pcoip-client>\n"
	       "   <p:result-id>LATER</p:result-id>",
		"authenticate-resp/authenticate-resp=\n"
		"authenticate-resp/result-id=AUTH_FAILED_EXPIRED_PASSWORD\n"
		"authenticate-resp/result-str=one\n"
		"/result-id=LATER\n");
}

static void excerpts_begin_and_end_anywhere(void **state)
{
	(void)state;
	/* two messages that never end; the second begins the first anew */
	expect("   <hello>\n   <server-address>\n  <hostname>a.example</hostname>\n"
	       "   <hello>\n   </hello>\n   <hello-resp>",
		"hello/hello=\nhello/hostname=a.example\nhello/hello=\nhello-resp/hello-resp=\n");
	/* only an element; only an end */
	expect("  <result-str>No answer.</result-str>", "/result-str=No answer.\n");
	expect("  </authenticate-resp>\n </pcoip-client>", "");
	/* cut by the next tag */
	expect("<result-id>ONE\n<result-str>two\n</result>", "/result-id=ONE\n/result-str=two\n");
	/* text of no element, and of one that has others */
	expect("lost</a><b>own<c>inner</c>rest</b>", "/b=own\n/c=inner\n");
}

static void below_a_root_anything_is_a_message(void **state)
{
	(void)state;
	expect("<pcoip-broker>\n<new-thing>\n<field>x</field>\n</new-thing>\n<field>y</field>",
		"new-thing/new-thing=\nnew-thing/field=x\n/field=y\n");
	expect("<new-thing><field>x</field></new-thing>", "/field=x\n");
	expect("<get-resource-list/>", "get-resource-list/get-resource-list=\n");
	expect("<-resp>x</-resp>", "/-resp=x\n");
}

static void texts_are_trimmed_and_resolved(void **state)
{
	(void)state;
	expect("<a>  x &lt;&gt;&amp;&quot;&apos; y\t</a>", "/a=x <>&\"' y\n");
	expect("<a>&#65;&#x42;&#xfc;&#x4e2d;&#x1F600;</a>",
		"/a=AB\xc3\xbc\xe4\xb8\xad\xf0\x9f\x98\x80\n");
	expect("<a>&amp;lt;</a>", "/a=&lt;\n");
	expect("<a>&nbsp; &; &#; &#x; &#0; &#xd800; &#x110000; &#12a; & &lt</a>",
		"/a=&nbsp; &; &#; &#x; &#0; &#xd800; &#x110000; &#12a; & &lt\n");
	expect("<a>one\n   two</a>", "/a=one    two\n");
	expect("<a>\n\n</a><b/><c></c>", "");
	expect("<a>j\xfcrgen\x01</a>", "/a=j\xc3\xbcrgen\xef\xbf\xbd\n");
}

static void markup_that_says_nothing_is_passed_over(void **state)
{
	(void)state;
	expect("<!-- <a>x</a> --><a>y</a>", "/a=y\n");
	expect("<!DOCTYPE x><a><![CDATA[ <b>& ]]></a>", "/a=<b>&\n");
	expect("<a><![CDATA[open", "");
	expect("<a><![CDATA[", "");
	expect("<bye x='>' y=\">\"/><a>z</a>", "bye/bye=\n/a=z\n");
	expect("<a x='open>text</a>", "/a=text\n");
	expect("<", "");
	expect("</", "");
	expect("</>", "");
	expect("<>x", "");
	expect("< a>x", "");
	expect("<a", "");
	expect("<authenticate-resp\nmethod='password'>\n<result-id>R</result-id>",
		"authenticate-resp/authenticate-resp=\nauthenticate-resp/result-id=R\n");
}

static void long_texts_and_names_are_cut(void **state)
{
	char line[2048] = "<a>", want[2048] = "/a=";
	size_t at = strlen(line);

	(void)state;
	memset(line + at, 'x', XML_LINES_TEXT - 3);
	memset(want + 3, 'x', XML_LINES_TEXT - 3);
	strcpy(line + at + XML_LINES_TEXT - 3, "\xf0\x9f\x98\x80 more</a>");
	strcpy(want + 3 + XML_LINES_TEXT - 3, "\n");
	expect(line, want);
	/* in pieces: what comes after the cut does not follow it */
	strcpy(line + at + XML_LINES_TEXT - 3, "\xf0\x9f\x98\x80\nmore</a>");
	expect(line, want);

	memset(line, 'n', sizeof(line));
	line[0] = '<';
	strcpy(line + 200, ">t");
	memset(want, 'n', sizeof(want));
	want[0] = '/';
	strcpy(want + XML_LINES_NAME, "=t\n");
	strcat(line, "</n>");
	expect(line, want);
}

static void a_nul_is_a_byte_like_others(void **state)
{
	static const char line[] = "<a>x\0y</a>";
	struct record record = {.length = 0};
	struct xml_lines xml = {.text_length = 0};

	(void)state;
	xml_lines_take(&xml, line, sizeof(line) - 1, seen, &record);
	assert_string_equal(record.text, "/a=x\xef\xbf\xbdy\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_message_is_taken_apart),
		cmocka_unit_test(one_line_is_as_good_as_many),
		cmocka_unit_test(names_are_read_without_their_name_space),
		cmocka_unit_test(excerpts_begin_and_end_anywhere),
		cmocka_unit_test(below_a_root_anything_is_a_message),
		cmocka_unit_test(texts_are_trimmed_and_resolved),
		cmocka_unit_test(markup_that_says_nothing_is_passed_over),
		cmocka_unit_test(long_texts_and_names_are_cut),
		cmocka_unit_test(a_nul_is_a_byte_like_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
