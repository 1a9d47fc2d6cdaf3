/*
 * message.h - a message of the broker protocol, the agent's launch API or
 * the licence exchange, as a small tree.
 *
 * The tables messages.def and fields.def say which messages there are and
 * what is in them; the tree holds only what those tables know, plus
 * name-spaced extension elements, which are kept as they came. Everything of
 * a message lives in one arena. Sources of the facts: the specification page
 * "PCoIP Connection Broker Protocol Structure" and, graded, what public material shows of real
 * clients and agents; each table row names its own.
 */
#ifndef FAIRLEAD_PROTOCOL_MESSAGE_H
#define FAIRLEAD_PROTOCOL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "protocol/result.h"

/* Root elements; each is one dialect spoken at one URL. roots.def:
 * ROOT(name, element, path) */
enum message_root {
#define ROOT(name, element, path) ROOT_##name,
#include "protocol/roots.def"
#undef ROOT
	ROOT_COUNT
};

/* messages.def: MESSAGE(NAME, element, KIND, RESPONSE, ROOTS, flags, description) */
enum message_id {
	MESSAGE_NONE = 0,
#define MESSAGE(name, element, kind, response, roots, flags, description) MESSAGE_##name,
#include "protocol/messages.def"
#undef MESSAGE
	MESSAGE_COUNT
};

/* fields.def: FIELD(NAME, MESSAGE, path, TYPE, CARDINALITY, maximum, SECRECY, description) */
enum field_id {
	FIELD_NONE = 0,
#define FIELD(name, message, path, type, cardinality, maximum, secrecy, description) FIELD_##name,
#include "protocol/fields.def"
#undef FIELD
	FIELD_EXTENSION, /* a name-spaced element kept as text */
	FIELD_COUNT
};

struct message_version {
	uint16_t major;
	uint16_t minor;
};

/* One element or attribute. */
struct message_node {
	enum field_id field;
	const char *text; /* unescaped; "" for an element that only has children;
			   * for FIELD_EXTENSION the element's own XML, name spaces declared */
	size_t length;
	struct message_node *parent; /* NULL: directly below the message element */
	struct message_node *first;  /* children in table order, those of one field as they came */
	struct message_node *last;
	struct message_node *next;
};

struct message {
	enum message_id id;
	enum message_root root;
	struct message_version version;
	struct message_node *first;
	struct message_node *last;
	struct arena *arena;
};

/* What is served and answered with the version asked: 1.0 to 2.1 for the
 * broker roots ("2.1" is all that public material shows; the range is Fairlead's choice),
 * 1.0 for the agent and licence roots. */
bool message_version_served(enum message_root root, struct message_version version);
struct message_version message_version_newest(enum message_root root);
/* "1.0 to 2.1" */
const char *message_versions_text(enum message_root root);

/* --- the tables --- */

enum message_kind { MESSAGE_REQUEST, MESSAGE_RESPONSE };

struct message_info {
	const char *element; /* "hello" */
	enum message_kind kind;
	enum message_id response; /* of a request: its answer; of a response: MESSAGE_NONE */
	unsigned roots;           /* bit 1 << ROOT_x for each root it may appear under */
	unsigned flags;
	const char *description;
};

/* Roots of messages.def, as bits. */
#define MESSAGE_ROOTS_BROKERING (1u << ROOT_CLIENT | 1u << ROOT_BROKER)
#define MESSAGE_ROOTS_AGENT (1u << ROOT_AGENT)
#define MESSAGE_ROOTS_LICENSE (1u << ROOT_LICENSE)
#define MESSAGE_ROOTS_ALL ((1u << ROOT_COUNT) - 1)

/* Flags of a message. */
#define MESSAGE_OPENS_SESSION (1u << 0)  /* makes a session when there is none (hello) */
#define MESSAGE_NO_SESSION (1u << 1)     /* needs none (launch-session, licence exchange) */
#define MESSAGE_CLOSES_SESSION (1u << 2) /* bye */
#define MESSAGE_STAGE(number) ((unsigned)(number) << 8)

const struct message_info *message_info(enum message_id id);
/* The stage of establishing a session that a request belongs to: 1 initialise, 2 authenticate, 3
 * get resources, 4 allocate and prepare the host (bye ends it), 6 validate the licence; 0: none.
 * Stage 5, the session, has no messages of this kind. */
int message_stage(enum message_id id);
/* The message of that element; MESSAGE_NONE: there is none. */
enum message_id message_named(const char *element);
const char *message_root_element(enum message_root root);
const char *message_root_path(enum message_root root); /* URL path */

enum field_type {
	FIELD_GROUP,  /* only children */
	FIELD_TEXT,   /* white space around it does not count */
	FIELD_EXACT,  /* text with every blank kept: passwords */
	FIELD_NUMBER, /* decimal, unsigned 64 bits */
	FIELD_FLAG,   /* true or false; 1 and 0 are understood */
	FIELD_ENUM,   /* one of values.def; other values are kept and reported as unknown
		       * by field_value_known, because the list is what is public, not what exists */
	FIELD_RESULT, /* a result id of results.def; likewise */
	FIELD_TIME,   /* ISO 8601: 2026-01-31T12:00:00Z (fractions allowed) or 2026-01-31 */
};

enum field_cardinality {
	FIELD_ONE,      /* required, once */
	FIELD_OPTIONAL, /* none or once */
	FIELD_SOME,     /* once or more */
	FIELD_ANY,      /* none or more */
};

enum field_secrecy {
	FIELD_PUBLIC,
	FIELD_NAME,   /* of a person or machine: shown as the log's name rule says */
	FIELD_SECRET, /* password, connect tag: never shown, wiped */
};

struct field_info {
	enum message_id message;
	const char *path; /* from the message element: "client-info/hostname",
			     "resource/resource-type@session-type" */
	const char *name; /* last step: "hostname", "session-type" */
	size_t name_length;
	enum field_id parent; /* FIELD_NONE: the message element */
	bool attribute;
	enum field_type type;
	enum field_cardinality cardinality;
	size_t maximum; /* bytes of text; how often: FIELD_REPEAT_MAXIMUM */
	enum field_secrecy secrecy;
	const char *description; /* ends with the grade of its source: "... [page]" */
};

#define FIELD_REPEAT_MAXIMUM 256         /* of one repeated element inside its parent */
#define MESSAGE_EXTENSIONS_MAXIMUM 16384 /* bytes of extension XML in one message */

const struct field_info *field_info(enum field_id field);

/* The field of that path in that message; FIELD_NONE: there is none. */
enum field_id field_find(enum message_id message, const char *path);

/* What may stand directly in a group or message, in table order: attributes first. */
#define FIELD_CHILDREN_MAXIMUM 32
struct field_children {
	const enum field_id *fields;
	size_t count;      /* at most FIELD_CHILDREN_MAXIMUM */
	uint32_t required; /* bit n: fields[n] must occur */
};
const struct field_children *field_children(enum field_id parent);
const struct field_children *field_children_of_message(enum message_id message);

/* True for SOME and ANY. */
bool field_repeats(enum field_id field);

/* Whether a text is of the field's type; says nothing about its length. */
bool field_type_holds(enum field_type type, const char *text, size_t length);

/* values.def: VALUE(FIELD, text, ORIGIN, description) */
struct field_value {
	enum field_id field;
	const char *text;
	enum result_origin origin;
	const char *description;
};

/* The known values of a field of type ENUM, in table order; NULL and 0 when it has none. */
const struct field_value *field_values(enum field_id field, size_t *ret_count);
/* Place of a text among them; -1: not known. Compared byte for byte. */
int field_value_index(enum field_id field, const char *text);
bool field_value_known(enum field_id field, const char *text);

/* --- building and reading --- */

/* A new empty message in `arena`; NULL: memory. */
struct message *message_new(struct arena *arena, enum message_id id, enum message_root root,
	struct message_version version);

/* Adds an element or attribute below `parent` (NULL: the message), whose
 * field must be the field's parent in the table (asserted). Text is copied;
 * NULL means "". Text over the field's maximum is cut at a character boundary: our own texts
 * must fit, foreign ones (a name out of a directory) may not. A field that occurs at most once
 * and is there already is not added again: it gets the new text, and keeps what is below it.
 * FIELD_EXTENSION may stand below any element; its text must be the XML of one element that
 * declares its name spaces, as the decoder leaves it. NULL: memory. */
struct message_node *message_add(struct message *message, struct message_node *parent,
	enum field_id field, const char *text);
struct message_node *message_add_number(
	struct message *message, struct message_node *parent, enum field_id field, uint64_t number);

/* For the decoder: one more node of that field, without a text, in the order of the table.
 * Nothing is checked. NULL: memory. */
struct message_node *message_append(
	struct message *message, struct message_node *parent, enum field_id field);

/* As message_add, making the groups above the field on the way when there is no such node yet;
 * of a group that occurs several times the last one is taken. message_put(m,
 * FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_HOSTNAME, "x") makes brokers-info and broker-info. */
struct message_node *message_put(struct message *message, enum field_id field, const char *text);
struct message_node *message_put_number(
	struct message *message, enum field_id field, uint64_t number);

/* First node of that field anywhere in the message / below `parent`; NULL: none. */
const struct message_node *message_find(const struct message *message, enum field_id field);
const struct message_node *message_child(const struct message_node *parent, enum field_id field);
/* The next node of the same field below the same parent; NULL: none. */
const struct message_node *message_next(const struct message_node *node);

/* Text of the first such node; NULL: absent. */
const char *message_text(const struct message *message, enum field_id field);

/* Number of the first such node, of type NUMBER. False: absent or not a number; ret untouched. */
bool message_number(const struct message *message, enum field_id field, uint64_t *ret_number);

/* Result id of the first such node, of type RESULT; RESULT_NONE: absent or not in results.def. */
enum result_id message_result(const struct message *message, enum field_id field);

/* Copies every node from one message into another, into its arena: what a relay does. Extensions
 * are kept. When the ids differ, fields match by path, and what has no match is left out.
 * What `to` has already of fields that occur once stays as it is there, with all below.
 * 0 or ERROR_MEMORY (`to` is then incomplete). */
int message_copy(struct message *to, const struct message *from);

/* Wipes the texts of FIELD_SECRET nodes in place. */
void message_wipe_secrets(struct message *message);

#endif
