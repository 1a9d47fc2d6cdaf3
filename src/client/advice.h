/*
 * advice.h - what a failure means, and who has to do what next.
 *
 * advice.def has a row for every result id, every error of a call, every trouble with a
 * certificate, every refusal and every cause of an end; tests/unit/test_advice.c proves it. The
 * words are Fairlead's own.
 */
#ifndef FAIRLEAD_CLIENT_ADVICE_H
#define FAIRLEAD_CLIENT_ADVICE_H

#include "protocol/result.h"
#include "service/link.h"

struct advice {
	const char *meaning; /* one sentence */
	const char *next;    /* what to do */
	const char *who;     /* who has to do it: "you", "the administrator", ... */
};

/* Which connection an error belongs to: the broker protocol's, or the session's. */
enum advice_side { ADVICE_BROKERING, ADVICE_SESSION };

/* What no server says, but the client finds out. */
enum advice_case {
#define ADVICE_CASE(name, meaning, next, who) ADVICE_CASE_##name,
#include "client/advice.def"
#undef ADVICE_CASE
	ADVICE_CASE_COUNT
};

/* None of these fails: what has no row gets the row of the unknown. */
struct advice advice_result(enum result_id result);
struct advice advice_error(enum advice_side side, int error);
/* The worst trouble of the set. */
struct advice advice_certificate(enum advice_side side, unsigned troubles);
struct advice advice_refusal(unsigned refusal);
struct advice advice_cause(unsigned cause);
struct advice advice_case(enum advice_case which);

#endif
