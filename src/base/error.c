#include "base/error.h"

#include <stddef.h>

static const char *const texts[ERROR_COUNT] = {
#define ERROR(name, text) [ERROR_ORDINAL_##name] = (text),
#include "base/errors.def"
#undef ERROR
};

const char *error_text(int error)
{
	if (error == ERROR_NONE)
		return "no error";
	if (error > 0 || error < -ERROR_COUNT)
		return "unknown error";
	return texts[-1 - error];
}
