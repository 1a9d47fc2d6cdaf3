/*
 * report.h - a connection as one JSON document, for programs. The keys are documented in
 * fairlead-connect(1).
 */
#ifndef FAIRLEAD_CLIENT_REPORT_H
#define FAIRLEAD_CLIENT_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "client/record.h"

/* A new object; NULL: memory. */
json_t *report_json(const struct record *record);

/* Writes it with a newline. 0, ERROR_MEMORY, ERROR_SYSTEM. */
int report_write(FILE *stream, const struct record *record);

#endif
