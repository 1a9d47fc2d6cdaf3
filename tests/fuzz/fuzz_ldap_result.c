/*
 * fuzz_ldap_result.c - what a directory says to a bind or a new password, and names and values of
 * its entries.
 *
 * The first four bytes are the result code and the policy control, the rest is the diagnostic
 * message, and once more a value of an entry, a DN, and what a user typed.
 */
#include <assert.h>
#include <ldap.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "identity/ldap_filter.h"
#include "identity/ldap_result.h"
#include "identity/ldap_user.h"

#define LONGEST 4096

static void check_text(const char *text)
{
	assert(strlen(text) < LDAP_RESULT_TEXT);
	while (*text != '\0') {
		uint32_t character;
		size_t length = utf8_character(text, &character);

		assert(length > 0 && character >= 0x20 && character != 0x7f);
		text += length;
	}
}

static void check_result(const struct ldap_result *result)
{
	enum reason bound = ldap_result_of_bind(result), changed = ldap_result_of_change(result);
	char text[LDAP_RESULT_TEXT];

	assert(bound < REASON_COUNT && changed < REASON_COUNT);
	/* Nothing but success lets anybody in. */
	assert(bound != REASON_RIGHT || result->code == LDAP_SUCCESS);
	assert((changed == REASON_RIGHT) == (result->code == LDAP_SUCCESS));
	assert(bound != REASON_DIRECTORY_FAILED || result->code != LDAP_INVALID_CREDENTIALS);
	ldap_result_text(result, text);
	check_text(text);
}

/* Whatever a user types, the filter has one pair of parentheses and no star. */
static void check_filter(const char *typed)
{
	struct ldap_filter_names names = {typed, typed, typed};
	struct buffer buffer;

	buffer_init(&buffer, LDAP_FILTER_MAXIMUM);
	assert(ldap_filter_expand(&buffer, "(uid={user})", &names) == 0);
	assert(buffer.length >= strlen("(uid=)"));
	assert(strcspn(buffer.bytes + 1, "(*)") == buffer.length - 2);
	buffer_free(&buffer);
}

static void check_values(const uint8_t *bytes, size_t size, const char *text)
{
	struct berval value = {.bv_val = (char *)(uintptr_t)bytes, .bv_len = size};
	struct arena *arena = arena_new(1 << 20);
	const char *read, *key;

	assert(arena != NULL);
	read = ldap_user_text(arena, &value, LONGEST);
	assert(read == NULL || (strlen(read) == size && memcmp(read, bytes, size) == 0));
	key = ldap_dn_key(arena, text);
	assert(key != NULL);
	assert(strpbrk(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char text[LONGEST + 1];
	struct ldap_result result = {.diagnostic = text};

	if (size < 4 || size - 4 > LONGEST)
		return 0;
	memcpy(text, bytes + 4, size - 4);
	text[size - 4] = '\0';
	result.code = bytes[0];
	result.policy.given = (bytes[1] & 1) != 0;
	result.policy.must_change = (bytes[1] & 2) != 0;
	result.policy.error = bytes[2] == 0xff ? PP_noError : bytes[2];
	result.policy.grace = (int)bytes[3] - 1;
	check_result(&result);
	check_filter(text);
	check_values(bytes + 4, size - 4, text);
	return 0;
}
