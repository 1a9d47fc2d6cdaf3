/*
 * command.h - the sub-commands of `fairlead`. main.c has the table; each is a file of its own.
 *
 * argv[0] is the sub-command's name. They return the program's exit status.
 */
#ifndef FAIRLEAD_CLIENT_COMMAND_H
#define FAIRLEAD_CLIENT_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

int connect_command(int argc, char **argv);
int demo_command(int argc, char **argv);
int passwd_command(int argc, char **argv);

/* Seconds, fractions allowed, up to a year, into microseconds. False: not that. */
bool command_seconds(const char *text, int64_t *ret_microseconds);

#endif
