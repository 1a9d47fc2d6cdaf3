/*
 * run_private.h - shared by run.c and run_questions.c only.
 */
#ifndef FAIRLEAD_CLIENT_RUN_PRIVATE_H
#define FAIRLEAD_CLIENT_RUN_PRIVATE_H

#include "client/run.h"
#include "client/timeline.h"

struct run {
	const struct run_options *options;
	struct connect *connect;
	struct timeline *timeline; /* NULL with --json */
	struct timeline_style style;
	FILE *stream; /* of the timeline */
	uv_timer_t tick;
	uv_signal_t interrupt, terminate;
	unsigned open; /* handles not yet closed */
	bool over;
};

/* ---- run_questions.c: what connect.h asks of a person; `user` is the run ---- */

int run_password(void *user, const char *name, const char *domain, unsigned attempt,
	const char *refusal, char password[CONNECT_PASSWORD_SIZE]);
int run_accept(void *user, const char *title, const char *text);
int run_answer(
	void *user, const struct connect_question *question, char answers[][CONNECT_ANSWER_SIZE]);
int run_choose(void *user, const struct record *record, size_t *ret_index);

#endif
