/*
 * answer.h - reads HTTP answers as they come in: status, session cookie,
 * body. llhttp does the work.
 */
#ifndef FAIRLEAD_BENCH_ANSWER_H
#define FAIRLEAD_BENCH_ANSWER_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define ANSWER_BODY_MAXIMUM (1024 * 1024)
#define ANSWER_COOKIE_SIZE 129

enum answer_result {
	ANSWER_MORE,   /* not complete */
	ANSWER_DONE,   /* complete */
	ANSWER_BROKEN, /* not HTTP, or too large */
};

/* Everything above `parser` is for the caller, after ANSWER_DONE. */
struct answer {
	int status;
	bool keep_alive;
	char cookie[ANSWER_COOKIE_SIZE]; /* value of JSESSIONID; "" when none was set */
	struct buffer body;
	size_t bytes; /* head, framing and body */

	llhttp_t parser;
	char name[16]; /* of the header being read, as far as it is of interest */
	size_t name_length;
	char value[256]; /* likewise; longer ones are cut */
	size_t value_length;
	bool done;
};

/* Before the first answer. */
void answer_init(struct answer *answer);

/* Before each answer; keeps memory. */
void answer_begin(struct answer *answer);

void answer_free(struct answer *answer);

/* The next bytes. Bytes behind the end of the answer are broken: nothing was asked for that
 * they could answer. */
enum answer_result answer_feed(struct answer *answer, const char *bytes, size_t length);

#endif
