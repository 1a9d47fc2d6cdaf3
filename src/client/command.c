#include "client/command.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

#define SECONDS_MAXIMUM (366.0 * 24 * 3600)

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
