/*
 * describe.c - writes down the tables: a program of the build, not installed.
 *
 *   describe rng   RELAX NG schema of every message (docs/protocol.rng)
 *   describe md    the protocol page (docs/protocol.md)
 *   describe dict  dictionary for libFuzzer (build/tests/fuzz/protocol.dict)
 *   describe pot   what translators start from (po/fairlead.pot)
 *
 * `ninja -C build protocol-docs` renews the copies of the first two in the tree.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "protocol/message.h"
#include "protocol/result.h"
#include "protocol/state.h"

static const char *const type_names[] = {
	[FIELD_GROUP] = "group",
	[FIELD_TEXT] = "text",
	[FIELD_EXACT] = "text, blanks kept",
	[FIELD_NUMBER] = "number",
	[FIELD_FLAG] = "true or false",
	[FIELD_ENUM] = "word",
	[FIELD_RESULT] = "result id",
	[FIELD_TIME] = "time",
};

static const char *const cardinality_names[] = {
	[FIELD_ONE] = "once",
	[FIELD_OPTIONAL] = "at most once",
	[FIELD_SOME] = "once or more",
	[FIELD_ANY] = "any number",
};

static const char *const secrecy_names[] = {
	[FIELD_PUBLIC] = "yes",
	[FIELD_NAME] = "masked name",
	[FIELD_SECRET] = "never",
};

static const char *const group_names[] = {
	[GROUP_AUTH] = "authenticate-resp",
	[GROUP_LIST] = "get-resource-list-resp",
	[GROUP_ALLOC] = "allocate-resource-resp",
	[GROUP_ERR] = "error-resp",
	[GROUP_AGENT] = "launch-session-resp, session-status-resp",
	[GROUP_LICENSE] = "checkout-license-resp, renew-license-resp, return-license-resp",
};

static const char *const outcome_names[] = {
	[OUTCOME_OK] = "OK",
	[OUTCOME_INCOMPLETE] = "INCOMPLETE",
	[OUTCOME_PENDING] = "PENDING",
	[OUTCOME_FAILED] = "FAILED",
};

static const char *const origin_names[] = {
	[ORIGIN_PAGE] = "page",
	[ORIGIN_SEEN] = "seen",
	[ORIGIN_OWN] = "own",
};

static const char *const state_descriptions[] = {
#define STATE(name, description) [STATE_##name] = description,
#define MOVE(from, message, outcome, to)
#include "protocol/states.def"
#undef STATE
#undef MOVE
};

static const struct {
	const char *from, *to;
	enum message_id message;
	enum result_outcome outcome;
} moves[] = {
#define STATE(name, description)
#define MOVE(from, message, outcome, to) {#from, #to, MESSAGE_##message, OUTCOME_##outcome},
#include "protocol/states.def"
#undef STATE
#undef MOVE
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct field_children *children_of(enum message_id message, enum field_id parent)
{
	return parent != FIELD_NONE ? field_children(parent) : field_children_of_message(message);
}

/* --- RELAX NG --- */

static void indent(unsigned level)
{
	printf("%*s", (int)(level * 2), "");
}

static void rng_data(const struct field_info *info, unsigned level)
{
	const char *type = info->type == FIELD_NUMBER ? "unsignedLong"
		: info->type == FIELD_FLAG            ? "boolean"
		: info->type == FIELD_EXACT           ? "string"
						      : "token";

	indent(level);
	if (info->type == FIELD_TIME) {
		printf("<choice><data type=\"date\"><param "
		       "name=\"pattern\">[0-9-]{10}</param></data>"
		       "<data type=\"dateTime\"><param "
		       "name=\"pattern\">.*Z</param></data></choice>\n");
		return;
	}
	if (info->type == FIELD_FLAG || (info->type == FIELD_NUMBER && info->maximum >= 20)) {
		printf("<data type=\"%s\"/>\n", type);
		return;
	}
	if (info->type == FIELD_NUMBER) {
		printf("<data type=\"%s\"><param name=\"pattern\">[0-9]{1,%zu}</param></data>\n",
			type, info->maximum);
		return;
	}
	printf("<data type=\"%s\"><param name=\"maxLength\">%zu</param></data>\n", type,
		info->maximum);
}

static void rng_names(const struct field_children *children, bool attributes)
{
	printf("<anyName>");
	for (size_t i = 0, named = 0; i < children->count; i++) {
		const struct field_info *info = field_info(children->fields[i]);

		if (info->attribute != attributes)
			continue;
		printf("%s<name ns=\"\">%s</name>", named++ == 0 ? "<except>" : "", info->name);
		if (i + 1 == children->count ||
			field_info(children->fields[i + 1])->attribute != attributes)
			printf("</except>");
	}
	printf("</anyName>");
}

static void rng_content(enum message_id message, enum field_id parent, unsigned level);

static void rng_child(enum field_id field, unsigned level)
{
	static const char *const wrappers[] = {
		[FIELD_ONE] = NULL,
		[FIELD_OPTIONAL] = "optional",
		[FIELD_SOME] = "oneOrMore",
		[FIELD_ANY] = "zeroOrMore",
	};
	const struct field_info *info = field_info(field);
	const char *wrapper = wrappers[info->cardinality];

	if (wrapper != NULL) {
		indent(level++);
		printf("<%s>\n", wrapper);
	}
	indent(level);
	printf("<%s name=\"%s\">\n", info->attribute ? "attribute" : "element", info->name);
	indent(level + 1);
	printf("<a:documentation>%s</a:documentation>\n", info->description);
	if (info->attribute)
		rng_data(info, level + 1);
	else
		rng_content(info->message, field, level + 1);
	indent(level);
	printf("</%s>\n", info->attribute ? "attribute" : "element");
	if (wrapper != NULL) {
		indent(--level);
		printf("</%s>\n", wrapper);
	}
}

static void rng_content(enum message_id message, enum field_id parent, unsigned level)
{
	const struct field_children *children = children_of(message, parent);
	bool leaf = parent != FIELD_NONE && field_info(parent)->type != FIELD_GROUP;

	for (size_t i = 0; i < children->count; i++)
		if (field_info(children->fields[i])->attribute)
			rng_child(children->fields[i], level);
	indent(level);
	printf("<zeroOrMore><attribute>");
	rng_names(children, true);
	printf("</attribute></zeroOrMore>\n");
	if (leaf) {
		rng_data(field_info(parent), level);
		return;
	}
	indent(level);
	printf("<interleave>\n");
	for (size_t i = 0; i < children->count; i++)
		if (!field_info(children->fields[i])->attribute)
			rng_child(children->fields[i], level + 1);
	indent(level + 1);
	printf("<zeroOrMore><element>");
	rng_names(children, false);
	printf("<ref name=\"anything\"/></element></zeroOrMore>\n");
	indent(level);
	printf("</interleave>\n");
}

static void rng_root(enum message_root root)
{
	printf("    <element name=\"%s\">\n", message_root_element(root));
	printf("      <a:documentation>POST %s; served: %s</a:documentation>\n",
		message_root_path(root), message_versions_text(root));
	printf("      <attribute name=\"version\"><data type=\"token\">"
	       "<param name=\"pattern\">[0-9]{1,4}\\.[0-9]{1,4}</param></data></attribute>\n"
	       "      <zeroOrMore><attribute><anyName><except><name ns=\"\">version</name></except>"
	       "</anyName></attribute></zeroOrMore>\n"
	       "      <interleave>\n"
	       "        <choice>\n");
	for (unsigned i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++)
		if ((message_info((enum message_id)i)->roots & 1u << root) != 0)
			printf("          <ref name=\"%s\"/>\n",
				message_info((enum message_id)i)->element);
	printf("        </choice>\n"
	       "        <zeroOrMore><element><anyName><except><nsName ns=\"\"/></except></anyName>"
	       "<ref name=\"anything\"/></element></zeroOrMore>\n"
	       "      </interleave>\n"
	       "    </element>\n");
}

static void describe_rng(void)
{
	printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	       "<!--\n"
	       "  The messages of Fairlead: the broker protocol, the agent's launch API, the "
	       "licence\n"
	       "  exchange. Written by the build from src/protocol/*.def; do not edit.\n"
	       "\n"
	       "  The order of elements is free; unknown elements and attributes are allowed "
	       "wherever the\n"
	       "  decoder skips or keeps them, except inside elements that hold a text, which "
	       "RELAX NG\n"
	       "  is not able to say. Lengths are characters here and bytes in the decoder.\n"
	       "-->\n"
	       "<grammar xmlns=\"http://relaxng.org/ns/structure/1.0\"\n"
	       "    xmlns:a=\"http://relaxng.org/ns/compatibility/annotations/1.0\"\n"
	       "    datatypeLibrary=\"http://www.w3.org/2001/XMLSchema-datatypes\" ns=\"\">\n"
	       "  <start><choice>\n");
	for (unsigned i = 0; i < ROOT_COUNT; i++)
		rng_root((enum message_root)i);
	printf("  </choice></start>\n\n"
	       "  <define name=\"anything\">\n"
	       "    <zeroOrMore><choice>\n"
	       "      <attribute><anyName/></attribute>\n"
	       "      <text/>\n"
	       "      <element><anyName/><ref name=\"anything\"/></element>\n"
	       "    </choice></zeroOrMore>\n"
	       "  </define>\n");
	for (unsigned i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
		const struct message_info *info = message_info((enum message_id)i);

		printf("\n  <define name=\"%s\">\n    <element name=\"%s\">\n"
		       "      <a:documentation>%s</a:documentation>\n",
			info->element, info->element, info->description);
		rng_content((enum message_id)i, FIELD_NONE, 3);
		printf("    </element>\n  </define>\n");
	}
	printf("</grammar>\n");
}

/* --- the page --- */

/* A description ends with " [grade]". */
static void md_described(const char *description)
{
	const char *grade = strrchr(description, '[');

	printf("%.*s | %.*s |\n", (int)(grade - 1 - description), description,
		(int)(strlen(grade) - 2), grade + 1);
}

static void md_values(enum field_id field)
{
	size_t count;
	const struct field_value *values = field_values(field, &count);

	for (size_t i = 0; i < count; i++)
		printf("* `%s` = `%s`: %s (%s)\n", field_info(field)->path, values[i].text,
			values[i].description, origin_names[values[i].origin]);
}

static void md_message(enum message_id message)
{
	const struct message_info *info = message_info(message);
	size_t fields = 0, valued = 0, count;

	printf("\n### `%s`\n\n%c%s.", info->element, toupper((unsigned char)info->description[0]),
		info->description + 1);
	if (info->kind == MESSAGE_REQUEST)
		printf(" Answered with `%s`.", message_info(info->response)->element);
	printf(" Under");
	for (unsigned i = 0, named = 0; i < ROOT_COUNT; i++)
		if ((info->roots & 1u << i) != 0)
			printf("%s `%s`", named++ > 0 ? "," : "",
				message_root_element((enum message_root)i));
	printf(".\n");
	if ((info->flags & MESSAGE_OPENS_SESSION) != 0)
		printf("Opens a session where there is none.\n");
	if ((info->flags & MESSAGE_CLOSES_SESSION) != 0)
		printf("Closes the session.\n");
	if ((info->flags & MESSAGE_NO_SESSION) != 0)
		printf("Needs no session.\n");
	for (unsigned i = FIELD_NONE + 1; i < FIELD_EXTENSION; i++) {
		const struct field_info *field = field_info((enum field_id)i);

		if (field->message != message)
			continue;
		if (fields++ == 0)
			printf("\n| field | type | occurs | bytes at most | in logs | meaning | "
			       "source |\n"
			       "|---|---|---|---|---|---|---|\n");
		printf("| `%s` | %s | %s | ", field->path, type_names[field->type],
			cardinality_names[field->cardinality]);
		if (field->maximum > 0)
			printf("%zu", field->maximum);
		printf(" | %s | ", secrecy_names[field->secrecy]);
		md_described(field->description);
	}
	if (fields == 0)
		printf("\nIt has no fields of its own.\n");
	for (unsigned i = FIELD_NONE + 1; i < FIELD_EXTENSION; i++) {
		if (field_info((enum field_id)i)->message != message)
			continue;
		field_values((enum field_id)i, &count);
		if (count > 0 && valued++ == 0)
			printf("\nKnown values; others are kept as they are:\n\n");
		md_values((enum field_id)i);
	}
}

static void md_results(void)
{
	printf("\n## Result ids\n\nCompared without regard to case. The text is the English "
	       "`result-str`.\n\n"
	       "| id | in | outcome | source | text |\n|---|---|---|---|---|\n");
	for (unsigned i = RESULT_NONE + 1; i < RESULT_COUNT; i++) {
		const struct result_info *info = result_info((enum result_id)i);

		printf("| `%s` | %s | %s | %s | %s |\n", info->id, group_names[info->group],
			outcome_names[info->outcome], origin_names[info->origin], info->text);
	}
	printf("\nAlso understood, never sent:");
#define RESULT(name, group, outcome, origin, text)
#define RESULT_ALIAS(text, name) printf(" `%s` for `%s`.", text, #name);
#include "protocol/results.def"
#undef RESULT
	printf("\n");
}

static void md_states(void)
{
	printf("\n## States\n\n");
	for (unsigned i = 0; i < STATE_COUNT; i++)
		printf("* `%s`: %s\n", state_name((enum state)i), state_descriptions[i]);
	printf("\nA message that has no row here from the state of its session is refused with "
	       "`ERR_MESSAGE_NOT_ALLOWED`.\nAn `error-resp` moves a session that lives to "
	       "`ERRORED`.\n\n"
	       "| from | message | outcome | to |\n|---|---|---|---|\n");
	for (size_t i = 0; i < COUNT(moves); i++)
		printf("| `%s` | `%s` | %s | `%s` |\n", moves[i].from,
			message_info(moves[i].message)->element, outcome_names[moves[i].outcome],
			moves[i].to);
	printf("\n```mermaid\nstateDiagram-v2\n  [*] --> NONE\n");
	for (size_t i = 0; i < COUNT(moves); i++)
		printf("  %s --> %s: %s, %s\n", moves[i].from, moves[i].to,
			message_info(moves[i].message)->element, outcome_names[moves[i].outcome]);
	for (unsigned i = 0; i < STATE_COUNT; i++) {
		enum state errored = state_errored((enum state)i);

		if (errored != (enum state)i)
			printf("  %s --> %s: error-resp\n", state_name((enum state)i),
				state_name(errored));
	}
	printf("  ENDED --> [*]\n```\n");
}

static void describe_md(void)
{
	printf("# The messages\n\n"
	       "Written by the build from `src/protocol/*.def`; change those, then run "
	       "`ninja -C build protocol-docs`.\n\n"
	       "A message is an XML document in the body of an HTTP POST, and so is its answer. "
	       "The root\n"
	       "element says which dialect is spoken, its `version` which version; the one element "
	       "in it is "
	       "the message.\n\n"
	       "| root | URL path | versions served |\n|---|---|---|\n");
	for (unsigned i = 0; i < ROOT_COUNT; i++) {
		enum message_root root = (enum message_root)i;

		printf("| `%s` | `%s` | %s |\n", message_root_element(root),
			message_root_path(root), message_versions_text(root));
	}
	printf("\nReading is liberal: elements may come in any order, unknown elements and "
	       "attributes are\n"
	       "skipped, elements in a name space are kept and handed on. White space around a "
	       "value does\n"
	       "not count, except in passwords. An element that occurs any number of times may "
	       "occur %d times\n"
	       "inside its parent; elements in a name space may take %d bytes in one message.\n\n"
	       "Sources: *page* the specification page; *real* or *seen* traffic, logs or working\n"
	       "implementations; *impl* an independent implementation that worked with the "
	       "vendor's products;\n"
	       "*infer* concluded from those; *own* Fairlead's own choice where nothing is "
	       "public.\n"
	       "\n## Messages\n",
		FIELD_REPEAT_MAXIMUM, MESSAGE_EXTENSIONS_MAXIMUM);
	for (unsigned i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++)
		md_message((enum message_id)i);
	md_results();
	md_states();
}

/* --- dictionary --- */

/* True when an earlier field has the same name. */
static bool named_before(enum field_id field)
{
	for (unsigned i = FIELD_NONE + 1; i < (unsigned)field; i++)
		if (field_info((enum field_id)i)->attribute == field_info(field)->attribute &&
			strcmp(field_info((enum field_id)i)->name, field_info(field)->name) == 0)
			return true;
	return false;
}

static void describe_dict(void)
{
	printf("# Words of the messages, for libFuzzer; written by the build.\n"
	       "\"<?xml version=\\\"1.0\\\" encoding=\\\"UTF-8\\\"?>\"\n"
	       "\"<![CDATA[\"\n\"]]>\"\n\"<!--\"\n\"-->\"\n\"<!DOCTYPE\"\n\"&amp;\"\n\"&#13;\"\n"
	       "\" xmlns:x=\\\"urn:x\\\"\"\n\"<x:y xmlns:x=\\\"urn:x\\\"/>\"\n");
	for (unsigned i = 0; i < ROOT_COUNT; i++)
		printf("\"<%s version=\\\"%u.%u\\\">\"\n\"</%s>\"\n",
			message_root_element((enum message_root)i),
			(unsigned)message_version_newest((enum message_root)i).major,
			(unsigned)message_version_newest((enum message_root)i).minor,
			message_root_element((enum message_root)i));
	for (unsigned i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
		const char *element = message_info((enum message_id)i)->element;

		printf("\"<%s\"\n\"<%s>\"\n\"</%s>\"\n\"<%s/>\"\n", element, element, element,
			element);
	}
	for (unsigned i = FIELD_NONE + 1; i < FIELD_EXTENSION; i++) {
		const struct field_info *info = field_info((enum field_id)i);

		if (named_before((enum field_id)i))
			continue;
		if (info->attribute)
			printf("\" %s=\\\"\"\n", info->name);
		else
			printf("\"<%s>\"\n\"</%s>\"\n", info->name, info->name);
	}
	/* A word that is written twice does no harm. */
#define VALUE(field, text, origin, description) printf("\"%s\"\n", text);
#include "protocol/values.def"
#undef VALUE
	for (unsigned i = RESULT_NONE + 1; i < RESULT_COUNT; i++)
		printf("\"%s\"\n", result_info((enum result_id)i)->id);
}

/* --- translations --- */

static void pot_quoted(const char *name, const char *text)
{
	printf("%s \"", name);
	for (; *text != '\0'; text++)
		printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	printf("\"\n");
}

static void pot_text(const char *key, const char *text, const char *note)
{
	printf("\n");
	if (*note != '\0')
		printf("#. %s\n", note);
	if (strchr(text, '{') != NULL)
		printf("#, python-brace-format\n");
	pot_quoted("msgctxt", key);
	pot_quoted("msgid", text);
	pot_quoted("msgstr", "");
}

static void describe_pot(void)
{
	printf("# What users read. Written from src/protocol/texts.def and results.def; change "
	       "those, then run\n"
	       "# `ninja -C build translations`.\n"
	       "#\n"
	       "# Names in braces stand for something and stay as they are.\n"
	       "msgid \"\"\n"
	       "msgstr \"\"\n"
	       "\"Project-Id-Version: fairlead\\n\"\n"
	       "\"Language: \\n\"\n"
	       "\"MIME-Version: 1.0\\n\"\n"
	       "\"Content-Type: text/plain; charset=UTF-8\\n\"\n"
	       "\"Content-Transfer-Encoding: 8bit\\n\"\n"
	       "\"X-Locale: \\n\"\n");
#define TEXT(name, text, note) pot_text(#name, text, note);
#include "protocol/texts.def"
#undef TEXT
	for (unsigned i = RESULT_NONE + 1; i < RESULT_COUNT; i++) {
		const struct result_info *info = result_info((enum result_id)i);
		char key[128], note[128];

		snprintf(key, sizeof(key), "RESULT_%s", info->id);
		snprintf(note, sizeof(note), "%s: %s", group_names[info->group],
			outcome_names[info->outcome]);
		pot_text(key, info->text, note);
	}
}

int main(int count, char **arguments)
{
	const char *what = count == 2 ? arguments[1] : "";

	if (strcmp(what, "rng") == 0) {
		describe_rng();
	} else if (strcmp(what, "md") == 0) {
		describe_md();
	} else if (strcmp(what, "dict") == 0) {
		describe_dict();
	} else if (strcmp(what, "pot") == 0) {
		describe_pot();
	} else {
		fprintf(stderr, "usage: describe rng|md|dict|pot\n");
		return 2;
	}
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
