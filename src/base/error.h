/*
 * error.h - the one set of error numbers.
 *
 * Functions that can fail return 0 on success and one of these negative
 * numbers otherwise; their outputs are untouched on failure. Libraries never
 * log: the caller who knows what was attempted says so.
 */
#ifndef FAIRLEAD_BASE_ERROR_H
#define FAIRLEAD_BASE_ERROR_H

enum error_ordinal {
#define ERROR(name, text) ERROR_ORDINAL_##name,
#include "base/errors.def"
#undef ERROR
	ERROR_COUNT
};

enum error {
	ERROR_NONE = 0,
#define ERROR(name, text) ERROR_##name = -1 - ERROR_ORDINAL_##name,
#include "base/errors.def"
#undef ERROR
};

/* Text for people, never NULL; an unknown number has a text of its own. */
const char *error_text(int error);

#endif
