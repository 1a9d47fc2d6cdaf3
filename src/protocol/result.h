/*
 * result.h - every result id, what it means for the session, its text.
 *
 * results.def: RESULT(NAME, group, outcome, origin, text)
 *   group    which message carries it: AUTH, LIST, ALLOC, ERR, AGENT, LICENSE
 *   outcome  OK, INCOMPLETE, PENDING, FAILED
 *   origin   PAGE (specification page), SEEN (public traffic or logs), OWN (Fairlead's own
 *            choice where nothing is public)
 *   text     the English result-str; where a real text is known, that one
 */
#ifndef FAIRLEAD_PROTOCOL_RESULT_H
#define FAIRLEAD_PROTOCOL_RESULT_H

enum result_id {
	RESULT_NONE = 0,
#define RESULT(name, group, outcome, origin, text) RESULT_##name,
#include "protocol/results.def"
#undef RESULT
	RESULT_COUNT
};

enum result_group { GROUP_AUTH, GROUP_LIST, GROUP_ALLOC, GROUP_ERR, GROUP_AGENT, GROUP_LICENSE };
enum result_outcome { OUTCOME_OK, OUTCOME_INCOMPLETE, OUTCOME_PENDING, OUTCOME_FAILED };
enum result_origin { ORIGIN_PAGE, ORIGIN_SEEN, ORIGIN_OWN };

struct result_info {
	const char *id; /* as on the wire */
	enum result_group group;
	enum result_outcome outcome;
	enum result_origin origin;
	const char *text;
};

const struct result_info *result_info(enum result_id result);

/* By wire text, compared without regard to case (agents differ); RESULT_NONE: not in the table. */
enum result_id result_find(const char *id);

#endif
