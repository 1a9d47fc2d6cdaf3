/*
 * state.c - the table of states and moves.
 */
#include "protocol/state.h"

#include <assert.h>
#include <stddef.h>

#include "base/error.h"

static const char *const names[STATE_COUNT] = {
#define STATE(name, description) [STATE_##name] = #name,
#define MOVE(from, message, outcome, to)
#include "protocol/states.def"
#undef STATE
#undef MOVE
};

static const struct move {
	enum state from;
	enum message_id message;
	enum result_outcome outcome;
	enum state to;
} moves[] = {
#define STATE(name, description)
#define MOVE(from, message, outcome, to)                                                           \
	{STATE_##from, MESSAGE_##message, OUTCOME_##outcome, STATE_##to},
#include "protocol/states.def"
#undef STATE
#undef MOVE
};

#define MOVE_COUNT (sizeof(moves) / sizeof(*moves))

const char *state_name(enum state state)
{
	assert(state < STATE_COUNT);
	return names[state];
}

bool state_may(enum state state, enum message_id message)
{
	for (size_t i = 0; i < MOVE_COUNT; i++)
		if (moves[i].from == state && moves[i].message == message)
			return true;
	return false;
}

int state_next(enum state state, enum message_id message, enum result_outcome outcome,
	enum state *ret_next)
{
	assert(ret_next != NULL);
	for (size_t i = 0; i < MOVE_COUNT; i++) {
		const struct move *move = &moves[i];

		if (move->from == state && move->message == message && move->outcome == outcome) {
			*ret_next = move->to;
			return 0;
		}
	}
	return ERROR_STATE;
}

enum state state_errored(enum state state)
{
	assert(state < STATE_COUNT);
	return state == STATE_NONE || state == STATE_ENDED ? state : STATE_ERRORED;
}
