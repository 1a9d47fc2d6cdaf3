/*
 * http_answer.h - a struct http_response into the bytes of one write.
 */
#ifndef FAIRLEAD_WIRE_HTTP_ANSWER_H
#define FAIRLEAD_WIRE_HTTP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "wire/http_server.h"

/* Head and body together; an exchange's arena holds at most half of it. */
#define HTTP_ANSWER_MAXIMUM (1024 * 1024)

/* "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL. */
#define HTTP_DATE_SIZE 30
void http_answer_date(int64_t seconds, char date[HTTP_DATE_SIZE]);

struct http_answer {
	const char *date;
	bool keep_alive; /* says so in "Connection" */
	bool http10;     /* no chunks */
	bool no_body;    /* answers HEAD: the head as if there were a body, and no body */
};

/* Appends the answer. Headers whose name or value has control characters are left out: they
 * would be further headers to the reader. 0, ERROR_LIMIT or ERROR_MEMORY; then the
 * buffer's content is not an answer. */
int http_answer_write(
	struct buffer *out, const struct http_response *response, const struct http_answer *answer);

#endif
