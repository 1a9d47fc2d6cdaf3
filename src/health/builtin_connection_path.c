#include "health/judge_builtin.h"

/* A client that asks the host itself for its resources comes directly; a broker sends only the
 * allocation (or the launch). */
void builtin_connection_path(struct builtin *builtin)
{
	struct finding_work work;
	enum report_path path = REPORT_PATH_UNKNOWN;
	const char *name = "brokered";

	builtin_begin(builtin, &work);
	for (size_t i = 0; i < builtin->line_count; i++) {
		if (builtin_is(builtin, i, "list"))
			path = REPORT_PATH_DIRECT;
		else if (path == REPORT_PATH_UNKNOWN)
			path = REPORT_PATH_BROKERED;
		finding_line(&work, builtin->lines[i]);
	}
	if (path == REPORT_PATH_UNKNOWN)
		return;
	if (path == REPORT_PATH_DIRECT)
		name = "direct";
	if (builtin->session)
		builtin->session->path = path;
	finding_data(&work, "path", name, SIZE_MAX, false, false);
	builtin_end(builtin, &work, VERDICT_PASS, NULL);
}
