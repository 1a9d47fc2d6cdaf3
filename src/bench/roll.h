/*
 * roll.h - users who take turns: names from a file, one a line, each with a password of its own
 * behind a tab or without one.
 */
#ifndef FAIRLEAD_BENCH_ROLL_H
#define FAIRLEAD_BENCH_ROLL_H

#include <stddef.h>

#define ROLL_WHY_SIZE 200
#define ROLL_NAMES_MAXIMUM 1000000

struct roll;

/* Empty lines do not count. 0, or the error with `why`: not readable, no name, too many. */
int roll_read(const char *path, struct roll **ret_roll, char why[ROLL_WHY_SIZE]);
void roll_free(struct roll *roll); /* NULL is allowed; wipes the passwords */

size_t roll_count(const struct roll *roll); /* at least 1 */
/* Any number: behind the last comes the first again. Valid as long as the roll. */
const char *roll_name(const struct roll *roll, size_t turn);
/* NULL: the file has none for him. */
const char *roll_password(const struct roll *roll, size_t turn);

/* The first line of a file, which must hold a password. 0, or the error with `why`. */
int roll_read_password(const char *path, char *password, size_t size, char why[ROLL_WHY_SIZE]);

#endif
