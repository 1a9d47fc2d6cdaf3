#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/entropy.h"

#define DRAWS 1000
#define BYTES 16

static void what_the_pool_gives_never_repeats(void **state)
{
	static unsigned char drawn[DRAWS][BYTES];
	struct entropy_pool *pool = entropy_pool_new();
	unsigned set = 0;

	(void)state;
	assert_non_null(pool);
	for (size_t i = 0; i < DRAWS; i++) {
		assert_int_equal(entropy_fill(entropy_pool(pool), drawn[i], BYTES), 0);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(drawn[i], drawn[k], BYTES);
		for (size_t k = 0; k < BYTES; k++)
			set += (unsigned)__builtin_popcount(drawn[i][k]);
	}
	/* 64,000 of 128,000 bits; 40 standard deviations of 179 either way. */
	assert_in_range(set, 64000 - 7160, 64000 + 7160);
	entropy_pool_free(pool);
}

static void every_length_is_filled(void **state)
{
	static const size_t lengths[] = {
		0, 1, 7, 63, ENTROPY_POOL_DIRECT, ENTROPY_POOL_DIRECT + 1, 255, 256, 257, 4096};
	static const unsigned char zeros[4096];
	struct entropy_pool *pool = entropy_pool_new();

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		unsigned char bytes[4097];
		bool filled = lengths[i] < 8;

		for (int round = 0; round < 40; round++) {
			memset(bytes, 0, sizeof(bytes));
			bytes[lengths[i]] = 0x5a;
			assert_int_equal(entropy_fill(entropy_pool(pool), bytes, lengths[i]), 0);
			assert_int_equal(bytes[lengths[i]], 0x5a);
			filled = filled || memcmp(bytes, zeros, lengths[i]) != 0;
		}
		assert_true(filled);
	}
	entropy_pool_free(pool);
}

static void a_child_has_bytes_of_its_own(void **state)
{
	struct entropy_pool *pool = entropy_pool_new();
	unsigned char ours[BYTES], theirs[BYTES];
	int ends[2], status;
	pid_t child;

	(void)state;
	/* Something is in stock when the process forks. */
	assert_int_equal(entropy_fill(entropy_pool(pool), ours, sizeof(ours)), 0);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		bool good = entropy_fill(entropy_pool(pool), theirs, sizeof(theirs)) == 0 &&
			write(ends[1], theirs, sizeof(theirs)) == (ssize_t)sizeof(theirs);

		entropy_pool_free(pool); /* valgrind looks at the child too */
		_exit(good ? 0 : 1);
	}
	assert_true(child > 0);
	assert_int_equal(read(ends[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(entropy_fill(entropy_pool(pool), ours, sizeof(ours)), 0);
	assert_memory_not_equal(ours, theirs, sizeof(ours));
	close(ends[0]);
	close(ends[1]);
	entropy_pool_free(pool);
}

static void fakes_repeat(void **state)
{
	struct entropy_fake one, other;
	unsigned char a[BYTES], b[BYTES];

	(void)state;
	entropy_fake_init(&one, 7);
	entropy_fake_init(&other, 7);
	assert_int_equal(entropy_fill(&one.entropy, a, sizeof(a)), 0);
	assert_int_equal(entropy_fill(&other.entropy, b, sizeof(b)), 0);
	assert_memory_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_pool_gives_never_repeats),
		cmocka_unit_test(every_length_is_filled),
		cmocka_unit_test(a_child_has_bytes_of_its_own),
		cmocka_unit_test(fakes_repeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
