#include "identity/reason.h"

#include <assert.h>

static const struct reason_info reasons[REASON_COUNT] = {
#define REASON(name, result, text, count, phrase)                                                  \
	[REASON_##name] = {RESULT_##result, TEXT_##text, REASON_COUNTS_##count, phrase},
#include "identity/reasons.def"
#undef REASON
};

const struct reason_info *reason_info(enum reason reason)
{
	assert(reason < REASON_COUNT);
	return &reasons[reason];
}
