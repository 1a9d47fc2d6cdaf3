/*
 * extension.h - keeps a name-spaced element as the text of an element that can stand anywhere:
 * every name space its names need is declared inside it.
 *
 * Used by the decoder: the callbacks of the reader are passed on from the element's start to
 * its end. Names are written with the prefixes they came with; a declaration is written where a
 * prefix means something else than further out in the same text.
 */
#ifndef FAIRLEAD_PROTOCOL_EXTENSION_H
#define FAIRLEAD_PROTOCOL_EXTENSION_H

#include "base/arena.h"
#include "base/buffer.h"
#include "wire/xml.h"

#define EXTENSION_BINDINGS_MAXIMUM 64 /* declarations in force at one place */

struct extension_binding {
	const char *prefix;     /* "": the default name space */
	const char *name_space; /* "": none */
	unsigned depth;         /* of the element that declares it */
};

struct extension {
	struct arena *arena; /* for the names remembered */
	struct buffer text;
	unsigned depth; /* elements open; 0: none is being kept */
	size_t binding_count;
	struct extension_binding bindings[EXTENSION_BINDINGS_MAXIMUM];
};

/* `maximum` bounds the text of all elements kept with it, one after the other. */
void extension_init(struct extension *extension, struct arena *arena, size_t maximum);
void extension_free(struct extension *extension);

/* Each returns 0, ERROR_LIMIT (too many bytes or declarations) or ERROR_MEMORY. After the end
 * that makes depth 0, text holds the element; empty it with extension_taken. */
int extension_start(struct extension *extension, const struct xml_name *name,
	const struct xml_attribute *attributes, size_t count);
int extension_text(struct extension *extension, const char *bytes, size_t length);
int extension_end(struct extension *extension, const struct xml_name *name);

/* The element was copied away: empties the text and takes its length off the maximum. */
void extension_taken(struct extension *extension);

#endif
