/*
 * terminal.h - what a stream that people read can show.
 */
#ifndef FAIRLEAD_BASE_TERMINAL_H
#define FAIRLEAD_BASE_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

struct terminal {
	bool able;        /* a terminal that TERM calls able; else no colour and no size */
	bool colour;      /* and NO_COLOR (https://no-color.org) is not set */
	bool utf8;        /* by the locale, of any stream; setlocale must have been called */
	unsigned columns; /* of the terminal, else COLUMNS; 0: unknown */
	unsigned rows;
};

struct terminal terminal_of(FILE *stream);

#endif
