#include <assert.h>
#include <libxml/SAX2.h>
#include <libxml/dict.h>
#include <libxml/encoding.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/secret.h"
#include "wire/xml.h"

/* libxml2 keeps every name it has seen for the life of a context. Peers
 * choose the names, so a context whose names have grown to this is replaced. */
#define NAMES_MAXIMUM ((size_t)256 * 1024)

struct xml_reader {
	xmlParserCtxtPtr context; /* NULL: make one for the next document */
	const struct xml_handler *handler;
	struct xml_fault fault;
	int error; /* the first one; ends the document */
	int depth;
	int elements;
};

static struct xml_position position(const struct xml_reader *reader)
{
	const xmlParserInput *input = reader->context->input;

	if (input == NULL)
		return (struct xml_position){.line = 1};
	return (struct xml_position){.line = input->line, .column = input->col};
}

/* Ends the document as libxml2 itself does after a fatal error.
 * xmlStopParser would free the input under the running callback. */
static void stop(struct xml_reader *reader, int error)
{
	if (reader->error == 0)
		reader->error = error;
	reader->context->wellFormed = 0;
	reader->context->disableSAX = 1;
	if (reader->context->errNo == XML_ERR_OK)
		reader->context->errNo = XML_ERR_USER_STOP;
}

/* Removes what is left of a UTF-8 character where a text was cut. */
static void drop_halves(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0';) {
		unsigned char first = (unsigned char)*from;
		size_t size = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
		size_t whole = 1;

		while (whole < size && ((unsigned char)from[whole] & 0xC0) == 0x80)
			whole++;
		if (whole == size) {
			memmove(to, from, size);
			to += size;
		}
		from += whole;
	}
	*to = '\0';
}

__attribute__((format(printf, 4, 5))) static void refuse(struct xml_reader *reader,
	const char *element, struct xml_position at, const char *format, ...)
{
	struct xml_fault *fault = &reader->fault;
	va_list list;

	if (reader->error == 0) {
		va_start(list, format);
		vsnprintf(fault->detail, sizeof(fault->detail), format, list);
		va_end(list);
		drop_halves(fault->detail);
		snprintf(fault->element, sizeof(fault->element), "%s",
			element != NULL ? element : "");
		drop_halves(fault->element);
		fault->at = at;
	}
	stop(reader, ERROR_INPUT);
}

/* The innermost open element, NULL outside of the root. */
static const char *open_element(const struct xml_reader *reader)
{
	return (const char *)reader->context->name;
}

static bool name_fits(const xmlChar *name)
{
	return name == NULL ||
		strnlen((const char *)name, XML_NAME_MAXIMUM + 1) <= XML_NAME_MAXIMUM;
}

static struct xml_name make_name(const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
	return (struct xml_name){
		.local = (const char *)local,
		.prefix = (const char *)prefix,
		.name_space = (const char *)uri,
	};
}

static void on_start_document(void *user)
{
	static const char *const accepted[] = {"UTF-8", "UTF8", "UTF-16", "UTF-16LE", "UTF-16BE",
		"ISO-8859-1", "US-ASCII", "ASCII"};
	struct xml_reader *reader = user;
	const char *encoding = (const char *)reader->context->encoding;

	if (encoding == NULL && reader->context->input != NULL)
		encoding = (const char *)reader->context->input->encoding;
	if (encoding == NULL)
		return;
	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
		if (strcasecmp(encoding, accepted[i]) == 0)
			return;
	}
	refuse(reader, NULL, position(reader),
		"encoding '%.40s' is not accepted; expected UTF-8, UTF-16 or ISO-8859-1", encoding);
}

/* libxml2's attributes: five pointers each, the value from the fourth up to
 * the fifth. */
static void on_start(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
	int space_count, const xmlChar **spaces, int count, int defaulted, const xmlChar **given)
{
	struct xml_reader *reader = user;
	struct xml_attribute attributes[XML_ATTRIBUTES_MAXIMUM];
	struct xml_position at = position(reader);
	struct xml_name name = make_name(local, prefix, uri);
	int error;

	(void)space_count;
	(void)spaces;
	(void)defaulted;
	if (reader->error != 0)
		return;
	if (!name_fits(local) || !name_fits(prefix)) {
		refuse(reader, name.local, at,
			"the element name '%.40s...' is longer than %d bytes", name.local,
			XML_NAME_MAXIMUM);
		return;
	}
	if (++reader->depth > XML_DEPTH_MAXIMUM) {
		refuse(reader, name.local, at, "'%s' element is nested more than %d deep",
			name.local, XML_DEPTH_MAXIMUM);
		return;
	}
	if (++reader->elements > XML_ELEMENTS_MAXIMUM) {
		refuse(reader, name.local, at, "more than %d elements, at '%s' element",
			XML_ELEMENTS_MAXIMUM, name.local);
		return;
	}
	if (count > XML_ATTRIBUTES_MAXIMUM) {
		refuse(reader, name.local, at, "'%s' element has more than %d attributes",
			name.local, XML_ATTRIBUTES_MAXIMUM);
		return;
	}
	for (int i = 0; i < count; i++, given += 5) {
		if (!name_fits(given[0]) || !name_fits(given[1])) {
			refuse(reader, name.local, at,
				"'%s' element has an attribute name longer than %d bytes",
				name.local, XML_NAME_MAXIMUM);
			return;
		}
		attributes[i] = (struct xml_attribute){
			.name = make_name(given[0], given[1], given[2]),
			.value = (const char *)given[3],
			.length = (size_t)(given[4] - given[3]),
		};
	}
	error = reader->handler->start(reader->handler->user, &name, attributes, (size_t)count, at);
	if (error != 0)
		stop(reader, error);
}

static void on_end(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
	struct xml_reader *reader = user;
	struct xml_name name = make_name(local, prefix, uri);
	int error;

	if (reader->error != 0)
		return;
	reader->depth--;
	error = reader->handler->end(reader->handler->user, &name, position(reader));
	if (error != 0)
		stop(reader, error);
}

static void on_text(void *user, const xmlChar *bytes, int length)
{
	struct xml_reader *reader = user;
	int error;

	if (reader->error != 0 || length <= 0)
		return;
	error = reader->handler->text(reader->handler->user, (const char *)bytes, (size_t)length);
	if (error != 0)
		stop(reader, error);
}

static void on_doctype(
	void *user, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	struct xml_reader *reader = user;

	(void)name;
	(void)external;
	(void)system;
	refuse(reader, NULL, position(reader), "a DOCTYPE is not allowed");
}

static void refuse_entity(struct xml_reader *reader, const char *name, struct xml_position at)
{
	const char *element = open_element(reader);

	refuse(reader, element, at,
		"entity '%.60s'%s%.60s%s is not allowed; only lt, gt, amp, quot and apos are", name,
		element != NULL ? " in '" : "", element != NULL ? element : "",
		element != NULL ? "' element" : "");
}

static void on_entity(void *user, const xmlChar *name, int type, const xmlChar *external,
	const xmlChar *system, xmlChar *content)
{
	(void)type;
	(void)external;
	(void)system;
	(void)content;
	refuse_entity(user, (const char *)name, position(user));
}

static void on_reference(void *user, const xmlChar *name)
{
	refuse_entity(user, (const char *)name, position(user));
}

/* libxml2's own words, first line only. */
static void refuse_syntax(struct xml_reader *reader, const char *message, struct xml_position at)
{
	const char *element = open_element(reader);
	char line[160];

	snprintf(line, sizeof(line), "%s", message != NULL ? message : "not well-formed");
	line[strcspn(line, "\r\n")] = '\0';
	if (element != NULL)
		refuse(reader, element, at, "in '%.80s' element: %s", element, line);
	else
		refuse(reader, NULL, at, "not well-formed: %s", line);
}

static void on_error(void *user, xmlErrorPtr given)
{
	struct xml_reader *reader = user;
	struct xml_position at = {.line = given->line, .column = given->int2};
	const char *element = open_element(reader);

	if (given->code == XML_ERR_NO_MEMORY) {
		stop(reader, ERROR_MEMORY);
		return;
	}
	/* A name space is a name: whether it is a proper URI concerns nobody. */
	if (given->level < XML_ERR_ERROR || given->code == XML_WAR_NS_URI)
		return;
	if (at.line <= 0)
		at = position(reader);

	switch (given->code) {
	case XML_ERR_TAG_NAME_MISMATCH:
		element = given->str1 != NULL ? given->str1 : element;
		refuse(reader, element, at, "failed to close '%s' element", element);
		break;
	case XML_ERR_DOCUMENT_END:
	case XML_ERR_TAG_NOT_FINISHED:
		if (element != NULL && reader->depth > 0)
			refuse(reader, element, at, "failed to close '%s' element", element);
		else if (reader->elements > 0)
			refuse(reader, NULL, at, "there is text after the end of the document");
		else
			refuse(reader, NULL, at, "the document has no complete element");
		break;
	case XML_ERR_DOCUMENT_EMPTY:
		refuse(reader, NULL, at, "the document does not start with an element");
		break;
	case XML_ERR_UNDECLARED_ENTITY:
	case XML_WAR_UNDECLARED_ENTITY:
		refuse_entity(reader, given->str1 != NULL ? given->str1 : "?", at);
		break;
	case XML_NS_ERR_UNDEFINED_NAMESPACE:
		/* prefix, element; or prefix, attribute, element */
		element = given->str3 != NULL ? given->str3 : given->str2;
		refuse(reader, element, at,
			"name-space prefix '%.60s' in '%.80s' element is not declared", given->str1,
			element);
		break;
	default:
		refuse_syntax(reader, given->message, at);
		break;
	}
}

static xmlParserCtxtPtr new_context(struct xml_reader *reader)
{
	xmlSAXHandler calls = {
		.initialized = XML_SAX2_MAGIC,
		.startDocument = on_start_document,
		.internalSubset = on_doctype,
		.entityDecl = on_entity,
		.reference = on_reference,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.serror = on_error,
	};
	xmlParserCtxtPtr context = xmlCreatePushParserCtxt(&calls, reader, NULL, 0, NULL);

	if (context == NULL)
		return NULL;
	/* NOENT ("replace entities"): no entity can be declared, since a DOCTYPE
	 * ends the document; but without it libxml2 hands over "&#38;" for an
	 * ampersand in an attribute. */
	xmlCtxtUseOptions(context, XML_PARSE_NONET | XML_PARSE_NOENT);
	return context;
}

struct xml_reader *xml_reader_new(void)
{
	struct xml_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		return NULL;
	/* Idempotent and thread-safe; must have happened before contexts exist. */
	xmlInitParser();
	reader->context = new_context(reader);
	if (reader->context == NULL) {
		free(reader);
		return NULL;
	}
	return reader;
}

void xml_reader_free(struct xml_reader *reader)
{
	if (reader == NULL)
		return;
	xmlFreeParserCtxt(reader->context);
	secret_wipe(reader, sizeof(*reader));
	free(reader);
}

/* A context that is ready for a document; false: no memory. */
static bool renew_context(struct xml_reader *reader)
{
	xmlParserCtxtPtr context = reader->context;

	if (context != NULL && xmlDictGetUsage(context->dict) > NAMES_MAXIMUM) {
		xmlFreeParserCtxt(context);
		context = NULL;
	}
	if (context == NULL) {
		context = new_context(reader);
		reader->context = context;
		return context != NULL;
	}
	if (xmlCtxtResetPush(context, NULL, 0, NULL, NULL) != 0)
		return false;
	/* libxml2 2.9 forgets these two: name spaces of a document that ended in
	 * the middle would hold in the next one, and the encoding would not be
	 * looked for. */
	context->nsNr = 0;
	context->charset = XML_CHAR_ENCODING_NONE;
	return true;
}

/* Skips a UTF-8 byte order mark and white space; returns where that ends. */
static struct xml_position skip_space(const char **bytes, size_t *length)
{
	struct xml_position at = {.line = 1, .column = 1};

	if (*length >= 3 && memcmp(*bytes, "\xEF\xBB\xBF", 3) == 0) {
		*bytes += 3;
		*length -= 3;
	}
	/* A NUL after the first byte: UTF-16, where this is half of a character. */
	while (*length > 1 && memchr(" \t\r\n", **bytes, 4) != NULL && (*bytes)[1] != '\0') {
		at.column++;
		if (**bytes == '\n') {
			at.line++;
			at.column = 1;
		}
		++*bytes;
		--*length;
	}
	return at;
}

static bool encoding_accepted(const char *bytes, size_t length)
{
	switch (xmlDetectCharEncoding((const unsigned char *)bytes, length < 4 ? (int)length : 4)) {
	case XML_CHAR_ENCODING_NONE:
	case XML_CHAR_ENCODING_UTF8:
	case XML_CHAR_ENCODING_UTF16LE:
	case XML_CHAR_ENCODING_UTF16BE:
		return true;
	default:
		return false;
	}
}

/* Documents carry passwords, and the context lives on. */
static void wipe_input(xmlParserCtxtPtr context)
{
	if (context->input != NULL && context->input->buf != NULL &&
		context->input->end > context->input->base)
		secret_wipe((void *)(uintptr_t)context->input->base,
			(size_t)(context->input->end - context->input->base));
}

static void parse(struct xml_reader *reader, const char *bytes, size_t length)
{
	struct xml_position start = skip_space(&bytes, &length);

	if (length > INT_MAX) {
		refuse(reader, NULL, start, "the document is too large");
		return;
	}
	if (length == 0) {
		refuse(reader, NULL, start, "the document is empty");
		return;
	}
	if (!encoding_accepted(bytes, length)) {
		refuse(reader, NULL, start,
			"the encoding is not accepted; expected UTF-8, UTF-16 or ISO-8859-1");
		return;
	}
	reader->context->input->line = start.line;
	reader->context->input->col = start.column;
	xmlParseChunk(reader->context, bytes, (int)length, 1);
	/* Nothing ends unnoticed, even what libxml2 would not report. */
	if (reader->error == 0 &&
		(!reader->context->wellFormed || reader->depth != 0 || reader->elements == 0))
		refuse_syntax(reader, NULL, position(reader));
	wipe_input(reader->context);
}

int xml_read(struct xml_reader *reader, const char *bytes, size_t length,
	const struct xml_handler *handler, struct xml_fault *fault)
{
	/* Errors outside of a document's own context (character conversion) go
	 * to handlers of the thread, which would print. */
	xmlStructuredErrorFunc former = xmlStructuredError;
	void *former_user = xmlStructuredErrorContext;

	assert(handler->start != NULL && handler->text != NULL && handler->end != NULL);
	xmlSetStructuredErrorFunc(reader, on_error);
	reader->handler = handler;
	reader->error = 0;
	reader->depth = 0;
	reader->elements = 0;
	if (renew_context(reader))
		parse(reader, bytes, length);
	else
		reader->error = ERROR_MEMORY;
	xmlSetStructuredErrorFunc(former_user, former);

	if (reader->error == ERROR_INPUT && fault != NULL && reader->fault.detail[0] != '\0')
		*fault = reader->fault;
	memset(&reader->fault, 0, sizeof(reader->fault));
	if (reader->error == ERROR_MEMORY && reader->context != NULL) {
		/* Its state is not to be relied on. */
		xmlFreeParserCtxt(reader->context);
		reader->context = NULL;
	}
	return reader->error;
}
