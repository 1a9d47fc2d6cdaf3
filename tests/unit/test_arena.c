#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void memory_is_zeroed_and_aligned(void **state)
{
	struct arena *arena = arena_new(1024 * 1024);

	(void)state;
	assert_non_null(arena);
	for (size_t size = 1; size < 3000; size += 7) {
		unsigned char *bytes = arena_alloc(arena, size);

		assert_non_null(bytes);
		assert_int_equal((uintptr_t)bytes % alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(bytes[i], 0);
		memset(bytes, 0xa5, size);
		assert_non_null(arena_text(arena, "x"));
	}
	arena_free(arena);
}

static void objects_do_not_overlap(void **state)
{
	struct arena *arena = arena_new(1024 * 1024);
	unsigned char *objects[200];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		objects[i] = arena_alloc(arena, i * 13 + 1);
		assert_non_null(objects[i]);
		memset(objects[i], (int)i, i * 13 + 1);
	}
	for (size_t i = 0; i < 200; i++) {
		for (size_t at = 0; at < i * 13 + 1; at++)
			assert_int_equal(objects[i][at], i);
	}
	arena_free(arena);
}

static void the_maximum_holds(void **state)
{
	struct arena *arena = arena_new(100);
	char *first;

	(void)state;
	first = arena_alloc(arena, 60);
	assert_non_null(first);
	assert_null(arena_alloc(arena, 41));
	assert_int_equal(arena_used(arena), 60);
	assert_non_null(arena_alloc(arena, 40));
	assert_int_equal(arena_used(arena), 100);
	assert_null(arena_alloc(arena, 1));
	assert_null(arena_text(arena, ""));
	assert_null(arena_print(arena, "%d", 1));
	assert_int_equal(arena_used(arena), 100);
	arena_free(arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_alloc(arena, SIZE_MAX - 16));
	assert_null(arena_copy(arena, "", SIZE_MAX));
	assert_int_equal(arena_used(arena), 0);
	assert_non_null(arena_alloc(arena, 1));
	arena_free(arena);
}

static void nothing_still_counts(void **state)
{
	struct arena *arena = arena_new(2);
	void *first = arena_alloc(arena, 0);
	void *second = arena_alloc(arena, 0);

	(void)state;
	assert_non_null(first);
	assert_non_null(second);
	assert_ptr_not_equal(first, second);
	assert_null(arena_alloc(arena, 0));
	arena_free(arena);
}

static void reset_wipes_and_starts_again(void **state)
{
	struct arena *arena = arena_new(64 * 1024);
	char *secret = arena_text(arena, "hunter2");

	(void)state;
	assert_non_null(arena_alloc(arena, 20000));
	arena_reset(arena);
	assert_int_equal(arena_used(arena), 0);
	/* The first block is kept, so the place is still ours to look at. */
	assert_memory_equal(secret, "\0\0\0\0\0\0\0\0", 8);
	assert_ptr_equal(arena_text(arena, "again"), secret);
	for (int i = 0; i < 50; i++) {
		arena_reset(arena);
		assert_non_null(arena_alloc(arena, 64 * 1024));
	}
	arena_free(arena);
}

static void texts_are_copied(void **state)
{
	struct arena *arena = arena_new(64 * 1024);
	char source[] = "a\0b";
	char *copy = arena_copy(arena, source, 3);
	char *text = arena_text(arena, source);

	(void)state;
	source[0] = 'z';
	assert_memory_equal(copy, "a\0b", 4);
	assert_string_equal(text, "a");
	assert_string_equal(arena_copy(arena, NULL, 0), "");
	assert_string_equal(arena_print(arena, "%s-%d", "x", 42), "x-42");
	assert_int_equal(strlen(arena_print(arena, "%5000s", "")), 5000);
	arena_free(arena);
	arena_free(NULL);
}

/* Remembered until the reset, whatever fits afterwards. */
static void test_lacking(void **state)
{
	struct arena *arena = arena_new(64);

	(void)state;
	assert_false(arena_lacking(arena));
	assert_non_null(arena_alloc(arena, 60));
	assert_false(arena_lacking(arena));
	assert_null(arena_text(arena, "too long for it"));
	assert_true(arena_lacking(arena));
	assert_non_null(arena_text(arena, "x"));
	assert_true(arena_lacking(arena));
	arena_reset(arena);
	assert_false(arena_lacking(arena));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(objects_do_not_overlap),
		cmocka_unit_test(the_maximum_holds),
		cmocka_unit_test(sizes_that_overflow_are_refused),
		cmocka_unit_test(nothing_still_counts),
		cmocka_unit_test(reset_wipes_and_starts_again),
		cmocka_unit_test(texts_are_copied),
		cmocka_unit_test(test_lacking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
