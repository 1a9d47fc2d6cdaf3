#include "base/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* COLUMNS, as a shell exports it; 0 when it is no sensible number. */
static unsigned columns_asked(void)
{
	const char *text = getenv("COLUMNS");
	char *end = NULL;
	unsigned long columns = text != NULL ? strtoul(text, &end, 10) : 0;

	return end == NULL || *end != '\0' || columns > 1000 ? 0 : (unsigned)columns;
}

struct terminal terminal_of(FILE *stream)
{
	const char *term = getenv("TERM");
	const char *no_colour = getenv("NO_COLOR");
	struct terminal terminal = {.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
	struct winsize size;

	terminal.columns = columns_asked();
	terminal.able = isatty(fileno(stream)) != 0 && term != NULL && *term != '\0' &&
		strcmp(term, "dumb") != 0;
	if (!terminal.able)
		return terminal;
	terminal.colour = no_colour == NULL || *no_colour == '\0';
	if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
		terminal.columns = size.ws_col;
		terminal.rows = size.ws_row;
	}
	return terminal;
}
