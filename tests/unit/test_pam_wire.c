#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "identity/pam_wire.h"

struct bed {
	struct buffer buffer;
	struct arena *arena;
};

static int begin(void **state)
{
	static struct bed bed;

	buffer_init(&bed.buffer, PAM_WIRE_MAXIMUM);
	bed.arena = arena_new(1u << 20);
	*state = &bed;
	return bed.arena != NULL ? 0 : -1;
}

static int end(void **state)
{
	struct bed *bed = *state;

	buffer_free(&bed->buffer);
	arena_free(bed->arena);
	return 0;
}

static const char *repeated(struct bed *bed, char byte, size_t length)
{
	char *text = arena_alloc(bed->arena, length + 1);

	assert_non_null(text);
	memset(text, byte, length);
	return text;
}

static void a_question(void **state)
{
	struct bed *bed = *state;
	struct pam_wire_question sent = {
		.limit = 600000, .user = "STUDIO\\jürgen", .client = "2001:db8::1"};
	struct pam_wire_question got = {0};

	assert_int_equal(pam_wire_write_question(&bed->buffer, &sent), 0);
	assert_int_equal(pam_wire_type(bed->buffer.bytes, bed->buffer.length), PAM_WIRE_QUESTION);
	assert_int_equal(
		pam_wire_read_question(bed->buffer.bytes, bed->buffer.length, bed->arena, &got), 0);
	assert_int_equal(got.limit, 600000);
	assert_string_equal(got.user, sent.user);
	assert_string_equal(got.client, sent.client);
}

static void questions_that_are_none(void **state)
{
	struct bed *bed = *state;
	static const char *const users[] = {
		"", "-a", "a/b", "a:b", "a\nb", "a\x7f", "\xff", "a\xc2\x85"};
	struct pam_wire_question sent = {.limit = 1, .client = ""};

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		sent.user = users[i];
		assert_int_equal(pam_wire_write_question(&bed->buffer, &sent), ERROR_INPUT);
	}
	sent.user = repeated(bed, 'a', PAM_WIRE_NAME_MAXIMUM + 1);
	assert_int_equal(pam_wire_write_question(&bed->buffer, &sent), ERROR_INPUT);
	sent.user = "alice";
	sent.client = "192.0.2.1\n";
	assert_int_equal(pam_wire_write_question(&bed->buffer, &sent), ERROR_INPUT);
	sent.client = "";
	sent.limit = 0;
	assert_int_equal(pam_wire_write_question(&bed->buffer, &sent), ERROR_INPUT);
	sent.limit = PAM_WIRE_LIMIT_MAXIMUM + 1;
	assert_int_equal(pam_wire_write_question(&bed->buffer, &sent), ERROR_INPUT);
	assert_int_equal(bed->buffer.length, 0);
	sent.limit = PAM_WIRE_LIMIT_MAXIMUM;
	sent.user = repeated(bed, 'a', PAM_WIRE_NAME_MAXIMUM);
	assert_int_equal(pam_wire_write_question(&bed->buffer, &sent), 0);
}

static void an_account(void **state)
{
	struct bed *bed = *state;
	struct pam_wire_account sent = {.name = "alice"}, got = {0};

	assert_int_equal(pam_wire_write_account(&bed->buffer, &sent), 0);
	assert_int_equal(
		pam_wire_read_account(bed->buffer.bytes, bed->buffer.length, bed->arena, &got), 0);
	assert_string_equal(got.name, "alice");
	sent.name = "";
	buffer_clear(&bed->buffer);
	assert_int_equal(pam_wire_write_account(&bed->buffer, &sent), ERROR_INPUT);
}

static void check_secret(struct bed *bed, const char *password, const char *new_password)
{
	struct pam_wire_secret sent = {.password = password, .new_password = new_password};
	struct pam_wire_secret got = {0};

	buffer_clear(&bed->buffer);
	assert_int_equal(pam_wire_write_secret(&bed->buffer, &sent), 0);
	assert_int_equal(
		pam_wire_read_secret(bed->buffer.bytes, bed->buffer.length, bed->arena, &got), 0);
	assert_string_equal(got.password, password);
	if (new_password == NULL)
		assert_null(got.new_password);
	else
		assert_string_equal(got.new_password, new_password);
}

static void secrets(void **state)
{
	struct bed *bed = *state;
	struct pam_wire_secret bad = {.password = ""};

	check_secret(bed, "right", NULL);
	/* any bytes */
	check_secret(bed, "\x01\xff\n:", "geh€im 👍");
	check_secret(bed, repeated(bed, 'x', PAM_WIRE_PASSWORD_MAXIMUM),
		repeated(bed, 'y', PAM_WIRE_PASSWORD_MAXIMUM));
	buffer_clear(&bed->buffer);
	assert_int_equal(pam_wire_write_secret(&bed->buffer, &bad), ERROR_INPUT);
	bad.password = repeated(bed, 'x', PAM_WIRE_PASSWORD_MAXIMUM + 1);
	assert_int_equal(pam_wire_write_secret(&bed->buffer, &bad), ERROR_INPUT);
	bad.password = "a";
	bad.new_password = "";
	assert_int_equal(pam_wire_write_secret(&bed->buffer, &bad), ERROR_INPUT);
}

/* An empty password is none, whoever sends it. */
static void an_empty_password_is_not_read(void **state)
{
	struct bed *bed = *state;
	struct pam_wire_secret got = {0};

	assert_int_equal(buffer_append(&bed->buffer, "FP\001\004\000\000\000\000", 8), 0);
	assert_int_equal(pam_wire_type(bed->buffer.bytes, bed->buffer.length), PAM_WIRE_SECRET);
	assert_int_equal(
		pam_wire_read_secret(bed->buffer.bytes, bed->buffer.length, bed->arena, &got),
		ERROR_INPUT);
	assert_null(got.password);
}

static void an_answer(void **state)
{
	struct bed *bed = *state;
	const char *const groups[] = {"staff", "Künstler"};
	struct pam_wire_answer sent = {.reason = REASON_RIGHT,
		.name = "alice",
		.detail = "",
		.groups = groups,
		.group_count = 2};
	struct pam_wire_answer got = {0};

	assert_int_equal(pam_wire_write_answer(&bed->buffer, &sent), 0);
	assert_int_equal(
		pam_wire_read_answer(bed->buffer.bytes, bed->buffer.length, bed->arena, &got), 0);
	assert_int_equal(got.reason, REASON_RIGHT);
	assert_string_equal(got.name, "alice");
	assert_int_equal(got.group_count, 2);
	assert_string_equal(got.groups[1], "Künstler");
	assert_false(got.groups_cut);
}

static void every_reason_of_pam(void **state)
{
	struct bed *bed = *state;
	static const enum reason reasons[] = {REASON_UNKNOWN_USER, REASON_WRONG_PASSWORD,
		REASON_PASSWORD_EXPIRED, REASON_ACCOUNT_DISABLED, REASON_ACCOUNT_LOCKED,
		REASON_ACCOUNT_EXPIRED, REASON_LOGON_DENIED, REASON_NEW_PASSWORD_REFUSED,
		REASON_PASSWORD_NOT_CHANGED, REASON_PAM_FAILED, REASON_PAM_SILENT};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct pam_wire_answer sent = {.reason = reasons[i], .name = "", .detail = "why"};
		struct pam_wire_answer got = {0};

		buffer_clear(&bed->buffer);
		assert_int_equal(pam_wire_write_answer(&bed->buffer, &sent), 0);
		assert_int_equal(pam_wire_read_answer(
					 bed->buffer.bytes, bed->buffer.length, bed->arena, &got),
			0);
		assert_int_equal(got.reason, reasons[i]);
		assert_string_equal(got.detail, "why");
		/* who is not known has no name, and who is has one */
		sent.name = "alice";
		buffer_clear(&bed->buffer);
		assert_int_equal(pam_wire_write_answer(&bed->buffer, &sent), ERROR_INPUT);
	}
	assert_int_equal(pam_wire_write_answer(&bed->buffer,
				 &(struct pam_wire_answer){
					 .reason = REASON_RIGHT, .name = "", .detail = ""}),
		ERROR_INPUT);
	assert_int_equal(pam_wire_write_answer(&bed->buffer,
				 &(struct pam_wire_answer){
					 .reason = REASON_GUARDED, .name = "", .detail = ""}),
		ERROR_INPUT);
}

static void details_become_one_line(void **state)
{
	struct bed *bed = *state;
	char text[2 * PAM_WIRE_DETAIL_MAXIMUM];
	struct pam_wire_answer sent = {
		.reason = REASON_PAM_FAILED, .name = "", .detail = "a\nb\tc\x1b[1md\xff\u20ac"};
	struct pam_wire_answer got = {0};

	assert_int_equal(pam_wire_write_answer(&bed->buffer, &sent), 0);
	assert_int_equal(
		pam_wire_read_answer(bed->buffer.bytes, bed->buffer.length, bed->arena, &got), 0);
	assert_string_equal(got.detail, "a b c?[1md?\u20ac");
	/* cut between characters */
	text[0] = 'x';
	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "ü", 3);
	sent.detail = text;
	buffer_clear(&bed->buffer);
	assert_int_equal(pam_wire_write_answer(&bed->buffer, &sent), 0);
	assert_int_equal(
		pam_wire_read_answer(bed->buffer.bytes, bed->buffer.length, bed->arena, &got), 0);
	assert_int_equal(strlen(got.detail), PAM_WIRE_DETAIL_MAXIMUM - 1);
}

static void groups_are_bounded(void **state)
{
	struct bed *bed = *state;
	const size_t many = PAM_WIRE_GROUPS_MAXIMUM + 1;
	const char **groups = arena_alloc(bed->arena, many * sizeof(*groups));
	struct pam_wire_answer sent = {.reason = REASON_RIGHT,
		.name = "alice",
		.detail = "",
		.groups = groups,
		.group_count = many};
	struct pam_wire_answer got = {0};

	for (size_t i = 0; i < many; i++)
		groups[i] = "g";
	assert_int_equal(pam_wire_write_answer(&bed->buffer, &sent), 0);
	assert_int_equal(
		pam_wire_read_answer(bed->buffer.bytes, bed->buffer.length, bed->arena, &got), 0);
	assert_int_equal(got.group_count, PAM_WIRE_GROUPS_MAXIMUM);
	assert_true(got.groups_cut);
	/* by their bytes */
	for (size_t i = 0; i < many; i++)
		groups[i] = repeated(bed, 'g', PAM_WIRE_NAME_MAXIMUM / 4);
	buffer_clear(&bed->buffer);
	assert_int_equal(pam_wire_write_answer(&bed->buffer, &sent), 0);
	assert_true(bed->buffer.length <= PAM_WIRE_MAXIMUM);
	assert_int_equal(
		pam_wire_read_answer(bed->buffer.bytes, bed->buffer.length, bed->arena, &got), 0);
	assert_true(got.group_count > 900 && got.groups_cut);
	/* what is no name */
	groups[0] = "a\nb";
	groups[1] = "good";
	groups[2] = "";
	groups[3] = "\xff";
	groups[4] = repeated(bed, 'g', PAM_WIRE_NAME_MAXIMUM + 1);
	sent.group_count = 5;
	buffer_clear(&bed->buffer);
	assert_int_equal(pam_wire_write_answer(&bed->buffer, &sent), 0);
	assert_int_equal(
		pam_wire_read_answer(bed->buffer.bytes, bed->buffer.length, bed->arena, &got), 0);
	assert_int_equal(got.group_count, 1);
	assert_string_equal(got.groups[0], "good");
	assert_true(got.groups_cut);
}

static int read_any(struct bed *bed, const char *bytes, size_t length)
{
	struct pam_wire_question question;
	struct pam_wire_account account;
	struct pam_wire_secret secret;
	struct pam_wire_answer answer;
	unsigned read = 0;

	read += pam_wire_read_question(bytes, length, bed->arena, &question) == 0;
	read += pam_wire_read_account(bytes, length, bed->arena, &account) == 0;
	read += pam_wire_read_secret(bytes, length, bed->arena, &secret) == 0;
	read += pam_wire_read_answer(bytes, length, bed->arena, &answer) == 0;
	return read == 1 ? 0 : ERROR_INPUT;
}

/* Cut short, too long, of another version, with a NUL in a text: none is a message. */
static void damaged(void **state)
{
	struct bed *bed = *state;
	const char *const groups[] = {"staff"};
	struct pam_wire_answer answer = {.reason = REASON_RIGHT,
		.name = "alice",
		.detail = "",
		.groups = groups,
		.group_count = 1};
	char bytes[64];
	size_t length;

	assert_int_equal(pam_wire_write_answer(&bed->buffer, &answer), 0);
	length = bed->buffer.length;
	assert_true(length + 1 < sizeof(bytes));
	memcpy(bytes, bed->buffer.bytes, length);
	bytes[length] = '\0';
	assert_int_equal(read_any(bed, bytes, length), 0);
	assert_int_equal(read_any(bed, bytes, length + 1), ERROR_INPUT);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(read_any(bed, bytes, i), ERROR_INPUT);
	bytes[2]++;
	assert_int_equal(pam_wire_type(bytes, length), ERROR_INPUT);
	bytes[2]--;
	bytes[8] = '\0';
	assert_int_equal(read_any(bed, bytes, length), ERROR_INPUT);
	bytes[8] = 'l';
	bytes[4] = 100;
	assert_int_equal(read_any(bed, bytes, length), ERROR_INPUT);
}

static void memory_is_short(void **state)
{
	struct bed *bed = *state;
	struct arena *small = arena_new(4);
	struct pam_wire_account account = {.name = "alice"};

	assert_int_equal(pam_wire_write_account(&bed->buffer, &account), 0);
	account.name = NULL;
	assert_int_equal(
		pam_wire_read_account(bed->buffer.bytes, bed->buffer.length, small, &account),
		ERROR_MEMORY);
	assert_null(account.name);
	arena_free(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_question, begin, end),
		cmocka_unit_test_setup_teardown(questions_that_are_none, begin, end),
		cmocka_unit_test_setup_teardown(an_account, begin, end),
		cmocka_unit_test_setup_teardown(secrets, begin, end),
		cmocka_unit_test_setup_teardown(an_empty_password_is_not_read, begin, end),
		cmocka_unit_test_setup_teardown(an_answer, begin, end),
		cmocka_unit_test_setup_teardown(every_reason_of_pam, begin, end),
		cmocka_unit_test_setup_teardown(details_become_one_line, begin, end),
		cmocka_unit_test_setup_teardown(groups_are_bounded, begin, end),
		cmocka_unit_test_setup_teardown(damaged, begin, end),
		cmocka_unit_test_setup_teardown(memory_is_short, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
