#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/error.h"

static void bytes_gather_and_end_in_nul(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 1000);
	assert_null(buffer.bytes);
	assert_int_equal(buffer_append(&buffer, NULL, 0), 0);
	assert_int_equal(buffer_text(&buffer, "ab"), 0);
	assert_int_equal(buffer_byte(&buffer, 'c'), 0);
	assert_int_equal(buffer_print(&buffer, "%03d", 7), 0);
	assert_string_equal(buffer.bytes, "abc007");
	assert_int_equal(buffer.length, 6);
	buffer_free(&buffer);
	assert_null(buffer.bytes);
	assert_int_equal(buffer.maximum, 1000);
	assert_int_equal(buffer_text(&buffer, "again"), 0);
	buffer_free(&buffer);
}

static void the_maximum_is_reached_exactly(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buffer_byte(&buffer, 'x'), 0);
	assert_true(buffer.capacity <= 1001);
	assert_int_equal(buffer_byte(&buffer, 'y'), ERROR_LIMIT);
	assert_true(buffer.failed);
	assert_int_equal(buffer.length, 1000);
	assert_int_equal(strlen(buffer.bytes), 1000);
	buffer_free(&buffer);
}

static void a_failed_buffer_takes_nothing(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 4);
	assert_int_equal(buffer_text(&buffer, "abc"), 0);
	assert_int_equal(buffer_text(&buffer, "de"), ERROR_LIMIT);
	assert_int_equal(buffer_byte(&buffer, 'd'), ERROR_LIMIT);
	assert_int_equal(buffer_print(&buffer, "%d", 1), ERROR_LIMIT);
	assert_int_equal(buffer_append(&buffer, "", 0), ERROR_LIMIT);
	assert_null(buffer_reserve(&buffer, 1));
	assert_string_equal(buffer.bytes, "abc");
	buffer_clear(&buffer);
	assert_false(buffer.failed);
	assert_string_equal(buffer.bytes, "");
	assert_int_equal(buffer_text(&buffer, "wxyz"), 0);
	assert_string_equal(buffer.bytes, "wxyz");
	buffer_free(&buffer);
}

static void lengths_that_overflow_are_refused(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, SIZE_MAX);
	assert_int_equal(buffer_text(&buffer, "abc"), 0);
	assert_null(buffer_reserve(&buffer, SIZE_MAX));
	assert_true(buffer.failed);
	buffer_clear(&buffer);
	assert_int_equal(buffer_text(&buffer, "abc"), 0);
	assert_null(buffer_reserve(&buffer, SIZE_MAX - 3));
	buffer_free(&buffer);
}

static void print_never_cuts(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 10);
	assert_int_equal(buffer_print(&buffer, "%s", "0123456789"), 0);
	assert_string_equal(buffer.bytes, "0123456789");
	buffer_clear(&buffer);
	assert_int_equal(buffer_print(&buffer, "%s", "0123456789a"), ERROR_LIMIT);
	assert_int_equal(buffer.length, 0);
	buffer_free(&buffer);
}

static void consuming_moves_the_rest(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 100);
	buffer_consume(&buffer, 5);
	assert_int_equal(buffer_text(&buffer, "hello world"), 0);
	buffer_consume(&buffer, 0);
	buffer_consume(&buffer, 6);
	assert_string_equal(buffer.bytes, "world");
	assert_int_equal(buffer.length, 5);
	buffer_consume(&buffer, 99);
	assert_string_equal(buffer.bytes, "");
	buffer_free(&buffer);
}

static void reserved_room_is_filled_by_others(void **state)
{
	struct buffer buffer;
	char *room;

	(void)state;
	buffer_init(&buffer, 5000);
	assert_int_equal(buffer_text(&buffer, "ab"), 0);
	room = buffer_reserve(&buffer, 4998);
	assert_non_null(room);
	memset(room, 'x', 4998);
	buffer_added(&buffer, 4998);
	assert_int_equal(buffer.length, 5000);
	assert_int_equal(buffer.bytes[5000], '\0');
	assert_memory_equal(buffer.bytes, "abxx", 4);
	assert_non_null(buffer_reserve(&buffer, 0));
	assert_null(buffer_reserve(&buffer, 1));
	buffer_free(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_gather_and_end_in_nul),
		cmocka_unit_test(the_maximum_is_reached_exactly),
		cmocka_unit_test(a_failed_buffer_takes_nothing),
		cmocka_unit_test(lengths_that_overflow_are_refused),
		cmocka_unit_test(print_never_cuts),
		cmocka_unit_test(consuming_moves_the_rest),
		cmocka_unit_test(reserved_room_is_filled_by_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
