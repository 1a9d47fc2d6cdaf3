/* Prints the sample report as JSON, masked when asked to: for tests by other programs. */

#include <string.h>

#include "health/mask.h"
#include "health/render.h"
#include "report_sample.h"

int main(int argc, char **argv)
{
	struct report *report = report_sample_new();
	struct mask *mask = NULL;
	int result = -1;

	if (argc > 1 && strcmp(argv[1], "--mask") == 0) {
		mask = mask_new(report);
		if (mask == NULL)
			goto out;
	}
	result = render_json(report, mask, stdout);
out:
	mask_free(mask);
	report_sample_free(report);
	return result == 0 ? 0 : 1;
}
