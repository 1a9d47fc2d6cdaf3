/*
 * keeper.h - takes questions from descriptor 3, starts a process for each, and ends those that are
 * given up or take too long.
 *
 * It never sees a password: that goes to the process of its question. Nothing outlives its
 * question: programs that a module has left behind (a script of pam_exec that hangs) are ended too.
 */
#ifndef FAIRLEAD_PAM_KEEPER_H
#define FAIRLEAD_PAM_KEEPER_H

#include "pam/question.h"

struct keeper_options {
	struct question_service service;
	unsigned at_once; /* questions at the same time; the next ones wait in the socket */
};

/* Says that it is ready, and returns once the other end of the socket is closed and everything it
 * has started has been ended: 0, ERROR_MEMORY, ERROR_SYSTEM. */
int keeper_run(const struct keeper_options *options, int socket);

#endif
