/*
 * usage.h - how the commands of `fairlead` refuse wrong options.
 */
#ifndef FAIRLEAD_BASE_USAGE_H
#define FAIRLEAD_BASE_USAGE_H

#define USAGE_STATUS 2 /* exit status of wrong usage */

/* "fairlead NAME: MESSAGE", and where help is, on standard error; returns USAGE_STATUS. */
int usage_fault(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
