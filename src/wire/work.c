#include "wire/work.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"

#define DEFAULT_MAXIMUM 256
#define STACK_BYTES (256 * 1024) /* of an own thread; libraries it calls are not modest */

struct job {
	uv_work_t request;   /* on libuv's pool */
	uv_async_t finished; /* on own threads: wakes the loop */
	struct job *next;    /* waiting for an own thread */
	struct work_queue *queue;
	void (*run)(void *user);
	void (*done)(void *user);
	void *user;
};

struct work_queue {
	unsigned maximum;
	atomic_uint jobs;
	/* own threads; none: libuv's pool */
	unsigned thread_count;
	uv_mutex_t mutex; /* guards what follows */
	uv_cond_t wake;
	struct job *first, **last;
	bool ending;
	uv_thread_t threads[];
};

static struct work_queue *queue_new(unsigned maximum, unsigned threads)
{
	struct work_queue *queue = calloc(1, sizeof(*queue) + threads * sizeof(queue->threads[0]));

	if (queue == NULL)
		return NULL;
	queue->maximum = maximum > 0 ? maximum : DEFAULT_MAXIMUM;
	queue->last = &queue->first;
	atomic_init(&queue->jobs, 0);
	return queue;
}

struct work_queue *work_queue_new(unsigned maximum)
{
	return queue_new(maximum, 0);
}

/* The next job; NULL when the thread is to end. */
static struct job *next_job(struct work_queue *queue)
{
	struct job *job;

	uv_mutex_lock(&queue->mutex);
	while (queue->first == NULL && !queue->ending)
		uv_cond_wait(&queue->wake, &queue->mutex);
	job = queue->first;
	if (job != NULL) {
		queue->first = job->next;
		if (queue->first == NULL)
			queue->last = &queue->first;
	}
	uv_mutex_unlock(&queue->mutex);
	return job;
}

static void run_thread(void *user)
{
	struct work_queue *queue = user;
	struct job *job;

	while ((job = next_job(queue)) != NULL) {
		job->run(job->user);
		/* The loop may free the job as soon as it is woken. */
		uv_async_send(&job->finished);
	}
}

static void end_threads(struct work_queue *queue)
{
	uv_mutex_lock(&queue->mutex);
	queue->ending = true;
	uv_cond_broadcast(&queue->wake);
	uv_mutex_unlock(&queue->mutex);
	for (unsigned i = 0; i < queue->thread_count; i++)
		uv_thread_join(&queue->threads[i]);
	uv_cond_destroy(&queue->wake);
	uv_mutex_destroy(&queue->mutex);
}

struct work_queue *work_queue_new_own(unsigned maximum, unsigned threads)
{
	const uv_thread_options_t options = {
		.flags = UV_THREAD_HAS_STACK_SIZE,
		.stack_size = STACK_BYTES,
	};
	struct work_queue *queue;

	assert(threads > 0);
	queue = queue_new(maximum, threads);
	if (queue == NULL)
		return NULL;
	if (uv_mutex_init(&queue->mutex) != 0)
		goto free_queue;
	if (uv_cond_init(&queue->wake) != 0)
		goto destroy_mutex;
	for (; queue->thread_count < threads; queue->thread_count++) {
		if (uv_thread_create_ex(&queue->threads[queue->thread_count], &options, run_thread,
			    queue) != 0) {
			end_threads(queue);
			goto free_queue;
		}
	}
	return queue;

destroy_mutex:
	uv_mutex_destroy(&queue->mutex);
free_queue:
	free(queue);
	return NULL;
}

void work_queue_free(struct work_queue *queue)
{
	if (queue == NULL)
		return;
	assert(atomic_load(&queue->jobs) == 0);
	if (queue->thread_count > 0)
		end_threads(queue);
	free(queue);
}

static void run_job(uv_work_t *request)
{
	struct job *job = request->data;

	job->run(job->user);
}

static void finish_job(struct job *job)
{
	void (*done)(void *user) = job->done;
	void *user = job->user;

	/* Before `done`, which may submit the next job in this one's place. */
	atomic_fetch_sub(&job->queue->jobs, 1);
	free(job);
	done(user);
}

static void pool_finished(uv_work_t *request, int status)
{
	/* Nobody but us has the request, so nobody can have cancelled it. */
	assert(status == 0);
	(void)status;
	finish_job(request->data);
}

static void handle_closed(uv_handle_t *handle)
{
	finish_job(handle->data);
}

static void thread_finished(uv_async_t *async)
{
	uv_close((uv_handle_t *)async, handle_closed);
}

static int start_on_thread(struct work_queue *queue, uv_loop_t *loop, struct job *job)
{
	if (uv_async_init(loop, &job->finished, thread_finished) != 0)
		return ERROR_MEMORY;
	job->finished.data = job;
	uv_mutex_lock(&queue->mutex);
	*queue->last = job;
	queue->last = &job->next;
	uv_cond_signal(&queue->wake);
	uv_mutex_unlock(&queue->mutex);
	return 0;
}

static int start_on_pool(uv_loop_t *loop, struct job *job)
{
	job->request.data = job;
	return uv_queue_work(loop, &job->request, run_job, pool_finished) == 0 ? 0 : ERROR_MEMORY;
}

int work_submit(struct work_queue *queue, uv_loop_t *loop, void (*run)(void *user),
	void (*done)(void *user), void *user)
{
	struct job *job;
	int error;

	if (atomic_fetch_add(&queue->jobs, 1) >= queue->maximum) {
		atomic_fetch_sub(&queue->jobs, 1);
		return ERROR_BUSY;
	}
	job = malloc(sizeof(*job));
	error = job != NULL ? 0 : ERROR_MEMORY;
	if (job != NULL) {
		*job = (struct job){.queue = queue, .run = run, .done = done, .user = user};
		error = queue->thread_count > 0 ? start_on_thread(queue, loop, job)
						: start_on_pool(loop, job);
	}
	if (error != 0) {
		atomic_fetch_sub(&queue->jobs, 1);
		free(job);
	}
	return error;
}
