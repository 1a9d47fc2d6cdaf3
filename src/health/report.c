#include "health/report.h"

enum verdict report_worst(const struct report *report)
{
	for (int verdict = 0; verdict < VERDICT_NO_EVIDENCE; verdict++)
		if (report->summary[verdict] > 0)
			return (enum verdict)verdict;
	return VERDICT_NO_EVIDENCE;
}
