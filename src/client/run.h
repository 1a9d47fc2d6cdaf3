/*
 * run.h - a connection in the foreground of a terminal: the flow, its picture, its signals, its
 * report. `fairlead connect` and `fairlead demo` are both this.
 */
#ifndef FAIRLEAD_CLIENT_RUN_H
#define FAIRLEAD_CLIENT_RUN_H

#include "client/connect.h"

struct run_options {
	/* loop, clock, entropy, log, and what to connect to; peer and events are filled in here. */
	struct connect_options connect;
	const char *password; /* NULL: asked on the terminal */
	int answers;          /* a descriptor with a line for each entry that a server asks for, in
			       * order; not owned; -1: asked on the terminal */
	bool accept_terms;    /* whatever they are; else asked on the terminal */
	bool interactive;     /* may ask on the terminal at all */
	bool json;            /* one JSON document instead of the picture */
};

/* Runs the loop until the connection is over, and prints. The loop must run until it is empty
 * afterwards. Returns the program's exit status. */
int run_connection(const struct run_options *options);

/* The client's log: `file` NULL: $XDG_STATE_HOME/fairlead/client.log, made with its folders, for
 * its owner only; "none": no log. 0 with *ret_log (NULL for "none"), or an error with errno;
 * *ret_file is the file's name, for messages. */
int run_log_open(
	const char *file, const struct clock *clock, struct log **ret_log, char ret_file[4096]);

#endif
