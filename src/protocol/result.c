/*
 * result.c - the table of result ids.
 */
#include "protocol/result.h"

#include <assert.h>
#include <stddef.h>
#include <strings.h>

static const struct result_info results[RESULT_COUNT] = {
#define RESULT(name, group, outcome, origin, text)                                                 \
	[RESULT_##name] = {#name, GROUP_##group, OUTCOME_##outcome, ORIGIN_##origin, text},
#include "protocol/results.def"
#undef RESULT
};

static const struct {
	const char *text;
	enum result_id result;
} aliases[] = {
#define RESULT(name, group, outcome, origin, text)
#define RESULT_ALIAS(text, name) {text, RESULT_##name},
#include "protocol/results.def"
#undef RESULT
};

const struct result_info *result_info(enum result_id result)
{
	assert(result > RESULT_NONE && result < RESULT_COUNT);
	return &results[result];
}

enum result_id result_find(const char *id)
{
	if (id == NULL)
		return RESULT_NONE;
	for (unsigned i = RESULT_NONE + 1; i < RESULT_COUNT; i++)
		if (strcasecmp(results[i].id, id) == 0)
			return (enum result_id)i;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (strcasecmp(aliases[i].text, id) == 0)
			return aliases[i].result;
	return RESULT_NONE;
}
