#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "service/view.h"

#define THREADS 4
#define ROUNDS 2000

struct thing {
	struct view view; /* first */
	atomic_int *freed;
	unsigned canary;
};

static void thing_free(struct view *view)
{
	struct thing *thing = (struct thing *)view;

	atomic_fetch_add(thing->freed, 1);
	thing->canary = 0;
	free(thing);
}

static struct view *thing_new(atomic_int *freed)
{
	struct thing *thing = malloc(sizeof(*thing));

	assert_non_null(thing);
	view_init(&thing->view, thing_free);
	thing->freed = freed;
	thing->canary = 42;
	return &thing->view;
}

/* The old one stays for as long as somebody holds it. */
static void test_replace(void **state)
{
	atomic_int freed = 0;
	struct view_slot slot;
	struct view *first, *again, *second;

	(void)state;
	view_slot_init(&slot, NULL);
	view_slot_replace(&slot, thing_new(&freed));
	first = view_slot_hold(&slot);
	again = view_slot_hold(&slot);
	assert_ptr_equal(first, again);
	view_slot_replace(&slot, thing_new(&freed));
	assert_int_equal(freed, 0);
	second = view_slot_hold(&slot);
	assert_ptr_not_equal(first, second);
	view_release(first);
	assert_int_equal(freed, 0);
	assert_int_equal(((struct thing *)again)->canary, 42);
	view_release(again);
	assert_int_equal(freed, 1);
	view_slot_close(&slot);
	assert_int_equal(freed, 1);
	view_release(second);
	assert_int_equal(freed, 2);
	view_release(NULL);
}

static void test_close_frees(void **state)
{
	atomic_int freed = 0;
	struct view_slot slot;

	(void)state;
	view_slot_init(&slot, thing_new(&freed));
	view_slot_close(&slot);
	assert_int_equal(freed, 1);
	/* Nothing was ever in it. */
	view_slot_init(&slot, NULL);
	view_slot_close(&slot);
}

struct reader {
	struct view_slot *slot;
	unsigned wrong;
};

static void *read_views(void *user)
{
	struct reader *reader = user;

	for (int i = 0; i < ROUNDS; i++) {
		struct view *view = view_slot_hold(reader->slot);

		if (((struct thing *)view)->canary != 42)
			reader->wrong++;
		view_release(view);
	}
	return NULL;
}

/* Nobody gets a view that is being freed. */
static void test_threads(void **state)
{
	struct reader readers[THREADS];
	pthread_t threads[THREADS];
	atomic_int freed = 0;
	struct view_slot slot;

	(void)state;
	view_slot_init(&slot, thing_new(&freed));
	for (int i = 0; i < THREADS; i++) {
		readers[i] = (struct reader){.slot = &slot};
		assert_int_equal(pthread_create(&threads[i], NULL, read_views, &readers[i]), 0);
	}
	for (int i = 0; i < ROUNDS; i++)
		view_slot_replace(&slot, thing_new(&freed));
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(readers[i].wrong, 0);
	}
	view_slot_close(&slot);
	assert_int_equal(freed, ROUNDS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_close_frees),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
