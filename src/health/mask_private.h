/*
 * mask_private.h - the parts of masking: words, names, what looks like an address, and learning.
 */
#ifndef FAIRLEAD_HEALTH_MASK_PRIVATE_H
#define FAIRLEAD_HEALTH_MASK_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "health/mask.h"

#define MASK_NAME_MAXIMUM 255 /* bytes; longer names are masked by their first 255 */

/* ---- mask_word.c: words of a text ---- */

enum mask_class {
	MASK_OTHER,  /* blanks, punctuation */
	MASK_LETTER, /* letters and digits of scripts that write words apart */
	MASK_SIGN,   /* a character of a script that does not: each is a word of its own */
};

/* The class of the character at `at` and its bytes (at least 1). */
enum mask_class mask_class(const char *text, size_t length, size_t at, size_t *ret_bytes);

/* Upper case made lower, in place; every character keeps its length. */
void mask_fold(char *text, size_t length);

/* True when a letter stands before this place. */
bool mask_follows(const char *text, size_t length, size_t at);

/* True when a word begins (ends) at this place. */
bool mask_begins(const char *text, size_t length, size_t at);
bool mask_ends(const char *text, size_t length, size_t at);

/* The end of the word that begins at `at`; `at` itself when none does. */
size_t mask_word(const char *text, size_t length, size_t at);

/* ---- mask_name.c: what is known ---- */

enum mask_kind { MASK_USER, MASK_HOST, MASK_DOMAIN, MASK_IPV4, MASK_IPV6, MASK_MAC, MASK_KINDS };

struct mask_name {
	const char *text; /* folded; addresses as inet_ntop writes them, MACs as twelve digits */
	uint16_t length;
	uint8_t kind;
	bool weak;           /* a word that logs are full of: needs a sign that a name is meant */
	bool issued;         /* stands for another one */
	uint32_t same;       /* the name (number + 1) whose replacement this one shares, or 0 */
	const char *instead; /* NULL until it appears */
};

struct mask_names {
	struct arena *arena;
	struct mask_name *names;
	size_t count, capacity;
	uint32_t *slots; /* name + 1, or 0; a hash table of a power of two */
	size_t slot_count;
	uint16_t *
		starts; /* by hash of a first word: bytes of the longest name that begins with it */
	size_t start_count;
	uint32_t numbers[MASK_KINDS]; /* given out */
	uint64_t seed;
	bool lacking; /* memory or the maximum */
};

/* 0 or ERROR_MEMORY. */
int mask_names_init(struct mask_names *names);
void mask_names_free(struct mask_names *names);

/* Adds a folded text; its number, or SIZE_MAX when it could not be added. Known ones stay what they
 * are. */
size_t mask_names_add(
	struct mask_names *names, enum mask_kind kind, const char *folded, size_t length);

/* SIZE_MAX when it is not known. Users, hosts and domains are one kind. */
size_t mask_names_find(
	const struct mask_names *names, enum mask_kind kind, const char *folded, size_t length);

/* The longest name that begins with the word at `at` and ends where a word ends, weak ones only
 * where they are meant; SIZE_MAX or its number and *ret_end. What stands for a name is found as
 * well, so that no part of it is taken for one. */
size_t mask_names_match(const struct mask_names *names, const char *folded, size_t length,
	size_t at, size_t *ret_end);

/* What stands for a name; never NULL. */
const char *mask_names_instead(struct mask_names *names, size_t number);

/* ---- mask_address.c: what looks like an address ---- */

struct mask_found {
	enum mask_kind kind;
	size_t end;     /* behind it */
	size_t from;    /* what is replaced begins here: the node of a session id */
	char text[64];  /* as in mask_name */
	char separator; /* of a MAC; 0: none */
	bool stays;     /* names nobody: 0.0.0.0, ::1, netmasks */
};

/* An address, a MAC or an id with one, that begins at `at`. */
bool mask_address(const char *folded, size_t length, size_t at, struct mask_found *ret_found);

/* ---- mask.c ---- */

#define MASK_RESULTS 8

struct mask {
	struct mask_names names;
	struct buffer results[MASK_RESULTS];
	size_t next; /* result */
	struct buffer folded;
};

/* ---- mask_learn.c ---- */

/* A value that is known to be a name of this kind, as it stands in a log: "DOMAIN\user",
 * "host.example:443". Addresses are left to mask_address. */
void mask_learn_value(
	struct mask_names *names, enum mask_kind kind, const char *value, size_t length);

/* The same for a folded value. */
void mask_learn_folded(
	struct mask_names *names, enum mask_kind kind, const char *text, size_t length);

/* All names of a report's store, and the values that are marked as such. */
void mask_learn_report(struct mask_names *names, const struct report *report);

/* ---- mask_form.c ---- */

/* What a field of broker messages holds; false when it names nobody. */
bool mask_kind_of_element(const char *element, size_t length, enum mask_kind *ret_kind);

/* Names that a (folded) text shows by its form, and all addresses. */
void mask_learn_text(struct mask_names *names, const char *folded, size_t length);

#endif
