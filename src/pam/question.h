/*
 * question.h - one question, in the process that was forked for it.
 */
#ifndef FAIRLEAD_PAM_QUESTION_H
#define FAIRLEAD_PAM_QUESTION_H

#include "identity/pam_wire.h"

struct question_service {
	const char *name;
	const char *confdir; /* NULL: PAM's own */
};

/* Holds the conversation of pam_wire.h on `channel`: account, password, PAM, answer. True when the
 * question was answered, or given up by the program. Blocks as long as PAM does. */
bool question_answer(const struct question_service *service,
	const struct pam_wire_question *question, int channel);

#endif
