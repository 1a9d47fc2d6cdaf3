#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "wire/work.h"

static struct work_queue *on_pool(unsigned maximum)
{
	return work_queue_new(maximum);
}

static struct work_queue *on_own_threads(unsigned maximum)
{
	return work_queue_new_own(maximum, 3);
}

/* What is tested; both kinds keep the same promises. */
static struct work_queue *(*make)(unsigned maximum);

struct task {
	pthread_t ran_on;
	pthread_t done_on;
	pthread_mutex_t *gate; /* held by the test while the job shall not end */
	unsigned *order;
	unsigned done_as;
	struct work_queue *queue;
	uv_loop_t *loop;
	struct task *next;
	int next_result;
};

static void run(void *user)
{
	struct task *task = user;

	task->ran_on = pthread_self();
	if (task->gate != NULL) {
		pthread_mutex_lock(task->gate);
		pthread_mutex_unlock(task->gate);
	}
}

static void done(void *user)
{
	struct task *task = user;

	task->done_on = pthread_self();
	task->done_as = ++*task->order;
	if (task->next != NULL)
		task->next_result = work_submit(task->queue, task->loop, run, done, task->next);
}

static void runs_off_the_loop_and_comes_back(void **state)
{
	struct work_queue *queue = make(0);
	unsigned order = 0;
	struct task task = {.order = &order};
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	assert_int_equal(work_submit(queue, &loop, run, done, &task), 0);
	assert_int_equal(task.done_as, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(task.done_as, 1);
	assert_true(pthread_equal(task.done_on, pthread_self()));
	assert_false(pthread_equal(task.ran_on, pthread_self()));
	assert_int_equal(uv_loop_close(&loop), 0);
	work_queue_free(queue);
}

static void a_full_queue_says_so(void **state)
{
	struct work_queue *queue = make(2);
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	unsigned order = 0;
	struct task tasks[3] = {
		{.gate = &gate, .order = &order},
		{.gate = &gate, .order = &order},
		{.gate = &gate, .order = &order},
	};
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	pthread_mutex_lock(&gate);
	assert_int_equal(work_submit(queue, &loop, run, done, &tasks[0]), 0);
	assert_int_equal(work_submit(queue, &loop, run, done, &tasks[1]), 0);
	assert_int_equal(work_submit(queue, &loop, run, done, &tasks[2]), ERROR_BUSY);
	pthread_mutex_unlock(&gate);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(order, 2);
	assert_int_equal(tasks[2].done_as, 0);
	/* and there is room again */
	assert_int_equal(work_submit(queue, &loop, run, done, &tasks[2]), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(tasks[2].done_as, 3);
	assert_int_equal(uv_loop_close(&loop), 0);
	work_queue_free(queue);
}

static void done_may_submit_in_its_place(void **state)
{
	struct work_queue *queue = make(1);
	unsigned order = 0;
	uv_loop_t loop;
	struct task second = {.order = &order};
	struct task first = {
		.order = &order, .queue = queue, .loop = &loop, .next = &second, .next_result = 1};

	(void)state;
	uv_loop_init(&loop);
	assert_int_equal(work_submit(queue, &loop, run, done, &first), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(first.next_result, 0);
	assert_int_equal(second.done_as, 2);
	assert_int_equal(uv_loop_close(&loop), 0);
	work_queue_free(queue);
}

struct worker {
	struct work_queue *queue;
	unsigned done;
	unsigned wrong_thread;
	pthread_t thread;
};

static void nothing(void *user)
{
	(void)user;
}

static void count(void *user)
{
	struct worker *worker = user;

	worker->done++;
	if (!pthread_equal(worker->thread, pthread_self()))
		worker->wrong_thread++;
}

static void *work(void *user)
{
	struct worker *worker = user;
	uv_loop_t loop;

	worker->thread = pthread_self();
	uv_loop_init(&loop);
	for (int i = 0; i < 500; i++) {
		/* the others may have filled the queue */
		while (work_submit(worker->queue, &loop, nothing, count, worker) != 0) {
			uv_run(&loop, UV_RUN_NOWAIT);
			sched_yield();
		}
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	return NULL;
}

static void several_loops_share_it(void **state)
{
	struct work_queue *queue = make(8);
	struct worker workers[3] = {{.queue = queue}, {.queue = queue}, {.queue = queue}};
	pthread_t threads[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(workers[i].done, 500);
		assert_int_equal(workers[i].wrong_thread, 0);
	}
	work_queue_free(queue);
}

/* All of libuv's threads are held up by another queue's jobs: ours do not wait for them. */
static void own_threads_wait_for_nobody(void **state)
{
	struct work_queue *slow = on_pool(64), *own = on_own_threads(4);
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	unsigned order = 0, own_order = 0;
	struct task blocked[64], task = {.order = &own_order};
	uv_loop_t loop, other;

	(void)state;
	uv_loop_init(&loop);
	uv_loop_init(&other);
	pthread_mutex_lock(&gate);
	for (int i = 0; i < 64; i++) {
		blocked[i] = (struct task){.gate = &gate, .order = &order};
		assert_int_equal(work_submit(slow, &loop, run, done, &blocked[i]), 0);
	}
	assert_int_equal(work_submit(own, &other, run, done, &task), 0);
	uv_run(&other, UV_RUN_DEFAULT);
	assert_int_equal(task.done_as, 1);
	assert_int_equal(order, 0);
	pthread_mutex_unlock(&gate);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(order, 64);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(uv_loop_close(&other), 0);
	work_queue_free(own);
	work_queue_free(slow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_off_the_loop_and_comes_back),
		cmocka_unit_test(a_full_queue_says_so),
		cmocka_unit_test(done_may_submit_in_its_place),
		cmocka_unit_test(several_loops_share_it),
	};

	const struct CMUnitTest own[] = {
		cmocka_unit_test(own_threads_wait_for_nobody),
	};
	int failed = 0;

	make = on_pool;
	failed += cmocka_run_group_tests_name("pool", tests, NULL, NULL);
	make = on_own_threads;
	failed += cmocka_run_group_tests_name("own threads", tests, NULL, NULL);
	failed += cmocka_run_group_tests_name("both", own, NULL, NULL);
	return failed;
}
