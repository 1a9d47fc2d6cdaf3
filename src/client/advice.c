#include "client/advice.h"

#include <stddef.h>

#include "base/error.h"

struct row {
	int key;
	struct advice advice;
};

static const struct row results[] = {
#define ADVICE_RESULT(name, meaning, next, who) {RESULT_##name, {meaning, next, who}},
#include "client/advice.def"
#undef ADVICE_RESULT
};

static const struct row brokering_errors[] = {
#define ADVICE_BROKERING_ERROR(name, meaning, next, who) {ERROR_##name, {meaning, next, who}},
#include "client/advice.def"
#undef ADVICE_BROKERING_ERROR
};

static const struct row session_errors[] = {
#define ADVICE_SESSION_ERROR(name, meaning, next, who) {ERROR_##name, {meaning, next, who}},
#include "client/advice.def"
#undef ADVICE_SESSION_ERROR
};

/* In the order of the table: the one to be put right first comes first. */
static const struct row certificates[] = {
#define ADVICE_CERTIFICATE(name, meaning, next, who) {CERTIFICATE_##name, {meaning, next, who}},
#include "client/advice.def"
#undef ADVICE_CERTIFICATE
};

static const struct row refusals[] = {
#define ADVICE_REFUSAL(name, meaning, next, who) {LINK_REFUSED_##name, {meaning, next, who}},
#include "client/advice.def"
#undef ADVICE_REFUSAL
};

static const struct row causes[] = {
#define ADVICE_CAUSE(name, meaning, next, who) {LINK_CAUSE_##name, {meaning, next, who}},
#include "client/advice.def"
#undef ADVICE_CAUSE
};

static const struct advice cases[ADVICE_CASE_COUNT] = {
#define ADVICE_CASE(name, meaning, next, who) {meaning, next, who},
#include "client/advice.def"
#undef ADVICE_CASE
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct advice find(const struct row *rows, size_t count, int key, enum advice_case otherwise)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].key == key)
			return rows[i].advice;
	}
	return cases[otherwise];
}

struct advice advice_result(enum result_id result)
{
	return find(results, COUNT(results), (int)result, ADVICE_CASE_UNKNOWN_RESULT);
}

struct advice advice_error(enum advice_side side, int error)
{
	if (side == ADVICE_SESSION)
		return find(session_errors, COUNT(session_errors), error, ADVICE_CASE_OWN_ERROR);
	return find(brokering_errors, COUNT(brokering_errors), error, ADVICE_CASE_OWN_ERROR);
}

struct advice advice_certificate(enum advice_side side, unsigned troubles)
{
	for (size_t i = 0; i < COUNT(certificates); i++) {
		if ((troubles & (unsigned)certificates[i].key) != 0)
			return certificates[i].advice;
	}
	return advice_error(side, ERROR_UNTRUSTED);
}

struct advice advice_refusal(unsigned refusal)
{
	return find(refusals, COUNT(refusals), (int)refusal, ADVICE_CASE_UNKNOWN_REFUSAL);
}

struct advice advice_cause(unsigned cause)
{
	return find(causes, COUNT(causes), (int)cause, ADVICE_CASE_UNKNOWN_CAUSE);
}

struct advice advice_case(enum advice_case which)
{
	return cases[which];
}
