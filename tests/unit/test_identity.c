#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "identity/identity.h"
#include "identity/password.h"

static struct work_queue *queue;

/* Hashes of "right" and "other", made once: cheap, but still the slow part. */
static char right[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE];

static int free_queue(void **state)
{
	(void)state;
	work_queue_free(queue);
	return 0;
}

static const char *const groups[] = {"staff", "cad"};

static int make_hashes(void **state)
{
	(void)state;
	queue = work_queue_new(0);
	assert_int_equal(password_hash(entropy_system(), "right", 1, right), 0);
	assert_int_equal(password_hash(entropy_system(), "other", 1, other), 0);
	return 0;
}

static struct identity *identity;
static struct arena *arena;
static struct identity_user found;

static int set_up(void **state)
{
	const struct identity_entry entries[] = {
		{"Alice", "CORP", right, groups, 2},
		{"alice", "", other, NULL, 0},
		{"bob", NULL, right, groups, 1},
		{"carol", "CORP", right, NULL, 0},
		{"dave", "A", right, NULL, 0},
		{"dave", "B", other, NULL, 0},
		{"at@sign", "", right, NULL, 0},
	};

	(void)state;
	assert_int_equal(identity_file_new(
				 entries, sizeof(entries) / sizeof(entries[0]), NULL, 0, &identity),
		0);
	arena = arena_new(65536);
	assert_non_null(arena);
	memset(&found, 0, sizeof(found));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	identity_free(identity);
	arena_free(arena);
	return 0;
}

static enum reason reason;
static unsigned answers;

static void answered(void *context, const struct identity_answer *answer)
{
	assert_ptr_equal(context, &found);
	reason = answer->reason;
	answers++;
	assert_string_equal(answer->source, "users");
	assert_false(answer->remote);
	if (reason == REASON_RIGHT)
		found = answer->user;
}

/* Asks and waits for the answer. */
static enum reason ask(struct arena *in, const char *user, const char *domain, const char *password,
	bool (*admit)(void *context, const char *account))
{
	uv_loop_t loop;
	struct identity_request request = {
		.user = user,
		.domain = domain,
		.password = password,
		.client = "192.0.2.7",
		.arena = in,
		.loop = &loop,
		.work = queue,
		.clock = clock_system(),
		.admit = admit,
	};

	memset(&found, 0, sizeof(found));
	answers = 0;
	assert_int_equal(uv_loop_init(&loop), 0);
	identity_ask(identity, &request, answered, &found);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(answers, 1);
	return reason;
}

static bool good(const char *user, const char *domain, const char *password)
{
	ask(arena, user, domain, password, NULL);
	if (reason == REASON_RIGHT)
		return true;
	assert_true(reason == REASON_WRONG_PASSWORD || reason == REASON_UNKNOWN_USER);
	assert_null(found.name);
	return false;
}

static void test_found(void **state)
{
	(void)state;
	assert_true(good("ALICE", "corp", "right"));
	assert_string_equal(found.name, "Alice");
	assert_string_equal(found.domain, "CORP");
	assert_int_equal(found.group_count, 2);
	assert_string_equal(found.groups[0], "staff");
	assert_string_equal(found.groups[1], "cad");
	assert_true(good("bob", "", "right"));
	assert_string_equal(found.domain, "");
	assert_true(good("bob", NULL, "right"));
	assert_true(good("bob", "ANY", "right"));
	assert_true(good("at@sign", "", "right"));
}

static void test_refused(void **state)
{
	(void)state;
	assert_false(good("alice", "corp", "other"));
	assert_false(good("alice", "corp", ""));
	assert_false(good("bob", "", "Right"));
	assert_false(good("nobody", "", "right"));
	assert_false(good("nobody", "", "other"));
	assert_false(good("", "", "right"));
	assert_false(good("carol", "ELSEWHERE", "right"));
}

/* The exact domain first, then the entry for any domain, then the only one. */
static void test_domains(void **state)
{
	(void)state;
	assert_true(good("alice", "", "other"));
	assert_false(good("alice", "", "right"));
	assert_true(good("alice", "ELSEWHERE", "other"));
	assert_true(good("carol", "", "right"));
	assert_string_equal(found.domain, "CORP");
	assert_true(good("dave", "a", "right"));
	assert_true(good("dave", "b", "other"));
	/* Which dave would be a guess. */
	assert_false(good("dave", "", "right"));
	assert_false(good("dave", "", "other"));
}

static void test_split_names(void **state)
{
	(void)state;
	assert_true(good("CORP\\alice", "", "right"));
	assert_true(good("corp\\alice", "CORP", "right"));
	assert_true(good("alice@corp", "", "right"));
	assert_true(good("alice@corp", "corp", "right"));
	assert_true(good("at@sign@corp", "", "right"));
	assert_false(good("A\\dave", "B", "right"));
	assert_false(good("dave@A", "B", "right"));
	assert_false(good("\\bob", "", "right"));
	assert_false(good("@bob", "", "right"));
	assert_false(good("corp\\", "", "right"));
	assert_false(good("alice@", "", "other"));
	assert_false(good("\\", "", "right"));
}

static void test_long_names(void **state)
{
	char longest[2 * IDENTITY_NAME_MAXIMUM];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_false(good(longest, "", "right"));
	assert_false(good("bob", longest, "right"));
	longest[300] = '\\';
	assert_false(good(longest, "", "right"));
}

static void test_memory_short(void **state)
{
	struct arena *small = arena_new(4);

	(void)state;
	assert_int_equal(ask(small, "alice", "corp", "right", NULL), REASON_SERVICE_BUSY);
	assert_null(found.name);
	arena_free(small);
}

static void test_copies(void **state)
{
	char name[] = "erin", group[] = "g";
	const char *list[] = {group};
	const struct identity_entry entry = {name, NULL, right, list, 1};

	(void)state;
	identity_free(identity);
	assert_int_equal(identity_file_new(&entry, 1, NULL, 0, &identity), 0);
	memset(name, 'x', 4);
	group[0] = 'x';
	list[0] = NULL;
	assert_true(good("erin", "", "right"));
	assert_string_equal(found.groups[0], "g");
}

static void test_bad_entries(void **state)
{
	char longest[IDENTITY_NAME_MAXIMUM + 2];
	struct identity_entry entries[2] = {{"a", "", right, NULL, 0}, {"A", NULL, right, NULL, 0}};
	struct identity *untouched = identity;

	(void)state;
	assert_int_equal(identity_file_new(entries, 2, NULL, 0, &untouched), ERROR_EXISTS);
	entries[1].name = "";
	assert_int_equal(identity_file_new(entries, 2, NULL, 0, &untouched), ERROR_INPUT);
	entries[1].name = "b";
	entries[1].password = "clear text";
	assert_int_equal(identity_file_new(entries, 2, NULL, 0, &untouched), ERROR_INPUT);
	entries[1].password = right;
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	entries[1].name = longest;
	assert_int_equal(identity_file_new(entries, 2, NULL, 0, &untouched), ERROR_INPUT);
	assert_ptr_equal(untouched, identity);
}

static void test_nobody_configured(void **state)
{
	(void)state;
	identity_free(identity);
	assert_int_equal(identity_file_new(NULL, 0, NULL, 0, &identity), 0);
	assert_false(good("alice", "", "right"));
	assert_false(good("alice", "", ""));
}

static const char *admitted;

static bool admit_nobody(void *context, const char *account)
{
	(void)context;
	admitted = account;
	return false;
}

/* Whoever guards the accounts is asked by the account, however the user wrote himself, and what he
 * refuses is not tried. */
static void test_admission(void **state)
{
	(void)state;
	assert_int_equal(ask(arena, "corp\\ALICE", "", "right", admit_nobody), REASON_GUARDED);
	assert_string_equal(admitted, "Alice@CORP");
	assert_null(found.name);
	admitted = NULL;
	assert_int_equal(ask(arena, "nobody", "", "right", admit_nobody), REASON_UNKNOWN_USER);
	assert_null(admitted);
}

static void test_full_queue(void **state)
{
	struct work_queue *all = queue;
	uv_loop_t loop;
	struct identity_request request = {.user = "alice",
		.domain = "corp",
		.password = "right",
		.arena = arena,
		.loop = &loop,
		.clock = clock_system()};

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	queue = request.work = work_queue_new(1);
	answers = 0;
	identity_ask(identity, &request, answered, &found);
	assert_int_equal(answers, 0);
	identity_ask(identity, &request, answered, &found);
	assert_int_equal(answers, 1);
	assert_int_equal(reason, REASON_SERVICE_BUSY);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(answers, 2);
	assert_int_equal(reason, REASON_RIGHT);
	assert_int_equal(uv_loop_close(&loop), 0);
	work_queue_free(queue);
	queue = all;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Who has no domain of his own is in one of those that are offered, in any case, and in no other.
 */
static void test_offered_domains(void **state)
{
	static const char *const domains[] = {"STUDIO", "post"};
	const struct identity_entry entry = {.name = "erin", .password = right};

	(void)state;
	identity_free(identity);
	identity = NULL;
	assert_int_equal(identity_file_new(&entry, 1, domains, 2, &identity), 0);
	assert_true(good("erin", "studio", "right"));
	assert_true(good("erin", "POST", "right"));
	assert_true(good("erin", "", "right"));
	assert_true(good("studio\\erin", "", "right"));
	assert_false(good("erin", "elsewhere", "right"));
	assert_false(good("elsewhere\\erin", "", "right"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_found),
		TEST(test_refused),
		TEST(test_domains),
		TEST(test_offered_domains),
		TEST(test_split_names),
		TEST(test_long_names),
		TEST(test_memory_short),
		TEST(test_copies),
		TEST(test_bad_entries),
		TEST(test_nobody_configured),
		TEST(test_admission),
		TEST(test_full_queue),
	};

	return cmocka_run_group_tests(tests, make_hashes, free_queue);
}
