/*
 * xml.h - XML bytes to tokens and tokens to bytes.
 *
 * Reading wraps libxml2's SAX2 push parser: no network, no entities, no
 * DOCTYPE; depth, size, number of attributes and of elements are bounded. It knows
 * nothing of messages. Writing is appending and escaping.
 */
#ifndef FAIRLEAD_WIRE_XML_H
#define FAIRLEAD_WIRE_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define XML_DEPTH_MAXIMUM 16      /* elements inside each other, root included */
#define XML_ATTRIBUTES_MAXIMUM 16 /* of one element */
#define XML_NAME_MAXIMUM 128      /* bytes of an element or attribute name */
#define XML_ELEMENTS_MAXIMUM 4096 /* of one document */
#define XML_FAULT_SIZE 256

struct xml_position {
	int line;   /* from 1 */
	int column; /* from 1; 0 where the parser does not tell */
};

struct xml_name {
	const char *local;      /* without prefix */
	const char *prefix;     /* NULL: none */
	const char *name_space; /* URI; NULL: none */
};

struct xml_attribute {
	struct xml_name name;
	const char *value; /* unescaped, not NUL-terminated */
	size_t length;
};

/* Callbacks return 0 to go on or a negative error to stop; the reader then
 * returns that error. All texts live only for the call. */
struct xml_handler {
	int (*start)(void *user, const struct xml_name *name,
		const struct xml_attribute *attributes, size_t count, struct xml_position at);
	int (*text)(void *user, const char *bytes, size_t length); /* may come in pieces */
	int (*end)(void *user, const struct xml_name *name, struct xml_position at);
	void *user;
};

/* Why a document was refused. */
struct xml_fault {
	char detail[XML_FAULT_SIZE];        /* names the element where one is at fault:
					     * "failed to close 'client-info' element" */
	char element[XML_NAME_MAXIMUM + 1]; /* the element at fault, "" if none */
	struct xml_position at;
};

/* A reader is kept and used again for document after document by one thread
 * (libxml2 context reuse). */
struct xml_reader;
struct xml_reader *xml_reader_new(void); /* NULL: memory */
void xml_reader_free(struct xml_reader *reader);

/* Reads one whole document. White space before the XML declaration is
 * accepted (real clients send it). The encoding must be UTF-8, UTF-16 or ISO-8859-1.
 * 0; ERROR_INPUT with the fault filled (not well-formed, a DOCTYPE, an entity
 * other than the five of XML, a limit passed); ERROR_MEMORY; or what a callback returned. */
int xml_read(struct xml_reader *reader, const char *bytes, size_t length,
	const struct xml_handler *handler, struct xml_fault *fault);

/* --- writing (xml_write.c) --- */

/* Appends text with & < > " ' escaped and characters that XML 1.0 forbids, or
 * bytes that are not UTF-8, replaced by U+FFFD. */
int xml_write_escaped(struct buffer *out, const char *text, size_t length);

#endif
