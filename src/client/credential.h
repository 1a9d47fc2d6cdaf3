/*
 * credential.h - names and passwords of whoever sits at the terminal.
 */
#ifndef FAIRLEAD_CLIENT_CREDENTIAL_H
#define FAIRLEAD_CLIENT_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>

#define CREDENTIAL_NAME_SIZE 257 /* authenticate/username of fields.def, with NUL */

/* Splits "DOMAIN\user" and "user@domain"; the domain is "" when there is none. 0, or ERROR_LIMIT:
 * one of them is too long; ERROR_INPUT: no user. */
int credential_split(
	const char *given, char user[CREDENTIAL_NAME_SIZE], char domain[CREDENTIAL_NAME_SIZE]);

/* Opens a file of secrets for reading lines. 0 with *ret_descriptor, or ERROR_SYSTEM (errno says
 * why). ret_exposed: others than the owner may read it. */
int credential_open(const char *file, int *ret_descriptor, bool *ret_exposed);

/* The first line of a file, without its end. 0; ERROR_SYSTEM (errno says why), ERROR_INPUT (empty),
 * ERROR_LIMIT (longer than size). ret_exposed: others than the owner may read it. */
int credential_file(const char *file, char *password, size_t size, bool *ret_exposed);

/* The same from a descriptor, such as standard input; ERROR_NOT_FOUND: nothing is left. Takes no
 * byte of what follows the line. */
int credential_line(int descriptor, char *line, size_t size);

/* Asks on the terminal, with or without what is typed being shown. The terminal is put back
 * whatever happens, also when the program is interrupted or suspended meanwhile. Blocks. 0;
 * ERROR_NOT_FOUND: standard input is not a terminal; ERROR_CLOSED: Ctrl-C, Ctrl-D, or a signal;
 * ERROR_INPUT: an empty line; ERROR_LIMIT: too long. */
int credential_ask(const char *prompt, bool show, char *answer, size_t size);

#endif
