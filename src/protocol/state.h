/*
 * state.h - the states of a broker-protocol session, as a table.
 *
 * states.def: STATE(NAME, description) and MOVE(from, message, outcome, to).
 * What is not listed is refused. The specification page has CREATED,
 * AUTHENTICATED, ALLOCATED and ERRORED; NONE is "no session", ENDED is after bye or time-out.
 */
#ifndef FAIRLEAD_PROTOCOL_STATE_H
#define FAIRLEAD_PROTOCOL_STATE_H

#include <stdbool.h>

#include "protocol/message.h"
#include "protocol/result.h"

enum state {
#define STATE(name, description) STATE_##name,
#define MOVE(from, message, outcome, to)
#include "protocol/states.def"
#undef STATE
#undef MOVE
	STATE_COUNT
};

const char *state_name(enum state state);

/* True when the table has any move for this message from this state. */
bool state_may(enum state state, enum message_id message);

/* The state after answering `message` with `outcome`. 0; ERROR_STATE when
 * the table has no such move. An error-resp moves every live state to ERRORED:
 * state_errored. */
int state_next(enum state state, enum message_id message, enum result_outcome outcome,
	enum state *ret_next);
enum state state_errored(enum state state);

#endif
