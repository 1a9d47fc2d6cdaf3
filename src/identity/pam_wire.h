/*
 * pam_wire.h - what a program and its fairlead-pam say to each other.
 *
 * One conversation per question, on a socket pair of its own (AF_UNIX, SOCK_SEQPACKET, so that a
 * message is a packet). Its helper's end comes to the helper with the question:
 *
 *   program                          fairlead-pam
 *                              <-    READY, once, on descriptor 3
 *   QUESTION (user, client)    ->    on descriptor 3, with the end of the pair as SCM_RIGHTS
 *                              <-    ACCOUNT (the user's own name), on the pair, as all that
 * follows SECRET (password)          ->
 *                              <-    ANSWER
 *
 * An ANSWER may come in place of ACCOUNT. A program that closes its end has given the question up.
 * So an answer cannot get to somebody else's question, and a password gets to the one process that
 * was forked for it, after the program has said that it may be tried.
 *
 * A message: 'F', 'P', PAM_WIRE_VERSION, enum pam_wire_type, then its fields in the order below.
 * Numbers are big endian; a text is its length in 2 bytes and its bytes, without NULs. Texts are
 * valid UTF-8 without control characters; passwords are any bytes but NUL. Nothing may follow.
 *
 * Writers append to a buffer (which wipes what it frees). Readers copy into the arena; 0,
 * ERROR_INPUT (not such a message) or ERROR_MEMORY.
 */
#ifndef FAIRLEAD_IDENTITY_PAM_WIRE_H
#define FAIRLEAD_IDENTITY_PAM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "identity/reason.h"

#define PAM_WIRE_VERSION 1
#define PAM_WIRE_DESCRIPTOR 3  /* where fairlead-pam is asked */
#define PAM_WIRE_MAXIMUM 65536 /* bytes of a message */
#define PAM_WIRE_NAME_MAXIMUM 256
#define PAM_WIRE_PASSWORD_MAXIMUM 511 /* PAM_MAX_RESP_SIZE without its NUL */
#define PAM_WIRE_DETAIL_MAXIMUM 1024
#define PAM_WIRE_GROUPS_MAXIMUM 4096
#define PAM_WIRE_LIMIT_MAXIMUM 600000 /* milliseconds */

enum pam_wire_type {
	PAM_WIRE_READY = 1, /* no fields */
	PAM_WIRE_QUESTION,
	PAM_WIRE_ACCOUNT,
	PAM_WIRE_SECRET,
	PAM_WIRE_ANSWER
};

struct pam_wire_question {
	uint32_t limit;   /* milliseconds, 1 to PAM_WIRE_LIMIT_MAXIMUM: the helper ends the question
			     then */
	const char *user; /* 1 to PAM_WIRE_NAME_MAXIMUM bytes; see pam_wire_may_be_user */
	const char *client; /* numeric address; may be "" */
};

struct pam_wire_account {
	const char *name; /* 1 to PAM_WIRE_NAME_MAXIMUM bytes */
};

struct pam_wire_secret {
	const char *password; /* 1 to PAM_WIRE_PASSWORD_MAXIMUM bytes: empty ones are never asked */
	const char *new_password; /* as password; NULL: none. On the wire "" */
};

struct pam_wire_answer {
	enum reason reason; /* one of those that PAM can have: pam_wire.c */
	const char *name;   /* REASON_RIGHT: not empty */
	const char *detail; /* for the administrator's log */
	bool groups_cut;    /* there are more */
	const char *const *groups;
	size_t group_count;
};

/* True for what can be the name of a user of this machine: valid UTF-8 of 1 to
 * PAM_WIRE_NAME_MAXIMUM bytes, without control characters, '/' and ':', not beginning with '-'.
 * Modules make file names, arguments and lines of it. */
bool pam_wire_may_be_user(const char *name);

/* The buffer is empty. 0, ERROR_INPUT (a text that may not be sent), ERROR_LIMIT (of the buffer, or
 * memory is short). */
int pam_wire_write_ready(struct buffer *buffer);
int pam_wire_write_question(struct buffer *buffer, const struct pam_wire_question *question);
int pam_wire_write_account(struct buffer *buffer, const struct pam_wire_account *account);
int pam_wire_write_secret(struct buffer *buffer, const struct pam_wire_secret *secret);
/* Leaves groups out, and says so in it, that are too many, too long or no text; makes the detail
 * one line of text. */
int pam_wire_write_answer(struct buffer *buffer, const struct pam_wire_answer *answer);

/* The type of a message; ERROR_INPUT when it has none or is of another version. */
int pam_wire_type(const void *bytes, size_t length);

int pam_wire_read_question(const void *bytes, size_t length, struct arena *arena,
	struct pam_wire_question *ret_question);
int pam_wire_read_account(const void *bytes, size_t length, struct arena *arena,
	struct pam_wire_account *ret_account);
int pam_wire_read_secret(
	const void *bytes, size_t length, struct arena *arena, struct pam_wire_secret *ret_secret);
int pam_wire_read_answer(
	const void *bytes, size_t length, struct arena *arena, struct pam_wire_answer *ret_answer);

#endif
