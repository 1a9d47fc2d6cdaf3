#include "base/usage.h"

#include <stdarg.h>
#include <stdio.h>

int usage_fault(const char *name, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "fairlead %s: ", name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nTry 'fairlead help %s'.\n", name);
	return USAGE_STATUS;
}
