/*
 * script.h - what a client says, and whether the answer is right: the
 * messages of a logon, made and read with the protocol's own codec.
 */
#ifndef FAIRLEAD_BENCH_SCRIPT_H
#define FAIRLEAD_BENCH_SCRIPT_H

#include "base/buffer.h"
#include "bench/answer.h"
#include "bench/options.h"
#include "bench/roll.h"

#define SCRIPT_WHY_SIZE ROLL_WHY_SIZE

/* In this order; hello alone for everything but logons. */
enum script_step {
	SCRIPT_HELLO,
	SCRIPT_AUTHENTICATE,
	SCRIPT_LIST,
	SCRIPT_ALLOCATE,
	SCRIPT_BYE,
	SCRIPT_STEPS,
};

#define SCRIPT_RESOURCE_SIZE 257

/* What a client has learned since its hello. */
struct script_client {
	const char *user;     /* NULL: the one of the options */
	const char *password; /* NULL: that of the options' file */
	char cookie[ANSWER_COOKIE_SIZE];
	char resource[SCRIPT_RESOURCE_SIZE];
};

struct script;

/* Reads the password file and the users. The options must stay. 0, or the error with `why`. */
int script_new(
	const struct options *options, struct script **ret_script, char why[SCRIPT_WHY_SIZE]);
void script_free(struct script *script);

/* A client who has learned nothing; where the options name many users, the next one. */
void script_begin(struct script *script, struct script_client *client);

/* The step's HTTP request into `out`, which is emptied first. Under pcoip-broker the hello is the
 * specification page's example, byte for byte. 0 or ERROR_MEMORY. */
int script_request(struct script *script, enum script_step step, const struct script_client *client,
	struct buffer *out);

/* Whether the answer is one that lets a client go on; what he learns goes to `client`. `thorough`:
 * the message is decoded; otherwise status, cookie and element name have to do. 0, or ERROR_INPUT
 * with `why`. */
int script_check(struct script *script, enum script_step step, const struct answer *answer,
	bool thorough, struct script_client *client, char why[SCRIPT_WHY_SIZE]);

#endif
