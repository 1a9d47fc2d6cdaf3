/*
 * scenario.h - the real handlers of a program with a fake clock, fake entropy and fake peers.
 *
 * No sockets: a scenario hands requests to an endpoint, and answers itself what the program asks
 * other programs. Time stands still unless the scenario moves it. A real libuv loop is there for
 * the work queue only, and turns when a scenario waits for something it cannot make happen itself.
 */
#ifndef FAIRLEAD_TESTS_SCENARIO_H
#define FAIRLEAD_TESTS_SCENARIO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/error.h"
#include "identity/password.h"
#include "service/endpoint.h"
#include "service/peer.h"

/* 2027-01-15T08:00:00Z */
#define SCENARIO_START (INT64_C(1800000000) * CLOCK_SECOND)
#define SCENARIO_ARENA (512 * 1024) /* as an HTTP exchange has */
#define SCENARIO_CLIENT "192.0.2.7"
#define SCENARIO_LOCAL "192.0.2.1"
#define SCENARIO_LOG_ID "4208fb66-e22a-11d1-a7d7-00a0c982c00d"
#define SCENARIO_PASSWORD "correct horse"

/* Inner parts of messages that most scenarios need. */
#define HELLO_OF(product)                                                                          \
	"<hello><client-info><product-name>" product "</product-name>"                             \
	"<hostname>desk-7</hostname></client-info></hello>"
#define HELLO HELLO_OF("Test Client")
#define AUTHENTICATE_AS(user, password)                                                            \
	"<authenticate method=\"password\"><username>" user "</username><password>" password       \
	"</password><domain>studio</domain></authenticate>"
#define LIST "<get-resource-list></get-resource-list>"
#define ALLOCATE(id)                                                                               \
	"<allocate-resource><resource-id>" id "</resource-id><protocol>PCOIP</protocol>"           \
	"</allocate-resource>"
#define BYE "<bye></bye>"

/* A request and, once it is there, its answer. */
struct scenario_answer {
	struct scenario *scenario;
	struct scenario_answer *next;
	struct arena *request_arena; /* freed with the answer, as an HTTP exchange does */
	struct arena *arena;         /* owns what follows */
	bool done;
	int status;
	const char *body;
	size_t length;
	const char *set_cookie;            /* the whole header; NULL: none */
	char cookie[SESSIONS_COOKIE_SIZE]; /* of it; "" if none */
	const char *log_id;                /* Client-Log-Id; NULL: none */
	const char *allow;                 /* NULL: none */
	const char *content_type;
	bool chunked;
	const struct message *message; /* NULL: the body is none */
};

/* What the program asked another one; all texts are copies. */
struct scenario_call {
	struct scenario_call *next;
	struct arena *arena; /* owns the texts and the request */
	const char *address, *cookie, *log_id, *forwarded_for;
	unsigned timeout_ms, connect_ms;
	enum certificate_verify verify;
	const char *policy_name, *fingerprint, *ca_file;
	struct message *request;
	/* to answer it */
	struct arena *answer_arena;
	peer_done *done;
	void *user;
	bool answered;
};

struct scenario {
	uv_loop_t uv;
	struct clock_fake clock;
	struct entropy_fake entropy;
	struct loop loop;
	struct peer peer; /* the fake one; first_call ... are its */
	struct scenario_call *calls;
	struct scenario_answer *answers;
	int peer_refuses; /* peer_call fails with this */
};

/* An answer as XML is what the program would have read from the wire. */
struct scenario_request {
	struct endpoint *endpoint;
	enum message_root root;
	const char *version; /* NULL: the root's newest */
	const char *inner;   /* the message element; NULL: `body` is everything */
	const char *body;
	const char *cookie; /* NULL or "": none */
	const char *log_id, *forwarded_for;
	const char *peer;          /* NULL: SCENARIO_CLIENT */
	const char *local;         /* the address that was reached; NULL: SCENARIO_LOCAL */
	const char *method, *path; /* NULL: POST to the root's path */
	size_t arena_maximum;      /* 0: SCENARIO_ARENA */
};

void scenario_begin(struct scenario *scenario);
/* Every request must have been answered and every call as well. */
void scenario_end(struct scenario *scenario);

/* A hash of SCENARIO_PASSWORD, cheap, made once. */
const char *scenario_hash(void);

/* Loads YAML that must be good; '%' in it stands for scenario_hash(), quoted. File names in it are
 * relative to the folder of `name`. */
struct config *scenario_config_named(
	const char *name, const struct cyaml_schema_value *schema, const char *yaml);
struct config *scenario_config(const struct cyaml_schema_value *schema, const char *yaml);

/* Hands the request over; the answer may come later. */
struct scenario_answer *scenario_send(
	struct scenario *scenario, const struct scenario_request *request);
/* Turns the loop until the answer is there; fails when nothing is left that could bring it. */
void scenario_wait(struct scenario_answer *answer);
/* Both, for the most frequent kind of request. */
struct scenario_answer *scenario_ask(struct scenario *scenario, struct endpoint *endpoint,
	enum message_root root, const char *cookie, const char *inner);
/* scenario_ask without the waiting. */
struct scenario_answer *scenario_start(struct scenario *scenario, struct endpoint *endpoint,
	enum message_root root, const char *cookie, const char *inner);

/* The oldest call nobody has answered; turns the loop until there is one. It must be this message
 * (the type of its request). */
struct scenario_call *scenario_called(struct scenario *scenario, enum message_id message);
/* The same, if there is one by now; NULL: none. */
struct scenario_call *scenario_pending(struct scenario *scenario);
/* There must be none. */
void scenario_not_called(struct scenario *scenario);
/* Answers with a message under the request's root; `cookie` NULL: none comes with it. Where it does
 * not fit into the transaction's memory, ERROR_MEMORY is the answer, as from the real peer. */
void scenario_reply(struct scenario *scenario, struct scenario_call *call, const char *inner,
	const char *cookie);
/* The other program could not be asked. */
void scenario_fail(struct scenario_call *call, int error);

/* Text of a call's request, "" when absent. */
const char *scenario_call_text(const struct scenario_call *call, enum field_id field);

/* --- what must be --- */

/* The answer is this message, with this result id where it has one. */
#define assert_answer(answer, id, result)                                                          \
	scenario_assert_answer(answer, id, result, __FILE__, __LINE__)
void scenario_assert_answer(const struct scenario_answer *answer, enum message_id id,
	const char *result, const char *file, int line);
#define assert_field(answer, field, expected)                                                      \
	scenario_assert_field((answer)->message, field, expected, __FILE__, __LINE__)
void scenario_assert_field(const struct message *message, enum field_id field, const char *expected,
	const char *file, int line);
/* A text somewhere in the field's. */
#define assert_field_has(answer, field, part)                                                      \
	scenario_assert_field_has((answer)->message, field, part, __FILE__, __LINE__)
void scenario_assert_field_has(const struct message *message, enum field_id field, const char *part,
	const char *file, int line);

#endif
