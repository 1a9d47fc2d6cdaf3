#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "client/advice.h"

static void assert_words(struct advice advice)
{
	assert_non_null(advice.meaning);
	assert_non_null(advice.next);
	assert_non_null(advice.who);
	assert_true(strlen(advice.meaning) > 10);
	assert_true(strlen(advice.next) > 10);
	assert_true(strlen(advice.who) > 2);
	assert_int_equal(advice.meaning[strlen(advice.meaning) - 1], '.');
	assert_int_equal(advice.next[strlen(advice.next) - 1], '.');
}

/* A row of its own: not what somebody gets whom the table does not know. */
static void assert_own(struct advice advice, enum advice_case unknown)
{
	assert_words(advice);
	assert_string_not_equal(advice.meaning, advice_case(unknown).meaning);
}

static void every_result_has_advice(void **state)
{
	(void)state;
	for (int i = 1; i < RESULT_COUNT; i++) {
		assert_own(advice_result((enum result_id)i), ADVICE_CASE_UNKNOWN_RESULT);
		/* Only what is no failure may say so. */
		assert_int_equal(strcmp(advice_result((enum result_id)i).who, "nobody") == 0,
			result_info((enum result_id)i)->outcome == OUTCOME_OK);
	}
	assert_string_equal(advice_result(RESULT_NONE).meaning,
		advice_case(ADVICE_CASE_UNKNOWN_RESULT).meaning);
}

/* The classes of peer.h and link.h. */
static void every_error_of_a_call_has_advice(void **state)
{
	static const int brokering[] = {ERROR_UNREACHABLE, ERROR_TIMEOUT, ERROR_UNTRUSTED,
		ERROR_TLS, ERROR_LIMIT, ERROR_CLOSED, ERROR_INPUT, ERROR_NOT_FOUND};
	static const int session[] = {ERROR_REFUSED, ERROR_UNREACHABLE, ERROR_UNTRUSTED, ERROR_TLS,
		ERROR_TIMEOUT, ERROR_CLOSED, ERROR_INPUT, ERROR_NOT_FOUND};

	(void)state;
	for (size_t i = 0; i < sizeof(brokering) / sizeof(brokering[0]); i++)
		assert_own(advice_error(ADVICE_BROKERING, brokering[i]), ADVICE_CASE_OWN_ERROR);
	for (size_t i = 0; i < sizeof(session) / sizeof(session[0]); i++)
		assert_own(advice_error(ADVICE_SESSION, session[i]), ADVICE_CASE_OWN_ERROR);
	for (int error = -1; error >= -ERROR_COUNT; error--) {
		assert_words(advice_error(ADVICE_BROKERING, error));
		assert_words(advice_error(ADVICE_SESSION, error));
	}
	assert_string_not_equal(advice_error(ADVICE_BROKERING, ERROR_UNREACHABLE).next,
		advice_error(ADVICE_SESSION, ERROR_UNREACHABLE).next);
}

static void every_certificate_trouble_has_advice(void **state)
{
	static const unsigned troubles[] = {CERTIFICATE_SELF_SIGNED, CERTIFICATE_UNKNOWN_CA,
		CERTIFICATE_WRONG_NAME, CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID,
		CERTIFICATE_WRONG_FINGERPRINT, CERTIFICATE_OTHER};
	size_t count = sizeof(troubles) / sizeof(troubles[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_words(advice_certificate(ADVICE_BROKERING, troubles[i]));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(
				advice_certificate(ADVICE_BROKERING, troubles[i]).meaning,
				advice_certificate(ADVICE_BROKERING, troubles[k]).meaning);
	}
	/* A wrong name is more telling than who signed. */
	assert_string_equal(
		advice_certificate(ADVICE_SESSION, CERTIFICATE_SELF_SIGNED | CERTIFICATE_WRONG_NAME)
			.meaning,
		advice_certificate(ADVICE_SESSION, CERTIFICATE_WRONG_NAME).meaning);
	assert_string_equal(advice_certificate(ADVICE_SESSION, 0).meaning,
		advice_error(ADVICE_SESSION, ERROR_UNTRUSTED).meaning);
}

static void every_refusal_has_advice(void **state)
{
	static const unsigned refusals[] = {
#define REFUSAL(name, number, wire, meaning) number,
#include "protocol/frames.def"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		assert_own(advice_refusal(refusals[i]), ADVICE_CASE_UNKNOWN_REFUSAL);
	assert_words(advice_refusal(9999));
}

static void every_cause_has_advice(void **state)
{
	static const unsigned causes[] = {
#define CAUSE(name, number, vendor, meaning) number,
#include "protocol/causes.def"
#undef CAUSE
	};

	(void)state;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		assert_own(advice_cause(causes[i]), ADVICE_CASE_UNKNOWN_CAUSE);
	assert_words(advice_cause(0x7ff));
}

static void every_case_has_words(void **state)
{
	(void)state;
	for (int i = 0; i < ADVICE_CASE_COUNT; i++)
		assert_words(advice_case((enum advice_case)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_result_has_advice),
		cmocka_unit_test(every_error_of_a_call_has_advice),
		cmocka_unit_test(every_certificate_trouble_has_advice),
		cmocka_unit_test(every_refusal_has_advice),
		cmocka_unit_test(every_cause_has_advice),
		cmocka_unit_test(every_case_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
