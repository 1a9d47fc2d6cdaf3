/*
 * reason.h - why a logon ended as it did; see reasons.def.
 */
#ifndef FAIRLEAD_IDENTITY_REASON_H
#define FAIRLEAD_IDENTITY_REASON_H

#include "protocol/result.h"
#include "protocol/text.h"

enum reason {
#define REASON(name, result, text, count, phrase) REASON_##name,
#include "identity/reasons.def"
#undef REASON
	REASON_COUNT
};

/* What a guard makes of it. */
enum reason_count {
	REASON_COUNTS_NONE,
	REASON_COUNTS_RIGHT,
	REASON_COUNTS_WRONG,
	REASON_COUNTS_LOST
};

struct reason_info {
	enum result_id result;
	enum text_key text; /* what the user reads: the result's own key unless it has another */
	enum reason_count count;
	const char *phrase;
};

/* Static. */
const struct reason_info *reason_info(enum reason reason);

#endif
