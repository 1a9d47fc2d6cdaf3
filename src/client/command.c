#include "client/command.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "client/record.h"

#define SECONDS_MAXIMUM (366.0 * 24 * 3600)

int command_usage(const char *name, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "fairlead %s: ", name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nTry 'fairlead help %s'.\n", name);
	return RECORD_EXIT_USAGE;
}

bool command_seconds(const char *text, int64_t *ret_microseconds)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !isfinite(seconds) || seconds < 0 ||
		seconds > SECONDS_MAXIMUM)
		return false;
	*ret_microseconds = (int64_t)(seconds * (double)CLOCK_SECOND);
	return true;
}
